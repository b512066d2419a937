//! Events of the reporting domain.

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::id::Id;

/// A person closed an exception. One that closes because its cause is gone says nothing: the
/// event that ended the cause is in its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ExceptionClosed {
    pub exception: Id,
    pub kind: String,
    pub reason: String,
}

payloads! {
    ExceptionClosed => "reporting.exception-closed",
}
