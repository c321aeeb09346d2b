//! What a request asks: the parameters of its path and query as one value, and the form of the answer.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Problem;

/// The form in which an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Html,
    Json,
    Events,
}

/// The first of the three forms that `Accept` names; HTML without one.
pub(crate) fn form_of(headers: &HeaderMap) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    kinds
        .filter_map(|kind| match kind {
            "text/html" => Some(Form::Html),
            "application/json" => Some(Form::Json),
            "text/event-stream" => Some(Form::Events),
            _ => None,
        })
        .next()
        .unwrap_or(Form::Html)
}

/// Reads path parameters and query together; a name that occurs twice is refused.
pub(crate) async fn asked<T: DeserializeOwned>(parts: &mut Parts) -> Result<T, Problem> {
    let path =
        RawPathParams::from_request_parts(parts, &()).await.map_err(|error| Problem::bad_address(error.to_string()))?;
    let pairs: Vec<(&str, &str)> = path.iter().collect();
    let mut text = serde_urlencoded::to_string(pairs).map_err(|error| Problem::bad_address(error.to_string()))?;
    if let Some(query) = parts.uri.query() {
        text.push('&');
        text.push_str(query);
    }
    serde_urlencoded::from_str(&text).map_err(|error| Problem::bad_address(error.to_string()))
}

/// How often an open page is shown anew: `?refresh=SECONDS`, or `pause`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    Every(u8),
    Pause,
}

impl Refresh {
    /// What the picker offers.
    pub(crate) const CHOICES: [Refresh; 6] =
        [Self::Every(1), Self::Every(2), Self::Every(5), Self::Every(15), Self::Every(30), Self::Pause];

    /// What an address asks; 2 s where it asks nothing, or what is not offered.
    pub(crate) fn of(uri: &Uri) -> Refresh {
        #[derive(Deserialize)]
        struct Asked {
            refresh: Option<String>,
        }
        let asked = serde_urlencoded::from_str::<Asked>(uri.query().unwrap_or_default()).ok();
        let asked = asked.and_then(|asked| asked.refresh);
        Self::CHOICES.into_iter().find(|choice| asked.as_deref() == Some(&choice.value())).unwrap_or(Self::Every(2))
    }

    /// As it stands in the query.
    pub(crate) fn value(self) -> String {
        match self {
            Self::Every(seconds) => seconds.to_string(),
            Self::Pause => "pause".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_is_known_counts() {
        let form = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            form_of(&headers)
        };
        assert_eq!(form("text/html,application/xhtml+xml,*/*;q=0.8"), Form::Html);
        assert_eq!(form("application/json"), Form::Json);
        assert_eq!(form("text/event-stream"), Form::Events);
        assert_eq!(form("*/*"), Form::Html);
        assert_eq!(form_of(&HeaderMap::new()), Form::Html);
    }

    #[test]
    fn only_the_intervals_of_the_picker_are_taken() {
        let of = |uri: &str| Refresh::of(&uri.parse().unwrap());
        assert_eq!(of("/"), Refresh::Every(2));
        assert_eq!(of("/?q=a&refresh=15"), Refresh::Every(15));
        assert_eq!(of("/?refresh=pause"), Refresh::Pause);
        assert_eq!(of("/?refresh=0"), Refresh::Every(2));
    }
}
