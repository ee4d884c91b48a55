//! Ed25519 keys (RFC 8032): signing keys that never show themselves, public keys that are sound,
//! and the two texts in which public keys travel, Multikey (Controlled Identifiers 1.0 section
//! 2.2.2) and JWK (RFC 8037).

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, Verifier as _};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::multibase::{self, MultibaseError};
use crate::entropy::Entropy;

pub use super::sealing::{KeyPlace, MasterKey, MasterKeyError, MasterKeyId, OpenError, Sealed};

/// Length in bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Length in bytes of a public key, and of the seed of a signing key.
pub const KEY_BYTES: usize = 32;

/// The multicodec code of an Ed25519 public key, 0xed, as the varint that leads a Multikey.
const MULTIKEY_PREFIX: [u8; 2] = [0xed, 0x01];

/// Keys that were found sound, each in the slot of its first byte until another one takes that:
/// issuers sign many credentials, and to find a key sound takes a sixth of the time in which it
/// checks a signature. A key with other bytes is never handed out for them.
static SOUND: [ArcSwapOption<ed25519_dalek::VerifyingKey>; 256] =
    [const { ArcSwapOption::const_empty() }; 256];

/// The canonical encodings of the points whose order divides 8, of which there are eight.
const SMALL_ORDER: [[u8; KEY_BYTES]; 8] = {
    let zero = [0; KEY_BYTES];
    let one = with_byte(zero, 0, 1);
    let minus_one = with_byte(with_byte([0xff; KEY_BYTES], 0, 0xec), 31, 0x7f);
    let eighth = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    let other_eighth = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    [
        one,
        minus_one,
        zero,
        with_byte(zero, 31, 0x80),
        eighth,
        with_byte(eighth, 31, 0x85),
        other_eighth,
        with_byte(other_eighth, 31, 0xfa),
    ]
};

/// The same bytes but for one.
const fn with_byte(mut bytes: [u8; KEY_BYTES], place: usize, byte: u8) -> [u8; KEY_BYTES] {
    bytes[place] = byte;
    bytes
}

/// A key that signs. It is wiped when dropped, and `Debug` shows its public half alone.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key that grows from `seed`, the private key of RFC 8032 section 5.1.5.
    pub fn from_seed(seed: &[u8; KEY_BYTES]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut seed = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The signature over `message`; the same each time.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The seed, for sealing. It is wiped when dropped.
    pub fn seed(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public())
    }
}

/// A key that checks signatures: a canonically encoded point that is not of small order, so that
/// no signature fits two messages and each key has one spelling.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

/// What a check of a signature says.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// The key's owner signed exactly this message.
    Good,
    /// Another message, another key, or no canonical signature.
    Bad,
}

