//! What the host promises to callers and components, on a real component and a real Redis, through
//! either entry.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Answer, Host, at_once, eventually, milliseconds};
use tradewind_host::{Entry, Options, RouteLimits};

/// Holds a host of each entry to the same promise.
fn over_both(change: impl Fn(&mut Options), promise: impl Fn(&Host)) {
    for entry in [Entry::Lean, Entry::WasiHttp] {
        let host = Host::start(|options| {
            options.entry = entry;
            change(options);
        });
        let through = if entry == Entry::Lean { "lean" } else { "wasi:http" };
        assert_eq!(host.get("/guest/entry").body, through);
        promise(&host);
    }
}

#[test]
fn requests_reach_the_component() {
    over_both(
        |_| {},
        |host| {
            assert_eq!(host.get("/guest/hello").body, "hello");
            let body = "x".repeat(200_000);
            assert_eq!(host.post("/guest/echo", body.as_bytes()).body, body);
            let answer = host.send("GET", "/guest/hello", &[("Correlation-Id", "abc")], b"");
            assert_eq!(answer.header("correlation-id"), Some("abc"));
            let missing = host.send("GET", "/elsewhere", &[("Correlation-Id", "abc")], b"");
            assert_eq!(missing.status, 404);
            assert_eq!(missing.header("content-type"), Some("application/problem+json"));
            assert_eq!(missing.json()["code"], "route-unknown");
            assert_eq!(missing.json()["correlation_id"], "abc");
            assert_eq!(host.get("/host/v1/health").json()["status"], "up");
            assert_eq!(host.get("/host/v1/ready").json()["status"], "ready");
            assert_eq!(
                host.get("/guest/variable?nothing").body.split('(').next(),
                Some("Error::Undefined")
            );
            assert_eq!(
                host.get("/guest/variable?Bad").body.split('(').next(),
                Some("Error::InvalidName")
            );
        },
    );
}

#[test]
fn both_entries_give_the_same_answers() {
    let body = "x".repeat(200_000);
    let headers: &[(&str, &str)] = &[
        ("Authorization", "Bearer one"),
        ("Content-Type", "text/plain"),
        ("Correlation-Id", "abc"),
        ("Idempotency-Key", "key"),
        ("If-Match", "\"7\""),
    ];
    type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [u8]);
    let asked: [Asked; 7] = [
        ("GET", "/guest/request?a=b%20c&d", headers, b""),
        ("PUT", "/guest/request", headers, b"body"),
        ("HEAD", "/guest/hello", headers, b""),
        ("DELETE", "/guest/hello", headers, b""),
        ("POST", "/guest/echo", headers, body.as_bytes()),
        ("GET", "/guest/nowhere", headers, b""),
        ("GET", "/guest/trap", headers, b""),
    ];
    let ask = |entry| {
        let host = Host::start(|options| options.entry = entry);
        let answers = asked.map(|(method, path, headers, body)| {
            let mut answer = host.send(method, path, headers, body);
            answer.headers.retain(|(name, _)| name != "date");
            answer.headers.sort();
            answer
        });
        answers.map(|answer| format!("{answer:?}"))
    };
    let (lean, wasi_http) = (ask(Entry::Lean), ask(Entry::WasiHttp));
    for (lean, wasi_http) in lean.iter().zip(&wasi_http) {
        assert_eq!(lean, wasi_http);
    }
}

#[test]
fn the_hosts_own_answers_name_a_correlation() {
    let fresh = |answer: &Answer| {
        let named = answer.header("correlation-id").unwrap().to_owned();
        assert!(named.starts_with("host_"), "{named}");
        named
    };
    let full = Host::start(|options| {
        options.limits.in_flight = 0;
        options.limits.waiting = 0;
    });
    let large = vec![b'x'; 2 << 20];
    let refused =
        [full.get("/elsewhere"), full.post("/guest/echo", &large), full.get("/guest/hello")];
    assert_eq!(refused.each_ref().map(|answer| answer.status), [404, 413, 503]);
    for (answer, detail) in refused.iter().zip([
        "no route leads to this path",
        "a body has at most 1048576 bytes on this path",
        "too many requests are in flight; the same request can be repeated",
    ]) {
        let problem = answer.json();
        assert_eq!(problem["correlation_id"], fresh(answer));
        let kind = format!("urn:tradewind:problem:{}", problem["code"].as_str().unwrap());
        assert_eq!(
            (problem["type"].as_str(), problem["detail"].as_str()),
            (Some(&*kind), Some(detail))
        );
    }
    assert_ne!(fresh(&refused[0]), fresh(&full.get("/elsewhere")));
}

