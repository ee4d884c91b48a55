//! What is kept ready in memory: found without a lock, bounded in bytes, and let go by use.
//!
//! Places stand on shelves, by the random bits of their ids. A reader takes the shelf as it is; who
//! changes something puts a changed copy in its stead, one at a time. Where too much is kept, a hand goes
//! around the shelves and takes off what nobody has asked for since it came by last.

use std::cmp::Ordering as Order;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::PublishedList;
use crate::ids::ListId;
use crate::metrics::Held;
use crate::registry::lists::slots::Slots;
use crate::store::tables::ListForm;

/// A list in one of its forms.
pub(in crate::registry::lists::publisher) type Place = (ListId, ListForm);

/// Lists that are kept ready.
pub(in crate::registry::lists::publisher) struct Kept {
    shelves: Slots<ArcSwap<Shelf>>,
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
struct Changing {
    bytes: u64,
    /// The shelf that the hand comes to next.
    hand: usize,
    /// How often all was let go.
    life: u64,
    /// For each shelf the last group of commits that published a list of it, as far as that was heard of.
    newest: Box<[u64]>,
}

/// The state of the store in which an artefact was the newest of its place.
#[derive(Debug, Clone, Copy)]
pub(in crate::registry::lists::publisher) struct AsOf {
    pub(super) life: u64,
    /// The last group that published any list.
    pub(super) number: u64,
}

/// What is kept for a place from now on.
enum Becomes {
    /// The list that is put there.
    This,
    /// Nothing.
    Nothing,
    /// What was kept before.
    AsItIs,
}

/// Which of the forms of a list were published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::lists::publisher) enum Forms {
    /// Its own.
    Own,
    /// Those of the token list that has its id.
    Token,
}

/// What becomes of what is kept that is older than what was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry::lists::publisher) enum Older {
    /// Whoever published replaces it presently.
    Stays,
    /// Nobody here replaces it.
    IsLetGo,
}

/// So many shelves: with the lists of a nation, a change copies some twenty places.
const SHELVES: usize = 1 << 10;

impl Kept {
    pub(super) fn new(most: u64) -> Self {
        Self {
            shelves: Slots::of(SHELVES),
            changing: Mutex::new(Changing {
                bytes: 0,
                hand: 0,
                life: 0,
                newest: vec![0; SHELVES].into(),
            }),
            most,
        }
    }

    /// How much is kept.
    pub(super) fn held(&self) -> Held {
        let shelves = (0..SHELVES).filter_map(|number| self.shelves.get(number));
        Held {
            things: shelves.map(|shelf| shelf.load().len() as u64).sum(),
            bytes: Some(self.changing().bytes),
        }
    }

