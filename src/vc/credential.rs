//! The envelope of a credential: the members that VCDM 2.0 and 1.1 give a meaning of their own,
//! read once, with the place in every error. What the subject says is for others.

use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use crate::json::pointer_step;
use crate::time::{Timestamp, TimestampError};

/// The first context of a credential of VCDM 2.0.
pub const CONTEXT_V2: &str = "https://www.w3.org/ns/credentials/v2";

/// The first context of a credential of VCDM 1.1.
pub const CONTEXT_V1: &str = "https://www.w3.org/2018/credentials/v1";

/// The version of the data model, told by the first context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// VCDM 1.1: `issuanceDate` (required) and `expirationDate`.
    V1,
    /// VCDM 2.0: `validFrom` and `validUntil`.
    V2,
}

/// A credential's envelope, borrowed from the document. It is made only by [`Self::read`], so the
/// period is in order and every URL is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential<'a> {
    /// The data model.
    pub version: Version,
    /// The contexts in order, URLs and inline objects; the first is the version's.
    pub contexts: &'a [Value],
    /// The credential's URL, where it has one.
    pub id: Option<&'a str>,
    /// The types; `VerifiableCredential` is among them.
    pub types: Vec<&'a str>,
    /// Who issued it, by its own word.
    pub issuer: Issuer<'a>,
    /// From when it is valid (`validFrom` or `issuanceDate`), to the millisecond.
    pub valid_from: Option<Timestamp>,
    /// When it ceases to be valid (`validUntil` or `expirationDate`), to the millisecond.
    pub valid_until: Option<Timestamp>,
    /// What it is about; at least one.
    pub subjects: Vec<Subject<'a>>,
    /// Its status entries as they stand; each has a `type`.
    pub statuses: Vec<&'a Map<String, Value>>,
    /// Its embedded proofs as they stand.
    pub proofs: Proofs<'a>,
}

/// The issuer as the credential names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Issuer<'a> {
    /// Its URL.
    pub id: &'a str,
    /// All that the credential says about it, where `issuer` is an object.
    pub profile: Option<&'a Map<String, Value>>,
}

/// One subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subject<'a> {
    /// Its URL, where it has one.
    pub id: Option<&'a str>,
    /// All claims.
    pub claims: &'a Map<String, Value>,
}

/// The embedded proofs. A credential without any is not forged but unproven, unless a JWT
/// envelops it.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub enum Proofs<'a> {
    /// There is no `proof`.
    Absent,
    /// At least one, in order.
    Embedded(Vec<&'a Map<String, Value>>),
}

/// How a moment lies to a credential's period.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Within it.
    Current,
    /// Before it.
    NotYetValid {
        /// When it begins.
        from: Timestamp,
    },
    /// At its end or later.
    Expired {
        /// When it ended.
        at: Timestamp,
    },
}

