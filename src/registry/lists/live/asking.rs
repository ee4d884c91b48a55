//! Questions by place about the present: answered from memory where the lists are there or can be
//! brought there, and from one snapshot of the store otherwise.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::list::{List, Wording};
use super::loading::Brought;
use super::{LiveLists, TABLES, TRIES, page_change, revision_of};
use crate::bitstring::{IndexOutOfRange, ListLength, Page, StatusIndex, get_in_page, page_of};
use crate::ids::{ListId, Revision};
use crate::registry::lists::list_of;
use crate::registry::lists::queries::{StatusAnswer, StatusUnknown};
use crate::registry::{Registry, RegistryError, Thing};
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{LIST_STATES, ListRecord, PAGES};

/// An entry as it is now.
#[derive(Debug, Clone, Copy)]
pub struct EntryShown<'l> {
    /// The words for it.
    pub wording: &'l Wording,
    /// Its value.
    pub status: u8,
    /// The list's revision that was read.
    pub revision: Revision,
}

/// Questions by place, about entries as they are now. A list is named once and then asked for by the
/// number that it was given.
#[derive(Debug, Default)]
pub struct EntriesAsked<'q> {
    lists: Vec<Cow<'q, str>>,
    entries: Vec<(u32, u64)>,
}

impl<'q> EntriesAsked<'q> {
    /// Names a list by its URL.
    pub fn name(&mut self, list: Cow<'q, str>) -> u32 {
        self.lists.push(list);
        u32::try_from(self.lists.len() - 1).expect("there are fewer lists than bytes in a request")
    }

    /// Asks for an entry of a list that was named.
    pub fn ask(&mut self, list: u32, index: u64) {
        self.entries.push((list, index));
    }

    /// How many questions there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is asked.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// What all the entries that were asked for say, of one state of all their lists.
#[derive(Debug)]
pub struct EntriesTold {
    lists: Vec<ListTold>,
    entries: Vec<EntryTold>,
}

/// A list that was asked for.
#[derive(Debug)]
enum ListTold {
    /// It is here.
    Here {
        /// Its words.
        wording: Arc<Wording>,
        /// How many entries it has.
        length: ListLength,
        /// The revision that was read.
        revision: Revision,
    },
    /// It is not.
    Unknown(StatusUnknown),
}

/// What was read for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryTold {
    /// The value of the entry.
    Status(u8),
    /// The list has no such entry, or is not here.
    Unknown,
}

impl EntriesTold {
    /// The answers to these questions, in their order.
    pub fn answers<'l>(
        &'l self,
        asked: &'l EntriesAsked<'_>,
    ) -> impl Iterator<Item = Result<EntryShown<'l>, StatusUnknown>> {
        let each = asked.entries.iter().zip(&self.entries);
        each.map(
            |((list, index), entry)| match (&self.lists[*list as usize], entry) {
                (ListTold::Unknown(unknown), _) => Err(unknown.clone()),
                (
                    ListTold::Here {
                        wording, revision, ..
                    },
                    EntryTold::Status(status),
                ) => Ok(EntryShown {
                    wording,
                    status: *status,
                    revision: *revision,
                }),
                (ListTold::Here { length, .. }, EntryTold::Unknown) => {
                    let (index, length) = (*index, *length);
                    Err(StatusUnknown::OutOfRange(IndexOutOfRange { index, length }))
                }
            },
        )
    }
}

/// How many times lists are brought to memory for the same questions: others may make them leave again.
const ROUNDS: usize = 3;

/// How many lists are brought to memory for the questions of one request. Where it asks for more that are not
/// there, the store answers all of it.
const MOST_BROUGHT: usize = 64;

