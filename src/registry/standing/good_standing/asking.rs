//! One question about many credentials: what it looked up for one serves for the others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::told::{Told, need_of};
use super::{Endorsed, Half, MOST_SHOWN, Party, StandingAnswer, StatusPart};
use crate::badges::{Need, Role, SubjectKind};
use crate::ids::AchievementId;
use crate::registry::lists::queries::{Claim, CredentialAnswer};
use crate::registry::standing::backing::{Anchors, Backing, Question, Wanted};
use crate::registry::standing::links::{Link, Links};
use crate::registry::standing::parties::Who;
use crate::registry::standing::seen::ByNeed;
use crate::registry::{MaySee, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::remembered::Remembered;
use crate::store::tables::{
    ACCREDITORS, ACHIEVEMENTS, CredentialDates, CredentialRecord, LIST_STATES, LISTS, PROFILES,
    SPACES,
};
use crate::time::Timestamp;
use crate::verify::weightiest;

/// Issuers and achievements, by what they are and for what they are needed.
type Parties = HashMap<(Who, SubjectKind), ByNeed<Arc<Party>>>;

pub(super) struct Asking<'a> {
    registry: &'a Registry,
    links: Links<'a>,
    question: &'a Question,
    now: Timestamp,
    parties: RefCell<Parties>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(registry: &'a Registry, read: &'a dyn Read, question: &'a Question) -> Self {
        Self {
            registry,
            links: Links::new(registry, read, question.at),
            question,
            now: question.at.unwrap_or_else(|| registry.now()),
            parties: RefCell::default(),
        }
    }

    /// What was said of the ids of credentials, in their order. What that leads to, and who issued
    /// them, is read in a few questions to the store rather than one by one.
    pub(super) fn read_ahead(
        &self,
        read: &Remembered<'_>,
        ids: &[&str],
        may_see: MaySee,
    ) -> Result<Vec<Vec<Claim>>, RegistryError> {
        let found = self
            .registry
            .claims_seen_of(read, ids, self.question.at, may_see)?;
        let claims = || found.iter().flatten();
        let owners = || claims().map(|((_, owner), _)| *owner);
        let carried = || claims().flat_map(|(_, record)| &record.entries);
        read.read_ahead(&PROFILES, owners())?;
        read.read_ahead(&ACCREDITORS, owners())?;
        read.read_ahead(&SPACES, carried().map(|carried| carried.space))?;
        let mut lists = Vec::new();
        for carried in carried() {
            let space = SPACES.get(read, &carried.space)?;
            let planes = space.into_iter().flat_map(|space| space.planes);
            lists.extend(planes.map(|plane| plane.list));
        }
        read.read_ahead(&LISTS, lists.iter().copied())?;
        read.read_ahead(&LIST_STATES, lists)?;
        let issuers: Result<Vec<Who>, _> = owners()
            .map(|owner| self.links.parties.profile(owner))
            .collect();
        self.read_behind(&issuers?)?;
        Ok(found)
    }

    /// Reads who stands behind these: who endorses them, and where the asker named whom it trusts,
    /// which is rarely these, who endorses those.
    fn read_behind(&self, issuers: &[Who]) -> Result<(), RegistryError> {
        self.links.read_ahead(issuers)?;
        if let Anchors::These(anchors) = &self.question.anchors {
            let mut endorsers = self.links.endorsers_read(issuers);
            endorsers.retain(|who| !anchors.contains(who.id()));
            self.links.read_ahead(&endorsers)?;
        }
        Ok(())
    }

    /// Reads who stands behind those who issued documents, in a few questions to the store.
    pub(super) fn read_issuers_ahead<'i>(
        &self,
        issuers: impl Iterator<Item = &'i str>,
    ) -> Result<(), RegistryError> {
        let issuers: Result<Vec<Who>, _> = issuers.map(|id| self.links.named(id)).collect();
        self.read_behind(&issuers?)
    }

    /// By what was said of its id.
    pub(super) fn by_id(
        &self,
        id: &str,
        claims: &[Claim],
    ) -> Result<StandingAnswer, RegistryError> {
        let (read, at) = (self.links.read, self.question.at);
        let answer = self.registry.credential_claimed(read, id, claims, at)?;
        let Ok(CredentialAnswer {
            outcome, entries, ..
        }) = answer
        else {
            return Ok(StandingAnswer::unknown(id));
        };
        let status = entries
            .into_iter()
            .map(|entry| StatusPart {
                list: Some(entry.list),
                index: Some(entry.index),
                purpose: Some(entry.answer.purpose.as_str().to_owned()),
                status: Some(entry.answer.status),
                outcome: entry.answer.outcome,
            })
            .collect();
        // Only what the answer was drawn from: that others say something of the id is theirs.
        let [((_, owner), record)] = claims else {
            // Two say something of the id, and nobody knows whose credential is meant.
            return Ok(StandingAnswer {
                status,
                ..StandingAnswer::unknown(id)
            });
        };
        let issuer = self.links.parties.profile(*owner)?;
        let own = weightiest([outcome, period(record.dates.as_ref(), self.now)].into_iter());
        let need = self.need_of_record(record)?;
        let achievement = record.achievement.as_deref();
        let mut answer = self.answer(Known {
            credential: Some(id.to_owned()),
            verified: None,
            own,
            until: record.dates.as_ref().and_then(|dates| dates.valid_until),
            status,
            issuer: Some(issuer),
            achievement: achievement.map(|id| self.links.named(id)).transpose()?,
            need,
        })?;
        if record.dates.is_none() && own == Outcome::Unknown {
            answer.detail =
                "no status stands against it, and from when and until when it holds is \
                             not known here; hand in the credential itself"
                    .to_owned();
        }
        Ok(answer)
    }

    /// A document, and those within it by their JSON pointer.
    pub(super) fn by_document_with(
        &self,
        whole: &Told,
        nested: &[(String, Told)],
    ) -> Result<StandingAnswer, RegistryError> {
        let mut answer = self.by_document(whole)?;
        for (at, inner) in nested {
            answer.nested.push((at.clone(), self.by_document(inner)?));
        }
        Ok(answer)
    }

    fn by_document(&self, told: &Told) -> Result<StandingAnswer, RegistryError> {
        let named = |id: &Option<String>| id.as_deref().map(|id| self.links.named(id)).transpose();
        let mut answer = self.answer(Known {
            credential: told.credential.clone(),
            verified: Some(told.verified),
            own: told.own,
            until: told.until,
            status: told.status.clone(),
            issuer: named(&told.issuer)?,
            achievement: named(&told.achievement)?,
            need: told.need.clone(),
        })?;
        if answer.decided_by == Half::Credential
            && let Some(problem) = &told.problem
        {
            answer.detail = problem.clone();
        }
        Ok(answer)
    }

    fn answer(&self, known: Known) -> Result<StandingAnswer, RegistryError> {
        let need = &known.need;
        let issuer = known
            .issuer
            .map(|who| self.party(who, SubjectKind::Profile, need))
            .transpose()?;
        let achievement = known
            .achievement
            .map(|who| self.party(who, SubjectKind::Achievement, need))
            .transpose()?;
        let own_achievement = match (&issuer, &achievement) {
            (Some(issuer), Some(achievement)) => self.makes(&issuer.id, &achievement.id)?,
            _ => false,
        };
        let behind = achievement
            .as_ref()
            .filter(|party| own_achievement && party.backing.outcome == Outcome::Active);
        let (decided_by, outcome, detail) = match (&issuer, behind) {
            _ if known.own != Outcome::Active => {
                let detail = format!("the credential itself is {}", known.own.as_str());
                (Half::Credential, known.own, detail)
            }
            (Some(issuer), _) if issuer.backing.outcome == Outcome::Active => {
                let detail = "in force, and its issuer is endorsed".to_owned();
                (Half::Issuer, Outcome::Active, detail)
            }
            (_, Some(_)) => {
                let detail = "in force, and what was achieved is endorsed".to_owned();
                (Half::Achievement, Outcome::Active, detail)
            }
            (Some(issuer), None) => {
                let detail = format!("of its issuer: {}", issuer.backing.detail);
                (Half::Issuer, issuer.backing.outcome, detail)
            }
            (None, None) => {
                let detail = "nothing is known of its issuer".to_owned();
                (Half::Issuer, Outcome::Unknown, detail)
            }
        };
        let ends = [&issuer, &achievement].into_iter().flatten();
        let until = ends
            .filter(|party| party.backing.outcome == Outcome::Active)
            .filter_map(|party| party.until)
            .chain(known.until.filter(|until| *until > self.now))
            .min();
        Ok(StandingAnswer {
            credential: known.credential,
            until,
            outcome,
            decided_by,
            detail,
            verified: known.verified,
            status: known.status,
            issuer,
            achievement,
            nested: Vec::new(),
        })
    }

    /// Whether an achievement is the issuer's own: somebody else's would lend it nothing.
    fn makes(&self, issuer: &str, achievement: &str) -> Result<bool, RegistryError> {
        let id = self.registry.urls().within("achievements", achievement);
        let Some(Ok(id)) = id.map(str::parse::<AchievementId>) else {
            return Ok(false);
        };
        let issuer = self.links.who(issuer);
        let owner = self.links.parties.here(&issuer)?.map(|here| here.profile);
        Ok(owner == Some(id.owner()) && ACHIEVEMENTS.get(self.links.read, &id)?.is_some())
    }

    fn party(&self, who: Who, kind: SubjectKind, need: &Need) -> Result<Arc<Party>, RegistryError> {
        let key = (who, kind);
        if let Some(known) = self.parties.borrow().get(&key)
            && let Some((_, party)) = known.get(Some(need))
        {
            return Ok(party);
        }
        let wanted = Wanted {
            kind: Some(kind),
            role: (kind == SubjectKind::Profile).then_some(Role::Issuer),
            need: Some(need),
        };
        let (backing, limits) =
            self.registry
                .backing_for(&self.links, &key.0, self.question, wanted)?;
        let party = Arc::new(self.told(&key.0, backing)?);
        let mut parties = self.parties.borrow_mut();
        let known = parties.entry(key).or_default();
        known.keep(Some(need), limits, party.clone());
        Ok(party)
    }

    /// What is told of an issuer or an achievement that stands like this.
    fn told(&self, who: &Who, backing: Backing) -> Result<Party, RegistryError> {
        let known = self.links.of(who)?;
        let mut shown: Vec<(_, &Link)> = known.links.iter().map(|it| (it.rank(), it)).collect();
        shown.sort_by_key(|(rank, _)| *rank);
        let endorsements = shown.iter().take(MOST_SHOWN).map(|(_, link)| Endorsed {
            id: link.id,
            endorser: link.endorser.id().to_owned(),
            name: link.endorser_name().map(str::to_owned),
            outcome: link.outcome(),
        });
        Ok(Party {
            until: self.links.end_of(&backing.path)?,
            name: match self.links.parties.here(who)? {
                Some(here) => Some(here.name.clone()),
                None => self.registry.achievement_name(self.links.read, who.id())?,
            },
            backing,
            endorsements: endorsements.collect(),
            more: known.more || known.links.len() > MOST_SHOWN,
            id: who.id().to_owned(),
        })
    }

    /// What the issuer of a credential has to be endorsed for.
    fn need_of_record(&self, record: &CredentialRecord) -> Result<Need, RegistryError> {
        let achievement = record.achievement.as_deref().map(Value::from);
        let dates = record.dates.as_ref();
        let (registry, read) = (self.registry, self.links.read);
        Ok(Need {
            awarded: dates.and_then(|dates| dates.awarded.or(dates.valid_from)),
            ..need_of(registry, read, self.question, achievement.as_ref())?
        })
    }
}

/// What is known of a credential before its endorsers are asked for.
struct Known {
    credential: Option<String>,
    verified: Option<bool>,
    own: Outcome,
    /// Until when it holds.
    until: Option<Timestamp>,
    status: Vec<StatusPart>,
    issuer: Option<Who>,
    achievement: Option<Who>,
    need: Need,
}

/// How a credential stands by its dates. Without them nobody knows whether it is over.
fn period(dates: Option<&CredentialDates>, at: Timestamp) -> Outcome {
    match dates {
        None => Outcome::Unknown,
        Some(dates) if dates.valid_from.is_some_and(|from| at < from) => Outcome::NotYetValid,
        Some(dates) if dates.valid_until.is_some_and(|until| until <= at) => Outcome::Expired,
        _ => Outcome::Active,
    }
}
