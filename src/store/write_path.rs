//! The way of a change into the store, from beginning to end. Every engine goes it through these
//! functions, and what a crash leaves behind at any step is found by [`opening::open`](super::opening::open),
//! which ends with the same third step.
//!
//! 1. **Stage.** What waits is decided as one group, without side effects ([`staging`]). A crash here
//!    leaves nothing.
//! 2. **Commit.** The rows of the whole group – state, events, answers under idempotency keys – are one
//!    batch and one disk sync. A crash before the sync may leave all of it or nothing; nobody was told
//!    anything. After it the store is ahead of its anchor, and the next start anchors what it finds.
//! 3. **Anchor.** The place in the log that the group reaches is written beside the store
//!    ([`anchor`](super::anchor)), and synced. From here on a store that does not hold the group is
//!    noticed. Then readers see it, and the publisher with them, never before; and who keeps rows in
//!    memory is handed it ([`following`](super::following)). A crash here leaves a
//!    change that nobody was told of: whoever asks again under its idempotency key gets its answer.
//! 4. **Acknowledge.** Whoever waits is answered, conflicts too: what they lost to can be read by now.
//! 5. **Publish.** The registry signs the lists whose bits changed (`registry::lists::publisher`). What
//!    a crash leaves unpublished stands among the dirty lists, which were written in step 2.
//!
//! While one group is anchored the next is staged and committed already, on rows that nobody sees yet.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::anchor::Anchoring;
use super::engine::{Batch, CommitError, Committed, Held, Read, Stopped};
use super::following::{By, Follower, Followers, Marks};
use super::format::Tip;
use super::staging::{self, Writes};
use crate::time::Timestamp;

/// What an engine gives the write path.
pub(super) trait Disk {
    /// What readers are shown when a group is anchored.
    type Shown;

    /// All that was committed, whether it is anchored or not.
    fn committed(&self) -> &dyn Read;

    /// Whether there is room for more.
    fn has_room(&self) -> Result<(), Stopped>;

    /// Writes all of it or nothing, and returns when it is durable. After an error nobody knows which.
    fn write(&mut self, writes: &Writes) -> Result<Self::Shown, String>;
}

/// A commit that waits. Its caller blocks on the answer, so there are never more of them than
/// threads that commit.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) answer: SyncSender<Answer>,
}

/// What somebody who waits is told.
pub(super) type Answer = Result<Committed, CommitError>;

/// Where the store stands with all that was committed, anchored or not.
#[derive(Debug, Clone)]
pub(super) struct Front {
    pub(super) tip: Tip,
    /// When each table was written last.
    pub(super) marks: Marks,
}

impl Front {
    /// Of a store that has just come up.
    pub(super) fn at(tip: Tip) -> Self {
        let marks = Marks::at(tip.commits);
        Self { tip, marks }
    }
}

/// A group that is durable and not anchored yet.
pub(super) struct Durable<S> {
    /// What was written, and what readers will see; `None` where nothing had to be written.
    done: Option<Done<S>>,
    answers: Vec<(SyncSender<Answer>, Answer)>,
}

struct Done<S> {
    /// Where the store stands with it.
    front: Front,
    shown: S,
    writes: Writes,
}

/// What everybody may know of an open store.
#[derive(Debug)]
pub(super) struct Standing {
    /// Why it takes no more writes, for good.
    stopped: OnceLock<Stopped>,
    /// Why it takes none for the time being.
    full: Mutex<Option<Stopped>>,
    /// Who is handed what is committed.
    pub(super) followers: Followers,
}

impl Standing {
    pub(super) fn new(stopped: Option<Stopped>) -> Self {
        Self {
            stopped: stopped.map_or_else(OnceLock::new, OnceLock::from),
            full: Mutex::new(None),
            followers: Followers::default(),
        }
    }

    /// From now on `follower` is handed what is committed to a store that stands there.
    pub(super) fn follow(&self, follower: Arc<dyn Follower>, tip: &Tip) {
        follower.begin_anew(tip.commits);
        self.followers.add(follower);
    }

