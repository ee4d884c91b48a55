//! Journey 1, later on: keys are announced, take over, retire, and are given up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::register::keys_fit;
use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;
use crate::support::jwt::enveloped;
use crate::support::reader::place;

fn signer(document: &Value) -> String {
    let proof = &document["proof"];
    let method = proof.get("verificationMethod");
    text(method.or(proof[0].get("verificationMethod")).unwrap())
}

fn keys(actor: &Actor<'_>) -> Vec<Value> {
    let target = format!("/profiles/{}/keys", actor.slug);
    actor.get(&target).is(200).json()["keys"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn a_new_key_signs_only_once_everybody_can_have_seen_it() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 2);
    let old = signer(&school.get(&list).json());

    let made = school
        .call("POST", "/profiles/school/keys")
        .send()
        .is(201)
        .json();
    let new = text(&made["verificationMethod"]);
    let document = school.get("/profiles/school/did.json").is(200).json();
    keys_fit(&document, &school.id);
    let listed = document["assertionMethod"].as_array().unwrap();
    assert!(listed.contains(&json!(old)) && listed.contains(&json!(new)));
    school.sets(&list, index[0], 1).is(200);
    assert_eq!(
        signer(&school.get(&list).json()),
        old,
        "it stands there for its max-age first"
    );

    // Nor can the old key go before.
    let key = old.rsplit('#').next().unwrap();
    let retire = format!("/profiles/school/keys/{key}/retire");
    school.call("POST", &retire).send().problem(409);

    house.wait(3_600);
    school.sets(&list, index[1], 1).is(200);
    assert_eq!(signer(&school.get(&list).json()), new);
    school.call("POST", &retire).send().is(200);
    let document = school.get("/profiles/school/did.json").is(200).json();
    let listed = document["assertionMethod"].as_array().unwrap();
    assert!(listed.contains(&json!(old)), "what it signed stays good");
}

#[test]
fn what_a_retired_key_signed_stays_good_and_what_a_lost_one_signed_does_not() {
    let house = House::open();
    let school = house.registrar("school");
    let accreditor = house.accreditor("accreditor");
    let badge = school.issues(&badge(&school.id, "https://elsewhere.example/welding"));
    let endorsement = accreditor.endorses(&school.id, "profile", false);
    let verifier = house.verifier();

    for actor in [&school, &accreditor] {
        let target = format!("/profiles/{}/keys", actor.slug);
        actor.call("POST", &target).send().is(201);
        house.wait(3_600);
        let key = text(&keys(actor)[0]["id"]);
        actor
            .call("POST", &format!("{target}/{key}/retire"))
            .send()
            .is(200);
    }
    assert_eq!(verifier.verifies(&badge)["outcome"], "active");
    assert_eq!(verifier.verifies(&endorsement)["outcome"], "active");

    let since = json!({ "since": "2026-03-01T08:00:00Z" });
    for actor in [&school, &accreditor] {
        let key = text(&keys(actor)[0]["id"]);
        let target = format!("/profiles/{}/keys/{key}/revoke", actor.slug);
        let revoked = actor.post(&target, &since).is(200).json();
        assert_eq!(revoked["revokedSince"], "2026-03-01T08:00:00Z");
    }
    let report = verifier.verifies(&badge);
    assert_eq!(report["verified"], false, "{report}");
    assert_ne!(report["outcome"], "active");

    // What is hosted here was signed again: the list, and the endorsement under the same id.
    let (list, _) = place(&badge["credentialStatus"]);
    let fresh = text(&keys(&school)[1]["verificationMethod"]);
    assert_eq!(signer(&verifier.get(&list).json()), fresh);
    let again = verifier.get(&text(&endorsement["id"])).is(200).json();
    assert_ne!(signer(&again), signer(&endorsement));
    assert_eq!(again["credentialStatus"], endorsement["credentialStatus"]);
    assert_eq!(verifier.verifies(&again)["outcome"], "active");
    let old = verifier.verifies(&endorsement);
    assert_eq!(old["verified"], false, "{old}");
}

