//! What suppliers answers over HTTP.

use serde_json::Value;
use tradewind_kernel::event::Payload;
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::{Decision, Id};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::http::Method;
use tradewind_shell::openapi::page;
use tradewind_shell::route::{QueryParameter, Role, Route, described};
use tradewind_shell::store::Needs;
use tradewind_shell::world::World;

use crate::offer::{self, Offer, OfferAnswer, OfferTerms};
use crate::record::Record;
use crate::scorecard::Scorecard;
use crate::status::{self, StatusMove};
use crate::supplier::{self, Supplier, SupplierAnswer, SupplierTerms};
use crate::{Suppliers, keys, reactions};

/// What can be asked of suppliers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the routes say it")]
pub enum Operation {
    SetSupplier,
    Supplier,
    ListSuppliers,
    Move(SupplierStatus),
    SetOffer,
    Offer,
    ListOffers,
    Scorecard,
}

const PAGE: [QueryParameter; 2] = [
    QueryParameter {
        name: "after",
        required: false,
        most: 1,
        form: "id",
        description: "the id of the last item seen",
    },
    QueryParameter {
        name: "limit",
        required: false,
        most: 1,
        form: "integer",
        description: "at most so many",
    },
];

const fn id_query(name: &'static str, description: &'static str) -> QueryParameter {
    QueryParameter { name, required: false, most: 1, form: "id", description }
}

const OFFERS: [QueryParameter; 4] = [
    id_query("sku", "the offers of this item; this or `supplier`"),
    id_query("supplier", "the offers of this supplier; this or `sku`"),
    PAGE[0],
    PAGE[1],
];

const fn moves(path: &'static str, to: SupplierStatus, summary: &'static str) -> Route<Operation> {
    Route {
        summary,
        body: Some(described::<StatusMove>),
        answers: &[(200, Some(described::<SupplierAnswer>))],
        ..Route::new(Method::Post, path, Operation::Move(to), &[Role::Approver])
    }
}

const fn read(path: &'static str, operation: Operation, summary: &'static str) -> Route<Operation> {
    Route { summary, ..Route::new(Method::Get, path, operation, Role::READERS) }
}

/// Everything that suppliers answers.
pub const ROUTES: &[Route<Operation>] = &[
    Route {
        summary: "Makes or changes a supplier; a new one is a prospect",
        body: Some(described::<SupplierTerms>),
        answers: &[
            (200, Some(described::<SupplierAnswer>)),
            (201, Some(described::<SupplierAnswer>)),
        ],
        ..Route::new(
            Method::Put,
            "/suppliers/v1/suppliers/{supplier}",
            Operation::SetSupplier,
            &[Role::Buyer],
        )
    },
    Route {
        answers: &[(200, Some(described::<SupplierAnswer>))],
        ..read("/suppliers/v1/suppliers/{supplier}", Operation::Supplier, "A supplier")
    },
    Route {
        query: &PAGE,
        answers: &[(200, Some(page::<SupplierAnswer>))],
        ..read("/suppliers/v1/suppliers", Operation::ListSuppliers, "Suppliers by id")
    },
    moves(
        "/suppliers/v1/suppliers/{supplier}/approve",
        SupplierStatus::Approved,
        "Approves a supplier: orders may be released to it",
    ),
    moves(
        "/suppliers/v1/suppliers/{supplier}/conditional",
        SupplierStatus::Conditional,
        "Makes a supplier conditional: its open orders may sum to the limit",
    ),
    moves(
        "/suppliers/v1/suppliers/{supplier}/suspend",
        SupplierStatus::Suspended,
        "Suspends a supplier: nothing is released to it for now",
    ),
    moves(
        "/suppliers/v1/suppliers/{supplier}/block",
        SupplierStatus::Blocked,
        "Blocks a supplier for good",
    ),
    Route {
        summary: "How a supplier has done, as of today; a partner asks of its own supplier alone",
        answers: &[(200, Some(described::<Scorecard>))],
        ..Route::new(
            Method::Get,
            "/suppliers/v1/suppliers/{supplier}/scorecard",
            Operation::Scorecard,
            Role::READERS_AND_PARTNERS,
        )
    },
    Route {
        summary: "Makes or changes what a supplier asks for an item",
        body: Some(described::<OfferTerms>),
        answers: &[(200, Some(described::<OfferAnswer>)), (201, Some(described::<OfferAnswer>))],
        ..Route::new(
            Method::Put,
            "/suppliers/v1/offers/{supplier}/{sku}",
            Operation::SetOffer,
            &[Role::Buyer],
        )
    },
    Route {
        answers: &[(200, Some(described::<OfferAnswer>))],
        ..read(
            "/suppliers/v1/offers/{supplier}/{sku}",
            Operation::Offer,
            "What a supplier asks for an item",
        )
    },
    Route {
        query: &OFFERS,
        answers: &[(200, Some(page::<OfferAnswer>))],
        ..read("/suppliers/v1/offers", Operation::ListOffers, "Offers of an item or of a supplier")
    },
];

