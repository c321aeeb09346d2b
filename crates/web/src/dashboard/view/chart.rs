//! Line charts as SVG, drawn here: the browser needs no script for them.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::unit;

const WIDTH: f32 = 720.0;
const HEIGHT: f32 = 200.0;
const LEFT: f32 = 64.0;
const RIGHT: f32 = 10.0;
const TOP: f32 = 10.0;
const BOTTOM: f32 = 24.0;

/// A gap in the points that is longer than this many seconds breaks the line.
const GAP: f32 = 15.0;

/// What the values of a chart are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    BytesPerSecond,
    Count,
    /// From 0 to 1.
    Share,
}

impl Unit {
    pub(crate) fn show(self, value: f32) -> String {
        match self {
            Unit::Bytes => unit::bytes(value.max(0.0) as u64),
            Unit::BytesPerSecond => format!("{}/s", unit::bytes(value.max(0.0) as u64)),
            Unit::Count => unit::count(value.max(0.0).round() as u64),
            Unit::Share => unit::percent(f64::from(value)),
        }
    }

    /// A round number that is not below, for the top of the axis.
    fn ceiling(self, most: f32) -> f32 {
        match self {
            Unit::Share => 1.0,
            Unit::Bytes | Unit::BytesPerSecond => {
                let mut step = 1024.0_f32;
                while step < most {
                    step *= 2.0;
                }
                step
            }
            Unit::Count => {
                let mut step = 1.0_f32;
                loop {
                    match [1.0, 2.0, 5.0].map(|times| step * times).into_iter().find(|top| *top >= most) {
                        Some(top) => return top.max(4.0),
                        None => step *= 10.0,
                    }
                }
            }
        }
    }
}

/// A line: its name, and its points as (seconds before now, value), the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f32, f32)>,
}

impl Line {
    fn last(&self) -> Option<f32> {
        self.points.iter().rev().map(|(_, value)| *value).find(|value| value.is_finite())
    }
}

/// A chart over `span` seconds until now, with its legend, which tells the last values.
pub(crate) fn chart(id: &str, title: &str, unit: Unit, span: f32, lines: &[Line]) -> Markup {
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    let most = values.filter(|value| value.is_finite()).fold(0.0_f32, f32::max).min(1e18);
    let top = unit.ceiling(most);
    let summary = lines.iter().filter_map(|line| Some(format!("{} {}", line.name, unit.show(line.last()?))));
    let summary = format!("{title}: {}", summary.collect::<Vec<_>>().join(", "));
    html! {
        figure.panel id=(id) {
            figcaption { strong { (title) } }
            svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) {
                @for part in [0.0_f32, 0.5, 1.0] {
                    line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y(part)) y2=(y(part)) {}
                    text x=(LEFT - 6.0) y=(y(part) + 4.0) text-anchor="end" { (unit.show(top * part)) }
                }
                @for part in [0.0_f32, 1.0 / 3.0, 2.0 / 3.0, 1.0] {
                    text x=(x(span * part, span)) y=(HEIGHT - 6.0) text-anchor=(if part == 0.0 { "end" } else { "middle" }) {
                        @if part == 0.0 { "now" } @else { "−" (format!("{:.0}", span * part / 60.0)) " min" }
                    }
                }
                @for (number, line) in lines.iter().enumerate() {
                    g class={ "c" (number % 8 + 1) } {
                        path.line d=(PreEscaped(path(&line.points, span, top))) {}
                    }
                }
            }
            ul.legend {
                @for (number, line) in lines.iter().enumerate() {
                    li class={ "c" (number % 8 + 1) } { (line.name) " " (unit::or_dash(line.last().map(|last| unit.show(last)))) }
                }
            }
        }
    }
}

fn x(before: f32, span: f32) -> f32 {
    let width = WIDTH - LEFT - RIGHT;
    ((WIDTH - RIGHT - before / span * width) * 10.0).round() / 10.0
}

fn y(part: f32) -> f32 {
    let height = HEIGHT - TOP - BOTTOM;
    ((TOP + (1.0 - part.clamp(0.0, 1.0)) * height) * 10.0).round() / 10.0
}

/// Numbers and letters only, so that nothing needs to be escaped.
fn path(points: &[(f32, f32)], span: f32, top: f32) -> String {
    let mut out = String::new();
    let mut before: Option<f32> = None;
    for (age, value) in points.iter().filter(|(age, _)| (0.0..=span).contains(age)) {
        if !value.is_finite() {
            before = None;
            continue;
        }
        let letter = if before.is_some_and(|before| before - age <= GAP) { 'L' } else { 'M' };
        // Writing into a String does not fail.
        let _ = write!(out, "{letter}{} {}", x(*age, span), y(value / top));
        before = Some(*age);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_nothing_is_known() {
        let points = [(30.0, 1.0), (29.0, 2.0), (28.0, f32::NAN), (27.0, 1.0), (5.0, 1.0), (4.0, 1.0)];
        let path = path(&points, 60.0, 2.0);
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (3, 2), "{path}");
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!([0.0, 3.0, 51.0, 900.0].map(|most| Unit::Count.ceiling(most)), [4.0, 5.0, 100.0, 1000.0]);
        assert_eq!([10.0, 5000.0].map(|most| Unit::Bytes.ceiling(most)), [1024.0, 8192.0]);
        assert!(Unit::Count.ceiling(1e18).is_finite());
    }

    #[test]
    fn a_chart_tells_its_last_values_in_words() {
        let lines = [Line { name: "total", points: vec![(2.0, 1024.0), (1.0, 2048.0), (0.0, f32::NAN)] }];
        let chart = chart("memory", "Memory", Unit::Bytes, 900.0, &lines).into_string();
        assert!(chart.contains("aria-label=\"Memory: total 2.0 KiB\""), "{chart}");
        assert!(!chart.contains("style="));
    }
}
