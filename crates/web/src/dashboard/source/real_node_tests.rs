//! What one node has, asked of real nodes of three releases.

use std::time::{Duration, Instant};

use beamline_node::NodeName;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp};

use super::ask::Ask;
use super::identity::Identity;
use super::process::{self, Query, Reveals, Sort};
use super::real_tests::{Desk, beam};
use super::{application, distribution, module, name, port, system, table};

/// A node, and a desk that looks at it.
struct Look {
    beam: Beam,
    desk: Desk,
    name: NodeName,
    _epmd: Epmd,
}

impl Look {
    fn at(otp: Otp) -> Look {
        let epmd = Epmd::erlang(otp);
        let beam = beam(otp, "a", &epmd);
        let desk = Desk::of(&[beam.name()], &epmd);
        let name: NodeName = beam.name().parse().expect("a name");
        desk.until("it answers", DEADLINE, |cluster| cluster.members.iter().any(|member| member.identity.is_some()));
        Look { beam, desk, name, _epmd: epmd }
    }

    fn ask(&self) -> Ask<'_> {
        Ask::new(&self.desk.node, &self.name)
    }

    fn identity(&self) -> Identity {
        self.run(Identity::read(&self.ask())).expect("it tells")
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.desk.runtime.block_on(future)
    }

    fn list(&self, identity: &Identity, query: &Query) -> process::Listing {
        self.run(process::list(&self.ask(), identity, query)).expect("it lists")
    }
}

fn query(sort: Sort, search: &str, limit: usize) -> Query {
    Query { sort, descending: true, search: search.to_owned(), limit }
}

fn a_hundred_thousand_processes_within_a_second(otp: Otp) {
    let mut look = Look::at(otp);
    look.beam.eval(
        "Enum.each(1..100_000, fn _ -> spawn(fn -> Process.sleep(:infinity) end) end); \
         big = spawn(fn -> Process.register(self(), :the_big_one); x = Enum.to_list(1..500_000); \
         receive do _ -> x end end); send(self(), big); :ok",
    );
    look.beam.eval_until("Process.whereis(:the_big_one) != nil", "true");
    let identity = look.identity();
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            let listing = look.list(&identity, &query(Sort::Memory, "", 50));
            assert!(listing.total > 100_000 && listing.rows.len() == 50, "{}", listing.total);
            assert_eq!(listing.rows[0].name, "the_big_one");
            assert!(listing.rows.is_sorted_by(|a, b| a.memory >= b.memory));
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!("100 000 processes: {times:?}");
    assert!(times[2] < Duration::from_secs(1), "{times:?}");
    let found = look.list(&identity, &query(Sort::Queue, "THE_BIG", 50));
    assert_eq!((found.matched, found.rows[0].name.as_str()), (1, "the_big_one"));
    // A node without runtime_tools is asked by what every node has.
    let plain = Identity { has_observer: false, ..identity };
    let listing = look.list(&plain, &query(Sort::Memory, "", 3));
    assert_eq!((listing.rows.len(), listing.total), (3, listing.matched + listing.unasked));
    assert!(listing.unasked > 50_000 && listing.total > 100_000, "{} of {}", listing.unasked, listing.total);
    assert!(listing.note.expect("it says what is missing").contains("runtime_tools"));
}

fn a_process_in_detail_and_what_it_holds(otp: Otp) {
    let mut look = Look::at(otp);
    let pid = look.beam.eval(
        "{:ok, pid} = Agent.start(fn -> %{secret: 42} end, name: :keeper); Process.link(pid); \
         :erlang.pid_to_list(pid) |> to_string()",
    );
    let identity = look.identity();
    let pid = process::parse(pid.trim_matches('"'), &look.name, &identity).expect("a pid");
    let ask = look.ask();
    let detail = look.run(process::detail(&ask, &pid)).expect("it tells").expect("it runs");
    // It is woken to tell of itself.
    assert!(matches!(detail.status.as_deref(), Some("waiting" | "running")), "{detail:?}");
    assert_eq!(detail.name.as_deref(), Some("keeper"));
    assert!(detail.current.expect("it is somewhere").starts_with("gen_server:loop"));
    assert_eq!((detail.links.len(), detail.queue), (1, Some(0)));
    assert!(detail.stack_trace[0].contains("gen_server.erl"), "{:?}", detail.stack_trace);
    assert!(detail.memory > Some(1000) && detail.group_leader.is_some() && !detail.garbage_collection.is_empty());
    let state = look.run(process::reveal(&ask, &pid, Reveals::State)).expect("it tells");
    assert!(state.contains("secret: 42"), "{state}");
    let dictionary = look.run(process::reveal(&ask, &pid, Reveals::Dictionary)).expect("it tells");
    assert!(dictionary.contains("$initial_call"), "{dictionary}");
    assert_eq!(look.run(process::reveal(&ask, &pid, Reveals::Messages)).expect("it tells"), "[]");
    look.beam.eval("Process.unlink(Process.whereis(:keeper)); Agent.stop(:keeper)");
    assert!(look.run(process::detail(&look.ask(), &pid)).expect("it tells").is_none());
}

