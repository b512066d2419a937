//! Flights: commands on their way, from their sending to the judgement of their answer.

use tradewind_shell::http::Response;
use tradewind_shell::run::KeptReply;

use super::answers::{Told, matches, told};
use super::command::{Command, Label, NOBODY, Names, key};
use super::model::No;
use super::player::Player;
use super::step::{Finding, Step};
use super::world::{Running, caller, request};
use crate::driver::Sent;

/// A reply that is kept under a key, and for which request.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The request.
    pub sent: Sent,
    /// The reply.
    pub reply: KeptReply,
    /// Until when, by the store's clock.
    pub until: u64,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The idempotency key.
    pub key: String,
    /// What is asked; of a repetition, what is repeated.
    pub command: Command,
    /// The request.
    pub sent: Sent,
}

/// A command on its way.
pub struct Flight {
    /// Its label.
    pub label: Label,
    /// Its idempotency key: that of another command when it repeats one.
    pub key: String,
    /// What is asked.
    pub command: Command,
    /// The request.
    pub sent: Sent,
    /// Whether an effect was committed under its key since it was sent.
    pub committed: bool,
    pub(super) may: Vec<Told>,
}

/// What is driven: a command's request, a nudge or a tick.
pub(super) struct Task {
    pub(super) instance: u8,
    pub(super) running: Running,
    pub(super) flight: Option<Flight>,
}

impl Player {
    /// A command on its way; none when it repeats one that was never sent.
    pub(super) fn send(&mut self, label: Label, instance: u8, command: &Command) -> Option<Task> {
        let asked = match command {
            Command::Again { label: of } => self.asked.get(of)?.clone(),
            Command::Reuse { label: of, sku } => {
                let earlier = self.asked.get(of).filter(|asked| asked.command.writes())?;
                let (from, to) = ("found".to_owned(), "loss".to_owned());
                let command = Command::Move { sku: sku.clone(), quantity: 1, from, to };
                let sent = command.sent(&earlier.key, &self.names);
                Asked { key: earlier.key.clone(), command, sent }
            }
            _ => {
                let key = key(label);
                let sent = command.sent(&key, &self.names);
                Asked { key, command: command.clone(), sent }
            }
        };
        self.asked.insert(label, asked.clone());
        self.note(&asked.sent);
        let Asked { key, command, sent } = asked;
        let (committed, may) = (false, Vec::new());
        let mut flight = Flight { label, key, command, sent, committed, may };
        flight.may.push(self.told(&flight));
        let place = self.place(instance, Some(flight.label));
        let (role, subject) = flight.command.sender();
        let running = request(&self.hub, place, caller(role, subject), &flight.sent);
        Some(Task { instance, running, flight: Some(flight) })
    }

    pub(super) fn told(&self, flight: &Flight) -> Told {
        let (now, nobody) = (self.hub.clock(), Names::new());
        let keep = self.keeps.get(&flight.key).filter(|keep| keep.until > now);
        // Sent before what it speaks of was there, and repeated as it was.
        let unnamed = flight.sent.path.contains(NOBODY);
        let names = if unnamed { &nobody } else { &self.names };
        told(&self.model, names, keep, &flight.command, &flight.sent)
    }

    /// A release asks where the supplier stands after it has read the order. A refusal commits
    /// nothing that would check both at one moment, so it may speak of two.
    pub(super) fn torn(&self, flight: &Flight) -> Option<Told> {
        let Command::Act { purchase, action: "release", .. } = &flight.command else { return None };
        let order = self.model.purchases.get(self.names.get(purchase)?)?;
        let stands = self.model.may_release(&order.supplier);
        let could = flight.may.iter().any(|told| matches!(told, Told::Model(Ok(_))));
        let (status, code) = (409, "supplier-not-approved".to_owned());
        (could && !stands).then_some(Told::Model(Err(No { status, code })))
    }

    pub(super) fn unanswered(&mut self, flight: Option<Flight>) {
        if let Some(flight) = flight {
            self.count(&flight.command, 2);
        }
    }

    fn count(&mut self, command: &Command, column: usize) {
        if let Some(count) = self.counts.by_kind.entry(command.kind()).or_default().get_mut(column)
        {
            *count += 1;
        }
    }

    /// Judges an answer.
    pub(super) fn answered(
        &mut self,
        step: &Step,
        flight: Flight,
        response: &Response,
    ) -> Result<(), Finding> {
        let status = response.status;
        // Planning gives up for now when a domain that it asks is behind, and only nudges or ticks
        // bring that up; the others are never kept waiting but by failures.
        let waits = flight.sent.path.starts_with("/planning/");
        if status == 503 && (waits || step.trouble.fails() || step.poison.is_some()) {
            self.unanswered(Some(flight));
            return Ok(());
        }
        self.count(&flight.command, usize::from(status >= 400));
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        let mut faults = Vec::new();
        for told in flight.may.iter().rev() {
            match matches(told, &flight.command, flight.committed, status, &body) {
                Ok(()) => return Ok(()),
                Err(fault) => faults.push(fault),
            }
        }
        faults.dedup();
        let kind = format!("answer to {}", flight.command.kind());
        let Sent { method, path, body: asked, .. } = &flight.sent;
        let asked = asked.as_deref().unwrap_or("");
        let label = flight.label;
        let detail = format!(
            "#{label} {method} {path} {asked}\n  got {status} {body}\n  {}",
            faults.join("\n  ")
        );
        Err(Finding::new(kind, detail))
    }
}
