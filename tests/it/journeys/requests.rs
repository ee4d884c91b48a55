//! Journey 6: an issuer asks an accreditor to stand behind it, and the accreditor sees what it has
//! to look at.

use goodstanding::ids::{RequestId, Seq};
use goodstanding::store::event::{Event, EventKind, RequestEvent, RequestStep, commitment};
use goodstanding::store::tables::{REQUESTS, Words};
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::House;
use crate::support::reader::{bit, place};

/// Asks, and gives the request's URL.
fn asks(actor: &Actor<'_>, board: &Actor<'_>, subject: &str, kind: &str) -> String {
    let asked = actor.post("/endorsement-requests", &request(board, subject, kind));
    text(&asked.is(201).json()["id"])
}

fn request(board: &Actor<'_>, subject: &str, kind: &str) -> Value {
    json!({
        "accreditor": board.slug,
        "subject": { "id": subject, "kind": kind },
        "name": "Quality label",
    })
}

fn step(actor: &Actor<'_>, request: &str, step: &str, body: &Value) -> Answer {
    actor.post(&format!("{request}/{step}"), body)
}

/// The tasks of a profile: kind, and what each is about.
fn tasks(actor: &Actor<'_>) -> Vec<(String, String)> {
    let task = |task: &Value| {
        let about = ["request", "endorsement"];
        let about = about.iter().find_map(|member| task.get(*member));
        (text(&task["kind"]), text(about.expect("what it is about")))
    };
    all_tasks(actor).iter().map(task).collect()
}

fn all_tasks(actor: &Actor<'_>) -> Vec<Value> {
    let answer = actor
        .get(&format!("/profiles/{}/tasks", actor.slug))
        .is(200);
    answer.json()["tasks"].as_array().unwrap().clone()
}

fn task(kind: &str, about: &str) -> (String, String) {
    (kind.to_owned(), about.to_owned())
}

#[test]
fn an_issuer_and_an_accreditor_come_to_an_endorsement() {
    conversation(&House::open());
}

pub(super) fn conversation(house: &House) {
    let school = house.registrar("asking-school");
    let board = house.accreditor("asked-board");
    let achievement = school.defines("Welding");
    let body = json!({
        "accreditor": board.id,
        "subject": { "id": achievement, "kind": "achievement" },
        "name": "Recognised programme",
        "comment": "Taught since **2011**.",
        "evidence": ["https://asking-school.example/syllabus.pdf"],
        "scope": { "jurisdiction": ["CH"] },
        "validUntil": "2029-03-01T00:00:00Z",
    });
    let asked = school.post("/endorsement-requests", &body).is(201);
    let made = asked.json();
    let request = text(&made["id"]);
    assert_eq!(asked.header("location"), Some(request.as_str()));
    assert_eq!(made["state"], "requested");
    assert_eq!(
        (&made["requester"], &made["accreditor"]),
        (&json!(school.id), &json!(board.id))
    );
    for member in ["subject", "name", "comment", "evidence", "validUntil"] {
        assert_eq!(made[member], body[member], "{member}");
    }
    assert_eq!(made["scope"]["jurisdiction"], json!(["CH"]));
    assert_eq!(
        (&made["steps"], made.get("endorsement")),
        (&json!([]), None)
    );

    // The accreditor finds it in its queue and among its tasks.
    let queue = board
        .get("/endorsement-requests?state=requested")
        .is(200)
        .json();
    assert_eq!(queue["requests"], json!([made]));
    assert_eq!(tasks(&board), [task("request", &request)]);
    assert_eq!(tasks(&school), []);

    house.wait(60);
    let question = json!({ "question": "Who examines?" });
    let back = step(&board, &request, "ask", &question).is(200).json();
    assert_eq!(back["state"], "asked");
    assert_eq!(tasks(&board), []);
    let waits = &all_tasks(&school)[0];
    assert_eq!(
        (&waits["kind"], &waits["request"]),
        (&json!("asked"), &json!(request))
    );
    assert_eq!(
        (&waits["since"], &waits["accreditor"]),
        (&back["changedAt"], &json!(board.id))
    );

    house.wait(60);
    let said = json!({
        "answer": "A panel of three.",
        "evidence": ["https://asking-school.example/panel"],
    });
    let answer = step(&school, &request, "answer", &said).is(200).json();
    assert_eq!(answer["state"], "requested");
    assert_eq!(tasks(&school), []);
    assert_eq!(tasks(&board), [task("answered", &request)]);

    house.wait(60);
    let approval = json!({ "endorsementComment": "Seen on site.", "suspendable": true });
    let approved = step(&board, &request, "approve", &approval).is(200).json();
    let endorsement = approved["verifiableCredential"].clone();
    assert_eq!(approved["state"], "approved");
    assert_eq!(approved["endorsement"], endorsement["id"]);
    let read = school.get(&request).is(200).json();
    assert_eq!(
        read["steps"],
        json!([
            { "step": "asked", "at": back["changedAt"], "question": "Who examines?" },
            { "step": "answered", "at": answer["changedAt"], "answer": "A panel of three.",
              "evidence": ["https://asking-school.example/panel"] },
            { "step": "approved", "at": approved["changedAt"] },
        ])
    );
    assert_eq!(tasks(&board), []);

    // It is what was asked for, in the accreditor's own words, and as good as any other.
    assert_eq!(endorsement["name"], "Recognised programme");
    assert_eq!(endorsement["validFrom"], approved["changedAt"]);
    assert_eq!(endorsement["validUntil"], "2029-03-01T00:00:00Z");
    let about = &endorsement["credentialSubject"];
    assert_eq!(
        (&about["id"], &about["endorsementComment"]),
        (&json!(achievement), &json!("Seen on site."))
    );
    assert_eq!(about["endorsementScope"]["jurisdiction"], json!(["CH"]));
    let verifier = house.verifier();
    assert_eq!(verifier.verifies(&endorsement)["outcome"], "active");
    assert_eq!(verifier.asks_about(&[&achievement])[0]["outcome"], "active");
    board.does("suspend", &endorsement).is(200);
    let (list, index) = place(&endorsement["credentialStatus"][1]);
    assert!(bit(&verifier.reads(&list), index));
    told_by_the_log(house, &request);
}

