//! Signing in by a client: somebody agrees, the client is sent a code, and fetches a token for it.

use super::bearer::person_of_client;
use super::grants::{NewGrant, end_of, scopes_within, stage_end};
use super::people::{SignInRefused, person_actor};
use super::sessions::CONSOLE;
use crate::access::{Actions, Reach, Scopes};
use crate::ids::{ClientId, PersonId, ProfileId, Slug};
use crate::oauth::authorize::{Asker, CodeAsked};
use crate::oauth::pkce::Challenge;
use crate::oauth::{AccessClaims, Bearer, ErrorCode, GrantAsked, GrantKind, OAuthError, secret};
use crate::registry::{Change, GrantRefused, Granted, KnownClient, Registry, RegistryError};
use crate::store::engine::{Batch, CommitError};
use crate::store::table::{Key, Record, Table};
use crate::store::tables::{CODES, ClientState, CodeRecord, CodeUse, PEOPLE};
use crate::time::{Timestamp, Ttl};

/// What codes start with.
const CODE_PREFIX: &str = "gac_";
/// A code's row: whom its client acts for, and its digest.
pub(super) type CodeKey = (ProfileId, [u8; 32]);
/// For how long a code can be used.
const CODE_FOR: Ttl = Ttl::from_seconds(60);

/// What somebody is asked to agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The client's name.
    pub client: String,
    /// Whether it is the console of this registry.
    pub is_console: bool,
    /// For whom it acts; `None` is the registry.
    pub profile: Option<Slug>,
    /// What it wants to be good for.
    pub scopes: Scopes,
}

impl Registry {
    /// Demands that a client may have people sent where it says.
    ///
    /// # Errors
    /// What is told to the person, who is sent nowhere.
    pub fn known_asker(&self, asker: &Asker) -> Result<(), GrantRefused> {
        let row = self.client_of_people(&*self.engine, asker.client)?;
        let row = row.filter(|row| row.state == ClientState::Approved);
        let row = row.ok_or_else(|| OAuthError::request("this client is not known here"))?;
        match self.is_place_of(asker, &row) && row.grants.contains(&GrantKind::AuthorizationCode) {
            true => Ok(()),
            false => {
                let words = "redirect_uri is not one that the client registered";
                Err(OAuthError::request(words).into())
            }
        }
    }

    /// What a client asks of whoever signs in.
    pub fn consent(
        &self,
        asker: &Asker,
        asked: &CodeAsked,
        reach: Reach,
    ) -> Result<Consent, GrantRefused> {
        let row = self.client_of_people(&*self.engine, asker.client)?;
        let row = row.ok_or_else(OAuthError::client)?;
        Ok(Consent {
            is_console: asker.client == CONSOLE,
            scopes: scopes_within(&row, asked.scopes.as_ref(), reach)?,
            profile: self.slug_of(&*self.engine, asker.client.owner())?,
            client: row.name,
        })
    }

    /// Signs somebody in who agrees, and makes the code that the client is sent. It stands for what
    /// the client may have and the person may do; `invalid_scope` where that is nothing.
    pub fn code_for(
        &self,
        asker: &Asker,
        asked: &CodeAsked,
        (name, passphrase): (&str, &str),
        reach: Reach,
    ) -> Result<Result<String, GrantRefused>, SignInRefused> {
        let owner = asker.client.owner();
        let person = self.person_signing_in(owner, name, passphrase)?;
        let scopes = match self.consent(asker, asked, reach) {
            Ok(consent) => self.scopes_of_person(person, &consent.scopes, reach)?,
            Err(refused) => return Ok(Err(refused)),
        };
        if scopes.is_empty() {
            let words = "who signed in may do nothing of what was asked for";
            return Ok(Err(OAuthError::new(ErrorCode::InvalidScope, words).into()));
        }
        let code = secret::generate(CODE_PREFIX, &*self.entropy);
        let key = (owner, secret::digest(&code));
        let by = Change::by(person_actor(person, Some(asker.client), Actions::NONE));
        self.transact(&by, |tx| {
            let row = CodeRecord {
                client: asker.client,
                person,
                redirect_uri: asker.redirect_uri.clone(),
                challenge: *asked.challenge.as_bytes(),
                scope: scopes.to_string(),
                until: tx.now.plus(CODE_FOR),
                used: None,
            };
            CODES.put(&mut tx.batch, &key, &row);
            Ok(())
        })?;
        Ok(Ok(code.to_string()))
    }

    /// What somebody's own role leaves of what a client may have.
    fn scopes_of_person(
        &self,
        person: PersonId,
        scopes: &Scopes,
        reach: Reach,
    ) -> Result<Scopes, RegistryError> {
        let row = PEOPLE.get(&*self.engine, &person)?;
        let may = row.map_or(Actions::NONE, |row| row.role.actions());
        Ok(scopes.of_use_to(may, reach))
    }

