//! The store, and what it needs of the machine; its backups and its master key.

use std::fmt;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
#[cfg(feature = "postgres")]
use std::time::Duration;

use serde::Deserialize;

#[cfg(feature = "postgres")]
use super::ConfigError;

/// Backups.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupConfig {
    /// The folder that they are put into; empty means that none are asked for over HTTP.
    pub folder: PathBuf,
    /// The file of the key under which they are sealed; empty means that they are not.
    pub key: PathBuf,
    /// How many are kept; 0 for all.
    pub keep: usize,
}

/// The master key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterKeyConfig {
    /// Its file; empty means `master.key` in the data folder.
    pub file: PathBuf,
}

/// The store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// Which engine.
    pub engine: EngineChoice,
    /// Bytes that are kept free on its disk: below that no changes are taken.
    pub keep_free_bytes: u64,
    /// Bytes that are set aside on its disk, for what has to be written when the disk is full.
    pub reserve_bytes: u64,
    /// Bytes of changes that RocksDB gathers in memory before it writes them out as a sorted file;
    /// until then they are in its log as well.
    pub write_buffer_bytes: usize,
    /// The database that replicas share, where the engine says so.
    pub postgres: PostgresConfig,
}

/// The storage engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// Embedded and durable.
    Rocksdb,
    /// Shared with other replicas, with a copy beside each.
    Postgres,
    /// Nothing survives the process.
    Memory,
}

/// PostgreSQL.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "what is configured is read all the same")
)]
pub struct PostgresConfig {
    url: String,
    /// A file with the URL in it; empty means that `url` says it.
    pub url_file: PathBuf,
    tls: TlsWithPostgres,
    roots: PathBuf,
    connect_ms: NonZeroU64,
    statement_ms: NonZeroU64,
    lock_ms: NonZeroU64,
    idle_in_transaction_ms: NonZeroU64,
    log_kept_seconds: u64,
    log_kept_batches: NonZeroU64,
    /// The folder of the copy; empty means `copy` in the data folder.
    copy: PathBuf,
}

/// Without the URL, which has a password in it.
impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("url_file", &self.url_file)
            .field("tls", &self.tls)
            .field("copy", &self.copy)
            .finish_non_exhaustive()
    }
}

/// Which connections to PostgreSQL are secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsWithPostgres {
    Elsewhere,
    Verify,
    Require,
    Off,
}

impl PostgresConfig {
    /// Where the copy stands of a replica with this data folder.
    pub(super) fn copy_in(&self, data: &Path) -> PathBuf {
        match self.copy.as_os_str().is_empty() {
            true => data.join("copy"),
            false => self.copy.clone(),
        }
    }
}

#[cfg(feature = "postgres")]
impl PostgresConfig {
    /// How PostgreSQL is reached, with the files of URL and authorities read.
    ///
    /// # Errors
    /// A file cannot be read, or nothing says where PostgreSQL is.
    pub fn settings(&self) -> Result<crate::store::postgres::Settings, ConfigError> {
        use crate::store::postgres::{Secret, Settings, Tls};
        let wrong = |key, reason: String| ConfigError::Postgres { key, reason };
        let read = |key, file: &PathBuf| {
            std::fs::read(file)
                .map_err(|error| wrong(key, format!("{} cannot be read: {error}", file.display())))
        };
        let url = match self.url_file.as_os_str().is_empty() {
            true => self.url.clone(),
            false => {
                let text = read("url_file", &self.url_file)?;
                let text = String::from_utf8(text)
                    .map_err(|_| wrong("url_file", "the file is not text".to_owned()))?;
                text.trim().to_owned()
            }
        };
        if url.is_empty() {
            let needed = "store.engine is \"postgres\", and nothing says where that is";
            return Err(wrong("url", needed.to_owned()));
        }
        let roots = match self.roots.as_os_str().is_empty() {
            true => Vec::new(),
            false => read("roots", &self.roots)?,
        };
        let millis = |number: NonZeroU64| Duration::from_millis(number.get());
        Ok(Settings {
            url: Secret::new(url),
            tls: match self.tls {
                TlsWithPostgres::Elsewhere => Tls::Elsewhere,
                TlsWithPostgres::Verify => Tls::Verify,
                TlsWithPostgres::Require => Tls::Require,
                TlsWithPostgres::Off => Tls::Off,
            },
            roots,
            connect: millis(self.connect_ms),
            statement: millis(self.statement_ms),
            lock: millis(self.lock_ms),
            idle_in_transaction: millis(self.idle_in_transaction_ms),
            log_kept: Duration::from_secs(self.log_kept_seconds),
            log_least: self.log_kept_batches.get(),
        })
    }
}

/// The store's anchor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorConfig {
    /// Its file; empty means `anchor/anchor` in the data folder.
    pub file: PathBuf,
}

/// The machine's clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockConfig {
    /// How far it may be behind the newest change, in seconds: beyond that no changes are taken.
    pub tolerance_seconds: u64,
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;
    use crate::config::{Config, DEFAULTS};
    use crate::store::postgres::{Secret, Settings};
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    fn load(section: &str) -> Result<Settings, String> {
        let given = format!("[store.postgres]\n{section}");
        let config = Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(&given));
        let config: Config = config.extract().map_err(|error| error.to_string())?;
        let shown = format!("{config:?}");
        assert!(!shown.contains("secret"), "{shown}");
        let settings = config.store.postgres.settings();
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn postgres_is_spoken_to_as_usual_unless_it_is_said_otherwise() {
        let url = "postgres://us:secret@db.example/registry";
        let given = load(&format!("url = {url:?}")).unwrap();
        let usual = Settings::usual(Secret::new(url.to_owned()));
        assert_eq!(format!("{given:?}"), format!("{usual:?}"));
        assert_eq!(given.url.reveal(), url);
        let hurried = load(&format!("url = {url:?}\nlock_ms = 7\ntls = \"require\"")).unwrap();
        assert_eq!(hurried.lock, Duration::from_millis(7));
        for bad in ["lock_ms = 0", "tls = \"prefer\"", "log_kept_batches = 0"] {
            assert!(load(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_url_may_stand_in_a_file_and_has_to_stand_somewhere() {
        assert!(load("").unwrap_err().contains("store.postgres.url"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        let given = format!("url_file = {:?}", file.display().to_string());
        let missing = load(&given).unwrap_err();
        assert!(missing.contains("store.postgres.url_file") && missing.contains("cannot be read"));
        std::fs::write(&file, "postgres://us:secret@db.example\n").unwrap();
        assert_eq!(
            load(&given).unwrap().url.reveal(),
            "postgres://us:secret@db.example"
        );
        let authorities = "url = \"postgres://db.example\"\nroots = \"/nowhere.pem\"";
        assert!(
            load(authorities)
                .unwrap_err()
                .contains("store.postgres.roots")
        );
    }
}
