//! What the registry states of itself and of its subordinates.

use serde_json::json;

use super::{OUTSIDE, ask, claims, encoded, fetch, ids_at, refused};
use crate::support::actors::text;
use crate::support::house::{House, ORIGIN, Plan};

#[test]
fn the_entity_configuration_says_where_everything_is() {
    let house = House::open();
    let place = "/.well-known/openid-federation";
    refused(&ask(&house, place), 404, "not_found");
    house.accreditor("board");
    let answer = ask(&house, place).is(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    let own = claims(&house, &answer, "entity-statement+jwt");
    assert_eq!((&own["iss"], &own["sub"]), (&json!(ORIGIN), &json!(ORIGIN)));
    let (iat, exp) = (own["iat"].as_i64().unwrap(), own["exp"].as_i64().unwrap());
    assert_eq!((iat, exp - iat), (1_772_355_600, 3_600));
    assert_eq!(own["jwks"], ask(&house, "/.well-known/jwks.json").json());
    assert!(
        own.get("authority_hints").is_none(),
        "a trust anchor has none above"
    );
    let about = &own["metadata"]["federation_entity"];
    assert_eq!(about["organization_name"], "registry.example");
    let expected = [
        ("federation_fetch_endpoint", "GET"),
        ("federation_list_endpoint", "GET"),
        ("federation_trust_mark_status_endpoint", "POST"),
        ("federation_trust_mark_list_endpoint", "GET"),
        ("federation_trust_mark_endpoint", "GET"),
        ("federation_historical_keys_endpoint", "GET"),
    ];
    for (name, method) in expected {
        let endpoint = text(&about[name]);
        assert!(
            endpoint.starts_with(&format!("{ORIGIN}/federation/")),
            "{endpoint}"
        );
        let allowed = house.call("OPTIONS", &endpoint).send().is(204);
        assert!(
            allowed.header("allow").unwrap().contains(method),
            "{endpoint}"
        );
    }
    let endpoints = about.as_object().unwrap().keys();
    let endpoints = endpoints.filter(|name| name.ends_with("_endpoint"));
    assert_eq!(endpoints.count(), expected.len());
}

#[test]
fn a_statement_is_made_of_endorsed_issuers_alone() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let unendorsed = refused(&fetch(&house, &school.id), 404, "not_found");
    assert_eq!(unendorsed["outcome"], "not-endorsed");
    let unheard = refused(&fetch(&house, "did:web:nobody.example"), 404, "not_found");
    assert_eq!(unheard["outcome"], "unknown");
    let board_itself = refused(&fetch(&house, &board.id), 404, "not_found");
    assert_eq!(board_itself["outcome"], "not-endorsed");

    let endorsement = board.endorses(&school.id, "profile", false);
    let statement = claims(&house, &fetch(&house, &school.id), "entity-statement+jwt");
    let keys = ask(&house, "/profiles/school/jwks.json").json();
    assert_eq!(
        statement,
        json!({
            "iss": ORIGIN,
            "sub": school.id,
            "iat": 1_772_355_600,
            "exp": 1_772_355_900,
            "source_endpoint": format!("{ORIGIN}/federation/fetch"),
            "metadata": { "federation_entity": {
                "organization_name": "The school",
                "organization_uri": "https://school.example/",
                "homepage_uri": "https://school.example/",
            } },
            "jwks": keys,
        })
    );
    // By the profile's URL too, and named as it is registered.
    let by_url = fetch(&house, &format!("{ORIGIN}/profiles/school"));
    assert_eq!(
        claims(&house, &by_url, "entity-statement+jwt")["sub"],
        school.id
    );
    // Other parameters are ignored, as the standard demands.
    let more = format!("/federation/fetch?sub={}&iss=x", school.id);
    ask(&house, &more).is(200);

    board.does("revoke", &endorsement).is(200);
    let revoked = refused(&fetch(&house, &school.id), 404, "not_found");
    assert_eq!(revoked["outcome"], "revoked");

    // Of somebody elsewhere only what the id says by itself.
    board.endorses(OUTSIDE, "profile", false);
    let statement = claims(&house, &fetch(&house, OUTSIDE), "entity-statement+jwt");
    assert_eq!(statement["metadata"], json!({ "federation_entity": {} }));
    let kid = format!("{OUTSIDE}#{}", &OUTSIDE["did:key:".len()..]);
    assert_eq!(statement["jwks"]["keys"][0]["kid"], kid);
    board.endorses("did:web:college.example", "profile", false);
    let elsewhere = fetch(&house, "did:web:college.example");
    let statement = claims(&house, &elsewhere, "entity-statement+jwt");
    assert!(statement.get("jwks").is_none(), "{statement}");
}

#[test]
fn a_subject_that_is_none_is_refused_by_name() {
    let house = House::open();
    for (query, words) in [
        ("", "sub is needed"),
        ("?sub=", "sub is needed"),
        ("?subject=did:web:a.example", "sub is needed"),
        ("?sub=school", "URL"),
        ("?sub=did:web:a.example%23key-1", "fragment"),
        ("?sub=https://a.example/%23key-1", "fragment"),
        ("?sub=did:web:a.example&sub=did:web:b.example", "twice"),
        ("?sub=https://registry.example", "itself"),
        ("?sub=did:web:registry.example", "itself"),
        (&format!("?sub=did:web:{}", "a".repeat(10_000)), "2,048"),
    ] {
        let answer = ask(&house, &format!("/federation/fetch{query}"));
        let body = refused(&answer, 400, "invalid_request");
        assert!(
            text(&body["error_description"]).contains(words),
            "{query}: {body}"
        );
        assert_eq!(body["pointer"], "?sub");
    }
    house.call("POST", "/federation/fetch").send().problem(405);
}

