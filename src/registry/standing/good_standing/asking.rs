//! One question about many credentials: what it looked up for one serves for the others.

mod party;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::statuses::Statuses;
use super::told::Told;
use super::{Half, StandingAnswer, StatusPart};
use crate::badges::{Need, SubjectKind};
use crate::ids::ProfileId;
use crate::registry::lists::queries::{Claim, CredentialAnswer};
use crate::registry::standing::backing::{Anchors, Question};
use crate::registry::standing::kept::{KeptFor, KeptParty, Named, TRUST};
use crate::registry::standing::links::Links;
use crate::registry::standing::parties::Who;
use crate::registry::{MaySee, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::remembered::Remembered;
use crate::store::tables::{
    ACCREDITORS, CredentialDates, LIST_STATES, LISTS, PROFILES, SPACES, id_digest,
};
use crate::store::watched::Watched;
use crate::time::Timestamp;
use crate::verify::weightiest;

/// Whom and what a question met: issuers and achievements, and for what they are needed.
type Parties = HashMap<(Named, SubjectKind), Met>;

/// What is known of one party.
#[derive(Default)]
struct Met {
    /// From questions before.
    kept: Option<Arc<[KeptParty]>>,
    /// From this one.
    new: Vec<KeptParty>,
}

/// Of one party what is answered for so many needs is looked at again.
const MOST_NEEDS: usize = 8;

pub(super) struct Asking<'a> {
    registry: &'a Registry,
    /// What who stands behind whom is worked out from.
    trust: &'a Watched<'a>,
    links: Links<'a>,
    kept: KeptFor<'a>,
    question: &'a Question,
    now: Timestamp,
    parties: RefCell<Parties>,
    /// What achievements are, by their ids.
    needs: RefCell<HashMap<String, Arc<Need>>>,
}

/// What was said of the ids of credentials, in their order, and what their entries say, where it is
/// asked about the present.
pub(super) struct Said {
    claims: Vec<Vec<Claim>>,
    statuses: Option<Statuses>,
}

impl<'a> Asking<'a> {
    /// A question on a snapshot, which `trust` reads.
    pub(super) fn new(
        registry: &'a Registry,
        trust: &'a Watched<'a>,
        question: &'a Question,
        life: u64,
    ) -> Result<Self, RegistryError> {
        let links = Links::new(registry, trust, question.at);
        let now = links.moment();
        let kept = registry.kept.on(life, trust, (&question.anchors, now));
        let kept = match registry.are_own_anchors(trust, &question.anchors)? {
            true => kept.by_own_anchors(),
            false => kept,
        };
        Ok(Self {
            registry,
            trust,
            links,
            kept: match question.at {
                Some(_) => kept.without(),
                None => kept,
            },
            question,
            now,
            parties: RefCell::default(),
            needs: RefCell::default(),
        })
    }

