//! Who stands behind whom, on the command line: a chain up to a ministry, what a decision would
//! bring down and does, the past, and what was endorsed elsewhere. Against a server and in a folder.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use serde_json::{Value, json};

use super::folder::{Folder, ORIGIN};
use super::place::Place;
use super::standing::{ACCREDITOR, ISSUER, unsigned_badge};
use crate::support::signed::{RECOMMENDATION, endorsement_by};

const MINISTRY: &str = "ministry";

#[test]
fn who_stands_behind_whom_against_a_server() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    travel(&folder, &Place::Server(&folder, &server));
    server.stop().in_order();
}

#[test]
fn who_stands_behind_whom_in_a_data_folder() {
    let folder = Folder::prepared();
    travel(&folder, &Place::Folder(&folder));
}

fn travel(folder: &Folder, place: &Place<'_>) {
    let roles = [
        (ISSUER, "issuer"),
        (ACCREDITOR, "accreditor"),
        (MINISTRY, "accreditor"),
    ];
    for (slug, role) in roles {
        place.json(&["profile", "create", slug, "--name", slug, "--role", role]);
    }
    let recognised = endorses(place, MINISTRY, ACCREDITOR, &["--suspendable"]);
    let scope = ["--scope", "achievementType=Degree"];
    let accredited = endorses(place, ACCREDITOR, ISSUER, &scope);
    let [degree, course] = ["Degree", "Course"].map(|kind| issue(folder, place, kind));

    a_chain_is_told_link_by_link(place, &degree, &[accredited, recognised]);
    only_what_is_covered_counts(place, &degree, &course);
    a_decision_is_tried_out_and_taken(place, &degree);
    a_signed_answer_is_about_what_was_asked(place, &degree);
    what_was_endorsed_elsewhere_is_taken_in(folder, place);
}

fn endorses(place: &Place<'_>, endorser: &str, subject: &str, more: &[&str]) -> String {
    let who = [
        "endorse",
        subject,
        "--endorser",
        endorser,
        "--name",
        "Accredited",
    ];
    let made = place.json(&[&who, more].concat());
    text(&made["verifiableCredential"]["id"])
}

/// A badge with the endorsements of its issuer in it.
fn issue(folder: &Folder, place: &Place<'_>, kind: &str) -> String {
    let id = format!("urn:example:{kind}");
    let did = "did:web:registry.example:profiles:acme-college";
    let achievement = json!(format!("https://acme.example/{kind}"));
    let mut badge = unsigned_badge(&id, did, &achievement);
    badge["credentialSubject"]["achievement"]["achievementType"] = json!(kind);
    let args = ["issue", "-", "--embed-endorsements", "as-signed"];
    let issued = place.run_with(&args, &badge.to_string()).exits(0).out;
    let file = folder.beside().join(format!("{kind}.json"));
    fs::write(&file, issued).unwrap();
    file.display().to_string()
}

fn a_chain_is_told_link_by_link(place: &Place<'_>, degree: &str, path: &[String]) {
    let standing = ["standing", degree, "--trust-anchor", MINISTRY];
    let said = place.run(&standing).exits(0).out;
    assert!(said.starts_with("active: urn:example:Degree\n"), "{said}");
    let links = said
        .lines()
        .filter(|line| line.contains("endorsed by did:"));
    let links: Vec<&str> = links.collect();
    assert_eq!(links.len(), 2, "{said}");
    for ((link, endorser), endorsement) in links.iter().zip([ACCREDITOR, MINISTRY]).zip(path) {
        assert!(link.trim_start().starts_with("active"), "{link}");
        assert!(link.contains(&format!(":{endorser} ")), "{link}");
        assert!(link.ends_with(endorsement.as_str()), "{link}");
    }
    // The registry keeps ids alone, so by id it is not known what kind of achievement it is.
    let by_id = ["standing", "urn:example:Degree", "--trust-anchor", MINISTRY];
    let said = place.run(&by_id).exits(2).out;
    assert!(said.starts_with("unknown: urn:example:Degree\n"), "{said}");
    assert!(said.contains("the type is not known"), "{said}");
    let of_issuer = [
        "endorsements",
        "--subject",
        ISSUER,
        "--trust-anchor",
        MINISTRY,
    ];
    let said = place.run(&of_issuer).exits(0).out;
    assert!(
        said.contains("over 2 links up to the trust anchor"),
        "{said}"
    );

    // What a stranger trusts instead leads nowhere.
    let other = ["--trust-anchor", "did:web:other.example:profiles:ministry"];
    for asked in [
        &["standing", degree],
        &["endorsements", "--subject", ISSUER][..],
    ] {
        place.run(&[asked, &other].concat()).exits(1);
    }
    place
        .run(&["standing", degree, "--trust-anchor", "nobody"])
        .exits(2)
        .explains(&["/trustAnchors/0", "nobody"]);
}

