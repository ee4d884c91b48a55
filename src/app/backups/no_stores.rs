//! A program without RocksDB has no stores on a disk.

use std::path::Path;

use serde_json::Value;

use crate::backup::CopyStore;
use crate::config::Config;
use crate::store::contents::Contents;
use crate::store::engine::StoreError;

const WITHOUT: &str = "this program was built without RocksDB, and has no stores to back up";

pub(super) fn begin_epoch(_: &Config, _: &Path) -> Result<u32, String> {
    Err(WITHOUT.into())
}

pub(super) fn copier(_: &Config) -> Result<Box<CopyStore>, String> {
    Err(WITHOUT.into())
}

pub(super) fn inspect(_: &Path) -> Result<Contents, StoreError> {
    Err(StoreError::Unavailable(WITHOUT.into()))
}

pub(super) fn published_in(_: &Path) -> Result<Vec<Value>, String> {
    Err(WITHOUT.into())
}
