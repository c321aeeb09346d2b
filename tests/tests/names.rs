//! Names, locks, groups and topics of a cluster of Rust and real nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use beamline::node::Epmd as UsedEpmd;
use beamline::prelude::*;
use beamline::pubsub::PubSub;
use tokio::runtime::Runtime;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, Program, for_each_otp, unique, wait_until};

const COOKIE: &str = "secret";

/// Within this time a name is known everywhere, and a lock is had.
const SOON: Duration = Duration::from_millis(500);

struct Rust {
    runtime: Runtime,
    node: Node,
}

impl Rust {
    fn start(name: &str, epmd: &Epmd) -> Rust {
        Rust::start_with(Node::builder(name), epmd)
    }

    fn start_with(builder: beamline::node::NodeBuilder, epmd: &Epmd) -> Rust {
        let runtime = Runtime::new().expect("a runtime");
        let node = builder.cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
        let node = runtime.block_on(node.start()).expect("the node starts");
        Rust { runtime, node }
    }

    fn atom(&self) -> String {
        Term::from(self.node.name()).to_string()
    }

    fn connect(&self, peer: &str) {
        self.runtime.block_on(self.node.connect(&peer.parse().expect("a name"))).expect("they connect");
    }

    fn idle(&self) -> Pid {
        self.node.spawn(|mut me| async move { while me.receive().await.is_some() {} })
    }

    fn register(&self, name: &str) -> Pid {
        let pid = self.idle();
        self.runtime.block_on(self.node.global().register(atom_of(name), &pid)).expect("the name is free");
        pid
    }

    fn owner(&self, name: &str) -> Option<String> {
        Some(self.node.global().whereis(&atom_of(name))?.node().as_str().to_owned())
    }
}

fn atom_of(name: &str) -> Term {
    Atom::new(name).expect("short").into()
}

fn register(beam: &mut Beam, name: &str) {
    let process = "spawn(fn -> Process.sleep(:infinity) end)";
    assert_eq!(beam.eval(&format!(":global.register_name({name:?} |> String.to_atom(), {process})")), ":yes");
}

/// The node of a global name as a real node sees it.
fn owner(beam: &mut Beam, name: &str) -> Option<String> {
    let pid = format!(":global.whereis_name(String.to_atom({name:?}))");
    let answer = beam.eval(&format!("case {pid} do :undefined -> nil; pid -> to_string(node(pid)) end"));
    (answer != "nil").then(|| answer.trim_matches('"').to_owned())
}

