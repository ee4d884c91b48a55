//! The StatusList2021 that is published beside a Bitstring Status List, over the same bits, for
//! readers that know no other (StatusList2021, section 4.2). They ask for the members of VC Data
//! Model 1.1, its context first, and read one bit for revocation or suspension.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::bsl::ListToPublish;
use super::entry::ListFormat;
use super::purpose::StatusPurpose;
use crate::bitstring::{ListEncoding, StatusSize};
use crate::vc::contexts::{DATA_INTEGRITY_V2, STATUS_LIST_2021};
use crate::vc::credential::CONTEXT_V1;

/// Why a list has no form in StatusList2021.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Not2021 {
    /// A purpose that came later.
    #[error("StatusList2021 knows revocation and suspension, and no list for {0}")]
    Purpose(StatusPurpose),
    /// Several bits for an entry.
    #[error("StatusList2021 has entries of one bit, not of {0}")]
    Size(StatusSize),
}

/// The credential of a list as a StatusList2021, not yet signed. Its contexts define the members of
/// a data integrity proof as well. `ttl` is left out, since no context defines it here.
///
/// # Errors
/// [`Not2021`].
pub fn build_list_2021(list: &ListToPublish<'_>) -> Result<Value, Not2021> {
    check_2021(list.purpose, list.bits.size())?;
    let format = ListFormat::StatusList2021;
    let mut credential = Map::new();
    let mut add = |name: &str, value: Value| credential.insert(name.to_owned(), value);
    add(
        "@context",
        json!([CONTEXT_V1, STATUS_LIST_2021, DATA_INTEGRITY_V2]),
    );
    add("id", json!(list.url));
    add(
        "type",
        json!(["VerifiableCredential", format.credential_type()]),
    );
    add("issuer", json!(list.issuer));
    add("issuanceDate", json!(list.valid_from.to_string()));
    if let Some(until) = list.valid_until {
        add("expirationDate", json!(until.to_string()));
    }
    let subject = json!({
        "id": format!("{}#list", list.url),
        "type": format.subject_type(),
        "statusPurpose": list.purpose,
        "encodedList": ListEncoding::StatusList2021.encode(list.bits),
    });
    add("credentialSubject", subject);
    Ok(Value::Object(credential))
}

/// Whether a list for `purpose` with entries of `size` has a form in StatusList2021.
///
/// # Errors
/// [`Not2021`].
pub fn check_2021(purpose: &StatusPurpose, size: StatusSize) -> Result<(), Not2021> {
    check_purpose_2021(purpose)?;
    match size {
        StatusSize::One => Ok(()),
        other => Err(Not2021::Size(other)),
    }
}

