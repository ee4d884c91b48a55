//! What is done when a key may be in wrong hands, and what that leaves standing.
//!
//! What was signed before is told from what a thief dates back by what is remembered here of each
//! signature, with the moment of its commit, and never by what a proof says of itself.

use serde::{Deserialize, Serialize};

use super::identity::Controller;
use super::keys::{KeyOwner, KeyView, another_that_signs, key_of, keys_of, rotatable, signs_at};
use super::rotation::{lists_of, stage_no_rotation_to};
use crate::ids::{KeyId, ProfileId, Seq};
use crate::registry::change::Tx;
use crate::registry::signing::is_elsewhere;
use crate::registry::{Actor, Change, Registry, RegistryError, StoredEndorsement};
use crate::store::engine::{Read, StoreError};
use crate::store::event::{Event, EventKind};
use crate::store::past::stage_past_state;
use crate::store::tables::{
    DIRTY_LISTS, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, KEYS, KeyRecord, LIST_STATES, LISTS,
    ListState, Origin, SIGNATURES, SignatureRecord, TO_SIGN_AGAIN,
};
use crate::time::{Timestamp, Ttl};
use crate::vc::securing::Secured;

/// What giving up a key affects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyAffected {
    /// How many lists are signed again.
    pub lists: u64,
    /// The endorsements that the key has signed since it may have been in wrong hands.
    pub endorsements: AffectedEndorsements,
    /// How many credentials it has signed since, as far as is known here: none of them is good any
    /// more.
    pub credentials: u64,
    /// Whether there is more than was looked at, so that the numbers are the least.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Endorsements whose copies elsewhere are not good any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffectedEndorsements {
    /// How many.
    pub count: u64,
    /// How many of them are signed again here, so that whoever asks for them by their URL gets a
    /// good copy. The others wait for their owner's signature.
    pub signed_again: u64,
    /// The URLs of the first of them, at most 1,000.
    pub shown: Vec<String>,
}

/// What is kept of a loss for a request that is repeated.
#[derive(Serialize, Deserialize)]
struct Lost {
    profile: ProfileId,
    affected: KeyAffected,
}

/// So many endorsements are told by their URLs.
const MOST_TOLD: usize = 1_000;

/// So many endorsements are looked at.
const MOST_ENDORSEMENTS: usize = 200_000;

/// So many events are looked at.
const MOST_EVENTS: usize = 1_000_000;

/// How many rows or events are looked at in one go.
const PAGE: usize = 1_024;

/// So many events are in memory at a time, of which each may be of a bulk update.
const EVENTS_AT_ONCE: usize = 64;

