//! Status lists and the index spaces that they lie over.

pub(super) mod access;
pub(super) mod allocation;
pub(super) mod as_it_was;
pub(super) mod carried;
pub(super) mod entries;
pub(super) mod entry_changes;
pub(super) mod export;
pub(super) mod forgetting;
pub(super) mod forms;
pub(super) mod found;
pub(super) mod history;
pub(super) mod import;
mod in_use;
pub(super) mod live;
pub(super) mod overview;
pub(super) mod publications;
mod published;
pub(super) mod publisher;
pub(super) mod put_back;
pub(super) mod queries;
pub(super) mod since;
mod slots;
pub(super) mod staged;
pub(super) mod statuses;
pub(super) mod tried;

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Tx;
use super::{Change, Quota, Registry, RegistryError, Thing, Urls};
use crate::access::Action;
use crate::bitstring::ListLength;
use crate::entropy::random;
use crate::ids::{ListId, ProfileId, Revision, SpaceId};
use crate::status::{EntryMembers, StatusPurpose, check_2021, token_size};
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    Brought, DIRTY_LISTS, LIST_STATES, LISTS, ListForm, ListRecord, ListState, OPEN_SPACES,
    OpenSpace, Plane, SPACES, SpaceRecord,
};
use crate::time::Ttl;
use allocation::{allocated, is_sealed, space_of};
use in_use::InUse;
pub use published::{ListPublished, PublishedPage, WhichLists};

/// A list as somebody asks for it.
#[derive(Debug, Clone)]
pub struct NewList {
    /// Whose list it is: its `issuer`.
    pub issuer: ProfileId,
    /// What its bits mean.
    pub purpose: StatusPurpose,
    /// Entries.
    pub length: ListLength,
    /// `ttl` of the list credential; the registry's default where none is asked for.
    pub ttl: Option<Ttl>,
    /// Another list of the same issuer, over whose indexes this one is to lie.
    pub paired_with: Option<ListId>,
    /// What its entries say besides their place: how many bits they have, what each status means.
    pub entry: EntryMembers,
    /// What it is published as beside a BitstringStatusListCredential.
    pub also: AlsoPublished,
}

impl NewList {
    /// A list of the usual length, with entries of one bit, in one form.
    pub fn usual(issuer: ProfileId, purpose: StatusPurpose) -> Self {
        Self {
            issuer,
            purpose,
            length: ListLength::MINIMUM,
            ttl: None,
            paired_with: None,
            entry: EntryMembers::default(),
            also: AlsoPublished::default(),
        }
    }
}

/// What a list is published as beside a BitstringStatusListCredential with one proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlsoPublished {
    /// A StatusList2021Credential.
    pub status_2021: bool,
    /// A Token Status List, together with the other lists over its indexes.
    pub token: bool,
    /// A second proof on the credential, by `eddsa-jcs-2022`.
    pub jcs_proof: bool,
}

impl AlsoPublished {
    /// What a list over a space is published as.
    const fn of(record: &ListRecord, space: &SpaceRecord) -> Self {
        Self {
            status_2021: record.also_2021,
            token: space.token.is_some() && in_token(&record.purpose, record.in_token),
            jcs_proof: record.jcs_proof,
        }
    }

    /// Whether all that is asked for is among it.
    const fn covers(self, asked: Self) -> bool {
        (self.status_2021 || !asked.status_2021)
            && (self.token || !asked.token)
            && (self.jcs_proof || !asked.jcs_proof)
    }
}

