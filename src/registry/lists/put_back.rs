//! Statuses that were published and are not in the store: after a store was put back from an older
//! copy, what was signed meanwhile is where readers and caches have it.
//!
//! Whoever operates the registry hands such lists in as they were fetched, in whichever form. A list is
//! believed where a key of its owner signed it that is good: the present one, or one that was rotated
//! away since. A key that was made after the copy is not known here; whoever operates the registry names
//! it. Then every status that never goes back and is set there is set here too, by the way that every
//! change takes, with an event. Suspensions do go back, so that they are told, and set only where that
//! is asked for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::forms::bits_of;
use super::publisher::Artefact;
use super::statuses::{MOST_UPDATES, Refused, StatusTarget, StatusUpdate};
use crate::bitstring::{Bitstring, DEFAULT_CAP_BYTES, MAXIMUM_BITS};
use crate::ids::ListId;
use crate::json;
use crate::registry::lists::allocation::space_of;
use crate::registry::lists::{in_token, list_of};
use crate::registry::profiles::keys::{keys_of, public};
use crate::registry::{Change, ListForm, Registry, RegistryError};
use crate::status::{SignedCwt, StatusList, StatusPurpose, TokenStatusList};
use crate::store::engine::Read;
use crate::store::tables::ListRecord;
use crate::time::Timestamp;
use crate::vc::controller::Relationship;
use crate::vc::jws::Jws;
use crate::vc::jwt::CredentialJwt;
use crate::vc::keys::PublicKey;
use crate::vc::proof;
use crate::vc::securing::Secured;
use crate::vc::verifying::VerifyingKey;

/// Lists as they were fetched, and what is to be done with them.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The lists, in any form.
    pub lists: Vec<Artefact>,
    /// Keys that were this registry's, and that its store does not know: they were made after the copy
    /// that it was put back from.
    pub lost_keys: Vec<PublicKey>,
    /// What is done about suspensions.
    pub suspensions: Suspensions,
}

/// What is done about statuses that may have gone back since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suspensions {
    /// They are told.
    #[default]
    Told,
    /// Those of the newest list are set.
    Set,
}

/// Whether anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It is only told what would be.
    Telling,
    /// It is done.
    Setting,
}

/// What was found in one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundIn {
    /// Which of those that were handed in, from 0.
    pub item: usize,
    /// What came of it.
    pub found: Result<Vec<FoundStatuses>, String>,
}

/// What a list that was handed in says beyond the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundStatuses {
    /// The list, by its id here.
    pub list: ListId,
    /// What it is for.
    pub purpose: StatusPurpose,
    /// When it was signed.
    pub signed_at: Option<Timestamp>,
    /// How many statuses are set in it, and not in the store: those that never go back.
    pub missing: u64,
    /// The same of suspensions.
    pub suspended: u64,
    /// Those that are suspended in the store, and not in the list.
    pub reinstated: u64,
    /// How many of them were set, or would be.
    pub set: u64,
    /// What could not be set.
    pub refused: Vec<Refused>,
}

/// What one form of a list says of one list here.
struct Said {
    list: ListId,
    record: ListRecord,
    signed_at: Option<Timestamp>,
    /// The statuses that count for its purpose.
    bits: Bitstring,
    /// Whether what is clear there is known to be clear: a token list shows what is revoked, and not
    /// whether that is suspended too.
    clear_is_clear: bool,
}

impl Registry {
    /// Finds what published lists say beyond the store, and sets it. Where the change says no reason, each
    /// event has that it was put back.
    ///
    /// # Errors
    /// [`RegistryError::OperatorOnly`]; what goes wrong with one list is told of that one.
    pub fn put_back(
        &self,
        change: &Change,
        published: &Published,
        doing: Doing,
    ) -> Result<Vec<FoundIn>, RegistryError> {
        change.actor.must_operate()?;
        let snapshot = self.engine.snapshot();
        let mut read = Vec::with_capacity(published.lists.len());
        for artefact in &published.lists {
            read.push(self.said_by(&*snapshot, artefact, &published.lost_keys)?);
        }
        drop(snapshot);
        let newest = newest_of_each(&read);
        let mut told = Vec::with_capacity(read.len());
        for (item, said) in read.into_iter().enumerate() {
            let found = match said {
                Err(reason) => Err(reason),
                Ok(said) => {
                    let mut found = Vec::new();
                    for said in said {
                        let is_newest = newest.get(&said.list) == Some(&item);
                        let asked = published.suspensions;
                        let suspensions = if is_newest { asked } else { Suspensions::Told };
                        let how = (suspensions, doing);
                        found.push(self.put_back_one(change, &said, how)?);
                    }
                    Ok(found)
                }
            };
            told.push(FoundIn { item, found });
        }
        Ok(told)
    }

