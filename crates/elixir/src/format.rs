//! Expressions back to source, such that reading it gives the same expression.
//!
//! Calls have parentheses, operators spaces, and operands of operators parentheses where they are operators themselves that do
//! not bind tighter.

mod text;

use std::fmt::{self, Write};

use crate::ast::{Callee, Clause, Expr, Kind, Part};
use crate::exception::function_name;
use crate::token::binding;
use text::{is_key, is_name, quote};

/// An expression as source.
///
/// ```
/// use beamline_elixir::{format, parse};
/// let expression = parse("Enum.map list, &(&1+1)")?;
/// assert_eq!(format(&expression), "Enum.map(list, &(&1 + 1))");
/// # Ok::<(), beamline_elixir::SyntaxError>(())
/// ```
pub fn source(expression: &Expr) -> String {
    let mut printer = Printer { out: String::new(), indent: 0 };
    match &expression.kind {
        Kind::Block(all) if all.len() > 1 => printer.lines(all),
        _ => printer.expression(expression),
    }
    printer.out
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&source(self))
    }
}

/// A name that needs quotes, in them.
pub(crate) fn quoted(name: &str) -> String {
    let mut out = String::new();
    quote(&mut out, name.as_bytes(), '"');
    out
}

struct Printer {
    out: String,
    indent: usize,
}

/// The names of the sections of a `do` block.
const SECTIONS: [&str; 5] = ["do", "else", "rescue", "catch", "after"];

/// Whether what is written behind an expression would belong to it: it ends in what `&` captures.
fn takes_what_follows(expression: &Expr) -> bool {
    match &expression.kind {
        Kind::Unary("&", _) => true,
        Kind::Unary(_, operand) => takes_what_follows(operand),
        _ => false,
    }
}

/// The sections, if an argument can be printed as a `do` block.
fn sections(argument: &Expr) -> Option<Vec<(&str, &Expr)>> {
    let pairs = argument.keywords()?;
    let known = |(place, (key, _)): (usize, &(&beamline_term::Atom, &Expr))| {
        SECTIONS.contains(&key.as_str()) && (place == 0) == (key.as_str() == "do")
    };
    pairs.iter().enumerate().all(known).then(|| pairs.iter().map(|(key, value)| (key.as_str(), *value)).collect())
}

