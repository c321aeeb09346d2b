//! Failures as a prompt prints them.

use beamline_elixir::{EvalError, Exception, Span, SyntaxError};
use beamline_term::inspect::Elixir;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};

use crate::prompt::Outcome;

/// An error with the place in the text it is about.
///
/// What ran failed in the expression that begins at `place`, in bytes.
pub(crate) fn failed(error: EvalError, text: &str, place: usize, elixir: Elixir) -> Outcome {
    let line = |place: usize| text.get(..place).unwrap_or(text).matches('\n').count() + 1;
    match error {
        EvalError::Syntax(error) => {
            Outcome::Failed { told: syntax(&error, text), is_wrong: true, line: line(error.span().start) }
        }
        EvalError::Exception(Exception::Compile { message, help, span }) => {
            let told = marked("CompileError", &message, &help, span, text);
            Outcome::Failed { told, is_wrong: true, line: line(span.start) }
        }
        EvalError::Exception(exception) => {
            Outcome::Failed { told: exception.banner(elixir), is_wrong: false, line: line(place) }
        }
    }
}

/// Why a text could not be read, with the place marked.
pub fn syntax(error: &SyntaxError, text: &str) -> String {
    let name = if error.is_incomplete() { "TokenMissingError" } else { "SyntaxError" };
    let help = match error {
        SyntaxError::Wrong { expected, .. } => expected.as_str(),
        _ => "",
    };
    marked(name, &error.to_string(), help, error.span(), text)
}

fn marked(name: &str, message: &str, help: &str, span: Span, text: &str) -> String {
    let before = text.get(..span.start.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let head = format!("** ({name}) line {line}, column {column}: {message}");
    let label = LabeledSpan::new(
        Some("here".into()),
        span.start.min(text.len()),
        span.len().min(text.len() - span.start.min(text.len())),
    );
    let mut diagnostic = MietteDiagnostic::new(message).with_label(label);
    if !help.is_empty() {
        diagnostic = diagnostic.with_help(help);
    }
    let report = Report::new(diagnostic).with_source_code(NamedSource::new("iex", text.to_owned()));
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_links(false);
    let mut drawn = String::new();
    match handler.render_report(&mut drawn, report.as_ref()) {
        // Its first line is the message, which is told already.
        Ok(()) => {
            let lines = drawn.lines().skip_while(|line| !line.contains('╭'));
            let lines: Vec<&str> = lines.map(str::trim_end).filter(|line| !line.is_empty()).collect();
            if lines.is_empty() { head } else { format!("{head}\n{}", lines.join("\n")) }
        }
        Err(_) => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_points_at_its_place() {
        let text = "Enum.map(nodes, fn name ->)";
        let error = beamline_elixir::parse(text).unwrap_err();
        let told = syntax(&error, text);
        assert!(told.starts_with("** (SyntaxError) line 1, column 27: "), "{told}");
        assert!(told.contains("Enum.map(nodes, fn name ->)") && told.contains("here"), "{told}");
        let open = beamline_elixir::parse("AppB.hello(").unwrap_err();
        assert!(syntax(&open, "AppB.hello(").contains("** (TokenMissingError) line 1, column "));
    }
}
