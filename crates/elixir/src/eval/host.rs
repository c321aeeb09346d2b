//! The one who runs expressions, as an async trait for those who prefer it to events.

use std::future::Future;

use beamline_term::Term;

use super::{Call, EvalError, Event, Session};
use crate::exception::Exception;
use crate::value::Value;

/// Does what expressions cannot do by themselves.
///
/// See the crate's first page for an example. Dropping the future of [`Session::run`] cancels the expression, wherever it is.
pub trait Host {
    /// Calls a function that is not ours: on the node that is looked at, or a helper of the host's own.
    fn call(&mut self, call: Call) -> impl Future<Output = Result<Term, Exception>> + Send;

    /// Writes what `IO.puts` and `IO.inspect` write; it is UTF-8 unless the program wrote bytes that are not.
    fn output(&mut self, text: &[u8]);

    /// Lets others run, some ten thousand steps after the last time. Does nothing unless overwritten; with tokio it is
    /// `tokio::task::yield_now()`.
    fn pause(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

impl Session {
    /// Evaluates a text to its end.
    ///
    /// # Errors
    /// The text is no expression, says something unknown, or ended without a value.
    pub async fn run(&mut self, source: &str, host: &mut impl Host) -> Result<Value, EvalError> {
        let mut evaluation = self.start(source)?;
        loop {
            match evaluation.resume() {
                Event::Call(call) => {
                    let result = host.call(call).await;
                    evaluation.answer(result);
                }
                Event::Output(text) => host.output(&text),
                Event::Pause => host.pause().await,
                Event::Done(result) => return Ok(result?),
            }
        }
    }
}
