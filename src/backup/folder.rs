//! A folder of backups.
//!
//! ```text
//! lock                       held while a backup is made or removed
//! backups/00000003-….json    the manifest of backup 3, written last
//! pieces/ab/ab12…            a file of a store, by its name; with .sealed behind it under a key
//! pieces/new                 a piece while it is written
//! ```
//!
//! A piece gets its name when it is whole and on the disk, and is never written again. So a backup that is
//! cut off leaves pieces that no manifest names, which the next one uses or removes, and nothing else.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::{BackupError, PieceFault};
use super::manifest::{Manifest, StoredFile, number_of, pieces_named};
use super::sealing::{BackupKey, CHUNK_BYTES, Chunks, HEAD_BYTES, PieceName, Place, TAG_BYTES};
use super::watch::Watch;
use crate::entropy::Entropy;
use crate::store::durably;

/// A folder of backups, of one store.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// The folder while nobody else changes it.
pub(super) struct Locked<'a> {
    pub(super) folder: &'a Folder,
    _lock: File,
}

/// A manifest's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ManifestFile {
    pub(super) number: u64,
    pub(super) path: PathBuf,
}

impl Folder {
    /// The folder at this path; it need not be there.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The manifests in it, the oldest first. Where a key is given, those that are sealed under it.
    ///
    /// # Errors
    /// One that is not as it was written. A folder that is not there holds none.
    pub fn manifests(&self, key: Option<&BackupKey>) -> Result<Vec<Manifest>, BackupError> {
        let files = self.manifest_files()?;
        files.iter().map(|file| read_manifest(file, key)).collect()
    }

    /// One manifest: the newest one where no number is given.
    ///
    /// # Errors
    /// It is not there, or not as it was written.
    pub fn manifest(
        &self,
        number: Option<u64>,
        key: Option<&BackupKey>,
    ) -> Result<Manifest, BackupError> {
        let files = self.manifest_files()?;
        let found = match number {
            None => files.last(),
            Some(number) => files.iter().find(|file| file.number == number),
        };
        let missing = || match (number, files.is_empty()) {
            (Some(number), false) => BackupError::NoSuch {
                folder: self.root.clone(),
                number,
            },
            _ => BackupError::None(self.root.clone()),
        };
        read_manifest(found.ok_or_else(missing)?, key)
    }

    pub(super) fn manifest_files(&self) -> Result<Vec<ManifestFile>, BackupError> {
        let folder = self.backups();
        let mut files: Vec<ManifestFile> = entries(&folder)?
            .into_iter()
            .filter_map(|path| {
                let number = number_of(path.file_name()?.to_str()?)?;
                Some(ManifestFile { number, path })
            })
            .collect();
        files.sort_by_key(|file| file.number);
        Ok(files)
    }

    /// Makes it where it is missing, and keeps others from changing it meanwhile.
    pub(super) fn lock(&self) -> Result<Locked<'_>, BackupError> {
        for folder in [self.root.clone(), self.backups(), self.pieces()] {
            fs::create_dir_all(&folder).map_err(BackupError::at(&folder))?;
            sync_folder(&folder)?;
        }
        if let Some(above) = self
            .root
            .parent()
            .filter(|above| !above.as_os_str().is_empty())
        {
            sync_folder(above)?;
        }
        let path = self.root.join("lock");
        let open = OpenOptions::new().create(true).append(true).open(&path);
        let lock = open.map_err(BackupError::at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Locked {
                folder: self,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(BackupError::UnderWay(self.root.clone())),
            Err(TryLockError::Error(error)) => Err(BackupError::at(&path)(error)),
        }
    }

    /// Where a piece is.
    pub(super) fn piece(&self, name: PieceName, key: Option<&BackupKey>) -> PathBuf {
        let name = name.to_string();
        let file = match key {
            None => name.clone(),
            Some(_) => format!("{name}.sealed"),
        };
        self.pieces().join(&name[..2]).join(file)
    }

