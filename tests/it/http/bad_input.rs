//! Bad input: each a problem that names the place, with nothing stored.

use goodstanding::http::routes::{ROUTES, Route};
use serde_json::json;

use crate::support::actors::Actor;
use crate::support::house::House;

const OURS: &str = "urn:goodstanding:problem:";

/// Sends each line of `table` and demands the problem that stands behind its arrow: the type, the
/// pointer (`-` is the whole document), and words of the detail. Nothing may be stored.
fn refuses(actor: &Actor<'_>, target: &str, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (body, expected) = line.split_once(" -> ").expect("an arrow");
        let mut expected = expected.splitn(3, ' ');
        let mut next = || expected.next().expect("type, pointer, words");
        let (kind, pointer, words) = (next(), next(), next());
        let pointer = if pointer == "-" { "" } else { pointer };
        refuses_bytes(actor, target, body.as_bytes(), (kind, pointer, words));
    }
}

fn refuses_bytes(actor: &Actor<'_>, target: &str, body: &[u8], expected: (&str, &str, &str)) {
    let before = actor.house.store();
    let call = actor.call("POST", target);
    let problem = call.body("application/json", body).send().problem(400);
    let (kind, pointer, words) = expected;
    let sent = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    let sent = format!("{target} {sent}: {problem}");
    assert_eq!(problem["type"], format!("{OURS}{kind}"), "{sent}");
    assert_eq!(problem["pointer"], pointer, "{sent}");
    assert!(
        problem["detail"].as_str().unwrap().contains(words),
        "{sent}"
    );
    assert!(
        actor.house.store() == before,
        "{sent}: something was stored"
    );
}

#[test]
fn what_is_not_json_is_refused_where_it_stops_being_it() {
    let house = House::open();
    let school = house.registrar("school");
    let entries = format!("{}/entries", school.opens_list("revocation"));
    refuses(
        &school,
        &entries,
        r#"
        {"count": -> invalid-request /count line 1, column 10
        {"count":1} x -> invalid-request - column 13
        {"count":01} -> invalid-request - line 1
        {'count':1} -> invalid-request - line 1
        {"count":1,} -> invalid-request - line 1
        NaN -> invalid-request - line 1
        {"count":1,"count":1} -> duplicate-member - count
        {"count":18446744073709551616} -> invalid-request /count too large
        "#,
    );
    let kind = "invalid-request";
    let deep = "[".repeat(100_000);
    let place = "/0".repeat(64);
    for (body, pointer, words) in [
        (&b""[..], "", "line 1"),
        (b"\xef\xbb\xbf{\"count\":1}", "", "line 1"),
        (b"{\"count\":\"\xff\"}", "", "UTF-8"),
        (deep.as_bytes(), &place, "deep"),
    ] {
        refuses_bytes(&school, &entries, body, (kind, pointer, words));
    }
}

#[test]
fn what_is_not_what_was_asked_for_is_refused_at_its_place() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    refuses(
        &school,
        &format!("{list}/entries"),
        r#"
        [] -> invalid-request - object
        {} -> invalid-request - count
        {"count":1,"colour":1} -> unknown-member - colour
        {"count":"5"} -> invalid-request /count /count
        {"count":1.5} -> invalid-request /count /count
        {"count":-1} -> invalid-request /count /count
        {"count":0} -> invalid-request /count 100000
        {"count":100001} -> invalid-request /count 100000
        {"count":1,"credentialIds":["urn:x"]} -> invalid-request - count
        {"credentialIds":[]} -> invalid-request /credentialIds 1 to
        {"credentialIds":["urn:a",7]} -> invalid-request /credentialIds/1 string
        {"credentialIds":["urn:a","b"]} -> invalid-request /credentialIds/1 URL
        {"credentialIds":["urn:a","urn:a"]} -> invalid-request /credentialIds/1 twice
        "#,
    );
    refuses(
        &school,
        &format!("{list}/updates"),
        r#"
        {} -> invalid-request - updates
        {"updates":[]} -> invalid-request /updates 1 to
        {"updates":[{"index":1}]} -> invalid-request /updates/0 status
        {"updates":[{"status":1}]} -> invalid-request /updates/0 index
        {"updates":[{"index":1,"status":1},{"index":1,"status":true}]} -> invalid-request /updates/1/status /updates/1/status
        {"updates":[{"index":1,"status":1,"why":0}]} -> unknown-member /updates/0 why
        {"updates":[{"index":1,"status":1,"status":0}]} -> duplicate-member /updates/0 status
        {"updates":[{"index":"1","status":1}]} -> invalid-request /updates/0/index /updates/0/index
        {"updates":[{"index":1,"credentialId":"urn:x","status":1}]} -> invalid-request /updates/0 either
        "#,
    );
    let board = house.accreditor("board");
    refuses(
        &board,
        "/endorsements",
        r#"
        {"endorser":"board","name":"x"} -> invalid-request - subject
        {"endorser":"nobody","name":"x","subject":{"id":"urn:x","kind":"profile"}} -> invalid-request /endorser nobody
        {"endorser":"board","name":7,"subject":{"id":"urn:x","kind":"profile"}} -> invalid-request /name /name
        {"endorser":"board","name":"x","subject":{"id":"urn:x","kind":"profile","why":1}} -> unknown-member /subject why
        {"endorser":"board","name":"x","subject":{"id":"urn:x","kind":"profile","digestMultibase":"x"}} -> invalid-request /subject/digestMultibase multibase
        {"endorser":"board","name":"x","validFrom":"now","subject":{"id":"urn:x","kind":"profile"}} -> invalid-request /validFrom now
        {"endorser":"board","name":"x","suspendable":"yes","subject":{"id":"urn:x","kind":"profile"}} -> invalid-request /suspendable /suspendable
        "#,
    );
}

