//! Who may enter, and how it ends.

use std::time::Duration;

use super::site::{MAIN, Setup};
use super::{PASSWORD, Started, VIEW};
use crate::site::Power;
use crate::site::access::Lifetime;

#[tokio::test]
async fn without_a_token_there_is_only_the_login_the_health_and_the_assets() {
    let site = Started::new().await;
    let browser = site.browser();
    let answer = browser.get("/items/one?limit=5").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login?next=%2Fitems%2Fone%3Flimit%3D5")));
    let login = browser.get("/login?next=%2Fitems%2Fone%3Flimit%3D5").await;
    assert_eq!(login.status, 200);
    assert!(login.body.contains("name=\"next\" value=\"/items/one?limit=5\""), "{}", login.body);
    let style =
        login.body.split("href=\"").find_map(|part| part.split('"').next().filter(|href| href.ends_with(".css")));
    let style = browser.get(style.expect("a style")).await;
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert!(style.header("cache-control").unwrap().contains("immutable"));
    let health = browser.get("/public/health").await;
    assert_eq!((health.status, health.body.as_str()), (200, "{\"application\":\"beamline\"}"));
    for path in ["/items/one", "/nowhere", "/metrics"] {
        let json = site.browser().with("Accept", "application/json").get(path).await;
        assert_eq!((json.status, json.header("www-authenticate")), (401, Some("Bearer")), "{path}");
        assert!(!json.body.contains("limit"), "{}", json.body);
    }
    let stream = site.browser().with("Accept", "text/event-stream").get("/items/one").await;
    assert_eq!(stream.status, 401);
    assert_eq!(site.browser().post("/items/one/end", &[]).await.status, 401);
}

#[tokio::test]
async fn a_token_in_the_address_begins_a_session_and_goes_from_it() {
    let site = Started::new().await;
    let answer = site.browser().get(&format!("/items/one?limit=5&token={MAIN}&q=a+b")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/items/one?limit=5&q=a+b")));
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with(&format!("beamline_{}=", site.address.port())), "{set}");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/;"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure") && !set.contains(MAIN), "{set}");
    let browser = site.browser().with("Cookie", &answer.cookie());
    assert!(browser.get("/items/one?limit=5").await.body.contains("limit 5"));
    // A token that opens more begins a new session; the old cookie is another.
    let again = browser.get(&format!("/items/one?token={VIEW}")).await;
    assert_ne!(again.cookie(), answer.cookie());
    let wrong = site.browser().get("/items/one?token=wrong").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    assert!(!wrong.body.contains("limit"), "{}", wrong.body);
}

#[tokio::test]
async fn bearer_tokens_have_their_power() {
    let site = Started::new().await;
    let view = site.bearer(VIEW).with("Accept", "application/json");
    let answer = view.get("/items/one").await;
    assert_eq!(answer.status, 200);
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&value["schema_version"], &value["name"], &value["limit"]), (&1.into(), &"one".into(), &50.into()));
    let forbidden = view.post_json("/items/one/end", "{}").await;
    assert_eq!(forbidden.status, 403);
    assert!(forbidden.body.contains("power to act"), "{}", forbidden.body);
    let main = site.bearer(MAIN).with("Accept", "application/json");
    let done = main.post_json("/items/one/end", "{\"reason\":\"old\"}").await;
    assert_eq!((done.status, done.body.as_str()), (200, "{\"name\":\"one\",\"reason\":\"old\"}"));
    assert_eq!(site.bearer("wrong").get("/items/one").await.status, 401);
    assert_eq!(site.browser().with("Authorization", "Basic eDp5").get("/items/one").await.status, 401);
}

#[tokio::test]
async fn what_no_visitor_may_has_no_address() {
    let site = Started::with(Setup { power: Power::View, ..Setup::default() }).await;
    assert_eq!(site.bearer(MAIN).post_json("/items/one/end", "{}").await.status, 404);
    let site = Started::with(Setup { power: Power::Act, ..Setup::default() }).await;
    assert_eq!(site.bearer(MAIN).post_json("/items/one/run", "{}").await.status, 404);
    let site = Started::with(Setup { power: Power::Eval, ..Setup::default() }).await;
    assert_eq!(site.bearer(MAIN).post_json("/items/one/run", "{\"reason\":\"x\"}").await.status, 200);
}

#[tokio::test]
async fn a_password_begins_a_session_and_the_token_does_not() {
    let site = Started::with(Setup { password: true, ..Setup::default() }).await;
    assert_eq!(site.bearer(MAIN).get("/items/one").await.status, 401);
    let wrong = site.browser().post("/login", &[("secret", "wrong"), ("next", "/items/one")]).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    assert!(wrong.body.contains("opens nothing") && wrong.body.contains("value=\"/items/one\""), "{}", wrong.body);
    let right = site.browser().post("/login", &[("secret", PASSWORD), ("next", "/items/one")]).await;
    assert_eq!((right.status, right.header("location")), (303, Some("/items/one")));
    let elsewhere = site.browser().post("/login", &[("secret", PASSWORD), ("next", "//evil.example")]).await;
    assert_eq!(elsewhere.header("location"), Some("/"));
    let browser = site.browser().with("Cookie", &right.cookie());
    assert_eq!(browser.get("/items/one").await.status, 200);
}

