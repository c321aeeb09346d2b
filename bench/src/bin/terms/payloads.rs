//! The terms that are measured: what nodes send each other, and the shapes that other codecs are slow at.

use beamline_term::{Atom, Creation, Pid, Reference, Term, atom};

pub fn payloads() -> Vec<(&'static str, Term)> {
    let node = atom("some_service@10.20.30.40");
    let pid = Pid::new(node.clone(), 100, 0, Creation::new(1_700_000_000));
    let reference = Reference::at(pid.origin(), &[1, 2, 3, 4, 5]).expect("5 words");
    let row = |number: i64| -> Term {
        Term::list([
            (atom("id"), number).into(),
            (atom("name"), "a name of someone").into(),
            (atom("tags"), Term::list([atom("a").into(), atom("b").into(), Term::from(1.5)])).into(),
            (atom("at"), (2024, 2, 29)).into(),
        ])
    };
    let key = |number: usize| Term::Atom(Atom::new(&format!("key_{number}")).expect("short"));
    vec![
        ("{ok, 42, <<\"abc\">>}", (atom("ok"), 42, "abc").into()),
        (
            "$gen_call, 196 B",
            (
                atom("$gen_call"),
                (pid, Term::improper([atom("alias").into()], reference.into())),
                (atom("get"), "some key", Term::map([(atom("timeout").into(), 5000.into())]), 1.5),
            )
                .into(),
        ),
        ("1000 small integers", Term::list((0..1000).map(|number| Term::from(number * 3)))),
        ("map of 100, atom to binary", Term::map((0..100).map(|number| (key(number), "some value".into())))),
        ("nested property list, 8.5 KB", Term::list((0..80).map(row))),
        ("10 000 floats", Term::list((0..10_000).map(|number| Term::from(f64::from(number) * 1.1)))),
        ("1000 nested lists", Term::list((0..1000).map(|number| Term::list([Term::from(number), atom("x").into()])))),
        ("1 MB binary", vec![7_u8; 1 << 20].into()),
    ]
}
