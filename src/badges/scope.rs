//! What an endorsement covers of its subject: kinds of achievements, a period of awards, places.
//!
//! Open Badges 3.0 has no word for it. EndorsementSubject is open to extensions, so it stands there
//! as `endorsementScope`, defined in a context that the credential itself carries
//! ([`scope_context`]): whoever knows nothing of it still reads and verifies the endorsement, and
//! nobody has to fetch anything.

mod jurisdiction;
mod need;
mod words;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::classes::ACHIEVEMENT_TYPES;
use super::shape::{ShapeError, is_own_word, parse_url, pointer, words_of, wrong};
use crate::time::Timestamp;
use crate::vc::contexts;

pub use jurisdiction::{Jurisdiction, JurisdictionError};
pub use need::{Limits, Need};

/// Name of the class, as the credential writes it.
const CLASS: &str = "EndorsementScope";

/// What an endorsement covers of its subject. No scope at all means the whole subject.
///
/// ```text
/// {"role": ["issuer"],                     the profile, as what
///  "achievementType": ["Degree"],          achievements of one of these types
///  "tag": ["nursing"],                     with one of these tags
///  "alignment": ["https://…"],             aligned to one of these, by targetUrl
///  "awardedFrom": "2026-01-01T00:00:00Z",  awarded then or later
///  "awardedUntil": "2030-01-01T00:00:00Z", awarded before
///  "jurisdiction": ["CH", "DE-BY"]}        in one of these places
/// ```
///
/// What is covered keeps to every member that is there, and of the values of one member to any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Scope {
    // Each list is sorted, without repetition; an empty one limits nothing.
    roles: Vec<Role>,
    achievement_types: Vec<String>,
    tags: Vec<String>,
    alignments: Vec<String>,
    awarded_from: Option<Timestamp>,
    awarded_until: Option<Timestamp>,
    jurisdictions: Vec<Jurisdiction>,
}

/// As what a profile is endorsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// As one that endorses others.
    Accreditor,
    /// As one that issues credentials.
    Issuer,
}

