//! Tokens that are written here: byte by byte, and as they are read back.

use coset::CborSerializable as _;
use proptest::prelude::*;

use super::*;
use crate::bitstring::DEFAULT_CAP_BYTES;
use crate::json;
use crate::status::SignedCwt;
use crate::vc::jws::Jws;
use crate::vc::keys::SigningKey;
use crate::vc::verifying::{KeyKind, VerifyingKey};

const KID: &str = "did:web:college.example#key-1";

const ISSUER: &str = "did:web:college.example";

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn public() -> VerifyingKey {
    key().public().into()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// The list of the draft, two bytes of one-bit entries.
fn bits() -> TokenBits {
    TokenBits::compress(&Bitstring::from_bytes(vec![0xb9, 0xa3], StatusSize::One))
}

fn full(statuses: &TokenBits) -> TokenListToPublish<'_> {
    TokenListToPublish {
        uri: URL,
        issuer: Some(ISSUER),
        issued_at: Timestamp::from_millis(1_686_920_170_999),
        expires_at: Some(Timestamp::from_millis(2_291_720_170_999)),
        ttl: Some(Ttl::from_millis(43_200_999)),
        aggregation_uri: Some("https://college.example/tokens"),
        statuses,
    }
}

fn bare(statuses: &TokenBits) -> TokenListToPublish<'_> {
    TokenListToPublish {
        issuer: None,
        expires_at: None,
        ttl: None,
        aggregation_uri: None,
        ..full(statuses)
    }
}

fn claims_of(jwt: &str) -> Value {
    let jws = Jws::parse(jwt).unwrap();
    assert!(jws.header().is_typ("statuslist+jwt"));
    assert_eq!(jws.header().algorithm, KeyKind::Ed25519);
    assert_eq!(jws.header().kid.as_deref(), Some(KID));
    assert_eq!(jws.verify(&public()), Ok(()));
    json::parse(jws.payload()).unwrap()
}

#[test]
fn a_jwt_is_published_claim_by_claim() {
    let bits = bits();
    let claims = claims_of(&full(&bits).to_jwt(KID, &key()));
    let expected = json!({
        "iss": ISSUER,
        "sub": URL,
        "iat": 1_686_920_170,
        "exp": 2_291_720_170u64,
        "ttl": 43_200,
        "status_list": {
            "bits": 1,
            "lst": "eNrbuRgAAhcBXQ",
            "aggregation_uri": "https://college.example/tokens",
        },
    });
    assert_eq!(claims, expected);
    let claims = claims_of(&bare(&bits).to_jwt(KID, &key()));
    let expected = json!({
        "sub": URL,
        "iat": 1_686_920_170,
        "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"},
    });
    assert_eq!(claims, expected);
}

#[test]
fn a_lifetime_is_never_0() {
    let bits = bits();
    for (millis, seconds) in [(0, 1), (1, 1), (999, 1), (1000, 1), (2999, 2)] {
        let mut list = bare(&bits);
        list.ttl = Some(Ttl::from_millis(millis));
        let claims = claims_of(&list.to_jwt(KID, &key()));
        assert_eq!(claims["ttl"], seconds, "{millis}");
    }
}

