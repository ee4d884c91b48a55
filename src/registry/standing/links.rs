//! Endorsements as the links of chains: each with how it stands and what its endorser lends to it,
//! in one state of the store, at one moment.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::badges::{DigestMultibase, Role, Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::endorsements::accreditors::Accreditor;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{ENDORSEMENTS, EndorsementRecord, Origin, RecordedStanding};
use crate::time::Timestamp;
use crate::trust::{self, Fit, PathLink, Place};

/// The endorsements that are known here, by subject. What was looked up once is kept as long as
/// this is, so that many questions of one snapshot cost little more than one.
pub(in crate::registry) struct Links<'a> {
    pub(in crate::registry) registry: &'a Registry,
    pub(in crate::registry) read: &'a dyn Read,
    /// The moment that is asked about; what was decided last, where none is.
    pub(in crate::registry) at: Option<Timestamp>,
    now: Timestamp,
    /// What would be, if this were decided.
    supposed: Option<Supposed>,
    subjects: RefCell<HashMap<String, Rc<Subject>>>,
    /// How many links stand in them.
    kept: Cell<usize>,
    endorsers: RefCell<HashMap<ProfileId, Rc<Endorser>>>,
    /// Of the subject that was looked at last.
    version: RefCell<Option<(String, Version)>>,
}

/// A decision that was not made, to see what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Supposed {
    /// About an accreditor.
    Accreditor(ProfileId, Outcome),
    /// About an endorsement.
    Endorsement(EndorsementId, RecordedStanding),
}

/// What endorses one thing.
pub(in crate::registry) struct Subject {
    /// Its endorsements, at most [`MOST_LINKS`]: those issued here in order of id, then those from
    /// elsewhere.
    pub(in crate::registry) links: Vec<Rc<Link>>,
    /// Whether there are more.
    pub(in crate::registry) more: bool,
}

/// An endorsement and how it stands.
pub(in crate::registry) struct Link {
    pub(in crate::registry) id: EndorsementId,
    pub(in crate::registry) record: EndorsementRecord,
    pub(in crate::registry) endorser: Rc<Endorser>,
    /// What it covers; all of its subject where there is none.
    pub(in crate::registry) scope: Option<Scope>,
    /// How the endorsement itself stands. It ends with the role in which it was given.
    pub(in crate::registry) own: Outcome,
    /// How its endorser stands as an accreditor.
    pub(in crate::registry) lent: Outcome,
}

/// Who endorses.
pub(in crate::registry) struct Endorser {
    /// By `issuer.id`.
    pub(in crate::registry) id: String,
    /// The registered name; none for who is not registered here.
    pub(in crate::registry) name: Option<String>,
    /// The profile here that it is.
    profile: Option<ProfileId>,
    accreditor: Accreditor,
}

/// Of this many subjects the endorsements are kept at a time, and of these so many.
const MOST_KEPT: usize = 4_096;
const MOST_LINKS_KEPT: usize = 40_000;

/// At most this many endorsements of one thing are looked at for one answer.
pub(in crate::registry) const MOST_LINKS: usize = 1_000;

impl Link {
    /// How it stands with what it rests on.
    pub(in crate::registry) fn outcome(&self) -> Outcome {
        let (none, fit) = (std::sync::Arc::from(""), Fit::Fits);
        let link = trust::Link {
            endorsement: Clone::clone(&none),
            endorser: none,
            outcome: self.own,
            carries: true,
            fit,
        };
        trust::contribution(&link, self.lent, Place::First).outcome
    }

    /// Its place among others, the first ones for where not all are looked at or shown: those issued
    /// here, since anybody can sign something elsewhere, and of them those in force.
    pub(in crate::registry) fn rank(&self) -> (bool, bool) {
        let elsewhere = matches!(self.record.origin, Origin::Imported(_));
        (elsewhere, self.outcome() != Outcome::Active)
    }

