//! Backups of a store: made while it is written, verified before they count, and put together again.
//!
//! A store's files never change once RocksDB has written them, so that a backup is a list of files and most
//! of them are in the backup before it. Each is a *piece*, named by its content (`folder`), sealed where
//! there is a key for that (`sealing`); a *manifest* says which pieces make a store, and where its log
//! stood (`manifest`). `making` and `reading` are the two ways, `running` makes one in the background of a
//! service.
//!
//! No master key is in a backup: what it seals stays sealed there. What follows from a restore for who holds
//! what was given out since is the registry's affair (`registry/epoch.rs`).

mod error;
mod folder;
mod making;
mod manifest;
mod reading;
mod running;
mod sealing;
mod watch;

pub use error::{BackupError, PieceFault};
pub use folder::Folder;
pub use making::{CopyStore, Made, NewBackup};
pub use manifest::{Manifest, ManifestError, StoredFile};
pub use reading::Inspect;
pub use running::{Backups, HowBackups, NotBegun, Progress, State};
pub use sealing::{BackupKey, BackupKeyError, BackupKeyId, PieceName, SealError};
pub use watch::{Step, Unwatched, Watch};
