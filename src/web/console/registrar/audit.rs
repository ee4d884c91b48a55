//! The audit trail.

use askama::Template;

use super::frame::{Frame, Trouble, Who};
use super::page;
use crate::web::console::ProfileChoice;
use crate::web::parts::Moment;

/// `GET /console/audit`: what happened, the last first.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/audit.html")]
pub struct AuditPage {
    /// What is around it.
    pub frame: Frame,
    /// The profiles among which one can choose.
    pub profiles: Vec<ProfileChoice>,
    /// What is looked for.
    pub searched: AuditSearched,
    /// The kinds among which one can choose.
    pub kinds: Vec<&'static str>,
    /// What was found.
    pub events: Vec<AuditLine>,
    /// Where older ones are.
    pub next: Option<String>,
    /// Where the same is had as lines of JSON.
    pub download: String,
    /// What was wrong with the search.
    pub trouble: Option<Trouble>,
}

/// What is looked for, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditSearched {
    /// The profile's slug; empty for all.
    pub profile: String,
    /// From when on.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Of which kind.
    pub kind: String,
    /// By whom.
    pub by: String,
}

/// An event.
#[derive(Debug, Clone)]
pub struct AuditLine {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Moment,
    /// What.
    pub kind: &'static str,
    /// Who.
    pub who: String,
    /// Whose thing it was done to.
    pub profile: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// To what, and what came of it, name by name.
    pub about: Vec<(String, String)>,
}

page!(AuditPage);
