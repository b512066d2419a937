//! The cases, each generic over the store.

pub mod checks;
pub mod streams;
pub mod values;
