//! What a commit means, as one pure function for all engines: which batches of a group hold,
//! which place in the log their events get, and which rows have to be written.
//!
//! A group is what shares one disk sync. Its batches are taken in order, and each sees what the
//! ones before it wrote, as though they had been committed one by one.

use std::collections::{BTreeMap, HashSet};

use super::engine::{
    Batch, CommitError, Committed, Head, Held, LoggedEvent, NewEvent, Read, StoreError,
};
use super::format::{self, Counters, Tip};
use crate::ids::Seq;
use crate::time::Timestamp;

/// A group, ready to be written.
#[derive(Debug)]
pub(super) struct Staged {
    /// The rows to write (`None`: to remove), all of them or none. Empty where no batch holds.
    pub(super) writes: Writes,
    /// Where the store stands once they are durable.
    pub(super) tip: Tip,
    /// An answer for each batch, in their order. A [`Committed`] may be handed out only when
    /// `writes` is durable.
    pub(super) answers: Vec<Result<Committed, CommitError>>,
    /// Of those that hold and were to be told so.
    pub(super) held: Vec<Held>,
}

/// Rows to write, and keys to remove (`None`).
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Stages `batches` on the state `base`, whose head row says `tip`; `now` is the clock's time.
pub(super) fn stage(base: &dyn Read, tip: Tip, batches: Vec<Batch>, now: Timestamp) -> Staged {
    let clock = tip.clock.max(now);
    let mut group = Group {
        base,
        writes: Writes::new(),
        tip: Tip { clock, ..tip },
        held: Vec::new(),
    };
    let answers: Vec<_> = batches.into_iter().map(|batch| group.take(batch)).collect();
    if answers.iter().all(Result::is_err) {
        return Staged {
            writes: Writes::new(),
            tip,
            answers,
            held: Vec::new(),
        };
    }
    group
        .writes
        .insert(format::head_key(), Some(group.tip.encode()));
    Staged {
        writes: group.writes,
        tip: group.tip,
        answers,
        held: group.held,
    }
}

/// The group so far: what its batches wrote lies over the base.
struct Group<'a> {
    base: &'a dyn Read,
    writes: Writes,
    tip: Tip,
    held: Vec<Held>,
}

impl Group<'_> {
    /// Adds a batch, whole or not at all.
    fn take(&mut self, batch: Batch) -> Result<Committed, CommitError> {
        well_formed(&batch)?;
        let counted = counters_after(self.tip.counters, &batch)?;
        if batch.after.is_some_and(|before| !before.is_told()) {
            return Err(CommitError::Conflict);
        }
        if !self.holds(&batch.preconditions).map_err(unreadable)? {
            return Err(CommitError::Conflict);
        }
        self.tip.counters = counted;
        self.tip.commits += 1;
        self.tip.clock = self
            .tip
            .clock
            .max(batch.decided_at.unwrap_or(self.tip.clock));
        self.writes.extend(
            batch
                .puts
                .into_iter()
                .map(|(key, value)| (key, Some(value))),
        );
        self.writes
            .extend(batch.deletes.into_iter().map(|key| (key, None)));
        for event in batch.events {
            self.log(event);
        }
        if let Some(held) = batch.held {
            held.tell(self.tip.commits);
            self.held.push(held);
        }
        Ok(Committed {
            seq: self.tip.head.seq,
            at: self.tip.clock,
        })
    }

    fn holds(&self, preconditions: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<bool, StoreError> {
        let mut in_base = Vec::new();
        let mut expected = Vec::new();
        for (key, value) in preconditions {
            match self.writes.get(key) {
                Some(written) if written == value => {}
                Some(_) => return Ok(false),
                None => {
                    in_base.push(key.clone());
                    expected.push(value);
                }
            }
        }
        if in_base.is_empty() {
            return Ok(true);
        }
        Ok(self.base.multi_get(&in_base)?.iter().eq(expected))
    }

    fn log(&mut self, event: NewEvent) {
        let NewEvent { body, concerns } = event;
        let (before, at) = (self.tip.head, self.tip.clock);
        let seq = Seq(before.seq.0 + 1);
        let places = concerns.iter().map(|who| format::place_key(*who, seq));
        self.writes
            .extend(places.map(|key| (key, Some(Vec::new()))));
        let digest = format::link(&before.digest, seq, at, &body);
        let (key, value) = format::event_row(&LoggedEvent {
            seq,
            at,
            digest,
            body,
        });
        self.writes.insert(key, Some(value));
        self.tip.head = Head { seq, digest, at };
    }
}

