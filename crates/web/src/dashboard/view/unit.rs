//! Figures with their units, and how full something is.

use std::time::Duration;

use maud::{Markup, html};

/// `3.2 MiB`
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut place = 0;
    // What would be rounded to 1024 is one of the next unit.
    while value >= 1023.95 && place + 1 < UNITS.len() {
        value /= 1024.0;
        place += 1;
    }
    let digits = usize::from(value < 100.0);
    format!("{value:.digits$} {}", UNITS[place])
}

/// `100 057`, with narrow spaces that do not break.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// The two largest units: `3 d 4 h`, `12 min`, `8 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// As JSON has times.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// `14 ms`, `1.2 s`
pub(crate) fn short(time: Duration) -> String {
    match time.as_millis() {
        0 => "under 1 ms".to_owned(),
        milliseconds @ 1..1000 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// `12 %`, of a share from 0 to 1.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let digits = usize::from(percent < 10.0 && percent > 0.0);
    format!("{percent:.digits$} %")
}

/// Or a dash with a word for who cannot see it.
pub(crate) fn or_dash(figure: Option<String>) -> Markup {
    html! {
        @match figure {
            Some(figure) => (figure),
            None => span.quiet title="The node does not tell." { "–" },
        }
    }
}

/// How much of a limit is too much: from 70 % on a warning, from 85 % on bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fullness {
    Fine,
    Filling,
    Full,
}

impl Fullness {
    pub(crate) fn of(share: f64) -> Fullness {
        match share {
            share if share >= 0.85 => Fullness::Full,
            share if share >= 0.7 => Fullness::Filling,
            _ => Fullness::Fine,
        }
    }

    /// Beside the colour, so that it is not told by colour alone.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Fullness::Fine => "",
            Fullness::Filling => "filling",
            Fullness::Full => "nearly full",
        }
    }

    /// The class of its text.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Fullness::Fine => "",
            Fullness::Filling => "warn",
            Fullness::Full => "bad",
        }
    }
}

/// How much of a limit is used, as a bar and in words.
pub(crate) fn meter(what: &str, used: u64, limit: u64) -> Markup {
    let share = if limit == 0 { 0.0 } else { used as f64 / limit as f64 };
    let fullness = Fullness::of(share);
    html! {
        meter min="0" max="1" low="0.7" high="0.85" optimum="0" value=(format!("{share:.3}")) aria-label=(what) {}
        " " (count(used)) span.quiet { " of " (count(limit)) } " "
        span class=(fullness.class()) { (percent(share)) " " (fullness.word()) }
    }
}

/// A figure whose meaning shows when the pointer rests on its name.
pub(crate) fn card(label: &str, hint: &str, value: impl maud::Render, more: &str) -> Markup {
    html! {
        li.card {
            div.label { abbr title=(hint) { (label) } }
            div.value { (value) }
            @if !more.is_empty() { div.more { (more) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_units() {
        assert_eq!([0, 1023, 1024, 1536, 104_857_600].map(bytes), ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "100 MiB"]);
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16384 PiB");
        assert_eq!([0, 999, 1000, 100_057].map(count), ["0", "999", "1\u{202f}000", "100\u{202f}057"]);
        let seconds = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!([8, 60, 3700, 100_000].map(seconds), ["8 s", "1 min", "1 h 1 min", "1 d 3 h"]);
        assert_eq!([0.0, 0.031, 0.5].map(percent), ["0 %", "3.1 %", "50 %"]);
    }

    #[test]
    fn a_limit_that_is_nearly_reached_is_told_in_a_word_too() {
        let shown = |used| meter("Processes", used, 100).into_string();
        assert!(!shown(69).contains("filling") && shown(70).contains("filling") && shown(85).contains("nearly full"));
        assert!(meter("x", 1, 0).into_string().contains("0 %"));
    }
}
