//! What becomes of a batch that stands in the queue of an engine: told once by whoever commits it, heard
//! once by whoever queued it. Who hears it waits on a thread of their own, or leaves word what is to
//! happen then, so that no thread waits for the disk.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::engine::{CommitError, Committed};

/// What somebody who waits is told.
pub(super) type Answer = Result<Committed, CommitError>;

/// A batch that has its place in the queue of an engine. Whoever drops it does not hear what became of it.
#[must_use]
#[derive(Debug)]
pub struct Queued(Place);

#[derive(Debug)]
enum Place {
    Settled(Answer),
    Waits(Arc<Slot>),
}

/// The other end: whoever commits the batch tells there, once, what became of it. Where it is dropped
/// before, a thread of the engine has panicked, maybe half way: that is told then.
#[must_use]
#[derive(Debug)]
pub struct Answering(Option<Arc<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    said: Mutex<Said>,
    changed: Condvar,
}

#[derive(Default)]
enum Said {
    /// Nothing yet, and nobody left word; or it was heard.
    #[default]
    Nothing,
    /// Nothing yet; this is to be called then.
    LeftWord(Box<dyn FnOnce(Answer) + Send>),
    /// What became of it.
    Became(Answer),
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::LeftWord(_) => "LeftWord",
            Self::Became(_) => "Became",
        })
    }
}

impl Queued {
    /// One of which it is known already what became of it.
    pub const fn settled(answer: Result<Committed, CommitError>) -> Self {
        Self(Place::Settled(answer))
    }

    /// One that is told at the other end.
    pub fn waits() -> (Answering, Self) {
        let slot = Arc::<Slot>::default();
        (Answering(Some(slot.clone())), Self(Place::Waits(slot)))
    }

    /// Waits for what becomes of it, as [`Engine::commit`](super::engine::Engine::commit) tells it.
    pub fn wait(self) -> Result<Committed, CommitError> {
        let slot = match self.0 {
            Place::Settled(answer) => return answer,
            Place::Waits(slot) => slot,
        };
        let mut said = slot.said();
        loop {
            match mem::take(&mut *said) {
                Said::Became(answer) => return answer,
                _ => {
                    let woken = slot.changed.wait(said);
                    said = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// As [`wait`](Self::wait), without a thread: `hear` is called once, here where it is known already, else
    /// by the engine's thread that acknowledges. Everybody's commits wait for that one, so it has to be
    /// brief, and takes no lock that somebody holds for long; nor may it be the last to hold the engine,
    /// which ends when its threads have.
    pub fn then(self, hear: impl FnOnce(Result<Committed, CommitError>) + Send + 'static) {
        let slot = match self.0 {
            Place::Settled(answer) => return hear(answer),
            Place::Waits(slot) => slot,
        };
        let mut said = slot.said();
        match mem::take(&mut *said) {
            Said::Became(answer) => {
                drop(said);
                hear(answer);
            }
            _ => *said = Said::LeftWord(Box::new(hear)),
        }
    }
}

impl Answering {
    /// Tells what became of it. A caller that has gone does not hear it, and the batch is durable all the
    /// same; one whose own word ends in a panic harms nobody else.
    pub fn tell(mut self, answer: Result<Committed, CommitError>) {
        if let Some(slot) = self.0.take() {
            slot.tell(answer);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            let words = "the store's writer ended without an answer";
            slot.tell(Err(CommitError::Indeterminate(words.to_owned())));
        }
    }
}

impl Slot {
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, answer: Answer) {
        let mut said = self.said();
        match mem::take(&mut *said) {
            Said::LeftWord(hear) => {
                drop(said);
                if catch_unwind(AssertUnwindSafe(|| hear(answer))).is_err() {
                    tracing::error!("whoever heard what became of a commit had panicked");
                }
                return;
            }
            _ => *said = Said::Became(answer),
        }
        drop(said);
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::ids::Seq;

    fn committed(number: u64) -> Answer {
        Ok(Committed {
            seq: Seq(number),
            at: "2026-03-01T09:00:00Z".parse().unwrap(),
        })
    }

    /// What the side that commits does.
    #[derive(Debug, Clone, Copy)]
    enum Tells {
        Committed(u64),
        Conflict,
        Ends,
    }

    /// What the side that queued does.
    #[derive(Debug, Clone, Copy)]
    enum Hears {
        Waits,
        LeavesWord,
        LeavesWordAndPanics,
        Goes,
    }

    impl Tells {
        fn run(self, answering: Answering) {
            match self {
                Self::Committed(number) => answering.tell(committed(number)),
                Self::Conflict => answering.tell(Err(CommitError::Conflict)),
                Self::Ends => drop(answering),
            }
        }

        fn fits(self, heard: &Answer) -> bool {
            match self {
                Self::Committed(number) => *heard == committed(number),
                Self::Conflict => *heard == Err(CommitError::Conflict),
                Self::Ends => matches!(heard, Err(CommitError::Indeterminate(_))),
            }
        }
    }

    impl Hears {
        fn run(self, queued: Queued, say: mpsc::Sender<Answer>) {
            match self {
                Self::Waits => say.send(queued.wait()).unwrap(),
                Self::LeavesWord => queued.then(move |answer| say.send(answer).unwrap()),
                Self::LeavesWordAndPanics => queued.then(move |answer| {
                    say.send(answer).unwrap();
                    panic!("the word of a caller");
                }),
                Self::Goes => drop(queued),
            }
        }
    }

    fn tells() -> impl Strategy<Value = Tells> {
        prop_oneof![
            any::<u64>().prop_map(Tells::Committed),
            Just(Tells::Conflict),
            Just(Tells::Ends)
        ]
    }

    fn hears() -> impl Strategy<Value = Hears> {
        prop_oneof![
            Just(Hears::Waits),
            Just(Hears::LeavesWord),
            Just(Hears::LeavesWordAndPanics),
            Just(Hears::Goes)
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_told_is_heard_once_whoever_comes_first(
            tells in tells(),
            hears in hears(),
            order in 0..3,
        ) {
            let (answering, queued) = Queued::waits();
            let (say, heard) = mpsc::channel();
            let hear = move || {
                let _ = catch_unwind(AssertUnwindSafe(|| hears.run(queued, say)));
            };
            match order {
                0 => {
                    tells.run(answering);
                    hear();
                }
                // Whoever waits is there first or not, as it comes.
                1 if !matches!(hears, Hears::Waits) => {
                    hear();
                    tells.run(answering);
                }
                _ => {
                    let hearing = thread::spawn(hear);
                    tells.run(answering);
                    hearing.join().unwrap();
                }
            }
            let heard: Vec<Answer> = heard.into_iter().collect();
            let once = usize::from(!matches!(hears, Hears::Goes));
            prop_assert_eq!(heard.len(), once);
            prop_assert!(heard.iter().all(|heard| tells.fits(heard)));
        }
    }

    #[test]
    fn a_panic_of_whoever_hears_it_does_not_reach_whoever_commits() {
        let (first, queued) = Queued::waits();
        queued.then(|_| panic!("the word of a caller"));
        first.tell(committed(1));
        let (next, queued) = Queued::waits();
        next.tell(committed(2));
        assert_eq!(queued.wait(), committed(2));
    }

    #[test]
    fn what_is_known_already_is_heard_at_once() {
        let (say, heard) = mpsc::channel();
        Queued::settled(committed(3)).then(move |answer| say.send(answer).unwrap());
        assert_eq!(heard.recv(), Ok(committed(3)));
        assert_eq!(Queued::settled(committed(4)).wait(), committed(4));
    }
}
