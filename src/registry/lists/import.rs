//! Lists from elsewhere: an issuer brings the statuses that another system kept, and the indexes of
//! its credentials stay what they are.
//!
//! A list is brought whole or not at all: statuses, which indexes were in use, and the credentials
//! that carry them, in one batch. Its past begins then, at revision 1.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::carried::{carry, check_credential_id, credential_key, new_credential};
use super::in_use::InUse;
use super::{NewList, OpenedSpace};
use crate::access::Action;
use crate::bitstring::{Bitstring, StatusIndex, StatusSize};
use crate::entropy::random;
use crate::ids::{ListId, SpaceId};
use crate::registry::change::{Tx, log_event, stage_reason};
use crate::registry::lists::allocation::space_of;
use crate::registry::lists::list_of;
use crate::registry::{Change, Quota, Registry, RegistryError};
use crate::status::{StatusPurpose, check_token_value};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    Brought, CREDENTIALS, Carried, HOLDERS, Holder, OCCUPIED, PAGES, Plane,
};

/// A list as it is brought.
#[derive(Debug, Clone)]
pub struct BroughtList {
    /// What it is to be here. Its length is that of `statuses`.
    pub list: NewList,
    /// The status of every entry.
    pub statuses: Bitstring,
    /// Which indexes are in use.
    pub used: UsedIndexes,
    /// Credentials whose entries are known, each with its index.
    pub credentials: Vec<(StatusIndex, String)>,
    /// URL of the list elsewhere; kept with the change in the audit trail.
    pub source: Option<String>,
}

/// Which indexes of a list are in use where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsedIndexes {
    /// Nobody said. Any may be, so that none is given out here.
    Unknown,
    /// These, one bit an index; entries that are set are in use whether they are named or not.
    Known(Bitstring),
    /// Those of the list that it is paired with.
    AsPaired,
}

/// A list that was brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedList {
    /// Its id here.
    pub list: ListId,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them are set.
    pub set: u64,
    /// How many indexes are in use, where that is known of what was brought.
    pub used: Option<u64>,
    /// Whether no index of it is given out here.
    pub sealed: bool,
}

impl BroughtList {
    /// Every part is as long as the list.
    fn check_lengths(&self) -> Result<(), RegistryError> {
        let wanted = self.list.length.entries();
        let whole = self.statuses.entries() == wanted
            && self.statuses.size() == self.list.entry.size()
            && match &self.used {
                UsedIndexes::Known(bits) => bits.entries() == wanted,
                UsedIndexes::Unknown | UsedIndexes::AsPaired => true,
            };
        match whole {
            true => Ok(()),
            false => Err(RegistryError::invalid(
                "/length",
                format!("statuses and used indexes of {wanted} entries are needed"),
            )),
        }
    }
}

/// At most this many credentials can be named with a list.
pub(in crate::registry) const MOST_CREDENTIALS: usize = 500_000;

impl Registry {
    /// Takes in a list from elsewhere.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`] where the parts contradict each other: an entry that is set
    /// although the list that it is paired with never gave out its index, or a credential that is
    /// named twice.
    pub fn import_list(
        &self,
        change: &Change,
        brought: &BroughtList,
    ) -> Result<ImportedList, RegistryError> {
        let owner = brought.list.issuer;
        change.actor.must(Action::WriteLists, owner)?;
        brought.check_lengths()?;
        check_credentials(&brought.credentials)?;
        check_token_values(brought)?;
        let digest = Sha256::digest(brought.statuses.as_bytes()).into();
        self.transact_of(owner, change, |tx| {
            self.profile_record(tx.read, owner)?;
            let (imported, space) = match brought.list.paired_with {
                Some(other) => self.import_beside(tx, brought, other)?,
                None => self.import_alone(tx, change, brought)?,
            };
            for (number, page) in brought.statuses.pages() {
                PAGES.put(&mut tx.batch, &(imported.list, number), &page.to_vec());
            }
            let named = brought.credentials.len() as u64;
            tx.use_up(owner, Quota::EntriesPerDay, named)?;
            remember_all(tx, space, brought)?;
            let reason = brought.source.as_ref().map(|source| {
                let words = format!("imported from {source}");
                stage_reason(&mut tx.batch, owner, random(&*self.entropy), &words)
            });
            let list = imported.list;
            let kind = EventKind::ListImported {
                list,
                space,
                digest,
            };
            log_event(&mut tx.batch, change.actor, reason, kind);
            Ok(imported)
        })
    }

