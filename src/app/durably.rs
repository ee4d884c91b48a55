//! Files and folders that are there after a power cut, names included: a name is durable once the
//! folder that it stands in was synced.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Makes a folder where it is missing, and those on the way to it.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let made = path.ancestors().take_while(|above| !above.is_dir()).count();
    fs::create_dir_all(&path)?;
    for holder in path.ancestors().skip(1).take(made) {
        File::open(holder)?.sync_all()?;
    }
    Ok(())
}

/// Makes a file with this text, or gives it this text.
pub(super) fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut written = File::create(file)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    sync_folder_of(file)
}

/// Makes the names beside a file durable, and its own.
pub(super) fn sync_folder_of(file: &Path) -> io::Result<()> {
    File::open(folder_of(file))?.sync_all()
}

/// The folder that a file stands in.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
