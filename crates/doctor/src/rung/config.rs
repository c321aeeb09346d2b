//! What is set up on this machine: the cookie, whether there is more than one, the topologies.

use super::{Outcome, Visit};
use crate::Finding;

pub(crate) fn check(visit: &Visit<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let cookies = &visit.options.cookies;
    match (&cookies.used, &cookies.refused) {
        (Some(used), _) => {
            outcome.facts.push(format!("cookie from {}", used.shown()));
            if used.in_the_open {
                let what = "the cookie is on the command line, where everybody on this machine can read it";
                outcome.findings.push(
                    Finding::new("BL108", what).fix("put it into a file with mode 400 and give --cookie-file FILE"),
                );
            }
        }
        (None, Some(reason)) => outcome.findings.push(Finding::new("BL104", reason.clone())),
        (None, None) => {
            let what = "there is no cookie on this machine";
            outcome.findings.push(
                Finding::new("BL103", what)
                    .fix("put that of the cluster into ~/.erlang.cookie, with mode 400")
                    .fix("or give --cookie-file FILE, or set BEAMLINE_COOKIE"),
            );
        }
    }
    if !cookies.chosen
        && let Some(used) = &cookies.used
        && let Some(other) = cookies.ignored.iter().find(|other| other.cookie != used.cookie)
    {
        let what = "two places have different cookies; which one a node takes depends on how it is started";
        outcome.findings.push(
            Finding::new("BL107", what)
                .evidence("used", used.shown())
                .evidence("ignored", other.shown())
                .fix("make them the same, or remove the one that is wrong"),
        );
    }
    let topologies = &visit.options.topologies;
    let wrong = topologies.error().map(ToString::to_string).or_else(|| visit.options.wrong_topologies.clone());
    if let Some(error) = wrong {
        let what = "the configuration of discovery is wrong, and a node with it does not start";
        outcome.findings.push(Finding::new("BL109", what).evidence("says", error));
    }
    if let Some(notice) = topologies.notice() {
        outcome.findings.push(Finding::new("BL109", notice.to_string()).warning());
    }
    outcome
}

/// The fix of a cookie that is not the right one.
pub(super) fn other_cookie(visit: &Visit<'_>) -> String {
    format!("beamline doctor {} --cookie-file FILE, with the file that the node uses", visit.target)
}

#[cfg(test)]
mod tests {
    use beamline_cluster::Topologies;
    use beamline_node::NodeName;

    use super::*;
    use crate::{Cookies, Options, Source};

    fn found(change: impl FnOnce(&mut Options)) -> Vec<&'static str> {
        let mut options = Options::new(Cookies::from(Source::new("here", "hush".into())));
        change(&mut options);
        let node: NodeName = "a@b".parse().unwrap();
        let outcome = check(&Visit::new(&options, &node));
        let shown = format!("{outcome:?}");
        assert!(!shown.contains("hush"), "{shown}");
        outcome.findings.iter().map(|finding| finding.code.id).collect()
    }

    #[test]
    fn what_is_set_up() {
        assert_eq!(found(|_| {}), [""; 0]);
        assert_eq!(found(|options| options.cookies = Cookies::default()), ["BL103"]);
        assert_eq!(
            found(|options| options.cookies.used = Some(Source::new("f", "hush".into()).in_the_open())),
            ["BL108"]
        );
        let other = || vec![Source::new("there", "hush2".into())];
        assert_eq!(found(|options| options.cookies.ignored = other()), ["BL107"]);
        let chosen = |options: &mut Options| (options.cookies.ignored, options.cookies.chosen) = (other(), true);
        assert_eq!(found(chosen), [""; 0]);
        assert_eq!(found(|options| options.wrong_topologies = Some("x".to_owned())), ["BL109"]);
        assert_eq!(found(|options| options.topologies = Topologies::from_choice("nothing", None)), ["BL109"]);
    }
}