    /// A list over indexes of its own. One that is not filled as far as lists are to be, and gives
    /// out more, is no other than one that is opened.
    fn import_alone(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        brought: &BroughtList,
    ) -> Result<(ImportedList, SpaceId), RegistryError> {
        let new = &brought.list;
        let space = self.open_space(tx, new.issuer, new.length).id;
        let list = ListId::generate(new.issuer, &*self.entropy);
        let mut record = self.fresh_space(new.length);
        self.check_forms(tx.read, &record, new)?;
        let purpose = new.purpose.clone();
        record.planes.push(Plane { purpose, list });
        record.token = new.also.token.then_some(list);
        let mut used = None;
        record.brought = match &brought.used {
            UsedIndexes::Known(bits) => {
                let occupied = with_set_entries(bits, &brought.statuses);
                for (number, page) in occupied.pages() {
                    OCCUPIED.put(&mut tx.batch, &(space, number), &page.to_vec());
                }
                let count = occupied.count_ones();
                let least = self.least_filled(new.length.entries());
                if count < least && !change.actor.operates() {
                    self.check_fill(tx.read, new)?;
                }
                used = Some(count);
                Brought::Known(count)
            }
            UsedIndexes::Unknown | UsedIndexes::AsPaired => Brought::Unknown,
        };
        let opened = OpenedSpace {
            id: space,
            record,
            previous: None,
        };
        opened.stage(tx);
        self.write_list(tx, list, space, new)?;
        Ok((imported(list, brought, used, used.is_none()), space))
    }

    /// A list over the indexes of another one, which say what is in use.
    fn import_beside(
        &self,
        tx: &mut Tx<'_>,
        brought: &BroughtList,
        other: ListId,
    ) -> Result<(ImportedList, SpaceId), RegistryError> {
        let space = list_of(tx.read, &self.urls(), other)?.space;
        let list = self.open_beside(tx, &brought.list, other)?;
        let record = space_of(tx.read, space)?;
        let in_use = InUse::of(tx.read, space, &record)?.bits()?;
        if let Some(in_use) = &in_use {
            let free = |index: &u64| in_use.get(*index) == Some(0);
            let named = brought.credentials.iter().map(|(index, _)| index.get());
            let mut meant = set_entries(&brought.statuses).chain(named);
            if let Some(index) = meant.find(free) {
                let detail = format!(
                    "the index {index} has a status or a credential, and the list that this one is \
                     paired with never gave it out"
                );
                return Err(RegistryError::invalid("/pairedWith", detail));
            }
        }
        if record.endorsements && brought.list.purpose == StatusPurpose::Suspension {
            check_endorsements(tx.read, space, &brought.statuses)?;
        }
        Ok((imported(list, brought, None, in_use.is_none()), space))
    }
}

/// Endorsements are suspended one by one, where they may be, so that the record of each follows.
fn check_endorsements(
    read: &dyn Read,
    space: SpaceId,
    statuses: &Bitstring,
) -> Result<(), RegistryError> {
    let places: Vec<_> = set_entries(statuses)
        .map(|index| (space, index as u32))
        .collect();
    let holders = HOLDERS.multi_get(read, &places)?;
    let mut held = places.iter().zip(holders);
    match held.find(|(_, holder)| matches!(holder, Some(Holder::Endorsement(_)))) {
        None => Ok(()),
        Some(((_, index), _)) => {
            let detail = format!(
                "the index {index} is an endorsement's: bring the list with its status clear, and \
                 suspend the endorsement itself"
            );
            Err(RegistryError::invalid("/pairedWith", detail))
        }
    }
}

