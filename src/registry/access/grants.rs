//! What clients are given: access tokens, and their end before their time.

use std::fmt;

use serde_json::{Map, Value, json};
use thiserror::Error;
use tracing::info;
use zeroize::Zeroizing;

use super::clients::client_actor;
use super::tokens::stored_scopes;
use crate::access::{Actions, Reach, Scopes};
use crate::entropy::random;
use crate::ids::{ClientId, ProfileId};
use crate::oauth::access_token::TYP;
use crate::oauth::secret::{self, SecretCheck};
use crate::oauth::{
    AccessClaims, Assertion, AuthMethod, Bearer, ErrorCode, GrantAsked, OAuthError, Presented,
    assertion,
};
use crate::registry::change::Tx;
use crate::registry::profiles::keys::keys_of;
use crate::registry::{Change, Registry, RegistryError};
use crate::store::engine::{Batch, CommitError, Read, StoreError};
use crate::store::event::EventKind;
use crate::store::tables::{
    CLIENTS, ClientRecord, ClientState, REVOKED_ACCESS, TOKEN_INDEX, TOKENS, TokenPlace,
    USED_ASSERTIONS,
};
use crate::time::{Timestamp, Ttl};

/// A client that has shown who it is, and is approved.
#[derive(Debug, Clone)]
pub struct KnownClient {
    /// Which.
    pub id: ClientId,
    pub(super) record: ClientRecord,
}

/// An access token that was just made. Only the client ever knows it.
pub struct Granted {
    /// The token, to be sent as `Authorization: Bearer …`.
    pub token: Zeroizing<String>,
    /// For how long it is good.
    pub good_for: Ttl,
    /// What it is good for.
    pub scopes: Scopes,
}

