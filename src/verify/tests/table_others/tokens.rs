//! Token Status Lists as JWTs, and what points to them.

use super::entries::{LIST, Stated};
use super::*;
use crate::bitstring::encode_zlib;

const AT: &str = "/status";

/// A badge whose claim `status` points to place 0 of a token list. The places are 0, 1, 2, 3.
pub(super) struct Token {
    stated: Stated,
    header: Value,
    claims: Value,
    by: Actor,
    pub(super) body: Option<Vec<u8>>,
}

impl Draft for Token {
    fn hand_in(mut self) -> HandedIn {
        let jwt = || {
            let header = base64url(self.header.to_string());
            let signed = format!("{header}.{}", base64url(self.claims.to_string()));
            let signature = base64url(self.by.key.sign(signed.as_bytes()));
            format!("{signed}.{signature}").into_bytes()
        };
        self.stated.body = Some(self.body.clone().unwrap_or_else(jwt));
        self.stated.hand_in()
    }
}

pub(super) fn token() -> Token {
    let mut stated = Stated::bitstring();
    without(&mut stated.badge, "credentialStatus");
    stated.badge["status"] = json!({"status_list": {"idx": 0, "uri": LIST}});
    Token {
        stated,
        header: json!({"alg": "EdDSA", "typ": "statuslist+jwt", "kid": college().method}),
        claims: json!({
            "sub": LIST,
            "iat": seconds("2026-05-01T00:00:00Z"),
            "exp": seconds("2026-07-01T00:00:00Z"),
            "ttl": 3600,
            "status_list": {"bits": 2, "lst": lst(&[0b11_10_01_00])},
        }),
        by: college(),
        body: None,
    }
}

fn lst(bytes: &[u8]) -> String {
    base64url(encode_zlib(bytes))
}

pub(super) fn unproven() -> Wanted {
    unknown("status-verification")
}

pub(super) fn malformed() -> Wanted {
    unknown("status-malformed")
}

fn unknown(code: &'static str) -> Wanted {
    proved(Outcome::Unknown, code, AT)
}

fn claim(name: &'static str, pointer: &'static str, value: Value, expected: Wanted) -> Row {
    let spoil = |token: &mut Token| {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = token.claims.pointer_mut(parent).unwrap();
        match value {
            Value::Null => without(parent, member),
            value => parent[member] = value,
        }
    };
    row(name, token, spoil, expected)
}

/// A row with another claim `status` in the badge.
fn status(name: &'static str, status: Value, expected: Wanted) -> Row {
    row(
        name,
        token,
        |token| token.stated.badge["status"] = status,
        expected,
    )
}

fn at_place(idx: Value) -> Value {
    json!({"status_list": {"idx": idx, "uri": LIST}})
}

pub(super) fn rows() -> Vec<Row> {
    [places(), tokens(), lists()]
        .into_iter()
        .flatten()
        .collect()
}

fn places() -> Vec<Row> {
    vec![
        status(
            "token: invalid",
            at_place(json!(1)),
            proved(Outcome::Revoked, "revoked", AT),
        ),
        status(
            "token: suspended",
            at_place(json!(2)),
            proved(Outcome::Suspended, "suspended", AT),
        ),
        status(
            "token: a value for applications",
            at_place(json!(3)),
            unknown("status-undefined"),
        ),
        status(
            "token: a place behind the end",
            at_place(json!(4)),
            unknown("status-range"),
        ),
        status(
            "token: a place far behind the end",
            at_place(json!(u64::MAX)),
            unknown("status-range"),
        ),
        status("token: a place as text", at_place(json!("0")), malformed()),
        status("token: a negative place", at_place(json!(-1)), malformed()),
        status(
            "token: a place with a fraction",
            at_place(json!(0.5)),
            malformed(),
        ),
        status(
            "token: no place",
            json!({"status_list": {"uri": LIST}}),
            malformed(),
        ),
        status(
            "token: no list",
            json!({"status_list": {"idx": 0}}),
            malformed(),
        ),
        status(
            "token: no mechanism",
            json!({}),
            unknown("status-unsupported"),
        ),
        status(
            "token: another mechanism",
            json!({"status_assertion": {}}),
            unknown("status-unsupported"),
        ),
        status(
            "token: a claim that says valid",
            json!("valid"),
            unknown("status-unsupported"),
        ),
        status(
            "token: another mechanism beside a good one",
            json!({"status_list": {"idx": 0, "uri": LIST}, "identifier_list": {}}),
            unknown("status-unsupported"),
        ),
        status(
            "token: out of reach",
            json!({"status_list": {"idx": 0, "uri": "https://college.example/lists/2"}}),
            proved(Outcome::Unreachable, "status-retrieval", AT),
        ),
    ]
}

