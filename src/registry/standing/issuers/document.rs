//! All who are endorsed as issuers, in one document that is kept ready, and who of them has whose
//! trust mark.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Facts, Fits, PAGE, Role, fresh_until};
use crate::badges::{self, SubjectKind};
use crate::ids::{EndorsementId, ProfileId, Seq};
use crate::registry::profiles::text_tag;
use crate::registry::standing::links::Links;
use crate::registry::standing::ready::Built;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{ENDORSEMENTS, EndorsementRecord};
use crate::time::Timestamp;

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
    /// In order, each place once.
    marked_by: HashMap<ProfileId, Vec<u32>>,
}

/// The largest document of all issuers, in bytes: about a million of them.
const MOST_BYTES: usize = 256 << 20;

impl Issuers {
    /// The ids of all.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(|id| &**id)
    }

    /// The ids of those whom this profile endorses as issuers without limits.
    pub fn marked_by(&self, accreditor: ProfileId) -> impl Iterator<Item = &str> {
        let places = self.marked_by.get(&accreditor).map_or(&[][..], |p| p);
        places.iter().map(|place| &*self.ids[*place as usize])
    }

    /// The ids of those whom anybody endorses as issuers without limits.
    pub fn marked(&self) -> impl Iterator<Item = &str> {
        let places: BTreeSet<u32> = self.marked_by.values().flatten().copied().collect();
        places.into_iter().map(|place| &*self.ids[place as usize])
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
                        let who = links.who(subject);
                        let backing =
                            self.backing_as(&links, &who, &question, badges::Role::Issuer)?;
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

/// Which events make the answer another one.
fn changes_issuers(kind: &EventKind) -> bool {
    match kind {
        EventKind::ProfileChanged { .. }
        | EventKind::Erased { .. }
        | EventKind::AccreditorStanding { .. }
        | EventKind::EndorsementIssued { .. }
        | EventKind::EndorsementImported { .. }
        | EventKind::EndorsementStatus { .. } => true,
        // Nobody endorses what is not there yet, and a key signs no standing.
        EventKind::ProfileCreated { .. }
        | EventKind::KeyMade { .. }
        | EventKind::KeyRetired { .. }
        | EventKind::RotationBegun { .. }
        | EventKind::RotationDone { .. }
        | EventKind::KeyRevoked { .. }
        | EventKind::DataKeyMade { .. }
        | EventKind::MasterKeyRotated { .. }
        | EventKind::StoreTaken { .. }
        | EventKind::SpaceSealed { .. }
        | EventKind::AchievementCreated { .. }
        | EventKind::AchievementChanged { .. }
        | EventKind::SpaceOpened { .. }
        | EventKind::ListOpened { .. }
        | EventKind::EntriesAllocated { .. }
        | EventKind::StatusChanged { .. }
        | EventKind::ListPublished { .. }
        | EventKind::ListSigned { .. }
        | EventKind::ListImported { .. }
        | EventKind::CredentialIssued { .. }
        | EventKind::Codes { .. }
        | EventKind::Request { .. }
        | EventKind::TokenMade { .. }
        | EventKind::TokenRevoked { .. }
        | EventKind::Client { .. }
        | EventKind::Person { .. } => false,
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
    marked_by: HashMap<ProfileId, Vec<u32>>,
    changed_at: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Gathered {
    /// When this endorsement last made the answer another one, and when it will by itself.
    fn note_moments(&mut self, record: &EndorsementRecord, now: Timestamp) {
        let decided = record.history.last().map(|change| change.at);
        self.changed_by(decided.unwrap_or(record.created_at));
        let moments = [
            Some(record.valid_from),
            record.valid_until,
            fresh_until(record),
        ];
        for moment in moments.into_iter().flatten() {
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
        if let Some(place) = place
            && role.counts(record)? == Some(Fits::Whole)
        {
            self.marked_by.entry(id.owner()).or_default().push(place);
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
        for places in self.marked_by.values_mut() {
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
                marked_by: self.marked_by,
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
