//! The engine that the configuration asks for, and what there is of its store.

use std::sync::Arc;

#[cfg(feature = "rocksdb")]
use super::SystemEntropy;
use crate::config::{Config, EngineChoice};
use crate::store::engine::{Decision, Engine};
use crate::store::memory::MemoryEngine;
use crate::time::Clock;

/// Whether there may be something in a store. Of one that replicas share that is said of the copy: it is not
/// asked, since it may be away.
pub(super) fn holds_store(config: &Config) -> bool {
    config.store.engine != EngineChoice::Memory && config.store_folder().exists()
}

/// Refuses where a registry would be made beside one that is there.
pub(super) fn holds_none(config: &Config) -> Result<(), String> {
    let data = config.data.display();
    if config.store_folder().exists() {
        return Err(format!(
            "{data} holds a registry already; `goodstanding token --data …` makes further tokens"
        ));
    }
    match config.store.engine {
        EngineChoice::Postgres => shared_holds_none(config),
        EngineChoice::Rocksdb | EngineChoice::Memory => Ok(()),
    }
}

/// That a folder is without a store that no start makes by itself.
pub(super) fn lacks_store(config: &Config) -> bool {
    config.store.engine == EngineChoice::Rocksdb && !config.store_folder().exists()
}

pub(super) fn open_engine(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Engine>, String> {
    open_engine_as(config, clock, Decision::AsAnchored)
}

pub(super) fn open_engine_as(
    config: &Config,
    clock: Arc<dyn Clock>,
    decision: Decision,
) -> Result<Arc<dyn Engine>, String> {
    match config.store.engine {
        EngineChoice::Memory => Ok(Arc::new(MemoryEngine::new(clock))),
        EngineChoice::Rocksdb => open_rocksdb(config, clock, decision),
        EngineChoice::Postgres => open_postgres(config, clock, decision),
    }
}

#[cfg(feature = "rocksdb")]
pub(super) fn open_rocksdb(
    config: &Config,
    clock: Arc<dyn Clock>,
    decision: Decision,
) -> Result<Arc<dyn Engine>, String> {
    let engine = crate::store::rocks::RocksEngine::open(&place(config, decision), clock);
    Ok(Arc::new(engine.map_err(|error| error.to_string())?))
}

/// Where the store is, or a replica's copy, and how it is opened.
#[cfg(feature = "rocksdb")]
pub(super) fn place(config: &Config, decision: Decision) -> crate::store::rocks::Place {
    crate::store::rocks::Place {
        store: config.store_folder(),
        anchor: config.anchor_file(),
        new_id: crate::entropy::random(&SystemEntropy),
        decision,
        room: crate::store::rocks::space::Room {
            keep_free: config.store.keep_free_bytes,
            reserve: config.store.reserve_bytes,
        },
        write_buffer_bytes: config.store.write_buffer_bytes,
    }
}

#[cfg(not(feature = "rocksdb"))]
pub(super) fn open_rocksdb(
    _: &Config,
    _: Arc<dyn Clock>,
    _: Decision,
) -> Result<Arc<dyn Engine>, String> {
    Err("this program was built without RocksDB; set store.engine to \"memory\"".into())
}

#[cfg(feature = "postgres")]
fn open_postgres(
    config: &Config,
    clock: Arc<dyn Clock>,
    decision: Decision,
) -> Result<Arc<dyn Engine>, String> {
    let postgres = config.store.postgres.settings();
    let postgres = postgres.map_err(|error| error.to_string())?;
    let engine = crate::store::postgres::open(postgres, &place(config, decision), clock);
    Ok(Arc::new(engine.map_err(|error| error.to_string())?))
}

/// What the database that replicas share holds: where its log ends, or `None` where there is no registry.
#[cfg(feature = "postgres")]
pub(super) fn shared_head(config: &Config) -> Result<Option<crate::store::Head>, String> {
    let postgres = config.store.postgres.settings();
    let postgres = postgres.map_err(|error| error.to_string())?;
    crate::store::postgres::head(postgres)
}

#[cfg(feature = "postgres")]
fn shared_holds_none(config: &Config) -> Result<(), String> {
    match shared_head(config)? {
        None => Ok(()),
        Some(_) => Err(format!(
            "the database holds a registry already: to make {} a replica of it, give it the same \
             master key, public_url and [store], and start it",
            config.data.display()
        )),
    }
}

#[cfg(not(feature = "postgres"))]
fn shared_holds_none(_: &Config) -> Result<(), String> {
    Err(WITHOUT_POSTGRES.into())
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &Config, _: Arc<dyn Clock>, _: Decision) -> Result<Arc<dyn Engine>, String> {
    Err(WITHOUT_POSTGRES.into())
}

#[cfg(not(feature = "postgres"))]
const WITHOUT_POSTGRES: &str =
    "this program was built without PostgreSQL; set store.engine to \"rocksdb\" or \"memory\"";
