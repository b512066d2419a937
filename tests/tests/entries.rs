//! One request through either entry of the components: the same bytes come back.
//!
//! The data is that of the main job. A host with the lean entry answers, then one with `wasi:http`
//! on the same data and under the same clock; what each asks changes nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tradewind_tests::driver::Sender;
use tradewind_tests::hosted::{Entry, Hosted};
use tradewind_tests::story;

const TENANT: &str = "main-job";

/// An answer: status, headers but for its date, body as text.
type Bytes = (u16, BTreeMap<String, String>, String);

type Asked = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

const JSON: (&str, &str) = ("content-type", "application/json");
const NAMED: (&str, &str) = ("correlation-id", "ours-of-the-entries");
const KEY: (&str, &str) = ("idempotency-key", "entries-1");

const NODE: &str = r#"{"kind": "warehouse"}"#;

/// Reads of every domain, refusals of every kind, and a write that was made before.
const ASKED: [Asked; 26] = [
    ("GET", "/suppliers/v1/suppliers/S1", &[], ""),
    ("GET", "/suppliers/v1/suppliers/S1/scorecard", &[NAMED], ""),
    ("GET", "/suppliers/v1/suppliers?limit=2", &[], ""),
    ("GET", "/procurement/v1/orders?limit=1", &[], ""),
    ("GET", "/procurement/v1/openapi.json", &[], ""),
    ("GET", "/inventory/v1/items", &[], ""),
    ("GET", "/inventory/v1/orders/O1", &[], ""),
    ("GET", "/inventory/v1/availability?sku=X&channel=web", &[], ""),
    ("GET", "/inventory/v1/events?limit=500", &[], ""),
    ("GET", "/inventory/v1/health", &[], ""),
    ("GET", "/planning/v1/promotions", &[NAMED], ""),
    ("GET", "/finance/v1/cash", &[NAMED], ""),
    ("GET", "/reporting/v1/audit/verify", &[NAMED], ""),
    ("GET", "/reporting/v1/exceptions", &[NAMED], ""),
    ("GET", "/inventory/v1/items?limit=0", &[NAMED], ""),
    ("GET", "/inventory/v1/items?a=%zz", &[NAMED], ""),
    ("GET", "/inventory/v1/n%20where?a=b", &[NAMED], ""),
    ("DELETE", "/inventory/v1/items", &[NAMED], ""),
    ("HEAD", "/inventory/v1/items", &[NAMED], ""),
    ("POST", "/inventory/v1/reservations", &[NAMED, JSON], "{}"),
    ("POST", "/inventory/v1/reservations", &[NAMED, JSON, KEY], "{"),
    ("POST", "/inventory/v1/reservations", &[NAMED, KEY], "{}"),
    ("PUT", "/inventory/v1/nodes/ENTRY", &[NAMED, JSON, ("if-match", "\"1\"")], NODE),
    ("POST", "/inventory/v1/reservations/none/release", &[NAMED, JSON, KEY], r#"{"reason": "x"}"#),
    ("GET", "/inventory/v1/items", &[NAMED, ("authorization", "Basic none")], ""),
    ("GET", "/inventory/v1/items", &[NAMED, ("authorization", "Bearer a.b.c")], ""),
];

fn ask(hosted: &Hosted, token: &str, (method, path, headers, body): &Asked) -> Bytes {
    let mut request =
        ureq::http::Request::builder().method(*method).uri(format!("{}{path}", hosted.base()));
    if !headers.iter().any(|(name, _)| *name == "authorization") {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in *headers {
        request = request.header(*name, *value);
    }
    let agent = hosted.agent();
    let mut answer = match body.is_empty() {
        true => agent.run(request.body(()).unwrap()).unwrap(),
        false => agent.run(request.body(*body).unwrap()).unwrap(),
    };
    let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
    let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
    (answer.status().as_u16(), headers, answer.body_mut().read_to_string().unwrap())
}

#[test]
fn both_entries_give_the_same_bytes() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let main_job = fs::read_to_string(scenarios.join("main_job.md")).unwrap();
    let mut hosted = Hosted::start_over(Entry::Lean).unwrap();
    story::play(&mut hosted, TENANT, &main_job).unwrap();
    let sender = Sender {
        tenant: TENANT.to_owned(),
        role: "admin".to_owned(),
        subject: "auditor".to_owned(),
        bound: None,
    };
    let token = hosted.token(&sender).unwrap();
    let lean = ASKED.map(|asked| ask(&hosted, &token, &asked));
    hosted.start_again_over(Entry::WasiHttp).unwrap();
    let wasi_http = ASKED.map(|asked| ask(&hosted, &token, &asked));
    for (asked, (lean, wasi_http)) in ASKED.iter().zip(lean.iter().zip(&wasi_http)) {
        assert_eq!(lean, wasi_http, "{asked:?}");
    }
    let statuses: Vec<u16> = lean.iter().map(|(status, ..)| *status).collect();
    for status in [200, 400, 401, 404, 405, 412, 415] {
        assert!(statuses.contains(&status), "no {status} among {statuses:?}");
    }
}
