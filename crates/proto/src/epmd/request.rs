//! Requests to epmd: `u16` length, then a code and its fields.
//!
//! "EPMD Protocol", sections "Register a Node in EPMD" to "Dump All Data from EPMD". [`Request::decode`] accepts what
//! the daemon accepts: bytes after the last field of a body are ignored, bytes after the announced length are not
//! ([`RequestParser`]).

use super::{DISTRIBUTION_VERSIONS, Name, NameError};

pub(super) const ALIVE2: u8 = 120;
const PORT_PLEASE2: u8 = 122;
const NAMES: u8 = 110;
const DUMP: u8 = 100;
const KILL: u8 = 107;
const STOP: u8 = 115;

/// The longest extra field of a registration, in bytes.
pub const MAX_EXTRA: usize = 1020;

/// The longest body of a request: an ALIVE2 with the longest name and the longest extra field has 2053 bytes.
pub const MAX_BODY: usize = 2560;

/// Whether a node registers as visible or hidden. epmd only passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeType {
    /// `M`, an ordinary node.
    Normal,
    /// `H`, a hidden node.
    Hidden,
    /// A value that the protocol does not name.
    Other(u8),
}

impl From<u8> for NodeType {
    fn from(byte: u8) -> Self {
        match byte {
            77 => Self::Normal,
            72 => Self::Hidden,
            other => Self::Other(other),
        }
    }
}

impl From<NodeType> for u8 {
    fn from(node_type: NodeType) -> Self {
        match node_type {
            NodeType::Normal => 77,
            NodeType::Hidden => 72,
            NodeType::Other(other) => other,
        }
    }
}

/// What a node registers, and what epmd tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// The node's name before the `@`.
    pub name: Name,
    /// The port on which the node accepts distribution connections.
    pub port: u16,
    /// Visible or hidden.
    pub node_type: NodeType,
    /// The protocol: 0 is TCP over IPv4, and nodes on IPv6 send 0 too.
    pub protocol: u8,
    /// The highest version of the distribution protocol that the node speaks.
    pub highest: u16,
    /// The lowest one.
    pub lowest: u16,
    /// Free for the node's use, at most [`MAX_EXTRA`] bytes. Erlang's nodes leave it empty.
    pub extra: Vec<u8>,
}

impl NodeInfo {
    /// What a node of our day registers: its versions are [`DISTRIBUTION_VERSIONS`], nothing extra.
    pub fn new(name: Name, port: u16, hidden: bool) -> Self {
        let (highest, lowest) = DISTRIBUTION_VERSIONS;
        Self {
            name,
            port,
            node_type: if hidden { NodeType::Hidden } else { NodeType::Normal },
            protocol: 0,
            highest,
            lowest,
            extra: Vec::new(),
        }
    }

