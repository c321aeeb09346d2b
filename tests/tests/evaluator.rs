//! Evaluation at real nodes, as shells and notebooks have it: contexts that build on each other, lanes beside each other, and
//! what happens when an evaluation, or the node, is ended.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use beamline::console::{Context, Device, Evaluated, Evaluator, Lane, Language, Outlet, Reading, Style, Text};
use beamline::node::{Epmd, Node};
use whole_clusters::{Beam, DEADLINE, Otp, Program, for_each_otp, unique, wait_until};

for_each_otp!(
    contexts_build_on_each_other,
    a_context_is_forgotten,
    what_runs_is_ended,
    a_flood_waits_for_its_device,
    what_is_read_is_asked_of_the_device,
    what_an_erlang_node_reads_is_too,
    who_ends_asks_no_more,
    a_node_that_dies_is_told,
);

/// Counts what is printed, and lets whoever prints wait.
#[derive(Default)]
struct Slow {
    printed: AtomicUsize,
    pressure: Duration,
}

impl Device for Slow {
    fn print(&self, _text: &str) {
        self.printed.fetch_add(1, Ordering::SeqCst);
    }

    fn pressure(&self) -> Duration {
        self.pressure
    }
}

/// A real node, and an evaluator at it.
struct Place {
    beam: Beam,
    node: Node,
    evaluator: Evaluator,
    outlet: Outlet,
}

impl Place {
    async fn at(otp: Otp, epmd: &whole_clusters::Epmd, device: Arc<dyn Device>) -> Place {
        let name = unique("elixir");
        let beam = Beam::start(otp, &name, epmd.port(), "c");
        let target = name.parse().expect("a name");
        let node = Node::guest(&target).cookie("c").epmd(Epmd::on_port(epmd.port())).start().await.expect("a guest");
        let outlet = Outlet::new(&node, device);
        let evaluator = Evaluator::start(&node, &target, Style::default(), &outlet, DEADLINE).await;
        Place { beam, node, evaluator: evaluator.expect("it answers"), outlet }
    }

    async fn run(&self, code: &str, lane: u64, context: u64, above: Option<u64>) -> Evaluated {
        self.run_as(Language::Elixir, code, lane, context, above).await
    }

    async fn run_as(&self, language: Language, code: &str, lane: u64, context: u64, above: Option<u64>) -> Evaluated {
        let text = Text {
            code,
            language,
            file: "notebook#1",
            line: 1,
            width: 80,
            rows: 10,
            lane: Lane(lane),
            context: Context(context),
            above: above.map(Context),
        };
        self.evaluator.evaluate(&text, &self.outlet).await
    }

    /// The value of a text that has one.
    async fn value(&self, code: &str, lane: u64, context: u64, above: Option<u64>) -> String {
        match self.run(code, lane, context, above).await {
            Evaluated::Value { text, .. } => text,
            other => panic!("{code} gave {other:?}"),
        }
    }
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(test)
}

fn contexts_build_on_each_other(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let place = Place::at(otp, &epmd, Arc::new(Slow::default())).await;
        assert_eq!(place.value("x = 1\nimport Bitwise", 0, 1, None).await, "Bitwise");
        assert_eq!(place.value("y = x + 1; {x, y, 6 &&& 3}", 0, 2, Some(1)).await, "{1, 2, 2}");
        // Beside it, not on it.
        assert_eq!(place.value("binding()", 1, 3, Some(1)).await, "[x: 1]");
        // What fails binds nothing, and tells its line.
        let failed = place.run("z = 1\n\nraise \"no\"", 0, 4, Some(2)).await;
        let Evaluated::Failed { told, line } = failed else { panic!("{failed:?}") };
        assert_eq!((told.as_str(), line), ("** (RuntimeError) no", Some(3)));
        assert_eq!(place.value("binding() |> Enum.sort()", 0, 5, Some(4)).await, "[]");
        let inside = "defmodule M do\n  def f(x) do\n    1 / x\n  end\nend\n\nM.f(0)";
        let failed = place.run(inside, 0, 6, Some(1)).await;
        assert!(matches!(failed, Evaluated::Failed { line: Some(3), .. }), "{failed:?}");
        let unknown = place.run("a = 1\nunknown + a", 0, 6, Some(1)).await;
        assert!(matches!(unknown, Evaluated::Failed { line: Some(2), .. }), "{unknown:?}");
        // A table of like rows.
        let rows = place.run("for n <- 1..12, do: %{n: n, name: \"row #{n}\"}", 0, 7, None).await;
        let Evaluated::Value { table: Some(table), .. } = rows else { panic!("{rows:?}") };
        assert_eq!(
            (table.columns.as_slice(), table.rows.len(), table.total),
            (&["n".into(), "name".into()][..], 10, 12)
        );
        assert_eq!(table.rows[9], ["10", "row 10"]);
    });
}

fn a_context_is_forgotten(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let place = Place::at(otp, &epmd, Arc::new(Slow::default())).await;
        assert_eq!(place.value("x = 1", 0, 1, None).await, "1");
        place.evaluator.forget(&[Context(1)]).await;
        assert_eq!(place.value("binding()", 0, 2, Some(1)).await, "[]");
    });
}

