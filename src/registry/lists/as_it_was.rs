//! Lists as they were, signed for whoever asks for a moment (Bitstring Status List 1.0, section 2.4;
//! Token Status List, historical resolution).
//!
//! What is answered says itself when it was true: it holds from the moment at which its state came
//! into force to the one at which it was superseded. So who asked for a moment finds that moment in
//! it, and nobody can show it as the present list. A credential with a proof says both to the
//! millisecond, as states are kept. The claims of a JWT have whole seconds, and `exp` is the first at
//! which it no longer counts; so a credential in a JWT states the whole seconds around the period,
//! less than one more at either end. Token lists are asked for by whole seconds: there each second
//! belongs to the state at its beginning, and both ends are the next whole second, so that the
//! periods of a list follow each other without gap or overlap.
//!
//! A state that is in force still has no such end. Where its artefact was signed by the moment asked
//! for, that is the answer; otherwise it is signed from its own beginning to the artefact's end. It
//! tells no more than the artefact does, and is no longer good than that.
//!
//! What is signed here is signed by the key that signs now, and kept nowhere but in a bounded cache.

use std::sync::Arc;

use bytes::Bytes;
use moka::sync::Cache;

use super::access::{HistoryTold, ToldTo};
use super::forms::Edition;
use super::history::{Past, StatesThen, bits_at, states_at};
use super::queries::StatusUnknown;
use crate::ids::{KeyId, ListId, ProfileId, Revision};
use crate::registry::profiles::keys::{keys_of, signs_at};
use crate::registry::{Actor, Registry, RegistryError, Thing, text_tag};
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{ARTEFACTS, ArtefactRecord, ListForm};
use crate::time::{Timestamp, Ttl};

/// A list as it was at a moment, as it is served.
#[derive(Debug, Clone)]
pub struct ListThen {
    /// The revision that it shows; of a token list the sum of its lists' revisions.
    pub revision: Revision,
    /// From when on it holds.
    pub since: Timestamp,
    /// When the state that it shows was superseded; `None` where it is in force still.
    pub superseded: Option<Timestamp>,
    /// Until when what it says holds, where it says so.
    pub valid_until: Option<Timestamp>,
    /// `ttl` of the list, for as long as the state is in force.
    pub ttl: Ttl,
    /// Who may see it.
    pub told: ToldTo,
    /// Strong entity tag, with its quotes.
    pub etag: String,
    /// Its bytes.
    pub body: Bytes,
}

/// What was signed, and its tag.
#[derive(Debug, Clone)]
struct Signed {
    etag: String,
    body: Bytes,
}

impl Signed {
    fn of(body: Vec<u8>) -> Self {
        Self {
            etag: text_tag(&body),
            body: body.into(),
        }
    }
}

/// Which list in which form, the period that it states, and the key that signs. A revision would
/// not do: a state ends without a change of bits where a key is lost.
type Place = (ListId, ListForm, (Timestamp, Timestamp), Option<KeyId>);

/// Lists as they were that were asked for lately, so that asking again costs no signature. Who asks
/// for the same at the same time waits for the one who signs.
pub(in crate::registry) struct Lately(Cache<Place, Arc<Signed>>);

impl Default for Lately {
    fn default() -> Self {
        /// Bytes of memory.
        const MOST: u64 = 32 << 20;
        const BESIDE_THE_BODY: usize = 256;
        let weight = |_: &Place, signed: &Arc<Signed>| {
            u32::try_from(signed.body.len() + BESIDE_THE_BODY).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(MOST).weigher(weight).build())
    }
}

