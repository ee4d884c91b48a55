//! One question about many credentials: what it looked up for one serves for the others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::{Endorsed, Half, Looked, MOST_SHOWN, Party, StandingAnswer, StatusPart};
use crate::badges::{Need, Role, SubjectKind};
use crate::ids::AchievementId;
use crate::json::each;
use crate::registry::lists::queries::CredentialAnswer;
use crate::registry::standing::backing::{Question, Wanted};
use crate::registry::standing::links::{Link, Links};
use crate::registry::{MaySee, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{ACHIEVEMENTS, CredentialDates, CredentialRecord};
use crate::time::Timestamp;
use crate::verify::{StatusReport, weightiest};

/// Issuers and achievements, by id and kind.
type Parties = HashMap<(String, SubjectKind), Rc<Party>>;

pub(super) struct Asking<'a> {
    registry: &'a Registry,
    links: Links<'a>,
    question: &'a Question,
    now: Timestamp,
    /// Those whose standing is the same whatever they are needed for.
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

    pub(super) fn by_id(&self, id: &str, may_see: MaySee) -> Result<StandingAnswer, RegistryError> {
        let read = self.links.read;
        let answer = self
            .registry
            .read_credential(read, id, None, self.question.at, may_see)?;
        let Ok(CredentialAnswer {
            outcome, entries, ..
        }) = answer
        else {
            return Ok(StandingAnswer::unknown(id));
        };
        let status = entries
            .iter()
            .map(|entry| StatusPart {
                list: Some(entry.list.clone()),
                index: Some(entry.index),
                purpose: Some(entry.answer.purpose.as_str().to_owned()),
                status: Some(entry.answer.status),
                outcome: entry.answer.outcome,
            })
            .collect();
        // Only what the answer was drawn from: that others say something of the id is theirs.
        let rows = self
            .registry
            .claims_seen(read, id, None, self.question.at, may_see)?;
        let [((_, owner), record)] = rows.as_slice() else {
            // Two say something of the id, and nobody knows whose credential is meant.
            return Ok(StandingAnswer {
                status,
                ..StandingAnswer::unknown(id)
            });
        };
        let issuer = self.registry.profile_record(read, *owner)?.issuer_id;
        let own = weightiest([outcome, period(record.dates.as_ref(), self.now)].into_iter());
        let need = self.need_of_record(record)?;
        let achievement = record.achievement.as_deref();
        let mut answer = self.answer(Known {
            credential: Some(id.to_owned()),
            verified: None,
            own,
            until: record.dates.as_ref().and_then(|dates| dates.valid_until),
            status,
            issuer: Some(&issuer),
            achievement,
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

    pub(super) fn by_document(&self, looked: &Looked) -> Result<StandingAnswer, RegistryError> {
        let Looked { report, claims } = looked;
        let status = report.status.iter().map(status_part).collect();
        let subjects = each(claims.as_object(), "", "credentialSubject");
        let mut achievements =
            subjects.flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"));
        let achievement = achievements.next().map(|(_, achievement)| achievement);
        let achieved = achievement
            .and_then(|achievement| achievement.get("id").unwrap_or(achievement).as_str());
        // Whoever is only said to have issued it stands behind nothing here.
        let proved = report.verified;
        let mut answer = self.answer(Known {
            credential: report.id.clone(),
            verified: Some(proved),
            own: report.outcome,
            until: moment(claims, &["validUntil", "expirationDate"]),
            status,
            issuer: report.issuer.as_deref().filter(|_| proved),
            achievement: achieved.filter(|_| proved),
            need: Need {
                awarded: moment(claims, &["awardedDate", "validFrom", "issuanceDate"]),
                ..self.need_of(achievement)?
            },
        })?;
        if answer.decided_by == Half::Credential
            && let Some(problem) = report.problems.first()
        {
            answer.detail = problem.detail.clone();
        }
        Ok(answer)
    }

    fn answer(&self, known: Known<'_>) -> Result<StandingAnswer, RegistryError> {
        let need = &known.need;
        let issuer = known
            .issuer
            .map(|id| self.party(id, SubjectKind::Profile, need))
            .transpose()?;
        let achievement = known
            .achievement
            .map(|id| self.party(id, SubjectKind::Achievement, need))
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
        let read = self.links.read;
        let owner = self.registry.profile_with_id(read, issuer)?;
        Ok(owner == Some(id.owner()) && ACHIEVEMENTS.get(read, &id)?.is_some())
    }

    fn party(&self, id: &str, kind: SubjectKind, need: &Need) -> Result<Rc<Party>, RegistryError> {
        let registry = self.registry;
        let key = (id.to_owned(), kind);
        if let Some(party) = self.parties.borrow().get(&key) {
            return Ok(party.clone());
        }
        let canonical = registry.canonical(self.links.read, id)?;
        let known = self.links.of(&canonical)?;
        let mut shown: Vec<&Link> = known.links.iter().map(|link| &**link).collect();
        shown.sort_by_key(|link| link.rank());
        let endorsements = shown.iter().take(MOST_SHOWN).map(|link| Endorsed {
            id: link.id,
            endorser: link.endorser.id.clone(),
            name: link.endorser.name.clone(),
            outcome: link.outcome(),
        });
        let wanted = Wanted {
            kind: Some(kind),
            role: (kind == SubjectKind::Profile).then_some(Role::Issuer),
            need: Some(need),
        };
        let (backing, limited) =
            registry.backing_for(&self.links, &canonical, self.question, wanted)?;
        let party = Rc::new(Party {
            until: self.links.end_of(&backing.path)?,
            name: registry.name_and_owner(self.links.read, &canonical)?.0,
            backing,
            endorsements: endorsements.collect(),
            more: known.more || known.links.len() > MOST_SHOWN,
            id: canonical,
        });
        if !limited {
            self.parties.borrow_mut().insert(key, party.clone());
        }
        Ok(party)
    }

    /// What the issuer of a credential has to be endorsed for.
    fn need_of_record(&self, record: &CredentialRecord) -> Result<Need, RegistryError> {
        let achievement = record.achievement.as_deref().map(Value::from);
        let dates = record.dates.as_ref();
        Ok(Need {
            awarded: dates.and_then(|dates| dates.awarded.or(dates.valid_from)),
            ..self.need_of(achievement.as_ref())?
        })
    }

    /// What is needed for an achievement, as a credential writes it.
    fn need_of(&self, achievement: Option<&Value>) -> Result<Need, RegistryError> {
        Ok(Need {
            jurisdiction: self.question.jurisdiction.clone(),
            ..self
                .registry
                .need_of(self.links.read, self.question.at, achievement)?
        })
    }
}

/// What is known of a credential before its endorsers are asked for.
struct Known<'a> {
    credential: Option<String>,
    verified: Option<bool>,
    own: Outcome,
    /// Until when it holds.
    until: Option<Timestamp>,
    status: Vec<StatusPart>,
    issuer: Option<&'a str>,
    achievement: Option<&'a str>,
    need: Need,
}

fn status_part(report: &StatusReport) -> StatusPart {
    let text = |member: &str| report.input.get(member)?.as_str();
    let list = ["statusListCredential", "uri"].into_iter().find_map(text);
    let index = ["statusListIndex", "idx"]
        .into_iter()
        .find_map(|member| report.input.get(member));
    StatusPart {
        list: list.map(str::to_owned),
        index: index.and_then(|index| index.as_u64().or_else(|| index.as_str()?.parse().ok())),
        purpose: report.purpose.clone(),
        status: report.value,
        outcome: report.outcome,
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

fn moment(claims: &Value, members: &[&str]) -> Option<Timestamp> {
    let text = |member: &&str| claims.get(*member)?.as_str()?.parse().ok();
    members.iter().find_map(text)
}
