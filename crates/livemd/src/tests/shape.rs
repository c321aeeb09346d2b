//! What belongs to what: names, sections, cells, data and outputs.

use super::{outline, outline_of};
use crate::{Kind, Notebook};

#[test]
fn a_notebook_with_all_there_is() {
    let text = include_str!("acceptance.livemd");
    assert_eq!(
        outline(text),
        r#"# My Notebook
comment ["vim: set syntax=markdown:"]
<!-- livebook:{"default_language":"erlang","mine":[1],"persist_outputs":true} -->
setup elixir "Mix.install([])"
setup pyproject.toml "[project]\nname = \"project\""
## Section 1
text "Make sure to install:\n\n* Erlang\n* Elixir\n\n$x_{i} + y_{i}$"
elixir "Enum.to_list(1..10)" <!-- livebook:{"continue_on_error":true,"reevaluate_automatically":true} --> => "[1, 2, 3]"
text "This is it for this section."
## Section 2
elixir "IO.gets(\"length: \")"
## Section 3 <- 1
erlang "lists:seq(1, 10)."
smart "x = 1\n\nx * x" <!-- livebook:{"attrs":"e30","chunks":[[0,5],[7,5]],"kind":"multi_chunk","livebook_object":"smart_cell"} -->
python "range(0, 10)""#
    );
}

#[test]
fn no_name_is_untitled() {
    assert_eq!(
        outline_of(&["## Section 1", "", "Some text."]),
        "# Untitled notebook\n## Section 1\ntext \"Some text.\""
    );
}

#[test]
fn nothing_is_an_untitled_notebook() {
    assert_eq!(outline(""), "# Untitled notebook");
    assert_eq!(outline(" \n\t\n"), "# Untitled notebook");
}

#[test]
fn many_names_take_all_headings_down() {
    assert_eq!(
        outline_of(&["# One", "", "## Heading", "", "Text.", "", "# Two", "", "###### Tiny"]),
        "# Untitled notebook\n## One\ntext \"### Heading\\n\\nText.\"\n## Two\ntext \"**Tiny**\"\n\
         ! line 1: 2 headings of the first level: every heading is taken as one level lower"
    );
}

#[test]
fn a_name_below_text_is_moved_up_with_its_comments() {
    assert_eq!(
        outline_of(&["Cool.", "", "<!-- livebook:{\"author\":\"me\"} -->", "", "# Name", "", "Text."]),
        "# Name\n<!-- livebook:{\"author\":\"me\"} -->\n## Section\ntext \"Cool.\\n\\nText.\"\n\
         ! line 5: the notebook's name is not at the top: what is above it is shown below"
    );
}

#[test]
fn marks_in_names_are_kept() {
    assert_eq!(
        outline_of(&["# My *Notebook*", "", "## [S](https://example.com)", "", "## ---", "", "## # S"]),
        "# My *Notebook*\n## [S](https://example.com)\n## ---\n## # S"
    );
}

#[test]
fn text_above_the_first_section_is_a_section() {
    assert_eq!(outline_of(&["# N", "", "Text.", "", "## S"]), "# N\n## Section\ntext \"Text.\"\n## S");
}

#[test]
fn code_without_any_heading_is_a_section() {
    assert_eq!(outline_of(&["```elixir", "1", "```"]), "# Untitled notebook\n## Section\nelixir \"1\"");
}

#[test]
fn one_elixir_cell_above_the_first_section_is_the_setup() {
    assert_eq!(outline_of(&["# N", "", "```elixir", "1", "```", "", "## S"]), "# N\nsetup elixir \"1\"\n## S");
    assert_eq!(outline_of(&["# N", "", "```elixir", "1", "```"]), "# N\nsetup elixir \"1\"");
}

#[test]
fn python_packages_are_the_second_cell_of_the_setup() {
    let lines = ["# N", "", "```elixir", "1", "```", "", "```pyproject.toml", "a = 1", "```"];
    assert_eq!(outline_of(&lines), "# N\nsetup elixir \"1\"\nsetup pyproject.toml \"a = 1\"");
}

