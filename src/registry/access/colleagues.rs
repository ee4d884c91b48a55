//! Whom others see who act for the same profile: their names, beside what they did.

use super::people::same_address;
use crate::access::Action;
use crate::ids::{PersonId, ProfileId};
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::tables::PEOPLE;

impl Registry {
    /// What somebody is called, for who may see what those do for whom they act; `None` for others, and
    /// where they are gone.
    pub fn person_called(
        &self,
        actor: Actor,
        id: PersonId,
    ) -> Result<Option<String>, RegistryError> {
        if !sees_people(actor, id.owner()) {
            return Ok(None);
        }
        Ok(PEOPLE.get(&*self.engine, &id)?.map(|row| row.name))
    }

    /// Whoever has this e-mail address among the people of a profile or of the registry, for who may see
    /// what those do.
    pub fn person_with_address(
        &self,
        actor: Actor,
        owner: ProfileId,
        address: &str,
    ) -> Result<Option<PersonId>, RegistryError> {
        if !sees_people(actor, owner) {
            return Ok(None);
        }
        let rows = PEOPLE.scan(&*self.engine, &owner.0.to_be_bytes(), None, usize::MAX)?;
        let address = Some(address.to_owned());
        let found = rows
            .iter()
            .find(|(_, row)| same_address(&row.email, &address));
        Ok(found.map(|(id, _)| *id))
    }
}

fn sees_people(actor: Actor, owner: ProfileId) -> bool {
    [Action::Read, Action::ReadEvents]
        .into_iter()
        .any(|action| actor.may(action, owner))
}
