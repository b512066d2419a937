//! The player: plays steps on the product and on the model, and finds where they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tradewind_kernel::Instant;
use tradewind_kernel::event::Domain;
use tradewind_shell::http::Response;
use tradewind_shell::route::Role;

use super::command::{Label, Names};
use super::flight::{Asked, Keep, Task};
use super::model::Model;
use super::observer::Observer;
use super::planted::Planted;
use super::seam::Hub;
use super::step::{Finding, Nudges, Step, Vanishes};
use super::world::{Place, Running, TENANT, caller, nudged, request};
use crate::chance::Chance;
use crate::driver::Sent;

/// When every simulation begins: the first day, in the morning.
pub const BEGIN: &str = "2026-12-01T09:00:00Z";

/// Turns after which tasks that do not end are a finding.
const MOST_TURNS: u64 = 400_000;

/// Ticks that a poisoned event is tried at: the product parks it after more than ten leases in vain,
/// over two minutes.
const POISONED_TICKS: usize = 14;

/// How often commands were accepted, refused, unanswered.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// By kind of command: 2xx, 4xx, 503 or no answer.
    pub by_kind: BTreeMap<String, [u64; 3]>,
    /// Turns of tasks.
    pub turns: u64,
    /// Steps.
    pub steps: u64,
    /// Steps after which availability and promises were asked while domains may be behind.
    pub moments: u64,
    /// Moments at which nothing waited, so that promises were held against pegging.
    pub pegged_moments: u64,
    /// Causes that were alone and whose cascade was held against the states before and after.
    pub differences: u64,
    /// What those cascades changed, by part of the cascade.
    pub compared: BTreeMap<&'static str, u64>,
    /// Cascades that were held against the ledger, and what they changed.
    pub ledgers: u64,
    /// Changes that those tell.
    pub ledger: u64,
    /// Methods and paths that were sent.
    pub sent: BTreeSet<String>,
}

/// Plays steps.
pub struct Player {
    pub(super) hub: Rc<Hub>,
    pub(super) model: Model,
    pub(super) names: Names,
    pub(super) observer: Observer,
    /// What was asked under each label, and under which key.
    pub(super) asked: BTreeMap<Label, Asked>,
    pub(super) keeps: BTreeMap<String, Keep>,
    /// What was counted.
    pub counts: Counts,
    late: Vec<Domain>,
    seeds: Chance,
}

impl Counts {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (kind, counts) in &other.by_kind {
            let sums = self.by_kind.entry(kind.clone()).or_default();
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        self.turns += other.turns;
        self.steps += other.steps;
        self.moments += other.moments;
        self.pegged_moments += other.pegged_moments;
        self.differences += other.differences;
        self.ledgers += other.ledgers;
        self.ledger += other.ledger;
        self.sent.extend(other.sent.iter().cloned());
        for (part, count) in &other.compared {
            *self.compared.entry(part).or_default() += count;
        }
    }
}

impl Player {
    /// Nothing has happened; `planted` is a fault that the store has.
    ///
    /// # Panics
    /// Never: the beginning is an instant.
    #[must_use]
    pub fn new(planted: Option<Planted>) -> Self {
        #[allow(clippy::expect_used, reason = "it is an instant")]
        let begin: Instant = BEGIN.parse().expect("it is an instant");
        let model = Model { now: begin.millis(), ..Model::default() };
        Self {
            hub: Hub::new(planted),
            model,
            names: Names::new(),
            observer: Observer::default(),
            asked: BTreeMap::new(),
            keeps: BTreeMap::new(),
            counts: Counts::default(),
            late: Vec::new(),
            seeds: Chance::new(0),
        }
    }

    /// The same moment, sharing nothing with this one; `planted` is its fault.
    #[must_use]
    pub fn fork(&self, planted: Option<Planted>) -> Self {
        Self {
            hub: self.hub.fork(planted),
            model: self.model.clone(),
            names: self.names.clone(),
            observer: self.observer.clone(),
            asked: self.asked.clone(),
            keeps: self.keeps.clone(),
            counts: Counts::default(),
            late: self.late.clone(),
            seeds: self.seeds.clone(),
        }
    }

    /// The model and what things are called, for who chooses what comes next.
    #[must_use]
    pub fn known(&self) -> (&Model, &Names) {
        (&self.model, &self.names)
    }

