//! A notebook as somebody meets it who sits at a browser: written, run, saved and found again, by keys. Pictures go to
//! `target/screenshots`.

use whole_clusters::chrome::{ENTER, ESCAPE};
use whole_clusters::{Beam, Chrome, DEADLINE, Epmd, Otp, Program, Site, skip, unique, wait_until};

const NEEDS: &str = "chromium, chromedriver";
/// Keys that are held, and their release.
const CONTROL: &str = "\u{e009}";
const SHIFT: &str = "\u{e008}";
const RELEASE: &str = "\u{e000}";

const FILE: &str = "\
# Incident 42

## What there is

This notebook runs *at a node*:

* nothing is loaded into it
* nothing runs by itself

```elixir
a = 20
```

```elixir
IO.puts(\"\\e[32mlooking\\e[0m\")
[%{name: \"billing\", queue: 3}, %{name: \"orders\", queue: 12}]
```

## What goes wrong

```elixir
b = a
raise \"no\"
```
";

/// A notebook that is open in a browser, with its cells at a node.
struct Open {
    folder: tempfile::TempDir,
    site: Site,
    chrome: Chrome,
}

impl Open {
    fn start(epmd: &Epmd, node: &str) -> Option<Self> {
        let chrome = Chrome::start()?;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("incident.livemd");
        std::fs::write(&file, FILE).expect("it is written");
        let file = file.to_str().expect("it is text");
        let site = Site::start(epmd.port(), &["notebook", file, "--node", node, "--cookie", "c"]);
        chrome.open(site.address());
        chrome.wait_until("the node is attached", || chrome.count("#runtime .chip[data-state=ok]") == 1);
        assert_eq!(chrome.address(), site.at("/notebook/incident.livemd"), "the token is not kept");
        Some(Self { folder, site, chrome })
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("incident.livemd")).expect("it is there")
    }

    fn writes(&self) {
        self.chrome.wait_until("the text has the cursor", || {
            self.chrome.script("return document.activeElement.tagName") == "TEXTAREA"
        });
    }

    /// What the chosen cell gave.
    fn value(&self) -> String {
        let script = "return document.querySelector('.cell.chosen .value')?.textContent || ''";
        self.chrome.script(script).as_str().unwrap_or_default().to_owned()
    }

    fn saved(&self) -> bool {
        self.chrome.count("#file .chip[data-state=ok]") == 1
    }
}

/// What is the same at every kind of node.
fn is_written_run_saved_and_found_again(epmd: &Epmd, node: &str, picture: &str, test: &str) {
    let Some(open) = Open::start(epmd, node) else { return skip(test, NEEDS) };
    let chrome = &open.chrome;
    assert_eq!(chrome.count(".state[data-state=new]"), 3, "opening runs nothing");

    // A cell below the second, which uses what the one above it has bound.
    chrome.press("jjn");
    open.writes();
    chrome.press("a + 22");
    chrome.press(&format!("{CONTROL}{ENTER}{RELEASE}"));
    chrome.wait_until("the value", || open.value() == "42");
    assert_eq!(chrome.count(".state[data-state=fresh]"), 2, "the cell above was run first");
    assert!(chrome.count(".cell.chosen .under span.n") > 0, "the code has its colours");

    // Text below it, which is shown as it is meant.
    chrome.press(ESCAPE);
    chrome.press("m");
    open.writes();
    chrome.press("Some **words**.");
    chrome.press(ESCAPE);
    chrome.wait_until("the text", || chrome.count(".cell.chosen .prose strong") == 1);

    // All else: a table, and an error with its line.
    chrome.press(&format!("{CONTROL}{SHIFT}{ENTER}{RELEASE}"));
    chrome.wait_until("all cells have run", || {
        chrome.count(".data tbody tr") == 2 && chrome.count(".failure") == 1 && chrome.count(".under .wrong") == 1
    });
    chrome.click(".data th:last-child button");
    chrome.click(".data th:last-child button");
    let first = chrome.script("return document.querySelector('.data tbody tr').textContent");
    assert!(first.as_str().is_some_and(|row| row.contains("orders")), "the table is sorted: {first}");
    chrome.script("window.scrollTo(0, 0)");
    chrome.picture(picture);

    // What is not saved yet outlives the page.
    chrome.script("document.querySelector('.cell[data-kind=code] textarea').focus()");
    chrome.press("# mine\n");
    chrome.open(&open.site.at("/notebook/incident.livemd"));
    chrome.wait_until("the edit is there", || {
        chrome.script("return document.querySelector('.cell[data-kind=code] textarea').value.includes('# mine')")
            == true
    });
    chrome.press(&format!("{CONTROL}s{RELEASE}"));
    chrome.wait_until("it is saved", || open.saved());
    let file = open.file();
    assert!(file.contains("# mine") && file.contains("```elixir\na + 22\n```\n\nSome **words**.\n"), "{file}");

    // Another browser sees the same, as it comes.
    let other = Chrome::start().expect("there is one already");
    other.open(open.site.address());
    other.wait_for("Incident 42");
    chrome.press("jjjjn");
    open.writes();
    chrome.press("seen = :by_both");
    other.wait_until("the other sees it", || {
        other.script("return [...document.querySelectorAll('textarea')].some(it => it.value === 'seen = :by_both')")
            == true
    });

    // What others do to the file is said, and not written over.
    wait_until("it is saved by itself", DEADLINE, || if open.saved() { Ok(()) } else { Err("unsaved") });
    let theirs = open.file().replace("Incident 42", "Incident 43");
    std::fs::write(open.folder.path().join("incident.livemd"), &theirs).expect("it is written");
    chrome.wait_until("the notice", || chrome.count("#outside") == 1);
    assert_eq!(open.file(), theirs);
    chrome.script("window.scrollTo(0, 0)");
    chrome.click("#outside button[value=reload]");
    chrome.wait_for("Incident 43");
    chrome.wait_until("the notice is gone", || chrome.count("#outside") == 0);

    chrome.resize(360, 740);
    let width = chrome.script("return document.documentElement.scrollWidth").as_u64().expect("a number");
    assert!(width <= 360, "{width} pixels");
    chrome.picture(&format!("{picture}-phone"));
    assert_eq!(chrome.complaints(), Vec::<String>::new());
    assert_eq!(other.complaints(), Vec::<String>::new());
}

