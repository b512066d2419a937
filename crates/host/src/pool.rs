//! The instances of one component on one thread, and the calls that wait for them.
//!
//! Calls wait in one queue, from which every instance takes when it can: so none waits for an
//! instance that computes while another one could have it. More instances are made when those
//! that live have no room left; nothing bounds their number but the instance pool of the engine,
//! and the server that admits no more than it can hold.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use wasmtime::{Engine, Store};

use crate::Limits;
use crate::entries::{Answer, Call, Entries, Open};
use crate::instance::{ComponentRuntime, StoreData};
use crate::worker::{Slot, work};

/// Why a call gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The component answered this call with a fault, or against the rules.
    Own,
    /// The instance failed, and it may have been because of another call.
    Collateral,
    /// The time limit passed.
    Late,
    /// There is no room for an instance.
    NoInstance,
}

/// A call that waits.
pub struct Job {
    /// What to do.
    pub call: Call,
    /// Until when.
    pub deadline: Instant,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Answer, Fault>>,
}

/// Instances of one component.
pub struct Pool {
    /// The component.
    pub component: Arc<ComponentRuntime>,
    /// What they may use.
    pub limits: Limits,
    engine: Engine,
    entries: Arc<Entries>,
    queue: RefCell<VecDeque<Job>>,
    slots: RefCell<Vec<Rc<Slot>>>,
    made: Cell<usize>,
    own: std::rc::Weak<Pool>,
}

impl Pool {
    /// No instances yet.
    pub fn new(
        component: Arc<ComponentRuntime>,
        entries: Arc<Entries>,
        engine: Engine,
        limits: Limits,
    ) -> Rc<Pool> {
        Rc::new_cyclic(|own| Pool {
            component,
            limits,
            engine,
            entries,
            queue: RefCell::default(),
            slots: RefCell::default(),
            made: Cell::new(0),
            own: own.clone(),
        })
    }

    /// Makes a call and waits for its answer, which comes within `limit` or a little later.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn call(&self, call: Call, limit: Duration) -> Result<Answer, Fault> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + limit;
        self.queue.borrow_mut().push_back(Job { call, deadline, answer });
        self.dispatch();
        match answered.await {
            Ok(result) => result,
            // An instance that keeps the thread goes at the deadline, with the call in it.
            Err(_) if Instant::now() >= deadline => Err(Fault::Late),
            Err(_) => Err(Fault::Collateral),
        }
    }

    /// Whether a call waits.
    pub fn has_work(&self) -> bool {
        !self.queue.borrow().is_empty()
    }

    /// The next call for whom somebody still waits.
    pub fn next(&self) -> Option<Job> {
        loop {
            let job = self.queue.borrow_mut().pop_front()?;
            if job.answer.is_closed() {
                continue;
            }
            if Instant::now() < job.deadline {
                return Some(job);
            }
            job.answer.send(Err(Fault::Late)).ok();
        }
    }

    /// Wakes as many instances as the queue needs, and makes more where there is no room.
    pub fn dispatch(&self) {
        let mut waiting = self.queue.borrow().len();
        for slot in self.slots.borrow().iter() {
            if waiting == 0 {
                return;
            }
            let room = slot.room();
            if room > 0 {
                slot.wake();
                waiting = waiting.saturating_sub(room);
            }
        }
        while waiting > 0 {
            waiting = waiting.saturating_sub(self.limits.interleaved);
            self.start();
        }
    }

    /// Starts an instance; it takes from the queue when it is there.
    fn start(&self) {
        let Some(pool) = self.own.upgrade() else { return };
        // Instances made together should not all go together.
        let spread = self.made.replace(self.made.get() + 1) % 8;
        let most = self.limits.requests_per_instance;
        let slot = Rc::new(Slot::new(self.limits.interleaved, most - most / 32 * spread));
        self.slots.borrow_mut().push(slot.clone());
        tokio::task::spawn_local(async move {
            if let Err(error) = work(&pool, &slot).await {
                pool.component.metrics.instances_failed.inc();
                let (component, error) = (&*pool.component.id, format!("{error:#}"));
                tracing::warn!(component, error, "instance failed");
            }
            pool.slots.borrow_mut().retain(|other| !Rc::ptr_eq(other, &slot));
            pool.dispatch();
        });
    }

    /// Makes an instance in a store of its own.
    ///
    /// # Errors
    /// There is no room for it.
    pub async fn instantiate(&self) -> wasmtime::Result<(Store<StoreData>, Open)> {
        let mut store = self.component.store(&self.engine)?;
        let open = self.entries.open(&mut store).await?;
        Ok((store, open))
    }

    /// Refuses as many calls as an instance would have taken that could not be made.
    pub fn refuse(&self, calls: usize, error: &wasmtime::Error) {
        let component = &*self.component.id;
        tracing::warn!(component, error = %format!("{error:#}"), "no instance");
        for _ in 0..calls {
            let Some(job) = self.next() else { return };
            job.answer.send(Err(Fault::NoInstance)).ok();
        }
    }
}
