//! What a repetition, a crowd or a crash makes of a request: one of everything.

use std::sync::Arc;
use std::thread;

use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::store::tables::{ENDORSEMENTS, REQUESTS};
use serde_json::{Value, json};

use super::{REQUESTS_PATH, asks, endorsements, listed, request, step, words};
use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::{House, ORIGIN, Plan, clock};

#[test]
fn one_request_for_the_same_is_open_at_a_time() {
    let house = House::open();
    let school = house.registrar("school");
    let [board, council] = ["board", "council"].map(|slug| house.accreditor(slug));
    let first = asks(&school, &board);
    let by_url = format!("{ORIGIN}/profiles/school");
    for subject in [&school.id, &by_url] {
        let refused = school.post(REQUESTS_PATH, &request(&board, subject, "profile"));
        let refused = refused.problem(409);
        assert_eq!(refused["type"], "urn:goodstanding:problem:request-open");
        assert_eq!(refused["request"], json!(first));
    }
    step(&board, &first, "ask").is(200);
    let again = || school.post(REQUESTS_PATH, &request(&board, &school.id, "profile"));
    again().problem(409);
    // Another accreditor and another subject are other requests.
    asks(&school, &council);
    let achievement = school.defines("Welding");
    let other = request(&board, &achievement, "achievement");
    school.post(REQUESTS_PATH, &other).is(201);
    step(&board, &first, "approve").is(200);
    again().is(201);

    // From many at once, one is made.
    step(
        &school,
        &listed(&school, "?accreditor=board&state=requested")[0],
        "withdraw",
    );
    let college = house.registrar("college");
    let body = request(&board, &college.id, "profile");
    let answers = at_once(|| college.post(REQUESTS_PATH, &body));
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    assert_eq!(listed(&college, "").len(), 1);
}

#[test]
fn of_many_approvals_at_once_one_is_made() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let asked = asks(&school, &board);
    let answers = at_once(|| step(&board, &asked, "approve"));
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        let kind = &answer.problem(409)["type"];
        assert_eq!(*kind, "urn:goodstanding:problem:request-closed");
    }
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert_eq!(endorsements(&board, &school).len(), 1);
}

fn at_once(send: impl Fn() -> Answer + Sync) -> Vec<Answer> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(&send)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn each_change_is_made_once_under_one_key_and_answered_as_it_was() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let keyed = |actor: &Actor<'_>, key: &str, target: &str, body: &Value| {
        actor.call("POST", target).key(key).json(body).send()
    };
    let body = request(&board, &school.id, "profile");
    let made = keyed(&school, "make", REQUESTS_PATH, &body).is(201);
    let asked = text(&made.json()["id"]);
    let mut done = vec![(&school, "make", REQUESTS_PATH.to_owned(), body, made)];
    for (actor, key, name) in [
        (&board, "ask", "ask"),
        (&school, "answer", "answer"),
        (&board, "ask-again", "ask"),
        (&board, "approve", "approve"),
    ] {
        house.wait(60);
        let target = format!("{asked}/{name}");
        let answer = keyed(actor, key, &target, &words(name)).is(200);
        done.push((actor, key, target, words(name), answer));
    }
    // Whatever was done since, each is answered as the first time, and nothing is done again.
    let before = house.store();
    for (actor, key, target, body, first) in &done {
        let again = keyed(actor, key, target, body);
        assert_eq!(
            (again.status, again.json()),
            (first.status, first.json()),
            "{key}"
        );
        assert_eq!(again.header("etag"), first.header("etag"), "{key}");
        assert_eq!(again.header("location"), first.header("location"), "{key}");
        let other = json!({ "reason": "x", "question": "x" });
        let reused = keyed(actor, key, &format!("{asked}/withdraw"), &other);
        assert!(
            matches!(reused.status, 400 | 422),
            "{key}: {}",
            reused.text()
        );
    }
    assert!(house.store() == before);
    assert_eq!(endorsements(&board, &school).len(), 1);

    let other = asks(&house.registrar("other"), &board);
    let declined = || {
        keyed(
            &board,
            "decline",
            &format!("{other}/decline"),
            &words("decline"),
        )
    };
    assert_eq!(declined().is(200).json(), declined().is(200).json());
    let third = house.registrar("third");
    let asked = asks(&third, &board);
    let withdrawn = || keyed(&third, "withdraw", &format!("{asked}/withdraw"), &json!({}));
    assert_eq!(withdrawn().is(200).json(), withdrawn().is(200).json());
}

