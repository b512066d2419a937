//! How it came about: which domain reacted to what, told from the cascade's own events.

use std::collections::BTreeMap;

use serde_json::Value;

use super::heading;
use super::table::{list, paragraph, text};

/// What an event means to a buyer.
const MEANINGS: [(&str, &str); 10] = [
    ("procurement.order-confirmed", "the supplier's new day is on the order"),
    ("inventory.item-pegged", "supply was matched to demand anew"),
    ("inventory.availability-changed", "what channels can take, and what is held for whom"),
    ("planning.promotion-risk-changed", "promotions were measured against what is left"),
    ("planning.options-ranked", "ways out were tried and ranked"),
    ("finance.cash-changed", "the weeks of cash were reckoned anew"),
    ("suppliers.score-changed", "the supplier was scored anew"),
    ("suppliers.line-recorded", "the supplier's record was written"),
    ("reporting.exception-opened", "someone was given something to do"),
    ("reporting.exception-closed", "something to do was done"),
];

/// Events of one type under events of one type.
struct Link {
    parent: Option<String>,
    count: usize,
}

/// Tells it.
pub fn told(cascade: &Value) -> Vec<String> {
    let chain = list(&cascade["chain"]);
    let mut lines = vec![heading("How it came about")];
    let kinds: BTreeMap<String, String> =
        chain.iter().map(|event| (text(&event["id"]), text(&event["type"]))).collect();
    let mut order: Vec<String> = Vec::new();
    let mut links: BTreeMap<String, Link> = BTreeMap::new();
    for event in chain {
        let kind = text(&event["type"]);
        // Several events of a type follow from one another or from the same: the first says whence.
        let parent = event["caused_by"].as_str().and_then(|id| kinds.get(id)).cloned();
        let link = links.entry(kind.clone()).or_insert_with(|| {
            order.push(kind);
            Link { parent, count: 0 }
        });
        link.count += 1;
    }
    for root in order.iter().filter(|kind| links[*kind].parent.is_none()) {
        branch(&mut lines, &order, &links, root, 0);
    }
    let events = chain.len();
    lines.extend(paragraph(&format!("{events} events, each caused by the one it stands under.")));
    lines
}

/// Deeper than any chain of reactions; a circle in the data cannot make the story endless.
const DEEPEST: usize = 8;

fn branch(
    lines: &mut Vec<String>,
    order: &[String],
    links: &BTreeMap<String, Link>,
    kind: &str,
    depth: usize,
) {
    let count = links.get(kind).map_or(0, |link| link.count);
    let times = if count > 1 { format!(" ({count})") } else { String::new() };
    let indent = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
    let event = format!("{indent}{kind}{times}");
    let meaning = MEANINGS.iter().find(|(of, _)| *of == kind).map_or("", |(_, meaning)| meaning);
    lines.push(format!("   {event:<46}{meaning}").trim_end().to_owned());
    if depth < DEEPEST {
        let own = |child: &&String| {
            let parent = links.get(*child).and_then(|link| link.parent.as_deref());
            parent == Some(kind) && child.as_str() != kind
        };
        for child in order.iter().filter(own) {
            branch(lines, order, links, child, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(id: &str, kind: &str, cause: Option<&str>) -> Value {
        json!({ "id": id, "type": kind, "caused_by": cause })
    }

    #[test]
    fn events_stand_under_what_caused_them() {
        let cascade = json!({ "chain": [
            event("1", "procurement.order-confirmed", None),
            event("2", "inventory.item-pegged", Some("1")),
            event("3", "inventory.item-pegged", Some("1")),
            event("4", "finance.cash-changed", Some("2")),
            event("5", "suppliers.score-changed", Some("1")),
        ]});
        let told = told(&cascade).join("\n");
        let lines: Vec<&str> =
            told.lines().skip(3).map(|line| line.get(..44).unwrap_or(line)).collect();
        assert!(lines[0].starts_with("   procurement.order-confirmed "));
        assert!(lines[1].starts_with("   └ inventory.item-pegged (2) "));
        assert!(lines[2].starts_with("     └ finance.cash-changed "));
        assert!(lines[3].starts_with("   └ suppliers.score-changed "));
    }
}
