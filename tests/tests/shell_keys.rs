//! What is pressed at the shell's prompt: editing, history, pasting, typing ahead, and questions that expressions ask.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use whole_clusters::{Beam, DEADLINE, Epmd, Otp, Program, Terminal, path, unique, wait_until};

/// A Rust node, and a shell at it.
fn at_a_rust_node(epmd: &Epmd, variables: &[(&str, String)]) -> (Program, String, Terminal) {
    let name = unique("app_a");
    let node = Program::app(epmd.port(), "app_a", &name);
    let shell = Terminal::beamline_with(&["shell", "--remsh", &name, "--cookie", "c"], variables);
    (node, name, shell)
}

/// What is typed while an expression runs is there at the next prompt, whole lines and the beginning of one.
#[test]
fn what_is_typed_ahead_is_kept() {
    let epmd = Epmd::erlang(Otp::Host);
    let name = unique("elixir");
    let _beam = Beam::start(Otp::Host, &name, epmd.port(), "c");
    let mut shell = Terminal::beamline(epmd.port(), &["shell", "--remsh", &name, "--cookie", "c"]);
    shell.sees(&format!("iex({name})1> "));
    shell.press("IO.puts(\"it runs\"); Process.sleep(1_500)\r");
    shell.sees("\nit runs");
    shell.press("x = 40\rx + 2\r[x, ");
    shell.sees(&format!("iex({name})2> x = 40"));
    shell.sees("\n42\n");
    shell.sees(&format!("iex({name})4> [x, "));
    shell.press(":end]\r");
    shell.sees("\n[40, :end]\n");
    // It is shown once, where it belongs.
    assert_eq!(shell.shows().matches("x = 40").count(), 1, "{}", shell.shows());
    shell.leaves(&format!("iex({name})5> "));
}

/// A pasted text is one entry, however many lines it has, and nothing runs before Enter.
#[test]
fn what_is_pasted_is_one_entry() {
    let epmd = Epmd::beamline();
    let (_node, name, mut shell) = at_a_rust_node(&epmd, &Terminal::variables(epmd.port()));
    shell.sees(&format!("iex({name})1> "));
    let lines: Vec<String> = (1..=30).map(|number| format!("  {number},")).collect();
    shell.press(&format!("\u{1b}[200~Enum.sum([\n{}\n  0\n])\u{1b}[201~", lines.join("\n")));
    shell.sees("  30,");
    assert!(!shell.shows().contains("465"), "{}", shell.shows());
    shell.press("\r");
    shell.sees("\n465\n");
    // Two expressions in one text are one entry as well.
    shell.sees(&format!("iex({name})2> "));
    shell.press("\u{1b}[200~y = 5\ny * 2\u{1b}[201~\r");
    shell.sees("\n10\n");
    shell.leaves(&format!("iex({name})3> "));
}

