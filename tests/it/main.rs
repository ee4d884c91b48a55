//! Integration tests: one binary, so that linking RocksDB is paid once.

mod conformance_canon;
mod conformance_jsonld;
mod conformance_proof;
mod interop;
mod store_engines;
mod support;