    /// Looks at what is kept for a place.
    pub(super) fn look<R>(
        &self,
        place: &Place,
        look: impl FnOnce(&Arc<PublishedList>) -> R,
    ) -> Option<R> {
        let shelf = self.shelves.get(shelf_of(place))?.load();
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

    /// Which life of the store a snapshot is of that is taken after this.
    pub(super) fn life(&self) -> u64 {
        self.changing().life
    }

    /// Keeps `list`, which was the newest of its place in this state of the store, unless a list of its
    /// shelf was published since: that may have been a newer one, which can have come and gone. An older one
    /// is kept no more in any case. What takes more than all that may be kept is not.
    pub(super) fn put(&self, place: Place, list: &Arc<PublishedList>, as_of: AsOf) {
        self.replace(place, list, |changing, present| {
            let known = changing.newest[shelf_of(&place)];
            let newest = changing.life == as_of.life && known <= as_of.number;
            match present.map(|present| present.version().cmp(&list.version())) {
                Some(Order::Greater) => Becomes::AsItIs,
                _ if newest => Becomes::This,
                Some(Order::Less) => Becomes::Nothing,
                Some(Order::Equal) | None => Becomes::AsItIs,
            }
        });
    }

    /// Lets go what is kept for a place where it is older than the one with this version.
    pub(in crate::registry::lists::publisher) fn let_go_of_older(
        &self,
        place: &Place,
        version: u64,
    ) {
        let mut changing = self.changing();
        let kept = self.get_item(place);
        if kept.is_some_and(|item| item.list.version() < version) {
            self.take_off(&mut changing, place);
        }
    }

    /// Counts again what a list takes, where it is kept.
    pub(super) fn weigh_again(&self, place: Place, list: &Arc<PublishedList>) {
        self.replace(place, list, |_, present| match present {
            Some(present) if Arc::ptr_eq(present, list) => Becomes::This,
            _ => Becomes::AsItIs,
        });
    }

    /// The group with this number published a list in these forms; none of them, where no generation is
    /// said. Nothing that is read from a state before it is put here from now on.
    pub(in crate::registry::lists::publisher) fn published(
        &self,
        (list, forms): (ListId, Forms),
        generation: Option<u64>,
        number: u64,
        older: Older,
    ) {
        let mut changing = self.changing();
        changing.newest[shelf_of(&(list, ListForm::Bitstring))] = number;
        if older == Older::Stays {
            return;
        }
        for form in ListForm::ALL {
            let place = (list, form);
            let are_these = form.is_token() == (forms == Forms::Token);
            let kept = self.get_item(&place).filter(|_| are_these);
            let is_older = |item: &Arc<Item>| {
                generation.is_none_or(|generation| item.list.generation < generation)
            };
            if kept.as_ref().is_some_and(is_older) {
                self.take_off(&mut changing, &place);
            }
        }
    }

    /// Lets go of everything: what is kept may not be what the store holds, which is as the group with
    /// this number left it.
    pub(in crate::registry::lists::publisher) fn forget_all(&self, number: u64) {
        let mut changing = self.changing();
        changing.life += 1;
        changing.newest.fill(number);
        changing.bytes = 0;
        for shelf in (0..SHELVES).filter_map(|number| self.shelves.get(number)) {
            shelf.store(Arc::default());
        }
    }

    fn replace(
        &self,
        place: Place,
        list: &Arc<PublishedList>,
        becomes: impl FnOnce(&Changing, Option<&Arc<PublishedList>>) -> Becomes,
    ) {
        let mut changing = self.changing();
        let present = self.get_item(&place);
        match becomes(&changing, present.as_ref().map(|present| &present.list)) {
            Becomes::This => {}
            Becomes::Nothing => return self.take_off(&mut changing, &place),
            Becomes::AsItIs => return,
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
    #[cfg(test)]
    pub(in crate::registry::lists::publisher) fn invalidate(&self, place: &Place) {
        self.take_off(&mut self.changing(), place);
    }

    fn changing(&self) -> MutexGuard<'_, Changing> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get_item(&self, place: &Place) -> Option<Arc<Item>> {
        let shelf = self.shelves.get(shelf_of(place))?.load();
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
        let shelf = self.shelves.made(shelf_of(place));
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
        let shelf = self.shelves.get(changing.hand);
        changing.hand = (changing.hand + 1) % SHELVES;
        let Some(shelf) = shelf else {
            return;
        };
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

fn shelf_of((list, _): &Place) -> usize {
    let [.., a, b] = *list.as_bytes();
    usize::from(u16::from_be_bytes([a, b])) % SHELVES
}

fn position(shelf: &Shelf, place: &Place) -> Result<usize, usize> {
    shelf.binary_search_by(|(present, _)| present.cmp(place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::ids::{ProfileId, Revision};
    use crate::store::tables::{ArtefactRecord, PublishedState};
    use crate::time::{Timestamp, Ttl};

    fn list(generation: u64, bytes: usize) -> Arc<PublishedList> {
        let at = Timestamp::from_millis(0);
        let state = PublishedState {
            revision: Revision(1),
            generation,
            published_at: at,
            valid_until: None,
            renew_at: at,
        };
        let body = vec![b'x'; bytes];
        PublishedList::of(ArtefactRecord { state, body }, Ttl::from_seconds(300))
    }

    /// Before anything else is published.
    const NOW: AsOf = AsOf { life: 0, number: 7 };

    fn places(count: usize) -> Vec<Place> {
        let entropy = SeededEntropy::new(3);
        let id = |_| ListId::generate(ProfileId(7), &entropy);
        (0..count)
            .map(id)
            .map(|id| (id, ListForm::Bitstring))
            .collect()
    }

    fn counted(kept: &Kept) -> (u64, u64) {
        let shelves = (0..SHELVES).filter_map(|number| kept.shelves.get(number));
        let there =
            shelves.map(|shelf| shelf.load().iter().map(|(_, item)| item.bytes).sum::<u64>());
        (kept.changing.lock().unwrap().bytes, there.sum())
    }

    #[test]
    fn a_newer_list_takes_the_place_of_an_older_one_and_never_the_other_way() {
        let (kept, places) = (Kept::new(1 << 20), places(2));
        kept.put(places[0], &list(5, 100), NOW);
        kept.put(places[0], &list(4, 100), NOW);
        assert_eq!(kept.get(&places[0]).unwrap().generation, 5);
        kept.put(places[0], &list(6, 200), NOW);
        assert_eq!(kept.get(&places[0]).unwrap().generation, 6);
        assert!(kept.get(&places[1]).is_none());
        assert!(kept.get(&(places[0].0, ListForm::TokenJwt)).is_none());
        kept.invalidate(&places[0]);
        assert!(kept.get(&places[0]).is_none());
        assert_eq!(counted(&kept), (0, 0));
    }

    #[test]
    fn what_was_read_before_a_newer_one_was_published_is_not_kept_after_it() {
        let (kept, places) = (Kept::new(1 << 20), places(1));
        let (list_id, _) = places[0];
        let as_of = |life, number| AsOf { life, number };
        let generation = || kept.get(&places[0]).map(|kept| kept.generation);
        kept.put(places[0], &list(4, 100), as_of(0, 7));
        // By this process, which replaces it in a moment.
        kept.published((list_id, Forms::Own), Some(5), 8, Older::Stays);
        assert_eq!(generation(), Some(4));
        // Somebody is late with what was read before that: what is older than it goes all the same.
        kept.put(places[0], &list(5, 100), as_of(0, 7));
        assert_eq!(generation(), None);
        kept.put(places[0], &list(5, 100), as_of(0, 8));
        kept.put(places[0], &list(4, 100), as_of(0, 8));
        assert_eq!(generation(), Some(5));
        // By another one. What belongs to the token list is no form of it.
        kept.published((list_id, Forms::Token), Some(9), 9, Older::IsLetGo);
        assert_eq!(generation(), Some(5));
        kept.published((list_id, Forms::Own), Some(6), 10, Older::IsLetGo);
        assert_eq!(generation(), None);
        kept.put(places[0], &list(5, 100), as_of(0, 9));
        assert_eq!(generation(), None);
        // A snapshot may be ahead of what was heard of.
        kept.put(places[0], &list(7, 100), as_of(0, 11));
        kept.published((list_id, Forms::Own), Some(7), 11, Older::IsLetGo);
        assert_eq!(generation(), Some(7));
        kept.published((list_id, Forms::Own), None, 12, Older::IsLetGo);
        assert_eq!(generation(), None);
        // The store comes up anew, with less in it than there was.
        kept.put(places[0], &list(8, 100), as_of(0, 12));
        kept.forget_all(9);
        assert_eq!((generation(), counted(&kept)), (None, (0, 0)));
        kept.put(places[0], &list(8, 100), as_of(0, 12));
        assert_eq!(generation(), None);
        kept.put(places[0], &list(4, 100), as_of(1, 9));
        assert_eq!(generation(), Some(4));
    }

    #[test]
    fn what_is_asked_for_outlasts_what_is_not() {
        let (kept, places) = (Kept::new(100 * 1_000), places(5_000));
        let (asked, others) = places.split_at(50);
        for place in asked {
            kept.put(*place, &list(0, 400), NOW);
        }
        for place in others {
            kept.put(*place, &list(0, 400), NOW);
            for place in asked {
                assert!(kept.get(place).is_some());
            }
        }
        let left = others.iter().filter(|place| kept.get(place).is_some());
        assert!((1..60).contains(&left.count()));
    }

    #[test]
    fn what_takes_more_than_there_is_room_for_is_not_kept_nor_what_it_replaces() {
        let (kept, places) = (Kept::new(10_000), places(1));
        kept.put(places[0], &list(1, 100), NOW);
        kept.put(places[0], &list(2, 20_000), NOW);
        assert!(kept.get(&places[0]).is_none());
        assert_eq!(counted(&kept), (0, 0));
    }

    #[test]
    fn what_is_compressed_counts() {
        let (kept, places) = (Kept::new(1 << 20), places(1));
        let list = list(1, 8_000);
        kept.put(places[0], &list, NOW);
        let before = counted(&kept).0;
        list.packed
            .get_or_init(|| super::super::Packed::of(&list.etag, &list.body));
        kept.weigh_again(places[0], &list);
        let packed = list.packed().unwrap().unwrap().body.len() as u64;
        assert_eq!(counted(&kept), (before + packed, before + packed));
    }

    proptest! {
        /// Whatever is put, asked for and let go, no more is kept than there is room for, what is counted is
        /// what is there, and what is found is the newest of its place.
        #[test]
        fn no_more_is_kept_than_there_is_room_for(
            steps in prop::collection::vec((0..40_usize, 0..4_u8, 0..20_u64, 0..3_000_usize), 1..300),
        ) {
            let (kept, places) = (Kept::new(20_000), places(40));
            let mut newest = std::collections::HashMap::new();
            for (which, what, generation, bytes) in steps {
                let place = places[which];
                match what {
                    0 => kept.invalidate(&place),
                    1 => { kept.get(&place); }
                    _ => {
                        kept.put(place, &list(generation, bytes), NOW);
                        let known = newest.entry(place).or_insert(generation);
                        *known = generation.max(*known);
                    }
                }
                if what == 0 {
                    newest.remove(&place);
                }
                let (told, there) = counted(&kept);
                prop_assert_eq!(told, there);
                prop_assert!(told <= 20_000);
                if let Some(list) = kept.get(&place) {
                    // What was let go to make room may be followed by an older one; its publisher sees to that.
                    prop_assert!(list.generation <= newest[&place]);
                }
            }
        }
    }
}
