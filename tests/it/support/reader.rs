//! A status list as a stranger reads it: nothing here comes from the registry's own code but what a
//! moment is.

#[cfg(feature = "rocksdb")]
use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use goodstanding::time::Timestamp;
use serde_json::Value;

use super::client::Answer;

/// The bytes of a BitstringStatusListCredential's list.
pub(crate) fn bits(credential: &Value) -> Vec<u8> {
    let list = credential["credentialSubject"]["encodedList"].as_str();
    let list = list.unwrap_or_else(|| panic!("no encodedList: {credential}"));
    let text = list.strip_prefix('u').expect("multibase base64url");
    let compressed = URL_SAFE_NO_PAD.decode(text).expect("base64url, unpadded");
    let mut bits = Vec::new();
    let mut unpacked = GzDecoder::new(compressed.as_slice()).take(1 << 26);
    unpacked.read_to_end(&mut bits).expect("gzip");
    bits
}

/// Index 0 is the left-most bit.
pub(crate) fn bit(bits: &[u8], index: u64) -> bool {
    bits[(index / 8) as usize] & (0x80 >> (index % 8)) != 0
}

/// The indexes that are set.
#[cfg(feature = "rocksdb")]
pub(crate) fn set(bits: &[u8]) -> BTreeSet<u64> {
    let all = 0..8 * bits.len() as u64;
    all.filter(|index| bit(bits, *index)).collect()
}

/// How many bits are set.
pub(crate) fn ones(bits: &[u8]) -> u32 {
    bits.iter().map(|byte| byte.count_ones()).sum()
}

/// Where a `credentialStatus` points: the list's URL, and the index.
pub(crate) fn place(entry: &Value) -> (String, u64) {
    assert_eq!(entry["type"], "BitstringStatusListEntry", "{entry}");
    let list = entry["statusListCredential"].as_str().expect("a URL");
    let index = entry["statusListIndex"].as_str().expect("text, not number");
    (list.to_owned(), index.parse().expect("a whole number"))
}

/// From when until when something that was signed holds, and its `ttl` where it has one.
#[derive(Debug)]
pub(crate) struct Period {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) ttl: Option<u64>,
}

/// A list as it was at a moment.
pub(crate) struct Then {
    pub(crate) bits: Vec<u8>,
    /// Bits an entry, where the list says so.
    pub(crate) size: u64,
    pub(crate) period: Period,
}

/// Reads a list in whichever form it came.
pub(crate) fn then(answer: &Answer) -> Then {
    match answer.header("content-type").unwrap() {
        "application/vc+jwt" => credential(&payload(&answer.text())),
        "application/statuslist+jwt" => token(&payload(&answer.text())),
        "application/statuslist+cwt" => cbor_token(&answer.body),
        _ => credential(&answer.json()),
    }
}

/// The payload of a JWT, its signature unseen.
fn payload(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn credential(credential: &Value) -> Then {
    let moment = |name: &str| credential[name].as_str().unwrap().parse().unwrap();
    let bits = match credential["type"][1].as_str().unwrap() {
        "StatusList2021Credential" => {
            let list = credential["credentialSubject"]["encodedList"].as_str();
            let mut prefixed = credential.clone();
            prefixed["credentialSubject"]["encodedList"] = format!("u{}", list.unwrap()).into();
            bits(&prefixed)
        }
        _ => bits(credential),
    };
    let (from, until) = match credential.get("validFrom") {
        Some(_) => ("validFrom", "validUntil"),
        None => ("issuanceDate", "expirationDate"),
    };
    Then {
        bits,
        size: 1,
        period: Period {
            since: moment(from),
            until: moment(until),
            ttl: credential["credentialSubject"]["ttl"].as_u64(),
        },
    }
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn inflated(compressed: &[u8]) -> Vec<u8> {
    let mut bits = Vec::new();
    let mut unpacked = flate2::read::ZlibDecoder::new(compressed).take(1 << 26);
    unpacked.read_to_end(&mut bits).expect("zlib");
    bits
}

fn token(claims: &Value) -> Then {
    let list = claims["status_list"]["lst"].as_str().unwrap();
    let moment = |name: &str| seconds(claims[name].as_i64().unwrap());
    Then {
        bits: inflated(&URL_SAFE_NO_PAD.decode(list).unwrap()),
        size: claims["status_list"]["bits"].as_u64().unwrap(),
        period: Period {
            since: moment("iat"),
            until: moment("exp"),
            ttl: claims["ttl"].as_u64(),
        },
    }
}

fn cbor_token(bytes: &[u8]) -> Then {
    use coset::cbor::Value as Cbor;
    use coset::{CborSerializable as _, TaggedCborSerializable as _};
    let signed = coset::CoseSign1::from_tagged_slice(bytes).expect("a tagged COSE_Sign1");
    let claims = Cbor::from_slice(&signed.payload.unwrap()).unwrap();
    let found = |map: &Cbor, key: &Cbor| {
        let entries = map.as_map().unwrap();
        let entry = entries.iter().find(|(name, _)| name == key);
        entry.map(|(_, value)| value.clone())
    };
    let number = |value: &Cbor| i64::try_from(value.as_integer().unwrap()).unwrap();
    let claim = |key: i64| found(&claims, &Cbor::from(key));
    let list = claim(65533).unwrap();
    let compressed = found(&list, &Cbor::from("lst")).unwrap();
    Then {
        bits: inflated(compressed.as_bytes().unwrap()),
        size: number(&found(&list, &Cbor::from("bits")).unwrap()) as u64,
        period: Period {
            since: seconds(number(&claim(6).unwrap())),
            until: seconds(number(&claim(4).unwrap())),
            ttl: claim(65534).map(|ttl| number(&ttl) as u64),
        },
    }
}
