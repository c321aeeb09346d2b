//! What `h` says of the functions that are known here: a line each in `docs/*.txt`, under the names of their modules.

use std::ops::RangeInclusive;

const PAGES: [&str; 5] = [
    include_str!("docs/kernel.txt"),
    include_str!("docs/enum.txt"),
    include_str!("docs/string.txt"),
    include_str!("docs/collections.txt"),
    include_str!("docs/others.txt"),
];

/// What is said of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Documentation {
    /// Its module, without `Elixir.`.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arities: RangeInclusive<usize>,
    /// How it is called, without its module. An argument with a question mark may be left out.
    pub signature: &'static str,
    /// A sentence.
    pub text: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
}

/// What is said of every function that is known here.
///
/// ```
/// let map = beamline_elixir::documentation().find(|doc| (doc.module, doc.name) == ("Enum", "map")).unwrap();
/// assert_eq!((map.signature, map.arities), ("map(enumerable, fun)", 2..=2));
/// ```
pub fn documentation() -> impl Iterator<Item = Documentation> {
    let lines = PAGES.iter().flat_map(|page| page.lines());
    lines
        .scan("", |module, line| {
            if let Some(name) = line.strip_prefix("# ") {
                *module = name;
            }
            Some((*module, line))
        })
        .filter_map(|(module, line)| read(module, line))
}

fn read(module: &'static str, line: &'static str) -> Option<Documentation> {
    let mut columns = line.splitn(4, " | ");
    let (name, arities) = columns.next()?.rsplit_once('/')?;
    let (least, most) = arities.split_once("..").unwrap_or((arities, arities));
    Some(Documentation {
        module,
        name,
        arities: least.parse().ok()?..=most.parse().ok()?,
        signature: columns.next()?,
        text: columns.next()?,
        example: columns.next()?,
    })
}