/// A list and its newest signed artefact.
#[derive(Debug, Clone)]
pub struct ListView {
    /// Its id.
    pub id: ListId,
    /// The signed list credential; none where its owner signs it elsewhere, and has not yet.
    pub credential: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Opened {
    list: ListId,
}

impl Registry {
    /// Opens a list and signs it.
    pub fn create_list(&self, change: &Change, new: &NewList) -> Result<ListView, RegistryError> {
        change.actor.must(Action::WriteLists, new.issuer)?;
        let opened = self.transact_of(new.issuer, change, |tx| {
            self.profile_record(tx.read, new.issuer)?;
            let list = match new.paired_with {
                Some(other) => self.open_beside(tx, new, other)?,
                None => {
                    if !change.actor.operates() {
                        self.check_fill(tx.read, new)?;
                    }
                    let space = self.open_space(tx, new.issuer, new.length);
                    self.open_list(tx, space, new)?
                }
            };
            Ok(Opened { list })
        })?;
        let id = opened.list;
        let credential = match self.published_list(id, ListForm::Bitstring) {
            Ok(published) => Some(
                serde_json::from_slice(&published.body)
                    .expect("a published list is JSON that this registry wrote or checked"),
            ),
            Err(RegistryError::WaitsForSignature(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(ListView { id, credential })
    }

    /// The token lists of an issuer, by the ids that they have.
    pub fn token_lists(&self, issuer: ProfileId) -> Result<Vec<ListId>, RegistryError> {
        let owner = issuer.0.to_be_bytes();
        let spaces = SPACES.scan(&*self.engine, &owner, None, usize::MAX)?;
        let tokens = spaces.into_iter().filter_map(|(_, space)| space.token);
        Ok(tokens.collect())
    }

    fn open_beside(
        &self,
        tx: &mut Tx<'_>,
        new: &NewList,
        other: ListId,
    ) -> Result<ListId, RegistryError> {
        let urls = self.urls();
        let other_record = list_of(tx.read, &urls, other)?;
        if other.owner() != new.issuer {
            return Err(RegistryError::NotYours);
        }
        let record = space_of(tx.read, other_record.space)?;
        if record.length != new.length.entries() {
            let detail = format!("the list it is paired with has {} entries", record.length);
            return Err(RegistryError::invalid("/length", detail));
        }
        self.open_list(
            tx,
            Space {
                id: other_record.space,
                record: Some(record),
            },
            new,
        )
    }

    fn open_space(&self, tx: &mut Tx<'_>, owner: ProfileId, length: ListLength) -> Space {
        let id = SpaceId::generate(owner, &*self.entropy);
        tx.log(EventKind::SpaceOpened {
            space: id,
            length: length.entries(),
        });
        Space { id, record: None }
    }

    fn open_list(
        &self,
        tx: &mut Tx<'_>,
        space: Space,
        new: &NewList,
    ) -> Result<ListId, RegistryError> {
        if let Some(list) = space
            .record
            .as_ref()
            .and_then(|record| record.plane(&new.purpose))
        {
            let purpose = new.purpose.as_str().to_owned();
            return Err(RegistryError::PurposeTaken {
                list: self.urls().list(list),
                purpose,
            });
        }
        let list = ListId::generate(new.issuer, &*self.entropy);
        let mut record = space
            .record
            .clone()
            .unwrap_or_else(|| self.fresh_space(new.length));
        self.check_forms(tx.read, &record, new)?;
        record.planes.push(Plane {
            purpose: new.purpose.clone(),
            list,
        });
        if new.also.token {
            record.token.get_or_insert(list);
        }
        SPACES.expect(&mut tx.batch, &space.id, space.record.as_ref());
        SPACES.put(&mut tx.batch, &space.id, &record);
        self.write_list(tx, list, space.id, new)?;
        Ok(list)
    }

    /// A credential hides among the others of its list, so that an issuer fills one list to some
    /// part before it opens another for the same purpose: with a list for each credential, whoever
    /// fetches one tells which credential it is looked up for. A list whose entries are of another
    /// size, or that is not published as what is asked for, cannot stand in for the new one.
    fn check_fill(&self, read: &dyn Read, new: &NewList) -> Result<(), RegistryError> {
        if self.settings.fill_floor_percent == 0 {
            return Ok(());
        }
        let owner = new.issuer.0.to_be_bytes();
        for (id, space) in SPACES.scan(read, &owner, None, usize::MAX)? {
            let Some(list) = space.plane(&new.purpose) else {
                continue;
            };
            let record = list_of(read, &self.urls(), list)?;
            let stands_in = record.status_size == new.entry.size()
                && AlsoPublished::of(&record, &space).covers(new.also);
            if !stands_in || is_sealed(read, id)? {
                continue;
            }
            let least = self.least_filled(space.length);
            let given_out = match space.brought {
                Brought::Unknown => continue,
                Brought::Nothing => allocated(read, id)?,
                // The counter passes those that were brought, so the two do not add up.
                Brought::Known(_) => match InUse::of(read, id, &space)?.bits()? {
                    Some(in_use) => in_use.count_ones(),
                    None => continue,
                },
            };
            if given_out < least {
                return Err(RegistryError::ListHasRoom {
                    list: self.urls().list(list),
                    given_out,
                    least,
                });
            }
        }
        Ok(())
    }

    /// How many of so many indexes are in use before there is another list for the same purpose.
    fn least_filled(&self, length: u64) -> u64 {
        (length * u64::from(self.settings.fill_floor_percent)).div_ceil(100)
    }

    /// Whether a new list over a space can be published in all the forms that are asked for.
    fn check_forms(
        &self,
        read: &dyn Read,
        space: &SpaceRecord,
        new: &NewList,
    ) -> Result<(), RegistryError> {
        let size = new.entry.size();
        let refused = |error: &dyn Error| RegistryError::invalid("/formats", error.to_string());
        ListLength::of_size(new.length.entries(), size)
            .map_err(|error| RegistryError::invalid("/length", error.to_string()))?;
        if new.also.status_2021 {
            check_2021(&new.purpose, size).map_err(|error| refused(&error))?;
        }
        if new.also.token || space.token.is_some() {
            let mut planes = Vec::new();
            for plane in &space.planes {
                let record = list_of(read, &self.urls(), plane.list)?;
                if in_token(&plane.purpose, record.in_token) {
                    planes.push((&plane.purpose, record.status_size));
                }
            }
            if in_token(&new.purpose, new.also.token) {
                planes.push((&new.purpose, size));
            }
            let size = token_size(planes).map_err(|error| refused(&error))?;
            // Readers expand no more than that, whichever list they fetch.
            ListLength::of_size(new.length.entries(), size)
                .map_err(|error| RegistryError::invalid("/formats", error.to_string()))?;
        }
        Ok(())
    }

    fn write_list(
        &self,
        tx: &mut Tx<'_>,
        list: ListId,
        space: SpaceId,
        new: &NewList,
    ) -> Result<(), RegistryError> {
        tx.use_up(list.owner(), Quota::Lists, 1)?;
        tx.use_up(list.owner(), Quota::ListsPerDay, 1)?;
        let record = ListRecord {
            space,
            purpose: new.purpose.clone(),
            length: new.length.entries(),
            status_size: new.entry.size(),
            ttl_millis: new.ttl.unwrap_or(self.settings.list_ttl).millis(),
            created_at: tx.now,
            entry: new.entry.clone(),
            also_2021: new.also.status_2021,
            in_token: new.also.token,
            jcs_proof: new.also.jcs_proof,
        };
        LISTS.expect(&mut tx.batch, &list, None);
        LISTS.put(&mut tx.batch, &list, &record);
        let state = ListState {
            revision: Revision(1),
            changed_at: tx.now,
        };
        LIST_STATES.put(&mut tx.batch, &list, &state);
        DIRTY_LISTS.put(&mut tx.batch, &list, &());
        tx.log(EventKind::ListOpened { list, space });
        tx.dirty.push(list);
        Ok(())
    }

    /// The space that takes the entries of `owner` that nobody chose a list for, with a list for
    /// each of `purposes`. Opens what is missing, and a new space where the last one is full.
    pub(super) fn entry_space(
        &self,
        tx: &mut Tx<'_>,
        owner: ProfileId,
        purposes: &[StatusPurpose],
    ) -> Result<OpenedSpace, RegistryError> {
        let present = OPEN_SPACES.get(tx.read, &owner)?;
        let mut found = None;
        if let Some(open) = &present {
            let record = space_of(tx.read, open.space)?;
            let has_room = allocated(tx.read, open.space)? < record.length;
            if has_room && !is_sealed(tx.read, open.space)? {
                found = Some((open.space, record));
            }
        }
        let (id, previous) = match found {
            Some((id, record)) => (id, Some(record)),
            None => {
                let id = self.open_space(tx, owner, ListLength::MINIMUM).id;
                OPEN_SPACES.expect(&mut tx.batch, &owner, present.as_ref());
                OPEN_SPACES.put(&mut tx.batch, &owner, &OpenSpace { space: id });
                (id, None)
            }
        };
        self.with_planes(tx, id, previous, purposes)
    }

    /// A space with a list for each of `purposes`; what is missing is opened.
    pub(super) fn with_planes(
        &self,
        tx: &mut Tx<'_>,
        id: SpaceId,
        previous: Option<SpaceRecord>,
        purposes: &[StatusPurpose],
    ) -> Result<OpenedSpace, RegistryError> {
        let fresh = || self.fresh_space(ListLength::MINIMUM);
        let mut record = previous.clone().unwrap_or_else(fresh);
        for purpose in purposes {
            if record.plane(purpose).is_none() {
                let list = ListId::generate(id.owner(), &*self.entropy);
                let new = NewList {
                    length: record.length(),
                    ..NewList::usual(id.owner(), purpose.clone())
                };
                if let Some(present) = &previous {
                    self.check_forms(tx.read, present, &new)?;
                }
                record.planes.push(Plane {
                    purpose: purpose.clone(),
                    list,
                });
                self.write_list(tx, list, id, &new)?;
            }
        }
        Ok(OpenedSpace {
            id,
            record,
            previous,
        })
    }

    fn fresh_space(&self, length: ListLength) -> SpaceRecord {
        SpaceRecord {
            length: length.entries(),
            permutation: random(&*self.entropy),
            planes: Vec::new(),
            endorsements: false,
            token: None,
            brought: Brought::Nothing,
        }
    }
}

struct Space {
    id: SpaceId,
    record: Option<SpaceRecord>,
}

/// A space that is ready to take an entry.
pub(super) struct OpenedSpace {
    pub(super) id: SpaceId,
    pub(super) record: SpaceRecord,
    previous: Option<SpaceRecord>,
}

impl OpenedSpace {
    /// Stages the space's record, once it is as it is to be.
    pub(super) fn stage(&self, tx: &mut Tx<'_>) {
        SPACES.expect(&mut tx.batch, &self.id, self.previous.as_ref());
        if self.previous.as_ref() != Some(&self.record) {
            SPACES.put(&mut tx.batch, &self.id, &self.record);
        }
    }

    /// The list for a purpose that the space was opened with.
    pub(super) fn list(&self, purpose: &StatusPurpose) -> ListId {
        self.record
            .plane(purpose)
            .expect("entry_space adds every purpose it is asked for")
    }
}

/// Whether a list is part of the token list of its space: what puts a credential out of force
/// always is.
pub(super) const fn in_token(purpose: &StatusPurpose, asked: bool) -> bool {
    asked
        || matches!(
            purpose,
            StatusPurpose::Revocation | StatusPurpose::Suspension
        )
}

/// What a list is, or that there is none.
pub(super) fn list_of(
    read: &dyn Read,
    urls: &Urls<'_>,
    list: ListId,
) -> Result<ListRecord, RegistryError> {
    let none = || RegistryError::NotFound(Thing::List, urls.list(list));
    LISTS.get(read, &list)?.ok_or_else(none)
}
