//! The master key: from the environment, or from a file that only its owner may read.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use tracing::warn;
use zeroize::Zeroizing;

use super::system::SystemEntropy;
use crate::config::Config;
use crate::vc::sealing::MasterKey;

const VARIABLE: &str = "GOODSTANDING_MASTER_KEY";

/// Reads the master key.
pub(super) fn read(config: &Config) -> Result<MasterKey, String> {
    if let Ok(text) = std::env::var(VARIABLE) {
        let text = Zeroizing::new(text);
        return MasterKey::from_text(&text).map_err(|error| format!("{VARIABLE}: {error}"));
    }
    let file = config.master_key_file();
    let text = std::fs::read_to_string(&file)
        .map(Zeroizing::new)
        .map_err(|error| {
            format!(
                "the master key {} cannot be read: {error}; `goodstanding init` makes one, and a \
             registry that has lost its master key cannot sign",
                file.display()
            )
        })?;
    warn_if_others_can_read(&file);
    MasterKey::from_text(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Makes the file with a fresh key, readable by its owner alone, where neither it nor the
/// environment variable is there.
pub(super) fn make_if_missing(config: &Config) -> Result<(), String> {
    let file = config.master_key_file();
    if std::env::var_os(VARIABLE).is_some() || file.exists() {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("{} cannot be made: {error}", file.display());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let key = MasterKey::generate(&SystemEntropy).to_text();
    let mut made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .map_err(failed)?;
    writeln!(made, "{}", *key)
        .and_then(|()| made.sync_all())
        // The file's name has to survive a power cut as well.
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(failed)
}

fn warn_if_others_can_read(file: &Path) {
    if let Ok(metadata) = file.metadata()
        && metadata.permissions().mode() & 0o077 != 0
    {
        warn!(file = %file.display(), "the master key can be read by others; chmod 600 it");
    }
}
