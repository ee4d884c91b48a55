//! Which file is damaged, and how.

use std::fs;
use std::path::{Path, PathBuf};

use super::history::{EARLIER, History, NEWEST, ONE_START_EARLIER, OTHER, SHORTLY_BEFORE};

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    WalOldest,
    WalMiddle,
    WalNewest,
    SortedOldest,
    SortedNewest,
    Manifest,
    Current,
    Options,
    Identity,
    Log,
    Lock,
    AnchorNewerSlot,
    AnchorOlderSlot,
    Anchor,
}

impl Kind {
    pub(super) const ALL: [Self; 14] = [
        Self::WalOldest,
        Self::WalMiddle,
        Self::WalNewest,
        Self::SortedOldest,
        Self::SortedNewest,
        Self::Manifest,
        Self::Current,
        Self::Options,
        Self::Identity,
        Self::Log,
        Self::Lock,
        Self::AnchorNewerSlot,
        Self::AnchorOlderSlot,
        Self::Anchor,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::WalOldest => "log file, oldest",
            Self::WalMiddle => "log file, middle",
            Self::WalNewest => "log file, newest",
            Self::SortedOldest => "sorted file, oldest",
            Self::SortedNewest => "sorted file, newest",
            Self::Manifest => "MANIFEST",
            Self::Current => "CURRENT",
            Self::Options => "OPTIONS",
            Self::Identity => "IDENTITY",
            Self::Log => "LOG",
            Self::Lock => "LOCK",
            Self::AnchorNewerSlot => "anchor, newer slot",
            Self::AnchorOlderSlot => "anchor, older slot",
            Self::Anchor => "anchor, whole file",
        }
    }

    /// The file in a data folder; the part of it that is meant, where it is not all of it.
    pub(super) fn file(self, data: &Path) -> Option<(PathBuf, Option<usize>)> {
        let store = data.join("store");
        let whole = |path: Option<PathBuf>| path.map(|path| (path, None));
        let anchor = data.join("anchor/anchor");
        match self {
            Self::WalOldest => whole(named(&store, "", ".log").first().cloned()),
            Self::WalMiddle => {
                let logs = named(&store, "", ".log");
                whole(logs.get(logs.len() / 2).cloned())
            }
            Self::WalNewest => whole(named(&store, "", ".log").pop()),
            Self::SortedOldest => whole(named(&store, "", ".sst").first().cloned()),
            Self::SortedNewest => whole(named(&store, "", ".sst").pop()),
            Self::Manifest => whole(named(&store, "MANIFEST-", "").pop()),
            Self::Current => whole(Some(store.join("CURRENT"))),
            Self::Options => whole(named(&store, "OPTIONS-", "").pop()),
            Self::Identity => whole(Some(store.join("IDENTITY"))),
            Self::Log => whole(Some(store.join("LOG"))),
            Self::Lock => whole(Some(store.join("LOCK"))),
            Self::AnchorNewerSlot => Some((anchor.clone(), Some(newer_slot(&anchor)))),
            Self::AnchorOlderSlot => Some((anchor.clone(), Some(1 - newer_slot(&anchor)))),
            Self::Anchor => whole(Some(anchor)),
        }
    }
}

fn newer_slot(anchor: &Path) -> usize {
    let bytes = fs::read(anchor).unwrap();
    let number = |slot: usize| bytes[slot * SLOT + 32..slot * SLOT + 40].to_vec();
    usize::from(number(1) > number(0))
}

const SLOT: usize = 4_096;

