//! JSON Web Signatures in their compact form (RFC 7515 section 7.1): the envelope of VC-JWTs and
//! of status list tokens.
//!
//! [`Jws::parse`] takes the text apart and refuses every header by which a reader could be talked
//! into a weaker check; [`Jws::verify`] asks a key that the caller found elsewhere. Keys and
//! places of keys that a header brings along (`jku`, `x5u`, `x5c`) are never used; its `jwk` can
//! only point at a key that is known otherwise ([`super::jwks`]).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::keys::{SignatureCheck, Signer, SignerError, SigningKey};
use super::verifying::{KeyKind, PRIVATE_MEMBERS, VerifyingKey};
use crate::json::{self, JsonError};

/// The longest text that is read, in characters: a payload of 12 MiB.
pub const MAX_CHARACTERS: usize = 16 << 20;

/// The longest header that is read, in characters of base64url. A chain of certificates fits.
pub const MAX_HEADER_CHARACTERS: usize = 32 << 10;

/// A compact JWS, taken apart. Nothing that it says is known to be true before [`Self::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jws {
    text: String,
    /// How much of the text is signed: header and payload with the dot between them.
    signed: usize,
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What the protected header says (RFC 7515 section 4.1). All of it is the signer's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `alg`: the kind of key that signed.
    pub algorithm: KeyKind,
    /// `kid`: the name of the key.
    pub kid: Option<String>,
    /// `typ`: the media type of the whole, mostly without `application/`.
    pub typ: Option<String>,
    /// `cty`: the media type of the payload.
    pub cty: Option<String>,
    /// `jwk`: a public key, as an object without private members. It proves nothing by itself.
    pub jwk: Option<Value>,
    /// `iss`: the claim, repeated in the header (RFC 7519 section 5.3).
    pub iss: Option<String>,
    /// The names of all other members, in order. None of them is heeded.
    pub others: Vec<String>,
}

/// A part of a compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

impl Part {
    /// Its name in a sentence.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        }
    }
}

/// Why a text is not a JWS that is taken here, or is not signed by the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JwsError {
    /// Longer than [`MAX_CHARACTERS`].
    #[error("the JWS has {0} characters; {MAX_CHARACTERS} are the most that are read")]
    TooLong(usize),
    /// A header longer than [`MAX_HEADER_CHARACTERS`].
    #[error(
        "the JWS header has {0} characters; {MAX_HEADER_CHARACTERS} are the most that are read"
    )]
    HeaderTooLong(usize),
    /// Not three parts. Five are an encrypted JWE.
    #[error("a compact JWS has three parts with dots between them, and this text has not")]
    Parts,
    /// A part is not base64url, has padding, or has bits set beyond its last byte.
    #[error("the JWS {} is not base64url without padding", .0.as_str())]
    Base64(Part),
    /// The header is not JSON that every reader reads alike.
    #[error("the JWS header: {0}")]
    HeaderJson(JsonError),
    /// A member of the header cannot be what it is.
    #[error("the JWS header's {member:?} must be {expected}")]
    Header {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// `alg` is `none`: nobody signed.
    #[error("the JWS is unsecured (alg none): nobody signed it")]
    Unsecured,
    /// A MAC, which whoever checks it can make (RFC 7518 section 3.2).
    #[error("the JWS algorithm {0:?} is a MAC: whoever can check it can also forge it")]
    Mac(String),
    /// Another algorithm than EdDSA, ES256 or RS256.
    #[error("the JWS algorithm {0:?} is not supported; EdDSA, ES256 and RS256 are")]
    Algorithm(String),
    /// `crit`: the signer demands extensions to be understood, and none is (RFC 7515 section
    /// 4.1.11).
    #[error("the JWS header demands extensions that are not understood (crit: {0})")]
    Critical(String),
    /// `b64` is false: the payload is not base64url (RFC 7797), which JWTs forbid.
    #[error("the JWS payload is unencoded (b64 false), which no JWT may be")]
    Unencoded,
    /// `jwk` holds the private half of a key, or a shared secret.
    #[error("the JWS header's jwk carries the private member {0:?}; that key is no longer secret")]
    PrivateKey(&'static str),
    /// The key is of another kind than `alg` says.
    #[error("the JWS says {}, and the key is for {}", .header.algorithm(), .key.algorithm())]
    Kind {
        /// The kind that `alg` names.
        header: KeyKind,
        /// The kind of the key.
        key: KeyKind,
    },
    /// The key's owner did not sign this.
    #[error("the signature is not the key's over this JWS")]
    Signature,
}

impl Jws {
    /// Takes a compact JWS apart. There is one accepted spelling of each part; white space around
    /// the text is not part of any.
    ///
    /// # Errors
    /// Every variant of [`JwsError`] but the last two.
    pub fn parse(text: &str) -> Result<Self, JwsError> {
        if text.len() > MAX_CHARACTERS {
            return Err(JwsError::TooLong(text.len()));
        }
        let mut parts = text.splitn(4, '.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwsError::Parts);
        };
        if header.len() > MAX_HEADER_CHARACTERS {
            return Err(JwsError::HeaderTooLong(header.len()));
        }
        Ok(Self {
            header: Header::read(&decode(header, Part::Header)?)?,
            payload: decode(payload, Part::Payload)?,
            signature: decode(signature, Part::Signature)?,
            signed: header.len() + 1 + payload.len(),
            text: text.to_owned(),
        })
    }

    /// The protected header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, decoded.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The whole text, as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Checks the signature. The key has to be of the kind that `alg` names, and its kind alone
    /// fixes how the signature is checked.
    ///
    /// # Errors
    /// [`JwsError::Kind`] and [`JwsError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), JwsError> {
        let (header, key_kind) = (self.header.algorithm, key.kind());
        if header != key_kind {
            let key = key_kind;
            return Err(JwsError::Kind { header, key });
        }
        match key.verify(&self.text.as_bytes()[..self.signed], &self.signature) {
            SignatureCheck::Good => Ok(()),
            SignatureCheck::Bad => Err(JwsError::Signature),
        }
    }
}

