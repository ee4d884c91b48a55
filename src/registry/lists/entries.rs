//! The status entries of a credential that is issued here: what is missing is completed, and what
//! it carries is remembered.

use serde_json::{Value, json};

use super::allocation::{space_of, take_entry};
use super::carried::credential_key;
use super::in_use::InUse;
use crate::bitstring::StatusIndex;
use crate::ids::ProfileId;
use crate::registry::change::Tx;
use crate::registry::lists::{OpenedSpace, list_of};
use crate::registry::{Registry, RegistryError};
use crate::status::{ENTRY_TYPE, ListMessages, StatusEntry, StatusPurpose, build_entry};
use crate::store::engine::Read;
use crate::store::tables::{CREDENTIALS, Carried, LISTS, ListRecord};

/// The `credentialStatus` of a credential, complete.
pub(in crate::registry) struct Entries {
    /// The member as it is signed.
    pub(in crate::registry) status: Value,
    /// The entries that point here.
    pub(in crate::registry) carried: Vec<Carried>,
    /// Whether one points elsewhere.
    pub(in crate::registry) elsewhere: bool,
}

impl Registry {
    /// Gives the credential its entries: a revocation entry where it has no `credentialStatus`,
    /// and for each one that names only a purpose the place. A complete entry stays as it is, and
    /// has to be one that was given out where it points here.
    pub(in crate::registry) fn complete_status(
        &self,
        tx: &mut Tx<'_>,
        owner: ProfileId,
        id: &str,
        given: Option<&Value>,
    ) -> Result<Entries, RegistryError> {
        let single = !matches!(given, Some(Value::Array(_)));
        let given = match given {
            None => vec![open_entry()],
            Some(Value::Array(entries)) => entries.clone(),
            Some(entry) => vec![entry.clone()],
        };
        let mut wanted = Vec::new();
        let (mut carried, mut elsewhere) = (Vec::new(), false);
        for (n, entry) in given.iter().enumerate() {
            let pointer = match single {
                true => "/credential/credentialStatus".to_owned(),
                false => format!("/credential/credentialStatus/{n}"),
            };
            let purpose = wanted_purpose(entry, &pointer)?;
            if purpose.is_none() {
                match self.place_of(tx.read, owner, entry, &pointer)? {
                    Some(place) => carried.push(place),
                    None => elsewhere = true,
                }
            }
            wanted.push(purpose);
        }
        let missing: Vec<StatusPurpose> = wanted.iter().flatten().cloned().collect();
        let place = match missing.is_empty() {
            true => None,
            false => Some(self.place_for(tx, owner, id, &missing)?),
        };
        let mut completed = Vec::with_capacity(given.len());
        for (entry, purpose) in given.into_iter().zip(wanted) {
            completed.push(match (purpose, &place) {
                (Some(purpose), Some((opened, index))) => {
                    self.entry_in(tx.read, opened, &purpose, *index)?
                }
                _ => entry,
            });
        }
        if let Some((opened, index)) = place {
            let (space, index) = (opened.id, index.get() as u32);
            carried.push(Carried {
                space,
                index,
                purposes: missing,
            });
        }
        let status = match (single, completed.len()) {
            (true, 1) => completed.remove(0),
            _ => Value::Array(completed),
        };
        Ok(Entries {
            status,
            carried,
            elsewhere,
        })
    }

    /// The entry at a place that an opened space gave out, for a purpose that it was opened with.
    pub(in crate::registry) fn entry_in(
        &self,
        read: &dyn Read,
        opened: &OpenedSpace,
        purpose: &StatusPurpose,
        index: StatusIndex,
    ) -> Result<Value, RegistryError> {
        let list = opened.list(purpose);
        // One that this change opens says nothing beside the place.
        let members = LISTS.get(read, &list)?.map(|record| record.entry);
        let url = self.urls().list(list);
        Ok(build_entry(&url, purpose, index, members.as_ref()))
    }