    /// The tables that [`Asking::new`] has to be told of.
    pub(super) fn trust<'r>(read: &'r dyn Read) -> Watched<'r> {
        Watched::new(read, TRUST)
    }

    /// What was said of the ids of credentials. What that leads to, and who issued them, is read in
    /// a few questions to the store rather than one by one.
    pub(super) fn read_ahead(
        &self,
        read: &Remembered<'_>,
        ids: &[&str],
        may_see: MaySee,
    ) -> Result<Said, RegistryError> {
        let at = self.question.at;
        let claims = self.registry.claims_seen_of(read, ids, at, may_see)?;
        let statuses = match at {
            None => Some(Statuses::read(self.registry, read, &self.kept, &claims)?),
            Some(_) => {
                read_lists_ahead(read, &claims)?;
                None
            }
        };
        let owners = claims.iter().flatten().map(|((_, owner), _)| *owner);
        let mut unknown: Vec<ProfileId> = {
            let mut parties = self.parties.borrow_mut();
            let mut unknown = |owner: &ProfileId| {
                let party = (Named::Profile(*owner), SubjectKind::Profile);
                let met = parties.entry(party);
                let met = met.or_insert_with(|| self.met(party));
                !met.kept
                    .iter()
                    .flat_map(|kept| &**kept)
                    .any(|kept| self.kept.holds(kept))
            };
            owners.filter(&mut unknown).collect()
        };
        unknown.sort_unstable();
        unknown.dedup();
        read.read_ahead(&PROFILES, unknown.iter().copied())?;
        read.read_ahead(&ACCREDITORS, unknown.iter().copied())?;
        let issuers = unknown
            .into_iter()
            .map(|owner| self.links.parties.profile(owner));
        let issuers: Result<Vec<Who>, _> = issuers.collect();
        self.read_behind(&issuers?)?;
        Ok(Said { claims, statuses })
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
        let mut unknown = Vec::new();
        for id in issuers {
            let party = (Named::Id(id_digest(id)), SubjectKind::Profile);
            let mut parties = self.parties.borrow_mut();
            let met = parties.entry(party).or_insert_with(|| self.met(party));
            let mut kept = met.kept.iter().flat_map(|kept| &**kept);
            if !kept.any(|kept| self.kept.holds(kept)) {
                unknown.push(self.links.named(id)?);
            }
        }
        self.read_behind(&unknown)
    }

    /// By what was said of the id at this place.
    pub(super) fn by_id(
        &self,
        read: &Remembered<'_>,
        id: String,
        (said, place): (&Said, usize),
    ) -> Result<StandingAnswer, RegistryError> {
        let claims = &said.claims[place];
        let known = match &said.statuses {
            Some(statuses) => statuses.of(claims)?,
            None => self.statuses_then(read, &id, claims)?,
        };
        let Some((outcome, status)) = known else {
            return Ok(StandingAnswer::unknown(id));
        };
        // Only what the answer was drawn from: that others say something of the id is theirs.
        let [((_, owner), record)] = claims.as_slice() else {
            // Two say something of the id, and nobody knows whose credential is meant.
            return Ok(StandingAnswer {
                status,
                ..StandingAnswer::unknown(id)
            });
        };
        let dates = record.dates.as_ref();
        let own = weightiest([outcome, period(dates, self.now)].into_iter());
        let achievement = record.achievement.as_deref();
        let mut answer = self.answer(Known {
            credential: Some(id),
            verified: None,
            own,
            until: dates.and_then(|dates| dates.valid_until),
            status,
            issuer: Some(Issuer::Here(*owner)),
            achievement,
            need: Needed {
                of_achievement: self.need_of_id(achievement)?,
                awarded: dates.and_then(|dates| dates.awarded.or(dates.valid_from)),
                whole: OnceCell::new(),
            },
        })?;
        if record.dates.is_none() && own == Outcome::Unknown {
            answer.detail =
                "no status stands against it, and from when and until when it holds is \
                             not known here; hand in the credential itself"
                    .into();
        }
        Ok(answer)
    }

    /// How a credential stood at the moment that is asked about, and each of its entries.
    fn statuses_then(
        &self,
        read: &dyn Read,
        id: &str,
        claims: &[Claim],
    ) -> Result<Option<(Outcome, Vec<StatusPart>)>, RegistryError> {
        let at = self.question.at;
        let answer = self.registry.credential_claimed(read, id, claims, at)?;
        let Ok(CredentialAnswer {
            outcome, entries, ..
        }) = answer
        else {
            return Ok(None);
        };
        let parts = entries.into_iter().map(|entry| StatusPart {
            list: Some(entry.list.into()),
            index: Some(entry.index),
            purpose: Some(entry.answer.purpose.as_str().into()),
            status: Some(entry.answer.status),
            outcome: entry.answer.outcome,
        });
        Ok(Some((outcome, parts.collect())))
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
        let mut answer = self.answer(Known {
            credential: told.credential.clone(),
            verified: Some(told.verified),
            own: told.own,
            until: told.until,
            status: told.status.clone(),
            issuer: told.issuer.as_deref().map(Issuer::Named),
            achievement: told.achievement.as_deref(),
            need: Needed::whole(told.need.clone()),
        })?;
        if answer.decided_by == Half::Credential
            && let Some(problem) = &told.problem
        {
            answer.detail = problem.clone().into();
        }
        Ok(answer)
    }

    /// By one entry alone, of a list that belongs to `issuer`; of nobody whom anything is known of, where there
    /// is none.
    pub(super) fn by_entry(
        &self,
        issuer: Option<ProfileId>,
        part: StatusPart,
    ) -> Result<StandingAnswer, RegistryError> {
        let mut answer = self.answer(Known {
            credential: None,
            verified: None,
            own: part.outcome,
            until: None,
            status: vec![part],
            issuer: issuer.map(Issuer::Here),
            achievement: None,
            need: Needed::whole(Arc::default()),
        })?;
        if answer.outcome == Outcome::Active {
            answer.detail =
                "nothing stands against it here, and its issuer is endorsed; whether the document is \
                 genuine was not checked"
                    .into();
        }
        Ok(answer)
    }

    fn answer(&self, known: Known<'_>) -> Result<StandingAnswer, RegistryError> {
        let need = &known.need;
        let issuer = known.issuer.map(|issuer| {
            let (name, who): (_, &dyn Fn() -> _) = match issuer {
                Issuer::Here(owner) => (Named::Profile(owner), &move || {
                    self.links.parties.profile(owner)
                }),
                Issuer::Named(id) => (Named::Id(id_digest(id)), &move || self.links.named(id)),
            };
            self.party((name, SubjectKind::Profile), who, need)
        });
        let issuer = issuer.transpose()?;
        let achievement = known.achievement.map(|id| {
            let party = (Named::Id(id_digest(id)), SubjectKind::Achievement);
            self.party(party, &|| self.links.named(id), need)
        });
        let achievement = achievement.transpose()?;
        let own_achievement = match (&issuer, &achievement) {
            // Somebody else's would lend it nothing.
            (Some(issuer), Some(achievement)) => {
                achievement.made_by.is_some() && achievement.made_by == issuer.profile
            }
            _ => false,
        };
        let behind = achievement
            .as_ref()
            .filter(|party| own_achievement && party.backing.outcome == Outcome::Active);
        let (decided_by, outcome, detail): (_, _, Cow<'static, str>) = match (&issuer, behind) {
            _ if known.own != Outcome::Active => {
                let detail = format!("the credential itself is {}", known.own.as_str());
                (Half::Credential, known.own, detail.into())
            }
            (Some(issuer), _) if issuer.backing.outcome == Outcome::Active => {
                let detail = "in force, and its issuer is endorsed".into();
                (Half::Issuer, Outcome::Active, detail)
            }
            (_, Some(_)) => {
                let detail = "in force, and what was achieved is endorsed".into();
                (Half::Achievement, Outcome::Active, detail)
            }
            (Some(issuer), None) => {
                let detail = format!("of its issuer: {}", issuer.backing.detail);
                (Half::Issuer, issuer.backing.outcome, detail.into())
            }
            (None, None) => {
                let detail = "nothing is known of its issuer".into();
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
            ended: known.until.filter(|until| *until <= self.now),
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

    /// What is known of an achievement by its id alone.
    fn need_of_id(&self, achievement: Option<&str>) -> Result<Arc<Need>, RegistryError> {
        let Some(id) = achievement else {
            return Ok(Arc::default());
        };
        if let Some(known) = self.needs.borrow().get(id) {
            return Ok(known.clone());
        }
        let need = match self.kept.need(id) {
            Some(known) => known,
            None => {
                let (read, at) = (self.links.read, self.question.at);
                let need = self.registry.need_of(read, at, Some(&Value::from(id)))?;
                let need = Arc::new(need);
                if self.trust.kept_to_them() {
                    self.kept.keep_need(id, &need);
                }
                need
            }
        };
        let mut needs = self.needs.borrow_mut();
        needs.insert(id.to_owned(), need.clone());
        Ok(need)
    }

    fn whole<'n>(&self, need: &'n Needed) -> &'n Arc<Need> {
        need.whole.get_or_init(|| {
            Arc::new(Need {
                awarded: need.awarded,
                jurisdiction: self.question.jurisdiction.clone(),
                ..(*need.of_achievement).clone()
            })
        })
    }
}

