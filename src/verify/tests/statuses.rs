//! What status entries do to a credential.

use super::*;
use crate::status::ENTRY_TYPE;

const REVOCATIONS: &str = "https://college.example/lists/revocation";
const SUSPENSIONS: &str = "https://college.example/lists/suspension";

/// An entry of one bit.
pub(super) fn entry(list: &str, purpose: &str, index: u64) -> Value {
    json!({
        "id": format!("{list}#{index}"),
        "type": ENTRY_TYPE,
        "statusPurpose": purpose,
        "statusListIndex": index.to_string(),
        "statusListCredential": list,
    })
}

fn world(college: &Actor, revoked: &[u64], suspended: &[u64]) -> World {
    World::default()
        .with_list(REVOCATIONS, college, "revocation", revoked)
        .with_list(SUSPENSIONS, college, "suspension", suspended)
}

/// The report on a badge with this `credentialStatus`.
fn report(world: &World, college: &Actor, status: &Value) -> Report {
    let mut badge = college.badge();
    badge["credentialStatus"] = status.clone();
    let report = world.verify(&college.sign(&badge));
    assert!(
        report.verified,
        "a status says nothing about the proof: {report:?}"
    );
    report
}

#[test]
fn every_entry_is_asked_for_and_counts() {
    let college = Actor::did_key(1);
    let both = json!([
        entry(REVOCATIONS, "revocation", 7),
        entry(SUSPENSIONS, "suspension", 7)
    ]);
    let first = ("revoked", "/credentialStatus/0");
    let second = ("suspended", "/credentialStatus/1");
    for (revoked, suspended, outcome, expected) in [
        (&[][..], &[][..], Outcome::Active, vec![]),
        (&[7], &[], Outcome::Revoked, vec![first]),
        (&[], &[7], Outcome::Suspended, vec![second]),
        (&[7], &[7], Outcome::Revoked, vec![first, second]),
        (&[6], &[8], Outcome::Active, vec![]),
    ] {
        let world = world(&college, revoked, suspended);
        let report = report(&world, &college, &both);
        assert_eq!((report.outcome, problems(&report)), (outcome, expected));
        assert_eq!(world.asked(), [REVOCATIONS, SUSPENSIONS]);
        assert_eq!(report.status.len(), 2);
    }
}

#[test]
fn revoked_counts_before_expired() {
    let college = Actor::did_key(1);
    let mut badge = college.badge();
    badge["validUntil"] = json!("2026-02-01T00:00:00Z");
    badge["credentialStatus"] = entry(REVOCATIONS, "revocation", 7);
    let badge = college.sign(&badge);
    let report = world(&college, &[7], &[]).verify(&badge);
    assert_eq!(report.outcome, Outcome::Revoked);
    assert_eq!(
        problems(&report),
        [("revoked", "/credentialStatus"), ("expired", "/validUntil")]
    );
    assert_eq!(
        world(&college, &[], &[]).verify(&badge).outcome,
        Outcome::Expired
    );
    // Nobody can answer for the list; that the credential has expired is sure nevertheless.
    assert_eq!(World::default().verify(&badge).outcome, Outcome::Expired);
}

#[test]
fn a_status_that_cannot_be_found_out_is_never_a_good_one() {
    let college = Actor::did_key(1);
    let stranger = Actor::did_key(9);
    let far = u64::from(u32::MAX);
    let with = |member: &str, value: Value| {
        let mut entry = entry(REVOCATIONS, "revocation", 7);
        entry[member] = value;
        entry
    };
    let here = world(&college, &[], &[]);
    let of_a_stranger = world(&stranger, &[], &[]);
    let (unknown, unreachable) = (Outcome::Unknown, Outcome::Unreachable);
    let away = entry("https://away.example/list", "revocation", 7);
    for (world, status, outcome, code) in [
        (&here, away, unreachable, "status-retrieval"),
        (
            &of_a_stranger,
            with("id", json!("urn:x")),
            unknown,
            "status-verification",
        ),
        (
            &here,
            with("statusPurpose", json!("suspension")),
            unknown,
            "status-verification",
        ),
        (
            &here,
            entry(REVOCATIONS, "revocation", far),
            unknown,
            "status-range",
        ),
        (
            &here,
            with("statusListIndex", json!("-1")),
            unknown,
            "status-malformed",
        ),
        (
            &here,
            with("statusListIndex", json!("NaN")),
            unknown,
            "status-malformed",
        ),
        (
            &here,
            with("id", json!(REVOCATIONS)),
            unknown,
            "status-malformed",
        ),
    ] {
        let report = report(world, &college, &status);
        assert_eq!(report.outcome, outcome, "{status}");
        assert_eq!(problems(&report), [(code, "/credentialStatus")], "{status}");
        let results = &report.to_json()["results"]["credentialStatus"][0];
        assert_eq!(results["verified"], false);
        assert!(
            results.get("value").is_none(),
            "an unknown status has no value"
        );
    }
}

