//! Every change × sent again under its `Idempotency-Key`: at once, after a restart, by another
//! process, when the key has ended; made from the table of routes, so that a route that this does not
//! know is a failure.

use std::sync::Arc;
use std::thread;

use goodstanding::access::Role;
use goodstanding::http::routes::{Access, ROUTES, Route};
use goodstanding::store::engine::{Engine as _, Row};
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{Clock as _, ManualClock, Ttl};
use serde_json::Value;

use super::matrix::{Sample, World};
use crate::support::client::{Answer, Call};
use crate::support::house::{House, Plan};

/// They ask, and change nothing.
const QUESTIONS: &[&str] = &[
    "/check",
    "/credentials/verify",
    "/endorsements/query",
    "/federation/trust_mark_status",
    "/presentations/verify",
    "/standing/query",
    "/status/query",
    "/trqp/authorization",
    "/trqp/recognition",
];

/// They have what tells one request from another in their own standards, and answer with secrets,
/// of which none is kept. Two of them are safe to send twice (revoking and asking about a token), and
/// what is made by the others is good for minutes, or waits for approval and can be removed.
const OAUTH: &[&str] = &[
    "/oauth/accept",
    "/oauth/authorize",
    "/oauth/introspect",
    "/oauth/register",
    "/oauth/register/{client}",
    "/oauth/revoke",
    "/oauth/token",
];

/// Their answers show a secret once. It is not kept, so that a second request hears what the first
/// one made, by which it can be revoked, and makes nothing.
const SECRETS: &[&str] = &[
    "/clients/{client}/secret",
    "/people",
    "/profiles/{profile}/people",
    "/tokens",
];

/// What is asked of them in the matrix is refused, or makes nothing.
const MADE_NOTHING: &[&str] = &[
    // Changes nothing in the store; there is one at a time.
    "/backups",
    // Goes the way of the next but one.
    "/endorsements/import",
    // Asks the issuer how it stands now, and asking again is what it is for.
    "/endorsements/{endorsement}/follow",
    // It is here already. That it comes in once: http/open_badges_api/handing_in.rs.
    "/ims/ob/v3p0/credentials",
    // There is no next key. That it is rotated once: registry/vault/tests/rotation.rs.
    "/master-key/rotate",
    // Only ever sets what is not set, so that a second request finds nothing to do.
    "/status-lists/put-back",
    // Nothing is to be signed elsewhere; a list that is handed in again is the same list.
    "/status-lists/{list}/signed",
];

/// What becomes of a second request.
#[derive(PartialEq)]
pub(super) enum Second {
    SameAnswer,
    NamesTheFirst,
    SameRefusal,
}

pub(super) fn second(route: &Route) -> Second {
    match route.path {
        path if SECRETS.contains(&path) => Second::NamesTheFirst,
        path if MADE_NOTHING.contains(&path) => Second::SameRefusal,
        _ => Second::SameAnswer,
    }
}

/// Every change that needs a token, with what is asked of it.
pub(super) fn changes(world: &World) -> Vec<(&'static Route, Sample, String)> {
    let changes = ROUTES.iter().filter(|route| route.method != "GET");
    let changes = changes.filter(|route| {
        let known = match route.access {
            Access::Needs(_) => return true,
            Access::Public => QUESTIONS,
            Access::Client => OAUTH,
            Access::Page(_) => panic!("pages have a table of their own"),
        };
        let (method, path) = (route.method, route.path);
        assert!(
            known.contains(&path),
            "{method} {path} is a route that this does not know: either it takes an \
             Idempotency-Key, or say here why not"
        );
        false
    });
    let with_sample = changes.map(|route| {
        let sample = world.sample(route).expect("the matrix has it");
        // Whoever may do this: the operator, or the owner where it is about the caller's own.
        let owner = world.school.iter().find(|(role, _)| *role == Role::Owner);
        let token = match sample.to_operator {
            Some(_) => owner.unwrap().1.clone(),
            None => world.operator.clone(),
        };
        (route, sample, token)
    });
    with_sample.collect()
}

/// A request under a key, with so many spaces behind its body: other bytes, the same meaning.
pub(super) fn call(
    house: &House,
    route: &Route,
    sample: &Sample,
    token: &str,
    spaces: usize,
) -> Call {
    let body = sample.body.as_ref().expect("changes have a body");
    let body = body.to_string() + &" ".repeat(spaces);
    let call = house.call(route.method, &sample.target).token(token);
    call.key("again").body("application/json", body)
}

/// All that a client can tell two answers by. A request has an id of its own, the date is the moment, and
/// the revision is as new as the answer.
pub(super) fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = [
        "date",
        "goodstanding-revision",
        "ratelimit",
        "request-id",
        "x-request-id",
    ];
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| !own.contains(&name.as_str()));
    (answer.status, headers.cloned().collect(), answer.text())
}

/// Another process over what the first one left, with other randomness, so much later.
fn next_process(house: &House, seconds: u64) -> House {
    let rows: Vec<Row> = house.store();
    let clock = Arc::new(ManualClock::new(house.clock.now()));
    clock.advance(Ttl::from_seconds(seconds));
    let engine = MemoryEngine::holding(rows, clock.clone()).unwrap();
    Plan::over(Arc::new(engine), clock).seeded(77).open()
}

