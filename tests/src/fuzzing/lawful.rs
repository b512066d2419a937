//! Values that a schema allows: at its bounds, small, usual, and with the ids of what there is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::schema::{resolved, types};
use crate::chance::Chance;

/// How many ids of one kind are kept.
const MOST_IDS: usize = 40;

/// Texts that programs stumble over and that are lawful where any text is.
const TEXTS: [&str; 8] =
    ["why", "Zoë’s ½ 🚢", "\u{202e}abc", "a\nb", "'; DROP TABLE", "{tenant}", "%00", "null"];

/// The ids that there are, by what they are of.
#[derive(Debug, Clone, Default)]
pub struct Ids(BTreeMap<String, Vec<String>>);

impl Ids {
    /// Those of the furnished tenant that nobody needs to look up.
    #[must_use]
    pub fn known() -> Self {
        let mut ids = Self::default();
        for (kind, names) in [
            ("supplier", &["S1", "S2"][..]),
            ("sku", &["X", "Y"]),
            ("node", &["OWN", "FBA"]),
            ("nodes", &["OWN", "FBA"]),
            ("from", &["OWN", "FBA"]),
            ("to", &["OWN", "FBA"]),
            ("channel", &["web", "amazon"]),
            ("order", &["O1"]),
            ("currency", &["USD", "EUR", "JPY"]),
            ("/inventory/v1/protections", &["P-AMZ"]),
            ("/planning/v1/promotions", &["PROMO"]),
        ] {
            names.iter().for_each(|name| ids.learn(kind, name));
        }
        ids
    }

    /// Keeps one more.
    pub fn learn(&mut self, kind: &str, id: &str) {
        let kept = self.0.entry(kind.to_owned()).or_default();
        if kept.len() < MOST_IDS && !kept.iter().any(|known| known == id) {
            kept.push(id.to_owned());
        }
    }

    /// Those of a kind.
    #[must_use]
    pub fn of(&self, kind: &str) -> &[String] {
        self.0.get(kind).map_or(&[], Vec::as_slice)
    }
}

/// Makes values from chance.
pub struct Maker<'a> {
    /// The document in which references are looked up.
    pub document: &'a Value,
    /// What decides.
    pub chance: &'a mut Chance,
    /// What there is.
    pub ids: &'a Ids,
    /// Whether values are usual ones, so that a command made of many of them may be granted.
    pub calm: bool,
}

