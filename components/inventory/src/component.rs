//! The wasm edge of inventory: the only place that sees bindings.
//!
//! With the feature `service` the crate is the HTTP service that also takes nudges; with `query` it is
//! the provider that is composed into the services that ask it. Never both.

#[cfg(feature = "query")]
mod query;
#[cfg(feature = "service")]
mod service;
