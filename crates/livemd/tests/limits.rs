//! Hostile files: large, deep, never closed. Reading and writing take a time that grows with their length, and no stack.

use std::time::{Duration, Instant};

use beamline_livemd::Notebook;

/// Reads, edits and writes. A slow and busy machine needs a second or two for each; what took time by the square of the length
/// would need minutes.
fn quick(name: &str, text: &str) {
    let start = Instant::now();
    let mut notebook = Notebook::read(text);
    notebook.rename("other");
    let written = notebook.write();
    assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
    assert_eq!(Notebook::read(&written).name(), "other", "{name}");
}

#[test]
fn much_of_anything_is_read_in_time() {
    let unit = |unit: &str| format!("# N\n\n{}", unit.repeat(100_000 / unit.len()));
    let cases = [
        "`",
        "`\n",
        "```\n",
        "```elixir\n",
        "```elixir\n```\n",
        "<!--",
        "<!--\n",
        "-->",
        "<!-- a -->\n",
        "<a>\n",
        "<a>",
        "</a>\n",
        "* ",
        "* a\n",
        "  * a\n\n",
        "> ",
        "#",
        "# ",
        "# a\n",
        "## a\n",
        "[",
        "[a]: b\n",
        "{:",
        "{: }",
        "|",
        "| a ",
        "\\",
        "\\`",
        "<!-- livebook:{\"a\":1} -->\n",
        "<!-- livebook:{\"break_markdown\":true} -->\n",
        "<!-- livebook:{\"output\":true} -->\n",
        "<!-- livebook:{\"branch_parent_index\":0} -->\n## a\n",
        "\n",
        "\r",
        " ",
        "\t",
        "a\n",
        "a ",
        "- ",
        "-",
        "=\n",
        "a\n---\n\n",
        "* a\n\n  ```\n",
        "\u{feff}",
        "é",
        "```output\n```\n",
        "![](images/a)\n\n```elixir\n```\n",
    ];
    for case in cases {
        quick(case, &unit(case));
    }
}

#[test]
fn megabytes_are_read_in_time() {
    for unit in ["`", "<!--\n", "> "] {
        let text = unit.repeat(3_000_000 / unit.len());
        let start = Instant::now();
        assert_eq!(Notebook::read(&text).sections().len(), 1, "{unit:?}");
        assert!(start.elapsed() < Duration::from_secs(20), "{unit:?}: {:?}", start.elapsed());
    }
}

#[test]
fn deep_data_is_read_in_time() {
    quick("objects", &format!("# N\n\n<!-- livebook:{}", "{\"a\":".repeat(200_000)));
    quick("quotes", &format!("# N\n\n{}a", ">".repeat(1_000_000)));
    let nested: Vec<String> = (0..1_000).map(|depth| format!("{}* a\n", " ".repeat(depth))).collect();
    quick("items", &format!("# N\n\n{}", nested.concat()));
}