fn what_a_node_has(otp: Otp) {
    let mut look = Look::at(otp);
    look.beam.eval(":ets.new(:my_table, [:named_table, :public]); :ets.insert(:my_table, {1, 2})");
    look.beam.eval(":global.register_name(:the_name, spawn(fn -> Process.sleep(:infinity) end))");
    let (ask, identity) = (look.ask(), look.identity());
    let system = look.run(system::system(&ask)).expect("it tells");
    let processes = system.limits.iter().find(|limit| limit.what == "processes").expect("it is limited");
    assert!(processes.used > 10 && processes.used < processes.limit / 10);
    let heap = system.allocators.iter().find(|it| it.name == "eheap_alloc").expect("it allocates");
    assert!(heap.blocks > 0 && heap.carriers >= heap.blocks && heap.most_carriers >= heap.carriers);
    assert_eq!(system.word, Some(8));

    let tables = look.run(table::tables(&ask, false, false)).expect("it tells");
    let mine = tables.iter().find(|table| table.name == "my_table").expect("it is there");
    assert_eq!((mine.size, mine.protection.as_str(), mine.kind.as_str()), (1, "public", "set"));
    let all = look.run(table::tables(&ask, true, true)).expect("it tells");
    assert!(all.len() > tables.len() && mine.memory > 1000);

    let ports = look.run(port::ports(&ask)).expect("it tells").ports;
    assert!(ports.iter().any(|port| port.name == "tcp_inet" && port.remote.is_some()));

    let applications = look.run(application::applications(&ask)).expect("it tells");
    assert!(applications.iter().any(|it| it.name == "elixir" && it.version.starts_with("1.")));
    let tree = look.run(application::tree(&ask, "kernel")).expect("it tells").expect("it has processes");
    assert!(tree.count() > 20, "{tree:?}");
    assert!(
        look.run(application::tree(&ask, "nothing_of_the_kind")).expect("it tells").is_none_or(|it| it.count() == 1)
    );

    let modules = look.run(module::modules(&ask)).expect("it tells");
    assert!(modules.iter().any(|module| module.name == "Enum" && module.atom == "Elixir.Enum"));
    let functions = look.run(module::functions(&ask, "Elixir.Enum")).expect("it tells");
    assert!(functions.iter().any(|function| function.name == "map" && function.arity == 2));
    assert!(look.run(module::functions(&ask, "Elixir.Nothing")).is_err());

    let names = look.run(name::names(&ask)).expect("it tells");
    let [name] = names.global.as_slice() else { panic!("{names:?}") };
    assert_eq!((name.name.as_str(), name.node.as_deref()), ("the_name", Some(look.name.as_str())));
    assert_eq!(names.registry, None);

    let distribution = look.run(distribution::distribution(&ask, &identity)).expect("it tells");
    let [connection] = distribution.connections.as_slice() else { panic!("{distribution:?}") };
    assert_eq!((connection.peer.as_str(), connection.is_hidden), (look.desk.node.name().as_str(), true));
    assert!(connection.bytes_in > Some(100) && connection.frames_out > Some(0), "{connection:?}");
    assert_eq!((distribution.note, distribution.tick_time), (None, Some(60)));
}

for_each_otp!(a_hundred_thousand_processes_within_a_second, a_process_in_detail_and_what_it_holds, what_a_node_has,);
