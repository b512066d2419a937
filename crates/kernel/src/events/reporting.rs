//! Events of the reporting domain.

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::id::Id;
use crate::published::Code;

/// A person closed an exception. One that closes because its cause is gone says nothing: the
/// event that ended the cause is in its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ExceptionClosed {
    pub exception: Id,
    #[schema(value_type = Code)]
    pub kind: String,
    #[schema(format = "free-text")]
    pub reason: String,
}

payloads! {
    ExceptionClosed => "reporting.exception-closed",
}
