//! Who stands behind a subject: the endorsements here, searched for a path to a trust anchor.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::links::{Link, Links};
use super::parties::Who;
use super::seen::Found;
use crate::badges::{Coverage, Jurisdiction, Limits, Need, Role, SubjectKind};
use crate::ids::{EndorsementId, Slug};
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::time::Timestamp;
use crate::trust::{self, Accreditor, Bounds, Fit, PathLink, Place, Reason};

/// What is asked of endorsements.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// As of this moment rather than now.
    pub at: Option<Timestamp>,
    /// Whom the asker trusts.
    pub anchors: Anchors,
    /// Where the endorsements have to count, where that matters to the asker.
    pub jurisdiction: Option<Jurisdiction>,
}

/// Whose endorsements need no endorsement themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Anchors {
    /// Everybody to whom the registry's operator gave the role of an accreditor here.
    #[default]
    Registered,
    /// These alone, by `issuer.id`.
    These(BTreeSet<String>),
}

/// Who stands behind a subject, and how well.
#[derive(Debug, Clone)]
pub struct Backing {
    /// [`Outcome::Active`] where a path in force leads to an anchor.
    pub outcome: Outcome,
    /// Why, as a word that programs can branch on: those of [`Reason`], `unknown-subject`, or `role`
    /// where it does not have the role here in which it was asked about.
    pub reason: &'static str,
    /// The same for people.
    pub detail: String,
    /// The path that the outcome is drawn from, from the subject up to the anchor.
    pub path: Vec<PathLink>,
}

/// So many anchors can be named.
const MOST_ANCHORS: usize = 100;

impl Registry {
    /// A question by the registry's own anchors, of now.
    pub fn question(&self) -> Result<Question, RegistryError> {
        Ok(Question {
            anchors: self.anchors(None)?,
            ..Question::default()
        })
    }

    /// The trust anchors that a question names, by slug or id, or else the registry's own.
    ///
    /// # Errors
    /// A slug that no profile here has, no name at all, or more than 100.
    pub fn anchors(&self, named: Option<&[String]>) -> Result<Anchors, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let Some(named) = named else {
            return self.configured_anchors(read);
        };
        if named.is_empty() || named.len() > MOST_ANCHORS {
            let detail = format!("1 to {MOST_ANCHORS} trust anchors are needed, or no such member");
            return Err(RegistryError::invalid("/trustAnchors", detail));
        }
        let anchor = |(at, name): (usize, &String)| {
            self.anchor(read, name)?.ok_or_else(|| {
                let detail = format!("no profile here has the slug or the id {name:?}");
                RegistryError::invalid(format!("/trustAnchors/{at}"), detail)
            })
        };
        let ids: Result<_, RegistryError> = named.iter().enumerate().map(anchor).collect();
        Ok(Anchors::These(ids?))
    }

    /// The registry's own anchors. One that is not there, or not yet, vouches for nobody.
    fn configured_anchors(&self, read: &dyn Read) -> Result<Anchors, RegistryError> {
        let configured = &self.settings.trust_anchors;
        if configured.is_empty() {
            return Ok(Anchors::Registered);
        }
        let ids = configured.iter().map(|name| self.anchor(read, name));
        let ids: Result<Vec<_>, _> = ids.collect();
        Ok(Anchors::These(ids?.into_iter().flatten().collect()))
    }

    /// Whether these are the registry's own anchors.
    pub(super) fn are_own_anchors(
        &self,
        read: &dyn Read,
        anchors: &Anchors,
    ) -> Result<bool, RegistryError> {
        Ok(match anchors {
            Anchors::Registered => self.settings.trust_anchors.is_empty(),
            Anchors::These(_) if self.settings.trust_anchors.is_empty() => false,
            Anchors::These(_) => self.configured_anchors(read)? == *anchors,
        })
    }

    /// The id of an anchor, here or elsewhere.
    fn anchor(&self, read: &dyn Read, name: &str) -> Result<Option<String>, RegistryError> {
        if let Some(profile) = self.profile_number(read, name)? {
            return Ok(Some(self.profile_record(read, profile)?.issuer_id));
        }
        let elsewhere = name.parse::<Slug>().is_err() && url::Url::parse(name).is_ok();
        Ok((elsewhere && !self.would_be_ours(name)).then(|| name.to_owned()))
    }

    /// Who stands behind a subject as a whole, whatever that is needed for.
    pub(in crate::registry) fn backing(
        &self,
        links: &Links<'_>,
        subject: &Who,
        question: &Question,
    ) -> Result<Backing, RegistryError> {
        Ok(self
            .backing_for(links, subject, question, Wanted::default())?
            .0)
    }

    /// Who stands behind a subject in a role, for anything at all.
    pub(in crate::registry) fn backing_as(
        &self,
        links: &Links<'_>,
        subject: &Who,
        question: &Question,
        role: Role,
    ) -> Result<Backing, RegistryError> {
        let wanted = Wanted {
            kind: Some(SubjectKind::Profile),
            role: Some(role),
            need: None,
        };
        Ok(self.backing_for(links, subject, question, wanted)?.0)
    }

    /// Who stands behind a subject for what is wanted, and what of the need was of weight: nothing
    /// where no endorsement on the way is limited to anything.
    pub(in crate::registry) fn backing_for(
        &self,
        links: &Links<'_>,
        subject: &Who,
        question: &Question,
        wanted: Wanted<'_>,
    ) -> Result<(Backing, Limits), RegistryError> {
        if let Some(lost) = self.role_lost(links, subject, wanted.role)? {
            return Ok((lost, Limits::default()));
        }
        let mut chain = Chain {
            links,
            start: subject,
            question,
            wanted,
            limited: Cell::default(),
        };
        let standing = trust::find_path(subject.clone(), &mut chain, BOUNDS)?;
        let backing = match standing.reason {
            Reason::NoEndorsement if !self.is_known(links.read, subject.id(), links.at)? => {
                Backing {
                    outcome: Outcome::Unknown,
                    reason: "unknown-subject",
                    detail: "nothing is known of it here".to_owned(),
                    path: Vec::new(),
                }
            }
            reason => Backing {
                outcome: standing.outcome,
                reason: reason.as_str(),
                detail: standing.detail(),
                path: standing.path,
            },
        };
        Ok((backing, chain.limited.get()))
    }
}

