//! Controller documents (Controlled Identifiers 1.0; DID Core): what is served for a profile, and
//! how a key is taken out of somebody's document.

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::keys::{PublicKey, PublicKeyError};
use super::multibase;
use super::verifying::{KeyKind, VerifyingKey};
use crate::time::{Timestamp, TimestampError};

/// A key as a document shows it. A retired key is shown like any other, since what it signed
/// stays good; one that was compromised is shown with the moment from which nothing counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// What stands after `#`, such as `key-1`.
    pub fragment: String,
    /// The key.
    pub key: PublicKey,
    /// Since when it is revoked.
    pub revoked: Option<Timestamp>,
}

/// What a key may be used for (Controlled Identifiers 1.0 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    /// Claims: credentials and endorsements.
    AssertionMethod,
    /// Proving who one is: presentations.
    Authentication,
}

impl Relationship {
    /// The member of the document, which is also the `proofPurpose`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
        }
    }
}

/// The DID document of `id`. Each key stands as a Multikey under its own fragment and, for JWTs,
/// as a JsonWebKey under [`jwk_fragment`]; relationships refer to them by absolute URL.
///
/// The third context defines `JsonWebKey` and `publicKeyJwk`, which the first two do not.
pub fn did_document(id: &str, methods: &[Method], also_known_as: &[String]) -> Value {
    let contexts = [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/multikey/v1",
        "https://w3id.org/security/jwk/v1",
    ];
    document(json!(contexts), id, methods, also_known_as)
}

/// The controller document of an HTTPS URL, for profiles whose `issuer.id` is their URL.
pub fn controller_document(id: &str, methods: &[Method], also_known_as: &[String]) -> Value {
    document(
        json!("https://www.w3.org/ns/cid/v1"),
        id,
        methods,
        also_known_as,
    )
}

/// `verificationMethod`, `assertionMethod` and `authentication`, for a document that holds more
/// than keys: a Profile that is its own controller document. Its `id` must be `id`.
pub fn method_members(id: &str, methods: &[Method]) -> Map<String, Value> {
    let entries: Vec<Value> = methods
        .iter()
        .flat_map(|method| entries(id, method))
        .collect();
    // A revoked key stays listed, so that a reader learns that it was revoked and when, but
    // stands in no relationship.
    let usable: Vec<Value> = entries
        .iter()
        .filter(|entry| entry.get("revoked").is_none())
        .map(|entry| entry["id"].clone())
        .collect();
    let mut members = Map::new();
    members.insert("verificationMethod".to_owned(), Value::from(entries));
    for relationship in [Relationship::AssertionMethod, Relationship::Authentication] {
        members.insert(
            relationship.as_str().to_owned(),
            Value::from(usable.clone()),
        );
    }
    members
}

/// The fragment of the JsonWebKey entry of the key with this fragment: `key-1-jwk`.
pub fn jwk_fragment(fragment: &str) -> String {
    format!("{fragment}-jwk")
}

/// The document that a did:key stands for (did:key section 3.1.2); it has one entry, a Multikey.
pub(super) fn did_key_document(id: &str, multikey: &str) -> Value {
    let contexts = [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/multikey/v1",
    ];
    own_document(json!(contexts), id, multikey_entry(id, multikey, multikey))
}

/// The document that a did:jwk stands for; it has one entry, a JsonWebKey called `#0`.
pub(super) fn did_jwk_document(id: &str, jwk: &Value) -> Value {
    let contexts = [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/jwk/v1",
    ];
    own_document(json!(contexts), id, jwk_entry(id, "0", jwk.clone()))
}

