//! The registry as the clients of the Digital Credentials Consortium read it, over HTTP: as a
//! federation and as the document of all issuers.

use serde_json::{Value, json};

use crate::support::house::{House, Plan};
use crate::support::peers::{LookedUp, Peer, peers};

const OUTSIDE: &str = "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";

const OF_FEDERATIONS: &str = "issuer-registry-client";
const OF_LISTS: &str = "issuer-registry-client-of-lists";

/// The client on Node, where it is here.
fn node() -> Option<&'static Peer> {
    peers().iter().find(|peer| peer.name == "Node")
}

/// Each client with each shape that it reads.
fn ways(house: &House) -> [(&'static str, Value); 3] {
    let origin = house.origin();
    let document = json!({
        "type": "dcc-legacy", "name": "Ours", "url": format!("{origin}/registry.json"),
    });
    let federation = json!({
        "type": "oidf", "name": "Ours",
        "trustAnchorEC": format!("{origin}/.well-known/openid-federation"),
    });
    [
        (OF_FEDERATIONS, federation),
        (OF_FEDERATIONS, document.clone()),
        (OF_LISTS, document),
    ]
}

#[test]
fn an_endorsed_issuer_is_found_and_others_are_not() {
    let Some(node) = node() else { return };
    let house = Plan::new().at_its_address().open();
    let (school, college) = (house.registrar("school"), house.registrar("college"));
    let board = house.accreditor("board");
    let endorsement = board.endorses(&school.id, "profile", true);
    board.endorses(OUTSIDE, "profile", false);
    let none = |checked| LookedUp {
        checked,
        found: false,
        issuer: None,
        registry: None,
    };
    for (client, registry) in &ways(&house) {
        let look_up = |did: &str| node.looks_up(client, registry, did);
        let way = format!("{client}, {registry}");
        let found = look_up(&school.id);
        assert!(found.checked && found.found, "{way}: {found:?}");
        let issuer = found.issuer.unwrap();
        assert_eq!(issuer["organization_name"], "The school", "{way}");
        assert_eq!(issuer["homepage_uri"], "https://school.example/", "{way}");
        let name = found.registry.unwrap();
        let host = house.origin().trim_start_matches("http://");
        assert!(name == "Ours" || name == host, "{way}: {name}");

        // Registered elsewhere: found, and nothing made up of it.
        let found = look_up(OUTSIDE);
        assert!(found.checked && found.found, "{way}: {found:?}");
        let issuer = found.issuer.unwrap();
        assert_eq!(issuer.get("organization_name"), None, "{way}");

        // Not endorsed, an accreditor, never heard of: each is asked for and not found.
        for other in [&*college.id, &*board.id, "did:web:nobody.example"] {
            assert_eq!(look_up(other), none(true), "{way}: {other}");
        }
    }

    // A suspension and a revocation are seen at once, and so is the end of a suspension.
    for (action, is_found) in [("suspend", false), ("reinstate", true), ("revoke", false)] {
        board.does(action, &endorsement).is(200);
        for (client, registry) in &ways(&house) {
            let found = node.looks_up(client, registry, &school.id);
            assert_eq!((found.checked, found.found), (true, is_found), "{action}");
        }
    }

    // What cannot be asked is not the same as not found.
    let nowhere = |member: &str, kind: &str| json!({ "type": kind, "name": "Nowhere", member: format!("{}/nowhere", house.origin()) });
    for (client, registry) in [
        (OF_FEDERATIONS, nowhere("trustAnchorEC", "oidf")),
        (OF_FEDERATIONS, nowhere("url", "dcc-legacy")),
        (OF_LISTS, nowhere("url", "dcc-legacy")),
    ] {
        let answer = node.looks_up(client, &registry, &school.id);
        assert_eq!(answer, none(false), "{client}");
    }
}

/// A question that the registry cannot answer is not an answer to the client either.
#[test]
fn a_subject_that_is_refused_is_not_taken_for_an_absent_one() {
    let Some(node) = node() else { return };
    let house = Plan::new().at_its_address().open();
    house.accreditor("board");
    let [(client, registry), ..] = ways(&house);
    for did in [format!("did:web:{}", "a".repeat(3_000)), "school".into()] {
        let answer = node.looks_up(client, &registry, &did);
        assert_eq!((answer.checked, answer.found), (false, false), "{did}");
    }
}
