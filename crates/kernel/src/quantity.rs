//! Quantities and exact unit conversion.
//!
//! A quantity is a whole number of the item's base unit. Other units convert by exact fractions; a
//! conversion that does not come out whole is refused unless the caller names a rounding.

use serde::{Deserialize, Serialize};

/// A whole number of base units; in JSON an integer, its size at most [`LIMIT`].
pub type Quantity = i64;

/// The largest size of a quantity: 10^15. It leaves room for a thousand of them to be summed in a
/// 64-bit integer, and is exact in the doubles that Redis scripts calculate with.
pub const LIMIT: Quantity = 1_000_000_000_000_000;

/// How a conversion that does not come out whole is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// Towards more.
    Up,
    /// Towards less.
    Down,
    /// To the nearest whole, halves to even.
    Nearest,
}

/// Why a quantity could not be converted or calculated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The fraction is not positive.
    #[error("a unit factor needs a positive numerator and denominator")]
    Factor,
    /// The result is not whole and no rounding was named.
    #[error(
        "{quantity} × {numerator}/{denominator} is not whole; name a rounding: up, down or nearest"
    )]
    NotWhole {
        /// What was converted.
        quantity: Quantity,
        /// Base units …
        numerator: i64,
        /// … per so many of the unit.
        denominator: i64,
    },
    /// The result is larger than [`LIMIT`].
    #[error("a quantity is at most 10^15")]
    TooLarge,
}

/// An exact factor to the base unit: one unit is `numerator / denominator` base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// Base units …
    pub numerator: i64,
    /// … per so many of the unit.
    pub denominator: i64,
}

impl Factor {
    /// `quantity` of the unit in base units.
    ///
    /// # Errors
    /// [`QuantityError`] when the factor is not positive, the result not whole without a rounding,
    /// or too large.
    pub fn to_base(
        self,
        quantity: Quantity,
        rounding: Option<Rounding>,
    ) -> Result<Quantity, QuantityError> {
        if self.numerator <= 0 || self.denominator <= 0 {
            return Err(QuantityError::Factor);
        }
        let product = i128::from(quantity).saturating_mul(i128::from(self.numerator));
        let denominator = i128::from(self.denominator);
        let floor = product.div_euclid(denominator);
        let rest = product.rem_euclid(denominator);
        let whole = match (rest, rounding) {
            (0, _) | (_, Some(Rounding::Down)) => floor,
            (_, Some(Rounding::Up)) => floor.saturating_add(1),
            (_, Some(Rounding::Nearest)) => nearest(floor, rest, denominator),
            (_, None) => {
                return Err(QuantityError::NotWhole {
                    quantity,
                    numerator: self.numerator,
                    denominator: self.denominator,
                });
            }
        };
        bounded(whole)
    }
}

fn nearest(floor: i128, rest: i128, denominator: i128) -> i128 {
    let twice = rest.saturating_mul(2);
    let up = twice > denominator || (twice == denominator && floor.rem_euclid(2) == 1);
    floor.saturating_add(i128::from(up))
}

fn bounded(value: i128) -> Result<Quantity, QuantityError> {
    match Quantity::try_from(value) {
        Ok(quantity) if quantity.abs() <= LIMIT => Ok(quantity),
        _ => Err(QuantityError::TooLarge),
    }
}

/// The sum, checked against [`LIMIT`].
///
/// # Errors
/// [`QuantityError::TooLarge`] when the sum is beyond the limit.
pub fn sum(quantities: impl IntoIterator<Item = Quantity>) -> Result<Quantity, QuantityError> {
    bounded(quantities.into_iter().map(i128::from).fold(0, i128::saturating_add))
}

/// Splits `total` in proportion to `weights` by largest remainder; ties go to the first part.
///
/// The parts always sum to `total`. Weights that are all zero share equally; negative weights
/// count as zero. A negative total is split as its size is, with the sign put back.
#[must_use]
pub fn split(total: i128, weights: &[u128]) -> Vec<i128> {
    if weights.is_empty() {
        return Vec::new();
    }
    let even = vec![1u128; weights.len()];
    let weights = if weights.iter().all(|weight| *weight == 0) { &even[..] } else { weights };
    let weight_sum = weights.iter().copied().fold(0u128, u128::saturating_add);
    let size = total.unsigned_abs();
    let mut parts: Vec<u128> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let product = size.saturating_mul(*weight);
        parts.push(product.checked_div(weight_sum).unwrap_or(0));
        remainders.push((product.checked_rem(weight_sum).unwrap_or(0), index));
    }
    remainders.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    let given = parts.iter().copied().fold(0u128, u128::saturating_add);
    let missing = usize::try_from(size.saturating_sub(given)).unwrap_or(0);
    for (_, index) in remainders.iter().take(missing) {
        if let Some(part) = parts.get_mut(*index) {
            *part = part.saturating_add(1);
        }
    }
    let sign = if total < 0 { -1 } else { 1 };
    parts
        .into_iter()
        .map(|part| i128::try_from(part).unwrap_or(i128::MAX).saturating_mul(sign))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conversions_are_exact_or_refused() {
        let case = Factor { numerator: 12, denominator: 1 };
        let six_pack_in_dozens = Factor { numerator: 1, denominator: 6 };
        assert_eq!(case.to_base(3, None), Ok(36));
        assert_eq!(six_pack_in_dozens.to_base(6, None), Ok(1));
        assert!(matches!(six_pack_in_dozens.to_base(7, None), Err(QuantityError::NotWhole { .. })));
        for (rounding, want) in [(Rounding::Up, 2), (Rounding::Down, 1), (Rounding::Nearest, 1)] {
            assert_eq!(six_pack_in_dozens.to_base(7, Some(rounding)), Ok(want));
        }
        let pound_in_kilograms = Factor { numerator: 45_359_237, denominator: 100_000_000 };
        assert_eq!(pound_in_kilograms.to_base(100_000_000, None), Ok(45_359_237));
        assert_eq!(case.to_base(LIMIT, None), Err(QuantityError::TooLarge));
    }

    #[test]
    fn c50_fair_share_and_c16_remainders() {
        assert_eq!(split(500, &[100, 50, 50, 200, 300, 100, 200]), [50, 25, 25, 100, 150, 50, 100]);
        assert_eq!(split(12_322, &[1, 1, 1]), [4_108, 4_107, 4_107]);
        assert_eq!(split(20, &[100, 100, 100, 1]), [7, 7, 6, 0]);
        assert_eq!(split(4, &[1; 7]).iter().sum::<i128>(), 4);
    }

    proptest! {
        #[test]
        fn a_split_sums_to_the_whole(total in -1_000_000i128..1_000_000, weights in prop::collection::vec(0u128..1000, 1..12)) {
            let parts = split(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i128>(), total);
            prop_assert!(parts.iter().all(|part| part.signum() * total.signum() >= 0));
        }

        #[test]
        fn roundings_bracket_the_exact_value(quantity in -10_000i64..10_000, numerator in 1i64..500, denominator in 1i64..500) {
            let factor = Factor { numerator, denominator };
            let down = factor.to_base(quantity, Some(Rounding::Down)).unwrap();
            let up = factor.to_base(quantity, Some(Rounding::Up)).unwrap();
            let near = factor.to_base(quantity, Some(Rounding::Nearest)).unwrap();
            prop_assert!(down <= near && near <= up && up - down <= 1);
            prop_assert!(down * denominator <= quantity * numerator && quantity * numerator <= up * denominator);
            if let Ok(whole) = factor.to_base(quantity, None) {
                prop_assert!(down == whole && up == whole);
            }
        }
    }
}
