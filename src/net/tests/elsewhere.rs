//! What requests share of what was checked, and what they do not.

use std::sync::Arc;

use serde_json::{Value, json};

use super::support::*;
use crate::net::{Elsewhere, Policy};
use crate::status::{ListReference, StatusError};
use crate::time::{ManualClock, Timestamp, Ttl};
use crate::vc::jws::Header;
use crate::vc::verifying::VerifyingKey;
use crate::verify::{
    CheckedList, Fetched, ListSigners, Outside as _, Resolver, Trust, Unresolved, WantedList,
    check_list,
};

const COLLEGE: &str = "https://college.example";
const STRANGER: &str = "https://stranger.example";

/// Nobody has signed the lists of these tests.
struct NoSigners;

impl ListSigners for NoSigners {
    fn check_proofs(&mut self, _: &Value, _: &str) -> Result<(), StatusError> {
        unreachable!("lists of ids have no proofs")
    }

    fn check_reading(&mut self, _: &Value) -> Result<(), StatusError> {
        unreachable!("lists of ids are no JWTs")
    }

    fn key(&mut self, _: &Header, _: &str) -> Result<VerifyingKey, StatusError> {
        unreachable!("lists of ids have no keys")
    }
}

fn now() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn elsewhere(policy: Policy) -> Elsewhere {
    let clock = Arc::new(ManualClock::new(now()));
    Elsewhere::new(policy, Arc::new(Script::default()), clock).unwrap()
}

fn serving_json() -> Server {
    let fields = "Content-Type: application/json\r\nCache-Control: max-age=300\r\n";
    Server::saying(vec![answer("200 OK", fields, b"{}")])
}

fn reference(url: &str) -> ListReference {
    let entry = json!({"id": url, "type": "1EdTechRevocationList"});
    ListReference::parse(&entry, "/credentialStatus").unwrap()
}

/// Asks for the list of `issuer`, and says whether it was checked for that. What was fetched
/// passes as anybody's.
fn checks(session: &dyn Resolver, url: &str, issuer: &str, trust: Trust) -> bool {
    let reference = reference(url);
    let wanted = WantedList {
        reference: &reference,
        issuer,
        trust,
    };
    let mut checked = false;
    let list = session.list(wanted, &mut |fetched| {
        checked = true;
        passed_off(fetched, &reference, issuer)
    });
    assert_eq!(list.unwrap().issuer(), issuer);
    checked
}

fn passed_off(
    fetched: &Fetched,
    reference: &ListReference,
    issuer: &str,
) -> Result<CheckedList, StatusError> {
    let list = json!({"id": fetched.url, "issuer": issuer, "revokedCredential": []});
    let body = list.to_string().into_bytes();
    let fetched = Fetched {
        body,
        ..fetched.clone()
    };
    check_list(&fetched, reference, issuer, now(), &mut NoSigners)
}

#[test]
fn a_list_that_was_checked_for_one_issuer_is_none_for_another() {
    let server = serving_json();
    let elsewhere = elsewhere(policy());
    let asks = |issuer| {
        checks(
            &*elsewhere.session(),
            &server.url(),
            issuer,
            Trust::Published,
        )
    };
    assert!(asks(STRANGER));
    assert!(asks(COLLEGE));
    assert!(!asks(STRANGER) && !asks(COLLEGE), "each is kept");
    assert_eq!(server.connections(), 1);
}

#[test]
fn what_was_checked_with_pinned_keys_is_for_one_request() {
    let server = serving_json();
    let elsewhere = elsewhere(policy());
    let asks = |trust| checks(&*elsewhere.session(), &server.url(), COLLEGE, trust);
    assert!(asks(Trust::Pinned));
    assert!(asks(Trust::Published), "pins of another do not count");
    assert!(asks(Trust::Pinned), "nor do published keys beside pins");
    assert!(!asks(Trust::Published));
    let session = elsewhere.session();
    assert!(checks(&*session, &server.url(), COLLEGE, Trust::Pinned));
    assert!(!checks(&*session, &server.url(), COLLEGE, Trust::Pinned));
}

#[test]
fn a_check_that_failed_is_made_again() {
    let server = serving_json();
    let elsewhere = elsewhere(policy());
    let reference = reference(&server.url());
    let wanted = WantedList {
        reference: &reference,
        issuer: COLLEGE,
        trust: Trust::Published,
    };
    let failed = elsewhere.session().list(wanted, &mut |fetched| {
        check_list(fetched, &reference, COLLEGE, now(), &mut NoSigners)
    });
    assert!(failed.is_err());
    let session = elsewhere.session();
    assert!(checks(&*session, &server.url(), COLLEGE, Trust::Published));
    assert_eq!(server.connections(), 1, "the fetch had not failed");
}

