//! What the entries of many credentials say now, read in two questions to the store: what lies over
//! their index spaces, where that is not kept, and the pages of the bits.

use std::collections::HashMap;
use std::sync::Arc;

use super::StatusPart;
use crate::bitstring::{StatusIndex, get_in_page, page_of};
use crate::ids::{ListId, SpaceId};
use crate::registry::lists::allocation::space_of;
use crate::registry::lists::list_of;
use crate::registry::lists::queries::{
    Claim, credential_outcome, is_carried, lists_carried, outcome_of,
};
use crate::registry::lists::staged::page_from;
use crate::registry::standing::kept::KeptFor;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{Carried, ListRecord, PAGES, SpaceRecord};

/// An index space and the lists over it.
pub(in crate::registry) struct Space {
    record: SpaceRecord,
    lists: Vec<(ListId, Named)>,
}

/// A list, with what is written of it in each answer.
struct Named {
    record: ListRecord,
    url: Arc<str>,
    purpose: Arc<str>,
}

impl Space {
    fn read(registry: &Registry, read: &dyn Read, id: SpaceId) -> Result<Self, RegistryError> {
        let record = space_of(read, id)?;
        let urls = registry.urls();
        let named = |list: ListId| {
            let record = list_of(read, &urls, list)?;
            let named = Named {
                url: urls.list(list).into(),
                purpose: record.purpose.as_str().into(),
                record,
            };
            Ok((list, named))
        };
        let lists = record.planes.iter().map(|plane| named(plane.list));
        Ok(Self {
            lists: lists.collect::<Result<_, RegistryError>>()?,
            record,
        })
    }

    /// About how many bytes it takes to keep.
    pub(in crate::registry) fn bytes(&self) -> usize {
        let lists = self.lists.iter();
        let lists = lists.map(|(_, named)| size_of::<Named>() + 2 * named.url.len());
        size_of::<Self>() + 2 * lists.sum::<usize>()
    }

    /// The lists that say something of an entry, and where in them it is.
    fn entries(
        &self,
        carried: &Carried,
    ) -> impl Iterator<Item = (ListId, &Named, StatusIndex, u32)> {
        let lists = lists_carried(&self.record, carried).filter_map(|list| {
            let (_, named) = self.lists.iter().find(|(known, _)| *known == list)?;
            Some((list, named))
        });
        let shown = lists.filter(|(_, named)| is_carried(&named.record, carried));
        shown.map(|(list, named)| {
            let index = named.record.length().index(carried.index.into());
            let index = index.expect("given out within the list's length");
            (list, named, index, page_of(index, named.record.status_size))
        })
    }
}

/// All that was read for one question.
pub(super) struct Statuses {
    spaces: HashMap<SpaceId, Arc<Space>>,
    pages: HashMap<(ListId, u32), Option<Vec<u8>>>,
}

impl Statuses {
    /// Reads what the entries say that were told of the ids of credentials.
    pub(super) fn read(
        registry: &Registry,
        read: &dyn Read,
        kept: &KeptFor<'_>,
        claims: &[Vec<Claim>],
    ) -> Result<Self, RegistryError> {
        let carried = || {
            let records = claims.iter().flatten();
            records.flat_map(|(_, record)| &record.entries)
        };
        let mut spaces = HashMap::new();
        for carried in carried() {
            let id = carried.space;
            if spaces.contains_key(&id) {
                continue;
            }
            let space = match kept.space(id) {
                Some(known) => known,
                None => {
                    let space = Arc::new(Space::read(registry, read, id)?);
                    kept.keep_space(id, &space);
                    space
                }
            };
            spaces.insert(id, space);
        }
        let entries = carried().flat_map(|carried| spaces[&carried.space].entries(carried));
        let mut wanted: Vec<(ListId, u32)> =
            entries.map(|(list, _, _, page)| (list, page)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let pages = PAGES.multi_get(read, &wanted)?;
        Ok(Self {
            pages: wanted.into_iter().zip(pages).collect(),
            spaces,
        })
    }

    /// How a credential stands by what was said of its id, and each of its entries; none where
    /// nothing was said.
    pub(super) fn of(
        &self,
        claims: &[Claim],
    ) -> Result<Option<(Outcome, Vec<StatusPart>)>, RegistryError> {
        let mut parts = Vec::new();
        for carried in claims.iter().flat_map(|(_, record)| &record.entries) {
            for (list, named, index, page) in self.spaces[&carried.space].entries(carried) {
                let size = named.record.status_size;
                let status = match &self.pages[&(list, page)] {
                    // One that nobody has written is all zeros.
                    None => 0,
                    Some(bytes) => get_in_page(page_from(bytes)?, index, size),
                };
                parts.push(StatusPart {
                    list: Some(named.url.clone()),
                    index: Some(index.get()),
                    purpose: Some(named.purpose.clone()),
                    status: Some(status),
                    outcome: outcome_of(&named.record.purpose, status),
                });
            }
        }
        let outcomes = parts.iter().map(|part| part.outcome);
        Ok(credential_outcome(claims, outcomes).map(|outcome| (outcome, parts)))
    }
}
