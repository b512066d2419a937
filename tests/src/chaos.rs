//! The product as it ships, with what it rests on breaking under load.
//!
//! A *campaign* is one host on a Redis of its own ([`redis`]) behind a road that can be broken
//! ([`proxy`]), a [`crate::crowd`] at work on it, and one trouble after the other ([`fault`]). When
//! all are over, ledger and histories are judged. One seed decides the troubles and what clients
//! want; when they meet, the machine decides, so a seed repeats the schedule and not each instant.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use xtask::keys::Bearer;

use crate::chance::Chance;
use crate::crowd::{self, Outcome, Signals, TENANT};
use crate::driver::{Driver, Sent};
use crate::history::logs::Caution;
use crate::hosted::{self, Foreign, Hosted};

pub mod cascade;
pub mod fault;
pub mod proxy;
pub mod redis;

use fault::{Fault, Ground, LAST_MOMENT};

/// Milliseconds of load before a trouble and after it, at least and at most.
const LOAD_MILLIS: (u64, u64) = (100, 500);

/// Seconds before and after now at which the tokens end that are tried when the clock is moved.
const TOKEN_SECONDS: i64 = 600;

/// Order lines of the cascade that is cut, unless the plan says otherwise.
pub const CASCADE_LINES: usize = 10_000;

/// What a campaign is.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What everything is drawn from.
    pub seed: u64,
    /// The troubles, one a round.
    pub faults: Vec<Fault>,
    /// Whether Redis has a replica, without which no write is answered.
    pub replicated: bool,
    /// Lines of the cascade that is cut: a multiple of 500.
    pub lines: usize,
}

/// What the rounds of one fault came to.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Rounds.
    pub rounds: usize,
    /// The trouble itself, all rounds together and the longest.
    pub trouble: (Duration, Duration),
    /// From its end until the clients' writes were answered again, likewise.
    pub recovery: (Duration, Duration),
}

/// What campaigns came to.
#[derive(Debug, Default)]
pub struct Report {
    /// By fault.
    pub tallies: BTreeMap<Fault, Tally>,
    /// The clients.
    pub outcome: Outcome,
    /// Cascades that were cut, and those of them that were under way then.
    pub cut: (usize, usize),
}

impl Plan {
    /// A campaign of so many rounds: every fault in turn, in an order of chance, or one fault alone.
    #[must_use]
    pub fn new(seed: u64, rounds: usize, only: Option<Fault>) -> Self {
        let mut chance = Chance::new(seed);
        // A replica costs each write a wait; with a promotion in the plan there must be one.
        let replicated = match only {
            Some(fault) => fault.needs_replica(),
            None => chance.below(2) == 0,
        };
        let lawful = |fault: &Fault| replicated || !fault.needs_replica();
        let all: Vec<Fault> = match only {
            Some(fault) => vec![fault],
            None => Fault::ALL.into_iter().filter(lawful).collect(),
        };
        let mut faults = Vec::new();
        while faults.len() < rounds {
            let mut deck = all.clone();
            while !deck.is_empty() {
                let place = chance.below(u64::try_from(deck.len()).unwrap_or(1));
                faults.push(deck.swap_remove(usize::try_from(place).unwrap_or(0)));
            }
        }
        faults.truncate(rounds);
        Self { seed, faults, replicated, lines: CASCADE_LINES }
    }

    /// Every fault once that there is with a replica, or without one.
    #[must_use]
    pub fn each_once(seed: u64, replicated: bool) -> Self {
        let fits = |seed: &u64| Self::new(*seed, 0, None).replicated == replicated;
        let seed = (seed..).find(fits).unwrap_or(seed);
        let lawful = |fault: &&Fault| replicated || !fault.needs_replica();
        Self::new(seed, Fault::ALL.iter().filter(lawful).count(), None)
    }