#[test]
fn a_list_that_the_standard_does_not_allow_is_not_opened() {
    let house = House::open();
    let school = house.registrar("school");
    refuses(
        &school,
        "/status-lists",
        r#"
        {"issuer":"school","statusPurpose":"revocation","length":8} -> invalid-request /length 131072
        {"issuer":"school","statusPurpose":"revocation","length":131064} -> invalid-request /length 131072
        {"issuer":"school","statusPurpose":"revocation","length":131073} -> invalid-request /length multiple of 8
        {"issuer":"school","statusPurpose":"revocation","length":67108872} -> invalid-request /length 67108864
        {"issuer":"school","statusPurpose":"revocation","length":-8} -> invalid-request /length /length
        {"issuer":"school","statusPurpose":"revocation","length":"131072"} -> invalid-request /length /length
        {"issuer":"school","statusPurpose":"revocation","length":67108864,"statusSize":2,"statusMessage":[{"status":"0x0","message":"a"},{"status":"0x1","message":"b"},{"status":"0x2","message":"c"},{"status":"0x3","message":"d"}]} -> invalid-request /length 33554432
        {"issuer":"school","statusPurpose":"revocation","statusSize":2} -> invalid-request /statusMessage 4 values
        {"issuer":"school","statusPurpose":"revocation","statusSize":3} -> invalid-request /statusSize 1, 2, 4
        {"issuer":"school","statusPurpose":"message"} -> invalid-request /statusMessage needs messages
        {"issuer":"school","statusPurpose":"message","statusMessage":[{"status":"0x0","message":"a"}]} -> invalid-request /statusMessage exactly 2
        {"issuer":"school","statusPurpose":"message","statusMessage":[{"status":"0x0","message":"a"},{"status":"0x0","message":"b"}]} -> invalid-request /statusMessage message already
        {"issuer":"school","statusPurpose":"message","statusMessage":[{"status":0,"message":"a"},{"status":1,"message":"b"}]} -> invalid-request /statusMessage strings
        {"issuer":"school","statusPurpose":"revocation","statusReference":"http://a.example/"} -> invalid-request /statusReference https
        {"issuer":"school","statusPurpose":"revocation","statusReference":[]} -> invalid-request /statusReference 1 to 8
        {"issuer":"school","statusPurpose":"revocation","formats":["bitstring","cbor"]} -> invalid-request /formats/1 cbor
        {"issuer":"school","statusPurpose":"refresh","formats":["2021"]} -> invalid-request /formats refresh
        {"issuer":"school","statusPurpose":"message","formats":["token"],"statusMessage":[{"status":"0x0","message":"a"},{"status":"0x1","message":"b"}]} -> invalid-request /formats 2, 4 or 8
        {"issuer":"school","statusPurpose":"revocation","cryptosuites":["bbs-2023"]} -> invalid-request /cryptosuites/0 bbs-2023
        {"issuer":"school","statusPurpose":"revocation","ttl":0} -> invalid-request /ttl 1,000
        {"issuer":"school","statusPurpose":"revocation","pairedWith":"urn:x"} -> invalid-request /pairedWith urn:x
        {"issuer":"nobody","statusPurpose":"revocation"} -> invalid-request /issuer nobody
        {"issuer":"school","statusPurpose":""} -> invalid-request /statusPurpose purpose
        {"issuer":"school","statusPurpose":["revocation"]} -> invalid-request /statusPurpose /statusPurpose
        {"statusPurpose":"revocation"} -> invalid-request - issuer
        "#,
    );
    // The smallest and an odd, but whole, length do.
    for (length, bytes) in [(131_072, 16_384), (131_080, 16_385)] {
        let body = json!({ "issuer": "school", "statusPurpose": "revocation", "length": length });
        let opened = school.post("/status-lists", &body).is(201);
        let list = opened.header("location").unwrap();
        assert_eq!(school.reads(list).len(), bytes);
    }
}