impl Registry {
    /// Declares that a key may have been in wrong hands since `since`. No proof by it is good any
    /// more, but for those that are known to have been made here before; every list and endorsement
    /// here that it signed is signed again. What the registry itself stated is not: statements are
    /// kept nowhere, and whoever asks again gets them by the new key.
    pub fn revoke_key<'a>(
        &self,
        change: &Change,
        owner: impl Into<KeyOwner<'a>>,
        key: KeyId,
        since: Timestamp,
    ) -> Result<(KeyView, KeyAffected), RegistryError> {
        let owner = owner.into();
        let done: Lost = self.transact(change, |tx| {
            let controller = self.controller_for_change(tx.read, change, owner)?;
            let profile = controller.profile;
            let (before, since) = lost(tx.read, &controller, key, (since, tx.now))?;
            let affected = self.affected_by_loss(tx.read, &controller, key, since)?;
            let after = KeyRecord {
                revoked_since: Some(since),
                ..before.clone()
            };
            KEYS.expect(&mut tx.batch, &(profile, key), Some(&before));
            KEYS.put(&mut tx.batch, &(profile, key), &after);
            tx.log(EventKind::KeyRevoked {
                profile,
                key,
                since,
            });
            stage_no_rotation_to(tx, profile, key)?;
            let others = keys_of(tx.read, profile)?;
            match another_that_signs(&others, key, tx.now) {
                Some((other, used)) => {
                    KEYS.expect(&mut tx.batch, &(profile, *other), Some(used));
                    self.stage_own_document(tx, &controller)?;
                }
                // Whoever signs elsewhere brings the next key, which signs at once as well.
                None if is_elsewhere(&before) => self.stage_own_document(tx, &controller)?,
                // Nothing could be signed any more: a new key signs at once.
                None => {
                    self.stage_key(tx, profile, tx.now)?;
                }
            }
            stage_signing_again(tx, profile)?;
            Ok(Lost { profile, affected })
        })?;
        // A repeated request goes on where the first was cut off, and has nothing to do otherwise.
        if TO_SIGN_AGAIN.get(&*self.engine, &done.profile)?.is_some() {
            self.sign_endorsements_again(done.profile)?;
        }
        Ok((self.key(owner, key)?, done.affected))
    }

    /// What [`Registry::revoke_key`] would affect.
    ///
    /// # Errors
    /// As that.
    pub fn revoke_key_dry_run<'a>(
        &self,
        actor: Actor,
        owner: impl Into<KeyOwner<'a>>,
        key: KeyId,
        since: Timestamp,
    ) -> Result<KeyAffected, RegistryError> {
        let read = &*self.engine.snapshot();
        let controller = self.controller_for_change(read, &Change::by(actor), owner.into())?;
        let (_, since) = lost(read, &controller, key, (since, self.now()))?;
        self.affected_by_loss(read, &controller, key, since)
    }

    /// What a key that is given up has signed since that moment.
    fn affected_by_loss(
        &self,
        read: &dyn Read,
        owner: &Controller,
        key: KeyId,
        since: Timestamp,
    ) -> Result<KeyAffected, RegistryError> {
        let mut affected = KeyAffected::default();
        if owner.profile == ProfileId::REGISTRY {
            return Ok(affected);
        }
        affected.lists = lists_of(read, owner.profile)?;
        self.lost_endorsements(read, owner, (key, since), &mut affected)?;
        self.lost_credentials(read, owner.profile, (key, since), &mut affected)?;
        Ok(affected)
    }

    /// Tells of the endorsements that are here as the key has signed them.
    fn lost_endorsements(
        &self,
        read: &dyn Read,
        owner: &Controller,
        lost: (KeyId, Timestamp),
        affected: &mut KeyAffected,
    ) -> Result<(), RegistryError> {
        let again = self.would_sign_again(read, owner.profile, lost.0)?;
        let (mut after, mut looked_at) = (None, 0);
        loop {
            let prefix = owner.profile.0.to_be_bytes();
            let rows = ENDORSEMENTS.scan(read, &prefix, after.as_ref(), PAGE)?;
            for (id, record) in &rows {
                if !matches!(record.origin, Origin::Issued { .. }) {
                    continue;
                }
                let stored = ENDORSEMENT_DOCUMENTS.get(read, id)?.unwrap_or_default();
                let secured = StoredEndorsement::of(stored).secured();
                if self.is_lost(read, owner, lost, &secured)? {
                    affected.endorsements.count += 1;
                    affected.endorsements.signed_again += u64::from(again);
                    if affected.endorsements.shown.len() < MOST_TOLD {
                        let url = self.urls().endorsement(*id);
                        affected.endorsements.shown.push(url);
                    }
                }
            }
            looked_at += rows.len();
            after = rows.last().map(|(id, _)| *id);
            affected.more |= rows.len() == PAGE && looked_at >= MOST_ENDORSEMENTS;
            if rows.len() < PAGE || affected.more {
                return Ok(());
            }
        }
    }

    /// Whether what a key has signed can be signed again here once it is lost.
    fn would_sign_again(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        key: KeyId,
    ) -> Result<bool, RegistryError> {
        let (keys, now) = (keys_of(read, profile)?, self.now());
        let mut others = keys.iter().rev().filter(|(id, _)| *id != key);
        let next = others.find(|(_, other)| signs_at(other, now));
        let decides = next.or_else(|| keys.iter().find(|(id, _)| *id == key));
        Ok(decides.is_some_and(|(_, key)| !is_elsewhere(key)))
    }

    /// Whether a key signed this and it is not known from before the loss.
    fn is_lost(
        &self,
        read: &dyn Read,
        owner: &Controller,
        (key, since): (KeyId, Timestamp),
        secured: &Secured,
    ) -> Result<bool, RegistryError> {
        Ok(match self.remembered(read, secured)? {
            Some(row) => row.profile == owner.profile && row.key == key && row.at >= since,
            None => self.names_key(owner, key, secured),
        })
    }

    /// Counts the credentials that the log has since then, and that the key has signed.
    fn lost_credentials(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        (key, since): (KeyId, Timestamp),
        affected: &mut KeyAffected,
    ) -> Result<(), RegistryError> {
        let mut place = self.last_before(since)?;
        let mut looked_at = 0;
        loop {
            let events = self.engine.changes_of(profile.0, place, EVENTS_AT_ONCE)?;
            for event in &events {
                let body = Event::decode(&event.body).map_err(|error| StoreError::Corrupt {
                    table: "events",
                    reason: format!("event {}: {error}", event.seq),
                })?;
                let EventKind::CredentialIssued { profile: of, proof } = body.kind else {
                    continue;
                };
                if of == profile {
                    let row = SIGNATURES.get(read, &proof)?;
                    let lost = |row: SignatureRecord| row.key == key && row.at >= since;
                    affected.credentials += u64::from(row.is_some_and(lost));
                }
            }
            looked_at += events.len();
            let Some(last) = events.last().filter(|_| events.len() == EVENTS_AT_ONCE) else {
                return Ok(());
            };
            place = last.seq;
            if looked_at >= MOST_EVENTS {
                affected.more = true;
                return Ok(());
            }
        }
    }

    /// The place of the last event before a moment, by halves: the log is in the order of time.
    pub(in crate::registry) fn last_before(&self, moment: Timestamp) -> Result<Seq, RegistryError> {
        let (mut before, mut behind) = (0, self.engine.head().seq.0);
        while before < behind {
            let middle = before + (behind - before) / 2;
            let next = self.engine.changes(Seq(middle), 1)?;
            match next.first().is_some_and(|event| event.at < moment) {
                true => before = middle + 1,
                false => behind = middle,
            }
        }
        Ok(Seq(before))
    }
}

