//! Who signs here: profiles, and the registry itself, which has a DID and keys of its own for what
//! it states in its own name.
//!
//! The registry's first key is made with the first profile, in the same batch: its DID is that of
//! the public URL, which is recorded for good with that batch too.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::keys::{KeyOwner, keys_of};
use crate::ids::{KeyId, ProfileId};
use crate::registry::change::Tx;
use crate::registry::profiles::text_tag;
use crate::registry::standing::ready::Built;
use crate::registry::{Actor, Change, PUBLIC_URL, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{IdForm, PROFILES, ProfileRecord, SETTINGS};
use crate::vc::controller::jwk_fragment;

/// The keys that stand at the host's one place for keys: those of the registry, and those of
/// profiles whose id is a URL on this host.
#[derive(Debug)]
pub struct KeySet {
    /// A JWK set (RFC 7517 section 5); each key says by `iss` whom it signs for.
    pub document: Bytes,
    /// Strong entity tag, with its quotes.
    pub etag: String,
    /// How many keys there are.
    pub keys: usize,
}

/// Somebody with keys here, and how verification methods name them.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Controller {
    /// Whose the keys are in the store.
    pub(in crate::registry) profile: ProfileId,
    /// The id that verification methods start with: `issuer.id`, or the registry's DID.
    pub(in crate::registry) id: String,
    /// Which form of id that is.
    pub(in crate::registry) form: IdForm,
    /// The page about them.
    pub(in crate::registry) url: String,
}

impl Controller {
    /// What stands behind `#` in the verification method.
    pub(in crate::registry) fn fragment(&self, key: KeyId) -> String {
        match self.form {
            IdForm::DidKey => self.id.trim_start_matches("did:key:").to_owned(),
            IdForm::DidWeb | IdForm::Https => key.to_string(),
        }
    }

    /// The verification method by which proofs name the key.
    pub(in crate::registry) fn method(&self, key: KeyId) -> String {
        format!("{}#{}", self.id, self.fragment(key))
    }

    /// The verification method by which JWTs name the key: the one that holds it as a JSON Web Key.
    /// A `did:key` has no such.
    pub(in crate::registry) fn jwt_method(&self, key: KeyId) -> String {
        match self.form {
            IdForm::DidKey => self.method(key),
            IdForm::DidWeb | IdForm::Https => {
                format!("{}#{}", self.id, jwk_fragment(&self.fragment(key)))
            }
        }
    }
}

/// The largest set of keys of the host, in bytes: about a million keys.
const MOST_BYTES: usize = 256 << 20;

impl Registry {
    /// The registry's own DID: `did:web` of the public URL's host, with its port where it has one.
    pub fn did(&self) -> String {
        format!("did:web:{}", self.urls().host().replace(':', "%3A"))
    }

    /// Where verifiers look for the keys of issuers whose id is a URL on this host (Open Badges 3.0,
    /// key provenance), kept ready by the rule of `registry/standing/ready.rs`. Profiles with a DID have
    /// their keys in their DID documents, and are not in it.
    ///
    /// # Errors
    /// [`RegistryError::TooMany`] where the set would be larger than is kept in memory.
    pub fn key_set(&self) -> Result<Arc<KeySet>, RegistryError> {
        self.all_keys
            .get(self, changes_keys, |read| self.gather_keys(read))
    }

    /// As [`Registry::key_set`], with every key that was given up left out at once: for verification.
    pub(in crate::registry) fn key_set_now(&self) -> Result<Arc<KeySet>, RegistryError> {
        self.all_keys
            .get_exact(self, changes_keys, |read| self.gather_keys(read))
    }

    /// Whether this is the URL of [`Registry::key_set`].
    pub(in crate::registry) fn is_key_set(&self, url: &str) -> bool {
        self.urls().within(".well-known", url) == Some("jwks.json")
    }

    fn gather_keys(&self, read: &dyn Read) -> Result<Built<KeySet>, RegistryError> {
        let own = self.controller(read, ProfileId::REGISTRY)?;
        let mut set = JoinedKeys::default();
        set.add(&self.json_web_keys_of(read, &own)?)?;
        let mut after = None;
        loop {
            let rows = PROFILES.scan(read, &[], after.as_ref(), PAGE)?;
            for (id, record) in &rows {
                if record.id_form == IdForm::Https {
                    let owner = self.controller_of(*id, record);
                    set.add(&self.json_web_keys_of(read, &owner)?)?;
                }
            }
            after = rows.last().map(|(id, _)| *id);
            if rows.len() < PAGE {
                break;
            }
        }
        let document = format!("{{\"keys\":[{}]}}", set.text);
        let value = KeySet {
            etag: text_tag(&document),
            document: document.into(),
            keys: set.count,
        };
        Ok(Built { value, until: None })
    }

