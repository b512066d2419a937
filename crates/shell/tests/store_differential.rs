//! Random commits, reads, cuts and leases have the same outcome on both stores.
#![cfg(feature = "native-redis")]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod store_support;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store_support::{Bench, Memory, Redis, block_on, commit, event, origin};
use tradewind_kernel::decision::{Floor, Guard, Sum, Term, Write};
use tradewind_kernel::event::Domain;
use tradewind_shell::store::{
    Check, Commit, CursorMove, Found, Idempotency, Needs, Read, ReadRequest, Snapshot, Store,
    TakeUp, Taken,
};

/// Runs, each of up to [`STEPS`] steps: about a thousand steps in all.
const RUNS: u32 = 24;
const STEPS: usize = 80;

/// Events that the domains tell; some interest many, some nobody but reporting.
const KINDS: [(Domain, &str); 8] = [
    (Domain::Inventory, "inventory.node-set"),
    (Domain::Inventory, "inventory.item-set"),
    (Domain::Inventory, "inventory.moved"),
    (Domain::Finance, "finance.settings-changed"),
    (Domain::Finance, "finance.rate-set"),
    (Domain::Procurement, "procurement.order-released"),
    (Domain::Planning, "planning.promotion-set"),
    (Domain::Reporting, "reporting.exception-opened"),
];