#[test]
fn what_is_not_part_of_a_profile_or_an_achievement_is_refused() {
    let house = House::open();
    let school = house.registrar("school");
    refuses(
        &house.operator(),
        "/profiles",
        r#"
        {"name":"X","roles":["issuer"]} -> invalid-request /slug slug
        {"slug":"x","name":"X"} -> invalid-request /roles roles
        {"slug":"x","name":"X","roles":[]} -> invalid-request /roles role
        {"slug":"x","name":"X","roles":["issuer","king"]} -> invalid-request /roles/1 issuer or accreditor
        {"slug":"x","name":"X","roles":"issuer"} -> invalid-request /roles /roles
        {"slug":"x","name":"X","roles":["issuer"],"issuerId":"did:ion"} -> invalid-request /issuerId did:web
        {"slug":"Not A Slug","name":"X","roles":["issuer"]} -> invalid-request /slug a-z
        {"slug":7,"name":"X","roles":["issuer"]} -> invalid-request /slug /slug
        {"slug":"x","name":7,"roles":["issuer"]} -> invalid-request /name /name
        {"slug":"x","roles":["issuer"]} -> invalid-request - name
        {"slug":"x","name":"X","name":"Y","roles":["issuer"]} -> duplicate-member - name
        {"slug":"x","name":"X","roles":["issuer"],"colour":1} -> unknown-member /colour colour
        {"slug":"x","name":"X","roles":["issuer"],"url":"no url"} -> invalid-request /url /url
        "#,
    );
    refuses(
        &school,
        "/profiles/school/achievements",
        r#"
        {"name":"X","description":"x"} -> invalid-request - criteria
        {"name":"X","description":"x","criteria":{}} -> invalid-request /criteria criteria
        {"name":"X","description":"x","criteria":{"narrative":"x","shoe":1}} -> unknown-member /criteria/shoe shoe
        {"name":"X","description":"x","criteria":{"narrative":"x"},"id":"urn:x"} -> invalid-request /id id
        "#,
    );
}

