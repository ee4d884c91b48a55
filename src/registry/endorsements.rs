//! Endorsements: who stands behind whom.
//!
//! The standing of an endorsement lives in the bits of the accreditor's own lists, as everyone
//! outside reads it; the record beside it follows in the same batch, with its times.

use std::sync::PoisonError;

use serde_json::Value;

use super::allocation::take_entry;
use super::change::Tx;
use super::profiles::{document_digest, id_digest};
use super::statuses::{StatusTarget, StatusUpdate};
use super::{Change, Outcome, Registry, RegistryError, Thing};
use crate::badges::{DigestMultibase, EndorsementToIssue, SubjectKind};
use crate::ids::{AchievementId, EndorsementId, ProfileId};
use crate::status::{StatusPurpose, build_entry};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    ACHIEVEMENTS, CREDENTIALS, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, ENDORSEMENTS_BY_ENTRY,
    ENDORSEMENTS_BY_SUBJECT, EndorsementRecord, OPEN_SPACES, ProfileRecord, RecordedStanding,
};
use crate::time::Timestamp;

/// An endorsement as an accreditor asks for it.
#[derive(Debug, Clone)]
pub struct NewEndorsement {
    /// Who endorses.
    pub endorser: ProfileId,
    /// Id of the endorsed thing, hosted here or elsewhere.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Digest of the endorsed version, where the endorsement is bound to one.
    pub digest: Option<DigestMultibase>,
    /// Name of the endorsement.
    pub name: String,
    /// Why, in Markdown.
    pub comment: Option<String>,
    /// From when on it holds; from now where none is given.
    pub valid_from: Option<Timestamp>,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When it was awarded.
    pub awarded_date: Option<Timestamp>,
    /// Whether it gets a `suspension` entry beside the `revocation` entry.
    pub suspendable: bool,
}

/// An endorsement and how it stands.
#[derive(Debug, Clone)]
pub struct EndorsementView {
    /// Its id.
    pub id: EndorsementId,
    /// `issuer.id` of the endorser.
    pub endorser: String,
    /// Id of the endorsed thing.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// The roles that the subject held here when it was endorsed, and which the endorsement covers.
    pub roles: Vec<&'static str>,
    /// How it stands.
    pub outcome: Outcome,
    /// From when on it holds.
    pub valid_from: Timestamp,
    /// Until when it holds.
    pub valid_until: Option<Timestamp>,
    /// When its standing last changed.
    pub changed_at: Timestamp,
    /// The signed EndorsementCredential.
    pub credential: Value,
    /// Strong entity tag of document and standing together, with its quotes.
    pub etag: String,
}

/// Which endorsements to list.
#[derive(Debug, Clone, Default)]
pub struct EndorsementFilter {
    /// Of this thing.
    pub subject: Option<String>,
    /// By this profile (slug or id).
    pub endorser: Option<String>,
    /// Of things of this kind.
    pub kind: Option<SubjectKind>,
    /// Standing like this.
    pub standing: Option<Outcome>,
    /// As of this moment rather than now.
    pub at: Option<Timestamp>,
    /// After this one.
    pub after: Option<EndorsementId>,
}

/// What is known of one subject.
#[derive(Debug, Clone)]
pub struct SubjectAnswer {
    /// The subject as it was asked for.
    pub subject: String,
    /// The best standing among its endorsements; `not-endorsed` where it is known here and has
    /// none, `unknown` where nothing is known of it.
    pub outcome: Outcome,
    /// Its endorsements, at most 1,000.
    pub endorsements: Vec<EndorsementView>,
    /// Whether there are more, which [`Registry::endorsements`] lists page by page.
    pub more: bool,
}

/// What is done to an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndorsementAction {
    /// Withdraw it for ever.
    Revoke,
    /// Withdraw it for the time being.
    Suspend,
    /// End a suspension.
    Reinstate,
}