impl Header {
    /// Whether `typ` is this media type, given in lower case and without `application/`; that
    /// prefix may be left out (RFC 7515 section 4.1.9), and letters may be of either case.
    pub fn is_typ(&self, media_type: &str) -> bool {
        let typ = self.typ.as_deref().map(str::to_ascii_lowercase);
        typ.is_some_and(|typ| typ.strip_prefix("application/").unwrap_or(&typ) == media_type)
    }

    fn read(bytes: &[u8]) -> Result<Self, JwsError> {
        let value = json::parse(bytes).map_err(JwsError::HeaderJson)?;
        let Value::Object(members) = value else {
            return Err(wrong("alg", "a member of an object"));
        };
        refuse_extensions(&members)?;
        let text = |member| match members.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(member, "a string")),
        };
        let heeded = ["alg", "kid", "typ", "cty", "jwk", "iss"];
        let others = members
            .keys()
            .filter(|name| !heeded.contains(&name.as_str()));
        Ok(Self {
            algorithm: read_algorithm(text("alg")?)?,
            kid: text("kid")?,
            typ: text("typ")?,
            cty: text("cty")?,
            jwk: members.get("jwk").map(read_jwk).transpose()?,
            iss: text("iss")?,
            others: others.cloned().collect(),
        })
    }
}

/// What a new JWS says of itself, besides its algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewHeader<'a> {
    /// `typ`: the media type of the whole, without `application/`.
    pub typ: &'a str,
    /// `kid`: the URL of the verification method whose key signs.
    pub kid: &'a str,
}

/// The compact JWS of `payload`, signed with EdDSA.
pub fn sign(header: NewHeader<'_>, payload: &[u8], key: &SigningKey) -> String {
    sign_with(header, payload, key).expect("a key in memory always signs")
}

/// As [`sign`], by whoever has the key.
///
/// # Errors
/// The key cannot be used.
pub fn sign_with(
    header: NewHeader<'_>,
    payload: &[u8],
    key: &dyn Signer,
) -> Result<String, SignerError> {
    let header = json!({
        "alg": KeyKind::Ed25519.algorithm(),
        "typ": header.typ,
        "kid": header.kid,
    });
    let mut text = URL_SAFE_NO_PAD.encode(header.to_string());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

fn decode(text: &str, part: Part) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| JwsError::Base64(part))
}

/// `b64` is looked at first: it always stands in `crit` too, and says more.
fn refuse_extensions(members: &Map<String, Value>) -> Result<(), JwsError> {
    match members.get("b64") {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(JwsError::Unencoded),
        Some(_) => return Err(wrong("b64", "true or false")),
    }
    match members.get("crit") {
        None => Ok(()),
        Some(names) => Err(JwsError::Critical(shortened(&names.to_string()))),
    }
}

fn read_algorithm(name: Option<String>) -> Result<KeyKind, JwsError> {
    let name = name.ok_or(wrong("alg", "the name of an algorithm"))?;
    match KeyKind::of_algorithm(&name) {
        Some(kind) => Ok(kind),
        None if name.eq_ignore_ascii_case("none") => Err(JwsError::Unsecured),
        None if name.starts_with("HS") => Err(JwsError::Mac(shortened(&name))),
        None => Err(JwsError::Algorithm(shortened(&name))),
    }
}

