//! The prompt's own functions, IEx's helpers as far as they fit.

use beamline_elixir::Exception;
use beamline_proto::Creation;
use beamline_term::{Atom, Pid, Term, atom};

use crate::calls::Calls;

/// Name, number of arguments, what it does.
pub(crate) const HELPERS: [(&str, &[usize], &str); 10] = [
    ("h", &[0, 1], "this help, or what is known of a module or function: h Enum, h Enum.map"),
    ("v", &[0, 1], "the last value, that of a line v(3), or so many back v(-2)"),
    ("i", &[1], "what a value is"),
    ("exports", &[1], "the functions of a module: exports(AppA)"),
    ("pid", &[1, 3], "a pid of the node: pid(\"0.12.0\"), pid(0, 12, 0)"),
    ("t", &[1], "the types of a module"),
    ("runtime_info", &[0], "what the node runs on"),
    ("clear", &[0], "an empty screen"),
    ("respawn", &[0], "a fresh session: no variables, no values"),
    ("nl", &[1], "only a BEAM loads code"),
];

/// What a helper has for its prompt: a text to print, or a value.
pub(crate) enum Helped {
    Text(String),
    Value(Term),
}

/// The help of `h`.
pub(crate) fn help() -> String {
    let mut text =
        String::from("Elixir expressions run here; functions that are not known here are called on the node.\n\n");
    for (name, arities, what) in HELPERS {
        let arities: Vec<String> = arities.iter().map(|arity| format!("{name}/{arity}")).collect();
        text.push_str(&format!("  {:<16} {what}\n", arities.join(", ")));
    }
    text.push_str("\nCtrl-C gives up a line or what runs; Ctrl-D leaves, and the node lives on. #iex:break gives up an open text.\n");
    text
}

impl Calls {
    /// Runs a helper that needs nothing of the session.
    pub(crate) async fn help(&self, name: &str, arguments: &[Term]) -> Result<Helped, Exception> {
        match (name, arguments) {
            ("i", [value]) => Ok(Helped::Text(describe(value))),
            ("exports", [Term::Atom(module)]) => {
                let names = self.exports(module).await;
                Ok(Helped::Text(if names.is_empty() {
                    format!("{} has no functions here\n", shown(module))
                } else {
                    columns(&names)
                }))
            }
            ("t", [Term::Atom(module)]) => {
                Ok(Helped::Text(format!("No type information for {} was found\n", shown(module))))
            }
            ("nl", [module]) => Ok(Helped::Value((atom("error"), atom("nofile"), module.clone()).into())),
            ("pid", [Term::Integer(_), Term::Integer(id), Term::Integer(serial)]) => {
                self.pid(u32::try_from(*id).ok(), u32::try_from(*serial).ok()).await.map(Helped::Value)
            }
            ("pid", [text]) => {
                let numbers: Vec<Option<u32>> = text
                    .as_str()
                    .unwrap_or_default()
                    .trim_matches(['<', '>'])
                    .split('.')
                    .map(|part| part.parse().ok())
                    .collect();
                match numbers.as_slice() {
                    [_, id, serial] => self.pid(*id, *serial).await.map(Helped::Value),
                    _ => self.pid(None, None).await.map(Helped::Value),
                }
            }
            ("runtime_info", []) => self.runtime_info().await.map(Helped::Text),
            _ => Err(Exception::error("ArgumentError", format!("{name} does not take these arguments; see h()"))),
        }
    }

    async fn pid(&self, id: Option<u32>, serial: Option<u32>) -> Result<Term, Exception> {
        let (Some(id), Some(serial)) = (id, serial) else {
            return Err(Exception::error("ArgumentError", "a pid is written pid(\"0.12.0\") or pid(0, 12, 0)"));
        };
        let asked = vec![atom("creation").into()];
        let creation = self.at(None, (atom("erlang"), atom("system_info")), asked, Some(QUICK)).await;
        let creation = creation.ok().and_then(|creation| u32::try_from(creation.as_u64()?).ok()).unwrap_or(0);
        let creation = Creation::new(creation);
        Ok(Pid::new(self.target().to_atom(), id, serial, creation).into())
    }

    /// What the target exports of a module, with what the language itself has of it, sorted.
    pub async fn exports(&self, module: &Atom) -> Vec<(String, usize)> {
        let asked = vec![module.clone().into(), atom("exports").into()];
        let answer = self.at(None, (atom("erlang"), atom("get_module_info")), asked, Some(QUICK)).await;
        let listed = answer.ok().and_then(|answer| Some(answer.as_list()?.to_vec())).unwrap_or_default();
        let named = listed.iter().filter_map(|entry| match entry.as_tuple() {
            Some([Term::Atom(name), arity]) => Some((name.as_str().to_owned(), usize::try_from(arity.as_u64()?).ok()?)),
            _ => None,
        });
        let mut names: Vec<_> = named.collect();
        names.sort();
        names.dedup();
        names
    }

    /// The modules that the target has loaded.
    pub async fn modules(&self) -> Vec<String> {
        let answer = self.at(None, (atom("code"), atom("all_loaded")), Vec::new(), Some(QUICK)).await;
        let listed = answer.ok().and_then(|answer| Some(answer.as_list()?.to_vec())).unwrap_or_default();
        let named = listed.iter().filter_map(|entry| match entry.as_tuple() {
            Some([Term::Atom(name), _]) => Some(name.as_str().to_owned()),
            _ => None,
        });
        named.collect()
    }

