//! Credentials of an issuer, found by their ids or by their places.
//!
//! What is known of a credential stands under the digest of its id, so that a whole id is one read. The
//! beginning of one is looked for among the places that the issuer's credentials carry, so many in one
//! answer, and the next one goes on from there.

use super::allocation::space_of;
use super::carried::credential_key;
use super::in_use::InUse;
use super::queries::{Claim, EntryAnswer};
use crate::access::Action;
use crate::ids::{ListId, ProfileId, SpaceId};
use crate::registry::{Actor, CredentialAnswer, Outcome, Registry, RegistryError, Thing};
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{
    CREDENTIALS, CredentialDates, CredentialRecord, Digest, HOLDERS, Holder,
};
use crate::time::Timestamp;

/// A credential as its issuer's registrar sees it.
#[derive(Debug, Clone)]
pub struct FoundCredential {
    /// Its id.
    pub id: String,
    /// How it stands, by all its entries.
    pub outcome: Outcome,
    /// Each entry here.
    pub entries: Vec<EntryAnswer>,
    /// Whether it carries an entry of a list elsewhere, of which nothing is known here.
    pub elsewhere: bool,
    /// Id of the achievement that it asserts, where it was issued here and names one.
    pub achievement: Option<String>,
    /// When it was first seen here.
    pub created_at: Timestamp,
    /// Its dates, where it was issued here.
    pub dates: Option<CredentialDates>,
}

/// What was found, in the order of the places that the credentials carry.
#[derive(Debug, Clone)]
pub struct FoundCredentials {
    /// The credentials.
    pub found: Vec<FoundCredential>,
    /// How many places were looked at for this answer.
    pub looked_at: usize,
    /// Behind which place the search goes on, where there may be more.
    pub next: Option<(SpaceId, u32)>,
}

/// Who carries an entry of a list.
#[derive(Debug, Clone)]
pub enum EntryCarrier {
    /// This credential.
    Credential(Box<FoundCredential>),
    /// An endorsement that was issued here, by its URL.
    Endorsement(String),
    /// It was given out without saying to which credential.
    NotNamed,
    /// It was never given out.
    Free,
}

/// So many places are looked at for one answer.
const MOST_LOOKED_AT: usize = 50_000;

/// So many of them are read together.
const AT_ONCE: usize = 1_000;

impl Registry {
    /// Credentials of an issuer whose id is `text`, or begins with it, or whose last part does (that
    /// behind the last `/`, `:` or `#`): at most `limit`, behind a place or from the first one on. An
    /// empty text finds all.
    ///
    /// # Errors
    /// [`RegistryError::NotYours`] and [`RegistryError::NotAllowed`] for who may not read what is
    /// private of the issuer.
    pub fn find_credentials(
        &self,
        actor: Actor,
        issuer: ProfileId,
        text: &str,
        after: Option<(SpaceId, u32)>,
        limit: usize,
    ) -> Result<FoundCredentials, RegistryError> {
        actor.must(Action::Read, issuer)?;
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let exact = match after {
            None => CREDENTIALS.get(read, &credential_key(text, issuer))?,
            Some(_) => None,
        };
        if let Some(record) = exact {
            // There is one with a whole id, and what begins with it is another's word for nothing.
            let found = vec![self.found(read, issuer, record)?];
            return Ok(FoundCredentials {
                found,
                looked_at: 1,
                next: None,
            });
        }
        let mut answer = FoundCredentials {
            found: Vec::new(),
            looked_at: 0,
            next: after,
        };
        let owner = issuer.0.to_be_bytes();
        while answer.looked_at < MOST_LOOKED_AT {
            let places = HOLDERS.scan(read, &owner, answer.next.as_ref(), AT_ONCE)?;
            let is_last = places.len() < AT_ONCE;
            for (place, record) in carried(read, issuer, places)? {
                answer.next = Some(place);
                answer.looked_at += 1;
                let Some(record) = record.filter(|record| is_meant(&record.id, text)) else {
                    continue;
                };
                answer.found.push(self.found(read, issuer, record)?);
                if answer.found.len() == limit {
                    return Ok(answer);
                }
            }
            if is_last {
                answer.next = None;
                break;
            }
        }
        Ok(answer)
    }

