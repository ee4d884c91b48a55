//! The audit trail: who changed what, when and why, and who may read of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::actors::{Actor, text};
use crate::support::house::House;

fn trail(reader: &Actor<'_>, target: &str) -> Vec<Value> {
    let answer = reader.get(target).is(200).json();
    answer["events"].as_array().unwrap().clone()
}

fn names(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["type"])).collect()
}

#[test]
fn a_change_is_traced_to_who_made_it_by_what_and_why() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    let request = "0191b2c3-d4e5-7f60-8a9b-0c1d2e3f4a5b";
    let updates = json!({ "updates": [{ "index": index, "status": 1 }], "reason": "withdrew" });
    let call = school.call("POST", &format!("{list}/updates"));
    let done = call.header("X-Request-Id", request).json(&updates).send();
    assert_eq!(done.is(200).header("x-request-id"), Some(request));
    let events = trail(&school, "/events");
    assert_eq!(
        names(&events),
        [
            "profile.created",
            "key.made",
            "token.made",
            "space.opened",
            "list.opened",
            "list.published",
            "entries.allocated",
            "status.changed",
            "list.published",
        ]
    );
    let token = &events[2]["about"]["token"];
    let changed = &events[7];
    let expected = json!({
        "id": changed["id"], "at": "2026-03-01T09:00:00Z", "type": "status.changed",
        "profile": "school",
        "actor": { "type": "profile", "profile": "school", "token": token },
        "request": request, "reason": "withdrew",
        "about": { "list": list, "revision": 2, "status": 1, "indexes": [index] },
    });
    assert_eq!(changed, &expected);
    // What the operator did for it is told, and not by which of its tokens.
    assert_eq!(events[0]["actor"], json!({ "type": "registry" }));
    let seen = trail(&house.operator(), "/events?profile=school");
    assert_eq!(names(&seen), names(&events));
    assert!(seen[0]["actor"]["token"].is_string());
}

#[test]
fn nobody_reads_of_what_is_anothers_affair() {
    let house = House::open();
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let stranger = house.registrar("stranger");
    let endorsement = board.endorses(&school.id, "profile", true);
    board.does("suspend", &endorsement).is(200);
    let of = |reader: &Actor<'_>| names(&trail(reader, "/events"));
    assert!(of(&board).contains(&"endorsement.suspended".to_owned()));
    assert_eq!(of(&stranger), ["profile.created", "key.made", "token.made"]);
    assert_eq!(of(&school), of(&stranger));
    stranger.get("/events?profile=school").problem(404);
    stranger.get("/events?profile=nobody").problem(404);
    house.verifier().get("/events").problem(401);
    // A request is the affair of both its sides.
    let asked = json!({
        "accreditor": "board", "requester": "stranger", "name": "Label",
        "subject": { "id": stranger.id, "kind": "profile" },
    });
    let asked = stranger
        .post("/endorsement-requests", &asked)
        .is(201)
        .json();
    let decline = format!("{}/decline", text(&asked["id"]));
    board
        .post(&decline, &json!({ "reason": "not yet" }))
        .is(200);
    for side in [&board, &stranger] {
        let events = trail(side, "/events");
        let last = events.last().unwrap();
        assert_eq!(
            (&last["type"], &last["reason"]),
            (&json!("request.declined"), &json!("not yet"))
        );
        assert_eq!(last["actor"]["profile"], "board");
    }
}

#[test]
fn the_digest_chain_can_be_made_again_from_what_is_exported() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    for index in school.allocates(&list, 5) {
        school.sets(&list, index, 1).is(200);
        house.wait(1);
    }
    let (mut since, mut lines) = (0, Vec::new());
    loop {
        let call = house
            .operator()
            .call("GET", &format!("/events?limit=3&since={since}"));
        let page = call.header("Accept", "application/x-ndjson").send().is(200);
        let body = String::from_utf8(page.body.to_vec()).unwrap();
        lines.extend(
            body.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
        since = lines.last().unwrap()["id"].as_u64().unwrap();
        if page.header("link").is_none() {
            break;
        }
    }
    let mut digest = vec![0; 32];
    for (place, event) in (1_u64..).zip(&lines) {
        assert_eq!(event["id"], place, "the log has no gaps");
        let at: goodstanding::time::Timestamp = text(&event["at"]).parse().unwrap();
        let body = URL_SAFE_NO_PAD.decode(text(&event["body"])).unwrap();
        let mut hash = Sha256::new();
        for part in [
            b"goodstanding event 1".as_slice(),
            &digest,
            &place.to_be_bytes(),
            &at.millis().to_be_bytes(),
            &body,
        ] {
            hash.update(part);
        }
        digest = hash.finalize().to_vec();
        assert_eq!(text(&event["digest"]), URL_SAFE_NO_PAD.encode(&digest));
    }
    assert_eq!(house.engine.head().digest.to_vec(), digest);
    assert!(lines.len() > 15);
    // Of everybody's affairs together only who may read all of them sees the chain.
    assert!(trail(&school, "/events")[0].get("digest").is_none());
}

