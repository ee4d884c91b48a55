//! Verification as this registry can answer it: its own controller documents and lists come from
//! the store, in one snapshot; what stands elsewhere is asked of whoever may go there.

use std::sync::Arc;

use serde_json::Value;

use super::lists::list_of;
use super::signing::Held;
use super::{Outcome, Registry, RegistryError};
use crate::bitstring::ListLength;
use crate::ids::{AchievementId, ListId};
use crate::status::{ListFormat, StatusEntry, StatusError, StatusResult};
use crate::store::engine::Read;
use crate::store::tables::ACHIEVEMENTS;
use crate::verify::{
    self, CheckedList, Fetched, Known, KnownEndorsement, Options, PresentationReport, Report,
    Resolver, SignedHere, Unresolved, WantedList,
};

/// How many endorsements of one thing a report shows, the ones in force first, and out of how many
/// they are taken.
const MOST_SHOWN: usize = 8;
const MOST_LOOKED_AT: usize = 100;

impl Registry {
    /// Verifies a credential. All that the report says of this registry's own things comes from
    /// one snapshot, and shows every acknowledged change; the rest is asked of `outside`.
    pub fn verify(
        &self,
        credential: &Value,
        options: Options<'_>,
        outside: &dyn Resolver,
    ) -> Report {
        let snapshot = self.engine.snapshot();
        let resolver = Hosted {
            registry: self,
            read: &*snapshot,
            outside,
        };
        verify::verify_credential(credential, &resolver, options, self.now())
    }

    /// As [`Registry::verify`], for a presentation and every credential in it.
    pub fn verify_presentation(
        &self,
        presentation: &Value,
        options: Options<'_>,
        outside: &dyn Resolver,
    ) -> PresentationReport {
        let snapshot = self.engine.snapshot();
        let resolver = Hosted {
            registry: self,
            read: &*snapshot,
            outside,
        };
        verify::verify_presentation(presentation, &resolver, options, self.now())
    }
}

struct Hosted<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    outside: &'a dyn Resolver,
}

impl Resolver for Hosted<'_> {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        let failed = |error: RegistryError| Unresolved::Unreachable(error.to_string());
        let found = self
            .registry
            .profile_with_id(self.read, url)
            .map_err(failed)?;
        let Some(profile) = found else {
            return match self.registry.would_be_ours(url) {
                true => Err(Unresolved::NotFound),
                false => self.outside.controller_document(url),
            };
        };
        let record = self
            .registry
            .profile_record(self.read, profile)
            .map_err(failed)?;
        if record.issuer_id != url {
            // Reached by another of its names: its keys are listed under its id only.
            return Err(Unresolved::NotFound);
        }
        let document = self
            .registry
            .controller_document_of(self.read, profile, &record);
        document.map(Arc::new).map_err(failed)
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        match self.registry.would_be_ours(url) {
            true => Err(Unresolved::NotFound),
            false => self.outside.key_set(url),
        }
    }

    fn hosted_status(
        &self,
        issuer: &str,
        entry: &StatusEntry,
    ) -> Option<Result<StatusResult, StatusError>> {
        let id = self.registry.urls().parse_list(&entry.list)?;
        Some(self.status_in(id, issuer, entry))
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        let url = wanted.reference.list();
        if self.registry.would_be_ours(url) {
            return Err(StatusError::Retrieval {
                list: url.to_owned(),
                reason: "this registry has no such list".to_owned(),
            });
        }
        self.outside.list(wanted, check)
    }

    fn newer(&self, url: &str) -> Result<Fetched, Unresolved> {
        match self.registry.would_be_ours(url) {
            true => Err(Unresolved::NotFound),
            false => self.outside.newer(url),
        }
    }

    fn signed_here(&self, method: &str, signature: &Value) -> Option<SignedHere> {
        let held = match signature {
            Value::String(jws) => Held::Jws(jws),
            proof => Held::Proof(proof),
        };
        let here = self.registry.signed_here(self.read, held).ok()??;
        (here.method == method).then(|| SignedHere {
            key: here.public.into(),
            at: here.at,
        })
    }

    fn canonical(&self, id: &str) -> Option<String> {
        let canonical = self.registry.canonical(self.read, id).ok()?;
        let known = self.registry.is_known(self.read, &canonical).ok()?;
        known.then_some(canonical)
    }

    fn known(&self, id: &str) -> Option<Known> {
        // A store that cannot be read is no reason to say nothing.
        Some(self.known_thing(id).unwrap_or(Known {
            outcome: Outcome::Unreachable,
            name: None,
            owner: None,
            digest: None,
            endorsements: Vec::new(),
        }))
    }
}

