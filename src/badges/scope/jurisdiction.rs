//! Where something counts: a country, or a part of one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A country by its two letters (ISO 3166-1 alpha-2), such as `CH`, or a part of one (ISO 3166-2),
/// such as `CH-ZH`. Whether there is such a place is not looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Jurisdiction(String);

/// A text is no code of ISO 3166.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a jurisdiction is {}", Jurisdiction::EXPECTED)]
pub struct JurisdictionError;

impl Jurisdiction {
    pub(super) const EXPECTED: &'static str =
        "a country such as CH, or a part of one such as CH-ZH, in capital letters (ISO 3166)";

    /// Whether the other one is this place or lies within it.
    pub fn covers(&self, other: &Self) -> bool {
        let rest = other.0.strip_prefix(self.0.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// Those that lie within no other one of them.
    pub(super) fn widest(all: Vec<Self>) -> Vec<Self> {
        let lies_within = |one: &Self| all.iter().any(|other| other != one && other.covers(one));
        let kept = all.iter().filter(|one| !lies_within(one));
        kept.cloned().collect()
    }
}

impl FromStr for Jurisdiction {
    type Err = JurisdictionError;

    fn from_str(text: &str) -> Result<Self, JurisdictionError> {
        let capital = |byte: u8| byte.is_ascii_uppercase();
        let (country, part) = match text.split_once('-') {
            Some((country, part)) => (country, Some(part)),
            None => (text, None),
        };
        let is_part = |part: &str| {
            (1..=3).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| capital(byte) || byte.is_ascii_digit())
        };
        if country.len() == 2 && country.bytes().all(capital) && part.is_none_or(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(JurisdictionError)
    }
}

impl TryFrom<String> for Jurisdiction {
    type Error = JurisdictionError;

    fn try_from(text: String) -> Result<Self, JurisdictionError> {
        text.parse()
    }
}

impl From<Jurisdiction> for String {
    fn from(place: Jurisdiction) -> Self {
        place.0
    }
}

impl fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_covers_its_parts_and_no_other_country() {
        let place = |text: &str| text.parse::<Jurisdiction>().unwrap();
        assert!(place("CH").covers(&place("CH")));
        assert!(place("CH").covers(&place("CH-ZH")));
        assert!(!place("CH-ZH").covers(&place("CH")));
        assert!(!place("CH-Z").covers(&place("CH-ZH")));
        assert!(!place("CH").covers(&place("CN")));
    }

    #[test]
    fn only_codes_of_iso_3166_are_read() {
        for good in ["CH", "CH-ZH", "FR-2A", "GB-ENG", "ID-1"] {
            assert_eq!(good.parse::<Jurisdiction>().unwrap().to_string(), good);
        }
        for bad in [
            "", "C", "ch", "CHE", "756", "CH-", "CH-zh", "CH-ZHXX", "CH-Z-H", "-ZH", "CH ZH", "ÄÄ",
        ] {
            assert_eq!(bad.parse::<Jurisdiction>(), Err(JurisdictionError), "{bad}");
        }
    }
}
