//! What one request may ask of others: so many questions, and for so long, whatever its credential
//! names. Beyond that the answer is that it could not be had.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use thiserror::Error;

use super::elsewhere::Elsewhere;
use super::error::FetchError;
use super::fetched::Fetched;
use super::kind::Kind;
use super::queue::millis;
use super::shelf::{Kept, Key};
use crate::json;
use crate::status::{ListReference, StatusEntry, StatusError, StatusResult};
use crate::time::{Timestamp, Ttl};
use crate::vc::did::{Did, DidError};
use crate::verify::{
    self, CheckedList, Known, Resolver, SignedHere, Trust, Unresolved, WantedList, WantedOf,
};

/// How many questions one request may ask. What is known from before is no question.
const QUESTIONS: usize = 32;

/// How many lists a request holds for itself, beside those that are shared: with the largest, 32
/// MiB. Those that may not be kept are asked for once for all credentials of a presentation.
const OWN_LISTS: usize = 4;

/// The largest document in bytes of memory that a request holds for itself.
const OWN_DOCUMENT: usize = 256 << 10;

/// A list that was fetched as long ago as this is asked for again before it is called wrong.
/// Shorter, and a stranger's credential could have a good list fetched time and again.
const SECOND_LOOK: Ttl = Ttl::from_seconds(60);

/// Bytes of memory that every value of a JSON document is counted with.
const VALUE: usize = 160;

/// However old an answer is, as long as HTTP lets it be used.
const HOWEVER_OLD: Timestamp = Timestamp::EPOCH;

/// The questions of one request. No question is begun later than a fetch's time limit after the
/// request began, and each ends within that limit: all within twice of it.
pub(super) struct Session<'e> {
    elsewhere: &'e Elsewhere,
    began: Instant,
    asked: AtomicUsize,
    told: Mutex<Told>,
    /// Until when the documents may be used that were given since this was last reset.
    rests_until: AtomicI64,
}

/// What the request was told already. It is told the same for as long as it lasts.
#[derive(Default)]
struct Told {
    documents: HashMap<Key, Kept<Value>>,
    lists: HashMap<Key, Arc<CheckedList>>,
    failures: HashMap<Key, Unanswered>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Unanswered {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("one request may ask for {QUESTIONS} things elsewhere, and this is one more")]
    Questions,
    #[error("one request may ask for things elsewhere for {0} ms, and they are over")]
    Time(u64),
}

impl<'e> Session<'e> {
    pub(super) fn new(elsewhere: &'e Elsewhere) -> Self {
        Self {
            elsewhere,
            began: Instant::now(),
            asked: AtomicUsize::new(0),
            told: Mutex::default(),
            rests_until: AtomicI64::new(i64::MAX),
        }
    }
}

impl Resolver for Session<'_> {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        let kind = Kind::ControllerDocument;
        match url.parse::<Did>() {
            Ok(Did::Web(did)) => match did.document_url(self.elsewhere.localhost) {
                Ok(url) => self.document(&url, kind),
                Err(_) => Err(Unresolved::Refused),
            },
            // Those say all by themselves, and nobody is asked for one.
            Ok(Did::Key(_) | Did::Jwk(_)) => Err(Unresolved::NotFound),
            Err(DidError::Syntax(_)) => self.document(url, kind),
            Err(reason) => Err(Unresolved::Unreachable(reason.to_string())),
        }
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.document(url, Kind::KeySet)
    }

    fn hosted_status(&self, _: &str, _: &StatusEntry) -> Option<Result<StatusResult, StatusError>> {
        None
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&verify::Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        let key = Key {
            kind: kind_of(wanted.reference),
            url: wanted.reference.list().to_owned(),
            issuer: wanted.issuer.to_owned(),
        };
        let now = self.elsewhere.clock.now();
        if let Some(list) = self.known_list(&key, wanted.trust, now) {
            return Ok(list);
        }
        let kept = self.new_list(&key, now, check)?;
        let list = kept.thing.clone();
        let mut told = self.told();
        if told.lists.len() < OWN_LISTS {
            told.lists.insert(key.clone(), list.clone());
        }
        if wanted.trust == Trust::Published {
            self.elsewhere.lists.put(key, kept);
        }
        Ok(list)
    }

    fn newer(&self, url: &str) -> Result<verify::Fetched, Unresolved> {
        let key = Key::of(Kind::Credential, url);
        let fetched = self.ask(&key, HOWEVER_OLD)?;
        Ok(as_asked_for(url, &fetched))
    }

    fn signed_here(&self, _: &str, _: &Value) -> Option<SignedHere> {
        None
    }

    fn known(&self, _: &str, _: Option<WantedOf<'_>>) -> Option<Known> {
        None
    }
}

