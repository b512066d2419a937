//! The fault switch of the store in memory.
#![cfg(feature = "native-redis")] // for the bench it shares with the other tests
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod store_support;

use store_support::*;
use tradewind_kernel::event::Domain;
use tradewind_shell::memory::{Call, Fate, MemoryStore};
use tradewind_shell::store::{Check, Commit, Outcome, Store};

async fn sequence(store: &MemoryStore) -> u64 {
    snapshot(store, vec![]).await.sequence
}

#[test]
fn calls_fail_before_or_after_they_take_effect() {
    block_on(async {
        let store = MemoryStore::new();
        let one = Commit { writes: vec![put("k", "v")], ..commit(Domain::Inventory) };
        store.fail_nth(2, Fate::FailsBefore);
        assert_eq!(store.commit(&one).await, Ok(Outcome::Done { version: 1 }));
        assert!(store.commit(&one).await.is_err());
        assert_eq!(sequence(&store).await, 1);
        store.fail_nth(1, Fate::FailsAfter);
        assert!(store.commit(&one).await.is_err());
        assert_eq!(sequence(&store).await, 2, "only the answer was lost");
        store.fail_nth_commit(2, Fate::FailsAfter);
        assert_eq!(sequence(&store).await, 2, "reads do not count");
        assert_eq!(store.commit(&one).await, Ok(Outcome::Done { version: 3 }));
        assert!(store.commit(&one).await.is_err());
        assert_eq!(store.commit(&one).await, Ok(Outcome::Done { version: 5 }));
        store.fail_always(Fate::FailsBefore);
        assert!(store.ping().await.is_err());
        store.heal();
        assert!(store.ping().await.is_ok());
        let before = store.calls();
        store.set_faults(
            |_, call| {
                if call == Call::TakeUp { Fate::FailsBefore } else { Fate::Works }
            },
        );
        assert!(store.take_up(&take_up(Domain::Finance, "a")).await.is_err());
        assert_eq!(store.calls(), before + 1);
    });
}

#[test]
fn clones_share_everything_and_contents_tell_states_apart() {
    block_on(async {
        let store = MemoryStore::new();
        let other = store.clone();
        let empty = store.contents(TENANT);
        write(&store, vec![put("k", "v")]).await;
        assert_eq!(sequence(&other).await, 1);
        assert_eq!(other.contents(TENANT), store.contents(TENANT));
        assert_ne!(store.contents(TENANT), empty);
    });
}

#[test]
fn who_falls_back_begins_another_life() {
    block_on(async {
        let store = MemoryStore::new();
        write(&store, vec![put("k", "old")]).await;
        let earlier = store.fork();
        let life = snapshot(&store, vec![]).await.life;
        let lost = write(&store, vec![put("k", "lost")]).await;
        store.fall_back_to(&earlier);
        let again = write(&store, vec![put("k", "new")]).await;
        assert_eq!(again, lost, "versions repeat");
        let check = |life| Commit { checks: vec![life], ..commit(Domain::Inventory) };
        let outcome = store.commit(&check(Check::Life { life })).await;
        assert_eq!(outcome, Ok(Outcome::Stale(0)), "and the life says so");
    });
}
