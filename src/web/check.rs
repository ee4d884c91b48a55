//! Checking a credential: the form, and what is answered.

use askama::Template;

use super::frame::Frame;
use super::parts::{Link, Moment, Standing};
use super::path::Path;
use super::qr;

/// The form into which a credential is given, with what was typed before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckForm {
    /// What was typed, to show it again where that is short.
    pub typed: String,
    /// The list that was asked about.
    pub list: String,
    /// The index that was asked about.
    pub index: String,
}

impl CheckForm {
    /// Whether an entry of a list was asked about.
    pub fn is_by_entry(&self) -> bool {
        !self.list.is_empty() || !self.index.is_empty()
    }
}

/// What was given is nothing that can be checked: what is wrong, what to do, and the form again.
#[derive(Debug, Clone, Template)]
#[template(path = "check_again.html")]
pub struct CheckAgainPage {
    /// What stands around it.
    pub frame: Frame,
    /// What is wrong, in a few words.
    pub title: String,
    /// What to do.
    pub words: String,
    /// What exactly is wrong, for experts.
    pub detail: Option<String>,
    /// The form again.
    pub form: CheckForm,
}

/// The answer about a credential.
#[derive(Debug, Clone, Template)]
#[template(path = "check.html")]
pub struct CheckPage {
    /// What stands around it.
    pub frame: Frame,
    /// The answer in a few words.
    pub verdict: String,
    /// How it looks: the class and the sign of this outcome.
    pub tone: Standing,
    /// What the verdict means, and what to do.
    pub why: String,
    /// What was not looked at, so that the answer is not read as more than it is.
    pub limits: Vec<String>,
    /// Since when it stands like this.
    pub since: Option<Moment>,
    /// What the credential is called, where that is proved.
    pub name: Option<String>,
    /// Who issued it, with its id.
    pub issuer: Option<(Link, String)>,
    /// Whether it is about a credential, rather than about what credentials are of or by.
    pub is_credential: bool,
    /// From the credential up to whoever is trusted.
    pub path: Path,
    /// The credentials within it, and how each stands.
    pub inner: Vec<(String, Standing)>,
    /// What became of the document that was sent.
    pub sent: bool,
    /// The moment for which this is said.
    pub as_of: Moment,
    /// What the credential says of itself and was found about it, by names.
    pub facts: Vec<(String, String)>,
    /// Each status entry.
    pub entries: Vec<EntryLine>,
    /// Each check.
    pub checks: Vec<CheckLine>,
    /// The answer as programs get it.
    pub json: String,
    /// The address of this answer.
    pub link: Option<String>,
}

/// One status entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLine {
    /// The list and the place in it; none where that is not told.
    pub place: Option<(Link, u64)>,
    /// What the list's bits mean.
    pub purpose: String,
    /// How the credential stands by it.
    pub standing: Standing,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckLine {
    /// What was looked at, such as `proof`, and where in the document.
    pub what: String,
    /// How it came out.
    pub standing: Standing,
    /// What was found, in English.
    pub found: String,
}

impl CheckAgainPage {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let text = self.render();
        text.expect("writing to a String fails only where a Display does")
    }
}

impl CheckPage {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let text = self.render();
        text.expect("writing to a String fails only where a Display does")
    }
}
