//! Who stands behind whom: chains up to a trust anchor, scopes, and what a decision brings down.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, Plan};
use crate::support::jwt;

fn asks(verifier: &Actor<'_>, subject: &str, anchors: &[&str]) -> Value {
    let question = json!({ "subjects": [subject], "trustAnchors": anchors });
    let answer = verifier
        .post("/endorsements/query", &question)
        .is(200)
        .json();
    answer["results"][0].clone()
}

fn stands(verifier: &Actor<'_>, ids: &[&str], more: Value) -> Vec<Value> {
    let mut question = json!({ "ids": ids });
    for (name, value) in more.as_object().into_iter().flatten() {
        question[name] = value.clone();
    }
    let answer = verifier.post("/standing/query", &question).is(200).json();
    answer["results"].as_array().unwrap().clone()
}

/// The path as pairs of endorser and outcome.
fn path(told: &Value) -> Vec<(String, String)> {
    let links = told["path"].as_array().cloned().unwrap_or_default();
    let pair = |link: &Value| (text(&link["endorser"]), text(&link["outcome"]));
    links.iter().map(pair).collect()
}

fn scoped(endorser: &Actor<'_>, subject: &str, scope: &Value) -> Value {
    let body = json!({
        "endorser": endorser.id, "subject": { "id": subject, "kind": "profile" },
        "name": "Within limits", "scope": scope,
    });
    endorser.post("/endorsements", &body).is(201).json()["verifiableCredential"].clone()
}

#[test]
fn a_chain_leads_from_a_school_to_the_ministry_that_the_verifier_trusts() {
    let house = House::open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    let (school, verifier) = (house.registrar("school"), house.verifier());
    let recognised = ministry.endorses(&board.id, "profile", true);
    board.endorses(&school.id, "profile", true);

    let told = asks(&verifier, &school.id, &["ministry"]);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("active"), &json!("path-found"))
    );
    let up = [
        (board.id.clone(), "active".into()),
        (ministry.id.clone(), "active".into()),
    ];
    assert_eq!(path(&told), up);
    assert_eq!(told["path"][0]["subject"], school.id);
    assert_eq!(told["path"][1]["subject"], board.id);
    assert_eq!(told["path"][1]["endorsement"], recognised["id"]);

    // Suspended and reinstated, at once and without touching what the board wrote.
    ministry.does("suspend", &recognised).is(200);
    let told = asks(&verifier, &school.id, &["ministry"]);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("suspended"), &json!("link"))
    );
    assert_eq!(path(&told)[1].1, "suspended");
    assert_eq!(asks(&verifier, &school.id, &["board"])["outcome"], "active");
    ministry.does("reinstate", &recognised).is(200);
    assert_eq!(
        asks(&verifier, &school.id, &["ministry"])["outcome"],
        "active"
    );

    // An anchor of somebody else's is none of this one's endorsers.
    let other = house.accreditor("other");
    let told = asks(&verifier, &school.id, &[&other.id]);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("not-endorsed"), &json!("no-path"))
    );
    ministry.does("revoke", &recognised).is(200);
    assert_eq!(
        asks(&verifier, &school.id, &["ministry"])["outcome"],
        "revoked"
    );
}

#[test]
fn who_was_endorsed_as_an_issuer_carries_no_chain_on() {
    let house = House::open();
    let (ministry, school) = (house.accreditor("ministry"), house.registrar("school"));
    ministry.endorses(&school.id, "profile", false);
    let both = json!({ "name": "School", "roles": ["issuer", "accreditor"] });
    house.operator().put("/profiles/school", &both).is(200);
    let pupil = house.registrar("pupil");
    school.endorses(&pupil.id, "profile", false);
    let told = asks(&house.verifier(), &pupil.id, &["ministry"]);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("not-endorsed"), &json!("not-carried"))
    );
}

