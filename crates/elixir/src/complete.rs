//! Completion: what could stand at the cursor.
//!
//! [`cursor`] tells what kind of word is being typed, so that a host can ask its node for what it needs; [`Session::complete`]
//! then lists what fits of that and of what is known here.

use std::collections::BTreeSet;

use crate::eval::Session;
use crate::exception::function_name;
use crate::highlight::{Highlight, highlight};
use crate::library;
use crate::value::Value;

/// What kind of word stands before the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A variable, or a function without a module.
    Local {
        /// What is typed of it.
        prefix: String,
    },
    /// A module of Elixir, without `Elixir.`.
    Module {
        /// What is typed of it, dots included.
        prefix: String,
    },
    /// A function of a module.
    Function {
        /// The atom of the module: `Elixir.Enum`, `lists`.
        module: String,
        /// What is typed of its name.
        prefix: String,
    },
    /// An atom, be it a module of Erlang or the name of a node.
    Atom {
        /// What is typed of it, without colon and quote.
        prefix: String,
    },
    /// A field of a map in a variable, or a function if there is a module in it.
    Field {
        /// The variable.
        variable: String,
        /// What is typed of the field.
        prefix: String,
    },
    /// Nothing can be completed: a number, the inside of a string, a comment.
    Nothing,
}

/// What stands before the cursor, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What kind of word it is.
    pub place: Place,
    /// Where the word begins, in bytes. A candidate stands for everything from here to the cursor.
    pub start: usize,
}

/// What the host knows of its node. What is known here has not to be in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The atoms of modules: `Elixir.AppB`, `lists`.
    pub modules: Vec<String>,
    /// The functions of the module that [`Place::Function`] names, with how many arguments they take.
    pub functions: Vec<(String, usize)>,
    /// The names of nodes.
    pub nodes: Vec<String>,
}

/// What could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What replaces the text from [`Cursor::start`] on.
    pub text: String,
    /// What a list of candidates shows: a function with its arity, a module without those around it.
    pub shown: String,
    /// What it is.
    pub kind: CandidateKind,
}

/// What a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CandidateKind {
    /// A variable.
    Variable,
    /// A field of a map.
    Field,
    /// A module.
    Module,
    /// A function.
    Function,
    /// An atom.
    Atom,
    /// The name of a node.
    Node,
    /// A word of the language.
    Word,
}

/// Words that are neither functions nor variables.
const WORDS: [&str; 20] = [
    "after", "and", "case", "cond", "do", "else", "end", "false", "fn", "for", "if", "in", "nil", "not", "or", "raise",
    "true", "unless", "when", "with",
];

/// What stands before the cursor; `before` is the text up to it.
///
/// ```
/// use beamline_elixir::complete::{Place, cursor};
/// let cursor = cursor("nodes |> Enum.ma");
/// assert_eq!(cursor.place, Place::Function { module: "Elixir.Enum".into(), prefix: "ma".into() });
/// assert_eq!(cursor.start, 9);
/// ```
pub fn cursor(before: &str) -> Cursor {
    if let Some((start, prefix)) = open_quoted_atom(before) {
        return Cursor { place: Place::Atom { prefix: prefix.to_owned() }, start };
    }
    let end = before.len();
    let inside = highlight(before).into_iter().rev().find(|(span, _)| span.end >= end && !span.is_empty());
    if let Some((_, Highlight::String | Highlight::Comment | Highlight::Number)) = inside {
        return Cursor { place: Place::Nothing, start: end };
    }
    let is_part = |next: char| {
        next == '_' || next == '@' || next == ':' || next == '.' || next.is_alphanumeric() || "?!".contains(next)
    };
    let start = before.char_indices().rev().take_while(|(_, next)| is_part(*next)).last().map_or(end, |(at, _)| at);
    // What stands before a range or a type is another word.
    let word = &before[start..];
    let cut = ["..", "::"].iter().filter_map(|mark| word.rfind(mark).map(|at| at + mark.len())).max().unwrap_or(0);
    let start = start + cut;
    Cursor { place: place(&before[start..]), start }
}

/// `:"app_a@`, whose quote is still open.
fn open_quoted_atom(before: &str) -> Option<(usize, &str)> {
    let at = before.rfind(":\"")?;
    let inner = &before[at + 2..];
    let quotes = before[..at].matches('"').count();
    (!inner.contains('"') && quotes.is_multiple_of(2)).then_some((at, inner))
}

fn place(word: &str) -> Place {
    if let Some(atom) = word.strip_prefix(':') {
        return match atom.rsplit_once('.') {
            Some((module, prefix)) => Place::Function { module: module.to_owned(), prefix: prefix.to_owned() },
            None => Place::Atom { prefix: atom.to_owned() },
        };
    }
    let capital = |text: &str| text.starts_with(|first: char| first.is_ascii_uppercase());
    match word.rsplit_once('.') {
        Some((left, prefix)) if capital(left) && !capital(prefix) => {
            Place::Function { module: format!("Elixir.{left}"), prefix: prefix.to_owned() }
        }
        None | Some(_) if capital(word) => Place::Module { prefix: word.to_owned() },
        Some((left, prefix)) if !left.is_empty() && !left.contains('.') => {
            Place::Field { variable: left.to_owned(), prefix: prefix.to_owned() }
        }
        None => Place::Local { prefix: word.to_owned() },
        Some(_) => Place::Nothing,
    }
}

