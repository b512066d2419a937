//! The store over Spin's Redis interface.
//!
//! Every `open` is a new TCP connection and Spin pools none, so an instance keeps one, shared by
//! the requests it serves interleaved.

use std::cell::RefCell;
use std::rc::Rc;

use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};

use crate::protocol::{Value, is_not_loaded};
use crate::scripted::{Scripted, Wire};
use crate::store::Outage;

/// A store over Spin's Redis interface.
pub type SpinStore = Scripted<SpinWire>;

thread_local! {
    /// The instance's connection, and the address it goes to.
    static OPEN: RefCell<Option<(String, Rc<Connection>)>> = const { RefCell::new(None) };
}

/// The instance's connection to this address.
#[derive(Debug, Clone)]
pub struct SpinWire {
    address: String,
    /// Commits wait for replicas, and hold up what is sent behind them.
    waits: bool,
}

/// A store at this address (`redis://host:port`); a commit waits for so many replicas.
#[must_use]
pub fn open(address: &str, wait_replicas: u32) -> SpinStore {
    let wire = SpinWire { address: address.to_owned(), waits: wait_replicas > 0 };
    Scripted::over(wire, wait_replicas)
}

impl SpinWire {
    /// Lets the next call open a new connection, unless somebody has done so already.
    fn forget(failed: &Rc<Connection>) {
        OPEN.with_borrow_mut(|open| {
            if open.as_ref().is_some_and(|(_, connection)| Rc::ptr_eq(connection, failed)) {
                *open = None;
            }
        });
    }
}

impl Wire for SpinWire {
    type Connection = Rc<Connection>;

    async fn connection(&self) -> Result<Rc<Connection>, Outage> {
        let open = OPEN.with_borrow(|open| {
            let (address, connection) = open.as_ref()?;
            (*address == self.address).then(|| Rc::clone(connection))
        });
        if let Some(connection) = open {
            return Ok(connection);
        }
        let connection = Rc::new(Connection::open(&self.address).await.map_err(|e| outage(&e))?);
        if self.waits {
            // A host may let instances share what they open, until a command waits in Redis: this
            // one, which waits for nobody, says at once that others are not to queue behind ours.
            self.execute(&connection, "WAIT", vec![b"0".to_vec(), b"0".to_vec()]).await?;
        }
        OPEN.set(Some((self.address.clone(), Rc::clone(&connection))));
        Ok(connection)
    }

    async fn execute(
        &self,
        connection: &Rc<Connection>,
        command: &'static str,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Vec<Value>, Outage> {
        let arguments = arguments.into_iter().map(RedisParameter::Binary);
        match connection.execute(command, arguments).await {
            Ok(values) => Ok(values.into_iter().map(value).collect()),
            Err(error) => {
                let outage = outage(&error);
                if !is_answer(&outage.0) {
                    Self::forget(connection);
                }
                Err(outage)
            }
        }
    }
}

/// Whether Redis itself said so, and the connection is well. Spin alters the texts, so this knows
/// only the usual ones; a connection given up for nothing costs no more than its opening.
fn is_answer(text: &str) -> bool {
    is_not_loaded(text) || text.contains("OOM") || text.contains("WRONGTYPE")
}

fn value(result: RedisResult) -> Value {
    match result {
        RedisResult::Nil => Value::Nil,
        RedisResult::Status(text) => Value::Bytes(text.into_bytes()),
        RedisResult::Int64(number) => Value::Int(number),
        RedisResult::Binary(bytes) => Value::Bytes(bytes),
    }
}

fn outage(error: &Error) -> Outage {
    Outage(match error {
        Error::InvalidAddress => "the address of Redis is not one".to_owned(),
        Error::TooManyConnections => "too many connections to Redis".to_owned(),
        Error::TypeError => "Redis answered something of another type".to_owned(),
        Error::Other(text) => text.clone(),
    })
}
