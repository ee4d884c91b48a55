//! Room on the disk: how much is kept free, and what is set aside for when it is full all the same.
//!
//! A database whose disk is full is in the worst of places: it cannot write its log, nor what it has in
//! memory, nor make itself smaller. So changes are refused while there is still room for all that, and go on by
//! themselves when there is more. Others fill disks too, and faster than is looked; for that a file of real
//! blocks lies in the store's folder, which is given up when the disk is all but full, or a write has failed,
//! and made anew when there is room for it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::Place;
use crate::store::engine::Stopped;

/// How much room is kept on the store's disk; nothing where both are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes that are kept free: below that no changes are taken.
    pub keep_free: u64,
    /// Bytes that are set aside.
    pub reserve: u64,
}

/// What is found is taken for true for so long. At two gigabytes a second that is a tenth of a
/// gigabyte.
const LOOKED_FOR: Duration = Duration::from_millis(50);

/// What has to be free on the anchor's disk, where it is another one: the anchor is overwritten in place.
const FOR_ANCHOR: u64 = 1 << 20;

/// The name of what is set aside, in the store's folder, so that it is on the store's disk.
pub(super) const RESERVE: &str = "RESERVE";

/// The room of one open store.
pub(super) struct Space {
    store: PathBuf,
    anchor: PathBuf,
    room: Room,
    looked: Mutex<Looked>,
}

struct Looked {
    at: Option<Instant>,
    found: Result<(), Stopped>,
    /// Whether nothing can be set aside here.
    cannot: bool,
}

impl Space {
    /// The room of the store at `place`, which is about to be opened. What it takes to open one that was
    /// left on a full disk is given to it first.
    pub(super) fn before_opening(place: &Place) -> Self {
        let space = Self {
            store: place.store.clone(),
            anchor: place.anchor.clone(),
            room: place.room,
            looked: Mutex::new(Looked {
                at: None,
                found: Ok(()),
                cannot: false,
            }),
        };
        if free_bytes(&space.store).is_ok_and(|free| free < space.room.reserve) {
            space.give_up();
        }
        space
    }

    /// Whether there is room for changes, as it was a moment ago at most.
    pub(super) fn has_room(&self) -> Result<(), Stopped> {
        if self.room == Room::default() {
            return Ok(());
        }
        let mut looked = self.looked();
        if looked.at.is_none_or(|at| at.elapsed() > LOOKED_FOR) {
            looked.found = self.look(&mut looked.cannot);
            looked.at = Some(Instant::now());
        }
        looked.found.clone()
    }

    /// Gives what is set aside to whoever has to write now.
    pub(super) fn give_up(&self) {
        let _looking = self.looked();
        self.remove_reserve();
    }

    fn looked(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, cannot: &mut bool) -> Result<(), Stopped> {
        let Room { keep_free, reserve } = self.room;
        // Who cannot be asked is taken for full.
        let free = |path: &Path| free_bytes(path).unwrap_or(0);
        let on_anchor = free(&self.anchor);
        let least = keep_free.min(FOR_ANCHOR);
        if on_anchor < least {
            return Err(Stopped::DiskFull {
                free: on_anchor,
                least,
            });
        }
        let is_aside = self.is_set_aside();
        let left = free(&self.store);
        let to_set_aside = match is_aside || *cannot {
            true => 0,
            false => reserve,
        };
        let least = keep_free.saturating_add(to_set_aside);
        if left < least {
            // Only while no changes are taken: they would take it.
            if is_aside && left < keep_free.min(reserve) {
                self.remove_reserve();
            }
            return Err(Stopped::DiskFull { free: left, least });
        }
        if to_set_aside > 0
            && let Err(error) = self.set_aside()
        {
            *cannot = true;
            self.remove_reserve();
            tracing::warn!(engine = %error, "no room can be set aside on the store's disk");
        }
        Ok(())
    }

    fn reserve_file(&self) -> PathBuf {
        self.store.join(RESERVE)
    }

    /// All of it, in blocks that are really there.
    fn is_set_aside(&self) -> bool {
        let found = fs::metadata(self.reserve_file());
        self.room.reserve == 0
            || found.is_ok_and(|found| {
                found.len() == self.room.reserve && found.blocks() * 512 >= found.len()
            })
    }

    fn set_aside(&self) -> io::Result<()> {
        let mut file = File::create(self.reserve_file())?;
        match fallocate(&file, FallocateFlags::empty(), 0, self.room.reserve) {
            Err(rustix::io::Errno::OPNOTSUPP) => fill(&mut file, self.room.reserve),
            set_aside => Ok(set_aside?),
        }
    }

    fn remove_reserve(&self) {
        if fs::remove_file(self.reserve_file()).is_ok() {
            tracing::warn!(
                "what was set aside on the store's disk is given up, for what has to be written"
            );
        }
    }
}

/// Where blocks cannot be had without writing them.
fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let next = left.min(zeros.len() as u64);
        file.write_all(&zeros[..next as usize])?;
        left -= next;
    }
    Ok(())
}

/// Bytes that are left on the disk of a file or folder, or of the next one above it that is there.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().find(|above| above.exists());
    let disk = statvfs(there.unwrap_or(&path))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(folder: &Path, room: Room) -> Space {
        let place = Place {
            room,
            ..Place::within(folder, [0; 16])
        };
        fs::create_dir_all(&place.store).unwrap();
        Space::before_opening(&place)
    }

    #[test]
    fn what_is_set_aside_is_there_in_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room {
            keep_free: 1,
            reserve: 3 << 20,
        };
        let space = space(folder.path(), room);
        assert!(!space.is_set_aside());
        assert_eq!(space.has_room(), Ok(()));
        assert!(space.is_set_aside());
        let file = fs::metadata(space.reserve_file()).unwrap();
        assert_eq!(file.len(), 3 << 20);
        assert!(file.blocks() * 512 >= 3 << 20, "{} blocks", file.blocks());
        // One that only looks like it.
        fs::remove_file(space.reserve_file()).unwrap();
        File::create(space.reserve_file())
            .and_then(|file| file.set_len(3 << 20))
            .unwrap();
        assert!(!space.is_set_aside());
        space.give_up();
        assert!(!space.reserve_file().exists());
    }

    #[test]
    fn a_disk_with_less_than_is_kept_free_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let most = u64::MAX / 4;
        let room = Room {
            keep_free: most,
            reserve: 1 << 20,
        };
        let full = space(folder.path(), room);
        let Err(Stopped::DiskFull { free, least }) = full.has_room() else {
            panic!("it has no room");
        };
        assert!(free > 0 && least == most + (1 << 20), "{free} {least}");
        assert!(!full.reserve_file().exists());
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let space = space(folder.path(), Room::default());
        assert_eq!(space.has_room(), Ok(()));
        assert!(!space.reserve_file().exists());
    }
}
