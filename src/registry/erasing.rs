//! What a profile may have erased: words and contacts. Statuses stay, and so does the log, which
//! holds commitments to words and not the words.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tracing::warn;

use super::change::Tx;
use super::endorsements::requests::{said_by, state_of};
use super::signing::{StoredEndorsement, to_store};
use super::{Actor, Change, Registry, RegistryError, RequestSide, Thing};
use crate::access::Action;
use crate::ids::{EndorsementId, ProfileId, RequestId, Seq, Slug};
use crate::store::engine::StoreError;
use crate::store::event::{Event, EventKind};
use crate::store::tables::{
    Digest, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, Origin, PROFILES, ProfileRecord, REASONS,
    REQUESTS, RecordedStep, RequestRecord, TO_SIGN, Words,
};

/// What is to be erased of what is a profile's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Reasons that were given for changes.
    pub reasons: ReasonsToErase,
    /// Members of the profile, such as `email`. In place of its `name` its slug remains.
    pub members: Vec<String>,
    /// Closed requests for endorsements: what the profile said there.
    pub requests: Vec<RequestId>,
    /// Endorsements by the profile: the comment and the name, and what they repeat of the profile.
    /// They are signed again without it.
    pub endorsements: Vec<EndorsementId>,
}

/// Which reasons are to be erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ReasonsToErase {
    /// None.
    #[default]
    None,
    /// Those of these events.
    Of(Vec<Seq>),
    /// All of them.
    All,
}

/// How much was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Reasons.
    pub reasons: u32,
    /// Members of the profile.
    pub members: u32,
    /// Requests in which something was erased.
    pub requests: u32,
    /// Endorsements that were signed again.
    pub endorsements: u32,
    /// Whether there are more reasons than go at once: ask again.
    pub more: bool,
}

/// How many of one kind are erased at once.
const AT_ONCE: usize = 1_000;

/// The name that is left of an endorsement.
const NAMELESS: &str = "Endorsement";

impl Registry {
    /// Erases what is asked for, all or nothing. What is served anew no longer has it; copies that
    /// others made meanwhile are theirs.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`] names what cannot be erased: a request that is open, a member that
    /// is not there, an endorsement of others.
    pub fn erase(
        &self,
        change: &Change,
        slug: &Slug,
        erasure: &Erasure,
    ) -> Result<Erased, RegistryError> {
        for (pointer, count) in [
            ("/requests", erasure.requests.len()),
            ("/endorsements", erasure.endorsements.len()),
            ("/reasons", erasure.reasons.len()),
        ] {
            if count > AT_ONCE {
                let detail = format!("at most {AT_ONCE} at once");
                return Err(RegistryError::invalid(pointer, detail));
            }
        }
        let erased = self.transact(change, |tx| {
            let profile = self.profile_id(tx.read, slug)?;
            change.actor.must(Action::Erase, profile)?;
            let mut erased = Erased::default();
            let after = self.erase_members(tx, profile, &erasure.members, &mut erased)?;
            let by = (change.actor, profile);
            let mut reasons = self.reasons_to_erase(tx, by, &erasure.reasons, &mut erased)?;
            reasons.extend(self.erase_requests(tx, profile, &erasure.requests, &mut erased)?);
            for key in reasons {
                if REASONS.get(tx.read, &key)?.is_some() {
                    REASONS.delete(&mut tx.batch, &key);
                    erased.reasons += 1;
                }
            }
            self.erase_endorsements(tx, (profile, &after), &erasure.endorsements, &mut erased)?;
            if erased == Erased::default() {
                return Ok(erased);
            }
            tx.log(EventKind::Erased {
                profile,
                reasons: erased.reasons,
                members: erased.members,
                requests: erased.requests,
                endorsements: erased.endorsements,
            });
            Ok(erased)
        })?;
        if erased != Erased::default() {
            self.purge_words(slug, erasure)?;
        }
        Ok(erased)
    }

