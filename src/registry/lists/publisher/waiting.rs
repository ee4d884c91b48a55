//! The lists that wait to be signed: when each is due, and which of those that are due goes first.
//!
//! A list is due half of the publish delay after the first change that it does not show, so that the other
//! half is for signing and storing; and never earlier than the whole delay after its last signing
//! began, so that a list which changes all the time is signed once in each delay. A list that takes long to
//! encode rests for longer: it takes no more than one part in [`SHARE`] of a processor, however often it
//! changes. Of more lists than the threads can sign the most read go first, and those that nobody reads
//! still go before those of a second later.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::threads::Stop;
use crate::ids::ListId;

/// So many lists wait at once; whoever changes one more waits for a place, for a while.
pub(super) const MOST_WAITING: usize = 65_536;

/// A list that changes all the time is encoded for one part in so many of the time.
pub(super) const SHARE: u32 = 5;

/// And rests for no longer than that.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The lists that wait.
#[derive(Default)]
pub(super) struct Waiting {
    /// Since when each list waits.
    lists: HashMap<ListId, Instant>,
    by_since: BTreeSet<(Instant, ListId)>,
    /// Those that are not due yet.
    later: BTreeSet<(Instant, ListId)>,
    /// Those that are.
    due: BinaryHeap<Due>,
    /// Those that are being signed; what changes of them meanwhile waits for its end.
    signing: HashSet<ListId>,
    /// When a list that was signed lately may be signed again, as long as that is to come, and the same
    /// in order.
    rests: HashMap<ListId, Instant>,
    by_rest: BTreeSet<(Instant, ListId)>,
    /// How long after a change its list may follow.
    delay: Duration,
    /// Where the publisher is to end when nothing waits any more.
    pub(super) stop: Option<Stop>,
}

/// A list that is to be signed now. The greatest goes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    /// By the second in which it fell due: nobody waits for ever.
    second: Reverse<u64>,
    reads: u32,
    since: Reverse<Instant>,
    list: ListId,
}

/// What a thread is to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Next {
    /// Sign this list, and say so when it is done.
    Sign(ListId),
    /// Nothing before that moment.
    Wait(Duration),
    /// Nothing.
    Nothing,
}

impl Waiting {
    pub(super) const fn begin(&mut self, delay: Duration) {
        self.delay = delay;
    }

    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether one more would be too many.
    pub(super) fn is_full_for(&self, list: ListId) -> bool {
        self.stop.is_none() && self.lists.len() >= MOST_WAITING && !self.lists.contains_key(&list)
    }

    /// A list waits since that moment, unless it does already.
    pub(super) fn add(&mut self, list: ListId, since: Instant) {
        if self.lists.contains_key(&list) {
            return;
        }
        self.lists.insert(list, since);
        self.by_since.insert((since, list));
        if !self.signing.contains(&list) {
            self.later.insert((self.due_at(list, since), list));
        }
    }

    fn due_at(&self, list: ListId, since: Instant) -> Instant {
        let patient = since + self.delay / 2;
        let rested = self.rests.get(&list);
        rested.map_or(patient, |rested| patient.max(*rested))
    }

    /// What is to be done at `now`. A list that is to be signed is no more among those that wait.
    pub(super) fn next(&mut self, now: Instant, reads: &Reads) -> Next {
        let hurries = self.stop.is_some();
        while let Some((at, list)) = self.later.first().copied() {
            if at > now && !hurries {
                break;
            }
            self.later.remove(&(at, list));
            let since = self.lists[&list];
            // Where all that is left is signed, since when it waits says as much as when it is due.
            let second = at.saturating_duration_since(self.origin(now)).as_secs();
            self.due.push(Due {
                second: Reverse(second),
                reads: reads.of(list),
                since: Reverse(since),
                list,
            });
        }
        if let Some(Due { list, .. }) = self.due.pop() {
            let since = self.lists.remove(&list).expect("each that is due waits");
            self.by_since.remove(&(since, list));
            self.signing.insert(list);
            self.note_beginning(list, now);
            return Next::Sign(list);
        }
        match self.later.first() {
            Some((at, _)) => Next::Wait(at.saturating_duration_since(now)),
            None => Next::Nothing,
        }
    }

    /// From when on seconds are counted: they are compared with each other alone.
    fn origin(&self, now: Instant) -> Instant {
        static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *ORIGIN.get_or_init(|| now)
    }

    /// A list is signed, or could not be; what changed of it meanwhile is due in its turn.
    pub(super) fn signed(&mut self, list: ListId) {
        self.signing.remove(&list);
        if let Some(since) = self.lists.get(&list) {
            self.later.insert((self.due_at(list, *since), list));
        }
    }

    fn note_beginning(&mut self, list: ListId, now: Instant) {
        while let Some((until, list)) = self.by_rest.first().copied()
            && until <= now
        {
            self.by_rest.remove(&(until, list));
            self.rests.remove(&list);
        }
        self.rest(list, now + self.delay);
    }

    /// A list that is being signed took so long to encode, from then on.
    pub(super) fn took(&mut self, list: ListId, began: Instant, took: Duration) {
        let until = began + (took * SHARE).min(LONGEST_REST);
        if self.rests.get(&list).is_none_or(|rests| *rests < until) {
            self.rest(list, until);
        }
    }

    fn rest(&mut self, list: ListId, until: Instant) {
        if let Some(before) = self.rests.insert(list, until) {
            self.by_rest.remove(&(before, list));
        }
        self.by_rest.insert((until, list));
    }

    /// Since when the first of them waits.
    pub(super) fn longest(&self) -> Option<Instant> {
        self.by_since.first().map(|(since, _)| *since)
    }
}

