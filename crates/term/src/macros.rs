//! `term!`: terms written nearly as Elixir writes them.

/// A term, written as in Elixir.
///
/// | in Elixir and here | is |
/// | --- | --- |
/// | `:ok`, `:valid?`, `:"any text"`, `nil`, `true`, `false` | an atom |
/// | `Elixir.MyApp.User` | the atom of a module; `MyApp.User` alone would be Rust's `MyApp.User` |
/// | `42`, `-1`, `2.5` | a number |
/// | `"text"` | a binary |
/// | `~c"text"` | a charlist |
/// | `{:ok, 1}`, `{}` | a tuple |
/// | `[1, 2]`, `[]`, `[head \| tail]` | a list |
/// | `[timeout: 5000, "two words": 1]`, `[:debug, level: 2]` | a keyword list, alone or at the end of a list |
/// | `%{name: 1}`, `%{"key" => 1}`, `%{}` | a map |
/// | `%MyApp.User{name: "x"}` | a struct, with the fields that are written |
/// | a variable, a call, `(any + expression)` | a Rust value that turns into a [`Term`](crate::Term) |
///
/// ```
/// use beamline_term::term;
/// let name = "beamline";
/// let reply = term!({:ok, %{name: name, "tags" => [:a, :"b c"]}, [1 | :tail], (1 + 2), nil});
/// assert_eq!(reply.to_string(), r#"{:ok, %{:name => "beamline", "tags" => [:a, :"b c"]}, [1 | :tail], 3, nil}"#);
/// ```
///
/// Keyword lists, as options are given:
///
/// ```
/// # use beamline_term::term;
/// let timeout = 5000;
/// let options = term!([:debug, name: {:local, Elixir.MyApp.Server}, timeout: timeout]);
/// assert_eq!(options.to_string(), "[:debug, {:name, {:local, MyApp.Server}}, {:timeout, 5000}]");
/// assert_eq!(term!([a: 1, "two words": -2.5]).to_string(), r#"[a: 1, "two words": -2.5]"#);
/// ```
///
/// Structs and charlists:
///
/// ```
/// # use beamline_term::term;
/// let user = term!(%MyApp.User{name: "Ada", home: ~c"/home/ada", admin?: false});
/// assert_eq!(user.to_string(), r#"%MyApp.User{admin?: false, home: ~c"/home/ada", name: "Ada"}"#);
/// assert_eq!(term!(%Range{first: 1, last: 3, step: 1}).to_string(), "1..3");
/// ```
///
/// What is no term does not compile:
///
/// ```compile_fail
/// beamline_term::term!(%{name});
/// ```
///
/// ```compile_fail
/// beamline_term::term!({:error, std::time::Instant::now()});
/// ```
#[macro_export]
macro_rules! term {
    () => { ::std::compile_error!("term! needs a term; the empty tuple is {}, the empty list []") };
    (nil) => { $crate::Term::atom("nil") };
    (: $name:ident) => { $crate::Term::atom(::std::stringify!($name)) };
    (: $name:ident ?) => { $crate::Term::atom(::std::concat!(::std::stringify!($name), "?")) };
    (: $name:ident !) => { $crate::Term::atom(::std::concat!(::std::stringify!($name), "!")) };
    (: $name:literal) => { $crate::Term::atom($name) };
    (Elixir $(. $part:ident)+) => {
        $crate::Term::atom(::std::concat!("Elixir" $(, ".", ::std::stringify!($part))+))
    };
    (~ $text:literal) => { $crate::Term::charlist(&::std::ffi::CStr::to_string_lossy($text)) };
    ({}) => { $crate::Term::tuple([]) };
    ([]) => { $crate::Term::nil() };
    (% {}) => { $crate::Term::map([]) };
    ({ $($inner:tt)+ }) => { $crate::Term::tuple($crate::term!(@list [] [] $($inner)+)) };
    ([ $($inner:tt)+ ]) => { $crate::term!(@brackets [] [] $($inner)+) };
    (% { $($inner:tt)+ }) => { $crate::Term::map($crate::term!(@pairs [] $($inner)+)) };
    (% $($part:ident).+ { $($inner:tt)* }) => {
        $crate::Term::map($crate::term!(
            @pairs [($crate::Term::atom("__struct__"), $crate::term!(Elixir $(. $part)+)),] $($inner)*
        ))
    };

    // Elements up to the end: those that are done, then the tokens of the one that is read.
    (@list [$($done:expr,)*] []) => { [$($done,)*] };
    (@list [$($done:expr,)*] [$($one:tt)+]) => { [$($done,)* $crate::term!($($one)+)] };
    (@list [$($done:expr,)*] [$($one:tt)+] , $($rest:tt)*) => {
        $crate::term!(@list [$($done,)* $crate::term!($($one)+),] [] $($rest)*)
    };
    (@list [$($done:expr,)*] [$($one:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@list [$($done,)*] [$($one)* $next] $($rest)*)
    };

    // The same for a list, where pairs or a tail may follow.
    (@brackets [$($done:expr,)*] []) => { $crate::Term::list([$($done,)*]) };
    (@brackets [$($done:expr,)*] [$($one:tt)+]) => { $crate::Term::list([$($done,)* $crate::term!($($one)+)]) };
    (@brackets [$($done:expr,)*] [] $key:ident : $($rest:tt)+) => {
        $crate::term!(@keywords [$($done,)*] $key : $($rest)+)
    };
    (@brackets [$($done:expr,)*] [] $key:ident ? : $($rest:tt)+) => {
        $crate::term!(@keywords [$($done,)*] $key ? : $($rest)+)
    };
    (@brackets [$($done:expr,)*] [] $key:tt : $($rest:tt)+) => {
        $crate::term!(@keywords [$($done,)*] $key : $($rest)+)
    };
    (@brackets [$($done:expr,)*] [$($one:tt)+] | $($tail:tt)+) => {
        $crate::Term::improper([$($done,)* $crate::term!($($one)+)], $crate::term!($($tail)+))
    };
    (@brackets [$($done:expr,)*] [$($one:tt)+] , $($rest:tt)*) => {
        $crate::term!(@brackets [$($done,)* $crate::term!($($one)+),] [] $($rest)*)
    };
    (@brackets [$($done:expr,)*] [$($one:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@brackets [$($done,)*] [$($one)* $next] $($rest)*)
    };
    (@keywords [$($done:expr,)*] $($pairs:tt)+) => {
        $crate::Term::list(
            [$($done,)*]
                .into_iter()
                .chain($crate::term!(@pairs [] $($pairs)+).map(|(key, value)| $crate::Term::tuple([key, value])))
        )
    };

    // Pairs: first the tokens of a key, then, behind it, those of its value.
    (@pairs [$($done:expr,)*]) => { [$($done,)*] };
    (@pairs [$($done:expr,)*] $key:ident : $($rest:tt)+) => {
        $crate::term!(@value [$($done,)*] ($crate::Term::atom(::std::stringify!($key))) [] $($rest)+)
    };
    (@pairs [$($done:expr,)*] $key:ident ? : $($rest:tt)+) => {
        $crate::term!(@value [$($done,)*] ($crate::term!(: $key ?)) [] $($rest)+)
    };
    (@pairs [$($done:expr,)*] $key:tt : $($rest:tt)+) => {
        $crate::term!(@value [$($done,)*] ($crate::Term::atom($key)) [] $($rest)+)
    };
    (@pairs [$($done:expr,)*] $($rest:tt)+) => { $crate::term!(@key [$($done,)*] [] $($rest)+) };
    (@key [$($done:expr,)*] [$($key:tt)+] => $($rest:tt)+) => {
        $crate::term!(@value [$($done,)*] ($crate::term!($($key)+)) [] $($rest)+)
    };
    (@key [$($done:expr,)*] [$($key:tt)*] $next:tt $($rest:tt)*) => {
        $crate::term!(@key [$($done,)*] [$($key)* $next] $($rest)*)
    };
    (@key [$($done:expr,)*] [$($key:tt)*]) => {
        ::std::compile_error!(::std::concat!(
            "a pair is `key: value` or `key => value`, not `", ::std::stringify!($($key)*), "`"
        ))
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
        assert_eq!(term!({:valid?, :stop!, Elixir.AppB, ~c"it's"}).to_string(), "{:valid?, :stop!, AppB, ~c\"it's\"}");
        assert_eq!(term!([a: 1, b?: [c: {}], "d e": -port]).to_string(), "[a: 1, b?: [c: {}], \"d e\": -4369]");
        assert_eq!(term!([1, {:x}, a: 1,]).to_string(), "[1, {:x}, {:a, 1}]");
        assert_eq!(term!(%A.B.C{}).to_string(), "%A.B.C{}");
        assert_eq!(
            term!([%Date{x: 1}, %{%A{} => Elixir.B, -1 => ~c"", (port) => [port | nil]}]).to_string(),
            "[%Date{x: 1}, %{-1 => [], 4369 => [4369 | nil], %A{} => B}]"
        );
    }
}
