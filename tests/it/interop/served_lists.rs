//! One allocation, every format: an entry is set once, and whoever reads any of the lists that the
//! running registry serves sees it.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use goodstanding::time::Ttl;
use serde_json::json;

use crate::support::actors::{Actor, text};
use crate::support::feed::Reader;
use crate::support::house::Plan;
use crate::support::peers::{StatusReport, peers};
use crate::support::reader::{bit, bits, place};

/// A credential's place in every format, as the call gave it out that allocated it.
struct Place {
    index: u64,
    revocations: String,
    suspensions: String,
    older: String,
    token: String,
}

#[test]
fn an_entry_that_is_set_once_is_set_in_every_format() {
    let house = for_peers().open();
    let school = house.registrar("school");
    let places = allocated(&school);
    for (step, list, status, token) in [
        ("fresh", None, 0, 0),
        ("suspended", Some(&places[0].suspensions), 1, 2),
        ("reinstated", Some(&places[0].suspensions), 0, 0),
        ("revoked", Some(&places[0].revocations), 1, 1),
    ] {
        if let Some(list) = list {
            school.sets(list, places[0].index, status).is(200);
        }
        let bits = [u64::from(step == "revoked"), u64::from(step == "suspended")];
        every_format_says(&school, &places, step, bits, token);
    }
}

/// The publisher signs behind the acknowledgement, and the feed tells when it has.
#[test]
fn what_was_acknowledged_before_it_is_published_is_in_every_format_then() {
    let house = for_peers()
        .publishing_after(Duration::from_millis(250))
        .open();
    let school = house.registrar("school");
    let places = allocated(&school);
    let follow = house.call("GET", "/events/published");
    let mut feed = Reader::open(&follow, house.address).expect("a feed");
    let revocations = &places[0].revocations;
    let done = school.sets(revocations, places[0].index, 1).is(200).json();
    loop {
        let told = feed.publication();
        if told["list"] == *revocations && told["revision"] == done["revision"] {
            break;
        }
    }
    every_format_says(&school, &places, "revoked", [1, 0], 1);
}

/// Lists hold by the clocks of the peers, too.
fn for_peers() -> Plan {
    Plan::new().lists_holding(Ttl::from_seconds(100 * 365 * 86_400))
}

/// What the first place is said to be: revoked and suspended, and as a token. The second one never
/// changes.
fn every_format_says(
    school: &Actor<'_>,
    [first, second]: &[Place; 2],
    step: &str,
    [revoked, suspended]: [u64; 2],
    token: u64,
) {
    for (url, accept, set) in [
        (&first.revocations, "application/vc", revoked),
        (&first.revocations, "application/vc+jwt", revoked),
        (&first.suspensions, "application/vc", suspended),
        (&first.suspensions, "application/vc+jwt", suspended),
        (&first.older, "application/vc", revoked),
        (&first.token, "application/statuslist+jwt", token),
        (&first.token, "application/statuslist+cwt", token),
    ] {
        let expected = [(first.index, set), (second.index, 0)];
        let expected = expected.map(|(index, status)| StatusReport { index, status });
        says(school, url, accept, &expected, step);
    }
}

/// Two places over a revocation list that is published in every format, and a suspension list.
fn allocated(school: &Actor<'_>) -> [Place; 2] {
    let new = json!({
        "issuer": "school", "statusPurpose": "revocation", "formats": ["bitstring", "token", "2021"],
        "cryptosuites": ["eddsa-rdfc-2022", "eddsa-jcs-2022"],
    });
    let revocations = text(&school.post("/status-lists", &new).is(201).json()["id"]);
    let paired = json!({
        "issuer": "school", "statusPurpose": "suspension", "pairedWith": revocations,
    });
    let suspensions = text(&school.post("/status-lists", &paired).is(201).json()["id"]);
    let given = school.post(&format!("{revocations}/entries"), &json!({ "count": 2 }));
    let given = given.is(200).json();
    [0, 1].map(|n| {
        let (list, index) = place(&given["entries"][n]);
        assert_eq!(list, revocations);
        let older = &given["entries2021"][n];
        assert_eq!(older["type"], "StatusList2021Entry");
        assert_eq!(older["statusListIndex"], index.to_string());
        let token = &given["status"][n]["status_list"];
        assert_eq!(token["idx"], index);
        Place {
            index,
            revocations: revocations.clone(),
            suspensions: suspensions.clone(),
            older: text(&older["statusListCredential"]),
            token: text(&token["uri"]),
        }
    })
}

fn says(school: &Actor<'_>, url: &str, accept: &str, expected: &[StatusReport], step: &str) {
    let answer = school
        .call("GET", url)
        .header("accept", accept)
        .send()
        .is(200);
    let kind = answer.header("content-type").unwrap().to_owned();
    assert_eq!(kind, accept);
    let document = match accept {
        "application/statuslist+cwt" => json!(BASE64_URL_SAFE_NO_PAD.encode(&answer.body)),
        "application/vc" => answer.json(),
        _ => json!(String::from_utf8(answer.body.clone()).unwrap()),
    };
    let keys = school.get("/profiles/school/did.json").is(200).json();
    let indexes: Vec<u64> = expected.iter().map(|report| report.index).collect();
    let mut asked = json!({ "controllers": [keys], "indexes": indexes });
    match accept {
        "application/vc" => {}
        "application/vc+jwt" => asked["suite"] = json!("vc-jose-cose"),
        token => asked["suite"] = json!(token.strip_prefix("application/").unwrap()),
    }
    for peer in peers() {
        let context = format!("{step}: {url} as {accept}, read by {}", peer.name);
        let report = peer.verify_with(&document, &asked);
        assert!(report.verified, "{context}: {report:?}");
        let read = match (report.status_list, report.document) {
            (Some(list), _) => list.statuses,
            // Of the credential in a JWT the peers tell the whole.
            (None, Some(credential)) => {
                let bits = bits(&credential);
                let status = |index| StatusReport {
                    index,
                    status: bit(&bits, index).into(),
                };
                indexes.iter().copied().map(status).collect()
            }
            (None, None) => panic!("{context}: no list"),
        };
        assert_eq!(read, expected, "{context}");
    }
}
