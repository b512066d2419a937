//! Asking suppliers.

use tradewind_kernel::asks::suppliers::{Commitment, Offer, Standing};
use tradewind_kernel::calendar::{Calendar, WeekDay};
use tradewind_kernel::events::suppliers::{Expedite, PriceBreak, SupplierStatus};
use tradewind_shell::world::{Answered, AskError};

use crate::generated::tradewind::suppliers::suppliers as wit;
use crate::values::{answered, error, money, read, read_optional};

/// Where a supplier stands.
///
/// # Errors
/// As `wit/suppliers.wit` says.
pub async fn standing(tenant: &str, supplier: &str) -> Result<Answered<Standing>, AskError> {
    let answer = wit::standing_of(tenant.to_owned(), supplier.to_owned()).await.map_err(error)?;
    let found = answer.standing;
    let standing = Standing {
        supplier: read(&found.supplier)?,
        status: status(&found.status)?,
        class: found.class,
        country: found.country,
        currency: read(&found.currency)?,
        terms_days: found.terms_days,
        limit: found.limit.as_ref().map(money).transpose()?,
    };
    Ok(answered(standing, answer.witnesses, answer.sequence))
}

/// What may be spent with a supplier.
///
/// # Errors
/// As `wit/suppliers.wit` says.
pub async fn commitment(tenant: &str, supplier: &str) -> Result<Answered<Commitment>, AskError> {
    let answer = wit::commitment_of(tenant.to_owned(), supplier.to_owned()).await.map_err(error)?;
    let found = answer.commitment;
    let commitment = Commitment {
        limit: found.limit.as_ref().map(money).transpose()?,
        open: found.open.iter().map(money).collect::<Result<_, _>>()?,
    };
    Ok(answered(commitment, answer.witnesses, answer.sequence))
}

/// All offers of an item.
///
/// # Errors
/// As `wit/suppliers.wit` says.
pub async fn offers(tenant: &str, sku: &str) -> Result<Answered<Vec<Offer>>, AskError> {
    let answer = wit::offers_of(tenant.to_owned(), sku.to_owned()).await.map_err(error)?;
    let offers =
        answer.offers.iter().map(|found| offer(sku, found)).collect::<Result<Vec<_>, _>>()?;
    Ok(answered(offers, answer.witnesses, answer.sequence))
}

fn offer(sku: &str, found: &wit::Offer) -> Result<Offer, AskError> {
    let breaks = found
        .breaks
        .iter()
        .map(|each| Ok(PriceBreak { from: each.at_least, price: money(&each.price)? }))
        .collect::<Result<Vec<_>, AskError>>()?;
    let expedite = found
        .expedite
        .as_ref()
        .map(|found| {
            Ok::<_, AskError>(Expedite {
                days: found.days,
                cost_per_unit: money(&found.cost_per_unit)?,
            })
        })
        .transpose()?;
    Ok(Offer {
        supplier: read(&found.supplier)?,
        status: status(&found.status)?,
        calendar: calendar(&found.calendar)?,
        terms_days: found.terms_days,
        score: read_optional(found.score.as_deref())?,
        lead_time_deviation: read_optional(found.lead_time_deviation.as_deref())?,
        sku: read(sku)?,
        price: money(&found.price)?,
        lead_time_days: found.lead_time_days,
        minimum: found.minimum,
        multiple: found.multiple,
        maximum: found.maximum,
        breaks,
        expedite,
        from: read_optional(found.valid_from.as_deref())?,
        until: read_optional(found.valid_until.as_deref())?,
    })
}

fn calendar(
    found: &crate::generated::tradewind::types::types::Calendar,
) -> Result<Calendar, AskError> {
    let open = found.open.iter().map(|day| weekday(day)).collect::<Result<_, _>>()?;
    let closed = found.closed.iter().map(|day| read(day)).collect::<Result<_, _>>()?;
    Ok(Calendar { open, closed })
}

fn weekday(text: &str) -> Result<WeekDay, AskError> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let found = names.iter().position(|name| *name == text);
    found
        .and_then(|index| WeekDay::ALL.get(index).copied())
        .ok_or_else(|| AskError::Unavailable(format!("an ask answered the weekday `{text}`")))
}

fn status(text: &str) -> Result<SupplierStatus, AskError> {
    Ok(match text {
        "prospect" => SupplierStatus::Prospect,
        "in-review" => SupplierStatus::InReview,
        "approved" => SupplierStatus::Approved,
        "conditional" => SupplierStatus::Conditional,
        "suspended" => SupplierStatus::Suspended,
        "blocked" => SupplierStatus::Blocked,
        other => return Err(AskError::Unavailable(format!("an ask answered status `{other}`"))),
    })
}
