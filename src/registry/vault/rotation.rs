//! Another master key takes the place of the one in use, while the registry goes on signing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{Adopted, Held, MasterKeyUse, data_keys, row_key, stage_data_key};
use crate::registry::{Change, Registry, RegistryError};
use crate::store::event::{EventKind, MasterKeyStep};
use crate::store::tables::{DATA_KEYS, DataKeyRecord};
use crate::vc::sealing::{DataKey, MasterKey};

/// What became of a rotation of the master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterKeyRotated {
    /// Id of the master key that was in use: 16 hexadecimal digits.
    pub from: String,
    /// Id of the one that takes its place.
    pub to: String,
    /// Since when it is the one in use.
    pub taken_up: TakenUp,
}

/// When the next master key is the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TakenUp {
    /// Now; the earlier one opens nothing any more.
    Now,
    /// When the registry is started with it. Until then both open what is stored.
    AtNextStart,
}

impl Registry {
    /// Puts the next master key in the place of the one in use. Who signs meanwhile notices nothing.
    /// After an error it can be asked for again, and goes on where it stopped, as a start does.
    ///
    /// Copies of the store that were made before still open with the earlier master key.
    ///
    /// # Errors
    /// [`RegistryError::MasterKeyPlace`] where there is no next master key, or it cannot be put in
    /// place.
    pub fn rotate_master_key(&self, change: &Change) -> Result<MasterKeyRotated, RegistryError> {
        change.actor.must_operate()?;
        if let Some(locked) = self.vault.locked() {
            return Err(RegistryError::ReadOnly(locked));
        }
        let _turn = self.vault.turn();
        if let Some(answer) = self.replayed(&*self.engine.snapshot(), change)? {
            return Ok(answer);
        }
        let next = self.next_master_key()?;
        self.take_over(change, &next)
    }

    /// Goes on with a rotation that a crash ended, or that waited for a start with the next master
    /// key.
    pub(super) fn resume_rotation(
        &self,
        at_start: &Change,
        present: &MasterKey,
    ) -> Result<(), RegistryError> {
        let rows = data_keys(&*self.engine)?;
        let under_way = |key: &MasterKey| {
            let mut rows = rows.iter().filter(|row| row.master == key.id());
            rows.any(|row| row.record.master == MasterKeyUse::Next)
        };
        if under_way(present) {
            self.settle(at_start, present).map(drop)
        } else if rows
            .iter()
            .all(|row| row.record.master == MasterKeyUse::InUse)
        {
            Ok(())
        } else {
            let next = match self.vault.place.next() {
                Ok(Some(next)) if under_way(&next) => next,
                // Given up, or not provided to this start.
                Ok(_) => return Ok(()),
                Err(problem) => return without_the_next(RegistryError::MasterKeyPlace(problem)),
            };
            self.take_over(at_start, &next)
                .map_or_else(without_the_next, |_| Ok(()))
        }
    }

    /// The whole of a rotation, in the order in which it is made. The store and the place of master
    /// keys are two disks, as it were, and there is no batch over both; so at each moment whatever
    /// master key a start may find there opens the store.
    fn take_over(
        &self,
        change: &Change,
        next: &MasterKey,
    ) -> Result<MasterKeyRotated, RegistryError> {
        let from = self.vault.held.load().master;
        let answer = |taken_up| MasterKeyRotated {
            from: from.to_string(),
            to: next.id().to_string(),
            taken_up,
        };
        // A crash before this is durable: nothing has happened, and the next master key lies there
        // until a rotation is asked for again.
        self.seal_under(change, next)?;
        // From here on both master keys open the store. After a crash a start is given the earlier
        // one, finds that the other was to follow it, and comes through here again.
        self.prove(next)?;
        // A crash while the one is put in the place of the other: a start is given either of them.
        // With the earlier one it is as above, with the next one as below.
        let adopted = self.vault.place.adopt(next.id());
        match adopted.map_err(RegistryError::MasterKeyPlace)? {
            Adopted::Now => {}
            // The environment: the first start with the next master key goes on below.
            Adopted::AtNextStart => return Ok(answer(TakenUp::AtNextStart)),
        }
        // From here on a start is given the next master key. After a crash it settles what is left.
        self.settle(change, next)
    }

