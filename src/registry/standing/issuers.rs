//! Who is endorsed as an issuer: one by one, at once with every acknowledged change, and all of
//! them in one document that is kept ready, in the shape that the Digital Credentials Consortium
//! publishes.
//!
//! A profile here counts where it is an issuer and was one when it was endorsed; of somebody who
//! lives elsewhere no role is known, and an endorsement of the profile counts. Names and addresses
//! are those under which profiles are registered here, never what a credential says of its issuer.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::links::Links;
use super::ready::Built;
use crate::badges::{self, Profile, SubjectKind};
use crate::ids::{EndorsementId, ProfileId, Seq};
use crate::registry::profiles::text_tag;
use crate::registry::{EndorsementView, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{ENDORSEMENTS, EndorsementRecord};
use crate::time::Timestamp;
use crate::vc::did::Did;

/// What is known of an issuer, hosted here or not.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuerView {
    /// `issuer.id` of what it issues.
    pub id: String,
    /// Its registered name; `None` where it is registered elsewhere.
    pub name: Option<String>,
    /// Its home page.
    pub url: Option<String>,
    /// URL of its image.
    pub logo: Option<String>,
    /// Town, region and country of its address, as far as it gave them.
    pub location: Option<String>,
    /// Its keys as JSON Web Keys: those of a profile here, and those that its id says by itself.
    pub keys: Vec<Value>,
}

/// An issuer, and how it stands as one.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuerStanding {
    /// Who.
    pub issuer: IssuerView,
    /// The best standing among its endorsements as an issuer, `not-endorsed` where it is registered
    /// here and has none, `unknown` where nothing is known of it.
    pub outcome: Outcome,
    /// Until when that holds, where the best endorsement ends by itself.
    pub until: Option<Timestamp>,
}

/// Everybody who is endorsed as an issuer.
#[derive(Debug)]
pub struct Issuers {
    /// `{"meta": {"created", "updated"}, "registry": {id: {"name", "location", "url"}}}`.
    pub document: Bytes,
    /// Strong entity tag of the document, with its quotes.
    pub etag: String,
    /// The newest change that it shows.
    pub changed_at: Timestamp,
    ids: Vec<Box<str>>,
    endorsed_by: HashMap<ProfileId, Vec<u32>>,
}

/// The largest document of all issuers, in bytes: about a million of them.
const MOST_BYTES: usize = 256 << 20;

impl Issuers {
    /// The ids of all.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(|id| &**id)
    }

    /// The ids of those whom this profile endorses.
    pub fn endorsed_by(&self, accreditor: ProfileId) -> impl Iterator<Item = &str> {
        let places = self.endorsed_by.get(&accreditor).map_or(&[][..], |p| p);
        places.iter().map(|place| &*self.ids[*place as usize])
    }
}

impl Registry {
    /// Everybody who is endorsed as an issuer now, kept ready by the rule of `registry/standing/ready.rs`.
    ///
    /// # Errors
    /// [`RegistryError::TooMany`] where the document would be larger than is kept in memory.
    pub fn issuers(&self) -> Result<Arc<Issuers>, RegistryError> {
        self.all_issuers
            .get(self, changes_issuers, |read| self.gather_issuers(read))
    }

