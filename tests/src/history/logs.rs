//! From the clients' logs to histories: one for the item of each contest, one for each reservation.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::objects::{Counter, Life, Stage, Stock, Turn};
use super::{Model, Timed, Verdict, judge};
use crate::load::contest::{self, HOLD};
use crate::load::{Client, Done, Step};

/// How far the clients' steady clock and the host's clock may drift apart within a hold.
const CLOCKS_APART: Duration = Duration::from_millis(100);

/// How long the host waits for an answer of Redis before it gives a connection up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(5);

/// What must not be expected of some answers.
#[derive(Debug, Default)]
pub struct Caution {
    /// Contests in which the primary was lost, and when its replica had taken over: what was only
    /// looked at until then, and what was refused, may have rested on a write that no replica had.
    pub primary_lost: BTreeMap<u64, Duration>,
    /// From when to when the business clock was not the real one, or was moved: a hold that meets
    /// it may end at once.
    pub clock_moved: Vec<(Duration, Duration)>,
    /// From when to when no replica could take a write: none may have been answered.
    pub replica_held: Vec<(Duration, Duration)>,
    /// From when to when connections to Redis broke: a commit whose answer was lost with one is
    /// sent again by the component, under its key.
    pub connections_broken: Vec<(Duration, Duration)>,
}

/// What was judged.
#[derive(Debug, Default)]
pub struct Judged {
    /// Histories.
    pub histories: usize,
    /// Calls in them.
    pub calls: usize,
    /// Those that no order explains, and those that could not be decided.
    pub faults: Vec<String>,
}

type ItemHistories = BTreeMap<u64, Vec<Timed<Stock>>>;
type Lives = BTreeMap<String, Vec<Timed<Turn>>>;

/// Judges the histories of all contests.
#[must_use]
pub fn judged(clients: &[Client], caution: &Caution) -> Judged {
    let mut done: Vec<&Done> = clients.iter().flat_map(|client| &client.log).collect();
    done.sort_by_key(|done| done.sent);
    let claims = claims(&done);
    let (mut items, mut lives) = (ItemHistories::new(), Lives::new());
    for done in done {
        let Some(number) = done.wish.contest else { continue };
        let lost = caution.primary_lost.get(&number);
        if !done.is_write() && lost.is_some_and(|until| done.sent <= *until) {
            continue;
        }
        let timed = |call| Timed { sent: done.sent, answered: Some(done.answered), call };
        if let Some(stock) = stock(done, &claims) {
            items.entry(number).or_default().push(timed(stock));
        }
        if let Some((id, turn)) = turn(done) {
            lives.entry(id.to_owned()).or_default().push(Timed {
                sent: done.sent,
                answered: Some(done.answered),
                call: turn,
            });
        }
        if done.wish.step == Step::Reserve && !done.got.body["expires"].is_null() {
            expiry(done, earliest_end(done.sent, caution), number, &mut items, &mut lives);
        }
    }
    let mut faults = unreplicated(clients, caution);
    faults.extend(answered_before(clients, caution));
    let mut judged = Judged { faults, ..Judged::default() };
    for (number, history) in &items {
        judged.take(&contest::item(*number), &Counter, history);
    }
    for (id, history) in &lives {
        judged.take(id, &Life, history);
    }
    judged
}

/// Writes that were sent and answered while no replica could have them.
fn unreplicated(clients: &[Client], caution: &Caution) -> Vec<String> {
    let writes = clients.iter().flat_map(|client| &client.log).filter(|done| done.is_write());
    let early = |done: &&Done| {
        let within =
            |(from, until): &(Duration, Duration)| done.sent >= *from && done.answered <= *until;
        caution.replica_held.iter().any(within)
    };
    let told = |done: &Done| format!("{:?} was answered before a replica had it", done.wish.sent);
    writes.filter(early).map(told).collect()
}

/// Requests that were sent once and answered as repetitions. That is lawful when an answer of Redis
/// was lost on its way to the component: a connection broke between sending and answer, or was given
/// up, which takes its time.
fn answered_before(clients: &[Client], caution: &Caution) -> Vec<String> {
    let all = clients.iter().flat_map(|client| &client.log);
    let unexplained = |done: &&Done| {
        let meets =
            |(from, until): &(Duration, Duration)| done.sent <= *until && done.answered >= *from;
        done.once
            && done.is_replayed()
            && done.answered.saturating_sub(done.sent) < GIVEN_UP_AFTER
            && !caution.connections_broken.iter().any(meets)
    };
    let told = |done: &Done| {
        let (request, sent, answered) = (&done.wish.sent, done.sent, done.answered);
        format!(
            "{request:?} was sent once, at {sent:?}, and its answer at {answered:?} is a kept one"
        )
    };
    all.filter(unexplained).map(told).collect()
}

/// From when on a hold may be over that was asked for at this moment: its time later, or when the
/// business clock is moved before that.
fn earliest_end(asked: Duration, caution: &Caution) -> Duration {
    let ends = asked + HOLD.saturating_sub(CLOCKS_APART);
    let meets = |(from, until): &&(Duration, Duration)| asked <= *until && *from <= ends;
    let moved = caution.clock_moved.iter().filter(meets).map(|(from, _)| asked.max(*from));
    moved.fold(ends, Duration::min)
}

/// Notes that a reservation may expire: at any moment from this one on, or never.
fn expiry(done: &Done, sent: Duration, number: u64, items: &mut ItemHistories, lives: &mut Lives) {
    let (Some(id), Some(claim)) = (done.got.body["id"].as_str(), claimed(done)) else { return };
    let more = Timed { sent, answered: None, call: Stock::More(claim) };
    items.entry(number).or_default().push(more);
    let ended = Timed { sent, answered: None, call: Turn::Ended(Stage::Expired) };
    lives.entry(id.to_owned()).or_default().push(ended);
}

