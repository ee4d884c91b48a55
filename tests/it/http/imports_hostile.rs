//! Endorsements from elsewhere that somebody brings to look better than they are, or to be in the
//! way of others.

use goodstanding::entropy::SeededEntropy;
use goodstanding::registry::{Registry, Settings};
use goodstanding::vc::keys::MasterKey;
use goodstanding::verify::{Given, Options};
use serde_json::{Value, json};
use std::sync::Arc;

use super::elsewhere::{College, entry, house};
use super::imports::{CLEAR, asks, brings, set, unsigned};
use crate::support::actors::{Actor, text};
use crate::support::house::House;

/// One without any status, so that nobody is asked but for the key.
fn plain(college: &College, subject: &str, id: &str) -> Value {
    let mut plain = unsigned(college, subject, id);
    plain
        .as_object_mut()
        .unwrap()
        .shift_remove("credentialStatus");
    plain
}

fn shown(house: &House, subject: &str) -> String {
    text(&asks(house, subject, None)["endorsements"][0]["outcome"])
}

fn follows(actor: &Actor<'_>, url: &str) {
    actor.post(&format!("{url}/follow"), &json!({})).is(200);
}

#[test]
fn what_a_jwt_ends_has_ended() {
    let (house, guild) = (house(), College::open());
    let school = house.registrar("school");
    let mut claims = plain(&guild, &school.id, "1");
    claims["iss"] = json!(guild.site.did());
    let now: goodstanding::time::Timestamp = house.now().parse().unwrap();
    claims["exp"] = json!(now.seconds() + 60);
    let jwt = json!(guild.jwt("vc+jwt", &claims));
    let url = text(&brings(&school, &jwt).is(201).json()["id"]);
    assert_eq!(shown(&house, &school.id), "active");
    house.wait(60);
    assert_eq!(shown(&house, &school.id), "expired");
    follows(&school, &url);
    assert_eq!(shown(&house, &school.id), "expired");
}

