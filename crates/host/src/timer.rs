//! The timer: calls paths of the application at a fixed pace, as a cron trigger would on Spin.
//!
//! A path is never called twice at once: while a call runs, its rounds are skipped. The call
//! goes straight to the component, not through the network, with a short-lived token signed for
//! the purpose, so that the application need not trust this host more than anybody else.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::application::Application;
use crate::calls::Calls;

/// How long a minted token is good for: longer than a call may take, short enough to be
/// worthless to who finds it in a log.
const TOKEN_SECONDS: u64 = 120;

/// A token is replaced when it has less than this left.
const TOKEN_RENEWAL_SECONDS: u64 = 60;

/// How a PEM file begins.
const PEM: &[u8] = b"-----BEGIN";

/// What the timer calls, and as whom.
#[derive(Debug, Clone)]
pub struct Timer {
    /// Paths that get a `POST` without a body.
    pub paths: Vec<String>,
    /// The pace.
    pub every: Duration,
    /// How the calls are signed; without it they carry no token.
    pub signing: Option<Signing>,
}

/// How the timer's tokens are made.
#[derive(Debug, Clone)]
pub struct Signing {
    /// An Ed25519 private key: PKCS #8, as PEM or as plain bytes.
    pub key_file: PathBuf,
    /// The `kid` of the token's head.
    pub key_id: String,
    /// The `aud` claim.
    pub audience: String,
    /// Every other claim but `exp`; by default `sub` "host", `tenant` "*", `roles` ["system"].
    pub claims: Map<String, Value>,
}

impl Signing {
    /// The default claims with a key.
    pub fn new(key_file: &Path, key_id: &str, audience: &str) -> Signing {
        let mut claims = Map::new();
        claims.insert("sub".to_owned(), json!("host"));
        claims.insert("tenant".to_owned(), json!("*"));
        claims.insert("roles".to_owned(), json!(["system"]));
        Signing {
            key_file: key_file.to_owned(),
            key_id: key_id.to_owned(),
            audience: audience.to_owned(),
            claims,
        }
    }
}

/// A running timer.
pub struct Ticking {
    every: Duration,
    paths: Vec<Ticked>,
    minter: Option<Mutex<Minter>>,
}

struct Ticked {
    path: String,
    target: usize,
    /// Held while a call runs; the last status, so that only a change is logged.
    last: Mutex<Option<StatusCode>>,
}

struct Minter {
    signing: Signing,
    key: EncodingKey,
    token: Option<(HeaderValue, u64)>,
}

impl Ticking {
    /// Prepares the timer.
    ///
    /// # Errors
    /// A path has no route, or the key cannot be read.
    pub fn new(application: &Application, timer: &Timer) -> anyhow::Result<Ticking> {
        let mut paths = Vec::new();
        for path in &timer.paths {
            let target = application.router.find(path);
            let target = target.with_context(|| format!("the timer's path {path} has no route"))?;
            paths.push(Ticked { path: path.clone(), target, last: Mutex::new(None) });
        }
        let minter = timer.signing.clone().map(Minter::new).transpose()?.map(Mutex::new);
        Ok(Ticking { every: timer.every, paths, minter })
    }

    /// Calls every path at the pace, until the task is dropped.
    pub async fn run(&self, calls: &Calls) {
        futures::future::join_all(self.paths.iter().map(async |ticked| {
            let mut rounds = tokio::time::interval(self.every);
            rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            loop {
                rounds.tick().await;
                self.call(calls, ticked).await;
            }
        }))
        .await;
    }

    /// Calls every path now, after calls that still run, and returns when all have returned.
    pub async fn fire(&self, calls: &Calls) {
        futures::future::join_all(self.paths.iter().map(|ticked| self.call(calls, ticked))).await;
    }

    /// The same for the paths of these components alone.
    pub async fn fire_for(&self, calls: &Calls, targets: &[usize]) {
        let paths = self.paths.iter().filter(|ticked| targets.contains(&ticked.target));
        futures::future::join_all(paths.map(|ticked| self.call(calls, ticked))).await;
    }

    async fn call(&self, calls: &Calls, ticked: &Ticked) {
        let mut last = ticked.last.lock().await;
        let limit = calls.application.limits.background_time;
        let status = match self.request(&ticked.path).await {
            Err(error) => {
                tracing::error!(path = %ticked.path, error = %format!("{error:#}"), "no tick");
                return;
            }
            Ok(request) => {
                let (parts, body) = request.into_parts();
                match calls.whole(ticked.target, parts, body, limit).await {
                    Ok(response) => {
                        let status = response.status();
                        // The call has returned when its body has.
                        let ended = tokio::time::timeout(limit, response.into_body().collect());
                        if matches!(ended.await, Ok(Ok(_))) { Some(status) } else { None }
                    }
                    Err(_) => None,
                }
            }
        };
        let done = status.is_some_and(|status| status.is_success());
        let outcome = if done { "done" } else { "failed" };
        calls.application.metrics.ticks.with_label_values(&[&*ticked.path, outcome]).inc();
        if !done && *last != status {
            let status = status.map_or(0, |status| status.as_u16());
            tracing::warn!(path = %ticked.path, status, "tick failed");
        }
        *last = status;
    }

    async fn request(&self, path: &str) -> anyhow::Result<Request<Bytes>> {
        let uri = format!("http://host.internal{path}");
        let mut request = Request::builder().method(Method::POST).uri(uri).body(Bytes::new())?;
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        if let Some(minter) = &self.minter {
            let token = minter.lock().await.token()?;
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        Ok(request)
    }
}

impl Minter {
    fn new(signing: Signing) -> anyhow::Result<Minter> {
        let file = &signing.key_file;
        let bytes = std::fs::read(file)
            .with_context(|| format!("cannot read the signing key {}", file.display()))?;
        let key = if bytes.starts_with(PEM) {
            EncodingKey::from_ed_pem(&bytes)
                .with_context(|| format!("{} is no Ed25519 key", file.display()))?
        } else {
            EncodingKey::from_ed_der(&bytes)
        };
        Ok(Minter { signing, key, token: None })
    }

    fn token(&mut self) -> anyhow::Result<HeaderValue> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        if let Some((token, expires)) = &self.token
            && *expires > now + TOKEN_RENEWAL_SECONDS
        {
            return Ok(token.clone());
        }
        let expires = now + TOKEN_SECONDS;
        let mut claims = self.signing.claims.clone();
        claims.insert("aud".to_owned(), json!(self.signing.audience));
        claims.insert("iat".to_owned(), json!(now));
        claims.insert("exp".to_owned(), json!(expires));
        let mut head = Header::new(Algorithm::EdDSA);
        head.kid = Some(self.signing.key_id.clone());
        let token = format!("Bearer {}", encode(&head, &claims, &self.key)?);
        let token = HeaderValue::from_str(&token)?;
        self.token = Some((token.clone(), expires));
        Ok(token)
    }
}