#[test]
fn a_list_that_seems_wrong_is_looked_at_again_once_it_is_a_minute_old() {
    let fields = "Content-Type: application/json\r\nCache-Control: max-age=86400\r\n";
    let server = Server::saying(vec![
        answer("200 OK", fields, b"{\"id\": \"an old one\"}"),
        answer("200 OK", fields, b"{\"id\": \"a new one\"}"),
    ]);
    let clock = Arc::new(ManualClock::new(now()));
    let names = Arc::new(Script::default());
    let elsewhere = Elsewhere::new(policy(), names, clock.clone()).unwrap();
    let reference = reference(&server.url());
    let wanted = WantedList {
        reference: &reference,
        issuer: COLLEGE,
        trust: Trust::Published,
    };
    let asks = || {
        elsewhere
            .session()
            .list(
                wanted,
                &mut |fetched| match fetched.body == b"{\"id\": \"a new one\"}" {
                    true => passed_off(fetched, &reference, COLLEGE),
                    false => check_list(fetched, &reference, COLLEGE, now(), &mut NoSigners),
                },
            )
    };
    for (seconds, asked) in [(0, 1), (0, 1), (59, 1)] {
        clock.advance(Ttl::from_seconds(seconds));
        assert!(asks().is_err());
        assert_eq!(server.connections(), asked);
    }
    clock.advance(Ttl::from_seconds(1));
    assert!(asks().is_ok());
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_request_asks_for_so_long_and_no_longer() {
    let slow = Server::with(|talk| talk.hold());
    let fast = serving_json();
    let policy = Policy {
        connect: Ttl::from_millis(300),
        total: Ttl::from_millis(300),
        ..policy()
    };
    let elsewhere = elsewhere(policy);
    let session = elsewhere.session();
    let first = session.controller_document(&slow.url());
    assert!(
        matches!(first, Err(Unresolved::Unreachable(_))),
        "{first:?}"
    );
    let late = session.controller_document(&fast.url());
    let reason = "one request may ask for things elsewhere for 300 ms, and they are over";
    assert_eq!(late, Err(Unresolved::Unreachable(reason.to_owned())));
    assert_eq!(fast.connections(), 0);
    // It is told the same, and others are not held up.
    assert_eq!(session.controller_document(&slow.url()), first);
    assert!(elsewhere.session().controller_document(&fast.url()).is_ok());
}

#[test]
fn a_document_is_asked_for_by_every_name_that_it_can_have() {
    let server = serving_json();
    let elsewhere = elsewhere(policy());
    let session = elsewhere.session();
    let port = server.address.port();
    let did = format!("did:web:localhost%3A{port}:college");
    assert_eq!(session.controller_document(&did), Ok(Arc::new(json!({}))));
    assert_eq!(session.key_set(&server.url()), Ok(Arc::new(json!({}))));
    let asked = server.requests();
    assert!(asked[0].starts_with("get /college/did.json "), "{asked:?}");
    assert!(asked[1].contains("accept: application/jwk-set+json"));
    for (name, expected) in [
        (
            "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
            Unresolved::NotFound,
        ),
        ("did:web:issuer.example", Unresolved::Refused),
        ("https://issuer.example/", Unresolved::Refused),
        ("urn:issuer", Unresolved::Refused),
    ] {
        assert_eq!(session.controller_document(name), Err(expected), "{name}");
    }
    let other = session
        .controller_document("did:example:issuer")
        .unwrap_err();
    assert!(
        other
            .to_string()
            .contains("\"example\" is not resolved here"),
        "{other}"
    );
    assert_eq!(server.connections(), 2);
}

#[test]
fn lists_of_the_largest_kind_find_no_end_of_memory() {
    let fields = "Content-Type: application/json\r\nCache-Control: max-age=300\r\n";
    let ids: Vec<Value> = (0..5_000)
        .map(|n| json!({"id": format!("urn:{n}")}))
        .collect();
    let server = Server::saying(vec![answer("200 OK", fields, b"{}")]);
    let elsewhere = elsewhere(Policy {
        cache_bytes: 4 << 20,
        ..policy()
    });
    for n in 0..12 {
        let url = format!("{}/{n}", server.url());
        let reference = reference(&url);
        let wanted = WantedList {
            reference: &reference,
            issuer: COLLEGE,
            trust: Trust::Published,
        };
        let list = json!({"id": url, "issuer": COLLEGE, "revokedCredential": ids}).to_string();
        let mut check = |fetched: &Fetched| {
            let body = list.clone().into_bytes();
            let fetched = Fetched {
                body,
                ..fetched.clone()
            };
            check_list(&fetched, &reference, COLLEGE, now(), &mut NoSigners)
        };
        let list = elsewhere.session().list(wanted, &mut check).unwrap();
        assert!(list.footprint() > 500_000);
        assert!(elsewhere.lists.bytes() <= 1 << 20, "{n}");
    }
    assert!(elsewhere.lists.bytes() > 0);
}
