//! Publication: each list whose bits changed is encoded and signed once, however many changes it
//! holds, in each of its forms, and the signed artefacts are stored and kept ready. A list that
//! did not change is signed again before it ends.
//!
//! The order, and what a crash leaves behind at each step:
//! 1. the change was committed together with the list's row in "dirty lists" – a crash from here
//!    on leaves that row, and start-up publishes the list through the same function;
//! 2. the bits of one snapshot are encoded and signed, and the signatures are verified – nothing is
//!    written yet;
//! 3. artefacts and "published" are committed, the latter compared with what was read, so that an
//!    older state never replaces a newer one – a crash after it only repeats step 4;
//! 4. the artefacts that are kept ready in memory are swapped, and who follows publications hears
//!    of it – the log tells them where this does not.
//!
//! Where several processes share a store, each publishes what it changed, and [`following`] sees to what
//! the others did: an older artefact is served no more, and what they leave behind is published.

mod elsewhere;
mod following;
mod ready;
#[cfg(test)]
mod tests;
mod threads;
mod waiting;

use std::sync::Arc;
use std::time::Instant;

use tracing::error;

use super::forms::Edition;
use crate::entropy::random;
use crate::ids::ListId;
use crate::registry::change::log_event;
use crate::registry::lanes::locked;
use crate::registry::{Actor, Registry, RegistryError, Thing};
use crate::store::engine::{Batch, CommitError, Read};
use crate::store::event::EventKind;
use crate::store::tables::{
    ARTEFACTS, ArtefactRecord, DIRTY_LISTS, LIST_STATES, ListForm, ListState, PUBLISHED,
    PUBLISHED_TOKENS, PublishedState, RENEWALS,
};
use crate::time::{Timestamp, Ttl};
use ready::Newest;

pub(in crate::registry) use ready::Snapshot;

pub use elsewhere::{Artefact, HandedIn, ListToSign, SignedList};
pub use ready::{Packed, PublishedList};
pub use threads::Publisher;

impl Registry {
    /// Sees to it that the signed list follows a committed change: at once where the registry
    /// is set so, else within the publish delay. Where it cannot be signed at once, the caller
    /// hears of that, and the publisher tries again: the change itself is made, so that what came of the
    /// request is never told as though nothing was written.
    pub(in crate::registry) fn follow(&self, list: ListId) -> Result<(), RegistryError> {
        if !self.settings.publish_before_acknowledging {
            self.published.wait_for_publisher(list);
            return Ok(());
        }
        let began = Instant::now();
        match self.publish(list) {
            Ok(_) => {
                self.published.measured.delays.took(began.elapsed());
                Ok(())
            }
            Err(error) => {
                self.published.try_again(list);
                let words = format!("the change is made, and its list not signed: {error}");
                Err(RegistryError::Commit(CommitError::Indeterminate(words)))
            }
        }
    }

    /// The newest signed artefact of a list in one form. One that has ended is never served: where
    /// it was not renewed in time, it is now.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] where there is no such list, or it is not published in this form;
    /// [`RegistryError::WaitsForSignature`] where its owner signs elsewhere and has not.
    pub fn published_list(
        &self,
        list: ListId,
        form: ListForm,
    ) -> Result<Arc<PublishedList>, RegistryError> {
        let place = (list, form);
        self.published.reads.note(list);
        let ready = self.published.ready.get(&place);
        let ready = ready.filter(|ready| ready.holds_at(self.now()));
        self.published.lookups.note(ready.is_some());
        if let Some(ready) = ready {
            return Ok(ready);
        }
        let newest = Newest::of(self);
        let edition = Edition::of(self, &*newest.read, list)?;
        let ttl = edition.ttl();
        if !edition.has(form) {
            return Err(RegistryError::NotFound(
                Thing::List,
                self.urls().list_as(list, form),
            ));
        }
        if let Some(stored) = ARTEFACTS.get_apart(&*newest.read, &place)? {
            let stored = PublishedList::of(stored, ttl);
            if stored.holds_at(self.now()) {
                newest.keep_ready(place, &stored);
                return Ok(stored);
            }
        }
        drop(newest);
        self.publish(list)?;
        let signed = ARTEFACTS.get_apart(&*self.engine, &place)?;
        let signed = signed.map(|signed| PublishedList::of(signed, ttl));
        // Where its owner signs elsewhere, it is not signed by whoever asks for it.
        let waits = || RegistryError::WaitsForSignature(self.urls().list_as(list, form));
        signed
            .filter(|signed| signed.holds_at(self.now()))
            .ok_or_else(waits)
    }

