//! What a decision about an accreditor or an endorsement would do to everything that rests on it,
//! before it is made. Nothing is written.

use std::collections::BTreeSet;

use super::backing::{Anchors, Question};
use super::links::{Links, Supposed};
use crate::ids::{EndorsementId, ProfileId, Slug};
use crate::registry::endorsements::accreditors::{decide, outcome};
use crate::registry::endorsements::check_action;
use crate::registry::standing::ids_by_owner;
use crate::registry::{
    AccreditorAction, Actor, EndorsementAction, Outcome, Registry, RegistryError,
};
use crate::store::engine::Read;
use crate::store::tables::{ENDORSEMENTS, Origin};

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
        let (before, after) = self.both(&*read, Supposed::Accreditor(id, supposed));
        Cascade::new(&before, &after, self.question()?).of_accreditor(id)
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
        actor.must_speak_for(id.owner())?;
        check_action(&record, action)?;
        let standing = action.standing();
        let (before, after) = self.both(&*read, Supposed::Endorsement(id, standing));
        Cascade::new(&before, &after, self.question()?).of_endorsement(id)
    }

    fn both<'a>(&'a self, read: &'a dyn Read, supposed: Supposed) -> (Links<'a>, Links<'a>) {
        let before = Links::new(self, read, None);
        let after = Links::new(self, read, None).supposing(supposed);
        (before, after)
    }
}

struct Cascade<'l, 'a> {
    before: &'l Links<'a>,
    after: &'l Links<'a>,
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

impl<'l, 'a> Cascade<'l, 'a> {
    fn new(before: &'l Links<'a>, after: &'l Links<'a>, question: Question) -> Self {
        Self {
            before,
            after,
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
        let record = self.before.registry.profile_record(self.before.read, id)?;
        self.subjects.insert(record.issuer_id);
        self.endorsed_by(id)?;
        self.finish()
    }

    fn of_endorsement(mut self, id: EndorsementId) -> Result<Affected, RegistryError> {
        self.endorsement(id)?;
        self.decided = Some(id);
        self.finish()
    }

    /// Looks at what rests on accreditors that rest on the decision, and then at every subject.
    fn finish(mut self) -> Result<Affected, RegistryError> {
        while let Some(next) = self.accreditors.pop() {
            self.endorsed_by(next)?;
        }
        for subject in std::mem::take(&mut self.subjects) {
            let registry = self.before.registry;
            let before = registry
                .backing(self.before, &subject, &self.question)?
                .outcome;
            let after = registry
                .backing(self.after, &subject, &self.question)?
                .outcome;
            if before == after {
                continue;
            }
            self.found.subjects += 1;
            if self.found.shown.len() < MOST_TOLD {
                self.found.shown.push(AffectedSubject {
                    subject,
                    before,
                    after,
                });
            }
        }
        Ok(self.found)
    }

    fn endorsed_by(&mut self, accreditor: ProfileId) -> Result<(), RegistryError> {
        let mut after = None;
        loop {
            let page = ids_by_owner(self.before.read, Some(accreditor), after, PAGE)?;
            for id in &page {
                if self.looked_at == MOST_LOOKED_AT {
                    self.found.more = true;
                    return Ok(());
                }
                self.looked_at += 1;
                if self.decided != Some(*id) {
                    self.endorsement(*id)?;
                }
            }
            after = page.last().copied();
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// What somebody elsewhere endorsed is among the imports.
    fn endorsed_elsewhere_by(&mut self, endorser: &str) -> Result<(), RegistryError> {
        let mut after = None;
        loop {
            let page = ids_by_owner(self.before.read, Some(ProfileId::REGISTRY), after, PAGE)?;
            let records = ENDORSEMENTS.multi_get(self.before.read, &page)?;
            for (id, record) in page.iter().zip(records) {
                if self.looked_at == MOST_LOOKED_AT {
                    self.found.more = true;
                    return Ok(());
                }
                self.looked_at += 1;
                let origin = record.map(|record| record.origin);
                if let Some(Origin::Imported(imported)) = origin
                    && imported.endorser == endorser
                {
                    self.endorsement(*id)?;
                }
            }
            after = page.last().copied();
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn endorsement(&mut self, id: EndorsementId) -> Result<(), RegistryError> {
        let Some(record) = ENDORSEMENTS.get(self.before.read, &id)? else {
            return Ok(());
        };
        let before = self.before.link(id, record.clone())?;
        let after = self.after.link(id, record)?;
        self.found.endorsements += usize::from(before.outcome() != after.outcome());
        let subject = before.record.subject.clone();
        // Where every accreditor is an anchor, nobody's endorsements rest on another's.
        if self.question.anchors != Anchors::Registered {
            let registry = self.before.registry;
            match registry.profile_with_id(self.before.read, &subject)? {
                Some(profile) if before.carries(false) && self.known.insert(profile) => {
                    self.accreditors.push(profile);
                }
                None if before.carries(true) && self.elsewhere.insert(subject.clone()) => {
                    self.endorsed_elsewhere_by(&subject)?;
                }
                _ => {}
            }
        }
        self.subjects.insert(subject);
        Ok(())
    }
}
