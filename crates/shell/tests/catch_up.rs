//! Reacting: each event once, in order; what cannot be processed is parked, and only that.
#![cfg(feature = "native-redis")] // for the bench it shares with the other tests
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod store_support;

use std::task::{Context, Poll, Waker};

use store_support::*;
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, Event, NewEvent, Origin, unless_told_anew};
use tradewind_kernel::events::system::EventReplayed;
use tradewind_kernel::refusal::Refusal;
use tradewind_kernel::{Decision, Instant};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::catch_up::catch_up;
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::{Fate, MemoryStore};
use tradewind_shell::route::Route;
use tradewind_shell::serve::nudged;
use tradewind_shell::service::{Cause, Effect, Reaction, Service};
use tradewind_shell::store::{Commit, Found, MarkState, Outage, Read, Store, keys};
use tradewind_shell::world::World;

/// Good news for finance: counted.
const GOOD: &str = "inventory.channel-set";
/// Its processing ends with an outage, as a crash would end it.
const POISON: &str = "inventory.node-set";
/// It makes no sense and is refused, until `finance:sense` is there; it tells a state.
const SENSELESS: &str = "inventory.reserved";

/// A domain that counts the good events.
struct Counting;

impl<W: World> Service<W> for Counting {
    const DOMAIN: Domain = Domain::Finance;
    type Operation = ();

    fn routes() -> &'static [Route<()>] {
        &[]
    }

    fn openapi() -> &'static str {
        "{}"
    }

    async fn handle((): (), _: &Call<'_, Self, W>) -> Result<Answer, Failure> {
        Err(Refusal::not_found("anything").into())
    }

    fn remains(event: Event, later: &Event) -> Option<Event> {
        unless_told_anew(&[SENSELESS], event, later)
    }

    async fn react(gather: &Gather<'_, W>, cause: Cause<'_>) -> Result<Reaction, Failure> {
        match cause.event().kind() {
            POISON => return Err(Outage("poison".to_owned()).into()),
            SENSELESS if gather.record::<bool>("finance:sense").await?.is_none() => {
                return Err(Refusal::conflict("event-unreadable", "no sense").into());
            }
            _ => {}
        }
        let count = gather.record::<u64>("finance:count").await?.map_or(0, |kept| kept.value);
        let mut decision = Decision::default();
        decision.put("finance:count", &(count + 1));
        decision.put("finance:now", &gather.now());
        Ok(decision.into())
    }
}

/// A domain whose items are marked again by what they are worked with, three times in all.
struct Restless;

impl<W: World> Service<W> for Restless {
    const DOMAIN: Domain = Domain::Inventory;
    const WORKS_MARKS: bool = true;
    type Operation = ();

    fn routes() -> &'static [Route<()>] {
        &[]
    }

    fn openapi() -> &'static str {
        "{}"
    }

    async fn handle((): (), _: &Call<'_, Self, W>) -> Result<Answer, Failure> {
        Err(Refusal::not_found("anything").into())
    }

    fn remains(event: Event, _: &Event) -> Option<Event> {
        Some(event)
    }

    async fn react(_: &Gather<'_, W>, _: Cause<'_>) -> Result<Reaction, Failure> {
        Ok(Decision::default().into())
    }

    async fn work(gather: &Gather<'_, W>, mark: &MarkState) -> Result<Effect, Failure> {
        let worked = gather.record::<u64>("inventory:worked").await?.map_or(0, |kept| kept.value);
        let mut decision = Decision::default();
        decision.put("inventory:worked", &(worked + 1));
        if worked < 2 {
            decision.mark(mark.item.as_str());
        }
        Ok(Effect::Done(decision))
    }
}

fn world(store: &MemoryStore) -> LocalWorld<MemoryStore, ()> {
    let now = serde_json::from_str("\"2026-12-01T08:00:00.000Z\"").unwrap();
    LocalWorld::new(store.clone(), (), now, 7)
}

async fn react(store: &MemoryStore) -> Result<bool, Failure> {
    catch_up::<Counting, _>(&world(store), TENANT).await
}

/// How many good events took effect, and the ids of the parked ones.
async fn standing(store: &MemoryStore) -> (u64, Vec<String>) {
    let reads = vec![
        Read::Record { key: "finance:count".to_owned() },
        Read::Set { key: keys::parked(Domain::Finance) },
    ];
    let found = store.read(&request(Domain::Finance, reads)).await.unwrap().found;
    let [Found::Record(count), Found::Set(_, parked)] = &found[..] else { panic!("{found:?}") };
    let count = count.as_ref().map_or(0, |kept| kept.json.parse().unwrap());
    (count, parked.keys().cloned().collect())
}

#[test]
fn a_refused_event_is_parked_at_once_and_the_others_go_on() {
    block_on(async {
        let store = MemoryStore::new();
        tell(&store, Domain::Inventory, &[GOOD, SENSELESS, GOOD]).await;
        assert!(react(&store).await.unwrap());
        assert_eq!(standing(&store).await, (2, vec!["ev_3".to_owned()]));
    });
}

