//! The service's edge: its exports on one side, the shell on the other. HTTP comes through either
//! of two entries, Spin's and the lean one.

#![cfg(target_arch = "wasm32")]

use spin_sdk::http::Request;
use spin_sdk::{http_service, redis_subscriber};
use tradewind_inventory::Inventory;
use tradewind_kernel::Id;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_shell::guest::{self, HttpResponse};
use tradewind_shell::store::Outage;
use tradewind_shell::world::{Answered, AskError};

/// The asks, answered by the composed provider.
struct Composed;

impl tradewind_inventory::asks::Asks for Composed {
    async fn offers(&self, tenant: &str, sku: &Id) -> Result<Answered<Vec<Offer>>, AskError> {
        tradewind_bindings::suppliers::offers(tenant, sku.as_str()).await
    }
}

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    guest::handle::<Inventory, _>(Composed, request).await
}

#[redis_subscriber]
async fn nudge(tenant: Vec<u8>) -> Result<(), Outage> {
    guest::nudge::<Inventory, _>(Composed, &tenant).await
}

tradewind_shell::lean_entry!(Inventory, Composed);
