//! A real browser, Chromium without a window, driven over WebDriver.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::{ParseError, Url};

use crate::{DEADLINE, HOST, free_port, wait_until};

/// A browser with one page; closed when dropped.
pub struct Chrome {
    driver: Child,
    client: Client,
    runtime: Runtime,
}

impl Chrome {
    /// Starts it; `None` if Chromium or its driver is not there.
    pub fn start() -> Option<Self> {
        let has = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !has("chromium") || !has("chromedriver") {
            return None;
        }
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = command.spawn().expect("chromedriver starts");
        wait_until("chromedriver listens", DEADLINE, || TcpStream::connect((HOST, port)).map(drop));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let wanted = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                    "--force-device-scale-factor=1", "--window-size=1280,900",
                ],
            },
        });
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(wanted.as_object().expect("an object").clone());
            builder.connect(&format!("http://{HOST}:{port}")).await
        });
        Some(Self { driver, client: client.expect("a browser"), runtime })
    }

    /// Goes to an address, and waits until it is loaded.
    pub fn open(&self, address: &str) {
        self.runtime.block_on(self.client.goto(address)).expect("the page loads");
    }

    /// Where it is.
    pub fn address(&self) -> String {
        self.runtime.block_on(self.client.current_url()).expect("an address").to_string()
    }

    /// What a script returns: `return document.title`.
    pub fn script(&self, script: &str) -> Value {
        match self.runtime.block_on(self.client.execute(script, Vec::new())) {
            Ok(value) => value,
            Err(error) => panic!("{script}: {error}"),
        }
    }

    /// The text of the page, as it is seen.
    pub fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// How many elements there are of this selector.
    pub fn count(&self, selector: &str) -> u64 {
        self.script(&format!("return document.querySelectorAll({selector:?}).length")).as_u64().expect("a number")
    }

    /// Waits until the page says this.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> Duration {
        self.wait_until(text, || self.text().contains(text))
    }

    /// Waits until something holds of the page.
    #[track_caller]
    pub fn wait_until(&self, what: &str, holds: impl Fn() -> bool) -> Duration {
        wait_until(
            what,
            DEADLINE,
            || if holds() { Ok(()) } else { Err(format!("{}\n{}", self.address(), self.text())) },
        )
    }

    /// Clicks on the first element of this selector.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let clicked = self.runtime.block_on(async { self.client.find(Locator::Css(selector)).await?.click().await });
        if let Err(error) = clicked {
            panic!("no click on {selector}: {error}\n{}", self.text());
        }
    }

    /// Types into whatever has the focus; keys are those of WebDriver, such as [`TAB`].
    pub fn press(&self, keys: &str) {
        let typed = self.runtime.block_on(async { self.client.active_element().await?.send_keys(keys).await });
        typed.expect("the keys are taken");
    }

    /// Types into the first element of this selector.
    #[track_caller]
    pub fn type_into(&self, selector: &str, keys: &str) {
        let typed =
            self.runtime.block_on(async { self.client.find(Locator::Css(selector)).await?.send_keys(keys).await });
        if let Err(error) = typed {
            panic!("nothing typed into {selector}: {error}");
        }
    }

    /// Makes the page so wide and high, in CSS pixels, as on a phone.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.developer("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Dark or light, as a system would be set.
    pub fn prefer(&self, scheme: &str) {
        self.developer(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
    }

    /// What pages have complained about since the last time: errors of scripts, violations of their policy, what could not be
    /// loaded.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.send("se/log", json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let text = |entry: &Value| format!("{}: {}", entry["level"], entry["message"]);
        entries.iter().filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG").map(text).collect()
    }

    /// What keeps some people from using the page that is open, in the scheme that is preferred: see `accessibility.js`.
    pub fn hindrances(&self) -> Vec<String> {
        let found = self.script(include_str!("accessibility.js"));
        let found = found.as_array().expect("a list").iter();
        found.map(|sentence| sentence.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Keeps a picture of the page as `target/screenshots/NAME.png`.
    pub fn picture(&self, name: &str) -> PathBuf {
        // Colours fade into each other.
        self.wait_until("nothing moves", || self.script("return document.getAnimations().length") == 0);
        let picture = self.runtime.block_on(self.client.screenshot()).expect("a picture");
        let test = std::env::current_exe().expect("the path of this test");
        // target/debug/deps/TEST
        let folder = test.ancestors().nth(3).expect("target").join("screenshots");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!("{name}.png"));
        fs::write(&file, picture).expect("it can be written");
        file
    }

    fn developer(&self, command: &str, parameters: Value) {
        self.send("goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
    }

    fn send(&self, place: &'static str, body: Value) -> Value {
        self.runtime.block_on(self.client.issue_cmd(Own { place, body })).expect("chromedriver does it")
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        // Its driver may be gone already, which is as good.
        let _ = self.runtime.block_on(self.client.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The key for the next element.
pub const TAB: &str = "\u{e004}";
/// The key for what has the focus.
pub const ENTER: &str = "\u{e007}";
/// The key to leave.
pub const ESCAPE: &str = "\u{e00c}";

/// A command that only this driver has.
#[derive(Debug)]
struct Own {
    place: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.place))
    }

    fn method_and_body(&self, _address: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
