//! What was done to one entry of a list: when, by whom and why, from its first change on.
//!
//! The pages that are kept as they were tell at which revisions the entry changed, the states that are
//! over tell when that was, and the log, which is searched by halves, by whom and why. So it costs
//! about the same however much else has happened.

use super::forms::state_of;
use super::queries::answer_of;
use super::staged::stored_page;
use crate::bitstring::{PAGE_BYTES, StatusIndex, byte_in_page, get_in_byte, get_in_page, page_of};
use crate::ids::{ListId, Revision, Seq};
use crate::registry::{Actor, AuditActor, AuditReason, Registry, RegistryError, StatusAnswer};
use crate::store::engine::{Read, StoreError};
use crate::store::event::{Event, EventKind};
use crate::store::past::PastPage;
use crate::store::tables::{ListRecord, PAST_PAGES, PAST_STATES};
use crate::time::Timestamp;

/// One change of an entry.
#[derive(Debug, Clone)]
pub struct EntryChange {
    /// When it was made.
    pub at: Timestamp,
    /// What the entry said from then on, and the list's revision that it made.
    pub answer: StatusAnswer,
    /// Who made it, as far as the reader may know; `None` where the log does not tell.
    pub actor: Option<AuditActor>,
    /// Why.
    pub reason: AuditReason,
    /// Its event in the log.
    pub event: Option<Seq>,
}

/// What was done to an entry.
#[derive(Debug, Clone)]
pub struct EntryChanges {
    /// In the order in which it was done.
    pub changes: Vec<EntryChange>,
    /// From when on every change is known; what was before that is kept no longer, or was before the
    /// list was brought here.
    pub known_from: Timestamp,
    /// What it said then.
    pub said_first: u8,
}

/// So many rows are read together.
const AT_ONCE: usize = 1_024;

/// So many events are looked at behind the moment of a change.
const MOST_EVENTS: usize = 4_096;

impl Registry {
    /// What was done to an entry of a list. Who may read what is private of its issuer is told by whom
    /// and why, also where they may not read the rest of the trail.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for a list that is not here or is another's, and
    /// [`RegistryError::Invalid`] for an index that the list does not have.
    pub fn entry_changes(
        &self,
        actor: Actor,
        list: ListId,
        index: u64,
    ) -> Result<EntryChanges, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let record = self.own_list(read, actor, list)?;
        let index = record.length().index(index);
        let index = index.map_err(|error| RegistryError::invalid("index", error.to_string()))?;
        let (said_first, changed) = revisions(read, list, &record, index)?;
        let mut changes = Vec::new();
        for (revision, status) in changed {
            let at = begun_at(read, list, &record, revision)?;
            let answer = answer_of(&record, status, revision);
            changes.push(self.as_logged(actor, (list, index), at, answer)?);
        }
        Ok(EntryChanges {
            changes,
            known_from: known_from(read, list, &record)?,
            said_first,
        })
    }

    /// A change of an entry at that moment, with what the log says of it.
    fn as_logged(
        &self,
        actor: Actor,
        (list, index): (ListId, StatusIndex),
        at: Timestamp,
        answer: StatusAnswer,
    ) -> Result<EntryChange, RegistryError> {
        let mut change = EntryChange {
            at,
            answer,
            actor: None,
            reason: AuditReason::None,
            event: None,
        };
        let (mut place, mut looked_at) = (self.last_before(at)?, 0);
        while looked_at < MOST_EVENTS {
            const EVENTS_AT_ONCE: usize = 16;
            let logged = self
                .engine
                .changes_of(list.owner().0, place, EVENTS_AT_ONCE)?;
            let Some(last) = logged.last().map(|event| event.seq) else {
                break;
            };
            let is_it = |body: &[u8]| match Event::decode(body).map(|event| event.kind) {
                Ok(EventKind::StatusChanged {
                    list: of,
                    revision,
                    status,
                    indexes,
                }) => {
                    of == list
                        && revision == change.answer.revision
                        && status == change.answer.status
                        && indexes
                            .as_slice()
                            .binary_search(&(index.get() as u32))
                            .is_ok()
                }
                _ => false,
            };
            if let Some(event) = logged.iter().find(|event| is_it(&event.body)) {
                let told = self.told_event(actor, event.clone())?;
                change.actor = Some(told.actor);
                change.reason = told.reason;
                change.event = Some(told.seq);
                return Ok(change);
            }
            looked_at += logged.len();
            place = last;
        }
        Ok(change)
    }
}

