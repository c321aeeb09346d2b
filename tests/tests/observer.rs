//! Erlang's observer at a Rust node: its calls from nodes of three releases, and the program itself on a display without a
//! screen, whose pictures are kept in `target/screenshots`.

use std::path::Path;
use std::time::Duration;

use beamline::node::Epmd as UsedEpmd;
use beamline::prelude::*;
use tokio::runtime::Runtime;
use whole_clusters::{Beam, Display, Epmd, Otp, for_each_otp, skip, unique};

const COOKIE: &str = "secret";

struct Counter;

impl GenServer for Counter {
    type Call = Term;
    type Reply = Term;
    type Cast = Term;
    type Info = Term;

    async fn call(&mut self, request: Term, _: Caller<Term>, _: &mut Process) -> Answer<Term> {
        request.into()
    }
}

/// A node that lets observer in, with a supervisor and its server, and one that looks.
struct Scene {
    beam: Beam,
    node: Node,
    runtime: Runtime,
    _epmd: Epmd,
}

impl Scene {
    fn new(otp: Otp, display: Option<&str>) -> Scene {
        let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::beamline(), unique("rust"));
        let node = runtime.block_on(async {
            let builder = Node::builder(&name).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port())).observer(true);
            let node = builder.start().await.expect("the node starts");
            let supervisor = Supervisor::new(Strategy::OneForOne).child(ChildSpec::named_server("counter", || Counter));
            let supervisor = supervisor.start(&node).await.expect("it starts");
            node.register("top", supervisor.pid()).expect("the name is free");
            node
        });
        let mut command = otp.command("elixir");
        command.env("ERL_EPMD_PORT", epmd.port().to_string());
        if let Some(display) = display {
            command.env("DISPLAY", display);
        }
        let mut beam = Beam::start_by(command, &unique("b"), COOKIE, "-start_epmd false");
        assert_eq!(beam.eval(&format!("rust = :{name:?}; Node.connect(rust)")), "true");
        Scene { beam, node, runtime, _epmd: epmd }
    }

    fn eval(&mut self, expression: &str) -> String {
        self.beam.eval(expression)
    }
}

/// What the System tab reads, in the order in which OTP gives it.
const SYSTEM: &str = "[:uptime, :run_queue, :io_input, :io_output, :logical_processors, :logical_processors_online, \
     :logical_processors_available, :schedulers, :schedulers_online, :schedulers_available, :otp_release, :version, \
     :system_architecture, :kernel_poll, :smp_support, :threads, :thread_pool_size, :wordsize_internal, \
     :wordsize_external, :alloc_info, :process_count, :atom_limit, :atom_count, :process_limit, :process_count, \
     :port_limit, :port_count, :ets_limit, :ets_count, :dist_buf_busy_limit, :total, :processes, :processes_used, \
     :system, :atom, :atom_used, :binary, :code, :ets]";

/// What the window of a process reads.
const ITEMS: &str = "[:binary, :catchlevel, :current_function, :error_handler, :garbage_collection, :group_leader, \
     :heap_size, :initial_call, :last_calls, :links, :memory, :message_queue_len, :monitored_by, :monitors, :priority, \
     :reductions, :registered_name, :sequential_trace_token, :stack_size, :status, :suspending, :total_heap_size, \
     :trace, :trap_exit]";

