//! The two ways in which a plug-in runs give the same answers when it is sound, whichever way
//! requests take into the component that asks.

use serde_json::{Value, json};
use tradewind_tests::driver::Driver;
use tradewind_tests::hosted::{Application, Entry, Hosted};

use crate::building::{built, project};
use crate::buying::{ORDERS, draft, order, prepare, sender, sent};

/// Orders by their supplier and quantity, each of which the plug-in judges differently.
const ORDERED: [(&str, u32); 3] = [("S1", 10), ("S1", 1200), ("KP", 10)];

/// What each order's submission answers and leaves behind, with nothing that differs by chance.
fn outcomes(plugin: &str, how: &str, entry: Entry) -> Vec<Value> {
    let plugin = Some(built(&project().root().join("plugins").join(plugin)));
    let arguments = vec!["--plugins".to_owned(), how.to_owned()];
    let mut host =
        Hosted::start_with(Application { entry, plugin, arguments, foreign: None }).unwrap();
    prepare(&mut host, &[("S1", "VN"), ("KP", "KP")]);
    let mut outcomes = Vec::new();
    for (supplier, quantity) in ORDERED {
        let id = draft(&mut host, supplier, quantity);
        let submit = sent("POST", &format!("{ORDERS}/{id}/submit"), &id, Some(json!({})));
        let got = host.send(&sender("buyer"), &submit).unwrap();
        let kept = order(&mut host, &id);
        outcomes.push(json!({
            "status": got.status,
            "code": got.body["code"],
            "detail": got.body["detail"],
            "order": kept["status"],
            "approval": kept["approval"],
        }));
    }
    outcomes
}

/// What comes of these orders, which must be the same in every way.
fn common_outcomes(plugin: &str) -> Vec<Value> {
    let isolated = outcomes(plugin, "isolated", Entry::Lean);
    for (how, entry) in
        [("isolated", Entry::WasiHttp), ("composed", Entry::Lean), ("composed", Entry::WasiHttp)]
    {
        assert_eq!(outcomes(plugin, how, entry), isolated, "{plugin}, {how}, {entry:?}");
    }
    isolated
}

#[test]
fn composed_and_isolated_answer_the_same() {
    let budget = common_outcomes("category-budget");
    let steps: Vec<&Value> = budget.iter().map(|it| &it["approval"]["steps"]).collect();
    assert_eq!(
        steps,
        [&json!(["approver"]), &json!(["approver", "finance"]), &json!(["approver"])]
    );
    let embargo = common_outcomes("embargo");
    let codes: Vec<&Value> = embargo.iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, [&Value::Null, &Value::Null, &json!("plugin-refused")]);
    assert_eq!(embargo[2]["order"], "draft");
}

/// Python alone takes as long to compile as everything else, so each way runs it once.
#[test]
fn composed_and_isolated_answer_the_same_in_python() {
    let isolated = outcomes("quarter-end", "isolated", Entry::Lean);
    assert_eq!(outcomes("quarter-end", "composed", Entry::Lean), isolated);
    let steps: Vec<&Value> = isolated.iter().map(|it| &it["approval"]["steps"]).collect();
    let small = json!(["approver"]);
    assert_eq!(steps, [&small, &json!(["approver", "finance"]), &small]);
}
