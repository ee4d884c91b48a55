//! The secrets at rest: sealing and opening.
//!
//! Signing keys are sealed under a data key, and data keys under the master key, which stands
//! outside the store. The vault opens the data keys when the registry is opened, and keeps those;
//! of the master key it keeps the name alone. So whoever signs never waits for the master key, also
//! while another takes its place ([`Registry::rotate_master_key`]).

mod codes;
mod following;
mod rotation;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tracing::{error, info, warn};

use super::change::Tx;
use super::{Actor, Change, Lack, Registry, RegistryError, State};
use crate::entropy::Entropy;
use crate::ids::{KeyId, ProfileId};
use crate::store::engine::{Batch, Read};
use crate::store::event::EventKind;
use crate::store::tables::{DATA_KEYS, DataKeyRecord, KEYS, KeyRecord, MasterKeyUse, SETTINGS};
use crate::vc::keys::SigningKey;
use crate::vc::sealing::{
    DataKey, Generation, KeyPlace, MasterKey, MasterKeyId, OpenError, Sealed, SealedDataKey,
    SealedUnder,
};

pub(super) use codes::CodeKeys;
pub use rotation::{MasterKeyRotated, TakenUp};

/// Where master keys stand: outside the store. The texts of its errors say what to do.
pub trait MasterKeys: Send + Sync {
    /// The master key as the next start would find it.
    fn present(&self) -> Result<MasterKey, String>;

    /// The master key that is to take its place, where one was provided.
    fn next(&self) -> Result<Option<MasterKey>, String>;

    /// Makes one, where whoever asks for it holds the place as well. It is durable when this
    /// returns: what is sealed under it must not outlive it.
    fn make_next(&self) -> Result<MasterKey, String>;

    /// Puts the next master key in the place of the present one. Where it is there already,
    /// it only makes sure of that. It is durable when this returns [`Adopted::Now`]; after an
    /// error either of the two may be there.
    fn adopt(&self, next: MasterKeyId) -> Result<Adopted, String>;
}

/// Which master key stands where the present one stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Adopted {
    /// The next one.
    Now,
    /// Still the earlier one: a process cannot change what it was started with.
    AtNextStart,
}

/// A master key that stands nowhere else, and so stays the one in use.
impl MasterKeys for MasterKey {
    fn present(&self) -> Result<MasterKey, String> {
        Ok(self.clone())
    }

    fn next(&self) -> Result<Option<MasterKey>, String> {
        Ok(None)
    }

    fn make_next(&self) -> Result<MasterKey, String> {
        Err(
            "the master key of this registry stands nowhere, so that none can take its place"
                .into(),
        )
    }

    fn adopt(&self, _: MasterKeyId) -> Result<Adopted, String> {
        Ok(Adopted::AtNextStart)
    }
}

/// Seals and opens. It alone holds keys to what is stored.
pub(super) struct Vault {
    held: ArcSwap<Held>,
    place: Arc<dyn MasterKeys>,
    /// Why nothing is opened or sealed, where the master key is not this store's.
    locked: Option<State>,
    /// Held by whoever puts another master key in place.
    turn: Mutex<()>,
    /// Told where another process changed data keys.
    news: Arc<following::News>,
}

/// The open data keys, and the name of the master key that they are sealed under.
struct Held {
    master: MasterKeyId,
    keys: BTreeMap<Generation, Arc<DataKey>>,
}

impl Vault {
    /// Opens the data keys of a store. There are none yet in one that is new, or that an older
    /// program wrote; [`Registry::complete_vault`] sees to that. Gives the master key as well.
    ///
    /// # Errors
    /// [`RegistryError::MasterKey`] where the master key is not this store's.
    pub(super) fn unlock(
        read: &dyn Read,
        place: Arc<dyn MasterKeys>,
    ) -> Result<(Self, MasterKey), RegistryError> {
        let master = place.present().map_err(RegistryError::MasterKeyPlace)?;
        let held = Held::unlock(read, &master)?;
        if held.keys.is_empty() && !may_be_of(read, &master)? {
            return Err(RegistryError::MasterKey);
        }
        let vault = Self {
            held: ArcSwap::from_pointee(held),
            place,
            locked: None,
            turn: Mutex::default(),
            news: Arc::default(),
        };
        Ok((vault, master))
    }

