//! Issuing with other proofs and as JWTs: the same is filled in and refused, and a repeated
//! request has the same answer.

use goodstanding::store::engine::Batch;
use goodstanding::store::tables::IDEMPOTENCY;
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;
use crate::support::jwt::{check, check_jcs, enveloped};
use crate::support::reader::{bit, place};

const ELSEWHERE: &str = "https://far.example/welding";
const FORMS: [&str; 3] = ["eddsa-rdfc-2022", "eddsa-jcs-2022", "vc+jwt"];

fn request(unsigned: &Value, form: &str) -> Value {
    json!({ "credential": unsigned, "options": { "securing": form } })
}

fn keys(actor: &Actor<'_>) -> Value {
    let target = format!("/profiles/{}/jwks.json", actor.slug);
    actor.get(&target).is(200).json()
}

/// The credential that was issued, in the members of the data model, its signature checked.
fn opened(form: &str, issued: &Value, keys: &Value) -> Value {
    match form {
        "vc+jwt" => check(&enveloped(issued), keys).credential,
        "eddsa-jcs-2022" => {
            check_jcs(issued, keys);
            issued.clone()
        }
        _ => issued.clone(),
    }
}

#[test]
fn each_form_has_all_that_is_filled_in_and_all_that_was_given() {
    let house = House::open();
    let operator = house.operator();
    for (slug, id_form) in [("one", "did:web"), ("two", "https"), ("three", "did:key")] {
        let school = operator.registers(slug, &["issuer"], id_form);
        let unsigned = badge(&school.slug, ELSEWHERE);
        for form in FORMS {
            let answer = school.post("/credentials/issue", &request(&unsigned, form));
            let issued = answer.is(201).json()["verifiableCredential"].clone();
            let credential = opened(form, &issued, &keys(&school));
            assert_eq!(credential["issuer"]["id"], school.id, "{form}");
            assert!(text(&credential["id"]).starts_with("urn:uuid:"));
            assert_eq!(credential["validFrom"], "2026-03-01T09:00:00Z");
            assert_eq!(
                credential["credentialSubject"],
                unsigned["credentialSubject"]
            );
            match form {
                "vc+jwt" => assert!(credential.get("proof").is_none()),
                suite => assert_eq!(credential["proof"]["cryptosuite"], suite),
            }
            // It is revoked by its id, like any other.
            let (list, index) = place(&credential["credentialStatus"]);
            let change = json!({
                "credentialId": credential["id"],
                "credentialStatus": {
                    "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
                },
                "status": true,
            });
            school.post("/credentials/status", &change).is(200);
            assert!(bit(&house.verifier().reads(&list), index), "{form}");
        }
    }
}

#[test]
fn a_form_that_is_not_made_here_is_an_unknown_option() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    for form in [
        "",
        "jwt",
        "ecdsa-rdfc-2019",
        "Ed25519Signature2020",
        "vc+sd-jwt",
    ] {
        let body = request(&badge(&school.id, ELSEWHERE), form);
        let refused = school.post("/credentials/issue", &body).problem(400);
        let kind = "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED";
        assert_eq!(refused["type"], kind);
        assert_eq!(refused["pointer"], "/options/securing");
        for known in FORMS {
            assert!(text(&refused["detail"]).contains(known), "{refused}");
        }
    }
    assert_eq!(house.store(), before);
}

#[test]
fn what_a_reader_could_misread_is_signed_in_no_form() {
    let house = House::open();
    let school = house.registrar("school");
    let good = badge(&school.id, ELSEWHERE);
    let mut undefined = good.clone();
    undefined["colour"] = json!("red");
    let mut hidden = good.clone();
    hidden["https://www.w3.org/2018/credentials#validUntil"] = json!("2027-01-01T00:00:00Z");
    let mut claim = good.clone();
    let contexts = claim["@context"].as_array_mut().unwrap();
    contexts.push(json!({ "nonce": "https://far.example/terms#nonce" }));
    claim["nonce"] = json!("7");
    let before = house.store();
    for form in FORMS {
        for unsigned in [&undefined, &hidden] {
            let answer = school.post("/credentials/issue", &request(unsigned, form));
            assert!(
                matches!(answer.status, 400 | 422),
                "{form}: {}",
                answer.text()
            );
            answer.problem(answer.status);
        }
        assert_eq!(house.store(), before, "{form}");
    }
    // What a JWT has a meaning of its own for goes into a proof alone.
    let answer = school.post("/credentials/issue", &request(&claim, "vc+jwt"));
    assert!(text(&answer.problem(422)["detail"]).contains("nonce"));
    assert_eq!(house.store(), before);
    school
        .post("/credentials/issue", &request(&claim, "eddsa-rdfc-2022"))
        .is(201);
}

#[test]
fn a_repeated_request_has_the_same_answer_in_each_form_and_nothing_of_the_person_is_kept() {
    let house = House::open();
    let school = house.registrar("school");
    let mut unsigned = badge(&school.id, ELSEWHERE);
    unsigned["credentialSubject"]["id"] = json!("did:example:ada-okafor");
    for form in FORMS {
        let ask = || {
            let call = school.call("POST", "/credentials/issue").key(form);
            call.json(&request(&unsigned, form)).send().is(201).json()
        };
        let first = ask();
        let stored = house.store();
        house.wait(60);
        assert_eq!(ask(), first, "{form}");
        assert_eq!(house.store(), stored, "{form}");
        let issued = &first["verifiableCredential"];
        opened(form, issued, &keys(&school));
        let holds = |needle: &str| {
            let found = |(_, value): &(Vec<u8>, Vec<u8>)| {
                value
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes())
            };
            house.store().iter().any(found)
        };
        assert!(!holds("ada-okafor"), "{form}");
        if form == "vc+jwt" {
            let jwt = enveloped(issued);
            let payload = jwt.split('.').nth(1).unwrap();
            assert!(holds(jwt.rsplit('.').next().unwrap()), "its signature is");
            // The signed lists begin alike.
            let middle = payload.len() / 2;
            assert!(!holds(&payload[middle..middle + 40]));
            assert!(!holds(&payload[payload.len() - 40..]));
        }
    }
}

#[test]
fn answers_that_an_older_program_kept_are_given_again() {
    let house = House::open();
    let school = house.registrar("school");
    let body = json!({ "credential": badge(&school.id, ELSEWHERE) });
    let ask = || {
        let call = school.call("POST", "/credentials/issue").key("k");
        call.json(&body).send().is(201).json()
    };
    let first = ask();
    // As it was kept before there were JWTs.
    let rows = IDEMPOTENCY.scan(&*house.engine, &[], None, 9).unwrap();
    let (key, mut record) = rows[0].clone();
    let mut answer: Value = serde_json::from_str(&record.answer).unwrap();
    let jws = answer.as_object_mut().unwrap().shift_remove("jws");
    assert_eq!(jws, Some(Value::Null));
    record.answer = answer.to_string();
    let mut batch = Batch::default();
    IDEMPOTENCY.put(&mut batch, &key, &record);
    house.engine.commit(batch).unwrap();
    assert_eq!(ask(), first);
}
