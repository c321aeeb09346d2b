//! Literals, texts with code in them, sigils, collections.

use beamline_term::Term;

use super::{Compiler, Result};
use crate::ast::{Expr, Kind, Part, Sigil};
use crate::code::Op;
use crate::exception::Exception;
use crate::parser::{Printed, printed};
use crate::token::Span;
use crate::value::{Value, module_atom};

impl Compiler<'_> {
    pub(super) fn literal(&mut self, expression: &Expr) -> Result<()> {
        let span = expression.span;
        match &expression.kind {
            Kind::Alias(name) => {
                let atom = module_atom(name).ok_or_else(|| Exception::compile(span, "the name is too long", ""))?;
                self.push(Value::atom(atom));
            }
            Kind::Text(parts) => self.text(parts)?,
            Kind::Charlist(parts) => {
                self.text(parts)?;
                self.emit(Op::ToCharlist);
            }
            Kind::AtomText(parts) => {
                self.text(parts)?;
                self.emit(Op::ToAtom);
            }
            Kind::Sigil(sigil) => self.sigil(sigil, span)?,
            Kind::Printed(text) => self.printed(text, span)?,
            Kind::Tuple(elements) => {
                let count = self.side_by_side(elements)?;
                self.emit(Op::Tuple(count));
            }
            Kind::List(elements) => self.list(elements)?,
            Kind::Map(base, pairs) => self.map(base.as_deref(), pairs)?,
            Kind::Struct(name, map) => self.structure(name, map)?,
            Kind::Bits(segments) => self.bits(segments, span)?,
            Kind::FullRange => {
                for number in [0, -1, 1] {
                    self.push(Value::integer(number));
                }
                self.native("Elixir.Range", "new", 3, span)?;
            }
            Kind::AliasIn(..) => {
                let help = "write the whole name of the module; Module.concat/2 joins names";
                return Err(Exception::compile(span, "a module's name cannot be joined to an expression", help));
            }
            _ => return Err(Exception::compile(span, "this is not evaluated here", "")),
        }
        Ok(())
    }

    /// A binary of the parts.
    pub(super) fn text(&mut self, parts: &[Part]) -> Result<()> {
        if let [] | [Part::Text(_)] = parts {
            let bytes = match parts {
                [Part::Text(bytes)] => bytes.as_slice(),
                _ => b"",
            };
            let value = self.session.heap().binary(bytes);
            self.push(value);
            return Ok(());
        }
        for part in parts {
            match part {
                Part::Text(bytes) => {
                    let value = self.session.heap().binary(bytes.as_slice());
                    self.push(value);
                }
                Part::Code(code) => {
                    self.expression(code)?;
                    self.emit(Op::ToText);
                }
            }
        }
        self.emit(Op::Join(parts.len()));
        Ok(())
    }

    fn sigil(&mut self, sigil: &Sigil, span: Span) -> Result<()> {
        match sigil.name.as_str() {
            "s" | "S" => self.text(&sigil.parts),
            "c" | "C" => {
                self.text(&sigil.parts)?;
                self.emit(Op::ToCharlist);
                Ok(())
            }
            "w" | "W" => {
                let modifier = match sigil.modifiers.as_str() {
                    "" | "s" => 's',
                    "a" => 'a',
                    "c" => 'c',
                    _ => {
                        let message = "modifier must be one of: s, a, c";
                        return Err(Exception::error("ArgumentError", message));
                    }
                };
                self.text(&sigil.parts)?;
                self.emit(Op::Words(modifier));
                Ok(())
            }
            "D" | "T" | "N" | "U" => {
                self.text(&sigil.parts)?;
                let module = match sigil.name.as_str() {
                    "D" => "Elixir.Date",
                    "T" => "Elixir.Time",
                    "N" => "Elixir.NaiveDateTime",
                    _ => "Elixir.DateTime",
                };
                let module = self.atom(module, span)?;
                let function = self.atom("from_iso8601!", span)?;
                self.emit(Op::External(Some(module), function, 1));
                Ok(())
            }
            "r" => Err(Exception::compile(
                span,
                "regular expressions are not known here",
                "use String.contains?/2, String.split/2 or String.replace/3 with plain strings",
            )),
            other => {
                let message = format!("undefined function sigil_{other}/2");
                Err(Exception::compile(span, message, "the sigils ~s, ~c, ~w and their capitals are known here"))
            }
        }
    }

    fn printed(&mut self, text: &str, span: Span) -> Result<()> {
        match printed(text) {
            Some(Printed::Whole(term)) => {
                let value = self.session.heap().of_term(&term, 1);
                self.push(value.unwrap_or(Value::NIL));
                Ok(())
            }
            // Which node that is, only the host knows.
            Some(Printed::Local) => {
                let (function, argument) = match text.split_once('<') {
                    Some(("#PID", inner)) => ("list_to_pid", format!("<{inner}")),
                    Some(("#Port", _)) => ("list_to_port", text.to_owned()),
                    _ => ("list_to_ref", text.replace("#Reference", "#Ref")),
                };
                let argument = self.session.heap().charlist(&argument);
                self.push(argument);
                let (module, function) = (self.atom("erlang", span)?, self.atom(function, span)?);
                self.emit(Op::External(Some(module), function, 1));
                Ok(())
            }
            None => Err(Exception::compile(span, format!("{} names nothing", Term::from(text)), "")),
        }
    }

    fn list(&mut self, elements: &[Expr]) -> Result<()> {
        let Some((Expr { kind: Kind::Binary("|", last, tail), .. }, init)) = elements.split_last() else {
            let count = self.side_by_side(elements)?;
            self.emit(Op::List(count, false));
            return Ok(());
        };
        let count = self.side_by_side(init.iter().chain([last.as_ref(), tail.as_ref()]))?;
        self.emit(Op::List(count - 1, true));
        Ok(())
    }

    fn map(&mut self, base: Option<&Expr>, pairs: &[Expr]) -> Result<()> {
        let mut all: Vec<&Expr> = base.into_iter().collect();
        for pair in pairs {
            match &pair.kind {
                Kind::Tuple(own) if own.len() == 2 => all.extend(own),
                _ => {
                    return Err(Exception::compile(
                        pair.span,
                        "expected key-value pairs in a map",
                        "write key => value",
                    ));
                }
            }
        }
        self.side_by_side(all)?;
        self.emit(if base.is_some() { Op::Update(pairs.len()) } else { Op::Map(pairs.len()) });
        Ok(())
    }

    fn structure(&mut self, name: &Expr, map: &Expr) -> Result<()> {
        let atom = match &name.kind {
            Kind::Alias(name) => module_atom(name),
            Kind::Atom(atom) => Some(atom.clone()),
            _ => None,
        };
        let Some(atom) = atom else {
            let message = "expected struct name to be a compile time atom or alias";
            return Err(Exception::compile(name.span, message, "write the name of a module: %Name{}"));
        };
        self.expression(map)?;
        self.emit(Op::Struct(atom));
        Ok(())
    }
}
