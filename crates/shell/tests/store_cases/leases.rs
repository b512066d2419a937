//! Taking up what waits: leases, what they are taken for, and tries.

use tradewind_kernel::decision::Write;
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{Commit, Lease, Store, TakeUp, Taken, Versioned, Waiting};

use crate::store_support::*;

const DOMAIN: Domain = Domain::Inventory;

pub async fn leases_are_held_and_end(bench: &impl Bench) {
    let store = bench.store();
    let tries = |lease: Option<Lease>| lease.map(|lease| lease.tries);
    let short = |owner| TakeUp { millis: 300, ..take_up(DOMAIN, owner) };
    let take = async |owner| tries(lease(store, &short(owner)).await);
    tell(store, DOMAIN, &["inventory.item-set"]).await;
    let first = Some(1);
    assert_eq!(take("a").await, first);
    assert_eq!(take("b").await, None);
    assert_eq!(take("a").await, first, "its owner keeps it");
    let other = lease(store, &take_up(Domain::Finance, "b")).await;
    assert_eq!(tries(other), first, "each domain has its own");
    store.release(TENANT, DOMAIN, "b", true).await.unwrap();
    assert_eq!(take("b").await, None, "only the owner gives it back");
    store.release(TENANT, DOMAIN, "a", true).await.unwrap();
    assert_eq!(take("b").await, first);
    bench.pass(400).await;
    assert_eq!(take("a").await, Some(2), "b came to nothing");
    store.release(TENANT, DOMAIN, "b", true).await.unwrap();
    assert_eq!(take("b").await, None);
}

fn waiting(taken: Taken) -> Waiting {
    match taken {
        Taken::Waiting(waiting) => *waiting,
        other => panic!("{other:?}"),
    }
}

pub async fn what_waits_is_taken_up(bench: &impl Bench) {
    let store = bench.store();
    let take = async |owner| store.take_up(&take_up(DOMAIN, owner)).await.unwrap();
    assert_eq!(take("a").await, Taken::Idle, "of a tenant that nobody knows");
    write(store, vec![mark("i"), mark("j")]).await; // 1
    let mut marked = waiting(take("a").await);
    marked.marked.sort();
    assert_eq!((marked.marked, marked.skips), (vec!["i".to_owned(), "j".to_owned()], true));
    let none = TakeUp { marks: 0, gap: 9, ..take_up(DOMAIN, "a") };
    assert_eq!(store.take_up(&none).await, Ok(Taken::Idle), "it works no marks");

    tell(store, Domain::Finance, &["finance.settings-changed"; 3]).await; // 3 4 5
    let all = waiting(take("b").await);
    assert_eq!(all.cut, store.cut(TENANT, DOMAIN, 9).await.unwrap());
    assert_eq!((all.cut.events.len(), all.skips), (3, false));
    let two = TakeUp { events: 2, ..take_up(DOMAIN, "b") };
    let two = waiting(store.take_up(&two).await.unwrap());
    assert_eq!((two.cut.events.len(), two.cut.complete_to), (2, 4));
    assert_eq!(take("a").await, Taken::Held);

    move_cursor(store, DOMAIN, 0, 5).await;
    write(store, vec![put("inventory:plan", "{}")]).await;
    let plan = waiting(store.take_up(&TakeUp { marks: 0, ..take_up(DOMAIN, "b") }).await.unwrap());
    assert_eq!(plan.plan, Some(Versioned { version: 7, json: "{}".to_owned() }));
    assert!(plan.cut.events.is_empty() && plan.marked.is_empty());
}

pub async fn what_is_of_no_interest_waits_beyond_a_gap(bench: &impl Bench) {
    let store = bench.store();
    tell(store, DOMAIN, &["inventory.unheard-of"; 4]).await; // 2 to 5
    let with = async |gap| store.take_up(&TakeUp { gap, ..take_up(DOMAIN, "a") }).await.unwrap();
    assert_eq!(with(5).await, Taken::Idle);
    let beyond = waiting(with(4).await);
    assert_eq!((beyond.cut.events.len(), beyond.cut.complete_to, beyond.skips), (0, 5, true));
}

pub async fn nothing_to_do_gives_the_lease_back(bench: &impl Bench) {
    let store = bench.store();
    let take = async |owner| store.take_up(&take_up(DOMAIN, owner)).await.unwrap();
    write(store, vec![mark("i")]).await;
    assert_eq!(waiting(take("a").await).lease.tries, 1);
    let token = marked(store, DOMAIN, "i").await.unwrap().token;
    let unmark = Some(("i".to_owned(), token));
    done(store, &Commit { unmark, ..commit(DOMAIN) }).await; // 2
    move_cursor(store, DOMAIN, 0, 3).await; // 3
    assert_eq!(take("b").await, Taken::Held, "only its owner gives it back");
    assert_eq!(take("a").await, Taken::Idle);
    write(store, vec![mark("i")]).await;
    assert_eq!(waiting(take("b").await).lease.tries, 1);
}

pub async fn tries_know_since_when(bench: &impl Bench) {
    let store = bench.store();
    write(store, vec![mark("i")]).await;
    let take = async || lease(store, &take_up(DOMAIN, "a")).await.unwrap();
    let give = async |progress| store.release(TENANT, DOMAIN, "a", progress).await.unwrap();
    take().await;
    give(false).await;
    bench.pass(400).await;
    let second = take().await;
    assert_eq!(second.tries, 2);
    assert!(second.tried_for >= 400, "tried for {} ms", second.tried_for);
    move_cursor(store, DOMAIN, 0, 4).await;
    let moved = take().await;
    assert!(moved.tried_for < second.tried_for, "another position, another time");
}

pub async fn tries_count_until_something_moves(bench: &impl Bench) {
    let store = bench.store();
    let turn = async |progress| {
        let lease = lease(store, &take_up(DOMAIN, "a")).await.unwrap();
        store.release(TENANT, DOMAIN, "a", progress).await.unwrap();
        lease.tries
    };
    write(store, vec![mark("i")]).await;
    assert_eq!([turn(false).await, turn(false).await, turn(true).await], [1, 2, 3]);
    assert_eq!([turn(false).await, turn(false).await], [1, 2]);
    move_cursor(store, DOMAIN, 0, 4).await;
    assert_eq!([turn(false).await, turn(false).await], [1, 2]);
    write(store, vec![put("inventory:plan", "{\"part\":1}")]).await;
    assert_eq!([turn(false).await, turn(false).await], [1, 2]);
    write(store, vec![put("inventory:plan", "{\"part\":2}")]).await;
    assert_eq!(turn(false).await, 1);
    write(store, vec![Write::Delete { key: "inventory:plan".to_owned() }]).await;
    assert_eq!(turn(false).await, 1);
    move_cursor(store, Domain::Finance, 0, 4).await;
    assert_eq!(turn(false).await, 2, "another domain's cursor does not matter");
}
