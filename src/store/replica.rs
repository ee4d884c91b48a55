//! A store that several processes share: each is a replica, with a copy of all rows beside it that it reads
//! from, and commits through the shared place (`remote`).
//!
//! A commit goes the way of every engine (`write_path`). One thread gathers what waits, holds the head row of
//! the shared place, so that nobody else writes, takes in what others wrote before (`taking_in`), stages the
//! group on a copy that is the newest state then, and hands it over (`sharing`); the second one anchors,
//! shows and answers. What others write goes the same way, without answers. A third thread waits for word of
//! it.
//!
//! Reads never need the shared place. While it is away changes are refused, and taken again when it is
//! back. Where it comes back without something that was acknowledged here, or with another history, this
//! replica takes no more changes, and goes on to be read.

pub(in crate::store) mod bytes;
pub(in crate::store) mod copy;
mod meeting;
pub mod model;
pub(in crate::store) mod remote;
mod sharing;
mod taking_in;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use self::copy::{LocalCopy, Still};
use self::meeting::{Met, Unmet};
use self::remote::Remote;
use self::taking_in::Trouble;
use self::writer::{Settling, Stage, Turn, Writer};
use super::anchor::AnchorPlace;
use super::anchor::file::AnchorFile;
use super::engine::{
    Batch, CommitError, Decision, Engine, Head, LoggedEvent, Read, Row, Stopped, StoreError,
};
use super::following::{Follower, Tables};
use super::format::{self, Identity, Tip};
use super::opening;
use super::queued::Queued;
use super::rocks::Place;
use super::rocks::copy::OnDisk;
use super::rocks::scrub::Scrub;
use super::staging::Writes;
use super::view::{View, reads_through};
use super::write_path::{Front, Standing, Waiting};
use crate::ids::Seq;
use crate::metrics;
use crate::time::Clock;

/// So often the shared place is asked whether there is something new, where no word of it comes earlier.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// And not more often than that, however much comes.
const LOOKS_APART: Duration = Duration::from_millis(5);

/// The engine of one replica.
///
/// Dropping it lets the commits that wait finish, and ends its threads.
pub struct ReplicaEngine {
    known: Arc<Known>,
    copy: Arc<dyn LocalCopy>,
    writer: Option<JoinHandle<()>>,
    listener: Option<JoinHandle<()>>,
    /// What goes through all rows of a copy on a disk.
    scrub: Option<Scrub>,
}

/// What the threads of a replica have in common.
struct Known {
    standing: Standing,
    /// What readers see.
    shown: ArcSwap<View<Still>>,
    /// Whoever waits for something to be shown waits here.
    showing: (Mutex<()>, Condvar),
    epoch: AtomicU32,
    turns: Sender<Turn>,
    /// Whether the writer has been told to look, and has not done so yet.
    poked: AtomicBool,
    ending: AtomicBool,
    leads_until: Mutex<Option<Instant>>,
}

/// What a replica is made of.
struct Parts {
    remote: Arc<dyn Remote>,
    copy: Arc<dyn LocalCopy>,
    anchor: Box<dyn AnchorPlace>,
    /// Random bytes, others at each start.
    new_id: [u8; 16],
    decision: Decision,
    clock: Arc<dyn Clock>,
}

impl ReplicaEngine {
    /// Opens the replica whose copy and anchor are at `place`, and makes the store where the shared place has
    /// none. The id that `place` has for it has to be other random bytes at each start. A copy that cannot be
    /// used, or that the shared place cannot bring up to date, is thrown away and read anew. While the shared
    /// place is away, it comes up on its copy.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the folder of the copy cannot be used, or where the shared place is away
    /// and there is no copy.
    /// [`StoreError::NoWrites`] where the shared place does not hold what was acknowledged, and there is no copy.
    /// [`StoreError::Format`] and [`StoreError::Corrupt`] where it does not hold a store of this program's.
    pub(in crate::store) fn open(
        place: &Place,
        remote: Box<dyn Remote>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let remote = Arc::<dyn Remote>::from(remote);
        let parts = || -> Result<Parts, StoreError> {
            Ok(Parts {
                remote: remote.clone(),
                copy: Arc::new(OnDisk::open(place)?),
                anchor: Box::new(AnchorFile::at(&place.anchor)),
                new_id: place.new_id,
                decision: place.decision,
                clock: clock.clone(),
            })
        };
        let started = match Self::start(parts()?) {
            Err(Trouble::Copy(reason)) => {
                tracing::warn!(engine = %reason, "the copy of the shared store cannot be used, and is read anew");
                Self::start(parts()?)
            }
            started => started,
        };
        let mut engine = started.map_err(|trouble| not_opened(trouble, &place.store))?;
        engine.scrub = Some(engine.scrubbed()?);
        Ok(engine)
    }