fn names_are_known_everywhere_and_vanish_with_their_node(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut beams: Vec<Beam> = (0..3).map(|_| Beam::start(otp, &unique("e"), epmd.port(), COOKIE)).collect();
    let rust: Vec<Rust> = (0..2).map(|_| Rust::start(&unique("r"), &epmd)).collect();
    let program = unique("app_a");
    let variables = [("POSTFIX", "x")];
    let mut app = Program::start("app_a", epmd.port(), &["--name", &program, "--cookie", COOKIE], &variables);
    // One connection each; global makes the rest.
    for index in 1..3 {
        let other = beams[index].atom();
        assert_eq!(beams[0].eval(&format!("Node.connect({other})")), "true");
    }
    rust.iter().for_each(|rust| rust.connect(beams[0].name()));
    wait_until("the program is reached", DEADLINE, || {
        let answer = beams[1].eval(&format!("Node.connect(:{program:?})"));
        if answer == "true" { Ok(()) } else { Err(answer) }
    });
    for beam in &mut beams {
        beam.eval_until("length(Node.list())", "5");
        assert_eq!(beam.eval(":global.sync()"), ":ok");
    }
    rust.iter().for_each(|rust| rust.runtime.block_on(rust.node.global().sync()));

    // What each registers is seen by all.
    let begun = Instant::now();
    let mut owners: Vec<(String, String)> = Vec::new();
    for (index, beam) in beams.iter_mut().enumerate() {
        register(beam, &format!("beam_{index}"));
        owners.push((format!("beam_{index}"), beam.name().to_owned()));
    }
    for (index, rust) in rust.iter().enumerate() {
        rust.register(&format!("rust_{index}"));
        owners.push((format!("rust_{index}"), rust.node.name().to_string()));
    }
    assert!(begun.elapsed() < 5 * SOON, "five registrations took {:?}", begun.elapsed());
    for (name, node) in &owners {
        for beam in &mut beams {
            wait_until("a real node sees the name", SOON, || check(owner(beam, name).as_deref(), Some(node)));
        }
        for rust in &rust {
            wait_until("a Rust node sees the name", SOON, || check(rust.owner(name).as_deref(), Some(node)));
        }
    }

    // Locks are had at once, and hold on both kinds.
    let begun = Instant::now();
    assert_eq!(beams[0].eval(":global.set_lock({:job, self()}, [node() | Node.list()], 0)"), "true");
    let locked = rust[0].runtime.block_on(rust[0].node.global().try_lock(atom("job"), 0)).expect("asked");
    assert!(locked.is_none(), "a real node holds it");
    assert_eq!(beams[0].eval(":global.del_lock({:job, self()}, [node() | Node.list()])"), "true");
    let lock = rust[0].runtime.block_on(rust[0].node.global().try_lock(atom("job"), 3)).expect("asked").expect("free");
    assert_eq!(beams[1].eval(":global.set_lock({:job, self()}, [node() | Node.list()], 0)"), "false");
    rust[0].runtime.block_on(lock.release());
    assert_eq!(beams[1].eval(":global.trans({:job, self()}, fn -> :done end)"), ":done");
    assert!(begun.elapsed() < 4 * SOON, "locks took {:?}", begun.elapsed());

    // kill -9: of a real node, and of a Rust program.
    let gone = Duration::from_millis(200);
    beams.pop().expect("three").kill();
    for rust in &rust {
        wait_until("a killed node's name is gone", gone, || check(rust.owner("beam_2").as_deref(), None));
    }
    let entry = "Enum.any?(:global.registered_names(), &(&1 == {:node_registry, \"app_a_x\"}))";
    beams[0].eval_until(entry, "true");
    app.kill();
    for beam in &mut beams {
        beam.eval_until_within(gone, entry, "false");
        assert_eq!(owner(beam, "beam_2"), None);
    }
}

fn check(found: Option<&str>, wanted: Option<&str>) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{found:?}, not {wanted:?}")) }
}

