//! Which lists are published, in which forms, and which publication of each is the newest: for whoever
//! keeps copies of them where others read.

use std::sync::Arc;

use super::publisher::PublishedList;
use crate::ids::{ListId, ProfileId, Seq, Slug};
use crate::registry::{ListForm, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{ARTEFACTS, PUBLISHED};
use crate::time::Ttl;

/// A list, as it is published.
#[derive(Debug, Clone)]
pub struct ListPublished {
    /// Which list.
    pub list: ListId,
    /// The profile whose list it is.
    pub profile: Slug,
    /// What is served, in each form. The token list of its space is there where it has this list's id.
    pub forms: Vec<(ListForm, Arc<PublishedList>)>,
}

/// Some of the published lists.
#[derive(Debug, Clone)]
pub struct PublishedPage {
    /// In the order of their ids.
    pub lists: Vec<ListPublished>,
    /// A place in the log up to which this shows every publication of these lists: who follows the
    /// publications from there on misses none.
    pub event: Seq,
    /// Behind which list there may be more.
    pub next: Option<ListId>,
}

/// Which lists are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichLists {
    /// Up to so many, one at least, behind a list or from the first one on.
    Page(Option<ListId>, usize),
    /// This one.
    One(ListId),
}

impl Registry {
    /// The published lists of a profile, or of all, as of one moment. A list that was never signed is
    /// not among them, and neither is one of another profile.
    ///
    /// # Errors
    /// [`RegistryError::Store`] where rows cannot be read: none is passed over.
    pub fn lists_published(
        &self,
        owner: Option<ProfileId>,
        which: WhichLists,
    ) -> Result<PublishedPage, RegistryError> {
        // Before the snapshot: what comes later is told by the log.
        let event = self.newest_event();
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let (found, next) = match which {
            WhichLists::One(list) => {
                let is_seen = owner.is_none_or(|owner| owner == list.owner());
                let published = is_seen && PUBLISHED.get(read, &list)?.is_some();
                (published.then_some(list).into_iter().collect(), None)
            }
            WhichLists::Page(after, limit) => {
                let prefix = owner.map(|owner| owner.0.to_be_bytes());
                let prefix = prefix.as_ref().map_or(&[][..], |prefix| prefix);
                let rows = PUBLISHED.scan(read, prefix, after.as_ref(), limit)?;
                let found: Vec<ListId> = rows.into_iter().map(|(list, _)| list).collect();
                let last = found.last().copied();
                let next = last.filter(|_| found.len() == limit);
                (found, next)
            }
        };
        let lists = found.into_iter().map(|list| self.published_of(read, list));
        Ok(PublishedPage {
            lists: lists.collect::<Result<_, _>>()?,
            event,
            next,
        })
    }

    fn published_of(&self, read: &dyn Read, list: ListId) -> Result<ListPublished, RegistryError> {
        let mut forms = Vec::new();
        for form in ListForm::ALL {
            if let Some(artefact) = ARTEFACTS.get_apart(read, &(list, form))? {
                // For how long a copy of it is fresh is said with the copy.
                forms.push((form, PublishedList::of(artefact, Ttl::from_millis(0))));
            }
        }
        Ok(ListPublished {
            list,
            profile: self.profile_record(read, list.owner())?.slug,
            forms,
        })
    }
}
