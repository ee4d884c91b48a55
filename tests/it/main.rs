//! Integration tests: one binary, so that linking RocksDB is paid once.

#[cfg(feature = "rocksdb")]
mod backups;
mod browser;
mod conformance_canon;
mod conformance_jsonld;
mod conformance_proof;
#[cfg(feature = "rocksdb")]
mod corruption;
mod decade;
mod fuzz_corpus;
mod http;
mod interop;
mod journeys;
mod lanes;
mod layers;
mod net;
#[cfg(feature = "rocksdb")]
mod powerloss;
mod process;
#[cfg(feature = "postgres")]
mod replicas;
mod scale;
mod simulation;
mod store_engines;
mod support;
