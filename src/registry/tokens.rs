//! Bearer tokens: random, kept as a hash, bound to one profile or to the registry's operator, and
//! expiring. Authentication is the only place where an [`Actor`] comes from outside.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Actor, Change, Registry, RegistryError, Thing};
use crate::entropy::random;
use crate::ids::{ProfileId, Slug};
use crate::store::engine::{Batch, CommitError};
use crate::store::event::EventKind;
use crate::store::tables::{TOKENS, TokenRecord};
use crate::time::{Timestamp, Ttl};

/// What every token starts with, so that a leaked one is found by those who search for it.
const PREFIX: &str = "gst_";

/// The longest time that a token is good for.
pub(super) const LONGEST_TOKEN: Ttl = Ttl::from_seconds(366 * 24 * 3600);

/// A token that was just made. Only its holder ever knows it.
#[derive(Debug)]
pub struct NewToken {
    /// The secret, to be sent as `Authorization: Bearer …`.
    pub token: Zeroizing<String>,
    /// Names the token, for revoking it.
    pub id: String,
    /// Whom it speaks for; `None` is the registry's operator.
    pub profile: Option<Slug>,
    /// From when on it is refused.
    pub expires: Timestamp,
}

impl Registry {
    /// Makes a token for a profile, or (`None`) for the registry's operator. Only the operator makes
    /// tokens, so that none can be traded for one that is good for longer. Under an idempotency key
    /// that was used before, none is made, and the error names the one that was.
    pub fn make_token(
        &self,
        change: &Change,
        profile: Option<&Slug>,
        good_for: Ttl,
    ) -> Result<NewToken, RegistryError> {
        if good_for.seconds() == 0 || good_for > LONGEST_TOKEN {
            let detail = "a time of 1 second to 366 days is needed";
            return Err(RegistryError::invalid("/expiresIn", detail));
        }
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(random(&*self.entropy));
        let token = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*secret)));
        let id: [u8; 16] = random(&*self.entropy);
        let name = URL_SAFE_NO_PAD.encode(id);
        let (made, expires) = self.transact(change, |tx| {
            change.actor.must_operate()?;
            let owner = profile
                .map(|slug| self.profile_id(tx.read, slug))
                .transpose()?;
            let expires_at = tx.now.plus(good_for);
            let record = TokenRecord {
                id,
                profile: owner,
                created_at: tx.now,
                expires_at,
            };
            TOKENS.put(&mut tx.batch, &hash(&token), &record);
            tx.log(EventKind::TokenMade { id });
            Ok((name.clone(), expires_at.millis()))
        })?;
        if made != name {
            return Err(RegistryError::TokenShown { id: made });
        }
        Ok(NewToken {
            token,
            id: name,
            profile: profile.cloned(),
            expires: Timestamp::from_millis(expires),
        })
    }

    /// Whom a bearer token speaks for; `None` for one that is unknown or has expired.
    pub fn authenticate(&self, token: &str) -> Result<Option<Actor>, RegistryError> {
        let Some(record) = TOKENS.get(&*self.engine, &hash(token))? else {
            return Ok(None);
        };
        if record.expires_at <= self.now() {
            return Ok(None);
        }
        Ok(Some(match record.profile {
            Some(profile) => Actor::profile(profile),
            None => Actor::operator_by_token(record.id),
        }))
    }

    /// Revokes a token by its id.
    pub fn revoke_token(&self, change: &Change, id: &str) -> Result<(), RegistryError> {
        let none = || RegistryError::NotFound(Thing::Token, id.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|_| none())?;
        let wanted: [u8; 16] = bytes.try_into().map_err(|_| none())?;
        self.transact(change, |tx| {
            let mut after = None;
            loop {
                let rows = TOKENS.scan(tx.read, &[], after.as_ref(), 1_000)?;
                let Some((last, _)) = rows.last() else {
                    return Err(none());
                };
                after = Some(*last);
                let Some((key, record)) = rows.iter().find(|(_, row)| row.id == wanted) else {
                    continue;
                };
                let owner = record.profile.unwrap_or(ProfileId::REGISTRY);
                // The existence of others' tokens is nobody's business.
                change.actor.must_speak_for(owner).map_err(|_| none())?;
                TOKENS.delete(&mut tx.batch, key);
                tx.log(EventKind::TokenRevoked { id: wanted });
                return Ok(());
            }
        })
    }

    /// Deletes the rows of tokens that have expired, which are refused anyhow. Returns how many.
    pub fn forget_expired_tokens(&self) -> Result<usize, RegistryError> {
        let mut forgotten = 0;
        let mut after = None;
        loop {
            let rows = TOKENS.scan(&*self.engine, &[], after.as_ref(), 64)?;
            let Some((last, _)) = rows.last() else {
                return Ok(forgotten);
            };
            after = Some(*last);
            let now = self.now();
            let mut batch = Batch::default();
            for (key, record) in rows.iter().filter(|(_, record)| record.expires_at <= now) {
                TOKENS.expect(&mut batch, key, Some(record));
                TOKENS.delete(&mut batch, key);
            }
            let count = batch.deletes.len();
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                // One of them was just revoked; the next round sees to the others.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::registry::Settings;
    use crate::store::memory::MemoryEngine;
    use crate::time::ManualClock;
    use crate::vc::sealing::MasterKey;

    #[test]
    fn tokens_that_have_expired_are_forgotten_and_others_are_not() {
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let settings = Settings::usual("https://registry.example");
        let entropy = Arc::new(SeededEntropy::new(1));
        let master = MasterKey::generate(&SeededEntropy::new(0));
        let registry = Registry::open(engine, clock.clone(), entropy, master, settings).unwrap();
        let operator = Change::by(Actor::operator());
        let make = |seconds| registry.make_token(&operator, None, Ttl::from_seconds(seconds));
        for _ in 0..150 {
            make(60).unwrap();
        }
        let lasting = make(61).unwrap();
        assert_eq!(registry.forget_expired_tokens().unwrap(), 0);
        clock.advance(Ttl::from_seconds(60));
        assert_eq!(registry.forget_expired_tokens().unwrap(), 150);
        let known = registry.authenticate(&lasting.token).unwrap();
        assert!(known.is_some(), "it is good for another second");
    }
}
