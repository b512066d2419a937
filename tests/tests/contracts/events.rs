//! The registry of events: every type, who reacts to it, and the form of its data.
//!
//! The list is read from the source of the kernel's `events/`, whose files are small and alike: a
//! documented struct for each payload, and the types at the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tradewind_kernel::event::{Domain, REACTIONS, reactors};

use crate::{golden, sources};

/// What every domain can say, and its struct: the type begins with the domain.
const SHARED: [(&str, &str); 4] = [
    ("access-refused", "AccessRefused"),
    ("event-parked", "EventParked"),
    ("event-dismissed", "EventDismissed"),
    ("event-replayed", "EventReplayed"),
];

/// A struct or an enum as its source has it.
#[derive(Debug, Clone, Default)]
struct Form {
    what: String,
    /// Name, type, and whether its fields belong to the struct around it.
    fields: Vec<(String, String, bool)>,
    variants: Vec<String>,
}

/// What the kernel's `events/` say.
struct Kernel {
    /// The type of each payload, its struct, and the file that declares it.
    types: Vec<(String, String, String)>,
    forms: BTreeMap<String, Form>,
}

fn kernel() -> Kernel {
    let mut kernel = Kernel { types: Vec::new(), forms: BTreeMap::new() };
    for (path, text) in sources("crates/kernel/src/events") {
        let file = path.rsplit('/').next().unwrap().trim_end_matches(".rs").to_owned();
        read_forms(&text, &mut kernel.forms);
        let list = text.split("\npayloads! {").nth(1).unwrap_or("");
        for line in list.lines() {
            if let Some((name, kind)) = line.split_once("=>") {
                let kind = kind.trim().trim_matches([',', '"']).to_owned();
                kernel.types.push((kind, name.trim().to_owned(), file.clone()));
            }
        }
    }
    kernel
}

/// Every type of the six domains' own payloads.
pub fn payload_types() -> BTreeSet<String> {
    kernel().types.into_iter().map(|(kind, ..)| kind).collect()
}

