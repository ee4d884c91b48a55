//! An accreditation officer at work: the queue, what is signed, what ends, and what a decision would do.

use serde_json::{Value, json};

use super::signed_in;
use crate::support::actors::{Actor, text};
use crate::support::browser::{Browser, form};
use crate::support::house::House;

/// A school that asks a board to endorse it; the path of the request in the console.
fn asks(school: &Actor<'_>, name: &str) -> String {
    let body = json!({
        "accreditor": "board", "requester": school.slug, "name": name,
        "comment": "We teach welding.", "evidence": ["https://school.example/report"],
        "subject": { "id": school.id, "kind": "profile" },
        "validUntil": "2027-03-01T00:00:00Z",
    });
    let made = school.post("/endorsement-requests", &body).is(201).json();
    in_console(&text(&made["id"]), "requests")
}

fn in_console(url: &str, room: &str) -> String {
    format!("/console/{room}/{}", url.rsplit('/').next().unwrap())
}

/// The endorsements of a subject that are in force.
fn in_force(house: &House, subject: &str) -> Vec<Value> {
    let target = format!("/endorsements?subject={subject}&standing=active");
    let found = house.call("GET", &target).send().is(200).json();
    found["endorsements"].as_array().unwrap().clone()
}

#[test]
fn a_request_is_looked_at_and_approved_as_it_was_shown() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let request = asks(&school, "Accredited");
    let ada = signed_in(&board, "endorser");
    let overview = ada.get("/console").is(200);
    assert!(
        overview
            .text()
            .contains("A request waits for your decision"),
        "{}",
        overview.text()
    );
    assert!(overview.text().contains(&format!("href=\"{request}\"")));
    let queue = ada.get("/console/requests?state=requested").is(200);
    assert!(queue.text().contains(&request));
    assert!(
        !ada.get("/console/requests?state=declined")
            .is(200)
            .text()
            .contains(&request)
    );

    let page = ada.get(&request).is(200);
    for words in [
        "We teach welding.",
        "https://school.example/report",
        "value=\"Accredited\"",
        "value=\"2027-03-01\"",
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    // A date that is none is told at its field, and what was filled in is still there.
    let preview = format!("{request}/preview");
    let bad = [
        ("name", "Accredited"),
        ("comment", "Seen on site."),
        ("valid_until", "soon"),
    ];
    let refused = ada.submits(&page, &preview, &bad).is(400);
    assert!(
        refused.text().contains("href=\"#valid_until\"")
            && refused.text().contains("Seen on site.")
    );
    let early = [("name", "Accredited"), ("valid_until", "2020-01-01")];
    let refused = ada.submits(&page, &preview, &early).is(400);
    assert!(
        refused.text().contains("role=\"alert\""),
        "{}",
        refused.text()
    );

    let before = house.store();
    let good = [
        ("name", "Accredited <b>"),
        ("comment", "Seen on site."),
        ("valid_until", "2027-02-28"),
    ];
    let shown = ada.submits(&page, &preview, &good).is(200);
    for words in [
        "Accredited &#60;b&#62;",
        "Seen on site.",
        "EndorsementCredential",
        "2027-02-28T23:59:59Z",
    ] {
        assert!(shown.text().contains(words), "{words}: {}", shown.text());
    }
    assert_eq!(house.store(), before, "a preview writes nothing");
    // Whoever wants to change something finds it filled in.
    let fields: Vec<(String, String)> = form(&shown, &format!("{request}/approve"))
        .into_iter()
        .collect();
    let mut back = fields.clone();
    back.push(("back".into(), "yes".into()));
    let again = ada.posts(&preview, &back).is(200);
    assert!(
        again.text().contains("Seen on site.") && again.text().contains("value=\"2027-02-28\"")
    );

    // Sent twice it is issued once.
    let approve = format!("{request}/approve");
    let issued = ada.posts(&approve, &fields).is(303);
    let twice = ada.posts(&approve, &fields).is(303);
    assert_eq!(issued.header("location"), twice.header("location"));
    let page = ada.follows(issued).is(200);
    assert!(
        page.text().contains("The endorsement was issued.")
            && page.text().contains("Accredited &#60;b&#62;")
    );
    let found = in_force(&house, &school.id);
    assert_eq!(
        (found.len(), &found[0]["validUntil"]),
        (1, &json!("2027-02-28T23:59:59Z"))
    );
    // The log says who did it, and by what.
    let events = board.get("/events").is(200).json();
    let events = events["events"].as_array().unwrap();
    let issued = events
        .iter()
        .find(|event| event["type"] == "endorsement.issued")
        .unwrap();
    assert_eq!(
        issued["actor"]["client"],
        "00000000676f6f647374616e64696e67"
    );
    assert!(issued["actor"]["person"].is_string(), "{issued}");
}

