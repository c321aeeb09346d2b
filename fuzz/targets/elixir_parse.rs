//! Whatever the text: it is read, coloured and completed without a panic, and what is read is written such that it reads the
//! same.
#![no_main]

use beamline_elixir::complete::{Known, cursor};
use beamline_elixir::{Limits, Session, format, highlight, parse, parse_with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let parts = highlight(&text);
    assert!(parts.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
    assert!(cursor(&text).start <= text.len());
    drop(Session::new().complete(&text, &Known::default()));
    match parse(&text) {
        Ok(expression) => {
            let written = format(&expression);
            // Parentheses are levels too.
            let limits = Limits { source_depth: 300, source_bytes: 1 << 20, ..Limits::default() };
            let again = parse_with(&written, &limits);
            assert_eq!(again.as_ref(), Ok(&expression), "{written}");
        }
        Err(error) => {
            let (line, column) = error.position(&text);
            assert!(line >= 1 && column >= 1);
            drop(format!("{:?}", miette::Report::new(error.with_source(&text))));
        }
    }
});
