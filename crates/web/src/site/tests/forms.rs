//! Forms: only those of the session itself.

use super::Started;
use super::site::MAIN;

#[tokio::test]
async fn a_forged_form_is_refused() {
    let site = Started::new().await;
    let entered = site.entered().await;
    let token = entered.get("/items/one").await.form_token();
    let other = site.entered().await.get("/items/one").await.form_token();
    assert_ne!(token, other);
    for forged in ["", "wrong", &other, MAIN] {
        let answer = entered.post("/items/one/end", &[("form_token", forged)]).await;
        assert_eq!(answer.status, 403, "{forged}");
        assert!(answer.body.contains("not from this session"), "{}", answer.body);
    }
    assert_eq!(entered.post("/items/one/end", &[]).await.status, 403);
    // A form of another site may call itself JSON or plain text; then it needs the header, which no such form can send.
    assert_eq!(entered.post_json("/items/one/end", &format!("{{\"form_token\":\"{token}\"}}")).await.status, 403);
    let done = entered.post("/items/one/end", &[("form_token", &token)]).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/items/after")));
    let scripts = site.entered().await;
    let token = scripts.get("/items/one").await.form_token();
    let scripted = scripts.with("X-Form-Token", &token).with("Accept", "application/json");
    let done = scripted.post_json("/items/one/end", "{}").await;
    assert_eq!((done.status, done.body.as_str()), (200, "{\"see\":\"/items/after\"}"));
}

#[tokio::test]
async fn what_is_not_understood_is_said() {
    let site = Started::new().await;
    let main = site.bearer(MAIN).with("Accept", "application/json");
    assert_eq!(main.post_json("/items/one/end", "{").await.status, 400);
    assert_eq!(main.get("/items/one?limit=many").await.status, 400);
    assert_eq!(main.get("/items/one?limit=1&limit=2").await.status, 400);
    let twice = main.get("/items/one?name=two").await;
    assert_eq!(twice.status, 400, "the query does not stand in for the path: {twice:?}");
    let missing = main.get("/items/nothing").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("content-type"), Some("application/json"));
    assert!(missing.body.contains("There is no item <nothing>."), "{}", missing.body);
}
