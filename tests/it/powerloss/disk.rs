//! A disk: what is durable of a folder, and what was asked of it since.
//!
//! A file's data is durable up to the last sync of the file that ended: what was written before
//! that sync began. A name (made, renamed, linked, removed) is durable by a sync of its folder
//! ([`Names::ByTheirFolder`], what POSIX promises), or by any sync at all that began later
//! ([`Names::ByAnySync`], as file systems with one journal for all names have it: ext4, XFS).

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::journal::Record;

/// By what a name becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    ByTheirFolder,
    ByAnySync,
}

/// A file or a folder, by its place in [`Disk::nodes`].
pub(super) type NodeId = usize;

/// The folder that everything is in.
pub(super) const ROOT: NodeId = 0;

pub(super) struct Disk {
    names: Names,
    pub(super) nodes: Vec<Node>,
    /// Which node an inode's number means at present; numbers are given again.
    by_file: HashMap<u64, NodeId>,
    /// Names that are not durable yet, in their order.
    pub(super) changes: Vec<NameChange>,
    /// Syncs under way: of which node, and how many records stood before it.
    begun: HashMap<u64, (NodeId, usize)>,
    records: usize,
}

pub(super) struct Node {
    pub(super) mode: u32,
    pub(super) what: What,
}

pub(super) enum What {
    File {
        durable: Vec<u8>,
        /// What was asked since, each with its place among the records.
        pending: Vec<(usize, DataChange)>,
    },
    Folder {
        durable: BTreeMap<String, NodeId>,
        now: BTreeMap<String, NodeId>,
    },
}

