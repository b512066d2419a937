//! Bodies of every form that domains use, right and wrong.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;
use tradewind_kernel::money::{Currency, Money};
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::ratio::Ratio;
use tradewind_kernel::time::{Instant, Zone};
use tradewind_kernel::{Day, Id};

use super::*;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read by serde")]
struct Body {
    sku: Id,
    #[schema(minimum = 1)]
    quantity: i64,
    change: Option<i64>,
    #[serde(default)]
    mode: Mode,
    from: Option<Place>,
    #[schema(min_items = 1, max_items = 3)]
    lines: Vec<Line>,
    #[serde(default)]
    prices: BTreeMap<Id, Money>,
    #[schema(min_length = 1, max_length = 5)]
    name: Option<String>,
    day: Option<Day>,
    at: Option<Instant>,
    zone: Option<Zone>,
    fee: Option<Ratio>,
    #[serde(default)]
    currency: Currency,
    small: Option<i32>,
    step: Option<Step>,
    #[serde(default)]
    #[schema(no_recursion)]
    children: Vec<Body>,
    note: Option<Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read by serde")]
struct Line {
    sku: Id,
    #[serde(default = "one")]
    #[schema(default = 1, minimum = 1, maximum = 9)]
    quantity: i64,
}

fn one() -> i64 {
    1
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    AllOrNothing,
    Partial,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only read by serde")]
enum Place {
    Node(NodePlace),
    Word(PlaceWord),
    Other(OtherWord),
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only read by serde")]
struct NodePlace {
    node: Id,
    status: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PlaceWord {
    Supplier,
    Customer,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OtherWord {
    Loss,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(dead_code, reason = "only read by serde")]
enum Step {
    Wait { days: i64 },
    Split(Line),
    Ship { node: Id, quantity: i64 },
    Stop,
}

fn good() -> Value {
    json!({"sku": "A", "quantity": 2, "lines": [{"sku": "B"}]})
}

fn with(pointer: &str, value: Value) -> Value {
    let mut body = good();
    if let Some(found) = body.pointer_mut(pointer) {
        *found = value;
        return body;
    }
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

/// `pointer code` of every fault, with the status of the refusal.
fn told(body: &Value) -> (u16, Vec<String>) {
    told_of(body.to_string().as_bytes())
}

fn told_of(body: &[u8]) -> (u16, Vec<String>) {
    match read::<Body>(body) {
        Ok(_) => (200, Vec::new()),
        Err(refusal) => {
            let name = |fault: &Fault| format!("{} {}", fault.pointer, fault.code);
            (refusal.kind.status(), refusal.faults.iter().map(name).collect())
        }
    }
}

#[test]
fn one_fault_at_a_time() {
    let priced = |key| (format!("K{key}"), json!({ "amount": "1", "currency": "USD" }));
    for (pointer, value, status, fault) in [
        ("/sku", json!("a b"), 422, "/sku format"),
        ("/sku", json!(1), 400, "/sku type"),
        ("/quantity", json!(0), 422, "/quantity out-of-range"),
        ("/quantity", json!(1.0), 400, "/quantity type"),
        ("/quantity", json!(1e30), 422, "/quantity out-of-range"),
        ("/quantity", json!(LIMIT + 1), 422, "/quantity out-of-range"),
        ("/quantity", json!(u64::MAX), 422, "/quantity out-of-range"),
        ("/quantity", json!("1"), 400, "/quantity type"),
        ("/quantity", json!(null), 400, "/quantity type"),
        ("/change", json!(-LIMIT - 1), 422, "/change out-of-range"),
        ("/change", json!(true), 400, "/change type"),
        ("/mode", json!("all"), 422, "/mode enum"),
        ("/mode", json!(null), 400, "/mode type"),
        ("/from", json!("moon"), 422, "/from enum"),
        ("/from", json!(5), 400, "/from type"),
        ("/from", json!({"node": "N"}), 400, "/from/status required"),
        ("/from", json!({"node": "N", "status": "x", "o/~": 1}), 400, "/from/o~1~0 unknown-field"),
        ("/lines", json!([]), 422, "/lines too-few"),
        (
            "/lines",
            json!([{"sku": "A"}, {"sku": "A"}, {"sku": "A"}, {"sku": "A"}]),
            422,
            "/lines too-many",
        ),
        ("/lines/0", json!([]), 400, "/lines/0 type"),
        ("/lines/0/quantity", json!(10), 422, "/lines/0/quantity out-of-range"),
        ("/prices", json!({"B/c": {"amount": "1", "currency": "USD"}}), 422, "/prices/B~1c format"),
        (
            "/prices",
            json!({"B": {"amount": "1e3", "currency": "USD"}}),
            422,
            "/prices/B/amount format",
        ),
        ("/prices", (0..=MAX_MEMBERS).map(priced).collect(), 422, "/prices too-many"),
        ("/prices", json!({"B": {"amount": "1"}}), 400, "/prices/B/currency required"),
        ("/name", json!(""), 422, "/name too-short"),
        ("/name", json!("éééééé"), 422, "/name too-long"),
        ("/day", json!("2026-02-30"), 422, "/day format"),
        ("/at", json!("2026-02-03"), 422, "/at format"),
        ("/zone", json!("Mars/Base"), 422, "/zone format"),
        ("/fee", json!("half"), 422, "/fee format"),
        ("/fee", json!(0.5), 400, "/fee type"),
        ("/currency", json!("usd"), 422, "/currency format"),
        ("/small", json!(2_147_483_648_i64), 422, "/small out-of-range"),
        ("/step", json!({"kind": "jump"}), 422, "/step/kind enum"),
        ("/step", json!({"kind": 7}), 400, "/step/kind type"),
        ("/step", json!({"days": 1}), 400, "/step/kind required"),
        ("/step", json!({"kind": "wait"}), 400, "/step/days required"),
        ("/step", json!("stop"), 400, "/step type"),
        ("/step", json!({"kind": "stop", "days": 1}), 400, "/step/days unknown-field"),
        ("/step", json!({"kind": "split", "sku": "A", "x": 1}), 400, "/step/x unknown-field"),
        ("/children", json!([{"sku": "A", "quantity": 1}]), 400, "/children/0/lines required"),
        ("/more", json!(1), 400, "/more unknown-field"),
    ] {
        let body = with(pointer, value);
        assert_eq!(told(&body), (status, vec![fault.to_owned()]), "{body}");
        assert_eq!(
            read::<Body>(body.to_string().as_bytes()).unwrap_err().code,
            fault.rsplit_once(' ').unwrap().1
        );
    }
}

#[test]
fn what_is_right_passes() {
    for (pointer, value) in [
        ("/change", json!(null)),
        ("/change", json!(-LIMIT)),
        ("/mode", json!("partial")),
        ("/from", json!(null)),
        ("/from", json!("customer")),
        ("/from", json!("loss")),
        ("/from", json!({"node": "N", "status": "on-hand"})),
        ("/prices", json!({"shop": {"amount": "-12.500001", "currency": "EUR"}})),
        ("/name", json!("ééééé")),
        ("/day", json!("2026-12-01")),
        ("/at", json!("2026-12-01T09:30:00Z")),
        ("/zone", json!("Europe/Berlin")),
        ("/fee", json!("0.95")),
        ("/step", json!({"kind": "stop"})),
        ("/step", json!({"kind": "split", "sku": "A"})),
        ("/step", json!({"kind": "ship", "node": "N", "quantity": 3})),
        ("/children", json!([good(), good()])),
        ("/note", json!({"any": [1.5, null]})),
    ] {
        let body = with(pointer, value);
        assert_eq!(told(&body), (200, vec![]), "{body}");
    }
}

#[test]
fn every_fault_at_once_and_shape_decides() {
    let body =
        json!({"sku": "-", "quantity": "2", "lines": [{"quantity": 0}, 7], "mode": "x", "z": 1});
    let want = [
        "/lines/0/sku required",
        "/lines/0/quantity out-of-range",
        "/lines/1 type",
        "/mode enum",
        "/quantity type",
        "/sku format",
        "/z unknown-field",
    ];
    assert_eq!(told(&body), (400, want.map(str::to_owned).to_vec()));
    assert_eq!(read::<Body>(body.to_string().as_bytes()).unwrap_err().code, "invalid");
    let body = json!({"sku": "-", "quantity": 0, "lines": [{"sku": "A"}]});
    let want = ["/quantity out-of-range", "/sku format"];
    assert_eq!(told(&body), (422, want.map(str::to_owned).to_vec()));
    let many = json!({"sku": "A", "quantity": 1, "lines": [], "children": vec![json!({}); 2000]});
    assert_eq!(told(&many).1.len(), MAX_FAULTS);
}

#[test]
fn a_choice_names_its_words_and_types() {
    let refusal = read::<Body>(with("/from", json!("moon")).to_string().as_bytes()).unwrap_err();
    assert_eq!(refusal.detail, r#"expected one of "supplier", "customer", "loss""#);
    let refusal = read::<Body>(with("/from", json!(5)).to_string().as_bytes()).unwrap_err();
    assert_eq!(refusal.detail, "expected a string or an object or null, found an integer");
}

#[test]
fn texts_that_are_no_json() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let nested = format!(r#"{{"note":{}}}"#, deep(100_000));
    for body in [
        b"{" as &[u8],
        b"{} x",
        b"nul",
        br#"{"sku":"A","sku":"B"}"#,
        br#"{"note":{"a":[{"b":1,"b":1}]}}"#,
        b"{\"sku\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        br#"{"sku":"\ud800"}"#,
        br#"{"quantity":1e999}"#,
        br#"{"quantity":01}"#,
        deep(100_000).as_bytes(),
        nested.as_bytes(),
        "[".repeat(100_000).as_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(told_of(body), (400, vec![" body-malformed".to_owned()]), "{shown}");
    }
    let refusal = read::<Body>(br#"{"a":1,"a":2}"#).unwrap_err();
    assert!(refusal.detail.contains("`a` is given twice"), "{}", refusal.detail);
}

#[test]
fn an_empty_body_is_an_empty_object() {
    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Reason {
        reason: Option<String>,
    }
    assert!(read::<Reason>(b"").unwrap().reason.is_none());
    assert!(read::<Reason>(b" \n").unwrap().reason.is_none());
    assert_eq!(told_of(b"").0, 400);
    let refusal = read_line::<Line>(br#"{"sku":"A","quantity":0}"#, 7).unwrap_err();
    assert_eq!(refusal.faults[0].pointer, "/7/quantity");
}

#[test]
fn serde_has_the_last_word() {
    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(try_from = "i64")]
    #[schema(value_type = i64)]
    struct Even(#[allow(dead_code, reason = "only read by serde")] i64);
    impl TryFrom<i64> for Even {
        type Error = &'static str;
        fn try_from(number: i64) -> Result<Self, &'static str> {
            if number % 2 == 0 { Ok(Self(number)) } else { Err("odd") }
        }
    }
    assert!(read::<Even>(b"2").is_ok());
    let refusal = read::<Even>(b"3").unwrap_err();
    assert_eq!((refusal.kind.status(), refusal.detail.as_str()), (422, "odd"));
}

#[test]
fn flattened_parts_are_one_object() {
    #[derive(Debug, Deserialize, ToSchema)]
    #[allow(dead_code, reason = "only read by serde")]
    struct Whole {
        #[serde(flatten)]
        line: Line,
        extra: i64,
    }
    let faults = check(&described::<Whole>(), &json!({"sku": "-", "extra": 1, "other": 2}));
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["format", UNKNOWN_FIELD]);
}

fn any_value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "A",
        "a b",
        "partial",
        "loss",
        "wait",
        "USD",
        "2026-12-01",
        "1.5",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..12).prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!(LIMIT + 1)),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = prop::sample::select(vec![
            "sku", "quantity", "node", "status", "kind", "days", "amount", "currency",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..4).prop_map(|map| map
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    /// What the check lets through, serde reads; what it refuses, serde mostly refuses too.
    #[test]
    fn the_check_is_as_strict_as_serde(
        name in prop::sample::select(vec![
            "sku", "quantity", "change", "mode", "from", "lines", "prices", "name", "day", "at",
            "zone", "fee", "currency", "small", "step", "children", "note",
        ]),
        value in any_value(),
    ) {
        let body = with(&format!("/{name}"), value);
        let text = body.to_string();
        let read = serde_json::from_value::<Body>(body.clone());
        let faults = check(&kept::<Body>(), &body);
        if faults.is_empty() {
            prop_assert!(read.is_ok(), "{text}: {read:?}");
        } else {
            // Serde knows no bounds, reads a list as a struct, and leaves tagged enums open.
            let bounds = ["out-of-range", "too-few", "too-many", "too-short", "too-long"];
            let of_bounds = faults.iter().all(|fault| bounds.contains(&fault.code.as_str()));
            let beyond = text.contains(&(LIMIT + 1).to_string());
            let list = faults.iter().any(|fault| fault.detail.ends_with("found an array"));
            let lax = beyond || of_bounds || list || text.contains("kind");
            prop_assert!(lax || read.is_err(), "{text}: {faults:?}");
        }
    }
}
