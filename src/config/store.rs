//! The store, and what it needs of the machine.

use std::path::PathBuf;

use serde::Deserialize;

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
}

/// The storage engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// Embedded and durable.
    Rocksdb,
    /// Nothing survives the process.
    Memory,
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
