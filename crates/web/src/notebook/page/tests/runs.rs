//! Running cells, at a node of our own.

use serde_json::{Value, json};

use super::Desk;

async fn attached() -> Desk {
    let desk = Desk::new().await;
    desk.post("runtime/try.livemd", json!({ "do": "attach", "node": desk.node.name().as_str() })).await;
    desk.until("the node", |view| view["runtime"]["state"] == "ready").await;
    desk
}

fn cell(view: &Value, section: usize, at: usize) -> &Value {
    &view["sections"][section]["cells"][at]["state"]
}

#[tokio::test]
async fn without_a_node_nothing_runs() {
    let desk = Desk::new().await;
    let answer = desk.post("run/try.livemd", json!({ "do": "all" })).await;
    assert!(answer.status == 409 && answer.body.contains("attached to no node"), "{answer:?}");
}

#[tokio::test]
async fn opening_runs_nothing_and_a_cell_runs_with_those_above() {
    let desk = attached().await;
    assert_eq!(cell(&desk.view().await, 0, 1)["mark"], "new");
    let answer =
        desk.form("run/try.livemd", &[("do", "run"), ("cell", "4"), ("source", "IO.puts(\"hey\")\r\na + 2")]).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, "/notebook/try.livemd#cell-4"));
    let view = desk.until("the value", |view| cell(view, 0, 2)["mark"] == "fresh").await;
    assert_eq!(cell(&view, 0, 2)["output"]["result"]["value"]["text"], "22");
    assert_eq!(cell(&view, 1, 0)["mark"], "new");
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(page.contains("<pre class=\"printed\"") && page.contains("hey"), "{page}");
    desk.post("edit/try.livemd", json!({ "do": "source", "cell": 3, "source": "a = 1" })).await;
    assert_eq!(cell(&desk.view().await, 0, 2)["mark"], "stale");
}

#[tokio::test]
async fn a_cell_that_fails_shows_its_line() {
    let desk = attached().await;
    desk.post("run/try.livemd", json!({ "do": "all" })).await;
    desk.until("the failure", |view| cell(view, 1, 0)["mark"] == "failed").await;
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(
        page.contains("<div class=\"failure\" role=\"alert\">") && page.contains("<span class=\"wrong\">"),
        "{page}"
    );
}

/// The question of the cell that asks one.
fn question(view: &Value) -> Option<u64> {
    cell(view, 0, 1)["asks"][0]["number"].as_u64()
}

/// Runs the first cell with a text until it asks.
async fn asks(desk: &Desk, source: &str) -> String {
    desk.post("run/try.livemd", json!({ "do": "run", "cell": 3, "source": source })).await;
    question(&desk.until("a question", |view| question(view).is_some()).await).expect("there is one").to_string()
}

