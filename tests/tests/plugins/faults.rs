//! A plug-in that traps, loops, eats memory, sleeps, answers nonsense or says that it cannot judge,
//! on the embedded host: nobody else notices, and the policy says what becomes of the order.

use serde_json::{Value, json};
use tradewind_tests::driver::Driver;
use tradewind_tests::hosted::{Application, Entry, Hosted};

use crate::building::faulty;
use crate::buying::{ORDERS, draft, on_failure, order, prepare, send, sender, sent};

/// How each misbehaves, and what is told of it.
const FAULTS: [(&str, &str); 8] = [
    ("TRAP", "it trapped"),
    ("LOOP", "it took longer than"),
    ("EAT", "it needs more than"),
    ("SLEEP", "it took longer than"),
    ("KING", "`king` is no role that approves"),
    ("MUTE", "is no code in kebab case"),
    ("HOST", "it speaks as its host"),
    ("FAIL", "it says: a test"),
];

/// A supplier for whom the plug-in has no opinion, and one for whom it takes its time to have one.
const SOUND: &str = "S1";
const SLOW: &str = "SLOW";

/// Requests that go on meanwhile, beside orders with sound suppliers.
const OTHERS: [&str; 4] = [
    "/procurement/v1/policies/approval",
    "/procurement/v1/orders",
    "/suppliers/v1/suppliers/S1",
    "/inventory/v1/items/LAMP",
];

/// Orders that are submitted at the same time with a sound supplier.
const SOUND_ORDERS: u32 = 6;

/// Long enough for a sound answer, and to reach the limit of memory, on a machine that is busy with
/// everything else.
const MILLISECONDS: &str = "5000";

/// Little is eaten sooner than much.
const MEBIBYTES: &str = "16";

fn start(entry: Entry) -> Hosted {
    start_with(entry, &["--plugin-milliseconds", MILLISECONDS, "--plugin-mebibytes", MEBIBYTES])
}

fn start_with(entry: Entry, arguments: &[&str]) -> Hosted {
    let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
    let plugin = Some(faulty());
    let mut host =
        Hosted::start_with(Application { entry, plugin, arguments, foreign: None }).unwrap();
    let mut suppliers = vec![(SOUND, "VN"), (SLOW, "VN")];
    suppliers.extend(FAULTS.map(|(name, _)| (name, "VN")));
    prepare(&mut host, &suppliers);
    host
}

fn submit(id: &str) -> tradewind_tests::driver::Sent {
    sent("POST", &format!("{ORDERS}/{id}/submit"), &format!("submit-{id}"), Some(json!({})))
}

/// What of Redis' state a refused command may not change.
fn sequence(host: &mut Hosted) -> Value {
    let events = send(host, "admin", "GET", "/procurement/v1/events?limit=500", None, 200);
    events.body["items"].as_array().unwrap().len().into()
}

#[test]
fn a_failing_plug_in_costs_its_own_orders_alone() {
    costs_its_own_orders_alone(start(Entry::Lean));
}

#[test]
fn a_failing_plug_in_costs_its_own_orders_alone_over_wasi_http() {
    costs_its_own_orders_alone(start(Entry::WasiHttp));
}

fn costs_its_own_orders_alone(mut host: Hosted) {
    let faulty: Vec<String> =
        FAULTS.iter().map(|(supplier, _)| draft(&mut host, supplier, 100)).collect();
    let sound: Vec<String> =
        (1..=SOUND_ORDERS).map(|number| draft(&mut host, SOUND, number)).collect();
    let slow = draft(&mut host, SLOW, 100);
    let before: Vec<Value> = faulty.iter().map(|id| order(&mut host, id)).collect();

    // Everything at once: each fault, sound orders, and requests that ask no plug-in.
    let mut requests: Vec<_> =
        faulty.iter().chain(&sound).chain([&slow]).map(|id| submit(id)).collect();
    for _ in 0..5 {
        requests.extend(OTHERS.map(|path| sent("GET", path, "", None)));
    }
    let events = sequence(&mut host);
    let mut answers = host.race(&sender("admin"), &requests).unwrap().into_iter();
    for (supplier, how) in FAULTS {
        let got = answers.next().unwrap();
        assert_eq!(got.status, 409, "{supplier}: {}", got.body);
        assert_eq!(got.body["code"], "plugin-failed", "{supplier}: {}", got.body);
        let detail = got.body["detail"].as_str().unwrap();
        assert!(detail.contains(how), "{supplier}: {detail}");
    }
    for (got, request) in answers.zip(requests.iter().skip(FAULTS.len())) {
        assert_eq!(got.status, 200, "{}: {}\n{}", request.path, got.body, host.log());
    }

    // Nothing was written for the orders that were refused.
    for (id, before) in faulty.iter().zip(&before) {
        assert_eq!(order(&mut host, id), *before);
    }
    let told = sequence(&mut host).as_u64().unwrap() - events.as_u64().unwrap();
    assert_eq!(told, u64::from(SOUND_ORDERS) + 1, "an event for each order that was submitted");
    // No order can rest on an instance that a fault took with it.
    let approval = order(&mut host, &sound[0])["approval"].clone();
    assert_eq!(approval["advice"], json!({ "roles": [], "because": null, "failed": null }));
    let approval = order(&mut host, &slow)["approval"].clone();
    assert_eq!(approval["steps"], json!(["approver", "finance"]));
    assert_eq!(approval["advice"]["because"], "a test");
    let metrics = host.agent().get(format!("{}/host/v1/metrics", host.base())).call().unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    for outcome in ["trap", "time", "memory", "failed", "answered"] {
        let counted = format!("component=\"procurement\",outcome=\"{outcome}\"");
        assert!(metrics.contains(&counted), "{outcome}: {metrics}");
    }
    let failed = "host_instances_failed_total{component=\"procurement\"} 0";
    assert!(metrics.contains(failed), "an instance of the asker failed: {metrics}");
}

