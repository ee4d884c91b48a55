//! The Trust Registry Query Protocol 2.0 over the endorsements here. Shapes are those of its
//! published JSON schemas of request and response.

use serde_json::{Value, json};

use crate::support::actors::text;
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

const REGISTRY: &str = "did:web:registry.example";
const OUTSIDE: &str = "did:web:college.example";

struct Asked<'a> {
    house: &'a House,
    endpoint: &'static str,
    action: &'static str,
    member: &'static str,
}

fn authorization(house: &House) -> Asked<'_> {
    Asked {
        house,
        endpoint: "/trqp/authorization",
        action: "issue",
        member: "authorized",
    }
}

fn recognition(house: &House) -> Asked<'_> {
    Asked {
        house,
        endpoint: "/trqp/recognition",
        action: "recognize",
        member: "recognized",
    }
}

impl Asked<'_> {
    fn question(&self, entity: &str, authority: &str) -> Value {
        json!({
            "entity_id": entity, "authority_id": authority,
            "action": self.action, "resource": "*",
        })
    }

    fn send(&self, question: &Value) -> Answer {
        let call = self.house.call("POST", self.endpoint);
        call.json(question).send()
    }

    /// What is answered, as its schema has it, in our word beside the yes or no.
    #[track_caller]
    fn outcome(&self, question: &Value) -> String {
        let answer = self.send(question).is(200).json();
        for member in ["entity_id", "authority_id", "action", "resource"] {
            assert_eq!(answer[member], question[member], "{answer}");
        }
        let time = question.pointer("/context/time");
        assert_eq!(answer.get("time_requested"), time, "{answer}");
        assert!(text(&answer["time_evaluated"]).ends_with('Z'), "{answer}");
        let context = answer["context"].as_object().expect("an object");
        assert!(context.values().all(Value::is_string), "{answer}");
        for (name, value) in question["context"].as_object().into_iter().flatten() {
            assert_eq!(&context[name], value, "{answer}");
        }
        let known = [
            "entity_id",
            "authority_id",
            "action",
            "resource",
            self.member,
            "time_evaluated",
            "time_requested",
            "message",
            "context",
        ];
        let mut members = answer.as_object().unwrap().keys();
        assert!(
            members.all(|member| known.contains(&member.as_str())),
            "{answer}"
        );
        let outcome = text(&context["outcome"]);
        assert!(text(&answer["message"]).ends_with(&outcome), "{answer}");
        let granted = answer[self.member].as_bool().expect("yes or no");
        assert_eq!(granted, outcome == "active", "{answer}");
        outcome
    }

    fn of(&self, entity: &str, authority: &str) -> String {
        self.outcome(&self.question(entity, authority))
    }

    fn at(&self, entity: &str, authority: &str, time: &str) -> String {
        let mut question = self.question(entity, authority);
        question["context"] = json!({ "time": time });
        self.outcome(&question)
    }
}

#[test]
fn an_issuer_is_authorized_by_who_endorses_it() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let guild = house.accreditor("guild");
    let ask = authorization(&house);
    assert_eq!(ask.of(&school.id, &board.id), "not-endorsed");
    assert_eq!(ask.of(&school.id, REGISTRY), "not-endorsed");
    let endorsement = board.endorses(&school.id, "profile", true);
    assert_eq!(ask.of(&school.id, &board.id), "active");
    assert_eq!(
        ask.of(&school.id, REGISTRY),
        "active",
        "some accreditor here does"
    );
    assert_eq!(
        ask.of(&school.id, &guild.id),
        "not-endorsed",
        "this one does not"
    );
    // By its URL, and for what it issues.
    let mut question = ask.question("https://registry.example/profiles/school", &board.id);
    for resource in [
        "Certificate",
        "ext:Welding",
        &school.defines("Welding"),
        "urn:x:welding",
    ] {
        question["resource"] = json!(resource);
        assert_eq!(ask.outcome(&question), "active", "{resource}");
    }
    // At each moment as it was then.
    house.wait(60);
    board.does("suspend", &endorsement).is(200);
    assert_eq!(ask.of(&school.id, &board.id), "suspended");
    house.wait(60);
    board.does("revoke", &endorsement).is(200);
    assert_eq!(ask.of(&school.id, REGISTRY), "revoked");
    for (time, outcome) in [
        ("2026-03-01T09:00:00Z", "active"),
        ("2026-03-01T09:00:59.999Z", "active"),
        ("2026-03-01T09:01:00Z", "suspended"),
        ("2026-03-01T09:01:59Z", "suspended"),
        ("2026-03-01T09:02:00Z", "revoked"),
    ] {
        assert_eq!(ask.at(&school.id, &board.id, time), outcome, "{time}");
        assert_eq!(ask.at(&school.id, REGISTRY, time), outcome, "{time}");
    }
    // Another accreditor's word is another one's.
    guild.endorses(&school.id, "profile", false);
    assert_eq!(ask.of(&school.id, &board.id), "revoked");
    assert_eq!(ask.of(&school.id, REGISTRY), "active");
}

