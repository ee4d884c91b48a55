//! Publication: each list whose bits changed is encoded and signed once, however many changes it
//! holds, and the signed artefact is stored and kept ready.
//!
//! The order, and what a crash leaves behind at each step:
//! 1. the change was committed together with the list's row in "dirty lists" – a crash from here
//!    on leaves that row, and start-up publishes the list through the same function;
//! 2. the bits of one snapshot are encoded and signed, and the signature is verified – nothing is
//!    written yet;
//! 3. artefact and "published" are committed, the latter compared with what was read, so that an
//!    older state never replaces a newer one – a crash after it only repeats step 4;
//! 4. the artefact that is kept ready in memory is swapped.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use tracing::{error, info};

use crate::bitstring::{Bitstring, page_count};
use crate::ids::{ListId, Revision};
use crate::registry::lists::list_of;
use crate::registry::{Registry, RegistryError};
use crate::status::{ListToPublish, build_list};
use crate::store::engine::{Batch, CommitError, Read, StoreError};
use crate::store::tables::{
    ARTEFACTS, ArtefactRecord, DIRTY_LISTS, LIST_STATES, ListRecord, ListState, PAGES, PUBLISHED,
    PublishedState,
};
use crate::time::{Timestamp, Ttl};
use crate::vc::securing::Securing;

/// A signed list as it is served.
#[derive(Debug, Clone)]
pub struct PublishedList {
    /// The revision that it shows.
    pub revision: Revision,
    /// How many artefacts of the list there were before it. A list that is signed again with
    /// another key keeps its revision.
    pub generation: u64,
    /// When it was signed.
    pub published_at: Timestamp,
    /// `ttl` of the list.
    pub ttl: Ttl,
    /// Strong entity tag, with its quotes.
    pub etag: String,
    /// JSON of the secured credential.
    pub document: Arc<str>,
    /// The same bytes, as an answer carries them: a clone copies nothing.
    pub body: Bytes,
}

/// Lets a body share the memory of the document.
struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl PublishedList {
    fn of(artefact: &ArtefactRecord, ttl: Ttl) -> Arc<Self> {
        let digest = Sha256::digest(artefact.document.as_bytes());
        let etag = digest[..12]
            .iter()
            .fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}"));
        let document: Arc<str> = artefact.document.as_str().into();
        Arc::new(Self {
            revision: artefact.state.revision,
            generation: artefact.state.generation,
            published_at: artefact.state.published_at,
            ttl,
            etag: etag + "\"",
            body: Bytes::from_owner(Shared(document.clone())),
            document,
        })
    }

    /// Which of two artefacts of a list is the newer one.
    const fn version(&self) -> (u64, u64) {
        (self.revision.0, self.generation)
    }

    /// About how many bytes it takes to keep it.
    fn weight(&self) -> u32 {
        const BESIDE_THE_DOCUMENT: usize = 256;
        u32::try_from(self.document.len() + BESIDE_THE_DOCUMENT).unwrap_or(u32::MAX)
    }
}

/// The artefacts that are kept ready, and the lists that wait for the publisher.
pub(in crate::registry) struct Snapshot {
    ready: Cache<ListId, Arc<PublishedList>>,
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    /// Since when each list waits.
    since: BTreeMap<ListId, Instant>,
    stop: bool,
}

impl Snapshot {
    /// Keeps artefacts ready in up to `ready_bytes` of memory.
    pub(in crate::registry) fn new(ready_bytes: u64) -> Self {
        let ready = Cache::builder()
            .max_capacity(ready_bytes)
            .weigher(|_, list: &Arc<PublishedList>| list.weight());
        Self {
            ready: ready.build(),
            waiting: Mutex::default(),
            wake: Condvar::new(),
        }
    }

    fn wait_for_publisher(&self, list: ListId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.since.entry(list).or_insert_with(Instant::now);
        self.wake.notify_one();
    }

    /// Puts a list that could not be published back in line, a few seconds on.
    fn try_again(&self, list: ListId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.stop {
            waiting
                .since
                .entry(list)
                .or_insert_with(|| Instant::now() + Duration::from_secs(5));
            self.wake.notify_one();
        }
    }

