//! Backups with the real parts: made in the background of a service, or while none runs; and data folders
//! made from them.

#[cfg_attr(not(feature = "rocksdb"), path = "backups/no_stores.rs")]
mod stores;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tracing::warn;

use super::master_key::{self, Next};
use super::{SystemClock, SystemEntropy, process};
use crate::backup::{
    self, BackupError, BackupKey, Folder, HowBackups, Inspect, Manifest, NewBackup, Step, Watch,
};
use crate::cli::{BackupArgs, LocalBackups, RestoreArgs, Watching};
use crate::config::{Config, EngineChoice, FILE_IN_DATA, Overrides};
use crate::entropy::random;
use crate::http::backups::{made, manifest as told};
use crate::registry::{MasterKeys as _, Registry};
use crate::store::durably;
use crate::vc::sealing::MasterKey;
use stores::{begin_epoch, copier, inspect, published_in};

const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// What is done with backups on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Backups;

/// The backups of a registry that runs, where its configuration names a folder for them.
pub(super) fn in_background(
    config: &Config,
    registry: &Arc<Registry>,
) -> Result<Option<Arc<backup::Backups>>, String> {
    if config.backup.folder.as_os_str().is_empty() {
        return Ok(None);
    }
    let key = key_in(non_empty(&config.backup.key), config)?;
    let store = registry.clone();
    let how = HowBackups {
        folder: Folder::at(&config.backup.folder),
        copy: copy_place(config),
        copy_store: Box::new(move |to| store.copy_store_to(to)),
        key,
        keep: (config.backup.keep > 0).then_some(config.backup.keep),
        public_url: config.public_url.clone(),
        program: PROGRAM,
        inspect: Box::new(inspect),
    };
    let parts = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    Ok(Some(backup::Backups::new(how, parts.0, parts.1)))
}

impl LocalBackups for Backups {
    fn back_up(&self, args: &BackupArgs, watching: &mut Watching<'_>) -> Result<Value, String> {
        process::keep_to_itself()?;
        let config = config_of(&args.data, None, None)?;
        if !config.store_folder().exists() {
            return Err(format!("{} holds no registry", args.data.display()));
        }
        let folder = args.folder.clone();
        let folder = folder.or_else(|| non_empty(&config.backup.folder).map(Path::to_owned));
        let folder = folder.ok_or("name the folder for backups, or set backup.folder")?;
        let key = args.key.as_deref().or(non_empty(&config.backup.key));
        let key = key_in(key, &config)?;
        let keep = (config.backup.keep > 0).then_some(config.backup.keep);
        let copy_store = copier(&config)?;
        let new = NewBackup {
            copy_store: &*copy_store,
            inspect: &inspect,
            copy: &copy_place(&config),
            folder: &Folder::at(folder),
            key: key.as_ref(),
            keep: args.keep.or(keep),
            public_url: &config.public_url,
            program: PROGRAM,
            clock: &SystemClock,
            entropy: &SystemEntropy,
        };
        let done = new.make(&mut Shown::to(watching)).map_err(text)?;
        Ok(made(&done))
    }

    fn list(&self, folder: &Path, key: Option<&Path>) -> Result<Vec<Value>, String> {
        let key = read_key(key)?;
        let there = Folder::at(folder).manifests(key.as_ref()).map_err(text)?;
        Ok(there.iter().map(told).collect())
    }

    fn check(
        &self,
        folder: &Path,
        number: Option<u64>,
        key: Option<&Path>,
        watching: &mut Watching<'_>,
    ) -> Result<Value, String> {
        let key = read_key(key)?;
        let folder = Folder::at(folder);
        let manifest = folder.manifest(number, key.as_ref()).map_err(text)?;
        let unguessable: u128 = u128::from_be_bytes(random(&SystemEntropy));
        let place = std::env::temp_dir().join(format!("goodstanding-{unguessable:032x}"));
        let whole = folder.put_together(
            &manifest,
            key.as_ref(),
            (&place, &inspect),
            &mut Shown::to(watching),
        );
        // What was read is the store; where it cannot be removed that is told.
        let removed = fs::remove_dir_all(&place);
        whole.map_err(text)?;
        removed.map_err(|error| format!("{} cannot be removed: {error}", place.display()))?;
        Ok(told(&manifest))
    }

    fn make_key(&self, file: &Path) -> Result<String, String> {
        process::keep_to_itself()?;
        let key = BackupKey::generate(&SystemEntropy);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .and_then(|mut made| {
                made.write_all(key.as_bytes())?;
                made.sync_all()
            });
        made.map_err(|error| format!("{} cannot be made: {error}", file.display()))?;
        let key = BackupKey::from_text(&key).map_err(|error| error.to_string())?;
        Ok(key.id().to_string())
    }

    fn published_in(&self, folder: &Path) -> Result<Option<Vec<Value>>, String> {
        match folder.join("CURRENT").is_file() {
            true => published_in(folder).map(Some),
            false => Ok(None),
        }
    }

