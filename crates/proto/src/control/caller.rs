//! What a node writes to call functions of others: the other side of [`Execute`](super::Execute). Its calls differ in the words
//! of their reference and in what they call; all else is encoded once.

use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference};

use super::{Control, Place, Signal, Spawn, SpawnOptions};
use crate::flags::Flags;

/// In whose name functions are called.
#[derive(Debug)]
pub struct Caller {
    /// The request, and where the words of the reference stand in it.
    request: Vec<u8>,
    words: usize,
    /// The reference as an element of the arguments, up to its words.
    tag: Vec<u8>,
    from: Pid,
    leader: Pid,
}

impl Caller {
    /// Calls are made by the process `from`, under references of its node, and write to `leader`.
    pub fn new(from: Pid, leader: Pid) -> Caller {
        let mut caller = Caller { request: Vec::new(), words: 0, tag: Vec::new(), from, leader };
        let reference = caller.reference([0; 3]);
        let mut encoded = Vec::new();
        encode::reference(&mut encoded, &reference);
        encoded.truncate(encoded.len() - WORDS);
        let mut request = Vec::new();
        caller.spawn(&reference).encode(&mut request, Flags::NONE);
        caller.words = HEAD + encoded.len();
        caller.request = request;
        encode::list_header(&mut caller.tag, 4);
        caller.tag.append(&mut encoded);
        caller
    }

    /// A call under the reference of these words.
    pub fn call(&self, words: [u32; 3]) -> Calling<'_> {
        Calling { caller: self, words }
    }

    fn reference(&self, words: [u32; 3]) -> Reference {
        match Reference::at(self.from.origin(), &words) {
            Ok(reference) => reference,
            Err(_) => unreachable!("three words are within bounds"),
        }
    }

    fn spawn<'a>(&'a self, reference: &'a Reference) -> Spawn<'a> {
        static MODULE: Atom = beamline_term::atom("erpc");
        static FUNCTION: Atom = beamline_term::atom("execute_call");
        Spawn {
            reference,
            from: &self.from,
            group_leader: &self.leader,
            module: &MODULE,
            function: &FUNCTION,
            arity: 4,
            options: SpawnOptions { monitor: true, ..SpawnOptions::default() },
        }
    }
}

/// A request to call a function. What is called is its payload.
#[derive(Clone, Copy, Debug)]
pub struct Calling<'a> {
    caller: &'a Caller,
    words: [u32; 3],
}

impl Calling<'_> {
    fn words(&self) -> [u8; WORDS] {
        // As one number: written word by word, they could not be read at once for as long as they are on their way to memory.
        let [one, two, three] = self.words.map(u128::from);
        let bytes = (one << 96 | two << 64 | three << 32).to_be_bytes();
        *bytes.first_chunk().unwrap_or(&[0; WORDS])
    }

    /// Appends the payload: the function, with an encoded list of arguments.
    pub fn write(&self, out: &mut Vec<u8>, module: &Atom, function: &Atom, arguments: &[u8]) {
        out.extend_from_slice(&self.caller.tag);
        out.extend_from_slice(&self.words());
        encode::atom(out, module);
        encode::atom(out, function);
        out.extend_from_slice(arguments);
        encode::nil(out);
    }
}

impl Signal for Calling<'_> {
    fn encode(&self, out: &mut Vec<u8>, _: Flags) -> Place {
        let words = out.len() + self.caller.words;
        out.extend_from_slice(&self.caller.request);
        out[words..words + WORDS].copy_from_slice(&self.words());
        Place::Behind
    }

    fn to_control(&self) -> Control {
        self.caller.spawn(&self.caller.reference(self.words)).to_control()
    }
}

/// What a request has before its reference.
const HEAD: usize = 4;
/// The bytes of three words.
const WORDS: usize = 12;
