//! Lists as they are served, those that are kept ready, and those that wait to be signed.

use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use super::threads::Places;
use super::waiting::{Reads, Waiting};
use crate::ids::{ListId, Revision};
use crate::store::tables::{ArtefactRecord, ListForm};
use crate::time::{Timestamp, Ttl};

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
    /// Strong entity tag, with its quotes.
    pub etag: String,
    /// Its bytes, as an answer carries them: a clone copies nothing.
    pub body: Bytes,
}

impl PublishedList {
    pub(super) fn of(artefact: ArtefactRecord, ttl: Ttl) -> Arc<Self> {
        let digest = Sha256::digest(&artefact.body);
        let etag = digest[..12]
            .iter()
            .fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}"));
        Arc::new(Self {
            revision: artefact.state.revision,
            generation: artefact.state.generation,
            published_at: artefact.state.published_at,
            valid_until: artefact.state.valid_until,
            ttl,
            etag: etag + "\"",
            body: artefact.body.into(),
        })
    }

    /// Which of two artefacts of a list in one form is the newer one.
    const fn version(&self) -> u64 {
        self.generation
    }

    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| at < until)
    }

    /// About how many bytes it takes to keep it.
    fn weight(&self) -> u32 {
        const BESIDE_THE_BODY: usize = 256;
        u32::try_from(self.body.len() + BESIDE_THE_BODY).unwrap_or(u32::MAX)
    }
}

/// The artefacts that are kept ready, and the lists that wait for the publisher.
pub(in crate::registry) struct Snapshot {
    pub(super) ready: Cache<(ListId, ListForm), Arc<PublishedList>>,
    /// About how often each list is read.
    pub(super) reads: Reads,
    pub(super) waiting: Mutex<Waiting>,
    pub(super) wake: Condvar,
    /// Rung where lists wait no more, so that there is a place for others.
    pub(super) room: Condvar,
    pub(super) signing: Places,
}

impl Snapshot {
    /// Keeps artefacts ready in up to `ready_bytes` of memory.
    pub(in crate::registry) fn new(ready_bytes: u64) -> Self {
        let ready = Cache::builder()
            .max_capacity(ready_bytes)
            .weigher(|_, list: &Arc<PublishedList>| list.weight());
        Self {
            ready: ready.build(),
            reads: Reads::default(),
            waiting: Mutex::default(),
            wake: Condvar::new(),
            room: Condvar::new(),
            signing: Places::of_half_the_cores(),
        }
    }

    /// Keeps `list` ready unless a newer artefact is.
    pub(super) fn swap(&self, place: (ListId, ListForm), list: &Arc<PublishedList>) {
        self.ready
            .entry(place)
            .and_compute_with(|present| match present {
                Some(present) if present.value().version() > list.version() => {
                    moka::ops::compute::Op::Nop
                }
                _ => moka::ops::compute::Op::Put(list.clone()),
            });
    }
}
