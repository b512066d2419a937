//! The provider's edge: the kernel's values become those of `wit/suppliers.wit`.

#![cfg(target_arch = "wasm32")]

use tradewind_kernel::asks::suppliers as kernel;
use tradewind_kernel::{Calendar, Money};
use tradewind_shell::guest;

use self::generated::exports::tradewind::suppliers::suppliers as wit;
use self::generated::tradewind::types::types;
use tradewind_suppliers::queries;

tradewind_shell::ask_edge!(types);

mod generated {
    #![allow(missing_docs, reason = "the WIT files are the manual")]
    spin_sdk::wit_bindgen::generate!({
        world: "suppliers-query",
        path: "../../../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Provider);
    pub struct Provider;
}

impl wit::Guest for generated::Provider {
    async fn standing_of(
        tenant: String,
        supplier: String,
    ) -> Result<wit::StandingAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let answer = queries::standing(&world, &tenant, &supplier).await.map_err(error)?;
        Ok(wit::StandingAnswer {
            standing: standing(answer.value),
            witnesses: answer.witnesses.into_iter().filter_map(witness).collect(),
            sequence: answer.sequence,
        })
    }

    async fn commitment_of(
        tenant: String,
        supplier: String,
    ) -> Result<wit::CommitmentAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let answer = queries::commitment(&world, &tenant, &supplier).await.map_err(error)?;
        let kernel::Commitment { limit, open } = answer.value;
        let open = open.into_iter().map(money).collect();
        Ok(wit::CommitmentAnswer {
            commitment: wit::Commitment { limit: limit.map(money), open },
            witnesses: answer.witnesses.into_iter().filter_map(witness).collect(),
            sequence: answer.sequence,
        })
    }

    async fn offers_of(tenant: String, sku: String) -> Result<wit::OffersAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let answer = queries::offers(&world, &tenant, &sku).await.map_err(error)?;
        Ok(wit::OffersAnswer {
            offers: answer.value.into_iter().map(offer).collect(),
            witnesses: answer.witnesses.into_iter().filter_map(witness).collect(),
            sequence: answer.sequence,
        })
    }
}

fn standing(standing: kernel::Standing) -> wit::Standing {
    wit::Standing {
        supplier: standing.supplier.into(),
        status: status(standing.status),
        class: standing.class,
        country: standing.country,
        currency: standing.currency.into(),
        terms_days: standing.terms_days,
        limit: standing.limit.map(money),
    }
}

fn offer(offer: kernel::Offer) -> wit::Offer {
    wit::Offer {
        supplier: offer.supplier.into(),
        status: status(offer.status),
        calendar: calendar(&offer.calendar),
        terms_days: offer.terms_days,
        score: offer.score.map(Into::into),
        lead_time_deviation: offer.lead_time_deviation.map(Into::into),
        price: money(offer.price),
        lead_time_days: offer.lead_time_days,
        minimum: offer.minimum,
        multiple: offer.multiple,
        maximum: offer.maximum,
        breaks: offer
            .breaks
            .into_iter()
            .map(|each| wit::PriceBreak { at_least: each.from, price: money(each.price) })
            .collect(),
        expedite: offer.expedite.map(|expedite| wit::Expedite {
            days: expedite.days,
            cost_per_unit: money(expedite.cost_per_unit),
        }),
        valid_from: offer.from.map(Into::into),
        valid_until: offer.until.map(Into::into),
    }
}

/// The status as its JSON says it.
fn status(status: tradewind_kernel::events::suppliers::SupplierStatus) -> String {
    serde_json::to_value(status)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn money(money: Money) -> types::Money {
    types::Money { amount: money.amount.into(), currency: money.currency.into() }
}

fn calendar(calendar: &Calendar) -> types::Calendar {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let week = tradewind_kernel::calendar::WeekDay::ALL.iter().zip(names);
    types::Calendar {
        open: week
            .filter(|(day, _)| calendar.open.contains(day))
            .map(|(_, name)| name.to_owned())
            .collect(),
        closed: calendar.closed.iter().map(ToString::to_string).collect(),
    }
}
