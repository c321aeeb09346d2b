//! Names of hosts without the C library: a client of DNS, and a resolver for nodes that stands on it. Cargo feature `dns`.
//!
//! A program that is linked statically against glibc cannot count on `getaddrinfo`, which loads libraries of the very
//! version that it was built with; in a container there are none. [`DnsResolver`] needs nothing but `/etc/hosts` and
//! `/etc/resolv.conf`. [`HostResolver`](crate::HostResolver), the default of a node, therefore is this one in a static
//! program and the system's in all others, where `nsswitch.conf` may name sources that only the system knows.
//!
//! [`Dns`] also tells what the system's resolver keeps to itself: how long an answer holds (its TTL), and SRV records.
//! Discovery by DNS uses it. Questions go out by UDP, and again by TCP where the answer was cut; two servers are asked at
//! once if there are several.
//!
//! The protocol is hickory's; here are the files, the search list, and which failure is which.

mod ask;
mod error;
mod names;
mod resolver;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{task::spawn_blocking, time::timeout};

pub use error::{DnsError, DnsReason};
pub use resolver::DnsResolver;

use crate::resolver::Family;
use ask::{Found, Question, Setup};

/// Where and how to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsOptions {
    /// The file that names the servers, the search list and the options `ndots`, `timeout`, `attempts` and `edns0`. Read
    /// before each look-up, so that a change counts at once. Without one, or without a server in it, the server is the
    /// one on this machine. Default `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Servers to ask in place of the file's, port included. Default none.
    pub nameservers: Vec<SocketAddr>,
    /// Domains to try in place of the file's. Default `None`: the file's.
    pub search: Option<Vec<String>>,
    /// A name with so many dots is asked as it stands first and with the search list after; one with fewer the other way
    /// round. Default `None`: as the file has it, else 1.
    pub ndots: Option<usize>,
    /// How long one look-up may take, the whole search list included. Default 10 s.
    pub deadline: Duration,
    /// Whether an answer is kept, and not asked for again, until its TTL has run out; that a name is unknown, for
    /// [`UNKNOWN`](Dns::UNKNOWN) at most. Default false, as in the system's resolver.
    pub cache: bool,
}

impl Default for DnsOptions {
    fn default() -> Self {
        Self {
            resolv_conf: "/etc/resolv.conf".into(),
            nameservers: Vec::new(),
            search: None,
            ndots: None,
            deadline: Duration::from_secs(10),
            cache: false,
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// One at least.
    pub records: Vec<T>,
    /// Until when they hold, by the shortest of their TTLs.
    pub expires: Instant,
}

impl<T> Answer<T> {
    /// These records, which hold until then.
    pub fn new(records: Vec<T>, expires: Instant) -> Self {
        Self { records, expires }
    }
}

/// A client of DNS. Clones share what is cached.
///
/// ```no_run
/// # async fn example() -> Result<(), beamline_node::dns::DnsError> {
/// use beamline_node::dns::Dns;
///
/// let answer = Dns::default().addresses("beam-cluster.default.svc.cluster.local", None).await?;
/// println!("{:?}", answer.records);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Dns {
    options: Arc<DnsOptions>,
    current: Arc<Mutex<Option<Arc<Setup>>>>,
}

impl Dns {
    /// The longest time for which a name counts as unknown without being asked for again, if [`DnsOptions::cache`] is set.
    pub const UNKNOWN: Duration = Duration::from_secs(30);

    /// Asks by these.
    pub fn new(options: DnsOptions) -> Self {
        Self { options: Arc::new(options), current: Arc::default() }
    }

    /// How it asks.
    pub fn options(&self) -> &DnsOptions {
        &self.options
    }

    /// The addresses of a host: of this family, or both. CNAMEs are followed. A name that ends with a dot is asked as it
    /// stands alone. The answer is whole: if it has one family and the other could not be found out, that is an error.
    ///
    /// # Errors
    /// There are none, or it could not be found out.
    pub async fn addresses(&self, name: &str, family: Option<Family>) -> Result<Answer<IpAddr>, DnsError> {
        Ok(self.find(name, Question::Addresses(family)).await?.addresses())
    }

    /// The targets of the SRV records of a name, without the dot at their end. As with [`addresses`](Dns::addresses).
    ///
    /// # Errors
    /// There are none, or it could not be found out.
    pub async fn targets(&self, name: &str) -> Result<Answer<String>, DnsError> {
        Ok(self.find(name, Question::Targets).await?.targets())
    }

    async fn find(&self, name: &str, question: Question) -> Result<Found, DnsError> {
        let (mut asked, mut servers) = (Vec::new(), Vec::new());
        let all = async {
            let setup = self.setup().await?;
            servers.clone_from(&setup.servers);
            let mut failure = DnsReason::NxDomain;
            for candidate in names::candidates(name, &setup.search, setup.ndots)? {
                asked.push(candidate.to_ascii());
                match setup.ask(&candidate, question).await {
                    Ok(found) => return Ok(found),
                    // The server is there and has nothing under this name; another candidate may be the one that is meant.
                    Err(reason) if reason.is_of_the_name() => failure = failure.max(reason),
                    Err(reason) => return Err(reason),
                }
            }
            Err(failure)
        };
        let result = timeout(self.options.deadline, all).await.unwrap_or(Err(DnsReason::Timeout));
        result.map_err(|reason| DnsError { name: name.to_owned(), records: question.records(), asked, servers, reason })
    }

    /// What the file says at this moment.
    async fn setup(&self) -> Result<Arc<Setup>, DnsReason> {
        let path = &self.options.resolv_conf;
        let text = read(path).await.or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(String::new()),
            _ => Err(DnsReason::Config { text: format!("cannot read {}: {error}", path.display()) }),
        })?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(setup) = current.as_ref().filter(|setup| setup.text == text) {
            return Ok(Arc::clone(setup));
        }
        let setup = Arc::new(Setup::new(&self.options, text)?);
        *current = Some(Arc::clone(&setup));
        Ok(setup)
    }
}

/// A small file of the system, off the threads that serve connections.
async fn read(path: &Path) -> io::Result<String> {
    let path = path.to_owned();
    let bytes = spawn_blocking(move || std::fs::read(path)).await.map_err(io::Error::other)??;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
