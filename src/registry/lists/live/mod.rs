//! Lists in memory, for look-ups: what is acknowledged is in them, and nothing else is.
//!
//! A list that is looked up is loaded ([`loading`]) and from then on follows the store: each group of
//! commits is taken in after it is durable and before anybody is told of it. A reader takes no lock and
//! does not reach the store. It takes the number of the last group that was taken in whole, reads, and
//! then sees whether a later one has begun to change what it read; then it begins again. So what it has read of
//! any lists is one state of them all. Many questions are answered so by [`asking`].
//!
//! What is kept is bounded; which list makes room for another is decided by a second chance for those that
//! were looked up in since they were last considered.

mod asking;
mod list;
mod loading;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwapOption, Guard};

use super::slots::Slots;
use crate::bitstring::Page;
use crate::ids::{ListId, Revision};
use crate::metrics::{Held, Lookups};
use crate::store::engine::StoreError;
use crate::store::following::{Follower, Tables, Written};
use crate::store::tables::{LIST_STATES, LISTS, PAGES};
use list::{Change, List};

pub use asking::{EntriesAsked, EntriesTold, EntryShown};
pub use list::Wording;

/// What lists in memory are made of.
pub(super) const TABLES: Tables = Tables::NONE.with(&LISTS).with(&LIST_STATES).with(&PAGES);

/// The lists that are in memory.
pub(in crate::registry) struct LiveLists {
    /// By their ids. What stands in one place is replaced as a whole.
    table: Slots<ArcSwapOption<Vec<Arc<List>>>>,
    /// The last group of commits that was taken in whole.
    taken_in: AtomicU64,
    /// Held while anything is put in, changed or let go, and never while the store is called.
    keeper: Mutex<Keeper>,
    /// Told when something was taken in, or a load has ended.
    moved: Condvar,
    /// The most bytes that lists take up.
    bound: usize,
    /// How often a list that was looked in was in memory.
    pub(in crate::registry) lookups: Lookups,
}

struct Keeper {
    /// Those in the table, the one that is considered first to be let go in front.
    held: VecDeque<Arc<List>>,
    /// What these take up.
    bytes: usize,
    /// Those that are being loaded.
    loading: HashMap<ListId, Meanwhile>,
    /// How many loads were begun.
    loads: u64,
}

/// What happens to a list while it is loaded, with the numbers of the groups that did it.
struct Meanwhile {
    /// Which load it is.
    load: u64,
    changes: Vec<(Change, u64)>,
}

/// How often a reader begins again where what it reads is changed meanwhile. Each time that is less
/// likely than the one before; a group that changes much may take milliseconds.
const TRIES: usize = 8;

impl LiveLists {
    /// Keeps lists in up to `bound` bytes; none where that is 0.
    pub(in crate::registry) fn new(bound: u64) -> Self {
        let bound = usize::try_from(bound).unwrap_or(usize::MAX);
        // One for each list that has some entries set, or several lists where hardly any has.
        let places = (bound / 4_096).clamp(1, 1 << 16).next_power_of_two();
        Self {
            table: Slots::of(places),
            taken_in: AtomicU64::new(0),
            keeper: Mutex::new(Keeper {
                held: VecDeque::new(),
                bytes: 0,
                loading: HashMap::new(),
                loads: 0,
            }),
            moved: Condvar::new(),
            bound,
            lookups: Lookups::default(),
        }
    }

    /// How much is in memory.
    pub(in crate::registry) fn held(&self) -> Held {
        let keeper = self.keeper();
        Held {
            things: keeper.held.len() as u64,
            bytes: Some(keeper.bytes as u64),
        }
    }

