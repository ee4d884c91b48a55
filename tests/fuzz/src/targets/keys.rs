//! Keys that come as Multikey or JWK.

use goodstanding::json;
use goodstanding::vc::keys::{PublicKey, SignatureCheck};
use goodstanding::vc::verifying::{KeyKind, VerifyingKey};
use serde_json::Value;

use super::Reached;

/// A key that is read is written as it was, and is the key that the reader of its kind reads. A
/// JWK is of the kind that it says and not private. For no key is a signature good that anybody
/// can make.
pub fn run(data: &[u8]) -> Reached {
    let key = match (json::parse(data), std::str::from_utf8(data)) {
        (Ok(jwk), _) => of_jwk(&jwk),
        (Err(_), Ok(text)) => of_multikey(text),
        (Err(_), Err(_)) => None,
    };
    match key {
        Some(key) => {
            check_signatures(&key);
            Reached::Read
        }
        None => Reached::Refused,
    }
}

fn of_multikey(text: &str) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_multikey(text).ok();
    let ed25519 = PublicKey::from_multikey(text).ok().map(VerifyingKey::from);
    match &key {
        Some(VerifyingKey::Ed25519(public)) => assert_eq!(public.to_multikey(), text),
        Some(VerifyingKey::P256(point)) => assert_eq!(point.to_multikey(), text),
        Some(VerifyingKey::Rsa(_)) => panic!("Multikey has no RSA keys here: {text}"),
        None => {}
    }
    let of_ed25519 = |key: &VerifyingKey| key.kind() == KeyKind::Ed25519;
    assert_eq!(ed25519, key.clone().filter(of_ed25519));
    key
}

fn of_jwk(jwk: &Value) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_jwk(jwk).ok()?;
    assert!(jwk.get("d").is_none(), "a private key is refused");
    let kind = match key.kind() {
        KeyKind::Ed25519 => "OKP",
        KeyKind::P256 => "EC",
        KeyKind::Rsa => "RSA",
    };
    assert_eq!(jwk["kty"], kind);
    match &key {
        VerifyingKey::Ed25519(public) => {
            assert_eq!(public.to_jwk()["x"], jwk["x"]);
            assert_eq!(PublicKey::from_jwk(&public.to_jwk()).as_ref(), Ok(public));
            assert_eq!(of_multikey(&public.to_multikey()).as_ref(), Some(&key));
        }
        VerifyingKey::P256(point) => {
            assert_eq!(of_multikey(&point.to_multikey()).as_ref(), Some(&key));
        }
        VerifyingKey::Rsa(_) => assert_eq!(VerifyingKey::from_jwk(jwk).as_ref(), Ok(&key)),
    }
    Some(key)
}

/// SHA-256 of no bytes, in the frame that PKCS #1 gives it: what a signature by an exponent of 1
/// would be.
const DIGEST_INFO: [u8; 51] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20, 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99,
    0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78,
    0x52, 0xb8, 0x55,
];

fn check_signatures(key: &VerifyingKey) {
    let identity = |place: usize| {
        let mut signature = vec![0; 64];
        signature[place] = 1;
        signature
    };
    let mut made = vec![
        Vec::new(),
        vec![0; 64],
        vec![0xff; 64],
        // The neutral point of Ed25519 with 0, and one-valued halves of ECDSA.
        identity(0),
        identity(31),
        identity(63),
    ];
    for length in [256, 384, 512] {
        let mut framed = vec![0xff; length];
        (framed[0], framed[1]) = (0, 1);
        framed[length - 52] = 0;
        framed[length - 51..].copy_from_slice(&DIGEST_INFO);
        made.push(framed);
        made.push(vec![0; length]);
    }
    for signature in made {
        let bad = key.verify(b"", &signature) == SignatureCheck::Bad;
        assert!(bad, "{key:?} takes {signature:?}");
    }
}
