//! The service's edge: its exports on one side, the shell on the other. HTTP comes through either
//! of two entries, Spin's and the lean one.

#![cfg(target_arch = "wasm32")]

use spin_sdk::http::Request;
use spin_sdk::{http_service, redis_subscriber};
use tradewind_shell::guest::{self, HttpResponse};
use tradewind_shell::store::Outage;
use tradewind_suppliers::Suppliers;

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    guest::handle::<Suppliers, _>((), request).await
}

#[redis_subscriber]
async fn nudge(tenant: Vec<u8>) -> Result<(), Outage> {
    guest::nudge::<Suppliers, _>((), &tenant).await
}

tradewind_shell::lean_entry!(Suppliers, ());
