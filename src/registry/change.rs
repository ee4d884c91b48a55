//! How a change is made: one snapshot in, one batch out, and an answer that is kept for whoever
//! asks again with the same `Idempotency-Key`.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::access::quotas::Taken;
use super::lanes::{Lane, UnderWay};
use super::{Actor, Quotas, Registry, RegistryError, State};
use crate::entropy::random;
use crate::ids::{ListId, ProfileId};
use crate::store::engine::{Batch, CommitError, Committed, Read};
use crate::store::event::{Event, EventKind, Means, commitment};
use crate::store::queued::Queued;
use crate::store::tables::{Digest, IDEMPOTENCY, IdempotencyRecord, REASONS, ReasonRecord};
use crate::time::Timestamp;

/// Who changes something, and under which idempotency key.
#[derive(Debug, Clone)]
pub struct Change {
    /// Who.
    pub actor: Actor,
    /// The key that the caller gave, where one was given.
    pub idempotency: Option<Idempotency>,
    /// Why, in the caller's words. Changes that take a reason of their own have it from there.
    pub reason: Option<String>,
}

impl Change {
    /// A change without an idempotency key.
    pub const fn by(actor: Actor) -> Self {
        Self {
            actor,
            idempotency: None,
            reason: None,
        }
    }

    /// The same, for this reason.
    #[must_use]
    pub fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }
}

/// A caller's promise that two requests with one key are one request.
#[derive(Debug, Clone)]
pub struct Idempotency {
    key: Digest,
    request: Digest,
}

/// The versions of a thing that a caller is content to replace: the tags of `If-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected(Vec<String>);

impl Expected {
    /// Reads the list of an `If-Match` header (RFC 9110 section 13.1.1). `None` for `*`, which any
    /// version fits. Weak tags never fit.
    pub fn parse(header: &str) -> Option<Self> {
        let tags = header.split(',').map(|tag| tag.trim().to_owned());
        (header.trim() != "*").then(|| Self(tags.collect()))
    }

    pub(super) fn allows(&self, present: &str) -> bool {
        self.0.iter().any(|tag| tag == present)
    }
}

impl Idempotency {
    /// The key as `actor` gave it, and the request (its method, path and body) it was given with.
    pub fn new(actor: Actor, key: &str, request: &[&[u8]]) -> Self {
        let hash = |parts: &[&[u8]]| {
            let mut hash = Sha256::new();
            for part in parts {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
            hash.finalize().into()
        };
        Self {
            key: hash(&[&actor.fingerprint(), key.as_bytes()]),
            request: hash(request),
        }
    }
}

impl Idempotency {
    /// What tells this key from others.
    pub(super) const fn key(&self) -> Digest {
        self.key
    }
}

/// A change while it is staged.
pub(super) struct Tx<'a> {
    /// The state that the change is decided on.
    pub(super) read: &'a dyn Read,
    /// What will be written.
    pub(super) batch: Batch,
    /// When the change is made.
    pub(super) now: Timestamp,
    /// Lists whose artefact falls behind with this change.
    pub(super) dirty: Vec<ListId>,
    /// What it takes up of quotas.
    pub(super) taken: Taken,
    /// How much there may be.
    pub(super) quotas: Quotas,
    actor: Actor,
    reason: Reason<'a>,
}

/// Why a change is made, and with whose things its words are staged by now.
struct Reason<'a> {
    text: Option<&'a str>,
    salt: [u8; 16],
    staged: Vec<ProfileId>,
}

impl Tx<'_> {
    /// Whether whoever makes the change acts for the registry.
    pub(super) const fn operates(&self) -> bool {
        self.actor.operates()
    }

    /// By what whoever makes the change is known.
    pub(super) const fn means(&self) -> Means {
        self.actor.means()
    }

    /// Adds an event to the log.
    pub(super) fn log(&mut self, kind: EventKind) {
        self.log_for(ProfileId::REGISTRY, kind);
    }

    /// Adds an event that is the affair of somebody whom its kind does not tell.
    pub(super) fn log_for(&mut self, profile: ProfileId, kind: EventKind) {
        let owner = kind.reason_owner(&[profile]);
        let commitment = self.commitment(owner);
        log_event_for(&mut self.batch, self.actor, commitment, kind, &[profile]);
    }

    /// What the events of this change commit to: its reason, which is staged with the first event of
    /// each owner.
    fn commitment(&mut self, owner: ProfileId) -> Option<Digest> {
        let Reason { text, salt, staged } = &mut self.reason;
        let text = (*text)?;
        if staged.contains(&owner) {
            return Some(commitment(salt, text));
        }
        staged.push(owner);
        Some(stage_reason(&mut self.batch, owner, *salt, text))
    }
}

