//! Endorsements that were issued elsewhere: brought here, counted as far as somebody trusted stands
//! behind their endorser, and followed.

use serde_json::{Value, json};

use super::elsewhere::{College, entry, house, packed};
use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::House;

pub(super) const CLEAR: &[u8] = &[0; 16_384];

pub(super) fn set() -> Vec<u8> {
    let mut bits = packed();
    bits[0] = 0x80;
    bits
}

pub(super) fn unsigned(college: &College, subject: &str, id: &str) -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": format!("https://guild.example/endorsements/{id}"),
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Known to the guild",
        "issuer": { "id": college.site.did(), "type": ["Profile"], "name": "Guild" },
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": { "id": subject, "type": ["EndorsementSubject"] },
        "credentialStatus": entry(&college.site.url("/list"), "revocation", 0),
    })
}

pub(super) fn brings(actor: &Actor<'_>, credential: &Value) -> Answer {
    actor.post(
        "/endorsements/import",
        &json!({ "verifiableCredential": credential }),
    )
}

pub(super) fn asks(house: &House, subject: &str, anchors: Option<&str>) -> Value {
    let mut question = json!({ "subjects": [subject] });
    if let Some(anchor) = anchors {
        question["trustAnchors"] = json!([anchor]);
    }
    let answer = house
        .verifier()
        .post("/endorsements/query", &question)
        .is(200)
        .json();
    answer["results"][0].clone()
}

#[test]
fn an_endorsement_of_the_guild_counts_for_those_who_trust_the_guild() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let credential = guild.signs(&unsigned(&guild, &school.id, "1"));
    let brought = brings(&school, &credential).is(201);
    let shown = brought.json();
    assert_eq!(shown["endorser"], guild.site.did());
    assert_eq!(
        (&shown["subject"], &shown["kind"]),
        (&json!(school.id), &json!("profile"))
    );
    assert_eq!(shown["imported"]["id"], credential["id"]);
    // Who brought it finds that in the trail, and nobody else but the operator.
    let traced = |actor: &Actor<'_>| {
        let trail = actor.get("/events?limit=1000").is(200).json();
        let mut events = trail["events"].as_array().unwrap().clone().into_iter();
        events.find(|event| event["type"] == "endorsement.imported")
    };
    let other = house.registrar("other");
    assert!(traced(&school).unwrap()["actor"]["token"].is_string());
    assert!(traced(&house.operator()).is_some() && traced(&other).is_none());
    // Its own proof is kept, to the letter.
    assert_eq!(shown["credential"], credential);
    let url = brought.header("location").unwrap().to_owned();
    assert_eq!(house.call("GET", &url).send().is(200).json(), credential);
    let jwt = house
        .call("GET", &url)
        .header("Accept", "application/vc+jwt")
        .send();
    jwt.problem(406);

    // Whoever trusts nobody but accreditors here sees it, and it lends nothing.
    let told = asks(&house, &school.id, None);
    assert_eq!(
        (&told["outcome"], &told["reason"]),
        (&json!("not-endorsed"), &json!("no-path"))
    );
    assert_eq!(told["endorsements"][0]["outcome"], "active");
    let told = asks(&house, &school.id, Some(&guild.site.did()));
    assert_eq!(told["outcome"], "active", "{told}");

    // A board here that stands behind the guild as an accreditor carries it on.
    let board = house.accreditor("board");
    board.endorses(&guild.site.did(), "profile", false);
    assert_eq!(
        asks(&house, &school.id, Some(&board.id))["reason"],
        "not-carried"
    );
    let body = json!({
        "endorser": board.id, "subject": { "id": guild.site.did(), "kind": "profile" },
        "name": "Sister accreditor", "scope": { "role": ["accreditor"] },
    });
    board.post("/endorsements", &body).is(201);
    let told = asks(&house, &school.id, Some(&board.id));
    assert_eq!(told["outcome"], "active", "{told}");
    assert_eq!(told["path"].as_array().map(Vec::len), Some(2));

    // The same once more is the same; found by who endorsed.
    let again = brings(&school, &credential).is(201);
    assert_eq!(again.header("location"), Some(&*url));
    let target = format!(
        "/endorsements?endorser={}",
        guild.site.did().replace('%', "%25")
    );
    let found = house.verifier().get(&target).is(200).json();
    assert_eq!(found["endorsements"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_its_issuer_says_later_is_followed() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (Some(1), ""));
    let school = house.registrar("school");
    let credential = guild.signs(&unsigned(&guild, &school.id, "1"));
    let url = text(&brings(&school, &credential).is(201).json()["id"]);
    let standing = || {
        let told = asks(&house, &school.id, Some(&guild.site.did()));
        (
            text(&told["outcome"]),
            text(&told["endorsements"][0]["outcome"]),
        )
    };
    let follow = || school.post(&format!("{url}/follow"), &json!({})).is(200);
    assert_eq!(standing(), ("active".into(), "active".into()));

    // Nobody answers for a day: it is not known any more how it stands, and then it is again.
    house.wait(86_401);
    assert_eq!(standing(), ("unknown".into(), "unreachable".into()));
    follow();
    assert_eq!(standing(), ("active".into(), "active".into()));
    let before = house.now();

    house.wait(600);
    guild.puts_bits("/list", "revocation", &set(), (Some(1), ""));
    follow();
    assert_eq!(standing(), ("revoked".into(), "revoked".into()));
    // The past is as it was seen then.
    let question = json!({
        "subjects": [school.id], "at": before, "trustAnchors": [guild.site.did()],
    });
    let then = house
        .verifier()
        .post("/endorsements/query", &question)
        .is(200)
        .json();
    assert_eq!(then["results"][0]["outcome"], "active");
    // Whatever the list says after that, and in whatever version it comes again.
    house.wait(600);
    guild.puts_bits("/list", "revocation", CLEAR, (Some(1), ""));
    follow();
    let mut newer = unsigned(&guild, &school.id, "1");
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    brings(&school, &guild.signs(&newer)).is(201);
    assert_eq!(standing().0, "revoked");
}

