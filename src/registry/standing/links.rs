//! Endorsements as the links of chains: each with how it stands and what its endorser lends to it,
//! in one state of the store, at one moment.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Row;
use super::good_standing::on_every_core;
use super::parties::{Parties, Who};
use super::seen::Seen;
use crate::badges::{DigestMultibase, Role, Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{EndorsementRecord, Origin, RecordedStanding};
use crate::time::{Timestamp, Ttl};
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
    pub(super) parties: Parties<'a>,
    subjects: RefCell<HashMap<Who, Rc<Subject>>>,
    /// How many links stand in them.
    kept: Cell<usize>,
    /// What endorses an endorser, as chains see it that come from below.
    pub(super) seen: Seen,
    /// By their text. Most scopes are that of many endorsements.
    scopes: RefCell<HashMap<String, Rc<Scope>>>,
    /// Of the subject that was looked at last.
    version: RefCell<Option<(String, Version)>>,
    /// The first moment after the present one from which a link that was looked at may stand
    /// otherwise, though nothing is decided.
    next_moment: Cell<Option<Timestamp>>,
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
    pub(in crate::registry) links: Vec<Link>,
    /// Whether there are more.
    pub(in crate::registry) more: bool,
}

/// An endorsement and how it stands.
pub(in crate::registry) struct Link {
    pub(in crate::registry) id: EndorsementId,
    pub(in crate::registry) record: EndorsementRecord,
    pub(in crate::registry) endorser: Who,
    /// What it covers; all of its subject where there is none.
    pub(in crate::registry) scope: Option<Rc<Scope>>,
    /// How the endorsement itself stands. It ends with the role in which it was given.
    pub(in crate::registry) own: Outcome,
    /// How its endorser stands as an accreditor.
    pub(in crate::registry) lent: Outcome,
}

/// How an endorsement stands by itself, and what its endorser lends to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    pub(super) own: Outcome,
    pub(super) lent: Outcome,
}

/// Of this many subjects the endorsements are kept at a time, and of these so many.
const MOST_KEPT: usize = 4_096;
const MOST_LINKS_KEPT: usize = 40_000;

/// So many subjects are read ahead in one go, of each so many endorsements, and of those in one
/// question to the store.
const READ_AHEAD: usize = 512;
const MOST_AHEAD: usize = 64;
const READ_TOGETHER: usize = 32;

/// So many endorsers are read ahead: half of what is kept, so that those whom they endorse are too.
const MOST_ENDORSERS: usize = MOST_KEPT / 2;

/// So many scopes are kept at a time.
const MOST_SCOPES: usize = 1_024;

/// At most this many endorsements of one thing are looked at for one answer.
pub(in crate::registry) const MOST_LINKS: usize = 1_000;

impl Weight {
    /// How an endorsement stands with what it rests on.
    pub(super) fn outcome(self) -> Outcome {
        let link = trust::Link {
            endorsement: (),
            endorser: (),
            outcome: self.own,
            carries: true,
            fit: Fit::Fits,
        };
        trust::contribution(&link, self.lent, Place::First).outcome
    }
}

impl Link {
    /// How it stands with what it rests on.
    pub(in crate::registry) fn outcome(&self) -> Outcome {
        let (own, lent) = (self.own, self.lent);
        Weight { own, lent }.outcome()
    }

    /// The endorser's registered name; none for who is not registered here.
    pub(in crate::registry) fn endorser_name(&self) -> Option<&str> {
        match self.record.origin {
            Origin::Issued { .. } => self.endorser.name(),
            Origin::Imported(_) => None,
        }
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
        carries(&self.record, self.scope.as_deref(), elsewhere)
    }
}

