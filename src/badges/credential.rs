//! Credentials of Open Badges 3.0: what all of them share, and the badge itself
//! (AchievementCredential, also called OpenBadgeCredential).

use serde_json::Value;
use thiserror::Error;

use super::classes::ACHIEVEMENT_CREDENTIAL;
use super::digest::DigestError;
use super::shape::{ShapeError, Strictness, check};
use crate::vc::credential::{CONTEXT_V2, Credential, CredentialError};

/// The context of Open Badges 3.0 that the registry writes.
pub const OB_CONTEXT: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";

/// The contexts of every document of Open Badges that the registry writes, in order.
pub const CONTEXTS: [&str; 2] = [CONTEXT_V2, OB_CONTEXT];

const BADGE_TYPES: [&str; 2] = ["OpenBadgeCredential", "AchievementCredential"];

/// A badge as a client wants it issued, complete but for what the registry adds: `validFrom`,
/// `credentialStatus` and the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Badge<'a> {
    /// The `id` of the credential, where the client has given one.
    pub id: Option<&'a str>,
    /// The `issuer.id`.
    pub issuer: &'a str,
    /// The `id` of who receives it; `None` where it is known by `identifier` only.
    pub subject: Option<&'a str>,
    /// The `id` of what it is given for.
    pub achievement: &'a str,
}

/// Why a document is not the credential of Open Badges 3.0 that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenBadgesError {
    /// Not a credential.
    #[error(transparent)]
    Envelope(#[from] CredentialError),
    /// Not of the type.
    #[error("/type: {0} has to be among the types")]
    Type(&'static str),
    /// The second context is not that of Open Badges 3.0.
    #[error("/@context: the second context has to be one of Open Badges 3.0, such as {OB_CONTEXT}")]
    Context,
    /// A member breaks the rules of Open Badges 3.0.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// An endorsement without the moment from which it holds.
    #[error("/validFrom: an endorsement says from when it holds")]
    ValidFrom,
    /// The digest of an endorsement's subject cannot be read.
    #[error("/relatedResource/{place}/digestMultibase: {reason}")]
    Digest {
        /// Number of the resource, from 0.
        place: usize,
        /// What is wrong.
        reason: DigestError,
    },
    /// The digest of an endorsement's subject is of a kind that is not compared here.
    #[error("/relatedResource/{place}: the digest of the subject has to be a digestMultibase")]
    DigestSri {
        /// Number of the resource, from 0.
        place: usize,
    },
    /// What an endorsement covers stands there in words that nobody knows.
    #[error(
        "/credentialSubject/endorsementScope: this is read by the registry's own context alone, \
         which has to be the last in /@context, and of one subject without a context of its own"
    )]
    ScopeContext,
}

/// Whether a document calls itself a badge, and so has to be one by [`Badge::read`].
pub fn is_achievement_credential(document: &Value) -> bool {
    let types = match &document["type"] {
        Value::Array(types) => types.as_slice(),
        one => std::slice::from_ref(one),
    };
    types
        .iter()
        .any(|name| BADGE_TYPES.iter().any(|badge| name == badge))
}

impl<'a> Badge<'a> {
    /// Reads a badge that is to be issued.
    ///
    /// # Errors
    /// [`OpenBadgesError`] names the place and the rule.
    pub fn read(document: &'a Value) -> Result<Self, OpenBadgesError> {
        let envelope = read_envelope(document, &BADGE_TYPES)?;
        let members = check(document, &ACHIEVEMENT_CREDENTIAL, Strictness::Lenient, "")?;
        let subject = &members["credentialSubject"];
        Ok(Self {
            id: envelope.id,
            issuer: envelope.issuer.id,
            subject: subject["id"].as_str(),
            // The shape has this text, so the default never shows.
            achievement: subject["achievement"]["id"].as_str().unwrap_or_default(),
        })
    }
}

/// The envelope of a credential of Open Badges 3.0 whose types have one of `types` among them.
pub(super) fn read_envelope<'a>(
    document: &'a Value,
    types: &[&'static str],
) -> Result<Credential<'a>, OpenBadgesError> {
    let envelope = Credential::read(document)?;
    if !types.iter().any(|name| envelope.is_a(name)) {
        return Err(OpenBadgesError::Type(types[0]));
    }
    let second = envelope.contexts.get(1).and_then(Value::as_str);
    if !second.is_some_and(is_ob_context) {
        return Err(OpenBadgesError::Context);
    }
    Ok(envelope)
}

/// Whether a URL is that of `context.json` or any `context-3.N.N.json` of Open Badges 3.0.
pub fn is_ob_context(url: &str) -> bool {
    let version = url.strip_prefix("https://purl.imsglobal.org/spec/ob/v3p0/context");
    version.is_some_and(|version| is_context_file(version, "-3."))
}

/// `context.json` or any `context-2.N.N.json` of CLR 2.0.
pub(super) fn is_clr_context(url: &str) -> bool {
    let version = url.strip_prefix("https://purl.imsglobal.org/spec/clr/v2p0/context");
    version.is_some_and(|version| is_context_file(version, "-2."))
}

