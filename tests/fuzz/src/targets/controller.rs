//! Controller documents, and the keys in them.

use goodstanding::json;
use goodstanding::time::Timestamp;
use goodstanding::vc::did::{Relationship, retrieve_key};
use goodstanding::vc::verifying::VerifyingKey;
use serde_json::Value;

use super::Reached;

/// An input is JSON: a `document`, and the URL of a `method`. A key that counts is one of the
/// document's own, by its id, controller and purpose, and is neither revoked nor over.
pub fn run(data: &[u8]) -> Reached {
    let Ok(input) = json::parse(data) else {
        return Reached::Refused;
    };
    let method = input["method"].as_str().unwrap_or_default();
    let mut reached = Reached::Refused;
    for relationship in [Relationship::AssertionMethod, Relationship::Authentication] {
        match retrieve_key(&input["document"], method, relationship, now()) {
            Ok(key) => {
                check(&input["document"], method, relationship, &key);
                reached = Reached::Read;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    reached
}

fn check(document: &Value, method: &str, relationship: Relationship, key: &VerifyingKey) {
    let (base, fragment) = method.split_once('#').expect("a method has a fragment");
    assert_eq!(document["id"], base, "{document}");
    let is_meant = |id: &Value| id == method || id.as_str() == Some(&format!("#{fragment}"));
    let listed = items(&document[relationship.as_str()]);
    assert!(
        listed
            .iter()
            .any(|entry| is_meant(entry) || is_meant(&entry["id"])),
        "{document}"
    );
    let places = ["verificationMethod", "assertionMethod", "authentication"];
    let methods = places.iter().flat_map(|place| items(&document[*place]));
    let mut meant = methods.filter(|entry| entry.is_object() && is_meant(&entry["id"]));
    let over = |date: &Value| match date {
        Value::Null => false,
        date => date
            .as_str()
            .and_then(|it| it.parse::<Timestamp>().ok())
            .is_none_or(|it| it <= now()),
    };
    let found = meant.any(|entry| {
        let named = [
            VerifyingKey::from_multikey(entry["publicKeyMultibase"].as_str().unwrap_or_default()),
            VerifyingKey::from_jwk(&entry["publicKeyJwk"]),
        ];
        let older = entry["type"] == "Ed25519VerificationKey2018";
        entry["controller"] == base
            && !over(&entry["revoked"])
            && !over(&entry["expires"])
            && (older || named.iter().any(|it| it.as_ref() == Ok(key)))
    });
    assert!(found, "{method} in {document}");
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("it is a time")
}