/// Why something is not a public key that is taken here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PublicKeyError {
    /// Not the encoding of a point, or not its canonical one.
    #[error("the bytes are not the canonical encoding of an Ed25519 public key")]
    NotAPoint,
    /// A point of small order, for which anybody can make signatures.
    #[error("the Ed25519 key is weak: it has small order and proves nothing")]
    Weak,
    /// Not a multibase text.
    #[error("a Multikey is base58btc with a leading z: {0}")]
    Multibase(#[from] MultibaseError),
    /// A Multikey of another kind or length.
    #[error("an Ed25519 Multikey starts with z6Mk and holds 2 + 32 bytes")]
    NotEd25519,
    /// A Multikey on a curve that is not read.
    #[error("keys on {0} are not read; Ed25519 and P-256 are")]
    Curve(&'static str),
    /// Not a point of P-256, or not in the form that is asked for.
    #[error("the bytes are not a point of P-256")]
    NotP256,
    /// An RSA modulus of this many bits.
    #[error("an RSA key has 2048 to 8192 bits, and this one {0}")]
    RsaLength(usize),
    /// A member of a JWK is missing or has another value.
    #[error("the JWK's member {member:?} must be {expected}")]
    Jwk {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A JWK with its private half.
    #[error("the JWK carries its private half; the key is no longer secret, make another")]
    Private,
}

impl PublicKey {
    /// The key of these 32 bytes.
    ///
    /// # Errors
    /// Points not canonically encoded, and those of small order.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self, PublicKeyError> {
        let slot = &SOUND[usize::from(bytes[0])];
        if let Some(key) = &*slot.load()
            && key.as_bytes() == bytes
        {
            return Ok(Self(**key));
        }
        let key = Self::decompressed(bytes)?;
        slot.store(Some(Arc::new(key.0)));
        Ok(key)
    }

    fn decompressed(bytes: &[u8; KEY_BYTES]) -> Result<Self, PublicKeyError> {
        if !is_reduced(bytes) {
            return Err(PublicKeyError::NotAPoint);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map_err(|_| PublicKeyError::NotAPoint)?;
        if key.is_weak() {
            return Err(PublicKeyError::Weak);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of RFC 8032 section 5.1.5.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        self.0.as_bytes()
    }

    /// Whether `signature` is this key's over `message`. Strict: the cofactorless equation, and no
    /// small-order component in key or signature, so that every conforming verifier agrees.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> SignatureCheck {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        // The check makes R anew and compares its bytes, which are canonical. So bytes that pass
        // are those of a point, and of small order only if they are among these eight: to find
        // that out from the point would take a seventh of the time of the check. The key's order
        // was looked at when the key was read.
        if SMALL_ORDER.contains(signature.r_bytes()) {
            return SignatureCheck::Bad;
        }
        match self.0.verify(message, &signature) {
            Ok(()) => SignatureCheck::Good,
            Err(_) => SignatureCheck::Bad,
        }
    }

    /// Reads a Multikey, `z6Mk…`.
    ///
    /// # Errors
    /// Other encodings, kinds of key and lengths, and as [`Self::from_bytes`].
    pub fn from_multikey(text: &str) -> Result<Self, PublicKeyError> {
        Self::from_multicodec(&multibase::decode_base58btc(text)?)
    }

    /// Reads what a Multikey holds: the prefix of its kind, then the key.
    pub(super) fn from_multicodec(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let key = bytes
            .strip_prefix(&MULTIKEY_PREFIX)
            .ok_or(PublicKeyError::NotEd25519)?;
        Self::from_bytes(key.try_into().map_err(|_| PublicKeyError::NotEd25519)?)
    }

    /// The Multikey, `z6Mk…`.
    pub fn to_multikey(&self) -> String {
        multibase::encode_base58btc(&[&MULTIKEY_PREFIX, self.as_bytes().as_slice()].concat())
    }

    /// Reads a public JWK of type `OKP` on curve `Ed25519` (RFC 8037 section 2). `alg`, `use` and
    /// `key_ops`, where there, must allow checking EdDSA signatures; other members are ignored, as
    /// RFC 7517 section 4 asks.
    ///
    /// # Errors
    /// The member that is missing or wrong; a private key; and as [`Self::from_bytes`].
    pub fn from_jwk(jwk: &Value) -> Result<Self, PublicKeyError> {
        let wrong = |member, expected| PublicKeyError::Jwk { member, expected };
        let jwk = jwk
            .as_object()
            .ok_or(wrong("kty", "a member of an object"))?;
        if jwk.contains_key("d") {
            return Err(PublicKeyError::Private);
        }
        for (member, expected) in [("kty", "OKP"), ("crv", "Ed25519")] {
            if jwk.get(member).and_then(Value::as_str) != Some(expected) {
                return Err(wrong(member, expected));
            }
        }
        allows_checking(jwk, &["EdDSA", "Ed25519"])?;
        let x = jwk
            .get("x")
            .and_then(Value::as_str)
            .and_then(|x| URL_SAFE_NO_PAD.decode(x).ok());
        let bytes: Option<[u8; KEY_BYTES]> = x.and_then(|bytes| bytes.try_into().ok());
        Self::from_bytes(&bytes.ok_or(wrong("x", "32 bytes in base64url without padding"))?)
    }

    /// The JWK, with its required members alone.
    pub fn to_jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x() })
    }

    /// The JWK's thumbprint (RFC 7638, RFC 8037 appendix A.3), SHA-256 in base64url.
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.as_bytes())
    }
}

/// The Multikey.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_multikey())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Whether the y coordinate is below 2²⁵⁵ − 19. Decompression would reduce it silently, and one
/// key would have two spellings. The other non-canonical encodings are of small order.
fn is_reduced(bytes: &[u8; KEY_BYTES]) -> bool {
    let [first, middle @ .., last] = bytes;
    last & 0x7f != 0x7f || middle.iter().any(|&byte| byte != 0xff) || *first < 0xed
}

