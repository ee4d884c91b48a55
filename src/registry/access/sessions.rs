//! Sessions of the console: whoever signed in there is known by a cookie until they sign out, leave it
//! lying, are removed, or take another passphrase.
//!
//! The console is a client of this registry's own authorization server like any other (RFC 6749 section
//! 4.1 with PKCE), but for three things: it is built in, so that no start has to register it and nobody
//! can take its approval back; its one redirect URI is below `public_url`; and its codes are changed for
//! a session here, and for no access token anywhere. What somebody does by it the log has as done by them, by
//! this client.
//!
//! A session is a row, so that it is good at every process that shares the store and ends at all of them. The
//! cookie is `PERSON.SECRET.UNTIL.TAG`: the row is found by the person and the digest of the first two, and
//! the rest shows for a while that it was made here lately, so that a process which does not have the row yet
//! looks for it in the store's own order before it says that there is none.

use zeroize::Zeroizing;

use super::people::{SignInRefused, person_actor};
use super::sign_in::CodeKey;
use crate::access::{Actions, Role};
use crate::ids::{ClientId, PersonId, ProfileId};
use crate::oauth::authorize::Asker;
use crate::oauth::form_token::{FormCheck, FormKey};
use crate::oauth::pkce::Challenge;
use crate::oauth::{AuthMethod, GrantKind, OAuthError, secret};
use crate::registry::change::Tx;
use crate::registry::{Actor, Change, GrantRefused, PersonView, Registry, RegistryError};
use crate::store::engine::{Batch, CommitError, Read};
use crate::store::tables::{
    CLIENTS, CODES, ClientRecord, ClientState, CodeUse, Digest, PEOPLE, SESSIONS, SessionRecord,
};
use crate::time::{Timestamp, Ttl};

/// The console as a client: no random id has these bytes.
pub const CONSOLE: ClientId = ClientId::from_bytes(*b"\0\0\0\0goodstanding");

/// Where the console is sent codes, below `public_url`.
const CALLBACK: &str = "/console/callback";

/// Whose sessions those are in which nobody signed in: nobody's id is all zeros.
const DEVELOPMENT: PersonId = PersonId::from_bytes([0; 16]);

/// A session's row.
type SessionKey = (PersonId, Digest);

/// For how long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Unused.
    pub idle: Ttl,
    /// At all.
    pub longest: Ttl,
}

impl SessionLimits {
    /// Where the configuration says nothing else: half an hour, and twelve hours.
    pub const USUAL: Self = Self {
        idle: Ttl::from_seconds(1_800),
        longest: Ttl::from_seconds(43_200),
    };

    fn end(self, row: &SessionRecord) -> Timestamp {
        let rests = row.seen_at.plus(self.idle);
        rests.min(row.created_at.plus(self.longest))
    }
}

/// Whoever is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Who; nobody in particular in development mode.
    pub person: Option<PersonView>,
    /// When the session ends at the latest.
    pub until: Timestamp,
    key: SessionKey,
}

impl Visitor {
    /// Whom the visitor acts for and what they may do: all that their role allows now. Who did not sign in
    /// is anybody on this machine, whom development mode alone lets do anything.
    pub fn actor(&self) -> Actor {
        match &self.person {
            Some(person) => person_actor(person.id, Some(CONSOLE), person.role.actions()),
            None => Actor::development(),
        }
    }

