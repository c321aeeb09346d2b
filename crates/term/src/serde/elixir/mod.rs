//! The data types of Elixir's own library: dates and times, ranges, sets.
//!
//! Each is written as the Elixir struct that `~D[2024-02-29]`, `1..10//2` or `MapSet.new/1` makes, and read back from one.
//! What is read is checked as Elixir's constructors check it: a 30 February is an error.
//!
//! ```
//! use beamline_term::elixir::{Date, Range};
//! use beamline_term::serde::to_term;
//!
//! let leap_day = Date::new(2024, 2, 29)?;
//! assert_eq!(to_term(&leap_day)?.to_string(), "~D[2024-02-29]");
//! assert_eq!(to_term(&Range::from(1..=10))?.to_string(), "1..10");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod date;
mod date_time;
pub mod map_set;
mod range;
mod time;

pub use date::Date;
pub use date_time::{DateTime, NaiveDateTime};
pub use map_set::MapSet;
pub use range::Range;
pub use time::{Microsecond, Time};

use crate::Atom;

/// The calendar of all dates and times here, Elixir's default.
pub(crate) const ISO: Atom = Atom::from_static("Elixir.Calendar.ISO");

/// Why some numbers are no date, time or range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// Not a year from -9999 to 9999, or not a month or day that it has.
    #[error("{year}-{month}-{day} is no date of the years -9999 to 9999")]
    Date {
        /// The year.
        year: i64,
        /// The month.
        month: u8,
        /// The day.
        day: u8,
    },
    /// Not a time of day.
    #[error("{hour}:{minute}:{second} is no time of day")]
    Time {
        /// The hour.
        hour: u8,
        /// The minute.
        minute: u8,
        /// The second.
        second: u8,
    },
    /// Not less than a second, or more than 6 digits.
    #[error("{{{value}, {precision}}} is no fraction of a second: up to 999999 with up to 6 digits")]
    Microsecond {
        /// How many microseconds.
        value: u32,
        /// How many digits of them count.
        precision: u8,
    },
    /// A calendar other than `Calendar.ISO`.
    #[error("the calendar {0:?} is not known here, only Calendar.ISO")]
    Calendar(Atom),
    /// A range cannot go by steps of 0.
    #[error("a range cannot go by steps of 0")]
    Step,
    /// The range has steps, or ends, that a range of Rust's cannot have.
    #[error("a range of Rust goes by steps of 1, this one by {0}")]
    NotByOne(i64),
}

fn check_calendar(calendar: Atom) -> Result<(), Invalid> {
    if calendar == ISO { Ok(()) } else { Err(Invalid::Calendar(calendar)) }
}
