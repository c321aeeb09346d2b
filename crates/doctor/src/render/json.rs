//! One document of JSON, in the shape that `linkerd check -o json` has, with what the doctor knows more.

use serde::Serialize;

use crate::{Checked, Examination, Finding, State, Summary, Weight};

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u8,
    success: bool,
    exit_code: u8,
    errors: usize,
    warnings: usize,
    skipped: usize,
    unfinished: usize,
    categories: Vec<Category<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Category<'a> {
    category_name: &'static str,
    node: &'a str,
    checks: Vec<Check<'a>>,
}

#[derive(Serialize)]
struct Check<'a> {
    description: String,
    hint: String,
    error: &'a str,
    result: &'static str,
    code: Option<&'static str>,
    node: &'a str,
    evidence: Vec<Evidence<'a>>,
    fix: &'a [String],
    doc: Option<String>,
    duration_ms: u128,
}

#[derive(Serialize)]
struct Evidence<'a> {
    label: &'a str,
    text: &'a str,
}

/// The report as JSON: `{schema_version, success, exit_code, errors, .., categories: [{categoryName, node, checks}]}`. A check
/// has `description`, `result` (`success`, `warning`, `error`, `skipped`, `unfinished`), `error`, `hint`, and, where something
/// is wrong, `code`, `evidence`, `fix`, `doc`.
pub fn json(all: &[Examination]) -> String {
    let summary = Summary::of(all);
    let categories = all.iter().flat_map(|one| one.rungs.iter().map(|checked| category(one, checked))).collect();
    let document = Document {
        schema_version: 1,
        success: summary.exit_code() == 0,
        exit_code: summary.exit_code(),
        errors: summary.errors,
        warnings: summary.warnings,
        skipped: summary.skipped,
        unfinished: summary.unfinished,
        categories,
    };
    // Strings and numbers only, which cannot fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn category<'a>(examination: &'a Examination, checked: &'a Checked) -> Category<'a> {
    let node = examination.node.as_str();
    let mut checks: Vec<_> = checked.findings.iter().map(|finding| check(node, checked, finding)).collect();
    if checks.is_empty() {
        let (result, description) = match checked.state {
            State::Skipped(root) => ("skipped", format!("needs {}, which failed", root.name())),
            State::Unfinished => ("unfinished", "there was no time for it".to_owned()),
            _ => ("success", checked.facts.join("; ")),
        };
        checks.push(Check {
            description,
            hint: String::new(),
            error: "",
            result,
            code: None,
            node,
            evidence: Vec::new(),
            fix: &[],
            doc: None,
            duration_ms: checked.took.as_millis(),
        });
    }
    Category { category_name: checked.rung.name(), node, checks }
}

fn check<'a>(node: &'a str, checked: &Checked, finding: &'a Finding) -> Check<'a> {
    let command = format!("beamline doctor --explain {}", finding.code.id);
    Check {
        description: finding.code.title.to_owned(),
        hint: finding.fix.first().cloned().unwrap_or_else(|| command.clone()),
        error: &finding.what,
        result: match finding.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        },
        code: Some(finding.code.id),
        node,
        evidence: finding.evidence.iter().map(|(label, text)| Evidence { label, text }).collect(),
        fix: &finding.fix,
        doc: Some(command),
        duration_ms: checked.took.as_millis(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Rung;

    #[test]
    fn one_document() {
        let finding = Finding::new("BL201", "no \"address\"").evidence("says", "nxdomain").fix("x");
        let rungs = vec![
            Checked {
                rung: Rung::Dns,
                state: State::Failed,
                findings: vec![finding],
                facts: Vec::new(),
                took: Duration::from_millis(3),
            },
            Checked {
                rung: Rung::Epmd,
                state: State::Skipped(Rung::Dns),
                findings: Vec::new(),
                facts: Vec::new(),
                took: Duration::ZERO,
            },
        ];
        let all = [Examination { node: "a@b".parse().unwrap(), own: None, rungs }];
        let value: serde_json::Value = serde_json::from_str(&json(&all)).unwrap();
        assert_eq!((&value["success"], &value["exit_code"]), (&false.into(), &1.into()));
        let check = &value["categories"][0]["checks"][0];
        assert_eq!(check["code"], "BL201");
        assert_eq!(check["evidence"][0]["text"], "nxdomain");
        assert_eq!(value["categories"][1]["checks"][0]["result"], "skipped");
    }
}
