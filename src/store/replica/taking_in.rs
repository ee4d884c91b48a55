//! What others have written is taken in: group by group where the log has them all, and else all rows anew.
//! Nothing is taken for what goes on from here that does not: each event closes the digest chain over the one
//! before it, and the counters of indexes given out add up.

use std::collections::BTreeMap;

use super::copy::LocalCopy;
use super::remote::{Group, Newer, Remote, RemoteError};
use crate::store::anchor::{self, Anchor};
use crate::store::engine::{Row, Stopped, StoreError};
use crate::store::format::{self, Identity, Tip};
use crate::store::opening;
use crate::store::staging::Writes;
use crate::store::write_path::Front;

/// Behind the keys of all rows.
const END: [u8; 64] = [0xff; 64];
/// Rows of the copy that are looked at in one go.
const ROWS_AT_ONCE: usize = 4_096;

/// Why a replica is not where the shared place is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The shared place cannot be reached now.
    Away(String),
    /// What it holds does not go on from what this replica has: no more writes are taken.
    Wrong(Stopped),
    /// The copy cannot be read or written.
    Copy(String),
    /// It holds a store that this program cannot read.
    Unreadable(StoreError),
}

impl From<RemoteError> for Trouble {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Away(reason) | RemoteError::Unknown(reason) => Self::Away(reason),
            RemoteError::Wrong(stopped) => Self::Wrong(stopped),
        }
    }
}

/// What was taken in, for those who follow.
pub(super) enum Taken {
    Group(Writes),
    /// All rows.
    Anew,
}

/// Takes in what was written up to `there`, and maybe more. `front` is where the copy stands, before and after
/// it; `taken` hears of each step when it is in the copy.
pub(super) fn take_in(
    remote: &dyn Remote,
    copy: &dyn LocalCopy,
    front: &mut Front,
    there: &Tip,
    taken: &mut dyn FnMut(&Front, Taken),
) -> Result<(), Trouble> {
    if there.commits < front.tip.commits {
        return Err(Trouble::Wrong(Stopped::BehindAnchor {
            anchored: front.tip.head.seq,
            found: there.head.seq,
        }));
    }
    while front.tip.commits < there.commits {
        match remote.newer(front.tip.commits)? {
            Newer::Groups(groups) if groups.is_empty() => {
                return Err(Trouble::Away("its log ends before its head".to_owned()));
            }
            Newer::Groups(groups) => {
                for group in groups {
                    goes_on(copy, &front.tip, &group).map_err(Trouble::Wrong)?;
                    copy.write(&group.writes).map_err(Trouble::Copy)?;
                    front.goes_on_with(&group);
                    taken(front, Taken::Group(group.writes));
                }
            }
            Newer::ForgottenSince => {
                let before = unwrapped(format::read_identity(copy))?;
                let (tip, identity) = read_anew(remote, copy)?;
                still_has(copy, before, &front.tip, identity, &tip)?;
                *front = Front::at(tip);
                taken(front, Taken::Anew);
            }
        }
    }
    match front.tip.commits > there.commits || front.tip == *there {
        true => Ok(()),
        false => Err(Trouble::Wrong(another_history(&front.tip))),
    }
}

fn another_history(tip: &Tip) -> Stopped {
    Stopped::NotTheAnchoredHistory(tip.head.seq)
}

/// Whether the rows that were read anew are those of a store that once stood where this replica did.
fn still_has(
    copy: &dyn LocalCopy,
    before: Identity,
    stood: &Tip,
    identity: Identity,
    tip: &Tip,
) -> Result<(), Trouble> {
    let had = Anchor {
        identity: before,
        number: 0,
        tip: *stood,
    };
    match unwrapped(anchor::misfit(copy, identity, tip, &had))? {
        Some(stopped) => Err(Trouble::Wrong(stopped)),
        None => Ok(()),
    }
}

/// Refuses a group that does not go on from `tip`.
fn goes_on(copy: &dyn LocalCopy, tip: &Tip, group: &Group) -> Result<(), Stopped> {
    let unreadable = |error: StoreError| Stopped::RowsUnreadable(error.to_string());
    let begins_here = group.after == tip.commits && group.tip.commits > group.after;
    let head = group.writes.get(&format::head_key());
    let says_so = head.is_some_and(|row| row.as_deref() == Some(&group.tip.encode()));
    if !begins_here || !says_so || group.tip.clock < tip.clock {
        return Err(another_history(tip));
    }
    // Another program may have brought the store up to a format of its own.
    if let Some(Some(row)) = group.writes.get(&format::format_key()) {
        let found = format::read_format(row).map_err(unreadable)?;
        if found != format::FORMAT {
            let known = format::FORMAT;
            return Err(unreadable(StoreError::Format { found, known }));
        }
    }
    let mut head = tip.head;
    for event in format::events_in(&group.writes) {
        let event = event.map_err(unreadable)?;
        let seq = crate::ids::Seq(head.seq.0 + 1);
        let digest = format::link(&head.digest, seq, event.at, &event.body);
        if (event.seq, event.digest) != (seq, digest) {
            return Err(another_history(tip));
        }
        head = crate::store::Head {
            seq,
            digest,
            at: event.at,
        };
    }
    // With an epoch of its own a store counts as it is found, its counters too.
    let as_found = group.writes.contains_key(&format::epoch_key());
    let counted = counters_with(copy, tip, &group.writes).map_err(unreadable)?;
    match head == group.tip.head && (as_found || counted == group.tip.counters) {
        true => Ok(()),
        false => Err(another_history(tip)),
    }
}