impl Printer {
    fn write(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.indent));
    }

    fn separated<T>(&mut self, all: &[T], separator: &str, mut each: impl FnMut(&mut Self, &T)) {
        for (place, one) in all.iter().enumerate() {
            if place > 0 {
                self.write(separator);
            }
            each(self, one);
        }
    }

    fn expression(&mut self, expression: &Expr) {
        match &expression.kind {
            Kind::Integer(number) => {
                let _ = write!(self.out, "{number}");
            }
            Kind::Float(number) => {
                let _ = write!(self.out, "{}", beamline_term::Term::Float(*number));
            }
            Kind::Atom(atom) => self.atom(atom.as_str()),
            Kind::Alias(name) | Kind::Printed(name) | Kind::Variable(name) => self.write(name),
            Kind::AliasIn(left, name) => {
                self.primary(left);
                let _ = write!(self.out, ".{name}");
            }
            Kind::Text(parts) => self.quoted(parts, '"'),
            Kind::Charlist(parts) => self.quoted(parts, '\''),
            Kind::AtomText(parts) => {
                self.write(":");
                self.quoted(parts, '"');
            }
            Kind::Sigil(sigil) => self.sigil(sigil),
            Kind::Bits(all) => {
                self.write("<<");
                self.separated(all, ", ", Self::bits_element);
                self.write(">>");
            }
            Kind::List(all) => match expression.keywords() {
                Some(_) => {
                    self.write("[");
                    self.keywords(all);
                    self.write("]");
                }
                None => self.between("[", all, "]"),
            },
            Kind::Tuple(all) => self.between("{", all, "}"),
            Kind::Map(base, pairs) => {
                self.write("%");
                self.map(base.as_deref(), pairs);
            }
            Kind::Struct(name, map) => {
                self.write("%");
                self.struct_name(name);
                if let Kind::Map(base, pairs) = &map.kind {
                    self.map(base.as_deref(), pairs);
                }
            }
            Kind::Dot(left, name) => {
                self.primary(left);
                let _ = write!(self.out, ".{}", function_name(name));
            }
            Kind::Access(left, key) => {
                self.primary(left);
                self.write("[");
                self.expression(key);
                self.write("]");
            }
            Kind::Call(callee, arguments) => self.call(callee, arguments),
            Kind::Unary(operator, operand) => self.unary(operator, operand),
            Kind::Binary(operator, left, right) => self.binary(operator, left, right),
            Kind::FullRange => self.write(".."),
            Kind::Placeholder(number) => {
                let _ = write!(self.out, "&{number}");
            }
            Kind::Fn(clauses) => self.function(clauses),
            Kind::Clauses(clauses) => {
                self.write("(");
                self.separated(clauses, "; ", Self::clause);
                self.write(")");
            }
            Kind::Block(all) => {
                self.write("(");
                self.separated(all, "; ", Self::expression);
                self.write(")");
            }
        }
    }

    fn between(&mut self, open: &str, all: &[Expr], close: &str) {
        self.write(open);
        self.separated(all, ", ", Self::expression);
        self.write(close);
    }

    /// `<<` and `>>` beside others would be other operators.
    fn bits_element(&mut self, element: &Expr) {
        let before = self.out.len();
        self.expression(element);
        let text = &self.out[before..];
        if text.starts_with('<') || text.ends_with('>') {
            self.out.insert(before, '(');
            self.write(")");
        }
    }

    fn atom(&mut self, text: &str) {
        if matches!(text, "nil" | "true" | "false") {
            return self.write(text);
        }
        self.write(":");
        // Operators might run into what follows.
        if is_name(text, true) {
            self.write(text);
        } else {
            quote(&mut self.out, text.as_bytes(), '"');
        }
    }

    fn key(&mut self, text: &str) {
        if is_key(text) {
            self.write(text);
        } else {
            quote(&mut self.out, text.as_bytes(), '"');
        }
        self.write(": ");
    }

    fn keywords(&mut self, pairs: &[Expr]) {
        self.separated(pairs, ", ", |printer, pair| {
            if let Some((key, value)) = pair.keyword() {
                printer.key(key.as_str());
                printer.expression(value);
            }
        });
    }

    fn map(&mut self, base: Option<&Expr>, pairs: &[Expr]) {
        self.write("{");
        if let Some(base) = base {
            self.operand(base);
            self.write(" | ");
        }
        if !pairs.is_empty() && pairs.iter().all(|pair| pair.keyword().is_some()) {
            self.keywords(pairs);
        } else {
            self.separated(pairs, ", ", |printer, pair| match &pair.kind {
                Kind::Tuple(own) if own.len() == 2 => {
                    printer.operand(&own[0]);
                    printer.write(" => ");
                    printer.expression(&own[1]);
                }
                _ => printer.expression(pair),
            });
        }
        self.write("}");
    }

    fn struct_name(&mut self, name: &Expr) {
        match &name.kind {
            Kind::Unary(operator, operand) => {
                self.write(operator);
                if *operator == "not" {
                    self.write(" ");
                }
                self.struct_name(operand);
            }
            _ => self.expression(name),
        }
    }

    /// In parentheses if it is an operator.
    fn operand(&mut self, operand: &Expr) {
        match operand.kind {
            Kind::Unary(..) | Kind::Binary(..) | Kind::FullRange => self.parenthesised(operand),
            _ => self.expression(operand),
        }
    }

    fn parenthesised(&mut self, expression: &Expr) {
        self.write("(");
        self.expression(expression);
        self.write(")");
    }

    /// In parentheses unless a dot or a bracket can follow.
    fn primary(&mut self, expression: &Expr) {
        match &expression.kind {
            Kind::Unary(..) | Kind::Binary(..) | Kind::FullRange | Kind::Fn(_) => self.parenthesised(expression),
            Kind::Call(_, arguments) if arguments.last().is_some_and(|last| sections(last).is_some()) => {
                self.parenthesised(expression);
            }
            _ => self.expression(expression),
        }
    }

    fn unary(&mut self, operator: &str, operand: &Expr) {
        self.write(operator);
        if operator == "&" {
            return match &operand.kind {
                Kind::Binary("/", name, arity)
                    if matches!(name.kind, Kind::Variable(_) | Kind::Dot(..))
                        && matches!(arity.kind, Kind::Integer(_)) =>
                {
                    self.expression(name);
                    self.write("/");
                    self.expression(arity);
                }
                // In parentheses a negation is another expression.
                Kind::Unary("not" | "!", _) => self.expression(operand),
                _ => self.parenthesised(operand),
            };
        }
        if operator == "not" {
            self.write(" ");
        }
        if matches!(operand.kind, Kind::Binary(..) | Kind::FullRange) {
            return self.parenthesised(operand);
        }
        let before = self.out.len();
        self.expression(operand);
        // Two signs in a row would be another operator.
        if self.out[before..].chars().next() == operator.chars().next() {
            self.out.insert(before, ' ');
        }
    }

    fn binary(&mut self, operator: &str, left: &Expr, right: &Expr) {
        let (strength, to_right) = binding(operator).unwrap_or((0, false));
        let looser = |operand: &Expr, is_left: bool| match &operand.kind {
            Kind::Binary(other, ..) => {
                let other = binding(other).map_or(0, |(other, _)| other);
                other < strength || (other == strength && is_left == to_right)
            }
            Kind::FullRange => true,
            // `not a in b` means `not (a in b)`.
            Kind::Unary("not" | "!", _) => operator == "in" && is_left,
            _ => takes_what_follows(operand),
        };
        let side = |printer: &mut Self, operand: &Expr, is_left: bool| {
            if looser(operand, is_left) { printer.parenthesised(operand) } else { printer.expression(operand) }
        };
        // The step belongs to the range at its left.
        if operator == "//" {
            let tight = |printer: &mut Self, operand: &Expr| match operand.kind {
                Kind::Binary(..) | Kind::FullRange => printer.parenthesised(operand),
                _ if takes_what_follows(operand) => printer.parenthesised(operand),
                _ => printer.expression(operand),
            };
            if let Kind::Binary("..", first, last) = &left.kind {
                tight(self, first);
                let plain = |side: &Expr| matches!(side.kind, Kind::Integer(_) | Kind::Variable(_));
                self.write(if plain(first) && plain(last) { ".." } else { " .. " });
                tight(self, last);
            }
            self.write("//");
            return tight(self, right);
        }
        side(self, left, true);
        let plain = |side: &Expr| matches!(side.kind, Kind::Integer(_) | Kind::Variable(_));
        if operator == ".." && plain(left) && plain(right) {
            self.write("..");
        } else {
            let _ = write!(self.out, " {operator} ");
        }
        side(self, right, false);
    }

    fn call(&mut self, callee: &Callee, arguments: &[Expr]) {
        match callee {
            Callee::Local(name) => self.write(name),
            Callee::Remote(left, name) => {
                self.primary(left);
                if name == "{}" {
                    return self.between(".{", arguments, "}");
                }
                let _ = write!(self.out, ".{}", function_name(name));
            }
            Callee::Value(left) => {
                self.primary(left);
                self.write(".");
            }
            Callee::Again(left) => self.expression(left),
        }
        let block = arguments.last().and_then(sections);
        let plain = if block.is_some() { &arguments[..arguments.len() - 1] } else { arguments };
        self.write("(");
        let keywords = plain.last().filter(|last| last.keywords().is_some());
        self.separated(if keywords.is_some() { &plain[..plain.len() - 1] } else { plain }, ", ", Self::expression);
        if let Some(Expr { kind: Kind::List(pairs), .. }) = keywords {
            if plain.len() > 1 {
                self.write(", ");
            }
            self.keywords(pairs);
        }
        self.write(")");
        if let Some(block) = block {
            self.write(" ");
            for (name, section) in block {
                self.write(name);
                self.body(section);
            }
            self.write("end");
        }
    }

    /// A section of a block, indented, with the line after it.
    fn body(&mut self, section: &Expr) {
        self.indent += 1;
        self.line();
        match &section.kind {
            Kind::Block(all) if all.is_empty() => {}
            Kind::Block(all) if all.len() > 1 => self.lines(all),
            Kind::Clauses(clauses) => {
                for (place, clause) in clauses.iter().enumerate() {
                    if place > 0 {
                        self.line();
                    }
                    self.clause(clause);
                }
            }
            _ => self.expression(section),
        }
        self.indent -= 1;
        self.line();
    }

    fn lines(&mut self, all: &[Expr]) {
        for (place, one) in all.iter().enumerate() {
            if place > 0 {
                self.line();
            }
            // On a line of its own it would belong to the line before.
            if one.kind == Kind::FullRange { self.parenthesised(one) } else { self.expression(one) }
        }
    }

    fn function(&mut self, clauses: &[Clause]) {
        self.write("fn ");
        self.separated(clauses, "; ", Self::clause);
        self.write(" end");
    }

    fn clause(&mut self, clause: &Clause) {
        let parentheses = clause.arguments.is_empty() && clause.guard.is_some();
        let loose = |argument: &Expr| {
            matches!(argument.kind, Kind::Binary("when" | "<-" | "\\\\", ..)) || argument.keywords().is_some()
        };
        if parentheses {
            self.write("()");
        }
        self.separated(&clause.arguments, ", ", |printer, argument| {
            if loose(argument) && argument.keywords().is_none() {
                printer.parenthesised(argument);
            } else {
                printer.expression(argument);
            }
        });
        if let Some(guard) = &clause.guard {
            self.write(" when ");
            if loose(guard) { self.parenthesised(guard) } else { self.expression(guard) }
        }
        self.write(if clause.arguments.is_empty() && !parentheses { "->" } else { " ->" });
        if matches!(&clause.body.kind, Kind::Block(all) if all.is_empty()) {
            return;
        }
        self.write(" ");
        match &clause.body.kind {
            Kind::Block(all) if all.len() > 1 => self.separated(all, "; ", Self::expression),
            _ => self.expression(&clause.body),
        }
    }

    fn quoted(&mut self, parts: &[Part], mark: char) {
        self.out.push(mark);
        for part in parts {
            match part {
                Part::Text(bytes) => text::escape(&mut self.out, bytes, mark),
                Part::Code(code) => {
                    self.write("#{");
                    match &code.kind {
                        Kind::Block(all) if all.len() != 1 => self.separated(all, "; ", Self::expression),
                        _ => self.expression(code),
                    }
                    self.write("}");
                }
            }
        }
        self.out.push(mark);
    }

    /// Line ends stay what they are: what a sigil makes of escapes is its own matter.
    fn sigil_text(&mut self, parts: &[Part]) {
        let before = self.out.len();
        self.quoted(parts, '"');
        let text = self.out.split_off(before);
        self.out.push_str(&text.replace("\\n", "\n"));
    }

    fn sigil(&mut self, sigil: &crate::ast::Sigil) {
        let _ = write!(self.out, "~{}", sigil.name);
        if sigil.name.starts_with(|first: char| first.is_ascii_lowercase()) {
            self.sigil_text(&sigil.parts);
        } else {
            let text: Vec<u8> = sigil
                .parts
                .iter()
                .flat_map(|part| match part {
                    Part::Text(bytes) => bytes.as_slice(),
                    Part::Code(_) => &[],
                })
                .copied()
                .collect();
            text::raw(&mut self.out, &String::from_utf8_lossy(&text));
        }
        self.write(&sigil.modifiers);
    }
}