    /// Whether a chain goes on through it: it endorses a profile as an accreditor. Of one that is
    /// registered here the registry knew the roles; of one elsewhere the endorser has to say it.
    pub(in crate::registry) fn carries(&self, elsewhere: bool) -> bool {
        let said = || {
            self.scope
                .as_ref()
                .is_some_and(|scope| scope.roles().contains(&Role::Accreditor))
        };
        self.record.kind == SubjectKind::Profile
            && (self.record.as_accreditor || elsewhere && said())
    }
}

impl<'a> Links<'a> {
    pub(in crate::registry) fn new(
        registry: &'a Registry,
        read: &'a dyn Read,
        at: Option<Timestamp>,
    ) -> Self {
        Self {
            registry,
            read,
            at,
            now: registry.now(),
            supposed: None,
            subjects: RefCell::default(),
            kept: Cell::new(0),
            endorsers: RefCell::default(),
            version: RefCell::default(),
        }
    }

    /// As it would be after a decision.
    pub(in crate::registry) fn supposing(self, supposed: Supposed) -> Self {
        Self {
            supposed: Some(supposed),
            ..self
        }
    }

    /// What endorses a thing, by its canonical id.
    pub(in crate::registry) fn of(&self, subject: &str) -> Result<Rc<Subject>, RegistryError> {
        if let Some(found) = self.subjects.borrow().get(subject) {
            return Ok(found.clone());
        }
        let ids = self
            .registry
            .ids_by_subject(self.read, subject, None, MOST_LINKS + 1)?;
        let more = ids.len() > MOST_LINKS;
        let ids = &ids[..ids.len().min(MOST_LINKS)];
        let records = ENDORSEMENTS.multi_get(self.read, ids)?;
        let mut links = Vec::with_capacity(ids.len());
        for (&id, record) in ids.iter().zip(records) {
            // An endorsement and its place in the index are written together.
            let Some(record) = record else { continue };
            if self.at.is_none_or(|at| record.created_at <= at) {
                links.push(Rc::new(self.link(id, record)?));
            }
        }
        let found = Rc::new(Subject { links, more });
        let mut subjects = self.subjects.borrow_mut();
        let kept = self.kept.get() + found.links.len();
        if subjects.len() == MOST_KEPT || kept > MOST_LINKS_KEPT {
            subjects.clear();
            self.kept.set(found.links.len());
        } else {
            self.kept.set(kept);
        }
        subjects.insert(subject.to_owned(), found.clone());
        Ok(found)
    }

    /// An endorsement as a link.
    pub(in crate::registry) fn link(
        &self,
        id: EndorsementId,
        record: EndorsementRecord,
    ) -> Result<Link, RegistryError> {
        let endorser = self.endorser(id, &record)?;
        let lent = self.standing_of(&endorser);
        // What was decided last holds now, whatever the clock says.
        let decided = match (self.supposed, self.at) {
            (Some(Supposed::Endorsement(supposed, standing)), _) if supposed == id => standing,
            (_, Some(at)) => record.standing_at(at),
            (_, None) => record.standing(),
        };
        let mut own = self.own_outcome(&record, decided)?;
        if let Origin::Issued { term, .. } = record.origin
            && endorser.accreditor.lends(term, self.at) == Outcome::Revoked
        {
            own = Outcome::Revoked;
        }
        Ok(Link {
            scope: record.scope()?,
            id,
            record,
            endorser,
            own,
            lent,
        })
    }

    /// When the first endorsement on a path ends by itself.
    pub(in crate::registry) fn end_of(
        &self,
        path: &[PathLink],
    ) -> Result<Option<Timestamp>, RegistryError> {
        let mut end: Option<Timestamp> = None;
        for step in path {
            let id = self.registry.urls().parse_endorsement(&step.endorsement);
            let known = self.of(&step.subject)?;
            let link = known.links.iter().find(|link| Some(link.id) == id);
            let until = link.and_then(|link| link.record.valid_until);
            end = end.into_iter().chain(until).min();
        }
        Ok(end)
    }

