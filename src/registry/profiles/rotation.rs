//! Rotation: a new key takes over from those in use, with nobody left behind.
//!
//! 1. The new key is made and stands in the controller document for as long as verifiers may keep
//!    a copy of that; meanwhile the keys before it sign.
//! 2. From then on the new key signs all that is signed. In the background every list is signed
//!    again by it, a portion at a time; how far that is stands in one row, so that whoever starts
//!    again goes on from there.
//! 3. Then the keys before it are retired. They stay listed and have no end, so that what they
//!    signed stays good.
//!
//! Each step is one commit that is conditional on the row, and what is signed twice is only signed
//! twice: a crash between any two of them loses nothing.

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::keys::{KeyOwner, KeyView, keys_of, rotatable};
use crate::ids::{KeyId, ListId, ProfileId};
use crate::registry::change::Tx;
use crate::registry::{Actor, Change, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    KEYS, KeyRecord, LISTS, ROTATIONS, ROTATIONS_UNDER_WAY, RotationRecord,
};
use crate::time::{Timestamp, Ttl};

/// A rotation as the owner of the keys sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationView {
    /// The keys that were in use when it began.
    pub from: Vec<KeyId>,
    /// The key that takes over.
    pub to: KeyId,
    /// From when on that one signs.
    pub signs_from: Timestamp,
    /// How many lists it has taken over.
    pub done: u64,
    /// How many there are.
    pub total: u64,
    /// What is going on.
    pub state: RotationState,
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[must_use]
pub enum RotationState {
    /// The new key is listed, and signs nothing yet.
    Announced,
    /// It signs, and takes over list by list.
    Signing,
    /// It has taken over, and the others are retired.
    Done,
}

/// So many lists are signed between one note of the place and the next.
const PORTION: usize = 32;

/// So many rotations are looked at in one go.
const AT_ONCE: usize = 64;

/// A pass in which a list could not be signed is followed by another one after this time.
const PAUSE: Ttl = Ttl::from_seconds(60);

