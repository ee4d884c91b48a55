//! The master key: from the environment, or from a file that only its owner may read.

use std::env::VarError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tracing::warn;
use zeroize::Zeroizing;

use super::system::SystemEntropy;
use crate::config::Config;
use crate::registry::{Adopted, MasterKeys};
use crate::store::durably;
use crate::vc::sealing::{MasterKey, MasterKeyId};

const VARIABLE: &str = "GOODSTANDING_MASTER_KEY";
const NEXT_VARIABLE: &str = "GOODSTANDING_MASTER_KEY_NEXT";

/// More than any text of a master key has.
const LONGEST: u64 = 256;

/// Whether the next master key is made where none is provided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is: whoever asks holds the file of the present one too.
    Made,
    /// It is not: whoever asks does so from elsewhere.
    Provided,
}

/// Where the master keys of a registry stand: in two files side by side, `master.key` and
/// `master.key.next`, or in two variables of the environment.
pub(super) struct Place {
    file: PathBuf,
    /// The environment as it is given to the process.
    variables: fn(&str) -> Result<String, VarError>,
    next: Next,
}

impl Place {
    pub(super) fn new(config: &Config, next: Next) -> Self {
        Self {
            file: config.master_key_file(),
            variables: |name| std::env::var(name),
            next,
        }
    }

    /// Whether there is a master key, before anything is opened with it; says so where it is not
    /// as secret as it should be.
    pub(super) fn look(&self) -> Result<(), String> {
        if !self.in_environment(VARIABLE) && readable_by_others(&self.file) {
            warn!(file = %self.file.display(), "the master key can be read by others; chmod 600 it");
        }
        self.present().map(drop)
    }

    fn next_file(&self) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(".next");
        name.into()
    }

    fn variable(&self, name: &str) -> Option<Result<MasterKey, String>> {
        let text = match (self.variables)(name) {
            Ok(text) => Zeroizing::new(text),
            Err(VarError::NotPresent) => return None,
            // What it holds is not repeated.
            Err(VarError::NotUnicode(_)) => return Some(Err(format!("{name} is not text"))),
        };
        Some(MasterKey::from_text(&text).map_err(|error| format!("{name}: {error}")))
    }

    fn in_environment(&self, name: &str) -> bool {
        let given = (self.variables)(name).map(Zeroizing::new);
        !matches!(given, Err(VarError::NotPresent))
    }

    /// How a next master key is provided to whoever does not make it.
    fn how_to_provide(&self) -> String {
        let next = self.next_file();
        let next = next.display();
        format!(
            "there is no next master key; put 32 random bytes, in base64url or hexadecimal, into \
             {next}, which only its owner may read, such as by `(umask 077; openssl rand -hex 32 \
             > {next})`, and ask again; or start with the key in {NEXT_VARIABLE}"
        )
    }
}

impl MasterKeys for Place {
    fn present(&self) -> Result<MasterKey, String> {
        if let Some(given) = self.variable(VARIABLE) {
            return given;
        }
        let text = read(&self.file).map_err(|error| {
            format!(
                "the master key {} cannot be read: {error}; `goodstanding init` makes one, and a \
                 registry that has lost its master key cannot sign",
                self.file.display()
            )
        })?;
        MasterKey::from_text(&text).map_err(|error| format!("{}: {error}", self.file.display()))
    }

