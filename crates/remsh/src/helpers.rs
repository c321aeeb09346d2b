//! The prompt's own functions, IEx's helpers as far as they fit.

use beamline_elixir::{Call, Exception};
use beamline_proto::{Creation, NodeName};
use beamline_term::{Atom, Inspect, Origin, Pid, Port, Reference, Term, atom};

use crate::calls::Calls;

/// Name, number of arguments, what it does.
pub(crate) const HELPERS: [(&str, &[usize], &str); 14] = [
    ("h", &[0, 1], "this help, or what is known of a module or function: h Enum, h Enum.map"),
    ("v", &[0, 1], "the last value, that of a line v(3), or so many back v(-2)"),
    ("i", &[0, 1], "what a value is; without one, the last"),
    ("exports", &[1], "the functions of a module: exports(AppA)"),
    ("flush", &[0], "what self() was sent"),
    ("process_info", &[1], "what the node tells of a process"),
    ("pid", &[1, 3], "a pid of the node: pid(\"0.12.0\"), pid(0, 12, 0)"),
    ("port", &[1, 2], "a port of the node: port(\"0.8\"), port(0, 8)"),
    ("ref", &[1, 4], "a reference of the node: ref(\"0.1.2.3\"), ref(0, 1, 2, 3)"),
    ("t", &[1], "the types of a module"),
    ("runtime_info", &[0], "what the node runs on"),
    ("clear", &[0], "an empty screen"),
    ("respawn", &[0], "a fresh session: no variables, no values"),
    ("nl", &[1], "only a BEAM loads code"),
];

/// What IEx has and a prompt of ours cannot have, and why.
pub(crate) const ABSENT: [(&[&str], &str); 5] = [
    (&["b"], "only a BEAM knows the callbacks of a behaviour"),
    (&["open"], "nothing here knows where the source of a module is"),
    (&["c", "l", "r", "recompile", "import_file"], "nothing is compiled or loaded here"),
    (&["break!", "breaks", "continue", "next", "whereami", "s"], "only a BEAM stops at a line"),
    (&["cd", "ls", "pwd"], "expressions see no files, neither here nor on the node"),
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
    let absent: Vec<&str> = ABSENT.iter().flat_map(|(names, ..)| names.iter().copied()).collect();
    text.push_str(&format!("\nWhat only a BEAM has: {}.\n", absent.join(", ")));
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
            ("flush", []) => Ok(Helped::Text(self.flush())),
            ("process_info", [pid @ Term::Pid(_)]) => {
                let call =
                    Call { module: Some(atom("Elixir.Process")), function: atom("info"), arguments: vec![pid.clone()] };
                self.call(call).await.map(Helped::Value)
            }
            ("t", [Term::Atom(module)]) => {
                Ok(Helped::Text(format!("No type information for {} was found\n", shown(module))))
            }
            ("nl", [module]) => Ok(Helped::Value((atom("error"), atom("nofile"), module.clone()).into())),
            ("pid" | "port" | "ref", _) => self.identifier(name, arguments).await.map(Helped::Value),
            ("runtime_info", []) => self.runtime_info().await.map(Helped::Text),
            _ => Err(Exception::error("ArgumentError", format!("{name} does not take these arguments; see h()"))),
        }
    }

    fn flush(&self) -> String {
        let (messages, lost) = self.letters().take();
        let mut text: String =
            messages.iter().map(|message| format!("{}\n", Inspect::new(message).width(80))).collect();
        if lost > 0 {
            text.push_str(&format!("and {lost} more, for which there was no room\n"));
        }
        text
    }

    /// `pid("0.12.0")`, `port(0, 8)`, `ref("0.1.2.3")`: of the target as it runs now.
    async fn identifier(&self, name: &str, arguments: &[Term]) -> Result<Term, Exception> {
        let written = match arguments {
            [text] => text.as_str().unwrap_or_default().to_owned(),
            numbers => numbers.iter().map(Term::to_string).collect::<Vec<_>>().join("."),
        };
        let inner = written.trim_start_matches(|next: char| next != '<' && !next.is_ascii_digit());
        let inner = inner.trim_start_matches('<').trim_end_matches('>');
        let asked = vec![atom("creation").into()];
        let creation = self.at(None, (atom("erlang"), atom("system_info")), asked, Some(QUICK)).await;
        let creation = creation.ok().and_then(|creation| u32::try_from(creation.as_u64()?).ok()).unwrap_or(0);
        let origin = Origin::new(self.target().to_atom(), Creation::new(creation));
        let made = match name {
            "pid" => Pid::parse_local(&format!("#PID<{inner}>"), &origin).map(Term::from),
            "port" => Port::parse_local(&format!("#Port<{inner}>"), &origin).map(Term::from),
            _ => Reference::parse_local(&format!("#Reference<{inner}>"), &origin).map(Term::from),
        };
        made.map_err(|error| Exception::error("ArgumentError", error.to_string()))
    }

    /// What the target exports of a module, sorted.
    pub async fn exports(&self, module: &Atom) -> Vec<(String, usize)> {
        self.exports_of(None, module).await
    }

    /// What a node, or the target, exports of a module, sorted.
    pub(crate) async fn exports_of(&self, node: Option<&NodeName>, module: &Atom) -> Vec<(String, usize)> {
        let asked = vec![module.clone().into(), atom("exports").into()];
        let answer = self.at(node, (atom("erlang"), atom("get_module_info")), asked, Some(QUICK)).await;
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
}

/// For what somebody waits with a finger on a key.
pub(crate) const QUICK: std::time::Duration = std::time::Duration::from_secs(2);

fn shown(module: &Atom) -> String {
    Term::from(module.clone()).to_string()
}

/// Functions in columns of 80 characters.
pub(crate) fn columns(names: &[(String, usize)]) -> String {
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