#[test]
fn an_accreditor_is_recognized_by_who_endorses_it_as_one() {
    let house = House::open();
    let operator = house.operator();
    let both = operator.registers("both", &["issuer", "accreditor"], "did:web");
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let guild = house.accreditor("guild");
    board.endorses(&guild.id, "profile", false);
    board.endorses(&school.id, "profile", false);
    let (may_issue, is_accreditor) = (authorization(&house), recognition(&house));
    assert_eq!(is_accreditor.of(&guild.id, &board.id), "active");
    assert_eq!(may_issue.of(&guild.id, &board.id), "not-endorsed");
    assert_eq!(is_accreditor.of(&school.id, &board.id), "not-endorsed");
    assert_eq!(is_accreditor.of(&guild.id, REGISTRY), "active");
    board.endorses(&both.id, "profile", false);
    assert_eq!(is_accreditor.of(&both.id, &board.id), "active");
    assert_eq!(may_issue.of(&both.id, &board.id), "active");
    // A role that was taken away is gone now, and was there then.
    house.wait(60);
    let body = json!({ "name": "Both", "roles": ["issuer"] });
    operator.put("/profiles/both", &body).is(200);
    assert_eq!(is_accreditor.of(&both.id, &board.id), "not-endorsed");
    let then = "2026-03-01T09:00:30Z";
    assert_eq!(is_accreditor.at(&both.id, &board.id, then), "active");
    let mut question = is_accreditor.question(&guild.id, &board.id);
    question["action"] = json!("endorse");
    assert_eq!(is_accreditor.outcome(&question), "active");
}

#[test]
fn what_is_not_known_is_never_a_no() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let ask = authorization(&house);
    let unknown = |question: &Value, what: &str| {
        let problem = ask.send(question).problem(404);
        assert_eq!(
            problem["type"],
            format!("urn:goodstanding:problem:unknown-{what}")
        );
        assert_eq!(problem["outcome"], "unknown", "{problem}");
        assert!(problem.get("authorized").is_none(), "{problem}");
    };
    unknown(&ask.question(OUTSIDE, &board.id), "entity");
    unknown(&ask.question(OUTSIDE, REGISTRY), "entity");
    unknown(&ask.question(REGISTRY, &board.id), "entity");
    unknown(&ask.question(&school.id, &school.id), "authority");
    unknown(&ask.question(&school.id, OUTSIDE), "authority");
    unknown(
        &ask.question(&school.id, "did:web:registry.example:profiles:x"),
        "authority",
    );
    for (member, value) in [
        ("action", "verify"),
        ("action", ""),
        ("action", "recognize"),
        ("resource", ""),
        ("resource", "driving-licence"),
        (
            "resource",
            "https://registry.example/achievements/00000000000000000000",
        ),
        ("resource", "https://registry.example/nowhere"),
    ] {
        let mut question = ask.question(&school.id, &board.id);
        question[member] = json!(value);
        unknown(&question, member);
    }
    // Once somebody endorses them, the others are known not to.
    let guild = house.accreditor("guild");
    guild.endorses(OUTSIDE, "profile", false);
    assert_eq!(ask.of(OUTSIDE, &guild.id), "active");
    assert_eq!(ask.of(OUTSIDE, &board.id), "not-endorsed");
    // Somebody elsewhere is endorsed as an accreditor where the endorsement says so.
    let is_accreditor = recognition(&house);
    assert_eq!(is_accreditor.of(OUTSIDE, &guild.id), "not-endorsed");
    let body = json!({
        "endorser": guild.id, "subject": { "id": OUTSIDE, "kind": "profile" },
        "name": "Sister board", "scope": { "role": ["accreditor"] },
    });
    guild.post("/endorsements", &body).is(201);
    assert_eq!(is_accreditor.of(OUTSIDE, &guild.id), "active");
    // Before it was registered, nothing was known of it.
    house.wait(60);
    let late = house.registrar("late");
    assert_eq!(ask.of(&late.id, &board.id), "not-endorsed");
    let mut question = ask.question(&late.id, &board.id);
    question["context"] = json!({ "time": "2026-03-01T09:00:30Z" });
    unknown(&question, "entity");
}