/// About how often lists are read. Several lists may share one count, and one read in [`EACH`] is
/// counted: it says who goes first, and nothing else.
pub(in crate::registry) struct Reads {
    counts: Box<[AtomicU32]>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

/// One read in so many is counted.
const EACH: u8 = 16;

impl Default for Reads {
    fn default() -> Self {
        const COUNTS: usize = 1 << 14;
        Self {
            counts: (0..COUNTS).map(|_| AtomicU32::new(0)).collect(),
            hasher: BuildHasherDefault::default(),
        }
    }
}

impl Reads {
    /// Somebody reads a list: an addition to a cell of this thread, and seldom to one of all.
    pub(in crate::registry) fn note(&self, list: ListId) {
        thread_local!(static SEEN: Cell<u8> = const { Cell::new(0) });
        let seen = SEEN.get().wrapping_add(1);
        SEEN.set(seen);
        if seen.is_multiple_of(EACH) {
            self.count(list).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it was read lately. What was before counts half each time that is asked.
    fn of(&self, list: ListId) -> u32 {
        let count = self.count(list);
        let reads = count.load(Ordering::Relaxed);
        count.fetch_sub(reads / 2, Ordering::Relaxed);
        reads
    }

    fn count(&self, list: ListId) -> &AtomicU32 {
        let place = self.hasher.hash_one(list) as usize % self.counts.len();
        &self.counts[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(250);

    fn list(number: u8) -> ListId {
        ListId::from_bytes([number; 12])
    }

    fn waiting() -> (Waiting, Reads, Instant) {
        let mut waiting = Waiting::default();
        waiting.begin(DELAY);
        (waiting, Reads::default(), Instant::now())
    }

    #[test]
    fn a_list_that_changes_all_the_time_is_signed_once_in_each_delay() {
        let (mut waiting, reads, start) = waiting();
        let mut signed = Vec::new();
        for millis in 0..10_000 {
            let now = start + Duration::from_millis(millis);
            waiting.add(list(1), now);
            while let Next::Sign(list) = waiting.next(now, &reads) {
                signed.push(millis);
                waiting.signed(list);
            }
        }
        assert_eq!(signed[0], 125);
        assert!(signed.windows(2).all(|pair| pair[1] - pair[0] == 250));
        assert_eq!(signed.len(), 40);
    }

    #[test]
    fn a_list_that_takes_long_to_encode_takes_a_part_of_a_processor_alone() {
        for (millis, apart) in [(0, 250), (49, 250), (200, 1_000), (60_000, 5_000)] {
            let (mut waiting, reads, start) = waiting();
            let mut signed = Vec::new();
            for now in 0..20_000 {
                let at = start + Duration::from_millis(now);
                waiting.add(list(1), at);
                if let Next::Sign(list) = waiting.next(at, &reads) {
                    signed.push(now);
                    waiting.took(list, at, Duration::from_millis(millis));
                    waiting.signed(list);
                }
            }
            assert!(signed.len() > 3);
            let gaps = signed.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(gaps.clone().all(|gap| gap == apart), "{millis}: {gaps:?}");
        }
    }

    #[test]
    fn what_changes_while_its_list_is_signed_waits_for_that() {
        let (mut waiting, reads, start) = waiting();
        waiting.add(list(1), start);
        let later = start + Duration::from_secs(1);
        assert_eq!(waiting.next(later, &reads), Next::Sign(list(1)));
        waiting.add(list(1), later);
        let much_later = later + Duration::from_secs(10);
        assert_eq!(waiting.next(much_later, &reads), Next::Nothing);
        waiting.signed(list(1));
        assert_eq!(waiting.next(much_later, &reads), Next::Sign(list(1)));
        waiting.signed(list(1));
        assert_eq!((waiting.len(), waiting.longest()), (0, None));
    }

    #[test]
    fn of_many_that_are_due_the_most_read_go_first_and_none_waits_for_ever() {
        let (mut waiting, reads, start) = waiting();
        for number in 1..=9 {
            waiting.add(list(number), start);
        }
        (0..160).for_each(|_| reads.note(list(7)));
        (0..32).for_each(|_| reads.note(list(4)));
        let now = start + Duration::from_secs(1);
        assert_eq!(waiting.next(now, &reads), Next::Sign(list(7)));
        assert_eq!(waiting.next(now, &reads), Next::Sign(list(4)));
        // One that falls due two seconds later goes behind them, however often it is read.
        (0..1_600).for_each(|_| reads.note(list(99)));
        let later = now + Duration::from_secs(2);
        waiting.add(list(99), later);
        let after = later + DELAY;
        let order: Vec<_> = std::iter::from_fn(|| match waiting.next(after, &reads) {
            Next::Sign(list) => Some(list),
            _ => None,
        })
        .collect();
        assert_eq!((order.len(), order.last()), (8, Some(&list(99))));
    }

    #[test]
    fn ten_thousand_lists_are_ordered_in_no_time() {
        let (mut waiting, reads, start) = waiting();
        let id = |number: u32| {
            let mut bytes = [0; 12];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            ListId::from_bytes(bytes)
        };
        (0..100_000).for_each(|number| waiting.add(id(number), start));
        assert!(waiting.is_full_for(id(100_001)) && !waiting.is_full_for(id(5)));
        let now = start + Duration::from_secs(1);
        let mut seen = HashSet::new();
        while let Next::Sign(list) = waiting.next(now, &reads) {
            assert!(seen.insert(list));
            waiting.signed(list);
        }
        assert_eq!(seen.len(), 100_000);
    }
}
