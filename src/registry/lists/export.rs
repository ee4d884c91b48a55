//! Lists as they are handed on: page by page of their indexes, or whole, with which of the indexes
//! are in use. Which these are is between the issuer and its holders, so that only who speaks for
//! the issuer gets them.

use super::allocation::space_of;
use super::forms::{bits_of, state_of};
use super::in_use::InUse;
use super::staged::stored_page;
use crate::access::Action;
use crate::bitstring::{Bitstring, PAGE_BYTES, Page, StatusIndex, get_in_page, page_of};
use crate::ids::{ListId, ProfileId, Revision, SpaceId};
use crate::registry::lists::list_of;
use crate::registry::{Actor, Registry, RegistryError};
use crate::status::{EntryMembers, StatusPurpose};
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{CREDENTIALS, HOLDERS, Holder, ListRecord, PAGES};

/// Which entries of a list are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exporting {
    /// Those that are set.
    Set,
    /// Those whose index is in use, clear ones as well. Of a list of which nobody said which are,
    /// that is every entry.
    GivenOut,
}

/// A stretch of a list's entries.
#[derive(Debug, Clone)]
pub struct ExportPage {
    /// The entries, in order of their index.
    pub rows: Vec<ExportRow>,
    /// The index to go on from; `None` where there are no more.
    pub next: Option<u64>,
    /// The list's revision that was read.
    pub revision: Revision,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// Its index.
    pub index: u64,
    /// Its status.
    pub status: u8,
    /// The id of the credential that carries it, where that is known.
    pub credential: Option<String>,
}

/// A list as a whole.
#[derive(Debug, Clone)]
pub struct ExportedList {
    /// Its issuer, by `issuer.id`.
    pub issuer: String,
    /// What its bits mean.
    pub purpose: StatusPurpose,
    /// The status of every entry.
    pub statuses: Bitstring,
    /// One bit an index that is in use; `None` where nobody said which are.
    pub used: Option<Bitstring>,
    /// What its entries say besides their place.
    pub entry: EntryMembers,
    /// The list's revision that was read.
    pub revision: Revision,
}

/// About how many bytes of credential ids a page may hold.
const MOST_ID_BYTES: usize = 8 << 20;

/// Up to this counter the indexes that were given out are worked out from it; behind that they are
/// so many of the list that trying one after the other finds the next ones sooner.
const FEW_GIVEN_OUT: u64 = 1 << 22;

/// Stored pages that are read together.
const PAGES_AT_ONCE: usize = 64;

impl Registry {
    /// Entries of a list from index `from` on, at most `limit`, as one snapshot has them.
    pub fn export_entries(
        &self,
        actor: Actor,
        list: ListId,
        which: Exporting,
        from: u64,
        limit: usize,
    ) -> Result<ExportPage, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let record = list_of(read, &self.urls(), list)?;
        actor.must(Action::Read, list.owner())?;
        let revision = state_of(read, list, &record)?.revision;
        let mut found = match which {
            Exporting::Set => set_from(read, list, &record, from, limit)?,
            Exporting::GivenOut => given_out_from(read, list, &record, from, limit)?,
        };
        let mut next = match found.len() == limit {
            true => found.last().map(|row| row.index + 1),
            false => None,
        };
        let holders = holders(read, record.space, which, &found)?;
        if let Some(cut) = name_credentials(read, record.space.owner(), &mut found, holders)? {
            next = Some(found[cut].index);
            found.truncate(cut);
        }
        Ok(ExportPage {
            rows: found,
            next: next.filter(|next| *next < record.length),
            revision,
        })
    }

    /// A list as a whole, with which of its indexes are in use.
    pub fn export_list(&self, actor: Actor, list: ListId) -> Result<ExportedList, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let record = list_of(read, &self.urls(), list)?;
        actor.must(Action::Read, list.owner())?;
        let space = space_of(read, record.space)?;
        Ok(ExportedList {
            issuer: self.profile_record(read, list.owner())?.issuer_id,
            statuses: bits_of(read, list, &record)?,
            used: InUse::of(read, record.space, &space)?.bits()?,
            revision: state_of(read, list, &record)?.revision,
            purpose: record.purpose,
            entry: record.entry,
        })
    }
}

