//! Reading what nodes answer: property lists, texts, names of functions. Every text is cut to a length that a page can show.

use beamline_proto::NodeName;
use beamline_term::{Atom, Inspect, Pid, Term};

/// The longest text of a peer that is kept, in characters.
pub(crate) const TEXT: usize = 200;

/// A property list `[{key, value}, ..]`, as nodes tell of processes, ports and tables. The first of several values counts.
#[derive(Debug, Default)]
pub(crate) struct Props(Vec<(Atom, Term)>);

impl Props {
    /// `None` if the term is no list. What in it is no property is left out.
    pub(crate) fn of(term: &Term) -> Option<Props> {
        let list = term.as_list()?;
        Some(Props(list.iter().filter_map(|element| property(&element)).collect()))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Term> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.is_atom("true"))
    }

    /// A text, or any other value as it is printed; `None` for what Erlang calls nothing.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(present).map(text)
    }

    pub(crate) fn pid(&self, key: &str) -> Option<String> {
        self.get(key)?.as_pid().map(local)
    }

    /// The property list that is the value of a key.
    pub(crate) fn props(&self, key: &str) -> Props {
        self.get(key).and_then(Props::of).unwrap_or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Atom, &Term)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

fn property(term: &Term) -> Option<(Atom, Term)> {
    match term.as_tuple()? {
        [Term::Atom(key), value] => Some((key.clone(), value.clone())),
        _ => None,
    }
}

/// `None` for `undefined`, `nil`, `none`, `ignore` and the empty list.
pub(crate) fn present(term: &Term) -> Option<&Term> {
    let nothing = ["undefined", "nil", "none", "ignore"].iter().any(|nothing| term.is_atom(nothing));
    let empty = term.as_list().is_some_and(|list| list.is_empty());
    (!nothing && !empty).then_some(term)
}

/// A term as a page shows it: text as itself, atoms without their colon, pids as on their own node, all else as Elixir
/// prints it.
pub(crate) fn text(term: &Term) -> String {
    let whole = match term {
        Term::Atom(atom) => return module(atom),
        Term::Pid(pid) => return local(pid),
        _ => match (term.as_str(), term.as_list().and_then(|list| list.to_text())) {
            (Some(text), _) => text.to_owned(),
            (None, Some(text)) if is_printable(&text) => text,
            _ => Inspect::new(term).limit(16).printable_limit(TEXT).to_string(),
        },
    };
    cut(whole, TEXT)
}

/// Whether a list of numbers is meant as text.
fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| !character.is_control() || character.is_whitespace())
}

/// The text, or its beginning with an ellipsis. Control characters become spaces.
pub(crate) fn cut(text: String, most: usize) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].chars().map(clean).chain(['…']).collect(),
        None if text.contains(char::is_control) => text.chars().map(clean).collect(),
        None => text,
    }
}

/// The pid as its own node prints it: `<0.100.0>`.
pub(crate) fn local(pid: &Pid) -> String {
    format!("<0.{}.{}>", pid.id(), pid.serial())
}

/// The name of a module as its language writes it.
pub(crate) fn module(atom: &Atom) -> String {
    let name = atom.as_str();
    cut(name.strip_prefix("Elixir.").unwrap_or(name).to_owned(), TEXT)
}

/// `{Module, Function, Arity}` as its language writes it: `gen_server:loop/7`, `AppB.hello/0`.
pub(crate) fn function(term: &Term) -> Option<String> {
    match term.as_tuple()? {
        [Term::Atom(name), Term::Atom(function), arity, ..] => {
            let arity = arity.as_u64().or_else(|| Some(arity.as_list()?.len() as u64))?;
            let between = if name.as_str().starts_with("Elixir.") { '.' } else { ':' };
            Some(format!("{}{between}{}/{arity}", module(name), cut(function.as_str().to_owned(), TEXT)))
        }
        _ => None,
    }
}

/// At most so many names of nodes; what is no name is left out.
pub(crate) fn nodes(term: &Term, most: usize) -> Option<Vec<NodeName>> {
    let list = term.as_list()?;
    let names = list.iter().filter_map(|name| NodeName::from_atom(name.as_atom()?).ok());
    let mut names: Vec<NodeName> = names.take(most).collect();
    names.sort();
    Some(names)
}

/// `{127,0,0,1}` or an IPv6 address, as people write them.
pub(crate) fn address(term: &Term) -> Option<String> {
    let numbers: Vec<u64> = term.as_tuple()?.iter().map(Term::as_u64).collect::<Option<_>>()?;
    match numbers.as_slice() {
        [a, b, c, d] => Some(format!("{a}.{b}.{c}.{d}")),
        numbers if numbers.len() == 8 => {
            let parts: Vec<u16> = numbers.iter().map(|part| u16::try_from(*part)).collect::<Result<_, _>>().ok()?;
            let parts: [u16; 8] = parts.try_into().ok()?;
            Some(std::net::Ipv6Addr::from(parts).to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn properties() {
        let props = Props::of(&term!([{:name, "x"}, :junk, {:size, 3}, {:id, :ignore}, {:fixed, true}])).unwrap();
        assert_eq!((props.text("name").as_deref(), props.number("size")), (Some("x"), Some(3)));
        assert_eq!((props.text("id"), props.flag("fixed")), (None, true));
        assert!(Props::of(&term!(:undefined)).is_none());
    }

    #[test]
    fn texts_are_cut_and_have_no_control_characters() {
        assert_eq!(text(&Term::charlist("tcp_inet")), "tcp_inet");
        assert_eq!(text(&term!(:"Elixir.AppB")), "AppB");
        assert_eq!(text(&term!("a\n\u{1b}[31m")), "a  [31m");
        let long = text(&Term::binary("ä".repeat(5000).into_bytes()));
        assert_eq!(long.chars().count(), TEXT + 1);
    }

    #[test]
    fn functions_as_their_languages_write_them() {
        assert_eq!(function(&term!({:gen_server, :loop, 7})).as_deref(), Some("gen_server:loop/7"));
        assert_eq!(function(&term!({:"Elixir.AppB", :hello, 0})).as_deref(), Some("AppB.hello/0"));
        assert_eq!(function(&term!({:a, :b, [1, 2], []})).as_deref(), Some("a:b/2"));
        assert_eq!(function(&term!(:a)), None);
    }

    #[test]
    fn addresses() {
        assert_eq!(address(&term!({127, 0, 0, 1})).as_deref(), Some("127.0.0.1"));
        assert_eq!(address(&term!({0, 0, 0, 0, 0, 0, 0, 1})).as_deref(), Some("::1"));
        assert_eq!(address(&term!({1, 2})), None);
    }
}
