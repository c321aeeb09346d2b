//! Answers of epmd. They have no length in front; those to NAMES, DUMP and PORT_PLEASE2 end with the connection.
//!
//! The decoders take the bytes that have come so far and answer `Ok(None)` while more are needed.

use super::{Name, NodeInfo, request::RequestError};

const ALIVE2_RESP: u8 = 121;
const ALIVE2_X_RESP: u8 = 118;
const PORT2_RESP: u8 = 119;

/// The creation in the answer to a registration that was refused.
pub const REFUSED_CREATION: u32 = 99;

/// The answer is none that epmd gives: something else listens there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The first byte is not that of the answer.
    #[error("an answer that starts with byte {0}")]
    Code(u8),
    /// The fields make no sense.
    #[error("an answer whose fields are malformed: {0}")]
    Fields(RequestError),
    /// Text that is not epmd's; its beginning.
    #[error("an answer that is no list of names: {0:?}")]
    Text(String),
}

/// The answer to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alive {
    /// Registered, with this creation.
    Registered {
        /// The creation: 32 bits, or 1 to 3 from an epmd before OTP 23.
        creation: u32,
    },
    /// Refused, which in practice means that the name is taken.
    Refused {
        /// epmd's result code, 1.
        result: u8,
    },
}

impl Alive {
    /// The answer in the form that a registrant with this highest version understands.
    pub fn encode(self, highest: u16) -> Vec<u8> {
        let (result, creation) = match self {
            Self::Registered { creation } => (0, creation),
            Self::Refused { result } => (result, REFUSED_CREATION),
        };
        if highest >= 6 {
            let mut out = vec![ALIVE2_X_RESP, result];
            out.extend(creation.to_be_bytes());
            out
        } else {
            // The old form has 16 bits, of which old nodes take 1 to 3.
            let small = if result == 0 { (creation % 3 + 1) as u16 } else { REFUSED_CREATION as u16 };
            let mut out = vec![ALIVE2_RESP, result];
            out.extend(small.to_be_bytes());
            out
        }
    }

    /// Reads either form of the answer.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, ResponseError> {
        let (result, creation) = match bytes {
            [ALIVE2_X_RESP, result, a, b, c, d, ..] => (*result, u32::from_be_bytes([*a, *b, *c, *d])),
            [ALIVE2_RESP, result, a, b, ..] => (*result, u32::from(u16::from_be_bytes([*a, *b]))),
            [] | [ALIVE2_X_RESP | ALIVE2_RESP, ..] => return Ok(None),
            [code, ..] => return Err(ResponseError::Code(*code)),
        };
        Ok(Some(match result {
            0 => Self::Registered { creation },
            result => Self::Refused { result },
        }))
    }
}

/// The answer to PORT_PLEASE2.
pub fn encode_port(found: Option<&NodeInfo>) -> Vec<u8> {
    match found {
        None => vec![PORT2_RESP, 1],
        Some(info) => {
            let mut out = vec![PORT2_RESP, 0];
            info.encode(&mut out);
            out
        }
    }
}

/// Reads the answer to PORT_PLEASE2: the node, or that there is none of that name.
pub fn decode_port(bytes: &[u8]) -> Result<Option<Option<NodeInfo>>, ResponseError> {
    match bytes {
        [] | [PORT2_RESP] => Ok(None),
        [PORT2_RESP, 0, fields @ ..] => match NodeInfo::encoded_len(fields) {
            Some(length) if fields.len() >= length => {
                NodeInfo::decode(fields).map(|info| Some(Some(info))).map_err(ResponseError::Fields)
            }
            _ => Ok(None),
        },
        [PORT2_RESP, ..] => Ok(Some(None)),
        [code, ..] => Err(ResponseError::Code(*code)),
    }
}

/// A line of the answer to NAMES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub name: Name,
    /// The port the node listens on.
    pub port: u16,
}

/// The answer to NAMES: epmd's own port, then a line a node, the latest first.
pub fn encode_names<'a>(epmd_port: u16, nodes: impl IntoIterator<Item = &'a NodeInfo>) -> Vec<u8> {
    let mut out = Vec::from(u32::from(epmd_port).to_be_bytes());
    for node in nodes {
        out.extend(format!("name {} at port {}\n", node.name, node.port).into_bytes());
    }
    out
}

/// Reads the whole answer to NAMES: epmd's own port and the nodes. Lines of another form are skipped.
pub fn decode_names(bytes: &[u8]) -> Result<(u32, Vec<Listed>), ResponseError> {
    let foreign = || ResponseError::Text(String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned());
    let (port, text) = bytes.split_first_chunk().ok_or_else(foreign)?;
    let port = u32::from_be_bytes(*port);
    if port > u32::from(u16::MAX) {
        return Err(foreign());
    }
    let nodes = text.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?.strip_prefix("name ")?;
        let (name, port) = line.rsplit_once(" at port ")?;
        Some(Listed { name: Name::new(name).ok()?, port: port.parse().ok()? })
    });
    Ok((port, nodes.collect()))
}

/// The answer to KILL when the daemon ends.
pub const KILLED: &[u8] = b"OK";
/// The answer to KILL when nodes are registered and checks are not relaxed.
pub const KILL_REFUSED: &[u8] = b"NO";
/// The answer to STOP when the name is unregistered.
pub const STOPPED: &[u8] = b"STOPPED";
/// The answer to STOP for a name that is not there. (The original adds `STOPPED` to it, which no client wants.)
pub const STOP_UNKNOWN: &[u8] = b"NOEXIST";