    /// A vault that opens and seals nothing, where [`unlock`](Self::unlock) refused for want of this
    /// store's master key; any other refusal stands.
    pub(super) fn locked_by(
        refused: RegistryError,
        place: Arc<dyn MasterKeys>,
    ) -> Result<Self, RegistryError> {
        let locked = match &refused {
            RegistryError::MasterKeyPlace(_) => State::MasterKeyMissing(Lack::Now),
            RegistryError::MasterKey => State::MasterKeyWrong(Lack::Now),
            _ => return Err(refused),
        };
        error!(
            keys = %refused,
            "nothing can be signed without this store's master key, and no changes are taken"
        );
        let held = Held {
            master: MasterKeyId::from_bytes([0; 8]),
            keys: BTreeMap::new(),
        };
        Ok(Self {
            held: ArcSwap::from_pointee(held),
            place,
            locked: Some(locked),
            turn: Mutex::default(),
            news: Arc::default(),
        })
    }

    /// Why nothing is opened or sealed, where that is so.
    pub(super) fn locked(&self) -> Option<State> {
        self.locked.clone()
    }

    /// Seals a signing key for its place, as its row keeps it.
    ///
    /// # Errors
    /// [`RegistryError::ReadOnly`] where there is no data key: the vault is locked, or the start that was to
    /// make one could not.
    pub(super) fn seal(
        &self,
        place: KeyPlace,
        key: &SigningKey,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, RegistryError> {
        let held = self.held.load();
        let Some((_, newest)) = held.keys.last_key_value() else {
            let why = self.locked().unwrap_or(State::StartUnfinished);
            return Err(RegistryError::ReadOnly(why));
        };
        Ok(newest.seal(place, key, entropy).to_bytes())
    }

    /// Opens what a row keeps of a signing key.
    ///
    /// # Errors
    /// [`RegistryError::ReadOnly`] where the vault is locked; [`RegistryError::Key`] for bytes that are no
    /// sealed key, or one of another place or data key.
    pub(super) fn open(&self, place: KeyPlace, sealed: &[u8]) -> Result<SigningKey, RegistryError> {
        if let Some(locked) = self.locked() {
            return Err(RegistryError::ReadOnly(locked));
        }
        self.unseal(place, sealed)
            .map_err(|error| RegistryError::Key(format!("{} cannot be opened: {error}", place.key)))
    }

    fn unseal(&self, place: KeyPlace, sealed: &[u8]) -> Result<SigningKey, OpenError> {
        let sealed = Sealed::from_bytes(sealed)?;
        match sealed.under() {
            SealedUnder::MasterKey(master) => Err(OpenError::Directly(master)),
            SealedUnder::DataKey(generation) => {
                let held = self.held.load();
                let key = held.keys.get(&generation);
                let key = key.ok_or(OpenError::WrongDataKey { sealed: generation })?;
                key.open(place, &sealed)
            }
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The data keys that `master` opens; none where there are none at all.
    fn unlock(read: &dyn Read, master: &MasterKey) -> Result<Self, RegistryError> {
        let id = master.id();
        let rows = data_keys(read)?;
        let ours = rows.iter().filter(|row| row.master == id);
        let opened = ours.map(|row| {
            let sealed = SealedDataKey::from_bytes(&row.record.sealed);
            let key = sealed.and_then(|sealed| master.open(row.generation, &sealed));
            Ok((row.generation, Arc::new(key?)))
        });
        let opened: Result<BTreeMap<_, _>, OpenError> = opened.collect();
        let keys = opened.map_err(|error| RegistryError::Key(error.to_string()))?;
        if rows.iter().all(|row| keys.contains_key(&row.generation)) {
            Ok(Self { master: id, keys })
        } else {
            Err(RegistryError::MasterKey)
        }
    }

    /// The same with one key more.
    fn with(&self, key: DataKey) -> Self {
        let mut keys = self.keys.clone();
        keys.insert(key.generation(), Arc::new(key));
        Self {
            master: self.master,
            keys,
        }
    }

    fn next_generation(&self) -> Generation {
        let newest = self.keys.last_key_value();
        Generation(newest.map_or(1, |(generation, _)| generation.0 + 1))
    }
}

/// Whether `master` opens the secrets of this store.
///
/// # Errors
/// Rows that cannot be read, and data keys that do not open for another reason.
pub fn opens_secrets(read: &dyn Read, master: &MasterKey) -> Result<bool, RegistryError> {
    match Held::unlock(read, master) {
        Ok(held) => Ok(!held.keys.is_empty() || may_be_of(read, master)?),
        Err(RegistryError::MasterKey) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A row of [`DATA_KEYS`].
struct Row {
    generation: Generation,
    master: MasterKeyId,
    record: DataKeyRecord,
}

impl Row {
    fn key(&self) -> (u32, [u8; 8]) {
        row_key(self.generation, self.master)
    }
}

const fn row_key(generation: Generation, master: MasterKeyId) -> (u32, [u8; 8]) {
    (generation.0, *master.as_bytes())
}

/// There are as many as master keys were changed, and for a while twice that.
fn data_keys(read: &dyn Read) -> Result<Vec<Row>, RegistryError> {
    let rows = DATA_KEYS.scan(read, &[], None, usize::MAX)?;
    let row = |((generation, master), record)| Row {
        generation: Generation(generation),
        master: MasterKeyId::from_bytes(master),
        record,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Stages a fresh data key under a master key, with its event.
fn stage_data_key(tx: &mut Tx<'_>, key: &DataKey, master: &MasterKey, entropy: &dyn Entropy) {
    let generation = key.generation();
    let row = row_key(generation, master.id());
    let record = DataKeyRecord {
        sealed: master.seal(key, entropy).to_bytes(),
        master: MasterKeyUse::InUse,
    };
    DATA_KEYS.expect(&mut tx.batch, &row, None);
    DATA_KEYS.put(&mut tx.batch, &row, &record);
    tx.log(EventKind::DataKeyMade { generation });
}

/// Whether a store without data keys may be one of this master key: older programs sealed every
/// signing key under the one master key, so the first one tells.
fn may_be_of(read: &dyn Read, master: &MasterKey) -> Result<bool, RegistryError> {
    let Some((_, first)) = KEYS.scan(read, &[], None, 1)?.into_iter().next() else {
        return Ok(true);
    };
    let sealed = Sealed::from_bytes(&first.sealed);
    let sealed = sealed.map_err(|error| RegistryError::Key(error.to_string()))?;
    Ok(sealed.under() == SealedUnder::MasterKey(master.id()))
}

/// The row of [`SETTINGS`] that is there as long as signing keys have to be sealed anew that an
/// older program sealed directly under the master key.
const SEALED_DIRECTLY: &str = "sealed_directly";

/// So many signing keys are sealed anew in one batch.
const SEALED_AT_ONCE: usize = 256;

impl Registry {
    /// Whether the next start would find a master key that opens this store.
    ///
    /// # Errors
    /// [`RegistryError::MasterKeyPlace`] where none would be found, and
    /// [`RegistryError::MasterKey`] where another would.
    pub fn check_master_key(&self) -> Result<(), RegistryError> {
        let vault = &self.vault;
        let present = vault.place.present();
        let present = present.map_err(RegistryError::MasterKeyPlace)?.id();
        let newest = vault.held.load().keys.keys().next_back().copied();
        let row = newest.map(|generation| row_key(generation, present));
        match row
            .map(|row| DATA_KEYS.get(&*self.engine, &row))
            .transpose()?
        {
            Some(Some(_)) => Ok(()),
            _ => Err(RegistryError::MasterKey),
        }
    }

    /// Brings the store to where sealing starts from: it has a data key, a rotation of the master
    /// key that was under way is gone on with, and nothing is sealed under the master key itself.
    pub(super) fn complete_vault(&self, master: &MasterKey) -> Result<(), RegistryError> {
        let at_start = Change::by(Actor::operator());
        if self.vault.held.load().keys.is_empty() {
            self.make_first_data_key(&at_start, master)?;
        }
        self.resume_rotation(&at_start, master)?;
        self.seal_anew(master)
    }

    fn make_first_data_key(
        &self,
        change: &Change,
        master: &MasterKey,
    ) -> Result<(), RegistryError> {
        let held = self.vault.held.load_full();
        let key = DataKey::generate(held.next_generation(), &*self.entropy);
        let made = self.transact(change, |tx| {
            if !data_keys(tx.read)?.is_empty() {
                // Another process, on an empty store that both were started on.
                return Ok(false);
            }
            stage_data_key(tx, &key, master, &*self.entropy);
            if !KEYS.scan(tx.read, &[], None, 1)?.is_empty() {
                SETTINGS.put(&mut tx.batch, &SEALED_DIRECTLY.to_owned(), &Vec::new());
            }
            Ok(true)
        })?;
        let held = match made {
            true => held.with(key),
            false => Held::unlock(&*self.engine, master)?,
        };
        self.vault.held.store(Arc::new(held));
        Ok(())
    }

    /// Seals signing keys under the data key that an older program sealed directly under the master
    /// key. Nobody signs yet. What does not open stays as it is, and is tried again at the next
    /// start.
    fn seal_anew(&self, master: &MasterKey) -> Result<(), RegistryError> {
        let mark = SEALED_DIRECTLY.to_owned();
        if SETTINGS.get(&*self.engine, &mark)?.is_none() {
            return Ok(());
        }
        let (mut after, mut sealed, mut damaged) = (None, 0, 0);
        loop {
            let rows = KEYS.scan(&*self.engine, &[], after.as_ref(), SEALED_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            after = Some(*last);
            let mut batch = Batch::default();
            for (place, record) in &rows {
                match self.sealed_anew(master, *place, record) {
                    Ok(Some(anew)) => {
                        KEYS.expect(&mut batch, place, Some(record));
                        KEYS.put(&mut batch, place, &anew);
                        sealed += 1;
                    }
                    Ok(None) => {}
                    Err(problem) => {
                        warn!(keys = %problem, "a signing key could not be sealed anew");
                        damaged += 1;
                    }
                }
            }
            self.commit(batch)?;
        }
        info!(
            count = sealed,
            damaged, "signing keys are sealed under the data key now"
        );
        if damaged == 0 {
            let mut batch = Batch::default();
            SETTINGS.delete(&mut batch, &mark);
            self.commit(batch)?;
        }
        Ok(())
    }

    /// A key's row as it is to be; `None` where it is so already, or where the secret is not here.
    fn sealed_anew(
        &self,
        master: &MasterKey,
        (profile, key): (ProfileId, KeyId),
        record: &KeyRecord,
    ) -> Result<Option<KeyRecord>, RegistryError> {
        if record.sealed.is_empty() {
            return Ok(None);
        }
        let damaged = |error: OpenError| RegistryError::Key(error.to_string());
        let sealed = Sealed::from_bytes(&record.sealed).map_err(damaged)?;
        if matches!(sealed.under(), SealedUnder::DataKey(_)) {
            return Ok(None);
        }
        let place = KeyPlace { profile, key };
        let secret = master.open_directly(place, &sealed).map_err(damaged)?;
        Ok(Some(KeyRecord {
            sealed: self.vault.seal(place, &secret, &*self.entropy)?,
            ..record.clone()
        }))
    }
}
