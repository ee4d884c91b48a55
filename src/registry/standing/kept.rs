//! What many questions about standing have in common, kept from one to the next: who stands behind
//! issuers and achievements, what an achievement is, which lists lie over an index space, and the
//! controller documents of profiles here.
//!
//! Each piece is kept under a number that the store has for the tables it was worked out from, and
//! which changes with every commit that writes a row of them ([`Read::last_write`]): a question asks
//! its own snapshot for that number, so that it never sees more or less than what is in there. What
//! rests on moments as well is kept until the next of them. Nothing is kept of a question about the
//! past.
//!
//! All of it is bounded in bytes, by use. Who names anchors of its own, or asks about what is not
//! registered here, can ask for as many things as it likes: these have a room apart.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use moka::sync::Cache;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::backing::Anchors;
use super::good_standing::Party;
use super::good_standing::statuses::Space;
use crate::badges::{Limits, Need, SubjectKind};
use crate::ids::{ProfileId, SpaceId};
use crate::metrics::{Held, Lookups};
use crate::store::engine::Read;
use crate::store::following::{Follower, Tables, Written};
use crate::store::tables::{
    ACCREDITORS, ACHIEVEMENTS, Digest, ENDORSEMENTS_BY_SUBJECT, KEYS, LISTS, PROFILE_ISSUER_IDS,
    PROFILE_SLUGS, PROFILES, SPACES,
};
use crate::store::watched::Watched;
use crate::time::Timestamp;

/// What the standing of issuers and achievements is worked out from.
pub(super) const TRUST: Tables = Tables::NONE
    .with(&PROFILES)
    .with(&PROFILE_SLUGS)
    .with(&PROFILE_ISSUER_IDS)
    .with(&KEYS)
    .with(&ACCREDITORS)
    .with(&ACHIEVEMENTS)
    .with(&ENDORSEMENTS_BY_SUBJECT);

/// What the controller documents of profiles are made from.
pub(in crate::registry) const KEYS_OF_PROFILES: Tables = Tables::NONE
    .with(&PROFILES)
    .with(&PROFILE_SLUGS)
    .with(&PROFILE_ISSUER_IDS)
    .with(&KEYS);

/// What says which lists lie over an index space.
const PLACES: Tables = Tables::NONE.with(&SPACES).with(&LISTS);

/// Bytes of what is registered here, by the registry's own anchors; of all other questions; of what
/// achievements are; of index spaces; and of controller documents.
const OWN_BYTES: u64 = 64 << 20;
const OTHER_BYTES: u64 = 16 << 20;
const NEED_BYTES: u64 = 8 << 20;
const SPACE_BYTES: u64 = 16 << 20;
const DOCUMENT_BYTES: u64 = 16 << 20;

/// Of one party what is answered for so many needs is kept.
const MOST_NEEDS: usize = 8;

pub(in crate::registry) struct Kept {
    own: Cache<PartyKey, Arc<[KeptParty]>>,
    others: Cache<PartyKey, Arc<[KeptParty]>>,
    needs: Cache<String, (Under, Arc<Need>)>,
    spaces: Cache<SpaceId, (Under, Arc<Space>)>,
    documents: Cache<String, (Under, Arc<Value>)>,
    /// How often the standing of a party was known.
    pub(in crate::registry) lookups: Lookups,
    /// How often the store came up anew.
    lives: AtomicU64,
}

/// Which state of some tables something was worked out from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Under {
    life: u64,
    last_write: u64,
}

/// Whom a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Named {
    /// By number.
    Profile(ProfileId),
    /// By an id, in whatever spelling.
    Id(Digest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PartyKey {
    /// Of the anchors; none where all accreditors here are.
    anchors: Option<Digest>,
    party: (Named, SubjectKind),
}

/// What was answered of a party, and for what.
#[derive(Debug, Clone)]
pub(super) struct KeptParty {
    pub(super) party: Arc<Party>,
    /// For what it was asked, and on what of that the answer rests: it serves every need that is the
    /// same in that.
    need: Arc<Need>,
    limits: Limits,
    holds: Holds,
    /// None where it is for one question alone.
    under: Option<Under>,
}

/// At which moments something holds that was worked out: from the one at which it was, to before the
/// next one on which it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holds {
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
}

impl Holds {
    fn at(self, moment: Timestamp) -> bool {
        self.from <= moment && self.until.is_none_or(|until| moment < until)
    }
}

impl KeptParty {
    pub(super) const fn new(
        party: Arc<Party>,
        need: Arc<Need>,
        limits: Limits,
        holds: Holds,
    ) -> Self {
        Self {
            party,
            need,
            limits,
            holds,
            under: None,
        }
    }

    /// Whether it answers for whatever is needed.
    pub(super) fn serves_all(&self) -> bool {
        !self.limits.any()
    }