#[test]
fn a_newer_version_takes_the_place_of_the_older_one() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let first = guild.signs(&unsigned(&guild, &school.id, "1"));
    let mut newer = unsigned(&guild, &school.id, "1");
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    newer["name"] = json!("Known to the guild by now");
    let newer = guild.signs(&newer);
    let url = text(&brings(&school, &first).is(201).json()["id"]);
    assert_eq!(brings(&school, &newer).is(201).json()["credential"], newer);
    assert_eq!(brings(&school, &first).is(201).json()["credential"], newer);
    assert_eq!(house.verifier().get(&url).is(200).json(), newer);
}

#[test]
fn what_is_not_proved_or_not_ones_own_is_not_taken_in() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", &set(), (None, ""));
    guild.puts_bits("/clear", "revocation", CLEAR, (None, ""));
    let (school, stranger) = (house.registrar("school"), house.registrar("stranger"));
    let plain = || {
        let mut plain = unsigned(&guild, &school.id, "1");
        plain["credentialStatus"] = entry(&guild.site.url("/clear"), "revocation", 0);
        plain
    };
    let before = house.store();
    let refused = |actor: &Actor<'_>, credential: &Value, status: u16, kind: &str| {
        let problem = brings(actor, credential).problem(status);
        assert_eq!(
            problem["type"],
            format!("urn:goodstanding:problem:{kind}"),
            "{problem}"
        );
    };
    let mut tampered = guild.signs(&plain());
    tampered["name"] = json!("Adored by the guild");
    refused(&school, &tampered, 422, "not-verified");
    refused(
        &school,
        &guild.signs(&unsigned(&guild, &school.id, "1")),
        422,
        "not-verified",
    );
    let mut over = plain();
    over["validUntil"] = json!("2026-02-01T00:00:00Z");
    refused(&school, &guild.signs(&over), 422, "not-verified");
    let mut of_itself = plain();
    of_itself["credentialSubject"]["id"] = json!(guild.site.did());
    refused(
        &house.operator(),
        &guild.signs(&of_itself),
        422,
        "self-endorsement",
    );
    let mut no_endorsement = plain();
    no_endorsement["type"] = json!(["VerifiableCredential"]);
    refused(
        &school,
        &guild.signs(&no_endorsement),
        400,
        "invalid-request",
    );
    // Others' praise is not a stranger's to bring, and of things elsewhere only the operator's.
    refused(&stranger, &guild.signs(&plain()), 403, "not-yours");
    let mut elsewhere = plain();
    elsewhere["credentialSubject"]["id"] = json!("https://far.example/achievements/7");
    let elsewhere = guild.signs(&elsewhere);
    refused(&house.operator(), &elsewhere, 400, "invalid-request");
    let body = json!({ "verifiableCredential": elsewhere, "kind": "achievement" });
    school.post("/endorsements/import", &body).problem(403);
    house
        .verifier()
        .post("/endorsements/import", &body)
        .problem(401);
    assert_eq!(house.store(), before);
    house.operator().post("/endorsements/import", &body).is(201);
    // To ask after it is for who brought it; what was issued here is known at once.
    let mut second = plain();
    second["id"] = json!("https://guild.example/endorsements/2");
    let url = text(&brings(&school, &guild.signs(&second)).is(201).json()["id"]);
    let follow = |actor: &Actor<'_>, url: &str| actor.post(&format!("{url}/follow"), &json!({}));
    assert_eq!(
        follow(&stranger, &url).problem(403)["type"],
        "urn:goodstanding:problem:not-yours"
    );
    follow(&house.operator(), &url).is(200);
    let own = house
        .accreditor("board")
        .endorses(&school.id, "profile", false);
    follow(&house.operator(), &text(&own["id"])).problem(422);
    // Nobody here takes back what was said elsewhere.
    let url = text(&brings(&school, &guild.signs(&plain())).is(201).json()["id"]);
    let problem = house
        .operator()
        .post(&format!("{url}/revoke"), &json!({}))
        .problem(409);
    assert_eq!(problem["type"], "urn:goodstanding:problem:issued-elsewhere");
}

#[test]
fn what_is_brought_here_of_ones_own_board_is_here_already() {
    let (house, _) = (house(), College::open());
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let endorsement = board.endorses(&school.id, "profile", false);
    let problem = brings(&school, &endorsement).problem(400);
    assert_eq!(problem["pointer"], "/verifiableCredential/issuer");
}
