//! epmd, both sides: requests in pieces of any size through the daemon's memory, and any bytes as answers to a client.
#![no_main]

use beamline_proto::epmd::{Alive, Registry, RequestParser, Then, response};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [setup, data @ ..] = data else { return };
    // What a client reads, of which the daemon's own answers are the good part.
    for end in [data.len(), data.len() / 2] {
        if let Ok(Some(info)) = response::decode_port(&data[..end]).map(Option::flatten) {
            let bytes = response::encode_port(Some(&info));
            assert_eq!(response::decode_port(&bytes), Ok(Some(Some(info))));
        }
        let _ = Alive::decode(&data[..end]);
        if let Ok((_, nodes)) = response::decode_names(&data[..end]) {
            assert!(nodes.len() <= data.len());
        }
    }
    // What a daemon reads: connections one after another, some of which end.
    let mut registry = Registry::new(4369, setup & 1 == 1);
    let mut connection = 0;
    let mut live = Vec::new();
    for bytes in data.split(|byte| *byte == 0xfe) {
        connection += 1;
        let mut parser = RequestParser::default();
        let piece = usize::from(*setup >> 1).max(1);
        let Some(request) = bytes.chunks(piece).find_map(|piece| parser.push(piece)) else { continue };
        let Some(reply) = registry.handle(connection, request, 1_700_000_000) else { continue };
        match reply.then {
            Then::Registered => live.push(connection),
            Then::CloseBoth(other) => live.retain(|one| *one != other),
            Then::Close | Then::Linger | Then::Exit => {}
        }
        if live.len() > 3 {
            let first = live.remove(0);
            assert!(registry.closed(first).is_some());
        }
        assert_eq!(registry.nodes().count(), live.len());
    }
});