#[tokio::test]
async fn after_five_wrong_ones_not_even_the_right_one_is_looked_at() {
    let site = Started::with(Setup { password: true, ..Setup::default() }).await;
    let entered = site.browser().post("/login", &[("secret", PASSWORD)]).await;
    for _ in 0..5 {
        assert_eq!(site.browser().post("/login", &[("secret", "wrong")]).await.status, 401);
    }
    let waits = site.browser().post("/login", &[("secret", PASSWORD)]).await;
    assert_eq!((waits.status, waits.header("set-cookie")), (429, None));
    assert!(waits.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(site.bearer(VIEW).get("/items/one").await.status, 429);
    // Who is in stays in.
    let browser = site.browser().with("Cookie", &entered.cookie());
    assert_eq!(browser.get("/items/one").await.status, 200);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while site.browser().post("/login", &[("secret", PASSWORD)]).await.status == 429 {
        assert!(tokio::time::Instant::now() < deadline, "the wait is over in a second or two");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn sessions_end_when_they_are_idle_and_when_they_are_left() {
    let lifetime = Lifetime { idle: Duration::from_secs(1), absolute: Duration::from_secs(60) };
    let site = Started::with(Setup { lifetime, ..Setup::default() }).await;
    let browser = site.entered().await;
    assert_eq!(browser.get("/items/one").await.status, 200);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(browser.get("/items/one").await.status, 303);

    let site = Started::new().await;
    let browser = site.entered().await;
    let token = browser.get("/items/one").await.form_token();
    assert_eq!(browser.post("/logout", &[("form_token", "wrong")]).await.status, 403);
    assert_eq!(browser.get("/items/one").await.status, 200);
    let left = browser.post("/logout", &[("form_token", &token)]).await;
    assert_eq!((left.status, left.header("location")), (303, Some("/login")));
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/items/one").await.status, 303);
}

#[tokio::test]
async fn behind_a_proxy_that_is_trusted_cookies_are_for_tls_only() {
    let site = Started::with(Setup { trusts_proxy: true, ..Setup::default() }).await;
    let browser = site.browser().with("X-Forwarded-Proto", "https").with("X-Forwarded-For", "203.0.113.9");
    let answer = browser.get(&format!("/items/one?token={MAIN}")).await;
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
    for _ in 0..5 {
        browser.get("/items/one?token=wrong").await;
    }
    assert_eq!(browser.get(&format!("/items/one?token={MAIN}")).await.status, 429);
    let other = site.browser().with("X-Forwarded-For", "203.0.113.10");
    assert_eq!(other.get(&format!("/items/one?token={MAIN}")).await.status, 303);
    // Without that trust, a header is only what a client says of itself.
    let site = Started::new().await;
    let answer = site.browser().with("X-Forwarded-Proto", "https").get(&format!("/items/one?token={MAIN}")).await;
    assert!(!answer.header("set-cookie").unwrap().contains("Secure"));
}

#[tokio::test]
async fn a_site_below_a_path_stays_below_it() {
    let site = Started::with(Setup { base: "/beamline", ..Setup::default() }).await;
    let answer = site.browser().get(&format!("/beamline/items/one?token={MAIN}")).await;
    assert_eq!(answer.header("location"), Some("/beamline/items/one"));
    assert!(answer.header("set-cookie").unwrap().contains("Path=/beamline;"));
    let page = site.browser().with("Cookie", &answer.cookie()).get("/beamline/items/one").await;
    assert_eq!(page.status, 200);
    let links = page.body.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap());
    for link in links.filter(|link| !link.starts_with('#')) {
        assert!(link.starts_with("/beamline"), "{link}");
    }
    assert_eq!(site.browser().get("/beamline").await.header("location"), Some("/beamline/login?next=%2F"));
}

#[tokio::test]
async fn an_application_that_has_asked_already_lets_everybody_in() {
    let site = Started::with(Setup { is_admitted: true, ..Setup::default() }).await;
    let page = site.browser().get("/items/one").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/logout"), "there is nothing to leave");
    assert_eq!(site.browser().with("Host", "evil.example").get("/items/one").await.status, 421);
    assert_eq!(site.browser().post("/items/one/end", &[]).await.status, 403);
    let token = page.form_token();
    assert_eq!(site.browser().post("/items/one/end", &[("form_token", &token)]).await.status, 303);
}
