//! Which indexes of a space are in use: those that were given out here, and those that were in use
//! elsewhere before the space was brought here.

use std::collections::HashMap;
use std::ops::Range;

use super::allocation::permutation;
use crate::bitstring::{
    Bitstring, ListLength, PAGE_BYTES, Page, PageError, Permutation, StatusIndex, StatusSize,
    get_in_page, page_count, page_of,
};
use crate::ids::SpaceId;
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{ALLOCATION, Brought, OCCUPIED, SEALED_SPACES, SpaceRecord};

/// The indexes of a space that are in use, as one snapshot has them.
///
/// Those given out here are the images of the counters below [`InUse::counter`], without those
/// among them that were brought; the counter walks past these.
pub(in crate::registry) struct InUse<'a> {
    read: &'a dyn Read,
    space: SpaceId,
    length: ListLength,
    permutation: Permutation,
    /// The stored counter; where nothing was given out yet there is none.
    stored: Option<u64>,
    brought: Brought,
    /// Whether it was sealed: more may have been given out than is known here.
    sealed: bool,
    pages: HashMap<u32, Page>,
}

/// Fresh indexes of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct Fresh {
    /// The indexes, in the order in which they are given out.
    pub(in crate::registry) indexes: Vec<StatusIndex>,
    /// The counters that were walked: more than there are indexes where brought ones were passed.
    pub(in crate::registry) counters: Range<u64>,
}

impl Fresh {
    /// The indexes as numbers.
    pub(in crate::registry) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.indexes.iter().map(|index| index.get() as u32)
    }
}

/// Why there are no fresh indexes.
#[derive(Debug)]
pub(in crate::registry) enum NoneFresh {
    /// Fewer are free than were asked for.
    Only(u64),
    /// Nobody said which are in use, so none is given out.
    Unknown,
    /// Some may be in use that are not known here, since the store was put back from an older copy.
    Sealed,
    /// The store could not be read.
    Store(StoreError),
}