    /// Reads what a piece holds, a part at a time, and sees to it that this is what was written.
    pub(super) fn read_piece(
        &self,
        (number, file): (u64, &StoredFile),
        key: Option<&BackupKey>,
        watch: &mut dyn Watch,
        mut part: impl FnMut(&[u8]) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let path = self.piece(file.piece, key);
        let damaged = |reason: PieceFault| BackupError::Piece {
            path: path.clone(),
            file: file.name.clone(),
            number,
            reason,
        };
        let opened = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => damaged(PieceFault::Missing),
            _ => damaged(error.into()),
        })?;
        let mut reader = PieceReader::of(opened, file.piece, key).map_err(damaged)?;
        let (mut hash, mut read) = (Sha256::new(), 0);
        while let Some(bytes) = reader.next().map_err(damaged)? {
            read += bytes.len() as u64;
            hash.update(&bytes);
            part(&bytes)?;
            watch.went(bytes.len() as u64)?;
        }
        if read != file.size {
            return Err(damaged(PieceFault::Length {
                found: read,
                wanted: file.size,
            }));
        }
        match PieceName::of(hash.finalize().into(), key) == file.piece {
            true => Ok(()),
            false => Err(damaged(PieceFault::Bytes)),
        }
    }

    fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    fn pieces(&self) -> PathBuf {
        self.root.join("pieces")
    }
}

impl Locked<'_> {
    /// Puts a file of a store among the pieces, unless it is there. Returns the bytes that were written.
    pub(super) fn put(
        &self,
        from: &Path,
        name: PieceName,
        (key, entropy): (Option<&BackupKey>, &dyn Entropy),
        watch: &mut dyn Watch,
    ) -> Result<u64, BackupError> {
        let path = self.folder.piece(name, key);
        if path.exists() {
            // Whoever put it there may not have waited for the disk.
            sync_folder(path.parent().unwrap_or(&self.folder.root))?;
            watch.went(size_of_file(from)?)?;
            return Ok(0);
        }
        let new = self.folder.pieces().join("new");
        let written = write_piece(from, &new, name, (key, entropy), watch)?;
        let shelf = path
            .parent()
            .expect("a piece stands in a folder of its own");
        if !shelf.exists() {
            fs::create_dir(shelf).map_err(BackupError::at(shelf))?;
            sync_folder(&self.folder.pieces())?;
        }
        fs::rename(&new, &path).map_err(BackupError::at(&path))?;
        sync_folder(shelf)?;
        Ok(written)
    }

    /// Writes a manifest, whole or not at all. Returns its bytes.
    pub(super) fn write_manifest(
        &self,
        manifest: &Manifest,
        key: Option<&BackupKey>,
    ) -> Result<u64, BackupError> {
        let folder = self.folder.backups();
        let (path, new) = (folder.join(manifest.file_name()), folder.join("new"));
        let bytes = manifest.encode(key);
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        written.map_err(BackupError::at(&new))?;
        fs::rename(&new, &path).map_err(BackupError::at(&path))?;
        sync_folder(&folder)?;
        Ok(bytes.len() as u64)
    }

    /// Removes all manifests but the newest `keep`, and then the pieces that none names any more. A
    /// manifest goes before its pieces, so that what is there is whole at each step. Returns how many
    /// backups went.
    pub(super) fn keep_newest(
        &self,
        keep: usize,
        watch: &mut dyn Watch,
    ) -> Result<usize, BackupError> {
        let files = self.folder.manifest_files()?;
        let old = &files[..files.len().saturating_sub(keep.max(1))];
        for file in old {
            watch.step(super::watch::Step::Pruning)?;
            fs::remove_file(&file.path).map_err(BackupError::at(&file.path))?;
        }
        sync_folder(&self.folder.backups())?;
        self.remove_unnamed(watch)?;
        Ok(old.len())
    }

    /// Removes the pieces that no manifest names. Where one of these cannot be read nobody knows what it
    /// names, and none is removed.
    pub(super) fn remove_unnamed(&self, watch: &mut dyn Watch) -> Result<(), BackupError> {
        let mut named = BTreeSet::new();
        for file in self.folder.manifest_files()? {
            let bytes = fs::read(&file.path).map_err(BackupError::at(&file.path))?;
            match pieces_named(&bytes) {
                Some(pieces) => named.extend(pieces.into_iter().map(|piece| piece.to_string())),
                None => return Ok(()),
            }
        }
        for shelf in entries(&self.folder.pieces())? {
            if !shelf.is_dir() {
                // A piece that was cut off.
                fs::remove_file(&shelf).map_err(BackupError::at(&shelf))?;
                continue;
            }
            for path in entries(&shelf)? {
                let name = path.file_name().and_then(|name| name.to_str());
                let name = name.map(|name| name.trim_end_matches(".sealed"));
                if name.is_none_or(|name| !named.contains(name)) {
                    watch.step(super::watch::Step::Pruning)?;
                    fs::remove_file(&path).map_err(BackupError::at(&path))?;
                }
            }
        }
        Ok(())
    }
}

