//! One instance at work: it takes calls from its pool until it is retired.
//!
//! As on Spin an instance serves up to 16 calls interleaved, is reused, and goes when it has been
//! idle. It is also retired after some thousands of calls, and when too much lies in its store,
//! because each call between composed components may leave an entry there until the store is
//! dropped (wasmtime 48). A call has a deadline; when it passes, that call alone is given up, the
//! instance takes no more, and goes when the others are answered. An instance that does not hand
//! back the thread goes as a whole: when it has been busy for too long, or shortly after the last
//! deadline in it.

use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::{Either, poll_fn, select};
use futures::stream::{FuturesUnordered, StreamExt};
use prometheus::IntGauge;
use tokio::time::{Sleep, sleep_until};
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, format_err};

use crate::engine::EPOCH;
use crate::entries::Open;
use crate::instance::StoreData;
use crate::pool::{Fault, Job, Pool};

/// After the last deadline in an instance: time for the orderly way, which cancels one call,
/// before the whole instance is dropped.
const GRACE: Duration = Duration::from_millis(100);

/// Entries in a store at which its instance is retired; the store ends at a million.
const MOST_ENTRIES: usize = 100_000;

/// The entries are counted, one by one, every so many calls.
const COUNT_EVERY: usize = 64;

/// What pool and instance know of each other.
pub struct Slot {
    interleaved: usize,
    most: usize,
    running: Cell<usize>,
    taken: Cell<usize>,
    /// It takes no more calls.
    leaving: Cell<bool>,
    /// It was interrupted while computing; what it would take now would wait for it.
    computing: Cell<bool>,
    /// It has just taken a call, which has not come to its first wait yet.
    fresh: Cell<bool>,
    /// Since when there is nothing to do for it, if so.
    idle_since: Cell<Option<Instant>>,
    last_deadline: Cell<Instant>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// A slot of an instance that takes `most` calls, so many interleaved.
    pub fn new(interleaved: usize, most: usize) -> Slot {
        let now = Instant::now();
        Slot {
            interleaved,
            most,
            running: Cell::new(0),
            taken: Cell::new(0),
            leaving: Cell::new(false),
            computing: Cell::new(false),
            fresh: Cell::new(false),
            idle_since: Cell::new(Some(now)),
            last_deadline: Cell::new(now),
            waker: RefCell::new(None),
        }
    }

    /// How many calls it would take now.
    pub fn room(&self) -> usize {
        if self.leaving.get() || self.computing.get() {
            return 0;
        }
        let left = self.most.saturating_sub(self.taken.get());
        left.min(self.interleaved.saturating_sub(self.running.get()))
    }

    /// Has it look at the queue.
    pub fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    fn begin(&self, deadline: Instant) {
        self.fresh.set(true);
        self.idle_since.set(None);
        self.running.set(self.running.get() + 1);
        self.taken.set(self.taken.get() + 1);
        self.last_deadline.set(self.last_deadline.get().max(deadline));
    }

    fn end(&self, in_time: bool) {
        self.running.set(self.running.get() - 1);
        if !in_time {
            self.leaving.set(true);
        }
    }
}

/// Counts an instance as long as it lives.
struct Alive(IntGauge);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Makes an instance and has it work until it is retired.
///
/// # Errors
/// The instance ended by a trap, or was taken off because it computed for too long.
pub async fn work(pool: &Pool, slot: &Slot) -> wasmtime::Result<()> {
    let made = pool.instantiate().await;
    let (mut store, open) = match made {
        Ok(made) => made,
        Err(error) => {
            slot.leaving.set(true);
            pool.refuse(slot.interleaved, &error);
            return Ok(());
        }
    };
    let metrics = &pool.component.metrics;
    metrics.instances.inc();
    let _alive = Alive(metrics.instances.clone());
    let busy_epochs = store.data().busy_epochs.clone();
    let mut watch = Watch {
        idle: pool.limits.idle_instance,
        most_epochs: epochs(pool.limits.busy),
        counted: 0,
        sleep: pin!(tokio::time::sleep(pool.limits.idle_instance)),
    };
    let mut at_work = pin!(
        store.run_concurrent(async |accessor| { take_calls(accessor, &open, pool, slot).await })
    );
    poll_fn(|context| {
        loop {
            let before = busy_epochs.load(Ordering::Relaxed);
            if let Poll::Ready(ended) = at_work.as_mut().poll(context) {
                return Poll::Ready(ended?);
            }
            // It gave the thread back because an epoch went by: it computes. Any other time, it
            // waits.
            let epochs = busy_epochs.load(Ordering::Relaxed);
            slot.computing.set(epochs != before);
            let another = slot.fresh.replace(false) && slot.room() > 0 && pool.has_work();
            if !another {
                break;
            }
        }
        if slot.computing.get() {
            pool.dispatch();
        }
        watch.poll(context, slot, busy_epochs.load(Ordering::Relaxed))
    })
    .await
}

