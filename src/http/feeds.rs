//! The open change feeds.
//!
//! One task follows the log and keeps the newest publication of each of the lists that were
//! published last. It is woken by the registry's bell, and looks each second besides. Each feed has a place in the log and is told, of
//! each list published behind it, the newest publication, in the order of the log; so a reader that
//! falls behind is told less and misses no list, and whatever event it read last, it can go on
//! behind that. One whose place is further back than what is kept reads the log itself, page by
//! page, a few feeds at a time, until it is there.
//!
//! Between a feed and its reader stands one piece of text: where the reader takes nothing, its feed
//! waits, and after a while the connection is cut off (`unread.rs`).
//!
//! The ids that are told are those of publications, places where this process began to follow, and
//! for who comes from far behind the ends of the pages between: at the end of the log nobody sees it
//! move by what is not published.

mod recent;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, warn};

use super::edge::Limits;
use super::feed::{Follow, HEARTBEAT, beginning, event, nothing_until};
use super::problem::Problem;
use crate::ids::Seq;
use crate::registry::{Listener, More, Publications, Registry, RegistryError};
use recent::{Recent, Recently};

/// Everything that the feeds share.
pub(super) struct Feeds {
    registry: Arc<Registry>,
    recent: Mutex<Recent>,
    state: watch::Sender<State>,
    /// Wakes the task that follows the log.
    wake: Arc<Notify>,
    /// What the registry rings, for as long as this is there.
    _bell: Arc<Listener>,
    open: Arc<Semaphore>,
    most_open: usize,
    heartbeat: Duration,
    /// Where feeds run, wherever they are opened.
    runtime: Handle,
    /// A permit is held for each page of the log that a feed reads by itself.
    catching_up: Semaphore,
}

/// How the following goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The log was followed to this place.
    Follows(Seq),
    /// The log cannot be read: a feed that went on would seem to say that nothing is published.
    Fails,
    /// For good.
    Stopped,
}

/// The log is looked at after so long without a ring.
const SLOW_PACE: Duration = Duration::from_secs(1);
/// So many events of the log are read at a time.
const PAGE: usize = 10_000;
/// Where so many events were logged while nobody listened, they are left to those who ask for them.
const FURTHEST: u64 = 100_000;
/// So many feeds read the log by themselves at a time.
const CATCHING_UP_AT_A_TIME: usize = 2;

impl Feeds {
    /// Begins to follow the log where it ends now.
    pub(super) fn start(registry: Arc<Registry>, limits: &Limits) -> Arc<Self> {
        let wake = Arc::new(Notify::new());
        let rung = wake.clone();
        let bell: Arc<Listener> = Arc::new(move || rung.notify_one());
        registry.when_published(&bell);
        let begins = registry.newest_event();
        let most_open = limits.feeds.min(limits.connections / 2);
        let feeds = Arc::new(Self {
            registry,
            recent: Mutex::new(Recent::since(begins)),
            state: watch::Sender::new(State::Follows(begins)),
            wake,
            _bell: bell,
            open: Arc::new(Semaphore::new(most_open)),
            most_open,
            heartbeat: Duration::from_millis(limits.feed_heartbeat.millis()),
            runtime: Handle::current(),
            catching_up: Semaphore::new(CATCHING_UP_AT_A_TIME),
        });
        tokio::spawn(feeds.clone().keep_up());
        feeds
    }

    /// Ends every feed, and opens no more.
    pub(super) fn end(&self) {
        self.state.send_replace(State::Stopped);
    }

