//! Keys of profiles and of the registry itself: made here, sealed at rest, listed in the controller
//! document.

use serde_json::Value;

use super::identity::Controller;
use super::rotation::stage_no_rotation_to;
use crate::access::Action;
use crate::ids::{KeyId, ProfileId, Slug};
use crate::registry::change::Tx;
use crate::registry::epoch::{Passed, passed_over};
use crate::registry::profiles::document_digest;
use crate::registry::signing::is_elsewhere;
use crate::registry::{Change, Registry, RegistryError, Thing};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{IdForm, KEYS, KeyRecord, PROFILES, ProfileRecord};
use crate::time::Timestamp;
use crate::vc::controller::{Method, controller_document, did_document};
use crate::vc::keys::{PublicKey, SigningKey};
use crate::vc::sealing::KeyPlace;

/// Whose keys are meant.
#[derive(Debug, Clone, Copy)]
pub enum KeyOwner<'a> {
    /// Those of a profile.
    Profile(&'a Slug),
    /// The registry's own, with which it signs its statements. They are the operator's to change.
    Registry,
}

impl<'a> From<&'a Slug> for KeyOwner<'a> {
    fn from(slug: &'a Slug) -> Self {
        Self::Profile(slug)
    }
}

/// A key as it is shown to its owner.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// Its number.
    pub id: KeyId,
    /// The verification method by which proofs name it.
    pub verification_method: String,
    /// The public key as a Multikey.
    pub public_key_multibase: String,
    /// The public key as a JSON Web Key, with the `kid` that JWTs name it by and the `iss` that it
    /// signs for.
    pub jwk: Value,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Since when it signs no more; what it signed stays good.
    pub retired_at: Option<Timestamp>,
    /// Since when it may have been in wrong hands.
    pub revoked_since: Option<Timestamp>,
    /// Whether its secret is kept here; otherwise its owner signs elsewhere.
    pub managed: bool,
}

