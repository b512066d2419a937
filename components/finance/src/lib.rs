//! The finance domain.
