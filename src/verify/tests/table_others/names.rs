//! Issuers by the forms of their identifiers: keys that are none, and names that lead elsewhere
//! than they seem to.

use super::*;
use crate::vc::multibase::{decode_base58btc, encode_base58btc};

/// A badge with a proof, by an issuer whose id is to be spoiled. The proof is made in the new name,
/// with the key of the college.
pub(super) struct Named {
    pub(super) web: Web,
    pub(super) by: Actor,
    pub(super) pinned: Vec<PinnedKey>,
    pub(super) spoil_signed: fn(&mut Value),
    pub(super) badge: Value,
}

impl Draft for Named {
    fn hand_in(self) -> HandedIn {
        let mut badge = self.badge.clone();
        badge["issuer"]["id"] = json!(self.by.id);
        let mut signed = self.by.sign(&badge);
        (self.spoil_signed)(&mut signed);
        HandedIn {
            form: Form::Document(signed),
            web: Box::new(self.web),
            pinned: self.pinned,
            expected: Expected::default(),
        }
    }
}

impl Named {
    pub(super) fn of(by: Actor, web: Web) -> Self {
        Self {
            web,
            badge: by.badge(),
            by,
            pinned: Vec::new(),
            spoil_signed: |_| {},
        }
    }

    /// By a did:key.
    fn did_key() -> Self {
        Self::of(Actor::did_key(1), Web::default())
    }

    /// By a did:web.
    fn did_web() -> Self {
        let college = Actor::named("did:web:college.example", 1);
        let mut web = Web::default();
        web.world = web.world.with(&college);
        Self::of(college, web)
    }

    fn rename(&mut self, id: &str) {
        let key = id.rsplit(':').next().unwrap();
        let fragment = match id.starts_with("did:key:") {
            true => key,
            false => "0",
        };
        self.by.method = format!("{id}#{fragment}");
        self.by.id = id.to_owned();
    }
}

fn key(name: &'static str, bytes: &[u8], expected: Wanted) -> Row {
    let id = format!("did:key:{}", encode_base58btc(bytes));
    row(name, Named::did_key, |badge| badge.rename(&id), expected)
}

fn web(name: &'static str, id: &str) -> Row {
    let expected = refused_at("key-url", METHOD);
    row(name, Named::did_web, |badge| badge.rename(id), expected)
}

fn jwk(name: &'static str, jwk: &Value, expected: Wanted) -> Row {
    let id = format!("did:jwk:{}", base64url(jwk.to_string()));
    row(name, Named::did_key, |badge| badge.rename(&id), expected)
}

const METHOD: &str = "/proof/verificationMethod";

pub(super) fn rows() -> Vec<Row> {
    [keys(), jwks(), names()].into_iter().flatten().collect()
}

fn keys() -> Vec<Row> {
    let public = *college().key.public().as_bytes();
    let ed25519 = |bytes: &[u8]| [&[0xed, 1], bytes].concat();
    let malformed = || refused_at("key-malformed", METHOD);
    let identity = [&[1][..], &[0; 31]].concat();
    // 2^255 - 18, which is 1 once it is reduced.
    let unreduced = [&[0xee][..], &[0xff; 30], &[0x7f]].concat();
    vec![
        key(
            "did:key with the codec of X25519",
            &[&[0xec, 1], &public[..]].concat(),
            malformed(),
        ),
        key(
            "did:key with the codec of a private key",
            &[&[0x80, 0x26], &public[..]].concat(),
            malformed(),
        ),
        key(
            "did:key with the codec in two spellings",
            &[&[0xed, 0x81, 0], &public[..]].concat(),
            malformed(),
        ),
        key(
            "did:key with a byte more",
            &ed25519(&[&public[..], &[0]].concat()),
            malformed(),
        ),
        key(
            "did:key with a byte less",
            &ed25519(&public[..31]),
            malformed(),
        ),
        key("did:key without a key", &ed25519(&[]), malformed()),
        key("did:key of small order", &ed25519(&identity), malformed()),
        key(
            "did:key with a point that is not reduced",
            &ed25519(&unreduced),
            malformed(),
        ),
        key(
            "did:key with P-256 without compression",
            &[&[0x80, 0x24, 4][..], &[7; 64]].concat(),
            malformed(),
        ),
        row(
            "did:key in another base",
            Named::did_key,
            |badge| {
                let bytes = decode_base58btc(&badge.by.key.public().to_multikey()).unwrap();
                badge.rename(&format!("did:key:u{}", base64url(bytes)));
            },
            malformed(),
        ),
        row(
            "a fragment that the did:key does not have",
            Named::did_key,
            |badge| badge.by.method = format!("{}#key-1", badge.by.id),
            refused_at("key-missing", METHOD),
        ),
        row(
            "did:key of a forger as the fragment of the college's",
            Named::did_key,
            |badge| {
                let forger = forger();
                badge.by.method = format!("{}#{}", badge.by.id, forger.key.public().to_multikey());
                badge.by.key = forger.key;
            },
            refused_at("key-missing", METHOD),
        ),
    ]
}

