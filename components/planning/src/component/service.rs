//! The service's edge: its exports on one side, the shell on the other. HTTP comes through either
//! of two entries, Spin's and the lean one.

use spin_sdk::http::Request;
use spin_sdk::{http_service, redis_subscriber};
use tradewind_kernel::Id;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::{Network, Position, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_shell::guest::{self, HttpResponse};
use tradewind_shell::store::Outage;
use tradewind_shell::world::{Answered, AskError};

use crate::Planning;

/// The asks, answered by the composed providers.
struct Composed;

impl crate::asks::Asks for Composed {
    async fn offers(&self, tenant: &str, sku: &str) -> Result<Answered<Vec<Offer>>, AskError> {
        tradewind_bindings::suppliers::offers(tenant, sku).await
    }

    async fn trial(
        &self,
        tenant: &str,
        sku: &str,
        changes: &[TrialChange],
    ) -> Result<Answered<Trial>, AskError> {
        tradewind_bindings::inventory::trial(tenant, sku, changes).await
    }

    async fn network(&self, tenant: &str) -> Result<Answered<Network>, AskError> {
        tradewind_bindings::inventory::network(tenant).await
    }

    async fn positions(
        &self,
        tenant: &str,
        skus: &[Id],
    ) -> Result<Answered<Vec<Position>>, AskError> {
        tradewind_bindings::inventory::positions(tenant, skus).await
    }

    async fn outlook(&self, tenant: &str, weeks: u32) -> Result<Answered<Outlook>, AskError> {
        tradewind_bindings::finance::outlook(tenant, weeks).await
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