#[test]
fn an_accreditor_is_suspended_reinstated_and_removed_with_all_that_rests_on_it() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let (operator, verifier) = (house.operator(), house.verifier());
    let endorsement = board.endorses(&school.id, "profile", false);
    let outcome = || asks_plainly(&verifier, &school.id);
    let decide =
        |action: &str, body: Value| operator.post(&format!("/profiles/board/{action}"), &body);

    // What would happen, and that it did not.
    let tried = decide("suspend", json!({ "dryRun": true })).is(200).json();
    let shown = json!([{ "subject": school.id, "before": "active", "after": "suspended" }]);
    assert_eq!(
        tried["affected"],
        json!({ "endorsements": 1, "subjects": 1, "shown": shown })
    );
    assert_eq!(outcome(), "active");
    let refused = board.post("/profiles/board/suspend", &json!({ "dryRun": true }));
    assert_eq!(
        refused.problem(403)["type"],
        "urn:goodstanding:problem:operator-only"
    );

    house.wait(10);
    let done = decide("suspend", json!({ "reason": "under review" }))
        .is(200)
        .json();
    assert_eq!(done["outcome"], "suspended");
    assert_eq!(outcome(), "suspended");
    let refused = board
        .asks_to_endorse(&school.id, "profile", false)
        .problem(403);
    assert_eq!(
        refused["type"],
        "urn:goodstanding:problem:accreditor-suspended"
    );
    // The endorsement itself stands as it was signed.
    assert_eq!(verifier.verifies(&endorsement)["outcome"], "active");

    assert_eq!(
        verifier.asks_about(&[&board.id])[0]["accreditorOutcome"],
        "suspended"
    );

    house.wait(10);
    decide("reinstate", json!({})).is(200);
    assert_eq!(outcome(), "active");
    assert_eq!(
        verifier.asks_about(&[&board.id])[0].get("accreditorOutcome"),
        None
    );
    house.wait(10);
    decide("revoke", json!({ "reason": "closed" })).is(200);
    assert_eq!(outcome(), "revoked");
    let refused = decide("reinstate", json!({})).problem(409);
    assert_eq!(refused["type"], "urn:goodstanding:problem:irreversible");

    // The role given anew brings nothing back, and counts for what comes.
    house.wait(10);
    let again = json!({ "name": "Board", "roles": ["accreditor"] });
    operator.put("/profiles/board", &again).is(200);
    assert_eq!(outcome(), "revoked");
    board.endorses(&school.id, "profile", false);
    assert_eq!(outcome(), "active");
}

fn asks_plainly(verifier: &Actor<'_>, subject: &str) -> String {
    text(&verifier.asks_about(&[subject])[0]["outcome"])
}

#[test]
fn the_past_of_an_accreditor_is_told_as_it_was() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let mut moments = vec![(house.now(), "active")];
    for (action, outcome) in [
        ("suspend", "suspended"),
        ("reinstate", "active"),
        ("revoke", "revoked"),
    ] {
        house.wait(60);
        house
            .operator()
            .post(&format!("/profiles/board/{action}"), &json!({}))
            .is(200);
        moments.push((house.now(), outcome));
    }
    house.wait(60);
    for (at, outcome) in moments {
        let question = json!({ "subjects": [school.id], "at": at });
        let answer = house
            .verifier()
            .post("/endorsements/query", &question)
            .is(200)
            .json();
        assert_eq!(answer["results"][0]["outcome"], outcome, "at {at}");
        assert_eq!(answer["asOf"], at);
    }
}

