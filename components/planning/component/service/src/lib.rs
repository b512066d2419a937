//! The service's edge: its exports on one side, the shell on the other. HTTP comes through either
//! of two entries, Spin's and the lean one.

#![cfg(target_arch = "wasm32")]

use spin_sdk::http::Request;
use spin_sdk::{http_service, redis_subscriber};
use tradewind_kernel::Id;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::{Network, Position, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_planning::Planning;
use tradewind_shell::guest::{self, HttpResponse};
use tradewind_shell::store::Outage;
use tradewind_shell::world::{Answered, AskError};

/// The asks, answered by the composed providers.
struct Composed;

impl tradewind_planning::asks::Asks for Composed {
    async fn offers(&self, tenant: &str, sku: &str) -> Result<Answered<Vec<Offer>>, AskError> {
        tradewind_bindings::suppliers::offers(tenant, sku).await
    }

    async fn commitment(
        &self,
        tenant: &str,
        supplier: &str,
    ) -> Result<Answered<Commitment>, AskError> {
        tradewind_bindings::suppliers::commitment(tenant, supplier).await
    }

    async fn trial(
        &self,
        tenant: &str,
        sku: &str,
        changes: &[TrialChange],
        up_to: u64,
    ) -> Result<Answered<Trial>, AskError> {
        tradewind_bindings::inventory::trial(tenant, sku, changes, Some(up_to)).await
    }

    async fn network(&self, tenant: &str) -> Result<Answered<Network>, AskError> {
        tradewind_bindings::inventory::network(tenant).await
    }

    async fn positions(
        &self,
        tenant: &str,
        skus: &[Id],
        up_to: u64,
    ) -> Result<Answered<Vec<Position>>, AskError> {
        tradewind_bindings::inventory::positions(tenant, skus, Some(up_to)).await
    }

    async fn outlook(
        &self,
        tenant: &str,
        weeks: u32,
        up_to: u64,
    ) -> Result<Answered<Outlook>, AskError> {
        tradewind_bindings::finance::outlook(tenant, weeks, Some(up_to)).await
    }
}

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    guest::handle::<Planning, _>(Composed, request).await
}

#[redis_subscriber]
async fn nudge(tenant: Vec<u8>) -> Result<(), Outage> {
    guest::nudge::<Planning, _>(Composed, &tenant).await
}

tradewind_shell::lean_entry!(Planning, Composed);
