//! What has to hold whatever happens. The model is held against the log as it reads from outside,
//! and both against what the registry says and serves.

use std::collections::BTreeSet;

use bytes::Bytes;
use goodstanding::ids::{ListId, Seq};
use goodstanding::registry::{ListForm, More, RegistryError};
use serde_json::Value;

use super::log::Told;
use super::model::{List, Model};
use super::requests::{Answer, Request};
use super::run::{Run, is_of_store};
use super::{Checked, Violation, ensure};
use crate::support::reader;

/// So many entries of a list are looked up in each check, so that long runs stay fast.
const LOOKED_UP: usize = 24;

impl Run {
    /// After every step: what is cheap to look at.
    pub(super) fn agrees(&mut self) -> Checked {
        self.log.read_on(&*self.probe)?;
        let now = self.registry().now().millis();
        self.seen.latest = now.max(self.seen.latest);
        for (id, list) in &self.model.lists {
            self.is_as_logged(*id, list)?;
        }
        ensure!(
            self.log.endorsements == self.model.endorsements.len() + self.model.untold_endorsements,
            "{} endorsements are in the log, and {} are known",
            self.log.endorsements,
            self.model.endorsements.len()
        );
        self.is_anchored()
    }

    /// After every start and at the end: everything.
    pub(super) fn agrees_in_all(&mut self) -> Checked {
        self.tally.checks += 1;
        self.agrees()?;
        let model = self.model.clone();
        for (id, list) in &model.lists {
            self.says_what_is_set(*id, list)?;
        }
        let untold = self.log.lists.iter();
        for (id, told) in untold.filter(|(id, _)| !model.lists.contains_key(id)) {
            ensure!(told.ones.is_empty(), "somebody changed {id}");
        }
        let lists: Vec<ListId> = self.log.lists.keys().copied().collect();
        for list in lists {
            self.serves_what_was(list)?;
        }
        self.endorsements_stand(&model)?;
        self.profiles_are_there(&model)
    }

    /// The log says the same of a list as the model.
    fn is_as_logged(&self, id: ListId, list: &List) -> Checked {
        let Some(Told { ones, revision, .. }) = self.log.lists.get(&id) else {
            return Err(Violation(format!("the list {id} is not in the log")));
        };
        ensure!(
            *ones == list.ones && *revision == list.revision,
            "the log has {ones:?} at revision {revision} of {id}, and what was acknowledged is {:?} \
             at {}",
            list.ones,
            list.revision
        );
        let space = &self.log.lists[&id].space;
        let given = self.log.given.get(space).copied().unwrap_or(0);
        ensure!(
            given >= (list.entries.len() + list.endorsed.len()) as u64,
            "{given} entries of {id} were given out, and {:?} are known",
            list.entries
        );
        Ok(())
    }

    /// What look-ups say of a list's entries.
    fn says_what_is_set(&self, id: ListId, list: &List) -> Checked {
        let registry = self.registry();
        let url = registry.urls().list(id);
        let step = list.entries.len() / LOOKED_UP + 1;
        let some = list.entries.iter().step_by(step);
        for index in some.chain(list.ones.iter().take(LOOKED_UP)) {
            let told = registry.status_at(&url, u64::from(*index), None, None);
            let told = told.map_err(|error| Violation(format!("{url}: {error}")))?;
            let told = told.map_err(|unknown| Violation(format!("{url}: {unknown:?}")))?;
            ensure!(
                (told.status == 1) == list.ones.contains(index),
                "entry {index} of {id} is {}, and {} was acknowledged",
                told.status,
                u8::from(list.ones.contains(index))
            );
        }
        Ok(())
    }

    /// What is served shows a state that was committed, and none that is older than what was served
    /// before.
    pub(super) fn serves_what_was(&mut self, list: ListId) -> Checked {
        let registry = self.registry();
        self.probe.arms(None);
        let served = match registry.published_list(list, ListForm::Bitstring) {
            Ok(served) => served,
            // The newest one has ended, and none can be signed before the next start.
            Err(error) if is_of_store(&error) && self.is_excused() => return Ok(()),
            Err(RegistryError::WaitsForSignature(_)) if self.is_excused() => return Ok(()),
            Err(error) => return Err(Violation(format!("{list} is not served: {error}"))),
        };
        self.log.read_on(&*self.probe)?;
        let told = &self.log.lists[&list];
        let (revision, generation) = (served.revision.0, served.generation);
        ensure!(
            revision <= told.revision,
            "{list} is served at revision {revision}, and is at {}",
            told.revision
        );
        let before = self.seen.served.insert(list, (revision, generation));
        ensure!(
            before.is_none_or(|before| before.0 <= revision && before.1 <= generation),
            "{list} is served at revision and generation {:?} after {before:?}",
            (revision, generation)
        );
        let ever = self.seen.ever.entry(list).or_default();
        *ever = revision.max(*ever);
        let same = |known: &(u64, Bytes)| *known == (revision, served.body.clone());
        if self.shown.get(&list).is_some_and(same) {
            // It was read before, and what it shows does not change.
            return Ok(());
        }
        let document: Value = serde_json::from_slice(&served.body)
            .map_err(|error| Violation(format!("{list} is served as no JSON: {error}")))?;
        let shown = ones(&reader::bits(&document));
        let meant = told.at(revision);
        ensure!(
            shown == meant,
            "{list} is served with {shown:?} at revision {revision}, and was {meant:?}"
        );
        self.shown.insert(list, (revision, served.body.clone()));
        Ok(())
    }

