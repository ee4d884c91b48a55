//! Where somebody comes in, or does not.

use askama::Template;

use super::page;
use crate::web::Frame;

/// `GET /console/sign-in` in development mode: nobody has to sign in.
#[derive(Debug, Clone, Template)]
#[template(path = "console/enter.html")]
pub struct EnterPage {
    /// What stands around it.
    pub frame: Frame,
    /// What shows that the form is ours.
    pub form: String,
    /// Where it leads.
    pub to: String,
}

/// `GET /console/callback` where nobody was signed in.
#[derive(Debug, Clone, Template)]
#[template(path = "console/not_signed_in.html")]
pub struct NotSignedInPage {
    /// What stands around it.
    pub frame: Frame,
    /// Why.
    pub why: Failed,
    /// Where to begin again.
    pub start: String,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The sign-in was not begun in this browser, or too long ago.
    OtherBrowser,
    /// Whoever was asked did not agree.
    Denied,
    /// The code was used before, or came too late.
    Over,
}

impl Failed {
    const fn key(self) -> &'static str {
        match self {
            Self::OtherBrowser => "failed.other-browser",
            Self::Denied => "failed.denied",
            Self::Over => "failed.over",
        }
    }
}

page!(EnterPage);
page!(NotSignedInPage);
