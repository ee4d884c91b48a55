//! Keys, their rotation, and what is done when one is lost.

use askama::Template;

use super::frame::{FormKeys, Frame, Trouble, Who};
use super::page;
use crate::web::console::ProfileChoice;
use crate::web::parts::Moment;

/// `GET /console/keys`: the keys of a profile, or of the registry.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/keys.html")]
pub struct KeysPage {
    /// What is around it.
    pub frame: Frame,
    /// Whose: the profile's slug; empty for the registry's own.
    pub profile: String,
    /// The profiles among which one can choose.
    pub profiles: Vec<ProfileChoice>,
    /// The keys, newest first.
    pub keys: Vec<KeyBlock>,
    /// The last rotation.
    pub rotation: Option<RotationBlock>,
    /// Whether whoever is signed in may change them.
    pub changes: bool,
    /// How long a new key stands in the document before it signs.
    pub notice: String,
    /// What goes with the form.
    pub form: FormKeys,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
}

/// A key.
#[derive(Debug, Clone)]
pub struct KeyBlock {
    /// Its number.
    pub id: String,
    /// The verification method by which proofs name it.
    pub method: String,
    /// How it stands: the key of the words, and since when or from when on.
    pub stands: (&'static str, Option<Moment>),
    /// When it was made.
    pub made_at: Moment,
    /// Whether its secret is kept here.
    pub managed: bool,
    /// For how long it has signed, where that is long.
    pub old: Option<String>,
    /// Whether it can be taken out of use.
    pub retires: bool,
    /// Whether it can be given up.
    pub revokes: bool,
}

/// How far a rotation is.
#[derive(Debug, Clone)]
pub struct RotationBlock {
    /// What is going on: the key of the words.
    pub state: &'static str,
    /// The key that takes over.
    pub to: String,
    /// From when on it signs.
    pub signs_from: Moment,
    /// How many lists it has taken over, of how many.
    pub done: (u64, u64),
}

/// `GET /console/keys/{key}/retire`: whether that is meant.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/retire_key.html")]
pub struct RetireKeyPage {
    /// What is around it.
    pub frame: Frame,
    /// Whose key.
    pub profile: String,
    /// Which.
    pub key: String,
    /// Its verification method.
    pub method: String,
    /// What goes with the form.
    pub form: FormKeys,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
}

/// `GET /console/keys/{key}/revoke`: since when, what that affects, and whether it is meant.
#[derive(Debug, Clone, Template)]
#[template(path = "console/registrar/revoke_key.html")]
pub struct RevokeKeyPage {
    /// What is around it.
    pub frame: Frame,
    /// Whose key.
    pub profile: String,
    /// Which.
    pub key: String,
    /// Its verification method.
    pub method: String,
    /// Since when, as it was typed.
    pub since: String,
    /// The reason, as it was typed.
    pub reason: String,
    /// What it affects, where that was asked: lists, endorsements, those of them that are signed again,
    /// credentials; and whether there is more.
    pub affected: Option<([u64; 4], bool)>,
    /// What goes with the form.
    pub form: FormKeys,
    /// What was wrong with it.
    pub trouble: Option<Trouble>,
}

page!(KeysPage);
page!(RetireKeyPage);
page!(RevokeKeyPage);
