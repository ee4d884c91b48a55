//! What several pages show: standings in words, moments, links, lines of lists.

use url::Url;

use super::frame::Frame;
use crate::time::Timestamp;
use crate::verify::outcome::Outcome;

/// How something stands, as a person reads it. A sign and words go together, so that colour never
/// carries the meaning alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing(pub Outcome);

impl Standing {
    /// The outcome's word; also the name of its class in the stylesheet.
    pub const fn class(self) -> &'static str {
        self.0.as_str()
    }

    /// A sign for the eye; the words say the same.
    pub const fn sign(self) -> &'static str {
        match self.0 {
            Outcome::Active => "✓",
            Outcome::Revoked => "✕",
            Outcome::Suspended => "‖",
            Outcome::Expired | Outcome::NotYetValid => "◷",
            Outcome::StaleDigest => "≠",
            Outcome::NotEndorsed | Outcome::Unknown | Outcome::Unreachable => "?",
        }
    }

    /// The standing in words.
    pub fn words(self, frame: &Frame) -> String {
        frame.one_of("standing.words", self.class())
    }

    /// What follows from it for whoever relies on it.
    pub fn meaning(self, frame: &Frame) -> String {
        frame.one_of("standing.meaning", self.class())
    }
}

/// A moment, as a person reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// RFC 3339, for machines.
    pub fn machine(self) -> String {
        self.0.to_string()
    }

    /// The day, as the page's language writes it.
    pub fn day(self, frame: &Frame) -> String {
        frame.language.day(self.0)
    }

    /// To the minute, as the page's language writes it.
    pub fn words(self, frame: &Frame) -> String {
        frame.language.moment(self.0)
    }
}

/// A text that leads somewhere, if the address is one that a person may safely follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    text: String,
    href: Option<String>,
}

impl Link {
    /// A page of this registry; `path` starts with a single `/`. Any other path gives plain text.
    pub fn here(path: &str, text: &str) -> Self {
        let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
        Self {
            text: text.to_owned(),
            href: ours.then(|| path.to_owned()),
        }
    }

    /// An address from outside, shown as `text`. Only http and https become links: a
    /// `javascript:` address would run with this page's rights, and a DID leads no browser
    /// anywhere.
    pub fn outside(address: &str, text: &str) -> Self {
        let safe = Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        Self {
            text: text.to_owned(),
            href: safe.then(|| address.to_owned()),
        }
    }

    /// What is shown.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it leads.
    pub fn href(&self) -> Option<&str> {
        self.href.as_deref()
    }
}

/// One endorsement in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndorsementLine {
    /// The endorsement's page, with its name.
    pub page: Link,
    /// Who endorses, or what is endorsed: the side that the page is not about.
    pub other: Link,
    /// How it stands.
    pub standing: Standing,
    /// From when on it holds.
    pub valid_from: Moment,
    /// Until when it holds.
    pub valid_until: Option<Moment>,
}

/// Why something stands as it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// In words.
    pub words: String,
    /// The path that it rests on, from the thing up to the trust anchor; empty where there is none.
    pub path: Vec<PathLine>,
}

/// One endorsement on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathLine {
    /// Who endorses; whoever stands in the line above, or the thing itself.
    pub endorser: Link,
    /// The endorsement.
    pub endorsement: Link,
    /// How it stands.
    pub standing: Standing,
}

/// Who endorses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndorserLine {
    /// The endorser, by name or id.
    pub page: Link,
    /// How it stands as an accreditor; none for who is not registered here.
    pub standing: Option<Standing>,
}

/// Where an endorsement came from that was issued elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedLine {
    /// Its own id.
    pub original: Link,
    /// When its issuer was last heard about it.
    pub checked_at: Moment,
}

/// One key in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// The verification method by which proofs name it.
    pub verification_method: String,
    /// The public key as a Multikey.
    pub multikey: String,
    /// When it was made.
    pub made_at: Moment,
    /// Whether it is in use.
    pub state: KeyState,
}

/// Whether a key is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs.
    InUse,
    /// It signs no more; what it signed stays good.
    Retired(Moment),
    /// It may have been in wrong hands since.
    Revoked(Moment),
}

#[cfg(test)]
mod tests {
    use super::super::words::Language;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_standing_has_words_of_its_own() {
        for language in Language::ALL {
            let frame = Frame::of_answer(language);
            let standings = Outcome::ALL.map(Standing);
            let words = standings.map(|standing| standing.words(&frame));
            assert_eq!(words.iter().collect::<HashSet<_>>().len(), standings.len());
            for standing in standings {
                assert!(standing.meaning(&frame).ends_with('.') && !standing.sign().is_empty());
                let words = standing.words(&frame);
                let good = words.contains("good standing") || words.contains("gutem Stand");
                assert_eq!(good, standing.0 == Outcome::Active);
            }
        }
    }

    #[test]
    fn moments_are_read_by_people_and_machines() {
        let moment = Moment("2026-01-31T13:05:09.250+01:00".parse().unwrap());
        assert_eq!(
            moment.words(&Frame::default()),
            "31 January 2026, 12:05 UTC"
        );
        assert_eq!(moment.machine(), "2026-01-31T12:05:09.250Z");
    }

    #[test]
    fn only_safe_addresses_become_links() {
        for safe in ["https://example.org/a?b=c#d", "http://localhost:8080/"] {
            assert_eq!(Link::outside(safe, "x").href(), Some(safe));
        }
        for unsafe_address in [
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "did:web:example.org",
            "vbscript:x",
            "/profiles/a",
            "",
        ] {
            assert_eq!(
                Link::outside(unsafe_address, "x").href(),
                None,
                "{unsafe_address:?}"
            );
        }
        assert_eq!(Link::here("/profiles/a", "A").href(), Some("/profiles/a"));
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "",
        ] {
            assert_eq!(Link::here(elsewhere, "x").href(), None, "{elsewhere}");
        }
    }
}
