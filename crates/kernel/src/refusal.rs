//! Refusals: the business says no.
//!
//! A refusal has a stable kebab-case code, a kind that gives the HTTP status, and every fault at
//! once, each with a JSON pointer. A refusal changes nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::published::Code;

/// What sort of no it is; gives the status of contract.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalKind {
    /// 400: malformed body, header or missing key.
    Malformed,
    /// 401: no valid token.
    Unauthenticated,
    /// 403: the role may not.
    Forbidden,
    /// 404: unknown id in the path.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: state, stock or key.
    Conflict,
    /// 412: stale `If-Match`.
    Stale,
    /// 413: body too large.
    TooLarge,
    /// 415: not JSON.
    MediaType,
    /// 422: well-formed but wrong.
    Invalid,
    /// 503: there is no room for it now; the same request can be repeated later.
    Unavailable,
}

impl RefusalKind {
    /// The HTTP status of contract.md.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::Stale => 412,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Invalid => 422,
            Self::Unavailable => 503,
        }
    }
}

/// One fault: where, which, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fault {
    /// JSON pointer into the request body, or empty for the whole.
    #[schema(pattern = "^(/.*)?$")]
    pub pointer: String,
    /// What is wrong.
    #[schema(value_type = Code)]
    pub code: String,
    /// A sentence for a person.
    #[schema(format = "free-text")]
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

/// The business says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// What sort of no.
    pub kind: RefusalKind,
    /// A stable kebab-case code, such as `insufficient-stock`.
    pub code: String,
    /// A sentence for a person.
    pub detail: String,
    /// Every fault found; may be empty when `code` says it all.
    pub faults: Vec<Fault>,
    /// Whether the attempt itself is kept in the audit log (a 403, a refused approval).
    pub audited: bool,
}

impl Refusal {
    /// A refusal of this kind.
    pub fn new(kind: RefusalKind, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let audited = kind == RefusalKind::Forbidden;
        Self { kind, code: code.into(), detail: detail.into(), faults: Vec::new(), audited }
    }

    /// 409 with this code.
    pub fn conflict(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Conflict, code, detail)
    }

    /// 404: no such thing; `what` names it, such as ``order `po_1` ``.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(RefusalKind::NotFound, "not-found", format!("there is no {what}"))
    }

    /// 403 with this code; kept in the audit log.
    pub fn forbidden(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Forbidden, code, detail)
    }

    /// 422 naming every fault.
    #[must_use]
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [only] => only.detail.clone(),
            many => format!("{} faults; see errors", many.len()),
        };
        let code = match faults.as_slice() {
            [only] => only.code.clone(),
            _ => "invalid".to_owned(),
        };
        Self { faults, ..Self::new(RefusalKind::Invalid, code, detail) }
    }

    /// The same refusal with these faults.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// The same refusal, kept in the audit log.
    #[must_use]
    pub fn audited(mut self) -> Self {
        self.audited = true;
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.detail)
    }
}

/// Collects every fault of an input, so that a caller learns all of them at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault.
    pub fn add(
        &mut self,
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) {
        self.0.push(Fault::new(pointer, code, detail));
    }

    /// Notes a fault unless `holds`.
    pub fn require(&mut self, holds: bool, pointer: impl Into<String>, code: &str, detail: &str) {
        if !holds {
            self.add(pointer, code, detail);
        }
    }

    /// `Ok` when there is none.
    ///
    /// # Errors
    /// A 422 refusal naming every fault.
    pub fn check(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.0)) }
    }
}
