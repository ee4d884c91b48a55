//! The credential that publishes a status list, and the check of an entry against it
//! (Bitstring Status List 1.0, sections 2.2 and 3.2).

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::entry::{EntryError, StatusEntry};
use super::purpose::StatusPurpose;
use crate::bitstring::{Bitstring, CodecError, decode, encode, status_at};
use crate::time::{Timestamp, Ttl};
use crate::vc::credential::CONTEXT_V2;

/// Error type URL: the list could not be fetched.
pub const ERROR_RETRIEVAL: &str =
    "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";
/// Error type URL: the list could not be verified, or is not one for this entry.
pub const ERROR_VERIFICATION: &str =
    "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR";
/// Error type URL: the list has too few entries to protect the privacy of holders.
pub const ERROR_LENGTH: &str =
    "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR";
/// Error type URL: a value breaks a rule of the data model.
pub const ERROR_MALFORMED: &str = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR";
/// Error type URL: a value lies outside its range.
pub const ERROR_RANGE: &str = "https://www.w3.org/TR/vc-data-model#RANGE_ERROR";

const CREDENTIAL_TYPE: &str = "BitstringStatusListCredential";
const SUBJECT_TYPE: &str = "BitstringStatusList";

/// What goes into the credential of a list.
#[derive(Debug, Clone, Copy)]
pub struct ListToPublish<'a> {
    /// URL of the list, which is also the `id` of the credential.
    pub url: &'a str,
    /// The `issuer.id` of the credentials that point into the list: verifiers refuse another.
    pub issuer: &'a str,
    /// The one purpose of the list.
    pub purpose: &'a StatusPurpose,
    /// From when this state of the list holds.
    pub valid_from: Timestamp,
    /// Until when it holds, at most.
    pub valid_until: Option<Timestamp>,
    /// How long a reader may keep it.
    pub ttl: Option<Ttl>,
    /// The statuses.
    pub bits: &'a Bitstring,
}

/// The credential of a list, not yet signed.
pub fn build_list(list: &ListToPublish<'_>) -> Value {
    let mut subject = Map::new();
    subject.insert("id".to_owned(), json!(format!("{}#list", list.url)));
    subject.insert("type".to_owned(), json!(SUBJECT_TYPE));
    // A string, although the standard allows an array: widely used readers only know the string.
    subject.insert("statusPurpose".to_owned(), json!(list.purpose));
    if let Some(ttl) = list.ttl {
        subject.insert("ttl".to_owned(), json!(ttl.millis()));
    }
    let encoded = encode(list.bits.as_bytes());
    subject.insert("encodedList".to_owned(), json!(encoded));

    let mut credential = Map::new();
    credential.insert("@context".to_owned(), json!([CONTEXT_V2]));
    credential.insert("id".to_owned(), json!(list.url));
    let types = json!(["VerifiableCredential", CREDENTIAL_TYPE]);
    credential.insert("type".to_owned(), types);
    credential.insert("issuer".to_owned(), json!(list.issuer));
    let valid_from = json!(list.valid_from.to_string());
    credential.insert("validFrom".to_owned(), valid_from);
    if let Some(until) = list.valid_until {
        credential.insert("validUntil".to_owned(), json!(until.to_string()));
    }
    credential.insert("credentialSubject".to_owned(), Value::Object(subject));
    Value::Object(credential)
}

/// A list read from its credential. Its proof, the time in which it is valid and the trust in
/// its issuer are checked by whoever fetched it; what is needed for that stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    /// The `id` of the credential, if it has one.
    pub id: Option<String>,
    /// Who published the list.
    pub issuer: String,
    /// What the list is for; at least one purpose.
    pub purposes: Vec<StatusPurpose>,
    /// Before that the list does not hold.
    pub valid_from: Option<Timestamp>,
    /// After that the list does not hold.
    pub valid_until: Option<Timestamp>,
    /// How long the list may be kept; never beyond `valid_until`.
    pub ttl: Option<Ttl>,
    /// The expanded list. An entry learns of a failure only after its purpose was found among
    /// the list's, since that is the order of the standard.
    bits: Result<Vec<u8>, CodecError>,
}