    /// Damage that nobody comes across is noticed. The next start reads the copy anew.
    fn scrubbed(&self) -> Result<Scrub, StoreError> {
        let (known, copy, shown) = (self.known.clone(), self.copy.clone(), self.known.clone());
        let found = move |stopped| {
            copy.give_up();
            known.standing.stop_for(stopped);
        };
        let scrub = Scrub::start(move || shown.shown.load_full(), found);
        scrub.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn start(parts: Parts) -> Result<Self, Trouble> {
        let mut unmet = Unmet {
            anchor: Some(parts.anchor),
            new_id: parts.new_id,
            decision: parts.decision,
        };
        let met = unmet.meet(&*parts.remote, &*parts.copy);
        let (front, identity, met) = match met {
            Ok(Met {
                front,
                identity,
                anchoring,
            }) => (front, identity, Ok(anchoring)),
            Err(Trouble::Copy(reason)) => {
                parts.copy.give_up();
                return Err(Trouble::Copy(reason));
            }
            Err(trouble) => {
                let (tip, identity) = serves(&*parts.copy, &trouble).ok_or(trouble.clone())?;
                (Front::at(tip), identity, Err(trouble))
            }
        };
        let (turns, taken) = mpsc::channel();
        let first = View::new(parts.copy.freeze(), front.clone());
        let known = Arc::new(Known::new(first, identity, turns));
        let stage = match met {
            Ok(anchoring) => {
                let settling = Settling::start(known.clone(), anchoring);
                Stage::Met(settling.map_err(|_| Trouble::Wrong(Stopped::Ended))?)
            }
            Err(trouble) => {
                match trouble {
                    Trouble::Wrong(stopped) => known.standing.stop_for(stopped),
                    Trouble::Away(reason) | Trouble::Copy(reason) => {
                        known.standing.note(&Err(Stopped::SharedPlaceAway(reason)));
                    }
                    Trouble::Unreadable(error) => return Err(Trouble::Unreadable(error)),
                }
                Stage::Unmet(unmet)
            }
        };
        let writer = Writer {
            remote: parts.remote.clone(),
            copy: parts.copy.clone(),
            known: known.clone(),
            clock: parts.clock,
            turns: taken,
            front,
            stage,
            run: parts.new_id,
            groups: 0,
            failed: None,
            led: None,
        };
        let mut engine = Self {
            known: known.clone(),
            copy: parts.copy,
            writer: None,
            listener: None,
            scrub: None,
        };
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let started = |_| Trouble::Wrong(Stopped::Ended);
        let write = named("store-writer").spawn(move || writer.run());
        engine.writer = Some(write.map_err(started)?);
        let listen = named("store-news").spawn(move || listen(&known, &*parts.remote));
        engine.listener = Some(listen.map_err(started)?);
        // It may lead.
        engine.known.poke();
        Ok(engine)
    }

    fn shown(&self) -> Arc<View<Still>> {
        self.known.shown.load_full()
    }
}

/// Where a copy stands that is read although the shared place cannot be used.
fn serves(copy: &dyn LocalCopy, trouble: &Trouble) -> Option<(Tip, Identity)> {
    match trouble {
        Trouble::Away(_) => meeting::whole(copy),
        Trouble::Wrong(_) => opening::stand_of_copy(copy).ok()?,
        Trouble::Copy(_) | Trouble::Unreadable(_) => None,
    }
}

fn not_opened(trouble: Trouble, folder: &Path) -> StoreError {
    match trouble {
        Trouble::Away(reason) => StoreError::Unavailable(format!(
            "the database that all replicas share cannot be reached, and {} holds no whole copy of it: {reason}",
            folder.display()
        )),
        Trouble::Wrong(stopped) => StoreError::NoWrites(stopped),
        Trouble::Copy(reason) => StoreError::Unavailable(format!(
            "the copy in {} cannot be used: {reason}",
            folder.display()
        )),
        Trouble::Unreadable(error) => error,
    }
}

/// Tells the writer to look whenever there may be something new.
fn listen(known: &Known, remote: &dyn Remote) {
    while !known.ending.load(Ordering::Acquire) {
        let began = Instant::now();
        remote.wait_for_news(LOOKS_EVERY);
        known.poke();
        if let Some(rest) = LOOKS_APART.checked_sub(began.elapsed()) {
            thread::park_timeout(rest);
        }
    }
}

impl Known {
    fn new(first: View<Still>, identity: Identity, turns: Sender<Turn>) -> Self {
        Self {
            standing: Standing::new(None),
            shown: ArcSwap::from_pointee(first),
            showing: (Mutex::new(()), Condvar::new()),
            epoch: AtomicU32::new(identity.epoch),
            turns,
            poked: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            leads_until: Mutex::new(None),
        }
    }