/// The files of a store with such names, in their order.
fn named(store: &Path, begin: &str, end: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(store)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|file| {
            let name = file.file_name().unwrap().to_str().unwrap();
            name.starts_with(begin) && name.ends_with(end)
        })
        .collect();
    files.sort();
    files
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// One byte is another, so many thousandths into it.
    Flipped(u32),
    /// It ends so many thousandths into it.
    Truncated(u32),
    /// It ends so many bytes before its end.
    CutShort(u64),
    Missing,
    /// As it was at that moment.
    Older(&'static str),
    /// Another file of its kind, of this store or of another one.
    Replaced(&'static str),
    Zeroed,
    /// Its last so many thousandths are zeros.
    ZeroedTail(u32),
}

impl Damage {
    pub(super) fn of(kind: Kind) -> Vec<Self> {
        let mut damages: Vec<_> = (0..FLIPS).map(|n| Self::Flipped(place(kind, n))).collect();
        damages.extend([0, 100, 500, 900].map(Self::Truncated));
        damages.extend([1, 7, 40].map(Self::CutShort));
        damages.extend([Self::Missing, Self::Zeroed]);
        damages.extend([50, 500].map(Self::ZeroedTail));
        damages.extend([SHORTLY_BEFORE, ONE_START_EARLIER, EARLIER].map(Self::Older));
        damages.extend(["another", OTHER].map(Self::Replaced));
        damages
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Flipped(place) => format!("a byte flipped at {place} ‰"),
            Self::Truncated(place) => format!("truncated to {place} ‰"),
            Self::CutShort(bytes) => format!("its last {bytes} bytes cut off"),
            Self::Missing => "missing".to_owned(),
            Self::Older(moment) => format!("as it was {}", moment.replace('-', " ")),
            Self::Replaced("another") => "replaced by another of the store".to_owned(),
            Self::Replaced(_) => "replaced by that of another store".to_owned(),
            Self::Zeroed => "zeroed".to_owned(),
            Self::ZeroedTail(part) => format!("its last {part} ‰ zeroed"),
        }
    }

    /// In one word, for the table of kinds.
    pub(super) const fn sort(self) -> &'static str {
        match self {
            Self::Flipped(_) => "flipped",
            Self::Truncated(_) | Self::CutShort(_) => "truncated",
            Self::Missing => "missing",
            Self::Older(_) => "older",
            Self::Replaced(_) => "replaced",
            Self::Zeroed | Self::ZeroedTail(_) => "zeroed",
        }
    }

    /// Does it to `kind` in the data folder `data`; `None` where it would change nothing.
    pub(super) fn does(self, history: &History, kind: Kind, data: &Path) -> Option<()> {
        let (file, slot) = kind.file(data)?;
        let whole = fs::read(&file).unwrap();
        let range = slot.map_or(0..whole.len(), |slot| slot * SLOT..(slot + 1) * SLOT);
        let part = &whole[range.clone()];
        let Some(mut other) = self.other(history, kind, &file, part) else {
            // A slot alone cannot be missing.
            slot.is_none().then(|| fs::remove_file(&file).unwrap())?;
            return Some(());
        };
        if slot.is_some() {
            other.resize(SLOT, 0);
        }
        if other == part {
            return None;
        }
        let after = [&whole[..range.start], &other, &whole[range.end..]].concat();
        // A new file, since the old one may be the same as that of another case.
        fs::remove_file(&file).unwrap();
        fs::write(&file, after).unwrap();
        Some(())
    }

    /// What the bytes are to be; `None` where the file is to be gone. The same bytes: there is none
    /// to put there.
    fn other(self, history: &History, kind: Kind, file: &Path, part: &[u8]) -> Option<Vec<u8>> {
        let at = |thousandths: u32| part.len() * thousandths as usize / 1_000;
        let mut bytes = part.to_vec();
        let alike = |data: &Path, name: &Path| {
            let alike = kind.file(data)?;
            let same = data.join(name.strip_prefix(two_up(name)).unwrap());
            let path = if same.exists() { same } else { alike.0 };
            let bytes = fs::read(path).ok()?;
            match alike.1 {
                Some(slot) => bytes
                    .get(slot * SLOT..(slot + 1) * SLOT)
                    .map(<[u8]>::to_vec),
                None => Some(bytes),
            }
        };
        match self {
            Self::Missing => return None,
            Self::Flipped(place) => {
                let place = at(place).min(part.len().saturating_sub(1));
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 1 << (place % 8);
                }
            }
            Self::Truncated(place) => bytes.truncate(at(place)),
            Self::CutShort(by) => bytes.truncate(part.len().saturating_sub(by as usize)),
            Self::Zeroed => bytes.fill(0),
            Self::ZeroedTail(tail) => bytes[at(1_000 - tail)..].fill(0),
            Self::Older(moment) | Self::Replaced(moment) if moment != "another" => {
                bytes = alike(&history.at(moment), file).unwrap_or(bytes);
            }
            Self::Older(_) | Self::Replaced(_) => {
                bytes = another(file).unwrap_or(bytes);
            }
        }
        Some(bytes)
    }
}

/// Flipped bytes of each file: at its head, at its end, and between.
const FLIPS: u32 = 10;

/// The first ones are fixed, the others hang on the kind alone.
fn place(kind: Kind, n: u32) -> u32 {
    match n {
        0 => 0,
        1 => 3,
        2 => 500,
        3 => 999,
        _ => (kind as u32 * 7_919 + n * 104_729) % 1_000,
    }
}

/// The data folder of a file that is in a folder of it.
fn two_up(file: &Path) -> &Path {
    file.ancestors().nth(2).expect("it is in a data folder")
}

