//! Erlang's order of all terms: `number < atom < reference < fun < port < pid < tuple < map < nil < list < bit string`.
//!
//! Follows "Term Comparisons" of the Erlang reference manual. Integers and floats are compared by value: where `==` holds
//! of two numbers, the order of this crate's [`Ord`] puts the integer first, so that it agrees with equality (`=:=`).

use std::cmp::Ordering;

use num_bigint::BigInt;

use crate::{BitString, ImproperList, List, Map, Term};

impl Ord for Term {
    fn cmp(&self, other: &Term) -> Ordering {
        compare(self, other, Numbers::ByKind)
    }
}

impl PartialOrd for Term {
    fn partial_cmp(&self, other: &Term) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Term {
    /// Erlang's and Elixir's `==`: as `=` of Rust (which is `===`), but `1` equals `1.0`, at any depth except in map keys.
    ///
    /// ```
    /// use beamline_term::Term;
    /// let (one, two) = (Term::list([1.into()]), Term::list([1.0.into()]));
    /// assert!(one.loosely_equals(&two));
    /// assert_ne!(one, two);
    /// ```
    pub fn loosely_equals(&self, other: &Term) -> bool {
        self.loosely_compare(other).is_eq()
    }

    /// Erlang's order itself, in which `1` and `1.0` are equal. [`Ord`] is the same with integers before equal floats.
    pub fn loosely_compare(&self, other: &Term) -> Ordering {
        compare(self, other, Numbers::ByValue)
    }
}

/// The order of map keys: as Erlang's, but every integer stands before every float.
pub(crate) fn of_keys(one: &Term, two: &Term) -> Ordering {
    compare(one, two, Numbers::IntegersFirst)
}

#[derive(Clone, Copy, PartialEq)]
enum Numbers {
    /// `1 == 1.0`.
    ByValue,
    /// By value, and `1` before `1.0`.
    ByKind,
    /// `2` before `1.0`.
    IntegersFirst,
}

fn rank(term: &Term) -> u8 {
    match term {
        Term::Integer(_) | Term::BigInteger(_) | Term::Float(_) => 0,
        Term::Atom(_) => 1,
        Term::Reference(_) => 2,
        Term::Fun(_) => 3,
        Term::Export(_) => 4,
        Term::Port(_) => 5,
        Term::Pid(_) => 6,
        Term::Tuple(_) => 7,
        Term::Record(_) => 8,
        Term::Map(_) => 9,
        Term::List(list) if list.is_empty() => 10,
        Term::List(_) | Term::ImproperList(_) => 11,
        Term::Binary(_) | Term::BitString(_) => 12,
    }
}

/// Pairs of terms that still have to be compared stand on a list of our own, the first on top: terms may be nested
/// deeper than the stack.
fn compare(one: &Term, two: &Term, numbers: Numbers) -> Ordering {
    let mut waiting = Vec::new();
    let mut order = step(one, two, numbers, &mut waiting);
    while order.is_eq() {
        let Some(next) = waiting.pop() else { break };
        order = match next {
            Next::Terms(one, two, numbers) => step(one, two, numbers, &mut waiting),
            Next::Verdict(order) => order,
            Next::Slices(one, two, numbers) => match (one.split_first(), two.split_first()) {
                (Some((first, one)), Some((second, two))) => {
                    if !one.is_empty() {
                        waiting.push(Next::Slices(one, two, numbers));
                    }
                    step(first, second, numbers, &mut waiting)
                }
                _ => Ordering::Equal,
            },
        };
    }
    order
}

enum Next<'a> {
    Terms(&'a Term, &'a Term, Numbers),
    /// Two slices of the same length.
    Slices(&'a [Term], &'a [Term], Numbers),
    /// What counts when everything before was equal.
    Verdict(Ordering),
}

