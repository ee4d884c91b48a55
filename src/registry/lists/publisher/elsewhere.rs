//! Lists that are signed elsewhere, by owners who brought their key along: what is to be signed is
//! given out, and what comes back is published as if it had been signed here.
//!
//! What comes back has to be what was given out, member by member, with the owner's signature and
//! nothing else: it is built anew for the revision and period that it states, and compared. So
//! nothing is published that says anything the registry does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Before, Newest, PublishedList};
use crate::access::Action;
use crate::bitstring::Bitstring;
use crate::ids::{ListId, Revision};
use crate::registry::change::Tx;
use crate::registry::lists::forms::{Edition, FormToSign, ToSign, bits_of};
use crate::registry::lists::history::{StateThen, bits_at};
use crate::registry::signing::{SignedBy, newest_that_signs};
use crate::registry::{Change, Registry, RegistryError};
use crate::store::engine::{Batch, Read};
use crate::store::event::EventKind;
use crate::store::tables::{
    ARTEFACTS, ArtefactRecord, DIRTY_LISTS, KEYS, LIST_STATES, ListForm, PAST_STATES, PUBLISHED,
    PUBLISHED_TOKENS, PublishedState, RENEWALS,
};
use crate::time::{Timestamp, Ttl};

/// A list as its owner is to sign it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListToSign {
    /// The revision that it shows.
    pub revision: Revision,
    /// The verification method whose key signs.
    pub method: String,
    /// The `kid` of JWTs and CWTs by that key.
    pub kid: String,
    /// Each form.
    pub forms: Vec<FormToSign>,
}

/// A list that was signed elsewhere, form by form: a document with its proof, or the text of a JWT;
/// a CWT as its bytes.
#[derive(Debug, Clone)]
pub struct SignedList {
    /// The revision that it shows.
    pub revision: Revision,
    /// What was signed.
    pub artefacts: Vec<(ListForm, Artefact)>,
}

/// What was signed of one form.
#[derive(Debug, Clone, PartialEq)]
pub enum Artefact {
    /// A document with its proof.
    Document(Value),
    /// A JWT.
    Text(String),
    /// A CWT.
    Bytes(Vec<u8>),
}

/// A list that was published as it was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedIn {
    /// The revision that it shows.
    pub revision: Revision,
    /// Until when it holds; it is served until then.
    pub valid_until: Timestamp,
    /// Whether it shows every change that was made.
    pub is_present: bool,
}

/// How far ahead the beginning of what is handed in may be: clocks differ.
const SKEW: Ttl = Ttl::from_seconds(60);

/// So many states are looked at to find that of a revision.
const MOST_STATES: usize = 10_000;

