//! What is asked of a group leader, read from its terms.

use beamline_term::{Atom, Term, atom};

/// A request that is known.
pub(super) enum Request {
    Print {
        characters: Characters,
        is_latin1: bool,
    },
    Read {
        what: What,
        prompt: String,
        is_latin1: bool,
    },
    /// One after the other, up to the first that fails.
    Several(Vec<Term>),
    Columns,
    Rows,
    Options,
    SetOptions {
        as_binaries: Option<bool>,
    },
}

/// What is to be printed.
pub(super) enum Characters {
    Told(Term),
    /// What a function of the node that asks makes of the arguments.
    Made {
        module: Atom,
        function: Atom,
        arguments: Vec<Term>,
    },
}

/// What is to be read.
pub(super) enum What {
    Line,
    Characters(usize),
    /// As much as a function of the node that asks wants, such as a term: it is given line after line until it has enough.
    Until {
        module: Atom,
        function: Atom,
        arguments: Vec<Term>,
    },
}

impl Request {
    pub(super) fn read(request: &Term) -> Option<Request> {
        if request.is_atom("getopts") {
            return Some(Request::Options);
        }
        let [Term::Atom(tag), rest @ ..] = request.as_tuple()? else { return None };
        let (is_latin1, arguments) = match rest {
            [encoding, arguments @ ..] if encoding.is_atom("unicode") => (false, arguments),
            [encoding, arguments @ ..] if encoding.is_atom("latin1") => (true, arguments),
            // The forms without an encoding are those of old.
            _ => (true, rest),
        };
        let reads = |what, prompt| {
            let prompt = text(prompt, false).unwrap_or_default();
            Some(Request::Read { what, prompt, is_latin1 })
        };
        match (tag.as_str(), arguments) {
            ("put_chars", [characters]) => {
                Some(Request::Print { characters: Characters::Told(characters.clone()), is_latin1 })
            }
            ("put_chars", [Term::Atom(module), Term::Atom(function), arguments]) => {
                let (module, function, arguments) = (module.clone(), function.clone(), listed(arguments));
                Some(Request::Print { characters: Characters::Made { module, function, arguments }, is_latin1 })
            }
            ("get_line", [prompt]) => reads(What::Line, prompt),
            ("get_chars", [prompt, count]) => reads(What::Characters(usize::try_from(count.as_u64()?).ok()?), prompt),
            ("get_until", [prompt, Term::Atom(module), Term::Atom(function), arguments]) => {
                let (module, function, arguments) = (module.clone(), function.clone(), listed(arguments));
                reads(What::Until { module, function, arguments }, prompt)
            }
            ("requests", [list]) => Some(Request::Several(listed(list))),
            ("get_geometry", [what]) if what.is_atom("columns") => Some(Request::Columns),
            ("get_geometry", [what]) if what.is_atom("rows") => Some(Request::Rows),
            ("setopts", [options]) => {
                let as_binaries = |option: &Term| match option.as_tuple() {
                    Some([name, is_set]) if name.is_atom("binary") => Some(is_set.is_atom("true")),
                    _ if option.is_atom("binary") => Some(true),
                    _ if option.is_atom("list") => Some(false),
                    _ => None,
                };
                Some(Request::SetOptions { as_binaries: listed(options).iter().filter_map(as_binaries).next_back() })
            }
            _ => None,
        }
    }
}

fn listed(list: &Term) -> Vec<Term> {
    list.as_list().map(|list| list.to_vec()).unwrap_or_default()
}

pub(super) fn refused(reason: &'static str) -> Term {
    (atom("error"), atom(reason)).into()
}

/// The text of chardata: a binary, or nested lists of characters and binaries.
pub(crate) fn text(characters: &Term, is_latin1: bool) -> Option<String> {
    let mut out = String::new();
    collect(characters, is_latin1, &mut out, 0)?;
    Some(out)
}

fn collect(characters: &Term, is_latin1: bool, out: &mut String, depth: usize) -> Option<()> {
    if depth > 100 {
        return None;
    }
    match characters {
        Term::Binary(bytes) if is_latin1 => out.extend(bytes.iter().map(|byte| char::from(*byte))),
        Term::Binary(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Term::Integer(code) => out.push(char::from_u32(u32::try_from(*code).ok()?)?),
        Term::List(list) => list.iter().try_for_each(|item| collect(&item, is_latin1, out, depth + 1))?,
        Term::ImproperList(list) => {
            list.elements().iter().try_for_each(|item| collect(item, is_latin1, out, depth + 1))?;
            collect(list.tail(), is_latin1, out, depth + 1)?;
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

    #[test]
    fn requests_of_old_have_no_encoding() {
        let told = |request: &Term| match Request::read(request) {
            Some(Request::Read { what: What::Line, prompt, is_latin1 }) => Some((prompt, is_latin1)),
            _ => None,
        };
        assert_eq!(told(&term!({:get_line, "who? "})), Some(("who? ".into(), true)));
        assert_eq!(told(&term!({:get_line, :unicode, "who? "})), Some(("who? ".into(), false)));
        assert_eq!(told(&term!({:get_line})), None);
    }

    #[test]
    fn options_say_as_what_texts_are_read() {
        let told = |request: &Term| match Request::read(request) {
            Some(Request::SetOptions { as_binaries }) => as_binaries,
            _ => None,
        };
        assert_eq!(told(&term!({:setopts, [{:binary, true}, {:encoding, :unicode}]})), Some(true));
        assert_eq!(told(&term!({:setopts, [:binary, :list]})), Some(false));
        assert_eq!(told(&term!({:setopts, [{:echo, false}]})), None);
    }
}