#[test]
fn a_bound_endorsement_says_when_it_is_stale_and_when_that_is_not_known() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let profile = school.get("/profiles/school").is(200).json();
    let digest = goodstanding::badges::DigestMultibase::of(profile.to_string().as_bytes());
    let body = json!({
        "endorser": "board", "name": "As it is",
        "subject": {
            "id": school.id, "kind": "profile", "digestMultibase": String::from(digest),
        },
    });
    board.post("/endorsements", &body).is(201);
    let ask = authorization(&house);
    assert_eq!(ask.of(&school.id, &board.id), "active");
    house.wait(60);
    let renamed = json!({ "name": "Another name" });
    school.put("/profiles/school", &renamed).is(200);
    assert_eq!(ask.of(&school.id, &board.id), "stale-digest");
    // Which version it had before that is not kept.
    let mut question = ask.question(&school.id, &board.id);
    question["context"] = json!({ "time": "2026-03-01T09:00:30Z" });
    let problem = ask.send(&question).problem(404);
    assert_eq!(problem["outcome"], "unknown");
}

#[test]
fn a_question_that_is_none_is_refused_at_its_place() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let ask = authorization(&house);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut question = ask.question(&school.id, &board.id);
        change(&mut question);
        question
    };
    let timed = |time: &str| with(&|q| q["context"] = json!({ "time": time }));
    let long = format!("did:web:{}", "a".repeat(10_000));
    for (question, pointer, words) in [
        (
            with(&|q| q["entity_id"] = json!("school")),
            "/entity_id",
            "URL",
        ),
        (
            with(&|q| q["entity_id"] = json!(long)),
            "/entity_id",
            "2,048",
        ),
        (
            with(&|q| q["authority_id"] = json!("")),
            "/authority_id",
            "URL",
        ),
        (with(&|q| q["action"] = json!(1)), "/action", "string"),
        (
            with(&|q| drop(q.as_object_mut().unwrap().shift_remove("resource"))),
            "",
            "resource",
        ),
        (
            with(&|q| q["ecosystem_id"] = json!("x")),
            "",
            "ecosystem_id",
        ),
        (with(&|q| q["context"] = json!([])), "/context", "context"),
        (
            with(&|q| q["context"] = json!({ "place": "x" })),
            "/context",
            "place",
        ),
        (timed("yesterday"), "/context/time", "RFC 3339"),
        (timed("2026-03-01T10:00:00+01:00"), "/context/time", "UTC"),
        (timed("2026-03-01T09:00:00+00:00"), "/context/time", "UTC"),
        (timed("2026-03-01T09:00:00.001Z"), "/context/time", "future"),
        (timed("9999-12-31T00:00:00Z"), "/context/time", "future"),
    ] {
        let problem = ask.send(&question).problem(400);
        assert_eq!(problem["pointer"], pointer, "{question}: {problem}");
        assert!(
            text(&problem["detail"]).contains(words),
            "{question}: {problem}"
        );
    }
    let call = house.call("POST", "/trqp/recognition");
    call.body("text/plain", "x").send().problem(415);
    house.call("GET", "/trqp/authorization").send().problem(405);
    // A place to look is taken and not needed; it stands in the answer as it was sent.
    let question = with(&|q| q["context"] = json!({ "locator": "did:example:ledger" }));
    assert_eq!(ask.outcome(&question), "not-endorsed");
    let preflight = house.call("OPTIONS", "/trqp/authorization").send().is(204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    let call = house.call("POST", "/trqp/authorization").json(&question);
    let answer = call.header("Origin", "https://page.example").send().is(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn the_registry_is_named_by_its_did_with_the_port() {
    let house = Plan::new().in_development().open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    board.endorses(&school.id, "profile", false);
    let ask = authorization(&house);
    for authority in ["did:web:localhost%3A8080", "did:web:LocalHost%3a8080"] {
        assert_eq!(ask.of(&school.id, authority), "active", "{authority}");
    }
    let problem = ask
        .send(&ask.question(&school.id, "did:web:localhost"))
        .problem(404);
    assert!(
        text(&problem["detail"]).contains("did:web:localhost%3A8080"),
        "{problem}"
    );
}

#[test]
fn an_authority_speaks_through_those_whom_it_stands_behind_and_within_their_limits() {
    let house = House::open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    let school = house.registrar("school");
    let link = ministry.endorses(&board.id, "profile", false);
    let body = json!({
        "endorser": board.id, "subject": { "id": school.id, "kind": "profile" },
        "name": "Degrees", "scope": { "achievementType": ["Degree"] },
    });
    board.post("/endorsements", &body).is(201);
    let ask = authorization(&house);
    let of = |authority: &str, resource: &str| {
        let mut question = ask.question(&school.id, authority);
        question["resource"] = json!(resource);
        ask.outcome(&question)
    };
    for authority in [&*board.id, &ministry.id, REGISTRY] {
        assert_eq!(of(authority, "Degree"), "active", "{authority}");
        assert_eq!(of(authority, "Course"), "not-endorsed", "{authority}");
        assert_eq!(of(authority, "*"), "not-endorsed", "{authority}");
    }
    ministry.does("revoke", &link).is(200);
    assert_eq!(of(&ministry.id, "Degree"), "revoked");
    assert_eq!(of(&board.id, "Degree"), "active");
}
