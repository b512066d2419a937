//! Nothing published breaks: the documents are held against those of the published version, and the
//! rules (`tradewind_tests::breaking`) against changes that are known to break, or not to.
//!
//! The published version lies in `tests/published`. `UPDATE=published` on this test puts today's
//! documents there, which is part of publishing a version (`CONTRIBUTING.md`). Beside it the last tag
//! is compared with, where there is one.

#![allow(clippy::unwrap_used, reason = "a test that cannot read what it holds has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tradewind_tests::breaking::{events, openapi, wit};
use xtask::project::DOMAINS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The worlds of the product's own components. A folder of WIT needs a package of its own: the
/// published one has an empty one in their place.
const WORLDS: &str = "worlds.wit";
const NO_WORLDS: &str = "package tradewind:app@0.1.0;\n";

fn published() -> PathBuf {
    root().join("tests/published")
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn now(path: &str) -> Value {
    json(&root().join(path))
}

/// The documents of a version, by the paths that they have in the project.
fn documents() -> Vec<String> {
    let openapi = DOMAINS.iter().map(|domain| format!("components/{domain}/openapi.json"));
    openapi.chain(["docs/events.json".to_owned()]).collect()
}

/// The WIT files that others build against; the worlds, which alone need others' packages, are not.
fn interfaces(of: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(of.join("wit")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "wit")).collect();
    files.retain(|path| !path.ends_with(WORLDS));
    files
}

/// What today's documents break of the version in a folder that is laid out like the project.
fn broken(then: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for path in documents() {
        let compare = if path.ends_with("events.json") { events } else { openapi };
        faults.extend(compare(&json(&then.join(&path)), &now(&path)));
    }
    let old = wit::interfaces(&then.join("wit")).unwrap();
    faults.extend(wit::breaks(&old, &wit::interfaces(&root().join("wit")).unwrap()));
    faults
}

/// Puts today's documents into a folder, laid out as in the project.
fn publish(into: &Path) {
    if into.exists() {
        fs::remove_dir_all(into).unwrap();
    }
    let write = |path: PathBuf, text: String| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for path in documents() {
        // In one line: nobody reads it, everybody's clone has it.
        write(into.join(&path), format!("{}\n", now(&path)));
    }
    write(into.join("wit").join(WORLDS), NO_WORLDS.to_owned());
    for file in interfaces(&root()) {
        let name = file.file_name().unwrap().to_owned();
        write(into.join("wit").join(name), fs::read_to_string(&file).unwrap());
    }
}

#[test]
fn nothing_that_was_published_breaks() {
    if std::env::var_os("UPDATE").is_some_and(|value| value == "published") {
        publish(&published());
    }
    let faults = broken(&published());
    assert!(faults.is_empty(), "against tests/published:\n{}", faults.join("\n"));
}

#[test]
fn what_would_break_the_published_version_is_found() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path());
    assert_eq!(broken(folder.path()), Vec::<String>::new(), "today breaks nothing of today");
    for (file, from, to, fault) in [
        (
            "components/inventory/openapi.json",
            "/inventory/v1/availability\"",
            "/inventory/v1/availabilities\"",
            "/inventory/v1/availabilities: gone",
        ),
        ("docs/events.json", "inventory.reserved", "inventory.claimed", "inventory.claimed: gone"),
        ("wit/finance.wit", "outlook: async func", "view: async func", "view"),
    ] {
        publish(folder.path());
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let faults = broken(folder.path());
        assert!(faults.iter().any(|found| found.contains(fault)), "{file}: {faults:?}");
    }
}

/// What git says.
fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").current_dir(root()).args(arguments).output();
    let output = output.expect("git is not installed");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// The last tag before this state of the project; a tag on it is what is being published. None in a
/// copy without a history, and before the first tag.
fn last_tag() -> Option<String> {
    if !root().join(".git").exists() {
        return None;
    }
    let earlier = ["tag", "--merged", "HEAD", "--no-contains", "HEAD", "--sort=-creatordate"];
    git(&earlier).lines().next().map(ToOwned::to_owned)
}