type SuppliersCall<'a, W> = Call<'a, Suppliers, W>;

/// Answers one request.
///
/// # Errors
/// What the operation refuses; outages.
pub async fn handle<W: World>(
    operation: Operation,
    call: &SuppliersCall<'_, W>,
) -> Result<Answer, Failure> {
    match operation {
        Operation::SetSupplier => set_supplier(call).await,
        Operation::Supplier => one_supplier(call).await,
        Operation::ListSuppliers => list_suppliers(call).await,
        Operation::Move(to) => move_status(call, to).await,
        Operation::SetOffer => set_offer(call).await,
        Operation::Offer => one_offer(call).await,
        Operation::ListOffers => list_offers(call).await,
        Operation::Scorecard => scorecard(call).await,
    }
}

/// Runs a command that rests on suppliers' own records and the tenant's settings alone, so it
/// need not catch up with orders first.
async fn alone<W: World>(
    call: &SuppliersCall<'_, W>,
    reason: Option<String>,
    decide: impl AsyncFn(&Gather<'_, W>) -> Result<Decision, Failure>,
) -> Result<Answer, Failure> {
    let mut task = call.task();
    task.needs = Needs::Types(vec![SettingsChanged::TYPE]);
    task.origin.reason = reason;
    call.run(task, decide).await
}

fn versioned<T>(kept: Option<Kept<T>>) -> Option<(u64, T)> {
    kept.map(|kept| (kept.version, kept.value))
}

fn unknown_supplier(id: &Id) -> Refusal {
    Refusal::not_found(format!("supplier `{id}`"))
}

async fn existing<W: World>(gather: &Gather<'_, W>, id: &Id) -> Result<Kept<Supplier>, Failure> {
    let kept = gather.record::<Supplier>(keys::supplier(id)).await?;
    Ok(kept.ok_or_else(|| unknown_supplier(id))?)
}

async fn set_supplier<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let id = call.new_id("supplier")?;
    let terms: SupplierTerms = call.body()?;
    alone(call, None, async |gather| {
        let current = gather.record::<Supplier>(keys::supplier(&id)).await?;
        call.if_match(current.as_ref().map_or(0, |kept| kept.version))?;
        let settings = gather.settings().await?;
        let today = gather.now().day_in(settings.zone);
        let current = versioned(current);
        Ok(supplier::set(&id, terms.clone(), settings.currency, today, current)?)
    })
    .await
}

async fn one_supplier<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let id = call.id("supplier")?;
    call.answer(async |gather| {
        let kept = existing(gather, &id).await?;
        Ok(Answer::versioned(supplier::answer(&kept.value, kept.version), kept.version))
    })
    .await
}

async fn list_suppliers<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather| {
        let names = gather.page(keys::SUPPLIERS, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let kept = gather.records::<Supplier>(ids.iter().map(keys::supplier).collect()).await?;
        let items: Vec<Value> = kept
            .into_iter()
            .flatten()
            .map(|kept| supplier::answer(&kept.value, kept.version))
            .collect();
        Ok(SuppliersCall::<W>::page(items, &names, limit))
    })
    .await
}