    /// An index is given out once, whatever became of the store since.
    pub(super) fn is_unique(&mut self, request: &Request, answer: &Answer) -> Checked {
        self.log.read_on(&*self.probe)?;
        let space = |list: &ListId| self.log.lists.get(list).map(|told| told.space);
        // A credential has one entry of a space, however often it is named.
        let fresh = |owner, id: &String, (list, index): (ListId, u32)| {
            let known = self.model.credentials.get(&(owner, id.clone()));
            let mut there = known.into_iter().flatten();
            match there.find(|known| space(&known.0) == space(&list)) {
                Some(known) if known.1 == index => Ok(Vec::new()),
                Some(known) => Err(Violation(format!("{id} has {known:?}, and {index} too"))),
                None => Ok(vec![(list, index)]),
            }
        };
        // A credential or an endorsement may be told of its index twice, where a history was given up
        // in which it was told before.
        let (holder, places) = match (request, answer) {
            (Request::Allocate { list, .. }, Answer::Indexes(given)) => {
                let places = given.iter().map(|index| (*list, *index)).collect();
                (format!("allocation {}", self.seen.given.len()), places)
            }
            (Request::Name { list, credential }, Answer::Indexes(given)) => {
                let owner = list.owner();
                let places = fresh(owner, credential, (*list, given[0]))?;
                (format!("{credential} of {}", owner.0), places)
            }
            (
                Request::Issue {
                    owner, credential, ..
                },
                Answer::Credential(_, place),
            ) => {
                let places = fresh(*owner, credential, *place)?;
                (format!("{credential} of {}", owner.0), places)
            }
            // Of several lists over one space each has the same index.
            (_, Answer::Endorsement(id, entries)) => (id.to_string(), entries[..1].to_vec()),
            _ => (String::new(), Vec::new()),
        };
        match (request, answer) {
            (Request::Register { slug }, Answer::Profile(id, _)) => {
                ensure!(
                    self.seen.profiles.insert(id.0),
                    "number {} is given out twice: {request:?}",
                    id.0
                );
                let slug_of = slug.parse().expect("a slug");
                // One that was acknowledged and not written is found to be missing elsewhere.
                let keys = self.registry().keys(&slug_of).unwrap_or_default();
                for key in keys {
                    self.is_a_new_key(slug, key.id.0)?;
                }
            }
            (Request::Rotate { slug }, Answer::Key(key)) => self.is_a_new_key(slug, *key)?,
            _ => {}
        }
        for (list, index) in places {
            let space = self.log.lists.get(&list).map(|told| told.space);
            // One that an engine acknowledged and did not write is found to be missing elsewhere.
            let Some(space) = space else { continue };
            let before = self.seen.given.insert((space, index), holder.clone());
            ensure!(
                before.as_ref().is_none_or(|before| *before == holder),
                "index {index} of {list} is given out twice, before for {before:?}: {request:?}"
            );
        }
        Ok(())
    }

    fn is_a_new_key(&mut self, slug: &str, key: u32) -> Checked {
        ensure!(
            self.seen.keys.insert((slug.to_owned(), key)),
            "{slug} had a key {key} before"
        );
        Ok(())
    }

    fn endorsements_stand(&self, model: &Model) -> Checked {
        let registry = self.registry();
        for one in &model.endorsements {
            let view = registry.endorsement(one.id, None);
            let view = view.map_err(|error| Violation(format!("{}: {error}", one.id)))?;
            let endorser = model.profiles.iter().find(|p| p.id == one.id.owner());
            let lent = endorser.map_or("active", |profile| profile.accreditor);
            let rank = |word: &str| {
                ["active", "suspended", "revoked"]
                    .iter()
                    .position(|w| *w == word)
            };
            let meant = std::cmp::max_by_key(one.standing, lent, |word| rank(word));
            ensure!(
                view.outcome.as_str() == meant,
                "the endorsement {} is {}, and was acknowledged to be {meant}",
                one.id,
                view.outcome.as_str()
            );
        }
        Ok(())
    }

