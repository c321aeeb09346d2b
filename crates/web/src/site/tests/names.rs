//! Foreign names and foreign pages, and the headers of every answer.

use super::Started;
use super::browser::raw;
use super::site::MAIN;

#[tokio::test]
async fn a_foreign_name_gets_nothing() {
    let site = Started::new().await;
    let cookie = site.browser().get(&format!("/items/one?token={MAIN}")).await.cookie();
    let entered = || site.browser().with("Cookie", &cookie);
    for host in ["evil.example", "localhost.evil.example:4040", "127.0.0.1.nip.io"] {
        let answer = entered().with("Host", host).get("/items/one").await;
        assert_eq!(answer.status, 421, "{host}");
        assert!(answer.body.contains("--allow-host") && !answer.body.contains("limit"), "{}", answer.body);
        assert_eq!(entered().with("Host", host).get("/public/health").await.status, 421);
        assert_eq!(entered().with("Host", host).get(&format!("/?token={MAIN}")).await.header("set-cookie"), None);
    }
    assert_eq!(entered().without("Host").get("/items/one").await.status, 400);
    let escaped = entered().with("Host", "<script>").get("/").await;
    assert!(!escaped.body.contains("<script>alert"), "{}", escaped.body);
    for own in ["127.0.0.1", "localhost:1", "[::1]"] {
        assert_eq!(entered().with("Host", own).get("/public/health").await.status, 200, "{own}");
    }
}

#[tokio::test]
async fn a_foreign_page_changes_nothing_and_follows_nothing() {
    let site = Started::new().await;
    let cookie = site.browser().get(&format!("/items/one?token={MAIN}")).await.cookie();
    let entered = || site.browser().with("Cookie", &cookie);
    let token = entered().get("/items/one").await.form_token();
    let form = [("form_token", token.as_str())];
    let own = format!("http://localhost:{}", site.address.port());
    let foreign = [
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:1"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ];
    for (name, value) in foreign {
        assert_eq!(entered().with(name, value).post("/items/one/end", &form).await.status, 403, "{name}: {value}");
        let stream = entered().with("Accept", "text/event-stream").with(name, value).get("/items/one").await;
        assert_eq!(stream.status, 403, "{name}: {value}");
        // The login is no exception: nobody is made to enter by another's page.
        let login = site.browser().with(name, value).post("/login", &[("secret", MAIN)]).await;
        assert_eq!((login.status, login.header("set-cookie")), (403, None), "{name}: {value}");
    }
    assert_eq!(entered().with("Origin", &own).post("/items/one/end", &form).await.status, 303);
    let browser = entered().with("Origin", "null").with("Sec-Fetch-Site", "same-origin");
    assert_eq!(browser.post("/items/one/end", &form).await.status, 303);
    let picture =
        entered().with("Sec-Fetch-Site", "cross-site").with("Sec-Fetch-Mode", "no-cors").get("/items/one").await;
    assert_eq!(picture.status, 403);
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let site = Started::new().await;
    let entered = site.entered().await;
    let page = entered.get("/items/one").await;
    let style =
        page.body.split("href=\"").find_map(|part| part.split('"').next().filter(|href| href.ends_with(".css")));
    let answers = [
        entered.get(style.unwrap()).await,
        page,
        entered.get("/nowhere").await,
        entered.get("/items/nothing").await,
        entered.post("/items/one", &[]).await,
        entered.post("/items/one/end", &[]).await,
        site.browser().get("/login").await,
        site.browser().get("/public/health").await,
        site.browser().get("/items/one").await,
        site.browser().with("Host", "evil.example").get("/").await,
    ];
    for answer in &answers {
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none';"), "{answer:?}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{answer:?}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{answer:?}");
        assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{answer:?}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{answer:?}");
    }
    assert!(answers[0].header("cache-control").unwrap().starts_with("public"));
    assert!(answers[1..].iter().all(|answer| answer.header("cache-control") == Some("no-store")));
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 404, 404, 403, 403, 200, 200, 303, 421]);
}

#[tokio::test]
async fn paths_lead_nowhere_else() {
    let site = Started::new().await;
    let entered = site.entered().await;
    for path in [
        "/assets/../../../../etc/passwd",
        "/assets/x/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/items/../public/health",
        "//etc/passwd",
        "/..%5c..%5cwindows",
        "/assets/site.css",
        "/assets/0000000000000000/site.css",
    ] {
        let answer = entered.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(!answer.body.contains("root:"), "{path}");
    }
    // What is shown of an address is text.
    let answer = entered.get("/%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
    let named = entered.get("/items/%3Cimg%20src=x%3E").await;
    assert_eq!(named.status, 200);
    assert!(named.body.contains("&lt;img src=x&gt;") && !named.body.contains("<img src=x"), "{}", named.body);
    let junk = raw(site.address, "GET / HTTP/9.9\r\n\r\n").await;
    assert_eq!(junk.status, 400);
}
