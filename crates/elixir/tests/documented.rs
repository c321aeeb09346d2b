//! The page about the language lists every function that is known, and no other.

use std::collections::BTreeMap;

use beamline_elixir::functions;

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
