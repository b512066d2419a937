//! What domains ask each other: questions and answers as plain values.
//!
//! Each has a twin in `wit/`, which is the contract and the manual; `component/` converts. A
//! domain that asks has a trait of its own for it, so that tests can answer natively.

pub mod approval;
pub mod finance;
pub mod inventory;
pub mod suppliers;
