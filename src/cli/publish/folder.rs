//! Copies in a folder, for a web server that knows nothing of the registry.
//!
//! Each copy is a link `FORM` to a folder beside it, `FORM@ETAG@MAXAGE@DATE@DIGEST`, which holds its bytes
//! (`body`) and what is known of them (`about.json`). One rename of the link changes bytes and headers
//! together, and the server reads the headers off the name that the link leads to. What a link led to
//! before stays until the next change, for who has just followed it.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::copy::{About, Against, Copy, Name};
use super::target::{Fault, Put, REMEMBERED, Remembered, Target};
use crate::store::durably;

/// A folder. Nobody else publishes into it meanwhile.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    _lock: File,
}

const LOCK: &str = ".publishing";
const BODY: &str = "body";
const ABOUT: &str = "about.json";
/// More is not read as what is known of a copy.
const LONGEST_ABOUT: u64 = 64 << 10;

impl Folder {
    /// Makes the folder where it is missing. One that holds anything else is refused.
    pub(super) fn open(root: &Path) -> Result<Self, Fault> {
        let shown = root.display();
        let failed =
            |failed: io::Error| Fault::Refused(format!("cannot publish into {shown}: {failed}"));
        durably::make_folder(root).map_err(failed)?;
        readable(root).map_err(failed)?;
        let mut held = fs::read_dir(root).map_err(failed)?.peekable();
        if held.peek().is_some() && !root.join(LOCK).is_file() {
            return Err(Fault::Refused(format!(
                "{shown} holds something else: publish into a folder of its own"
            )));
        }
        let lock = File::create(root.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let words = format!("another goodstanding publishes into {shown}");
                return Err(Fault::Refused(words));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    fn holder(&self, name: &Name) -> PathBuf {
        self.root.join(name.what.path())
    }

    fn write(&self, copy: &Copy) -> io::Result<Put> {
        let (holder, leaf) = (self.holder(&copy.name), copy.name.leaf());
        let (link, mut kept) = (holder.join(&leaf), kept_name(&leaf, &copy.about));
        let before = fs::read_link(&link).ok();
        if let Some(there) = read_about(&link)? {
            match copy.about.against(&there) {
                Against::IsTheSame => return Ok(Put::WasThere),
                Against::IsOlder => return Ok(Put::NewerIsThere),
                Against::TakesItsPlace => {}
            }
        }
        // What is known of what stands there was damaged: the same is put beside it.
        if before.as_deref() == Some(Path::new(&kept)) {
            kept.push('~');
        }
        make_readable_folders(&self.root, &holder)?;
        let made = holder.join(format!(".new-{leaf}"));
        durably::remove_folder(&made)?;
        fs::create_dir(&made)?;
        readable(&made)?;
        let about = serde_json::to_vec(&copy.about)?;
        write_whole(&made.join(ABOUT), &about, None)?;
        let published = copy.about.edition.map(|edition| edition.published);
        write_whole(&made.join(BODY), &copy.body, published)?;
        durably::sync_folder(&made)?;
        let at = holder.join(&kept);
        // Left by a run that broke off before anything led there.
        durably::remove_folder(&at)?;
        fs::rename(&made, &at)?;
        let next = holder.join(format!(".link-{leaf}"));
        gone(fs::remove_file(&next))?;
        symlink(&kept, &next)?;
        fs::rename(&next, &link)?;
        durably::sync_folder(&holder)?;
        self.clear(&holder, &leaf, &[Some(PathBuf::from(kept)), before])?;
        Ok(Put::Written)
    }

    /// Removes what no link leads to any more.
    fn clear(&self, holder: &Path, leaf: &str, stays: &[Option<PathBuf>]) -> io::Result<()> {
        let prefix = format!("{leaf}@");
        for entry in fs::read_dir(holder)? {
            let name = PathBuf::from(entry?.file_name());
            let of_it = name.to_str().is_some_and(|name| name.starts_with(&prefix));
            if of_it && !stays.iter().flatten().any(|stays| *stays == name) {
                durably::remove_folder(&holder.join(name))?;
            }
        }
        Ok(())
    }

    fn take_away(&self, name: &Name) -> io::Result<()> {
        let (holder, leaf) = (self.holder(name), name.leaf());
        if !holder.is_dir() {
            return Ok(());
        }
        gone(fs::remove_file(holder.join(&leaf)))?;
        durably::sync_folder(&holder)?;
        self.clear(&holder, &leaf, &[])?;
        // Folders above go with the last that was in them.
        let above = holder.ancestors().take_while(|above| *above != self.root);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn found(&self, below: &Path, found: &mut BTreeSet<Name>) -> io::Result<()> {
        for entry in fs::read_dir(below)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                let kept = entry.file_name().to_string_lossy().contains('@');
                if !kept {
                    self.found(&path, found)?;
                }
            } else if kind.is_symlink()
                && let Ok(within) = path.strip_prefix(&self.root)
                && let Some(Ok(name)) = within.to_str().map(str::parse)
            {
                found.insert(name);
            }
        }
        Ok(())
    }
}

impl Target for Folder {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn about(&self, name: &Name) -> Result<Option<About>, Fault> {
        let link = self.holder(name).join(name.leaf());
        read_about(&link).map_err(|failed| self.fault(&failed))
    }

