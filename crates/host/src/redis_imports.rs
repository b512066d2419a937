//! `spin:redis/redis@3.0.0`: how a component reaches Redis.
//!
//! Spin's meaning, kept: each `open` is a TCP connection of its own, multiplexed, so that the
//! interleaved requests of an instance share it; nested arrays are flattened; an error anywhere
//! in an answer fails the call. Different from Spin: TCP_NODELAY is on, and a command that is not
//! answered in five seconds fails, so that its connection is given up.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo, Value};
use wasmtime::component::{Accessor, Resource};

use crate::bindings::spin::redis::redis as wit;
use crate::instance::{SpinImports, StoreData};
use crate::outbound;

/// How long a connection may take to come up: a local or nearby server, or none at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a command may go without an answer. A connection can be lost without a sign of it, and
/// whoever waits on one waits for nothing; a request has the time to try another one. No script of
/// ours takes seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Most bytes of one answer that a component may ask for, as in Spin.
const ANSWER_BYTES: usize = 128 << 20;

/// Opens a connection with this host's settings.
///
/// # Errors
/// The address is malformed or nobody answers there.
pub async fn connect(address: &str) -> redis::RedisResult<MultiplexedConnection> {
    let information = address.into_connection_info()?;
    let settings = information.tcp_settings().clone().set_nodelay(true);
    let client = redis::Client::open(information.set_tcp_settings(settings))?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_LIMIT))
        .set_response_timeout(Some(ANSWER_LIMIT));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// The address as it will be dialled, for the check against the allowed hosts.
fn dialled(address: &str) -> Option<String> {
    match address.into_connection_info().ok()?.addr() {
        ConnectionAddr::Tcp(host, port) if host.contains(':') => {
            Some(format!("redis://[{host}]:{port}"))
        }
        ConnectionAddr::Tcp(host, port) => Some(format!("redis://{host}:{port}")),
        _ => None,
    }
}

fn other(error: redis::RedisError) -> wit::Error {
    wit::Error::Other(error.to_string())
}

/// What is in the table is a connection; a resource that is not there is a fault of the guest.
fn connection<T: Send>(
    accessor: &Accessor<T, SpinImports>,
    resource: &Resource<MultiplexedConnection>,
) -> Result<MultiplexedConnection, wit::Error> {
    accessor.with(|mut access| {
        let data = access.get();
        data.redis_commands.inc();
        data.table.get(resource).cloned().map_err(|error| wit::Error::Other(error.to_string()))
    })
}

impl wit::Host for StoreData {}

impl wit::HostConnection for StoreData {
    fn drop(&mut self, resource: Resource<MultiplexedConnection>) -> wasmtime::Result<()> {
        self.table.delete(resource)?;
        Ok(())
    }
}

