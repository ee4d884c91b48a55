//! How full the lists of an issuer are, and how far what is published of them has come: for whoever
//! looks after them.

use super::allocation::{allocated, is_sealed, space_of};
use super::forms::{bits_of, state_of};
use super::in_use::InUse;
use super::list_of;
use crate::access::Action;
use crate::bitstring::StatusSize;
use crate::ids::{ListId, ProfileId, Revision, SpaceId};
use crate::registry::{Actor, Registry, RegistryError, Thing};
use crate::status::StatusPurpose;
use crate::store::engine::Read;
use crate::store::tables::{
    Brought, DIRTY_LISTS, LISTS, ListRecord, PAST_STATES, PUBLISHED, PublishedState,
};
use crate::time::{Timestamp, Ttl};

/// A list, how full it is, and how far its publication has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOverview {
    /// Which list.
    pub id: ListId,
    /// What its bits mean.
    pub purpose: StatusPurpose,
    /// Entries that it has room for.
    pub capacity: u64,
    /// How many of them are in use; `None` where nobody knows, and none is given out any more.
    pub used: Option<u64>,
    /// How many entries are set: revoked, suspended, or whatever the purpose says.
    pub set: u64,
    /// Counts changes of its bits.
    pub revision: Revision,
    /// When the last one was made.
    pub changed_at: Timestamp,
    /// What is published of it; `None` where nothing was signed yet.
    pub published: Option<ListPublication>,
    /// Since when its published form is behind; `None` where it is not.
    pub behind_since: Option<Timestamp>,
    /// For how long a copy of it may be used.
    pub ttl: Ttl,
    /// When it was opened.
    pub created_at: Timestamp,
    /// Bits of an entry.
    pub size: StatusSize,
    /// What its statuses mean, in the order of their values, where it says so.
    pub messages: Vec<String>,
}

/// What is published of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPublication {
    /// The revision that it shows.
    pub revision: Revision,
    /// When it was signed.
    pub at: Timestamp,
    /// Until when it holds, where it says so.
    pub valid_until: Option<Timestamp>,
}

/// Some of the lists of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOverviews {
    /// In the order of their ids.
    pub lists: Vec<ListOverview>,
    /// Behind which list there may be more.
    pub next: Option<ListId>,
}

impl Registry {
    /// The lists of an issuer, up to `limit` behind one of them or from the first one on, as one
    /// snapshot has them.
    ///
    /// # Errors
    /// [`RegistryError::NotYours`] and [`RegistryError::NotAllowed`] for who may not read what is
    /// private of the issuer.
    pub fn lists_overview(
        &self,
        actor: Actor,
        issuer: ProfileId,
        after: Option<ListId>,
        limit: usize,
    ) -> Result<ListOverviews, RegistryError> {
        actor.must(Action::Read, issuer)?;
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let owner = issuer.0.to_be_bytes();
        let rows = LISTS.scan(read, &owner, after.as_ref(), limit)?;
        let last = rows.last().map(|(list, _)| *list);
        let next = last.filter(|_| rows.len() == limit);
        let lists = rows.iter().map(|(list, record)| seen(read, *list, record));
        Ok(ListOverviews {
            lists: lists.collect::<Result<_, _>>()?,
            next,
        })
    }

    /// One list. Another's list is told of like one that is not here.
    pub fn list_overview(&self, actor: Actor, list: ListId) -> Result<ListOverview, RegistryError> {
        let snapshot = self.engine.snapshot();
        let record = self.own_list(&*snapshot, actor, list)?;
        seen(&*snapshot, list, &record)
    }

    /// What a list is, for who may read what is private of its issuer; of another's list they hear
    /// what they hear of one that is not here.
    pub(in crate::registry) fn own_list(
        &self,
        read: &dyn Read,
        actor: Actor,
        list: ListId,
    ) -> Result<ListRecord, RegistryError> {
        let record = list_of(read, &self.urls(), list)?;
        match actor.must(Action::Read, list.owner()) {
            Ok(()) => Ok(record),
            Err(RegistryError::NotYours) => {
                let url = self.urls().list(list);
                Err(RegistryError::NotFound(Thing::List, url))
            }
            Err(refused) => Err(refused),
        }
    }
}

fn seen(read: &dyn Read, list: ListId, record: &ListRecord) -> Result<ListOverview, RegistryError> {
    let state = state_of(read, list, record)?;
    let published = PUBLISHED.get(read, &list)?;
    let is_behind = published.is_none() || DIRTY_LISTS.get(read, &list)?.is_some();
    let behind_since = match (is_behind, &published) {
        (false, _) => None,
        (true, None) => Some(record.created_at),
        (true, Some(published)) => {
            first_change_behind(read, list, published)?.or(Some(state.changed_at))
        }
    };
    Ok(ListOverview {
        id: list,
        purpose: record.purpose.clone(),
        capacity: record.length,
        used: used(read, record.space)?,
        set: bits_of(read, list, record)?
            .iter()
            .filter(|status| *status != 0)
            .count() as u64,
        revision: state.revision,
        changed_at: state.changed_at,
        published: published.map(|published| ListPublication {
            revision: published.revision,
            at: published.published_at,
            valid_until: published.valid_until,
        }),
        behind_since,
        ttl: Ttl::from_millis(record.ttl_millis),
        created_at: record.created_at,
        size: record.status_size,
        messages: match record.entry.messages() {
            Some(messages) => messages.as_messages().texts().to_vec(),
            None => Vec::new(),
        },
    })
}

