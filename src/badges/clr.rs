//! Learner records (Comprehensive Learner Record 2.0, class ClrCredential): one credential that
//! bundles others, and says how the achievements in them belong together.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;
use thiserror::Error;

use super::classes::CLR_CREDENTIAL;
use super::credential::{OB_CONTEXT, is_clr_context, is_ob_context};
use super::shape::{ShapeError, Strictness, check};
use crate::json::each;
use crate::vc::contexts;
use crate::vc::credential::{Credential, CredentialError};
use crate::vc::jwt::{CredentialJwt, Envelope, EnvelopeError, JwtError};

const TYPE: &str = "ClrCredential";

/// How deep records within records are looked into.
const MAX_DEPTH: usize = 4;

/// A record as a client wants it issued, complete but for what the registry adds: `validFrom`,
/// `credentialStatus` and the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clr<'a> {
    /// The `id` of the credential, where the client has given one.
    pub id: Option<&'a str>,
    /// The `issuer.id`.
    pub issuer: &'a str,
    /// The `id` of the learner; `None` where it is known by `identifier` only.
    pub subject: Option<&'a str>,
}

/// Why a document is not a record that can be issued. The text leads with the JSON pointer of the
/// place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClrError {
    /// Not a credential.
    #[error(transparent)]
    Envelope(#[from] CredentialError),
    /// Not of the type.
    #[error("/type: {TYPE} has to be among the types")]
    Type,
    /// A member breaks the rules of CLR 2.0 or Open Badges 3.0.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Contexts that a record needs are not there, or not in their places.
    #[error(
        "/@context: after the first context comes one of CLR 2.0, such as {}, and then one of \
         Open Badges 3.0, such as {OB_CONTEXT}",
        contexts::CLR
    )]
    Contexts,
    /// More credentials than anybody looks at.
    #[error(
        "{SUBJECT}/verifiableCredential: a record bundles at most {} credentials; {count} are there",
        Clr::MAX_CREDENTIALS
    )]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// What is bundled is no credential, or in no form that is read.
    #[error("{at}: this has to be a credential, or one in an envelope: {reason}")]
    Bundled {
        /// JSON pointer of the bundled credential.
        at: String,
        /// What is wrong with it.
        reason: BundledError,
    },
    /// A credential by somebody else that nothing shows to be theirs.
    #[error(
        "{at}: nothing shows that {issuer} has issued this: another issuer's credential needs its \
         own proof"
    )]
    Unproved {
        /// JSON pointer of the bundled credential.
        at: String,
        /// Its issuer, by its own word.
        issuer: String,
    },
    /// An association with something that the record does not hold.
    #[error("{at}: {id:?} is the id of no achievement in this record")]
    Association {
        /// JSON pointer of the end of the association.
        at: String,
        /// What stands there.
        id: String,
    },
}

/// Why something within a record is not read as a credential.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BundledError {
    /// No credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// An envelope that does not open.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A JWT that holds no credential.
    #[error(transparent)]
    Jwt(#[from] JwtError),
}

const SUBJECT: &str = "/credentialSubject";

/// Whether a document calls itself a record, and so has to be one by [`Clr::read`].
pub fn is_clr(document: &Value) -> bool {
    each(document.as_object(), "", "type").any(|(_, name)| name == TYPE)
}

/// The credentials that a record bundles, each with its JSON pointer: documents, envelopes, and
/// compact JWS as strings. What is bundled further down is theirs.
pub fn nested_credentials(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    each(document.as_object(), "", "credentialSubject")
        .flat_map(|(at, subject)| each(subject.as_object(), &at, "verifiableCredential"))
}

/// The ids of the achievements that a credential is given for: a badge, in whichever form it is
/// secured, by its own word. Nothing where it cannot be read.
pub(crate) fn achievements_of(credential: &Value) -> Vec<String> {
    let opened = open(credential);
    let document = opened.iter().filter(|document| !is_clr(document));
    let achievements = document.flat_map(|document| achievements(document));
    achievements.filter_map(|(_, one)| id_of(one)).collect()
}

/// The ids of the achievements that a record speaks of, in itself or in what it bundles.
pub(crate) fn described_in(record: &Value) -> HashSet<String> {
    let mut ids = HashSet::new();
    describe(record, 0, &mut ids);
    ids
}

