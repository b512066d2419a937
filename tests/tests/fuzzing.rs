//! Bad input: lawful and nearly lawful requests to every operation, each answer judged.
//!
//! `cargo xtask fuzz --for 10m` sends more of them, `cargo xtask fuzz SEED` one seed again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::thread;

use serde_json::json;
use tradewind_kernel::event::Domain;
use tradewind_tests::driver::{Driver, Sender, Sent};
use tradewind_tests::fuzzing::bounds;
use tradewind_tests::fuzzing::campaign::{Campaign, Counts, Finding, REQUESTS};
use tradewind_tests::fuzzing::planted::Planted;
use tradewind_tests::fuzzing::request::Operation;
use tradewind_tests::fuzzing::schema::faults;

/// Seeds of a run of the tests, on two threads.
const SEEDS: u64 = 24;

/// Requests of an operation that no seed was granted, until one is: far more than any needs.
const PURSUED: u64 = 1000;

/// The operations that are never granted, and why; each other one must be, lest the requests be
/// all nonsense.
fn never() -> BTreeMap<String, &'static str> {
    let all = Domain::ALL.iter().flat_map(|domain| {
        ["replay", "dismiss"].map(|end| format!("POST /{domain}/v1/parked/{{event}}/{end}"))
    });
    all.map(|name| (name, "only a fault of the product parks an event, and there is none"))
        .collect()
}

#[test]
fn no_request_is_answered_by_a_fault_or_changes_what_it_must_not() {
    let campaign = Campaign::new().unwrap();
    let play = |first: u64| -> (Counts, Vec<Finding>) {
        let (mut counts, mut findings) = (Counts::default(), Vec::new());
        for seed in (first..=SEEDS).step_by(2) {
            let (played, found) = campaign.seed(seed, REQUESTS);
            counts.add(&played);
            findings.extend(found);
        }
        (counts, findings)
    };
    let (mut counts, mut findings) = (Counts::default(), Vec::new());
    thread::scope(|scope| {
        let running = [1, 2].map(|first| scope.spawn(move || play(first)));
        for one in running {
            let (played, found) = one.join().unwrap();
            counts.add(&played);
            findings.extend(found);
        }
    });
    let shown: Vec<String> = findings.iter().take(5).map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), shown.join("\n\n"));
    let never = never();
    for operation in campaign.operations() {
        let name = operation.name();
        let expected = !never.contains_key(&name);
        if expected && !counts.granted.contains_key(&name) {
            let (pursued, found) = campaign.pursue(&operation, PURSUED);
            let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert!(found.is_empty(), "{}", shown.join("\n\n"));
            counts.add(&pursued);
        }
        let granted = counts.granted.contains_key(&name);
        assert_eq!(granted, expected, "{name}: {:?}", never.get(&name));
    }
    let known: Vec<String> = campaign.operations().iter().map(Operation::name).collect();
    assert!(never.keys().all(|name| known.contains(name)), "{never:?}");
    for status in [200, 201, 400, 403, 404, 409, 422] {
        assert!(counts.statuses.contains_key(&status), "no {status}: {:?}", counts.statuses);
    }
}

/// Limits that the documents declare, each enforced where it is said to be and as it is said.
#[test]
fn every_declared_limit_is_the_limit() {
    let found = bounds::play(&Campaign::new().unwrap());
    assert!(found.faults.is_empty(), "{}:\n{}", found.faults.len(), found.faults.join("\n"));
    assert!(found.declared > 0, "the documents declare no limit");
    assert_eq!(found.held, found.declared);
}

/// A `Correlation-Id` is never refused, whatever it is; of what is no id, 64 characters are kept.
#[test]
fn a_header_of_any_size_leaves_no_more_than_an_id() {
    let campaign = Campaign::new().unwrap();
    let [tenant, role, subject] = ["home", "admin", "admin"].map(str::to_owned);
    let sender = Sender { tenant, role, subject, bound: None };
    for text in ["x".repeat(8192), "é".repeat(4096), String::new(), "a b/~".to_owned()] {
        let mut product = campaign.product();
        let headers = [("correlation-id", text.as_str()), ("content-type", "application/json")];
        let sent = Sent {
            method: "PUT".to_owned(),
            path: "/inventory/v1/items/LONG".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Some("{}".to_owned()),
        };
        let got = product.send(&sender, &sent).unwrap();
        assert_eq!(got.status, 201, "{:?}", got.body);
        assert!(got.header("correlation-id").unwrap().starts_with("cor_"));
        let after = product.store().contents("home");
        let kept: String = text.chars().take(64).collect();
        let longer: String = text.chars().take(65).collect();
        assert!(kept.is_empty() || after.contains(&kept), "it is not kept as parent");
        assert!(longer == kept || !after.contains(&longer), "more than 64 characters are kept");
    }
}

