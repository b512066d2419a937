//! The procurement domain.
