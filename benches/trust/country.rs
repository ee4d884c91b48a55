//! The nation's registry on RocksDB, without its lists, as the benches here use it: in this process.

use std::sync::Arc;

use goodstanding::http::Edge;
use goodstanding::registry::Registry;
use goodstanding::store::rocks::{Place, RocksEngine};

use crate::nation::{self, people};

/// When everything was registered and endorsed, and the moment of the measurements.
const THEN: &str = "2026-01-05T08:00:00Z";
const NOW: &str = "2026-03-01T09:00:00Z";

const SEED: u64 = 7;

/// The registry, whose files last as long as it does.
pub(crate) struct Country {
    pub(crate) edge: Edge,
    pub(crate) registry: Arc<Registry>,
    /// The same store, as it is.
    pub(crate) engine: Arc<RocksEngine>,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    _folder: tempfile::TempDir,
}

impl Country {
    pub(crate) fn settle() -> Self {
        // Below the target folder, which stands on a disk; a temporary folder may not.
        let parent = env!("CARGO_TARGET_TMPDIR");
        std::fs::create_dir_all(parent).expect("the target folder can be written");
        let folder = tempfile::tempdir_in(parent).expect("the folder can be written");
        let open =
            |at: &str, seed| nation::open(folder.path(), at.parse().expect("RFC 3339"), seed);
        let (engine, registry) = open(THEN, SEED);
        people::fill(&engine, &registry, SEED, THEN.parse().expect("RFC 3339"));
        // Opened anew, so that nothing is left in memory of how it was written.
        drop((engine, registry));
        let (engine, registry) = open(NOW, SEED + 1);
        Self {
            bytes: nation::bytes_of(&Place::within(folder.path(), [0; 16]).store),
            edge: Edge::usual(registry.clone()),
            registry,
            engine,
            _folder: folder,
        }
    }
}