    /// Opens a feed, where there is room for one more.
    pub(super) fn open(self: &Arc<Self>, follow: Follow) -> Result<Told, Problem> {
        let full = || refused("as many change feeds are open as are served at a time");
        let permit = self.open.clone().try_acquire_owned().map_err(|_| full())?;
        let state = self.state.subscribe();
        match *state.borrow() {
            State::Follows(_) => {}
            State::Fails => return Err(refused("the log cannot be read now")),
            State::Stopped => return Err(refused("the service stops")),
        }
        let (place, read) = match follow {
            Follow::Behind(read) => (read, read),
            Follow::FromNow(newest) => (newest, self.recent().newest_told().min(newest)),
        };
        // One piece waits while the next one is put together.
        let (out, told) = mpsc::channel(1);
        let feed = Feed {
            feeds: self.clone(),
            place,
            out,
            state,
            heartbeat_at: Instant::now() + self.heartbeat,
            _permit: permit,
        };
        self.runtime.spawn(feed.run(beginning(read)));
        // Nobody may have listened until now.
        self.wake.notify_one();
        Ok(Told(told))
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the log as long as anybody listens, until the service stops.
    async fn keep_up(self: Arc<Self>) {
        let mut state = self.state.subscribe();
        loop {
            tokio::select! {
                () = turned(&mut state, |state| state == State::Stopped) => return,
                () = self.wake.notified() => {}
                () = sleep(SLOW_PACE) => {}
            }
            let failed = *self.state.borrow() == State::Fails;
            if self.open.available_permits() == self.most_open && !failed {
                continue;
            }
            let feeds = self.clone();
            let followed = tokio::task::spawn_blocking(move || feeds.advance()).await;
            match followed.map_err(|_| "a panic".to_owned()) {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => self.fails(&problem.kind()),
                Err(problem) => self.fails(&problem),
            }
        }
    }

    /// Takes in what the log has behind the place that was followed to.
    fn advance(&self) -> Result<(), RegistryError> {
        loop {
            let (place, newest) = (self.recent().end(), self.registry.newest_event());
            if newest.0.saturating_sub(place.0) > FURTHEST {
                *self.recent() = Recent::since(newest);
                self.says(State::Follows(newest));
                return Ok(());
            }
            let page = self.registry.published_since(place, PAGE)?;
            self.recent().takes_in(&page);
            self.says(State::Follows(page.looked_to));
            if page.more == More::No {
                return Ok(());
            }
        }
    }

    fn fails(&self, kind: &str) {
        if *self.state.borrow() != State::Fails {
            error!(error = kind, "the log cannot be followed; change feeds end");
        }
        self.says(State::Fails);
    }

    /// Tells every feed, unless it has been told to stop.
    fn says(&self, new: State) {
        self.state.send_if_modified(|state| {
            let news = *state != new && *state != State::Stopped;
            if news {
                *state = new;
            }
            news
        });
    }
}

fn refused(detail: &str) -> Problem {
    let problem = Problem::new(503, "no-feed", "No change feed now", detail);
    problem.header("Retry-After", "5")
}

/// Returns when the state is such, or when nobody is left to say so.
async fn turned(state: &mut watch::Receiver<State>, such: impl Fn(State) -> bool) {
    let _ = state.wait_for(|state| such(*state)).await;
}

/// What a feed tells, as it comes: the body of an answer. Dropping it ends the feed.
pub(super) struct Told(mpsc::Receiver<Bytes>);

impl warp::Stream for Told {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|told| told.map(Ok))
    }
}

/// One open feed.
struct Feed {
    feeds: Arc<Feeds>,
    /// Everything up to here is told.
    place: Seq,
    out: mpsc::Sender<Bytes>,
    state: watch::Receiver<State>,
    heartbeat_at: Instant,
    _permit: OwnedSemaphorePermit,
}

/// What a feed does next.
enum Next {
    /// Sends this.
    Send(Bytes),
    /// Looks on: this far there was nothing to tell.
    LookOn,
    /// Waits for news.
    Wait,
}

/// The reader has gone, or there is nothing that could be told.
struct Ended;

impl Feed {
    async fn run(mut self, beginning: Bytes) {
        let mut state = self.state.clone();
        let out = self.out.clone();
        tokio::select! {
            () = turned(&mut state, |state| !matches!(state, State::Follows(_))) => {}
            () = out.closed() => {}
            Err(Ended) = self.tell(beginning) => {}
        }
    }

    async fn tell(&mut self, beginning: Bytes) -> Result<Infallible, Ended> {
        self.send(beginning).await?;
        loop {
            // Seen before anything is looked at: whatever comes later is a change of it.
            self.state.borrow_and_update();
            match self.next().await? {
                Next::Send(piece) => self.send(piece).await?,
                Next::LookOn if Instant::now() < self.heartbeat_at => {}
                Next::LookOn => self.send(HEARTBEAT).await?,
                Next::Wait => tokio::select! {
                    changed = self.state.changed() => changed.map_err(|_| Ended)?,
                    () = sleep_until(self.heartbeat_at) => self.send(HEARTBEAT).await?,
                },
            }
        }
    }

    async fn send(&mut self, piece: Bytes) -> Result<(), Ended> {
        self.out.send(piece).await.map_err(|_| Ended)?;
        self.heartbeat_at = Instant::now() + self.feeds.heartbeat;
        Ok(())
    }

    async fn next(&mut self) -> Result<Next, Ended> {
        let recently = self.feeds.recent().behind(self.place);
        match recently {
            Recently::Told { piece, to } => {
                self.place = to;
                Ok(Next::Send(piece))
            }
            Recently::Nothing { to } => {
                self.place = to;
                Ok(Next::Wait)
            }
            Recently::NotKept => {
                let page = self.page().await?;
                self.place = page.looked_to;
                Ok(match (page.found.is_empty(), page.more) {
                    (false, _) => Next::Send(events(&page)),
                    (true, More::Perhaps) => Next::Send(nothing_until(page.looked_to)),
                    (true, More::No) => Next::LookOn,
                })
            }
        }
    }

    /// The page of the log behind this feed's place.
    async fn page(&self) -> Result<Publications, Ended> {
        let _turn = self.feeds.catching_up.acquire().await;
        let (registry, place) = (self.feeds.registry.clone(), self.place);
        let read = tokio::task::spawn_blocking(move || registry.published_since(place, PAGE));
        match read.await {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(problem)) => {
                warn!(
                    error = problem.kind(),
                    "a change feed ends, since it cannot read the log"
                );
                Err(Ended)
            }
            Err(_) => Err(Ended),
        }
    }
}

fn events(page: &Publications) -> Bytes {
    let mut piece = BytesMut::new();
    for told in &page.found {
        piece.extend_from_slice(&event(told));
    }
    piece.freeze()
}
