//! Tokens in CBOR.

use coset::cbor::{Value as Cbor, cbor};
use coset::{CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _, iana};
use proptest::prelude::*;
use serde_json::json;

use super::{URL, statuses};
use crate::bitstring::{DEFAULT_CAP_BYTES, encode_zlib};
use crate::status::answer::{ERROR_MALFORMED, ERROR_VERIFICATION};
use crate::status::{SignedCwt, StatusError, TokenStatusList};
use crate::time::Ttl;
use crate::vc::keys::{PublicKey, SigningKey};
use crate::vc::verifying::{KeyKind, VerifyingKey};

const TYPE: &str = "application/statuslist+cwt";

/// A token as the draft shows it (section 5.2, example), with the key of its examples.
const OF_THE_DRAFT: &str = "d2845820a2012610781a6170706c69636174696f6e2f7374617475736c6973742b637774\
    a1044231325850a502782168747470733a2f2f6578616d706c652e636f6d2f7374617475736c697374732f31061a648c\
    5bea041a8898dfea19fffe19a8c019fffda2646269747301636c73744a78dadbb918000217015d584093fa4d01032b18\
    c35e2fe1101b77fd6cc9440022caa4694450c4e4e9feab4e99d1fa6d9772ce2bf3a12e0323ded7c982c5e101a5e67f0c\
    bc1e2b6f57ce99c279";

/// By Python's cbor2 and cryptography, with the Ed25519 key of 32 times 7: two bits, zlib with its
/// smallest window, `iat` with a fraction.
const OF_PYTHON: &str = "d2845840a3012710781a6170706c69636174696f6e2f7374617475736c6973742b63777404581d\
    6469643a7765623a636f6c6c6567652e6578616d706c65236b65792d31a0586ea601776469643a7765623a636f6c6c65\
    67652e6578616d706c6502782068747470733a2f2f636f6c6c6567652e6578616d706c652f746f6b656e732f3106fb41\
    da556e40200000041a6b36ec8019fffe19012c19fffda2646269747302636c73744c18197bf2e4c9130008ec03915840\
    f4000dbdf94e0b61954963c43e0cb0402ae0b34a9566b423ef50456a2bc20c8accb579b6c948551bbd9fc0ba0ec68d03\
    eee097d7ebd99ca19ca4decf76cbf402";

/// The same key, by its newer algorithm number, with maps and strings of indefinite length, and an
/// integer that is longer than it need be.
const OF_PYTHON_AT_LENGTH: &str = "d2845820a2013210781a6170706c69636174696f6e2f7374617475736c6973742b6377\
    74a104456b65792d315859bf02782068747470733a2f2f636f6c6c6567652e6578616d706c652f746f6b656e732f3819\
    00061a6955b90019fffdbf646269747308636c73745f4578da631054543276094d2bef98b96af799bbeffe03002d3807\
    f9ffffff584019b3a65333e1cf528d70d454c2e9857f8d243c616406f29d6df378b64bb8f1684d97c85c874a838f0b58\
    2bbeae342e9532455eb42fcfd80f778f3961a4b4360a";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    });
    pairs.collect()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn public() -> VerifyingKey {
    key().public().into()
}

#[test]
fn the_token_of_the_draft_is_verified() {
    let token = SignedCwt::parse(&bytes(OF_THE_DRAFT)).unwrap();
    assert_eq!(token.key_id(), Some(&b"12"[..]));
    assert_eq!((token.kind(), token.issuer()), (KeyKind::P256, None));
    let key = VerifyingKey::from_jwk(&json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
        "x": "I3HWm_0Ds1dPMI-IWmf4mBmH-YaeAVbPVu7vB27CxXo",
        "y": "6N_d5Elj9bs1htgV3okJKIdbHEpkgTmAluYKJemzn1M",
    }));
    let list = token.verify(&key.unwrap(), DEFAULT_CAP_BYTES).unwrap();
    assert_eq!(list.subject, "https://example.com/statuslists/1");
    assert_eq!(list.ttl, Some(Ttl::from_seconds(43_200)));
    assert_eq!(list.valid_until.unwrap().seconds(), 2_291_720_170);
    let expected = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    assert_eq!(statuses(&list, 16), expected);
    let other = token.verify(&public(), DEFAULT_CAP_BYTES).unwrap_err();
    assert_eq!(other.error_type(), ERROR_VERIFICATION);
}