impl Registry {
    /// The keys of a profile or of the registry, oldest first.
    pub fn keys<'a>(&self, owner: impl Into<KeyOwner<'a>>) -> Result<Vec<KeyView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let owner = self.controller_named(&*snapshot, owner.into())?;
        let rows = keys_of(&*snapshot, owner.profile)?;
        rows.iter()
            .map(|(id, key)| view(&owner, *id, key))
            .collect()
    }

    /// Makes another key. It stands in the controller document from now on, and signs once
    /// verifiers have had time to see it there.
    pub fn make_key<'a>(
        &self,
        change: &Change,
        owner: impl Into<KeyOwner<'a>>,
    ) -> Result<KeyView, RegistryError> {
        let owner = owner.into();
        let id = self.transact(change, |tx| {
            let owner = self.controller_for_change(tx.read, change, owner)?;
            rotatable(&owner)?;
            let signs_from = self.first_use(tx, owner.profile)?;
            self.stage_key(tx, owner.profile, signs_from)
        })?;
        self.key(owner, id)
    }

    /// From when on a key signs that is made or brought now: after its notice, and at once where no
    /// other signs, as where one that was brought along is lost.
    pub(super) fn first_use(
        &self,
        tx: &Tx<'_>,
        profile: ProfileId,
    ) -> Result<Timestamp, RegistryError> {
        let keys = keys_of(tx.read, profile)?;
        Ok(match keys.iter().any(|(_, key)| signs_at(key, tx.now)) {
            true => tx.now.plus(self.settings.key_notice),
            false => tx.now,
        })
    }

    /// Takes a key out of use. It stays listed, so what it signed stays good.
    pub fn retire_key<'a>(
        &self,
        change: &Change,
        owner: impl Into<KeyOwner<'a>>,
        key: KeyId,
    ) -> Result<KeyView, RegistryError> {
        let owner = owner.into();
        self.transact(change, |tx| {
            let controller = self.controller_for_change(tx.read, change, owner)?;
            let profile = controller.profile;
            let before = key_of(tx.read, profile, key)?;
            if before.revoked_since.is_some() || before.retired_at.is_some() {
                return Err(RegistryError::Key(format!("{key} is out of use already")));
            }
            let others = keys_of(tx.read, profile)?;
            let Some((other, used)) = another_that_signs(&others, key, tx.now) else {
                let words = format!(
                    "no other key of {} signs yet; make one first, and retire this one once the \
                     new one is in use",
                    controller.id
                );
                return Err(RegistryError::Key(words));
            };
            // Two keys that are retired at once must not each count on the other.
            KEYS.expect(&mut tx.batch, &(profile, *other), Some(used));
            let after = KeyRecord {
                retired_at: Some(tx.now),
                ..before.clone()
            };
            KEYS.expect(&mut tx.batch, &(profile, key), Some(&before));
            KEYS.put(&mut tx.batch, &(profile, key), &after);
            tx.log(EventKind::KeyRetired { profile, key });
            stage_no_rotation_to(tx, profile, key)?;
            Ok(())
        })?;
        self.key(owner, key)
    }

    /// The DID document of a profile, its controller document where its id is a URL, or the DID
    /// document of the registry, with its entity tag.
    pub fn controller_document<'a>(
        &self,
        owner: impl Into<KeyOwner<'a>>,
    ) -> Result<(Value, String), RegistryError> {
        let snapshot = self.engine.snapshot();
        let owner = self.controller_named(&*snapshot, owner.into())?;
        let document = self.controller_document_of(&*snapshot, &owner, None)?;
        let etag = document_digest(&document);
        Ok((document, etag))
    }

    /// The same for a verification as of `at` or now. A key that was given up later counts as given
    /// up at that moment already: whoever got hold of it dates back as they like, so that of its
    /// signatures only those are good that are known from before.
    pub(in crate::registry) fn controller_document_of(
        &self,
        read: &dyn Read,
        owner: &Controller,
        at: Option<Timestamp>,
    ) -> Result<Value, RegistryError> {
        let mut methods = self.methods(read, owner)?;
        for method in &mut methods {
            let since = method.revoked;
            method.revoked = since.map(|since| at.map_or(since, |at| since.min(at)));
        }
        Ok(match owner.form {
            IdForm::Https => controller_document(&owner.id, &methods, &[]),
            IdForm::DidWeb | IdForm::DidKey => {
                did_document(&owner.id, &methods, std::slice::from_ref(&owner.url))
            }
        })
    }

    /// Somebody's keys as verification methods.
    pub(in crate::registry) fn methods(
        &self,
        read: &dyn Read,
        owner: &Controller,
    ) -> Result<Vec<Method>, RegistryError> {
        let method = |(id, key): &(KeyId, KeyRecord)| {
            let revoked = key.revoked_since;
            Ok(Method {
                fragment: owner.fragment(*id),
                key: public(key)?,
                revoked,
            })
        };
        keys_of(read, owner.profile)?.iter().map(method).collect()
    }

    /// Somebody's keys as JSON Web Keys, but for those that were revoked, each with the `kid` that
    /// JWTs name it by and the `iss` that it signs for.
    pub fn json_web_keys<'a>(
        &self,
        owner: impl Into<KeyOwner<'a>>,
    ) -> Result<Vec<Value>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let owner = self.controller_named(&*snapshot, owner.into())?;
        self.json_web_keys_of(&*snapshot, &owner)
    }

    pub(in crate::registry) fn json_web_keys_of(
        &self,
        read: &dyn Read,
        owner: &Controller,
    ) -> Result<Vec<Value>, RegistryError> {
        let keys = keys_of(read, owner.profile)?;
        let usable = keys.iter().filter(|(_, key)| key.revoked_since.is_none());
        usable.map(|(id, key)| jwk_of(owner, *id, key)).collect()
    }

    /// A fresh key, sealed for its place, and its public half.
    pub(in crate::registry) fn new_key(
        &self,
        profile: ProfileId,
        id: KeyId,
        made_at: Timestamp,
        signs_from: Timestamp,
    ) -> Result<(KeyRecord, PublicKey), RegistryError> {
        let secret = SigningKey::generate(&*self.entropy);
        let place = KeyPlace { profile, key: id };
        let public = secret.public();
        let record = KeyRecord {
            public: *public.as_bytes(),
            sealed: self.vault().seal(place, &secret, &*self.entropy)?,
            made_at,
            signs_from,
            retired_at: None,
            revoked_since: None,
        };
        Ok((record, public))
    }

    /// Stages the next key of a profile or of the registry, with its event.
    pub(in crate::registry) fn stage_key(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        signs_from: Timestamp,
    ) -> Result<KeyId, RegistryError> {
        self.stage_next_key(tx, profile, |tx, id| {
            Ok(self.new_key(profile, id, tx.now, signs_from)?.0)
        })
    }

    /// Stages the next key, whoever makes its record.
    pub(super) fn stage_next_key(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        make: impl FnOnce(&mut Tx<'_>, KeyId) -> Result<KeyRecord, RegistryError>,
    ) -> Result<KeyId, RegistryError> {
        let passed = passed_over(tx.read, Passed::KeyNumbers)?;
        let passed = u32::try_from(passed).map_err(|_| RegistryError::Contended)?;
        let id = if profile == ProfileId::REGISTRY {
            let last = keys_of(tx.read, profile)?.last().map_or(0, |(id, _)| id.0);
            KeyId(last.max(passed) + 1)
        } else {
            let record = self.profile_record(tx.read, profile)?;
            let id = KeyId(record.keys.max(passed) + 1);
            let after = ProfileRecord {
                keys: id.0,
                changed_at: match record.id_form {
                    IdForm::Https => tx.now,
                    IdForm::DidWeb | IdForm::DidKey => record.changed_at,
                },
                ..record.clone()
            };
            PROFILES.expect(&mut tx.batch, &profile, Some(&record));
            PROFILES.put(&mut tx.batch, &profile, &after);
            id
        };
        let key = make(tx, id)?;
        KEYS.expect(&mut tx.batch, &(profile, id), None);
        KEYS.put(&mut tx.batch, &(profile, id), &key);
        tx.log(EventKind::KeyMade { profile, key: id });
        Ok(id)
    }

    /// Stages that a profile which lists its own keys is another document now.
    pub(super) fn stage_own_document(
        &self,
        tx: &mut Tx<'_>,
        controller: &Controller,
    ) -> Result<(), RegistryError> {
        if controller.form != IdForm::Https {
            return Ok(());
        }
        let record = self.profile_record(tx.read, controller.profile)?;
        let after = ProfileRecord {
            changed_at: tx.now,
            ..record.clone()
        };
        PROFILES.expect(&mut tx.batch, &controller.profile, Some(&record));
        PROFILES.put(&mut tx.batch, &controller.profile, &after);
        Ok(())
    }

    pub(super) fn key(&self, owner: KeyOwner<'_>, key: KeyId) -> Result<KeyView, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Key, key.to_string());
        self.keys(owner)?
            .into_iter()
            .find(|view| view.id == key)
            .ok_or_else(none)
    }

    /// Whose keys are to be changed, where the actor may do that. The registry's first key is made
    /// with its first profile: before that its DID is not settled.
    pub(super) fn controller_for_change(
        &self,
        read: &dyn Read,
        change: &Change,
        owner: KeyOwner<'_>,
    ) -> Result<Controller, RegistryError> {
        let controller = self.controller_named(read, owner)?;
        match owner {
            KeyOwner::Profile(_) => change.actor.must(Action::WriteKeys, controller.profile)?,
            KeyOwner::Registry => {
                change.actor.must_operate()?;
                if keys_of(read, controller.profile)?.is_empty() {
                    let words = "the registry gets its first key with its first profile; register \
                                 one first";
                    return Err(RegistryError::Key(words.into()));
                }
            }
        }
        Ok(controller)
    }
}

