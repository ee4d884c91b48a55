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

#[cfg(feature = "rocksdb")]
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::anchor::Anchoring;
use super::engine::{Batch, CommitError, Held, Read, Stopped};
use super::following::{By, Follower, Followers, Marks};
use super::format::Tip;
use super::queued::{Answer, Answering};
use super::staging::{self, Writes};
use crate::metrics::{self, WaitsForWrite, Work};
use crate::time::Timestamp;

/// What an engine gives the write path.
pub(super) trait Disk {
    /// What readers are shown when a group is anchored.
    type Shown;

    /// All that was committed, whether it is anchored or not.
    fn committed(&self) -> &dyn Read;

    /// Whether there is room for more.
    fn has_room(&self) -> Result<(), Stopped>;

    /// Writes all of it or nothing, and returns when it is durable. It may add rows that are its own.
    fn write(&mut self, group: &mut Group) -> Result<Self::Shown, NotWritten>;
}

/// What is written at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// How many batches there were before it.
    pub(super) after: u64,
    /// Where the store stands with it.
    pub(super) tip: Tip,
    /// The rows that it writes, the head row among them.
    pub(super) writes: Writes,
}

/// Why a group is not known to be durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotWritten {
    /// Nobody knows whether it is, before the store is opened again: no more writes are taken.
    Failed(String),
    /// Nobody knows whether it is; the next one may be.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Unknown(String),
    /// Nothing of it is there, for a reason that passes by itself.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Refused(Stopped),
}

/// A group stops gathering at this many batches or bytes, whichever comes first, so that the
/// first in it does not wait for ever. A batch that is bigger goes alone.
#[cfg(feature = "rocksdb")]
const GROUP_BATCHES: usize = 1024;
#[cfg(feature = "rocksdb")]
const GROUP_BYTES: usize = 4 << 20;

/// A commit that waits, with the place where its caller hears of it.
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) answer: Answering,
    _counted: WaitsForWrite,
}

impl Waiting {
    /// One more waits for this store.
    pub(super) fn new(standing: &Standing, batch: Batch, answer: Answering) -> Self {
        Self {
            batch,
            answer,
            _counted: WaitsForWrite::among(&standing.measured),
        }
    }
}

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

    /// Now with a group more.
    pub(super) fn goes_on_with(&mut self, group: &Group) {
        self.tip = group.tip;
        self.marks.note(&group.writes, group.tip.commits);
    }
}

/// A group that is durable and not anchored yet.
pub(super) struct Durable<S> {
    /// What was written, and what readers will see; `None` where nothing had to be written.
    done: Option<Done<S>>,
    answers: Vec<(Answering, Answer)>,
}

struct Done<S> {
    /// Since when it is durable, as far as this process knows.
    since: Instant,
    /// Where the store stands with it.
    front: Front,
    shown: S,
    news: News,
}

/// What those who follow are told.
enum News {
    Written(Writes, By),
    /// Too much has changed to say what.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Anew,
}

#[cfg(feature = "postgres")]
impl<S> Durable<S> {
    /// A group that another process has made durable.
    pub(super) fn of_another(front: Front, shown: S, writes: Writes) -> Self {
        Self::unasked(front, shown, News::Written(writes, By::Another))
    }

    /// All rows, read anew.
    pub(super) fn anew(front: Front, shown: S) -> Self {
        Self::unasked(front, shown, News::Anew)
    }

    fn unasked(front: Front, shown: S, news: News) -> Self {
        let since = Instant::now();
        let done = Some(Done {
            since,
            front,
            shown,
            news,
        });
        let answers = Vec::new();
        Self { done, answers }
    }
}

/// What everybody may know of an open store.
#[derive(Debug)]
pub(super) struct Standing {
    /// Why it takes no more writes, for good.
    stopped: OnceLock<Stopped>,
    /// Why it takes none for the time being.
    passing: Mutex<Option<Stopped>>,
    /// Who is handed what is committed.
    pub(super) followers: Followers,
    /// How long its writes take.
    pub(super) measured: Arc<metrics::Writes>,
}

