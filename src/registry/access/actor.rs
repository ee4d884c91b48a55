//! Who makes a change. Services take an [`Actor`]; only authentication makes one.

use crate::access::{Action, Actions, Role};
use crate::ids::{ProfileId, Slug};
use crate::registry::{RegistryError, Thing};
use crate::store::event::{self, Means, Party};

/// Somebody who has been authenticated, in one request: for whom they act, by what they are known,
/// and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    party: Party,
    means: Means,
    actions: Actions,
    request: [u8; 16],
}

impl Actor {
    /// Whoever holds the data folder: the command line on the machine itself, and the registry
    /// where it does something of its own accord.
    pub const fn operator() -> Self {
        Self::known(None, Means::None, Role::Operator.actions())
    }

    /// Anybody, on the loopback interface of a registry in development mode.
    pub const fn development() -> Self {
        Self {
            party: Party::Development,
            ..Self::operator()
        }
    }

    /// Somebody who showed nothing of themselves, and may do nothing for anybody.
    pub(in crate::registry) const fn anonymous() -> Self {
        Self {
            party: Party::Anonymous,
            ..Self::known(None, Means::None, Actions::NONE)
        }
    }

    /// Somebody who may do these things for a profile, or (`None`) for the registry.
    pub(in crate::registry) const fn known(
        profile: Option<ProfileId>,
        means: Means,
        actions: Actions,
    ) -> Self {
        let party = match profile {
            Some(profile) => Party::Profile(profile),
            None => Party::Registry,
        };
        Self {
            party,
            means,
            actions,
            request: [0; 16],
        }
    }

    /// The same one, in this request.
    #[must_use]
    pub const fn in_request(self, request: [u8; 16]) -> Self {
        Self { request, ..self }
    }

    /// Whether this actor acts for the registry as a whole.
    pub const fn operates(self) -> bool {
        !matches!(self.party, Party::Profile(_)) && self.actions.contains(Action::Operate)
    }

    /// Whether this actor may do something with what is `owner`'s.
    pub fn may(self, action: Action, owner: ProfileId) -> bool {
        self.stands_for(owner) && self.actions.contains(action)
    }

    /// Whether this actor may do something, with whatever is theirs.
    pub const fn can(self, action: Action) -> bool {
        self.actions.contains(action)
    }

    /// The one profile that this actor acts for; none where it acts for the registry.
    pub const fn speaks_as(self) -> Option<ProfileId> {
        match self.party {
            Party::Registry | Party::Development | Party::Anonymous => None,
            Party::Profile(id) => Some(id),
        }
    }

    /// By what this actor is known.
    pub const fn means(self) -> Means {
        self.means
    }

    /// Demands that this actor may do something with what is `owner`'s.
    pub(in crate::registry) fn must(
        self,
        action: Action,
        owner: ProfileId,
    ) -> Result<(), RegistryError> {
        if !self.stands_for(owner) {
            Err(RegistryError::NotYours)
        } else if self.actions.contains(action) {
            Ok(())
        } else {
            Err(RegistryError::NotAllowed(action))
        }
    }

    /// Demands that this actor may see what is private of `owner`, which nobody else hears of.
    pub(in crate::registry) fn must_see(
        self,
        action: Action,
        owner: ProfileId,
        name: Option<&Slug>,
    ) -> Result<(), RegistryError> {
        match (self.must(action, owner), name) {
            (Err(RegistryError::NotYours), Some(slug)) => {
                Err(RegistryError::NotFound(Thing::Profile, slug.to_string()))
            }
            (other, _) => other,
        }
    }

    /// Demands that this actor may do something, with whatever is theirs.
    pub(in crate::registry) const fn must_be_able(
        self,
        action: Action,
    ) -> Result<(), RegistryError> {
        match self.can(action) {
            true => Ok(()),
            false => Err(RegistryError::NotAllowed(action)),
        }
    }

    /// Demands that this actor acts for the registry.
    pub(in crate::registry) const fn must_operate(self) -> Result<(), RegistryError> {
        if self.operates() {
            Ok(())
        } else {
            Err(RegistryError::OperatorOnly)
        }
    }

    fn stands_for(self, owner: ProfileId) -> bool {
        match self.party {
            Party::Registry | Party::Development => true,
            Party::Profile(profile) => profile == owner,
            Party::Anonymous => false,
        }
    }

    /// How the log names this actor.
    pub(in crate::registry) const fn logged(self) -> event::Actor {
        event::Actor {
            party: self.party,
            means: self.means,
        }
    }

    /// The request that this actor makes; zeros where it is none.
    pub(in crate::registry) const fn request(self) -> [u8; 16] {
        self.request
    }

    /// Bytes that tell parties apart, for keys of what belongs to one of them.
    pub(in crate::registry) fn fingerprint(self) -> [u8; 5] {
        let (kind, number) = match self.party {
            Party::Registry => (0, 0),
            Party::Development => (1, 0),
            Party::Profile(id) => (2, id.0),
            Party::Anonymous => (3, 0),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [kind, a, b, c, d]
    }
}