#[test]
fn a_reader_of_server_sent_events_goes_on_behind_the_last_one() {
    let house = House::open();
    let school = house.registrar("school");
    let reads = |last: Option<&str>| {
        let call = school
            .call("GET", "/events")
            .header("Accept", "text/event-stream");
        let call = match last {
            Some(id) => call.header("Last-Event-ID", id),
            None => call,
        };
        let answer = call.send().is(200);
        String::from_utf8(answer.body.to_vec()).unwrap()
    };
    let first = reads(None);
    assert!(first.starts_with("retry: "), "{first}");
    let ids: Vec<&str> = first
        .lines()
        .filter_map(|l| l.strip_prefix("id: "))
        .collect();
    assert_eq!(ids.len(), 4, "{first}");
    school.opens_list("revocation");
    let more = reads(ids.last().copied());
    let told = more.lines().filter_map(|line| line.strip_prefix("event: "));
    assert_eq!(
        told.collect::<Vec<_>>(),
        ["space.opened", "list.opened", "list.published"]
    );
    let nothing = more
        .lines()
        .filter_map(|l| l.strip_prefix("id: "))
        .next_back();
    assert!(!reads(nothing).contains("event:"));
}

#[test]
fn an_auditor_reads_and_does_nothing_else() {
    let house = House::open();
    let school = house.registrar("school");
    let auditor = |body: Value| {
        let made = house.operator().post("/tokens", &body).is(201).json();
        text(&made["token"])
    };
    let own = auditor(json!({ "profile": "school", "role": "auditor" }));
    let all = auditor(json!({ "role": "auditor" }));
    let before = house.store();
    for token in [&own, &all] {
        let call = |method: &str, target: &str| house.call(method, target).token(token);
        call("GET", "/events").send().is(200);
        call("GET", "/profiles/school/keys").send().problem(403);
        call("GET", "/endorsement-requests").send().problem(403);
        let body = json!({ "issuer": "school", "statusPurpose": "revocation" });
        let refused = call("POST", "/status-lists").json(&body).send();
        assert_eq!(refused.status, 403);
        let challenge = refused.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.contains("error=\"insufficient_scope\", scope=\"lists:write\""),
            "{challenge}"
        );
    }
    assert_eq!(house.store(), before);
    let mine = school.get("/events").is(200).json();
    let seen = house.call("GET", "/events").token(&own).send().json();
    assert_eq!(
        names(seen["events"].as_array().unwrap()),
        names(mine["events"].as_array().unwrap())
    );
    let whole = house.call("GET", "/events").token(&all).send().json();
    assert!(whole["events"].as_array().unwrap().len() > mine["events"].as_array().unwrap().len());
}

#[test]
fn whoever_changes_keys_clients_and_tokens_can_say_why() {
    let house = House::open();
    let school = house.registrar("school");
    let operator = house.operator();
    let token = json!({ "profile": "school", "role": "auditor" });
    let token = text(&operator.post("/tokens", &token).is(201).json()["id"]);
    school.post("/profiles/school/keys", &json!({})).is(201);
    house.wait(3_600);
    let since = "2026-03-01T09:30:00Z";
    let said = [
        (
            format!("/tokens/{token}/revoke"),
            json!({ "reason": "the auditor left" }),
        ),
        (
            "/profiles/school/keys/key-1/retire".into(),
            json!({ "reason": "yearly" }),
        ),
        (
            "/profiles/school/keys/key-1/revoke".into(),
            json!({ "since": since, "reason": "a laptop was lost" }),
        ),
        (
            "/profiles/school/keys/rotate".into(),
            json!({ "reason": "to be safe" }),
        ),
        (
            "/profiles/school/erase".into(),
            json!({ "members": ["url"], "reason": "asked by the owner" }),
        ),
    ];
    for (target, body) in &said {
        let status = school.post(target, body).status;
        assert!(matches!(status, 200 | 201 | 204), "{target}: {status}");
    }
    let events = trail(&school, "/events?limit=1000");
    let why = |name: &str| {
        let mut of = events.iter().filter(|event| event["type"] == name);
        text(&of.next_back().expect(name)["reason"])
    };
    for (name, reason) in [
        ("token.revoked", "the auditor left"),
        ("key.retired", "yearly"),
        ("key.revoked", "a laptop was lost"),
        ("key.rotation-begun", "to be safe"),
        ("words.erased", "asked by the owner"),
    ] {
        assert_eq!(why(name), reason, "{name}");
    }
    // A reason that is too long is no reason.
    let long = json!({ "reason": "x".repeat(2_001) });
    let refused = school
        .post("/profiles/school/keys/rotate", &long)
        .problem(400);
    assert_eq!(refused["pointer"], "/reason");
    // Words of one are words of all events of a change.
    let made: Vec<&Value> = events
        .iter()
        .filter(|e| e["reason"] == "to be safe")
        .collect();
    assert_eq!(made.len(), 2, "the key was made, and the rotation begun");
}
