//! What refuses a commit: checks, guards, idempotency keys.

use tradewind_kernel::decision::{Floor, Guard, Sum, Term, Write};
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{
    Check, Commit, CursorMove, Found, Idempotency, Needs, Outcome, Read, ReadRequest, Store,
    Versioned, keys,
};

use crate::store_support::*;

const DOMAIN: Domain = Domain::Inventory;

fn counter(field: &str, times: i64) -> Term {
    Term::Counter { counters: "g".to_owned(), field: field.to_owned(), times }
}

fn remaining(quantity: i64, field: &str, times: i64) -> Term {
    Term::Remaining { quantity, counters: "h".to_owned(), field: field.to_owned(), times }
}

fn at_least(constant: i64, terms: Vec<Term>, floor: Floor) -> Guard {
    Guard { sum: Sum { constant, terms }, floor }
}

fn record(key: &str, version: u64) -> Check {
    Check::Record { key: key.to_owned(), version }
}

fn set(key: &str, version: u64) -> Check {
    Check::Set { key: key.to_owned(), version }
}

fn key(name: &str, request: &str) -> Option<Idempotency> {
    let (key, request, reply) =
        (name.to_owned(), request.to_owned(), "{\"status\":201}".to_owned());
    Some(Idempotency { key, request, keep_seconds: 1, reply })
}

async fn outcome(bench: &impl Bench, commit: &Commit) -> Outcome {
    bench.store().commit(commit).await.unwrap()
}

pub async fn checks_go_in_order_and_write_nothing(bench: &impl Bench) {
    let store = bench.store();
    done(store, &Commit { idempotency: key("used", "one"), ..commit(DOMAIN) }).await;
    tell(store, Domain::Finance, &["finance.settings-changed"]).await;
    bench.nudges().await;
    let mut all = Commit {
        tenant: "fresh".to_owned(),
        needs: Needs::Everything,
        idempotency: key("used", "two"),
        checks: vec![record("k", 0), set("s", 7), record("k", 9)],
        guards: vec![
            at_least(0, vec![], Floor::Value(0)),
            at_least(0, vec![counter("f", 1)], Floor::Value(1)),
        ],
        writes: vec![put("k", "v"), add("g", "f", 1), Write::Mark { item: "x".to_owned() }],
        events: vec![event("inventory.item-set")],
        cursor: Some(CursorMove { expected: 9, next: 9 }),
        tenant_known: false,
        ..commit(DOMAIN)
    };
    assert_eq!(outcome(bench, &all).await, Outcome::NewTenant);
    all.tenant = TENANT.to_owned();
    assert_eq!(outcome(bench, &all).await, Outcome::KeyReused);
    all.idempotency = key("used", "one");
    assert!(matches!(outcome(bench, &all).await, Outcome::Replayed { version: 1, .. }));
    all.idempotency = key("new", "one");
    assert_eq!(outcome(bench, &all).await, Outcome::CursorMoved);
    all.cursor = Some(CursorMove { expected: 0, next: 0 });
    assert_eq!(outcome(bench, &all).await, Outcome::Behind);
    all.needs = Needs::Types(vec!["finance.rate-set", "finance.settings-changed"]);
    assert_eq!(outcome(bench, &all).await, Outcome::Behind);
    all.needs = Needs::Types(vec!["finance.rate-set"]);
    assert_eq!(outcome(bench, &all).await, Outcome::Stale(1));
    all.checks[1] = set("s", 0);
    assert_eq!(outcome(bench, &all).await, Outcome::Stale(2));
    all.checks.pop();
    let groups = [("g".to_owned(), [].into())].into();
    assert_eq!(outcome(bench, &all).await, Outcome::Guarded(1, groups));

    assert_eq!(bench.nudges().await, []);
    let reads = vec![
        Read::Record { key: "k".to_owned() },
        Read::Counters { key: "g".to_owned() },
        Read::Marks { domain: DOMAIN, limit: 9 },
        Read::Events { domain: DOMAIN, after: 0, limit: 9 },
        Read::Record { key: keys::idempotency("new") },
    ];
    let now = snapshot(store, reads).await;
    assert_eq!(now.sequence, 3, "nothing was written");
    let nothing = [
        Found::Record(None),
        Found::Counters([].into()),
        Found::Marks(vec![]),
        Found::Events(vec![]),
        Found::Record(None),
    ];
    assert_eq!(now.found, nothing);
    all.guards.pop();
    assert_eq!(outcome(bench, &all).await, Outcome::Done { version: 4 });
}

