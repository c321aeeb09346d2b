//! 3xx: epmd. 4xx: the way to the port.

use super::{Code, error};
use crate::Rung::{Epmd, Handshake, Tcp};

pub(super) const CODES: &[Code] = &[
    error(
        "BL301",
        Epmd,
        "no epmd answers",
        "epmd tells on which port a node listens. On that host none does, at this port: no node runs there, or its epmd has \
         another port, or there is none because the nodes have a fixed port.",
        "Start the node. If epmd has another port there, set ERL_EPMD_PORT; if the node has none, give --peer-port.",
    ),
    error(
        "BL302",
        Epmd,
        "epmd does not know the node",
        "epmd answers, but no node of this name is registered with it: it does not run, it is called otherwise, or it does not \
         listen (`-dist_listen false`).",
        "Compare with the names that epmd knows; start the node.",
    ),
    error(
        "BL303",
        Epmd,
        "epmd listens on loopback only",
        "It was started with -address or ERL_EPMD_ADDRESS, or by a node whose own host is loopback, and so answers nobody at the \
         address of this name.",
        "Stop epmd when no node runs, and start it without these; or name the nodes after 127.0.0.1 if all are here.",
    ),
    error(
        "BL304",
        Tcp,
        "the registration is stale",
        "epmd knows a port for the node, and nothing listens on it. The node has ended, and a program that it started, or that \
         hangs, still holds its connection to epmd.",
        "Find who holds it (`ss -tnp dst :4369`), end it, and start the node again.",
    ),
    error(
        "BL305",
        Epmd,
        "epmd cannot be reached through the network",
        "No answer comes at all, not even a refusal: a firewall or a security group drops the packets, or the host is down.",
        "Let TCP port 4369 through; or give the nodes a fixed port, and dial with --peer-port.",
    ),
    error(
        "BL306",
        Epmd,
        "what answers is not epmd",
        "Another program has the port of epmd on that host.",
        "Stop that program, or give all nodes of the cluster another port with ERL_EPMD_PORT.",
    ),
    error(
        "BL401",
        Tcp,
        "the port refuses connections",
        "The host answers, and says that nothing listens on the node's port; a firewall that rejects says the same.",
        "Does the node run? Is the port the right one? Does something in between reject it?",
    ),
    error(
        "BL402",
        Tcp,
        "the port is filtered",
        "Nothing comes back from the node's port: a firewall drops the packets. epmd's port may well be open, since that of the \
         distribution is another, and as a rule a new one at each start.",
        "Fix the port with `-kernel inet_dist_listen_min 9000 inet_dist_listen_max 9000` or `-erl_epmd_port 9000`, and let it \
         through.",
    ),
    error(
        "BL403",
        Handshake,
        "the connection broke during the handshake",
        "The node, or something in between, ended the connection in the middle of it.",
        "Look at the node's log of that moment; try again.",
    ),
    error(
        "BL404",
        Tcp,
        "the node listens on loopback only",
        "It was started with inet_dist_use_interface, or with a name whose host is loopback, and takes no connection at the \
         address of this name.",
        "Start it without that, or with the address in its name.",
    ),
    error(
        "BL405",
        Tcp,
        "there is no way to the host",
        "This machine has no route to the host's address, or the last router says that it is not there.",
        "Is the host up? Are both in the same network: VPN, container network, routes?",
    ),
];
