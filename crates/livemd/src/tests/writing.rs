//! What is written anew, in Livebook's form.

use crate::{Kind, Language, Notebook, Output};

/// A notebook with one section of nothing.
fn blank() -> Notebook {
    let mut notebook = Notebook::empty();
    notebook.insert_section(0, "S");
    notebook
}

fn add(notebook: &mut Notebook, kind: Kind, source: &str) {
    let section = notebook.sections().last().expect("there is a section");
    let (id, at) = (section.id(), section.cells().len());
    let cell = notebook.insert_cell(id, at, kind).expect("the section is there");
    notebook.cell_mut(cell).expect("it was put there").set_source(source);
}

fn elixir(notebook: &mut Notebook, source: &str) {
    add(notebook, Kind::Code(Language::Elixir), source);
}

/// What is written of one cell.
fn of(kind: Kind, source: &str) -> String {
    let mut notebook = blank();
    add(&mut notebook, kind, source);
    let text = notebook.write();
    assert_eq!(Notebook::read(&text), notebook, "{text}");
    text.strip_prefix("# Untitled notebook\n\n## S\n\n").map(str::to_owned).expect("it begins with both headings")
}

const CODE: Kind = Kind::Code(Language::Elixir);

#[test]
fn a_new_notebook() {
    assert_eq!(Notebook::new("Mine").write(), "# Mine\n\n## Section\n\n```elixir\n\n```\n");
    assert!(Notebook::new("Mine").is_edited());
}

#[test]
fn a_fence_is_longer_than_any_in_the_code() {
    assert_eq!(of(CODE, "1"), "```elixir\n1\n```\n");
    assert_eq!(of(CODE, "```\n````elixir"), "`````elixir\n```\n````elixir\n`````\n");
    assert_eq!(of(CODE, ""), "```elixir\n\n```\n");
    assert_eq!(of(CODE, "~~~\n1"), "```elixir\n~~~\n1\n```\n");
    assert_eq!(of(CODE, "a\n"), "```elixir\na\n\n```\n");
    assert_eq!(of(Kind::Code(Language::Erlang), "a."), "```erlang\na.\n```\n");
}

#[test]
fn text_that_is_next_to_text_is_parted() {
    let mut notebook = blank();
    for text in ["One", "Two", ""] {
        add(&mut notebook, Kind::Markdown, text);
    }
    let mark = "<!-- livebook:{\"break_markdown\":true} -->";
    assert_eq!(notebook.write(), format!("# Untitled notebook\n\n## S\n\nOne\n\n{mark}\n\nTwo\n\n{mark}\n"));
    assert_eq!(Notebook::read(&notebook.write()), notebook);
}

#[test]
fn code_in_text_is_marked() {
    let mark = "<!-- livebook:{\"force_markdown\":true} -->";
    assert_eq!(of(Kind::Markdown, "a\n\n```elixir\n1\n```"), format!("a\n\n{mark}\n\n```elixir\n1\n```\n"));
    assert_eq!(of(Kind::Markdown, "```shell\nls\n```"), "```shell\nls\n```\n");
}

#[test]
fn headings_in_text_are_taken_down() {
    assert_eq!(of(Kind::Markdown, "# A\n\n## B\n\nC\n---\n\n### D"), "### A\n\n### B\n\n### C\n\n### D\n");
    assert_eq!(of(Kind::Markdown, "> ## A"), "> ## A\n");
}

#[test]
fn what_is_open_in_text_is_closed() {
    assert_eq!(of(Kind::Markdown, "```shell\nls"), "```shell\nls\n```\n");
    assert_eq!(of(Kind::Markdown, "a `b"), "a `b `\n");
    assert_eq!(of(Kind::Markdown, "<!-- a"), "<!-- a -->\n");
    assert_eq!(of(Kind::Markdown, "<div>\n<p>"), "<div>\n<p>\n</p>\n</div>\n");
    assert_eq!(of(Kind::Markdown, "* a\n```elixir\nb"), "* a\n```elixir\nb\n```\n");
}

#[test]
fn a_fence_in_an_item_is_closed_before_code_that_would_close_it() {
    let mut notebook = blank();
    add(&mut notebook, Kind::Markdown, "* a\n  ```");
    elixir(&mut notebook, "1");
    assert!(notebook.write().ends_with("* a\n  ```\n```\n\n```elixir\n1\n```\n"), "{}", notebook.write());
    assert_eq!(Notebook::read(&notebook.write()), notebook);
}

