//! A case is tried: the engine is opened on the damaged folder, and everything is looked for.

use std::fs;
use std::path::Path;

use goodstanding::store::engine::Row;
use goodstanding::store::rocks::RocksEngine;
use goodstanding::store::{Batch, Engine, StoreError};

use super::cases::Kind;
use super::history::{History, NEWEST, room};
use crate::support::files::copy_all;

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
    /// In a word, as far as it is the same each time: what stands where in a file that the engine puts
    /// together, and with it what comes of a damaged byte, hangs on when it did so.
    pub(super) const fn in_a_word(&self, kind: Kind) -> &'static str {
        match (&self.came, kind) {
            (Came::Silent, _) => "silent",
            (_, Kind::SortedOldest | Kind::SortedNewest | Kind::Manifest) => "whole or noticed",
            (Came::Harmless, _) => "harmless",
            (Came::Recovered, _) => "recovered",
            (Came::Refused | Came::ReadOnly(_) | Came::ErrorWhenRead, _) => "noticed",
        }
    }

    /// What comes of it when this is done to the data folder; `None` where it cannot be done.
    pub(super) fn of(history: &History, damage: impl FnOnce(&Path) -> Option<()>) -> Option<Self> {
        let home = room();
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
        let folders = fs::read_dir(data).unwrap().count();
        drop(engine);
        // It stays so, or does not come up: an older log file in the place of a newer one is read otherwise
        // once the engine has put files together, which it does in its own time.
        let again = open().map(|engine| engine.takes_writes());
        assert!(again != Ok(Ok(())), "{stopped} at first");
        assert_eq!(fs::read_dir(data).unwrap().count(), folders);
        let state = stopped.state().to_owned();
        let said = match data.join("store.tried").exists() {
            true => format!("{stopped} (read from a copy, since RocksDB refused the store)"),
            false => stopped.to_string(),
        };
        return told(Came::ReadOnly(state), said);
    }
    match holds(&engine, &history.rows) {
        Err(error) => return told(Came::ErrorWhenRead, error.to_string()),
        Ok(Some(missing)) => return told(Came::Silent, missing),
        Ok(None) => {}
    }
    if let Err(said) = goes_on(engine, open) {
        return told(Came::Silent, said);
    }
    match fs::read_dir(data).unwrap().count() {
        2 => told(Came::Harmless, String::new()),
        _ => told(Came::Recovered, String::new()),
    }
}

/// A change is taken, and is there at the next start.
fn goes_on(
    engine: RocksEngine,
    open: impl Fn() -> Result<RocksEngine, StoreError>,
) -> Result<(), String> {
    let batch = Batch {
        events: vec![b"more".to_vec().into()],
        ..Batch::default()
    };
    let done = engine.commit(batch).map_err(|error| error.to_string())?;
    drop(engine);
    let engine = open().map_err(|error| format!("at the next start: {error}"))?;
    engine
        .takes_writes()
        .map_err(|stopped| format!("at the next start: {stopped}"))?;
    match engine.head().seq == done.seq {
        true => Ok(()),
        false => Err("the change was lost".to_owned()),
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
