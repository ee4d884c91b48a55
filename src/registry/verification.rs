//! Verification as this registry can answer it: its own controller documents and lists come from
//! the store, `did:key` speaks for itself, and nothing else is fetched.

use serde_json::Value;

use super::lists::list_of;
use super::{Registry, RegistryError};
use crate::bitstring::ListLength;
use crate::status::{ListFormat, StatusEntry, StatusError, StatusResult};
use crate::store::engine::Read;
use crate::verify::{self, Expected, PresentationReport, Report, Resolver, Unresolved};

impl Registry {
    /// Verifies a credential. All that the report says of this registry's own things comes from
    /// one snapshot, and shows every acknowledged change.
    pub fn verify(&self, credential: &Value) -> Report {
        let snapshot = self.engine.snapshot();
        let resolver = Hosted {
            registry: self,
            read: &*snapshot,
        };
        verify::verify_credential(credential, &resolver, self.now())
    }

    /// As [`Registry::verify`], for a presentation and every credential in it.
    pub fn verify_presentation(
        &self,
        presentation: &Value,
        expected: Expected<'_>,
    ) -> PresentationReport {
        let snapshot = self.engine.snapshot();
        let resolver = Hosted {
            registry: self,
            read: &*snapshot,
        };
        verify::verify_presentation(presentation, expected, &resolver, self.now())
    }
}

struct Hosted<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
}

impl Resolver for Hosted<'_> {
    fn controller_document(&self, url: &str) -> Result<Value, Unresolved> {
        let failed = |error: RegistryError| Unresolved::Unreachable(error.to_string());
        let found = self
            .registry
            .profile_with_id(self.read, url)
            .map_err(failed)?;
        let Some(profile) = found else {
            return Err(match self.registry.would_be_ours(url) {
                true => Unresolved::NotFound,
                false => Unresolved::Refused,
            });
        };
        let record = self
            .registry
            .profile_record(self.read, profile)
            .map_err(failed)?;
        if record.issuer_id != url {
            // Reached by another of its names: its keys are listed under its id only.
            return Err(Unresolved::NotFound);
        }
        self.registry
            .controller_document_of(self.read, profile, &record)
            .map_err(failed)
    }

    fn status(&self, issuer: &str, entry: &StatusEntry) -> Result<StatusResult, StatusError> {
        let list = entry.list.clone();
        let unreachable = |reason: String| StatusError::Retrieval {
            list: list.clone(),
            reason,
        };
        let failed = |error: RegistryError| unreachable(error.to_string());
        let Some(id) = self.registry.urls().parse_list(&entry.list) else {
            return Err(unreachable(
                "it is not a list of this registry, and is not fetched".into(),
            ));
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