    /// Whether it answers for this need as well.
    pub(super) fn serves(&self, need: &Need) -> bool {
        need.agrees(&self.need, self.limits)
    }

    /// About how many bytes it takes to keep, with the text that is written of it.
    fn bytes(&self) -> usize {
        const BESIDE: usize = 1_024;
        const ENDORSEMENT: usize = 512;
        const LINK: usize = 1_024;
        let party = &self.party;
        BESIDE
            + 2 * (party.id.len() + party.backing.detail.len())
            + party.endorsements.len() * ENDORSEMENT
            + party.backing.path.len() * LINK
            + need_bytes(&self.need)
    }
}

fn need_bytes(need: &Need) -> usize {
    let texts = [&need.achievement_types, &need.tags, &need.alignments];
    let texts = texts.into_iter().flatten().flatten();
    size_of::<Need>()
        + texts
            .map(|text| size_of::<String>() + text.len())
            .sum::<usize>()
}

impl Default for Kept {
    fn default() -> Self {
        let parties = |bytes| {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(|_, kept: &Arc<[KeptParty]>| weight(kept.iter().map(KeptParty::bytes)))
                .build()
        };
        let needs = |id: &String, (_, need): &(Under, Arc<Need>)| {
            weight([256, id.len(), need_bytes(need)].into_iter())
        };
        let spaces = |_: &SpaceId, (_, space): &(Under, Arc<Space>)| {
            weight([256, space.bytes()].into_iter())
        };
        // What a document takes is some times its text; that of one key is 1 kB.
        let documents = |url: &String, (_, document): &(Under, Arc<Value>)| {
            weight([256, url.len(), 4 * document.to_string().len()].into_iter())
        };
        Self {
            documents: Cache::builder()
                .max_capacity(DOCUMENT_BYTES)
                .weigher(documents)
                .build(),
            own: parties(OWN_BYTES),
            others: parties(OTHER_BYTES),
            needs: Cache::builder()
                .max_capacity(NEED_BYTES)
                .weigher(needs)
                .build(),
            spaces: Cache::builder()
                .max_capacity(SPACE_BYTES)
                .weigher(spaces)
                .build(),
            lookups: Lookups::default(),
            lives: AtomicU64::new(0),
        }
    }
}

impl Kept {
    /// How many parties are known.
    pub(in crate::registry) fn held(&self) -> Held {
        let parties = [&self.own, &self.others];
        Held {
            things: parties.iter().map(|cache| cache.entry_count()).sum(),
            bytes: Some(parties.iter().map(|cache| cache.weighted_size()).sum()),
        }
    }
}

fn weight(bytes: impl Iterator<Item = usize>) -> u32 {
    u32::try_from(bytes.sum::<usize>()).unwrap_or(u32::MAX)
}

impl Follower for Kept {
    /// What was written is told by the numbers of the tables.
    fn follow(&self, _: &Written<'_>) {}

    fn begin_anew(&self, _: u64) {
        self.lives.fetch_add(1, Ordering::AcqRel);
    }
}

impl Kept {
    /// Which life of the store a snapshot is of that is taken after this.
    pub(super) fn life(&self) -> u64 {
        self.lives.load(Ordering::Acquire)
    }

    /// What serves one question, on a snapshot that was taken in this life of the store.
    pub(super) fn on<'k>(
        &'k self,
        life: u64,
        read: &dyn Read,
        (anchors, moment): (&Anchors, Timestamp),
    ) -> KeptFor<'k> {
        let under = |tables| {
            let last_write = read.last_write(tables)?;
            Some(Under { life, last_write })
        };
        KeptFor {
            kept: self,
            trust: under(TRUST),
            places: under(PLACES),
            anchors: match anchors {
                Anchors::Registered => None,
                Anchors::These(ids) => Some(digest_of(ids.iter().map(String::as_str))),
            },
            moment,
            are_own: false,
        }
    }
}

impl Kept {
    /// Controller documents, for one question on a snapshot that was taken in this life of the store:
    /// none of a moment in the past.
    pub(super) fn documents(
        &self,
        life: u64,
        read: &dyn Read,
        at: Option<Timestamp>,
    ) -> KeptDocuments<'_> {
        let last_write = read.last_write(KEYS_OF_PROFILES).filter(|_| at.is_none());
        KeptDocuments {
            kept: self,
            under: last_write.map(|last_write| Under { life, last_write }),
        }
    }
}

/// The controller documents that are kept, for one question.
pub(in crate::registry) struct KeptDocuments<'k> {
    kept: &'k Kept,
    under: Option<Under>,
}

impl KeptDocuments<'_> {
    pub(in crate::registry) fn get(&self, url: &str) -> Option<Arc<Value>> {
        let (under, document) = self.kept.documents.get(url)?;
        (Some(under) == self.under).then_some(document)
    }

    /// Keeps one that was made from [`KEYS_OF_PROFILES`] alone.
    pub(in crate::registry) fn keep(&self, url: &str, document: &Arc<Value>) {
        if let Some(under) = self.under {
            let documents = &self.kept.documents;
            documents.insert(url.to_owned(), (under, document.clone()));
        }
    }
}