#[test]
fn a_poisonous_event_is_parked_when_it_was_tried_often_and_long() {
    block_on(async {
        let store = MemoryStore::new();
        tell(&store, Domain::Inventory, &[GOOD, POISON, GOOD]).await;
        for _ in 0..50 {
            assert!(react(&store).await.is_err());
        }
        assert_eq!(standing(&store).await, (1, vec![]), "often, but not long");
        store.advance(120_000);
        react(&store).await.unwrap();
        assert_eq!(standing(&store).await, (2, vec!["ev_3".to_owned()]));
    });
}

#[test]
fn long_outages_park_nothing() {
    block_on(async {
        let store = MemoryStore::new();
        tell(&store, Domain::Inventory, &[POISON, GOOD]).await;
        for _ in 0..9 {
            store.advance(600_000);
            assert!(react(&store).await.is_err());
        }
        assert_eq!(standing(&store).await, (0, vec![]), "long, but not often");
    });
}

#[test]
fn whatever_call_fails_each_event_takes_effect_once() {
    block_on(async {
        for fate in [Fate::FailsBefore, Fate::FailsAfter] {
            for failing in 1.. {
                let store = MemoryStore::new();
                tell(&store, Domain::Inventory, &[GOOD, SENSELESS, GOOD, GOOD]).await;
                let before = store.calls();
                store.fail_nth(failing, fate);
                let failed = react(&store).await.is_err();
                let calls = store.calls() - before;
                store.heal();
                store.advance(60_000);
                react(&store).await.unwrap();
                assert_eq!(standing(&store).await, (3, vec!["ev_3".to_owned()]), "call {failing}");
                if calls < failing {
                    assert!(!failed, "nothing failed");
                    break;
                }
            }
        }
    });
}

#[test]
fn a_replay_gives_way_to_what_was_told_since() {
    block_on(async {
        for (since, effects) in [(GOOD, 2), (SENSELESS, 1)] {
            let store = MemoryStore::new();
            tell(&store, Domain::Inventory, &[SENSELESS]).await;
            react(&store).await.unwrap();
            assert_eq!(standing(&store).await, (0, vec!["ev_2".to_owned()]));
            let sense = Write::Put { key: "finance:sense".to_owned(), value: "true".to_owned() };
            done(&store, &Commit { writes: vec![sense], ..commit(Domain::Finance) }).await;
            tell(&store, Domain::Inventory, &[since]).await;

            let reads = vec![Read::Events { domain: Domain::Inventory, after: 0, limit: 1 }];
            let found = store.read(&request(Domain::Finance, reads)).await.unwrap().found;
            let [Found::Events(told)] = &found[..] else { panic!("{found:?}") };
            let data = EventReplayed { event: "ev_2".to_owned(), replayed: told[0].clone() };
            let replay = NewEvent::named("finance.event-replayed".to_owned(), "ev_2", &data);
            done(&store, &Commit { events: vec![replay], ..commit(Domain::Finance) }).await;
            react(&store).await.unwrap();
            assert_eq!(standing(&store).await, (effects, vec![]), "after {since}");
        }
    });
}

#[test]
fn no_effect_comes_before_its_cause_whatever_the_clock_of_an_instance_says() {
    block_on(async {
        let store = MemoryStore::new();
        let later: Instant = serde_json::from_str("\"2026-12-02T00:00:00.005Z\"").unwrap();
        let origin = Origin { at: later, ..origin("c1") };
        let events = vec![event(GOOD)];
        done(&store, &Commit { events, origin, ..commit(Domain::Inventory) }).await;
        assert!(world(&store).now() < later, "the instance's clock is behind");
        react(&store).await.unwrap();
        let read = vec![Read::Record { key: "finance:now".to_owned() }];
        let found = store.read(&request(Domain::Finance, read)).await.unwrap().found;
        let [Found::Record(Some(now))] = &found[..] else { panic!("{found:?}") };
        assert_eq!(serde_json::from_str::<Instant>(&now.json).unwrap(), later);
    });
}

/// How often a future waits: nothing here does but a pause.
fn pauses<T>(future: impl Future<Output = T>) -> (usize, T) {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = std::pin::pin!(future);
    let mut pauses = 0;
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return (pauses, done),
            Poll::Pending => pauses += 1,
        }
    }
}

#[test]
fn items_that_are_marked_again_are_let_gather_unless_somebody_waits() {
    let marked = || {
        let store = MemoryStore::new();
        let writes = vec![mark("i")];
        block_on(done(&store, &Commit { writes, ..commit(Domain::Inventory) }));
        store
    };
    let worked = |store: &MemoryStore| {
        let reads = vec![Read::Record { key: "inventory:worked".to_owned() }];
        let found = block_on(store.read(&request(Domain::Inventory, reads))).unwrap().found;
        let [Found::Record(Some(kept))] = &found[..] else { panic!("{found:?}") };
        kept.json.clone()
    };
    let store = marked();
    let (waited, caught) = pauses(catch_up::<Restless, _>(&world(&store), TENANT));
    assert!(caught.unwrap());
    assert_eq!((waited, worked(&store)), (0, "3".to_owned()), "a caller waits for it");
    let store = marked();
    let (waited, nudge) = pauses(nudged::<Restless, _>(&world(&store), TENANT.as_bytes()));
    nudge.unwrap();
    assert_eq!((waited, worked(&store)), (2, "3".to_owned()), "before the second and the third");
}