/// Whether a chain goes on through an endorsement of this scope; see [`Link::carries`].
pub(super) fn carries(record: &EndorsementRecord, scope: Option<&Scope>, elsewhere: bool) -> bool {
    let said = || scope.is_some_and(|scope| scope.roles().contains(&Role::Accreditor));
    record.kind == SubjectKind::Profile && (record.as_accreditor || elsewhere && said())
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
            parties: Parties::new(registry, read),
            subjects: RefCell::default(),
            kept: Cell::new(0),
            seen: Seen::default(),
            scopes: RefCell::default(),
            version: RefCell::default(),
            next_moment: Cell::default(),
        }
    }

    /// The moment that is asked about, or the present one.
    pub(super) fn moment(&self) -> Timestamp {
        self.at.unwrap_or(self.now)
    }

    /// Until before which moment all that was looked at stands as it does now, where nothing is
    /// decided; for ever, where there is none.
    pub(super) const fn next_moment(&self) -> Option<Timestamp> {
        self.next_moment.get()
    }

    /// Notes the moments on which it rests how an endorsement stands.
    fn note_moments(&self, record: &EndorsementRecord) {
        let imported = match &record.origin {
            Origin::Issued { .. } => [None, None],
            Origin::Imported(imported) => [
                Some(imported.since),
                Some(imported.fresh_until.plus(Ttl::from_millis(1))),
            ],
        };
        let own = [Some(record.valid_from), record.valid_until];
        let moments = own.into_iter().chain(imported).flatten();
        let later = moments.filter(|moment| *moment > self.now);
        let next = later.chain(self.next_moment.get()).min();
        self.next_moment.set(next);
    }

    /// As it would be after a decision.
    pub(in crate::registry) fn supposing(self, supposed: Supposed) -> Self {
        Self {
            supposed: Some(supposed),
            ..self
        }
    }

    /// Whoever, or whatever, is known by an id in any of its spellings.
    pub(in crate::registry) fn named(&self, id: &str) -> Result<Who, RegistryError> {
        self.parties.named(id)
    }

    /// Whoever, or whatever, has a canonical id.
    pub(in crate::registry) fn who(&self, id: &str) -> Who {
        self.parties.who(id)
    }

    /// Reads what endorses each of these, in a few questions to the store.
    pub(in crate::registry) fn read_ahead(&self, subjects: &[Who]) -> Result<(), RegistryError> {
        let mut new: Vec<&Who> = Vec::new();
        #[expect(clippy::mutable_key_type, reason = "an id never changes, nor its hash")]
        let mut met = HashSet::new();
        {
            let known = self.subjects.borrow();
            let unknown = subjects.iter().filter(|who| !known.contains_key(*who));
            new.extend(unknown.filter(|who| met.insert(*who)));
        }
        let (registry, read) = (self.registry, self.read);
        for group in new.chunks(READ_AHEAD) {
            let names: Vec<&str> = group.iter().map(|who| who.id()).collect();
            let parts: Vec<&[&str]> = names.chunks(READ_TOGETHER).collect();
            let rows = on_every_core(parts, |part| {
                registry.few_by_subject(read, part, MOST_AHEAD)
            });
            let mut subjects = group.iter();
            for rows in rows {
                for (rows, who) in rows?.into_iter().zip(subjects.by_ref()) {
                    // Who has more is asked about alone.
                    let Some(rows) = rows else { continue };
                    let links = self.links_then(rows)?;
                    let more = false;
                    self.keep((*who).clone(), Rc::new(Subject { links, more }));
                }
            }
        }
        Ok(())
    }

    /// Who endorses these, as far as that was read ahead, and at most [`MOST_ENDORSERS`] of them.
    pub(in crate::registry) fn endorsers_read(&self, subjects: &[Who]) -> Vec<Who> {
        let known = self.subjects.borrow();
        let found = subjects.iter().filter_map(|who| known.get(who));
        let endorsers = found.flat_map(|subject| subject.links.iter().map(|link| &link.endorser));
        #[expect(clippy::mutable_key_type, reason = "an id never changes, nor its hash")]
        let mut met = HashSet::new();
        let new = endorsers.filter(|who| met.insert(*who));
        new.take(MOST_ENDORSERS).cloned().collect()
    }

    /// What endorses a thing.
    pub(in crate::registry) fn of(&self, subject: &Who) -> Result<Rc<Subject>, RegistryError> {
        if let Some(found) = self.subjects.borrow().get(subject) {
            return Ok(found.clone());
        }
        let mut rows =
            self.registry
                .rows_by_subject(self.read, subject.id(), None, MOST_LINKS + 1)?;
        let more = rows.len() > MOST_LINKS;
        rows.truncate(MOST_LINKS);
        let links = self.links_then(rows)?;
        let found = Rc::new(Subject { links, more });
        self.keep(subject.clone(), found.clone());
        Ok(found)
    }

    /// The links of rows, as far as they were there at the moment that is asked about.
    pub(super) fn links_then(&self, mut rows: Vec<Row>) -> Result<Vec<Link>, RegistryError> {
        if let Some(at) = self.at {
            rows.retain(|(_, record)| record.created_at <= at);
        }
        self.links(rows)
    }

    fn keep(&self, subject: Who, found: Rc<Subject>) {
        let mut subjects = self.subjects.borrow_mut();
        let kept = self.kept.get() + found.links.len();
        if subjects.len() == MOST_KEPT || kept > MOST_LINKS_KEPT {
            subjects.clear();
            self.seen.clear();
            self.kept.set(found.links.len());
        } else {
            self.kept.set(kept);
        }
        subjects.insert(subject, found);
    }

    /// Endorsements as links, in their order.
    pub(in crate::registry) fn links(&self, rows: Vec<Row>) -> Result<Vec<Link>, RegistryError> {
        self.read_endorsers(rows.iter().map(|(id, _)| *id))?;
        let links = rows.into_iter().map(|(id, record)| self.link(id, record));
        links.collect()
    }

    /// Reads who made endorsements that were issued here, in a few questions to the store.
    pub(in crate::registry) fn read_endorsers(
        &self,
        ids: impl Iterator<Item = EndorsementId>,
    ) -> Result<(), RegistryError> {
        // The registry itself issues none.
        let owners = ids.map(EndorsementId::owner);
        self.parties
            .read_all(owners.filter(|owner| *owner != ProfileId::REGISTRY))
    }

    /// An endorsement as a link.
    pub(in crate::registry) fn link(
        &self,
        id: EndorsementId,
        record: EndorsementRecord,
    ) -> Result<Link, RegistryError> {
        let endorser = self.endorser(id, &record)?;
        let Weight { own, lent } = self.weight(id, &record, &endorser)?;
        let scope = record.scope.as_deref();
        Ok(Link {
            scope: scope.map(|text| self.scope(text, &record)).transpose()?,
            id,
            record,
            endorser,
            own,
            lent,
        })
    }

    /// Who made an endorsement.
    pub(super) fn endorser(
        &self,
        id: EndorsementId,
        record: &EndorsementRecord,
    ) -> Result<Who, RegistryError> {
        match &record.origin {
            Origin::Issued { .. } => self.parties.profile(id.owner()),
            Origin::Imported(imported) => Ok(self.who(&imported.endorser)),
        }
    }

    /// How an endorsement stands, and its endorser.
    pub(super) fn weight(
        &self,
        id: EndorsementId,
        record: &EndorsementRecord,
        endorser: &Who,
    ) -> Result<Weight, RegistryError> {
        // What was decided last holds now, whatever the clock says.
        let decided = match (self.supposed, self.at) {
            (Some(Supposed::Endorsement(supposed, standing)), _) if supposed == id => standing,
            (_, Some(at)) => record.standing_at(at),
            (_, None) => record.standing(),
        };
        let mut own = self.own_outcome(record, decided)?;
        // Of who endorsed elsewhere, whether it is anybody's to trust is for the path to say.
        let mut lent = Outcome::Active;
        if let Origin::Issued { term, .. } = record.origin {
            let here = self.parties.here(endorser)?;
            let accreditor = here.as_ref().map(|here| &here.accreditor);
            if accreditor.is_some_and(|role| role.lends(term, self.at) == Outcome::Revoked) {
                own = Outcome::Revoked;
            }
            lent = self.accreditor(endorser)?.unwrap_or(Outcome::NotEndorsed);
        }
        Ok(Weight { own, lent })
    }

    /// When the first endorsement on a path ends by itself.
    pub(in crate::registry) fn end_of(
        &self,
        path: &[PathLink],
    ) -> Result<Option<Timestamp>, RegistryError> {
        let mut end: Option<Timestamp> = None;
        for step in path {
            let id = self.registry.urls().own_endorsement(&step.endorsement);
            let known = self.of(&self.who(&step.subject))?;
            let link = known.links.iter().find(|link| Some(link.id) == id);
            let until = link.and_then(|link| link.record.valid_until);
            end = end.into_iter().chain(until).min();
        }
        Ok(end)
    }

    /// How somebody stands as an accreditor here; none for who never held the role.
    pub(in crate::registry) fn accreditor(
        &self,
        who: &Who,
    ) -> Result<Option<Outcome>, RegistryError> {
        let Some(here) = self.parties.here(who)? else {
            return Ok(None);
        };
        let outcome = match self.supposed {
            Some(Supposed::Accreditor(supposed, outcome)) if supposed == here.profile => outcome,
            _ => here.accreditor.standing(self.at),
        };
        Ok(Some(outcome).filter(|outcome| *outcome != Outcome::NotEndorsed))
    }

    /// What an endorsement covers, read once for all that cover the same.
    fn scope(&self, text: &str, record: &EndorsementRecord) -> Result<Rc<Scope>, RegistryError> {
        let mut scopes = self.scopes.borrow_mut();
        if let Some(known) = scopes.get(text) {
            return Ok(known.clone());
        }
        let scope = record
            .scope()?
            .expect("a scope is what its text was taken from");
        if scopes.len() == MOST_SCOPES {
            scopes.clear();
        }
        let scope = Rc::new(scope);
        scopes.insert(text.to_owned(), scope.clone());
        Ok(scope)
    }

    /// How an endorsement itself stands, where this was decided about it. One that is bound to a
    /// version is stale while its subject is another one. Only the present version is kept, so of a
    /// moment before the last change nobody knows.
    fn own_outcome(
        &self,
        record: &EndorsementRecord,
        decided: RecordedStanding,
    ) -> Result<Outcome, RegistryError> {
        self.note_moments(record);
        let moment = self.moment();
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
