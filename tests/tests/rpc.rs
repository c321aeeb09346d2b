//! `beamline rpc`, as scripts use it: at one node, at all of a cluster, and with an end to its patience.

use std::process::Output;

use serde_json::{Value, json};
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, Program, for_each_otp, unique, wait_until};

for_each_otp!(all_of_it_has_one_deadline);

fn rpc(epmd_port: u16, arguments: &[&str]) -> Output {
    Program::run("beamline", epmd_port, &[&["rpc", "--cookie", "c"], arguments].concat())
}

#[test]
fn single_expressions_for_scripts() {
    let epmd = Epmd::erlang(Otp::Host);
    let (rust, elixir) = (unique("app_a"), unique("elixir"));
    let _node = Program::app(epmd.port(), "app_a", &rust);
    let _beam = Beam::start(Otp::Host, &elixir, epmd.port(), "c");
    let run = |node: &str, rest: &[&str]| {
        let output = rpc(epmd.port(), &[&[node, "--timeout", "20s"], rest].concat());
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).trim_end().to_owned())
    };
    for node in [&rust, &elixir] {
        for (rest, code, said) in [
            (&["Enum.sum(1..4) * 2"][..], 0, "20"),
            (&["x = [a: 1]; x[:a]"], 0, "1"),
            (&["IO.puts(\"hi\")"], 0, "hi\n:ok"),
            (&["-o", "json", "%{a: [1, nil, \"x\", {:b, 2.5}]}"], 0, r#"{"a":[1,null,"x",["b",2.5]]}"#),
            (&["-o", "erlang", "%{a: \"x\"}"], 0, r#"#{a => <<"x">>}"#),
        ] {
            assert_eq!(run(node, rest), (code, said.to_owned()), "{node} {rest:?}");
        }
        for (expression, code, part) in [
            ("raise \"no\"", 1, "** (RuntimeError) no"),
            ("Nobody.here()", 1, "Nobody.here/0 is undefined"),
            ("1 + )", 2, "1:5"),
            ("Enum.map([1], fn x ->", 2, "column"),
        ] {
            let (got, said) = run(node, &[expression]);
            assert_eq!(got, code, "{node} {expression}: {said}");
            assert!(said.contains(part), "{node} {expression}: {said}");
        }
    }
}

/// The time that is given is for connecting and for all that the expression does; the node stops evaluating as well.
fn all_of_it_has_one_deadline(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let (rust, elixir) = (unique("app_a"), unique("elixir"));
    let _node = Program::app(epmd.port(), "app_a", &rust);
    let mut beam = Beam::start(otp, &elixir, epmd.port(), "c");
    let forever = "Enum.reduce(1..10_000_000_000, 0, & &1 + &2)";
    let waits = "Process.register(self(), :asked); IO.puts(\"begun\"); :timer.sleep(:infinity)";
    // A Rust node bounds the steps too, which a fast machine takes within two seconds.
    let asked = [(&rust, forever, "1s", ""), (&elixir, forever, "3s", ""), (&elixir, waits, "3s", "begun\n")];
    for (node, expression, time, printed) in asked {
        let output = rpc(epmd.port(), &[node, expression, "--timeout", time]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(75), "{node} {expression}: {told}");
        assert!(told.contains(&format!("no answer from {node} within {time}; --timeout gives it more")), "{told}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), printed);
    }
    beam.eval_until("Process.whereis(:asked)", "nil");
}

#[test]
fn at_all_nodes_of_a_cluster() {
    let epmd = Epmd::erlang(Otp::Host);
    let (a, b, elixir) = (unique("app_a"), unique("app_b"), unique("elixir"));
    let _nodes = [Program::app(epmd.port(), "app_a", &a), Program::app(epmd.port(), "app_b", &b)];
    let mut beam = Beam::start(Otp::Host, &elixir, epmd.port(), "c");
    for node in [&a, &b] {
        assert_eq!(beam.eval(&format!("Node.connect(:{node:?})")), "true");
    }
    let within = |time: &str, rest: &[&str]| {
        let output = rpc(epmd.port(), &[&["@all", "--via", &a, "--timeout", time], rest].concat());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let ask = |rest: &[&str]| within("20s", rest);
    // They meet each other by the one that knows both.
    wait_until("all are asked", DEADLINE, || match ask(&["Node.self()"]) {
        (Some(0), said, _) if said == format!("{a}: :{a:?}\n{b}: :{b:?}\n{elixir}: :{elixir:?}\n") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    // A long value is one line; what is printed is no data.
    let (code, said, told) = ask(&["IO.puts(\"one\\ntwo\"); Enum.to_list(1..40)"]);
    assert_eq!((code, said.lines().count()), (Some(0), 3), "{said}");
    for name in [&a, &b, &elixir] {
        assert!(said.contains(&format!("{name}: [1, 2, 3")), "{said}");
        assert!(told.contains(&format!("{name}: one\n")) && told.contains(&format!("{name}: two\n")), "{told}");
    }
    // Where it fails, the others have answered.
    let (code, said, told) = ask(&["AppA.hello()"]);
    assert_eq!((code, said), (Some(1), format!("{a}: :world\n")));
    for name in [&b, &elixir] {
        assert!(told.contains(&format!("{name}: ** (UndefinedFunctionError)")), "{told}");
    }
    let (code, said, _) = ask(&["-o", "json", "AppB.hello()"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((code, lines.len()), (Some(1), 3), "{said}");
    assert_eq!(lines[1..], [json!({ "node": b, "value": "world" }), json!({ "node": elixir, "value": "world" })]);
    assert!(lines[0]["error"].as_str().is_some_and(|error| error.contains("AppB.hello/0 is undefined")), "{said}");
    // Who is late is told of, after those that have answered.
    let slow = format!("if Node.self() == :{elixir:?}, do: :timer.sleep(:infinity), else: :quick");
    let (code, said, told) = within("3s", &[&slow]);
    assert_eq!((code, said), (Some(75), format!("{a}: :quick\n{b}: :quick\n")), "{told}");
    assert_eq!(told.trim_end(), format!("{elixir}: no answer from {elixir} within 3s; run: beamline doctor {elixir}"));

    let nowhere = rpc(epmd.port(), &["@all", "1"]);
    assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
}
