//! A status list token as a CWT (Token Status List, section 5.2): one COSE_Sign1 (RFC 9052,
//! section 4.2) with its tag, 18, over a map of claims (RFC 8392).

use std::collections::BTreeMap;

use coset::cbor::Value;
use coset::{AsCborValue as _, Header, Label, ProtectedHeader, SignatureContext};

use super::super::answer::StatusError;
use super::{Claims, TokenStatusList, cbor, numeric_date};
use crate::vc::keys::SignatureCheck;
use crate::vc::verifying::{KeyKind, VerifyingKey};

const TAG: u64 = 18;

/// The `typ` of a status list token (RFC 9596). No content format number is registered for it.
pub(super) const TYPE: &str = "application/statuslist+cwt";

// Header parameters (RFC 9052, section 3.1; RFC 9596).
const ALGORITHM: Label = Label::Int(1);
const CRITICAL: Label = Label::Int(2);
const KEY_ID: Label = Label::Int(4);
pub(super) const TYP: Label = Label::Int(16);

// Claims (RFC 8392, section 4; Token Status List, section 5.2).
pub(super) const ISSUER: Label = Label::Int(1);
pub(super) const SUBJECT: Label = Label::Int(2);
pub(super) const EXPIRES: Label = Label::Int(4);
const NOT_BEFORE: Label = Label::Int(5);
pub(super) const ISSUED_AT: Label = Label::Int(6);
pub(super) const STATUS_LIST: Label = Label::Int(65533);
pub(super) const TTL: Label = Label::Int(65534);

/// A status list token whose signature is not checked yet: it says whose key to look for, and
/// nothing else of it is to be believed before [`SignedCwt::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct SignedCwt {
    kind: KeyKind,
    key_id: Option<Vec<u8>>,
    claims: Members,
    /// What is signed: the Sig_structure (RFC 9052, section 4.4).
    signed: Vec<u8>,
    signature: Vec<u8>,
}

type Members = BTreeMap<Label, Value>;

impl SignedCwt {
    /// Reads a token. Its list is not expanded.
    ///
    /// # Errors
    /// [`StatusError::Malformed`] for what is no COSE_Sign1, has another type or algorithm, or
    /// says the same thing twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatusError> {
        let [protected, unprotected, payload, signature] = parts(read(bytes, "/")?)?;
        let (Value::Bytes(protected), Value::Bytes(payload), Value::Bytes(signature)) =
            (protected, payload, signature)
        else {
            return Err(StatusError::malformed("/", A_SIGN1));
        };
        let header = members(read(&protected, "/protected")?, "/protected")?;
        let unprotected = members(unprotected, "/unprotected")?;
        check_header(&header, &unprotected)?;
        let key_id = header.get(&KEY_ID).or_else(|| unprotected.get(&KEY_ID));
        let key_id = match key_id {
            None => None,
            Some(Value::Bytes(id)) => Some(id.clone()),
            Some(_) => return Err(StatusError::malformed("/protected/4", "a byte string")),
        };
        Ok(Self {
            kind: algorithm(&header)?,
            key_id,
            claims: members(read(&payload, "/payload")?, "/payload")?,
            signed: sig_structure(protected, &payload),
            signature,
        })
    }

    /// The kind of key that the algorithm asks for.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The `kid`, which may stand in the part of the header that is not signed.
    pub fn key_id(&self) -> Option<&[u8]> {
        self.key_id.as_deref()
    }

    /// Who published the list, by its own word.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get(&ISSUER)?.as_text()
    }

    /// Whether it holds these claims, given as CBOR, and no others.
    pub fn holds(&self, claims: &[u8]) -> bool {
        let claims = read(claims, "/").and_then(|claims| members(claims, "/"));
        claims.is_ok_and(|claims| claims == self.claims)
    }

    /// The list, if `key` signed it. It is expanded to at most `cap` bytes.
    ///
    /// # Errors
    /// [`StatusError::Verification`] for a key of another kind and for a signature that is not
    /// this key's; [`StatusError::Malformed`] and [`StatusError::Expand`] as
    /// [`TokenStatusList::from_claims`].
    pub fn verify(&self, key: &VerifyingKey, cap: usize) -> Result<TokenStatusList, StatusError> {
        let refused = |reason: &str| StatusError::Verification {
            list: self.subject().unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
        };
        if key.kind() != self.kind {
            return Err(refused("the key is of another kind than the algorithm"));
        }
        match key.verify(&self.signed, &self.signature) {
            SignatureCheck::Good => self.read(cap),
            SignatureCheck::Bad => Err(refused("the signature does not match")),
        }
    }

    /// The URL under which it says that it is published.
    pub fn subject(&self) -> Option<&str> {
        self.claims.get(&SUBJECT)?.as_text()
    }

    fn read(&self, cap: usize) -> Result<TokenStatusList, StatusError> {
        let date = |label: &Label| {
            let claim = self.claims.get(label);
            claim.map(|claim| number(claim).and_then(numeric_date))
        };
        let at = "/status_list";
        let list = self.claims.get(&STATUS_LIST).cloned();
        let list = members(list.unwrap_or(Value::Null), at)?;
        let member = |name: &str| list.get(&Label::Text(name.to_owned()));
        let compressed = member("lst").and_then(Value::as_bytes);
        let bits = member("bits").and_then(Value::as_integer);
        Claims {
            subject: self.subject(),
            issuer: self.claims.get(&ISSUER).map(Value::as_text),
            issued_at: date(&ISSUED_AT).flatten(),
            not_before: date(&NOT_BEFORE),
            expires: date(&EXPIRES),
            ttl: self.claims.get(&TTL).map(number),
            bits: bits.and_then(|bits| u64::try_from(bits).ok()),
            compressed: compressed
                .ok_or_else(|| StatusError::malformed("/status_list/lst", "a byte string"))?,
        }
        .read(cap)
    }
}

