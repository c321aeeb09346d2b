//! Livebook's files, `.livemd`: Markdown in which some blocks are cells and some comments are data.
//!
//! [`Notebook::read`] takes any text and never fails: what it cannot use it keeps and names as a [`Warning`].
//! [`Notebook::write`] gives back, byte for byte, what was read; after an edit only the parts that were edited are written
//! anew, in Livebook's own form. Livebook reads its files with EarmarkParser, which is not CommonMark: the places where the two
//! differ are read here as Livebook reads them, and never written.
//!
//! Nothing in here does I/O or runs a cell.
//!
//! ```
//! use beamline_livemd::Notebook;
//!
//! let file = "# Numbers\n\n## First\n\n```elixir\n1 + 1\n```\n";
//! let mut notebook = Notebook::read(file);
//! assert_eq!(notebook.write(), file);
//!
//! let cell = notebook.sections()[0].cells()[0].id();
//! notebook.cell_mut(cell).expect("it was read").set_source("2 + 2");
//! assert_eq!(notebook.write(), file.replace("1 + 1", "2 + 2"));
//! ```

mod cell;
mod edit;
mod markdown;
mod metadata;
mod notebook;
mod read;
mod scan;
mod span;
mod warning;
mod write;

#[cfg(test)]
mod tests;

pub use cell::{Cell, Id, Kind, Language, Output};
pub use edit::Direction;
pub use metadata::Metadata;
pub use notebook::{Notebook, Section};
pub use warning::{Trouble, Warning};
