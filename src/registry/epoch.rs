//! What follows when a store is taken as it was found, after a restore or because its newest changes are
//! lost: another epoch begins, and nothing that was given out in the lost part of the one before is given
//! out again.
//!
//! Nobody knows what the lost part held. So everything that the store counts is moved past whatever it can
//! have counted there, by the clock: what is counted grows by less than the clock does between two
//! restores, also where the same old copy is restored twice.
//!
//! | what | how |
//! |---|---|
//! | indexes | each space is sealed: it gives out no more, and takes changes of every index that it has |
//! | revisions of lists | go on from the tenths of milliseconds since 1970; every list is published anew |
//! | signed lists | those of before are not served: a newer one may have been seen |
//! | numbers of profiles | go on from the seconds since 1970, and at least a million further |
//! | numbers of keys | go on from the seconds since 1970, of old and new profiles alike |
//! | authorization codes | end: one that was used since would be good again |
//! | sessions of the console | end: one that was ended since would go on |
//! | ids of lists, endorsements, requests, tokens, clients and people | are random: none comes twice |
//! | answers by `Idempotency-Key`, used quotas | stand as they were: who asks again has it done again |
//! | events | their numbers go on from the newest that is there: those of the lost part come again. A reader of
//! the change feed who is further on is told everything since then |
//!
//! What was decided in the lost part and published can be put back
//! ([`put_back`](super::lists::put_back)). What was decided and not published is lost: keys, tokens and
//! clients that were revoked, accreditors that were suspended. The log says since when.

use tracing::warn;

use super::change::log_event;
use super::{Actor, Registry, RegistryError};
use crate::ids::{ListId, Revision, Seq, SpaceId};
use crate::store::engine::{Batch, CommitError, Engine, Read, StoreError};
use crate::store::event::{EventKind, WhyTaken};
use crate::store::past::stage_past_state;
use crate::store::tables::{
    ARTEFACTS, CODES, COUNTS, DIRTY_LISTS, LIST_STATES, LISTS, ListForm, ListState, SEALED_SPACES,
    SESSIONS, SETTINGS, SPACES, SpaceRecord,
};
use crate::time::{Timestamp, Ttl};

/// What a restore passes over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passed {
    /// So many numbers of profiles.
    ProfileNumbers,
    /// Numbers of keys up to this one.
    KeyNumbers,
}

impl Passed {
    fn row(self) -> String {
        match self {
            Self::ProfileNumbers => "profile numbers passed over".to_owned(),
            Self::KeyNumbers => "key numbers passed over".to_owned(),
        }
    }
}

/// How much of it was passed over.
pub(super) fn passed_over(read: &dyn Read, what: Passed) -> Result<u64, StoreError> {
    Ok(COUNTS.get(read, &what.row())?.unwrap_or(0))
}

/// Notes why a store was taken as it was found, for the registry that opens it next and logs it: whoever
/// decided that calls this before.
///
/// # Errors
/// The store does not take it.
pub fn note_why_taken(engine: &dyn Engine, why: WhyTaken) -> Result<(), CommitError> {
    let mut batch = Batch::default();
    let words = match why {
        WhyTaken::Restored => "restored",
        WhyTaken::Behind => "behind",
        WhyTaken::Unanchored => "unanchored",
    };
    SETTINGS.put(
        &mut batch,
        &WHY_TAKEN.to_owned(),
        &words.as_bytes().to_vec(),
    );
    engine.commit(batch).map(drop)
}

const WHY_TAKEN: &str = "why_taken";
/// The epoch whose beginning is in the log.
const LOGGED_EPOCH: &str = "logged_epoch";
/// The epoch for which all that follows is done.
const SEALED_EPOCH: &str = "sealed_epoch";

/// The newest event that was there when the epoch began.
const FOUND_EVENT: &str = "found_event";

/// Numbers of profiles that are passed over at least.
const PROFILES_PASSED: u64 = 1 << 20;
/// So many spaces are sealed at a time.
const SPACES_AT_ONCE: usize = 256;

impl Registry {
    /// Does what follows from the beginning of an epoch, where that is not done yet. Cut off, it goes on
    /// at the next start: each step leaves a row by which it is known to be done, and the epoch's own
    /// row comes last.
    pub(super) fn complete_epoch(&self) -> Result<(), RegistryError> {
        loop {
            match self.go_on_with_epoch() {
                // Another process does the same: what it did is done.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                done => return done,
            }
        }
    }

