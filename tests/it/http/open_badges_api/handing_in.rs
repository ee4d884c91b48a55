//! Endorsements that a client hands in: from elsewhere, issued here, and what is neither.

use serde_json::{Value, json};

use super::{Client, described, refusal};
use crate::http::elsewhere::{College, house};
use crate::http::imports::{CLEAR, unsigned};
use crate::support::actors::{badge, text};
use crate::support::house::House;

fn newer(college: &College, subject: &str) -> Value {
    let mut newer = unsigned(college, subject, "1");
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    college.signs(&newer)
}

#[test]
fn an_endorsement_from_elsewhere_is_handed_in_and_replaced() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let client = Client::of(&house);
    let client = client.with("school", &["credential.readonly", "credential.upsert"]);
    let first = guild.signs(&unsigned(&guild, &school.id, "1"));
    let taken = client.hands_in(&first).is(201);
    assert_eq!(taken.header("content-type"), Some("application/json"));
    assert_eq!(taken.json(), first);
    let url = taken.header("location").unwrap().to_owned();
    assert_eq!(house.call("GET", &url).send().is(200).json(), first);
    assert_eq!(client.page("").credentials, std::slice::from_ref(&first));

    let before = house.store();
    assert_eq!(client.hands_in(&first).is(200).json(), first);
    assert_eq!(house.store(), before, "the same again changes nothing");

    house.wait(60);
    let then = house.now();
    house.wait(60);
    let newer = newer(&guild, &school.id);
    let taken = client.hands_in(&newer).is(200);
    assert_eq!(
        (taken.json(), taken.header("location")),
        (newer.clone(), Some(&*url))
    );
    assert_eq!(client.page("").credentials, std::slice::from_ref(&newer));
    assert_eq!(client.page(&format!("?since={then}")).total, 1);
    // The older one does not come back: what is kept is answered.
    assert_eq!(client.hands_in(&first).is(200).json(), newer);

    // A request that is repeated under its key is answered as it was.
    let mut third = unsigned(&guild, &school.id, "3");
    third["name"] = json!("Known well");
    let third = guild.signs(&third);
    for _ in 0..2 {
        let call = client.calls("upsertCredential").key("k").json(&third);
        assert_eq!(call.send().is(201).json(), third);
    }
    assert_eq!(client.page("").total, 2);
}

#[test]
fn a_compact_jws_comes_and_goes_as_text() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let client = Client::of(&house);
    let client = client.with("school", &["credential.readonly", "credential.upsert"]);
    let jwt = guild.jwt("vc+jwt", &unsigned(&guild, &school.id, "1"));
    let hands_in = |jwt: &str| {
        let call = client
            .calls("upsertCredential")
            .header("Accept", "text/plain");
        call.body("text/plain", jwt).send()
    };
    for (sent, status) in [(jwt.clone(), 201), (format!("{jwt}\n"), 200)] {
        let answer = hands_in(&sent).is(status);
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(answer.text(), jwt);
    }
    let page = client.page("");
    assert_eq!((page.credentials.len(), page.jwts), (0, vec![json!(jwt)]));

    // One that was issued here is had as a JWT of the same claims, and found by it.
    let own = board.endorses(&school.id, "profile", false);
    let call = house.call("GET", &text(&own["id"]));
    let own_jwt = call
        .header("Accept", "application/vc+jwt")
        .send()
        .is(200)
        .text();
    assert_eq!(hands_in(&own_jwt).is(200).text(), own_jwt);

    let (_, signature) = jwt.rsplit_once('.').unwrap();
    let other = guild.jwt("vc+jwt", &unsigned(&guild, &school.id, "2"));
    let forged = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(refusal(&hands_in(&forged), 422), "invalid_data");
    for nonsense in ["", "a.b.c", "no jws", "{}"] {
        assert_eq!(
            refusal(&hands_in(nonsense), 400),
            "invalid_data",
            "{nonsense:?}"
        );
    }
    let call = client.calls("upsertCredential");
    let bytes = call.body("text/plain", vec![0xff, 0xfe]).send();
    assert_eq!(refusal(&bytes, 400), "invalid_data");
    let call = client.calls("upsertCredential");
    let form = call.body("application/x-www-form-urlencoded", "a=b").send();
    assert_eq!(refusal(&form, 415), "unknown");
    let client = Client::of(&house).with("school", &["profile.update"]);
    let call = client.calls("putProfile");
    let plain = call.body("text/plain", "{\"name\":\"School\"}").send();
    assert_eq!(refusal(&plain, 415), "unknown");
}

#[test]
fn what_was_issued_here_is_found_and_nothing_else_is_taken_for_it() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let client = Client::of(&house).with("school", &["credential.upsert"]);
    let own = board.endorses(&school.id, "profile", false);
    let before = house.store();
    let answer = client.hands_in(&own).is(200);
    assert_eq!(
        (answer.json(), answer.header("location")),
        (own.clone(), own["id"].as_str())
    );

    let mut other = own.clone();
    other["credentialSubject"]["endorsementComment"] = json!("The best of all.");
    let answer = client.hands_in(&other);
    assert_eq!(refusal(&answer, 400), "invalid_data");
    described(&answer, "says something else");
    // By a profile here, and never issued.
    other["id"] = json!("https://far.example/endorsements/1");
    assert_eq!(refusal(&client.hands_in(&other), 400), "invalid_data");
    assert_eq!(house.store(), before);
}

#[test]
fn what_is_no_endorsement_of_ones_own_is_refused_by_name() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let (school, stranger) = (house.registrar("school"), house.registrar("stranger"));
    let client = Client::of(&house).with("school", &["credential.upsert"]);
    let foreign = stranger.defines("Baking");
    let issued = school.issues(&badge(&school.id, "https://far.example/welding"));
    let mut clr = badge(&guild.site.did(), "https://far.example/welding");
    clr["type"] = json!(["VerifiableCredential", "ClrCredential"]);
    let of = |subject: &str| guild.signs(&unsigned(&guild, subject, "1"));
    let before = house.store();
    for (credential, status, words) in [
        (
            issued.clone(),
            400,
            "/type: this is of type OpenBadgeCredential",
        ),
        (clr, 400, "/type: this is of type ClrCredential"),
        (
            json!({ "type": "VerifiableCredential" }),
            400,
            "of type VerifiableCredential",
        ),
        (json!({}), 400, "EndorsementCredential"),
        (json!([]), 400, "EndorsementCredential"),
        (of(&stranger.id), 403, "another profile"),
        (of(&foreign), 403, "another profile"),
        (of("https://far.example/x"), 422, "neither the profile"),
        (of(&text(&issued["id"])), 422, "neither the profile"),
        (of("did:example:holder"), 422, "neither the profile"),
    ] {
        let answer = client.hands_in(&credential);
        let code = refusal(&answer, status);
        assert_eq!(code == "forbidden", status == 403, "{words}");
        described(&answer, words);
    }
    let mut tampered = of(&school.id);
    tampered["name"] = json!("Adored by the guild");
    assert_eq!(refusal(&client.hands_in(&tampered), 422), "invalid_data");
    let mut unproved = of(&school.id);
    unproved.as_object_mut().unwrap().shift_remove("proof");
    assert_eq!(refusal(&client.hands_in(&unproved), 422), "invalid_data");
    assert_eq!(house.store(), before);
}