#[test]
fn tokens_by_python_are_verified() {
    let token = SignedCwt::parse(&bytes(OF_PYTHON)).unwrap();
    let id = &b"did:web:college.example#key-1"[..];
    assert_eq!(token.key_id(), Some(id));
    assert_eq!(token.issuer(), Some("did:web:college.example"));
    let list = token.verify(&public(), DEFAULT_CAP_BYTES).unwrap();
    assert_eq!(list.issuer.as_deref(), Some("did:web:college.example"));
    assert_eq!(
        (list.subject.as_str(), list.ttl),
        (URL, Some(Ttl::from_seconds(300)))
    );
    assert_eq!(list.valid_from.to_string(), "2026-01-01T00:00:00.500Z");
    assert_eq!(statuses(&list, 16), [0, 1, 2, 3].repeat(4));

    let token = SignedCwt::parse(&bytes(OF_PYTHON_AT_LENGTH)).unwrap();
    assert_eq!(
        (token.key_id(), token.kind()),
        (Some(&b"key-1"[..]), KeyKind::Ed25519)
    );
    let list = token.verify(&public(), DEFAULT_CAP_BYTES).unwrap();
    let expected: Vec<u8> = (0..16).map(|i| i * 17).collect();
    assert_eq!(statuses(&list, 16), expected);
}

/// A token by coset's own builder.
pub(super) fn token(claims: &Cbor) -> Vec<u8> {
    with_header(HeaderBuilder::new().value(16, TYPE.into()), claims)
}

fn with_header(header: HeaderBuilder, claims: &Cbor) -> Vec<u8> {
    let protected = header.algorithm(iana::Algorithm::EdDSA).build();
    signed(CoseSign1Builder::new().protected(protected), claims)
}

fn signed(builder: CoseSign1Builder, claims: &Cbor) -> Vec<u8> {
    use coset::CborSerializable as _;
    let builder = builder.payload(claims.clone().to_vec().unwrap());
    let builder = builder.create_signature(&[], |message| key().sign(message).to_vec());
    builder.build().to_tagged_vec().unwrap()
}

fn cwt_claims(lst: Cbor) -> Cbor {
    cbor!({2 => URL, 6 => 1_767_225_600, 65533 => {"bits" => 1, "lst" => lst}}).unwrap()
}

fn good_claims() -> Cbor {
    cwt_claims(Cbor::Bytes(encode_zlib(&[0xa5])))
}

pub(super) fn verify(token: &[u8]) -> Result<TokenStatusList, StatusError> {
    SignedCwt::parse(token)?.verify(&public(), DEFAULT_CAP_BYTES)
}

#[test]
fn a_token_holds_the_claims_that_were_signed_and_no_others() {
    use coset::CborSerializable as _;
    let claims = |claims: Cbor| claims.to_vec().unwrap();
    let signed = SignedCwt::parse(&token(&good_claims())).unwrap();
    assert!(signed.holds(&claims(good_claims())));
    let other = cwt_claims(Cbor::Bytes(encode_zlib(&[0xa4])));
    assert!(!signed.holds(&claims(other)));
    let more = cbor!({1 => "x", 2 => URL}).unwrap();
    assert!(!signed.holds(&claims(more)));
    assert!(!signed.holds(b"no CBOR"));
}

