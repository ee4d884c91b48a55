//! Files and folders that are there after a power cut, names included: a name is durable once the
//! folder that it stands in was synced.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Makes a folder where it is missing, and those on the way to it.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let made = path.ancestors().take_while(|above| !above.is_dir()).count();
    fs::create_dir_all(&path)?;
    for holder in path.ancestors().skip(1).take(made) {
        File::open(holder)?.sync_all()?;
    }
    Ok(())
}

/// Makes a file with this text, or gives it this text.
pub(crate) fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut written = File::create(file)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    sync_folder_of(file)
}

/// Makes the names beside a file durable, and its own.
pub(crate) fn sync_folder_of(file: &Path) -> io::Result<()> {
    sync_folder(folder_of(file))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a folder with what is in it, where it is there.
pub(crate) fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The folder that a file stands in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
