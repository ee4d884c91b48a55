//! Who sees which request and which tasks.

use serde_json::json;

use super::{REQUESTS_PATH, STEPS, asks, listed, request, sorted, step};
use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::{House, ORIGIN};

#[test]
fn each_side_sees_a_request_and_nobody_else_learns_of_it() {
    let house = House::open();
    let operator = house.operator();
    let [school, college] = ["school", "college"].map(|slug| house.registrar(slug));
    let [board, council] = ["board", "council"].map(|slug| house.accreditor(slug));
    let one = asks(&school, &board);
    let two = asks(&school, &council);
    let three = asks(&college, &board);
    let four = asks(&board, &council);
    let all = || sorted([&one, &two, &three, &four].map(String::clone).to_vec());
    for (actor, sees) in [
        (&school, vec![&one, &two]),
        (&college, vec![&three]),
        (&board, vec![&one, &three, &four]),
        (&council, vec![&two, &four]),
        (&operator, vec![&one, &two, &three, &four]),
    ] {
        let sees: Vec<String> = sees.into_iter().cloned().collect();
        assert_eq!(
            sorted(listed(actor, "")),
            sorted(sees.clone()),
            "{}",
            actor.slug
        );
        for id in all() {
            if sees.contains(&id) {
                assert_eq!(actor.get(&id).is(200).json()["id"], id);
                continue;
            }
            // As if there were none.
            let hidden = actor.get(&id).problem(404);
            let absent = format!("{ORIGIN}{REQUESTS_PATH}/{}", "0".repeat(20));
            let none = actor.get(&absent).problem(404);
            assert_eq!(
                (&hidden["type"], &hidden["title"]),
                (&none["type"], &none["title"])
            );
            for name in STEPS {
                let hidden = step(actor, &id, name).problem(404);
                assert_eq!(hidden["type"], none["type"], "{name}");
            }
        }
    }
    house.verifier().get(&one).problem(401);
    house.verifier().get(REQUESTS_PATH).problem(401);

    for (actor, query, found) in [
        (&board, "?accreditor=board", vec![&one, &three]),
        (&board, "?accreditor=council", vec![&four]),
        (&board, "?requester=school", vec![&one]),
        (&board, "?requester=board", vec![&four]),
        (&board, "?accreditor=council&requester=school", vec![]),
        (&board, "?accreditor=board&requester=college", vec![&three]),
        (&school, "?requester=college", vec![]),
        (
            &school,
            "?requester=school&state=requested",
            vec![&one, &two],
        ),
        (&school, "?state=approved", vec![]),
        (&operator, "?accreditor=council", vec![&two, &four]),
        (&operator, "?requester=school", vec![&one, &two]),
        (&operator, "?requester=school&accreditor=board", vec![&one]),
    ] {
        let found = found.into_iter().cloned().collect();
        assert_eq!(
            sorted(listed(actor, query)),
            sorted(found),
            "{} {query}",
            actor.slug
        );
    }
    let by_id = format!("?accreditor={}", board.id);
    assert_eq!(listed(&school, &by_id), [one]);
    for (query, pointer) in [
        ("?accreditor=nobody", "?accreditor"),
        ("?requester=nobody", "?requester"),
        ("?state=open", "?state"),
        ("?cursor=x", "?cursor"),
        ("?limit=0", "?limit"),
    ] {
        let refused = board.get(&format!("{REQUESTS_PATH}{query}")).problem(400);
        assert_eq!(refused["pointer"], pointer);
    }
}

#[test]
fn lists_of_requests_and_of_tasks_go_on_page_by_page() {
    let house = House::open();
    let board = house.accreditor("board");
    let schools: Vec<Actor<'_>> = (0..7)
        .map(|n| house.registrar(&format!("school-{n}")))
        .collect();
    let mut all: Vec<String> = schools.iter().map(|school| asks(school, &board)).collect();
    let council = house.accreditor("council");
    let mut own = vec![asks(&board, &council)];
    step(&council, &own[0], "ask").is(200);
    all.append(&mut own);
    for school in &schools {
        let body = json!({
            "endorser": "board", "name": "x", "validUntil": "2026-03-02T00:00:00Z",
            "subject": { "id": school.id, "kind": "profile" },
        });
        board.post("/endorsements", &body).is(201);
    }
    let walk = |mut target: String, member: &str| {
        let mut found = Vec::new();
        loop {
            let page = board.get(&target).is(200);
            let items = page.json()[member].as_array().unwrap().clone();
            assert!(items.len() <= 3);
            found.extend(items);
            match page.next() {
                Some(next) => target = next,
                None => return found,
            }
        }
    };
    let found = walk(format!("{REQUESTS_PATH}?limit=3"), "requests");
    let found: Vec<String> = found.iter().map(|item| text(&item["id"])).collect();
    assert_eq!(found.len(), 8, "each once");
    assert_eq!(sorted(found), sorted(all));

    let tasks = walk("/profiles/board/tasks?limit=3".into(), "tasks");
    let at_once = board.get("/profiles/board/tasks").is(200).json();
    assert_eq!(json!(tasks), at_once["tasks"]);
    let kinds: Vec<&str> = tasks
        .iter()
        .map(|task| task["kind"].as_str().unwrap())
        .collect();
    let expected = [["request"; 7].as_slice(), &["asked"], &["expires-soon"; 7]].concat();
    assert_eq!(kinds, expected);
    assert_eq!(at_once["asOf"], "2026-03-01T09:00:00Z");
}

#[test]
fn a_page_of_long_requests_is_a_short_one() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let links: Vec<String> = (10..30)
        .map(|n| format!("https://a.example/{n}{}", "x".repeat(2_000)))
        .collect();
    // Each takes 40 KB and more, and a page about 4 MB.
    for n in 0..110 {
        let achievement = school.defines(&format!("Welding {n}"));
        let mut body = request(&board, &achievement, "achievement");
        body["evidence"] = json!(links);
        school.post(REQUESTS_PATH, &body).is(201);
    }
    let first = board.get(&format!("{REQUESTS_PATH}?limit=1000")).is(200);
    let shown = |answer: &Answer| answer.json()["requests"].as_array().map(Vec::len);
    assert!(first.body.len() < 5_000_000, "{}", first.body.len());
    let second = board.get(&first.next().expect("there are more")).is(200);
    assert_eq!(second.next(), None);
    assert_eq!(
        shown(&first).zip(shown(&second)).map(|(a, b)| a + b),
        Some(110)
    );
}

#[test]
fn tasks_are_told_to_whom_they_are_for() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    asks(&school, &board);
    let target = "/profiles/board/tasks";
    house.operator().get(target).is(200);
    house.verifier().get(target).problem(401);
    let hidden = school.get(target).problem(404);
    let none = school.get("/profiles/nobody/tasks").problem(404);
    assert_eq!(hidden["type"], none["type"]);
    let elsewhere = format!("{target}?cursor=queue-{}", "0".repeat(20));
    for target in [&format!("{target}?cursor=x"), &elsewhere] {
        assert_eq!(board.get(target).problem(400)["pointer"], "?cursor");
    }
    let at = board
        .get(&format!("{target}?limit=1"))
        .is(200)
        .next()
        .unwrap();
    let moved = at.replace("/board/", "/school/");
    assert_eq!(school.get(&moved).problem(400)["pointer"], "?cursor");
}