pub async fn versions_are_checked(bench: &impl Bench) {
    let store = bench.store();
    let member = Write::PutMember { set: "s".into(), member: "m".into(), value: "1".into() };
    let first = write(store, vec![put("k", "1"), member]).await;
    let with = |checks| Commit { checks, ..commit(DOMAIN) };
    let good = with(vec![record("k", first), set("s", first), record("none", 0), set("none", 0)]);
    let second = done(store, &good).await;
    assert_eq!(outcome(bench, &with(vec![record("k", second)])).await, Outcome::Stale(0));
    assert_eq!(outcome(bench, &with(vec![record("k", 0)])).await, Outcome::Stale(0));
    assert_eq!(outcome(bench, &with(vec![set("s", 0)])).await, Outcome::Stale(0));
    write(store, vec![put("k", "2")]).await;
    assert_eq!(outcome(bench, &good).await, Outcome::Stale(0));
    write(store, vec![Write::Delete { key: "k".to_owned() }]).await;
    assert_eq!(outcome(bench, &good).await, Outcome::Stale(0));
    done(store, &with(vec![record("k", 0)])).await;
    write(store, vec![Write::DeleteMember { set: "s".into(), member: "m".into() }]).await;
    assert_eq!(outcome(bench, &with(vec![set("s", first)])).await, Outcome::Stale(0));
}

pub async fn unmarked_is_checked(bench: &impl Bench) {
    let store = bench.store();
    let unmarked = |domain| Commit {
        checks: vec![Check::Unmarked { item: "x".to_owned() }],
        ..commit(domain)
    };
    done(store, &unmarked(DOMAIN)).await;
    write(store, vec![Write::Mark { item: "x".to_owned() }]).await;
    assert_eq!(outcome(bench, &unmarked(DOMAIN)).await, Outcome::Stale(0));
    done(store, &unmarked(Domain::Planning)).await;
}

pub async fn a_life_is_checked(bench: &impl Bench) {
    let store = bench.store();
    let life = snapshot(store, vec![]).await.life;
    let with = |life| Commit { checks: vec![Check::Life { life }], ..commit(DOMAIN) };
    done(store, &with(life)).await;
    assert_eq!(outcome(bench, &with(life + 1)).await, Outcome::Stale(0));
    assert_eq!(snapshot(store, vec![]).await.life, life, "it goes on");
    let other = ReadRequest { tenant: "other".to_owned(), ..request(DOMAIN, vec![]) };
    assert_eq!(store.read(&other).await.unwrap().life, life, "it is the store's, not a tenant's");
}

pub async fn guards_see_live_counters(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![add("g", "hand", 10), add("g", "claimed", 3), add("h", "x", 1)]).await;
    // What is free after taking: hand − claimed − quantity ≥ 0.
    let take = |quantity: i64| Commit {
        guards: vec![at_least(
            -quantity,
            vec![counter("hand", 1), counter("claimed", -1)],
            Floor::Value(0),
        )],
        writes: vec![add("g", "claimed", quantity)],
        ..commit(DOMAIN)
    };
    done(store, &take(5)).await;
    let live = [("claimed".to_owned(), 8), ("hand".to_owned(), 10)].into();
    let groups = [("g".to_owned(), live)].into();
    assert_eq!(outcome(bench, &take(3)).await, Outcome::Guarded(0, groups));
    done(store, &take(2)).await;
    assert!(matches!(outcome(bench, &take(1)).await, Outcome::Guarded(0, _)));

    let mut both = take(0);
    both.guards.push(at_least(0, vec![remaining(1, "x", 1)], Floor::Value(1)));
    let Outcome::Guarded(1, groups) = outcome(bench, &both).await else { panic!("passed") };
    assert_eq!(groups.keys().collect::<Vec<_>>(), ["g", "h"], "the groups of all guards");
    assert_eq!(groups["h"], [("x".to_owned(), 1)].into());
}