/// What a list says about one entry (Bitstring Status List 1.0, section 3.2, step 14).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct StatusResult {
    /// The status.
    pub status: u8,
    /// What it is about; [`StatusPurpose::effect`] says what it does to the credential.
    pub purpose: StatusPurpose,
    /// Whether the status is 0.
    pub valid: bool,
    /// What the status means by the entry's messages.
    pub message: Option<String>,
}

/// Why a list says nothing about an entry. That is never the same as "not revoked".
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatusError {
    /// The entry breaks a rule; nothing was fetched for it.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The list could not be fetched.
    #[error("the status list {list} cannot be fetched: {reason}")]
    Retrieval {
        /// URL of the list.
        list: String,
        /// What went wrong.
        reason: String,
    },
    /// The list was fetched, and its proof, validity or issuer does not hold.
    #[error("the status list {list} cannot be verified: {reason}")]
    Verification {
        /// URL of the list.
        list: String,
        /// What does not hold.
        reason: String,
    },
    /// The credential names itself by another id than the URL under which it was found.
    #[error("the status list found at {list} names itself {found}")]
    Identity {
        /// The URL in the entry.
        list: String,
        /// The id in the list.
        found: String,
    },
    /// The list is for another purpose.
    #[error("the status list {list} is not for the purpose {purpose:?}", purpose = purpose.as_str())]
    Purpose {
        /// URL of the list.
        list: String,
        /// The purpose of the entry.
        purpose: StatusPurpose,
    },
    /// The credential is not one of a status list.
    #[error("{at}: a status list credential needs {expected} here")]
    Malformed {
        /// JSON pointer in the list's credential.
        at: &'static str,
        /// What has to stand there.
        expected: &'static str,
    },
    /// The list cannot be expanded.
    #[error("/credentialSubject/encodedList: {0}")]
    Expand(#[from] CodecError),
    /// The list is too short.
    #[error("the status list has {entries} entries and needs at least {minimum}")]
    Length {
        /// Entries of the list, in the entry's size.
        entries: u64,
        /// Entries that it needs.
        minimum: u64,
    },
    /// The index lies behind the end of the list.
    #[error("index {index} lies behind the end of the status list, which has {entries} entries")]
    Range {
        /// The index of the entry.
        index: u64,
        /// Entries of the list.
        entries: u64,
    },
}

impl StatusError {
    /// The URL of the error's type, as the standard defines it.
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Retrieval { .. } => ERROR_RETRIEVAL,
            Self::Verification { .. } | Self::Identity { .. } | Self::Purpose { .. } => {
                ERROR_VERIFICATION
            }
            Self::Length { .. } => ERROR_LENGTH,
            Self::Range { .. } | Self::Entry(EntryError::IndexTooLarge(_)) => ERROR_RANGE,
            Self::Entry(_) | Self::Malformed { .. } | Self::Expand(_) => ERROR_MALFORMED,
        }
    }
}

impl StatusList {
    /// Reads the credential of a list, whose proof is already verified. The list is expanded to
    /// at most `cap` bytes.
    ///
    /// # Errors
    /// [`StatusError::Malformed`] names the place. A list that cannot be expanded is reported by
    /// [`StatusList::check`].
    pub fn parse(credential: &Value, cap: usize) -> Result<Self, StatusError> {
        Self::read(credential, |encoded| decode(encoded, cap))
    }

