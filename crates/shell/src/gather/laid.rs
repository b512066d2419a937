//! Writes laid over what was read: how the effect of one event is seen by the next before either is
//! committed.

use std::collections::HashMap;
use std::rc::Rc;

use tradewind_kernel::decision::Write;

use super::{Gather, Memory};
use crate::cache::Entry;
use crate::store::{Found, Read, Versioned};
use crate::world::World;

/// Writes that what is read shows though they are not committed.
#[derive(Default)]
pub(super) struct Laid {
    writes: Vec<Write>,
    /// What was read and is written: as the writes leave it. The witnesses stay those of what is
    /// stored.
    shown: HashMap<Read, Rc<Entry>>,
    /// Something that was read does not show them.
    unsure: bool,
}

impl Laid {
    /// Makes what is read now show them all.
    pub(super) fn show_in(&mut self, read: &Read, entry: &Rc<Entry>) {
        let writes = std::mem::take(&mut self.writes);
        self.show(&writes, read, entry);
        self.writes = writes;
    }

    /// What was read as the writes leave it, if they concern it.
    pub(super) fn shown(&self, read: &Read) -> Option<&Rc<Entry>> {
        self.shown.get(read)
    }

    fn show(&mut self, writes: &[Write], read: &Read, entry: &Rc<Entry>) {
        let mut concerned = writes.iter().filter(|write| concerns(write, read)).peekable();
        if concerned.peek().is_none() {
            return;
        }
        let before = self.shown.get(read).unwrap_or(entry);
        let (mut found, life) = (before.found.clone(), before.life);
        for write in concerned {
            self.unsure |= !shows(write, read, &mut found);
        }
        self.shown.insert(read.clone(), Rc::new(Entry::new(found, life)));
    }
}

impl<W: World> Gather<'_, W> {
    /// Lets everything that is read from now on, and what was read before, show these writes. A
    /// record shows the version that it has in the store.
    pub(crate) fn lay(&self, writes: &[Write]) {
        let mut memory = self.memory.borrow_mut();
        let Memory { known, laid, .. } = &mut *memory;
        for (read, entry) in known.iter() {
            laid.show(writes, read, entry);
        }
        laid.writes.extend(writes.iter().cloned());
    }

    /// Whether what was read shows all that was laid over it: a page of an index and a mark do not.
    pub(crate) fn is_sure(&self) -> bool {
        !self.memory.borrow().laid.unsure
    }
}

/// Whether a write may change what was read: it is of the same name, or both are about marks.
fn concerns(write: &Write, read: &Read) -> bool {
    let written = match write {
        Write::Put { key, .. } | Write::Delete { key } => key,
        Write::PutMember { set, .. } | Write::DeleteMember { set, .. } => set,
        Write::Add { counters, .. } => counters,
        Write::Index { index, .. } | Write::Unindex { index, .. } => index,
        Write::Mark { .. } => return matches!(read, Read::Mark { .. } | Read::Marks { .. }),
    };
    let of = match read {
        Read::Record { key }
        | Read::Set { key }
        | Read::Members { key, .. }
        | Read::Counters { key }
        | Read::CounterFields { key, .. } => key,
        Read::List { index, .. } | Read::Due { index, .. } => index,
        Read::Mark { .. } | Read::Marks { .. } | Read::Events { .. } => return false,
    };
    written == of
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