    /// Plays the campaign and judges it. When something is found, what Redis and host left behind
    /// (files, logs) stays in a folder, which is named on standard error.
    ///
    /// # Errors
    /// A trouble cannot be made or does not end, or a client was answered what must not be.
    pub fn play(&self, report: &mut Report) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let played = self.play_in(folder.path(), report);
        if played.is_err() || !report.outcome.faults.is_empty() {
            eprintln!("what Redis and the host left behind lies in {}", folder.keep().display());
        }
        played
    }

    fn play_in(&self, folder: &Path, report: &mut Report) -> Result<()> {
        let mut ground = Ground::new(folder.to_path_buf(), self.replicated, self.lines)?;
        let wait_replicas = u32::from(self.replicated);
        let foreign = Foreign { port: ground.proxy.port(), wait_replicas };
        let mut hosted = Hosted::start_on(foreign)?;
        let tallies = &mut report.tallies;
        let outcome = crowd::run(&mut hosted, self.seed, |hosted, signals| {
            let mut chance = Chance::new(self.seed.wrapping_add(1));
            let mut caution = Caution::default();
            for (round, fault) in self.faults.iter().enumerate() {
                let played = one(*fault, &mut ground, hosted, signals, &mut chance, &mut caution);
                let (trouble, recovery) =
                    played.with_context(|| format!("round {}: {fault:?}", round + 1))?;
                eprintln!("round {}: {fault:?} {trouble:?}, back after {recovery:?}", round + 1);
                tallies.entry(*fault).or_default().add(trouble, recovery);
            }
            let from = signals.now();
            // The turn of the day over ten thousand lines may take longer than one request has.
            redis::until("the clock is moved", || Ok(hosted.set_clock(LAST_MOMENT).is_ok()))?;
            sleep(Duration::from_millis(chance.between(LOAD_MILLIS.0, LOAD_MILLIS.1)));
            // The clients still are at work.
            caution.clock_moved.push((from, Duration::MAX));
            Ok(caution)
        });
        std::fs::copy(hosted.log_file(), folder.join("host.log"))?;
        let outcome = outcome?;
        let cut = ground.cascade.as_ref().map_or((0, 0), |cascade| cascade.cut);
        report.cut = (report.cut.0 + cut.0, report.cut.1 + cut.1);
        report.outcome.add(outcome);
        // The host goes first: it would only wait for its Redis.
        drop(hosted);
        Ok(())
    }
}

/// One round; how long the trouble and the recovery took.
fn one(
    fault: Fault,
    ground: &mut Ground,
    hosted: &mut Hosted,
    signals: &Signals,
    chance: &mut Chance,
    caution: &mut Caution,
) -> Result<(Duration, Duration)> {
    let contest = signals.next_contest(hosted)?;
    signals.get_going()?;
    sleep(Duration::from_millis(chance.between(LOAD_MILLIS.0, LOAD_MILLIS.1)));
    let (begun, from) = (Instant::now(), signals.now());
    ground.trouble(fault, hosted, signals, chance, caution)?;
    let trouble = begun.elapsed();
    if fault == Fault::ClockMoved {
        caution.clock_moved.push((from, signals.now()));
    }
    if fault.breaks_connections() {
        caution.connections_broken.push((from, signals.now()));
    }
    if fault == Fault::ReplicaPromoted {
        caution.primary_lost.insert(contest, signals.now());
    }
    let begun = Instant::now();
    hosted.restart()?;
    signals.get_going()?;
    let recovery = begun.elapsed();
    sleep(Duration::from_millis(chance.between(LOAD_MILLIS.0, LOAD_MILLIS.1)));
    Ok((trouble, recovery))
}

/// A token that ends soon is still taken, and one that has ended is not, whatever the business
/// clock says.
fn tokens_go_by_the_real_clock(hosted: &mut Hosted) -> Result<()> {
    let (method, path) = ("GET".to_owned(), "/inventory/v1/items?limit=1".to_owned());
    let sent = Sent { method, path, headers: Vec::new(), body: None };
    for (seconds, granted) in [(TOKEN_SECONDS, true), (-TOKEN_SECONDS, false)] {
        let token = hosted.keys().token_for(&Bearer::new(TENANT, "viewer"), seconds)?;
        let got = hosted::send(&hosted.agent(), &hosted.base(), &token, &sent)?;
        let expected = if granted { 200 } else { 401 };
        ensure!(got.status == expected, "a token that ends in {seconds} s: {got:?}");
    }
    Ok(())
}

impl Tally {
    fn add(&mut self, trouble: Duration, recovery: Duration) {
        self.rounds += 1;
        self.trouble = (self.trouble.0 + trouble, self.trouble.1.max(trouble));
        self.recovery = (self.recovery.0 + recovery, self.recovery.1.max(recovery));
    }
}

impl Report {
    /// Rounds in all.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.tallies.values().map(|tally| tally.rounds).sum()
    }

    /// The table for a person.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:20} {:>6}  {:>8} {:>8}  {:>8} {:>8}\n",
            "fault", "rounds", "trouble", "longest", "recovery", "longest"
        );
        for (fault, tally) in &self.tallies {
            let rounds = u32::try_from(tally.rounds).unwrap_or(u32::MAX).max(1);
            let [trouble, worst] = [tally.trouble.0 / rounds, tally.trouble.1];
            let [recovery, slowest] = [tally.recovery.0 / rounds, tally.recovery.1];
            let [trouble, worst, recovery, slowest] =
                [trouble, worst, recovery, slowest].map(|time| time.as_millis());
            let name = format!("{fault:?}");
            let _always = writeln!(
                text,
                "{name:20} {:>6}  {trouble:>8} {worst:>8}  {recovery:>8} {slowest:>8}",
                tally.rounds
            );
        }
        let (cut, midst) = self.cut;
        let rounds = self.rounds();
        let _always = writeln!(
            text,
            "{rounds} rounds, times in ms; {cut} cascades cut, {midst} of them under way\n{}",
            self.outcome
        );
        text
    }
}
