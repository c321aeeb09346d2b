//! Reading by lines, as `group` of kernel does it: who wants less than a line leaves the rest to the next who reads, and who
//! wants more is asked again.

use std::sync::Arc;

use beamline_node::Node;
use beamline_proto::NodeName;
use beamline_term::{Pid, Term, atom};

use super::request::{What, refused, text};
use super::{AsBinaries, Device};

pub(super) struct Reader {
    node: Node,
    device: Arc<dyn Device>,
    /// What has been read and is wanted by nobody yet.
    unread: String,
    pub(super) as_binaries: AsBinaries,
}

impl Reader {
    pub(super) fn new(node: &Node, device: Arc<dyn Device>, as_binaries: AsBinaries) -> Reader {
        Reader { node: node.clone(), device, unread: String::new(), as_binaries }
    }

    /// Reads what is wanted. To drop the future gives it up.
    pub(super) async fn read(&mut self, from: &Pid, what: What, prompt: String, is_latin1: bool) -> Term {
        let read = match what {
            What::Line => self.line(&prompt).await,
            What::Characters(count) => self.characters(&prompt, count).await,
            What::Until { module, function, arguments } => {
                let Ok(node) = NodeName::from_atom(from.node()) else { return refused("get_until") };
                let mut known = Term::nil();
                loop {
                    let line = self.line(&prompt).await;
                    let is_end = line.is_none();
                    let line = line.map_or(Term::atom("eof"), |line| Term::charlist(&line));
                    let list: Vec<Term> = [known, line].into_iter().chain(arguments.iter().cloned()).collect();
                    // What reads it is code of the node that asks.
                    let answer = self.node.call(&node, (module.clone(), function.clone()), list).await;
                    let answer: Term = answer.unwrap_or_else(|_| refused("get_until"));
                    match answer.as_tuple() {
                        Some([done, result, rest]) if done.is_atom("done") => {
                            // It may also be `eof`, which is not text.
                            let rest = text(rest, false).filter(|_| rest.as_atom().is_none());
                            self.unread.insert_str(0, &rest.unwrap_or_default());
                            return match result {
                                Term::List(list) => {
                                    list.to_text().map_or(result.clone(), |text| self.told(&text, false))
                                }
                                _ => result.clone(),
                            };
                        }
                        Some([more, next]) if more.is_atom("more") && !is_end => known = next.clone(),
                        _ => return refused("get_until"),
                    }
                }
            }
        };
        read.map_or(Term::atom("eof"), |read| self.told(&read, is_latin1))
    }

    fn told(&self, text: &str, is_latin1: bool) -> Term {
        let bytes: Option<Vec<u8>> = text.chars().map(|next| u8::try_from(u32::from(next)).ok()).collect();
        match (self.as_binaries.get(), bytes) {
            (_, None) if is_latin1 => {
                let why = (atom("no_translation"), atom("unicode"), atom("latin1"));
                (atom("error"), Term::from(why)).into()
            }
            (true, Some(bytes)) if is_latin1 => Term::binary(bytes),
            (true, _) => text.into(),
            (false, _) => Term::charlist(text),
        }
    }

    async fn line(&mut self, prompt: &str) -> Option<String> {
        loop {
            if let Some(end) = self.unread.find('\n') {
                return Some(self.unread.drain(..=end).collect());
            }
            if !self.more(prompt).await {
                return Some(std::mem::take(&mut self.unread)).filter(|rest| !rest.is_empty());
            }
        }
    }

    async fn characters(&mut self, prompt: &str, count: usize) -> Option<String> {
        let mut taken = String::new();
        let mut wanted = count;
        loop {
            let end = self.unread.char_indices().nth(wanted).map_or(self.unread.len(), |(end, _)| end);
            let part: String = self.unread.drain(..end).collect();
            wanted -= part.chars().count();
            taken.push_str(&part);
            if wanted == 0 || !self.more(prompt).await {
                return Some(taken).filter(|taken| !taken.is_empty() || count == 0);
            }
        }
    }

    /// Asks for a line; false if there is no more.
    async fn more(&mut self, prompt: &str) -> bool {
        let line = Arc::clone(&self.device).read_line(prompt.to_owned()).await;
        self.unread.push_str(line.as_deref().unwrap_or_default());
        line.is_some()
    }
}