/// The bytes as RFC 8949 draws them, put together by hand.
#[test]
fn a_cwt_is_published_byte_by_byte() {
    let text = |text: &str| match text.len() {
        length @ 0..24 => [&[0x60 | length as u8], text.as_bytes()].concat(),
        length => [&[0x78, length as u8], text.as_bytes()].concat(),
    };
    let header = [
        &[0xa3, 0x01, 0x27, 0x04, 0x58, KID.len() as u8],
        KID.as_bytes(),
        &[0x10],
        &text("application/statuslist+cwt"),
    ]
    .concat();
    let lst = [0x78, 0xda, 0xdb, 0xb9, 0x18, 0x00, 0x02, 0x17, 0x01, 0x5d];
    let full_claims = [
        &[0xa6, 0x01][..],
        &text(ISSUER),
        &[0x02],
        &text(URL),
        &[0x04, 0x1a, 0x88, 0x98, 0xdf, 0xea],
        &[0x06, 0x1a, 0x64, 0x8c, 0x5b, 0xea],
        &[0x19, 0xff, 0xfd, 0xa3],
        &text("lst"),
        &[0x4a],
        &lst,
        &text("bits"),
        &[0x01],
        &text("aggregation_uri"),
        &text("https://college.example/tokens"),
        &[0x19, 0xff, 0xfe, 0x19, 0xa8, 0xc0],
    ]
    .concat();
    let bare_claims = [
        &[0xa3, 0x02][..],
        &text(URL),
        &[0x06, 0x1a, 0x64, 0x8c, 0x5b, 0xea],
        &[0x19, 0xff, 0xfd, 0xa2],
        &text("lst"),
        &[0x4a],
        &lst,
        &text("bits"),
        &[0x01],
    ]
    .concat();
    let bits = bits();
    for (list, claims) in [(full(&bits), full_claims), (bare(&bits), bare_claims)] {
        let written = list.to_cwt(KID, &key());
        let length = match claims.len() {
            length @ 0..=255 => [0x58, length as u8],
            length => panic!("{length}"),
        };
        let expected = [
            &[0xd2, 0x84, 0x58, header.len() as u8][..],
            &header,
            &[0xa0],
            &length,
            &claims,
            &[0x58, 0x40],
        ]
        .concat();
        assert_eq!(written[..expected.len()], expected);
        assert_eq!(written.len(), expected.len() + 64);
    }
}

#[test]
fn only_the_key_that_signed_opens_a_token() {
    let bits = bits();
    let stranger = SigningKey::from_seed(&[8; 32]).public().into();
    let jwt = full(&bits).to_jwt(KID, &key());
    assert!(Jws::parse(&jwt).unwrap().verify(&stranger).is_err());
    let cwt = SignedCwt::parse(&full(&bits).to_cwt(KID, &key())).unwrap();
    assert_eq!(cwt.key_id(), Some(KID.as_bytes()));
    assert_eq!(cwt.issuer(), Some(ISSUER));
    assert!(cwt.verify(&stranger, DEFAULT_CAP_BYTES).is_err());
}

proptest! {
    #[test]
    fn both_forms_read_back_as_what_was_written(
        size in prop::sample::select(&StatusSize::ALL),
        packed in prop::collection::vec(any::<u8>(), 0..300),
        uri in "https://[a-z]{1,9}\\.example/[ -~äß]{0,20}",
        issuer in prop::option::of("did:web:[a-z]{1,9}"),
        aggregation in prop::option::of("https://[a-z]{1,9}\\.example/"),
        issued in 0i64..253_402_300_799,
        lasts in prop::option::of(0i64..1_000_000_000),
        ttl in prop::option::of(1u64..1_000_000_000),
    ) {
        let statuses: Bitstring<Lsb> = Bitstring::from_bytes(packed, size);
        let compressed = TokenBits::compress(&statuses);
        let expires = lasts.map(|lasts| at(issued.saturating_add(lasts)));
        let list = TokenListToPublish {
            uri: &uri,
            issuer: issuer.as_deref(),
            issued_at: at(issued),
            expires_at: expires,
            ttl: ttl.map(Ttl::from_seconds),
            aggregation_uri: aggregation.as_deref(),
            statuses: &compressed,
        };
        let expected = TokenStatusList {
            subject: uri.clone(),
            issuer: issuer.clone(),
            valid_from: at(issued),
            valid_until: expires.map(Timestamp::whole_seconds),
            ttl: ttl.map(Ttl::from_seconds),
            bits: statuses,
        };
        let claims = claims_of(&list.to_jwt(KID, &key()));
        let jwt = TokenStatusList::from_claims(&claims, DEFAULT_CAP_BYTES);
        prop_assert_eq!(jwt.as_ref(), Ok(&expected));
        let bytes = list.to_cwt(KID, &key());
        let cwt = SignedCwt::parse(&bytes).unwrap();
        prop_assert_eq!(cwt.verify(&public(), DEFAULT_CAP_BYTES), Ok(expected));
        // The same list gives the same token, and another encoder the same CBOR.
        prop_assert_eq!(list.to_cwt(KID, &key()), bytes.clone());
        let again = Cbor::from_slice(&bytes).unwrap().to_vec().unwrap();
        prop_assert_eq!(again, bytes);
    }
}
