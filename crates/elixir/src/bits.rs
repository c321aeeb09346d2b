//! `<<..>>`: writing bits of values, and reading them in patterns.

use beamline_term::{BigInt, BitString, inspect::Elixir};
use num_bigint::Sign;

use crate::exception::{Exception, show};
use crate::pattern::{self, Pattern};
use crate::value::{Data, Heap, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Float,
    /// Whole bytes.
    Binary,
    Bits,
    Utf8,
    Utf16,
    Utf32,
}

/// How a segment is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) kind: Kind,
    pub(crate) unit: usize,
    pub(crate) little: bool,
    pub(crate) signed: bool,
}

/// How long a segment is, in units.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// As the kind has it: 8 for integers, 64 for floats, all of a binary.
    Usual,
    Fixed(usize),
    /// In construction: on the stack behind the values, at this place. In patterns: in this variable.
    Given(usize),
}

/// A segment that is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) layout: Layout,
    pub(crate) length: Length,
}

/// A segment of a pattern.
pub(crate) struct Field {
    pub(crate) layout: Layout,
    pub(crate) length: Length,
    pub(crate) pattern: Pattern,
}

impl Layout {
    fn usual_bits(self) -> Option<usize> {
        match self.kind {
            Kind::Integer => Some(8),
            Kind::Float => Some(64),
            _ => None,
        }
    }
}

/// Bits, the first being the most significant of the first byte.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    bits: usize,
}

impl Writer {
    fn bit(&mut self, one: bool) {
        let (byte, place) = (self.bits / 8, self.bits % 8);
        if place == 0 {
            self.bytes.push(0);
        }
        if one && let Some(last) = self.bytes.get_mut(byte) {
            *last |= 0x80 >> place;
        }
        self.bits += 1;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if self.bits.is_multiple_of(8) {
            self.bytes.extend_from_slice(bytes);
            self.bits += bytes.len() * 8;
        } else {
            bytes.iter().for_each(|byte| (0..8).for_each(|place| self.bit(byte & (0x80 >> place) != 0)));
        }
    }

    /// The lowest `bits` of a number, in two's complement.
    fn integer(&mut self, number: &BigInt, bits: usize, little: bool) {
        let mut bytes = number.to_signed_bytes_le();
        let fill = if number.sign() == Sign::Minus { 0xff } else { 0 };
        bytes.resize(bits.div_ceil(8).max(1), fill);
        bytes.truncate(bits.div_ceil(8));
        if little {
            let whole = bits / 8;
            self.bytes(&bytes[..whole]);
            let rest = bits % 8;
            (0..rest).rev().for_each(|place| self.bit(bytes[whole] >> place & 1 == 1));
        } else {
            bytes.reverse();
            let rest = bits % 8;
            if rest > 0 {
                (0..rest).rev().for_each(|place| self.bit(bytes[0] >> place & 1 == 1));
                self.bytes(&bytes[1..]);
            } else {
                self.bytes(&bytes);
            }
        }
    }
}

