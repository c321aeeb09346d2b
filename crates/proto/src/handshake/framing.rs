//! How the packets of a handshake lie on a transport.

use bytes::{Buf, Bytes, BytesMut};

use super::{HandshakeError, not_erlang};

/// The longest packet of a handshake: a name of 255 four-byte characters and room for what later releases add.
pub const MAX_PACKET: usize = 2048;

/// How long the length before each packet of a handshake is. After the handshake it is always four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// Two bytes, as over TCP.
    #[default]
    Short,
    /// Four bytes, as over TLS.
    Long,
}

impl Framing {
    /// The packet with its length before it, at the end of `out`.
    pub fn write(self, body: &[u8], out: &mut Vec<u8>) {
        match self {
            Framing::Short => out.extend_from_slice(&(body.len() as u16).to_be_bytes()),
            Framing::Long => out.extend_from_slice(&(body.len() as u32).to_be_bytes()),
        }
        out.extend_from_slice(body);
    }

    /// Takes a whole packet off the front of what has arrived.
    ///
    /// # Errors
    /// The announced length is more than any handshake needs.
    pub fn next(self, buffer: &mut BytesMut) -> Result<Option<Bytes>, HandshakeError> {
        let (head, length) = match (self, &buffer[..]) {
            (Framing::Short, [a, b, ..]) => (2, usize::from(u16::from_be_bytes([*a, *b]))),
            (Framing::Long, [a, b, c, d, ..]) => (4, u32::from_be_bytes([*a, *b, *c, *d]) as usize),
            _ => return Ok(None),
        };
        if length > MAX_PACKET {
            return Err(not_erlang("a packet longer than any of a handshake"));
        }
        if buffer.len() < head + length {
            return Ok(None);
        }
        buffer.advance(head);
        Ok(Some(buffer.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_widths_round_trip_in_pieces() {
        for framing in [Framing::Short, Framing::Long] {
            let mut bytes = Vec::new();
            framing.write(b"sok", &mut bytes);
            framing.write(b"", &mut bytes);
            let mut buffer = BytesMut::new();
            let mut packets = Vec::new();
            for byte in bytes {
                buffer.extend_from_slice(&[byte]);
                packets.extend(framing.next(&mut buffer).unwrap());
            }
            assert_eq!(packets, [Bytes::from_static(b"sok"), Bytes::new()]);
        }
        assert!(Framing::Long.next(&mut BytesMut::from(&[0xff; 4][..])).is_err());
    }
}
