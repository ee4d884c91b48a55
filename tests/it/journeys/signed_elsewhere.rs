//! A school that keeps its key to itself: it brings the public half along, signs at home what the
//! registry gives out, and hands it in.

use goodstanding::time::Timestamp;
use goodstanding::vc::proof::Suite;
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::home::Home;
use crate::support::house::{House, ORIGIN, START};
use crate::support::jwt;
use crate::support::reader::{bit, place};

/// Registers a profile that brings its key.
fn brings<'h>(house: &'h House, slug: &str, home: &Home) -> Actor<'h> {
    let operator = house.operator();
    let body = json!({
        "slug": slug, "name": slug, "roles": ["issuer", "accreditor"],
        "key": { "publicKeyMultibase": home.multikey(), "proof": home.possession(slug) },
    });
    let profile = operator.post("/profiles", &body).is(201).json();
    let token = operator
        .post("/tokens", &json!({ "profile": slug }))
        .is(201);
    Actor {
        house,
        token: token.json()["token"].as_str().map(str::to_owned),
        slug: slug.to_owned(),
        id: text(&profile["id"]),
    }
}

fn to_sign(actor: &Actor<'_>, list: &str) -> Value {
    actor.get(&format!("{list}/unsigned")).is(200).json()
}

fn hands_in(actor: &Actor<'_>, list: &str, signed: &Value) -> Answer {
    actor.put(&format!("{list}/signed"), signed)
}

fn waiting(actor: &Actor<'_>) -> Value {
    let target = format!("/profiles/{}/keys", actor.slug);
    actor.get(&target).is(200).json()["toSign"].clone()
}