impl Registry {
    /// What is to be said of somebody who does not have the role here in which it is asked about.
    /// When an accreditor had its role is kept; of an issuer's only whether it has it.
    fn role_lost(
        &self,
        links: &Links<'_>,
        subject: &Who,
        role: Option<Role>,
    ) -> Result<Option<Backing>, RegistryError> {
        let Some(role) = role else { return Ok(None) };
        let Some(here) = links.parties.here(subject)? else {
            return Ok(None);
        };
        if links.at.is_some_and(|at| at < here.created_at) {
            return Ok(None);
        }
        let outcome = match role {
            Role::Issuer if here.issuer => Outcome::Active,
            Role::Issuer if links.at.is_some_and(|at| at < here.changed_at) => Outcome::Unknown,
            Role::Issuer => Outcome::NotEndorsed,
            Role::Accreditor => match here.accreditor.standing(links.at) {
                Outcome::Revoked => Outcome::NotEndorsed,
                other => other,
            },
        };
        let name = match role {
            Role::Issuer => "an issuer",
            Role::Accreditor => "an accreditor",
        };
        let detail = match outcome {
            Outcome::Active => return Ok(None),
            Outcome::Unknown => format!("whether it was {name} here at that moment is not kept"),
            Outcome::Suspended => format!("the registry has suspended it as {name}"),
            _ => format!("it is not {name} here"),
        };
        Ok(Some(Backing {
            outcome,
            reason: "role",
            detail,
            path: Vec::new(),
        }))
    }
}

/// How far paths are searched. Whoever looks for more than this has a registry of registries.
const BOUNDS: Bounds = Bounds {
    depth: 8,
    breadth: 256,
    links: 4_096,
};

/// The endorsements as a search sees them.
struct Chain<'a, 'l> {
    links: &'l Links<'a>,
    start: &'l Who,
    question: &'l Question,
    wanted: Wanted<'l>,
    /// What of the need was of weight.
    limited: Cell<Limits>,
}

/// What an endorsement is wanted for.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::registry) struct Wanted<'a> {
    /// What kind of thing the subject is.
    pub(in crate::registry) kind: Option<SubjectKind>,
    /// As what it acts.
    pub(in crate::registry) role: Option<Role>,
    /// For what; anything at all, where there is none.
    pub(in crate::registry) need: Option<&'a Need>,
}

impl trust::Links for Chain<'_, '_> {
    type Error = RegistryError;
    type Party = Who;
    type Endorsement = EndorsementId;

