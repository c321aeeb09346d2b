//! Whatever the text: it is read or refused without a panic, and what is read is written such that it reads the same.

use beamline_elixir::complete::cursor;
use beamline_elixir::{
    Callee, Clause, Event, Expr, Kind, Limits, Part, Session, Span, SyntaxError, format, highlight, parse,
};
use beamline_term::{Atom, BigInt};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn expr(kind: Kind) -> Expr {
    Expr::new(kind, Span::default())
}

/// Pieces that texts of the language are made of, whole and broken.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b",
        "foo",
        "x",
        "Enum",
        "A.B",
        ":ok",
        ":\"a b\"",
        "nil",
        "true",
        "1",
        "2.5",
        "0x1F",
        "?a",
        "\"s\"",
        "'c'",
        "~w(a b)",
        "\"a#{",
        "}\"",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "%{",
        "<<",
        ">>",
        ",",
        ";",
        "\n",
        " ",
        " ",
        " ",
        ".",
        ".(",
        "..",
        "//",
        "|",
        "|>",
        "+",
        "-",
        " -1",
        "*",
        "=",
        "==",
        "=>",
        "->",
        "<-",
        "::",
        "&",
        "&1",
        "&2",
        "!",
        "not ",
        " in ",
        " and ",
        " or ",
        " when ",
        "^",
        "@",
        "fn ",
        " end",
        " do ",
        " else ",
        "if ",
        "case ",
        "for ",
        "with ",
        "a: ",
        "do: ",
        "foo(",
        "foo[",
        "\"\"\"\n",
        "#",
        "<>",
        "++",
        "**",
        "\\",
        "%",
        "Enum.map(",
        "[1, 2]",
        "raise ",
        "x = ",
        "#PID<0.1.0>",
        "cond ",
        "_",
        "é",
        "\u{1F600}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "foo", "x_1", "ok?", "go!", "_y", "self"]).prop_map(str::to_owned)
}

fn atom() -> impl Strategy<Value = Atom> {
    let texts = vec![
        "a", "ok", "nil", "true", "do", "end", "a b", "Elixir.A", "é", "+", "..", "{}", "a@b", "A", "", "\"", "a\nb",
        "#{",
    ];
    prop::sample::select(texts).prop_map(|text| Atom::new(text).expect("short"))
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 1..6);
    prop_oneof!["[ -~é\n\t\"'#{}\\\\]{1,8}".prop_map(String::into_bytes), bytes]
}

/// Texts of a part each or with code between them.
fn parts(code: impl Strategy<Value = Expr>) -> impl Strategy<Value = Vec<Part>> {
    (prop::option::of(text()), prop::option::of(code), prop::option::of(text())).prop_map(|(before, code, after)| {
        // Two texts in a row would be one.
        let after = after.filter(|_| code.is_some());
        before.map(Part::Text).into_iter().chain(code.map(Part::Code)).chain(after.map(Part::Text)).collect()
    })
}

fn leaf() -> impl Strategy<Value = Expr> {
    prop_oneof![
        any::<u32>().prop_map(|number| expr(Kind::Integer(BigInt::from(number)))),
        (0.0..1.0e20_f64).prop_map(|number| expr(Kind::Float(number))),
        atom().prop_map(|atom| expr(Kind::Atom(atom))),
        name().prop_map(|name| expr(Kind::Variable(name))),
        Just(expr(Kind::Alias("App.B".into()))),
        text().prop_map(|text| expr(Kind::Text(vec![Part::Text(text)]))),
        Just(expr(Kind::Text(Vec::new()))),
        text().prop_map(|text| expr(Kind::Charlist(vec![Part::Text(text)]))),
        (1..4_u32).prop_map(|number| expr(Kind::Placeholder(number))),
        Just(expr(Kind::FullRange)),
        Just(expr(Kind::Printed("#PID<0.110.0>".into()))),
    ]
}

fn pair(key: Atom, value: Expr) -> Expr {
    expr(Kind::Tuple(vec![expr(Kind::Atom(key)), value]))
}

const BINARY: [&str; 22] = [
    "<-", "when", "::", "|", "=", "||", "or", "&&", "and", "==", "=~", "<", ">=", "|>", "in", "++", "<>", "..", "+",
    "-", "*", "**",
];

