//! The visitor of a request: by which session, and what it may do.

use super::Power;

/// Who asks, as far as pages need to know it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// Names the session in the audit log; it is no secret.
    pub(super) name: String,
    /// The token that the session's forms carry.
    pub(super) form_token: String,
    /// What the session may do.
    pub(super) power: Power,
}

impl Visitor {
    /// Nobody: sees, and has no forms.
    pub(super) fn nobody() -> Self {
        Self { name: "nobody".to_owned(), form_token: String::new(), power: Power::View }
    }
}
