//! What a revoked key has signed is signed again.

use super::remembered::remember;
use super::{StoredEndorsement, to_store};
use crate::ids::{KeyId, ProfileId};
use crate::registry::endorsements::elsewhere::signed_before;
use crate::registry::profiles::keys::keys_of;
use crate::registry::{Registry, RegistryError};
use crate::store::engine::{Batch, CommitError};
use crate::store::tables::{ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, KEYS, TO_SIGN, TO_SIGN_AGAIN};

impl Registry {
    /// Signs again what a crash or an error left signed by a revoked key.
    pub fn sign_again(&self) -> Result<(), RegistryError> {
        for (profile, ()) in TO_SIGN_AGAIN.scan(&*self.engine, &[], None, usize::MAX)? {
            self.sign_endorsements_again(profile)?;
        }
        Ok(())
    }

    /// Signs every endorsement of a profile again with the key that signs now. The mark that asks
    /// for it goes with the last of them.
    pub(in crate::registry) fn sign_endorsements_again(
        &self,
        profile: ProfileId,
    ) -> Result<(), RegistryError> {
        if self.signs_elsewhere(&*self.engine, profile)? {
            return self.have_signed_again(profile);
        }
        let mut after = None;
        loop {
            let snapshot = self.engine.snapshot();
            let read = &*snapshot;
            let rows = ENDORSEMENTS.scan(read, &profile.0.to_be_bytes(), after.as_ref(), 64)?;
            let record = self.profile_record(read, profile)?;
            let mut batch = Batch::default();
            let mut key = None;
            for (id, _) in &rows {
                let stored = ENDORSEMENT_DOCUMENTS.get(read, id)?.unwrap_or_default();
                let before = StoredEndorsement::of(stored.clone()).secured();
                let (unsigned, form) = (before.unsigned(), before.securing());
                let now = self.now();
                let signed = self.sign(read, profile, &record, &unsigned, form)?;
                ENDORSEMENT_DOCUMENTS.expect(&mut batch, id, Some(&stored));
                ENDORSEMENT_DOCUMENTS.put(&mut batch, id, &to_store(&signed.secured));
                remember(read, &mut batch, &signed, now)?;
                key = Some((signed.key, signed.record));
            }
            match &key {
                Some((key, record)) => KEYS.expect(&mut batch, key, Some(record)),
                None => TO_SIGN_AGAIN.delete(&mut batch, &profile),
            }
            drop(snapshot);
            match self.commit(batch) {
                Ok(_) => after = rows.last().map(|(id, _)| *id),
                // Another key change came first: look again.
                Err(RegistryError::Commit(CommitError::Conflict)) => continue,
                Err(error) => return Err(error),
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Has every endorsement that a lost key has signed wait for its endorser, who signs elsewhere.
    fn have_signed_again(&self, profile: ProfileId) -> Result<(), RegistryError> {
        let mut after = None;
        loop {
            let snapshot = self.engine.snapshot();
            let read = &*snapshot;
            let rows = ENDORSEMENTS.scan(read, &profile.0.to_be_bytes(), after.as_ref(), 64)?;
            let lost = keys_of(read, profile)?;
            let owner = self.controller(read, profile)?;
            let mut batch = Batch::default();
            for (id, _) in &rows {
                let stored = ENDORSEMENT_DOCUMENTS.get(read, id)?.unwrap_or_default();
                let secured = StoredEndorsement::of(stored.clone()).secured();
                let row = self.remembered(read, &secured)?;
                let by = |key: KeyId| match &row {
                    Some(row) => row.key == key,
                    None => self.names_key(&owner, key, &secured),
                };
                let revoked = lost.iter().filter(|(_, key)| key.revoked_since.is_some());
                if revoked.clone().any(|(key, _)| by(*key)) && TO_SIGN.get(read, id)?.is_none() {
                    ENDORSEMENT_DOCUMENTS.expect(&mut batch, id, Some(&stored));
                    TO_SIGN.expect(&mut batch, id, None);
                    TO_SIGN.put(&mut batch, id, &signed_before(stored));
                }
            }
            if rows.is_empty() {
                TO_SIGN_AGAIN.delete(&mut batch, &profile);
            }
            drop(snapshot);
            match self.commit(batch) {
                Ok(_) => after = rows.last().map(|(id, _)| *id),
                Err(RegistryError::Commit(CommitError::Conflict)) => continue,
                Err(error) => return Err(error),
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
