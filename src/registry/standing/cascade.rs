//! What a decision about an accreditor or an endorsement would do to everything that rests on it,
//! before it is made. Nothing is written.

use std::collections::BTreeSet;

use super::backing::{Anchors, Question};
use super::good_standing::on_every_core;
use super::links::{Links, Supposed, carries};
use crate::access::Action;
use crate::badges::SubjectKind;
use crate::ids::{EndorsementId, ProfileId, Slug};
use crate::registry::endorsements::accreditors::{decide, outcome};
use crate::registry::endorsements::check_action;
use crate::registry::profiles::id_digest;
use crate::registry::{
    AccreditorAction, Actor, EndorsementAction, Outcome, Registry, RegistryError,
};
use crate::store::engine::Read;
use crate::store::tables::{
    Digest, ENDORSEMENTS, ENDORSEMENTS_BY_SUBJECT, EndorsementRecord, Origin,
};

/// What would be affected.
#[derive(Debug, Clone, Default)]
pub struct Affected {
    /// How many endorsements would stand otherwise than now.
    pub endorsements: usize,
    /// How many subjects would stand otherwise than now.
    pub subjects: usize,
    /// The first of those subjects, at most 100.
    pub shown: Vec<AffectedSubject>,
    /// Whether more rests on it than was looked at, so that the numbers are the least.
    pub more: bool,
}

/// A subject that would stand otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedSubject {
    /// Its id.
    pub subject: String,
    /// How it stands.
    pub before: Outcome,
    /// How it would stand.
    pub after: Outcome,
}

/// So many subjects are told by name.
const MOST_TOLD: usize = 100;

/// So many endorsements are looked at.
const MOST_LOOKED_AT: usize = 200_000;

/// How many rows are looked at in one go.
const PAGE: usize = 1_024;

/// How many subjects are looked at in one go.
const PART: usize = 4_096;

impl Registry {
    /// What [`Registry::change_accreditor`] would affect.
    ///
    /// # Errors
    /// As that.
    pub fn accreditor_dry_run(
        &self,
        actor: Actor,
        slug: &Slug,
        action: AccreditorAction,
    ) -> Result<Affected, RegistryError> {
        let read = self.engine.snapshot();
        let id = self.profile_id(&*read, slug)?;
        actor.must_operate()?;
        let present = self.accreditor(&*read, id)?.standing(None);
        let supposed = decide(slug, present, action)?.map_or(present, outcome);
        let supposed = Supposed::Accreditor(id, supposed);
        Cascade::new(self, &*read, supposed, self.question()?).of_accreditor(id)
    }

    /// What [`Registry::change_endorsement`] would affect.
    ///
    /// # Errors
    /// As that.
    pub fn endorsement_dry_run(
        &self,
        actor: Actor,
        id: EndorsementId,
        action: EndorsementAction,
    ) -> Result<Affected, RegistryError> {
        let read = self.engine.snapshot();
        let record = self.endorsement_record(&*read, id)?;
        actor.must(Action::WriteEndorsements, id.owner())?;
        check_action(&record, action)?;
        let standing = action.standing();
        let supposed = Supposed::Endorsement(id, standing);
        Cascade::new(self, &*read, supposed, self.question()?).of_endorsement(id, record)
    }
}

struct Cascade<'a> {
    now_and_then: Both<'a>,
    question: Question,
    /// The endorsement that it is about, which is looked at once.
    decided: Option<EndorsementId>,
    /// Those whose endorsements rest on the decision, and of whom that is not yet worked out.
    accreditors: Vec<ProfileId>,
    known: BTreeSet<ProfileId>,
    /// The same of those who are not registered here.
    elsewhere: BTreeSet<String>,
    subjects: BTreeSet<String>,
    looked_at: usize,
    found: Affected,
}

impl<'a> Cascade<'a> {
    fn new(
        registry: &'a Registry,
        read: &'a dyn Read,
        supposed: Supposed,
        question: Question,
    ) -> Self {
        Self {
            now_and_then: Both::new(registry, read, supposed),
            question,
            decided: None,
            accreditors: Vec::new(),
            known: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            subjects: BTreeSet::new(),
            looked_at: 0,
            found: Affected::default(),
        }
    }

