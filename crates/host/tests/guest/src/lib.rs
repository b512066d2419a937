//! One component with a route for each thing the host must get right. It is driven by
//! `tests/host.rs` and by nothing else; a route is a path, its argument the query string.

use spin_sdk::http::{FullBody, Request, Response, StatusCode};
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::{http_service, redis_subscriber, variables};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;

thread_local! {
    static CONNECTION: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
    static HOARD: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

async fn connection() -> anyhow::Result<Rc<Connection>> {
    if let Some(open) = CONNECTION.with_borrow(Clone::clone) {
        return Ok(open);
    }
    let url = variables::get("redis_url").await?;
    let open = Rc::new(Connection::open(url).await?);
    CONNECTION.with_borrow_mut(|slot| *slot = Some(open.clone()));
    Ok(open)
}

async fn increment(key: &str) -> anyhow::Result<String> {
    let key = RedisParameter::Binary(key.as_bytes().to_vec());
    match connection().await?.execute("INCR", [key]).await {
        Ok(mut answer) => match answer.pop() {
            Some(RedisResult::Int64(count)) => Ok(count.to_string()),
            other => anyhow::bail!("unexpected answer {other:?}"),
        },
        Err(error) => {
            CONNECTION.with_borrow_mut(|slot| *slot = None);
            Err(error.into())
        }
    }
}

async fn eval(script: &str) -> anyhow::Result<String> {
    let arguments = [
        RedisParameter::Binary(script.as_bytes().to_vec()),
        RedisParameter::Int64(0),
    ];
    let answer = connection().await?.execute("EVAL", arguments).await?;
    Ok(format!("{answer:?}"))
}

async fn answer(
    path: &str,
    query: &str,
    authorization: &str,
    body: Bytes,
) -> anyhow::Result<String> {
    Ok(match path {
        "/guest/hello" => "hello".to_owned(),
        "/guest/echo" => String::from_utf8(body.to_vec())?,
        "/guest/length" => body.len().to_string(),
        "/guest/increment" => increment(query).await?,
        "/guest/eval" => eval(std::str::from_utf8(&body)?).await?,
        "/guest/open" => match Connection::open(query).await {
            Ok(_) => "opened".to_owned(),
            Err(error) => format!("{error:?}"),
        },
        "/guest/fetch" => match spin_sdk::http::get(query).await {
            Ok(response) => response.status().to_string(),
            Err(error) => format!("{error:?}"),
        },
        "/guest/variable" => match variables::get(query).await {
            Ok(value) => value,
            Err(error) => format!("{error:?}"),
        },
        "/guest/wait" => {
            spin_sdk::time::sleep(Duration::from_millis(query.parse()?)).await;
            "waited".to_owned()
        }
        "/guest/spin" => loop {
            std::hint::black_box(());
        },
        "/guest/trap" => panic!("as asked"),
        "/guest/hoard" => {
            let size: usize = query.parse()?;
            HOARD.with_borrow_mut(|hoard| hoard.push(vec![1; size]));
            "hoarded".to_owned()
        }
        "/guest/count" => REQUESTS.get().to_string(),
        "/guest/log" => {
            println!("{query}");
            "logged".to_owned()
        }
        "/guest/tick" => {
            connection().await?.set("authorization", authorization).await?;
            increment("ticks").await?
        }
        other => anyhow::bail!("no route {other}"),
    })
}

#[http_service]
async fn handle(request: Request) -> Response<FullBody<Bytes>> {
    REQUESTS.set(REQUESTS.get() + 1);
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let correlation = request.headers().get("correlation-id").cloned();
    let authorization = request.headers().get("authorization");
    let authorization = authorization.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let authorization = authorization.to_owned();
    let result = match request.into_body().collect().await {
        Ok(body) => answer(&path, &query, &authorization, body.to_bytes()).await,
        Err(error) => Err(anyhow::anyhow!("body: {error:?}")),
    };
    let (status, text) = match result {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")),
    };
    let mut response = Response::new(FullBody::new(Bytes::from(text)));
    *response.status_mut() = status;
    if let Some(correlation) = correlation {
        response.headers_mut().insert("correlation-id", correlation);
    }
    response
}

#[redis_subscriber]
async fn nudged(message: Bytes) -> anyhow::Result<()> {
    let name = std::str::from_utf8(&message)?.to_owned();
    match name.as_str() {
        "fail" => anyhow::bail!("as asked"),
        "trap" => panic!("as asked"),
        _ => increment(&format!("nudged:{name}")).await.map(|_| ()),
    }
}
