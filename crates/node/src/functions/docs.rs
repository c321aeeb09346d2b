//! What modules and functions say of themselves: to `h` of a shell, and to everybody who calls `code:get_doc/1`, in the form of
//! [EEP 48](https://www.erlang.org/eeps/eep-0048).

use beamline_term::{Atom, Term, atom};

use super::{HashMap, Module, Table};

/// The texts of a module.
#[derive(Clone, Default)]
pub(super) struct Docs {
    about: Option<&'static str>,
    functions: HashMap<(&'static str, usize), &'static str>,
}

impl Docs {
    /// What a module says that is added to one of the same name.
    pub(super) fn extend(&mut self, newer: Docs) {
        self.about = newer.about.or(self.about);
        self.functions.extend(newer.functions);
    }
}

impl Module {
    /// Documents what was added last: a function, or before there is any the module. Markdown; the first line is what lists show.
    ///
    /// `h` of a shell shows it, and `:code.get_doc(AppA)` gives it.
    ///
    /// ```
    /// use beamline_node::Module;
    ///
    /// let module = Module::new("Elixir.Sum")
    ///     .doc("Adds numbers.")
    ///     .function("add", |a: i64, b: i64| async move { Ok(a + b) })
    ///     .doc("The sum of two integers.");
    /// ```
    pub fn doc(mut self, text: &'static str) -> Module {
        match self.last {
            Some(function) => {
                self.docs.functions.insert(function, text);
            }
            None => self.docs.about = Some(text),
        }
        self
    }
}

impl Table {
    /// `{docs_v1, ..}` of a module, if there is one.
    pub(crate) fn docs(&self, module: &Atom) -> Option<Term> {
        let modules = self.0.load();
        let module = modules.get(module.as_str())?;
        let mut names: Vec<&(&str, usize)> = module.functions.keys().collect();
        names.sort();
        let entries = names.into_iter().map(|name| {
            let (function, arity) = name;
            let key = (atom("function"), Atom::from_static(function), *arity as u64);
            let signature = Term::list([Term::from(format!("{function}/{arity}"))]);
            Term::from((key, 0, signature, text(module.docs.functions.get(name).copied()), Term::map([])))
        });
        let about = text(module.docs.about);
        let format = "text/markdown";
        Some((atom("docs_v1"), 0, atom("elixir"), format, about, Term::map([]), Term::list(entries)).into())
    }
}

fn text(text: Option<&str>) -> Term {
    match text {
        Some(text) => Term::map([(Term::from("en"), Term::from(text))]),
        None => Term::atom("none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_belongs_to_what_was_added_last() {
        let nothing = || async { Ok(1) };
        let one = Module::new("m").doc("All.").function("a", nothing).doc("The a.").function("b", nothing);
        let two = Module::new("m").function("c", nothing).doc("The c.");
        let docs = Table::new([one, two]).docs(&atom("m")).expect("a module").to_string();
        for part in ["\"en\" => \"All.\"", "{:function, :a, 0}, 0, [\"a/0\"], %{\"en\" => \"The a.\"}"] {
            assert!(docs.contains(part), "{docs}");
        }
        assert!(docs.contains("{:function, :b, 0}, 0, [\"b/0\"], :none") && docs.contains("The c."), "{docs}");
        assert_eq!(Table::new([]).docs(&atom("m")), None);
    }
}