async fn move_status<W: World>(
    call: &SuppliersCall<'_, W>,
    to: SupplierStatus,
) -> Result<Answer, Failure> {
    let id = call.id("supplier")?;
    let command: StatusMove = call.body()?;
    alone(call, command.reason.clone(), async |gather| {
        let kept = existing(gather, &id).await?;
        call.if_match(kept.version)?;
        Ok(status::change(&kept.value, kept.version, to, &command)?)
    })
    .await
}

async fn set_offer<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let supplier = call.id("supplier")?;
    let sku = call.new_id("sku")?;
    let terms: OfferTerms = call.body()?;
    alone(call, None, async |gather| {
        existing(gather, &supplier).await?;
        let current = gather.record::<Offer>(keys::offer(&supplier, &sku)).await?;
        call.if_match(current.as_ref().map_or(0, |kept| kept.version))?;
        Ok(offer::set(&supplier, &sku, terms.clone(), versioned(current))?)
    })
    .await
}

async fn one_offer<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let (supplier, sku) = (call.id("supplier")?, call.id("sku")?);
    call.answer(async |gather| {
        let kept = gather.record::<Offer>(keys::offer(&supplier, &sku)).await?;
        let kept = kept.ok_or_else(|| {
            Refusal::not_found(format!("offer of supplier `{supplier}` for item `{sku}`"))
        })?;
        Ok(Answer::versioned(offer::answer(&kept.value, kept.version), kept.version))
    })
    .await
}

async fn list_offers<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let (after, limit) = (call.after()?, call.limit()?);
    let sku = call.query::<Id>("sku")?;
    let supplier = call.query::<Id>("supplier")?;
    call.answer(async |gather| {
        let (names, keys): (Vec<String>, Vec<String>) = match (&sku, &supplier) {
            (Some(sku), None) => {
                let offers = gather.set::<Offer>(keys::offers_of_item(sku)).await?;
                let later = offers.into_values().filter(|it| *after < *it.supplier.as_str());
                let later = later.take(limit);
                later.map(|it| (it.supplier.to_string(), keys::offer(&it.supplier, sku))).unzip()
            }
            (None, Some(supplier)) => {
                let index = keys::items_of_supplier(supplier);
                let names = gather.page(index, &after, limit).await?;
                let skus = names.into_iter().filter_map(|name| name.parse::<Id>().ok());
                skus.map(|sku| (sku.to_string(), keys::offer(supplier, &sku))).unzip()
            }
            _ => {
                let detail = "the query needs either `sku` or `supplier`";
                let kind = RefusalKind::Malformed;
                return Err(Refusal::new(kind, "query-malformed", detail).into());
            }
        };
        let kept = gather.records::<Offer>(keys).await?;
        let items: Vec<Value> = kept
            .into_iter()
            .flatten()
            .map(|kept| offer::answer(&kept.value, kept.version))
            .collect();
        Ok(SuppliersCall::<W>::page(items, &names, limit))
    })
    .await
}

async fn scorecard<W: World>(call: &SuppliersCall<'_, W>) -> Result<Answer, Failure> {
    let id = call.id("supplier")?;
    if !call.caller().may(Role::READERS) && call.caller().supplier.as_deref() != Some(id.as_str()) {
        return Err(unknown_supplier(&id).into());
    }
    call.answer(async |gather| {
        existing(gather, &id).await?;
        let today = gather.today().await?;
        let record = gather.record::<Record>(keys::record_of(&id)).await?;
        let record = record.map_or_else(|| Record::new(today), |kept| kept.value);
        let names = reactions::turning(gather, &id, today).await?;
        let lines = reactions::lines(gather, &id, names).await?;
        let as_of = today.max(record.turned);
        let scorecard = Scorecard::of(&id, &record.as_of(as_of, &lines), as_of);
        Ok(Answer::ok(serde_json::json!(scorecard)))
    })
    .await
}
