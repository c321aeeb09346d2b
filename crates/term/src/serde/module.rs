//! Elixir structs by the name of a Rust type: `#[serde(rename = "%MyApp.User")]`.

use crate::Atom;

/// The key that holds the module of an Elixir struct.
pub(super) const STRUCT: &str = "__struct__";

/// The key that marks an Elixir exception.
pub(super) const EXCEPTION: &str = "__exception__";

/// What stands behind the module of an exception.
const EXCEPTION_MARK: &str = "{__exception__: true}";

/// The module that the name of a type or variant asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Whether `Elixir.` stands before the name.
    prefixed: bool,
    name: &'static str,
    pub(super) exception: bool,
}

impl Module {
    /// `%MyApp.User` and `Elixir.MyApp.User` name the module `MyApp.User`, `%:queue` names the module `:queue`;
    /// `%MyApp.Gone{__exception__: true}` is an exception. Other names are those of plain types.
    #[inline]
    pub(super) fn of(name: &'static str) -> Option<Module> {
        match name.as_bytes().first() {
            Some(b'%') => Some(Module::percent(&name[1..])),
            Some(b'E') => {
                let (module, exception) = exception(name.strip_prefix("Elixir.")?);
                Some(Module { prefixed: true, name: module, exception })
            }
            _ => None,
        }
    }

    /// The module of a variant that is a struct: `%MyApp.Circle`. `Elixir.MyApp.Circle` is the plain atom there, so that an
    /// enum can be one of several modules.
    #[inline]
    pub(super) fn of_variant(name: &'static str) -> Option<Module> {
        name.strip_prefix('%').map(Module::percent)
    }

    fn percent(name: &'static str) -> Module {
        let (name, exception) = exception(name);
        match name.strip_prefix(':') {
            Some(name) => Module { prefixed: false, name, exception },
            None => Module { prefixed: true, name: name.strip_prefix("Elixir.").unwrap_or(name), exception },
        }
    }

    /// Its atom, in parts that are to be joined.
    pub(super) fn parts(&self) -> [&'static str; 2] {
        [if self.prefixed { "Elixir." } else { "" }, self.name]
    }

    /// Whether this is its atom.
    #[inline]
    pub(super) fn is(&self, atom: &str) -> bool {
        match self.prefixed {
            true => atom.strip_prefix("Elixir.") == Some(self.name),
            false => atom == self.name,
        }
    }

    /// Its atom.
    pub(super) fn atom(&self) -> Atom {
        Atom::new(&self.parts().concat()).unwrap_or(const { Atom::from_static("nil") })
    }
}

fn exception(name: &'static str) -> (&'static str, bool) {
    match name.strip_suffix(EXCEPTION_MARK) {
        Some(module) => (module, true),
        None => (name, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_modules() {
        for (name, atom, exception) in [
            ("%MyApp.User", "Elixir.MyApp.User", false),
            ("%Elixir.MyApp.User", "Elixir.MyApp.User", false),
            ("Elixir.MyApp.User", "Elixir.MyApp.User", false),
            ("%:queue", "queue", false),
            ("%MyApp.Gone{__exception__: true}", "Elixir.MyApp.Gone", true),
        ] {
            let module = Module::of(name).unwrap();
            assert_eq!((module.atom().as_str(), module.exception), (atom, exception));
            assert_eq!(Module::of_variant(name), name.starts_with('%').then_some(module));
            assert!(module.is(atom) && !module.is("MyApp.User") && !module.is("Elixir.Other"));
        }
        for name in ["User", "Error", "Elixir", "", "é"] {
            assert_eq!(Module::of(name), None);
        }
    }
}
