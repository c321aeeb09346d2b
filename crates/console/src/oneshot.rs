//! One expression at a node, and its value as a script wants it: `beamline rpc`.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use beamline_elixir::Limits;
use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_remsh::{Entered, Outcome, Prompt, Reach};
use beamline_term::print::Erlang;
use beamline_term::{Inspect, Term, atom};

use crate::evaluator::{Outlet, Written};
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

/// A text that is evaluated once, at whatever nodes.
///
/// ```no_run
/// # async fn example(node: beamline_node::Node) -> Result<(), Box<dyn std::error::Error>> {
/// let five = std::time::Duration::from_secs(5);
/// let nodes = beamline_console::Oneshot::new("Node.list()").evaluate(&node, &"app_a@127.0.0.1".parse()?, five).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is evaluated until it is told where"]
pub struct Oneshot {
    text: String,
    format: Format,
    width: Option<usize>,
    device: Arc<dyn Device>,
}

impl Oneshot {
    /// That text. Its value is written as Elixir does, in lines of 80 columns, and what it prints goes to stdout.
    pub fn new(text: &str) -> Oneshot {
        Oneshot { text: text.to_owned(), format: Format::default(), width: Some(80), device: Arc::new(Stdout) }
    }

    /// Writes the value like that.
    pub fn format(mut self, format: Format) -> Oneshot {
        self.format = format;
        self
    }

    /// Writes the value in one line, however long.
    pub fn one_line(mut self) -> Oneshot {
        self.width = None;
        self
    }

    /// What it prints goes there.
    pub fn prints_to(mut self, device: Arc<dyn Device>) -> Oneshot {
        self.device = device;
        self
    }

    /// Evaluates it at a node, and gives its value as it is to be written. The node has `time` to say what it is.
    ///
    /// An Elixir node evaluates by itself, until it is done or `node` is gone. For others it is done here, and each call that is
    /// not of the language is one call to the node.
    ///
    /// # Errors
    /// There is no value.
    pub async fn evaluate(&self, node: &Node, peer: &NodeName, time: Duration) -> Result<String, OneshotError> {
        check(&self.text)?;
        let kind = match Kind::of(node, peer, time).await {
            Ok(kind) => kind,
            Err(error) => {
                // Whoever mistyped does not want to hear about the node.
                return Err(match beamline_elixir::parse(&self.text) {
                    Err(wrong) => OneshotError::Wrong(beamline_remsh::syntax(&wrong, &self.text)),
                    Ok(_) => error.into(),
                });
            }
        };
        match kind {
            Kind::Elixir(_) => self.there(node, peer).await,
            Kind::Erlang | Kind::Rust => self.here(node, peer).await,
        }
    }

    /// Evaluated here.
    async fn here(&self, node: &Node, peer: &NodeName) -> Result<String, OneshotError> {
        let outlet = Outlet::new(node, Arc::clone(&self.device));
        let prompt = Prompt::new(node, Reach::Other(peer.clone()), Limits::default());
        let mut prompt = prompt.led_by(outlet.leader().clone());
        match prompt.evaluate(&self.text, &mut Written(&self.device)).await {
            Outcome::Value(value) => Ok(self.written(&value)),
            Outcome::Failed { told, is_wrong: true, .. } => Err(OneshotError::Wrong(told)),
            Outcome::Failed { told, .. } => Err(OneshotError::Failed(told)),
            _ => Ok(self.written(&Term::atom("ok"))),
        }
    }

    /// Evaluated by the node.
    async fn there(&self, node: &Node, peer: &NodeName) -> Result<String, OneshotError> {
        let outlet = Outlet::new(node, Arc::clone(&self.device));
        let shown = self.format == Format::Elixir;
        let width = self.width.map_or_else(|| Term::atom("infinity"), |width| (width as u64).into());
        let binding =
            [(atom("code"), self.text.as_str().into()), (atom("shown"), shown.into()), (atom("width"), width)];
        let arguments = vec![Term::from(include_str!("oneshot.exs")), Term::list(binding.map(Term::from))];
        let call = node.call(peer, ("Elixir.Code", "eval_string"), arguments).led_by(outlet.leader());
        let answer: Term = call.timeout(PATIENCE).await?;
        let result = match answer.as_tuple() {
            Some([result, _]) => result.as_tuple().unwrap_or_default(),
            _ => &[],
        };
        let text = |told: &Term| told.as_str().unwrap_or_default().to_owned();
        match result {
            [tag, value] if tag.is_atom("value") && shown => Ok(text(value)),
            [tag, value] if tag.is_atom("value") => Ok(self.written(value)),
            [tag, told] if tag.is_atom("wrong") => Err(OneshotError::Wrong(text(told))),
            [_, told] => Err(OneshotError::Failed(text(told))),
            _ => Err(OneshotError::Failed(format!("{peer} gave no answer to that: {answer}"))),
        }
    }

    fn written(&self, value: &Term) -> String {
        match (self.format, self.width) {
            (Format::Elixir, Some(width)) => Inspect::new(value).width(width).to_string(),
            (Format::Elixir, None) => Inspect::new(value).to_string(),
            (Format::Erlang, _) => Erlang::new(value).to_string(),
            (Format::Json, _) => json(value),
        }
    }
}

/// A term as JSON: atoms and binaries as strings, `nil` as null, keyword lists and maps as objects, tuples as arrays.
pub fn json(value: &Term) -> String {
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

/// The script itself may have come from stdin: there is nothing to read.
impl Device for Stdout {
    fn print(&self, text: &str) {
        // A reader that has seen enough is no error.
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
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
