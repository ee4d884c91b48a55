//! Signatures of JWTs in other spellings, of other algorithms and by other keys, and envelopes
//! around JWTs.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey as P256};
use sha2::{Digest as _, Sha256};

use super::jwts::{Jwt, KEY_SET, by};
use super::*;
use crate::vc::jwt::Envelope;

pub(super) fn rows() -> Vec<Row> {
    [spellings(), forgeries(), on_p256(), by_rsa()]
        .into_iter()
        .flatten()
        .collect()
}

/// A row that changes the signed text.
fn text(name: &'static str, change: fn(String) -> String, expected: Wanted) -> Row {
    row(name, Jwt::vc_jwt, |jwt| jwt.tamper(change), expected)
}

fn spellings() -> Vec<Row> {
    let malformed = || refused("jwt-malformed");
    vec![
        text("the signature is padded", |jwt| jwt + "==", malformed()),
        text(
            "bits stand behind the last byte",
            |jwt| {
                // 64 bytes leave four bits over, which are 0 in the one spelling: A, Q, g or w.
                let (rest, last) = jwt.split_at(jwt.len() - 1);
                format!("{rest}{}", char::from(last.as_bytes()[0] + 1))
            },
            malformed(),
        ),
        text("a fourth part", |jwt| jwt + ".AAAA", malformed()),
        text(
            "five parts, as something encrypted has",
            |jwt| jwt + ".AAAA.AAAA",
            malformed(),
        ),
        text(
            "two parts",
            |jwt| jwt[..jwt.rfind('.').unwrap()].to_owned(),
            malformed(),
        ),
        text(
            "white space before it",
            |jwt| format!(" {jwt}"),
            malformed(),
        ),
        text("a line end behind it", |jwt| jwt + "\n", malformed()),
        text(
            "white space within",
            |jwt| jwt.replacen('.', ".\n", 1),
            malformed(),
        ),
        text(
            "the other alphabet of base64",
            |jwt| jwt.replacen("ey", "+/", 1),
            malformed(),
        ),
        text(
            "there is no signature",
            |jwt| jwt[..=jwt.rfind('.').unwrap()].to_owned(),
            refused("signature-bad"),
        ),
        text(
            "a byte is missing",
            |jwt| {
                let (signed, signature) = jwt.rsplit_once('.').unwrap();
                format!("{signed}.{}", &signature[..84])
            },
            refused("signature-bad"),
        ),
    ]
}

fn forgeries() -> Vec<Row> {
    vec![
        row(
            "the signature is of another payload",
            Jwt::vc_jwt,
            |jwt| {
                let signature = jwt.text().rsplit_once('.').unwrap().1.to_owned();
                jwt.payload["name"] = json!("Flying");
                jwt.tamper(|text| format!("{}.{signature}", text.rsplit_once('.').unwrap().0));
            },
            refused("signature-bad"),
        ),
        row(
            "the header was exchanged",
            Jwt::vc_jwt,
            |jwt| {
                let signature = jwt.text().rsplit_once('.').unwrap().1.to_owned();
                jwt.header["typ"] = json!("vc+ld+json+jwt");
                jwt.tamper(|text| format!("{}.{signature}", text.rsplit_once('.').unwrap().0));
            },
            refused("signature-bad"),
        ),
        row(
            "a forger signs with the college's kid",
            Jwt::vc_jwt,
            |jwt| jwt.sign = by(forger()),
            refused("signature-bad"),
        ),
        row(
            "the signature is of the payload alone",
            Jwt::vc_jwt,
            |jwt| {
                let payload = jwt.payload.to_string();
                jwt.sign = Box::new(move |_| college().key.sign(payload.as_bytes()).to_vec());
            },
            refused("signature-bad"),
        ),
        row(
            "the other half of the signature is not reduced",
            Jwt::vc_jwt,
            |jwt| jwt.sign = Box::new(|message| unreduced(college().key.sign(message))),
            refused("signature-bad"),
        ),
    ]
}

/// The same signature with the order of the group added to its second half, which equations that
/// are not strict take as well.
fn unreduced(mut signature: [u8; 64]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, added) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    signature.to_vec()
}

fn p256() -> P256 {
    P256::from_slice(&[7; 32]).unwrap()
}

