//! How a backup becomes a store again.

use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::error::BackupError;
use super::folder::{Folder, sync_folder};
use super::making::remove_folder;
use super::manifest::Manifest;
use super::sealing::BackupKey;
use super::watch::{Step, Watch};
use crate::store::contents::Contents;
use crate::store::engine::StoreError;

/// Reads what a copy of a store holds, to its last row, and changes nothing of it.
pub type Inspect = dyn Fn(&Path) -> Result<Contents, StoreError> + Send + Sync;

impl Folder {
    /// Puts the store of a backup together in a folder that is not there yet, and sees to it that it is
    /// what was backed up: each file by its piece, then the store as a whole, whose log is recomputed and
    /// whose head is compared with the manifest. What fails leaves nothing there.
    ///
    /// # Errors
    /// [`BackupError`] names the piece.
    pub fn put_together(
        &self,
        manifest: &Manifest,
        key: Option<&BackupKey>,
        (to, inspect): (&Path, &Inspect),
        watch: &mut dyn Watch,
    ) -> Result<Contents, BackupError> {
        // What is in it is nobody else's to read.
        let made = DirBuilder::new().mode(0o700).create(to);
        made.map_err(BackupError::at(to))?;
        let made = self
            .put_files_together(manifest, key, to, watch)
            .and_then(|()| {
                watch.step(Step::Inspecting)?;
                let held = inspect(to)?;
                match manifest.differs_from(&held) {
                    None => Ok(held),
                    Some(reason) => Err(BackupError::OtherContents {
                        number: manifest.number,
                        reason,
                    }),
                }
            });
        if made.is_err() {
            // What went wrong is told, and not that this did too.
            let _ = remove_folder(to);
        }
        made
    }

    fn put_files_together(
        &self,
        manifest: &Manifest,
        key: Option<&BackupKey>,
        to: &Path,
        watch: &mut dyn Watch,
    ) -> Result<(), BackupError> {
        watch.step(Step::ReadingBack)?;
        watch.ahead(manifest.bytes());
        for file in &manifest.files {
            let path = to.join(&file.name);
            let mut out = File::create_new(&path).map_err(BackupError::at(&path))?;
            self.read_piece((manifest.number, file), key, watch, |bytes| {
                out.write_all(bytes).map_err(BackupError::at(&path))
            })?;
            out.sync_all().map_err(BackupError::at(&path))?;
        }
        sync_folder(to)
    }
}