#[test]
fn a_credential_stands_with_its_status_its_issuer_and_its_achievement() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let operator = house.operator();
    let welding = school.defines("Welding");
    let issued = school.issues(&badge(&school.id, &welding));
    let id = text(&issued["id"]);
    let one = |more: Value| stands(&operator, &[&id], more).remove(0);

    let told = one(json!({}));
    assert_eq!(
        (&told["outcome"], &told["decidedBy"]),
        (&json!("not-endorsed"), &json!("issuer"))
    );
    assert_eq!(told["status"][0]["outcome"], "active");
    assert_eq!(told["achievement"]["id"], welding);
    assert_eq!(told["achievement"]["outcome"], "not-endorsed");

    let of_school = board.endorses(&school.id, "profile", false);
    let told = one(json!({}));
    assert_eq!(
        (&told["outcome"], &told["decidedBy"]),
        (&json!("active"), &json!("issuer"))
    );
    assert_eq!(told["issuer"]["name"], "The school");
    assert_eq!(told["issuer"]["endorsements"][0]["id"], of_school["id"]);
    assert_eq!(path(&told), [(board.id.clone(), "active".into())]);

    // The document itself tells the same, and is verified on the way.
    let asked = json!({ "credentials": [issued, forged(&issued)] });
    let answer = house
        .verifier()
        .post("/standing/query", &asked)
        .is(200)
        .json();
    let [good, bad] = &answer["results"].as_array().unwrap()[..] else {
        panic!("{answer}");
    };
    assert_eq!(
        (&good["outcome"], &good["verified"]),
        (&json!("active"), &json!(true))
    );
    assert_eq!(
        (&bad["verified"], &bad["decidedBy"]),
        (&json!(false), &json!("credential"))
    );
    assert_eq!(bad["outcome"], "unknown");

    // What is revoked is revoked, whoever stands behind its issuer.
    let status = json!({ "credentialId": id, "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" }, "status": true });
    school.post("/credentials/status", &status).is(200);
    let told = one(json!({}));
    assert_eq!(
        (&told["outcome"], &told["decidedBy"]),
        (&json!("revoked"), &json!("credential"))
    );
    assert_eq!(told["issuer"]["outcome"], "active");

    // By id it takes a token, and others' credentials are not told of.
    house
        .verifier()
        .post("/standing/query", &json!({ "ids": [id] }))
        .problem(401);
    let stranger = house.registrar("stranger");
    let told = stands(&stranger, &[&id], json!({})).remove(0);
    assert_eq!(
        (&told["outcome"], &told["status"]),
        (&json!("unknown"), &json!([]))
    );
}

fn forged(issued: &Value) -> Value {
    let mut forged = issued.clone();
    forged["credentialSubject"]["achievement"]["name"] = "Brain surgery".into();
    forged
}

#[test]
fn an_endorsed_achievement_of_the_issuers_own_is_support_and_anothers_is_none() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let mill = house.registrar("mill");
    let welding = school.defines("Welding");
    board.endorses(&welding, "achievement", false);
    let told = |issuer: &Actor<'_>| {
        let issued = issuer.issues(&badge(&issuer.id, &welding));
        stands(&house.operator(), &[&text(&issued["id"])], json!({})).remove(0)
    };
    let own = told(&school);
    assert_eq!(
        (&own["outcome"], &own["decidedBy"]),
        (&json!("active"), &json!("achievement"))
    );
    let borrowed = told(&mill);
    assert_eq!(borrowed["outcome"], "not-endorsed");
    assert_eq!(borrowed["achievement"]["outcome"], "active");
}

#[test]
fn a_scope_limits_what_an_endorsement_lends() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let operator = house.operator();
    let degree = defines(&school, "Bachelor", "Degree");
    let course = defines(&school, "Evening course", "Course");
    let given = scoped(
        &board,
        &school.id,
        &json!({ "achievementType": ["Degree"], "jurisdiction": ["CH"] }),
    );
    let scope = &given["credentialSubject"]["endorsementScope"];
    assert_eq!(scope["achievementType"], json!(["Degree"]));
    let ids: Vec<String> = [&degree, &course]
        .map(|achievement| text(&school.issues(&badge(&school.id, achievement))["id"]))
        .into();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let told = stands(&operator, &ids, json!({}));
    assert_eq!(told[0]["outcome"], "active", "{}", told[0]);
    assert_eq!(
        (&told[1]["outcome"], &told[1]["issuer"]["reason"]),
        (&json!("not-endorsed"), &json!("out-of-scope"))
    );
    // Where it has to count is the asker's to say.
    let there = |place: &str| {
        stands(&operator, &ids[..1], json!({ "jurisdiction": place }))[0]["outcome"].clone()
    };
    assert_eq!(
        (there("CH-ZH"), there("FR")),
        (json!("active"), json!("not-endorsed"))
    );
    let refused = operator.post(
        "/standing/query",
        &json!({ "ids": ids, "jurisdiction": "Helvetia" }),
    );
    assert_eq!(refused.problem(400)["pointer"], "/jurisdiction");
}

fn defines(school: &Actor<'_>, name: &str, kind: &str) -> String {
    let slug = school.id.rsplit(':').next().unwrap();
    let body = json!({
        "name": name, "description": name, "achievementType": kind,
        "criteria": { "narrative": "Passed." },
    });
    let made = school.post(&format!("/profiles/{slug}/achievements"), &body);
    text(&made.is(201).json()["id"])
}