/// When the oldest change was made that what is published does not show, where it is over already.
fn first_change_behind(
    read: &dyn Read,
    list: ListId,
    published: &PublishedState,
) -> Result<Option<Timestamp>, RegistryError> {
    // The state that is shown may have ended behind its publication; the next one is what is sought.
    let behind = ((list, published.published_at), published.revision);
    let over = PAST_STATES.scan(read, list.as_bytes(), Some(&behind), 2)?;
    let newer = over
        .iter()
        .find(|((_, revision), _)| *revision > published.revision);
    Ok(newer.map(|(_, past)| past.since))
}

/// How many indexes of a space are in use.
fn used(read: &dyn Read, space: SpaceId) -> Result<Option<u64>, RegistryError> {
    if is_sealed(read, space)? {
        return Ok(None);
    }
    let record = space_of(read, space)?;
    let given_out = allocated(read, space)?;
    Ok(match record.brought {
        Brought::Unknown => None,
        Brought::Nothing => Some(given_out),
        Brought::Known(brought) if given_out == 0 => Some(brought),
        // The counter passes those that were brought, so the two do not add up.
        Brought::Known(_) => InUse::of(read, space, &record)?
            .bits()?
            .map(|bits| bits.count_ones()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{in_memory, operator, school};
    use crate::registry::{Change, NewList, StatusTarget, StatusUpdate};

    fn revokes(registry: &Registry, list: ListId, index: u64) {
        let update = StatusUpdate {
            target: StatusTarget::Index(index),
            status: 1,
        };
        let updated = registry.update_statuses(&operator(), list, vec![update], None);
        assert_eq!(updated.unwrap().applied, 1);
    }

    #[test]
    fn a_list_is_told_with_what_is_in_it_and_what_is_published() {
        let (registry, clock, _) = in_memory();
        let school = school(&registry, "school");
        let list = NewList::usual(school, StatusPurpose::Revocation);
        let list = registry.create_list(&operator(), &list).unwrap().id;
        let opened = registry.now();
        let given = registry.allocate(&operator(), list, 300).unwrap().indexes();
        clock.advance(Ttl::from_seconds(60));
        revokes(&registry, list, given[7].get());

        let told = registry.list_overview(Actor::operator(), list).unwrap();
        assert_eq!(
            (told.capacity, told.used, told.set),
            (131_072, Some(300), 1)
        );
        assert_eq!((told.revision, told.behind_since), (Revision(2), None));
        let published = told.published.unwrap();
        assert_eq!(published.revision, Revision(2));
        assert_eq!(published.at, opened.plus(Ttl::from_seconds(60)));
        assert!(published.valid_until.unwrap() > published.at);
        assert_eq!(told.created_at, opened);
    }

    #[test]
    fn a_list_that_is_behind_says_since_when() {
        use crate::registry::testing::{clock, over, settings};
        use crate::store::memory::MemoryEngine;
        use std::sync::Arc;
        let clock = clock();
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let mut settings = settings();
        settings.publish_before_acknowledging = false;
        let registry = over(engine, clock.clone(), 1, settings);
        let school = school(&registry, "school");
        let list = NewList::usual(school, StatusPurpose::Revocation);
        let list = registry.create_list(&operator(), &list).unwrap().id;
        let given = registry.allocate(&operator(), list, 3).unwrap().indexes();
        let told = || registry.list_overview(Actor::operator(), list).unwrap();
        assert_eq!(told().behind_since, None);
        let minute = Ttl::from_seconds(60);
        clock.advance(minute);
        let first = registry.now();
        for index in given {
            revokes(&registry, list, index.get());
            clock.advance(minute);
            assert_eq!(told().behind_since, Some(first));
        }
        assert_eq!(told().published.unwrap().revision, Revision(1));
        assert_eq!(told().set, 3);
    }

    #[test]
    fn pages_hold_every_list_once_and_nobody_elses() {
        let (registry, _, _) = in_memory();
        let (ours, theirs) = (school(&registry, "ours"), school(&registry, "theirs"));
        let mut all = Vec::new();
        for owner in [ours, theirs, ours, theirs, ours] {
            let list = NewList::usual(owner, StatusPurpose::Revocation);
            let list = registry.create_list(&operator(), &list).unwrap().id;
            all.extend((owner == ours).then_some(list));
        }
        all.sort();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = registry
                .lists_overview(Actor::operator(), ours, after, 2)
                .unwrap();
            found.extend(page.lists.iter().map(|list| list.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, all);
        let stranger = Change::by(Actor::anonymous()).actor;
        assert_eq!(
            registry.lists_overview(stranger, ours, None, 2),
            Err(RegistryError::NotYours)
        );
        assert!(matches!(
            registry.list_overview(stranger, all[0]),
            Err(RegistryError::NotFound(Thing::List, _))
        ));
    }
}
