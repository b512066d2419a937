//! What only Redis can do to us: flushed functions, full memory, broken connections, clusters.
#![cfg(feature = "native-redis")]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod store_support;

use futures::future::join_all;
use store_support::*;
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{Check, Commit, Found, Idempotency, Outcome, Read, Store};

/// Has Redis do a command beside the store.
async fn command(server: &Server, words: &[&str]) -> redis::Value {
    let mut all = redis::cmd(words[0]);
    words[1..].iter().for_each(|word| {
        all.arg(word);
    });
    all.query_async(&mut server.connection().await).await.unwrap()
}

fn counter() -> Vec<Read> {
    vec![Read::CounterFields { key: "g".to_owned(), fields: vec!["f".to_owned()] }]
}

#[test]
fn flushed_functions_are_loaded_again() {
    block_on(async {
        let bench = Redis::start().await;
        for _ in 0..3 {
            command(&bench.server, &["FUNCTION", "FLUSH"]).await;
            write(&bench.store, vec![add("g", "f", 1)]).await;
            command(&bench.server, &["FUNCTION", "FLUSH"]).await;
            bench.store.cut(TENANT, Domain::Inventory, 9).await.unwrap();
        }
        command(&bench.server, &["FUNCTION", "FLUSH"]).await;
        assert_eq!(read(&bench.store, counter()).await, [Found::CounterFields(vec![3])]);
    });
}

#[test]
fn a_library_that_is_loaded_again_begins_another_life() {
    block_on(async {
        let bench = Redis::start().await;
        let life = snapshot(&bench.store, vec![]).await.life;
        command(&bench.server, &["FUNCTION", "FLUSH"]).await;
        let stale = Commit { checks: vec![Check::Life { life }], ..commit(Domain::Inventory) };
        assert_eq!(bench.store.commit(&stale).await, Ok(Outcome::Stale(0)));
        assert!(snapshot(&bench.store, vec![]).await.life > life);
    });
}

#[test]
fn thirty_first_calls_at_once_load_once_and_all_count() {
    block_on(async {
        let bench = Redis::start().await;
        let all = (0..30).map(|_| write(&bench.store, vec![add("g", "f", 1)]));
        let mut versions = join_all(all).await;
        versions.sort_unstable();
        assert_eq!(versions, (1..=30).collect::<Vec<_>>());
        assert_eq!(read(&bench.store, counter()).await, [Found::CounterFields(vec![30])]);
    });
}

#[test]
fn full_memory_refuses_all_but_what_frees() {
    block_on(async {
        let bench = Redis::start().await;
        write(&bench.store, vec![add("g", "f", 5)]).await;
        command(&bench.server, &["CONFIG", "SET", "maxmemory", "1mb"]).await;
        let taking = Commit { writes: vec![add("g", "f", 1)], ..commit(Domain::Inventory) };
        assert_eq!(bench.store.commit(&taking).await, Ok(Outcome::Full));
        let freeing = Commit { writes: vec![add("g", "f", -2)], frees: true, ..taking.clone() };
        assert_eq!(bench.store.commit(&freeing).await, Ok(Outcome::Done { version: 2 }));
        assert_eq!(read(&bench.store, counter()).await, [Found::CounterFields(vec![3])]);
        bench.store.cut(TENANT, Domain::Inventory, 9).await.unwrap();
        let lease = lease(&bench.store, &take_up(Domain::Inventory, "a")).await;
        assert!(lease.is_some(), "what frees may need the domain to catch up");
        bench.store.release(TENANT, Domain::Inventory, "a", true).await.unwrap();
        command(&bench.server, &["CONFIG", "SET", "maxmemory", "0"]).await;
        assert_eq!(bench.store.commit(&taking).await, Ok(Outcome::Done { version: 3 }));
    });
}

#[test]
fn new_work_is_refused_before_redis_is_full_and_room_is_kept() {
    block_on(async {
        let bench = Redis::start().await;
        command(&bench.server, &["CONFIG", "SET", "maxmemory", "24mb"]).await;
        let text = "x".repeat(20_000);
        let taking = |number: usize| {
            let writes = vec![put(&format!("k{number}"), &text)];
            Commit { writes, ..commit(Domain::Inventory) }
        };
        let mut taken = 0;
        while bench.store.commit(&taking(taken)).await.unwrap() != Outcome::Full {
            taken += 1;
            assert!(taken < 2000, "it never said that it is nearly full");
        }
        // Redis itself would still take it: what frees some may even take a little.
        command(&bench.server, &["SET", "beside", &text]).await;
        for number in taken..taken + 10 {
            let freeing = Commit { frees: true, ..taking(number) };
            let done = bench.store.commit(&freeing).await.unwrap();
            assert!(matches!(done, Outcome::Done { .. }));
        }
        assert_eq!(bench.store.commit(&taking(taken)).await, Ok(Outcome::Full));
        for number in 0..taken / 2 {
            let writes = vec![Write::Delete { key: format!("k{number}") }];
            let freeing = Commit { writes, frees: true, ..commit(Domain::Inventory) };
            bench.store.commit(&freeing).await.unwrap();
        }
        let again = bench.store.commit(&taking(taken)).await.unwrap();
        assert!(matches!(again, Outcome::Done { .. }), "it goes on at once: {again:?}");
    });
}