    /// Holds what a list says against the store, and sets what is missing there.
    fn put_back_one(
        &self,
        change: &Change,
        said: &Said,
        (suspensions, doing): (Suspensions, Doing),
    ) -> Result<FoundStatuses, RegistryError> {
        let present = bits_of(&*self.engine.snapshot(), said.list, &said.record)?;
        let mut found = FoundStatuses {
            list: said.list,
            purpose: said.record.purpose.clone(),
            signed_at: said.signed_at,
            missing: 0,
            suspended: 0,
            reinstated: 0,
            set: 0,
            refused: Vec::new(),
        };
        let mut updates = Vec::new();
        for (index, (there, here)) in (0..).zip(said.bits.iter().zip(present.iter())) {
            let wanted = match (&found.purpose, there, here) {
                (purpose, 1.., 0) if purpose.is_final() => {
                    found.missing += 1;
                    true
                }
                (StatusPurpose::Suspension, 1.., 0) => {
                    found.suspended += 1;
                    suspensions == Suspensions::Set
                }
                (StatusPurpose::Suspension, 0, 1..) if said.clear_is_clear => {
                    found.reinstated += 1;
                    false
                }
                _ => false,
            };
            if wanted {
                updates.push(StatusUpdate {
                    target: StatusTarget::Index(index),
                    status: there.into(),
                });
            }
        }
        found.set = updates.len() as u64;
        if doing == Doing::Setting && !updates.is_empty() {
            self.set_found(change, updates, &mut found)?;
        }
        Ok(found)
    }

    fn set_found(
        &self,
        change: &Change,
        updates: Vec<StatusUpdate>,
        found: &mut FoundStatuses,
    ) -> Result<(), RegistryError> {
        let signed = found.signed_at.map(|at| format!(" signed at {at}"));
        let words = format!(
            "put back from a published list{}",
            signed.unwrap_or_default()
        );
        let reason = change.reason.as_deref().unwrap_or(&words);
        // Asked for again it finds nothing more to do, so that it needs no key of its own.
        let change = Change::by(change.actor);
        for (part, updates) in updates.chunks(MOST_UPDATES).enumerate() {
            let why = Some(reason.to_owned());
            let refused = match self.update_statuses(&change, found.list, updates.to_vec(), why) {
                Ok(updated) => updated.refused,
                Err(RegistryError::AllRefused(refused)) => refused,
                Err(error) => return Err(error),
            };
            found.set -= refused.len() as u64;
            let refused = refused.into_iter().map(|refused| Refused {
                item: refused.item + part * MOST_UPDATES,
                ..refused
            });
            found.refused.extend(refused);
        }
        Ok(())
    }

    /// What a list that was handed in says, once it is clear that it is one of ours and whole. The
    /// inner error says why it is not taken.
    fn said_by(
        &self,
        read: &dyn Read,
        artefact: &Artefact,
        lost_keys: &[PublicKey],
    ) -> Result<Result<Vec<Said>, String>, RegistryError> {
        let keys = Keys {
            registry: self,
            read,
            lost: lost_keys,
        };
        let said = match artefact {
            Artefact::Document(document) => keys.of_document(document),
            Artefact::Text(text) => keys.of_jwt(text),
            Artefact::Bytes(bytes) => keys.of_cwt(bytes),
        };
        match said {
            Ok(said) => Ok(Ok(said)),
            Err(NotTaken::Because(reason)) => Ok(Err(reason)),
            Err(NotTaken::Unable(error)) => Err(error),
        }
    }
}

/// Of several lists that say something of one list, which one was signed last.
fn newest_of_each(read: &[Result<Vec<Said>, String>]) -> BTreeMap<ListId, usize> {
    let mut newest: BTreeMap<ListId, (Option<Timestamp>, usize)> = BTreeMap::new();
    for (item, said) in read.iter().enumerate() {
        for said in said.iter().flatten() {
            let place = newest.entry(said.list).or_insert((said.signed_at, item));
            if said.signed_at > place.0 {
                *place = (said.signed_at, item);
            }
        }
    }
    newest
        .into_iter()
        .map(|(list, (_, item))| (list, item))
        .collect()
}