/// Why a proof's `verificationMethod` leads to no key that counts; one variant for each step of
/// Controlled Identifiers 1.0 section 3.3 that can fail.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The URL has no fragment, so it names no method.
    #[error("{0:?} names no key: it has no fragment")]
    NoFragment(String),
    /// The document speaks for another identifier.
    #[error("the controller document is {found:?}, and {expected:?} was asked for")]
    DocumentId {
        /// The method's URL without its fragment.
        expected: String,
        /// The document's `id`; empty where it has none.
        found: String,
    },
    /// No such method. Since revoked keys may simply be taken out, it counts as revoked.
    #[error("the controller document has no key {0:?}; it counts as revoked")]
    Missing(String),
    /// A method with this fragment has another id.
    #[error("the key's id is {found:?}, and {expected:?} was asked for")]
    MethodId {
        /// What was asked for.
        expected: String,
        /// What stands in the document.
        found: String,
    },
    /// Two different methods have this id, and readers differ in which one they take.
    #[error("the controller document has two different keys {0:?}")]
    Ambiguous(String),
    /// The method belongs to somebody else.
    #[error("the key's controller is {found:?} and not {expected:?}")]
    Controller {
        /// The document's id.
        expected: String,
        /// The method's `controller`; empty where it has none.
        found: String,
    },
    /// The method is not listed for this use.
    #[error("the key is not listed in {}", .0.as_str())]
    Purpose(Relationship),
    /// The method's time is over.
    #[error("the key expired at {0}")]
    Expired(Timestamp),
    /// The method was revoked.
    #[error("the key was revoked at {0}")]
    Revoked(Timestamp),
    /// A date on the method cannot be read, so it cannot be known to be in force.
    #[error("the key's {member}: {reason}")]
    Date {
        /// `expires` or `revoked`.
        member: &'static str,
        /// What is wrong.
        reason: TimestampError,
    },
    /// A type of method that is not read here.
    #[error(
        "keys of type {0:?} are not supported; Multikey, JsonWebKey and what these replaced are"
    )]
    UnsupportedType(String),
    /// The key itself cannot be used.
    #[error("the key is malformed: {0}")]
    Malformed(#[from] PublicKeyError),
}

/// The key behind `method_url`, taken from `document` as Controlled Identifiers 1.0 section 3.3
/// says. `document` is what the URL without its fragment led to; whether `controller` is also the
/// credential's issuer is for the caller to check.
///
/// # Errors
/// One [`KeyError`] for each way in which it does not count at `now`.
pub fn retrieve_key(
    document: &Value,
    method_url: &str,
    relationship: Relationship,
    now: Timestamp,
) -> Result<VerifyingKey, KeyError> {
    read_key(find_method(document, method_url, relationship, now)?)
}

/// The key that a verification method holds. Its type says in which member it stands, and of
/// which kind it has to be.
fn read_key(method: &Map<String, Value>) -> Result<VerifyingKey, KeyError> {
    let text = |member| {
        method
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let multikey = || VerifyingKey::from_multikey(text("publicKeyMultibase"));
    let key = match text("type") {
        "Multikey" => multikey()?,
        "Ed25519VerificationKey2020" => match multikey()? {
            key if key.kind() == KeyKind::Ed25519 => key,
            _ => return Err(PublicKeyError::NotEd25519.into()),
        },
        "EcdsaSecp256r1VerificationKey2019" => match multikey()? {
            key if key.kind() == KeyKind::P256 => key,
            _ => return Err(PublicKeyError::NotP256.into()),
        },
        "Ed25519VerificationKey2018" => ed25519_in_base58(text("publicKeyBase58"))?.into(),
        "JsonWebKey" | "JsonWebKey2020" => {
            VerifyingKey::from_jwk(method.get("publicKeyJwk").unwrap_or(&Value::Null))?
        }
        other => return Err(KeyError::UnsupportedType(other.to_owned())),
    };
    Ok(key)
}

/// The 32 bytes of the key, in base58btc without a prefix.
fn ed25519_in_base58(text: &str) -> Result<PublicKey, PublicKeyError> {
    let bytes = multibase::decode_base58btc(&format!("z{text}"))?;
    let bytes = bytes.try_into().map_err(|_| PublicKeyError::NotAPoint)?;
    PublicKey::from_bytes(&bytes)
}

/// The verification method behind `method_url`, if it counts.
fn find_method<'a>(
    document: &'a Value,
    method_url: &str,
    relationship: Relationship,
    now: Timestamp,
) -> Result<&'a Map<String, Value>, KeyError> {
    let (base, fragment) = match method_url.split_once('#') {
        Some((base, fragment)) if !fragment.is_empty() => (base, fragment),
        _ => return Err(KeyError::NoFragment(method_url.to_owned())),
    };
    let id = document
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if id != base {
        return Err(KeyError::DocumentId {
            expected: base.to_owned(),
            found: id.to_owned(),
        });
    }
    let method = find(document, base, fragment)?;
    let controller = method
        .get("controller")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if controller != base {
        let (expected, found) = (base.to_owned(), controller.to_owned());
        return Err(KeyError::Controller { expected, found });
    }
    if let Some(at) = date(method, "revoked")?.filter(|&at| now >= at) {
        return Err(KeyError::Revoked(at));
    }
    if let Some(at) = date(method, "expires")?.filter(|&at| now >= at) {
        return Err(KeyError::Expired(at));
    }
    let listed = items(document, relationship.as_str())
        .iter()
        .any(|entry| entry_id(entry).is_some_and(|id| is_same(id, base, fragment)));
    if listed {
        Ok(method)
    } else {
        Err(KeyError::Purpose(relationship))
    }
}