impl<'a> Clr<'a> {
    /// How many credentials a record may bundle. Verification looks at a few more in all, which
    /// leaves room for endorsements.
    pub const MAX_CREDENTIALS: usize = 100;

    /// Reads a record that is to be issued. What it bundles is by others: it has to be credentials,
    /// whose proofs are not looked at, but one by another issuer needs some proof.
    ///
    /// # Errors
    /// [`ClrError`] names the place and the rule.
    pub fn read(document: &'a Value) -> Result<Self, ClrError> {
        let envelope = Credential::read(document)?;
        if !envelope.is_a(TYPE) {
            return Err(ClrError::Type);
        }
        let mut contexts = envelope.contexts.iter().skip(1).map(Value::as_str);
        let mut next_is = |is_it: fn(&str) -> bool| contexts.next().flatten().is_some_and(is_it);
        if !next_is(is_clr_context) || !next_is(is_ob_context) {
            return Err(ClrError::Contexts);
        }
        let members = check(document, &CLR_CREDENTIAL, Strictness::Lenient, "")?;
        check_bundled(document, envelope.issuer.id)?;
        check_associations(document)?;
        Ok(Self {
            id: envelope.id,
            issuer: envelope.issuer.id,
            subject: members["credentialSubject"]["id"].as_str(),
        })
    }
}

