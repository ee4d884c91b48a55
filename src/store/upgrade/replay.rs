//! The past of lists out of the log: every change of bits is made again, on pages of its own, and
//! leaves what a change leaves since format 2 (`store::past`). The time of a change is that of its
//! event, which is when it was committed.
//!
//! Pages and states as far as they are replayed stand in tables of their own, so that memory holds
//! only what one batch touches. In the end they have to be the present ones to the bit, or the log
//! is not the whole past of this store.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use tracing::info;

use super::ROWS_AT_ONCE;
use super::to_format_3::{OLDER_LISTS, OlderList};
use crate::bitstring::{PAGE_BYTES, Page, page_of, set_in_page};
use crate::ids::{ListId, ProfileId, Revision, Seq};
use crate::store::codec::Bytes;
use crate::store::engine::{Batch, LoggedEvent, StoreError};
use crate::store::event::{Event, EventKind};
use crate::store::format;
use crate::store::opening::Opening;
use crate::store::past::{stage_past_page, stage_past_state};
use crate::store::table::Table;
use crate::store::tables::{LIST_STATES, ListState, PAGE_RUNS, PAGES};
use crate::time::Timestamp;

/// How far each list has come in the replay.
const REPLAYED_LISTS: Table<ListId, ListState> = Table::new(0xf0, "replayed lists");
/// The pages as far as they are replayed.
const REPLAYED_PAGES: Table<(ListId, u32), Bytes> = Table::new(0xf1, "replayed pages");
/// The newest event that was replayed.
const REPLAYED_TO: Table<(), u64> = Table::new(0xf2, "replayed to");

/// Replays the log from where an earlier run was cut off, and writes about `rows_at_once` rows
/// together. Events that a program of the older format added since are replayed like the others.
pub(super) fn run(store: &mut dyn Opening, rows_at_once: usize) -> Result<(), StoreError> {
    let to = Seq(REPLAYED_TO.get(store, &())?.unwrap_or(0));
    let mut replay = Replay::from(to);
    loop {
        let events = format::changes(store, replay.to, EVENTS_AT_ONCE)?;
        if events.is_empty() {
            return replay.write(store);
        }
        for event in events {
            let kind = Event::decode(&event.body)
                .map_err(|error| corrupt("events", format!("event {}: {error}", event.seq)))?
                .kind;
            if replay.rows() >= rows_at_once && !replay.is_amid(&kind) {
                replay.write(store)?;
            }
            replay.take(store, &event, kind)?;
        }
    }
}

/// Bulk updates make long events, so few are in memory at a time.
const EVENTS_AT_ONCE: usize = 256;

/// How often the operator is told how far it is, in events.
const TOLD_EVERY: u64 = 100_000;

/// What was replayed and is not written yet.
struct Replay {
    to: Seq,
    lists: BTreeMap<ListId, (OlderList, ListState)>,
    pages: BTreeMap<(ListId, u32), Page>,
    runs: BTreeMap<(ListId, u32), u64>,
    past: Batch,
    change: Option<ReplayedChange>,
}

/// Changes of one list at one moment, which leave rows together.
struct ReplayedChange {
    list: ListId,
    at: Timestamp,
    revision: Revision,
    before: BTreeMap<u32, Page>,
}

impl Replay {
    fn from(to: Seq) -> Self {
        Self {
            to,
            lists: BTreeMap::new(),
            pages: BTreeMap::new(),
            runs: BTreeMap::new(),
            past: Batch::default(),
            change: None,
        }
    }

    fn rows(&self) -> usize {
        self.past.puts.len() + self.pages.len() + self.lists.len()
    }

    /// Whether an event belongs to the revision that the last one made: those leave rows together.
    fn is_amid(&self, next: &EventKind) -> bool {
        match (&self.change, next) {
            (Some(change), EventKind::StatusChanged { list, revision, .. }) => {
                (change.list, change.revision) == (*list, *revision)
            }
            _ => false,
        }
    }

