//! The memory of an epmd: which names are registered on which connections, and which creations they had.
//!
//! A state machine: requests and the time go in, answers come out. "EPMD Protocol", with the creations of the daemon
//! of OTP 25 to 29: a new name starts at the time in seconds, a name that comes back gets its last creation plus one.
//! It never holds more than the names that are connected and [`MAX_FORMER`] former ones.

use std::collections::{BTreeMap, HashMap};

use super::{Name, NodeInfo, Request, RequestError, response};

/// How many former names are remembered for their creation.
pub const MAX_FORMER: usize = 1000;

/// The number of a connection, chosen by whoever owns the sockets; unique among the open ones. DUMP shows it as `fd`.
pub type ConnectionId = u64;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What to write to the connection that asked.
    pub bytes: Vec<u8>,
    /// What to do when that is written.
    pub then: Then,
}

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Close the connection.
    Close,
    /// Keep it open for as long as the client does: the node is registered by it. Any byte from it ends it.
    Registered,
    /// Keep it until the client closes it: the registration was refused.
    Linger,
    /// Close it, and that other one too, whose node was unregistered on demand.
    CloseBoth(ConnectionId),
    /// End the daemon.
    Exit,
}

#[derive(Debug)]
struct Entry {
    info: NodeInfo,
    connection: ConnectionId,
    creation: u32,
}

/// Entries by name and by age.
#[derive(Debug, Default)]
struct Entries {
    by_age: BTreeMap<u64, Entry>,
    by_name: HashMap<Name, u64>,
}

impl Entries {
    fn get(&self, name: &Name) -> Option<&Entry> {
        self.by_age.get(self.by_name.get(name)?)
    }

    fn insert(&mut self, age: u64, entry: Entry) {
        self.by_name.insert(entry.info.name.clone(), age);
        self.by_age.insert(age, entry);
    }

    fn remove(&mut self, name: &Name) -> Option<Entry> {
        self.by_age.remove(&self.by_name.remove(name)?)
    }

    fn remove_oldest(&mut self) {
        if let Some((_, entry)) = self.by_age.pop_first() {
            self.by_name.remove(&entry.info.name);
        }
    }
}

/// The names of one daemon.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    relaxed: bool,
    live: Entries,
    former: Entries,
    connections: HashMap<ConnectionId, Name>,
    clock: u64,
}

impl Registry {
    /// An empty one. `port` is the daemon's own, which NAMES and DUMP tell; `relaxed` lets clients unregister any node
    /// and end the daemon while nodes are registered (`-relaxed_command_check`).
    pub fn new(port: u16, relaxed: bool) -> Self {
        Self {
            port,
            relaxed,
            live: Entries::default(),
            former: Entries::default(),
            connections: HashMap::new(),
            clock: 0,
        }
    }

    /// Answers what came on `connection`; `None` means to close it without a word. `now` is the unix time in seconds.
    pub fn handle(
        &mut self,
        connection: ConnectionId,
        request: Result<Request, RequestError>,
        now: u64,
    ) -> Option<Reply> {
        let request = match request {
            Ok(request) => request,
            Err(RequestError::Unacceptable { highest, .. }) => return Some(refusal(highest)),
            Err(_) => return None,
        };
        let close = |bytes| Some(Reply { bytes, then: Then::Close });
        match request {
            Request::Alive2(info) => Some(self.register(connection, info, now)),
            Request::PortPlease2(name) => close(response::encode_port(self.live.get(&name).map(|entry| &entry.info))),
            Request::Names => close(response::encode_names(self.port, self.nodes())),
            Request::Dump => close(self.dump()),
            Request::Kill if self.relaxed || self.connections.is_empty() => {
                Some(Reply { bytes: response::KILLED.into(), then: Then::Exit })
            }
            Request::Kill => close(response::KILL_REFUSED.into()),
            Request::Stop(_) if !self.relaxed => None,
            Request::Stop(name) => match self.live.get(&name).map(|entry| entry.connection) {
                Some(owner) => {
                    self.closed(owner);
                    Some(Reply { bytes: response::STOPPED.into(), then: Then::CloseBoth(owner) })
                }
                None => close(response::STOP_UNKNOWN.into()),
            },
        }
    }

    /// A connection has ended: the name that it held, if any, is free again.
    pub fn closed(&mut self, connection: ConnectionId) -> Option<Name> {
        let name = self.connections.remove(&connection)?;
        if let Some(entry) = self.live.remove(&name) {
            let age = self.tick();
            self.former.insert(age, entry);
            if self.former.by_age.len() > MAX_FORMER {
                self.former.remove_oldest();
            }
        }
        Some(name)
    }

    /// The registered nodes, the latest first.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.live.by_age.values().rev().map(|entry| &entry.info)
    }

    fn register(&mut self, connection: ConnectionId, info: NodeInfo, now: u64) -> Reply {
        if self.live.get(&info.name).is_some() || self.connections.contains_key(&connection) {
            return refusal(info.highest);
        }
        let creation = match self.former.remove(&info.name) {
            Some(former) => former.creation.wrapping_add(1),
            None => now as u32,
        };
        // 0 stands for "any creation" in Erlang, and the next three are those of old nodes.
        let creation = if creation < 4 { creation + 4 } else { creation };
        let bytes = response::Alive::Registered { creation }.encode(info.highest);
        self.connections.insert(connection, info.name.clone());
        let age = self.tick();
        self.live.insert(age, Entry { info, connection, creation });
        Reply { bytes, then: Then::Registered }
    }

    fn dump(&self) -> Vec<u8> {
        let mut out = Vec::from(u32::from(self.port).to_be_bytes());
        // A newline and a NUL end each record, whatever the manual says.
        for Entry { info, connection, .. } in self.live.by_age.values().rev() {
            let line = format!("active name     <{}> at port {}, fd = {connection}\n\0", info.name, info.port);
            out.extend(line.into_bytes());
        }
        for Entry { info, connection, .. } in self.former.by_age.values() {
            let line = format!("old/unused name <{}>, port = {}, fd = {connection} \n\0", info.name, info.port);
            out.extend(line.into_bytes());
        }
        out
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

fn refusal(highest: u16) -> Reply {
    Reply { bytes: response::Alive::Refused { result: 1 }.encode(highest), then: Then::Linger }
}
