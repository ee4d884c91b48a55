//! A power cut: of what was not durable, chance decides what is left.
//!
//! Each file keeps what is durable, and of what was asked since nothing, all, a beginning, some
//! sectors and not others, or a longer file whose end was never written (zeros, or whatever stood
//! in those blocks before). An overwrite in place is old or new for every sector of 512 bytes.
//! Names that were not durable are changed in part: a beginning of them, or any of them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use super::disk::{DataChange, Disk, NodeId, ROOT, What, set_mode};
use crate::support::dice::Dice;

/// What a disk writes at once, or not at all.
const SECTOR: usize = 512;

/// What became of a file's writes that were not durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tail {
    Lost,
    Whole,
    Beginning,
    Torn,
    Zeros,
    Garbage,
}

/// What a cut did: for each file with writes that were not durable, its name and what became of
/// them; and how many changes of names were undone, of how many.
#[derive(Debug, Default)]
pub(super) struct Damage {
    pub(super) tails: Vec<(String, Tail)>,
    pub(super) names: usize,
    pub(super) undone: usize,
}

/// Cuts the power, and makes in `folder`, which is emptied first, what is left.
pub(super) fn cut(disk: &Disk, dice: &mut Dice, folder: &Path) -> Damage {
    let mut damage = Damage::default();
    let names = names_left(disk, dice, &mut damage);
    empty(folder);
    let mut left = Left {
        disk,
        names,
        damage,
        written: HashMap::new(),
    };
    left.write(ROOT, folder, "", dice);
    left.damage
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
    }
}

type Entries = BTreeMap<NodeId, BTreeMap<String, NodeId>>;

/// The names in every folder after the cut.
fn names_left(disk: &Disk, dice: &mut Dice, damage: &mut Damage) -> Entries {
    let folders = disk.nodes.iter().enumerate();
    let mut names: Entries = folders
        .filter_map(|(node, found)| match &found.what {
            What::Folder { durable, .. } => Some((node, durable.clone())),
            What::File { .. } => None,
        })
        .collect();
    damage.names = disk.changes.len();
    let kept_percent = *dice.pick(&[0, 50, 90, 100]);
    let beginning = dice.below(disk.changes.len() + 1);
    let in_order = dice.chance(50);
    for (place, change) in disk.changes.iter().enumerate() {
        let kept = match in_order {
            true => place < beginning,
            false => dice.chance(kept_percent),
        };
        if !kept {
            damage.undone += 1;
            continue;
        }
        for (folder, name, node) in &change.sets {
            let entries = names.entry(*folder).or_default();
            match node {
                Some(node) => entries.insert(name.clone(), *node),
                None => entries.remove(name),
            };
        }
    }
    names
}

struct Left<'a> {
    disk: &'a Disk,
    names: Entries,
    damage: Damage,
    /// Files that have a name already: another one is a link.
    written: HashMap<NodeId, PathBuf>,
}

impl Left<'_> {
    fn write(&mut self, folder: NodeId, path: &Path, below: &str, dice: &mut Dice) {
        let entries = self.names.get(&folder).cloned().unwrap_or_default();
        for (name, node) in entries {
            let (path, name) = (path.join(&name), format!("{below}{name}"));
            let found = &self.disk.nodes[node];
            match &found.what {
                What::Folder { .. } => {
                    fs::create_dir(&path).unwrap();
                    self.write(node, &path, &format!("{name}/"), dice);
                }
                What::File { .. } if self.written.contains_key(&node) => {
                    fs::hard_link(&self.written[&node], &path).unwrap();
                    continue;
                }
                What::File { durable, pending } => {
                    let pending: Vec<&DataChange> = pending.iter().map(|(_, one)| one).collect();
                    let (bytes, tail) = file_left(durable, &pending, dice);
                    fs::write(&path, bytes).unwrap();
                    self.damage.tails.extend(tail.map(|tail| (name, tail)));
                    self.written.insert(node, path.clone());
                }
            }
            set_mode(&path, found.mode);
        }
    }
}

