//! A session of expressions at one node: bindings, values so far, helpers. Whoever has the terminal, ours or that of an
//! `iex --remsh`, reads the lines and prints what comes of them.

use std::future::Future;

use beamline_elixir::{Call, EvalError, Event, Exception, Limits, Session, SyntaxError, Value, parse_with};
use beamline_node::Node;
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Term};

use crate::asked::{asked, read};
use crate::calls::{Calls, Reach};
use crate::helpers::{ABSENT, HELPERS, Helped, help};
use crate::io_client::Line;
use crate::told;

/// So many values `v(n)` remembers.
const VALUES: usize = 20;

/// Where the output of expressions goes while they run.
pub trait Output: Send {
    /// Writes a text, which is UTF-8 unless the expression wrote bytes that are not.
    fn write(&mut self, text: &[u8]) -> impl Future<Output = ()> + Send;

    /// Reads a line for `IO.gets`, after printing the prompt. Unless overwritten there is nothing to read.
    fn read_line(&mut self, _prompt: &str) -> impl Future<Output = Line> + Send {
        std::future::ready(Line::End)
    }
}

/// What a text that was entered is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// Nothing but blanks.
    Nothing,
    /// More lines are to come.
    More,
    /// An expression, or something that is wrong already.
    Whole,
}

/// What came of an expression.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// A value, to be printed.
    Value(Term),
    /// Nothing to be printed: a helper has said it all.
    Silent,
    /// It failed: the text to print, in Elixir's words.
    Failed {
        /// What is printed.
        told: String,
        /// Whether the text itself is wrong, so that nothing ran.
        is_wrong: bool,
        /// The line of the text that it is about, or on which the expression begins that failed; counted from 1.
        line: usize,
    },
    /// The screen is to be cleared.
    Clear,
    /// The session is as new.
    Respawned,
}

/// A session at a node. A clone goes its own way from there.
#[derive(Clone)]
pub struct Prompt {
    session: Session,
    calls: Calls,
    values: Vec<(usize, Value)>,
    counter: usize,
}

impl Prompt {
    /// A session whose calls `node` makes. What is sent to its `self()` is kept for `flush()`, up to 1000 messages.
    pub fn new(node: &Node, reach: Reach, limits: Limits) -> Prompt {
        let mut session = Session::new().with_limits(limits);
        for (name, arities, _) in HELPERS {
            arities.iter().for_each(|arity| session.offer(name, *arity));
        }
        for (names, why) in ABSENT {
            names.iter().for_each(|name| session.refuse(name, why));
        }
        Prompt { session, calls: Calls::new(node, reach), values: Vec::new(), counter: 1 }
    }

    /// What functions of the node print and ask goes to that process, a group leader. They are ended when an evaluation is
    /// given up.
    pub fn led_by(self, leader: Pid) -> Prompt {
        Prompt { calls: self.calls.led_by(leader), ..self }
    }

    /// Binds a variable to a term.
    ///
    /// # Errors
    /// The term is deeper or larger than the limits allow values to be.
    pub fn bind(&mut self, name: &str, value: &Term) -> Result<(), Exception> {
        self.session.bind(name, value)
    }

    /// The number of the next expression.
    pub fn counter(&self) -> usize {
        self.counter
    }

    /// Gives the next expression another number.
    pub fn number(&mut self, counter: usize) {
        self.counter = counter;
    }

    /// The node that is looked at.
    pub fn target(&self) -> &NodeName {
        self.calls.target()
    }

    /// The bindings.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Who makes its calls.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Whether a text is whole. `#iex:break` on a line of its own gives up an open text.
    pub fn entered(text: &str) -> Entered {
        if text.trim().is_empty() {
            return Entered::Nothing;
        }
        if text.lines().last().is_some_and(|line| line.trim() == "#iex:break") || topic(text).is_some() {
            return Entered::Whole;
        }
        match parse_with(&continued(text), &Limits::default()) {
            Err(SyntaxError::Incomplete { .. }) => Entered::More,
            _ => Entered::Whole,
        }
    }

    /// Evaluates a text. Dropping the future gives it up; the bindings are then as they were.
    pub async fn evaluate(&mut self, text: &str, output: &mut impl Output) -> Outcome {
        if text.lines().last().is_some_and(|line| line.trim() == "#iex:break") {
            let told = "** (TokenMissingError) the open expression was given up by #iex:break".to_owned();
            return Outcome::Failed { told, is_wrong: true, line: text.lines().count() };
        }
        if let Some(topic) = topic(text) {
            let told = if topic.is_empty() { help() } else { self.calls.topic(topic).await };
            self.counter += 1;
            output.write(told.as_bytes()).await;
            return Outcome::Silent;
        }
        let text = continued(text);
        let (mut silent, mut place) = (None, 0);
        let result = self.run(&text, output, &mut silent, &mut place).await;
        match (result, silent) {
            (Ok(_), Some(outcome)) => {
                self.counter += 1;
                if outcome == Outcome::Respawned {
                    self.session.clear();
                    self.values.clear();
                    self.counter = 1;
                }
                outcome
            }
            (Ok(value), None) => {
                let shown = value.to_shown();
                self.values.push((self.counter, value));
                if self.values.len() > VALUES {
                    self.values.remove(0);
                }
                self.counter += 1;
                Outcome::Value(shown)
            }
            (Err(error), _) => {
                self.counter += usize::from(!matches!(error, EvalError::Syntax(_)));
                told::failed(error, &text, place, self.session.elixir())
            }
        }
    }