#[test]
fn a_notebook_at_a_rust_node() {
    let epmd = Epmd::beamline();
    let name = unique("rust");
    let _node = Program::start("beamline", epmd.port(), &["node", "--name", &name, "--cookie", "c"], &[]);
    wait_until("the node is up", DEADLINE, || {
        let output = Program::run("beamline", epmd.port(), &["ping", &name, "--cookie", "c"]);
        if output.status.success() { Ok(()) } else { Err("no pong") }
    });
    is_written_run_saved_and_found_again(&epmd, &name, "notebook-rust", "a_notebook_at_a_rust_node");
}

#[test]
fn a_notebook_at_an_elixir_node() {
    Otp::Host.run("a_notebook_at_an_elixir_node", |otp| {
        let epmd = Epmd::beamline();
        let beam = Beam::start(otp, &unique("elixir"), epmd.port(), "c");
        is_written_run_saved_and_found_again(&epmd, beam.name(), "notebook", "a_notebook_at_an_elixir_node");
    });
}

#[test]
fn what_a_cell_asks_is_answered_on_the_page() {
    let epmd = Epmd::beamline();
    let name = unique("app_a");
    let _node = Program::app(epmd.port(), "app_a", &name);
    let test = "what_a_cell_asks_is_answered_on_the_page";
    let Some(open) = Open::start(&epmd, &name) else { return skip(test, NEEDS) };
    let chrome = &open.chrome;
    chrome.press("jjn");
    open.writes();
    chrome.press("{IO.gets(\"your name? \"), IO.gets(\"and more? \")}");
    chrome.press(&format!("{CONTROL}{ENTER}{RELEASE}"));
    let asks = |prompt: &str| {
        chrome.wait_until(prompt, || {
            let script = "return document.activeElement.labels?.[0]?.textContent || ''";
            chrome.script(script) == prompt
        });
    };
    asks("your name? ");
    // What turns while a cell runs would never come to rest.
    chrome.script("document.getAnimations().forEach((it) => it.cancel())");
    chrome.picture("notebook-question");
    chrome.press(&format!("Joe{ENTER}"));
    asks("and more? ");
    chrome.click(".asks button[value=end]");
    chrome.wait_until("the value", || open.value() == r#"{"Joe\n", :eof}"#);
    assert_eq!(chrome.count(".asks"), 0);
    let printed = "return document.querySelector('.cell.chosen .printed').textContent";
    assert_eq!(chrome.script(printed), "your name? Joe\nand more? ^D\n");
    assert_eq!(chrome.complaints(), Vec::<String>::new());
}

#[test]
fn a_cell_that_hangs_is_cancelled_and_words_are_completed() {
    Otp::Host.run("a_cell_that_hangs_is_cancelled_and_words_are_completed", |otp| {
        let epmd = Epmd::beamline();
        let beam = Beam::start(otp, &unique("elixir"), epmd.port(), "c");
        let Some(open) = Open::start(&epmd, beam.name()) else {
            return skip("a_cell_that_hangs_is_cancelled_and_words_are_completed", NEEDS);
        };
        let chrome = &open.chrome;
        chrome.press("jjn");
        open.writes();
        chrome.press("Process.sleep(:infinity)");
        chrome.press(&format!("{CONTROL}{ENTER}{RELEASE}"));
        chrome.wait_until("it runs", || chrome.count(".cell.chosen .state[data-state=evaluating]") == 1);
        chrome.press(ESCAPE);
        chrome.press("ex");
        chrome.wait_until("it is ended", || chrome.count(".cell.chosen .state[data-state=aborted]") == 1);
        chrome.press("n");
        open.writes();
        chrome.press("Enum.map_ev");
        chrome.press(&format!("{CONTROL} {RELEASE}"));
        chrome.wait_until("the only word is taken", || {
            chrome.script("return document.activeElement.value") == "Enum.map_every"
        });
        chrome.press(ESCAPE);
        chrome.press("?");
        chrome.wait_until("the keys are told", || chrome.count("#help[open]") == 1);
        chrome.picture("notebook-keys");
        assert_eq!(chrome.complaints(), Vec::<String>::new());
    });
}
