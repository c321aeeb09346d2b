//! How the API is reached: the files of the pod's service account, or a kubeconfig.
//!
//! The files are read again for every question, since tokens are renewed and authorities change; a new client is made when
//! they differ. No connection is ever made whose certificate is not verified, and what the files hold is never printed.

use std::{
    env, fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Uri;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Client, Config,
    client::ConfigExt,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use rustls::{
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject},
};
use tower::ServiceBuilder;

use super::{Kubernetes, KubernetesError, error::cause};

/// How long it may take to connect to the API.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// A connection that says nothing is tried after this time, and again at the same pace, thrice.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What the files hold. Has no `Debug`: there is a token in it.
#[derive(PartialEq, Eq)]
pub(super) enum Files {
    ServiceAccount {
        token_path: PathBuf,
        token: String,
        authority_path: PathBuf,
        authority: Vec<u8>,
        namespace: Option<String>,
    },
    Kubeconfig {
        paths: Vec<PathBuf>,
        contents: Vec<Vec<u8>>,
    },
}

/// A way to the API.
pub(super) struct Session {
    pub(super) client: Client,
    /// Its address, for errors.
    pub(super) server: String,
    pub(super) namespace: String,
    /// What is shown to it, in words.
    pub(super) credentials: String,
}

impl Files {
    pub(super) fn read(config: &Kubernetes) -> Result<Files, KubernetesError> {
        let folder = &config.service_account_path;
        let token_path = folder.join("token");
        if config.kubeconfig.is_none() && (config.master.is_some() || token_path.is_file()) {
            let authority_path = folder.join("ca.crt");
            return Ok(Files::ServiceAccount {
                token: text(&token_path)?,
                authority: read(&authority_path)?,
                // Not there for accounts that were put together by hand.
                namespace: text(&folder.join("namespace")).ok().filter(|namespace| !namespace.is_empty()),
                token_path,
                authority_path,
            });
        }
        let paths = match &config.kubeconfig {
            Some(path) => vec![path.clone()],
            None => kubeconfigs(),
        };
        if paths.is_empty() {
            return Err(KubernetesError::NoAccess { token: token_path });
        }
        let contents = paths.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        Ok(Files::Kubeconfig { paths, contents })
    }

