//! Requests in the form of `gen_server`, as any Erlang or Elixir process sends them.

use beamline_term::{Pid, Term};

/// What arrives at a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who asks.
    pub from: Pid,
    /// What the answer must carry.
    pub(crate) tag: Term,
    /// What is asked.
    pub body: Term,
}

impl Request {
    /// The request in a message `{'$gen_call', {From, Tag}, Body}`; other messages are given back.
    ///
    /// # Errors
    /// The message is none.
    pub fn from_term(message: Term) -> Result<Request, Term> {
        if let Some([marker, from, body]) = message.as_tuple()
            && marker.is_atom("$gen_call")
            && let Some([Term::Pid(from), tag]) = from.as_tuple()
        {
            return Ok(Request { from: from.clone(), tag: tag.clone(), body: body.clone() });
        }
        Err(message)
    }
}

/// The body of a message `{'$gen_cast', Body}`.
pub(crate) fn cast_body(message: &Term) -> Option<&Term> {
    match message.as_tuple() {
        Some([marker, body]) if marker.is_atom("$gen_cast") => Some(body),
        _ => None,
    }
}
