//! People: those who sign in on the pages. They are invited, take the invitation with a passphrase of
//! their own, and are removed; what they were given ends with them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use thiserror::Error;
use zeroize::Zeroizing;

use super::tokens::check_role;
use crate::access::{Action, Actions, Role};
use crate::entropy::random;
use crate::ids::{ClientId, PersonId, ProfileId, Slug};
use crate::oauth::passphrase::{self, ROUNDS};
use crate::oauth::secret::{self, SecretCheck};
use crate::registry::change::Tx;
use crate::registry::{Actor, Change, Registry, RegistryError, Thing};
use crate::store::engine::Read;
use crate::store::event::{EventKind, Means, PersonStep};
use crate::store::tables::{Invitation, PEOPLE, PassphraseRecord, PersonRecord};
use crate::time::{Timestamp, Ttl};

/// What invitations start with.
const INVITATION_PREFIX: &str = "gsi_";
/// For how long an invitation can be taken.
const INVITED_FOR: Ttl = Ttl::from_seconds(7 * 86_400);
/// How many people one profile can have.
const MOST_PEOPLE: usize = 200;
/// So many wrong passphrases are taken before the first wait, which doubles with each further one.
const FREE_TRIES: u32 = 5;
/// The longest wait.
const LONGEST_WAIT: u64 = 900;
/// How many names of nobody are counted at a time.
const MOST_NAMES: usize = 10_000;
/// How many passphrases are looked at at a time: each takes a processor for a while.
const AT_A_TIME: usize = 4;

/// Somebody to be invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// For whom they are to act; `None` is the registry.
    pub profile: Option<Slug>,
    /// Their name.
    pub name: String,
    /// Where they can be reached; also the name by which they sign in.
    pub email: Option<String>,
    /// As what.
    pub role: Role,
}

/// Somebody who signs in here, as they are shown to who may remove them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// Who.
    pub id: PersonId,
    /// For whom they act; `None` is the registry.
    pub profile: Option<Slug>,
    /// Their name.
    pub name: String,
    /// Where they can be reached.
    pub email: Option<String>,
    /// As what they act.
    pub role: Role,
    /// Whether they took their invitation.
    pub accepted: bool,
    /// When they were invited.
    pub created_at: Timestamp,
}

/// Why nobody signed in.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SignInRefused {
    /// Nobody by this name with this passphrase.
    #[error("the name or the passphrase is not right")]
    Wrong,
    /// Too many were wrong.
    #[error("too many wrong passphrases; try again in {0} seconds")]
    Wait(u64),
    /// Too many sign in at this moment.
    #[error("too many people sign in at this moment; try again in a few seconds")]
    Busy,
    /// The invitation is unknown, was taken, or is over.
    #[error("this invitation is not known here, was taken already, or is over; ask for another")]
    Invitation,
    /// The passphrase cannot be one.
    #[error(transparent)]
    Weak(#[from] passphrase::TooWeak),
    /// Something here failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Wrong passphrases, by whom they were tried for, and how many are looked at now. A restart forgets
/// it.
#[derive(Debug, Default)]
pub(in crate::registry) struct Tries(Mutex<Tried>);

#[derive(Debug, Default)]
struct Tried {
    wrong: HashMap<Guessed, (u32, Timestamp)>,
    now: usize,
}

/// For whom a passphrase is tried. A name of nobody waits as any other does, so that waiting tells
/// nothing of who is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Guessed {
    Person(PersonId),
    /// SHA-256 of for whom the client acts, and of the name.
    Nobody([u8; 32]),
}

