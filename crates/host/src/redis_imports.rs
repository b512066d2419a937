//! `spin:redis/redis@3.0.0`: how a component reaches Redis.
//!
//! Spin's meaning, kept: nested arrays are flattened; an error anywhere in an answer fails the call;
//! interleaved requests share what they open. Different from Spin: TCP_NODELAY is on; a command that
//! is not answered in five seconds fails, and its connection is given up; and what the instances of a
//! component open on one thread is one connection, pipelined, as long as it is used for commands
//! that neither wait in Redis nor depend on what was sent before. With the first other command
//! (`MULTI`, `SELECT`, `BLPOP`, …) a connection is one of its own, as on Spin.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis::{ConnectionAddr, FromRedisValue, IntoConnectionInfo, Value};
use tokio::sync::OnceCell;
use wasmtime::component::{Accessor, Resource};

use crate::bindings::spin::redis::redis as wit;
use crate::instance::{SpinImports, StoreData};
use crate::outbound;
use crate::redis_wire::{Argument, Fault, Wire};

/// Most bytes of one answer that a component may ask for, as in Spin.
const ANSWER_BYTES: usize = 128 << 20;

/// Commands that are the same over whatever connection, and never wait in Redis. What is missing
/// here costs its user a connection, no more.
const SHARED: [&str; 26] = [
    "DEL", "EVAL", "EVALSHA", "EXISTS", "EXPIRE", "FCALL", "FCALL_RO", "FUNCTION", "GET", "HDEL",
    "HGET", "HGETALL", "HSET", "INCR", "INCRBY", "MGET", "PING", "PUBLISH", "SADD", "SET",
    "SMEMBERS", "SREM", "TTL", "XADD", "ZADD", "ZRANGE",
];

/// Waits until replicas have what was written over its own connection, so it goes where that went.
const WAIT: &str = "WAIT";

/// What a component has opened; the calls in flight hold it as well.
pub type Link = Arc<Connection>;

/// What a component has opened.
pub struct Connection {
    address: String,
    shared: Arc<Wire>,
    /// Something went over the shared connection.
    used: AtomicBool,
    /// Its own connection, once it has one.
    own: OnceCell<Wire>,
}

