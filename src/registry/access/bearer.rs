//! Who a bearer of a JWT is: of an access token that this registry signed, or of one that a provider
//! elsewhere did. A token says what was so when it was made; what counts is what is so now.

use thiserror::Error;

use super::clients::client_actor;
use super::people::person_actor;
use super::tokens::stored_scopes;
use crate::access::{Actions, Asked, Role};
use crate::ids::{ClientId, PersonId, ProfileId};
use crate::oauth::provider::Guest;
use crate::oauth::{AccessClaims, Bearer, TokenRefused};
use crate::registry::profiles::keys::{keys_of, public};
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::event::Means;
use crate::store::tables::{
    CLIENTS, ClientRecord, ClientState, PEOPLE, PersonRecord, REVOKED_ACCESS,
};
use crate::time::Timestamp;
use crate::vc::jws::{Jws, JwsError};
use crate::vc::verifying::VerifyingKey;

/// Why a JWT gives nobody anything.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BearerRefused {
    /// No JWT.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// No access token of this registry, or not now.
    #[error(transparent)]
    Token(#[from] TokenRefused),
    /// Whom it was made for is gone, or may not act any more.
    #[error("the token's client is not here any more, or is not approved")]
    Client,
    /// Its client was decided about since.
    #[error("the token was made before its client was last decided about; fetch another one")]
    Before,
    /// Whoever signed in was removed.
    #[error("who signed in for this token is not here any more")]
    Person,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// It names another profile than its client acts for.
    #[error("the token's profile is not its client's")]
    Profile,
    /// Its provider's profile is not registered here.
    #[error("the profile that the token stands for is not registered here")]
    NoProfile,
}

/// A good token, and whom it was made for.
struct Known {
    claims: AccessClaims,
    client: ClientRecord,
    person: Option<PersonRecord>,
}

/// Whether somebody may sign in by a client: one of their own profile's, or of the registry's.
pub(super) fn person_of_client(person: PersonId, client: ClientId) -> bool {
    let owner = client.owner();
    owner == ProfileId::REGISTRY || owner == person.owner()
}

impl Registry {
    /// Whom an access token speaks for, and what they may do of what is asked: what the token is good
    /// for, of what the client is approved for now.
    pub fn bearer(
        &self,
        token: &Jws,
        asked: Asked<'_>,
    ) -> Result<Result<Actor, BearerRefused>, RegistryError> {
        let read = self.engine.snapshot();
        let known = self.access_token(&*read, token)?;
        Ok(known.map(|known| {
            let granted = known.client.scope.as_deref().map(stored_scopes);
            let narrowed = granted.map_or(Actions::ALL, |scopes| scopes.allow(asked));
            let of_client = known.client.role.actions().and(narrowed);
            let actions = of_client.and(known.claims.scopes.allow(asked));
            match (known.claims.bearer, known.person) {
                (Bearer::Person { person, client }, Some(row)) => {
                    person_actor(person, Some(client), actions.and(row.role.actions()))
                }
                (bearer, _) => client_actor(bearer.client(), actions),
            }
        }))
    }

    /// Whom a token of a provider elsewhere speaks for, once it was found to be good.
    pub fn guest(
        &self,
        guest: &Guest,
        asked: Asked<'_>,
    ) -> Result<Result<Actor, BearerRefused>, RegistryError> {
        let profile = match self.profile_id(&*self.engine, &guest.profile) {
            Ok(profile) => profile,
            Err(RegistryError::NotFound(..)) => return Ok(Err(BearerRefused::NoProfile)),
            Err(error) => return Err(error),
        };
        let narrowed = guest.scopes.as_ref();
        let narrowed = narrowed.map_or(Actions::ALL, |scopes| scopes.allow(asked));
        // A profile's own people never run the registry, whatever a mapping says.
        let most = Role::Owner.actions();
        let actions = guest.actions.and(narrowed).and(most);
        let means = Means::Outside(guest.account);
        Ok(Ok(Actor::known(Some(profile), means, actions)))
    }

    /// What a token is, where this registry made it and it is good; none for any other.
    pub(super) fn token_known(&self, token: &str) -> Result<Option<AccessClaims>, RegistryError> {
        let Ok(jws) = Jws::parse(token) else {
            return Ok(None);
        };
        let known = self.access_token(&*self.engine.snapshot(), &jws)?;
        Ok(known.ok().map(|known| known.claims))
    }

    fn access_token(
        &self,
        read: &dyn Read,
        token: &Jws,
    ) -> Result<Result<Known, BearerRefused>, RegistryError> {
        let kid = token.header().kid.as_deref();
        let key = match kid {
            Some(kid) => self.registry_key(read, kid)?,
            None => None,
        };
        let origin = self.urls().origin();
        let claims = match AccessClaims::read(token, origin, |_| key, self.now()) {
            Ok(claims) => claims,
            Err(refused) => return Ok(Err(refused.into())),
        };
        let client = claims.bearer.client();
        let row = CLIENTS.get(read, &client)?;
        let Some(row) = row.filter(|row| row.state == ClientState::Approved) else {
            return Ok(Err(BearerRefused::Client));
        };
        // An approval gives nothing back that was taken before it.
        let decided = row.decided_at.map(Timestamp::whole_seconds);
        if decided.is_some_and(|decided| claims.issued_at < decided) {
            return Ok(Err(BearerRefused::Before));
        }
        if REVOKED_ACCESS
            .get(read, &(client.owner(), claims.id))?
            .is_some()
        {
            return Ok(Err(BearerRefused::Revoked));
        }
        let (owner, person) = match claims.bearer {
            Bearer::Client(client) => (client.owner(), None),
            Bearer::Person { person, .. } => {
                let row = PEOPLE.get(read, &person)?;
                let row = row.filter(|_| person_of_client(person, client));
                let Some(row) = row else {
                    return Ok(Err(BearerRefused::Person));
                };
                (person.owner(), Some(row))
            }
        };
        let slug = self.slug_of(read, owner)?;
        if claims.profile != slug.map(|slug| self.urls().profile(&slug)) {
            return Ok(Err(BearerRefused::Profile));
        }
        Ok(Ok(Known {
            claims,
            client: row,
            person,
        }))
    }

    /// The registry's key of this name, unless it may have been in wrong hands.
    fn registry_key(
        &self,
        read: &dyn Read,
        kid: &str,
    ) -> Result<Option<VerifyingKey>, RegistryError> {
        let owner = self.controller(read, ProfileId::REGISTRY)?;
        let keys = keys_of(read, ProfileId::REGISTRY)?;
        let named = keys.iter().find(|(id, _)| owner.jwt_method(*id) == kid);
        let good = named.filter(|(_, key)| key.revoked_since.is_none());
        good.map(|(_, key)| public(key).map(Into::into)).transpose()
    }
}