    fn next(&self) -> Result<Option<MasterKey>, String> {
        if let Some(given) = self.variable(NEXT_VARIABLE) {
            return given.map(Some);
        }
        // What is given in a variable is not followed by what stands in a file.
        if self.in_environment(VARIABLE) {
            return Ok(None);
        }
        let file = self.next_file();
        let name = file.display();
        match file.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{name} cannot be read: {error}")),
            Ok(found) if !found.is_file() => {
                return Err(format!("{name} has to be a file, and no link to one"));
            }
            Ok(_) => {}
        }
        if readable_by_others(&file) {
            return Err(format!(
                "{name} can be read by others, so that it is no secret; make another one that only \
                 its owner may read (chmod 600)"
            ));
        }
        let text = read(&file).map_err(|error| format!("{name} cannot be read: {error}"))?;
        let key = MasterKey::from_text(&text).map_err(|error| format!("{name}: {error}"))?;
        Ok(Some(key))
    }

    fn make_next(&self) -> Result<MasterKey, String> {
        if self.in_environment(VARIABLE) {
            return Err(format!(
                "the master key is given in {VARIABLE}; start with the next one in {NEXT_VARIABLE}, \
                 and ask again"
            ));
        }
        if self.next == Next::Provided {
            return Err(self.how_to_provide());
        }
        let key = MasterKey::generate(&SystemEntropy);
        let file = self.next_file();
        make(&file, &key).map_err(|error| format!("{} cannot be made: {error}", file.display()))?;
        Ok(key)
    }

    fn adopt(&self, next: MasterKeyId) -> Result<Adopted, String> {
        if self.in_environment(VARIABLE) || self.in_environment(NEXT_VARIABLE) {
            return Ok(Adopted::AtNextStart);
        }
        let name = self.file.display();
        let failed = |error: io::Error| {
            format!(
                "the next master key cannot be put into {name}: {error}; both keys open the store \
                 until it is. See to that, and ask again"
            )
        };
        if fs::symlink_metadata(&self.file).is_ok_and(|found| found.is_symlink()) {
            return Err(format!(
                "{name} is a link, which would be replaced and not the file behind it; name that \
                 file in master_key.file, or start with the next master key in {NEXT_VARIABLE}"
            ));
        }
        match self.next()? {
            Some(key) if key.id() == next => {
                let file = self.next_file();
                // Whoever wrote it may not have waited for the disk, and what it replaces is gone.
                File::open(&file)
                    .and_then(|file| file.sync_all())
                    .map_err(failed)?;
                fs::rename(&file, &self.file).map_err(failed)?;
            }
            // Put in place before, by hand or by somebody who could not be sure of it.
            None if self.present()?.id() == next => {
                File::open(&self.file)
                    .and_then(|file| file.sync_all())
                    .map_err(failed)?;
            }
            _ => {
                return Err(format!(
                    "the next master key was changed meanwhile beside {name}"
                ));
            }
        }
        durably::sync_folder_of(&self.file).map_err(failed)?;
        Ok(Adopted::Now)
    }
}

/// Makes the file with a fresh key, readable by its owner alone, where neither it nor the
/// environment variable is there.
pub(super) fn make_if_missing(config: &Config) -> Result<(), String> {
    let file = config.master_key_file();
    if std::env::var_os(VARIABLE).is_some() || file.exists() {
        return Ok(());
    }
    let made = durably::make_folder(durably::folder_of(&file))
        .and_then(|()| make(&file, &MasterKey::generate(&SystemEntropy)));
    made.map_err(|error| format!("{} cannot be made: {error}", file.display()))
}

fn make(file: &Path, key: &MasterKey) -> io::Result<()> {
    let mut made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    writeln!(made, "{}", *key.to_text())?;
    made.sync_all()?;
    durably::sync_folder_of(file)
}

