//! What every page has around it: its language, and what leads to the same page in another one.

use url::form_urlencoded::Serializer;

use super::assets;
use super::described;
use super::words::Language;

/// What stands around every page; templates ask it for their texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    here: Option<String>,
}

impl Frame {
    /// Around the page at this path, with these parameters.
    pub fn at(language: Language, path: &str, query: &[(String, String)]) -> Self {
        let mut here = format!("{path}?");
        let asked = query.iter().filter(|(name, _)| name != "lang");
        let mut pairs = Serializer::new(String::new());
        pairs.extend_pairs(asked);
        let pairs = pairs.finish();
        if !pairs.is_empty() {
            here = format!("{here}{pairs}&");
        }
        Self {
            language,
            here: Some(here),
        }
    }

    /// Around a page to which no link leads: the answer to a form.
    pub const fn of_answer(language: Language) -> Self {
        Self {
            language,
            here: None,
        }
    }

    /// The text of a key.
    pub fn say<'k>(&self, key: &'k str) -> &'k str {
        self.language.say(key)
    }

    /// The text of a key in which one place is filled.
    pub fn with(&self, key: &str, name: &str, value: impl ToString) -> String {
        self.language.fill(key, &[(name, &value.to_string())])
    }

    /// The text of a key with all its places filled.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.language.fill(key, values)
    }

    /// The text for one of several cases, which stand as `key.case`.
    pub fn one_of(&self, key: &str, case: &str) -> String {
        self.language.say(&format!("{key}.{case}")).to_owned()
    }

    /// The text for so many: `key.one` or `key.many`, with the number as `{count}`.
    pub fn count(&self, key: &str, count: u64) -> String {
        let case = if count == 1 { "one" } else { "many" };
        let number = self.language.number(count);
        self.language
            .fill(&format!("{key}.{case}"), &[("count", &number)])
    }

    /// A whole number.
    pub fn number(&self, number: u64) -> String {
        self.language.number(number)
    }

    /// The texts of one area as JSON, for a block of data that a script of the page reads. No text ends the block.
    pub fn texts_of(&self, area: &str) -> String {
        let texts = self.language.texts_of(area);
        let texts: serde_json::Map<_, _> = texts
            .map(|(key, text)| (key.to_owned(), text.into()))
            .collect();
        described::block(texts)
    }

    /// Where an asset is served.
    pub fn asset(&self, name: &str) -> String {
        assets::path(name)
    }

    /// The same page in each other language: its tag, name and place.
    pub fn others(&self) -> Vec<(&'static str, &'static str, String)> {
        let Some(here) = &self.here else {
            return Vec::new();
        };
        let others = self.language.others();
        others
            .map(|other| {
                let place = format!("{here}lang={}", other.code());
                (other.code(), other.name(), place)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_page_in_another_language_keeps_what_was_asked() {
        let query = [("q", "a&b"), ("lang", "en")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let frame = Frame::at(Language::English, "/", &query);
        let others = frame.others();
        assert_eq!(others, [("de", "Deutsch", "/?q=a%26b&lang=de".to_owned())]);
        assert!(Frame::of_answer(Language::German).others().is_empty());
    }
}
