//! Marks, events, cuts, cursors, nudges.

use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, Event, reactors};
use tradewind_shell::protocol::check::CUT_SCAN;
use tradewind_shell::store::{
    Commit, Found, MAX_MARK_CAUSES, MarkCause, MarkState, Needs, Outcome, Read, ReadRequest, Store,
};

use crate::store_support::*;

const DOMAIN: Domain = Domain::Inventory;

fn under(correlation: &str, writes: Vec<Write>) -> Commit {
    Commit { writes, origin: origin(correlation), ..commit(DOMAIN) }
}

async fn marks(store: &impl Store) -> Vec<MarkState> {
    match read(store, vec![Read::Marks { domain: DOMAIN, limit: 99 }]).await.pop() {
        Some(Found::Marks(mut marks)) => {
            marks.sort_by(|one, other| one.item.cmp(&other.item));
            marks
        }
        other => panic!("{other:?}"),
    }
}

fn cause(correlation: &str, event: &str) -> MarkCause {
    let (correlation, event) = (correlation.to_owned(), event.to_owned());
    MarkCause { correlation, event, by: origin("").by }
}

pub async fn marks_remember_their_causes(bench: &impl Bench) {
    let store = bench.store();
    let odd = "c;1,2%";
    done(store, &under(odd, vec![mark("x"), mark("x"), mark("y")])).await;
    let first = marked(store, DOMAIN, "x").await.unwrap();
    assert_eq!(first.causes, [cause(odd, "")]);
    let events = vec![event("inventory.item-set"), event("inventory.item-set")];
    done(store, &Commit { events, ..under("c2", vec![mark("x")]) }).await;
    let second = marked(store, DOMAIN, "x").await.unwrap();
    assert_eq!(second.causes, [cause(odd, ""), cause("c2", "ev_3")]);
    assert_ne!(second.token, first.token);
    done(store, &under(odd, vec![mark("x")])).await;
    let third = marked(store, DOMAIN, "x").await.unwrap();
    assert_eq!(third.causes, second.causes, "a cascade is named once");
    assert_ne!(third.token, second.token, "but it marked again");
    let all = marks(store).await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0], all[1].item.as_str()), (&third, "y"));
    assert!(snapshot(store, vec![]).await.waiting);
    let planning = store.read(&request(Domain::Planning, vec![])).await.unwrap();
    assert!(!planning.waiting, "marks belong to a domain");
    for n in 0..MAX_MARK_CAUSES {
        done(store, &under(&format!("more{n}"), vec![mark("y")])).await;
    }
    let full = marked(store, DOMAIN, "y").await.unwrap();
    assert_eq!(full.causes.len(), MAX_MARK_CAUSES);
    assert_eq!(full.causes[0], cause(odd, ""));
    let one = read(store, vec![Read::Marks { domain: DOMAIN, limit: 1 }]).await;
    assert!(matches!(&one[0], Found::Marks(marks) if marks.len() == 1));
}

pub async fn a_mark_comes_off_only_as_it_was_read(bench: &impl Bench) {
    let store = bench.store();
    done(store, &under("c1", vec![mark("x")])).await;
    let old = marked(store, DOMAIN, "x").await.unwrap();
    done(store, &under("c2", vec![mark("x")])).await;
    let unmark = |token: &str| Commit {
        unmark: Some(("x".to_owned(), token.to_owned())),
        ..under("c3", vec![])
    };
    done(store, &unmark(&old.token)).await;
    let new = marked(store, DOMAIN, "x").await.unwrap();
    assert_eq!(new.causes.len(), 2, "it was marked since");
    let again = Commit { writes: vec![mark("x")], ..unmark(&new.token) };
    done(store, &again).await;
    let left = marked(store, DOMAIN, "x").await.unwrap();
    assert_eq!(left.causes, [cause("c3", "")], "taken off first, then marked");
    done(store, &unmark(&left.token)).await;
    assert_eq!(marked(store, DOMAIN, "x").await, None);
    done(store, &unmark(&left.token)).await;
    assert!(!snapshot(store, vec![]).await.waiting);
}

