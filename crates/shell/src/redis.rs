//! The store over Redis outside of wasm: for tests and benchmarks.

use std::sync::{Arc, Mutex, PoisonError};

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use crate::protocol::Value;
use crate::scripted::{Scripted, Wire};
use crate::store::Outage;

/// A store over Redis; clones share one connection.
pub type RedisStore = Scripted<RedisWire>;

/// One multiplexed connection, opened when it is first needed and again after it broke.
#[derive(Debug, Clone)]
pub struct RedisWire {
    client: redis::Client,
    open: Arc<Mutex<Option<MultiplexedConnection>>>,
}

/// A store at this address (`redis://host:port`); a commit waits for so many replicas.
///
/// # Errors
/// When the address is not one.
pub fn open(address: &str, wait_replicas: u32) -> Result<RedisStore, Outage> {
    let client = redis::Client::open(address).map_err(outage)?;
    Ok(Scripted::over(RedisWire { client, open: Arc::default() }, wait_replicas))
}

impl Wire for RedisWire {
    type Connection = MultiplexedConnection;

    async fn connection(&self) -> Result<MultiplexedConnection, Outage> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connection) = open {
            return Ok(connection);
        }
        // A slow answer is still an answer: giving up on it would lose what a commit did.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let opened = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let connection = opened.map_err(outage)?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        Ok(connection)
    }

    async fn execute(
        &self,
        over: &MultiplexedConnection,
        command: &'static str,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Vec<Value>, Outage> {
        let mut connection = over.clone();
        let mut all = redis::cmd(command);
        for argument in &arguments {
            all.arg(argument.as_slice());
        }
        let answer: redis::Value = match all.query_async(&mut connection).await {
            Ok(answer) => answer,
            Err(error) => {
                if error.is_unrecoverable_error() {
                    *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                return Err(outage(error));
            }
        };
        let mut values = Vec::new();
        flatten(answer, &mut values)?;
        Ok(values)
    }
}

/// Flattens an answer as Spin does.
fn flatten(answer: redis::Value, into: &mut Vec<Value>) -> Result<(), Outage> {
    match answer {
        redis::Value::Nil => into.push(Value::Nil),
        redis::Value::Int(number) => into.push(Value::Int(number)),
        redis::Value::BulkString(bytes) => into.push(Value::Bytes(bytes)),
        redis::Value::SimpleString(text) => into.push(Value::Bytes(text.into_bytes())),
        redis::Value::Okay => into.push(Value::Bytes(b"OK".to_vec())),
        redis::Value::Array(all) | redis::Value::Set(all) => {
            for one in all {
                flatten(one, into)?;
            }
        }
        other => return Err(Outage(format!("Redis answered {other:?}"))),
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn outage(error: redis::RedisError) -> Outage {
    Outage(error.to_string())
}