/// Without the secret.
impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted")
            .field("good_for", &self.good_for)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Why nothing is given.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum GrantRefused {
    /// In the words of OAuth.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// Something here failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl From<StoreError> for GrantRefused {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

/// Whom a token is made for.
pub(super) struct NewGrant {
    pub(super) bearer: Bearer,
    /// The profile that it acts for.
    pub(super) profile: ProfileId,
    pub(super) scopes: Scopes,
}

impl Registry {
    /// The client that has shown itself. What it showed of itself counts once, where that is an
    /// assertion.
    ///
    /// # Errors
    /// `invalid_client` for whatever is wrong with that, in one sentence and, for secrets, after one
    /// and the same work; `unauthorized_client` for one that is not approved.
    pub fn known_client(&self, presented: &Presented) -> Result<KnownClient, GrantRefused> {
        let read = self.engine.snapshot();
        let (id, record, assertion) = match presented {
            Presented::Name(name) => {
                let (id, record) = row_named(&*read, name)?.ok_or_else(OAuthError::client)?;
                if record.auth != AuthMethod::None {
                    return Err(OAuthError::client().into());
                }
                (id, record, None)
            }
            Presented::Secret { client, secret, by } => {
                let row = row_named(&*read, client)?;
                let kept = row.as_ref().filter(|(_, row)| row.auth == *by);
                let kept = kept.and_then(|(_, row)| row.secret.as_ref());
                let good = secret::check(secret, kept);
                let row = row.filter(|_| good == SecretCheck::Good);
                let (id, record) = row.ok_or_else(OAuthError::client)?;
                (id, record, None)
            }
            Presented::Assertion { jwt, client } => {
                let (id, record, good) = self.by_assertion(&*read, jwt, client.as_deref())?;
                (id, record, Some(good))
            }
        };
        if record.state != ClientState::Approved {
            let words = "the client waits for approval, or was rejected";
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, words).into());
        }
        if let Some(assertion) = assertion {
            self.use_up(&assertion)?;
        }
        Ok(KnownClient { id, record })
    }

    fn by_assertion(
        &self,
        read: &dyn Read,
        jwt: &str,
        named: Option<&str>,
    ) -> Result<(ClientId, ClientRecord, Assertion), GrantRefused> {
        let refused = || {
            info!("a client's assertion was refused");
            OAuthError::client()
        };
        let (id, jws) = assertion::open(jwt).map_err(|_| refused())?;
        if named.is_some_and(|named| named != id.to_string()) {
            return Err(refused().into());
        }
        let record = CLIENTS.get(read, &id)?.ok_or_else(OAuthError::client)?;
        let keys = match (&record.keys, record.auth) {
            (Some(keys), AuthMethod::PrivateKeyJwt) => serde_json::from_str::<Value>(keys).ok(),
            _ => None,
        };
        let keys = keys.ok_or_else(OAuthError::client)?;
        let origin = self.urls().origin();
        let [token, revoke, introspect] =
            ["token", "revoke", "introspect"].map(|end| format!("{origin}/oauth/{end}"));
        let audiences = [origin, &token, &revoke, &introspect];
        let good = assertion::check(id, &jws, &keys, &audiences, self.now());
        let good = good.map_err(|error| match error.was_signed() {
            true => OAuthError::new(ErrorCode::InvalidClient, error.to_string()),
            false => refused(),
        })?;
        Ok((id, record, good))
    }

    /// Marks an assertion as used, which is refused for one that was.
    fn use_up(&self, assertion: &Assertion) -> Result<(), GrantRefused> {
        let key = (assertion.client.owner(), assertion.id);
        let until = end_of(assertion.expires);
        let by = Change::by(client_actor(assertion.client, Actions::NONE));
        let fresh = self.transact(&by, |tx| {
            if USED_ASSERTIONS.get(tx.read, &key)?.is_some() {
                return Ok(false);
            }
            USED_ASSERTIONS.expect(&mut tx.batch, &key, None);
            USED_ASSERTIONS.put(&mut tx.batch, &key, &until);
            Ok(true)
        })?;
        match fresh {
            true => Ok(()),
            false => Err(OAuthError::client().into()),
        }
    }

    /// Gives a client what it asks for.
    ///
    /// # Errors
    /// `unauthorized_client` for a grant that it did not register for, `invalid_scope` for more than
    /// it may have, `invalid_grant` for a code that is not good.
    pub fn grant(
        &self,
        client: &KnownClient,
        asked: &GrantAsked,
        reach: Reach,
    ) -> Result<Granted, GrantRefused> {
        if !client.record.grants.contains(&asked.kind()) {
            let words = format!("the client is not registered for {}", asked.kind());
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, words).into());
        }
        match asked {
            GrantAsked::ClientCredentials { scopes } => {
                let scopes = scopes_within(&client.record, scopes.as_ref(), reach)?;
                self.make_access_token(&NewGrant {
                    bearer: Bearer::Client(client.id),
                    profile: client.id.owner(),
                    scopes,
                })
                .map(|(granted, _)| granted)
            }
            GrantAsked::AuthorizationCode { .. } => self.token_for_code(client, asked),
        }
    }

    /// Signs an access token; also its claims, of which the caller may keep the name.
    pub(super) fn make_access_token(
        &self,
        grant: &NewGrant,
    ) -> Result<(Granted, AccessClaims), GrantRefused> {
        let now = self.now().whole_seconds();
        let good_for = self.settings.access_token;
        let profile = self.slug_of(&*self.engine, grant.profile)?;
        let claims = AccessClaims {
            bearer: grant.bearer,
            issued_at: now,
            expires: now.plus(good_for),
            id: random(&*self.entropy),
            scopes: grant.scopes.clone(),
            profile: profile.map(|slug| self.urls().profile(&slug)),
        };
        if keys_of(&*self.engine, ProfileId::REGISTRY)?.is_empty() {
            let words = "this registry has no key to sign tokens with yet: it gets one with its \
                         first profile; create one (goodstanding profile create), then ask again";
            return Err(OAuthError::request(words).into());
        }
        let token = self.sign_statement(TYP, &claims.to_claims(self.urls().origin()))?;
        let granted = Granted {
            token: Zeroizing::new(token),
            good_for,
            scopes: grant.scopes.clone(),
        };
        Ok((granted, claims))
    }

    /// Ends a token of the client's own profile before its time (RFC 7009): an access token, or one
    /// of those that are kept. Of any other nothing is told, as the standard demands.
    pub fn revoke_of_client(&self, client: &KnownClient, token: &str) -> Result<(), RegistryError> {
        let by = Change::by(client_actor(client.id, Actions::NONE));
        match self.token_known(token)? {
            Some(claims) if claims.bearer.client() == client.id => {
                self.transact(&by, |tx| stage_end(tx, &claims))
            }
            Some(_) => Ok(()),
            None => self.transact(&by, |tx| {
                let digest = secret::digest(token);
                let Some(place) = TOKEN_INDEX.get(tx.read, &digest)? else {
                    return Ok(());
                };
                let TokenPlace { profile, id } = place;
                let row = TOKENS.get(tx.read, &(profile, id))?;
                let Some(row) = row.filter(|_| profile == client.id.owner()) else {
                    return Ok(());
                };
                TOKENS.expect(&mut tx.batch, &(profile, id), Some(&row));
                TOKENS.delete(&mut tx.batch, &(profile, id));
                TOKEN_INDEX.delete(&mut tx.batch, &digest);
                tx.log_for(profile, EventKind::TokenRevoked { id });
                Ok(())
            }),
        }
    }

    /// What a token of the client's own profile is (RFC 7662); of any other, and of one that is over,
    /// that it is not active.
    ///
    /// # Errors
    /// `invalid_client` for a client that shows no more than its name, which anybody knows (section
    /// 2.1).
    pub fn introspect(&self, client: &KnownClient, token: &str) -> Result<Value, GrantRefused> {
        if client.record.auth == AuthMethod::None {
            let words = "a client that shows nothing but its name may not look at tokens: it needs \
                         a secret or a key";
            return Err(OAuthError::new(ErrorCode::InvalidClient, words).into());
        }
        let inactive = || Ok(json!({ "active": false }));
        let Some(claims) = self.token_known(token)? else {
            return inactive();
        };
        if claims.bearer.client().owner() != client.id.owner() {
            return inactive();
        }
        let mut members: Map<String, Value> = Map::new();
        members.insert("active".into(), true.into());
        members.insert("token_type".into(), "Bearer".into());
        members.extend(claims.to_claims(self.urls().origin()));
        Ok(members.into())
    }

    /// Forgets assertions, codes and revocations that are over, which are refused anyhow. Returns how many.
    pub fn forget_ended_grants(&self) -> Result<usize, RegistryError> {
        let ended = self.forget_ended(&USED_ASSERTIONS)? + self.forget_ended(&REVOKED_ACCESS)?;
        Ok(ended + self.forget_ended_codes()?)
    }

    fn forget_ended<K: crate::store::table::Key>(
        &self,
        table: &crate::store::table::Table<K, u64>,
    ) -> Result<usize, RegistryError> {
        let (mut forgotten, mut after) = (0, None);
        loop {
            let rows = table.scan(&*self.engine, &[], after.as_ref(), 1_024)?;
            let now = self.now();
            let mut batch = Batch::default();
            for (key, until) in &rows {
                if is_over(*until, now) {
                    table.expect(&mut batch, key, Some(until));
                    table.delete(&mut batch, key);
                }
            }
            let count = batch.deletes.len();
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
            let Some((last, _)) = rows.into_iter().last() else {
                return Ok(forgotten);
            };
            after = Some(last);
        }
    }
}

