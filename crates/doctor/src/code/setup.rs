//! 1xx: what is set up on this machine. 2xx: names.

use super::{Code, error, warning};
use crate::Rung::{Config, Cookie, Dns, Name};

pub(super) const CODES: &[Code] = &[
    error(
        "BL101",
        Name,
        "a node was asked to reach itself",
        "The name to look as and the name to look at are the same. A node does not connect to itself.",
        "Leave out `--name`, or give another node.",
    ),
    error(
        "BL102",
        Config,
        "this node was stopped",
        "The program stopped its own node while it was connecting. Only logs have this code.",
        "Nothing, if the program ended; else find out who stops the node.",
    ),
    error(
        "BL103",
        Config,
        "there is no cookie",
        "Nodes let only those in that know the cluster's cookie, and none of the places has one: --cookie, --cookie-file, \
         BEAMLINE_COOKIE, RELEASE_COOKIE, ~/.erlang.cookie, and erlang/.erlang.cookie in the folder of configurations.",
        "Put the cluster's cookie into ~/.erlang.cookie and run `chmod 400` on it.",
    ),
    error(
        "BL104",
        Config,
        "the cookie file is refused",
        "The file is there, but others than its owner can read it, or it cannot be read, is empty, or holds what a cookie \
         cannot have. Erlang refuses such a file as well.",
        "Run `chmod 400` on it; it must belong to the user that runs the node, and hold the cookie alone.",
    ),
    error(
        "BL106",
        Cookie,
        "the cookie has an end of line or blanks around it",
        "One of the two sides has something around its cookie that the other has not. Erlang takes ends of lines off a file, \
         but not off a variable or a flag, nor does `File.read!`. `echo` and most editors add one; so does `kubectl create \
         secret --from-file`.",
        "Write it with printf '%s', and strip what is read. In Elixir that is `String.trim/1`.",
    ),
    warning(
        "BL107",
        Config,
        "two places on this machine have different cookies",
        "Which of them a node takes depends on how it is started, by which user, and with which variables.",
        "Make them the same, or remove the one that is wrong.",
    ),
    warning(
        "BL108",
        Config,
        "the cookie is on the command line",
        "Everybody on this machine can see the arguments of all programs, and who knows the cookie can run code on the nodes.",
        "Put it into a file that only its owner can read, and give `--cookie-file`.",
    ),
    error(
        "BL109",
        Config,
        "the configuration of discovery is wrong",
        "The file with the topologies cannot be read, or has an error, or LIBCLUSTER_STRATEGY names none that this program \
         has. A node with a wrong file does not start; one with a wrong variable runs without discovery.",
        "Mend the line that the report names.",
    ),
    error(
        "BL201",
        Dns,
        "the host has no address",
        "The part of the name after the `@` is looked up as any host: in /etc/hosts and in DNS. A short name needs a search \
         list, and a container or a machine in a VPN may have another name than it believes.",
        "Make the host known, or start the node with an address that others can reach: `--name app@10.0.0.5`.",
    ),
    error(
        "BL202",
        Name,
        "short names against long ones",
        "A name is long if its host has a dot. Nodes started with --name and nodes started with --sname never meet, and a node \
         is reached only by the very name that it gives itself.",
        "Start all nodes of a cluster with --name, or all with --sname, and dial them as they call themselves.",
    ),
    error(
        "BL203",
        Dns,
        "DNS gives no answer",
        "The question where the host is was not answered in time.",
        "Look at /etc/resolv.conf: can its servers be reached from here?",
    ),
    warning(
        "BL204",
        Dns,
        "the host is this machine itself",
        "The name stands for a loopback address here, as 127.0.1.1 in the /etc/hosts of Debian. Nodes of this machine meet \
         by it, those of others do not.",
        "Give the host its address of the network in /etc/hosts.",
    ),
];
