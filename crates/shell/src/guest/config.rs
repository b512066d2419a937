//! What a component is configured with: Spin variables of contract.md, kept as long as they hold.

use std::cell::RefCell;
use std::rc::Rc;

use spin_sdk::variables;
use tradewind_kernel::refusal::Refusal;

use crate::auth::{Caller, TokenCache, bearer};
use crate::http::Request;
use crate::store::Outage;

/// What the variables say, and the tokens that were verified under it.
pub(super) struct Config {
    pub(super) redis_url: String,
    token_keys: String,
    token_audience: String,
    pub(super) idempotency_seconds: u64,
    pub(super) wait_replicas: u32,
    pub(super) quiet: bool,
    /// Business clock minus real clock, when this was read.
    pub(super) offset_seconds: i64,
    /// The number of the variables' state, if the host gave one.
    number: Option<u64>,
    tokens: RefCell<Option<TokenCache>>,
}

thread_local! {
    static CONFIG: RefCell<Option<Rc<Config>>> = const { RefCell::new(None) };
}

async fn variable(name: &str, default: &str) -> Result<String, Outage> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) if !default.is_empty() => Ok(default.to_owned()),
        Err(fault) => Err(Outage(format!("variable {name}: {fault}"))),
    }
}

async fn whole(name: &str, default: &str) -> Result<i64, Outage> {
    let text = variable(name, default).await?;
    text.trim().parse().map_err(|_| Outage(format!("variable {name} is no number: `{text}`")))
}

/// What the component is configured with. A host that numbers the state of the variables is taken
/// at its word: they are read anew when the number is another one. Without a number they are read
/// once, and only the clock's offset is asked for again.
///
/// # Errors
/// A variable that is missing or wrong.
pub(super) async fn config(number: Option<u64>) -> Result<Rc<Config>, Outage> {
    if let Some(config) = CONFIG.with_borrow(Clone::clone)
        && (number.is_none() || config.number == number)
    {
        return Ok(config);
    }
    let days = whole("idempotency_days", "7").await?;
    let config = Rc::new(Config {
        redis_url: variable("redis_url", "").await?,
        token_keys: variable("token_keys", "").await?,
        token_audience: variable("token_audience", "tradewind").await?,
        idempotency_seconds: u64::try_from(days.max(1)).unwrap_or(7).saturating_mul(86_400),
        wait_replicas: u32::try_from(whole("wait_replicas", "0").await?).unwrap_or(0),
        quiet: matches!(variable("log_level", "info").await?.as_str(), "error" | "off"),
        offset_seconds: offset_seconds().await?,
        number,
        tokens: RefCell::default(),
    });
    CONFIG.set(Some(config.clone()));
    Ok(config)
}

/// Business clock minus real clock, as the variable says now.
///
/// # Errors
/// It is no number.
pub(super) async fn offset_seconds() -> Result<i64, Outage> {
    whole("clock_offset_seconds", "0").await
}

impl Config {
    /// What the token says; tokens that were verified before are remembered.
    ///
    /// # Errors
    /// The keys are none.
    pub(super) fn caller(
        &self,
        request: &Request,
        now: i64,
    ) -> Result<Result<Caller, Refusal>, Outage> {
        let token = match bearer(request.header("authorization")) {
            Ok(token) => token,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut tokens = self.tokens.borrow_mut();
        let cache = match &mut *tokens {
            Some(cache) => cache,
            none => {
                let made = TokenCache::new(&self.token_keys, &self.token_audience);
                none.insert(made.map_err(|fault| Outage(format!("token_keys: {fault}")))?)
            }
        };
        Ok(cache.verify(token, now))
    }
}
