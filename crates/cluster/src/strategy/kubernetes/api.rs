//! Questions to the API, each with a deadline and a limit on what it may answer.

use std::{sync::Arc, time::Duration};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Kubernetes, KubernetesError, Lookup,
    access::{Files, Session},
    error::cause,
    objects::List,
    stream::{Event, Lines, Status},
};

/// How long a question may take; libcluster's.
const DEADLINE: Duration = Duration::from_secs(15);

/// After this time the server ends a watch, which then goes on anew: a server that is gone without a word is noticed.
const WATCH: Duration = Duration::from_secs(120);

/// A list beyond this is none: it would have some ten thousand pods.
const MAX_LIST: usize = 256 << 20;

/// Other answers are short.
const MAX_ANSWER: usize = 1 << 20;

/// The API, by the files of the moment.
pub(super) struct Api {
    config: Kubernetes,
    files: Option<Files>,
    session: Option<Arc<Session>>,
    /// The server and the namespace of the last question.
    place: Option<(String, String)>,
    /// The version of endpoint slices that the server has, once that is known.
    slices: Option<String>,
}

/// A watch that is open.
pub(super) struct Watch {
    body: Body,
    lines: Lines,
    until: Instant,
}

#[derive(Deserialize)]
struct Group {
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

impl Api {
    pub(super) fn new(config: Kubernetes) -> Self {
        Self { config, files: None, session: None, place: None, slices: None }
    }

    /// Reads the files; true if they lead to another place than before.
    pub(super) async fn refresh(&mut self) -> Result<bool, KubernetesError> {
        let (config, before, session) = (self.config.clone(), self.files.take(), self.session.take());
        let read = move || {
            let files = Files::read(&config)?;
            match session {
                Some(session) if before.as_ref() == Some(&files) => Ok((files, session)),
                _ => files.open(&config).map(|session| (files, Arc::new(session))),
            }
        };
        let (files, session) = match spawn_blocking(read).await {
            Ok(read) => read?,
            // It ends unasked only with the program.
            Err(_) => std::future::pending().await,
        };
        let place = Some((session.server.clone(), session.namespace.clone()));
        let is_other = self.place != place;
        if is_other {
            self.slices = None;
        }
        (self.files, self.session, self.place) = (Some(files), Some(session), place);
        Ok(is_other)
    }

    /// The next question makes a new client.
    pub(super) fn forget(&mut self) {
        self.session = None;
    }

    pub(super) fn namespace(&self) -> &str {
        self.place.as_ref().map_or("", |(_, namespace)| namespace)
    }

    /// The list as it is now.
    pub(super) async fn list(&mut self) -> Result<List, KubernetesError> {
        let cached = if self.config.use_cached_resources { "resourceVersion=0&" } else { "" };
        let path = format!("{}?{cached}labelSelector={}", self.resource().await?, encoded(&self.config.selector));
        let list = self.get(&path, MAX_LIST).await;
        if let Err(KubernetesError::Status { code: 404, .. }) = list {
            // The server may have a newer version by now.
            self.slices = None;
        }
        list
    }