#[test]
fn any_other_cells_above_the_first_section_are_a_section() {
    let two = ["# N", "", "```elixir", "1", "```", "", "```elixir", "2", "```"];
    assert_eq!(outline_of(&two), "# N\n## Section\nelixir \"1\"\nelixir \"2\"");
    assert_eq!(outline_of(&["# N", "", "```erlang", "1.", "```"]), "# N\n## Section\nerlang \"1.\"");
}

#[test]
fn other_fences_are_text() {
    assert_eq!(
        outline_of(&["## S", "", "```shell", "ls", "```", "", "```elixir", "1", "```", "", "```json", "{}", "```"]),
        "# Untitled notebook\n## S\ntext \"```shell\\nls\\n```\"\nelixir \"1\"\ntext \"```json\\n{}\\n```\""
    );
}

#[test]
fn a_mark_keeps_code_text() {
    let mark = "<!-- livebook:{\"force_markdown\":true} -->";
    assert_eq!(
        outline_of(&[
            "## S",
            "",
            mark,
            "",
            "```elixir",
            "1",
            "```",
            "",
            "## T",
            "",
            "Text.",
            "",
            mark,
            "",
            "```erlang",
            "1.",
            "```"
        ]),
        "# Untitled notebook\n## S\ntext \"```elixir\\n1\\n```\"\n## T\ntext \"Text.\\n\\n```erlang\\n1.\\n```\""
    );
}

#[test]
fn a_mark_parts_text() {
    let mark = "<!-- livebook:{\"break_markdown\":true} -->";
    assert_eq!(
        outline_of(&["## S", "", "One", "", mark, "", "Two", "", mark]),
        "# Untitled notebook\n## S\ntext \"One\"\ntext \"Two\"\ntext \"\""
    );
}

#[test]
fn marks_with_spaces_are_data() {
    assert_eq!(
        outline_of(&["## S", "", "<!-- livebook:{\"force_markdown\": true} -->", "", "```elixir", "1", "```"]),
        "# Untitled notebook\n## S\nelixir \"1\" <!-- livebook:{\"force_markdown\":true} -->"
    );
}

#[test]
fn comments_above_the_name_are_kept_as_lines() {
    assert_eq!(
        outline_of(&["<!-- vim: -->", "", "<!--tight-->", "", "<!--", "  Multi", "  line", "-->", "", "# N"]),
        "# N\ncomment [\"vim:\"]\ncomment [\"tight\"]\ncomment [\"  Multi\", \"  line\"]"
    );
}

#[test]
fn a_comment_between_data_and_name_is_warned_of() {
    let outline = outline_of(&["<!-- livebook:{\"persist_outputs\":true} -->", "", "<!-- vim -->", "", "# N"]);
    assert!(outline.contains("! line 3: a comment between the notebook's metadata and its name"), "{outline}");
}

#[test]
fn comments_in_text_are_text() {
    assert_eq!(
        outline_of(&["# N", "", "## S", "", "<!-- mine -->", "", "Text."]),
        "# N\n## S\ntext \"<!-- mine -->\\n\\nText.\""
    );
}

#[test]
fn outputs_belong_to_the_code_above() {
    let mark = "<!-- livebook:{\"output\":true} -->";
    assert_eq!(
        outline_of(&[
            "## S",
            "",
            "```elixir",
            "1",
            "```",
            "",
            mark,
            "",
            "```",
            "hey",
            "```",
            "",
            mark,
            "",
            "```",
            ":ok",
            "```"
        ]),
        "# Untitled notebook\n## S\nelixir \"1\" => \"hey\" => \":ok\""
    );
}

#[test]
fn outputs_of_other_kinds_are_kept_and_named() {
    let mark = "<!-- livebook:{\"output\":true} -->";
    assert_eq!(
        outline_of(&[
            "## S",
            "",
            "```elixir",
            "1",
            "```",
            "",
            mark,
            "",
            "```vega-lite",
            "{}",
            "```",
            "",
            "```elixir",
            "2",
            "```"
        ]),
        "# Untitled notebook\n## S\nelixir \"1\" => vega-lite\"{}\"\nelixir \"2\""
    );
}