impl Connection {
    /// Sends a command over the connection that it belongs to.
    async fn ask(&self, command: &str, arguments: &[Argument<'_>]) -> Result<Value, Fault> {
        let is = |name: &str| name.eq_ignore_ascii_case(command);
        let shares = !self.own.initialized()
            && (SHARED.into_iter().any(is) || is(WAIT) && self.used.load(Ordering::Relaxed));
        if shares {
            self.used.store(true, Ordering::Relaxed);
            return self.shared.ask(command, arguments).await;
        }
        let own = self.own.get_or_try_init(|| Wire::connect(&self.address)).await?;
        own.ask(command, arguments).await
    }
}

type Opening = Arc<OnceCell<Arc<Wire>>>;

thread_local! {
    /// This thread's connections, by component and address. They stay: a component has one address
    /// or few, since each must be allowed to it.
    static OPEN: RefCell<HashMap<(Arc<str>, String), Opening>> = RefCell::default();
}

/// This thread's connection of a component, opened if there is none that can be used.
async fn shared(component: &Arc<str>, address: &str) -> Result<Arc<Wire>, Fault> {
    let opening = OPEN.with_borrow_mut(|open| {
        let kept = open.entry((component.clone(), address.to_owned())).or_default();
        if kept.get().is_some_and(|wire| !wire.is_open()) {
            *kept = Opening::default();
        }
        kept.clone()
    });
    let connect = async || Wire::connect(address).await.map(Arc::new);
    opening.get_or_try_init(connect).await.cloned()
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

fn other(fault: Fault) -> wit::Error {
    match fault {
        Fault::Address => wit::Error::InvalidAddress,
        fault => wit::Error::Other(fault.to_string()),
    }
}

/// What is in the table is a connection; a resource that is not there is a fault of the guest.
fn connection<T: Send>(
    accessor: &Accessor<T, SpinImports>,
    resource: &Resource<Link>,
) -> Result<Link, wit::Error> {
    accessor.with(|mut access| {
        let data = access.get();
        data.redis_commands.inc();
        data.table.get(resource).cloned().map_err(|error| wit::Error::Other(error.to_string()))
    })
}

impl wit::Host for StoreData {}

impl wit::HostConnection for StoreData {
    fn drop(&mut self, resource: Resource<Link>) -> wasmtime::Result<()> {
        self.table.delete(resource)?;
        Ok(())
    }
}

impl<T: Send> wit::HostConnectionWithStore<T> for SpinImports {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Resource<Link>, wit::Error> {
        let allowed = accessor.with(|mut access| {
            let component = &access.get().component;
            let target = dialled(&address)?;
            let allowed = outbound::is_allowed(&component.allowed_hosts, &target);
            if !allowed {
                tracing::warn!(component = %component.id, %target, "outbound host not allowed");
            }
            allowed.then(|| component.id.clone())
        });
        let component = allowed.ok_or(wit::Error::InvalidAddress)?;
        let shared = shared(&component, &address).await.map_err(other)?;
        let (used, own) = (AtomicBool::new(false), OnceCell::new());
        let open = Arc::new(Connection { address, shared, used, own });
        accessor.with(|mut access| {
            access.get().table.push(open).map_err(|_| wit::Error::TooManyConnections)
        })
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        channel: String,
        payload: Vec<u8>,
    ) -> Result<(), wit::Error> {
        let words = [text(&channel), Argument::Bytes(&payload)];
        ask::<T, ()>(accessor, &resource, "PUBLISH", &words).await
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        key: String,
    ) -> Result<Option<Vec<u8>>, wit::Error> {
        ask(accessor, &resource, "GET", &[text(&key)]).await
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), wit::Error> {
        ask(accessor, &resource, "SET", &[text(&key), Argument::Bytes(&value)]).await
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        key: String,
    ) -> Result<i64, wit::Error> {
        ask(accessor, &resource, "INCRBY", &[text(&key), Argument::Number(1)]).await
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        keys: Vec<String>,
    ) -> Result<u32, wit::Error> {
        ask(accessor, &resource, "DEL", &texts(&keys)).await
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, wit::Error> {
        let words = [vec![text(&key)], texts(&values)].concat();
        ask(accessor, &resource, "SADD", &words).await
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        key: String,
    ) -> Result<Vec<String>, wit::Error> {
        ask(accessor, &resource, "SMEMBERS", &[text(&key)]).await
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        key: String,
        values: Vec<String>,
    ) -> Result<u32, wit::Error> {
        let words = [vec![text(&key)], texts(&values)].concat();
        ask(accessor, &resource, "SREM", &words).await
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        resource: Resource<Link>,
        command: String,
        arguments: Vec<wit::RedisParameter>,
    ) -> Result<Vec<wit::RedisResult>, wit::Error> {
        let words = arguments.iter().map(|argument| match argument {
            wit::RedisParameter::Int64(number) => Argument::Number(*number),
            wit::RedisParameter::Binary(bytes) => Argument::Bytes(bytes),
        });
        let words: Vec<_> = words.collect();
        let open = connection(accessor, &resource)?;
        let answer = open.ask(&command, &words).await.map_err(other)?;
        let mut results = Vec::new();
        let mut room = ANSWER_BYTES;
        flatten(answer, &mut results, &mut room)?;
        Ok(results)
    }
}

async fn ask<T: Send, Answer: FromRedisValue>(
    accessor: &Accessor<T, SpinImports>,
    resource: &Resource<Link>,
    command: &str,
    arguments: &[Argument<'_>],
) -> Result<Answer, wit::Error> {
    let open = connection(accessor, resource)?;
    let answer = open.ask(command, arguments).await.map_err(other)?;
    redis::from_redis_value(answer).map_err(|_| wit::Error::TypeError)
}

fn text(text: &str) -> Argument<'_> {
    Argument::Bytes(text.as_bytes())
}

fn texts(texts: &[String]) -> Vec<Argument<'_>> {
    texts.iter().map(|one| text(one)).collect()
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
