//! Texts of values: days, instants, amounts, ratios, ids, cursors, and exact calculations with them.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tradewind_kernel::event::sequence_of;
use tradewind_kernel::money::Amount;
use tradewind_kernel::quantity::{Factor, LIMIT, Rounding};
use tradewind_kernel::time::Zone;
use tradewind_kernel::{Currency, Day, Id, Instant, Money, Ratio};

use super::nearly;

/// What is read is written and read as the same, by itself and in JSON; a refusal has words.
fn holds<T>(text: &str)
where
    T: FromStr + Serialize + DeserializeOwned + PartialEq + Debug,
    T::Err: Display,
{
    let json = serde_json::Value::from(text);
    match text.parse::<T>() {
        Ok(value) => {
            let written = serde_json::to_value(&value).unwrap();
            assert_eq!(written.as_str().unwrap().parse::<T>().ok().as_ref(), Some(&value));
            assert_eq!(serde_json::from_value::<T>(json).unwrap(), value, "{text:?}");
        }
        Err(fault) => {
            let fault = fault.to_string();
            assert!(!fault.is_empty() && fault.len() < 400, "{fault}");
            assert!(serde_json::from_value::<T>(json).is_err(), "{text:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn days(text in nearly(&["2026-12-01", "1970-01-01", "9999-12-31", "2028-02-29"])) {
        holds::<Day>(&text);
    }

    #[test]
    fn instants(text in nearly(&[
        "2026-12-01T09:30:00.000Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
        "2026-12-01T09:30:00+14:00", "2016-12-31T23:59:60Z", "9999-12-31T23:59:59-01:00",
    ])) {
        holds::<Instant>(&text);
        // An instant has a day wherever one is.
        if let Ok(instant) = text.parse::<Instant>() {
            for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
                let _day = instant.day_in(zone.parse::<Zone>().unwrap());
            }
        }
    }

    #[test]
    fn zones(text in nearly(&["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+12"])) {
        holds::<Zone>(&text);
    }

    #[test]
    fn amounts(text in nearly(&["12.50", "-0", "0.000001", "1000000000000000", "-7", "00.1"])) {
        holds::<Amount>(&text);
    }

    #[test]
    fn ratios(text in nearly(&["0.95", "-1", "0", "79228162514264337593543950335", "0.0000000000"])) {
        holds::<Ratio>(&text);
    }

    #[test]
    fn currencies(text in nearly(&["USD", "EUR", "XXX", "BHD"])) {
        holds::<Currency>(&text);
    }

    #[test]
    fn ids(text in nearly(&["PO-1", "a.b_c~d-e", "0", "po_01m0w2bpqp21jspjce9n6m5w88"])) {
        holds::<Id>(&text);
        if let Ok(id) = text.parse::<Id>() {
            assert_eq!(id.as_str(), text);
        }
    }

    #[test]
    fn cursors(text in nearly(&["ev_1", "ev_0000000000000001", "ev_9999999999999999"])) {
        if let Some(sequence) = sequence_of(&text) {
            assert_eq!(sequence_of(&format!("ev_{sequence}")), Some(sequence));
        }
    }

    #[test]
    fn money(text in nearly(&[
        r#"{"amount":"12.50","currency":"USD"}"#, r#"{"amount":"-0","currency":"JPY"}"#,
    ])) {
        if let Ok(money) = serde_json::from_str::<Money>(&text) {
            let written = serde_json::to_string(&money).unwrap();
            assert_eq!(serde_json::from_str::<Money>(&written).unwrap(), money);
        }
    }

    /// Down, nearest and up keep their order, differ by one at most, and are one when it is whole.
    #[test]
    fn fractions(
        quantity in prop_oneof![-1000_i64..1000, any::<i64>()],
        numerator in prop_oneof![-1_i64..50, any::<i64>()],
        denominator in prop_oneof![-1_i64..50, any::<i64>()],
    ) {
        let factor = Factor { numerator, denominator };
        let to = |rounding| factor.to_base(quantity, rounding);
        let [down, nearest, up] = [Rounding::Down, Rounding::Nearest, Rounding::Up].map(|it| to(Some(it)));
        if let (Ok(down), Ok(nearest), Ok(up)) = (&down, &nearest, &up) {
            assert!(down <= nearest && nearest <= up && up - down <= 1);
            assert!(down.abs() <= LIMIT && up.abs() <= LIMIT);
            match to(None) {
                Ok(whole) => assert_eq!([*down, *nearest, *up], [whole; 3]),
                Err(_) => assert_eq!(up - down, 1),
            }
        }
        for fault in [down, nearest, up, to(None)].into_iter().filter_map(Result::err) {
            assert!(!fault.to_string().is_empty());
        }
    }
}