/// A document that says another limit than the product has is found out, by the limit.
#[test]
fn every_planted_limit_is_found() {
    let campaign = Campaign::new().unwrap();
    let reserve = ("/inventory/v1/reservations", "post");
    let body = "/components/schemas/ReserveBody";
    let lines = "/components/schemas/ReserveBody/properties/lines";
    let quantity = "/components/schemas/ItemQuantity/properties/quantity";
    let item = ("/inventory/v1/items/{sku}", "put");
    let fields = "/components/schemas/Item/properties";
    let closed = "/components/schemas/Calendar/properties/closed";
    let node = ("/inventory/v1/nodes/{node}", "put");
    let promise = ("/inventory/v1/promise", "get");
    for ((path, method), pointer, word, value, said) in [
        (reserve, lines, "maxItems", json!(257), "lines maxItems: refused at the bound"),
        (reserve, lines, "minItems", json!(2), "lines minItems: not 422 `too-few`"),
        (reserve, body, "additionalProperties", json!(true), "additionalProperties: beyond"),
        (reserve, body, "required", json!(["lines"]), "answered 400"),
        (
            reserve,
            "/components/schemas/Mode",
            "enum",
            json!(["partial", "all"]),
            "mode enum: refused",
        ),
        (reserve, quantity, "type", json!(["integer", "null"]), "quantity type: answered 400"),
        (reserve, quantity, "minimum", json!(2), "quantity minimum: not 422 `out-of-range`"),
        (reserve, quantity, "multipleOf", json!(2), "quantity multipleOf: no lawful body"),
        (reserve, "/parameters/0/schema", "maxLength", json!(256), "Idempotency-Key maxLength"),
        (item, fields, "name/maxLength", json!(501), "name maxLength: refused at the bound"),
        (item, fields, "name/maxLength", json!(499), "name maxLength: not 422 `too-long`"),
        (item, fields, "list_prices/maxProperties", json!(2), "maxProperties: not 422"),
        (item, fields, "list_prices/propertyNames/format", json!("date"), "propertyNames: not 422"),
        (node, closed, "maxItems", json!(999), "closed maxItems: not 422 `too-many`"),
        (node, closed, "uniqueItems", json!(false), "closed maxItems"),
        (promise, "/parameters/2/schema", "minimum", json!(0), "?quantity minimum: at the bound"),
        (promise, "/parameters/1", "required", json!(false), "query needs `channel`"),
    ] {
        let doctored = campaign.doctored(|document| {
            let operation = format!("/paths/{}/{method}", path.replace('/', "~1"));
            let whole = pointer.starts_with("/components");
            let (inner, word) = word.rsplit_once('/').unwrap_or(("", word));
            let inner = if inner.is_empty() { inner.to_owned() } else { format!("/{inner}") };
            let before = if whole { "" } else { operation.as_str() };
            if let Some(part) = document.pointer_mut(&format!("{before}{pointer}{inner}")) {
                part[word] = value.clone();
            }
        });
        let only = |operation: &Operation<'_>| {
            (operation.path, &*operation.method.to_lowercase()) == (path, method)
        };
        let found = bounds::play_some(&doctored, only);
        let named = found.faults.iter().any(|fault| fault.contains(said));
        assert!(named, "{pointer}/{word} {value}: {:#?}", found.faults);
    }
}

/// A product that is wrong on purpose is found out, each time by what is wrong with it.
#[test]
fn every_planted_fault_is_found() {
    let campaign = Campaign::new().unwrap();
    for (planted, words) in Planted::ALL {
        let found = (1..=SEEDS).flat_map(|seed| campaign.planted(seed, 100, Some(planted)).1);
        let mut words_of_it = found.flat_map(|finding| finding.what);
        assert!(words_of_it.any(|what| what.contains(words)), "{planted:?} is not found");
    }
}

#[test]
fn a_seed_is_one_sequence_of_requests() {
    let campaign = Campaign::new().unwrap();
    let [one, other] = [(); 2].map(|()| campaign.seed(7, 60).0);
    assert_eq!((one.lawful, one.granted), (other.lawful, other.granted));
    assert_eq!(one.statuses, other.statuses);
}

#[test]
fn the_judge_of_forms_knows_right_from_wrong() {
    let id = json!({ "type": "string", "pattern": "^[A-Z]{3}$" });
    let document = json!({ "schemas": { "Code": id } });
    let schema = json!({
        "type": "object",
        "required": ["code"],
        "additionalProperties": false,
        "properties": {
            "code": { "$ref": "#/schemas/Code" },
            "count": { "type": ["integer", "null"], "minimum": 1, "maximum": 9 },
            "days": {
                "type": "array",
                "items": { "type": "string", "format": "date" },
                "minItems": 1,
                "uniqueItems": true,
            },
            "word": { "type": "string", "enum": ["a", "b"], "maxLength": 1 },
            "one": { "oneOf": [{ "type": "null" }, { "type": "string" }] },
        },
    });
    for (value, right) in [
        (json!({ "code": "USD" }), true),
        (json!({ "code": "USD", "count": null, "one": null }), true),
        (json!({ "code": "USD", "count": 9, "word": "a", "days": ["2028-02-29"] }), true),
        (json!({}), false),
        (json!([]), false),
        (json!({ "code": "usd" }), false),
        (json!({ "code": "USD", "more": 1 }), false),
        (json!({ "code": "USD", "count": 10 }), false),
        (json!({ "code": "USD", "count": 1.0 }), false),
        (json!({ "code": "USD", "days": [] }), false),
        (json!({ "code": "USD", "days": ["2027-02-29"] }), false),
        (json!({ "code": "USD", "days": ["2028-02-29", "2028-02-29"] }), false),
        (json!({ "code": "USD", "word": "c" }), false),
        (json!({ "code": "USD", "one": 1 }), false),
    ] {
        let found = faults(&document, &schema, &value);
        assert_eq!(found.is_empty(), right, "{value}: {found:?}");
    }
}