#[tokio::test]
async fn what_a_cell_asks_is_answered_by_a_form() {
    let desk = attached().await;
    let first = asks(&desk, "a = IO.gets(\"who? \")\n{a, IO.gets(\"and? \")}").await;
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(page.contains(&format!("<label for=\"answer-3-{first}\">who? </label>")), "{page}");
    assert!(page.contains("waits for an answer"), "{page}");
    let two_lines = desk.post("run/try.livemd", json!({ "do": "answer", "cell": 3, "question": 1, "text": "a\nb" }));
    assert_eq!(two_lines.await.status, 400);
    let answer = [("do", "answer"), ("cell", "3"), ("question", first.as_str()), ("text", "Žofie & <b>")];
    let sent = desk.form("run/try.livemd", &answer).await;
    assert_eq!((sent.status, sent.to.as_str()), (303, "/notebook/try.livemd#cell-3"));
    let other = |view: &Value| question(view).is_some_and(|number| number.to_string() != first);
    let second = question(&desk.until("the next question", other).await).expect("a number");
    assert_eq!(desk.form("run/try.livemd", &answer).await.status, 404, "it has been answered");
    desk.post("run/try.livemd", json!({ "do": "end", "cell": 3, "question": second })).await;
    let view = desk.until("the value", |view| cell(view, 0, 1)["mark"] == "fresh").await;
    let output = &cell(&view, 0, 1)["output"];
    assert_eq!(output["result"]["value"]["text"], r#"{"Žofie & <b>\n", :eof}"#);
    assert_eq!(output["printed"]["text"], "who? Žofie & <b>\nand? ^D\n");
    assert_eq!(question(&view), None);
}

#[tokio::test]
async fn who_wants_less_than_a_line_or_all_lines_gets_them() {
    let desk = attached().await;
    let mut number = asks(&desk, "{IO.getn(\"? \", 2), IO.gets(\"\"), IO.read(:eof)}").await;
    for text in ["yes", "one", "two"] {
        desk.post("run/try.livemd", json!({ "do": "answer", "cell": 3, "question": number, "text": text })).await;
        let next = |view: &Value| question(view).is_some_and(|next| next.to_string() != number);
        number = question(&desk.until("the next question", next).await).expect("a number").to_string();
    }
    desk.post("run/try.livemd", json!({ "do": "end", "cell": 3, "question": number })).await;
    let view = desk.until("the value", |view| cell(view, 0, 1)["mark"] == "fresh").await;
    assert_eq!(cell(&view, 0, 1)["output"]["result"]["value"]["text"], r#"{"ye", "s\n", "one\ntwo\n"}"#);
}

#[tokio::test]
async fn to_cancel_a_cell_takes_its_question_back() {
    let desk = attached().await;
    let number = asks(&desk, "IO.gets(\"who? \")").await;
    desk.post("run/try.livemd", json!({ "do": "cancel", "cell": 3 })).await;
    desk.until("the end", |view| cell(view, 0, 1)["mark"] == "aborted" && question(view).is_none()).await;
    let late = desk.post("run/try.livemd", json!({ "do": "answer", "cell": 3, "question": number, "text": "me" }));
    assert_eq!(late.await.status, 404);
}

#[tokio::test]
async fn outputs_are_kept_where_the_file_says_so() {
    let desk = attached().await;
    desk.post("edit/try.livemd", json!({ "do": "persist" })).await;
    desk.post("run/try.livemd", json!({ "do": "run", "cell": 4 })).await;
    desk.until("the value", |view| cell(view, 0, 2)["mark"] == "fresh").await;
    desk.post("save/try.livemd", json!({ "do": "save" })).await;
    let mark = "<!-- livebook:{\"output\":true} -->";
    assert!(
        desk.file().contains(&format!("a + 1\n```\n\n{mark}\n\n```\nhey\n```\n\n{mark}\n\n```\n21\n```\n")),
        "{}",
        desk.file()
    );
}

#[tokio::test]
async fn much_output_is_shown_in_part_and_all_of_it_when_asked_for() {
    let desk = attached().await;
    let source = "Enum.each(1..1000, fn n -> IO.puts(\"line #{n}\") end)";
    desk.post("run/try.livemd", json!({ "do": "run", "cell": 3, "source": source })).await;
    desk.until("the value", |view| cell(view, 0, 1)["mark"] == "fresh").await;
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(page.contains("line 200\n") && !page.contains("line 201\n") && page.contains("Show rest"), "{page}");
    let rest = desk.get("/notebooks/output/try.livemd?cell=3").await.body;
    assert!(rest.contains("line 1\n") && rest.contains("line 1000\n"));
}

#[tokio::test]
async fn words_are_offered() {
    let desk = attached().await;
    let answer = desk.post("complete/try.livemd", json!({ "cell": 3, "before": "é = Enum.ma" })).await;
    let offered: Value = serde_json::from_str(&answer.body).expect("it is JSON");
    let map = offered["words"]
        .as_array()
        .expect("words")
        .iter()
        .find(|word| word["text"].as_str().is_some_and(|it| it.contains("map")));
    assert!(map.is_some_and(|word| word["start"].as_u64().is_some_and(|start| start <= 11)), "{offered}");
}

#[tokio::test]
async fn a_node_that_is_not_there_is_told_and_its_cookie_is_not() {
    let desk = Desk::new().await;
    let cookie = "a cookie of its own";
    let fields = json!({ "do": "attach", "node": "nobody@127.0.0.1", "cookie": cookie });
    let answer = desk.post("runtime/try.livemd", fields).await;
    assert!(answer.status == 200 && !answer.body.contains(cookie), "{answer:?}");
    let view = desk.until("the failure", |view| view["runtime"]["state"] == "failed").await;
    let page = desk.get("/notebook/try.livemd").await.body;
    assert!(page.contains("Unreachable") && page.contains("nobody@127.0.0.1"), "{page}");
    assert!(!page.contains(cookie) && !view.to_string().contains(cookie));
    let wrong = desk.post("runtime/try.livemd", json!({ "do": "attach", "node": "a b@c d" })).await;
    assert_eq!(wrong.status, 409, "{wrong:?}");
}
