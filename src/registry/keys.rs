//! Keys of profiles: made here, sealed at rest, listed in the controller document.

use serde_json::Value;

use super::profiles::document_digest;
use super::{Change, Registry, RegistryError, Thing};
use crate::ids::{KeyId, ProfileId, Slug};
use crate::store::engine::{Batch, Read};
use crate::store::event::EventKind;
use crate::store::past::stage_past_state;
use crate::store::tables::{
    DIRTY_LISTS, IdForm, KEYS, KeyRecord, LIST_STATES, LISTS, ListState, PROFILES, ProfileRecord,
    TO_SIGN_AGAIN,
};
use crate::time::Timestamp;
use crate::vc::controller::{Method, controller_document, did_document, jwk_fragment};
use crate::vc::keys::{PublicKey, SigningKey};
use crate::vc::sealing::KeyPlace;

/// A key as it is shown to its owner.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// Its number.
    pub id: KeyId,
    /// The verification method by which proofs name it.
    pub verification_method: String,
    /// The public key as a Multikey.
    pub public_key_multibase: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// Since when it signs no more; what it signed stays good.
    pub retired_at: Option<Timestamp>,
    /// Since when it may have been in wrong hands.
    pub revoked_since: Option<Timestamp>,
}

impl Registry {
    /// The keys of a profile, oldest first.
    pub fn keys(&self, slug: &Slug) -> Result<Vec<KeyView>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let profile = self.profile_id(&*snapshot, slug)?;
        let record = self.profile_record(&*snapshot, profile)?;
        let rows = keys_of(&*snapshot, profile)?;
        rows.iter()
            .map(|(id, key)| view(&record, *id, key))
            .collect()
    }

    /// Makes another key. It stands in the controller document from now on, and signs once
    /// verifiers have had time to see it there.
    pub fn make_key(&self, change: &Change, slug: &Slug) -> Result<KeyView, RegistryError> {
        let id = self.transact(change, |tx| {
            let profile = self.profile_id(tx.read, slug)?;
            change.actor.must_speak_for(profile)?;
            let record = self.profile_record(tx.read, profile)?;
            rotatable(&record)?;
            let signs_from = tx.now.plus(self.settings.key_notice);
            let id = self.stage_key(&mut tx.batch, profile, &record, tx.now, signs_from)?;
            tx.log(EventKind::KeyMade { profile, key: id });
            Ok(id)
        })?;
        self.key(slug, id)
    }

    /// Takes a key out of use. It stays listed, so what it signed stays good.
    pub fn retire_key(
        &self,
        change: &Change,
        slug: &Slug,
        key: KeyId,
    ) -> Result<KeyView, RegistryError> {
        self.transact(change, |tx| {
            let (profile, before) = self.key_for_change(tx.read, change, slug, key)?;
            if before.revoked_since.is_some() || before.retired_at.is_some() {
                return Err(RegistryError::Key(format!("{key} is out of use already")));
            }
            let others = keys_of(tx.read, profile)?;
            let Some((other, used)) = another_that_signs(&others, key, tx.now) else {
                let words = "no other key of this profile signs yet; make one first, and retire \
                             this one once the new one is in use";
                return Err(RegistryError::Key(words.into()));
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
            Ok(())
        })?;
        self.key(slug, key)
    }

    /// Declares that a key may have been in wrong hands since `since`. No proof by it is good any
    /// more, but for those that are known to have been made here before; every list and endorsement
    /// here that it signed is signed again.
    pub fn revoke_key(
        &self,
        change: &Change,
        slug: &Slug,
        key: KeyId,
        since: Timestamp,
    ) -> Result<KeyView, RegistryError> {
        let profile = self.transact(change, |tx| {
            let (profile, before) = self.key_for_change(tx.read, change, slug, key)?;
            let record = self.profile_record(tx.read, profile)?;
            rotatable(&record)?;
            if since > tx.now {
                let detail = "a moment that is not in the future is needed";
                return Err(RegistryError::invalid("/since", detail));
            }
            let since = before.revoked_since.map_or(since, |known| known.min(since));
            let after = KeyRecord {
                revoked_since: Some(since),
                ..before.clone()
            };
            KEYS.expect(&mut tx.batch, &(profile, key), Some(&before));
            KEYS.put(&mut tx.batch, &(profile, key), &after);
            tx.log(EventKind::KeyRevoked {
                profile,
                key,
                since,
            });
            let others = keys_of(tx.read, profile)?;
            match another_that_signs(&others, key, tx.now) {
                Some((other, used)) => KEYS.expect(&mut tx.batch, &(profile, *other), Some(used)),
                None => {
                    // Nothing could be signed any more: a new key signs at once.
                    let id = self.stage_key(&mut tx.batch, profile, &record, tx.now, tx.now)?;
                    tx.log(EventKind::KeyMade { profile, key: id });
                }
            }
            TO_SIGN_AGAIN.put(&mut tx.batch, &profile, &());
            for (list, _) in LISTS.scan(tx.read, &profile.0.to_be_bytes(), None, usize::MAX)? {
                if let Some(state) = LIST_STATES.get(tx.read, &list)? {
                    // The same revision, at another time: a publication under way starts over.
                    LIST_STATES.expect(&mut tx.batch, &list, Some(&state));
                    let touched = ListState {
                        changed_at: tx.now.max(state.changed_at),
                        ..state
                    };
                    stage_past_state(&mut tx.batch, list, &state, touched.changed_at);
                    LIST_STATES.put(&mut tx.batch, &list, &touched);
                    DIRTY_LISTS.put(&mut tx.batch, &list, &());
                    tx.dirty.push(list);
                }
            }
            Ok(profile)
        })?;
        self.sign_endorsements_again(profile)?;
        self.key(slug, key)
    }

    /// The DID document of a profile, or its controller document where its id is a URL, with its
    /// entity tag.
    pub fn controller_document(&self, slug: &Slug) -> Result<(Value, String), RegistryError> {
        let snapshot = self.engine.snapshot();
        let profile = self.profile_id(&*snapshot, slug)?;
        let record = self.profile_record(&*snapshot, profile)?;
        let document = self.controller_document_of(&*snapshot, profile, &record)?;
        let etag = document_digest(&document);
        Ok((document, etag))
    }

    pub(super) fn controller_document_of(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        record: &ProfileRecord,
    ) -> Result<Value, RegistryError> {
        let methods = self.methods(read, profile, record)?;
        let url = self.urls().profile(&record.slug);
        Ok(match record.id_form {
            IdForm::Https => controller_document(&record.issuer_id, &methods, &[]),
            IdForm::DidWeb | IdForm::DidKey => did_document(&record.issuer_id, &methods, &[url]),
        })
    }

    /// A profile's keys as verification methods.
    pub(super) fn methods(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        record: &ProfileRecord,
    ) -> Result<Vec<Method>, RegistryError> {
        let method = |(id, key): &(KeyId, KeyRecord)| {
            let revoked = key.revoked_since;
            Ok(Method {
                fragment: fragment(record, *id),
                key: public(key)?,
                revoked,
            })
        };
        keys_of(read, profile)?.iter().map(method).collect()
    }

    /// A profile's keys as JSON Web Keys, each with the `kid` that JWTs name it by and the
    /// `iss` that it signs for.
    pub fn json_web_keys(&self, slug: &Slug) -> Result<Vec<Value>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let profile = self.profile_id(&*snapshot, slug)?;
        let record = self.profile_record(&*snapshot, profile)?;
        let usable = keys_of(&*snapshot, profile)?;
        let usable = usable.iter().filter(|(_, key)| key.revoked_since.is_none());
        usable
            .map(|(id, key)| {
                let mut jwk = public(key)?.to_jwk();
                jwk["kid"] = jwt_method(&record, *id).into();
                jwk["iss"] = record.issuer_id.clone().into();
                Ok(jwk)
            })
            .collect()
    }

    /// A fresh key, sealed for its place, and its public half.
    pub(super) fn new_key(
        &self,
        profile: ProfileId,
        id: KeyId,
        made_at: Timestamp,
        signs_from: Timestamp,
    ) -> Result<(KeyRecord, PublicKey), RegistryError> {
        let secret = SigningKey::generate(&*self.entropy);
        let sealed = self
            .master
            .seal(KeyPlace { profile, key: id }, &secret, &*self.entropy);
        let public = secret.public();
        let record = KeyRecord {
            public: *public.as_bytes(),
            sealed: sealed.as_bytes().to_vec(),
            made_at,
            signs_from,
            retired_at: None,
            revoked_since: None,
        };
        Ok((record, public))
    }

    fn stage_key(
        &self,
        batch: &mut Batch,
        profile: ProfileId,
        record: &ProfileRecord,
        made_at: Timestamp,
        signs_from: Timestamp,
    ) -> Result<KeyId, RegistryError> {
        let id = KeyId(record.keys + 1);
        let (key, _) = self.new_key(profile, id, made_at, signs_from)?;
        KEYS.put(batch, &(profile, id), &key);
        PROFILES.expect(batch, &profile, Some(record));
        PROFILES.put(
            batch,
            &profile,
            &ProfileRecord {
                keys: id.0,
                ..record.clone()
            },
        );
        Ok(id)
    }

    fn key(&self, slug: &Slug, key: KeyId) -> Result<KeyView, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Key, key.to_string());
        self.keys(slug)?
            .into_iter()
            .find(|view| view.id == key)
            .ok_or_else(none)
    }

    fn key_for_change(
        &self,
        read: &dyn Read,
        change: &Change,
        slug: &Slug,
        key: KeyId,
    ) -> Result<(ProfileId, KeyRecord), RegistryError> {
        let profile = self.profile_id(read, slug)?;
        change.actor.must_speak_for(profile)?;
        let none = || RegistryError::NotFound(Thing::Key, key.to_string());
        Ok((profile, KEYS.get(read, &(profile, key))?.ok_or_else(none)?))
    }
}