#[test]
fn outputs_of_old_notebooks_are_read() {
    assert_eq!(
        outline_of(&["## S", "", "```elixir", "1", "```", "", "```output", "hey", "```"]),
        "# Untitled notebook\n## S\nelixir \"1\" => \"hey\""
    );
}

#[test]
fn an_output_of_nothing_is_warned_of() {
    let mark = "<!-- livebook:{\"output\":true} -->";
    assert_eq!(
        outline_of(&["## S", "", mark, "", "Text."]),
        "# Untitled notebook\n## S\ntext \"Text.\"\n! line 3: metadata that belongs to nothing; it is kept in the file and has no effect"
    );
}

#[test]
fn data_of_the_notebook_has_its_defaults() {
    let none = Notebook::read("# N\n");
    assert!(!none.persists_outputs());
    assert_eq!((none.autosave_interval(), none.default_language().info()), (Some(5), "elixir"));
    let set = Notebook::read("<!-- livebook:{\"autosave_interval_s\":10,\"default_language\":\"erlang\"} -->\n\n# N\n");
    assert_eq!((set.autosave_interval(), set.default_language().info()), (Some(10), "erlang"));
    let never =
        Notebook::read("<!-- livebook:{\"autosave_interval_s\":null,\"default_language\":\"cobol\"} -->\n\n# N\n");
    assert_eq!((never.autosave_interval(), never.default_language().info()), (None, "elixir"));
}

#[test]
fn a_smart_cell_keeps_its_form() {
    let data = r#"<!-- livebook:{"attrs":{"text":"My text"},"kind":"text","livebook_object":"smart_cell"} -->"#;
    assert_eq!(
        outline_of(&["## S", "", data, "", "```elixir", "1", "```"]),
        format!("# Untitled notebook\n## S\nsmart \"1\" {data}")
    );
}

#[test]
fn a_smart_cell_without_kind_is_code() {
    let data = r#"<!-- livebook:{"attrs":"e30","livebook_object":"smart_cell"} -->"#;
    assert_eq!(
        outline_of(&["## S", "", data, "", "```elixir", "1", "```"]),
        "# Untitled notebook\n## S\nelixir \"1\"\n! line 3: a smart cell without kind; its code is taken as a code cell"
    );
}

