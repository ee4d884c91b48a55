//! A case is tried: the engine is opened on the damaged folder, and everything is looked for.

use std::fs;
use std::path::Path;

use goodstanding::store::engine::Row;
use goodstanding::store::rocks::RocksEngine;
use goodstanding::store::{Batch, Engine, StoreError};
use tempfile::TempDir;

use super::history::{History, NEWEST, copy_all};

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Came {
    /// All is there, and changes are taken.
    Harmless,
    /// All is there, and changes are taken: a copy was recovered first.
    Recovered,
    /// It did not come up.
    Refused,
    /// It came up for reading, in this state.
    ReadOnly(String),
    /// It came up, and what was asked for was answered with an error.
    ErrorWhenRead,
    /// Something that was acknowledged is missing, or is something else, and nobody said so.
    Silent,
}

impl Came {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Harmless => "harmless".to_owned(),
            Self::Recovered => "recovered".to_owned(),
            Self::Refused => "refused".to_owned(),
            Self::ReadOnly(state) => format!("read-only: {state}"),
            Self::ErrorWhenRead => "error when read".to_owned(),
            Self::Silent => "SILENT".to_owned(),
        }
    }
}

pub(super) struct Tried {
    pub(super) came: Came,
    pub(super) said: String,
}

impl Tried {
    /// What comes of it when this is done to the data folder; `None` where it cannot be done.
    pub(super) fn of(history: &History, damage: impl FnOnce(&Path) -> Option<()>) -> Option<Self> {
        let home = TempDir::new().unwrap();
        let data = home.path().join("data");
        copy_all(&history.at(NEWEST), &data);
        damage(&data)?;
        let mut tried = tried(history, &data);
        let place = data.to_str().unwrap();
        tried.said = tried.said.replace(place, "DATA");
        Some(tried)
    }
}

fn tried(history: &History, data: &Path) -> Tried {
    let open = || RocksEngine::open(&history.place(data), history.clock.clone());
    let engine = match open() {
        Ok(engine) => engine,
        Err(error) => return told(Came::Refused, error.to_string()),
    };
    if let Err(stopped) = engine.takes_writes() {
        let state = stopped.state().to_owned();
        return told(Came::ReadOnly(state), stopped.to_string());
    }
    let stays = |engine: &RocksEngine| match holds(engine, &history.rows) {
        Err(error) => Some(told(Came::ErrorWhenRead, error.to_string())),
        Ok(Some(missing)) => Some(told(Came::Silent, missing)),
        Ok(None) => None,
    };
    if let Some(tried) = stays(&engine) {
        return tried;
    }
    // And it goes on from there.
    let batch = Batch {
        events: vec![b"more".to_vec().into()],
        ..Batch::default()
    };
    if let Err(error) = engine.commit(batch) {
        return told(Came::ErrorWhenRead, error.to_string());
    }
    drop(engine);
    let engine = match open() {
        Ok(engine) if engine.takes_writes().is_ok() => engine,
        Ok(engine) => {
            return told(
                Came::Silent,
                format!("at the next start: {:?}", engine.takes_writes()),
            );
        }
        Err(error) => return told(Came::Silent, format!("at the next start: {error}")),
    };
    match fs::read_dir(data).unwrap().count() {
        2 => told(Came::Harmless, String::new()),
        _ => told(Came::Recovered, format!("{:?}", engine.takes_writes())),
    }
}

fn told(came: Came, said: String) -> Tried {
    Tried { came, said }
}

/// What is missing or another, of rows that services wrote; `None` where all are as they were.
fn holds(engine: &dyn Engine, rows: &[Row]) -> Result<Option<String>, StoreError> {
    let there = engine.scan(&[], &[0xff; 64], usize::MAX)?;
    if there != rows {
        let first = rows.iter().find(|row| !there.contains(row));
        return Ok(Some(format!(
            "{} rows of {}, such as {first:?}",
            there.len(),
            rows.len()
        )));
    }
    let keys: Vec<_> = rows.iter().map(|(key, _)| key.clone()).collect();
    let values = engine.multi_get(&keys)?;
    let others = values
        .iter()
        .zip(rows)
        .filter(|(value, row)| value.as_ref() != Some(&row.1));
    let others = others.count();
    Ok((others > 0).then(|| format!("{others} rows are answered otherwise")))
}