fn the_calls_of_its_tabs_are_answered(otp: Otp) {
    let mut scene = Scene::new(otp, None);
    let own = scene.beam.atom();
    assert_eq!(scene.eval("info = :rpc.call(rust, :observer_backend, :sys_info, []); Keyword.keys(info)"), {
        // As `inspect` writes it.
        scene.eval(SYSTEM)
    });
    assert_eq!(scene.eval("info[:uptime] >= 0 and info[:total] > 1_000_000 and info[:process_count] > 5"), "true");
    assert_eq!(scene.eval("info[:alloc_info] != [] and info[:port_count] == 1"), "true");
    // The Load tab, until it is told to stop.
    scene.eval("load = :erlang.spawn_link(rust, :observer_backend, :fetch_stats, [self(), 50]); Process.flag(:trap_exit, true)");
    let stats = "receive do {:stats, 1, [{1, _, _} | _], {{:input, _}, {:output, _}}, [{:total, _} | _]} -> :told after 5000 -> nil end";
    assert_eq!(scene.eval(stats), ":told");
    assert_eq!(scene.eval(stats), ":told");
    let ended = |pid: &str| format!("receive do {{:EXIT, ^{pid}, reason}} -> reason after 5000 -> nil end");
    assert_eq!(scene.eval(&format!("send(load, :exit); {}", ended("load"))), ":normal");
    // The Processes tab, and etop.
    assert_eq!(
        scene.eval(":rpc.call(rust, :code, :ensure_loaded, [:observer_backend])"),
        "{:module, :observer_backend}"
    );
    let exported = ":rpc.call(rust, :erlang, :function_exported, [:observer_backend, :procs_info, 1])";
    assert_eq!(scene.eval(exported), "true");
    scene.eval("procs = :erlang.spawn_link(rust, :observer_backend, :procs_info, [self()])");
    scene.eval("records = receive do {:procs_info, ^procs, records} -> records after 5000 -> [] end");
    assert_eq!(scene.eval(&ended("procs")), ":normal");
    assert_eq!(
        scene.eval("Enum.all?(records, &match?({:etop_proc_info, pid, mem, _, _, 0, {_, _, _}, 0} when is_pid(pid) and mem > 0, &1))"),
        "true"
    );
    let names = "names = for record <- records, do: elem(record, 4); Enum.all?([:top, :counter, :rex], & &1 in names)";
    assert_eq!(scene.eval(names), "true");
    let calls = "Enum.find_value(records, & elem(&1, 4) == :counter and elem(&1, 6))";
    assert_eq!(scene.eval(calls), "{:\"observer::Counter\", :init, 1}");
    scene.eval("etop = :erlang.spawn_link(rust, :observer_backend, :etop_collect, [self()])");
    let etop = "receive do {^etop, {:etop_info, {_, _, _}, n, _, _, _, _, memory, procs}} -> n == length(procs) and memory[:total] > 0 after 5000 -> nil end";
    assert_eq!(scene.eval(etop), "true");
    assert_eq!(scene.eval("match?({:ok, [_ | _]}, :rpc.call(rust, :observer_backend, :vsn, []))"), "true");
    // Ports are connections; there are no sockets and tables.
    scene.eval("[port] = :rpc.call(rust, :observer_backend, :get_port_list, [])");
    assert_eq!(scene.eval("is_port(port[:port_id]) and port[:registered_name] == node() and port[:input] > 0"), "true");
    assert_eq!(scene.eval("is_pid(port[:connected]) and port[:inet][:local_address]"), "{127, 0, 0, 1}");
    assert_eq!(scene.eval(":rpc.call(rust, :observer_backend, :socket_info, [])[:num_sockets]"), "0");
    assert_eq!(scene.eval(":rpc.call(rust, :observer_backend, :get_table_list, [:ets, [sys_hidden: true]])"), "[]");
    scene.eval("table = :rpc.call(rust, :observer_backend, :get_table, [self(), :nothing, :ets])");
    assert_eq!(scene.eval("receive do {^table, what} -> what after 5000 -> nil end"), ":\"$end_of_table\"");
    // The menus ask through `rex`.
    assert_eq!(scene.eval(":rpc.block_call(rust, :erlang, :whereis, [:rb_server])"), ":undefined");
    assert_eq!(scene.eval(":rpc.block_call(rust, :code, :ensure_loaded, [:rb])"), "{:error, :nofile}");
    assert_eq!(scene.eval("match?([{_, _, _}], :rpc.block_call(rust, :application, :which_applications, []))"), "true");
    // Who is connected, as each node tells it.
    assert_eq!(
        scene
            .eval(&format!("{{:ok, [{{{own}, peer}}]}} = :rpc.call(rust, :net_kernel, :nodes_info, []); peer[:state]")),
        ":up"
    );
}