    fn show(&self, view: View<Still>) {
        self.shown.store(Arc::new(view));
        // Whoever found the one before is waiting by now, or finds this one.
        drop(
            self.showing
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.showing.1.notify_all();
    }

    fn seq(&self) -> Seq {
        self.shown.load().tip().head.seq
    }

    /// Has the writer look for what is new; once is enough however often it is told.
    fn poke(&self) {
        if !self.poked.swap(true, Ordering::AcqRel) {
            // A writer that has ended looks no more.
            let _ = self.turns.send(Turn::News);
        }
    }

    fn note_epoch(&self, writes: &Writes) {
        let row = writes.get(&format::epoch_key()).cloned().flatten();
        if let Some(epoch) = row.and_then(|row| <[u8; 4]>::try_from(row).ok()) {
            self.epoch
                .store(u32::from_be_bytes(epoch), Ordering::Release);
        }
    }

    /// From now on this replica leads so long; says how long it did before.
    fn lead_until(&self, until: Option<Instant>) -> Option<Instant> {
        let leads = self.leads_until.lock();
        let mut leads = leads.unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *leads, until)
    }
}

impl fmt::Debug for ReplicaEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicaEngine")
            .field("head", &self.head())
            .field("standing", &self.known.standing)
            .finish_non_exhaustive()
    }
}

impl Drop for ReplicaEngine {
    fn drop(&mut self) {
        drop(self.scrub.take());
        self.known.ending.store(true, Ordering::Release);
        let _ = self.known.turns.send(Turn::End);
        for thread in [self.writer.take(), self.listener.take()]
            .into_iter()
            .flatten()
        {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}

reads_through!(<> ReplicaEngine, |this| this.known.shown.load());

impl Engine for ReplicaEngine {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        Box::new(self.shown())
    }

    fn queue(&self, batch: Batch) -> Queued {
        let (answer, queued) = Queued::waits();
        let waiting = Waiting::new(&self.known.standing, batch, answer);
        match self.known.turns.send(Turn::Commit(waiting)) {
            Ok(()) => queued,
            Err(_) => {
                let stopped = self.takes_writes().err().unwrap_or(Stopped::Ended);
                Queued::settled(Err(CommitError::Unavailable(stopped.to_string())))
            }
        }
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        self.known.standing.follow(follower, self.shown().tip());
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        self.known.standing.takes_writes()?;
        self.copy.has_room()?;
        match self.writer.as_ref().is_none_or(JoinHandle::is_finished) {
            false => Ok(()),
            true => Err(Stopped::Ended),
        }
    }

    fn epoch(&self) -> u32 {
        self.known.epoch.load(Ordering::Acquire)
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        self.copy.purge(ranges)
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        if let Some(stopped) = self.known.standing.stopped() {
            return Err(StoreError::NoWrites(stopped));
        }
        self.copy.copy_to(folder)
    }

    fn measured(&self) -> Option<Arc<metrics::Writes>> {
        Some(self.known.standing.measured.clone())
    }

    fn head(&self) -> Head {
        self.known.shown.load().tip().head
    }

    fn reaches(&self, seq: Seq, until: Instant) -> bool {
        if self.known.seq() >= seq {
            return true;
        }
        self.known.poke();
        let (showing, shown) = &self.known.showing;
        let mut guard = showing.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.known.seq() >= seq {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = shown.wait_timeout(guard, left);
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn leads(&self) -> bool {
        let until = *self
            .known
            .leads_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes(&*self.shown(), since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        format::changes_of(&*self.shown(), who, since, limit)
    }
}