    /// What was erased goes from the files as well.
    fn purge_words(&self, slug: &Slug, erasure: &Erasure) -> Result<(), RegistryError> {
        let profile = self.profile_id(&*self.engine, slug)?.0.to_be_bytes();
        let mut ranges = vec![REASONS.range(&profile)];
        if !erasure.members.is_empty() {
            ranges.push(PROFILES.range(&profile));
        }
        let asked = erasure.requests.iter();
        ranges.extend(asked.map(|id| REQUESTS.range(id.as_bytes())));
        let endorsed = erasure.endorsements.iter();
        ranges.extend(endorsed.map(|id| ENDORSEMENT_DOCUMENTS.range(id.as_bytes())));
        if let Err(problem) = self.engine.purge(&ranges) {
            let problem = RegistryError::from(problem);
            warn!(
                error = problem.kind(),
                "what was erased is not gone from the files yet"
            );
        }
        Ok(())
    }

    fn erase_members(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        names: &[String],
        erased: &mut Erased,
    ) -> Result<ProfileRecord, RegistryError> {
        let before = self.profile_record(tx.read, profile)?;
        // Also where it stays as it is: what is signed again repeats none of what goes meanwhile.
        PROFILES.expect(&mut tx.batch, &profile, Some(&before));
        if names.is_empty() {
            return Ok(before);
        }
        let mut members: Map<String, Value> = serde_json::from_str(&before.members)
            .expect("a profile's members are JSON that this registry wrote");
        for (place, name) in names.iter().enumerate() {
            let there = match name.as_str() {
                "name" => members.insert(name.clone(), before.slug.as_str().into()),
                _ => members.shift_remove(name),
            };
            if there.is_none() {
                let detail = format!("the profile has no member {name:?}");
                return Err(RegistryError::invalid(format!("/members/{place}"), detail));
            }
            erased.members += 1;
        }
        let after = ProfileRecord {
            members: Value::from(members).to_string(),
            changed_at: tx.now,
            ..before.clone()
        };
        PROFILES.put(&mut tx.batch, &profile, &after);
        Ok(after)
    }

    /// Where the reasons are kept that are meant.
    fn reasons_to_erase(
        &self,
        tx: &Tx<'_>,
        (actor, profile): (Actor, ProfileId),
        reasons: &ReasonsToErase,
        erased: &mut Erased,
    ) -> Result<BTreeSet<(ProfileId, Digest)>, RegistryError> {
        match reasons {
            ReasonsToErase::None => Ok(BTreeSet::new()),
            ReasonsToErase::All => {
                let rows = REASONS.scan(tx.read, &profile.0.to_be_bytes(), None, AT_ONCE)?;
                erased.more = rows.len() == AT_ONCE;
                Ok(rows.into_iter().map(|(key, _)| key).collect())
            }
            ReasonsToErase::Of(events) => {
                let found = events.iter().enumerate();
                found
                    .map(|(place, seq)| self.reason_of(actor, profile, *seq, place))
                    .collect()
            }
        }
    }

    /// Where the reason is kept that an event of a profile's commits to. What the registry says of
    /// its own decisions about the profile is for the operator to erase.
    fn reason_of(
        &self,
        actor: Actor,
        profile: ProfileId,
        seq: Seq,
        place: usize,
    ) -> Result<(ProfileId, Digest), RegistryError> {
        let pointer = format!("/reasons/{place}");
        let before = Seq(seq.0.saturating_sub(1));
        let found = self.engine.changes_of(profile.0, before, 1)?;
        let Some(logged) = found.into_iter().find(|event| event.seq == seq) else {
            let detail = format!("there is no event {seq} that is this profile's affair");
            return Err(RegistryError::invalid(pointer, detail));
        };
        let event = Event::decode(&logged.body).map_err(|error| StoreError::Corrupt {
            table: "events",
            reason: format!("event {seq}: {error}"),
        })?;
        let refused = |detail| RegistryError::invalid(&*pointer, detail);
        let owner = event.kind.reason_owner(&event.also);
        match event.commitment {
            None => Err(refused(format!("no reason was given for event {seq}"))),
            Some(digest) if owner == profile => Ok((owner, digest)),
            Some(digest) if owner == ProfileId::REGISTRY && actor.operates() => Ok((owner, digest)),
            Some(_) => Err(refused(format!("the reason for event {seq} is another's"))),
        }
    }