fn the_window_of_a_process_shows_all_but_its_messages(otp: Otp) {
    let mut scene = Scene::new(otp, None);
    scene.eval("pid = :rpc.call(rust, :erlang, :whereis, [:counter])");
    scene.eval("top = :rpc.call(rust, :erlang, :whereis, [:top])");
    let info = format!("info = :rpc.call(rust, :erlang, :process_info, [pid, {ITEMS}]); Keyword.keys(info)");
    let items = scene.eval(ITEMS);
    assert_eq!(scene.eval(&info), items);
    assert_eq!(
        scene.eval("{info[:registered_name], info[:links] == [top], info[:status]}"),
        "{:counter, true, :waiting}"
    );
    assert_eq!(scene.eval("GenServer.call(pid, :hello)"), ":hello");
    scene.beam.eval_until(":rpc.call(rust, :erlang, :process_info, [pid, :reductions])", "{:reductions, 1}");
    for item in ["messages", "dictionary"] {
        let shown = scene.eval(&format!(":rpc.call(rust, :erlang, :process_info, [pid, :{item}])"));
        assert_eq!(shown, format!("{{:{item}, []}}"));
    }
    let stack = "match?({:current_stacktrace, [{_, _, _, []}]}, :rpc.call(rust, :erlang, :process_info, [pid, :current_stacktrace]))";
    assert_eq!(scene.eval(stack), "true");
    // With this, observer asks for no state.
    assert_eq!(scene.eval(":rpc.call(rust, :proc_lib, :translate_initial_call, [pid])"), "{:proc_lib, :init_p, 5}");
    assert_eq!(scene.eval(":rpc.call(rust, :proc_lib, :get_label, [pid])"), ":undefined");
    let status = "match?({:badrpc, {:EXIT, {:timeout, _}}}, :rpc.call(rust, :sys, :get_status, [pid, 200]))";
    assert_eq!(scene.eval(status), "true");
    assert_eq!(scene.eval(":rpc.call(rust, :erlang, :system_info, [:wordsize])"), "8");
    scene.eval("Process.exit(pid, :kill)");
    scene.beam.eval_until(":rpc.call(rust, :erlang, :process_info, [pid, :links])", ":undefined");
    assert!(
        scene.eval(
            "match?({:badrpc, {:EXIT, {:badarg, _}}}, :rpc.call(rust, :erlang, :process_info, [self(), :links]))"
        ) == "true"
    );
}

fn the_tree_of_the_program_is_delivered_when_it_changes(otp: Otp) {
    let mut scene = Scene::new(otp, None);
    scene.eval("{:ok, server} = :rpc.call(rust, :appmon_info, :start_link2, [self(), self(), []])");
    scene.eval("order = fn task, aux, options -> GenServer.cast(server, {self(), task, aux, true, options}) end");
    scene.eval("order.(:app_ctrl, rust, [])");
    let delivered =
        |task: &str| format!("receive do {{:delivery, ^server, :{task}, _, it}} -> it after 5000 -> nil end");
    scene.eval(&format!("[{{_master, app, {{app, _, _}}}}] = {}", delivered("app_ctrl")));
    scene.eval("order.(:app, app, [timeout: 100])");
    scene.eval(&format!("{{root, processes, lines, _}} = {}", delivered("app")));
    assert_eq!(scene.eval("to_string(root)"), "\"user\"");
    assert_eq!(scene.eval("Enum.all?([{'user', 'top'}, {'top', 'counter'}], & &1 in lines)"), "true");
    assert_eq!(scene.eval("Enum.all?(processes, fn {pid, name} -> is_pid(pid) and is_list(name) end)"), "true");
    // It tells again because a process came.
    let worker = |mut me: Process| async move { while me.receive().await.is_some() {} };
    let pid = scene.node.spawn(worker);
    scene.node.register("newcomer", &pid).expect("the name is free");
    let again = format!(
        "Enum.any?(1..3, fn _ -> {{_, _, lines, _}} = {}; {{'user', 'newcomer'}} in lines end)",
        delivered("app")
    );
    assert_eq!(scene.eval(&again), "true");
    scene.eval("order.(:load, rust, [])");
    assert_eq!(scene.eval(&format!("{{old, new}} = {}; old in 0..100 and new in 0..100", delivered("load"))), "true");
    // It ends when its client says so, as observer does when it leaves the tab.
    scene.eval("ref = Process.monitor(server); Process.exit(server, :normal)");
    assert_eq!(scene.eval("receive do {:DOWN, ^ref, _, _, reason} -> reason after 5000 -> nil end"), ":normal");
}