/// Stages the words that were given for a change of what is `owner`'s, beside the log and erasable,
/// and returns what the events of the change commit to.
pub(super) fn stage_reason(
    batch: &mut Batch,
    owner: ProfileId,
    salt: [u8; 16],
    text: &str,
) -> Digest {
    let digest = commitment(&salt, text);
    let record = ReasonRecord {
        salt,
        text: text.to_owned(),
    };
    REASONS.put(batch, &(owner, digest), &record);
    digest
}

/// Stages an event by `actor`, with the commitment to the reason for it.
pub(super) fn log_event(
    batch: &mut Batch,
    actor: Actor,
    commitment: Option<Digest>,
    kind: EventKind,
) {
    log_event_for(batch, actor, commitment, kind, &[]);
}

/// The same of what is the affair of others as well, whom its kind does not tell.
pub(super) fn log_event_for(
    batch: &mut Batch,
    actor: Actor,
    commitment: Option<Digest>,
    kind: EventKind,
    also: &[ProfileId],
) {
    let event = Event {
        actor: actor.logged(),
        request: actor.request(),
        commitment,
        also: also
            .iter()
            .copied()
            .filter(|profile| *profile != ProfileId::REGISTRY)
            .collect(),
        kind,
    };
    batch.events.push(event.to_log());
}

/// How often a change that lost a race is decided again before the caller is asked to come back.
const ATTEMPTS: usize = 64;

/// After so many of them it is decided in the lane of whoever makes it, so that of many who lose to each
/// other none does so again.
const FREE_ATTEMPTS: usize = 2;

