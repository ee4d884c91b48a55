//! What a connection is doing, and for how long already: known without a timer for each. The connections
//! of a worker are looked over now and then, and one that takes too long is told to end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use crate::http::edge::Limits;

/// How long connections may take, in looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// The time between two looks.
    pub(super) pace: Duration,
    /// For a request's head to arrive.
    head: u32,
    /// Between a request and the next.
    idle: u32,
    /// For the reader of an answer to take more of it.
    unread: u32,
}

impl Patience {
    /// Looks often enough that nobody is given more than a tenth beyond the limit.
    pub(super) fn of(limits: &Limits) -> Self {
        let (head, idle) = (limits.head.millis(), limits.idle.millis());
        let pace = (head.min(idle) / 10).clamp(10, 500);
        let looks = |millis: u64| u32::try_from(millis / pace).unwrap_or(u32::MAX).max(1);
        Self {
            pace: Duration::from_millis(pace),
            head: looks(head),
            idle: looks(idle),
            unread: looks(limits.unread.millis()),
        }
    }
}

/// A connection, as whoever looks over it sees it. Its own task alone writes what it does.
pub(super) struct Watched {
    crowd: Arc<Crowd>,
    protocol: Protocol,
    /// How many requests are under way: on HTTP/1.1 one at most.
    under_way: AtomicU32,
    /// How many bodies have something to send that is not asked for.
    unread: AtomicU32,
    /// At which look something was sent last.
    moved: AtomicU32,
    doing: AtomicU8,
    /// At which look it began to do that.
    since: AtomicU32,
    /// Whether an answer waits for its reader; for how long that may go on is `unread.rs`'s affair.
    stuck: AtomicBool,
    told: AtomicU8,
    /// Of its task, once that has run.
    waker: OnceLock<Waker>,
}

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// One request after the other.
    Http1,
    /// Several at a time. Frames come and go between them, and the smallest ones say nothing.
    Http2,
}

/// So many bytes are more than what says nothing: pings, acknowledgements, windows.
const SAYS_SOMETHING: usize = 64;

/// What a connection does between requests.
const READS_HEAD: u8 = 0;
const IDLE: u8 = 1;

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// To go on.
    Nothing,
    /// To answer what is under way, and end.
    Finish,
    /// To end now.
    End,
}

const FINISH: u8 = 1;
const END: u8 = 2;

impl Watched {
    /// What it is told. It is woken when that changes.
    pub(super) fn told(&self, cx: &Context<'_>) -> Told {
        // The waker of a task stays the same.
        if self.waker.get().is_none() {
            self.waker.get_or_init(|| cx.waker().clone());
        }
        match self.told.load(Ordering::Acquire) {
            FINISH => Told::Finish,
            END => Told::End,
            _ => Told::Nothing,
        }
    }

    fn tell(&self, what: u8) {
        if self.told.fetch_max(what, Ordering::AcqRel) < what
            && let Some(waker) = self.waker.get()
        {
            waker.wake_by_ref();
        }
    }

    fn begins(&self, doing: u8) {
        self.doing.store(doing, Ordering::Relaxed);
        self.since.store(self.crowd.looks(), Ordering::Relaxed);
    }

    /// Bytes came in.
    pub(super) fn reads(&self) {
        if self.doing.load(Ordering::Relaxed) == IDLE && self.protocol == Protocol::Http1 {
            self.begins(READS_HEAD);
        }
    }

    /// So many bytes went out.
    pub(super) fn writes(&self, bytes: usize) {
        self.stuck.store(false, Ordering::Relaxed);
        if self.protocol == Protocol::Http2 && bytes < SAYS_SOMETHING {
            return;
        }
        self.moved.store(self.crowd.looks(), Ordering::Relaxed);
        if self.doing.load(Ordering::Relaxed) == IDLE {
            self.begins(IDLE);
        }
    }

    /// Bytes that are to go out have to wait.
    pub(super) fn waits(&self) {
        self.stuck.store(true, Ordering::Relaxed);
    }

