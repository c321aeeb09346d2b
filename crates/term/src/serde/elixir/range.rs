//! `Range`: whole numbers from one to another, by steps.

use std::fmt;
use std::ops::{self, RangeInclusive};

use serde::{Deserialize, Serialize};

use super::Invalid;

/// Elixir's `first..last//step`. Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Range {
    first: i64,
    last: i64,
    step: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "%Range")]
struct Fields {
    first: i64,
    last: i64,
    /// Elixir before 1.12 has none.
    step: Option<i64>,
}

impl Range {
    /// The range from one number to another by this step.
    ///
    /// # Errors
    /// The step is 0.
    pub fn new(first: i64, last: i64, step: i64) -> Result<Range, Invalid> {
        if step == 0 { Err(Invalid::Step) } else { Ok(Range { first, last, step }) }
    }

    /// Where it begins.
    pub fn first(self) -> i64 {
        self.first
    }

    /// Where it ends, at the latest.
    pub fn last(self) -> i64 {
        self.last
    }

    /// From one of its numbers to the next.
    pub fn step(self) -> i64 {
        self.step
    }

    /// Its numbers in order.
    pub fn iter(self) -> impl Iterator<Item = i64> {
        let inside = move |number: &i64| if self.step > 0 { *number <= self.last } else { *number >= self.last };
        std::iter::successors(Some(self.first), move |number| number.checked_add(self.step)).take_while(inside)
    }
}

impl fmt::Display for Range {
    /// As Elixir writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)?;
        if self.step == 1 { Ok(()) } else { write!(f, "//{}", self.step) }
    }
}

impl From<RangeInclusive<i64>> for Range {
    fn from(range: RangeInclusive<i64>) -> Range {
        Range { first: *range.start(), last: *range.end(), step: 1 }
    }
}

impl From<ops::Range<i64>> for Range {
    /// The same numbers: the last one is one before the end.
    fn from(range: ops::Range<i64>) -> Range {
        match range.end.checked_sub(1) {
            Some(last) => Range { first: range.start, last, step: 1 },
            // Nothing is before it, so the range is empty.
            None => Range { first: 1, last: 0, step: 1 },
        }
    }
}

impl TryFrom<Range> for RangeInclusive<i64> {
    type Error = Invalid;

    /// The same numbers.
    ///
    /// # Errors
    /// The step is not 1.
    fn try_from(range: Range) -> Result<RangeInclusive<i64>, Invalid> {
        if range.step == 1 { Ok(range.first..=range.last) } else { Err(Invalid::NotByOne(range.step)) }
    }
}

impl From<Range> for Fields {
    fn from(Range { first, last, step }: Range) -> Fields {
        Fields { first, last, step: Some(step) }
    }
}

impl TryFrom<Fields> for Range {
    type Error = Invalid;

    fn try_from(Fields { first, last, step }: Fields) -> Result<Range, Invalid> {
        // What such a range means to the Elixir that has no steps.
        let step = step.unwrap_or(if first <= last { 1 } else { -1 });
        Range::new(first, last, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_both_languages_hold_the_same_numbers() {
        for (first, last, step, numbers) in [
            (1, 5, 2, vec![1, 3, 5]),
            (5, 1, -2, vec![5, 3, 1]),
            (1, 0, 1, vec![]),
            (i64::MAX - 1, i64::MAX, 1, vec![i64::MAX - 1, i64::MAX]),
        ] {
            assert_eq!(Range::new(first, last, step).unwrap().iter().collect::<Vec<_>>(), numbers);
        }
        assert_eq!(Range::new(1, 2, 0), Err(Invalid::Step));
        for (start, end) in [(0, 5), (3, 3), (3, 0), (0, i64::MIN)] {
            let range = start..end;
            assert!(Range::from(range.clone()).iter().eq(range));
        }
        assert_eq!(RangeInclusive::try_from(Range::from(1..=3)), Ok(1..=3));
        assert_eq!(RangeInclusive::try_from(Range::new(3, 1, -1).unwrap()), Err(Invalid::NotByOne(-1)));
        assert_eq!(Range::new(3, 1, -1).unwrap().to_string(), "3..1//-1");
    }
}