    /// Whether [`Self::parse`] would read the credential, found out without expanding the list:
    /// for a credential whose proof is not verified yet.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn check_shape(credential: &Value) -> Result<(), StatusError> {
        Self::read(credential, |_| Ok(Vec::new())).map(drop)
    }

    fn read(
        credential: &Value,
        expand: impl FnOnce(&str) -> Result<Vec<u8>, CodecError>,
    ) -> Result<Self, StatusError> {
        if !has_type(credential, CREDENTIAL_TYPE) {
            return malformed("/type", "BitstringStatusListCredential");
        }
        let subject = &credential["credentialSubject"];
        if !has_type(subject, SUBJECT_TYPE) {
            return malformed("/credentialSubject/type", "BitstringStatusList");
        }
        let Some(issuer) = issuer(&credential["issuer"]) else {
            return malformed("/issuer", "a URL, or an object with one as id");
        };
        let Some(encoded) = subject["encodedList"].as_str() else {
            return malformed("/credentialSubject/encodedList", "a string");
        };
        let id = match credential.get("id") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return malformed("/id", "a URL"),
        };
        Ok(Self {
            id,
            issuer,
            purposes: purposes(&subject["statusPurpose"])?,
            valid_from: moment(credential.get("validFrom"), "/validFrom")?,
            valid_until: moment(credential.get("validUntil"), "/validUntil")?,
            ttl: ttl(subject.get("ttl"))?,
            bits: expand(encoded),
        })
    }

    /// The status of `entry` in this list, which must have at least `minimum` entries: 131,072
    /// unless configured otherwise. The steps stand in the order of the standard's validation
    /// algorithm, after the list was fetched and verified.
    ///
    /// # Errors
    /// [`StatusError`] says which step failed; the status is unknown then.
    pub fn check(&self, entry: &StatusEntry, minimum: u64) -> Result<StatusResult, StatusError> {
        if let Some(found) = self.id.as_ref().filter(|id| **id != entry.list) {
            return Err(StatusError::Identity {
                list: entry.list.clone(),
                found: found.clone(),
            });
        }
        if !self.purposes.contains(&entry.purpose) {
            return Err(StatusError::Purpose {
                list: entry.list.clone(),
                purpose: entry.purpose.clone(),
            });
        }
        let bytes = self.bits.as_ref().map_err(Clone::clone)?;
        let entries = bytes.len() as u64 * 8 / entry.size.bits();
        if entries < minimum {
            return Err(StatusError::Length { entries, minimum });
        }
        let index = entry.index;
        let status = status_at(bytes, entry.size, index);
        let status = status.ok_or(StatusError::Range { index, entries })?;
        Ok(StatusResult {
            status,
            purpose: entry.purpose.clone(),
            valid: status == 0,
            message: entry.message(status).map(str::to_owned),
        })
    }
}

fn malformed<T>(at: &'static str, expected: &'static str) -> Result<T, StatusError> {
    Err(StatusError::Malformed { at, expected })
}