/// Refuses a batch that no service should have built. It is refused rather than called a
/// conflict, because a conflict is retried and this would be refused for ever.
fn well_formed(batch: &Batch) -> Result<(), CommitError> {
    let mut keys = HashSet::new();
    for key in batch.puts.iter().map(|(key, _)| key).chain(&batch.deletes) {
        if format::is_reserved(key) {
            return Err(malformed("it writes rows that are the engine's own", key));
        }
        if !keys.insert(key) {
            return Err(malformed("it writes a key twice", key));
        }
    }
    Ok(())
}

/// What the counters of indexes given out add up to once `batch` is applied. It has to say of each
/// counter that it changes what it was.
fn counters_after(mut counters: Counters, batch: &Batch) -> Result<Counters, CommitError> {
    let puts = batch.puts.iter().map(|(key, value)| (key, Some(value)));
    let writes = puts.chain(batch.deletes.iter().map(|key| (key, None)));
    for (key, value) in writes.filter(|(key, _)| format::is_counter(key)) {
        let mut expected = batch.preconditions.iter();
        let Some((_, before)) = expected.find(|(expected, _)| expected == key) else {
            return Err(malformed("it changes a counter of indexes blindly", key));
        };
        if let Some(before) = before {
            counters.remove(key, before);
        }
        if let Some(value) = value {
            counters.add(key, value);
        }
    }
    Ok(counters)
}

fn malformed(what: &str, key: &[u8]) -> CommitError {
    let key = super::table::hex(key);
    CommitError::Unavailable(format!(
        "the batch is malformed, a fault of this program: {what} ({key})"
    ))
}