impl Registry {
    /// Makes a key that takes over from those in use, by itself, once verifiers have had time to
    /// see it. No rotation is told where the key was given up since, as for a request that is
    /// repeated.
    ///
    /// # Errors
    /// [`RegistryError::RotationUnderWay`] while one key is taking over.
    pub fn rotate_keys<'a>(
        &self,
        change: &Change,
        owner: impl Into<KeyOwner<'a>>,
    ) -> Result<(KeyView, Option<RotationView>), RegistryError> {
        let owner = owner.into();
        let to = self.transact(change, |tx| {
            let owner = self.controller_for_change(tx.read, change, owner)?;
            rotatable(&owner)?;
            let profile = owner.profile;
            let last = ROTATIONS.get(tx.read, &profile)?;
            if let Some(under_way) = last.as_ref().filter(|last| last.done_at.is_none()) {
                return Err(RegistryError::RotationUnderWay {
                    to: under_way.to,
                    signs_from: under_way.signs_from,
                });
            }
            if self.signs_elsewhere(tx.read, profile)? {
                let words = "the key that signs now was brought along, so that only its owner can \
                             sign again: bring the next one, with a proof of possession, hand in \
                             what is to be signed once it signs, and retire this one then";
                return Err(RegistryError::Key(words.into()));
            }
            let keys = keys_of(tx.read, profile)?;
            let in_use = keys.iter().filter(|(_, key)| is_in_use(key));
            let signs_from = tx.now.plus(self.settings.key_notice);
            let rotation = RotationRecord {
                from: in_use.map(|(id, _)| *id).collect(),
                to: self.stage_key(tx, profile, signs_from)?,
                signs_from,
                total: lists_of(tx.read, profile)?,
                done: 0,
                missed: 0,
                after: None,
                due: signs_from,
                done_at: None,
            };
            ROTATIONS.expect(&mut tx.batch, &profile, last.as_ref());
            ROTATIONS.put(&mut tx.batch, &profile, &rotation);
            ROTATIONS_UNDER_WAY.put(&mut tx.batch, &(signs_from, profile), &());
            let key = rotation.to;
            tx.log(EventKind::RotationBegun { profile, key });
            Ok(key)
        })?;
        Ok((self.key(owner, to)?, self.rotation(owner)?))
    }

    /// The last rotation of somebody's keys, where there was one.
    pub fn rotation<'a>(
        &self,
        owner: impl Into<KeyOwner<'a>>,
    ) -> Result<Option<RotationView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let profile = self.controller_named(&*snapshot, owner.into())?.profile;
        let rotation = ROTATIONS.get(&*snapshot, &profile)?;
        Ok(rotation.map(|rotation| RotationView {
            state: match rotation.done_at {
                Some(_) => RotationState::Done,
                None if self.now() < rotation.signs_from => RotationState::Announced,
                None => RotationState::Signing,
            },
            from: rotation.from,
            to: rotation.to,
            signs_from: rotation.signs_from,
            done: rotation.done,
            total: rotation.total,
        }))
    }

    /// Goes on with the rotations that are under way, each a portion at a time in turn: at most
    /// `most` lists are looked at, and fewer where the publisher has more than enough to do. One
    /// that cannot go on holds up no other. Returns how many lists were looked at.
    pub fn advance_rotations(&self, most: usize) -> Result<usize, RegistryError> {
        let mut looked_at = 0;
        while looked_at < most {
            let now = self.now();
            let rows = ROTATIONS_UNDER_WAY.scan(&*self.engine.snapshot(), &[], None, AT_ONCE)?;
            let due = rows.iter().take_while(|((at, _), ())| *at <= now);
            let before = looked_at;
            for ((_, profile), ()) in due {
                let left = most.saturating_sub(looked_at);
                if left == 0 {
                    break;
                }
                looked_at += match self.advance_rotation(*profile, left.min(PORTION)) {
                    Ok(lists) => lists,
                    Err(problem) => {
                        let tenant = profile.0;
                        warn!(
                            tenant,
                            error = problem.kind(),
                            "a rotation of keys could not go on"
                        );
                        0
                    }
                };
            }
            if looked_at == before || self.published.is_behind() || !self.leads() {
                break;
            }
        }
        Ok(looked_at)
    }

    /// One portion of a profile's rotation. Returns how many lists were looked at.
    fn advance_rotation(&self, profile: ProfileId, most: usize) -> Result<usize, RegistryError> {
        let Some(before) = ROTATIONS.get(&*self.engine, &profile)? else {
            return Ok(0);
        };
        let owner = profile.0.to_be_bytes();
        let lists = LISTS.scan(&*self.engine, &owner, before.after.as_ref(), most)?;
        let mut portion = Portion::default();
        for (list, _) in &lists {
            // Whoever changed a list is waiting; nobody waits for this. Or another process goes on with it.
            if portion.looked_at > 0 && (self.published.is_behind() || !self.leads()) {
                break;
            }
            portion.looked_at += 1;
            portion.last = Some(*list);
            if let Err(problem) = self.publish_since(*list, Some(before.signs_from)) {
                warn!(list = %list, error = problem.kind(), "a list could not be signed by a new key");
                portion.missed += 1;
            }
        }
        let ended = portion.looked_at == lists.len() && lists.len() < most;
        self.note_portion(profile, &before, &portion, ended)?;
        Ok(portion.looked_at)
    }

    /// Writes down how far a rotation is, and ends it where nothing is left to sign.
    fn note_portion(
        &self,
        profile: ProfileId,
        before: &RotationRecord,
        portion: &Portion,
        ended: bool,
    ) -> Result<(), RegistryError> {
        self.transact(&Change::by(Actor::operator()), |tx| {
            let present = ROTATIONS.get(tx.read, &profile)?;
            if present.as_ref() != Some(before) || before.done_at.is_some() {
                // It was given up meanwhile, or somebody else went on with it.
                return Ok(());
            }
            let missed = before.missed + portion.missed;
            let done = before.done + (portion.looked_at as u64 - portion.missed);
            let mut after = RotationRecord {
                done,
                missed,
                total: before.total.max(done + missed),
                after: portion.last.or(before.after),
                due: tx.now,
                ..before.clone()
            };
            match (ended, missed) {
                (false, _) => {}
                (true, 0) => {
                    after.total = after.done;
                    after.done_at = Some(tx.now);
                    self.stage_end(tx, profile, before)?;
                }
                (true, _) => {
                    after = RotationRecord {
                        total: lists_of(tx.read, profile)?,
                        done: 0,
                        missed: 0,
                        after: None,
                        due: tx.now.plus(PAUSE),
                        ..after
                    };
                }
            }
            let goes_on = after.done_at.is_none();
            if !goes_on || after.due != before.due {
                ROTATIONS_UNDER_WAY.delete(&mut tx.batch, &(before.due, profile));
            }
            if goes_on && after.due != before.due {
                ROTATIONS_UNDER_WAY.put(&mut tx.batch, &(after.due, profile), &());
            }
            ROTATIONS.expect(&mut tx.batch, &profile, Some(before));
            ROTATIONS.put(&mut tx.batch, &profile, &after);
            Ok(())
        })
    }

    /// Stages that the keys from before sign no more.
    fn stage_end(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        rotation: &RotationRecord,
    ) -> Result<(), RegistryError> {
        // Whoever gives up the new key ends the rotation, so that it still is in use.
        let to = KEYS.get(tx.read, &(profile, rotation.to))?;
        KEYS.expect(&mut tx.batch, &(profile, rotation.to), to.as_ref());
        for (key, before) in keys_of(tx.read, profile)? {
            if rotation.from.contains(&key) && is_in_use(&before) {
                let after = KeyRecord {
                    retired_at: Some(tx.now),
                    ..before.clone()
                };
                KEYS.expect(&mut tx.batch, &(profile, key), Some(&before));
                KEYS.put(&mut tx.batch, &(profile, key), &after);
                tx.log(EventKind::KeyRetired { profile, key });
            }
        }
        let key = rotation.to;
        tx.log(EventKind::RotationDone { profile, key });
        info!(tenant = profile.0, "a new key has taken over");
        Ok(())
    }
}

