//! The JSON of a comment: what a cell, a section or the notebook says about itself. Unknown keys are kept.

use serde_json::{Map, Value};

/// Keys and values, in the order of the keys, as Livebook writes them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata(pub(super) Map<String, Value>);

impl Metadata {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// A switch that is off unless it is set to true.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Sets a key, or takes it away where the value is what holds anyway; true if that changed anything.
    pub(super) fn set(&mut self, key: &str, value: Value) -> bool {
        let old =
            if is_default(key, &value) { self.0.remove(key) } else { self.0.insert(key.to_owned(), value.clone()) };
        match old {
            Some(old) => old != value,
            None => !is_default(key, &value),
        }
    }

    /// Without what holds anyway.
    pub(super) fn from_map(mut map: Map<String, Value>) -> Metadata {
        map.retain(|key, value| !is_default(key, value));
        Metadata(map)
    }

    /// The comment that says it. In the JSON no `-->` may stand: the comment would end there.
    pub(super) fn comment(&self) -> String {
        let json = Value::Object(self.0.clone()).to_string().replace("-->", "--\\u003e");
        format!("<!-- livebook:{json} -->")
    }
}

/// Whether a key says what holds anyway, so that Livebook leaves it out.
fn is_default(key: &str, value: &Value) -> bool {
    match key {
        "persist_outputs" | "reevaluate_automatically" | "continue_on_error" => *value == Value::Bool(false),
        "autosave_interval_s" => value.as_u64() == Some(5),
        "default_language" => value.as_str() == Some("elixir"),
        "hub_id" => value.as_str() == Some("personal-hub"),
        "output_size" => value.as_str() == Some("default"),
        _ => false,
    }
}
