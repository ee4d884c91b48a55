//! Who is signed in.

use askama::Template;

use super::frame::{FormKeys, Frame, Trouble, Who};
use super::page;

/// `GET /console/account`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/account.html")]
pub struct AccountPage {
    /// What is around it.
    pub frame: Frame,
    /// Their address, and id.
    pub person: Option<(Option<String>, String)>,
    /// What they may do, in words.
    pub may: Vec<&'static str>,
    /// When they have to sign in again at the latest.
    pub until: String,
    /// What goes with its forms.
    pub keys: FormKeys,
    /// What was wrong with the last one.
    pub trouble: Option<Trouble>,
}

page!(AccountPage);
