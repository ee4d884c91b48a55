//! What the running registry hands out, against the peers: they fetch nothing and know nothing of
//! us but the documents that are served.

use goodstanding::time::Ttl;
use goodstanding::vc::proof::Suite;
use goodstanding::vc::verifying::KeyKind;
use serde_json::{Value, json};

use super::samples::{as_the_suite_needs_it, badge as foreign_badge, seed_key};
use crate::support::actors::{badge, text};
use crate::support::house::{House, Plan};
use crate::support::peers::{EntryReport, Peer, peers};
use crate::support::reader::place;

/// A house whose lists hold by the clocks of the peers, too.
fn for_peers() -> House {
    let years = Ttl::from_seconds(100 * 365 * 86_400);
    Plan::new().lists_holding(years).open()
}

/// A list with revocations in it, a badge and an endorsement, each as it is served, verify with the
/// keys of the DID documents that are served; a badge that is changed does not.
#[test]
fn the_peers_verify_a_list_a_badge_and_an_endorsement_made_here() {
    let house = for_peers();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let achievement = school.defines("Welding");
    let issued = school.issues(&badge(&school.id, &achievement));
    let (list, index) = place(&issued["credentialStatus"]);
    let others = school.allocates(&list, 1_300);
    for index in &others {
        school.sets(&list, *index, 1).is(200);
    }
    let endorsement = board.endorses(&school.id, "profile", true);
    let endorsement = board.get(&text(&endorsement["id"])).is(200).json();
    let published = board.get(&list).is(200).json();

    let keys: Vec<Value> = ["school", "board"]
        .iter()
        .map(|slug| {
            board
                .get(&format!("/profiles/{slug}/did.json"))
                .is(200)
                .json()
        })
        .collect();
    let documents = [&issued, &endorsement, &published];
    for peer in peers() {
        for document in documents {
            let report = peer.verify(document, &keys);
            assert!(report.verified, "{}: {report:?}", peer.name);
            let mut changed = document.clone();
            changed["validFrom"] = json!("2020-01-01T00:00:00Z");
            let report = peer.verify(&changed, &keys);
            assert!(!report.verified, "{}: {report:?}", peer.name);
        }
        let indexes = [index, others[0], others[1_299]];
        let asked = json!({"controllers": keys, "indexes": indexes});
        let report = peer.verify_with(&published, &asked);
        let read = report.status_list.as_ref().unwrap();
        assert_eq!((read.length, read.bits_set), (131_072, 1_300));
        let statuses: Vec<u64> = read.statuses.iter().map(|status| status.status).collect();
        assert_eq!(statuses, [0, 1, 1], "{}", peer.name);
    }
}

/// A badge with the list that its entry names, by the packages that verifiers run: good, and then
/// revoked. With a list that was changed, or of which nothing is known, nothing is said.
#[test]
fn the_peers_see_a_badge_revoked() {
    let house = for_peers();
    let school = house.registrar("school");
    let issued = school.issues(&badge(&school.id, &school.defines("Welding")));
    let (list, index) = place(&issued["credentialStatus"]);
    let keys = school.get("/profiles/school/did.json").is(200).json();
    let seen = |published: &Value| {
        let asked = json!({"controllers": [keys], "lists": [published]});
        let ask = |peer: &Peer| (peer.name, peer.verify_with(&issued, &asked));
        peers().iter().map(ask).collect::<Vec<_>>()
    };
    for status in [0, 1] {
        if status == 1 {
            school.sets(&list, index, status).is(200);
        }
        let published = school.get(&list).is(200).json();
        for (peer, report) in seen(&published) {
            assert!(report.verified, "{peer}: {report:?}");
            let purpose = "revocation".to_owned();
            assert_eq!(report.statuses, [EntryReport { purpose, status }], "{peer}");
        }
        let mut changed = published.clone();
        changed["validFrom"] = json!("2020-01-01T00:00:00Z");
        let mut another = published;
        another["id"] = json!("https://registry.example/lists/another");
        for unusable in [changed, another] {
            for (peer, report) in seen(&unusable) {
                assert!(!report.verified, "{peer}: {report:?}");
                assert_eq!(report.statuses, [], "{peer}");
            }
        }
    }
}

/// What a did:key issuer signed elsewhere is verified here, by every suite, and is not once it is
/// changed.
#[test]
fn the_registry_verifies_what_the_peers_sign() {
    let house = for_peers();
    let verifier = house.verifier();
    for peer in peers() {
        for suite in Suite::ALL {
            let key = match suite.key_kind() {
                KeyKind::Ed25519 => seed_key(),
                _ => peer.key("P-256").0,
            };
            let document = as_the_suite_needs_it(foreign_badge(), suite.name());
            let signed = peer.sign(&document, suite.name(), &key);
            let report = verifier.verifies(&signed);
            assert_eq!(report["verified"], true, "{suite}, {}: {report}", peer.name);
            let mut changed = signed;
            changed["credentialSubject"]["achievement"]["name"] = json!("Something else");
            let report = verifier.verifies(&changed);
            assert_eq!(
                (&report["verified"], &report["outcome"]),
                (&json!(false), &json!("unknown")),
                "{suite}, {}",
                peer.name
            );
        }
    }
}
