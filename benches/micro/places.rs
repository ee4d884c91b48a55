//! Registries to measure, with an issuer, on each engine that is compiled in.

use std::sync::Arc;

use goodstanding::app::SystemEntropy;
use goodstanding::ids::{ListId, ProfileId};
use goodstanding::registry::{Actor, Change, NewList, NewProfile, Registry, Settings};
use goodstanding::status::StatusPurpose;
use goodstanding::store::engine::Engine;
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{Clock, ManualClock, Timestamp};
use goodstanding::vc::keys::MasterKey;

/// The origin of what the registries hand out.
pub(crate) const ORIGIN: &str = "https://registry.example";

/// An engine that is compiled in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Rows in memory.
    Memory,
    /// The embedded store, which syncs each commit to disk.
    #[cfg(feature = "rocksdb")]
    RocksDb,
}

/// Every engine that is compiled in.
pub(crate) const ENGINES: &[Kind] = &[
    Kind::Memory,
    #[cfg(feature = "rocksdb")]
    Kind::RocksDb,
];

/// A registry on one engine, whose files last as long as it does.
pub(crate) struct Place {
    /// How the output names the engine.
    pub(crate) engine: &'static str,
    /// The services.
    pub(crate) registry: Arc<Registry>,
    issuer: ProfileId,
    // After the registry, so that the files outlive what uses them.
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    /// A fresh one on this engine.
    pub(crate) fn new(engine: Kind) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        match engine {
            Kind::Memory => Self::on("memory", Arc::new(MemoryEngine::new(clock)), None),
            #[cfg(feature = "rocksdb")]
            Kind::RocksDb => {
                // Below the target folder, which stands on a disk; a temporary folder may not.
                let parent = env!("CARGO_TARGET_TMPDIR");
                std::fs::create_dir_all(parent).expect("the target folder can be written");
                let folder = tempfile::tempdir_in(parent).expect("the folder can be written");
                use goodstanding::store::rocks::{Place, RocksEngine};
                let engine = RocksEngine::open(&Place::within(folder.path(), [7; 16]), clock);
                let engine = engine.expect("an empty folder can be opened");
                Self::on("RocksDB", Arc::new(engine), Some(folder))
            }
        }
    }

    fn on(
        engine_name: &'static str,
        engine: Arc<dyn Engine>,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let settings = Settings {
            publish_before_acknowledging: false,
            ..Settings::usual(ORIGIN)
        };
        let master = MasterKey::generate(&SystemEntropy);
        let registry = Registry::open(engine, clock, Arc::new(SystemEntropy), master, settings);
        let registry = registry.expect("an empty store can be opened");
        let profile = NewProfile::usual(
            "harbour-school".parse().expect("a slug"),
            "Harbour School of Data",
        );
        let issuer = registry
            .create_profile(&change(), &profile)
            .expect("the first profile can be made")
            .id;
        Self {
            engine: engine_name,
            registry: Arc::new(registry),
            issuer,
            _folder: folder,
        }
    }

    /// A fresh revocation list of the issuer, of the least length.
    pub(crate) fn list(&self) -> ListId {
        let new = NewList::usual(self.issuer, StatusPurpose::Revocation);
        let made = self.registry.create_list(&change(), &new);
        made.expect("a list can be opened").id
    }
}

/// A change by whoever holds the data.
pub(crate) const fn change() -> Change {
    Change::by(Actor::operator())
}
