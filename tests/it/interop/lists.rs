//! Status lists of others, read here, and whole: the list that a package builds, the entry that
//! points into it, and what we make of both.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use goodstanding::status::{
    Effect, ListReference, SignedCwt, StatusError, StatusList, StatusResult, TokenStatusList,
};
use goodstanding::vc::jws::Jws;
use goodstanding::vc::verifying::VerifyingKey;
use serde_json::{Value, json};

use super::samples::{LENGTH, one_percent};
use crate::support::peers::{Peer, StatusReport, peers};

/// What a list may expand to.
const CAP: usize = 8 << 20;

/// The list's own URL.
const LIST: &str = "https://college.example/lists/1";

/// The lists of the packages that issuers run, and of one that was put together by hand: every bit
/// that was set is set, its neighbours are not.
#[test]
fn we_read_the_lists_of_the_peers() {
    let revoked = one_percent();
    for peer in peers() {
        for kind in ["BitstringStatusList", "StatusList2021"] {
            let credential = peer.make_list(kind, &list_of(LENGTH, &revoked, 1));
            let list = StatusList::parse(&credential, CAP).unwrap();
            let context = format!("{kind}, {}", peer.name);
            for index in revoked
                .iter()
                .step_by(50)
                .flat_map(|index| [*index, index ^ 1])
            {
                let found = status(&list, &entry(kind, index)).unwrap();
                let expected = u8::from(revoked.contains(&index));
                assert_eq!(found.status, expected, "{context}, {index}");
                assert_eq!(found.valid, expected == 0, "{context}, {index}");
            }
            let beyond = status(&list, &entry(kind, LENGTH));
            assert!(
                matches!(beyond, Err(StatusError::Range { .. })),
                "{context}"
            );
            // The two write their bits alike and their text differently: neither stands for the other.
            let other = match kind {
                "StatusList2021" => "BitstringStatusList",
                _ => "StatusList2021",
            };
            let mixed = status(&list, &entry(other, 0));
            assert!(
                matches!(mixed, Err(StatusError::Verification { .. })),
                "{context}"
            );
        }
    }
}

/// Entries of more than one bit, most significant bit first. The Node package has none.
#[test]
fn we_read_entries_of_several_bits() {
    let values = [(0, 1), (1, 2), (2, 3), (LENGTH - 1, 2)];
    for peer in peers().iter().filter(|peer| peer.name == "Python") {
        let entries: Vec<Value> = values.iter().map(|pair| json!(pair)).collect();
        let mut request = list_of(LENGTH, &[], 2);
        request["entries"] = json!(entries);
        let credential = peer.make_list("BitstringStatusList", &request);
        let list = StatusList::parse(&credential, CAP).unwrap();
        let messages = ["valid", "a", "b", "c"]
            .iter()
            .enumerate()
            .map(|(value, message)| json!({"status": format!("{value:#x}"), "message": message}));
        let mut entry = entry("BitstringStatusList", 0);
        entry["statusSize"] = json!(2);
        entry["statusMessage"] = messages.collect();
        for (index, value) in values.into_iter().chain([(3, 0)]) {
            entry["statusListIndex"] = json!(index.to_string());
            assert_eq!(status(&list, &entry).unwrap().status, value, "{index}");
        }
    }
}

/// Both forms of token list, every width of entry, every kind of key.
#[test]
fn we_read_the_token_lists_of_the_peers() {
    for peer in peers() {
        for (suite, kinds) in [
            ("statuslist+jwt", &["Ed25519", "P-256", "RSA"][..]),
            ("statuslist+cwt", &["Ed25519", "P-256"][..]),
        ] {
            for kind in kinds {
                let (private, public) = peer.key(kind);
                let (_, stranger) = peer.key(kind);
                for bits in [1, 2, 4, 8] {
                    let context = format!("{suite} of {bits} with {kind}, {}", peer.name);
                    let token = token_list(peer, suite, bits, &private);
                    let list = open(suite, &token, &public).expect(&context);
                    assert_eq!(list.subject, LIST, "{context}");
                    assert_eq!(list.valid_from.to_string(), "2026-01-01T00:00:00Z");
                    let until = list.valid_until.map(|at| at.to_string());
                    assert_eq!(until.as_deref(), Some("2030-01-01T00:00:00Z"));
                    assert_eq!(list.ttl.map(|ttl| ttl.millis()), Some(300_000));
                    for (index, value) in tokens_of(bits) {
                        let found = list.status(index).unwrap();
                        assert_eq!(found.status, value, "{context}, {index}");
                        assert_eq!(found.effect, effect(value), "{context}, {index}");
                    }
                    assert!(open(suite, &token, &stranger).is_err(), "{context}");
                    agrees(peer, suite, &token, &public, bits);
                }
            }
        }
    }
}