#[test]
fn who_asks_and_who_is_asked_talk_in_the_console() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let request = asks(&school, "Accredited");
    let (ada, sam) = (signed_in(&board, "endorser"), signed_in(&school, "owner"));
    let page = ada.get(&request).is(200);
    ada.submits(&page, &format!("{request}/ask"), &[]).is(400);
    ada.submits(
        &page,
        &format!("{request}/ask"),
        &[("question", "Since when?")],
    )
    .is(303);
    // Another tab still shows the request as it was.
    let late = ada
        .submits(&page, &format!("{request}/decline"), &[("reason", "No.")])
        .is(412);
    assert!(
        late.text().contains("Nothing was changed"),
        "{}",
        late.text()
    );

    let overview = sam.get("/console").is(200);
    assert!(overview.text().contains("An accreditor asks you something"));
    let page = sam.get(&request).is(200);
    assert!(page.text().contains("Since when?"));
    for (step, field) in [("decline", "reason"), ("ask", "question")] {
        assert!(
            !page
                .text()
                .contains(&format!("action=\"{request}/{step}\""))
        );
        let mut fields: Vec<(String, String)> = form(&page, &format!("{request}/answer"))
            .into_iter()
            .collect();
        fields.push((field.to_owned(), "x".to_owned()));
        sam.posts(&format!("{request}/{step}"), &fields)
            .problem(403);
    }
    let answer = [
        ("answer", "Since 1999."),
        (
            "evidence",
            "https://school.example/a https://school.example/b",
        ),
    ];
    sam.submits(&page, &format!("{request}/answer"), &answer)
        .is(303);
    let page = ada.get(&request).is(200);
    assert!(
        page.text().contains("Since 1999.") && page.text().contains("https://school.example/b")
    );
    ada.submits(&page, &format!("{request}/decline"), &[])
        .is(400);
    let declined = ada.submits(
        &page,
        &format!("{request}/decline"),
        &[("reason", "Not enough.")],
    );
    let page = ada.follows(declined).is(200);
    assert!(
        page.text().contains("The request was declined.") && page.text().contains("Not enough.")
    );

    let other = asks(&school, "Accredited");
    let page = sam.get(&other).is(200);
    sam.submits(&page, &format!("{other}/withdraw"), &[])
        .is(303);
    assert!(
        sam.get("/console/requests?state=withdrawn")
            .is(200)
            .text()
            .contains(&other)
    );
}

#[test]
fn what_belongs_to_others_is_not_there() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let request = asks(&school, "Accredited");
    let endorsement = board.endorses(&school.id, "profile", true);
    let endorsement = in_console(&text(&endorsement["id"]), "endorsements");
    let stranger = house.accreditor("stranger");
    let eve = signed_in(&stranger, "owner");
    let own = form(&eve.get("/console").is(200), "/console/sign-out")["form"].clone();
    let before = house.store();
    for page in [&request, &endorsement, &format!("{endorsement}/revoke")] {
        eve.get(page).problem(404);
    }
    let renewal = endorsement.replace("/console/endorsements/", "/console/endorse?renews=");
    eve.get(&renewal).problem(404);
    let fields = [
        ("form", own.as_str()),
        ("once", "0123456789abcdef"),
        ("reason", "x"),
        ("question", "x"),
        ("answer", "x"),
        ("name", "x"),
        ("version", "*"),
    ];
    let fields: Vec<(String, String)> = fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    for step in ["preview", "approve", "decline", "ask", "answer", "withdraw"] {
        eve.posts(&format!("{request}/{step}"), &fields)
            .problem(404);
    }
    for step in ["revoke", "suspend", "reinstate"] {
        eve.posts(&format!("{endorsement}/{step}"), &fields)
            .problem(404);
    }
    assert_eq!(house.store(), before);
}

