//! What holds the project to real Spin: its components' imports, their worlds, and `spin.toml`.
//!
//! `cargo xtask build` runs these on every file it makes, and the tests run them again.

pub mod manifest;
pub mod offers;
pub mod plugins;
pub mod template;
pub mod world;
