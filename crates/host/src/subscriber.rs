//! The Redis trigger: channels that wake components.
//!
//! As on Spin nothing is durable: a message is handled once or, while the connection is down,
//! never; a failing handler is only logged; a channel's messages are handled one at a time.
//! Different from Spin: a lost connection is taken up again by itself, and messages go into the
//! instances that answer the timer, instead of a fresh one each.

use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;

use crate::application::Subscription;
use crate::calls::Calls;
use crate::pool::Fault;

/// First and longest pause before a lost server is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Hears one channel until the task is aborted.
pub async fn listen(calls: Rc<Calls>, subscription: Subscription) {
    let mut pause = PAUSE.0;
    loop {
        match hear(&calls, &subscription, &mut pause).await {
            Ok(()) => tracing::warn!(channel = %subscription.channel, "subscription ended"),
            Err(error) => {
                tracing::warn!(channel = %subscription.channel, %error, "subscription failed");
            }
        }
        calls.application.metrics.reconnections.inc();
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

async fn hear(
    calls: &Calls,
    subscription: &Subscription,
    pause: &mut Duration,
) -> redis::RedisResult<()> {
    let client = redis::Client::open(subscription.address.as_str())?;
    let mut connection = client.get_async_pubsub().await?;
    connection.subscribe(&subscription.channel).await?;
    tracing::info!(channel = %subscription.channel, "subscribed");
    *pause = PAUSE.0;
    let mut messages = connection.on_message();
    while let Some(message) = messages.next().await {
        let payload = message.get_payload_bytes();
        let handling = subscription.targets.iter().map(|&target| handle(calls, target, payload));
        futures::future::join_all(handling).await;
    }
    Ok(())
}

async fn handle(calls: &Calls, target: usize, payload: &[u8]) {
    let application = &calls.application;
    let limit = application.limits.background_time;
    let outcome = match calls.message(target, payload.to_vec(), limit).await {
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
