//! Published lists of bits: whose they are, what for, and what is in them.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use std::io::Write as _;

use super::entries::{AT, LIST, Stated, as_jwt, bits, malformed};
use super::jwts::KEY_SET;
use super::*;
use crate::bitstring::{encode, encode_2021};
use crate::vc::jwt::Envelope;

pub(super) fn unproven() -> Wanted {
    proved(Outcome::Unknown, "status-verification", AT)
}

/// A row that changes one member of the list, which is signed thereafter.
fn list(name: &'static str, member: &str, value: Value, expected: Wanted) -> Row {
    row(
        name,
        Stated::bitstring,
        |stated| stated.list[member] = value,
        expected,
    )
}

fn subject(name: &'static str, member: &str, value: Value, expected: Wanted) -> Row {
    let spoil = |stated: &mut Stated| stated.list["credentialSubject"][member] = value;
    row(name, Stated::bitstring, spoil, expected)
}

fn encoded(name: &'static str, text: String, expected: Wanted) -> Row {
    subject(name, "encodedList", json!(text), expected)
}

fn body(name: &'static str, body: impl Into<Vec<u8>>, expected: Wanted) -> Row {
    let body = body.into();
    row(
        name,
        Stated::bitstring,
        |stated| stated.body = Some(body),
        expected,
    )
}

/// A row that changes the list after it was signed.
fn signed(name: &'static str, change: fn(&mut Value), expected: Wanted) -> Row {
    row(
        name,
        Stated::bitstring,
        |stated| stated.spoil_signed = change,
        expected,
    )
}

pub(super) fn rows() -> Vec<Row> {
    [owners(), contents(), encodings(), bodies()]
        .into_iter()
        .flatten()
        .collect()
}

fn owners() -> Vec<Row> {
    vec![
        row(
            "the list is a forger's own, and well signed",
            Stated::bitstring,
            |stated| {
                stated.list["issuer"] = json!(forger().id);
                stated.list_by = forger();
            },
            unproven(),
        ),
        row(
            "the list is signed by a forger",
            Stated::bitstring,
            |stated| stated.list_by = forger(),
            unproven(),
        ),
        row(
            "the list is signed by a forger in the college's name",
            Stated::bitstring,
            |stated| {
                stated.list_by = forger();
                stated.list_by.method = college().method;
            },
            unproven(),
        ),
        row(
            "the list's key is out of reach, and the badge's stands in a set",
            Stated::bitstring,
            |stated| {
                let mut key = college().key.public().to_jwk();
                key["kid"] = json!(college().method);
                stated.web.world.documents.clear();
                stated.web.serve(KEY_SET, json!({ "keys": [key] }));
            },
            proved(Outcome::Unreachable, "status-retrieval", AT),
        ),
        signed(
            "the list is not signed",
            |list| without(list, "proof"),
            unproven(),
        ),
        signed(
            "the list was changed after it was signed",
            |list| list["credentialSubject"]["encodedList"] = json!(encode(&vec![0; 16_384])),
            unproven(),
        ),
        signed(
            "the list has a member that nobody signed",
            |list| list["grade"] = json!(1),
            unproven(),
        ),
        signed(
            "the list's proof is for presentations",
            |list| list["proof"]["proofPurpose"] = json!("authentication"),
            unproven(),
        ),
        list(
            "the list stands elsewhere by its own word",
            "id",
            json!("https://college.example/lists/2"),
            unproven(),
        ),
        row(
            "the list has no id",
            Stated::bitstring,
            |stated| without(&mut stated.list, "id"),
            good(),
        ),
        list(
            "the list has expired",
            "validUntil",
            json!("2026-05-31T23:59:59Z"),
            unproven(),
        ),
        list(
            "the list expires at this moment",
            "validUntil",
            json!("2026-06-01T00:00:00Z"),
            unproven(),
        ),
        list(
            "the list begins in an hour",
            "validFrom",
            json!("2026-06-01T01:00:00Z"),
            unproven(),
        ),
        list(
            "the list begins within the difference of two clocks",
            "validFrom",
            json!("2026-06-01T00:00:30Z"),
            good(),
        ),
    ]
}

fn contents() -> Vec<Row> {
    vec![
        subject(
            "the list is for another purpose",
            "statusPurpose",
            json!("suspension"),
            unproven(),
        ),
        subject(
            "the list is for several purposes",
            "statusPurpose",
            json!(["suspension", "revocation"]),
            good(),
        ),
        subject(
            "the list is for no purpose",
            "statusPurpose",
            json!([]),
            malformed(),
        ),
        subject(
            "the list's subject is of another type",
            "type",
            json!("StatusList2021"),
            malformed(),
        ),
        subject("the list's ttl is negative", "ttl", json!(-1), malformed()),
        list(
            "the list is no list",
            "type",
            json!(["VerifiableCredential"]),
            malformed(),
        ),
        list(
            "the list is of both standards",
            "type",
            json!([
                "VerifiableCredential",
                "BitstringStatusListCredential",
                "StatusList2021Credential"
            ]),
            malformed(),
        ),
        row(
            "the list holds no bits",
            Stated::bitstring,
            |stated| without(&mut stated.list["credentialSubject"], "encodedList"),
            malformed(),
        ),
        row(
            "the list is no credential",
            Stated::bitstring,
            |stated| stated.spoil_signed = |list| without(list, "issuer"),
            malformed(),
        ),
    ]
}

