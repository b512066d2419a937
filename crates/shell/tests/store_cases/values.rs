//! Records, sets, counters, indexes, tenants.

use std::collections::BTreeMap;

use tradewind_kernel::decision::{MAX_COMMIT_LINES, Write};
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{Commit, Found, Outcome, Read, ReadRequest, Store, Versioned};

use crate::store_support::*;

fn record(key: &str) -> Read {
    Read::Record { key: key.to_owned() }
}

fn found(version: u64, json: &str) -> Found {
    Found::Record(Some(Versioned { version, json: json.to_owned() }))
}

fn list(after: &str, limit: usize) -> Read {
    Read::List { index: "i".to_owned(), after: after.to_owned(), limit }
}

fn due(until: i64, limit: usize) -> Read {
    Read::Due { index: "due".to_owned(), until, limit }
}

fn names(of: &[(&str, i64)]) -> Found {
    Found::Names(of.iter().map(|(name, score)| ((*name).to_owned(), *score)).collect())
}

pub async fn nothing_is_there_at_first(bench: &impl Bench) {
    let domain = Domain::Inventory;
    let (key, item) = (|| "k".to_owned(), "i".to_owned());
    let reads = vec![
        record("k"),
        Read::Set { key: key() },
        Read::Members { key: key(), members: vec!["a".to_owned(), "b".to_owned()] },
        Read::Members { key: key(), members: vec![] },
        Read::Counters { key: key() },
        Read::CounterFields { key: key(), fields: vec!["a".to_owned()] },
        Read::CounterFields { key: key(), fields: vec![] },
        list("", 5),
        due(9, 5),
        Read::Mark { domain, item },
        Read::Marks { domain, limit: 5 },
        Read::Events { domain, after: 0, limit: 5 },
    ];
    let all = snapshot(bench.store(), reads).await;
    assert!(!all.behind && !all.waiting);
    assert_eq!(all.sequence, 0);
    let expected = vec![
        Found::Record(None),
        Found::Set(0, BTreeMap::new()),
        Found::Members(0, vec![None, None]),
        Found::Members(0, vec![]),
        Found::Counters(BTreeMap::new()),
        Found::CounterFields(vec![0]),
        Found::CounterFields(vec![]),
        names(&[]),
        names(&[]),
        Found::Marks(vec![]),
        Found::Marks(vec![]),
        Found::Events(vec![]),
    ];
    assert_eq!(all.found, expected);
}

pub async fn records_have_the_version_of_their_commit(bench: &impl Bench) {
    let store = bench.store();
    assert_eq!(write(store, vec![put("a", "{\"n\":1}"), put("b", "")]).await, 1);
    assert_eq!(write(store, vec![put("a", "{\"n\":2}")]).await, 2);
    let all = snapshot(store, vec![record("a"), record("b")]).await;
    assert_eq!(all.found, [found(2, "{\"n\":2}"), found(1, "")]);
    assert_eq!(all.sequence, 2);
    write(store, vec![Write::Delete { key: "a".to_owned() }]).await;
    assert_eq!(read(store, vec![record("a")]).await, [Found::Record(None)]);
    let version = write(store, vec![put("a", "x"), put("a", "y")]).await;
    assert_eq!(version, 4, "a version never comes back");
    assert_eq!(read(store, vec![record("a")]).await, [found(4, "y")]);
}

