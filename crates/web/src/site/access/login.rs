//! The way in and out: the form for the token or password, the session that begins, and the one that is left.

use axum::extract::Request;
use axum::http::header::SET_COOKIE;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::guard::{Caller, take_stranger};
use super::{Refusal, cookie, headers};
use crate::site::ask::{Form, form_of};
use crate::site::{Power, Problem, Site, Visitor, frame};

pub(super) const PATH: &str = "/login";
pub(super) const LEAVE: &str = "/logout";

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    next: String,
}

/// The login as those see it who have not entered.
pub(super) async fn stranger(site: &Site, caller: &Caller, request: Request) -> Result<Response, Refusal> {
    if let Some(secret) = super::guard::token_of(request.uri()) {
        return Ok(begin(site, caller, site.access().open(caller, &secret)?, "/"));
    }
    if request.method() != Method::POST {
        return Ok(form(site, &next_of(request.uri()), None));
    }
    let wants = form_of(request.headers());
    let bytes = take_stranger(request).await?;
    let sent: Sent = match serde_urlencoded::from_bytes(&bytes) {
        Ok(sent) => sent,
        Err(error) => return Ok(Problem::bad_address(error.to_string()).respond(site, wants)),
    };
    match site.access().open(caller, sent.secret.trim()) {
        Ok(power) => Ok(begin(site, caller, power, &sent.next)),
        Err(refusal) if wants == Form::Html => Ok(form(site, &sent.next, Some(&refusal))),
        Err(refusal) => Err(refusal),
    }
}

/// Begins a session, always a new one, and leads to a path of the site.
pub(super) fn begin(site: &Site, caller: &Caller, power: Power, next: &str) -> Response {
    let sessions = &site.access().sessions;
    let (visitor, secret) = sessions.begin(power);
    let name = cookie::name(&caller.authority);
    let cookie = cookie::begin(&name, &secret, site.base(), caller.is_secure, sessions.lifetime());
    tracing::info!(target: "beamline::audit", visitor = %visitor.name, from = ?caller.from, %power, "a session begins");
    let mut response = Redirect::to(&site.path(own(next))).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// Ends the visitor's session.
pub(super) fn leave(site: &Site, caller: &Caller, visitor: &Visitor) -> Response {
    if let Some(key) = visitor.session {
        site.access().sessions.end(key);
    }
    let mut response = Redirect::to(&site.path(PATH)).into_response();
    let cookie = cookie::end(&cookie::name(&caller.authority), site.base(), caller.is_secure);
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

/// The page with the form, and what was wrong with the last try.
pub(super) fn form(site: &Site, next: &str, refusal: Option<&Refusal>) -> Response {
    let asks = if site.access().keys.has_password() { "Password" } else { "Token" };
    let body = html! {
        section.login {
            h1 { "Beamline" }
            @if let Some(refusal) = refusal {
                p.bad role="alert" { (refusal) ": " (refusal.advice()) "." }
            }
            form method="post" action=(site.path(PATH)) {
                input type="hidden" name="next" value=(own(next));
                label for="secret" { (asks) }
                input #secret type="password" name="secret" autocomplete="current-password" required autofocus;
                button type="submit" { "Enter" }
            }
            @if !site.access().keys.has_password() {
                p.hint { "The address with the token is printed where the site was started." }
            }
        }
    };
    let status = refusal.map_or(axum::http::StatusCode::OK, Refusal::status);
    let mut response = (status, frame::outside(site, "Enter", &body)).into_response();
    if let Some(refusal) = refusal {
        headers::explain(&mut response, refusal);
    }
    response
}

fn next_of(uri: &Uri) -> String {
    #[derive(Deserialize)]
    struct Asked {
        #[serde(default)]
        next: String,
    }
    serde_urlencoded::from_str::<Asked>(uri.query().unwrap_or_default()).map(|asked| asked.next).unwrap_or_default()
}

/// A path of this site, whatever is asked for: never an address of another.
fn own(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//") && next.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path && !next.contains('\\') && !next.starts_with(PATH) { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere() {
        assert_eq!(own("/n/a@b/processes?sort=memory"), "/n/a@b/processes?sort=memory");
        for foreign in ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "", "/login?next=/", "x"]
        {
            assert_eq!(own(foreign), "/", "{foreign}");
        }
    }
}