fn read_forms(text: &str, forms: &mut BTreeMap<String, Form>) {
    let mut what = Vec::new();
    let mut open: Option<(String, Form)> = None;
    let mut flat = false;
    let mut of_orders = false;
    for line in text.lines() {
        let bare = line.trim();
        of_orders = (of_orders || bare.starts_with("order_events! {")) && line != "}";
        if line == "}" {
            if let Some((name, form)) = open.take() {
                assert!(forms.insert(name.clone(), form).is_none(), "two forms are called {name}");
            }
        } else if let Some(words) = bare.strip_prefix("/// ") {
            if open.is_none() {
                what.push(words.to_owned());
            }
        } else if let Some(rest) = line
            .strip_prefix("pub struct ")
            .or_else(|| line.strip_prefix("pub enum "))
            .filter(|rest| rest.ends_with('{'))
        {
            let name = rest.trim_end_matches('{').trim().to_owned();
            let form = Form { what: what.join(" "), ..Form::default() };
            (open, what) = (Some((name, form)), Vec::new());
        } else if of_orders && bare.ends_with(',') && !bare.starts_with('#') {
            let fields = vec![("order".to_owned(), "OrderState".to_owned(), true)];
            let form = Form { what: what.join(" "), fields, variants: Vec::new() };
            let name = bare.trim_end_matches(',').to_owned();
            assert!(forms.insert(name.clone(), form).is_none(), "two forms are called {name}");
            what.clear();
        } else if bare == "#[serde(flatten)]" {
            flat = true;
        } else if let Some((_, form)) = &mut open {
            let entry = bare.trim_end_matches(',');
            if let Some((name, kind)) =
                entry.strip_prefix("pub ").and_then(|rest| rest.split_once(": "))
            {
                form.fields.push((name.to_owned(), kind.to_owned(), std::mem::take(&mut flat)));
            } else if entry.chars().all(char::is_alphanumeric) && !entry.is_empty() {
                form.variants.push(kebab(entry));
            }
        } else if bare.is_empty() {
            what.clear();
        }
    }
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for (place, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            out.push('-');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// A type in the words of JSON.
fn in_words(kind: &str) -> String {
    let inner = |prefix: &str| kind.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    if let Some(kind) = inner("Option<") {
        return format!("{} or null", in_words(kind));
    }
    if let Some(kind) = inner("Vec<") {
        return format!("list of {}", in_words(kind));
    }
    if let Some((key, value)) = inner("BTreeMap<").and_then(|rest| rest.split_once(", ")) {
        return format!("{} by {}", in_words(value), in_words(key));
    }
    match kind.rsplit("::").next().unwrap_or(kind) {
        "Quantity" | "u32" | "u64" | "i64" => "integer".to_owned(),
        "String" => "text".to_owned(),
        "bool" => "boolean".to_owned(),
        "Value" => "any".to_owned(),
        name => name.to_owned(),
    }
}

fn fields(kernel: &Kernel, form: &Form, used: &mut BTreeSet<String>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, kind, flat) in &form.fields {
        let inside = kernel.forms.get(kind).filter(|_| *flat);
        if let Some(inside) = inside {
            out.extend(fields(kernel, inside, used));
            continue;
        }
        let words = in_words(kind);
        let names = words.split(' ').filter(|word| kernel.forms.contains_key(*word));
        used.extend(names.map(str::to_owned));
        out.insert(name.clone(), json!(words));
    }
    out
}

fn described(kernel: &Kernel) -> Value {
    let mut used = BTreeSet::new();
    let mut events = Map::new();
    let mut all: Vec<(String, String)> =
        kernel.types.iter().map(|(kind, name, _)| (kind.clone(), name.clone())).collect();
    for domain in Domain::ALL {
        all.extend(SHARED.map(|(what, name)| (format!("{domain}.{what}"), name.to_owned())));
    }
    all.sort();
    for (kind, name) in all {
        let form = kernel.forms.get(&name).unwrap_or_else(|| panic!("{name} has no struct"));
        let data = fields(kernel, form, &mut used);
        let who: Vec<&str> = reactors(&kind).map(Domain::name).collect();
        events.insert(kind, json!({ "what": form.what, "reacts": who, "data": data }));
    }
    let mut forms = Map::new();
    let mut waiting: Vec<String> = used.iter().cloned().collect();
    while let Some(name) = waiting.pop() {
        let form = &kernel.forms[&name];
        let mut more = BTreeSet::new();
        let value = if form.variants.is_empty() {
            json!({ "what": form.what, "fields": fields(kernel, form, &mut more) })
        } else {
            json!({ "what": form.what, "one of": form.variants })
        };
        forms.insert(name, value);
        waiting.extend(more.into_iter().filter(|name| used.insert(name.clone())));
    }
    json!({ "events": events, "forms": forms })
}

#[test]
fn the_list_of_events_is_what_the_kernel_says() {
    let text = serde_json::to_string_pretty(&described(&kernel())).unwrap() + "\n";
    golden("docs/events.json", &text);
}

#[test]
fn every_type_is_declared_once_by_its_own_domain() {
    let mut seen = BTreeSet::new();
    for (kind, name, file) in kernel().types {
        let (domain, _) = kind.split_once('.').unwrap_or(("", ""));
        assert_eq!(domain, file, "{name} lies in events/{file}.rs but is called {kind}");
        assert!(domain.parse::<Domain>().is_ok(), "{kind}: there is no domain {domain}");
        assert!(seen.insert(kind.clone()), "two payloads are called {kind}");
    }
    assert!(!seen.is_empty(), "the kernel declares no payload that this test can read");
}

#[test]
fn reactions_name_types_that_exist() {
    let types = payload_types();
    let mut seen = BTreeSet::new();
    for (kind, who) in REACTIONS {
        let replayed = kind
            .strip_suffix(".event-replayed")
            .is_some_and(|domain| domain.parse::<Domain>().is_ok_and(|domain| who == &[domain]));
        assert!(types.contains(*kind) || replayed, "nobody can say {kind}");
        assert!(seen.insert(*kind), "{kind} is listed twice");
        let distinct: BTreeSet<&Domain> = who.iter().collect();
        assert_eq!(distinct.len(), who.len(), "{kind} names a domain twice");
        assert!(!who.contains(&Domain::Reporting), "{kind}: reporting reacts to everything");
    }
}
