//! Manifests as trees in which everything knows its line.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use saphyr::{LoadableYamlNode, MarkedYamlOwned, ScalarOwned, YamlDataOwned};

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: Rc<str>,
    /// From 1.
    pub(super) line: usize,
}

/// A node of the tree. Numbers and truth values are kept as text: manifests give them meaning by their key.
#[derive(Debug, Clone)]
pub(super) struct Yaml {
    pub(super) place: Place,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    List(Vec<Yaml>),
    /// Each with the line of its key.
    Map(Vec<(String, Yaml)>),
    Nothing,
}

impl Yaml {
    /// What is at the end of a path of keys.
    pub(super) fn get(&self, path: &str) -> Option<&Yaml> {
        path.split('.').try_fold(self, |yaml, key| {
            let Value::Map(entries) = &yaml.value else { return None };
            entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
        })
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text at the end of a path.
    pub(super) fn text_at(&self, path: &str) -> Option<&str> {
        self.get(path)?.text()
    }

    /// The elements, if this is a list.
    pub(super) fn list(&self) -> &[Yaml] {
        if let Value::List(list) = &self.value { list } else { &[] }
    }

    /// The elements of the list at the end of a path.
    pub(super) fn list_at(&self, path: &str) -> &[Yaml] {
        self.get(path).map_or(&[], Yaml::list)
    }

    /// The entries, if this is a map.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Yaml)> {
        let entries: &[_] = if let Value::Map(entries) = &self.value { entries } else { &[] };
        entries.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// All documents of the `.yaml` and `.yml` files of a folder, by the order of their names; those of a `List` one by one.
pub(super) fn read_folder(folder: &Path) -> Result<Vec<Yaml>, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let entries = fs::read_dir(folder).map_err(|error| told(folder, &error))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    let mut documents = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).map_err(|error| told(file, &error))?;
        documents.extend(read(&text, &file.display().to_string())?);
    }
    if documents.is_empty() {
        return Err(format!("{} has no manifests: no file there ends in .yaml or .yml", folder.display()));
    }
    Ok(documents)
}

/// The documents of one file.
pub(super) fn read(text: &str, file: &str) -> Result<Vec<Yaml>, String> {
    let documents = MarkedYamlOwned::load_from_str(text).or_else(|_| MarkedYamlOwned::load_from_str(&lenient(text)));
    let documents = documents.map_err(|error| {
        let marker = error.marker();
        format!("{file}:{}: this is no YAML: {}", marker.line(), error.info())
    })?;
    let file: Rc<str> = file.into();
    let mut all = Vec::new();
    for document in documents {
        let document = of(document, &file);
        match document.text_at("kind") {
            Some("List") => all.extend(document.list_at("items").iter().cloned()),
            Some(_) => all.push(document),
            None => {}
        }
    }
    Ok(all)
}

/// Closing brackets further in: YAML wants them so, but what Kubernetes reads manifests with also takes them right below
/// their key. Lines stay where they are.
fn lenient(text: &str) -> String {
    let lines =
        text.lines().map(|line| if line.trim_start().starts_with([']', '}']) { ["  ", line] } else { ["", line] });
    lines.flat_map(|[indent, line]| [indent, line, "\n"]).collect()
}

fn of(yaml: MarkedYamlOwned, file: &Rc<str>) -> Yaml {
    let place = Place { file: file.clone(), line: yaml.span.start.line() };
    let value = match yaml.data {
        YamlDataOwned::Value(scalar) => text(scalar),
        YamlDataOwned::Representation(text, ..) => Value::Text(text),
        YamlDataOwned::Sequence(list) => Value::List(list.into_iter().map(|yaml| of(yaml, file)).collect()),
        YamlDataOwned::Mapping(map) => {
            let entries = map.into_iter().map(|(key, value)| {
                let line = key.span.start.line();
                let mut value = of(value, file);
                // A block begins below its key; the key is where one looks.
                value.place.line = line;
                (of(key, file).text().unwrap_or_default().to_owned(), value)
            });
            Value::Map(entries.collect())
        }
        YamlDataOwned::Tagged(_, inner) => return of(*inner, file),
        YamlDataOwned::Alias(_) | YamlDataOwned::BadValue => Value::Nothing,
    };
    Yaml { place, value }
}

fn text(scalar: ScalarOwned) -> Value {
    match scalar {
        ScalarOwned::Null => Value::Nothing,
        ScalarOwned::Boolean(is) => Value::Text(is.to_string()),
        ScalarOwned::Integer(number) => Value::Text(number.to_string()),
        ScalarOwned::FloatingPoint(number) => Value::Text(number.to_string()),
        ScalarOwned::String(text) => Value::Text(text),
    }
}
