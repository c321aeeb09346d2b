//! The datagrams of libcluster's Gossip strategy, plain here, and encrypted by a [`Secret`].
//!
//! A heartbeat is `heartbeat::` and then, in the external term format, a map whose key `node` has the sender's name. It
//! is sent as OTP 26 and later do; whatever form of the format an Erlang node may send is read. Of a datagram that is
//! none, nothing is kept, and of most not more than the first bytes are looked at.

mod secret;

use beamline_term::{
    Term,
    codec::{Decoder, Limits, encode},
};
use bytes::Bytes;

use crate::NodeName;
pub use secret::{Refused, Secret};

/// What every heartbeat starts with.
const PREFIX: &[u8] = b"heartbeat::";

/// The longest datagram that is looked at. The name of a node takes up to 1 KiB, and a sender may add keys.
pub const MAX_PACKET: usize = 4096;

/// A name and its few companions; nothing that nests deep or inflates far is a heartbeat.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.depth = 16;
    limits.inflated_bytes = 4 * MAX_PACKET;
    limits.integer_bytes = 64;
    limits
}

/// The heartbeat of this node.
pub fn encode(node: &NodeName) -> Vec<u8> {
    let mut packet = PREFIX.to_vec();
    encode::version(&mut packet);
    encode::map_header(&mut packet, 1);
    encode::atom_str(&mut packet, "node");
    encode::atom(&mut packet, node.as_atom());
    packet
}

/// Whose heartbeat this is, as a node without a secret hears it.
///
/// # Errors
/// It is none. What has the shape of an encrypted heartbeat is told apart, though junk may have that shape as well.
pub fn hear(packet: &[u8]) -> Result<NodeName, Refused> {
    decode(packet).ok_or(if secret::has_shape(packet) { Refused::Encrypted } else { Refused::Junk })
}

/// Whose heartbeat this is; `None` if it is none.
pub fn decode(packet: &[u8]) -> Option<NodeName> {
    let term = packet.strip_prefix(PREFIX)?;
    if packet.len() > MAX_PACKET {
        return None;
    }
    let term = Bytes::copy_from_slice(term);
    let mut decoder = Decoder::with_limits(&term, limits());
    decoder.version().ok()?;
    // Bytes after the term are let pass, as Erlang does.
    let Term::Map(map) = decoder.term().ok()? else { return None };
    NodeName::from_atom(map.get_atom("node")?.as_atom()?).ok()
}
