//! `NaiveDateTime` and `DateTime`: a day and a time of day, without and with a time zone.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::{Date, ISO, Invalid, Microsecond, Time, check_calendar};
use crate::Atom;

/// Elixir's `NaiveDateTime`: a date and a time that say nothing of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "NaiveFields", into = "NaiveFields")]
pub struct NaiveDateTime {
    /// The day.
    pub date: Date,
    /// The time of day.
    pub time: Time,
}

/// Elixir's `DateTime`. Equality and order are of the fields, not of the moments: for those compare
/// [`unix_microseconds`](DateTime::unix_microseconds).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct DateTime {
    /// Date and time on the clocks of the zone.
    pub local: NaiveDateTime,
    /// The name of the zone, such as `Etc/UTC`.
    pub time_zone: String,
    /// Its abbreviation, such as `UTC`.
    pub zone_abbr: String,
    /// How far its standard time is ahead of UTC, in seconds.
    pub utc_offset: i32,
    /// How far its summer time is ahead of that, in seconds.
    pub std_offset: i32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "%NaiveDateTime")]
struct NaiveFields {
    calendar: Atom,
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: Microsecond,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "%DateTime")]
struct Fields {
    calendar: Atom,
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: Microsecond,
    time_zone: String,
    zone_abbr: String,
    utc_offset: i32,
    std_offset: i32,
}

impl NaiveDateTime {
    /// Microseconds from 1970-01-01 00:00:00 of the same clock.
    fn microseconds_since_1970(self) -> i64 {
        let day = self.time.since_midnight().as_micros() as i64;
        i64::from(self.date.days_since_1970()) * MICROSECONDS_A_DAY + day
    }

    fn from_microseconds_since_1970(microseconds: i64) -> Result<NaiveDateTime, Invalid> {
        let date = Date::from_days_since_1970(microseconds.div_euclid(MICROSECONDS_A_DAY))?;
        let day = microseconds.rem_euclid(MICROSECONDS_A_DAY).unsigned_abs();
        Ok(NaiveDateTime { date, time: Time::from_microseconds_since_midnight(day) })
    }
}

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

impl DateTime {
    /// The moment at which a clock of UTC shows this.
    pub fn utc(at: NaiveDateTime) -> DateTime {
        let (time_zone, zone_abbr) = ("Etc/UTC".to_owned(), "UTC".to_owned());
        DateTime { local: at, time_zone, zone_abbr, utc_offset: 0, std_offset: 0 }
    }

    /// The moment so many microseconds after 1970-01-01 00:00:00 UTC, as `DateTime.from_unix(n, :microsecond)`.
    ///
    /// # Errors
    /// It is not in the years -9999 to 9999.
    pub fn from_unix_microseconds(microseconds: i64) -> Result<DateTime, Invalid> {
        NaiveDateTime::from_microseconds_since_1970(microseconds).map(DateTime::utc)
    }

    /// The moment in microseconds after 1970-01-01 00:00:00 UTC, as `DateTime.to_unix(datetime, :microsecond)`.
    pub fn unix_microseconds(&self) -> i64 {
        let offset = i64::from(self.utc_offset) + i64::from(self.std_offset);
        self.local.microseconds_since_1970() - offset * 1_000_000
    }
}

impl From<&DateTime> for SystemTime {
    fn from(moment: &DateTime) -> SystemTime {
        let microseconds = moment.unix_microseconds();
        let distance = Duration::from_micros(microseconds.unsigned_abs());
        let time = if microseconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        };
        // Every system's clock reaches over these years.
        time.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

impl TryFrom<SystemTime> for DateTime {
    type Error = Invalid;

    /// The moment in UTC, to the microsecond.
    ///
    /// # Errors
    /// It is not in the years -9999 to 9999.
    fn try_from(time: SystemTime) -> Result<DateTime, Invalid> {
        let bounded = |distance: Duration| i64::try_from(distance.as_micros()).unwrap_or(i64::MAX);
        DateTime::from_unix_microseconds(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => bounded(after),
            Err(before) => -bounded(before.duration()),
        })
    }
}

impl fmt::Display for NaiveDateTime {
    /// As `NaiveDateTime.to_string/1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

impl From<NaiveDateTime> for NaiveFields {
    fn from(NaiveDateTime { date, time }: NaiveDateTime) -> NaiveFields {
        NaiveFields {
            calendar: ISO,
            year: date.year(),
            month: date.month(),
            day: date.day(),
            hour: time.hour(),
            minute: time.minute(),
            second: time.second(),
            microsecond: time.microsecond(),
        }
    }
}

impl TryFrom<NaiveFields> for NaiveDateTime {
    type Error = Invalid;

    fn try_from(fields: NaiveFields) -> Result<NaiveDateTime, Invalid> {
        check_calendar(fields.calendar)?;
        let time = Time::new(fields.hour, fields.minute, fields.second)?;
        let date = Date::new(fields.year, fields.month, fields.day)?;
        Ok(NaiveDateTime { date, time: time.with_microsecond(fields.microsecond) })
    }
}

impl From<DateTime> for Fields {
    fn from(moment: DateTime) -> Fields {
        let NaiveFields { calendar, year, month, day, hour, minute, second, microsecond } = moment.local.into();
        let DateTime { time_zone, zone_abbr, utc_offset, std_offset, .. } = moment;
        Fields {
            calendar,
            year,
            month,
            day,
            hour,
            minute,
            second,
            microsecond,
            time_zone,
            zone_abbr,
            utc_offset,
            std_offset,
        }
    }
}

impl TryFrom<Fields> for DateTime {
    type Error = Invalid;

    fn try_from(fields: Fields) -> Result<DateTime, Invalid> {
        let Fields { calendar, year, month, day, hour, minute, second, microsecond, .. } = fields;
        let local = NaiveFields { calendar, year, month, day, hour, minute, second, microsecond }.try_into()?;
        let Fields { time_zone, zone_abbr, utc_offset, std_offset, .. } = fields;
        Ok(DateTime { local, time_zone, zone_abbr, utc_offset, std_offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_the_numbers_that_elixir_has_for_them() {
        let moment = DateTime::from_unix_microseconds(1_709_209_800_123_456).unwrap();
        assert_eq!(moment.local.to_string(), "2024-02-29 12:30:00.123456");
        assert_eq!(moment.unix_microseconds(), 1_709_209_800_123_456);
        assert_eq!(DateTime::from_unix_microseconds(-1).unwrap().local.to_string(), "1969-12-31 23:59:59.999999");
        let summer = DateTime { utc_offset: 3600, std_offset: 3600, ..moment.clone() };
        assert_eq!(summer.unix_microseconds(), 1_709_209_800_123_456 - 7_200_000_000);
        for moment in [moment, summer, DateTime::from_unix_microseconds(-1).unwrap()] {
            let back = DateTime::try_from(SystemTime::from(&moment)).unwrap();
            assert_eq!(back.unix_microseconds(), moment.unix_microseconds());
        }
        assert!(DateTime::from_unix_microseconds(i64::MIN).is_err());
        assert!(DateTime::from_unix_microseconds(i64::MAX).is_err());
    }
}
