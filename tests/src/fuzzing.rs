//! Requests of chance from the published documents, lawful and nearly lawful, and what must hold of
//! each answer.
//!
//! * [`schema`] holds a value against a published schema, apart from the product's own checks.
//! * [`lawful`] makes values that a schema allows; [`wrong`] spoils them.
//! * [`request`] makes a whole request of an operation, and knows what is wrong with it.
//! * `furnished` is what the tenant has before the first request.
//! * [`judge`] holds the answer against the document and the store; [`campaign`] plays a seed.
//! * [`bounds`] tries every declared limit of a body on both sides.
//! * [`planted`] makes the product wrong, so that a test sees the campaign find it.
//!
//! One seed is one sequence of requests: what was found is found again.

pub mod bounds;
pub mod campaign;
mod furnished;
pub mod judge;
pub mod lawful;
pub mod planted;
pub mod request;
pub mod schema;
pub mod wrong;
