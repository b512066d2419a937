//! Roles: what a token may be, and which of them may give a step of an approval.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A role of contract.md.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    Admin,
    Viewer,
    Buyer,
    Approver,
    Planner,
    Warehouse,
    Channel,
    Finance,
    System,
    Partner,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Admin,
        Self::Viewer,
        Self::Buyer,
        Self::Approver,
        Self::Planner,
        Self::Warehouse,
        Self::Channel,
        Self::Finance,
        Self::System,
        Self::Partner,
    ];

    /// Those that may read everything (viewer, and every role that contract.md builds on it), and
    /// partners, who are shown what is their own supplier's or channel's alone.
    pub const READERS_AND_PARTNERS: &'static [Self] = &[
        Self::Admin,
        Self::Viewer,
        Self::Buyer,
        Self::Approver,
        Self::Planner,
        Self::Warehouse,
        Self::Finance,
        Self::Partner,
    ];

    /// Those that may read everything.
    pub const READERS: &'static [Self] = match Self::READERS_AND_PARTNERS.split_last() {
        Some((Self::Partner, readers)) => readers,
        _ => panic!("partners come last"),
    };

    /// Its name in tokens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::Buyer => "buyer",
            Self::Approver => "approver",
            Self::Planner => "planner",
            Self::Warehouse => "warehouse",
            Self::Channel => "channel",
            Self::Finance => "finance",
            Self::System => "system",
            Self::Partner => "partner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(())
    }
}

/// A role that may give a step of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum StepRole {
    Admin,
    Approver,
    Buyer,
    Planner,
    Warehouse,
    Finance,
}

impl StepRole {
    const ALL: [Self; 6] =
        [Self::Admin, Self::Approver, Self::Buyer, Self::Planner, Self::Warehouse, Self::Finance];

    /// The role of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role of a token that it is.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Admin => Role::Admin,
            Self::Approver => Role::Approver,
            Self::Buyer => Role::Buyer,
            Self::Planner => Role::Planner,
            Self::Warehouse => Role::Warehouse,
            Self::Finance => Role::Finance,
        }
    }

    /// Its name in tokens.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.role().name()
    }
}