#[test]
fn one_unknown_status_beside_good_ones_leaves_the_whole_unknown() {
    let college = Actor::did_key(1);
    let away = entry("https://away.example/list", "suspension", 7);
    let both = json!([entry(REVOCATIONS, "revocation", 7), away]);
    let outcome = |revoked: &[u64]| report(&world(&college, revoked, &[]), &college, &both).outcome;
    assert_eq!(outcome(&[]), Outcome::Unreachable);
    assert_eq!(outcome(&[7]), Outcome::Revoked);
}

#[test]
fn entries_of_other_types_are_unknown() {
    let college = Actor::did_key(1);
    let mut badge = college.badge();
    badge["@context"] = json!([
        CREDENTIALS_V2,
        OPEN_BADGES,
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ]);
    badge["credentialStatus"] =
        json!({"id": "https://college.example/revoked", "type": "1EdTechCredentialRefresh"});
    let report = World::default().verify(&college.sign(&badge));
    assert_eq!((report.verified, report.outcome), (true, Outcome::Unknown));
    assert_eq!(
        problems(&report),
        [("status-unsupported", "/credentialStatus")]
    );
}

#[test]
fn some_purposes_inform_and_those_unheard_of_are_not_guessed() {
    let college = Actor::did_key(1);
    let url = "https://college.example/lists/other";
    for (purpose, set, outcome, code) in [
        ("refresh", &[7][..], Outcome::Active, "refresh-available"),
        ("refresh", &[], Outcome::Active, "status-clear"),
        ("message", &[7], Outcome::Active, "status-message"),
        ("recall", &[], Outcome::Active, "status-clear"),
        ("recall", &[7], Outcome::Unknown, "status-undefined"),
    ] {
        let world = World::default().with_list(url, &college, purpose, set);
        let report = report(&world, &college, &entry(url, purpose, 7));
        assert_eq!(report.outcome, outcome, "{purpose}");
        assert_eq!(report.status[0].code.as_str(), code, "{purpose}");
        assert_eq!(report.status[0].value, Some(u8::from(!set.is_empty())));
    }
}

/// A proof over statements does not tell one thing from an array of it, so whoever holds a badge
/// can write either.
#[test]
fn a_newer_version_is_asked_for_however_its_service_is_written() {
    let college = Actor::did_key(1);
    let url = "https://college.example/badges/1/newer";
    let mut newer = college.badge();
    newer["validUntil"] = json!("2026-02-01T00:00:00Z");
    let mut badge = college.badge();
    badge["@context"] = json!([
        CREDENTIALS_V2,
        OPEN_BADGES,
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ]);
    let service = json!({"id": url, "type": "1EdTechCredentialRefresh"});
    badge["refreshService"] = service.clone();
    let mut badge = college.sign(&badge);
    for written in [service.clone(), json!([service])] {
        badge["refreshService"] = written;
        let mut world = World::default();
        let alone = world.verify(&badge);
        assert_eq!((alone.verified, alone.outcome), (true, Outcome::Active));
        world.lists.insert(url.to_owned(), college.sign(&newer));
        let report = world.verify(&badge);
        assert_eq!((report.verified, report.outcome), (true, Outcome::Expired));
        assert_eq!(world.asked(), [url, url]);
    }
}

#[test]
fn what_an_unproven_credential_names_is_not_asked_for() {
    let college = Actor::did_key(1);
    let mut badge = college.badge();
    badge["credentialStatus"] = entry(REVOCATIONS, "revocation", 7);
    let mut badge = college.sign(&badge);
    badge["name"] = json!("Flying");
    let world = world(&college, &[7], &[]);
    let report = world.verify(&badge);
    assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    assert_eq!(world.asked(), [""; 0]);
    assert!(report.status.is_empty() && report.valid_from.is_none());
}

#[test]
fn there_is_an_end_to_entries() {
    let college = Actor::did_key(1);
    let entries: Vec<Value> = (0..40)
        .map(|n| entry(REVOCATIONS, "revocation", n))
        .collect();
    let world = world(&college, &[], &[]);
    let most = report(&world, &college, &json!(entries[..32]));
    assert_eq!((most.outcome, most.status.len()), (Outcome::Active, 32));
    // More are refused before anybody is asked for a key.
    let asked = world.asked().len();
    let mut badge = college.sign(&college.badge());
    badge["credentialStatus"] = json!(entries);
    let report = world.verify(&badge);
    assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    assert_eq!(problems(&report), [("too-many", "/credentialStatus")]);
    assert_eq!(world.asked().len(), asked);
}
