//! The pages as somebody sees them who sits at a browser: Chromium, driven over WebDriver. Pictures go to
//! `target/screenshots`.

use std::time::Duration;

use whole_clusters::chrome::{ENTER, ESCAPE, TAB};
use whole_clusters::{Beam, Chrome, DEADLINE, Epmd, Otp, Program, Site, skip, unique, wait_until};

/// Three Rust nodes and two of Elixir, all connected with each other.
struct Cluster {
    epmd: Epmd,
    rust: Vec<(String, Program)>,
    elixir: Vec<Beam>,
}

impl Cluster {
    fn start() -> Self {
        let epmd = Epmd::beamline();
        let rust: Vec<_> = ["billing", "orders", "search"]
            .map(|alive| {
                let name = unique(alive);
                let arguments = ["node", "--name", &name, "--cookie", "c"];
                let node =
                    Program::start("beamline", epmd.port(), &arguments, &[("LIBCLUSTER_STRATEGY", "local_epmd")]);
                (name, node)
            })
            .into();
        let mut elixir: Vec<_> =
            ["shop", "stock"].map(|alive| Beam::start(Otp::Host, &unique(alive), epmd.port(), "c")).into();
        for beam in &mut elixir {
            beam.eval_until("length(Node.list())", "4");
        }
        Self { epmd, rust, elixir }
    }

    /// A dashboard that looks from the first Rust node.
    fn dashboard(&self) -> Site {
        Site::start(self.epmd.port(), &["dashboard", &self.rust[0].0, "--cookie", "c"])
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let rust = self.rust.iter().map(|(name, _)| name.as_str());
        rust.chain(self.elixir.iter().map(Beam::name))
    }
}

/// A browser that has entered by the login's form.
fn enter(site: &Site) -> Option<Chrome> {
    let chrome = Chrome::start()?;
    chrome.open(&site.at("/"));
    chrome.wait_for("Token");
    chrome.type_into("#secret", &format!("{}{ENTER}", site.token()));
    chrome.wait_until("it has entered", || chrome.count("header.site") == 1);
    assert_eq!(chrome.address(), site.at("/"));
    Some(chrome)
}

const NEEDS: &str = "chromium, chromedriver";

