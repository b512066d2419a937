//! A client over one keep-alive connection, without Nagle's delay.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How often a request that was put off is sent again.
const RETRIES: usize = 200;

/// The pause before that.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Where to send, and as whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// The token.
    pub token: Rc<str>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The correlation of a write.
    pub correlation: Option<String>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

/// One connection; opened again when the server has closed it.
pub struct HttpClient {
    target: Target,
    sender: SendRequest<Full<Bytes>>,
    /// How often `must` was told to come back later.
    pub put_off: u64,
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

impl HttpClient {
    /// Connects.
    pub async fn open(target: &Target) -> Result<Self> {
        Ok(Self { target: target.clone(), sender: connect(target.address).await?, put_off: 0 })
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        if self.sender.ready().await.is_err() {
            self.sender = connect(self.target.address).await?;
        }
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("authorization", format!("Bearer {}", self.target.token))
            .header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = self.sender.send_request(request.body(Full::new(body.into()))?).await?;
        let correlation = answer.headers().get("correlation-id");
        let correlation = correlation.and_then(|text| Some(text.to_str().ok()?.to_owned()));
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(Answer { status, correlation, body })
    }

    /// Sends what must be granted, again while the answer is 503; a POST gets a fresh key.
    pub async fn must(&mut self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let text = body.to_string();
        let fresh = format!("{:016x}", getrandom::u64().ok().context("no random bits")?);
        let key = (method == "POST").then_some(fresh.as_str());
        let sent = if method == "GET" { String::new() } else { text };
        let mut answer = self.send(method, path, key, sent.clone()).await?;
        for _ in 0..RETRIES {
            if answer.status != 503 {
                break;
            }
            self.put_off += 1;
            tokio::time::sleep(RETRY_AFTER).await;
            answer = self.send(method, path, key, sent.clone()).await?;
        }
        let told = String::from_utf8_lossy(&answer.body);
        ensure!(matches!(answer.status, 200 | 201), "{method} {path}: {}: {told}", answer.status);
        Ok(answer)
    }
}
