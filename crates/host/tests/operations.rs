//! What the host promises to who operates it: messages, timer, clock, start, stop, its Redis.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod support;

use std::time::Duration;

use support::{Host, MANIFEST, eventually, milliseconds, options};
use tradewind_host::redis_server::{Fsync, RedisOptions, RedisServer};
use tradewind_host::{Signing, Timer, serve};

#[test]
fn a_message_wakes_the_component() {
    let host = Host::start(|_| {});
    let publish =
        |text: &str| host.redis_query::<u64>(redis::cmd("PUBLISH").arg("nudge").arg(text));
    eventually("subscribed", || publish("one") == 1);
    publish("fail");
    publish("trap");
    publish("two");
    let count = |name: &str| host.redis_query::<Option<u64>>(redis::cmd("GET").arg(name));
    eventually("handled", || count("nudged:two") == Some(1));
    assert_eq!(count("nudged:one"), Some(1));
    assert_eq!(host.metric("host_messages_total{component=\"guest\",outcome=\"failed\"}"), 2.0);
}

#[test]
fn the_timer_ticks_and_the_clock_moves() {
    let timer = |every| Timer { paths: vec!["/guest/tick".to_owned()], every, signing: None };
    let host = Host::start(|options| {
        options.test_clock = true;
        options.timer = Some(timer(milliseconds(50)));
    });
    let ticks = || host.redis_query::<Option<u64>>(redis::cmd("GET").arg("ticks")).unwrap_or(0);
    eventually("ticks", || ticks() > 3);
    drop(host);

    let host = Host::start(|options| {
        options.test_clock = true;
        options.timer = Some(timer(Duration::from_secs(3600)));
    });
    let ticks = || host.redis_query::<Option<u64>>(redis::cmd("GET").arg("ticks")).unwrap_or(0);
    eventually("the first tick", || ticks() == 1);
    let shown = host.post("/host/v1/clock", br#"{"now": "2040-01-01T00:00:00Z"}"#);
    assert_eq!((shown.status, ticks()), (200, 2), "{shown:?}");
    assert!(shown.json()["now"].as_str().unwrap().starts_with("2040-01-01T00:00:0"), "{shown:?}");
    let offset = host.get("/guest/variable?clock_offset_seconds").body;
    assert_eq!(offset, shown.json()["offset_seconds"].to_string());
    assert_eq!(host.post("/host/v1/clock", br#"{"now": 5}"#).status, 400);
    assert_eq!(host.post("/host/v1/clock", br#"{"now": null}"#).json()["offset_seconds"], 0);
    assert_eq!(ticks(), 3);
}

#[test]
fn ticks_are_signed() {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    // PKCS #8 of an Ed25519 key: a fixed head (RFC 8410) and the 32 bytes.
    const HEAD: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let host = Host::start(|options| {
        let file = options.manifest.with_file_name("key");
        std::fs::write(&file, [&HEAD[..], &[7; 32]].concat()).unwrap();
        let signing = Some(Signing::new(&file, "seven", "everyone"));
        let paths = vec!["/guest/tick".to_owned()];
        options.timer = Some(Timer { paths, every: Duration::from_secs(3600), signing });
    });
    let stored = || {
        let stored: Option<String> = host.redis_query(redis::cmd("GET").arg("authorization"));
        stored.unwrap_or_default()
    };
    eventually("a tick", || !stored().is_empty());
    let token = stored().strip_prefix("Bearer ").unwrap().to_owned();
    assert_eq!(decode_header(&token).unwrap().kid.as_deref(), Some("seven"));
    let public = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["everyone"]);
    let key = DecodingKey::from_ed_der(public.as_bytes());
    let claims = decode::<serde_json::Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!(claims["roles"], serde_json::json!(["system"]));
    assert_eq!((claims["sub"].as_str(), claims["tenant"].as_str()), (Some("host"), Some("*")));
}

#[test]
fn a_killed_host_leaves_nothing_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let compiled = options(&folder, MANIFEST).compiled_dir;
    let start = || {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tradewind-host"))
            .args(["--listen", "127.0.0.1:0", "--log", "info"])
            .arg("--manifest")
            .arg(folder.path().join("spin.toml"))
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--compiled")
            .arg(&compiled)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
        let mut lines = lines.map(|line| line.unwrap());
        let line = lines.find(|line| line.contains("\"listening\"")).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        (child, format!("http://{}/guest/increment?counter", line["address"].as_str().unwrap()))
    };
    for round in 1..=4 {
        let (mut child, url) = start();
        let count = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
        assert_eq!(count, round.to_string());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn without_a_test_clock_the_clock_stands() {
    let host = Host::start(|_| {});
    assert_eq!(host.get("/host/v1/clock").json()["offset_seconds"], 0);
    let refused = host.post("/host/v1/clock", br#"{"now": null}"#);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some("clock-fixed")));
}

#[test]
fn a_killed_redis_comes_back_and_nothing_is_lost() {
    let host = Host::start(|_| {});
    assert_eq!(host.get("/guest/increment?counter").body, "1");
    let killed = host.redis.as_ref().unwrap().process_id().unwrap();
    let kill = std::process::Command::new("kill").args(["-9", &killed.to_string()]).status();
    assert!(kill.unwrap().success());
    eventually("ready again", || {
        host.redis.as_ref().unwrap().process_id() != Some(killed)
            && host.get("/host/v1/ready").status == 200
    });
    // Each thread has an instance with a connection of its own, which notices once.
    eventually("the component connects anew and counts on", || {
        host.get("/guest/increment?counter").body.parse::<u64>().is_ok_and(|count| count >= 3)
    });
    let nudged = || host.redis_query::<u64>(redis::cmd("PUBLISH").arg("nudge").arg("again"));
    eventually("subscribed again", || nudged() == 1);
}

#[test]
fn a_stop_waits_for_answers() {
    let mut host = Host::start(|_| {});
    let address = host.address;
    let slow = std::thread::spawn(move || {
        ureq::get(format!("http://{address}/guest/wait?700")).call().unwrap().status().as_u16()
    });
    std::thread::sleep(milliseconds(200));
    let redis = host.redis.take();
    host.stop().unwrap();
    assert_eq!(slow.join().unwrap(), 200);
    assert!(std::net::TcpStream::connect(address).is_err());
    drop(redis);
}

#[test]
fn refusals_to_start_are_one_clear_line() {
    let host = Host::start(|_| {});
    let refusal = |change: &dyn Fn(&mut tradewind_host::Options), manifest: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(&folder, manifest);
        options.variables.insert("redis_url".to_owned(), "redis://127.0.0.1:1".to_owned());
        change(&mut options);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let served = runtime.block_on(serve(options, |_| {}, std::future::ready(())));
        let line = format!("{:#}", served.unwrap_err());
        assert!(!line.contains('\n'), "{line}");
        line
    };
    let taken = refusal(&|options| options.listen = host.address, MANIFEST);
    assert!(taken.contains("is in use; choose another with --listen"), "{taken}");
    let data = host.folder.path().join("data");
    let second = refusal(&|options| options.data_dir = data.clone(), MANIFEST);
    assert!(second.contains("in use by process"), "{second}");
    let unknown = refusal(
        &|_| {},
        &MANIFEST.replace("[component.guest]", "[component.guest]\nsqlite_databases = []"),
    );
    assert!(unknown.contains("`sqlite_databases`"), "{unknown}");
    let missing = refusal(&|options| options.variables.clear(), MANIFEST);
    assert!(missing.contains("`redis_url` needs a value"), "{missing}");
    let unbuilt = refusal(&|_| {}, &MANIFEST.replace("guest.wasm", "other.wasm"));
    assert!(unbuilt.contains("other.wasm"), "{unbuilt}");
}

#[test]
fn a_private_redis_is_alone_in_its_folder_and_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let options = || RedisOptions {
        directory: folder.path().join("redis"),
        port: None,
        fsync: Fsync::Always,
    };
    let first = RedisServer::start(options()).unwrap();
    let second = RedisServer::start(options()).map(|_| ()).unwrap_err();
    assert!(format!("{second:#}").contains("in use by process"), "{second:#}");
    let set = |url: &str, command: &redis::Cmd| -> Option<String> {
        let client = redis::Client::open(url).unwrap();
        command.query(&mut client.get_connection().unwrap()).unwrap()
    };
    set(&first.url(), redis::cmd("SET").arg("key").arg("value"));
    first.stop();
    let third = RedisServer::start(options()).unwrap();
    assert_eq!(set(&third.url(), redis::cmd("GET").arg("key")).as_deref(), Some("value"));
    let taken = RedisOptions {
        directory: folder.path().join("other"),
        port: Some(third.url().rsplit(':').next().unwrap().parse().unwrap()),
        fsync: Fsync::Always,
    };
    let taken = RedisServer::start(taken).map(|_| ()).unwrap_err();
    assert!(format!("{taken:#}").contains("port"), "{taken:#}");
}