    /// Why no more writes are taken, for good.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.stopped.get().cloned()
    }

    /// Why none are taken now, for good or for the time being.
    pub(super) fn takes_writes(&self) -> Result<(), Stopped> {
        if let Some(stopped) = self.stopped() {
            return Err(stopped);
        }
        let full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        full.clone().map_or(Ok(()), Err)
    }

    fn note_room(&self, room: &Result<(), Stopped>) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        *full = room.clone().err();
    }

    /// Before anybody is answered, so that whoever hears of the error finds it here.
    fn stop(&self, reason: &str) {
        tracing::error!(engine = %reason, "a write to the store failed; it takes no more writes");
        self.stopped
            .get_or_init(|| Stopped::WriteFailed(reason.to_owned()));
    }

    /// What was found while the store was open: no more writes are taken from now on.
    #[cfg(feature = "rocksdb")]
    pub(super) fn stop_for(&self, stopped: Stopped) {
        tracing::error!(state = stopped.state(), engine = %stopped, "the store takes no more writes");
        self.stopped.get_or_init(|| stopped);
    }
}

/// Steps 1 and 2, for all who wait.
/// `None`: nobody waits any more, since the group was refused or its write failed.
pub(super) fn commit<D: Disk>(
    disk: &mut D,
    standing: &Standing,
    front: &mut Front,
    group: Vec<Waiting>,
    now: Timestamp,
) -> Option<Durable<D::Shown>> {
    if let Some(stopped) = standing.stopped.get() {
        refuse(group, stopped);
        return None;
    }
    let room = disk.has_room();
    standing.note_room(&room);
    if let Err(full) = room {
        refuse(group, &full);
        return None;
    }
    let (batches, callers): (Vec<_>, Vec<_>) = group
        .into_iter()
        .map(|waiting| (waiting.batch, waiting.answer))
        .unzip();

    // 1. Stage.
    let staged = staging::stage(disk.committed(), front.tip, batches, now);
    let answers = callers.into_iter().zip(staged.answers).collect();
    if staged.writes.is_empty() {
        return Some(Durable {
            done: None,
            answers,
        });
    }

    // 2. Commit.
    match disk.write(&staged.writes) {
        Ok(shown) => {
            front.tip = staged.tip;
            front.marks.note(&staged.writes, front.tip.commits);
            let done = Done {
                front: front.clone(),
                shown,
                writes: staged.writes,
            };
            Some(Durable {
                done: Some(done),
                answers,
            })
        }
        Err(reason) => {
            standing.stop(&reason);
            staged.held.iter().for_each(Held::take_back);
            leave_unknown(answers, &reason);
            None
        }
    }
}

/// Steps 3 and 4, for groups in the order in which they were committed.
pub(super) fn settle<S>(
    standing: &Standing,
    anchoring: &mut Anchoring,
    mut groups: Vec<Durable<S>>,
    show: impl FnOnce(S, Front),
) {
    let done = groups.iter_mut().filter_map(|group| group.done.take());
    let mut written = Vec::new();
    let mut newest = None;
    for done in done {
        written.push((done.writes, done.front.tip.commits));
        newest = Some((done.front, done.shown));
    }

    // 3. Anchor: the newest of them says all that the others would have.
    if let Some((front, shown)) = newest {
        if let Err(reason) = anchoring.set(&front.tip) {
            let reason = format!("the anchor cannot be written: {reason}");
            standing.stop(&reason);
            for group in groups {
                leave_unknown(group.answers, &reason);
            }
            return;
        }
        show(shown, front);
        for (writes, number) in &written {
            standing.followers.hand_over(writes, *number, By::Us);
        }
    }

    // 4. Acknowledge.
    for (caller, answer) in groups.into_iter().flat_map(|group| group.answers) {
        tell(&caller, answer);
    }
}

/// Answers all of a group that nothing was tried for.
fn refuse(group: Vec<Waiting>, stopped: &Stopped) {
    for waiting in group {
        let refused = CommitError::Unavailable(stopped.to_string());
        tell(&waiting.answer, Err(refused));
    }
}

/// A conflict stays one: of that batch nothing was written, whatever became of the others.
fn leave_unknown(answers: Vec<(SyncSender<Answer>, Answer)>, reason: &str) {
    for (caller, answer) in answers {
        let unknown = |_| Err(CommitError::Indeterminate(reason.to_owned()));
        tell(&caller, answer.and_then(unknown));
    }
}

/// A caller that panicked has gone; its batch is durable all the same.
fn tell(caller: &SyncSender<Answer>, answer: Answer) {
    let _ = caller.send(answer);
}
