//! What is known beside the model: what was seen from outside, and copies of the disk.

use std::collections::{BTreeMap, BTreeSet};

use goodstanding::ids::{ListId, SpaceId};
use goodstanding::store::memory::Image;

use super::log::Log;
use super::model::Model;
use super::requests::Answer;

/// What somebody outside has seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// For what each index was given out, also those of a history that was given up.
    pub(super) given: BTreeMap<(SpaceId, u32), String>,
    /// Every number that a profile ever had.
    pub(super) profiles: BTreeSet<u32>,
    /// Every key that somebody ever had, by its name.
    pub(super) keys: BTreeSet<(String, u32)>,
    /// What was answered last under each key.
    pub(super) answers: BTreeMap<String, Answer>,
    /// The newest revision of each list that was ever served.
    pub(super) ever: BTreeMap<ListId, u64>,
    /// The latest moment that the registry took for the present.
    pub(super) latest: i64,
    /// Revision and generation of each list that was served.
    pub(super) served: BTreeMap<ListId, (u64, u64)>,
    /// How far the feed was read.
    pub(super) feed: u64,
}

/// A copy of the disk, and what was known when it was made.
#[derive(Debug, Clone)]
pub(super) struct Saved {
    pub(super) image: Image,
    pub(super) master: u64,
    pub(super) model: Model,
    pub(super) log: Log,
    pub(super) seen: Seen,
    pub(super) asked: usize,
}
