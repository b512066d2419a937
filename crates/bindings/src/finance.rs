//! Asking finance.

use tradewind_kernel::asks::finance::Outlook;
use tradewind_shell::world::{Answered, AskError};

use crate::generated::tradewind::finance::cash as wit;
use crate::values::{answered, error, read, read_optional};

/// The cash forecast in short.
///
/// # Errors
/// As `wit/finance.wit` says.
pub async fn outlook(
    tenant: &str,
    weeks: u32,
    up_to: Option<u64>,
) -> Result<Answered<Outlook>, AskError> {
    let answer = wit::outlook(tenant.to_owned(), weeks, up_to).await.map_err(error)?;
    let balances = answer
        .weeks
        .iter()
        .map(|found| Ok((read(&found.week)?, read(&found.balance)?)))
        .collect::<Result<Vec<_>, AskError>>()?;
    let rates = answer
        .rates
        .iter()
        .map(|found| Ok((found.currency.clone(), read(&found.rate)?)))
        .collect::<Result<_, AskError>>()?;
    let outlook = Outlook {
        currency: read(&answer.currency)?,
        floor: read_optional(answer.floor.as_deref())?,
        balances,
        rates,
    };
    Ok(answered(outlook, answer.witnesses, answer.sequence))
}