fn read_jwk(jwk: &Value) -> Result<Value, JwsError> {
    let members = jwk.as_object().ok_or(wrong("jwk", "an object"))?;
    let private = PRIVATE_MEMBERS
        .iter()
        .find(|name| members.contains_key(**name));
    match private {
        Some(name) => Err(JwsError::PrivateKey(name)),
        None => Ok(jwk.clone()),
    }
}

const fn wrong(member: &'static str, expected: &'static str) -> JwsError {
    JwsError::Header { member, expected }
}

/// The first 80 characters, so that an error does not carry a header back.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use proptest::prelude::*;

    /// RFC 7515 appendices A.2 and A.3, and RFC 8037 appendix A.4: key and JWS.
    fn published() -> [(Value, &'static str); 3] {
        [
            (
                json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}),
                "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
                "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ]
    }

    fn key(jwk: &Value) -> VerifyingKey {
        VerifyingKey::from_jwk(jwk).unwrap()
    }

    /// A JWS with this header, whose signature nobody made.
    fn with_header(header: &Value) -> Result<Jws, JwsError> {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        Jws::parse(&format!("{header}.e30.AAAA"))
    }

    #[test]
    fn the_examples_of_the_standards_are_good_under_their_own_keys_alone() {
        let published = published();
        for (of, (_, text)) in published.iter().enumerate() {
            let jws = Jws::parse(text).unwrap();
            assert_eq!(jws.as_str(), *text);
            for (with, (jwk, _)) in published.iter().enumerate() {
                let key = key(jwk);
                let expected = match of == with {
                    true => Ok(()),
                    false => Err(JwsError::Kind {
                        header: jws.header().algorithm,
                        key: key.kind(),
                    }),
                };
                assert_eq!(jws.verify(&key), expected);
            }
        }
        let jws = Jws::parse(published[1].1).unwrap();
        assert_eq!(
            jws.payload(),
            b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
        );
    }

    #[test]
    fn the_example_of_rfc_8037_is_what_its_key_signs() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        let signing = SigningKey::from_seed(&seed.unwrap().try_into().unwrap());
        let (jwk, text) = &published()[2];
        assert_eq!(VerifyingKey::from(signing.public()), key(jwk));
        let signed = &text[..text.rfind('.').unwrap()];
        let signature = URL_SAFE_NO_PAD.encode(signing.sign(signed.as_bytes()));
        assert_eq!(format!("{signed}.{signature}"), *text);
    }

    #[test]
    fn a_header_that_talks_a_reader_into_less_is_refused() {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"});
        let private = |member: &str| {
            let mut jwk = jwk.clone();
            jwk[member] = json!("AA");
            json!({"alg": "EdDSA", "jwk": jwk})
        };
        let algorithm = |name: &str| JwsError::Algorithm(name.to_owned());
        let string = |member| wrong(member, "a string");
        for (header, refusal) in [
            (json!({"alg": "none"}), JwsError::Unsecured),
            (json!({"alg": "nOnE"}), JwsError::Unsecured),
            (json!({"alg": "HS256"}), JwsError::Mac("HS256".to_owned())),
            (json!({"alg": "HS512"}), JwsError::Mac("HS512".to_owned())),
            (json!({"alg": "PS256"}), algorithm("PS256")),
            (json!({"alg": "ES256K"}), algorithm("ES256K")),
            (json!({"alg": "eddsa"}), algorithm("eddsa")),
            (json!({"alg": ""}), algorithm("")),
            (json!({}), wrong("alg", "the name of an algorithm")),
            (json!({"alg": ["EdDSA"]}), string("alg")),
            (json!({"alg": "EdDSA", "kid": 7}), string("kid")),
            (json!({"alg": "EdDSA", "typ": null}), string("typ")),
            (json!({"alg": "EdDSA", "cty": {}}), string("cty")),
            (json!({"alg": "EdDSA", "iss": []}), string("iss")),
            (
                json!({"alg": "EdDSA", "jwk": "key"}),
                wrong("jwk", "an object"),
            ),
            (
                json!({"alg": "EdDSA", "b64": false, "crit": ["b64"]}),
                JwsError::Unencoded,
            ),
            (
                json!({"alg": "EdDSA", "b64": 0}),
                wrong("b64", "true or false"),
            ),
            (
                json!({"alg": "EdDSA", "crit": ["exp"], "exp": 1}),
                JwsError::Critical(r#"["exp"]"#.to_owned()),
            ),
            (
                json!({"alg": "EdDSA", "crit": []}),
                JwsError::Critical("[]".to_owned()),
            ),
            (private("d"), JwsError::PrivateKey("d")),
            (private("p"), JwsError::PrivateKey("p")),
            (private("k"), JwsError::PrivateKey("k")),
            (json!([]), wrong("alg", "a member of an object")),
        ] {
            assert_eq!(with_header(&header), Err(refusal), "{header}");
        }
        let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","alg":"EdDSA"}"#);
        let refused = Jws::parse(&format!("{twice}.e30.AAAA"));
        assert!(matches!(
            refused,
            Err(JwsError::HeaderJson(JsonError::Duplicate { .. }))
        ));
    }

    #[test]
    fn keys_that_a_header_brings_along_are_not_taken_up() {
        let header = json!({
            "alg": "Ed25519", "typ": "application/VC+JWT", "kid": "k", "cty": "vc", "iss": "i",
            "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x", "x5c": ["AA"],
        });
        let jws = with_header(&header).unwrap();
        let header = jws.header();
        assert_eq!(header.algorithm, KeyKind::Ed25519);
        assert!(header.is_typ("vc+jwt") && !header.is_typ("jwt"));
        assert_eq!(header.kid.as_deref(), Some("k"));
        assert_eq!(
            (header.cty.as_deref(), header.iss.as_deref()),
            (Some("vc"), Some("i"))
        );
        assert_eq!(header.jwk, None);
        assert_eq!(header.others, ["jku", "x5u", "x5c"]);
    }

    #[test]
    fn a_text_has_three_parts_of_one_spelling() {
        let good = published()[2].1;
        let (header, rest) = good.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        for (text, refusal) in [
            (String::new(), JwsError::Parts),
            (format!("{header}.{payload}"), JwsError::Parts),
            (format!("{good}."), JwsError::Parts),
            (format!("{good}.{good}"), JwsError::Parts),
            (format!(" {good}"), JwsError::Base64(Part::Header)),
            (
                format!("{header}=.{payload}.{signature}"),
                JwsError::Base64(Part::Header),
            ),
            (
                format!("{header}.{payload}=.{signature}"),
                JwsError::Base64(Part::Payload),
            ),
            (format!("{good}\n"), JwsError::Base64(Part::Signature)),
            (format!("{good}~"), JwsError::Base64(Part::Signature)),
            (good.replace('_', "/"), JwsError::Base64(Part::Signature)),
            // The last character has bits beyond the last byte: g is 100000, h is 100001.
            (
                format!("{}h", &good[..good.len() - 1]),
                JwsError::Base64(Part::Signature),
            ),
            (
                format!("..{signature}"),
                JwsError::HeaderJson(json::parse(b"").unwrap_err()),
            ),
        ] {
            assert_eq!(Jws::parse(&text), Err(refusal), "{text}");
        }
        let long = "A".repeat(MAX_CHARACTERS + 1);
        assert_eq!(Jws::parse(&long), Err(JwsError::TooLong(long.len())));
        let header = "A".repeat(MAX_HEADER_CHARACTERS + 1);
        let refused = Jws::parse(&format!("{header}.e30.AA"));
        assert_eq!(refused, Err(JwsError::HeaderTooLong(header.len())));
    }

    proptest! {
        #[test]
        fn what_was_signed_is_read_back(
            seed: u64,
            payload: Vec<u8>,
            typ in "[a-z+]{1,20}",
            kid: String,
        ) {
            let key = SigningKey::generate(&SeededEntropy::new(seed));
            let header = NewHeader { typ: &typ, kid: &kid };
            let text = sign(header, &payload, &key);
            let jws = Jws::parse(&text).unwrap();
            prop_assert_eq!(jws.payload(), &payload[..]);
            prop_assert!(jws.header().is_typ(&typ));
            prop_assert_eq!(jws.header().kid.as_deref(), Some(&kid[..]));
            prop_assert_eq!(jws.verify(&key.public().into()), Ok(()));
            let other = SigningKey::generate(&SeededEntropy::new(seed.wrapping_add(1)));
            prop_assert_eq!(jws.verify(&other.public().into()), Err(JwsError::Signature));
        }

        #[test]
        fn no_bit_can_be_flipped(which in 0..3_usize, place: prop::sample::Index, bit in 0..8_u32) {
            let (jwk, text) = &published()[which];
            let mut parts: Vec<Vec<u8>> = text
                .split('.')
                .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
                .collect();
            let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
            let mut at = place.index(sizes.iter().sum());
            let mut part = 0;
            while at >= sizes[part] {
                at -= sizes[part];
                part += 1;
            }
            parts[part][at] ^= 1_u8 << bit;
            let parts: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
            let checked = Jws::parse(&parts.join(".")).map(|jws| jws.verify(&key(jwk)));
            prop_assert!(!matches!(checked, Ok(Ok(()))), "part {part}, byte {at}");
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in r"[a-zA-Z0-9_\-.=]{0,80}", any: String) {
            let _either = (Jws::parse(&text), Jws::parse(&any));
        }
    }
}