fn p256_jwk() -> Value {
    let point = p256().verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    json!({"kty": "EC", "crv": "P-256", "kid": "p256", "x": base64url(x), "y": base64url(y)})
}

/// An Open Badge that is signed with ES256.
fn es256() -> Jwt {
    let mut jwt = Jwt::in_key_set();
    jwt.header["alg"] = json!("ES256");
    jwt.header["kid"] = json!("p256");
    jwt.web.serve(KEY_SET, json!({"keys": [p256_jwk()]}));
    jwt.sign = es256_as(|signature| signature.to_bytes().to_vec());
    jwt
}

fn es256_as(write: fn(Signature) -> Vec<u8>) -> jwts::Sign {
    Box::new(move |message| write(p256().sign(message)))
}

fn on_p256() -> Vec<Row> {
    let bad = || refused("signature-bad");
    let written = |name, write: fn(Signature) -> Vec<u8>, expected| {
        row(name, es256, |jwt| jwt.sign = es256_as(write), expected)
    };
    let keyed = |name, member: &'static str, value: Value, code| {
        let spoil = |jwt: &mut Jwt| {
            let mut key = p256_jwk();
            key[member] = value;
            jwt.web.serve(KEY_SET, json!({ "keys": [key] }));
        };
        row(name, es256, spoil, refused(code))
    };
    let half = |number: [u8; 32], first: bool| {
        move |jwt: &mut Jwt| {
            jwt.sign = Box::new(move |message| {
                let signature: Signature = p256().sign(message);
                let mut bytes = signature.to_bytes().to_vec();
                let place = if first { 0..32 } else { 32..64 };
                bytes[place].copy_from_slice(&number);
                bytes
            });
        }
    };
    vec![
        written(
            "ES256 in DER",
            |signature| signature.to_der().as_bytes().to_vec(),
            bad(),
        ),
        written(
            "ES256 with a byte more",
            |signature| [&signature.to_bytes()[..], &[0]].concat(),
            bad(),
        ),
        row("ES256 with r of zero", es256, half([0; 32], true), bad()),
        row("ES256 with s of zero", es256, half([0; 32], false), bad()),
        row(
            "ES256 with s beyond the order",
            es256,
            half([0xff; 32], false),
            bad(),
        ),
        row(
            "EdDSA with a key on P-256",
            es256,
            |jwt| jwt.header["alg"] = json!("EdDSA"),
            refused("proof-key-kind"),
        ),
        row(
            "RS256 with a key on P-256",
            es256,
            |jwt| jwt.header["alg"] = json!("RS256"),
            refused("proof-key-kind"),
        ),
        keyed(
            "the key is no point",
            "y",
            json!(base64url([1; 32])),
            "key-malformed",
        ),
        keyed(
            "the key is on another curve",
            "crv",
            json!("secp256k1"),
            "key-malformed",
        ),
        keyed(
            "the key is for encryption",
            "use",
            json!("enc"),
            "key-malformed",
        ),
        keyed(
            "the key is for signing only",
            "key_ops",
            json!(["sign"]),
            "key-malformed",
        ),
        keyed(
            "the key is for another algorithm",
            "alg",
            json!("ES384"),
            "key-malformed",
        ),
        keyed(
            "the set holds the private key",
            "d",
            json!(base64url([7; 32])),
            "key-malformed",
        ),
    ]
}

fn samples() -> Value {
    crate::json::parse(include_bytes!("../../../vc/jwt/tests/samples.json")).unwrap()
}

/// An Open Badge that another program signed with RS256; its key is named by `jwk`.
fn rs256() -> Jwt {
    let samples = samples();
    let mut jwt = Jwt::in_key_set();
    jwt.handed = Some(samples["jwts"]["open_badges"]["jwt"].clone());
    let url = "https://badges.example.edu/.well-known/jwks.json";
    jwt.web
        .serve(url, json!({"keys": [samples["keys"]["rsa"]]}));
    jwt
}

/// The padded digest that RS256 raises to the private exponent (RFC 8017 section 9.2): itself a
/// good signature for a key whose public exponent is 1.
fn padded(message: &[u8], length: usize) -> Vec<u8> {
    const SHA_256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let end = [&[0], &SHA_256[..], &Sha256::digest(message)].concat();
    let mut padded = vec![0xff; length - end.len()];
    padded[..2].copy_from_slice(&[0, 1]);
    [padded, end].concat()
}