/// A number that is usually the right one.
#[derive(Debug, Clone)]
enum Expected {
    Live,
    Exactly(u64),
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Box<Change>),
    Read(Domain, Needs, Vec<Read>),
    Cut(Domain, usize),
    TakeUp(Domain, &'static str, usize, u64),
    Release(Domain, &'static str, bool),
}

/// A commit whose versions are put in when its turn comes.
#[derive(Debug, Clone)]
struct Change {
    commit: Commit,
    versions: Vec<(bool, String, Expected)>,
    cursor: Option<(Expected, u64)>,
    unmark: Option<(String, bool)>,
}

fn domain() -> impl Strategy<Value = Domain> {
    prop::sample::select(&Domain::ALL[..])
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c;", "d,%", "ü x"]).prop_map(str::to_owned)
}

fn key(kind: &'static str) -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1", "2", "3"]).prop_map(move |n| format!("{kind}:{n}"))
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![20 => -9..10_i64, 1 => Just(1_i64 << 52), 1 => Just(-(1_i64 << 52))]
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![9 => Just(Expected::Live), 1 => (0..20_u64).prop_map(Expected::Exactly)]
}

fn needs() -> impl Strategy<Value = Needs> {
    let types = vec(prop::sample::select(&KINDS[..]), 0..3);
    prop_oneof![
        6 => Just(Needs::Nothing),
        1 => Just(Needs::Everything),
        1 => (0u64..40).prop_map(Needs::UpTo),
        2 => types.prop_map(|all| Needs::Types(all.into_iter().map(|(_, kind)| kind).collect())),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (key("record"), name()).prop_map(|(key, value)| Write::Put { key, value }),
        key("record").prop_map(|key| Write::Delete { key }),
        (key("set"), name(), name()).prop_map(|(set, member, value)| Write::PutMember {
            set,
            member,
            value
        }),
        (key("set"), name()).prop_map(|(set, member)| Write::DeleteMember { set, member }),
        (key("group"), name(), number()).prop_map(|(counters, field, delta)| Write::Add {
            counters,
            field,
            delta
        }),
        (key("list"), name()).prop_map(|(index, member)| Write::Index { index, member, score: 0 }),
        (key("due"), name(), -5..5_i64).prop_map(|(index, member, score)| Write::Index {
            index,
            member,
            score
        }),
        (prop_oneof![key("list"), key("due")], name())
            .prop_map(|(index, member)| Write::Unindex { index, member }),
        name().prop_map(|item| Write::Mark { item }),
    ]
}

fn term() -> impl Strategy<Value = Term> {
    let factor = -2..3_i64;
    prop_oneof![
        (key("group"), name(), factor.clone()).prop_map(|(counters, field, times)| Term::Counter {
            counters,
            field,
            times
        }),
        (number(), key("group"), name(), factor).prop_map(|(quantity, counters, field, times)| {
            Term::Remaining { quantity, counters, field, times }
        }),
    ]
}

fn sum() -> impl Strategy<Value = Sum> {
    (0..40_i64, vec(term(), 0..3)).prop_map(|(constant, terms)| Sum { constant, terms })
}

fn guard() -> impl Strategy<Value = Guard> {
    let floor =
        prop_oneof![number().prop_map(Floor::Value), vec(sum(), 0..3).prop_map(Floor::MinimumOf),];
    (sum(), floor).prop_map(|(sum, floor)| Guard { sum, floor })
}

fn idempotency() -> impl Strategy<Value = Option<Idempotency>> {
    let one = (0..4_u8, 0..2_u8, name()).prop_map(|(key, request, reply)| Idempotency {
        key: format!("k{key}"),
        request: format!("hash{request}"),
        keep_seconds: 600,
        reply,
    });
    option::weighted(0.3, one)
}

fn change() -> impl Strategy<Value = Change> {
    let version = (any::<bool>(), prop::sample::select(vec!["1", "2", "4"]), expected()).prop_map(
        |(is_set, n, at)| (is_set, format!("{}:{n}", if is_set { "set" } else { "record" }), at),
    );
    let conditions = (needs(), vec(version, 0..3), vec(guard(), 0..3), idempotency());
    let flags = (any::<bool>(), any::<bool>(), prop::sample::select(vec!["c1", "c2", "c;3"]));
    let moves = (
        option::weighted(0.3, (expected(), 0..12_u64)),
        option::weighted(0.2, (name(), any::<bool>())),
        option::weighted(0.1, name()),
    );
    (domain(), conditions, vec(write(), 0..6), vec(0..KINDS.len(), 0..4), moves, flags).prop_map(
        |(domain, (needs, versions, guards, idempotency), writes, kinds, moves, flags)| {
            let told = kinds.into_iter().map(|place| KINDS[place]);
            let (cursor, unmark, unmarked) = moves;
            let commit = Commit {
                needs,
                idempotency,
                checks: unmarked.into_iter().map(|item| Check::Unmarked { item }).collect(),
                guards,
                writes,
                events: told
                    .filter(|(teller, _)| *teller == domain)
                    .map(|(_, kind)| event(kind))
                    .collect(),
                origin: origin(flags.2),
                tenant_known: flags.0,
                frees: flags.1,
                ..commit(domain)
            };
            Change { commit, versions, cursor, unmark }
        },
    )
}

fn one_read() -> impl Strategy<Value = Read> {
    let limit = 0..4_usize;
    prop_oneof![
        key("record").prop_map(|key| Read::Record { key }),
        key("set").prop_map(|key| Read::Set { key }),
        (key("set"), vec(name(), 0..3)).prop_map(|(key, members)| Read::Members { key, members }),
        key("group").prop_map(|key| Read::Counters { key }),
        (key("group"), vec(name(), 0..3))
            .prop_map(|(key, fields)| Read::CounterFields { key, fields }),
        (key("list"), prop_oneof![Just(String::new()), name()], limit.clone())
            .prop_map(|(index, after, limit)| Read::List { index, after, limit }),
        (key("due"), -5..5_i64, limit.clone()).prop_map(|(index, until, limit)| Read::Due {
            index,
            until,
            limit
        }),
        (domain(), name()).prop_map(|(domain, item)| Read::Mark { domain, item }),
        domain().prop_map(|domain| Read::Marks { domain, limit: 99 }),
        (domain(), 0..30_u64, limit).prop_map(|(domain, after, limit)| Read::Events {
            domain,
            after,
            limit
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let owner = || prop::sample::select(vec!["a", "b"]);
    prop_oneof![
        8 => change().prop_map(|change| Step::Commit(Box::new(change))),
        3 => (domain(), needs(), vec(one_read(), 0..6))
            .prop_map(|(domain, needs, reads)| Step::Read(domain, needs, reads)),
        2 => (domain(), 0..5_usize).prop_map(|(domain, limit)| Step::Cut(domain, limit)),
        2 => (domain(), owner(), any::<bool>(), 0..6_u64).prop_map(|(domain, owner, marks, gap)| {
            Step::TakeUp(domain, owner, if marks { 99 } else { 0 }, gap)
        }),
        1 => (domain(), owner(), any::<bool>())
            .prop_map(|(domain, owner, progress)| Step::Release(domain, owner, progress)),
    ]
}

/// The answer of a store, with marks in a fixed order and without its own life.
fn sorted(mut snapshot: Snapshot) -> Snapshot {
    snapshot.life = 0;
    for found in &mut snapshot.found {
        if let Found::Marks(marks) = found {
            marks.sort_by(|one, other| one.item.cmp(&other.item));
        }
    }
    snapshot
}

/// Puts the versions into a change, as the store in memory has them.
async fn live(store: &impl Store, change: &Change, tenant: &str) -> Commit {
    let domain = change.commit.domain;
    let mut commit = Commit { tenant: tenant.to_owned(), ..change.commit.clone() };
    let mut reads: Vec<Read> = Vec::new();
    for (is_set, key, _) in &change.versions {
        let key = key.clone();
        reads.push(if *is_set { Read::Set { key } } else { Read::Record { key } });
    }
    let item = change.unmark.as_ref().map(|(item, _)| item.clone()).unwrap_or_default();
    reads.push(Read::Mark { domain, item });
    let request = ReadRequest { tenant: tenant.to_owned(), domain, needs: Needs::Nothing, reads };
    let mut found = store.read(&request).await.unwrap().found.into_iter();
    for (is_set, key, expected) in &change.versions {
        let live = match found.next() {
            Some(Found::Set(version, _)) => version,
            Some(Found::Record(record)) => record.map_or(0, |record| record.version),
            other => panic!("{other:?}"),
        };
        let version = if let Expected::Exactly(number) = expected { *number } else { live };
        let key = key.clone();
        let set = *is_set;
        let check = if set { Check::Set { key, version } } else { Check::Record { key, version } };
        commit.checks.push(check);
    }
    let Some(Found::Marks(marks)) = found.next() else { panic!("no marks") };
    commit.unmark = change.unmark.as_ref().map(|(item, right)| {
        let token = marks.first().filter(|_| *right).map(|mark| mark.token.clone());
        (item.clone(), token.unwrap_or_else(|| "0".to_owned()))
    });
    if let Some((expected, step)) = &change.cursor {
        let cursor = store.cut(tenant, domain, 1).await.unwrap().cursor;
        let expected = if let Expected::Exactly(number) = expected { *number } else { cursor };
        commit.cursor = Some(CursorMove { expected, next: expected + step });
    }
    commit
}

/// Takes one step on a store; the text tells all that came of it.
async fn take(store: &impl Store, tenant: &str, step: &Step, commit: Option<&Commit>) -> String {
    match step {
        Step::Commit(_) => format!("{:?}", store.commit(commit.unwrap()).await.map_err(|_| ())),
        Step::Read(domain, needs, reads) => {
            let request = ReadRequest {
                tenant: tenant.to_owned(),
                domain: *domain,
                needs: needs.clone(),
                reads: reads.clone(),
            };
            format!("{:?}", sorted(store.read(&request).await.unwrap()))
        }
        Step::Cut(domain, limit) => {
            format!("{:?}", store.cut(tenant, *domain, *limit).await.unwrap())
        }
        Step::TakeUp(domain, owner, marks, gap) => {
            let (tenant, owner) = (tenant.to_owned(), (*owner).to_owned());
            let (domain, millis, events) = (*domain, 600_000, 3);
            let request =
                TakeUp { tenant, domain, owner, millis, events, marks: *marks, gap: *gap };
            let mut taken = store.take_up(&request).await.unwrap();
            if let Taken::Waiting(waiting) = &mut taken {
                // Since when, only the store's own clock knows.
                waiting.lease.tried_for = 0;
                waiting.marked.sort();
            }
            format!("{taken:?}")
        }
        Step::Release(domain, owner, progress) => {
            format!("{:?}", store.release(tenant, *domain, owner, *progress).await.unwrap())
        }
    }
}

/// Everything that the steps may have written.
async fn everything(store: &impl Store, tenant: &str) -> Snapshot {
    use tradewind_shell::store::keys;
    let mut reads = Vec::new();
    for n in 1..=3 {
        reads.push(Read::Record { key: format!("record:{n}") });
        reads.push(Read::Set { key: format!("set:{n}") });
        reads.push(Read::Counters { key: format!("group:{n}") });
        let index = format!("list:{n}");
        reads.push(Read::List { index, after: String::new(), limit: 99 });
        reads.push(Read::Due { index: format!("due:{n}"), until: 99, limit: 99 });
    }
    for n in 0..4 {
        reads.push(Read::Record { key: keys::idempotency(&format!("k{n}")) });
    }
    for key in [keys::CURSORS, keys::LAST, keys::TYPES] {
        reads.push(Read::Counters { key: key.to_owned() });
    }
    for domain in Domain::ALL {
        reads.push(Read::Marks { domain, limit: 99 });
        reads.push(Read::Events { domain, after: 0, limit: 999 });
    }
    let (tenant, domain, needs) = (tenant.to_owned(), Domain::Inventory, Needs::Nothing);
    sorted(store.read(&ReadRequest { tenant, domain, needs, reads }).await.unwrap())
}

async fn run(memory: &Memory, redis: &Redis, tenant: &str, steps: &[Step]) {
    for step in steps {
        let commit = match step {
            Step::Commit(change) => Some(live(&memory.store, change, tenant).await),
            _ => None,
        };
        let one = take(&memory.store, tenant, step, commit.as_ref()).await;
        let other = take(&redis.store, tenant, step, commit.as_ref()).await;
        assert_eq!(one, other, "after {step:?}");
        assert_eq!(memory.nudges().await, redis.nudges().await, "nudges after {step:?}");
    }
    assert_eq!(everything(&memory.store, tenant).await, everything(&redis.store, tenant).await);
}

#[test]
fn both_stores_do_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let memory = Memory::default();
    let redis = runtime.block_on(Redis::start());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: RUNS,
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let number = std::cell::Cell::new(0);
    let tally = std::cell::RefCell::new(0_usize);
    runner
        .run(&vec(step(), STEPS / 2..STEPS), |steps| {
            number.set(number.get() + 1);
            *tally.borrow_mut() += steps.len();
            runtime.block_on(run(&memory, &redis, &format!("t{}", number.get()), &steps));
            Ok(())
        })
        .unwrap();
    assert!(*tally.borrow() >= 300, "too few steps to mean anything");
}

#[test]
fn most_commits_of_the_generator_go_through() {
    // A differential test in which everything is refused would prove nothing.
    let memory = Memory::default();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let done = std::cell::Cell::new((0_u32, 0_u32));
    runner
        .run(&vec(change(), 30), |changes| {
            block_on(async {
                for change in &changes {
                    let commit = live(&memory.store, change, "t").await;
                    let outcome = format!("{:?}", memory.store.commit(&commit).await);
                    let (all, through) = done.get();
                    done.set((all + 1, through + u32::from(outcome.starts_with("Ok(Done"))));
                }
            });
            Ok(())
        })
        .unwrap();
    let (all, through) = done.get();
    assert!(through * 4 > all, "{through} of {all}");
}
