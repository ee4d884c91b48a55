//! The audit trail: the log as those may read it whose affair it is.

mod search;
mod told;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Actor, Registry, RegistryError};
use crate::access::Action;
use crate::ids::{ProfileId, Seq, Slug};
use crate::store::engine::{LoggedEvent, Read, StoreError};
use crate::store::event::{Event, Means, Party};
use crate::store::tables::REASONS;
use crate::time::Timestamp;

pub use search::{AuditSearch, AuditSearchPage};

/// One event of the trail.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its place in the log.
    pub seq: Seq,
    /// When it was committed.
    pub at: Timestamp,
    /// What happened, such as `status.changed`.
    pub name: &'static str,
    /// Who did it.
    pub actor: AuditActor,
    /// The request that asked for it, where one did.
    pub request: Option<[u8; 16]>,
    /// Why.
    pub reason: AuditReason,
    /// The profile whose thing it is; `None` is the registry itself.
    pub profile: Option<Slug>,
    /// What it was done to, and what came of it: members of a JSON object.
    pub about: Map<String, Value>,
    /// The digest chain up to and including it, and the body that it is over: with those of all
    /// events the chain can be made again. For those who may read the whole log.
    pub link: Option<([u8; 32], Vec<u8>)>,
}

/// Who did something, as far as the reader may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditActor {
    /// For whom.
    pub party: AuditParty,
    /// By what they were known; not told of others than oneself.
    pub means: Means,
}

/// For whom something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditParty {
    /// The registry itself, or its operator.
    Registry,
    /// A profile.
    Profile(Slug),
    /// Anybody, in development mode.
    Development,
    /// Somebody who showed nothing of themselves.
    Anonymous,
}

/// The reason for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditReason {
    /// None was given.
    None,
    /// This one.
    Given(String),
    /// One was given, and is kept elsewhere (with a request for an endorsement) or was erased.
    NotHere,
}

/// Events in the order of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins, where there may be one.
    pub next: Option<Seq>,
}

/// What one answer tells at most, in bytes of what the log holds, so that a page of bulk updates
/// stays a page. One event is told whatever its length.
const MOST_BYTES: usize = 1 << 20;

/// So many events are in memory at a time, of which each may be of a bulk update.
const AT_ONCE: usize = 16;

impl Registry {
    /// Up to `limit` events behind `since`: of one profile, or, where none is named, of all that the
    /// actor may read.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for another's trail, and [`RegistryError::NotAllowed`] for who may
    /// not read any.
    pub fn audit(
        &self,
        actor: Actor,
        named: Option<&Slug>,
        since: Seq,
        limit: usize,
    ) -> Result<AuditPage, RegistryError> {
        let of = self.trail_of(actor, named)?;
        let mut page = AuditPage {
            events: Vec::new(),
            next: None,
        };
        let (mut bytes, mut place) = (0, since);
        while page.events.len() < limit {
            let wanted = AT_ONCE.min(limit - page.events.len());
            let logged = match of {
                Some(profile) => self.engine.changes_of(profile.0, place, wanted)?,
                None => self.engine.changes(place, wanted)?,
            };
            let ended = logged.len() < wanted;
            // What an event names is there by the time that it is read.
            let read = self.engine.snapshot();
            let mut telling = Telling::to(self, actor, &*read);
            for event in logged {
                bytes += event.body.len();
                if bytes > MOST_BYTES && !page.events.is_empty() {
                    page.next = Some(place);
                    return Ok(page);
                }
                place = event.seq;
                page.events.push(telling.told(event)?);
            }
            if ended {
                return Ok(page);
            }
        }
        page.next = Some(place);
        Ok(page)
    }

    /// Whose trail is to be read: that of the profile that is named, or of all that the actor may read.
    fn trail_of(
        &self,
        actor: Actor,
        named: Option<&Slug>,
    ) -> Result<Option<ProfileId>, RegistryError> {
        let of = match named {
            Some(slug) => Some(self.profile_id(&*self.engine.snapshot(), slug)?),
            None => actor.speaks_as(),
        };
        let owner = of.unwrap_or(ProfileId::REGISTRY);
        actor.must_see(Action::ReadEvents, owner, named)?;
        Ok(of)
    }

    /// One event as this actor may read it, who has shown to be somebody whose affair it is.
    pub(in crate::registry) fn told_event(
        &self,
        actor: Actor,
        logged: LoggedEvent,
    ) -> Result<AuditEvent, RegistryError> {
        let read = self.engine.snapshot();
        Telling::to(self, actor, &*read).told(logged)
    }
}

/// Events being told to one reader.
struct Telling<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    slugs: BTreeMap<ProfileId, Option<Slug>>,
    /// Whether the reader may see everything.
    whole: bool,
    reader: Option<ProfileId>,
}

impl<'a> Telling<'a> {
    fn to(registry: &'a Registry, actor: Actor, read: &'a dyn Read) -> Self {
        Self {
            registry,
            read,
            slugs: BTreeMap::new(),
            whole: actor.speaks_as().is_none(),
            reader: actor.speaks_as(),
        }
    }

    fn told(&mut self, logged: LoggedEvent) -> Result<AuditEvent, RegistryError> {
        let LoggedEvent {
            seq,
            at,
            digest,
            body,
        } = logged;
        let event = Event::decode(&body).map_err(|error| StoreError::Corrupt {
            table: "events",
            reason: format!("event {seq}: {error}"),
        })?;
        let owner = self.owner(&event);
        let about = self.registry.about(self.read, &event.kind)?;
        Ok(AuditEvent {
            seq,
            at,
            name: event.kind.name(),
            actor: self.actor(&event)?,
            request: Some(event.request).filter(|id| *id != [0; 16]),
            reason: self.reason(&event)?,
            profile: self.slug(owner)?,
            about,
            link: self.whole.then_some((digest, body)),
        })
    }

    /// Whose thing it is: a request's accreditor, of a token whom it speaks for.
    fn owner(&self, event: &Event) -> ProfileId {
        let first = event.kind.concerns().first().copied();
        let also = event.also.first().copied();
        first.or(also).unwrap_or(ProfileId::REGISTRY)
    }

    fn actor(&mut self, event: &Event) -> Result<AuditActor, RegistryError> {
        let (party, own) = match event.actor.party {
            Party::Registry => (AuditParty::Registry, false),
            Party::Development => (AuditParty::Development, false),
            Party::Anonymous => (AuditParty::Anonymous, false),
            Party::Profile(profile) => {
                let own = self.reader == Some(profile);
                match self.slug(profile)? {
                    Some(slug) => (AuditParty::Profile(slug), own),
                    None => (AuditParty::Registry, own),
                }
            }
        };
        let means = match self.whole || own {
            true => event.actor.means,
            false => Means::None,
        };
        Ok(AuditActor { party, means })
    }

    fn reason(&self, event: &Event) -> Result<AuditReason, RegistryError> {
        let Some(commitment) = event.commitment else {
            return Ok(AuditReason::None);
        };
        let key = (event.kind.reason_owner(&event.also), commitment);
        let kept = REASONS.get(self.read, &key)?;
        Ok(kept.map_or(AuditReason::NotHere, |kept| AuditReason::Given(kept.text)))
    }

    fn slug(&mut self, profile: ProfileId) -> Result<Option<Slug>, RegistryError> {
        if profile == ProfileId::REGISTRY {
            return Ok(None);
        }
        if let Some(slug) = self.slugs.get(&profile) {
            return Ok(slug.clone());
        }
        let slug = Some(self.registry.profile_record(self.read, profile)?.slug);
        self.slugs.insert(profile, slug.clone());
        Ok(slug)
    }
}