/// The binary of these segments; behind the values stand the lengths that were computed.
pub(crate) fn build(
    segments: &[Segment],
    values: &[Value],
    heap: &Heap,
    limit: usize,
    elixir: Elixir,
) -> Result<Value, Exception> {
    let mut writer = Writer::default();
    let failed = |value: &Value, what: &str| {
        let shown = show(value, elixir);
        let _ = what;
        Exception::argument(format!("construction of binary failed: {what}, got: {shown}"))
    };
    for (segment, value) in segments.iter().zip(values) {
        let length = match segment.length {
            Length::Usual => None,
            Length::Fixed(length) => Some(length),
            Length::Given(place) => {
                let given = values.get(segments.len() + place);
                let length = given.and_then(Value::as_integer).and_then(|length| usize::try_from(length).ok());
                Some(length.ok_or_else(|| Exception::argument("argument error"))?)
            }
        };
        let layout = segment.layout;
        let bits = length.and_then(|length| length.checked_mul(layout.unit)).or(layout.usual_bits());
        if writer.bytes.len().saturating_add(bits.unwrap_or(0) / 8) > limit {
            return Err(Exception::Limit { what: "the memory of the values", limit: limit as u64 });
        }
        match layout.kind {
            Kind::Integer => {
                let number = value.to_big().ok_or_else(|| failed(value, "expected an integer"))?;
                writer.integer(&number, bits.unwrap_or(8), layout.little);
            }
            Kind::Float => float(&mut writer, value, bits.unwrap_or(64), layout.little)
                .ok_or_else(|| failed(value, "expected a float or an integer"))?,
            Kind::Binary | Kind::Bits => match (&value.0, bits) {
                (Data::Binary(bytes), None) => writer.bytes(&bytes.binary),
                (Data::Binary(bytes), Some(bits)) if bits <= bytes.binary.len() * 8 => {
                    writer.bytes(&bytes.binary[..bits / 8]);
                    let last = bytes.binary.get(bits / 8).copied().unwrap_or(0);
                    (0..bits % 8).for_each(|place| writer.bit(last & (0x80 >> place) != 0));
                }
                (Data::Bits(own), None) if layout.kind == Kind::Bits => {
                    let whole = own.bytes().len().saturating_sub(1);
                    writer.bytes(&own.bytes()[..whole]);
                    let last = own.bytes().last().copied().unwrap_or(0);
                    (0..own.last_bits()).for_each(|place| writer.bit(last & (0x80 >> place) != 0));
                }
                _ => return Err(failed(value, "expected a binary of that size")),
            },
            Kind::Utf8 | Kind::Utf16 | Kind::Utf32 => {
                let character = value.as_integer().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
                let character = character.ok_or_else(|| failed(value, "expected a Unicode code point"))?;
                encode(&mut writer, character, layout);
            }
        }
    }
    let last = writer.bits % 8;
    if last == 0 {
        return Ok(heap.binary(writer.bytes));
    }
    let bits = BitString::new(writer.bytes.into(), last as u8);
    Ok(bits.map_or_else(|| heap.binary(Vec::new()), |bits| heap.bits(bits)))
}

fn float(writer: &mut Writer, value: &Value, bits: usize, little: bool) -> Option<()> {
    let number = match &value.0 {
        Data::Float(number) => *number,
        Data::Integer(number) => *number as f64,
        _ => return None,
    };
    let mut bytes = match bits {
        64 => number.to_be_bytes().to_vec(),
        32 => Some((number as f32).to_be_bytes().to_vec()).filter(|_| (number as f32).is_finite())?,
        _ => return None,
    };
    if little {
        bytes.reverse();
    }
    writer.bytes(&bytes);
    Some(())
}