/// What an entry said first, as far as that is kept, and at which revisions it changed to what.
fn revisions(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    index: StatusIndex,
) -> Result<(u8, Vec<(Revision, u8)>), RegistryError> {
    let size = record.status_size;
    let number = page_of(index, size);
    let byte = byte_in_page(index, size);
    let prefix = [list.as_bytes().as_slice(), &number.to_be_bytes()].concat();
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let past = PAST_PAGES.scan(read, &prefix, after.as_ref(), AT_ONCE)?;
        let is_last = past.len() < AT_ONCE;
        after = past.last().map(|(key, _)| *key);
        rows.extend(past.into_iter().filter_map(|((_, revision), page)| {
            let before = Before::of(&page, byte, |byte| get_in_byte(byte, index, size))?;
            Some((revision, before))
        }));
        if is_last {
            break;
        }
    }
    // From the present back to what was first.
    let mut says = get_in_page(&stored_page(read, list, number)?, index, size);
    let mut changed = Vec::new();
    for (revision, before) in rows.into_iter().rev() {
        let said = match before {
            Before::OtherBits(bits) => says ^ bits,
            Before::Was(status) => status,
        };
        if said != says {
            changed.push((revision, says));
        }
        says = said;
    }
    changed.reverse();
    Ok((says, changed))
}

/// What a past page says of one entry.
enum Before {
    /// These bits of it were others.
    OtherBits(u8),
    /// It had this status.
    Was(u8),
}

impl Before {
    /// `None` where the page says nothing of the entry.
    fn of(page: &PastPage, byte: usize, entry: impl Fn(u8) -> u8) -> Option<Self> {
        debug_assert!(byte < PAGE_BYTES);
        match page {
            PastPage::Whole(bytes) => Some(Self::Was(entry(bytes.get(byte).copied().unwrap_or(0)))),
            PastPage::Difference(bytes) => {
                let at = bytes.binary_search_by_key(&byte, |(at, _)| usize::from(*at));
                let bits = entry(bytes[at.ok()?].1);
                (bits != 0).then_some(Self::OtherBits(bits))
            }
        }
    }
}

/// When a revision came into force, by halves: states follow each other without a gap.
fn begun_at(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    revision: Revision,
) -> Result<Timestamp, RegistryError> {
    let present = state_of(read, list, record)?;
    // The later the moment, the younger the first state that is over behind it. One that was in force
    // at no moment left no row: it came with the next one.
    let (mut before, mut behind) = (record.created_at.millis() - 1, present.changed_at.millis());
    let mut found = present.changed_at;
    while before < behind {
        let middle = before + (behind - before) / 2;
        let moment = ((list, Timestamp::from_millis(middle)), Revision(u64::MAX));
        let over = PAST_STATES.scan(read, list.as_bytes(), Some(&moment), 1)?;
        match over.first() {
            Some(((_, of), _)) if *of < revision => before = middle + 1,
            Some((_, past)) => (found, behind) = (past.since, middle),
            // The present state is in force.
            None => behind = middle,
        }
    }
    Ok(found)
}

