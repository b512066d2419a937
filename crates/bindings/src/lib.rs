//! What a component asks of others: WIT on one side, the kernel's values on the other.
//!
//! The bindings are made once, from the world `asks`, and shared by every `component/` that asks;
//! a component imports only what it calls. A provider's answer is checked as it comes in: what
//! does not read as a kernel value is an outage, told to the operator.
//!
//! On other targets than wasm32 there is nothing here: tests answer asks natively.

#[cfg(target_arch = "wasm32")]
mod generated {
    #![allow(missing_docs, reason = "the WIT files are the manual")]
    spin_sdk::wit_bindgen::generate!({
        world: "asks",
        path: "../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

#[cfg(target_arch = "wasm32")]
pub mod approval;
#[cfg(target_arch = "wasm32")]
pub mod finance;
#[cfg(target_arch = "wasm32")]
pub mod inventory;
#[cfg(target_arch = "wasm32")]
pub mod suppliers;
#[cfg(target_arch = "wasm32")]
mod values;
