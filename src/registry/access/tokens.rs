//! Bearer tokens: random, kept as a hash, bound to one profile or to the registry's operator, and
//! expiring. Authentication is the only place where an [`Actor`] comes from outside.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::access::{Action, Actions, Asked, Role, Scopes};
use crate::entropy::random;
use crate::ids::{ProfileId, Slug};
use crate::metrics::{Held, Lookups};
use crate::registry::{Actor, Change, Registry, RegistryError, Thing};
use crate::store::engine::{Batch, CommitError, Read};
use crate::store::event::{EventKind, Means};
use crate::store::following::{Follower, Tables, Written};
use crate::store::tables::{Digest, TOKEN_INDEX, TOKENS, TokenId, TokenPlace, TokenRecord};
use crate::time::{Timestamp, Ttl};

/// What every token starts with, so that a leaked one is found by those who search for it.
const PREFIX: &str = "gst_";

/// The longest time that a token is good for.
pub(in crate::registry) const LONGEST_TOKEN: Ttl = Ttl::from_seconds(366 * 24 * 3600);

const WHERE_TOKENS_ARE: Tables = Tables::NONE.with(&TOKEN_INDEX).with(&TOKENS);

/// Tokens that were looked up lately, each with the state of tokens that it was found in.
pub(in crate::registry) struct KnownTokens {
    known: Cache<Digest, (State, Arc<KnownToken>)>,
    /// How often a token was known.
    pub(in crate::registry) lookups: Lookups,
    /// How often the store came up anew.
    lives: AtomicU64,
}

/// A state of all tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    life: u64,
    last_write: u64,
}

impl Follower for KnownTokens {
    /// What was written is told by the number of the last write.
    fn follow(&self, _: &Written<'_>) {}

    fn begin_anew(&self, _: u64) {
        self.lives.fetch_add(1, Ordering::AcqRel);
    }
}

impl KnownTokens {
    /// How many are known.
    pub(in crate::registry) fn held(&self) -> Held {
        Held {
            things: self.known.entry_count(),
            bytes: None,
        }
    }

    /// Which life of the store a snapshot is of that is taken after this.
    fn life(&self) -> u64 {
        self.lives.load(Ordering::Acquire)
    }
}

struct KnownToken {
    place: TokenPlace,
    record: TokenRecord,
}

impl Default for KnownTokens {
    fn default() -> Self {
        const MOST: u64 = 10_000;
        Self {
            known: Cache::new(MOST),
            lookups: Lookups::default(),
            lives: AtomicU64::new(0),
        }
    }
}

/// Whom a token is to speak for, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFor {
    /// The profile; `None` is the registry.
    pub profile: Option<Slug>,
    /// What its holder is to be.
    pub role: Role,
    /// What it is to be narrowed to; without it, all that the role allows.
    pub scopes: Option<Scopes>,
}

impl TokenFor {
    /// For the registry's operator.
    pub const OPERATOR: Self = Self {
        profile: None,
        role: Role::Operator,
        scopes: None,
    };

    /// For whoever owns this profile.
    pub const fn owner(profile: Slug) -> Self {
        Self {
            profile: Some(profile),
            role: Role::Owner,
            scopes: None,
        }
    }
}

/// A token that was just made. Only its holder ever knows it.
pub struct NewToken {
    /// The secret, to be sent as `Authorization: Bearer …`.
    pub token: Zeroizing<String>,
    /// Names the token, for revoking it.
    pub id: String,
    /// From when on it is refused.
    pub expires: Timestamp,
}

/// Without the secret.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken")
            .field("id", &self.id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A token as it is shown to whom it speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    /// Names the token, for revoking it.
    pub id: String,
    /// Whom it speaks for; `None` is the registry.
    pub profile: Option<Slug>,
    /// What its holder is.
    pub role: Role,
    /// What it was narrowed to.
    pub scope: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is refused.
    pub expires: Timestamp,
}