    /// One credential of an issuer, by its whole id.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] where nothing is known of it, or it is another issuer's.
    pub fn credential_of(
        &self,
        actor: Actor,
        issuer: ProfileId,
        id: &str,
    ) -> Result<FoundCredential, RegistryError> {
        actor.must(Action::Read, issuer)?;
        let snapshot = self.engine.snapshot();
        let known = CREDENTIALS.get(&*snapshot, &credential_key(id, issuer))?;
        let none = || RegistryError::NotFound(Thing::Credential, id.to_owned());
        self.found(&*snapshot, issuer, known.ok_or_else(none)?)
    }

    /// Who carries an entry of a list.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for a list that is not here or is another's, and
    /// [`RegistryError::Invalid`] for an index that the list does not have.
    pub fn carrier_of(
        &self,
        actor: Actor,
        list: ListId,
        index: u64,
    ) -> Result<EntryCarrier, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        let record = self.own_list(read, actor, list)?;
        let index = record.length().index(index);
        let index = index.map_err(|error| RegistryError::invalid("index", error.to_string()))?;
        let place = (record.space, index.get() as u32);
        match HOLDERS.get(read, &place)? {
            Some(Holder::Endorsement(id)) => {
                Ok(EntryCarrier::Endorsement(self.urls().endorsement(id)))
            }
            Some(Holder::Credential(digest)) => {
                let known = CREDENTIALS.get(read, &(digest, list.owner()))?;
                let found = known
                    .map(|record| self.found(read, list.owner(), record))
                    .transpose()?;
                Ok(found.map_or(EntryCarrier::NotNamed, |found| {
                    EntryCarrier::Credential(Box::new(found))
                }))
            }
            None => {
                let space = space_of(read, record.space)?;
                Ok(match InUse::of(read, record.space, &space)?.holds(index)? {
                    true => EntryCarrier::NotNamed,
                    false => EntryCarrier::Free,
                })
            }
        }
    }

    fn found(
        &self,
        read: &dyn Read,
        issuer: ProfileId,
        record: CredentialRecord,
    ) -> Result<FoundCredential, RegistryError> {
        let claim: Claim = (credential_key(&record.id, issuer), record);
        let claims = [claim];
        let [(_, record)] = &claims;
        let told = self.credential_claimed(read, &record.id, &claims, None)?;
        let (outcome, entries) = match told {
            Ok(CredentialAnswer {
                outcome, entries, ..
            }) => (outcome, entries),
            Err(_) => (Outcome::Unknown, Vec::new()),
        };
        let [(_, record)] = claims;
        Ok(FoundCredential {
            id: record.id,
            outcome,
            entries,
            elsewhere: record.elsewhere,
            achievement: record.achievement,
            created_at: record.created_at,
            dates: record.dates,
        })
    }
}

/// A place that something carries, with the credential where that is one. A credential that carries
/// several places is told at its first one alone.
type Place = ((SpaceId, u32), Option<CredentialRecord>);

fn carried(
    read: &dyn Read,
    issuer: ProfileId,
    places: Vec<((SpaceId, u32), Holder)>,
) -> Result<Vec<Place>, StoreError> {
    let key = |holder: &Holder| match holder {
        Holder::Credential(digest) => Some((*digest, issuer)),
        Holder::Endorsement(_) => None,
    };
    let keys: Vec<(Digest, ProfileId)> = places
        .iter()
        .filter_map(|(_, holder)| key(holder))
        .collect();
    let mut known = CREDENTIALS.multi_get(read, &keys)?.into_iter();
    let told = places.into_iter().map(|(place, holder)| {
        let record = key(&holder).and_then(|_| known.next().flatten());
        let is_first = |record: &CredentialRecord| {
            let places = record.entries.iter();
            places.map(|carried| (carried.space, carried.index)).min() == Some(place)
        };
        (place, record.filter(is_first))
    });
    Ok(told.collect())
}

