//! Learner records (CLR 2.0): one credential that bundles others, each of which is answered for.

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::jwt::{check, enveloped};

const FORMS: [&str; 3] = ["eddsa-rdfc-2022", "eddsa-jcs-2022", "vc+jwt"];

#[test]
fn a_record_tells_which_of_its_badges_is_revoked() {
    let house = House::open();
    let (registrar, school) = (house.registrar("registrar"), house.registrar("school"));
    let [welding, riveting] = ["Welding", "Riveting"].map(|name| school.defines(name));
    let good = school.issues(&badge(&school.id, &welding));
    let bad = school.issues(&badge(&school.id, &riveting));
    for form in FORMS {
        let record = issues(&registrar, &record(&registrar, &[&good, &bad]), form);
        let report = house.verifier().verifies(&record);
        assert_eq!(standing(&report), (true, "active"), "{form}: {report}");
        assert_eq!(
            bundled(&report),
            [("[0]", "active", "included"), ("[1]", "active", "included")]
        );
    }
    let record = registrar.issues(&record(&registrar, &[&good, &bad]));
    revokes(&school, &bad);
    let report = house.verifier().verifies(&record);
    assert_eq!(
        standing(&report),
        (true, "active"),
        "the record says what it said"
    );
    assert_eq!(
        bundled(&report),
        [("[0]", "active", "included"), ("[1]", "revoked", "revoked")]
    );
}

#[test]
fn a_record_has_a_status_and_endorsements_of_its_own() {
    let house = House::open();
    let both = ["issuer", "accreditor"];
    let registrar = house.operator().registers("registrar", &both, "did:web");
    let board = house.accreditor("board");
    let own = registrar.issues(&badge(&registrar.id, "https://far.example/welding"));
    let mut unsigned = record(&registrar, &[&own]);
    unsigned["id"] = json!("https://registrar.example/records/1");
    let id = text(&unsigned["id"]);
    // The board may look at it before it is issued; another kind it is not.
    unsigned["endorsement"] = json!([board.endorses(&id, "credential", true)]);
    let record = registrar.issues(&unsigned);
    board.endorses(&id, "credential", false);
    let of_itself = registrar.asks_to_endorse(&id, "credential", false);
    let refused = of_itself.problem(422);
    assert!(
        text(&refused["type"]).ends_with("self-endorsement"),
        "{refused}"
    );

    let report = house.verifier().verifies(&record);
    let endorsements = checks(&report, "endorsement");
    let told: Vec<_> = endorsements.iter().map(|check| &check["path"]).collect();
    assert_eq!(told, ["endorsement[0]"]);
    assert_eq!(endorsements[0]["outcome"], "active");
    board.does("suspend", &unsigned["endorsement"][0]).is(200);
    let report = house.verifier().verifies(&record);
    assert_eq!(checks(&report, "endorsement")[0]["outcome"], "suspended");
    assert_eq!(standing(&report), (true, "active"));

    revokes(&registrar, &record);
    let report = house.verifier().verifies(&record);
    assert_eq!(standing(&report), (true, "revoked"));
    assert_eq!(
        bundled(&report),
        [("[0]", "active", "included")],
        "the badge is none the worse"
    );
}

#[test]
fn what_was_changed_in_a_bundled_badge_is_told_of_that_badge() {
    let house = House::open();
    let (registrar, school) = (house.registrar("registrar"), house.registrar("school"));
    let good = school.issues(&badge(&school.id, "https://far.example/welding"));
    let mut tampered = school.issues(&badge(&school.id, "https://far.example/riveting"));
    tampered["credentialSubject"]["achievement"]["name"] = json!("Riveting, with honours");
    for form in FORMS {
        let record = issues(&registrar, &record(&registrar, &[&good, &tampered]), form);
        let report = house.verifier().verifies(&record);
        assert_eq!(standing(&report), (true, "active"), "{form}");
        let bad = ("[1]", "unknown", "signature-bad");
        assert_eq!(
            bundled(&report),
            [("[0]", "active", "included"), bad],
            "{form}"
        );
    }
    // Changed after the record was signed, it breaks the record too.
    let mut record = registrar.issues(&record(&registrar, &[&good]));
    record["credentialSubject"]["verifiableCredential"][0]["name"] = json!("Welding, level 3");
    let report = house.verifier().verifies(&record);
    assert_eq!(standing(&report), (false, "unknown"));
}

#[test]
fn an_achievement_without_a_badge_is_told_as_such() {
    let house = House::open();
    let registrar = house.registrar("registrar");
    let names = ["welding", "metalwork"].map(|name| format!("https://far.example/{name}"));
    let signed = registrar.issues(&badge(&registrar.id, &names[0]));
    let unsigned = badge(&registrar.id, "https://far.example/riveting");
    let unsigned = with(&unsigned, "validFrom", json!("2026-01-01T00:00:00Z"));
    let mut record = record(&registrar, &[&signed, &unsigned]);
    let achievement = |id: &String| badge("", id)["credentialSubject"]["achievement"].clone();
    record["credentialSubject"]["achievement"] = names.iter().map(achievement).collect();
    record["credentialSubject"]["association"] = json!([{
        "type": "Association",
        "associationType": "isChildOf",
        "sourceId": names[0],
        "targetId": names[1],
    }]);
    let record = registrar.issues(&record);
    let report = house.verifier().verifies(&record);
    assert_eq!(standing(&report), (true, "active"));
    let no_proof = ("[1]", "unknown", "no-proof");
    assert_eq!(bundled(&report), [("[0]", "active", "included"), no_proof]);
    let told = checks(&report, "reference");
    let told: Vec<_> = told
        .iter()
        .map(|check| (&check["path"], &check["code"]))
        .collect();
    let (path, code) = (
        json!("credentialSubject.achievement[1]"),
        json!("no-credential"),
    );
    assert_eq!(told, [(&path, &code)]);
}

