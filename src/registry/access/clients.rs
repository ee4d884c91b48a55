//! Clients: programs that act for a profile or for the registry. One registers itself, or is
//! registered; who may hand out what it asks for approves it; until then it is given nothing.

use std::fmt;

use serde_json::Value;
use zeroize::Zeroizing;

use super::tokens::{check_role, stored_scopes};
use crate::access::{Action, Actions, Role, Scope, Scopes};
use crate::ids::{ClientId, ProfileId, Slug};
use crate::oauth::{AuthMethod, ClientMetadata, GrantKind, RedirectUri, secret};
use crate::registry::change::Tx;
use crate::registry::{Actor, Change, Registry, RegistryError, Thing};
use crate::store::engine::{Batch, CommitError, Read};
use crate::store::event::{ClientStep, EventKind, Means};
use crate::store::tables::{CLIENTS, ClientRecord, ClientState};
use crate::time::{Timestamp, Ttl};

/// Who may register clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Everybody; what nobody answers for waits for approval.
    Open,
    /// Who may make clients of the profile that is named.
    Authorised,
    /// The registry's operator.
    None,
}

/// What the secrets of clients start with, so that a leaked one is found by those who search for it.
const SECRET_PREFIX: &str = "gsc_";
/// The same of the tokens by which they see their own registration.
const REGISTRATION_PREFIX: &str = "gsr_";

/// How many clients of one profile can wait for approval, and how many it can have at all.
const MOST_PENDING: usize = 100;
const MOST_CLIENTS: usize = 1_000;

/// For how long a client waits for approval before it is forgotten.
pub(in crate::registry) const PENDING_FOR: Ttl = Ttl::from_seconds(7 * 86_400);

/// A client as it is shown to itself and to who may decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientView {
    /// Its `client_id`.
    pub id: ClientId,
    /// For whom it acts; `None` is the registry.
    pub profile: Option<Slug>,
    /// Its name.
    pub name: String,
    /// How far it has come.
    pub state: ClientState,
    /// As what it acts, or wants to.
    pub role: Role,
    /// What it may be good for at most; where there is none, all of its role.
    pub scope: Option<String>,
    /// How it says who it is.
    pub auth: AuthMethod,
    /// Its public keys, where it signs.
    pub keys: Option<Value>,
    /// What it may ask for.
    pub grants: Vec<GrantKind>,
    /// Where people are sent back to.
    pub redirects: Vec<RedirectUri>,
    /// When it registered.
    pub created_at: Timestamp,
    /// When it was last decided about.
    pub decided_at: Option<Timestamp>,
}

/// A client that has just been registered. Only who registered it ever knows its secrets.
pub struct RegisteredClient {
    /// The client.
    pub client: ClientView,
    /// Its secret, where it has one.
    pub secret: Option<Zeroizing<String>>,
    /// The token by which it sees and ends its registration (RFC 7592).
    pub registration_token: Zeroizing<String>,
}