fn encode(writer: &mut Writer, character: char, layout: Layout) {
    match layout.kind {
        Kind::Utf16 => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
            writer.bytes(&if layout.little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }),
        Kind::Utf32 => {
            let code = u32::from(character);
            writer.bytes(&if layout.little { code.to_le_bytes() } else { code.to_be_bytes() });
        }
        _ => writer.bytes(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Bits that are read from a place on.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn left(&self) -> usize {
        self.end - self.at
    }

    /// The next bits as bytes, the last one padded with zeros.
    fn take(&mut self, bits: usize) -> Option<Vec<u8>> {
        if bits > self.left() {
            return None;
        }
        let from = self.at;
        self.at += bits;
        if from.is_multiple_of(8) && bits.is_multiple_of(8) {
            return Some(self.bytes[from / 8..(from + bits) / 8].to_vec());
        }
        let mut out = Writer::default();
        (from..from + bits).for_each(|at| out.bit(self.bytes[at / 8] & (0x80 >> (at % 8)) != 0));
        Some(out.bytes)
    }

    fn integer(&mut self, bits: usize, layout: Layout) -> Option<BigInt> {
        let bytes = self.take(bits)?;
        let rest = bits % 8;
        let mut number = if layout.little {
            let mut bytes = bytes;
            if rest > 0
                && let Some(last) = bytes.last_mut()
            {
                *last >>= 8 - rest;
            }
            BigInt::from_bytes_le(Sign::Plus, &bytes)
        } else {
            let number = BigInt::from_bytes_be(Sign::Plus, &bytes);
            if rest > 0 { number >> (8 - rest) } else { number }
        };
        if layout.signed && bits > 0 && number.bit(bits as u64 - 1) {
            number -= BigInt::from(1) << bits;
        }
        Some(number)
    }
}

/// Whether a value is a binary of these segments.
pub(crate) fn matches(fields: &[Field], value: &Value, slots: &mut [Value], heap: &Heap) -> bool {
    let (bytes, end) = match &value.0 {
        Data::Binary(bytes) => (bytes.binary.as_ref(), bytes.binary.len() * 8),
        Data::Bits(bits) => (bits.bytes(), (bits.bytes().len() - 1) * 8 + usize::from(bits.last_bits())),
        _ => return false,
    };
    let mut reader = Reader { bytes, at: 0, end };
    fields.iter().all(|field| {
        read(field, &mut reader, slots, heap).is_some_and(|read| pattern::matches(&field.pattern, &read, slots, heap))
    }) && reader.left() == 0
}

fn read(field: &Field, reader: &mut Reader<'_>, slots: &[Value], heap: &Heap) -> Option<Value> {
    let layout = field.layout;
    let length = match field.length {
        Length::Usual => None,
        Length::Fixed(length) => Some(length),
        Length::Given(slot) => Some(usize::try_from(slots.get(slot)?.as_integer()?).ok()?),
    };
    let bits = match length {
        Some(length) => Some(length.checked_mul(layout.unit)?),
        None => layout.usual_bits(),
    };
    Some(match layout.kind {
        Kind::Integer => Value::big(reader.integer(bits?, layout)?),
        Kind::Float => {
            let mut bytes = reader.take(bits?)?;
            if layout.little {
                bytes.reverse();
            }
            let number = match bytes.len() {
                8 => f64::from_be_bytes(bytes.try_into().ok()?),
                4 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)),
                _ => return None,
            };
            Value::float(Some(number).filter(|number| number.is_finite())?)
        }
        Kind::Binary | Kind::Bits => {
            let bits = bits.unwrap_or(reader.left());
            if layout.kind == Kind::Binary && !bits.is_multiple_of(8) {
                return None;
            }
            let bytes = reader.take(bits)?;
            match bits % 8 {
                0 => heap.binary(bytes),
                rest => heap.bits(BitString::new(bytes.into(), rest as u8)?),
            }
        }
        Kind::Utf8 => {
            let start = reader.at;
            let first = reader.take(8)?[0];
            let more = match first {
                0..0x80 => 0,
                0xc0..0xe0 => 1,
                0xe0..0xf0 => 2,
                0xf0..0xf8 => 3,
                _ => return None,
            };
            reader.at = start;
            let bytes = reader.take(8 + more * 8)?;
            let character = std::str::from_utf8(&bytes).ok()?.chars().next()?;
            Value::integer(i64::from(u32::from(character)))
        }
        Kind::Utf16 => {
            let mut unit = || u16::try_from(reader.integer(16, layout)?).ok();
            let first = unit()?;
            let units = if (0xd800..0xdc00).contains(&first) { vec![first, unit()?] } else { vec![first] };
            let character = char::decode_utf16(units).next()?.ok()?;
            Value::integer(i64::from(u32::from(character)))
        }
        Kind::Utf32 => {
            let code = u32::try_from(reader.integer(32, layout)?).ok()?;
            Value::integer(i64::from(u32::from(char::from_u32(code)?)))
        }
    })
}