#[track_caller]
fn is_second(route: &Route, first: &Answer, again: &Answer) {
    let case = format!("{} {}", route.method, route.path);
    match second(route) {
        Second::SameAnswer | Second::SameRefusal => {
            assert_eq!(told(again), told(first), "{case}");
        }
        Second::NamesTheFirst => {
            let problem = again.problem(409);
            let named = problem["detail"].as_str().unwrap();
            let made = first.json();
            let id = ["id", "client_id"].iter().find_map(|m| made[m].as_str());
            assert!(named.contains(id.unwrap()), "{case}: {named}");
        }
    }
}

#[test]
fn every_change_that_is_sent_again_is_answered_again_and_made_once() {
    let world = World::build();
    for (route, sample, token) in changes(&world) {
        let case = format!("{} {}", route.method, route.path);
        let house = world.opens();
        let send = |house: &House, spaces| call(house, route, &sample, &token, spaces).send();
        let first = send(&house, 0);
        let expected = sample.done.unwrap_or(route.success);
        assert_eq!(first.status, expected, "{case}: {}", first.text());
        // Whoever reads next, wherever, can ask for a state that shows it.
        let shows_it = first.header("goodstanding-revision").is_some();
        let changed = first.status < 400 || first.status == 409;
        assert_eq!(shows_it, changed, "{case}");
        let stored = house.store();
        let events = house.engine.head().seq;

        let made = serde_json::from_slice(&first.body).unwrap_or(Value::Null);
        for secret in ["token", "client_secret", "invitation"] {
            let Some(secret) = made[secret].as_str() else {
                continue;
            };
            let holds = |row: &&Row| row.1.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert_eq!(
                stored.iter().find(holds),
                None,
                "{case}: the secret is kept"
            );
        }

        // At once, and a minute later.
        is_second(route, &first, &send(&house, 0));
        house.wait(60);
        is_second(route, &first, &send(&house, 0));
        assert_eq!(house.engine.head().seq, events, "{case}");
        assert!(house.store() == stored, "{case}: made twice");

        // The same key for another request, as far as bytes tell.
        let other = send(&house, 1);
        match second(route) {
            // Nothing was kept of what was refused, so the key is free.
            Second::SameRefusal => assert_eq!(told(&other), told(&first), "{case}"),
            Second::SameAnswer | Second::NamesTheFirst => {
                assert_eq!(other.status, 422, "{case}");
                // The Open Badges API has a shape of its own for errors.
                if !route.path.starts_with("/ims/") {
                    let kind = "urn:goodstanding:problem:idempotency-key-reused";
                    assert_eq!(other.problem(422)["type"], kind, "{case}");
                }
            }
        }
        assert!(house.store() == stored, "{case}: the other one was made");

        // After a restart, or by another process that took over.
        let later = next_process(&house, 60);
        let events = later.engine.head().seq;
        is_second(route, &first, &send(&later, 0));
        assert_eq!(later.engine.head().seq, events, "{case}");
    }
}

/// Two registries over one store, as where one takes over while the other still answers: two
/// requests each, all at once.
#[test]
fn one_key_to_two_registries_at_once_is_one_request() {
    let world = World::build();
    for (route, sample, token) in changes(&world) {
        let case = format!("{} {}", route.method, route.path);
        let clock = Arc::new(ManualClock::new(world.clock.now()));
        let engine = MemoryEngine::holding(world.rows.clone(), clock.clone()).unwrap();
        let engine = Arc::new(engine);
        let open = |seed| {
            Plan::over(engine.clone(), clock.clone())
                .seeded(seed)
                .open()
        };
        let houses = [open(2), open(3)];
        let send = |house: &House| call(house, route, &sample, &token, 0).send();
        let before = engine.head().seq.0;
        let answers: Vec<Answer> = thread::scope(|scope| {
            let sent = houses
                .iter()
                .chain(&houses)
                .map(|h| scope.spawn(|| send(h)));
            let sent: Vec<_> = sent.collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        let events = engine.head().seq.0 - before;
        let alone = world.opens();
        let before = alone.engine.head().seq.0;
        send(&alone);
        assert_eq!(events, alone.engine.head().seq.0 - before, "{case}");
        match second(route) {
            Second::SameAnswer | Second::SameRefusal => {
                for answer in &answers {
                    assert_eq!(told(answer), told(&answers[0]), "{case}");
                }
            }
            Second::NamesTheFirst => {
                let made = answers.iter().filter(|answer| answer.status == 201);
                assert_eq!(made.count(), 1, "{case}: shown once");
            }
        }
    }
}

#[test]
fn a_key_that_has_ended_is_free_and_its_answer_is_forgotten() {
    use goodstanding::store::tables::IDEMPOTENCY;
    let world = World::build();
    let kept = |house: &House| {
        let rows = IDEMPOTENCY.scan(&*house.engine, &[], None, usize::MAX);
        rows.unwrap().len()
    };
    let before = kept(&world.opens());
    for (route, sample, token) in changes(&world) {
        let case = format!("{} {}", route.method, route.path);
        let house = world.opens();
        call(&house, route, &sample, &token, 0).send();
        let more = usize::from(second(route) != Second::SameRefusal);
        assert_eq!(kept(&house), before + more, "{case}");
        house.wait(86_399);
        house.registry.forget_outlived_answers().unwrap();
        assert_eq!(kept(&house), more, "{case}");
        house.wait(1);
        assert_eq!(house.registry.forget_outlived_answers().unwrap(), more);
        assert_eq!(kept(&house), 0, "{case}");
        // Another request under the key is one of its own: whatever becomes of it, it is not held
        // against the first.
        let other = call(&house, route, &sample, &token, 1).send();
        assert!(!other.text().contains("idempotency-key-reused"), "{case}");
    }
}
