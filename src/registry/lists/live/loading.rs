//! How a list comes into memory.
//!
//! 1. A place among those that are loading is taken. From here on, what is committed to the list waits
//!    there. Whoever wants the same list meanwhile waits for this load.
//! 2. A snapshot is taken, and the list read from it.
//! 3. What the snapshot shows may be ahead of what was taken in: all other lists in memory are of that
//!    state. So it is waited for; the store hands it over presently.
//! 4. What has waited is taken in, in its order – some of it was in the snapshot – and the list is put
//!    where readers find it: it is of the same state as the others.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::list::{Change, List};
use super::{Keeper, LiveLists, Meanwhile, TABLES, page_change, revision_of};
use crate::ids::ListId;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{LIST_STATES, LISTS, ListRecord, PAGES};

/// Where a list is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(in crate::registry) enum Brought {
    /// In memory, or it was a moment ago.
    InMemory,
    /// Nowhere.
    NotThere,
    /// In the store alone, where it is to be read.
    InStore,
}

/// The part of all room that one list may have.
const PART: usize = 4;

/// For so long the store is waited for, or whoever loads the same list.
const PATIENCE: Duration = Duration::from_secs(1);

impl Registry {
    /// Loads a list, unless it is in memory, is not there, or takes too much room. A list that is not there
    /// costs the store one question, and no lock.
    pub(in crate::registry) fn bring_in(&self, id: ListId) -> Result<Brought, RegistryError> {
        let live = &*self.live;
        if live.find(id).is_some() {
            return Ok(Brought::InMemory);
        }
        live.lookups.note(false);
        if live.bound == 0 {
            return Ok(Brought::InStore);
        }
        let Some(record) = LISTS.get(&*self.engine, &id)? else {
            return Ok(Brought::NotThere);
        };
        if List::most_bytes(&record) > live.bound / PART {
            return Ok(Brought::InStore);
        }
        let Some(load) = Load::begin(live, id) else {
            return Ok(Brought::InMemory);
        };
        let snapshot = self.engine.snapshot();
        let Some(number) = snapshot.last_write(TABLES) else {
            return Ok(Brought::InStore);
        };
        match read_list(&*snapshot, id, &record, number)? {
            Some(list) => Ok(load.end(list, number)),
            None => Ok(Brought::InStore),
        }
    }
}

/// The list as a snapshot shows it; `None` where that cannot be told of all of it.
fn read_list(
    read: &dyn Read,
    id: ListId,
    record: &ListRecord,
    number: u64,
) -> Result<Option<List>, RegistryError> {
    let list = List::new(id, record, number);
    let state = LIST_STATES.get(read, &id)?;
    let _ = list.take_in(&Change::Revision(revision_of(state.as_ref())), number);
    for ((_, page), bytes) in PAGES.scan_apart(read, id.as_bytes())? {
        match page_change(page, Some(bytes)) {
            Change::Unclear => return Ok(None),
            change => {
                let _ = list.take_in(&change, number);
            }
        }
    }
    Ok(Some(list))
}

/// A place among those that are loading; however it ends, the place is given back.
struct Load<'l> {
    live: &'l LiveLists,
    id: ListId,
    number: u64,
}

impl<'l> Load<'l> {
    /// `None` where somebody else has loaded it meanwhile.
    fn begin(live: &'l LiveLists, id: ListId) -> Option<Self> {
        let mut keeper = live.keeper();
        if keeper.loading.contains_key(&id) {
            let others = |keeper: &mut Keeper| keeper.loading.contains_key(&id);
            // Whoever finds nothing afterwards reads the store.
            let waited = live.moved.wait_timeout_while(keeper, PATIENCE, others);
            drop(waited);
            return None;
        }
        if live.find(id).is_some() {
            return None;
        }
        keeper.loads += 1;
        let number = keeper.loads;
        let meanwhile = Meanwhile {
            load: number,
            changes: Vec::new(),
        };
        keeper.loading.insert(id, meanwhile);
        drop(keeper);
        Some(Self { live, id, number })
    }

    /// Takes its place away; it is missing where the store came up anew.
    fn take(&self, keeper: &mut Keeper) -> Option<Vec<(Change, u64)>> {
        let load = keeper.loading.get(&self.id)?.load;
        let own = load == self.number;
        let taken = own.then(|| keeper.loading.remove(&self.id))?;
        taken.map(|meanwhile| meanwhile.changes)
    }

    /// Puts the list in its place, as of the last group that was taken in.
    fn end(self, list: List, number: u64) -> Brought {
        let live = self.live;
        let behind = |_: &mut Keeper| live.number() < number;
        let waited = live
            .moved
            .wait_timeout_while(live.keeper(), PATIENCE, behind);
        let (mut keeper, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        let (Some(meanwhile), false) = (self.take(&mut keeper), timed_out.timed_out()) else {
            return Brought::InStore;
        };
        for (change, number) in meanwhile {
            match change {
                Change::Unclear => return Brought::InStore,
                change => {
                    let _ = list.take_in(&change, number);
                }
            }
        }
        live.put(&mut keeper, Arc::new(list));
        Brought::InMemory
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        let live = self.live;
        let _ = self.take(&mut live.keeper());
        live.moved.notify_all();
    }
}
