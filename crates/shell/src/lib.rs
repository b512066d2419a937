//! Gather, decide, commit: the only code that touches the world from inside a component.
//!
//! A domain hands the shell a table of routes and pure decisions; the shell does the rest: it
//! checks the token, reads what a decision rests on ([`gather`]), commits what was decided with
//! one script ([`run`], `commit.lua`), reacts to events of other domains exactly once
//! ([`catch_up`]) and turns refusals into problem bodies ([`serve`](mod@serve)). No ERP rule lives
//! here, and nothing else of ours than the kernel is imported.

#[cfg(any(target_arch = "wasm32", test))]
mod allocator;
mod audit;
pub mod auth;
mod blocks;
pub mod cache;
pub mod call;
pub mod catch_up;
#[cfg(any(target_arch = "wasm32", test))]
mod comparison;
pub mod failure;
pub mod gather;
#[cfg(target_arch = "wasm32")]
pub mod guest;
pub mod http;
pub mod local;
pub mod memory;
pub mod openapi;
pub mod protocol;
#[cfg(feature = "native-redis")]
pub mod redis;
pub mod route;
pub mod run;
pub mod schema;
pub mod scripted;
pub mod serve;
pub mod service;
pub mod settings;
#[cfg(target_arch = "wasm32")]
pub mod spin;
pub mod store;
pub mod world;
