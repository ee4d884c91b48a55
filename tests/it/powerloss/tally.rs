//! What a series of power cuts came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::cut::{Damage, Tail};
use super::trial::Ending;

#[derive(Debug)]
pub(super) struct Tally {
    began: Instant,
    pub(super) folders: usize,
    pub(super) cuts: usize,
    /// Of them, while a server was starting.
    pub(super) at_start: usize,
    pub(super) acknowledged: usize,
    /// What was open at a cut and asked again.
    pub(super) settled: usize,
    /// Folders in which something acknowledged was gone, and nobody said so.
    pub(super) lost: usize,
    /// How often a log or a manifest was damaged behind all that was acknowledged, and read up to there.
    pub(super) read_up_to_damage: usize,
    /// How often a server came up and took no changes, or did not come up, by what it said.
    pub(super) noticed: BTreeMap<String, usize>,
    pub(super) tails: BTreeMap<Tail, usize>,
    /// How many files of a kind had writes that were not durable.
    pub(super) files: BTreeMap<&'static str, usize>,
    pub(super) names: usize,
    pub(super) undone: usize,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            folders: 0,
            cuts: 0,
            at_start: 0,
            acknowledged: 0,
            settled: 0,
            lost: 0,
            read_up_to_damage: 0,
            noticed: BTreeMap::new(),
            tails: BTreeMap::new(),
            files: BTreeMap::new(),
            names: 0,
            undone: 0,
        }
    }

    pub(super) fn ended(&mut self, ending: &Ending) {
        let said = match ending {
            Ending::Silent(_) => {
                self.lost += 1;
                return;
            }
            Ending::Noticed { why, .. } | Ending::Refused(why) => why,
        };
        let without_numbers = said.replace(|c: char| c.is_ascii_digit(), "");
        *self.noticed.entry(without_numbers).or_default() += 1;
    }

    pub(super) fn cut(&mut self, damage: &Damage) {
        self.cuts += 1;
        self.names += damage.names;
        self.undone += damage.undone;
        for (name, tail) in &damage.tails {
            *self.tails.entry(*tail).or_default() += 1;
            *self.files.entry(kind(name)).or_default() += 1;
        }
    }
}

/// Which of the store's files one is.
fn kind(name: &str) -> &'static str {
    let last = name.rsplit('/').next().unwrap_or_default();
    match last {
        _ if name.contains("/anchor/") => "anchor",
        _ if last.starts_with("MANIFEST") => "MANIFEST",
        _ if last.starts_with("OPTIONS") => "OPTIONS",
        _ if last.starts_with("LOG") => "LOG",
        _ if last.ends_with(".log") => "WAL",
        _ if last.ends_with(".sst") => "SST",
        _ if last.ends_with(".dbtmp") => "CURRENT",
        "CURRENT" => "CURRENT",
        "IDENTITY" => "IDENTITY",
        _ if last.starts_with("master.key") => "master key",
        _ => "other",
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = Duration::from_secs(self.began.elapsed().as_secs());
        writeln!(
            f,
            "{} power cuts in {} folders ({} while a server was starting), {took:?}",
            self.cuts, self.folders, self.at_start
        )?;
        writeln!(
            f,
            "acknowledged changes: {} (and {} that were open at a cut and were asked again)",
            self.acknowledged, self.settled
        )?;
        writeln!(f, "lost, and nobody said so: {}", self.lost)?;
        writeln!(f, "did not come up, or took no changes: {:?}", self.noticed)?;
        let damaged = self.read_up_to_damage;
        writeln!(
            f,
            "log or manifest damaged behind what was acknowledged, and read up to there: {damaged}"
        )?;
        writeln!(f, "ends of files that were not durable: {:?}", self.tails)?;
        writeln!(f, "in these files: {:?}", self.files)?;
        write!(
            f,
            "names that were not durable: {}, of which undone: {}",
            self.names, self.undone
        )
    }
}
