//! The planning domain.
