//! What the preload library recorded, read back; `powerloss.c` draws a record.

use std::fs;
use std::path::Path;

const MAGIC: u32 = 0x504c_4f53;
const HEAD: usize = 32;

/// A change, or a step of a sync. Files are named by their inodes' numbers, names stand below the
/// folder.
#[derive(Debug)]
pub(super) enum Record {
    MadeFolder {
        name: String,
        file: u64,
        mode: u32,
    },
    MadeFile {
        name: String,
        file: u64,
        mode: u32,
    },
    Wrote {
        file: u64,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: u64,
        length: usize,
    },
    Renamed {
        from: String,
        to: String,
    },
    Linked {
        from: String,
        to: String,
    },
    Unlinked {
        name: String,
    },
    RemovedFolder {
        name: String,
    },
    SyncBegins {
        file: u64,
        number: u64,
    },
    SyncEnds {
        number: u64,
    },
}

/// All records, in their order. The end of the process may have cut the last one off.
pub(super) fn read(journal: &Path) -> Vec<Record> {
    // A process that was killed before it began has none.
    let bytes = fs::read(journal).unwrap_or_default();
    let mut rest = bytes.as_slice();
    let mut records = Vec::new();
    while let Some((record, behind)) = one(rest) {
        records.push(record);
        rest = behind;
    }
    records
}

fn one(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().expect("four bytes"));
    let number = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().expect("eight bytes"));
    assert_eq!(word(0), MAGIC, "the journal is damaged");
    let (kind, file, place) = (word(4), number(8), number(16));
    let (payload, rest) = rest.split_at_checked(size(number(24)))?;
    let names = || {
        let text = str::from_utf8(payload).expect("our names are text");
        text.split('\0').map(str::to_owned)
    };
    let name = || names().next().expect("a name");
    let two = || {
        let mut names = names();
        let mut name = || names.next().expect("two names");
        (name(), name())
    };
    let mode = u32::try_from(place).unwrap_or_default();
    let record = match kind {
        1 => Record::MadeFolder {
            name: name(),
            file,
            mode,
        },
        2 => Record::MadeFile {
            name: name(),
            file,
            mode,
        },
        3 => Record::Wrote {
            file,
            at: size(place),
            bytes: payload.to_vec(),
        },
        4 => Record::Cut {
            file,
            length: size(place),
        },
        5 => {
            let (from, to) = two();
            Record::Renamed { from, to }
        }
        6 => {
            let (from, to) = two();
            Record::Linked { from, to }
        }
        7 => Record::Unlinked { name: name() },
        8 => Record::RemovedFolder { name: name() },
        9 => Record::SyncBegins {
            file,
            number: place,
        },
        10 => Record::SyncEnds { number: place },
        other => panic!("the journal has a record of kind {other}"),
    };
    Some((record, rest))
}

fn size(number: u64) -> usize {
    usize::try_from(number).expect("it fits into memory")
}