impl Registry {
    /// Invites somebody. The invitation is shown once.
    ///
    /// # Errors
    /// [`RegistryError::NotAllowed`] for a role that allows more than the actor's, as with clients.
    pub fn invite_person(
        &self,
        change: &Change,
        new: &NewPerson,
    ) -> Result<(PersonView, Zeroizing<String>), RegistryError> {
        check_role(new.role, new.profile.is_some())?;
        check_words(new)?;
        let owner = match &new.profile {
            Some(slug) => self.profile_id(&*self.engine, slug)?,
            None => ProfileId::REGISTRY,
        };
        let id = PersonId::generate(owner, &*self.entropy);
        let code = secret::generate(&format!("{INVITATION_PREFIX}{id}."), &*self.entropy);
        let made: PersonId = self.transact(change, |tx| {
            change.actor.must(Action::WriteClients, owner)?;
            let mut all = new.role.actions().iter();
            all.try_for_each(|action| change.actor.must(action, owner))?;
            let others = PEOPLE.scan(tx.read, &owner.0.to_be_bytes(), None, usize::MAX)?;
            let same = |row: &&(PersonId, PersonRecord)| same_address(&row.1.email, &new.email);
            if others.len() >= MOST_PEOPLE || others.iter().any(|row| same(&row)) {
                let detail = "somebody with this address is here already, or 200 people are";
                return Err(RegistryError::invalid("/email", detail));
            }
            let row = PersonRecord {
                name: new.name.clone(),
                email: new.email.clone(),
                role: new.role,
                invitation: Some(Invitation {
                    code: secret::digest(&code),
                    until: tx.now.plus(INVITED_FOR),
                }),
                passphrase: None,
                created_at: tx.now,
            };
            PEOPLE.expect(&mut tx.batch, &id, None);
            PEOPLE.put(&mut tx.batch, &id, &row);
            let step = PersonStep::Invited;
            tx.log(EventKind::Person { person: id, step });
            Ok(id)
        })?;
        if made != id {
            return Err(RegistryError::TokenShown {
                id: made.to_string(),
            });
        }
        Ok((self.person_view(&*self.engine, id)?, code))
    }

    /// The people of a profile or, where none is named, of the one for whom the actor acts.
    pub fn people(
        &self,
        actor: Actor,
        profile: Option<&Slug>,
    ) -> Result<Vec<PersonView>, RegistryError> {
        let read = self.engine.snapshot();
        let owner = match profile {
            Some(slug) => self.profile_id(&*read, slug)?,
            None => actor.speaks_as().unwrap_or(ProfileId::REGISTRY),
        };
        actor.must_see(Action::WriteClients, owner, profile)?;
        let rows = PEOPLE.scan(&*read, &owner.0.to_be_bytes(), None, usize::MAX)?;
        let ids = rows.iter().map(|(id, _)| *id);
        ids.map(|id| self.person_view(&*read, id)).collect()
    }

    /// Removes somebody. What they were given is good no longer.
    pub fn remove_person(&self, change: &Change, id: PersonId) -> Result<(), RegistryError> {
        self.transact(change, |tx| {
            match change.actor.must(Action::WriteClients, id.owner()) {
                Err(RegistryError::NotYours) => return Err(no_person(id)),
                other => other?,
            }
            let row = PEOPLE.get(tx.read, &id)?.ok_or_else(|| no_person(id))?;
            PEOPLE.expect(&mut tx.batch, &id, Some(&row));
            PEOPLE.delete(&mut tx.batch, &id);
            let step = PersonStep::Removed;
            tx.log(EventKind::Person { person: id, step });
            Ok(())
        })
    }

    /// Takes an invitation, with the passphrase of whoever it is for.
    pub fn accept_invitation(
        &self,
        code: &str,
        passphrase: &str,
    ) -> Result<PersonView, SignInRefused> {
        let id = code.strip_prefix(INVITATION_PREFIX);
        let id = id.and_then(|rest| rest.split_once('.')?.0.parse().ok());
        let id: PersonId = id.ok_or(SignInRefused::Invitation)?;
        let kept = PEOPLE
            .get(&*self.engine, &id)
            .map_err(RegistryError::from)?;
        if self.invited(kept.as_ref(), code) == SecretCheck::Bad {
            return Err(SignInRefused::Invitation);
        }
        let made = self.new_passphrase(passphrase)?;
        let itself = Change::by(person_actor(id, None, Actions::NONE));
        let taken = self.transact(&itself, |tx| {
            let before = PEOPLE.get(tx.read, &id)?;
            let (Some(before), SecretCheck::Good) = (&before, self.invited(before.as_ref(), code))
            else {
                return Ok(false);
            };
            let after = PersonRecord {
                invitation: None,
                passphrase: Some(made),
                ..before.clone()
            };
            PEOPLE.expect(&mut tx.batch, &id, Some(before));
            PEOPLE.put(&mut tx.batch, &id, &after);
            let step = PersonStep::Accepted;
            tx.log(EventKind::Person { person: id, step });
            Ok(true)
        })?;
        match taken {
            true => Ok(self.person_view(&*self.engine, id)?),
            false => Err(SignInRefused::Invitation),
        }
    }

    fn invited(&self, row: Option<&PersonRecord>, code: &str) -> SecretCheck {
        let invitation = row.and_then(|row| row.invitation.as_ref());
        let open = invitation.filter(|invitation| invitation.until > self.now());
        secret::check(code, open.map(|invitation| &invitation.code))
    }