/// A key beside `key` that signs at this moment.
fn another_that_signs(
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
fn rotatable(record: &ProfileRecord) -> Result<(), RegistryError> {
    if record.id_form != IdForm::DidKey {
        return Ok(());
    }
    let words = "the id of this profile is a did:key, which is its one key; register a profile \
                 with another form of id to be able to change keys";
    Err(RegistryError::Key(words.into()))
}

pub(super) fn keys_of(
    read: &dyn Read,
    profile: ProfileId,
) -> Result<Vec<(KeyId, KeyRecord)>, RegistryError> {
    let rows = KEYS.scan(read, &profile.0.to_be_bytes(), None, usize::MAX)?;
    Ok(rows.into_iter().map(|((_, id), key)| (id, key)).collect())
}

pub(super) fn signs_at(key: &KeyRecord, at: Timestamp) -> bool {
    key.signs_from <= at && key.retired_at.is_none() && key.revoked_since.is_none()
}

pub(super) fn public(key: &KeyRecord) -> Result<PublicKey, RegistryError> {
    PublicKey::from_bytes(&key.public).map_err(|error| RegistryError::Key(error.to_string()))
}

/// What stands behind `#` in the verification method.
fn fragment(record: &ProfileRecord, id: KeyId) -> String {
    match record.id_form {
        IdForm::DidKey => record.issuer_id.trim_start_matches("did:key:").to_owned(),
        IdForm::DidWeb | IdForm::Https => id.to_string(),
    }
}

pub(super) fn method(record: &ProfileRecord, id: KeyId) -> String {
    format!("{}#{}", record.issuer_id, fragment(record, id))
}

/// The verification method by which JWTs name the key: the one that holds it as a JSON Web Key. A
/// `did:key` has no such.
pub(super) fn jwt_method(record: &ProfileRecord, id: KeyId) -> String {
    match record.id_form {
        IdForm::DidKey => method(record, id),
        IdForm::DidWeb | IdForm::Https => {
            let fragment = jwk_fragment(&fragment(record, id));
            format!("{}#{fragment}", record.issuer_id)
        }
    }
}

fn view(record: &ProfileRecord, id: KeyId, key: &KeyRecord) -> Result<KeyView, RegistryError> {
    Ok(KeyView {
        id,
        verification_method: method(record, id),
        public_key_multibase: public(key)?.to_multikey(),
        made_at: key.made_at,
        signs_from: key.signs_from,
        retired_at: key.retired_at,
        revoked_since: key.revoked_since,
    })
}