#[test]
fn a_step_is_bound_to_what_was_seen() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let asked = asks(&school, &board);
    let seen = board.get(&asked).is(200);
    let etag = seen.header("etag").unwrap().to_owned();
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(school.get(&asked).is(200).header("etag"), Some(&*etag));
    let unchanged = board.call("GET", &asked).header("If-None-Match", &*etag);
    unchanged.send().is(304);
    let step_if = |actor: &Actor<'_>, name: &str, tag: &str| {
        let call = actor
            .call("POST", &format!("{asked}/{name}"))
            .json(&words(name));
        call.header("If-Match", tag).send()
    };
    let asked_back = step_if(&board, "ask", &etag).is(200);
    let newer = asked_back.header("etag").unwrap().to_owned();
    assert_ne!(newer, etag);
    assert_eq!(school.get(&asked).is(200).header("etag"), Some(&*newer));
    let before = house.store();
    for (actor, name) in [
        (&board, "approve"),
        (&board, "decline"),
        (&school, "answer"),
    ] {
        let refused = step_if(actor, name, &etag).problem(412);
        assert!(text(&refused["detail"]).contains(&newer), "{refused}");
    }
    assert_eq!(house.store(), before);
    let approved = step_if(&board, "approve", &format!("\"x\", {newer}")).is(200);
    let read = board.get(&asked).is(200);
    assert_eq!(approved.header("etag"), read.header("etag"));
}

/// The endorsement and the end of its request are one batch.
#[test]
fn after_a_crash_there_is_an_approval_with_its_endorsement_or_neither() {
    for (fault, survives) in [
        (Fault::LoseAndReportFailed, false),
        (Fault::PersistButReportFailed, true),
    ] {
        let clock = clock();
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let house = Plan::over(engine.clone(), clock.clone()).open();
        let school = house.registrar("school");
        let board = house.accreditor("board");
        let asked = asks(&school, &board);
        engine.set_fault_hook(move |_, batch| {
            let writes = |tag: u8| batch.puts.iter().any(|(key, _)| key[0] == tag);
            assert_eq!(writes(REQUESTS.tag()), writes(ENDORSEMENTS.tag()));
            match writes(REQUESTS.tag()) {
                true => fault,
                false => Fault::Proceed,
            }
        });
        let approve = |board: &Actor<'_>| {
            let call = board.call("POST", &format!("{asked}/approve")).key("k");
            call.json(&json!({})).send()
        };
        let unknown = approve(&board).problem(503);
        assert_eq!(unknown["type"], "urn:goodstanding:problem:outcome-unknown");

        engine.set_fault_hook(|_, _| Fault::Proceed);
        engine.reopen().unwrap();
        let started = Plan::over(engine, clock).seeded(2).open();
        let again = |actor: &Actor<'_>| Actor {
            house: &started,
            token: actor.token.clone(),
            slug: actor.slug.clone(),
            id: actor.id.clone(),
        };
        let (school, board) = (again(&school), again(&board));
        let found = school.get(&asked).is(200).json();
        let endorsed = endorsements(&board, &school);
        let state = if survives { "approved" } else { "requested" };
        assert_eq!(
            (&found["state"], endorsed.len()),
            (&json!(state), usize::from(survives))
        );
        let open = listed(&board, "?state=requested").len();
        assert_eq!(open, usize::from(!survives));

        // Asked again under its key, it is settled; and done once.
        let settled = approve(&board).is(200).json();
        assert_eq!(settled["state"], "approved");
        let endorsed = endorsements(&board, &school);
        assert_eq!(endorsed.len(), 1);
        assert_eq!(endorsed[0]["id"], settled["endorsement"]);
        let credential = &settled["verifiableCredential"];
        assert_eq!(started.verifier().verifies(credential)["outcome"], "active");
    }
}
