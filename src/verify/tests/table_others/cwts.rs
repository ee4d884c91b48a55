//! Token Status Lists as CWTs.

use coset::cbor::{Value as Cbor, cbor};
use coset::{CborSerializable as _, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _};

use super::entries::LIST;
use super::tokens::{malformed, token, unproven};
use super::*;
use crate::bitstring::encode_zlib;

/// What the parts of a CWT are, before it is signed.
struct Cwt {
    typ: Option<&'static str>,
    algorithm: coset::iana::Algorithm,
    claims: Cbor,
    by: Actor,
    after: fn(Vec<u8>) -> Vec<u8>,
}

fn claims(sub: &str, iat: i64, exp: i64, ttl: i64, lst: Vec<u8>) -> Cbor {
    let lst = Cbor::Bytes(lst);
    let list = cbor!({"bits" => 2, "lst" => lst}).unwrap();
    cbor!({2 => sub, 6 => iat, 4 => exp, 65534 => ttl, 65533 => list}).unwrap()
}

fn cwt() -> Cwt {
    let (iat, exp) = (
        seconds("2026-05-01T00:00:00Z"),
        seconds("2026-07-01T00:00:00Z"),
    );
    Cwt {
        typ: Some("application/statuslist+cwt"),
        algorithm: coset::iana::Algorithm::EdDSA,
        claims: claims(LIST, iat, exp, 3600, encode_zlib(&[0b11_10_01_00])),
        by: college(),
        after: |token| token,
    }
}

impl Draft for Cwt {
    fn hand_in(self) -> HandedIn {
        let header = HeaderBuilder::new()
            .algorithm(self.algorithm)
            .key_id(college().method.into_bytes());
        let header = match self.typ {
            Some(typ) => header.value(16, typ.into()),
            None => header,
        };
        let signed = CoseSign1Builder::new()
            .protected(header.build())
            .payload(self.claims.to_vec().unwrap())
            .create_signature(&[], |message| self.by.key.sign(message).to_vec())
            .build();
        let mut token = token();
        token.body = Some((self.after)(signed.to_tagged_vec().unwrap()));
        token.hand_in()
    }
}

pub(super) fn rows() -> Vec<Row> {
    use coset::iana::Algorithm;
    let (iat, exp) = (
        seconds("2026-05-01T00:00:00Z"),
        seconds("2026-07-01T00:00:00Z"),
    );
    let list = || encode_zlib(&[0b11_10_01_00]);
    let after = |name, after, expected| row(name, cwt, |cwt: &mut Cwt| cwt.after = after, expected);
    let said = |name, claims: Cbor, expected| {
        row(name, cwt, |cwt: &mut Cwt| cwt.claims = claims, expected)
    };
    let with = |claim: Cbor, value: Cbor| {
        let Cbor::Map(mut entries) = cwt().claims else {
            panic!("claims are a map")
        };
        entries.push((claim, value));
        Cbor::Map(entries)
    };
    vec![
        after(
            "cwt: without its tag",
            |token| token[1..].to_vec(),
            unproven(),
        ),
        after(
            "cwt: with the tag of a MAC",
            |mut token| {
                token[0] = 0xd1;
                token
            },
            malformed(),
        ),
        after(
            "cwt: bytes behind it",
            |token| [&token[..], &[0]].concat(),
            malformed(),
        ),
        after(
            "cwt: cut off",
            |token| token[..token.len() - 1].to_vec(),
            malformed(),
        ),
        after(
            "cwt: one bit of its signature",
            |mut token| {
                *token.last_mut().unwrap() ^= 1;
                token
            },
            unproven(),
        ),
        after(
            "cwt: ten thousand levels deep",
            |_| vec![0xd2; 10_000],
            malformed(),
        ),
        row(
            "cwt: typ of another token",
            cwt,
            |cwt| cwt.typ = Some("application/cwt"),
            malformed(),
        ),
        row("cwt: no typ", cwt, |cwt| cwt.typ = None, malformed()),
        row(
            "cwt: an algorithm that is not read",
            cwt,
            |cwt| cwt.algorithm = Algorithm::ES512,
            malformed(),
        ),
        row(
            "cwt: a MAC",
            cwt,
            |cwt| cwt.algorithm = Algorithm::HMAC_256_256,
            malformed(),
        ),
        row(
            "cwt: an algorithm for another kind of key",
            cwt,
            |cwt| cwt.algorithm = Algorithm::ES256,
            unproven(),
        ),
        row(
            "cwt: signed by a forger",
            cwt,
            |cwt| cwt.by = forger(),
            unproven(),
        ),
        said(
            "cwt: over",
            claims(LIST, iat, iat + 1, 3600, list()),
            unproven(),
        ),
        said(
            "cwt: made in an hour",
            claims(LIST, seconds("2026-06-01T01:00:00Z"), exp, 3600, list()),
            unproven(),
        ),
        said(
            "cwt: another list",
            claims("urn:x", iat, exp, 3600, list()),
            unproven(),
        ),
        said(
            "cwt: kept for no time",
            claims(LIST, iat, exp, 0, list()),
            malformed(),
        ),
        said(
            "cwt: not compressed",
            claims(LIST, iat, exp, 3600, vec![0; 4]),
            malformed(),
        ),
        said(
            "cwt: a claim twice",
            with(2.into(), "urn:x".into()),
            malformed(),
        ),
        said(
            "cwt: by another issuer",
            with(1.into(), forger().id.into()),
            unproven(),
        ),
        said(
            "cwt: by its issuer",
            with(1.into(), college().id.into()),
            good(),
        ),
    ]
}
