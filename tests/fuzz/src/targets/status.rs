//! Status entries, and the lists that they lead to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::bitstring::{decode, decode_2021, decode_zlib};
use goodstanding::json;
use goodstanding::status::{ListReference, StatusError, StatusResult};
use goodstanding::time::Timestamp;
use goodstanding::vc::jws::{self, Header, NewHeader};
use goodstanding::vc::verifying::VerifyingKey;
use goodstanding::verify::{Fetched, ListSigners, check_list};
use serde_json::Value;

use super::{Reached, signing_key};

const ISSUER: &str = "https://college.example";
const CREDENTIAL: &str = "https://college.example/badges/1";
const CAP: usize = 8 << 20;

/// An input is JSON: an `entry`, or the claim `status`, and the `list` that it leads to, which is
/// taken for well signed; one with a `status_list` is made a JWT. Whatever is said of the
/// credential is what the list says to a reader who takes it apart by hand, and nothing is said
/// where the list is another's, or not in force.
pub fn run(data: &[u8]) -> Reached {
    let Ok(input) = json::parse(data) else {
        return Reached::Refused;
    };
    let claim = input.get("status");
    let mut references = claim.map_or(Vec::new(), |it| ListReference::parse_claim(it, "/status"));
    references.extend(
        input
            .get("entry")
            .map(|it| ListReference::parse(it, "/entry")),
    );
    let mut reached = Reached::Refused;
    for reference in references.iter().flatten() {
        let list = &input["list"];
        let body = match list.get("status_list") {
            None => list.to_string(),
            Some(_) => {
                let (typ, kid) = ("statuslist+jwt", "https://college.example#key-1");
                let header = NewHeader { typ, kid };
                jws::sign(header, list.to_string().as_bytes(), &signing_key())
            }
        };
        let fetched = Fetched {
            url: reference.list().to_owned(),
            body: body.into_bytes(),
        };
        match says(&fetched, reference) {
            Ok(result) => {
                check(&input, reference, &result);
                reached = Reached::Read;
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    reached
}

fn says(fetched: &Fetched, reference: &ListReference) -> Result<StatusResult, StatusError> {
    let list = check_list(fetched, reference, ISSUER, now(), &mut Trusting)?;
    list.says(reference, ISSUER, Some(CREDENTIAL), now())
}

fn check(input: &Value, reference: &ListReference, result: &StatusResult) {
    let list = &input["list"];
    let said = match reference {
        ListReference::Bitstring(_) => of_bits(&input["entry"], list),
        ListReference::RevocationList(_) => Some(of_ids(list)),
        ListReference::Token(_) => of_token(&input["status"]["status_list"], list),
    };
    assert_eq!(said, Some(u64::from(result.status)), "{input}");
    assert_eq!(result.valid, result.status == 0);
    let url = match reference {
        ListReference::Token(_) => &list["sub"],
        _ => &list["id"],
    };
    assert!(url.is_null() || url == reference.list(), "{input}");
    let issuer = list
        .get("issuer")
        .or(list.get("iss"))
        .unwrap_or(&Value::Null);
    let issuer = issuer.as_str().or_else(|| issuer["id"].as_str());
    assert!(issuer.is_none_or(|issuer| issuer == ISSUER), "{input}");
    if let Some(until) = list["validUntil"]
        .as_str()
        .filter(|_| list.get("type").is_some())
    {
        assert!(
            until.parse::<Timestamp>().is_ok_and(|until| now() < until),
            "{input}"
        );
    }
}

/// Most significant bits first.
fn of_bits(entry: &Value, list: &Value) -> Option<u64> {
    let index = match &entry["statusListIndex"] {
        Value::String(digits) => digits.parse().ok()?,
        number => number.as_u64()?,
    };
    let subject = &list["credentialSubject"];
    let encoded = subject["encodedList"].as_str()?;
    let bytes = match encoded.starts_with('u') {
        true => decode(encoded, CAP),
        false => decode_2021(encoded, CAP),
    };
    let purposes = match &subject["statusPurpose"] {
        Value::Array(several) => several.clone(),
        one => vec![one.clone()],
    };
    assert!(
        purposes.contains(&entry["statusPurpose"]),
        "{entry} in {list}"
    );
    let size = entry.get("statusSize").map_or(Some(1), Value::as_u64)?;
    value(
        &bytes.ok()?,
        size,
        index,
        |bit| 7 - bit % 8,
        |bit| size - 1 - bit,
    )
}

fn of_ids(list: &Value) -> u64 {
    let items = ["revokedCredential", "revokedCredentials"];
    let mut items = items
        .iter()
        .filter_map(|name| list[name].as_array())
        .flatten();
    u64::from(items.any(|item| item["id"] == CREDENTIAL && item["revoked"] != false))
}

/// Least significant bits first.
fn of_token(claim: &Value, list: &Value) -> Option<u64> {
    let list = &list["status_list"];
    let compressed = URL_SAFE_NO_PAD.decode(list["lst"].as_str()?).ok()?;
    let bytes = decode_zlib(&compressed, CAP).ok()?;
    value(
        &bytes,
        list["bits"].as_u64()?,
        claim["idx"].as_u64()?,
        |bit| bit % 8,
        |bit| bit,
    )
}

/// The value at `index`: where a bit of the list stands in its byte, and where in the value.
fn value(
    bytes: &[u8],
    size: u64,
    index: u64,
    in_byte: impl Fn(u64) -> u64,
    in_value: impl Fn(u64) -> u64,
) -> Option<u64> {
    (0..size).try_fold(0, |value, bit| {
        let place = index.checked_mul(size)? + bit;
        let byte = bytes.get(usize::try_from(place / 8).ok()?)?;
        Some(value | u64::from(byte >> in_byte(place) & 1) << in_value(bit))
    })
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("it is a time")
}

/// Takes every list for well signed.
struct Trusting;

impl ListSigners for Trusting {
    fn check_proofs(&mut self, _list: &Value, issuer: &str) -> Result<(), StatusError> {
        assert_eq!(issuer, ISSUER, "nobody else is asked");
        Ok(())
    }

    fn check_reading(&mut self, _list: &Value) -> Result<(), StatusError> {
        Ok(())
    }

    fn key(&mut self, _header: &Header, issuer: &str) -> Result<VerifyingKey, StatusError> {
        assert_eq!(issuer, ISSUER, "nobody else is asked");
        Ok(signing_key().public().into())
    }
}
