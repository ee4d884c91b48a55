//! The caller's own profile, read and replaced.

use serde_json::{Value, json};

use super::{Client, described, refusal};
use crate::support::house::House;

#[test]
fn a_profile_is_read_and_sent_back_whole() {
    for id_form in ["did:web", "https", "did:key"] {
        let house = House::open();
        let school = house.operator().registers("school", &["issuer"], id_form);
        let client = Client::of(&house);
        let client = client.with("school", &["profile.readonly", "profile.update"]);
        let answer = client.gets("getProfile").is(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let mut profile = answer.json();
        assert_eq!(profile["id"], school.id);
        assert_eq!(profile, school.get("/profiles/school").is(200).json());
        assert_eq!(client.gets("getProfile").is(200).json(), profile);

        let puts = |body: &Value| client.calls("putProfile").json(body).send();
        assert_eq!(puts(&profile).is(200).json(), profile, "{id_form}");
        profile["phone"] = json!("111-222-3333");
        profile.as_object_mut().unwrap().shift_remove("url");
        assert_eq!(puts(&profile).is(200).json(), profile);
        assert_eq!(school.get("/profiles/school").is(200).json(), profile);

        // As the standard's own example is written, with the tag of what was seen.
        let example = json!({
            "@context": ["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
            "type": "Profile",
            "id": school.id,
            "name": "Example University",
        });
        let seen = client.gets("getProfile").header("etag").unwrap().to_owned();
        let call = || client.calls("putProfile").header("If-Match", seen.clone());
        call().json(&example).send().is(200);
        assert_eq!(refusal(&call().json(&example).send(), 412), "unknown");
        assert_eq!(
            client.gets("getProfile").json()["name"],
            "Example University"
        );
        // What it may do is not its own to change, and stays.
        let listed = house.verifier().get("/profiles").is(200).json();
        assert_eq!(listed["profiles"][0]["roles"], json!(["issuer"]));
    }
}

#[test]
fn a_profile_that_is_not_ones_own_or_not_a_profile_is_refused() {
    let house = House::open();
    let (school, stranger) = (house.registrar("school"), house.registrar("stranger"));
    let client = Client::of(&house).with("school", &["profile.update"]);
    let before = house.store();
    let with = |member: &str, value: Value| {
        let mut body = json!({ "id": school.id, "type": ["Profile"], "name": "School" });
        body[member] = value;
        body
    };
    for (body, words) in [
        (
            with("id", json!(stranger.id)),
            "/id: the id of this profile is",
        ),
        (with("id", json!(7)), "/id"),
        (
            with("type", json!(["Profile", "Achievement"])),
            "/type: Profile is needed",
        ),
        (
            with("@context", json!(["https://far.example/context"])),
            "/@context",
        ),
        (
            with("@context", json!([{ "name": "https://far.example/" }])),
            "/@context",
        ),
        (with("roles", json!(["issuer", "accreditor"])), "/roles"),
        (with("statusHistory", json!("public")), "/statusHistory"),
        (with("slug", json!("other")), "/slug"),
        (with("endorsement", json!([])), "/endorsement"),
        (
            with("assertionMethod", json!(["did:example:x#key-1"])),
            "/assertionMethod",
        ),
        (with("name", json!("")), "/name"),
        (
            json!({ "id": school.id, "type": "Profile" }),
            "Profile needs \"name\"",
        ),
        (json!([]), ""),
    ] {
        let answer = client.calls("putProfile").json(&body).send();
        assert_eq!(refusal(&answer, 400), "invalid_data", "{body}");
        described(&answer, words);
    }
    assert_eq!(house.store(), before);
}
