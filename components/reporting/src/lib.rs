//! The reporting domain.