/// What follows `context` in the URL of one: perhaps a version, and `.json`.
fn is_context_file(rest: &str, major: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match rest.strip_suffix(".json") {
        Some("") => true,
        Some(version) => {
            let parts = version.strip_prefix(major).and_then(|v| v.split_once('.'));
            parts.is_some_and(|(minor, patch)| is_number(minor) && is_number(patch))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn badge() -> Value {
        json!({
            "@context": CONTEXTS,
            "id": "urn:uuid:1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Welding",
            "issuer": {"id": "did:web:example.edu", "type": ["Profile"], "name": "Example"},
            "credentialSubject": {
                "id": "did:example:learner",
                "type": ["AchievementSubject"],
                "activityEndDate": "2026-01-31T12:00:00Z",
                "achievement": {
                    "id": "https://registry.example/achievements/1",
                    "type": ["Achievement"],
                    "name": "Welding",
                    "description": "Welds well.",
                    "criteria": {"narrative": "Weld."},
                },
                "result": [{"type": ["Result"], "status": "Completed"}],
            },
            "evidence": [{"type": ["Evidence"], "id": "https://example.edu/photo"}],
        })
    }

    fn refusal(pointer: &str, to: Value) -> String {
        let mut document = badge();
        *document.pointer_mut(pointer).unwrap() = to;
        Badge::read(&document).unwrap_err().to_string()
    }

    #[test]
    fn a_badge_to_issue_needs_neither_date_nor_proof() {
        let document = badge();
        let read = Badge::read(&document).unwrap();
        assert_eq!(read.id, Some("urn:uuid:1"));
        assert_eq!(read.issuer, "did:web:example.edu");
        assert_eq!(read.subject, Some("did:example:learner"));
        assert_eq!(read.achievement, "https://registry.example/achievements/1");
    }

    #[test]
    fn a_recipient_may_be_known_by_a_hash_only() {
        let mut document = badge();
        let subject = document["credentialSubject"].as_object_mut().unwrap();
        subject.remove("id");
        let error = Badge::read(&document).unwrap_err().to_string();
        assert_eq!(
            error,
            "/credentialSubject: AchievementSubject needs \"id\" or \"identifier\""
        );
        document["credentialSubject"]["identifier"] = json!([{
            "type": "IdentityObject",
            "hashed": true,
            "identityHash": "sha256$0123",
            "identityType": "emailAddress",
        }]);
        assert_eq!(Badge::read(&document).unwrap().subject, None);
    }

    #[test]
    fn every_rule_names_its_place() {
        for (pointer, to, expected) in [
            (
                "/type",
                json!(["VerifiableCredential"]),
                "/type: OpenBadgeCredential has to be among the types",
            ),
            (
                "/@context/1",
                json!("https://example.org/context"),
                "/@context: the second context has to be one of Open Badges 3.0, such as \
                 https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ),
            (
                "/credentialSubject/type",
                json!(["Person"]),
                "/credentialSubject/type: this has to be an array of types \
                 with \"AchievementSubject\" in it",
            ),
            (
                "/credentialSubject/achievement",
                json!({"id": "urn:a", "type": ["Achievement"], "name": "A", "description": "B"}),
                "/credentialSubject/achievement: Achievement needs \"criteria\"",
            ),
            (
                "/credentialSubject/achievement",
                json!("urn:a"),
                "/credentialSubject/achievement: this has to be an object (Achievement)",
            ),
            (
                "/credentialSubject/result/0/status",
                json!("Done"),
                "/credentialSubject/result/0/status: this has to be one of Completed, Enrolled, \
                 Failed, InProgress, OnHold, Provisional, Withdrew",
            ),
            (
                "/evidence",
                json!([]),
                "/evidence: this has to be an array of at least one (Evidence)",
            ),
        ] {
            assert_eq!(refusal(pointer, to), expected);
        }
    }

    #[test]
    fn extensions_may_stand_anywhere_but_say_something() {
        let mut document = badge();
        document["credentialSubject"]["achievement"]["colour"] = json!("blue");
        document["termsOfUse"] = json!([{"type": "Terms"}]);
        assert!(Badge::read(&document).is_ok());
        document["credentialSubject"]["achievement"]["colour"] = json!(null);
        let error = Badge::read(&document).unwrap_err().to_string();
        assert!(
            error.starts_with("/credentialSubject/achievement/colour: "),
            "{error}"
        );
    }

    #[test]
    fn a_badge_is_known_by_either_name() {
        for (types, expected) in [
            (json!(["VerifiableCredential", "OpenBadgeCredential"]), true),
            (json!(["AchievementCredential"]), true),
            (json!("OpenBadgeCredential"), true),
            (
                json!(["VerifiableCredential", "EndorsementCredential"]),
                false,
            ),
            (json!(null), false),
        ] {
            let document = json!({"type": types});
            assert_eq!(is_achievement_credential(&document), expected, "{types}");
        }
    }

    #[test]
    fn every_published_context_of_open_badges_is_known() {
        let at = |name: &str| format!("https://purl.imsglobal.org/spec/ob/v3p0/{name}");
        for good in [
            "context.json",
            "context-3.0.1.json",
            "context-3.0.3.json",
            "context-3.10.0.json",
        ] {
            assert!(is_ob_context(&at(good)), "{good}");
        }
        for bad in [
            "context-2.0.json",
            "context-3.0.json",
            "context-3.x.1.json",
            "context",
            "extensions.json",
        ] {
            assert!(!is_ob_context(&at(bad)), "{bad}");
        }
        assert!(!is_ob_context(
            "https://purl.imsglobal.org/spec/ob/v3p0/context.json#x"
        ));
    }
}
