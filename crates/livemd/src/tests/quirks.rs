//! Where EarmarkParser is not CommonMark. Each case was measured with version 1.4.46.

use super::{outline, outline_of};

#[test]
fn a_longer_fence_does_not_close() {
    assert_eq!(
        outline_of(&["## S", "", "```elixir", "1", "````", "", "## T"]),
        "# Untitled notebook\n## S\nelixir \"1\\n````\\n\\n## T\"\n\
         ! line 3: the block opened with ``` is not closed: all below belongs to it"
    );
}

#[test]
fn a_fence_with_a_language_closes() {
    assert_eq!(
        outline_of(&["## S", "", "```elixir", "1", "```elixir", "2"]),
        "# Untitled notebook\n## S\nelixir \"1\"\ntext \"2\""
    );
}

#[test]
fn a_fence_with_two_words_is_text() {
    assert_eq!(
        outline_of(&["## S", "", "```elixir foo", "1", "```"]),
        "# Untitled notebook\n## S\ntext \"```elixir foo\\n1\\n```\""
    );
}

#[test]
fn tildes_make_cells_too() {
    assert_eq!(outline_of(&["## S", "", "~~~elixir", "1", "~~~"]), "# Untitled notebook\n## S\nelixir \"1\"");
}

#[test]
fn an_indented_fence_keeps_the_indent_of_its_code() {
    assert_eq!(
        outline_of(&["## S", "", "   ```elixir", "   1", "  2", "   ```"]),
        "# Untitled notebook\n## S\nelixir \"   1\\n  2\""
    );
    assert_eq!(
        outline_of(&["## S", "", "    ```elixir", "    1", "    ```"]),
        "# Untitled notebook\n## S\ntext \"    ```elixir\\n    1\\n    ```\""
    );
}

#[test]
fn an_unclosed_fence_is_code_to_the_end() {
    assert_eq!(
        outline("## S\n\n```elixir\n1\n\n2\n\n  \n"),
        "# Untitled notebook\n## S\nelixir \"1\\n\\n2\"\n\
         ! line 3: the block opened with ``` is not closed: all below belongs to it"
    );
}

#[test]
fn underlined_text_is_a_heading() {
    assert_eq!(
        outline_of(&["Title", "=====", "", "Section", "---", "", "Other", "-"]),
        "# Title\n## Section\n## Other"
    );
}

#[test]
fn two_lines_that_are_underlined_are_no_heading() {
    assert_eq!(outline_of(&["# N", "", "## S", "", "a", "b", "---"]), "# N\n## S\ntext \"a\\nb\\n---\"");
}

#[test]
fn number_signs_that_are_no_headings() {
    assert_eq!(
        outline_of(&["#A", "", "   ## S", "", "##"]),
        "# Untitled notebook\n## Section\ntext \"#A\\n\\n   ## S\\n\\n##\""
    );
}

#[test]
fn a_section_without_a_name() {
    assert_eq!(outline_of(&["# N", "", "## "]), "# N\n## ");
}

#[test]
fn what_ends_a_heading_is_taken_off() {
    assert_eq!(
        outline_of(&["# N ##", "", "## S {: .x}", "", "## F#", "", "## a # b #"]),
        "# N\n## S\n## F\n## a # b #"
    );
}

#[test]
fn headings_within_other_blocks_are_text() {
    assert_eq!(
        outline_of(&[
            "# N", "", "## S", "", "<div>", "", "## A", "", "</div>", "", "* item", "", "  ## B", "", "> ## C", "",
            "```", "## D", "```"
        ]),
        "# N\n## S\ntext \"<div>\\n\\n## A\\n\\n</div>\\n\\n* item\\n\\n  ## B\\n\\n> ## C\\n\\n```\\n## D\\n```\""
    );
}

#[test]
fn an_element_that_is_not_closed_takes_the_rest() {
    assert_eq!(
        outline_of(&["## S", "", "<div>", "", "## T"]),
        "# Untitled notebook\n## S\ntext \"<div>\\n\\n## T\"\n! line 3: <div> is not closed: all below belongs to it"
    );
}

#[test]
fn elements_on_one_line_take_nothing() {
    for element in
        ["<br>", "<img src=\"a.png\">", "<b>bold</b>", "<x/>", "<a href=\"x\">y</a> z", "</div>", "<https://a.b>"]
    {
        let outline = outline_of(&["## S", "", element, "", "## T"]);
        assert!(outline.ends_with("\n## T"), "{element}: {outline}");
    }
}