/// Why a document is no credential. Pointers are JSON pointers into it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// Not an object.
    #[error("a credential is a JSON object")]
    NotAnObject,
    /// The first context is of no version of the data model.
    #[error("/@context: the first context must be {CONTEXT_V2:?} (or {CONTEXT_V1:?})")]
    Context,
    /// A required member is not there.
    #[error("{pointer}: missing, expected {expected}")]
    Missing {
        /// Where it should be.
        pointer: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A member has a value that it cannot have.
    #[error("{pointer}: expected {expected}")]
    Wrong {
        /// Its place.
        pointer: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A date is not one.
    #[error("{pointer}: {reason}")]
    Date {
        /// Its place.
        pointer: String,
        /// What is wrong.
        reason: TimestampError,
    },
    /// A member of the other version of the data model, which a reader of this one overlooks.
    #[error("/{member}: belongs to another version of the data model; {instead} is meant here")]
    OtherVersion {
        /// The member.
        member: &'static str,
        /// Its name in this version.
        instead: &'static str,
    },
    /// The period ends before it begins.
    #[error("/{member}: the credential is valid from {from}, which is after its end, {until}")]
    Period {
        /// The member that says when it ends.
        member: &'static str,
        /// Its beginning.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
}

impl<'a> Credential<'a> {
    /// Reads the envelope (VCDM 2.0 section 4, VCDM 1.1 sections 4 and 5.2).
    ///
    /// # Errors
    /// The first member that is missing or cannot be what it is.
    pub fn read(document: &'a Value) -> Result<Self, CredentialError> {
        let members = document.as_object().ok_or(CredentialError::NotAnObject)?;
        let (version, contexts) = read_contexts(members)?;
        let (valid_from, valid_until) = read_period(members, version)?;
        Ok(Self {
            version,
            contexts,
            id: members
                .get("id")
                .map(|id| read_url(id, "/id"))
                .transpose()?,
            types: read_types(members)?,
            issuer: read_issuer(members)?,
            valid_from,
            valid_until,
            subjects: read_subjects(members)?,
            statuses: read_statuses(members)?,
            proofs: read_proofs(members)?,
        })
    }

    /// How `now` lies to the period. The end itself is outside: `validUntil` is when the
    /// credential ceases to be valid, as the `exp` of a JWT.
    pub fn validity(&self, now: Timestamp) -> Validity {
        match (self.valid_from, self.valid_until) {
            (Some(from), _) if now < from => Validity::NotYetValid { from },
            (_, Some(at)) if now >= at => Validity::Expired { at },
            _ => Validity::Current,
        }
    }

    /// Whether it has this type, such as `EndorsementCredential`.
    pub fn is_a(&self, name: &str) -> bool {
        self.types.contains(&name)
    }
}

type Members = Map<String, Value>;

fn read_contexts(members: &Members) -> Result<(Version, &[Value]), CredentialError> {
    let context = required(members, "@context", "a context")?;
    // A single context may stand without an array (JSON-LD), though VCDM always has an array.
    let contexts = items(context);
    let version = match contexts.first().and_then(Value::as_str) {
        Some(CONTEXT_V2) => Version::V2,
        Some(CONTEXT_V1) => Version::V1,
        _ => return Err(CredentialError::Context),
    };
    for (at, context) in numbered("/@context", context).skip(1) {
        if !context.is_object() && read_url(context, &at).is_err() {
            return Err(wrong(at, "a URL or an inline context"));
        }
    }
    Ok((version, contexts))
}

fn read_types(members: &Members) -> Result<Vec<&str>, CredentialError> {
    let value = required(members, "type", "the credential's types")?;
    let mut types = Vec::new();
    for (at, item) in numbered("/type", value) {
        types.push(
            item.as_str()
                .ok_or_else(|| wrong(at, "the name of a type"))?,
        );
    }
    match types.contains(&"VerifiableCredential") {
        true => Ok(types),
        false => Err(wrong(
            "/type".to_owned(),
            "VerifiableCredential among the types",
        )),
    }
}

fn read_issuer(members: &Members) -> Result<Issuer<'_>, CredentialError> {
    match required(
        members,
        "issuer",
        "the issuer's URL, or an object with its id",
    )? {
        Value::Object(profile) => {
            let id = profile.get("id").ok_or_else(|| CredentialError::Missing {
                pointer: "/issuer/id".to_owned(),
                expected: "the issuer's URL",
            })?;
            Ok(Issuer {
                id: read_url(id, "/issuer/id")?,
                profile: Some(profile),
            })
        }
        id => Ok(Issuer {
            id: read_url(id, "/issuer")?,
            profile: None,
        }),
    }
}

fn read_period(
    members: &Members,
    version: Version,
) -> Result<(Option<Timestamp>, Option<Timestamp>), CredentialError> {
    let v1 = ("issuanceDate", "expirationDate");
    let v2 = ("validFrom", "validUntil");
    let (here, other) = match version {
        Version::V1 => (v1, v2),
        Version::V2 => (v2, v1),
    };
    for (member, instead) in [(other.0, here.0), (other.1, here.1)] {
        if members.contains_key(member) {
            return Err(CredentialError::OtherVersion { member, instead });
        }
    }
    if version == Version::V1 {
        required(members, here.0, "when the credential was issued")?;
    }
    let (from, until) = (read_date(members, here.0)?, read_date(members, here.1)?);
    match (from, until) {
        (Some(from), Some(until)) if from > until => Err(CredentialError::Period {
            member: here.1,
            from,
            until,
        }),
        period => Ok(period),
    }
}

fn read_date(members: &Members, member: &str) -> Result<Option<Timestamp>, CredentialError> {
    let Some(value) = members.get(member) else {
        return Ok(None);
    };
    let pointer = pointer_step(member);
    let Some(text) = value.as_str() else {
        return Err(wrong(pointer, "a time such as 2026-01-31T12:00:00Z"));
    };
    text.parse()
        .map(Some)
        .map_err(|reason| CredentialError::Date { pointer, reason })
}

fn read_subjects(members: &Members) -> Result<Vec<Subject<'_>>, CredentialError> {
    let value = required(members, "credentialSubject", "what the credential is about")?;
    let mut subjects = Vec::new();
    for (at, claims) in read_objects("/credentialSubject", value)? {
        if claims.is_empty() {
            return Err(wrong(at, "at least one claim"));
        }
        let id = claims
            .get("id")
            .map(|id| read_url(id, &format!("{at}/id")))
            .transpose()?;
        subjects.push(Subject { id, claims });
    }
    match subjects.is_empty() {
        true => Err(wrong(
            "/credentialSubject".to_owned(),
            "at least one subject",
        )),
        false => Ok(subjects),
    }
}

