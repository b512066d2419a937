//! Plug-ins: components of others that answer a question of a component, each in a store of its own.
//!
//! A dependency of a component in `spin.toml` is a plug-in. Spin composes it into the component that
//! asks; so does this host when it is told to ([`Plugins::Composed`]). By default it stands between
//! the two instead: what the component imports is met by the host, which asks the plug-in in a fresh
//! instance, with nothing granted and limits of time and memory. So whatever the plug-in does costs
//! one answer, and it can keep nothing from one question to the next.
//!
//! The interface is a plain function, which cannot wait without stopping everything else in the
//! instance that asks. So the plug-in runs on a thread apart: an answer that is not there within a
//! moment is `later`, and the asker comes again with the same question. Since an answer depends on
//! its question alone, the question is all that the two meet by.
//!
//! The contract (`wit/plugin.wit`) is one of the two of the application that this host knows; it
//! knows nothing of what the questions are about.

mod compose;
mod trial;
mod visit;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use prometheus::IntCounterVec;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::Limits;
use crate::engine;
use crate::instance::StoreData;
use contract::exports::tradewind::plugin::approval::{Failure, Opinion, Question};
pub use trial::try_out;
use visit::Visits;

/// Bindings generated from `wit/plugin.wit`.
#[allow(missing_docs, clippy::unwrap_used)]
mod contract {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "tradewind:plugin/approver",
        exports: { default: async },
        additional_derives: [PartialEq, Eq, Hash, serde::Deserialize],
    });
}

/// The interface that is mediated, as it is imported and exported.
pub const INTERFACE: &str = "tradewind:plugin/approval@0.1.0";

/// Its one function.
const FUNCTION: &str = "judge";

/// How long an answer is waited for on the spot: what a compiled plug-in takes to be instantiated
/// and asked, and too short for anybody else to notice.
const AT_ONCE: Duration = Duration::from_micros(500);

/// How long an answer is kept for an asker that does not come again: its request was given up.
const KEEP: Duration = Duration::from_secs(60);

/// How plug-ins run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plugins {
    /// Each ask in a store of its own, within limits.
    #[default]
    Isolated,
    /// As part of the component that asks, as Spin does it.
    Composed,
}

/// What a plug-in said, or why the host says something in its place.
type Answer = Result<Opinion, Failure>;

/// A plug-in that stands ready, and the questions it is at work on.
struct Attached {
    visits: Visits,
    runtime: Handle,
    /// Visits at once, one a core: plug-ins that burn their whole time leave the machine to others
    /// in equal shares.
    places: Arc<Semaphore>,
    /// How long a question waits for a place: until those before it have run out of their time.
    wait: Duration,
    asked: Mutex<HashMap<Question, Asked>>,
    outcomes: IntCounterVec,
}

/// A question on its way.
struct Asked {
    since: Instant,
    answer: Receiver<Answer>,
}

/// What a component's plug-in needs to be attached.
pub struct Attaching<'a> {
    /// The id of the component that asks.
    pub component: &'a str,
    /// Its own file.
    pub source: &'a Path,
    /// The plug-in's file.
    pub plugin: PathBuf,
    /// How it runs.
    pub how: Plugins,
    /// Whether the component has files or an environment, which a composed plug-in would share.
    pub grants: bool,
    /// Counts answers by component and outcome.
    pub outcomes: IntCounterVec,
    /// The runtime in which requests are served.
    pub runtime: Handle,
}

/// Loads a component that has a plug-in, and what it may import with it.
///
/// # Errors
/// A file cannot be read or is no component, or the plug-in does not fit.
pub fn attach(
    attaching: Attaching<'_>,
    linker: &Linker<StoreData>,
    engine: &Engine,
    cache: &Path,
    limits: &Limits,
) -> anyhow::Result<(Component, Linker<StoreData>)> {
    let mut linker = linker.clone();
    if attaching.how == Plugins::Composed {
        ensure!(!attaching.grants, "a composed plug-in would share the files and the environment");
        let bytes = compose::compose(attaching.source, &attaching.plugin)?;
        let name = format!("{} with its plug-in", attaching.source.display());
        return Ok((engine::load_bytes(engine, &bytes, &name, cache)?, linker));
    }
    let component = engine::load(engine, attaching.source, cache)?;
    let file = &attaching.plugin;
    let plugin = engine::load(engine, file, cache)?;
    let visits = Visits::new(engine, &plugin, attaching.component, limits)
        .with_context(|| format!("the plug-in {}", file.display()))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let attached = Arc::new(Attached {
        visits,
        runtime: attaching.runtime,
        places: Arc::new(Semaphore::new(cores)),
        wait: limits.plugin_time * 2,
        asked: Mutex::default(),
        outcomes: attaching.outcomes,
    });
    linker
        .instance(INTERFACE)?
        .func_wrap(FUNCTION, move |_, (question,): (Question,)| Ok((attached.judge(question),)))?;
    Ok((component, linker))
}

/// Fails unless a dependency is one that this host knows how to meet.
///
/// # Errors
/// It is another interface; the error names both.
pub fn check_name(component: &str, dependency: &str) -> anyhow::Result<()> {
    if dependency != INTERFACE {
        bail!(
            "component `{component}` depends on `{dependency}`; this host meets {INTERFACE} alone"
        );
    }
    Ok(())
}

impl Attached {
    /// The answer to a question, or `later`.
    fn judge(self: &Arc<Self>, question: Question) -> Answer {
        let known = {
            let mut asked = self.asked();
            asked.retain(|_, asked| asked.since.elapsed() < KEEP);
            asked.remove(&question)
        };
        let (asked, patience) = match known {
            Some(asked) => (asked, Duration::ZERO),
            None => (self.ask(question.clone()), AT_ONCE),
        };
        match asked.answer.recv_timeout(patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => {
                Err(Failure::Ended("the host stopped before it answered".to_owned()))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.asked().insert(question, asked);
                Err(Failure::Later)
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<Question, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a visit.
    fn ask(self: &Arc<Self>, question: Question) -> Asked {
        let (said, answer) = channel();
        let attached = self.clone();
        self.runtime.spawn(async move {
            let place =
                tokio::time::timeout(attached.wait, attached.places.clone().acquire_owned());
            let Ok(Ok(place)) = place.await else {
                attached.count("no-place");
                let why = "too many questions wait for it".to_owned();
                return drop(said.send(Err(Failure::Ended(why))));
            };
            // A thread apart: a plug-in may compute without end, and never hands a thread back.
            let visit = move || {
                let (outcome, answer) = attached.visit(&question);
                attached.count(outcome);
                drop(place);
                drop(said.send(answer));
            };
            drop(tokio::task::spawn_blocking(visit));
        });
        Asked { since: Instant::now(), answer }
    }

    fn visit(&self, question: &Question) -> (&'static str, Answer) {
        let visited = self.runtime.block_on(self.visits.visit(question, 0));
        match visited.answer {
            Ok(Err(Failure::Failed(why))) => ("failed", Err(Failure::Failed(why))),
            // What a host alone may say counts as nonsense.
            Ok(Err(_)) => {
                let why = "its answer is unlawful: it speaks as its host".to_owned();
                ("failed", Err(Failure::Ended(why)))
            }
            Ok(Ok(opinion)) => ("answered", Ok(opinion)),
            Err(end) => {
                tracing::warn!(plugin = %self.visits.name, outcome = end.name(), "{end}");
                (end.name(), Err(Failure::Ended(end.to_string())))
            }
        }
    }

    fn count(&self, outcome: &str) {
        self.outcomes.with_label_values(&[&*self.visits.name, outcome]).inc();
    }
}
