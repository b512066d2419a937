//! Replies, taken apart.

use std::collections::BTreeMap;

use crate::store::{Outage, Versioned};

/// Digits of the version before a record's JSON.
pub(super) const VERSION_DIGITS: usize = 16;

/// One value of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// An integer.
    Int(i64),
    /// Text, or a status.
    Bytes(Vec<u8>),
}

/// Takes values off a reply, one by one.
pub(super) struct Reader {
    values: std::vec::IntoIter<Value>,
}

impl Reader {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter() }
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.values.as_slice().is_empty()
    }

    /// The next text; `None` for nil.
    pub(super) fn optional(&mut self) -> Result<Option<String>, Outage> {
        match self.values.next() {
            Some(Value::Nil) => Ok(None),
            Some(Value::Int(number)) => Ok(Some(number.to_string())),
            Some(Value::Bytes(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(senseless("a text that is not UTF-8")),
            },
            None => Err(senseless("a reply that is too short")),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, Outage> {
        self.optional()?.ok_or_else(|| senseless("nil where a text belongs"))
    }

    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Result<N, Outage> {
        if let Some(Value::Int(number)) = self.values.as_slice().first() {
            let text = number.to_string();
            self.values.next();
            return parse(&text);
        }
        parse(&self.text()?)
    }

    /// The number at the place of a nil is 0.
    pub(super) fn number_or_zero(&mut self) -> Result<i64, Outage> {
        self.optional()?.map_or(Ok(0), |text| parse(&text))
    }

    /// A count, and so many values in pairs.
    pub(super) fn pairs(&mut self) -> Result<Vec<(String, String)>, Outage> {
        let count: usize = self.number()?;
        (0..count / 2).map(|_| Ok((self.text()?, self.text()?))).collect()
    }

    /// A group of counters.
    pub(super) fn counters(&mut self) -> Result<BTreeMap<String, i64>, Outage> {
        self.pairs()?.into_iter().map(|(name, value)| Ok((name, parse(&value)?))).collect()
    }

    /// A record.
    pub(super) fn record(&mut self) -> Result<Option<Versioned>, Outage> {
        let Some(mut text) = self.optional()? else { return Ok(None) };
        let Some(json) = text.get(VERSION_DIGITS..).map(ToOwned::to_owned) else {
            return Err(senseless("a record without a version"));
        };
        text.truncate(VERSION_DIGITS);
        Ok(Some(Versioned { version: parse(&text)?, json }))
    }
}

pub(super) fn parse<N: std::str::FromStr>(text: &str) -> Result<N, Outage> {
    text.parse().map_err(|_| senseless(&format!("`{text}` where a number belongs")))
}

pub(super) fn senseless(what: &str) -> Outage {
    Outage(format!("the store answered {what}"))
}