/// Compares two terms as far as that goes without looking into them, and leaves the rest to `waiting`.
fn step<'a>(one: &'a Term, two: &'a Term, numbers: Numbers, waiting: &mut Vec<Next<'a>>) -> Ordering {
    match (one, two) {
        (Term::Integer(one), Term::Integer(two)) => one.cmp(two),
        (Term::Atom(one), Term::Atom(two)) => one.cmp(two),
        (Term::Binary(one), Term::Binary(two)) => one.as_ref().cmp(two.as_ref()),
        (Term::Tuple(one), Term::Tuple(two)) => one.len().cmp(&two.len()).then_with(|| {
            waiting.push(Next::Slices(one, two, numbers));
            Ordering::Equal
        }),
        (Term::Pid(one), Term::Pid(two)) => one.cmp(two),
        (Term::Port(one), Term::Port(two)) => one.cmp(two),
        (Term::Reference(one), Term::Reference(two)) => one.cmp(two),
        (Term::Fun(one), Term::Fun(two)) => one.body().cmp(two.body()),
        (Term::Export(one), Term::Export(two)) => {
            (&one.module, &one.function, one.arity).cmp(&(&two.module, &two.function, two.arity))
        }
        (Term::Record(one), Term::Record(two)) => {
            let names = |record: &'a crate::Record| record.fields.iter().map(|(name, _)| name);
            let heads = (&one.module, &one.name, one.fields.len()).cmp(&(&two.module, &two.name, two.fields.len()));
            heads.then_with(|| names(one).cmp(names(two))).then_with(|| {
                let values = one.fields.iter().zip(&two.fields).rev();
                waiting.extend(values.map(|((_, one), (_, two))| Next::Terms(one, two, numbers)));
                one.exported.cmp(&two.exported)
            })
        }
        (Term::Map(one), Term::Map(two)) => maps(one, two, numbers, waiting),
        (Term::List(one), Term::List(two)) => match (one.terms(), two.terms()) {
            (Some(one), Some(two)) => lists((one, None), (two, None), numbers, waiting),
            _ => bytes_and_terms(one, two, numbers),
        },
        (Term::ImproperList(one), Term::ImproperList(two)) => lists(parts(one), parts(two), numbers, waiting),
        (Term::List(one), Term::ImproperList(two)) => match one.terms() {
            // `[]` stands before every list that has elements.
            Some([]) => Ordering::Less,
            Some(one) => lists((one, None), parts(two), numbers, waiting),
            None => bytes_and_improper(one, two, numbers),
        },
        (Term::ImproperList(one), Term::List(two)) => match two.terms() {
            Some([]) => Ordering::Greater,
            Some(two) => lists(parts(one), (two, None), numbers, waiting),
            None => bytes_and_improper(two, one, numbers).reverse(),
        },
        (Term::BitString(_) | Term::Binary(_), Term::BitString(_) | Term::Binary(_)) => bits(one, two),
        _ => rank(one).cmp(&rank(two)).then_with(|| compare_numbers(one, two, numbers)),
    }
}

fn parts(list: &ImproperList) -> (&[Term], Option<&Term>) {
    (list.elements(), Some(list.tail()))
}

type Parts<'a> = (&'a [Term], Option<&'a Term>);

/// Cell by cell; what follows the shorter one's elements is compared to the tail of the other.
fn lists<'a>(one: Parts<'a>, two: Parts<'a>, numbers: Numbers, waiting: &mut Vec<Next<'a>>) -> Ordering {
    let common = one.0.len().min(two.0.len());
    let after = match (one.0.len().cmp(&two.0.len()), one.1, two.1) {
        (Ordering::Equal, Some(one), Some(two)) => {
            waiting.push(Next::Terms(one, two, numbers));
            None
        }
        (Ordering::Equal, None, None) => None,
        // A tail that is no list against [] or against a list with elements; only a bit string is greater than both.
        (Ordering::Equal, Some(tail), None) => Some(rank(tail).cmp(&10)),
        (Ordering::Equal, None, Some(tail)) => Some(10.cmp(&rank(tail))),
        (Ordering::Less, tail, _) => Some(tail.map_or(10, rank).cmp(&11)),
        (Ordering::Greater, _, tail) => Some(11.cmp(&tail.map_or(10, rank))),
    };
    waiting.extend(after.map(Next::Verdict));
    waiting.push(Next::Slices(&one.0[..common], &two.0[..common], numbers));
    Ordering::Equal
}

/// Lists of which one at least is kept as bytes, so that its elements are leaves.
fn bytes_and_terms(one: &List, two: &List, numbers: Numbers) -> Ordering {
    let pairs = one.iter().zip(two.iter());
    let different = pairs.map(|(one, two)| compare(&one, &two, numbers)).find(|order| order.is_ne());
    different.unwrap_or_else(|| one.len().cmp(&two.len()))
}

/// A list that is kept as bytes, so that its elements are leaves.
fn bytes_and_improper(one: &List, two: &ImproperList, numbers: Numbers) -> Ordering {
    if one.is_empty() {
        return Ordering::Less;
    }
    let pairs = one.iter().zip(two.elements());
    let different = pairs.map(|(one, two)| compare(&one, two, numbers)).find(|order| order.is_ne());
    different.unwrap_or_else(|| match one.len().cmp(&two.elements().len()) {
        Ordering::Less => Ordering::Less,
        Ordering::Equal => 10.cmp(&rank(two.tail())),
        Ordering::Greater => 11.cmp(&rank(two.tail())),
    })
}