fn unreadable(error: StoreError) -> CommitError {
    CommitError::Unavailable(format!("the batch's conditions cannot be checked: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Row;
    use crate::store::memory::Rows;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn row(key: u8, value: &[u8]) -> Row {
        (vec![0x10, key], value.to_vec())
    }

    /// Goes from `from` to `to` in row 1, and says so in the log.
    fn step(from: Option<&[u8]>, to: Option<&[u8]>) -> Batch {
        Batch {
            preconditions: vec![(vec![0x10, 1], from.map(<[u8]>::to_vec))],
            puts: to.map(|to| row(1, to)).into_iter().collect(),
            deletes: if to.is_none() {
                vec![vec![0x10, 1]]
            } else {
                vec![]
            },
            events: vec![format!("{from:?} {to:?}").into_bytes().into()],
            ..Batch::default()
        }
    }

    fn seqs(staged: &Staged) -> Vec<Option<u64>> {
        staged
            .answers
            .iter()
            .map(|answer| answer.as_ref().ok().map(|done| done.seq.0))
            .collect()
    }

    #[test]
    fn later_batches_of_a_group_see_the_earlier_ones() {
        let base: Rows = [row(1, b"a")].into_iter().collect();
        let group = vec![
            step(Some(b"a"), Some(b"b")),
            step(Some(b"a"), Some(b"c")),
            step(Some(b"b"), None),
            step(Some(b"b"), Some(b"d")),
            step(None, Some(b"e")),
        ];
        let staged = stage(&base, Tip::EMPTY, group, NOW);
        assert_eq!(seqs(&staged), [Some(1), None, Some(2), None, Some(3)]);
        assert_eq!(staged.answers[1], Err(CommitError::Conflict));
        assert_eq!(staged.writes[&vec![0x10, 1]], Some(b"e".to_vec()));
        assert_eq!(staged.tip.head.seq, Seq(3));
    }

    #[test]
    fn a_group_of_conflicts_writes_nothing() {
        let late = Timestamp::from_millis(9);
        let staged = stage(
            &Rows::default(),
            Tip::EMPTY,
            vec![step(Some(b"a"), None)],
            late,
        );
        assert!(staged.writes.is_empty());
        assert_eq!(staged.tip, Tip::EMPTY);
    }

    #[test]
    fn a_batch_without_events_moves_the_time_but_not_the_log() {
        let now = Timestamp::from_millis(9);
        let quiet = Batch {
            puts: vec![row(1, b"a")],
            ..Batch::default()
        };
        let staged = stage(&Rows::default(), Tip::EMPTY, vec![quiet], now);
        assert_eq!(
            staged.answers,
            [Ok(Committed {
                seq: Seq(0),
                at: now
            })]
        );
        assert_eq!((staged.tip.head, staged.tip.clock), (Tip::EMPTY.head, now));
        let earlier = stage(
            &Rows::default(),
            staged.tip,
            vec![step(None, Some(b"a"))],
            NOW,
        );
        assert_eq!(
            earlier.answers,
            [Ok(Committed {
                seq: Seq(1),
                at: now
            })]
        );
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_date_a_batch_before_its_decision() {
        let (decided, earlier) = (Timestamp::from_millis(9), Timestamp::from_millis(4));
        let batch = Batch {
            decided_at: Some(decided),
            ..step(None, Some(b"a"))
        };
        let staged = stage(&Rows::default(), Tip::EMPTY, vec![batch], earlier);
        let committed = Committed {
            seq: Seq(1),
            at: decided,
        };
        assert_eq!(staged.answers, [Ok(committed)]);
        assert_eq!(staged.tip.head.at, decided);
    }

    #[test]
    fn the_chain_starts_from_zeros_and_runs_through_a_batch() {
        let batch = Batch {
            events: vec![b"x".to_vec().into(), b"y".to_vec().into()],
            ..Batch::default()
        };
        let staged = stage(&Rows::default(), Tip::EMPTY, vec![batch], NOW);
        let first = format::link(&[0; 32], Seq(1), NOW, b"x");
        let second = format::link(&first, Seq(2), NOW, b"y");
        assert_eq!(
            staged.tip.head,
            Head {
                seq: Seq(2),
                digest: second,
                at: NOW
            }
        );
        assert_eq!(
            staged.answers,
            [Ok(Committed {
                seq: Seq(2),
                at: NOW
            })]
        );
    }

    #[test]
    fn malformed_batches_are_refused_and_the_others_are_not() {
        let delete = |key: &[u8]| Batch {
            deletes: vec![key.to_vec()],
            ..Batch::default()
        };
        let mut twice = step(None, Some(b"a"));
        twice.deletes.push(vec![0x10, 1]);
        let group = vec![
            twice,
            delete(&[]),
            delete(&[0x02]),
            delete(&[0x07, 1]),
            delete(&[0xff]),
            delete(&[0x08]),
        ];
        let staged = stage(&Rows::default(), Tip::EMPTY, group, NOW);
        assert_eq!(seqs(&staged), [None, None, None, None, None, Some(0)]);
        for refused in &staged.answers[..5] {
            assert!(
                matches!(refused, Err(CommitError::Unavailable(_))),
                "{refused:?}"
            );
        }
    }

    /// Steps over three rows that may or may not expect what is there.
    fn steps() -> impl Strategy<Value = Vec<Batch>> {
        let value = prop::option::of(0u8..2);
        let step = (0u8..3, value.clone(), value, 0usize..3).prop_map(|(key, from, to, events)| {
            let key = vec![0x10, key];
            Batch {
                preconditions: vec![(key.clone(), from.map(|from| vec![from]))],
                puts: to.map(|to| (key.clone(), vec![to])).into_iter().collect(),
                deletes: if to.is_none() { vec![key] } else { vec![] },
                events: vec![b"event".to_vec().into(); events],
                ..Batch::default()
            }
        });
        prop::collection::vec(step, 0..20)
    }

    proptest! {
        /// How batches fall into groups changes neither an answer nor a row.
        #[test]
        fn a_group_is_its_batches_one_by_one(batches in steps(), cut in 0usize..20) {
            let in_groups_of = |size: usize| {
                let (mut rows, mut tip, mut answers) = (Writes::new(), Tip::EMPTY, Vec::new());
                for group in batches.chunks(size) {
                    let base: Rows = rows
                        .iter()
                        .filter_map(|(key, value)| Some((key.clone(), value.clone()?)))
                        .collect();
                    let staged = stage(&base, tip, group.to_vec(), NOW);
                    rows.extend(staged.writes);
                    tip = staged.tip;
                    answers.extend(staged.answers);
                }
                rows.retain(|_, value| value.is_some());
                (rows, tip, answers)
            };
            let one_by_one = in_groups_of(1);
            prop_assert_eq!(&in_groups_of(cut + 1), &one_by_one);
            prop_assert_eq!(in_groups_of(20), one_by_one);
        }
    }
}