    /// What tells this session from all others in forms: it opens nothing.
    pub fn session(&self) -> String {
        let digest = self.key.1.iter();
        digest.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Registry {
    /// Where the console is sent codes.
    pub fn console_callback(&self) -> String {
        format!("{}{CALLBACK}", self.urls().origin())
    }

    /// A client of people who sign in: one that is registered, or the console.
    pub(super) fn client_of_people(
        &self,
        read: &dyn Read,
        id: ClientId,
    ) -> Result<Option<ClientRecord>, RegistryError> {
        match id {
            CONSOLE => Ok(Some(console())),
            _ => Ok(CLIENTS.get(read, &id)?),
        }
    }

    /// Whether a client has people sent to this place.
    pub(super) fn is_place_of(&self, asker: &Asker, row: &ClientRecord) -> bool {
        match asker.client {
            // Letter for letter, its port as well.
            CONSOLE => asker.redirect_uri == self.console_callback(),
            _ => row.redirects.iter().any(|uri| uri.is(&asker.redirect_uri)),
        }
    }

    /// The cookie of a new session for a code that the console was sent. A code is used once; a second use
    /// ends the session that the first one gave, since one of the two was not the console's. The session
    /// that the browser had before ends.
    pub fn session_for_code(
        &self,
        code: &str,
        verifier: &str,
        before: Option<&str>,
    ) -> Result<Zeroizing<String>, GrantRefused> {
        let bad = || OAuthError::grant("the code is not known here, was used, or is over");
        let code: CodeKey = (ProfileId::REGISTRY, secret::digest(code));
        let row = self.code_at(&code)?.ok_or_else(bad)?;
        if row.client != CONSOLE || row.redirect_uri != self.console_callback() {
            return Err(bad().into());
        }
        Challenge::from_bytes(row.challenge).verify(verifier)?;
        let (key, cookie) = self.new_session(row.person);
        let by = Change::by(person_actor(row.person, Some(CONSOLE), Actions::NONE));
        let begun = self.transact(&by, |tx| {
            let Some(row) = CODES.get(tx.read, &code)? else {
                return Ok(false);
            };
            if let Some(used) = row.used {
                stage_ends(tx, &row.person, &used.token)?;
                return Ok(false);
            }
            let person = PEOPLE.get(tx.read, &row.person)?;
            let passphrase = person.and_then(|person| person.passphrase);
            let Some(passphrase) = passphrase.filter(|_| row.until > tx.now) else {
                return Ok(false);
            };
            let mut after = row.clone();
            let (token, _) = key.1.split_first_chunk().expect("16 of 32 bytes");
            after.used = Some(CodeUse {
                token: *token,
                until: tx.now.plus(self.settings.sessions.longest),
            });
            CODES.expect(&mut tx.batch, &code, Some(&row));
            CODES.put(&mut tx.batch, &code, &after);
            self.stage_session(tx, &key, passphrase.salt, before)
        })?;
        match begun {
            true => Ok(cookie),
            false => Err(bad().into()),
        }
    }

    /// The cookie of a new session in which nobody signed in, for development mode.
    pub fn session_in_development(
        &self,
        before: Option<&str>,
    ) -> Result<Zeroizing<String>, RegistryError> {
        let (key, cookie) = self.new_session(DEVELOPMENT);
        self.transact(&Change::by(Actor::development()), |tx| {
            self.stage_session(tx, &key, [0; 16], before)
        })?;
        Ok(cookie)
    }

    /// Who is known by a cookie, where its session goes on.
    pub fn visitor(&self, cookie: &str) -> Result<Option<Visitor>, RegistryError> {
        let Some(key) = key_of(cookie) else {
            return Ok(None);
        };
        let Some(row) = self.session_at(&key, cookie)? else {
            return Ok(None);
        };
        let (now, limits) = (self.now(), self.settings.sessions);
        if limits.end(&row) <= now {
            return Ok(None);
        }
        let person = match key.0 {
            DEVELOPMENT => None,
            id => {
                let read = self.engine.snapshot();
                let passphrase = PEOPLE.get(&*read, &id)?.and_then(|row| row.passphrase);
                if passphrase.map(|passphrase| passphrase.salt) != Some(row.passphrase) {
                    return Ok(None);
                }
                Some(self.person_view(&*read, id)?)
            }
        };
        if row.seen_at.plus(Ttl::from_millis(limits.idle.millis() / 8)) <= now {
            self.touch(&key);
        }
        Ok(Some(Visitor {
            person,
            until: row.created_at.plus(limits.longest),
            key,
        }))
    }

    /// Ends the session of a visitor.
    pub fn sign_out(&self, visitor: &Visitor) -> Result<(), RegistryError> {
        self.transact(&Change::by(visitor.actor()), |tx| {
            SESSIONS.delete(&mut tx.batch, &visitor.key);
            Ok(())
        })
    }

    /// Gives whoever is signed in another passphrase, which ends every session of theirs.
    ///
    /// # Errors
    /// [`SignInRefused::Wrong`] for another passphrase than the present one, and where nobody signed in.
    pub fn change_passphrase(
        &self,
        visitor: &Visitor,
        present: &str,
        new: &str,
    ) -> Result<(), SignInRefused> {
        let person = visitor.person.as_ref().ok_or(SignInRefused::Wrong)?;
        let ends = |tx: &mut Tx<'_>| stage_ends(tx, &person.id, &[]);
        self.change_passphrase_of(visitor.actor(), person.id, (present, new), ends)
    }

    /// Ends every session of whoever the visitor is.
    pub fn sign_out_everywhere(&self, visitor: &Visitor) -> Result<(), RegistryError> {
        self.transact(&Change::by(visitor.actor()), |tx| {
            stage_ends(tx, &visitor.key.0, &[])
        })
    }

    /// Forgets sessions that are over. Returns how many.
    pub fn forget_ended_sessions(&self) -> Result<usize, RegistryError> {
        let (mut forgotten, mut after) = (0, None);
        loop {
            let rows = SESSIONS.scan(&*self.engine, &[], after.as_ref(), 256)?;
            let (now, limits) = (self.now(), self.settings.sessions);
            let mut batch = Batch::default();
            for (key, row) in rows.iter().filter(|(_, row)| limits.end(row) <= now) {
                SESSIONS.expect(&mut batch, key, Some(row));
                SESSIONS.delete(&mut batch, key);
            }
            let count = batch.deletes.len();
            match self.commit(batch) {
                Ok(_) => forgotten += count,
                // It was used meanwhile by another process.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
            let Some((last, _)) = rows.last() else {
                return Ok(forgotten);
            };
            after = Some(*last);
        }
    }

    fn new_session(&self, person: PersonId) -> (SessionKey, Zeroizing<String>) {
        let named = secret::generate(&format!("{person}."), &*self.entropy);
        let shown = self.forms().sign(&fresh(&named), self.now());
        let cookie = Zeroizing::new(format!("{}.{shown}", *named));
        ((person, secret::digest(&named)), cookie)
    }

    fn stage_session(
        &self,
        tx: &mut Tx<'_>,
        key: &SessionKey,
        passphrase: [u8; 16],
        before: Option<&str>,
    ) -> Result<bool, RegistryError> {
        if let Some(before) = before.and_then(key_of) {
            SESSIONS.delete(&mut tx.batch, &before);
        }
        let row = SessionRecord {
            created_at: tx.now,
            seen_at: tx.now,
            passphrase,
        };
        SESSIONS.expect(&mut tx.batch, key, None);
        SESSIONS.put(&mut tx.batch, key, &row);
        Ok(true)
    }

    fn session_at(
        &self,
        key: &SessionKey,
        cookie: &str,
    ) -> Result<Option<SessionRecord>, RegistryError> {
        match SESSIONS.get(&*self.engine, key)? {
            None if is_fresh(&self.forms(), cookie, self.now()) => {
                self.in_store_order(&SESSIONS, key)
            }
            found => Ok(found),
        }
    }

    /// Notes that a session is used. Where that cannot be written now, it rests a little longer.
    fn touch(&self, key: &SessionKey) {
        let by = Change::by(person_actor(key.0, Some(CONSOLE), Actions::NONE));
        let _noted = self.transact(&by, |tx| {
            if let Some(before) = SESSIONS.get(tx.read, key)? {
                let after = SessionRecord {
                    seen_at: tx.now,
                    ..before
                };
                SESSIONS.expect(&mut tx.batch, key, Some(&before));
                SESSIONS.put(&mut tx.batch, key, &after);
            }
            Ok(())
        });
    }
}

/// The console, as rows describe clients. No secret makes it the console: its codes are good for sessions
/// alone, and are sent to its own place.
fn console() -> ClientRecord {
    ClientRecord {
        name: "Goodstanding".to_owned(),
        state: ClientState::Approved,
        role: Role::Operator,
        scope: None,
        auth: AuthMethod::None,
        secret: None,
        keys: None,
        grants: vec![GrantKind::AuthorizationCode],
        redirects: Vec::new(),
        registration: [0; 32],
        created_at: Timestamp::EPOCH,
        decided_at: None,
    }
}

/// Stages the end of a person's sessions: of those whose digest begins with these bytes.
fn stage_ends(tx: &mut Tx<'_>, person: &PersonId, digest: &[u8]) -> Result<(), RegistryError> {
    let prefix = [&person.as_bytes()[..], digest].concat();
    for (key, _) in SESSIONS.scan(tx.read, &prefix, None, usize::MAX)? {
        SESSIONS.delete(&mut tx.batch, &key);
    }
    Ok(())
}

/// The row that a cookie is about.
fn key_of(cookie: &str) -> Option<SessionKey> {
    let (named, _) = split(cookie)?;
    let (person, _) = named.split_once('.')?;
    Some((person.parse().ok()?, secret::digest(named)))
}

/// Who and secret; what shows that it is fresh.
fn split(cookie: &str) -> Option<(&str, &str)> {
    let (second, _) = cookie.match_indices('.').nth(1)?;
    Some((&cookie[..second], &cookie[second + 1..]))
}

const fn fresh(named: &str) -> [&str; 2] {
    ["session", named]
}

fn is_fresh(forms: &FormKey, cookie: &str, now: Timestamp) -> bool {
    let shown = split(cookie);
    shown.is_some_and(|(named, shown)| forms.check(shown, &fresh(named), now) == FormCheck::Good)
}