    fn take(
        &mut self,
        store: &mut dyn Opening,
        event: &LoggedEvent,
        kind: EventKind,
    ) -> Result<(), StoreError> {
        match kind {
            EventKind::ListOpened { list, .. } => self.open(store, list)?,
            EventKind::StatusChanged {
                list,
                revision,
                status,
                indexes,
            } => {
                self.turn_to(store, list, event.at)?;
                self.change(store, revision, status, indexes.as_slice())
                    .map_err(|error| at_event(event.seq, error))?;
            }
            EventKind::KeyRevoked { profile, .. } => self.touch(store, profile, event.at)?,
            _ => {}
        }
        self.to = event.seq;
        Ok(())
    }

    fn open(&mut self, store: &dyn Opening, list: ListId) -> Result<(), StoreError> {
        let record = record_of(store, list)?;
        let state = ListState {
            revision: Revision(1),
            changed_at: record.created_at,
        };
        self.lists.insert(list, (record, state));
        Ok(())
    }

    /// The change goes on, or another one begins.
    fn turn_to(
        &mut self,
        store: &dyn Opening,
        list: ListId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let same = |change: &ReplayedChange| (change.list, change.at) == (list, at);
        if !self.change.as_ref().is_some_and(same) {
            self.close(store)?;
            self.load_list(store, list)?;
            self.change = Some(ReplayedChange {
                list,
                at,
                revision: Revision(1),
                before: BTreeMap::new(),
            });
        }
        Ok(())
    }

    /// Makes a change of bits once more.
    fn change(
        &mut self,
        store: &dyn Opening,
        revision: Revision,
        status: u8,
        indexes: &[u32],
    ) -> Result<(), StoreError> {
        let change = self.change.as_mut().expect("the replay has turned to it");
        let (record, _) = &self.lists[&change.list];
        change.revision = revision;
        for index in indexes {
            let no_entry = |error: String| corrupt("events", error);
            let index = record.length().index(u64::from(*index));
            let index = index.map_err(|error| no_entry(error.to_string()))?;
            let place = (change.list, page_of(index, record.status_size));
            let page = match self.pages.entry(place) {
                Entry::Occupied(page) => page.into_mut(),
                Entry::Vacant(free) => free.insert(page_in(store, &REPLAYED_PAGES, place)?),
            };
            change.before.entry(place.1).or_insert(*page);
            set_in_page(page, index, record.status_size, status)
                .map_err(|error| no_entry(error.to_string()))?;
        }
        Ok(())
    }

    /// The revocation of a key puts the lists of its profile to another time, at which they were
    /// signed again; their bits stay.
    fn touch(
        &mut self,
        store: &mut dyn Opening,
        profile: ProfileId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(store)?;
        let lists = REPLAYED_LISTS.scan(store, &profile.0.to_be_bytes(), None, usize::MAX)?;
        for (list, mut state) in lists {
            stage_past_state(&mut self.past, list, &state, at);
            state.changed_at = state.changed_at.max(at);
            self.lists.insert(list, (record_of(store, list)?, state));
        }
        Ok(())
    }

    fn load_list(&mut self, store: &dyn Opening, list: ListId) -> Result<(), StoreError> {
        if let Entry::Vacant(free) = self.lists.entry(list) {
            let unopened = || {
                let reason = format!("the list {list} changes and was never opened");
                corrupt("events", reason)
            };
            let state = REPLAYED_LISTS.get(store, &list)?.ok_or_else(unopened)?;
            free.insert((record_of(store, list)?, state));
        }
        Ok(())
    }

    /// What the change in hand leaves.
    fn close(&mut self, store: &dyn Opening) -> Result<(), StoreError> {
        let Some(change) = self.change.take() else {
            return Ok(());
        };
        for (number, before) in change.before {
            let place = (change.list, number);
            let run = match self.runs.get(&place) {
                Some(run) => *run,
                None => PAGE_RUNS.get(store, &place)?.unwrap_or(0),
            };
            let pages = (&before, &self.pages[&place]);
            let run = stage_past_page(&mut self.past, place, change.revision, pages, run);
            self.runs.insert(place, run);
        }
        let (_, state) = self
            .lists
            .get_mut(&change.list)
            .expect("a change begins with loading its list");
        stage_past_state(&mut self.past, change.list, state, change.at);
        *state = ListState {
            revision: change.revision,
            changed_at: change.at,
        };
        Ok(())
    }