    /// What changes from this version on.
    pub(super) async fn watch(&mut self, version: &str) -> Result<Watch, KubernetesError> {
        let seconds = WATCH.mul_f64(rand::random_range(0.9..1.1));
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}&labelSelector={}",
            self.resource().await?,
            seconds.as_secs(),
            encoded(version),
            encoded(&self.config.selector)
        );
        let body = self.within(self.ask(&path)).await?.into_body();
        Ok(Watch { body, lines: Lines::default(), until: Instant::now() + seconds + DEADLINE })
    }

    /// Whether the namespace is known not to exist: a list in one that is not there is empty, and no error.
    pub(super) async fn lacks_namespace(&self) -> bool {
        let path = format!("/api/v1/namespaces/{}", encoded(self.namespace()));
        let found: Result<serde_json::Value, _> = self.get(&path, MAX_ANSWER).await;
        matches!(found, Err(KubernetesError::Status { code: 404, .. }))
    }

    async fn resource(&mut self) -> Result<String, KubernetesError> {
        let group = match self.config.ip_lookup_mode {
            Lookup::EndpointSlices => format!("/apis/discovery.k8s.io/{}", self.slices().await?),
            Lookup::Endpoints | Lookup::Pods => "/api/v1".to_owned(),
        };
        let namespace = encoded(self.namespace());
        Ok(format!("{group}/namespaces/{namespace}/{}", what(self.config.ip_lookup_mode)))
    }

    /// The version of endpoint slices: `v1` from Kubernetes 1.21 on, before that `v1beta1` alone.
    async fn slices(&mut self) -> Result<String, KubernetesError> {
        if let Some(version) = &self.slices {
            return Ok(version.clone());
        }
        let group: Result<Group, _> = self.get("/apis/discovery.k8s.io", MAX_ANSWER).await;
        let version = match group {
            Ok(group) => {
                let has = |version: &str| group.versions.iter().any(|one| one.version == version);
                let known = ["v1", "v1beta1"].into_iter().find(|version| has(version));
                known.ok_or(KubernetesError::NoSlices)?
            }
            Err(KubernetesError::Status { code: 404, .. }) => return Err(KubernetesError::NoSlices),
            // Who may not ask which there are may still list them.
            Err(KubernetesError::Forbidden { .. }) => "v1",
            Err(other) => return Err(other),
        };
        self.slices = Some(version.to_owned());
        Ok(version.to_owned())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, limit: usize) -> Result<T, KubernetesError> {
        let question = async {
            let body = self.ask(path).await?.into_body();
            self.whole(body, limit).await
        };
        let answer = self.within(question).await?;
        serde_json::from_slice(&answer).map_err(|error| self.unreadable(path, error.to_string()))
    }

    /// The answer, if it is a good one.
    async fn ask(&self, path: &str) -> Result<Response<Body>, KubernetesError> {
        let session = self.session()?;
        let request = Request::get(path).header("accept", "application/json").body(Body::empty());
        let request = request.map_err(|error| self.unreadable(path, error.to_string()))?;
        let answer = session.client.send(request).await.map_err(|error| self.unreachable(cause(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = self.whole(answer.into_body(), MAX_ANSWER).await.unwrap_or_default();
        let said: Status = serde_json::from_slice(&body).unwrap_or_default();
        Err(match status {
            StatusCode::UNAUTHORIZED => KubernetesError::Unauthorized {
                server: session.server.clone(),
                credentials: session.credentials.clone(),
            },
            StatusCode::FORBIDDEN => KubernetesError::Forbidden { message: said.message },
            other => KubernetesError::Status { code: other.as_u16(), status: other.to_string(), message: said.message },
        })
    }

    async fn whole(&self, body: Body, limit: usize) -> Result<Vec<u8>, KubernetesError> {
        match Limited::new(body, limit).collect().await {
            Ok(body) => Ok(body.to_bytes().into()),
            Err(error) => Err(self.unreachable(cause(&*error))),
        }
    }

    async fn within<T>(
        &self,
        question: impl Future<Output = Result<T, KubernetesError>>,
    ) -> Result<T, KubernetesError> {
        match timeout(DEADLINE, question).await {
            Ok(answer) => answer,
            Err(_) => Err(KubernetesError::Silent { server: self.server(), after: DEADLINE }),
        }
    }

    fn session(&self) -> Result<&Session, KubernetesError> {
        let none = || KubernetesError::NoAccess { token: self.config.service_account_path.join("token") };
        self.session.as_deref().ok_or_else(none)
    }

    fn server(&self) -> String {
        self.place.as_ref().map(|(server, _)| server.clone()).unwrap_or_default()
    }

    fn unreachable(&self, reason: String) -> KubernetesError {
        KubernetesError::Unreachable { server: self.server(), reason }
    }

    fn unreadable(&self, path: &str, reason: String) -> KubernetesError {
        let path = path.split('?').next().unwrap_or_default();
        KubernetesError::Answer { what: path.to_owned(), reason }
    }
}

impl Watch {
    /// What comes next; `None` when it is over.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) async fn next(&mut self) -> Option<Result<Vec<Event>, String>> {
        let frame = timeout_at(self.until, self.body.frame()).await.ok()??;
        // A connection that breaks ends a watch as well as anything.
        let data = frame.ok()?.into_data().unwrap_or_default();
        Some(self.lines.push(&data))
    }
}

/// The resource that a look-up lists.
pub(super) fn what(lookup: Lookup) -> &'static str {
    match lookup {
        Lookup::Endpoints => "endpoints",
        Lookup::Pods => "pods",
        Lookup::EndpointSlices => "endpointslices",
    }
}

/// As RFC 3986 has it.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_encoded() {
        assert_eq!(encoded("cluster=beam,tier in (a, b)"), "cluster%3Dbeam%2Ctier%20in%20%28a%2C%20b%29");
        assert_eq!(encoded("a-b.c_d~e/ü"), "a-b.c_d~e%2F%C3%BC");
    }
}