fn read_statuses(members: &Members) -> Result<Vec<&Members>, CredentialError> {
    let Some(value) = members.get("credentialStatus") else {
        return Ok(Vec::new());
    };
    let mut statuses = Vec::new();
    for (at, status) in read_objects("/credentialStatus", value)? {
        let types = status.get("type").map(items).unwrap_or_default();
        if types.is_empty() || !types.iter().all(Value::is_string) {
            return Err(wrong(format!("{at}/type"), "the status entry's type"));
        }
        statuses.push(status);
    }
    Ok(statuses)
}

fn read_proofs(members: &Members) -> Result<Proofs<'_>, CredentialError> {
    let Some(value) = members.get("proof") else {
        return Ok(Proofs::Absent);
    };
    let proofs = read_objects("/proof", value)?;
    match proofs.is_empty() {
        true => Err(wrong("/proof".to_owned(), "at least one proof")),
        false => Ok(Proofs::Embedded(
            proofs.into_iter().map(|(_, proof)| proof).collect(),
        )),
    }
}

/// A value that is an object or an array of objects, each with its place.
fn read_objects<'a>(
    pointer: &'static str,
    value: &'a Value,
) -> Result<Vec<(String, &'a Members)>, CredentialError> {
    numbered(pointer, value)
        .map(|(at, item)| match item.as_object() {
            Some(object) => Ok((at, object)),
            None => Err(wrong(at, "an object")),
        })
        .collect()
}

fn required<'a>(
    members: &'a Members,
    member: &str,
    expected: &'static str,
) -> Result<&'a Value, CredentialError> {
    let pointer = || pointer_step(member);
    members.get(member).ok_or_else(|| CredentialError::Missing {
        pointer: pointer(),
        expected,
    })
}

/// A URL as credentials write it: absolute, with nothing that a parser would trim or change
/// silently. Ids are compared as they are written.
fn read_url<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, CredentialError> {
    let text = value.as_str().unwrap_or_default();
    match is_url(text) {
        true => Ok(text),
        false => Err(wrong(
            pointer.to_owned(),
            "a URL, with its scheme and without spaces",
        )),
    }
}

/// Whether this is an absolute URL without blanks and line ends, which the parser drops silently,
/// so that two texts would be one URL.
pub fn is_url(text: &str) -> bool {
    let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    clean && (is_plain_url(text) || Url::parse(text).is_ok())
}

/// Whether this is a URL of the most common kinds, which no parser refuses: https with a host of
/// plain lower-case labels, of which the last begins with a letter and so is part of no IP
/// address; or a DID.
fn is_plain_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else {
        // With slashes it would have a host.
        return text
            .strip_prefix("did:")
            .is_some_and(|rest| !rest.starts_with('/'));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = &rest[..end];
    let is_plain = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    !host.contains("xn--") && host.split('.').all(is_plain)
}

fn items(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// The items of an array, or the one value, each with its place.
fn numbered<'a>(
    pointer: &'static str,
    value: &'a Value,
) -> impl Iterator<Item = (String, &'a Value)> {
    items(value)
        .iter()
        .enumerate()
        .map(move |(index, item)| match value.is_array() {
            true => (format!("{pointer}/{index}"), item),
            false => (pointer.to_owned(), item),
        })
}

