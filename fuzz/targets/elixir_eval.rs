//! Whatever the expression: it ends, within its limits, with a value that can be shown or an exception.
#![no_main]

use beamline_elixir::{Event, Limits, Session};
use beamline_term::Term;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let limits = Limits { steps: 200_000, memory_bytes: 32 << 20, ..Limits::default() };
    let mut session = Session::new().with_limits(limits);
    // What an expression binds, the next may use.
    for line in text.split("\n\n") {
        let Ok(mut evaluation) = session.start(line) else {
            continue;
        };
        let mut calls = 0;
        let result = loop {
            match evaluation.resume() {
                Event::Call(call) => {
                    calls += 1;
                    evaluation.answer(if calls < 20 { Ok(Term::list(call.arguments)) } else { Err(call.undefined()) });
                }
                Event::Done(result) => break result,
                _ => {}
            }
        };
        match result {
            Ok(value) => drop((value.to_string(), value.to_term())),
            Err(exception) => drop(exception.to_string()),
        }
    }
});
