//! The count of what passed, failed and was skipped, read from the output of
//! cargo's and nextest's test runners and from the tests' own skip log.

/// Which program runs the tests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Runner {
    Nextest,
    Cargo,
}

/// The result of a whole run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) passed: usize,
    pub(crate) failed: Vec<String>,
    pub(crate) skipped: Vec<String>,
}

impl Report {
    /// A check of the whole tree: formatting, lints, documentation.
    pub(crate) fn check(&mut self, name: &str, success: bool) {
        if success {
            self.passed += 1;
        } else {
            self.failed.push(name.to_owned());
        }
    }

    /// Reads one line of a test runner's output. What the tests themselves print looks at most like the other runner's.
    pub(crate) fn read_line(&mut self, runner: Runner, line: &str) {
        let text = strip_colour(line);
        match runner {
            Runner::Nextest => match nextest_result(text.trim()) {
                Some((true, name)) => {
                    self.passed += 1;
                    // Another try of it may have failed.
                    self.failed.retain(|failed| *failed != name);
                }
                // It is named again in the summary.
                Some((false, name)) if !self.failed.contains(&name) => self.failed.push(name),
                _ => {}
            },
            Runner::Cargo => self.read_cargo_line(text.trim()),
        }
    }

    /// `test codec::tests::round_trip ... ok`
    fn read_cargo_line(&mut self, text: &str) {
        let Some((name, result)) = text.strip_prefix("test ").and_then(|text| text.rsplit_once(" ... ")) else {
            return;
        };
        match result {
            "ok" => self.passed += 1,
            "FAILED" => self.failed.push(name.to_owned()),
            _ if result.starts_with("ignored") => self.skipped.push(format!("{name}: marked as ignored")),
            _ => {}
        }
    }

    /// Takes in the skip log. A skipped test returned early and was counted as passed.
    pub(crate) fn read_skips(&mut self, log: &str) {
        let mut lines: Vec<&str> = log.lines().filter_map(|line| line.trim().strip_prefix("skipped: ")).collect();
        lines.sort_unstable();
        lines.dedup();
        self.passed = self.passed.saturating_sub(lines.len());
        self.skipped.extend(lines.into_iter().map(str::to_owned));
    }

    /// In CI a test skipped for a tool that could have been installed has failed.
    pub(crate) fn forbid_skips(&mut self, installable: impl Fn(&str) -> bool) {
        let (failed, skipped) = std::mem::take(&mut self.skipped)
            .into_iter()
            .partition(|line| line.split_once(": needs ").is_some_and(|(_, tool)| installable(tool)));
        self.failed.extend::<Vec<String>>(failed);
        self.skipped = skipped;
    }

    /// The closing words; the last line is the counts alone.
    pub(crate) fn print(&self) {
        println!();
        for (title, lines) in [("Skipped:", &self.skipped), ("Failed:", &self.failed)] {
            if !lines.is_empty() {
                println!("{title}");
                lines.iter().for_each(|line| println!("  {line}"));
            }
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped.len());
    }
}

/// The verdict and the name in one of nextest's lines: `PASS [   0.012s] beamline-term codec::tests::round_trip`, in
/// newer versions with `(  1/120)` in between.
fn nextest_result(text: &str) -> Option<(bool, String)> {
    let (words, rest) = text.split_once(" [")?;
    let mut words = words.trim();
    // So begin the lines of a test that was tried more than once.
    if let Some(tried) = words.strip_prefix("TRY ") {
        words = tried.split_once(' ')?.1;
    }
    let success = match words {
        "PASS" | "LEAK" => true,
        "FAIL" | "TIMEOUT" | "ABORT" | "FAIL + LEAK" => false,
        signal if signal.starts_with("SIG") => false,
        _ => return None,
    };
    let (_, name) = rest.split_once(']')?;
    let name = name.trim();
    let name = match name.strip_prefix('(') {
        Some(counted) => counted.split_once(')')?.1.trim(),
        None => name,
    };
    Some((success, name.to_owned()))
}

fn strip_colour(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(runner: Runner, lines: &[&str]) -> Report {
        let mut report = Report::default();
        lines.iter().for_each(|line| report.read_line(runner, line));
        report
    }

    #[test]
    fn reads_cargo_test() {
        let report = read(
            Runner::Cargo,
            &[
                "running 3 tests",
                "test codec::round_trip ... ok",
                "test codec::limits ... FAILED",
                "test src/lib.rs - Node (line 12) ... ok",
                "test codec::huge ... ignored, takes an hour",
                "test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; finished in 0.01s",
            ],
        );
        assert_eq!(report.passed, 2);
        assert_eq!(report.failed, ["codec::limits"]);
        assert_eq!(report.skipped, ["codec::huge: marked as ignored"]);
    }

    #[test]
    fn reads_nextest_and_counts_a_failure_once() {
        let report = read(
            Runner::Nextest,
            &[
                "test codec::limits ... FAILED",
                "        PASS [   0.004s] (  1/120) beamline-term codec::round_trip",
                "        \u{1b}[31;1mFAIL\u{1b}[0m [   0.004s] (  2/120) beamline-term codec::limits",
                "     SIGKILL [   0.004s] beamline-term codec::killed",
                "     Summary [   0.012s] 3 tests run: 1 passed, 2 failed, 0 skipped",
                "        FAIL [   0.004s] (  2/120) beamline-term codec::limits",
                "        SLOW [> 60.000s] beamline-term codec::slow",
            ],
        );
        assert_eq!(report.passed, 1);
        assert_eq!(report.failed, ["beamline-term codec::limits", "beamline-term codec::killed"]);
    }

    #[test]
    fn the_last_try_of_a_test_counts() {
        let report = read(
            Runner::Nextest,
            &[
                "  TRY 1 FAIL [   7.1s] (───────) whole-clusters::names otp27::a",
                "  TRY 1 FAIL [   7.1s] (───────) whole-clusters::names otp27::b",
                "  TRY 2 FAIL [   7.1s] (119/120) whole-clusters::names otp27::a",
                "  TRY 2 PASS [   7.1s] (120/120) whole-clusters::names otp27::b",
                "     Summary [   9.0s] 120 tests run: 119 passed (1 flaky), 1 failed, 0 skipped",
                "   FLAKY 2/2 [   7.1s] (120/120) whole-clusters::names otp27::b",
                "  TRY 2 FAIL [   7.1s] (119/120) whole-clusters::names otp27::a",
            ],
        );
        assert_eq!(report.passed, 1);
        assert_eq!(report.failed, ["whole-clusters::names otp27::a"]);
    }

    #[test]
    fn a_skipped_test_has_not_passed() {
        let mut report = read(Runner::Cargo, &["test a ... ok", "test b ... ok", "test c ... ok"]);
        report.read_skips("skipped: a: needs erl\nskipped: a: needs erl\nskipped: b: needs docker\n");
        assert_eq!(report.passed, 1);
        assert_eq!(report.skipped, ["a: needs erl", "b: needs docker"]);
        report.forbid_skips(|tool| tool == "erl");
        assert_eq!(report.failed, ["a: needs erl"]);
        assert_eq!(report.skipped, ["b: needs docker"]);
    }
}