fn tokens() -> Vec<Row> {
    let header = |name, member: &'static str, value: Value, expected| {
        row(name, token, |token| token.header[member] = value, expected)
    };
    vec![
        header("token: typ of another JWT", "typ", json!("JWT"), unproven()),
        row(
            "token: no typ",
            token,
            |token| without(&mut token.header, "typ"),
            unproven(),
        ),
        header(
            "token: typ with its prefix",
            "typ",
            json!("application/statuslist+jwt"),
            good(),
        ),
        header("token: alg none", "alg", json!("none"), unproven()),
        header(
            "token: kid of a forger",
            "kid",
            json!(forger().method),
            unproven(),
        ),
        header(
            "token: a critical extension",
            "crit",
            json!(["exp"]),
            unproven(),
        ),
        header(
            "token: a key that nobody has",
            "kid",
            json!("https://college.example/keys/1"),
            proved(Outcome::Unreachable, "status-retrieval", AT),
        ),
        row(
            "token: signed by a forger",
            token,
            |token| token.by = forger(),
            unproven(),
        ),
        claim(
            "token: by another issuer",
            "/iss",
            json!(forger().id),
            unproven(),
        ),
        claim("token: by its issuer", "/iss", json!(college().id), good()),
        row(
            "token: a credential of the issuer in its place",
            token,
            |token| token.header["typ"] = json!("vc+jwt"),
            unproven(),
        ),
    ]
}

fn lists() -> Vec<Row> {
    let now = seconds("2026-06-01T00:00:00Z");
    let at = "/status_list/lst";
    vec![
        claim(
            "token: sub is another list",
            "/sub",
            json!("https://college.example/lists/2"),
            unproven(),
        ),
        claim("token: no sub", "/sub", Value::Null, malformed()),
        claim(
            "token: made in an hour",
            "/iat",
            json!(now + 3600),
            unproven(),
        ),
        claim("token: no iat", "/iat", Value::Null, malformed()),
        claim(
            "token: iat is a text",
            "/iat",
            json!("2026-05-01"),
            malformed(),
        ),
        claim("token: over", "/exp", json!(now), unproven()),
        claim("token: over at a text", "/exp", json!("never"), malformed()),
        claim(
            "token: good from an hour on",
            "/nbf",
            json!(now + 3600),
            unproven(),
        ),
        claim("token: kept for no time", "/ttl", json!(0), malformed()),
        claim(
            "token: kept for less than no time",
            "/ttl",
            json!(-1),
            malformed(),
        ),
        claim(
            "token: of three bits",
            "/status_list/bits",
            json!(3),
            malformed(),
        ),
        claim(
            "token: of no bits",
            "/status_list/bits",
            Value::Null,
            malformed(),
        ),
        claim(
            "token: bits as text",
            "/status_list/bits",
            json!("2"),
            malformed(),
        ),
        claim("token: no list in it", at, Value::Null, malformed()),
        claim(
            "token: not compressed",
            at,
            json!(base64url([0; 4])),
            malformed(),
        ),
        claim(
            "token: padded",
            at,
            json!(format!("{}==", lst(&[0]))),
            malformed(),
        ),
        claim(
            "token: with the prefix of another list",
            at,
            json!(format!("u{}", lst(&[0]))),
            malformed(),
        ),
        claim(
            "token: bytes behind the list",
            at,
            json!(base64url([encode_zlib(&[0]), vec![0]].concat())),
            malformed(),
        ),
        claim(
            "token: a bomb of 64 MiB",
            at,
            json!(lst(&vec![0; 64 << 20])),
            malformed(),
        ),
        claim("token: empty", at, json!(lst(&[])), unknown("status-range")),
    ]
}