pub async fn events_have_the_sequences_after_the_version(bench: &impl Bench) {
    let store = bench.store();
    assert_eq!(tell(store, DOMAIN, &["inventory.item-set", "inventory.node-set"]).await, 1);
    assert_eq!(tell(store, DOMAIN, &["inventory.reserved"]).await, 4);
    let events = |after, limit| Read::Events { domain: DOMAIN, after, limit };
    let all = read(store, vec![events(0, 9), events(2, 1), events(5, 9), events(0, 0)]).await;
    let told = |sequence, kind| Event {
        sequence,
        domain: DOMAIN,
        what: event(kind),
        origin: origin("c1"),
    };
    let [one, two, three] = [
        told(2, "inventory.item-set"),
        told(3, "inventory.node-set"),
        told(5, "inventory.reserved"),
    ];
    assert_eq!(all[0], Found::Events(vec![one, two.clone(), three]));
    assert_eq!(all[1], Found::Events(vec![two]));
    assert_eq!(all[2..], [Found::Events(vec![]), Found::Events(vec![])]);
    assert_eq!(snapshot(store, vec![]).await.sequence, 5);
}

pub async fn behind_is_about_the_types_that_matter(bench: &impl Bench) {
    let store = bench.store();
    let behind = async |domain, needs| {
        let request = ReadRequest { needs, ..request(domain, vec![]) };
        store.read(&request).await.unwrap().behind
    };
    let settings = || Needs::Types(vec!["finance.unheard-of", "finance.settings-changed"]);
    let others = || Needs::Types(vec!["finance.unheard-of"]);
    assert!(!behind(DOMAIN, Needs::Everything).await);
    tell(store, Domain::Finance, &["finance.settings-changed", "finance.unheard-of"]).await;
    assert!(behind(DOMAIN, Needs::Everything).await);
    assert!(behind(DOMAIN, settings()).await);
    assert!(!behind(DOMAIN, Needs::Types(vec![])).await);
    assert!(!behind(DOMAIN, Needs::Nothing).await);
    assert!(behind(Domain::Reporting, Needs::Everything).await);
    assert!(behind(DOMAIN, Needs::UpTo(1)).await);
    assert!(!behind(DOMAIN, Needs::UpTo(0)).await, "it is past that");
    assert!(!behind(Domain::Finance, Needs::UpTo(0)).await);
    move_cursor(store, DOMAIN, 0, 2).await;
    assert!(!behind(DOMAIN, Needs::UpTo(9)).await, "nothing waits, whatever the sequence");
    assert!(!behind(DOMAIN, Needs::Everything).await, "inventory does not react to the other");
    assert!(behind(DOMAIN, others()).await, "but it may be asked about it");
    move_cursor(store, DOMAIN, 2, 3).await;
    assert!(!behind(DOMAIN, settings()).await);
    tell(store, Domain::Reporting, &["reporting.exception-opened"]).await;
    move_cursor(store, Domain::Reporting, 0, 3).await;
    assert!(!behind(Domain::Reporting, Needs::Everything).await, "not to its own");
}

pub async fn cursors_move_once(bench: &impl Bench) {
    let store = bench.store();
    assert_eq!(move_cursor(store, DOMAIN, 0, 5).await, Outcome::Done { version: 1 });
    assert_eq!(move_cursor(store, DOMAIN, 0, 5).await, Outcome::CursorMoved);
    assert_eq!(move_cursor(store, DOMAIN, 5, 5).await, Outcome::Done { version: 2 });
    assert_eq!(move_cursor(store, DOMAIN, 4, 6).await, Outcome::CursorMoved);
    assert_eq!(move_cursor(store, Domain::Finance, 0, 1).await, Outcome::Done { version: 3 });
    assert_eq!(store.cut(TENANT, DOMAIN, 9).await.unwrap().cursor, 5);
}