    fn put(&self, copy: &Copy) -> Result<Put, Fault> {
        self.write(copy).map_err(|failed| self.fault(&failed))
    }

    fn remove(&self, name: &Name) -> Result<(), Fault> {
        self.take_away(name).map_err(|failed| self.fault(&failed))
    }

    fn names(&self) -> Result<BTreeSet<Name>, Fault> {
        let mut found = BTreeSet::new();
        let looked = self.found(&self.root, &mut found);
        looked.map_err(|failed| self.fault(&failed))?;
        Ok(found)
    }

    fn remembered(&self) -> Result<Option<Remembered>, Fault> {
        let file = self.root.join(REMEMBERED);
        match fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.fault(&error)),
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                Fault::Refused(format!(
                    "{} is not what publish wrote: {error}",
                    file.display()
                ))
            }),
        }
    }

    fn remember(&self, what: &Remembered) -> Result<(), Fault> {
        let written = || -> io::Result<()> {
            let next = self.root.join(format!("{REMEMBERED}.new"));
            write_whole(&next, &serde_json::to_vec(what)?, None)?;
            fs::rename(&next, self.root.join(REMEMBERED))?;
            durably::sync_folder(&self.root)
        };
        written().map_err(|failed| self.fault(&failed))
    }
}

impl Folder {
    /// A full disk may be full no longer in a while, and so may much else; what is not allowed stays so.
    fn fault(&self, failed: &io::Error) -> Fault {
        let words = format!("{}: {failed}", self.root.display());
        match failed.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Fault::Refused(words)
            }
            _ => Fault::Away(words),
        }
    }
}

/// What says the headers: docker/edge/edge.conf reads it. Spaces are written as underscores.
fn kept_name(leaf: &str, about: &About) -> String {
    let etag = about.etag.as_deref().unwrap_or("-");
    let date = about.last_modified.as_deref().unwrap_or("-");
    let date = date.replace(' ', "_");
    let digest = about.sha256.get(..16).unwrap_or_default();
    format!("{leaf}@{etag}@{}@{date}@{digest}", about.max_age)
}

/// What is known of the copy that a link leads to. One that was damaged counts as missing, and is
/// written again.
fn read_about(link: &Path) -> io::Result<Option<About>> {
    let file = link.join(ABOUT);
    match fs::metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(known) if known.len() > LONGEST_ABOUT => return Ok(None),
        Ok(_) => {}
    }
    Ok(serde_json::from_slice(&fs::read(&file)?).ok())
}

/// A file with these bytes, durable but for its name; dated as given.
fn write_whole(file: &Path, bytes: &[u8], dated: Option<i64>) -> io::Result<()> {
    let mut written = File::create(file)?;
    written.write_all(bytes)?;
    written.set_permissions(Permissions::from_mode(0o644))?;
    if let Some(millis) = dated.and_then(|millis| u64::try_from(millis).ok()) {
        written.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))?;
    }
    written.sync_all()
}

fn make_readable_folders(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    durably::make_folder(folder)?;
    let made = folder.ancestors().take_while(|above| *above != root);
    made.into_iter().try_for_each(readable)
}

/// Copies are public: the server that reads them is somebody else.
fn readable(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
