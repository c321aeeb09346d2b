//! The Elixir expression language, for shells and notebooks: reading, running within limits, completing, formatting.
//!
//! Follows Elixir's own reader (`elixir_tokenizer`, `elixir_parser`) and the words of its shell. What people type to look at a
//! system is known: literals, operators, patterns, `case`, `fn`, `|>`, `for`, and some three hundred functions of `Kernel`,
//! `Enum`, `String`, `Map` and their like. What defines code (`defmodule`, `quote`, `receive`) is read, but not run.
//! `docs/shell-language.md` has the whole list.
//!
//! This crate does no I/O, has no clock and no threads. An expression runs in the process of whoever typed it; a call of a
//! function that is not known here is given to the host, which may make it a call to another node.
//!
//! # Running expressions
//!
//! A [`Session`] has the bindings. [`Session::run`] takes a [`Host`]:
//!
//! ```
//! use beamline_elixir::{Call, Exception, Host, Session};
//! use beamline_term::{Term, atom, term};
//!
//! struct Console {
//!     written: String,
//! }
//!
//! impl Host for Console {
//!     // Everything that is not known here: `Node.list()`, `:erlang.memory()`, `AppB.hello("you")`, also `self()` and `node()`.
//!     async fn call(&mut self, call: Call) -> Result<Term, Exception> {
//!         match (call.module.as_ref().map(|module| module.as_str()), call.function.as_str()) {
//!             (Some("erlang"), "node") => Ok(atom("app_a@127.0.0.1").into()),
//!             (Some("Elixir.Node"), "list") => Ok(term!([:"app_b@127.0.0.1"])), // here: an erpc to the node
//!             _ => Err(call.undefined()),
//!         }
//!     }
//!
//!     fn output(&mut self, text: &[u8]) {
//!         self.written.push_str(&String::from_utf8_lossy(text));
//!     }
//! }
//!
//! # fn block_on<T>(future: impl Future<Output = T>) -> T {
//! #     let mut future = std::pin::pin!(future);
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     loop {
//! #         if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
//! #             return value;
//! #         }
//! #     }
//! # }
//! # block_on(async {
//! let (mut session, mut console) = (Session::new(), Console { written: String::new() });
//! session.run("nodes = [node() | Node.list()]", &mut console).await?;
//! let value = session.run("for name <- nodes, do: IO.puts(name)", &mut console).await?;
//! assert_eq!(console.written, "app_a@127.0.0.1\napp_b@127.0.0.1\n");
//! assert_eq!(value.to_string(), "[:ok, :ok]");
//!
//! let error = session.run("1 + :a", &mut console).await.unwrap_err();
//! assert_eq!(error.to_string(), "** (ArithmeticError) bad argument in arithmetic expression: 1 + :a");
//! let error = session.run("nobody.()", &mut console).await.unwrap_err();
//! assert_eq!(error.to_string(), "** (CompileError) undefined variable \"nobody\"");
//! # Ok::<(), beamline_elixir::EvalError>(())
//! # }).unwrap();
//! ```
//!
//! A host that is no async program takes the [`Event`]s of an [`Evaluation`] instead, and answers them when it can:
//!
//! ```
//! use beamline_elixir::{Event, Session};
//! let mut session = Session::new();
//! let mut evaluation = session.start("Enum.map(1..3, & &1 * 2) |> Enum.sum()")?;
//! let value = loop {
//!     match evaluation.resume() {
//!         Event::Call(call) => evaluation.answer(Err(call.undefined())),
//!         Event::Done(result) => break result?,
//!         _ => {}
//!     }
//! };
//! assert_eq!(value.to_term().unwrap().as_i64(), Some(12));
//! # Ok::<(), beamline_elixir::EvalError>(())
//! ```
//!
//! Dropping an evaluation, or the future of [`Session::run`], cancels it. Bindings change only when an expression has given a
//! value.
//!
//! # More input, or wrong input
//!
//! [`parse()`] tells what is incomplete, for which a shell asks for another line, from what is wrong, which miette shows with
//! the place:
//!
//! ```
//! use beamline_elixir::parse;
//! assert!(parse("Enum.map(nodes, fn name ->").unwrap_err().is_incomplete());
//! let source = "Enum.map(nodes, fn name ->)";
//! let error = parse(source).unwrap_err();
//! assert_eq!((error.is_incomplete(), error.position(source)), (false, (1, 27)));
//! ```
//!
//! # While it is typed
//!
//! [`highlight()`] tells what each part of a text is, [`complete`] what could stand at the cursor, [`format()`] how an expression
//! is written. All of them take unfinished texts but the last.
//!
//! # What it may cost
//!
//! [`Limits`] bound the length and depth of a text, the steps it takes, the memory of its values and their depth. No text makes
//! this crate panic, follow its nesting with the stack beyond those limits, or run for ever.

// What values share is their text and its count, which no comparison looks at.
#![allow(clippy::mutable_key_type, reason = "the counts of memory in values are no part of their order")]

mod ast;
mod bits;
mod code;
mod compile;
pub mod complete;
mod error;
mod eval;
mod exception;
mod format;
mod highlight;
mod lexer;
mod library;
mod limits;
mod parser;
mod pattern;
mod token;
mod value;

pub use ast::{Callee, Clause, Expr, Kind, Part, Sigil};
pub use error::{Explained, SyntaxError};
pub use eval::{Call, EvalError, Evaluation, Event, Host, Session};
pub use exception::Exception;
pub use format::source as format;
pub use highlight::{Highlight, highlight};
pub use library::{Documentation, documentation, functions};
pub use limits::Limits;
pub use parser::{parse, parse_with};
pub use token::Span;
pub use value::{LocalFunction, Value};
