//! Journey 4 in other forms: endorsements as JWTs and with proofs over JSON, how they are served,
//! and what becomes of them when keys change.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::actors::{Actor, text};
use crate::support::house::House;
use crate::support::jwt::{Checked, check, check_jcs, enveloped};
use crate::support::reader::{bit, place};

/// An endorsement of `subject` in this form: its URL, and what was answered.
fn endorses(board: &Actor<'_>, subject: &str, form: &str) -> (String, Value) {
    let body = json!({
        "endorser": board.slug,
        "subject": { "id": subject, "kind": "profile" },
        "name": "Quality label",
        "validUntil": "2030-01-01T00:00:00Z",
        "securing": form,
    });
    let answer = board.post("/endorsements", &body).is(201);
    let url = answer.header("location").expect("its URL").to_owned();
    (url, answer.json()["verifiableCredential"].clone())
}

fn keys(actor: &Actor<'_>) -> Value {
    let target = format!("/profiles/{}/jwks.json", actor.slug);
    actor.get(&target).is(200).json()
}

/// What is served under `url` as a JWT, taken apart.
fn as_jwt(actor: &Actor<'_>, url: &str, keys: &Value) -> Checked {
    let call = actor
        .call("GET", url)
        .header("Accept", "application/vc+jwt");
    let served = call.send().is(200);
    assert_eq!(served.header("content-type"), Some("application/vc+jwt"));
    check(&served.text(), keys)
}

fn without_proof(credential: &Value) -> Value {
    let mut members = credential.as_object().unwrap().clone();
    members.shift_remove("proof");
    members.into()
}

#[test]
fn an_accreditor_endorses_with_jwts() {
    jwt_endorsements(&House::open());
}

pub(super) fn jwt_endorsements(house: &House) {
    let school = house.registrar("jwt-school");
    let board = house.accreditor("jwt-board");
    let (url, envelope) = endorses(&board, &school.id, "vc+jwt");
    let jwt = enveloped(&envelope);
    let read = check(&jwt, &keys(&board));
    let credential = &read.credential;
    assert_eq!(credential["id"], url);
    assert_eq!(credential["name"], "Quality label");
    assert_eq!(credential["credentialSubject"]["id"], school.id);
    assert!(credential.get("proof").is_none());
    // What the JWT says of itself is what the credential says (Open Badges 3.0, section 8.2.4).
    assert_eq!(read.claims["iss"], credential["issuer"]["id"]);
    assert_eq!(read.claims["jti"], url);
    assert_eq!(read.claims["sub"], school.id);
    let from = OffsetDateTime::parse(&text(&credential["validFrom"]), &Rfc3339);
    assert_eq!(read.claims["nbf"], from.unwrap().unix_timestamp());
    assert_eq!(read.claims["exp"], 1_893_456_000);
    // The key is one that the DID document lists for JWTs.
    let document = board.get("/profiles/jwt-board/did.json").is(200).json();
    let listed = document["assertionMethod"].as_array().unwrap();
    assert!(listed.contains(&read.header["kid"]), "{}", read.header);

    // It is served under its id, in its envelope or as it is.
    for (accept, media_type) in [
        ("*/*", "application/ld+json"),
        ("application/json", "application/json"),
    ] {
        let served = house.call("GET", &url).header("Accept", accept).send();
        let served = served.is(200);
        assert_eq!(served.header("content-type"), Some(media_type));
        assert_eq!(served.json(), envelope);
    }
    let call = house.call("GET", &url);
    let raw = call.header("Accept", "application/vc+jwt").send().is(200);
    assert_eq!(raw.text(), jwt);
    let call = house.call("GET", &url);
    // An envelope is no credential.
    call.header("Accept", "application/vc").send().problem(406);
    let call = house.call("GET", &url).header("Accept", "text/html");
    assert!(call.send().is(200).text().contains("Quality label"));

    // It is found like any other, and stands beside those with a proof.
    let (other, embedded) = endorses(&board, &school.id, "eddsa-jcs-2022");
    check_jcs(&embedded, &keys(&board));
    let found = &house.verifier().asks_about(&[&school.id])[0];
    assert_eq!(found["outcome"], "active");
    let found = found["endorsements"].as_array().unwrap();
    let shown = |id: &str| {
        let item = found.iter().find(|item| item["id"] == id);
        item.expect("it is found")["credential"].clone()
    };
    assert_eq!((shown(&url), shown(&other)), (envelope, embedded.clone()));
    let profile = "/profiles/jwt-school?endorsements=embed";
    let carried = house.call("GET", profile).send().is(200);
    assert_eq!(carried.json()["endorsement"], json!([embedded]));
    assert_eq!(carried.json()["endorsementJwt"], json!([jwt]));

    // It is revoked in the list that its claims name, and no longer carried.
    let (list, index) = place(&credential["credentialStatus"]);
    let target = format!("{url}/revoke");
    let revoked = board.post(&target, &json!({})).is(200).json();
    assert_eq!(revoked["outcome"], "revoked");
    assert!(bit(&house.verifier().reads(&list), index));
    let carried_now = house.call("GET", profile).send().is(200);
    assert!(carried_now.json().get("endorsementJwt").is_none());
    assert_ne!(carried_now.header("etag"), carried.header("etag"));
}

