//! The group leader of what runs for us on other nodes: what it prints comes here, and what it wants to read is asked here.
//! The server's half of the Erlang I/O protocol, as `group` of kernel has it.

use std::sync::Arc;
use std::time::Duration;

use beamline_node::{Node, Process};
use beamline_proto::NodeName;
use beamline_term::{Pid, Term, atom};
use tokio::sync::oneshot;

/// A terminal, or what stands for one.
pub trait Device: Send + Sync + 'static {
    /// Prints a text.
    fn print(&self, text: &str);

    /// Reads a line, its end included; `None` when there is no more. Blocks. Prints the prompt first.
    fn read_line(&self, prompt: &str) -> Option<String>;

    /// Columns and rows, if it has any.
    fn size(&self) -> Option<(u16, u16)>;

    /// How long whoever has printed something is to wait before it goes on; no time unless it is overwritten.
    fn pressure(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether there is anybody to read from. Who wants to read from a device without is told `enotsup`.
    fn reads(&self) -> bool {
        true
    }
}

/// What is printed and not yet taken may take so much memory. Whoever prints waits for the answer, but nothing makes it.
const MAILBOX: usize = 32 << 20;

/// Starts a process that serves a device until `ended`, or until its node is gone.
pub(crate) fn serve(node: &Node, device: Arc<dyn Device>, mut ended: oneshot::Receiver<()>) -> Pid {
    node.spawn(move |mut me| async move {
        me.set_mailbox_limit(MAILBOX);
        loop {
            let message = tokio::select! {
                message = me.receive() => message,
                _ = &mut ended => None,
            };
            let Some(message) = message else { return };
            if let Ok(term) = message.term()
                && let Some([tag, Term::Pid(from), reply_as, request]) = term.as_tuple()
                && tag.is_atom("io_request")
            {
                let answer = answer(&me, &device, from, request).await;
                // The answer is late rather than the memory used up: whoever prints waits for it.
                let pressure = device.pressure();
                if !pressure.is_zero() {
                    tokio::time::sleep(pressure).await;
                }
                let reply = Term::from((atom("io_reply"), reply_as.clone(), answer));
                // Who has gone waits no more.
                let _ = me.send(from, &reply).await;
            }
        }
    })
}

fn refused(reason: &'static str) -> Term {
    (atom("error"), atom(reason)).into()
}

async fn answer(me: &Process, device: &Arc<dyn Device>, from: &Pid, request: &Term) -> Term {
    let mut elements = request.as_tuple().unwrap_or_default();
    if request.is_atom("getopts") {
        let options = [(atom("binary"), Term::from(true)), (atom("encoding"), Term::atom("unicode"))];
        return Term::list(options.map(Term::from));
    }
    let inner;
    if let [tag, list] = elements
        && tag.is_atom("requests")
    {
        let mut last = Term::atom("ok");
        for request in list.as_list().map(|list| list.to_vec()).unwrap_or_default() {
            last = Box::pin(answer(me, device, from, &request)).await;
            if last.as_tuple().and_then(<[Term]>::first).is_some_and(|tag| tag.is_atom("error")) {
                break;
            }
        }
        return last;
    }
    // The forms without an encoding are those of old.
    if let [tag, rest @ ..] = elements
        && ["put_chars", "get_line", "get_chars", "get_until"].iter().any(|name| tag.is_atom(name))
        && !rest.first().is_some_and(|encoding| encoding.is_atom("unicode") || encoding.is_atom("latin1"))
    {
        let mut with = vec![tag.clone(), Term::atom("latin1")];
        with.extend(rest.iter().cloned());
        inner = with;
        elements = &inner;
    }
    match elements {
        [tag, encoding, characters] if tag.is_atom("put_chars") => match text(characters, encoding.is_atom("latin1")) {
            Some(text) => {
                device.print(&text);
                Term::atom("ok")
            }
            None => refused("put_chars"),
        },
        [tag, encoding, Term::Atom(module), Term::Atom(function), arguments] if tag.is_atom("put_chars") => {
            // What formats it is code of the node that asks.
            let list = arguments.as_list().map(|list| list.to_vec()).unwrap_or_default();
            let Ok(node) = NodeName::from_atom(from.node()) else { return refused("put_chars") };
            let characters: Result<Term, _> = me.call(&node, (module.clone(), function.clone()), list).await;
            match characters.ok().and_then(|characters| text(&characters, encoding.is_atom("latin1"))) {
                Some(text) => {
                    device.print(&text);
                    Term::atom("ok")
                }
                None => refused("put_chars"),
            }
        }
        [tag, ..] if tag.as_atom().is_some_and(|tag| tag.as_str().starts_with("get_")) && !reads(device, tag) => {
            refused("enotsup")
        }
        [tag, _, prompt] if tag.is_atom("get_line") => read(device, prompt).await,
        [tag, _, prompt, Term::Integer(_)] if tag.is_atom("get_chars") => read(device, prompt).await,
        [tag, what] if tag.is_atom("get_geometry") => match device.size() {
            Some((columns, _)) if what.is_atom("columns") => i64::from(columns).into(),
            Some((_, rows)) if what.is_atom("rows") => i64::from(rows).into(),
            _ => refused("enotsup"),
        },
        [tag, _] if tag.is_atom("setopts") => Term::atom("ok"),
        _ => refused("request"),
    }
}

/// Whether a request that reads, if it is one, finds a reader.
fn reads(device: &Arc<dyn Device>, tag: &Term) -> bool {
    tag.is_atom("get_geometry") || device.reads()
}

async fn read(device: &Arc<dyn Device>, prompt: &Term) -> Term {
    let prompt = text(prompt, false).unwrap_or_default();
    match ask(Arc::clone(device), prompt).await {
        Some(line) => line.into(),
        None => Term::atom("eof"),
    }
}

/// Reads a line on a thread of its own: whoever sits there may take an hour.
pub(crate) async fn ask(device: Arc<dyn Device>, prompt: String) -> Option<String> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        // Nobody may wait any more.
        let _ = tell.send(device.read_line(&prompt));
    });
    told.await.ok().flatten()
}

/// The text of chardata: a binary, or nested lists of characters and binaries.
pub(crate) fn text(characters: &Term, latin1: bool) -> Option<String> {
    let mut out = String::new();
    collect(characters, latin1, &mut out, 0)?;
    Some(out)
}

fn collect(characters: &Term, latin1: bool, out: &mut String, depth: usize) -> Option<()> {
    if depth > 100 {
        return None;
    }
    match characters {
        Term::Binary(bytes) if latin1 => out.extend(bytes.iter().map(|byte| char::from(*byte))),
        Term::Binary(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Term::Integer(code) => out.push(char::from_u32(u32::try_from(*code).ok()?)?),
        Term::List(list) => list.iter().try_for_each(|item| collect(&item, latin1, out, depth + 1))?,
        Term::ImproperList(list) => {
            list.elements().iter().try_for_each(|item| collect(item, latin1, out, depth + 1))?;
            collect(list.tail(), latin1, out, depth + 1)?;
        }
        Term::Atom(name) => out.push_str(name.as_str()),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::term;

    #[test]
    fn chardata_is_text() {
        let nested = Term::list([Term::from("a"), Term::list([Term::Integer(98), "ž".into()]), Term::charlist("\n")]);
        assert_eq!(text(&nested, false).as_deref(), Some("abž\n"));
        assert_eq!(text(&Term::binary(vec![0xe9]), true).as_deref(), Some("é"));
        assert_eq!(text(&term!({1, 2}), false), None);
    }
}