/// Whoever keeps the answer about a subject is not told that it is the same still, in whichever form
/// what it holds was signed again.
#[test]
fn an_answer_with_endorsements_is_another_one_once_they_were_signed_again() {
    let house = House::open();
    let school = house.registrar("school");
    let verifier = house.verifier();
    let target = format!("/endorsements?subject={}", school.id);
    for (slug, securing) in [
        ("first", "eddsa-rdfc-2022"),
        ("second", "eddsa-jcs-2022"),
        ("third", "vc+jwt"),
    ] {
        let board = house.accreditor(slug);
        let body = json!({
            "endorser": slug,
            "subject": { "id": school.id, "kind": "profile" },
            "name": "Good teaching",
            "securing": securing,
        });
        board.post("/endorsements", &body).is(201);
        let before = verifier.get(&target).is(200);
        let tag = before.header("etag").expect("an entity tag").to_owned();
        let known = || {
            let call = verifier.call("GET", &target);
            call.header("If-None-Match", tag.as_str()).send()
        };
        known().is(304);

        let key = text(&keys(&board)[0]["id"]);
        let lost = json!({ "since": "2026-03-01T08:00:00Z" });
        let revoke = format!("/profiles/{slug}/keys/{key}/revoke");
        board.post(&revoke, &lost).is(200);
        let after = known().is(200);
        let documents = |answer: &Value| -> Vec<Value> {
            let all = answer["endorsements"].as_array().unwrap();
            all.iter().map(|one| one["credential"].clone()).collect()
        };
        assert_ne!(
            documents(&after.json()),
            documents(&before.json()),
            "{slug}"
        );
    }
}

#[test]
fn what_was_issued_here_before_a_key_was_lost_stays_good_by_the_log_alone() {
    let house = House::open();
    let school = house.registrar("school");
    let verifier = house.verifier();
    let early = school.issues(&badge(&school.id, "https://elsewhere.example/welding"));
    house.wait(120);
    let late = school.issues(&badge(&school.id, "https://elsewhere.example/baking"));

    let key = text(&keys(&school)[0]["id"]);
    let revoke = format!("/profiles/school/keys/{key}/revoke");
    school
        .post(&revoke, &json!({"since": "2026-03-01T09:01:00Z"}))
        .is(200);

    let answer = verifier.verifies(&early);
    assert_eq!(
        (&answer["verified"], &answer["outcome"]),
        (&json!(true), &json!("active"))
    );
    let checks = answer["report"]["checks"].as_array().unwrap();
    let by_the_log = |check: &Value| check["code"] == "key-signed-before-revocation";
    assert!(checks.iter().any(by_the_log), "{checks:#?}");

    let answer = verifier.verifies(&late);
    assert_eq!(
        (&answer["verified"], &answer["outcome"]),
        (&json!(false), &json!("unknown"))
    );
    assert_eq!(answer["problemDetails"][0]["code"], "key-revoked");
}

/// What giving up a key affects is told before, and the same when it is done.
#[test]
fn what_a_lost_key_leaves_is_told_by_name() {
    let house = House::open();
    let both = house
        .operator()
        .registers("both", &["issuer", "accreditor"], "did:web");
    let school = house.registrar("school");
    let other = house.accreditor("other");
    let early = both.endorses(&school.id, "profile", false);
    both.issues(&badge(&both.id, "https://elsewhere.example/welding"));
    let target = "/profiles/both/keys/key-1/revoke";

    house.wait(120);
    let late: Vec<Value> = ["vc+jwt", "eddsa-jcs-2022"]
        .iter()
        .map(|securing| {
            let body = json!({
                "endorser": "both", "name": "Good teaching", "securing": securing,
                "subject": { "id": "https://elsewhere.example/a", "kind": "profile" },
            });
            let made = both.post("/endorsements", &body).is(201);
            made.json()["verifiableCredential"].clone()
        })
        .collect();
    let issued = |n: usize| both.issues(&badge(&both.id, &format!("https://e.example/{n}")));
    let badges: Vec<Value> = (0..3).map(issued).collect();
    // Others' are not counted.
    school.issues(&badge(&school.id, "https://elsewhere.example/welding"));
    other.endorses(&school.id, "profile", false);

    let since = json!({ "since": "2026-03-01T09:01:00Z", "dryRun": true });
    let before = house.store();
    let tried = both.post(target, &since).is(200).json();
    assert_eq!(house.store(), before, "nothing was done");
    let affected = &tried["affected"];
    assert_eq!(tried["dryRun"], true);
    assert_eq!(
        (&affected["lists"], &affected["credentials"]),
        (&json!(1), &json!(3)),
        "{tried}"
    );
    let ids: Vec<Value> = late.iter().map(id_of).collect();
    let shown = affected["endorsements"]["shown"].as_array().unwrap();
    assert!(shown.len() == 2 && ids.iter().all(|id| shown.contains(id)));
    assert_eq!(affected["endorsements"]["count"], 2);
    assert_eq!(affected["endorsements"]["signedAgain"], 2);

    let since = json!({ "since": "2026-03-01T09:01:00Z" });
    let call = || both.call("POST", target).key("lost").json(&since).send();
    let done = call().is(200).json();
    assert_eq!(done["affected"], *affected);
    assert_eq!(done["revokedSince"], "2026-03-01T09:01:00Z");
    assert_eq!(call().is(200).json(), done, "asked again under its key");
    let again = both.post(target, &since).is(200).json();
    assert_eq!(
        again["affected"]["endorsements"]["count"], 0,
        "they were signed again: {again}"
    );

    // As it was told: what is here is good, the copies from since then are not.
    let verifier = house.verifier();
    assert_eq!(verifier.verifies(&early)["outcome"], "active");
    for (id, copy) in ids.iter().zip(&late) {
        let fresh = verifier.get(id.as_str().unwrap()).is(200).json();
        assert_eq!(verifier.verifies(&fresh)["outcome"], "active");
        assert_eq!(verifier.verifies(copy)["outcome"], "unknown");
    }
    for badge in &badges {
        let report = verifier.verifies(badge);
        assert_eq!(report["problemDetails"][0]["code"], "key-revoked");
        assert_eq!(report["outcome"], "unknown");
    }

    // Who may not do it is not told either.
    let tried = json!({ "since": "2026-03-01T08:00:00Z", "dryRun": true });
    school.post(target, &tried).problem(403);
    let unknown = "/profiles/both/keys/key-9/revoke";
    both.post(unknown, &tried).problem(404);
    let future = json!({ "since": "2027-03-01T08:00:00Z", "dryRun": true });
    both.post(target, &future).problem(400);
}