#[test]
fn a_broken_connection_is_opened_again() {
    block_on(async {
        let bench = Redis::start().await;
        write(&bench.store, vec![add("g", "f", 1)]).await;
        command(&bench.server, &["CLIENT", "KILL", "TYPE", "normal"]).await;
        assert_eq!(read(&bench.store, counter()).await, [Found::CounterFields(vec![1])]);
        command(&bench.server, &["CLIENT", "KILL", "TYPE", "normal"]).await;
        let again = Commit { writes: vec![add("g", "f", 1)], ..commit(Domain::Inventory) };
        assert!(bench.store.commit(&again).await.is_err(), "a commit is not sent blindly again");
        assert_eq!(bench.store.commit(&again).await, Ok(Outcome::Done { version: 2 }));
    });
}

#[test]
fn a_commit_waits_for_its_replicas() {
    block_on(async {
        let bench = Redis::start().await;
        let careful = tradewind_shell::redis::open(&bench.server.address(), 1).unwrap();
        let outage = careful.commit(&commit(Domain::Inventory)).await.unwrap_err();
        assert!(outage.0.contains("replicas"), "{outage}");
        assert_eq!(snapshot(&careful, vec![]).await.sequence, 1, "it may have happened");
    });
}

#[test]
fn a_kept_reply_waits_for_the_replicas_too() {
    block_on(async {
        let bench = Redis::start().await;
        let careful = tradewind_shell::redis::open(&bench.server.address(), 1).unwrap();
        let [key, request, reply] = ["key", "request", "{}"].map(str::to_owned);
        let idempotency = Some(Idempotency { key, request, keep_seconds: 60, reply });
        let keyed = Commit { idempotency, ..commit(Domain::Inventory) };
        for time in ["the commit", "its repetition"] {
            let outage = careful.commit(&keyed).await.unwrap_err();
            assert!(outage.0.contains("replicas"), "{time}: {outage}");
        }
        let kept = bench.store.commit(&keyed).await.unwrap();
        assert!(matches!(kept, Outcome::Replayed { version: 1, .. }), "{kept:?}");
    });
}

#[test]
fn a_value_of_another_type_stops_a_commit_before_it_writes() {
    block_on(async {
        let bench = Redis::start().await;
        command(&bench.server, &["SET", "{acme}:inventory:marks", "oops"]).await;
        command(&bench.server, &["SET", "{acme}:g", "oops"]).await;
        let broken =
            Commit { writes: vec![put("k", "v"), add("g", "f", 1)], ..commit(Domain::Inventory) };
        assert!(bench.store.commit(&broken).await.is_err());
        let found = snapshot(&bench.store, vec![Read::Record { key: "k".to_owned() }]).await;
        assert_eq!((found.sequence, &found.found[0]), (0, &Found::Record(None)));
    });
}

#[test]
fn a_tenant_is_one_slot_of_a_cluster() {
    block_on(async {
        let (port, bus) = (free_port(), free_port());
        let settings = ["--bind", "127.0.0.1", "--cluster-enabled", "yes"];
        let ports = ["--port", port.as_str(), "--cluster-port", bus.as_str()];
        let server = Server::start_with(&[settings, ports].concat());
        command(&server, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
        while !format!("{:?}", command(&server, &["CLUSTER", "INFO"]).await).contains("state:ok") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let store = tradewind_shell::redis::open(&server.address(), 0).unwrap();
        store.add_tenant(TENANT).await.unwrap();
        tell(&store, Domain::Inventory, &["inventory.node-set"]).await;
        write(&store, vec![put("k", "v"), add("g", "f", 1)]).await;
        assert_eq!(read(&store, counter()).await, [Found::CounterFields(vec![1])]);
        assert_eq!(store.cut(TENANT, Domain::Finance, 9).await.unwrap().events.len(), 1);
        assert!(lease(&store, &take_up(Domain::Finance, "a")).await.is_some());
        store.release(TENANT, Domain::Finance, "a", true).await.unwrap();
    });
}