#[test]
fn input_cells_of_old_notebooks_are_left_out() {
    for (more, reactive) in [("", false), (r#","reactive":true"#, true)] {
        let text = format!(
            "# N\n\n## S\n\n<!-- livebook:{{\"livebook_object\":\"cell_input\",\"name\":\"length\"{more}}} -->\n"
        );
        let notebook = Notebook::read(&text);
        assert_eq!(notebook.cells().count(), 0);
        assert_eq!(notebook.warnings[0].trouble, crate::Trouble::Input { reactive });
    }
}

#[test]
fn broken_data_is_text_and_warned_of() {
    let outline = outline_of(&["## S", "", "<!-- livebook:{\"a\": -->", "", "```elixir", "1", "```"]);
    assert!(outline.contains("text \"<!-- livebook:{\\\"a\\\": -->\"\nelixir \"1\""), "{outline}");
    assert!(outline.contains("! line 3: the comment says livebook: but goes on with"), "{outline}");
}

#[test]
fn data_too_deep_is_broken() {
    let outline = outline(&format!("## S\n\n<!-- livebook:{}1 -->\n", "[".repeat(100_000)));
    assert!(outline.contains("recursion limit exceeded"), "{}", &outline[outline.len() - 200..]);
}

#[test]
fn data_that_nothing_follows_is_warned_of() {
    let outline = outline_of(&[
        "## S",
        "",
        "<!-- livebook:{\"a\":1} -->",
        "",
        "<!-- livebook:{\"b\":1} -->",
        "",
        "```elixir",
        "```",
    ]);
    assert_eq!(
        outline,
        "# Untitled notebook\n## S\nelixir \"\" <!-- livebook:{\"b\":1} -->\n\
         ! line 3: metadata that belongs to nothing; it is kept in the file and has no effect"
    );
}

#[test]
fn a_section_branches_from_an_earlier_one_only() {
    let branch = |parent: &str| format!("<!-- livebook:{{\"branch_parent_index\":{parent}}} -->");
    for wrong in ["4", "0", "-1", "\"0\"", "1.5"] {
        let outline = outline_of(&["# N", "", &branch(wrong), "", "## One", "", "## Two"]);
        assert!(outline.starts_with("# N\n## One\n## Two\n! line 5: section \"One\" is to branch"), "{outline}");
    }
    assert_eq!(outline_of(&["# N", "", "## One", "", &branch("0"), "", "## Two"]), "# N\n## One\n## Two <- 0");
}

#[test]
fn a_section_does_not_branch_from_a_branch() {
    let branch = |parent: usize| format!("<!-- livebook:{{\"branch_parent_index\":{parent}}} -->");
    assert_eq!(
        outline_of(&["# N", "", "## One", "", &branch(0), "", "## Two", &branch(1), "", "## Three"]),
        "# N\n## One\n## Two <- 0\n## Three\n\
         ! line 10: section \"Three\" is to branch from one that is a branch itself: it is taken as an ordinary one"
    );
}

#[test]
fn old_images_are_warned_of_once() {
    let outline = outline_of(&[
        "## S",
        "",
        "![](images/cat.jpeg)",
        "",
        "![](images/dog.jpeg)",
        "",
        "```elixir",
        "```",
        "![](images/a)",
    ]);
    assert_eq!(outline.matches("an image in images/").count(), 1, "{outline}");
}

#[test]
fn a_stamp_at_the_end_is_seen() {
    let text = "# N\n\n## S\n\n```elixir\n1\n```\n\n<!-- livebook:{\"offset\":30,\"stamp\":{\"token\":\"X\",\"version\":2}} -->\n";
    let notebook = Notebook::read(text);
    assert!(notebook.is_stamped() && notebook.warnings().is_empty());
    assert!(
        !Notebook::read(
            &text.replace("## S\n\n", "").replace("```\n\n", "```\n\n## S\n\n").replace("-->\n", "-->\n\nX\n")
        )
        .is_stamped()
    );
}

#[test]
fn files_of_the_notebook_are_kept_and_checked() {
    let good = r#"<!-- livebook:{"file_entries":[{"name":"a.jpg","type":"attachment"}]} -->"#;
    assert_eq!(outline_of(&[good, "", "# N"]), format!("# N\n{good}"));
    let bad = r#"<!-- livebook:{"file_entries":[{"name":"a.jpg","type":"file"}]} -->"#;
    assert!(outline_of(&[bad, "", "# N"]).ends_with("! line 1: an entry in file_entries that cannot be read"));
}

#[test]
fn front_matter_stands_before_all() {
    let outline =
        outline_of(&["---", "title: My file", "# a comment of YAML", "---", "", "# N", "", "## S", "", "Text."]);
    assert_eq!(outline, "# N\n## S\ntext \"Text.\"");
}

#[test]
fn a_rule_at_the_top_is_not_front_matter() {
    assert_eq!(
        outline_of(&["---", "", "Text.", "", "---"]),
        "# Untitled notebook\n## Section\ntext \"---\\n\\nText.\\n\\n---\""
    );
}

#[test]
fn cells_of_text_have_no_language() {
    let notebook = Notebook::read("## S\n\ntext\n\n```erlang\n1.\n```\n");
    let cells = notebook.sections()[0].cells();
    assert_eq!((cells[0].kind(), cells[0].language()), (Kind::Markdown, None));
    assert_eq!(cells[1].language().map(|language| language.info()), Some("erlang"));
}