    fn links_to(&mut self, subject: &Who, _: usize) -> Result<Found, RegistryError> {
        if subject == self.start {
            return Ok(self.found(subject, Place::First)?.1);
        }
        // Those of an endorser are the same whomever it endorses.
        let (seen, need) = (&self.links.seen, self.wanted.need);
        let (limits, found) = match seen.get(subject, need) {
            Some(known) => known,
            None => {
                let (limits, found) = self.found(subject, Place::Further)?;
                seen.keep(subject, need, limits, &found);
                (limits, found)
            }
        };
        self.limited.set(self.limited.get().and(limits));
        Ok(found)
    }

    fn accreditor(&mut self, who: &Who) -> Result<Accreditor, RegistryError> {
        // Who is not registered here is an accreditor where somebody endorsed it as one, or where
        // the asker says so.
        let registered = self.links.accreditor(who)?;
        Ok(Accreditor {
            outcome: registered.unwrap_or(Outcome::Active),
            is_anchor: match &self.question.anchors {
                Anchors::Registered => registered.is_some() && who != self.start,
                Anchors::These(ids) => ids.contains(who.id()),
            },
        })
    }

    fn id_of(&self, who: &Who) -> Arc<str> {
        who.shared_id()
    }

    fn endorsement_id(&self, id: &EndorsementId) -> Arc<str> {
        self.links.registry.urls().endorsement(*id).into()
    }
}

impl Chain<'_, '_> {
    /// The endorsements of somebody as the search sees them, and what of the need was of weight for
    /// that: the best ones first, and of each endorser the best alone, so that nobody crowds out the
    /// others by endorsing often.
    fn found(&self, subject: &Who, place: Place) -> Result<(Limits, Found), RegistryError> {
        let known = self.links.of(subject)?;
        let elsewhere = !known.links.is_empty() && self.links.parties.here(subject)?.is_none();
        let before = self.limited.take();
        let mut seen = Vec::with_capacity(known.links.len());
        for link in &known.links {
            let as_seen = self.seen(place, link, elsewhere);
            let level = trust::contribution(&as_seen, link.lent, place).level();
            seen.push((level, as_seen));
        }
        let limits = self.limited.replace(before);
        self.limited.set(before.and(limits));
        seen.sort_by_key(|(level, _)| *level);
        #[expect(clippy::mutable_key_type, reason = "an id never changes, nor its hash")]
        let mut endorsers = HashSet::with_capacity(seen.len());
        seen.retain(|(_, link)| endorsers.insert(link.endorser.clone()));
        let found = Found {
            more: known.more,
            links: seen.into_iter().map(|(_, link)| link).collect(),
        };
        Ok((limits, found))
    }

    fn seen(&self, place: Place, link: &Link, elsewhere: bool) -> trust::Link<Who, EndorsementId> {
        let elsewhere = elsewhere && link.record.kind == SubjectKind::Profile;
        trust::Link {
            endorsement: link.id,
            endorser: link.endorser.clone(),
            outcome: link.own,
            carries: link.carries(elsewhere),
            fit: match place {
                Place::First => self.fit(link, elsewhere),
                Place::Further => self.fit_further(link),
            },
        }
    }

    /// Whether an endorsement of the subject itself covers what is wanted.
    fn fit(&self, link: &Link, elsewhere: bool) -> Fit {
        if self
            .wanted
            .kind
            .is_some_and(|kind| kind != link.record.kind)
        {
            return Fit::DoesNot("it was endorsed as another kind of thing");
        }
        match self.wanted.role {
            Some(Role::Issuer) if !link.record.as_issuer && !elsewhere => {
                Fit::DoesNot("it was not endorsed as an issuer")
            }
            Some(Role::Accreditor) if !link.carries(elsewhere) => {
                Fit::DoesNot("it was not endorsed as an accreditor")
            }
            role => self.within_scope(link, role),
        }
    }

    /// Whether an endorsement of an accreditor covers what is wanted of those that it endorses.
    fn fit_further(&self, link: &Link) -> Fit {
        self.within_scope(link, Some(Role::Accreditor))
    }

    fn within_scope(&self, link: &Link, role: Option<Role>) -> Fit {
        let Some(scope) = &link.scope else {
            return Fit::Fits;
        };
        if let Some(role) = role
            && !(scope.roles().is_empty() || scope.roles().contains(&role))
        {
            return Fit::DoesNot("it was endorsed in another role");
        }
        let Some(need) = self.wanted.need else {
            return Fit::Fits;
        };
        self.limited.set(self.limited.get().and(scope.limits()));
        match scope.covers_but_for_role(need) {
            Coverage::Covered => Fit::Fits,
            Coverage::NotCovered(why) => Fit::DoesNot(why),
            Coverage::Unknown(why) => Fit::Unknown(why),
        }
    }
}
