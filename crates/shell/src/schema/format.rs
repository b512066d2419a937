//! Formats of texts, checked by the kernel's own parsers and in their words.
//!
//! The same names serve for the query ([`crate::route::QueryParameter::form`]) and in the
//! published schemas.

use std::fmt::Display;
use std::str::FromStr;

use tradewind_kernel::id::Id;
use tradewind_kernel::money::{Amount, Currency};
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::ratio::Ratio;
use tradewind_kernel::time::{Day, Instant, Zone};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat};

/// The formats that are checked.
pub const FORMATS: &[&str] =
    &["date", "date-time", "zone", "id", "amount", "currency", "ratio", "integer", "boolean"];

/// What is wrong with a text in this format; `None` when nothing is, or when the format is not one
/// of [`FORMATS`].
#[must_use]
pub fn wrong(format: &str, text: &str) -> Option<String> {
    match format {
        "date" => fault_of::<Day>(text),
        "date-time" => fault_of::<Instant>(text),
        "zone" => fault_of::<Zone>(text),
        "id" => fault_of::<Id>(text),
        "amount" => fault_of::<Amount>(text),
        "currency" => fault_of::<Currency>(text),
        "ratio" => fault_of::<Ratio>(text),
        "integer" => match text.parse::<i64>() {
            Ok(number) if (-LIMIT..=LIMIT).contains(&number) => None,
            _ => Some("not a whole number of at most 10^15 in size".to_owned()),
        },
        "boolean" => fault_of::<bool>(text),
        _ => None,
    }
}

fn fault_of<T: FromStr>(text: &str) -> Option<String>
where
    T::Err: Display,
{
    text.parse::<T>().err().map(|fault| fault.to_string())
}

/// The format's name as it is published.
pub(crate) fn name(format: &SchemaFormat) -> &str {
    match format {
        SchemaFormat::KnownFormat(KnownFormat::Date) => "date",
        SchemaFormat::KnownFormat(KnownFormat::DateTime) => "date-time",
        SchemaFormat::KnownFormat(_) => "",
        SchemaFormat::Custom(name) => name,
    }
}
