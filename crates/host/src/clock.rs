//! `/host/v1/clock`: shows the business clock and, with a test clock, moves it.
//!
//! The business clock is the real one plus whole seconds, given to components as the variable
//! `clock_offset_seconds`. Moved to an instant it is never before that instant, and runs on.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use http::Response;
use serde::Deserialize;
use serde_json::json;
use std::time::SystemTime;
use wasmtime_wasi_http::WasiBody;

use crate::problem::{Problem, json_answer};
use crate::variables::Variables;

const MILLISECONDS: i64 = 1000;

/// What a body has to be.
const FORM: &str = r#"the body is {"now": instant} or {"now": null}"#;

/// Why a clock that may be moved is not.
const UNMOVED: &str = "the application has no variable clock_offset_seconds to move its clock by";

/// `{"now": instant}` or `{"now": null}`; the key must be there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    #[serde(deserialize_with = "Option::deserialize")]
    now: Option<DateTime<Utc>>,
}

/// What the clock shows.
pub fn show(variables: &Variables) -> Response<WasiBody> {
    let real = DateTime::<Utc>::from(SystemTime::now());
    let offset = variables.clock_offset_seconds();
    let now = chrono::TimeDelta::try_seconds(offset).and_then(|by| real.checked_add_signed(by));
    let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Millis, true);
    json_answer(&json!({
        "now": now.map(text),
        "real": text(real),
        "offset_seconds": offset,
    }))
}

/// Moves the clock.
///
/// # Errors
/// The body names no instant, or the clock cannot be moved.
pub fn set(variables: &Variables, body: &Bytes) -> Result<(), (Problem, String)> {
    let wanted: Move = serde_json::from_slice(body)
        .map_err(|error| (Problem::MalformedBody, format!("{FORM}: {error}")))?;
    let real = DateTime::<Utc>::from(SystemTime::now());
    let offset = wanted.now.map_or(0, |now| ceiling_seconds((now - real).num_milliseconds()));
    if !variables.move_clock(offset) {
        return Err((Problem::ClockFixed, UNMOVED.to_owned()));
    }
    tracing::info!(offset_seconds = offset, "business clock moved");
    Ok(())
}

fn ceiling_seconds(milliseconds: i64) -> i64 {
    milliseconds.div_euclid(MILLISECONDS) + i64::from(milliseconds.rem_euclid(MILLISECONDS) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_up() {
        for (milliseconds, seconds) in
            [(0, 0), (1, 1), (1000, 1), (-1, 0), (-1000, -1), (-1001, -1)]
        {
            assert_eq!(ceiling_seconds(milliseconds), seconds);
        }
    }

    #[test]
    fn a_move_names_its_instant() {
        for (body, good) in [
            (r#"{"now": null}"#, true),
            (r#"{"now": "2026-01-01T00:00:00Z"}"#, true),
            ("{}", false),
            (r#"{"now": "today"}"#, false),
            (r#"{"now": null, "x": 1}"#, false),
        ] {
            assert_eq!(serde_json::from_str::<Move>(body).is_ok(), good, "{body}");
        }
    }
}
