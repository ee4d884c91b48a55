//! Backups of a store in use, made in the background: one at a time, and whoever asks hears how far it is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thiserror::Error;
use tracing::{error, info, warn};

use super::error::BackupError;
use super::folder::Folder;
use super::making::{CopyStore, Made, NewBackup};
use super::manifest::Manifest;
use super::reading::Inspect;
use super::sealing::BackupKey;
use super::watch::{Step, Watch};
use crate::entropy::Entropy;
use crate::time::{Clock, Timestamp};

/// How backups are made here, as the configuration says.
pub struct HowBackups {
    /// Into this folder.
    pub folder: Folder,
    /// Where the store is copied to: on its own disk.
    pub copy: PathBuf,
    /// Copies it.
    pub copy_store: Box<CopyStore>,
    /// Sealed under this key.
    pub key: Option<BackupKey>,
    /// How many are kept.
    pub keep: Option<usize>,
    /// Origin of every id.
    pub public_url: String,
    /// The version of the program.
    pub program: &'static str,
    /// Reads what a copy holds.
    pub inspect: Box<Inspect>,
}

/// Makes backups of one store, which may be in use.
pub struct Backups {
    how: HowBackups,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
    /// The thread of the one that is under way, or was last.
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: AtomicBool,
}

/// How far the backup is that is under way, and what came of the last one.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The one under way.
    pub under_way: Option<Progress>,
    /// How many were begun by this process.
    pub begun: u64,
    /// What came of the last one that ended: what was made, or why none was.
    pub last: Option<Result<Made, String>>,
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// When it was begun.
    pub since: Timestamp,
    /// What is being done.
    pub step: Step,
    /// Bytes that are done in this step.
    pub done: u64,
    /// Bytes of this step; 0 where that is not known.
    pub total: u64,
}

/// Why a backup was not begun.
#[derive(Debug, Clone, Error)]
pub enum NotBegun {
    /// Another one is under way.
    #[error("a backup is under way since {0}; wait until it is done")]
    UnderWay(Timestamp),
    /// There is no thread for it, or the service stops.
    #[error("a backup cannot be begun now: {0}")]
    Unable(String),
}

impl Backups {
    /// Of this store.
    pub fn new(how: HowBackups, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Arc<Self> {
        Arc::new(Self {
            how,
            clock,
            entropy,
            state: Mutex::default(),
            thread: Mutex::default(),
            stop: AtomicBool::new(false),
        })
    }

    /// Begins a backup, and does not wait for it. Returns when it was begun.
    ///
    /// # Errors
    /// One is under way already.
    pub fn begin(self: &Arc<Self>) -> Result<Timestamp, NotBegun> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(NotBegun::Unable("the service stops".to_owned()));
        }
        let since = self.clock.now();
        {
            let mut state = locked(&self.state);
            if let Some(other) = &state.under_way {
                return Err(NotBegun::UnderWay(other.since));
            }
            state.begun += 1;
            state.under_way = Some(Progress {
                since,
                step: Step::Copying,
                done: 0,
                total: 0,
            });
        }
        let this = self.clone();
        let work = move || this.make();
        match thread::Builder::new().name("backup".to_owned()).spawn(work) {
            Ok(thread) => {
                *locked(&self.thread) = Some(thread);
                Ok(since)
            }
            Err(error) => {
                locked(&self.state).under_way = None;
                Err(NotBegun::Unable(error.to_string()))
            }
        }
    }

    /// How far it is.
    pub fn state(&self) -> State {
        locked(&self.state).clone()
    }

    /// The backups that are there, the oldest first.
    ///
    /// # Errors
    /// One of them is not as it was written.
    pub fn list(&self) -> Result<Vec<Manifest>, BackupError> {
        self.how.folder.manifests(self.how.key.as_ref())
    }

    /// Begins no more, and ends the one under way as soon as it can be. What was there before is as it was.
    pub fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Waits until none is under way any more, at most until then. What is left of one that is not waited
    /// for the next one removes.
    pub fn wait(&self, until: Instant) {
        const LOOK_EVERY: Duration = Duration::from_millis(10);
        let Some(thread) = locked(&self.thread).take() else {
            return;
        };
        while !thread.is_finished() {
            if Instant::now() >= until {
                return warn!("a backup is under way and is cut off");
            }
            thread::sleep(LOOK_EVERY);
        }
        if thread.join().is_err() {
            error!("the thread of a backup had panicked");
        }
    }

    fn make(&self) {
        // Whatever comes of it, it is not under way any longer.
        let _over = Over(self);
        let new = NewBackup {
            copy_store: &*self.how.copy_store,
            inspect: &*self.how.inspect,
            copy: &self.how.copy,
            folder: &self.how.folder,
            key: self.how.key.as_ref(),
            keep: self.how.keep,
            public_url: &self.how.public_url,
            program: self.how.program,
            clock: &*self.clock,
            entropy: &*self.entropy,
        };
        let made = new.make(&mut Followed(self));
        match &made {
            Ok(made) => info!(
                count = made.manifest.number,
                "a backup was made and read back"
            ),
            Err(problem) => error!(error = problem.kind(), "a backup could not be made"),
        }
        locked(&self.state).last = Some(made.map_err(|problem| problem.to_string()));
    }
}

struct Over<'a>(&'a Backups);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let mut state = locked(&self.0.state);
        if thread::panicking() {
            state.last = Some(Err("the backup ended in a fault of this program".to_owned()));
        }
        state.under_way = None;
    }
}

/// Tells the state how far it is.
struct Followed<'a>(&'a Backups);

impl Followed<'_> {
    fn tell(&self, change: impl FnOnce(&mut Progress)) -> Result<(), BackupError> {
        if let Some(progress) = &mut locked(&self.0.state).under_way {
            change(progress);
        }
        match self.0.stop.load(Ordering::SeqCst) {
            true => Err(BackupError::Stopped),
            false => Ok(()),
        }
    }
}

impl Watch for Followed<'_> {
    fn step(&mut self, step: Step) -> Result<(), BackupError> {
        self.tell(|progress| {
            if progress.step != step {
                *progress = Progress {
                    step,
                    done: 0,
                    total: 0,
                    ..*progress
                };
            }
        })
    }

    fn ahead(&mut self, bytes: u64) {
        // Whether it is to stop is asked at the next step.
        let _ = self.tell(|progress| progress.total = bytes);
    }

    fn went(&mut self, bytes: u64) -> Result<(), BackupError> {
        self.tell(|progress| progress.done += bytes)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