#[test]
fn a_decision_shows_what_it_would_do_before_it_is_made() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let agency = house.accreditor("agency");
    // The board stands behind the agency, and the agency behind the school.
    let first = board.endorses(&agency.id, "profile", true);
    agency.endorses(&school.id, "profile", false);
    let ada = signed_in(&board, "endorser");
    let place = in_console(&text(&first["id"]), "endorsements");
    let list = ada.get("/console/endorsements").is(200);
    assert!(list.text().contains(&place), "{}", list.text());
    let page = ada.get(&place).is(200);
    for step in ["revoke", "suspend"] {
        assert!(
            page.text().contains(&format!("href=\"{place}/{step}\"")),
            "{step}"
        );
    }
    assert!(!page.text().contains(&format!("href=\"{place}/reinstate\"")));

    let suspend = format!("{place}/suspend");
    let page = ada.get(&suspend).is(200);
    assert!(page.text().contains("What this changes"), "{}", page.text());
    assert!(
        page.text().contains("Suspended for the time being"),
        "{}",
        page.text()
    );
    assert_eq!(
        in_force(&house, &agency.id).len(),
        1,
        "nothing was done yet"
    );
    ada.submits(&page, &suspend, &[]).is(422);
    let long = "x".repeat(2_001);
    ada.submits(&page, &suspend, &[("reason", &long)]).is(400);
    let done = ada
        .submits(&page, &suspend, &[("reason", "An inquiry.")])
        .is(303);
    let page = ada.follows(done).is(200);
    assert!(page.text().contains("The endorsement was suspended."));
    assert!(in_force(&house, &agency.id).is_empty());
    let reinstate = format!("{place}/reinstate");
    let page = ada.get(&reinstate).is(200);
    ada.submits(&page, &reinstate, &[("reason", "Settled.")])
        .is(303);
    assert_eq!(in_force(&house, &agency.id).len(), 1);
    let revoke = format!("{place}/revoke");
    let page = ada.get(&revoke).is(200);
    assert!(page.text().contains("never taken back"));
    ada.submits(&page, &revoke, &[("reason", "Closed.")])
        .is(303);
    assert!(
        !ada.get(&place)
            .is(200)
            .text()
            .contains(&format!("{place}/revoke"))
    );
    let events = board.get("/events").is(200).text();
    for reason in ["An inquiry.", "Settled.", "Closed."] {
        assert!(events.contains(reason), "{reason}");
    }
    ada.get(&format!("{place}/erase")).problem(404);
}

#[test]
fn what_ends_soon_is_renewed() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let body = json!({
        "endorser": "board", "name": "Accredited", "endorsementComment": "Seen on site.",
        "subject": { "id": school.id, "kind": "profile" },
        "scope": { "role": ["issuer"], "tag": ["welding"] },
        "validUntil": "2026-03-10T00:00:00Z",
    });
    let made = board.post("/endorsements", &body).is(201).json();
    let place = in_console(&text(&made["verifiableCredential"]["id"]), "endorsements");
    let ada = signed_in(&board, "endorser");
    assert!(
        ada.get("/console")
            .is(200)
            .text()
            .contains("An endorsement of yours ends soon")
    );
    let page = ada.get(&place).is(200);
    let renew = place.replace("/console/endorsements/", "/console/endorse?renews=");
    assert!(page.text().contains(&renew));
    let page = ada.get(&renew).is(200);
    for words in [
        "Accredited",
        "Seen on site.",
        "value=\"2026-03-10\"",
        "welding",
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let fields = [
        ("subject", school.id.as_str()),
        ("kind", "profile"),
        ("name", "Accredited"),
        ("comment", "Seen on site again."),
        ("valid_from", "2026-03-10"),
        ("valid_until", "2027-03-10"),
    ];
    let shown = ada
        .submits(&page, "/console/endorse/preview", &fields)
        .is(200);
    assert!(
        shown.text().contains("welding"),
        "the scope goes on: {}",
        shown.text()
    );
    let issued = ada.submits(&shown, "/console/endorse", &[]).is(303);
    ada.follows(issued).is(200);
    assert!(!ada.get("/console").is(200).text().contains("ends soon"));
    house.wait(10 * 86_400);
    assert_eq!(in_force(&house, &school.id).len(), 1);
}

