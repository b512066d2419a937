//! One way to talk to the product, whatever it runs on.

use anyhow::Result;
use serde_json::Value;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sender {
    /// The tenant.
    pub tenant: String,
    /// The role.
    pub role: String,
    /// The subject of the token.
    pub subject: String,
    /// The supplier or the channel that the token is bound to.
    pub bound: Option<String>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null when there is none.
    pub body: Value,
}

impl Got {
    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The product, as a program outside sees it.
pub trait Driver {
    /// Sends a request and waits for the answer.
    fn send(&mut self, sender: &Sender, sent: &Sent) -> Result<Got>;

    /// Sends requests at the same time, as far as the driver can; the answers in any order.
    ///
    /// # Errors
    /// One of them has no answer.
    fn race(&mut self, sender: &Sender, sent: &[Sent]) -> Result<Vec<Got>> {
        sent.iter().map(|sent| self.send(sender, sent)).collect()
    }

    /// Sets the business clock to an RFC 3339 instant; due ticks have fired when this returns.
    fn set_clock(&mut self, instant: &str) -> Result<()>;
}