    /// The status of an entry and the revision of its list, handed to `tell` with the words for it; `None`
    /// where the list is not in memory, has no such entry, or keeps being changed.
    pub(super) fn entry<T>(
        &self,
        id: ListId,
        index: u64,
        tell: impl FnOnce(EntryShown<'_>) -> T,
    ) -> Option<T> {
        for _ in 0..TRIES {
            let number = self.number();
            let found = self.find(id)?;
            let list = found.list();
            let index = list.length.index(index).ok()?;
            let (status, revision) = (list.status(index), list.revision());
            if list.is_as_of(number) {
                list.note_use();
                self.lookups.note(true);
                return Some(tell(EntryShown {
                    wording: &list.wording,
                    status,
                    revision,
                }));
            }
            std::hint::spin_loop();
        }
        None
    }

    /// The same as it was when all up to this number was written, where it is in memory and nothing was
    /// written to the list since.
    pub(super) fn entry_as_of(
        &self,
        number: u64,
        id: ListId,
        index: u64,
    ) -> Option<(u8, Revision)> {
        let found = self.find(id).filter(|_| number <= self.number())?;
        let list = found.list();
        let index = list.length.index(index).ok()?;
        let seen = (list.status(index), list.revision());
        list.note_use();
        let told = list.is_as_of(number).then_some(seen);
        self.lookups.note(told.is_some());
        told
    }

    /// The last group of commits that was taken in whole. What is found from now on is at least as new.
    fn number(&self) -> u64 {
        self.taken_in.load(Ordering::Acquire)
    }

    fn find(&self, id: ListId) -> Option<Found> {
        let place = self.table.get(self.place(id))?.load();
        let at = place.as_ref()?.iter().position(|list| list.id == id)?;
        Some(Found { place, at })
    }

    fn place(&self, id: ListId) -> usize {
        // All but the owner's number is random.
        let [.., a, b, c, d] = *id.as_bytes();
        u32::from_be_bytes([a, b, c, d]) as usize & (self.table.len() - 1)
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what happened to a list to where it is kept, or waits to be.
    fn take_in(&self, keeper: &mut Keeper, id: ListId, change: Change, number: u64) {
        if let Some(meanwhile) = keeper.loading.get_mut(&id) {
            meanwhile.changes.push((change, number));
        } else if let Some(found) = self.find(id) {
            match change {
                Change::Unclear => self.let_go_of(keeper, id),
                change => keeper.bytes += found.list().take_in(&change, number),
            }
        }
    }

    fn put(&self, keeper: &mut Keeper, list: Arc<List>) {
        let place = self.table.made(self.place(list.id));
        let before = place.load_full().unwrap_or_default();
        let others = before.iter().filter(|other| other.id != list.id).cloned();
        place.store(Some(Arc::new(others.chain([list.clone()]).collect())));
        keeper.bytes += list.bytes();
        keeper.held.push_back(list);
        self.make_room(keeper);
    }

    fn let_go_of(&self, keeper: &mut Keeper, id: ListId) {
        if let Some(at) = keeper.held.iter().position(|list| list.id == id)
            && let Some(list) = keeper.held.remove(at)
        {
            self.let_go(keeper, &list);
        }
    }

    /// Lets those go that were looked up in least, until the rest is within the bound.
    fn make_room(&self, keeper: &mut Keeper) {
        while keeper.bytes > self.bound {
            let Some(first) = keeper.held.pop_front() else {
                return;
            };
            match first.was_used() {
                true => keeper.held.push_back(first),
                false => self.let_go(keeper, &first),
            }
        }
    }

    /// Of a list that is not among those held any more.
    fn let_go(&self, keeper: &mut Keeper, list: &List) {
        keeper.bytes -= list.bytes();
        list.let_go();
        let place = self.table.made(self.place(list.id));
        let before = place.load_full().unwrap_or_default();
        let others = before.iter().filter(|other| other.id != list.id).cloned();
        let others: Vec<_> = others.collect();
        place.store((!others.is_empty()).then(|| Arc::new(others)));
    }

    fn forget_all(&self, keeper: &mut Keeper) {
        // Whoever is loading finds its own missing, and keeps nothing.
        keeper.loading.clear();
        while let Some(list) = keeper.held.pop_front() {
            self.let_go(keeper, &list);
        }
    }
}

impl Follower for LiveLists {
    fn follow(&self, written: &Written<'_>) {
        let mut keeper = self.keeper();
        let number = written.number();
        let taken_in = changes(*written, |id, change| {
            self.take_in(&mut keeper, id, change, number);
        });
        match taken_in {
            Ok(0) => return,
            Ok(_) => {}
            // What cannot be understood may be about any of them.
            Err(_) => self.forget_all(&mut keeper),
        }
        self.taken_in.store(number, Ordering::Release);
        self.make_room(&mut keeper);
        drop(keeper);
        self.moved.notify_all();
    }

    fn begin_anew(&self, number: u64) {
        let mut keeper = self.keeper();
        self.forget_all(&mut keeper);
        self.taken_in.store(number, Ordering::Release);
        drop(keeper);
        self.moved.notify_all();
    }
}

/// Hands over what a group did to lists, and answers how much that was.
fn changes(written: Written<'_>, mut to: impl FnMut(ListId, Change)) -> Result<usize, StoreError> {
    let mut count = 0;
    let mut tell = |id, change| {
        count += 1;
        to(id, change);
    };
    for row in written.rows(&LISTS) {
        // What a list is never changes.
        tell(row?.0, Change::Unclear);
    }
    for row in written.rows(&LIST_STATES) {
        let (id, state) = row?;
        tell(id, Change::Revision(revision_of(state.as_ref())));
    }
    for row in written.rows(&PAGES) {
        let ((id, number), bytes) = row?;
        tell(id, page_change(number, bytes));
    }
    Ok(count)
}

/// A list without a state is as it was opened.
fn revision_of(state: Option<&crate::store::tables::ListState>) -> Revision {
    state.map_or(Revision(1), |state| state.revision)
}

fn page_change(number: u32, bytes: Option<Vec<u8>>) -> Change {
    match bytes.map(Box::<Page>::try_from) {
        None => Change::Page(number, None),
        Some(Ok(page)) => Change::Page(number, Some(page)),
        Some(Err(_)) => Change::Unclear,
    }
}

/// A list in the table, which stays as long as this does.
struct Found {
    place: Guard<Option<Arc<Vec<Arc<List>>>>>,
    at: usize,
}

impl Found {
    fn list(&self) -> &Arc<List> {
        let lists = self.place.as_ref().expect("a list was found there");
        &lists[self.at]
    }
}