/// Reads what lies over the index spaces that credentials have entries of.
fn read_lists_ahead(read: &Remembered<'_>, claims: &[Vec<Claim>]) -> Result<(), RegistryError> {
    let carried = || {
        let records = claims.iter().flatten();
        records.flat_map(|(_, record)| &record.entries)
    };
    read.read_ahead(&SPACES, carried().map(|carried| carried.space))?;
    let mut lists = Vec::new();
    for carried in carried() {
        let space = SPACES.get(read, &carried.space)?;
        let planes = space.into_iter().flat_map(|space| space.planes);
        lists.extend(planes.map(|plane| plane.list));
    }
    read.read_ahead(&LISTS, lists.iter().copied())?;
    read.read_ahead(&LIST_STATES, lists)?;
    Ok(())
}

/// What is known of a credential before its endorsers are asked for.
struct Known<'k> {
    credential: Option<String>,
    verified: Option<bool>,
    own: Outcome,
    /// Until when it holds.
    until: Option<Timestamp>,
    status: Vec<StatusPart>,
    issuer: Option<Issuer<'k>>,
    achievement: Option<&'k str>,
    need: Needed,
}

/// Who issued a credential.
#[derive(Clone, Copy)]
enum Issuer<'k> {
    /// One that is registered here.
    Here(ProfileId),
    /// By an id.
    Named(&'k str),
}

/// What the issuer of a credential has to be endorsed for. Mostly nobody asks.
struct Needed {
    of_achievement: Arc<Need>,
    awarded: Option<Timestamp>,
    whole: OnceCell<Arc<Need>>,
}

impl Needed {
    fn whole(need: Arc<Need>) -> Self {
        Self {
            of_achievement: need.clone(),
            awarded: need.awarded,
            whole: OnceCell::from(need),
        }
    }
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
