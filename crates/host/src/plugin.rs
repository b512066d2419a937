//! Plug-ins: components of others that answer a question of a component, each in a store of its own.
//!
//! A dependency of a component in `spin.toml` is a plug-in. Spin composes it into the component that
//! asks; so does this host when it is told to ([`Plugins::Composed`]). By default it stands between
//! the two instead: what the component imports is met by the host, which asks the plug-in in a fresh
//! instance, with nothing granted and limits of time and memory. So whatever the plug-in does costs
//! one answer, and it can keep nothing from one question to the next.
//!
//! The interface is a plain function, which cannot wait without stopping everything else on the
//! thread that asks. So the plug-in runs on a thread apart: as long as its answer is not there, the
//! host says `later`, and the asker comes again with the same question. Since an answer depends on
//! its question alone, the question is all that the two meet by.
//!
//! The contract (`wit/plugin.wit`) is one of the two of the application that this host knows; it
//! knows nothing of what the questions are about.

mod compose;
mod trial;
mod visit;
mod visitors;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use prometheus::IntCounterVec;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::Limits;
use crate::engine;
use crate::instance::StoreData;
use contract::exports::tradewind::plugin::approval::{Failure, Opinion, Question};
pub use trial::try_out;
use visit::Visits;
use visitors::Visitors;

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

/// How long an answer is kept for an asker that does not come again: its request was given up.
const KEEP: Duration = Duration::from_secs(60);

/// How plug-ins run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
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
    visitors: Visitors,
    asked: Mutex<HashMap<Question, Asked>>,
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
    // A question waits until those before it have run out of their time.
    let visitors = Visitors::start(visits, limits.plugin_time * 2, attaching.outcomes)?;
    let attached = Attached { visitors, asked: Mutex::default() };
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
    /// The answer to a question, or `later`. It never waits.
    fn judge(&self, question: Question) -> Answer {
        let mut all = self.asked();
        all.retain(|_, asked| asked.since.elapsed() < KEEP);
        let asked = all.remove(&question).unwrap_or_else(|| Asked {
            since: Instant::now(),
            answer: self.visitors.ask(question.clone()),
        });
        match asked.answer.try_recv() {
            Ok(answer) => answer,
            Err(TryRecvError::Disconnected) => {
                Err(Failure::Ended("the host stopped before it answered".to_owned()))
            }
            Err(TryRecvError::Empty) => {
                all.insert(question, asked);
                Err(Failure::Later)
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<Question, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
