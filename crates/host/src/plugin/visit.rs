//! One visit to a plug-in: a store and an instance for one question, and how it can end.
//!
//! The plug-in is linked to WASI, because compilers put it there, and is granted nothing by it: no
//! files, no network, no environment. Its clock stands still and its chance is the same each time,
//! so that its answer cannot depend on either.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::io::AsyncWrite;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use super::contract::ApproverPre;
use super::contract::exports::tradewind::plugin::approval::{Failure, Opinion, Question};
use crate::Limits;
use crate::guest_output::GuestOutput;

/// Bytes of a visit's output that are logged: enough for a panic's message, and no way to fill a
/// disk.
const OUTPUT_BYTES: usize = 4096;

/// The most that a visit waits beyond its time: computing is cut at the next epoch, waiting here.
const GRACE: Duration = Duration::from_millis(100);

/// A plug-in ready to be visited.
pub struct Visits {
    /// The component that asks, for logs.
    pub name: Arc<str>,
    engine: Engine,
    pre: ApproverPre<Cell>,
    time: Duration,
    memory_bytes: usize,
}

/// What came of a visit.
pub struct Visited {
    /// What the plug-in said, or how it ended.
    pub answer: Result<Result<Opinion, Failure>, End>,
    /// How long it took, with its start.
    pub took: Duration,
    /// Bytes over all of its memories.
    pub memory_bytes: usize,
}

/// How a visit ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It ran into its limit of time.
    Time(Duration),
    /// It ran into its limit of memory.
    Memory(usize),
    /// It trapped.
    Trap(String),
    /// It could not be started.
    Start(String),
}

impl End {
    /// Its name in counters.
    pub fn name(&self) -> &'static str {
        match self {
            End::Time(_) => "time",
            End::Memory(_) => "memory",
            End::Trap(_) => "trap",
            End::Start(_) => "start",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Time(limit) => write!(formatter, "it took longer than {} ms", limit.as_millis()),
            End::Memory(limit) => write!(formatter, "it needs more than {} MiB", limit >> 20),
            End::Trap(how) => write!(formatter, "it trapped: {how}"),
            End::Start(why) => write!(formatter, "it could not be started: {why}"),
        }
    }
}

impl Visits {
    /// Links a plug-in.
    ///
    /// # Errors
    /// It lacks the export, or imports something beside WASI's basics; the error names it.
    pub fn new(
        engine: &Engine,
        plugin: &Component,
        name: &str,
        limits: &Limits,
    ) -> anyhow::Result<Visits> {
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        let pre = ApproverPre::new(linker.instantiate_pre(plugin)?)?;
        let (time, memory_bytes) = (limits.plugin_time, limits.plugin_memory_bytes);
        Ok(Visits { name: name.into(), engine: engine.clone(), pre, time, memory_bytes })
    }

    /// Asks one question of a fresh instance. `surroundings` stand for all that a plug-in must not
    /// go by: another number is another time and another chance.
    pub async fn visit(&self, question: &Question, surroundings: u64) -> Visited {
        let begun = Instant::now();
        let mut store = Store::new(&self.engine, Cell::new(self, begun, surroundings));
        store.limiter(|cell| &mut cell.memory);
        store.set_epoch_deadline(1);
        let time = self.time;
        store.epoch_deadline_callback(move |context| {
            if context.data().begun.elapsed() >= time {
                return Err(TimeIsUp.into());
            }
            Ok(UpdateDeadline::Yield(1))
        });
        let visit = tokio::time::timeout(time + GRACE, self.run(&mut store, question)).await;
        let cell = store.data();
        let answer = match visit {
            Ok(Ok(answer)) => Ok(answer),
            Err(_) => Err(End::Time(time)),
            Ok(Err((_, error))) if error.is::<TimeIsUp>() => Err(End::Time(time)),
            Ok(Err(_)) if cell.memory.refused => Err(End::Memory(self.memory_bytes)),
            Ok(Err((true, error))) => Err(End::Trap(error.root_cause().to_string())),
            Ok(Err((false, error))) => Err(End::Start(error.root_cause().to_string())),
        };
        Visited { answer, took: begun.elapsed(), memory_bytes: cell.memory.bytes }
    }

    /// The answer, or the error and whether the plug-in had started.
    async fn run(
        &self,
        store: &mut Store<Cell>,
        question: &Question,
    ) -> Result<Result<Opinion, Failure>, (bool, wasmtime::Error)> {
        let plugin =
            self.pre.instantiate_async(&mut *store).await.map_err(|error| (false, error))?;
        let approval = plugin.tradewind_plugin_approval();
        approval.call_judge(store, question).await.map_err(|error| (true, error))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the time is up")]
struct TimeIsUp;

/// What belongs to one visit.
struct Cell {
    wasi: WasiCtx,
    table: ResourceTable,
    memory: Memory,
    begun: Instant,
}

impl Cell {
    fn new(visits: &Visits, begun: Instant, surroundings: u64) -> Cell {
        let chance = || SmallRng::seed_from_u64(surroundings);
        let wasi = WasiCtx::builder()
            .allow_tcp(false)
            .allow_udp(false)
            .stderr(Output::new(visits.name.clone(), true))
            .stdout(Output::new(visits.name.clone(), false))
            .secure_random(chance())
            .insecure_random(chance())
            .insecure_random_seed(u128::from(surroundings))
            .wall_clock(Still(surroundings))
            .monotonic_clock(Still(surroundings))
            .build();
        let memory = Memory { bytes: 0, most: visits.memory_bytes, refused: false };
        Cell { wasi, table: ResourceTable::new(), memory, begun }
    }
}

impl WasiView for Cell {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A clock that stands at so many days after 1970.
struct Still(u64);

impl Still {
    fn seconds(&self) -> u64 {
        self.0.saturating_mul(86_400)
    }
}

impl HostWallClock for Still {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.seconds())
    }
}

impl HostMonotonicClock for Still {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.seconds()
    }
}

/// Bounds the memories of a visit together.
struct Memory {
    bytes: usize,
    most: usize,
    refused: bool,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = self.bytes.saturating_add(desired.saturating_sub(current));
        if grown > self.most {
            self.refused = true;
            return Ok(false);
        }
        self.bytes = grown;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// The beginning of what a plug-in prints goes to the log, the rest nowhere.
#[derive(Clone)]
struct Output {
    log: GuestOutput,
    left: Arc<AtomicUsize>,
}

impl Output {
    fn new(component: Arc<str>, stderr: bool) -> Output {
        let left = Arc::new(AtomicUsize::new(OUTPUT_BYTES));
        Output { log: GuestOutput::new(component, stderr), left }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Beginning {
            lines: Box::into_pin(self.log.async_stream()),
            left: self.left.clone(),
        })
    }
}

struct Beginning {
    lines: Pin<Box<dyn AsyncWrite + Send + Sync>>,
    left: Arc<AtomicUsize>,
}

impl AsyncWrite for Beginning {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let left = self.left.load(Ordering::Relaxed);
        let kept = bytes.get(..left).unwrap_or(bytes);
        if !kept.is_empty() {
            self.left.store(left - kept.len(), Ordering::Relaxed);
            if let Poll::Ready(Err(error)) = self.lines.as_mut().poll_write(context, kept) {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.lines.as_mut().poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.lines.as_mut().poll_shutdown(context)
    }
}
