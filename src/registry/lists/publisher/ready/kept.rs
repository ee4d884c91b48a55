//! What is kept ready in memory: found without a lock, bounded in bytes, and let go by use.
//!
//! Places stand on shelves, by the random bits of their ids. A reader takes the shelf as it is; who
//! changes something puts a changed copy in its stead, one at a time. Where too much is kept, a hand goes
//! around the shelves and takes off what nobody has asked for since it came by last.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::PublishedList;
use crate::ids::ListId;
use crate::store::tables::ListForm;

/// A list in one of its forms.
pub(in crate::registry::lists::publisher) type Place = (ListId, ListForm);

/// Lists that are kept ready.
pub(in crate::registry::lists::publisher) struct Kept {
    shelves: Box<[ArcSwap<Shelf>]>,
    changing: Mutex<Changing>,
    /// So many bytes are kept at most.
    most: u64,
}

/// In the order of the places.
type Shelf = Vec<(Place, Arc<Item>)>;

struct Item {
    list: Arc<PublishedList>,
    bytes: u64,
    /// Whether it was asked for since the hand came by.
    used: AtomicBool,
}

/// Held by whoever changes what is kept.
#[derive(Default)]
struct Changing {
    bytes: u64,
    /// The shelf that the hand comes to next.
    hand: usize,
}

/// So many shelves: with the lists of a nation, a change copies some twenty places.
const SHELVES: usize = 1 << 10;

impl Kept {
    pub(super) fn new(most: u64) -> Self {
        let empty = Arc::new(Shelf::new());
        let shelves = (0..SHELVES).map(|_| ArcSwap::new(empty.clone()));
        Self {
            shelves: shelves.collect(),
            changing: Mutex::default(),
            most,
        }
    }

    /// Looks at what is kept for a place.
    pub(super) fn look<R>(
        &self,
        place: &Place,
        look: impl FnOnce(&Arc<PublishedList>) -> R,
    ) -> Option<R> {
        let shelf = self.shelf(place).load();
        let (_, item) = &shelf[position(&shelf, place).ok()?];
        // Most of the time it is set, and a store would take the line from the other threads.
        if !item.used.load(Ordering::Relaxed) {
            item.used.store(true, Ordering::Relaxed);
        }
        Some(look(&item.list))
    }

    /// What is kept for a place.
    pub(in crate::registry::lists::publisher) fn get(
        &self,
        place: &Place,
    ) -> Option<Arc<PublishedList>> {
        self.look(place, Arc::clone)
    }

    /// Keeps `list` unless a newer one is kept. What takes more than all that may be kept is not.
    pub(super) fn put(&self, place: Place, list: &Arc<PublishedList>) {
        self.replace(place, list, |present| match present {
            Some(present) => present.version() <= list.version(),
            None => true,
        });
    }

    /// Counts again what a list takes, where it is kept.
    pub(super) fn weigh_again(&self, place: Place, list: &Arc<PublishedList>) {
        self.replace(place, list, |present| {
            present.is_some_and(|present| Arc::ptr_eq(present, list))
        });
    }

    fn replace(
        &self,
        place: Place,
        list: &Arc<PublishedList>,
        may: impl FnOnce(Option<&Arc<PublishedList>>) -> bool,
    ) {
        let mut changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.get_item(&place);
        if !may(present.as_ref().map(|present| &present.list)) {
            return;
        }
        let bytes = list.weight();
        if bytes > self.most {
            self.take_off(&mut changing, &place);
            return;
        }
        let used = present.is_some_and(|present| present.used.load(Ordering::Relaxed));
        let item = Arc::new(Item {
            list: list.clone(),
            bytes,
            used: AtomicBool::new(used),
        });
        changing.bytes += bytes;
        changing.bytes -= self.exchange(&place, Some(item));
        let mut rounds = 0..2 * SHELVES;
        while changing.bytes > self.most {
            let spares = rounds.next().is_some();
            self.make_room(&mut changing, spares);
        }
    }

    /// Lets go what is kept for a place.
    pub(in crate::registry::lists::publisher) fn invalidate(&self, place: &Place) {
        let mut changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.take_off(&mut changing, place);
    }

    fn shelf(&self, (list, _): &Place) -> &ArcSwap<Shelf> {
        let [.., a, b] = *list.as_bytes();
        &self.shelves[usize::from(u16::from_be_bytes([a, b])) % SHELVES]
    }

    fn get_item(&self, place: &Place) -> Option<Arc<Item>> {
        let shelf = self.shelf(place).load();
        let (_, item) = &shelf[position(&shelf, place).ok()?];
        Some(item.clone())
    }

    fn take_off(&self, changing: &mut Changing, place: &Place) {
        if self.get_item(place).is_some() {
            changing.bytes -= self.exchange(place, None);
        }
    }

    /// Puts an item in the stead of the one at this place, and says how many bytes that one took.
    fn exchange(&self, place: &Place, item: Option<Arc<Item>>) -> u64 {
        let shelf = self.shelf(place);
        let mut changed = Shelf::clone(&shelf.load());
        let taken = match (position(&changed, place), item) {
            (Ok(at), Some(item)) => std::mem::replace(&mut changed[at].1, item).bytes,
            (Ok(at), None) => changed.remove(at).1.bytes,
            (Err(at), Some(item)) => {
                changed.insert(at, (*place, item));
                0
            }
            (Err(_), None) => 0,
        };
        shelf.store(Arc::new(changed));
        taken
    }

    /// Takes off the next shelf what was not asked for since the hand was there, until there is room. Where
    /// it has been around twice, all is asked for all the time, and nothing is spared.
    fn make_room(&self, changing: &mut Changing, spares: bool) {
        let shelf = &self.shelves[changing.hand];
        changing.hand = (changing.hand + 1) % SHELVES;
        let mut left = Shelf::clone(&shelf.load());
        let before = left.len();
        left.retain(|(_, item)| {
            let used = || item.used.swap(false, Ordering::Relaxed) && spares;
            let stays = changing.bytes <= self.most || used();
            if !stays {
                changing.bytes -= item.bytes;
            }
            stays
        });
        if left.len() < before {
            shelf.store(Arc::new(left));
        }
    }
}

fn position(shelf: &Shelf, place: &Place) -> Result<usize, usize> {
    shelf.binary_search_by(|(present, _)| present.cmp(place))
}
