//! How a backup is made, in the order in which it is written.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::error::BackupError;
use super::folder::{Folder, Locked, entries, size_of_file};
use super::manifest::{Manifest, StoredFile, VERSION};
use super::reading::Inspect;
use super::sealing::{BackupKey, PieceName, hex};
use super::watch::{Step, Watch};
use crate::entropy::Entropy;
use crate::store::contents::Contents;
use crate::store::durably;
use crate::store::engine::StoreError;
use crate::time::Clock;

/// Copies a store as it is at one moment into a folder that is not there yet.
pub type CopyStore = dyn Fn(&Path) -> Result<(), StoreError> + Send + Sync;

/// A backup that is to be made.
pub struct NewBackup<'a> {
    /// Copies the store as it is at one moment.
    pub copy_store: &'a CopyStore,
    /// Reads what a copy of a store holds.
    pub inspect: &'a Inspect,
    /// A place for the copy, on the disk of the store: its files are links to the store's own, and take no
    /// room. Whatever is there is removed.
    pub copy: &'a Path,
    /// Into this folder.
    pub folder: &'a Folder,
    /// Sealed under this key.
    pub key: Option<&'a BackupKey>,
    /// How many backups are kept, this one among them; all of them where that is not said.
    pub keep: Option<usize>,
    /// Origin of every id, for a store in which none is recorded yet.
    pub public_url: &'a str,
    /// The version of the program.
    pub program: &'a str,
    /// Says when.
    pub clock: &'a dyn Clock,
    /// For seals.
    pub entropy: &'a dyn Entropy,
}

/// A backup that was made, and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What is in it.
    pub manifest: Manifest,
    /// Bytes that were written: what was there before was not written again.
    pub written: u64,
    /// How long the store was being copied. No write waits longer for it than that.
    pub copied_in: Duration,
    /// How many older ones were removed.
    pub removed: usize,
}

impl NewBackup<'_> {
    /// Makes it.
    ///
    /// 1. What a backup that was cut off left behind is removed: nothing names it.
    /// 2. The store is copied as it is at one moment, while it goes on to be written. Cut off here and
    ///    below, the folder of backups holds what it held.
    /// 3. The copy is read to its last row, and its log recomputed.
    /// 4. Files that are not among the pieces are put there.
    /// 5. Every piece is read back and compared with what the copy's file was.
    /// 6. The manifest is written, and read back. From here on there is one backup more.
    /// 7. Older ones are removed, where only so many are kept.
    ///
    /// # Errors
    /// [`BackupError`] says what could not be done; then there is no backup more than before.
    pub fn make(&self, watch: &mut dyn Watch) -> Result<Made, BackupError> {
        let locked = self.folder.lock()?;
        remove_folder(self.copy)?;
        locked.remove_unnamed(watch)?;
        let made_at = self.clock.now();

        watch.step(Step::Copying)?;
        let begun = Instant::now();
        (self.copy_store)(self.copy)?;
        let copied_in = begun.elapsed();
        // Before anything looks at it and leaves a note of that.
        let mut names = entries(self.copy)?;
        names.sort();

        watch.step(Step::Inspecting)?;
        let held = (self.inspect)(self.copy)?;
        self.is_of_this_store(&held)?;

        let (files, mut written) = self.put_all(&locked, &names, watch)?;
        let mut manifest = self.manifest(files, &held);
        manifest.made_at = made_at;
        manifest.number = 1 + self
            .folder
            .manifest_files()?
            .last()
            .map_or(0, |file| file.number);
        self.read_back(&manifest, watch)?;
        manifest.verified_at = self.clock.now();

        watch.step(Step::Finishing)?;
        written += locked.write_manifest(&manifest, self.key)?;
        let read = self.folder.manifest(Some(manifest.number), self.key)?;
        remove_folder(self.copy)?;
        let removed = match self.keep {
            Some(keep) => locked.keep_newest(keep, watch)?,
            None => 0,
        };
        Ok(Made {
            manifest: read,
            written,
            copied_in,
            removed,
        })
    }

    fn put_all(
        &self,
        locked: &Locked<'_>,
        names: &[std::path::PathBuf],
        watch: &mut dyn Watch,
    ) -> Result<(Vec<StoredFile>, u64), BackupError> {
        watch.step(Step::Writing)?;
        let sizes = names.iter().map(|path| size_of_file(path));
        watch.ahead(sizes.sum::<Result<u64, _>>()?);
        let (mut files, mut written) = (Vec::new(), 0);
        for path in names {
            watch.step(Step::Writing)?;
            let size = size_of_file(path)?;
            let piece = PieceName::of(digest_of(path)?, self.key);
            written += locked.put(path, piece, (self.key, self.entropy), watch)?;
            let name = path.file_name().and_then(|name| name.to_str());
            files.push(StoredFile {
                name: name.unwrap_or_default().to_owned(),
                size,
                piece,
            });
        }
        Ok((files, written))
    }

    fn read_back(&self, manifest: &Manifest, watch: &mut dyn Watch) -> Result<(), BackupError> {
        watch.step(Step::ReadingBack)?;
        watch.ahead(manifest.bytes());
        for file in &manifest.files {
            watch.step(Step::ReadingBack)?;
            let of = (manifest.number, file);
            self.folder.read_piece(of, self.key, watch, |_| Ok(()))?;
        }
        Ok(())
    }

    /// One folder, one store: pieces that are not named any more are removed from it.
    fn is_of_this_store(&self, held: &Contents) -> Result<(), BackupError> {
        let ours = hex(&held.store);
        let others = self.folder.manifest_files()?;
        let Some(newest) = others.last() else {
            return Ok(());
        };
        let bytes = fs::read(&newest.path).map_err(BackupError::at(&newest.path))?;
        let theirs: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        match theirs.as_ref().and_then(|theirs| theirs["store"].as_str()) {
            Some(theirs) if theirs != ours => Err(BackupError::OtherStore {
                folder: self.folder.path().to_owned(),
                theirs: theirs.to_owned(),
                ours,
            }),
            _ => Ok(()),
        }
    }

    fn manifest(&self, files: Vec<StoredFile>, held: &Contents) -> Manifest {
        let now = self.clock.now();
        Manifest {
            goodstanding_backup: VERSION,
            number: 0,
            made_at: now,
            verified_at: now,
            program: self.program.to_owned(),
            store: hex(&held.store),
            epoch: held.epoch,
            format: held.format,
            seq: held.head.seq,
            at: held.head.at,
            digest: hex(&held.head.digest),
            commits: held.commits,
            public_url: held
                .public_url
                .clone()
                .unwrap_or_else(|| self.public_url.to_owned()),
            master_keys: held.master_keys.iter().map(ToString::to_string).collect(),
            sealed_under: self.key.map(|key| key.id().clone()),
            files,
        }
    }
}

fn digest_of(path: &Path) -> Result<[u8; 32], BackupError> {
    let mut file = fs::File::open(path).map_err(BackupError::at(path))?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 20];
    loop {
        let read = std::io::Read::read(&mut file, &mut part).map_err(BackupError::at(path))?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&part[..read]);
    }
}

/// Removes a folder with what is in it, where it is there.
pub(super) fn remove_folder(folder: &Path) -> Result<(), BackupError> {
    durably::remove_folder(folder).map_err(BackupError::at(folder))
}
