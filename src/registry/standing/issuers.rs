//! Who is endorsed as an issuer: one by one, at once with every acknowledged change, and all of
//! them in one document that is kept ready, in the shape that the Digital Credentials Consortium
//! publishes.
//!
//! A profile here counts where it is an issuer and was one when it was endorsed; of somebody who
//! lives elsewhere no role is known, and an endorsement of the profile counts unless it is limited to
//! another role. An endorsement within limits makes an issuer of somebody, and no trust mark: that
//! would say of all that they issue what was said of a part. Names and addresses
//! are those under which profiles are registered here, never what a credential says of its issuer.

mod document;

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::backing::{Backing, Wanted};
use super::links::Links;
use crate::badges::{self, Need, Profile, Scope, SubjectKind};
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::{EndorsementView, Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{EndorsementRecord, Origin};
use crate::time::Timestamp;
use crate::vc::did::Did;

pub use document::Issuers;

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
    /// Until when that holds, where an endorsement on the way from it to a trust anchor ends by
    /// itself.
    pub until: Option<Timestamp>,
    /// The limits within which it holds, from the endorsement of the issuer upwards: what it issues
    /// keeps to each of them. None where no endorsement on the way is limited.
    pub scopes: Vec<Scope>,
}

impl Registry {
    /// How an id stands as an issuer, now.
    pub fn issuer(&self, id: &str) -> Result<IssuerStanding, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let subject = self.canonical(read, id)?;
        let facts = self.facts(read, &subject)?;
        let role = facts.role();
        let (outcome, path) = match role {
            Role::Other => (Outcome::NotEndorsed, Vec::new()),
            Role::Elsewhere | Role::Issuer => {
                let backing = self.widest_backing(read, &subject)?;
                (backing.outcome, backing.path)
            }
        };
        let mut standing = IssuerStanding {
            issuer: self.view_issuer(read, subject, &facts)?,
            outcome,
            until: None,
            scopes: Vec::new(),
        };
        for link in &path {
            let Some(id) = self.urls().parse_endorsement(&link.endorsement) else {
                continue;
            };
            let record = self.endorsement_record(read, id)?;
            let ends = [standing.until, record.valid_until, fresh_until(&record)];
            standing.until = ends.into_iter().flatten().min();
            standing.scopes.extend(record.scope()?.filter(is_limited));
        }
        Ok(standing)
    }

    /// Who stands behind somebody as an issuer: by a way without limits, where there is one.
    fn widest_backing(&self, read: &dyn Read, subject: &str) -> Result<Backing, RegistryError> {
        let links = Links::new(self, read, None);
        let subject = &links.who(subject);
        let question = self.question()?;
        let whatever = Wanted {
            kind: Some(SubjectKind::Profile),
            role: Some(badges::Role::Issuer),
            // Of which nothing is known, so that no limit on it is kept to.
            need: Some(&Need::default()),
        };
        let (backing, _) = self.backing_for(&links, subject, &question, whatever)?;
        match backing.outcome {
            Outcome::Active => Ok(backing),
            _ => self.backing_as(&links, subject, &question, badges::Role::Issuer),
        }
    }

    /// The endorsement by which `accreditor` stands behind `id` as an issuer, without limits: the one
    /// in the best standing, of several the newest.
    pub fn endorsement_as_issuer(
        &self,
        accreditor: ProfileId,
        id: &str,
    ) -> Result<Option<EndorsementView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let subject = self.canonical(read, id)?;
        let role = self.facts(read, &subject)?.role();
        let Some(best) = self.best(read, &subject, accreditor, role)? else {
            return Ok(None);
        };
        let record = self.endorsement_record(read, best)?;
        self.view_endorsement(read, best, record, None).map(Some)
    }

    /// How an endorsement stands as one of an issuer without limits, now: `not-endorsed` where it
    /// speaks of something else or of a part, or of a profile that is no issuer any more.
    pub fn standing_as_issuer(&self, id: EndorsementId) -> Result<Outcome, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let record = self.endorsement_record(read, id)?;
        let role = self.facts(read, &record.subject)?.role();
        match role.counts(&record)? == Some(Fits::Whole) {
            true => Ok(Links::new(self, read, None).link(id, record)?.outcome()),
            false => Ok(Outcome::NotEndorsed),
        }
    }

    /// The accreditor's endorsement of `subject` without limits that is in the best standing now; of
    /// several the newest.
    fn best(
        &self,
        read: &dyn Read,
        subject: &str,
        accreditor: ProfileId,
        role: Role,
    ) -> Result<Option<EndorsementId>, RegistryError> {
        let mut best: Option<(_, EndorsementId)> = None;
        let links = Links::new(self, read, None);
        let mut after = None;
        loop {
            let page = self.rows_by_subject(read, subject, after, PAGE)?;
            let rows = page.len();
            for (id, record) in page {
                after = Some(id);
                if id.owner() != accreditor || role.counts(&record)? != Some(Fits::Whole) {
                    continue;
                }
                let from = record.valid_from;
                let outcome = links.link(id, record)?.outcome();
                let order = (rank(outcome), Reverse(from));
                if best.as_ref().is_none_or(|(known, _)| order < *known) {
                    best = Some((order, id));
                }
            }
            if rows < PAGE {
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
}

/// How many rows are looked at in one go.
const PAGE: usize = 1_024;

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
    /// Whether an endorsement makes an issuer of them, and of how much.
    fn counts(self, record: &EndorsementRecord) -> Result<Option<Fits>, RegistryError> {
        let scope = record.scope()?;
        let roles = scope.as_ref().map_or(&[][..], Scope::roles);
        let as_issuer = match self {
            Self::Elsewhere => roles.is_empty() || roles.contains(&badges::Role::Issuer),
            Self::Issuer => record.as_issuer,
            Self::Other => false,
        };
        let fits = match scope.as_ref().is_some_and(is_limited) {
            true => Fits::WithinLimits,
            false => Fits::Whole,
        };
        Ok((record.kind == SubjectKind::Profile && as_issuer).then_some(fits))
    }
}

/// How much of what somebody issues an endorsement covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fits {
    /// All of it.
    Whole,
    /// A part.
    WithinLimits,
}

/// Whether a scope covers a part of what somebody does in a role.
fn is_limited(scope: &Scope) -> bool {
    scope.lets_pass_on(None).is_err()
}

/// Until when what the issuer of an imported endorsement said last is taken for the present.
const fn fresh_until(record: &EndorsementRecord) -> Option<Timestamp> {
    match &record.origin {
        Origin::Imported(imported) => Some(imported.fresh_until),
        Origin::Issued { .. } => None,
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
