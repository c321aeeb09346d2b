//! `Date`: a day of the proleptic Gregorian calendar.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ISO, Invalid, check_calendar};
use crate::Atom;

/// Elixir's `Date` in its default calendar, from the year -9999 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "%Date")]
struct Fields {
    calendar: Atom,
    year: i64,
    month: u8,
    day: u8,
}

impl Date {
    /// The date of a year, a month from 1, a day from 1.
    ///
    /// # Errors
    /// The year is not from -9999 to 9999, or has no such day.
    pub fn new(year: i32, month: u8, day: u8) -> Result<Date, Invalid> {
        if !(-9999..=9999).contains(&year) || day < 1 || day > days_of_month(year, month) {
            return Err(Invalid::Date { year: year.into(), month, day });
        }
        Ok(Date { year, month, day })
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month, from 1.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.day
    }

    /// How many days it is after 1970-01-01.
    pub fn days_since_1970(self) -> i32 {
        // The year begins in March: then the leap day is its last, and months follow a pattern of five.
        let years = self.year - i32::from(self.month <= 2);
        let month = (i32::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i32::from(self.day) - 1;
        let (era, year) = (years.div_euclid(400), years.rem_euclid(400));
        era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
    }

    /// The date so many days after 1970-01-01.
    ///
    /// # Errors
    /// It is not in the years -9999 to 9999.
    pub fn from_days_since_1970(days: i64) -> Result<Date, Invalid> {
        let days = days.saturating_add(719_468);
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u8;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u8;
        let year = (era * 400).saturating_add(year + i64::from(month <= 2));
        match i32::try_from(year) {
            Ok(year) => Date::new(year, month, day),
            Err(_) => Err(Invalid::Date { year, month, day }),
        }
    }
}

fn days_of_month(year: i32, month: u8) -> u8 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl fmt::Display for Date {
    /// As `Date.to_iso8601/1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.year < 0 { "-" } else { "" };
        write!(f, "{sign}{:04}-{:02}-{:02}", self.year.unsigned_abs(), self.month, self.day)
    }
}

impl From<Date> for Fields {
    fn from(date: Date) -> Fields {
        Fields { calendar: ISO, year: date.year.into(), month: date.month, day: date.day }
    }
}

impl TryFrom<Fields> for Date {
    type Error = Invalid;

    fn try_from(fields: Fields) -> Result<Date, Invalid> {
        check_calendar(fields.calendar)?;
        let Fields { year, month, day, .. } = fields;
        match i32::try_from(year) {
            Ok(year) => Date::new(year, month, day),
            Err(_) => Err(Invalid::Date { year, month, day }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        let first = Date::new(-9999, 1, 1).unwrap().days_since_1970();
        let mut before = None;
        for days in first..=Date::new(9999, 12, 31).unwrap().days_since_1970() {
            let date = Date::from_days_since_1970(days.into()).unwrap();
            assert_eq!(date.days_since_1970(), days);
            assert!(before < Some(date));
            before = Some(date);
        }
        assert_eq!(Date::new(1970, 1, 1).unwrap().days_since_1970(), 0);
        assert_eq!(Date::new(2024, 2, 29).unwrap().days_since_1970(), 19_782);
        assert_eq!(Date::new(0, 3, 1).unwrap().days_since_1970(), -719_468);
        for days in [i64::MIN, i64::MAX, i64::from(first) - 1, 3_000_000] {
            assert!(Date::from_days_since_1970(days).is_err());
        }
    }

    #[test]
    fn what_is_no_date() {
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (10_000, 1, 1)]
        {
            assert!(Date::new(year, month, day).is_err());
        }
        assert!(Date::new(2000, 2, 29).is_ok());
        assert_eq!(Date::new(-1, 1, 1).unwrap().to_string(), "-0001-01-01");
    }
}
