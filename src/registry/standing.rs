//! How endorsements stand: one by one, by filter, and for many subjects at once, now or at a moment
//! in the past.

use super::profiles::id_digest;
use super::signing::stored_endorsement;
use super::{Outcome, Registry, RegistryError, Thing};
use crate::badges::SubjectKind;
use crate::ids::{EndorsementId, ProfileId};
use crate::store::engine::Read;
use crate::store::tables::{
    ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, EndorsementRecord,
    RecordedStanding,
};
use crate::time::Timestamp;
use crate::vc::securing::Secured;

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
    pub credential: Secured,
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

/// A page of endorsements.
#[derive(Debug, Clone)]
pub struct EndorsementPage {
    /// Those that passed the filter.
    pub endorsements: Vec<EndorsementView>,
    /// After which one the list goes on, where it does.
    pub next: Option<EndorsementId>,
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

impl Registry {
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

    /// Endorsements that pass `filter`, in order of id, at most `limit` of them. A filter that few
    /// pass gives a short page with a cursor, rather than an answer that takes for ever.
    pub fn endorsements(
        &self,
        filter: &EndorsementFilter,
        limit: usize,
    ) -> Result<EndorsementPage, RegistryError> {
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
        let (mut after, mut looked_at) = (filter.after, 0);
        loop {
            let page = match &subject {
                Some(subject) => self.ids_by_subject(read, subject, after, PAGE)?,
                None => self.ids_by_endorser(read, endorser, after, PAGE)?,
            };
            for id in &page {
                after = Some(*id);
                looked_at += 1;
                let record = self.endorsement_record(read, *id)?;
                let wanted = endorser.is_none_or(|endorser| id.owner() == endorser)
                    && filter.kind.is_none_or(|kind| record.kind == kind)
                    && filter.at.is_none_or(|at| record.created_at <= at);
                if !wanted {
                    continue;
                }
                let outcome = self.outcome_of(read, &record, filter.at)?;
                if filter.standing.is_none_or(|standing| outcome == standing) {
                    found.push(self.view_as(read, *id, &record, outcome)?);
                }
                if found.len() == limit || looked_at == MOST_LOOKED_AT {
                    return Ok(EndorsementPage {
                        endorsements: found,
                        next: after,
                    });
                }
            }
            if page.len() < PAGE {
                return Ok(EndorsementPage {
                    endorsements: found,
                    next: None,
                });
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
        let mut room = MOST_SHOWN;
        let answer = |subject: &String| {
            let answer = self.answer_subject(&*snapshot, subject, at, room.min(MOST_PER_SUBJECT));
            room -= answer
                .as_ref()
                .map_or(0, |answer| answer.endorsements.len());
            answer
        };
        subjects.iter().map(answer).collect()
    }

    pub(super) fn answer_subject(
        &self,
        read: &dyn Read,
        asked: &str,
        at: Option<Timestamp>,
        room: usize,
    ) -> Result<SubjectAnswer, RegistryError> {
        let subject = self.canonical(read, asked)?;
        let mut best = None;
        let mut endorsements = Vec::new();
        let mut more = false;
        let mut after = None;
        loop {
            let page = self.ids_by_subject(read, &subject, after, PAGE)?;
            for id in &page {
                let record = self.endorsement_record(read, *id)?;
                if at.is_some_and(|at| record.created_at > at) {
                    continue;
                }
                // Every endorsement counts for the outcome, also where not all are shown.
                let outcome = self.outcome_of(read, &record, at)?;
                best = best
                    .into_iter()
                    .chain([outcome])
                    .min_by_key(|outcome| rank(*outcome));
                more = endorsements.len() == room;
                if !more {
                    endorsements.push(self.view_as(read, *id, &record, outcome)?);
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
        Ok(SubjectAnswer {
            subject: asked.to_owned(),
            outcome,
            endorsements,
            more,
        })
    }

    pub(super) fn view_endorsement(
        &self,
        read: &dyn Read,
        id: EndorsementId,
        record: &EndorsementRecord,
        at: Option<Timestamp>,
    ) -> Result<EndorsementView, RegistryError> {
        let outcome = self.outcome_of(read, record, at)?;
        self.view_as(read, id, record, outcome)
    }

    fn view_as(
        &self,
        read: &dyn Read,
        id: EndorsementId,
        record: &EndorsementRecord,
        outcome: Outcome,
    ) -> Result<EndorsementView, RegistryError> {
        let document = ENDORSEMENT_DOCUMENTS.get(read, &id)?.unwrap_or_default();
        let mut roles = Vec::new();
        roles.extend(record.as_issuer.then_some("issuer"));
        roles.extend(record.as_accreditor.then_some("accreditor"));
        let last = record.history.last();
        Ok(EndorsementView {
            id,
            endorser: self.profile_record(read, id.owner())?.issuer_id,
            subject: record.subject.clone(),
            kind: record.kind,
            roles,
            outcome,
            valid_from: record.valid_from,
            valid_until: record.valid_until,
            changed_at: last.map_or(record.created_at, |change| change.at),
            credential: stored_endorsement(&document),
        })
    }

    /// How an endorsement stands at `at` or now. What was decided last holds now, whatever the
    /// clock says. Where the endorsement is bound to a version and the subject is another one by
    /// now, it is stale from the subject's last change on, and before that nobody knows.
    fn outcome_of(
        &self,
        read: &dyn Read,
        record: &EndorsementRecord,
        at: Option<Timestamp>,
    ) -> Result<Outcome, RegistryError> {
        let standing = at.map_or_else(|| record.standing(), |at| record.standing_at(at));
        let outcome = outcome_at(record, standing, at.unwrap_or_else(|| self.now()));
        let Some(bound) = &record.digest_multibase else {
            return Ok(outcome);
        };
        if outcome != Outcome::Active {
            return Ok(outcome);
        }
        match self.present_version(read, &record.subject)? {
            Some((digest, changed_at)) if bound.parse() != Ok(digest) => {
                let since = at.is_none_or(|at| changed_at <= at);
                Ok(if since {
                    Outcome::StaleDigest
                } else {
                    Outcome::Unknown
                })
            }
            _ => Ok(outcome),
        }
    }

    pub(super) fn endorsement_record(
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
}

/// How many rows are looked at in one go.
const PAGE: usize = 256;

/// At most this many rows are looked at for one page of a list.
const MOST_LOOKED_AT: usize = 10_000;

/// At most this many endorsements are shown in one batch answer.
const MOST_SHOWN: usize = 10_000;

/// At most this many endorsements are shown for one subject in a batch answer.
const MOST_PER_SUBJECT: usize = 1_000;

/// How an endorsement stands at a moment: what was decided for ever, then its period, then what
/// was decided for the time being.
const fn outcome_at(
    record: &EndorsementRecord,
    standing: RecordedStanding,
    at: Timestamp,
) -> Outcome {
    let before = at.millis() < record.valid_from.millis();
    let after = match record.valid_until {
        Some(until) => at.millis() >= until.millis(),
        None => false,
    };
    match standing {
        RecordedStanding::Revoked => Outcome::Revoked,
        _ if before => Outcome::NotYetValid,
        _ if after => Outcome::Expired,
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
