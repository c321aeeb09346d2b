//! Why a page cannot be shown, or an action was not done: what was tried, with whom, what came back, what to try.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::json;

use super::access::Refusal;
use super::ask::Form;
use super::frame;
use super::{Power, Site};
use crate::dashboard::source::trouble::Trouble;

/// Why a page cannot be shown, or an action was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Problem {
    /// The address or the form says something that is not understood.
    #[error("the address is not understood: {what}")]
    BadAddress { what: String },
    /// There is no such thing: `what` is the whole sentence.
    #[error("{what}")]
    NotFound { what: String },
    /// The visitor, or any visitor of this site, may not do this.
    #[error("this needs the power to {needs}, which this session does not have")]
    Forbidden { needs: Power },
    /// What was asked cannot be done now: `what` is the whole sentence, `advice` what to do about it.
    #[error("{what}")]
    Refused { what: String, advice: String },
    /// Too much at once: streams, sessions, checks.
    #[error("too many {what} at once (at most {limit})")]
    TooMany { what: &'static str, limit: usize },
    /// What the dashboard asked a node for did not come.
    #[error(transparent)]
    Source(#[from] Trouble),
    /// The request was turned away before any page saw it.
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

impl Problem {
    /// The address, or a form, is not understood.
    pub(crate) fn bad_address(what: impl Into<String>) -> Self {
        Self::BadAddress { what: what.into() }
    }

    /// The whole sentence: `There is no process <0.9.0> at app@host.`
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadAddress { .. } => StatusCode::BAD_REQUEST,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::Source(Trouble::Absent { .. }) => StatusCode::NOT_FOUND,
            Self::Source(Trouble::Late { .. }) => StatusCode::GATEWAY_TIMEOUT,
            Self::Source(_) => StatusCode::BAD_GATEWAY,
            Self::Refused { .. } => StatusCode::CONFLICT,
            Self::TooMany { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refusal(refusal) => refusal.status(),
        }
    }

    /// What to try next.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Source(trouble) => trouble.advice(),
            Self::Refused { advice, .. } => Some(advice.clone()),
            Self::Refusal(refusal) => Some(refusal.advice()),
            Self::Forbidden { .. } => Some("enter with a token of more power".to_owned()),
            _ => None,
        }
    }

    /// What stands in a page in place of what could not be shown.
    pub(crate) fn markup(&self) -> Markup {
        html! {
            section.problem role="alert" {
                h1 { (self.status().canonical_reason().unwrap_or("Problem")) }
                p { (self) }
                @if let Some(advice) = self.advice() { p { "Try: " code { (advice) } } }
            }
        }
    }

    pub(super) fn respond(&self, site: &Site, form: Form) -> Response {
        let status = self.status();
        match form {
            Form::Html => {
                let title = status.canonical_reason().unwrap_or("Problem");
                // Who was turned away is shown nothing of the site.
                let around = if matches!(self, Self::Refusal(_)) { frame::outside } else { frame::bare };
                (status, around(site, title, &self.markup())).into_response()
            }
            _ => (status, self.json()).into_response(),
        }
    }

    fn json(&self) -> Json<serde_json::Value> {
        Json(json!({ "schema_version": 1, "error": self.to_string(), "try": self.advice() }))
    }
}

/// Where no page can be made around it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status(), self.json()).into_response()
    }
}
