//! Calls that read where the expressions are printed, which are not the node's business.

use beamline_elixir::Call;
use beamline_term::{Term, atom};

use crate::io_client::Line;
use crate::prompt::Output;

/// What a call reads where the expressions are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Line,
    Characters(usize),
    All,
}

/// What is wanted by a call of `IO.gets`, `IO.read` and their like, and its prompt.
pub(crate) fn asked(call: &Call) -> Option<(Wanted, String)> {
    let here = |device: &&Term| device.is_atom("stdio") || device.is_atom("standard_io");
    let (module, function) = (call.module.as_ref()?.as_str(), call.function.as_str());
    let arguments = call.arguments.as_slice();
    let arguments = match arguments {
        // Of two, the first of `IO.getn` may be its prompt.
        [device, rest @ ..] if Some(device).filter(here).is_some() => rest,
        _ => arguments,
    };
    let count = |count: &Term| Some(Wanted::Characters(usize::try_from(count.as_u64()?).ok()?));
    let (wanted, prompt) = match (module, function, arguments) {
        ("Elixir.IO", "gets", [prompt]) | ("io", "get_line", [prompt]) => (Wanted::Line, prompt),
        ("Elixir.IO", "getn", [prompt]) => (Wanted::Characters(1), prompt),
        ("Elixir.IO", "getn", [prompt, number]) | ("io", "get_chars", [prompt, number]) => (count(number)?, prompt),
        ("Elixir.IO", "read", [what]) if what.is_atom("line") => return Some((Wanted::Line, String::new())),
        ("Elixir.IO", "read", [what]) if what.is_atom("eof") || what.is_atom("all") => {
            return Some((Wanted::All, String::new()));
        }
        ("Elixir.IO", "read", [number]) => return Some((count(number)?, String::new())),
        _ => return None,
    };
    let prompt = match prompt {
        Term::Atom(name) => name.as_str().to_owned(),
        Term::List(list) => list.to_text().unwrap_or_else(|| prompt.to_string()),
        _ => prompt.as_str().map_or_else(|| prompt.to_string(), str::to_owned),
    };
    Some((wanted, prompt))
}

/// Reads by lines. Who wants less leaves the rest of a line in `unread`, for the next of the same text that reads.
pub(crate) async fn read(output: &mut impl Output, unread: &mut String, wanted: Wanted, prompt: &str) -> Term {
    let mut taken = String::new();
    let mut left = match wanted {
        Wanted::Characters(count) => count,
        _ => usize::MAX,
    };
    loop {
        let line = unread.find('\n').filter(|_| wanted == Wanted::Line).map(|end| end + 1);
        let end = line.or_else(|| Some(unread.char_indices().nth(left)?.0)).unwrap_or(unread.len());
        let part: String = unread.drain(..end).collect();
        left -= part.chars().count();
        taken.push_str(&part);
        if left == 0 || line.is_some() {
            return taken.into();
        }
        match output.read_line(prompt).await {
            Line::Text(text) => unread.push_str(&text),
            Line::Interrupted => return (atom("error"), atom("interrupted")).into(),
            Line::End if taken.is_empty() => return Term::atom("eof"),
            Line::End => return taken.into(),
            Line::Refused => return (atom("error"), atom("enotsup")).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its lines one by one, and keeps the prompts.
    struct Lines(Vec<&'static str>, Vec<String>);

    impl Output for Lines {
        async fn write(&mut self, _text: &[u8]) {}

        async fn read_line(&mut self, prompt: &str) -> Line {
            self.1.push(prompt.to_owned());
            if self.0.is_empty() { Line::End } else { Line::Text(self.0.remove(0).to_owned()) }
        }
    }

    #[tokio::test]
    async fn who_wants_less_than_a_line_leaves_the_rest() {
        let (mut lines, mut unread) = (Lines(vec!["yes\n", "žádný\n", "last"], Vec::new()), String::new());
        let mut next = async |wanted| read(&mut lines, &mut unread, wanted, "? ").await;
        assert_eq!(next(Wanted::Characters(1)).await, "y".into());
        assert_eq!(next(Wanted::Line).await, "es\n".into());
        assert_eq!(next(Wanted::Characters(2)).await, "žá".into());
        assert_eq!(next(Wanted::All).await, "dný\nlast".into());
        assert_eq!(next(Wanted::All).await, Term::atom("eof"));
        assert_eq!(lines.1.len(), 5, "nobody is asked for what is there");
    }
}
