//! An edit changes what was edited, and nothing else.

use crate::{Direction, Id, Kind, Language, Notebook, Output};

/// As odd as a file may be that means what it looks like.
const ODD: &str = "\u{feff}---\ntitle: x\n---\n<!--tight-->\n<!-- livebook:{ \"mine\" : 1 } -->\n#   Name  ##\n\n\n~~~elixir\nsetup\n~~~\n\
## One\n* a\n\npara   \n   ```elixir\n   1\n```\n<!-- livebook:{\"livebook_object\":\"cell_input\"} -->\n\n\n\n\
Text   \n```erlang\n2.\n```\n<!-- livebook:{\"output\":true} -->\n```\nout\n```\n\n  <!-- livebook:{\"branch_parent_index\": 0} -->\n\
## Two {: .x}\n\n\n\nlast\n\n";

fn id(notebook: &Notebook, source: &str) -> Id {
    notebook.cells().find(|cell| cell.source().trim() == source).map(|cell| cell.id()).expect("there is such a cell")
}

fn edit(source: &str, new: &str) -> String {
    let mut notebook = Notebook::read(ODD);
    let cell = id(&notebook, source);
    notebook.cell_mut(cell).expect("it is there").set_source(new);
    assert!(notebook.is_edited());
    notebook.write()
}

#[test]
fn the_odd_file_is_read_as_it_looks() {
    assert_eq!(
        super::outline(ODD),
        "# Name\ncomment [\"tight\"]\n<!-- livebook:{\"mine\":1} -->\nsetup elixir \"setup\"\n## One\n\
         text \"* a\\n\\npara\"\nelixir \"   1\"\ntext \"Text\"\nerlang \"2.\" => \"out\"\n## Two <- 0\ntext \"last\"\n\
         ! line 19: an input cell, as old notebooks had them: it is not shown"
    );
}

#[test]
fn an_edited_code_cell_is_all_that_changes() {
    assert_eq!(edit("1", "3"), ODD.replace("para   \n   ```elixir\n   1\n", "para\n\n```elixir\n3\n"));
    assert_eq!(edit("2.", "3."), ODD.replace("Text   \n```erlang\n2.", "Text\n\n```erlang\n3."));
    assert_eq!(edit("setup", "other"), ODD.replace("~~~elixir\nsetup\n~~~\n", "```elixir\nother\n```\n\n"));
}

#[test]
fn edited_text_is_all_that_changes() {
    assert_eq!(edit("last", "New."), ODD.replace("last", "New."));
    assert_eq!(edit("Text", "New."), ODD.replace("Text   \n", "New.\n\n"));
}

#[test]
fn an_edit_that_is_taken_back_writes_livebooks_form_of_that_cell() {
    let mut notebook = Notebook::read(ODD);
    let cell = id(&notebook, "last");
    let cell = notebook.cell_mut(cell).expect("it is there");
    cell.set_source("last");
    assert!(!notebook.is_edited(), "the same source is no edit");
}

#[test]
fn a_new_name_keeps_what_stands_around_it() {
    let mut notebook = Notebook::read(ODD);
    notebook.rename("Other");
    let (old, rest) = ODD.split_once("\n\n\n~~~").expect("it is there");
    let head = "\u{feff}---\ntitle: x\n---\n\n<!-- tight -->\n\n<!-- livebook:{\"mine\":1} -->\n\n# Other";
    assert!(old.ends_with("##"));
    assert_eq!(notebook.write(), format!("{head}\n\n\n~~~{rest}"));
}

#[test]
fn a_new_section_name_keeps_its_cells() {
    let mut notebook = Notebook::read(ODD);
    let two = notebook.sections()[1].id();
    notebook.rename_section(two, "Deux");
    let old = "  <!-- livebook:{\"branch_parent_index\": 0} -->\n## Two {: .x}";
    assert_eq!(notebook.write(), ODD.replace(old, "<!-- livebook:{\"branch_parent_index\":0} -->\n\n## Deux"));
}

#[test]
fn a_cell_that_goes_takes_its_gap_along() {
    let mut notebook = Notebook::read(ODD);
    let cell = id(&notebook, "1");
    notebook.remove_cell(cell);
    let mark = "<!-- livebook:{\"break_markdown\":true} -->";
    let (before, rest) = ODD.split_once("   \n   ```elixir").expect("it is there");
    let (_, after) = rest.split_once("Text   ").expect("it is there");
    assert_eq!(notebook.write(), format!("{before}\n\n{mark}\n\nText   {after}"));
}

