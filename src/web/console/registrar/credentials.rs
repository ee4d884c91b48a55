//! Credentials, their entries, and what is done to these.

use askama::Template;

use super::frame::{FormKeys, Frame, Trouble, Who};
use super::page;
use crate::web::console::ProfileChoice;
use crate::web::parts::{Link, Moment, Standing};

/// `GET /console/credentials`: a search, and what it found.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/credentials.html")]
pub struct CredentialsPage {
    /// What is around it.
    pub frame: Frame,
    /// The issuer's slug; none where one is to be chosen.
    pub profile: Option<String>,
    /// The profiles among which one can choose.
    pub profiles: Vec<ProfileChoice>,
    /// What is looked for.
    pub text: String,
    /// The list and the index that are looked for.
    pub place: (String, String),
    /// What was found; none before anything was looked for.
    pub found: Option<Vec<CredentialLine>>,
    /// Where more is.
    pub next: Option<String>,
    /// What was wrong with the search.
    pub trouble: Option<Trouble>,
}

/// A credential in a list.
#[derive(Debug, Clone)]
pub struct CredentialLine {
    /// Its page, with its id.
    pub page: Link,
    /// How it stands.
    pub standing: Standing,
    /// When it was first seen.
    pub seen_at: Moment,
}

/// `GET /console/credential`: how a credential stands, and what was done to its entries.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/credential.html")]
pub struct CredentialPage {
    /// What is around it.
    pub frame: Frame,
    /// Its id.
    pub id: String,
    /// How it stands.
    pub standing: Standing,
    /// When it was first seen.
    pub seen_at: Moment,
    /// From when on it holds, until when, and when it was awarded.
    pub dates: [Option<Moment>; 3],
    /// What it is of.
    pub achievement: Option<Link>,
    /// Whether it has an entry in a list elsewhere, of which nothing is known here.
    pub elsewhere: bool,
    /// Its entries.
    pub entries: Vec<EntryBlock>,
}

/// An entry, what it says, what was done to it, and what can be.
#[derive(Debug, Clone)]
pub struct EntryBlock {
    /// What the list is for: the key of the words, and the list's own word.
    pub purpose: (&'static str, String),
    /// The entry's page, with its index.
    pub place: Link,
    /// The list's page.
    pub list: Link,
    /// How it stands, as far as this entry says.
    pub standing: Standing,
    /// What its value means, where the list says so.
    pub message: Option<String>,
    /// Its value.
    pub status: u8,
    /// What was done, the last first.
    pub changes: Vec<ChangeLine>,
    /// From when on all of that is known, where it is not all there was.
    pub known_from: Option<Moment>,
    /// What can be done: what it would mean, where the list says so, and where that is asked.
    pub deeds: Vec<(Deed, Option<String>, String)>,
}

/// Something that was done.
#[derive(Debug, Clone)]
pub struct ChangeLine {
    /// When.
    pub at: Moment,
    /// How the entry stood from then on.
    pub standing: Standing,
    /// What its value meant.
    pub message: Option<String>,
    /// Who did it.
    pub who: String,
    /// Why.
    pub why: Option<String>,
    /// Its place in the audit trail.
    pub event: Option<Link>,
}

/// What can be done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It is revoked, for good.
    Revoke,
    /// It is suspended.
    Suspend,
    /// A suspension is taken back.
    Reinstate,
    /// Another value is set, in a list for something else.
    Set,
    /// It is cleared.
    Clear,
}

impl Deed {
    /// What stands on its button.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Revoke => "deed.revoke",
            Self::Suspend => "deed.suspend",
            Self::Reinstate => "deed.reinstate",
            Self::Set => "deed.set",
            Self::Clear => "deed.clear",
        }
    }

    /// What is asked before it is done.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Revoke => "deed.revoke-question",
            Self::Suspend => "deed.suspend-question",
            Self::Reinstate => "deed.reinstate-question",
            Self::Set => "deed.set-question",
            Self::Clear => "deed.clear-question",
        }
    }

    /// What follows from it.
    pub const fn follows(self) -> &'static str {
        match self {
            Self::Revoke => "deed.revoke-follows",
            Self::Suspend => "deed.suspend-follows",
            Self::Reinstate => "deed.reinstate-follows",
            Self::Set | Self::Clear => "deed.set-follows",
        }
    }
}

/// `GET /console/lists/{list}/entries/{index}`: an entry, whoever carries it.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/entry.html")]
pub struct EntryPage {
    /// What is around it.
    pub frame: Frame,
    /// Its index.
    pub index: String,
    /// Who carries it: the key of the words, and the credential or endorsement.
    pub carrier: (&'static str, Option<Link>),
    /// The entry; none where it was never given out.
    pub entry: Option<EntryBlock>,
}

/// `GET /console/lists/{list}/entries/{index}/change`: whether that is meant, and why.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/confirm.html")]
pub struct ConfirmPage {
    /// What is around it.
    pub frame: Frame,
    /// What is to be done.
    pub deed: Deed,
    /// To what.
    pub carrier: (&'static str, Option<Link>),
    /// The entry's index.
    pub index: String,
    /// How it stands now.
    pub standing: Standing,
    /// Where the form is sent, and where somebody goes who does not mean it.
    pub action: String,
    /// Where somebody goes who does not mean it.
    pub back: String,
    /// The value that is set.
    pub status: String,
    /// What the value means, in the list's words.
    pub message: Option<String>,
    /// The reason as it was typed.
    pub reason: String,
    /// What goes with the form.
    pub keys: FormKeys,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
}

page!(CredentialsPage);
page!(CredentialPage);
page!(EntryPage);
page!(ConfirmPage);