impl Maker<'_> {
    /// Whether something with these odds, of a hundred, happens.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.chance.below(100) < percent
    }

    /// A value that the schema allows; `name` is that of its field.
    pub fn value(&mut self, schema: &Value, name: &str) -> Value {
        let example = if self.calm { 30 } else { 15 };
        let (document, example) = (self.document, self.happens(example));
        let schema = resolved(document, schema);
        if let Some(shown) = schema.get("example").filter(|_| example) {
            return shown.clone();
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let choice = self.chance.one_of(choices).clone();
            return self.value(&choice, name);
        }
        if let Some(words) = schema["enum"].as_array() {
            return self.chance.one_of(words).clone();
        }
        let types = types(schema);
        let chosen = if types.is_empty() { "any" } else { self.chance.one_of(&types) };
        match chosen {
            "null" => Value::Null,
            "boolean" => json!(self.happens(50)),
            // Most things have one line; a number of chance would seldom be its.
            "integer" if name == "line" && self.calm => json!(1),
            "integer" => self.integer(schema),
            "string" => Value::from(self.text(schema, name)),
            "array" => self.array(schema, name),
            "object" => self.object(schema),
            _ => json!({ "any": [1, "thing"] }),
        }
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let low = schema["minimum"].as_i64().unwrap_or(i64::MIN);
        let high = schema["maximum"].as_i64().unwrap_or(i64::MAX);
        let odds = if self.calm { 5 } else { 0 };
        let drawn = match odds + self.chance.below(10 - odds) {
            0 => low,
            1 => high,
            2 => low.saturating_add(1),
            3 => high.saturating_sub(1),
            4 => 0,
            _ => i64::try_from(self.chance.below(60)).unwrap_or(1),
        };
        json!(drawn.clamp(low, high))
    }

    fn text(&mut self, schema: &Value, name: &str) -> String {
        let known = self.ids.of(name);
        let usual = self.calm;
        match schema["format"].as_str().unwrap_or("") {
            "date" => self.day(),
            "date-time" => format!("{}T12:00:00Z", self.day()),
            "zone" => {
                (*self.chance.one_of(&["UTC", "America/Los_Angeles", "Asia/Kathmandu"])).into()
            }
            "amount" if usual => (*self.chance.one_of(&["12.50", "7", "340.00"])).into(),
            "currency" if usual => "USD".to_owned(),
            "currency" => (*self.chance.one_of(&["USD", "EUR", "JPY", "BHD", "XXX"])).into(),
            "amount" => {
                let amounts = ["0", "0.000001", "12.50", "1000000000000000", "-1", "7", "1.234567"];
                (*self.chance.one_of(&amounts)).into()
            }
            "ratio" if usual => (*self.chance.one_of(&["0.5", "0.95"])).into(),
            "ratio" => (*self.chance.one_of(&["0", "1", "0.5", "0.95", "-0.1", "7.25"])).into(),
            "id" if !known.is_empty() && (usual || self.chance.below(100) < 85) => {
                self.chance.one_of(known).clone()
            }
            "id" => {
                let longest = "L".repeat(64);
                let ids = ["N1", "n.2_~-", "0", "lines", "verify", longest.as_str()];
                (*self.chance.one_of(&ids)).to_owned()
            }
            _ => self.words(schema),
        }
    }

    fn words(&mut self, schema: &Value) -> String {
        let most = schema["maxLength"].as_u64().unwrap_or(500);
        let least = schema["minLength"].as_u64().unwrap_or(0);
        if self.happens(10) {
            return "é".repeat(usize::try_from(most).unwrap_or(1));
        }
        let text = *self.chance.one_of(&TEXTS);
        let length = u64::try_from(text.chars().count()).unwrap_or(0);
        if schema["pattern"].is_string() || length < least || length > most {
            return "w".repeat(usize::try_from(least.max(1)).unwrap_or(1));
        }
        text.to_owned()
    }

    fn day(&mut self) -> String {
        let usual = 1 + self.chance.below(28);
        let odds = if self.calm { 4 } else { 0 };
        match odds + self.chance.below(8 - odds) {
            0 => "2028-02-29".to_owned(),
            1 => "9999-12-31".to_owned(),
            2 | 3 => "1970-01-01".to_owned(),
            4 => format!("2027-01-{usual:02}"),
            _ => format!("2026-12-{usual:02}"),
        }
    }

    fn array(&mut self, schema: &Value, name: &str) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(1000);
        let odds = if self.calm { 2 } else { 0 };
        let count = match odds + self.chance.below(20 - odds) {
            0 => most.min(300),
            1 => least,
            _ => self.chance.between(least.max(1), least.saturating_add(2)).min(most),
        };
        let mut items: Vec<Value> = Vec::new();
        for _ in 0..count {
            let item = self.value(&schema["items"], name);
            if schema["uniqueItems"] != true || !items.contains(&item) {
                items.push(item);
            }
        }
        Value::Array(items)
    }

    fn object(&mut self, schema: &Value) -> Value {
        let mut made = Map::new();
        let needed = |name: &str| {
            schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name))
        };
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            if needed(name) || self.happens(45) {
                made.insert(name.clone(), self.value(member, name));
            }
        }
        if schema["additionalProperties"].is_object() && self.happens(50) {
            let name = self.text(resolved(self.document, &schema["propertyNames"]), "channel");
            made.insert(name, self.value(&schema["additionalProperties"], ""));
        }
        Value::Object(made)
    }
}