impl Registry {
    /// Issues an endorsement: the credential with its status entry is signed, verified and stored
    /// with its indexes in one batch.
    pub fn endorse(
        &self,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<EndorsementView, RegistryError> {
        let turn = self.open_space_turn(new.endorser)?;
        let _turn = turn
            .as_ref()
            .map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let id = self.transact(change, |tx| {
            change.actor.must_speak_for(new.endorser)?;
            let endorser = self.profile_record(tx.read, new.endorser)?;
            if !endorser.accreditor {
                return Err(RegistryError::RoleMissing(endorser.slug, "accreditor"));
            }
            let subject = self.subject(tx.read, &new.subject, new.kind)?;
            if subject.profile == Some(new.endorser) {
                return Err(RegistryError::SelfEndorsement);
            }
            self.stage_endorsement(tx, new, &endorser, &subject)
        })?;
        self.endorsement(id, None)
    }

    fn stage_endorsement(
        &self,
        tx: &mut Tx<'_>,
        new: &NewEndorsement,
        endorser: &ProfileRecord,
        subject: &Subject,
    ) -> Result<EndorsementId, RegistryError> {
        let mut purposes = vec![StatusPurpose::Revocation];
        purposes.extend(new.suspendable.then_some(StatusPurpose::Suspension));
        let mut opened = self.entry_space(tx, new.endorser, &purposes)?;
        opened.record.endorsements = true;
        let index = take_entry(tx, &opened)?;
        opened.stage(tx);
        let entries = purposes.iter().map(|purpose| {
            build_entry(
                &self.urls().list(opened.list(purpose)),
                purpose,
                index,
                None,
            )
        });
        let entries: Vec<Value> = entries.collect();

        let id = EndorsementId::generate(new.endorser, &*self.entropy);
        let valid_from = new.valid_from.unwrap_or(tx.now).whole_seconds();
        if new.valid_until.is_some_and(|until| until <= valid_from) {
            let detail = "the end has to come after the beginning, validFrom";
            return Err(RegistryError::invalid("/validUntil", detail));
        }
        let unsigned = EndorsementToIssue {
            id: &self.urls().endorsement(id),
            issuer: endorser.profile().issuer(&endorser.issuer_id),
            name: &new.name,
            valid_from,
            valid_until: new.valid_until,
            awarded: new.awarded_date,
            subject: &subject.id,
            comment: new.comment.as_deref(),
            status: &entries,
            digest: new.digest,
        }
        .build();
        let signed = self.sign(tx.read, new.endorser, endorser, &unsigned)?;

        let entry = (opened.id, index.get() as u32);
        let record = EndorsementRecord {
            subject: subject.id.clone(),
            kind: new.kind,
            as_issuer: subject.issuer,
            as_accreditor: subject.accreditor,
            digest_multibase: new.digest.map(String::from),
            valid_from,
            valid_until: new.valid_until,
            entry,
            suspendable: new.suspendable,
            history: Vec::new(),
            created_at: tx.now,
        };
        ENDORSEMENTS.expect(&mut tx.batch, &id, None);
        ENDORSEMENTS.put(&mut tx.batch, &id, &record);
        ENDORSEMENT_DOCUMENTS.put(&mut tx.batch, &id, &signed.to_string().into_bytes());
        ENDORSEMENTS_BY_SUBJECT.put(&mut tx.batch, &(id_digest(&subject.id), id), &());
        ENDORSEMENTS_BY_ENTRY.put(&mut tx.batch, &entry, &id);
        tx.log(EventKind::EndorsementIssued { endorsement: id });
        Ok(id)
    }

    /// Revokes, suspends or reinstates an endorsement, by the bits of its entries.
    pub fn change_endorsement(
        &self,
        change: &Change,
        id: EndorsementId,
        action: EndorsementAction,
        reason: Option<String>,
    ) -> Result<EndorsementView, RegistryError> {
        let record = self.endorsement_record(&*self.engine, id)?;
        change.actor.must_speak_for(id.owner())?;
        let (purpose, status) = match action {
            EndorsementAction::Revoke => (StatusPurpose::Revocation, 1),
            EndorsementAction::Suspend => (StatusPurpose::Suspension, 1),
            EndorsementAction::Reinstate => (StatusPurpose::Suspension, 0),
        };
        if purpose == StatusPurpose::Suspension {
            if record.standing() == RecordedStanding::Revoked {
                let words = "this endorsement was revoked, and a revocation is never taken back";
                return Err(RegistryError::Irreversible(words.into()));
            }
            if !record.suspendable {
                return Err(RegistryError::NotSuspendable);
            }
        }
        let (space, index) = record.entry;
        let list = self.plane(&*self.engine, space, &purpose)?;
        let update = StatusUpdate {
            target: StatusTarget::Index(index.into()),
            status,
        };
        self.update_statuses(change, list, vec![update], reason)?;
        self.endorsement(id, None)
    }

    /// An endorsement, as it stands at `at` or now.
    pub fn endorsement(
        &self,
        id: EndorsementId,
        at: Option<Timestamp>,
    ) -> Result<EndorsementView, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = self.endorsement_record(&*snapshot, id)?;
        self.view_endorsement(&*snapshot, id, &record, at)
    }