impl From<StoreError> for NoneFresh {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Counters that are looked at together, at most.
const STRIDE: u64 = 1 << 20;

impl<'a> InUse<'a> {
    pub(in crate::registry) fn of(
        read: &'a dyn Read,
        space: SpaceId,
        record: &SpaceRecord,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            read,
            space,
            length: record.length(),
            permutation: permutation(record),
            stored: ALLOCATION.get(read, &space)?,
            brought: record.brought,
            sealed: SEALED_SPACES.get(read, &space)?.is_some(),
            pages: HashMap::new(),
        })
    }

    /// The stored counter, for the condition of the batch that moves it.
    pub(in crate::registry) const fn stored(&self) -> Option<u64> {
        self.stored
    }

    /// How far the counter has walked.
    pub(in crate::registry) fn counter(&self) -> u64 {
        self.stored.unwrap_or(0)
    }

    /// Whether an index is in use, so that it has a status which can change.
    pub(in crate::registry) fn holds(&mut self, index: StatusIndex) -> Result<bool, StoreError> {
        match self.brought {
            Brought::Unknown => Ok(true),
            _ if self.sealed => Ok(true),
            _ if self.permutation.is_allocated(index, self.counter()) => Ok(true),
            Brought::Nothing => Ok(false),
            Brought::Known(_) => self.was_brought(index),
        }
    }

    /// The next `count` indexes that are free.
    ///
    /// # Errors
    /// [`NoneFresh`] says how many are left where these are fewer. Nothing but the end of the space
    /// shows that, so a space of 2^26 indexes that is full of brought ones takes about a second to
    /// say so.
    pub(in crate::registry) fn fresh(&mut self, count: u64) -> Result<Fresh, NoneFresh> {
        let end = self.length.entries();
        let first = self.counter().min(end);
        match self.brought {
            _ if self.sealed => return Err(NoneFresh::Sealed),
            Brought::Unknown => return Err(NoneFresh::Unknown),
            Brought::Nothing if count > end - first => return Err(NoneFresh::Only(end - first)),
            _ => {}
        }
        let mut indexes = Vec::new();
        let (mut at, mut stride) = (first, count.clamp(64, STRIDE));
        while (indexes.len() as u64) < count {
            if at == end {
                return Err(NoneFresh::Only(indexes.len() as u64));
            }
            if self.brought == Brought::Nothing {
                stride = count - indexes.len() as u64;
            }
            let stretch = at..end.min(at + stride);
            for index in self.permutation.indexes_of(stretch) {
                if (indexes.len() as u64) == count {
                    break;
                }
                at += 1;
                if !self.was_brought(index)? {
                    indexes.push(index);
                }
            }
            stride = (stride * 2).min(STRIDE);
        }
        let counters = first..at;
        Ok(Fresh { indexes, counters })
    }

    /// All of them, one bit an index; `None` where that is not known.
    pub(in crate::registry) fn bits(&self) -> Result<Option<Bitstring>, StoreError> {
        let mut bits = match self.brought {
            _ if self.sealed => return Ok(None),
            Brought::Unknown => return Ok(None),
            Brought::Nothing => Bitstring::zeroed(self.length, StatusSize::One),
            Brought::Known(_) => self.brought_bits()?,
        };
        let (mut at, end) = (0, self.counter());
        while at < end {
            let stretch = at..end.min(at + STRIDE);
            at = stretch.end;
            for index in self.permutation.indexes_of(stretch) {
                bits.set(index, 1)
                    .expect("the bits are as long as the space");
            }
        }
        Ok(Some(bits))
    }

    fn brought_bits(&self) -> Result<Bitstring, StoreError> {
        let most = page_count(self.length, StatusSize::One) as usize;
        let rows = OCCUPIED.scan(self.read, self.space.as_bytes(), None, most)?;
        let pages = rows.into_iter().map(|((_, page), bytes)| (page, bytes));
        Bitstring::from_pages(self.length, StatusSize::One, pages)
            .map_err(|error| self.corrupt(&error))
    }

    fn was_brought(&mut self, index: StatusIndex) -> Result<bool, StoreError> {
        if !matches!(self.brought, Brought::Known(_)) {
            return Ok(false);
        }
        let number = page_of(index, StatusSize::One);
        if !self.pages.contains_key(&number) {
            let page = self.occupied_page(number)?;
            self.pages.insert(number, page);
        }
        Ok(get_in_page(&self.pages[&number], index, StatusSize::One) == 1)
    }

    fn occupied_page(&self, number: u32) -> Result<Page, StoreError> {
        match OCCUPIED.get(self.read, &(self.space, number))? {
            None => Ok([0; PAGE_BYTES]),
            Some(stored) => Page::try_from(stored).map_err(|stored| {
                let bytes = stored.len();
                self.corrupt(&PageError::Length {
                    page: number,
                    bytes,
                })
            }),
        }
    }

    fn corrupt(&self, error: &PageError) -> StoreError {
        StoreError::Corrupt {
            table: OCCUPIED.name(),
            reason: format!("{}: {error}", self.space),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::ids::ProfileId;
    use crate::store::engine::{Batch, Engine};
    use crate::store::memory::MemoryEngine;
    use crate::time::{ManualClock, Timestamp};
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    const LENGTH: ListLength = ListLength::MINIMUM;

    struct Store {
        engine: MemoryEngine,
        space: SpaceId,
        record: SpaceRecord,
    }

    impl Store {
        fn with(brought: Brought, occupied: &BTreeSet<u64>, key: [u8; 16]) -> Self {
            let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
            let engine = MemoryEngine::new(clock);
            let space = SpaceId::generate(ProfileId(1), &SeededEntropy::new(1));
            let mut bits = Bitstring::zeroed(LENGTH, StatusSize::One);
            for index in occupied {
                bits.set(LENGTH.index(*index).unwrap(), 1).unwrap();
            }
            let mut batch = Batch::default();
            for (number, page) in bits.pages() {
                OCCUPIED.put(&mut batch, &(space, number), &page.to_vec());
            }
            engine.commit(batch).unwrap();
            let record = SpaceRecord {
                length: LENGTH.entries(),
                permutation: key,
                planes: Vec::new(),
                endorsements: false,
                token: None,
                brought,
            };
            Self {
                engine,
                space,
                record,
            }
        }

        fn in_use(&self) -> InUse<'_> {
            InUse::of(&self.engine, self.space, &self.record).unwrap()
        }

        /// Takes `count` and moves the counter, or says how many are left.
        fn take(&self, count: u64) -> Result<Vec<u64>, u64> {
            let mut in_use = self.in_use();
            match in_use.fresh(count) {
                Ok(fresh) => {
                    let mut batch = Batch::default();
                    ALLOCATION.expect(&mut batch, &self.space, in_use.stored().as_ref());
                    ALLOCATION.put(&mut batch, &self.space, &fresh.counters.end);
                    self.engine.commit(batch).unwrap();
                    Ok(fresh.indexes.iter().map(|index| index.get()).collect())
                }
                Err(NoneFresh::Only(left)) => Err(left),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    /// The same set of indexes for one seed: about one in `one_in`, or all but about one.
    fn scattered(seed: u64, one_in: u64, mostly: bool) -> BTreeSet<u64> {
        let hit = |index: &u64| {
            let mixed = (index ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            mixed.is_multiple_of(one_in) != mostly
        };
        (0..LENGTH.entries()).filter(hit).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        /// Against a set of what is taken: never an index twice, never one that was brought, and
        /// in the end all the others.
        #[test]
        fn what_is_free_is_given_out_once(
            key: [u8; 16],
            seed: u64,
            one_in in 2_u64..5_000,
            mostly: bool,
            known: bool,
            counts in prop::collection::vec(1_u64..3_000, 1..12),
        ) {
            let occupied = if known { scattered(seed, one_in, mostly) } else { BTreeSet::new() };
            let brought = match known {
                true => Brought::Known(occupied.len() as u64),
                false => Brought::Nothing,
            };
            let store = Store::with(brought, &occupied, key);
            let mut taken = occupied.clone();
            let all = LENGTH.entries();
            for count in counts {
                let left = all - taken.len() as u64;
                match store.take(count) {
                    Ok(indexes) => {
                        prop_assert_eq!(indexes.len() as u64, count);
                        for index in indexes {
                            prop_assert!(taken.insert(index), "{} was in use", index);
                        }
                    }
                    Err(said) => {
                        prop_assert!(count > left);
                        prop_assert_eq!(said, left);
                    }
                }
                let mut in_use = store.in_use();
                for index in (seed % 97..all).step_by(97) {
                    let held = in_use.holds(LENGTH.index(index).unwrap()).unwrap();
                    prop_assert_eq!(held, taken.contains(&index));
                }
            }
            let left = all - taken.len() as u64;
            if left > 0 {
                taken.extend(store.take(left).unwrap());
            }
            prop_assert_eq!(taken.len() as u64, all);
            prop_assert_eq!(store.take(1), Err(0));
            let bits = store.in_use().bits().unwrap().unwrap();
            prop_assert_eq!(bits.count_ones(), all);
        }
    }

    #[test]
    fn the_bits_are_what_was_given_out_and_what_was_brought() {
        let occupied = scattered(7, 9, false);
        let store = Store::with(Brought::Known(occupied.len() as u64), &occupied, [3; 16]);
        let mut taken = occupied.clone();
        taken.extend(store.take(5_000).unwrap());
        let bits = store.in_use().bits().unwrap().unwrap();
        let set = (0..LENGTH.entries()).filter(|index| bits.get(*index) == Some(1));
        assert_eq!(set.collect::<BTreeSet<_>>(), taken);
    }

    #[test]
    fn where_nobody_said_what_is_in_use_all_is_and_nothing_is_given_out() {
        let store = Store::with(Brought::Unknown, &BTreeSet::new(), [3; 16]);
        let mut in_use = store.in_use();
        assert!(in_use.holds(LENGTH.index(0).unwrap()).unwrap());
        assert!(matches!(in_use.fresh(1), Err(NoneFresh::Unknown)));
        assert_eq!(in_use.bits().unwrap(), None);
    }

    #[test]
    fn a_damaged_page_is_named_and_never_free() {
        let store = Store::with(Brought::Known(1), &BTreeSet::from([5]), [3; 16]);
        let mut batch = Batch::default();
        OCCUPIED.put(&mut batch, &(store.space, 0), &vec![0; 3]);
        store.engine.commit(batch).unwrap();
        let error = store.in_use().holds(LENGTH.index(5).unwrap()).unwrap_err();
        assert!(error.to_string().contains("occupied"), "{error}");
        assert!(matches!(
            store.in_use().fresh(100),
            Err(NoneFresh::Store(_))
        ));
        assert!(store.in_use().bits().is_err());
    }
}