fn a_node_that_allows_it_not_answers_undef(otp: Otp) {
    let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::beamline(), unique("rust"));
    let builder = Node::builder(&name).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    let _node = runtime.block_on(builder.start()).expect("the node starts");
    let mut beam = Beam::start(otp, &unique("b"), epmd.port(), COOKIE);
    beam.eval(&format!("rust = :{name:?}; Node.connect(rust)"));
    let undefined = "match?({:badrpc, {:EXIT, {:undef, _}}}, :rpc.call(rust, :observer_backend, :sys_info, []))";
    assert_eq!(beam.eval(undefined), "true");
    assert_eq!(beam.eval("is_integer(:rpc.call(rust, :erlang, :memory, [:total]))"), "true");
}

for_each_otp!(
    the_calls_of_its_tabs_are_answered,
    the_window_of_a_process_shows_all_but_its_messages,
    the_tree_of_the_program_is_delivered_when_it_changes,
    a_node_that_allows_it_not_answers_undef,
);

/// How long a tab may take to show what it was told; some ask once in some seconds.
const SHOWN: Duration = Duration::from_secs(30);

#[test]
fn observer_itself_visits_every_tab() {
    const TEST: &str = "observer_itself_visits_every_tab";
    let Some(display) = Display::start(1000, 700) else {
        return skip(TEST, "Xvfb (Debian's xvfb)");
    };
    let mut scene = Scene::new(Otp::Host, Some(&display.name()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/observer.exs");
    scene.eval(&format!("length(Code.compile_file({:?}))", script.to_string_lossy()));
    if scene.eval("Gui.available?") == "false" {
        return skip(TEST, "observer (Debian's erlang-observer)");
    }
    scene.eval("observer = Gui.start()");
    let name = scene.node.name().to_string();
    let shown = format!("match?({{^rust, {:?}, _}}, Gui.choose(rust))", format!("Observer - {name}"));
    scene.beam.eval_until_within(SHOWN, &shown, "true");
    let version = env!("CARGO_PKG_VERSION");
    let pages = [
        ("System", format!("Enum.all?([\"ERTS Version:\", {version:?}, \"27\"], & &1 in Gui.texts(\"System\"))")),
        // Painted from what its process was sent: how much memory the program has.
        ("Load Charts", "Gui.knows(\"Load Charts\") =~ \"memory: {\"".to_owned()),
        ("Memory Allocators", "Enum.all?([\"total\", \"eheap_alloc\"], & &1 in Gui.allocators())".to_owned()),
        ("Applications", "Gui.knows(\"Applications\") =~ \"counter\"".to_owned()),
        ("Processes", "rows = Gui.processes(); Enum.all?([\"counter\", \"top\", \"rex\"], & &1 in rows)".to_owned()),
        ("Ports", "Gui.knows(\"Ports\") =~ inspect(node())".to_owned()),
        ("Sockets", "\"Number of sockets:\" in Gui.texts(\"Sockets\")".to_owned()),
        ("Table Viewer", "Gui.knows(\"Table Viewer\") =~ inspect(rust)".to_owned()),
    ];
    for (number, (title, condition)) in pages.iter().enumerate() {
        scene.eval(&format!("Gui.open({title:?})"));
        scene.beam.eval_until_within(SHOWN, condition, "true");
        // What is known is painted a moment later.
        scene.eval("Process.sleep(300)");
        let file = format!("observer-{number}-{}", title.to_lowercase().replace(' ', "-"));
        println!("{}", display.screenshot(&file).display());
    }
    scene.eval("Gui.open_process(:rpc.call(rust, :erlang, :whereis, [:counter]))");
    let window = "texts = Gui.process_window(:rpc.call(rust, :erlang, :whereis, [:counter])); \
         Enum.all?([\"Registered Name:\", \"counter\", \"observer::Counter:init/1\"], & &1 in texts)";
    scene.beam.eval_until_within(SHOWN, window, "true");
    scene.eval("Process.sleep(300)");
    println!("{}", display.screenshot("observer-8-process").display());
    // It is the same observer, still at our node, and nothing in it has failed.
    assert_eq!(scene.eval("Process.whereis(:observer) == observer and elem(Gui.shown(), 0) == rust"), "true");
    let said = scene.beam.said();
    assert!(!["CRASH", "crashed", "terminating", "[error]", "badrpc"].iter().any(|word| said.contains(word)), "{said}");
    scene.eval(":observer.stop()");
    scene.runtime.block_on(async { assert!(scene.node.whereis("counter").is_some()) });
}