    /// Endorsements that pass `filter`, in order of id, at most `limit`.
    pub fn endorsements(
        &self,
        filter: &EndorsementFilter,
        limit: usize,
    ) -> Result<Vec<EndorsementView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let endorser = match &filter.endorser {
            Some(name) => Some(self.profile_named(name, "/endorser")?.id),
            None => None,
        };
        let subject = filter
            .subject
            .as_deref()
            .map(|id| self.canonical(read, id))
            .transpose()?;
        let mut found = Vec::new();
        let mut after = filter.after;
        loop {
            let page = match &subject {
                Some(subject) => self.ids_by_subject(read, subject, after, PAGE)?,
                None => self.ids_by_endorser(read, endorser, after, PAGE)?,
            };
            let last_page = page.len() < PAGE;
            after = page.last().copied().or(after);
            for id in page {
                let record = self.endorsement_record(read, id)?;
                let wanted = endorser.is_none_or(|endorser| id.owner() == endorser)
                    && filter.kind.is_none_or(|kind| record.kind == kind)
                    && filter.at.is_none_or(|at| record.created_at <= at);
                if !wanted {
                    continue;
                }
                let view = self.view_endorsement(read, id, &record, filter.at)?;
                if filter
                    .standing
                    .is_none_or(|standing| view.outcome == standing)
                {
                    found.push(view);
                }
                if found.len() == limit {
                    return Ok(found);
                }
            }
            if last_page {
                return Ok(found);
            }
        }
    }

    /// What is known of each subject, all of one snapshot, in the order asked.
    pub fn endorsements_of(
        &self,
        subjects: &[String],
        at: Option<Timestamp>,
    ) -> Result<Vec<SubjectAnswer>, RegistryError> {
        let snapshot = self.engine.snapshot();
        subjects
            .iter()
            .map(|subject| self.answer_subject(&*snapshot, subject, at))
            .collect()
    }

    fn answer_subject(
        &self,
        read: &dyn Read,
        asked: &str,
        at: Option<Timestamp>,
    ) -> Result<SubjectAnswer, RegistryError> {
        let subject = self.canonical(read, asked)?;
        let moment = at.unwrap_or_else(|| self.now());
        let mut best = None;
        let mut endorsements = Vec::new();
        let mut more = false;
        let mut after = None;
        loop {
            let page = self.ids_by_subject(read, &subject, after, PAGE)?;
            for id in &page {
                let record = self.endorsement_record(read, *id)?;
                if record.created_at > moment {
                    continue;
                }
                // Every endorsement counts for the outcome, also where not all are shown.
                let outcome = outcome_at(&record, moment);
                best = best
                    .into_iter()
                    .chain([outcome])
                    .min_by_key(|outcome| rank(*outcome));
                more = endorsements.len() == MOST_PER_SUBJECT;
                if !more {
                    endorsements.push(self.view_endorsement(read, *id, &record, at)?);
                }
            }
            after = page.last().copied();
            if page.len() < PAGE {
                break;
            }
        }
        let outcome = match best {
            Some(outcome) => outcome,
            None if self.is_known(read, &subject)? => Outcome::NotEndorsed,
            None => Outcome::Unknown,
        };
        let subject = asked.to_owned();
        Ok(SubjectAnswer {
            subject,
            outcome,
            endorsements,
            more,
        })
    }

    fn view_endorsement(
        &self,
        read: &dyn Read,
        id: EndorsementId,
        record: &EndorsementRecord,
        at: Option<Timestamp>,
    ) -> Result<EndorsementView, RegistryError> {
        let document = ENDORSEMENT_DOCUMENTS.get(read, &id)?.unwrap_or_default();
        let credential: Value = serde_json::from_slice(&document)
            .expect("an endorsement's document is JSON that this registry wrote");
        let outcome = outcome_at(record, at.unwrap_or_else(|| self.now()));
        let mut etag = document_digest(&credential);
        etag.insert_str(etag.len() - 1, &format!("-{}", outcome.as_str()));
        let mut roles = Vec::new();
        roles.extend(record.as_issuer.then_some("issuer"));
        roles.extend(record.as_accreditor.then_some("accreditor"));
        Ok(EndorsementView {
            id,
            endorser: self.profile_record(read, id.owner())?.issuer_id,
            subject: record.subject.clone(),
            kind: record.kind,
            roles,
            outcome,
            valid_from: record.valid_from,
            valid_until: record.valid_until,
            changed_at: record
                .history
                .last()
                .map_or(record.created_at, |change| change.at),
            credential,
            etag,
        })
    }

    fn endorsement_record(
        &self,
        read: &dyn Read,
        id: EndorsementId,
    ) -> Result<EndorsementRecord, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Endorsement, self.urls().endorsement(id));
        ENDORSEMENTS.get(read, &id)?.ok_or_else(none)
    }

    fn ids_by_subject(
        &self,
        read: &dyn Read,
        subject: &str,
        after: Option<EndorsementId>,
        limit: usize,
    ) -> Result<Vec<EndorsementId>, RegistryError> {
        let digest = id_digest(subject);
        let after = after.map(|id| (digest, id));
        let rows = ENDORSEMENTS_BY_SUBJECT.scan(read, &digest, after.as_ref(), limit)?;
        Ok(rows.into_iter().map(|((_, id), ())| id).collect())
    }

    fn ids_by_endorser(
        &self,
        read: &dyn Read,
        endorser: Option<ProfileId>,
        after: Option<EndorsementId>,
        limit: usize,
    ) -> Result<Vec<EndorsementId>, RegistryError> {
        let prefix = endorser.map_or(Vec::new(), |id| id.0.to_be_bytes().to_vec());
        let rows = ENDORSEMENTS.scan(read, &prefix, after.as_ref(), limit)?;
        Ok(rows.into_iter().map(|(id, _)| id).collect())
    }

    /// The id under which a thing is known: a profile here answers to its URL as well.
    fn canonical(&self, read: &dyn Read, id: &str) -> Result<String, RegistryError> {
        match self.profile_with_id(read, id)? {
            Some(profile) => Ok(self.profile_record(read, profile)?.issuer_id),
            None => Ok(id.to_owned()),
        }
    }

    fn is_known(&self, read: &dyn Read, id: &str) -> Result<bool, RegistryError> {
        let achievement = self
            .urls()
            .within("achievements", id)
            .and_then(|id| id.parse().ok());
        Ok(self.profile_with_id(read, id)?.is_some()
            || !CREDENTIALS.scan(read, &id_digest(id), None, 1)?.is_empty()
            || match achievement {
                Some(achievement) => ACHIEVEMENTS.get(read, &achievement)?.is_some(),
                None => false,
            })
    }

    /// Checks that what is to be endorsed is what it is said to be, where it lives here.
    fn subject(
        &self,
        read: &dyn Read,
        id: &str,
        kind: SubjectKind,
    ) -> Result<Subject, RegistryError> {
        let elsewhere = Subject {
            id: id.to_owned(),
            ..Subject::default()
        };
        if url::Url::parse(id).is_err() || id.len() > 2048 {
            let detail = "an absolute URL of at most 2,048 characters is needed";
            return Err(RegistryError::invalid("/subject/id", detail));
        }
        let wrong = |is: &str| {
            Err(RegistryError::Subject(format!(
                "{id} is {is}, and was to be endorsed as another kind"
            )))
        };
        if let Some(profile) = self.profile_with_id(read, id)? {
            if kind != SubjectKind::Profile {
                return wrong("a profile");
            }
            let record = self.profile_record(read, profile)?;
            return Ok(Subject {
                id: record.issuer_id,
                profile: Some(profile),
                issuer: record.issuer,
                accreditor: record.accreditor,
            });
        }
        if let Some(Ok(achievement)) = self
            .urls()
            .within("achievements", id)
            .map(str::parse::<AchievementId>)
            && ACHIEVEMENTS.get(read, &achievement)?.is_some()
        {
            return if kind == SubjectKind::Achievement {
                Ok(elsewhere)
            } else {
                wrong("an achievement")
            };
        }
        if !CREDENTIALS.scan(read, &id_digest(id), None, 1)?.is_empty() {
            return if kind == SubjectKind::Credential {
                Ok(elsewhere)
            } else {
                wrong("a credential")
            };
        }
        if self.would_be_ours(id) {
            let detail = format!("{id} would live here, and there is no such thing to endorse");
            return Err(RegistryError::Subject(detail));
        }
        Ok(elsewhere)
    }

    /// Whether an id lies below this registry's origin, as a URL or as a `did:web`.
    pub(super) fn would_be_ours(&self, id: &str) -> bool {
        self.urls().is_ours(id) || self.is_our_did(id)
    }

    fn is_our_did(&self, id: &str) -> bool {
        let ours = format!("did:web:{}", self.urls().host().replace(':', "%3A"));
        id.strip_prefix(&ours)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '#', '/']))
    }

    /// The turn of the space that takes a profile's entries, where it has one yet.
    pub(super) fn open_space_turn(
        &self,
        owner: ProfileId,
    ) -> Result<Option<std::sync::Arc<std::sync::Mutex<()>>>, RegistryError> {
        let open = OPEN_SPACES.get(&*self.engine, &owner)?;
        Ok(open.map(|open| self.turns.of(open.space)))
    }
}