impl Registry {
    /// Makes a token for a profile or for the registry. Only the operator makes tokens, so that none
    /// can be traded for one that is good for longer. Under an idempotency key that was used before,
    /// none is made, and the error names the one that was.
    pub fn make_token(
        &self,
        change: &Change,
        holder: &TokenFor,
        good_for: Ttl,
    ) -> Result<NewToken, RegistryError> {
        if good_for.seconds() == 0 || good_for > LONGEST_TOKEN {
            let detail = "a time of 1 second to 366 days is needed";
            return Err(RegistryError::invalid("/expiresIn", detail));
        }
        check_role(holder.role, holder.profile.is_some())?;
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(random(&*self.entropy));
        let token = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*secret)));
        let id: TokenId = random(&*self.entropy);
        let name = URL_SAFE_NO_PAD.encode(id);
        let (made, expires) = self.transact(change, |tx| {
            change.actor.must_operate()?;
            let owner = match &holder.profile {
                Some(slug) => self.profile_id(tx.read, slug)?,
                None => ProfileId::REGISTRY,
            };
            let expires_at = tx.now.plus(good_for);
            let digest = hash(&token);
            let record = TokenRecord {
                digest,
                role: holder.role,
                scope: holder.scopes.as_ref().map(Scopes::to_string),
                created_at: tx.now,
                expires_at,
            };
            TOKENS.put(&mut tx.batch, &(owner, id), &record);
            let place = TokenPlace { profile: owner, id };
            TOKEN_INDEX.put(&mut tx.batch, &digest, &place);
            tx.log_for(owner, EventKind::TokenMade { id });
            Ok((name.clone(), expires_at.millis()))
        })?;
        if made != name {
            return Err(RegistryError::TokenShown { id: made });
        }
        Ok(NewToken {
            token,
            id: name,
            expires: Timestamp::from_millis(expires),
        })
    }

    /// Whom a bearer token speaks for, and what they may do of what is asked; `None` for one that is
    /// unknown or has expired.
    pub fn authenticate(
        &self,
        token: &str,
        asked: Asked<'_>,
    ) -> Result<Option<Actor>, RegistryError> {
        let life = self.tokens.life();
        let read = self.engine.snapshot();
        let digest = hash(token);
        let Some(place) = TOKEN_INDEX.get(&*read, &digest)? else {
            return Ok(None);
        };
        let Some(record) = TOKENS.get(&*read, &(place.profile, place.id))? else {
            return Ok(None);
        };
        let seen = read.last_write(WHERE_TOKENS_ARE);
        let known = Arc::new(KnownToken { place, record });
        if let Some(last_write) = seen {
            let state = State { life, last_write };
            self.tokens.known.insert(digest, (state, known.clone()));
        }
        Ok(self.holder_of(&known, asked))
    }

    /// As [`Registry::authenticate`], for a token that was looked up lately, from memory: `None` says
    /// nothing about it.
    pub fn authenticate_at_once(&self, token: &str, asked: Asked<'_>) -> Option<Actor> {
        let found = self.tokens.known.get(&hash(token));
        self.tokens.lookups.note(found.is_some());
        let (seen, known) = found?;
        // A token that was made or ended since then is looked up again, and so are all others.
        let written = self.engine.last_write(WHERE_TOKENS_ARE);
        let is_so_still = seen.life == self.tokens.life() && written == Some(seen.last_write);
        self.holder_of(&known, asked).filter(|_| is_so_still)
    }

    fn holder_of(&self, known: &KnownToken, asked: Asked<'_>) -> Option<Actor> {
        let KnownToken { place, record } = known;
        if record.expires_at <= self.now() {
            return None;
        }
        let scopes = record.scope.as_deref().map(stored_scopes);
        let narrowed = scopes.map_or(Actions::ALL, |scopes| scopes.allow(asked));
        let actions = record.role.actions().and(narrowed);
        let profile = Some(place.profile).filter(|profile| *profile != ProfileId::REGISTRY);
        Some(Actor::known(profile, Means::Token(place.id), actions))
    }

    /// The tokens of a profile that have not expired; where none is named, those of the one for whom
    /// the actor acts.
    pub fn tokens(
        &self,
        actor: Actor,
        profile: Option<&Slug>,
    ) -> Result<Vec<TokenView>, RegistryError> {
        let read = self.engine.snapshot();
        let owner = match profile {
            Some(slug) => self.profile_id(&*read, slug)?,
            None => actor.speaks_as().unwrap_or(ProfileId::REGISTRY),
        };
        actor.must_see(Action::WriteClients, owner, profile)?;
        let slug = match owner {
            ProfileId::REGISTRY => None,
            profile => Some(self.profile_record(&*read, profile)?.slug),
        };
        let now = self.now();
        let rows = TOKENS.scan(&*read, &owner.0.to_be_bytes(), None, usize::MAX)?;
        let good = rows.into_iter().filter(|(_, row)| row.expires_at > now);
        let view = |((_, id), row): ((ProfileId, TokenId), TokenRecord)| TokenView {
            id: URL_SAFE_NO_PAD.encode(id),
            profile: slug.clone(),
            role: row.role,
            scope: row.scope,
            made_at: row.created_at,
            expires: row.expires_at,
        };
        Ok(good.map(view).collect())
    }

    /// Revokes a token by its id.
    pub fn revoke_token(&self, change: &Change, id: &str) -> Result<(), RegistryError> {
        let none = || RegistryError::NotFound(Thing::Token, id.to_owned());
        let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|_| none())?;
        let wanted: TokenId = bytes.try_into().map_err(|_| none())?;
        self.transact(change, |tx| {
            // Of others' tokens not even the existence is told.
            let found = match change.actor.speaks_as() {
                Some(own) => TOKENS.get(tx.read, &(own, wanted))?.map(|row| (own, row)),
                None => token_of_anybody(tx.read, wanted)?,
            };
            let (owner, record) = found.ok_or_else(none)?;
            change.actor.must(Action::WriteClients, owner)?;
            TOKENS.expect(&mut tx.batch, &(owner, wanted), Some(&record));
            TOKENS.delete(&mut tx.batch, &(owner, wanted));
            TOKEN_INDEX.delete(&mut tx.batch, &record.digest);
            tx.log_for(owner, EventKind::TokenRevoked { id: wanted });
            Ok(())
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
            let mut count = 0;
            for (key, record) in rows.iter().filter(|(_, record)| record.expires_at <= now) {
                TOKENS.expect(&mut batch, key, Some(record));
                TOKENS.delete(&mut batch, key);
                TOKEN_INDEX.delete(&mut batch, &record.digest);
                count += 1;
            }
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                // One of them was just revoked; the next round sees to the others.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether somebody can have this role for a profile, or for the registry.
pub(in crate::registry) fn check_role(role: Role, of_profile: bool) -> Result<(), RegistryError> {
    let fits = match of_profile {
        true => role.is_for_a_profile(),
        false => role.is_for_the_registry(),
    };
    if fits {
        return Ok(());
    }
    let detail = match of_profile {
        true => {
            format!("nobody is {role} of a profile; leave the profile out, or name another role")
        }
        false => format!("somebody is {role} of a profile; name the profile"),
    };
    Err(RegistryError::invalid("/role", detail))
}

/// Scopes as a row holds them.
pub(in crate::registry) fn stored_scopes(text: &str) -> Scopes {
    Scopes::parse(text).expect("a stored list of scopes was written from one that was read")
}

/// A token by its id, for those who may see all of them.
fn token_of_anybody(
    read: &dyn Read,
    wanted: TokenId,
) -> Result<Option<(ProfileId, TokenRecord)>, RegistryError> {
    let mut after = None;
    loop {
        let rows = TOKENS.scan(read, &[], after.as_ref(), 1_000)?;
        let Some((last, _)) = rows.last() else {
            return Ok(None);
        };
        after = Some(*last);
        if let Some(((owner, _), row)) = rows.into_iter().find(|((_, id), _)| *id == wanted) {
            return Ok(Some((owner, row)));
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
        let make = |seconds| {
            registry.make_token(&operator, &TokenFor::OPERATOR, Ttl::from_seconds(seconds))
        };
        for _ in 0..150 {
            make(60).unwrap();
        }
        let lasting = make(61).unwrap();
        assert_eq!(registry.forget_expired_tokens().unwrap(), 0);
        clock.advance(Ttl::from_seconds(60));
        assert_eq!(registry.forget_expired_tokens().unwrap(), 150);
        let asked = Asked {
            writes: false,
            path: "/keys",
            needs: Action::Operate,
        };
        let known = registry.authenticate(&lasting.token, asked).unwrap();
        assert!(known.is_some(), "it is good for another second");
    }
}