#[test]
fn nobody_passes_on_more_than_was_given() {
    let house = House::open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    let school = house.registrar("school");
    scoped(
        &ministry,
        &board.id,
        &json!({ "achievementType": ["Degree"], "role": ["accreditor"] }),
    );
    scoped(
        &board,
        &school.id,
        &json!({ "achievementType": ["Degree"], "tag": ["law"] }),
    );
    let all = board
        .asks_to_endorse(&school.id, "profile", false)
        .problem(422);
    assert_eq!(all["type"], "urn:goodstanding:problem:scope-too-wide");
    assert_eq!(all["pointer"], "/scope/achievementType");
    let body = json!({
        "endorser": "board", "subject": { "id": school.id, "kind": "profile" },
        "name": "Too much", "scope": { "achievementType": ["Degree", "License"] },
    });
    let wider = board.post("/endorsements", &body).problem(422);
    assert_eq!(wider["pointer"], "/scope/achievementType");
    // A role that the subject does not have is nobody's to endorse.
    let body = json!({
        "endorser": "ministry", "subject": { "id": school.id, "kind": "profile" },
        "name": "Not that", "scope": { "role": ["accreditor"] },
    });
    assert_eq!(
        ministry.post("/endorsements", &body).problem(400)["pointer"],
        "/scope/role"
    );
}

#[test]
fn those_who_endorse_each_other_in_a_circle_support_nobody() {
    let house = House::open();
    let (a, b, c) = (
        house.accreditor("a"),
        house.accreditor("b"),
        house.accreditor("c"),
    );
    for (endorser, subject) in [(&a, &b), (&b, &c), (&c, &a)] {
        endorser.endorses(&subject.id, "profile", false);
    }
    let ministry = house.accreditor("ministry");
    let told = asks(&house.verifier(), &a.id, &[&ministry.id]);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("not-endorsed"), &json!("only-cycles"))
    );
}

#[test]
fn a_chain_longer_than_is_looked_at_is_not_known() {
    let house = House::open();
    let chain: Vec<Actor<'_>> = (0..10)
        .map(|n| house.accreditor(&format!("link-{n}")))
        .collect();
    for pair in chain.windows(2) {
        pair[0].endorses(&pair[1].id, "profile", false);
    }
    let verifier = house.verifier();
    let told = asks(&verifier, &chain[8].id, &["link-0"]);
    assert_eq!((path(&told).len(), &told["outcome"]), (8, &json!("active")));
    let told = asks(&verifier, &chain[9].id, &["link-0"]);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("unknown"), &json!("depth-bound"))
    );
}

#[test]
fn one_look_up_is_answered_once_for_all_that_did_not_change() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let endorsement = board.endorses(&school.id, "profile", false);
    let welding = school.defines("Welding");
    let id = text(&school.issues(&badge(&school.id, &welding))["id"]);
    let operator = house.operator();
    let target = format!("/standing?credential={id}&trustAnchors=board");
    let first = operator.get(&target).is(200);
    assert_eq!(first.json()["outcome"], "active");
    let tag = first.header("etag").unwrap().to_owned();
    house.wait(5);
    let asks = || {
        operator
            .call("GET", &target)
            .header("If-None-Match", tag.as_bytes())
            .send()
    };
    asks().is(304);
    board.does("revoke", &endorsement).is(200);
    assert_eq!(asks().is(200).json()["outcome"], "revoked");
}

#[test]
fn questions_that_make_no_sense_are_refused_by_their_place() {
    let house = House::open();
    let operator = house.operator();
    for (body, place) in [
        (json!({}), ""),
        (json!({ "ids": [], }), ""),
        (json!({ "ids": ["urn:a"], "credentials": [{}] }), ""),
        (json!({ "ids": vec!["urn:a"; 1_001] }), ""),
        (
            json!({ "ids": ["urn:a"], "trustAnchors": [] }),
            "/trustAnchors",
        ),
        (
            json!({ "ids": ["urn:a"], "trustAnchors": ["nobody"] }),
            "/trustAnchors/0",
        ),
        (
            json!({ "ids": ["urn:a"], "at": "2999-01-01T00:00:00Z" }),
            "/at",
        ),
        (json!({ "ids": ["urn:a"], "at": "yesterday" }), "/at"),
    ] {
        let problem = operator.post("/standing/query", &body).problem(400);
        assert_eq!(problem["pointer"], place, "{body}");
    }
    let unknown = operator.post(
        "/standing/query",
        &json!({ "ids": ["urn:a"], "anchors": [] }),
    );
    assert_eq!(unknown.problem(400)["member"], "anchors");
}

