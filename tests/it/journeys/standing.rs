//! Journey 5, the look-ups: by subject, endorser, kind, standing and moment; by place and by
//! credential; one and ten thousand.

use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::house::{House, ORIGIN};

fn ids(answer: &Value) -> Vec<String> {
    let items = answer["endorsements"].as_array().unwrap();
    items.iter().map(|item| text(&item["id"])).collect()
}

/// A house with two boards, a school and its achievement, and four endorsements.
struct Scene<'h> {
    house: &'h House,
    school: Actor<'h>,
    north: Actor<'h>,
    of_school: String,
    of_achievement: String,
    revoked: String,
    by_south: String,
}

fn scene(house: &House) -> Scene<'_> {
    let school = house.registrar("school");
    let (north, south) = (house.accreditor("north"), house.accreditor("south"));
    let achievement = school.defines("Welding");
    let id = |endorsement: &Value| text(&endorsement["id"]);
    let of_school = id(&north.endorses(&school.id, "profile", true));
    let of_achievement = id(&north.endorses(&achievement, "achievement", false));
    house.wait(3_600);
    let withdrawn = north.endorses("https://far.example/1", "credential", false);
    house.wait(3_600);
    north.does("revoke", &withdrawn).is(200);
    let by_south = id(&south.endorses(&school.id, "profile", false));
    Scene {
        house,
        school,
        north,
        of_school,
        of_achievement,
        revoked: id(&withdrawn),
        by_south,
    }
}

