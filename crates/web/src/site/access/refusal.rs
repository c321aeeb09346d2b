//! Why a request is turned away before any page sees it.

use axum::http::StatusCode;

/// Why a request is turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Refusal {
    /// No session, token or password.
    #[error("this needs a session, or a token as `Authorization: Bearer`")]
    NoEntry,
    /// A secret that opens nothing.
    #[error("that token or password opens nothing here")]
    WrongSecret,
    /// Too many wrong secrets from the same address.
    #[error("too many wrong tokens or passwords from this address")]
    BackOff { seconds: u64 },
    /// The request has no `Host`, or not one that can be read.
    #[error("the request does not say to which host it goes")]
    NoHost,
    /// A name that the site does not answer to.
    #[error("this site does not answer to the name {host}")]
    ForeignHost { host: String },
    /// Another site's page asks.
    #[error("a page of another site asks for this")]
    ForeignOrigin,
    /// A form without the session's token.
    #[error("the form is not from this session")]
    ForgedForm,
    /// The body is longer than is taken.
    #[error("the request has more than {limit} bytes")]
    TooLarge { limit: usize },
    /// The body did not come in time, or not whole.
    #[error("the request did not arrive whole within {seconds} s")]
    Unfinished { seconds: u64 },
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoEntry | Self::WrongSecret => StatusCode::UNAUTHORIZED,
            Self::BackOff { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoHost => StatusCode::BAD_REQUEST,
            Self::ForeignHost { .. } => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignOrigin | Self::ForgedForm => StatusCode::FORBIDDEN,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unfinished { .. } => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub(crate) fn advice(&self) -> String {
        match self {
            Self::NoEntry | Self::WrongSecret => {
                "the address with the token is printed where the site was started".into()
            }
            Self::BackOff { seconds } => format!("wait {seconds} s"),
            Self::NoHost => "send a Host header".into(),
            Self::ForeignHost { host } => format!("if it should, start it with --allow-host {host}"),
            Self::ForeignOrigin => "open the site itself, and do it there".into(),
            Self::ForgedForm => "load the page again, and send the form once more".into(),
            Self::TooLarge { .. } => "send less at a time".into(),
            Self::Unfinished { .. } => "send it again".into(),
        }
    }
}