#[test]
fn an_endorsement_with_a_proof_can_be_had_as_a_jwt_of_the_same_claims() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let verifier = house.verifier();
    for form in ["eddsa-rdfc-2022", "eddsa-jcs-2022"] {
        let (url, embedded) = endorses(&board, &school.id, form);
        assert_eq!(embedded["proof"]["cryptosuite"], form);
        let before = house.store();
        let read = as_jwt(&verifier, &url, &keys(&board));
        assert_eq!(read.credential, without_proof(&embedded));
        assert_eq!(read.claims["jti"], url);
        assert_eq!(house.store(), before, "reading writes nothing");

        // One representation beside others, the same each time.
        let get = |method: &str, accept: &str| {
            let call = house.call(method, &url).header("Accept", accept);
            call.send().is(200)
        };
        let (json, jwt) = (get("GET", "*/*"), get("GET", "application/vc+jwt"));
        assert_eq!(json.header("content-type"), Some("application/vc"));
        for answer in [&json, &jwt] {
            assert_eq!(answer.header("vary"), Some("Accept"));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
        }
        assert_ne!(json.header("etag"), jwt.header("etag"));
        house.wait(1);
        assert_eq!(get("GET", "application/vc+jwt").body, jwt.body);
        let head = get("HEAD", "application/vc+jwt");
        assert_eq!(head.header("etag"), jwt.header("etag"));
        let call = house
            .call("GET", &url)
            .header("Accept", "application/vc+jwt");
        let etag = jwt.header("etag").unwrap();
        let unchanged = call.header("If-None-Match", etag).send().is(304);
        assert_eq!(unchanged.header("etag"), Some(etag));
        let call = house.call("GET", &url).header("If-None-Match", etag);
        assert_eq!(call.send().is(200).json(), embedded, "the other one's tag");
    }
}

#[test]
fn a_jwt_on_demand_is_by_the_key_that_signs_now() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let (url, embedded) = endorses(&board, &school.id, "eddsa-rdfc-2022");
    let made = board.call("POST", "/profiles/board/keys").send().is(201);
    let new = text(&made.json()["verificationMethod"]);
    let kid = |credential: &Checked| text(&credential.header["kid"]);
    let before = as_jwt(&board, &url, &keys(&board));
    assert_ne!(kid(&before), format!("{new}-jwk"));
    house.wait(3_600);
    let after = as_jwt(&board, &url, &keys(&board));
    assert_eq!(kid(&after), format!("{new}-jwk"));
    assert_eq!(after.credential, before.credential);
    let stored = board.get(&url).is(200).json();
    assert_eq!(stored, embedded, "the one with the proof is as it was");
}

#[test]
fn a_jwt_by_a_lost_key_is_signed_again() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let forms = ["vc+jwt", "eddsa-jcs-2022", "eddsa-rdfc-2022"];
    let before = forms.map(|form| endorses(&board, &school.id, form));
    let old_keys = keys(&board);
    let key = text(&board.get("/profiles/board/keys").json()["keys"][0]["id"]);
    let lost = json!({ "since": "2026-03-01T08:00:00Z" });
    let target = format!("/profiles/board/keys/{key}/revoke");
    board.post(&target, &lost).is(200);

    let new_keys = keys(&board);
    assert_ne!(new_keys, old_keys);
    let [(jwt_url, old), (jcs_url, _), (rdfc_url, _)] = before;
    let again = board.get(&jwt_url).is(200).json();
    assert_ne!(again, old);
    let (old, new) = (
        check(&enveloped(&old), &old_keys),
        check(&enveloped(&again), &new_keys),
    );
    assert_eq!(new.credential, old.credential);
    assert_ne!(new.header["kid"], old.header["kid"]);
    // The others keep their form as well.
    check_jcs(&board.get(&jcs_url).is(200).json(), &new_keys);
    let proof = board.get(&rdfc_url).is(200).json()["proof"].clone();
    assert_eq!(proof["cryptosuite"], "eddsa-rdfc-2022");
    for url in [jwt_url, jcs_url, rdfc_url] {
        as_jwt(&board, &url, &new_keys);
    }
}

#[test]
fn an_unknown_form_of_endorsement_is_refused() {
    let house = House::open();
    let board = house.accreditor("board");
    let before = house.store();
    for form in ["", "jwt", "ecdsa-rdfc-2019", "EDDSA-RDFC-2022"] {
        let body = json!({
            "endorser": "board",
            "subject": { "id": "https://far.example/", "kind": "profile" },
            "name": "N",
            "securing": form,
        });
        let problem = board.post("/endorsements", &body).problem(400);
        assert_eq!(problem["pointer"], "/securing");
        assert!(text(&problem["detail"]).contains("vc+jwt"), "{problem}");
    }
    assert_eq!(house.store(), before);
}