#[test]
fn a_comment_needs_no_blank_lines_or_spaces() {
    assert_eq!(
        outline_of(&["## S", "   <!--livebook:{\"a\":1}-->", "```elixir", "1", "```"]),
        "# Untitled notebook\n## S\nelixir \"1\" <!-- livebook:{\"a\":1} -->"
    );
}

#[test]
fn data_may_stand_on_a_line_of_its_own_within_a_comment() {
    assert_eq!(
        outline_of(&["## S", "", "<!--", "livebook:{\"a\":1}", "-->", "", "```elixir", "1", "```"]),
        "# Untitled notebook\n## S\nelixir \"1\" <!-- livebook:{\"a\":1} -->"
    );
}

#[test]
fn what_follows_a_comment_on_its_line_is_lost() {
    assert_eq!(
        outline_of(&[
            "## S",
            "",
            "<!-- livebook:{\"a\":1} --> <!-- livebook:{\"b\":1} -->",
            "",
            "```elixir",
            "1",
            "```"
        ]),
        "# Untitled notebook\n## S\nelixir \"1\" <!-- livebook:{\"a\":1} -->"
    );
    assert_eq!(
        outline_of(&["## S", "", "<!-- livebook:{\"a\":1} -->tail", "", "```elixir", "1", "```"]),
        "# Untitled notebook\n## S\nelixir \"1\" <!-- livebook:{\"a\":1} -->"
    );
}

#[test]
fn an_arrow_within_data_ends_the_comment() {
    let outline = outline_of(&["## S", "", "<!-- livebook:{\"a\":\"-->\"} -->", "", "Text."]);
    assert!(outline.contains("! line 3: the comment says livebook:"), "{outline}");
}

#[test]
fn tabs_and_spaces_in_code_are_kept() {
    assert_eq!(
        outline_of(&["## S", "", "```elixir", "\tx  ", "", " \t", "```"]),
        "# Untitled notebook\n## S\nelixir \"\\tx  \\n\\n \\t\""
    );
}

#[test]
fn line_ends_of_other_systems() {
    let lf = ["# N", "", "## S", "", "a", "b", "", "```elixir", "1", "2", "```", ""].join("\n");
    let read = "# N\n## S\ntext \"a\\nb\"\nelixir \"1\\n2\"";
    assert_eq!(outline(&lf), read);
    assert_eq!(outline(&lf.replace('\n', "\r\n")), read);
    assert_eq!(outline(&lf.replace('\n', "\r")), read);
}

#[test]
fn a_byte_order_mark_is_not_text() {
    assert_eq!(outline("\u{feff}# N\n\n## S\n"), "# N\n## S");
}

#[test]
fn an_open_backquote_takes_the_rest() {
    assert_eq!(
        outline_of(&["# N", "", "`", "", "## S"]),
        "# N\n## Section\ntext \"`\\n\\n## S\"\n! line 3: the code opened with ` is not closed: all below is text"
    );
}

#[test]
fn a_backquote_that_is_closed_later_takes_what_is_between() {
    assert_eq!(
        outline_of(&["## S", "", "a ``b", "", "## T", "c`` d", "", "## U"]),
        "# Untitled notebook\n## S\ntext \"a ``b\\n\\n## T\\nc`` d\"\n## U"
    );
}

#[test]
fn an_escaped_backquote_opens_nothing() {
    assert_eq!(outline_of(&["## S", "", r"a \` b", "", "## T"]), "# Untitled notebook\n## S\ntext \"a \\\\` b\"\n## T");
}

#[test]
fn a_fence_right_below_an_item_belongs_to_it() {
    assert_eq!(
        outline_of(&["## S", "", "* item", "```elixir", "1", "```", "", "```elixir", "2", "```"]),
        "# Untitled notebook\n## S\ntext \"* item\\n```elixir\\n1\\n```\"\nelixir \"2\""
    );
}

#[test]
fn a_fence_within_an_item_belongs_to_it() {
    assert_eq!(
        outline_of(&[
            "## S",
            "",
            "1. item",
            "",
            "   ```elixir",
            "   1",
            "",
            "   2",
            "   ```",
            "",
            "```elixir",
            "3",
            "```"
        ]),
        "# Untitled notebook\n## S\ntext \"1. item\\n\\n   ```elixir\\n   1\\n\\n   2\\n   ```\"\nelixir \"3\""
    );
}

#[test]
fn a_table_and_a_quote_end_at_a_fence() {
    for text in ["| a | b |\n| - | - |\n| 1 | 2 |", "> quote\nlazy", "    indented", "[id]: https://a.b", "{: .x}"] {
        let outline = outline(&format!("## S\n\n{text}\n```elixir\n1\n```\n"));
        assert!(outline.ends_with("\nelixir \"1\""), "{text}: {outline}");
    }
}