    fn of_accreditor(mut self, id: ProfileId) -> Result<Affected, RegistryError> {
        self.known.insert(id);
        // Where it is an anchor, it is one that stands otherwise.
        let Both { registry, read, .. } = self.now_and_then;
        self.subjects
            .insert(registry.profile_record(read, id)?.issuer_id);
        self.endorsed_by(id)?;
        self.finish()
    }

    fn of_endorsement(
        mut self,
        id: EndorsementId,
        record: EndorsementRecord,
    ) -> Result<Affected, RegistryError> {
        self.endorsement(id, record)?;
        self.decided = Some(id);
        self.finish()
    }

    /// Looks at what rests on accreditors that rest on the decision, and then at every subject, on
    /// every core.
    fn finish(mut self) -> Result<Affected, RegistryError> {
        while let Some(next) = self.accreditors.pop() {
            self.endorsed_by(next)?;
        }
        // In the order in which the store has them, so that neighbours are read together.
        let mut subjects: Vec<String> = std::mem::take(&mut self.subjects).into_iter().collect();
        subjects.sort_by_cached_key(|subject| id_digest(subject));
        let Both {
            registry,
            read,
            supposed,
            ..
        } = self.now_and_then;
        let question = &self.question;
        let parts: Vec<&[String]> = subjects.chunks(PART).collect();
        let parts = on_every_core(parts, |part| {
            Both::new(registry, read, supposed).changed(part, question)
        });
        let mut changed: Vec<AffectedSubject> = Vec::new();
        for part in parts {
            changed.extend(part?);
        }
        changed.sort_unstable_by(|one, other| one.subject.cmp(&other.subject));
        self.found.subjects = changed.len();
        changed.truncate(MOST_TOLD);
        self.found.shown = changed;
        Ok(self.found)
    }

    fn endorsed_by(&mut self, accreditor: ProfileId) -> Result<(), RegistryError> {
        self.each_of(accreditor, |cascade, id, record| {
            match cascade.decided == Some(id) {
                true => Ok(()),
                false => cascade.endorsement(id, record),
            }
        })
    }

    /// What somebody elsewhere endorsed is among the imports.
    fn endorsed_elsewhere_by(&mut self, endorser: &str) -> Result<(), RegistryError> {
        self.each_of(ProfileId::REGISTRY, |cascade, id, record| {
            match &record.origin {
                Origin::Imported(imported) if imported.endorser == endorser => {
                    cascade.endorsement(id, record)
                }
                _ => Ok(()),
            }
        })
    }

    /// Looks at each endorsement of an owner, as far as may be looked.
    fn each_of(
        &mut self,
        owner: ProfileId,
        look: impl Fn(&mut Self, EndorsementId, EndorsementRecord) -> Result<(), RegistryError>,
    ) -> Result<(), RegistryError> {
        let mut after = None;
        loop {
            let prefix = owner.0.to_be_bytes();
            let page = ENDORSEMENTS.scan(self.now_and_then.read, &prefix, after.as_ref(), PAGE)?;
            let (last, rows) = (page.last().map(|(id, _)| *id), page.len());
            for (id, record) in page {
                if self.looked_at == MOST_LOOKED_AT {
                    self.found.more = true;
                    return Ok(());
                }
                self.looked_at += 1;
                look(self, id, record)?;
            }
            after = last;
            if rows < PAGE {
                return Ok(());
            }
        }
    }

    fn endorsement(
        &mut self,
        id: EndorsementId,
        record: EndorsementRecord,
    ) -> Result<(), RegistryError> {
        let (before, after) = self.now_and_then.outcomes(id, &record)?;
        self.found.endorsements += usize::from(before != after);
        // Where every accreditor is an anchor, nobody's endorsements rest on another's.
        if self.question.anchors != Anchors::Registered && record.kind == SubjectKind::Profile {
            let Both { registry, read, .. } = self.now_and_then;
            match registry.profile_with_id(read, &record.subject)? {
                Some(profile) if record.as_accreditor && self.known.insert(profile) => {
                    self.accreditors.push(profile);
                }
                None if carries(&record, record.scope()?.as_ref(), true)
                    && self.elsewhere.insert(record.subject.clone()) =>
                {
                    self.endorsed_elsewhere_by(&record.subject)?;
                }
                _ => {}
            }
        }
        self.subjects.insert(record.subject);
        Ok(())
    }
}