/// Two clusters of a real and a Rust node each have the same name; then one node of each meets one of the other. In all
/// combinations of who owns and who meets, so that each kind resolves for each.
fn two_clusters_with_one_name_agree_on_one(otp: Otp) {
    let epmd = Epmd::beamline();
    let flags = "-start_epmd false -kernel prevent_overlapping_partitions false";
    let beam = |name: &str| Beam::start_with(otp, &unique(name), epmd.port(), COOKIE, flags);
    let rust = |name: &str| {
        let builder = Node::builder(unique(name)).prevent_overlapping_partitions(false);
        Rust::start_with(builder, &epmd)
    };
    // By their names the smaller of those that meet, which resolves, is of each kind.
    let (mut one, mut two) = ((beam("a"), rust("c")), (beam("d"), rust("b")));
    for owners in [(true, true), (true, false), (false, true), (false, false)] {
        for meet in [(true, true), (true, false), (false, true), (false, false)] {
            let case = format!("real owners {owners:?}, real nodes meet {meet:?}");
            for (beam, rust) in [(&mut one.0, &one.1), (&mut two.0, &two.1)] {
                rust.connect(beam.name());
                beam.eval_until("length(Node.list())", "1");
                assert_eq!(beam.eval(":global.sync()"), ":ok");
                rust.runtime.block_on(rust.node.global().sync());
            }
            for (is_real, cluster) in [(owners.0, &mut one), (owners.1, &mut two)] {
                match is_real {
                    true => register(&mut cluster.0, "it"),
                    false => drop(cluster.1.register("it")),
                }
            }
            let other = if meet.1 { two.0.atom() } else { two.1.atom() };
            match meet.0 {
                true => assert_eq!(one.0.eval(&format!("Node.connect({other})")), "true", "{case}"),
                false => one.1.connect(other.trim_matches([':', '"'])),
            }
            wait_until(&format!("one mesh: {case}"), DEADLINE, || {
                let real = one.0.eval("length(Node.list())") == "3" && two.0.eval("length(Node.list())") == "3";
                let ours = one.1.node.list().len() == 3 && two.1.node.list().len() == 3;
                if real && ours { Ok(()) } else { Err("not yet".to_owned()) }
            });
            for beam in [&mut one.0, &mut two.0] {
                assert_eq!(beam.eval(":global.sync()"), ":ok", "{case}");
            }
            wait_until(&format!("all agree: {case}"), DEADLINE, || {
                let seen = [owner(&mut one.0, "it"), owner(&mut two.0, "it"), one.1.owner("it"), two.1.owner("it")];
                let agreed = seen[0].is_some() && seen.iter().all(|owner| *owner == seen[0]);
                if agreed { Ok(()) } else { Err(format!("{seen:?}")) }
            });
            // The winner lives where all say, and the other is dead: the name is free once the winner is.
            let winner = one.1.node.global().whereis(&atom_of("it")).expect("a pid");
            one.1.node.exit(&winner, atom("kill"));
            wait_until(&format!("nobody has it: {case}"), DEADLINE, || check(owner(&mut one.0, "it").as_deref(), None));
            for beam in [&mut one.0, &mut two.0] {
                beam.eval_until(":ets.tab2list(:global_locks)", "[]");
            }
            for rust in [&one.1, &two.1] {
                let probe = format!("{{:global, self()}}, [{}]", rust.atom());
                assert_eq!(one.0.eval(&format!(":global.set_lock({probe}, 0)")), "true", "no lock is left: {case}");
                assert_eq!(one.0.eval(&format!(":global.del_lock({probe})")), "true");
            }
            // Two clusters again.
            let (ours, theirs) = ([one.0.atom(), one.1.atom()], [two.0.atom(), two.1.atom()]);
            for (beam, others) in [(&mut one.0, theirs), (&mut two.0, ours)] {
                for other in others {
                    beam.eval(&format!("Node.disconnect({other})"));
                }
            }
            one.1.node.disconnect(two.1.node.name());
            for beam in [&mut one.0, &mut two.0] {
                beam.eval_until("length(Node.list())", "1");
            }
        }
    }
}

fn a_lost_connection_parts_both_from_the_mesh_until_it_heals(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut beams: Vec<Beam> = (0..3).map(|_| Beam::start(otp, &unique("e"), epmd.port(), COOKIE)).collect();
    let rust: Vec<Rust> = (0..2).map(|_| Rust::start(&unique("r"), &epmd)).collect();
    let names: Vec<String> = beams.iter().map(|beam| beam.name().to_owned()).collect();
    let heal = |beams: &mut Vec<Beam>| {
        wait_until("the mesh is whole", Duration::from_secs(10), || {
            // As a discovery strategy does it.
            for name in &names {
                rust.iter()
                    .for_each(|rust| drop(rust.runtime.block_on(rust.node.connect(&name.parse().expect("a name")))));
            }
            let other = rust[1].node.name().clone();
            let _ = rust[0].runtime.block_on(rust[0].node.connect(&other));
            for beam in beams.iter_mut() {
                for name in &names {
                    beam.eval(&format!("Node.connect(:{name:?})"));
                }
            }
            let real: Vec<String> = beams.iter_mut().map(|beam| beam.eval("length(Node.list())")).collect();
            let ours: Vec<usize> = rust.iter().map(|rust| rust.node.list().len()).collect();
            let whole = real.iter().all(|count| count == "4") && ours == [4, 4];
            if whole { Ok(()) } else { Err(format!("{real:?} {ours:?}")) }
        });
        for beam in beams.iter_mut() {
            assert_eq!(beam.eval(":global.sync()"), ":ok");
        }
    };
    heal(&mut beams);
    for from_rust in [true, false] {
        match from_rust {
            true => assert!(rust[0].node.disconnect(&names[0].parse().expect("a name"))),
            false => assert_eq!(beams[0].eval(&format!("Node.disconnect({})", rust[0].atom())), "true"),
        }
        // The two are in no common part, and the parts do not overlap: everybody sees all of its part. Whether the one that
        // hears last of the loss is left too, or stays with the rest, is a race in OTP as well.
        wait_until("parts that do not overlap", DEADLINE, || {
            let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for beam in beams.iter_mut() {
                let list = beam.eval("Enum.map_join(Node.list(), \" \", &to_string/1)");
                let others = list.trim_matches('"').split_whitespace().map(str::to_owned);
                seen.insert(beam.name().to_owned(), others.chain([beam.name().to_owned()]).collect());
            }
            for rust in &rust {
                let others = rust.node.list().into_iter().chain([rust.node.name().clone()]);
                seen.insert(rust.node.name().to_string(), others.map(|name| name.to_string()).collect());
            }
            let parted = !seen[&names[0]].contains(rust[0].node.name().as_str());
            let disjoint = seen.values().all(|part| part.iter().all(|member| seen[member] == *part));
            if parted && disjoint { Ok(()) } else { Err(format!("{seen:?}")) }
        });
        heal(&mut beams);
        let name = format!("after_{from_rust}");
        rust[0].register(&name);
        for beam in &mut beams {
            let found = owner(beam, &name);
            assert_eq!(found, Some(rust[0].node.name().to_string()), "names work again");
        }
    }
}

