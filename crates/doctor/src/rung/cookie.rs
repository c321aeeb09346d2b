//! Whether the node takes our cookie; and if not, whether it would without, or with, what got around it by mistake.

use beamline_node::Cookie;

use super::handshake::{explain, greeting};
use super::{Outcome, Visit, config};
use crate::wire::{self, Unanswered};
use crate::{Finding, Source};

pub(crate) async fn check(visit: &mut Visit<'_>) -> Outcome {
    let Some(used) = visit.options.cookies.used.clone() else {
        // The first rung has said so; without one, nothing can be asked here.
        return Outcome::empty();
    };
    let Some(proof) = visit.proof.take() else { return Outcome::empty() };
    match proof.show().await {
        Ok(()) => {
            visit.cookie = Some(used.cookie);
            Outcome::default().fact("each takes the other's cookie")
        }
        Err(Unanswered::Cause(cause)) if cause.code() == "BL501" => {
            rejected(visit, &used, &cause.to_string()).await.into()
        }
        Err(unanswered) => explain(visit, &unanswered).into(),
    }
}

async fn rejected(visit: &Visit<'_>, used: &Source, what: &str) -> Finding {
    let finding = |id: &str, what: String| Finding::new(id, what).evidence("used", used.shown());
    if let Some(trimmed) = used.cookie.trimmed()
        && takes(visit, trimmed).await
    {
        let what = "our cookie has blanks or an end of line around it; without them the node takes it".to_owned();
        return finding("BL106", what)
            .fix(format!("remove them from {}", used.place))
            .fix("in a Kubernetes Secret, that is `echo -n` or `stringData`; in a shell, printf '%s'");
    }
    if takes(visit, used.cookie.with_newline()).await {
        let what = "the node's cookie has an end of line behind it, ours has not: it took its cookie file as it stands";
        return finding("BL106", what.to_owned())
            .fix("on the node, strip what it reads: String.trim(File.read!(path)); or let Erlang read ~/.erlang.cookie")
            .fix("or write the file without the end of line: printf '%s' COOKIE > FILE");
    }
    for other in &visit.options.cookies.ignored {
        if other.cookie != used.cookie && takes(visit, other.cookie.clone()).await {
            return finding("BL501", "the node takes another of this machine's cookies, which was not used".to_owned())
                .evidence("right", other.shown())
                .fix(format!("use that of {}", other.place));
        }
    }
    finding("BL501", what.to_owned())
        .fix(config::other_cookie(visit))
        .fix("compare the six digits with those that `beamline doctor` shows on the node's machine")
}

/// Whether the node takes this one.
async fn takes(visit: &Visit<'_>, cookie: Cookie) -> bool {
    let Some(greeting) = greeting(visit) else { return false };
    match wire::greet(greeting, cookie).await {
        Ok(proof) => proof.show().await.is_ok(),
        Err(_) => false,
    }
}
