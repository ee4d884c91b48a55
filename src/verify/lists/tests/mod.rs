//! Lists as servers send them: honest ones of every kind, and those of liars.

mod keeping;
mod signers;

use coset::cbor::{Value as Cbor, cbor};
use coset::{CborSerializable as _, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _};
use serde_json::json;

use super::*;
use crate::bitstring::{encode, encode_2021, encode_zlib};
use crate::status::{Authenticity, Effect};
use crate::vc::jws::{self, NewHeader};
use crate::vc::jwt::sign_credential;
use crate::vc::keys::SigningKey;
use crate::vc::proof::{Work, check_reading};

const COLLEGE: &str = "did:web:college.example";
const KEY: &str = "did:web:college.example#key-1";
const URL: &str = "https://college.example/lists/3";
const BADGE: &str = "https://college.example/badges/1";

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

/// One who knows the college's key, and remembers what was asked.
#[derive(Default)]
struct Signers {
    asked: Vec<String>,
    /// Why embedded proofs are bad.
    bad_proof: Option<StatusError>,
}

impl ListSigners for Signers {
    fn check_proofs(&mut self, _: &Value, issuer: &str) -> Result<(), StatusError> {
        self.asked.push(format!("proof of {issuer}"));
        self.bad_proof.clone().map_or(Ok(()), Err)
    }

    fn check_reading(&mut self, list: &Value) -> Result<(), StatusError> {
        let read = check_reading(list, &mut Work::default());
        read.map_err(|error| StatusError::Verification {
            list: String::new(),
            reason: error.to_string(),
        })
    }

    fn key(&mut self, header: &Header, issuer: &str) -> Result<VerifyingKey, StatusError> {
        let kid = header.kid.as_deref().unwrap_or("no");
        self.asked.push(format!("{kid} key of {issuer}"));
        Ok(key().public().into())
    }
}

fn fetched(body: impl Into<Vec<u8>>) -> Fetched {
    Fetched {
        url: URL.to_owned(),
        body: body.into(),
    }
}

fn check(body: impl Into<Vec<u8>>, reference: &ListReference) -> Result<CheckedList, StatusError> {
    check_list(
        &fetched(body),
        reference,
        COLLEGE,
        now(),
        &mut Signers::default(),
    )
}

/// What a fetched list says of the badge.
fn says(body: impl Into<Vec<u8>>, reference: &ListReference) -> Result<StatusResult, StatusError> {
    check(body, reference)?.says(reference, COLLEGE, Some(BADGE), now())
}

/// Why nobody knows; and that nobody was asked for a key before.
fn refusal_without_asking(body: impl Into<Vec<u8>>, reference: &ListReference) -> String {
    let mut signers = Signers::default();
    let refused = check_list(&fetched(body), reference, COLLEGE, now(), &mut signers);
    assert_eq!(signers.asked, [""; 0]);
    refused.unwrap_err().to_string()
}

fn reference(entry: &Value) -> ListReference {
    ListReference::parse(entry, "/credentialStatus").unwrap()
}

fn entry(kind: &str, index: u64) -> ListReference {
    reference(&json!({
        "type": kind,
        "statusPurpose": "revocation",
        "statusListIndex": index.to_string(),
        "statusListCredential": URL,
    }))
}

fn bits(index: u64) -> ListReference {
    entry("BitstringStatusListEntry", index)
}

fn token(index: u64) -> ListReference {
    let claim = json!({"status_list": {"idx": index, "uri": URL}});
    let mut read = ListReference::parse_claim(&claim, "/status");
    read.remove(0).unwrap()
}

fn ids() -> ListReference {
    reference(&json!({"id": URL, "type": "1EdTechRevocationList"}))
}

/// 131,072 entries, of which the second is set.
fn packed() -> Vec<u8> {
    let mut packed = vec![0; 16_384];
    packed[0] = 0x40;
    packed
}

fn bits_list() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": URL,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": COLLEGE,
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2026-12-31T00:00:00Z",
        "credentialSubject": {
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "ttl": 60_000,
            "encodedList": encode(&packed()),
        },
    })
}

fn with(pointer: &str, value: Value) -> String {
    let mut list = bits_list();
    *list.pointer_mut(pointer).unwrap() = value;
    list.to_string()
}

