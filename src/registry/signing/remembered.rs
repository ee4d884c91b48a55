//! What is remembered of signatures: each that a change hands out has a row in [`SIGNATURES`],
//! written in the batch of that change, and so before the moment at which the key can be found
//! revoked. A store that an older program wrote has no rows for what it signed: that is then not
//! known.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Signed;
use crate::ids::{KeyId, ProfileId};
use crate::registry::profiles::identity::Controller;
use crate::registry::profiles::keys::public;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::{Batch, Read};
use crate::store::tables::{Digest, KEYS, SIGNATURES, SignatureRecord};
use crate::time::Timestamp;
use crate::vc::jwt::CredentialJwt;
use crate::vc::keys::PublicKey;
use crate::vc::securing::Secured;

/// A signature as a verifier holds it.
#[derive(Debug, Clone, Copy)]
pub(in crate::registry) enum Held<'a> {
    /// A proof, the object alone and whole.
    Proof(&'a Value),
    /// A compact JWS.
    Jws(&'a str),
}

/// What is known of a signature that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) struct SignedHere {
    /// For whom.
    pub(in crate::registry) profile: ProfileId,
    /// With which of its keys.
    pub(in crate::registry) key: KeyId,
    /// The verification method by which signatures of this form name that key.
    pub(in crate::registry) method: String,
    /// The key's public half.
    pub(in crate::registry) public: PublicKey,
    /// When, by the registry's clock; not by what the proof says of itself.
    pub(in crate::registry) at: Timestamp,
    /// Since when the key may have been in wrong hands, where it was given up.
    pub(in crate::registry) revoked_since: Option<Timestamp>,
}

impl Registry {
    /// What is known of a signature, where a change here made it. `None` is no verdict: somebody
    /// else made it, or a program that kept no such rows. Whether the signature fits its document
    /// is for the caller to check.
    pub(in crate::registry) fn signed_here(
        &self,
        read: &dyn Read,
        held: Held<'_>,
    ) -> Result<Option<SignedHere>, RegistryError> {
        let Some(digest) = held.digest() else {
            return Ok(None);
        };
        let Some(row) = SIGNATURES.get(read, &digest)? else {
            return Ok(None);
        };
        let SignatureRecord { profile, key, at } = row;
        let Some(record) = KEYS.get(read, &(profile, key))? else {
            return Ok(None);
        };
        let owner = self.controller(read, profile)?;
        Ok(Some(SignedHere {
            profile,
            key,
            method: match held {
                Held::Proof(_) => owner.method(key),
                Held::Jws(_) => owner.jwt_method(key),
            },
            public: public(&record)?,
            at,
            revoked_since: record.revoked_since,
        }))
    }

    /// What is remembered of the signature under a document.
    pub(in crate::registry) fn remembered(
        &self,
        read: &dyn Read,
        secured: &Secured,
    ) -> Result<Option<SignatureRecord>, RegistryError> {
        let digest = Held::of(secured).digest();
        let row = digest.map(|digest| SIGNATURES.get(read, &digest));
        Ok(row.transpose()?.flatten())
    }

    /// Whether a document says of itself that this key signed it.
    pub(in crate::registry) fn names_key(
        &self,
        owner: &Controller,
        key: KeyId,
        secured: &Secured,
    ) -> bool {
        match secured {
            Secured::Embedded(document) => {
                document["proof"]["verificationMethod"] == owner.method(key)
            }
            Secured::Jwt(jwt) => {
                let read = CredentialJwt::parse(jwt.as_str());
                let named = read
                    .as_ref()
                    .ok()
                    .and_then(|jwt| jwt.header().kid.as_deref());
                named == Some(&*owner.jwt_method(key))
            }
        }
    }
}

impl<'a> Held<'a> {
    /// The signature under a document.
    pub(super) fn of(secured: &'a Secured) -> Self {
        match secured {
            Secured::Embedded(document) => Self::Proof(&document["proof"]),
            Secured::Jwt(jwt) => Self::Jws(jwt.as_str()),
        }
    }
}

impl Held<'_> {
    /// What a signature is remembered by: SHA-256 of the proof in canonical JSON (RFC 8785), so
    /// that the order of its members does not matter, or of the compact JWS. The signature itself
    /// is in it, and only the document that was signed fits that. `None` for what has no canonical
    /// form, and so was not made here.
    pub(super) fn digest(self) -> Option<Digest> {
        Some(match self {
            Self::Proof(proof) => {
                let canonical = serde_json_canonicalizer::to_vec(proof).ok()?;
                Sha256::digest(&canonical).into()
            }
            Self::Jws(text) => Sha256::digest(text.as_bytes()).into(),
        })
    }
}

/// Stages the row of a signature. The same signature made twice, within one second over the same
/// document, keeps its first row.
pub(super) fn remember(
    read: &dyn Read,
    batch: &mut Batch,
    signed: &Signed,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let digest = signed.digest();
    if SIGNATURES.get(read, &digest)?.is_none() {
        let (profile, key) = signed.key;
        SIGNATURES.expect(batch, &digest, None);
        SIGNATURES.put(batch, &digest, &SignatureRecord { profile, key, at });
    }
    Ok(())
}