#[test]
fn a_list_is_signed_at_home_in_every_form_and_served_as_it_was_handed_in() {
    let (house, home) = (House::open(), Home::of(7));
    let school = brings(&house, "school", &home);
    let keys = school.get("/profiles/school/keys").is(200).json();
    assert_eq!(keys["keys"][0]["managed"], false);
    assert_eq!(keys["keys"][0]["publicKeyMultibase"], home.multikey());

    let body = json!({
        "issuer": "school", "statusPurpose": "revocation",
        "formats": ["bitstring", "token", "2021"],
        "cryptosuites": ["eddsa-rdfc-2022", "eddsa-jcs-2022"],
    });
    let opened = school.post("/status-lists", &body).is(201).json();
    let list = text(&opened["id"]);
    assert_eq!(opened["toSign"], format!("{list}/unsigned"));
    let problem = house.verifier().get(&list).problem(503);
    assert_eq!(
        problem["type"],
        "urn:goodstanding:problem:waits-for-signature"
    );
    assert_eq!(waiting(&school)["lists"], json!([list]));

    let unsigned = to_sign(&school, &list);
    assert_eq!(unsigned["forms"].as_array().unwrap().len(), 5);
    let signed = home.signs_list(&unsigned);
    let done = hands_in(&school, &list, &signed).is(200).json();
    assert_eq!(
        (&done["revision"], &done["isPresent"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(waiting(&school)["lists"], json!([]));

    // It is served byte for byte as it was signed, and verifies by the DID document.
    let served = house.verifier().get(&list).is(200);
    assert_eq!(served.json(), signed["artefacts"][0]["artefact"]);
    let keys = house
        .verifier()
        .get("/profiles/school/jwks.json")
        .is(200)
        .json();
    let as_jwt = house.verifier().call("GET", &list);
    let as_jwt = as_jwt.header("Accept", "application/vc+jwt").send().is(200);
    jwt::check(&as_jwt.text(), &keys);
    let token = list.replace("/status-lists/", "/token-status-lists/");
    for accept in ["application/statuslist+jwt", "application/statuslist+cwt"] {
        let call = house.verifier().call("GET", &token);
        call.header("Accept", accept).send().is(200);
    }
    house.verifier().get(&format!("{list}/2021")).is(200);

    // A change shows in look-ups at once, and in the list when it is signed.
    let index = school.allocates_any(&list);
    school.sets(&list, index, 1).is(200);
    assert_eq!(school.looks_up(&list, index)["outcome"], "revoked");
    assert!(!bit(&school.reads(&list), index));
    assert_eq!(waiting(&school)["lists"], json!([list]));
    house.wait(5);
    let second = home.signs_list(&to_sign(&school, &list));
    hands_in(&school, &list, &second).is(200);
    assert!(bit(&school.reads(&list), index));

    // What is older never comes back, nor is anything served after its end.
    let refused = hands_in(&school, &list, &signed).problem(422);
    assert_eq!(refused["pointer"], "/revision");
    assert!(bit(&school.reads(&list), index));
    house.wait(8 * 86_400);
    house.registry.renew_lists(100).unwrap();
    house.verifier().get(&list).problem(503);
    hands_in(&school, &list, &second).problem(422);
    assert_eq!(waiting(&school)["lists"], json!([list]));
}

#[test]
fn an_earlier_revision_may_still_be_handed_in_while_it_is_newer_than_what_is_published() {
    let (house, home) = (House::open(), Home::of(7));
    let school = brings(&house, "school", &home);
    let list = school.opens_list("revocation");
    let index = school.allocates_any(&list);
    hands_in(&school, &list, &home.signs_list(&to_sign(&school, &list))).is(200);
    house.wait(10);
    school.sets(&list, index, 1).is(200);
    let second = home.signs_list(&to_sign(&school, &list));
    house.wait(10);
    let other = school.allocates_any(&list);
    school.sets(&list, other, 1).is(200);
    let done = hands_in(&school, &list, &second).is(200).json();
    assert_eq!(
        (&done["revision"], &done["isPresent"]),
        (&json!(2), &json!(false))
    );
    let bits = school.reads(&list);
    assert!(bit(&bits, index) && !bit(&bits, other));
    assert_eq!(
        waiting(&school)["lists"],
        json!([list]),
        "one change is left"
    );
    // The log tells of both.
    let third = home.signs_list(&to_sign(&school, &list));
    hands_in(&school, &list, &third).is(200);
    assert!(bit(&school.reads(&list), other));
    assert_eq!(waiting(&school)["lists"], json!([]));
}

#[test]
fn what_is_not_what_was_given_out_is_refused_by_name() {
    let (house, home) = (House::open(), Home::of(7));
    let school = brings(&house, "school", &home);
    let stranger = house.registrar("stranger");
    let list = school.opens_list("revocation");
    let unsigned = to_sign(&school, &list);
    let good = home.signs_list(&unsigned);
    let before = house.store();

    let method = text(&unsigned["verificationMethod"]);
    let mut more = unsigned["forms"][0]["document"].clone();
    more["credentialSubject"]["statusPurpose"] = "suspension".into();
    let other_purpose = home.signs(&more, &[Suite::EddsaRdfc2022], &method);
    let mut longer = unsigned["forms"][0]["document"].clone();
    longer["validUntil"] = "2027-03-01T09:00:00Z".into();
    let longer = home.signs(&longer, &[Suite::EddsaRdfc2022], &method);
    let document = &unsigned["forms"][0]["document"];
    let foreign = Home::of(8).signs(document, &[Suite::EddsaRdfc2022], &method);
    let unnamed = home.signs(
        document,
        &[Suite::EddsaRdfc2022],
        "did:web:evil.example#key-1",
    );
    let mut ended = good["artefacts"][0]["artefact"].clone();
    ended["proof"]["expires"] = "2026-03-02T00:00:00Z".into();
    let two = home.signs(
        document,
        &[Suite::EddsaRdfc2022, Suite::EddsaJcs2022],
        &method,
    );
    for (artefact, why) in [
        (other_purpose, "another document"),
        (longer, "to end as it was given out"),
        (foreign, "signature"),
        (unnamed, "has to be signed by"),
        (ended, "expires"),
        (two, "needs 1 proofs"),
        (document.clone(), "no proof"),
        (json!("a.b.c"), "form bitstring is missing"),
        (json!(7), "moment is needed"),
    ] {
        let mut signed = good.clone();
        signed["artefacts"][0]["artefact"] = artefact;
        let problem = hands_in(&school, &list, &signed).problem(422);
        assert_eq!(problem["type"], "urn:goodstanding:problem:not-signed");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(why), "{why}: {detail}");
    }
    let kid = text(&unsigned["kid"]);
    let claims = &unsigned["forms"][1]["claims"];
    let mut other = claims.clone();
    other["exp"] = 9_999_999_999_u64.into();
    for (jwt, why) in [
        (home.jwt("vc+jwt", &kid, &other), "other claims"),
        (home.jwt("jwt", &kid, claims), "typ"),
        (home.jwt("vc+jwt", "key-1", claims), "kid"),
        (Home::of(8).jwt("vc+jwt", &kid, claims), "signature"),
        (
            home.jws(&json!({"alg": "none", "typ": "vc+jwt", "kid": kid}), claims),
            "none",
        ),
        (
            home.jws(
                &json!({"alg": "HS256", "typ": "vc+jwt", "kid": kid}),
                claims,
            ),
            "MAC",
        ),
    ] {
        let mut signed = good.clone();
        signed["artefacts"][1]["artefact"] = jwt.into();
        let problem = hands_in(&school, &list, &signed).problem(422);
        assert_eq!(problem["pointer"], "/artefacts/1/artefact");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(why), "{why}: {detail}");
    }
    // Forms that are missing, doubled, or not this list's.
    let forms = good["artefacts"].as_array().unwrap();
    let stray = json!({ "form": "2021", "artefact": forms[0]["artefact"] });
    for artefacts in [
        vec![forms[0].clone()],
        vec![forms[0].clone(), forms[1].clone(), forms[1].clone()],
        vec![forms[0].clone(), forms[1].clone(), stray],
        vec![],
    ] {
        let signed = json!({ "revision": 1, "artefacts": artefacts });
        hands_in(&school, &list, &signed).problem(422);
    }
    let mut future = good.clone();
    future["revision"] = 2.into();
    hands_in(&school, &list, &future).problem(422);
    let unknown = json!({ "revision": 1, "artefacts": [{ "form": "x", "artefact": 1 }] });
    hands_in(&school, &list, &unknown).problem(400);
    // And not by or of others.
    hands_in(&stranger, &list, &good).problem(403);
    stranger.get(&format!("{list}/unsigned")).problem(403);
    house
        .verifier()
        .get(&format!("{list}/unsigned"))
        .problem(401);
    assert_eq!(house.store(), before, "nothing of it was kept");
    hands_in(&school, &list, &good).is(200);

    // Where the key is here there is nothing to hand in.
    let theirs = stranger.opens_list("revocation");
    let target = format!("{theirs}/unsigned");
    assert_eq!(
        stranger.get(&target).problem(409)["type"],
        "urn:goodstanding:problem:key"
    );
}

#[test]
fn an_endorsement_is_given_out_signed_at_home_and_in_force_when_it_is_handed_in() {
    let (house, home) = (House::open(), Home::of(7));
    let board = brings(&house, "board", &home);
    let school = house.registrar("school");
    let wanted = json!({
        "endorser": "board", "name": "Good teaching",
        "subject": { "id": school.id, "kind": "profile" },
    });
    let refused = board.post("/endorsements", &wanted).problem(409);
    assert_eq!(refused["type"], "urn:goodstanding:problem:signed-elsewhere");
    assert!(text(&refused["detail"]).contains("unsigned"));

    let mut asked = wanted.clone();
    asked["unsigned"] = true.into();
    for (as_jwt, seed) in [(false, 7), (true, 7)] {
        let home = Home::of(seed);
        let given = board.post("/endorsements", &asked).is(201);
        let url = given.header("location").unwrap().to_owned();
        let given = given.json();
        let id = text(&given["unsigned"]["id"]);
        assert_eq!(id, url);
        house.verifier().get(&id).problem(404);
        assert_eq!(waiting(&board)["endorsements"], json!([id]));
        let again = board.get(&format!("{id}/unsigned")).is(200).json();
        assert_eq!(again, given);
        school.get(&format!("{id}/unsigned")).problem(404);

        let method = text(&given["verificationMethod"]);
        let kid = text(&given["kid"]);
        let sign = |home: &Home, credential: &Value| match as_jwt {
            true => home.jwt("vc+jwt", &kid, &given["claims"]).into(),
            false => home.signs(credential, &[Suite::EddsaJcs2022], &method),
        };
        let signed: Value = sign(&home, &given["unsigned"]);
        let hand_in = |by: &Actor<'_>, credential: &Value| {
            by.post(
                "/endorsements",
                &json!({ "verifiableCredential": credential }),
            )
        };
        // By whoever else, or otherwise than it was given out, it is nothing.
        let before = house.store();
        hand_in(&board, &sign(&Home::of(8), &given["unsigned"])).problem(422);
        let mut other = given["unsigned"].clone();
        other["name"] = "Splendid teaching".into();
        let other = home.signs(&other, &[Suite::EddsaJcs2022], &method);
        hand_in(&board, &other).problem(422);
        hand_in(&board, &given["unsigned"]).problem(422);
        hand_in(&board, &json!("x.y.z")).problem(422);
        hand_in(&school, &signed).problem(404);
        let both = json!({ "verifiableCredential": signed, "endorser": "board" });
        board.post("/endorsements", &both).problem(400);
        assert_eq!(house.store(), before);

        let done = hand_in(&board, &signed).is(201);
        assert_eq!(done.header("location").unwrap(), id);
        assert_eq!(waiting(&board)["endorsements"], json!([]));
        hand_in(&board, &signed).problem(404);
        let served = house.verifier().get(&id).is(200).json();
        assert_eq!(house.verifier().verifies(&served)["outcome"], "active");
        let known = &house.verifier().asks_about(&[&school.id])[0];
        assert_eq!(known["outcome"], "active");
        assert_eq!(
            board.does("revoke", &json!({ "id": id })).is(200).json()["outcome"],
            "revoked"
        );
        assert_eq!(house.verifier().verifies(&served)["outcome"], "revoked");
    }
    // One whose entry was set before it was in force never is.
    let given = board.post("/endorsements", &asked).is(201).json();
    let (list, index) = place(&given["unsigned"]["credentialStatus"]);
    board.sets(&list, index, 1).is(200);
    let method = text(&given["verificationMethod"]);
    let signed = home.signs(&given["unsigned"], &[Suite::EddsaRdfc2022], &method);
    let late = json!({ "verifiableCredential": signed });
    let problem = board.post("/endorsements", &late).problem(422);
    assert_eq!(problem["pointer"], "/verifiableCredential/credentialStatus");

    // The list behind it waits as well.
    assert_eq!(waiting(&board)["lists"].as_array().unwrap().len(), 1);
}

