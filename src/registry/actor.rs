//! Who makes a change. Services take an [`Actor`]; only authentication makes one.

use super::RegistryError;
use crate::ids::ProfileId;
use crate::store::event;

/// Somebody who has been authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Operator([u8; 16]),
    Development,
    Profile(ProfileId),
}

impl Actor {
    /// Whoever holds the data folder: the command line on the machine itself, and the registry
    /// where it does something of its own accord.
    pub const fn operator() -> Self {
        Self(Kind::Operator([0; 16]))
    }

    /// The holder of a token that speaks for the registry.
    pub(super) const fn operator_by_token(token: [u8; 16]) -> Self {
        Self(Kind::Operator(token))
    }

    /// Anybody, on the loopback interface of a registry in development mode.
    pub const fn development() -> Self {
        Self(Kind::Development)
    }

    /// The holder of a profile's token.
    pub(super) const fn profile(id: ProfileId) -> Self {
        Self(Kind::Profile(id))
    }

    /// Whether this actor acts for the registry as a whole.
    pub const fn operates(self) -> bool {
        matches!(self.0, Kind::Operator(_) | Kind::Development)
    }

    /// Whether this actor may act for `owner`.
    pub fn speaks_for(self, owner: ProfileId) -> bool {
        self.operates() || self.0 == Kind::Profile(owner)
    }

    /// The one profile that this actor acts for; none where it acts for the registry.
    pub const fn speaks_as(self) -> Option<ProfileId> {
        match self.0 {
            Kind::Operator(_) | Kind::Development => None,
            Kind::Profile(id) => Some(id),
        }
    }

    /// Demands that this actor may act for `owner`.
    pub(super) fn must_speak_for(self, owner: ProfileId) -> Result<(), RegistryError> {
        if self.speaks_for(owner) {
            Ok(())
        } else {
            Err(RegistryError::NotYours)
        }
    }

    /// Demands that this actor acts for the registry.
    pub(super) fn must_operate(self) -> Result<(), RegistryError> {
        if self.operates() {
            Ok(())
        } else {
            Err(RegistryError::OperatorOnly)
        }
    }

    /// How the log names this actor.
    pub(super) const fn logged(self) -> event::Actor {
        match self.0 {
            Kind::Operator(token) => event::Actor::Registry(token),
            Kind::Development => event::Actor::Development,
            Kind::Profile(id) => event::Actor::Profile(id),
        }
    }

    /// Bytes that tell actors apart, for keys of what belongs to one of them.
    pub(super) fn fingerprint(self) -> [u8; 5] {
        let (kind, number) = match self.0 {
            Kind::Operator(_) => (0, 0),
            Kind::Development => (1, 0),
            Kind::Profile(id) => (2, id.0),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [kind, a, b, c, d]
    }
}