/// Why a list is not taken.
enum NotTaken {
    /// Of what it is, in words for whoever handed it in.
    Because(String),
    /// The store could not be read.
    Unable(RegistryError),
}

impl From<RegistryError> for NotTaken {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(_) => Self::Unable(error),
            other => Self::Because(other.to_string()),
        }
    }
}

fn because(reason: impl ToString) -> NotTaken {
    NotTaken::Because(reason.to_string())
}

/// Reads what is signed by keys of ours, and nothing else.
struct Keys<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    lost: &'a [PublicKey],
}

impl Keys<'_> {
    fn of_document(&self, document: &Value) -> Result<Vec<Said>, NotTaken> {
        let (list, form) = self.named(document["id"].as_str(), Shape::Credential)?;
        let now = self.registry.now();
        let mut reason = "it has no proof".to_owned();
        for made in proof::proofs(document) {
            let made = made.map_err(because)?;
            let by = made.verification_method;
            let good = self.signed(list, by, |key| {
                let purpose = Relationship::AssertionMethod;
                proof::verify(document, &made, purpose, key, now)
                    .map(drop)
                    .map_err(|error| error.to_string())
            })?;
            match good {
                Ok(()) => return self.of_credential(list, form, document),
                Err(why) => reason = why,
            }
        }
        Err(NotTaken::Because(reason))
    }

    fn of_jwt(&self, text: &str) -> Result<Vec<Said>, NotTaken> {
        let jws = Jws::parse(text).map_err(because)?;
        let kid = jws.header().kid.clone().unwrap_or_default();
        let checked = |key: &VerifyingKey| jws.verify(key).map_err(|error| error.to_string());
        if jws.header().is_typ("statuslist+jwt") {
            let claims = json::parse(jws.payload()).map_err(because)?;
            let (list, _) = self.named(claims["sub"].as_str(), Shape::Token)?;
            self.signed(list, &kid, checked)?.map_err(because)?;
            let token = TokenStatusList::from_claims(&claims, (MAXIMUM_BITS / 8) as usize);
            return self.of_token(list, &token.map_err(because)?);
        }
        let jwt = CredentialJwt::parse(text).map_err(because)?;
        let secured = Secured::Jwt(jwt.into());
        let credential = secured.claims();
        let (list, form) = self.named(credential["id"].as_str(), Shape::Credential)?;
        self.signed(list, &kid, checked)?.map_err(because)?;
        self.of_credential(list, form, credential)
    }

    fn of_cwt(&self, bytes: &[u8]) -> Result<Vec<Said>, NotTaken> {
        let cwt = SignedCwt::parse(bytes).map_err(because)?;
        let (list, _) = self.named(cwt.subject(), Shape::Token)?;
        let kid = cwt
            .key_id()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        let mut token = None;
        let good = self.signed(list, &kid, |key| {
            let read = cwt.verify(key, (MAXIMUM_BITS / 8) as usize);
            token = Some(read.map_err(|error| error.to_string())?);
            Ok(())
        })?;
        good.map_err(because)?;
        let token = token.ok_or_else(|| because("it is signed by nobody"))?;
        self.of_token(list, &token)
    }

    /// The list of ours that it says it is.
    fn named(&self, id: Option<&str>, shape: Shape) -> Result<(ListId, ListForm), NotTaken> {
        let urls = self.registry.urls();
        let id = id.unwrap_or_default();
        let named = match (shape, urls.parse_list(id), urls.parse_form(id)) {
            (Shape::Credential, Some(list), _) => Some((list, ListForm::Bitstring)),
            (Shape::Credential, None, Some((list, ListForm::Status2021))) => {
                Some((list, ListForm::Status2021))
            }
            (Shape::Token, _, Some((list, ListForm::TokenJwt))) => Some((list, ListForm::TokenJwt)),
            _ => None,
        };
        let (list, form) = named
            .ok_or_else(|| because(format!("it is no list of this registry: its id is {id:?}")))?;
        match list_of(self.read, &urls, list) {
            Ok(_) => Ok((list, form)),
            Err(RegistryError::NotFound(..)) => Err(because(format!(
                "the store has no list {id}: it was opened after the copy that the store was put back \
                 from, and what points to it cannot be looked up any more"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a good key of the list's owner made a signature. The inner error says why not.
    fn signed(
        &self,
        list: ListId,
        method: &str,
        mut check: impl FnMut(&VerifyingKey) -> Result<(), String>,
    ) -> Result<Result<(), String>, NotTaken> {
        let owner = self.registry.controller(self.read, list.owner())?;
        for (id, record) in keys_of(self.read, owner.profile)? {
            if method != owner.method(id) && method != owner.jwt_method(id) {
                continue;
            }
            if let Some(since) = record.revoked_since {
                return Ok(Err(format!(
                    "it is signed by {method}, which may be in wrong hands since {since}"
                )));
            }
            return Ok(check(&public(&record)?.into()));
        }
        if !method.starts_with(&format!("{}#", owner.id)) {
            return Ok(Err(format!(
                "it is signed by {method:?}, and not by {}, whose list it is",
                owner.id
            )));
        }
        for key in self.lost {
            if check(&key.clone().into()).is_ok() {
                return Ok(Ok(()));
            }
        }
        Ok(Err(format!(
            "it is signed by {method}, which is no key that this store knows; where that key was made after \
             the copy that the store was put back from, name its public key"
        )))
    }

    /// What a credential that is good says of its list.
    fn of_credential(
        &self,
        list: ListId,
        form: ListForm,
        credential: &Value,
    ) -> Result<Vec<Said>, NotTaken> {
        let read = StatusList::parse(credential, DEFAULT_CAP_BYTES).map_err(because)?;
        let record = list_of(self.read, &self.registry.urls(), list)?;
        let url = self.registry.urls().list_as(list, form);
        if read.id.as_deref() != Some(&*url) || !read.purposes.contains(&record.purpose) {
            return Err(because(format!("it is not for {}", record.purpose)));
        }
        let bytes = read.bytes().map_err(because)?.to_vec();
        let bits = Bitstring::from_bytes(bytes, record.status_size);
        self.whole(&record, bits.entries())?;
        Ok(vec![Said {
            list,
            signed_at: read.valid_from,
            bits,
            record,
            clear_is_clear: true,
        }])
    }

    /// What a token list that is good says of the lists that make it up: who is revoked and who is
    /// suspended.
    fn of_token(&self, id: ListId, token: &TokenStatusList) -> Result<Vec<Said>, NotTaken> {
        const REVOKED: u8 = 1;
        const SUSPENDED: u8 = 2;
        let urls = self.registry.urls();
        if token.subject != urls.token_list(id) {
            return Err(because("its sub is not the list that it is served as"));
        }
        let space = space_of(self.read, list_of(self.read, &urls, id)?.space)?;
        let mut said = Vec::new();
        for plane in &space.planes {
            let record = list_of(self.read, &urls, plane.list)?;
            if !in_token(&plane.purpose, record.in_token) {
                continue;
            }
            let shown = match &plane.purpose {
                StatusPurpose::Revocation => REVOKED,
                StatusPurpose::Suspension => SUSPENDED,
                StatusPurpose::Message => continue,
                other => {
                    return Err(because(format!(
                        "it shows the values of the list for {other} as they are, which may be taken for \
                         others: hand in the lists themselves"
                    )));
                }
            };
            let bits = token.bits();
            self.whole(&record, bits.entries())?;
            let mut set = Bitstring::zeroed(record.length(), record.status_size);
            for (index, value) in (0..).zip(bits.iter()) {
                if value == shown {
                    let index = record.length().index(index).map_err(because)?;
                    set.set(index, 1).map_err(because)?;
                }
            }
            said.push(Said {
                list: plane.list,
                signed_at: Some(token.valid_from),
                bits: set,
                record,
                clear_is_clear: false,
            });
        }
        Ok(said)
    }

    fn whole(&self, record: &ListRecord, entries: u64) -> Result<(), NotTaken> {
        match entries == record.length {
            true => Ok(()),
            false => Err(because(format!(
                "it has {entries} entries, and the list has {}",
                record.length
            ))),
        }
    }
}

/// Which ids a list can have.
#[derive(Clone, Copy)]
enum Shape {
    Credential,
    Token,
}