impl Session<'_> {
    fn document(&self, url: &str, kind: Kind) -> Result<Arc<Value>, Unresolved> {
        let key = Key::of(kind, url);
        let kept = match self.known_document(&key) {
            Some(kept) => kept,
            None => self.new_document(key)?,
        };
        let until = kept.until.millis();
        self.rests_until.fetch_min(until, Ordering::SeqCst);
        Ok(kept.thing)
    }

    fn known_document(&self, key: &Key) -> Option<Kept<Value>> {
        if let Some(kept) = self.told().documents.get(key) {
            return Some(kept.clone());
        }
        let kept = self.elsewhere.documents.last(key)?;
        kept.holds(self.elsewhere.clock.now()).then_some(kept)
    }

    fn new_document(&self, key: Key) -> Result<Kept<Value>, Unresolved> {
        let fetched = self.ask(&key, HOWEVER_OLD)?;
        let document = json::parse(&fetched.body);
        let document = document.map_err(|error| Unresolved::Malformed(error.to_string()))?;
        let kept = Kept {
            thing: Arc::new(document),
            from: fetched.fetched_at,
            until: fetched.fresh_until,
            bytes: footprint(&fetched.body),
        };
        if kept.bytes <= OWN_DOCUMENT {
            self.told().documents.insert(key.clone(), kept.clone());
        }
        self.elsewhere.documents.put(key, kept.clone());
        Ok(kept)
    }

    fn known_list(&self, key: &Key, trust: Trust, now: Timestamp) -> Option<Arc<CheckedList>> {
        if let Some(list) = self.told().lists.get(key) {
            return Some(list.clone());
        }
        match trust {
            Trust::Pinned => None,
            Trust::Published => {
                let kept = self.elsewhere.lists.last(key)?;
                kept.holds(now).then_some(kept.thing)
            }
        }
    }

    /// Fetches and checks a list. A copy that HTTP lets be used and the list itself does not, or
    /// that seems to be wrong, is asked for again, once.
    fn new_list(
        &self,
        key: &Key,
        now: Timestamp,
        check: &mut dyn FnMut(&verify::Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Kept<CheckedList>, StatusError> {
        let outlived = |kept: &Kept<CheckedList>| {
            let until = kept.thing.holds_until(kept.from);
            until.is_some_and(|until| until <= now)
        };
        let last = self.elsewhere.lists.last(key);
        let since = match last.is_some_and(|last| outlived(&last)) {
            true => now,
            false => HOWEVER_OLD,
        };
        let fetched = self.fetched_list(key, since)?;
        let checked = self.checked_list(key, &fetched, check);
        let too_old = match &checked {
            Ok(kept) => outlived(kept),
            Err(_) => fetched.fetched_at.plus(SECOND_LOOK) <= now,
        };
        match too_old && fetched.fetched_at < now {
            true => self.checked_list(key, &self.fetched_list(key, now)?, check),
            false => checked,
        }
    }

    fn fetched_list(&self, key: &Key, since: Timestamp) -> Result<Fetched, StatusError> {
        self.ask(key, since).map_err(|why| StatusError::Retrieval {
            list: key.url.clone(),
            reason: match why {
                Unanswered::Fetch(FetchError::Refused(why)) => {
                    format!("the policy here forbids it: {why}")
                }
                Unanswered::Fetch(FetchError::Unreachable(why)) => why.to_string(),
                why => why.to_string(),
            },
        })
    }

    /// Checks a list, and says until when it may be used: as long as HTTP says, as it says itself,
    /// and as long as the documents may that the check asked for.
    fn checked_list(
        &self,
        key: &Key,
        fetched: &Fetched,
        check: &mut dyn FnMut(&verify::Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Kept<CheckedList>, StatusError> {
        self.rests_until.store(i64::MAX, Ordering::SeqCst);
        let list = check(&as_asked_for(&key.url, fetched))?;
        let rests_until = Timestamp::from_millis(self.rests_until.load(Ordering::SeqCst));
        let until = fetched.fresh_until.min(rests_until);
        Ok(Kept {
            from: fetched.fetched_at,
            until: list
                .holds_until(fetched.fetched_at)
                .map_or(until, |own| own.min(until)),
            bytes: list.footprint(),
            thing: Arc::new(list),
        })
    }

    /// Asks, within what a request may. What policy forbids is no question.
    fn ask(&self, key: &Key, since: Timestamp) -> Result<Fetched, Unanswered> {
        let place = Key::of(key.kind, &key.url);
        if let Some(why) = self.told().failures.get(&place) {
            return Err(why.clone());
        }
        self.elsewhere.check_policy(&key.url)?;
        if self.asked.fetch_add(1, Ordering::SeqCst) >= QUESTIONS {
            return Err(Unanswered::Questions);
        }
        let span = self.elsewhere.span;
        if self.began.elapsed() >= span {
            return Err(Unanswered::Time(millis(span)));
        }
        let answer = self.elsewhere.fetch(&key.url, key.kind, since);
        answer.map_err(|why| {
            let why = Unanswered::from(why);
            self.told().failures.insert(place, why.clone());
            why
        })
    }

    /// Nothing is left half done under this lock.
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Unanswered> for Unresolved {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Fetch(FetchError::NotFound | FetchError::Gone) => Self::NotFound,
            Unanswered::Fetch(FetchError::Refused(_)) => Self::Refused,
            Unanswered::Fetch(FetchError::Unreachable(why)) => Self::Unreachable(why.to_string()),
            Unanswered::Fetch(FetchError::Unusable(why)) => Self::Malformed(why.to_string()),
            why @ (Unanswered::Fetch(FetchError::Busy)
            | Unanswered::Questions
            | Unanswered::Time(_)) => Self::Unreachable(why.to_string()),
        }
    }
}

const fn kind_of(reference: &ListReference) -> Kind {
    match reference {
        ListReference::Bitstring(_) => Kind::StatusList,
        ListReference::RevocationList(_) => Kind::RevocationList,
        ListReference::Token(_) => Kind::TokenStatusList,
    }
}

/// What was fetched, under the URL that was asked for: a list has to name itself by that one,
/// wherever a redirect led.
fn as_asked_for(url: &str, fetched: &Fetched) -> verify::Fetched {
    verify::Fetched {
        url: url.to_owned(),
        body: fetched.body.to_vec(),
    }
}

/// About how many bytes of memory a document takes: its texts, and its values. Each value but the
/// first follows one of these characters.
fn footprint(body: &[u8]) -> usize {
    let values = body.iter().filter(|byte| b",:[{".contains(byte)).count();
    body.len() + VALUE * (1 + values)
}
