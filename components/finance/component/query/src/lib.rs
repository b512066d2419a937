//! The provider's edge: the kernel's values become those of `wit/finance.wit`.

#![cfg(target_arch = "wasm32")]

use tradewind_shell::guest;

use self::generated::exports::tradewind::finance::cash as wit;
use self::generated::tradewind::types::types;
use tradewind_finance::queries;

tradewind_shell::ask_edge!(types);

mod generated {
    #![allow(missing_docs, reason = "the WIT files are the manual")]
    spin_sdk::wit_bindgen::generate!({
        world: "finance-query",
        path: "../../../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Provider);
    pub struct Provider;
}

impl wit::Guest for generated::Provider {
    async fn outlook(
        tenant: String,
        weeks: u32,
        up_to: Option<u64>,
    ) -> Result<wit::OutlookAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let answer = queries::outlook(&world, &tenant, weeks, up_to).await.map_err(error)?;
        let outlook = answer.value;
        Ok(wit::OutlookAnswer {
            currency: outlook.currency.into(),
            floor: outlook.floor.map(Into::into),
            weeks: outlook
                .balances
                .into_iter()
                .map(|(week, balance)| wit::WeekBalance {
                    week: week.into(),
                    balance: balance.into(),
                })
                .collect(),
            rates: outlook
                .rates
                .into_iter()
                .map(|(currency, rate)| wit::Rate { currency, rate: rate.into() })
                .collect(),
            witnesses: answer.witnesses.into_iter().filter_map(witness).collect(),
            sequence: answer.sequence,
        })
    }
}