/// The key that is to be given up, as it was, and since when it may have been in wrong hands: a
/// moment that was told before is never taken back.
fn lost(
    read: &dyn Read,
    owner: &Controller,
    key: KeyId,
    (since, now): (Timestamp, Timestamp),
) -> Result<(KeyRecord, Timestamp), RegistryError> {
    let before = key_of(read, owner.profile, key)?;
    rotatable(owner)?;
    if since > now {
        let detail = "a moment that is not in the future is needed";
        return Err(RegistryError::invalid("/since", detail));
    }
    let since = before.revoked_since.map_or(since, |known| known.min(since));
    Ok((before, since))
}

/// What a profile's revoked key has signed is to be signed again: its lists by the publisher, its
/// endorsements by whoever sees the mark. The registry itself has neither.
fn stage_signing_again(tx: &mut Tx<'_>, profile: ProfileId) -> Result<(), RegistryError> {
    if profile == ProfileId::REGISTRY {
        return Ok(());
    }
    TO_SIGN_AGAIN.put(&mut tx.batch, &profile, &());
    for (list, _) in LISTS.scan(tx.read, &profile.0.to_be_bytes(), None, usize::MAX)? {
        if let Some(state) = LIST_STATES.get(tx.read, &list)? {
            // The same revision, at another time, also where the clock stands still or was set
            // back: a publication under way leaves the list's mark where it is.
            LIST_STATES.expect(&mut tx.batch, &list, Some(&state));
            let touched = ListState {
                changed_at: tx.now.max(state.changed_at.plus(Ttl::from_millis(1))),
                ..state
            };
            stage_past_state(&mut tx.batch, list, &state, touched.changed_at);
            LIST_STATES.put(&mut tx.batch, &list, &touched);
            DIRTY_LISTS.put(&mut tx.batch, &list, &());
            tx.dirty.push(list);
        }
    }
    Ok(())
}