#[test]
fn a_refresh_service_does_not_hide_what_was_revoked() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", &set(), (None, ""));
    guild.puts_bits("/clear", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let mut revoked = unsigned(&guild, &school.id, "1");
    let context = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";
    revoked["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!(context));
    revoked["refreshService"] =
        json!({ "id": guild.site.url("/newer"), "type": "1EdTechCredentialRefresh" });
    let mut newer = revoked.clone();
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    newer["credentialStatus"] = entry(&guild.site.url("/clear"), "revocation", 0);
    let newer = guild.signs(&newer);
    let body = newer.to_string();
    guild
        .site
        .puts("/newer", "application/vc", "", body.as_bytes());
    let problem = brings(&school, &guild.signs(&revoked)).problem(422);
    assert_eq!(problem["type"], "urn:goodstanding:problem:not-verified");
    // The newer one itself is fine.
    brings(&school, &newer).is(201);
    assert_eq!(guild.site.asked("/newer"), 0);
}

#[test]
fn what_has_not_begun_needs_its_status_too() {
    let (house, guild) = (house(), College::open());
    let school = house.registrar("school");
    let mut later = unsigned(&guild, &school.id, "1");
    later["validFrom"] = json!("2027-01-01T00:00:00Z");
    let later = guild.signs(&later);
    let problem = brings(&school, &later).problem(422);
    assert_eq!(problem["type"], "urn:goodstanding:problem:not-verified");
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    house.wait(400);
    brings(&school, &later).is(201);
    assert_eq!(shown(&house, &school.id), "not-yet-valid");
}

#[test]
fn who_may_not_bring_it_learns_nothing_and_nobody_is_asked() {
    let (house, guild) = (house(), College::open());
    let (school, spy) = (house.registrar("school"), house.registrar("spy"));
    let list = school.opens_list("revocation");
    let held = json!({ "credentialIds": ["urn:school:42"] });
    school.post(&format!("{list}/entries"), &held).is(200);
    let refused = |id: &str| {
        let credential = guild.signs(&plain(&guild, id, "1"));
        let body = json!({ "verifiableCredential": credential, "kind": "credential" });
        spy.post("/endorsements/import", &body).problem(403)
    };
    assert_eq!(refused("urn:school:42"), refused("urn:school:43"));
    let praise = guild.signs(&plain(&guild, &school.id, "2"));
    let problem = brings(&spy, &praise).problem(403);
    assert_eq!(problem["type"], "urn:goodstanding:problem:not-yours");
    assert_eq!(guild.site.asked_in_all(), 0);
    let asked = || {
        let body = json!({ "verifiableCredential": praise });
        let call = school.call("POST", "/endorsements/import");
        call.key("k").json(&body).send().is(201)
    };
    asked();
    let after = guild.site.asked_in_all();
    house.wait(7_200);
    asked();
    assert_eq!(guild.site.asked_in_all(), after);
}

#[test]
fn only_so_much_is_taken_in() {
    let (house, guild) = (house(), College::open());
    let school = house.registrar("school");
    let mut large = plain(&guild, &school.id, "large");
    large["description"] = json!("x".repeat(64 << 10));
    let problem = brings(&school, &guild.signs(&large)).problem(400);
    assert!(text(&problem["detail"]).contains("65536"), "{problem}");
    for n in 0..64 {
        let one = guild.signs(&plain(&guild, &school.id, &n.to_string()));
        brings(&school, &one).is(201);
    }
    let another = guild.signs(&plain(&guild, &school.id, "another"));
    let problem = brings(&school, &another).problem(409);
    assert_eq!(problem["type"], "urn:goodstanding:problem:imports-full");
    // A newer version of one that is here has a place.
    let mut newer = plain(&guild, &school.id, "7");
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    brings(&school, &guild.signs(&newer)).is(201);

    // They are behind what was issued here, in what is looked at and in what is shown.
    let board = house.accreditor("board");
    let own = board.endorses(&school.id, "profile", false);
    let told = asks(&house, &school.id, None);
    assert_eq!(told["endorsements"][0]["id"], own["id"]);
    let target = format!("/endorsements?subject={}&limit=40", school.id);
    let page = house.verifier().get(&target).is(200).json();
    assert_eq!(page["endorsements"][0]["id"], own["id"]);
}

#[test]
fn who_never_answers_is_in_nobodys_way() {
    let (house, dead, guild) = (house(), College::open(), College::open());
    let (school, good) = (house.registrar("school"), house.registrar("good"));
    let third = house.registrar("third");
    for n in 0..128 {
        let whom = if n < 64 { &school } else { &third };
        let one = dead.signs(&plain(&dead, &whom.id, &n.to_string()));
        brings(whom, &one).is(201);
    }
    let key = goodstanding::vc::keys::SigningKey::from_seed(&[3; 32]);
    let did = goodstanding::vc::did::DidKey::from(key.public());
    for n in 0..20 {
        let mut one = plain(&guild, &good.id, &n.to_string());
        one["issuer"]["id"] = json!(did.to_string());
        let options = goodstanding::vc::proof::ProofOptions::new(did.method_url());
        let one = goodstanding::vc::proof::sign(&one, &options, &key).unwrap();
        brings(&good, &one).is(201);
    }
    house.wait(90_000);
    let entropy = Arc::new(SeededEntropy::new(77));
    let master = MasterKey::generate(&SeededEntropy::new(0));
    let settings = Settings::usual(house.origin());
    let registry = Registry::open(
        house.engine.clone(),
        house.clock.clone(),
        entropy,
        master,
        settings,
    )
    .unwrap();
    let follow = || {
        let answered = registry.follow_imports(Options::default(), &Given::refused(), 64);
        house.wait(60);
        answered.unwrap()
    };
    assert_eq!((0..3).map(|_| follow()).sum::<usize>(), 20);
    let told = asks(&house, &good.id, None);
    let all = told["endorsements"].as_array().unwrap();
    assert!(all.iter().all(|one| one["outcome"] == "active"), "{told}");
}

#[test]
fn before_a_newer_version_came_nobody_knows() {
    let (house, guild) = (house(), College::open());
    let school = house.registrar("school");
    brings(&school, &guild.signs(&plain(&guild, &school.id, "1"))).is(201);
    house.wait(60);
    let then = house.now();
    house.wait(60);
    let at = |at: &str| {
        let target = format!("/endorsements?subject={}&at={at}", school.id);
        let page = house.verifier().get(&target).is(200).json();
        text(&page["endorsements"][0]["outcome"])
    };
    assert_eq!(at(&then), "active");
    let mut newer = plain(&guild, &school.id, "1");
    newer["validFrom"] = json!(house.now());
    brings(&school, &guild.signs(&newer)).is(201);
    let since = house.now();
    house.wait(60);
    assert_eq!((&*at(&then), &*at(&since)), ("unknown", "active"));
}
