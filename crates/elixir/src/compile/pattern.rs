//! Patterns.

use super::{Compiler, Result};
use crate::ast::{Expr, Kind, Part};
use crate::exception::Exception;
use crate::pattern::{Key, Pattern};
use crate::token::Span;
use crate::value::{Value, module_atom};

impl Compiler<'_> {
    /// A pattern whose variables are new; they are in reach from here on.
    pub(super) fn pattern(&mut self, expression: &Expr) -> Result<Pattern> {
        Ok(self.patterns(std::slice::from_ref(expression))?.pop().unwrap_or(Pattern::Any))
    }

    /// Patterns in which a name is one variable, wherever it stands.
    pub(super) fn patterns(&mut self, all: &[Expr]) -> Result<Vec<Pattern>> {
        let mut bound = Vec::new();
        let patterns = all.iter().map(|one| self.one(one, &mut bound)).collect::<Result<Vec<_>>>()?;
        self.function().scope.extend(bound);
        Ok(patterns)
    }

    fn all(&mut self, all: &[Expr], bound: &mut Vec<(String, usize)>) -> Result<Vec<Pattern>> {
        all.iter().map(|one| self.one(one, bound)).collect()
    }

    pub(super) fn one(&mut self, expression: &Expr, bound: &mut Vec<(String, usize)>) -> Result<Pattern> {
        let span = expression.span;
        Ok(match &expression.kind {
            Kind::Variable(name) if name == "_" => Pattern::Any,
            Kind::Variable(name) => match bound.iter().find(|(own, _)| own == name) {
                Some((_, slot)) => Pattern::Same(*slot),
                None => {
                    let slot = self.slot();
                    bound.push((name.clone(), slot));
                    Pattern::Bind(slot)
                }
            },
            Kind::Unary("^", pinned) => Pattern::Same(self.pinned(pinned, span)?),
            Kind::Binary("=", one, two) => {
                Pattern::Both(Box::new(self.one(one, bound)?), Box::new(self.one(two, bound)?))
            }
            Kind::Tuple(elements) => Pattern::Tuple(self.all(elements, bound)?),
            Kind::List(elements) => self.list_pattern(elements, bound)?,
            Kind::Map(None, pairs) => Pattern::Map(self.map_pattern(pairs, bound)?),
            Kind::Struct(name, map) => self.struct_pattern(name, map, bound)?,
            Kind::Binary("<>", ..) => Pattern::Bits(self.prefix_pattern(expression, bound)?),
            Kind::Binary("++", one, two) => self.joined_pattern(one, two, bound)?,
            Kind::Bits(segments) => Pattern::Bits(self.bits_pattern(segments, bound)?),
            _ => Pattern::Is(self.constant(expression)?),
        })
    }

    /// The slot of a pinned variable.
    fn pinned(&mut self, pinned: &Expr, span: Span) -> Result<usize> {
        let Kind::Variable(name) = &pinned.kind else {
            let help = "bind it to a variable first";
            return Err(Exception::compile(
                span,
                "invalid argument for unary operator ^, expected an existing variable",
                help,
            ));
        };
        self.resolve(name).ok_or_else(|| {
            let message = format!(
                "undefined variable ^{name}. No variable \"{name}\" has been defined before the current pattern"
            );
            Exception::compile(span, message, format!("without ^ the pattern binds `{name}`"))
        })
    }

    /// A value that is written out.
    pub(super) fn constant(&mut self, expression: &Expr) -> Result<Value> {
        let heap = self.session.heap();
        let plain = |parts: &[Part]| match parts {
            [] => Some(Vec::new()),
            [Part::Text(bytes)] => Some(bytes.clone()),
            _ => None,
        };
        let negative = |operand: &Expr| match &operand.kind {
            Kind::Integer(number) => Some(Value::big(-number.clone())),
            Kind::Float(number) => Some(Value::float(-number)),
            _ => None,
        };
        let value = match &expression.kind {
            Kind::Integer(number) => Some(Value::big(number.clone())),
            Kind::Float(number) => Some(Value::float(*number)),
            Kind::Atom(atom) => Some(Value::atom(atom.clone())),
            Kind::Alias(alias) => module_atom(alias).map(Value::atom),
            Kind::Text(parts) => plain(parts).map(|bytes| heap.binary(bytes)),
            Kind::Charlist(parts) => {
                plain(parts).and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| heap.charlist(&text))
            }
            Kind::Sigil(sigil) => {
                let text = plain(&sigil.parts).and_then(|bytes| String::from_utf8(bytes).ok());
                match (sigil.name.as_str(), text) {
                    ("s" | "S", Some(text)) => Some(heap.binary(text)),
                    ("c" | "C", Some(text)) => Some(heap.charlist(&text)),
                    ("w" | "W", Some(text)) if sigil.modifiers.is_empty() => {
                        Some(heap.list(text.split_whitespace().map(|word| heap.binary(word)).collect()))
                    }
                    _ => None,
                }
            }
            Kind::Unary("-", operand) => negative(operand),
            Kind::Unary("+", operand) if matches!(operand.kind, Kind::Integer(_) | Kind::Float(_)) => {
                return self.constant(operand);
            }
            Kind::Printed(text) => match crate::parser::printed(text) {
                Some(crate::parser::Printed::Whole(term)) => heap.of_term(&term, 1).ok(),
                _ => None,
            },
            Kind::Binary("..", first, last) => return self.range_constant(first, last),
            Kind::List(elements) if elements.is_empty() => Some(Value::empty_list()),
            _ => None,
        };
        value.ok_or_else(|| {
            let help =
                "patterns are made of literals, variables, _, tuples, lists, maps, binaries and pinned variables (^x)";
            Exception::compile(expression.span, format!("`{expression}` cannot be used in a pattern"), help)
        })
    }

    fn range_constant(&mut self, first: &Expr, last: &Expr) -> Result<Value> {
        let (first, last) = (self.constant(first)?, self.constant(last)?);
        let step = if first.as_integer() <= last.as_integer() { 1 } else { -1 };
        Ok(self.session.heap().range(first, last, Value::integer(step)))
    }

    fn list_pattern(&mut self, elements: &[Expr], bound: &mut Vec<(String, usize)>) -> Result<Pattern> {
        let Some((Expr { kind: Kind::Binary("|", last, tail), .. }, init)) = elements.split_last() else {
            return Ok(Pattern::List(self.all(elements, bound)?, None));
        };
        let mut patterns = self.all(init, bound)?;
        patterns.push(self.one(last, bound)?);
        Ok(Pattern::List(patterns, Some(Box::new(self.one(tail, bound)?))))
    }

    /// `[a, b] ++ rest`, and a text before a rest.
    fn joined_pattern(&mut self, one: &Expr, two: &Expr, bound: &mut Vec<(String, usize)>) -> Result<Pattern> {
        let first = match &one.kind {
            Kind::List(elements) if !matches!(elements.last().map(|last| &last.kind), Some(Kind::Binary("|", ..))) => {
                self.all(elements, bound)?
            }
            Kind::Charlist(_) => {
                let items = self.constant(one)?.to_items().unwrap_or_default();
                items.into_iter().map(Pattern::Is).collect()
            }
            _ => {
                return Err(Exception::compile(
                    one.span,
                    "only a list can stand before ++ in a pattern",
                    "write [a | rest]",
                ));
            }
        };
        let rest = self.one(two, bound)?;
        Ok(if first.is_empty() { rest } else { Pattern::List(first, Some(Box::new(rest))) })
    }

    fn map_pattern(&mut self, pairs: &[Expr], bound: &mut Vec<(String, usize)>) -> Result<Vec<(Key, Pattern)>> {
        pairs
            .iter()
            .map(|pair| {
                let Kind::Tuple(pair) = &pair.kind else {
                    return Err(Exception::compile(
                        pair.span,
                        "expected key-value pairs in a map",
                        "write key => pattern",
                    ));
                };
                let [key, value] = pair.as_slice() else {
                    return Err(Exception::compile(Span::default(), "expected key-value pairs in a map", ""));
                };
                let key = match &key.kind {
                    Kind::Unary("^", pinned) => Key::Slot(self.pinned(pinned, key.span)?),
                    Kind::Variable(name) => {
                        let message = format!("cannot use variable {name} as map key inside a pattern");
                        let help = format!("if it is bound, pin it: ^{name}");
                        return Err(Exception::compile(key.span, message, help));
                    }
                    _ => Key::Is(self.key(key)?),
                };
                Ok((key, self.one(value, bound)?))
            })
            .collect()
    }

    /// A key: anything that is written out, also tuples and lists of such.
    fn key(&mut self, expression: &Expr) -> Result<Value> {
        let all = |compiler: &mut Self, elements: &[Expr]| {
            elements.iter().map(|element| compiler.key(element)).collect::<Result<Vec<_>>>()
        };
        match &expression.kind {
            Kind::Tuple(elements) => {
                let items = all(self, elements)?;
                Ok(self.session.heap().tuple(items))
            }
            Kind::List(elements) => {
                let items = all(self, elements)?;
                Ok(self.session.heap().list(items))
            }
            _ => self.constant(expression),
        }
    }

    fn struct_pattern(&mut self, name: &Expr, map: &Expr, bound: &mut Vec<(String, usize)>) -> Result<Pattern> {
        let key = Key::Is(Value::word("__struct__"));
        let name_pattern = match &name.kind {
            Kind::Alias(_) | Kind::Atom(_) => Pattern::Is(self.constant(name)?),
            _ => Pattern::Module(Box::new(self.one(name, bound)?)),
        };
        let Kind::Map(None, pairs) = &map.kind else {
            return Err(Exception::compile(map.span, "a pattern cannot update a map", "write %Name{field: pattern}"));
        };
        let mut pairs = self.map_pattern(pairs, bound)?;
        pairs.insert(0, (key, name_pattern));
        Ok(Pattern::Map(pairs))
    }
}
