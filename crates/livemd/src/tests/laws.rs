//! The laws: what is read is written byte for byte; what is written is read as it was; nothing panics.

use proptest::prelude::*;

use crate::{Direction, Kind, Language, Notebook, Output};

/// Lines that mean something, and some that nearly do.
fn line() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "",
        "",
        "# Name",
        "## Section",
        "### Heading",
        "## F#",
        "##",
        "   ## S",
        "Title",
        "=====",
        "---",
        "text",
        "`open",
        "``x``",
        "\\`",
        "```",
        "````",
        "```elixir",
        "```erlang",
        "``` elixir",
        "```elixir x",
        "~~~elixir",
        "~~~",
        "   ```",
        "    ```",
        "```output",
        "<!-- livebook:{\"output\":true} -->",
        "<!-- livebook:{\"force_markdown\":true} -->",
        "<!-- livebook:{\"break_markdown\":true} -->",
        "<!-- livebook:{\"a\":1} -->",
        "<!-- livebook:{\"branch_parent_index\":0} -->",
        "<!-- livebook:{ -->",
        "<!-- livebook:{\"offset\":1,\"stamp\":{}} -->",
        "<!-- livebook:{\"persist_outputs\":true} -->",
        "<!-- livebook:{\"kind\":\"k\",\"attrs\":\"e30\",\"livebook_object\":\"smart_cell\"} -->",
        "<!-- a -->",
        "<!--",
        "-->",
        "<!-- a --> b",
        "<div>",
        "</div>",
        "<br>",
        "<b>x</b>",
        "* item",
        "  more",
        "    deep",
        "1. one",
        "> quote",
        "| a | b |",
        "| - | - |",
        "[id]: url",
        "{: .x}",
        "\t",
        "  ",
        "a\tb  ",
        "\u{feff}",
        "\u{a0}",
        "***",
    ]);
    prop_oneof![6 => special.prop_map(str::to_owned), 1 => "[ -~\t\r]{0,12}", 1 => "\\PC{0,6}"]
}

fn file() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n"]);
    prop::collection::vec((line(), end), 0..24)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..6).prop_map(|lines| lines.join("\n"))
}

fn kind() -> impl Strategy<Value = Kind> {
    use Language::{Elixir, Erlang, Python};
    prop::sample::select(vec![
        Kind::Markdown,
        Kind::Markdown,
        Kind::Code(Elixir),
        Kind::Code(Erlang),
        Kind::Code(Python),
    ])
}

type Part = (String, Vec<(Kind, String, Vec<String>, bool)>, Option<usize>);

fn notebook() -> impl Strategy<Value = Notebook> {
    let cell = (kind(), text(), prop::collection::vec(text(), 0..3), any::<bool>());
    let section = (line(), prop::collection::vec(cell, 0..5), prop::option::of(0usize..3));
    (line(), text(), prop::collection::vec(section, 0..4), any::<bool>()).prop_map(build)
}

fn build((name, setup, sections, persist): (String, String, Vec<Part>, bool)) -> Notebook {
    let mut notebook = Notebook::empty();
    notebook.rename(&name);
    notebook.set_setup(&setup);
    notebook.set_persists_outputs(persist);
    for (name, cells, parent) in sections {
        let Some(id) = notebook.insert_section(usize::MAX, &name) else { continue };
        let parent = parent.and_then(|parent| notebook.sections().get(parent)).map(|section| section.id());
        notebook.set_parent(id, parent);
        for (kind, source, outputs, again) in cells {
            let cell = notebook.insert_cell(id, usize::MAX, kind).expect("the section is there");
            let cell = notebook.cell_mut(cell).expect("it was put there");
            cell.set_source(&source);
            cell.set_reevaluates(again);
            if persist {
                cell.set_outputs(outputs.iter().map(|text| Output::text(text)).collect());
            }
        }
    }
    notebook
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_read_is_written(text in file()) {
        let notebook = Notebook::read(&text);
        prop_assert!(!notebook.is_edited());
        prop_assert_eq!(notebook.write(), text);
    }

    #[test]
    fn any_text_is_read_and_written(text in "(?s).{0,200}") {
        prop_assert_eq!(Notebook::read(&text).write(), text);
    }

    #[test]
    fn what_is_written_is_read(notebook in notebook()) {
        let text = notebook.write();
        prop_assert_eq!(&Notebook::read(&text), &notebook, "{}", text);
    }

    #[test]
    fn what_is_written_is_written_again(notebook in notebook()) {
        let text = notebook.write();
        prop_assert_eq!(Notebook::read(&text).write(), text);
    }

    /// Whatever the file and the edit: what is then written says what the notebook says.
    #[test]
    fn an_edited_file_is_read_as_it_was_meant(text in file(), source in text(), at in any::<prop::sample::Index>(), what in 0..7) {
        let mut notebook = Notebook::read(&text);
        let ids: Vec<_> = notebook.cells().map(|cell| cell.id()).collect();
        let sections: Vec<_> = notebook.sections().iter().map(|section| section.id()).collect();
        match what {
            0 => notebook.rename(&source),
            1 if !sections.is_empty() => drop(notebook.insert_cell(*at.get(&sections), at.index(3), Kind::Markdown)),
            2 if !sections.is_empty() => drop(notebook.rename_section(*at.get(&sections), &source)),
            3 if !sections.is_empty() => drop(notebook.remove_section(*at.get(&sections))),
            4 if !ids.is_empty() => drop(notebook.move_cell(*at.get(&ids), Direction::Up)),
            5 if !ids.is_empty() => drop(notebook.remove_cell(*at.get(&ids))),
            _ if !ids.is_empty() => notebook.cell_mut(*at.get(&ids)).expect("it is there").set_source(&source),
            _ => {}
        }
        let written = notebook.write();
        let read = Notebook::read(&written);
        prop_assert_eq!(super::super::write::as_written(&read), super::super::write::as_written(&notebook), "{}", written);
    }
}
