//! Async closures with typed arguments as functions of a module.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;
use beamline_term::codec::{Decoder, encode, tag};
use beamline_term::serde;
use bytes::Bytes;

use super::{Answer, Raise};
use crate::process::Mfa;

/// A closure that can be exported: up to eight arguments that can be read from terms, and an async result
/// `Result<T, Raise>` that can be written as one.
pub trait Function<Arguments>: Send + Sync + 'static {
    /// How many arguments it takes.
    const ARITY: usize;

    #[doc(hidden)]
    fn call(self: Arc<Self>, module: &'static str, function: &'static str, arguments: Bytes) -> Answer;
}

/// A list of bytes (`[5]` arrives as the string "\x05") rewritten as a list of integers; other lists as they are.
fn plain_list(arguments: &Bytes) -> Cow<'_, Bytes> {
    if arguments.first() != Some(&tag::STRING) {
        return Cow::Borrowed(arguments);
    }
    let bytes = arguments.get(3..).unwrap_or_default();
    let mut out = Vec::with_capacity(bytes.len() * 2 + 6);
    encode::list_header(&mut out, bytes.len());
    bytes.iter().for_each(|byte| encode::integer(&mut out, i64::from(*byte)));
    encode::nil(&mut out);
    Cow::Owned(Bytes::from(out))
}

macro_rules! function {
    ($arity:literal $($name:ident)*) => {
        impl<F, Fut, Out, $($name,)*> Function<($($name,)*)> for F
        where
            F: Fn($($name),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<Out, Raise>> + Send + 'static,
            Out: Serialize,
            $($name: DeserializeOwned + Send + 'static,)*
        {
            const ARITY: usize = $arity;

            #[allow(non_snake_case, reason = "type names double as variables")]
            fn call(self: Arc<Self>, module: &'static str, function: &'static str, arguments: Bytes) -> Answer {
                // All that the user wrote runs when this is polled, reading the arguments included.
                Box::pin(async move {
                    let future = (|| {
                        let list = plain_list(&arguments);
                        let mut decoder = Decoder::new(&list);
                        decoder.list_header()?;
                        $(let $name: $name = serde::read(&mut decoder)?;)*
                        Ok::<_, serde::Error>(self($($name),*))
                    })();
                    let outcome = match future {
                        Ok(future) => future.await,
                        Err(_) => Err(Raise::arguments()),
                    };
                    let written = outcome.and_then(|value| {
                        let mut out = Vec::with_capacity(64);
                        serde::write(&value, &mut out)?;
                        Ok(out)
                    });
                    written.map_err(|raise| raise.located(Mfa { module, function, arity: $arity }, arguments))
                })
            }
        }
    };
}

function!(0);
function!(1 A);
function!(2 A B);
function!(3 A B C);
function!(4 A B C D);
function!(5 A B C D E);
function!(6 A B C D E G);
function!(7 A B C D E G H);
function!(8 A B C D E G H I);

#[cfg(test)]
mod tests {
    use super::super::{FunctionName, Module, Table};
    use super::*;
    use beamline_term::{Term, atom};

    async fn call(name: (&'static str, &'static str), arguments: Term) -> Result<Term, Raise> {
        let table = Table::new([Module::new("m")
            .function("world", || async { Ok(atom("world")) })
            .function("add", |a: i64, b: i64| async move { Ok(a + b) })
            .function("greet", |name: String| async move { Ok(format!("hello {name}")) })
            .function("fail", || async { Err::<(), _>(Raise::error(atom("oops"))) })]);
        let mut list = Vec::new();
        encode::term(&mut list, &arguments);
        let own = atom("a@h");
        let out = table.call(&FunctionName::from(name), Bytes::from(list), &own, &own).await?;
        Ok(Decoder::new(&Bytes::from(out)).term().unwrap())
    }

    #[tokio::test]
    async fn arguments_choose_the_function_and_are_typed() {
        assert_eq!(call(("m", "world"), Term::nil()).await, Ok(Term::atom("world")));
        assert_eq!(call(("m", "add"), Term::charlist("\u{5}\u{6}")).await, Ok(11.into()));
        assert_eq!(call(("m", "greet"), Term::list(["x".into()])).await, Ok("hello x".into()));
    }

    #[tokio::test]
    async fn failures_are_those_of_erlang() {
        let undefined = call(("m", "nothing"), Term::list([1.into()])).await.unwrap_err();
        assert_eq!(undefined.exit_reason().to_string(), "{:undef, [{:m, :nothing, [1], []}]}");
        let clause = call(("m", "add"), Term::list([atom("x").into(), 1.into()])).await.unwrap_err();
        assert_eq!(clause.exit_reason().to_string(), "{:function_clause, [{:m, :add, [:x, 1], []}]}");
        let own = call(("m", "fail"), Term::nil()).await.unwrap_err();
        assert_eq!(own.exit_reason().to_string(), "{:oops, [{:m, :fail, 0, []}]}");
    }
}