/// How many rows are looked at in one go.
const PAGE: usize = 256;

/// At most this many endorsements are shown for one subject in a batch answer.
const MOST_PER_SUBJECT: usize = 1_000;

#[derive(Default)]
struct Subject {
    id: String,
    profile: Option<ProfileId>,
    issuer: bool,
    accreditor: bool,
}

/// How an endorsement stands at a moment: what was decided for ever, then its period, then what
/// was decided for the time being.
fn outcome_at(record: &EndorsementRecord, at: Timestamp) -> Outcome {
    match record.standing_at(at) {
        RecordedStanding::Revoked => Outcome::Revoked,
        _ if at < record.valid_from => Outcome::NotYetValid,
        _ if record.valid_until.is_some_and(|until| at > until) => Outcome::Expired,
        RecordedStanding::Suspended => Outcome::Suspended,
        RecordedStanding::Active => Outcome::Active,
    }
}

/// Which of several standings says most about a subject.
const fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Active => 0,
        Outcome::StaleDigest => 1,
        Outcome::Suspended => 2,
        Outcome::NotYetValid => 3,
        Outcome::Expired => 4,
        Outcome::Revoked => 5,
        Outcome::NotEndorsed => 6,
        Outcome::Unreachable => 7,
        Outcome::Unknown => 8,
    }
}