/// Whether a token list can show every status as what it is.
fn check_token_values(brought: &BroughtList) -> Result<(), RegistryError> {
    if !brought.list.also.token {
        return Ok(());
    }
    for index in set_entries(&brought.statuses) {
        let status = brought.statuses.get(index).unwrap_or(0);
        check_token_value(&brought.list.purpose, status)
            .map_err(|refused| RegistryError::invalid("/formats", refused.to_string()))?;
    }
    Ok(())
}

fn imported(list: ListId, brought: &BroughtList, used: Option<u64>, sealed: bool) -> ImportedList {
    ImportedList {
        list,
        entries: brought.statuses.entries(),
        set: set_entries(&brought.statuses).count() as u64,
        used,
        sealed,
    }
}

/// The indexes of all entries that are set. Bytes that hold none are passed over together.
fn set_entries(statuses: &Bitstring) -> impl Iterator<Item = u64> + '_ {
    let each = 8 / statuses.size().bits();
    let bytes = (0..).zip(statuses.as_bytes());
    let filled = bytes.filter(|(_, byte)| **byte != 0);
    filled.flat_map(move |(place, _): (u64, _)| {
        let indexes = place * each..(place + 1) * each;
        indexes.filter(|index| statuses.get(*index).is_some_and(|status| status != 0))
    })
}

fn with_set_entries(used: &Bitstring, statuses: &Bitstring) -> Bitstring {
    let mut bytes = used.as_bytes().to_vec();
    for index in set_entries(statuses) {
        // As many indexes as the list has, so the byte is there.
        bytes[(index / 8) as usize] |= 0x80 >> (index % 8);
    }
    Bitstring::from_bytes(bytes, StatusSize::One)
}

fn check_credentials(credentials: &[(StatusIndex, String)]) -> Result<(), RegistryError> {
    if credentials.len() > MOST_CREDENTIALS {
        let detail = format!("at most {MOST_CREDENTIALS} credentials can be named with a list");
        return Err(RegistryError::invalid("/credentialId", detail));
    }
    let mut seen = HashSet::with_capacity(credentials.len());
    for (place, (_, id)) in credentials.iter().enumerate() {
        check_credential_id(id, place)?;
        if !seen.insert(id) {
            let detail = format!("{id} is named twice; one credential has one index in a list");
            return Err(RegistryError::invalid("/credentialId", detail));
        }
    }
    Ok(())
}

/// Remembers the credentials that carry the entries, and holds these for them.
fn remember_all(
    tx: &mut Tx<'_>,
    space: SpaceId,
    brought: &BroughtList,
) -> Result<(), RegistryError> {
    let owner = space.owner();
    let keys = brought.credentials.iter();
    let keys: Vec<_> = keys.map(|(_, id)| credential_key(id, owner)).collect();
    let known = CREDENTIALS.multi_get(tx.read, &keys)?;
    let places = brought.credentials.iter();
    let places: Vec<_> = places.map(|(at, _)| (space, at.get() as u32)).collect();
    let holders = HOLDERS.multi_get(tx.read, &places)?;
    let credentials = brought.credentials.iter().zip(keys.iter().zip(known));
    for (((_, id), (key, previous)), (place, holder)) in credentials.zip(places.iter().zip(holders))
    {
        let fresh = || new_credential(id, tx.now);
        let mut record = previous.clone().unwrap_or_else(fresh);
        let entry = Carried {
            space,
            index: place.1,
            purposes: vec![brought.list.purpose.clone()],
        };
        carry(&mut record, entry);
        CREDENTIALS.expect(&mut tx.batch, key, previous.as_ref());
        CREDENTIALS.put(&mut tx.batch, key, &record);
        let here = Holder::Credential(key.0);
        match holder {
            Some(present) if present == here => {}
            Some(_) => return Err(RegistryError::EntryTaken { index: place.1 }),
            None => {
                HOLDERS.expect(&mut tx.batch, place, None);
                HOLDERS.put(&mut tx.batch, place, &here);
            }
        }
    }
    Ok(())
}