    /// Makes the client. Blocks: a kubeconfig may have a program run that gives the token.
    pub(super) fn open(&self, config: &Kubernetes) -> Result<Session, KubernetesError> {
        let (mut access, credentials) = match self {
            Files::ServiceAccount { token_path, token, authority_path, authority, .. } => {
                let server = server(config, env::var("CLUSTER_DOMAIN").ok(), pods_server())?;
                let authorities: Vec<_> =
                    CertificateDer::pem_slice_iter(authority).collect::<Result<_, _>>().unwrap_or_default();
                if authorities.is_empty() {
                    return Err(KubernetesError::NoCertificate { path: authority_path.clone() });
                }
                let mut access = Config::new(server);
                access.root_cert = Some(authorities.iter().map(|one| one.to_vec()).collect());
                access.auth_info.token = Some(token.clone().into());
                (access, format!("the token in {token_path:?}"))
            }
            Files::Kubeconfig { paths, .. } => {
                (from_kubeconfig(paths)?, format!("the credentials of the kubeconfig {:?}", paths[0]))
            }
        };
        let server = shown(&access.cluster_url);
        verified(&access, &server)?;
        access.connect_timeout = Some(CONNECT_DEADLINE);
        let client = client(&access)?;
        let of_files = match self {
            Files::ServiceAccount { namespace, .. } => namespace.clone(),
            Files::Kubeconfig { .. } => Some(access.default_namespace.clone()),
        };
        let namespace = config.namespace.clone().or(of_files).unwrap_or_else(|| "default".to_owned());
        Ok(Session { client, server, namespace, credentials })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KubernetesError> {
    fs::read(path).map_err(|source| KubernetesError::File { path: path.to_owned(), source })
}

fn text(path: &Path) -> Result<String, KubernetesError> {
    let text = fs::read_to_string(path).map_err(|source| KubernetesError::File { path: path.to_owned(), source })?;
    Ok(text.trim().to_owned())
}

/// The kubeconfigs that the environment has, as `kubectl` looks for them.
fn kubeconfigs() -> Vec<PathBuf> {
    let named = env::var_os("KUBECONFIG").map(|paths| env::split_paths(&paths).collect::<Vec<_>>()).unwrap_or_default();
    let named: Vec<_> = named.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    if !named.is_empty() {
        return named;
    }
    let own = env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"));
    own.into_iter().filter(|path| path.is_file()).collect()
}

fn from_kubeconfig(paths: &[PathBuf]) -> Result<Config, KubernetesError> {
    let wrong = |error: KubeconfigError| KubernetesError::Kubeconfig {
        reason: match error {
            // Its text shows the place, and there may be a token in it.
            KubeconfigError::Parse(_) => "its YAML cannot be read".to_owned(),
            other => cause(&other),
        },
    };
    let merge = |all: Kubeconfig, path: &PathBuf| all.merge(Kubeconfig::read_from(path)?);
    let kubeconfig = paths.iter().try_fold(Kubeconfig::default(), merge).map_err(wrong)?;
    // It is `async` in name only.
    let options = KubeConfigOptions::default();
    let access = Config::from_custom_kubeconfig(kubeconfig, &options);
    tokio::runtime::Handle::current().block_on(access).map_err(wrong)
}

/// Never to anybody who is not verified.
fn verified(access: &Config, server: &str) -> Result<(), KubernetesError> {
    if access.accept_invalid_certs {
        return Err(KubernetesError::Unverified { server: server.to_owned() });
    }
    let here = access.cluster_url.host().is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    match access.cluster_url.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if here => Ok(()),
        _ => Err(KubernetesError::Plain { server: server.to_owned() }),
    }
}

/// `kube`'s own stack, but for what logs and repeats by itself.
fn client(access: &Config) -> Result<Client, KubernetesError> {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may be quicker, which is as good.
        let _ = ring::default_provider().install_default();
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(access.connect_timeout);
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE));
    tcp.set_keepalive_retries(Some(3));
    let wrong = |error: kube::Error| KubernetesError::Kubeconfig { reason: told(&error) };
    let connector = access.rustls_https_connector_with_connector(tcp).map_err(wrong)?;
    let service = ServiceBuilder::new()
        .layer(access.base_uri_layer())
        .option_layer(access.auth_layer().map_err(wrong)?)
        .layer(access.extra_headers_layer().map_err(wrong)?)
        .map_err(tower::BoxError::from)
        .service(Http::builder(TokioExecutor::new()).build(connector));
    Ok(Client::new(service, access.default_namespace.clone()))
}

/// What is wrong, without what a program that gives tokens may have printed.
fn told(error: &kube::Error) -> String {
    use kube::client::AuthError;
    match error {
        kube::Error::Auth(AuthError::AuthExecRun { cmd, out }) => format!("{cmd} failed with {}", out.status),
        kube::Error::Auth(AuthError::AuthExecParse(_)) => "the answer of its program cannot be read".to_owned(),
        other => cause(other),
    }
}

/// The API's address without what a user may have put before the host.
fn shown(server: &Uri) -> String {
    let authority = server.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{}://{host}", server.scheme_str().unwrap_or("https"))
}

/// Where each pod is told that the API is.
fn pods_server() -> Option<String> {
    let of = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let host = of("KUBERNETES_SERVICE_HOST")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("{host}:{}", of("KUBERNETES_SERVICE_PORT").as_deref().unwrap_or("443")))
}

