//! Verification as this registry can answer it: its own controller documents and lists come from
//! the store, in one snapshot; what stands elsewhere is asked of whoever may go there.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use super::lists::list_of;
use super::signing::Held;
use super::standing::backing::{Backing, Question, Wanted};
use super::standing::kept::{KEYS_OF_PROFILES, KeptDocuments};
use super::standing::links::Links;
use super::standing::parties::Who;
use super::{ListForm, Outcome, Registry, RegistryError};
use crate::badges::{Limits, Need};
use crate::bitstring::ListLength;
use crate::ids::{ListId, ProfileId};
use crate::status::{ListFormat, StatusEntry, StatusError, StatusResult};
use crate::store::engine::Read;
use crate::store::watched::Watched;
use crate::time::Timestamp;
use crate::trust::PathLink;
use crate::vc::jwks::{JwksError, MAX_KEYS};
use crate::verify::{
    self, CheckedList, Fetched, Known, KnownEndorsement, Options, PresentationReport, Report,
    Resolver, SignedHere, Unresolved, WantedList, WantedOf,
};

/// How many endorsements of one thing a report shows: those issued here first, and of them those in
/// force.
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
            made: None,
            outside,
            at: None,
            tells: true,
            newer: Newer::AskedFor,
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
            made: None,
            outside,
            at: None,
            tells: true,
            newer: Newer::AskedFor,
        };
        verify::verify_presentation(presentation, &resolver, options, self.now())
    }

    /// As [`Registry::verify`], on one state of the store and at a moment. Of a moment in the past
    /// no list of others is asked, since what they publish is of the present. What is known here of
    /// issuer and achievement is left to who asks.
    pub(super) fn report_on(
        &self,
        read: &dyn Read,
        made: &OwnDocuments<'_>,
        credential: &Value,
        at: Option<Timestamp>,
        options: Options<'_>,
        outside: &dyn Resolver,
    ) -> Report {
        let resolver = Hosted {
            registry: self,
            read,
            made: Some(made),
            outside,
            at,
            tells: false,
            newer: Newer::AskedFor,
        };
        let moment = at.unwrap_or_else(|| self.now());
        verify::verify_credential(credential, &resolver, options, moment)
    }

    /// As [`Registry::report_on`], now and of the very document: what is kept is judged by itself,
    /// and no refresh service can put another version in its place.
    pub(super) fn report_on_kept(
        &self,
        read: &dyn Read,
        credential: &Value,
        options: Options<'_>,
        outside: &dyn Resolver,
    ) -> Report {
        let resolver = Hosted {
            registry: self,
            read,
            made: None,
            outside,
            at: None,
            tells: false,
            newer: Newer::Never,
        };
        verify::verify_credential(credential, &resolver, options, self.now())
    }
}

/// Controller documents of profiles here, of one moment in one state of the store, each made once: for
/// one question, and where it is about the present for those that follow.
pub(super) struct OwnDocuments<'k> {
    made: RwLock<HashMap<String, Arc<Value>>>,
    kept: KeptDocuments<'k>,
}

/// So many are kept.
const MOST_MADE: usize = 1_024;

impl<'k> OwnDocuments<'k> {
    pub(super) fn new(kept: KeptDocuments<'k>) -> Self {
        Self {
            made: RwLock::default(),
            kept,
        }
    }

    fn get(&self, url: &str) -> Option<Arc<Value>> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        made.get(url).cloned().or_else(|| self.kept.get(url))
    }

    fn keep(&self, url: &str, document: &Arc<Value>, read: &Watched<'_>) {
        if read.kept_to_them() {
            self.kept.keep(url, document);
        }
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        if made.len() < MOST_MADE {
            made.insert(url.to_owned(), Arc::clone(document));
        }
    }
}

struct Hosted<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    /// What many credentials of one question share.
    made: Option<&'a OwnDocuments<'a>>,
    outside: &'a dyn Resolver,
    /// The moment that is asked about, where it is past.
    at: Option<Timestamp>,
    /// Whether it tells what is known here of issuers and achievements.
    tells: bool,
    newer: Newer,
}

/// Whether newer versions of credentials are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newer {
    AskedFor,
    Never,
}