impl Registry {
    /// What the owner of a list is to sign for its present revision.
    ///
    /// # Errors
    /// [`RegistryError::Key`] where the list is signed here.
    pub fn list_to_sign(&self, change: &Change, list: ListId) -> Result<ListToSign, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let edition = Edition::of(self, read, list)?;
        change.actor.must(Action::WriteLists, list.owner())?;
        let by = self.signed_by(read, &edition)?;
        let from = self.now().whole_seconds();
        let period = (from, from.plus(self.settings.list_validity));
        let bits = bits_of(read, list, &edition.record)?;
        Ok(ListToSign {
            revision: edition.state.revision,
            method: by.method,
            kid: by.kid,
            forms: edition.to_sign(&bits, period)?,
        })
    }

    /// Publishes a list that was signed elsewhere. A revision before the one that is published is
    /// refused, and so is one that was signed before it; a revision before the present one is fine.
    ///
    /// # Errors
    /// [`RegistryError::NotSigned`] says which artefact is not what was to be signed, and why.
    pub fn hand_in_list(
        &self,
        change: &Change,
        list: ListId,
        signed: &SignedList,
    ) -> Result<HandedIn, RegistryError> {
        let done = self.transact(change, |tx| {
            let edition = Edition::of(self, tx.read, list)?;
            change.actor.must(Action::WriteLists, list.owner())?;
            let publication = self.handed_in(tx.read, &edition, signed)?;
            stage(tx, &edition, publication)
        })?;
        self.show_anew(list)?;
        Ok(done)
    }

    /// Puts what was just stored of a list where it is served from.
    fn show_anew(&self, list: ListId) -> Result<(), RegistryError> {
        let newest = Newest::of(self);
        let edition = Edition::of(self, &*newest.read, list)?;
        for place in edition.places() {
            if let Some(stored) = ARTEFACTS.get(&*newest.read, &place)? {
                let ready = PublishedList::of(stored, edition.ttl_as(place.1));
                newest.keep_ready(place, &ready);
            }
        }
        self.publications.ring();
        Ok(())
    }

    /// Who signs a list elsewhere.
    fn signed_by(&self, read: &dyn Read, edition: &Edition<'_>) -> Result<SignedBy, RegistryError> {
        let owner = self.controller_of(edition.list.owner(), edition.issuer());
        if !self.signs_elsewhere(read, owner.profile)? {
            let words = "this list is signed here, by a key of its owner that is kept here; there \
                         is nothing to hand in";
            return Err(RegistryError::Key(words.into()));
        }
        let (id, record) = newest_that_signs(read, &owner, self.now())?;
        SignedBy::of(&owner, id, record)
    }

    /// What was handed in, checked, and ready to be stored.
    fn handed_in(
        &self,
        read: &dyn Read,
        edition: &Edition<'_>,
        signed: &SignedList,
    ) -> Result<Publication, RegistryError> {
        let by = self.signed_by(read, edition)?;
        let before = Before::of(read, edition)?;
        let period = self.period_of(signed)?;
        let not_newer = |published: &PublishedState| {
            signed.revision < published.revision || period.0 < published.published_at
        };
        if let Some(published) = before.list.as_ref().filter(|list| not_newer(list)) {
            let detail = format!(
                "revision {} is published, signed at {}; nothing older takes its place",
                published.revision, published.published_at
            );
            return Err(not_signed("/revision", detail));
        }
        let (bits, is_present) = bits_of_revision(read, edition, signed.revision, period.0)?;
        if edition.token.is_some() && !is_present {
            let detail = "the token list shows the present revisions of all its lists: ask again \
                          for what is to be signed";
            return Err(not_signed("/revision", detail));
        }
        let wanted = edition.to_sign(&bits, period)?;
        let mut given: BTreeMap<ListForm, (usize, &Artefact)> = BTreeMap::new();
        for (place, (form, artefact)) in signed.artefacts.iter().enumerate() {
            if given.insert(*form, (place, artefact)).is_some() {
                let at = format!("/artefacts/{place}/form");
                return Err(not_signed(&at, "this form stands twice"));
            }
        }
        let mut bodies = Vec::new();
        for FormToSign { form, content } in &wanted {
            let Some((place, artefact)) = given.remove(form) else {
                let detail = format!("the form {} is missing", form.as_str());
                return Err(not_signed("/artefacts", detail));
            };
            let at = format!("/artefacts/{place}/artefact");
            let body = checked(content, artefact, *form, &by, self.now());
            bodies.push((*form, body.map_err(|reason| not_signed(&at, reason))?));
        }
        if let Some((place, _)) = given.values().next() {
            let at = format!("/artefacts/{place}/form");
            return Err(not_signed(&at, "the list is not published in this form"));
        }
        Ok(Publication {
            by,
            before,
            bodies,
            period,
            revision: signed.revision,
            is_present,
        })
    }

    /// From when until when what was handed in holds, as its BitstringStatusListCredential says.
    fn period_of(&self, signed: &SignedList) -> Result<(Timestamp, Timestamp), RegistryError> {
        let documents = signed.artefacts.iter().enumerate();
        let found = documents
            .filter_map(|(place, (form, artefact))| match (form, artefact) {
                (ListForm::Bitstring, Artefact::Document(document)) => Some((place, document)),
                _ => None,
            })
            .next();
        let Some((place, document)) = found else {
            let detail = "the form bitstring is missing, a document with its proof";
            return Err(not_signed("/artefacts", detail));
        };
        let moment = |member: &str| {
            let moment = document[member].as_str().and_then(|text| text.parse().ok());
            moment.ok_or_else(|| {
                let at = format!("/artefacts/{place}/artefact/{member}");
                not_signed(&at, "a moment is needed, as it was given out")
            })
        };
        let (from, until): (Timestamp, Timestamp) = (moment("validFrom")?, moment("validUntil")?);
        let now = self.now();
        let refused = |reason: String| {
            let at = format!("/artefacts/{place}/artefact/validUntil");
            Err(not_signed(&at, reason))
        };
        if until <= now {
            return refused(format!("it ended at {until}"));
        }
        let most = from.plus(self.settings.list_validity);
        if from > now.plus(SKEW) || until > most {
            return refused("it has to begin by now, and to end as it was given out".into());
        }
        Ok((from, until))
    }

    /// What the publisher does with a list that is signed elsewhere: it is no more among those that
    /// are renewed here.
    pub(super) fn leave_to_owner(
        &self,
        list: ListId,
        before: &Before,
    ) -> Result<(), RegistryError> {
        let renewal = before.list.as_ref().map(|state| (state.renew_at, list));
        if let Some(renewal) = renewal
            && RENEWALS.get(&*self.engine, &renewal)?.is_some()
        {
            let mut batch = Batch::default();
            RENEWALS.delete(&mut batch, &renewal);
            self.commit(batch)?;
        }
        Ok(())
    }
}