fn what_runs_is_ended(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let mut place = Place::at(otp, &epmd, Arc::new(Slow::default())).await;
        assert_eq!(place.value("x = 1", 0, 1, None).await, "1");
        let sleeps = "Process.register(self(), :sleeper); Process.sleep(:infinity)";
        let spins = "Process.register(self(), :spinner); f = fn f -> f.(f) end; f.(f)";
        for (code, name) in [(sleeps, "sleeper"), (spins, "spinner")] {
            let other = place.run("receive do :go -> x end", 1, 3, Some(1));
            let (mut running, mut other) = (std::pin::pin!(place.run(code, 0, 2, Some(1))), std::pin::pin!(other));
            let registered = async {
                while place.value(&format!("Process.whereis(:{name}) != nil"), 2, 9, None).await == "false" {}
            };
            tokio::select! {
                ended = &mut running => panic!("{code} gave {ended:?}"),
                ended = &mut other => panic!("it does not wait: {ended:?}"),
                () = registered => {}
            }
            place.evaluator.interrupt(Lane(0)).await;
            let ended = tokio::time::timeout(DEADLINE, running).await.expect("it ends in time");
            assert!(matches!(ended, Evaluated::Ended(_)), "{ended:?}");
            assert_eq!(place.value(&format!("Process.whereis(:{name})"), 2, 9, None).await, "nil");
            // The other lane runs on, and its context is there.
            place.evaluator.interrupt(Lane(1)).await;
            assert!(matches!(other.await, Evaluated::Ended(_)));
            assert_eq!(place.value("x", 0, 2, Some(1)).await, "1");
        }
        // With us everything of ours goes.
        let begins = place.run("Process.register(self(), :sleeper); Process.sleep(:infinity)", 0, 2, None);
        let registered = async { while place.value("Process.whereis(:sleeper)", 2, 9, None).await == "nil" {} };
        tokio::select! {
            ended = begins => panic!("it does not wait: {ended:?}"),
            () = registered => {}
        }
        place.node.stop().await;
        place.beam.eval_until("Process.whereis(:sleeper)", "nil");
    });
}

fn a_flood_waits_for_its_device(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let pressure = Duration::from_millis(50);
        let device = Arc::new(Slow { pressure, ..Slow::default() });
        let shared: Arc<Slow> = Arc::clone(&device);
        let place = Place::at(otp, &epmd, shared).await;
        let began = Instant::now();
        let flood = place.run("Stream.repeatedly(fn -> IO.puts(\"flood\") end) |> Stream.run()", 0, 1, None);
        let others = async {
            while device.printed.load(Ordering::SeqCst) < 10 {
                assert_eq!(place.value("1 + 1", 1, 2, None).await, "2");
            }
        };
        tokio::select! {
            ended = flood => panic!("it ended: {ended:?}"),
            () = others => {}
        }
        let most = began.elapsed().as_millis() / pressure.as_millis() + 1;
        assert!(device.printed.load(Ordering::SeqCst) as u128 <= most, "it did not wait");
        place.evaluator.interrupt(Lane(0)).await;
    });
}

/// Has some lines to read, and keeps the prompts.
#[derive(Default)]
struct Lines {
    lines: Mutex<VecDeque<&'static str>>,
    prompts: Mutex<Vec<String>>,
}

impl Device for Lines {
    fn print(&self, _text: &str) {}

    fn read_line(self: Arc<Self>, prompt: String) -> Reading {
        self.prompts.lock().expect("no panic").push(prompt);
        let line = self.lines.lock().expect("no panic").pop_front();
        Box::pin(std::future::ready(line.map(|line| format!("{line}\n"))))
    }
}

