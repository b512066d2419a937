//! The way of `docs/plugins.md`, with the code that it prints: from nothing to a plug-in that is
//! checked and holds its vectors, in each language.

use std::fs;
use std::path::Path;

use serde_json::Value;
use xtask::plugin::languages::Language;
use xtask::plugin::{scaffold, trial};

use crate::building::{built, project};
use crate::host;

/// The code in the document's block of this language, without the indentation of its fence. There is
/// one of each.
fn block(language: &str) -> String {
    let text = fs::read_to_string(project().root().join("docs/plugins.md")).unwrap();
    let fence = format!("```{language}");
    let mut lines = text.lines().skip_while(|line| line.trim_start() != fence);
    let indent = lines.next().expect(&fence).find('`').unwrap();
    let code = lines.take_while(|line| line.trim() != "```");
    code.map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect()
}

/// Puts the document's rule in the place of the template's, as a reader would.
fn put(file: &Path, replaced: &[(&str, &str)]) {
    let mut text = fs::read_to_string(file).unwrap();
    for (old, new) in replaced {
        assert_eq!(text.matches(old).count(), 1, "{old} in {}", file.display());
        text = text.replace(old, new);
    }
    fs::write(file, text).unwrap();
}

/// Step 3: a second vector, with the document's answer.
fn expect(vectors: &Path) {
    let mut known: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(vectors).unwrap()).unwrap();
    let mut big = known[0].clone();
    big["name"] = "a big order".into();
    big["question"]["base_amount"] = "20000.00".into();
    big["question"]["amount"] = "20000.00".into();
    big["answer"] = serde_json::from_str(&block("json")).unwrap();
    known.push(big);
    fs::write(vectors, serde_json::to_string_pretty(&known).unwrap()).unwrap();
}

fn works(name: &str, language: Language, code: &str, replaced: &[(&str, &str)]) {
    let made = tempfile::tempdir().unwrap();
    let made = made.path().join(name);
    scaffold::make(&project(), name, language, &made).unwrap();
    let rule = made.join(language.rule());
    put(&rule, replaced);
    assert!(fs::read_to_string(&rule).unwrap().contains(code.trim()));
    expect(&made.join("vectors.json"));
    let plugin = built(&made);
    trial::check(&project(), &host(), &plugin).unwrap();
    trial::test(&project(), &host(), &plugin, &made.join("vectors.json")).unwrap();
}

#[test]
fn the_documents_rule_in_rust_works() {
    let code = block("rust");
    let old =
        "#[must_use]\npub fn judge(_order: &Question) -> Opinion {\n    Opinion::NoOpinion\n}\n";
    let imports = "::approval::{Opinion, Question};\n";
    let more = "::approval::{Opinion, Question, Requirement};\nuse rust_decimal::Decimal;\n";
    works("doc-rust", Language::Rust, &code, &[(old, &code), (imports, more)]);
}

#[test]
fn the_documents_rule_in_javascript_works() {
    let code = block("js");
    let old = "function judge(order) {\n  return { tag: 'no-opinion' };\n}\n";
    works("doc-script", Language::Javascript, &code, &[(old, &code)]);
}

#[test]
fn the_documents_rule_in_python_works() {
    let code = block("py");
    let old = "        return approval.Opinion_NoOpinion()\n";
    works("doc-snake", Language::Python, &code, &[(old, &code)]);
}
