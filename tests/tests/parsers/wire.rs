//! What arrives: JSON bodies and lines, queries, paths, the store's replies, a plug-in's answers.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use tradewind_kernel::asks::approval::{Objection, Opinion, Requirement};
use tradewind_kernel::canonical::canonical_value;
use tradewind_kernel::event::{Domain, Origin};
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::{Day, Id, Instant, Money, Ratio};
use tradewind_shell::http::{Method, percent_decode, query_pairs};
use tradewind_shell::protocol::{self, decode_commit, decode_cut, decode_read, decode_taken};
use tradewind_shell::route::Route;
use tradewind_shell::schema::{self, MAX_FAULTS};
use tradewind_shell::store::{Commit, Needs, Read, ReadRequest};
use utoipa::ToSchema;

use super::nearly;

/// A body with something of each kind that bodies have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "it is read alone")]
struct Body {
    sku: Id,
    #[schema(minimum = 1)]
    quantity: i64,
    day: Option<Day>,
    #[serde(default)]
    #[schema(max_items = 3)]
    prices: Vec<Money>,
    share: Option<Ratio>,
    #[serde(default)]
    #[schema(max_length = 5)]
    note: String,
}

const BODY: &str = r#"{"sku":"X","quantity":5,"day":"2026-12-01","prices":[{"amount":"1.50",
"currency":"USD"}],"share":"0.5","note":"why"}"#;

/// A refusal of a body names faults, each with a place in it and words.
fn explained(refusal: &Refusal, under: &str) {
    assert!(matches!(refusal.kind, RefusalKind::Malformed | RefusalKind::Invalid), "{refusal:?}");
    assert!((1..=MAX_FAULTS).contains(&refusal.faults.len()), "{refusal:?}");
    for fault in &refusal.faults {
        assert!(fault.pointer.starts_with(under), "{fault:?}");
        assert!(!fault.code.is_empty() && !fault.detail.is_empty(), "{fault:?}");
    }
}

/// Words of the library's answers.
const WORDS: [&str; 24] = [
    "done",
    "replayed",
    "conflict",
    "stale",
    "guard",
    "guards",
    "full",
    "reused",
    "missing",
    "held",
    "idle",
    "waiting",
    "behind",
    "unmarked",
    "0000000000000007",
    "0000000000000007{}",
    "0",
    "1",
    "2",
    "-1",
    "99999999999999999999",
    "ev_1",
    "{}",
    "",
];

/// Flat values of any kind: words that the library answers, numbers, any bytes.
fn values() -> impl Strategy<Value = Vec<protocol::Value>> {
    let one = prop_oneof![
        6 => prop::sample::select(&WORDS[..])
            .prop_map(|word| protocol::Value::Bytes(word.as_bytes().to_vec())),
        2 => prop_oneof![-1_i64..5, any::<i64>()].prop_map(protocol::Value::Int),
        1 => Just(protocol::Value::Nil),
        1 => any::<Vec<u8>>().prop_map(protocol::Value::Bytes),
    ];
    prop::collection::vec(one, 0..12)
}

/// How the answer to a taking up begins when something waits: lease, standing, no effect, no mark.
fn waiting() -> Vec<protocol::Value> {
    let words = ["waiting", "1", "0", "1", "0000000000000007{}", "0"];
    words.map(|word| protocol::Value::Bytes(word.as_bytes().to_vec())).to_vec()
}

fn commit() -> Commit {
    Commit {
        tenant: "acme".to_owned(),
        domain: Domain::Inventory,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: Vec::new(),
        events: Vec::new(),
        origin: Origin {
            at: Instant::from_millis(0),
            by: "a".to_owned(),
            reason: None,
            correlation: "c".to_owned(),
            parent: None,
            causation: None,
        },
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: false,
    }
}

fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(members) => members.values().any(has_float),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn bodies(text in nearly(&[BODY])) {
        if let Err(refusal) = schema::read::<Body>(text.as_bytes()) {
            explained(&refusal, "");
        }
    }

    #[test]
    fn bodies_of_any_bytes(bytes in any::<Vec<u8>>()) {
        if let Err(refusal) = schema::read::<Body>(&bytes) {
            explained(&refusal, "");
        }
    }

    #[test]
    fn lines(text in nearly(&[r#"{"sku":"X","quantity":5}"#])) {
        if let Err(refusal) = schema::read_line::<Body>(text.as_bytes(), 7) {
            explained(&refusal, "/7");
        }
    }

    /// The canonical text of a value reads as that value and is its own canonical text. Binary floats
    /// are left out: no record and no body of ours has one, and the parser reads them to the last
    /// digit but one.
    #[test]
    fn canonical_json(text in nearly(&[
        BODY, r#"{"b":[1,-0,true,"\u00e9\ud83d\udea2"],"a":{"":null}}"#, "18446744073709551615",
        "-9223372036854775808",
    ])) {
        if let Ok(value) = serde_json::from_str::<Value>(&text)
            && !has_float(&value)
        {
            let canonical = canonical_value(&value);
            let again: Value = serde_json::from_str(&canonical).unwrap();
            prop_assert_eq!(canonical_value(&again), canonical);
        }
    }

    #[test]
    fn queries(text in nearly(&["sku=A&sku=B%20C&x", "a=%F0%9F%9A%A2&b=1+2", "&&=", "a=b=c"])) {
        match query_pairs(&text) {
            Ok(pairs) => {
                let encoded = |text: &str| {
                    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
                };
                let pair = |(name, value): &(String, String)| {
                    format!("{}={}", encoded(name), encoded(value))
                };
                let written = pairs.iter().map(pair).collect::<Vec<_>>().join("&");
                prop_assert_eq!(query_pairs(&written).unwrap(), pairs);
            }
            Err(refusal) => prop_assert_eq!(refusal.code, "query-malformed"),
        }
    }

    #[test]
    fn paths(text in nearly(&["/x/v1/orders/po%5f1/lines/2", "/x/v1/orders/%2F/lines/", "/"])) {
        let route = Route::new(Method::Get, "/x/v1/orders/{id}/lines/{line}", (), &[]);
        if let Some(parameters) = route.matches(&text) {
            let parts: Vec<&str> = text.split('/').collect();
            let wanted = [parts[4], parts[6]].map(|part| percent_decode(part, false).unwrap());
            prop_assert_eq!(parameters.into_iter().map(|(_, it)| it).collect::<Vec<_>>(), wanted);
        }
    }

    /// Whatever a store answers: it is understood, or it is an outage in words. It is never a panic,
    /// which would take an instance's other requests along.
    #[test]
    fn replies_of_the_store(values in values()) {
        let reads = vec![
            Read::Record { key: "k".to_owned() },
            Read::Events { domain: Domain::Finance, after: 0, limit: 3 },
        ];
        let (tenant, needs) = ("t".to_owned(), Needs::Nothing);
        let request = ReadRequest { tenant, domain: Domain::Finance, needs, reads };
        let faults = [
            decode_commit(&commit(), values.clone()).err(),
            decode_read(&request, values.clone()).err(),
            decode_cut(values.clone()).err(),
            decode_taken(values.clone()).err(),
            decode_taken([waiting(), values].concat()).err(),
        ];
        for fault in faults.into_iter().flatten() {
            prop_assert!(fault.to_string().contains("the store answered"), "{}", fault);
        }
    }

    /// What a plug-in says is lawful, and then as it was said, or its fault is told.
    #[test]
    fn answers_of_plugins(
        kind in 0_u8..3,
        roles in prop::collection::vec(nearly(&["finance", "approver", "admin"]), 0..7),
        code in nearly(&["country-embargoed", "a"]),
        because in nearly(&["a quarter ends"]),
    ) {
        let opinion = match kind {
            0 => Opinion::NoOpinion,
            1 => Opinion::Require(Requirement { roles, because }),
            _ => Opinion::Refuse(Objection { code, because }),
        };
        let written = serde_json::to_string(&opinion).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Opinion>(&written).unwrap(), &opinion);
        match opinion.clone().lawful() {
            Ok(said) => prop_assert_eq!(said, opinion),
            Err(fault) => {
                let fault = fault.to_string();
                prop_assert!(fault.starts_with("its answer is unlawful: "), "{}", fault);
                prop_assert!(!fault.contains(char::is_control), "{}", fault);
            }
        }
    }
}