    /// Writes all that was replayed and how far that is, together.
    fn write(&mut self, store: &mut dyn Opening) -> Result<(), StoreError> {
        self.close(store)?;
        let to = self.to;
        let done = std::mem::replace(self, Self::from(to));
        let mut batch = done.past;
        for (list, (_, state)) in &done.lists {
            REPLAYED_LISTS.put(&mut batch, list, state);
        }
        for (place, page) in &done.pages {
            REPLAYED_PAGES.put(&mut batch, place, &page.to_vec());
        }
        let before = REPLAYED_TO.get(store, &())?.unwrap_or(0);
        if before == to.0 {
            return Ok(());
        }
        REPLAYED_TO.put(&mut batch, &(), &to.0);
        if before / TOLD_EVERY != to.0 / TOLD_EVERY {
            info!(count = to.0, "replayed so far");
        }
        let puts = batch.puts.into_iter();
        store.write(puts.map(|(key, value)| (key, Some(value))).collect())
    }
}

/// The replayed pages are the present ones, and so are the revisions.
pub(super) fn validate(store: &dyn Opening) -> Result<(), StoreError> {
    for (one, other) in [(&REPLAYED_PAGES, &PAGES), (&PAGES, &REPLAYED_PAGES)] {
        let mut after = None;
        loop {
            let rows = one.scan(store, &[], after.as_ref(), ROWS_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            after = Some(*last);
            for ((list, number), bytes) in rows {
                let page = page_in(store, other, (list, number))?;
                if bytes != page {
                    let what = format!("page {number} of the list {list}");
                    return Err(not_by_the_log(PAGES.name(), &what));
                }
            }
        }
    }
    let mut after = None;
    loop {
        let rows = LIST_STATES.scan(store, &[], after.as_ref(), ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        after = Some(*last);
        for (list, present) in rows {
            let replayed = REPLAYED_LISTS.get(store, &list)?;
            if replayed.map(|state| state.revision) != Some(present.revision) {
                let what = format!("the revision of the list {list}");
                return Err(not_by_the_log(LIST_STATES.name(), &what));
            }
        }
    }
}

fn record_of(store: &dyn Opening, list: ListId) -> Result<OlderList, StoreError> {
    let none = || {
        corrupt(
            OLDER_LISTS.name(),
            format!("the log opens {list}, and it is not there"),
        )
    };
    OLDER_LISTS.get(store, &list)?.ok_or_else(none)
}

/// A page, all zeros where nobody has written it.
fn page_in(
    store: &dyn Opening,
    table: &Table<(ListId, u32), Bytes>,
    place: (ListId, u32),
) -> Result<Page, StoreError> {
    match table.get(store, &place)?.map(Page::try_from) {
        None => Ok([0; PAGE_BYTES]),
        Some(Ok(page)) => Ok(page),
        Some(Err(bytes)) => {
            let reason = format!("a page has {} bytes, not {PAGE_BYTES}", bytes.len());
            Err(corrupt(table.name(), reason))
        }
    }
}

fn not_by_the_log(table: &'static str, what: &str) -> StoreError {
    let reason = format!(
        "{what} is not what the log adds up to, so the past cannot be told; the store keeps its \
         format: restore a backup, or go on with the program that wrote it"
    );
    corrupt(table, reason)
}

fn at_event(seq: Seq, error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt { table, reason } => corrupt(table, format!("event {seq}: {reason}")),
        other => other,
    }
}

const fn corrupt(table: &'static str, reason: String) -> StoreError {
    StoreError::Corrupt { table, reason }
}