    /// The fields from the port to the extra bytes, as ALIVE2 and the answer to PORT_PLEASE2 have them.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.port.to_be_bytes());
        out.push(self.node_type.into());
        out.push(self.protocol);
        out.extend(self.highest.to_be_bytes());
        out.extend(self.lowest.to_be_bytes());
        for field in [self.name.as_str().as_bytes(), &self.extra] {
            // Names are bounded by their type; an extra field that does not fit is cut rather than sent malformed.
            let field = &field[..field.len().min(MAX_EXTRA)];
            out.extend((field.len() as u16).to_be_bytes());
            out.extend(field);
        }
    }

    /// The size of [`NodeInfo::encode`]'s fields at the head of `bytes`, once enough of them is there to tell.
    pub(super) fn encoded_len(bytes: &[u8]) -> Option<usize> {
        let name_end = 10 + usize::from(u16::from_be_bytes(*bytes.get(8..)?.first_chunk()?));
        let extra = usize::from(u16::from_be_bytes(*bytes.get(name_end..)?.first_chunk()?));
        Some(name_end + 2 + extra)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RequestError> {
        let mut fields = Fields(bytes);
        let port = fields.u16()?;
        let node_type = fields.u8()?.into();
        let protocol = fields.u8()?;
        let highest = fields.u16()?;
        let lowest = fields.u16()?;
        let name = fields.sized()?;
        let extra = fields.sized()?;
        // As the daemon: malformed requests are not answered, unacceptable ones are answered with result 1.
        if name.is_empty() {
            return Err(RequestError::Name(NameError::Empty));
        }
        let name = match Name::from_bytes(name) {
            Ok(name) => name,
            Err(error @ (NameError::TooLong | NameError::NotUtf8)) => {
                return Err(RequestError::Unacceptable { highest, error: Some(error) });
            }
            Err(error) => return Err(RequestError::Name(error)),
        };
        if extra.len() > MAX_EXTRA {
            return Err(RequestError::Unacceptable { highest, error: None });
        }
        Ok(Self { name, port, node_type, protocol, highest, lowest, extra: extra.to_vec() })
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// ALIVE2_REQ: register this node for as long as the connection lasts.
    Alive2(NodeInfo),
    /// PORT_PLEASE2_REQ: where is the node of this name?
    PortPlease2(Name),
    /// NAMES_REQ: which nodes are there?
    Names,
    /// DUMP_REQ: everything, for debugging.
    Dump,
    /// KILL_REQ: end the daemon.
    Kill,
    /// STOP_REQ: unregister the node of this name.
    Stop(Name),
}

/// Why a request cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The announced length is 0 or above [`MAX_BODY`].
    #[error("a request of {0} bytes")]
    Length(usize),
    /// More bytes came than were announced.
    #[error("more bytes than announced")]
    Excess,
    /// The body ends within a field.
    #[error("the request ends early")]
    Truncated,
    /// The code is no request's.
    #[error("unknown request {0}")]
    Code(u8),
    /// A name that is not even answered.
    #[error(transparent)]
    Name(NameError),
    /// A well-formed registration that epmd does not take (a name too long or not UTF-8, an extra field too long).
    #[error("a registration that cannot be taken")]
    Unacceptable {
        /// The registrant's highest version, which chooses the form of the answer.
        highest: u16,
        /// What is wrong with the name; `None` if it is the extra field.
        error: Option<NameError>,
    },
}

impl Request {
    /// Reads the body of a request, without its length.
    pub fn decode(body: &[u8]) -> Result<Self, RequestError> {
        let (&code, rest) = body.split_first().ok_or(RequestError::Length(0))?;
        let name = || Name::from_bytes(rest).map_err(RequestError::Name);
        match code {
            ALIVE2 => NodeInfo::decode(rest).map(Self::Alive2),
            PORT_PLEASE2 => name().map(Self::PortPlease2),
            NAMES => Ok(Self::Names),
            DUMP => Ok(Self::Dump),
            KILL => Ok(Self::Kill),
            STOP => name().map(Self::Stop),
            other => Err(RequestError::Code(other)),
        }
    }

    /// The whole request, with its length in front.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0, 0];
        match self {
            Self::Alive2(info) => {
                out.push(ALIVE2);
                info.encode(&mut out);
            }
            Self::PortPlease2(name) => {
                out.push(PORT_PLEASE2);
                out.extend(name.as_str().as_bytes());
            }
            Self::Names => out.push(NAMES),
            Self::Dump => out.push(DUMP),
            Self::Kill => out.push(KILL),
            Self::Stop(name) => {
                out.push(STOP);
                out.extend(name.as_str().as_bytes());
            }
        }
        // Name and extra field are bounded, so the body is far below 64 KiB.
        let length = (out.len() - 2) as u16;
        out[..2].copy_from_slice(&length.to_be_bytes());
        out
    }
}

/// Gathers one request from the bytes of a connection. A connection carries one request only.
#[derive(Debug, Default)]
pub struct RequestParser {
    buffer: Vec<u8>,
}

impl RequestParser {
    /// Takes the bytes that came; `None` means that the request is not whole yet.
    ///
    /// Never holds more than [`MAX_BODY`] bytes. After an error or a request the parser is done: what comes next on
    /// the connection is not a request.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Result<Request, RequestError>> {
        let room = (2 + MAX_BODY + 1).saturating_sub(self.buffer.len());
        self.buffer.extend(&bytes[..bytes.len().min(room)]);
        let (length, body) = self.buffer.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > MAX_BODY {
            return Some(Err(RequestError::Length(length)));
        }
        match body.len() {
            n if n < length => None,
            n if n > length => Some(Err(RequestError::Excess)),
            _ => Some(Request::decode(body)),
        }
    }
}

/// Big-endian fields at the head of a slice.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], RequestError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(RequestError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, RequestError> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, RequestError> {
        self.array().map(u16::from_be_bytes)
    }

    fn sized(&mut self) -> Result<&'a [u8], RequestError> {
        let length = usize::from(self.u16()?);
        let (head, rest) = self.0.split_at_checked(length).ok_or(RequestError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }
}
