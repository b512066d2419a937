//! Each domain reacts to exactly the types that the registry lists for it.
//!
//! Every type is shown to every domain, with data that no payload reads as. Who reacts to the type
//! refuses it (or does something); who does not, does nothing. So a type that is handled but not
//! listed, which would never arrive, is found as well as one that is listed but not handled.

use futures::executor::block_on;
use tradewind_finance::Finance;
use tradewind_inventory::Inventory;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::{Network, Position, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::{Commitment, Offer, Standing};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::{Domain, Event, NewEvent, Origin, reacted_by};
use tradewind_kernel::{Id, Instant};
use tradewind_planning::Planning;
use tradewind_procurement::Procurement;
use tradewind_shell::gather::Gather;
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::service::{Cause, Effect, Reaction, Service};
use tradewind_shell::store::{Commit, Needs, Outcome, Store};
use tradewind_shell::world::{Answered, AskError};
use tradewind_suppliers::Suppliers;

use crate::World;
use crate::events::payload_types;

const TENANT: &str = "contracts";

/// Asks that nobody answers: what a domain makes of an unreadable event needs none.
pub struct Nobody;

fn unanswered<T>() -> Result<Answered<T>, AskError> {
    Err(AskError::Unavailable("nobody is asked here".to_owned()))
}

impl tradewind_procurement::asks::Asks for Nobody {
    async fn standing(&self, _: &str, _: &str) -> Result<Answered<Standing>, AskError> {
        unanswered()
    }
}

impl tradewind_inventory::asks::Asks for Nobody {
    async fn offers(&self, _: &str, _: &Id) -> Result<Answered<Vec<Offer>>, AskError> {
        unanswered()
    }
}

impl tradewind_planning::asks::Asks for Nobody {
    async fn offers(&self, _: &str, _: &str) -> Result<Answered<Vec<Offer>>, AskError> {
        unanswered()
    }

    async fn commitment(&self, _: &str, _: &str) -> Result<Answered<Commitment>, AskError> {
        unanswered()
    }

    async fn trial(
        &self,
        _: &str,
        _: &str,
        _: &[TrialChange],
        _: u64,
    ) -> Result<Answered<Trial>, AskError> {
        unanswered()
    }

    async fn network(&self, _: &str) -> Result<Answered<Network>, AskError> {
        unanswered()
    }

    async fn positions(
        &self,
        _: &str,
        _: &[Id],
        _: u64,
    ) -> Result<Answered<Vec<Position>>, AskError> {
        unanswered()
    }

    async fn outlook(&self, _: &str, _: u32, _: u64) -> Result<Answered<Outlook>, AskError> {
        unanswered()
    }
}

fn origin() -> Origin {
    Origin {
        at: Instant::from_millis(0),
        by: "contracts".to_owned(),
        reason: None,
        correlation: "contracts".to_owned(),
        parent: None,
        causation: None,
    }
}

/// A world with one item that pegging knows, so that an event about the network concerns one.
fn world() -> World {
    let store = MemoryStore::new();
    let mut decision = Decision::default();
    decision.index(tradewind_inventory::keys::PEGGED, "sku", 0);
    let commit = Commit {
        tenant: TENANT.to_owned(),
        domain: Domain::Inventory,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: decision.writes,
        events: Vec::new(),
        origin: origin(),
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: false,
    };
    let outcome = block_on(store.commit(&commit)).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    LocalWorld::new(store, Nobody, Instant::from_millis(0), 1)
}

/// Whether a domain makes anything of an event of this type.
fn reacts<S: Service<World>>(kind: &str) -> bool {
    let world = world();
    let domain = kind.split('.').next().unwrap().parse().unwrap();
    // A bare text reads as no payload; an empty object might, where every field may be left out.
    let data = serde_json::Value::String("unreadable".to_owned());
    let what = NewEvent { kind: kind.to_owned(), subject: "contracts".to_owned(), data };
    let events = [Event { sequence: 1, domain, what, origin: origin() }];
    let gather = Gather::new(&world, TENANT, S::DOMAIN, Needs::Nothing, 0);
    match block_on(S::react(&gather, Cause { events: &events, step: None })) {
        Ok(Reaction::Effect(Effect::Done(decision))) => !decision.is_empty(),
        Ok(_) | Err(_) => true,
    }
}

fn differences<S: Service<World>>(faults: &mut Vec<String>) {
    let domain = S::DOMAIN;
    let listed: Vec<&str> = reacted_by(domain).collect();
    for kind in payload_types() {
        let is_listed = listed.contains(&kind.as_str());
        match (is_listed, reacts::<S>(&kind)) {
            (true, false) => faults.push(format!("{domain} is listed for {kind}: does nothing")),
            (false, true) => faults.push(format!("{domain} handles {kind}: never reaches it")),
            _ => {}
        }
    }
}

#[test]
fn each_domain_reacts_to_exactly_its_types() {
    let mut faults = Vec::new();
    differences::<Suppliers>(&mut faults);
    differences::<Procurement>(&mut faults);
    differences::<Inventory>(&mut faults);
    differences::<Planning>(&mut faults);
    differences::<Finance>(&mut faults);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