    /// How an id stands as an issuer, now.
    pub fn issuer(&self, id: &str) -> Result<IssuerStanding, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let subject = self.canonical(read, id)?;
        let facts = self.facts(read, &subject)?;
        let role = facts.role();
        let best = self.best(read, &subject, &|_, record| role.counts(record))?;
        let outcome = match role {
            Role::Other => Outcome::NotEndorsed,
            Role::Elsewhere | Role::Issuer => {
                let links = Links::new(self, read, None);
                let question = self.question()?;
                self.backing_as(&links, &subject, &question, badges::Role::Issuer)?
                    .outcome
            }
        };
        Ok(IssuerStanding {
            issuer: self.view_issuer(read, subject, &facts)?,
            outcome,
            until: best.and_then(|(.., until)| until),
        })
    }

    /// The endorsement by which `accreditor` stands behind `id` as an issuer: the one in the best
    /// standing, of several the newest.
    pub fn endorsement_as_issuer(
        &self,
        accreditor: ProfileId,
        id: &str,
    ) -> Result<Option<EndorsementView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let subject = self.canonical(read, id)?;
        let role = self.facts(read, &subject)?.role();
        let counts = |id: EndorsementId, record: &EndorsementRecord| {
            id.owner() == accreditor && role.counts(record)
        };
        let Some((_, best, _)) = self.best(read, &subject, &counts)? else {
            return Ok(None);
        };
        let record = self.endorsement_record(read, best)?;
        self.view_endorsement(read, best, record, None).map(Some)
    }

    /// How an endorsement stands as one of an issuer, now: `not-endorsed` where it speaks of
    /// something else, or of a profile that is no issuer any more.
    pub fn standing_as_issuer(&self, id: EndorsementId) -> Result<Outcome, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let record = self.endorsement_record(read, id)?;
        match self.facts(read, &record.subject)?.role().counts(&record) {
            true => Ok(Links::new(self, read, None).link(id, record)?.outcome()),
            false => Ok(Outcome::NotEndorsed),
        }
    }

    /// The endorsement of `subject` in the best standing now, among those that count; of several the
    /// newest.
    fn best(
        &self,
        read: &dyn Read,
        subject: &str,
        counts: &dyn Fn(EndorsementId, &EndorsementRecord) -> bool,
    ) -> Result<Option<(Outcome, EndorsementId, Option<Timestamp>)>, RegistryError> {
        let mut best: Option<(_, (Outcome, EndorsementId, Option<Timestamp>))> = None;
        let links = Links::new(self, read, None);
        let mut after = None;
        loop {
            let page = self.ids_by_subject(read, subject, after, PAGE)?;
            for id in &page {
                let record = self.endorsement_record(read, *id)?;
                if !counts(*id, &record) {
                    continue;
                }
                let (from, until) = (record.valid_from, record.valid_until);
                let outcome = links.link(*id, record)?.outcome();
                let order = (rank(outcome), Reverse(from));
                if best.as_ref().is_none_or(|(known, _)| order < *known) {
                    best = Some((order, (outcome, *id, until)));
                }
            }
            after = page.last().copied();
            if page.len() < PAGE {
                return Ok(best.map(|(_, best)| best));
            }
        }
    }

    fn facts(&self, read: &dyn Read, subject: &str) -> Result<Facts, RegistryError> {
        let Some(profile) = self.profile_with_id(read, subject)? else {
            return Ok(Facts(None));
        };
        let record = self.profile_record(read, profile)?;
        Ok(Facts(Some(Hosted {
            profile,
            is_issuer: record.issuer,
            given: record.profile(),
            changed_at: record.changed_at,
        })))
    }

    fn view_issuer(
        &self,
        read: &dyn Read,
        id: String,
        facts: &Facts,
    ) -> Result<IssuerView, RegistryError> {
        let Some(hosted) = &facts.0 else {
            let keys = own_keys(&id);
            return Ok(IssuerView {
                id,
                name: None,
                url: None,
                logo: None,
                location: None,
                keys,
            });
        };
        let given = &hosted.given;
        let image = given.members().get("image");
        let logo = image.and_then(|image| image.get("id")?.as_str());
        Ok(IssuerView {
            name: Some(given.name().to_owned()),
            url: given.url().map(str::to_owned),
            logo: logo.map(str::to_owned),
            location: location(given),
            keys: self.json_web_keys_of(read, &self.controller(read, hosted.profile)?)?,
            id,
        })
    }

    /// Looks at every endorsement once, in one state of the store.
    fn gather_issuers(&self, read: &dyn Read) -> Result<Built<Issuers>, RegistryError> {
        let now = self.now();
        let mut gathered = Gathered::default();
        let question = self.question()?;
        let links = Links::new(self, read, None);
        let mut after = None;
        loop {
            let rows = ENDORSEMENTS.scan(read, &[], after.as_ref(), PAGE)?;
            for (id, record) in &rows {
                if record.kind != SubjectKind::Profile {
                    continue;
                }
                gathered.note_moments(record, now);
                if links.link(*id, record.clone())?.outcome() == Outcome::Active {
                    gathered.add(*id, record, |subject| {
                        let backing =
                            self.backing_as(&links, subject, &question, badges::Role::Issuer)?;
                        match backing.outcome {
                            Outcome::Active => self.facts(read, subject).map(Some),
                            _ => Ok(None),
                        }
                    })?;
                }
            }
            after = rows.last().map(|(id, _)| *id);
            if rows.len() < PAGE {
                break;
            }
        }
        let first = self.engine.changes(Seq(0), 1)?;
        let created = first.first().map_or(now, |event| event.at);
        Ok(gathered.finish(created))
    }
}