/// Without the secret.
impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredClient")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Registers a client. It is approved at once where `change` is by somebody who may approve it;
    /// otherwise it waits. Where nobody is known who asks, `request` is all that the log says of them.
    ///
    /// # Errors
    /// [`RegistryError::RegistrationClosed`] for who may not register any,
    /// [`RegistryError::ClientsFull`] where enough wait or are there.
    pub fn register_client(
        &self,
        change: Option<&Change>,
        request: [u8; 16],
        metadata: &ClientMetadata,
    ) -> Result<RegisteredClient, RegistryError> {
        check_role(metadata.role, metadata.profile.is_some())?;
        let has_secret = metadata.auth.has_secret();
        let secret = has_secret.then(|| secret::generate(SECRET_PREFIX, &*self.entropy));
        let registration_token = secret::generate(REGISTRATION_PREFIX, &*self.entropy);
        let owner = match &metadata.profile {
            Some(slug) => self.profile_id(&*self.engine, slug)?,
            None => ProfileId::REGISTRY,
        };
        let id = ClientId::generate(owner, &*self.entropy);
        let nobody = Change::by(Actor::anonymous().in_request(request));
        let by = change.unwrap_or(&nobody);
        let answers = change.map(|change| change.actor);
        let row = |now| ClientRecord {
            name: metadata.name.clone(),
            state: ClientState::Pending,
            role: metadata.role,
            scope: metadata.scopes.as_ref().map(Scopes::to_string),
            auth: metadata.auth,
            secret: secret.as_deref().map(|text| secret::digest(text)),
            keys: metadata.keys.clone(),
            grants: metadata.grants.clone(),
            redirects: metadata.redirects.clone(),
            registration: secret::digest(&registration_token),
            created_at: now,
            decided_at: None,
        };
        let made = self.transact(by, |tx| {
            self.may_register(tx, answers, owner)?;
            self.stage_client(tx, answers, id, row(tx.now))
        })?;
        if made != id {
            return Err(RegistryError::SecretShown { client: made });
        }
        Ok(RegisteredClient {
            client: self.client_view(&*self.engine, id)?,
            secret,
            registration_token,
        })
    }

    fn stage_client(
        &self,
        tx: &mut Tx<'_>,
        answers: Option<Actor>,
        id: ClientId,
        row: ClientRecord,
    ) -> Result<ClientId, RegistryError> {
        let approver = answers.filter(|actor| must_hand_out(*actor, id.owner(), &row).is_ok());
        let row = match approver {
            Some(_) => ClientRecord {
                state: ClientState::Approved,
                decided_at: Some(tx.now),
                ..row
            },
            None => row,
        };
        CLIENTS.expect(&mut tx.batch, &id, None);
        CLIENTS.put(&mut tx.batch, &id, &row);
        log_step(tx, id, ClientStep::Registered);
        if row.state == ClientState::Approved {
            log_step(tx, id, ClientStep::Approved);
        }
        Ok(id)
    }

    fn may_register(
        &self,
        tx: &Tx<'_>,
        by: Option<Actor>,
        owner: ProfileId,
    ) -> Result<(), RegistryError> {
        let answered = by.is_some_and(|actor| actor.may(Action::WriteClients, owner));
        let allowed = match self.settings.registration {
            Registration::Open => answered || owner != ProfileId::REGISTRY,
            Registration::Authorised => answered,
            Registration::None => by.is_some_and(Actor::operates),
        };
        if !allowed {
            return Err(RegistryError::RegistrationClosed);
        }
        let rows = CLIENTS.scan(tx.read, &owner.0.to_be_bytes(), None, usize::MAX)?;
        let waits = |row: &&(ClientId, ClientRecord)| {
            row.1.state == ClientState::Pending && !lapsed(&row.1, tx.now)
        };
        let full = !answered && rows.iter().filter(waits).count() >= MOST_PENDING;
        match full || rows.len() >= MOST_CLIENTS {
            true => Err(RegistryError::ClientsFull),
            false => Ok(()),
        }
    }

    /// Up to `limit` clients after a place, of one profile or, for the operator, of all; none of
    /// another profile than the actor's.
    pub fn clients(
        &self,
        actor: Actor,
        profile: Option<&Slug>,
        state: Option<ClientState>,
        after: Option<ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientView>, RegistryError> {
        let read = self.engine.snapshot();
        let owner = match profile {
            Some(slug) => Some(self.profile_id(&*read, slug)?),
            None => actor.speaks_as(),
        };
        let of = owner.unwrap_or(ProfileId::REGISTRY);
        actor.must_see(Action::WriteClients, of, profile)?;
        let prefix = owner.map(|owner| owner.0.to_be_bytes());
        let prefix = prefix.as_ref().map_or(&[][..], |bytes| &bytes[..]);
        let now = self.now();
        let (mut found, mut after) = (Vec::new(), after);
        while found.len() < limit {
            let rows = CLIENTS.scan(&*read, prefix, after.as_ref(), 256)?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(*last);
            for (id, row) in rows {
                let fits = state.is_none_or(|state| state == row.state) && !lapsed(&row, now);
                if fits && found.len() < limit {
                    found.push(self.view_of(&*read, id, row)?);
                }
            }
        }
        Ok(found)
    }

    /// A client, for who may decide about it.
    pub fn client(&self, actor: Actor, id: ClientId) -> Result<ClientView, RegistryError> {
        if !actor.may(Action::WriteClients, id.owner()) {
            return Err(no_client(id));
        }
        self.client_view(&*self.engine, id)
    }

    /// Approves a client for a role, and for so much of it; also one that was decided about before,
    /// whose tokens from before are good no longer.
    ///
    /// # Errors
    /// [`RegistryError::NotAllowed`] for more than the actor may do: nobody hands out what they have
    /// not.
    pub fn approve_client(
        &self,
        change: &Change,
        id: ClientId,
        role: Role,
        scopes: Option<&Scopes>,
    ) -> Result<ClientView, RegistryError> {
        check_role(role, id.owner() != ProfileId::REGISTRY)?;
        let step = ClientStep::Approved;
        self.decide_client(change, id, step, |row, now| ClientRecord {
            state: ClientState::Approved,
            role,
            scope: scopes.map(Scopes::to_string),
            decided_at: Some(now),
            ..row
        })
    }

    /// Rejects a client, or takes its approval back. The tokens that it has are good no longer.
    pub fn reject_client(
        &self,
        change: &Change,
        id: ClientId,
    ) -> Result<ClientView, RegistryError> {
        let step = ClientStep::Rejected;
        self.decide_client(change, id, step, |row, now| ClientRecord {
            state: ClientState::Rejected,
            decided_at: Some(now),
            ..row
        })
    }

    fn decide_client(
        &self,
        change: &Change,
        id: ClientId,
        step: ClientStep,
        decided: impl Fn(ClientRecord, Timestamp) -> ClientRecord,
    ) -> Result<ClientView, RegistryError> {
        self.transact(change, |tx| {
            let before = self.clients_row(tx, change.actor, id)?;
            let after = decided(before.clone(), tx.now);
            if after.state == ClientState::Approved {
                must_hand_out(change.actor, id.owner(), &after)?;
            }
            CLIENTS.expect(&mut tx.batch, &id, Some(&before));
            CLIENTS.put(&mut tx.batch, &id, &after);
            log_step(tx, id, step);
            Ok(())
        })?;
        self.client_view(&*self.engine, id)
    }

    /// Removes a client. The tokens that it has are good no longer.
    pub fn remove_client(&self, change: &Change, id: ClientId) -> Result<(), RegistryError> {
        self.transact(change, |tx| {
            let before = self.clients_row(tx, change.actor, id)?;
            CLIENTS.expect(&mut tx.batch, &id, Some(&before));
            CLIENTS.delete(&mut tx.batch, &id);
            log_step(tx, id, ClientStep::Removed);
            Ok(())
        })
    }

    /// Gives a client another secret. The one before is good no longer.
    pub fn make_client_secret(
        &self,
        change: &Change,
        id: ClientId,
    ) -> Result<Zeroizing<String>, RegistryError> {
        let secret = secret::generate(SECRET_PREFIX, &*self.entropy);
        let digest = secret::digest(&secret);
        let made: Vec<u8> = self.transact(change, |tx| {
            let before = self.clients_row(tx, change.actor, id)?;
            if !before.auth.has_secret() {
                let detail = "this client has no secret: it signs, or keeps none";
                return Err(RegistryError::invalid("", detail));
            }
            must_hand_out(change.actor, id.owner(), &before)?;
            let after = ClientRecord {
                secret: Some(digest),
                ..before.clone()
            };
            CLIENTS.expect(&mut tx.batch, &id, Some(&before));
            CLIENTS.put(&mut tx.batch, &id, &after);
            log_step(tx, id, ClientStep::SecretMade);
            // Tells this answer from that to an earlier request, and nothing of the secret.
            Ok(secret::digest(&format!("{digest:?}")).to_vec())
        })?;
        match made == secret::digest(&format!("{digest:?}")) {
            true => Ok(secret),
            false => Err(RegistryError::SecretShown { client: id }),
        }
    }

    /// The client whose registration this token is for (RFC 7592 section 2); none for another token.
    pub fn client_by_registration(
        &self,
        id: ClientId,
        token: &str,
    ) -> Result<Option<ClientView>, RegistryError> {
        let row = CLIENTS.get(&*self.engine, &id)?;
        match secret::check(token, row.as_ref().map(|row| &row.registration)) {
            secret::SecretCheck::Good => self.client_view(&*self.engine, id).map(Some),
            secret::SecretCheck::Bad => Ok(None),
        }
    }

    /// Removes a client on its own word, which [`Registry::client_by_registration`] has checked.
    pub fn remove_own_client(&self, client: &ClientView) -> Result<(), RegistryError> {
        let own = Actions::of(&[Action::WriteClients]);
        self.remove_client(&Change::by(client_actor(client.id, own)), client.id)
    }

    /// Forgets clients that nobody decided about in time. Returns how many.
    pub fn forget_lapsed_clients(&self) -> Result<usize, RegistryError> {
        let (mut forgotten, mut after) = (0, None);
        loop {
            let rows = CLIENTS.scan(&*self.engine, &[], after.as_ref(), 256)?;
            let Some((last, _)) = rows.last() else {
                return Ok(forgotten);
            };
            after = Some(*last);
            let now = self.now();
            for (id, row) in rows.iter().filter(|(_, row)| lapsed(row, now)) {
                let mut batch = Batch::default();
                CLIENTS.expect(&mut batch, id, Some(row));
                CLIENTS.delete(&mut batch, id);
                let step = ClientStep::Removed;
                let kind = EventKind::Client { client: *id, step };
                crate::registry::change::log_event(&mut batch, Actor::operator(), None, kind);
                match self.commit(batch) {
                    Ok(_) => forgotten += 1,
                    // It was just decided about.
                    Err(RegistryError::Commit(CommitError::Conflict)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// The row of a client that the actor may decide about. Of others' not even the existence is
    /// told.
    fn clients_row(
        &self,
        tx: &Tx<'_>,
        actor: Actor,
        id: ClientId,
    ) -> Result<ClientRecord, RegistryError> {
        match actor.must(Action::WriteClients, id.owner()) {
            Err(RegistryError::NotYours) => return Err(no_client(id)),
            other => other?,
        }
        let row = CLIENTS.get(tx.read, &id)?;
        let row = row.filter(|row| !lapsed(row, tx.now));
        row.ok_or_else(|| no_client(id))
    }

    fn client_view(&self, read: &dyn Read, id: ClientId) -> Result<ClientView, RegistryError> {
        let row = CLIENTS.get(read, &id)?;
        let row = row.filter(|row| !lapsed(row, self.now()));
        self.view_of(read, id, row.ok_or_else(|| no_client(id))?)
    }

    fn view_of(
        &self,
        read: &dyn Read,
        id: ClientId,
        row: ClientRecord,
    ) -> Result<ClientView, RegistryError> {
        let keys = row.keys.as_deref().map(serde_json::from_str);
        let keys = keys.map(|keys| keys.expect("stored keys were written from JSON"));
        Ok(ClientView {
            id,
            profile: self.slug_of(read, id.owner())?,
            name: row.name,
            state: row.state,
            role: row.role,
            scope: row.scope,
            auth: row.auth,
            keys,
            grants: row.grants,
            redirects: row.redirects,
            created_at: row.created_at,
            decided_at: row.decided_at,
        })
    }

    /// The slug of a profile; none for the registry.
    pub(in crate::registry) fn slug_of(
        &self,
        read: &dyn Read,
        owner: ProfileId,
    ) -> Result<Option<Slug>, RegistryError> {
        match owner {
            ProfileId::REGISTRY => Ok(None),
            profile => Ok(Some(self.profile_record(read, profile)?.slug)),
        }
    }
}

/// A client as an actor.
pub(super) fn client_actor(id: ClientId, actions: Actions) -> Actor {
    let profile = Some(id.owner()).filter(|owner| *owner != ProfileId::REGISTRY);
    Actor::known(profile, Means::Client(*id.as_bytes()), actions)
}

/// What a client may do at most, by its row: of its role what its scopes name. Scopes by path narrow
/// each token, and not this.
pub(super) fn client_actions(row: &ClientRecord) -> Actions {
    let Some(scopes) = row.scope.as_deref().map(stored_scopes) else {
        return row.role.actions();
    };
    let named = scopes.iter().fold(Actions::NONE, |all, scope| match scope {
        Scope::Action(action) => all.or(Actions::of(&[*action])),
        // What is below a path takes whatever the routes there need.
        Scope::Path { .. } | Scope::OpenBadges(_) => Actions::ALL,
    });
    row.role.actions().and(named)
}

/// Demands that the actor may do all that the client is approved for.
fn must_hand_out(actor: Actor, owner: ProfileId, row: &ClientRecord) -> Result<(), RegistryError> {
    actor.must(Action::WriteClients, owner)?;
    client_actions(row)
        .iter()
        .try_for_each(|action| actor.must(action, owner))
}

fn log_step(tx: &mut Tx<'_>, client: ClientId, step: ClientStep) {
    tx.log(EventKind::Client { client, step });
}

/// Whether a client has waited for approval for too long.
pub(super) fn lapsed(row: &ClientRecord, now: Timestamp) -> bool {
    row.state == ClientState::Pending && row.created_at.plus(PENDING_FOR) <= now
}

fn no_client(id: ClientId) -> RegistryError {
    RegistryError::NotFound(Thing::Client, id.to_string())
}