    async fn run(
        &mut self,
        text: &str,
        output: &mut impl Output,
        silent: &mut Option<Outcome>,
        place: &mut usize,
    ) -> Result<Value, EvalError> {
        let mut evaluation = self.session.start(text)?;
        let mut unread = String::new();
        loop {
            let event = evaluation.resume();
            *place = evaluation.place();
            match event {
                Event::Call(call) => {
                    // What a helper prints is its value only if nothing else becomes of it.
                    *silent = None;
                    let result = match &call.module {
                        Some(_) => match asked(&call) {
                            Some((wanted, prompt)) => Ok(read(output, &mut unread, wanted, &prompt).await),
                            None => self.calls.call(call).await,
                        },
                        None => helper(&self.calls, &self.values, &call, output, silent).await,
                    };
                    evaluation.answer(result);
                }
                Event::Output(text) => output.write(&text).await,
                Event::Done(result) => return Ok(result?),
                _ => tokio::task::yield_now().await,
            }
        }
    }
}

/// What a helper that prints gives; a prompt does not print it.
const SHOWN: Atom = Atom::from_static("do not show this result in output");

async fn helper(
    calls: &Calls,
    values: &[(usize, Value)],
    call: &Call,
    output: &mut impl Output,
    silent: &mut Option<Outcome>,
) -> Result<Term, Exception> {
    let (name, mut arguments) = (call.function.as_str(), call.arguments.as_slice());
    let last;
    if name == "i" && arguments.is_empty() {
        last = [value(values, -1)?];
        arguments = &last;
    }
    match (name, arguments) {
        ("v", []) => return value(values, -1),
        ("v", [Term::Integer(number)]) => return value(values, *number),
        ("h", _) => {
            output.write(help().as_bytes()).await;
            *silent = Some(Outcome::Silent);
        }
        ("clear", _) => *silent = Some(Outcome::Clear),
        ("respawn", _) => *silent = Some(Outcome::Respawned),
        (name, arguments) => match calls.help(name, arguments).await? {
            Helped::Value(value) => return Ok(value),
            Helped::Text(text) => {
                output.write(text.as_bytes()).await;
                *silent = Some(Outcome::Silent);
            }
        },
    }
    Ok(SHOWN.into())
}

/// `v(number)`: of that line, or so many back.
fn value(values: &[(usize, Value)], number: i64) -> Result<Term, Exception> {
    let found = match usize::try_from(number) {
        Ok(line) => values.iter().find(|(of, _)| *of == line),
        Err(_) => usize::try_from(number.unsigned_abs())
            .ok()
            .and_then(|back| values.len().checked_sub(back))
            .and_then(|place| values.get(place)),
    };
    let (line, value) = found.ok_or_else(|| {
        Exception::error(
            "RuntimeError",
            format!("v({number}) is out of bounds, the currently preserved history has {} values", values.len()),
        )
    })?;
    let made_here =
        |_| format!("the value of line {line} has a function that was made here; bind it to a variable instead");
    value.to_term().map_err(|error| Exception::error("ArgumentError", made_here(error)))
}

/// `h Enum.map`: what follows `h`, which is no expression.
fn topic(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix('h')?;
    let inner = match rest.strip_prefix('(') {
        Some(rest) => rest.strip_suffix(')')?,
        None if rest.is_empty() || rest.starts_with(' ') => rest,
        None => return None,
    };
    let inner = inner.trim();
    let plain = |next: char| next.is_alphanumeric() || "_.:?!/&()".contains(next);
    (inner.chars().all(plain) && !inner.starts_with('(')).then_some(inner)
}

/// Operators that can stand at the beginning of a line, which then goes on with the last value.
const CONTINUE: [&str; 20] = [
    "|>", "<>", "++", "--", "&&", "||", "==", "!=", "=~", "<=", ">=", "**", "..", "|||", "&&&", "<", ">", "*", "/",
    "and ",
];

/// `|> Enum.sort()` goes on with the last value.
fn continued(text: &str) -> String {
    let start = text.trim_start();
    let goes_on = CONTINUE.iter().any(|operator| start.starts_with(operator)) || start.starts_with("or ");
    // `<<1, 2>>` is a binary, and `..` alone a range.
    if goes_on && !start.starts_with("<<") && start.trim() != ".." { format!("v() {start}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_are_told_from_those_that_go_on() {
        for (text, entered) in [
            ("  ", Entered::Nothing),
            ("Node.list()", Entered::Whole),
            ("Enum.map([1], fn x ->", Entered::More),
            ("Enum.map([1], fn x ->\n#iex:break", Entered::Whole),
            ("1 + )", Entered::Whole),
            ("|> Enum.sort()", Entered::Whole),
            ("|> Enum.map(fn x ->", Entered::More),
            ("h Enum.map/2", Entered::Whole),
            ("\"open", Entered::More),
        ] {
            assert_eq!(Prompt::entered(text), entered, "{text}");
        }
    }

    #[test]
    fn lines_that_begin_with_an_operator_go_on_with_the_last_value() {
        assert_eq!(continued("|> hd()"), "v() |> hd()");
        assert_eq!(continued("* 2"), "v() * 2");
        for text in ["<<1>>", "-1", "[1] ++ [2]", "x |> y", "..", "&(&1)"] {
            assert_eq!(continued(text), text);
        }
    }

    #[test]
    fn the_topic_of_help_is_no_expression() {
        assert_eq!(topic("h"), Some(""));
        assert_eq!(topic("h()"), Some(""));
        assert_eq!(topic("h Enum.map/2"), Some("Enum.map/2"));
        assert_eq!(topic("h(AppA)"), Some("AppA"));
        for text in ["hello()", "h = 1", "h + 1", "head"] {
            assert_eq!(topic(text), None, "{text}");
        }
    }
}
