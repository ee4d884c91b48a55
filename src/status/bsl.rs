//! The credential that publishes a status list, and the check of an entry against it
//! (Bitstring Status List 1.0, sections 2.2 and 3.2; StatusList2021, sections 4.2 and 5.2).

use serde_json::{Map, Value, json};

use super::answer::{StatusError, StatusResult};
use super::entry::{ListFormat, StatusEntry};
use super::purpose::StatusPurpose;
use crate::bitstring::{Bitstring, CodecError, StatusSize, decode, decode_2021, encode, status_at};
use crate::time::{Timestamp, Ttl};
use crate::vc::credential::{CONTEXT_V2, Credential};

const ENCODED_LIST: &str = "/credentialSubject/encodedList";

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
    subject.insert(
        "type".to_owned(),
        json!(ListFormat::Bitstring.subject_type()),
    );
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
    let types = json!([
        "VerifiableCredential",
        ListFormat::Bitstring.credential_type()
    ]);
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
    /// The standard that the list keeps.
    pub format: ListFormat,
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

impl ListFormat {
    fn of(credential: &Value) -> Result<Self, StatusError> {
        let has = |format: Self| has_type(credential, format.credential_type());
        match (has(Self::Bitstring), has(Self::StatusList2021)) {
            (true, false) => Ok(Self::Bitstring),
            (false, true) => Ok(Self::StatusList2021),
            // With both, readers would differ in how the bits are written.
            _ => {
                let expected = "either BitstringStatusListCredential or StatusList2021Credential";
                Err(StatusError::malformed("/type", expected))
            }
        }
    }

    fn decode(self, encoded: &str, cap: usize) -> Result<Vec<u8>, CodecError> {
        match self {
            Self::Bitstring => decode(encoded, cap),
            Self::StatusList2021 => decode_2021(encoded, cap),
        }
    }
}

impl StatusList {
    /// Reads the credential of a list, whose proof is already verified. The list is expanded to
    /// at most `cap` bytes.
    ///
    /// # Errors
    /// [`StatusError::Malformed`] and [`StatusError::Envelope`] name the place. A list that cannot
    /// be expanded is reported by [`StatusList::check`].
    pub fn parse(credential: &Value, cap: usize) -> Result<Self, StatusError> {
        Self::read(credential, |format, encoded| format.decode(encoded, cap))
    }

