//! What a report on a credential says of those who stand behind it: no more than a question about
//! standing would.

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::House;

fn endorses(board: &Actor<'_>, subject: &str, kind: &str, scope: Option<Value>) -> Value {
    let mut body = json!({
        "endorser": board.slug,
        "subject": { "id": subject, "kind": kind },
        "name": "Endorsed",
    });
    if let Some(scope) = scope {
        body["scope"] = scope;
    }
    let made = board.post("/endorsements", &body).is(201).json();
    made["verifiableCredential"].clone()
}

/// The checks of one kind in the report on a credential.
fn checks(house: &House, credential: &Value, kind: &str) -> Vec<Value> {
    let answer = house.verifier().verifies(credential);
    let checks = answer["report"]["checks"].as_array().expect("checks");
    let of_kind = checks.iter().filter(|check| check["kind"] == kind);
    of_kind.cloned().collect()
}

/// What the registry says of the issuer, and what a question about standing says.
#[track_caller]
fn issuer_stands(house: &House, credential: &Value, expected: &str) -> Value {
    let check = checks(house, credential, "registry").remove(0);
    assert_eq!(check["path"], "issuer", "{check}");
    assert_eq!(check["outcome"], expected, "{check}");
    let question = json!({ "credentials": [credential] });
    let answer = house.verifier().post("/standing/query", &question).is(200);
    let told = answer.json()["results"][0]["issuer"]["outcome"].clone();
    assert_eq!(told, expected, "{}", answer.text());
    check
}

#[test]
fn an_issuer_is_endorsed_in_a_report_where_it_is_for_that_credential() {
    let house = House::open();
    let (board, guild) = (house.accreditor("board"), house.accreditor("guild"));
    let school = house.registrar("school");
    let degrees = json!({ "achievementType": ["Degree"] });
    endorses(&board, &school.id, "profile", Some(degrees));
    let of_type = |kind: &str| {
        let mut unsigned = badge(&school.id, &school.defines(kind));
        unsigned["credentialSubject"]["achievement"]["achievementType"] = json!(kind);
        school.issues(&unsigned)
    };
    let (degree, other) = (of_type("Degree"), of_type("Badge"));
    let good = issuer_stands(&house, &degree, "active");
    assert_eq!(good["code"], "registry-endorsed", "{good}");
    let bad = issuer_stands(&house, &other, "not-endorsed");
    assert_eq!(bad["code"], "registry-not-endorsed", "{bad}");

    // Both in one document: what was said of the issuer for one is not said for the other.
    let clr = json!({
        "verifiablePresentation": {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [degree, other],
        },
    });
    let report = house.verifier().post("/presentations/verify", &clr).is(200);
    let report = report.json();
    let outcomes: Vec<&Value> = report["report"]["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .filter(|check| check["kind"] == "registry" && text(&check["path"]).ends_with("issuer"))
        .map(|check| &check["outcome"])
        .collect();
    assert_eq!(outcomes, ["active", "not-endorsed"], "{report}");

    // Another one is endorsed for that, and it is the one who is named.
    let badges = json!({ "achievementType": ["Badge"] });
    endorses(&guild, &school.id, "profile", Some(badges));
    let named = issuer_stands(&house, &other, "active");
    assert!(text(&named["detail"]).contains(&guild.id), "{named}");
    assert!(!text(&named["detail"]).contains(&board.id), "{named}");
}

#[test]
fn who_is_endorsed_as_an_accreditor_is_no_endorsed_issuer_in_a_report() {
    let house = House::open();
    let ministry = house.accreditor("ministry");
    let roles = ["issuer", "accreditor"];
    let both = house.operator().registers("both", &roles, "did:web");
    let school = house.registrar("school");
    let as_accreditor = json!({ "role": ["accreditor"] });
    endorses(&ministry, &both.id, "profile", Some(as_accreditor));
    let issued = both.issues(&badge(&both.id, "urn:a"));
    issuer_stands(&house, &issued, "not-endorsed");
    // What it endorses is another matter.
    let endorsement = endorses(&both, &school.id, "profile", None);
    let check = checks(&house, &endorsement, "registry").remove(0);
    assert_eq!(check["path"], "issuer", "{check}");
    assert_eq!(check["outcome"], "active", "{check}");
}

#[test]
fn an_achievement_is_endorsed_in_a_report_as_an_achievement_and_for_that_award() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let welding = school.defines("Welding");
    let later = json!({ "awardedFrom": "2030-01-01T00:00:00Z" });
    endorses(&board, &welding, "achievement", Some(later));
    let issued = school.issues(&badge(&school.id, &welding));
    let achievement = || {
        let checks = checks(&house, &issued, "registry");
        let found = checks
            .into_iter()
            .find(|check| text(&check["path"]).contains("achievement"));
        found.expect("a check of the achievement")
    };
    assert_eq!(achievement()["outcome"], "not-endorsed");
    endorses(&board, &welding, "achievement", None);
    assert_eq!(achievement()["outcome"], "active");
}

#[test]
fn an_embedded_endorsement_is_no_better_than_what_it_rests_on() {
    let house = House::open();
    let (board, guild) = (house.accreditor("board"), house.accreditor("guild"));
    let school = house.registrar("school");
    let by_board = endorses(&board, &school.id, "profile", None);
    let by_guild = endorses(&guild, &school.id, "profile", None);
    let mut unsigned = badge(&school.id, "urn:a");
    unsigned["issuer"]["endorsement"] = json!([by_board, by_guild]);
    let issued = school.issues(&unsigned);
    let said = || -> Vec<(String, String)> {
        let checks = checks(&house, &issued, "endorsement");
        let said = checks
            .iter()
            .map(|check| (text(&check["outcome"]), text(&check["code"])));
        said.collect()
    };
    let words = |outcome: &str, code: &str| (outcome.to_owned(), code.to_owned());
    let good = || words("active", "endorsed");
    let bad = |outcome: &str| words(outcome, "endorsement-not-standing");
    assert_eq!(said(), [good(), good()]);
    let operator = house.operator();
    let decides = |action: &str| {
        let target = format!("/profiles/board/{action}");
        operator.post(&target, &json!({})).is(200);
    };
    decides("suspend");
    assert_eq!(said(), [bad("suspended"), good()]);
    decides("reinstate");
    assert_eq!(said(), [good(), good()]);
    decides("revoke");
    assert_eq!(said(), [bad("revoked"), good()]);
    // The badge itself is as good as before.
    assert_eq!(house.verifier().verifies(&issued)["outcome"], "active");
}