/// Takes calls from the pool, one at a turn, and answers each as soon as its answer is there.
async fn take_calls(
    accessor: &Accessor<StoreData>,
    open: &Open,
    pool: &Pool,
    slot: &Slot,
) -> wasmtime::Result<()> {
    let gate = open.gate().ok_or_else(|| format_err!("the component has no entry"))?;
    let mut running = pin!(FuturesUnordered::new());
    poll_fn(|context| {
        keep(&slot.waker, context);
        loop {
            // First what has ended: a call that was late means that no other is taken.
            while let Poll::Ready(Some(in_time)) = running.as_mut().poll_next_unpin(context) {
                slot.end(in_time);
            }
            let open_to_calls = !slot.fresh.get()
                && slot.room() > 0
                && accessor.poll_ready_for_concurrent_call(gate, context).is_ready();
            if open_to_calls && let Some(job) = pool.next() {
                slot.begin(job.deadline);
                if slot.taken.get().is_multiple_of(COUNT_EVERY) && entries(accessor) > MOST_ENTRIES
                {
                    slot.leaving.set(true);
                }
                running.push(answer(accessor, open, pool, job));
                continue;
            }
            if !running.is_empty() || accessor.poll_no_interesting_tasks(context).is_pending() {
                return Poll::Pending;
            }
            let retired = slot.leaving.get() || slot.taken.get() >= slot.most;
            if retired {
                return Poll::Ready(Ok(()));
            }
            if slot.idle_since.get().is_none() {
                slot.idle_since.set(Some(Instant::now()));
            }
            return Poll::Pending;
        }
    })
    .await
}

fn keep(kept: &RefCell<Option<Waker>>, context: &Context<'_>) {
    let mut kept = kept.borrow_mut();
    match &mut *kept {
        Some(waker) => waker.clone_from(context.waker()),
        none => *none = Some(context.waker().clone()),
    }
}

fn entries(accessor: &Accessor<StoreData>) -> usize {
    accessor.with(|mut access| access.as_context_mut().concurrent_state_table_size())
}

/// Makes one call and sends its answer; false when its time was up before.
async fn answer(accessor: &Accessor<StoreData>, open: &Open, pool: &Pool, job: Job) -> bool {
    let call = pin!(open.call(accessor, job.call));
    let late = pin!(sleep_until(job.deadline.into()));
    let (result, in_time) = match select(call, late).await {
        Either::Left((Ok(answer), _)) => (Ok(answer), true),
        Either::Left((Err(error), _)) => {
            let component = &*pool.component.id;
            tracing::warn!(component, error = %format!("{error:#}"), "call failed");
            (Err(Fault::Own), true)
        }
        // The guest cannot be told to stop (wasmtime 48): its task goes with the instance.
        Either::Right(((), _)) => (Err(Fault::Late), false),
    };
    // Whoever asked may have gone.
    job.answer.send(result).ok();
    in_time
}

fn epochs(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / EPOCH.as_millis()).unwrap_or(u64::MAX)
}

/// Says when an instance must go, looking from outside of its event loop: a guest that computes,
/// or a host call that blocks, stops everything inside.
struct Watch<'a> {
    idle: Duration,
    most_epochs: u64,
    /// Epochs in a row in which the instance was found computing, up to the last look.
    counted: u64,
    sleep: Pin<&'a mut Sleep>,
}

impl Watch<'_> {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        slot: &Slot,
        epochs: u64,
    ) -> Poll<wasmtime::Result<()>> {
        if !slot.computing.get() {
            self.counted = epochs;
        } else if epochs - self.counted > self.most_epochs {
            return Poll::Ready(Err(format_err!("it computed without a pause for too long")));
        }
        let end = match slot.idle_since.get() {
            Some(since) => since + self.idle,
            None => slot.last_deadline.get() + GRACE,
        };
        // The timer is moved only when it would fire too late: this runs at every call.
        if self.sleep.deadline().into_std() > end {
            self.sleep.as_mut().reset(end.into());
        }
        while self.sleep.as_mut().poll(context).is_ready() {
            if Instant::now() >= end {
                return Poll::Ready(match slot.idle_since.get() {
                    Some(_) => Ok(()),
                    None => Err(format_err!("the time of its calls is over")),
                });
            }
            self.sleep.as_mut().reset(end.into());
        }
        Poll::Pending
    }
}
