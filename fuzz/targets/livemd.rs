//! Whatever the file: it is written again byte for byte, and after an edit it still says what it said but for that.
#![no_main]

use beamline_livemd::{Direction, Notebook};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut notebook = Notebook::read(&text);
    assert_eq!(notebook.write(), text);

    // The file itself as the text of one of its cells, and the order changed.
    let ids: Vec<_> = notebook.cells().map(|cell| cell.id()).collect();
    let Some(first) = ids.first() else { return };
    if let Some(cell) = notebook.cell_mut(*first) {
        cell.set_source(&text);
    }
    notebook.move_cell(*first, Direction::Down);
    notebook.rename("other");
    let written = notebook.write();
    let read = Notebook::read(&written);
    assert_eq!(read.name(), "other");
    assert_eq!(read.sections().len(), notebook.sections().len());
    assert_eq!(read.write(), written);
});
