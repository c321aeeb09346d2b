//! The host part of a tool's own name.

use std::net::IpAddr;

use beamline::flags::short_host;
use beamline::proto::NodeName;

/// A host of the same kind as the peer's, since nodes with long names see only their like.
pub(crate) fn beside(peer: &NodeName) -> String {
    if is_loopback(peer.host()) {
        peer.host().to_owned()
    } else if peer.is_long() {
        long(&gethostname::gethostname().to_string_lossy())
    } else {
        short_host()
    }
}

/// A tool is never dialed, so a host without a domain may have any.
fn long(host: &str) -> String {
    if host.contains('.') { host.to_owned() } else { format!("{host}.localdomain") }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_kind_as_the_peers() {
        let host = |peer: &str| beside(&peer.parse().unwrap());
        assert_eq!(host("a@127.0.0.1"), "127.0.0.1");
        assert_eq!(host("a@localhost"), "localhost");
        assert!(host("a@192.0.2.1").contains('.'));
        assert!(!host("a@box").contains('.'));
        assert_eq!(long("box.example"), "box.example");
    }
}
