//! What was found, as values.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use tradewind_kernel::Day;
use tradewind_kernel::events::finance::SettingsChanged;

use super::parse::{misread, parse, parse_json};
use super::{Gather, Kept};
use crate::cache::Entry;
use crate::failure::Failure;
use crate::store::{Found, MarkState, Read};
use crate::world::World;

fn record_of<T: DeserializeOwned>(key: &str, entry: &Entry) -> Result<Option<Kept<T>>, Failure> {
    match &entry.found {
        Found::Record(record) => record.as_ref().map(|record| parse(key, record)).transpose(),
        other => Err(misread(key, other)),
    }
}

impl<W: World> Gather<'_, W> {
    /// A record, and its version.
    ///
    /// # Errors
    /// Outages; `Behind`; a record that does not read as `T` is an outage, told to the operator.
    pub async fn record<T: DeserializeOwned>(
        &self,
        key: impl Into<String>,
    ) -> Result<Option<Kept<T>>, Failure> {
        let key = key.into();
        let entry = self.one(Read::Record { key: key.clone() }).await?;
        record_of(&key, &entry)
    }

    /// A record, decoded once for everybody in this instance: for what many read and few change.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn shared<T: DeserializeOwned + 'static>(
        &self,
        key: impl Into<String>,
    ) -> Result<Option<Kept<Rc<T>>>, Failure> {
        let key = key.into();
        let entry = self.one(Read::Record { key: key.clone() }).await?;
        match &entry.found {
            Found::Record(Some(record)) => {
                let value = entry.decoded(|| parse_json(&key, &record.json))?;
                Ok(Some(Kept { version: record.version, value }))
            }
            Found::Record(None) => Ok(None),
            other => Err(misread(&key, other)),
        }
    }

    /// Whether there is such a record.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn exists(&self, key: impl Into<String>) -> Result<bool, Failure> {
        let key = key.into();
        match &self.one(Read::Record { key: key.clone() }).await?.found {
            Found::Record(record) => Ok(record.is_some()),
            other => Err(misread(&key, other)),
        }
    }

    /// Several records, in order, at one moment.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn records<T: DeserializeOwned>(
        &self,
        keys: Vec<String>,
    ) -> Result<Vec<Option<Kept<T>>>, Failure> {
        let reads = keys.iter().map(|key| Read::Record { key: key.clone() }).collect();
        self.prefetch(reads).await?;
        let record =
            |key: String| record_of(&key, &*self.known(&Read::Record { key: key.clone() })?);
        keys.into_iter().map(record).collect()
    }

    /// All members of a set.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn set<T: DeserializeOwned>(
        &self,
        key: impl Into<String>,
    ) -> Result<BTreeMap<String, T>, Failure> {
        let key = key.into();
        match &self.one(Read::Set { key: key.clone() }).await?.found {
            Found::Set(_, members) => members
                .iter()
                .map(|(name, json)| Ok((name.clone(), parse_json(&key, json)?)))
                .collect(),
            other => Err(misread(&key, other)),
        }
    }

    /// Some members of a set, in the order asked.
    ///
    /// # Errors
    /// As [`Gather::record`].
    pub async fn members<T: DeserializeOwned>(
        &self,
        key: impl Into<String>,
        members: Vec<String>,
    ) -> Result<Vec<Option<T>>, Failure> {
        let key = key.into();
        match &self.one(Read::Members { key: key.clone(), members }).await?.found {
            Found::Members(_, values) => values
                .iter()
                .map(|json| json.as_ref().map(|json| parse_json(&key, json)).transpose())
                .collect(),
            other => Err(misread(&key, other)),
        }
    }

    /// A whole group of counters.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn counters(&self, key: impl Into<String>) -> Result<BTreeMap<String, i64>, Failure> {
        let key = key.into();
        match &self.one(Read::Counters { key: key.clone() }).await?.found {
            Found::Counters(counters) => Ok(counters.clone()),
            other => Err(misread(&key, other)),
        }
    }

    /// Some counters of a group, in the order asked.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn counter_fields(
        &self,
        key: impl Into<String>,
        fields: Vec<String>,
    ) -> Result<Vec<i64>, Failure> {
        let key = key.into();
        match &self.one(Read::CounterFields { key: key.clone(), fields }).await?.found {
            Found::CounterFields(values) => Ok(values.clone()),
            other => Err(misread(&key, other)),
        }
    }

    /// Names of an index, after a name that need not be in it; empty for the start.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn list(
        &self,
        index: impl Into<String>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, Failure> {
        let (index, after) = (index.into(), after.to_owned());
        match &self.one(Read::List { index: index.clone(), after, limit }).await?.found {
            Found::Names(names) => Ok(names.iter().map(|(name, _)| name.clone()).collect()),
            other => Err(misread(&index, other)),
        }
    }

    /// What is due in an index: names and scores, lowest first.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn due(
        &self,
        index: impl Into<String>,
        until: i64,
        limit: usize,
    ) -> Result<Vec<(String, i64)>, Failure> {
        let index = index.into();
        match &self.one(Read::Due { index: index.clone(), until, limit }).await?.found {
            Found::Names(names) => Ok(names.clone()),
            other => Err(misread(&index, other)),
        }
    }

    /// The mark of an item of this domain.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn mark(&self, item: &str) -> Result<Option<MarkState>, Failure> {
        let read = Read::Mark { domain: self.domain, item: item.to_owned() };
        match &self.one(read).await?.found {
            Found::Marks(marks) => Ok(marks.last().cloned()),
            other => Err(misread(item, other)),
        }
    }

    /// Insists that an item does not wait: `Behind` when it does, so that the shell works it and
    /// tries again. In late tries an item that is marked all the time is let through.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn settled(&self, item: &str) -> Result<(), Failure> {
        if self.mark(item).await?.is_some() && self.attempt < crate::run::PATIENT_ATTEMPTS {
            return Err(Failure::Behind);
        }
        Ok(())
    }

    /// The tenant's settings as this domain knows them; a bare tenant has the defaults.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn settings(&self) -> Result<SettingsChanged, Failure> {
        let kept = self.shared::<SettingsChanged>(crate::settings::key(self.domain)).await?;
        Ok(kept.map(|kept| (*kept.value).clone()).unwrap_or_default())
    }

    /// Today in the tenant's zone.
    ///
    /// # Errors
    /// Outages; `Behind`.
    pub async fn today(&self) -> Result<Day, Failure> {
        let kept = self.shared::<SettingsChanged>(crate::settings::key(self.domain)).await?;
        let zone = kept.map(|kept| kept.zone).unwrap_or_else(|| SettingsChanged::default().zone);
        Ok(self.now.day_in(zone))
    }
}