/// A key beside `key` that signs at this moment.
pub(super) fn another_that_signs(
    keys: &[(KeyId, KeyRecord)],
    key: KeyId,
    at: Timestamp,
) -> Option<(&KeyId, &KeyRecord)> {
    let found = keys
        .iter()
        .find(|(id, other)| *id != key && signs_at(other, at));
    found.map(|(id, other)| (id, other))
}

/// A `did:key` is its key: there can be no other.
pub(super) fn rotatable(owner: &Controller) -> Result<(), RegistryError> {
    if owner.form != IdForm::DidKey {
        return Ok(());
    }
    let words = "the id of this profile is a did:key, which is its one key; register a profile \
                 with another form of id to be able to change keys";
    Err(RegistryError::Key(words.into()))
}

pub(in crate::registry) fn keys_of(
    read: &dyn Read,
    profile: ProfileId,
) -> Result<Vec<(KeyId, KeyRecord)>, RegistryError> {
    let rows = KEYS.scan(read, &profile.0.to_be_bytes(), None, usize::MAX)?;
    Ok(rows.into_iter().map(|((_, id), key)| (id, key)).collect())
}

pub(super) fn key_of(
    read: &dyn Read,
    profile: ProfileId,
    key: KeyId,
) -> Result<KeyRecord, RegistryError> {
    let none = || RegistryError::NotFound(Thing::Key, key.to_string());
    KEYS.get(read, &(profile, key))?.ok_or_else(none)
}

pub(in crate::registry) fn signs_at(key: &KeyRecord, at: Timestamp) -> bool {
    key.signs_from <= at && key.retired_at.is_none() && key.revoked_since.is_none()
}

pub(in crate::registry) fn public(key: &KeyRecord) -> Result<PublicKey, RegistryError> {
    PublicKey::from_bytes(&key.public).map_err(|error| RegistryError::Key(error.to_string()))
}

fn view(owner: &Controller, id: KeyId, key: &KeyRecord) -> Result<KeyView, RegistryError> {
    Ok(KeyView {
        id,
        verification_method: owner.method(id),
        public_key_multibase: public(key)?.to_multikey(),
        jwk: jwk_of(owner, id, key)?,
        made_at: key.made_at,
        signs_from: key.signs_from,
        retired_at: key.retired_at,
        revoked_since: key.revoked_since,
        managed: !is_elsewhere(key),
    })
}

fn jwk_of(owner: &Controller, id: KeyId, key: &KeyRecord) -> Result<Value, RegistryError> {
    let mut jwk = public(key)?.to_jwk();
    jwk["kid"] = owner.jwt_method(id).into();
    jwk["iss"] = owner.id.clone().into();
    Ok(jwk)
}