    /// Who this is, by name (an address, or their id) and passphrase, among the people of `owner`;
    /// of everybody where that is the registry. An unknown name takes as long as a wrong passphrase.
    pub(super) fn person_signing_in(
        &self,
        owner: ProfileId,
        name: &str,
        passphrase: &str,
    ) -> Result<PersonId, SignInRefused> {
        let found = self.person_named(&*self.engine, owner, name)?;
        let guessed = match &found {
            Some((id, _)) => Guessed::Person(*id),
            None => {
                let name = name.trim().to_lowercase();
                Guessed::Nobody(secret::digest(&format!("{} {name}", owner.0)))
            }
        };
        let kept = found.as_ref().and_then(|(_, row)| row.passphrase);
        self.check_passphrase(guessed, kept, passphrase)?;
        found.map(|(id, _)| id).ok_or(SignInRefused::Wrong)
    }

    /// Demands that a passphrase is the one that is kept. A wrong one counts, and where none is kept it takes
    /// as long.
    fn check_passphrase(
        &self,
        guessed: Guessed,
        kept: Option<PassphraseRecord>,
        passphrase: &str,
    ) -> Result<(), SignInRefused> {
        self.tries.check(guessed, self.now())?;
        let nobody = PassphraseRecord {
            rounds: ROUNDS.get(),
            salt: [0; 16],
            hash: [0; 32],
        };
        let PassphraseRecord { rounds, salt, hash } = kept.unwrap_or(nobody);
        let rounds = NonZeroU32::new(rounds).unwrap_or(ROUNDS);
        let turn = self.tries.turn().ok_or(SignInRefused::Busy)?;
        let good = passphrase::check(passphrase, &salt, rounds, &hash);
        drop(turn);
        match kept.is_some() && good == SecretCheck::Good {
            true => {
                self.tries.forget(guessed);
                Ok(())
            }
            false => {
                self.tries.count(guessed, self.now());
                Err(SignInRefused::Wrong)
            }
        }
    }

