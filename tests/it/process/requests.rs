//! A request for an endorsement on the command line, against a server and in a folder.

use serde_json::Value;

use super::folder::{Folder, ORIGIN};
use super::place::Place;
use super::standing::{ACCREDITOR, ISSUER};

#[test]
fn a_request_is_made_and_decided_against_a_server() {
    let folder = Folder::prepared();
    let days = [("GOODSTANDING_ENDORSEMENTS__RENEWAL_NOTICE_DAYS", "40000")];
    let server = folder.serve(&days);
    let place = Place::Server(&folder, &server);
    let endorsement = travel(&place);
    // The notice is as long as it was configured: the end of the endorsement is within it.
    let due = place.run(&["tasks", ACCREDITOR]).exits(0).out;
    assert!(
        due.starts_with("expires-soon  until 2099-01-01T00:00:00Z"),
        "{due}"
    );
    assert!(due.trim_end().ends_with(&endorsement), "{due}");
    server.stop().in_order();
}

#[test]
fn a_request_is_made_and_decided_in_a_data_folder() {
    let folder = Folder::prepared();
    let place = Place::Folder(&folder);
    travel(&place);
    let due = place.run(&["tasks", ACCREDITOR]).exits(0).out;
    assert_eq!(due, "There is nothing to look at.\n");
}

/// Asks, is asked back, answers, and is endorsed; gives the endorsement.
fn travel(place: &Place<'_>) -> String {
    for (slug, role) in [(ISSUER, "issuer"), (ACCREDITOR, "accreditor")] {
        place.json(&["profile", "create", slug, "--name", slug, "--role", role]);
    }
    let sides = ["--accreditor", ACCREDITOR, "--requester", ISSUER];
    let more = [
        "--name",
        "Accredited",
        "--evidence",
        "https://acme.example/report.pdf",
        "--valid-until",
        "2099-01-01T00:00:00Z",
    ];
    let create = [&["request", "create", ISSUER], &sides[..], &more].concat();
    let made = place.json(&create);
    let request = text(&made["id"]);
    assert!(request.starts_with(&format!("{ORIGIN}/endorsement-requests/")));
    place
        .run(&create)
        .exits(2)
        .explains(&["Asked for already", &request]);

    let listed = place.run(&["request", "list", "--accreditor", ACCREDITOR]);
    let listed = listed.exits(0).out;
    assert!(
        listed.starts_with("requested  profile did:web:"),
        "{listed}"
    );
    let due = place.run(&["tasks", ACCREDITOR]).exits(0).out;
    assert!(
        due.starts_with("request  since ") && due.contains(&request),
        "{due}"
    );

    let step = |args: &[&str], state: &str| {
        let [name, rest @ ..] = args else {
            panic!("a step")
        };
        let said = place.run(&[&["request", *name, &request], rest].concat());
        let said = said.exits(0).out;
        assert!(
            said.starts_with(&format!("{request}: now {state}\n")),
            "{said}"
        );
        said
    };
    step(&["ask", "--question", "Who examines?"], "asked");
    let due = place.run(&["tasks", ISSUER]).exits(0).out;
    assert!(due.starts_with("asked  since "), "{due}");
    let answer = [
        "--answer",
        "A panel.",
        "--evidence",
        "https://acme.example/panel",
    ];
    step(&[&["answer"], &answer[..]].concat(), "requested");
    let said = step(&["approve", "--comment", "Seen on site."], "approved");
    let endorsement = said.trim_end().rsplit(' ').next().unwrap().to_owned();
    let shown = place.run(&["request", "show", &request]).exits(0).out;
    for words in [
        "approved: profile",
        "Who examines?",
        "A panel.",
        &endorsement,
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let late = ["request", "decline", &request, "--reason", "Too late."];
    place
        .run(&late)
        .exits(2)
        .explains(&["Request closed", "approved"]);
    let subject = place.run(&["endorsements", "--subject", ISSUER]).exits(0);
    assert!(subject.out.contains(&endorsement), "{}", subject.out);
    endorsement
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}
