//! What the pages say to machines that index the web: schema.org as JSON-LD, in a block of data that nobody runs.
//!
//! Only what the page shows. Names that schema.org has for this: an organization, a credential that can be
//! earned, and a certification that one organization gives another.

use serde_json::{Map, Value, json};
use url::Url;

use super::parts::{EndorsementLine, Link, Standing};
use super::views::{AchievementPage, EndorsementPage, ProfilePage};
use crate::verify::outcome::Outcome;

impl ProfilePage {
    /// An `Organization`, with the certifications that it holds.
    pub(super) fn described(&self) -> String {
        let held = self.endorsed_by.iter();
        written(
            "Organization",
            json!({
                "@id": self.id,
                "identifier": self.id,
                "name": self.name,
                "description": self.description,
                "image": self.image.as_deref().and_then(followed),
                "url": self.site.as_ref().and_then(Link::href),
                "mainEntityOfPage": self.url,
                "hasCertification": held.map(|line| self.certification(line)).collect::<Vec<_>>(),
            }),
        )
    }

    /// What it is about, in a sentence or as it says itself.
    pub(super) fn about(&self) -> String {
        let own = self.description.clone();
        own.unwrap_or_else(|| self.frame.with("profile.about", "name", &self.name))
    }

    fn certification(&self, line: &EndorsementLine) -> Value {
        let parts = json!({
            "name": line.page.text(),
            "url": absolute(&self.url, &line.page),
            "issuedBy": organization(&self.url, &line.other),
            "validFrom": line.valid_from.machine(),
            "expires": line.valid_until.map(|moment| moment.machine()),
            "certificationStatus": status(line.standing),
        });
        node("Certification", parts)
    }
}

impl AchievementPage {
    /// An `EducationalOccupationalCredential`, recognized by those whose endorsement of it holds.
    pub(super) fn described(&self) -> String {
        let holding = self
            .endorsed_by
            .iter()
            .filter(|line| line.standing.0 == Outcome::Active);
        let recognized_by = holding.map(|line| organization(&self.url, &line.other));
        written(
            "EducationalOccupationalCredential",
            json!({
                "@id": self.url,
                "url": self.url,
                "name": self.name,
                "description": self.description,
                "image": self.image.as_deref().and_then(followed),
                "creator": organization(&self.url, &self.creator),
                "recognizedBy": recognized_by.collect::<Vec<_>>(),
            }),
        )
    }

    /// What it is about, in a sentence or as it says itself.
    pub(super) fn about(&self) -> String {
        let own = self.description.clone();
        own.unwrap_or_else(|| self.frame.with("profile.about", "name", &self.name))
    }
}

impl EndorsementPage {
    /// A `Certification`.
    pub(super) fn described(&self) -> String {
        let about = match self.kind.as_str() {
            "profile" => "Organization",
            "achievement" => "EducationalOccupationalCredential",
            _ => "Thing",
        };
        let subject = json!({
            "@id": self.subject_id,
            "name": self.subject.text(),
            "url": absolute(&self.url, &self.subject),
        });
        written(
            "Certification",
            json!({
                "@id": self.url,
                "url": self.url,
                "certificationIdentification": self.url,
                "name": self.name,
                "description": self.comment,
                "about": node(about, subject),
                "issuedBy": organization(&self.url, &self.endorser.page),
                "validFrom": self.valid_from.machine(),
                "expires": self.valid_until.map(|moment| moment.machine()),
                "certificationStatus": status(self.standing),
            }),
        )
    }

    /// What it is about, in a sentence. Nothing of how it stands: others keep previews for long.
    pub(super) fn about(&self) -> String {
        let names = [
            ("endorser", self.endorser.page.text()),
            ("subject", self.subject.text()),
        ];
        self.frame.fill("endorsement.about", &names)
    }
}

/// Active or not; of what could not be found out nothing is said.
fn status(standing: Standing) -> Option<&'static str> {
    match standing.0 {
        Outcome::Active => Some("https://schema.org/CertificationActive"),
        Outcome::Revoked
        | Outcome::Suspended
        | Outcome::Expired
        | Outcome::NotYetValid
        | Outcome::StaleDigest
        | Outcome::NotEndorsed => Some("https://schema.org/CertificationInactive"),
        Outcome::Unknown | Outcome::Unreachable => None,
    }
}

fn organization(page: &str, link: &Link) -> Value {
    let parts = json!({ "name": link.text(), "url": absolute(page, link) });
    node("Organization", parts)
}

/// Where a link on a page leads, with the page's own origin.
fn absolute(page: &str, link: &Link) -> Option<String> {
    let joined = Url::parse(page).ok()?.join(link.href()?).ok()?;
    Some(joined.into())
}

/// An address from outside, if a person may safely follow it.
fn followed(address: &str) -> Option<String> {
    Link::outside(address, "").href().map(str::to_owned)
}

/// A node of this type, of these parts; what is not there is left out.
fn node(of_type: &str, parts: Value) -> Value {
    let mut node = Map::from_iter([("@type".to_owned(), of_type.into())]);
    if let Value::Object(parts) = parts {
        let there = parts.into_iter().filter(|(_, part)| {
            !part.is_null() && part.as_array().is_none_or(|all| !all.is_empty())
        });
        node.extend(there);
    }
    Value::Object(node)
}

fn written(of_type: &str, parts: Value) -> String {
    let mut described = Map::from_iter([("@context".to_owned(), "https://schema.org".into())]);
    if let Value::Object(node) = node(of_type, parts) {
        described.extend(node);
    }
    block(described)
}

/// The text of a block of data: without `<`, so that no text ends it or opens a comment in it (HTML,
/// "Restrictions for contents of script elements").
pub(super) fn block(data: Map<String, Value>) -> String {
    Value::Object(data).to_string().replace('<', "\\u003c")
}
