//! Signing for profiles, and the memory of it: what this registry signed can be told from what a
//! thief of the key signed, whatever date a proof gives itself.
//!
//! `signer` is who makes the signatures, `remembered` what is kept of them, `statements` what the
//! registry says in its own name, `again` what follows when a key was lost, and `handed_in` how
//! what was signed elsewhere is checked.

mod again;
mod handed_in;
mod remembered;
mod signer;
mod statements;

use serde_json::Value;

use super::change::Tx;
use super::{EndorsementView, Registry, RegistryError};
use crate::bitstring::MAXIMUM_BITS;
use crate::ids::{KeyId, ProfileId};
use crate::status::{SignedCwt, TokenListToPublish};
use crate::store::engine::Read;
use crate::store::tables::{Digest, KEYS, KeyRecord, ProfileRecord};
use crate::vc::jws::Jws;
use crate::vc::proof::Suite;
use crate::vc::securing::{Secured, Securing};
use remembered::remember;

pub(super) use handed_in::SignedBy;
pub(super) use remembered::Held;
pub(super) use signer::{is_elsewhere, newest_that_signs};
pub use statements::StatementCheck;

/// A signed document, and the key that signed it as it was then.
pub(super) struct Signed {
    pub(super) secured: Secured,
    key: (ProfileId, KeyId),
    record: KeyRecord,
}

impl Registry {
    /// Signs a document as a profile, and verifies the signature before it goes anywhere.
    pub(super) fn sign(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        record: &ProfileRecord,
        unsigned: &Value,
        securing: Securing,
    ) -> Result<Signed, RegistryError> {
        let owner = self.controller_of(profile, record);
        let (id, key, signer) = self.signer(read, &owner)?;
        let method = owner.method(id);
        let secured = match securing {
            Securing::EddsaRdfc2022 => signer.embed(unsigned, Suite::EddsaRdfc2022, method)?,
            Securing::EddsaJcs2022 => signer.embed(unsigned, Suite::EddsaJcs2022, method)?,
            Securing::VcJwt => signer.envelop(unsigned, &owner.jwt_method(id))?,
        };
        Ok(Signed {
            secured,
            key: (profile, id),
            record: key,
        })
    }

    /// A token list as a JWT and as a CWT, each verified before it goes anywhere.
    pub(super) fn sign_token_list(
        &self,
        read: &dyn Read,
        (profile, record): (ProfileId, &ProfileRecord),
        list: &TokenListToPublish<'_>,
    ) -> Result<(String, Vec<u8>), RegistryError> {
        let owner = self.controller_of(profile, record);
        let (id, _, signer) = self.signer(read, &owner)?;
        let kid = owner.jwt_method(id);
        let jwt = list.to_jwt_by(&kid, &*signer.signer).map_err(unsignable)?;
        let made = Jws::parse(&jwt).map_err(unsignable)?;
        made.verify(&signer.public).map_err(unsignable)?;
        let cwt = list.to_cwt_by(&kid, &*signer.signer).map_err(unsignable)?;
        let made = SignedCwt::parse(&cwt).map_err(unsignable)?;
        made.verify(&signer.public, (MAXIMUM_BITS / 8) as usize)
            .map_err(unsignable)?;
        Ok((jwt, cwt))
    }

    /// As [`Registry::sign`], for what is written with this change: it is written only if the key
    /// still is what it was, so that nothing goes out under one that was revoked meanwhile, and
    /// the signature is remembered with it.
    pub(super) fn sign_in(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        record: &ProfileRecord,
        unsigned: &Value,
        securing: Securing,
    ) -> Result<Signed, RegistryError> {
        let signed = self.sign(tx.read, profile, record, unsigned, securing)?;
        KEYS.expect(&mut tx.batch, &signed.key, Some(&signed.record));
        remember(tx.read, &mut tx.batch, &signed, tx.now)?;
        Ok(signed)
    }

    /// An endorsement as a JWT: its own, or one of the same claims by the key that signs now. The
    /// same claims and key give the same JWT each time, so that none is kept, nor remembered as
    /// signed: whoever holds one by a key that was lost can fetch another here. None of one that
    /// was issued or is signed elsewhere with another proof: nothing is signed in others' names.
    pub fn endorsement_jwt(&self, view: &EndorsementView) -> Result<Option<String>, RegistryError> {
        let secured = view.credential.secured();
        match (&secured, &view.imported) {
            (Secured::Embedded(_), Some(_)) => Ok(None),
            _ => {
                let snapshot = self.engine.snapshot();
                let owner = view.id.owner();
                if secured.securing() != Securing::VcJwt
                    && self.signs_elsewhere(&*snapshot, owner)?
                {
                    return Ok(None);
                }
                self.jwt_of(&*snapshot, owner, &secured).map(Some)
            }
        }
    }

    /// As [`Registry::endorsement_jwt`], of one that was issued here.
    pub(super) fn jwt_of(
        &self,
        read: &dyn Read,
        owner: ProfileId,
        secured: &Secured,
    ) -> Result<String, RegistryError> {
        if let Secured::Jwt(jwt) = secured {
            return Ok(jwt.as_str().to_owned());
        }
        let record = self.profile_record(read, owner)?;
        let signed = self.sign(read, owner, &record, &secured.unsigned(), Securing::VcJwt)?;
        match signed.secured {
            Secured::Jwt(jwt) => Ok(jwt.as_str().to_owned()),
            Secured::Embedded(_) => unreachable!("a JWT was asked for"),
        }
    }
}

impl Signed {
    /// The signature, as a verifier will hold it.
    fn held(&self) -> Held<'_> {
        Held::of(&self.secured)
    }

    /// What the signature is remembered by.
    pub(super) fn digest(&self) -> Digest {
        let digest = self.held().digest();
        digest.expect("what was signed here has a canonical form")
    }
}

fn unsignable(error: impl std::fmt::Display) -> RegistryError {
    RegistryError::Unsignable(error.to_string())
}

/// An endorsement as its row holds it: the credential with its proof, or the JWT's envelope. It is
/// shown as it is, and read by those who need more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEndorsement(String);

impl StoredEndorsement {
    pub(super) fn of(row: Vec<u8>) -> Self {
        Self(String::from_utf8(row).expect("an endorsement's row is JSON that this registry wrote"))
    }

    /// The document as JSON text.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// The document, read.
    pub fn secured(&self) -> Secured {
        let document = serde_json::from_str(&self.0)
            .expect("an endorsement's document is JSON that this registry wrote");
        Secured::read(document).expect("an endorsement's envelope is one that was stored as such")
    }
}

/// The row of an endorsement.
pub(super) fn to_store(secured: &Secured) -> Vec<u8> {
    secured.to_value().to_string().into_bytes()
}

#[cfg(test)]
mod tests;