#[test]
fn a_credential_is_given_out_with_its_entry_and_need_not_come_back() {
    let (house, home) = (House::open(), Home::of(7));
    let school = brings(&house, "school", &home);
    let unsigned = badge(&school.id, "https://elsewhere.example/welding");
    let refused = school.asks_to_issue(&unsigned).problem(409);
    assert_eq!(refused["type"], "urn:goodstanding:problem:signed-elsewhere");
    let body = json!({ "credential": unsigned, "options": { "unsigned": true } });
    let given = school.post("/credentials/issue", &body).is(201).json();
    let method = text(&given["verificationMethod"]);
    let signed = home.signs(&given["unsigned"], &[Suite::EddsaRdfc2022], &method);
    let verifier = house.verifier();
    assert_eq!(verifier.verifies(&signed)["outcome"], "active");
    let (list, index) = place(&signed["credentialStatus"]);
    school.sets(&list, index, 1).is(200);
    assert_eq!(verifier.verifies(&signed)["outcome"], "revoked");

    // Where the key is here, it is signed here.
    let other = house.registrar("other");
    let unsigned = badge(&other.id, "https://elsewhere.example/welding");
    let body = json!({ "credential": unsigned, "options": { "unsigned": true } });
    other.post("/credentials/issue", &body).problem(409);
}