const A_SIGN1: &str = "a COSE_Sign1 with the tag 18";

/// The bounded reading of one item, where nothing may follow.
fn read(bytes: &[u8], at: &'static str) -> Result<Value, StatusError> {
    cbor::read(bytes).map_err(|error| StatusError::malformed(at, error.expected()))
}

fn parts(token: Value) -> Result<[Value; 4], StatusError> {
    if let Value::Tag(TAG, inner) = token
        && let Value::Array(parts) = *inner
        && let Ok(parts) = parts.try_into()
    {
        return Ok(parts);
    }
    Err(StatusError::malformed("/", A_SIGN1))
}

/// A map with integers and texts as keys. A key that stands twice is an error: readers differ in
/// which one they take.
fn members(value: Value, at: &'static str) -> Result<Members, StatusError> {
    let Value::Map(entries) = value else {
        return Err(StatusError::malformed(at, "a map"));
    };
    let mut members = Members::new();
    for (key, value) in entries {
        let label = Label::from_cbor_value(key);
        let label = label.map_err(|_| StatusError::malformed(at, "integers and texts as keys"))?;
        if members.insert(label, value).is_some() {
            return Err(StatusError::malformed(at, "each key once"));
        }
    }
    Ok(members)
}

/// The type is signed, nothing stands in both parts of the header, and nothing is demanded that
/// is not understood here (RFC 9052, section 3.1).
fn check_header(protected: &Members, unprotected: &Members) -> Result<(), StatusError> {
    if protected.get(&TYP).and_then(Value::as_text) != Some(TYPE) {
        return Err(StatusError::malformed("/protected/16", TYPE));
    }
    if unprotected
        .keys()
        .any(|label| protected.contains_key(label))
    {
        let expected = "what is not in the protected header";
        return Err(StatusError::malformed("/unprotected", expected));
    }
    let demanded = protected.get(&CRITICAL).or(unprotected.get(&CRITICAL));
    match demanded {
        None => Ok(()),
        Some(_) => Err(StatusError::malformed("/protected/2", "nothing")),
    }
}

fn algorithm(protected: &Members) -> Result<KeyKind, StatusError> {
    let number = protected.get(&ALGORITHM).and_then(Value::as_integer);
    match number.map(i128::from) {
        // EdDSA, and Ed25519 by its own number (RFC 9864).
        Some(-8 | -19) => Ok(KeyKind::Ed25519),
        Some(-7) => Ok(KeyKind::P256),
        _ => {
            let expected = "one of the algorithms EdDSA, Ed25519 and ES256";
            Err(StatusError::malformed("/protected/1", expected))
        }
    }
}

/// The protected header goes in byte for byte as it came.
fn sig_structure(protected: Vec<u8>, payload: &[u8]) -> Vec<u8> {
    let protected = ProtectedHeader {
        original_data: Some(protected),
        header: Header::default(),
    };
    coset::sig_structure_data(SignatureContext::CoseSign1, protected, None, &[], payload)
}

/// A claim in seconds, whole or not. A tag before it is not allowed (RFC 8392, section 2).
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(i128::from(*number) as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}