#[test]
fn a_token_counts_with_its_tag_type_and_algorithm_only() {
    let good = token(&good_claims());
    assert_eq!(
        statuses(&verify(&good).unwrap(), 8),
        [1, 0, 1, 0, 0, 1, 0, 1]
    );
    let refusal = |token: &[u8]| SignedCwt::parse(token).unwrap_err().to_string();
    let untagged = &good[1..];
    assert_eq!(
        refusal(untagged),
        "/: a status list needs a COSE_Sign1 with the tag 18 here"
    );
    let mut other_tag = good.clone();
    other_tag[0] = 0xd1; // COSE_Mac0
    assert!(refusal(&other_tag).contains("tag 18"));
    let claims = good_claims();
    for (header, at) in [
        (HeaderBuilder::new(), "/protected/16"),
        (
            HeaderBuilder::new().value(16, "statuslist+cwt".into()),
            "/protected/16",
        ),
        (HeaderBuilder::new().value(16, 18.into()), "/protected/16"),
        (
            HeaderBuilder::new()
                .value(16, TYPE.into())
                .add_critical(iana::HeaderParameter::Kid),
            "/protected/2",
        ),
    ] {
        let text = refusal(&with_header(header, &claims));
        assert!(text.starts_with(at), "{text}");
    }
    // What is not signed decides nothing.
    let typ = HeaderBuilder::new().value(16, TYPE.into()).build();
    let alg = HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .build();
    let builder = || CoseSign1Builder::new();
    let outside = builder().protected(alg.clone()).unprotected(typ.clone());
    assert!(refusal(&signed(outside, &claims)).starts_with("/protected/16"));
    let outside = builder().protected(typ.clone()).unprotected(alg.clone());
    assert!(refusal(&signed(outside, &claims)).starts_with("/protected/1:"));
    let mut both = typ;
    both.alg = alg.alg.clone();
    let twice = builder().protected(both).unprotected(alg);
    assert!(refusal(&signed(twice, &claims)).starts_with("/unprotected"));
    for other in [iana::Algorithm::ES384, iana::Algorithm::HMAC_256_256] {
        let header = HeaderBuilder::new()
            .value(16, TYPE.into())
            .algorithm(other)
            .build();
        let token = signed(builder().protected(header), &claims);
        assert!(refusal(&token).starts_with("/protected/1:"), "{other:?}");
    }
}

#[test]
fn the_key_fixes_the_algorithm() {
    let token = token(&good_claims());
    let stranger: VerifyingKey = SigningKey::from_seed(&[8; 32]).public().into();
    let refused = |key: &VerifyingKey| {
        let refused = SignedCwt::parse(&token).unwrap().verify(key, 100);
        refused.unwrap_err().to_string()
    };
    assert_eq!(
        refused(&stranger),
        format!("the status list {URL} cannot be verified: the signature does not match")
    );
    let p256 = VerifyingKey::from_multikey("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169");
    assert_eq!(
        refused(&p256.unwrap()),
        format!(
            "the status list {URL} cannot be verified: the key is of another kind than the \
             algorithm"
        )
    );
}

#[test]
fn every_cwt_claim_keeps_its_rule() {
    let list = || Cbor::Bytes(encode_zlib(&[0]));
    let claims = |members: &[(i64, Cbor)]| {
        let members = members
            .iter()
            .map(|(key, value)| ((*key).into(), value.clone()));
        token(&Cbor::Map(members.collect()))
    };
    let (sub, iat) = ((2, Cbor::from(URL)), (6, Cbor::from(1_767_225_600)));
    let list_of = |bits: Cbor, lst: Cbor| (65533, cbor!({"bits" => bits, "lst" => lst}).unwrap());
    let good = list_of(1.into(), list());
    let nan = Cbor::Float(f64::NAN);
    for (members, at) in [
        (vec![iat.clone(), good.clone()], "/sub"),
        (vec![sub.clone(), good.clone()], "/iat"),
        (vec![sub.clone(), iat.clone()], "/status_list"),
        (vec![sub.clone(), (6, nan.clone()), good.clone()], "/iat"),
        (
            vec![sub.clone(), iat.clone(), (4, nan.clone()), good.clone()],
            "/exp",
        ),
        (
            vec![sub.clone(), iat.clone(), (65534, nan), good.clone()],
            "/ttl",
        ),
        (
            vec![sub.clone(), iat.clone(), (65534, 0.into()), good.clone()],
            "/ttl",
        ),
        (
            vec![sub.clone(), iat.clone(), (65534, (-1).into()), good.clone()],
            "/ttl",
        ),
        (
            vec![
                sub.clone(),
                (6, Cbor::Tag(1, Box::new(6.into()))),
                good.clone(),
            ],
            "/iat",
        ),
        (
            vec![sub.clone(), iat.clone(), (4, "never".into()), good.clone()],
            "/exp",
        ),
        (
            vec![sub.clone(), iat.clone(), list_of(3.into(), list())],
            "/status_list/bits",
        ),
        (
            vec![sub.clone(), iat.clone(), list_of((-1).into(), list())],
            "/status_list/bits",
        ),
        (
            vec![
                sub.clone(),
                iat.clone(),
                list_of(1.into(), "eNpjAAAAAQAB".into()),
            ],
            "/status_list/lst",
        ),
        (
            vec![
                sub.clone(),
                iat.clone(),
                list_of(1.into(), Cbor::Bytes(vec![0; 9])),
            ],
            "/status_list/lst",
        ),
        (vec![sub.clone(), sub, iat, good], "/payload"),
    ] {
        let refused = verify(&claims(&members)).unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with(&format!("{at}: ")), "{at}: {text}");
        assert_eq!(refused.error_type(), ERROR_MALFORMED);
    }
    let bomb = cwt_claims(Cbor::Bytes(encode_zlib(&vec![0; 64 << 20])));
    assert!(matches!(
        verify(&token(&bomb)),
        Err(StatusError::Expand { .. })
    ));
}