    /// How somebody stands as an accreditor here; none for who never held the role.
    pub(in crate::registry) fn accreditor(
        &self,
        id: &str,
    ) -> Result<Option<Outcome>, RegistryError> {
        let Some(profile) = self.registry.profile_with_id(self.read, id)? else {
            return Ok(None);
        };
        let endorser = self.endorser_here(profile)?;
        Ok(Some(self.standing_of(&endorser)).filter(|outcome| *outcome != Outcome::NotEndorsed))
    }

    fn standing_of(&self, endorser: &Endorser) -> Outcome {
        match (endorser.profile, self.supposed) {
            (Some(profile), Some(Supposed::Accreditor(supposed, outcome)))
                if supposed == profile =>
            {
                outcome
            }
            (Some(_), _) => endorser.accreditor.standing(self.at),
            // Whether it is anybody's to trust is for the path to say.
            (None, _) => Outcome::Active,
        }
    }

    fn endorser(
        &self,
        id: EndorsementId,
        record: &EndorsementRecord,
    ) -> Result<Rc<Endorser>, RegistryError> {
        match &record.origin {
            Origin::Issued { .. } => self.endorser_here(id.owner()),
            Origin::Imported(imported) => Ok(Rc::new(Endorser {
                id: imported.endorser.clone(),
                name: None,
                profile: None,
                accreditor: Accreditor::default(),
            })),
        }
    }

    fn endorser_here(&self, profile: ProfileId) -> Result<Rc<Endorser>, RegistryError> {
        if let Some(found) = self.endorsers.borrow().get(&profile) {
            return Ok(found.clone());
        }
        let record = self.registry.profile_record(self.read, profile)?;
        let found = Rc::new(Endorser {
            accreditor: self.registry.accreditor_of(self.read, profile, &record)?,
            name: Some(record.profile().name().to_owned()),
            id: record.issuer_id,
            profile: Some(profile),
        });
        let mut endorsers = self.endorsers.borrow_mut();
        endorsers.insert(profile, found.clone());
        Ok(found)
    }

    /// How an endorsement itself stands, where this was decided about it. One that is bound to a
    /// version is stale while its subject is another one. Only the present version is kept, so of a
    /// moment before the last change nobody knows.
    fn own_outcome(
        &self,
        record: &EndorsementRecord,
        decided: RecordedStanding,
    ) -> Result<Outcome, RegistryError> {
        let moment = self.at.unwrap_or(self.now);
        if let Origin::Imported(imported) = &record.origin
            && moment < imported.since
            && decided != RecordedStanding::Revoked
        {
            // Another version stood here then, or none.
            return Ok(Outcome::Unknown);
        }
        let outcome = outcome_at(record, decided, moment);
        if outcome != Outcome::Active {
            return Ok(outcome);
        }
        if let Origin::Imported(imported) = &record.origin
            && imported.fresh_until < moment
        {
            // Its issuer has not said for too long that it still stands.
            return Ok(Outcome::Unreachable);
        }
        let Some(bound) = &record.digest_multibase else {
            return Ok(outcome);
        };
        Ok(match self.version_of(&record.subject)? {
            Some((_, changed_at)) if self.at.is_some_and(|at| at < changed_at) => Outcome::Unknown,
            Some((present, _)) if bound.parse() != Ok(present) => Outcome::StaleDigest,
            _ => outcome,
        })
    }
}

impl Links<'_> {
    /// The present version of a subject, worked out once for all that endorses it.
    fn version_of(&self, subject: &str) -> Result<Version, RegistryError> {
        if let Some((known, version)) = &*self.version.borrow()
            && known == subject
        {
            return Ok(*version);
        }
        let version = self.registry.present_version(self.read, subject)?;
        *self.version.borrow_mut() = Some((subject.to_owned(), version));
        Ok(version)
    }
}

/// The digest of a thing's present version, and when it last changed; none for what lives elsewhere.
type Version = Option<(DigestMultibase, Timestamp)>;

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
