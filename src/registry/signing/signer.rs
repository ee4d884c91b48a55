//! Who makes the signatures of a key: the registry itself with the secret that it keeps sealed, or
//! its owner elsewhere, of whom the registry holds the public half alone.
//!
//! A further place for secrets, such as a device that keeps them, is a further [`Signer`] that
//! [`Registry::signer_of`] makes. Nothing else knows where secrets are but [`is_elsewhere`].

use serde_json::{Map, Value};

use super::unsignable;
use crate::ids::{KeyId, ProfileId};
use crate::registry::profiles::identity::Controller;
use crate::registry::profiles::keys::{keys_of, public, signs_at};
use crate::registry::{Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::KeyRecord;
use crate::time::Timestamp;
use crate::vc::controller::Relationship;
use crate::vc::jws::{self, Jws, NewHeader};
use crate::vc::jwt::{CredentialJwt, sign_credential};
use crate::vc::keys::{Signer, SigningKey};
use crate::vc::proof::{self, ProofOptions, Suite};
use crate::vc::sealing::KeyPlace;
use crate::vc::securing::Secured;
use crate::vc::verifying::VerifyingKey;

/// Whether the secret of a key is its owner's alone: it was brought along, and nothing can be
/// signed with it here.
pub(in crate::registry) const fn is_elsewhere(key: &KeyRecord) -> bool {
    key.sealed.is_empty()
}

impl Registry {
    /// The newest key that signs for `owner` at this moment, ready to do so.
    ///
    /// # Errors
    /// [`RegistryError::SignedElsewhere`] where the owner has it elsewhere.
    pub(super) fn signer(
        &self,
        read: &dyn Read,
        owner: &Controller,
    ) -> Result<(KeyId, KeyRecord, Ready), RegistryError> {
        let now = self.now();
        let (id, key) = newest_that_signs(read, owner, now)?;
        let ready = Ready {
            signer: self.signer_of(owner, id, &key)?,
            public: public(&key)?.into(),
            now,
        };
        Ok((id, key, ready))
    }

    /// Whether what is signed for somebody is signed elsewhere at this moment, and handed in.
    pub(in crate::registry) fn signs_elsewhere(
        &self,
        read: &dyn Read,
        profile: ProfileId,
    ) -> Result<bool, RegistryError> {
        let (keys, now) = (keys_of(read, profile)?, self.now());
        let signs = keys.iter().rev().find(|(_, key)| signs_at(key, now));
        // Where none signs, whoever has the last one brings the next one.
        let decides = signs.or(keys.last());
        Ok(decides.is_some_and(|(_, key)| is_elsewhere(key)))
    }

    fn signer_of(
        &self,
        owner: &Controller,
        id: KeyId,
        key: &KeyRecord,
    ) -> Result<Box<dyn Signer>, RegistryError> {
        match is_elsewhere(key) {
            true => Err(RegistryError::SignedElsewhere {
                owner: owner.id.clone(),
                key: owner.method(id),
            }),
            false => Ok(Box::new(self.open_key(owner.profile, id, key)?)),
        }
    }

    pub(super) fn open_key(
        &self,
        profile: ProfileId,
        id: KeyId,
        key: &KeyRecord,
    ) -> Result<SigningKey, RegistryError> {
        let place = KeyPlace { profile, key: id };
        self.vault().open(place, &key.sealed)
    }
}

/// The newest key that signs for somebody at a moment, wherever its secret is.
pub(in crate::registry) fn newest_that_signs(
    read: &dyn Read,
    owner: &Controller,
    at: Timestamp,
) -> Result<(KeyId, KeyRecord), RegistryError> {
    let keys = keys_of(read, owner.profile)?;
    let newest = keys.into_iter().rev().find(|(_, key)| signs_at(key, at));
    newest.ok_or_else(|| RegistryError::Key(format!("{} has no key that may sign", owner.id)))
}

/// A key with which something is about to be signed.
pub(super) struct Ready {
    /// What makes the signatures.
    pub(super) signer: Box<dyn Signer>,
    /// What verifiers will check with.
    pub(super) public: VerifyingKey,
    now: Timestamp,
}

impl Ready {
    /// The document with a proof of its own, verified.
    pub(super) fn embed(
        &self,
        unsigned: &Value,
        suite: Suite,
        method: String,
    ) -> Result<Secured, RegistryError> {
        let options = ProofOptions {
            suite,
            created: Some(self.now.whole_seconds()),
            ..ProofOptions::new(method)
        };
        let document = proof::sign(unsigned, &options, &*self.signer).map_err(unsignable)?;
        let purpose = Relationship::AssertionMethod;
        for made in proof::proofs(&document) {
            let made = made.map_err(unsignable)?;
            let _good = proof::verify(&document, &made, purpose, &self.public, self.now)
                .map_err(unsignable)?;
        }
        Ok(Secured::Embedded(document))
    }

    /// The document in a JWT, verified. It is safe JSON-LD like everything that is signed here.
    pub(super) fn envelop(&self, unsigned: &Value, kid: &str) -> Result<Secured, RegistryError> {
        proof::check_signable(unsigned).map_err(unsignable)?;
        let text = sign_credential(unsigned, kid, &*self.signer).map_err(unsignable)?;
        let made = CredentialJwt::parse(&text).map_err(unsignable)?;
        made.verify(&self.public).map_err(unsignable)?;
        Ok(Secured::Jwt(made.into()))
    }

    /// The claims in a JWS, verified.
    pub(super) fn state(
        &self,
        typ: &str,
        claims: &Map<String, Value>,
        kid: &str,
    ) -> Result<String, RegistryError> {
        let payload = serde_json::to_vec(claims).map_err(unsignable)?;
        let text =
            jws::sign_with(NewHeader { typ, kid }, &payload, &*self.signer).map_err(unsignable)?;
        let made = Jws::parse(&text).map_err(unsignable)?;
        made.verify(&self.public).map_err(unsignable)?;
        Ok(text)
    }
}
