//! One expression at a node, and its value as a script wants it: `beamline rpc`.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use beamline_elixir::Limits;
use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_remsh::{Entered, Outcome, Output, Prompt, Reach};
use beamline_term::print::Erlang;
use beamline_term::{Inspect, Term, atom};

use crate::evaluator::Outlet;
use crate::io_server::Device;
use crate::kind::Kind;

/// How long an expression may take: whoever runs the script ends it.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// As `inspect` of Elixir.
    #[default]
    Elixir,
    /// As `~p` of Erlang.
    Erlang,
    /// As JSON; what JSON does not have is written as the text that Elixir shows.
    Json,
}

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OneshotError {
    /// The text is no expression. Nothing ran.
    #[error("{0}")]
    Wrong(String),
    /// It failed, in Elixir's words.
    #[error("{0}")]
    Failed(String),
    /// The node could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// A text that is wrong wherever it is evaluated: it has no end.
///
/// # Errors
/// That it has none, and where.
pub fn check(text: &str) -> Result<(), OneshotError> {
    match beamline_elixir::parse(text) {
        Err(error) if error.is_incomplete() => Err(OneshotError::Wrong(beamline_remsh::syntax(&error, text))),
        _ if Prompt::entered(text) == Entered::Nothing => {
            Err(OneshotError::Wrong("there is no expression: give one, such as 'Node.list()'".into()))
        }
        _ => Ok(()),
    }
}

/// Evaluates a text at a node, and gives its value as it is to be written. What it prints goes to stdout.
///
/// An Elixir node evaluates it itself. For others it is evaluated here, and each call that is not of the language is one call
/// to the node.
///
/// # Errors
/// There is no value.
pub async fn evaluate(
    node: &Node,
    peer: &NodeName,
    text: &str,
    format: Format,
    time: Duration,
) -> Result<String, OneshotError> {
    check(text)?;
    let kind = match Kind::of(node, peer, time).await {
        Ok(kind) => kind,
        Err(error) => {
            // Whoever mistyped does not want to hear about the node.
            return Err(match beamline_elixir::parse(text) {
                Err(wrong) => OneshotError::Wrong(beamline_remsh::syntax(&wrong, text)),
                Ok(_) => error.into(),
            });
        }
    };
    match kind {
        Kind::Elixir(_) => there(node, peer, text, format).await,
        Kind::Erlang | Kind::Rust => here(node, peer, text, format).await,
    }
}

/// Evaluated here.
async fn here(node: &Node, peer: &NodeName, text: &str, format: Format) -> Result<String, OneshotError> {
    let outlet = Outlet::new(node, Arc::new(Stdout));
    let prompt = Prompt::new(node, Reach::Other(peer.clone()), Limits::default());
    let mut prompt = prompt.led_by(outlet.leader().clone());
    match prompt.evaluate(text, &mut Stdout).await {
        Outcome::Value(value) => Ok(written(&value, format)),
        Outcome::Failed { told, is_wrong: true, .. } => Err(OneshotError::Wrong(told)),
        Outcome::Failed { told, .. } => Err(OneshotError::Failed(told)),
        _ => Ok(written(&Term::atom("ok"), format)),
    }
}

/// Evaluated by the node.
async fn there(node: &Node, peer: &NodeName, text: &str, format: Format) -> Result<String, OneshotError> {
    let outlet = Outlet::new(node, Arc::new(Stdout));
    let shown = format == Format::Elixir;
    let binding = [(atom("code"), Term::from(text)), (atom("shown"), shown.into()), (atom("width"), 80.into())];
    let arguments = vec![Term::from(include_str!("oneshot.exs")), Term::list(binding.map(Term::from))];
    let call = node.call(peer, ("Elixir.Code", "eval_string"), arguments).led_by(outlet.leader());
    let answer: Term = call.timeout(PATIENCE).await?;
    let result = match answer.as_tuple() {
        Some([result, _]) => result.as_tuple().unwrap_or_default(),
        _ => &[],
    };
    match result {
        [tag, value] if tag.is_atom("value") && shown => Ok(value.as_str().unwrap_or_default().to_owned()),
        [tag, value] if tag.is_atom("value") => Ok(written(value, format)),
        [tag, told] if tag.is_atom("wrong") => Err(OneshotError::Wrong(told.as_str().unwrap_or_default().to_owned())),
        [_, told] => Err(OneshotError::Failed(told.as_str().unwrap_or_default().to_owned())),
        _ => Err(OneshotError::Failed(format!("{peer} gave no answer to that: {answer}"))),
    }
}

/// A value for a script.
fn written(value: &Term, format: Format) -> String {
    match format {
        Format::Elixir => Inspect::new(value).width(80).to_string(),
        Format::Erlang => Erlang::new(value).to_string(),
        Format::Json => json(value),
    }
}

/// A term as JSON: atoms and binaries as strings, `nil` as null, keyword lists and maps as objects, tuples as arrays.
pub(crate) fn json(value: &Term) -> String {
    let mut out = String::new();
    write_json(value, &mut out, 0);
    out
}

fn write_json(value: &Term, out: &mut String, depth: usize) {
    let list = |items: &[Term], out: &mut String| {
        out.push('[');
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            write_json(item, out, depth + 1);
        }
        out.push(']');
    };
    match value {
        _ if depth > 500 => quoted("...", out),
        Term::Atom(name) => match name.as_str() {
            "nil" => out.push_str("null"),
            text @ ("true" | "false") => out.push_str(text),
            text => quoted(text.strip_prefix("Elixir.").unwrap_or(text), out),
        },
        Term::Integer(_) | Term::BigInteger(_) => out.push_str(&value.to_string()),
        Term::Float(number) if number.is_finite() => out.push_str(&format!("{number:?}")),
        Term::Binary(_) if value.as_str().is_some() => quoted(value.as_str().unwrap_or_default(), out),
        Term::Tuple(items) => list(items, out),
        Term::List(items) => {
            let items = items.to_vec();
            match pairs(&items) {
                Some(pairs) => object(&pairs, out, depth),
                None => list(&items, out),
            }
        }
        Term::Map(map) => {
            let pairs: Vec<(String, &Term)> = map
                .iter()
                .filter(|(key, _)| !key.is_atom("__struct__"))
                .map(|(key, value)| (key_text(key), value))
                .collect();
            object(&pairs, out, depth);
        }
        other => quoted(&other.to_string(), out),
    }
}

