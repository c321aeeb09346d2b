//! What every request passes before any page sees it, in this order: the names that it uses, its secret or session, and,
//! if it is to change something, its size and its form's token.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use subtle::ConstantTimeEq;

use super::hosts::{self, Foreign};
use super::{Access, Refusal, cookie, headers, login};
use crate::site::ask::{Form, form_of};
use crate::site::server::Arrival;
use crate::site::{BODY_LIMIT, Power, Problem, Site, Visitor};

/// How long the body of a request may take.
const BODY_TIME: Duration = Duration::from_secs(20);
/// The longest form of somebody who has not entered.
const STRANGER_LIMIT: usize = 8 * 1024;
/// Where scripts put the form's token.
const FORM_TOKEN: &str = "x-form-token";

/// The middleware. It seals every answer with the site's headers.
pub(crate) async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    let form = form_of(request.headers());
    let answer = match admit(&site, request).await {
        Ok(Admitted::Through(request)) => next.run(request).await,
        Ok(Admitted::Answered(response)) => response,
        Err(refusal) => refuse(&site, refusal, form),
    };
    headers::seal(answer)
}

enum Admitted {
    Through(Request),
    Answered(Response),
}

/// What the guard knows of a request before it knows who asks.
pub(super) struct Caller {
    pub(super) authority: Authority,
    pub(super) from: Option<IpAddr>,
    pub(super) is_secure: bool,
}

async fn admit(site: &Site, mut request: Request) -> Result<Admitted, Refusal> {
    let access = site.access();
    let arrival = request.extensions().get::<Arc<Arrival>>().cloned();
    let form = form_of(request.headers());
    let authority = hosts::check(
        &access.hosts,
        arrival.as_ref().map(|arrival| arrival.local.ip()),
        request.method(),
        request.uri(),
        request.headers(),
        form == Form::Events,
    )?;
    let caller = access.caller(authority, arrival.as_deref(), request.headers());
    if is_open_to_all(request.uri().path()) {
        return Ok(Admitted::Through(request));
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let visitor = match access.visitor(&caller, request.headers())? {
        Some(visitor) => visitor,
        None if request.uri().path() == login::PATH => {
            return Ok(Admitted::Answered(login::stranger(site, &caller, request).await?));
        }
        None if is_read && form == Form::Html => return enter(site, &caller, request.uri()).map(Admitted::Answered),
        None => return Err(Refusal::NoEntry),
    };
    if let Some(arrival) = arrival {
        arrival.is_known();
    }
    // A session that opens an address with a token would otherwise keep it in the browser's history.
    if is_read && form == Form::Html && token_of(request.uri()).is_some() {
        return enter(site, &caller, request.uri()).map(Admitted::Answered);
    }
    if !is_read {
        request = take_form(request, &visitor).await?;
    }
    if request.uri().path() == login::LEAVE && request.method() == Method::POST {
        return Ok(Admitted::Answered(login::leave(site, &caller, &visitor)));
    }
    if request.uri().path() == login::PATH {
        return Ok(Admitted::Answered(Redirect::to(&site.path("/")).into_response()));
    }
    request.extensions_mut().insert(visitor);
    Ok(Admitted::Through(request))
}

/// The page of the login needs the assets; a load balancer asks for the health.
fn is_open_to_all(path: &str) -> bool {
    path.starts_with("/assets/") || path == "/public/health"
}

/// An address with a token begins a session and leads to the address without it; any other leads to the login.
fn enter(site: &Site, caller: &Caller, uri: &Uri) -> Result<Response, Refusal> {
    let Some(token) = token_of(uri) else {
        let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
        let query = serde_urlencoded::to_string([("next", wanted)]).unwrap_or_default();
        return Ok(Redirect::to(&site.path(&format!("{}?{query}", login::PATH))).into_response());
    };
    let power = site.access().open(caller, &token)?;
    Ok(login::begin(site, caller, power, &without_token(uri)))
}

pub(super) fn token_of(uri: &Uri) -> Option<String> {
    pairs(uri).into_iter().find(|(name, _)| name == "token").map(|(_, token)| token)
}

fn without_token(uri: &Uri) -> String {
    let kept: Vec<_> = pairs(uri).into_iter().filter(|(name, _)| name != "token").collect();
    match serde_urlencoded::to_string(&kept) {
        Ok(query) if !query.is_empty() => format!("{}?{query}", uri.path()),
        _ => uri.path().to_owned(),
    }
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default()
}

/// Takes the whole of a request that is to change something, if it is this session's own.
async fn take_form(request: Request, visitor: &Visitor) -> Result<Request, Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = take_body(&parts.headers, body, BODY_LIMIT).await?;
    // Only a cookie is sent by a browser of itself; who shows a token with each request means what it asks.
    if visitor.session.is_some() {
        let sent = match parts.headers.get(FORM_TOKEN) {
            Some(token) => token.to_str().unwrap_or_default().to_owned(),
            None => token_in_form(&parts.headers, &bytes).unwrap_or_default(),
        };
        if !bool::from(sent.as_bytes().ct_eq(visitor.form_token.as_bytes())) {
            return Err(Refusal::ForgedForm);
        }
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn token_in_form(headers: &HeaderMap, bytes: &[u8]) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return None;
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).ok()?;
    pairs.into_iter().find(|(name, _)| name == "form_token").map(|(_, token)| token)
}