#[test]
fn nothing_that_the_last_tag_published_breaks() {
    // Before there is one, `tests/published` says alone what must not break.
    let Some(tag) = last_tag() else { return };
    let folder = tempfile::tempdir().unwrap();
    let listed = git(&["ls-tree", "-r", "--name-only", &tag, "components/", "docs/", "wit/"]);
    let wanted = |path: &&str| path.ends_with(".wit") || documents().iter().any(|one| one == path);
    for path in listed.lines().filter(wanted) {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, git(&["show", &format!("{tag}:{path}")])).unwrap();
    }
    let faults = broken(folder.path());
    assert!(faults.is_empty(), "against {tag}:\n{}", faults.join("\n"));
}

/// A document with an operation of each kind.
fn document() -> Value {
    json!({
        "paths": { "/x/v1/orders": {
            "get": {
                "operationId": "getOrders",
                "x-roles": ["admin", "viewer"],
                "parameters": [
                    { "name": "limit", "in": "query", "required": false,
                      "schema": { "type": "integer", "minimum": 1, "maximum": 500 } },
                ],
                "responses": { "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Order" },
                } } } },
            },
            "post": {
                "operationId": "postOrders",
                "x-roles": ["admin", "buyer"],
                "requestBody": { "required": true, "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Draft" },
                } } },
                "responses": { "201": {
                    "headers": { "Location": { "schema": { "type": "string" } } },
                    "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Order" },
                    } },
                } },
            },
        } },
        "components": { "schemas": {
            "Draft": {
                "type": "object", "additionalProperties": false, "required": ["supplier"],
                "properties": {
                    "supplier": { "type": "string", "maxLength": 64 },
                    "note": { "type": ["string", "null"] },
                    "kind": { "type": "string", "enum": ["plain", "rush"] },
                },
            },
            "Order": {
                "type": "object", "required": ["id", "status"],
                "properties": {
                    "id": { "type": "string" },
                    "status": { "type": "string", "enum": ["draft", "released"] },
                    "due": { "oneOf": [{ "type": "null" }, { "type": "string", "format": "date" }] },
                    "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } },
                },
            },
        } },
    })
}

/// The document with one place changed; `null` takes it away.
fn with(path: &str, value: Value) -> Value {
    let mut document = document();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.remove(name).unwrap()),
        value => drop(parent.insert(name.to_owned(), value)),
    }
    document
}

const GET: &str = "/paths/~1x~1v1~1orders/get";
const POST: &str = "/paths/~1x~1v1~1orders/post";
const DRAFT: &str = "/components/schemas/Draft";
const ORDER: &str = "/components/schemas/Order";

#[test]
fn an_openapi_document_breaks_by_these_changes() {
    for (place, value, fault) in [
        (GET.to_owned(), json!(null), "GET /x/v1/orders: gone"),
        (format!("{GET}/operationId"), json!("listOrders"), "its operationId changed"),
        (format!("{GET}/x-roles"), json!(["admin"]), "viewer may no longer"),
        (format!("{GET}/parameters"), json!([]), "the parameter limit is gone"),
        (
            format!("{GET}/parameters"),
            json!([{ "name": "limit", "in": "query", "required": true, "schema": {} }]),
            "is required now",
        ),
        (
            format!("{GET}/parameters"),
            json!([{ "name": "limit", "in": "query",
                     "schema": { "type": "integer", "minimum": 1, "maximum": 100 } }]),
            "maximum was 500 and is 100",
        ),
        (format!("{POST}/responses/201"), json!(null), "no longer answers 201"),
        (format!("{POST}/responses/201/headers/Location"), json!(null), "Location of 201 is gone"),
        (format!("{DRAFT}/required"), json!(["supplier", "kind"]), "kind: is required now"),
        (format!("{DRAFT}/properties/note"), json!(null), "note: gone"),
        (format!("{DRAFT}/properties/note/type"), json!("string"), "the type was"),
        (format!("{DRAFT}/properties/supplier/maxLength"), json!(32), "maxLength was 64"),
        (format!("{DRAFT}/properties/supplier/pattern"), json!("^S"), "the pattern was null"),
        (format!("{DRAFT}/properties/kind/enum"), json!(["plain"]), "the values were"),
        (format!("{ORDER}/properties/id"), json!(null), "id: gone"),
        (format!("{ORDER}/properties/id/type"), json!(null), "the type was"),
        (format!("{ORDER}/required"), json!(["id"]), "status: may be absent now"),
        (
            format!("{ORDER}/properties/status/enum"),
            json!(["draft", "released", "held"]),
            "the values were",
        ),
        (
            format!("{ORDER}/properties/due/oneOf"),
            json!([{ "type": "null" }, { "type": "integer" }]),
            "are new in an answer",
        ),
    ] {
        let faults = openapi(&document(), &with(&place, value));
        assert!(faults.iter().any(|found| found.contains(fault)), "{place}: {fault}: {faults:?}");
    }
}

