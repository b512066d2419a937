//! The Redis trigger: channels that wake components.
//!
//! As on Spin nothing is durable: a message is handled once or, while the connection is down,
//! never; a failing handler is only logged; a channel's messages are handled one at a time.
//! Different from Spin: a lost connection is taken up again by itself, and messages go into the
//! instances that answer the timer, instead of a fresh one each. A connection can be lost without
//! a sign, and who only listens would never hear of it: so it is asked at a pace whether it lives.
//! When it is taken up again, the timer's paths of the components that it wakes are called once,
//! since messages may have been missed.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};

use crate::application::Subscription;
use crate::calls::Calls;
use crate::pool::Fault;
use crate::server::Shared;

/// First and longest pause before a lost server is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How often a connection is asked whether it lives: it costs next to nothing, and a message that
/// is missed waits for the timer, which may be slow.
const BEAT: Duration = Duration::from_secs(2);

/// How long it may take to answer, or to come up; as long as any other command has.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A channel, and what it wakes.
pub struct Listener {
    /// Where messages go.
    pub calls: Rc<Calls>,
    /// What the threads share: the timer.
    pub shared: Arc<Shared>,
    /// The channel.
    pub subscription: Subscription,
}

impl Listener {
    /// Hears the channel until the task is aborted.
    pub async fn listen(self) {
        let channel = &self.subscription.channel;
        let (mut pause, mut again) = (PAUSE.0, false);
        loop {
            match self.hear(&mut pause, &mut again).await {
                Ok(()) => tracing::warn!(%channel, "subscription ended"),
                Err(error) => tracing::warn!(%channel, %error, "subscription failed"),
            }
            self.calls.application.metrics.reconnections.inc();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Hears it over one connection, until that ends or is lost. `again`: there was one before.
    async fn hear(&self, pause: &mut Duration, again: &mut bool) -> redis::RedisResult<()> {
        let (mut sink, messages) = in_time(self.subscribe()).await?;
        tracing::info!(channel = %self.subscription.channel, "subscribed");
        *pause = PAUSE.0;
        let missed = std::mem::replace(again, true);
        // None of the three waits for another one.
        tokio::select! {
            () = self.heed(messages) => Ok(()),
            lost = lost(&mut sink) => Err(lost),
            never = self.look(missed) => match never {},
        }
    }

    async fn subscribe(&self) -> redis::RedisResult<(PubSubSink, PubSubStream)> {
        let client = redis::Client::open(self.subscription.address.as_str())?;
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(&self.subscription.channel).await?;
        Ok(connection.split())
    }

    /// Handles messages, one at a time, until there will be no more.
    async fn heed(&self, mut messages: PubSubStream) {
        while let Some(message) = messages.next().await {
            let payload = message.get_payload_bytes();
            let targets = &self.subscription.targets;
            futures::future::join_all(targets.iter().map(|&target| self.handle(target, payload)))
                .await;
        }
    }

    async fn handle(&self, target: usize, payload: &[u8]) {
        let application = &self.calls.application;
        let limit = application.limits.background_time;
        let outcome = match self.calls.message(target, payload.to_vec(), limit).await {
            Ok(()) => "handled",
            Err(Fault::Late) => "late",
            Err(Fault::Own | Fault::Collateral | Fault::NoInstance) => "failed",
        };
        let component = &*application.components[target].runtime.id;
        if outcome != "handled" {
            tracing::warn!(component, outcome, "message not handled");
        }
        application.metrics.messages.with_label_values(&[component, outcome]).inc();
    }

    /// Lets the components look for what they missed, if they may have.
    async fn look(&self, missed: bool) -> std::convert::Infallible {
        if let (true, Some(ticking)) = (missed, &self.shared.ticking) {
            ticking.fire_for(&self.calls, &self.subscription.targets).await;
        }
        std::future::pending().await
    }
}

/// Asks a connection at a pace whether it lives; gives back why it does not.
async fn lost(sink: &mut PubSubSink) -> redis::RedisError {
    loop {
        tokio::time::sleep(BEAT).await;
        if let Err(error) = in_time(sink.ping::<redis::Value>()).await {
            return error;
        }
    }
}

async fn in_time<T>(work: impl Future<Output = redis::RedisResult<T>>) -> redis::RedisResult<T> {
    match tokio::time::timeout(ANSWER_LIMIT, work).await {
        Ok(done) => done,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
