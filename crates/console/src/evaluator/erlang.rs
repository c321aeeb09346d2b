//! Erlang at an Erlang node: `erl_scan`, `erl_parse` and `erl_eval` of the node do it, one expression a call; the variables stay
//! here, where Elixir's are.

use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_remsh::{Prompt, led_call};
use beamline_term::print::Erlang;
use beamline_term::{Atom, Pid, Term, atom};

use super::here::Here;
use super::{Evaluated, Outlet, Table, Text};
use crate::io_server::text as characters;

/// Why an expression gave no value: what is told, and on which line.
type Failed = (String, Option<usize>);

impl Here {
    pub(super) async fn erlang(&self, text: &Text<'_>, outlet: &Outlet) -> Evaluated {
        let mut prompt = self.prompt(text.above);
        let node = prompt.calls().node().clone();
        let way = Way { node: &node, target: prompt.target().clone(), leader: outlet.leader() };
        let result = self.unless_ended(text.lane, way.run(text, &mut prompt)).await;
        self.keep(text, prompt, matches!(result, Some(Ok(_))));
        match result {
            Some(Ok(value)) => {
                Evaluated::Value { text: Erlang::new(&value).to_string(), table: Table::of(&value, text.rows) }
            }
            Some(Err((told, line))) => Evaluated::Failed { told, line },
            None => Evaluated::Ended("it was interrupted".into()),
        }
    }
}

struct Way<'a> {
    node: &'a Node,
    target: NodeName,
    leader: &'a Pid,
}

impl Way<'_> {
    async fn call(&self, module: &'static str, function: &'static str, list: Vec<Term>) -> Result<Term, CallError> {
        led_call(self.node, &self.target, self.leader, (module, function), list).await
    }

    async fn run(&self, text: &Text<'_>, prompt: &mut Prompt) -> Result<Term, Failed> {
        let mut bound: Vec<(Atom, Term)> = Vec::new();
        for (name, value) in prompt.session().bindings() {
            if let (Ok(name), Ok(value)) = (Atom::new(&turned(name, char::to_uppercase)), value.to_term()) {
                bound.push((name, value));
            }
        }
        let mut value = Term::atom("ok");
        for form in self.forms(text).await? {
            let line = form.as_tuple().and_then(|form| line_of(form.get(1)?));
            bound.sort();
            let list = Term::list(bound.iter().cloned().map(Term::from));
            let answer = match self.call("erl_eval", "expr", vec![form, list]).await {
                Ok(answer) => answer,
                Err(error) => return Err((self.told(error).await, line)),
            };
            let Some([_, now, bindings]) = answer.as_tuple() else {
                return Err((format!("erl_eval gave no value: {answer}"), line));
            };
            value = now.clone();
            bound = pairs(bindings);
        }
        for (name, value) in bound {
            if let Err(error) = prompt.bind(&turned(name.as_str(), char::to_lowercase), &value) {
                return Err((error.to_string(), None));
            }
        }
        Ok(value)
    }

    /// The expressions of a text.
    async fn forms(&self, text: &Text<'_>) -> Result<Vec<Term>, Failed> {
        let dotted = if text.code.trim_end().ends_with('.') { "" } else { "\n." };
        let code = Term::charlist(&format!("{}{dotted}", text.code));
        let scanned = self.call("erl_scan", "string", vec![code, (text.line as u64).into()]).await;
        let scanned = match scanned {
            Ok(scanned) => scanned,
            Err(error) => return Err((self.told(error).await, None)),
        };
        let tokens = match scanned.as_tuple() {
            Some([ok, tokens, _]) if ok.is_atom("ok") => tokens.as_list().map(|tokens| tokens.to_vec()),
            Some([_, info, _]) => return Err(self.wrong(info).await),
            _ => None,
        };
        let mut forms = Vec::new();
        let tokens = tokens.unwrap_or_default();
        let ends = |token: &Term| token.as_tuple().and_then(<[Term]>::first).is_some_and(|tag| tag.is_atom("dot"));
        for one in tokens.split_inclusive(ends) {
            let parsed = self.call("erl_parse", "parse_exprs", vec![Term::list(one.iter().cloned())]).await;
            let parsed = match parsed {
                Ok(parsed) => parsed,
                Err(error) => return Err((self.told(error).await, None)),
            };
            match parsed.as_tuple() {
                Some([ok, list]) if ok.is_atom("ok") => {
                    forms.extend(list.as_list().map(|list| list.to_vec()).unwrap_or_default());
                }
                Some([_, info]) => return Err(self.wrong(info).await),
                _ => {}
            }
        }
        Ok(forms)
    }

    /// `{Location, Module, What}` of the scanner or the parser.
    async fn wrong(&self, info: &Term) -> Failed {
        let Some([at, Term::Atom(module), what]) = info.as_tuple() else { return (info.to_string(), None) };
        let line = line_of(at);
        let format = (module.clone(), atom("format_error"));
        let told = led_call(self.node, &self.target, self.leader, format, vec![what.clone()]).await;
        let told = told.ok().and_then(|told| characters(&told, false)).unwrap_or_else(|| what.to_string());
        (format!("* {}: {told}", line.unwrap_or(1)), line)
    }

    /// A failure in the node's own words.
    async fn told(&self, error: CallError) -> String {
        let (class, reason, stack) = match error {
            CallError::Raised { reason, stack, .. } => ("error", reason, stack),
            CallError::Thrown { value, .. } => ("throw", value, Term::nil()),
            CallError::Exited { reason, .. } => ("exit", reason, Term::nil()),
            other => return format!("** the call could not be made: {other}"),
        };
        let plain = format!("{class}: {}", Erlang::new(&reason));
        let list = vec![Term::atom(class), reason, stack];
        let told = self.call("erl_error", "format_exception", list).await.ok();
        let told = told.and_then(|told| characters(&told, false)).unwrap_or(plain);
        format!("** exception {told}")
    }
}

fn line_of(location: &Term) -> Option<usize> {
    let line = match location.as_tuple() {
        Some([line, _]) => line.as_u64(),
        _ => location.as_u64(),
    };
    line.and_then(|line| usize::try_from(line).ok())
}

/// The bindings that `erl_eval` gives: pairs in a list, or, since OTP 25, perhaps a map.
fn pairs(bindings: &Term) -> Vec<(Atom, Term)> {
    match bindings {
        Term::Map(map) => {
            map.iter().filter_map(|(name, value)| Some((name.as_atom()?.clone(), value.clone()))).collect()
        }
        Term::List(list) => {
            let pair = |pair: &Term| match pair.as_tuple() {
                Some([Term::Atom(name), value]) => Some((name.clone(), value.clone())),
                _ => None,
            };
            list.to_vec().iter().filter_map(pair).collect()
        }
        _ => Vec::new(),
    }
}

/// A name with its first letter in the other case: `count` here is `Count` there.
fn turned<I: Iterator<Item = char>>(name: &str, case: impl Fn(char) -> I) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| case(first).chain(letters).collect()).unwrap_or_default()
}