#[test]
fn a_signed_answer_binds_the_question_and_is_the_registrys() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let welding = school.defines("Welding");
    let id = text(&school.issues(&badge(&school.id, &welding))["id"]);
    let question = json!({ "ids": [id], "signed": true, "trustAnchors": ["board"] });
    let answer = house.operator().post("/standing/query", &question).is(200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/standing+jwt")
    );
    let keys = house
        .verifier()
        .get("/.well-known/jwks.json")
        .is(200)
        .json();
    let (header, claims) = jwt::open(&answer.text(), "standing+jwt", &keys);
    let did = "did:web:registry.example";
    assert!(
        text(&header["kid"]).starts_with(&format!("{did}#")),
        "{header}"
    );
    assert_eq!(claims["iss"], did);
    assert_eq!(claims["results"][0]["outcome"], "active");
    assert_eq!(claims["asOf"], house.now());
    let (issued, expires) = (
        claims["iat"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert_eq!(expires - issued, 300);
    // sha256 of the question in canonical JSON, as a multihash in base64url.
    let canonical = format!(r#"{{"ids":["{id}"],"signed":true,"trustAnchors":["board"]}}"#);
    let digest = Sha256::digest(canonical);
    let multihash = [&[0x12, 0x20], &digest[..]].concat();
    assert_eq!(
        claims["questionDigest"],
        format!("u{}", URL_SAFE_NO_PAD.encode(multihash))
    );
}

#[test]
fn endorsements_in_force_travel_in_the_badge_and_are_reported_one_by_one() {
    let house = House::open();
    let (board, guild) = (house.accreditor("board"), house.accreditor("guild"));
    let (school, verifier) = (house.registrar("school"), house.verifier());
    let welding = school.defines("Welding");
    board.endorses(&school.id, "profile", false);
    scoped(
        &guild,
        &school.id,
        &json!({ "achievementType": ["Degree"] }),
    );
    let of_welding = guild.endorses(&welding, "achievement", false);
    let gone = board.endorses(&welding, "achievement", false);
    board.does("revoke", &gone).is(200);
    let issue = |form: &str, key: &str| {
        let mut unsigned = badge(&school.id, &welding);
        unsigned["issuer"] = json!(school.id);
        let body = json!({ "credential": unsigned, "options": { "embedEndorsements": form } });
        let call = school
            .call("POST", "/credentials/issue")
            .json(&body)
            .key(key);
        call.send().is(201).json()["verifiableCredential"].clone()
    };
    let issued = issue("as-signed", "one");
    assert_eq!(
        issued["issuer"]["endorsement"].as_array().map(Vec::len),
        Some(2)
    );
    let achievement = &issued["credentialSubject"]["achievement"];
    assert_eq!(achievement["endorsement"], json!([of_welding]));
    let told = verifier.verifies(&issued);
    assert_eq!(told["outcome"], "active", "{told:#}");
    let about = |path: &str| {
        let checks = told["report"]["checks"].as_array().unwrap();
        let found = checks
            .iter()
            .find(|check| check["path"] == path && check["kind"] == "endorsement");
        text(&found.unwrap_or_else(|| panic!("{path}: {told:#}"))["outcome"])
    };
    let mut of_issuer = [
        about("issuer.endorsement[0]"),
        about("issuer.endorsement[1]"),
    ];
    of_issuer.sort();
    // The guild's speaks of degrees, and this is none.
    assert_eq!(of_issuer, ["active", "not-endorsed"]);
    assert_eq!(
        about("credentialSubject.achievement.endorsement[0]"),
        "active"
    );
    // Asked for again under its key, it is the same to the letter, whatever happened since.
    board.does("revoke", &of_welding).problem(403);
    guild.does("revoke", &of_welding).is(200);
    assert_eq!(issue("as-signed", "one"), issued);
    let told = verifier.verifies(&issued);
    assert_eq!(told["outcome"], "active");

    let with_jwts = issue("jwt", "two");
    assert_eq!(
        with_jwts["issuer"]["endorsementJwt"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert!(
        with_jwts["credentialSubject"]["achievement"]
            .get("endorsement")
            .is_none()
    );
    assert_eq!(verifier.verifies(&with_jwts)["outcome"], "active");
    let page = verifier
        .get(&format!("{welding}?endorsements=embed"))
        .is(200)
        .json();
    assert!(
        page.get("endorsement").is_none(),
        "none is in force: {page}"
    );
}

#[test]
fn standing_is_told_as_it_was() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let operator = house.operator();
    let welding = school.defines("Welding");
    let before = house.now();
    house.wait(60);
    let issued = school.issues(&badge(&school.id, &welding));
    let id = text(&issued["id"]);
    let mut moments = vec![(before, "unknown"), (house.now(), "not-endorsed")];
    house.wait(60);
    let endorsement = board.endorses(&school.id, "profile", true);
    moments.push((house.now(), "active"));
    house.wait(60);
    board.does("suspend", &endorsement).is(200);
    moments.push((house.now(), "suspended"));
    house.wait(60);
    board.does("reinstate", &endorsement).is(200);
    moments.push((house.now(), "active"));
    house.wait(60);
    let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation" });
    let status = json!({ "credentialId": id, "credentialStatus": entry, "status": true });
    school.post("/credentials/status", &status).is(200);
    moments.push((house.now(), "revoked"));
    house.wait(60);
    for (at, outcome) in &moments {
        let told = stands(&operator, &[&id], json!({ "at": at })).remove(0);
        assert_eq!(told["outcome"], *outcome, "at {at}: {told:#}");
        // The document tells the same, but for the time before it was valid.
        let asked = json!({ "credentials": [issued], "at": at });
        let told = house
            .verifier()
            .post("/standing/query", &asked)
            .is(200)
            .json();
        let expected = match *outcome {
            "unknown" => "not-yet-valid",
            other => other,
        };
        assert_eq!(told["results"][0]["outcome"], expected, "at {at}: {told:#}");
        assert_eq!(told["asOf"], *at);
    }
}

#[test]
fn a_registry_with_anchors_of_its_own_counts_what_leads_up_to_them_everywhere() {
    let house = Plan::new().trusting(&["ministry", "not-there-yet"]).open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    let (school, mill) = (house.registrar("school"), house.registrar("mill"));
    let friend = house.accreditor("friend");
    let link = ministry.endorses(&board.id, "profile", true);
    board.endorses(&school.id, "profile", false);
    friend.endorses(&mill.id, "profile", false);
    let verifier = house.verifier();
    let listed = || {
        let document = verifier.get("/registry.json").is(200).json();
        let entries = document["registry"].as_object().unwrap();
        entries.keys().cloned().collect::<Vec<String>>()
    };
    assert_eq!(asks_plainly(&verifier, &school.id), "active");
    assert_eq!(asks_plainly(&verifier, &mill.id), "not-endorsed");
    assert_eq!(listed(), std::slice::from_ref(&school.id));
    let welding = school.defines("Welding");
    let issued = school.issues(&badge(&school.id, &welding));
    let told = verifier.verifies(&issued);
    let checks = told["report"]["checks"].as_array().unwrap();
    let of_issuer = |check: &&Value| check["kind"] == "registry" && check["path"] == "issuer";
    let check = checks.iter().find(of_issuer).unwrap();
    let path: Vec<&Value> = check["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "path")
        .collect();
    assert_eq!(path.len(), 2, "{check}");
    assert_eq!(
        path[1]["value"],
        format!("{} endorses {}: active", ministry.id, board.id)
    );
    // What would fall with the link is told before, and then falls everywhere.
    let target = format!("{}/suspend", text(&link["id"]));
    let tried = ministry
        .post(&target, &json!({ "dryRun": true }))
        .is(200)
        .json();
    assert_eq!(tried["affected"]["endorsements"], 1);
    assert_eq!(tried["affected"]["subjects"], 2, "{tried}");
    ministry.does("suspend", &link).is(200);
    assert_eq!(asks_plainly(&verifier, &school.id), "suspended");
    assert_eq!(listed(), Vec::<String>::new());
    let mut unsigned = badge(&mill.id, &welding);
    unsigned["id"] = json!("urn:of:the:mill");
    let told = verifier.verifies(&mill.issues(&unsigned));
    assert!(
        told.to_string()
            .contains("none of its endorsements leads to a trust anchor"),
        "{told:#}"
    );
}
