//! The visitor of a request: by which session, and what it may do.

use super::Power;
use super::access::Key;

/// Who asks, as far as pages need to know it.
#[derive(Clone)]
pub(crate) struct Visitor {
    /// Names the session in the audit log; it is no secret.
    pub(super) name: String,
    /// The token that the session's forms carry.
    pub(super) form_token: String,
    /// What the session may do.
    pub(super) power: Power,
    /// The session, if it came by one.
    pub(super) session: Option<Key>,
}

impl Visitor {
    /// Nobody: sees, and has no forms.
    pub(super) fn nobody() -> Self {
        Self { name: "nobody".to_owned(), form_token: String::new(), power: Power::View, session: None }
    }

    /// All whom the application around the site has let in. Its forms carry a token as those of a session do.
    pub(super) fn admitted(power: Power, form_token: String) -> Self {
        let session = Some(Key::of(&form_token));
        Self { name: "application".to_owned(), form_token, power, session }
    }

    /// A program that shows its token with each request.
    pub(super) fn bearer(power: Power) -> Self {
        Self { name: "token".to_owned(), power, ..Self::nobody() }
    }
}
