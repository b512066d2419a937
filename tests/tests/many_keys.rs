//! A tenant with very many records: no request walks through them all, and neither does a tick.
//!
//! What Redis is asked to do is counted, not timed. The records are made in Redis itself: copies of
//! those that the main job leaves, each in its index.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use serde_json::Value;
use tradewind_tests::driver::{Driver, Sender, Sent};
use tradewind_tests::hosted::Hosted;
use tradewind_tests::story;
use xtask::project::DOMAINS;

const TENANT: &str = "many";

/// Keys: far more than any limit of ours.
const KEYS: u64 = 1_000_000;

/// Copies of each record that one script makes, so that none holds Redis up.
const AT_ONCE: u64 = 5_000;

/// Commands for one request at most: some for each item of a page, and the host's own ticks, which go
/// on meanwhile. A walk through everything would need one for each key at least.
const COMMANDS: u64 = 10_000;

/// Bytes that Redis answers at most, for a page of small records.
const BYTES: u64 = 4 << 20;

/// Copies the record of the first name of each index, `ARGV` times, under names that sort after.
const COPY: &str = "local made = 0 \
    local all = redis.call('KEYS', '{many}:*') \
    for _, index in ipairs(all) do \
      if redis.call('TYPE', index).ok == 'zset' then \
        local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES') \
        if first[2] == '0' then \
          local domain = string.match(index, '^{many}:[^:]*:') \
          local records = {} \
          for _, key in ipairs(all) do \
            local tail = ':' .. first[1] \
            if string.sub(key, 1, #domain) == domain and string.sub(key, -#tail) == tail \
              and redis.call('TYPE', key).ok == 'string' then \
              records[#records + 1] = string.sub(key, 1, -#first[1] - 1) \
            end \
          end \
          for copy = ARGV[1], ARGV[2] do \
            local name = string.format('zz%012d', copy) \
            redis.call('ZADD', index, 0, name) \
            for _, record in ipairs(records) do \
              redis.call('COPY', record .. first[1], record .. name) made = made + 1 \
            end \
          end \
        end \
      end \
    end \
    return made";

fn admin() -> Sender {
    Sender {
        tenant: TENANT.to_owned(),
        role: "admin".to_owned(),
        subject: "auditor".to_owned(),
        bound: None,
    }
}

/// The commands that Redis has run, and the bytes that it has answered, since it was last reset.
fn spent(hosted: &Hosted) -> (u64, u64) {
    let all = hosted.redis("INFO everything").unwrap();
    let number = |text: &str| text.split(',').next().and_then(|it| it.parse::<u64>().ok());
    let calls = all.lines().filter(|line| line.starts_with("cmdstat_"));
    let calls = calls.filter_map(|line| number(line.split_once("calls=")?.1)).sum();
    let bytes = all.lines().find_map(|line| line.strip_prefix("total_net_output_bytes:")).unwrap();
    (calls, bytes.trim().parse().unwrap())
}

/// Sends a request, which is granted, and holds what it costs to the limits.
fn costs_little(hosted: &mut Hosted, method: &str, path: &str, body: Option<Value>) -> Value {
    assert_eq!(hosted.redis("CONFIG RESETSTAT").unwrap(), "+OK");
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), path.to_owned()));
    }
    let body = body.map(|body| body.to_string());
    let sent = Sent { method: method.to_owned(), path: path.to_owned(), headers, body };
    let got = hosted.send(&admin(), &sent).unwrap();
    let (commands, bytes) = spent(hosted);
    assert!((200..300).contains(&got.status), "{method} {path}: {} {}", got.status, got.body);
    assert!(commands <= COMMANDS, "{method} {path} took {commands} commands");
    assert!(bytes <= BYTES, "{method} {path} had {bytes} bytes answered");
    got.body
}

/// The lists without a parameter in their path, from the documents.
fn lists() -> Vec<String> {
    let mut found = Vec::new();
    for domain in DOMAINS {
        let file = format!("{}/../components/{domain}/openapi.json", env!("CARGO_MANIFEST_DIR"));
        let document: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
            let paged = parameters.filter(|one| one["name"] == "limit").count() == 1;
            if paged && !path.contains('{') {
                found.push(path.clone());
            }
        }
    }
    found
}

#[test]
fn a_tenant_of_very_many_keys_is_answered_as_others_are() {
    let mut hosted = Hosted::start().unwrap();
    let main_job = format!("{}/scenarios/main_job.md", env!("CARGO_MANIFEST_DIR"));
    story::play(&mut hosted, TENANT, &fs::read_to_string(main_job).unwrap()).unwrap();
    let (mut made, mut from) = (0, 1);
    while made < KEYS {
        let to = from + AT_ONCE - 1;
        let answer = hosted.redis(&format!("EVAL \"{COPY}\" 0 {from} {to}")).unwrap();
        made += answer.trim_start_matches(':').parse::<u64>().expect(&answer);
        from = to + 1;
    }
    let lists = lists();
    assert!(lists.len() >= 12, "{lists:?}");
    for path in lists {
        let path = if path.ends_with("/offers") { format!("{path}?sku=X&") } else { path + "?" };
        let page = costs_little(&mut hosted, "GET", &format!("{path}limit=50"), None);
        if let Some(next) = page["next"].as_str() {
            let next = next.replace('/', "%2F");
            costs_little(&mut hosted, "GET", &format!("{path}limit=500&after={next}"), None);
        }
    }
    for domain in DOMAINS {
        costs_little(&mut hosted, "POST", &format!("/{domain}/v1/tick"), None);
    }
    let lines = serde_json::json!([{ "sku": "X", "quantity": 1 }]);
    let body = serde_json::json!({ "order": "MANY", "channel": "web", "lines": lines });
    costs_little(&mut hosted, "POST", "/inventory/v1/reservations", Some(body));
    let path = "/inventory/v1/availability?sku=X&channel=web";
    costs_little(&mut hosted, "GET", path, None);
}
