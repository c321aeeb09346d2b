//! What a process runs, as others are told: BEAM's tools show each process by a module, a function and an arity.

use beamline_term::Atom;

use crate::functions::FunctionName;

/// A function that is known when the program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mfa {
    pub(crate) module: &'static str,
    pub(crate) function: &'static str,
    pub(crate) arity: usize,
}

/// What a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// A closure or function of Rust, by the path of its type.
    Closure(&'static str),
    /// A `GenServer`, by the path of its type.
    Server(&'static str),
    Function(Mfa),
}

impl Code {
    /// The code of a closure.
    pub(crate) fn of<F>() -> Code {
        Code::Closure(std::any::type_name::<F>())
    }

    /// That of a server.
    pub(crate) fn server<S>() -> Code {
        Code::Server(std::any::type_name::<S>())
    }

    /// That of one of the node's own services.
    pub(crate) const fn service(function: &'static str) -> Code {
        Code::Function(Mfa { module: "beamline", function, arity: 0 })
    }

    /// Its name and arity. That of a closure is the path of the function it stands in; that of a server its type's `init`.
    pub(crate) fn initial_call(self) -> (FunctionName, usize) {
        let (module, function, arity) = match self {
            Code::Closure(path) => {
                let (module, function) = place(path);
                (module, function, 1)
            }
            Code::Server(path) => (plain(path), "init", 1),
            Code::Function(Mfa { module, function, arity }) => (module, function, arity),
        };
        (FunctionName { module: atom_of(module), function: atom_of(function) }, arity)
    }
}

/// The path of a type without what makes it generic.
fn plain(path: &str) -> &str {
    path.find('<').filter(|at| *at > 0).map_or(path, |at| path.get(..at).unwrap_or(path)).trim_end_matches(':')
}

/// The module and the function in which a closure stands: `app::counter::run::{{closure}}` is `run` of `app::counter`.
fn place(path: &str) -> (&str, &str) {
    let path = plain(path.split("::{{closure}}").next().unwrap_or(path));
    path.rsplit_once("::").unwrap_or(("rust", path))
}

/// Paths can be longer than an atom.
fn atom_of(text: &str) -> Atom {
    Atom::new(text).unwrap_or_else(|_| {
        let short: String = text.chars().take(255).collect();
        Atom::new(&short).unwrap_or(Atom::from_static("rust"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: Code) -> String {
        let (FunctionName { module, function }, arity) = code.initial_call();
        format!("{module}:{function}/{arity}")
    }

    fn of_value<F>(_: F) -> Code {
        Code::of::<F>()
    }

    #[test]
    fn a_closure_is_the_function_that_it_stands_in() {
        let own = "beamline_node::process::code::tests:a_closure_is_the_function_that_it_stands_in/1";
        assert_eq!(told(of_value(|| ())), own);
        assert_eq!(told(of_value(|| async {})), own);
        assert_eq!(told(of_value(told)), "beamline_node::process::code::tests:told/1");
        assert_eq!(told(of_value(of_value::<u8>)), "beamline_node::process::code::tests:of_value/1");
    }

    #[test]
    fn a_server_is_its_type() {
        assert_eq!(told(Code::server::<Vec<u8>>()), "alloc::vec::Vec:init/1");
        assert_eq!(told(Code::service("rex")), "beamline:rex/0");
    }

    #[test]
    fn what_is_longer_than_an_atom_is_cut() {
        let path: &'static str = Box::leak("é".repeat(300).into_boxed_str());
        let (name, _) = Code::Server(path).initial_call();
        assert_eq!(name.module.as_str().chars().count(), 255);
        assert_eq!(told(Code::Closure("<impl T>::f")), "<impl T>:f/1");
    }
}