/// From when on the states of a list are kept.
fn known_from(read: &dyn Read, list: ListId, record: &ListRecord) -> Result<Timestamp, StoreError> {
    let first = PAST_STATES.scan(read, list.as_bytes(), None, 1)?;
    let present = || state_of(read, list, record).map(|state| state.changed_at);
    match first.first() {
        Some((_, past)) => Ok(past.since),
        None => present(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{in_memory, operator, school};
    use crate::registry::{AuditParty, Change, NewList, StatusTarget, StatusUpdate};
    use crate::status::StatusPurpose;
    use crate::time::Ttl;
    use proptest::prelude::*;

    /// One step of a story: which of the entries are set to what, and how long after the one before.
    type Step = (Vec<(usize, bool)>, u64);

    /// A change: when, to what, and why.
    type Told = (Timestamp, u8, String);

    fn sets(registry: &Registry, list: ListId, updates: &[(u64, u8)], why: &str) {
        let update = |(index, status): &(u64, u8)| StatusUpdate {
            target: StatusTarget::Index(*index),
            status: (*status).into(),
        };
        let updates = updates.iter().map(update).collect();
        let reason = Some(why.to_owned());
        registry
            .update_statuses(&operator(), list, updates, reason)
            .unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_is_told_is_what_was_done(
            steps in prop::collection::vec(
                (prop::collection::vec((0_usize..6, any::<bool>()), 1..5), 0_u64..3), 1..120),
        ) {
            let (registry, clock, _) = in_memory();
            let school = school(&registry, "school");
            let list = NewList::usual(school, StatusPurpose::Suspension);
            let list = registry.create_list(&operator(), &list).unwrap().id;
            let given = registry.allocate(&operator(), list, 6).unwrap().indexes();
            let mut model: Vec<(u8, Vec<Told>)> = vec![(0, Vec::new()); 6];
            for (number, (updates, pause)) in (steps as Vec<Step>).into_iter().enumerate() {
                clock.advance(Ttl::from_millis(pause));
                let why = format!("step {number}");
                let mut changes = std::collections::BTreeMap::new();
                for (entry, set) in updates {
                    changes.insert(entry, u8::from(set));
                }
                let updates: Vec<_> =
                    changes.iter().map(|(entry, status)| (given[*entry].get(), *status)).collect();
                sets(&registry, list, &updates, &why);
                for (entry, status) in changes {
                    let (says, told) = &mut model[entry];
                    if *says != status {
                        *says = status;
                        told.push((registry.now(), status, why.clone()));
                    }
                }
            }
            for (entry, (_, expected)) in model.iter().enumerate() {
                let told = registry
                    .entry_changes(Actor::operator(), list, given[entry].get())
                    .unwrap();
                let changes: Vec<_> = told.changes.iter().map(|change| {
                    let AuditReason::Given(why) = &change.reason else {
                        panic!("{change:?}");
                    };
                    (change.at, change.answer.status, why.clone())
                }).collect();
                prop_assert_eq!(&changes, expected);
                prop_assert_eq!(told.said_first, 0);
            }
        }
    }

    #[test]
    fn who_did_it_is_told_also_after_a_change_that_signs_all_again() {
        let (registry, clock, _) = in_memory();
        let school = school(&registry, "school");
        let slug = "school".parse().unwrap();
        let list = NewList::usual(school, StatusPurpose::Revocation);
        let list = registry.create_list(&operator(), &list).unwrap().id;
        let index = registry.allocate(&operator(), list, 1).unwrap().indexes()[0].get();
        clock.advance(Ttl::from_seconds(60));
        let revoked = registry.now();
        sets(&registry, list, &[(index, 1)], "withdrawn");
        clock.advance(Ttl::from_seconds(60));
        let key = registry.keys(&slug).unwrap()[0].id;
        let now = registry.now();
        registry
            .revoke_key(&Change::by(Actor::operator()), &slug, key, now)
            .unwrap();
        clock.advance(Ttl::from_seconds(60));
        let told = registry
            .entry_changes(Actor::operator(), list, index)
            .unwrap();
        let [change] = told.changes.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!((change.at, change.answer.status), (revoked, 1));
        assert_eq!(change.actor.as_ref().unwrap().party, AuditParty::Registry);
        assert_eq!(change.reason, AuditReason::Given("withdrawn".into()));
    }

    #[test]
    fn what_is_forgotten_is_said_to_be() {
        use crate::registry::testing::{clock, over, settings};
        use crate::store::memory::MemoryEngine;
        use std::sync::Arc;
        let clock = clock();
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let mut settings = settings();
        settings.history_kept = Some(Ttl::from_seconds(60));
        let registry = over(engine, clock.clone(), 1, settings);
        let school = school(&registry, "school");
        let list = NewList::usual(school, StatusPurpose::Suspension);
        let list = registry.create_list(&operator(), &list).unwrap().id;
        let given = registry.allocate(&operator(), list, 2).unwrap().indexes();
        let (one, other) = (given[0].get(), given[1].get());
        let mut second = registry.now();
        for (index, status) in [(one, 1), (other, 1), (one, 0)] {
            clock.advance(Ttl::from_seconds(100));
            sets(&registry, list, &[(index, status)], "as decided");
            second = registry.now();
        }
        clock.advance(Ttl::from_seconds(30));
        registry.forget_past(None, 100).unwrap();
        let told = registry
            .entry_changes(Actor::operator(), list, one)
            .unwrap();
        assert_eq!(told.said_first, 1);
        assert_eq!(told.changes.len(), 1);
        assert_eq!(told.changes[0].at, second);
        assert_eq!(told.known_from, second.minus(Ttl::from_seconds(100)));
    }
}
