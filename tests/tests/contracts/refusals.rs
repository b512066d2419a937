//! Every code that a refusal or a fault can have, read from the sources.
//!
//! A code is the text (or the named constant) that is given to one of the few functions that make
//! refusals and faults. `docs/refusals.md` lists each with its statuses and where it is said; a code
//! is a promise to callers, so that adding, renaming or losing one shows as a change of that file.

use std::collections::{BTreeMap, BTreeSet};

use crate::{golden, sources};

/// Where refusals are made.
const FOLDERS: [&str; 3] = ["components", "crates/shell/src", "crates/kernel/src"];

/// Calls that make a refusal or a fault: how each begins, which of its arguments is the code, and
/// the status, if the call itself says it.
const CALLS: &[(&str, usize, &str)] = &[
    ("Refusal::conflict(", 0, "409"),
    ("Refusal::forbidden(", 0, "403"),
    ("Refusal::new(", 1, ""),
    ("Fault::new(", 1, "in `errors`"),
    ("faults.add(", 1, "in `errors`"),
    ("faults.require(", 2, "in `errors`"),
    ("fault(", 1, "in `errors`"),
    ("self.add(", 1, "in `errors`"),
    ("Self::new(", 1, ""),
    ("refused(", 0, "401"),
    ("AskError::Refused(", 0, "of an ask"),
];

#[derive(Default)]
struct Said {
    statuses: BTreeSet<String>,
    places: BTreeSet<String>,
}

/// The arguments of a call whose parenthesis has just opened, roughly: split at commas that lie in
/// no bracket and no text.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    let mut all = vec![String::new()];
    for letter in text.chars() {
        let in_text = quoted;
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => quoted = !quoted,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        all.last_mut().unwrap().push(letter);
    }
    all.into_iter().map(|argument| argument.trim().to_owned()).collect()
}

/// A code as it stands in the source: a text, or a constant whose text is declared in these files.
fn code(argument: &str, constants: &BTreeMap<String, String>) -> Option<String> {
    let argument = argument.trim_end_matches(".to_owned()").trim_end_matches(".into()");
    if let Some(text) = argument.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Some(text.to_owned());
    }
    constants.get(argument.rsplit("::").next()?).cloned()
}

fn status(kind: &str) -> Option<&'static str> {
    Some(match kind.rsplit("::").next()? {
        "Malformed" => "400",
        "Unauthenticated" => "401",
        "Forbidden" => "403",
        "NotFound" => "404",
        "MethodNotAllowed" => "405",
        "Conflict" => "409",
        "Stale" => "412",
        "TooLarge" => "413",
        "MediaType" => "415",
        "Invalid" => "422",
        "Unavailable" => "503",
        _ => return None,
    })
}

/// The kind that was named last before a call: `let kind = RefusalKind::Malformed;`.
fn last_kind(before: &str) -> Option<&'static str> {
    let (_, rest) = before.rsplit_once("RefusalKind::")?;
    status(rest.split(|letter: char| !letter.is_alphanumeric()).next()?)
}

/// The text of a file that ships: without its tests.
fn shipped(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn is_kebab(code: &str) -> bool {
    !code.is_empty()
        && code.split('-').all(|word| {
            !word.is_empty()
                && word.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
        })
}

fn all() -> BTreeMap<String, Said> {
    let files: Vec<(String, String)> = FOLDERS
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|(path, _)| path.contains("/src/") && !path.contains("tests"))
        .collect();
    let mut constants = BTreeMap::new();
    for line in files.iter().flat_map(|(_, text)| shipped(text).lines()) {
        let rest = line.trim().split_once("const ").map(|(_, rest)| rest);
        if let Some((name, value)) = rest.and_then(|rest| rest.split_once(": &str = \"")) {
            constants.insert(name.to_owned(), value.trim_end_matches("\";").to_owned());
        }
    }
    let mut found: BTreeMap<String, Said> = BTreeMap::new();
    for (path, text) in &files {
        let text = shipped(text);
        let owner = path.trim_start_matches("components/").trim_start_matches("crates/");
        let owner = owner.split('/').next().unwrap();
        for (call, place, known) in CALLS {
            for (at, _) in text.match_indices(call) {
                let given = arguments(&text[at + call.len()..]);
                let Some(code) = given.get(*place).and_then(|given| code(given, &constants)) else {
                    continue;
                };
                let status = match *known {
                    "" => status(&given[0]).or_else(|| last_kind(&text[..at])),
                    known => Some(known),
                };
                let said = found.entry(code).or_default();
                said.statuses.extend(status.map(str::to_owned));
                said.places.insert(owner.to_owned());
            }
        }
    }
    found
}

#[test]
fn codes_are_kebab_case() {
    let wrong: Vec<String> = all().into_keys().filter(|code| !is_kebab(code)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_list_of_refusals_is_what_the_code_says() {
    let mut text = String::from(
        "# Refusals\n\n\
         Made by `cargo xtask docs` from the sources; do not edit.\n\n\
         A refusal is a problem body (RFC 9457) with one of these codes, and changes nothing. A code\n\
         of a single fault stands in `code` itself with 422, and so do faults of shape with 400;\n\
         several faults have the code `invalid` and are listed in `errors`, each with its own code\n\
         and a JSON pointer. `of an ask` is what one domain answers another.\n\n\
         | code | status | said by |\n|---|---|---|\n",
    );
    for (code, said) in all() {
        let statuses: Vec<String> = said.statuses.into_iter().collect();
        let places: Vec<String> = said.places.into_iter().collect();
        text.push_str(&format!("| `{code}` | {} | {} |\n", statuses.join(", "), places.join(", ")));
    }
    golden("docs/refusals.md", &text);
}