/// The entries that are set, from `from` on. Pages that nobody has written hold none.
fn set_from(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    from: u64,
    limit: usize,
) -> Result<Vec<ExportRow>, RegistryError> {
    let (length, size) = (record.length(), record.status_size);
    let Ok(first) = length.index(from) else {
        return Ok(Vec::new());
    };
    let each = PAGE_BYTES as u64 * 8 / size.bits();
    let mut rows = Vec::new();
    let mut before = page_of(first, size).checked_sub(1).map(|page| (list, page));
    loop {
        let pages = PAGES.scan(read, list.as_bytes(), before.as_ref(), PAGES_AT_ONCE)?;
        let Some((last, _)) = pages.last() else {
            return Ok(rows);
        };
        before = Some(*last);
        for ((_, number), stored) in pages {
            let page = Page::try_from(stored).map_err(|stored| corrupt(list, stored.len()))?;
            let start = u64::from(number) * each;
            for index in start.max(from)..(start + each).min(record.length) {
                let index = length.index(index).expect("below the length");
                let status = get_in_page(&page, index, size);
                if status != 0 {
                    rows.push(row(index, status));
                }
                if rows.len() == limit {
                    return Ok(rows);
                }
            }
        }
    }
}

/// The entries whose index is in use, from `from` on.
fn given_out_from(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
    from: u64,
    limit: usize,
) -> Result<Vec<ExportRow>, RegistryError> {
    let space = space_of(read, record.space)?;
    let mut in_use = InUse::of(read, record.space, &space)?;
    let few = match in_use.counter() <= FEW_GIVEN_OUT {
        true => in_use.bits()?,
        false => None,
    };
    let (length, size) = (record.length(), record.status_size);
    let mut rows = Vec::new();
    let mut page: Option<(u32, Page)> = None;
    for index in from..record.length {
        if rows.len() == limit {
            break;
        }
        let index = length.index(index).expect("below the length");
        let held = match &few {
            Some(bits) => bits.get(index) == Some(1),
            None => in_use.holds(index)?,
        };
        if !held {
            continue;
        }
        let number = page_of(index, size);
        let content = match page {
            Some((known, content)) if known == number => content,
            _ => stored_page(read, list, number)?,
        };
        page = Some((number, content));
        rows.push(row(index, get_in_page(&content, index, size)));
    }
    Ok(rows)
}

const fn row(index: StatusIndex, status: u8) -> ExportRow {
    ExportRow {
        index: index.get(),
        status,
        credential: None,
    }
}

/// Who carries each of the entries.
fn holders(
    read: &dyn Read,
    space: SpaceId,
    which: Exporting,
    rows: &[ExportRow],
) -> Result<Vec<Option<Holder>>, StoreError> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    if which == Exporting::Set {
        let places: Vec<_> = rows.iter().map(|row| (space, row.index as u32)).collect();
        return HOLDERS.multi_get(read, &places);
    }
    // Only what is in use is held, so that between the first row and the last one there are no more
    // of them than rows.
    let before = (first.index as u32)
        .checked_sub(1)
        .map(|index| (space, index));
    let held = HOLDERS.scan(read, space.as_bytes(), before.as_ref(), rows.len())?;
    let mut held = held.into_iter().peekable();
    let holder = |row: &ExportRow| {
        let index = row.index as u32;
        while held.next_if(|((_, at), _)| *at < index).is_some() {}
        held.next_if(|((_, at), _)| *at == index)
            .map(|(_, holder)| holder)
    };
    Ok(rows.iter().map(holder).collect())
}

/// Adds the ids of the credentials that carry the entries. Where these are too long for one page,
/// says how many rows it can have.
fn name_credentials(
    read: &dyn Read,
    owner: ProfileId,
    rows: &mut [ExportRow],
    holders: Vec<Option<Holder>>,
) -> Result<Option<usize>, RegistryError> {
    let mut bytes = 0;
    for (at, (row, holder)) in rows.iter_mut().zip(holders).enumerate() {
        // An endorsement has its own look-up, and is known there by its id.
        let Some(Holder::Credential(digest)) = holder else {
            continue;
        };
        row.credential = CREDENTIALS
            .get(read, &(digest, owner))?
            .map(|known| known.id);
        bytes += row.credential.as_ref().map_or(0, String::len);
        if bytes > MOST_ID_BYTES {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn corrupt(list: ListId, bytes: usize) -> StoreError {
    StoreError::Corrupt {
        table: PAGES.name(),
        reason: format!("{list}: a page has {bytes} bytes, not {PAGE_BYTES}"),
    }
}
