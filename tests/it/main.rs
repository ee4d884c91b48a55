//! Integration tests: one binary, so that linking RocksDB is paid once.
