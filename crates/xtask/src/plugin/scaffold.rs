//! `plugin new`: a folder with a plug-in that works.
//!
//! What builds it is taken from the worked examples in `plugins/`, so that there is one set of
//! pinned tools; the rule is the default's, which has no opinion.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::contract;
use super::languages::Language;
use crate::project::Project;

/// A file of a new plug-in: its path and its text.
type Template = (&'static str, &'static str);

/// The default plug-in, which is the template in Rust.
const RUST_RULE: &str = include_str!("../../../../components/defaults/approval/src/lib.rs");

const RUST: [Template; 1] =
    [("Cargo.toml", include_str!("../../../../plugins/category-budget/Cargo.toml"))];
const RUST_LOCK: &str = include_str!("../../../../plugins/category-budget/Cargo.lock");
const RUST_EXAMPLE: &str = "category-budget";

const JAVASCRIPT: [Template; 4] = [
    ("package.json", include_str!("../../../../plugins/embargo/package.json")),
    ("package-lock.json", include_str!("../../../../plugins/embargo/package-lock.json")),
    ("build.js", include_str!("../../../../plugins/embargo/build.js")),
    ("plugin.js", include_str!("../../templates/plugin.js")),
];
const JAVASCRIPT_EXAMPLE: &str = "embargo";

const PYTHON: [Template; 2] = [
    ("requirements.txt", include_str!("../../../../plugins/quarter-end/requirements.txt")),
    ("plugin.py", include_str!("../../templates/plugin.py")),
];

/// What git leaves out of a plug-in's folder.
const IGNORED: &str = "/plugin.wasm\n/target/\n/node_modules/\n/.venv/\n__pycache__/\n";

/// The question of a new plug-in's one vector: the first golden one.
const VECTOR: &str = "an ordinary order";

/// Makes the folder. Nothing is written where there is something already.
pub fn make(project: &Project, name: &str, language: Language, dir: &Path) -> Result<()> {
    check_name(name)?;
    let taken = dir.exists() && fs::read_dir(dir).map_or(true, |mut it| it.next().is_some());
    ensure!(!taken, "{} is there already and is not empty", dir.display());
    let renamed = |files: &[Template], example: Option<&str>| -> Vec<(String, String)> {
        let own = |text: &str| example.map_or(text.to_owned(), |old| text.replace(old, name));
        files.iter().map(|(path, text)| ((*path).to_owned(), own(text))).collect()
    };
    let mut files = match language {
        Language::Rust => {
            let mut files = renamed(&RUST, Some(RUST_EXAMPLE));
            files.push(("Cargo.lock".to_owned(), lock(name)));
            let rule = RUST_RULE.replace("path: \"../../../wit\"", "path: \"wit\"");
            files.push(("src/lib.rs".to_owned(), rule));
            files
        }
        Language::Javascript => renamed(&JAVASCRIPT, Some(JAVASCRIPT_EXAMPLE)),
        Language::Python => renamed(&PYTHON, None),
    };
    files.push(("wit/plugin.wit".to_owned(), contract::text(project)?));
    files.push(("vectors.json".to_owned(), vectors()?));
    files.push((".gitignore".to_owned(), IGNORED.to_owned()));
    for (path, text) in files {
        let file = dir.join(path);
        let folder = file.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// A name that cargo and npm take.
fn check_name(name: &str) -> Result<()> {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
    };
    let lawful = name.starts_with(|it: char| it.is_ascii_lowercase()) && name.split('-').all(word);
    ensure!(lawful, "`{name}` is no name: words of small letters and digits, joined by hyphens");
    Ok(())
}

/// The example's lock file for a package of another name: cargo keeps packages in the order of their
/// names, and takes no other order for locked.
fn lock(name: &str) -> String {
    const PACKAGE: &str = "[[package]]\n";
    let renamed = RUST_LOCK.replace(RUST_EXAMPLE, name);
    let mut parts: Vec<&str> = renamed.split(PACKAGE).collect();
    let packages = parts.split_off(1);
    let mut packages: Vec<String> =
        packages.into_iter().map(|package| package.trim_end().to_owned() + "\n").collect();
    packages.sort_by(|left, right| left.lines().next().cmp(&right.lines().next()));
    let packages: Vec<String> =
        packages.into_iter().map(|package| PACKAGE.to_owned() + &package).collect();
    parts.concat() + &packages.join("\n")
}

fn vectors() -> Result<String> {
    let golden: Vec<serde_json::Value> = serde_json::from_str(super::trial::GOLDEN)?;
    let mut vector = golden
        .into_iter()
        .find(|vector| vector["name"] == VECTOR)
        .context("the golden vectors have no ordinary order")?;
    vector["answer"] = "no-opinion".into();
    Ok(serde_json::to_string_pretty(&[vector])? + "\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_lock_file_is_in_cargos_order() {
        assert_eq!(lock(RUST_EXAMPLE), RUST_LOCK);
        let names: Vec<String> = lock("zz-last")
            .lines()
            .filter_map(|line| line.strip_prefix("name = ").map(str::to_owned))
            .collect();
        assert!(names.is_sorted() && names.last().unwrap().contains("zz-last"));
    }

    #[test]
    fn each_language_gets_what_it_is_built_with() {
        let project = Project::here().unwrap();
        for (language, files) in [
            (Language::Rust, ["Cargo.toml", "Cargo.lock", "src/lib.rs"].as_slice()),
            (Language::Javascript, &["package.json", "package-lock.json", "build.js", "plugin.js"]),
            (Language::Python, &["requirements.txt", "plugin.py"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("mine");
            make(&project, "no-mugs", language, &dir).unwrap();
            for file in files.iter().chain(&["wit/plugin.wit", "vectors.json", ".gitignore"]) {
                let text = fs::read_to_string(dir.join(file)).unwrap();
                let foreign = text.contains(RUST_EXAMPLE) || text.contains("\"embargo\"");
                assert!(!foreign, "{file} is the example's");
                assert!(!text.contains("../../../wit"), "{file}");
            }
            assert_eq!(Language::of(&dir).unwrap(), language);
            let again = make(&project, "no-mugs", language, &dir).unwrap_err();
            assert!(again.to_string().contains("there already"));
        }
        for name in ["", "No", "a_b", "-a", "1a", "a--b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
