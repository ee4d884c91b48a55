//! Lists as they were: which state of a list was in force at a moment, its pages then, and what one
//! of its entries said.
//!
//! Every look into the past is read from one snapshot, which holds the present as well: the rows
//! behind the moment lead back to it (`store::past`), so that it costs two scans of at most 64 rows
//! however long ago the moment is.

use super::forms::bits_of;
use super::queries::{StatusAnswer, answer_of};
use super::staged::stored_page;
use crate::bitstring::{Bitstring, Page, StatusIndex, get_in_page, page_count, page_of};
use crate::ids::{ListId, Revision};
use crate::registry::RegistryError;
use crate::store::engine::Read;
use crate::store::past::{MOST_REPLAYED, led_back};
use crate::store::tables::{LIST_STATES, ListRecord, PAST_PAGES, PAST_STATES};
use crate::time::Timestamp;

/// What is known of a moment in the past.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Past<T> {
    /// What was so then.
    Was(T),
    /// The list had not been opened.
    BeforeList,
    /// The list was there, and what it said then is not held.
    NotHeld,
}

/// A state of a list and when it was in force: from `since` to before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) struct StateThen {
    /// Its revision.
    pub(in crate::registry) revision: Revision,
    /// From when on.
    pub(in crate::registry) since: Timestamp,
    /// Until when; `None` where it is in force still.
    pub(in crate::registry) until: Option<Timestamp>,
}

/// How lists over one space were at one moment, and while none of them changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct StatesThen {
    /// The state of each list, in the order in which they were named; `None` for one that was
    /// opened later.
    pub(in crate::registry) states: Vec<Option<StateThen>>,
    /// From when on all of them were in force together.
    pub(in crate::registry) since: Timestamp,
    /// Until when; `None` where they are in force still.
    pub(in crate::registry) until: Option<Timestamp>,
}

impl StatesThen {
    /// What they are published under: the sum of their revisions.
    pub(in crate::registry) fn revision(&self) -> Revision {
        let states = self.states.iter().flatten();
        Revision(states.map(|state| state.revision.0).sum())
    }
}

/// What entry `index` of a list said at `at`. Of several changes at one moment the last one counts.
/// A change that is being written while it is asked for counts from the moment at which it was
/// decided, shortly before it is in look-ups.
pub(in crate::registry) fn entry_at(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    index: StatusIndex,
    at: Timestamp,
) -> Result<Past<StatusAnswer>, RegistryError> {
    let revision = match state_at(read, list, record, at)? {
        Past::Was(state) => state.revision,
        Past::BeforeList => return Ok(Past::BeforeList),
        Past::NotHeld => return Ok(Past::NotHeld),
    };
    let size = record.status_size;
    let page = page_at(read, list, page_of(index, size), revision)?;
    let status = get_in_page(&page, index, size);
    Ok(Past::Was(answer_of(record, status, revision)))
}

/// The state of a list that was in force at `at`.
pub(in crate::registry) fn state_at(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    at: Timestamp,
) -> Result<Past<StateThen>, RegistryError> {
    if at < record.created_at {
        return Ok(Past::BeforeList);
    }
    let behind = ((list, at), Revision(u64::MAX));
    let over = PAST_STATES.scan(read, list.as_bytes(), Some(&behind), 1)?;
    let found = match over.first() {
        Some((((_, until), revision), past)) => StateThen {
            revision: *revision,
            since: past.since,
            until: Some(*until),
        },
        None => {
            let present = LIST_STATES.get(read, &list)?;
            StateThen {
                revision: present.as_ref().map_or(Revision(1), |state| state.revision),
                since: present.map_or(record.created_at, |state| state.changed_at),
                until: None,
            }
        }
    };
    // The states follow each other without a gap, so one that is younger tells that rows before
    // it are gone.
    Ok(match found.since <= at {
        true => Past::Was(found),
        false => Past::NotHeld,
    })
}

/// The states of `lists` over one space that were in force at `at`. What they make up together was
/// opened at `opened`; of the lists themselves some may be older, and some younger.
pub(in crate::registry) fn states_at<'a>(
    read: &dyn Read,
    lists: impl IntoIterator<Item = (ListId, &'a ListRecord)>,
    opened: Timestamp,
    at: Timestamp,
) -> Result<Past<StatesThen>, RegistryError> {
    if at < opened {
        return Ok(Past::BeforeList);
    }
    let mut then = StatesThen {
        states: Vec::new(),
        since: opened,
        until: None,
    };
    for (list, record) in lists {
        let (state, until) = match state_at(read, list, record, at)? {
            Past::Was(state) => (Some(state), state.until),
            Past::BeforeList => (None, Some(record.created_at)),
            Past::NotHeld => return Ok(Past::NotHeld),
        };
        then.since = then.since.max(state.map_or(opened, |state| state.since));
        // `None` is for ever.
        then.until = then.until.into_iter().chain(until).min();
        then.states.push(state);
    }
    Ok(Past::Was(then))
}

/// All statuses of a list as they were in a state that was in force then.
pub(in crate::registry) fn bits_at(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    state: &StateThen,
) -> Result<Bitstring, RegistryError> {
    if state.until.is_none() {
        return bits_of(read, list, record);
    }
    let (length, size) = (record.length(), record.status_size);
    let pages = 0..page_count(length, size);
    let pages = pages.map(|number| Ok((number, page_at(read, list, number, state.revision)?)));
    let pages: Vec<_> = pages.collect::<Result<_, RegistryError>>()?;
    let bits = Bitstring::from_pages(length, size, pages);
    Ok(bits.expect("pages of the list's own numbers and of the length that pages have"))
}

/// A page of a list as it was in a revision that [`state_at`] found.
pub(in crate::registry) fn page_at(
    read: &dyn Read,
    list: ListId,
    number: u32,
    revision: Revision,
) -> Result<Page, RegistryError> {
    let prefix = [list.as_bytes().as_slice(), &number.to_be_bytes()].concat();
    let behind = ((list, number), revision);
    let rows = PAST_PAGES.scan(read, &prefix, Some(&behind), MOST_REPLAYED)?;
    let rows: Vec<_> = rows.into_iter().map(|(_, past)| past).collect();
    Ok(led_back(&rows, stored_page(read, list, number)?))
}

#[cfg(test)]
mod tests;
