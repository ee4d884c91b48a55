//! Token lists against the published examples, against tokens that other software wrote, and
//! against those who mean harm.

mod cwt;
mod projection;
mod vectors;
mod writing;

use coset::cbor::{Value as Cbor, cbor};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::bitstring::{DEFAULT_CAP_BYTES, encode_zlib};
use crate::status::answer::{ERROR_MALFORMED, ERROR_RANGE};

const URL: &str = "https://college.example/tokens/1";

fn statuses(list: &TokenStatusList, up_to: u64) -> Vec<u8> {
    (0..up_to).map(|i| list.status(i).unwrap().status).collect()
}

fn claims(bits: u64, packed: &[u8]) -> Value {
    json!({
        "sub": URL,
        "iat": 1_767_225_600,
        "status_list": {"bits": bits, "lst": URL_SAFE_NO_PAD.encode(encode_zlib(packed))},
    })
}

fn read(claims: &Value) -> Result<TokenStatusList, StatusError> {
    TokenStatusList::from_claims(claims, DEFAULT_CAP_BYTES)
}

#[test]
fn the_claims_of_the_draft_are_read() {
    let list = read(&json!({
        "exp": 2_291_720_170u64,
        "iat": 1_686_920_170,
        "iss": "https://example.com",
        "status_list": {"bits": 1, "lst": "eNrbuRgAAhcBXQ"},
        "sub": "https://example.com/statuslists/1",
        "ttl": 43_200,
    }))
    .unwrap();
    assert_eq!(list.subject, "https://example.com/statuslists/1");
    assert_eq!(list.issuer.as_deref(), Some("https://example.com"));
    assert_eq!(list.valid_from.to_string(), "2023-06-16T12:56:10Z");
    assert_eq!(list.valid_until.unwrap().seconds(), 2_291_720_170);
    assert_eq!(list.ttl, Some(Ttl::from_seconds(43_200)));
    let expected = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    assert_eq!(statuses(&list, 16), expected);
    let behind = list.status(16).unwrap_err();
    assert_eq!(behind.error_type(), ERROR_RANGE);
    assert!(list.status(u64::MAX).is_err());
}

#[test]
fn values_say_by_themselves_what_they_mean() {
    let list = read(&claims(4, &[0x10, 0x32, 0xcb, 0x0f])).unwrap();
    for (index, status, effect) in [
        (0, 0, Effect::None),
        (1, 1, Effect::Revokes),
        (2, 2, Effect::Suspends),
        (3, 3, Effect::Undefined),
        (4, 0xb, Effect::Undefined),
        (5, 0xc, Effect::Undefined),
        (6, 0xf, Effect::Undefined),
        (7, 0, Effect::None),
    ] {
        let said = list.status(index).unwrap();
        assert_eq!((said.status, said.effect), (status, effect), "{index}");
        assert_eq!(said.valid, status == 0);
        assert_eq!(said.purpose, None);
    }
    // One octet per entry, and none of the values above 2 is ever good.
    let list = read(&claims(8, &(0..=255).collect::<Vec<u8>>())).unwrap();
    assert!((3..256).all(|i| list.status(i).unwrap().effect == Effect::Undefined));
}

#[test]
fn what_a_list_takes_is_what_is_in_it() {
    let fixed = size_of::<TokenStatusList>() + URL.len();
    let mut claims = claims(1, &[0; 77]);
    assert_eq!(read(&claims).unwrap().footprint(), fixed + 77);
    claims["iss"] = json!("urn:i");
    assert_eq!(read(&claims).unwrap().footprint(), fixed + 5 + 77);
}

