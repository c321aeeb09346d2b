//! `beamline notebook run`: what a notebook's cells give at real nodes, and what CI gets to see of it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, Program, for_each_otp, path, unique, wait_until};

for_each_otp!(cells_at_an_elixir_node, erlang_cells_at_an_erlang_node, a_cell_that_never_ends, a_node_that_is_killed,);

/// A notebook's file in a folder of its own.
fn notebook(text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique("notebook"));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("test.livemd");
    fs::write(&file, text).expect("a file");
    file
}

fn command(epmd_port: u16, file: &PathBuf, arguments: &[&str]) -> Command {
    let mut command = Command::new(path("beamline"));
    command.args(["notebook", "run"]).arg(file).args(arguments);
    command.env("ERL_EPMD_PORT", epmd_port.to_string()).env_remove("BEAMLINE_NODE").env_remove("BEAMLINE_COOKIE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(epmd_port: u16, file: &PathBuf, arguments: &[&str]) -> Output {
    command(epmd_port, file, arguments).output().expect("it runs")
}

#[track_caller]
fn json(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}\n{told}"))
}

/// What each cell has come to, in a line.
fn told(json: &Value) -> Vec<String> {
    let cell = |cell: &Value| {
        let result = &cell["output"]["result"];
        let text = result["value"]["text"].as_str().or(result["failed"]["message"].as_str()).unwrap_or("-");
        format!("{} {}", cell["status"].as_str().expect("a status"), text.lines().next().unwrap_or_default())
    };
    json["cells"].as_array().expect("cells").iter().map(cell).collect()
}

const NUMBERS: &str = r#"# Numbers

```elixir
base = 1
```

## First

Text is no cell.

```elixir
x = base + 1
IO.puts("hello #{who}")
x
```

```erlang
Y = X * 10,
io:format("from erlang ~p~n", [Y]),
Y + 1.
```

<!-- livebook:{"branch_parent_index":0} -->

## Branch

```elixir
z = x * 100
```

## Second

```python
print(1)
```

```elixir
Enum.map([%{n: x, m: y}], & &1)
```

```elixir
binding() |> Keyword.keys() |> Enum.sort()
```

```elixir
a = 1

Enum.map([1], fn _ -> raise "boom" end)
```

```elixir
:never
```
"#;

fn cells_at_an_elixir_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let name = unique("elixir");
    let _beam = Beam::start(otp, &name, epmd.port(), "c");
    let file = notebook(NUMBERS);
    let at = ["--node", &name, "--cookie", "c", "--set", "who=CI"];
    let output = run(epmd.port(), &file, &[&at[..], &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let json = json(&output);
    assert_eq!(
        (&json["schema_version"], &json["kind"], &json["success"]),
        (&1.into(), &"elixir".into(), &false.into())
    );
    let expected = [
        "passed 1",
        "passed 2",
        "passed 21",
        "passed 200",
        "skipped -",
        "passed [%{m: 20, n: 2}]",
        // The branch is not above it.
        "passed [:base, :who, :x, :y]",
        "failed ** (RuntimeError) boom",
        "skipped -",
    ];
    assert_eq!(told(&json), expected);
    assert_eq!(json["cells"][1]["output"]["printed"]["text"], "hello CI\n");
    assert_eq!(json["cells"][2]["output"]["printed"]["text"], "from erlang 20\n");
    assert_eq!(json["cells"][5]["output"]["result"]["value"]["table"]["columns"], serde_json::json!(["m", "n"]));
    assert_eq!(json["cells"][7]["output"]["result"]["failed"]["line"], 3);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("failed  Second / cell 8: a = 1"), "{said}");
    assert!(said.contains("on line 3 of the cell:\n        ** (RuntimeError) boom"), "{said}");
    // As a notebook, which holds the same code; the original is as it was.
    let output = run(epmd.port(), &file, &[&at[..], &["-o", "livemd"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("\n<!-- livebook:{\"output\":true} -->\n\n```\nhello CI\n```\n"), "{text}");
    assert!(text.contains("```\n** (RuntimeError) boom"), "{text}");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), NUMBERS);
    let again = notebook(&text);
    let output = run(epmd.port(), &again, &[&at[..], &["-o", "json"]].concat());
    let twice: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told(&twice), expected);
}

