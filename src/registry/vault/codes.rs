//! The keys of verification codes, one of each data key: secrets that tell nothing of the data keys.

use super::Vault;
use crate::codes::CodeKey;
use crate::registry::{RegistryError, State};

/// The keys of all codes that were handed out, and of those to come.
pub(in crate::registry) struct CodeKeys(Vec<(u32, CodeKey)>);

impl Vault {
    /// The keys of codes. A code that was made before the master key was rotated is found as long as there is
    /// its data key, which is for ever; who has an old copy of the store with an old master key finds none
    /// that is made later.
    ///
    /// # Errors
    /// [`RegistryError::ReadOnly`] where there is no data key: then nobody knows which code is good.
    pub(in crate::registry) fn code_keys(&self) -> Result<CodeKeys, RegistryError> {
        let held = self.held.load();
        let newest_first = held.keys.iter().rev();
        let keys: Vec<_> = newest_first
            .map(|(generation, key)| {
                (
                    generation.0,
                    CodeKey::new(&key.secret_for("verification codes")),
                )
            })
            .collect();
        match keys.is_empty() {
            false => Ok(CodeKeys(keys)),
            true => {
                let why = self.locked().unwrap_or(State::StartUnfinished);
                Err(RegistryError::ReadOnly(why))
            }
        }
    }
}

impl CodeKeys {
    /// The key of codes that are made now, and the number of its data key.
    pub(in crate::registry) fn newest(&self) -> (u32, &CodeKey) {
        let (generation, key) = self.0.first().expect("there is one, or no such value");
        (*generation, key)
    }

    /// All of them, the newest first.
    pub(in crate::registry) fn all(&self) -> impl Iterator<Item = &CodeKey> {
        self.0.iter().map(|(_, key)| key)
    }

    /// The key that goes with a data key.
    ///
    /// # Errors
    /// [`RegistryError::Key`] where that is not here.
    pub(in crate::registry) fn of(&self, generation: u32) -> Result<&CodeKey, RegistryError> {
        let found = self.0.iter().find(|(known, _)| *known == generation);
        found.map(|(_, key)| key).ok_or_else(|| {
            let words = format!(
                "a code was made under data key {generation}, which is not here: restore the store"
            );
            RegistryError::Key(words)
        })
    }
}
