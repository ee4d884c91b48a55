//! A replica on a shared place in memory, alone: what every engine promises.

use std::sync::Arc;

use goodstanding::store::replica::ReplicaEngine;
use goodstanding::store::replica::model::{Kept, SharedPlace};
use goodstanding::store::rocks::Place;
use goodstanding::store::{Decision, Engine};
use tempfile::TempDir;

use super::Store;
use super::support::Machine;

/// A replica whose copy is in memory, and lost with each restart.
pub(super) struct InMemory {
    place: SharedPlace,
    kept: Kept,
    engine: Option<ReplicaEngine>,
    clock: Arc<Machine>,
}

impl Store for InMemory {
    fn new() -> Self {
        let mut store = Self {
            place: SharedPlace::default(),
            kept: Kept::nothing(1),
            engine: None,
            clock: Arc::default(),
        };
        store.restart();
        store
    }

    fn engine(&self) -> &dyn Engine {
        self.engine.as_ref().unwrap()
    }

    fn clock(&self) -> &Machine {
        &self.clock
    }

    fn restart(&mut self) {
        drop(self.engine.take());
        self.kept = self.kept.without_copy();
        let engine = self
            .place
            .replica(&self.kept, Decision::AsAnchored, self.clock.clone());
        self.engine = Some(engine.unwrap());
    }
}

/// A replica whose copy is in a folder.
pub(super) struct OnDisk {
    place: SharedPlace,
    // Closed before its directory is removed.
    engine: Option<ReplicaEngine>,
    clock: Arc<Machine>,
    directory: TempDir,
}

impl Store for OnDisk {
    fn new() -> Self {
        let mut store = Self {
            place: SharedPlace::default(),
            engine: None,
            clock: Arc::default(),
            directory: TempDir::new().unwrap(),
        };
        store.restart();
        store
    }

    fn engine(&self) -> &dyn Engine {
        self.engine.as_ref().unwrap()
    }

    fn clock(&self) -> &Machine {
        &self.clock
    }

    fn restart(&mut self) {
        drop(self.engine.take());
        let place = Place::within(self.directory.path(), [7; 16]);
        let engine = self.place.replica_at(&place, 1, self.clock.clone());
        self.engine = Some(engine.unwrap());
    }
}