impl Hosted<'_> {
    fn known_thing(&self, id: &str) -> Result<Known, RegistryError> {
        let registry = self.registry;
        let answer = registry.answer_subject(self.read, id, None, MOST_LOOKED_AT)?;
        let endorser = |endorser: &str| -> Result<String, RegistryError> {
            let Some(profile) = registry.profile_with_id(self.read, endorser)? else {
                return Ok(endorser.to_owned());
            };
            Ok(registry
                .profile_record(self.read, profile)?
                .profile()
                .name()
                .to_owned())
        };
        let mut endorsements = Vec::new();
        for one in answer.endorsements {
            endorsements.push(KnownEndorsement {
                id: registry.urls().endorsement(one.id),
                name: endorser(&one.endorser)?,
                endorser: one.endorser,
                outcome: one.outcome,
            });
        }
        endorsements.sort_by_key(|one| one.outcome != Outcome::Active);
        endorsements.truncate(MOST_SHOWN);
        let subject = registry.canonical(self.read, id)?;
        let (name, owner) = self.name_and_owner(&subject)?;
        Ok(Known {
            outcome: answer.outcome,
            name,
            owner,
            digest: registry
                .present_version(self.read, &subject)?
                .map(|(digest, _)| digest),
            endorsements,
        })
    }

    /// The registered name of a profile or an achievement, and whose the achievement is.
    fn name_and_owner(
        &self,
        subject: &str,
    ) -> Result<(Option<String>, Option<String>), RegistryError> {
        let registry = self.registry;
        if let Some(profile) = registry.profile_with_id(self.read, subject)? {
            let record = registry.profile_record(self.read, profile)?;
            return Ok((Some(record.profile().name().to_owned()), None));
        }
        let id = registry
            .urls()
            .within("achievements", subject)
            .map(str::parse::<AchievementId>);
        let Some(Ok(id)) = id else {
            return Ok((None, None));
        };
        let Some(record) = ACHIEVEMENTS.get(self.read, &id)? else {
            return Ok((None, None));
        };
        let view = registry.view_achievement(self.read, id, &record)?;
        let owner = registry.profile_record(self.read, id.owner())?;
        let name = view.document["name"].as_str().map(str::to_owned);
        Ok((name, Some(owner.issuer_id)))
    }

    fn status_in(
        &self,
        id: ListId,
        issuer: &str,
        entry: &StatusEntry,
    ) -> Result<StatusResult, StatusError> {
        let list = entry.list.clone();
        let failed = |error: RegistryError| StatusError::Retrieval {
            list: list.clone(),
            reason: error.to_string(),
        };
        let record = list_of(self.read, &self.registry.urls(), id).map_err(failed)?;
        let owner = self
            .registry
            .profile_record(self.read, id.owner())
            .map_err(failed)?;
        if owner.issuer_id != issuer {
            let reason = format!("it is a list of {}, not of {issuer}", owner.issuer_id);
            return Err(StatusError::Verification { list, reason });
        }
        if entry.format != ListFormat::Bitstring {
            let reason = format!("it is no list for a {}", entry.format.entry_type());
            return Err(StatusError::Verification { list, reason });
        }
        if record.purpose != entry.purpose {
            return Err(StatusError::Purpose {
                list,
                purpose: entry.purpose.clone(),
            });
        }
        if record.status_size != entry.size {
            let reason = "its entries have another size than the credential says".into();
            return Err(StatusError::Verification { list, reason });
        }
        let index = record
            .length()
            .index(entry.index)
            .map_err(|error| StatusError::Range {
                index: error.index,
                entries: ListLength::entries(error.length),
            })?;
        let said = super::queries::entry_of(self.read, id, &record, index).map_err(failed)?;
        let message = entry.message(said.status);
        Ok(StatusResult::of(said.purpose, said.status, message))
    }
}