/// By size, then by keys, then by the values in the order of the keys.
fn maps<'a>(one: &'a Map, two: &'a Map, numbers: Numbers, waiting: &mut Vec<Next<'a>>) -> Ordering {
    one.len().cmp(&two.len()).then_with(|| {
        let (one, two) = (sorted(one), sorted(two));
        let pairs = || one.iter().zip(&two).rev();
        waiting.extend(pairs().map(|([_, one], [_, two])| Next::Terms(one, two, numbers)));
        waiting.extend(pairs().map(|([one, _], [two, _])| Next::Terms(one, two, Numbers::IntegersFirst)));
        Ordering::Equal
    })
}

/// The pairs of a map in the order of its keys. Those of one whose keys hold other terms stand in it already (see [`Map`]),
/// so that keys within keys are compared without recursion, and each of them is sorted but once.
pub(crate) fn sorted(map: &Map) -> Vec<&[Term; 2]> {
    let mut pairs: Vec<_> = map.pairs().iter().collect();
    if !map.keys_nest() {
        pairs.sort_by(|[one, _], [two, _]| of_keys(one, two));
    }
    pairs
}

fn bits(one: &Term, two: &Term) -> Ordering {
    fn parts(term: &Term) -> (&[u8], usize) {
        match term {
            Term::Binary(bytes) => (bytes, bytes.len() * 8),
            Term::BitString(bits) => (bits.bytes(), bit_length(bits)),
            _ => (&[], 0),
        }
    }
    let ((one, one_bits), (two, two_bits)) = (parts(one), parts(two));
    let common = one_bits.min(two_bits);
    let whole = common / 8;
    let mask = !(0xff_u8.checked_shr((common % 8) as u32).unwrap_or(0));
    let last = |bytes: &[u8]| bytes.get(whole).copied().unwrap_or(0) & mask;
    one[..whole].cmp(&two[..whole]).then_with(|| last(one).cmp(&last(two))).then(one_bits.cmp(&two_bits))
}

fn bit_length(bits: &BitString) -> usize {
    (bits.bytes().len() - 1) * 8 + usize::from(bits.last_bits())
}

fn compare_numbers(one: &Term, two: &Term, numbers: Numbers) -> Ordering {
    let by_value = match (one, two) {
        (Term::BigInteger(one), Term::BigInteger(two)) => return one.cmp(two),
        (Term::BigInteger(one), Term::Integer(_)) => return sign(one),
        (Term::Integer(_), Term::BigInteger(two)) => return sign(two).reverse(),
        (Term::Float(one), Term::Float(two)) => {
            let order = one.partial_cmp(two).unwrap_or(Ordering::Equal);
            // -0.0 and 0.0 are equal, and from OTP 27 on not identical.
            return if numbers == Numbers::ByValue { order } else { order.then_with(|| one.total_cmp(two)) };
        }
        (_, Term::Float(_)) | (Term::Float(_), _) if numbers == Numbers::IntegersFirst => Ordering::Equal,
        (one, Term::Float(two)) => exactly(one, *two),
        (Term::Float(one), two) => exactly(two, *one).reverse(),
        _ => Ordering::Equal,
    };
    if numbers == Numbers::ByValue {
        return by_value;
    }
    by_value.then_with(|| matches!(one, Term::Float(_)).cmp(&matches!(two, Term::Float(_))))
}

fn sign(number: &BigInt) -> Ordering {
    number.cmp(&BigInt::ZERO)
}

/// An integer against a float, without rounding either.
fn exactly(integer: &Term, float: f64) -> Ordering {
    let integer = match integer {
        Term::Integer(number) => BigInt::from(*number),
        Term::BigInteger(number) => number.as_ref().clone(),
        _ => return Ordering::Equal,
    };
    let whole = float.trunc();
    let rest = 0.0_f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal);
    integer.cmp(&whole_number(whole)).then(rest)
}

/// The integer that a float without fraction is.
fn whole_number(float: f64) -> BigInt {
    let bits = float.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1075;
    let mantissa = BigInt::from((bits & ((1 << 52) - 1)) | (1 << 52));
    let magnitude = match exponent {
        _ if float == 0.0 => BigInt::ZERO,
        0.. => mantissa << exponent as u32,
        _ => mantissa >> exponent.unsigned_abs(),
    };
    if float < 0.0 { -magnitude } else { magnitude }
}