/// Each step is an event of its own, which commits to what was said and does not hold it.
fn told_by_the_log(house: &House, request: &str) {
    let logged = house.engine.changes(Seq(0), usize::MAX).unwrap();
    let said = ["Who examines?", "A panel of three.", "Taught since"];
    let mut steps = Vec::new();
    for logged in &logged {
        for words in said {
            let words = words.as_bytes();
            let stands = logged.body.windows(words.len()).any(|part| part == words);
            assert!(!stands, "{logged:?}");
        }
        let event = Event::decode(&logged.body).unwrap();
        if let EventKind::Request {
            request: id,
            event: what,
        } = event.kind
            && request.ends_with(&id.to_string())
        {
            steps.push((what, event.commitment));
        }
    }
    let id: RequestId = request.rsplit('/').next().unwrap().parse().unwrap();
    let stored = REQUESTS.get(&*house.engine, &id).unwrap().unwrap();
    let committed = |place: usize| match &stored.steps[place].words {
        Some(Words::Here(words)) => Some(commitment(&words.salt, &words.text)),
        other => panic!("a question or an answer, not {other:?}"),
    };
    let requester = stored.requester;
    let step = RequestEvent::Step;
    assert_eq!(
        steps,
        [
            (RequestEvent::Made { requester }, None),
            (step(RequestStep::Asked), committed(0)),
            (step(RequestStep::Answered), committed(1)),
            (step(RequestStep::Approved), None),
        ]
    );
}

#[test]
fn a_request_is_declined_with_a_reason_or_withdrawn_and_made_anew() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let first = asks(&school, &board, &school.id, "profile");
    let reason = json!({ "reason": "The site visit is missing." });
    let declined = step(&board, &first, "decline", &reason).is(200).json();
    assert_eq!(declined["state"], "declined");
    let read = school.get(&first).is(200).json();
    assert_eq!(read["steps"][0]["reason"], "The site visit is missing.");
    assert_eq!(tasks(&board), []);

    let second = asks(&school, &board, &school.id, "profile");
    assert_ne!(second, first);
    let withdrawn = school.call("POST", &format!("{second}/withdraw")).send();
    assert_eq!(withdrawn.is(200).json()["state"], "withdrawn");
    let third = asks(&school, &board, &school.id, "profile");
    let reason = json!({ "reason": "Asked too early." });
    let withdrawn = step(&school, &third, "withdraw", &reason).is(200).json();
    assert_eq!(withdrawn["steps"][0]["reason"], "Asked too early.");
    assert_eq!(
        house.verifier().asks_about(&[&school.id])[0]["outcome"],
        "not-endorsed"
    );
    // All of them can still be read, by both.
    for actor in [&school, &board] {
        let listed = actor.get("/endorsement-requests").is(200).json();
        assert_eq!(listed["requests"].as_array().map(Vec::len), Some(3));
    }
}