/// What is in the list of a test: the first entries, full ones, and the last.
fn tokens_of(bits: u32) -> Vec<(u64, u8)> {
    let full = u8::MAX >> (8 - bits);
    vec![
        (0, 1),
        (1, 0),
        (2, full),
        (3, full.min(2)),
        (4, 0),
        (1023, 1),
    ]
}

const fn effect(value: u8) -> Effect {
    match value {
        0 => Effect::None,
        1 => Effect::Revokes,
        2 => Effect::Suspends,
        _ => Effect::Undefined,
    }
}

fn token_list(peer: &Peer, suite: &str, bits: u32, key: &Value) -> String {
    let entries: Vec<Value> = tokens_of(bits).iter().map(|pair| json!(pair)).collect();
    let token = peer.make_list(
        suite,
        &json!({
            "length": 1024, "bits": bits, "entries": entries, "key": key, "sub": LIST,
            "iat": 1_767_225_600, "exp": 1_893_456_000, "ttl": 300
        }),
    );
    token.as_str().unwrap().to_owned()
}

fn open(suite: &str, token: &str, key: &Value) -> Result<TokenStatusList, String> {
    let key = VerifyingKey::from_jwk(key).unwrap();
    if suite == "statuslist+cwt" {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        let signed = SignedCwt::parse(&bytes).map_err(|error| error.to_string())?;
        return signed.verify(&key, CAP).map_err(|error| error.to_string());
    }
    let signed = Jws::parse(token).map_err(|error| error.to_string())?;
    assert!(signed.header().is_typ(suite));
    signed.verify(&key).map_err(|error| error.to_string())?;
    let claims: Value = serde_json::from_slice(signed.payload()).unwrap();
    TokenStatusList::from_claims(&claims, CAP).map_err(|error| error.to_string())
}

/// The other peer reads the same in it.
fn agrees(signer: &Peer, suite: &str, token: &str, key: &Value, bits: u32) {
    let expected: Vec<StatusReport> = tokens_of(bits)
        .into_iter()
        .map(|(index, status)| StatusReport {
            index,
            status: status.into(),
        })
        .collect();
    let indexes: Vec<u64> = expected.iter().map(|report| report.index).collect();
    for peer in peers().iter().filter(|peer| peer.name != signer.name) {
        let asked = json!({"suite": suite, "trusted": [key], "indexes": indexes});
        let report = peer.verify_with(&json!(token), &asked);
        assert!(report.verified, "{suite}, {}: {report:?}", peer.name);
        assert_eq!(report.status_list.unwrap().statuses, expected);
    }
}

// --- helpers ----------------------------------------------------------------------------

fn list_of(length: u64, set: &[u64], size: u64) -> Value {
    let entries: Vec<Value> = set.iter().map(|index| json!([index, 1])).collect();
    let mut request = json!({
        "length": length, "entries": entries, "id": LIST, "purpose": "revocation",
        "issuer": "did:web:college.example", "since": "2026-01-01T00:00:00Z"
    });
    if size > 1 {
        request["size"] = json!(size);
    }
    request
}

fn entry(kind: &str, index: u64) -> Value {
    json!({
        "id": format!("{LIST}#{index}"),
        "type": format!("{kind}Entry"),
        "statusPurpose": "revocation",
        "statusListIndex": index.to_string(),
        "statusListCredential": LIST
    })
}

fn status(list: &StatusList, entry: &Value) -> Result<StatusResult, StatusError> {
    match ListReference::parse(entry, "/credentialStatus").unwrap() {
        ListReference::Bitstring(entry) => list.check(&entry, LENGTH),
        other => panic!("{other:?} is no place in a list of bits"),
    }
}