#[test]
fn an_openapi_document_may_grow() {
    let unchanged: Vec<String> = Vec::new();
    for (place, value) in [
        (format!("{GET}/summary"), json!("Orders by id")),
        (format!("{GET}/x-roles"), json!(["admin", "viewer", "channel"])),
        ("/paths/~1x~1v1~1tick".to_owned(), json!({ "post": { "operationId": "tick" } })),
        (format!("{DRAFT}/properties/extra"), json!({ "type": "integer" })),
        (format!("{DRAFT}/properties/supplier/maxLength"), json!(128)),
        (format!("{DRAFT}/properties/kind/enum"), json!(["plain", "rush", "trial"])),
        (format!("{ORDER}/properties/extra"), json!({ "type": "integer" })),
        (format!("{ORDER}/properties/status/enum"), json!(["draft"])),
    ] {
        assert_eq!(openapi(&document(), &with(&place, value)), unchanged, "{place}");
    }
    assert_eq!(openapi(&document(), &document()), unchanged);
}

#[test]
fn the_published_documents_can_be_compared() {
    for domain in DOMAINS {
        let document = now(&format!("components/{domain}/openapi.json"));
        assert_eq!(openapi(&document, &document), Vec::<String>::new(), "{domain}");
        let bare = json!({ "paths": {} });
        assert!(!openapi(&document, &bare).is_empty(), "{domain}: nothing was looked at");
    }
    let list = now("docs/events.json");
    assert_eq!(events(&list, &list), Vec::<String>::new());
    assert!(!events(&list, &json!({})).is_empty());
    let packages = wit::interfaces(&root().join("wit")).unwrap();
    assert!(packages.values().any(|says| !says.is_empty()), "{packages:?}");
}

#[test]
fn events_keep_their_fields() {
    let list = |data: Value, values: Value| json!({ "events": { "x.made": { "data": data } }, "forms": { "S": { "one of": values } } });
    let old = list(json!({ "id": "text", "units": "integer" }), json!(["on", "off"]));
    for (new, fault) in [
        (json!({ "events": {} }), "x.made: gone"),
        (list(json!({ "id": "text" }), json!(["on", "off"])), "the field units is gone"),
        (list(json!({ "id": "text", "units": "text" }), json!(["on", "off"])), "units was"),
        (list(json!({ "id": "text", "units": "integer" }), json!(["on"])), "S: no off any more"),
        (
            list(json!({ "id": "text", "units": "integer", "by": "text" }), json!(["on", "off"])),
            "must be one that can be absent",
        ),
    ] {
        let faults = events(&old, &new);
        assert!(faults.iter().any(|found| found.contains(fault)), "{fault}: {faults:?}");
    }
    let data = json!({ "id": "text", "units": "integer", "by": "text or null" });
    assert_eq!(events(&old, &list(data, json!(["on", "off", "idle"]))), Vec::<String>::new());
}

#[test]
fn wit_says_for_ever_what_it_said() {
    let read = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.wit"), text).unwrap();
        wit::interfaces(folder.path()).unwrap()
    };
    let packed =
        |items: &str| read(&format!("package tradewind:x@0.1.0; interface i {{ {items} }}"));
    let answer = "record answer { units: u32 }";
    let old = packed(&format!("{answer} of: async func(sku: string) -> answer;"));
    for items in [
        "record answer { units: u32, more: u32 } of: async func(sku: string) -> answer;",
        "record answer { units: u64 } of: async func(sku: string) -> answer;",
        "record answer { units: u32 } of: func(sku: string) -> answer;",
        "record answer { units: u32 } of: async func(item: string) -> answer;",
        "record answer { units: u32 }",
    ] {
        assert_eq!(wit::breaks(&old, &packed(items)).len(), 1, "{items}");
    }
    let more = format!("/// Words.\n{answer} of: async func(sku: string) -> answer; all: func();");
    assert_eq!(wit::breaks(&old, &packed(&more)), Vec::<String>::new());
    let renamed = read("package tradewind:x@0.2.0; interface i { all: func(); }");
    assert_eq!(wit::breaks(&old, &renamed).len(), 1, "the older version is gone");
}
