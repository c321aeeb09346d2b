//! The folder, and what others do to a file that is open.

use serde_json::json;

use super::Desk;
use super::desk::FILE;
use crate::Token;

#[tokio::test]
async fn the_folder_is_listed_and_notebooks_are_made_in_it() {
    let desk = Desk::new().await;
    let list = desk.get("/notebooks").await;
    assert!(list.status == 200 && list.body.contains("href=\"/notebook/try.livemd\""), "{list:?}");
    let made = desk.form("new", &[("folder", ""), ("name", "My work")]).await;
    assert_eq!((made.status, made.to.as_str()), (303, "/notebook/My%20work.livemd"));
    let page = desk.get(&made.to).await;
    assert!(page.status == 200 && page.body.contains("<h1 id=\"name\">My work</h1>"), "{page:?}");
    assert_eq!(desk.form("new", &[("folder", ""), ("name", "../x")]).await.status, 409);
}

#[tokio::test]
async fn nothing_outside_the_folder_is_opened() {
    let desk = Desk::new().await;
    for path in
        ["..%2Fx.livemd", "%2Fetc%2Fpasswd", "..%2F..%2Fetc%2Fpasswd.livemd", ".livemd", "try.livemd%00", "none.livemd"]
    {
        assert_eq!(desk.get(&format!("/notebook/{path}")).await.status, 404, "{path}");
        assert_eq!(desk.post(&format!("save/{path}"), json!({ "do": "keep" })).await.status, 404, "{path}");
    }
    assert_eq!(desk.get("/notebooks?folder=..").await.status, 404);
}

#[tokio::test]
async fn a_notebook_is_shown_without_a_script() {
    let desk = Desk::new().await;
    desk.write(&FILE.replace("Some *text*.", "Some *text*. <script>alert(1)</script> [x](javascript:alert(1))"));
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(
        page.contains("<em>text</em>") && page.contains("&lt;script&gt;") && !page.contains("href=\"javascript:"),
        "{page}"
    );
    assert!(page.contains("<span class=\"n\">20</span>") && page.contains("↳ from One"), "{page}");
    assert!(!page.contains(" style="), "{page}");
}

#[tokio::test]
async fn a_site_that_only_shows_has_no_forms_and_no_actions() {
    let desk = Desk::with(crate::Web::readonly).await;
    let page = desk.get("/notebook/try.livemd").await;
    assert!(page.status == 200 && !page.body.contains("/notebooks/run/"), "{page:?}");
    assert_eq!(desk.post("run/try.livemd", json!({ "do": "all" })).await.status, 404);
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let mut view = None;
    let desk = Desk::with(|web| {
        view = Some(web.view_token().clone());
        web
    });
    let desk = desk.await.by(view.as_ref().map(Token::reveal).expect("there is one"));
    assert!(!desk.get("/notebook/try.livemd").await.body.contains("/notebooks/run/"));
    for (action, fields) in [
        ("edit/try.livemd", json!({ "do": "rename", "text": "x" })),
        ("run/try.livemd", json!({ "do": "all" })),
        ("runtime/try.livemd", json!({ "do": "attach", "node": "a@b" })),
        ("save/try.livemd", json!({ "do": "keep" })),
        ("new", json!({ "name": "x" })),
        ("complete/try.livemd", json!({ "cell": 1, "before": "" })),
    ] {
        assert_eq!(desk.post(action, fields).await.status, 403, "{action}");
    }
}

#[tokio::test]
async fn edits_are_saved_by_themselves() {
    let desk = Desk::new().await;
    desk.write(&format!("<!-- livebook:{{\"autosave_interval_s\":1}} -->\n\n{FILE}"));
    desk.view().await;
    desk.post("edit/try.livemd", json!({ "do": "source", "cell": 3, "source": "a = 21" })).await;
    assert_eq!(desk.view().await["unsaved"], true);
    desk.until("the save", |view| view["unsaved"] == false).await;
    assert!(desk.file().contains("```elixir\na = 21\n```"), "{}", desk.file());
}

#[tokio::test]
async fn what_others_write_is_not_written_over() {
    let desk = Desk::new().await;
    desk.view().await;
    desk.post("edit/try.livemd", json!({ "do": "source", "cell": 3, "source": "mine = 1" })).await;
    let theirs = FILE.replace("Try", "Theirs");
    desk.write(&theirs);
    let saved = desk.post("save/try.livemd", json!({ "do": "save" })).await;
    assert!(saved.body.contains("\"changed_outside\":true"), "{saved:?}");
    assert_eq!(desk.file(), theirs);
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(page.contains("Somebody else has changed the file"), "{page}");
    let differences = desk.get("/notebooks/differences/try.livemd").await.body;
    assert!(differences.contains("- # Theirs") && differences.contains("+ mine = 1"), "{differences}");

    desk.post("save/try.livemd", json!({ "do": "keep" })).await;
    assert!(desk.file().contains("# Try") && desk.file().contains("mine = 1"));
    assert_eq!(desk.view().await["changed_outside"], false);
}

#[tokio::test]
async fn the_file_of_others_is_taken_and_cells_that_are_in_both_stay() {
    let desk = Desk::new().await;
    let before = desk.view().await;
    desk.write(&FILE.replace("a = 20", "a = 1").replace("Try", "Theirs"));
    desk.until("the notice", |view| view["changed_outside"] == true).await;
    desk.post("save/try.livemd", json!({ "do": "reload" })).await;
    let after = desk.view().await;
    assert_eq!((&after["name"], &after["unsaved"]), (&json!("Theirs"), &json!(false)));
    let id = |view: &serde_json::Value, at: usize| view["sections"][0]["cells"][at]["id"].clone();
    assert_eq!(id(&before, 2), id(&after, 2));
    assert_ne!(id(&before, 1), id(&after, 1));
}

#[tokio::test]
async fn a_notebook_that_is_closed_is_saved_and_opened_anew() {
    let desk = Desk::new().await;
    desk.view().await;
    desk.post("edit/try.livemd", json!({ "do": "rename", "text": "Kept" })).await;
    let closed = desk.form("save/try.livemd", &[("do", "close")]).await;
    assert_eq!((closed.status, closed.to.as_str()), (303, "/notebooks"));
    assert!(desk.file().starts_with("# Kept\n"));
    assert!(!desk.get("/notebooks").await.body.contains(">open<"));
}
