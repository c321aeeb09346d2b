//! `for`: each generator is a function whose results are joined.

use super::{Compiler, Result};
use crate::ast::{Expr, Kind};
use crate::code::Op;
use crate::exception::Exception;
use crate::pattern::Pattern;
use crate::token::Span;
use crate::value::Value;

impl Compiler<'_> {
    pub(super) fn comprehension(&mut self, steps: &[Expr], sections: &Expr, span: Span) -> Result<()> {
        self.not_in_guard(span)?;
        // `for x <- y, into: z do .. end` has its options before the block.
        let (mut steps, mut options) = (steps, sections.keywords().unwrap_or_default());
        if let Some((last, rest)) = steps.split_last()
            && let Some(more) = last.keywords()
        {
            options.extend(more);
            steps = rest;
        }
        let option = |name: &str| options.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| *value);
        if let Some((name, value)) = options.iter().find(|(key, _)| !["do", "into", "uniq"].contains(&key.as_str())) {
            let help = "use Enum.reduce/3; `into:` and `uniq:` are known";
            return Err(Exception::compile(
                value.span,
                format!("the option `{name}:` of `for` is not known here"),
                help,
            ));
        }
        let Some(body) = option("do") else {
            return Err(Exception::compile(span, "the `do` block is missing", "write , do: .."));
        };
        if !matches!(steps.first().map(|step| &step.kind), Some(Kind::Binary("<-", ..) | Kind::Bits(_))) {
            let help = "write for x <- list, do: ..";
            return Err(Exception::compile(span, "`for` has to begin with a generator", help));
        }
        self.generator(steps, body, span)?;
        if let Some(uniq) = option("uniq") {
            self.expression(uniq)?;
            let skip = self.jump(Op::JumpIfFalsy(0));
            self.native("Elixir.Enum", "uniq", 1, span)?;
            self.land(skip);
        }
        if let Some(into) = option("into") {
            self.expression(into)?;
            self.native("Elixir.Enum", "into", 2, span)?;
        }
        Ok(())
    }

    /// The list that the first step's generator and all behind it give.
    fn generator(&mut self, steps: &[Expr], body: &Expr, span: Span) -> Result<()> {
        let Some((Expr { kind: Kind::Binary("<-", pattern, source), .. }, rest)) = steps.split_first() else {
            let help = "take a binary apart with a pattern, or with :binary.bin_to_list/1";
            return Err(Exception::compile(span, "generators of bits are not known here", help));
        };
        let (pattern, guard) = match &pattern.kind {
            Kind::Binary("when", pattern, guard) => (pattern.as_ref(), Some(guard.as_ref())),
            _ => (pattern.as_ref(), None),
        };
        self.scoped(|compiler| compiler.expression(source))?;
        self.in_function(1, |compiler| {
            compiler.emit(Op::Load(0));
            let pattern = compiler.pattern(pattern)?;
            let ignored = matches!(pattern, Pattern::Any | Pattern::Bind(_));
            let mut misses = vec![compiler.jump(Op::TryMatch(Box::new(pattern), 0))];
            if ignored {
                misses.clear();
            }
            misses.extend(compiler.guard(guard)?);
            let mut next = 0;
            while let Some(step) = rest.get(next) {
                if matches!(step.kind, Kind::Binary("<-", ..)) {
                    break;
                }
                compiler.expression(step)?;
                misses.push(compiler.jump(Op::JumpIfFalsy(0)));
                next += 1;
            }
            if next < rest.len() {
                compiler.generator(&rest[next..], body, span)?;
            } else {
                compiler.expression(body)?;
                compiler.emit(Op::List(1, false));
            }
            compiler.emit(Op::Return);
            misses.into_iter().for_each(|miss| compiler.land(miss));
            compiler.push(Value::empty_list());
            compiler.emit(Op::Return);
            Ok(())
        })?;
        self.native("Elixir.Enum", "flat_map", 2, span)
    }
}
