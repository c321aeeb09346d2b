//! One address, three forms; and the page that is open.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::Answer;
use super::Started;
use super::browser::read_until;
use super::site::{MAIN, Setup, change};
use crate::site::access::Lifetime;

fn version(page: &Answer) -> &str {
    page.body.split("data-version=\"").nth(1).and_then(|after| after.split('"').next()).expect("a version")
}

#[tokio::test]
async fn a_page_is_whole_without_scripts() {
    let site = Started::new().await;
    let page = site.entered().await.get("/items/one?limit=7&refresh=15&q=%22%3E").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for part in [
        "<!DOCTYPE html>",
        "<title>one · Beamline</title>",
        "limit 7",
        "<noscript>",
        "href=\"#main\"",
        "/items/one?limit=7&amp;q=%22%3E&amp;refresh=pause",
        "aria-live=\"polite\"",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    for inline in ["style=\"", "onclick", "javascript:", "<style"] {
        assert!(!page.body.contains(inline), "{inline}");
    }
    let scripts = page.body.matches("<script").count();
    assert_eq!(scripts, page.body.matches("<script src=\"/assets/").count());
}

#[tokio::test]
async fn an_open_page_hears_of_changes_at_once() {
    let site = Started::new().await;
    let browser = site.entered().await;
    let page = browser.get("/items/two").await;
    // A browser that has this state is sent nothing until there is another.
    let mut stream = browser.events(&format!("/items/two?refresh=pause&version={}", version(&page))).await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.contains("200 OK") && head.contains("text/event-stream") && head.contains("no-store"), "{head}");
    let begun = Instant::now();
    // Other tests may change it too; so much the sooner.
    change();
    let event = read_until(&mut stream, "\n\n").await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(event.contains("event: page") && event.contains("id: ") && event.contains("shown "), "{event}");
    // One that has seen nothing is sent the present state.
    let mut fresh = browser.events("/items/two?refresh=pause").await;
    read_until(&mut fresh, "event: page").await;
}

#[tokio::test]
async fn an_open_page_of_a_session_that_is_over_says_so() {
    let lifetime = Lifetime { idle: Duration::from_secs(60), absolute: Duration::from_secs(2) };
    let site = Started::with(Setup { lifetime, ..Setup::default() }).await;
    let browser = site.entered().await;
    let mut stream = browser.events("/items/three?refresh=1").await;
    read_until(&mut stream, "event: page").await;
    read_until(&mut stream, "event: over").await;
}

#[tokio::test]
async fn too_many_open_pages_are_refused_and_one_that_closes_makes_place() {
    let site = Started::new().await;
    let browser = site.bearer(MAIN);
    let mut open = Vec::new();
    for _ in 0..crate::site::state::OPEN_PAGES {
        let mut stream = browser.events("/items/four?refresh=pause").await;
        read_until(&mut stream, "event: page").await;
        open.push(stream);
    }
    let refused = site.bearer(MAIN).with("Accept", "text/event-stream").get("/items/four").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    open.pop();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mut stream = browser.events("/items/four?refresh=pause").await;
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.unwrap();
        if &head == b"HTTP/1.1 200 OK" {
            break;
        }
        assert!(Instant::now() < deadline, "the place of a page that was closed is free");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_open_pages() {
    let site = Started::new().await;
    let mut stream = site.bearer(MAIN).events("/items/five?refresh=pause").await;
    read_until(&mut stream, "event: page").await;
    let begun = Instant::now();
    site.end().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // And a node that stops ends the pages about it, whoever serves them.
    let site = Started::new().await;
    let mut stream = site.bearer(MAIN).events("/items/five?refresh=pause").await;
    read_until(&mut stream, "event: page").await;
    site.node.clone().stop().await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        while !rest.ends_with(b"0\r\n\r\n") {
            let mut byte = [0; 1];
            if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                break;
            }
            rest.push(byte[0]);
        }
    });
    ended.await.expect("the stream ends");
}