    /// The token for a code. A code is used once; a second use ends what the first one gave, since
    /// one of the two was not the client's (RFC 6749 section 4.1.2).
    pub(super) fn token_for_code(
        &self,
        client: &KnownClient,
        asked: &GrantAsked,
    ) -> Result<Granted, GrantRefused> {
        let GrantAsked::AuthorizationCode {
            code,
            redirect_uri,
            verifier,
        } = asked
        else {
            return Err(OAuthError::request("code is missing").into());
        };
        let bad = || OAuthError::grant("the code is not known here, was used, or is over");
        let key = (client.id.owner(), secret::digest(code));
        let row = self.code_at(&key)?.ok_or_else(bad)?;
        if row.client != client.id || row.redirect_uri != *redirect_uri {
            return Err(bad().into());
        }
        Challenge::from_bytes(row.challenge).verify(verifier)?;
        let person = PEOPLE.get(&*self.engine, &row.person)?;
        let fits = person_of_client(row.person, client.id);
        if person.is_none() || !fits || row.until <= self.now() {
            return self.end_code(client.id, key).and(Err(bad().into()));
        }
        let (granted, claims) = self.make_access_token(&NewGrant {
            bearer: Bearer::Person {
                person: row.person,
                client: client.id,
            },
            profile: row.person.owner(),
            scopes: super::tokens::stored_scopes(&row.scope),
        })?;
        match self.use_code(client.id, key, &claims)? {
            true => Ok(granted),
            false => Err(bad().into()),
        }
    }

    /// A code. The page may have been another process's, a moment ago, and the client does not know of that:
    /// before it is told that there is no such code, the store is asked once more, in its order of changes.
    pub(super) fn code_at(&self, key: &CodeKey) -> Result<Option<CodeRecord>, RegistryError> {
        match CODES.get(&*self.engine, key)? {
            None => self.in_store_order(&CODES, key),
            found => Ok(found),
        }
    }

    /// A row that is not here yet, as far as the store's order of changes has it by now.
    pub(super) fn in_store_order<K: Key, V: Record>(
        &self,
        table: &Table<K, V>,
        key: &K,
    ) -> Result<Option<V>, RegistryError> {
        let mut absent = Batch::default();
        table.expect(&mut absent, key, None);
        match self.engine.commit(absent) {
            Err(CommitError::Conflict) => Ok(table.get(&*self.engine, key)?),
            // Where no changes are taken, nothing new is there either.
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Marks a code as used for a token; where it was, ends the token that it was used for.
    fn use_code(
        &self,
        client: ClientId,
        key: CodeKey,
        claims: &AccessClaims,
    ) -> Result<bool, RegistryError> {
        let by = Change::by(super::clients::client_actor(client, Actions::NONE));
        self.transact(&by, |tx| {
            let Some(row) = CODES.get(tx.read, &key)? else {
                return Ok(false);
            };
            if let Some(used) = row.used {
                let given = AccessClaims {
                    id: used.token,
                    expires: used.until,
                    ..claims.clone()
                };
                stage_end(tx, &given)?;
                return Ok(false);
            }
            let after = CodeRecord {
                used: Some(CodeUse {
                    token: claims.id,
                    until: claims.expires,
                }),
                ..row.clone()
            };
            CODES.expect(&mut tx.batch, &key, Some(&row));
            CODES.put(&mut tx.batch, &key, &after);
            Ok(true)
        })
    }

    /// A code that comes too late may have been used before.
    fn end_code(&self, client: ClientId, key: CodeKey) -> Result<(), GrantRefused> {
        let by = Change::by(super::clients::client_actor(client, Actions::NONE));
        self.transact(&by, |tx| {
            let used = CODES.get(tx.read, &key)?.and_then(|row| row.used);
            let Some(used) = used else { return Ok(()) };
            let given = AccessClaims {
                bearer: Bearer::Client(client),
                issued_at: tx.now,
                expires: used.until,
                id: used.token,
                scopes: Scopes::default(),
                profile: None,
            };
            stage_end(tx, &given)
        })?;
        Ok(())
    }

    /// Forgets codes whose tokens are over, or that were never used. Returns how many.
    pub fn forget_ended_codes(&self) -> Result<usize, RegistryError> {
        let (mut forgotten, mut after) = (0, None);
        loop {
            let rows = CODES.scan(&*self.engine, &[], after.as_ref(), 256)?;
            let now = self.now();
            let mut batch = Batch::default();
            for (key, row) in rows.iter().filter(|(_, row)| is_over(row, now)) {
                CODES.expect(&mut batch, key, Some(row));
                CODES.delete(&mut batch, key);
            }
            let count = batch.deletes.len();
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
            let Some((last, _)) = rows.last() else {
                return Ok(forgotten);
            };
            after = Some(*last);
        }
    }
}

fn is_over(row: &CodeRecord, now: Timestamp) -> bool {
    let until = row.used.map_or(row.until, |used| used.until);
    end_of(until.max(row.until)) <= end_of(now)
}
