//! Every endorsed issuer in one document.

use serde_json::json;

use super::{OUTSIDE, ask, claims, fetch, listed, refused, registry, with_period};
use crate::support::actors::text;
use crate::support::house::House;

#[test]
fn the_registry_is_the_document_of_all_endorsed_issuers() {
    let house = House::open();
    assert_eq!(registry(&house)["registry"], json!({}));
    let board = house.accreditor("board");
    let body = json!({
        "slug": "harbour", "roles": ["issuer"], "name": "Harbour \"School\"",
        "url": "https://harbour.example/",
        "address": {
            "type": ["Address"], "addressLocality": "Zürich", "addressRegion": "ZH",
            "addressCountry": "Switzerland",
        },
    });
    let harbour = text(&house.operator().post("/profiles", &body).is(201).json()["id"]);
    house.registrar("unendorsed");
    let other = house.accreditor("other-board");
    house.wait(60);
    let endorsement = board.endorses(&harbour, "profile", true);
    board.endorses(OUTSIDE, "profile", false);
    // None of these makes an issuer of anybody.
    board.endorses(&other.id, "profile", false);
    board.endorses(
        "https://elsewhere.example/achievement",
        "achievement",
        false,
    );
    board.endorses("https://elsewhere.example/credential", "credential", false);

    let document = registry(&house);
    let expected = json!({
        "meta": { "created": "2026-03-01T09:00:00Z", "updated": "2026-03-01T09:01:00Z" },
        "registry": {
            harbour.clone(): {
                "name": "Harbour \"School\"",
                "location": "Zürich, ZH, Switzerland",
                "url": "https://harbour.example/",
            },
            OUTSIDE: {},
        },
    });
    assert_eq!(document, expected, "a name is the registered one or none");

    // At once with each change, by whatever way it comes.
    board.does("suspend", &endorsement).is(200);
    assert_eq!(listed(&house), [OUTSIDE]);
    board.does("reinstate", &endorsement).is(200);
    assert_eq!(listed(&house), [OUTSIDE, &harbour]);
    let renamed = json!({ "name": "Harbour College" });
    house.operator().put("/profiles/harbour", &renamed).is(200);
    let entry = &registry(&house)["registry"][&harbour];
    assert_eq!(entry, &json!({ "name": "Harbour College" }));
    let demoted = json!({ "name": "Harbour College", "roles": ["accreditor"] });
    house.operator().put("/profiles/harbour", &demoted).is(200);
    assert_eq!(listed(&house), [OUTSIDE], "an issuer no more");
    let again = json!({ "name": "Harbour College", "roles": ["issuer"] });
    house.operator().put("/profiles/harbour", &again).is(200);
    house.wait(60);
    board.does("revoke", &endorsement).is(200);
    assert_eq!(listed(&house), [OUTSIDE]);
    assert_eq!(registry(&house)["meta"]["updated"], "2026-03-01T09:02:00Z");
}

#[test]
fn an_endorsement_is_in_it_for_its_period() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    with_period(
        &board,
        &school.id,
        "2026-03-01T09:10:00Z",
        "2026-03-01T09:20:00Z",
    );
    assert_eq!(listed(&house), [""; 0]);
    house.wait(599);
    assert_eq!(listed(&house), [""; 0]);
    house.wait(1);
    assert_eq!(listed(&house), [&*school.id]);
    assert_eq!(registry(&house)["meta"]["updated"], "2026-03-01T09:10:00Z");
    house.wait(599);
    // What is stated ends with the endorsement.
    let statement = claims(&house, &fetch(&house, &school.id), "entity-statement+jwt");
    assert_eq!(statement["exp"].as_i64(), Some(1_772_356_800));
    house.wait(1);
    assert_eq!(listed(&house), [""; 0]);
    assert_eq!(registry(&house)["meta"]["updated"], "2026-03-01T09:20:00Z");
    let gone = refused(&fetch(&house, &school.id), 404, "not_found");
    assert_eq!(gone["outcome"], "expired");
}

#[test]
fn the_document_is_kind_to_caches_and_to_pages_of_others() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let first = ask(&house, "/registry.json").is(200);
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("public, max-age=0"));
    assert_eq!(first.header("access-control-allow-origin"), Some("*"));
    assert!(first.header("last-modified").is_some());
    let again = |method: &str, tag: &str| {
        let call = house.call(method, "/registry.json");
        call.header("If-None-Match", tag).send()
    };
    // What concerns no issuer's standing changes nothing.
    school.opens_list("revocation");
    school.defines("Welding");
    house.registrar("another");
    house.wait(1_000);
    again("GET", &etag).is(304);
    again("HEAD", &etag).is(304);
    board.endorses(&school.id, "profile", false);
    let now = again("GET", &etag).is(200);
    let head = house.call("HEAD", "/registry.json").send().is(200);
    assert_eq!(head.header("content-length"), now.header("content-length"));
    assert_eq!(head.header("etag"), now.header("etag"));
    for target in [
        "/registry.json",
        "/federation/fetch",
        "/federation/trust_mark_status",
    ] {
        let preflight = house.call("OPTIONS", target).send().is(204);
        assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    }
    let statement = fetch(&house, &school.id);
    assert_eq!(statement.header("access-control-allow-origin"), Some("*"));
    let target = format!("/federation/fetch?sub={}", school.id);
    let head = house.call("HEAD", &target).send().is(200);
    assert_eq!(
        head.header("content-type"),
        statement.header("content-type")
    );
}
