//! The threads on which a plug-in is visited, each with a runtime of its own.
//!
//! A plug-in may compute without end, and the threads that answer requests have better things to do:
//! here it keeps none of them waiting, and plug-ins that burn their whole time leave the machine to
//! others in equal shares. A question for which there is no place waits.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use prometheus::IntCounterVec;
use tokio::runtime::{Builder, Runtime};

use super::Answer;
use super::contract::exports::tradewind::plugin::approval::{Failure, Question};
use super::visit::Visits;

/// Threads where there are fewer cores: one question that takes all its time leaves a place.
const FEWEST: usize = 2;

/// The threads, one a core; they end when this goes and the visits under way are over.
pub struct Visitors {
    waiting: Sender<Waiting>,
}

/// A question that waits for a thread.
struct Waiting {
    question: Question,
    since: Instant,
    said: Sender<Answer>,
}

/// What the threads share.
struct Shared {
    visits: Visits,
    waiting: Mutex<Receiver<Waiting>>,
    /// How long a question waits for its turn.
    wait: Duration,
    outcomes: IntCounterVec,
}

impl Visitors {
    /// Starts the threads. Answers are counted by component and outcome.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub fn start(
        visits: Visits,
        wait: Duration,
        outcomes: IntCounterVec,
    ) -> anyhow::Result<Visitors> {
        let (waiting, taken) = channel();
        let shared = Arc::new(Shared { visits, waiting: Mutex::new(taken), wait, outcomes });
        let cores = std::thread::available_parallelism().map_or(FEWEST, usize::from);
        for number in 0..cores.max(FEWEST) {
            let (shared, runtime) = (shared.clone(), runtime()?);
            std::thread::Builder::new()
                .name(format!("plug-in-{number}"))
                .spawn(move || shared.work(&runtime))
                .context("no thread for plug-ins")?;
        }
        Ok(Visitors { waiting })
    }

    /// Has a question asked. The receiver hears the answer, or that there will be none.
    pub fn ask(&self, question: Question) -> Receiver<Answer> {
        let (said, answer) = channel();
        // Threads that have ended drop the sender, which the receiver hears.
        self.waiting.send(Waiting { question, since: Instant::now(), said }).ok();
        answer
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("no runtime for plug-ins")
}

impl Shared {
    /// Visits as long as there may be questions.
    fn work(&self, runtime: &Runtime) {
        while let Some(waiting) = self.next() {
            let (outcome, answer) = if waiting.since.elapsed() > self.wait {
                let why = "too many questions wait for it".to_owned();
                ("no-place", Err(Failure::Ended(why)))
            } else {
                self.visit(runtime, &waiting.question)
            };
            self.outcomes.with_label_values(&[&*self.visits.name, outcome]).inc();
            // Whoever asked may have gone.
            waiting.said.send(answer).ok();
        }
    }

    fn next(&self) -> Option<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }

    fn visit(&self, runtime: &Runtime, question: &Question) -> (&'static str, Answer) {
        let visited = runtime.block_on(self.visits.visit(question, 0));
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
}