fn list_of_2021() -> Value {
    json!({
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/vc/status-list/2021/v1",
        ],
        "id": URL,
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": {"id": COLLEGE},
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2026-12-31T00:00:00Z",
        "credentialSubject": {
            "type": "StatusList2021",
            "statusPurpose": "revocation",
            "encodedList": encode_2021(&packed()),
        },
    })
}

fn revocations() -> Value {
    json!({
        "id": URL,
        "issuer": {"id": COLLEGE},
        "revokedCredential": [{"id": BADGE, "revocationReason": "issued in error"}],
    })
}

fn claims() -> Value {
    json!({
        "iss": COLLEGE,
        "sub": URL,
        "iat": 1_767_225_600, // 2026-01-01
        "exp": 1_798_675_200, // 2026-12-31
        "ttl": 43_200,
        "status_list": {"bits": 2, "lst": base64url(&encode_zlib(&[0b11_10_01_00]))},
    })
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn token_jwt(claims: &Value) -> String {
    jwt("statuslist+jwt", claims)
}

fn jwt(typ: &str, claims: &Value) -> String {
    let header = NewHeader { typ, kid: KEY };
    jws::sign(header, claims.to_string().as_bytes(), &key())
}

fn token_cwt(issuer: &str, subject: &str) -> Vec<u8> {
    let lst = Cbor::Bytes(encode_zlib(&[0b11_10_01_00]));
    let claims = cbor!({
        1 => issuer, 2 => subject, 6 => 1_767_225_600, 4 => 1_798_675_200,
        65533 => {"bits" => 2, "lst" => lst},
    });
    let header = HeaderBuilder::new()
        .algorithm(coset::iana::Algorithm::EdDSA)
        .key_id(KEY.as_bytes().to_vec())
        .value(16, "application/statuslist+cwt".into());
    CoseSign1Builder::new()
        .protected(header.build())
        .payload(claims.unwrap().to_vec().unwrap())
        .create_signature(&[], |message| key().sign(message).to_vec())
        .build()
        .to_tagged_vec()
        .unwrap()
}

#[test]
fn a_list_in_a_jwt_is_read_as_its_json_shows_it() {
    let mut list = bits_list();
    let unheard_of = "https://elsewhere.example/context";
    list["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!(unheard_of));
    let jwt = sign_credential(&list, KEY, &key()).unwrap();
    let refusal = check(jwt, &bits(0)).unwrap_err().to_string();
    let start = format!("the status list {URL} cannot be verified: ");
    assert!(refusal.starts_with(&start), "{refusal}");
    assert!(refusal.contains(unheard_of), "{refusal}");
}

#[test]
fn a_list_of_every_kind_is_read() {
    let jwt = sign_credential(&bits_list(), KEY, &key()).unwrap();
    let enveloped = Envelope::Credential.wrap(&jwt).to_string();
    let cwt = token_cwt(COLLEGE, URL);
    let proven = Authenticity::Proven;
    let kind_2021 = "StatusList2021Entry";
    for (name, body, set, clear, authenticity) in [
        (
            "credential",
            bits_list().to_string(),
            bits(1),
            bits(2),
            proven,
        ),
        (
            "credential as JWT",
            format!("{jwt}\n"),
            bits(1),
            bits(0),
            proven,
        ),
        ("in an envelope", enveloped, bits(1), bits(0), proven),
        (
            "StatusList2021",
            list_of_2021().to_string(),
            entry(kind_2021, 1),
            entry(kind_2021, 0),
            proven,
        ),
        ("token", token_jwt(&claims()), token(1), token(0), proven),
    ] {
        let said = says(body.clone(), &set).unwrap();
        assert_eq!((said.effect, said.status), (Effect::Revokes, 1), "{name}");
        assert_eq!(said.authenticity, authenticity, "{name}");
        let said = says(body, &clear).unwrap();
        assert_eq!((said.effect, said.valid), (Effect::None, true), "{name}");
    }
    for (index, effect) in [
        Effect::None,
        Effect::Revokes,
        Effect::Suspends,
        Effect::Undefined,
    ]
    .into_iter()
    .enumerate()
    {
        let said = says(cwt.clone(), &token(index as u64)).unwrap();
        assert_eq!(said.effect, effect);
    }
    let said = says(revocations().to_string(), &ids()).unwrap();
    assert_eq!(said.message.as_deref(), Some("issued in error"));
    assert_eq!(said.effect, Effect::Revokes);
    assert_eq!(said.authenticity, Authenticity::HttpsAlone);
}

#[test]
fn the_id_of_a_list_is_its_url() {
    let elsewhere = "https://college.example/lists/4";
    let mut ids_elsewhere = revocations();
    ids_elsewhere["id"] = json!(elsewhere);
    let mut token_elsewhere = claims();
    token_elsewhere["sub"] = json!(elsewhere);
    for (body, reference) in [
        (with("/id", json!(elsewhere)).into_bytes(), bits(0)),
        (ids_elsewhere.to_string().into_bytes(), ids()),
        (token_jwt(&token_elsewhere).into_bytes(), token(0)),
        (token_cwt(COLLEGE, elsewhere), token(0)),
    ] {
        let mut signers = Signers::default();
        let refused = check_list(&fetched(body), &reference, COLLEGE, now(), &mut signers);
        let expected = StatusError::Identity {
            list: URL.to_owned(),
            found: elsewhere.to_owned(),
        };
        assert_eq!(refused, Err(expected));
    }
    let mut other = fetched(bits_list().to_string());
    other.url = elsewhere.to_owned();
    let refused =
        check_list(&other, &bits(0), COLLEGE, now(), &mut Signers::default()).unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with(&format!("the credential points to {URL}"))
    );
}

#[test]
fn what_servers_send_instead_of_a_list_is_refused() {
    let bomb = vec![0; 64 << 20];
    let page = "<!DOCTYPE html><title>Not found</title>";
    let of_2021 = entry("StatusList2021Entry", 0);
    let short = encode(&[0; 16_383]);
    let (malformed, verification) = ("MALFORMED_VALUE_ERROR", "STATUS_VERIFICATION_ERROR");
    let encoded = "/credentialSubject/encodedList";
    let other_purpose = with("/credentialSubject/statusPurpose", json!("suspension"));
    for (name, body, reference, error) in [
        ("nothing", Vec::new(), bits(0), verification),
        ("nothing", Vec::new(), token(0), verification),
        ("nothing", Vec::new(), ids(), verification),
        ("a page", page.into(), bits(0), verification),
        ("a page", page.into(), ids(), verification),
        ("a page", page.into(), token(0), verification),
        ("bytes", vec![0xff; 9], bits(0), verification),
        (
            "half of it",
            bits_list().to_string()[..200].into(),
            bits(0),
            verification,
        ),
        ("an error", b"{\"error\": 404}".into(), bits(0), malformed),
        ("an error", b"{\"error\": 404}".into(), ids(), malformed),
        (
            "a member twice",
            br#"{"id":"urn:a","id":"urn:b","issuer":"did:web:college.example"}"#.into(),
            ids(),
            verification,
        ),
        (
            "deep JSON",
            b"{\"a\":".repeat(100_000),
            bits(0),
            verification,
        ),
        ("deep CBOR", vec![0xd2; 100_000], token(0), malformed),
        (
            "a list of 2021",
            list_of_2021().to_string().into(),
            bits(0),
            verification,
        ),
        (
            "a list",
            bits_list().to_string().into(),
            of_2021,
            verification,
        ),
        (
            "a token",
            token_jwt(&claims()).into(),
            bits(0),
            verification,
        ),
        (
            "a JWT of another type",
            jwt("JWT", &claims()).into(),
            token(0),
            verification,
        ),
        (
            "another purpose",
            other_purpose.into(),
            bits(0),
            verification,
        ),
        (
            "too short",
            with(encoded, json!(short)).into(),
            bits(0),
            "STATUS_LIST_LENGTH_ERROR",
        ),
        (
            "a bomb",
            with(encoded, json!(encode(&bomb))).into(),
            bits(0),
            malformed,
        ),
        (
            "behind the end",
            bits_list().to_string().into(),
            bits(131_072),
            "RANGE_ERROR",
        ),
        (
            "behind the end",
            token_jwt(&claims()).into(),
            token(4),
            "RANGE_ERROR",
        ),
        (
            "behind all ends",
            token_cwt(COLLEGE, URL),
            token(u64::MAX),
            "RANGE_ERROR",
        ),
    ] {
        let refused = says(body, &reference).unwrap_err();
        let found = refused.error_type();
        assert!(
            found.ends_with(error),
            "{name}: {refused:?} has type {found}"
        );
    }
}