/// Whether StatusList2021 has lists and entries for this purpose.
///
/// # Errors
/// [`Not2021::Purpose`].
pub(super) fn check_purpose_2021(purpose: &StatusPurpose) -> Result<(), Not2021> {
    match purpose {
        StatusPurpose::Revocation | StatusPurpose::Suspension => Ok(()),
        StatusPurpose::Refresh | StatusPurpose::Message | StatusPurpose::Other(_) => {
            Err(Not2021::Purpose(purpose.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstring::{Bitstring, DEFAULT_CAP_BYTES, ListLength, MINIMUM_ENTRIES};
    use crate::status::{EntryForm, ListReference, StatusEntry, StatusList};
    use crate::time::{Timestamp, Ttl};
    use crate::vc::controller::Relationship;
    use crate::vc::keys::SigningKey;
    use crate::vc::proof::{self, ProofOptions};
    use proptest::prelude::*;

    const URL: &str = "https://example.com/status-lists/3/2021";

    const ISSUER: &str = "did:web:example.com";

    fn list<'a>(purpose: &'a StatusPurpose, bits: &'a Bitstring) -> ListToPublish<'a> {
        ListToPublish {
            url: URL,
            issuer: ISSUER,
            purpose,
            valid_from: Timestamp::EPOCH,
            valid_until: Some(Timestamp::EPOCH.plus(Ttl::from_seconds(3600))),
            ttl: Some(Ttl::from_seconds(300)),
            bits,
        }
    }

    fn entry(purpose: &StatusPurpose, index: u64) -> StatusEntry {
        let index = ListLength::MINIMUM.index(index).unwrap();
        let entry = EntryForm::status_list_2021(URL, purpose)
            .unwrap()
            .entry(index);
        match ListReference::parse(&entry, "/credentialStatus").unwrap() {
            ListReference::Bitstring(entry) => entry,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_list_is_published_member_by_member() {
        let bits = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
        let mut built = build_list_2021(&list(&StatusPurpose::Suspension, &bits)).unwrap();
        let encoded = built["credentialSubject"]["encodedList"].take();
        // GZIP as base64url, and no prefix of multibase.
        assert!(encoded.as_str().unwrap().starts_with("H4sI"), "{encoded}");
        let expected = json!({
            "@context": [
                "https://www.w3.org/2018/credentials/v1",
                "https://w3id.org/vc/status-list/2021/v1",
                "https://w3id.org/security/data-integrity/v2",
            ],
            "id": URL,
            "type": ["VerifiableCredential", "StatusList2021Credential"],
            "issuer": ISSUER,
            "issuanceDate": "1970-01-01T00:00:00Z",
            "expirationDate": "1970-01-01T01:00:00Z",
            "credentialSubject": {
                "id": "https://example.com/status-lists/3/2021#list",
                "type": "StatusList2021",
                "statusPurpose": "suspension",
                "encodedList": null,
            },
        });
        assert_eq!(built, expected);
    }

    #[test]
    fn a_signed_list_is_verified_here() {
        let bits = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
        let built = build_list_2021(&list(&StatusPurpose::Revocation, &bits)).unwrap();
        let key = SigningKey::from_seed(&[7; 32]);
        let method = format!("{ISSUER}#key-1");
        let signed = proof::sign(&built, &ProofOptions::new(method), &key).unwrap();
        let found: Vec<_> = proof::proofs(&signed).collect();
        let [Ok(made)] = found.as_slice() else {
            panic!("{found:?}");
        };
        let purpose = Relationship::AssertionMethod;
        let public = key.public().into();
        let checked = |document: &Value| {
            proof::verify(document, made, purpose, &public, Timestamp::EPOCH).map(drop)
        };
        assert_eq!(checked(&signed), Ok(()));
        let mut changed = signed.clone();
        changed["credentialSubject"]["statusPurpose"] = json!("suspension");
        assert!(checked(&changed).is_err());
        assert!(StatusList::parse(&signed, DEFAULT_CAP_BYTES).is_ok());
    }

    #[test]
    fn what_came_later_has_no_form_of_2021() {
        let one = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
        for purpose in ["refresh", "message", "recall"] {
            let purpose: StatusPurpose = purpose.parse().unwrap();
            assert_eq!(
                build_list_2021(&list(&purpose, &one)),
                Err(Not2021::Purpose(purpose.clone()))
            );
        }
        let two = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::Two);
        let refused = build_list_2021(&list(&StatusPurpose::Revocation, &two)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "StatusList2021 has entries of one bit, not of 2"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn an_entry_reads_what_was_set(
            set in prop::collection::vec(0u64..131_072, 0..20),
            purpose in prop::sample::select(vec![
                StatusPurpose::Revocation, StatusPurpose::Suspension,
            ]),
        ) {
            let length = ListLength::MINIMUM;
            let mut bits = Bitstring::zeroed(length, StatusSize::One);
            for &index in &set {
                bits.set(length.index(index).unwrap(), 1).unwrap();
            }
            let built = build_list_2021(&list(&purpose, &bits)).unwrap();
            let read = StatusList::parse(&built, DEFAULT_CAP_BYTES).unwrap();
            for index in set.iter().flat_map(|&index| [index, (index + 1) % 131_072]) {
                let said = read.check(&entry(&purpose, index), MINIMUM_ENTRIES).unwrap();
                prop_assert_eq!(said.status == 1, set.contains(&index));
            }
        }
    }
}
