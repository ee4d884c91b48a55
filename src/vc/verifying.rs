//! Keys that only check signatures, of every kind that issuers elsewhere sign with: Ed25519,
//! ECDSA on P-256 and RSA. What is signed here is signed with Ed25519 alone ([`super::keys`]).
//!
//! A key is of one kind, and the kind fixes the algorithm: nothing that a signed text says of its
//! algorithm can change how its signature is checked.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::keys::{PublicKey, PublicKeyError, SIGNATURE_BYTES, SignatureCheck, allows_checking};
use super::multibase;

/// The multicodec code of a P-256 public key, 0x1200, as the varint that leads a Multikey.
const P256_PREFIX: [u8; 2] = [0x80, 0x24];

/// That of a P-384 public key, 0x1201, which is named in refusals alone.
const P384_PREFIX: [u8; 2] = [0x81, 0x24];

/// The fewest bits of an RSA modulus (RFC 7518 section 3.3), and the most that are taken, since
/// checking takes quadratic time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key of any kind that is read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyingKey {
    /// Ed25519, for `EdDSA` and the `eddsa-…` cryptosuites.
    Ed25519(PublicKey),
    /// ECDSA on P-256 with SHA-256, for `ES256` and `ecdsa-rdfc-2019`.
    P256(P256Key),
    /// RSASSA-PKCS1-v1_5 with SHA-256, for `RS256`.
    Rsa(RsaKey),
}

/// The kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// See [`VerifyingKey::Ed25519`].
    Ed25519,
    /// See [`VerifyingKey::P256`].
    P256,
    /// See [`VerifyingKey::Rsa`].
    Rsa,
}

impl KeyKind {
    /// The JWS algorithm of such keys (RFC 7518 section 3.1, RFC 8037 section 3.1).
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
            Self::Rsa => "RS256",
        }
    }

    /// The kind of key that a JWS algorithm is for; `Ed25519` is the newer name of `EdDSA` on that
    /// curve (RFC 9864). Nothing for all others, `none` among them.
    pub fn of_algorithm(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::Ed25519),
            "ES256" => Some(Self::P256),
            "RS256" => Some(Self::Rsa),
            _ => None,
        }
    }
}

/// A point of P-256, other than the one at infinity.
#[derive(Clone, PartialEq, Eq)]
pub struct P256Key(p256::ecdsa::VerifyingKey);

/// An RSA modulus of 2,048 to 8,192 bits and its exponent, without leading zeros.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl VerifyingKey {
    /// Reads a Multikey (Controlled Identifiers 1.0 section 2.2.2): `z6Mk…` or `zDn…`.
    ///
    /// # Errors
    /// Other encodings, kinds of keys (P-384 by name) and lengths; what is no point of the curve.
    pub fn from_multikey(text: &str) -> Result<Self, PublicKeyError> {
        let bytes = multibase::decode_base58btc(text)?;
        match bytes.strip_prefix(&P256_PREFIX) {
            // Compressed, as the only form that Multikey has. SEC 1 has one of the same length for
            // a point whose sign is left open, by which a key would have a second spelling.
            Some(point) if point.len() == 33 && matches!(point[0], 2 | 3) => {
                P256Key::from_sec1(point).map(Self::P256)
            }
            Some(_) => Err(PublicKeyError::NotP256),
            None if bytes.starts_with(&P384_PREFIX) => Err(PublicKeyError::Curve("P-384")),
            None => PublicKey::from_multicodec(&bytes).map(Self::Ed25519),
        }
    }

    /// Reads a public JWK: `OKP` on Ed25519, `EC` on P-256, or `RSA` (RFC 7518 section 6, RFC
    /// 8037). `alg`, `use` and `key_ops`, where there, must allow checking signatures of its kind.
    ///
    /// # Errors
    /// The member that is missing or wrong, a private key, what is no point of its curve, and RSA
    /// keys below 2,048 bits or with an exponent that proves nothing.
    pub fn from_jwk(jwk: &Value) -> Result<Self, PublicKeyError> {
        let kind = jwk.get("kty").and_then(Value::as_str);
        match (kind, jwk.as_object()) {
            (Some("EC"), Some(members)) => P256Key::from_jwk(members).map(Self::P256),
            (Some("RSA"), Some(members)) => RsaKey::from_jwk(members).map(Self::Rsa),
            (Some("OKP"), _) => PublicKey::from_jwk(jwk).map(Self::Ed25519),
            _ => Err(wrong("kty", "OKP, EC or RSA")),
        }
    }

    /// The kind.
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::P256(_) => KeyKind::P256,
            Self::Rsa(_) => KeyKind::Rsa,
        }
    }

    /// The public JWK, with its required members alone.
    pub fn to_jwk(&self) -> Value {
        match self {
            Self::Ed25519(key) => key.to_jwk(),
            Self::P256(key) => {
                let [x, y] = key.coordinates();
                json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
            }
            Self::Rsa(key) => {
                let [n, e] = key.numbers();
                json!({ "kty": "RSA", "n": n, "e": e })
            }
        }
    }

    /// The JWK's thumbprint (RFC 7638 section 3): SHA-256 over its required members in the order
    /// of their names, in base64url without padding. Two keys have one thumbprint only if they
    /// are the same.
    pub fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Ed25519(key) => return key.thumbprint(),
            Self::P256(key) => {
                let [x, y] = key.coordinates();
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa(key) => {
                let [n, e] = key.numbers();
                format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)
            }
        };
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// Whether `signature` is this key's over `message`, with the one algorithm of its kind:
    /// EdDSA and ECDSA as 64 bytes (RFC 7518 section 3.4: `r`, then `s`), RSA as long as the
    /// modulus.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> SignatureCheck {
        let good = match self {
            Self::Ed25519(key) => {
                return match <&[u8; SIGNATURE_BYTES]>::try_from(signature) {
                    Ok(signature) => key.verify(message, signature),
                    Err(_) => SignatureCheck::Bad,
                };
            }
            Self::P256(P256Key(key)) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Rsa(RsaKey { modulus, exponent }) => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
        };
        match good {
            true => SignatureCheck::Good,
            false => SignatureCheck::Bad,
        }
    }
}

