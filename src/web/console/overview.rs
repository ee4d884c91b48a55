//! What waits, and what needs attention.

use askama::Template;

use super::frame::{Frame, Who};
use super::page;
use crate::web::parts::{Link, Moment};

/// `GET /console`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/overview.html")]
pub struct OverviewPage {
    /// What is around it.
    pub frame: Frame,
    /// The profile that it is about; none where one is to be chosen.
    pub profile: Option<Link>,
    /// The profiles among which one can choose, for whoever acts for all.
    pub profiles: Vec<ProfileChoice>,
    /// States of the registry that need attention, for whoever runs it: what happened, and what to do.
    pub attention: Vec<(String, String)>,
    /// What waits; none where whoever is signed in may not see that.
    pub tasks: Option<Vec<TaskLine>>,
    /// Where more is.
    pub next: Option<String>,
}

/// A profile that can be chosen.
#[derive(Debug, Clone)]
pub struct ProfileChoice {
    /// By what it is chosen.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether it was.
    pub chosen: bool,
}

/// Something that waits.
#[derive(Debug, Clone)]
pub struct TaskLine {
    /// What kind of thing it is: the key of its words.
    pub key: &'static str,
    /// Where it is seen to.
    pub page: Link,
    /// Who or what it is about.
    pub about: Link,
    /// Since when, or until when.
    pub at: Moment,
}

page!(OverviewPage);
