//! What an authority has granted to an entity, as trust registries put the question: an accreditor
//! here, or the registry itself, for which every accreditor here speaks.

use super::{Outcome, Registry, RegistryError};
use crate::badges::SubjectKind;
use crate::ids::{EndorsementId, ProfileId};
use crate::store::engine::Read;
use crate::store::tables::{ACHIEVEMENTS, EndorsementRecord};
use crate::time::Timestamp;

/// Who is asked what it has granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The registry: what any accreditor here has granted.
    Registry,
    /// One accreditor.
    Accreditor(ProfileId),
}

/// What is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// To issue: an endorsement of an issuer.
    Issuing,
    /// To endorse others: an endorsement of an accreditor.
    Accrediting,
}

/// A question about a grant.
#[derive(Debug, Clone, Copy)]
pub struct AuthorityQuestion<'a> {
    /// Who is asked.
    pub authority: Authority,
    /// Who has been granted something.
    pub entity: &'a str,
    /// What.
    pub grant: Grant,
    /// As of this moment rather than now.
    pub at: Option<Timestamp>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantAnswer {
    /// The entity's one id here.
    pub entity: String,
    /// The best standing of what was granted; `not-endorsed` where the entity was registered here
    /// then and nothing was granted, `unknown` where nothing is known of it.
    pub outcome: Outcome,
}

impl Registry {
    /// The authority of this id; `None` where it is neither the registry nor an accreditor here.
    pub fn authority(&self, id: &str) -> Result<Option<Authority>, RegistryError> {
        if self.urls().spelled(id) == self.did() {
            return Ok(Some(Authority::Registry));
        }
        let snapshot = self.engine.snapshot();
        let Some(profile) = self.profile_with_id(&*snapshot, id)? else {
            return Ok(None);
        };
        let record = self.profile_record(&*snapshot, profile)?;
        Ok(record.accreditor.then_some(Authority::Accreditor(profile)))
    }

    /// Whether an achievement of this URL is registered here. What lies elsewhere is nobody's to
    /// deny.
    pub fn could_be_achievement(&self, url: &str) -> Result<bool, RegistryError> {
        let url = &*self.urls().spelled(url);
        match self.urls().within("achievements", url).map(str::parse) {
            Some(Ok(id)) => Ok(ACHIEVEMENTS.get(&*self.engine, &id)?.is_some()),
            Some(Err(_)) => Ok(false),
            None => Ok(!self.would_be_ours(url)),
        }
    }

    /// What was granted, by direct endorsements: whether an accreditor that is not asked itself
    /// rests on the one that is, is not looked at.
    pub fn granted(&self, question: AuthorityQuestion<'_>) -> Result<GrantAnswer, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let entity = self.canonical(read, question.entity)?;
        let holder = self.holder(read, &entity, question.at)?;
        let counts = |id: EndorsementId, record: &EndorsementRecord| {
            let asked = match question.authority {
                Authority::Registry => true,
                Authority::Accreditor(accreditor) => id.owner() == accreditor,
            };
            asked && holder.has(question.grant, record)
        };
        let best = self.best(read, &entity, question.at, &counts)?;
        let outcome = match (best, holder) {
            (Some((outcome, ..)), _) => outcome,
            (None, Holder::Here { .. }) => Outcome::NotEndorsed,
            (None, Holder::Elsewhere | Holder::NotYetHere) => Outcome::Unknown,
        };
        Ok(GrantAnswer { entity, outcome })
    }

    fn holder(
        &self,
        read: &dyn Read,
        entity: &str,
        at: Option<Timestamp>,
    ) -> Result<Holder, RegistryError> {
        let Some(profile) = self.profile_with_id(read, entity)? else {
            return Ok(Holder::Elsewhere);
        };
        let record = self.profile_record(read, profile)?;
        Ok(match at {
            Some(at) if at < record.created_at => Holder::NotYetHere,
            // Which roles it had then is told by the endorsements of that time.
            Some(_) => Holder::Here {
                issuer: true,
                accreditor: true,
            },
            None => Holder::Here {
                issuer: record.issuer,
                accreditor: record.accreditor,
            },
        })
    }
}

/// What is known of who may have been granted something.
#[derive(Debug, Clone, Copy)]
enum Holder {
    /// Registered elsewhere: of roles nothing is known, and an endorsement of the profile is one of
    /// an issuer, as everywhere here. Nobody elsewhere is known to be an accreditor.
    Elsewhere,
    /// Registered here after the moment that is asked about.
    NotYetHere,
    /// Registered here, with these roles.
    Here { issuer: bool, accreditor: bool },
}

impl Holder {
    const fn has(self, grant: Grant, record: &EndorsementRecord) -> bool {
        matches!(record.kind, SubjectKind::Profile)
            && match (self, grant) {
                (Self::Here { issuer, .. }, Grant::Issuing) => issuer && record.as_issuer,
                (Self::Here { accreditor, .. }, Grant::Accrediting) => {
                    accreditor && record.as_accreditor
                }
                (Self::Elsewhere, Grant::Issuing) => true,
                (Self::Elsewhere, Grant::Accrediting) | (Self::NotYetHere, _) => false,
            }
    }
}