impl Judged {
    fn take<M: Model>(&mut self, what: &str, model: &M, history: &[Timed<M::Call>]) {
        self.histories += 1;
        self.calls += history.len();
        match judge(model, history) {
            Verdict::InOrder => {}
            Verdict::Broken(how) => {
                self.faults.push(format!("the history of {what} is in no order: {how}"));
            }
            Verdict::Undecided => {
                let calls = history.len();
                self.faults.push(format!("the history of {what}, {calls} calls, is undecided"));
            }
        }
    }
}

/// What each reservation of a contest claims.
fn claims<'a>(done: &[&'a Done]) -> BTreeMap<&'a str, i64> {
    let granted = done.iter().filter(|done| done.wish.step == Step::Reserve && done.is_write());
    granted.filter_map(|done| Some((done.got.body["id"].as_str()?, claimed(done)?))).collect()
}

fn claimed(done: &Done) -> Option<i64> {
    done.got.body["lines"][0]["quantity"].as_i64()
}

/// What a request says of the item.
fn stock(done: &Done, claims: &BTreeMap<&str, i64>) -> Option<Stock> {
    let granted = done.is_write();
    match &done.wish.step {
        Step::MoveIn { quantity, .. } => Some(Stock::More(*quantity)),
        Step::MoveOut { quantity, .. } if granted => Some(Stock::Fewer(*quantity)),
        Step::MoveOut { quantity, .. } => Some(Stock::FewerThan(*quantity)),
        Step::Reserve if granted => claimed(done).map(Stock::Fewer),
        Step::Reserve => {
            let body: Value = serde_json::from_str(done.wish.sent.body.as_deref()?).ok()?;
            body["lines"][0]["quantity"].as_i64().map(Stock::FewerThan)
        }
        Step::GiveBack { reservation } if granted => {
            claims.get(reservation.as_str()).copied().map(Stock::More)
        }
        Step::LookAtItem { .. } => done.got.body["available"].as_i64().map(Stock::Is),
        _ => None,
    }
}

/// What a request says of a reservation, and of which.
fn turn(done: &Done) -> Option<(&str, Turn)> {
    let ended = |stage| match (done.is_write(), done.got.body["code"].as_str()) {
        (true, _) => Turn::Ended(stage),
        (false, Some("reservation-expired")) => Turn::Overdue,
        (false, _) => Turn::Refused,
    };
    match &done.wish.step {
        Step::Reserve => Some((done.got.body["id"].as_str()?, Turn::Granted)),
        Step::Ship { reservation } => Some((reservation, ended(Stage::Shipped))),
        Step::GiveBack { reservation } => Some((reservation, ended(Stage::Released))),
        Step::LookAtReservation { reservation } => {
            let stage = match done.got.body["status"].as_str()? {
                "open" => Stage::Open,
                "shipped" => Stage::Shipped,
                "released" => Stage::Released,
                "expired" => Stage::Expired,
                _ => Stage::None,
            };
            Some((reservation, Turn::Is(stage)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sender;
    use crate::driver::{Got, Sent};
    use crate::load::Wish;

    /// A client that ended a reservation, with an answer that says that it is a kept one.
    fn client(seconds: (u64, u64), once: bool, replayed: bool) -> Client {
        let (method, path) = ("POST".to_owned(), "/inventory/v1/reservations/R/ship".to_owned());
        let sent = Sent { method, path, headers: Vec::new(), body: Some("{}".to_owned()) };
        let step = Step::Ship { reservation: "R".to_owned() };
        let wish = Wish { step, sender: sender("channel", "ann"), sent, contest: None };
        let replayed = replayed.then(|| ("idempotency-replayed".to_owned(), "true".to_owned()));
        let got = Got { status: 200, headers: replayed.into_iter().collect(), body: Value::Null };
        let [sent, answered] = [seconds.0, seconds.1].map(Duration::from_secs);
        let mut client = Client::new("t", 0, 0);
        client.log.push(Done { wish, got, sent, answered, once });
        client
    }

    #[test]
    fn a_hold_lasts_its_time_unless_the_clock_is_moved() {
        let at = Duration::from_millis;
        let moved = vec![(at(5_000), at(5_400))];
        let caution = Caution { clock_moved: moved, ..Caution::default() };
        let end = |asked| earliest_end(at(asked), &caution);
        assert_eq!(end(4_000), at(4_900));
        // It is open when the clock is moved, and asked for while it is not the real one.
        assert_eq!(end(4_500), at(5_000));
        assert_eq!(end(5_200), at(5_200));
        assert_eq!(end(5_500), at(6_400));
    }

    #[test]
    fn a_kept_answer_to_what_was_sent_once_needs_a_connection_that_broke() {
        let broken = vec![(Duration::from_secs(20), Duration::from_secs(30))];
        let caution = Caution { connections_broken: broken, ..Caution::default() };
        let faults = |seconds, once, replayed| {
            judged(&[client(seconds, once, replayed)], &caution).faults.len()
        };
        // It was sent before a connection broke, while they did, or after.
        assert_eq!(faults((10, 12), true, true), 1);
        assert_eq!(faults((19, 21), true, true), 0);
        assert_eq!(faults((21, 22), true, true), 0);
        assert_eq!(faults((29, 31), true, true), 0);
        assert_eq!(faults((31, 32), true, true), 1);
        // Its connection was given up.
        assert_eq!(faults((10, 15), true, true), 0);
        assert_eq!(faults((40, 44), true, true), 1);
        // It was repeated by its client, or its answer is its own.
        assert_eq!(faults((10, 12), false, true), 0);
        assert_eq!(faults((10, 12), true, false), 0);
    }
}