#[test]
fn somebody_endorses_of_their_own_accord_and_hears_what_is_wrong() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let ada = signed_in(&board, "endorser");
    let page = ada
        .get(&format!("/console/endorse?subject={}", school.id))
        .is(200);
    let sends = |fields: &[(&str, &str)]| {
        let mut all = vec![
            ("subject", school.id.as_str()),
            ("kind", "profile"),
            ("name", "Good"),
        ];
        all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
        all.extend(fields);
        ada.submits(&page, "/console/endorse/preview", &all)
    };
    for (name, value, field) in [
        ("name", "", "name"),
        ("subject", "", "subject"),
        ("subject", "no such thing", "subject"),
        ("kind", "person", "subject"),
        ("role", "king", "role"),
        ("role", "accreditor", "role"),
        ("valid_from", "2026-13-01", "valid_from"),
        ("valid_until", "2026-02-01", "valid_until"),
    ] {
        let refused = sends(&[(name, value)]);
        assert!(
            matches!(refused.status, 400 | 422),
            "{name}={value}: {}",
            refused.status
        );
        let link = format!("href=\"#{field}\"");
        assert!(
            refused.text().contains(&link),
            "{name}={value}: {}",
            refused.text()
        );
    }
    let bound = sends(&[("bind", "yes"), ("role", "issuer")]).is(200);
    assert!(bound.text().contains("digestMultibase"), "{}", bound.text());
    let own = sends(&[("subject", board.id.as_str())]);
    assert_eq!(
        own.status,
        422,
        "nobody endorses themselves: {}",
        own.text()
    );
    let away = sends(&[("subject", "did:web:far.example"), ("bind", "yes")]).is(422);
    assert!(away.text().contains("Only what is registered here"));
    ada.submits(&bound, "/console/endorse", &[]).is(303);
    let changed = json!({ "name": "Another school", "roles": ["issuer"] });
    school
        .call("PUT", "/profiles/school")
        .json(&changed)
        .send()
        .is(200);
    assert!(
        ada.get("/console")
            .is(200)
            .text()
            .contains("has changed since")
    );
}

#[test]
fn the_operator_chooses_for_whom() {
    let house = House::open();
    let (_, school) = (house.accreditor("board"), house.registrar("school"));
    let request = asks(&school, "Accredited");
    let operator = house.operator();
    let ann = signed_in(&operator, "operator");
    let page = ann.get("/console").is(200);
    assert!(page.text().contains("Choose one") && !page.text().contains("Nothing waits"));
    assert!(
        ann.get("/console?profile=board")
            .is(200)
            .text()
            .contains(&request)
    );
    assert!(
        ann.get("/console/requests?profile=board")
            .is(200)
            .text()
            .contains(&request)
    );
    assert!(
        ann.get("/console/requests?profile=")
            .is(200)
            .text()
            .contains(&request)
    );
    let page = ann.get("/console/endorse").is(200);
    let fields = [
        ("endorser", "board"),
        ("subject", school.id.as_str()),
        ("kind", "profile"),
        ("name", "Good"),
    ];
    let shown = ann
        .submits(&page, "/console/endorse/preview", &fields)
        .is(200);
    ann.submits(&shown, "/console/endorse", &[]).is(303);
    assert_eq!(in_force(&house, &school.id).len(), 1);
    ann.get("/console?profile=nobody").problem(404);
}

#[test]
fn the_pages_speak_german_to_who_reads_it() {
    let house = House::open();
    let board = house.accreditor("board");
    let ada = signed_in(&board, "endorser").with("Accept-Language", "de-CH,de;q=0.9,en;q=0.5");
    let page = ada.get("/console").is(200);
    assert!(page.text().contains("Nichts wartet.") && page.text().contains("lang=\"de\""));
    let other = Browser::new(&house).with("Accept-Language", "fr");
    other.get("/console/callback").is(403);
}
