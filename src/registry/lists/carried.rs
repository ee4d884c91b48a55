//! What is remembered of a credential by its id, with the entries that it carries.

use crate::ids::{ProfileId, SpaceId};
use crate::registry::RegistryError;
use crate::registry::change::Tx;
use crate::registry::profiles::id_digest;
use crate::store::tables::{
    CREDENTIALS, Carried, CredentialDates, CredentialRecord, Digest, HOLDERS, Holder,
};
use crate::time::Timestamp;
/// The key under which what is known of a credential stands.
pub(in crate::registry) fn credential_key(id: &str, owner: ProfileId) -> (Digest, ProfileId) {
    (id_digest(id), owner)
}

/// What is to be remembered of a credential.
pub(in crate::registry) struct Known {
    /// Its id.
    pub(in crate::registry) id: String,
    /// The entries that it carries here.
    pub(in crate::registry) entries: Vec<Carried>,
    /// Whether it carries one of a list elsewhere.
    pub(in crate::registry) elsewhere: bool,
    /// Id of the achievement that it asserts.
    pub(in crate::registry) achievement: Option<String>,
    /// Whether the registry gave it its id.
    pub(in crate::registry) named_here: bool,
    /// Its dates.
    pub(in crate::registry) dates: CredentialDates,
}

/// Remembers a credential, and holds its entries for it.
pub(in crate::registry) fn remember(
    tx: &mut Tx<'_>,
    owner: ProfileId,
    known: Known,
) -> Result<(), RegistryError> {
    let key = credential_key(&known.id, owner);
    let previous = CREDENTIALS.get(tx.read, &key)?;
    CREDENTIALS.expect(&mut tx.batch, &key, previous.as_ref());
    let mut record = previous.unwrap_or_else(|| new_credential(&known.id, tx.now));
    for carried in known.entries {
        carry(&mut record, carried);
    }
    record.elsewhere |= known.elsewhere;
    record.achievement = known.achievement.or(record.achievement);
    record.named_here |= known.named_here;
    record.dates = Some(known.dates);
    for carried in &record.entries {
        hold(tx, (carried.space, carried.index), &known.id)?;
    }
    CREDENTIALS.put(&mut tx.batch, &key, &record);
    Ok(())
}

/// Adds what a credential carries, purpose by purpose.
pub(super) fn carry(record: &mut CredentialRecord, carried: Carried) {
    let same = |known: &&mut Carried| known.space == carried.space && known.index == carried.index;
    match record.entries.iter_mut().find(same) {
        None => record.entries.push(carried),
        Some(known) => {
            for purpose in carried.purposes {
                if !known.purposes.contains(&purpose) {
                    known.purposes.push(purpose);
                }
            }
        }
    }
}

/// Binds an entry to a credential; one that another carries is refused, since what is done to one
/// would show in both.
fn hold(tx: &mut Tx<'_>, place: (SpaceId, u32), id: &str) -> Result<(), RegistryError> {
    let holder = Holder::Credential(id_digest(id));
    match HOLDERS.get(tx.read, &place)? {
        Some(present) if present == holder => Ok(()),
        Some(_) => Err(RegistryError::EntryTaken { index: place.1 }),
        None => {
            HOLDERS.expect(&mut tx.batch, &place, None);
            HOLDERS.put(&mut tx.batch, &place, &holder);
            Ok(())
        }
    }
}

pub(super) fn new_credential(id: &str, created_at: Timestamp) -> CredentialRecord {
    CredentialRecord {
        id: id.to_owned(),
        entries: Vec::new(),
        elsewhere: false,
        achievement: None,
        named_here: false,
        created_at,
        dates: None,
    }
}

pub(super) fn check_credential_id(id: &str, place: usize) -> Result<(), RegistryError> {
    if url::Url::parse(id).is_ok() && id.len() <= 2048 {
        return Ok(());
    }
    let pointer = format!("/credentialIds/{place}");
    Err(RegistryError::invalid(
        pointer,
        "an absolute URL of at most 2,048 characters is needed",
    ))
}
