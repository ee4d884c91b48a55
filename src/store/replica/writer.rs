//! The thread of a replica that talks to the shared place: it takes in what others write, and writes what
//! waits here. Whoever else has to do with the copy reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Known;
use super::copy::{LocalCopy, Still};
use super::meeting::{Met, Unmet};
use super::remote::{Hold, Remote};
use super::sharing::Sharing;
use super::taking_in::{Taken, Trouble, take_in};
use crate::store::anchor::Anchoring;
use crate::store::engine::Stopped;
use crate::store::format::Tip;
use crate::store::view::View;
use crate::store::write_path::{self, Durable, Front, Waiting};
use crate::time::Clock;

/// After a failure the shared place is left alone for so long.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// So often it is said anew who leads, and for how long it holds.
const LEAD_EVERY: Duration = Duration::from_secs(1);
const LEAD_FOR: Duration = Duration::from_secs(3);

/// What the thread is told.
pub(super) enum Turn {
    Commit(Waiting),
    /// There may be something new in the shared place.
    News,
    End,
}

pub(super) struct Writer {
    pub(super) remote: Arc<dyn Remote>,
    pub(super) copy: Arc<dyn LocalCopy>,
    pub(super) known: Arc<Known>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) turns: Receiver<Turn>,
    /// Where the copy stands.
    pub(super) front: Front,
    pub(super) stage: Stage,
    /// This run of the process, and how many groups it has tried to write.
    pub(super) run: [u8; 16],
    pub(super) groups: u64,
    pub(super) failed: Option<Instant>,
    pub(super) led: Option<Instant>,
}

/// How far a replica has come.
pub(super) enum Stage {
    Unmet(Unmet),
    Met(Settling),
}

/// The thread that anchors what is in the copy, and shows it.
pub(super) struct Settling {
    durable: Sender<Durable<Still>>,
    thread: JoinHandle<()>,
}

impl Settling {
    pub(super) fn start(known: Arc<Known>, anchoring: Anchoring) -> std::io::Result<Self> {
        let (durable, settled) = mpsc::channel();
        let settle = move || {
            write_path::settle_all(&known.standing, anchoring, &settled, |rows, front| {
                known.show(View::new(rows, front));
            });
        };
        let thread = thread::Builder::new().name("store-anchor".to_owned());
        Ok(Self {
            durable,
            thread: thread.spawn(settle)?,
        })
    }
}