    /// The one that was provided; the one that is in the present one's place already, where it was
    /// put there by hand, or by a rotation that could not be sure of it; or a fresh one.
    fn next_master_key(&self) -> Result<MasterKey, RegistryError> {
        let (place, used) = (&self.vault.place, self.vault.held.load().master);
        let next = || {
            if let Some(next) = place.next()? {
                return Ok(next);
            }
            let present = place.present()?;
            match present.id() == used {
                true => place.make_next(),
                false => Ok(present),
            }
        };
        let next = next().map_err(RegistryError::MasterKeyPlace)?;
        if next.id() == used {
            let words = "the next master key is the one in use; put another in its place";
            return Err(RegistryError::MasterKeyPlace(words.into()));
        }
        Ok(next)
    }

    /// Seals every data key under the next master key as well, in one batch. One that was to follow
    /// and never did opens nothing from then on.
    fn seal_under(&self, change: &Change, next: &MasterKey) -> Result<(), RegistryError> {
        let held = self.vault.held.load_full();
        let to = next.id();
        // The answer to an idempotency key is kept when the change is done.
        self.transact(&Change::by(change.actor), |tx| {
            let rows = data_keys(tx.read)?;
            if rows.iter().any(|row| row.master == to) {
                return Ok(());
            }
            for given_up in rows
                .iter()
                .filter(|row| row.record.master == MasterKeyUse::Next)
            {
                DATA_KEYS.delete(&mut tx.batch, &given_up.key());
            }
            for (generation, key) in &held.keys {
                let row = row_key(*generation, to);
                let record = DataKeyRecord {
                    sealed: next.seal(key, &*self.entropy).to_bytes(),
                    master: MasterKeyUse::Next,
                };
                DATA_KEYS.expect(&mut tx.batch, &row, None);
                DATA_KEYS.put(&mut tx.batch, &row, &record);
            }
            tx.log(EventKind::MasterKeyRotated {
                from: held.master,
                to,
                step: MasterKeyStep::Begun,
            });
            Ok(())
        })
    }

    /// Holds what the next master key opens in the store against what is in use.
    fn prove(&self, next: &MasterKey) -> Result<(), RegistryError> {
        let opened = Held::unlock(&*self.engine, next)?;
        let used = self.vault.held.load();
        let all = used.keys.iter().all(|(generation, key)| {
            let same = opened.keys.get(generation);
            same.is_some_and(|same| same.is(key))
        });
        if !all || opened.keys.len() != used.keys.len() {
            let words = "what was sealed under the next master key does not open with it; the one \
                         in use stays so";
            return Err(RegistryError::Key(words.into()));
        }
        Ok(())
    }

    /// Leaves the next master key as the only one that opens anything, with a data key of its own:
    /// who holds the earlier one and an earlier copy of the store opens nothing that is sealed from
    /// now on.
    fn settle(&self, change: &Change, next: &MasterKey) -> Result<MasterKeyRotated, RegistryError> {
        let held = self.vault.held.load_full();
        let to = next.id();
        let fresh = DataKey::generate(held.next_generation(), &*self.entropy);
        let done = self.transact(change, |tx| {
            let rows = data_keys(tx.read)?;
            let mut from = held.master;
            for row in &rows {
                DATA_KEYS.expect(&mut tx.batch, &row.key(), Some(&row.record));
                if row.master == to {
                    let record = DataKeyRecord {
                        master: MasterKeyUse::InUse,
                        ..row.record.clone()
                    };
                    DATA_KEYS.put(&mut tx.batch, &row.key(), &record);
                } else {
                    DATA_KEYS.delete(&mut tx.batch, &row.key());
                    if row.record.master == MasterKeyUse::InUse {
                        from = row.master;
                    }
                }
            }
            stage_data_key(tx, &fresh, next, &*self.entropy);
            let step = MasterKeyStep::Done;
            tx.log(EventKind::MasterKeyRotated { from, to, step });
            Ok(MasterKeyRotated {
                from: from.to_string(),
                to: to.to_string(),
                taken_up: TakenUp::Now,
            })
        })?;
        // Whoever is signing at this moment has the data keys that it needs, which stay.
        let mut held = held.with(fresh);
        held.master = to;
        self.vault.held.store(Arc::new(held));
        info!(
            from = done.from,
            to = done.to,
            "another master key is in use"
        );
        Ok(done)
    }
}

/// The key in use opens everything all the same, so that where the next one cannot take its place
/// that is no reason not to start.
fn without_the_next(problem: RegistryError) -> Result<(), RegistryError> {
    match problem {
        RegistryError::MasterKeyPlace(problem) => {
            warn!(
                keys = problem,
                "the next master key cannot take its place yet; both open the store"
            );
            Ok(())
        }
        other => Err(other),
    }
}