fn jwks() -> Vec<Row> {
    let good_jwk = college().key.public().to_jwk();
    let with = |member: &str, value: Value| {
        let mut jwk = college().key.public().to_jwk();
        jwk[member] = value;
        jwk
    };
    let malformed = || refused_at("key-malformed", METHOD);
    vec![
        jwk("did:jwk", &good_jwk, good()),
        jwk(
            "did:jwk that gives the private key away",
            &with("d", json!("AA")),
            malformed(),
        ),
        jwk(
            "did:jwk for encryption",
            &with("use", json!("enc")),
            malformed(),
        ),
        jwk(
            "did:jwk of another curve",
            &with("crv", json!("X25519")),
            malformed(),
        ),
        jwk(
            "did:jwk with a shared secret",
            &json!({"kty": "oct", "k": "AA"}),
            malformed(),
        ),
        jwk("did:jwk without a key", &json!("key"), malformed()),
        row(
            "did:jwk with padding",
            Named::did_key,
            // In a DID padding cannot even be written.
            |badge| {
                badge.rename(&format!(
                    "did:jwk:{}%3D",
                    base64url(college().key.public().to_jwk().to_string())
                ))
            },
            refused_at("key-url", METHOD),
        ),
        row(
            "did:jwk whose JSON says x twice",
            Named::did_key,
            |badge| {
                let jwk = college().key.public().to_jwk().to_string();
                let jwk = jwk.replacen('{', r#"{"x":"AA","#, 1);
                badge.rename(&format!("did:jwk:{}", base64url(jwk)));
            },
            refused_at("key-url", METHOD),
        ),
    ]
}

fn names() -> Vec<Row> {
    vec![
        web("did:web of an address", "did:web:127.0.0.1"),
        web("did:web of an address in one number", "did:web:2130706433"),
        web("did:web of an address in hexadecimal", "did:web:0x7f.1"),
        web(
            "did:web of the address for metadata",
            "did:web:169.254.169.254%3A80",
        ),
        web("did:web of an address of IPv6", "did:web:%5B%3A%3A1%5D"),
        web("did:web with port 0", "did:web:college.example%3A0"),
        web(
            "did:web with a port beyond all",
            "did:web:college.example%3A65536",
        ),
        web(
            "did:web with a port with a zero before",
            "did:web:college.example%3A0443",
        ),
        web(
            "did:web with a user name",
            "did:web:college.example%40forger.example",
        ),
        web(
            "did:web with a slash in its host",
            "did:web:college.example%2Fforger.example",
        ),
        web(
            "did:web with a step upwards",
            "did:web:college.example:..:admin",
        ),
        web(
            "did:web with a step upwards in escapes",
            "did:web:college.example:%2e%2e:admin",
        ),
        web(
            "did:web with a slash in a segment",
            "did:web:college.example:a%2Fb",
        ),
        web(
            "did:web with an empty segment",
            "did:web:college.example::a",
        ),
        web("did:web in capitals", "did:web:College.example"),
        web("did:web with a dot at its end", "did:web:college.example."),
        web("did:web of one label", "did:web:intranet"),
        row(
            "a DID of a method that nobody resolves",
            Named::did_web,
            |badge| badge.rename("did:example:college"),
            unreachable_at("key-document-not-found", METHOD),
        ),
        row(
            "a did:web that nobody knows",
            Named::did_web,
            |badge| badge.rename("did:web:elsewhere.example"),
            unreachable_at("key-document-not-found", METHOD),
        ),
    ]
}
