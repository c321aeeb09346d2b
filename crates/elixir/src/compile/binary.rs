//! `<<..>>` and `<>`: the segments with their types.

use super::{Compiler, Result};
use crate::ast::{Callee, Expr, Kind as ExprKind, Part};
use crate::bits::{Field, Kind, Layout, Length, Segment};
use crate::code::Op;
use crate::exception::Exception;
use crate::pattern::Pattern;
use crate::token::Span;
use crate::value::Value;

/// What stands behind `::`.
struct Type<'e> {
    kind: Option<Kind>,
    size: Option<&'e Expr>,
    unit: Option<usize>,
    little: bool,
    signed: bool,
}

const TYPES: &str = "integer, float, binary (bytes), bitstring (bits), utf8, utf16, utf32, signed, unsigned, big, little, \
                     native, size(n), unit(n)";

impl Compiler<'_> {
    fn segment_type<'e>(&self, expression: Option<&'e Expr>) -> Result<Type<'e>> {
        let mut own = Type { kind: None, size: None, unit: None, little: false, signed: false };
        let mut waiting: Vec<&Expr> = expression.into_iter().collect();
        while let Some(next) = waiting.pop() {
            let unknown = |name: &str| {
                let message = format!("unknown bitstring specifier: {name}");
                Exception::compile(next.span, message, format!("known: {TYPES}"))
            };
            match &next.kind {
                ExprKind::Binary("-", one, two) => waiting.extend([two.as_ref(), one.as_ref()]),
                ExprKind::Integer(_) => own.size = Some(next),
                ExprKind::Binary("*", size, unit) => {
                    own.size = Some(size);
                    own.unit = Some(unit_of(unit)?);
                }
                ExprKind::Call(Callee::Local(name), arguments) => match (name.as_str(), arguments.as_slice()) {
                    ("size", [size]) => own.size = Some(size),
                    ("unit", [unit]) => own.unit = Some(unit_of(unit)?),
                    _ => return Err(unknown(name)),
                },
                ExprKind::Variable(name) => match name.as_str() {
                    "integer" => own.kind = Some(Kind::Integer),
                    "float" => own.kind = Some(Kind::Float),
                    "binary" | "bytes" => own.kind = Some(Kind::Binary),
                    "bitstring" | "bits" => own.kind = Some(Kind::Bits),
                    "utf8" => own.kind = Some(Kind::Utf8),
                    "utf16" => own.kind = Some(Kind::Utf16),
                    "utf32" => own.kind = Some(Kind::Utf32),
                    "signed" => own.signed = true,
                    "unsigned" | "big" => {}
                    "little" => own.little = true,
                    "native" => own.little = cfg!(target_endian = "little"),
                    other => return Err(unknown(other)),
                },
                _ => return Err(unknown(&next.to_string())),
            }
        }
        Ok(own)
    }

    fn layout(own: &Type<'_>, usual: Kind) -> Layout {
        let kind = own.kind.unwrap_or(usual);
        let unit = own.unit.unwrap_or(if kind == Kind::Binary { 8 } else { 1 });
        Layout { kind, unit, little: own.little, signed: own.signed }
    }

    pub(super) fn bits(&mut self, segments: &[Expr], span: Span) -> Result<()> {
        let (mut laid, mut sizes) = (Vec::new(), Vec::new());
        let mut values = Vec::new();
        for segment in segments {
            let (value, own) = match &segment.kind {
                ExprKind::Binary("::", value, own) => (value.as_ref(), Some(own.as_ref())),
                _ => (segment, None),
            };
            if matches!(value.kind, ExprKind::Atom(_) | ExprKind::List(_) | ExprKind::Tuple(_)) {
                return Err(Exception::compile(segment.span, format!("invalid literal {value} in <<>>"), ""));
            }
            let own = self.segment_type(own)?;
            let literal = matches!(value.kind, ExprKind::Text(_) | ExprKind::Bits(_))
                || matches!(value.kind, ExprKind::Binary("<>", ..));
            if let (ExprKind::Text(parts), Some(Kind::Utf8 | Kind::Utf16 | Kind::Utf32)) = (&value.kind, own.kind) {
                // Each character of a literal text is a segment.
                let text = match parts.as_slice() {
                    [] => Some(""),
                    [Part::Text(bytes)] => std::str::from_utf8(bytes).ok(),
                    _ => None,
                };
                let text = text.ok_or_else(|| Exception::compile(segment.span, "a literal text is expected", ""))?;
                for character in text.chars() {
                    values.push(Value::integer(i64::from(u32::from(character))).into());
                    laid.push(Segment { layout: Self::layout(&own, Kind::Utf8), length: Length::Usual });
                }
                continue;
            }
            if literal && own.kind.is_none() && own.size.is_some() {
                let help = "give it a type: \"abc\"::binary-size(2)";
                return Err(Exception::compile(segment.span, "a literal string in <<>> has no size of its own", help));
            }
            let usual = match value.kind {
                ExprKind::Text(_) | ExprKind::Binary("<>", ..) => Kind::Binary,
                ExprKind::Bits(_) => Kind::Bits,
                ExprKind::Float(_) => Kind::Float,
                _ => Kind::Integer,
            };
            let length = match own.size {
                None => Length::Usual,
                Some(Expr { kind: ExprKind::Integer(size), .. }) => {
                    Length::Fixed(usize::try_from(size).unwrap_or(usize::MAX))
                }
                Some(size) => {
                    sizes.push(size);
                    Length::Given(sizes.len() - 1)
                }
            };
            values.push(SegmentValue::Code(value));
            laid.push(Segment { layout: Self::layout(&own, usual), length });
        }
        let _ = span;
        for value in values {
            match value {
                SegmentValue::Code(code) => self.expression(code)?,
                SegmentValue::Known(value) => self.push(value),
            }
        }
        for size in sizes {
            self.expression(size)?;
        }
        self.emit(Op::Bits(laid.into()));
        Ok(())
    }

    pub(super) fn bits_pattern(&mut self, segments: &[Expr], bound: &mut Vec<(String, usize)>) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        for segment in segments {
            let (value, own) = match &segment.kind {
                ExprKind::Binary("::", value, own) => (value.as_ref(), Some(own.as_ref())),
                _ => (segment, None),
            };
            let own = self.segment_type(own)?;
            if let ExprKind::Text(_) = value.kind
                && matches!(own.kind, None | Some(Kind::Utf8 | Kind::Binary))
            {
                fields.push(self.literal_field(value)?);
                continue;
            }
            let usual = if matches!(value.kind, ExprKind::Float(_)) { Kind::Float } else { Kind::Integer };
            let length = match own.size {
                None => Length::Usual,
                Some(Expr { kind: ExprKind::Integer(size), .. }) => {
                    Length::Fixed(usize::try_from(size).unwrap_or(usize::MAX))
                }
                Some(Expr { kind: ExprKind::Variable(name), span, .. }) => {
                    let slot = bound.iter().find(|(own, _)| own == name).map(|(_, slot)| *slot);
                    let slot = slot.or_else(|| self.resolve(name));
                    let message = format!("undefined variable \"{name}\"");
                    Length::Given(slot.ok_or_else(|| Exception::compile(*span, message, "bind it first"))?)
                }
                Some(size) => {
                    let help = "bind the size to a variable first";
                    return Err(Exception::compile(
                        size.span,
                        "the size in a pattern has to be a number or a variable",
                        help,
                    ));
                }
            };
            let pattern = self.one(value, bound)?;
            fields.push(Field { layout: Self::layout(&own, usual), length, pattern });
        }
        let open = |field: &Field| {
            matches!(field.layout.kind, Kind::Binary | Kind::Bits) && matches!(field.length, Length::Usual)
        };
        if let Some((_, init)) = fields.split_last()
            && init.iter().any(open)
        {
            let message = "a binary field without size is only allowed at the end of a binary pattern";
            let span = segments.first().map_or(Span::default(), |first| first.span);
            return Err(Exception::compile(span, message, "give it a size: x::binary-size(2)"));
        }
        Ok(fields)
    }

    /// A text that has to stand there.
    fn literal_field(&mut self, text: &Expr) -> Result<Field> {
        let value = self.constant(text)?;
        let length = value.as_bytes().map_or(0, <[u8]>::len);
        let layout = Layout { kind: Kind::Binary, unit: 8, little: false, signed: false };
        Ok(Field { layout, length: Length::Fixed(length), pattern: Pattern::Is(value) })
    }

    /// `"text" <> rest`
    pub(super) fn prefix_pattern(&mut self, expression: &Expr, bound: &mut Vec<(String, usize)>) -> Result<Vec<Field>> {
        let (mut fields, mut rest) = (Vec::new(), expression);
        while let ExprKind::Binary("<>", left, right) = &rest.kind {
            if !matches!(left.kind, ExprKind::Text(_)) {
                let message = "the left argument of <> operator inside a match should always be a literal binary because its \
                               size can't be verified";
                return Err(Exception::error("ArgumentError", format!("{message}. Got: {left}")));
            }
            fields.push(self.literal_field(left)?);
            rest = right;
        }
        if matches!(rest.kind, ExprKind::Text(_)) {
            fields.push(self.literal_field(rest)?);
            return Ok(fields);
        }
        let pattern = self.one(rest, bound)?;
        let layout = Layout { kind: Kind::Binary, unit: 8, little: false, signed: false };
        fields.push(Field { layout, length: Length::Usual, pattern });
        Ok(fields)
    }
}

enum SegmentValue<'e> {
    Code(&'e Expr),
    Known(Value),
}

impl From<Value> for SegmentValue<'_> {
    fn from(value: Value) -> Self {
        SegmentValue::Known(value)
    }
}

fn unit_of(expression: &Expr) -> Result<usize> {
    match &expression.kind {
        ExprKind::Integer(unit) => usize::try_from(unit).ok().filter(|unit| (1..=256).contains(unit)),
        _ => None,
    }
    .ok_or_else(|| Exception::compile(expression.span, "unit in bitstring expects an integer from 1 to 256", ""))
}