fn what_is_read_is_asked_of_the_device(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let device = Arc::new(Lines::default());
        let place = Place::at(otp, &epmd, Arc::<Lines>::clone(&device)).await;
        let say = |lines: &[&'static str]| device.lines.lock().expect("no panic").extend(lines);
        say(&["Žofie", "yes", "{a,", "1}.", "42"]);
        let code = "a = IO.gets(\"who? \")
            b = {IO.getn(\"\", 2), IO.read(:line)}
            {:ok, c} = :io.read(:term)
            {:ok, [d]} = :io.fread(\"\", ~c\"~d\")
            {a, b, c, d, IO.gets(\"last? \")}";
        let expected = r#"{"Žofie\n", {"ye", "s\n"}, {:a, 1}, 42, :eof}"#;
        assert_eq!(place.value(code, 0, 1, None).await, expected);
        // Who reads a term is asked for each line of it.
        let prompts = ["who? ", "", "term", "term", "", "last? "].map(str::to_owned);
        assert_eq!(*device.prompts.lock().expect("no panic"), prompts);
        // Erlang reads lists, as in its own shell.
        say(&["Ann", "yes"]);
        let read = place.run_as(Language::Erlang, "{io:get_line(\"who? \"), io:get_chars(\"\", 2)}", 0, 1, None).await;
        assert!(matches!(&read, Evaluated::Value { text, .. } if text == r#"{"Ann\n","ye"}"#), "{read:?}");
    });
}

fn what_an_erlang_node_reads_is_too(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    let name = unique("erlang");
    let mut erl = otp.command("erl");
    erl.args(["-name", &name, "-setcookie", "c", "-noinput", "-start_epmd", "false"]);
    erl.env("ERL_EPMD_PORT", epmd.port().to_string());
    let _erl = Program::spawn(erl);
    wait_until("the node answers", DEADLINE, || {
        let output = Program::run("beamline", epmd.port(), &["ping", &name, "--cookie", "c"]);
        if output.status.success() { Ok(()) } else { Err("it does not") }
    });
    block_on(async {
        let target = name.parse().expect("a name");
        let node = Node::guest(&target).cookie("c").epmd(Epmd::on_port(epmd.port())).start().await.expect("a guest");
        let device = Arc::new(Lines::default());
        let outlet = Outlet::new(&node, Arc::<Lines>::clone(&device));
        let evaluator = Evaluator::start(&node, &target, Style::default(), &outlet, DEADLINE).await;
        let evaluator = evaluator.expect("it answers");
        device.lines.lock().expect("no panic").extend(["Ann", "yes", "{a, 1}."]);
        for (language, code, expected) in [
            (Language::Erlang, "{io:get_line(\"who? \"), io:get_chars(\"\", 2)}.", r#"{"Ann\n","ye"}"#),
            // What its line has left, by a function that is called there.
            (Language::Elixir, ":file.read_line(:standard_io)", r#"{:ok, "s\n"}"#),
            (Language::Elixir, "{:io.read(~c\"term\"), IO.gets(\"\")}", "{{:ok, {:a, 1}}, :eof}"),
        ] {
            let (lane, context) = (Lane(0), Context(1));
            let text =
                Text { code, language, file: "notebook#1", line: 1, width: 80, rows: 0, lane, context, above: None };
            let read = evaluator.evaluate(&text, &outlet).await;
            assert!(matches!(&read, Evaluated::Value { text, .. } if text == expected), "{code}: {read:?}");
        }
    });
}

/// Is asked, and never answers.
#[derive(Default)]
struct Deaf {
    printed: AtomicUsize,
    asked: AtomicBool,
}

/// A question that is open until it is dropped.
struct Open(Arc<Deaf>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.asked.store(false, Ordering::SeqCst);
    }
}

impl Device for Deaf {
    fn print(&self, _text: &str) {
        self.printed.fetch_add(1, Ordering::SeqCst);
    }

    fn read_line(self: Arc<Self>, _prompt: String) -> Reading {
        self.asked.store(true, Ordering::SeqCst);
        let open = Open(self);
        Box::pin(async move {
            let _open = open;
            std::future::pending().await
        })
    }
}

fn who_ends_asks_no_more(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let device = Arc::new(Deaf::default());
        let place = Place::at(otp, &epmd, Arc::<Deaf>::clone(&device)).await;
        let prints = "me = self()
            spawn(fn -> Stream.repeatedly(fn -> IO.puts(\"beside\") end) |> Enum.take(3); send(me, :printed) end)";
        let code = format!("{prints}\nIO.gets(\"never? \")");
        let others = async {
            // Others print while it waits.
            while device.printed.load(Ordering::SeqCst) < 3 || !device.asked.load(Ordering::SeqCst) {
                assert_eq!(place.value("1 + 1", 1, 2, None).await, "2");
            }
        };
        let mut asks = std::pin::pin!(place.run(&code, 0, 1, None));
        tokio::select! {
            ended = &mut asks => panic!("it ended: {ended:?}"),
            () = others => {}
        }
        place.evaluator.interrupt(Lane(0)).await;
        assert!(matches!(asks.await, Evaluated::Ended(_)));
        // Its leader serves others again.
        assert_eq!(place.value("IO.puts(\"after\")", 0, 1, None).await, ":ok");
        assert!(!device.asked.load(Ordering::SeqCst), "the question was given up");
    });
}

fn a_node_that_dies_is_told(otp: Otp) {
    let epmd = whole_clusters::Epmd::erlang(otp);
    block_on(async {
        let mut place = Place::at(otp, &epmd, Arc::new(Slow::default())).await;
        let evaluator = place.evaluator.clone();
        let running = tokio::spawn({
            let (evaluator, outlet) = (evaluator.clone(), Outlet::new(&place.node, Arc::new(Slow::default())));
            async move {
                let text = Text {
                    code: "Process.register(self(), :sleeper); Process.sleep(:infinity)",
                    language: Language::Elixir,
                    file: "notebook#1",
                    line: 1,
                    width: 80,
                    rows: 0,
                    lane: Lane(0),
                    context: Context(1),
                    above: None,
                };
                evaluator.evaluate(&text, &outlet).await
            }
        });
        place.beam.eval_until("is_pid(Process.whereis(:sleeper))", "true");
        place.beam.kill();
        let ended = tokio::time::timeout(DEADLINE, running).await.expect("it is told in time").expect("no panic");
        assert_eq!(ended, Evaluated::Lost);
        tokio::time::timeout(DEADLINE, evaluator.lost()).await.expect("it is told in time");
    });
}