#[test]
fn what_is_no_record_is_refused_by_its_place() {
    let house = House::open();
    let (registrar, school) = (house.registrar("registrar"), house.registrar("school"));
    let good = school.issues(&badge(&school.id, "https://far.example/welding"));
    let unsigned = badge(&school.id, "https://far.example/riveting");
    let good = record(&registrar, &[&good]);
    let bundle = "/credentialSubject/verifiableCredential";
    let before = house.store();
    for (pointer, to) in [
        ("/@context/1", json!("https://www.w3.org/ns/credentials/v2")),
        ("/name", json!("")),
        ("/credentialSubject/id", json!("nobody")),
        (bundle, json!([])),
        (bundle, json!(["a.b.c"])),
        ("/credentialSubject/verifiableCredential/0", unsigned),
        (
            "/credentialSubject/verifiableCredential/0",
            json!({"id": "urn:x"}),
        ),
        (
            "/credentialSubject/verifiableCredential/0",
            json!({
                "@context": "https://www.w3.org/ns/credentials/v2",
                "type": "EnvelopedVerifiableCredential",
                "id": "data:application/vc+jwt,a.b.c",
            }),
        ),
        (
            "/credentialSubject/association/0/targetId",
            json!("https://far.example/other"),
        ),
        (
            "/credentialSubject/association/0/associationType",
            json!("resembles"),
        ),
    ] {
        let mut spoiled = good.clone();
        *spoiled.pointer_mut(pointer).unwrap() = to;
        for form in FORMS {
            let problem = asks_to_issue(&registrar, &spoiled, form).problem(400);
            let told = text(&problem["pointer"]);
            let place = pointer.strip_suffix("/1").unwrap_or(pointer);
            assert!(
                told.starts_with(&format!("/credential{place}")),
                "{pointer}: {problem}"
            );
        }
    }
    assert_eq!(house.store(), before);
}

#[test]
fn a_record_bundles_jwts_in_their_envelopes_and_other_records() {
    let house = House::open();
    let (registrar, school) = (house.registrar("registrar"), house.registrar("school"));
    let jwt = issues(
        &school,
        &badge(&school.id, "https://far.example/welding"),
        "vc+jwt",
    );
    let inner = school.issues(&record(&school, &[&jwt]));
    let outer = registrar.issues(&record(&registrar, &[&inner, &jwt]));
    let keys = school.get("/profiles/school/jwks.json").is(200).json();
    revokes(&school, &check(&enveloped(&jwt), &keys).credential);
    let report = house.verifier().verifies(&outer);
    assert_eq!(standing(&report), (true, "active"));
    let within = "[0].credentialSubject.verifiableCredential[0]";
    assert_eq!(
        bundled(&report),
        [
            ("[0]", "active", "included"),
            (within, "revoked", "revoked"),
            ("[1]", "revoked", "revoked")
        ]
    );
}

// --- helpers ----------------------------------------------------------------------------

/// A record by `registrar` that bundles these, without what issuing fills in. It says how the
/// first badge belongs to itself.
pub(super) fn record(registrar: &Actor<'_>, bundled: &[&Value]) -> Value {
    let mut record = json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Transcript",
        "issuer": {"id": registrar.id, "type": ["Profile"], "name": "Registrar"},
        "partial": true,
        "credentialSubject": {
            "id": "did:example:holder",
            "type": ["ClrSubject"],
            "verifiableCredential": bundled,
        },
    });
    let first = bundled[0].pointer("/credentialSubject/achievement/id");
    if let Some(id) = first {
        record["credentialSubject"]["association"] = json!([{
            "type": "Association", "associationType": "isRelatedTo", "sourceId": id, "targetId": id,
        }]);
    }
    record
}

fn with(document: &Value, name: &str, value: Value) -> Value {
    let mut document = document.clone();
    document[name] = value;
    document
}

fn asks_to_issue(actor: &Actor<'_>, unsigned: &Value, form: &str) -> Answer {
    let body = json!({"credential": unsigned, "options": {"securing": form}});
    actor.post("/credentials/issue", &body)
}

fn issues(actor: &Actor<'_>, unsigned: &Value, form: &str) -> Value {
    let answer = asks_to_issue(actor, unsigned, form).is(201);
    answer.json()["verifiableCredential"].clone()
}

fn revokes(actor: &Actor<'_>, credential: &Value) {
    let change = json!({
        "credentialId": credential["id"],
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
        "status": true,
    });
    actor.post("/credentials/status", &change).is(200);
}

fn standing(report: &Value) -> (bool, &str) {
    let verified = report["verified"].as_bool().unwrap();
    (verified, report["outcome"].as_str().unwrap())
}

fn checks<'r>(report: &'r Value, kind: &str) -> Vec<&'r Value> {
    let all = report["report"]["checks"].as_array().unwrap();
    all.iter().filter(|check| check["kind"] == kind).collect()
}

/// What is said of each credential in the record: where it stands, how, and why.
fn bundled(report: &Value) -> Vec<(&str, &str, &str)> {
    let told = checks(report, "credential").into_iter();
    told.map(|check| {
        let member = |name: &str| check[name].as_str().unwrap();
        let path = member("path").strip_prefix("credentialSubject.verifiableCredential");
        (path.unwrap(), member("outcome"), member("code"))
    })
    .collect()
}
