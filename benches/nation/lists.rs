//! The status lists of the nation's issuers. The services make them, as they would for anybody: each is
//! opened, all its entries are given out, some revoked, and it is signed.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use goodstanding::bitstring::ListLength;
use goodstanding::entropy::{Entropy, SeededEntropy};
use goodstanding::ids::ListId;
use goodstanding::registry::{NewList, Registry, StatusTarget, StatusUpdate};
use goodstanding::status::StatusPurpose;
use sha2::{Digest as _, Sha256};

use super::people::{change, register};
use super::plan::{self, ACCREDITORS};
use super::progress::Steps;

/// How many there are: a little more than 1,333,333,333 entries.
pub(crate) const LISTS: u32 = 10_173;
/// Entries of each.
pub(crate) const LENGTH: u32 = 131_072;
/// One in so many is revoked.
const REVOKED: u32 = 50;
/// Lists of each issuer.
const EACH: u32 = 10;
/// Entries that are given out in one call.
const AT_ONCE: u64 = 65_536;
/// Threads that make lists: their commits share the disk's syncs.
const THREADS: u32 = 8;

/// A list that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    pub(crate) id: ListId,
    /// What its bits are a function of.
    seed: u64,
}

impl List {
    fn new(seed: u64, number: u32, id: ListId) -> Self {
        let seed = seed ^ u64::from(number) << 32;
        Self { id, seed }
    }

    /// What one of its entries says, by its index.
    pub(crate) fn is_revoked(&self, index: u32) -> bool {
        mixed(self.seed, index).is_multiple_of(REVOKED)
    }

    pub(super) fn to_line(self) -> String {
        format!("{} {}", self.id, self.seed)
    }

    pub(super) fn from_line(line: &str) -> Option<Self> {
        let (id, seed) = line.split_once(' ')?;
        let (id, seed) = (id.parse().ok()?, seed.parse().ok()?);
        Some(Self { id, seed })
    }
}

/// Makes `count` lists of profiles that are there.
pub(super) fn fill(registry: &Registry, seed: u64, count: u32) -> Vec<List> {
    let next = AtomicU32::new(0);
    let made = Mutex::new(Vec::new());
    let steps = Steps::of("status lists", count.into());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    Streams::begin(number);
                    let list = make(registry, seed, number);
                    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                    made.push((number, list));
                    steps.one_more();
                }
            });
        }
    });
    let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.sort_unstable_by_key(|(number, _)| *number);
    made.into_iter().map(|(_, list)| list).collect()
}

/// Registers the issuers of so many lists, where nobody else is.
pub(super) fn owners(registry: &Registry, lists: u32) {
    for number in ACCREDITORS + 1..=ACCREDITORS + lists.div_ceil(EACH) {
        register(registry, number);
    }
}

fn make(registry: &Registry, seed: u64, number: u32) -> List {
    let issuer = plan::slug(ACCREDITORS + 1 + number / EACH);
    let issuer = registry.profile_named(&issuer, "the plan");
    let issuer = issuer.expect("it was registered").id;
    let new = NewList {
        length: ListLength::new(LENGTH.into()).expect("the usual length"),
        ..NewList::usual(issuer, StatusPurpose::Revocation)
    };
    let opened = registry.create_list(&change(), &new);
    let list = List::new(seed, number, opened.expect("the operator opens lists").id);
    for _ in 0..u64::from(LENGTH) / AT_ONCE {
        let given = registry.allocate(&change(), list.id, AT_ONCE);
        given.expect("there are so many");
    }
    let revoked = (0..LENGTH).filter(|index| list.is_revoked(*index));
    let updates = revoked.map(|index| StatusUpdate {
        target: StatusTarget::Index(index.into()),
        status: 1,
    });
    let done = registry.update_statuses(&change(), list.id, updates.collect(), None);
    done.expect("its entries were given out");
    registry.publish(list.id).expect("its issuer signs here");
    list
}

/// Scattered, and always the same.
fn mixed(seed: u64, index: u32) -> u32 {
    let mut bits = seed ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 16) as u32
}

/// Random bytes that are a function of a seed and of what is being made, whichever thread makes it.
pub(super) struct Streams {
    seed: u64,
    /// For what is not made here.
    others: SeededEntropy,
}

thread_local! {
    /// What this thread makes, and how often it asked for bytes for that.
    static MAKING: RefCell<Option<(u32, u64)>> = const { RefCell::new(None) };
}

impl Streams {
    pub(super) const fn new(seed: u64) -> Self {
        let others = SeededEntropy::new(seed);
        Self { seed, others }
    }

    /// From now on this thread makes the list of this number.
    fn begin(number: u32) {
        MAKING.set(Some((number, 0)));
    }
}

impl Entropy for Streams {
    fn fill(&self, out: &mut [u8]) {
        let Some((number, mut asked)) = MAKING.take() else {
            return self.others.fill(out);
        };
        for chunk in out.chunks_mut(32) {
            asked += 1;
            let mut hash = Sha256::new();
            hash.update(b"list");
            hash.update(self.seed.to_be_bytes());
            hash.update(number.to_be_bytes());
            hash.update(asked.to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
        MAKING.set(Some((number, asked)));
    }
}