/// Signed for a key of so many bits with the public exponent 1, which its set has.
fn exponent_one(bits: usize) -> impl FnOnce(&mut Jwt) {
    move |jwt| {
        jwt.header["alg"] = json!("RS256");
        let key =
            json!({"kty": "RSA", "kid": "2026", "e": "AQ", "n": base64url(vec![0xff; bits / 8])});
        jwt.web.serve(KEY_SET, json!({ "keys": [key] }));
        jwt.sign = Box::new(move |message| padded(message, bits / 8));
    }
}

fn by_rsa() -> Vec<Row> {
    vec![
        row(
            "RSA with 512 bits",
            Jwt::in_key_set,
            exponent_one(512),
            refused("key-malformed"),
        ),
        row(
            "RSA with 1024 bits",
            Jwt::in_key_set,
            exponent_one(1024),
            refused("key-malformed"),
        ),
        row(
            "RSA with 16384 bits",
            Jwt::in_key_set,
            exponent_one(16_384),
            refused("key-malformed"),
        ),
        row(
            "RSA with the exponent 1",
            Jwt::in_key_set,
            exponent_one(2048),
            refused("key-malformed"),
        ),
        row(
            "a badge with RS256 and one letter changed",
            rs256,
            |jwt| {
                let text = jwt.handed.take().unwrap();
                let (rest, last) = text.as_str().unwrap().rsplit_once('.').unwrap();
                let first = if last.starts_with('A') { "B" } else { "A" };
                jwt.handed = Some(json!(format!("{rest}.{first}{}", &last[1..])));
            },
            refused("signature-bad"),
        ),
        row(
            "a badge with RS256 whose key is not in the set any more",
            rs256,
            |jwt| {
                let url = "https://badges.example.edu/.well-known/jwks.json";
                jwt.web
                    .serve(url, json!({"keys": [samples()["keys"]["p256"]]}));
            },
            refused("key-missing"),
        ),
    ]
}

/// A row that changes the envelope around a good JWT.
fn envelope(name: &'static str, change: fn(&mut Value), expected: Wanted) -> Row {
    let enveloped = || {
        let mut jwt = Jwt::vc_jwt();
        jwt.handed = Some(Envelope::Credential.wrap(&jwt.text()));
        jwt
    };
    let spoil = |jwt: &mut Jwt| change(jwt.handed.as_mut().unwrap());
    row(name, enveloped, spoil, expected)
}

pub(super) fn envelopes() -> Vec<Row> {
    fn id(envelope: &mut Value, from: &str, to: &str) {
        envelope["id"] = json!(envelope["id"].as_str().unwrap().replacen(from, to, 1));
    }
    let malformed = || refused("envelope-malformed");
    vec![
        envelope(
            "an envelope of another kind",
            |e| id(e, "vc+jwt", "vc+sd-jwt"),
            malformed(),
        ),
        envelope(
            "an envelope of a presentation",
            |e| id(e, "vc+jwt", "vp+jwt"),
            malformed(),
        ),
        envelope(
            "an envelope in base64",
            |e| id(e, "jwt,", "jwt;base64,"),
            malformed(),
        ),
        envelope(
            "an envelope that is a link",
            |e| id(e, "data:", "https://forger.example/"),
            malformed(),
        ),
        envelope(
            "an envelope with a status of its own",
            |e| e["credentialStatus"] = json!({}),
            malformed(),
        ),
        envelope(
            "an envelope with a proof",
            |e| e["proof"] = json!({}),
            malformed(),
        ),
        envelope(
            "an envelope with another type beside",
            |e| {
                e["type"] = json!(["EnvelopedVerifiableCredential", "OpenBadgeCredential"]);
            },
            malformed(),
        ),
        envelope(
            "an envelope with a second context",
            |e| {
                e["@context"] = json!([CREDENTIALS_V2, OPEN_BADGES]);
            },
            malformed(),
        ),
        envelope(
            "an empty envelope",
            |e| e["id"] = json!("data:application/vc+jwt,"),
            refused("jwt-malformed"),
        ),
        envelope(
            "an envelope in capitals",
            |e| id(e, "application/vc+jwt", "Application/VC+JWT"),
            good(),
        ),
    ]
}
