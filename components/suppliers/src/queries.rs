//! Answers to what other domains ask: `wit/suppliers.wit`.
//!
//! A commitment rests on the events of orders. The others wait for none: a standing rests on the supplier's record alone. An offer
//! shows the score and the deviation of lead times that stood at the last event taken in; both are
//! witnesses like the rest, so a commit that rests on older ones fails and is gathered anew.

use tradewind_kernel::Id;
use tradewind_kernel::asks::suppliers::{Commitment, Offer, Standing};
use tradewind_kernel::event::{Domain, Payload};
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderClosed, OrderConfirmed, OrderReceived, OrderReleased, PriceAccepted,
};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::store::{Needs, Read};
use tradewind_shell::world::{Answered, AskError, World};

use crate::commitment::{OpenOrder, sums};
use crate::keys;
use crate::lead_time::LeadTime;
use crate::offer;
use crate::record::Record;
use crate::score::Score;
use crate::supplier::Supplier;

/// Where `supplier` stands now.
///
/// # Errors
/// `supplier-unknown` for one that does not exist; outages.
pub async fn standing<W: World>(
    world: &W,
    tenant: &str,
    supplier: &str,
) -> Result<Answered<Standing>, AskError> {
    let unknown = || {
        let detail = format!("there is no supplier `{supplier}`");
        AskError::Refused("supplier-unknown".to_owned(), detail)
    };
    let id: Id = supplier.parse().map_err(|_| unknown())?;
    let gather = Gather::new(world, tenant, Domain::Suppliers, Needs::Nothing, 0);
    let kept = gather.record::<Supplier>(keys::supplier(&id)).await.map_err(unanswered)?;
    let kept = kept.ok_or_else(unknown)?;
    let kept = kept.value;
    Ok(gather.answer(Standing {
        supplier: kept.id,
        status: kept.status,
        class: kept.class,
        country: kept.country,
        currency: kept.currency,
        terms_days: kept.terms_days,
        limit: kept.limit,
    }))
}

/// Types of events that a commitment rests on: those after which something else of an order is open.
const COMMITMENT_RESTS_ON: [&str; 6] = [
    OrderReleased::TYPE,
    OrderConfirmed::TYPE,
    PriceAccepted::TYPE,
    OrderReceived::TYPE,
    OrderClosed::TYPE,
    OrderCancelled::TYPE,
];

/// What may be spent with `supplier`.
///
/// # Errors
/// `Behind` while an order's event waits; `supplier-unknown` for one that does not exist; outages.
pub async fn commitment<W: World>(
    world: &W,
    tenant: &str,
    supplier: &str,
) -> Result<Answered<Commitment>, AskError> {
    let unknown = || {
        let detail = format!("there is no supplier `{supplier}`");
        AskError::Refused("supplier-unknown".to_owned(), detail)
    };
    let id: Id = supplier.parse().map_err(|_| unknown())?;
    let needs = Needs::Types(COMMITMENT_RESTS_ON.into());
    let gather = Gather::new(world, tenant, Domain::Suppliers, needs, 0);
    let (key, set) = (keys::supplier(&id), keys::open_orders(&id));
    let reads = vec![Read::Record { key: key.clone() }, Read::Set { key: set.clone() }];
    gather.prefetch(reads).await.map_err(unanswered)?;
    let kept = gather.record::<Supplier>(key).await.map_err(unanswered)?.ok_or_else(unknown)?;
    let open = gather.set::<OpenOrder>(set).await.map_err(unanswered)?;
    let open = sums(open.values())
        .map_err(|fault| AskError::Refused("amount-too-large".to_owned(), fault.to_string()))?;
    Ok(gather.answer(Commitment { limit: kept.limit, open }))
}

/// Every offer for an item, by supplier, whatever its dates and its supplier's status.
///
/// # Errors
/// Outages.
pub async fn offers<W: World>(
    world: &W,
    tenant: &str,
    sku: &str,
) -> Result<Answered<Vec<Offer>>, AskError> {
    let sku: Id = sku.parse().map_err(|fault: tradewind_kernel::id::NotAnId| {
        AskError::Refused("id-malformed".to_owned(), fault.to_string())
    })?;
    let gather = Gather::new(world, tenant, Domain::Suppliers, Needs::Nothing, 0);
    let offers = gathered(&gather, &sku).await.map_err(unanswered)?;
    Ok(gather.answer(offers))
}

async fn gathered<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Vec<Offer>, Failure> {
    let set = gather.set::<offer::Offer>(keys::offers_of_item(sku)).await?;
    let offers: Vec<offer::Offer> = set.into_values().collect();
    let of = |key: fn(&Id) -> String| offers.iter().map(|offer| key(&offer.supplier)).collect();
    let suppliers = gather.records::<Supplier>(of(keys::supplier)).await?;
    let records = gather.records::<Record>(of(keys::record_of)).await?;
    let whole = offers.into_iter().zip(suppliers).zip(records);
    let whole = whole.filter_map(|((offer, supplier), record)| {
        Some(answered(offer, supplier?.value, record.map(|kept| kept.value)))
    });
    Ok(whole.collect())
}

fn answered(offer: offer::Offer, supplier: Supplier, record: Option<Record>) -> Offer {
    let tally = record.map(|record| record.tally).unwrap_or_default();
    let terms = offer.terms;
    Offer {
        supplier: offer.supplier,
        status: supplier.status,
        calendar: supplier.calendar,
        terms_days: supplier.terms_days,
        score: Score::of(&tally).value,
        lead_time_deviation: LeadTime::of(&tally.lead_times).deviation,
        sku: offer.sku,
        price: terms.price,
        lead_time_days: terms.lead_time_days,
        minimum: terms.minimum,
        multiple: terms.multiple,
        maximum: terms.maximum,
        breaks: terms.breaks,
        expedite: terms.expedite,
        from: terms.from,
        until: terms.until,
    }
}

fn unanswered(failure: Failure) -> AskError {
    match failure {
        Failure::Behind => AskError::Behind,
        Failure::Outage(outage) => AskError::Unavailable(outage.0),
        Failure::Refused(refusal) => AskError::Refused(refusal.code, refusal.detail),
    }
}
