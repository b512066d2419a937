//! Partners' plug-ins: the default and the worked examples, built by their languages' own tools, and
//! what becomes of orders when a plug-in misbehaves.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "plugins/building.rs"]
mod building;
#[path = "plugins/buying.rs"]
mod buying;
#[path = "plugins/document.rs"]
mod document;
#[path = "plugins/faults.rs"]
mod faults;
#[path = "plugins/modes.rs"]
mod modes;

use building::{built, project};
use tradewind_tests::hosted;
use xtask::plugin::trial;

fn host() -> std::path::PathBuf {
    hosted::program(&project()).unwrap()
}

/// A worked example is what the documents say of it.
fn holds(name: &str) {
    let plugin = built(&project().root().join("plugins").join(name));
    trial::check(&project(), &host(), &plugin).unwrap();
    let vectors = project().root().join("plugins").join(name).join("vectors.json");
    trial::test(&project(), &host(), &plugin, &vectors).unwrap();
}

#[test]
fn the_default_may_be_attached() {
    trial::check(&project(), &host(), &project().default_plugin()).unwrap();
}

#[test]
fn the_example_in_rust_holds() {
    holds("category-budget");
}

#[test]
fn the_example_in_javascript_holds() {
    holds("embargo");
}

#[test]
fn the_example_in_python_holds() {
    holds("quarter-end");
}

/// The way of `docs/plugins.md`, from nothing. The Rust template is the default plug-in, which the
/// build compiles anyway.
#[test]
fn a_new_plug_in_works_as_it_is() {
    use xtask::plugin::languages::Language;
    for (language, name) in [(Language::Javascript, "new-script"), (Language::Python, "new-snake")]
    {
        let made = tempfile::tempdir().unwrap();
        let made = made.path().join(name);
        xtask::plugin::scaffold::make(&project(), name, language, &made).unwrap();
        let plugin = built(&made);
        trial::check(&project(), &host(), &plugin).unwrap();
        trial::test(&project(), &host(), &plugin, &made.join("vectors.json")).unwrap();
    }
}

#[test]
fn what_may_not_be_attached_is_told_why() {
    let faulty = building::faulty();
    let vectors = tempfile::NamedTempFile::new().unwrap();
    let golden: serde_json::Value = serde_json::from_str(trial::GOLDEN).unwrap();
    let vector = |supplier: &str| {
        let mut vector = golden[0].clone();
        vector["question"]["supplier"] = supplier.into();
        vector["name"] = supplier.into();
        vector["answer"] = "no-opinion".into();
        vector
    };
    let text = serde_json::json!([vector("TRAP"), vector("KING"), vector("S1")]).to_string();
    std::fs::write(vectors.path(), text).unwrap();
    let error = trial::test(&project(), &host(), &faulty, vectors.path()).unwrap_err();
    assert_eq!(error.to_string(), "2 of 3 vectors fail");
    // One golden question that has no lawful answer is enough, and it is named.
    for (supplier, how) in [("TRAP", "it trapped"), ("KING", "`king`"), ("FAIL", "it says")] {
        let mut questions = golden.clone();
        questions[1]["question"]["supplier"] = supplier.into();
        let name = questions[1]["name"].as_str().unwrap().to_owned();
        let error = trial::check_on(&project(), &host(), &faulty, &questions.to_string());
        let error = error.unwrap_err().to_string();
        assert!(error.contains("may not be attached"), "{error}");
        assert!(error.contains(&name) && error.contains(how), "{error}");
    }
    trial::check_on(&project(), &host(), &faulty, &golden.to_string()).unwrap();
    let domain = project().component("suppliers");
    let error = trial::check(&project(), &host(), &domain).unwrap_err();
    assert!(error.to_string().contains("imports what a plug-in may not"), "{error}");
}
