//! The store over the script library, whatever carries the commands.

use tradewind_kernel::event::Domain;

use crate::protocol::{self, Request, Value, check};
use crate::store::{
    Commit, Cut, Outage, Outcome, ReadRequest, Snapshot, Store, TakeUp, Taken, keys,
};

/// How long a commit waits for its replicas.
const REPLICA_WAIT_MILLIS: &str = "1000";

/// A message to nobody: it goes to the replicas as a write does, and changes nothing.
const BEACON: &str = "tradewind:beacon";

/// Carries commands to Redis and their answers back, flat.
pub trait Wire {
    /// A connection; its commands are done in order.
    type Connection;

    /// The connection to use now. After a failure that may lie with the last one, it is a new one.
    async fn connection(&self) -> Result<Self::Connection, Outage>;

    /// Sends a command over a connection.
    async fn execute(
        &self,
        over: &Self::Connection,
        command: &'static str,
        arguments: Vec<Vec<u8>>,
    ) -> Result<Vec<Value>, Outage>;
}

/// A store over the script library.
#[derive(Debug, Clone)]
pub struct Scripted<W> {
    wire: W,
    wait_replicas: u32,
}

impl<W: Wire> Scripted<W> {
    /// A store over this wire; a commit is done when so many replicas have it.
    pub fn over(wire: W, wait_replicas: u32) -> Self {
        Self { wire, wait_replicas }
    }

    /// Calls a function. When the library is missing, nothing has run yet, so after loading it
    /// the call is made again, whatever it is. What may run twice is repeated once, since the
    /// connection may just have been a stale one. A call that is repeated is encoded anew: hardly
    /// any is, and keeping a copy of each costs more.
    async fn call(
        &self,
        encode: impl Fn() -> Result<Request, Outage>,
        repeatable: bool,
    ) -> Result<Vec<Value>, Outage> {
        self.answered(encode, repeatable).await.map(|(_, values)| values)
    }

    /// As [`Scripted::call`], with the connection that the answer came over.
    async fn answered(
        &self,
        encode: impl Fn() -> Result<Request, Outage>,
        repeatable: bool,
    ) -> Result<(W::Connection, Vec<Value>), Outage> {
        let again = async || {
            let request = encode()?.into_arguments();
            let over = self.wire.connection().await?;
            let values = self.wire.execute(&over, "FCALL", request).await?;
            let [Value::Bytes(packed)] = values.as_slice() else {
                return Err(Outage(format!("a function answered {values:?}")));
            };
            let values = protocol::unpack(packed)?;
            Ok((over, values))
        };
        match again().await {
            Err(Outage(text)) if protocol::is_not_loaded(&text) => {
                self.load().await?;
                again().await
            }
            Err(_) if repeatable => match again().await {
                Err(Outage(text)) if protocol::is_not_loaded(&text) => {
                    self.load().await?;
                    again().await
                }
                other => other,
            },
            other => other,
        }
    }

    /// Loads the library; loading it twice at once does no harm.
    async fn load(&self) -> Result<(), Outage> {
        let code = protocol::library().code.clone();
        let arguments = ["LOAD".to_owned(), "REPLACE".to_owned(), code];
        let over = self.wire.connection().await?;
        self.wire.execute(&over, "FUNCTION", arguments.map(String::into_bytes).to_vec()).await?;
        Ok(())
    }

    /// Sends a command that may run twice.
    async fn repeatable(
        &self,
        command: &'static str,
        arguments: &[&str],
    ) -> Result<Vec<Value>, Outage> {
        let again = async || {
            let over = self.wire.connection().await?;
            self.send(&over, command, arguments).await
        };
        match again().await {
            Err(_) => again().await,
            done => done,
        }
    }

    async fn send(
        &self,
        over: &W::Connection,
        command: &'static str,
        arguments: &[&str],
    ) -> Result<Vec<Value>, Outage> {
        let bytes = arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect();
        self.wire.execute(over, command, bytes).await
    }

    /// Waits until enough replicas have what was written over this connection, which must be the
    /// commit's: Redis counts a connection's own writes, and another one may lead to a replica that
    /// was promoted meanwhile. A kept reply wrote nothing, and who wrote it may not have waited to
    /// the end: then a message is sent after it.
    async fn wait(&self, over: &W::Connection, kept: bool) -> Result<(), Outage> {
        if kept {
            self.send(over, "PUBLISH", &[BEACON, ""]).await?;
        }
        let wanted = self.wait_replicas.to_string();
        let answer = self.send(over, "WAIT", &[&wanted, REPLICA_WAIT_MILLIS]).await?;
        match answer.first() {
            Some(Value::Int(count)) if *count >= i64::from(self.wait_replicas) => Ok(()),
            other => Err(Outage(format!("too few replicas have the commit: {other:?}"))),
        }
    }
}

impl<W: Wire> Store for Scripted<W> {
    async fn read(&self, request: &ReadRequest) -> Result<Snapshot, Outage> {
        let values = self.call(|| protocol::encode_read(request), true).await?;
        protocol::decode_read(request, values)
    }

