//! `Time`: a time of day, to the microsecond.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ISO, Invalid, check_calendar};
use crate::Atom;

/// A fraction of a second, and how many digits of it count: `.120` is `{120000, 3}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "(u32, u8)", into = "(u32, u8)")]
pub struct Microsecond {
    value: u32,
    precision: u8,
}

impl Microsecond {
    /// So many microseconds, of which so many digits count.
    ///
    /// # Errors
    /// It is a second or more, or more than 6 digits.
    pub fn new(value: u32, precision: u8) -> Result<Microsecond, Invalid> {
        match (value, precision) {
            (0..1_000_000, 0..=6) => Ok(Microsecond { value, precision }),
            _ => Err(Invalid::Microsecond { value, precision }),
        }
    }

    /// How many microseconds, 0 to 999999.
    pub fn value(self) -> u32 {
        self.value
    }

    /// How many digits count, 0 to 6.
    pub fn precision(self) -> u8 {
        self.precision
    }
}

impl From<Microsecond> for (u32, u8) {
    fn from(microsecond: Microsecond) -> (u32, u8) {
        (microsecond.value, microsecond.precision)
    }
}

impl TryFrom<(u32, u8)> for Microsecond {
    type Error = Invalid;

    fn try_from((value, precision): (u32, u8)) -> Result<Microsecond, Invalid> {
        Microsecond::new(value, precision)
    }
}

/// Elixir's `Time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Time {
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: Microsecond,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "%Time")]
struct Fields {
    calendar: Atom,
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: Microsecond,
}

impl Time {
    /// A time of day, without a fraction of a second.
    ///
    /// # Errors
    /// Hour, minute or second are not less than 24, 60, 60.
    pub fn new(hour: u8, minute: u8, second: u8) -> Result<Time, Invalid> {
        match (hour, minute, second) {
            (0..24, 0..60, 0..60) => Ok(Time { hour, minute, second, microsecond: Microsecond::default() }),
            _ => Err(Invalid::Time { hour, minute, second }),
        }
    }

    /// The same time with this fraction of a second.
    pub fn with_microsecond(self, microsecond: Microsecond) -> Time {
        Time { microsecond, ..self }
    }

    /// The hour, 0 to 23.
    pub fn hour(self) -> u8 {
        self.hour
    }

    /// The minute, 0 to 59.
    pub fn minute(self) -> u8 {
        self.minute
    }

    /// The second, 0 to 59.
    pub fn second(self) -> u8 {
        self.second
    }

    /// The fraction of a second.
    pub fn microsecond(self) -> Microsecond {
        self.microsecond
    }

    /// The time since midnight.
    pub fn since_midnight(self) -> Duration {
        let seconds = (u64::from(self.hour) * 60 + u64::from(self.minute)) * 60 + u64::from(self.second);
        Duration::new(seconds, self.microsecond.value * 1000)
    }

    /// The time of day so many microseconds after midnight, all 6 digits of them counting. A day's worth begins anew.
    pub fn from_microseconds_since_midnight(microseconds: u64) -> Time {
        let (seconds, value) = (microseconds / 1_000_000 % 86_400, (microseconds % 1_000_000) as u32);
        let [hour, minute, second] = [seconds / 3600, seconds / 60 % 60, seconds % 60].map(|part| part as u8);
        Time { hour, minute, second, microsecond: Microsecond { value, precision: 6 } }
    }
}

impl fmt::Display for Time {
    /// As `Time.to_iso8601/1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        match self.microsecond.precision {
            0 => Ok(()),
            precision => {
                let digits = format!("{:06}", self.microsecond.value);
                write!(f, ".{}", digits.get(..usize::from(precision)).unwrap_or(&digits))
            }
        }
    }
}

impl From<Time> for Fields {
    fn from(time: Time) -> Fields {
        let Time { hour, minute, second, microsecond } = time;
        Fields { calendar: ISO, hour, minute, second, microsecond }
    }
}

impl TryFrom<Fields> for Time {
    type Error = Invalid;

    fn try_from(fields: Fields) -> Result<Time, Invalid> {
        check_calendar(fields.calendar)?;
        Ok(Time::new(fields.hour, fields.minute, fields.second)?.with_microsecond(fields.microsecond))
    }
}
