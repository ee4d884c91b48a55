//! A replica's copy of the store that it shares with others, in a folder of its own. Nothing in it is needed
//! that the shared place does not have: what cannot be used is thrown away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::options::{self, Wals};
use super::space::Space;
use super::view::{Frozen, Live};
use super::{Place, Synced, cannot_open, checkpoint, in_use, purge};
use crate::store::durably::{self, make_folder};
use crate::store::engine::{Read, Row, Stopped, StoreError};
use crate::store::following::Tables;
use crate::store::replica::copy::{LocalCopy, Still};
use crate::store::staging::Writes;
use crate::store::view::reads_through;

/// Says that a folder holds a copy, so that no store is taken for one, and none for a store.
const MARKER: &str = "COPY";
const MARKED: &str = "A copy of a store that several processes share. It may be deleted while none of them uses it.\n";
/// Says that it is to be thrown away.
const GIVEN_UP: &str = "GIVEN-UP";

/// A copy that is open.
pub(in crate::store) struct OnDisk {
    live: Arc<Live>,
    space: Space,
    folder: PathBuf,
    whole: Mutex<bool>,
}

/// Whether a folder holds a copy.
pub(super) fn is_copy(folder: &Path) -> bool {
    folder.join(MARKER).is_file()
}

impl OnDisk {
    /// Opens the copy in the folder of `place`, and makes an empty one where there is none, or where the one
    /// that is there cannot be used.
    pub(in crate::store) fn open(place: &Place) -> Result<Self, StoreError> {
        let folder = place.store.as_path();
        if !options::is_empty(folder) && !is_copy(folder) {
            return Err(cannot_open(
                folder,
                "it holds a store of its own and not a copy of a shared one; choose another folder for the copy",
            ));
        }
        prepare(folder).map_err(|error| cannot_open(folder, &error.to_string()))?;
        let space = Space::before_opening(place);
        Ok(Self {
            live: Arc::new(open_or_anew(place)?),
            space,
            folder: folder.to_owned(),
            whole: Mutex::new(true),
        })
    }
}

/// Makes the folder where there is none, and empties one that was given up.
fn prepare(folder: &Path) -> io::Result<()> {
    make_folder(folder)?;
    if !is_copy(folder) {
        durably::write(&folder.join(MARKER), MARKED)?;
    }
    match folder.join(GIVEN_UP).exists() {
        true => empty(folder),
        false => Ok(()),
    }
}

fn open_or_anew(place: &Place) -> Result<Live, StoreError> {
    let folder = place.store.as_path();
    let open = || {
        if options::has_lost_its_way(folder) {
            return Err(cannot_open(folder, "CURRENT is missing"));
        }
        let opened = options::open(folder, place.write_buffer_bytes, Wals::Whole);
        opened.map_err(|error| cannot_open(folder, error.as_ref()))
    };
    open().or_else(|error| {
        if error == in_use(folder) {
            return Err(error);
        }
        tracing::warn!(engine = %error, "the copy of the shared store cannot be used, and is read anew");
        empty(folder).map_err(|error| cannot_open(folder, &error.to_string()))?;
        open()
    })
}

/// Removes what is in the folder of a copy; what says that it is one last.
fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let keeps = path
            .file_name()
            .is_some_and(|name| name == MARKER || name == GIVEN_UP);
        match (keeps, path.is_dir()) {
            (true, _) => {}
            (false, true) => fs::remove_dir_all(&path)?,
            (false, false) => fs::remove_file(&path)?,
        }
    }
    match fs::remove_file(folder.join(GIVEN_UP)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => durably::sync_folder(folder),
    }
}

reads_through!(<> OnDisk, |this| this.live);

impl LocalCopy for OnDisk {
    fn write(&self, writes: &Writes) -> Result<(), String> {
        let written = self.live.write(writes, Synced::Later);
        written.map_err(|error| {
            self.space.give_up();
            error.into_string()
        })
    }

    fn freeze(&self) -> Still {
        Still(Box::new(Frozen::of(&self.live)))
    }

    fn has_room(&self) -> Result<(), Stopped> {
        self.space.has_room()
    }

    fn set_whole(&self, whole: bool) {
        *self.whole.lock().unwrap_or_else(PoisonError::into_inner) = whole;
    }

    fn give_up(&self) {
        if let Err(error) = durably::write(&self.folder.join(GIVEN_UP), "") {
            tracing::error!(engine = %error, "the copy of the shared store cannot be used, and cannot be given up");
        }
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        purge::purge(&self.live.0, ranges)
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        if !*whole {
            let folder = folder.display();
            return Err(StoreError::Unavailable(format!(
                "it cannot be copied to {folder}: the rows are being read anew from the shared place"
            )));
        }
        checkpoint::copy(&self.live.0, folder)
    }
}