fn document(context: Value, id: &str, methods: &[Method], also_known_as: &[String]) -> Value {
    let mut document = Map::new();
    document.insert("@context".to_owned(), context);
    document.insert("id".to_owned(), Value::from(id));
    if !also_known_as.is_empty() {
        document.insert("alsoKnownAs".to_owned(), json!(also_known_as));
    }
    document.append(&mut method_members(id, methods));
    Value::Object(document)
}

/// The document of an identifier that is its own key, which may be used for everything.
fn own_document(context: Value, id: &str, entry: Value) -> Value {
    let reference = json!([entry["id"]]);
    json!({
        "@context": context,
        "id": id,
        "verificationMethod": [entry],
        "authentication": reference,
        "assertionMethod": reference,
        "capabilityDelegation": reference,
        "capabilityInvocation": reference,
    })
}

/// The Multikey entry and the JsonWebKey entry of one key.
fn entries(id: &str, method: &Method) -> [Value; 2] {
    let Method {
        fragment,
        key,
        revoked,
    } = method;
    let multikey = multikey_entry(id, fragment, &key.to_multikey());
    let jwk = jwk_entry(id, &jwk_fragment(fragment), key.to_jwk());
    [multikey, jwk].map(|mut entry| {
        if let Some(at) = revoked {
            entry["revoked"] = Value::from(at.to_string());
        }
        entry
    })
}

fn multikey_entry(id: &str, fragment: &str, multikey: &str) -> Value {
    json!({
        "id": format!("{id}#{fragment}"),
        "type": "Multikey",
        "controller": id,
        "publicKeyMultibase": multikey,
    })
}

fn jwk_entry(id: &str, fragment: &str, jwk: Value) -> Value {
    json!({
        "id": format!("{id}#{fragment}"),
        "type": "JsonWebKey",
        "controller": id,
        "publicKeyJwk": jwk,
    })
}

/// The one method with this id. Methods stand in `verificationMethod`, or inside a relationship.
fn find<'a>(
    document: &'a Value,
    base: &str,
    fragment: &str,
) -> Result<&'a Map<String, Value>, KeyError> {
    let members = ["verificationMethod", "assertionMethod", "authentication"];
    let methods = members.iter().flat_map(|member| items(document, member));
    let mut found: Option<&Map<String, Value>> = None;
    let mut foreign = None;
    for method in methods.filter_map(Value::as_object) {
        let Some(id) = method.get("id").and_then(Value::as_str) else {
            continue;
        };
        if !is_same(id, base, fragment) {
            let named_so = id
                .strip_suffix(fragment)
                .is_some_and(|rest| rest.ends_with('#'));
            foreign = foreign.or(named_so.then_some(id));
        } else if found.is_some_and(|first| first != method) {
            return Err(KeyError::Ambiguous(format!("{base}#{fragment}")));
        } else {
            found = Some(method);
        }
    }
    let asked = format!("{base}#{fragment}");
    match (found, foreign) {
        (Some(method), _) => Ok(method),
        (None, Some(id)) => Err(KeyError::MethodId {
            expected: asked,
            found: id.to_owned(),
        }),
        (None, None) => Err(KeyError::Missing(asked)),
    }
}

/// Whether `id` is `base#fragment`, or `#fragment` in the document of `base`: DID Core section
/// 3.2.2 allows relative URLs.
fn is_same(id: &str, base: &str, fragment: &str) -> bool {
    id.strip_prefix(base).unwrap_or(id).strip_prefix('#') == Some(fragment)
}