impl Registry {
    /// The entry at `index` of the list with this URL, handed to `tell`; `None` where that cannot be told
    /// from memory. It takes no lock and does not wait.
    pub fn entry_in_memory<T>(
        &self,
        list: &str,
        index: u64,
        tell: impl FnOnce(EntryShown<'_>) -> T,
    ) -> Option<T> {
        self.live.entry(self.urls().parse_list(list)?, index, tell)
    }

    /// All the entries asked for, of one state: as new as what was acknowledged before this was called, or
    /// newer.
    pub fn entries_now(&self, asked: &EntriesAsked<'_>) -> Result<EntriesTold, RegistryError> {
        let named: Vec<_> = asked.lists.iter().map(|url| self.list_named(url)).collect();
        for _ in 0..ROUNDS {
            match self.live.entries(asked, &named) {
                Seen::One(told) => return Ok(told),
                Seen::Many => break,
                Seen::Missing(mut lists) => {
                    lists.sort_unstable();
                    lists.dedup();
                    let many = lists.len() > MOST_BROUGHT;
                    for list in lists.into_iter().take(MOST_BROUGHT) {
                        if self.bring_in(list)? != Brought::InMemory {
                            return entries_on(self, &*self.engine.snapshot(), asked, named);
                        }
                    }
                    if many {
                        break;
                    }
                }
            }
        }
        entries_on(self, &*self.engine.snapshot(), asked, named)
    }

    /// What one entry says; `None` where its list is in the store alone.
    pub(in crate::registry::lists) fn entry_now(
        &self,
        url: &str,
        index: u64,
    ) -> Result<Option<Result<StatusAnswer, StatusUnknown>>, RegistryError> {
        let list = match self.list_named(url) {
            Ok(list) => list,
            Err(unknown) => return Ok(Some(Err(unknown))),
        };
        let tell = |entry: EntryShown<'_>| entry.wording.answer(entry.status, entry.revision);
        if let Some(answer) = self.live.entry(list, index, tell) {
            return Ok(Some(Ok(answer)));
        }
        Ok(match self.bring_in(list)? {
            Brought::InMemory => self.live.entry(list, index, tell).map(Ok),
            Brought::NotThere => Some(Err(StatusUnknown::NoList(url.to_owned()))),
            Brought::InStore => None,
        })
    }

    /// The value of an entry and its list's revision as `read` shows them, where the list is in memory and
    /// was not changed since. For whoever reads other things of the same snapshot beside it.
    pub(in crate::registry) fn entry_on(
        &self,
        read: &dyn Read,
        list: ListId,
        index: u64,
    ) -> Option<(u8, Revision)> {
        let number = read.last_write(TABLES)?;
        self.live.entry_as_of(number, list, index)
    }

    /// The list of this URL, where it can be one of ours.
    pub(in crate::registry) fn list_named(&self, url: &str) -> Result<ListId, StatusUnknown> {
        let urls = self.urls();
        urls.parse_list(url).ok_or_else(|| match urls.is_ours(url) {
            true => StatusUnknown::NoList(url.to_owned()),
            false => StatusUnknown::Elsewhere(url.to_owned()),
        })
    }
}

/// What memory has for many questions.
enum Seen {
    /// All of them, of one state.
    One(EntriesTold),
    /// Their lists keep being changed.
    Many,
    /// These lists are missing.
    Missing(Vec<ListId>),
}

impl LiveLists {
    fn entries(&self, asked: &EntriesAsked<'_>, named: &[Result<ListId, StatusUnknown>]) -> Seen {
        for _ in 0..TRIES {
            let number = self.number();
            let found = |id: &ListId| self.find(*id).map(|found| found.list().clone());
            let lists: Vec<_> = named
                .iter()
                .map(|id| id.as_ref().ok().and_then(found))
                .collect();
            let each = || named.iter().zip(&lists);
            let missing: Vec<ListId> = each()
                .filter(|(_, list)| list.is_none())
                .filter_map(|(id, _)| id.as_ref().ok().copied())
                .collect();
            if !missing.is_empty() {
                return Seen::Missing(missing);
            }
            let entries = asked.entries.iter();
            let entries =
                entries.map(|(list, index)| status(lists[*list as usize].as_deref(), *index));
            let entries: Vec<EntryTold> = entries.collect();
            let revisions: Vec<_> = lists.iter().flatten().map(|list| list.revision()).collect();
            if !lists.iter().flatten().all(|list| list.is_as_of(number)) {
                std::hint::spin_loop();
                continue;
            }
            let mut revisions = revisions.into_iter();
            let told = each().map(|(id, list)| match (id, list) {
                (Err(unknown), _) => ListTold::Unknown(unknown.clone()),
                (Ok(_), list) => {
                    let list = list
                        .as_ref()
                        .expect("none of those that are here is missing");
                    list.note_use();
                    ListTold::Here {
                        wording: list.wording.clone(),
                        length: list.length,
                        revision: revisions.next().expect("each list has a revision"),
                    }
                }
            });
            return Seen::One(EntriesTold {
                lists: told.collect(),
                entries,
            });
        }
        Seen::Many
    }
}

fn status(list: Option<&List>, index: u64) -> EntryTold {
    let place = list.and_then(|list| Some((list, list.length.index(index).ok()?)));
    place.map_or(EntryTold::Unknown, |(list, index)| {
        EntryTold::Status(list.status(index))
    })
}

/// The same from a snapshot, with each row read once.
fn entries_on(
    registry: &Registry,
    read: &dyn Read,
    asked: &EntriesAsked<'_>,
    named: Vec<Result<ListId, StatusUnknown>>,
) -> Result<EntriesTold, RegistryError> {
    let mut lists = Vec::with_capacity(named.len());
    let mut records: Vec<Option<(ListId, ListRecord)>> = Vec::with_capacity(named.len());
    for id in named {
        let found = id.map(|id| (id, list_of(read, &registry.urls(), id)));
        let (told, record) = match found {
            Err(unknown) => (ListTold::Unknown(unknown), None),
            Ok((_, Err(RegistryError::NotFound(Thing::List, url)))) => {
                (ListTold::Unknown(StatusUnknown::NoList(url)), None)
            }
            Ok((_, Err(error))) => return Err(error),
            Ok((id, Ok(record))) => {
                let state = LIST_STATES.get(read, &id)?;
                let told = ListTold::Here {
                    wording: Arc::new(Wording::of(&record)),
                    length: record.length(),
                    revision: revision_of(state.as_ref()),
                };
                (told, Some((id, record)))
            }
        };
        lists.push(told);
        records.push(record);
    }
    let places: Vec<Option<(ListId, &ListRecord, StatusIndex)>> = asked
        .entries
        .iter()
        .map(|(list, index)| {
            let (id, record) = records[*list as usize].as_ref()?;
            Some((*id, record, record.length().index(*index).ok()?))
        })
        .collect();
    let pages = pages_of(read, &places)?;
    let entries = places.into_iter().map(|place| match place {
        None => EntryTold::Unknown,
        Some((id, record, index)) => {
            let size = record.status_size;
            let page = pages.get(&(id, page_of(index, size)));
            EntryTold::Status(page.map_or(0, |page| get_in_page(page, index, size)))
        }
    });
    let entries = entries.collect();
    Ok(EntriesTold { lists, entries })
}

/// The pages in which these entries stand, as far as anything is set in them.
fn pages_of(
    read: &dyn Read,
    places: &[Option<(ListId, &ListRecord, StatusIndex)>],
) -> Result<HashMap<(ListId, u32), Box<Page>>, RegistryError> {
    let keys = places.iter().flatten();
    let keys = keys.map(|(id, record, index)| (*id, page_of(*index, record.status_size)));
    let mut keys: Vec<(ListId, u32)> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    let rows = PAGES.multi_get(read, &keys)?;
    let mut pages = HashMap::new();
    for (key, bytes) in keys.into_iter().zip(rows) {
        match page_change(key.1, bytes) {
            super::Change::Page(_, Some(page)) => {
                pages.insert(key, page);
            }
            super::Change::Page(_, None) | super::Change::Revision(_) => {}
            super::Change::Unclear => {
                let reason = "a page has another length than pages have".to_owned();
                let table = PAGES.name();
                return Err(StoreError::Corrupt { table, reason }.into());
            }
        }
    }
    Ok(pages)
}
