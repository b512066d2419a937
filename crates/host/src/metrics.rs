//! What is counted, and its text form for Prometheus.

use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Bounds of the request time classes, in seconds: from a cached read to the time limit.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Everything this host counts.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    instances: IntGaugeVec,
    instances_made: IntCounterVec,
    instances_failed: IntCounterVec,
    redis_commands: IntCounterVec,
    /// Answers 503 because too much was in flight.
    pub overloaded: IntCounter,
    /// Requests being answered.
    pub in_flight: IntGauge,
    /// Redis messages handled, by component and outcome.
    pub messages: IntCounterVec,
    /// Timer calls, by path and outcome.
    pub ticks: IntCounterVec,
    /// Reconnections of the Redis trigger.
    pub reconnections: IntCounter,
    /// What plug-ins answered, by the component that asks and outcome.
    pub plugin_answers: IntCounterVec,
}

/// What is counted for one component: looked up once, not at each request.
#[derive(Clone)]
pub struct ComponentMetrics {
    requests: [IntCounter; 5],
    seconds: Histogram,
    /// Instances alive.
    pub instances: IntGauge,
    /// Instances made.
    pub instances_made: IntCounter,
    /// Instances that ended in a trap or at a time limit.
    pub instances_failed: IntCounter,
    /// Redis calls.
    pub redis_commands: IntCounter,
}

impl ComponentMetrics {
    /// Counts an answer by the class of its status, and the time to its head.
    pub fn answered(&self, status: http::StatusCode, elapsed: Duration) {
        self.seconds.observe(elapsed.as_secs_f64());
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.requests[class - 1].inc();
    }
}

impl Metrics {
    /// All counters at zero.
    ///
    /// # Errors
    /// Never in practice: names and labels are fixed.
    pub fn new() -> prometheus::Result<Metrics> {
        let registry = Registry::new_custom(Some("host".to_owned()), None)?;
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(made.clone()))?;
            prometheus::Result::Ok(made)
        };
        let counter = |name: &str, help: &str| {
            let made = IntCounter::new(name, help)?;
            registry.register(Box::new(made.clone()))?;
            prometheus::Result::Ok(made)
        };
        let seconds = HistogramVec::new(
            HistogramOpts::new("request_seconds", "Time to the head of the answer")
                .buckets(SECONDS.to_vec()),
            &["component"],
        )?;
        registry.register(Box::new(seconds.clone()))?;
        let instances =
            IntGaugeVec::new(Opts::new("instances", "Instances alive"), &["component"])?;
        registry.register(Box::new(instances.clone()))?;
        let in_flight = IntGauge::new("requests_in_flight", "Requests being answered")?;
        registry.register(Box::new(in_flight.clone()))?;
        Ok(Metrics {
            requests: counters("requests_total", "Answers by status", &["component", "status"])?,
            instances_made: counters("instances_made_total", "Instances made", &["component"])?,
            instances_failed: counters(
                "instances_failed_total",
                "Instances ended by a trap or a time limit",
                &["component"],
            )?,
            redis_commands: counters("redis_commands_total", "Redis calls", &["component"])?,
            messages: counters(
                "messages_total",
                "Redis messages handled",
                &["component", "outcome"],
            )?,
            ticks: counters("ticks_total", "Timer calls", &["path", "outcome"])?,
            plugin_answers: counters(
                "plugin_answers_total",
                "Answers of plug-ins that run apart",
                &["component", "outcome"],
            )?,
            overloaded: counter("overloaded_total", "Requests refused for load")?,
            reconnections: counter("reconnections_total", "Redis trigger reconnections")?,
            registry,
            seconds,
            instances,
            in_flight,
        })
    }

    /// The counters of one component.
    pub fn component(&self, id: &str) -> ComponentMetrics {
        let class = |class: &str| self.requests.with_label_values(&[id, class]);
        ComponentMetrics {
            requests: [class("1xx"), class("2xx"), class("3xx"), class("4xx"), class("5xx")],
            seconds: self.seconds.with_label_values(&[id]),
            instances: self.instances.with_label_values(&[id]),
            instances_made: self.instances_made.with_label_values(&[id]),
            instances_failed: self.instances_failed.with_label_values(&[id]),
            redis_commands: self.redis_commands.with_label_values(&[id]),
        }
    }

    /// All counters in Prometheus' text form.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "metrics cannot be written");
        }
        String::from_utf8(text).unwrap_or_default()
    }
}