fn real_nodes_read_the_registry(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut apps = Vec::new();
    for (program, number) in
        [("app_a", "1"), ("app_a", "2"), ("app_a", "3"), ("app_b", "1"), ("app_b", "2"), ("app_b", "3")]
    {
        let name = unique(program);
        let variables = [("POSTFIX", number), ("LIBCLUSTER_STRATEGY", "local_epmd")];
        let app = Program::start(program, epmd.port(), &["--name", &name, "--cookie", COOKIE], &variables);
        apps.push((app, name, format!("{program}_{number}")));
    }
    // From outside, as the article's test does: a hidden node that calls.
    let flags = "-start_epmd false -hidden";
    let mut outside = Beam::start_with(otp, &unique("outside"), epmd.port(), COOKIE, flags);
    let mut entries: Vec<String> = apps.iter().map(|(_, node, name)| format!("{name:?} => :{node:?}")).collect();
    entries.sort();
    let map = format!("%{{{}}}", entries.join(", "));
    for (_, name, _) in &apps {
        let own = format!(":{name:?}");
        outside.eval_until(&format!("length(List.wrap(:rpc.call({own}, Node, :list, [])))"), "5");
        outside.eval_until(&format!(":rpc.call({own}, NodeRegistry, :all, [])"), &map);
    }
    let (_, first, entry) = &apps[0];
    let info =
        outside.eval(&format!("Map.take(:rpc.call(:{first:?}, NodeRegistry, :info, [:self]), [:__struct__, :name])"));
    assert!(info.contains(&format!("{entry:?}")) && info.contains("NodeRegistry"), "{info}");
    // A visible real node finds them where the Elixir library looks.
    let mut inside = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    assert_eq!(inside.eval(&format!("Node.connect(:{first:?})")), "true");
    let all = "for row <- :ets.tab2list(:global_names), match?({:node_registry, _}, elem(row, 0)), into: %{}, \
        do: {elem(elem(row, 0), 1), node(elem(row, 1))}";
    inside.eval_until(all, &map);
}