fn key_text(key: &Term) -> String {
    match (key.as_atom(), key.as_str()) {
        (Some(name), _) => name.as_str().to_owned(),
        (_, Some(text)) => text.to_owned(),
        _ => key.to_string(),
    }
}

/// A keyword list that is not empty.
fn pairs(items: &[Term]) -> Option<Vec<(String, &Term)>> {
    if items.is_empty() {
        return None;
    }
    items
        .iter()
        .map(|item| match item.as_tuple() {
            Some([Term::Atom(key), value]) => Some((key.as_str().to_owned(), value)),
            _ => None,
        })
        .collect()
}

fn object(pairs: &[(String, &Term)], out: &mut String, depth: usize) {
    out.push('{');
    for (place, (key, value)) in pairs.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        quoted(key, out);
        out.push(':');
        write_json(value, out, depth + 1);
    }
    out.push('}');
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for next in text.chars() {
        match next {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            next if next < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(next))),
            next => out.push(next),
        }
    }
    out.push('"');
}

struct Stdout;

impl Stdout {
    fn put(text: &[u8]) {
        // A reader that has seen enough is no error.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text).and_then(|()| out.flush());
    }
}

impl Output for Stdout {
    async fn write(&mut self, text: &[u8]) {
        Stdout::put(text);
    }
}

/// The script itself may have come from stdin: there is nothing to read.
impl Device for Stdout {
    fn print(&self, text: &str) {
        Stdout::put(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beamline_term::term;

    #[test]
    fn values_as_json() {
        let value = term!(%{name: "a\"b", list: [1, 2.5, :ok, nil, true], "k" => {:error, "x"}});
        let text = json(&value);
        assert!(text.contains(r#""name":"a\"b""#) && text.contains(r#""list":[1,2.5,"ok",null,true]"#), "{text}");
        assert!(text.contains(r#""k":["error","x"]"#), "{text}");
        assert_eq!(json(&Term::list([(atom("a"), 1).into()])), r#"{"a":1}"#);
        assert_eq!(json(&Term::nil()), "[]");
        assert_eq!(json(&Term::atom("Elixir.AppA")), r#""AppA""#);
        assert_eq!(json(&Term::binary(vec![0xff])), r#""<<255>>""#);
    }

    #[test]
    fn what_has_no_end_is_wrong_before_anybody_is_asked() {
        assert!(matches!(check("AppB.hello("), Err(OneshotError::Wrong(told)) if told.contains("column")));
        assert!(matches!(check("  "), Err(OneshotError::Wrong(_))));
        assert!(check("AppB.hello()").is_ok());
    }
}
