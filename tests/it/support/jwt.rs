//! JWTs and proofs over JSON as a verifier elsewhere checks them, without any of the registry's
//! own code.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::actors::text;

/// A credential as a JWT, its signature checked by the key of its `kid` in a key set.
pub(crate) struct Checked {
    pub(crate) header: Value,
    /// The payload without the claims that a JWT has.
    pub(crate) credential: Value,
    /// The claims.
    pub(crate) claims: Map<String, Value>,
}

/// The JWT in an EnvelopedVerifiableCredential.
#[track_caller]
pub(crate) fn enveloped(envelope: &Value) -> String {
    assert_eq!(envelope["type"], "EnvelopedVerifiableCredential");
    assert_eq!(envelope["@context"], "https://www.w3.org/ns/credentials/v2");
    let id = text(&envelope["id"]);
    let jwt = id.strip_prefix("data:application/vc+jwt,");
    jwt.unwrap_or_else(|| panic!("not a JWT: {id}")).to_owned()
}

/// Takes a JWT apart and checks its signature by `keys`, a JSON Web Key Set.
#[track_caller]
pub(crate) fn check(jwt: &str, keys: &Value) -> Checked {
    let (header, payload) = open(jwt, "vc+jwt", keys);
    let payload = payload.as_object().expect("an object").clone();
    let is_claim = |name: &str| ["iss", "sub", "jti", "nbf", "exp"].contains(&name);
    let (claims, credential): (Map<_, _>, Map<_, _>) =
        payload.into_iter().partition(|(name, _)| is_claim(name));
    Checked {
        header,
        credential: credential.into(),
        claims,
    }
}

/// Header and payload of a JWT of this type, its signature checked by `keys`.
#[track_caller]
pub(crate) fn open(jwt: &str, typ: &str, keys: &Value) -> (Value, Value) {
    let (signed, signature) = jwt.rsplit_once('.').expect("three parts");
    let (header, payload) = signed.split_once('.').expect("three parts");
    let json = |part: &str| -> Value { serde_json::from_slice(&bytes(part)).expect("JSON") };
    let header = json(header);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&"EdDSA".into(), &typ.into())
    );
    let signature = Signature::from_slice(&bytes(signature)).expect("64 bytes");
    key(keys, &header["kid"])
        .verify_strict(signed.as_bytes(), &signature)
        .expect("a signature by the key");
    (header, json(payload))
}

/// Checks an `eddsa-jcs-2022` proof by the key in the set whose `kid` starts as the proof's method
/// does.
#[track_caller]
pub(crate) fn check_jcs(secured: &Value, keys: &Value) {
    let mut document = secured.as_object().unwrap().clone();
    let proof = document.shift_remove("proof").expect("a proof");
    let mut options = proof.as_object().expect("one proof").clone();
    let value = text(&options.shift_remove("proofValue").expect("a value"));
    assert_eq!(options["cryptosuite"], "eddsa-jcs-2022");
    let canonical = |members: Map<String, Value>| {
        let text = serde_json_canonicalizer::to_vec(&Value::Object(members)).unwrap();
        Sha256::digest(text)
    };
    let method = text(&proof["verificationMethod"]);
    let kid = [format!("{method}-jwk"), method].map(Value::from);
    let found = keys["keys"].as_array().expect("keys").iter();
    let kid = kid
        .iter()
        .find(|kid| found.clone().any(|key| key["kid"] == **kid));
    let signed = [canonical(options), canonical(document)].concat();
    let value = bs58::decode(value.strip_prefix('z').expect("base58btc"));
    let signature = Signature::from_slice(&value.into_vec().unwrap()).expect("64 bytes");
    key(keys, kid.expect("the key is in the set"))
        .verify_strict(&signed, &signature)
        .expect("a signature by the key");
}

#[track_caller]
fn key(keys: &Value, kid: &Value) -> VerifyingKey {
    let keys = keys["keys"].as_array().expect("keys");
    let named: Vec<&Value> = keys.iter().filter(|key| key["kid"] == *kid).collect();
    let [key] = named[..] else {
        panic!("{} keys are called {kid}", named.len());
    };
    let key = bytes(key["x"].as_str().expect("x"));
    VerifyingKey::from_bytes(&key.try_into().expect("32 bytes")).expect("a key")
}

#[track_caller]
fn bytes(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("base64url, unpadded")
}