pub async fn sets_have_one_version(bench: &impl Bench) {
    let store = bench.store();
    let put_member = |member: &str, value: &str| Write::PutMember {
        set: "s".to_owned(),
        member: member.to_owned(),
        value: value.to_owned(),
    };
    let delete =
        |member: &str| Write::DeleteMember { set: "s".to_owned(), member: member.to_owned() };
    let whole = || Read::Set { key: "s".to_owned() };
    let some = || Read::Members { key: "s".to_owned(), members: vec!["b".into(), "a".into()] };
    let of = |version, all: &[(&str, &str)]| {
        let all = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Found::Set(version, all.collect())
    };
    write(store, vec![put_member("a", "1"), put_member("b", "2")]).await;
    write(store, vec![put_member("a", "3")]).await;
    let both = read(store, vec![whole(), some()]).await;
    assert_eq!(both[0], of(2, &[("a", "3"), ("b", "2")]));
    assert_eq!(both[1], Found::Members(2, vec![Some("2".to_owned()), Some("3".to_owned())]));
    write(store, vec![delete("a")]).await;
    assert_eq!(read(store, vec![whole()]).await, [of(3, &[("b", "2")])]);
    write(store, vec![delete("b"), delete("unknown")]).await;
    assert_eq!(read(store, vec![whole()]).await, [of(4, &[])], "empty, but it was written");
}

pub async fn counters_add_up(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![add("g", "a", 5), add("g", "b", 1), add("g", "a", -7), add("h", "a", 1)])
        .await;
    write(store, vec![add("g", "b", -1), add("g", "c", 9_007_199_254_740_991)]).await;
    let whole = Read::Counters { key: "g".to_owned() };
    let fields = vec!["c".to_owned(), "none".to_owned(), "a".to_owned()];
    let some = Read::CounterFields { key: "g".to_owned(), fields };
    let all = [("a", -2), ("b", 0), ("c", 9_007_199_254_740_991)];
    let all = all.map(|(name, value)| (name.to_owned(), value));
    let expected = [
        Found::Counters(all.into_iter().collect()),
        Found::CounterFields(vec![9_007_199_254_740_991, 0, -2]),
    ];
    assert_eq!(read(store, vec![whole, some]).await, expected);
}

pub async fn indexes_are_sorted(bench: &impl Bench) {
    let store = bench.store();
    let entry = |index: &str, member: &str, score| Write::Index {
        index: index.to_owned(),
        member: member.to_owned(),
        score,
    };
    let all = ["b", "a", "Z", "ü", "a b"].map(|name| entry("i", name, 0)).to_vec();
    write(store, all).await;
    let later = 1_795_000_000_123;
    write(store, vec![entry("due", "x", later), entry("due", "b", 5), entry("due", "a", 5)]).await;
    let reads = vec![list("", 9), list("a", 2), list("zz", 9), list("", 0)];
    let expected = [
        names(&[("Z", 0), ("a", 0), ("a b", 0), ("b", 0), ("ü", 0)]),
        names(&[("a b", 0), ("b", 0)]),
        names(&[("ü", 0)]),
        names(&[]),
    ];
    assert_eq!(read(store, reads).await, expected);
    let reads =
        vec![due(later, 9), due(later - 1, 9), due(later, 1), due(4, 9), due(9, usize::MAX)];
    let expected = [
        names(&[("a", 5), ("b", 5), ("x", later)]),
        names(&[("a", 5), ("b", 5)]),
        names(&[("a", 5)]),
        names(&[]),
        names(&[("a", 5), ("b", 5)]),
    ];
    assert_eq!(read(store, reads).await, expected);
    let out = Write::Unindex { index: "due".to_owned(), member: "a".to_owned() };
    write(store, vec![out, entry("due", "b", -3)]).await;
    assert_eq!(read(store, vec![due(0, 9)]).await, [names(&[("b", -3)])]);
}

pub async fn many_names_are_read_at_once(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![add("g", "f8999", 8), add("g", "f4000", 4), add("g", "f0", 1)]).await;
    let fields: Vec<String> = (0..9000).map(|n| format!("f{n}")).collect();
    let all = read(store, vec![Read::CounterFields { key: "g".to_owned(), fields }]).await;
    let Found::CounterFields(values) = &all[0] else { panic!("{all:?}") };
    assert_eq!(values.len(), 9000);
    assert_eq!((values[0], values[4000], values[8999]), (1, 4, 8));
    assert_eq!(values.iter().sum::<i64>(), 13);
}

