//! The wasm edge of planning: the only place that sees bindings.
//!
//! With the feature `service` the crate is the HTTP service that also takes nudges.

#[cfg(feature = "service")]
mod service;