impl<T: Send> wit::HostConnectionWithStore<T> for SpinImports {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<MultiplexedConnection>, wit::Error> {
        let allowed = accessor.with(|mut access| {
            let component = &access.get().component;
            let target = dialled(&address)?;
            let allowed = outbound::is_allowed(&component.allowed_hosts, &target);
            if !allowed {
                tracing::warn!(component = %component.id, %target, "outbound host not allowed");
            }
            Some(allowed)
        });
        if allowed != Some(true) {
            return Err(wit::Error::InvalidAddress);
        }
        let open = connect(&address).await.map_err(other)?;
        accessor.with(|mut access| {
            access.get().table.push(open).map_err(|_| wit::Error::TooManyConnections)
        })
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), wit::Error> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(payload);
        ask::<T, ()>(accessor, &resource, &command).await
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        key: String,
    ) -> Result<Option<Vec<u8>>, wit::Error> {
        ask(accessor, &resource, redis::cmd("GET").arg(key)).await
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), wit::Error> {
        ask(accessor, &resource, redis::cmd("SET").arg(key).arg(value)).await
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        key: String,
    ) -> Result<i64, wit::Error> {
        ask(accessor, &resource, redis::cmd("INCRBY").arg(key).arg(1)).await
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        keys: Vec<String>,
    ) -> Result<u32, wit::Error> {
        ask(accessor, &resource, redis::cmd("DEL").arg(keys)).await
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, wit::Error> {
        ask(accessor, &resource, redis::cmd("SADD").arg(key).arg(values)).await
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        key: String,
    ) -> Result<Vec<String>, wit::Error> {
        ask(accessor, &resource, redis::cmd("SMEMBERS").arg(key)).await
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, wit::Error> {
        ask(accessor, &resource, redis::cmd("SREM").arg(key).arg(values)).await
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        resource: Resource<MultiplexedConnection>,
        command: String,
        arguments: Vec<wit::RedisParameter>,
    ) -> Result<Vec<wit::RedisResult>, wit::Error> {
        let mut words = redis::cmd(&command);
        for argument in arguments {
            match argument {
                wit::RedisParameter::Int64(number) => words.arg(number),
                wit::RedisParameter::Binary(bytes) => words.arg(bytes),
            };
        }
        let answer: Value = ask(accessor, &resource, &words).await?;
        let mut results = Vec::new();
        let mut room = ANSWER_BYTES;
        flatten(answer, &mut results, &mut room)?;
        Ok(results)
    }
}

async fn ask<T: Send, Answer: redis::FromRedisValue>(
    accessor: &Accessor<T, SpinImports>,
    resource: &Resource<MultiplexedConnection>,
    command: &redis::Cmd,
) -> Result<Answer, wit::Error> {
    let mut open = connection(accessor, resource)?;
    command.query_async(&mut open).await.map_err(other)
}

/// Appends a value as Spin does: arrays and sets lose their nesting, what has no counterpart in
/// the contract is an error.
fn flatten(
    value: Value,
    results: &mut Vec<wit::RedisResult>,
    room: &mut usize,
) -> Result<(), wit::Error> {
    let result = match value {
        Value::Nil => wit::RedisResult::Nil,
        Value::Int(number) => wit::RedisResult::Int64(number),
        Value::BulkString(bytes) => wit::RedisResult::Binary(bytes),
        Value::SimpleString(text) => wit::RedisResult::Status(text),
        Value::Okay => wit::RedisResult::Status("OK".to_owned()),
        Value::Double(number) => wit::RedisResult::Binary(number.to_string().into_bytes()),
        Value::Boolean(truth) => wit::RedisResult::Int64(i64::from(truth)),
        Value::Array(items) | Value::Set(items) => {
            return items.into_iter().try_for_each(|item| flatten(item, results, room));
        }
        Value::ServerError(error) => return Err(wit::Error::Other(format!("{error:?}"))),
        unsupported => {
            let kind = format!("{unsupported:?}");
            let kind = kind.split(['(', ' ']).next().unwrap_or_default();
            return Err(wit::Error::Other(format!("Redis {kind} type is not supported")));
        }
    };
    let size = size_of::<wit::RedisResult>()
        + match &result {
            wit::RedisResult::Binary(bytes) => bytes.len(),
            wit::RedisResult::Status(text) => text.len(),
            _ => 0,
        };
    *room = room.checked_sub(size).ok_or_else(|| {
        wit::Error::Other(format!("query result exceeds limit of {ANSWER_BYTES} bytes"))
    })?;
    results.push(result);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nested_answers_lose_their_nesting() {
        let nested = Value::Array(vec![
            Value::Int(1),
            Value::Array(vec![]),
            Value::Array(vec![Value::Nil, Value::Array(vec![Value::Okay])]),
        ]);
        let mut results = Vec::new();
        flatten(nested, &mut results, &mut ANSWER_BYTES.clone()).unwrap();
        assert!(matches!(
            results.as_slice(),
            [
                wit::RedisResult::Int64(1),
                wit::RedisResult::Nil,
                wit::RedisResult::Status(ok)
            ] if ok == "OK"
        ));
        let large = Value::BulkString(vec![0; 100]);
        assert!(flatten(large, &mut results, &mut 99).is_err());
    }

    #[test]
    fn what_is_checked_is_what_is_dialled() {
        assert_eq!(dialled("redis://a:b@host:1/2").unwrap(), "redis://host:1");
        assert_eq!(dialled("redis://host").unwrap(), "redis://host:6379");
        assert!(dialled("unix:///tmp/socket").is_none());
        assert!(dialled("host").is_none());
    }
}