/// An entry of many lines is found again as a whole by the next shell, by Up and by Ctrl-R; what begins with a blank is not.
#[test]
fn the_history_outlives_the_shell() {
    let epmd = Epmd::beamline();
    let variables = Terminal::variables(epmd.port());
    let (_node, name, mut shell) = at_a_rust_node(&epmd, &variables);
    shell.answers(&format!("iex({name})1> "), "Enum.map([1, 2], fn x ->\r  x * 21\rend)", "[21, 42]");
    shell.answers(&format!("iex({name})2> "), "1 + 1", "2");
    shell.answers(&format!("iex({name})3> "), "1 + 1", "2");
    shell.answers(&format!("iex({name})4> "), " :not_kept", ":not_kept");
    shell.leaves(&format!("iex({name})5> "));
    let folder = Path::new(&variables[1].1).join("beamline");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("history"))), (0o700, 0o600));

    let mut shell = Terminal::beamline_with(&["shell", "--remsh", &name, "--cookie", "c"], &variables);
    shell.sees(&format!("iex({name})1> "));
    shell.press("\u{1b}[A");
    shell.sees(&format!("iex({name})1> 1 + 1"));
    // The same entry twice in a row is one.
    shell.press("\u{1b}[A");
    shell.sees("  x * 21");
    shell.press("\r");
    shell.sees("\n[21, 42]\n");
    shell.sees(&format!("iex({name})2> "));
    shell.press("\u{12}x * 21");
    shell.sees("(search: x * 21)");
    shell.press("\r");
    wait_until("what was searched is evaluated", DEADLINE, || {
        let shows = shell.shows();
        if shows.matches("[21, 42]").count() == 2 { Ok(()) } else { Err(shows) }
    });
    // It is in the history as if it had been typed. What is found and then edited runs when it is done.
    shell.sees(&format!("iex({name})3> "));
    shell.press("\u{12}1 +\u{1b}[C + 40\r");
    shell.sees("\n42\n");
    shell.sees(&format!("iex({name})4> "));
    shell.press("\u{1b}[A\u{1b}[A\r");
    wait_until("what was searched is the last but one", DEADLINE, || {
        let shows = shell.shows();
        if shows.matches("[21, 42]").count() == 3 { Ok(()) } else { Err(shows) }
    });
    // Nothing is found: the line is what it was.
    shell.sees(&format!("iex({name})5> "));
    shell.press(":typed\u{12}nobody typed this\r");
    shell.sees("\n:typed\n");
    shell.leaves(&format!("iex({name})6> "));
}

/// As in iex; the first one alone only gives up the line, and one that interrupts what runs does not count.
#[test]
fn ctrl_c_twice_leaves() {
    let epmd = Epmd::beamline();
    let (mut node, name, mut shell) = at_a_rust_node(&epmd, &Terminal::variables(epmd.port()));
    let prompt = |counter: usize| format!("iex({name}){counter}> ");
    shell.sees(&prompt(1));
    shell.press("not this");
    shell.gives_up(&prompt(1));
    shell.gives_up(&prompt(1));
    shell.sees("(Ctrl+C again leaves)");
    shell.answers(&prompt(1), ":still_here", ":still_here");
    shell.sees(&prompt(2));
    shell.press("IO.puts(\"it runs\"); Enum.reduce(1..100_000_000, 0, & &1 + &2)\r");
    shell.sees("\nit runs");
    shell.press("\u{3}");
    shell.sees(&prompt(3));
    shell.gives_up(&prompt(3));
    shell.press("\u{3}");
    shell.ends();
    node.assert_running();
}

/// Ctrl-O and Alt-O give the line to $VISUAL, which may have arguments, and is no program that has to be there.
#[test]
fn the_line_goes_to_an_editor() {
    let epmd = Epmd::beamline();
    let mut variables = Terminal::variables(epmd.port());
    let folder = Path::new(&variables[1].1).to_path_buf();
    fs::create_dir_all(&folder).expect("a folder");
    let editor = folder.join("an editor");
    fs::write(&editor, "#!/bin/sh\n[ \"$1\" = --now ] && sed -i 's/1/20/' \"$2\" && echo '+ 2' >> \"$2\"\n")
        .expect("a file");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).expect("a mode");
    variables.push(("VISUAL", format!("'{}' --now", editor.display())));
    let (_node, name, mut shell) = at_a_rust_node(&epmd, &variables);
    for (key, counter) in [("\u{f}", 1), ("\u{1b}o", 2)] {
        shell.sees(&format!("iex({name}){counter}> "));
        shell.press("1 ");
        shell.press(key);
        shell.sees(&format!("iex({name}){counter}> 20"));
        shell.press("\r");
        wait_until("the edited line is evaluated", DEADLINE, || {
            let shows = shell.shows();
            if shows.matches("\n22\n").count() == counter { Ok(()) } else { Err(shows) }
        });
    }
    shell.leaves(&format!("iex({name})3> "));
    let left: Vec<_> =
        fs::read_dir(folder.join("beamline")).expect("a folder").flatten().map(|file| file.file_name()).collect();
    assert_eq!(left, ["history"]);

    if let Some(visual) = variables.last_mut() {
        visual.1 = "nobody-has-this-editor".to_owned();
    }
    let mut shell = Terminal::beamline_with(&["shell", "--remsh", &name, "--cookie", "c"], &variables);
    shell.sees(&format!("iex({name})1> "));
    shell.press("1 + 1\u{f}");
    shell.sees("nobody-has-this-editor: not found\npress Enter");
    shell.press("\r\r");
    shell.sees("\n2\n");
    shell.leaves(&format!("iex({name})2> "));
}

