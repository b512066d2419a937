//! Writes laid over what was read: how the effect of one event is seen by the next before either is
//! committed.

use tradewind_kernel::decision::Write;

use super::Gather;
use crate::store::{Found, Read, Versioned};
use crate::world::World;

/// Writes that what is read shows though they are not committed.
#[derive(Default)]
pub(super) struct Laid {
    writes: Vec<Write>,
    /// Something that was read does not show them.
    unsure: bool,
}

impl Laid {
    /// Makes what is read now show them all.
    pub(super) fn show_in(&mut self, read: &Read, found: &mut Found) {
        for write in &self.writes {
            self.unsure |= !shows(write, read, found);
        }
    }
}

impl<W: World> Gather<'_, W> {
    /// Lets everything that is read from now on, and what was read before, show these writes. The
    /// witnesses stay those of what is stored. A record shows the version that it has in the store.
    pub(crate) fn lay(&self, writes: &[Write]) {
        let mut memory = self.memory.borrow_mut();
        let memory = &mut *memory;
        for (read, found) in &mut memory.known {
            for write in writes {
                memory.laid.unsure |= !shows(write, read, found);
            }
        }
        memory.laid.writes.extend(writes.iter().cloned());
    }

    /// Whether what was read shows all that was laid over it: a page of an index and a mark do not.
    pub(crate) fn is_sure(&self) -> bool {
        !self.memory.borrow().laid.unsure
    }
}

/// Makes an answer show a write; false when it cannot.
fn shows(write: &Write, read: &Read, found: &mut Found) -> bool {
    match (write, read, found) {
        (Write::Put { key, value }, Read::Record { key: of }, Found::Record(record))
            if key == of =>
        {
            let version = record.as_ref().map_or(0, |record| record.version);
            *record = Some(Versioned { version, json: value.clone() });
        }
        (Write::Delete { key }, Read::Record { key: of }, Found::Record(record)) if key == of => {
            *record = None;
        }
        (Write::PutMember { set, member, value }, Read::Set { key }, Found::Set(_, members))
            if set == key =>
        {
            members.insert(member.clone(), value.clone());
        }
        (Write::DeleteMember { set, member }, Read::Set { key }, Found::Set(_, members))
            if set == key =>
        {
            members.remove(member);
        }
        (
            Write::PutMember { set, member, .. } | Write::DeleteMember { set, member },
            Read::Members { key, members },
            Found::Members(_, values),
        ) => {
            let value = match write {
                Write::PutMember { value, .. } => Some(value.clone()),
                _ => None,
            };
            let places =
                members.iter().zip(values).filter(|(name, _)| set == key && *name == member);
            places.for_each(|(_, kept)| kept.clone_from(&value));
        }
        (Write::Add { counters, field, delta }, Read::Counters { key }, Found::Counters(group))
            if counters == key =>
        {
            let value = group.entry(field.clone()).or_default();
            *value = value.saturating_add(*delta);
        }
        (
            Write::Add { counters, field, delta },
            Read::CounterFields { key, fields },
            Found::CounterFields(values),
        ) => {
            let places =
                fields.iter().zip(values).filter(|(name, _)| counters == key && *name == field);
            places.for_each(|(_, value)| *value = value.saturating_add(*delta));
        }
        (
            Write::Index { index, .. } | Write::Unindex { index, .. },
            Read::List { index: of, .. } | Read::Due { index: of, .. },
            _,
        ) => return index != of,
        (Write::Mark { .. }, Read::Mark { .. } | Read::Marks { .. }, _) => return false,
        _ => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_read_shows_what_was_written_there_and_nothing_else() {
        let text = str::to_owned;
        let put = |key: &str| Write::Put { key: text(key), value: text("2") };
        let member = |set: &str, member: &str| Write::PutMember {
            set: text(set),
            member: text(member),
            value: text("2"),
        };
        let gone =
            |set: &str, member: &str| Write::DeleteMember { set: text(set), member: text(member) };
        let add = |group: &str| Write::Add { counters: text(group), field: text("f"), delta: 5 };
        let record = |json: Option<&str>| {
            let version = if json == Some("2") { 0 } else { 7 };
            Found::Record(json.map(|json| Versioned { version, json: text(json) }))
        };
        let set = |members: &[(&str, &str)]| {
            Found::Set(7, members.iter().map(|(name, json)| (text(name), text(json))).collect())
        };
        let some = |values: &[Option<&str>]| {
            Found::Members(7, values.iter().map(|value| value.map(text)).collect())
        };
        let counters = |value: i64| Found::Counters(BTreeMap::from([(text("f"), value)]));
        let of = Read::Record { key: text("k") };
        let whole = Read::Set { key: text("k") };
        let members = Read::Members { key: text("k"), members: vec![text("a"), text("b")] };
        let group = Read::Counters { key: text("k") };
        let fields = Read::CounterFields { key: text("k"), fields: vec![text("g"), text("f")] };
        let cases = [
            (put("k"), &of, record(None), record(Some("2"))),
            (put("other"), &of, record(Some("1")), record(Some("1"))),
            (Write::Delete { key: text("k") }, &of, record(Some("1")), record(None)),
            (member("k", "a"), &whole, set(&[("a", "1")]), set(&[("a", "2")])),
            (member("x", "a"), &whole, set(&[("a", "1")]), set(&[("a", "1")])),
            (gone("k", "a"), &whole, set(&[("a", "1"), ("b", "1")]), set(&[("b", "1")])),
            (member("k", "b"), &members, some(&[Some("1"), None]), some(&[Some("1"), Some("2")])),
            (gone("k", "a"), &members, some(&[Some("1"), None]), some(&[None, None])),
            (gone("x", "a"), &members, some(&[Some("1"), None]), some(&[Some("1"), None])),
            (add("k"), &group, counters(1), counters(6)),
            (add("x"), &group, counters(1), counters(1)),
            (add("k"), &fields, Found::CounterFields(vec![1, 1]), Found::CounterFields(vec![1, 6])),
        ];
        for (write, read, before, after) in cases {
            let mut found = before;
            assert!(shows(&write, read, &mut found), "{write:?}");
            assert_eq!(found, after, "{write:?} over {read:?}");
        }
    }

    #[test]
    fn a_page_of_an_index_that_changed_is_unsure() {
        let index = |name: &str| Write::Unindex { index: name.to_owned(), member: "m".to_owned() };
        let list = Read::List { index: "i".to_owned(), after: String::new(), limit: 2 };
        assert!(!shows(&index("i"), &list, &mut Found::Names(Vec::new())));
        assert!(shows(&index("j"), &list, &mut Found::Names(Vec::new())));
    }
}