/// A thief dates back, and the registry has never seen what they sign.
#[test]
fn what_a_lost_key_signed_is_told_by_what_is_known_here_and_not_by_its_dates() {
    let (house, home) = (House::open(), Home::of(7));
    let board = brings(&house, "board", &home);
    let school = house.registrar("school");
    let asked = json!({
        "endorser": "board", "name": "Good teaching", "unsigned": true,
        "subject": { "id": school.id, "kind": "profile" },
    });
    let given = board.post("/endorsements", &asked).is(201).json();
    let method = text(&given["verificationMethod"]);
    let signed = home.signs(&given["unsigned"], &[Suite::EddsaRdfc2022], &method);
    let hand_in = json!({ "verifiableCredential": signed });
    board.post("/endorsements", &hand_in).is(201);
    let list = place(&signed["credentialStatus"]).0;
    hands_in(&board, &list, &home.signs_list(&to_sign(&board, &list))).is(200);

    house.wait(600);
    let fresh = badge(&board.id, "https://elsewhere.example/welding");
    let body = json!({ "credential": fresh, "options": { "unsigned": true } });
    let theirs = board.post("/credentials/issue", &body).is(201).json();
    // Dated back to before the loss.
    let stolen = home.signs(&theirs["unsigned"], &[Suite::EddsaRdfc2022], &method);
    let lost = json!({ "since": "2026-03-01T09:05:00Z" });
    let done = board
        .post("/profiles/board/keys/key-1/revoke", &lost)
        .is(200)
        .json();
    assert_eq!(done["affected"]["endorsements"]["count"], 0);

    let verifier = house.verifier();
    assert_eq!(
        verifier.verifies(&signed)["outcome"],
        "active",
        "known from before"
    );
    let report = verifier.verifies(&stolen);
    assert_eq!(report["outcome"], "unknown", "nobody here has seen it");
    assert_eq!(report["problemDetails"][0]["code"], "key-revoked");

    // No key is made behind the owner's back; the next one that is brought signs at once.
    let keys = board.get("/profiles/board/keys").is(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(keys["toSign"]["endorsements"], json!([signed["id"]]));
    let next = Home::of(9);
    let bring = json!({
        "publicKeyJwk": next.key().public().to_jwk(),
        "proofOfPossession": next.possession_of("board", |claims| {
            claims["iat"] = (claims["iat"].as_i64().unwrap() + 600).into();
        }),
    });
    let made = board.post("/profiles/board/keys", &bring).is(201).json();
    assert_eq!(made["signsFrom"], made["madeAt"]);
    let again = text(&signed["id"]);
    let given = board.get(&format!("{again}/unsigned")).is(200).json();
    let method = text(&given["verificationMethod"]);
    assert!(method.ends_with("#key-2"));
    let signed = next.signs(&given["unsigned"], &[Suite::EddsaRdfc2022], &method);
    let hand_in = json!({ "verifiableCredential": signed });
    board.post("/endorsements", &hand_in).is(201);
    assert_eq!(verifier.get(&again).is(200).json(), signed);
    let unsigned = to_sign(&board, &list);
    hands_in(&board, &list, &home.signs_list(&unsigned)).problem(422);
    hands_in(&board, &list, &next.signs_list(&unsigned)).is(200);
    assert_eq!(waiting(&board), json!({ "lists": [], "endorsements": [] }));
}

#[test]
fn a_key_is_taken_from_who_has_it_once_and_for_one_profile() {
    let (house, home) = (House::open(), Home::of(7));
    let school = brings(&house, "school", &home);
    let other = house.registrar("other");
    let second = Home::of(8);
    let keys = "/profiles/school/keys";
    let bring = |actor: &Actor<'_>, body: &Value| {
        let target = format!("/profiles/{}/keys", actor.slug);
        actor.post(&target, body)
    };
    let offer = |home: &Home, proof: String| json!({ "publicKeyMultibase": home.multikey(), "proofOfPossession": proof });
    let before = house.store();
    let wrong = |member: &'static str, value: Value| {
        second.possession_of("school", |claims| claims[member] = value.clone())
    };
    let iat = START.parse::<Timestamp>().unwrap().seconds();
    let header = json!({ "alg": "EdDSA", "typ": "JWT" });
    let claims = json!({ "aud": ORIGIN, "sub": format!("{ORIGIN}/profiles/school"), "iat": iat });
    for (proof, why) in [
        (second.possession("other"), "sub"),
        (wrong("aud", "https://other.example".into()), "aud"),
        (wrong("iat", (iat - 301).into()), "iat"),
        (wrong("iat", (iat + 61).into()), "iat"),
        (wrong("iat", i64::MAX.into()), "iat"),
        (wrong("nonce", "x".into()), "nonce"),
        (home.possession("school"), "signature"),
        (second.jws(&header, &claims), "typ"),
        (String::new(), "three parts"),
    ] {
        let problem = bring(&school, &offer(&second, proof)).problem(422);
        assert_eq!(problem["type"], "urn:goodstanding:problem:not-possessed");
        let detail = text(&problem["detail"]);
        assert!(detail.contains(why), "{why}: {detail}");
    }
    // A point of small order, for which anybody makes signatures; a private key; another kind.
    let weak = goodstanding::vc::multibase::encode_base58btc(
        &[&[0xed, 0x01][..], &[1], &[0; 31]].concat(),
    );
    let private = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA" });
    let proof = second.possession("school");
    for body in [
        json!({ "publicKeyMultibase": weak, "proofOfPossession": proof }),
        json!({ "publicKeyMultibase": "zDn", "proofOfPossession": proof }),
        json!({ "publicKeyJwk": private, "proofOfPossession": proof }),
        json!({ "publicKeyMultibase": second.multikey() }),
        json!({ "proofOfPossession": proof }),
        json!({ "publicKeyMultibase": second.multikey(), "publicKeyJwk": {}, "proofOfPossession": proof }),
        json!({ "publicKeyMultibase": second.multikey(), "proofOfPossession": proof, "nonce": 1 }),
    ] {
        bring(&school, &body).problem(400);
    }
    let good = offer(&second, second.possession("school"));
    bring(&other, &good).problem(422);
    other.post(keys, &good).problem(403);
    // The one that is here already, for its own profile and for another.
    bring(&school, &offer(&home, home.possession("school"))).problem(409);
    bring(&other, &offer(&home, home.possession("other"))).problem(409);
    let operator = house.operator();
    operator.post("/keys", &good).problem(400);
    let taken = json!({
        "slug": "third", "name": "Third", "roles": ["issuer"],
        "key": { "publicKeyMultibase": home.multikey(), "proof": home.possession("third") },
    });
    assert_eq!(
        operator.post("/profiles", &taken).problem(409)["type"],
        "urn:goodstanding:problem:key-taken"
    );
    assert_eq!(house.store(), before);

    let made = bring(&school, &good).is(201).json();
    assert_eq!(
        made["signsFrom"], "2026-03-01T10:00:00Z",
        "another one signs"
    );
    assert_eq!(
        bring(&school, &good).problem(409)["type"],
        "urn:goodstanding:problem:key-taken"
    );
    let lost = json!({ "since": START });
    let target = "/profiles/school/keys/key-2/revoke";
    school.post(target, &lost).is(200);
    bring(&school, &good).problem(409);
    // Nobody rotates for an owner elsewhere.
    let refused = school.call("POST", "/profiles/school/keys/rotate").send();
    assert!(text(&refused.problem(409)["detail"]).contains("brought along"));
}

impl Actor<'_> {
    /// An entry of a list, whatever else it is published as.
    fn allocates_any(&self, list: &str) -> u64 {
        let answer = self.post(&format!("{list}/entries"), &json!({ "count": 1 }));
        place(&answer.is(200).json()["entries"][0]).1
    }
}