    /// A profile as somebody with keys.
    pub(in crate::registry) fn controller_of(
        &self,
        profile: ProfileId,
        record: &ProfileRecord,
    ) -> Controller {
        Controller {
            profile,
            id: record.issuer_id.clone(),
            form: record.id_form,
            url: self.urls().profile(&record.slug),
        }
    }

    /// Whoever has this number, the registry among them.
    pub(in crate::registry) fn controller(
        &self,
        read: &dyn Read,
        profile: ProfileId,
    ) -> Result<Controller, RegistryError> {
        if profile != ProfileId::REGISTRY {
            let record = self.profile_record(read, profile)?;
            return Ok(self.controller_of(profile, &record));
        }
        Ok(Controller {
            profile,
            id: self.did(),
            form: IdForm::DidWeb,
            url: self.urls().origin().to_owned(),
        })
    }

    pub(in crate::registry) fn controller_named(
        &self,
        read: &dyn Read,
        owner: KeyOwner<'_>,
    ) -> Result<Controller, RegistryError> {
        let profile = match owner {
            KeyOwner::Profile(slug) => self.profile_id(read, slug)?,
            KeyOwner::Registry => ProfileId::REGISTRY,
        };
        self.controller(read, profile)
    }

    /// Stages the registry's first key, where it has none yet. It signs at once: nobody can have
    /// looked for another.
    pub(in crate::registry) fn stage_identity(&self, tx: &mut Tx<'_>) -> Result<(), RegistryError> {
        if keys_of(tx.read, ProfileId::REGISTRY)?.is_empty() {
            self.stage_key(tx, ProfileId::REGISTRY, tx.now)?;
        }
        Ok(())
    }

    /// Gives the registry its first key in a store with profiles that an older program wrote.
    pub(in crate::registry) fn complete_identity(&self) -> Result<(), RegistryError> {
        let has_profiles = SETTINGS.get(&*self.engine, &PUBLIC_URL.to_owned())?;
        if has_profiles.is_none() {
            return Ok(());
        }
        let at_start = Change::by(Actor::operator());
        self.transact(&at_start, |tx| self.stage_identity(tx))
    }
}

/// How many rows are looked at in one go.
const PAGE: usize = 1_024;

/// Which events make the set of the host's keys another one.
const fn changes_keys(kind: &EventKind) -> bool {
    match kind {
        EventKind::ProfileCreated { .. }
        | EventKind::KeyMade { .. }
        | EventKind::KeyRevoked { .. } => true,
        // A retired key stays in the set.
        EventKind::KeyRetired { .. }
        | EventKind::DataKeyMade { .. }
        | EventKind::MasterKeyRotated { .. }
        | EventKind::StoreTaken { .. }
        | EventKind::SpaceSealed { .. }
        | EventKind::RotationBegun { .. }
        | EventKind::RotationDone { .. }
        | EventKind::ProfileChanged { .. }
        | EventKind::AchievementCreated { .. }
        | EventKind::AchievementChanged { .. }
        | EventKind::SpaceOpened { .. }
        | EventKind::ListOpened { .. }
        | EventKind::EntriesAllocated { .. }
        | EventKind::StatusChanged { .. }
        | EventKind::ListPublished { .. }
        | EventKind::ListSigned { .. }
        | EventKind::ListImported { .. }
        | EventKind::EndorsementIssued { .. }
        | EventKind::EndorsementStatus { .. }
        | EventKind::EndorsementImported { .. }
        | EventKind::AccreditorStanding { .. }
        | EventKind::Request { .. }
        | EventKind::CredentialIssued { .. }
        | EventKind::Codes { .. }
        | EventKind::TokenMade { .. }
        | EventKind::TokenRevoked { .. }
        | EventKind::Client { .. }
        | EventKind::Person { .. }
        | EventKind::Erased { .. } => false,
    }
}

/// The keys of a set while it is put together.
#[derive(Default)]
struct JoinedKeys {
    text: String,
    count: usize,
}

impl JoinedKeys {
    fn add(&mut self, keys: &[Value]) -> Result<(), RegistryError> {
        for key in keys {
            if self.count > 0 {
                self.text.push(',');
            }
            self.text += &key.to_string();
            self.count += 1;
        }
        if self.text.len() > MOST_BYTES {
            let words = format!(
                "the keys of this host are too many for one set of at most {MOST_BYTES} bytes; \
                 each profile has its own at /profiles/PROFILE/jwks.json"
            );
            return Err(RegistryError::TooMany(words));
        }
        Ok(())
    }
}