impl Resolver for Hosted<'_> {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        if let Some(known) = self.made.and_then(|made| made.get(url)) {
            return Ok(known);
        }
        let failed = |error: RegistryError| Unresolved::Unreachable(error.to_string());
        if url == self.registry.did() {
            let own = self.registry.controller(self.read, ProfileId::REGISTRY);
            let document = own.and_then(|own| {
                self.registry
                    .controller_document_of(self.read, &own, self.at)
            });
            return document.map(Arc::new).map_err(failed);
        }
        let read = &Watched::new(self.read, KEYS_OF_PROFILES);
        let found = self.registry.profile_with_id(read, url).map_err(failed)?;
        let Some(profile) = found else {
            return match self.registry.would_be_ours(url) {
                true => Err(Unresolved::NotFound),
                false => self.outside.controller_document(url),
            };
        };
        let record = self
            .registry
            .profile_record(read, profile)
            .map_err(failed)?;
        if record.issuer_id != url {
            // Reached by another of its names: its keys are listed under its id only.
            return Err(Unresolved::NotFound);
        }
        let owner = self.registry.controller_of(profile, &record);
        let document = self.registry.controller_document_of(read, &owner, self.at);
        let document = document.map(Arc::new).map_err(failed)?;
        if let Some(made) = self.made {
            made.keep(url, &document, read);
        }
        Ok(document)
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        if self.registry.is_key_set(url) {
            return self.own_key_set();
        }
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
        if let Some(place) = self.registry.urls().parse_form(url) {
            return check(&self.hosted_list(place, url)?).map(Arc::new);
        }
        if self.registry.would_be_ours(url) {
            return Err(StatusError::Retrieval {
                list: url.to_owned(),
                reason: "this registry has no such list".to_owned(),
            });
        }
        if self.at.is_some() {
            return Err(StatusError::Retrieval {
                list: url.to_owned(),
                reason: "what a list elsewhere said in the past is not known here".to_owned(),
            });
        }
        self.outside.list(wanted, check)
    }

    fn newer(&self, url: &str) -> Result<Fetched, Unresolved> {
        let asked = self.newer == Newer::AskedFor && self.at.is_none();
        match asked && !self.registry.would_be_ours(url) {
            true => self.outside.newer(url),
            false => Err(Unresolved::NotFound),
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
        let known = self.registry.is_known(self.read, &canonical, None).ok()?;
        known.then_some(canonical)
    }

    fn endorsement_standing(&self, id: Option<&str>, issuer: &str) -> Option<Outcome> {
        let standing = self.standing_here(id, issuer);
        standing.unwrap_or(Some(Outcome::Unreachable))
    }

    fn knows_things(&self) -> bool {
        self.tells
    }

    fn known(&self, id: &str, wanted: Option<WantedOf<'_>>) -> Option<Known> {
        if !self.tells {
            return None;
        }
        // A store that cannot be read is no reason to say nothing.
        Some(self.known_thing(id, wanted).unwrap_or(Known {
            outcome: Outcome::Unreachable,
            limited: false,
            detail: "what is known of it here could not be read".to_owned(),
            path: Vec::new(),
            name: None,
            owner: None,
            digest: None,
            endorsements: Vec::new(),
        }))
    }
}