#[test]
fn instances_are_reused_and_interleaved() {
    let host = Host::start(|_| {});
    at_once(64, |_| {
        for _ in 0..50 {
            assert_eq!(host.get("/guest/increment?counter").status, 200);
        }
    });
    assert_eq!(host.redis_query::<u64>(redis::cmd("GET").arg("counter")), 64 * 50);
    let made = host.metric("host_instances_made_total");
    assert!(made < 200.0, "{made} instances for 3,200 requests");
    let waited = Instant::now();
    at_once(64, |_| assert_eq!(host.get("/guest/wait?500").body, "waited"));
    assert!(waited.elapsed() < Duration::from_secs(3), "{:?}", waited.elapsed());
}

#[test]
fn a_slow_request_is_given_up_alone() {
    over_both(
        |options| {
            options.limits.time = milliseconds(600);
            options.limits.idle_instance = milliseconds(300);
        },
        |host| {
            let answers = at_once(9, |index| match index {
                0 => host.get("/guest/wait?60000"),
                _ => host.get("/guest/wait?300"),
            });
            assert_eq!(answers[0].status, 503);
            assert_eq!(answers[0].json()["code"], "time-limit");
            assert_eq!(answers[0].header("retry-after"), Some("1"));
            assert!(answers[1..].iter().all(|answer| answer.body == "waited"), "{answers:?}");
            let start = Instant::now();
            assert_eq!(host.get("/guest/spin").json()["code"], "time-limit");
            assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
            assert_eq!(host.get("/guest/hello").body, "hello");
            eventually("the instances in a loop are gone", || {
                host.metric("host_instances{") == 0.0
            });
        },
    );
}

#[test]
fn a_loop_is_cut_short() {
    over_both(
        |options| options.limits.busy = milliseconds(300),
        |host| {
            let start = Instant::now();
            assert_eq!(host.get("/guest/spin").status, 500);
            assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
            let counted =
                host.post("/guest/eval", b"local n = 0 for i = 1, 60000000 do n = n + i end");
            assert_eq!(counted.status, 200, "waiting is not computing");
        },
    );
}

#[test]
fn a_trap_costs_no_other_caller_its_answer() {
    over_both(
        |_| {},
        |host| {
            host.get("/guest/hello");
            let answers = at_once(8, |index| match index {
                0 => {
                    std::thread::sleep(milliseconds(150));
                    host.get("/guest/trap")
                }
                _ => host.get("/guest/wait?400"),
            });
            assert_eq!(answers[0].status, 500);
            assert_eq!(answers[0].json()["code"], "component-failed");
            assert!(answers[1..].iter().all(|answer| answer.body == "waited"), "{answers:?}");
        },
    );
}

#[test]
fn memory_is_bounded() {
    over_both(
        |options| options.limits.memory_bytes = 32 << 20,
        |host| {
            assert_eq!(host.get("/guest/hoard?1000000").body, "hoarded");
            assert_eq!(host.get("/guest/hoard?100000000").status, 500);
            assert_eq!(host.get("/guest/hello").body, "hello");
        },
    );
}

#[test]
fn bodies_are_bounded_but_where_they_stream() {
    over_both(
        |options| {
            options.limits.routes = vec![RouteLimits {
                prefix: "/guest/length".to_owned(),
                body_bytes: None,
                time: Duration::from_secs(30),
            }];
        },
        |host| {
            let body = vec![b'x'; 3 << 20];
            let refused = host.post("/guest/echo", &body);
            assert_eq!(
                (refused.status, refused.json()["code"].as_str()),
                (413, Some("body-too-large"))
            );
            assert_eq!(host.post("/guest/echo", &body[..1 << 20]).status, 200);
            assert_eq!(host.post("/guest/length", &body).body, body.len().to_string());
        },
    );
}

#[test]
fn a_head_that_is_none_is_refused_in_words() {
    over_both(
        |_| {},
        |host| {
            let many: String = (0..5_000).map(|number| format!("x-{number}: y\r\n")).collect();
            let long = format!("x: {}\r\n", "y".repeat(4 << 20));
            let head = "GET /guest/hello HTTP/1.1\r\nhost: x\r\n";
            for (bytes, status) in [
                (format!("{head}{many}\r\n"), "431"),
                // The caller is still sending when it is refused.
                (format!("{head}{long}\r\n"), "431"),
                ("GET /guest/hello HTTP/1.1\r\nhost x\r\n\r\n".to_owned(), "400"),
                (format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\nab"), "400"),
                (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)), "414"),
            ] {
                let mut stream = TcpStream::connect(host.address).unwrap();
                stream.write_all(bytes.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                let begun: String = bytes.chars().take(60).collect();
                let (got, rest) = answer.split_at(12);
                assert_eq!(got, format!("HTTP/1.1 {status}"), "{begun}");
                assert!(rest.contains("connection: close"), "{rest}");
            }
            assert_eq!(host.get("/guest/hello").body, "hello");
        },
    );
}