/// What was done in one go.
#[derive(Default)]
struct Portion {
    looked_at: usize,
    missed: u64,
    last: Option<ListId>,
}

/// Stages that a rotation to this key is over with the key.
pub(super) fn stage_no_rotation_to(
    tx: &mut Tx<'_>,
    profile: ProfileId,
    key: KeyId,
) -> Result<(), RegistryError> {
    let under_way = ROTATIONS.get(tx.read, &profile)?;
    if let Some(rotation) = under_way
        && rotation.to == key
        && rotation.done_at.is_none()
    {
        ROTATIONS.expect(&mut tx.batch, &profile, Some(&rotation));
        ROTATIONS.delete(&mut tx.batch, &profile);
        ROTATIONS_UNDER_WAY.delete(&mut tx.batch, &(rotation.due, profile));
    }
    Ok(())
}

const fn is_in_use(key: &KeyRecord) -> bool {
    key.retired_at.is_none() && key.revoked_since.is_none()
}

/// How many lists somebody has.
pub(super) fn lists_of(read: &dyn Read, profile: ProfileId) -> Result<u64, RegistryError> {
    const PAGE: usize = 1_024;
    let (mut count, mut after) = (0, None);
    loop {
        let rows = LISTS.scan(read, &profile.0.to_be_bytes(), after.as_ref(), PAGE)?;
        count += rows.len() as u64;
        if rows.len() < PAGE {
            return Ok(count);
        }
        after = rows.last().map(|(list, _)| *list);
    }
}
