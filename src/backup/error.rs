//! Why a backup was not made, or is not taken.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::manifest::ManifestError;
use super::sealing::SealError;
use crate::store::engine::StoreError;

/// Why a backup was not made, or is not taken. Every text names the file that it is about.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {reason}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Another process works on the folder.
    #[error("another backup into {0} is under way; wait until it is done")]
    UnderWay(PathBuf),
    /// The store could not be copied or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder holds backups of another store.
    #[error(
        "{folder} holds backups of the store {theirs}, and this one is {ours}: choose a folder of its own \
         for each store"
    )]
    OtherStore {
        /// The folder.
        folder: PathBuf,
        /// Id of the store whose backups it holds.
        theirs: String,
        /// Id of this store.
        ours: String,
    },
    /// There is no backup there.
    #[error("{0} holds no backup: name the folder into which backups were made")]
    None(PathBuf),
    /// There is no backup of that number.
    #[error("{folder} holds no backup {number}")]
    NoSuch {
        /// The folder.
        folder: PathBuf,
        /// The number that was asked for.
        number: u64,
    },
    /// A manifest is not taken.
    #[error("{path}: {reason}")]
    Manifest {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: ManifestError,
    },
    /// A piece is not what it was.
    #[error(
        "{path}: the piece that holds {file} of backup {number} is damaged: {reason}. Take another backup, \
         or another copy of this one"
    )]
    Piece {
        /// Its file.
        path: PathBuf,
        /// The file of the store that it holds.
        file: String,
        /// The backup that needs it.
        number: u64,
        /// What is wrong.
        reason: PieceFault,
    },
    /// The store that the pieces make is not what the manifest says.
    #[error("the store of backup {number} is not what its manifest says: {reason}")]
    OtherContents {
        /// The backup.
        number: u64,
        /// What differs.
        reason: String,
    },
    /// It was told to stop.
    #[error("the backup was stopped before it was done; what was there before is as it was")]
    Stopped,
}

/// What is wrong with a piece.
#[derive(Debug, Error)]
pub enum PieceFault {
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It has another length.
    #[error("it holds {found} bytes, and {wanted} are needed")]
    Length {
        /// How many bytes it holds.
        found: u64,
        /// How many the manifest says.
        wanted: u64,
    },
    /// Its bytes are not those that were written.
    #[error("its bytes are not those that were written")]
    Bytes,
    /// Its seal does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl BackupError {
    /// What the system said of a path.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |reason| Self::Io {
            path: path.to_owned(),
            reason,
        }
    }

    /// Its kind, for the log: paths and what the system says of them, and nothing that callers sent.
    pub fn kind(&self) -> String {
        self.to_string()
    }
}
