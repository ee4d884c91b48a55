//! Status lists.

use askama::Template;

use super::frame::{FormKeys, Frame, Trouble, Who};
use super::page;
use crate::web::console::ProfileChoice;
use crate::web::parts::{Link, Moment};

/// `GET /console/lists`: how full lists are, and how fresh.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/lists.html")]
pub struct ListsPage {
    /// What is around it.
    pub frame: Frame,
    /// The issuer's slug; none where one is to be chosen.
    pub profile: Option<String>,
    /// The profiles among which one can choose.
    pub profiles: Vec<ProfileChoice>,
    /// The chart of how full they are: HTML of ours.
    pub fill: String,
    /// The chart of how fresh they are: HTML of ours.
    pub fresh: String,
    /// The lists.
    pub lists: Vec<ListBlock>,
    /// Whether lists can be opened by whoever is signed in.
    pub opens: bool,
    /// Where more is.
    pub next: Option<String>,
}

/// A list among others.
#[derive(Debug, Clone)]
pub struct ListBlock {
    /// Its page.
    pub page: Link,
    /// What it is for: the key of the words, and its own word.
    pub purpose: (&'static str, String),
    /// When it was changed last.
    pub changed_at: Moment,
}

/// `GET /console/lists/{list}`: one list.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/list.html")]
pub struct ListPage {
    /// What is around it.
    pub frame: Frame,
    /// Its URL.
    pub url: Link,
    /// Its name in paths.
    pub id: String,
    /// What it is for: the key of the words, and its own word.
    pub purpose: (&'static str, String),
    /// The charts: HTML of ours.
    pub charts: [String; 2],
    /// When it was opened.
    pub created_at: Moment,
    /// Its revision, and when that was made.
    pub revision: (u64, Moment),
    /// What is published: the revision, when it was signed, until when it holds.
    pub published: Option<(u64, Moment, Option<Moment>)>,
    /// Whether whoever is signed in may change statuses.
    pub changes: bool,
}

/// `GET /console/new-list`: a form to open one.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/new_list.html")]
pub struct NewListPage {
    /// What is around it.
    pub frame: Frame,
    /// The issuer's slug.
    pub profile: String,
    /// What was chosen.
    pub purpose: String,
    /// How many entries.
    pub length: String,
    /// Whether it is published as a token list too.
    pub token: bool,
    /// What goes with the form.
    pub keys: FormKeys,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
}

page!(ListsPage);
page!(ListPage);
page!(NewListPage);
