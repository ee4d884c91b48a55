//! Integration tests: one binary, so that linking RocksDB is paid once.

mod conformance_canon;
mod conformance_jsonld;
mod conformance_proof;
mod decade;
mod fuzz_corpus;
mod http;
mod interop;
mod journeys;
mod layers;
mod net;
mod process;
mod simulation;
mod store_engines;
mod support;