/// How many rows are looked at in one go.
const PAGE: usize = 1_024;

/// Which events make the answer another one.
fn changes_issuers(kind: &EventKind) -> bool {
    match kind {
        EventKind::ProfileChanged { .. }
        | EventKind::AccreditorStanding { .. }
        | EventKind::EndorsementIssued { .. }
        | EventKind::EndorsementImported { .. }
        | EventKind::EndorsementStatus { .. } => true,
        // Nobody endorses what is not there yet, and a key signs no standing.
        EventKind::ProfileCreated { .. }
        | EventKind::KeyMade { .. }
        | EventKind::KeyRetired { .. }
        | EventKind::KeyRevoked { .. }
        | EventKind::AchievementCreated { .. }
        | EventKind::AchievementChanged { .. }
        | EventKind::SpaceOpened { .. }
        | EventKind::ListOpened { .. }
        | EventKind::EntriesAllocated { .. }
        | EventKind::StatusChanged { .. }
        | EventKind::CredentialIssued { .. }
        | EventKind::Request { .. }
        | EventKind::TokenMade { .. }
        | EventKind::TokenRevoked { .. } => false,
    }
}

/// Which of several standings says most about a subject.
const fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Active => 0,
        Outcome::StaleDigest => 1,
        Outcome::Suspended => 2,
        Outcome::NotYetValid => 3,
        Outcome::Expired => 4,
        Outcome::Revoked => 5,
        Outcome::NotEndorsed => 6,
        Outcome::Unreachable => 7,
        Outcome::Unknown => 8,
    }
}

/// What decides which endorsements of somebody make an issuer of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Registered elsewhere: nothing is known of roles.
    Elsewhere,
    /// An issuer here.
    Issuer,
    /// A profile here that is no issuer, or no longer.
    Other,
}

impl Role {
    const fn counts(self, record: &EndorsementRecord) -> bool {
        matches!(record.kind, SubjectKind::Profile)
            && match self {
                Self::Elsewhere => true,
                Self::Issuer => record.as_issuer,
                Self::Other => false,
            }
    }
}

/// What is registered of somebody; nothing, where they live elsewhere.
struct Facts(Option<Hosted>);

struct Hosted {
    profile: ProfileId,
    is_issuer: bool,
    given: Profile,
    changed_at: Timestamp,
}

impl Facts {
    const fn role(&self) -> Role {
        match &self.0 {
            None => Role::Elsewhere,
            Some(Hosted {
                is_issuer: true, ..
            }) => Role::Issuer,
            Some(_) => Role::Other,
        }
    }

    /// The entry of the document.
    fn entry(&self) -> Value {
        let mut entry = Map::new();
        if let Some(hosted) = &self.0 {
            entry.insert("name".into(), hosted.given.name().into());
            entry.extend(location(&hosted.given).map(|place| ("location".into(), place.into())));
            entry.extend(hosted.given.url().map(|url| ("url".into(), url.into())));
        }
        entry.into()
    }
}

