//! The node's name, and ours beside it.

use super::{Outcome, Visit};
use crate::Finding;

pub(crate) fn check(visit: &Visit<'_>) -> Outcome {
    let target = visit.target;
    let kind = |long: bool| if long { "long" } else { "short" };
    let Some(own) = &visit.options.own else {
        return Outcome::default().fact(format!("{} name", kind(target.is_long())));
    };
    if own == target {
        return Finding::new("BL101", format!("{target} was asked to reach itself"))
            .fix("leave --name out, or give another node")
            .into();
    }
    if own.is_long() != target.is_long() {
        let (ours, theirs) = (kind(own.is_long()), kind(target.is_long()));
        return Finding::new("BL202", format!("our name is {ours}, the node's is {theirs}; such nodes never meet"))
            .evidence("ours", own.to_string())
            .evidence("node", target.to_string())
            .fix("start all nodes with --name, or all with --sname")
            .into();
    }
    Outcome::default().fact(format!("both names are {}", kind(own.is_long())))
}
