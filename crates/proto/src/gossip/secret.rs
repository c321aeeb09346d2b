//! Heartbeats under a `secret`, byte for byte as libcluster encrypts them.
//!
//! A packet is 16 random bytes, the initialization vector, and then the plain heartbeat under AES-256 in CBC mode, padded
//! to whole blocks of 16 bytes with PKCS#7. The key is the SHA-256 of the secret, without salt, and nothing authenticates
//! the packet: whoever recorded one may send it again, and only the cookie's handshake tells friend from foe.

use std::fmt;

use aes::{
    Aes256Dec, Aes256Enc,
    cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, block_padding::Pkcs7},
};
use sha2::{Digest, Sha256};

use super::{MAX_PACKET, PREFIX, decode, encode};
use crate::NodeName;

/// The length of a block, and of the initialization vector.
const BLOCK: usize = 16;

/// The key that the nodes of a cluster share. Shows nothing of itself.
#[derive(Clone)]
pub struct Secret {
    seal: Aes256Enc,
    open: Aes256Dec,
}

/// Why a packet is no heartbeat of a node with our secret, or of one without if we have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It is a heartbeat without encryption.
    Plain,
    /// It has the shape of an encrypted packet, but this secret does not open it.
    OtherSecret,
    /// It has the shape of an encrypted packet, and we have no secret.
    Encrypted,
    /// It has no shape at all.
    Junk,
}

/// The shortest packet: a vector, and the shortest heartbeat there can be, that of `a@b`, in whole blocks.
const SHORTEST: usize = BLOCK * 3;

/// Whether this may be an encrypted heartbeat. Cheap, since a flood of junk is asked this too.
pub(super) fn has_shape(packet: &[u8]) -> bool {
    let length = packet.len();
    (SHORTEST..=MAX_PACKET + 2 * BLOCK).contains(&length) && length.is_multiple_of(BLOCK) && !packet.starts_with(PREFIX)
}

impl Secret {
    /// The key that these bytes stand for: `secret: "somepassword"` of libcluster's configuration.
    pub fn new(secret: &[u8]) -> Self {
        let key = Sha256::digest(secret);
        Self { seal: Aes256Enc::new(&key), open: Aes256Dec::new(&key) }
    }

    /// The heartbeat of this node. `vector` must be random, and new for each packet.
    pub fn encode(&self, node: &NodeName, vector: [u8; BLOCK]) -> Vec<u8> {
        let cipher = cbc::Encryptor::inner_iv_init(self.seal.clone(), &vector.into());
        let mut packet = vector.to_vec();
        packet.extend(cipher.encrypt_padded_vec::<Pkcs7>(&encode(node)));
        packet
    }

    /// Whose heartbeat this is. The first block tells a stranger's packet, before the rest is decrypted.
    ///
    /// # Errors
    /// It is none of ours.
    pub fn decode(&self, packet: &[u8]) -> Result<NodeName, Refused> {
        if packet.starts_with(PREFIX) {
            return Err(if decode(packet).is_some() { Refused::Plain } else { Refused::Junk });
        }
        if packet.len() > MAX_PACKET + 2 * BLOCK {
            return Err(Refused::Junk);
        }
        let (vector, body) = packet.split_first_chunk::<BLOCK>().ok_or(Refused::Junk)?;
        let (blocks, []) = body.as_chunks::<BLOCK>() else { return Err(Refused::Junk) };
        let (first, others) = blocks.split_first().ok_or(Refused::Junk)?;
        let mut cipher = cbc::Decryptor::inner_iv_init(self.open.clone(), &(*vector).into());
        let mut first: Block<Aes256Dec> = (*first).into();
        cipher.decrypt_block(&mut first);
        if !first.starts_with(PREFIX) {
            return Err(Refused::OtherSecret);
        }
        let mut others: Vec<Block<Aes256Dec>> = others.iter().map(|block| (*block).into()).collect();
        cipher.decrypt_blocks(&mut others);
        let plain: Vec<u8> = std::iter::once(&first).chain(&others).flatten().copied().collect();
        unpadded(&plain).and_then(decode).ok_or(Refused::Junk)
    }
}

/// Without its padding, which libcluster reads a little more freely than PKCS#7 has it: none at all passes.
fn unpadded(plain: &[u8]) -> Option<&[u8]> {
    let count = *plain.last()?;
    let (text, padding) = plain.split_at_checked(plain.len().checked_sub(count.into())?)?;
    (usize::from(count) <= BLOCK && padding.iter().all(|byte| *byte == count)).then_some(text)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
