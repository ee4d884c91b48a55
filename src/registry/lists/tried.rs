//! Changes of statuses that are only tried out: decided as they would be, and never written.

use super::staged::Staged;
use super::statuses::{Job, StatusUpdate, Updated};
use crate::ids::ListId;
use crate::registry::{Actor, Change, Registry, RegistryError};

/// Decides updates as though those that were tried before had been made.
pub type Tries<'a> = dyn FnMut(Vec<StatusUpdate>) -> Result<Updated, RegistryError> + 'a;

impl Registry {
    /// Lets `ask` try out changes of one list, one request after the other on the state of this moment.
    /// What comes of each is what would come of [`Registry::update_statuses`]; nothing is written.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for a list that is not here or is another's.
    pub fn try_statuses<T>(
        &self,
        actor: Actor,
        list: ListId,
        ask: impl FnOnce(&mut Tries<'_>) -> T,
    ) -> Result<T, RegistryError> {
        let snapshot = self.engine.snapshot();
        self.own_list(&*snapshot, actor, list)?;
        let mut staged = Staged::new(self, &*snapshot, list)?;
        Ok(ask(&mut |updates| {
            let job = Job::without_a_hearer(Change::by(actor), updates);
            staged.decide(self, &job)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::{in_memory, operator, school};
    use crate::registry::{NewList, StatusTarget};
    use crate::status::StatusPurpose;

    fn update(index: u64, status: u64) -> Vec<StatusUpdate> {
        let target = StatusTarget::Index(index);
        vec![StatusUpdate { target, status }]
    }

    #[test]
    fn what_is_tried_is_told_and_not_done() {
        let (registry, _, engine) = in_memory();
        let school = school(&registry, "school");
        let list = NewList::usual(school, StatusPurpose::Revocation);
        let list = registry.create_list(&operator(), &list).unwrap().id;
        let index = registry.allocate(&operator(), list, 1).unwrap().indexes()[0].get();
        let head = crate::store::engine::Engine::head(&*engine).seq;
        let told = registry.try_statuses(Actor::operator(), list, |tries| {
            [
                tries(update(index, 1)),
                tries(update(index, 1)),
                // On top of what was tried before.
                tries(update(index, 0)),
                tries(update(1 << 40, 1)),
            ]
        });
        let [set, again, back, nowhere] = told.unwrap();
        assert_eq!((set.unwrap().applied, again.unwrap().applied), (1, 1));
        assert!(matches!(back, Err(RegistryError::AllRefused(_))));
        assert!(matches!(nowhere, Err(RegistryError::AllRefused(_))));
        assert_eq!(crate::store::engine::Engine::head(&*engine).seq, head);
        assert_eq!(
            registry.list_overview(Actor::operator(), list).unwrap().set,
            0
        );
        let stranger = registry.try_statuses(Actor::anonymous(), list, |_| ());
        assert!(matches!(stranger, Err(RegistryError::NotFound(..))));
    }
}