    /// A head is read: until the answer is handed over the request is under way.
    pub(super) fn request(self: &Arc<Self>) -> UnderWay {
        let more = self.under_way.load(Ordering::Relaxed) + 1;
        self.under_way.store(more, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    fn is_overdue(&self, patience: &Patience) -> bool {
        let looks = self.crowd.looks();
        let passed = |since: &AtomicU32| looks.wrapping_sub(since.load(Ordering::Relaxed));
        if self.unread.load(Ordering::Relaxed) > 0 && passed(&self.moved) > patience.unread {
            return true;
        }
        if self.under_way.load(Ordering::Relaxed) > 0 || self.stuck.load(Ordering::Relaxed) {
            return false;
        }
        let most = match self.doing.load(Ordering::Relaxed) {
            IDLE => patience.idle,
            _ => patience.head,
        };
        passed(&self.since) > most
    }

    /// Tells it to end: at once, or where others could not tell which requests were answered, once it has
    /// said so.
    fn end(&self) {
        let first = self.told.load(Ordering::Relaxed) == 0;
        if self.protocol == Protocol::Http2 && first {
            self.since.store(self.crowd.looks(), Ordering::Relaxed);
            self.moved.store(self.crowd.looks(), Ordering::Relaxed);
            self.tell(FINISH);
        } else {
            self.tell(END);
        }
    }
}

/// A request that is not answered yet.
pub(super) struct UnderWay(Arc<Watched>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let left = self.0.under_way.load(Ordering::Relaxed).saturating_sub(1);
        self.0.under_way.store(left, Ordering::Relaxed);
        if left == 0 {
            self.0.begins(IDLE);
        }
    }
}

/// A body with something to send, until it is asked for that.
pub(super) struct Unread(Arc<Watched>);

impl UnderWay {
    pub(super) fn unread(&self) -> Unread {
        let watched = self.0.clone();
        let more = watched.unread.load(Ordering::Relaxed) + 1;
        watched.unread.store(more, Ordering::Relaxed);
        watched
            .moved
            .store(watched.crowd.looks(), Ordering::Relaxed);
        Unread(watched)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let left = self.0.unread.load(Ordering::Relaxed).saturating_sub(1);
        self.0.unread.store(left, Ordering::Relaxed);
    }
}

/// The connections of one worker.
#[derive(Default)]
pub(super) struct Crowd {
    /// How often they were looked over, which is their clock.
    looks: AtomicU32,
    opened: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    connections: HashMap<u64, Arc<Watched>>,
    /// Whether those that are opened now are told to finish as well.
    finishing: bool,
}

/// A connection that is among those looked over for as long as this is there.
pub(super) struct Member {
    pub(super) watched: Arc<Watched>,
    number: u64,
}

impl Crowd {
    pub(super) fn join(self: &Arc<Self>, protocol: Protocol) -> Member {
        let doing = match protocol {
            Protocol::Http1 => READS_HEAD,
            Protocol::Http2 => IDLE,
        };
        let watched = Arc::new(Watched {
            crowd: self.clone(),
            protocol,
            under_way: AtomicU32::new(0),
            unread: AtomicU32::new(0),
            moved: AtomicU32::new(self.looks()),
            doing: AtomicU8::new(doing),
            since: AtomicU32::new(self.looks()),
            stuck: AtomicBool::new(false),
            told: AtomicU8::new(0),
            waker: OnceLock::new(),
        });
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open();
        if open.finishing {
            watched.tell(FINISH);
        }
        open.connections.insert(number, watched.clone());
        Member { watched, number }
    }

    /// Looks over all of them, and ends those that take too long.
    pub(super) fn look(&self, patience: &Patience) {
        self.looks.fetch_add(1, Ordering::Relaxed);
        for connection in self.open().connections.values() {
            if connection.is_overdue(patience) {
                connection.end();
            }
        }
    }

    /// Tells all of them to finish, and those that come later too.
    pub(super) fn finish(&self) {
        let mut open = self.open();
        open.finishing = true;
        for connection in open.connections.values() {
            connection.tell(FINISH);
        }
    }

    fn looks(&self) -> u32 {
        self.looks.load(Ordering::Relaxed)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.watched.crowd.open().connections.remove(&self.number);
    }
}