fn only_what_is_covered_counts(place: &Place<'_>, degree: &str, course: &str) {
    let said = place.run(&["standing", degree, course]).exits(1).out;
    assert!(
        said.contains("not-endorsed: urn:example:Course\n"),
        "{said}"
    );
    assert!(said.contains("does not cover what is asked for"), "{said}");
    let report = place.run(&["verify", degree]).exits(0).out;
    assert!(report.contains("issuer.endorsement[0]"), "{report}");
}

fn a_decision_is_tried_out_and_taken(place: &Place<'_>, degree: &str) {
    let decide = |verb: &str, more: &[&str]| {
        let args = [&["profile", verb, ACCREDITOR], more].concat();
        place.run(&args).exits(0).out
    };
    let tried = decide("suspend", &["--dry-run"]);
    assert!(
        tried.starts_with("nothing was done; to suspend quality-board would change how 1 "),
        "{tried}"
    );
    assert!(tried.contains("acme-college  active, then suspended"));
    place.run(&["standing", degree]).exits(0);

    let before = moment(place, degree);
    let done = decide("suspend", &["--reason", "under review"]);
    assert_eq!(done, "suspended quality-board: now suspended\n");
    let said = place.run(&["standing", degree]).exits(1).out;
    assert!(said.starts_with("suspended: "), "{said}");
    let during = moment(place, degree);
    let done = decide("reinstate", &[]);
    assert_eq!(done, "reinstated quality-board: now active\n");
    place.run(&["standing", degree]).exits(0);
    place.run(&["standing", degree, "--at", &before]).exits(0);
    place.run(&["standing", degree, "--at", &during]).exits(1);
}

/// A moment that is over when this returns: whatever is changed from then on is changed later.
fn moment(place: &Place<'_>, degree: &str) -> String {
    let as_of = || {
        let answer = place.run(&["standing", degree, "--json"]).json();
        text(&answer["asOf"])
    };
    let first = as_of();
    while as_of() == first {}
    first
}

fn a_signed_answer_is_about_what_was_asked(place: &Place<'_>, degree: &str) {
    let jwt = place.run(&["standing", degree, "--signed"]).exits(0).out;
    let payload = jwt.split('.').nth(1).expect("a JWT has three parts");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["iss"], "did:web:registry.example");
    assert_eq!(claims["results"][0]["outcome"], "active");
    assert!(claims["questionDigest"].is_string());
}

fn what_was_endorsed_elsewhere_is_taken_in(folder: &Folder, place: &Place<'_>) {
    let key = SigningKey::from_seed(&[7; 32]);
    let board = DidKey::from(key.public());
    let signed = endorsement_by(&key, "did:web:registry.example:profiles:acme-college");
    let file = folder.beside().join("elsewhere.json");
    fs::write(&file, signed.to_string()).unwrap();
    let file = file.display().to_string();

    let imported = place.run(&["endorsements", "import", &file]).exits(0).out;
    let lead = format!("imported {RECOMMENDATION}\n");
    assert!(imported.starts_with(&lead), "{imported}");
    let id = imported
        .lines()
        .nth(1)
        .and_then(|line| line.strip_prefix("id "));
    let id = id.expect("its id here").trim();
    assert!(id.starts_with(&format!("{ORIGIN}/endorsements/")), "{id}");
    let followed = place.run(&["endorsements", "follow", id]).exits(0).out;
    assert!(
        followed.starts_with(&format!("active: {id}\n")),
        "{followed}"
    );
    let board = board.to_string();
    let by_board = ["endorsements", "--subject", ISSUER, "--endorser", &board];
    assert!(place.run(&by_board).exits(0).out.contains(id));
    let trusting = [
        "endorsements",
        "--subject",
        ISSUER,
        "--trust-anchor",
        &board,
    ];
    let said = place.run(&trusting).exits(0).out;
    assert!(
        said.contains("endorsed by the trust anchor did:key:"),
        "{said}"
    );
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}
