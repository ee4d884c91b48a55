//! The registry's own identity: a DID, and keys that are its operator's to change.

use goodstanding::vc::jwks::select;
use goodstanding::vc::jws::Jws;
use serde_json::{Value, json};

use super::register::keys_fit;
use crate::support::actors::text;
use crate::support::house::{House, ORIGIN, Plan};
use crate::support::jwt::open;

const DID: &str = "did:web:registry.example";

fn key_set(house: &House) -> Value {
    let answer = house.call("GET", "/.well-known/jwks.json").send().is(200);
    let media_type = answer.header("content-type");
    assert_eq!(media_type, Some("application/jwk-set+json"));
    answer.json()
}

fn kids(set: &Value) -> Vec<String> {
    let keys = set["keys"].as_array().expect("keys");
    keys.iter().map(|key| text(&key["kid"])).collect()
}

/// The `kid` and the claims of the registry's statement about itself.
fn stated(house: &House) -> (String, Value) {
    let place = "/.well-known/openid-federation";
    let statement = house.call("GET", place).send().is(200).text();
    let (header, claims) = open(&statement, "entity-statement+jwt", &key_set(house));
    (text(&header["kid"]), claims)
}

#[test]
fn the_registry_has_a_did_from_its_first_profile_on() {
    let house = House::open();
    let ask = |target: &str| house.call("GET", target).send();
    let none = ask("/.well-known/did.json").problem(404);
    assert!(text(&none["detail"]).contains("first profile"), "{none}");
    assert_eq!(key_set(&house), json!({ "keys": [] }));
    let operator = house.operator();
    let refused = operator.call("POST", "/keys").send().problem(409);
    assert!(text(&refused["detail"]).contains("first profile"));

    house.registrar("school");
    let did = ask("/.well-known/did.json").is(200);
    assert_eq!(did.header("content-type"), Some("application/did+ld+json"));
    assert_eq!(did.header("access-control-allow-origin"), Some("*"));
    assert_eq!(did.header("cache-control"), Some("public, max-age=3600"));
    let document = did.json();
    keys_fit(&document, DID);
    assert_eq!(document["alsoKnownAs"], json!([ORIGIN]));
    assert_eq!(
        document["verificationMethod"][0]["id"],
        format!("{DID}#key-1")
    );

    // A second profile makes no second key.
    house.registrar("college");
    assert_eq!(ask("/.well-known/did.json").json(), document);
    let keys = operator.get("/keys").is(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(
        keys["keys"][0]["verificationMethod"],
        format!("{DID}#key-1")
    );
}

#[test]
fn the_did_names_the_port_where_the_origin_has_one() {
    let house = Plan::new().in_development().open();
    house.registrar("school");
    let document = house
        .call("GET", "/.well-known/did.json")
        .header("Host", "localhost:8080")
        .send()
        .is(200)
        .json();
    keys_fit(&document, "did:web:localhost%3A8080");
}

#[test]
fn keys_of_the_host_are_those_of_issuers_by_url_and_say_whose_they_are() {
    let house = House::open();
    let operator = house.operator();
    let by_url = operator.registers("by-url", &["issuer"], "https");
    operator.registers("by-did", &["issuer"], "did:web");
    operator.registers("by-key", &["issuer"], "did:key");
    let other = operator.registers("other", &["issuer"], "https");
    let set = key_set(&house);
    let kid = |id: &str, number: u32| format!("{id}#key-{number}-jwk");
    let (first, last) = (kid(DID, 1), kid(&other.id, 1));
    assert_eq!(
        kids(&set),
        [first.clone(), kid(&by_url.id, 1), last.clone()]
    );
    for key in set["keys"].as_array().unwrap() {
        let whose = text(&key["kid"]);
        assert_eq!(key["iss"], whose.split('#').next().unwrap());
    }

    // A verifier of Open Badges finds the key of the issuer there, and of nobody else.
    let badge = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": by_url.id,
        "credentialSubject": { "id": "did:example:holder" },
    });
    let body = json!({ "credential": badge, "options": { "securing": "vc+jwt" } });
    let issued = by_url.post("/credentials/issue", &body).is(201).json();
    let jwt = crate::support::jwt::enveloped(&issued["verifiableCredential"]);
    let jws = Jws::parse(&jwt).unwrap();
    let found = select(&set, jws.header(), &by_url.id).expect("the issuer's");
    jws.verify(&found).expect("signed by it");
    assert!(select(&set, jws.header(), &other.id).is_err());

    // A key that was given up is gone at once, and the one in its place is there.
    let target = "/profiles/by-url/keys/key-1/revoke";
    by_url
        .post(target, &json!({ "since": "2026-03-01T08:00:00Z" }))
        .is(200);
    assert_eq!(kids(&key_set(&house)), [first, kid(&by_url.id, 2), last]);
}

