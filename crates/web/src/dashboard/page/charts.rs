//! The last 15 minutes of a node: full when the page is opened, since the dashboard remembers.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::super::source::history::{History, Point, SPAN, Series};
use super::super::view::chart::{Line, Unit, chart};
use super::super::view::unit;
use super::subject::{Named, member};
use crate::site::{Page, Problem, Site};

/// `/n/{node}/charts`
pub(super) struct Charts;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    node: Named,
}

/// Columns of figures, as JSON shows them. `null` is what was not known.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    node: String,
    /// How long ago each point was, in milliseconds; the oldest first.
    age_ms: Vec<u64>,
    series: Vec<Values>,
}

#[derive(Debug, Serialize)]
struct Values {
    series: Series,
    /// Bytes, a count, a share from 0 to 1, or bytes a second.
    values: Vec<Option<f32>>,
}

const ALL: [Series; 11] = [
    Series::MemoryTotal,
    Series::MemoryProcesses,
    Series::MemoryBinary,
    Series::MemoryCode,
    Series::MemoryEts,
    Series::MemoryAtom,
    Series::Processes,
    Series::RunQueue,
    Series::Utilisation,
    Series::IoIn,
    Series::IoOut,
];

impl View {
    fn of(node: String, history: &History) -> View {
        let now = Instant::now();
        let age = |point: &Point| unit::milliseconds(now.duration_since(point.at));
        let values = |series: Series| {
            let known = |point: &Point| Some(point.value(series)).filter(|value| value.is_finite());
            Values { series, values: history.points().map(known).collect() }
        };
        View { node, age_ms: history.points().map(age).collect(), series: ALL.map(values).into() }
    }

    fn line(&self, name: &'static str, series: Series) -> Line {
        let found = self.series.iter().find(|values| values.series == series);
        let values = found.map(|values| values.values.as_slice()).unwrap_or_default();
        let points = self.age_ms.iter().zip(values);
        Line { name, points: points.map(|(age, value)| (*age as f32 / 1000.0, value.unwrap_or(f32::NAN))).collect() }
    }
}

impl Page for Charts {
    type Ask = Asked;
    type View = View;
    const PATH: &'static str = "/n/{node}/charts";

    async fn load(site: &Site, ask: &Asked) -> Result<View, Problem> {
        match site.sources().history(&ask.node.0) {
            Some(history) => Ok(View::of(ask.node.0.to_string(), &history)),
            // It says why there is none.
            None => member(site, &ask.node).await.map(|found| View::of(found.name.to_string(), &History::default())),
        }
    }

    fn title(_ask: &Asked, view: &View) -> String {
        format!("Charts of {}", view.node)
    }

    fn body(_site: &Site, _ask: &Asked, view: &View) -> Markup {
        let span = SPAN.as_secs_f32();
        let draw = |id: &str, title: &str, unit: Unit, lines: &[(&'static str, Series)]| {
            let lines: Vec<Line> = lines.iter().map(|(name, series)| view.line(name, *series)).collect();
            chart(id, title, unit, span, &lines)
        };
        html! {
            h1 { "Charts of " (view.node) }
            div.columns {
                (draw("memory", "Memory", Unit::Bytes, &[
                    ("total", Series::MemoryTotal),
                    ("processes", Series::MemoryProcesses),
                    ("binaries", Series::MemoryBinary),
                    ("code", Series::MemoryCode),
                    ("ETS", Series::MemoryEts),
                    ("atoms", Series::MemoryAtom),
                ]))
                (draw("load", "Scheduler utilisation", Unit::Share, &[("busy", Series::Utilisation)]))
                (draw("queue", "Run queue", Unit::Count, &[("waiting", Series::RunQueue)]))
                (draw("processes", "Processes", Unit::Count, &[("alive", Series::Processes)]))
                (draw("io", "Ports and connections", Unit::BytesPerSecond, &[("in", Series::IoIn), ("out", Series::IoOut)]))
            }
            p.hint {
                "A point a second while somebody looks, else every five. Utilisation is counted only while somebody looks, "
                "since the node must be told to count."
            }
        }
    }

    fn node(ask: &Asked) -> Option<String> {
        Some(ask.node.as_str().to_owned())
    }
}
