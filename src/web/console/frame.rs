//! What is around each page of the console.

use super::words::Language;
use crate::access::{Action, Role};

/// Who is signed in, where they can go, and what was done last.
#[derive(Debug, Clone)]
pub struct Frame {
    /// In which language.
    pub language: Language,
    /// Who.
    pub who: Who,
    /// The room that the page is in.
    pub room: Room,
    /// The rooms that they can go to.
    pub rooms: Vec<Room>,
    /// What shows that the form to sign out is this session's.
    pub form: String,
    /// What was just done.
    pub done: Option<Done>,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub enum Who {
    /// Nobody in particular: the registry is in development mode.
    Development,
    /// Somebody.
    Person {
        /// Their name.
        name: String,
        /// As what they act.
        role: Role,
        /// For which profile; the registry where there is none.
        profile: Option<String>,
    },
}

/// A part of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// What waits.
    Overview,
    /// Who is signed in.
    Account,
}

/// What was done, told on the page that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The passphrase is another one.
    PassphraseChanged,
}

/// The hidden fields of a form.
#[derive(Debug, Clone)]
pub struct FormKeys {
    /// What shows that it is this session's.
    pub form: String,
    /// By what a form that is sent twice is known.
    pub once: String,
}

/// What was wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In words.
    pub words: String,
    /// The field that it is about, by its id on the page.
    pub field: Option<&'static str>,
}

impl Frame {
    /// A text of the pages in the language of whoever reads.
    pub fn t(&self, key: &str) -> &'static str {
        self.language.say(key)
    }

    /// The role of whoever is signed in, in words.
    pub fn role(&self, role: &Role) -> &'static str {
        self.t(match role {
            Role::Operator => "role.operator",
            Role::Owner => "role.owner",
            Role::ListManager => "role.list-manager",
            Role::Endorser => "role.endorser",
            Role::Auditor => "role.auditor",
        })
    }
}

impl Room {
    /// All of them, as they stand in the navigation.
    pub const ALL: [Self; 2] = [Self::Overview, Self::Account];

    /// Its first page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console",
            Self::Account => "/console/account",
        }
    }

    /// What it is called.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Overview => "room.overview",
            Self::Account => "room.account",
        }
    }

    /// What somebody has to be able to do to go there.
    pub const fn needs(self) -> Option<Action> {
        match self {
            Self::Overview | Self::Account => None,
        }
    }
}

impl Done {
    const ALL: [Self; 1] = [Self::PassphraseChanged];

    /// Its word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PassphraseChanged => "passphrase-changed",
        }
    }

    /// What a word of an address means. Of any other word nothing is told: nobody makes these pages say what
    /// was not done by more than this list.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.as_str() == word)
    }

    /// What is said.
    pub const fn key(self) -> &'static str {
        match self {
            Self::PassphraseChanged => "done.passphrase-changed",
        }
    }
}