/// What the bytes of a hostile server may be, and what is said of it.
#[test]
fn hostile_cbor_is_refused_within_bounds() {
    let deep = |opening: &[u8], levels: usize| opening.repeat(levels);
    let sign1 = |protected: &[u8]| {
        let length = u32::try_from(protected.len()).unwrap().to_be_bytes();
        [
            &[0xd2, 0x84, 0x5a],
            &length[..],
            protected,
            &[0xa0, 0x41, 0xa0, 0x41, 0],
        ]
        .concat()
    };
    let too_deep = "CBOR of at most 16 levels";
    let too_many = "CBOR of at most 1,024 items";
    let ends = "CBOR that does not end too early";
    let broken = "well-formed CBOR";
    for (token, said) in [
        (vec![], ends),
        (vec![0xd2], ends),
        (
            vec![
                0xd2, 0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
            ends,
        ),
        (
            vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ends,
        ),
        (
            vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            too_many,
        ),
        (vec![0xff], broken),
        (vec![0x1c], broken),
        (vec![0x1f], broken),
        (vec![0x5f, 0x61, 0x61, 0xff], broken),
        (vec![0x5f, 0x5f, 0x41, 0, 0xff, 0xff], broken),
        (vec![0xbf, 0x01, 0xff], broken),
        (vec![0x61, 0xff], broken),
        (
            vec![0xc2, 0x41, 0x01],
            "CBOR without integers beyond 64 bits",
        ),
        (deep(&[0x81], 1_000_000), too_deep),
        (deep(&[0xa1], 1_000_000), too_deep),
        (deep(&[0xd8, 0x18], 1_000_000), too_deep),
        (deep(&[0x9f], 1_000_000), too_deep),
        (
            [&[0x9a, 0, 0x0f, 0x42, 0x40], &vec![0; 1_000_000][..]].concat(),
            too_many,
        ),
        (
            [&[0x9f], &vec![0; 1_000_000][..], &[0xff]].concat(),
            too_many,
        ),
        (
            [&[0x5f], &vec![0x40; 1_000_000][..], &[0xff]].concat(),
            too_many,
        ),
        (
            vec![0xd2, 0x80, 0x00],
            "one CBOR item and nothing behind it",
        ),
        // The protected header is CBOR within a byte string, with bounds of its own.
        (sign1(&deep(&[0x81], 1_000_000)), too_deep),
        (sign1(&[0xa1, 0x10]), ends),
        (sign1(b""), ends),
    ] {
        let text = SignedCwt::parse(&token).unwrap_err().to_string();
        let start = &token[..token.len().min(12)];
        assert!(text.contains(said), "{start:02x?}: {text}");
    }
}

#[test]
fn an_ed25519_key_is_what_python_says() {
    let raw = bytes("ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c");
    let key = PublicKey::from_bytes(&raw.try_into().unwrap()).unwrap();
    assert_eq!(VerifyingKey::from(key), public());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify(&bytes).is_err());
    }

    /// Here the key id is signed as well, so there is no byte that may be changed.
    #[test]
    fn a_changed_token_is_refused(place: prop::sample::Index, change in 1u8..) {
        let mut token = bytes(OF_PYTHON);
        let place = place.index(token.len());
        token[place] ^= change;
        prop_assert!(verify(&token).is_err(), "{}", place);
    }
}