/// Where expressions run here, and where they run there.
#[test]
fn an_expression_asks() {
    let epmd = Epmd::erlang(Otp::Host);
    let (rust, elixir, own) = (unique("app_a"), unique("elixir"), unique("own"));
    let _node = Program::app(epmd.port(), "app_a", &rust);
    let _beam = Beam::start(Otp::Host, &elixir, epmd.port(), "c");
    let remsh = |name: &str| Terminal::beamline(epmd.port(), &["shell", "--remsh", name, "--cookie", "c"]);
    let at_home = Terminal::beamline(epmd.port(), &["shell", "--name", &own, "--cookie", "c"]);
    for (name, mut shell) in [(&rust, remsh(&rust)), (&elixir, remsh(&elixir)), (&own, at_home)] {
        shell.sees(&format!("iex({name})1> "));
        shell.press("name = IO.gets(\"your name? \")\r");
        shell.sees("\nyour name? ");
        shell.press("Joe\r");
        shell.sees("\n\"Joe\\n\"\n");
        shell.answers(&format!("iex({name})2> "), "String.trim(name)", "\"Joe\"");
        // The answer was typed ahead.
        shell.sees(&format!("iex({name})3> "));
        shell.press("IO.gets(\"again? \")\rMike\r");
        shell.sees("\n\"Mike\\n\"\n");
        // Ctrl-C gives up the whole expression, Ctrl-D the answer.
        shell.sees(&format!("iex({name})4> "));
        shell.press("{IO.gets(\"and now? \"), :went_on}\r");
        shell.sees("\nand now? ");
        shell.press("\u{3}");
        shell.sees(&format!("iex({name})5> "));
        assert!(!shell.shows().contains(":went_on}\n{"), "{}", shell.shows());
        shell.press("{:end, IO.gets(\"the last? \")}\r");
        shell.sees("\nthe last? ");
        shell.press("\u{4}");
        shell.sees("{:end, :eof}");
        shell.answers(&format!("iex({name})6> "), "{v(-1), v(2)}", "{{:end, :eof}, \"Joe\"}");
        shell.leaves(&format!("iex({name})7> "));
    }
}

/// The values of `v()`: the last, that of a line, so many back, and no more than twenty.
#[test]
fn values_are_kept() {
    let epmd = Epmd::erlang(Otp::Host);
    let (rust, elixir) = (unique("app_a"), unique("elixir"));
    let _node = Program::app(epmd.port(), "app_a", &rust);
    let _beam = Beam::start(Otp::Host, &elixir, epmd.port(), "c");
    for name in [&rust, &elixir] {
        let run = |lines: &str| {
            let mut command = std::process::Command::new(path("beamline"));
            command.args(["shell", "--remsh", name, "--cookie", "c"]).env("ERL_EPMD_PORT", epmd.port().to_string());
            let file = std::env::temp_dir().join(unique("lines"));
            fs::write(&file, lines).expect("a file");
            command.stdin(fs::File::open(&file).expect("a file"));
            let output = command.output().expect("the shell runs");
            let _ = fs::remove_file(file);
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert_eq!(
            run(":one\n:two\nv(1)\nv(-2)\nv()\n|> is_atom()\n"),
            ":one\n:two\n:one\n:two\n:two\ntrue\n",
            "{name}"
        );
        let many: String = (1..=25).map(|number| format!("{number}\n")).collect();
        let said = run(&format!("{many}v(6)\nv(5)\n"));
        let last: Vec<&str> = said.lines().skip(25).collect();
        assert_eq!(last[0], "6", "{name}: {said}");
        assert!(last[1].starts_with("** (RuntimeError) v(5) is out of bounds"), "{name}: {said}");
    }
}
