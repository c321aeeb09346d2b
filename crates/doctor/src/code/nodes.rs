//! 5xx: the handshake. 6xx: the cluster.

use super::{Code, error, warning};
use crate::Rung::{Cookie, Handshake, Mesh, Strategy};

pub(super) const CODES: &[Code] = &[
    error(
        "BL501",
        Cookie,
        "the cookies differ",
        "Both sides prove that they know the cookie without telling it, and one did not accept the other's proof. The report \
         shows the length and six digits of the hash of ours; run the doctor on the node's machine to compare.",
        "Give both nodes the same cookie. Which one a BEAM node has is told by `Node.get_cookie()`.",
    ),
    error(
        "BL502",
        Handshake,
        "distribution flags are missing",
        "Nodes tell each other what they can do. One of the two lacks something that the other demands: it is older than \
         OTP 25. A node that has a list of allowed nodes refuses with the same words.",
        "Update the older node; or look for net_kernel:allow/1 and add this one.",
    ),
    error(
        "BL503",
        Handshake,
        "two nodes have one name",
        "A name is there once in a cluster, and the node is connected already with another of this name. It may also be that \
         the two called each other at the same moment, again and again.",
        "Give one of them another name. A connection that was lost without a word is forgotten within the tick time.",
    ),
    error(
        "BL504",
        Handshake,
        "another node answers",
        "The node at that address and port has another name than the one that was dialed. Nodes are reached by the name that \
         each gives itself, not by any other way to spell its host.",
        "Dial it by its own name.",
    ),
    error(
        "BL505",
        Handshake,
        "what answers is not a node",
        "Something listens on that port, but does not speak the distribution protocol: another program has the port, or a \
         proxy is in between.",
        "Check the port. A stale registration may lead to it: start the node again.",
    ),
    error(
        "BL506",
        Handshake,
        "the node gives no names to guests",
        "A guest asks the node for a name, and nodes older than OTP 23 give none.",
        "Update the node.",
    ),
    error(
        "BL507",
        Handshake,
        "the node says nothing",
        "It takes the connection and then is silent: it hangs, is paused, or is no node.",
        "Look at the node's machine: does it run, is it out of memory, is it stopped (SIGSTOP, a paused container)?",
    ),
    error(
        "BL508",
        Handshake,
        "the node wants TLS",
        "It answers with an alert of TLS: its distribution is encrypted, ours is not.",
        "Use the same -proto_dist on all nodes of a cluster.",
    ),
    error(
        "BL601",
        Mesh,
        "there is no connection, and none is made",
        "This node connects only when it is told to (`AutoConnect::Never`, `-kernel dist_auto_connect never`). Only logs have \
         this code.",
        "Call `connect` first, or leave that setting out.",
    ),
    error(
        "BL602",
        Mesh,
        "the node does not say whom it sees",
        "It let us in, but did not answer what nodes it is connected with.",
        "Is it overloaded? Does it keep erlang:nodes/0 from callers?",
    ),
    error(
        "BL603",
        Mesh,
        "the cluster is not a whole mesh",
        "Of the nodes that see each other as one cluster some are not connected. Names, locks and groups are then not the same \
         everywhere. Often one of the two cannot dial the other, or `global` cut a connection to prevent overlapping \
         partitions.",
        "Run the doctor on the machine of one, for the other.",
    ),
    error(
        "BL604",
        Mesh,
        "the connection was lost, and is not made again",
        "This node makes a connection that was lost or given up again only when it is told to (`AutoConnect::Once`, `-kernel \
         dist_auto_connect once`), or when the other node connects. Only logs have this code.",
        "Call `connect` where you know that it is well to go on with the node, or leave that setting out.",
    ),
    error(
        "BL621",
        Strategy,
        "gossip under another secret",
        "Heartbeats are heard that our configuration cannot read: theirs are encrypted otherwise, or one side has a secret and \
         the other none. Such nodes never hear of each other.",
        "Give all nodes the same `secret`, or none; and each cluster of a network its own port.",
    ),
    error(
        "BL622",
        Strategy,
        "the Kubernetes API refuses",
        "The API knows the service account and does not let it list (403), or does not take its token (401).",
        "Bind a Role with get, list and watch for pods (or endpoints) to the account of the pods.",
    ),
    error(
        "BL623",
        Strategy,
        "the strategy cannot find out who should be there",
        "What it asks (DNS, the Kubernetes API, epmd, a file) gives no answer. A node keeps its last list then.",
        "See what the report says; `beamline cluster status NODE` has the same of a node that runs.",
    ),
    warning(
        "BL624",
        Strategy,
        "the strategy does not name the node",
        "Discovery works, and others are found, but this node is not among them.",
        "Compare names letter by letter, and labels with the selector.",
    ),
    warning(
        "BL625",
        Strategy,
        "no heartbeat was heard",
        "Every node that gossips is heard within five seconds. Nothing came from this one: it does not gossip, or on another \
         port or group, or the network does not carry multicast.",
        "Use the same `port` and `multicast_addr`; where there is no multicast, take another strategy.",
    ),
    error(
        "BL626",
        Strategy,
        "the strategy cannot start",
        "What it needs on this machine is not to be had, as a socket that another program holds.",
        "See what the report says.",
    ),
    error(
        "BL627",
        Strategy,
        "the node itself cannot find its cluster",
        "The node says of its own discovery that it does not get an answer.",
        "Run `beamline doctor` where the node runs, with its configuration.",
    ),
    warning(
        "BL628",
        Strategy,
        "the node cannot connect to one that it wants",
        "Its discovery names a node that it cannot connect to. The node may just be down.",
        "Run `beamline doctor` for it on the machine of the node that wants it.",
    ),
];