/// A member that may be an array or one value.
fn items<'a>(document: &'a Value, member: &str) -> &'a [Value] {
    match document.get(member) {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

/// The id of a method that stands by reference or by value.
fn entry_id(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("id")?.as_str())
}

fn date(method: &Map<String, Value>, member: &'static str) -> Result<Option<Timestamp>, KeyError> {
    let Some(value) = method.get(member) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    text.parse()
        .map(Some)
        .map_err(|reason| KeyError::Date { member, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::vc::did::DidKey;
    use crate::vc::keys::SigningKey;
    use proptest::prelude::*;

    const ID: &str = "did:web:example.org:profiles:a";
    const ASSERTION: Relationship = Relationship::AssertionMethod;

    fn key(seed: u64) -> PublicKey {
        SigningKey::generate(&SeededEntropy::new(seed)).public()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        at("2026-06-01T00:00:00Z")
    }

    /// Key 1 is in use, key 2 was revoked.
    fn methods() -> Vec<Method> {
        let revoked = Some(at("2026-05-01T00:00:00Z"));
        vec![
            Method {
                fragment: "key-1".to_owned(),
                key: key(1),
                revoked: None,
            },
            Method {
                fragment: "key-2".to_owned(),
                key: key(2),
                revoked,
            },
        ]
    }

    fn served() -> Value {
        did_document(
            ID,
            &methods(),
            &["https://example.org/profiles/a".to_owned()],
        )
    }

    fn retrieved(document: &Value, fragment: &str) -> Result<VerifyingKey, KeyError> {
        retrieve_key(document, &format!("{ID}#{fragment}"), ASSERTION, now())
    }

    fn changed(change: impl Fn(&mut Value)) -> Result<VerifyingKey, KeyError> {
        let mut document = served();
        change(&mut document);
        retrieved(&document, "key-1")
    }

    #[test]
    fn the_served_document_lists_and_refers_to_each_key() {
        let document = served();
        assert_eq!(document["id"], ID);
        assert_eq!(
            document["alsoKnownAs"],
            json!(["https://example.org/profiles/a"])
        );
        let multikey = json!({
            "id": format!("{ID}#key-1"),
            "type": "Multikey",
            "controller": ID,
            "publicKeyMultibase": key(1).to_multikey(),
        });
        assert_eq!(document["verificationMethod"][0], multikey);
        assert_eq!(
            document["verificationMethod"][1]["publicKeyJwk"],
            key(1).to_jwk()
        );
        assert_eq!(
            document["verificationMethod"][2]["revoked"],
            "2026-05-01T00:00:00Z"
        );
        assert_eq!(
            document["verificationMethod"][3]["revoked"],
            "2026-05-01T00:00:00Z"
        );
        let usable = json!([format!("{ID}#key-1"), format!("{ID}#key-1-jwk")]);
        assert_eq!(document["assertionMethod"], usable);
        assert_eq!(document["authentication"], usable);
    }

    #[test]
    fn a_url_has_a_controller_document_of_its_own() {
        let id = "https://example.org/profiles/a";
        let document = controller_document(id, &methods(), &[]);
        assert_eq!(document["@context"], "https://www.w3.org/ns/cid/v1");
        assert!(document.get("alsoKnownAs").is_none());
        let url = format!("{id}#key-1");
        assert_eq!(
            retrieve_key(&document, &url, ASSERTION, now()),
            Ok(key(1).into())
        );
    }

    #[test]
    fn a_served_key_is_found_in_both_forms() {
        assert_eq!(retrieved(&served(), "key-1"), Ok(key(1).into()));
        assert_eq!(
            retrieved(&served(), &jwk_fragment("key-1")),
            Ok(key(1).into())
        );
        let did = DidKey::from(key(3));
        for purpose in [Relationship::AssertionMethod, Relationship::Authentication] {
            let found = retrieve_key(&did.document(), &did.method_url(), purpose, now());
            assert_eq!(found, Ok(key(3).into()));
        }
    }

    /// A document with one method of this type, whose key stands in this member.
    fn with_method(kind: &str, member: &str, value: Value) -> Result<VerifyingKey, KeyError> {
        let mut method = json!({"id": format!("{ID}#key-1"), "type": kind, "controller": ID});
        method[member] = value;
        let document = json!({
            "id": ID,
            "verificationMethod": [method],
            "assertionMethod": [format!("{ID}#key-1")],
        });
        retrieved(&document, "key-1")
    }

    /// RFC 7515, appendices A.2 and A.3.
    const RSA_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

    fn p256_jwk() -> Value {
        json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        })
    }

    #[test]
    fn every_type_of_method_gives_its_key() {
        let ed25519 = VerifyingKey::from(key(1));
        let p256 = VerifyingKey::from_jwk(&p256_jwk()).unwrap();
        let multikey = json!(key(1).to_multikey());
        let VerifyingKey::P256(point) = &p256 else {
            panic!("it is an EC key");
        };
        let p256_multikey = json!(point.to_multikey());
        let base58 = json!(multibase::encode_base58btc(key(1).as_bytes())[1..]);
        let rsa = json!({"kty": "RSA", "n": RSA_MODULUS, "e": "AQAB"});
        let rsa_key = VerifyingKey::from_jwk(&rsa).unwrap();
        for (kind, member, value, expected) in [
            ("Multikey", "publicKeyMultibase", &multikey, &ed25519),
            ("Multikey", "publicKeyMultibase", &p256_multikey, &p256),
            (
                "Ed25519VerificationKey2020",
                "publicKeyMultibase",
                &multikey,
                &ed25519,
            ),
            (
                "EcdsaSecp256r1VerificationKey2019",
                "publicKeyMultibase",
                &p256_multikey,
                &p256,
            ),
            (
                "Ed25519VerificationKey2018",
                "publicKeyBase58",
                &base58,
                &ed25519,
            ),
            ("JsonWebKey", "publicKeyJwk", &key(1).to_jwk(), &ed25519),
            ("JsonWebKey2020", "publicKeyJwk", &p256_jwk(), &p256),
            ("JsonWebKey2020", "publicKeyJwk", &rsa, &rsa_key),
        ] {
            let found = with_method(kind, member, value.clone());
            assert_eq!(found.as_ref(), Ok(expected), "{kind}");
        }
    }

    #[test]
    fn a_type_of_method_holds_its_own_kind_of_key() {
        let multikey = json!(key(1).to_multikey());
        let VerifyingKey::P256(point) = VerifyingKey::from_jwk(&p256_jwk()).unwrap() else {
            panic!("it is an EC key");
        };
        let mut private = key(1).to_jwk();
        private["d"] = json!("AA");
        for (kind, member, value, reason) in [
            (
                "Ed25519VerificationKey2020",
                "publicKeyMultibase",
                json!(point.to_multikey()),
                PublicKeyError::NotEd25519,
            ),
            (
                "EcdsaSecp256r1VerificationKey2019",
                "publicKeyMultibase",
                multikey.clone(),
                PublicKeyError::NotP256,
            ),
            (
                "Ed25519VerificationKey2018",
                "publicKeyBase58",
                multikey,
                PublicKeyError::NotAPoint,
            ),
            (
                "JsonWebKey",
                "publicKeyJwk",
                private,
                PublicKeyError::Private,
            ),
        ] {
            let refused = with_method(kind, member, value);
            assert_eq!(refused, Err(KeyError::Malformed(reason)), "{kind}");
        }
        for (kind, member) in [
            ("Multikey", "publicKeyJwk"),
            ("JsonWebKey", "publicKeyMultibase"),
            ("Ed25519VerificationKey2018", "publicKeyMultibase"),
        ] {
            let refused = with_method(kind, member, key(1).to_jwk());
            assert!(matches!(refused, Err(KeyError::Malformed(_))), "{kind}");
        }
    }

    #[test]
    fn relative_and_embedded_methods_are_found() {
        let relative = changed(|document| {
            document["verificationMethod"][0]["id"] = json!("#key-1");
            document["assertionMethod"] = json!("#key-1");
        });
        assert_eq!(relative, Ok(key(1).into()));
        let embedded = changed(|document| {
            document["assertionMethod"] = json!([document["verificationMethod"][0]]);
            document["verificationMethod"] = json!([]);
        });
        assert_eq!(embedded, Ok(key(1).into()));
    }

    #[test]
    fn a_revoked_key_counts_until_it_was_revoked() {
        let revoked = at("2026-05-01T00:00:00Z");
        assert_eq!(
            retrieved(&served(), "key-2"),
            Err(KeyError::Revoked(revoked))
        );
        // Before that moment it is still not listed for anything.
        let before = at("2026-04-30T23:59:59Z");
        let earlier = retrieve_key(&served(), &format!("{ID}#key-2"), ASSERTION, before);
        assert_eq!(earlier, Err(KeyError::Purpose(ASSERTION)));
    }

    #[test]
    fn each_failure_has_its_name() {
        let asked = format!("{ID}#key-1");
        assert_eq!(
            retrieve_key(&served(), ID, ASSERTION, now()),
            Err(KeyError::NoFragment(ID.to_owned()))
        );
        assert!(matches!(
            changed(|document| document["id"] = json!("did:web:evil.example")),
            Err(KeyError::DocumentId { expected, .. }) if expected == ID
        ));
        assert!(matches!(
            changed(|document| document["id"] = json!(7)),
            Err(KeyError::DocumentId { found, .. }) if found.is_empty()
        ));
        assert_eq!(
            retrieved(&served(), "key-3"),
            Err(KeyError::Missing(format!("{ID}#key-3")))
        );
        let foreign = "did:web:evil.example#key-1";
        assert_eq!(
            changed(|document| document["verificationMethod"][0]["id"] = json!(foreign)),
            Err(KeyError::MethodId {
                expected: asked.clone(),
                found: foreign.to_owned()
            })
        );
        assert_eq!(
            changed(|document| {
                document["verificationMethod"][1]["id"] = json!(format!("{ID}#key-1"));
            }),
            Err(KeyError::Ambiguous(asked))
        );
        assert!(matches!(
            changed(|document| {
                document["verificationMethod"][0]["controller"] = json!("did:web:evil.example");
            }),
            Err(KeyError::Controller { .. })
        ));
    }

    #[test]
    fn a_key_that_is_not_listed_in_force_or_readable_is_named_so() {
        assert_eq!(
            changed(|document| document["assertionMethod"] = json!([format!("{ID}#key-1-jwk")])),
            Err(KeyError::Purpose(ASSERTION))
        );
        assert_eq!(
            changed(|document| {
                document["verificationMethod"][0]["expires"] = json!("2026-06-01T00:00:00Z");
            }),
            Err(KeyError::Expired(now()))
        );
        assert!(matches!(
            changed(|document| document["verificationMethod"][0]["expires"] = json!("soon")),
            Err(KeyError::Date {
                member: "expires",
                ..
            })
        ));
        assert!(matches!(
            changed(|document| document["verificationMethod"][0]["revoked"] = json!(true)),
            Err(KeyError::Date {
                member: "revoked",
                ..
            })
        ));
        assert_eq!(
            changed(
                |document| document["verificationMethod"][0]["type"] = json!("Bls12381G2Key2020")
            ),
            Err(KeyError::UnsupportedType("Bls12381G2Key2020".to_owned()))
        );
        assert!(matches!(
            changed(
                |document| document["verificationMethod"][0]["publicKeyMultibase"] = json!("z6Mk")
            ),
            Err(KeyError::Malformed(_))
        ));
    }

    #[test]
    fn a_key_that_expires_later_still_counts() {
        let later = changed(|document| {
            document["verificationMethod"][0]["expires"] = json!("2026-06-01T00:00:00.001Z");
        });
        assert_eq!(later, Ok(key(1).into()));
    }

    proptest! {
        #[test]
        fn every_usable_method_that_is_served_is_found(seeds in prop::collection::vec(any::<(u64, bool)>(), 0..6)) {
            let methods: Vec<Method> = seeds.iter().zip(1..).map(|(&(seed, revoked), number)| Method {
                fragment: format!("key-{number}"),
                key: key(seed),
                revoked: revoked.then_some(Timestamp::EPOCH),
            }).collect();
            let document = did_document(ID, &methods, &[]);
            for method in &methods {
                let expected = match method.revoked {
                    Some(at) => Err(KeyError::Revoked(at)),
                    None => Ok(method.key.into()),
                };
                prop_assert_eq!(retrieved(&document, &method.fragment), expected.clone());
                prop_assert_eq!(retrieved(&document, &jwk_fragment(&method.fragment)), expected);
            }
        }
    }
}
