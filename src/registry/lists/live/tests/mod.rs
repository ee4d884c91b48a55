//! What look-ups show of lists that are written to the store row by row.

mod memory;
mod model;
mod together;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::bitstring::{ListLength, PAGE_BYTES, StatusSize, page_of, set_in_page};
use crate::ids::{ProfileId, Seq, SpaceId};
use crate::registry::lists::queries::StatusUnknown;
use crate::registry::testing;
use crate::registry::{Registry, Settings};
use crate::status::{EntryMembers, ListMessages, StatusPurpose};
use crate::store::engine::{Batch, Engine, Head, LoggedEvent, Read, Row, Stopped};
use crate::store::memory::MemoryEngine;
use crate::store::queued::Queued;
use crate::store::tables::{ListRecord, ListState};
use crate::time::{ManualClock, Timestamp};

/// A registry that keeps lists for look-ups in so many bytes.
fn over(engine: Arc<dyn Engine>, bound: u64) -> Registry {
    let settings = Settings {
        looked_up_bytes: bound,
        ..testing::settings()
    };
    testing::over(
        engine,
        Arc::new(ManualClock::new(Timestamp::EPOCH)),
        7,
        settings,
    )
}

fn memory_engine() -> Arc<MemoryEngine> {
    Arc::new(MemoryEngine::new(Arc::new(ManualClock::new(
        Timestamp::EPOCH,
    ))))
}

fn list(number: u8) -> ListId {
    let mut bytes = [0; 12];
    bytes[3] = 1;
    // Some of them stand in one place of a small table, and others do not.
    bytes[11] = number;
    ListId::from_bytes(bytes)
}

/// A list whose messages have to be escaped.
fn record(size: StatusSize) -> ListRecord {
    let texts = (0..=size.maximum()).map(|value| format!("\"{value}\" means ä\\"));
    let messages = ListMessages::new(texts.collect()).unwrap();
    let purpose = StatusPurpose::Message;
    ListRecord {
        space: SpaceId::from_bytes([1; 12]),
        entry: EntryMembers::new(&purpose, size, Some(messages), None).unwrap(),
        purpose,
        length: ListLength::MINIMUM.entries(),
        status_size: size,
        ttl_millis: 0,
        created_at: Timestamp::EPOCH,
        also_2021: false,
        in_token: false,
        jcs_proof: false,
    }
}

/// What is in a list: its revision, and what is set.
#[derive(Debug, Clone, PartialEq)]
struct Written {
    record: ListRecord,
    revision: u64,
    entries: BTreeMap<u64, u8>,
}

impl Written {
    fn new(size: StatusSize) -> Self {
        Self {
            record: record(size),
            revision: 1,
            entries: BTreeMap::new(),
        }
    }

    /// Sets an entry, in a batch: the whole page as the store has it, and the next revision.
    fn set(&mut self, batch: &mut Batch, id: ListId, index: u64, value: u8) {
        let value = value & self.record.status_size.maximum();
        self.revision += 1;
        self.entries.insert(index, value);
        let state = ListState {
            revision: Revision(self.revision),
            changed_at: Timestamp::EPOCH,
        };
        LIST_STATES.put(batch, &id, &state);
        let size = self.record.status_size;
        let number = page_of(self.record.length().index(index).unwrap(), size);
        let mut page = [0; PAGE_BYTES];
        for (index, value) in &self.entries {
            let index = self.record.length().index(*index).unwrap();
            if page_of(index, size) == number {
                set_in_page(&mut page, index, size, *value).unwrap();
            }
        }
        let key = (id, number);
        match page.iter().all(|byte| *byte == 0) {
            true => PAGES.delete(batch, &key),
            false => PAGES.put(batch, &key, &page.to_vec()),
        }
    }

    fn opened(&self, batch: &mut Batch, id: ListId) {
        LISTS.put(batch, &id, &self.record);
    }

    fn status(&self, index: u64) -> u8 {
        self.entries.get(&index).copied().unwrap_or(0)
    }
}

/// Status and revision of an entry, and the message.
type Said = (u8, u64, Option<String>);

/// What look-ups say of entries: one by one, and all at once.
fn one_by_one(registry: &Registry, asked: &[(ListId, u64)]) -> Vec<Result<Said, StatusUnknown>> {
    let ask = |(id, index): &(ListId, u64)| {
        let url = registry.urls().list(*id);
        let told = registry.status_at(&url, *index, None, None).unwrap();
        told.map(|answer| (answer.status, answer.revision.0, answer.message))
    };
    asked.iter().map(ask).collect()
}

fn at_once(registry: &Registry, asked: &[(ListId, u64)]) -> Vec<Result<Said, StatusUnknown>> {
    let mut questions = EntriesAsked::default();
    for (id, index) in asked {
        let list = questions.name(registry.urls().list(*id).into());
        questions.ask(list, *index);
    }
    let told = registry.entries_now(&questions).unwrap();
    told.answers(&questions)
        .map(|answer| {
            answer.map(|entry| {
                let message = entry.wording.message_json(entry.status);
                let message = message.map(|text| serde_json::from_str(text).unwrap());
                (entry.status, entry.revision.0, message)
            })
        })
        .collect()
}

/// An engine that counts how often a list was read from it.
struct Counting {
    inner: Arc<MemoryEngine>,
    /// Scans of pages, and reads of what lists are.
    loads: Arc<AtomicUsize>,
    records: Arc<AtomicUsize>,
}

impl Counting {
    fn new(inner: Arc<MemoryEngine>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            loads: Arc::default(),
            records: Arc::default(),
        })
    }

    fn counted<'r>(&self, read: Box<dyn Read + 'r>) -> CountingRead<'r> {
        CountingRead {
            read,
            loads: self.loads.clone(),
            records: self.records.clone(),
        }
    }
}

struct CountingRead<'r> {
    read: Box<dyn Read + 'r>,
    loads: Arc<AtomicUsize>,
    records: Arc<AtomicUsize>,
}

impl Read for CountingRead<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if key[0] == LISTS.tag() {
            self.records.fetch_add(1, Ordering::SeqCst);
        }
        self.read.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.read.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        if from[0] == PAGES.tag() {
            self.loads.fetch_add(1, Ordering::SeqCst);
        }
        self.read.scan(from, to, limit)
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        self.read.last_write(tables)
    }
}

impl Read for Counting {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.counted(self.inner.snapshot()).get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.inner.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.counted(self.inner.snapshot()).scan(from, to, limit)
    }
}

impl Engine for Counting {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        Box::new(self.counted(self.inner.snapshot()))
    }

    fn queue(&self, batch: Batch) -> Queued {
        self.inner.queue(batch)
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        self.inner.follow(follower);
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        self.inner.takes_writes()
    }

    fn epoch(&self) -> u32 {
        self.inner.epoch()
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        self.inner.purge(ranges)
    }

    fn head(&self) -> Head {
        self.inner.head()
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        self.inner.changes(since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        self.inner.changes_of(who, since, limit)
    }
}

fn profile_of(list: ListId) -> ProfileId {
    list.owner()
}
