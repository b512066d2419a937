//! Pages of an index: a cursor is the last name of the page before, and must still be there.

use tradewind_kernel::refusal::{Refusal, RefusalKind};

use super::Gather;
use crate::failure::Failure;
use crate::world::World;

impl<W: World> Gather<'_, W> {
    /// A page of an index for a caller, after the last name of the page before.
    ///
    /// # Errors
    /// Outages; `Behind`; a 400 refusal when `cursor` is not (or no longer) in the index.
    pub async fn page(
        &self,
        index: impl Into<String>,
        cursor: &str,
        limit: usize,
    ) -> Result<Vec<String>, Failure> {
        match just_before(cursor) {
            None => self.list(index, "", limit).await,
            Some(from) => after(self.list(index, &from, limit.saturating_add(1)).await?, cursor),
        }
    }
}

/// A text that sorts right before `name` among all names: a read that starts after it finds `name`
/// itself first, if it is there. `None` for the empty name.
fn just_before(name: &str) -> Option<String> {
    let last = name.chars().next_back()?;
    let kept = name.get(..name.len().saturating_sub(last.len_utf8()))?;
    let lower = char::from_u32(u32::from(last).checked_sub(1)?)?;
    Some(format!("{kept}{lower}{}", char::MAX))
}

/// The names after the cursor, which must be the first of them.
fn after(names: Vec<String>, cursor: &str) -> Result<Vec<String>, Failure> {
    let mut names = names.into_iter();
    if names.next().as_deref() != Some(cursor) {
        let detail = "`after` is not (or no longer) a cursor of this list";
        let kind = RefusalKind::Malformed;
        return Err(Refusal::new(kind, "cursor-unknown", detail).into());
    }
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_sorts_between() {
        for (name, other) in [("b", "a~~~"), ("po_12", "po_11zz"), ("*/*", "*/)~"), ("a0", "a/z")] {
            let before = just_before(name).unwrap();
            assert!(before.as_str() < name && other < before.as_str(), "{name}");
        }
        assert_eq!(just_before(""), None);
    }

    #[test]
    fn a_cursor_must_be_there() {
        let names = || vec!["b".to_owned(), "c".to_owned()];
        assert_eq!(after(names(), "b").unwrap(), ["c"]);
        assert!(after(names(), "a").is_err());
        assert!(after(Vec::new(), "a").is_err());
    }
}
