//! Asks and watches for ever, and says what comes of it.

use std::{collections::BTreeSet, fmt::Display, mem, time::Duration};

use beamline_proto::NodeName;
use tokio::time::{Instant, sleep};
use tracing::{debug, info};

use super::{
    Kubernetes, KubernetesError,
    api::{Api, what},
    course::{Course, End, Step},
    known::Known,
    stream::Event,
};
use crate::Reports;

pub(super) async fn run(config: Kubernetes, reports: Reports) {
    let mut run = Run {
        api: Api::new(config.clone()),
        known: Known::new(config.clone(), reports.own_name().clone()),
        course: Course::new(config.polling_interval),
        anybody: false,
        told_of_polling: false,
        config,
        reports,
    };
    loop {
        let pause = run.step().await;
        // Not all nodes at the same moment.
        sleep(pause.mul_f64(rand::random_range(0.9..1.1))).await;
    }
}

/// One list, for whoever wants to know whether it can be had, and who is on it.
pub(super) async fn ask(config: &Kubernetes, own: &NodeName) -> Result<BTreeSet<NodeName>, KubernetesError> {
    let mut api = Api::new(config.clone());
    api.refresh().await?;
    let list = api.list().await?;
    let namespace = api.namespace().to_owned();
    if list.items.is_empty() {
        return Err(match api.lacks_namespace().await {
            true => KubernetesError::NoNamespace { namespace },
            false => {
                let what = what(config.ip_lookup_mode);
                KubernetesError::NobodySelected { what, namespace, selector: config.selector.clone() }
            }
        });
    }
    let mut known = Known::new(config.clone(), own.clone());
    known.list(&list.items);
    known.names()
}

struct Run {
    config: Kubernetes,
    reports: Reports,
    api: Api,
    known: Known,
    course: Course,
    /// Whether anything was ever listed.
    anybody: bool,
    told_of_polling: bool,
}

impl Run {
    /// One question, or one watch; then the pause after it.
    async fn step(&mut self) -> Duration {
        match self.api.refresh().await {
            Ok(true) => self.course.start_over(),
            Ok(false) => {}
            Err(error) => return self.failed(error).await,
        }
        match self.course.step() {
            Step::List => self.list().await,
            Step::Watch(version) => self.watch(&version).await,
        }
    }

    async fn list(&mut self) -> Duration {
        let list = match self.api.list().await {
            Ok(list) => list,
            Err(error) => return self.failed(error).await,
        };
        if list.items.is_empty() && self.api.lacks_namespace().await {
            let namespace = self.api.namespace().to_owned();
            return self.failed(KubernetesError::NoNamespace { namespace }).await;
        }
        self.known.list(&list.items);
        self.say().await;
        self.course.listed(list.metadata.resource_version)
    }

    async fn watch(&mut self, version: &str) -> Duration {
        let opened = Instant::now();
        let mut watch = match self.api.watch(version).await {
            Ok(watch) => watch,
            Err(error) => return self.not_watched(error).await,
        };
        // What was said before a failure is true again, or becomes so with what comes now.
        self.say().await;
        let mut useful = false;
        let end = loop {
            let events = match watch.next().await {
                None => break End::Closed { lasted: opened.elapsed(), useful },
                Some(Err(reason)) => {
                    debug!("[libcluster:{}] what a watch said cannot be read: {reason}", self.reports.topology());
                    break End::Disturbed;
                }
                Some(Ok(events)) => events,
            };
            let mut changed = false;
            let mut over = None;
            for event in events {
                match event {
                    Event::Changed(object) => {
                        self.known.changed(&object);
                        self.course.seen(&object.metadata.resource_version);
                        changed = true;
                    }
                    Event::Gone(object) => {
                        self.known.gone(&object);
                        self.course.seen(&object.metadata.resource_version);
                        changed = true;
                    }
                    Event::Bookmark(object) => self.course.seen(&object.metadata.resource_version),
                    Event::Error { code: 410, .. } => over = Some(End::Gone),
                    Event::Error { code, message } => {
                        debug!("[libcluster:{}] a watch ended with {code}: {message}", self.reports.topology());
                        over = Some(End::Disturbed);
                    }
                    Event::Other => {}
                }
            }
            if changed {
                useful = true;
                self.say().await;
            }
            if let Some(end) = over {
                break end;
            }
        };
        debug!("[libcluster:{}] watch: {end:?}", self.reports.topology());
        let pause = self.course.watched(&end);
        self.polls(&"watches end at once");
        pause
    }

    /// A watch could not be opened.
    async fn not_watched(&mut self, error: KubernetesError) -> Duration {
        let end = match &error {
            KubernetesError::Status { code: 410, .. } => End::Gone,
            KubernetesError::Status { code: 429 | 500.., .. } | KubernetesError::Answer { .. } => End::Disturbed,
            KubernetesError::Forbidden { .. } | KubernetesError::Status { .. } => End::Refused,
            _ => End::Unreachable,
        };
        match end {
            End::Unreachable => return self.failed(error).await,
            _ => debug!("[libcluster:{}] no watch: {error}", self.reports.topology()),
        }
        let pause = self.course.watched(&end);
        self.polls(&error);
        pause
    }

    /// Tells, once, that there is no watching here.
    fn polls(&mut self, reason: &dyn Display) {
        let polls = self.course.polls();
        if polls && !mem::replace(&mut self.told_of_polling, polls) {
            info!(
                "[libcluster:{}] {} cannot be watched here, so they are listed every {} ms: {reason}",
                self.reports.topology(),
                what(self.config.ip_lookup_mode),
                self.config.polling_interval.as_millis()
            );
        }
        self.told_of_polling = polls;
    }

    async fn failed(&mut self, error: KubernetesError) -> Duration {
        // The certificate or the token may be another by the next time, also where their files are the same.
        self.api.forget();
        self.reports.failed(error).await;
        self.course.failed()
    }

    /// Says who should be here.
    async fn say(&mut self) {
        self.anybody |= !self.known.is_empty();
        if !self.anybody {
            let error = KubernetesError::NobodySelected {
                what: what(self.config.ip_lookup_mode),
                namespace: self.api.namespace().to_owned(),
                selector: self.config.selector.clone(),
            };
            return self.reports.failed(error).await;
        }
        match self.known.names() {
            Ok(names) => self.reports.answer(names).await,
            Err(error) => self.reports.failed(error).await,
        }
    }
}
