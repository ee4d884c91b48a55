//! One list in memory.

use std::mem::size_of;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::bitstring::{
    ListLength, PAGE_BYTES, Page, StatusIndex, StatusSize, byte_in_page, get_in_byte, page_count,
    page_of,
};
use crate::ids::{ListId, Revision};
use crate::registry::Outcome;
use crate::registry::lists::queries::{StatusAnswer, outcome_of};
use crate::status::StatusPurpose;
use crate::store::tables::ListRecord;

/// What the entries of a list say, as the words that answers carry. It never changes.
#[derive(Debug)]
pub struct Wording {
    purpose: StatusPurpose,
    /// The purpose as JSON.
    purpose_json: Box<str>,
    /// What each value means, as JSON; empty where the list has no messages.
    messages: Box<[Box<str>]>,
}

impl Wording {
    pub(super) fn of(record: &ListRecord) -> Self {
        let json = |text: &str| Value::from(text).to_string().into_boxed_str();
        let messages = record.entry.messages().map(|messages| {
            let messages = messages.as_messages();
            let values = 0..=record.status_size.maximum();
            values
                .map(|value| json(messages.message(value).unwrap_or_default()))
                .collect()
        });
        Self {
            purpose: record.purpose.clone(),
            purpose_json: json(record.purpose.as_str()),
            messages: messages.unwrap_or_default(),
        }
    }

    /// The purpose of the list, as a JSON string.
    pub fn purpose_json(&self) -> &str {
        &self.purpose_json
    }

    /// What a status means, as a JSON string, where the list has messages.
    pub fn message_json(&self, status: u8) -> Option<&str> {
        self.messages.get(usize::from(status)).map(|text| &**text)
    }

    /// How an entry stands, as far as this list says.
    pub fn outcome(&self, status: u8) -> Outcome {
        outcome_of(&self.purpose, status)
    }

    pub(super) fn answer(&self, status: u8, revision: Revision) -> StatusAnswer {
        let message = self.message_json(status).map(|text| {
            serde_json::from_str(text).expect("the text was written by this JSON library")
        });
        StatusAnswer {
            status,
            purpose: self.purpose.clone(),
            outcome: self.outcome(status),
            message,
            revision,
        }
    }

    fn bytes(&self) -> usize {
        let texts = self.messages.iter().map(|text| text.len());
        size_of::<Self>()
            + self.purpose_json.len()
            + self.purpose.as_str().len()
            + self.messages.len() * size_of::<Box<str>>()
            + texts.sum::<usize>()
    }
}

/// A list whose entries are read while they change, without a lock: whoever changes it first notes the
/// number of the group that does, and whoever reads looks at that afterwards ([`List::is_as_of`]).
///
/// It takes [`List::beside_pages`] bytes, and [`PAGE_BYTES`] for each page in which an entry was ever set
/// since it was loaded: of 131,072 entries of one bit at most 17 KiB, 1.1 bits an entry.
#[derive(Debug)]
pub(super) struct List {
    pub(super) id: ListId,
    pub(super) length: ListLength,
    size: StatusSize,
    pub(super) wording: Arc<Wording>,
    revision: AtomicU64,
    /// The last group that changed it; [`LET_GO`] once it is not changed any more.
    changed: AtomicU64,
    /// Whether it was looked up in since somebody last searched for one to let go.
    used: AtomicBool,
    pages: Box<[OnceLock<Box<Words>>]>,
}

/// The bytes of a page in words, the first byte of eight as the most significant one.
type Words = [AtomicU64; WORDS];

const WORDS: usize = PAGE_BYTES / 8;

/// Behind every number of a group.
const LET_GO: u64 = u64::MAX;

/// What happened to a list.
#[derive(Debug)]
pub(super) enum Change {
    Revision(Revision),
    /// A page is so from now on; `None` where nothing is set in it.
    Page(u32, Option<Box<Page>>),
    /// It is another one, or cannot be told: nothing of it is kept.
    Unclear,
}