/// The id of a credential in whichever form it came.
fn id_of(credential: &Value) -> Value {
    match credential["type"] == "EnvelopedVerifiableCredential" {
        true => {
            let jwt = enveloped(credential);
            let payload = jwt.split('.').nth(1).unwrap();
            let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
            serde_json::from_slice::<Value>(&payload).unwrap()["id"].clone()
        }
        false => credential["id"].clone(),
    }
}

/// The same by every way of asking: what was signed before, and is known, stays in good standing.
#[test]
fn a_credential_from_before_the_loss_is_in_good_standing_by_every_question() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    board.endorses(&school.id, "profile", false);
    let early = school.issues(&badge(&school.id, "https://elsewhere.example/welding"));
    house.wait(120);
    let late = school.issues(&badge(&school.id, "https://elsewhere.example/baking"));
    let lost = json!({ "since": "2026-03-01T09:01:00Z" });
    let target = "/profiles/school/keys/key-1/revoke";
    school.post(target, &lost).is(200);

    let verifier = house.verifier();
    let body = json!({ "credentials": [early, late] });
    let answer = verifier.post("/standing/query", &body).is(200).json();
    assert_eq!(answer["results"][0]["outcome"], "active", "{answer}");
    assert_eq!(answer["results"][1]["outcome"], "unknown", "{answer}");
    for (credential, outcome) in [(&early, "active"), (&late, "unknown")] {
        let report = verifier.verifies(credential);
        assert_eq!(report["outcome"], outcome, "{report}");
        // As of a moment before the loss was known the same holds.
        let body = json!({ "credentials": [credential], "at": "2026-03-01T09:02:00Z" });
        let then = verifier.post("/standing/query", &body).is(200).json();
        assert_eq!(then["results"][0]["outcome"], outcome, "{then}");
    }
}

#[test]
fn a_key_is_its_owners_business() {
    let house = House::open();
    let school = house.registrar("school");
    let stranger = house.registrar("stranger");
    let key = text(&keys(&school)[0]["id"]);
    let before = house.store();
    let lost = json!({ "since": "2026-03-01T08:00:00Z" });
    for target in ["keys".to_owned(), format!("keys/{key}/retire")] {
        let target = format!("/profiles/school/{target}");
        stranger.call("POST", &target).send().problem(403);
    }
    let target = format!("/profiles/school/keys/{key}/revoke");
    stranger.post(&target, &lost).problem(403);
    let future = json!({ "since": "2026-03-01T09:00:01Z" });
    let refused = school.post(&target, &future).problem(400);
    assert_eq!(refused["pointer"], "/since");
    assert_eq!(house.store(), before);
}
