//! The Redis trigger: channels that wake components.
//!
//! As on Spin nothing is durable: a message is handled once or, while the connection is down,
//! never; a failing handler is only logged; a channel's messages are handled one at a time, each
//! in a fresh instance. Different from Spin: a lost connection is taken up again by itself.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use crate::application::{Application, Served, Subscription};

/// First and longest pause before a lost server is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Hears one channel until the task is aborted.
pub async fn listen(application: Arc<Application>, subscription: Subscription) {
    let mut pause = PAUSE.0;
    loop {
        match hear(&application, &subscription, &mut pause).await {
            Ok(()) => tracing::warn!(channel = %subscription.channel, "subscription ended"),
            Err(error) => {
                tracing::warn!(channel = %subscription.channel, %error, "subscription failed");
            }
        }
        application.metrics.reconnections.inc();
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

async fn hear(
    application: &Application,
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
        let handling = subscription
            .targets
            .iter()
            .map(|&target| handle(application, &application.components[target], payload));
        futures::future::join_all(handling).await;
    }
    Ok(())
}

async fn handle(application: &Application, served: &Served, payload: &[u8]) {
    let component = &*served.runtime.id;
    let limit = application.limits.background_time;
    let outcome = match tokio::time::timeout(limit, deliver(application, served, payload)).await {
        Ok(Ok(())) => "handled",
        Ok(Err(error)) => {
            tracing::warn!(component, error = %format!("{error:#}"), "message handler failed");
            "failed"
        }
        Err(_) => {
            tracing::warn!(component, ?limit, "message handler took too long");
            "late"
        }
    };
    application.metrics.messages.with_label_values(&[component, outcome]).inc();
}

async fn deliver(
    application: &Application,
    served: &Served,
    payload: &[u8],
) -> wasmtime::Result<()> {
    let Some(subscriber) = &served.subscriber else {
        return Err(wasmtime::format_err!("no export for messages"));
    };
    let mut store = served.runtime.store(&application.engine.engine)?;
    let instance = subscriber.instantiate_async(&mut store).await?;
    let payload = payload.to_vec();
    let answer = store
        .run_concurrent(async |accessor| {
            instance.spin_redis_inbound_redis().call_handle_message(accessor, payload).await
        })
        .await??;
    answer.map_err(|error| wasmtime::format_err!("{error:?}"))
}