pub(super) async fn take_stranger(request: Request) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    take_body(&parts.headers, body, STRANGER_LIMIT).await
}

async fn take_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge { limit });
    }
    let unfinished = Refusal::Unfinished { seconds: BODY_TIME.as_secs() };
    match tokio::time::timeout(BODY_TIME, Limited::new(body, limit).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge { limit }),
        Ok(Err(_)) | Err(_) => Err(unfinished),
    }
}

fn refuse(site: &Site, refusal: Refusal, form: Form) -> Response {
    if form == Form::Html && matches!(refusal, Refusal::WrongSecret | Refusal::BackOff { .. }) {
        return login::form(site, "/", Some(&refusal));
    }
    let mut response = Problem::from(refusal.clone()).respond(site, form);
    headers::explain(&mut response, &refusal);
    response
}

impl Access {
    /// Who asks: by token or by cookie. None is nobody; a wrong token is an error.
    fn visitor(&self, caller: &Caller, headers: &HeaderMap) -> Result<Option<Arc<Visitor>>, Refusal> {
        if self.is_open {
            // Whoever gets here has been let in by the application around the site; forms still need a token, and so a
            // session: see `Access::shared`.
            return Ok(Some(Arc::clone(&self.shared)));
        }
        if let Some(value) = headers.get(AUTHORIZATION) {
            let token = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            let power = self.open(caller, token.ok_or(Refusal::WrongSecret)?.trim())?;
            return Ok(Some(Arc::new(Visitor::bearer(power))));
        }
        let name = cookie::name(&caller.authority);
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        Ok(cookies.flat_map(|text| cookie::find(text, &name)).find_map(|secret| self.sessions.find(secret)))
    }

    /// What a secret opens, unless too many were wrong.
    pub(super) fn open(&self, caller: &Caller, secret: &str) -> Result<Power, Refusal> {
        if let Some(wait) = self.throttle.wait(caller.from) {
            return Err(Refusal::BackOff { seconds: wait.as_secs() + 1 });
        }
        match self.keys.open(secret) {
            Some(power) => {
                self.throttle.right(caller.from);
                Ok(power)
            }
            None => {
                self.throttle.wrong(caller.from);
                tracing::warn!(target: "beamline::audit", from = ?caller.from, "a wrong token or password");
                Err(Refusal::WrongSecret)
            }
        }
    }

    fn caller(&self, authority: Authority, arrival: Option<&Arrival>, headers: &HeaderMap) -> Caller {
        let mut from = arrival.map(|arrival| arrival.peer.ip());
        let mut is_secure = false;
        if self.trusts_proxy {
            let last = |name: &str| headers.get_all(name).iter().next_back()?.to_str().ok()?.rsplit(',').next();
            from = last("x-forwarded-for").and_then(|address| address.trim().parse().ok()).or(from);
            is_secure = last("x-forwarded-proto").is_some_and(|proto| proto.trim() == "https");
        }
        Caller { authority, from, is_secure }
    }
}

impl From<Foreign> for Refusal {
    fn from(foreign: Foreign) -> Self {
        match foreign {
            Foreign::NoHost => Refusal::NoHost,
            Foreign::Host(host) => Refusal::ForeignHost { host },
            Foreign::Origin => Refusal::ForeignOrigin,
        }
    }
}