#[test]
fn a_new_cell_stands_between_blank_lines() {
    let mut notebook = Notebook::read("# N\n## S\n```elixir\n1\n```\ntext\n");
    let section = notebook.sections()[0].id();
    let cell = notebook.insert_cell(section, 1, Kind::Code(Language::Elixir)).expect("the section is there");
    notebook.cell_mut(cell).expect("it is there").set_source("2");
    assert_eq!(notebook.write(), "# N\n## S\n```elixir\n1\n```\n\n```elixir\n2\n```\n\ntext\n");
}

#[test]
fn cells_move_past_each_other_and_into_sections() {
    let mut notebook = Notebook::read("# N\n\n## S\n\n```elixir\n1\n```\n\ntext\n\n## T\n\n~~~erlang\n2.\n~~~\n");
    let (text, erlang) = (id(&notebook, "text"), id(&notebook, "2."));
    assert!(notebook.move_cell(text, Direction::Up));
    assert_eq!(notebook.write(), "# N\n\n## S\n\ntext\n\n```elixir\n1\n```\n\n## T\n\n~~~erlang\n2.\n~~~\n");
    assert!(notebook.move_cell(erlang, Direction::Up));
    assert_eq!(notebook.write(), "# N\n\n## S\n\ntext\n\n```elixir\n1\n```\n\n~~~erlang\n2.\n~~~\n\n## T\n");
    assert!(notebook.move_cell(erlang, Direction::Down) && !notebook.move_cell(erlang, Direction::Down));
    assert!(notebook.move_cell(text, Direction::Down) && notebook.move_cell(text, Direction::Up));
    assert!(!notebook.move_cell(text, Direction::Up));
}

#[test]
fn what_is_open_is_closed_before_something_follows_it() {
    let text = "# N\n\n## S\n\n~~~elixir\n1\n";
    let mut notebook = Notebook::read(text);
    let section = notebook.sections()[0].id();
    notebook.insert_cell(section, 1, Kind::Code(Language::Elixir));
    assert_eq!(notebook.write(), "# N\n\n## S\n\n```elixir\n1\n```\n\n```elixir\n\n```\n");
    let mut notebook = Notebook::read(text);
    notebook.rename("M");
    assert_eq!(notebook.write(), "# M\n\n## S\n\n~~~elixir\n1\n");
}

#[test]
fn the_stamp_goes_with_the_first_edit() {
    let body = "# N\n\n## S\n\n```elixir\n1\n```\n";
    let text = format!("{body}\n<!-- livebook:{{\"offset\":30,\"stamp\":{{\"token\":\"X\",\"version\":2}}}} -->\n");
    let mut notebook = Notebook::read(&text);
    assert_eq!(notebook.write(), text);
    let cell = id(&notebook, "1");
    notebook.cell_mut(cell).expect("it is there").set_source("2");
    assert_eq!(notebook.write(), body.replace('1', "2"));
}

#[test]
fn outputs_change_without_their_code() {
    let mut notebook = Notebook::read(&ODD.replace("{ \"mine\" : 1 }", "{\"persist_outputs\":true}"));
    let cell = id(&notebook, "2.");
    notebook.cell_mut(cell).expect("it is there").set_outputs(vec![Output::text("new")]);
    let written = notebook.write();
    assert!(
        written.contains("Text   \n```erlang\n2.\n```\n\n<!-- livebook:{\"output\":true} -->\n\n```\nnew\n```\n"),
        "{written}"
    );
    assert!(written.contains("   ```elixir\n   1\n```\n"), "{written}");
}

#[test]
fn outputs_that_are_not_kept_do_not_touch_the_file() {
    let text = "# N\n\n## S\n\n```elixir\n1\n```\n";
    let mut notebook = Notebook::read(text);
    let cell = id(&notebook, "1");
    notebook.cell_mut(cell).expect("it is there").set_outputs(vec![Output::text("1")]);
    assert!(!notebook.is_edited());
    assert_eq!(notebook.write(), text);
}

#[test]
fn a_file_with_many_names_is_written_anew() {
    let mut notebook = Notebook::read("# One\n\na\n\n# Two\n\nb\n");
    let cell = id(&notebook, "b");
    notebook.cell_mut(cell).expect("it is there").set_source("c");
    assert_eq!(notebook.write(), "# Untitled notebook\n\n## One\n\na\n\n## Two\n\nc\n");
}

#[test]
fn a_name_that_stood_below_is_written_first() {
    let mut notebook = Notebook::read("a\n\n<!-- livebook:{\"x\":1} -->\n\n# N\n\n## S\n");
    notebook.rename("M");
    assert_eq!(notebook.write(), "<!-- livebook:{\"x\":1} -->\n\n# M\n\n## Section\n\na\n\n## S\n");
}