fn digest_of<'i>(ids: impl Iterator<Item = &'i str>) -> Digest {
    let mut digest = Sha256::new();
    for id in ids {
        digest.update(id.len().to_be_bytes());
        digest.update(id);
    }
    digest.finalize().into()
}

/// What is kept, for one question.
pub(super) struct KeptFor<'k> {
    kept: &'k Kept,
    trust: Option<Under>,
    places: Option<Under>,
    anchors: Option<Digest>,
    moment: Timestamp,
    are_own: bool,
}

impl KeptFor<'_> {
    /// Nothing is kept for this question, nor of it.
    pub(super) fn without(mut self) -> Self {
        (self.trust, self.places) = (None, None);
        self
    }

    /// The anchors are the registry's own.
    pub(super) fn by_own_anchors(mut self) -> Self {
        self.are_own = true;
        self
    }

    /// What is kept of a party, of which not all may hold: see [`Self::holds`].
    pub(super) fn parties(&self, party: (Named, SubjectKind)) -> Option<Arc<[KeptParty]>> {
        self.trust?;
        let key = self.key(party);
        let own = self.are_own.then(|| self.kept.own.get(&key)).flatten();
        own.or_else(|| self.kept.others.get(&key))
    }

    /// The standing of a party was asked for, and known or not.
    pub(super) fn note(&self, known: bool) {
        self.kept.lookups.note(known);
    }

    /// Whether that is what would be worked out now.
    pub(super) fn holds(&self, kept: &KeptParty) -> bool {
        kept.under.is_some() && kept.under == self.trust && kept.holds.at(self.moment)
    }

    /// Keeps what was worked out of a party, from [`TRUST`] alone.
    pub(super) fn keep_party(&self, party: (Named, SubjectKind), new: &KeptParty) {
        let Some(under) = self.trust else { return };
        let mut all = vec![new.clone()];
        all[0].under = Some(under);
        let before = self.parties(party);
        let before = before.iter().flat_map(|kept| kept.iter());
        let others = before.filter(|kept| self.holds(kept) && !kept.serves(&new.need));
        all.extend(others.take(MOST_NEEDS - 1).cloned());
        let room = match self.are_own && new.party.is_here() {
            true => &self.kept.own,
            false => &self.kept.others,
        };
        room.insert(self.key(party), all.into());
    }

    const fn key(&self, party: (Named, SubjectKind)) -> PartyKey {
        PartyKey {
            anchors: self.anchors,
            party,
        }
    }

    /// What an achievement is, by its id.
    pub(super) fn need(&self, achievement: &str) -> Option<Arc<Need>> {
        let (under, need) = self.kept.needs.get(achievement)?;
        (Some(under) == self.trust).then_some(need)
    }

    pub(super) fn keep_need(&self, achievement: &str, need: &Arc<Need>) {
        if let Some(under) = self.trust {
            let needs = &self.kept.needs;
            needs.insert(achievement.to_owned(), (under, need.clone()));
        }
    }

    /// The lists over an index space.
    pub(super) fn space(&self, id: SpaceId) -> Option<Arc<Space>> {
        let (under, space) = self.kept.spaces.get(&id)?;
        (Some(under) == self.places).then_some(space)
    }

    pub(super) fn keep_space(&self, id: SpaceId, space: &Arc<Space>) {
        if let Some(under) = self.places {
            self.kept.spaces.insert(id, (under, space.clone()));
        }
    }
}

/// Controller documents of profiles here, of one moment in one state of the store, each made once: for
/// one question, and where it is about the present for those that follow.
pub(in crate::registry) struct OwnDocuments<'k> {
    made: RwLock<HashMap<String, Arc<Value>>>,
    kept: KeptDocuments<'k>,
}

/// So many are kept.
const MOST_MADE: usize = 1_024;

impl<'k> OwnDocuments<'k> {
    pub(in crate::registry) fn new(kept: KeptDocuments<'k>) -> Self {
        Self {
            made: RwLock::default(),
            kept,
        }
    }

    pub(in crate::registry) fn get(&self, url: &str) -> Option<Arc<Value>> {
        let made = self.made.read().unwrap_or_else(PoisonError::into_inner);
        made.get(url).cloned().or_else(|| self.kept.get(url))
    }

    pub(in crate::registry) fn keep(&self, url: &str, document: &Arc<Value>, read: &Watched<'_>) {
        if read.kept_to_them() {
            self.kept.keep(url, document);
        }
        let mut made = self.made.write().unwrap_or_else(PoisonError::into_inner);
        if made.len() < MOST_MADE {
            made.insert(url.to_owned(), Arc::clone(document));
        }
    }
}