    /// As [`Self::published_list`], with every acknowledged change in it.
    pub(in crate::registry) fn list_as_it_is(
        &self,
        (list, form): (ListId, ListForm),
    ) -> Result<Arc<PublishedList>, RegistryError> {
        self.publish(list)?;
        let read = &*self.engine;
        if DIRTY_LISTS.get(read, &list)?.is_some() && self.signs_elsewhere(read, list.owner())? {
            // What is published does not show the change yet.
            let url = self.urls().list_as(list, form);
            return Err(RegistryError::WaitsForSignature(url));
        }
        self.published_list(list, form)
    }

    /// Signs the newest state of a list in all its forms, unless its artefacts show that state
    /// already and are not to be renewed yet. A list whose owner signs elsewhere is left alone.
    pub fn publish(&self, list: ListId) -> Result<(), RegistryError> {
        self.publish_since(list, None)
    }

    /// As [`Self::publish`]; what was signed before `since` is signed anew in any case.
    pub(in crate::registry) fn publish_since(
        &self,
        list: ListId,
        since: Option<Timestamp>,
    ) -> Result<(), RegistryError> {
        loop {
            // Before the snapshot, and before a place is waited for: what was committed by then is in it.
            let began = self.now().whole_seconds();
            let newest = Newest::of(self);
            let read = &*newest.read;
            let edition = Edition::of(self, read, list)?;
            let before = Before::of(read, &edition)?;
            if self.signs_elsewhere(read, list.owner())? {
                return self.leave_to_owner(list, &before);
            }
            if before.is_signed_since(since) && before.is_current(read, &edition, self.now())? {
                return self.show_nothing_older(&newest, &edition, &before);
            }
            let sign = || self.signed_anew(&edition, &before, began);
            let publication = self
                .published
                .signed_in_turn(list, edition.is_long(), sign)?;
            let ttls = publication.artefacts.iter();
            let ttls: Vec<_> = ttls.map(|((_, form), _)| edition.ttl_as(*form)).collect();
            // The memory engine copies what a snapshot still looks at.
            drop(newest);
            match self.store_publication(list, &before, &publication) {
                Ok(()) => {
                    self.show_published(list, publication, ttls)?;
                    self.publications.ring();
                    return Ok(());
                }
                // Somebody else published meanwhile: look again.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whoever stored what was published last may not have come to keep it ready: nothing older is
    /// served from now on.
    fn show_nothing_older(
        &self,
        newest: &Newest<'_>,
        edition: &Edition<'_>,
        published: &Before,
    ) -> Result<(), RegistryError> {
        for place in edition.places() {
            let state = match place.1.is_token() {
                true => &published.token,
                false => &published.list,
            };
            let is_older = |ready: Arc<PublishedList>| {
                let state = state.as_ref();
                state.is_some_and(|state| ready.generation < state.generation)
            };
            if self.published.ready.get(&place).is_some_and(is_older)
                && let Some(stored) = ARTEFACTS.get(&*newest.read, &place)?
            {
                let ready = PublishedList::of(stored, edition.ttl_as(place.1));
                newest.keep_ready(place, &ready);
            }
        }
        Ok(())
    }

    /// Keeps ready what was just stored. Where somebody else has published meanwhile, that is what is served.
    fn show_published(
        &self,
        list: ListId,
        publication: Publication,
        ttls: Vec<Ttl>,
    ) -> Result<(), RegistryError> {
        let newest = Newest::of(self);
        let is_present = PUBLISHED.get(&*newest.read, &list)?.as_ref() == Some(&publication.list);
        let token_is_present = match &publication.token {
            Some((id, state)) => PUBLISHED_TOKENS.get(&*newest.read, id)?.as_ref() == Some(state),
            None => false,
        };
        for ((place, artefact), ttl) in publication.artefacts.into_iter().zip(ttls) {
            let is_newest = match place.1.is_token() {
                true => token_is_present,
                false => is_present,
            };
            match is_newest {
                true => newest.keep_ready(place, &PublishedList::of(artefact, ttl)),
                // Whoever is told that its change is shown finds nothing from before it.
                false => {
                    let ready = &self.published.ready;
                    ready.let_go_of_older(&place, artefact.state.generation);
                }
            }
        }
        Ok(())
    }

    fn signed_anew(
        &self,
        edition: &Edition<'_>,
        before: &Before,
        published_at: Timestamp,
    ) -> Result<Publication, RegistryError> {
        let valid_until = published_at.plus(self.settings.list_validity);
        let next = |revision, previous: &Option<PublishedState>| PublishedState {
            revision,
            generation: previous.as_ref().map_or(0, |state| state.generation + 1),
            published_at,
            valid_until: Some(valid_until),
            renew_at: self.renewal(published_at),
        };
        let list = next(before.state.revision, &before.list);
        let token = edition.token.as_ref().map(|token| {
            let state = PublishedState {
                renew_at: list.renew_at,
                ..next(token.revision(), &before.token)
            };
            (token.id, state)
        });
        let period = (published_at, valid_until);
        let signed = edition.signed(period)?.into_iter();
        let artefacts = signed.map(|(form, body)| {
            let (id, state) = match (&token, form.is_token()) {
                (Some((id, state)), true) => (*id, state.clone()),
                _ => (edition.list, list.clone()),
            };
            ((id, form), ArtefactRecord { state, body })
        });
        Ok(Publication {
            artefacts: artefacts.collect(),
            list,
            token,
        })
    }

    /// When a list that is signed now is to be signed again: somewhere between a half and three
    /// quarters of the time for which it holds, so that lists that were signed together are not
    /// renewed together.
    fn renewal(&self, published_at: Timestamp) -> Timestamp {
        let validity = self.settings.list_validity.millis();
        let somewhere = u64::from(u16::from_be_bytes(random(&*self.entropy)));
        let spread = validity / 4 * somewhere / u64::from(u16::MAX);
        published_at.plus(Ttl::from_millis(validity / 2 + spread))
    }

    /// Stores what was signed, in the line of those who change the list. Where no change came meanwhile
    /// the list is no longer dirty; where one did, the artefacts are stored all the same and the
    /// list stays dirty.
    fn store_publication(
        &self,
        list: ListId,
        before: &Before,
        publication: &Publication,
    ) -> Result<(), RegistryError> {
        let mut stored = Batch::decided(publication.list.published_at);
        PUBLISHED.expect(&mut stored, &list, before.list.as_ref());
        PUBLISHED.put(&mut stored, &list, &publication.list);
        if let Some((id, state)) = &publication.token {
            PUBLISHED_TOKENS.expect(&mut stored, id, before.token.as_ref());
            PUBLISHED_TOKENS.put(&mut stored, id, state);
        }
        for (place, artefact) in &publication.artefacts {
            ARTEFACTS.put(&mut stored, place, artefact);
        }
        let due = (publication.list.renew_at, list);
        if let Some(before) = &before.list
            && before.renew_at != due.0
        {
            RENEWALS.delete(&mut stored, &(before.renew_at, list));
        }
        RENEWALS.put(&mut stored, &due, &());
        let revision = publication.list.revision;
        let kind = EventKind::ListPublished { list, revision };
        log_event(&mut stored, Actor::operator(), None, kind);
        let line = self.lines.of(list);
        let under_way = self.in_lane(line.lane(), |read| {
            let present = LIST_STATES.get(read, &list)?;
            if present.as_ref() == Some(&before.state) {
                LIST_STATES.expect(&mut stored, &list, present.as_ref());
                DIRTY_LISTS.delete(&mut stored, &list);
            }
            Ok((stored, ()))
        });
        let fell = || Err(RegistryError::Commit(CommitError::Conflict));
        under_way.settle(self).unwrap_or_else(fell)
    }

    /// Signs again the lists that are to be renewed by now, one after the other and at most `most`, as
    /// long as those that changed do not wait for it and no other process leads, and says how many were. One
    /// that cannot be signed is left to the publisher, and holds up no other.
    pub fn renew_lists(&self, most: usize) -> Result<usize, RegistryError> {
        const AT_ONCE: usize = 256;
        let now = self.now();
        let (mut looked_at, mut renewed, mut after) = (0, 0, None);
        while looked_at < most && !self.published.is_behind() {
            let at_once = AT_ONCE.min(most - looked_at);
            let rows = RENEWALS.scan(&*self.engine.snapshot(), &[], after.as_ref(), at_once)?;
            let due = rows.iter().take_while(|((at, _), ())| *at <= now).count();
            for ((_, list), ()) in &rows[..due] {
                // Whoever changed a list is waiting; these have time left. Or another process renews.
                if self.published.is_behind() || !self.leads() {
                    return Ok(renewed);
                }
                renewed += usize::from(self.publish_or_try_again(*list));
            }
            looked_at += due;
            if due < at_once {
                break;
            }
            after = rows.last().map(|(key, ())| *key);
        }
        Ok(renewed)
    }

    /// Publishes the lists that a crash or a shutdown left behind, each of them once: one that
    /// cannot be published is left to the publisher, and so are all where another process leads. Returns how
    /// many were published.
    pub fn catch_up(&self) -> Result<usize, RegistryError> {
        if !self.leads() {
            // Most of it is on its way elsewhere.
            locked(&self.published.waiting).look_through(Instant::now());
            self.published.wake.notify_one();
            return Ok(0);
        }
        let mut published = 0;
        let mut after = None;
        loop {
            let lists = DIRTY_LISTS.scan(&*self.engine.snapshot(), &[], after.as_ref(), 256)?;
            let Some((last, ())) = lists.last() else {
                return Ok(published);
            };
            after = Some(*last);
            published += lists
                .iter()
                .filter(|(list, ())| self.publish_or_try_again(*list))
                .count();
        }
    }

    /// Publishes a list, or puts it back in line where that fails. Returns whether it succeeded.
    fn publish_or_try_again(&self, list: ListId) -> bool {
        match self.publish(list) {
            Ok(_) => true,
            Err(problem) => {
                // A state is told of when it begins, and not with each list.
                if !matches!(problem, RegistryError::ReadOnly(_)) {
                    error!(list = %list, error = problem.kind(), "a list could not be published; it is tried again");
                }
                self.published.try_again(list);
                false
            }
        }
    }
}

/// What was published of a list, and where it stands, before it is published anew.
struct Before {
    state: ListState,
    list: Option<PublishedState>,
    token: Option<PublishedState>,
}

impl Before {
    fn of(read: &dyn Read, edition: &Edition<'_>) -> Result<Self, RegistryError> {
        let token = edition.token.as_ref().map(|token| token.id);
        Ok(Self {
            state: edition.state.clone(),
            list: PUBLISHED.get(read, &edition.list)?,
            token: match token {
                Some(id) => PUBLISHED_TOKENS.get(read, &id)?,
                None => None,
            },
        })
    }

    /// Whether it was signed after that moment. A publication is dated by the second in which its
    /// signing began, so that one of the same second may be from before.
    fn is_signed_since(&self, since: Option<Timestamp>) -> bool {
        let signed = self.list.as_ref().map(|list| list.published_at);
        since.is_none_or(|since| signed.is_some_and(|signed| since < signed))
    }

    /// Whether there is nothing to sign: no change, no form that is missing or has ended, and time
    /// left. The token list can end before its own list does, where another list over the space was
    /// signed last, for a shorter time.
    fn is_current(
        &self,
        read: &dyn Read,
        edition: &Edition<'_>,
        now: Timestamp,
    ) -> Result<bool, RegistryError> {
        let rests = self.list.as_ref().is_some_and(|list| now < list.renew_at);
        if !rests || DIRTY_LISTS.get(read, &edition.list)?.is_some() {
            return Ok(false);
        }
        let artefacts = ARTEFACTS.multi_get(read, &edition.places())?;
        let holds = |ArtefactRecord { state, .. }: ArtefactRecord| {
            state.valid_until.is_none_or(|until| now < until)
        };
        Ok(artefacts.into_iter().all(|one| one.is_some_and(holds)))
    }
}

/// What was signed and is to be stored.
struct Publication {
    artefacts: Vec<((ListId, ListForm), ArtefactRecord)>,
    list: PublishedState,
    token: Option<(ListId, PublishedState)>,
}
