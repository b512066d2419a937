//! From stored JSON to records.

use serde::de::DeserializeOwned;

use super::Kept;
use crate::failure::Failure;
use crate::store::{Found, Outage, Versioned};

pub(super) fn parse<T: DeserializeOwned>(
    key: &str,
    record: &Versioned,
) -> Result<Kept<T>, Failure> {
    Ok(Kept { version: record.version, value: parse_json(key, &record.json)? })
}

pub(crate) fn parse_json<T: DeserializeOwned>(key: &str, json: &str) -> Result<T, Failure> {
    serde_json::from_str(json)
        .map_err(|fault| Outage(format!("`{key}` does not read: {fault}")).into())
}

pub(super) fn misread(key: &str, found: &Found) -> Failure {
    Outage(format!("the store answered {found:?} for `{key}`")).into()
}
