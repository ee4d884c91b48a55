//! Lists of other standards: StatusList2021, and the revocation list of 1EdTech.

use super::entries::{AT, LIST, Stated, bits, malformed};
use super::lists::unproven;
use super::*;
use crate::bitstring::{encode, encode_2021};

const EXTENSIONS: &str = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";

/// As lists were before Bitstring Status List.
fn of_2021() -> Stated {
    let mut stated = Stated::bitstring();
    let contexts = stated.badge["@context"].as_array_mut().unwrap();
    contexts.push(json!("https://w3id.org/vc/status-list/2021/v1"));
    stated.badge["credentialStatus"]["type"] = json!("StatusList2021Entry");
    stated.list = json!({
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/vc/status-list/2021/v1",
            "https://w3id.org/security/data-integrity/v2",
        ],
        "id": LIST,
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": college().id,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": format!("{LIST}#list"),
            "type": "StatusList2021",
            "statusPurpose": "revocation",
            "encodedList": encode_2021(&bits()),
        },
    });
    stated
}

/// As platforms of Open Badges still have it. Another badge is revoked.
fn of_1edtech() -> Stated {
    let mut stated = Stated::bitstring();
    let contexts = stated.badge["@context"].as_array_mut().unwrap();
    contexts.push(json!(EXTENSIONS));
    stated.badge["credentialStatus"] = json!({"id": LIST, "type": "1EdTechRevocationList"});
    serve(
        &mut stated,
        ids(json!([{"id": "https://college.example/badges/2"}])),
    );
    stated
}

fn ids(revoked: Value) -> Value {
    json!({"id": LIST, "issuer": college().id, "revokedCredential": revoked})
}

fn serve(stated: &mut Stated, list: Value) {
    stated.body = Some(list.to_string().into_bytes());
}

pub(super) fn rows() -> Vec<Row> {
    [rows_2021(), rows_1edtech()]
        .into_iter()
        .flatten()
        .collect()
}

fn rows_2021() -> Vec<Row> {
    let entry = |name, member: &'static str, value: Value, expected| {
        let spoil = |stated: &mut Stated| stated.badge["credentialStatus"][member] = value;
        row(name, of_2021, spoil, expected)
    };
    let list = |name, member: &'static str, value: Value, expected| {
        let spoil = |stated: &mut Stated| stated.list["credentialSubject"][member] = value;
        row(name, of_2021, spoil, expected)
    };
    vec![
        entry(
            "2021: the place is set",
            "statusListIndex",
            json!("1"),
            proved(Outcome::Revoked, "revoked", AT),
        ),
        entry(
            "2021: an entry with a size",
            "statusSize",
            json!(1),
            malformed(),
        ),
        entry(
            "2021: an entry with messages",
            "statusMessage",
            json!([]),
            malformed(),
        ),
        entry(
            "2021: a purpose that it does not have",
            "statusPurpose",
            json!("message"),
            malformed(),
        ),
        entry(
            "2021: an entry of the newer type",
            "type",
            json!("BitstringStatusListEntry"),
            unproven(),
        ),
        list(
            "2021: the list has the prefix of the newer one",
            "encodedList",
            json!(encode(&bits())),
            malformed(),
        ),
        list(
            "2021: the list is for another purpose",
            "statusPurpose",
            json!("suspension"),
            unproven(),
        ),
        list(
            "2021: the list is short",
            "encodedList",
            json!(encode_2021(&[0; 100])),
            proved(Outcome::Unknown, "status-length", AT),
        ),
        row(
            "2021: the list has expired",
            of_2021,
            |stated| stated.list["expirationDate"] = json!("2026-05-01T00:00:00Z"),
            unproven(),
        ),
        row(
            "2021: the list is not signed",
            of_2021,
            |stated| stated.spoil_signed = |list| without(list, "proof"),
            unproven(),
        ),
    ]
}

fn rows_1edtech() -> Vec<Row> {
    let badge = "https://college.example/badges/1";
    let revoked = || proved(Outcome::Revoked, "revoked", AT);
    let listed =
        |name, list: Value, expected| row(name, of_1edtech, |stated| serve(stated, list), expected);
    let item = |name, item: Value, expected| listed(name, ids(json!([item])), expected);
    vec![
        row(
            "two types that contradict each other",
            Stated::bitstring,
            |stated| {
                let contexts = stated.badge["@context"].as_array_mut().unwrap();
                contexts.push(json!(EXTENSIONS));
                let types = ["BitstringStatusListEntry", "1EdTechRevocationList"];
                stated.badge["credentialStatus"]["type"] = json!(types);
            },
            proved(Outcome::Unknown, "status-unsupported", AT),
        ),
        item("ids: the badge is listed", json!({"id": badge}), revoked()),
        item(
            "ids: the badge is listed as revoked",
            json!({"id": badge, "revoked": true}),
            revoked(),
        ),
        item(
            "ids: the badge is listed as not revoked",
            json!({"id": badge, "revoked": false}),
            good(),
        ),
        item(
            "ids: revoked is a text",
            json!({"id": badge, "revoked": "false"}),
            malformed(),
        ),
        item(
            "ids: revoked is null",
            json!({"id": badge, "revoked": null}),
            malformed(),
        ),
        item(
            "ids: an item without an id",
            json!({"revoked": true}),
            malformed(),
        ),
        item("ids: an item that is a text", json!(badge), malformed()),
        item(
            "ids: a reason that is no text",
            json!({"id": "urn:x", "revocationReason": 5}),
            malformed(),
        ),
        listed(
            "ids: the badge is listed under the other spelling",
            json!({"id": LIST, "issuer": college().id, "revokedCredentials": [{"id": badge}]}),
            revoked(),
        ),
        listed(
            "ids: revoked under one spelling, and not under the other",
            json!({
                "id": LIST,
                "issuer": college().id,
                "revokedCredential": [{"id": badge}],
                "revokedCredentials": [{"id": badge, "revoked": false}],
            }),
            revoked(),
        ),
        listed(
            "ids: the items are one object",
            json!({"id": LIST, "issuer": college().id, "revokedCredential": {"id": badge}}),
            malformed(),
        ),
        listed(
            "ids: the list is another issuer's",
            json!({"id": LIST, "issuer": forger().id}),
            unproven(),
        ),
        listed(
            "ids: the list is nobody's",
            json!({"id": LIST}),
            malformed(),
        ),
        listed(
            "ids: the list is another one",
            json!({"id": "urn:x", "issuer": college().id}),
            unproven(),
        ),
        listed(
            "ids: the list has no id",
            json!({"issuer": college().id}),
            malformed(),
        ),
        listed(
            "ids: the list is empty",
            json!({"id": LIST, "issuer": college().id}),
            good(),
        ),
        listed(
            "ids: the list is an array",
            json!([{"id": badge}]),
            malformed(),
        ),
        row(
            "ids: the badge has no id to look for",
            of_1edtech,
            |stated| without(&mut stated.badge, "id"),
            malformed(),
        ),
        row(
            "ids: the list is out of reach",
            of_1edtech,
            |stated| {
                stated.badge["credentialStatus"]["id"] = json!("https://college.example/lists/2")
            },
            proved(Outcome::Unreachable, "status-retrieval", AT),
        ),
        row(
            "ids: the list's URL is missing",
            of_1edtech,
            |stated| without(&mut stated.badge["credentialStatus"], "id"),
            malformed(),
        ),
    ]
}