impl Registry {
    /// Decides a change on a snapshot and commits it; decides again where another change came
    /// first. With an idempotency key the answer is kept in the same batch, and a second request
    /// under that key gets the first one's answer.
    pub(super) fn transact<R: Serialize + DeserializeOwned>(
        &self,
        change: &Change,
        stage: impl Fn(&mut Tx<'_>) -> Result<R, RegistryError>,
    ) -> Result<R, RegistryError> {
        self.transacting(None, change, stage)
    }

    /// As [`Registry::transact`], for changes of what is `owner`'s that many make at once: they are
    /// decided in the owner's lane, one after the other, and share the disk's syncs.
    pub(super) fn transact_of<R: Serialize + DeserializeOwned>(
        &self,
        owner: ProfileId,
        change: &Change,
        stage: impl Fn(&mut Tx<'_>) -> Result<R, RegistryError>,
    ) -> Result<R, RegistryError> {
        self.transacting(Some(owner), change, stage)
    }

    /// As [`Registry::transact_of`], decided once, without waiting until it is durable: the answer, and the
    /// lists that fall behind with it.
    pub(super) fn decided_of<R: Serialize + DeserializeOwned>(
        &self,
        owner: ProfileId,
        change: &Change,
        stage: impl Fn(&mut Tx<'_>) -> Result<R, RegistryError>,
    ) -> UnderWay<(R, Vec<ListId>)> {
        let lane = self.owners.of(owner);
        self.in_lane(&lane, |read| self.staged(read, change, stage))
    }

    fn transacting<R: Serialize + DeserializeOwned>(
        &self,
        owner: Option<ProfileId>,
        change: &Change,
        stage: impl Fn(&mut Tx<'_>) -> Result<R, RegistryError>,
    ) -> Result<R, RegistryError> {
        for attempt in 0..ATTEMPTS {
            let lane = match owner {
                Some(owner) => self.owners.of(owner),
                None if attempt < FREE_ATTEMPTS => Arc::new(Lane::apart()),
                None => {
                    let actor = change.actor.speaks_as();
                    self.owners.of(actor.unwrap_or(ProfileId::REGISTRY))
                }
            };
            let under_way = self.in_lane(&lane, |read| self.staged(read, change, &stage));
            if let Some(settled) = under_way.settle(self) {
                let (answer, dirty) = settled?;
                // Every list is followed, also where one before it could not be signed.
                let followed: Vec<_> = dirty.into_iter().map(|list| self.follow(list)).collect();
                return followed
                    .into_iter()
                    .collect::<Result<(), _>>()
                    .map(|()| answer);
            }
        }
        Err(RegistryError::Contended)
    }

    /// What a change writes and answers, and the lists that fall behind with it.
    fn staged<R: Serialize + DeserializeOwned>(
        &self,
        read: &dyn Read,
        change: &Change,
        stage: impl Fn(&mut Tx<'_>) -> Result<R, RegistryError>,
    ) -> Result<(Batch, (R, Vec<ListId>)), RegistryError> {
        if let Some(answer) = self.replayed(read, change)? {
            return Ok((Batch::default(), (answer, Vec::new())));
        }
        let mut tx = self.tx(read, change);
        let answer = stage(&mut tx)?;
        tx.stage_used()?;
        let Tx {
            mut batch,
            now,
            dirty,
            ..
        } = tx;
        self.keep_answer(&mut batch, read, change, &answer, now)?;
        batch.decided_at = Some(now);
        Ok((batch, (answer, dirty)))
    }

    fn tx<'a>(&self, read: &'a dyn Read, change: &'a Change) -> Tx<'a> {
        Tx {
            read,
            batch: Batch::default(),
            now: self.now(),
            dirty: Vec::new(),
            taken: Taken::default(),
            quotas: self.settings.quotas,
            actor: change.actor,
            reason: Reason {
                text: change.reason.as_deref(),
                salt: match change.reason {
                    Some(_) => random(&*self.entropy),
                    None => [0; 16],
                },
                staged: Vec::new(),
            },
        }
    }

    /// What a change would answer, which is decided and not made: nothing is written.
    pub(super) fn tried_out<R>(
        &self,
        change: &Change,
        stage: impl FnOnce(&mut Tx<'_>) -> Result<R, RegistryError>,
    ) -> Result<R, RegistryError> {
        let read = self.engine.snapshot();
        let mut tx = self.tx(&*read, change);
        let answer = stage(&mut tx)?;
        tx.stage_used()?;
        Ok(answer)
    }

    /// Commits a staged batch; one without any writes is no commit at all.
    pub(super) fn commit(&self, batch: Batch) -> Result<Option<Committed>, RegistryError> {
        if !batch.writes() {
            return Ok(None);
        }
        self.told(self.queue(batch)?.wait()).map(Some)
    }

    /// Gives a staged batch its place among the commits.
    pub(super) fn queue(&self, batch: Batch) -> Result<Queued, RegistryError> {
        match self.read_only() {
            Some(state) if batch.writes() => Err(RegistryError::ReadOnly(state)),
            _ => Ok(self.engine.queue(batch)),
        }
    }

    /// What became of a commit. What the store says of itself is told in the words for everybody.
    pub(super) fn told(
        &self,
        came: Result<Committed, CommitError>,
    ) -> Result<Committed, RegistryError> {
        came.map_err(|error| match (&error, self.engine.takes_writes()) {
            (CommitError::Unavailable(_), Err(stopped)) => {
                RegistryError::ReadOnly(State::Store(stopped))
            }
            _ => error.into(),
        })
    }

    /// What was answered when this request came the first time.
    pub(super) fn replayed<R: DeserializeOwned>(
        &self,
        read: &dyn Read,
        change: &Change,
    ) -> Result<Option<R>, RegistryError> {
        let Some(asked) = &change.idempotency else {
            return Ok(None);
        };
        let Some(kept) = IDEMPOTENCY.get(read, &asked.key)? else {
            return Ok(None);
        };
        if self.outlived(&kept) {
            return Ok(None);
        }
        if kept.request != asked.request {
            return Err(RegistryError::IdempotencyKeyReused);
        }
        let answer = serde_json::from_str(&kept.answer);
        Ok(Some(
            answer.map_err(|_| RegistryError::IdempotencyKeyReused)?,
        ))
    }

    /// Stages the answer, so that it is there exactly when the change is.
    pub(super) fn keep_answer<R: Serialize>(
        &self,
        batch: &mut Batch,
        read: &dyn Read,
        change: &Change,
        answer: &R,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let Some(asked) = &change.idempotency else {
            return Ok(());
        };
        let previous = IDEMPOTENCY.get(read, &asked.key)?;
        IDEMPOTENCY.expect(batch, &asked.key, previous.as_ref());
        let answer = serde_json::to_string(answer).expect("answers have string keys only");
        let record = IdempotencyRecord {
            request: asked.request,
            answer,
            created_at: now,
        };
        IDEMPOTENCY.put(batch, &asked.key, &record);
        Ok(())
    }

    /// Forgets answers that were kept for long enough. Returns how many. An answer may be long,
    /// so few of them are in memory at a time.
    pub fn forget_outlived_answers(&self) -> Result<usize, RegistryError> {
        const FORGOTTEN_AT_ONCE: usize = 64;
        let mut forgotten = 0;
        let mut after = None;
        loop {
            let rows = IDEMPOTENCY.scan(&*self.engine, &[], after.as_ref(), FORGOTTEN_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                return Ok(forgotten);
            };
            after = Some(*last);
            let mut batch = Batch::default();
            for (key, record) in rows.iter().filter(|(_, record)| self.outlived(record)) {
                IDEMPOTENCY.expect(&mut batch, key, Some(record));
                IDEMPOTENCY.delete(&mut batch, key);
            }
            let count = batch.deletes.len();
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                // One of them was just used anew; the next round sees to the others.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn outlived(&self, kept: &IdempotencyRecord) -> bool {
        kept.created_at.plus(self.settings.idempotency_kept) <= self.now()
    }
}