#[test]
fn lines_end_as_they_did() {
    let mut notebook = Notebook::read("# N\r\n\r\n## S\r\n\r\n```elixir\r\n1\r\n```\r\n");
    let cell = id(&notebook, "1");
    notebook.cell_mut(cell).expect("it is there").set_source("2\n3");
    assert_eq!(notebook.write(), "# N\r\n\r\n## S\r\n\r\n```elixir\r\n2\r\n3\r\n```\r\n");
}

#[test]
fn a_smart_cell_whose_code_is_edited_is_a_code_cell() {
    let data = r#"<!-- livebook:{"attrs":"e30","kind":"k","livebook_object":"smart_cell"} -->"#;
    let text = format!("# N\n\n## S\n\n{data}\n\n```elixir\n1\n```\n");
    let mut notebook = Notebook::read(&text);
    let cell = id(&notebook, "1");
    notebook.cell_mut(cell).expect("it is there").set_source("2");
    assert_eq!(notebook.write(), "# N\n\n## S\n\n```elixir\n2\n```\n");
}

#[test]
fn sections_name_their_parents_anew_when_others_come_and_go() {
    let branch =
        |parent| format!("# N\n\n## A\n\n## B\n\n<!-- livebook:{{\"branch_parent_index\":{parent}}} -->\n\n## C\n");
    let mut notebook = Notebook::read(&branch(1));
    let (a, b, c) = (notebook.sections()[0].id(), notebook.sections()[1].id(), notebook.sections()[2].id());
    notebook.remove_section(a);
    assert_eq!(notebook.write(), branch(0).replace("## A\n\n", ""));
    assert!(!notebook.set_parent(b, Some(c)) && notebook.set_parent(c, None));
    assert_eq!(notebook.write(), "# N\n\n## B\n\n## C\n");
    assert!(notebook.set_parent(c, Some(b)) && !notebook.set_parent(b, Some(b)));
    notebook.remove_section(b);
    assert_eq!(notebook.write(), "# N\n\n## C\n");
}

#[test]
fn a_section_without_a_name_is_one_after_an_edit_beside_it() {
    let text = "# A\n\ntext\n\n# \n\n~~~\nopen\n";
    let mut notebook = Notebook::read(text);
    let names =
        |notebook: &Notebook| notebook.sections().iter().map(|section| section.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&notebook).last().map(String::as_str), Some(""));
    notebook.rename("other");
    let read = Notebook::read(&notebook.write());
    assert_eq!(names(&read), names(&notebook));
}

#[test]
fn a_name_may_begin_as_a_byte_order_mark() {
    let mut notebook = Notebook::empty();
    notebook.rename("\u{feff} {: .x}");
    let text = notebook.write();
    assert_eq!(text, "\u{feff}\u{feff} {: .x}\n===\n");
    assert_eq!(Notebook::read(&text).name(), notebook.name());
    assert_eq!(Notebook::read(&text).write(), text);
}

#[test]
fn a_notebook_without_a_name_may_begin_with_a_byte_order_mark() {
    let mut notebook = Notebook::read("\u{feff}# \n## S\n");
    notebook.rename_section(notebook.sections()[0].id(), "T");
    assert_eq!(notebook.write(), "\u{feff}# \n\n## T\n");
}

#[test]
fn text_that_would_be_a_heading_where_it_is_moved_keeps_what_is_said() {
    let mut notebook = Notebook::read("## S\n\n```elixir\n1\n```\n\u{a0}\n=====\n");
    let text = notebook.sections()[0].cells()[1].id();
    assert!(notebook.move_cell(text, Direction::Up));
    assert_eq!(notebook.write(), "# Untitled notebook\n\n## S\n\n=====\n\n```elixir\n1\n```\n");
}

#[test]
fn text_of_which_nothing_can_be_written_is_an_empty_cell() {
    let force = "<!-- livebook:{\"force_markdown\":true} -->";
    let mut notebook = Notebook::read(&format!("```elixir\n1\n```\n\n# N\n\n{force}\n\n##\u{a0}\n"));
    notebook.rename("M");
    let mark = "<!-- livebook:{\"break_markdown\":true} -->";
    assert_eq!(notebook.write(), format!("# M\n\n## Section\n\n```elixir\n1\n```\n\n{mark}\n"));
}

#[test]
fn outputs_that_the_setup_had_are_kept_when_all_is_written_anew() {
    let mut notebook = Notebook::read("```elixir\n1\n```\n\n```output\n2\n```\n\n# N\n");
    notebook.rename("M");
    let mark = "<!-- livebook:{\"output\":true} -->";
    assert_eq!(notebook.write(), format!("# M\n\n```elixir\n1\n```\n\n{mark}\n\n```\n2\n```\n"));
}