    /// Whether [`Self::parse`] would read the credential, found out without expanding the list:
    /// for a credential whose proof is not verified yet.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn check_shape(credential: &Value) -> Result<(), StatusError> {
        Self::read(credential, |_, _| Ok(Vec::new())).map(drop)
    }

    fn read(
        credential: &Value,
        expand: impl FnOnce(ListFormat, &str) -> Result<Vec<u8>, CodecError>,
    ) -> Result<Self, StatusError> {
        let format = ListFormat::of(credential)?;
        let envelope = Credential::read(credential)?;
        let subject = &credential["credentialSubject"];
        if !has_type(subject, format.subject_type()) {
            let at = "/credentialSubject/type";
            return Err(StatusError::malformed(at, format.subject_type()));
        }
        let Some(encoded) = subject["encodedList"].as_str() else {
            return Err(StatusError::malformed(ENCODED_LIST, "a string"));
        };
        Ok(Self {
            format,
            id: envelope.id.map(str::to_owned),
            issuer: envelope.issuer.id.to_owned(),
            purposes: purposes(&subject["statusPurpose"])?,
            valid_from: envelope.valid_from,
            valid_until: envelope.valid_until,
            ttl: ttl(subject.get("ttl"))?,
            bits: expand(format, encoded),
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
        if self.format != entry.format {
            return Err(StatusError::Verification {
                list: entry.list.clone(),
                reason: format!(
                    "it is a {}, and the entry is a {}",
                    self.format.subject_type(),
                    entry.format.entry_type()
                ),
            });
        }
        if !self.purposes.contains(&entry.purpose) {
            return Err(StatusError::Purpose {
                list: entry.list.clone(),
                purpose: entry.purpose.clone(),
            });
        }
        let (bytes, entries) = self.expanded(entry.size, minimum)?;
        let index = entry.index;
        let status = status_at(bytes, entry.size, index);
        let status = status.ok_or(StatusError::Range { index, entries })?;
        let message = entry.message(status);
        Ok(StatusResult::of(entry.purpose.clone(), status, message))
    }
}

impl StatusList {
    /// The statuses as bytes, for whoever keeps them elsewhere.
    ///
    /// # Errors
    /// [`StatusError::Expand`] where they cannot be expanded.
    pub fn bytes(&self) -> Result<&[u8], StatusError> {
        self.expanded(StatusSize::One, 0).map(|(bytes, _)| bytes)
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn footprint(&self) -> usize {
        let texts = self.issuer.len() + self.id.as_ref().map_or(0, String::len);
        let purposes = self.purposes.iter();
        let purposes = purposes.map(|one| size_of::<StatusPurpose>() + one.as_str().len());
        let bits = self.bits.as_ref().map_or(0, Vec::len);
        size_of::<Self>() + texts + purposes.sum::<usize>() + bits
    }

    /// Whether the list can be expanded, and has at least `minimum` entries of one bit.
    ///
    /// # Errors
    /// [`StatusError::Expand`], [`StatusError::Length`].
    pub fn check_length(&self, minimum: u64) -> Result<(), StatusError> {
        self.expanded(StatusSize::One, minimum).map(drop)
    }

    /// The bytes, and how many entries of this size they are.
    fn expanded(&self, size: StatusSize, minimum: u64) -> Result<(&[u8], u64), StatusError> {
        let bytes = self.bits.as_ref().map_err(|reason| StatusError::Expand {
            at: ENCODED_LIST,
            reason: reason.clone(),
        })?;
        let entries = bytes.len() as u64 * 8 / size.bits();
        match entries < minimum {
            true => Err(StatusError::Length { entries, minimum }),
            false => Ok((bytes, entries)),
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match &value["type"] {
        Value::String(one) => one == name,
        Value::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
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
    let at = "/credentialSubject/statusPurpose";
    purposes.ok_or_else(|| StatusError::malformed(at, "one or more purposes"))
}

fn ttl(value: Option<&Value>) -> Result<Option<Ttl>, StatusError> {
    let at = "/credentialSubject/ttl";
    value
        .map(|value| {
            let millis = value.as_u64().map(Ttl::from_millis);
            millis.ok_or_else(|| StatusError::malformed(at, "whole milliseconds"))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstring::{
        DEFAULT_CAP_BYTES, ListLength, MINIMUM_ENTRIES, StatusSize, decode_2021, encode_2021,
    };
    use crate::status::answer::{ERROR_LENGTH, ERROR_MALFORMED, ERROR_RANGE, ERROR_VERIFICATION};
    use crate::status::{EntryMembers, ListMessages, build_entry};
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
        let texts = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let messages = ListMessages::new(texts).unwrap();
        let purpose = StatusPurpose::Revocation;
        let members = EntryMembers::new(&purpose, StatusSize::Two, Some(messages), None).unwrap();
        let entry = build_entry(URL, &purpose, index, Some(&members));
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
    fn a_list_hands_out_its_bytes_and_tells_its_length() {
        let all = read(&list(&[1, 9]));
        let bytes = all.bytes().unwrap();
        assert_eq!((bytes.len(), &bytes[..3]), (16_384, &[0x40, 0x40, 0][..]));
        assert_eq!(all.check_length(131_072), Ok(()));
        let short = all.check_length(131_073).unwrap_err();
        assert_eq!(short.error_type(), ERROR_LENGTH);
        let garbled = read(&with("/credentialSubject/encodedList", json!("uxyz")));
        assert!(garbled.bytes().is_err());
        assert!(garbled.check_length(0).is_err());
    }

    /// What is kept of lists is counted by it, so that it stays within its bounds.
    #[test]
    fn what_a_list_takes_is_what_is_in_it() {
        let fixed = size_of::<StatusList>() + "did:web:example.com".len() + URL.len();
        let purpose = |text: &str| size_of::<StatusPurpose>() + text.len();
        let footprint = |pointer, value| read(&with(pointer, value)).footprint();
        let usual = fixed + purpose("revocation") + 16_384;
        assert_eq!(read(&list(&[])).footprint(), usual);
        let several = footprint("/credentialSubject/statusPurpose", json!(["refresh", "x"]));
        assert_eq!(several, fixed + purpose("refresh") + purpose("x") + 16_384);
        let tiny = footprint("/credentialSubject/encodedList", json!(encode(&[0; 7])));
        assert_eq!(tiny, fixed + purpose("revocation") + 7);
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
    fn purposes_may_be_several_and_the_issuer_an_object() {
        let several = with(
            "/credentialSubject/statusPurpose",
            json!(["suspension", "revocation"]),
        );
        assert!(read(&several).check(&entry(1), MINIMUM_ENTRIES).is_ok());
        let issuer = with("/issuer", json!({"id": "did:web:example.com"}));
        assert_eq!(read(&issuer).issuer, "did:web:example.com");
    }

    /// A list of 16,384 zero bytes as another implementation publishes it, with the members of
    /// VCDM 1.1.
    fn list_of_2021() -> Value {
        json!({
            "@context": [
                "https://www.w3.org/2018/credentials/v1",
                "https://w3id.org/vc/status-list/2021/v1",
            ],
            "type": ["VerifiableCredential", "StatusList2021Credential"],
            "id": URL,
            "issuer": "did:web:example.com",
            "issuanceDate": "2024-06-07T21:13:39Z",
            "expirationDate": "2024-06-08T21:13:39Z",
            "credentialSubject": {
                "type": "StatusList2021",
                "statusPurpose": "revocation",
                "encodedList":
                    "H4sIAAAAAAAA_-3BMQ0AAAACIGf_0MbwARoAAAAAAAAAAAAAAAAAAADgbbmHB0sAQAAA",
            },
        })
    }

    fn entry_of_2021(index: u64) -> StatusEntry {
        let format = ListFormat::StatusList2021;
        StatusEntry {
            format,
            index,
            ..entry(0)
        }
    }

    #[test]
    fn a_list_of_2021_is_read_in_both_data_models() {
        let old = read(&list_of_2021());
        assert_eq!(old.format, ListFormat::StatusList2021);
        assert_eq!(old.valid_from.unwrap().to_string(), "2024-06-07T21:13:39Z");
        assert_eq!(old.valid_until.unwrap().to_string(), "2024-06-08T21:13:39Z");
        for index in [0, 131_071] {
            let said = old.check(&entry_of_2021(index), MINIMUM_ENTRIES).unwrap();
            assert!(said.valid, "{index}");
        }
        let range = old.check(&entry_of_2021(131_072), MINIMUM_ENTRIES);
        assert_eq!(range.unwrap_err().error_type(), ERROR_RANGE);

        let mut new = list(&[]);
        let mut bytes = vec![0; 16_384];
        bytes[11_820] = 0x01;
        new["type"] = json!(["VerifiableCredential", "StatusList2021Credential"]);
        new["credentialSubject"]["type"] = json!("StatusList2021");
        new["credentialSubject"]["encodedList"] = json!(encode_2021(&bytes));
        let new = read(&new);
        assert!(new.valid_until.is_some());
        let said = |index| new.check(&entry_of_2021(index), MINIMUM_ENTRIES).unwrap();
        assert_eq!((said(94_567).status, said(94_566).status), (1, 0));
    }

    #[test]
    fn one_format_is_never_read_as_the_other() {
        let refusal = |list: &Value, entry: &StatusEntry| {
            let said = StatusList::parse(list, DEFAULT_CAP_BYTES)
                .and_then(|list| list.check(entry, MINIMUM_ENTRIES));
            said.unwrap_err().to_string()
        };
        assert_eq!(
            refusal(&list_of_2021(), &entry(0)),
            format!(
                "the status list {URL} cannot be verified: it is a StatusList2021, and the entry \
                 is a BitstringStatusListEntry"
            )
        );
        assert!(refusal(&list(&[]), &entry_of_2021(0)).contains("it is a BitstringStatusList,"));
        // The prefix of the one is no hint for the other: "u…" would be base64url as well.
        let mut prefixed = list_of_2021();
        prefixed["credentialSubject"]["encodedList"] = json!(encode(&[0; 16_384]));
        assert!(refusal(&prefixed, &entry_of_2021(0)).starts_with(ENCODED_LIST));
        let bare = with(
            "/credentialSubject/encodedList",
            json!(encode_2021(&[0; 16_384])),
        );
        assert!(refusal(&bare, &entry(0)).starts_with(ENCODED_LIST));
        let mut both = list_of_2021();
        both["type"] = json!(["StatusList2021Credential", "BitstringStatusListCredential"]);
        assert!(refusal(&both, &entry_of_2021(0)).starts_with("/type: "));
        let mut mixed = list_of_2021();
        mixed["credentialSubject"]["type"] = json!("BitstringStatusList");
        assert!(refusal(&mixed, &entry_of_2021(0)).starts_with("/credentialSubject/type: "));
        // A date under the name of the other data model would be overlooked.
        let mut dated = list_of_2021();
        dated["validUntil"] = json!("2020-01-01T00:00:00Z");
        assert!(refusal(&dated, &entry_of_2021(0)).contains("/validUntil"));
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
            assert_eq!(refused.error_type(), ERROR_MALFORMED);
            let text = refused.to_string();
            assert!(text.contains(pointer), "{text} names {pointer}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Most significant bit first, whatever the size.
        #[test]
        fn entries_of_every_size_read_what_was_set(
            size in prop::sample::select(&StatusSize::ALL),
            changes in prop::collection::vec((0u64..131_072, any::<u8>()), 1..20),
        ) {
            let length = ListLength::MINIMUM;
            let purpose = StatusPurpose::Revocation;
            let texts = (0..=size.maximum()).map(|value| format!("m{value}")).collect();
            let messages = ListMessages::new(texts).unwrap();
            let members = EntryMembers::new(&purpose, size, Some(messages), None).unwrap();
            let mut bits = Bitstring::zeroed(length, size);
            let mut bools = vec![false; (length.entries() * size.bits()) as usize];
            let mut model = std::collections::BTreeMap::new();
            for (index, value) in changes {
                let value = value & size.maximum();
                bits.set(length.index(index).unwrap(), value).unwrap();
                model.insert(index, value);
                for bit in 0..size.bits() {
                    let at = (index * size.bits() + bit) as usize;
                    bools[at] = value >> (size.bits() - 1 - bit) & 1 == 1;
                }
            }
            // The left-most bit is the first one.
            let packed: Vec<u8> = bools
                .chunks(8)
                .map(|byte| byte.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit)))
                .collect();
            prop_assert!(bits.as_bytes() == packed);
            let list = read(&published(&bits));
            for (&index, &value) in &model {
                let index = length.index(index).unwrap();
                let entry = build_entry(URL, &purpose, index, Some(&members));
                let entry = StatusEntry::parse(&entry, "").unwrap();
                let said = list.check(&entry, MINIMUM_ENTRIES).unwrap();
                prop_assert_eq!(said.status, value);
                let message = format!("m{value}");
                prop_assert_eq!(said.message, Some(message));
            }
        }

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
