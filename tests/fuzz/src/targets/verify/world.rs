//! The documents that can be had in the world of the target `verify`, and nothing else can.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::bitstring::{Bitstring, ListLength, StatusSize, encode_zlib};
use goodstanding::json;
use goodstanding::status::{ListToPublish, build_list};
use goodstanding::time::Timestamp;
use goodstanding::vc::did::{DidKey, Method, controller_document, did_document};
use goodstanding::vc::jws::{self, NewHeader};
use goodstanding::vc::jwt::sign_credential;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use goodstanding::verify::Given;
use serde_json::{Value, json};

/// Someone with a key: an identifier, and the seed of which 32 times makes the key.
pub struct Actor {
    pub id: String,
    pub method: String,
    pub key: SigningKey,
}

impl Actor {
    /// Known by a name, under which others find the key `key-1`.
    pub fn named(id: &str, seed: u8) -> Self {
        Self {
            id: id.to_owned(),
            method: format!("{id}#key-1"),
            key: SigningKey::from_seed(&[seed; 32]),
        }
    }

    /// Known by the key alone.
    pub fn did_key(seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        let did = DidKey::from(key.public());
        Self {
            id: did.to_string(),
            method: did.method_url(),
            key,
        }
    }

    fn document(&self) -> Value {
        let methods = [Method {
            fragment: "key-1".to_owned(),
            key: self.key.public(),
            revoked: None,
        }];
        match self.id.starts_with("did:") {
            true => did_document(&self.id, &methods, &[]),
            false => controller_document(&self.id, &methods, &[]),
        }
    }

    fn sign(&self, credential: &Value) -> Value {
        let options = ProofOptions::new(&self.method);
        proof::sign(credential, &options, &self.key).expect("lists can be signed")
    }
}

/// Issues everything that counts.
pub fn college() -> Actor {
    Actor::named("did:web:college.example", 1)
}

/// Presents it.
pub fn learner() -> Actor {
    Actor::named("did:web:learner.example", 5)
}

/// Signs whatever is asked for, and publishes what helps to be taken for somebody else.
pub fn mallory() -> Actor {
    Actor::named("https://mallory.example/issuer", 66)
}

/// Whether an identifier is one that Mallory may speak for.
pub fn is_mallorys(id: &str) -> bool {
    let mallory = mallory();
    let jwk = mallory.key.public().to_jwk();
    let host = ["https://mallory.example", "did:web:mallory.example"];
    id == Actor::did_key(66).id
        || host.iter().any(|host| id.starts_with(host))
        || id
            .strip_prefix("did:jwk:")
            .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
            .and_then(|text| json::parse(&text).ok())
            .is_some_and(|own| own["x"] == jwk["x"])
}

/// All that can be had. In the lists of the college, the place 3 is set.
pub fn world() -> Given {
    let mut world = Given::default();
    let mut add = |url: &str, document: String| {
        let added = world.add(Some(url), document.into_bytes());
        added.expect("each URL is given once");
    };
    let college = college();
    for actor in [&college, &college_by_url(), &learner(), &mallory()] {
        add(&actor.id, actor.document().to_string());
    }
    for (url, document) in lists(&college).into_iter().chain(hostile()) {
        add(&url, document);
    }
    for (url, document) in others() {
        add(&url, document.to_string());
    }
    let newer = include_str!("../../../seeds/verify/newer.json");
    add("https://college.example/badges/9/newer", newer.to_owned());
    world
}