/// Another file of the same kind in the same folder.
fn another(file: &Path) -> Option<Vec<u8>> {
    let end = file.extension()?.to_str()?;
    let alike = named(file.parent()?, "", &format!(".{end}"));
    let other = alike.into_iter().find(|other| other != file)?;
    fs::read(other).ok()
}

/// Several files at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mixture {
    /// The whole store is put back, the anchor stays.
    StorePutBack(&'static str),
    /// MANIFEST and CURRENT are those of an earlier moment, all else stays.
    ManifestPutBack(&'static str),
    /// The earlier store, with the newer log files added.
    NewerLogs(&'static str),
    /// No log file is left.
    NoLogs,
    /// Two sorted files have changed places.
    SortedSwapped,
    /// Two log files have changed places.
    LogsSwapped,
    /// There is no store beside the anchor.
    NoStore,
    /// Neither store nor anchor knows of what came last.
    BothPutBack(&'static str),
}

impl Mixture {
    pub(super) const ALL: [Self; 14] = [
        Self::StorePutBack(SHORTLY_BEFORE),
        Self::StorePutBack(ONE_START_EARLIER),
        Self::StorePutBack(EARLIER),
        Self::ManifestPutBack(SHORTLY_BEFORE),
        Self::ManifestPutBack(ONE_START_EARLIER),
        Self::ManifestPutBack(EARLIER),
        Self::NewerLogs(SHORTLY_BEFORE),
        Self::NewerLogs(ONE_START_EARLIER),
        Self::NewerLogs(EARLIER),
        Self::NoLogs,
        Self::SortedSwapped,
        Self::LogsSwapped,
        Self::NoStore,
        Self::BothPutBack(ONE_START_EARLIER),
    ];

    pub(super) fn name(self) -> String {
        let words = |moment: &str| moment.replace('-', " ");
        match self {
            Self::StorePutBack(moment) => format!("the store as it was {}", words(moment)),
            Self::ManifestPutBack(moment) => {
                format!("MANIFEST and CURRENT as they were {}", words(moment))
            }
            Self::NewerLogs(moment) => {
                format!(
                    "the store as it was {}, with newer log files",
                    words(moment)
                )
            }
            Self::NoLogs => "all log files missing".to_owned(),
            Self::SortedSwapped => "two sorted files swapped".to_owned(),
            Self::LogsSwapped => "two log files swapped".to_owned(),
            Self::NoStore => "no store beside the anchor".to_owned(),
            Self::BothPutBack(moment) => {
                format!("store and anchor as they were {}", words(moment))
            }
        }
    }

    pub(super) fn does(self, history: &History, data: &Path) {
        let store = data.join("store");
        match self {
            Self::StorePutBack(moment) => put_back(history, moment, &store),
            Self::ManifestPutBack(moment) => {
                for manifest in named(&store, "MANIFEST-", "") {
                    fs::remove_file(manifest).unwrap();
                }
                let then = history.at(moment).join("store");
                let manifests = named(&then, "MANIFEST-", "");
                for file in manifests.into_iter().chain([then.join("CURRENT")]) {
                    let to = store.join(file.file_name().unwrap());
                    let _ = fs::remove_file(&to);
                    fs::copy(file, to).unwrap();
                }
            }
            Self::NewerLogs(moment) => {
                put_back(history, moment, &store);
                for log in named(&history.at(NEWEST).join("store"), "", ".log") {
                    let to = store.join(log.file_name().unwrap());
                    let _ = fs::remove_file(&to);
                    fs::copy(log, to).unwrap();
                }
            }
            Self::NoLogs => {
                for log in named(&store, "", ".log") {
                    fs::remove_file(log).unwrap();
                }
            }
            Self::SortedSwapped => swap(&named(&store, "", ".sst")),
            Self::LogsSwapped => swap(&named(&store, "", ".log")),
            Self::NoStore => fs::remove_dir_all(store).unwrap(),
            Self::BothPutBack(moment) => {
                put_back(history, moment, &store);
                let anchor = data.join("anchor/anchor");
                fs::copy(history.at(moment).join("anchor/anchor"), anchor).unwrap();
            }
        }
    }
}

fn put_back(history: &History, moment: &str, store: &Path) {
    fs::remove_dir_all(store).unwrap();
    crate::support::files::copy_all(&history.at(moment).join("store"), store);
}

fn swap(files: &[PathBuf]) {
    let [one, other, ..] = files else {
        panic!("there are two of them");
    };
    let aside = one.with_extension("aside");
    fs::rename(one, &aside).unwrap();
    fs::rename(other, one).unwrap();
    fs::rename(aside, other).unwrap();
}
