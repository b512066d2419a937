//! Plug-ins built for tests: in a copy under `target/`, once for all tests and again only when
//! something they are made of changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tradewind_tests::hosted;
use xtask::packages::Install;
use xtask::plugin::{self, contract};
use xtask::project::Project;

/// What building leaves in a folder; it is no part of the plug-in.
const LEFT_OVER: [&str; 5] = ["target", "node_modules", ".venv", "__pycache__", "plugin.wasm"];

pub fn project() -> Project {
    hosted::project()
}

/// The plug-in that misbehaves as it is told.
pub fn faulty() -> PathBuf {
    built(&project().root().join("tests/plugins/faulty"))
}

/// The component of a plug-in's folder.
pub fn built(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap();
    let copy = project().root().join("target/plugins").join(name);
    fs::create_dir_all(&copy).unwrap();
    // Tests run at the same time, some in processes of their own.
    let lock = fs::File::create(copy.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let mut parts = BTreeMap::new();
    read(folder, Path::new(""), &mut parts);
    let contract = contract::text(&project()).unwrap().into_bytes();
    parts.insert(PathBuf::from("wit/plugin.wit"), contract);
    if parts.contains_key(Path::new("Cargo.toml")) {
        share_target(&copy);
    }
    let mut same = copy.join("plugin.wasm").is_file();
    for (path, text) in parts {
        let file = copy.join(path);
        if fs::read(&file).is_ok_and(|old| old == text) {
            continue;
        }
        same = false;
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    if same {
        return copy.join("plugin.wasm");
    }
    // A build that fails must not be taken for done by the next test.
    let made = copy.join("plugin.wasm");
    if made.is_file() {
        fs::remove_file(&made).unwrap();
    }
    plugin::build(&project(), Install::Allowed, &copy).unwrap()
}

/// Plug-ins in Rust are built in one folder: they rest on the same crates.
fn share_target(copy: &Path) {
    let shared = project().root().join("target/plugins/rust-target");
    fs::create_dir_all(&shared).unwrap();
    if !copy.join("target").exists() {
        std::os::unix::fs::symlink(shared, copy.join("target")).unwrap();
    }
}

fn read(folder: &Path, path: &Path, parts: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder.join(path)).unwrap() {
        let entry = entry.unwrap();
        let inner = path.join(entry.file_name());
        if LEFT_OVER.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.path().is_dir() {
            read(folder, &inner, parts);
        } else {
            parts.insert(inner, fs::read(entry.path()).unwrap());
        }
    }
}
