//! Requests for endorsements.

use askama::Template;

use super::endorsements::EndorsementFields;
use super::frame::{FormKeys, Frame, Trouble, Who};
use super::overview::ProfileChoice;
use super::page;
use crate::web::parts::{Link, Moment};

/// `GET /console/requests`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/requests.html")]
pub struct RequestsPage {
    /// What is around it.
    pub frame: Frame,
    /// The profiles among which one can choose, for whoever acts for all.
    pub profiles: Vec<ProfileChoice>,
    /// Which are shown; all where nothing is said.
    pub state: Option<&'static str>,
    /// The requests.
    pub lines: Vec<RequestLine>,
    /// Where more are.
    pub next: Option<String>,
}

/// A request in a list.
#[derive(Debug, Clone)]
pub struct RequestLine {
    /// Its page, by how it stands.
    pub page: Link,
    /// The other side.
    pub other: Link,
    /// Whether whoever looks is asked, and does not ask.
    pub is_to_us: bool,
    /// What is to be endorsed.
    pub subject: Link,
    /// When its last step was taken.
    pub changed_at: Moment,
}

/// `GET /console/requests/{request}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/request.html")]
pub struct RequestPage {
    /// What is around it.
    pub frame: Frame,
    /// Its path.
    pub path: String,
    /// How it stands: the key of its words.
    pub state: &'static str,
    /// Who asks.
    pub requester: Link,
    /// Who is asked.
    pub accreditor: Link,
    /// What is to be endorsed.
    pub subject: Link,
    /// What kind of thing that is: the key of its words.
    pub kind: &'static str,
    /// The name that the endorsement is to have.
    pub name: Option<String>,
    /// What the requester has to say for it.
    pub comment: Option<String>,
    /// Links to what speaks for it.
    pub evidence: Vec<Link>,
    /// What it is to cover; all of it where nothing is said.
    pub covers: Vec<String>,
    /// From when on it is to hold.
    pub valid_from: Option<Moment>,
    /// Until when it is to hold.
    pub valid_until: Option<Moment>,
    /// What it goes on from.
    pub renews: Option<Link>,
    /// When it was made.
    pub created_at: Moment,
    /// What was done since.
    pub steps: Vec<StepLine>,
    /// The endorsement that was issued for it.
    pub endorsement: Option<String>,
    /// Whether whoever looks can approve or decline it.
    pub decides: bool,
    /// Whether a question can be asked.
    pub asks: bool,
    /// Whether a question waits for whoever looks.
    pub answers: bool,
    /// Whether whoever looks can withdraw it.
    pub withdraws: bool,
    /// The version that is shown.
    pub version: String,
    /// What was filled in for the endorsement.
    pub fields: EndorsementFields,
    /// What was said in the form that was sent last.
    pub said: String,
    /// What goes with its forms.
    pub keys: FormKeys,
    /// What was wrong with the last one.
    pub trouble: Option<Trouble>,
}

/// A step in a request.
#[derive(Debug, Clone)]
pub struct StepLine {
    /// What was done: the key of its words.
    pub key: &'static str,
    /// When.
    pub at: Moment,
    /// What was said.
    pub words: Option<String>,
    /// Links that came with it.
    pub evidence: Vec<Link>,
}

page!(RequestsPage);
page!(RequestPage);