fn erlang_cells_at_an_erlang_node(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let name = unique("erlang");
    let mut erl = otp.command("erl");
    erl.args(["-name", &name, "-setcookie", "c", "-noinput", "-start_epmd", "false"]);
    erl.env("ERL_EPMD_PORT", epmd.port().to_string());
    let mut node = Program::spawn(erl);
    wait_until("the node answers", DEADLINE, || {
        node.assert_running();
        let output = Program::run("beamline", epmd.port(), &["ping", &name, "--cookie", "c"]);
        if output.status.success() { Ok(()) } else { Err("it does not") }
    });
    let file = notebook(
        "# E\n\n```elixir\nx = 3\n:io.format(\"over there ~p~n\", [x])\n```\n\n```erlang\nF = fun(A) -> A * X end.\n\
         io:format(\"~ts~n\", [\"ž\"]).\nF(5)\n```\n\n```elixir\n:lists.sum([x, 1])\n```\n\n```erlang\nok,\nerlang:error(oops).\n```\n",
    );
    let output = run(epmd.port(), &file, &["--node", &name, "--cookie", "c", "-o", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let json = json(&output);
    assert_eq!(json["kind"], "erlang");
    assert_eq!(told(&json)[..3], ["passed :ok", "passed 15", "passed 4"]);
    assert_eq!(json["cells"][0]["output"]["printed"]["text"], "over there 3\n");
    assert_eq!(json["cells"][1]["output"]["printed"]["text"], "ž\n");
    let failed = &json["cells"][3]["output"]["result"]["failed"];
    assert_eq!(failed["line"], 2);
    assert!(failed["message"].as_str().expect("a text").contains("oops"), "{failed}");
}

/// A cell that does not end is ended at the node when the time is over; one that spins, too.
fn a_cell_that_never_ends(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let name = unique("elixir");
    let mut beam = Beam::start(otp, &name, epmd.port(), "c");
    for body in ["Process.sleep(:infinity)", "f = fn f -> f.(f) end; f.(f)"] {
        let code = format!(
            "# Ends\n\n## One\n\n```elixir\n1\n```\n\n```elixir\nProcess.register(self(), :cell)\n{body}\n```\n"
        );
        let file = notebook(&format!("{code}\n```elixir\n2\n```\n"));
        let output = run(epmd.port(), &file, &["--node", &name, "--cookie", "c", "--timeout", "3s", "-o", "json"]);
        assert_eq!(output.status.code(), Some(75), "{output:?}");
        assert_eq!(told(&json(&output)), ["passed 1", "aborted -", "skipped -"]);
        beam.eval_until("Process.whereis(:cell)", "nil");
    }
}

fn a_node_that_is_killed(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let name = unique("elixir");
    let mut beam = Beam::start(otp, &name, epmd.port(), "c");
    let file = notebook("# Ends\n\n```elixir\nProcess.register(self(), :cell)\nProcess.sleep(:infinity)\n```\n");
    let arguments = ["--node", &name, "--cookie", "c", "-o", "json"];
    let mut running = Ended(command(epmd.port(), &file, &arguments).spawn().expect("it starts"));
    beam.eval_until("is_pid(Process.whereis(:cell))", "true");
    beam.kill();
    wait_until("the program ends", DEADLINE, || match running.0.try_wait() {
        Ok(Some(status)) if status.code() == Some(69) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

/// Killed with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It has ended, as a rule.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn at_a_rust_node_and_at_none() {
    let epmd = Epmd::beamline();
    let name = unique("app_a");
    let _node = Program::app(epmd.port(), "app_a", &name);
    let file = notebook(
        "# R\n\n## One\n\n```elixir\nhello = AppA.hello()\n```\n\n```elixir\n{hello, region}\n```\n\n```elixir\nNode.self()\n```\n",
    );
    let output = run(epmd.port(), &file, &["--node", &name, "--cookie", "c", "--set", "region=eu=1", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = json(&output);
    assert_eq!(seen["kind"], "rust");
    assert_eq!(told(&seen), ["passed :world", "passed {:world, \"eu=1\"}", &format!("passed :{name:?}")]);
    // Nobody is there to answer, whoever evaluates; at a node of its own, too.
    let asks = notebook("# Asks\n\n```elixir\nIO.gets(\"who? \")\n```\n");
    let output = run(epmd.port(), &asks, &["-o", "json"]);
    let seen = json(&output);
    assert_eq!(told(&seen), ["passed {:error, :enotsup}"]);
    let printed = seen["cells"][0]["output"]["printed"]["text"].as_str().expect("a text");
    assert!(printed.contains("nobody is here to answer: put the text into the cell, or give it by --set"), "{printed}");
    // At a node of its own nobody has that function.
    let output = run(epmd.port(), &file, &["-o", "junit", "--set", "region=eu"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let xml = String::from_utf8(output.stdout).expect("UTF-8");
    let counts = r#"<testsuite name="R" tests="3" failures="1" errors="0" skipped="2""#;
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>"), "{xml}");
    assert!(xml.contains(counts), "{xml}");
    assert!(xml.contains(r#"<testcase classname="One" name="cell 1: hello = AppA.hello()" "#), "{xml}");
    assert!(xml.contains("<failure message=\"** (UndefinedFunctionError)"), "{xml}");
    assert!(xml.contains("line 1 of the cell"), "{xml}");
}

#[test]
fn what_is_wrong_has_an_exit_code_of_its_own() {
    let epmd = Epmd::beamline();
    let name = unique("app_a");
    let _node = Program::app(epmd.port(), "app_a", &name);
    let file = notebook("# R\n\n```elixir\n1\n```\n");
    let code = |arguments: &[&str]| {
        let output = run(epmd.port(), &file, arguments);
        assert!(output.stdout.is_empty(), "{output:?}");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let at = ["--node", name.as_str(), "--cookie", "c"];
    assert_eq!(code(&at).0, Some(0));
    let (exit, told) = code(&["--node", &name, "--cookie", "wrong"]);
    assert_eq!(exit, Some(77), "{told}");
    assert!(!told.contains("wrong\""), "{told}");
    let (exit, told) = code(&["--node", &unique("nobody"), "--cookie", "c"]);
    assert_eq!(exit, Some(69), "{told}");
    assert!(told.contains("beamline doctor"), "{told}");
    assert_eq!(code(&[&at[..], &["--set", "Name=1"]].concat()).0, Some(2));
    assert_eq!(code(&[&at[..], &["--set", "name"]].concat()).0, Some(2));
    let missing = PathBuf::from("/nowhere/test.livemd");
    assert_eq!(run(epmd.port(), &missing, &at).status.code(), Some(2));
}