/// The document while it is put together.
#[derive(Default)]
struct Gathered {
    entries: String,
    ids: Vec<Box<str>>,
    /// Everybody with an endorsement in good standing, and the place among the ids of those who are
    /// listed.
    subjects: HashMap<Box<str>, (Role, Option<u32>)>,
    endorsed_by: HashMap<ProfileId, Vec<u32>>,
    changed_at: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Gathered {
    /// When this endorsement last made the answer another one, and when it will by itself.
    fn note_moments(&mut self, record: &EndorsementRecord, now: Timestamp) {
        let decided = record.history.last().map(|change| change.at);
        self.changed_by(decided.unwrap_or(record.created_at));
        for moment in [Some(record.valid_from), record.valid_until]
            .into_iter()
            .flatten()
        {
            if moment > now {
                self.until = Some(self.until.map_or(moment, |until| until.min(moment)));
            } else {
                self.changed_by(moment);
            }
        }
    }

    fn changed_by(&mut self, moment: Timestamp) {
        self.changed_at = Some(self.changed_at.map_or(moment, |at| at.max(moment)));
    }

    /// Adds whom an endorsement in good standing speaks for. `facts` are of those alone behind whom
    /// somebody trusted stands.
    fn add(
        &mut self,
        id: EndorsementId,
        record: &EndorsementRecord,
        facts: impl Fn(&str) -> Result<Option<Facts>, RegistryError>,
    ) -> Result<(), RegistryError> {
        let subject = &*record.subject;
        let (role, place) = match self.subjects.get(subject) {
            Some(known) => *known,
            None => {
                let known = match facts(subject)? {
                    Some(facts) if facts.role() != Role::Other => {
                        (facts.role(), Some(self.list(subject, &facts)?))
                    }
                    _ => (Role::Other, None),
                };
                self.subjects.insert(subject.into(), known);
                known
            }
        };
        if let Some(place) = place.filter(|_| role.counts(record)) {
            self.endorsed_by.entry(id.owner()).or_default().push(place);
        }
        Ok(())
    }

    /// Adds an issuer, and gives its place among the ids.
    fn list(&mut self, subject: &str, facts: &Facts) -> Result<u32, RegistryError> {
        let place = u32::try_from(self.ids.len()).map_err(|_| too_many())?;
        if place > 0 {
            self.entries.push(',');
        }
        self.entries += &Value::from(subject).to_string();
        self.entries.push(':');
        self.entries += &facts.entry().to_string();
        if self.entries.len() > MOST_BYTES {
            return Err(too_many());
        }
        if let Some(hosted) = &facts.0 {
            self.changed_by(hosted.changed_at);
        }
        self.ids.push(subject.into());
        Ok(place)
    }

    fn finish(mut self, created: Timestamp) -> Built<Issuers> {
        for places in self.endorsed_by.values_mut() {
            places.sort_unstable();
            places.dedup();
        }
        let changed_at = self.changed_at.map_or(created, |at| at.max(created));
        let meta = json!({ "created": created.to_string(), "updated": changed_at.to_string() });
        let document = format!("{{\"meta\":{meta},\"registry\":{{{}}}}}", self.entries);
        Built {
            value: Issuers {
                etag: text_tag(&document),
                document: document.into(),
                changed_at,
                ids: self.ids,
                endorsed_by: self.endorsed_by,
            },
            until: self.until,
        }
    }
}

fn too_many() -> RegistryError {
    RegistryError::TooMany(format!(
        "the issuers endorsed here are too many for one document of at most {MOST_BYTES} bytes; \
         ask for those that are wanted one by one, at /federation/fetch?sub="
    ))
}

/// Such as `Zürich, ZH, Switzerland`.
fn location(given: &Profile) -> Option<String> {
    let address = given.members().get("address")?;
    let part = |member: &str| address.get(member).and_then(Value::as_str);
    let country = part("addressCountry").or(part("addressCountryCode"));
    let parts = [part("addressLocality"), part("addressRegion"), country];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The keys that an id says by itself: of a did:key or a did:jwk.
fn own_keys(id: &str) -> Vec<Value> {
    let (mut jwk, method) = match id.parse() {
        Ok(Did::Key(did)) => (did.key().to_jwk(), did.method_url()),
        Ok(Did::Jwk(did)) => {
            let jwk = did.document()["verificationMethod"][0]["publicKeyJwk"].take();
            (jwk, format!("{did}#0"))
        }
        Ok(Did::Web(_)) | Err(_) => return Vec::new(),
    };
    jwk["kid"] = method.into();
    jwk["iss"] = id.into();
    vec![jwk]
}