/// Whether a need is covered.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It is.
    Covered,
    /// It is not, for this reason.
    NotCovered(&'static str),
    /// What is known of the need does not decide it.
    Unknown(&'static str),
}

/// Where a scope is wider than another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("/{member}: {reason}")]
pub struct Wider {
    /// The member that is wider.
    pub member: &'static str,
    /// In what, and what to do.
    pub reason: String,
}

/// The context that defines `endorsementScope` and all in it. It is the last one of a credential
/// that has a scope, and stands in no other.
pub fn scope_context() -> Value {
    contexts::endorsement_scope().clone()
}

impl Scope {
    /// How many values a member may have.
    pub const MAX_VALUES: usize = 64;

    /// How long a value may be, in bytes.
    pub const MAX_VALUE_BYTES: usize = 1_000;

    /// How long a scope may be, in bytes of JSON as [`Scope::to_value`] writes it. It is looked at
    /// with each question about its subject.
    pub const MAX_BYTES: usize = 8_192;

    /// Reads a scope as a request or an EndorsementSubject writes it.
    ///
    /// # Errors
    /// [`ShapeError`] with the JSON pointer within the scope: a member that is not known, a value
    /// of another kind, null, an empty array or an empty scope, more than [`Scope::MAX_VALUES`] values,
    /// one longer than [`Scope::MAX_VALUE_BYTES`], a period that ends before it begins, more than
    /// [`Scope::MAX_BYTES`] in all.
    pub fn parse(value: &Value) -> Result<Self, ShapeError> {
        let Some(members) = value.as_object() else {
            return Err(wrong("", format!("an object ({CLASS})")));
        };
        check_names(members)?;
        let scope = Self {
            roles: values(members, "role", role)?,
            achievement_types: values(members, "achievementType", achievement_type)?,
            tags: values(members, "tag", tag)?,
            alignments: values(members, "alignment", alignment)?,
            awarded_from: moment(members, "awardedFrom")?,
            awarded_until: moment(members, "awardedUntil")?,
            jurisdictions: Jurisdiction::widest(values(members, "jurisdiction", jurisdiction)?),
        };
        if members.keys().all(|name| name == "type") {
            let expected = "limited by a member such as achievementType; to endorse the whole \
                            subject, leave the scope out";
            return Err(wrong("", expected));
        }
        if scope.to_value().to_string().len() > Self::MAX_BYTES {
            let most = Self::MAX_BYTES;
            return Err(wrong(
                "",
                format!("a scope of at most {most} bytes of JSON"),
            ));
        }
        match (scope.awarded_from, scope.awarded_until) {
            (Some(from), Some(until)) if until <= from => {
                Err(wrong("/awardedUntil", "after awardedFrom"))
            }
            _ => Ok(scope),
        }
    }

    /// The scope as the credential writes it, its values in order.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        put("type", json!([CLASS]));
        let lists = [
            ("role", json!(self.roles)),
            ("achievementType", json!(self.achievement_types)),
            ("tag", json!(self.tags)),
            ("alignment", json!(self.alignments)),
            ("jurisdiction", json!(self.jurisdictions)),
        ];
        for (name, list) in lists {
            if list != json!([]) {
                put(name, list);
            }
        }
        let moments = [
            ("awardedFrom", self.awarded_from),
            ("awardedUntil", self.awarded_until),
        ];
        for (name, moment) in moments {
            if let Some(moment) = moment {
                put(name, json!(moment.to_string()));
            }
        }
        Value::Object(members)
    }

    /// As what a profile is endorsed; empty where the scope does not say.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether all that this scope covers is covered by the other.
    ///
    /// # Errors
    /// [`Wider`] names the first member in which this scope is the wider one.
    pub fn is_within(&self, wider: &Self) -> Result<(), Wider> {
        let among = |own: &String, of: &String| own == of;
        within("role", &self.roles, &wider.roles, |own, of| own == of)?;
        let (own, of) = (&self.achievement_types, &wider.achievement_types);
        within("achievementType", own, of, among)?;
        within("tag", &self.tags, &wider.tags, among)?;
        within("alignment", &self.alignments, &wider.alignments, among)?;
        let (own, of) = (self.awarded_from, wider.awarded_from);
        not_beyond("awardedFrom", own, of, |own, of| of <= own)?;
        let (own, of) = (self.awarded_until, wider.awarded_until);
        not_beyond("awardedUntil", own, of, |own, of| own <= of)?;
        let (own, of) = (&self.jurisdictions, &wider.jurisdictions);
        within("jurisdiction", own, of, |own, of| of.covers(own))
    }

    /// Whether who is endorsed as an accreditor within this scope may endorse others for what is
    /// wanted; for all of a subject where that is none. Roles are left aside: that of an accreditor
    /// is the endorser's own.
    ///
    /// # Errors
    /// As [`Self::is_within`].
    pub fn lets_pass_on(&self, wanted: Option<&Self>) -> Result<(), Wider> {
        let limits = |scope: &Self| Self {
            roles: Vec::new(),
            ..scope.clone()
        };
        let unlimited = || Self {
            achievement_types: Vec::new(),
            tags: Vec::new(),
            alignments: Vec::new(),
            awarded_from: None,
            awarded_until: None,
            jurisdictions: Vec::new(),
            ..limits(self)
        };
        wanted
            .map_or_else(unlimited, limits)
            .is_within(&limits(self))
    }

    /// On what of a need its answer depends.
    pub const fn limits(&self) -> Limits {
        Limits {
            achievement_types: !self.achievement_types.is_empty(),
            tags: !self.tags.is_empty(),
            alignments: !self.alignments.is_empty(),
            awarded: self.awarded_from.is_some() || self.awarded_until.is_some(),
            jurisdiction: !self.jurisdictions.is_empty(),
            role: !self.roles.is_empty(),
        }
    }

    /// Whether the scope covers what is needed. Among several answers, what is surely not covered
    /// counts before what is not known.
    pub fn covers(&self, need: &Need) -> Coverage {
        match self.covers_role(need) {
            Coverage::Covered => self.covers_but_for_role(need),
            of_another_role => of_another_role,
        }
    }

    /// The same, where the role was looked at before.
    pub fn covers_but_for_role(&self, need: &Need) -> Coverage {
        let answers = [
            one_of(
                &self.achievement_types,
                need.achievement_types.as_deref(),
                "the endorsement is for achievements of other types",
                "the endorsement is for some types of achievements, and the type is not known",
            ),
            one_of(
                &self.tags,
                need.tags.as_deref(),
                "the endorsement is for achievements with other tags",
                "the endorsement is for achievements with some tags, and the tags are not known",
            ),
            one_of(
                &self.alignments,
                need.alignments.as_deref(),
                "the endorsement is for achievements aligned to something else",
                "the endorsement is for achievements aligned to something, and the alignments \
                 are not known",
            ),
            self.covers_moment(need),
            self.covers_place(need),
        ];
        let worst = |all: Coverage, one: Coverage| match (all, one) {
            (Coverage::NotCovered(_), _) | (_, Coverage::Covered) => all,
            (Coverage::Unknown(_), Coverage::Unknown(_)) => all,
            _ => one,
        };
        answers.into_iter().fold(Coverage::Covered, worst)
    }

    fn covers_role(&self, need: &Need) -> Coverage {
        match need.role {
            Some(role) if !self.roles.is_empty() && !self.roles.contains(&role) => {
                Coverage::NotCovered("the endorsement is for another role")
            }
            _ => Coverage::Covered,
        }
    }

    fn covers_moment(&self, need: &Need) -> Coverage {
        let (from, until) = (self.awarded_from, self.awarded_until);
        match need.awarded {
            _ if from.is_none() && until.is_none() => Coverage::Covered,
            None => Coverage::Unknown(
                "the endorsement is for what was awarded within a period, and the date of the \
                 award is not known",
            ),
            Some(at) if from.is_some_and(|from| at < from) => {
                Coverage::NotCovered("the endorsement is for what was awarded later")
            }
            Some(at) if until.is_some_and(|until| until <= at) => {
                Coverage::NotCovered("the endorsement is for what was awarded earlier")
            }
            Some(_) => Coverage::Covered,
        }
    }

    fn covers_place(&self, need: &Need) -> Coverage {
        let places = &self.jurisdictions;
        match &need.jurisdiction {
            Some(place) if !places.is_empty() && !places.iter().any(|one| one.covers(place)) => {
                Coverage::NotCovered("the endorsement is for other jurisdictions")
            }
            _ => Coverage::Covered,
        }
    }
}

