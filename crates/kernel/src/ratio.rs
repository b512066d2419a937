//! Ratios: decimal strings such as `"0.95"`.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::text_form::text_form;

/// An exact decimal that travels as a string; service levels, fees, tolerances, shares, scores.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    format = "ratio",
    example = "0.95",
    pattern = r"^-?[0-9]+(\.[0-9]+)?$"
)]
pub struct Ratio(pub Decimal);

/// A text is not a plain decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a decimal number such as \"0.95\"")]
pub struct NotARatio(String);

/// Parses a plain decimal: digits, at most one point, an optional minus; no exponent, no spaces.
pub(crate) fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > 40 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    Decimal::from_str_exact(text).ok()
}

impl FromStr for Ratio {
    type Err = NotARatio;

    fn from_str(text: &str) -> Result<Self, NotARatio> {
        plain_decimal(text).map(Self).ok_or_else(|| NotARatio(text.chars().take(40).collect()))
    }
}

text_form!(Ratio, NotARatio, |ratio| ratio.to_string());

impl fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Ratio {
    /// Whether it lies between the two, both included.
    #[must_use]
    pub fn within(self, low: Decimal, high: Decimal) -> bool {
        low <= self.0 && self.0 <= high
    }
}