/// The DCC's client writes a DID into the query as it is, so that the port of a did:web arrives
/// decoded.
#[test]
fn a_did_with_a_port_is_found_however_it_was_sent() {
    let house = Plan::new().in_development().open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    board.endorses(&school.id, "profile", false);
    assert_eq!(school.id, "did:web:localhost%3A8080:profiles:school");
    for sub in [
        school.id.clone(),
        encoded(&school.id),
        "did:web:localhost:8080:profiles:school".to_owned(),
    ] {
        let answer = ask(&house, &format!("/federation/fetch?sub={sub}"));
        let statement = claims(&house, &answer, "entity-statement+jwt");
        assert_eq!(statement["sub"], school.id, "{sub}");
    }
    let other = "/federation/fetch?sub=did:web:localhost:8081:profiles:school";
    refused(&ask(&house, other), 404, "not_found");
}

#[test]
fn subordinates_are_listed_by_type_and_by_trust_mark() {
    let house = House::open();
    let (school, college) = (house.registrar("school"), house.registrar("college"));
    let (board, guild) = (house.accreditor("board"), house.accreditor("guild"));
    board.endorses(&school.id, "profile", false);
    board.endorses(&school.id, "profile", false);
    guild.endorses(&school.id, "profile", false);
    guild.endorses(&college.id, "profile", false);
    let list = |query: &str| ids_at(&house, &format!("/federation/list{query}"));
    let both = [school.id.clone(), college.id.clone()];
    let none: [String; 0] = [];
    for query in [
        "",
        "?entity_type=federation_entity",
        "?trust_marked=true",
        "?unheard=of",
    ] {
        assert_eq!(list(query), both, "{query}");
    }
    assert_eq!(list("?entity_type=openid_provider"), none);
    let of = |slug: &str| encoded(&format!("{ORIGIN}/profiles/{slug}"));
    assert_eq!(
        list(&format!("?trust_mark_type={}", of("board"))),
        both[..1]
    );
    let marked = |query: &str| {
        let target = format!("/federation/trust_mark_list?trust_mark_type={query}");
        ids_at(&house, &target)
    };
    assert_eq!(marked(&of("guild")), both);
    assert_eq!(
        marked(&format!("{}&sub={}", of("guild"), college.id)),
        both[1..]
    );
    assert_eq!(marked(&format!("{}&sub={}", of("board"), college.id)), none);
    let nobody = house.accreditor("nobody");
    assert_eq!(
        marked(&encoded(&nobody.id)),
        none,
        "an accreditor, by its DID as well"
    );

    for (target, status, error) in [
        (
            "/federation/list?intermediate=true",
            400,
            "unsupported_parameter",
        ),
        (
            "/federation/list?trust_marked=perhaps",
            400,
            "invalid_request",
        ),
        ("/federation/list?trust_mark_type=urn:x", 404, "not_found"),
        ("/federation/trust_mark_list", 400, "invalid_request"),
        (
            "/federation/trust_mark_list?trust_mark_type=urn:x",
            404,
            "not_found",
        ),
        (
            &format!(
                "/federation/trust_mark_list?trust_mark_type={}",
                of("school")
            ),
            404,
            "not_found",
        ),
        (
            &format!(
                "/federation/trust_mark_list?trust_mark_type={}",
                of("nowhere")
            ),
            404,
            "not_found",
        ),
        (
            &format!("/federation/trust_mark?trust_mark_type={}", of("board")),
            400,
            "invalid_request",
        ),
        (
            &format!("/federation/trust_mark?sub={}", school.id),
            400,
            "invalid_request",
        ),
    ] {
        refused(&ask(&house, target), status, error);
    }
}

#[test]
fn keys_out_of_use_are_told_with_their_times() {
    let house = House::open();
    house.registrar("school");
    let keys = || {
        let answer = ask(&house, "/federation/historical_keys").is(200);
        let told = claims(&house, &answer, "jwk-set+jwt");
        assert_eq!(told["iss"], ORIGIN);
        told["keys"].clone()
    };
    assert_eq!(keys(), json!([]));
    let operator = house.operator();
    operator.call("POST", "/keys").send().is(201);
    house.wait(3_600);
    operator.call("POST", "/keys/key-1/retire").send().is(200);
    let mut first = ask(&house, "/.well-known/jwks.json").json()["keys"][0].take();
    first["iat"] = json!(1_772_355_600);
    first["exp"] = json!(1_772_359_200);
    assert_eq!(keys(), json!([first]));
    let since = json!({ "since": "2026-03-01T09:30:00Z" });
    operator.post("/keys/key-1/revoke", &since).is(200);
    first["revoked"] = json!({ "revoked_at": 1_772_357_400, "reason": "compromised" });
    assert_eq!(keys(), json!([first]));
}