#[test]
fn every_claim_keeps_its_rule() {
    for (claim, bad, at) in [
        ("sub", json!(null), "/sub"),
        ("iss", json!(7), "/iss"),
        ("iat", json!("1767225600"), "/iat"),
        ("iat", json!(null), "/iat"),
        ("nbf", json!("now"), "/nbf"),
        ("exp", json!(null), "/exp"),
        ("exp", json!("2026-01-01T00:00:00Z"), "/exp"),
        ("ttl", json!(0), "/ttl"),
        ("ttl", json!(-300), "/ttl"),
        ("ttl", json!("300"), "/ttl"),
        ("status_list", json!(null), "/status_list/lst"),
        ("status_list", json!({"bits": 1}), "/status_list/lst"),
        (
            "status_list",
            json!({"bits": 1, "lst": "=="}),
            "/status_list/lst",
        ),
        (
            "status_list",
            json!({"bits": 1, "lst": "AAAA"}),
            "/status_list/lst",
        ),
        // GZIP instead of ZLIB, and the multibase prefix of the other standard.
        (
            "status_list",
            json!({"bits": 1, "lst": "H4sIAAAAAAAAA2MAAI3vAtIBAAAA"}),
            "/status_list/lst",
        ),
        (
            "status_list",
            json!({"bits": 1, "lst": "ueNrbuRgAAhcBXQ"}),
            "/status_list/lst",
        ),
    ] {
        let mut claims = claims(1, &[0]);
        claims[claim] = bad.clone();
        let refused = read(&claims).unwrap_err();
        assert_eq!(refused.error_type(), ERROR_MALFORMED);
        let text = refused.to_string();
        assert!(text.starts_with(&format!("{at}: ")), "{bad}: {text}");
    }
    for bits in [
        json!(0),
        json!(3),
        json!(16),
        json!("1"),
        json!(1.5),
        json!(-1),
    ] {
        let mut claims = claims(1, &[0]);
        claims["status_list"]["bits"] = bits.clone();
        let text = read(&claims).unwrap_err().to_string();
        assert!(text.starts_with("/status_list/bits: "), "{bits}: {text}");
    }
    for missing in ["sub", "iat", "status_list"] {
        let mut claims = claims(1, &[0]);
        claims.as_object_mut().unwrap().shift_remove(missing);
        assert!(read(&claims).is_err(), "{missing}");
    }
    assert!(read(&json!("x")).is_err() && read(&json!([])).is_err());
}

#[test]
fn dates_may_have_a_fraction_and_the_later_beginning_counts() {
    let mut claims = claims(1, &[0]);
    claims["iat"] = json!(1_767_225_600.25);
    claims["exp"] = json!(1e300);
    claims["ttl"] = json!(0.5);
    let list = read(&claims).unwrap();
    assert_eq!(list.valid_from.to_string(), "2026-01-01T00:00:00.250Z");
    assert_eq!(
        list.valid_until.unwrap().to_string(),
        "9999-12-31T23:59:59.999Z"
    );
    assert_eq!(list.ttl, Some(Ttl::from_millis(500)));
    claims["nbf"] = json!(1_767_225_700);
    let list = read(&claims).unwrap();
    assert_eq!(list.valid_from.to_string(), "2026-01-01T00:01:40Z");
}

#[test]
fn a_bomb_is_given_up_at_the_cap() {
    let bomb = claims(1, &vec![0; 64 << 20]);
    let refused = read(&bomb).unwrap_err();
    assert!(matches!(
        refused,
        StatusError::Expand {
            reason: CodecError::TooLarge {
                cap: DEFAULT_CAP_BYTES
            },
            ..
        }
    ));
}

proptest! {
    #[test]
    fn a_list_reads_as_its_values(
        bits in prop::sample::select(vec![1u64, 2, 4, 8]),
        values in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        // As the draft puts it, value by value: the least significant bits come first.
        let values: Vec<u8> = values.iter().map(|v| (u16::from(*v) & ((1 << bits) - 1)) as u8).collect();
        let per_byte = 8 / bits as usize;
        let mut packed = vec![0u8; values.len().div_ceil(per_byte)];
        for (index, value) in values.iter().enumerate() {
            packed[index / per_byte] |= value << (index % per_byte * bits as usize);
        }
        let json = read(&claims(bits, &packed)).unwrap();
        prop_assert_eq!(&statuses(&json, values.len() as u64), &values);
        let lst = Cbor::Bytes(encode_zlib(&packed));
        let claims = cbor!({
            2 => URL, 6 => 1_767_225_600, 65533 => {"bits" => bits, "lst" => lst}
        });
        let cwt = cwt::verify(&cwt::token(&claims.unwrap())).unwrap();
        prop_assert_eq!(&cwt, &json);
        let behind = packed.len() as u64 * per_byte as u64;
        prop_assert!(cwt.status(behind).is_err());
    }
}