/// The text of a file that holds a key, and of another one no more than tells that it does not.
pub(super) fn read(file: &Path) -> io::Result<Zeroizing<String>> {
    // With room for all of it, so that no copy is left behind where it had to grow.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 64));
    File::open(file)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

pub(super) fn readable_by_others(file: &Path) -> bool {
    let metadata = file.metadata();
    metadata.is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A folder with a master key, and the place for the next one.
    fn place(next: Next) -> (TempDir, Place, MasterKey) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            file: folder.path().join("master.key"),
            variables: |_| Err(VarError::NotPresent),
            next,
        };
        let key = MasterKey::generate(&SystemEntropy);
        make(&place.file, &key).unwrap();
        (folder, place, key)
    }

    fn mode(file: &Path) -> u32 {
        file.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_next_key_is_made_and_takes_the_place_of_the_present_one() {
        let (folder, place, key) = place(Next::Made);
        assert_eq!(place.present().unwrap().id(), key.id());
        assert!(place.next().unwrap().is_none());
        let next = place.make_next().unwrap();
        assert_eq!(mode(&place.next_file()), 0o600);
        assert_eq!(place.next().unwrap().unwrap().id(), next.id());
        assert_eq!(place.present().unwrap().id(), key.id());
        assert_eq!(place.adopt(next.id()), Ok(Adopted::Now));
        assert_eq!(place.present().unwrap().id(), next.id());
        assert_eq!(mode(&place.file), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // Whoever was not sure that it is there makes sure of it again.
        assert_eq!(place.adopt(next.id()), Ok(Adopted::Now));
        assert!(place.adopt(key.id()).is_err());
        assert_eq!(place.present().unwrap().id(), next.id());
    }

    #[test]
    fn one_that_is_provided_is_refused_unless_it_is_a_secret() {
        let (_folder, place, key) = place(Next::Provided);
        let file = place.next_file();
        let said = place.make_next().unwrap_err();
        for word in ["master.key.next", "umask 077", NEXT_VARIABLE] {
            assert!(said.contains(word), "{said}");
        }
        assert!(!file.exists());
        let good = MasterKey::generate(&SystemEntropy).to_text();
        let long = good.repeat(1_000);
        for (text, mode, words) in [
            (&**good, 0o644, "chmod 600"),
            (&**good, 0o640, "chmod 600"),
            ("correct horse", 0o600, "32 bytes"),
            (&good[..42], 0o600, "32 bytes"),
            (&long, 0o600, "32 bytes"),
            ("", 0o600, "32 bytes"),
            (&"0".repeat(64), 0o600, "placeholder"),
        ] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let said = place.next().unwrap_err();
            assert!(
                said.contains(words) && said.contains("master.key.next"),
                "{said}"
            );
            assert!(
                !said.contains("horse") && !said.contains(&good[..42]),
                "{said}"
            );
            assert!(place.adopt(key.id()).is_err());
        }
        fs::write(&file, [0xff; 43]).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(place.next().unwrap_err().contains("cannot be read"));
        fs::remove_file(&file).unwrap();
        symlink(&place.file, &file).unwrap();
        assert!(place.next().unwrap_err().contains("no link"));
        assert_eq!(place.present().unwrap().id(), key.id());
    }

    #[test]
    fn a_key_behind_a_link_stays_where_it_is() {
        let (folder, mut place, key) = place(Next::Made);
        let link = folder.path().join("link.key");
        symlink(&place.file, &link).unwrap();
        place.file = link;
        let next = place.make_next().unwrap();
        assert!(place.adopt(next.id()).unwrap_err().contains("is a link"));
        assert_eq!(place.present().unwrap().id(), key.id());
    }

    #[test]
    fn what_the_environment_gives_is_changed_by_the_next_start() {
        let (_folder, mut place, key) = place(Next::Made);
        place.variables = |name| match name {
            VARIABLE => Err(VarError::NotPresent),
            _ => Ok("0123456789abcdef".repeat(4)),
        };
        let next = place.next().unwrap().unwrap();
        assert_eq!(place.present().unwrap().id(), key.id());
        assert_eq!(place.adopt(next.id()), Ok(Adopted::AtNextStart));
        assert_eq!(place.present().unwrap().id(), key.id());

        place.variables = |name| match name {
            VARIABLE => Ok("0123456789abcdef".repeat(4)),
            _ => Err(VarError::NotPresent),
        };
        assert_eq!(place.present().unwrap().id(), next.id());
        // A file beside it is not what follows a variable.
        make(&place.next_file(), &key).unwrap();
        assert!(place.next().unwrap().is_none());
        assert!(place.make_next().unwrap_err().contains(NEXT_VARIABLE));
    }
}