/// A text whose bytes are compressed by another program's defaults.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encodings() -> Vec<Row> {
    let text = |bytes: &[u8]| format!("u{}", base64url(bytes));
    let good_gzip = gzip(&bits());
    let cut = &good_gzip[..good_gzip.len() - 1];
    let mut wrong_sum = good_gzip.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    vec![
        encoded("compressed in another way", text(&gzip(&bits())), good()),
        encoded(
            "the list has no prefix, as in 2021",
            encode_2021(&bits()),
            malformed(),
        ),
        encoded(
            "the list has the prefix of base58",
            encode(&bits()).replacen('u', "z", 1),
            malformed(),
        ),
        encoded(
            "the list is padded",
            format!("{}==", encode(&bits())),
            malformed(),
        ),
        encoded(
            "the list is in plain base64",
            encode(&bits()).replace('-', "+").replace('_', "/"),
            malformed(),
        ),
        encoded("the list is not compressed", text(&bits()), malformed()),
        encoded("the list is zlib", text(&zlib(&bits())), malformed()),
        encoded("the list is cut off", text(cut), malformed()),
        encoded(
            "the list's checksum is wrong",
            text(&wrong_sum),
            malformed(),
        ),
        encoded(
            "bytes stand behind the list",
            text(&[&good_gzip[..], b"more"].concat()),
            malformed(),
        ),
        encoded(
            "a second stream stands behind the list",
            text(&good_gzip.repeat(2)),
            malformed(),
        ),
        encoded(
            "the list is a bomb of 64 MiB",
            text(&gzip(&vec![0; 64 << 20])),
            malformed(),
        ),
        encoded("the list is empty", String::new(), malformed()),
        encoded(
            "the list is one byte too short to hide in",
            encode(&vec![0; 16_383]),
            proved(Outcome::Unknown, "status-length", AT),
        ),
    ]
}

fn bodies() -> Vec<Row> {
    let own = Stated::bitstring().list;
    let stranger = Actor::named(&college().id, 66);
    let enveloped = Envelope::Credential.wrap(&as_jwt(&own, &college()));
    let mut dressed = enveloped.clone();
    dressed["validUntil"] = json!("2027-01-01T00:00:00Z");
    let mut over = own.clone();
    over["exp"] = json!(seconds("2026-05-01T00:00:00Z"));
    let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    vec![
        body("the list is a JWT", as_jwt(&own, &college()), good()),
        body("the list is in an envelope", enveloped.to_string(), good()),
        body(
            "the list's envelope has members",
            dressed.to_string(),
            unproven(),
        ),
        body(
            "the list is a JWT by a forger",
            as_jwt(&own, &stranger),
            unproven(),
        ),
        body(
            "the list is a JWT that is over",
            as_jwt(&over, &college()),
            unproven(),
        ),
        body("the list is a page for people", "<html>", unproven()),
        body("the list is empty, as a file", "", unproven()),
        body(
            "the list is not UTF-8",
            b"{\"id\":\"\xff\"}".as_slice(),
            unproven(),
        ),
        body(
            "the list says its id twice",
            format!(r#"{{"id":"{LIST}","id":"{LIST}"}}"#),
            unproven(),
        ),
        body("the list is ten thousand levels deep", deep, unproven()),
        row(
            "the list is an endless knot",
            Stated::bitstring,
            knotted,
            unproven(),
        ),
    ]
}

/// A list whose proof could only be checked after more work than is done: nodes without names, all
/// of them alike and each bound to every other.
fn knotted(stated: &mut Stated) {
    stated.spoil_signed = |list| {
        let node = |place: usize| {
            let others = (0..16).filter(|other| *other != place);
            let others: Vec<String> = others.map(|other| format!("_:n{other}")).collect();
            json!({"id": format!("_:n{place}"), "tiedTo": others})
        };
        let tie = json!({"@id": "https://college.example/#tiedTo", "@type": "@id"});
        let contexts = list["@context"].as_array_mut().unwrap();
        contexts.push(json!({"tiedTo": tie}));
        list["tiedTo"] = (0..16).map(node).collect();
    };
}

/// That it is given up, rather than refused for something else.
#[test]
fn a_knot_is_given_up_after_the_work_that_is_allowed() {
    let mut stated = Stated::bitstring();
    knotted(&mut stated);
    let HandedIn { form, web, .. } = stated.hand_in();
    let Form::Document(document) = form else {
        panic!("it is a document");
    };
    let report = verify_credential(&document, &*web, Options::default(), now());
    let detail = &report.problems[0].detail;
    assert!(detail.contains("canonical"), "{detail}");
}
