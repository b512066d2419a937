//! The suppliers domain.