const fn wrong(pointer: String, expected: &'static str) -> CredentialError {
    CredentialError::Wrong { pointer, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Ttl;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        /// What is taken without parsing is what the parser takes.
        #[test]
        fn a_plain_url_is_a_url(
            text in "(https://|did:)[a-z0-9.:@%/?#\\[\\]<>^|x-]{0,12}[a-z0-9.]{0,5}\\PC{0,4}",
        ) {
            prop_assert!(!is_plain_url(&text) || Url::parse(&text).is_ok(), "{}", text);
        }
    }

    fn example() -> Value {
        json!({
            "@context": [CONTEXT_V2, "https://example.org/context", { "a": "https://example.org/a" }],
            "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "issuer": { "id": "did:web:example.org", "name": "Example" },
            "validFrom": "2026-01-01T00:00:00Z",
            "validUntil": "2027-01-01T01:00:00+01:00",
            "credentialSubject": { "id": "https://example.org/profiles/a", "name": "A" },
            "credentialStatus": [{ "type": "BitstringStatusListEntry", "statusListIndex": "7" }],
            "proof": { "type": "DataIntegrityProof" },
        })
    }

    fn old_example() -> Value {
        json!({
            "@context": [CONTEXT_V1],
            "type": ["VerifiableCredential"],
            "issuer": "https://example.org/issuer?v=3_0",
            "issuanceDate": "2020-01-01T00:00:00Z",
            "expirationDate": "2021-01-01T00:00:00Z",
            "credentialSubject": [{ "id": "did:example:1" }, { "name": "B" }],
        })
    }

    /// What is said when `pointer` is replaced, or taken out where there is no value.
    fn refusal(pointer: &str, value: Option<Value>) -> String {
        let mut document = example();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        match (value, parent) {
            (Some(value), Value::Array(items)) => items[member.parse::<usize>().unwrap()] = value,
            (Some(value), parent) => parent[member] = value,
            (None, parent) => drop(parent.as_object_mut().unwrap().shift_remove(member)),
        }
        Credential::read(&document).expect_err(pointer).to_string()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_envelope_is_read() {
        let document = example();
        let credential = Credential::read(&document).unwrap();
        assert_eq!(credential.version, Version::V2);
        assert_eq!(credential.contexts.len(), 3);
        assert_eq!(credential.id, document["id"].as_str());
        assert!(credential.is_a("EndorsementCredential") && !credential.is_a("Endorsement"));
        assert_eq!(credential.issuer.id, "did:web:example.org");
        assert_eq!(credential.issuer.profile.unwrap()["name"], "Example");
        assert_eq!(credential.valid_until, Some(at("2027-01-01T00:00:00Z")));
        assert_eq!(
            credential.subjects[0].id,
            Some("https://example.org/profiles/a")
        );
        assert_eq!(credential.statuses[0]["statusListIndex"], "7");
        assert!(matches!(&credential.proofs, Proofs::Embedded(proofs) if proofs.len() == 1));
    }

    #[test]
    fn the_older_data_model_is_read() {
        let document = old_example();
        let credential = Credential::read(&document).unwrap();
        assert_eq!(credential.version, Version::V1);
        assert_eq!(credential.issuer.id, "https://example.org/issuer?v=3_0");
        assert_eq!(credential.valid_from, Some(at("2020-01-01T00:00:00Z")));
        assert_eq!(credential.valid_until, Some(at("2021-01-01T00:00:00Z")));
        assert_eq!(credential.subjects.len(), 2);
        assert_eq!(credential.proofs, Proofs::Absent);
        assert!(credential.statuses.is_empty());
        let mut undated = old_example();
        undated
            .as_object_mut()
            .unwrap()
            .shift_remove("issuanceDate");
        let error = Credential::read(&undated).unwrap_err().to_string();
        assert_eq!(
            error,
            "/issuanceDate: missing, expected when the credential was issued"
        );
    }

    #[test]
    fn what_only_the_other_version_reads_is_refused() {
        let mut old = old_example();
        old["validUntil"] = json!("2020-06-01T00:00:00Z");
        let error = Credential::read(&old).unwrap_err();
        let (member, instead) = ("validUntil", "expirationDate");
        assert_eq!(error, CredentialError::OtherVersion { member, instead });
        let date = Some(json!("2026-06-01T00:00:00Z"));
        let error = refusal("/expirationDate", date);
        assert!(
            error.starts_with("/expirationDate: belongs to another version"),
            "{error}"
        );
    }

    type Refusal = (&'static str, Option<Value>, &'static str);

    fn assert_refused(stories: &[Refusal]) {
        for (pointer, value, message) in stories {
            assert_eq!(refusal(pointer, value.clone()), *message, "{pointer}");
        }
    }

    #[test]
    fn refusals_of_names_and_types_name_the_place() {
        assert_refused(&[
            ("/@context", None, "/@context: missing, expected a context"),
            (
                "/@context/1",
                Some(json!(7)),
                "/@context/1: expected a URL or an inline context",
            ),
            (
                "/@context/2",
                Some(json!("context")),
                "/@context/2: expected a URL or an inline context",
            ),
            (
                "/id",
                Some(json!("a b")),
                "/id: expected a URL, with its scheme and without spaces",
            ),
            (
                "/id",
                Some(json!(null)),
                "/id: expected a URL, with its scheme and without spaces",
            ),
            (
                "/type",
                Some(json!([])),
                "/type: expected VerifiableCredential among the types",
            ),
            (
                "/type/1",
                Some(json!(7)),
                "/type/1: expected the name of a type",
            ),
            (
                "/issuer",
                None,
                "/issuer: missing, expected the issuer's URL, or an object with its id",
            ),
            (
                "/issuer",
                Some(json!("me")),
                "/issuer: expected a URL, with its scheme and without spaces",
            ),
            (
                "/issuer/id",
                None,
                "/issuer/id: missing, expected the issuer's URL",
            ),
            (
                "/issuer/id",
                Some(json!([])),
                "/issuer/id: expected a URL, with its scheme and without spaces",
            ),
        ]);
    }

    #[test]
    fn refusals_of_dates_and_parts_name_the_place() {
        assert_refused(&[
            (
                "/validFrom",
                Some(json!(2026)),
                "/validFrom: expected a time such as 2026-01-31T12:00:00Z",
            ),
            (
                "/validUntil",
                Some(json!("2026-01-01")),
                "/validUntil: \"2026-01-01\" is not an RFC 3339 time such as 2026-01-31T12:00:00Z",
            ),
            (
                "/validUntil",
                Some(json!("2025-01-01T00:00:00Z")),
                "/validUntil: the credential is valid from 2026-01-01T00:00:00Z, which is after its end, 2025-01-01T00:00:00Z",
            ),
            (
                "/credentialSubject",
                Some(json!([])),
                "/credentialSubject: expected at least one subject",
            ),
            (
                "/credentialSubject",
                Some(json!([{}])),
                "/credentialSubject/0: expected at least one claim",
            ),
            (
                "/credentialSubject",
                Some(json!("x")),
                "/credentialSubject: expected an object",
            ),
            (
                "/credentialSubject/id",
                Some(json!("x")),
                "/credentialSubject/id: expected a URL, with its scheme and without spaces",
            ),
            (
                "/credentialStatus/0",
                Some(json!("x")),
                "/credentialStatus/0: expected an object",
            ),
            (
                "/credentialStatus/0/type",
                None,
                "/credentialStatus/0/type: expected the status entry's type",
            ),
            ("/proof", Some(json!(null)), "/proof: expected an object"),
            (
                "/proof",
                Some(json!([])),
                "/proof: expected at least one proof",
            ),
        ]);
    }

    #[test]
    fn the_first_context_tells_the_version() {
        for first in [
            json!([]),
            json!("https://example.org"),
            json!([{}, CONTEXT_V2]),
            json!(null),
        ] {
            assert!(refusal("/@context", Some(first)).contains("the first context must be"));
        }
        assert_eq!(
            Credential::read(&json!([])),
            Err(CredentialError::NotAnObject)
        );
    }

    #[test]
    fn the_period_includes_its_beginning_and_not_its_end() {
        let document = example();
        let credential = Credential::read(&document).unwrap();
        let (from, until) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let before = Timestamp::from_millis(from.millis() - 1);
        assert_eq!(credential.validity(before), Validity::NotYetValid { from });
        assert_eq!(credential.validity(from), Validity::Current);
        let last = Timestamp::from_millis(until.millis() - 1);
        assert_eq!(credential.validity(last), Validity::Current);
        assert_eq!(credential.validity(until), Validity::Expired { at: until });
        let later = until.plus(Ttl::from_seconds(1));
        assert_eq!(credential.validity(later), Validity::Expired { at: until });
    }

    #[test]
    fn a_credential_without_dates_is_current() {
        let mut document = example();
        for member in ["validFrom", "validUntil"] {
            document.as_object_mut().unwrap().shift_remove(member);
        }
        let credential = Credential::read(&document).unwrap();
        assert_eq!(credential.validity(Timestamp::EPOCH), Validity::Current);
    }

    proptest! {
        #[test]
        fn a_moment_is_in_exactly_one_place(from: i32, length: u16, now: i32) {
            let mut document = example();
            let from = Timestamp::from_millis(i64::from(from) * 1000);
            let until = from.plus(Ttl::from_seconds(length.into()));
            document["validFrom"] = json!(from.to_string());
            document["validUntil"] = json!(until.to_string());
            let now = Timestamp::from_millis(i64::from(now) * 1000);
            let expected = if now < from {
                Validity::NotYetValid { from }
            } else if now < until {
                Validity::Current
            } else {
                Validity::Expired { at: until }
            };
            prop_assert_eq!(Credential::read(&document).unwrap().validity(now), expected);
        }
    }
}
