//! Verification as this registry can answer it: its own controller documents and lists come from
//! the store, in one snapshot; what stands elsewhere is asked of whoever may go there.

use std::sync::Arc;

use serde_json::Value;

use super::lists::list_of;
use super::signing::Held;
use super::{Outcome, Registry, RegistryError};
use crate::bitstring::ListLength;
use crate::ids::ListId;
use crate::status::{ListFormat, StatusEntry, StatusError, StatusResult};
use crate::store::engine::Read;
use crate::verify::{
    self, CheckedList, Fetched, Known, KnownEndorsement, Options, PresentationReport, Report,
    Resolver, SignedHere, Unresolved, WantedList,
};

/// How many endorsements of one thing a report shows.
const MOST_SHOWN: usize = 8;

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

    fn known(&self, id: &str) -> Option<Known> {
        self.known_thing(id).ok()
    }
}

impl Hosted<'_> {
    fn known_thing(&self, id: &str) -> Result<Known, RegistryError> {
        let registry = self.registry;
        let answer = registry.answer_subject(self.read, id, None, MOST_SHOWN)?;
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
        let subject = registry.canonical(self.read, id)?;
        let name = registry
            .profile_with_id(self.read, &subject)?
            .map(|profile| {
                let record = registry.profile_record(self.read, profile)?;
                Ok::<_, RegistryError>(record.profile().name().to_owned())
            });
        Ok(Known {
            outcome: answer.outcome,
            name: name.transpose()?,
            digest: registry
                .present_version(self.read, &subject)?
                .map(|(digest, _)| digest),
            endorsements,
        })
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