fn has_type(value: &Value, name: &str) -> bool {
    match &value["type"] {
        Value::String(one) => one == name,
        Value::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn issuer(value: &Value) -> Option<String> {
    let id = value.as_str().or_else(|| value["id"].as_str());
    id.map(str::to_owned)
}

fn purposes(value: &Value) -> Result<Vec<StatusPurpose>, StatusError> {
    let texts: Option<Vec<&str>> = match value {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let purposes = texts
        .filter(|texts| !texts.is_empty())
        .and_then(|texts| texts.into_iter().map(|text| text.parse().ok()).collect());
    match purposes {
        Some(purposes) => Ok(purposes),
        None => malformed("/credentialSubject/statusPurpose", "one or more purposes"),
    }
}

fn moment(value: Option<&Value>, at: &'static str) -> Result<Option<Timestamp>, StatusError> {
    let Some(value) = value else {
        return Ok(None);
    };
    match value.as_str().and_then(|text| text.parse().ok()) {
        Some(moment) => Ok(Some(moment)),
        None => malformed(at, "an RFC 3339 time"),
    }
}

fn ttl(value: Option<&Value>) -> Result<Option<Ttl>, StatusError> {
    match (value, value.and_then(Value::as_u64)) {
        (None, _) => Ok(None),
        (Some(_), Some(millis)) => Ok(Some(Ttl::from_millis(millis))),
        (Some(_), None) => malformed("/credentialSubject/ttl", "whole milliseconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstring::{
        DEFAULT_CAP_BYTES, ListLength, MINIMUM_ENTRIES, StatusSize, decode_2021,
    };
    use crate::status::{StatusMessages, build_entry};
    use proptest::prelude::*;

    const URL: &str = "https://example.com/status-lists/3";

    fn list(set: &[u64]) -> Value {
        let length = ListLength::MINIMUM;
        let mut bits = Bitstring::zeroed(length, StatusSize::One);
        for &index in set {
            bits.set(length.index(index).unwrap(), 1).unwrap();
        }
        published(&bits)
    }

    fn published(bits: &Bitstring) -> Value {
        build_list(&ListToPublish {
            url: URL,
            issuer: "did:web:example.com",
            purpose: &StatusPurpose::Revocation,
            valid_from: Timestamp::EPOCH,
            valid_until: Some(Timestamp::EPOCH.plus(Ttl::from_seconds(3600))),
            ttl: Some(Ttl::from_seconds(300)),
            bits,
        })
    }

    fn entry(index: u64) -> StatusEntry {
        let index = ListLength::MINIMUM.index(index).unwrap();
        let entry = build_entry(URL, &StatusPurpose::Revocation, index, None);
        StatusEntry::parse(&entry, "/credentialStatus").unwrap()
    }

    fn read(credential: &Value) -> StatusList {
        StatusList::parse(credential, DEFAULT_CAP_BYTES).unwrap()
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut credential = list(&[]);
        *credential.pointer_mut(pointer).unwrap() = value;
        credential
    }

    /// The type of the error that `entry` meets in `credential`.
    fn error_type(credential: &Value, entry: &StatusEntry) -> &'static str {
        StatusList::parse(credential, DEFAULT_CAP_BYTES)
            .and_then(|list| list.check(entry, MINIMUM_ENTRIES))
            .unwrap_err()
            .error_type()
    }

    #[test]
    fn a_list_is_published_member_by_member() {
        let mut credential = list(&[]);
        let subject = credential["credentialSubject"].as_object_mut().unwrap();
        let encoded = subject.remove("encodedList").unwrap();
        let encoded = encoded.as_str().unwrap();
        assert_eq!(decode(encoded, 1 << 20).unwrap(), vec![0; 16_384]);
        assert!(decode_2021(encoded, 1 << 20).is_err());
        let expected = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": "https://example.com/status-lists/3",
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": "did:web:example.com",
            "validFrom": "1970-01-01T00:00:00Z",
            "validUntil": "1970-01-01T01:00:00Z",
            "credentialSubject": {
                "id": "https://example.com/status-lists/3#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "ttl": 300_000,
            },
        });
        assert_eq!(credential, expected);
    }

    #[test]
    fn what_does_not_apply_is_left_out() {
        let bits = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
        let credential = build_list(&ListToPublish {
            url: URL,
            issuer: "did:web:example.com",
            purpose: &StatusPurpose::Suspension,
            valid_from: Timestamp::EPOCH,
            valid_until: None,
            ttl: None,
            bits: &bits,
        });
        assert_eq!(credential.get("validUntil"), None);
        assert_eq!(credential["credentialSubject"].get("ttl"), None);
        let list = read(&credential);
        assert_eq!((list.valid_until, list.ttl), (None, None));
        assert_eq!(list.purposes, [StatusPurpose::Suspension]);
    }

    #[test]
    fn a_published_list_answers_for_its_entries() {
        let list = read(&list(&[94_567]));
        assert_eq!(list.issuer, "did:web:example.com");
        assert_eq!(list.ttl, Some(Ttl::from_seconds(300)));
        let revoked = list.check(&entry(94_567), MINIMUM_ENTRIES).unwrap();
        assert_eq!((revoked.status, revoked.valid), (1, false));
        let clear = list.check(&entry(94_566), MINIMUM_ENTRIES).unwrap();
        assert_eq!((clear.status, clear.valid), (0, true));
    }

    #[test]
    fn messages_come_with_the_status() {
        let length = ListLength::MINIMUM;
        let mut bits = Bitstring::zeroed(length, StatusSize::Two);
        let index = length.index(5).unwrap();
        bits.set(index, 2).unwrap();
        let texts = ["a", "b", "c", "d"].iter().enumerate();
        let texts = texts.map(|(n, text)| json!({"status": format!("{n:#x}"), "message": text}));
        let messages = StatusMessages::parse(&texts.collect(), StatusSize::Two, "").unwrap();
        let purpose = StatusPurpose::Revocation;
        let entry = build_entry(URL, &purpose, index, Some(&messages));
        let entry = StatusEntry::parse(&entry, "").unwrap();
        let list = read(&published(&bits));
        let result = list.check(&entry, MINIMUM_ENTRIES).unwrap();
        assert_eq!((result.status, result.message.as_deref()), (2, Some("c")));
    }

    #[test]
    fn each_step_has_its_error() {
        let good = list(&[]);
        let other_purpose = {
            let mut other = entry(1);
            other.purpose = StatusPurpose::Suspension;
            other
        };
        assert_eq!(error_type(&good, &other_purpose), ERROR_VERIFICATION);
        let elsewhere = with("/id", json!("https://example.com/status-lists/4"));
        assert_eq!(error_type(&elsewhere, &entry(1)), ERROR_VERIFICATION);
        let short = with(
            "/credentialSubject/encodedList",
            json!(encode(&[0; 16_383])),
        );
        assert_eq!(error_type(&short, &entry(1)), ERROR_LENGTH);
        let mut wide = entry(1);
        wide.size = StatusSize::Two;
        assert_eq!(error_type(&good, &wide), ERROR_LENGTH);
        let mut far = entry(1);
        far.index = 131_072;
        assert_eq!(error_type(&good, &far), ERROR_RANGE);
        let garbled = with("/credentialSubject/encodedList", json!("uxyz"));
        assert_eq!(error_type(&garbled, &entry(1)), ERROR_MALFORMED);
        assert_eq!(
            StatusList::check_shape(&garbled),
            Ok(()),
            "it is not expanded"
        );
        // The purpose is looked at before the list is expanded.
        assert_eq!(error_type(&garbled, &other_purpose), ERROR_VERIFICATION);
    }

    #[test]
    fn a_smaller_minimum_can_be_configured() {
        let tiny = with("/credentialSubject/encodedList", json!(encode(&[0x40])));
        let result = read(&tiny).check(&entry(1), 8).unwrap();
        assert_eq!(result.status, 1);
        let range = read(&tiny).check(&entry(8), 8).unwrap_err();
        let expected = StatusError::Range {
            index: 8,
            entries: 8,
        };
        assert_eq!(range, expected);
    }

    #[test]
    fn purposes_may_be_several_and_types_one() {
        let several = with(
            "/credentialSubject/statusPurpose",
            json!(["suspension", "revocation"]),
        );
        assert!(read(&several).check(&entry(1), MINIMUM_ENTRIES).is_ok());
        let one = with("/type", json!("BitstringStatusListCredential"));
        assert!(read(&one).check(&entry(1), MINIMUM_ENTRIES).is_ok());
        let issuer = with("/issuer", json!({"id": "did:web:example.com"}));
        assert_eq!(read(&issuer).issuer, "did:web:example.com");
    }

    #[test]
    fn a_credential_of_another_kind_is_no_list() {
        for (pointer, value) in [
            ("/type", json!(["VerifiableCredential"])),
            ("/id", json!(3)),
            ("/issuer", json!({"name": "x"})),
            ("/validFrom", json!("yesterday")),
            ("/validUntil", json!(null)),
            ("/credentialSubject", json!("x")),
            ("/credentialSubject/type", json!("RevocationList2020")),
            ("/credentialSubject/statusPurpose", json!([])),
            ("/credentialSubject/statusPurpose", json!(["revocation", 1])),
            ("/credentialSubject/ttl", json!("300")),
            ("/credentialSubject/ttl", json!(-1)),
            ("/credentialSubject/encodedList", json!(null)),
        ] {
            let list = with(pointer, value);
            let refused = StatusList::parse(&list, 1 << 20).unwrap_err();
            assert_eq!(StatusList::check_shape(&list), Err(refused.clone()));
            assert!(
                matches!(refused, StatusError::Malformed { .. }),
                "{pointer}"
            );
            assert_eq!(refused.error_type(), ERROR_MALFORMED);
            let at = refused.to_string();
            assert!(at.starts_with(pointer), "{at} names {pointer}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn an_entry_reads_what_was_set(set in prop::collection::vec(0u64..131_072, 0..20)) {
            let list = read(&list(&set));
            for index in set.iter().flat_map(|&index| [index, (index + 1) % 131_072]) {
                let result = list.check(&entry(index), MINIMUM_ENTRIES).unwrap();
                prop_assert_eq!(result.status == 1, set.contains(&index));
                prop_assert_eq!(result.valid, result.status == 0);
            }
        }
    }
}
