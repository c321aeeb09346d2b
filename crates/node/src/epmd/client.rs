//! Questions to an epmd.
//!
//! One connection a question, as the protocol wants it. Every question has a deadline, 10 s unless set, over all its
//! steps; what comes back is bounded before it is kept.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use beamline_proto::epmd::{Alive, Listed, Name, NodeInfo, Request, ResponseError, response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::EpmdError;

/// The deadline of a question unless set: that of Erlang's nodes.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// The longest list of names or dump that is taken.
const MAX_TEXT: usize = 4 << 20;

/// The daemon at one address.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    deadline: Duration,
}

impl Client {
    /// Of the daemon at `address`, with [`DEFAULT_DEADLINE`].
    pub fn new(address: SocketAddr) -> Self {
        Self { address, deadline: DEFAULT_DEADLINE }
    }

    /// Of the daemon on this port of this host.
    pub fn local(port: u16) -> Self {
        Self::new(super::local(port))
    }

    /// With this deadline for each question.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where is the node of this name?
    pub async fn lookup(&self, name: &Name) -> Result<NodeInfo, EpmdError> {
        let found = self
            .within(async {
                let mut stream = self.ask(&Request::PortPlease2(name.clone())).await?;
                self.answer(&mut stream, response::decode_port).await
            })
            .await?;
        match found {
            Some(info) => Ok(info),
            None => Err(EpmdError::NotRegistered {
                address: self.address,
                name: name.clone(),
                // A help only: without it the answer is as true.
                registered: self.names().await.unwrap_or_default().into_iter().map(|node| node.name).collect(),
            }),
        }
    }

    /// Which nodes are there? The latest first.
    pub async fn names(&self) -> Result<Vec<Listed>, EpmdError> {
        let text = self.text(&Request::Names).await?;
        let (_, nodes) = response::decode_names(&text).map_err(|source| self.not_epmd(source))?;
        Ok(nodes)
    }

    /// The answer to DUMP without epmd's port: its records, for people to read.
    pub async fn dump(&self) -> Result<String, EpmdError> {
        let text = self.text(&Request::Dump).await?;
        Ok(String::from_utf8_lossy(text.get(4..).unwrap_or_default()).into_owned())
    }

    /// Ends the daemon, which it refuses while nodes are registered.
    pub async fn kill(&self) -> Result<(), EpmdError> {
        match &*self.text(&Request::Kill).await? {
            response::KILLED => Ok(()),
            response::KILL_REFUSED => Err(EpmdError::KillRefused { address: self.address }),
            [] => Err(EpmdError::Closed { address: self.address }),
            other => Err(self.not_epmd(ResponseError::Code(other[0]))),
        }
    }

    /// Unregisters the node of this name; false if there is none. A daemon that was not started with relaxed checks
    /// refuses, with [`EpmdError::Closed`].
    pub async fn stop(&self, name: &Name) -> Result<bool, EpmdError> {
        match &*self.text(&Request::Stop(name.clone())).await? {
            response::STOPPED => Ok(true),
            [] => Err(EpmdError::Closed { address: self.address }),
            // The original answers NOEXISTSTOPPED.
            other if other.starts_with(response::STOP_UNKNOWN) => Ok(false),
            other => Err(self.not_epmd(ResponseError::Code(other[0]))),
        }
    }

    /// Registers a node; it stays so while the returned connection is open. Nothing may be written to it.
    pub(crate) async fn alive(&self, info: &NodeInfo) -> Result<(TcpStream, u32), EpmdError> {
        let (stream, answer) = self
            .within(async {
                let mut stream = self.ask(&Request::Alive2(info.clone())).await?;
                let answer = self.answer(&mut stream, Alive::decode).await?;
                Ok((stream, answer))
            })
            .await?;
        match answer {
            Alive::Registered { creation } => Ok((stream, creation)),
            Alive::Refused { .. } => {
                drop(stream);
                let holder = self.lookup(&info.name).await.ok();
                Err(EpmdError::NameTaken {
                    address: self.address,
                    name: info.name.clone(),
                    port: holder.map(|info| info.port),
                })
            }
        }
    }

    async fn within<T>(&self, question: impl Future<Output = Result<T, EpmdError>>) -> Result<T, EpmdError> {
        timeout(self.deadline, question)
            .await
            .unwrap_or(Err(EpmdError::TimedOut { address: self.address, after: self.deadline }))
    }

    async fn ask(&self, request: &Request) -> Result<TcpStream, EpmdError> {
        let mut stream = TcpStream::connect(self.address).await.map_err(|error| self.unreachable(error))?;
        stream.write_all(&request.encode()).await.map_err(|error| self.lost(error))?;
        Ok(stream)
    }

    /// Reads until `decode` has the answer.
    async fn answer<T>(
        &self,
        stream: &mut TcpStream,
        decode: impl Fn(&[u8]) -> Result<Option<T>, ResponseError>,
    ) -> Result<T, EpmdError> {
        // Above the longest answer, a node's with both texts at their longest.
        let mut buffer = [0; 4096];
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await.map_err(|error| self.lost(error))?;
            filled += read;
            if let Some(answer) = decode(&buffer[..filled]).map_err(|source| self.not_epmd(source))? {
                return Ok(answer);
            }
            if read == 0 {
                return Err(EpmdError::Closed { address: self.address });
            }
        }
    }

    /// Reads until the daemon closes.
    async fn text(&self, request: &Request) -> Result<Vec<u8>, EpmdError> {
        self.within(async {
            let stream = self.ask(request).await?;
            let mut text = Vec::new();
            match stream.take(MAX_TEXT as u64).read_to_end(&mut text).await {
                Ok(_) => Ok(text),
                // What a daemon that ends at once may leave behind its answer.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset && !text.is_empty() => Ok(text),
                Err(error) => Err(self.lost(error)),
            }
        })
        .await
    }

    fn unreachable(&self, error: io::Error) -> EpmdError {
        EpmdError::Unreachable { address: self.address, source: Arc::new(error) }
    }

    /// A connection that broke after it was there: whoever accepted it did not like what it read.
    fn lost(&self, error: io::Error) -> EpmdError {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => EpmdError::Closed { address: self.address },
            _ => self.unreachable(error),
        }
    }

    fn not_epmd(&self, source: ResponseError) -> EpmdError {
        EpmdError::NotEpmd { address: self.address, source }
    }
}

/// Asks the daemons at the addresses of a host, one after another, until one answers: where is the node of this name?
///
/// `deadline` is for each. The error is that of the last daemon.
pub async fn lookup(
    addresses: impl IntoIterator<Item = SocketAddr>,
    name: &Name,
    deadline: Duration,
) -> Result<NodeInfo, EpmdError> {
    let mut last = EpmdError::Unreachable {
        address: super::local(0),
        source: Arc::new(io::Error::new(io::ErrorKind::InvalidInput, "no address to ask at")),
    };
    for address in addresses {
        match Client::new(address).deadline(deadline).lookup(name).await {
            // Another address is another way to the same daemon, or to the only one that runs.
            Err(error @ (EpmdError::Unreachable { .. } | EpmdError::TimedOut { .. })) => last = error,
            answer => return answer,
        }
    }
    Err(last)
}