/// A file after the cut, and what became of what was pending, where anything was.
fn file_left(durable: &[u8], pending: &[&DataChange], dice: &mut Dice) -> (Vec<u8>, Option<Tail>) {
    if pending.is_empty() {
        return (durable.to_vec(), None);
    }
    let all = applied(durable, pending);
    let longer = all.len() > durable.len();
    let tail = match dice.below(100) {
        0..20 => Tail::Lost,
        20..35 => Tail::Whole,
        35..60 => Tail::Beginning,
        60..75 => Tail::Torn,
        75..85 if longer => Tail::Zeros,
        85..100 if longer => Tail::Garbage,
        _ => Tail::Torn,
    };
    let left = match tail {
        Tail::Lost => durable.to_vec(),
        Tail::Whole => all,
        Tail::Beginning => beginning(durable, pending, dice),
        Tail::Torn => torn(durable, pending, &all, dice),
        Tail::Zeros => unwritten(durable, pending, &all, dice, |_| 0),
        Tail::Garbage => {
            let garbage = |dice: &mut Dice| u8::try_from(dice.below(256)).expect("a byte");
            unwritten(durable, pending, &all, dice, garbage)
        }
    };
    (left, Some(tail))
}

fn applied(durable: &[u8], pending: &[&DataChange]) -> Vec<u8> {
    let mut bytes = durable.to_vec();
    for change in pending {
        change.apply(&mut bytes);
    }
    bytes
}

/// Some changes, and of the next one a part: of an overwrite whole sectors, of what is appended any
/// number of bytes.
fn beginning(durable: &[u8], pending: &[&DataChange], dice: &mut Dice) -> Vec<u8> {
    let whole = dice.below(pending.len());
    let mut bytes = applied(durable, &pending[..whole]);
    if let DataChange::Wrote { at, bytes: next } = pending[whole] {
        let mut end = at + dice.below(next.len() + 1);
        if end < bytes.len() {
            end = (end - end % SECTOR).max(*at);
        }
        let part = DataChange::Wrote {
            at: *at,
            bytes: next[..end - at].to_vec(),
        };
        part.apply(&mut bytes);
    }
    bytes
}

/// Every sector as it was before all of it, somewhere within, or after.
fn torn(durable: &[u8], pending: &[&DataChange], all: &[u8], dice: &mut Dice) -> Vec<u8> {
    let within = applied(durable, &pending[..dice.below(pending.len())]);
    let versions = [durable, &within, all];
    let length = dice.pick(&versions).len();
    let mut bytes = vec![0; length];
    for (place, sector) in bytes.chunks_mut(SECTOR).enumerate() {
        let start = place * SECTOR;
        let version = dice.pick(&versions);
        let version = version.get(start..).unwrap_or_default();
        let size = sector.len().min(version.len());
        sector[..size].copy_from_slice(&version[..size]);
    }
    bytes
}

/// A file that has become longer, of whose end nothing was written from some place on.
fn unwritten(
    durable: &[u8],
    pending: &[&DataChange],
    all: &[u8],
    dice: &mut Dice,
    fill: impl Fn(&mut Dice) -> u8,
) -> Vec<u8> {
    // With its whole length, what begins in it seems to end in it.
    let end = match dice.chance(50) {
        true => all.len(),
        false => durable.len() + 1 + dice.below(all.len() - durable.len()),
    };
    let written = durable.len() + dice.below(end - durable.len());
    // What is within the durable length is as it was, or as it was to become.
    let mut bytes = match dice.chance(50) {
        true => applied(durable, &pending[..0]),
        false => all[..durable.len()].to_vec(),
    };
    bytes.extend(&all[durable.len()..written]);
    bytes.resize_with(end, || fill(dice));
    bytes
}
