//! What is read from JWTs that others made, and what is refused.

mod forms;
mod others;
mod writing;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::vc::credential::{CONTEXT_V1, CONTEXT_V2};

/// A JWT with this header and payload, whose signature nobody made: reading comes before that.
fn jwt(header: &Value, payload: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}.AAAA", encode(header), encode(payload))
}

fn with(document: &Value, changes: Value) -> Value {
    let mut changed = document.clone();
    let members = changed.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.shift_remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    changed
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A credential of VCDM 2.0 from 2026 to 2027.
fn credential() -> Value {
    json!({
        "@context": [CONTEXT_V2],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential"],
        "issuer": { "id": "https://example.edu/issuers/1", "name": "Example" },
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T00:00:00Z",
        "credentialSubject": { "id": "did:example:alice", "name": "Alice" },
    })
}

/// The claims that say what [`credential`] says.
fn claims() -> Value {
    json!({
        "iss": "https://example.edu/issuers/1",
        "jti": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "sub": "did:example:alice",
        "nbf": 1_767_225_600,
        "exp": 1_798_761_600,
    })
}

fn vc_jwt() -> Value {
    json!({"alg": "EdDSA", "typ": "vc+jwt", "kid": "k"})
}

fn plain_jwt() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT", "kid": "k"})
}
