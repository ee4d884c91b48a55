//! Roles: what somebody is to a profile, or to the registry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Action, Actions};

/// What somebody is to a profile or to the registry, and so what they may do at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the registry: may do everything, for every profile.
    Operator,
    /// Owns a profile: may do everything for it.
    Owner,
    /// Keeps the status lists of a profile and issues what points to them.
    ListManager,
    /// Endorses for a profile.
    Endorser,
    /// Reads the audit trail of a profile, or of the whole registry.
    Auditor,
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a role is one of operator, owner, list-manager, endorser and auditor")]
pub struct UnknownRole;

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Operator,
        Self::Owner,
        Self::ListManager,
        Self::Endorser,
        Self::Auditor,
    ];

    /// What it allows.
    pub const fn actions(self) -> Actions {
        match self {
            Self::Operator => Actions::ALL,
            Self::Owner => Actions::ALL.without(Action::Operate),
            Self::ListManager => Actions::of(&[
                Action::Read,
                Action::WriteLists,
                Action::WriteStatus,
                Action::Issue,
            ]),
            Self::Endorser => Actions::of(&[Action::Read, Action::WriteEndorsements]),
            Self::Auditor => Actions::of(&[Action::ReadEvents]),
        }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::ListManager => "list-manager",
            Self::Endorser => "endorser",
            Self::Auditor => "auditor",
        }
    }

    /// Whether somebody can have it for a profile.
    pub const fn is_for_a_profile(self) -> bool {
        !matches!(self, Self::Operator)
    }

    /// Whether somebody can have it for the registry as a whole.
    pub const fn is_for_the_registry(self) -> bool {
        matches!(self, Self::Operator | Self::Auditor)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let named = |role: &Self| role.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_by_its_name_and_written_by_it() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert!(role.is_for_a_profile() || role.is_for_the_registry());
        }
        assert_eq!("Owner".parse::<Role>(), Err(UnknownRole));
    }

    #[test]
    fn nobody_but_the_operator_runs_the_registry() {
        for role in Role::ALL {
            let operates = role.actions().contains(Action::Operate);
            assert_eq!(operates, role == Role::Operator);
        }
    }
}
