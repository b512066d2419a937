//! Shared values: witnesses, errors, money, days.

use std::str::FromStr;

use tradewind_kernel::Money;
use tradewind_kernel::money::Amount;
use tradewind_shell::store::Check;
use tradewind_shell::world::{Answered, AskError};

use crate::generated::tradewind::types::types as wit;

/// Reads a text as a kernel value.
pub fn read<T: FromStr>(text: &str) -> Result<T, AskError> {
    text.parse().map_err(|_| AskError::Unavailable(format!("an ask answered `{text}`")))
}

/// Reads an optional text.
pub fn read_optional<T: FromStr>(text: Option<&str>) -> Result<Option<T>, AskError> {
    text.map(read).transpose()
}

/// Reads money.
pub fn money(value: &wit::Money) -> Result<Money, AskError> {
    let amount: Amount = read(&value.amount)?;
    Ok(Money { amount, currency: read(&value.currency)? })
}

/// Wraps an answer with what it rests on.
pub fn answered<T>(value: T, witnesses: Vec<wit::Witness>, sequence: u64) -> Answered<T> {
    let witnesses = witnesses
        .into_iter()
        .map(|witness| {
            let (key, version) = (witness.key, witness.version);
            if witness.of_set {
                Check::Set { key, version }
            } else {
                Check::Record { key, version }
            }
        })
        .collect();
    Answered { value, witnesses, sequence }
}

/// The error of an ask.
pub fn error(error: wit::AskError) -> AskError {
    match error {
        wit::AskError::Behind => AskError::Behind,
        wit::AskError::Unavailable(why) => AskError::Unavailable(why),
        wit::AskError::Refused(refusal) => AskError::Refused(refusal.code, refusal.detail),
    }
}