#[test]
fn a_cluster_is_seen_and_a_node_that_stops_goes_from_the_page() {
    if !has_erlang("a_cluster_is_seen_and_a_node_that_stops_goes_from_the_page") {
        return;
    }
    let mut cluster = Cluster::start();
    let site = cluster.dashboard();
    let Some(chrome) = enter(&site) else {
        return skip("a_cluster_is_seen_and_a_node_that_stops_goes_from_the_page", NEEDS);
    };
    let missing = "#mesh .link[data-state=missing]";
    chrome.wait_until("five nodes in a whole mesh", || {
        chrome.count("#nodes-table tbody tr") == 5 && chrome.count("#mesh .link") == 10 && chrome.count(missing) == 0
    });
    let text = chrome.text();
    cluster.names().for_each(|name| assert!(text.contains(name), "{name}: {text}"));
    chrome.wait_until("all figures are there", || chrome.count("#nodes-table .chip[data-state=ok]") >= 5);
    chrome.resize(1280, 1010);
    chrome.picture("cluster");
    chrome.prefer("dark");
    chrome.picture("cluster-dark");
    chrome.prefer("light");

    chrome.script("window.isTheSamePage = true");
    let mut gone = cluster.elixir.pop().expect("two of them");
    let name = gone.name().to_owned();
    gone.kill();
    let row = format!("#nodes-table [id=\"node-{name}\"]");
    let took = chrome.wait_until("the node that was killed is gone", || chrome.count(&row) == 0);
    println!("a node that is killed goes from the page within {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(chrome.script("return window.isTheSamePage"), true, "without loading it again");
    chrome.wait_until("the mesh of four", || chrome.count("#mesh .link") == 6);
    assert_eq!(chrome.complaints(), Vec::<String>::new());
}

#[test]
fn the_keyboard_does_and_nothing_is_lost_when_the_page_is_refreshed() {
    if !has_erlang("the_keyboard_does_and_nothing_is_lost_when_the_page_is_refreshed") {
        return;
    }
    let cluster = Cluster::start();
    let site = cluster.dashboard();
    let Some(chrome) = enter(&site) else {
        return skip("the_keyboard_does_and_nothing_is_lost_when_the_page_is_refreshed", NEEDS);
    };
    chrome.open(&site.at("/?refresh=1"));
    chrome.wait_until("five nodes", || chrome.count("#nodes-table tbody tr") == 5);
    let focus =
        || chrome.script("return (document.activeElement.innerText || document.activeElement.name || '').trim()");
    chrome.press(TAB);
    assert_eq!(focus(), "Skip to the content");
    chrome.press(ENTER);
    chrome.wait_until("the content has the focus", || chrome.script("return document.activeElement.id") == "main");

    // What is typed stays while the page below it changes.
    chrome.press("/");
    chrome.wait_until("the search has the focus", || focus() == "q");
    chrome.press("orde");
    let version = || chrome.script("return document.getElementById('main').dataset.version");
    for _ in 0..2 {
        let before = version();
        chrome.wait_until("the page is refreshed", || version() != before);
    }
    assert_eq!(chrome.script("return document.activeElement.value"), "orde");
    chrome.press(&format!("rs{ENTER}"));
    chrome.wait_until("one node is found", || chrome.count("#nodes-table tbody tr") == 1);
    assert!(chrome.address().contains("q=orders"), "{}", chrome.address());

    // Menus open by Enter and close by Escape.
    chrome.script("document.querySelector('#refresh summary').focus()");
    chrome.press(ENTER);
    chrome.wait_until("the menu is open", || chrome.count("#refresh[open]") == 1);
    let before = version();
    chrome.wait_until("the page is refreshed", || version() != before);
    assert_eq!(chrome.count("#refresh[open]"), 1, "it stays open");
    chrome.press(ESCAPE);
    chrome.wait_until("the menu is closed", || chrome.count("#refresh[open]") == 0);

    // To a node's page, by Tab and Enter alone.
    let orders = &cluster.rust[1].0;
    chrome.script("document.getElementById('main').focus()");
    for _ in 0..40 {
        if focus() == orders.as_str() {
            break;
        }
        chrome.press(TAB);
    }
    assert_eq!(focus(), orders.as_str());
    chrome.press(ENTER);
    chrome.wait_until("the node's page", || chrome.address().contains("/n/orders"));
    assert_eq!(chrome.complaints(), Vec::<String>::new());
}

#[test]
fn a_process_is_seen_in_detail_and_pages_fit_a_phone() {
    if !has_erlang("a_process_is_seen_in_detail_and_pages_fit_a_phone") {
        return;
    }
    let cluster = Cluster::start();
    let site = cluster.dashboard();
    let Some(chrome) = enter(&site) else {
        return skip("a_process_is_seen_in_detail_and_pages_fit_a_phone", NEEDS);
    };
    chrome.wait_until("five nodes", || chrome.count("#nodes-table tbody tr") == 5);
    let (rust, elixir) = (cluster.rust[1].0.clone(), cluster.elixir[0].name().to_owned());
    for (name, picture) in [(&elixir, "processes-elixir"), (&rust, "processes-rust")] {
        chrome.open(&site.at(&format!("/n/{name}/processes?sort=reductions&dir=desc&limit=50")));
        chrome.wait_until("processes are listed", || chrome.count("#processes tbody tr") > 1);
        chrome.picture(picture);
    }
    chrome.open(&site.at(&format!("/n/{elixir}/processes?q=code_server:loop")));
    chrome.wait_until("it is found", || {
        let rows = chrome.count("#processes tbody tr");
        rows > 0 && rows < 5 && chrome.text().contains("code_server:loop")
    });
    chrome.click("#processes tbody a");
    chrome.wait_for("code_server");
    assert!(chrome.address().contains("/processes/"), "{}", chrome.address());
    chrome.wait_until("its figures", || chrome.text().to_lowercase().contains("reductions"));
    chrome.picture("process");

    let mut wide = Vec::new();
    chrome.resize(360, 740);
    let below =
        ["", "/charts", "/processes", "/applications", "/ports", "/ets", "/memory", "/distribution", "/functions"];
    let of_nodes = below.iter().map(|path| format!("/n/{elixir}{path}"));
    let of_cluster = ["/", "/names", "/events", "/doctor"].map(str::to_owned);
    for path in of_cluster.into_iter().chain(of_nodes) {
        chrome.open(&site.at(&path));
        chrome.wait_until("the page is there", || chrome.count("main h1") > 0 || chrome.count("main .problem") > 0);
        let width = chrome.script("return document.documentElement.scrollWidth").as_u64().expect("a number");
        if width > 360 {
            wide.push(format!("{path}: {width}"));
        }
        if path == "/" {
            chrome.picture("cluster-phone");
        }
    }
    assert_eq!(wide, Vec::<String>::new(), "pages wider than 360 pixels");
    assert_eq!(chrome.complaints(), Vec::<String>::new());
}

#[test]
fn who_leaves_is_out_everywhere() {
    let epmd = Epmd::beamline();
    let name = unique("alone");
    let _node = Program::start("beamline", epmd.port(), &["node", "--name", &name, "--cookie", "c"], &[]);
    wait_until("the node is up", DEADLINE, || {
        let output = Program::run("beamline", epmd.port(), &["ping", &name, "--cookie", "c"]);
        if output.status.success() { Ok(()) } else { Err("no pong") }
    });
    let site = Site::start(epmd.port(), &["dashboard", &name, "--cookie", "c"]);
    let Some(chrome) = enter(&site) else {
        return skip("who_leaves_is_out_everywhere", NEEDS);
    };
    chrome.click("form[action='/logout'] button");
    chrome.wait_for("Token");
    chrome.picture("login");
    chrome.open(&site.at("/"));
    chrome.wait_for("Token");
    assert!(chrome.address().contains("/login"), "{}", chrome.address());
    // The address as it is printed enters again, and does not keep its token.
    chrome.open(site.address());
    chrome.wait_until("it has entered", || chrome.count("header.site") == 1);
    assert_eq!(chrome.address(), site.at("/"));
    assert_eq!(chrome.complaints(), Vec::<String>::new());
}

/// A notebook whose cells give all that there is to be seen of cells.
const NOTEBOOK: &str = "# Everything\n\nText with `code`, a [link](https://example.com) and a picture: ![of a tree](tree.png)\n\n\
## One\n\n```elixir\nfor n <- 1..300, do: IO.puts(\"\\e[3#{rem(n, 8)}mline #{n}\\e[0m\")\n[%{name: \"a\", size: 1}, %{name: \"b\", size: 2}]\n```\n\n\
```elixir\nMap.new([{:a, \"text\"}, {2.5, nil}])\n```\n\n<!-- livebook:{\"branch_parent_index\":0} -->\n\n\
## Two\n\n```elixir\nIO.gets(\"who? \") # asks\n```\n\n## Three\n\n```elixir\nraise \"no\"\n```\n\n```erlang\nok.\n```\n";

#[test]
fn nothing_keeps_anybody_from_a_page() {
    let test = "nothing_keeps_anybody_from_a_page";
    Otp::Host.run(test, |otp| {
        let epmd = Epmd::beamline();
        let beam = Beam::start(otp, &unique("shop"), epmd.port(), "c");
        let rust = unique("app_a");
        let _rust = Program::app(epmd.port(), "app_a", &rust);
        let Some(chrome) = Chrome::start() else { return skip(test, NEEDS) };
        let mut found = Vec::new();
        let mut look = |address: String| {
            for scheme in ["light", "dark"] {
                chrome.prefer(scheme);
                chrome.open(&address);
                chrome.wait_until("the page is there", || chrome.count("h1") > 0);
                let path = address.split('/').skip(3).collect::<Vec<_>>().join("/");
                found.extend(chrome.hindrances().into_iter().map(|what| format!("/{path} ({scheme}): {what}")));
            }
        };
        let name = beam.name();
        let all = ["--cookie", "c", "--reveal", "--allow-destructive"];
        let site = Site::start(epmd.port(), &[&["dashboard", name, &rust], &all[..]].concat());
        look(site.at("/login"));
        chrome.open(site.address());
        chrome.wait_until("it has entered", || chrome.count("header.site") == 1);
        let listed = site.json(&format!("/n/{name}/processes?sort=name")).1;
        let pid = listed["rows"][0]["pid"].as_str().expect("a pid").trim_matches(['<', '>']).to_owned();
        for path in ["/", "/names", "/events", "/doctor", "/snapshot", "/nothing"] {
            look(site.at(path));
        }
        look(site.at(&format!("/doctor?node={name}&peer={rust}")));
        for below in [
            "",
            "/charts",
            "/processes",
            "/applications?app=kernel",
            "/ports",
            "/ets?all=true",
            "/memory",
            "/distribution",
            "/functions?module=lists",
            &format!("/processes/{pid}"),
            &format!("/processes/{pid}?reveal=dictionary"),
        ] {
            look(site.at(&format!("/n/{name}{below}")));
        }
        for below in ["", "/processes", "/distribution"] {
            look(site.at(&format!("/n/{rust}{below}")));
        }

        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("all.livemd");
        std::fs::write(&file, NOTEBOOK).expect("it is written");
        let path = file.to_str().expect("it is text");
        let site = Site::start(epmd.port(), &["notebook", path, "--node", name, "--cookie", "c"]);
        chrome.open(site.address());
        let state = || site.json("/notebook/all.livemd").1;
        let wait = |what: &str, words: &[&str]| {
            wait_until(what, DEADLINE, || {
                let state = state().to_string();
                if words.iter().all(|word| state.contains(word)) { Ok(()) } else { Err(state) }
            });
        };
        wait("the node is attached", &["\"ready\""]);
        assert_eq!(site.post("/notebooks/run/all.livemd", "do=all"), 303);
        wait("a cell asks, and another has failed", &["who? ", "\"mark\":\"failed\""]);
        look(site.at("/notebook/all.livemd"));
        assert_eq!(site.post("/notebooks/edit/all.livemd", "do=setup"), 303);
        wait("what the cells gave is stale", &["\"mark\":\"stale\""]);
        look(site.at("/notebook/all.livemd"));
        look(site.at("/notebooks"));
        let cell = state()["sections"][0]["cells"][0]["id"].to_string();
        look(site.at(&format!("/notebooks/output/all.livemd?cell={cell}")));
        assert_eq!(site.post("/notebooks/edit/all.livemd", "do=rename&text=Mine"), 303);
        std::fs::write(&file, NOTEBOOK.replace("Everything", "Theirs")).expect("it is written");
        wait("the change is seen", &["\"changed_outside\":true"]);
        look(site.at("/notebook/all.livemd"));
        look(site.at("/notebooks/differences/all.livemd"));
        assert!(found.is_empty(), "{}", found.join("\n"));
    });
}

fn has_erlang(test: &str) -> bool {
    let mut has = false;
    Otp::Host.run(test, |_| has = true);
    has
}