/// Stages the end of an access token, which is remembered until it would have ended by itself.
pub(super) fn stage_end(tx: &mut Tx<'_>, claims: &AccessClaims) -> Result<(), RegistryError> {
    let owner = claims.bearer.client().owner();
    let key = (owner, claims.id);
    if REVOKED_ACCESS.get(tx.read, &key)?.is_none() {
        REVOKED_ACCESS.put(&mut tx.batch, &key, &end_of(claims.expires));
        tx.log_for(owner, EventKind::TokenRevoked { id: claims.id });
    }
    Ok(())
}

/// The scopes of a token: what was asked for, where the client may have that, or all that it may.
/// What its role has no use for it may not have, whatever it registered for.
pub(super) fn scopes_within(
    row: &ClientRecord,
    asked: Option<&Scopes>,
    reach: Reach,
) -> Result<Scopes, OAuthError> {
    let granted = row.scope.as_deref().map(stored_scopes);
    let role = row.role.actions();
    let most = granted.clone().unwrap_or_else(|| Scopes::of_actions(role));
    let most = most.of_use_to(role, reach);
    let wanted = asked.unwrap_or(&most);
    let of_use = wanted.of_use_to(role, reach);
    let room = |scope| granted.is_none() || most.leave_room_for(scope, reach);
    match of_use == *wanted && wanted.iter().all(room) {
        true if !wanted.is_empty() => Ok(of_use),
        _ => {
            let words = format!("the client may have: {most}");
            Err(OAuthError::new(ErrorCode::InvalidScope, words))
        }
    }
}

fn row_named(
    read: &dyn Read,
    name: &str,
) -> Result<Option<(ClientId, ClientRecord)>, RegistryError> {
    let Ok(id) = name.parse::<ClientId>() else {
        return Ok(None);
    };
    Ok(CLIENTS.get(read, &id)?.map(|row| (id, row)))
}

/// An end as rows hold it: milliseconds since 1970, of a moment that is later.
pub(super) fn end_of(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

fn is_over(until: u64, now: Timestamp) -> bool {
    until <= end_of(now)
}
