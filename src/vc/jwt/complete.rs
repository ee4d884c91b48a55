//! The claim `vc` or `vp` as a document of its own: what it leaves out is taken from the claims
//! beside it (VCDM 1.1 section 6.3.1, JWT decoding).

use serde_json::{Map, Value, json};

use super::JwtError;
use super::claims::Claims;
use crate::vc::credential::CONTEXT_V2;

/// What readers take from a credential or presentation, and what therefore may not stand beside
/// one as well.
const MEMBERS: [&str; 13] = [
    "@context",
    "id",
    "type",
    "issuer",
    "issuanceDate",
    "expirationDate",
    "validFrom",
    "validUntil",
    "credentialSubject",
    "credentialStatus",
    "proof",
    "holder",
    "verifiableCredential",
];

/// Refuses members of the data model among what stands beside the claim with the document.
/// Private claims are ignored, as RFC 7519 section 4 asks.
pub(super) fn refuse_beside(rest: &Map<String, Value>) -> Result<(), JwtError> {
    match MEMBERS.iter().find(|name| rest.contains_key(**name)) {
        Some(name) => Err(JwtError::Beside(name)),
        None => Ok(()),
    }
}

/// The credential in the claim `vc`.
pub(super) fn credential(vc: Value, claims: &Claims) -> Result<Value, JwtError> {
    let mut members = object(vc, "vc")?;
    let (from, until) = match is_v2(&members) {
        true => ("validFrom", "validUntil"),
        false => ("issuanceDate", "expirationDate"),
    };
    fill_in(&mut members, "id", claims.jti.as_deref());
    fill_in(&mut members, from, claims.nbf.map(|at| at.to_string()));
    fill_in(&mut members, until, claims.exp.map(|at| at.to_string()));
    match members.get_mut("issuer") {
        Some(Value::Object(profile)) => fill_in(profile, "id", claims.iss.as_deref()),
        Some(_) => {}
        None => fill_in(&mut members, "issuer", claims.iss.as_deref()),
    }
    let subject = match members.get_mut("credentialSubject") {
        Some(Value::Array(subjects)) if subjects.len() == 1 => subjects.first_mut(),
        one => one,
    };
    if let Some(Value::Object(subject)) = subject {
        fill_in(subject, "id", claims.sub.as_deref());
    }
    Ok(Value::Object(members))
}

/// The presentation in the claim `vp`.
pub(super) fn presentation(vp: Value, claims: &Claims) -> Result<Value, JwtError> {
    let mut members = object(vp, "vp")?;
    fill_in(&mut members, "id", claims.jti.as_deref());
    fill_in(&mut members, "holder", claims.iss.as_deref());
    Ok(Value::Object(members))
}

fn object(document: Value, claim: &'static str) -> Result<Map<String, Value>, JwtError> {
    match document {
        Value::Object(members) => Ok(members),
        _ => Err(JwtError::Claim {
            claim,
            expected: "an object",
        }),
    }
}

fn is_v2(members: &Map<String, Value>) -> bool {
    let first = match members.get("@context") {
        Some(Value::Array(contexts)) => contexts.first(),
        one => one,
    };
    first.and_then(Value::as_str) == Some(CONTEXT_V2)
}

fn fill_in(members: &mut Map<String, Value>, name: &str, value: Option<impl Into<String>>) {
    if let (false, Some(value)) = (members.contains_key(name), value) {
        members.insert(name.to_owned(), json!(value.into()));
    }
}