/// Whether a text that somebody looks for is the beginning of an id, or of its last part.
fn is_meant(id: &str, text: &str) -> bool {
    let last = id.rsplit(['/', ':', '#']).next().unwrap_or(id);
    id.starts_with(text) || last.starts_with(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{in_memory, operator, school};
    use crate::registry::{Actor, NewList};
    use crate::status::StatusPurpose;

    /// A school with a list, in which credentials with these ids have entries.
    fn with(ids: &[String]) -> (Registry, ProfileId, ListId) {
        let (registry, _, _) = in_memory();
        let school = school(&registry, "school");
        let list = NewList::usual(school, StatusPurpose::Revocation);
        let list = registry.create_list(&operator(), &list).unwrap().id;
        if !ids.is_empty() {
            registry.allocate_for(&operator(), list, ids).unwrap();
        }
        (registry, school, list)
    }

    fn ids(found: &FoundCredentials) -> Vec<&str> {
        let mut ids: Vec<&str> = found.found.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn credentials_are_found_by_whole_ids_and_by_beginnings() {
        let all = [
            "urn:uuid:3fa8-1",
            "urn:uuid:3fa9-2",
            "https://school.example/diplomas/3fa8-7",
            "https://school.example/diplomas/77",
        ];
        let (registry, school, _) = with(&all.map(str::to_owned));
        let find = |text: &str| {
            registry
                .find_credentials(Actor::operator(), school, text, None, 100)
                .unwrap()
        };
        for (text, expected) in [
            ("urn:uuid:3fa8-1", &[0][..]),
            ("urn:uuid:3fa", &[0, 1]),
            ("3fa8", &[0, 2]),
            ("https://school.example/", &[2, 3]),
            ("77", &[3]),
            ("7", &[3]),
            ("diplomas", &[]),
            ("nothing", &[]),
            ("", &[0, 1, 2, 3]),
        ] {
            let mut expected: Vec<&str> = expected.iter().map(|at: &usize| all[*at]).collect();
            expected.sort_unstable();
            let found = find(text);
            assert_eq!(ids(&found), expected, "{text:?}");
            assert_eq!(found.next, None);
        }
        let found = &find("urn:uuid:3fa8-1").found[0];
        assert_eq!(found.outcome, Outcome::Active);
        assert_eq!(found.entries.len(), 1);
    }

    #[test]
    fn pages_of_a_search_hold_every_credential_once() {
        let all: Vec<String> = (0..2_500).map(|n| format!("urn:x:{n:04}")).collect();
        let (registry, school, list) = with(&all);
        // One of them carries a second place.
        let other = NewList::usual(school, StatusPurpose::Suspension);
        let other = registry.create_list(&operator(), &other).unwrap().id;
        assert_ne!(other, list);
        registry
            .allocate_for(&operator(), other, &all[7..8])
            .unwrap();
        let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = registry
                .find_credentials(Actor::operator(), school, "urn:x:", after, 700)
                .unwrap();
            found.extend(page.found.iter().map(|one| one.id.clone()));
            (after, pages) = (page.next, pages + 1);
            if after.is_none() {
                break;
            }
        }
        found.sort_unstable();
        assert_eq!(found, all);
        assert_eq!(pages, 4);
    }

    #[test]
    fn what_is_anothers_is_told_as_what_is_not_there() {
        let (registry, ours, list) = with(&["urn:x:1".to_owned()]);
        let theirs = school(&registry, "theirs");
        let operator = Actor::operator();
        let unknown = |error: RegistryError| matches!(error, RegistryError::NotFound(..));
        assert!(unknown(
            registry
                .credential_of(operator, theirs, "urn:x:1")
                .unwrap_err()
        ));
        let search = registry
            .find_credentials(operator, theirs, "urn:x:1", None, 9)
            .unwrap();
        assert!(search.found.is_empty() && search.next.is_none());
        let stranger = Actor::anonymous();
        assert!(unknown(registry.carrier_of(stranger, list, 0).unwrap_err()));
        assert!(registry.credential_of(stranger, ours, "urn:x:1").is_err());
    }

    #[test]
    fn an_entry_says_who_carries_it() {
        let (registry, _, list) = with(&["urn:x:1".to_owned()]);
        let given = registry.allocate(&operator(), list, 1).unwrap().indexes()[0].get();
        let named = registry
            .allocate_for(&operator(), list, &["urn:x:1".to_owned()])
            .unwrap()
            .indexes()[0]
            .get();
        let holder = |index| registry.carrier_of(Actor::operator(), list, index);
        assert!(matches!(
            holder(named).unwrap(),
            EntryCarrier::Credential(found) if found.id == "urn:x:1"
        ));
        assert!(matches!(holder(given).unwrap(), EntryCarrier::NotNamed));
        let free = (0..).find(|index| ![given, named].contains(index)).unwrap();
        assert!(matches!(holder(free).unwrap(), EntryCarrier::Free));
        assert!(matches!(
            holder(1 << 40),
            Err(RegistryError::Invalid { .. })
        ));
    }
}
