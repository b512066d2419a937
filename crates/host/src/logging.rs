//! Logs: lines for people on a terminal, JSON objects elsewhere, always on stderr.
//!
//! The records of requests are many and all alike: each thread writes them into a buffer of its
//! own, which goes out when the thread has nothing else to do, or when it is full.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use http::{Method, StatusCode};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Bytes at which a thread's records go out although it is busy.
const FULL: usize = 32 << 10;

thread_local! {
    static RECORDS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Whether logs are for people; unset as long as logging has not started.
static FOR_PEOPLE: OnceLock<bool> = OnceLock::new();

/// Starts logging. `RUST_LOG` wins over `filter`, whose form is the same (`info`,
/// `info,request=warn`).
pub fn start(filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let for_people = *FOR_PEOPLE.get_or_init(|| std::io::stderr().is_terminal());
    // A second start, as in tests, keeps the first.
    let started = if for_people {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging had started");
    }
}

/// What is recorded of a request before its answer.
pub struct Record<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path, without the query.
    pub path: &'a str,
    /// Who answered.
    pub component: &'a str,
    /// When it came.
    pub start: Instant,
}

/// A record as it is written: the order of the fields is that of the line.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    target: &'a str,
    method: &'a str,
    path: &'a str,
    status: u16,
    component: &'a str,
    milliseconds: f64,
    correlation_id: &'a str,
}

/// Records an answer: at the level `warn` when it is a server's error, else `info`, under the
/// target `request`.
pub fn record(record: &Record<'_>, status: StatusCode, correlation_id: &str) {
    let warns = status.is_server_error();
    let wanted = if warns {
        tracing::enabled!(target: "request", tracing::Level::WARN)
    } else {
        tracing::enabled!(target: "request", tracing::Level::INFO)
    };
    let Some(for_people) = FOR_PEOPLE.get().filter(|_| wanted) else { return };
    let now = DateTime::<Utc>::from(SystemTime::now());
    let line = Line {
        timestamp: &now.to_rfc3339_opts(SecondsFormat::Micros, true),
        level: if warns { "WARN" } else { "INFO" },
        target: "request",
        method: record.method.as_str(),
        path: record.path,
        status: status.as_u16(),
        component: record.component,
        milliseconds: (record.start.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        correlation_id,
    };
    let full = RECORDS.with_borrow_mut(|records| {
        let begun = records.len();
        let written = if *for_people {
            let Line { timestamp, level, method, path, status, component, milliseconds, .. } = line;
            write!(
                records,
                "{timestamp} {level:>5} {method} {path} {status} {component} {milliseconds} ms \
                 {correlation_id}"
            )
        } else {
            serde_json::to_writer(&mut *records, &line).map_err(std::io::Error::from)
        };
        match written {
            Ok(()) => records.push(b'\n'),
            Err(_) => records.truncate(begun), // a vector takes everything
        }
        records.len() >= FULL
    });
    if full {
        flush();
    }
}

/// Writes out what this thread has recorded.
pub fn flush() {
    RECORDS.with_borrow_mut(|records| {
        if !records.is_empty() {
            // A log that cannot be written has nowhere to say so.
            std::io::stderr().write_all(records).ok();
            records.clear();
        }
    });
}
