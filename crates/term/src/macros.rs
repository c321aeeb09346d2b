//! `term!`: terms written nearly as Elixir writes them.

/// A term in a form close to Elixir's.
///
/// Atoms are `:name`, or `:"any text"`; `nil`, `true` and `false` stand alone. Tuples are in braces, lists in brackets with
/// an optional `| tail`, maps are `%{"key" => value}` or `%{name: value}`. Anything else is an expression that turns into
/// a term: a literal, a variable, or code in parentheses.
///
/// ```
/// use beamline_term::term;
/// let name = "beamline";
/// let reply = term!({:ok, %{name: name, "tags" => [:a, :"b c"]}, [1 | :tail], (1 + 2), nil});
/// assert_eq!(reply.to_string(), r#"{:ok, %{:name => "beamline", "tags" => [:a, :"b c"]}, [1 | :tail], 3, nil}"#);
/// ```
#[macro_export]
macro_rules! term {
    (nil) => { $crate::Term::atom("nil") };
    (: $name:ident) => { $crate::Term::atom(stringify!($name)) };
    (: $name:literal) => { $crate::Term::atom($name) };
    ({}) => { $crate::Term::tuple([]) };
    ([]) => { $crate::Term::nil() };
    (% {}) => { $crate::Term::map([]) };
    ({ $($inner:tt)+ }) => { $crate::Term::tuple($crate::term!(@list [] [] $($inner)+)) };
    ([ $($inner:tt)+ ]) => { $crate::term!(@brackets [] [] $($inner)+) };
    (% { $($inner:tt)+ }) => { $crate::Term::map($crate::term!(@pairs [] $($inner)+)) };

    // Elements up to the end: those that are done, then the tokens of the one that is read.
    (@list [$($done:expr,)*] []) => { [$($done,)*] };
    (@list [$($done:expr,)*] [$($one:tt)+]) => { [$($done,)* $crate::term!($($one)+)] };
    (@list [$($done:expr,)*] [$($one:tt)+] , $($rest:tt)*) => {
        $crate::term!(@list [$($done,)* $crate::term!($($one)+),] [] $($rest)*)
    };
    (@list [$($done:expr,)*] [$($one:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@list [$($done,)*] [$($one)* $next] $($rest)*)
    };

    // The same for a list, where a tail may follow.
    (@brackets [$($done:expr,)*] []) => { $crate::Term::list([$($done,)*]) };
    (@brackets [$($done:expr,)*] [$($one:tt)+]) => { $crate::Term::list([$($done,)* $crate::term!($($one)+)]) };
    (@brackets [$($done:expr,)*] [$($one:tt)+] | $($tail:tt)+) => {
        $crate::Term::improper([$($done,)* $crate::term!($($one)+)], $crate::term!($($tail)+))
    };
    (@brackets [$($done:expr,)*] [$($one:tt)+] , $($rest:tt)*) => {
        $crate::term!(@brackets [$($done,)* $crate::term!($($one)+),] [] $($rest)*)
    };
    (@brackets [$($done:expr,)*] [$($one:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@brackets [$($done,)*] [$($one)* $next] $($rest)*)
    };

    // Pairs: first the tokens of a key, then, behind it, those of its value.
    (@pairs [$($done:expr,)*]) => { [$($done,)*] };
    (@pairs [$($done:expr,)*] $key:ident : $($rest:tt)+) => {
        $crate::term!(@value [$($done,)*] ($crate::Term::atom(stringify!($key))) [] $($rest)+)
    };
    (@pairs [$($done:expr,)*] $($rest:tt)+) => { $crate::term!(@key [$($done,)*] [] $($rest)+) };
    (@key [$($done:expr,)*] [$($key:tt)+] => $($rest:tt)+) => {
        $crate::term!(@value [$($done,)*] ($crate::term!($($key)+)) [] $($rest)+)
    };
    (@key [$($done:expr,)*] [$($key:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@key [$($done,)*] [$($key)* $next] $($rest)*)
    };
    (@value [$($done:expr,)*] ($key:expr) [$($value:tt)+]) => { [$($done,)* ($key, $crate::term!($($value)+))] };
    (@value [$($done:expr,)*] ($key:expr) [$($value:tt)+] , $($rest:tt)*) => {
        $crate::term!(@pairs [$($done,)* ($key, $crate::term!($($value)+)),] $($rest)*)
    };
    (@value [$($done:expr,)*] ($key:expr) [$($value:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@value [$($done,)*] ($key) [$($value)* $next] $($rest)*)
    };

    ($value:expr) => { $crate::Term::from($value) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_written_is_what_is_printed() {
        let port = 4369;
        assert_eq!(term!({}).to_string(), "{}");
        assert_eq!(term!([]).to_string(), "[]");
        assert_eq!(term!(%{}).to_string(), "%{}");
        assert_eq!(term!([[1, 2.5], [], {:a}]).to_string(), "[[1, 2.5], [], {:a}]");
        assert_eq!(
            term!(%{port: port, up: true, x: %{y: nil}, 1 => -1,}).to_string(),
            "%{1 => -1, :port => 4369, :up => true, :x => %{y: nil}}"
        );
        assert_eq!(
            term!({:"$gen_call", [:alias | 5], "text", false}).to_string(),
            "{:\"$gen_call\", [:alias | 5], \"text\", false}"
        );
    }
}