impl Registry {
    /// A list in one of its forms as it was at `at`, which is not in the future, as far as `asker`
    /// may see that (see `lists::access`). A token list is asked for by a whole second.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] where there is no such list, or it is not published in this form.
    pub fn list_as_it_was(
        &self,
        (list, form): (ListId, ListForm),
        at: Timestamp,
        asker: Option<Actor>,
    ) -> Result<Result<ListThen, StatusUnknown>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let edition = Edition::of(self, read, list)?;
        let url = self.urls().list_as(list, form);
        if !edition.has(form) {
            return Err(RegistryError::NotFound(Thing::List, url));
        }
        let (planes, opened) = edition.planes_of(form);
        if at < opened {
            // That tells nothing of its entries.
            return Ok(Err(StatusUnknown::BeforeList { list: url, opened }));
        }
        let told = match self.history_told(read, list.owner(), asker)? {
            HistoryTold::To(told) => told,
            HistoryTold::Withheld(from) => {
                return Ok(Err(StatusUnknown::Withheld { list: url, from }));
            }
        };
        let then = match states_at(read, planes.iter().copied(), opened, at)? {
            Past::Was(then) => then,
            Past::BeforeList => return Ok(Err(StatusUnknown::BeforeList { list: url, opened })),
            Past::NotHeld => return Ok(Err(StatusUnknown::NotHeld { list: url, at })),
        };
        let artefact = match then.until {
            Some(_) => None,
            None => self.shown_now(read, (list, form), &then)?,
        };
        let published = artefact.as_ref().map(|artefact| &artefact.state);
        let until = then.until.or(published.and_then(|state| state.valid_until));
        let (since, valid_until, signed) = match artefact {
            Some(ArtefactRecord { state, body }) if state.published_at <= at => {
                (state.published_at, state.valid_until, Signed::of(body))
            }
            _ => {
                let until = until.unwrap_or_else(|| {
                    self.now().whole_seconds().plus(self.settings.list_validity)
                });
                let (period, signed) = self.signed_then(&edition, form, &then, until)?;
                (period.0, Some(until), signed)
            }
        };
        Ok(Ok(ListThen {
            revision: then.revision(),
            since,
            superseded: then.until,
            valid_until,
            ttl: edition.ttl(),
            told,
            etag: signed.etag,
            body: signed.body,
        }))
    }

    /// The artefact that shows a state in force, and holds.
    fn shown_now(
        &self,
        read: &dyn Read,
        place: (ListId, ListForm),
        then: &StatesThen,
    ) -> Result<Option<ArtefactRecord>, StoreError> {
        let now = self.now();
        let artefact = ARTEFACTS.get(read, &place)?;
        Ok(artefact.filter(|ArtefactRecord { state, .. }| {
            state.revision == then.revision()
                // Not one that was signed by a key that was lost since.
                && state.published_at >= then.since.whole_seconds()
                && state.valid_until.is_none_or(|until| now < until)
        }))
    }

    /// What a form said while `then` was in force, signed to hold until `until`; and the period that
    /// it states.
    fn signed_then(
        &self,
        edition: &Edition<'_>,
        form: ListForm,
        then: &StatesThen,
        until: Timestamp,
    ) -> Result<((Timestamp, Timestamp), Signed), RegistryError> {
        let period = match form {
            ListForm::Bitstring | ListForm::Status2021 => (then.since, until),
            ListForm::BitstringJwt => (then.since.whole_seconds(), until.next_whole_second()),
            ListForm::TokenJwt | ListForm::TokenCwt => {
                (then.since.next_whole_second(), until.next_whole_second())
            }
        };
        let list = edition.list;
        let key = self.key_that_signs(edition.read(), list.owner())?;
        let sign = || {
            let (planes, _) = edition.planes_of(form);
            let open = planes.iter().zip(&then.states);
            let open = open.filter_map(|(plane, state)| Some((plane, state.as_ref()?)));
            let statuses = open.map(|((list, record), state)| {
                let bits = bits_at(edition.read(), *list, record, state)?;
                Ok((record.purpose.clone(), bits))
            });
            let statuses: Vec<_> = statuses.collect::<Result<_, RegistryError>>()?;
            let ttl = then.until.is_none().then(|| edition.ttl());
            let body = edition.signed_as(form, &statuses, (period, ttl))?;
            Ok(Arc::new(Signed::of(body)))
        };
        let signed = self.lately.0.try_get_with((list, form, period, key), sign);
        let signed = signed.map_err(Arc::<RegistryError>::unwrap_or_clone)?;
        Ok((period, Signed::clone(&signed)))
    }

    /// The key that signs for a profile at this moment; where there is none, signing says so.
    fn key_that_signs(
        &self,
        read: &dyn Read,
        profile: ProfileId,
    ) -> Result<Option<KeyId>, RegistryError> {
        let now = self.now();
        let keys = keys_of(read, profile)?.into_iter().rev();
        let mut signing = keys.filter(|(_, key)| signs_at(key, now));
        Ok(signing.next().map(|(id, _)| id))
    }
}
