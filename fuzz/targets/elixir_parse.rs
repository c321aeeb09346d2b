//! Whatever the text: it is read, coloured, completed and written again without a panic. That it then reads the same is a
//! property of the crate's own tests.
#![no_main]

use beamline_elixir::complete::{Known, cursor};
use beamline_elixir::{Session, format, highlight, parse};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let parts = highlight(&text);
    assert!(parts.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
    assert!(cursor(&text).start <= text.len());
    drop(Session::new().complete(&text, &Known::default()));
    match parse(&text) {
        Ok(expression) => {
            drop(format(&expression));
        }
        Err(error) => {
            let (line, column) = error.position(&text);
            assert!(line >= 1 && column >= 1);
            drop(format!("{:?}", miette::Report::new(error.with_source(&text))));
        }
    }
});
