//! Mixed load: clients who work at once, each with a log of what was answered.
//!
//! A client sends one request at a time, each under an `Idempotency-Key` of its own. When no answer
//! comes, or one that says "later", it repeats the same request under the same key until there is
//! one; in the [`contest`] it may also set the request aside and come back to it later. What was
//! answered is kept, in order, with the moments at which it was sent and answered:
//! [`crate::ledger`] and [`crate::history`] hold the product against it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::chance::Chance;
use crate::driver::{Got, Sender, Sent};
use crate::hosted;

pub mod contest;
mod wishes;

use contest::Contest;
use wishes::Purchase;

/// The item that everybody wants.
pub const HOT: &str = "HOT";

/// All items but those of the contest.
pub const ITEMS: [&str; 5] = [HOT, "A", "B", "C", "D"];

/// The nodes that the channels sell from.
pub const NODES: [&str; 2] = ["EAST", "WEST"];

/// The channels.
pub const CHANNELS: [&str; 2] = ["web", "shop"];

/// How long a client repeats one request before the test fails.
const ANSWER_WITHIN: Duration = Duration::from_secs(180);

/// The pause before a request is repeated.
const PAUSE: Duration = Duration::from_millis(15);

/// Of so many requests of the contest without an answer, one is set aside.
const PATIENCE: u64 = 4;

/// Faults that a client notes; one that meets more of them has made its point.
const MOST_FAULTS: usize = 20;

/// What a request was for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Step {
    MoveIn { sku: String, quantity: i64 },
    MoveOut { sku: String, quantity: i64 },
    Reserve,
    Ship { reservation: String },
    GiveBack { reservation: String },
    Order { order: String },
    Raise,
    Act { purchase: String },
    Confirm { purchase: String },
    Receive { purchase: String, sku: String, accepted: i64 },
    LookAtItem { sku: String },
    LookAtReservation { reservation: String },
}

/// A request.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Wish {
    pub step: Step,
    pub sender: Sender,
    pub sent: Sent,
    /// The number of the contest that it belongs to, if it does to one.
    pub contest: Option<u64>,
}

impl Wish {
    /// Stock may not suffice, or a rival was faster, which is no fault.
    fn may_be_refused(&self) -> bool {
        match self.step {
            Step::MoveOut { .. } | Step::Reserve => true,
            Step::Ship { .. } | Step::GiveBack { .. } => self.contest.is_some(),
            _ => false,
        }
    }

    fn only_looks(&self) -> bool {
        matches!(self.step, Step::LookAtItem { .. } | Step::LookAtReservation { .. })
    }
}

/// A request with its answer.
#[derive(Debug, Clone)]
pub struct Done {
    /// What was asked.
    pub wish: Wish,
    /// The answer.
    pub got: Got,
    /// When it was sent first, since the clients began.
    pub sent: Duration,
    /// When the answer came.
    pub answered: Duration,
    /// Whether it was sent once, and this is the answer.
    pub once: bool,
}

impl Done {
    /// Whether it changed something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self.got.status, 200 | 201) && !self.wish.only_looks()
    }

    /// Whether the answer is one that had been kept under the key.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        is_replayed(&self.got)
    }
}

fn is_replayed(got: &Got) -> bool {
    got.header("idempotency-replayed") == Some("true")
}

/// One client.
#[derive(Debug)]
pub struct Client {
    tenant: String,
    name: String,
    chance: Chance,
    requests: u64,
    purchases: Vec<Purchase>,
    reservations: Vec<String>,
    /// The contest that it takes part in.
    contest: u64,
    /// Requests without an answer that it comes back to when the contest is over.
    aside: Vec<(Wish, Duration)>,
    /// What was answered, in order of the answers.
    pub log: Vec<Done>,
    /// What must not be: an answer that should have been another, or none in time.
    pub faults: Vec<String>,
    /// Requests that had to be repeated.
    pub repeated: u64,
    /// Those among them that had taken effect before.
    pub replayed: u64,
    /// Requests that were set aside.
    pub set_aside: u64,
    /// Answers that said "later".
    pub put_off: u64,
}

impl Client {
    /// A client; what it wants follows from the seed and from the answers.
    #[must_use]
    pub fn new(tenant: &str, number: u64, seed: u64) -> Self {
        Self {
            tenant: tenant.to_owned(),
            name: format!("client-{number}"),
            chance: Chance::new(seed.wrapping_mul(1_000_003).wrapping_add(number)),
            requests: 0,
            purchases: Vec::new(),
            reservations: Vec::new(),
            contest: 0,
            aside: Vec::new(),
            log: Vec::new(),
            faults: Vec::new(),
            repeated: 0,
            replayed: 0,
            set_aside: 0,
            put_off: 0,
        }
    }

