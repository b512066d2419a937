//! How instances are made, reused and retired for HTTP.
//!
//! As Spin does: an instance serves up to 16 requests interleaved, is reused, and goes when it
//! has been idle. It is also retired after some thousands of requests, because each call between
//! composed components may leave an entry in the store until it is dropped (wasmtime 48). A
//! request has a deadline; when it passes, that request alone is given up, its instance takes no
//! more, and goes when the others are answered. An instance that does not hand back the thread
//! goes as a whole: when it has been busy for too long, or shortly after the last deadline in it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::Limits;
use crate::engine::EPOCH;
use crate::instance::{ComponentRuntime, StoreData};

/// After the last deadline in an instance: time for the orderly way, which cancels one request,
/// before the whole instance is dropped.
const GRACE: Duration = Duration::from_millis(100);

/// What the handler knows of a component.
pub struct Instances {
    /// The component.
    pub component: Arc<ComponentRuntime>,
    engine: Engine,
    pre: ProxyPre<StoreData>,
    limits: Limits,
    made: AtomicU64,
}

impl Instances {
    /// Instances of a component that exports `wasi:http/handler`.
    pub fn new(
        component: Arc<ComponentRuntime>,
        engine: Engine,
        pre: ServicePre<StoreData>,
        limits: Limits,
    ) -> Instances {
        Instances { component, engine, pre: ProxyPre::P3(pre), limits, made: AtomicU64::new(0) }
    }
}

impl HandlerState for Instances {
    type StoreData = StoreData;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<StoreData, Expiration, Worker>> {
        let mut store = self.component.store(&self.engine)?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        self.component.metrics.instances.inc();
        let deadline = Arc::new(Deadline::new());
        let busy_epochs = store.data().busy_epochs.clone();
        // Instances made together should not all go together.
        let spread = self.made.fetch_add(1, Ordering::Relaxed) % 8;
        let most = self.limits.requests_per_instance;
        Ok(Instance {
            store,
            proxy,
            view: StoreData::http,
            expiration: Expiration {
                idle: self.limits.idle_instance,
                deadline: deadline.clone(),
                busy_epochs,
                seen_epochs: 0,
                most_epochs: epochs(self.limits.busy),
                sleep: Box::pin(tokio::time::sleep(self.limits.idle_instance)),
            },
            state: Worker {
                component: self.component.clone(),
                interleaved: self.limits.interleaved,
                requests: most - most / 32 * usize::try_from(spread).unwrap_or(0),
                deadline,
            },
        })
    }
}

/// The latest deadline of the requests that an instance has taken, in milliseconds since the
/// instance was made.
struct Deadline {
    epoch: Instant,
    milliseconds: AtomicU64,
}

impl Deadline {
    fn new() -> Deadline {
        Deadline { epoch: Instant::now(), milliseconds: AtomicU64::new(0) }
    }

    fn extend(&self, limit: Duration) {
        let end = u64::try_from((self.epoch.elapsed() + limit).as_millis()).unwrap_or(u64::MAX);
        self.milliseconds.fetch_max(end, Ordering::Relaxed);
    }

    fn end(&self) -> Instant {
        self.epoch + Duration::from_millis(self.milliseconds.load(Ordering::Relaxed)) + GRACE
    }
}

fn epochs(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / EPOCH.as_millis()).unwrap_or(u64::MAX)
}

/// When an instance ends.
pub struct Expiration {
    idle: Duration,
    deadline: Arc<Deadline>,
    busy_epochs: Arc<AtomicU64>,
    seen_epochs: u64,
    most_epochs: u64,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        // This is polled whenever the instance hands back the thread. Did it do so because an
        // epoch went by, time and again, then it runs in a loop; any other time, it waits.
        let busy = self.busy_epochs.load(Ordering::Relaxed);
        if busy == self.seen_epochs {
            self.busy_epochs.store(0, Ordering::Relaxed);
            self.seen_epochs = 0;
        } else if busy > self.most_epochs {
            return Poll::Ready(());
        } else {
            self.seen_epochs = busy;
        }
        let end = match status {
            WorkerStatus::Idle => start + self.idle,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.deadline.end(),
        };
        // The timer is moved only when it would fire too late: this runs at every request.
        if self.sleep.deadline().into_std() > end {
            self.sleep.as_mut().reset(end.into());
        }
        while self.sleep.poll_unpin(context).is_ready() {
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(end.into());
        }
        Poll::Pending
    }
}

/// One instance at work.
pub struct Worker {
    component: Arc<ComponentRuntime>,
    interleaved: usize,
    requests: usize,
    deadline: Arc<Deadline>,
}

impl WorkerState for Worker {
    type StoreData = StoreData;
    /// How long the request may take.
    type RequestData = Duration;

    fn should_accept_request(&self, interleaved: usize, total: usize) -> ShouldAccept {
        if total >= self.requests {
            ShouldAccept::Never
        } else if interleaved >= self.interleaved {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, StoreData>,
        limit: Duration,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        self.deadline.extend(limit);
        Box::pin(tokio::time::sleep(limit))
    }

    fn drop(&self, store: Store<StoreData>, result: Result<(), wasmtime::Error>) {
        self.component.metrics.instances.dec();
        if let Err(error) = result
            && !self.component.stopping.load(Ordering::Relaxed)
        {
            self.component.metrics.instances_failed.inc();
            let (component, error) = (&*self.component.id, format!("{error:#}"));
            tracing::warn!(component, error, "instance failed");
        }
        drop(store);
    }
}
