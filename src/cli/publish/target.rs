//! Where copies are put.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::copy::{About, Copy, Name};

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Put {
    /// It is there, durable, and in the place of what was there before.
    Written,
    /// It was there already.
    WasThere,
    /// A newer one is there, and stays.
    NewerIsThere,
}

/// Why a place did not do what it was asked.
#[derive(Debug, Error)]
pub(super) enum Fault {
    /// It may do it another time.
    #[error("{0}")]
    Away(String),
    /// It will not do it.
    #[error("{0}")]
    Refused(String),
}

/// What a place remembers from one run to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remembered {
    /// Of this layout.
    pub(super) format: u32,
    /// The registry whose copies these are: its origin.
    pub(super) registry: String,
    /// Up to which event of the change feed they are complete.
    pub(super) event: u64,
}

/// The layout that this program writes.
pub(super) const FORMAT: u32 = 1;

/// The name under which a place remembers it.
pub(super) const REMEMBERED: &str = ".goodstanding.json";

/// A place for copies. Whoever reads there sees each copy whole, as it was or as it is.
pub(super) trait Target: Sync {
    /// How it is called in messages.
    fn name(&self) -> String;

    /// What stands under a name.
    fn about(&self, name: &Name) -> Result<Option<About>, Fault>;

    /// Puts a copy in its place, unless a newer one is there. Durable when it returns.
    fn put(&self, copy: &Copy) -> Result<Put, Fault>;

    /// Takes a copy away, where there is one.
    fn remove(&self, name: &Name) -> Result<(), Fault>;

    /// The names of all copies.
    fn names(&self) -> Result<BTreeSet<Name>, Fault>;

    /// What it remembers; nothing where nothing was ever put here.
    fn remembered(&self) -> Result<Option<Remembered>, Fault>;

    /// Remembers this from now on.
    fn remember(&self, what: &Remembered) -> Result<(), Fault>;
}