/// The endorsements as they are, and as they would be after the decision.
struct Both<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    supposed: Supposed,
    before: Links<'a>,
    after: Links<'a>,
}

/// So many endorsements of a subject are looked at without a search first, and then so many. Those
/// issued here are the first that a search looks at, too.
const LOOKED_AT_FIRST: [usize; 2] = [2, 64];

/// Of so many subjects together.
const READ_TOGETHER: usize = 256;

impl<'a> Both<'a> {
    fn new(registry: &'a Registry, read: &'a dyn Read, supposed: Supposed) -> Self {
        Self {
            registry,
            read,
            supposed,
            before: Links::new(registry, read, None),
            after: Links::new(registry, read, None).supposing(supposed),
        }
    }

    /// How an endorsement stands, and would stand.
    fn outcomes(
        &self,
        id: EndorsementId,
        record: &EndorsementRecord,
    ) -> Result<(Outcome, Outcome), RegistryError> {
        let endorser = self.before.endorser(id, record)?;
        let before = self.before.weight(id, record, &endorser)?;
        let after = self.after.weight(id, record, &endorser)?;
        Ok((before.outcome(), after.outcome()))
    }

    /// Those of the subjects that would stand otherwise.
    fn changed(
        &self,
        subjects: &[String],
        question: &Question,
    ) -> Result<Vec<AffectedSubject>, RegistryError> {
        let mut changed = Vec::new();
        for subject in self.in_doubt(subjects, question)? {
            let outcome = |links: &Links<'_>| {
                let who = links.who(subject);
                Ok::<_, RegistryError>(self.registry.backing(links, &who, question)?.outcome)
            };
            let (before, after) = (outcome(&self.before)?, outcome(&self.after)?);
            if before != after {
                let subject = subject.clone();
                changed.push(AffectedSubject {
                    subject,
                    before,
                    after,
                });
            }
        }
        Ok(changed)
    }

    /// The subjects but for those that surely stand before and after: one of the first endorsements
    /// of those is by an anchor, and in force both ways. A search takes such a way where there is
    /// one, so it need not be made.
    fn in_doubt<'s>(
        &self,
        subjects: &'s [String],
        question: &Question,
    ) -> Result<Vec<&'s String>, RegistryError> {
        let mut in_doubt: Vec<&String> = subjects.iter().collect();
        for most in LOOKED_AT_FIRST {
            let mut left = Vec::new();
            for group in in_doubt.chunks(READ_TOGETHER) {
                let digests: Vec<_> = group.iter().map(|subject| id_digest(subject)).collect();
                let found = ENDORSEMENTS_BY_SUBJECT.scan_each(self.read, &digests, most)?;
                for (subject, rows) in group.iter().zip(found) {
                    if !self.surely_stands(subject, &rows, question)? {
                        left.push(*subject);
                    }
                }
            }
            in_doubt = left;
        }
        Ok(in_doubt)
    }

    /// Whether one of the endorsements of a subject is by an anchor here that is an accreditor in
    /// force both ways, and in force itself.
    fn surely_stands(
        &self,
        subject: &str,
        rows: &[((Digest, EndorsementId), EndorsementRecord)],
        question: &Question,
    ) -> Result<bool, RegistryError> {
        for ((_, id), record) in rows {
            if id.owner() == ProfileId::REGISTRY {
                continue;
            }
            let endorser = self.before.parties.profile(id.owner())?;
            let is_anchor = match &question.anchors {
                Anchors::Registered => endorser.id() != subject,
                Anchors::These(ids) => ids.contains(endorser.id()),
            };
            let active = Some(Outcome::Active);
            if is_anchor
                && self.before.accreditor(&endorser)? == active
                && self.after.accreditor(&endorser)? == active
                && self.outcomes(*id, record)? == (Outcome::Active, Outcome::Active)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
