//! Calls into the application from one thread.
//!
//! Every thread that calls components has instances of its own, so that no call leaves its thread.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use wasmtime_wasi_http::WasiBody;

use crate::Limits;
use crate::application::Application;
use crate::entries::{Answer, Call, IDEMPOTENCY_KEY};
use crate::pool::{Fault, Pool};
use crate::problem::Problem;

/// The application as one thread calls it.
pub struct Calls {
    /// The application.
    pub application: Arc<Application>,
    components: Vec<Pools>,
}

/// The instances of one component.
struct Pools {
    shared: Rc<Pool>,
    /// One call an instance: for what is tried once more.
    alone: Rc<Pool>,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        match fault {
            Fault::Own | Fault::Collateral => Problem::ComponentFailed,
            Fault::Late => Problem::TimeLimit,
            Fault::NoInstance => Problem::Overloaded,
        }
    }
}

impl Calls {
    /// No instances yet.
    pub fn new(application: Arc<Application>) -> Calls {
        let limits = &application.limits;
        let alone = Limits { interleaved: 1, ..limits.clone() };
        let engine = &application.engine;
        let components = application.components.iter().map(|served| {
            let pool = |limits: &Limits| {
                let (runtime, entries) = (served.runtime.clone(), served.entries.clone());
                Pool::new(runtime, entries, engine.clone(), limits.clone())
            };
            Pools { shared: pool(limits), alone: pool(&alone) }
        });
        let components = components.collect();
        Calls { application, components }
    }

    /// Calls a component with a body that is there as a whole.
    ///
    /// When the instance failed because of *another* request, and this one may be repeated (its
    /// method or an idempotency key says so), it is tried once more, in an instance of its own:
    /// which of the interleaved requests was at fault is not always known.
    ///
    /// # Errors
    /// The component gave no answer.
    pub async fn whole(
        &self,
        target: usize,
        parts: Parts,
        body: Bytes,
        limit: Duration,
    ) -> Result<Response<WasiBody>, Problem> {
        let pools = &self.components[target];
        let request = Rc::new((parts, body));
        match pools.shared.call(Call::Whole(request.clone()), limit).await {
            Err(Fault::Collateral) if may_repeat(&request.0) => {
                response(pools.alone.call(Call::Whole(request), limit).await)
            }
            result => response(result),
        }
    }

    /// Calls a component with a body that streams.
    ///
    /// # Errors
    /// The component gave no answer.
    pub async fn streaming(
        &self,
        target: usize,
        request: Request<WasiBody>,
        limit: Duration,
    ) -> Result<Response<WasiBody>, Problem> {
        response(
            self.components[target].shared.call(Call::Streaming(Box::new(request)), limit).await,
        )
    }

    /// Hands a Redis message to a component.
    ///
    /// # Errors
    /// It was not handled.
    pub async fn message(
        &self,
        target: usize,
        payload: Vec<u8>,
        limit: Duration,
    ) -> Result<(), Fault> {
        self.components[target].shared.call(Call::Message(payload), limit).await.map(|_| ())
    }
}

fn response(result: Result<Answer, Fault>) -> Result<Response<WasiBody>, Problem> {
    match result? {
        Answer::Response(response) => Ok(response),
        Answer::Handled => Err(Problem::ComponentFailed),
    }
}

fn may_repeat(parts: &Parts) -> bool {
    [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(&parts.method)
        || parts.headers.contains_key(IDEMPOTENCY_KEY)
}