/// The keys of those whose documents other programs signed.
fn others() -> Vec<(String, Value)> {
    let issuer = "https://badges.example.edu/issuers/1";
    let keys = include_bytes!("../../../seeds/verify/keys-of-others.json");
    let keys = json::parse(keys).expect("it is a key set");
    let method = |number: usize, key: &Value| {
        json!({
            "id": format!("did:example:alice#key-{number}"),
            "type": "JsonWebKey",
            "controller": "did:example:alice",
            "publicKeyJwk": key,
        })
    };
    let (p256, ed25519) = (&keys["keys"][1], &keys["keys"][2]);
    // A key at a place of its own has to say whose it is.
    let mut alone = p256.clone();
    alone["iss"] = json!(issuer);
    let alice = json!({
        "id": "did:example:alice",
        "authentication": [method(1, p256), method(2, ed25519)],
    });
    vec![
        (
            issuer.to_owned(),
            json!({"id": issuer, "type": ["Profile"]}),
        ),
        ("did:example:alice".to_owned(), alice),
        ("https://badges.example.edu/keys/2".to_owned(), alone),
        (
            "https://badges.example.edu/.well-known/jwks.json".to_owned(),
            keys,
        ),
    ]
}

/// The same college with an https URL for its name.
fn college_by_url() -> Actor {
    Actor::named("https://college.example/issuer", 1)
}

fn lists(college: &Actor) -> Vec<(String, String)> {
    let url = |name: &str| format!("https://college.example/{name}");
    let revocations = list(&url("lists/revocation"), &college.id, "revocation", &[3]);
    let suspensions = list(&url("lists/suspension"), &college.id, "suspension", &[3]);
    let suspensions = sign_credential(&suspensions, &college.method, &college.key);
    // Valid, invalid, suspended, of an application.
    let token = json!({
        "sub": url("lists/token"),
        "iss": college.id,
        "iat": 1_767_225_600,
        "status_list": {"bits": 2, "lst": URL_SAFE_NO_PAD.encode(encode_zlib(&[0b1110_0100]))},
    });
    let header = NewHeader {
        typ: "statuslist+jwt",
        kid: &college.method,
    };
    let ids = json!({
        "id": url("revocations"),
        "issuer": college.id,
        "revokedCredential": [{"id": url("badges/3")}],
    });
    vec![
        (
            url("lists/revocation"),
            college.sign(&revocations).to_string(),
        ),
        (
            url("lists/suspension"),
            suspensions.expect("a list can be signed"),
        ),
        (
            url("lists/token"),
            jws::sign(header, token.to_string().as_bytes(), &college.key),
        ),
        (url("revocations"), ids.to_string()),
    ]
}

/// What Mallory publishes: the names and keys of others as if they were the same, and their lists
/// without anything set.
fn hostile() -> Vec<(String, String)> {
    let mallory = mallory();
    let college = college();
    let url = |name: &str| format!("https://mallory.example/{name}");
    let key = |kid: &str, iss: &str| {
        let mut jwk = mallory.key.public().to_jwk();
        jwk["kid"] = json!(kid);
        jwk["iss"] = json!(iss);
        jwk
    };
    let keys = json!({"keys": [
        key(&college.method, &college.id),
        key("key-1", "https://college.example/issuer"),
        key("https://college.example/issuer#key-1", "https://college.example/issuer"),
        key("key-1", &mallory.id),
    ]});
    let as_college = Actor {
        key: self::mallory().key,
        ..self::college()
    };
    let clear = list(&url("list"), &college.id, "revocation", &[]);
    vec![
        (url(".well-known/jwks.json"), keys.to_string()),
        (
            "did:web:mallory.example".to_owned(),
            as_college.document().to_string(),
        ),
        (url("list"), mallory.sign(&clear).to_string()),
    ]
}

fn list(url: &str, issuer: &str, purpose: &str, set: &[u64]) -> Value {
    let length = ListLength::MINIMUM;
    let mut bits = Bitstring::zeroed(length, StatusSize::One);
    for place in set {
        let index = length.index(*place).expect("it is in the list");
        bits.set(index, 1).expect("one bit holds it");
    }
    build_list(&ListToPublish {
        url,
        issuer,
        purpose: &purpose.parse().expect("it is a purpose"),
        valid_from: "2026-01-01T00:00:00Z".parse().expect("it is a time"),
        valid_until: None,
        ttl: None,
        bits: &bits,
    })
}

/// When everything is verified.
pub fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("it is a time")
}
