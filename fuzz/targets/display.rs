//! Whatever the term: it can be printed in both languages, and lines of any width say what the one line says.
#![no_main]

use beamline_term::inspect::{Binaries, Elixir};
use beamline_term::{Inspect, Term, print::Erlang};
use bytes::Bytes;

/// Breaks are spaces or nothing on a line that goes on; within quotes no line ends.
fn without_spaces(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !matches!(character, ' ' | '\n'))
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let bytes: Bytes = [131].iter().chain(data).copied().collect();
    if let Ok(term) = Term::decode(&bytes) {
        for elixir in [Elixir::V1_14, Elixir::V1_18, Elixir::V1_20] {
            let inspect = Inspect::new(&term).like(elixir).limit(data.len() % 30);
            let line = inspect.clone().to_string();
            assert!(!line.is_empty() && !line.contains('\n'));
            let wrapped = inspect.clone().width(data.len() % 90).to_string();
            assert!(without_spaces(&line).eq(without_spaces(&wrapped)), "{line}\n{wrapped}");
            drop(inspect.binaries(Binaries::Strings).structs(false).printable_limit(9).to_string());
        }
        for erlang in [Erlang::new(&term), Erlang::raw(&term)] {
            let line = erlang.to_string();
            assert!(!line.is_empty() && !line.contains('\n'));
            let wrapped = erlang.width(data.len() % 90).to_string();
            assert!(without_spaces(&line).eq(without_spaces(&wrapped)), "{line}\n{wrapped}");
        }
        match &term {
            Term::Pid(pid) => assert_eq!(pid.to_string().parse().as_ref(), Ok(pid)),
            Term::Port(port) => assert_eq!(port.to_string().parse().as_ref(), Ok(port)),
            Term::Reference(reference) => assert_eq!(reference.to_string().parse().as_ref(), Ok(reference)),
            _ => {}
        }
    }
});