impl From<PublicKey> for VerifyingKey {
    fn from(key: PublicKey) -> Self {
        Self::Ed25519(key)
    }
}

impl P256Key {
    fn from_sec1(point: &[u8]) -> Result<Self, PublicKeyError> {
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(Self)
            .map_err(|_| PublicKeyError::NotP256)
    }

    fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, PublicKeyError> {
        refuse_private(jwk)?;
        if jwk.get("crv").and_then(Value::as_str) != Some("P-256") {
            return Err(wrong("crv", "P-256"));
        }
        allows_checking(jwk, &["ES256"])?;
        // Uncompressed: 4, x, y.
        let mut point = vec![4];
        for member in ["x", "y"] {
            let bytes = bytes_of(jwk, member).filter(|bytes| bytes.len() == 32);
            let expected = "32 bytes in base64url without padding";
            point.extend(bytes.ok_or(wrong(member, expected))?);
        }
        Self::from_sec1(&point)
    }

    /// `x` and `y`, as a JWK has them.
    fn coordinates(&self) -> [String; 2] {
        let point = self.0.to_sec1_point(false);
        // Uncompressed: 4, then 32 bytes of each.
        let (x, y) = point.as_bytes()[1..].split_at(32);
        [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The Multikey, `zDn…`.
    pub fn to_multikey(&self) -> String {
        let point = self.0.to_sec1_point(true);
        multibase::encode_base58btc(&[&P256_PREFIX, point.as_bytes()].concat())
    }
}

impl RsaKey {
    fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, PublicKeyError> {
        refuse_private(jwk)?;
        allows_checking(jwk, &["RS256"])?;
        let expected = "an unsigned number in base64url without padding";
        let number = |member| {
            let bytes = bytes_of(jwk, member).filter(|bytes| bytes.first().is_some_and(|b| *b > 0));
            bytes.ok_or(wrong(member, expected))
        };
        let (modulus, exponent) = (number("n")?, number("e")?);
        let bits = modulus.len() * 8 - modulus[0].leading_zeros() as usize;
        if !RSA_BITS.contains(&bits) {
            return Err(PublicKeyError::RsaLength(bits));
        }
        if !is_exponent(&exponent) {
            return Err(wrong("e", "an odd number from 3 on, of at most 33 bits"));
        }
        Ok(Self { modulus, exponent })
    }

    /// `n` and `e`, as a JWK has them.
    fn numbers(&self) -> [String; 2] {
        [&self.modulus, &self.exponent].map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P256Key({})", self.to_multikey())
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({} bytes)", self.modulus.len())
    }
}

/// The members of a JWK that belong to its private half, or are a shared secret (RFC 7518 section
/// 6). `d` is in every private key; of an RSA key the others would do as well.
pub(super) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// With the exponent 1 every padded digest is its own signature, and an even one is none. Longer
/// ones only cost time, and the checks of signatures refuse them too.
fn is_exponent(bytes: &[u8]) -> bool {
    let value = bytes.iter().try_fold(0_u64, |value, byte| {
        value.checked_mul(256)?.checked_add(u64::from(*byte))
    });
    value.is_some_and(|value| (3..1 << 33).contains(&value) && value % 2 == 1)
}

const fn wrong(member: &'static str, expected: &'static str) -> PublicKeyError {
    PublicKeyError::Jwk { member, expected }
}

fn refuse_private(jwk: &Map<String, Value>) -> Result<(), PublicKeyError> {
    match PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
        true => Err(PublicKeyError::Private),
        false => Ok(()),
    }
}

fn bytes_of(jwk: &Map<String, Value>, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(jwk.get(member)?.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515 appendix A.3: a JWS with ES256.
    #[test]
    fn the_es256_example_of_rfc_7515_is_good() {
        let key = VerifyingKey::from_jwk(&json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }))
        .unwrap();
        assert_eq!(key.kind().algorithm(), "ES256");
        let signed = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = URL_SAFE_NO_PAD
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .unwrap();
        assert_eq!(key.verify(signed, &signature), SignatureCheck::Good);
        assert_eq!(key.verify(b"other", &signature), SignatureCheck::Bad);
        assert_eq!(key.verify(signed, &signature[..63]), SignatureCheck::Bad);
        let VerifyingKey::P256(point) = &key else {
            panic!("it is an EC key");
        };
        let text = point.to_multikey();
        assert!(text.starts_with("zDn"), "{text}");
        assert_eq!(VerifyingKey::from_multikey(&text), Ok(key));
    }

