//! The site as a client meets it: a real listener, requests written by hand.

mod browser;
mod entry;
mod forms;
mod limits;
mod names;
mod pages;
mod site;

use browser::{Answer, Browser};
use site::{PASSWORD, Started, VIEW};
