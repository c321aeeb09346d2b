//! The text of a cell as HTML. HTML in it is shown as text; links lead to where a link may lead; pictures are links, since the
//! page loads nothing from elsewhere.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

/// Makes HTML of Markdown.
pub(super) fn html(source: &str) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    // Whether each link that is open is shown as one.
    let mut links: Vec<bool> = Vec::new();
    let events = Parser::new_ext(source, options).filter_map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => {
            // Comments are notes to whoever reads the file.
            if text.trim_start().starts_with("<!--") { None } else { Some(Event::Text(text)) }
        }
        Event::Start(Tag::Link { dest_url, title, id, .. } | Tag::Image { dest_url, title, id, .. }) => {
            let is_allowed = may_lead(&dest_url);
            links.push(is_allowed);
            is_allowed.then_some(Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, id }))
        }
        Event::End(TagEnd::Link | TagEnd::Image) => links.pop().unwrap_or(false).then_some(Event::End(TagEnd::Link)),
        // Alignment is written as a style, which the page does not allow.
        Event::Start(Tag::Table(columns)) => {
            Some(Event::Start(Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()])))
        }
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::InlineMath(text) | Event::DisplayMath(text) => Some(Event::Code(text)),
        other => Some(other),
    });
    let mut out = String::with_capacity(source.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut out, events);
    PreEscaped(out)
}

/// Only to pages of the web, to mail, and to places of this site: never `javascript:` or what else a browser would run.
fn may_lead(target: &CowStr<'_>) -> bool {
    let target = target.trim();
    let scheme = target.split(['/', '?', '#']).next().unwrap_or_default();
    match scheme.split_once(':') {
        Some((scheme, _)) => ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known)),
        // A relative one; `//host` leads to a page of the web as well.
        None => !target.contains(char::is_control),
    }
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn markup_is_made_of_markdown() {
        assert_eq!(html("a *b* `c`").0, "<p>a <em>b</em> <code>c</code></p>\n");
        assert!(html("| a |\n| :-: |\n| 1 |").0.contains("<td>1</td>"));
        assert!(html("- [x] done").0.contains("checkbox"));
    }

    #[test]
    fn html_is_text_and_comments_are_nothing() {
        assert_eq!(html("a <b>c</b>").0, "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n");
        let block = html("<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n").0;
        assert!(!block.contains("<script") && !block.contains("<img"), "{block}");
        assert!(!html("<!-- note -->\n").0.contains("note"));
    }

    #[test]
    fn links_lead_where_links_may() {
        for good in
            ["https://a.b/c:d", "http://a", "mailto:a@b.c", "other.livemd", "#part", "/n/app", "MAILTO:a@b.c", "a/b:c"]
        {
            assert!(html(&format!("[x]({good})")).0.contains("<a href="), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "&#106;avascript:x",
        ] {
            assert!(!html(&format!("[x]({bad})")).0.contains("<a"), "{bad}");
            assert!(!html(&format!("![x]({bad})")).0.contains("<a"), "{bad}");
            assert!(!html(&format!("<{bad}>")).0.contains("<a"), "{bad}");
        }
        assert_eq!(html("![cat](https://a.b/cat.png)").0, "<p><a href=\"https://a.b/cat.png\">cat</a></p>\n");
        assert!(!html("<p style=\"x\">\n").0.contains("<p style"));
    }
}
