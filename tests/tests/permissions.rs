//! The Redis user that `docs/operations.md` gives: enough for the main job, and no more.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use tradewind_tests::chaos::redis::Server;
use tradewind_tests::hosted::{Application, Hosted};
use tradewind_tests::story;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The command of the document.
fn user() -> String {
    let text = read("docs/operations.md");
    let mut lines = text.lines().map(str::trim).filter(|line| line.starts_with("ACL SETUSER "));
    let line = lines.next().unwrap().to_owned();
    assert_eq!(lines.next(), None, "one user is enough");
    line
}

#[test]
fn the_user_of_the_document_may_do_the_main_job_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Server::start(&folder.path().join("primary"), None).unwrap();
    let _replica = Server::start(&folder.path().join("replica"), Some(redis.port())).unwrap();
    let user = user();
    redis.must(&user).unwrap();
    let address = format!("redis_url=redis://tradewind:PASSWORD@127.0.0.1:{}", redis.port());
    let arguments = ["--variable", &address, "--variable", "wait_replicas=1"].map(str::to_owned);
    let application = Application { arguments: arguments.to_vec(), ..Application::default() };
    let mut hosted = Hosted::start_with(application).unwrap();
    story::play(&mut hosted, "permissions", &read("tests/scenarios/main_job.md")).unwrap();

    let all = redis.must("INFO everything").unwrap();
    let refused = all.lines().find(|line| line.starts_with("errorstat_NOPERM"));
    assert_eq!(refused, None, "something was refused to it");
    let granted: Vec<&str> = user.split(' ').filter_map(|word| word.strip_prefix('+')).collect();
    let is_used = |name: &&str| all.contains(&format!("\ncmdstat_{name}:"));
    let unused: Vec<&str> = granted.iter().copied().filter(|name| !is_used(name)).collect();
    assert!(unused.is_empty(), "the main job needs no {unused:?}");

    for (command, ours) in [
        ("GET {acme}:x", true),
        ("PUBLISH tradewind:beacon x", true),
        ("GET acme:x", false),
        ("SMEMBERS tradewind:others", false),
        ("PUBLISH elsewhere x", false),
        ("SUBSCRIBE elsewhere", false),
        ("KEYS *", false),
        ("SCAN 0", false),
        ("FLUSHALL", false),
        ("FLUSHDB", false),
        ("CONFIG GET requirepass", false),
        ("ACL LIST", false),
        ("EVAL return 0", false),
        ("FUNCTION DELETE x", false),
        ("FUNCTION FLUSH", false),
        ("DEBUG SLEEP 1", false),
        ("SHUTDOWN", false),
        ("REPLICAOF no one", false),
        ("CLIENT LIST", false),
        ("MONITOR", false),
    ] {
        let answer = redis.must(&format!("ACL DRYRUN tradewind {command}")).unwrap();
        assert_eq!(answer == "+OK", ours, "{command}: {answer}");
    }
}
