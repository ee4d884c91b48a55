//! What an authority has granted to an entity, as trust registries put the question: an accreditor
//! here, or the registry itself, for which its trust anchors speak, and whoever they stand behind.

use super::backing::{Anchors, Question, Wanted};
use super::links::Links;
use crate::badges::{Need, Role, SubjectKind};
use crate::ids::ProfileId;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::ACHIEVEMENTS;
use crate::time::Timestamp;

/// Who is asked what it has granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The registry: what was granted on a path to one of its trust anchors.
    Registry,
    /// One accreditor: what was granted on a path to it.
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

/// For what something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// For everything: what is limited to anything does not cover that.
    Everything,
    /// For achievements of this type.
    Type(&'a str),
    /// For this achievement.
    Achievement(&'a str),
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
    /// For what.
    pub resource: Resource<'a>,
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
    /// The authority of this id; `None` where it is neither the registry nor somebody who is, or
    /// was, an accreditor here.
    pub fn authority(&self, id: &str) -> Result<Option<Authority>, RegistryError> {
        if self.urls().spelled(id) == self.did() {
            return Ok(Some(Authority::Registry));
        }
        let snapshot = self.engine.snapshot();
        let Some(profile) = self.profile_with_id(&*snapshot, id)? else {
            return Ok(None);
        };
        let standing = self.accreditor(&*snapshot, profile)?.standing(None);
        Ok((standing != Outcome::NotEndorsed).then_some(Authority::Accreditor(profile)))
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

    /// What was granted, by whoever stands behind the entity on a path to the authority. An entity
    /// grants nothing to itself.
    pub fn granted(&self, question: AuthorityQuestion<'_>) -> Result<GrantAnswer, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let entity = self.canonical(read, question.entity)?;
        let role = match question.grant {
            Grant::Issuing => Role::Issuer,
            Grant::Accrediting => Role::Accreditor,
        };
        if let Some(outcome) = self.outcome_without_asking(read, &entity, question)? {
            return Ok(GrantAnswer { entity, outcome });
        }
        let anchors = match question.authority {
            Authority::Registry => self.anchors(None)?,
            Authority::Accreditor(id) => {
                Anchors::These([self.profile_record(read, id)?.issuer_id].into())
            }
        };
        let asked = Question {
            at: question.at,
            anchors,
            ..Question::default()
        };
        let need = self.need_for(read, &question)?;
        let wanted = Wanted {
            kind: Some(SubjectKind::Profile),
            role: Some(role),
            need: Some(&need),
        };
        let links = Links::new(self, read, question.at);
        let (backing, _) = self.backing_for(&links, &links.who(&entity), &asked, wanted)?;
        let outcome = backing.outcome;
        Ok(GrantAnswer { entity, outcome })
    }

    /// The outcome where no endorsement decides it.
    fn outcome_without_asking(
        &self,
        read: &dyn Read,
        entity: &str,
        question: AuthorityQuestion<'_>,
    ) -> Result<Option<Outcome>, RegistryError> {
        let Some(profile) = self.profile_with_id(read, entity)? else {
            return Ok(None);
        };
        let record = self.profile_record(read, profile)?;
        Ok(match question.at {
            _ if question.authority == Authority::Accreditor(profile) => Some(Outcome::NotEndorsed),
            Some(at) if at < record.created_at => Some(Outcome::Unknown),
            _ => None,
        })
    }

    fn need_for(
        &self,
        read: &dyn Read,
        question: &AuthorityQuestion<'_>,
    ) -> Result<Need, RegistryError> {
        let of_nothing = || Need {
            achievement_types: Some(Vec::new()),
            tags: Some(Vec::new()),
            alignments: Some(Vec::new()),
            ..Need::default()
        };
        let need = match question.resource {
            Resource::Everything => of_nothing(),
            Resource::Type(name) => Need {
                achievement_types: Some(vec![name.to_owned()]),
                ..of_nothing()
            },
            Resource::Achievement(url) => match self.achievement_at(read, url)? {
                Some(view) => Need::of_achievement(&view.document),
                None => Need::default(),
            },
        };
        Ok(Need {
            // What is issued then is awarded then.
            awarded: Some(question.at.unwrap_or_else(|| self.now())),
            ..need
        })
    }
}