#[test]
fn an_underlined_name_below_indented_code_is_parted_from_it() {
    let mut notebook = blank();
    add(&mut notebook, Kind::Markdown, "    code");
    notebook.insert_section(1, "F#");
    assert!(notebook.write().ends_with("    code\n\n<!-- livebook:{} -->\n\nF#\n---\n"), "{}", notebook.write());
    assert_eq!(Notebook::read(&notebook.write()), notebook);
}

#[test]
fn data_in_text_stays_text() {
    assert_eq!(of(Kind::Markdown, "<!-- livebook:{\"output\":true} -->"), "<!-- livebook :{\"output\":true} -->\n");
}

#[test]
fn text_that_looks_like_an_output_is_parted_from_the_code() {
    let mut notebook = blank();
    elixir(&mut notebook, "1");
    add(&mut notebook, Kind::Markdown, "```output\nx\n```");
    assert_eq!(Notebook::read(&notebook.write()), notebook);
}

#[test]
fn names_are_one_line_that_is_read_back() {
    let mut notebook = blank();
    for (name, kept) in
        [("a\nb", "a b"), ("F#", "F#"), ("a {: .x}", "a {: .x}"), ("# a", "# a"), ("> a", "> a"), ("- #", "-")]
    {
        notebook.rename(name);
        notebook.rename_section(notebook.sections()[0].id(), name);
        assert_eq!((notebook.name(), notebook.sections()[0].name()), (kept, kept));
        assert_eq!(Notebook::read(&notebook.write()), notebook, "{name:?}: {}", notebook.write());
    }
    assert!(notebook.write().starts_with("# -\n"), "{}", notebook.write());
}

#[test]
fn outputs_are_written_only_if_they_are_to_be() {
    let mut notebook = blank();
    elixir(&mut notebook, "1");
    let id = notebook.sections()[0].cells()[0].id();
    let outputs = vec![Output::text("\u{1b}[33mhey\u{1b}[0m\n"), Output::text("```\n:ok")];
    notebook.cell_mut(id).expect("it is there").set_outputs(outputs);
    let bare = "# Untitled notebook\n\n## S\n\n```elixir\n1\n```\n";
    assert_eq!(notebook.write(), bare);
    notebook.set_persists_outputs(true);
    let mark = "<!-- livebook:{\"output\":true} -->";
    let all = format!(
        "<!-- livebook:{{\"persist_outputs\":true}} -->\n\n{bare}\n{mark}\n\n```\nhey\n```\n\n{mark}\n\n````\n```\n:ok\n````\n"
    );
    assert_eq!(notebook.write(), all);
    assert_eq!(Notebook::read(&all), notebook);
    let mut read = Notebook::read(&all);
    read.set_persists_outputs(false);
    assert_eq!(read.write(), bare);
}

#[test]
fn outputs_of_the_setup_are_not_written() {
    let mut notebook = Notebook::read("<!-- livebook:{\"persist_outputs\":true} -->\n\n# N\n\n```elixir\n1\n```\n");
    let id = notebook.setup()[0].id();
    notebook.cell_mut(id).expect("it is there").set_outputs(vec![Output::text("1")]);
    notebook.rename("M");
    assert_eq!(notebook.write(), "<!-- livebook:{\"persist_outputs\":true} -->\n\n# M\n\n```elixir\n1\n```\n");
}

#[test]
fn an_empty_setup_is_left_out() {
    let mut notebook = blank();
    notebook.set_setup("1");
    assert_eq!(notebook.write(), "# Untitled notebook\n\n```elixir\n1\n```\n\n## S\n");
    notebook.set_setup("");
    assert_eq!(notebook.write(), "# Untitled notebook\n\n## S\n");
}

#[test]
fn data_is_sorted_and_without_what_holds_anyway() {
    let mut notebook = blank();
    elixir(&mut notebook, "1");
    let id = notebook.sections()[0].cells()[0].id();
    let cell = notebook.cell_mut(id).expect("it is there");
    cell.set_reevaluates(true);
    cell.set_continues_on_error(true);
    let data = "<!-- livebook:{\"continue_on_error\":true,\"reevaluate_automatically\":true} -->";
    assert!(notebook.write().contains(&format!("{data}\n\n```elixir")));
    let cell = notebook.cell_mut(id).expect("it is there");
    cell.set_reevaluates(false);
    cell.set_continues_on_error(false);
    assert!(!notebook.write().contains("livebook:"));
}

#[test]
fn an_arrow_in_data_does_not_end_it() {
    let text = "## S\n\n<!-- livebook:{\"a\":\"--\\u003e\"} -->\n\n```elixir\n1\n```\n";
    let mut notebook = Notebook::read(text);
    let id = notebook.sections()[0].cells()[0].id();
    notebook.cell_mut(id).expect("it is there").set_source("2");
    assert_eq!(notebook.write(), text.replace('1', "2"));
}