impl TryFrom<Value> for Scope {
    type Error = ShapeError;

    fn try_from(value: Value) -> Result<Self, ShapeError> {
        Self::parse(&value)
    }
}

impl From<Scope> for Value {
    fn from(scope: Scope) -> Self {
        scope.to_value()
    }
}

const NAMES: [&str; 7] = [
    "role",
    "achievementType",
    "tag",
    "alignment",
    "awardedFrom",
    "awardedUntil",
    "jurisdiction",
];

fn check_names(members: &Map<String, Value>) -> Result<(), ShapeError> {
    for (name, value) in members {
        let at = pointer("", name);
        match name.as_str() {
            "type" if *value != CLASS && *value != json!([CLASS]) => {
                return Err(wrong(&at, format!("[{CLASS:?}], or left out")));
            }
            "type" => {}
            name if !NAMES.contains(&name) => {
                return Err(ShapeError::Unknown { at, class: CLASS });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The values of a member that is an array, in order and without repetition.
fn values<T: Ord>(
    members: &Map<String, Value>,
    name: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, ShapeError> {
    let Some(value) = members.get(name) else {
        return Ok(Vec::new());
    };
    let at = pointer("", name);
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let most = Scope::MAX_VALUES;
    if items.is_empty() || items.len() > most {
        return Err(wrong(&at, format!("an array of 1 to {most} strings")));
    }
    let mut read_all = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let at = format!("{at}/{place}");
        let text = item.as_str().ok_or_else(|| wrong(&at, "a string"))?;
        let most = Scope::MAX_VALUE_BYTES;
        if text.len() > most {
            return Err(wrong(&at, format!("at most {most} bytes long")));
        }
        read_all.push(read(text).map_err(|expected| wrong(&at, expected))?);
    }
    read_all.sort_unstable();
    read_all.dedup();
    Ok(read_all)
}

fn moment(members: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, ShapeError> {
    let read = |value: &Value| value.as_str()?.parse().ok();
    members
        .get(name)
        .map(|value| read(value).ok_or_else(|| wrong(&pointer("", name), "an RFC 3339 time")))
        .transpose()
}

fn role(text: &str) -> Result<Role, String> {
    match text {
        "issuer" => Ok(Role::Issuer),
        "accreditor" => Ok(Role::Accreditor),
        _ => Err("issuer or accreditor".to_owned()),
    }
}

fn achievement_type(text: &str) -> Result<String, String> {
    if ACHIEVEMENT_TYPES.contains(&text) || is_own_word(text) {
        return Ok(text.to_owned());
    }
    Err(words_of(ACHIEVEMENT_TYPES, true))
}

fn tag(text: &str) -> Result<String, String> {
    let shown = !text.trim().is_empty() && !text.contains(char::is_control);
    match shown {
        true => Ok(text.to_owned()),
        false => Err("a string that is not blank, without control characters".to_owned()),
    }
}

fn alignment(text: &str) -> Result<String, String> {
    match parse_url(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("an absolute URI, the targetUrl of an alignment".to_owned()),
    }
}

fn jurisdiction(text: &str) -> Result<Jurisdiction, String> {
    let read = text.parse();
    read.map_err(|_: JurisdictionError| Jurisdiction::EXPECTED.to_owned())
}

/// Each value is among those of the wider scope, by `is_in`. Where that has none, all are.
fn within<T: Serialize>(
    member: &'static str,
    own: &[T],
    wider: &[T],
    is_in: impl Fn(&T, &T) -> bool,
) -> Result<(), Wider> {
    if wider.is_empty() {
        return Ok(());
    }
    if own.is_empty() {
        return Err(unlimited(member));
    }
    let outside = own
        .iter()
        .find(|own| !wider.iter().any(|of| is_in(own, of)));
    match outside {
        None => Ok(()),
        Some(value) => Err(Wider {
            member,
            reason: format!("{} is outside of the wider scope", json!(value)),
        }),
    }
}

fn not_beyond(
    member: &'static str,
    own: Option<Timestamp>,
    wider: Option<Timestamp>,
    is_in: impl Fn(Timestamp, Timestamp) -> bool,
) -> Result<(), Wider> {
    match (own, wider) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err(unlimited(member)),
        (Some(own), Some(wider)) if is_in(own, wider) => Ok(()),
        (Some(own), Some(wider)) => Err(Wider {
            member,
            reason: format!("{own} is outside of the wider scope, which has {wider}"),
        }),
    }
}

fn unlimited(member: &'static str) -> Wider {
    Wider {
        member,
        reason: "the wider scope limits this, so it has to be limited here too".to_owned(),
    }
}

/// Whether one of the values is among those of the scope, which has none where it limits nothing.
fn one_of(
    scope: &[String],
    values: Option<&[String]>,
    others: &'static str,
    unknown: &'static str,
) -> Coverage {
    match values {
        _ if scope.is_empty() => Coverage::Covered,
        None => Coverage::Unknown(unknown),
        Some(values) if values.iter().any(|value| scope.contains(value)) => Coverage::Covered,
        Some(_) => Coverage::NotCovered(others),
    }
}

#[cfg(test)]
mod tests;
