//! Forgetting how lists were before the time for which that is kept.
//!
//! States that were over by then are removed from the front, each batch with the pages that only
//! they needed: those that changes up to the revision of the first state that stays had found. What
//! is left leads as far back as it did (`store::past`), so a batch that is lost leaves the list as
//! it was, and the next call goes on where the rows begin.

use crate::ids::{ListId, Revision};
use crate::registry::lists::list_of;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::{Batch, Read, StoreError};
use crate::store::tables::{PAST_PAGES, PAST_STATES};
use crate::time::Timestamp;

use super::forms::state_of;

/// What was forgotten, and where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// How many states of lists.
    pub states: usize,
    /// Where to go on; `None` when nothing is left that is older than it is kept.
    pub next: Option<ListId>,
}

/// Rows of one batch, unless one state takes more.
const ROWS_AT_ONCE: usize = 16_384;

/// Lists that have a past, of which this many are looked at for each state that may be removed: to
/// look costs less.
const LOOKED_AT: usize = 4;

impl Registry {
    /// Removes up to `most` (at least one) states of lists that are older than they are kept, from
    /// `from` on, where a call before this one ended. Each list's are removed in a batch of their
    /// own.
    pub fn forget_past(
        &self,
        from: Option<ListId>,
        most: usize,
    ) -> Result<Forgotten, RegistryError> {
        self.forget_past_by(from, most, ROWS_AT_ONCE)
    }

    /// As [`Registry::forget_past`], in batches of at most so many rows, unless one state takes more.
    pub(in crate::registry) fn forget_past_by(
        &self,
        from: Option<ListId>,
        most: usize,
        rows: usize,
    ) -> Result<Forgotten, RegistryError> {
        let mut forgotten = Forgotten {
            states: 0,
            next: None,
        };
        let Some(kept) = self.settings.history_kept else {
            return Ok(forgotten);
        };
        let most = most.max(1);
        let horizon = self.now().minus(kept);
        let mut place = from.map(|list| ((list, Timestamp::EARLIEST), Revision(0)));
        for _ in 0..most.saturating_mul(LOOKED_AT) {
            let snapshot = self.engine.snapshot();
            let read = &*snapshot;
            let Some((((list, _), _), _)) = PAST_STATES
                .scan(read, &[], place.as_ref(), 1)?
                .into_iter()
                .next()
            else {
                forgotten.next = None;
                return Ok(forgotten);
            };
            let left = most - forgotten.states;
            let (batch, states) = self.oldest(read, list, horizon, (left, rows))?;
            // The memory engine copies what a snapshot still looks at.
            drop(snapshot);
            self.commit(batch)?;
            forgotten.states += states;
            forgotten.next = Some(list);
            if forgotten.states == most {
                return Ok(forgotten);
            }
            // Where less was removed than may be, this list may have more of it.
            if states == 0 {
                place = Some(((list, Timestamp::LATEST), Revision(u64::MAX)));
            }
        }
        // The list that was looked at last is looked at again: no more than a seek.
        Ok(forgotten)
    }

    /// A batch that removes the oldest states of a list that were over by `horizon`, at most so many
    /// states and rows, and how many states it removes.
    fn oldest(
        &self,
        read: &dyn Read,
        list: ListId,
        horizon: Timestamp,
        (most, most_rows): (usize, usize),
    ) -> Result<(Batch, usize), RegistryError> {
        // One more: the first that stays.
        let rows = PAST_STATES.scan(read, list.as_bytes(), None, most.saturating_add(1))?;
        let keys: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
        let over = |((_, until), _): &&((ListId, Timestamp), Revision)| *until <= horizon;
        let mut states = keys.iter().take(most).take_while(over).count();
        loop {
            let mut batch = Batch::default();
            if states == 0 {
                return Ok((batch, 0));
            }
            let stays = match keys.get(states) {
                Some((_, revision)) => *revision,
                None => {
                    let record = list_of(read, &self.urls(), list)?;
                    state_of(read, list, &record)?.revision
                }
            };
            for key in &keys[..states] {
                PAST_STATES.delete(&mut batch, key);
            }
            let bound = if states == 1 { usize::MAX } else { most_rows };
            match forget_pages(read, list, stays, bound, &mut batch)? {
                Went::All => return Ok((batch, states)),
                Went::TooMany => states /= 2,
            }
        }
    }
}

/// Whether the rows that are to go are in a batch.
enum Went {
    All,
    TooMany,
}

/// Adds to `batch` that the past pages of a list go which nothing from revision `stays` on needs,
/// unless it would have more than `most` rows.
fn forget_pages(
    read: &dyn Read,
    list: ListId,
    stays: Revision,
    most: usize,
    batch: &mut Batch,
) -> Result<Went, StoreError> {
    const ROWS: usize = 64;
    let mut after = None;
    loop {
        let rows = PAST_PAGES.scan(read, list.as_bytes(), after.as_ref(), ROWS)?;
        let Some((last, _)) = rows.last() else {
            return Ok(Went::All);
        };
        let needed = rows.iter().find(|((_, revision), _)| *revision > stays);
        // A page's rows stand in the order of revisions, so from one that is needed on they all are.
        after = Some(match needed {
            Some(((place, _), _)) => (*place, Revision(u64::MAX)),
            None => *last,
        });
        let gone = rows.iter().map(|(key, _)| key);
        for key in gone.take_while(|(_, revision)| *revision <= stays) {
            PAST_PAGES.delete(batch, key);
        }
        if batch.deletes.len() > most {
            return Ok(Went::TooMany);
        }
    }
}
