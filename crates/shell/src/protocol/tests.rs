//! What goes out, and what is made of strange answers.

use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, Origin};

use super::*;
use crate::store::{
    Check, Commit, Cut, Found, Idempotency, Lease, Needs, Outcome, Read, ReadRequest, Taken,
};

fn bytes(all: &[&str]) -> Vec<Value> {
    all.iter().map(|text| Value::Bytes(text.as_bytes().to_vec())).collect()
}

/// The arguments of a call, numbers and texts alike.
fn arguments(request: &Request) -> Vec<String> {
    let text = |value| match value {
        Value::Int(number) => number.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
        Value::Nil => panic!("an argument is something"),
    };
    unpack(&request.packed).unwrap().into_iter().map(text).collect()
}

fn commit() -> Commit {
    Commit {
        tenant: "acme".to_owned(),
        domain: Domain::Inventory,
        needs: Needs::Types(vec!["finance.settings-changed"]),
        idempotency: None,
        checks: vec![
            Check::Record { key: "k".to_owned(), version: 12 },
            Check::Record { key: "new".to_owned(), version: 0 },
        ],
        guards: Vec::new(),
        writes: vec![Write::Put { key: "k".to_owned(), value: "{}".to_owned() }],
        events: Vec::new(),
        origin: Origin {
            at: serde_json::from_str("\"2026-12-01T08:00:00.000Z\"").unwrap(),
            by: "a,b".to_owned(),
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

#[test]
fn a_commit_names_each_key_once() {
    let request = encode_commit(&commit()).unwrap();
    assert_eq!(request.function, Function::Commit);
    assert!(request.keys.iter().all(|key| key.starts_with("{acme}:")));
    assert_eq!(&request.keys[7..], ["{acme}:k", "{acme}:new"]);
    let expected = [
        &["acme", "tradewind:nudge:"][..],
        &["0", "inventory"],                                // nobody reacts
        &["", "1", ""],                                     // no reply, known, no cursor
        &["1", "finance.settings-changed"],                 // needs
        &["2", "R", "8", "0000000000000012", "R", "9", ""], // checks
        &["0", "0", "0", "0"],                              // groups, counters, guards, adds
        &["0", "0"],                                        // marks, events
        &["", "", "", "c", "a%2Cb"],                        // cursor, mark, origin
        &["1", "P", "8", "{}"],                             // writes
        &["0", "0", "", ""],                                // types, events, reply
    ];
    assert_eq!(arguments(&request), expected.concat());
    let frees = Commit { frees: true, ..commit() };
    assert_eq!(encode_commit(&frees).unwrap().function, Function::CommitFrees);
}

#[test]
fn a_call_names_the_version_of_the_library() {
    let request = encode_release("t", Domain::Finance, "me", true).unwrap();
    assert_eq!(arguments(&request), ["me", "1"]);
    let words = request.into_arguments();
    let (packed, texts) = words.split_last().unwrap();
    let texts: Vec<_> = texts.iter().map(|one| String::from_utf8_lossy(one)).collect();
    let name = format!("release_{}", library().hash);
    assert_eq!(texts, [&name, "2", "{t}:finance:lease", "{t}:finance:tries"]);
    assert_eq!(unpack(packed).unwrap(), bytes(&["me", "1"]));
    assert!(library().code.starts_with(&format!("#!lua name=tradewind_{}\n", library().hash)));
    assert!(!library().code.contains('@'), "every word between two @ was replaced");
}

#[test]
fn outcomes_are_told_apart() {
    let decode = |all: &[&str]| decode_commit(&commit(), bytes(all));
    assert_eq!(decode(&["done", "9007199254740991"]), Ok(Outcome::Done { version: (1 << 53) - 1 }));
    let reply = String::new();
    let replayed = decode(&["replayed", "0000000000000007", ""]);
    assert_eq!(replayed, Ok(Outcome::Replayed { version: 7, reply }));
    assert_eq!(decode(&["full"]), Ok(Outcome::Full));
    assert_eq!(decode(&["stale", "1"]), Ok(Outcome::Stale(1)));
    assert!(decode(&["done"]).is_err());
    assert!(decode(&["done", "x"]).is_err());
    assert!(decode(&["what"]).is_err());
    assert!(decode(&[]).is_err());
    assert!(decode_commit(&commit(), vec![Value::Nil]).is_err());
}

#[test]
fn integers_and_texts_are_the_same_numbers() {
    let reads = vec![Read::Record { key: "k".to_owned() }];
    let request = ReadRequest {
        tenant: "t".to_owned(),
        domain: Domain::Finance,
        needs: Needs::Nothing,
        reads,
    };
    let head = || vec![Value::Int(1), Value::Bytes(b"0".to_vec()), Value::Int(3), Value::Int(7)];
    let answer = |last| decode_read(&request, [head(), vec![last]].concat());
    let found = answer(Value::Nil).unwrap();
    assert!(found.behind && !found.waiting);
    assert_eq!((found.sequence, found.life), (3, 7));
    assert_eq!(found.found, [Found::Record(None)]);
    assert!(answer(Value::Bytes(b"short".to_vec())).is_err());
    assert!(answer(Value::Bytes(vec![0xff; 20])).is_err(), "not UTF-8");
    assert!(decode_read(&request, head()).is_err(), "too short");
    let long = [head(), vec![Value::Nil, Value::Nil]].concat();
    assert!(decode_read(&request, long).is_err(), "too long");
}

#[test]
fn cuts_and_leases_are_read() {
    let nothing = Cut { cursor: 4, events: Vec::new(), complete_to: 9 };
    assert_eq!(decode_cut(bytes(&["4", "9"])), Ok(nothing));
    assert!(decode_cut(bytes(&["4", "9", "5"])).is_err());
    assert_eq!(decode_taken(bytes(&["held"])), Ok(Taken::Held));
    assert_eq!(decode_taken(bytes(&["idle"])), Ok(Taken::Idle));
    let waiting = ["waiting", "3", "70", "1", "0000000000000002{}", "1", "i", "4", "9"];
    let Ok(Taken::Waiting(taken)) = decode_taken(bytes(&waiting)) else { panic!("it waits") };
    assert_eq!((taken.lease, taken.skips), (Lease { tries: 3, tried_for: 70 }, true));
    assert_eq!((taken.plan.unwrap().version, taken.marked), (2, vec!["i".to_owned()]));
    assert_eq!(taken.cut.complete_to, 9);
    assert!((1..waiting.len()).all(|end| decode_taken(bytes(&waiting[..end])).is_err()));
    assert!(decode_taken(bytes(&["granted"])).is_err());
    let cut = encode_cut("t", Domain::Reporting, 0).unwrap();
    assert_eq!(cut.keys.len(), 4 + 5, "all streams but its own");
    assert_eq!(arguments(&cut)[..3], ["reporting", "1", "512"]);
}

#[test]
fn a_key_is_kept_with_the_hash_of_its_request() {
    let idempotency = Some(Idempotency {
        key: "k1".to_owned(),
        request: "hash".to_owned(),
        keep_seconds: 0,
        reply: "{}".to_owned(),
    });
    let request = encode_commit(&Commit { idempotency, ..commit() }).unwrap();
    assert_eq!(request.keys[6], "{acme}:shell:reply:k1");
    let arguments = arguments(&request);
    assert_eq!(arguments[4], "hash\n");
    assert_eq!(arguments[arguments.len() - 2..], ["1", "hash\n{}"]);
}

#[test]
fn a_missing_library_is_seen_in_an_altered_text() {
    assert!(is_not_loaded("ERR Function not found"));
    assert!(is_not_loaded("An error was signalled by the server: function not found"));
    assert!(!is_not_loaded("OOM command not allowed"));
}