/// What was checked and is to be stored.
struct Publication {
    by: SignedBy,
    before: Before,
    bodies: Vec<(ListForm, Vec<u8>)>,
    period: (Timestamp, Timestamp),
    revision: Revision,
    is_present: bool,
}

/// Stages the artefacts, compared with what was published before, as the publisher does.
fn stage(
    tx: &mut Tx<'_>,
    edition: &Edition<'_>,
    publication: Publication,
) -> Result<HandedIn, RegistryError> {
    let Publication {
        by,
        before,
        bodies,
        period: (from, until),
        revision,
        is_present,
    } = publication;
    let list = edition.list;
    KEYS.expect(&mut tx.batch, &(list.owner(), by.key), Some(&by.record));
    let lasts = u64::try_from(until.millis() - from.millis()).unwrap_or(0);
    let next = |revision, previous: &Option<PublishedState>| PublishedState {
        revision,
        generation: previous.as_ref().map_or(0, |state| state.generation + 1),
        published_at: from,
        valid_until: Some(until),
        // From then on it waits for its owner again.
        renew_at: from.plus(Ttl::from_millis(lasts / 2)),
    };
    let state = next(revision, &before.list);
    PUBLISHED.expect(&mut tx.batch, &list, before.list.as_ref());
    PUBLISHED.put(&mut tx.batch, &list, &state);
    let token = edition.token.as_ref();
    let token = token.map(|token| (token.id, next(token.revision(), &before.token)));
    if let Some((id, state)) = &token {
        PUBLISHED_TOKENS.expect(&mut tx.batch, id, before.token.as_ref());
        PUBLISHED_TOKENS.put(&mut tx.batch, id, state);
    }
    for (form, body) in bodies {
        let (id, state) = match (&token, form.is_token()) {
            (Some((id, state)), true) => (*id, state.clone()),
            _ => (list, state.clone()),
        };
        ARTEFACTS.put(&mut tx.batch, &(id, form), &ArtefactRecord { state, body });
    }
    if let Some(renew_at) = before.list.as_ref().map(|state| state.renew_at) {
        RENEWALS.delete(&mut tx.batch, &(renew_at, list));
    }
    if is_present {
        let present = LIST_STATES.get(tx.read, &list)?;
        LIST_STATES.expect(&mut tx.batch, &list, present.as_ref());
        DIRTY_LISTS.delete(&mut tx.batch, &list);
    }
    tx.log(EventKind::ListSigned { list, revision });
    Ok(HandedIn {
        revision,
        valid_until: until,
        is_present,
    })
}

/// The body to be served, where what was handed in is what was to be signed.
fn checked(
    wanted: &ToSign,
    given: &Artefact,
    form: ListForm,
    by: &SignedBy,
    now: Timestamp,
) -> Result<Vec<u8>, String> {
    match (wanted, given) {
        (ToSign::Document { document, jcs_too }, Artefact::Document(given)) => {
            by.check_document(document, given, *jcs_too, now)?;
            Ok(given.to_string().into_bytes())
        }
        (ToSign::Claims(claims), Artefact::Text(text)) => {
            by.check_jwt(claims, text, form.media_type())?;
            Ok(text.clone().into_bytes())
        }
        (ToSign::CborClaims(claims), Artefact::Bytes(bytes)) => {
            by.check_cwt(claims, bytes)?;
            Ok(bytes.clone())
        }
        _ => Err("it is in another form than was given out".into()),
    }
}

/// The statuses of a list at a revision that it had at `about` or later, and whether that is the
/// present one.
fn bits_of_revision(
    read: &dyn Read,
    edition: &Edition<'_>,
    revision: Revision,
    about: Timestamp,
) -> Result<(Bitstring, bool), RegistryError> {
    let list = edition.list;
    if revision == edition.state.revision {
        return Ok((bits_of(read, list, &edition.record)?, true));
    }
    // It was given out within the second of its beginning.
    let behind = ((list, about), Revision(0));
    let states = PAST_STATES.scan(read, list.as_bytes(), Some(&behind), MOST_STATES)?;
    let found = states.into_iter().find(|((_, of), _)| *of == revision).map(
        |(((_, until), revision), past)| StateThen {
            revision,
            since: past.since,
            until: Some(until),
        },
    );
    match found {
        Some(state) => Ok((bits_at(read, list, &edition.record, &state)?, false)),
        None => {
            let detail = format!(
                "the list had no revision {revision} at {about} or later that is held; ask again \
                 for what is to be signed"
            );
            Err(not_signed("/revision", detail))
        }
    }
}

fn not_signed(pointer: &str, reason: impl Into<String>) -> RegistryError {
    RegistryError::NotSigned {
        pointer: pointer.to_owned(),
        reason: reason.into(),
    }
}
