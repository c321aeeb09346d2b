//! Which cookie is shared with whom: the node's own, unless a peer has one of its own (as `erlang:set_cookie/2`).
//!
//! One cookie a peer serves both directions. A cookie that changes means nothing to connections that are up.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use beamline_proto::{Cookie, NodeName};

pub(crate) struct Cookies(RwLock<Jar>);

struct Jar {
    own: Cookie,
    peers: HashMap<NodeName, Cookie>,
}

impl Cookies {
    pub(crate) fn new(own: Cookie, peers: HashMap<NodeName, Cookie>) -> Cookies {
        Cookies(RwLock::new(Jar { own, peers }))
    }

    pub(crate) fn of(&self, peer: &NodeName) -> Cookie {
        let jar = self.0.read().unwrap_or_else(PoisonError::into_inner);
        jar.peers.get(peer).unwrap_or(&jar.own).clone()
    }

    pub(crate) fn set(&self, peer: &NodeName, cookie: Cookie) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).peers.insert(peer.clone(), cookie);
    }

    pub(crate) fn set_own(&self, cookie: Cookie) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).own = cookie;
    }
}