#[test]
fn endorsements_are_found_by_whatever_is_known_of_them() {
    let house = House::open();
    let scene = scene(&house);
    let find = |query: &str| {
        let answer = scene
            .house
            .call("GET", &format!("/endorsements?{query}"))
            .send();
        let mut found = ids(&answer.is(200).json());
        found.sort();
        found
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    let Scene {
        of_school,
        of_achievement,
        revoked,
        by_south,
        ..
    } = &scene;
    let school = &scene.school.id;
    assert_eq!(
        find(""),
        sorted(&[of_school, of_achievement, revoked, by_south])
    );
    assert_eq!(
        find(&format!("subject={school}")),
        sorted(&[of_school, by_south])
    );
    let by_url = format!("subject={ORIGIN}/profiles/school");
    assert_eq!(find(&by_url), sorted(&[of_school, by_south]));
    assert_eq!(
        find("endorser=north"),
        sorted(&[of_school, of_achievement, revoked])
    );
    let by_id = format!("endorser={}", scene.north.id);
    assert_eq!(find(&by_id), sorted(&[of_school, of_achievement, revoked]));
    assert_eq!(find("kind=achievement"), sorted(&[of_achievement]));
    assert_eq!(find("standing=revoked"), sorted(&[revoked]));
    assert_eq!(find("standing=active&endorser=south"), sorted(&[by_south]));
    assert_eq!(
        find(&format!("subject={school}&endorser=north")),
        sorted(&[of_school])
    );
    let early = find("at=2026-03-01T09%3A30%3A00Z");
    assert_eq!(early, sorted(&[of_school, of_achievement]));
    let between = find("at=2026-03-01T10%3A30%3A00Z&standing=active");
    assert_eq!(between, sorted(&[of_school, of_achievement, revoked]));
    assert_eq!(find("subject=https://nobody.example"), sorted(&[]));

    for (query, pointer) in [
        ("kind=school", "?kind"),
        ("standing=good", "?standing"),
        ("at=yesterday", "?at"),
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("cursor=x", "?cursor"),
        ("endorser=nobody", "/endorser"),
    ] {
        let refused = house.call("GET", &format!("/endorsements?{query}")).send();
        assert_eq!(refused.problem(400)["pointer"], pointer);
    }
}

#[test]
fn endorsements_come_page_by_page_without_gap_or_double() {
    let house = House::open();
    let board = house.accreditor("board");
    let mut made: Vec<String> = (0..23)
        .map(|n| board.endorses(&format!("https://far.example/{n}"), "credential", false))
        .map(|endorsement| text(&endorsement["id"]))
        .collect();
    made.sort();
    for query in [
        "limit=5",
        "limit=23&endorser=board",
        "limit=1&standing=active",
    ] {
        let mut found = Vec::new();
        let mut target = Some(format!("/endorsements?{query}"));
        while let Some(page) = target {
            let page = house.call("GET", &page).send().is(200);
            found.extend(ids(&page.json()));
            target = page.next();
        }
        assert_eq!(found, made, "{query}");
    }
}

#[test]
fn many_subjects_are_answered_in_the_order_asked() {
    let house = House::open();
    let scene = scene(&house);
    let url = format!("{ORIGIN}/profiles/school");
    let north = scene.north.id.as_str();
    let subjects = [
        "https://far.example/1",
        "urn:nobody",
        &url,
        north,
        &scene.school.id,
    ];
    let answers = house.verifier().asks_about(&subjects);
    let told: Vec<(&str, &str)> = answers
        .iter()
        .map(|answer| {
            (
                answer["subject"].as_str().unwrap(),
                answer["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = ["revoked", "unknown", "active", "not-endorsed", "active"];
    let expected: Vec<(&str, &str)> = subjects.into_iter().zip(expected).collect();
    assert_eq!(told, expected);
    assert_eq!(answers[2]["endorsements"], answers[4]["endorsements"]);

    let none = json!({ "subjects": [] });
    house
        .verifier()
        .post("/endorsements/query", &none)
        .problem(400);
    let many = json!({ "subjects": vec!["urn:x"; 1_001] });
    house
        .verifier()
        .post("/endorsements/query", &many)
        .problem(400);
    let bad = json!({ "subjects": ["urn:x"], "at": "now" });
    let bad = house
        .verifier()
        .post("/endorsements/query", &bad)
        .problem(400);
    assert_eq!(bad["pointer"], "/at");
}

#[test]
fn ten_thousand_questions_are_answered_in_one_view_and_in_order() {
    batch(&House::open());
}

pub(super) fn batch(house: &House) {
    let school = house.registrar("big-school");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 5_000);
    let revoked: Vec<Value> = given
        .iter()
        .step_by(3)
        .map(|index| json!({ "index": index, "status": 1 }))
        .collect();
    let updates = json!({ "updates": revoked });
    school.post(&format!("{list}/updates"), &updates).is(200);
    // Each entry once as a number and once as text.
    let queries: Vec<Value> = (0..10_000)
        .map(|n| match n % 2 {
            0 => json!({ "list": list, "index": given[n / 2] }),
            _ => json!({ "list": list, "index": given[n / 2].to_string() }),
        })
        .collect();
    let answer = house
        .verifier()
        .post("/status/query", &json!({ "queries": queries }));
    let answer = answer.is(200).json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 10_000);
    for (n, result) in results.iter().enumerate() {
        let expected = if (n / 2) % 3 == 0 {
            "revoked"
        } else {
            "active"
        };
        assert_eq!(result["outcome"], expected, "question {n}");
        assert_eq!(result["revision"], 2, "one view");
    }
    let one_more: Vec<Value> = vec![queries[0].clone(); 10_001];
    let refused = house
        .verifier()
        .post("/status/query", &json!({ "queries": one_more }));
    assert_eq!(refused.problem(400)["pointer"], "/queries");
}

#[test]
fn what_is_not_known_is_told_apart_from_what_is_elsewhere_and_from_what_is_good() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let absent = format!("{ORIGIN}/status-lists/{}", "0".repeat(20));
    let elsewhere = "https://far.example/status/3";
    let retrieval = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";
    let range = "https://www.w3.org/TR/vc-data-model#RANGE_ERROR";
    let cases = [
        (list.as_str(), 131_072, "unknown", 400, range),
        (absent.as_str(), 3, "unknown", 404, retrieval),
        (elsewhere, 3, "unreachable", 404, retrieval),
    ];
    let mut queries = vec![json!({ "list": list, "index": 0 })];
    for (list, index, _, status, kind) in cases {
        queries.push(json!({ "list": list, "index": index }));
        let alone = house.call("GET", &format!("/status?list={list}&index={index}"));
        assert_eq!(alone.send().problem(status)["type"], kind);
    }
    let answer = house
        .verifier()
        .post("/status/query", &json!({ "queries": queries }));
    let answer = answer.is(200).json();
    assert_eq!(
        answer["results"][0]["outcome"], "active",
        "as the published list shows it"
    );
    for (n, (_, _, outcome, _, kind)) in cases.into_iter().enumerate() {
        let result = &answer["results"][n + 1];
        assert_eq!(
            (&result["outcome"], &result["problem"]["type"]),
            (&json!(outcome), &json!(kind))
        );
        assert_eq!(result.get("status"), None);
        assert_eq!(result.get("valid"), None, "never a bare false");
    }
    for (query, pointer) in [
        (json!({ "list": list }), "/queries/0"),
        (
            json!({ "list": list, "index": 1, "credential": "urn:x" }),
            "/queries/0",
        ),
        (json!({ "list": list, "index": -1 }), "/queries/0/index"),
        (json!({ "list": list, "index": 1.5 }), "/queries/0/index"),
        (json!({ "list": list, "index": "one" }), "/queries/0/index"),
    ] {
        let refused = school.post("/status/query", &json!({ "queries": [query] }));
        assert_eq!(refused.problem(400)["pointer"], pointer);
    }
}
