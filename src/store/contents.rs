//! What a copy of a store holds, read to its last row.

use super::chain;
use super::engine::{Head, Read, StoreError};
use super::format::{self, Tip};
use super::tables::{DATA_KEYS, SETTINGS};
use crate::ids::Seq;
use crate::vc::sealing::MasterKeyId;

/// What a copy of a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The version of its format.
    pub format: u32,
    /// Its id.
    pub store: [u8; 16],
    /// Its epoch.
    pub epoch: u32,
    /// The newest event, and the digest chain up to it as it was recomputed.
    pub head: Head,
    /// How many batches were committed.
    pub commits: u64,
    /// Origin of every id in it; none where nothing was registered yet.
    pub public_url: Option<String>,
    /// Each master key that opens its secrets.
    pub master_keys: Vec<MasterKeyId>,
}

/// Reads a whole store: every row of it, and its log from the first event to the newest.
///
/// # Errors
/// What cannot be read; a format that this program does not know; a log or counters that do not add up.
pub fn read(store: &dyn Read) -> Result<Contents, StoreError> {
    let format = {
        let row = store.get(&format::format_key())?;
        format::read_format(
            &row.ok_or_else(|| format::corrupt("meta", "the store has no version of its format"))?,
        )?
    };
    if !(format::ANCHORED..=format::FORMAT).contains(&format) {
        return Err(StoreError::Format {
            found: format,
            known: format::FORMAT,
        });
    }
    let head = store.get(&format::head_key())?;
    let tip = Tip::decode(&head.ok_or_else(|| format::corrupt("head", "the row is missing"))?)?;
    let identity = format::read_identity(store)?;
    read_every_row(store)?;
    adds_up(store, &tip)?;
    let public_url = SETTINGS.get(store, &"public_url".to_owned())?;
    let keys = DATA_KEYS.scan(store, &[], None, usize::MAX)?;
    let mut master_keys: Vec<_> = keys.into_iter().map(|((_, id), _)| id).collect();
    master_keys.sort_unstable();
    master_keys.dedup();
    Ok(Contents {
        format,
        store: identity.store,
        epoch: identity.epoch,
        head: tip.head,
        commits: tip.commits,
        public_url: public_url.map(|url| String::from_utf8_lossy(&url).into_owned()),
        master_keys: master_keys
            .into_iter()
            .map(MasterKeyId::from_bytes)
            .collect(),
    })
}

/// Each block of the files is read, and so its checksum compared.
fn read_every_row(store: &dyn Read) -> Result<(), StoreError> {
    const ROWS_AT_ONCE: usize = 1_024;
    let (mut from, to) = (Vec::new(), [0xff; 64]);
    loop {
        let rows = store.scan(&from, &to, ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else {
            return Ok(());
        };
        from = [last.as_slice(), &[0]].concat();
    }
}

/// The log leads to the head, each event closing the chain over those before it as far as that is known to be
/// so, and how far indexes are given out is what the head says.
fn adds_up(store: &dyn Read, tip: &Tip) -> Result<(), StoreError> {
    if let Some(stopped) = chain::check(store, Seq(0), tip.head.seq)?.stopped() {
        return Err(format::corrupt("events", stopped));
    }
    if format::digest_at(store, tip.head.seq)? != Some(tip.head.digest) {
        return Err(format::corrupt(
            "events",
            "the log does not end as the head says",
        ));
    }
    match format::count_counters(store)? == tip.counters {
        true => Ok(()),
        false => Err(format::corrupt(
            "allocation",
            "the counters are not those that the head says",
        )),
    }
}
