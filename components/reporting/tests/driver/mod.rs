//! Drives reporting natively: events of the domains in, requests in, answers out.

#![allow(clippy::unwrap_used, reason = "tests")]

use futures::executor::block_on;
use serde_json::Value;
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, NewEvent, Origin, event_id};
use tradewind_reporting::Reporting;
use tradewind_shell::catch_up::catch_up;
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::store::{
    Commit, CursorMove, Found, Needs, Outcome, Read, ReadRequest, Snapshot, Store, keys,
};
use tradewind_shell::world::World;
pub use tradewind_testing::{Answer, TENANT, commit};
use tradewind_testing::{ask, caller};

pub struct Driver {
    pub world: LocalWorld<MemoryStore, ()>,
}

impl Driver {
    pub fn at(day: &str) -> Self {
        let now = format!("{day}T09:00:00Z").parse().unwrap();
        let mut world = LocalWorld::new(MemoryStore::new(), (), now, 7);
        world.verbose = true;
        Self { world }
    }

    pub fn set_day(&self, day: &str) {
        self.world.set_now(format!("{day}T09:00:00Z").parse().unwrap());
    }

    pub fn call(&self, role: Role, method: &str, target: &str, body: &Value) -> Answer {
        ask::<Reporting, _>(&self.world, caller(role), method, target, body)
    }

    pub fn get(&self, target: &str) -> Answer {
        self.call(Role::Viewer, "GET", target, &Value::Null)
    }

    pub fn cascade(&self, correlation: &str) -> Value {
        self.get(&format!("/reporting/v1/cascades/{correlation}")).body
    }

    pub fn exceptions(&self, status: &str) -> Vec<Value> {
        let answer = self.get(&format!("/reporting/v1/exceptions?status={status}"));
        answer.body["items"].as_array().cloned().unwrap_or_default()
    }

    /// Kinds and details of the open exceptions.
    pub fn open(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let open = self.exceptions("open");
        open.iter().map(|it| (text(&it["kind"]), text(&it["detail"]))).collect()
    }

    /// Appends an event that somebody's command caused; gives back its id.
    pub fn tell(&self, correlation: &str, kind: &str, data: Value) -> String {
        let origin = self.origin(correlation, "ann", None, None);
        self.append(kind, "it", data, origin, Vec::new())
    }

    /// Appends an event that another event caused; gives back its id.
    pub fn follow(&self, correlation: &str, cause: &str, kind: &str, data: Value) -> String {
        let origin = self.origin(correlation, "system", Some(cause), None);
        self.append(kind, "it", data, origin, Vec::new())
    }

    pub fn origin(
        &self,
        correlation: &str,
        by: &str,
        causation: Option<&str>,
        parent: Option<&str>,
    ) -> Origin {
        Origin {
            at: self.world.now(),
            by: by.to_owned(),
            reason: None,
            correlation: correlation.to_owned(),
            parent: parent.map(str::to_owned),
            causation: causation.map(str::to_owned),
        }
    }

    pub fn append(
        &self,
        kind: &str,
        subject: &str,
        data: Value,
        origin: Origin,
        writes: Vec<Write>,
    ) -> String {
        let domain: Domain = kind.split('.').next().unwrap().parse().unwrap();
        let event = NewEvent { kind: kind.to_owned(), subject: subject.to_owned(), data };
        let commit = Commit { events: vec![event], writes, ..commit(domain, origin) };
        match block_on(self.world.store().commit(&commit)) {
            Ok(Outcome::Done { version }) => event_id(version + 1),
            other => panic!("{other:?}"),
        }
    }

    /// A domain has reacted to everything so far.
    pub fn pass(&self, domain: Domain) {
        let snapshot = self.read(Read::Counters { key: keys::CURSORS.to_owned() });
        let Found::Counters(cursors) = &snapshot.found[0] else { panic!() };
        let at = cursors.get(domain.name()).copied().unwrap_or(0);
        let expected = u64::try_from(at).unwrap();
        let cursor = Some(CursorMove { expected, next: snapshot.sequence });
        let origin = self.origin("passing", "system", None, None);
        let commit = Commit { cursor, ..commit(domain, origin) };
        let outcome = block_on(self.world.store().commit(&commit));
        assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
    }

    /// Every other domain has reacted to everything so far.
    pub fn pass_all(&self) {
        Domain::ALL.into_iter().filter(|it| *it != Domain::Reporting).for_each(|it| self.pass(it));
    }

    /// Reporting reacts to everything that waits.
    pub fn react(&self) {
        block_on(catch_up::<Reporting, _>(&self.world, TENANT)).unwrap();
    }

    pub fn read(&self, read: Read) -> Snapshot {
        let request = ReadRequest {
            tenant: TENANT.to_owned(),
            domain: Domain::Reporting,
            needs: Needs::Nothing,
            reads: vec![read],
        };
        block_on(self.world.store().read(&request)).unwrap()
    }
}
