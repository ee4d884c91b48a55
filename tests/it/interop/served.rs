//! What the running registry hands out, against the peers: they fetch nothing and know nothing of
//! us but the documents that are served.

use serde_json::{Value, json};

use super::peers::peers;
use super::samples::{SEED, badge as foreign_badge};
use crate::support::actors::{badge, text};
use crate::support::house::Plan;
use crate::support::reader::place;

/// A list with revocations in it, a badge and an endorsement, each as it is served, verify with the
/// keys of the DID documents that are served; a badge that is changed does not.
#[test]
fn the_peers_verify_a_list_a_badge_and_an_endorsement_made_here() {
    let house = Plan::new().open();
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
            let report = peer.verify(document, &keys, &[]);
            assert!(report.verified, "{}: {report:?}", peer.name);
            let mut changed = document.clone();
            changed["validFrom"] = json!("2020-01-01T00:00:00Z");
            let report = peer.verify(&changed, &keys, &[]);
            assert!(!report.verified, "{}: {report:?}", peer.name);
        }
        let report = peer.verify(&published, &keys, &[index, others[0], others[1_299]]);
        let read = report.documents[0].status_list.as_ref().unwrap();
        assert_eq!((read.length, read.bits_set), (131_072, 1_300));
        let statuses: Vec<u64> = read.statuses.iter().map(|status| status.status).collect();
        assert_eq!(statuses, [0, 1, 1], "{}", peer.name);
    }
}

/// What a did:key issuer signed elsewhere is verified here, and is not once it is changed.
#[test]
fn the_registry_verifies_what_the_peers_sign() {
    let house = Plan::new().open();
    let verifier = house.verifier();
    for peer in peers() {
        let signed = peer.sign(&foreign_badge(), "eddsa-rdfc-2022", &SEED);
        let report = verifier.verifies(&signed);
        assert_eq!(report["verified"], true, "{}: {report}", peer.name);
        let mut changed = signed;
        changed["credentialSubject"]["achievement"]["name"] = json!("Something else");
        let report = verifier.verifies(&changed);
        assert_eq!(
            (&report["verified"], &report["outcome"]),
            (&json!(false), &json!("unknown"))
        );
    }
}
