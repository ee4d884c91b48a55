//! The lists that wait to be signed: when each is due, and which of those that are due goes first.
//!
//! A list is due half of the publish delay after the first change that it does not show, so that the other
//! half is for signing and storing; and never earlier than the whole delay after its last signing
//! began, so that a list which changes all the time is signed once in each delay. A list that takes long to
//! encode rests for longer: it takes no more than one part in [`SHARE`] of a processor, however often it
//! changes. Of more lists than the threads can sign the most read go first, and those that nobody reads
//! still go before those of a second later.
//!
//! Those that another process changed are left to it for a while, and wait here from then on.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::following::{GRACE, LOOKED_AT_ONCE};
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
pub(in crate::registry) struct Waiting {
    /// Since when each list waits.
    lists: HashMap<ListId, Instant>,
    by_since: BTreeSet<(Instant, ListId)>,
    /// Those that are not due yet.
    later: BTreeSet<(Instant, ListId)>,
    /// Those that are.
    due: BinaryHeap<Due>,
    /// Those that are being signed, with since when they waited; what changes of them meanwhile waits for
    /// its end.
    signing: HashMap<ListId, Instant>,
    /// Since when those have waited that could not be signed at the first try.
    overdue: HashMap<ListId, Instant>,
    /// When a list that was signed lately may be signed again, as long as that is to come, and the same
    /// in order.
    rests: HashMap<ListId, Instant>,
    by_rest: BTreeSet<(Instant, ListId)>,
    /// How long after a change its list may follow.
    delay: Duration,
    /// From when on seconds are counted: they are compared with each other alone.
    origin: Option<Instant>,
    /// Until when each list that was changed elsewhere is left to whoever changed it, and the same in order.
    elsewhere: HashMap<ListId, Instant>,
    patience: BTreeSet<(Instant, ListId)>,
    /// Where the store is to be looked through for lists that wait.
    look: Option<Look>,
    /// Where the publisher is to end when nothing waits any more.
    pub(super) stop: Option<Stop>,
}

/// The store is to be looked through from that moment on, behind this list.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    after: Option<ListId>,
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
    /// Look through the store for lists that wait, behind this one.
    LookThrough(Option<ListId>),
    /// Nothing before that moment.
    Wait(Duration),
    /// Nothing.
    Nothing,
}

impl Waiting {
    pub(super) const fn begin(&mut self, delay: Duration) {
        self.delay = delay;
    }

    pub(in crate::registry) fn len(&self) -> usize {
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
        if !self.signing.contains_key(&list) {
            self.later.insert((self.due_at(list, since), list));
        }
    }

    /// A list was changed elsewhere. Where it waits here it is signed here in any case.
    pub(super) fn leave_to_others(&mut self, list: ListId, now: Instant) {
        if self.lists.contains_key(&list) || self.elsewhere.contains_key(&list) {
            return;
        }
        match self.elsewhere.len() < MOST_WAITING {
            true => self.be_patient(list, now + GRACE),
            false => self.look_through(now),
        }
    }

    /// A list was published elsewhere: whoever does that may go on.
    pub(super) fn was_published_elsewhere(&mut self, list: ListId, now: Instant) {
        if self.elsewhere.contains_key(&list) {
            self.waits_no_more_elsewhere(list);
            self.be_patient(list, now + GRACE);
        }
    }

    /// A list shows all its changes.
    pub(super) fn waits_no_more_elsewhere(&mut self, list: ListId) {
        if let Some(until) = self.elsewhere.remove(&list) {
            self.patience.remove(&(until, list));
        }
    }

    fn be_patient(&mut self, list: ListId, until: Instant) {
        self.elsewhere.insert(list, until);
        self.patience.insert((until, list));
    }

    /// Nobody knows here which lists wait: the store is looked through for them, in a while.
    pub(super) fn look_through(&mut self, now: Instant) {
        let at = now + GRACE;
        self.look = Some(Look { at, after: None });
    }

    /// These wait, next behind `after` in the order in which the store is looked through.
    pub(super) fn looked_at(&mut self, mut after: Option<ListId>, lists: &[ListId], now: Instant) {
        let mut left = lists.iter();
        let at = loop {
            if self.elsewhere.len() >= MOST_WAITING {
                break now + GRACE;
            }
            let Some(list) = left.next() else {
                break now;
            };
            self.leave_to_others(*list, now);
            after = Some(*list);
        };
        if !left.as_slice().is_empty() || lists.len() == LOOKED_AT_ONCE {
            // Where it is to be done from the beginning again, that comes first.
            self.look.get_or_insert(Look { at, after });
        }
    }