fn groups_are_shared_with_real_nodes(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    assert!(beam.eval(":pg.start(:news)").starts_with("{:ok"));
    let (seen, hidden) =
        (Rust::start(&unique("r"), &epmd), Rust::start_with(Node::builder(unique("h")).hidden(true), &epmd));
    let scopes: Vec<_> = [&seen, &hidden].iter().map(|rust| rust.node.pg("news").expect("the name is free")).collect();
    let late = Rust::start(&unique("late"), &epmd);
    [&seen, &hidden, &late].iter().for_each(|rust| rust.connect(beam.name()));
    let own = hidden.idle();
    hidden.runtime.block_on(scopes[1].join("g", &[own.clone(), own.clone()]));
    beam.eval("pid = spawn(fn -> Process.sleep(:infinity) end); :pg.join(:news, \"g\", pid)");
    beam.eval_until("length(:pg.get_members(:news, \"g\"))", "3");
    let count = |scope: &beamline::node::Pg| scope.members(&"g".into()).iter().count();
    // Hidden nodes are not told of each other by anybody else; each sees its own and the real node's.
    wait_until("the visible node sees the real one's", DEADLINE, || check_count(count(&scopes[0]), 1));
    wait_until("the hidden node sees both", DEADLINE, || check_count(count(&scopes[1]), 3));
    let scope = late.node.pg("news").expect("the name is free");
    wait_until("who starts late sees it", DEADLINE, || check_count(count(&scope), 1));
    assert!(hidden.runtime.block_on(scopes[1].leave("g", std::slice::from_ref(&own))));
    beam.eval_until("length(:pg.get_members(:news, \"g\"))", "2");
    hidden.node.exit(&own, atom("kill"));
    beam.eval_until("length(:pg.get_members(:news, \"g\"))", "1");
    beam.eval(":pg.leave(:news, \"g\", pid); Process.exit(pid, :kill)");
    for scope in [&scopes[0], &scopes[1], &scope] {
        wait_until("the real one left", DEADLINE, || check_count(count(scope), 0));
    }
    assert_eq!(beam.eval("is_pid(Process.whereis(:news))"), "true", "its scope lives");
}

fn check_count(found: usize, wanted: usize) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{found} members, not {wanted}")) }
}

fn topics_are_shared_with_real_nodes(otp: Otp) {
    let epmd = Epmd::beamline();
    let mut beam = Beam::start(otp, &unique("e"), epmd.port(), COOKIE);
    let rust = Rust::start(&unique("r"), &epmd);
    let pubsub = rust.runtime.block_on(PubSub::new(&rust.node, "MyApp.PubSub")).expect("it starts");
    let mut heard = pubsub.subscribe("orders");
    rust.connect(beam.name());
    // What the adapter of phoenix_pubsub does: a process of a known name in a group of that name.
    beam.eval("{:ok, _} = :pg.start(Phoenix.PubSub); group = MyApp.PubSub.Adapter; Process.register(self(), group)");
    assert_eq!(beam.eval(":pg.join(Phoenix.PubSub, group, self())"), ":ok");
    beam.eval_until("length(:pg.get_members(Phoenix.PubSub, group))", "2");
    let members = rust.node.pg("Elixir.Phoenix.PubSub").expect("it runs");
    let group = atom("Elixir.MyApp.PubSub.Adapter").into();
    wait_until("the real node is seen", DEADLINE, || check_count(members.members(&group).remote().len(), 1));
    rust.runtime.block_on(pubsub.broadcast("orders", &("placed", 17))).expect("sent");
    let next = "receive do message -> message after 5000 -> :silence end";
    assert_eq!(beam.eval(next), "{:forward_to_local, \"orders\", {\"placed\", 17}, Phoenix.PubSub}");
    let peer: NodeName = beam.name().parse().expect("a name");
    rust.runtime.block_on(pubsub.direct_broadcast(&peer, "orders", &1)).expect("sent");
    assert_eq!(beam.eval(next), "{:forward_to_local, \"orders\", 1, Phoenix.PubSub}");
    rust.runtime.block_on(async { heard.next().await.expect("its own") });
    let send = "for pid <- :pg.get_members(Phoenix.PubSub, group), node(pid) != node(), do: \
        send(pid, {:forward_to_local, \"orders\", %{id: 1}, Phoenix.PubSub})";
    beam.eval(send);
    let message = rust.runtime.block_on(async { tokio::time::timeout(DEADLINE, heard.next()).await });
    assert_eq!(message.expect("in time").expect("a message").term().expect("a term").to_string(), "%{id: 1}");
}

for_each_otp!(
    names_are_known_everywhere_and_vanish_with_their_node,
    two_clusters_with_one_name_agree_on_one,
    a_lost_connection_parts_both_from_the_mesh_until_it_heals,
    real_nodes_read_the_registry,
    groups_are_shared_with_real_nodes,
    topics_are_shared_with_real_nodes,
);