fn counters_with(
    copy: &dyn LocalCopy,
    tip: &Tip,
    writes: &Writes,
) -> Result<format::Counters, StoreError> {
    let mut counters = tip.counters;
    for (key, value) in writes.iter().filter(|(key, _)| format::is_counter(key)) {
        if let Some(before) = copy.get(key)? {
            counters.remove(key, &before);
        }
        if let Some(value) = value {
            counters.add(key, value);
        }
    }
    Ok(counters)
}

/// Makes the copy the same as the shared place, whatever was in it. Who reads an earlier state of it is not
/// disturbed. Cut off, it is a copy without a head, and none that is taken for whole.
pub(super) fn read_anew(
    remote: &dyn Remote,
    copy: &dyn LocalCopy,
) -> Result<(Tip, Identity), Trouble> {
    tracing::info!("all rows of the shared store are read anew");
    copy.set_whole(false);
    let head = format::head_key();
    let headless = Writes::from([(head.clone(), None)]);
    copy.write(&headless).map_err(Trouble::Copy)?;
    let mut over = Over {
        copy,
        at: Vec::new(),
        head: None,
    };
    let mut failed = None;
    let read = remote.read_all(&mut |rows| {
        over.goes_on(rows).map_err(|reason| {
            failed = Some(reason);
            RemoteError::Away("the copy cannot be written".to_owned())
        })
    });
    if let Some(reason) = failed {
        return Err(Trouble::Copy(reason));
    }
    let tip = read?.ok_or(Trouble::Wrong(Stopped::EmptyBesideAnchor))?;
    over.ends().map_err(Trouble::Copy)?;
    let told = over.head.as_deref() == Some(&tip.encode());
    if !told {
        let reason = "the head row is not where the shared store says that it stands";
        return Err(Trouble::Unreadable(format::corrupt("head", reason)));
    }
    opening::of_this_format(copy).map_err(Trouble::Unreadable)?;
    let identity = format::read_identity(copy).map_err(Trouble::Unreadable)?;
    copy.write(&[(head, over.head)].into())
        .map_err(Trouble::Copy)?;
    copy.set_whole(true);
    tracing::info!("all rows of the shared store have been read");
    Ok((tip, identity))
}

/// What is read of the copy itself.
pub(super) fn unwrapped<T>(read: Result<T, StoreError>) -> Result<T, Trouble> {
    read.map_err(|error| Trouble::Copy(error.to_string()))
}

/// The rows of the shared place go over those of the copy, in the order of their keys.
struct Over<'a> {
    copy: &'a dyn LocalCopy,
    /// Before this key the two are the same.
    at: Vec<u8>,
    /// The head row, which is written last.
    head: Option<Vec<u8>>,
}

impl Over<'_> {
    fn goes_on(&mut self, rows: Vec<Row>) -> Result<(), String> {
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        let to = [last.as_slice(), &[0]].concat();
        let mut there: BTreeMap<_, _> = rows.into_iter().collect();
        if let Some(head) = there.remove(&format::head_key()) {
            self.head = Some(head);
        }
        self.removes_what_differs(&to, &mut there)?;
        let puts = there.into_iter().map(|(key, value)| (key, Some(value)));
        self.copy.write(&puts.collect())?;
        self.at = to;
        Ok(())
    }

    fn ends(&mut self) -> Result<(), String> {
        self.removes_what_differs(&END, &mut BTreeMap::new())
    }

    /// Of the rows up to `to`: removes those of the copy that are not `there`, and leaves of `there` what the
    /// copy does not have so.
    fn removes_what_differs(
        &self,
        to: &[u8],
        there: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    ) -> Result<(), String> {
        let mut from = self.at.clone();
        loop {
            let here = self.copy.scan(&from, to, ROWS_AT_ONCE);
            let here = here.map_err(|error| error.to_string())?;
            let Some((last, _)) = here.last() else {
                return Ok(());
            };
            from = [last.as_slice(), &[0]].concat();
            let mut gone = Writes::new();
            for (key, value) in here {
                match there.get(&key) {
                    Some(same) if *same == value => {
                        there.remove(&key);
                    }
                    Some(_) => {}
                    None => {
                        gone.insert(key, None);
                    }
                }
            }
            self.copy.write(&gone)?;
        }
    }
}