#[test]
fn an_endorsement_is_renewed_ahead_of_its_end() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let endorse = |until: &str| {
        let body = json!({
            "endorser": "board",
            "subject": { "id": school.id, "kind": "profile" },
            "name": "Accredited",
            "validUntil": until,
        });
        let made = board.post("/endorsements", &body).is(201).json();
        text(&made["verifiableCredential"]["id"])
    };
    let endorsement = endorse("2026-04-02T00:00:00Z");
    assert_eq!(tasks(&board), []);
    // Thirty days ahead: 3 March, at midnight.
    house.wait(86_400 + 15 * 3_600 - 1);
    assert_eq!(tasks(&board), []);
    house.wait(1);
    let due = &all_tasks(&board)[0];
    assert_eq!(
        (
            &due["kind"],
            &due["endorsement"],
            &due["until"],
            &due["subject"]
        ),
        (
            &json!("expires-soon"),
            &json!(endorsement),
            &json!("2026-04-02T00:00:00Z"),
            &json!(school.id)
        )
    );

    let mut body = request(&board, &school.id, "profile");
    body["renews"] = json!(endorsement);
    body["validUntil"] = json!("2026-05-20T00:00:00Z");
    let asked = school.post("/endorsement-requests", &body).is(201).json();
    assert_eq!(asked["renews"], json!(endorsement));
    let asked = text(&asked["id"]);
    assert_eq!(
        tasks(&board),
        [task("request", &asked), task("expires-soon", &endorsement)]
    );
    let approved = step(&board, &asked, "approve", &json!({})).is(200).json();
    let renewed = text(&approved["endorsement"]);
    assert_ne!(renewed, endorsement);
    assert_eq!(tasks(&board), []);
    // The first one stays until it ends.
    let found = || {
        let target = format!("/endorsements?subject={}", school.id);
        let found = house.verifier().get(&target).is(200).json();
        let items = found["endorsements"].as_array().unwrap().clone();
        let outcome = |id: &str| {
            let item = items.iter().find(|item| item["id"] == id);
            text(&item.expect("listed")["outcome"])
        };
        (outcome(&endorsement), outcome(&renewed))
    };
    assert_eq!(found(), ("active".into(), "active".into()));
    house.wait(30 * 86_400);
    assert_eq!(found(), ("expired".into(), "active".into()));
    assert_eq!(tasks(&board), []);

    // One that goes on no longer than the first renews nothing.
    house.wait(18 * 86_400);
    let again = endorse("2026-05-20T00:00:00Z");
    let both = [task("expires-soon", &renewed), task("expires-soon", &again)];
    let due = tasks(&board);
    assert!(
        due.len() == 2 && both.iter().all(|task| due.contains(task)),
        "{due:?}"
    );
    let credential = |id: &str| json!({ "id": id });
    board.does("revoke", &credential(&again)).is(200);
    assert_eq!(tasks(&board), [task("expires-soon", &renewed)]);
    // Nor one that was revoked.
    let longer = endorse("2027-05-20T00:00:00Z");
    assert_eq!(tasks(&board), []);
    board.does("revoke", &credential(&longer)).is(200);
    assert_eq!(tasks(&board), [task("expires-soon", &renewed)]);
}

#[test]
fn what_changed_since_it_was_endorsed_is_looked_at_again() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let achievement = school.defines("Welding");
    let digest = || present_digest(&board, &achievement);
    let first = digest();
    let endorse = |digest: &str| {
        let body = json!({
            "endorser": "board",
            "subject": { "id": achievement, "kind": "achievement", "digestMultibase": digest },
            "name": "Recognised",
        });
        let made = board.post("/endorsements", &body).is(201).json();
        text(&made["verifiableCredential"]["id"])
    };
    let endorsement = endorse(&first);
    assert_eq!(tasks(&board), []);
    house.wait(60);
    let changed = json!({
        "name": "Welding", "description": "Now without a mask.",
        "criteria": { "narrative": "Anybody may." },
    });
    school.put(&achievement, &changed).is(200);
    let second = digest();
    assert_ne!(first, second);
    assert_eq!(
        all_tasks(&board),
        [json!({
            "kind": "stale-digest",
            "endorsement": endorsement,
            "subject": achievement,
            "digestMultibase": first,
            "presentDigestMultibase": second,
            "since": "2026-03-01T09:01:00Z",
        })]
    );
    // An endorsement of the version that is there settles it, until the next change.
    let again = endorse(&second);
    assert_eq!(tasks(&board), []);
    school
        .put(
            &achievement,
            &json!({
                "name": "Welding", "description": "With a mask after all.",
                "criteria": { "narrative": "A panel has seen it." },
            }),
        )
        .is(200);
    let due = tasks(&board);
    let both = [
        task("stale-digest", &endorsement),
        task("stale-digest", &again),
    ];
    assert!(
        due.len() == 2 && both.iter().all(|task| due.contains(task)),
        "{due:?}"
    );
    for id in [&endorsement, &again] {
        board.does("revoke", &json!({ "id": id })).is(200);
    }
    assert_eq!(tasks(&board), []);
}

