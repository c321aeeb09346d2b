//! Markdown tables and how figures are written in them.

/// A table under construction.
pub struct Table {
    lines: Vec<String>,
}

impl Table {
    pub fn new(columns: &[&str]) -> Table {
        let rule = vec!["---"; columns.len()].join(" | ");
        Table { lines: vec![format!("| {} |", columns.join(" | ")), format!("| {rule} |")] }
    }

    pub fn row(&mut self, cells: &[String]) {
        self.lines.push(format!("| {} |", cells.join(" | ")));
    }

    pub fn finish(self) -> String {
        self.lines.join("\n")
    }
}

/// Three digits that count.
pub fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// As [`figure`]; a dash for nothing.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), figure)
}

/// Thousands and millions a second.
pub fn rate(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value >= 1e6 => format!("{}M", figure(value / 1e6)),
        Some(value) if value >= 1e3 => format!("{}k", figure(value / 1e3)),
        Some(value) => figure(value),
    }
}

/// A bound that a value is held to.
#[derive(Clone, Copy)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Bound::AtMost(most) => value <= most,
            Bound::AtLeast(least) => value >= least,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Bound::AtMost(most) => write!(f, "≤ {most}"),
            Bound::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// What we aim at, and whether it is reached.
pub struct Aims {
    table: Table,
    /// The values were measured while others were busy.
    noisy: bool,
}

impl Aims {
    pub fn new(noisy: bool) -> Aims {
        Aims { table: Table::new(&["aim", "value", "must", "", "goal", ""]), noisy }
    }

    /// `value` is none where something it needs is missing.
    pub fn check(&mut self, what: &str, value: Option<f64>, must: Bound, goal: Bound) {
        let verdict = |bound: Bound| match value {
            None => "not measured",
            Some(_) if self.noisy => "no quiet round",
            Some(value) if bound.holds(value) => "met",
            Some(_) => "**missed**",
        };
        let (must_is, goal_is) = (verdict(must).to_owned(), verdict(goal).to_owned());
        self.table.row(&[what.to_owned(), maybe(value), must.to_string(), must_is, goal.to_string(), goal_is]);
    }

    /// Nothing if nothing was checked.
    pub fn finish(self) -> String {
        if self.table.lines.len() > 2 { self.table.finish() } else { String::new() }
    }
}