    /// The place of the entries that a credential lacks. One that it has already gets the lists
    /// that are missing over it: a second index would begin with a clear status, whatever was said
    /// of the first.
    fn place_for(
        &self,
        tx: &mut Tx<'_>,
        owner: ProfileId,
        id: &str,
        purposes: &[StatusPurpose],
    ) -> Result<(OpenedSpace, StatusIndex), RegistryError> {
        let known = CREDENTIALS.get(tx.read, &credential_key(id, owner))?;
        let (opened, index) = match known.and_then(|record| record.entries.into_iter().next()) {
            Some(carried) => {
                let record = space_of(tx.read, carried.space)?;
                let index = record.length().index(carried.index.into());
                let index = index.expect("given out within the length");
                (
                    self.with_planes(tx, carried.space, Some(record), purposes)?,
                    index,
                )
            }
            None => {
                let opened = self.entry_space(tx, owner, purposes)?;
                let index = take_entry(tx, &opened)?;
                (opened, index)
            }
        };
        opened.stage(tx);
        Ok((opened, index))
    }

    /// Where a complete entry points, if that is here: then the place has to be the issuer's and
    /// to have been given out.
    fn place_of(
        &self,
        read: &dyn Read,
        owner: ProfileId,
        given: &Value,
        pointer: &str,
    ) -> Result<Option<Carried>, RegistryError> {
        let entry = StatusEntry::parse(given, pointer)
            .map_err(|error| RegistryError::invalid(pointer, error.to_string()))?;
        let Some(list) = self.urls().parse_list(&entry.list) else {
            return Ok(None);
        };
        let record = list_of(read, &self.urls(), list)?;
        if list.owner() != owner {
            let detail = "the list belongs to another issuer";
            return Err(RegistryError::invalid(
                format!("{pointer}/statusListCredential"),
                detail,
            ));
        }
        if record.purpose != entry.purpose {
            let detail = format!("the list is for {}", record.purpose.as_str());
            return Err(RegistryError::invalid(
                format!("{pointer}/statusPurpose"),
                detail,
            ));
        }
        check_statuses(&entry, &record, pointer)?;
        let at_index = |detail: String| {
            Err(RegistryError::invalid(
                format!("{pointer}/statusListIndex"),
                detail,
            ))
        };
        let index = match record.length().index(entry.index) {
            Ok(index) => index,
            Err(error) => return at_index(error.to_string()),
        };
        let space = space_of(read, record.space)?;
        if !InUse::of(read, record.space, &space)?.holds(index)? {
            return at_index(format!("the index {} was never given out", entry.index));
        }
        let (space, index) = (record.space, index.get() as u32);
        Ok(Some(Carried {
            space,
            index,
            purposes: vec![entry.purpose],
        }))
    }
}

/// Whether an entry explains its statuses as its list does: readers go by the entry alone.
fn check_statuses(
    entry: &StatusEntry,
    list: &ListRecord,
    pointer: &str,
) -> Result<(), RegistryError> {
    if entry.size != list.status_size {
        let detail = format!("the list has entries of {} bits", list.status_size);
        return Err(RegistryError::invalid(
            format!("{pointer}/statusSize"),
            detail,
        ));
    }
    let messages = list.entry.messages().map(ListMessages::as_messages);
    if entry.messages.as_ref() != messages {
        let detail = "these are not the messages of the list";
        return Err(RegistryError::invalid(
            format!("{pointer}/statusMessage"),
            detail,
        ));
    }
    Ok(())
}

fn open_entry() -> Value {
    json!({ "type": ENTRY_TYPE, "statusPurpose": StatusPurpose::Revocation.as_str() })
}

/// The purpose of an entry that names no place yet.
fn wanted_purpose(given: &Value, pointer: &str) -> Result<Option<StatusPurpose>, RegistryError> {
    let has = |member: &str| given.get(member).is_some();
    if has("statusListIndex") || has("statusListCredential") {
        return Ok(None);
    }
    // What else stands there would have to be kept, and a fresh entry has no place for it.
    let bare = given.as_object().is_some_and(|members| members.len() == 2);
    let is_entry = bare && given.get("type").and_then(Value::as_str) == Some(ENTRY_TYPE);
    match given
        .get("statusPurpose")
        .and_then(Value::as_str)
        .map(str::parse)
    {
        Some(Ok(purpose @ (StatusPurpose::Revocation | StatusPurpose::Suspension))) if is_entry => {
            Ok(Some(purpose))
        }
        _ => {
            let detail = format!(
                "either a complete status entry is needed, or one of type {ENTRY_TYPE} with only \
                 a statusPurpose, revocation or suspension, to be given a place"
            );
            Err(RegistryError::invalid(pointer, detail))
        }
    }
}
