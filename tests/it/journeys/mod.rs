//! The five journeys of the registry, told from outside over HTTP: on the memory engine each by
//! itself, and on RocksDB all in one house that is closed and opened again.

mod endorse;
mod identity;
mod keys;
mod lists;
mod older_store;
mod past;
mod past_lists;
mod publishing;
mod register;
mod requests;
#[cfg(feature = "rocksdb")]
mod rocks;
mod rotation;
mod securing;
mod signed_elsewhere;
mod standing;
mod trust;
mod trust_hostile;
mod verify;
