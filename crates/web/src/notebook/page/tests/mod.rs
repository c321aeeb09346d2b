//! The pages and actions over HTTP, with a node of our own that runs the cells.

mod desk;
mod edits;
mod files;
mod runs;

use desk::Desk;
