//! Status lists of ours in every format, read by the software of others: one credential's entry is
//! set once, and each format says so.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use goodstanding::bitstring::{Bitstring, ListLength, StatusSize};
use goodstanding::status::{
    EntryForm, ListToPublish, Plane, StatusPurpose, TokenBits, TokenListToPublish, build_list_2021,
    project,
};
use goodstanding::time::{Timestamp, Ttl};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use serde_json::{Value, json};

use super::samples::{LENGTH, SEED, old_credential, one_percent};
use crate::support::peers::{EntryReport, StatusReport, peers};

/// The token list's own URL.
const TOKENS: &str = "https://college.example/tokens/1";

/// The URL of the list as a StatusList2021.
const OLD: &str = "https://college.example/lists/1/2021";

/// The `iat` of everything here.
const SINCE: i64 = 1_767_225_600;

#[test]
fn the_peers_read_our_token_lists_in_both_forms() {
    let key = SigningKey::from_seed(&SEED);
    let (revoked, suspended) = (at_places(0), at_places(1));
    let own: StatusPurpose = "https://college.example/terms#recall".parse().unwrap();
    for size in StatusSize::ALL {
        let recalled = recalled(size);
        let revocation = plane(&StatusPurpose::Revocation, &revoked);
        let mut planes = vec![revocation, plane(&own, &recalled)];
        if size != StatusSize::One {
            planes.push(plane(&StatusPurpose::Suspension, &suspended));
        }
        let statuses = project(&planes).unwrap();
        assert_eq!(statuses.size(), size);
        let expected: Vec<StatusReport> = one_percent()
            .into_iter()
            .flat_map(|index| [index, index ^ 1])
            .map(|index| StatusReport {
                index,
                status: statuses.get(index).unwrap().into(),
            })
            .collect();
        for value in [0, 1, 2, u64::from(size.maximum())] {
            let shown = expected.iter().any(|report| report.status == value);
            assert!(shown || value > size.maximum().into(), "{size}: {value}");
        }
        let compressed = TokenBits::compress(&statuses);
        let list = token_list(&compressed);
        let kid = DidKey::from(key.public()).method_url();
        let jwt = list.to_jwt(&kid, &key);
        let cwt = BASE64_URL_SAFE_NO_PAD.encode(list.to_cwt(&kid, &key));
        for (suite, token) in [("statuslist+jwt", jwt), ("statuslist+cwt", cwt)] {
            says(suite, &token, &key, &expected);
        }
    }
}

fn says(suite: &str, token: &str, key: &SigningKey, expected: &[StatusReport]) {
    let indexes: Vec<u64> = expected.iter().map(|report| report.index).collect();
    let public = key.public().to_jwk();
    for peer in peers() {
        let asked = json!({"suite": suite, "trusted": [public], "indexes": indexes});
        let report = peer.verify_with(&json!(token), &asked);
        let context = format!("{suite}, {}", peer.name);
        assert!(report.verified, "{context}: {report:?}");
        let list = report.status_list.unwrap();
        assert_eq!(list.statuses, expected, "{context}");
        assert_eq!(list.length, LENGTH, "{context}");
        let claims = report.claims.unwrap();
        assert_eq!(
            (
                &claims["sub"],
                &claims["iat"],
                &claims["exp"],
                &claims["ttl"]
            ),
            (
                &json!(TOKENS),
                &json!(SINCE),
                &json!(SINCE + 365 * 86_400),
                &json!(300)
            ),
            "{context}"
        );
    }
}

#[test]
fn the_peers_read_our_lists_of_2021() {
    let key = SigningKey::from_seed(&SEED);
    let did = DidKey::from(key.public());
    let options = ProofOptions::new(did.method_url());
    let sign = |document: &Value| proof::sign(document, &options, &key).unwrap();
    let bits = at_places(0);
    let purpose = StatusPurpose::Revocation;
    let since = Timestamp::from_millis(SINCE * 1000);
    let list = build_list_2021(&ListToPublish {
        url: OLD,
        issuer: &did.to_string(),
        purpose: &purpose,
        valid_from: since,
        // The package goes by the real time here, whatever it is asked.
        valid_until: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        ttl: Some(Ttl::from_seconds(300)),
        bits: &bits,
    });
    let list = sign(&list.unwrap());
    let set = (0..LENGTH)
        .find(|index| bits.get(*index) == Some(1))
        .unwrap();
    for (index, status) in [(set, 1), (set ^ 1, 0)] {
        let form = EntryForm::status_list_2021(OLD, &purpose).unwrap();
        let place = ListLength::MINIMUM.index(index).unwrap();
        let mut credential = old_credential();
        let contexts = credential["@context"].as_array_mut().unwrap();
        contexts.push(json!("https://w3id.org/vc/status-list/2021/v1"));
        contexts.push(json!("https://w3id.org/security/data-integrity/v2"));
        credential["issuer"] = json!(did.to_string());
        credential["credentialStatus"] = form.entry(place);
        let credential = sign(&credential);
        for peer in peers() {
            let report = peer.verify_with(&list, &json!({"indexes": [index]}));
            assert!(report.verified, "{}: {report:?}", peer.name);
            let found = report.status_list.unwrap();
            assert_eq!(
                (found.kind.as_str(), found.length),
                ("StatusList2021", LENGTH)
            );
            assert_eq!(found.bits_set, bits.count_ones(), "{}", peer.name);
            assert_eq!(found.statuses, [StatusReport { index, status }]);

            let report = peer.verify_with(&credential, &json!({"lists": [list]}));
            assert!(report.verified, "{}: {report:?}", peer.name);
            let purpose = "revocation".to_owned();
            assert_eq!(report.statuses, [EntryReport { purpose, status }]);
        }
    }
}

// --- helpers ----------------------------------------------------------------------------

const fn plane<'a>(purpose: &'a StatusPurpose, bits: &'a Bitstring) -> Plane<'a> {
    Plane { purpose, bits }
}

/// A list of one bit in which every third of the places is set, from the `first` on.
fn at_places(first: usize) -> Bitstring {
    let mut bits = Bitstring::zeroed(ListLength::MINIMUM, StatusSize::One);
    for index in one_percent().into_iter().skip(first).step_by(3) {
        let index = ListLength::MINIMUM.index(index).unwrap();
        bits.set(index, 1).unwrap();
    }
    bits
}

/// A list of this size, with its greatest value at all of the places.
fn recalled(size: StatusSize) -> Bitstring {
    let mut bits = Bitstring::zeroed(ListLength::MINIMUM, size);
    for index in one_percent() {
        let index = ListLength::MINIMUM.index(index).unwrap();
        bits.set(index, size.maximum()).unwrap();
    }
    bits
}

fn token_list(statuses: &TokenBits) -> TokenListToPublish<'_> {
    let issued_at = Timestamp::from_millis(SINCE * 1000);
    TokenListToPublish {
        uri: TOKENS,
        issuer: None,
        issued_at,
        expires_at: Some(issued_at.plus(Ttl::from_seconds(365 * 86_400))),
        ttl: Some(Ttl::from_seconds(300)),
        aggregation_uri: Some("https://college.example/tokens"),
        statuses,
    }
}