    /// Works until told to stop; every request has its answer then.
    ///
    /// # Errors
    /// An answer that must not be, or none at all.
    pub fn work(&mut self, reach: &Reach<'_>) -> Result<()> {
        while !reach.stop.load(Ordering::Relaxed) {
            let contest = reach.contest.number();
            if contest != self.contest {
                self.come_back(reach)?;
                self.contest = contest;
            }
            let wish = self.next(reach);
            self.ask(reach, wish)?;
            let most = reach.pace.load(Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(self.chance.between(0, most)));
        }
        self.come_back(reach)
    }

    /// Asks again for what was set aside.
    fn come_back(&mut self, reach: &Reach<'_>) -> Result<()> {
        for (wish, sent) in std::mem::take(&mut self.aside) {
            self.repeat(reach, wish, sent)?;
        }
        Ok(())
    }

    /// Sends a request until it is answered, or sets it aside.
    fn ask(&mut self, reach: &Reach<'_>, wish: Wish) -> Result<()> {
        let sent = reach.begun.elapsed();
        if let Some(got) = self.once(reach, &wish)? {
            return self.note(reach, (wish, sent, true), got);
        }
        // Who only looked need not know any more.
        if wish.only_looks() {
            return Ok(());
        }
        if wish.contest.is_some() && self.chance.below(PATIENCE) == 0 {
            self.set_aside += 1;
            self.aside.push((wish, sent));
            return Ok(());
        }
        self.repeat(reach, wish, sent)
    }

    /// Repeats a request until it is answered, or all is given up.
    fn repeat(&mut self, reach: &Reach<'_>, wish: Wish, sent: Duration) -> Result<()> {
        self.repeated += 1;
        let begun = Instant::now();
        loop {
            std::thread::sleep(PAUSE);
            while reach.down.load(Ordering::Relaxed) && begun.elapsed() < ANSWER_WITHIN {
                std::thread::sleep(PAUSE);
            }
            if let Some(got) = self.once(reach, &wish)? {
                self.replayed += u64::from(is_replayed(&got));
                return self.note(reach, (wish, sent, false), got);
            }
            if reach.given_up.load(Ordering::Relaxed) {
                return Ok(());
            }
            if begun.elapsed() > ANSWER_WITHIN {
                bail!("{}: no answer to {:?}, first sent at {sent:?}", self.name, wish.sent);
            }
        }
    }

    /// Sends a request once; nothing if it is to be sent again.
    fn once(&mut self, reach: &Reach<'_>, wish: &Wish) -> Result<Option<Got>> {
        let token = (reach.token)(&wish.sender)?;
        let got = match hosted::send(&reach.agent, &reach.base, &token, &wish.sent) {
            Ok(got) => got,
            Err(error) => {
                if matches!(error.downcast_ref(), Some(ureq::Error::Timeout(_))) {
                    self.fault(format!("{:?} hung: {error}", wish.sent));
                }
                return Ok(None);
            }
        };
        match got.status {
            429 | 503 => {
                self.put_off += 1;
                let seconds = got.header("retry-after").and_then(|text| text.parse::<u32>().ok());
                if seconds.is_none() {
                    self.fault(format!("{:?} was put off without a time: {got:?}", wish.sent));
                }
                Ok(None)
            }
            500.. => {
                self.fault(format!("{:?} was answered {got:?}", wish.sent));
                Ok(None)
            }
            _ => Ok(Some(got)),
        }
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Keeps an answer, and learns from it: what was asked, when first, and whether it was sent once.
    fn note(
        &mut self,
        reach: &Reach<'_>,
        (wish, sent, once): (Wish, Duration, bool),
        got: Got,
    ) -> Result<()> {
        let answered = reach.begun.elapsed();
        match got.status {
            200 | 201 => self.learn(reach, &wish, &got)?,
            409 if wish.may_be_refused() => {}
            _ => bail!("{}: {:?} was answered {got:?}", self.name, wish.sent),
        }
        let done = Done { wish, got, sent, answered, once };
        if done.is_write() {
            reach.written.fetch_add(1, Ordering::SeqCst);
        }
        self.log.push(done);
        Ok(())
    }
}

/// How clients reach the product, shared by all of them.
pub struct Reach<'a> {
    /// The agent.
    pub agent: ureq::Agent,
    /// Where it answers.
    pub base: String,
    /// A token for a sender.
    pub token: &'a (dyn Fn(&Sender) -> Result<String> + Sync),
    /// It was killed: do not knock before it is up again.
    pub down: &'a AtomicBool,
    /// Finish and go.
    pub stop: &'a AtomicBool,
    /// What was to be over is not: nobody waits for an answer any more, and nothing is judged.
    pub given_up: &'a AtomicBool,
    /// Milliseconds between two requests of a client, at most.
    pub pace: &'a AtomicU64,
    /// How many writes were answered with a success.
    pub written: &'a AtomicU64,
    /// What clients do in each other's way.
    pub contest: &'a Contest,
    /// What moments are counted from.
    pub begun: Instant,
}
