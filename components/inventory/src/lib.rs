//! The inventory domain.

#[cfg(target_arch = "wasm32")]
mod component;
pub mod availability;
pub mod pegging;
pub mod promise;
pub mod split;
