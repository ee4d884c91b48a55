//! What is around each page of the console.

use std::ops::Deref;

use crate::access::{Action, Role};
use crate::web;
use crate::web::Language;
use crate::web::parts::Standing;

/// Who is signed in, where they can go, and what was done last.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What stands around every page.
    pub around: web::Frame,
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
    /// Requests for endorsements.
    Requests,
    /// What was endorsed.
    Endorsements,
    /// Endorsing.
    Endorse,
    /// Credentials, and what is done to their statuses.
    Credentials,
    /// Status lists.
    Lists,
    /// Keys.
    Keys,
    /// What happened.
    Audit,
    /// Who is signed in.
    Account,
}

/// What was done, told on the page that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The passphrase is another one.
    PassphraseChanged,
    /// An endorsement was issued.
    Endorsed,
    /// A request was declined.
    Declined,
    /// A question was asked.
    Asked,
    /// A question was answered.
    Answered,
    /// A request was withdrawn.
    Withdrawn,
    /// An endorsement was revoked.
    Revoked,
    /// An endorsement was suspended.
    Suspended,
    /// An endorsement was reinstated.
    Reinstated,
    /// A status was changed.
    StatusChanged,
    /// A list was opened.
    ListOpened,
    /// A key takes over.
    KeysRotating,
    /// A key is out of use.
    KeyRetired,
    /// A key was given up.
    KeyRevoked,
    /// A table was thrown away.
    UploadDropped,
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
    /// Whether these are English, whatever the page's language is.
    pub english: bool,
    /// What is to be done, where the words do not say it in the page's language.
    pub to_do: Option<&'static str>,
    /// The field that it is about, by its id on the page.
    pub field: Option<&'static str>,
}

impl Trouble {
    /// In words of the page's language.
    pub fn said(words: impl Into<String>, field: &'static str) -> Self {
        Self {
            words: words.into(),
            english: false,
            to_do: None,
            field: Some(field),
        }
    }

    /// A refusal of this kind, whose detail is English.
    pub fn refused(
        language: Language,
        kind: &str,
        detail: String,
        field: Option<&'static str>,
    ) -> Self {
        let told = match language {
            Language::English => None,
            other => other.problem(kind),
        };
        Self {
            words: detail,
            english: true,
            to_do: told.map(|(_, to_do)| to_do),
            field,
        }
    }
}

impl Deref for Frame {
    type Target = web::Frame;

    fn deref(&self) -> &web::Frame {
        &self.around
    }
}

impl Frame {
    /// A text of the pages in the language of whoever reads.
    pub fn t(&self, key: &str) -> &'static str {
        self.language.console(key)
    }

    /// How a request stands, in words.
    pub fn state(&self, word: &str) -> &'static str {
        self.t(&format!("state.{word}"))
    }

    /// How something stands, in words.
    pub fn standing(&self, standing: &Standing) -> &'static str {
        self.t(&format!("standing.{}", standing.class()))
    }

    /// Whether what was wrong is about a field.
    pub fn is_about(&self, trouble: &Option<Trouble>, field: &str) -> bool {
        let trouble = trouble.as_ref();
        trouble.is_some_and(|trouble| trouble.field == Some(field))
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
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Requests,
        Self::Endorsements,
        Self::Endorse,
        Self::Credentials,
        Self::Lists,
        Self::Keys,
        Self::Audit,
        Self::Account,
    ];

    /// Its first page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console",
            Self::Requests => "/console/requests",
            Self::Endorsements => "/console/endorsements",
            Self::Endorse => "/console/endorse",
            Self::Credentials => "/console/credentials",
            Self::Lists => "/console/lists",
            Self::Keys => "/console/keys",
            Self::Audit => "/console/audit",
            Self::Account => "/console/account",
        }
    }

    /// What it is called.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Overview => "room.overview",
            Self::Requests => "room.requests",
            Self::Endorsements => "room.endorsements",
            Self::Endorse => "room.endorse",
            Self::Credentials => "room.credentials",
            Self::Lists => "room.lists",
            Self::Keys => "room.keys",
            Self::Audit => "room.audit",
            Self::Account => "room.account",
        }
    }

    /// What somebody has to be able to do to go there.
    pub const fn needs(self) -> Option<Action> {
        match self {
            Self::Overview | Self::Account => None,
            Self::Requests | Self::Endorsements => Some(Action::Read),
            Self::Endorse => Some(Action::WriteEndorsements),
            Self::Credentials | Self::Lists | Self::Keys => Some(Action::Read),
            Self::Audit => Some(Action::ReadEvents),
        }
    }
}

impl Done {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::PassphraseChanged,
        Self::Endorsed,
        Self::Declined,
        Self::Asked,
        Self::Answered,
        Self::Withdrawn,
        Self::Revoked,
        Self::Suspended,
        Self::Reinstated,
        Self::StatusChanged,
        Self::ListOpened,
        Self::KeysRotating,
        Self::KeyRetired,
        Self::KeyRevoked,
        Self::UploadDropped,
    ];

    /// Its word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PassphraseChanged => "passphrase-changed",
            Self::Endorsed => "endorsed",
            Self::Declined => "declined",
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::StatusChanged => "status-changed",
            Self::ListOpened => "list-opened",
            Self::KeysRotating => "keys-rotating",
            Self::KeyRetired => "key-retired",
            Self::KeyRevoked => "key-revoked",
            Self::UploadDropped => "upload-dropped",
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
            Self::Endorsed => "done.endorsed",
            Self::Declined => "done.declined",
            Self::Asked => "done.asked",
            Self::Answered => "done.answered",
            Self::Withdrawn => "done.withdrawn",
            Self::Revoked => "done.revoked",
            Self::Suspended => "done.suspended",
            Self::Reinstated => "done.reinstated",
            Self::StatusChanged => "done.status-changed",
            Self::ListOpened => "done.list-opened",
            Self::KeysRotating => "done.keys-rotating",
            Self::KeyRetired => "done.key-retired",
            Self::KeyRevoked => "done.key-revoked",
            Self::UploadDropped => "done.upload-dropped",
        }
    }
}
