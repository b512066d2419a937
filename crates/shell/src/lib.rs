//! Gather, decide, commit: the only code that touches the world from inside a component.
pub mod failure;
pub mod http;
pub mod route;
pub mod store;
