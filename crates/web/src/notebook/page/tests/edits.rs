//! Edits by forms and by scripts.

use serde_json::{Value, json};

use super::Desk;

fn sources(view: &Value) -> Vec<String> {
    let sections = view["sections"].as_array().expect("sections").iter();
    let cells = sections.flat_map(|section| section["cells"].as_array().expect("cells"));
    cells.map(|cell| cell["source"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn cells_come_move_and_go() {
    let desk = Desk::new().await;
    desk.view().await;
    let made = desk.form("edit/try.livemd", &[("do", "insert-code"), ("section", "1"), ("index", "1")]).await;
    let id = made.to.strip_prefix("/notebook/try.livemd#cell-").expect("the new cell is shown").to_owned();
    desk.form("edit/try.livemd", &[("do", "up"), ("cell", &id), ("source", "new\r\nlines")]).await;
    let view = desk.view().await;
    assert_eq!(sources(&view)[..2], ["new\nlines", "Some *text*."]);
    desk.form("edit/try.livemd", &[("do", "delete"), ("cell", &id)]).await;
    assert_eq!(sources(&desk.view().await).len(), 4);
    let again = desk.form("edit/try.livemd", &[("do", "delete"), ("cell", &id)]).await;
    assert!(again.status == 404 && again.body.contains("somebody else has deleted it"), "{again:?}");
}

#[tokio::test]
async fn sections_and_switches_are_changed() {
    let desk = Desk::new().await;
    desk.view().await;
    for fields in [
        json!({ "do": "rename-section", "section": 1, "text": "First" }),
        json!({ "do": "reevaluate", "cell": 3 }),
        json!({ "do": "continue", "cell": 3 }),
        json!({ "do": "insert-section", "index": "1", "text": "Between" }),
        json!({ "do": "persist" }),
        json!({ "do": "setup" }),
    ] {
        let answer = desk.post("edit/try.livemd", fields.clone()).await;
        assert_eq!(answer.status, 200, "{fields}: {answer:?}");
    }
    desk.post("save/try.livemd", json!({ "do": "save" })).await;
    let file = desk.file();
    assert!(
        file.starts_with("<!-- livebook:{\"persist_outputs\":true} -->\n\n# Try\n\n```elixir\n# Runs before"),
        "{file}"
    );
    assert!(
        file.contains("## First") && file.contains("## Between\n\n<!-- livebook:{\"branch_parent_index\":0} -->"),
        "{file}"
    );
    assert!(
        file.contains("{\"continue_on_error\":true,\"reevaluate_automatically\":true} -->\n\n```elixir\na = 20"),
        "{file}"
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let desk = Desk::new().await;
    desk.view().await;
    for fields in [
        json!({ "do": "source" }),
        json!({ "do": "source", "cell": 99, "source": "" }),
        json!({ "do": "unheard" }),
        json!({ "do": "insert-code", "section": 99 }),
        json!({ "do": "delete", "cell": "x" }),
        json!({}),
    ] {
        let answer = desk.post("edit/try.livemd", fields.clone()).await;
        assert!(matches!(answer.status, 400 | 404), "{fields}: {answer:?}");
    }
    assert_eq!(desk.view().await["sections"][0]["cells"][1]["source"], "a = 20");
}
