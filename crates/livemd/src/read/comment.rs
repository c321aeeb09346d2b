//! What a comment says to Livebook.

use serde_json::{Map, Value};

use crate::warning::Trouble;

/// What a comment says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// Nothing to Livebook.
    Other,
    /// The next block is Markdown.
    Force,
    /// Another Markdown cell begins.
    Break,
    /// The next fence is an output.
    Output,
    /// A signature of the file.
    Stamp,
    /// The form of a smart cell, whose code follows.
    Smart(Map<String, Value>),
    /// What holds for the next cell, section or name.
    Data(Map<String, Value>),
    /// Nothing that can be used, and why.
    Useless(Trouble),
    /// Nothing that can be used, but text to keep.
    Broken(Trouble),
}

pub(super) fn said(lines: &[&str]) -> Said {
    let [line] = lines else { return Said::Other };
    let Some(json) = line.strip_prefix("livebook:") else { return Said::Other };
    match json {
        r#"{"force_markdown":true}"# => return Said::Force,
        r#"{"break_markdown":true}"# => return Said::Break,
        r#"{"output":true}"# => return Said::Output,
        _ => {}
    }
    let map = match serde_json::from_str(json) {
        Ok(Value::Object(map)) => map,
        Ok(_) => return Said::Broken(Trouble::NotJson { reason: "a value that is no object".into() }),
        Err(error) => return Said::Broken(Trouble::NotJson { reason: error.to_string() }),
    };
    match map.get("livebook_object").and_then(Value::as_str) {
        Some("cell_input") => {
            Said::Useless(Trouble::Input { reactive: map.get("reactive") == Some(&Value::Bool(true)) })
        }
        Some("smart_cell") if !map.get("kind").is_some_and(Value::is_string) => {
            Said::Useless(Trouble::NotSmart { missing: "kind" })
        }
        Some("smart_cell") if !map.get("attrs").is_some_and(|attrs| attrs.is_string() || attrs.is_object()) => {
            Said::Useless(Trouble::NotSmart { missing: "attrs" })
        }
        Some("smart_cell") => Said::Smart(map),
        _ if map.contains_key("stamp") => Said::Stamp,
        _ => Said::Data(map),
    }
}
