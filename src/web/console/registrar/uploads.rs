//! Tables of changes.

use askama::Template;

use super::frame::{FormKeys, Frame, Trouble, Who};
use super::page;
use crate::web::parts::Link;

/// `GET /console/lists/{list}/upload`: a form for a table.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/new_upload.html")]
pub struct NewUploadPage {
    /// What is around it.
    pub frame: Frame,
    /// The list's page.
    pub list: Link,
    /// The list's name in paths.
    pub id: String,
    /// What the list is for: the key of the words, and its own word.
    pub purpose: (&'static str, String),
    /// The reason, as it was typed.
    pub reason: String,
    /// What goes with the form.
    pub keys: FormKeys,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
}

/// `GET /console/uploads/{upload}`: how far a table is.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/upload.html")]
pub struct UploadPage {
    /// What is around it.
    pub frame: Frame,
    /// Its name in paths.
    pub id: String,
    /// What the file is called.
    pub name: String,
    /// The list's page.
    pub list: Link,
    /// Why the changes are made.
    pub reason: Option<String>,
    /// How far it is.
    pub stands: UploadStands,
    /// How many entries have, or would have, the status asked for.
    pub applied: String,
    /// How many lines were refused.
    pub refused: String,
    /// The first of these.
    pub lines: Vec<RefusedLine>,
    /// Whether more were refused than are shown.
    pub more: bool,
    /// Why it broke off.
    pub trouble: Option<String>,
    /// What goes with the forms.
    pub keys: FormKeys,
}

/// How far a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadStands {
    /// It is being tried, so many hundredths of it.
    Trying(u8),
    /// It was tried, and can be made where anything is left to be.
    Tried(bool),
    /// It is being made.
    Making(u8),
    /// It was made.
    Made,
    /// It could not be read, and nothing was changed.
    NotRead,
    /// It broke off while it was made.
    BrokenOff,
}

impl UploadStands {
    /// How many hundredths are done of what is under way.
    pub const fn under_way(self) -> Option<u8> {
        match self {
            Self::Trying(part) | Self::Making(part) => Some(part),
            _ => None,
        }
    }

    /// What is said.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Trying(_) => "upload.trying",
            Self::Tried(true) => "upload.tried",
            Self::Tried(false) => "upload.tried-nothing",
            Self::Making(_) => "upload.making",
            Self::Made => "upload.made",
            Self::NotRead => "upload.not-read",
            Self::BrokenOff => "upload.broken-off",
        }
    }
}

/// A line that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Its number.
    pub line: u64,
    /// Why.
    pub reason: String,
}

page!(NewUploadPage);
page!(UploadPage);