    /// What was left to others for long enough waits here from now on.
    fn lose_patience(&mut self, now: Instant) {
        while let Some((until, list)) = self.patience.first().copied()
            && until <= now
        {
            self.waits_no_more_elsewhere(list);
            self.add(list, until);
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
        if !hurries {
            if let Some(look) = self.look.take_if(|look| look.at <= now) {
                return Next::LookThrough(look.after);
            }
            self.lose_patience(now);
        }
        while let Some((at, list)) = self.later.first().copied() {
            if at > now && !hurries {
                break;
            }
            self.later.remove(&(at, list));
            let since = self.lists[&list];
            // Where all that is left is signed, since when it waits says as much as when it is due.
            let origin = *self.origin.get_or_insert(now);
            let second = at.saturating_duration_since(origin).as_secs();
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
            self.signing.insert(list, since);
            self.note_beginning(list, now);
            return Next::Sign(list);
        }
        let patient = [self.patience.first().map(|(until, _)| *until)];
        let others = patient.into_iter().chain([self.look.map(|look| look.at)]);
        let others = others.flatten().filter(|_| !hurries);
        let later = self.later.first().map(|(at, _)| *at);
        match others.chain(later).min() {
            Some(at) => Next::Wait(at.saturating_duration_since(now)),
            None => Next::Nothing,
        }
    }

    /// A list could not be signed.
    pub(super) fn failed(&mut self, list: ListId, now: Instant) {
        let since = self.signing.get(&list).copied().unwrap_or(now);
        self.overdue.entry(list).or_insert(since);
    }

    /// A list was signed that could not be before: since when it has waited.
    pub(super) fn made_good(&mut self, list: ListId) -> Option<Instant> {
        self.overdue.remove(&list)
    }

    /// A list is signed, or could not be; what changed of it meanwhile is due in its turn. Returns since
    /// when it waited.
    pub(super) fn signed(&mut self, list: ListId) -> Option<Instant> {
        let waited = self.signing.remove(&list);
        if let Some(since) = self.lists.get(&list) {
            self.later.insert((self.due_at(list, *since), list));
        }
        waited
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

    /// Since when the first list waits that does not show a change, those included that could not be signed.
    pub(in crate::registry) fn behind_since(&self) -> Option<Instant> {
        let all = self.signing.values().chain(self.overdue.values()).copied();
        all.chain(self.longest()).min()
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
    use std::collections::HashSet;

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
    fn a_list_that_could_not_be_signed_has_waited_since_its_change() {
        let (mut waiting, reads, start) = waiting();
        let after = |seconds| start + Duration::from_secs(seconds);
        waiting.add(list(1), start);
        assert_eq!(waiting.behind_since(), Some(start));
        for tried in [1, 7, 13] {
            assert_eq!(waiting.next(after(tried), &reads), Next::Sign(list(1)));
            assert_eq!(waiting.behind_since(), Some(start));
            waiting.failed(list(1), after(tried));
            waiting.add(list(1), after(tried + 5));
            waiting.signed(list(1));
            assert_eq!(waiting.behind_since(), Some(start));
        }
        assert_eq!(waiting.next(after(19), &reads), Next::Sign(list(1)));
        assert_eq!(waiting.signed(list(1)), Some(after(18)));
        assert_eq!(waiting.made_good(list(1)), Some(start));
        assert_eq!(
            (waiting.made_good(list(1)), waiting.behind_since()),
            (None, None)
        );
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
    fn what_another_process_changed_is_left_to_it_for_a_while() {
        let (mut waiting, reads, start) = waiting();
        let after = |millis| start + Duration::from_millis(millis);
        let patience = |millis| Next::Wait(Duration::from_millis(millis));
        for number in 1..=3 {
            waiting.leave_to_others(list(number), start);
        }
        assert_eq!(waiting.next(start, &reads), patience(2_000));
        // One of them is published, and the other waits on: it was changed again meanwhile.
        waiting.waits_no_more_elsewhere(list(1));
        waiting.was_published_elsewhere(list(2), after(1_500));
        waiting.was_published_elsewhere(list(9), after(1_500));
        waiting.leave_to_others(list(2), after(1_600));
        let Next::Wait(left) = waiting.next(after(2_000), &reads) else {
            panic!("nobody would look again");
        };
        let now = after(2_000) + left;
        assert!(now <= after(2_500));
        assert_eq!(waiting.next(now, &reads), Next::Sign(list(3)));
        waiting.signed(list(3));
        assert!(matches!(waiting.next(after(3_499), &reads), Next::Wait(_)));
        assert_eq!(waiting.next(after(4_000), &reads), Next::Sign(list(2)));
        waiting.signed(list(2));
        assert_eq!(waiting.next(after(9_000), &reads), Next::Nothing);
    }

    #[test]
    fn the_store_is_looked_through_from_beginning_to_end() {
        let (mut waiting, reads, start) = waiting();
        waiting.look_through(start);
        assert_eq!(waiting.next(start, &reads), Next::Wait(GRACE));
        let now = start + GRACE;
        assert_eq!(waiting.next(now, &reads), Next::LookThrough(None));
        let id = |number: usize| {
            let mut bytes = [0; 12];
            bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
            ListId::from_bytes(bytes)
        };
        // More than are kept track of: the others come when these are signed.
        let all: Vec<_> = (0..MOST_WAITING + 100).map(id).collect();
        let (mut found, mut now, mut from) = (Vec::new(), now, 0);
        let (mut looks, mut behind) = (1, None);
        loop {
            let page = &all[from..all.len().min(from + LOOKED_AT_ONCE)];
            waiting.looked_at(behind, page, now);
            loop {
                match waiting.next(now, &reads) {
                    Next::Sign(list) => {
                        found.push(list);
                        waiting.signed(list);
                    }
                    Next::Wait(left) => now += left,
                    Next::LookThrough(after) => {
                        behind = after;
                        let after = after.expect("it goes on");
                        from = all.partition_point(|list| *list <= after);
                        looks += 1;
                        break;
                    }
                    Next::Nothing => {
                        found.sort_unstable();
                        assert!(found == all && looks > MOST_WAITING / LOOKED_AT_ONCE);
                        return;
                    }
                }
            }
        }
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