impl Standing {
    pub(super) fn new(stopped: Option<Stopped>) -> Self {
        Self {
            stopped: stopped.map_or_else(OnceLock::new, OnceLock::from),
            passing: Mutex::new(None),
            followers: Followers::default(),
            measured: Arc::default(),
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
        let passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        passing.clone().map_or(Ok(()), Err)
    }

    /// Whether writes are taken for the time being.
    pub(super) fn note(&self, takes_writes: &Result<(), Stopped>) {
        let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        *passing = takes_writes.clone().err();
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
    standing.note(&room);
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
    let answers: Vec<_> = callers.into_iter().zip(staged.answers).collect();
    if staged.writes.is_empty() {
        return Some(Durable {
            done: None,
            answers,
        });
    }

    // 2. Commit.
    let mut group = Group {
        after: front.tip.commits,
        tip: staged.tip,
        writes: staged.writes,
    };
    let began = Instant::now();
    let written = disk.write(&mut group);
    let (took, changes) = (began.elapsed(), answers.len());
    standing.measured.commits.took(took);
    standing.measured.groups.had(changes);
    let done = written.is_ok();
    let work = Work::Commit { changes, done };
    standing.measured.traced.ended(work, took);
    let not_written = match written {
        Ok(shown) => {
            front.goes_on_with(&group);
            let done = Done {
                since: Instant::now(),
                front: front.clone(),
                shown,
                news: News::Written(group.writes, By::Us),
            };
            return Some(Durable {
                done: Some(done),
                answers,
            });
        }
        Err(not_written) => not_written,
    };
    standing.measured.failed.note();
    staged.held.iter().for_each(Held::take_back);
    let told = match not_written {
        NotWritten::Failed(reason) => {
            standing.stop(&reason);
            leave_unknown(answers, &reason);
            return None;
        }
        NotWritten::Unknown(reason) => CommitError::Indeterminate(reason),
        NotWritten::Refused(stopped) => {
            standing.note(&Err(stopped.clone()));
            CommitError::Unavailable(stopped.to_string())
        }
    };
    // In its turn: what a conflict lost to can be read by then.
    Some(Durable {
        done: None,
        answers: all_but_conflicts(answers, &told),
    })
}

/// All that waits now, up to the bounds of a group, the first of which is `first`.
#[cfg(feature = "rocksdb")]
pub(super) fn gather(first: Waiting, mut next: impl FnMut() -> Option<Waiting>) -> Vec<Waiting> {
    let mut bytes = first.batch.bytes();
    let mut group = vec![first];
    while bytes < GROUP_BYTES && group.len() < GROUP_BATCHES {
        let Some(next) = next() else {
            break;
        };
        bytes += next.batch.bytes();
        group.push(next);
    }
    group
}

/// Steps 3 and 4, for all that comes, until whoever commits has ended.
#[cfg(feature = "rocksdb")]
pub(super) fn settle_all<S>(
    standing: &Standing,
    mut anchoring: Anchoring,
    durable: &Receiver<Durable<S>>,
    mut show: impl FnMut(S, Front),
) {
    while let Ok(first) = durable.recv() {
        let groups = std::iter::once(first).chain(durable.try_iter()).collect();
        settle(standing, &mut anchoring, groups, &mut show);
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
        written.push((done.news, done.front.tip.commits, done.since));
        newest = Some((done.front, done.shown));
    }

    // 3. Anchor: the newest of them says all that the others would have.
    if let Some((front, shown)) = newest {
        let began = Instant::now();
        let anchored = anchoring.set(&front.tip);
        let took = began.elapsed();
        standing.measured.anchors.took(took);
        let done = anchored.is_ok();
        standing.measured.traced.ended(Work::Anchor { done }, took);
        if let Err(reason) = anchored {
            let reason = format!("the anchor cannot be written: {reason}");
            standing.stop(&reason);
            for group in groups {
                leave_unknown(group.answers, &reason);
            }
            return;
        }
        show(shown, front);
        for (news, number, since) in &written {
            standing.measured.lags.took(since.elapsed());
            match news {
                News::Written(writes, by) => standing.followers.hand_over(writes, *number, *by),
                News::Anew => standing.followers.begin_anew(*number),
            }
        }
    }

    // 4. Acknowledge.
    for (caller, answer) in groups.into_iter().flat_map(|group| group.answers) {
        caller.tell(answer);
    }
}

/// Answers all of a group that nothing was tried for.
pub(super) fn refuse(group: Vec<Waiting>, stopped: &Stopped) {
    for waiting in group {
        let refused = CommitError::Unavailable(stopped.to_string());
        waiting.answer.tell(Err(refused));
    }
}

fn leave_unknown(answers: Vec<(Answering, Answer)>, reason: &str) {
    let unknown = CommitError::Indeterminate(reason.to_owned());
    for (caller, answer) in all_but_conflicts(answers, &unknown) {
        caller.tell(answer);
    }
}

/// A conflict stays one: of that batch nothing was written, whatever became of the others.
fn all_but_conflicts(
    answers: Vec<(Answering, Answer)>,
    told: &CommitError,
) -> Vec<(Answering, Answer)> {
    let answers = answers.into_iter();
    answers
        .map(|(caller, answer)| (caller, answer.and_then(|_| Err(told.clone()))))
        .collect()
}