#[test]
fn where_the_policy_says_so_its_own_steps_stand() {
    let mut host = start(Entry::default());
    on_failure(&mut host, "default");
    let orders: Vec<String> =
        FAULTS.iter().map(|(supplier, _)| draft(&mut host, supplier, 100)).collect();
    let requests: Vec<_> = orders.iter().map(|id| submit(id)).collect();
    let answers = host.race(&sender("admin"), &requests).unwrap();
    for ((supplier, how), got) in FAULTS.into_iter().zip(answers) {
        assert_eq!(got.status, 200, "{supplier}: {}", got.body);
        let approval = &got.body["approval"];
        assert_eq!(approval["steps"], json!(["approver"]), "{supplier}");
        let failed = approval["advice"]["failed"].as_str().unwrap();
        assert!(failed.contains(how), "{supplier}: {failed}");
        assert!(approval["because"].as_str().unwrap().ends_with("the plug-in failed"));
    }
}

/// Composed, as on Spin, an answer that its contract does not allow is judged as everywhere.
#[test]
fn composed_nonsense_is_what_the_policy_says() {
    let mut host = start_with(Entry::default(), &["--plugins", "composed"]);
    let nonsense = FAULTS.iter().filter(|(name, _)| ["KING", "MUTE", "FAIL"].contains(name));
    for (policy, status) in [("refuse", 409), ("default", 200)] {
        on_failure(&mut host, policy);
        for (supplier, how) in nonsense.clone() {
            let id = draft(&mut host, supplier, 100);
            let (before, events) = (order(&mut host, &id), sequence(&mut host));
            let got = host.send(&sender("admin"), &submit(&id)).unwrap();
            assert_eq!(got.status, status, "{supplier}: {}", got.body);
            if policy == "refuse" {
                assert_eq!(got.body["code"], "plugin-failed", "{supplier}");
                assert!(got.body["detail"].as_str().unwrap().contains(how), "{}", got.body);
                assert_eq!(order(&mut host, &id), before, "{supplier}");
                assert_eq!(sequence(&mut host), events, "{supplier}");
            } else {
                let approval = &got.body["approval"];
                assert_eq!(approval["steps"], json!(["approver"]), "{supplier}");
                let failed = approval["advice"]["failed"].as_str().unwrap();
                assert!(failed.contains(how), "{supplier}: {failed}");
            }
        }
    }
}

/// Composed, a trap takes the instance that asked with it, whatever the policy says: no answer, no
/// write, and the next request has a fresh one.
#[test]
fn a_composed_trap_costs_its_instance_and_never_a_write() {
    for entry in [Entry::Lean, Entry::WasiHttp] {
        let mut host = start_with(entry, &["--plugins", "composed"]);
        on_failure(&mut host, "default");
        let (trapped, sound) = (draft(&mut host, "TRAP", 100), draft(&mut host, SOUND, 100));
        let (before, events) = (order(&mut host, &trapped), sequence(&mut host));
        let got = host.send(&sender("admin"), &submit(&trapped)).unwrap();
        assert!(got.status >= 500, "{}: {}", got.status, got.body);
        assert_eq!(order(&mut host, &trapped), before);
        assert_eq!(sequence(&mut host), events);
        let got = host.send(&sender("admin"), &submit(&sound)).unwrap();
        assert_eq!(got.status, 200, "{}", got.body);
        assert_eq!(order(&mut host, &trapped), before);
    }
}
