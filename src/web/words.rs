//! The texts of the pages in every language that they speak.
//!
//! A text stands in `words/{language}/{area}.txt` as `key = text`, and is asked for by
//! `area.key`; `{name}` in it is a place that is filled. An area is a file for each language and
//! a word in [`AREAS`]. The tests below hold the languages to the same keys and places, and every
//! key to being asked for.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::time::Timestamp;

macro_rules! areas {
    ($($area:literal),* $(,)?) => {
        &[$(Area {
            name: $area,
            texts: [
                include_str!(concat!("words/en/", $area, ".txt")),
                include_str!(concat!("words/de/", $area, ".txt")),
            ],
        }),*]
    };
}

/// Every area of texts; a new one is one more word here.
const AREAS: &[Area] = areas![
    "base",
    "check",
    "endorsement",
    "home",
    "in_browser",
    "problem",
    "profile",
    "scope",
    "sign_in",
    "standing",
];

/// The texts of one area, a file for each of [`Language::ALL`].
struct Area {
    name: &'static str,
    texts: [&'static str; Language::ALL.len()],
}

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, for whoever asks for no other.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (BCP 47).
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// As those who speak it call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// Language and place as Open Graph names them.
    pub const fn locale(self) -> &'static str {
        match self {
            Self::English => "en_GB",
            Self::German => "de_DE",
        }
    }

    /// Every other language.
    pub fn others(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |other| *other != self)
    }

    /// The language of a tag such as `de` or `de-CH`; none where it is not spoken here.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = tag.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| first.eq_ignore_ascii_case(language.code()))
    }

    /// The language that an `Accept-Language` header likes best (RFC 9110 section 12.5.4); among
    /// equals the one named first.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in header.split(',').take(32) {
            let mut parts = range.split(';').map(str::trim);
            let Some(language) = parts.next().and_then(Self::of_tag) else {
                continue;
            };
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            let quality: f32 = quality.map_or(Ok(1.0), str::parse).unwrap_or(0.0);
            if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The text of a key. An unknown one stands for itself; a test sees to it that there is none.
    pub fn say(self, key: &str) -> &str {
        self.known(key).unwrap_or(key)
    }

    /// The text of a key, where there is one.
    pub fn known(self, key: &str) -> Option<&'static str> {
        self.catalogue().get(key).copied()
    }

    /// The texts of one area by their keys in it.
    pub fn texts_of(self, area: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let area = AREAS.iter().find(|known| known.name == area);
        area.into_iter()
            .flat_map(move |area| entries(area.texts[self as usize]))
    }

    /// The text of a key with its places filled.
    pub fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        let mut filled = String::new();
        let mut rest = self.say(key);
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, behind)) = after.split_once('}') else {
                break;
            };
            let value = values.iter().find(|(named, _)| *named == name);
            filled.push_str(value.map_or(name, |(_, value)| value));
            rest = behind;
        }
        filled + rest
    }

    /// A whole number with its thousands apart.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let apart = match self {
            Self::English => ',',
            Self::German => '.',
        };
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(apart);
            }
            text.push(digit);
        }
        text
    }

    /// A moment, to the minute.
    pub fn moment(self, moment: Timestamp) -> String {
        // RFC 3339: ten characters of date, a T, and five of hours and minutes.
        let text = moment.to_string();
        let values = [("day", &*self.day(moment)), ("time", &text[11..16])];
        self.fill("base.moment", &values)
    }

    /// The day of a moment, in UTC.
    pub fn day(self, moment: Timestamp) -> String {
        let text = moment.to_string();
        let (year, month, day) = (&text[..4], &text[5..7], &text[8..10]);
        let month = self.say(&format!("base.month.{month}")).to_owned();
        let values = [
            ("day", day.trim_start_matches('0')),
            ("month", &month),
            ("year", year),
        ];
        self.fill("base.day", &values)
    }

    fn catalogue(self) -> &'static HashMap<String, &'static str> {
        static CATALOGUES: OnceLock<[HashMap<String, &'static str>; Language::ALL.len()]> =
            OnceLock::new();
        &CATALOGUES.get_or_init(|| Self::ALL.map(Self::read))[self as usize]
    }

    fn read(self) -> HashMap<String, &'static str> {
        let texts = AREAS.iter().flat_map(|area| {
            entries(area.texts[self as usize])
                .map(|(key, text)| (format!("{}.{key}", area.name), text))
        });
        texts.collect()
    }
}

/// The entries of one file: a line each; empty lines and those that begin with `#` say nothing.
fn entries(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| {
        let (key, text) = line.split_once('=')?;
        Some((key.trim(), text.trim()))
    })
}

#[cfg(test)]
mod tests;
