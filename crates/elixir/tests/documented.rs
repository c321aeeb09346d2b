//! The page about the language lists every function that is known, and no other, and so does what `h` says.

use std::collections::BTreeMap;

use beamline_elixir::{Event, Session, documentation, functions};

#[test]
fn the_page_lists_every_function() {
    let page = include_str!("../../../docs/shell-language.md");
    let mut listed: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for row in page.lines().skip_while(|line| *line != "## Functions").filter(|line| line.starts_with("| `")) {
        let mut cells = row.trim_matches('|').splitn(2, " | ");
        let module = cells.next().unwrap_or_default().trim().trim_matches('`');
        for entry in cells.next().unwrap_or_default().split(", ") {
            let entry = entry.trim().trim_matches('`').replace("\\|", "|");
            let (name, arities) = entry.rsplit_once('/').expect("a name and how many arguments it takes");
            let (least, most) = arities.split_once("..").unwrap_or((arities, arities));
            let number = |text: &str| text.parse::<usize>().expect("a number");
            let arities = number(least)..=number(most);
            listed.entry((module.to_owned(), name.to_owned())).or_default().extend(arities);
        }
    }
    let mut known: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    // What `dbg` is made of.
    for (module, name, arity) in functions().into_iter().filter(|(module, name, _)| (*module, *name) != ("IO", "dbg")) {
        known.entry((module.to_owned(), name.to_owned())).or_default().push(arity);
    }
    assert_eq!(listed, known);
}

#[test]
fn help_tells_of_every_function_by_an_example_that_runs() {
    let mut told: Vec<(&str, &str, usize)> =
        documentation().flat_map(|doc| doc.arities.map(move |arity| (doc.module, doc.name, arity))).collect();
    told.sort_unstable();
    let mut known = functions();
    known.retain(|(module, name, _)| (*module, *name) != ("IO", "dbg"));
    assert_eq!(told, known);
    for doc in documentation() {
        assert!(doc.text.ends_with('.') && doc.text.len() < 120, "{doc:?}");
        let mut session = Session::new();
        let mut evaluation = session.start(doc.example).unwrap_or_else(|error| panic!("{}: {error}", doc.example));
        loop {
            match evaluation.resume() {
                Event::Call(call) => panic!("{} needs a node: {call:?}", doc.example),
                Event::Done(result) => {
                    break result.map(drop).unwrap_or_else(|error| panic!("{}: {error}", doc.example));
                }
                _ => {}
            }
        }
    }
}