impl Session {
    /// What could stand at the cursor, sorted by its text, a function once for each number of
    /// arguments that it takes. `before` is the text up to the cursor.
    ///
    /// ```
    /// use beamline_elixir::{Session, complete::Known};
    /// use beamline_term::term;
    ///
    /// let mut session = Session::new();
    /// session.bind("node_count", &term!(3)).unwrap();
    /// let texts = |before: &str, known: &Known| -> Vec<String> {
    ///     session.complete(before, known).into_iter().map(|candidate| candidate.text).collect()
    /// };
    /// assert_eq!(texts("1 + node_", &Known::default()), ["node_count"]);
    /// assert_eq!(texts("Enum.map_r", &Known::default()), ["Enum.map_reduce"]);
    ///
    /// let known = Known { nodes: vec!["app_b@127.0.0.1".into()], ..Known::default() };
    /// assert_eq!(texts("Node.ping(:app", &known), [r#":"app_b@127.0.0.1""#]);
    /// ```
    pub fn complete(&self, before: &str, known: &Known) -> Vec<Candidate> {
        let mut found = BTreeSet::new();
        match cursor(before).place {
            Place::Local { prefix } => self.locals(&prefix, &mut found),
            Place::Module { prefix } => modules(&prefix, known, &mut found),
            Place::Function { module, prefix } => {
                functions(&module, &prefix, known, &mut found);
                if let Some(alias) = module.strip_prefix("Elixir.")
                    && prefix.is_empty()
                {
                    modules(&format!("{alias}."), known, &mut found);
                }
            }
            Place::Atom { prefix } => atoms(&prefix, known, &mut found),
            Place::Field { variable, prefix } => self.fields(&variable, &prefix, known, &mut found),
            Place::Nothing => {}
        }
        found.into_iter().collect()
    }

    fn locals(&self, prefix: &str, found: &mut BTreeSet<Candidate>) {
        let variables = self.bindings().map(|(name, _)| (name.to_owned(), name.to_owned(), CandidateKind::Variable));
        let ours = library::all().filter(|native| native.module == "Kernel").flat_map(|native| {
            (native.least..=native.most)
                .map(|arity| (native.name.to_owned(), format!("{}/{arity}", native.name), CandidateKind::Function))
        });
        let offered =
            self.offered().map(|(name, arity)| (name.to_owned(), format!("{name}/{arity}"), CandidateKind::Function));
        let words = WORDS.iter().map(|word| ((*word).to_owned(), (*word).to_owned(), CandidateKind::Word));
        for (text, shown, kind) in variables.chain(ours).chain(offered).chain(words) {
            // Operators are no words.
            if text.starts_with(prefix) && text.starts_with(|first: char| first == '_' || first.is_alphabetic()) {
                found.insert(Candidate { text, shown, kind });
            }
        }
    }

    fn fields(&self, variable: &str, prefix: &str, known: &Known, found: &mut BTreeSet<Candidate>) {
        let Some(value) = self.get(variable) else {
            return;
        };
        if let Some(map) = value.as_map() {
            let keys = map.pairs().iter().filter_map(|(key, _)| key.as_atom());
            for key in
                keys.filter(|key| key.as_str().starts_with(prefix) && function_name(key.as_str()) == key.as_str())
            {
                let text = format!("{variable}.{key}");
                found.insert(Candidate { text, shown: key.to_string(), kind: CandidateKind::Field });
            }
        } else if let Some(module) = value.as_atom() {
            let mut own = BTreeSet::new();
            functions(module.as_str(), prefix, known, &mut own);
            found.extend(own.into_iter().map(|mut candidate| {
                let name = candidate.shown.split('/').next().unwrap_or_default();
                candidate.text = format!("{variable}.{name}");
                candidate
            }));
        }
    }
}

/// Modules up to the next dot behind what is typed.
fn modules(prefix: &str, known: &Known, found: &mut BTreeSet<Candidate>) {
    let theirs = known.modules.iter().filter_map(|module| module.strip_prefix("Elixir."));
    let ours = library::all().map(|native| native.module);
    for module in theirs.chain(ours).filter(|module| module.starts_with(prefix) && module.len() > prefix.len()) {
        let end = module[prefix.len()..].find('.').map_or(module.len(), |at| prefix.len() + at);
        let text = module[..end].to_owned();
        let shown = text.rsplit('.').next().unwrap_or_default().to_owned();
        found.insert(Candidate { text, shown, kind: CandidateKind::Module });
    }
}

