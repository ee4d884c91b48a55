//! Journey 1: a profile and its keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::actors::text;
use crate::support::house::{House, ORIGIN};

#[test]
fn a_school_is_registered_and_anybody_finds_its_key() {
    profiles_and_did_documents(&House::open());
}

pub(super) fn profiles_and_did_documents(house: &House) {
    let body = json!({
        "slug": "harbour",
        "name": "Harbour School",
        "roles": ["issuer"],
        "url": "https://harbour.example/",
        "description": "Teaches how to <weld> & sail.",
    });
    let made = house.operator().post("/profiles", &body).is(201);
    assert_eq!(
        made.header("location"),
        Some("https://registry.example/profiles/harbour")
    );
    let id = "did:web:registry.example:profiles:harbour";

    // The profile, as asked for in each way.
    let profile = house.call("GET", "/profiles/harbour").send().is(200);
    assert_eq!(profile.header("content-type"), Some("application/ld+json"));
    assert_eq!(profile.json(), made.json());
    let profile = profile.json();
    assert_eq!(profile["id"], id);
    assert_eq!(profile["type"], json!(["Profile"]));
    assert_eq!(profile["name"], "Harbour School");
    let page = house.call("GET", "/profiles/harbour");
    let page = page.header("Accept", "text/html").send().is(200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert_eq!(page.header("vary"), Some("Accept, Accept-Language, Cookie"));
    assert!(page.text().contains("og:title"), "Open Graph tags");
    assert!(!page.text().contains("<weld>"), "text of others is escaped");

    // The DID document is where did:web says, and fits what Controlled Identifiers demand.
    let place = format!(
        "{ORIGIN}/{}/did.json",
        id.split(':').skip(3).collect::<Vec<_>>().join("/")
    );
    let did = house.call("GET", &place).send().is(200);
    assert_eq!(did.header("access-control-allow-origin"), Some("*"));
    assert_eq!(did.header("cache-control"), Some("public, max-age=3600"));
    let did = did.json();
    let multikey = keys_fit(&did, id);

    // The same key as a JSON Web Key.
    let keys = house
        .call("GET", "/profiles/harbour/jwks.json")
        .send()
        .is(200);
    assert_eq!(
        keys.header("content-type"),
        Some("application/jwk-set+json")
    );
    let key = &keys.json()["keys"][0];
    assert_eq!(key["iss"], id);
    assert_eq!(
        (&key["kty"], &key["crv"]),
        (&json!("OKP"), &json!("Ed25519"))
    );
    assert_eq!(URL_SAFE_NO_PAD.decode(text(&key["x"])).unwrap(), multikey);
    assert!(text(&key["kid"]).starts_with(&format!("{id}#")));
    assert_eq!(key.get("d"), None, "the secret half stays here");
}

/// Checks a controller document by the rules that verifiers apply, and gives the public key.
pub(super) fn keys_fit(document: &Value, id: &str) -> Vec<u8> {
    assert_eq!(document["id"], id);
    let asserting = document["assertionMethod"].as_array().expect("a list");
    let mut found = None;
    for method in document["verificationMethod"].as_array().expect("a list") {
        assert_eq!(method["controller"], id);
        assert!(text(&method["id"]).starts_with(&format!("{id}#")));
        assert!(
            asserting.contains(&method["id"]),
            "by reference: {document}"
        );
        if method["type"] == "Multikey" {
            let base58 = text(&method["publicKeyMultibase"]);
            let base58 = base58.strip_prefix('z').expect("base58btc").to_owned();
            let bytes = bs58::decode(base58).into_vec().unwrap();
            assert_eq!((bytes.len(), &bytes[..2]), (34, &[0xed, 0x01][..]));
            found = Some(bytes[2..].to_vec());
        }
    }
    found.expect("a Multikey")
}

#[test]
fn an_id_can_be_the_url_or_the_key_itself() {
    let house = House::open();
    let operator = house.operator();
    let url = operator.registers("by-url", &["issuer"], "https");
    assert_eq!(url.id, format!("{ORIGIN}/profiles/by-url"));
    // The profile is its own controller document, and there is no DID.
    let document = house.call("GET", &url.id).send().is(200).json();
    keys_fit(&document, &url.id);
    assert_eq!(document["name"], "The by-url");
    let none = house.call("GET", "/profiles/by-url/did.json").send();
    none.problem(404);

    let key = operator.registers("by-key", &["issuer"], "did:key");
    let public = key
        .id
        .strip_prefix("did:key:z")
        .expect("did:key, base58btc");
    let bytes = bs58::decode(public).into_vec().unwrap();
    assert_eq!((bytes.len(), &bytes[..2]), (34, &[0xed, 0x01][..]));
    let keys = house
        .call("GET", "/profiles/by-key/jwks.json")
        .send()
        .is(200);
    let x = URL_SAFE_NO_PAD
        .decode(text(&keys.json()["keys"][0]["x"]))
        .unwrap();
    assert_eq!(x, bytes[2..]);
    key.call("POST", "/profiles/by-key/keys")
        .send()
        .problem(409);
}

#[test]
fn a_slug_is_given_out_once_and_only_by_the_operator() {
    let house = House::open();
    let school = house.registrar("first");
    let again = json!({ "slug": "first", "name": "Another", "roles": ["issuer"] });
    let taken = house.operator().post("/profiles", &again).problem(409);
    assert!(text(&taken["detail"]).contains("first"), "{taken}");
    let before = house.store();
    let second = json!({ "slug": "second", "name": "Mine too", "roles": ["issuer"] });
    school.post("/profiles", &second).problem(403);
    assert_eq!(house.store(), before);
    house.call("GET", "/profiles/second").send().problem(404);
}

#[test]
fn a_profile_is_changed_by_who_saw_its_present_version() {
    let house = House::open();
    let school = house.registrar("school");
    let stranger = house.registrar("stranger");
    let seen = school.get("/profiles/school").is(200);
    let etag = seen.header("etag").expect("an entity tag").to_owned();
    let renamed = json!({ "name": "School of Welding" });

    stranger.put("/profiles/school", &renamed).problem(403);
    let stale = school
        .call("PUT", "/profiles/school")
        .header("If-Match", "\"stale\"");
    stale.json(&renamed).send().problem(412);
    assert_eq!(school.get("/profiles/school").body, seen.body);

    house.wait(60);
    let change = school
        .call("PUT", "/profiles/school")
        .header("If-Match", etag.as_str());
    let changed = change.clone().json(&renamed).send().is(200);
    assert_eq!(changed.json()["name"], "School of Welding");
    assert_eq!(changed.json()["id"], seen.json()["id"]);
    let now = school.get("/profiles/school").is(200);
    assert_ne!(now.header("etag"), Some(etag.as_str()));
    assert_eq!(
        now.header("last-modified"),
        Some("Sun, 01 Mar 2026 09:01:00 GMT")
    );
    assert_eq!(now.json()["url"], Value::Null, "PUT replaces");
    change.json(&renamed).send().problem(412);

    // Its own roles are not a profile's to give.
    let promoted = json!({ "name": "School", "roles": ["issuer", "accreditor"] });
    school.put("/profiles/school", &promoted).problem(403);
    house.operator().put("/profiles/school", &promoted).is(200);
}

#[test]
fn profiles_are_listed_page_by_page() {
    let house = House::open();
    let slugs = ["a", "b", "c", "d", "e"];
    for slug in slugs {
        house.registrar(slug);
    }
    let mut found = Vec::new();
    let mut target = Some("/profiles?limit=2".to_owned());
    while let Some(page) = target {
        let page = house.call("GET", &page).send().is(200);
        let profiles = page.json()["profiles"].as_array().unwrap().clone();
        assert!(profiles.len() <= 2);
        found.extend(profiles.iter().map(|profile| text(&profile["slug"])));
        target = page.next();
    }
    assert_eq!(found, slugs);
}

#[test]
fn an_achievement_is_defined_by_its_issuer_alone() {
    let house = House::open();
    let school = house.registrar("school");
    let accreditor = house.accreditor("accreditor");
    let id = school.defines("Welding");
    let shown = house.call("GET", &id).send().is(200).json();
    assert_eq!(
        (&shown["id"], &shown["name"]),
        (&json!(id), &json!("Welding"))
    );
    assert_eq!(shown["type"], json!(["Achievement"]));
    assert_eq!(shown["creator"]["id"], school.id);
    let page = house
        .call("GET", &id)
        .header("Accept", "text/html")
        .send()
        .is(200);
    assert!(page.text().contains("Welding"));

    let body = json!({ "name": "X", "description": "x", "criteria": { "narrative": "x" } });
    let before = house.store();
    accreditor
        .post("/profiles/school/achievements", &body)
        .problem(403);
    accreditor
        .post("/profiles/accreditor/achievements", &body)
        .problem(403);
    accreditor.put(&id, &body).problem(403);
    assert_eq!(house.store(), before);
    let listed = house
        .call("GET", "/profiles/school/achievements")
        .send()
        .is(200);
    assert_eq!(listed.json()["achievements"], json!([shown]));
}
