//! What tests of the services begin with: a registry over some engine, and a school in it.

use std::sync::Arc;

use super::{Actor, Change, NewProfile, Registry, Settings};
use crate::entropy::SeededEntropy;
use crate::ids::ProfileId;
use crate::store::engine::Engine;
use crate::store::memory::MemoryEngine;
use crate::time::{Clock, ManualClock};
use crate::vc::sealing::MasterKey;

/// A morning in March.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()))
}

pub(crate) fn settings() -> Settings {
    Settings::usual("https://registry.example")
}

/// Registries with one seed draw the same numbers; all of them have one master key.
pub(crate) fn over(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    seed: u64,
    settings: Settings,
) -> Registry {
    let entropy = Arc::new(SeededEntropy::new(seed));
    let master = MasterKey::generate(&SeededEntropy::new(0));
    Registry::open(engine, clock, entropy, master, settings).unwrap()
}

/// An empty registry in memory, with its clock and its engine.
pub(crate) fn in_memory() -> (Registry, Arc<ManualClock>, Arc<MemoryEngine>) {
    let clock = clock();
    let engine = Arc::new(MemoryEngine::new(clock.clone()));
    let registry = over(engine.clone(), clock.clone(), 1, settings());
    (registry, clock, engine)
}

pub(crate) fn operator() -> Change {
    Change::by(Actor::operator())
}

/// Registers an issuer.
pub(crate) fn school(registry: &Registry, slug: &str) -> ProfileId {
    let new = NewProfile::usual(slug.parse().unwrap(), "A school");
    registry.create_profile(&operator(), &new).unwrap().id
}