/// The address of the API, as libcluster makes it of `kubernetes_master`.
fn server(config: &Kubernetes, domain: Option<String>, pods_server: Option<String>) -> Result<Uri, KubernetesError> {
    let master = match (&config.master, pods_server) {
        (Some(master), _) => master.strip_prefix("https://").unwrap_or(master).trim_end_matches('/'),
        (None, Some(server)) => return parsed(&server),
        (None, None) => "kubernetes.default.svc",
    };
    let domain = domain.unwrap_or_else(|| format!("{}.local", config.cluster_name));
    let domain = domain.trim_matches('.');
    if master.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) {
        return parsed(&format!("[{master}]"));
    }
    let (host, port) = match master.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, format!(":{port}")),
        _ => (master, String::new()),
    };
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    match host.strip_suffix('.') {
        Some(whole) => parsed(&format!("{whole}{port}")),
        None if is_address || host.ends_with(domain) => parsed(&format!("{host}{port}")),
        None => parsed(&format!("{host}.{domain}{port}")),
    }
}

fn parsed(host: &str) -> Result<Uri, KubernetesError> {
    let server = format!("https://{host}");
    server.parse().map_err(|_| KubernetesError::Address { server })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_of(master: Option<&str>, domain: Option<&str>, pods: Option<&str>) -> String {
        let mut config = Kubernetes::new("app", "");
        config.master = master.map(str::to_owned);
        server(&config, domain.map(str::to_owned), pods.map(str::to_owned)).unwrap().to_string()
    }

    #[test]
    fn the_address_of_the_api() {
        assert_eq!(server_of(None, None, None), "https://kubernetes.default.svc.cluster.local/");
        assert_eq!(server_of(None, Some("example.org"), None), "https://kubernetes.default.svc.example.org/");
        assert_eq!(server_of(None, None, Some("10.96.0.1:443")), "https://10.96.0.1:443/");
        for (master, expected) in [
            ("api.example.org.", "https://api.example.org/"),
            ("api.example.org.:6443", "https://api.example.org:6443/"),
            ("kubernetes.default.svc.cluster.local", "https://kubernetes.default.svc.cluster.local/"),
            ("master:6443", "https://master.cluster.local:6443/"),
            ("https://10.0.0.1:6443/", "https://10.0.0.1:6443/"),
            ("fd00::1", "https://[fd00::1]/"),
            ("[fd00::1]:6443", "https://[fd00::1]:6443/"),
        ] {
            assert_eq!(server_of(Some(master), None, Some("10.96.0.1:443")), expected);
        }
        let mut config = Kubernetes::new("app", "");
        config.master = Some("no host".to_owned());
        assert!(matches!(server(&config, None, None), Err(KubernetesError::Address { .. })));
    }

    fn access(server: &str) -> Config {
        Config::new(server.parse().unwrap())
    }

    #[test]
    fn nobody_is_trusted_without_a_certificate() {
        assert!(verified(&access("https://api:6443"), "").is_ok());
        assert!(verified(&access("http://127.0.0.1:8001"), "").is_ok());
        assert!(verified(&access("http://[::1]:8001"), "").is_ok());
        let plain = verified(&access("http://10.0.0.1:8001"), "http://10.0.0.1:8001");
        assert!(matches!(plain, Err(KubernetesError::Plain { .. })));
        let mut careless = access("https://api:6443");
        careless.accept_invalid_certs = true;
        assert!(matches!(verified(&careless, ""), Err(KubernetesError::Unverified { .. })));
    }

    #[test]
    fn a_folder_without_an_authority_is_no_access() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Kubernetes::new("app", "");
        config.service_account_path = folder.path().to_owned();
        fs::write(folder.path().join("token"), "hunter2\n").unwrap();
        let error = Files::read(&config).err().unwrap();
        assert!(matches!(&error, KubernetesError::File { path, .. } if path.ends_with("ca.crt")), "{error}");
        fs::write(folder.path().join("ca.crt"), "none").unwrap();
        let files = Files::read(&config).ok().unwrap();
        let error = files.open(&config).err().unwrap();
        assert!(matches!(error, KubernetesError::NoCertificate { .. }), "{error}");
    }

    #[test]
    fn what_stands_before_the_host_is_not_shown() {
        assert_eq!(shown(&"https://user:hunter2@api:6443/path".parse().unwrap()), "https://api:6443");
    }
}
