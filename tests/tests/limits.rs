//! Attacks on the product as it ships, over TCP: floods of headers, depth, size, clients that never
//! finish. Each is refused by its own limit, and others are answered meanwhile.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;

use tradewind_tests::driver::{Driver, Sender, Sent};
use tradewind_tests::fuzzing::wrong::DEEP;
use tradewind_tests::hosted::{Entry, Hosted};

/// Clients that begin a request and never end it: as many as may be in flight.
const SLOW: usize = 256;

fn admin() -> Sender {
    Sender {
        tenant: "limits".to_owned(),
        role: "admin".to_owned(),
        subject: "auditor".to_owned(),
        bound: None,
    }
}

fn connect(hosted: &Hosted) -> TcpStream {
    let base = hosted.base();
    TcpStream::connect(base.trim_start_matches("http://")).unwrap()
}

/// The status of the answer to these bytes; none when the connection was closed instead.
fn status(hosted: &Hosted, bytes: &[u8]) -> Option<u16> {
    let mut stream = connect(hosted);
    let _refused_early = stream.write_all(bytes);
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).ok()?;
    String::from_utf8_lossy(&head[9..]).parse().ok()
}

fn put(hosted: &mut Hosted, body: &str) -> u16 {
    let sent = Sent {
        method: "PUT".to_owned(),
        path: "/inventory/v1/items/DEEP".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(body.to_owned()),
    };
    hosted.send(&admin(), &sent).unwrap().status
}

fn works(hosted: &mut Hosted) {
    let (method, path) = ("GET".to_owned(), "/inventory/v1/items".to_owned());
    let sent = Sent { method, path, headers: Vec::new(), body: None };
    assert_eq!(hosted.send(&admin(), &sent).unwrap().status, 200);
}

fn holds(entry: Entry) {
    let mut hosted = Hosted::start_over(entry).unwrap();
    works(&mut hosted);
    for body in [
        "[".repeat(DEEP),
        [r#"{"name":"#.repeat(DEEP), "1".to_owned(), "}".repeat(DEEP)].concat(),
        format!(r#"{{"name":{}{}}}"#, "[".repeat(DEEP), "]".repeat(DEEP)),
    ] {
        assert_eq!(put(&mut hosted, &body), 400, "{} bytes deep", body.len());
    }
    assert_eq!(put(&mut hosted, &format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20))), 413);
    let head = "GET /inventory/v1/items HTTP/1.1\r\nhost: x\r\n";
    let many: String = (0..5_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    let two = "POST /inventory/v1/tick HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\
        content-length: 2\r\n\r\nab";
    let got = [
        format!("{head}{many}\r\n"),
        format!("{head}{long}\r\n"),
        "GET / HTTP/1.1\r\nhost x\r\n\r\n".to_owned(),
        two.to_owned(),
    ]
    .map(|bytes| status(&hosted, bytes.as_bytes()));
    assert_eq!(status(&hosted, format!("{head}\r\n").as_bytes()), Some(401), "one that is well");
    assert_eq!(got, [Some(431), Some(431), Some(400), Some(400)]);
    works(&mut hosted);
    let beginnings: [&[u8]; 2] = [
        b"GET /inventory/v1/items HTTP/1.1\r\nhost: x\r\nx-slow: ",
        b"PUT /inventory/v1/items/S HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
    ];
    let mut slow: Vec<TcpStream> = Vec::new();
    for beginning in beginnings.iter().cycle().take(SLOW) {
        let mut stream = connect(&hosted);
        stream.write_all(beginning).unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        slow.iter_mut().for_each(|stream| stream.write_all(b" ").unwrap());
        works(&mut hosted);
    }
    drop(slow);
    works(&mut hosted);
}

#[test]
fn attacks_meet_their_limits_over_the_lean_entry() {
    holds(Entry::Lean);
}

#[test]
fn attacks_meet_their_limits_over_wasi_http() {
    holds(Entry::WasiHttp);
}