async fn cut_of(bench: &impl Bench, domain: Domain, limit: usize) -> (u64, Vec<u64>, u64) {
    let cut = bench.store().cut(TENANT, domain, limit).await.unwrap();
    (cut.cursor, cut.events.iter().map(|event| event.sequence).collect(), cut.complete_to)
}

/// Tells one event a commit, and returns their sequences with their types.
async fn tell_each(bench: &impl Bench, kinds: &[&'static str]) -> Vec<(u64, &'static str)> {
    let mut told = Vec::new();
    for kind in kinds {
        let domain = kind.split('.').next().unwrap().parse().unwrap();
        told.push((tell(bench.store(), domain, &[kind]).await + 1, *kind));
    }
    told
}

pub async fn a_cut_merges_streams_in_order(bench: &impl Bench) {
    let store = bench.store();
    let kinds = [
        "finance.rate-set",
        "finance.settings-changed",
        "procurement.order-released",
        "procurement.unheard-of",
        "inventory.item-set",
        "inventory.node-set",
        "finance.settings-changed",
        "planning.unheard-of",
    ];
    let told = tell_each(bench, &kinds).await;
    let end = told.last().unwrap().0;
    for domain in Domain::ALL {
        let interests = told.iter().filter(|(_, kind)| reactors(kind).any(|who| who == domain));
        let all: Vec<u64> = interests.map(|(sequence, _)| *sequence).collect();
        assert!(all.len() > 1, "{domain} should react to some of them");
        assert_eq!(cut_of(bench, domain, 99).await, (0, all.clone(), end));
        assert_eq!(cut_of(bench, domain, all.len()).await, (0, all.clone(), end));
        for limit in 1..all.len() {
            let first = all[..limit].to_vec();
            assert_eq!(cut_of(bench, domain, limit).await, (0, first, all[limit - 1]));
        }
    }
    let cut = store.cut(TENANT, Domain::Suppliers, 9).await.unwrap();
    let released = cut.events.iter().find(|event| event.sequence == told[2].0).unwrap();
    assert_eq!((&released.what, released.domain), (&event(kinds[2]), Domain::Procurement));

    let (middle, mut last) = (told[5].0, end);
    for domain in [Domain::Suppliers, Domain::Finance] {
        move_cursor(store, domain, 0, middle).await;
        last += 1;
        let beyond = told.iter().filter(|(sequence, _)| *sequence > middle);
        let left = beyond.filter(|(_, kind)| reactors(kind).any(|who| who == domain));
        let left = left.map(|(sequence, _)| *sequence).collect();
        assert_eq!(cut_of(bench, domain, 9).await, (middle, left, last));
    }
}

pub async fn a_cut_of_reporting_holds_all_but_its_own(bench: &impl Bench) {
    let store = bench.store();
    tell(store, Domain::Finance, &["finance.rate-set", "finance.settings-changed"]).await; // 2 3
    tell(store, Domain::Reporting, &["reporting.exception-opened"]).await; // 5
    tell(store, Domain::Suppliers, &["suppliers.unheard-of"]).await; // 7
    tell(store, Domain::Reporting, &["reporting.exception-opened"]).await; // 9
    assert_eq!(cut_of(bench, Domain::Reporting, 9).await, (0, vec![2, 3, 7], 9));
    assert_eq!(cut_of(bench, Domain::Reporting, 2).await, (0, vec![2, 3], 3));
}

pub async fn a_long_stream_is_cut_short(bench: &impl Bench) {
    let store = bench.store();
    // What planning does not react to, the cut has to pass over.
    let uninteresting = vec!["inventory.unheard-of"; CUT_SCAN + 100];
    tell(store, Domain::Finance, &["finance.settings-changed"]).await; // 2
    tell(store, DOMAIN, &uninteresting).await; // 4 .. 4 + CUT_SCAN + 99
    let scanned = 3 + CUT_SCAN as u64;
    let end = scanned + 100;
    assert_eq!(cut_of(bench, Domain::Planning, 9).await, (0, vec![2], end), "none of interest");
    tell(store, DOMAIN, &["inventory.item-set"]).await;
    tell(store, Domain::Finance, &["finance.settings-changed"]).await;
    assert_eq!(
        cut_of(bench, Domain::Planning, 9).await,
        (0, vec![2], scanned),
        "later events of the other stream must wait"
    );
    move_cursor(store, Domain::Planning, 0, 2).await;
    let cut = cut_of(bench, Domain::Planning, 9).await;
    assert_eq!(cut, (2, vec![], scanned), "the cursor can move without an event");
    move_cursor(store, Domain::Planning, 2, scanned).await;
    let rest = cut_of(bench, Domain::Planning, usize::MAX).await;
    assert_eq!(rest, (scanned, vec![end + 2, end + 4], end + 6));
    let all = cut_of(bench, Domain::Reporting, 600).await;
    assert_eq!((all.1.len(), all.1[0], *all.1.last().unwrap()), (CUT_SCAN, 2, scanned - 1));
    assert_eq!(all.2, scanned - 1);
}

fn told(who: impl IntoIterator<Item = Domain>) -> Vec<(Domain, String)> {
    let mut nudges: Vec<_> = who.into_iter().map(|domain| (domain, TENANT.to_owned())).collect();
    nudges.sort();
    nudges.dedup();
    nudges
}

pub async fn nudges_come_when_a_domain_falls_behind(bench: &impl Bench) {
    use Domain::{Finance, Inventory};
    let store = bench.store();
    let (node, rate) = ("inventory.node-set", "finance.rate-set");
    write(store, vec![put("k", "v")]).await; // 1
    assert_eq!(bench.nudges().await, []);
    tell(store, Finance, &[rate, rate]).await; // 3 4
    assert_eq!(bench.nudges().await, told(reactors(rate)), "once each");
    tell(store, Inventory, &[node, node]).await; // 6 7
    let new = reactors(node).filter(|who| !reactors(rate).any(|behind| behind == *who));
    assert_eq!(bench.nudges().await, told(new), "the others were behind already");
    move_cursor(store, Finance, 0, 4).await; // 8
    tell(store, Finance, &[rate]).await; // 10
    assert_eq!(bench.nudges().await, [], "still behind");
    move_cursor(store, Finance, 4, 10).await; // 11
    tell(store, Finance, &[rate]).await; // 13
    assert_eq!(bench.nudges().await, told([Finance]));

    // A commit that brings its own domain up to date and tells what that domain reacts to.
    let moving = async |expected, next| {
        let cursor = Some(tradewind_shell::store::CursorMove { expected, next });
        done(store, &Commit { cursor, events: vec![event(rate)], ..commit(Finance) }).await;
        bench.nudges().await
    };
    assert_eq!(moving(10, 13).await, [], "it was behind before and is now"); // 15
    assert_eq!(moving(13, 17).await, [], "it is not behind now"); // 17
    assert_eq!(moving(17, 17).await, told([Finance])); // 19
}

pub async fn nudges_come_when_the_first_item_waits(bench: &impl Bench) {
    let store = bench.store();
    done(store, &under("c1", vec![mark("x")])).await;
    assert_eq!(bench.nudges().await, told([DOMAIN]));
    done(store, &under("c2", vec![mark("y"), mark("x")])).await;
    assert_eq!(bench.nudges().await, []);
    let unmark = async |item: &str, writes| {
        let token = marked(store, DOMAIN, item).await.unwrap().token;
        let unmark = Some((item.to_owned(), token));
        done(store, &Commit { unmark, ..under("c3", writes) }).await;
    };
    unmark("x", vec![]).await;
    unmark("y", vec![mark("z")]).await;
    assert_eq!(bench.nudges().await, [], "something waited all the time");
    unmark("z", vec![]).await;
    assert_eq!(bench.nudges().await, []);
    let both = "inventory.day-turned";
    done(store, &Commit { events: vec![event(both)], ..under("c4", vec![mark("x")]) }).await;
    let all = told(reactors(both).chain([DOMAIN]));
    assert_eq!(bench.nudges().await, all, "one nudge for both reasons");
}