pub async fn a_full_commit_goes_through(bench: &impl Bench) {
    let store = bench.store();
    let writes = (0..MAX_COMMIT_LINES).map(|n| add("g", &format!("f{n}"), 1)).collect();
    let mut full = Commit { writes, ..commit(Domain::Inventory) };
    done(store, &full).await;
    let all = read(store, vec![Read::Counters { key: "g".to_owned() }]).await;
    let Found::Counters(values) = &all[0] else { panic!("{all:?}") };
    assert_eq!(values.len(), MAX_COMMIT_LINES);
    full.events.push(event("inventory.item-set"));
    assert!(store.commit(&full).await.is_err(), "one line too many");
}

pub async fn what_cannot_be_carried_out_is_an_outage(bench: &impl Bench) {
    let store = bench.store();
    let base = commit(Domain::Inventory);
    let writes = |write| Commit { writes: vec![put("k", "v"), write], ..base.clone() };
    let (set, member, value) = ("s".to_owned(), String::new(), String::new());
    let odd = [
        Commit { tenant: "a}b".to_owned(), ..base.clone() },
        Commit { tenant: String::new(), ..base.clone() },
        Commit { tenant: "*".to_owned(), ..base.clone() },
        Commit { events: vec![event("finance.rate-set")], ..base.clone() },
        writes(Write::PutMember { set, member, value }),
        writes(add("g", "f", 1 << 53)),
        writes(Write::Index { index: "i".to_owned(), member: "m".to_owned(), score: i64::MIN }),
    ];
    for commit in odd {
        assert!(store.commit(&commit).await.is_err(), "{commit:?}");
    }
    let all = snapshot(store, vec![record("k")]).await;
    assert_eq!((all.sequence, &all.found[0]), (0, &Found::Record(None)));
}

pub async fn tenants_do_not_see_each_other(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![put("k", "1"), add("g", "f", 1), Write::Mark { item: "x".to_owned() }]).await;
    tell(store, Domain::Finance, &["finance.settings-changed"]).await;
    let other = ReadRequest {
        tenant: "acme2".to_owned(),
        ..request(
            Domain::Inventory,
            vec![
                record("k"),
                Read::Counters { key: "g".to_owned() },
                Read::Marks { domain: Domain::Inventory, limit: 9 },
                Read::Events { domain: Domain::Finance, after: 0, limit: 9 },
            ],
        )
    };
    let all = store.read(&other).await.unwrap();
    assert_eq!((all.sequence, all.waiting), (0, false));
    let nothing = [
        Found::Record(None),
        Found::Counters(BTreeMap::new()),
        Found::Marks(vec![]),
        Found::Events(vec![]),
    ];
    assert_eq!(all.found, nothing);
    let cut = store.cut("acme2", Domain::Inventory, 9).await.unwrap();
    assert_eq!((cut.events.len(), cut.complete_to), (0, 0));
    let commit = Commit { tenant: "acme2".to_owned(), ..commit(Domain::Inventory) };
    assert_eq!(done(store, &commit).await, 1, "each has its own sequence");
}

pub async fn a_new_tenant_is_listed_first(bench: &impl Bench) {
    let store = bench.store();
    store.ping().await.unwrap();
    assert_eq!(store.tenants().await.unwrap(), Vec::<String>::new());
    let mut first = Commit { tenant_known: false, ..commit(Domain::Inventory) };
    first.writes.push(put("k", "v"));
    assert_eq!(store.commit(&first).await.unwrap(), Outcome::NewTenant);
    assert_eq!(read(store, vec![record("k")]).await, [Found::Record(None)]);
    store.add_tenant("zeta").await.unwrap();
    store.add_tenant(TENANT).await.unwrap();
    store.add_tenant(TENANT).await.unwrap();
    assert!(store.add_tenant("*").await.is_err());
    assert_eq!(store.tenants().await.unwrap(), [TENANT, "zeta"]);
    done(store, &Commit { tenant_known: true, ..first.clone() }).await;
    done(store, &first).await;
}