    /// The nodes that the target sees, and itself.
    pub async fn nodes(&self) -> Vec<String> {
        let answer = self.at(None, (atom("erlang"), atom("nodes")), Vec::new(), Some(QUICK)).await;
        let listed = answer.ok().and_then(|answer| Some(answer.as_list()?.to_vec())).unwrap_or_default();
        let others = listed.iter().filter_map(|name| Some(name.as_atom()?.as_str().to_owned()));
        others.chain([self.target().to_string()]).collect()
    }

    async fn runtime_info(&self) -> Result<String, Exception> {
        let mut text = String::new();
        for item in ["system_version", "otp_release", "system_architecture", "schedulers_online", "process_count"] {
            let asked = vec![Atom::from_static(item).into()];
            let value = self.at(None, (atom("erlang"), atom("system_info")), asked, Some(QUICK)).await;
            let value = value.map_err(|error| Exception::error("RuntimeError", error.to_string()))?;
            let value = value.as_list().and_then(|list| list.to_text()).unwrap_or_else(|| value.to_string());
            text.push_str(&format!("{:<22}{}\n", item.replace('_', " "), value.trim()));
        }
        Ok(text)
    }

    /// What `h` tells of a topic: a module, or a function of one.
    pub(crate) async fn topic(&self, topic: &str) -> String {
        let topic = topic.trim().trim_start_matches('&');
        let (topic, _) = topic.split_once('/').unwrap_or((topic, ""));
        let topic = topic.trim_end_matches("()");
        let is_alias = |text: &str| {
            text.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_uppercase()))
        };
        let (module, function) = match topic.strip_prefix(':') {
            Some(rest) => rest.split_once('.').map_or((rest, None), |(module, function)| (module, Some(function))),
            None if is_alias(topic) => (topic, None),
            None => match topic.rsplit_once('.') {
                Some((module, function)) => (module, Some(function)),
                None => ("Kernel", Some(topic)),
            },
        };
        if let (Some(name), "Kernel") = (function, module)
            && let Some((name, arities, what)) = HELPERS.iter().find(|helper| helper.0 == name)
        {
            let arities: Vec<String> = arities.iter().map(|arity| format!("{name}/{arity}")).collect();
            return format!("* {}: {what}\n", arities.join(", "));
        }
        let name = if topic.starts_with(':') { module.to_owned() } else { format!("Elixir.{module}") };
        let own: Vec<(String, usize)> = beamline_elixir::functions()
            .into_iter()
            .filter(|(of, ..)| *of == module && (module != "erlang" || topic.starts_with(':')))
            .map(|(_, name, arity)| (name.to_owned(), arity))
            .collect();
        let theirs = match Atom::new(&name) {
            Ok(module) => self.exports(&module).await,
            Err(_) => Vec::new(),
        };
        let wanted = |name: &str| function.is_none_or(|function| function == name);
        let mut text = String::new();
        let own: Vec<_> = own.into_iter().filter(|(name, _)| wanted(name)).collect();
        let theirs: Vec<_> = theirs.into_iter().filter(|entry| wanted(&entry.0) && !own.contains(entry)).collect();
        if !own.is_empty() {
            text.push_str(&format!("{topic}: evaluated here, as Elixir's\n{}", columns(&own)));
        }
        if !theirs.is_empty() {
            text.push_str(&format!("{topic}: exported by {}\n{}", self.target(), columns(&theirs)));
        }
        if text.is_empty() {
            text = format!("Nothing is known of {topic}: neither here nor on {}\n", self.target());
        }
        text
    }
}

/// For what somebody waits with a finger on a key.
const QUICK: std::time::Duration = std::time::Duration::from_secs(2);

fn shown(module: &Atom) -> String {
    Term::from(module.clone()).to_string()
}

/// Functions in columns of 80 characters.
fn columns(names: &[(String, usize)]) -> String {
    let names: Vec<String> = names.iter().map(|(name, arity)| format!("{name}/{arity}")).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) + 2;
    let per_line = (80 / width.max(1)).max(1);
    let mut text = String::new();
    for line in names.chunks(per_line) {
        let line: String = line.iter().map(|name| format!("{name:<width$}")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What `i` prints.
fn describe(value: &Term) -> String {
    let kind = match value {
        Term::Integer(_) | Term::BigInteger(_) => "Integer",
        Term::Float(_) => "Float",
        Term::Atom(_) => "Atom",
        Term::Binary(_) | Term::BitString(_) => "BitString",
        Term::Tuple(_) => "Tuple",
        Term::List(_) | Term::ImproperList(_) => "List",
        Term::Map(map) if map.struct_name().is_some() => "Struct",
        Term::Map(_) => "Map",
        Term::Pid(_) => "PID",
        Term::Port(_) => "Port",
        Term::Reference(_) => "Reference",
        Term::Export(_) => "Function",
        _ => "Term",
    };
    let mut text = format!("Term\n  {value}\nData type\n  {kind}\n");
    let mut say = |what: &str, value: String| text.push_str(&format!("{what}\n  {value}\n"));
    match value {
        Term::Binary(bytes) => {
            say("Byte size", bytes.len().to_string());
            if let Some(string) = value.as_str() {
                say("Length", string.chars().count().to_string());
            }
        }
        Term::List(list) => say("Length", list.len().to_string()),
        Term::Tuple(items) => say("Size", items.len().to_string()),
        Term::Map(map) => say("Size", map.len().to_string()),
        Term::Pid(pid) => say("Node", pid.node().to_string()),
        Term::Reference(reference) => say("Node", reference.node().to_string()),
        _ => {}
    }
    text
}