#[test]
fn slow_callers_are_cut_off() {
    over_both(
        |options| {
            options.limits.head = milliseconds(300);
            options.limits.time = milliseconds(600);
        },
        |host| {
            let connect = || TcpStream::connect(host.address).unwrap();
            let rest = |mut stream: TcpStream| {
                let mut rest = String::new();
                stream.read_to_string(&mut rest).map(|_| rest)
            };
            // Nothing at all, and a head that does not end; both are closed, without an answer.
            for beginning in ["", "GET /guest/hello HTTP/1.1\r\nhost: x\r\nx-slow: "] {
                let mut stream = connect();
                stream.write_all(beginning.as_bytes()).unwrap();
                assert_eq!(rest(stream).unwrap_or_default(), "", "{beginning}");
            }
            // A head that comes by the byte gains no time by it: the bytes end in a closed connection.
            let mut stream = connect();
            stream.write_all(b"GET /guest/hello HTTP/1.1\r\nx: ").unwrap();
            eventually("cut off", || {
                let mut stream = &stream;
                stream.write_all(b"y").is_err()
            });
            // One that asked and then says nothing.
            let mut stream = connect();
            stream.write_all(b"GET /guest/hello HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            let answer = rest(stream).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
            // A body that does not end is answered.
            let mut stream = connect();
            let head = "POST /guest/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n";
            stream.write_all(format!("{head}abc").as_bytes()).unwrap();
            let answer = rest(stream).unwrap();
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
            assert!(answer.contains("body-too-slow"), "{answer}");
            assert_eq!(host.get("/guest/hello").body, "hello");
        },
    );
}

#[test]
fn too_much_at_once_is_refused() {
    let host = Host::start(|options| {
        options.limits.in_flight = 4;
        options.limits.waiting = 4;
        options.limits.wait = milliseconds(200);
    });
    let answers = at_once(12, |_| host.get("/guest/wait?1000"));
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(503)), (4, 8));
    let refused = answers.iter().find(|answer| answer.status == 503).unwrap();
    assert_eq!(refused.json()["code"], "overloaded");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(host.metric("host_overloaded_total"), 8.0);
    assert_eq!(host.get("/guest/hello").status, 200);
}

#[test]
fn instances_are_retired() {
    over_both(
        |options| {
            options.limits.requests_per_instance = 100;
            options.limits.idle_instance = milliseconds(300);
        },
        |host| {
            let highest =
                (0..350).map(|_| host.get("/guest/count").body.parse::<u64>().unwrap()).max();
            assert!((2..=100).contains(&highest.unwrap()), "{highest:?}");
            assert!(host.metric("host_instances_made_total") >= 4.0);
            eventually("idle instances go", || host.metric("host_instances{") == 0.0);
            assert_eq!(host.metric("host_instances_failed_total"), 0.0);
        },
    );
}

#[test]
fn only_allowed_hosts_are_reached() {
    let host = Host::start(|_| {});
    let url = host.redis.as_ref().unwrap().url();
    assert_eq!(host.get(&format!("/guest/open?{url}")).body, "opened");
    for other in ["redis://127.0.0.1:1", "redis://localhost:6379", "nonsense"] {
        assert_eq!(host.get(&format!("/guest/open?{other}")).body, "Error::InvalidAddress");
    }
    let fetched = host.get(&format!("/guest/fetch?http://{}/host/v1/health", host.address)).body;
    assert!(fetched.contains("HttpRequestDenied"), "{fetched}");
}

#[test]
fn answers_of_redis_are_as_on_spin() {
    let host = Host::start(|_| {});
    let eval = |script: &str| host.post("/guest/eval", script.as_bytes());
    let flat = eval("return {1, {}, {'a', {2}}, false}").body;
    assert_eq!(
        flat,
        "[RedisResult::Int64(1), RedisResult::Binary([97]), RedisResult::Int64(2), RedisResult::Nil]"
    );
    let nested = eval("return {1, redis.error_reply('MYERR code 42')}");
    assert!(nested.status == 502 && nested.body.contains("code 42"), "{nested:?}");
    let slow = eval("local n = 0 for i = 1, 60000000 do n = n + i end return n");
    assert_eq!(slow.status, 200, "{slow:?}");
}
