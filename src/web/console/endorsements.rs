//! What was endorsed, endorsing, and decisions about it.

use askama::Template;

use super::frame::{FormKeys, Frame, Trouble, Who};
use super::overview::ProfileChoice;
use super::page;
use crate::web::parts::{Link, Moment, Standing};

/// What is filled in for an endorsement, as it was sent.
#[derive(Debug, Clone, Default)]
pub struct EndorsementFields {
    /// Its name.
    pub name: String,
    /// Why.
    pub comment: String,
    /// From which day on.
    pub valid_from: String,
    /// The last day.
    pub valid_until: String,
    /// Whether it can be suspended.
    pub suspendable: bool,
}

/// The form of an endorsement of one's own accord.
#[derive(Debug, Clone, Default)]
pub struct EndorseForm {
    /// Slug of who endorses, for whoever acts for all.
    pub endorser: String,
    /// Id of what is endorsed.
    pub subject: String,
    /// What kind of thing it is.
    pub kind: String,
    /// As what a profile is endorsed.
    pub role: String,
    /// Whether it holds only for the subject as it is now.
    pub bind: bool,
    /// Id of the endorsement that it goes on from.
    pub renews: String,
    /// What that one covers, and this one with it.
    pub covers: Vec<String>,
    /// What it says.
    pub fields: EndorsementFields,
}

/// A value that can be chosen.
#[derive(Debug, Clone)]
pub struct EndorseChoice {
    /// The value.
    pub value: &'static str,
    /// The key of its words.
    pub key: &'static str,
    /// Whether it was chosen.
    pub chosen: bool,
}

/// `GET /console/endorse`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/endorse.html")]
pub struct EndorsePage {
    /// What is around it.
    pub frame: Frame,
    /// Who can endorse, for whoever acts for all.
    pub endorsers: Vec<ProfileChoice>,
    /// The kinds of things.
    pub kinds: Vec<EndorseChoice>,
    /// The roles of a profile.
    pub roles: Vec<EndorseChoice>,
    /// What it goes on from.
    pub renewed: Option<Link>,
    /// What was filled in.
    pub form: EndorseForm,
    /// What goes with the form.
    pub keys: FormKeys,
    /// What was wrong with the last one.
    pub trouble: Option<Trouble>,
}

/// What would be signed.
#[derive(Debug, Clone, Template)]
#[template(path = "console/preview.html")]
pub struct PreviewPage {
    /// What is around it.
    pub frame: Frame,
    /// Where the form goes that issues it.
    pub confirm: String,
    /// Where the form goes that leads back.
    pub back: String,
    /// What was filled in.
    pub carried: Vec<(String, String)>,
    /// What it says: the key of each word, and the value.
    pub members: Vec<(&'static str, Link)>,
    /// The document.
    pub document: String,
    /// What goes with the forms.
    pub keys: FormKeys,
}

/// `GET /console/endorsements`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/endorsements.html")]
pub struct EndorsementsPage {
    /// What is around it.
    pub frame: Frame,
    /// The profiles among which one can choose, for whoever acts for all.
    pub profiles: Vec<ProfileChoice>,
    /// Which are shown; all where nothing is said.
    pub standing: Option<&'static str>,
    /// How they can stand.
    pub standings: Vec<Standing>,
    /// Whether it is known whose are shown.
    pub chosen: bool,
    /// The endorsements.
    pub lines: Vec<EndorsementLine>,
    /// Where more are.
    pub next: Option<String>,
}

/// An endorsement in a list.
#[derive(Debug, Clone)]
pub struct EndorsementLine {
    /// Its page.
    pub page: Link,
    /// What is endorsed.
    pub subject: Link,
    /// How it stands.
    pub standing: Standing,
    /// Until when it holds.
    pub valid_until: Option<Moment>,
}

/// `GET /console/endorsements/{endorsement}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/endorsement.html")]
pub struct EndorsementPage {
    /// What is around it.
    pub frame: Frame,
    /// Its name.
    pub name: String,
    /// The page that everybody sees.
    pub public: String,
    /// Who endorses.
    pub endorser: Link,
    /// What is endorsed.
    pub subject: Link,
    /// What kind of thing that is: the key of its words.
    pub kind: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What it covers; all of it where nothing is said.
    pub covers: Vec<String>,
    /// Why it was given.
    pub comment: Option<String>,
    /// Digest of the version that was endorsed.
    pub digest: Option<String>,
    /// From when on it holds.
    pub valid_from: Moment,
    /// Until when it holds.
    pub valid_until: Option<Moment>,
    /// When its standing last changed.
    pub changed_at: Moment,
    /// Where it is renewed, where it can be.
    pub renew: Option<String>,
    /// What can be decided: where, and the key of its words.
    pub decisions: Vec<(String, &'static str)>,
}

/// `GET /console/endorsements/{endorsement}/{decision}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/decision.html")]
pub struct DecisionPage {
    /// What is around it.
    pub frame: Frame,
    /// Where the form goes.
    pub path: String,
    /// What is decided: the key of its words.
    pub key: &'static str,
    /// Whether it can never be taken back.
    pub for_ever: bool,
    /// The endorsement.
    pub endorsement: Link,
    /// What it endorses.
    pub subject: Link,
    /// How many endorsements would stand otherwise.
    pub endorsements: usize,
    /// How many subjects would.
    pub subjects: usize,
    /// Whether there are more than are shown, or than were looked at.
    pub more: bool,
    /// The subjects that would stand otherwise.
    pub affected: Vec<AffectedLine>,
    /// The reason that was filled in.
    pub reason: String,
    /// What goes with the form.
    pub keys: FormKeys,
    /// What was wrong with the last one.
    pub trouble: Option<Trouble>,
}

/// A subject that would stand otherwise.
#[derive(Debug, Clone)]
pub struct AffectedLine {
    /// Which.
    pub subject: Link,
    /// How it stands.
    pub before: Standing,
    /// How it would stand.
    pub after: Standing,
}

page!(EndorsePage);
page!(PreviewPage);
page!(EndorsementsPage);
page!(EndorsementPage);
page!(DecisionPage);