/// Whether a JWK is one for checking signatures with one of these algorithms, where it says.
pub(super) fn allows_checking(
    jwk: &Map<String, Value>,
    algorithms: &[&str],
) -> Result<(), PublicKeyError> {
    let wrong = |member, expected| PublicKeyError::Jwk { member, expected };
    let fits = |alg: &Value| alg.as_str().is_some_and(|alg| algorithms.contains(&alg));
    if !jwk.get("alg").is_none_or(fits) {
        return Err(wrong("alg", "the algorithm of its kind of key"));
    }
    match jwk.get("use").map(Value::as_str) {
        None | Some(Some("sig")) => {}
        Some(_) => return Err(wrong("use", "sig")),
    }
    match jwk.get("key_ops").map(Value::as_array) {
        None => Ok(()),
        Some(Some(operations)) if operations.contains(&Value::from("verify")) => Ok(()),
        Some(_) => Err(wrong("key_ops", "an array with verify")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|c| c.to_digit(16))
            .map(|d| d as u8)
            .collect();
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect();
        bytes.try_into().unwrap()
    }

    fn signing_key(seed: u64) -> SigningKey {
        SigningKey::generate(&SeededEntropy::new(seed))
    }

    /// RFC 8032 section 7.1: seed, public key, message, signature.
    const RFC_8032: [(&str, &str, &str, &str); 3] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];

    #[test]
    fn signatures_are_those_of_rfc_8032() {
        for (seed, public, message, signature) in RFC_8032 {
            let message: Vec<u8> = match message.len() {
                0 => vec![],
                2 => hex::<1>(message).to_vec(),
                _ => hex::<2>(message).to_vec(),
            };
            let key = SigningKey::from_seed(&hex(seed));
            assert_eq!(key.public().as_bytes(), &hex(public));
            assert_eq!(key.sign(&message), hex(signature));
            let good = key.public().verify(&message, &hex(signature));
            assert_eq!(good, SignatureCheck::Good);
        }
    }

    #[test]
    fn jwk_and_thumbprint_are_those_of_rfc_8037() {
        let key = SigningKey::from_seed(&hex(RFC_8032[0].0)).public();
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(
            key.to_jwk(),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
        );
        assert_eq!(
            key.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()), Ok(key));
    }

    #[test]
    fn a_published_multikey_is_read_and_written() {
        // W3C vc-di-eddsa, the key pair of the test vectors.
        let text = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
        let secret = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq";
        let secret = multibase::decode(secret).unwrap();
        let key = SigningKey::from_seed(secret[2..].try_into().unwrap());
        assert_eq!(key.public().to_multikey(), text);
        assert_eq!(PublicKey::from_multikey(text), Ok(key.public()));
    }

    #[test]
    fn keys_that_prove_nothing_are_refused() {
        let identity = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        assert_eq!(PublicKey::from_bytes(&identity), Err(PublicKeyError::Weak));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(PublicKeyError::Weak));
        // y = 1 with the sign bit set: the identity again, spelt otherwise.
        let negative = {
            let mut bytes = identity;
            bytes[31] = 0x80;
            bytes
        };
        assert!(PublicKey::from_bytes(&negative).is_err());
        // y = p + 3 is 3 spelt otherwise, and 3 is the y of a point.
        let unreduced = {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xf0;
            bytes[31] = 0x7f;
            bytes
        };
        let reduced = {
            let mut bytes = [0; 32];
            bytes[0] = 3;
            bytes
        };
        assert!(PublicKey::from_bytes(&reduced).is_ok());
        assert_eq!(
            PublicKey::from_bytes(&unreduced),
            Err(PublicKeyError::NotAPoint)
        );
        let no_point = {
            let mut bytes = [0; 32];
            bytes[0] = 2;
            bytes
        };
        assert_eq!(
            PublicKey::from_bytes(&no_point),
            Err(PublicKeyError::NotAPoint)
        );
    }

    #[test]
    fn other_multikeys_are_refused() {
        let p256 = multibase::encode_base58btc(&[&[0x80, 0x24], [2; 33].as_slice()].concat());
        assert_eq!(
            PublicKey::from_multikey(&p256),
            Err(PublicKeyError::NotEd25519)
        );
        let short = multibase::encode_base58btc(&[&MULTIKEY_PREFIX, [2; 31].as_slice()].concat());
        assert_eq!(
            PublicKey::from_multikey(&short),
            Err(PublicKeyError::NotEd25519)
        );
        let key = signing_key(1).public().to_multikey();
        for bad in [&key[1..], &key.to_uppercase(), &format!("{key} "), ""] {
            assert!(PublicKey::from_multikey(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn jwks_are_read_strictly() {
        let good = signing_key(1).public().to_jwk();
        let with = |member: &str, value: Value| {
            let mut jwk = good.clone();
            jwk[member] = value;
            PublicKey::from_jwk(&jwk)
        };
        assert!(with("kid", json!("key-1")).is_ok());
        assert!(with("alg", json!("EdDSA")).is_ok());
        assert!(with("key_ops", json!(["verify"])).is_ok());
        assert_eq!(with("d", json!("secret")), Err(PublicKeyError::Private));
        let x = good["x"].as_str().unwrap();
        for (member, value) in [
            ("kty", json!("EC")),
            ("crv", json!("X25519")),
            ("alg", json!("ES256")),
            ("alg", json!(null)),
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("x", json!(format!("{x}="))),
            ("x", json!(&x[1..])),
            ("x", json!(7)),
        ] {
            let refused = with(member, value.clone());
            assert!(
                matches!(refused, Err(PublicKeyError::Jwk { member: named, .. }) if named == member),
                "{member} {value}"
            );
        }
        assert!(PublicKey::from_jwk(&json!("jwk")).is_err());
    }

    #[test]
    fn a_signing_key_does_not_show_itself() {
        let key = signing_key(3);
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey(of {})", key.public()));
        assert!(!shown.contains(&multibase::encode_base58btc(&*key.seed())[1..]));
    }

    #[test]
    fn a_signature_with_a_shifted_scalar_is_bad() {
        // s + L satisfies the equation too; RFC 8032 section 5.1.7 demands s < L.
        let (key, message) = (signing_key(4), b"message");
        let mut signature = key.sign(message);
        let order: [u8; 32] =
            hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0u16;
        for (digit, add) in signature[32..].iter_mut().zip(order) {
            carry += u16::from(*digit) + u16::from(add);
            *digit = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(
            key.public().verify(message, &signature),
            SignatureCheck::Bad
        );
    }

    #[test]
    fn a_signature_whose_point_has_small_order_is_bad() {
        // Made by the owner of the first key of RFC 8032 with the identity as R: s is the hash
        // times the secret scalar. The plain equation holds, and other verifiers may refuse it.
        let key = SigningKey::from_seed(&hex(RFC_8032[0].0)).public();
        let mut signature = [0; SIGNATURE_BYTES];
        signature[0] = 1;
        let scalar: [u8; 32] =
            hex("520a2e25b0f11547a9ae2ad848ed7731c77f99f1a8712d363455d344db33ac04");
        signature[32..].copy_from_slice(&scalar);
        let plain = ed25519_dalek::Signature::from_bytes(&signature);
        assert!(ed25519_dalek::Verifier::verify(&key.0, b"message", &plain).is_ok());
        assert_eq!(key.verify(b"message", &signature), SignatureCheck::Bad);
    }

    #[test]
    fn the_points_of_small_order_are_all_named() {
        // Eight points have an order that divides that of the cofactor, and each has one encoding.
        let named: std::collections::HashSet<_> = SMALL_ORDER.into_iter().collect();
        assert_eq!(named.len(), 8);
        for bytes in &SMALL_ORDER {
            assert_eq!(PublicKey::from_bytes(bytes), Err(PublicKeyError::Weak));
        }
    }

    #[test]
    fn a_check_is_as_strict_as_the_strict_one() {
        let (key, message) = (signing_key(5), b"message");
        let signature = key.sign(message);
        let points = SMALL_ORDER.into_iter().chain([
            // The identity once more, with its sign turned; one more than the field has; no point.
            with_byte(SMALL_ORDER[0], 31, 0x80),
            with_byte(SMALL_ORDER[1], 0, 0xee),
            with_byte([0; KEY_BYTES], 0, 2),
            signature[..32].try_into().unwrap(),
        ]);
        for point in points {
            let mut signature = signature;
            signature[..32].copy_from_slice(&point);
            let strict = ed25519_dalek::Signature::from_bytes(&signature);
            let strict = key.public().0.verify_strict(message, &strict).is_ok();
            let ours = key.public().verify(message, &signature);
            assert_eq!(ours == SignatureCheck::Good, strict, "{point:02x?}");
        }
    }

    proptest! {
        #[test]
        fn every_key_survives_its_texts(seed: [u8; 32]) {
            let key = SigningKey::from_seed(&seed);
            let public = key.public();
            prop_assert!(public.to_multikey().starts_with("z6Mk"));
            prop_assert_eq!(PublicKey::from_multikey(&public.to_multikey()), Ok(public));
            prop_assert_eq!(PublicKey::from_jwk(&public.to_jwk()), Ok(public));
            prop_assert_eq!(PublicKey::from_bytes(public.as_bytes()), Ok(public));
            prop_assert_eq!(*key.seed(), seed);
        }

        #[test]
        fn one_changed_bit_makes_a_signature_bad(seed: [u8; 32], message: Vec<u8>, bit in 0..512usize) {
            let key = SigningKey::from_seed(&seed);
            let mut signature = key.sign(&message);
            prop_assert_eq!(key.public().verify(&message, &signature), SignatureCheck::Good);
            signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key.public().verify(&message, &signature), SignatureCheck::Bad);
        }
    }
}
