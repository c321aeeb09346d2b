//! Ports and sockets of a BEAM node: the ways by which it speaks with the world.

use beamline_term::Term;
use serde::Serialize;

use super::ask::{Ask, optional};
use super::read::{Props, address, text};
use super::trouble::Trouble;

/// So many are shown.
pub(crate) const MOST: usize = 5000;

/// A port: a driver, a file, a program, a TCP or UDP socket of the old kind.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Port {
    /// As its own node prints it.
    pub(crate) id: String,
    /// `tcp_inet`, or the command of a program.
    pub(crate) name: String,
    /// The process that it belongs to.
    pub(crate) owner: Option<String>,
    pub(crate) os_pid: Option<u64>,
    /// Bytes; of a network socket, as the socket counts them.
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Bytes that wait to be sent.
    pub(crate) queue: u64,
    pub(crate) local: Option<String>,
    pub(crate) remote: Option<String>,
}

/// A socket of the new kind, of the module `socket`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Socket {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) owner: Option<String>,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) local: Option<String>,
    pub(crate) remote: Option<String>,
}

/// All of a node.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Ports {
    pub(crate) ports: Vec<Port>,
    pub(crate) sockets: Vec<Socket>,
}

/// Asks the node.
pub(crate) async fn ports(ask: &Ask<'_>) -> Result<Ports, Trouble> {
    let (ports, sockets) = tokio::join!(
        ask.call("observer_backend", "get_port_list", ()),
        ask.call("observer_backend", "get_socket_list", ()),
    );
    let all = |answer: Option<Term>| match answer.as_ref().and_then(Term::as_list) {
        Some(list) => list.iter().take(MOST).filter_map(|it| Props::of(&it)).collect(),
        None => Vec::new(),
    };
    let ports = ports?;
    if ports.as_list().is_none() {
        return Err(ask.strange("observer_backend:get_port_list"));
    }
    Ok(Ports {
        ports: all(Some(ports)).iter().map(Port::of).collect(),
        sockets: all(optional(sockets)?).iter().map(Socket::of).collect(),
    })
}

impl Port {
    pub(super) fn of(props: &Props) -> Port {
        let inet = props.props("inet");
        let counted = inet.props("statistics");
        let number = |props: &Props, key| props.number(key).unwrap_or_default();
        let end = |address_key, port_key| {
            let address = inet.get(address_key).and_then(address)?;
            Some(endpoint(&address, inet.number(port_key)?))
        };
        Port {
            id: props.get("port_id").map(id).unwrap_or_default(),
            name: props.text("name").unwrap_or_default(),
            owner: props.pid("connected"),
            os_pid: props.number("os_pid"),
            received: counted.number("recv_oct").unwrap_or_else(|| number(props, "input")),
            sent: counted.number("send_oct").unwrap_or_else(|| number(props, "output")),
            queue: counted.number("send_pend").unwrap_or_default().max(number(props, "queue_size")),
            local: end("local_address", "local_port"),
            remote: end("remote_address", "remote_port"),
        }
    }
}

/// As its own node prints it: `#Port<0.5>`.
pub(super) fn id(term: &Term) -> String {
    match term {
        Term::Port(port) => format!("#Port<0.{}>", port.id()),
        other => text(other),
    }
}

fn endpoint(address: &str, port: u64) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

impl Socket {
    fn of(props: &Props) -> Socket {
        let counted = props.props("counters");
        let counted = |key, long| counted.number(key).or_else(|| props.number(long)).unwrap_or_default();
        let kind = [props.text("domain"), props.text("type"), props.text("protocol")];
        Socket {
            id: props.text("id_str").or_else(|| props.text("id")).unwrap_or_default(),
            kind: kind.into_iter().flatten().collect::<Vec<_>>().join(" "),
            state: props.get("rstates").map(text).unwrap_or_default(),
            owner: props.pid("owner"),
            received: counted("read_byte", "statistics"),
            sent: counted("write_byte", "statistics"),
            local: props.get("laddress").map(text),
            remote: props.get("raddress").map(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn a_socket_of_the_old_kind() {
        let props = term!([
            {:name, "tcp_inet"},
            {:input, 0},
            {:output, 20},
            {:os_pid, :undefined},
            {:queue_size, 0},
            {:inet, [
                {:statistics, [{:recv_oct, 6}, {:send_oct, 20}, {:send_pend, 3}]},
                {:remote_address, {127, 0, 0, 1}},
                {:remote_port, 4369}
            ]}
        ]);
        let port = Port::of(&Props::of(&props).unwrap());
        assert_eq!((port.received, port.sent, port.queue), (6, 20, 3));
        assert_eq!((port.remote.as_deref(), port.local, port.os_pid), (Some("127.0.0.1:4369"), None, None));
    }
}
