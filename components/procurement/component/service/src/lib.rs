//! The service's edge: its exports on one side, the shell on the other. HTTP comes through either
//! of two entries, Spin's and the lean one.

#![cfg(target_arch = "wasm32")]

use spin_sdk::http::Request;
use spin_sdk::{http_service, redis_subscriber};
use tradewind_kernel::asks::approval::{Opinion, Question, Unanswered};
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_procurement::Procurement;
use tradewind_shell::guest::{self, HttpResponse};
use tradewind_shell::store::Outage;
use tradewind_shell::world::{Answered, AskError};

/// The asks, answered by the composed provider and the attached plug-in.
struct Composed;

impl tradewind_procurement::asks::Asks for Composed {
    async fn standing(&self, tenant: &str, supplier: &str) -> Result<Answered<Standing>, AskError> {
        tradewind_bindings::suppliers::standing(tenant, supplier).await
    }

    async fn judge(&self, question: &Question) -> Result<Opinion, Unanswered> {
        tradewind_bindings::approval::judge(question).await
    }
}

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    guest::handle::<Procurement, _>(Composed, request).await
}

#[redis_subscriber]
async fn nudge(tenant: Vec<u8>) -> Result<(), Outage> {
    guest::nudge::<Procurement, _>(Composed, &tenant).await
}

tradewind_shell::lean_entry!(Procurement, Composed);