#[test]
fn a_status_that_cannot_be_set_is_refused_and_the_list_stays() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 2);
    school.sets(&list, given[0], 1).is(200);
    let never = (0..).find(|index| !given.contains(index)).unwrap();
    let published = school.get(&list).is(200);
    let before = house.store();
    for (update, word) in [
        (json!({ "index": 131_072, "status": 1 }), "131072"),
        (json!({ "index": u64::MAX, "status": 1 }), "outside"),
        (json!({ "index": never, "status": 1 }), "never given out"),
        (json!({ "index": never, "status": 0 }), "never given out"),
        (json!({ "index": given[0], "status": 0 }), "never goes back"),
        (json!({ "index": given[1], "status": 2 }), "2"),
        (json!({ "index": given[1], "status": 256 }), "0 to 1"),
        (
            json!({ "credentialId": "urn:unknown", "status": 1 }),
            "urn:unknown",
        ),
    ] {
        let body = json!({ "updates": [update] });
        let refused = school.post(&format!("{list}/updates"), &body).problem(422);
        assert_eq!(refused["type"], "urn:goodstanding:problem:all-refused");
        assert_eq!(refused["refused"][0]["item"], 0, "{refused}");
        let reason = refused["refused"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(word), "{update}: {refused}");
    }
    let lines = format!(
        "{{\"index\":{},\"status\":1}}\n\n{{\"index\":oops}}\n",
        given[1]
    );
    let call = school.call("POST", &format!("{list}/updates"));
    let refused = call.body("application/x-ndjson", lines).send().problem(400);
    assert_eq!(refused["line"], 3, "{refused}");
    let one = json!({ "updates": [{ "index": given[1], "status": 1 }] });
    let beside = school.post(&format!("{list}/updates?reason=fraud"), &one);
    assert_eq!(beside.problem(400)["pointer"], "?reason");
    let long = json!({
        "updates": [{ "index": given[1], "status": 1 }], "reason": "x".repeat(2_001),
    });
    let refused = school.post(&format!("{list}/updates"), &long).problem(400);
    assert_eq!(refused["pointer"], "/reason");
    assert_eq!(house.store(), before);
    assert_eq!(school.get(&list).is(200), published);
}

#[test]
fn a_body_of_another_media_type_is_refused_by_every_route_that_takes_json() {
    let house = House::open();
    let operator = house.operator();
    let before = house.store();
    let mut taken = Vec::new();
    // OpenID Federation and OAuth post forms, and have errors of their own shape
    // (tests/it/http/federation, oauth); so has the Open Badges API, which takes some text
    // (open_badges_api). The check page takes forms (check/hostile).
    let takes_json = |route: &&Route| {
        let others = ["/federation/", "/oauth/", "/ims/", "/check"];
        route.body.is_some() && !others.iter().any(|room| route.path.starts_with(room))
    };
    for route in ROUTES.iter().filter(takes_json) {
        let path = route
            .path
            .replace("{profile}", "school")
            .replace("{key}", "key-1");
        let path = path.replace("{list}", &"0".repeat(20));
        let path = path.replace("{endorsement}", &"0".repeat(20));
        let path = path.replace("{achievement}", &"0".repeat(20));
        let path = path.replace("{request}", &"0".repeat(20));
        let path = path.replace("{client}", &"0".repeat(32));
        let path = path.replace("{person}", &"0".repeat(32));
        let call = operator.call(route.method, &path);
        let answer = call.body("text/plain", "{\"a\":1}").send();
        if answer.status != 415 {
            taken.push(format!(
                "{} {}: {}",
                route.method, route.path, answer.status
            ));
            continue;
        }
        let problem = answer.problem(415);
        assert!(
            problem["detail"].as_str().unwrap().contains("text/plain"),
            "{problem}"
        );
    }
    assert_eq!(house.store(), before);
    assert!(taken.is_empty(), "not 415: {taken:#?}");
}

#[test]
fn a_body_where_none_is_taken_is_not_passed_over() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let brought =
        json!({ "publicKeyMultibase": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK" });
    let refused = school
        .post("/profiles/school/keys/rotate", &brought)
        .problem(400);
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("publicKeyMultibase"),
        "{refused}"
    );
    assert_eq!(house.store(), before);
}

#[test]
fn an_idempotency_key_that_cannot_be_one_is_refused() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let before = house.store();
    let long = vec![b'k'; 256];
    for key in [
        b"".as_slice(),
        &long,
        "schl\u{fc}ssel".as_bytes(),
        b"\xff\xfe",
    ] {
        let call = school.call("POST", &format!("{list}/entries"));
        let call = call
            .json(&json!({ "count": 1 }))
            .header("Idempotency-Key", key);
        let answer = call.send();
        assert_eq!(answer.status, 400, "{:?}", String::from_utf8_lossy(key));
        let refused = answer.problem(400);
        assert_eq!(refused["pointer"], "Idempotency-Key", "{refused}");
        assert_eq!(house.store(), before, "{key:?}");
    }
    let call = school.call("POST", &format!("{list}/entries"));
    let call = call
        .json(&json!({ "count": 1 }))
        .header("Idempotency-Key", &long[..255]);
    call.send().is(200);
}