/// The digest that the registry gives where another one was sent.
fn present_digest(board: &Actor<'_>, subject: &str) -> String {
    let body = json!({
        "endorser": board.slug,
        "subject": {
            "id": subject, "kind": "achievement",
            "digestMultibase": "uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        },
        "name": "x",
    });
    let refused = board.post("/endorsements", &body).problem(400);
    let detail = text(&refused["detail"]);
    detail.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_request_for_a_version_that_is_gone_is_not_approved() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let achievement = school.defines("Welding");
    let mut body = request(&board, &achievement, "achievement");
    body["subject"]["digestMultibase"] = json!(present_digest(&board, &achievement));
    let asked = school.post("/endorsement-requests", &body).is(201).json();
    let asked = text(&asked["id"]);
    school
        .put(
            &achievement,
            &json!({
                "name": "Welding", "description": "Something else.",
                "criteria": { "narrative": "Anybody may." },
            }),
        )
        .is(200);
    let before = house.store();
    let refused = step(&board, &asked, "approve", &json!({})).problem(422);
    assert!(
        text(&refused["detail"]).contains("another version"),
        "{refused}"
    );
    assert_eq!(house.store(), before);
    // Nor is one asked for that is not there.
    let other = school.defines("Soldering");
    let mut body = request(&board, &other, "achievement");
    body["subject"]["digestMultibase"] = json!("uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let refused = school.post("/endorsement-requests", &body).problem(400);
    assert_eq!(refused["pointer"], "/subject/digestMultibase");
    step(
        &board,
        &asked,
        "decline",
        &json!({ "reason": "It has changed." }),
    )
    .is(200);
    body = request(&board, &achievement, "achievement");
    body["subject"]["digestMultibase"] = json!(present_digest(&board, &achievement));
    let asked = school.post("/endorsement-requests", &body).is(201).json();
    let approved = step(&board, &text(&asked["id"]), "approve", &json!({}))
        .is(200)
        .json();
    let bound = &approved["verifiableCredential"]["relatedResource"][0]["digestMultibase"];
    assert_eq!(*bound, body["subject"]["digestMultibase"]);
}

#[test]
fn everything_that_a_profile_made_here_can_be_endorsed_on_request() {
    let house = House::open();
    let school = house.registrar("school");
    let [board, council] = ["board", "council"].map(|slug| house.accreditor(slug));
    let achievement = school.defines("Welding");
    let credential = school.issues(&badge(&school.id, &achievement));
    let credential = text(&credential["id"]);
    let label = board.endorses(&school.id, "profile", false);
    let label = text(&label["id"]);
    for (actor, subject, kind) in [
        (&school, school.id.as_str(), "profile"),
        (&school, &achievement, "achievement"),
        (&school, &credential, "credential"),
        // An accreditor asks another one, for itself and for what it endorsed.
        (&board, &board.id, "profile"),
        (&board, &label, "credential"),
    ] {
        let asked = asks(actor, &council, subject, kind);
        let body = json!({ "name": "Seen", "securing": "vc+jwt" });
        let approved = step(&council, &asked, "approve", &body).is(200).json();
        let jwt = text(&approved["verifiableCredential"]["id"]);
        assert!(jwt.starts_with("data:application/vc+jwt,"), "{jwt}");
        let found = &house.verifier().asks_about(&[subject])[0];
        let listed = found["endorsements"].as_array().unwrap();
        let ours = listed
            .iter()
            .find(|item| item["id"] == approved["endorsement"]);
        assert_eq!(ours.expect("listed")["outcome"], "active", "{subject}");
    }
}
