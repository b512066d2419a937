//! Bad input: lawful and nearly lawful requests to every operation, each answer judged.
//!
//! `cargo xtask fuzz --for 10m` sends more of them, `cargo xtask fuzz SEED` one seed again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use serde_json::json;
use tradewind_tests::fuzzing::bounds;
use tradewind_tests::fuzzing::campaign::{Campaign, Counts, Finding, REQUESTS};
use tradewind_tests::fuzzing::planted::Planted;
use tradewind_tests::fuzzing::schema::faults;

/// Seeds of a run of the tests, on two threads.
const SEEDS: u64 = 24;

/// Operations that must have granted something, lest the requests be all nonsense. What is left
/// needs what chance seldom has, such as a parked event.
const GRANTED: usize = 85;

/// Declared limits of bodies that must have been tried on both sides.
const LIMITS: usize = 100;

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
    assert!(counts.granted.len() >= GRANTED, "only {} granted", counts.granted.len());
    for status in [200, 201, 400, 403, 404, 409, 422] {
        assert!(counts.statuses.contains_key(&status), "no {status}: {:?}", counts.statuses);
    }
}

/// Limits of bodies that the documents declare, each enforced where it is said to be.
#[test]
fn every_declared_limit_is_the_limit() {
    let found = bounds::play(&Campaign::new().unwrap());
    assert!(found.faults.is_empty(), "{}:\n{}", found.faults.len(), found.faults.join("\n"));
    assert!(found.held >= LIMITS, "only {} limits were tried", found.held);
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