    fn restore(&self, args: &RestoreArgs, watching: &mut Watching<'_>) -> Result<Value, String> {
        process::keep_to_itself()?;
        let key = read_key(args.key.as_deref())?;
        let folder = Folder::at(&args.folder);
        let manifest = folder.manifest(args.number, key.as_ref()).map_err(text)?;
        let config = config_of(
            &args.data,
            Some(manifest.public_url.clone()),
            args.master_key.clone(),
        )?;
        may_hold(&config, &manifest)?;
        let failed = |error: std::io::Error| {
            format!("{} cannot be prepared: {error}", config.data.display())
        };
        durably::make_folder(&config.data).map_err(failed)?;
        let settings = config.data.join(FILE_IN_DATA);
        if !settings.exists() {
            durably::write(&settings, &super::settings_file(&config)).map_err(failed)?;
        }
        // What a restore that was cut off left behind.
        let place = config.data.join("restoring");
        if place.exists() {
            fs::remove_dir_all(&place).map_err(failed)?;
        }
        let parts = (&*place, &inspect as &Inspect);
        folder
            .put_together(&manifest, key.as_ref(), parts, &mut Shown::to(watching))
            .map_err(text)?;
        let epoch = begin_epoch(&config, &place)?;
        // From here on the folder holds a registry, which does what is left to do when it is opened.
        fs::rename(&place, config.store_folder()).map_err(failed)?;
        fs::File::open(&config.data)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        let mut restored = told(&manifest);
        restored["epochNow"] = epoch.into();
        Ok(restored)
    }
}

/// Whether the folder can become the registry of a backup: it holds none, and the master key that opens
/// what is sealed in the backup is at hand.
fn may_hold(config: &Config, manifest: &Manifest) -> Result<(), String> {
    if config.store.engine == EngineChoice::Postgres {
        return Err(
            "a backup is restored into a folder with store.engine = \"rocksdb\", and brought to \
             PostgreSQL from there (`goodstanding migrate`)"
                .to_owned(),
        );
    }
    if config.store_folder().exists() {
        return Err(format!(
            "{} holds a registry already: choose a new folder",
            config.data.display()
        ));
    }
    if manifest.public_url != config.public_url {
        return Err(format!(
            "the backup is of {}, and {} says {}",
            manifest.public_url,
            config.data.display(),
            config.public_url
        ));
    }
    let needed = manifest.master_keys.join(" or ");
    let present = master_key::Place::new(config, Next::Provided).present();
    let present = present.map_err(|reason| {
        format!("the backup opens with the master key {needed}, which is in no backup: {reason}")
    })?;
    match manifest.master_keys.contains(&present.id().to_string()) {
        true => Ok(()),
        false => Err(format!(
            "the backup opens with the master key {needed}, and the one given is {}",
            present.id()
        )),
    }
}

fn config_of(
    data: &Path,
    public_url: Option<String>,
    master_key: Option<PathBuf>,
) -> Result<Config, String> {
    let overrides = Overrides {
        data: Some(data.to_owned()),
        public_url,
        master_key,
        ..Overrides::default()
    };
    Config::load(&overrides).map_err(text)
}

/// Beside the store, so that its files are links to those of the store.
fn copy_place(config: &Config) -> PathBuf {
    config.data.join("backup-copy")
}

fn non_empty(path: &Path) -> Option<&Path> {
    (!path.as_os_str().is_empty()).then_some(path)
}

/// The key for backups of a registry, which is not its master key.
fn key_in(file: Option<&Path>, config: &Config) -> Result<Option<BackupKey>, String> {
    let key = read_key(file)?;
    let (Some(_), Some(file)) = (&key, file) else {
        return Ok(key);
    };
    let master = master_key::Place::new(config, Next::Provided).present();
    let same = master_key::read(file)
        .ok()
        .and_then(|text| MasterKey::from_text(&text).ok());
    match (master, same) {
        (Ok(master), Some(same)) if master.id() == same.id() => Err(format!(
            "{} holds the master key, which is to be kept apart from backups: have another key made with \
             `goodstanding backup --make-key`",
            file.display()
        )),
        _ => Ok(key),
    }
}

fn read_key(file: Option<&Path>) -> Result<Option<BackupKey>, String> {
    let Some(file) = file else {
        return Ok(None);
    };
    let name = file.display();
    if master_key::readable_by_others(file) {
        warn!(file = %name, "the backup key can be read by others; chmod 600 it");
    }
    let text = master_key::read(file);
    let text = text.map_err(|error| format!("the backup key {name} cannot be read: {error}"))?;
    let key = BackupKey::from_text(&text).map_err(|error| format!("{name}: {error}"))?;
    Ok(Some(key))
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// Draws how far it is.
struct Shown<'a, 'w> {
    watching: &'a mut Watching<'w>,
    step: Step,
    done: u64,
    total: u64,
}

impl<'a, 'w> Shown<'a, 'w> {
    fn to(watching: &'a mut Watching<'w>) -> Self {
        Self {
            watching,
            step: Step::Copying,
            done: 0,
            total: 0,
        }
    }

    fn draw(&mut self) {
        (self.watching)(self.step.words(), self.done, self.total);
    }
}

impl Watch for Shown<'_, '_> {
    fn step(&mut self, step: Step) -> Result<(), BackupError> {
        if self.step != step {
            (self.step, self.done, self.total) = (step, 0, 0);
        }
        self.draw();
        Ok(())
    }

    fn ahead(&mut self, bytes: u64) {
        self.total = bytes;
    }

    fn went(&mut self, bytes: u64) -> Result<(), BackupError> {
        self.done += bytes;
        self.draw();
        Ok(())
    }
}
