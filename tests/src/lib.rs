//! What the product promises, held as a whole.
//!
//! * [`driver`] is one way to talk to the product, with two implementations: [`native`] runs the
//!   six domains in this process on the in-memory store; [`hosted`] runs the components in the
//!   embedded host on a real Redis.
//! * [`story`] reads `scenarios/*.md`, stories that a buyer can read, and plays them on a driver.
//! * [`compare`] holds an answer against what a story expects.
//! * [`simulation`] plays histories of chance on the six domains and on a small model of them.
//! * [`fuzzing`] sends lawful and nearly lawful requests made from the published documents, and
//!   [`schemathesis`] has a public fuzzer do so over HTTP. [`playing`] says which seeds of either.
//! * [`load`] is many clients at once, each with a log of its answers; [`ledger`] sums the logs up
//!   and holds the product against them; [`history`] judges whether what they saw has an order;
//!   [`crowd`] is the three together.
//! * [`chaos`] breaks what the host rests on, and [`resp`] asks a Redis.
//! * [`breaking`] holds a published document against an older one.

#![allow(clippy::disallowed_methods, reason = "tests wait and measure by the real clock")]

pub mod breaking;
pub mod chance;
pub mod chaos;
pub mod compare;
pub mod crowd;
pub mod driver;
pub mod fuzzing;
pub mod history;
pub mod hosted;
pub mod ledger;
pub mod load;
pub mod native;
pub mod playing;
pub mod resp;
pub mod schemathesis;
pub mod simulation;
pub mod story;
