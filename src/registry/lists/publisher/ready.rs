//! Lists as they are served, those that are kept ready, and those that wait to be signed.

mod kept;
mod packed;

use std::sync::{Arc, Condvar, Mutex, OnceLock};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::threads::Places;
use super::waiting::{Reads, Waiting};
use crate::ids::{ListId, Revision};
use crate::metrics::{Held, Lookups, Publishing};
use crate::registry::Registry;
use crate::registry::bell::Bell;
use crate::store::engine::Read;
use crate::store::following::Tables;
use crate::store::tables::{ARTEFACTS, ArtefactRecord, ListForm, PUBLISHED, PUBLISHED_TOKENS};
use crate::time::{Timestamp, Ttl};

use kept::AsOf;
pub(super) use kept::{Forms, Kept, Older, Place};
pub use packed::Packed;

/// A signed list as it is served.
#[derive(Debug, Clone)]
pub struct PublishedList {
    /// The revision that it shows.
    pub revision: Revision,
    /// How many publications of the list there were before it. A list that is signed again with
    /// another key, or renewed, keeps its revision.
    pub generation: u64,
    /// When it was signed.
    pub published_at: Timestamp,
    /// Until when it holds, where it says so.
    pub valid_until: Option<Timestamp>,
    /// `ttl` of the list.
    pub ttl: Ttl,
    /// When it was signed, as HTTP writes it.
    pub dated: Bytes,
    /// Strong entity tag, with its quotes.
    pub etag: Bytes,
    /// Its bytes, as an answer carries them: a clone copies nothing.
    pub body: Bytes,
    /// The same for who takes gzip, once somebody who does has asked; `None` where it gains nothing.
    packed: OnceLock<Option<Packed>>,
}

impl PublishedList {
    pub(in crate::registry::lists) fn of(artefact: ArtefactRecord, ttl: Ttl) -> Arc<Self> {
        let digest = Sha256::digest(&artefact.body);
        let etag = digest[..12]
            .iter()
            .fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}"));
        let dated = artefact.state.published_at.http_date();
        Arc::new(Self {
            revision: artefact.state.revision,
            generation: artefact.state.generation,
            published_at: artefact.state.published_at,
            valid_until: artefact.state.valid_until,
            ttl,
            dated: dated.into(),
            etag: (etag + "\"").into(),
            body: artefact.body.into(),
            packed: OnceLock::new(),
        })
    }

    /// Which of two artefacts of a list in one form is the newer one.
    const fn version(&self) -> u64 {
        self.generation
    }

    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| at < until)
    }

    /// It compressed, where that was done or tried.
    pub fn packed(&self) -> Option<Option<&Packed>> {
        self.packed.get().map(Option::as_ref)
    }

    /// About how many bytes it takes to keep it.
    fn weight(&self) -> u64 {
        const BESIDE_THE_BODY: usize = 512;
        let packed = self.packed.get().and_then(Option::as_ref);
        let packed = packed.map_or(0, |packed| packed.body.len());
        (self.body.len() + packed + BESIDE_THE_BODY) as u64
    }
}

impl Registry {
    /// Looks at a list that is kept ready and holds now. Takes no lock and reads nothing from the
    /// store; `None` where it has to be read or signed first, or is not there at all.
    pub fn look_at_ready<R>(
        &self,
        place: (ListId, ListForm),
        look: impl FnOnce(&PublishedList, Timestamp) -> R,
    ) -> Option<R> {
        let looked = self.published.ready.look(&place, |list| {
            let now = self.now();
            list.holds_at(now).then(|| look(list, now))
        });
        self.published.reads.note(place.0);
        let looked = looked.flatten();
        // What is not there is asked for again where it is read or signed, and counted there.
        if looked.is_some() {
            self.published.lookups.note(true);
        }
        looked
    }

    /// A published list compressed, where that gains something. Whoever asks first compresses it, and
    /// who asks meanwhile waits for that; it is kept with the list.
    pub fn packed<'l>(
        &self,
        place: (ListId, ListForm),
        list: &'l Arc<PublishedList>,
    ) -> Option<&'l Packed> {
        let mut made = false;
        let packed = list.packed.get_or_init(|| {
            made = true;
            Packed::of(&list.etag, &list.body)
        });
        if made {
            self.published.ready.weigh_again(place, list);
        }
        packed.as_ref()
    }
}

/// The artefacts that are kept ready, and the lists that wait for the publisher.
pub(in crate::registry) struct Snapshot {
    pub(super) ready: Kept,
    /// How often what was asked for was kept ready.
    pub(in crate::registry) lookups: Lookups,
    /// About how often each list is read.
    pub(super) reads: Reads,
    pub(in crate::registry) waiting: Mutex<Waiting>,
    pub(super) wake: Condvar,
    /// Rung where lists wait no more, so that there is a place for others.
    pub(super) room: Condvar,
    /// Where lists are encoded and signed, and where the long ones are.
    pub(super) signing: Places,
    pub(super) signing_long: Places,
    /// How publication goes.
    pub(in crate::registry) measured: Publishing,
    /// Rung after each publication, by whichever process.
    pub(super) bell: Arc<Bell>,
}

impl Snapshot {
    /// How much is kept ready.
    pub(in crate::registry) fn held(&self) -> Held {
        self.ready.held()
    }

    /// Keeps artefacts ready in up to `ready_bytes` of memory.
    pub(in crate::registry) fn new(ready_bytes: u64, bell: Arc<Bell>) -> Self {
        Self {
            ready: Kept::new(ready_bytes),
            lookups: Lookups::default(),
            reads: Reads::default(),
            waiting: Mutex::default(),
            wake: Condvar::new(),
            room: Condvar::new(),
            signing: Places::of_half_the_cores(),
            signing_long: Places::of_half_the_cores(),
            measured: Publishing::default(),
            bell,
        }
    }
}

/// The newest state of the store, in which artefacts are looked for that are to be kept ready.
pub(super) struct Newest<'a> {
    pub(super) read: Box<dyn Read + 'a>,
    ready: &'a Kept,
    life: u64,
}

impl<'a> Newest<'a> {
    pub(super) fn of(registry: &'a Registry) -> Self {
        let ready = &registry.published.ready;
        // Before the snapshot: where the store comes up anew in between, nothing is kept.
        let life = ready.life();
        Self {
            read: registry.engine.snapshot(),
            ready,
            life,
        }
    }

    /// Keeps an artefact ready that is the newest of its place in this state, unless a newer one can have
    /// come since.
    pub(super) fn keep_ready(&self, place: Place, list: &Arc<PublishedList>) {
        const TABLES: Tables = Tables::NONE
            .with(&PUBLISHED)
            .with(&PUBLISHED_TOKENS)
            .with(&ARTEFACTS);
        if let Some(number) = self.read.last_write(TABLES) {
            let life = self.life;
            self.ready.put(place, list, AsOf { life, number });
        }
    }
}