pub async fn a_floor_is_the_live_minimum(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![add("g", "a", -4), add("g", "b", -6), add("g", "c", 9)]).await;
    let sum = |constant, terms| Sum { constant, terms };
    let guarded = |constant: i64, floors: Vec<Sum>| Commit {
        guards: vec![at_least(constant, vec![], Floor::MinimumOf(floors))],
        ..commit(DOMAIN)
    };
    let floors = vec![
        sum(0, vec![counter("a", 1)]),
        sum(1, vec![counter("b", 1)]), // −5 is the least
        sum(0, vec![counter("c", 1)]),
    ];
    done(store, &guarded(-5, floors.clone())).await;
    assert!(matches!(outcome(bench, &guarded(-6, floors.clone())).await, Outcome::Guarded(0, _)));
    write(store, vec![add("g", "b", -1)]).await;
    done(store, &guarded(-6, floors)).await;
    let above = vec![sum(0, vec![counter("c", 1)])];
    done(store, &guarded(0, above.clone())).await;
    assert!(matches!(outcome(bench, &guarded(-1, above)).await, Outcome::Guarded(0, _)));
    done(store, &guarded(0, vec![])).await;
    assert!(matches!(outcome(bench, &guarded(-1, vec![])).await, Outcome::Guarded(0, _)));
}

pub async fn remaining_never_goes_below_zero(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![add("h", "used", 3)]).await;
    let with = |constant, quantity, times| Commit {
        guards: vec![at_least(constant, vec![remaining(quantity, "used", times)], Floor::Value(0))],
        ..commit(DOMAIN)
    };
    done(store, &with(2, 5, -1)).await; // 2 − max(0, 5 − 3)
    assert!(matches!(outcome(bench, &with(1, 5, -1)).await, Outcome::Guarded(0, _)));
    done(store, &with(0, 2, -1)).await; // 0 − max(0, 2 − 3)
    done(store, &with(-4, 5, 2)).await;
    assert!(matches!(outcome(bench, &with(-5, 5, 2)).await, Outcome::Guarded(0, _)));
}

pub async fn sums_beyond_two_to_the_53_are_an_outage(bench: &impl Bench) {
    let store = bench.store();
    let most = 9_007_199_254_740_991;
    write(store, vec![add("g", "big", most)]).await;
    let guard = |terms| Commit {
        guards: vec![at_least(0, terms, Floor::Value(0))],
        writes: vec![put("k", "v")],
        ..commit(DOMAIN)
    };
    done(store, &guard(vec![counter("big", 1)])).await;
    assert!(store.commit(&guard(vec![counter("big", 2)])).await.is_err());
    assert!(store.commit(&guard(vec![counter("big", 1), counter("big", 1)])).await.is_err());
    let over = Commit { writes: vec![put("k", "w"), add("g", "big", 1)], ..commit(DOMAIN) };
    assert!(store.commit(&over).await.is_err());
    let there = Versioned { version: 2, json: "v".to_owned() };
    let found = read(store, vec![Read::Record { key: "k".to_owned() }]).await;
    assert_eq!(found, [Found::Record(Some(there))], "nothing was written halfway");
}

pub async fn replies_are_kept_under_their_key(bench: &impl Bench) {
    let store = bench.store();
    let first = Commit {
        idempotency: key("k1", "hash1"),
        writes: vec![add("g", "f", 1)],
        tenant_known: false,
        ..commit(DOMAIN)
    };
    assert_eq!(outcome(bench, &first).await, Outcome::NewTenant);
    let first = Commit { tenant_known: true, ..first };
    assert_eq!(outcome(bench, &first).await, Outcome::Done { version: 1 });
    let reply = "{\"status\":201}".to_owned();
    assert_eq!(outcome(bench, &first).await, Outcome::Replayed { version: 1, reply });
    for request in ["hash2", "hash", "hash11", ""] {
        let other = Commit { idempotency: key("k1", request), ..first.clone() };
        assert_eq!(outcome(bench, &other).await, Outcome::KeyReused, "{request}");
    }
    let kept = read(store, vec![Read::Record { key: keys::idempotency("k1") }]).await;
    let json = "hash1\n{\"status\":201}".to_owned();
    assert_eq!(kept, [Found::Record(Some(Versioned { version: 1, json }))]);
    done(store, &Commit { idempotency: key("k2", "hash1"), ..first.clone() }).await;
    let fields = vec!["f".to_owned()];
    let found = read(store, vec![Read::CounterFields { key: "g".to_owned(), fields }]).await;
    assert_eq!(found, [Found::CounterFields(vec![2])], "each key took effect once");
}

pub async fn kept_replies_end(bench: &impl Bench) {
    let with = |request| Commit { idempotency: key("k", request), ..commit(DOMAIN) };
    done(bench.store(), &with("one")).await;
    assert_eq!(outcome(bench, &with("two")).await, Outcome::KeyReused);
    bench.pass(1100).await;
    assert_eq!(outcome(bench, &with("two")).await, Outcome::Done { version: 2 });
}
