//! A registry on a disk, a folder of backups beside it, and a new place for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use goodstanding::backup::{
    BackupError, BackupKey, Folder, Made, Manifest, NewBackup, Unwatched, Watch,
};
use goodstanding::entropy::SeededEntropy;
use goodstanding::registry::{WhyTaken, note_why_taken};
use goodstanding::store::engine::{Decision, Engine};
use goodstanding::store::rocks::checkpoint::inspect;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::time::{Clock as _, ManualClock, Ttl};
use tempfile::TempDir;

use crate::support::house::{House, Plan, clock};

/// Folders that are removed when it is dropped.
pub(super) struct Scene {
    pub(super) home: TempDir,
    pub(super) clock: Arc<ManualClock>,
    pub(super) key: Option<BackupKey>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self {
            home: TempDir::new().unwrap(),
            clock: clock(),
            key: None,
        }
    }

    pub(super) fn sealed() -> Self {
        Self {
            key: Some(key(1)),
            ..Self::new()
        }
    }

    /// The registry before it was lost.
    pub(super) fn house(&self) -> House {
        House::on_disk(&self.home.path().join("first"), &self.clock, 1)
    }

    pub(super) fn folder(&self) -> Folder {
        Folder::at(self.home.path().join("backups"))
    }

    pub(super) fn back_up(&self, engine: &Arc<dyn Engine>) -> Made {
        self.try_to(engine, None, &mut Unwatched).unwrap()
    }

    pub(super) fn try_to(
        &self,
        engine: &Arc<dyn Engine>,
        keep: Option<usize>,
        watch: &mut dyn Watch,
    ) -> Result<Made, BackupError> {
        let store = engine.clone();
        // As in life each moment is another one.
        self.clock.advance(Ttl::from_seconds(1));
        NewBackup {
            copy_store: &move |to: &Path| store.copy_to(to),
            inspect: &inspect,
            copy: &self.home.path().join("copy"),
            folder: &self.folder(),
            key: self.key.as_ref(),
            keep,
            public_url: crate::support::house::ORIGIN,
            program: "0.1.0",
            clock: &*self.clock,
            entropy: &SeededEntropy::new(self.clock.now().millis().unsigned_abs()),
        }
        .make(watch)
    }

    /// Puts a backup together at a new place.
    pub(super) fn put_together(&self, manifest: &Manifest, to: &Path) -> Result<(), BackupError> {
        let folder = self.folder();
        let to = (to, &inspect as &goodstanding::backup::Inspect);
        folder
            .put_together(manifest, self.key.as_ref(), to, &mut Unwatched)
            .map(drop)
    }

    /// The registry of a backup, at a place of this name, some time later.
    pub(super) fn restored(&self, number: u64, name: &str, seed: u64) -> House {
        let place = self.home.path().join(name);
        std::fs::create_dir(&place).unwrap();
        let manifest = self.folder().manifest(Some(number), self.key.as_ref());
        self.put_together(&manifest.unwrap(), &place.join("store"))
            .unwrap();
        self.clock.advance(Ttl::from_seconds(600));
        let place = Place {
            decision: Decision::NewEpoch,
            ..Place::within(&place, [9; 16])
        };
        let engine = RocksEngine::open(&place, self.clock.clone()).unwrap();
        note_why_taken(&engine, WhyTaken::Restored).unwrap();
        let plan = Plan::over(Arc::new(engine), self.clock.clone());
        plan.seeded(seed).open()
    }

    /// Every file below the folder of backups but the lock.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut found = files_below(self.folder().path());
        found.retain(|path| path.file_name().unwrap() != "lock");
        found
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> u64 {
        let sizes = self.files();
        let sizes = sizes.iter().map(|path| path.metadata().unwrap().len());
        sizes.sum()
    }
}

pub(super) fn key(seed: u64) -> BackupKey {
    BackupKey::from_text(&BackupKey::generate(&SeededEntropy::new(seed))).unwrap()
}

pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}