fn read_manifest(file: &ManifestFile, key: Option<&BackupKey>) -> Result<Manifest, BackupError> {
    let bytes = fs::read(&file.path).map_err(BackupError::at(&file.path))?;
    let read = Manifest::decode(&bytes, key).and_then(|read| match read.number == file.number {
        true => Ok(read),
        // A copy under another name.
        false => Err(super::manifest::ManifestError::Changed),
    });
    read.map_err(|reason| BackupError::Manifest {
        path: file.path.clone(),
        reason,
    })
}

fn write_piece(
    from: &Path,
    to: &Path,
    name: PieceName,
    (key, entropy): (Option<&BackupKey>, &dyn Entropy),
    watch: &mut dyn Watch,
) -> Result<u64, BackupError> {
    let mut source = Parts::of(
        File::open(from).map_err(BackupError::at(from))?,
        CHUNK_BYTES,
    );
    let mut out = File::create(to).map_err(BackupError::at(to))?;
    let mut written = 0;
    let mut write = |bytes: &[u8]| {
        written += bytes.len() as u64;
        out.write_all(bytes).map_err(BackupError::at(to))
    };
    let mut chunks = key.map(|key| Chunks::to_write(key, name, entropy));
    if let Some(chunks) = &chunks {
        write(&chunks.head())?;
    }
    while let Some((bytes, place)) = source.next().map_err(BackupError::at(from))? {
        match &mut chunks {
            Some(chunks) => write(&chunks.seal(&bytes, place))?,
            None => write(&bytes)?,
        }
        watch.went(bytes.len() as u64)?;
    }
    out.sync_all().map_err(BackupError::at(to))?;
    Ok(written)
}

/// The content of a piece, opened where it is sealed.
struct PieceReader {
    parts: Parts,
    chunks: Option<Chunks>,
}

impl PieceReader {
    fn of(mut file: File, name: PieceName, key: Option<&BackupKey>) -> Result<Self, PieceFault> {
        let chunks = match key {
            None => None,
            Some(key) => {
                let mut head = [0; HEAD_BYTES];
                file.read_exact(&mut head)
                    .map_err(|error| match error.kind() {
                        io::ErrorKind::UnexpectedEof => super::sealing::SealError::Head.into(),
                        _ => PieceFault::Io(error),
                    })?;
                Some(Chunks::to_read(key, name, &head)?)
            }
        };
        let size = CHUNK_BYTES + chunks.as_ref().map_or(0, |_| TAG_BYTES);
        Ok(Self {
            parts: Parts::of(file, size),
            chunks,
        })
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, PieceFault> {
        let Some((bytes, place)) = self.parts.next()? else {
            return Ok(None);
        };
        Ok(Some(match &mut self.chunks {
            Some(chunks) => chunks.open(&bytes, place)?,
            None => bytes,
        }))
    }
}

/// A file in parts of one size, of which the last one is shorter or empty; it is known for the last one
/// when it is handed out.
struct Parts {
    file: File,
    size: usize,
    next: Option<Vec<u8>>,
    began: bool,
}

impl Parts {
    const fn of(file: File, size: usize) -> Self {
        Self {
            file,
            size,
            next: None,
            began: false,
        }
    }

    fn next(&mut self) -> io::Result<Option<(Vec<u8>, Place)>> {
        if !self.began {
            self.began = true;
            self.next = Some(self.read()?);
        }
        let Some(part) = self.next.take() else {
            return Ok(None);
        };
        if part.len() < self.size {
            return Ok(Some((part, Place::Last)));
        }
        let following = self.read()?;
        if following.is_empty() {
            return Ok(Some((part, Place::Last)));
        }
        self.next = Some(following);
        Ok(Some((part, Place::Within)))
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut part = Vec::with_capacity(self.size);
        (&mut self.file)
            .take(self.size as u64)
            .read_to_end(&mut part)?;
        Ok(part)
    }
}

/// The paths in a folder; none where it is not there.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let read = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(BackupError::at(folder))?,
    };
    let paths = read.map(|entry| entry.map(|entry| entry.path()));
    paths
        .collect::<io::Result<_>>()
        .map_err(BackupError::at(folder))
}

pub(super) fn size_of_file(path: &Path) -> Result<u64, BackupError> {
    let found = fs::metadata(path).map_err(BackupError::at(path))?;
    Ok(found.len())
}

/// Sees to it that the names in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    durably::sync_folder(folder).map_err(BackupError::at(folder))
}
