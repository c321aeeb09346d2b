//! Expressions as a tree, close to what Elixir's `quote` gives.
//!
//! As there, a `do` block is the last argument of its call, a keyword list, and `a..b//c` is an operator over an operator.

use beamline_term::{Atom, BigInt};

use crate::token::Span;

/// An expression and its place. Equality leaves the place out.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// How deep it nests; what walks it by recursion relies on the parser's limit.
    pub(crate) height: usize,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.kind == other.kind
    }
}

/// A piece of a text in quotes.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Bytes, with escapes undone.
    Text(Vec<u8>),
    /// What stands in `#{..}`.
    Code(Expr),
}

/// `arguments when guard -> body`
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The patterns, or in `cond` the condition.
    pub arguments: Vec<Expr>,
    /// What must hold besides.
    pub guard: Option<Expr>,
    /// What it gives.
    pub body: Expr,
}

/// A sigil as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Sigil {
    /// `w` in `~w(a b)`.
    pub name: String,
    /// What is in it.
    pub parts: Vec<Part>,
    /// The letters behind it.
    pub modifiers: String,
}

/// What is called.
#[derive(Debug, Clone, PartialEq)]
pub enum Callee {
    /// `name(..)`
    Local(String),
    /// `module.name(..)`
    Remote(Box<Expr>, String),
    /// `fun.(..)`
    Value(Box<Expr>),
    /// `call(..)(..)`, which only macros make sense of.
    Again(Box<Expr>),
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// An integer, also of a character `?c`.
    Integer(BigInt),
    /// A float.
    Float(f64),
    /// An atom, also `true`, `false` and `nil`.
    Atom(Atom),
    /// The name of a module, `App.B`.
    Alias(String),
    /// `expression.Name`, an alias that only macros make sense of.
    AliasIn(Box<Expr>, String),
    /// A pid, port or reference as it is printed.
    Printed(String),
    /// A string.
    Text(Vec<Part>),
    /// A charlist.
    Charlist(Vec<Part>),
    /// An atom in quotes with code in it.
    AtomText(Vec<Part>),
    /// A sigil.
    Sigil(Box<Sigil>),
    /// `<<..>>`, each element perhaps with `::`.
    Bits(Vec<Expr>),
    /// A list; a tail is the operator `|` in its last element, keywords are tuples with atoms.
    List(Vec<Expr>),
    /// A tuple.
    Tuple(Vec<Expr>),
    /// A map of pairs, which are tuples, and what it updates.
    Map(Option<Box<Expr>>, Vec<Expr>),
    /// `%Name{..}`: the name, and the map.
    Struct(Box<Expr>, Box<Expr>),
    /// A variable, or a call without arguments of a name that is no variable.
    Variable(String),
    /// `left.name` without parentheses: a field of a map, or a call.
    Dot(Box<Expr>, String),
    /// `left[key]`
    Access(Box<Expr>, Box<Expr>),
    /// A call; a `do` block is its last argument.
    Call(Callee, Vec<Expr>),
    /// An operator before its operand.
    Unary(&'static str, Box<Expr>),
    /// An operator between its operands.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `..`
    FullRange,
    /// `&1`
    Placeholder(u32),
    /// `fn .. end`
    Fn(Vec<Clause>),
    /// Clauses in a `do` block or in parentheses.
    Clauses(Vec<Clause>),
    /// Expressions one after the other; none is `nil`.
    Block(Vec<Expr>),
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: Kind, span: Span) -> Expr {
        let mut height = 0;
        kind.each_child(|child| height = height.max(child.height));
        Expr { kind, span, height: height + 1 }
    }

    /// How many levels of expressions it has, itself among them.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pairs of a keyword list with literal keys; None for anything else, and for `[]`.
    pub(crate) fn keywords(&self) -> Option<Vec<(&Atom, &Expr)>> {
        match &self.kind {
            Kind::List(elements) if !elements.is_empty() => elements.iter().map(Expr::keyword).collect(),
            _ => None,
        }
    }

    /// A pair whose first is a literal atom.
    pub(crate) fn keyword(&self) -> Option<(&Atom, &Expr)> {
        match &self.kind {
            Kind::Tuple(pair) => match pair.as_slice() {
                [Expr { kind: Kind::Atom(key), .. }, value] => Some((key, value)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Kind {
    /// Goes through the expressions directly in it, in their order.
    pub(crate) fn each_child<'a>(&'a self, mut visit: impl FnMut(&'a Expr)) {
        let parts = |parts: &'a [Part], visit: &mut dyn FnMut(&'a Expr)| {
            for part in parts {
                if let Part::Code(code) = part {
                    visit(code);
                }
            }
        };
        match self {
            Kind::Integer(_) | Kind::Float(_) | Kind::Atom(_) | Kind::Alias(_) | Kind::Printed(_) => {}
            Kind::Variable(_) | Kind::FullRange | Kind::Placeholder(_) => {}
            Kind::Text(own) | Kind::Charlist(own) | Kind::AtomText(own) => parts(own, &mut visit),
            Kind::Sigil(sigil) => parts(&sigil.parts, &mut visit),
            Kind::Bits(all) | Kind::List(all) | Kind::Tuple(all) | Kind::Block(all) => all.iter().for_each(visit),
            Kind::Map(base, pairs) => base.as_deref().into_iter().chain(pairs).for_each(visit),
            Kind::AliasIn(one, _) | Kind::Dot(one, _) | Kind::Unary(_, one) => visit(one),
            Kind::Struct(one, two) | Kind::Access(one, two) | Kind::Binary(_, one, two) => {
                visit(one);
                visit(two);
            }
            Kind::Call(callee, arguments) => {
                match callee {
                    Callee::Local(_) => {}
                    Callee::Remote(one, _) | Callee::Value(one) | Callee::Again(one) => visit(one),
                }
                arguments.iter().for_each(visit);
            }
            Kind::Fn(clauses) | Kind::Clauses(clauses) => {
                for clause in clauses {
                    clause.arguments.iter().chain(&clause.guard).for_each(&mut visit);
                    visit(&clause.body);
                }
            }
        }
    }
}
