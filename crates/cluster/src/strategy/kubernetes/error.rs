//! Why the API gave no list: one sentence each, the same for the same cause, so that the log has it once.

use std::{error::Error, io, path::PathBuf, time::Duration};

/// Why it is not known who should be here. The last list stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubernetesError {
    /// `hostname` mode without a service.
    #[error("kubernetes strategy is selected with mode hostname, but kubernetes_service_name is not configured!")]
    NoService,
    /// The names would be none.
    #[error("kubernetes_node_basename {basename:?} cannot be the part of a node's name before the '@'")]
    Basename {
        /// The text.
        basename: String,
    },
    /// Neither a service account nor a kubeconfig.
    #[error("no way to the Kubernetes API: there is no token at {token:?}, and no kubeconfig")]
    NoAccess {
        /// Where the token would be.
        token: PathBuf,
    },
    /// A file of the service account, or the kubeconfig, cannot be read.
    #[error("cannot read {path:?}, which access to the Kubernetes API needs: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate authority's file has none.
    #[error("{path:?} has no certificate in PEM; without one the Kubernetes API's cannot be verified")]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The kubeconfig, or what it names, is wrong.
    #[error("the kubeconfig gives no access to the Kubernetes API: {reason}")]
    Kubeconfig {
        /// What is wrong.
        reason: String,
    },
    /// The address of the API is none.
    #[error("{server:?} is not the address of a Kubernetes API")]
    Address {
        /// The text.
        server: String,
    },
    /// The kubeconfig wants the certificate not to be verified.
    #[error(
        "the kubeconfig has insecure-skip-tls-verify, and a token is sent to nobody who is not verified; \
         give certificate-authority for {server} instead"
    )]
    Unverified {
        /// The API.
        server: String,
    },
    /// Plain HTTP to another machine.
    #[error("{server} is plain HTTP to another machine, over which no token is sent; use https")]
    Plain {
        /// The API.
        server: String,
    },
    /// 401.
    #[error("cannot query kubernetes (401 Unauthorized): {server} does not take {credentials}")]
    Unauthorized {
        /// The API.
        server: String,
        /// What was shown to it.
        credentials: String,
    },
    /// 403.
    #[error("cannot query kubernetes (unauthorized): {message}; a Role must allow get and list")]
    Forbidden {
        /// What the API says: who may not do what, and where.
        message: String,
    },
    /// Any other status.
    #[error("cannot query kubernetes ({status}): {message}")]
    Status {
        /// Its number.
        code: u16,
        /// The same in words: `404 Not Found`, for one.
        status: String,
        /// What the API says.
        message: String,
    },
    /// No connection, or it broke.
    #[error("request to kubernetes failed!: {server}: {reason}")]
    Unreachable {
        /// The API.
        server: String,
        /// The last cause.
        reason: String,
    },
    /// No answer came in time.
    #[error("request to kubernetes failed!: {server} gave no answer within {} s", after.as_secs())]
    Silent {
        /// The API.
        server: String,
        /// For so long it was waited.
        after: Duration,
    },
    /// The answer is not what was asked for.
    #[error("the Kubernetes API's answer for {what} cannot be read: {reason}")]
    Answer {
        /// What was asked for.
        what: String,
        /// Why not.
        reason: String,
    },
    /// The API has no endpoint slices.
    #[error("this Kubernetes API has no endpointslices; take kubernetes_ip_lookup_mode = \"endpoints\"")]
    NoSlices,
    /// An empty list, and the namespace is not there.
    #[error("the namespace {namespace:?} is not in this Kubernetes cluster")]
    NoNamespace {
        /// Its name.
        namespace: String,
    },
    /// Nothing was ever listed.
    #[error("no {what} in the namespace {namespace:?} match kubernetes_selector {selector:?}")]
    NobodySelected {
        /// Pods, endpoints or endpointslices.
        what: &'static str,
        /// Where.
        namespace: String,
        /// The selector.
        selector: String,
    },
    /// Nobody who is listed has a name in `hostname` mode.
    #[error(
        "none of the {count} pods has a hostname, which names of the mode hostname need; \
         run them as a StatefulSet, or take another mode"
    )]
    NoHostname {
        /// How many are listed.
        count: usize,
    },
}

/// What an error comes from in the end: those around it only say that something failed.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