impl Hosted<'_> {
    /// The set of this host's keys. One of which no reader looks at all is not taken apart either.
    fn own_key_set(&self) -> Result<Arc<Value>, Unresolved> {
        let set = self.registry.key_set_now();
        let set = set.map_err(|error| Unresolved::Unreachable(error.to_string()))?;
        if set.keys > MAX_KEYS {
            let reason = JwksError::TooMany(set.keys).to_string();
            return Err(Unresolved::Malformed(reason));
        }
        let read = serde_json::from_slice(&set.document);
        read.map(Arc::new)
            .map_err(|error| Unresolved::Malformed(error.to_string()))
    }

    fn known_thing(&self, id: &str, wanted: Option<WantedOf<'_>>) -> Result<Known, RegistryError> {
        let registry = self.registry;
        let links = Links::new(registry, self.read, self.at);
        let subject = links.named(id)?;
        let question = Question {
            at: self.at,
            ..registry.question()?
        };
        let (backing, limits) = self.backing(&links, &subject, &question, wanted)?;
        let first = backing.path.first().map(|link| link.endorsement.clone());
        let is_first = |url: &str| first.as_deref() == Some(url);
        let known = links.of(&subject)?;
        let mut shown: Vec<_> = known.links.iter().collect();
        shown.sort_by_key(|link| {
            let url = registry.urls().endorsement(link.id);
            (!is_first(&url), link.rank())
        });
        let endorsements: Vec<KnownEndorsement> = shown
            .into_iter()
            .take(MOST_SHOWN)
            .map(|link| KnownEndorsement {
                id: registry.urls().endorsement(link.id),
                name: link
                    .endorser_name()
                    .unwrap_or(link.endorser.id())
                    .to_owned(),
                endorser: link.endorser.id().to_owned(),
                outcome: link.outcome(),
            })
            .collect();
        let (name, owner) = registry.name_and_owner(self.read, subject.id())?;
        Ok(Known {
            outcome: backing.outcome,
            limited: limits.any(),
            path: match backing.path.as_slice() {
                [] | [_] => Vec::new(),
                path => path.iter().map(link_in_words).collect(),
            },
            detail: match endorsements.first().filter(|one| is_first(&one.id)) {
                Some(one) if backing.outcome == Outcome::Active => {
                    format!("endorsed by {} ({})", one.name, one.endorser)
                }
                _ => backing.detail.clone(),
            },
            name,
            owner,
            digest: registry
                .present_version(self.read, subject.id())?
                .map(|(digest, _)| digest),
            endorsements,
        })
    }

    /// How an endorsement stands here, or its issuer as an accreditor.
    fn standing_here(
        &self,
        id: Option<&str>,
        issuer: &str,
    ) -> Result<Option<Outcome>, RegistryError> {
        let registry = self.registry;
        let links = Links::new(registry, self.read, self.at);
        let issuer = links.named(issuer)?;
        let kept = match id {
            Some(id) => registry.kept_endorsement(self.read, id, issuer.id())?,
            None => None,
        };
        if let Some(id) = kept {
            let link = links.link(id, registry.endorsement_record(self.read, id)?)?;
            if link.endorser == issuer {
                return Ok(Some(link.outcome()));
            }
        }
        links.accreditor(&issuer)
    }

    /// Who stands behind a thing for what is wanted of it, and what of that was of weight.
    fn backing(
        &self,
        links: &Links<'_>,
        subject: &Who,
        question: &Question,
        wanted: Option<WantedOf<'_>>,
    ) -> Result<(Backing, Limits), RegistryError> {
        let Some(wanted) = wanted else {
            let anything = Wanted::default();
            return self
                .registry
                .backing_for(links, subject, question, anything);
        };
        let need = Need {
            awarded: wanted.awarded,
            ..self
                .registry
                .need_of(self.read, self.at, wanted.achievement)?
        };
        let wanted = Wanted {
            kind: Some(wanted.kind),
            role: wanted.role,
            need: Some(&need),
        };
        self.registry.backing_for(links, subject, question, wanted)
    }

    /// A list of ours in a form that has a URL of its own. It is checked as anybody's is, so that a
    /// credential that points there learns what others read.
    fn hosted_list(&self, place: (ListId, ListForm), url: &str) -> Result<Fetched, StatusError> {
        let list = match self.at {
            Some(_) => Err("of the past, ask by its Bitstring Status List".to_owned()),
            None => (self.registry.list_as_it_is(place)).map_err(|error| error.to_string()),
        };
        let (url, body) = (url.to_owned(), list.map(|list| list.body.to_vec()));
        match body {
            Ok(body) => Ok(Fetched { url, body }),
            Err(reason) => Err(StatusError::Retrieval { list: url, reason }),
        }
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
        let said = self
            .registry
            .entry_then(self.read, id, &record, index, self.at)
            .map_err(failed)?
            .map_err(|_| StatusError::Retrieval {
                list: entry.list.clone(),
                reason: "what it said at that moment is not held here".to_owned(),
            })?;
        let message = entry.message(said.status);
        Ok(StatusResult::of(said.purpose, said.status, message))
    }
}

/// A link of a path, as a report tells it.
fn link_in_words(link: &PathLink) -> String {
    let PathLink {
        endorser, subject, ..
    } = link;
    format!("{endorser} endorses {subject}: {}", link.outcome.as_str())
}