    /// Keeps `list` ready unless a newer artefact is.
    fn swap(&self, id: ListId, list: &Arc<PublishedList>) {
        self.ready
            .entry(id)
            .and_compute_with(|present| match present {
                Some(present) if present.value().version() > list.version() => {
                    moka::ops::compute::Op::Nop
                }
                _ => moka::ops::compute::Op::Put(list.clone()),
            });
    }
}

impl Registry {
    /// Sees to it that the signed list follows a committed change: at once where the registry
    /// is set so, else within the publish delay. Where it cannot be signed at once, the caller
    /// hears of that, and the publisher tries again.
    pub(in crate::registry) fn follow(&self, list: ListId) -> Result<(), RegistryError> {
        if !self.settings.publish_before_acknowledging {
            self.published.wait_for_publisher(list);
            return Ok(());
        }
        match self.publish(list) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.published.try_again(list);
                Err(error)
            }
        }
    }

    /// The newest signed artefact of a list.
    pub fn published_list(&self, list: ListId) -> Result<Arc<PublishedList>, RegistryError> {
        if let Some(ready) = self.published.ready.get(&list) {
            return Ok(ready);
        }
        let snapshot = self.engine.snapshot();
        let record = list_of(&*snapshot, &self.urls(), list)?;
        match ARTEFACTS.get(&*snapshot, &list)? {
            Some(artefact) => {
                let ready = PublishedList::of(&artefact, Ttl::from_millis(record.ttl_millis));
                self.published.swap(list, &ready);
                Ok(ready)
            }
            None => self.publish(list),
        }
    }

    /// Signs the newest state of a list, unless its artefact shows that state already.
    pub fn publish(&self, list: ListId) -> Result<Arc<PublishedList>, RegistryError> {
        loop {
            let snapshot = self.engine.snapshot();
            let record = list_of(&*snapshot, &self.urls(), list)?;
            let ttl = Ttl::from_millis(record.ttl_millis);
            let state = LIST_STATES.get(&*snapshot, &list)?.unwrap_or(ListState {
                revision: Revision(1),
                changed_at: record.created_at,
            });
            let previous = PUBLISHED.get(&*snapshot, &list)?;
            let dirty = DIRTY_LISTS.get(&*snapshot, &list)?.is_some();
            if let Some(artefact) = ARTEFACTS.get(&*snapshot, &list)?
                && !dirty
            {
                let ready = PublishedList::of(&artefact, ttl);
                self.published.swap(list, &ready);
                return Ok(ready);
            }
            let document = self.sign_list(&*snapshot, list, &record)?;
            let artefact = ArtefactRecord {
                state: PublishedState {
                    revision: state.revision,
                    generation: previous.as_ref().map_or(0, |state| state.generation + 1),
                    published_at: self.now().whole_seconds(),
                },
                document,
            };
            drop(snapshot);
            match self.store_artefact(list, &artefact, previous.as_ref(), &state) {
                Ok(()) => {
                    let ready = PublishedList::of(&artefact, ttl);
                    self.published.swap(list, &ready);
                    return Ok(ready);
                }
                // Somebody else published meanwhile: look again.
                Err(RegistryError::Commit(CommitError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn sign_list(
        &self,
        read: &dyn Read,
        list: ListId,
        record: &ListRecord,
    ) -> Result<String, RegistryError> {
        let bits = bits_of(read, list, record)?;
        let url = self.urls().list(list);
        let issuer = self.profile_record(read, list.owner())?;
        let unsigned = build_list(&ListToPublish {
            url: &url,
            issuer: &issuer.issuer_id,
            purpose: &record.purpose,
            valid_from: self.now().whole_seconds(),
            valid_until: None,
            ttl: Some(Ttl::from_millis(record.ttl_millis)),
            bits: &bits,
        });
        let form = Securing::default();
        let signed = self.sign(read, list.owner(), &issuer, &unsigned, form)?;
        Ok(signed.secured.to_value().to_string())
    }

    /// Stores an artefact. Where no change came meanwhile the list is no longer dirty; where one
    /// did, the artefact is stored all the same and the list stays dirty.
    fn store_artefact(
        &self,
        list: ListId,
        artefact: &ArtefactRecord,
        previous: Option<&PublishedState>,
        state: &ListState,
    ) -> Result<(), RegistryError> {
        let mut stored = Batch::default();
        PUBLISHED.expect(&mut stored, &list, previous);
        PUBLISHED.put(&mut stored, &list, &artefact.state);
        ARTEFACTS.put(&mut stored, &list, artefact);
        let mut clean = stored.clone();
        LIST_STATES.expect(&mut clean, &list, Some(state));
        DIRTY_LISTS.delete(&mut clean, &list);
        match self.commit(clean) {
            Err(RegistryError::Commit(CommitError::Conflict)) => self.commit(stored).map(|_| ()),
            other => other.map(|_| ()),
        }
    }

    /// Publishes the lists that a crash or a shutdown left behind, each of them once: one that
    /// cannot be published is left to the publisher. Returns how many were published.
    pub fn catch_up(&self) -> Result<usize, RegistryError> {
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
                error!(list = %list, %problem, "a list could not be published; it is tried again");
                self.published.try_again(list);
                false
            }
        }
    }
}

/// The bits of a list, put together from its pages.
fn bits_of(read: &dyn Read, list: ListId, record: &ListRecord) -> Result<Bitstring, RegistryError> {
    let (length, size) = (record.length(), record.status_size);
    let rows = PAGES.scan(
        read,
        list.as_bytes(),
        None,
        page_count(length, size) as usize,
    )?;
    let pages = rows.into_iter().map(|((_, page), content)| (page, content));
    Bitstring::from_pages(length, size, pages).map_err(|error| {
        StoreError::Corrupt {
            table: PAGES.name(),
            reason: format!("{list}: {error}"),
        }
        .into()
    })
}

/// How many lists are signed and stored at a time: their commits share the disk's syncs. Should
/// two threads come to publish one list, the condition on its row in "published" lets one win,
/// and the other looks again.
const THREADS: usize = 4;

/// The threads that sign what changed. Dropping it publishes what waits, and ends them.
pub struct Publisher {
    registry: Arc<Registry>,
    threads: Vec<JoinHandle<()>>,
}

impl Publisher {
    /// Starts the threads; a list is to be signed within `delay` of a change of it.
    pub fn start(registry: Arc<Registry>, delay: Duration) -> std::io::Result<Self> {
        // Made first, so that threads that did start are ended where a later one does not.
        let mut publisher = Self {
            registry,
            threads: Vec::with_capacity(THREADS),
        };
        for number in 1..=THREADS {
            let shared = publisher.registry.clone();
            let thread = std::thread::Builder::new()
                .name(format!("publisher-{number}"))
                .spawn(move || publish_as_they_come(&shared, delay))?;
            publisher.threads.push(thread);
        }
        Ok(publisher)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let snapshot = &self.registry.published;
        snapshot
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stop = true;
        snapshot.wake.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                error!("a publisher ended by a panic; start-up will publish what it left");
            }
        }
        info!("the publisher has published what waited");
    }
}

fn publish_as_they_come(registry: &Registry, delay: Duration) {
    while let Some(list) = next_due(&registry.published, delay) {
        registry.publish_or_try_again(list);
    }
}

/// Waits for the list that has waited longest until it is due; `None` when all is done for good.
fn next_due(snapshot: &Snapshot, delay: Duration) -> Option<ListId> {
    // Half of the delay is for waiting, half for signing and storing.
    let patience = delay / 2;
    let mut waiting = snapshot
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    loop {
        let first = waiting
            .since
            .iter()
            .min_by_key(|(_, since)| **since)
            .map(|(l, s)| (*l, *s));
        match first {
            Some((list, since)) => {
                // A list that is to be tried again waits since a moment that is yet to come.
                let left = (since + patience).saturating_duration_since(Instant::now());
                if left.is_zero() || waiting.stop {
                    waiting.since.remove(&list);
                    // While this one is signed, another thread has to watch the others.
                    snapshot.wake.notify_one();
                    return Some(list);
                }
                let woken = snapshot.wake.wait_timeout(waiting, left);
                waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
            None if waiting.stop => return None,
            None => {
                let woken = snapshot.wake.wait(waiting);
                waiting = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}