    /// The keys of RFC 7638 section 3.1, RFC 7515 appendix A.3 and RFC 8037 appendix A.2. The
    /// thumbprint of the second is by Python's hashlib over the text that RFC 7638 section 3.2
    /// gives for elliptic curves; the RFCs have none.
    #[test]
    fn thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
        let rsa = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        for (jwk, thumbprint) in [
            (
                json!({"kty": "RSA", "n": rsa, "e": "AQAB"}),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                json!({
                    "kty": "EC", "crv": "P-256",
                    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                }),
                "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
            ),
            (
                json!({
                    "kty": "OKP", "crv": "Ed25519",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                }),
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
        ] {
            let mut dressed = jwk.clone();
            dressed["kid"] = json!("2011-04-29");
            let key = VerifyingKey::from_jwk(&dressed).unwrap();
            assert_eq!(key.to_jwk(), jwk);
            assert_eq!(key.thumbprint(), thumbprint);
        }
    }

    /// Found by fuzzing: tag 5 of SEC 1, which leaves the sign open, before the same x.
    #[test]
    fn a_point_has_one_spelling_as_multikey() {
        let good = "zDnaehAJLaqw7piT7qzPnKa6w1gU6djd5GvoDqvqSsdBkhBJJ";
        assert!(VerifyingKey::from_multikey(good).is_ok());
        let open = "zDnafarFT5DBvCrfRZEk316dpbLsfPDZ3WZ1WJ5hRTPU4F338";
        assert_eq!(
            VerifyingKey::from_multikey(open),
            Err(PublicKeyError::NotP256)
        );
    }

    #[test]
    fn keys_that_prove_nothing_are_refused() {
        let long = URL_SAFE_NO_PAD.encode([0xff; 128]);
        for (jwk, refusal) in [
            (
                json!({"kty": "RSA", "n": long, "e": "AQAB"}),
                PublicKeyError::RsaLength(1024),
            ),
            (
                json!({"kty": "RSA", "n": long, "e": "AQAB", "d": "AA"}),
                PublicKeyError::Private,
            ),
            (
                json!({"kty": "RSA", "n": long, "e": "AQAB", "p": "AA"}),
                PublicKeyError::Private,
            ),
            (
                json!({"kty": "RSA", "n": long}),
                wrong("e", "an unsigned number in base64url without padding"),
            ),
            (
                json!({"kty": "oct", "k": "AA"}),
                wrong("kty", "OKP, EC or RSA"),
            ),
            (json!({"kty": "EC", "crv": "P-384"}), wrong("crv", "P-256")),
            (
                json!({"kty": "EC", "crv": "P-256", "alg": "RS256"}),
                wrong("alg", "the algorithm of its kind of key"),
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode([1; 32]), "y": URL_SAFE_NO_PAD.encode([1; 32])}),
                PublicKeyError::NotP256,
            ),
        ] {
            assert_eq!(VerifyingKey::from_jwk(&jwk), Err(refusal), "{jwk}");
        }
    }
}