    fn go_on_with_epoch(&self) -> Result<(), RegistryError> {
        let epoch = self.engine.epoch();
        if epoch_in(&*self.engine, SEALED_EPOCH)? >= epoch {
            return Ok(());
        }
        let now = self.now();
        if epoch_in(&*self.engine, LOGGED_EPOCH)? < epoch {
            self.begin_epoch(epoch, now)?;
        }
        let mut after = None;
        let mut sealed = 0;
        loop {
            let snapshot = self.engine.snapshot();
            let rows = SPACES.scan(&*snapshot, &[], after.as_ref(), SPACES_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            after = Some(*last);
            let mut batch = Batch::default();
            for (space, record) in &rows {
                sealed += u64::from(seal(
                    &*snapshot,
                    &mut batch,
                    (*space, record),
                    (epoch, now),
                )?);
            }
            drop(snapshot);
            self.commit(batch)?;
        }
        let mut done = Batch::default();
        put_epoch(&mut done, SEALED_EPOCH, epoch);
        self.commit(done)?;
        warn!(
            count = sealed,
            "the store was taken as it was found: its index spaces are sealed, and every list is \
             published anew"
        );
        Ok(())
    }

    /// The newest event that was there when the store was taken as it was found; none where it never was.
    /// Who has read later ones before the loss has read some that are not here.
    pub fn found_event(&self) -> Result<Option<Seq>, RegistryError> {
        let stored = SETTINGS.get(&*self.engine, &FOUND_EVENT.to_owned())?;
        let place = stored.and_then(|place| place.try_into().ok());
        Ok(place.map(|place| Seq(u64::from_be_bytes(place))))
    }

    /// Logs the decision, and moves what the store counts as a whole.
    fn begin_epoch(&self, epoch: u32, now: Timestamp) -> Result<(), RegistryError> {
        let read = &*self.engine.snapshot();
        let mut batch = Batch::decided(now);
        let noted = SETTINGS.get(read, &WHY_TAKEN.to_owned())?;
        let why = match noted.as_deref() {
            Some(b"restored") => WhyTaken::Restored,
            Some(b"unanchored") => WhyTaken::Unanchored,
            _ => WhyTaken::Behind,
        };
        SETTINGS.delete(&mut batch, &WHY_TAKEN.to_owned());
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let profiles = passed_over(read, Passed::ProfileNumbers)? + PROFILES_PASSED;
        let keys = passed_over(read, Passed::KeyNumbers)? + 1;
        for (what, passed) in [
            (Passed::ProfileNumbers, profiles.max(seconds)),
            (Passed::KeyNumbers, keys.max(seconds)),
        ] {
            COUNTS.put(&mut batch, &what.row(), &passed);
        }
        for (code, _) in CODES.scan(read, &[], None, usize::MAX)? {
            CODES.delete(&mut batch, &code);
        }
        for (session, _) in SESSIONS.scan(read, &[], None, usize::MAX)? {
            SESSIONS.delete(&mut batch, &session);
        }
        let logged = LOGGED_EPOCH.to_owned();
        let before = SETTINGS.get(read, &logged)?;
        SETTINGS.expect(&mut batch, &logged, before.as_ref());
        if epoch_in(read, LOGGED_EPOCH)? >= epoch {
            return Ok(());
        }
        put_epoch(&mut batch, LOGGED_EPOCH, epoch);
        let found = self.engine.head().seq;
        let place = found.0.to_be_bytes().to_vec();
        SETTINGS.put(&mut batch, &FOUND_EVENT.to_owned(), &place);
        let kind = EventKind::StoreTaken { epoch, found, why };
        log_event(&mut batch, Actor::operator(), None, kind);
        self.commit(batch)?;
        Ok(())
    }
}

/// Seals a space, and sees to it that every list over it is published anew, with a revision that none of
/// it had before. Returns whether it was not sealed before: a list that is published anew in each epoch.
fn seal(
    read: &dyn Read,
    batch: &mut Batch,
    (space, record): (SpaceId, &SpaceRecord),
    (epoch, now): (u32, Timestamp),
) -> Result<bool, StoreError> {
    let present = SEALED_SPACES.get(read, &space)?;
    for plane in &record.planes {
        stage_anew(read, batch, plane.list, now)?;
    }
    if present.is_some() {
        return Ok(false);
    }
    SEALED_SPACES.expect(batch, &space, None);
    SEALED_SPACES.put(batch, &space, &epoch.into());
    let kind = EventKind::SpaceSealed { space };
    log_event(batch, Actor::operator(), None, kind);
    Ok(true)
}

fn stage_anew(
    read: &dyn Read,
    batch: &mut Batch,
    list: ListId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(record) = LISTS.get(read, &list)? else {
        return Ok(());
    };
    let stored = LIST_STATES.get(read, &list)?;
    let before = stored.clone().unwrap_or(ListState {
        revision: Revision(1),
        changed_at: record.created_at,
    });
    let by_clock = Revision(u64::try_from(now.millis()).unwrap_or(0).saturating_mul(10));
    let after = ListState {
        revision: before.revision.next().max(by_clock),
        changed_at: now.max(before.changed_at.plus(Ttl::from_millis(1))),
    };
    stage_past_state(batch, list, &before, after.changed_at);
    LIST_STATES.expect(batch, &list, stored.as_ref());
    LIST_STATES.put(batch, &list, &after);
    DIRTY_LISTS.put(batch, &list, &());
    for form in ListForm::ALL {
        ARTEFACTS.delete(batch, &(list, form));
    }
    Ok(())
}

fn epoch_in(read: &dyn Read, row: &str) -> Result<u32, StoreError> {
    let stored = SETTINGS.get(read, &row.to_owned())?;
    let bytes = stored.map(|bytes| <[u8; 4]>::try_from(bytes.as_slice()));
    match bytes.transpose() {
        Ok(bytes) => Ok(bytes.map_or(0, u32::from_be_bytes)),
        Err(_) => Err(StoreError::Corrupt {
            table: SETTINGS.name(),
            reason: format!("{row} is not four bytes"),
        }),
    }
}

fn put_epoch(batch: &mut Batch, row: &str, epoch: u32) {
    SETTINGS.put(batch, &row.to_owned(), &epoch.to_be_bytes().to_vec());
}
