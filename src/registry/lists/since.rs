//! Since when an entry says what it says. It is looked for from the present back, among the rows that tell how
//! the entry's page was before each change of it (`store::past`).

use crate::bitstring::{PAGE_BYTES, StatusIndex, get_in_page, page_of};
use crate::ids::{ListId, Revision};
use crate::registry::lists::history::{Past, state_at};
use crate::registry::lists::list_of;
use crate::registry::lists::staged::stored_page;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::past::led_back;
use crate::store::tables::{LIST_STATES, ListRecord, PAST_PAGES, PastPage};
use crate::time::Timestamp;

impl Registry {
    /// Since when an entry has the status that it has. `None` where it has had it for as long as is known: it
    /// never had another, or was brought here with it, or the change is so long ago that it is forgotten.
    ///
    /// This tells when somebody decided, so it is for those who have the credential, or may see how its list was.
    pub(in crate::registry) fn entry_since(
        &self,
        read: &dyn Read,
        list: &str,
        index: u64,
    ) -> Result<Option<Timestamp>, RegistryError> {
        let Ok(list) = self.list_named(list) else {
            return Ok(None);
        };
        let record = list_of(read, &self.urls(), list)?;
        let Ok(index) = record.length().index(index) else {
            return Ok(None);
        };
        match changed_by(read, list, &record, index)? {
            Some(revision) => made_at(read, list, &record, revision),
            None => Ok(None),
        }
    }
}

/// The revision that gave an entry its present value.
fn changed_by(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    index: StatusIndex,
) -> Result<Option<Revision>, RegistryError> {
    let size = record.status_size;
    let page = page_of(index, size);
    let place = (list, page);
    let prefix = [list.as_bytes().as_slice(), &page.to_be_bytes()].concat();
    let present = get_in_page(&stored_page(read, list, page)?, index, size);
    let mut value = present;
    let mut newest = LIST_STATES
        .get(read, &list)?
        .map_or(1, |state| state.revision.0);
    let mut back: u64 = 64;
    while newest > 0 {
        let oldest = newest.saturating_sub(back);
        let after = (place, Revision(oldest));
        let most = usize::try_from(newest - oldest).unwrap_or(usize::MAX);
        let rows = PAST_PAGES.scan(read, &prefix, Some(&after), most)?;
        let rows = rows
            .into_iter()
            .take_while(|((_, revision), _)| revision.0 <= newest);
        let rows: Vec<_> = rows.collect();
        for ((_, revision), past) in rows.iter().rev() {
            // Of zeros a difference leaves what it changes, and a whole page itself.
            let told = led_back(std::slice::from_ref(past), [0; PAGE_BYTES]);
            let told = get_in_page(&told, index, size);
            let before = match past {
                PastPage::Whole(_) => told,
                PastPage::Difference(_) => value ^ told,
            };
            if before != present {
                return Ok(Some(*revision));
            }
            value = before;
        }
        // Rows of a page are few among the revisions of a long list.
        (newest, back) = (oldest, back.saturating_mul(4));
    }
    Ok(None)
}

/// When a revision of a list was made: the first moment at which it, or one that followed at once, was in
/// force.
fn made_at(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    revision: Revision,
) -> Result<Option<Timestamp>, RegistryError> {
    let is_made = |at: i64| {
        let state = state_at(read, list, record, Timestamp::from_millis(at))?;
        Ok::<_, RegistryError>(match state {
            Past::Was(state) => state.revision >= revision,
            Past::BeforeList | Past::NotHeld => false,
        })
    };
    let present = LIST_STATES.get(read, &list)?;
    let present = present.map_or(record.created_at, |state| state.changed_at);
    let (mut before, mut made) = (record.created_at.millis() - 1, present.millis());
    if !is_made(made)? {
        return Ok(None);
    }
    while made - before > 1 {
        let middle = before + (made - before) / 2;
        match is_made(middle)? {
            true => made = middle,
            false => before = middle,
        }
    }
    Ok(Some(Timestamp::from_millis(made)))
}
