//! The anchor in a file of its own, which may be on another disk than the store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::{AnchorPlace, SLOT_BYTES};
use crate::store::durably::{folder_of, make_folder, sync_folder_of};

/// More than an anchor has: what is longer is something else.
const LONGEST: u64 = 4 * SLOT_BYTES as u64;

/// Both slots, one behind the other.
pub(crate) struct AnchorFile {
    path: PathBuf,
    /// Open once something was written.
    open: Option<File>,
}

impl AnchorFile {
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
        }
    }

    fn told<T>(&self, done: io::Result<T>) -> Result<T, String> {
        done.map_err(|error| format!("{}: {error}", self.path.display()))
    }

    fn bytes(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::with_capacity(2 * SLOT_BYTES);
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// The whole file takes the place of an earlier one at once, or does not.
    fn replace(&self, slot: &[u8]) -> io::Result<File> {
        make_folder(folder_of(&self.path))?;
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let mut file = File::create(&beside)?;
        file.write_all(slot)?;
        file.write_all(slot)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        sync_folder_of(&self.path)?;
        Ok(file)
    }

    fn overwrite(&mut self, place: usize, slot: &[u8]) -> io::Result<()> {
        let file = match self.open.take() {
            Some(file) => file,
            None => OpenOptions::new().write(true).open(&self.path)?,
        };
        file.write_all_at(slot, (place * SLOT_BYTES) as u64)?;
        // The file keeps its length, so that its bytes are all there is to be synced.
        file.sync_data()?;
        self.open = Some(file);
        Ok(())
    }
}

impl AnchorPlace for AnchorFile {
    fn read(&self) -> Result<Option<[Vec<u8>; 2]>, String> {
        let Some(mut one) = self.told(self.bytes())? else {
            return Ok(None);
        };
        let other = one.split_off(one.len().min(SLOT_BYTES));
        Ok(Some([one, other]))
    }

    fn make(&mut self, slot: &[u8]) -> Result<(), String> {
        let made = self.replace(slot);
        self.open = Some(self.told(made)?);
        Ok(())
    }

    fn write(&mut self, place: usize, slot: &[u8]) -> Result<(), String> {
        let written = self.overwrite(place, slot);
        self.told(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(byte: u8) -> Vec<u8> {
        vec![byte; SLOT_BYTES]
    }

    #[test]
    fn a_slot_is_written_in_its_place_and_the_other_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("further/down/anchor");
        let mut anchor = AnchorFile::at(&path);
        assert_eq!(anchor.read(), Ok(None));
        assert!(anchor.write(0, &slot(1)).is_err(), "nothing to write in");
        anchor.make(&slot(1)).unwrap();
        anchor.write(1, &slot(2)).unwrap();
        assert_eq!(anchor.read(), Ok(Some([slot(1), slot(2)])));
        let mut again = AnchorFile::at(&path);
        again.write(0, &slot(3)).unwrap();
        assert_eq!(again.read(), Ok(Some([slot(3), slot(2)])));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_was_cut_has_less_in_its_slots() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        let mut anchor = AnchorFile::at(&path);
        anchor.make(&slot(1)).unwrap();
        for (length, one, other) in [(5_000, 4_096, 904), (100, 100, 0), (0, 0, 0)] {
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(length).unwrap();
            let [first, second] = anchor.read().unwrap().unwrap();
            assert_eq!((first.len(), second.len()), (one, other));
        }
    }
}
