//! The task runner as a library: everything `cargo xtask` does, callable by the tests.
//!
//! Two parts matter to others. [`build`] makes one .wasm per domain (service and the queries of
//! the domains it asks, composed), and [`check`] holds those files and `spin.toml` to what Spin
//! itself accepts, so that the embedded host cannot quietly become the platform.
#![allow(clippy::print_stdout)] // a task runner talks to a person in a terminal
#![allow(clippy::disallowed_methods)] // it waits for programs and dates tokens by the real clock

pub mod bench;
pub mod build;
pub mod chaos;
pub mod check;
pub mod clients;
pub mod command;
pub mod compose;
pub mod demo;
pub mod deny;
pub mod docs;
pub mod fuzz;
pub mod keys;
pub mod late_shipment;
pub mod packages;
pub mod plugin;
pub mod progress;
pub mod project;
pub mod redis;
pub mod server;
pub mod sim;
pub mod steps;
pub mod test;
pub mod toolchain;
pub mod up;
pub mod vendor;