fn functions(module: &str, prefix: &str, known: &Known, found: &mut BTreeSet<Candidate>) {
    let alias = module.strip_prefix("Elixir.");
    let left = alias.map_or_else(
        || Value::atom(beamline_term::Atom::new(module).unwrap_or(beamline_term::atom("nil"))).to_string(),
        str::to_owned,
    );
    let ours = library::all().filter(|native| alias == Some(native.module) || (module == "erlang" && native.erlang));
    let ours = ours.flat_map(|native| (native.least..=native.most).map(|arity| (native.name.to_owned(), arity)));
    for (name, arity) in ours.chain(known.functions.iter().cloned()).filter(|(name, _)| name.starts_with(prefix)) {
        let text = format!("{left}.{}", function_name(&name));
        found.insert(Candidate { text, shown: format!("{name}/{arity}"), kind: CandidateKind::Function });
    }
}

fn atoms(prefix: &str, known: &Known, found: &mut BTreeSet<Candidate>) {
    let erlang = known.modules.iter().filter(|module| !module.starts_with("Elixir."));
    let erlang = erlang.map(|module| (module.as_str(), CandidateKind::Module));
    let nodes = known.nodes.iter().map(|node| (node.as_str(), CandidateKind::Node));
    let own = ["ok", "error", "infinity", "undefined", "erlang"].into_iter().map(|atom| (atom, CandidateKind::Atom));
    for (atom, kind) in erlang.chain(nodes).chain(own).filter(|(atom, _)| atom.starts_with(prefix)) {
        if let Ok(own) = beamline_term::Atom::new(atom) {
            let text = Value::atom(own).to_string();
            found.insert(Candidate { text, shown: atom.to_owned(), kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(before: &str, known: &Known) -> Vec<String> {
        let mut session = Session::new();
        session.bind("state", &beamline_term::term!(%{peers: [], name: "a", "x" => 1})).expect("small");
        session.bind("server", &beamline_term::term!(Elixir.AppB)).expect("small");
        let mut texts: Vec<String> = session.complete(before, known).into_iter().map(|found| found.text).collect();
        texts.dedup();
        texts
    }

    fn known() -> Known {
        Known {
            modules: ["Elixir.AppB", "Elixir.AppB.Worker", "Elixir.AppB.Worker.State", "lists", "logger"]
                .map(Into::into)
                .into(),
            functions: vec![("hello".into(), 0), ("hello".into(), 1), ("halt now".into(), 0)],
            nodes: vec!["app_a@127.0.0.1".into(), "app_b@127.0.0.1".into()],
        }
    }

    #[test]
    fn each_kind_of_word_is_told() {
        let place = |before: &str| cursor(before).place;
        let function = |module: &str, prefix: &str| Place::Function { module: module.into(), prefix: prefix.into() };
        assert_eq!(place("x = no"), Place::Local { prefix: "no".into() });
        assert_eq!(place(""), Place::Local { prefix: String::new() });
        assert_eq!(place("[En"), Place::Module { prefix: "En".into() });
        assert_eq!(place("App.Wo"), Place::Module { prefix: "App.Wo".into() });
        assert_eq!(place("&Enum.ma"), function("Elixir.Enum", "ma"));
        assert_eq!(place("App.B.f"), function("Elixir.App.B", "f"));
        assert_eq!(place(":lists.ma"), function("lists", "ma"));
        assert_eq!(place("f(:o"), Place::Atom { prefix: "o".into() });
        assert_eq!(place("f(:\"app"), Place::Atom { prefix: "app".into() });
        assert_eq!(place("1..le"), Place::Local { prefix: "le".into() });
        assert_eq!(place("<<x::bi"), Place::Local { prefix: "bi".into() });
        assert_eq!(place("s.pe"), Place::Field { variable: "s".into(), prefix: "pe".into() });
        assert_eq!(place("\"some te"), Place::Nothing);
        assert_eq!(place("1 # no"), Place::Nothing);
        assert_eq!(place("12"), Place::Nothing);
        assert_eq!(place("\"#{En"), Place::Module { prefix: "En".into() });
    }

    #[test]
    fn candidates_come_from_here_and_from_the_host() {
        assert_eq!(texts("App", &known()), ["AppB"]);
        assert_eq!(texts("AppB.W", &known()), ["AppB.Worker"]);
        assert_eq!(texts("AppB.", &known()), ["AppB.\"halt now\"", "AppB.Worker", "AppB.hello"]);
        assert_eq!(texts("server.he", &known()), ["server.hello"]);
        assert_eq!(texts("state.", &known()), ["state.name", "state.peers"]);
        assert_eq!(texts("Node.ping(:\"app_a", &known()), [":\"app_a@127.0.0.1\""]);
        assert_eq!(texts(":l", &known()), [":lists", ":logger"]);
        assert_eq!(texts("un", &known()), ["unless"]);
        assert_eq!(texts("String.upc", &Known::default()), ["String.upcase"]);
        assert!(texts("\"un", &known()).is_empty());
    }
}