    async fn commit(&self, commit: &Commit) -> Result<Outcome, Outage> {
        // Under a key or a cursor it takes effect once however often it is sent: who meets a
        // connection that ended meanwhile sends it again.
        let repeatable = commit.idempotency.is_some() || commit.cursor.is_some();
        let encode = || protocol::encode_commit(commit);
        let (over, values) = match self.answered(encode, repeatable).await {
            Err(Outage(text)) if protocol::is_out_of_memory(&text) => return Ok(Outcome::Full),
            answer => answer?,
        };
        let outcome = protocol::decode_commit(commit, values)?;
        let kept = matches!(outcome, Outcome::Replayed { .. });
        if self.wait_replicas > 0 && (kept || matches!(outcome, Outcome::Done { .. })) {
            self.wait(&over, kept).await?;
        }
        Ok(outcome)
    }

    async fn cut(&self, tenant: &str, domain: Domain, limit: usize) -> Result<Cut, Outage> {
        let encode = || protocol::encode_cut(tenant, domain, limit);
        protocol::decode_cut(self.call(encode, true).await?)
    }

    async fn take_up(&self, request: &TakeUp) -> Result<Taken, Outage> {
        protocol::decode_taken(self.call(|| protocol::encode_take_up(request), true).await?)
    }

    async fn release(
        &self,
        tenant: &str,
        domain: Domain,
        owner: &str,
        progress: bool,
    ) -> Result<(), Outage> {
        let encode = || protocol::encode_release(tenant, domain, owner, progress);
        self.call(encode, true).await?;
        Ok(())
    }

    async fn tenants(&self) -> Result<Vec<String>, Outage> {
        let values = self.repeatable("SMEMBERS", &[keys::TENANTS]).await?;
        let mut names: Vec<String> = values
            .into_iter()
            .filter_map(|value| match value {
                Value::Bytes(name) => String::from_utf8(name).ok(),
                Value::Nil | Value::Int(_) => None,
            })
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    async fn add_tenant(&self, tenant: &str) -> Result<(), Outage> {
        check::tenant(tenant)?;
        self.repeatable("SADD", &[keys::TENANTS, tenant]).await?;
        Ok(())
    }

    async fn settle(&self) -> Result<(), Outage> {
        if self.wait_replicas == 0 {
            return Ok(());
        }
        self.wait(&self.wire.connection().await?, true).await
    }

    async fn ping(&self) -> Result<(), Outage> {
        self.repeatable("PING", &[]).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::task::{Context, Poll, Waker};

    use tradewind_kernel::event::Origin;
    use tradewind_kernel::time::Instant;

    use super::*;
    use crate::store::Needs;

    /// Answers every function with `outcome`, and `WAIT` with `replicas`.
    struct Told {
        outcome: [&'static str; 3],
        replicas: i64,
        sent: RefCell<Vec<&'static str>>,
    }

    impl Wire for &Told {
        type Connection = ();

        async fn connection(&self) -> Result<(), Outage> {
            Ok(())
        }

        async fn execute(
            &self,
            (): &(),
            command: &'static str,
            _: Vec<Vec<u8>>,
        ) -> Result<Vec<Value>, Outage> {
            self.sent.borrow_mut().push(command);
            if command == "WAIT" {
                return Ok(vec![Value::Int(self.replicas)]);
            }
            // A packed list of short texts: its length, and each with its own.
            let mut packed = vec![0x93];
            for word in self.outcome {
                packed.push(0xa0 | u8::try_from(word.len()).unwrap());
                packed.extend_from_slice(word.as_bytes());
            }
            Ok(vec![Value::Bytes(packed)])
        }
    }

    fn commit() -> Commit {
        let origin = Origin {
            at: Instant::from_millis(0),
            by: "ann".to_owned(),
            reason: None,
            correlation: "c".to_owned(),
            parent: None,
            causation: None,
        };
        Commit {
            tenant: "t".to_owned(),
            domain: Domain::Finance,
            needs: Needs::Nothing,
            idempotency: None,
            checks: Vec::new(),
            guards: Vec::new(),
            writes: Vec::new(),
            events: Vec::new(),
            origin,
            cursor: None,
            unmark: None,
            tenant_known: true,
            frees: false,
        }
    }

    fn sent(outcome: [&'static str; 3], wanted: u32, replicas: i64) -> (bool, usize) {
        let told = Told { outcome, replicas, sent: RefCell::default() };
        let store = Scripted::over(&told, wanted);
        let (commit, mut context) = (commit(), Context::from_waker(Waker::noop()));
        let mut running = std::pin::pin!(store.commit(&commit));
        let Poll::Ready(outcome) = running.as_mut().poll(&mut context) else {
            panic!("nothing waits here")
        };
        let waits = told.sent.borrow().iter().filter(|command| **command == "WAIT").count();
        (outcome.is_ok(), waits)
    }

    #[test]
    fn what_is_granted_is_granted_when_the_replicas_have_it() {
        let (done, kept) =
            (["done", "0000000000000007", ""], ["replayed", "0000000000000007", "{}"]);
        for outcome in [done, kept] {
            assert_eq!(sent(outcome, 0, 0), (true, 0));
            assert_eq!(sent(outcome, 1, 1), (true, 1));
            assert_eq!(sent(outcome, 2, 1), (false, 1));
        }
        assert_eq!(sent(["stale", "1", ""], 1, 0), (true, 0));
    }
}
