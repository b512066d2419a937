//! The host's own routes, under `/host/v1/`.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::json;
use wasmtime_wasi_http::WasiBody;

use crate::application::Application;
use crate::clock;
use crate::problem::{CORRELATION_ID, Problem, correlation, json_answer, text};
use crate::redis_wire::Wire;
use crate::routes::HOST_PREFIX;
use crate::server::Server;

/// How long readiness waits for Redis: a check that hangs is of no use to who asks.
const READY_LIMIT: Duration = Duration::from_secs(2);

/// Bytes of the bodies that these routes take.
const BODY_BYTES: usize = 4096;

/// Answers a request for one of them.
pub async fn answer(server: &Server, parts: &Parts, body: Incoming) -> Response<WasiBody> {
    let shared = &server.shared;
    let application = &shared.application;
    let named = correlation(parts.headers.get(CORRELATION_ID));
    let name = &parts.uri.path()[HOST_PREFIX.len()..];
    match (&parts.method, name) {
        (&Method::GET, "health") => json_answer(&json!({ "status": "up" })),
        (&Method::GET, "ready") => ready(application, &named).await,
        (&Method::GET, "metrics") => {
            let in_flight = shared.admission.in_flight();
            let metrics = &application.metrics;
            metrics.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
            text(StatusCode::OK, "text/plain; version=0.0.4", metrics.text())
        }
        (&Method::GET, "clock") => clock::show(&application.variables),
        (&Method::POST, "clock") if shared.test_clock => {
            match Limited::new(body, BODY_BYTES).collect().await {
                Err(error) if error.is::<LengthLimitError>() => {
                    Problem::BodyTooLarge(BODY_BYTES as u64).answer(&named)
                }
                Err(_) => Problem::MalformedBody.answer(&named),
                Ok(body) => match clock::set(&application.variables, &body.to_bytes()) {
                    Err((problem, detail)) => problem.explained(&detail, &named),
                    Ok(()) => {
                        if let Some(ticking) = &shared.ticking {
                            ticking.fire(&server.calls).await;
                        }
                        clock::show(&application.variables)
                    }
                },
            }
        }
        (&Method::POST, "clock") => Problem::ClockFixed.answer(&named),
        (_, "health" | "ready" | "metrics" | "clock") => Problem::MethodNotAllowed.answer(&named),
        _ => Problem::UnknownRoute.answer(&named),
    }
}

async fn ready(application: &Application, named: &HeaderValue) -> Response<WasiBody> {
    for address in application.redis_addresses() {
        let check = async {
            let connection = Wire::connect(&address).await?;
            connection.ask("PING", &[]).await
        };
        match tokio::time::timeout(READY_LIMIT, check).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready");
                return Problem::NotReady.answer(named);
            }
            Err(_) => {
                let limit = READY_LIMIT.as_secs();
                let detail = format!("a Redis of the application did not answer within {limit} s");
                return Problem::NotReady.explained(&detail, named);
            }
        }
    }
    json_answer(&json!({ "status": "ready" }))
}
