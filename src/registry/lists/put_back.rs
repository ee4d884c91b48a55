//! Statuses that were published and are not in the store: after a store was put back from an older
//! copy, what was signed meanwhile is where readers and caches have it.
//!
//! Whoever operates the registry hands such lists in as they were fetched, in whichever form. A list is
//! believed where a key of its owner signed it that is good: the present one, or one that was rotated
//! away since. A key that was made after the copy is not known here; whoever operates the registry names
//! it. Then every status that never goes back and is set there is set here too, by the way that every
//! change takes, with an event. Suspensions do go back, so that they are told, and set only where that
//! is asked for.

mod ours;

use std::collections::BTreeMap;

use super::forms::bits_of;
use super::publisher::Artefact;
use super::statuses::{MOST_UPDATES, Refused, StatusTarget, StatusUpdate};
use crate::bitstring::Bitstring;
use crate::ids::ListId;
use crate::registry::{Change, Registry, RegistryError};
use crate::status::StatusPurpose;
use crate::store::engine::Read;
use crate::store::tables::ListRecord;
use crate::time::Timestamp;
use crate::vc::keys::PublicKey;
use ours::{Keys, NotTaken};

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
