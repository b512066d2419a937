//! Two versions of the WIT packages. WIT types are closed: a record with one more field is another
//! type, which a program built against the older one cannot read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use wit_component::WitPrinter;
use wit_parser::Resolve;

/// The packages that others build against; the worlds are the project's own affair.
const PUBLISHED: &str = "tradewind";
const WORLDS: &str = "app";

/// What an interface says: its functions and types, each as WIT text without words.
type Says = BTreeSet<String>;

/// The interfaces of every published package, by `package@version/interface`.
///
/// # Errors
/// The folder does not parse.
pub fn interfaces(folder: &Path) -> Result<BTreeMap<String, Says>> {
    let mut resolve = Resolve::default();
    resolve.push_dir(folder).with_context(|| format!("{} does not parse", folder.display()))?;
    let mut found = BTreeMap::new();
    for (id, package) in resolve.packages.iter() {
        let name = &package.name;
        if name.namespace != PUBLISHED || name.name == WORLDS {
            continue;
        }
        let mut printer = WitPrinter::default();
        printer.emit_docs(false);
        printer.print(&resolve, id, &[])?;
        for (interface, says) in read(&printer.output.to_string()) {
            found.insert(format!("{name}/{interface}"), says);
        }
    }
    Ok(found)
}

/// The interfaces of printed WIT: what stands one level inside `interface … { }` is an item.
fn read(text: &str) -> BTreeMap<String, Says> {
    let mut found: BTreeMap<String, Says> = BTreeMap::new();
    let (mut interface, mut item, mut depth) = (String::new(), String::new(), 0_usize);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("interface ").filter(|_| depth == 0) {
            interface = rest.trim_end_matches('{').trim().to_owned();
            found.entry(interface.clone()).or_default();
        } else if depth > 0 {
            item.push_str(line);
        }
        let opens = line.matches('{').count();
        let closes = line.matches('}').count();
        depth = (depth + opens).saturating_sub(closes);
        if depth == 1 && !item.is_empty() {
            found.entry(interface.clone()).or_default().insert(std::mem::take(&mut item));
        } else if depth == 0 {
            item.clear();
        }
    }
    found
}

/// What the newer packages no longer say as the older ones did.
#[must_use]
pub fn breaks(old: &BTreeMap<String, Says>, new: &BTreeMap<String, Says>) -> Vec<String> {
    let mut faults = Vec::new();
    for (interface, before) in old {
        match new.get(interface) {
            None => faults.push(format!("{interface}: gone")),
            Some(after) => {
                let lost = before.difference(after);
                faults.extend(lost.map(|item| format!("{interface}: changed or gone: {item}")));
            }
        }
    }
    faults
}