    /// Erases what a profile said in requests, and tells where the reasons are kept that it gave.
    fn erase_requests(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        requests: &[RequestId],
        erased: &mut Erased,
    ) -> Result<Vec<(ProfileId, Digest)>, RegistryError> {
        let mut reasons = Vec::new();
        for (place, id) in once_each(requests) {
            let before = REQUESTS.get(tx.read, id)?;
            let side = before.as_ref().and_then(|record| {
                let sides = [
                    (id.owner(), RequestSide::Accreditor),
                    (record.requester, RequestSide::Requester),
                ];
                let own = sides.into_iter().find(|(party, _)| *party == profile);
                own.map(|(_, side)| side)
            });
            let (Some(before), Some(side)) = (before, side) else {
                let url = self.urls().request(*id);
                return Err(RegistryError::NotFound(Thing::Request, url));
            };
            if state_of(&before).is_open() {
                let detail = "it is open; what was said is needed until it is closed";
                let pointer = format!("/requests/{place}");
                return Err(RegistryError::invalid(pointer, detail));
            }
            let (after, given) = without_words(&before, side);
            reasons.extend(given.into_iter().map(|digest| (id.owner(), digest)));
            if after != before {
                REQUESTS.expect(&mut tx.batch, id, Some(&before));
                REQUESTS.put(&mut tx.batch, id, &after);
                erased.requests += 1;
            }
        }
        Ok(reasons)
    }

    fn erase_endorsements(
        &self,
        tx: &mut Tx<'_>,
        (profile, record): (ProfileId, &ProfileRecord),
        endorsements: &[EndorsementId],
        erased: &mut Erased,
    ) -> Result<(), RegistryError> {
        for (place, id) in once_each(endorsements) {
            let endorsement = ENDORSEMENTS.get(tx.read, id)?;
            let own = id.owner() == profile;
            let stored = ENDORSEMENT_DOCUMENTS.get(tx.read, id)?;
            let (Some(endorsement), true, Some(stored)) = (endorsement, own, stored) else {
                let url = self.urls().endorsement(*id);
                return Err(RegistryError::NotFound(Thing::Endorsement, url));
            };
            if !matches!(endorsement.origin, Origin::Issued { .. }) {
                let detail = "it was signed elsewhere, and cannot be signed again here";
                let pointer = format!("/endorsements/{place}");
                return Err(RegistryError::invalid(pointer, detail));
            }
            let before = StoredEndorsement::of(stored.clone()).secured();
            let mut unsigned = before.unsigned();
            unsigned["name"] = NAMELESS.into();
            unsigned["issuer"] = record.profile().issuer(&record.issuer_id).to_value();
            if let Some(subject) = unsigned["credentialSubject"].as_object_mut() {
                subject.shift_remove("endorsementComment");
            }
            if unsigned == before.unsigned() {
                continue;
            }
            let signed = self.sign_in(tx, profile, record, &unsigned, before.securing())?;
            ENDORSEMENT_DOCUMENTS.expect(&mut tx.batch, id, Some(&stored));
            ENDORSEMENT_DOCUMENTS.put(&mut tx.batch, id, &to_store(&signed.secured));
            // What waited for a signature elsewhere has the words still.
            let waiting = TO_SIGN.get(tx.read, id)?;
            TO_SIGN.expect(&mut tx.batch, id, waiting.as_ref());
            if waiting.is_some() {
                TO_SIGN.delete(&mut tx.batch, id);
            }
            erased.endorsements += 1;
        }
        Ok(())
    }
}

/// What is named, each once, with its place.
fn once_each<T: PartialEq>(named: &[T]) -> impl Iterator<Item = (usize, &T)> {
    let all = named.iter().enumerate();
    all.filter(|(place, id)| !named[..*place].contains(id))
}

/// A request without what one side said, and the reasons that stand elsewhere.
fn without_words(before: &RequestRecord, side: RequestSide) -> (RequestRecord, Vec<Digest>) {
    let mut after = before.clone();
    if side == RequestSide::Requester {
        after.comment = None;
        after.name = None;
        after.evidence.clear();
    }
    let mut reasons = Vec::new();
    let own = |step: &&mut RecordedStep| said_by(step.step) == side;
    for step in after.steps.iter_mut().filter(own) {
        if let Some(Words::Reason(digest)) = step.words.take() {
            reasons.push(digest);
        }
        step.evidence.clear();
    }
    (after, reasons)
}

impl ReasonsToErase {
    fn len(&self) -> usize {
        match self {
            Self::None | Self::All => 0,
            Self::Of(events) => events.len(),
        }
    }
}