impl List {
    /// A list without anything set, as the group with this number left it.
    pub(super) fn new(id: ListId, record: &ListRecord, number: u64) -> Self {
        let count = page_count(record.length(), record.status_size);
        Self {
            id,
            length: record.length(),
            size: record.status_size,
            wording: Arc::new(Wording::of(record)),
            revision: AtomicU64::new(1),
            changed: AtomicU64::new(number),
            used: AtomicBool::new(true),
            pages: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The most bytes that a list like this takes.
    pub(super) fn most_bytes(record: &ListRecord) -> usize {
        let count = page_count(record.length(), record.status_size) as usize;
        Self::beside_pages(&Wording::of(record), count) + count * PAGE_BYTES
    }

    /// Bytes that it takes now.
    pub(super) fn bytes(&self) -> usize {
        let held = self.pages.iter().filter(|page| page.get().is_some());
        Self::beside_pages(&self.wording, self.pages.len()) + held.count() * PAGE_BYTES
    }

    /// Bytes of a list of so many pages, in none of which anything is set.
    pub(super) fn beside_pages(wording: &Wording, pages: usize) -> usize {
        /// Two counters of each [`Arc`], and its places in the table and among those that are held.
        const AROUND: usize = 4 * size_of::<usize>() + 10 * size_of::<usize>();
        let page = size_of::<OnceLock<Box<Words>>>();
        AROUND + size_of::<Self>() + wording.bytes() + pages * page
    }

    /// Takes in what the group with this number did. One at a time, in the order of the numbers. Answers
    /// by how many bytes it has grown.
    pub(super) fn take_in(&self, change: &Change, number: u64) -> usize {
        self.changed.store(number, Ordering::Relaxed);
        // Whoever sees any of what follows sees that number too.
        fence(Ordering::Release);
        match change {
            Change::Revision(revision) => self.revision.store(revision.0, Ordering::Relaxed),
            Change::Page(page, bytes) => {
                let place = self.pages.get(*page as usize);
                return place.map_or(0, |place| put(place, bytes.as_deref()));
            }
            Change::Unclear => {}
        }
        0
    }

    /// Whoever reads it from now on is told that it does not hold.
    pub(super) fn let_go(&self) {
        self.changed.store(LET_GO, Ordering::Relaxed);
        fence(Ordering::Release);
    }

    /// The status of an entry of this list.
    pub(super) fn status(&self, index: StatusIndex) -> u8 {
        let page = self.pages[page_of(index, self.size) as usize].get();
        let byte = page.map_or(0, |words| {
            let at = byte_in_page(index, self.size);
            words[at / 8].load(Ordering::Relaxed).to_be_bytes()[at % 8]
        });
        get_in_byte(byte, index, self.size)
    }

    pub(super) fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::Relaxed))
    }

    /// Whether what was read of it before is of when all groups up to this number were taken in, and none
    /// after it.
    pub(super) fn is_as_of(&self, number: u64) -> bool {
        fence(Ordering::Acquire);
        self.changed.load(Ordering::Relaxed) <= number
    }

    /// Notes that it is looked up in. Mostly that is noted already, and then nothing is written, so that
    /// the processors need not agree on it.
    pub(super) fn note_use(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was looked up in since this was last asked.
    pub(super) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }
}

/// Answers how many bytes more there are.
fn put(place: &OnceLock<Box<Words>>, bytes: Option<&Page>) -> usize {
    let (words, grown) = match (place.get(), bytes) {
        (Some(words), _) => (words, 0),
        (None, None) => return 0,
        (None, Some(_)) => {
            let zeros = || Box::new([const { AtomicU64::new(0) }; WORDS]);
            (place.get_or_init(zeros), PAGE_BYTES)
        }
    };
    let (new, _) = bytes.unwrap_or(&[0; PAGE_BYTES]).as_chunks::<8>();
    for (word, new) in words.iter().zip(new) {
        let new = u64::from_be_bytes(*new);
        if word.load(Ordering::Relaxed) != new {
            word.store(new, Ordering::Relaxed);
        }
    }
    grown
}