    fn profiles_are_there(&self, model: &Model) -> Checked {
        let registry = self.registry();
        for profile in &model.profiles {
            let slug = profile.slug.parse().expect("a slug");
            let told = registry
                .profile(&slug)
                .map(|view| (view.id, view.issuer_id));
            ensure!(
                told == Ok((profile.id, profile.issuer.clone())),
                "the profile {} is {told:?}",
                profile.slug
            );
            let standing = registry.accreditor_standing(&slug, None);
            let standing = standing.map(|outcome| outcome.as_str());
            ensure!(
                standing == Ok(profile.accreditor),
                "the accreditor {slug} is {standing:?}, and {} was acknowledged",
                profile.accreditor
            );
            let keys = registry.keys(&slug).map(|keys| keys.len());
            ensure!(
                keys == Ok(profile.keys as usize),
                "{slug} has {keys:?} keys, and {} were acknowledged",
                profile.keys
            );
        }
        Ok(())
    }

    /// What can be read is anchored, and the anchor says nothing that is not there.
    fn is_anchored(&self) -> Checked {
        if self.is_stopped() {
            // It cannot be written any more, or does not fit.
            return Ok(());
        }
        let slots = self.probe.anchor().into_iter().flatten();
        let newest = slots.filter_map(|slot| anchored(&slot)).max();
        let meant = (self.log.seq, self.log.digest);
        ensure!(
            newest.is_none_or(|(_, seq, digest)| (seq, digest) == meant),
            "the log ends at {}, and the anchor says {:?}",
            self.log.seq,
            newest.map(|newest| newest.1)
        );
        Ok(())
    }

    /// Reads the feed on: each list's newest publication in the stretch, and nothing twice.
    pub(super) fn reads_feed(&mut self, most: usize) -> Checked {
        self.log.read_on(&*self.probe)?;
        let since = self.seen.feed;
        let told = self.registry().published_since(Seq(since), most);
        let told = told.map_err(|error| Violation(format!("the feed: {error}")))?;
        let upto = told.looked_to.0;
        ensure!(
            since <= upto && upto <= self.log.seq,
            "the feed was read from {since} to {upto}, and the log ends at {}",
            self.log.seq
        );
        ensure!(
            told.more == More::Perhaps || upto == self.log.seq,
            "the feed ends at {upto}, and the log at {}",
            self.log.seq
        );
        let published = &self.log.published;
        let stretch = &published[published.partition_point(|one| one.0 <= since)..];
        let stretch = &stretch[..stretch.partition_point(|one| one.0 <= upto)];
        let newest = |place: usize| {
            let later = &stretch[place + 1..];
            later.iter().all(|one| one.1 != stretch[place].1)
        };
        let places = (0..stretch.len()).filter(|place| newest(*place));
        let meant: Vec<_> = places.map(|place| stretch[place]).collect();
        let found = told.found.iter();
        let found: Vec<_> = found
            .map(|one| (one.seq.0, one.list, one.revision.0))
            .collect();
        ensure!(
            found == meant,
            "the feed tells {found:?}, the log {meant:?}"
        );
        self.seen.feed = upto;
        Ok(())
    }
}

/// The entries of one bit that are set.
fn ones(bits: &[u8]) -> BTreeSet<u32> {
    let mut ones = BTreeSet::new();
    // Most of a list is zeros, which are passed over many at a time.
    const STRETCH: usize = 512;
    let stretches = bits.chunks(STRETCH).enumerate();
    for (number, stretch) in stretches.filter(|(_, some)| **some != [0; STRETCH][..some.len()]) {
        for (place, byte) in stretch.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            let set = (0..8).filter(|bit| byte & (0x80 >> bit) != 0);
            ones.extend(set.map(|bit| 8 * (STRETCH * number + place) as u32 + bit));
        }
    }
    ones
}

/// The number of its write, and the newest event and its digest, of a slot that is whole.
fn anchored(slot: &[u8]) -> Option<(u64, u64, [u8; 32])> {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    hash.update(b"goodstanding anchor 1");
    hash.update(slot.get(..136)?);
    let sum: [u8; 32] = hash.finalize().into();
    let number = |at: usize| u64::from_be_bytes(slot[at..at + 8].try_into().expect("eight bytes"));
    (slot.get(136..168)? == sum).then(|| {
        (
            number(32),
            number(48),
            slot[72..104].try_into().expect("so many"),
        )
    })
}
