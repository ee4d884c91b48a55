//! What has to be done with stores on a disk.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::text;
use crate::app::SystemClock;
use crate::app::engines::{open_rocksdb, place};
use crate::backup::CopyStore;
use crate::config::Config;
use crate::registry::{ListForm, WhyTaken, note_why_taken};
use crate::store::contents::Contents;
use crate::store::engine::{Decision, Engine as _, StoreError};
use crate::store::rocks::{Place, RocksEngine, checkpoint};

/// Takes the store that was put together as it is: another epoch begins, which the registry finds and logs
/// when it is opened.
pub(super) fn begin_epoch(config: &Config, store: &Path) -> Result<u32, String> {
    let place = Place {
        store: store.to_owned(),
        ..place(config, Decision::NewEpoch)
    };
    let engine = RocksEngine::open(&place, Arc::new(SystemClock)).map_err(text)?;
    note_why_taken(&engine, WhyTaken::Restored).map_err(text)?;
    Ok(engine.epoch())
}

/// Copies the store of a data folder, while no server runs.
pub(super) fn copier(config: &Config) -> Result<Box<CopyStore>, String> {
    let engine = open_rocksdb(config, Arc::new(SystemClock), Decision::AsAnchored)?;
    Ok(Box::new(move |to| engine.copy_to(to)))
}

/// What a copy of a store holds.
pub(super) fn inspect(folder: &Path) -> Result<Contents, StoreError> {
    checkpoint::inspect(folder)
}

/// What is left of a store's signed lists, as requests hand them in.
pub(super) fn published_in(folder: &Path) -> Result<Vec<Value>, String> {
    let found = checkpoint::published_in(folder).map_err(text)?;
    let lists = found.into_iter().filter_map(|(form, body)| match form {
        ListForm::Bitstring | ListForm::Status2021 => serde_json::from_slice(&body).ok(),
        ListForm::BitstringJwt | ListForm::TokenJwt => {
            String::from_utf8(body).ok().map(Value::from)
        }
        ListForm::TokenCwt => Some(URL_SAFE_NO_PAD.encode(body).into()),
    });
    Ok(lists.collect())
}
