//! What programs print for terminals, as HTML: colours and weights become classes, everything else of a terminal is left out.

use maud::{Markup, html};

/// How text is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Style {
    /// One of the sixteen colours.
    colour: Option<u8>,
    ground: Option<u8>,
    is_bold: bool,
    is_faint: bool,
    is_italic: bool,
    is_underlined: bool,
}

impl Style {
    fn classes(self) -> String {
        let colours = [("f", self.colour), ("g", self.ground)];
        let mut classes: Vec<String> =
            colours.into_iter().filter_map(|(name, colour)| Some(format!("{name}{}", colour?))).collect();
        let flags = [("b", self.is_bold), ("l", self.is_faint), ("i", self.is_italic), ("u", self.is_underlined)];
        classes.extend(flags.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned()));
        classes.join(" ")
    }

    /// Takes the numbers of one sequence.
    fn apply(&mut self, numbers: &str) {
        let mut numbers = numbers.split([';', ':']).map(|number| number.parse::<u16>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            let small = |number: u16| u8::try_from(number).ok();
            match number {
                0 => *self = Style::default(),
                1 => self.is_bold = true,
                2 => self.is_faint = true,
                3 => self.is_italic = true,
                4 => self.is_underlined = true,
                22 => (self.is_bold, self.is_faint) = (false, false),
                23 => self.is_italic = false,
                24 => self.is_underlined = false,
                30..=37 => self.colour = small(number - 30),
                39 => self.colour = None,
                40..=47 => self.ground = small(number - 40),
                49 => self.ground = None,
                90..=97 => self.colour = small(number - 82),
                100..=107 => self.ground = small(number - 92),
                38 | 48 => {
                    let colour = match numbers.next() {
                        Some(5) => numbers.next().and_then(sixteen),
                        Some(2) => {
                            numbers.by_ref().take(3).for_each(drop);
                            None
                        }
                        _ => None,
                    };
                    if number == 38 { self.colour = colour } else { self.ground = colour }
                }
                _ => {}
            }
        }
    }
}

/// The nearest of sixteen colours, of 256.
fn sixteen(number: u16) -> Option<u8> {
    match number {
        0..=15 => u8::try_from(number).ok(),
        16..=231 => {
            let cube = number - 16;
            let is_on = |level: u16| u8::from(level >= 3);
            let base = is_on(cube / 36) | is_on(cube / 6 % 6) << 1 | is_on(cube % 6) << 2;
            Some(base + 8 * u8::from(base > 0))
        }
        232..=243 => Some(8),
        _ => Some(7),
    }
}

/// The text with its colours.
pub(super) fn html(text: &str) -> Markup {
    let parts = parts(text);
    html! {
        @for (style, text) in &parts {
            @if *style == Style::default() { (text) } @else { span class=(style.classes()) { (text) } }
        }
    }
}

fn parts(text: &str) -> Vec<(Style, String)> {
    let mut parts: Vec<(Style, String)> = Vec::new();
    let mut style = Style::default();
    let mut rest = text;
    while let Some(at) = rest.find(['\u{1b}', '\u{7}', '\u{8}']) {
        push(&mut parts, style, &rest[..at]);
        rest = skip(&rest[at..], &mut style);
    }
    push(&mut parts, style, rest);
    parts
}

fn push(parts: &mut Vec<(Style, String)>, style: Style, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some((last, before)) if *last == style => before.push_str(text),
        _ => parts.push((style, text.to_owned())),
    }
}

/// What follows the sequence at the beginning of a text.
fn skip<'a>(text: &'a str, style: &mut Style) -> &'a str {
    let Some(inner) = text.strip_prefix('\u{1b}') else { return &text[1..] };
    if let Some(inner) = inner.strip_prefix('[') {
        let Some(end) = inner.find(|char| ('@'..='~').contains(&char)) else { return "" };
        if inner[end..].starts_with('m') {
            style.apply(&inner[..end]);
        }
        return &inner[end + 1..];
    }
    if let Some(inner) = inner.strip_prefix(']') {
        let end = inner.find(['\u{7}', '\u{1b}']);
        return end.map_or("", |end| inner[end..].trim_start_matches('\u{7}').trim_start_matches("\u{1b}\\"));
    }
    let mut chars = inner.chars();
    chars.next();
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_text_is_escaped() {
        assert_eq!(html("a<b \u{1b}[31mred\u{1b}[0m &").0, "a&lt;b <span class=\"f1\">red</span> &amp;");
        assert_eq!(
            html("\u{1b}[1;33;44mx\u{1b}[22my").0,
            "<span class=\"f3 g4 b\">x</span><span class=\"f3 g4\">y</span>"
        );
        assert_eq!(html("\u{1b}[91mx\u{1b}[39m\u{1b}[38;5;196my\u{1b}[mz").0, "<span class=\"f9\">xy</span>z");
        assert_eq!(html("\u{1b}[38;2;1;2;3mx").0, "x");
    }

    #[test]
    fn what_moves_a_cursor_is_left_out() {
        assert_eq!(
            html("a\u{1b}[2Kb\u{1b}[10;5Hc\u{1b}]0;title\u{7}d\u{1b}]8;;x\u{1b}\\e\u{7}f\u{1b}(Bg").0,
            "abcdefBg"
        );
        assert_eq!(html("a\u{1b}[31").0, "a");
        assert_eq!(html("a\u{1b}").0, "a");
    }
}