    /// Gives somebody who knows their passphrase another one. `also` is staged with it.
    pub(super) fn change_passphrase_of(
        &self,
        by: Actor,
        id: PersonId,
        (present, new): (&str, &str),
        also: impl Fn(&mut Tx<'_>) -> Result<(), RegistryError>,
    ) -> Result<(), SignInRefused> {
        let kept = PEOPLE
            .get(&*self.engine, &id)
            .map_err(RegistryError::from)?;
        let kept = kept.and_then(|row| row.passphrase);
        self.check_passphrase(Guessed::Person(id), kept, present)?;
        let made = self.new_passphrase(new)?;
        let changed = self.transact(&Change::by(by), |tx| {
            let before = PEOPLE.get(tx.read, &id)?;
            // Another one may have been chosen meanwhile, and this one is then not the present one.
            let Some(before) = before.filter(|row| row.passphrase == kept) else {
                return Ok(false);
            };
            let after = PersonRecord {
                passphrase: Some(made),
                ..before.clone()
            };
            PEOPLE.expect(&mut tx.batch, &id, Some(&before));
            PEOPLE.put(&mut tx.batch, &id, &after);
            also(tx)?;
            let step = PersonStep::PassphraseChanged;
            tx.log(EventKind::Person { person: id, step });
            Ok(true)
        })?;
        changed.then_some(()).ok_or(SignInRefused::Wrong)
    }

    /// What is kept of a new passphrase.
    fn new_passphrase(&self, passphrase: &str) -> Result<PassphraseRecord, SignInRefused> {
        passphrase::check_new(passphrase)?;
        let salt: [u8; 16] = random(&*self.entropy);
        let turn = self.tries.turn().ok_or(SignInRefused::Busy)?;
        let hash = passphrase::derive(passphrase, &salt, ROUNDS);
        drop(turn);
        Ok(PassphraseRecord {
            rounds: ROUNDS.get(),
            salt,
            hash,
        })
    }

    fn person_named(
        &self,
        read: &dyn Read,
        owner: ProfileId,
        name: &str,
    ) -> Result<Option<(PersonId, PersonRecord)>, RegistryError> {
        let prefix = owner.0.to_be_bytes();
        let prefix = match owner {
            ProfileId::REGISTRY => &[][..],
            _ => &prefix[..],
        };
        if let Ok(id) = name.parse::<PersonId>() {
            let fits = owner == ProfileId::REGISTRY || id.owner() == owner;
            let row = PEOPLE.get(read, &id)?;
            return Ok(row.filter(|_| fits).map(|row| (id, row)));
        }
        let named = Some(name.to_owned());
        let rows = PEOPLE.scan(read, prefix, None, usize::MAX)?;
        let mut found = rows
            .into_iter()
            .filter(|(_, row)| same_address(&row.email, &named));
        // Whoever is there for several profiles names the one that is meant, by their id.
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    pub(super) fn person_view(
        &self,
        read: &dyn Read,
        id: PersonId,
    ) -> Result<PersonView, RegistryError> {
        let row = PEOPLE.get(read, &id)?.ok_or_else(|| no_person(id))?;
        Ok(PersonView {
            id,
            profile: self.slug_of(read, id.owner())?,
            name: row.name,
            email: row.email,
            role: row.role,
            accepted: row.passphrase.is_some(),
            created_at: row.created_at,
        })
    }
}

impl Tries {
    /// Demands that whoever is tried for need not wait.
    fn check(&self, guessed: Guessed, now: Timestamp) -> Result<(), SignInRefused> {
        let tried = self.lock();
        let until = tried.wrong.get(&guessed).map(|(_, until)| *until);
        match until.filter(|until| *until > now) {
            Some(until) => {
                let millis = until.millis() - now.millis();
                Err(SignInRefused::Wait(millis.unsigned_abs().div_ceil(1_000)))
            }
            None => Ok(()),
        }
    }

    fn count(&self, guessed: Guessed, now: Timestamp) {
        let mut tried = self.lock();
        tried.make_room(guessed);
        let (count, until) = tried.wrong.entry(guessed).or_insert((0, now));
        *count = count.saturating_add(1);
        if let Some(over) = count.checked_sub(FREE_TRIES) {
            let seconds = 1_u64.checked_shl(over).unwrap_or(LONGEST_WAIT);
            *until = now.plus(Ttl::from_seconds(seconds.min(LONGEST_WAIT)));
        }
    }

    fn forget(&self, guessed: Guessed) {
        self.lock().wrong.remove(&guessed);
    }

    /// A turn to look at a passphrase; none where enough have one.
    fn turn(&self) -> Option<Turn<'_>> {
        let mut tried = self.lock();
        let free = tried.now < AT_A_TIME;
        tried.now += usize::from(free);
        free.then_some(Turn(self))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tried> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tried {
    /// Forgets the name of nobody whose wait ends first, where another one comes and there are
    /// enough: people are counted, and names that strangers make up are not.
    fn make_room(&mut self, guessed: Guessed) {
        if self.wrong.contains_key(&guessed) || !matches!(guessed, Guessed::Nobody(_)) {
            return;
        }
        let names = self.wrong.iter();
        let names = names.filter(|(tried, _)| matches!(tried, Guessed::Nobody(_)));
        if names.clone().count() < MOST_NAMES {
            return;
        }
        let first = names.min_by_key(|(_, (_, until))| *until);
        if let Some(first) = first.map(|(tried, _)| *tried) {
            self.wrong.remove(&first);
        }
    }
}

/// Ends when dropped.
struct Turn<'t>(&'t Tries);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut tried = self.0.lock();
        tried.now = tried.now.saturating_sub(1);
    }
}

/// A person as an actor: by the client that they signed in by, where they did.
pub(super) fn person_actor(id: PersonId, client: Option<ClientId>, actions: Actions) -> Actor {
    let profile = Some(id.owner()).filter(|owner| *owner != ProfileId::REGISTRY);
    let person = *id.as_bytes();
    let means = match client.map(|client| *client.as_bytes()) {
        Some(client) => Means::PersonBy { person, client },
        None => Means::Person(person),
    };
    Actor::known(profile, means, actions)
}

fn check_words(new: &NewPerson) -> Result<(), RegistryError> {
    let fits = |text: &str| {
        (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    if !fits(&new.name) {
        return Err(RegistryError::invalid(
            "/name",
            "1 to 200 characters are needed",
        ));
    }
    match &new.email {
        Some(email) if !fits(email) || !email.contains('@') => {
            let detail = "an address such as ada@school.example is needed, or none";
            Err(RegistryError::invalid("/email", detail))
        }
        _ => Ok(()),
    }
}

/// Whether both are there and one and the same.
pub(super) fn same_address(one: &Option<String>, other: &Option<String>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.to_lowercase() == other.trim().to_lowercase(),
        _ => false,
    }
}

fn no_person(id: PersonId) -> RegistryError {
    RegistryError::NotFound(Thing::Person, id.to_string())
}