#[derive(Debug, Clone)]
pub(super) enum DataChange {
    Wrote { at: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

/// A change of names, which takes place whole or not at all.
#[derive(Debug, Clone)]
pub(super) struct NameChange {
    at: usize,
    /// What a folder's name means from then on.
    pub(super) sets: Vec<(NodeId, String, Option<NodeId>)>,
}

impl Disk {
    /// A disk that holds a folder as it is: all of it is durable.
    pub(super) fn holding(folder: &Path, names: Names) -> Self {
        let mut disk = Self {
            names,
            nodes: Vec::new(),
            by_file: HashMap::new(),
            changes: Vec::new(),
            begun: HashMap::new(),
            records: 0,
        };
        disk.read(folder);
        disk
    }

    fn read(&mut self, path: &Path) -> NodeId {
        let found = fs::symlink_metadata(path).unwrap();
        if let Some(&known) = self.by_file.get(&found.ino()) {
            return known;
        }
        let mode = found.permissions().mode() & 0o7777;
        if found.is_file() {
            let durable = fs::read(path).unwrap();
            return self.node(found.ino(), mode, file(durable));
        }
        assert!(found.is_dir(), "{} is no file", path.display());
        let node = self.node(found.ino(), mode, folder(BTreeMap::new()));
        let mut entries = BTreeMap::new();
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().expect("a name is text");
            entries.insert(name, self.read(&entry.path()));
        }
        self.nodes[node].what = folder(entries);
        node
    }

    fn node(&mut self, inode: u64, mode: u32, what: What) -> NodeId {
        self.nodes.push(Node { mode, what });
        let node = self.nodes.len() - 1;
        self.by_file.insert(inode, node);
        node
    }

    /// What a process asked of it, in its order.
    pub(super) fn take(&mut self, records: Vec<Record>) {
        for record in records {
            self.records += 1;
            self.take_one(record);
        }
    }

    fn take_one(&mut self, record: Record) {
        match record {
            Record::MadeFolder { name, file, mode } => {
                let made = self.node(file, mode, folder(BTreeMap::new()));
                self.set(&[(&name, Some(made))]);
            }
            Record::MadeFile { name, file, mode } => {
                let made = self.node(file, mode, self::file(Vec::new()));
                self.set(&[(&name, Some(made))]);
            }
            Record::Wrote { file, at, bytes } => {
                self.data(file, DataChange::Wrote { at, bytes });
            }
            Record::Cut { file, length } => self.data(file, DataChange::Cut { length }),
            Record::Renamed { from, to } => {
                let moved = self.named(&from);
                self.set(&[(&from, None), (&to, Some(moved))]);
            }
            Record::Linked { from, to } => {
                let linked = self.named(&from);
                self.set(&[(&to, Some(linked))]);
            }
            Record::Unlinked { name } | Record::RemovedFolder { name } => {
                self.set(&[(&name, None)]);
            }
            Record::SyncBegins { file, number } => {
                let node = self.known(file);
                self.begun.insert(number, (node, self.records));
            }
            Record::SyncEnds { number } => {
                let (node, before) = self.begun.remove(&number).expect("a sync begins first");
                self.synced(node, before);
            }
        }
    }

    fn known(&self, file: u64) -> NodeId {
        let node = self.by_file.get(&file);
        *node.unwrap_or_else(|| panic!("inode {file} was never seen to be made"))
    }

    fn data(&mut self, file: u64, change: DataChange) {
        let node = self.known(file);
        match &mut self.nodes[node].what {
            What::File { pending, .. } => pending.push((self.records, change)),
            What::Folder { .. } => panic!("data was written into a folder"),
        }
    }

    fn entries(&mut self, node: NodeId) -> &mut BTreeMap<String, NodeId> {
        match &mut self.nodes[node].what {
            What::Folder { now, .. } => now,
            What::File { .. } => panic!("a file has no names in it"),
        }
    }

    fn named(&mut self, name: &str) -> NodeId {
        let (folder, last) = self.parent(name);
        let found = self.entries(folder).get(&last).copied();
        found.unwrap_or_else(|| panic!("{name} was never seen to be made"))
    }

    /// The folder that a name stands in, and the name there.
    fn parent(&mut self, name: &str) -> (NodeId, String) {
        let (above, last) = name.rsplit_once('/').unwrap_or(("", name));
        let mut folder = ROOT;
        for part in above.split('/').filter(|part| !part.is_empty()) {
            let found = self.entries(folder).get(part).copied();
            folder = found.unwrap_or_else(|| panic!("{name}: no folder {part}"));
        }
        (folder, last.to_owned())
    }

    fn set(&mut self, names: &[(&str, Option<NodeId>)]) {
        let mut sets = Vec::new();
        for (name, node) in names {
            let (folder, last) = self.parent(name);
            match node {
                Some(node) => self.entries(folder).insert(last.clone(), *node),
                None => self.entries(folder).remove(&last),
            };
            sets.push((folder, last, *node));
        }
        let at = self.records;
        self.changes.push(NameChange { at, sets });
    }

    /// A sync of a node has ended that began when so many records stood.
    fn synced(&mut self, node: NodeId, before: usize) {
        if let What::File { durable, pending } = &mut self.nodes[node].what {
            let kept = pending.split_off(pending.partition_point(|(at, _)| *at < before));
            for (_, change) in std::mem::replace(pending, kept) {
                change.apply(durable);
            }
        }
        let names = self.names;
        let covered = |change: &mut NameChange| {
            let of_it = change.sets.iter().any(|(folder, ..)| *folder == node);
            change.at < before && (of_it || names == Names::ByAnySync)
        };
        let covered: Vec<NameChange> = self.changes.extract_if(.., covered).collect();
        for change in covered {
            for (folder, name, node) in change.sets {
                let What::Folder { durable, .. } = &mut self.nodes[folder].what else {
                    panic!("a file has no names in it");
                };
                match node {
                    Some(node) => durable.insert(name, node),
                    None => durable.remove(&name),
                };
            }
        }
    }

    /// Everything that was asked, as a disk shows it that had time for it.
    pub(super) fn everything(&self) -> Folder {
        self.show(ROOT, &|node| {
            let What::Folder { now, .. } = &self.nodes[node].what else {
                return None;
            };
            Some(now.clone())
        })
    }

    fn show(
        &self,
        node: NodeId,
        names: &dyn Fn(NodeId) -> Option<BTreeMap<String, NodeId>>,
    ) -> Folder {
        let mut shown = Folder::new();
        for (name, child) in names(node).unwrap_or_default() {
            match &self.nodes[child].what {
                What::File { durable, pending } => {
                    let mut bytes = durable.clone();
                    for (_, change) in pending {
                        change.apply(&mut bytes);
                    }
                    shown.insert(name, bytes);
                }
                What::Folder { .. } => {
                    let below = self.show(child, names).into_iter();
                    shown.extend(below.map(|(last, bytes)| (format!("{name}/{last}"), bytes)));
                }
            }
        }
        shown
    }
}

/// Files by their names below a folder.
pub(super) type Folder = BTreeMap<String, Vec<u8>>;

impl DataChange {
    pub(super) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Wrote { at, bytes } => {
                let end = at + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[*at..end].copy_from_slice(bytes);
            }
            Self::Cut { length } => file.resize(*length, 0),
        }
    }
}

fn file(durable: Vec<u8>) -> What {
    What::File {
        durable,
        pending: Vec::new(),
    }
}

fn folder(entries: BTreeMap<String, NodeId>) -> What {
    What::Folder {
        durable: entries.clone(),
        now: entries,
    }
}

/// The files below a folder as they are.
pub(super) fn found(path: &Path) -> Folder {
    Disk::holding(path, Names::ByTheirFolder).everything()
}

/// Sets a file's or a folder's mode.
pub(super) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
