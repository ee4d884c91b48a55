//! An endorsement as a trust mark, and how that stands.

use serde_json::json;

use super::{OUTSIDE, ask, claims, encoded, fetch, refused, with_period};
use crate::support::actors::text;
use crate::support::client::Answer;
use crate::support::house::{House, ORIGIN};

const BOARD: &str = "https://registry.example/profiles/board";

#[test]
fn a_trust_mark_stands_as_the_endorsement_behind_it() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let none = refused(&mark(&house, &school.id), 404, "not_found");
    assert_eq!(none["outcome"], "not-endorsed");
    let endorsement = board.endorses(&school.id, "profile", true);
    let issued = mark(&house, &school.id).is(200);
    assert_eq!(
        claims(&house, &issued, "trust-mark+jwt"),
        json!({
            "iss": ORIGIN,
            "sub": school.id,
            "trust_mark_type": BOARD,
            "iat": 1_772_355_600,
            "ref": endorsement["id"],
        })
    );
    let issued = issued.text();
    assert_eq!(status(&house, &issued), "active");
    board.does("suspend", &endorsement).is(200);
    assert_eq!(status(&house, &issued), "suspended");
    let suspended = refused(&mark(&house, &school.id), 404, "not_found");
    assert_eq!(suspended["outcome"], "suspended");
    board.does("reinstate", &endorsement).is(200);
    assert_eq!(status(&house, &issued), "active");

    // It outlives a key that was retired, and not one that was lost.
    let operator = house.operator();
    operator.call("POST", "/keys").send().is(201);
    house.wait(3_600);
    operator.call("POST", "/keys/key-1/retire").send().is(200);
    assert_eq!(status(&house, &issued), "active");
    let newer = mark(&house, &school.id).is(200).text();
    let since = json!({ "since": "2026-03-01T09:00:00Z" });
    operator.post("/keys/key-1/revoke", &since).is(200);
    assert_eq!(status(&house, &issued), "invalid");
    assert_eq!(status(&house, &newer), "active");
    board.does("revoke", &endorsement).is(200);
    assert_eq!(status(&house, &newer), "revoked");

    // One with an end has it too, and is expired after that.
    with_period(
        &board,
        OUTSIDE,
        "2026-03-01T09:00:00Z",
        "2026-03-01T11:00:00Z",
    );
    let ending = mark(&house, OUTSIDE).is(200);
    let read = claims(&house, &ending, "trust-mark+jwt");
    assert_eq!(read["exp"].as_i64(), Some(1_772_362_800));
    house.wait(3_600);
    assert_eq!(status(&house, &ending.text()), "expired");
}

#[test]
fn a_trust_mark_that_is_not_ours_has_no_status() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    board.endorses(&school.id, "profile", false);
    let good = mark(&house, &school.id).is(200).text();
    let parts: Vec<&str> = good.split('.').collect();
    let other = "AAAA".repeat(21) + "AA";
    let forged = format!("{}.{}.{other}", parts[0], parts[1]);
    assert_eq!(status(&house, &forged), "invalid");
    // A statement of ours of another type is no trust mark, nor is what another signed.
    let statement = fetch(&house, &school.id).text();
    refused(&judge(&house, &statement), 404, "not_found");
    let body = json!({
        "credential": {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": school.id,
            "credentialSubject": { "id": "did:example:holder" },
        },
        "options": { "securing": "vc+jwt" },
    });
    let issued = school.post("/credentials/issue", &body).is(201).json();
    let jwt = crate::support::jwt::enveloped(&issued["verifiableCredential"]);
    refused(&judge(&house, &jwt), 404, "not_found");
    refused(
        &judge(&house, &format!("{good}{}", "A".repeat(20_000))),
        404,
        "not_found",
    );
    refused(&judge(&house, "not-a-jwt"), 400, "invalid_request");

    let send = |media: &str, body: &[u8]| {
        let call = house.call("POST", "/federation/trust_mark_status");
        call.body(media, body).send()
    };
    let form = "application/x-www-form-urlencoded";
    for body in [&b""[..], b"trust_mark=a&trust_mark=b", b"mark=a", b"\xff"] {
        let body = refused(&send(form, body), 400, "invalid_request");
        assert_eq!(body["pointer"], "/trust_mark");
    }
    let json = format!("{{\"trust_mark\":\"{good}\"}}");
    refused(
        &send("application/json", json.as_bytes()),
        415,
        "invalid_request",
    );
}

fn mark(house: &House, sub: &str) -> Answer {
    let (kind, sub) = (encoded(BOARD), encoded(sub));
    ask(
        house,
        &format!("/federation/trust_mark?trust_mark_type={kind}&sub={sub}"),
    )
}

fn judge(house: &House, mark: &str) -> Answer {
    let form = format!("trust_mark={mark}&unheard=of");
    let call = house.call("POST", "/federation/trust_mark_status");
    call.body("application/x-www-form-urlencoded", form).send()
}

#[track_caller]
fn status(house: &House, mark: &str) -> String {
    let answer = judge(house, mark).is(200);
    let claims = claims(house, &answer, "trust-mark-status-response+jwt");
    assert_eq!(claims["iss"], ORIGIN);
    assert_eq!(claims["trust_mark"], mark);
    assert!(claims["iat"].is_i64());
    text(&claims["status"])
}