impl Writer {
    /// Runs until the engine is dropped.
    pub(super) fn run(mut self) {
        while let Ok(turn) = self.turns.recv() {
            let goes_on = match turn {
                Turn::Commit(first) => self.commit(first),
                Turn::News => {
                    self.known.poked.store(false, Ordering::Release);
                    self.look();
                    Goes::On
                }
                Turn::End => Goes::NoFurther,
            };
            if goes_on == Goes::NoFurther {
                break;
            }
            self.leads();
        }
        // Another one need not wait until it is over.
        if self.known.lead_until(None).is_some() && self.failed.is_none() {
            let _ = self.remote.lead(Duration::ZERO);
        }
        if let Stage::Met(Settling { durable, thread }) = self.stage {
            drop(durable);
            if thread.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }

    /// Takes in what others have written, where there is something.
    fn look(&mut self) {
        if self.known.standing.stopped().is_some() || self.has_just_failed() {
            return;
        }
        if let Err(trouble) = self.meets().and_then(|()| self.follows()) {
            self.troubled(trouble);
            return;
        }
        self.failed = None;
        self.known.standing.note(&self.copy.has_room());
    }

    fn follows(&mut self) -> Result<(), Trouble> {
        let there = self.remote.tip()?;
        let there = there.ok_or(Trouble::Wrong(Stopped::EmptyBesideAnchor))?;
        self.takes_in(&there)
    }

    /// Comes up, where the shared place was away before.
    fn meets(&mut self) -> Result<(), Trouble> {
        let Stage::Unmet(unmet) = &mut self.stage else {
            return Ok(());
        };
        let Met {
            front,
            identity,
            anchoring,
        } = unmet.meet(&*self.remote, &*self.copy)?;
        let settling = Settling::start(self.known.clone(), anchoring);
        let settling = settling.map_err(|_| Trouble::Wrong(Stopped::Ended))?;
        self.known.epoch.store(identity.epoch, Ordering::Release);
        self.stage = Stage::Met(settling);
        if front.tip != self.front.tip {
            self.settle(Durable::anew(front.clone(), self.copy.freeze()));
        }
        self.front = front;
        Ok(())
    }

    fn takes_in(&mut self, there: &Tip) -> Result<(), Trouble> {
        let (copy, known, stage) = (&self.copy, &self.known, &self.stage);
        take_in(
            &*self.remote,
            &**copy,
            &mut self.front,
            there,
            &mut |front, taken| {
                let (front, rows) = (front.clone(), copy.freeze());
                let durable = match taken {
                    Taken::Group(writes) => {
                        known.note_epoch(&writes);
                        Durable::of_another(front, rows, writes)
                    }
                    Taken::Anew => Durable::anew(front, rows),
                };
                stage.settle(durable);
            },
        )
    }

    fn settle(&self, durable: Durable<Still>) {
        self.stage.settle(durable);
    }

    /// Writes all that waits, up to the bounds of a group. What comes while the head row is waited for goes
    /// along.
    fn commit(&mut self, first: Waiting) -> Goes {
        let remote = self.remote.clone();
        match self.holds(&*remote) {
            Ok(hold) => {
                let (group, goes) = self.gather(first);
                self.write(hold, group);
                goes
            }
            Err(stopped) => {
                let (group, goes) = self.gather(first);
                write_path::refuse(group, &stopped);
                goes
            }
        }
    }

    fn gather(&self, first: Waiting) -> (Vec<Waiting>, Goes) {
        let mut goes = Goes::On;
        let group = write_path::gather(first, || {
            loop {
                match self.turns.try_recv() {
                    Ok(Turn::Commit(next)) => return Some(next),
                    // Others' groups were taken in with the head row.
                    Ok(Turn::News) => self.known.poked.store(false, Ordering::Release),
                    Ok(Turn::End) => {
                        goes = Goes::NoFurther;
                        return None;
                    }
                    Err(_) => return None,
                }
            }
        });
        (group, goes)
    }

    fn takes_writes(&mut self) -> Result<(), Stopped> {
        if let Some(stopped) = self.known.standing.stopped() {
            return Err(stopped);
        }
        if self.has_just_failed() {
            self.known.standing.takes_writes()?;
        }
        self.meets().map_err(|trouble| self.troubled(trouble))
    }

    /// Holds the head row, with everything before it in the copy.
    fn holds<'a>(&mut self, remote: &'a dyn Remote) -> Result<Box<dyn Hold + 'a>, Stopped> {
        self.takes_writes()?;
        let held = remote.hold().map_err(Trouble::from);
        let held = held.and_then(|(there, hold)| self.takes_in(&there).map(|()| hold));
        held.map_err(|trouble| self.troubled(trouble))
    }

    fn write(&mut self, hold: Box<dyn Hold + '_>, group: Vec<Waiting>) {
        self.groups += 1;
        let (copy, known) = (self.copy.clone(), self.known.clone());
        let mut sharing = Sharing {
            remote: &*self.remote,
            hold: Some(hold),
            copy: &*copy,
            known: &known,
            writer: (self.run, self.groups),
            cut_off: None,
        };
        let now = self.clock.now();
        let durable =
            write_path::commit(&mut sharing, &known.standing, &mut self.front, group, now);
        self.failed = sharing.cut_off;
        // Others may write before what was written here is shown.
        drop(sharing);
        if let Some(durable) = durable {
            self.settle(durable);
        }
    }

    fn has_just_failed(&self) -> bool {
        self.failed.is_some_and(|at| at.elapsed() < BETWEEN_TRIES)
    }

    /// What everybody is told of it.
    fn troubled(&mut self, trouble: Trouble) -> Stopped {
        let standing = &self.known.standing;
        let stopped = match trouble {
            Trouble::Away(reason) => {
                let away = Stopped::SharedPlaceAway(reason);
                if standing.takes_writes().is_ok() {
                    tracing::warn!(engine = %away, "changes are refused until it is back");
                }
                standing.note(&Err(away.clone()));
                self.known.lead_until(None);
                self.failed = Some(Instant::now());
                return away;
            }
            Trouble::Wrong(stopped) => stopped,
            Trouble::Copy(reason) => {
                self.copy.give_up();
                Stopped::WriteFailed(format!("the copy of the shared store: {reason}"))
            }
            Trouble::Unreadable(error) => Stopped::RowsUnreadable(error.to_string()),
        };
        standing.stop_for(stopped.clone());
        stopped
    }

    /// Says anew, every now and then, that somebody here does what one is enough for.
    fn leads(&mut self) {
        let is_due = self.led.is_none_or(|at| at.elapsed() >= LEAD_EVERY);
        if !is_due || self.failed.is_some() || self.known.standing.stopped().is_some() {
            return;
        }
        let now = Instant::now();
        self.led = Some(now);
        match self.remote.lead(LEAD_FOR) {
            Ok(leads) => {
                self.known.lead_until(leads.then_some(now + LEAD_FOR));
            }
            Err(error) => {
                self.troubled(error.into());
            }
        }
    }
}

impl Stage {
    /// In the order in which it came into the copy. Where the thread has panicked, nobody is answered, and
    /// whoever waits hears that the outcome is unknown.
    fn settle(&self, durable: Durable<Still>) {
        if let Self::Met(settling) = self
            && settling.durable.send(durable).is_err()
        {
            tracing::error!("the thread that anchors has ended");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
enum Goes {
    On,
    NoFurther,
}