    /// The store as text.
    #[must_use]
    pub fn contents(&self) -> String {
        self.hub.inner.contents(TENANT)
    }

    /// Plays one step.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub fn play(&mut self, step: &Step) -> Result<(), Finding> {
        self.counts.steps += 1;
        self.seeds = Chance::new(step.seed);
        self.model.now += step.advance;
        self.hub.wait(u64::try_from(step.advance).unwrap_or(0));
        let before = self.state_at_rest(step)?;
        let known = self.observer.correlations.len();
        self.hub.set_trouble(step.trouble.clone(), step.seed);
        self.hub.set_poison(step.poison);
        let played = self.commands(step).and_then(|()| self.poisoned(step));
        self.hub.set_trouble(super::seam::Trouble::default(), 0);
        self.hub.set_poison(None);
        played?;
        if step.settle || step.alone {
            self.settle()?;
            self.audit()?;
        } else {
            self.moment()?;
        }
        if let Some(before) = before {
            self.difference(&before, known)?;
        }
        if step.last { self.audit_all() } else { Ok(()) }
    }

    fn commands(&mut self, step: &Step) -> Result<(), Finding> {
        let mut tasks = Vec::new();
        for (label, instance, command) in &step.commands {
            tasks.extend(self.send(*label, *instance, command));
            if step.serial {
                let alone = std::mem::take(&mut tasks);
                self.run(step, alone)?;
            }
        }
        for domain in std::mem::take(&mut self.late) {
            tasks.push(self.nudge(domain, 0));
        }
        if step.ticks {
            for domain in Domain::ALL {
                tasks.push(self.tick(domain));
            }
        }
        self.run(step, tasks)?;
        self.deliver(step)
    }

    /// What becomes of the nudges of this step.
    fn deliver(&mut self, step: &Step) -> Result<(), Finding> {
        let nudges = self.hub.inner.take_nudges();
        match step.nudges {
            Nudges::Lost => Ok(()),
            Nudges::Late => {
                self.late.extend(nudges.into_iter().map(|(domain, _)| domain));
                Ok(())
            }
            Nudges::Delivered => {
                let instances = 0..;
                let tasks = nudges.into_iter().zip(instances);
                let tasks = tasks.map(|((domain, _), number)| self.nudge(domain, number % 3));
                let tasks = tasks.collect();
                self.run(step, tasks)
            }
        }
    }

    fn poisoned(&mut self, step: &Step) -> Result<(), Finding> {
        let Some(domain) = step.poison else { return Ok(()) };
        for _ in 0..POISONED_TICKS {
            let tick = self.nudge(domain, 0);
            self.run(&Step { crash: None, ..step.clone() }, vec![tick])?;
        }
        Ok(())
    }

    pub(super) fn place(&mut self, instance: u8, by: Option<Label>) -> Place {
        let (seed, now) = (self.seeds.draw(), Instant::from_millis(self.model.now));
        Place { instance, by, seed, now }
    }

    /// A chance that the step's seed decides.
    pub(super) fn one_in(&mut self, many: u64) -> bool {
        self.seeds.below(many) == 0
    }

    /// Notes what is sent.
    pub(super) fn note(&mut self, sent: &Sent) {
        let path = sent.path.split('?').next().unwrap_or_default();
        self.counts.sent.insert(format!("{} {path}", sent.method));
    }

    fn nudge(&mut self, domain: Domain, instance: u8) -> Task {
        let place = self.place(instance, None);
        Task { instance, running: nudged(&self.hub, place, domain), flight: None }
    }

    fn tick(&mut self, domain: Domain) -> Task {
        let sent = Sent {
            method: "POST".to_owned(),
            path: format!("/{domain}/v1/tick"),
            headers: Vec::new(),
            body: None,
        };
        let place = self.place(0, None);
        self.note(&sent);
        let running = request(&self.hub, place, caller(Role::System, "timer"), &sent);
        Task { instance: 0, running, flight: None }
    }

    /// Lets tasks go on, in an order that the seed decides, until all have ended.
    fn run(&mut self, step: &Step, mut tasks: Vec<Task>) -> Result<(), Finding> {
        let mut chance = Chance::new(self.seeds.draw());
        let stays = chance.below(8);
        let (mut current, mut turns) = (0, 0);
        let alone = tasks.len() == 1;
        let earlier = step.crash.map_or(0, |(who, _)| self.hub.commits(who));
        while !tasks.is_empty() {
            if let Some((instance, _)) = step.crash.filter(|(who, when)| match when {
                Vanishes::Turn(turn) => *turn == turns,
                Vanishes::Commit(number) => {
                    self.hub.commits(*who) == earlier.saturating_add(*number)
                }
            }) {
                for gone in tasks.extract_if(.., |task| task.instance == instance) {
                    self.unanswered(gone.flight);
                }
                self.hub.forget(instance);
            }
            turns += 1;
            if turns > MOST_TURNS {
                return Err(Finding::new("no end", format!("{} tasks go on", tasks.len())));
            }
            if current >= tasks.len() || chance.below(8) >= stays {
                let count = u64::try_from(tasks.len()).unwrap_or(0);
                current = usize::try_from(chance.below(count)).unwrap_or(0);
            }
            let Some(task) = tasks.get_mut(current) else { continue };
            let polled = poll(&mut task.running)?;
            self.look(&mut tasks, alone)?;
            if let Some(response) = polled {
                let task = tasks.swap_remove(current);
                if let (Some(flight), Some(response)) = (task.flight, response) {
                    self.answered(step, flight, &response)?;
                }
            }
        }
        self.counts.turns += turns;
        Ok(())
    }

    /// Takes in what was committed by the last turn.
    fn look(&mut self, tasks: &mut [Task], alone: bool) -> Result<(), Finding> {
        for seen in self.hub.take_seen() {
            let flights = tasks.iter().filter_map(|task| task.flight.as_ref());
            let of = flights.into_iter().find(|flight| Some(flight.label) == seen.by);
            self.observe(&seen, of.map_or(&[], |flight| &flight.may), alone)?;
            let key = seen.commit.idempotency.as_ref().map(|one| &one.key);
            let books = [Domain::Inventory, Domain::Procurement, Domain::Suppliers];
            let moved = books.contains(&seen.commit.domain);
            for flight in tasks.iter_mut().filter_map(|task| task.flight.as_mut()) {
                flight.committed |= Some(&flight.key) == key;
                if moved || flight.committed {
                    let told = self.told(flight);
                    flight.may.push(told);
                    flight.may.extend(self.torn(flight));
                }
            }
        }
        Ok(())
    }

    /// Everything comes to rest: nudges are delivered and domains ticked until nothing is done.
    pub(super) fn settle(&mut self) -> Result<(), Finding> {
        let quiet = Step::quiet(0);
        self.late.clear();
        for domain in Domain::ALL {
            let tick = self.tick(domain);
            self.run(&quiet, vec![tick])?;
        }
        for _ in 0..64 {
            let before = self.observer.commits;
            drop(self.hub.inner.take_nudges());
            for domain in Domain::ALL {
                let nudge = self.nudge(domain, 0);
                self.run(&quiet, vec![nudge])?;
            }
            if self.observer.commits == before {
                return Ok(());
            }
        }
        Err(Finding::new("no rest", "64 rounds of ticks and nudges, and there is still work"))
    }

    /// Asks the product something while nothing else goes on.
    ///
    /// # Errors
    /// It has no answer.
    pub(super) fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Response, Finding> {
        let mut headers = match method {
            "GET" => Vec::new(),
            _ => vec![("idempotency-key".to_owned(), format!("a{}", self.seeds.draw()))],
        };
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let (method, path, body) = (method.to_owned(), path.to_owned(), body.map(str::to_owned));
        let sent = Sent { method, path, headers, body };
        self.note(&sent);
        let place = self.place(0, None);
        let mut running = request(&self.hub, place, caller(Role::Admin, "auditor"), &sent);
        for _ in 0..MOST_TURNS {
            let polled = poll(&mut running)?;
            self.look(&mut [], true)?;
            if let Some(response) = polled {
                let unknown = || Finding::new("no answer", sent.path.clone());
                return response.ok_or_else(unknown);
            }
        }
        Err(Finding::new("no end", sent.path))
    }
}

/// Lets a task go on; what it answered, if it has ended.
fn poll(running: &mut Running) -> Result<Option<Option<Response>>, Finding> {
    let mut context = Context::from_waker(Waker::noop());
    match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut context))) {
        Ok(Poll::Ready(response)) => Ok(Some(response)),
        Ok(Poll::Pending) => Ok(None),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(Finding::new("panic", text.unwrap_or_default()))
        }
    }
}
