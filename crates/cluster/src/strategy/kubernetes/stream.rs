//! A watch: one JSON object a line, as they come.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::objects::Object;

/// A line beyond this is none: the API server takes objects of at most 3 MiB.
const MAX_LINE: usize = 8 << 20;

/// What a line says.
#[derive(Debug)]
pub(super) enum Event {
    /// An object is new or has changed.
    Changed(Object),
    /// An object is gone.
    Gone(Object),
    /// Nothing has changed until this version.
    Bookmark(Object),
    /// The watch is over.
    Error { code: u16, message: String },
    /// Of a kind that is not known here.
    Other,
}

#[derive(Deserialize)]
struct Line<'l> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'l RawValue,
}

/// An error of the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) code: u16,
    pub(super) message: String,
}

impl Event {
    fn parse(line: &[u8]) -> Result<Event, String> {
        let line: Line<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let object = || serde_json::from_str(line.object.get()).map_err(|error| error.to_string());
        Ok(match &*line.kind {
            "ADDED" | "MODIFIED" => Event::Changed(object()?),
            "DELETED" => Event::Gone(object()?),
            "BOOKMARK" => Event::Bookmark(object()?),
            "ERROR" => {
                let status: Status = serde_json::from_str(line.object.get()).unwrap_or_default();
                Event::Error { code: status.code, message: status.message }
            }
            _ => Event::Other,
        })
    }
}

/// Puts lines together from the pieces in which they come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// The events of the lines that end in this piece.
    ///
    /// # Errors
    /// A line is no event, or too long; nothing can be said of what follows.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<Vec<Event>, String> {
        let mut events = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.begin(&rest[..end])?;
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.begun);
            if !line.trim_ascii().is_empty() {
                events.push(Event::parse(&line)?);
            }
        }
        self.begin(rest)?;
        Ok(events)
    }

    fn begin(&mut self, part: &[u8]) -> Result<(), String> {
        if self.begun.len() + part.len() > MAX_LINE {
            return Err(format!("a line of more than {} MiB", MAX_LINE >> 20));
        }
        self.begun.extend_from_slice(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORDED: &str = concat!(
        r#"{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"223"}}}"#,
        "\n",
        r#"{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"a","resourceVersion":"230"},"status":null}}"#,
        "\n\n",
        r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"240","creationTimestamp":null}}}"#,
        "\r\n",
        r#"{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"241"}}}"#,
        "\n",
        r#"{"type":"ERROR","object":{"kind":"Status","metadata":{},"message":"too old resource version: 1 (2)","code":410}}"#,
        "\n",
        r#"{"type":"NEW","object":[]}"#,
        "\nrest",
    );

    fn told(event: &Event) -> String {
        match event {
            Event::Changed(object) => format!("changed {}", object.metadata.resource_version),
            Event::Gone(object) => format!("gone {}", object.metadata.resource_version),
            Event::Bookmark(object) => format!("bookmark {}", object.metadata.resource_version),
            Event::Error { code, message } => format!("error {code} {message}"),
            Event::Other => "other".to_owned(),
        }
    }

    proptest! {
        #[test]
        fn the_same_in_any_pieces(cuts in proptest::collection::vec(0..RECORDED.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            cuts.push(RECORDED.len());
            let (mut lines, mut events, mut from) = (Lines::default(), Vec::new(), 0);
            for cut in cuts {
                events.extend(lines.push(&RECORDED.as_bytes()[from..cut]).unwrap());
                from = cut;
            }
            let events: Vec<_> = events.iter().map(told).collect();
            let expected = [
                "changed 223", "changed 230", "bookmark 240", "gone 241", "error 410 too old resource version: 1 (2)", "other",
            ];
            prop_assert_eq!(events, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8)) {
            let mut lines = Lines::default();
            for piece in pieces {
                let _ = lines.push(&piece);
            }
        }
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let mut lines = Lines::default();
        let piece = vec![b' '; 1 << 20];
        assert!((0..8).all(|_| lines.push(&piece).is_ok()));
        assert!(lines.push(b" ").is_err());
        assert!(Lines::default().push(b"junk\n").is_err());
    }
}
