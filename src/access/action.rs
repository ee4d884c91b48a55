//! What can be done, and sets of that.

use std::fmt;

/// One kind of thing that a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Action {
    /// To see what is private of a profile: its keys' states, requests, tasks, exports, lists as they
    /// were, and statuses by the id of a credential.
    Read,
    /// To change a profile's members and its achievements.
    WriteProfile,
    /// To make, rotate, retire and revoke keys.
    WriteKeys,
    /// To open and import status lists.
    WriteLists,
    /// To give out entries and to change statuses.
    WriteStatus,
    /// To issue credentials.
    Issue,
    /// To endorse, to decide about endorsements, and to take either side of requests for them.
    WriteEndorsements,
    /// To make and end the ways in which others act: tokens, clients, people.
    WriteClients,
    /// To read the audit trail.
    ReadEvents,
    /// To have words and contacts erased.
    Erase,
    /// To run the registry: what belongs to no profile, and what only its operator decides.
    Operate,
}

impl Action {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::WriteProfile,
        Self::WriteKeys,
        Self::WriteLists,
        Self::WriteStatus,
        Self::Issue,
        Self::WriteEndorsements,
        Self::WriteClients,
        Self::ReadEvents,
        Self::Erase,
        Self::Operate,
    ];

    /// The scope that stands for this action (RFC 6749 section 3.3).
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::WriteProfile => "profiles:write",
            Self::WriteKeys => "keys:write",
            Self::WriteLists => "lists:write",
            Self::WriteStatus => "status:write",
            Self::Issue => "credentials:write",
            Self::WriteEndorsements => "endorsements:write",
            Self::WriteClients => "clients:write",
            Self::ReadEvents => "events:read",
            Self::Erase => "erasure:write",
            Self::Operate => "registry:write",
        }
    }

    /// What it is, in a line for whoever is asked to agree to it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Read => "Read what is private: keys, requests, tasks, exports",
            Self::WriteProfile => "Change the profile and its achievements",
            Self::WriteKeys => "Make, retire and revoke keys",
            Self::WriteLists => "Open and import status lists",
            Self::WriteStatus => "Revoke and suspend credentials, and take that back",
            Self::Issue => "Issue credentials",
            Self::WriteEndorsements => "Endorse, and answer requests for endorsements",
            Self::WriteClients => "Decide which programs and people may act",
            Self::ReadEvents => "Read the audit trail",
            Self::Erase => "Erase words and contacts",
            Self::Operate => "Run the registry",
        }
    }
}

/// A set of actions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Actions(u16);

impl Actions {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self::of(&Action::ALL);

    /// These.
    pub const fn of(actions: &[Action]) -> Self {
        let mut bits = 0;
        let mut next = 0;
        while next < actions.len() {
            bits |= 1 << actions[next] as u16;
            next += 1;
        }
        Self(bits)
    }

    /// Whether `action` is among them.
    pub const fn contains(self, action: Action) -> bool {
        self.0 & (1 << action as u16) != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All but one.
    #[must_use]
    pub const fn without(self, action: Action) -> Self {
        Self(self.0 & !(1 << action as u16))
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        let has = move |action: &Action| self.contains(*action);
        Action::ALL.into_iter().filter(has)
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