fn clause(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Clause> {
    let arguments = prop::collection::vec(
        inner.clone().prop_filter("a block is no pattern", |one| {
            !matches!(one.kind, Kind::Clauses(_) | Kind::Binary("when", ..))
        }),
        1..3,
    );
    (arguments, prop::option::of(inner.clone()), inner).prop_map(|(arguments, guard, body)| Clause {
        arguments,
        guard,
        body,
    })
}

fn branch(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let list = || prop::collection::vec(inner.clone(), 0..4);
    let boxed = || inner.clone().prop_map(Box::new);
    let keywords = prop::collection::vec((atom(), inner.clone()), 1..3)
        .prop_map(|pairs| expr(Kind::List(pairs.into_iter().map(|(key, value)| pair(key, value)).collect())));
    let map = (prop::option::of(boxed()), prop::collection::vec((inner.clone(), inner.clone()), 1..3)).prop_map(
        |(base, pairs)| {
            expr(Kind::Map(base, pairs.into_iter().map(|(key, value)| expr(Kind::Tuple(vec![key, value]))).collect()))
        },
    );
    let block = (inner.clone(), inner.clone()).prop_map(|(one, two)| expr(Kind::Block(vec![one, two])));
    let callee = prop_oneof![
        name().prop_map(Callee::Local),
        (boxed(), name()).prop_map(|(left, name)| Callee::Remote(left, name)),
        boxed().prop_map(Callee::Value),
    ];
    let with_do = (name(), inner.clone(), inner.clone(), prop::option::of(inner.clone())).prop_map(
        |(name, condition, body, other)| {
            let other = other.map(|other| pair(beamline_term::atom("else"), other));
            let sections = std::iter::once(pair(beamline_term::atom("do"), body)).chain(other).collect();
            expr(Kind::Call(Callee::Local(name), vec![condition, expr(Kind::List(sections))]))
        },
    );
    prop_oneof![
        list().prop_map(|all| expr(Kind::List(all))),
        list().prop_map(|all| expr(Kind::Tuple(all))),
        list().prop_map(|all| expr(Kind::Bits(all))),
        keywords,
        map,
        Just(expr(Kind::Map(None, Vec::new()))),
        parts(inner.clone()).prop_map(|parts| expr(Kind::Text(parts))),
        (callee, list()).prop_map(|(callee, arguments)| expr(Kind::Call(callee, arguments))),
        with_do,
        (boxed(), name()).prop_map(|(left, name)| expr(Kind::Dot(left, name))),
        (boxed(), boxed()).prop_map(|(left, key)| expr(Kind::Access(left, key))),
        (prop::sample::select(vec!["!", "not", "-", "+", "^", "&"]), boxed())
            // Where parentheses are around a negation it is a block of one, as in Elixir.
            .prop_map(|(operator, operand)| (matches!(operator, "!" | "not"), expr(Kind::Unary(operator, operand))))
            .prop_map(|(negation, unary)| if negation { expr(Kind::Block(vec![unary])) } else { unary }),
        (prop::sample::select(BINARY.to_vec()), boxed(), boxed())
            .prop_map(|(operator, left, right)| expr(Kind::Binary(operator, left, right))),
        prop::collection::vec(clause(inner.clone()), 1..3).prop_map(|clauses| expr(Kind::Fn(clauses))),
        block,
        (boxed(), boxed(), boxed()).prop_map(|(first, last, step)| {
            expr(Kind::Binary("//", Box::new(expr(Kind::Binary("..", first, last))), step))
        }),
    ]
    .boxed()
}

fn tree() -> impl Strategy<Value = Expr> {
    leaf().boxed().prop_recursive(5, 40, 4, branch)
}

/// The same cases in each run, others with `PROPTEST_RNG_SEED`: what the formatter gets wrong in a rare corner is found by who
/// looks for it, not by who changed something else.
fn config() -> ProptestConfig {
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = parse(&text);
        let _ = cursor(&text);
        let parts = highlight(&text);
        prop_assert!(parts.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
    }

    #[test]
    fn what_is_read_is_written_the_same(text in soup()) {
        let _ = (highlight(&text), cursor(&text));
        match parse(&text) {
            Ok(expression) => {
                let written = format(&expression);
                let again = parse(&written);
                prop_assert_eq!(again.as_ref(), Ok(&expression), "{} is {}", text, written);
            }
            Err(error) => {
                let (line, column) = error.position(&text);
                prop_assert!(line >= 1 && column >= 1 && error.span().start <= text.len());
            }
        }
    }

    #[test]
    fn what_is_written_reads_the_same(expression in tree()) {
        let written = format(&expression);
        let again = parse(&written);
        prop_assert_eq!(again.as_ref(), Ok(&expression), "{}", written);
    }

    #[test]
    fn any_text_is_run_within_its_limits(text in soup()) {
        let limits = Limits { steps: 20_000, memory_bytes: 4 << 20, ..Limits::default() };
        let mut session = Session::new().with_limits(limits);
        if let Ok(mut evaluation) = session.start(&text) {
            loop {
                match evaluation.resume() {
                    Event::Call(call) => evaluation.answer(Err(call.undefined())),
                    Event::Done(_) => break,
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn nesting_ends_at_its_limit_and_not_at_the_stacks() {
    let many = 30_000;
    for (open, middle, close) in [
        ("(", "1", ")"),
        ("[", "", "]"),
        ("{", "", "}"),
        ("%{a: ", "1", "}"),
        ("<<", "", ">>"),
        ("f(", "", ")"),
        ("fn -> ", "1", " end"),
        ("!", "a", ""),
        ("a = ", "1", ""),
        ("- ", "1", ""),
        ("a.", "b", ""),
        ("f ", "1", ""),
        ("", "1", " + 1"),
        ("", "a", ".b"),
        ("", "a", "[0]"),
        ("if a do ", "1", " end"),
        ("& ", "&1", ""),
        ("not ", "a", ""),
        ("a |> ", "b", ""),
        ("[a | ", "b", "]"),
        ("%", "a", ""),
        ("@", "a", ""),
        ("(x -> ", "1", ")"),
        ("\"#{", "1", "}\""),
        ("a: ", "1", ""),
        ("", "f", "()"),
        ("", "f", ".()"),
        ("a ++ ", "b", ""),
        ("~s(", "#{", ")"),
    ] {
        for count in [30, many] {
            let source = [open.repeat(count), middle.to_owned(), close.repeat(count)].concat();
            let source = source.get(..65_000).unwrap_or(&source);
            let _ = (highlight(source), cursor(source));
            match parse(source) {
                Ok(expression) => {
                    assert!(expression.height() <= Limits::default().source_depth);
                    assert_eq!(parse(&format(&expression)).as_ref(), Ok(&expression), "{open}");
                    if let Ok(mut evaluation) = Session::new().start(source) {
                        drop(evaluation.resume());
                    }
                }
                Err(SyntaxError::Incomplete { .. } | SyntaxError::Wrong { .. } | SyntaxError::Limit { .. }) => {}
                Err(other) => panic!("{open}: {other}"),
            }
        }
    }
}
