//! Keys that are brought along: their owner signs elsewhere, and the registry holds the public half
//! alone.
//!
//! Who brings a key shows that they have it: a compact JWS with `typ`
//! `goodstanding-key-possession+jwt`, signed by the key with EdDSA, over the claims `aud`, this
//! registry's public URL; `sub`, the URL of the profile that the key is for; and `iat`, not more
//! than five minutes ago. So it is good for no other registry and no other profile. It carries no
//! nonce: whoever repeats it meets the rule that a key is taken once, for ever.

use serde::Deserialize;

use super::keys::{KeyOwner, KeyView, rotatable};
use crate::ids::{KeyId, ProfileId, Slug};
use crate::json;
use crate::registry::change::Tx;
use crate::registry::{Change, Registry, RegistryError};
use crate::store::tables::{BROUGHT_KEYS, BroughtKeyRecord, KeyRecord};
use crate::time::{Timestamp, Ttl};
use crate::vc::jws::Jws;
use crate::vc::keys::PublicKey;

/// A key that somebody brings along.
#[derive(Debug, Clone)]
pub struct BroughtKey {
    /// Its public half, which is sound.
    pub public: PublicKey,
    /// The proof of possession, a compact JWS.
    pub proof: String,
    /// Where the proof stands in the request, as a JSON pointer.
    pub at: &'static str,
}

/// The `typ` of a proof of possession.
const TYP: &str = "goodstanding-key-possession+jwt";

/// How old a proof of possession may be.
const AGE: Ttl = Ttl::from_seconds(300);

/// How far ahead its maker's clock may be.
const SKEW: Ttl = Ttl::from_seconds(60);

/// The claims of a proof of possession.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Possession {
    aud: String,
    sub: String,
    iat: i64,
}

impl Registry {
    /// Takes a key whose secret stays with its owner. It stands in the controller document from now
    /// on, and counts once verifiers have had time to see it there; at once where no other key of
    /// the owner signs.
    ///
    /// # Errors
    /// [`RegistryError::NotPossessed`], and [`RegistryError::KeyTaken`] for one that was brought
    /// before, by whomever.
    pub fn bring_key(
        &self,
        change: &Change,
        slug: &Slug,
        key: &BroughtKey,
    ) -> Result<KeyView, RegistryError> {
        let owner = KeyOwner::Profile(slug);
        let id = self.transact(change, |tx| {
            let owner = self.controller_for_change(tx.read, change, owner)?;
            rotatable(&owner)?;
            let signs_from = self.first_use(tx, owner.profile)?;
            self.check_possession(slug, key, tx.now)?;
            self.stage_next_key(tx, owner.profile, |tx, id| {
                stage_brought(tx, (owner.profile, id), key, signs_from)
            })
        })?;
        self.key(owner, id)
    }

    /// Whether whoever brings a key for a profile has it.
    pub(in crate::registry) fn check_possession(
        &self,
        slug: &Slug,
        key: &BroughtKey,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let refused = |reason: String| RegistryError::NotPossessed {
            pointer: key.at,
            reason,
        };
        let proof = Jws::parse(&key.proof).map_err(|error| refused(error.to_string()))?;
        if !proof.header().is_typ(TYP) {
            return Err(refused(format!("its typ has to be {TYP}")));
        }
        let public = key.public.into();
        let signed = proof.verify(&public);
        signed.map_err(|error| refused(error.to_string()))?;
        let claims: Possession =
            json::read(proof.payload()).map_err(|error| refused(error.to_string()))?;
        let (aud, sub) = (self.urls().origin(), self.urls().profile(slug));
        if claims.aud != aud {
            return Err(refused(format!("its aud has to be {aud}")));
        }
        if claims.sub != sub {
            return Err(refused(format!("its sub has to be {sub}")));
        }
        let made = claims.iat.checked_mul(1_000).map(Timestamp::from_millis);
        match made {
            Some(made) if now.minus(AGE) <= made && made <= now.plus(SKEW) => Ok(()),
            _ => Err(refused("its iat has to be of the last five minutes".into())),
        }
    }
}

/// Stages that a key is taken, and gives its record.
pub(in crate::registry) fn stage_brought(
    tx: &mut Tx<'_>,
    (profile, key): (ProfileId, KeyId),
    brought: &BroughtKey,
    signs_from: Timestamp,
) -> Result<KeyRecord, RegistryError> {
    let public = *brought.public.as_bytes();
    if BROUGHT_KEYS.get(tx.read, &public)?.is_some() {
        return Err(RegistryError::KeyTaken);
    }
    BROUGHT_KEYS.expect(&mut tx.batch, &public, None);
    BROUGHT_KEYS.put(&mut tx.batch, &public, &BroughtKeyRecord { profile, key });
    Ok(KeyRecord {
        public,
        sealed: Vec::new(),
        made_at: tx.now,
        signs_from,
        retired_at: None,
        revoked_since: None,
    })
}