#[test]
fn the_registry_changes_its_key_as_a_profile_does() {
    let house = House::open();
    let operator = house.operator();
    house.registrar("school");
    let made = operator.call("POST", "/keys").send().is(201).json();
    assert_eq!(made["id"], "key-2");
    assert_eq!(made["signsFrom"], "2026-03-01T10:00:00Z");
    let method = text(&made["verificationMethod"]);
    let document = house.call("GET", "/.well-known/did.json").send().json();
    assert!(
        document["assertionMethod"]
            .as_array()
            .unwrap()
            .contains(&json!(method))
    );

    // It stands there for the max-age of the document before it signs, and the first key before
    // that cannot go.
    assert_eq!(stated(&house).0, format!("{DID}#key-1-jwk"));
    operator
        .call("POST", "/keys/key-1/retire")
        .send()
        .problem(409);
    house.wait(3_600);
    assert_eq!(stated(&house).0, format!("{DID}#key-2-jwk"));
    let retired = operator
        .call("POST", "/keys/key-1/retire")
        .send()
        .is(200)
        .json();
    assert_eq!(retired["retiredAt"], "2026-03-01T10:00:00Z");
    let listed = [format!("{DID}#key-1-jwk"), format!("{DID}#key-2-jwk")];
    assert_eq!(kids(&key_set(&house)), listed, "what it signed stays good");

    // After the last key is lost, another signs at once.
    let lost = json!({ "since": "2026-03-01T09:30:00Z" });
    operator.post("/keys/key-2/revoke", &lost).is(200);
    assert_eq!(stated(&house).0, format!("{DID}#key-3-jwk"));
    let listed = [format!("{DID}#key-1-jwk"), format!("{DID}#key-3-jwk")];
    assert_eq!(kids(&key_set(&house)), listed);
    let document = house.call("GET", "/.well-known/did.json").send().json();
    assert_eq!(
        document["verificationMethod"][2]["revoked"],
        "2026-03-01T09:30:00Z"
    );
    let relied_on = document["assertionMethod"].as_array().unwrap();
    assert!(!relied_on.contains(&json!(method)), "{document}");
}

#[test]
fn the_registrys_keys_are_its_operators_business() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let since = json!({ "since": "2026-03-01T08:00:00Z" });
    school.get("/keys").problem(403);
    school.call("POST", "/keys").send().problem(403);
    school
        .call("POST", "/keys/key-1/retire")
        .send()
        .problem(403);
    let refused = school.post("/keys/key-1/revoke", &since).problem(403);
    assert_eq!(refused["type"], "urn:goodstanding:problem:operator-only");
    let stranger = house.verifier();
    stranger.get("/keys").problem(401);
    stranger.post("/keys", &json!({})).problem(401);
    let operator = house.operator();
    operator.post("/keys/key-9/revoke", &since).problem(404);
    operator.post("/keys/key-x/revoke", &since).problem(404);
    operator.post("/keys", &json!({ "slug": "x" })).problem(400);
    let future = json!({ "since": "2026-03-01T09:00:01Z" });
    let refused = operator.post("/keys/key-1/revoke", &future).problem(400);
    assert_eq!(refused["pointer"], "/since");
    assert_eq!(house.store(), before);

    // One request under one key is one key, however often it is sent.
    for _ in 0..2 {
        let again = operator.call("POST", "/keys").key("one").send().is(201);
        assert_eq!(again.json()["id"], "key-2");
    }
}

#[test]
fn a_store_of_an_older_program_gets_the_key_at_its_start() {
    use goodstanding::ids::ProfileId;
    use goodstanding::store::engine::Batch;
    use goodstanding::store::tables::KEYS;

    let (clock, engine) = {
        let house = House::open();
        house.registrar("school");
        (house.clock.clone(), house.engine.clone())
    };
    let own = ProfileId::REGISTRY.0.to_be_bytes();
    let mut batch = Batch::default();
    for (place, _) in KEYS.scan(&*engine, &own, None, 9).unwrap() {
        KEYS.delete(&mut batch, &place);
    }
    engine.commit(batch).unwrap();
    let logged = engine.head().seq;

    let house = Plan::over(engine.clone(), clock.clone()).seeded(2).open();
    let document = house.call("GET", "/.well-known/did.json").send().is(200);
    keys_fit(&document.json(), DID);
    assert!(engine.head().seq > logged, "the log says so");
    let document = document.json();
    drop(house);
    let house = Plan::over(engine, clock).seeded(3).open();
    let again = house.call("GET", "/.well-known/did.json").send().is(200);
    assert_eq!(again.json(), document, "once");
}