fn check_bundled(document: &Value, issuer: &str) -> Result<(), ClrError> {
    let count = nested_credentials(document).count();
    if count > Clr::MAX_CREDENTIALS {
        return Err(ClrError::TooMany { count });
    }
    for (at, value) in nested_credentials(document) {
        let opened = open(value).and_then(|opened| {
            let theirs = Credential::read(&opened)?.issuer.id.to_owned();
            let proved = matches!(opened, Cow::Owned(_)) || opened.get("proof").is_some();
            Ok((theirs, proved))
        });
        match opened {
            Err(reason) => return Err(ClrError::Bundled { at, reason }),
            Ok((theirs, false)) if theirs != issuer => {
                let issuer = theirs;
                return Err(ClrError::Unproved { at, issuer });
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// An association is between achievements, by their ids, and nobody could say which are meant if
/// they were somewhere else.
fn check_associations(document: &Value) -> Result<(), ClrError> {
    let mut ends = association_ends(document).peekable();
    if ends.peek().is_none() {
        return Ok(());
    }
    let ids = described_in(document);
    match ends.find(|(_, id)| !ids.contains(*id)) {
        None => Ok(()),
        Some((at, id)) => Err(ClrError::Association {
            at,
            id: id.to_owned(),
        }),
    }
}

/// Both ends of every association of a record, each with its JSON pointer.
pub(crate) fn association_ends(document: &Value) -> impl Iterator<Item = (String, &str)> {
    each(document.as_object(), "", "credentialSubject")
        .flat_map(|(at, subject)| each(subject.as_object(), &at, "association"))
        .flat_map(|(at, association)| {
            ["sourceId", "targetId"].into_iter().filter_map(move |end| {
                let id = association.get(end)?.as_str()?;
                Some((format!("{at}/{end}"), id))
            })
        })
}

/// The achievements that the subjects of a credential speak of themselves, with their pointers.
pub(crate) fn achievements(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    each(document.as_object(), "", "credentialSubject")
        .flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"))
}

fn describe(document: &Value, depth: usize, ids: &mut HashSet<String>) {
    ids.extend(achievements(document).filter_map(|(_, one)| id_of(one)));
    if depth == MAX_DEPTH {
        return;
    }
    for (_, value) in nested_credentials(document) {
        if let Ok(opened) = open(value) {
            describe(&opened, depth + 1, ids);
        }
    }
}

fn id_of(achievement: &Value) -> Option<String> {
    achievement.get("id")?.as_str().map(str::to_owned)
}

/// The document of a credential, out of whatever it comes in.
fn open(value: &Value) -> Result<Cow<'_, Value>, BundledError> {
    let text = match (value, Envelope::of(value)) {
        (Value::String(text), _) => text,
        (_, Some(_)) => Envelope::Credential.open(value)?,
        (_, None) => return Ok(Cow::Borrowed(value)),
    };
    Ok(Cow::Owned(CredentialJwt::parse(text)?.credential))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vc::jwt::sign_credential;
    use crate::vc::keys::SigningKey;
    use serde_json::json;

    const COLLEGE: &str = "did:web:college.example";

    fn badge(issuer: &str, achievement: &str) -> Value {
        json!({
            "@context": [contexts::CREDENTIALS_V2, OB_CONTEXT],
            "id": format!("{achievement}:badge"),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": issuer, "type": ["Profile"]},
            "validFrom": "2026-01-01T00:00:00Z",
            // No rule that only this registry has: another platform may leave out the name, and
            // write what says nothing.
            "evidence": [],
            "credentialSubject": {
                "id": "did:example:learner",
                "type": "AchievementSubject",
                "achievement": {"id": achievement, "type": "Achievement"},
            },
            "proof": {"type": "DataIntegrityProof"},
        })
    }

    fn achievement(id: &str) -> Value {
        json!({
            "id": id,
            "type": ["Achievement"],
            "name": "Care",
            "description": "Cares.",
            "criteria": {"narrative": "Care."},
        })
    }

    fn association(source: &str, target: &str) -> Value {
        json!({
            "type": "Association",
            "associationType": "isPartOf",
            "sourceId": source,
            "targetId": target,
        })
    }

    fn jwt(credential: &Value) -> String {
        let issuer = credential["issuer"]["id"].as_str().unwrap();
        let mut plain = credential.clone();
        plain.as_object_mut().unwrap().shift_remove("proof");
        let key = SigningKey::from_seed(&[1; 32]);
        sign_credential(&plain, &format!("{issuer}#key-1"), &key).unwrap()
    }

    fn record() -> Value {
        json!({
            "@context": [contexts::CREDENTIALS_V2, contexts::CLR, OB_CONTEXT],
            "id": "urn:record:1",
            "type": ["VerifiableCredential", "ClrCredential"],
            "name": "Transcript",
            "issuer": {"id": COLLEGE, "type": ["Profile"], "name": "College"},
            "partial": false,
            "credentialSubject": {
                "id": "did:example:learner",
                "type": ["ClrSubject"],
                "verifiableCredential": [
                    badge("did:web:board.example", "urn:a"),
                    Envelope::Credential.wrap(&jwt(&badge("did:web:board.example", "urn:b"))),
                ],
                "achievement": [achievement("urn:a"), achievement("urn:c")],
                "association": [association("urn:a", "urn:c"), association("urn:b", "urn:c")],
            },
        })
    }

    fn refusal(pointer: &str, to: Value) -> String {
        let mut document = record();
        *document.pointer_mut(pointer).unwrap() = to;
        Clr::read(&document).unwrap_err().to_string()
    }

    #[test]
    fn a_record_bundles_badges_in_every_form() {
        let document = record();
        let read = Clr::read(&document).unwrap();
        assert_eq!(read.id, Some("urn:record:1"));
        assert_eq!(read.issuer, COLLEGE);
        assert_eq!(read.subject, Some("did:example:learner"));
        assert!(is_clr(&document));
        assert!(!is_clr(&badge(COLLEGE, "urn:a")));
        let places: Vec<String> = nested_credentials(&document).map(|(at, _)| at).collect();
        let at = |number| format!("/credentialSubject/verifiableCredential/{number}");
        assert_eq!(places, [at(0), at(1)]);
        let of = |number: usize| {
            let at = at(number);
            achievements_of(document.pointer(&at).unwrap())
        };
        assert_eq!([of(0), of(1)], [["urn:a"], ["urn:b"]]);
        let bare = json!(jwt(&badge(COLLEGE, "urn:d")));
        assert_eq!(achievements_of(&bare), ["urn:d"]);
        assert_eq!(achievements_of(&json!("a.b.c")), [""; 0]);
    }

    #[test]
    fn every_rule_names_its_place() {
        let nested = |value: Value| json!([value]);
        let at = "/credentialSubject/verifiableCredential";
        let mut unsigned = badge("did:web:board.example", "urn:a");
        unsigned.as_object_mut().unwrap().shift_remove("proof");
        let mut presentation = badge(COLLEGE, "urn:a");
        presentation["type"] = json!(["VerifiablePresentation"]);
        let many = vec![badge(COLLEGE, "urn:a"); Clr::MAX_CREDENTIALS + 1];
        for (pointer, to, expected) in [
            (
                "/type",
                json!(["VerifiableCredential"]),
                "/type: ClrCredential has to be among the types",
            ),
            (
                "/@context",
                json!([contexts::CREDENTIALS_V2, OB_CONTEXT, contexts::CLR]),
                "/@context: after the first context comes one of CLR 2.0, such as ",
            ),
            (
                "/name",
                json!(" "),
                "/name: this has to be a string that is not blank",
            ),
            (
                "/partial",
                json!("no"),
                "/partial: this has to be true or false",
            ),
            (
                "/credentialSubject",
                json!({"type": ["ClrSubject"], "verifiableCredential": [badge(COLLEGE, "urn:a")]}),
                "/credentialSubject: ClrSubject needs \"id\" or \"identifier\"",
            ),
            (
                at,
                json!([]),
                "/credentialSubject/verifiableCredential: this has to be an array",
            ),
            (
                at,
                json!([jwt(&badge(COLLEGE, "urn:a"))]),
                "/credentialSubject/verifiableCredential/0: this has to be an object",
            ),
            (
                at,
                nested(json!({"name": "Care"})),
                "/credentialSubject/verifiableCredential/0: this has to be a credential, or one in \
                 an envelope: /@context: ",
            ),
            (
                at,
                nested(presentation),
                "/credentialSubject/verifiableCredential/0: this has to be a credential, or one in \
                 an envelope: /type: ",
            ),
            (
                at,
                nested(Envelope::Credential.wrap("a.b.c")),
                "/credentialSubject/verifiableCredential/0: this has to be a credential, or one in \
                 an envelope: ",
            ),
            (
                at,
                nested(unsigned),
                "/credentialSubject/verifiableCredential/0: nothing shows that \
                 did:web:board.example has issued this: another issuer's credential needs its own \
                 proof",
            ),
            (
                at,
                json!(many),
                "/credentialSubject/verifiableCredential: a record bundles at most 100 \
                 credentials; 101 are there",
            ),
            (
                "/credentialSubject/achievement/1/criteria",
                json!({}),
                "/credentialSubject/achievement/1/criteria: Criteria needs \"id\" or \"narrative\"",
            ),
            (
                "/credentialSubject/association/1/associationType",
                json!("resembles"),
                "/credentialSubject/association/1/associationType: this has to be one of ",
            ),
            (
                "/credentialSubject/association/1/targetId",
                json!("urn:record:1"),
                "/credentialSubject/association/1/targetId: \"urn:record:1\" is the id of no \
                 achievement in this record",
            ),
            (
                "/credentialSubject/association/0/sourceId",
                json!("urn:a:badge"),
                "/credentialSubject/association/0/sourceId: \"urn:a:badge\" is the id of no ",
            ),
        ] {
            let told = refusal(pointer, to);
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn an_issuer_may_tell_of_its_own_badges_without_a_proof() {
        let mut document = record();
        let mut own = badge(COLLEGE, "urn:a");
        own.as_object_mut().unwrap().shift_remove("proof");
        document["credentialSubject"]["verifiableCredential"][0] = own;
        assert!(Clr::read(&document).is_ok());
    }

    #[test]
    fn associations_reach_into_records_within() {
        let mut inner = record();
        inner["credentialSubject"]["achievement"] =
            json!([achievement("urn:c"), achievement("urn:e")]);
        inner["proof"] = json!({"type": "DataIntegrityProof"});
        let mut document = record();
        document["credentialSubject"]["verifiableCredential"] = json!([inner]);
        document["credentialSubject"]["association"] =
            json!([association("urn:b", "urn:e"), association("urn:c", "urn:a")]);
        assert!(Clr::read(&document).is_ok());
        // What a record within bundles is that record's.
        assert_eq!(achievements_of(&document), [""; 0]);
        // There is an end to records within records.
        let mut deep = json!({"credentialSubject": {"achievement": achievement("urn:deep")}});
        for level in 0..=MAX_DEPTH {
            let reached = described_in(&deep).contains("urn:deep");
            assert_eq!(reached, level <= MAX_DEPTH, "{level}");
            deep = json!({"credentialSubject": {"verifiableCredential": [deep]}});
        }
        assert!(!described_in(&deep).contains("urn:deep"));
    }
}
