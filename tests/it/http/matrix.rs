//! Every private route × every role × its own things and those of others, made from the table of
//! routes: a route that this does not know is a failure.

use std::sync::Arc;

use goodstanding::access::{Action, Role};
use goodstanding::http::routes::{Access, ROUTES, Route};
use goodstanding::store::engine::Row;
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{Clock as _, ManualClock};
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

/// What is asked of a route, about something that is the school's or the registry's.
pub(super) struct Sample {
    pub(super) target: String,
    pub(super) body: Option<Value>,
    /// What it answers who may: as its route says, or this where the question cannot succeed.
    pub(super) done: Option<u16>,
    /// What it answers those who may do this with what is theirs.
    to_others: u16,
    /// What it answers the school's owner with no other scope than the route's, where that is not
    /// enough.
    alone: Option<u16>,
    /// What it answers the operator, where that is not what it answers who may.
    pub(super) to_operator: Option<u16>,
}

impl Sample {
    fn new(target: impl Into<String>, body: impl Into<Option<Value>>) -> Self {
        Self {
            target: target.into(),
            body: body.into(),
            done: None,
            to_others: 403,
            alone: None,
            to_operator: None,
        }
    }

    /// It hands out more than its own scope.
    fn needs_more(self) -> Self {
        Self {
            alone: Some(403),
            ..self
        }
    }

    /// It is about the caller's own profile, which the operator does not have.
    fn of_ones_own(self) -> Self {
        Self {
            to_operator: Some(403),
            ..self
        }
    }

    /// Others do not hear that it is there.
    fn hidden(self) -> Self {
        self.answers_others(404)
    }

    fn answers_others(self, status: u16) -> Self {
        Self {
            to_others: status,
            ..self
        }
    }

    /// It is no question about anybody's things in particular: each sees their own.
    fn for_each(self) -> Self {
        self.answers_others(200)
    }

    fn refused(self, status: u16) -> Self {
        Self {
            done: Some(status),
            ..self
        }
    }
}

/// What there is.
pub(super) struct World {
    pub(super) rows: Vec<Row>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) operator: String,
    /// Tokens of the school by role, and of one who has no part in its things.
    pub(super) school: Vec<(Role, String)>,
    stranger: Vec<(Role, String)>,
    /// Of the school's owner, for one action alone and for all but one.
    only: Vec<(Action, String, String)>,
    things: Things,
}

/// What is the school's.
struct Things {
    list: String,
    index: u64,
    credential: String,
    /// A credential that has a verification code.
    coded: String,
    achievement: String,
    endorsement: Value,
    /// Of the school, by another.
    held: Value,
    /// Requests to the school: new, and to be declined and asked.
    asked_of_it: String,
    /// Requests by the school: asked something.
    asked_by_it: String,
    token: String,
    /// A client that may do what has to do with clients alone.
    client: String,
    /// Somebody who was invited for it.
    person: String,
    id: String,
}

const OF_A_PROFILE: [Role; 4] = [
    Role::Owner,
    Role::ListManager,
    Role::Endorser,
    Role::Auditor,
];

impl World {
    pub(super) fn build() -> Self {
        let house = House::open();
        let operator = house.operator();
        let roles = ["issuer", "accreditor"];
        let school = operator.registers("school", &roles, "did:web");
        let board = operator.registers("board", &roles, "did:web");
        operator.registers("stranger", &roles, "did:web");
        // A second key of each, which signs by now.
        school.post("/profiles/school/keys", &json!({})).is(201);
        operator.post("/keys", &json!({})).is(201);
        house.wait(3_600);
        let list = school.opens_list("revocation");
        let index = school.allocates(&list, 1)[0];
        let achievement = school.defines("Welding");
        let credential = school.issues(&badge(&school.id, "https://far.example/welding"));
        let coded = text(&school.issues(&badge(&school.id, "https://far.example/welding"))["id"]);
        let body = json!({ "credentialIds": [coded] });
        school.post("/credentials/codes", &body).is(200);
        let endorsement = school.endorses(&board.id, "profile", true);
        let held = board.endorses(&school.id, "profile", false);
        let asks = |from: &Actor<'_>, of: &str| {
            let body = json!({
                "accreditor": of, "requester": from.slug, "name": "Label",
                "subject": { "id": from.id, "kind": "profile" },
            });
            text(&from.post("/endorsement-requests", &body).is(201).json()["id"])
        };
        let asked_of_it = asks(&board, "school");
        let asked_by_it = asks(&school, "board");
        let question = json!({ "question": "Since when?" });
        board.post(&format!("{asked_by_it}/ask"), &question).is(200);
        let made = |body: Value| operator.post("/tokens", &body).is(201).json();
        let of = |slug: &str| {
            let tokens = OF_A_PROFILE.into_iter().map(|role| {
                let body = json!({ "profile": slug, "role": role.as_str() });
                (role, text(&made(body)["token"]))
            });
            tokens.collect::<Vec<_>>()
        };
        let narrowed = |actions: Vec<Action>| {
            let scopes: Vec<&str> = actions.into_iter().map(Action::scope).collect();
            text(&made(json!({ "profile": "school", "scope": scopes.join(" ") }))["token"])
        };
        let but = |action: Action| Action::ALL.into_iter().filter(move |a| *a != action);
        let only = Action::ALL
            .into_iter()
            .map(|a| (a, narrowed(vec![a]), narrowed(but(a).collect())));
        let things = Things {
            list,
            index,
            credential: text(&credential["id"]),
            coded,
            achievement,
            endorsement,
            held,
            asked_of_it,
            asked_by_it,
            token: text(&made(json!({ "profile": "school" }))["id"]),
            client: school
                .registers_client("owner", &json!({ "scope": "clients:write" }))
                .id,
            person: {
                let body = json!({ "name": "Bo", "role": "endorser" });
                let made = school.post("/profiles/school/people", &body).is(201);
                text(&made.json()["id"])
            },
            id: school.id.clone(),
        };
        Self {
            school: of("school"),
            stranger: of("stranger"),
            only: only.collect(),
            things,
            rows: house.store(),
            clock: house.clock.clone(),
            operator: house.operator_token.clone(),
        }
    }

    /// A registry in which all of it is there, and nothing was done since.
    pub(super) fn opens(&self) -> House {
        self.plans().open()
    }

    /// As [`World::opens`], before it is opened.
    pub(super) fn plans(&self) -> Plan {
        let clock = Arc::new(ManualClock::new(self.clock.now()));
        let engine = MemoryEngine::holding(self.rows.clone(), clock.clone()).unwrap();
        Plan::over(Arc::new(engine), clock).seeded(2)
    }

    /// Where a public route leads to things that are there.
    pub(super) fn there(&self, path: &str) -> String {
        let things = &self.things;
        let endorsement = text(&things.endorsement["id"]);
        let name = |id: &str| id.rsplit('/').next().unwrap_or_default().to_owned();
        let query = match path {
            "/status" => format!("?list={}&index={}", things.list, things.index),
            "/standing" => format!("?credential={}", things.credential),
            "/check" => format!("?list={}&index={}", things.list, things.index),
            "/token-status-lists" => format!("?issuer={}", things.id),
            "/federation/fetch" => format!("?sub={}", things.id),
            _ => String::new(),
        };
        let path = path
            .replace("{list}", &name(&things.list))
            .replace("{achievement}", &name(&things.achievement))
            .replace("{endorsement}", &name(&endorsement))
            .replace("{profile}", "school");
        path + &query
    }

    /// What is asked of a route about what is the school's. A new route is named here first.
    pub(super) fn sample(&self, route: &Route) -> Option<Sample> {
        let things = &self.things;
        let endorsement = text(&things.endorsement["id"]);
        let new = |target: &str, body: Value| Sample::new(target, body);
        let at = |thing: &str, rest: &str, body: Value| Sample::new(format!("{thing}{rest}"), body);
        let read = |target: &str| Sample::new(target, None);
        let nothing = || json!({});
        let since = || json!({ "since": "2026-03-01T09:00:00Z" });
        let reason = || json!({ "reason": "as decided" });
        let updates = json!({ "updates": [{ "index": things.index, "status": 1 }] });
        Some(match (route.method, route.path) {
            ("GET", "/keys") => read("/keys"),
            ("POST", "/keys") => new("/keys", nothing()),
            ("POST", "/keys/rotate") => new("/keys/rotate", nothing()),
            ("POST", "/profiles/{profile}/keys/rotate") => {
                new("/profiles/school/keys/rotate", nothing())
            }
            // The school's keys are here, so that nothing of it waits for a signature.
            ("GET", "/status-lists/{list}/unsigned") => {
                read(&format!("{}/unsigned", things.list)).refused(409)
            }
            ("PUT", "/status-lists/{list}/signed") => at(
                &things.list,
                "/signed",
                json!({ "revision": 1, "artefacts": [] }),
            )
            .refused(409),
            ("GET", "/endorsements/{endorsement}/unsigned") => {
                read(&format!("{endorsement}/unsigned"))
                    .refused(404)
                    .hidden()
            }
            ("POST", "/keys/{key}/retire") => new("/keys/key-1/retire", nothing()),
            ("POST", "/keys/{key}/revoke") => new("/keys/key-1/revoke", since()),
            // There is no next one here.
            ("POST", "/master-key/rotate") => new("/master-key/rotate", nothing()).refused(409),
            ("POST", "/profiles") => new(
                "/profiles",
                json!({ "slug": "new", "name": "New", "roles": ["issuer"] }),
            ),
            ("PUT", "/profiles/{profile}") => new(
                "/profiles/school",
                json!({ "name": "School", "roles": ["issuer", "accreditor"] }),
            ),
            ("POST", "/profiles/{profile}/suspend") => new("/profiles/school/suspend", reason()),
            ("POST", "/profiles/{profile}/reinstate") => {
                new("/profiles/school/reinstate", reason())
            }
            ("POST", "/profiles/{profile}/revoke") => new("/profiles/school/revoke", reason()),
            ("GET", "/profiles/{profile}/keys") => read("/profiles/school/keys").hidden(),
            ("POST", "/profiles/{profile}/keys") => new("/profiles/school/keys", nothing()),
            ("POST", "/profiles/{profile}/keys/{key}/retire") => {
                new("/profiles/school/keys/key-1/retire", nothing())
            }
            ("POST", "/profiles/{profile}/keys/{key}/revoke") => {
                new("/profiles/school/keys/key-1/revoke", since())
            }
            ("POST", "/profiles/{profile}/achievements") => new(
                "/profiles/school/achievements",
                json!({ "name": "A", "description": "B", "criteria": { "narrative": "C" } }),
            ),
            ("PUT", "/achievements/{achievement}") => new(
                &things.achievement,
                json!({ "name": "A", "description": "B", "criteria": { "narrative": "C" } }),
            ),
            ("POST", "/status-lists") => new(
                "/status-lists",
                json!({ "issuer": "school", "statusPurpose": "suspension" }),
            ),
            ("POST", "/status-lists/{list}/entries") => {
                at(&things.list, "/entries", json!({ "count": 1 }))
            }
            ("POST", "/status-lists/{list}/updates") => at(&things.list, "/updates", updates),
            ("POST", "/status-lists/import") => new(
                "/status-lists/import",
                json!({
                    "issuer": "school", "statusPurpose": "revocation", "length": 131_072,
                    "encodedList": goodstanding::bitstring::encode(&vec![0; 16_384]),
                }),
            ),
            // Nothing of it is to be put back; and there is no folder for backups.
            ("POST", "/status-lists/put-back") => {
                new("/status-lists/put-back", json!({ "lists": [{}] }))
            }
            ("GET", "/backups") => read("/backups"),
            ("POST", "/backups") => new("/backups", nothing()).refused(409),
            ("GET", "/published") => read("/published").for_each(),
            ("GET", "/status-lists/{list}/export") => read(&format!("{}/export", things.list)),
            ("POST", "/credentials/issue") => new(
                "/credentials/issue",
                json!({ "credential": badge(&things.id, "https://far.example/x") }),
            ),
            // That others have credentials is nothing that they hear of.
            ("POST", "/credentials/codes") => new(
                "/credentials/codes",
                json!({ "credentialIds": [things.credential] }),
            )
            .answers_others(422),
            ("POST", "/credentials/codes/withdraw") => new(
                "/credentials/codes/withdraw",
                json!({ "credentialIds": [things.coded] }),
            )
            .answers_others(422),
            ("POST", "/credentials/status") => new(
                "/credentials/status",
                json!({
                    "credentialId": things.credential, "status": true,
                    "credentialStatus": {
                        "type": "BitstringStatusListEntry", "statusPurpose": "revocation"
                    },
                }),
            )
            .hidden(),
            ("POST", "/endorsements") => new(
                "/endorsements",
                json!({
                    "endorser": "school", "name": "Label",
                    "subject": { "id": "https://far.example/x", "kind": "achievement" },
                }),
            ),
            // What was issued here is not brought here; others hear no more of it than that.
            ("POST", "/endorsements/import") => new(
                "/endorsements/import",
                json!({ "verifiableCredential": things.endorsement }),
            )
            .refused(400)
            .answers_others(400),
            ("POST", "/endorsements/{endorsement}/follow") => {
                at(&endorsement, "/follow", nothing()).refused(422)
            }
            ("POST", "/endorsements/{endorsement}/revoke") => at(&endorsement, "/revoke", reason()),
            ("POST", "/endorsements/{endorsement}/suspend") => {
                at(&endorsement, "/suspend", reason())
            }
            ("POST", "/endorsements/{endorsement}/reinstate") => {
                at(&endorsement, "/reinstate", reason())
            }
            ("POST", "/endorsement-requests") => new(
                "/endorsement-requests",
                json!({
                    "accreditor": "board", "requester": "school", "name": "Label",
                    "subject": { "id": things.achievement, "kind": "achievement" },
                }),
            ),
            ("GET", "/endorsement-requests") => read("/endorsement-requests").for_each(),
            ("GET", "/endorsement-requests/{request}") => read(&things.asked_of_it).hidden(),
            ("POST", "/endorsement-requests/{request}/approve") => {
                at(&things.asked_of_it, "/approve", nothing()).hidden()
            }
            ("POST", "/endorsement-requests/{request}/decline") => {
                at(&things.asked_of_it, "/decline", reason()).hidden()
            }
            ("POST", "/endorsement-requests/{request}/ask") => {
                at(&things.asked_of_it, "/ask", json!({ "question": "Q?" })).hidden()
            }
            ("POST", "/endorsement-requests/{request}/answer") => {
                at(&things.asked_by_it, "/answer", json!({ "answer": "A." })).hidden()
            }
            ("POST", "/endorsement-requests/{request}/withdraw") => {
                at(&things.asked_by_it, "/withdraw", nothing()).hidden()
            }
            ("GET", "/profiles/{profile}/usage") => read("/profiles/school/usage").hidden(),
            ("GET", "/profiles/{profile}/tasks") => read("/profiles/school/tasks").hidden(),
            ("POST", "/profiles/{profile}/erase") => {
                new("/profiles/school/erase", json!({ "members": ["url"] }))
            }
            ("GET", "/events") => read("/events?profile=school").hidden(),
            ("GET", "/tokens") => read("/tokens?profile=school").hidden(),
            ("POST", "/tokens") => new("/tokens", json!({ "profile": "school" })),
            ("POST", "/tokens/{token}/revoke") => {
                new(&format!("/tokens/{}/revoke", things.token), nothing()).hidden()
            }
            ("POST", "/profiles/{profile}/people") => new(
                "/profiles/school/people",
                json!({ "name": "Ada", "role": "auditor" }),
            )
            .needs_more(),
            ("POST", "/people") => new("/people", json!({ "name": "Op", "role": "auditor" })),
            ("GET", "/people") => read("/people?profile=school").hidden(),
            ("POST", "/people/{person}/remove") => {
                new(&format!("/people/{}/remove", things.person), nothing()).hidden()
            }
            ("GET", "/clients") => read("/clients?profile=school").hidden(),
            ("GET", "/clients/{client}") => read(&format!("/clients/{}", things.client)).hidden(),
            // Nobody hands out more than they may do themselves.
            ("POST", "/clients/{client}/approve") => new(
                &format!("/clients/{}/approve", things.client),
                json!({ "role": "owner", "scope": "clients:write" }),
            )
            .hidden(),
            ("POST", "/clients/{client}/reject" | "/clients/{client}/remove") => {
                let step = route.path.rsplit_once('/').unwrap().1;
                new(&format!("/clients/{}/{step}", things.client), nothing()).hidden()
            }
            ("POST", "/clients/{client}/secret") => {
                new(&format!("/clients/{}/secret", things.client), nothing()).hidden()
            }
            ("GET", "/ims/ob/v3p0/credentials") => {
                read("/ims/ob/v3p0/credentials").for_each().of_ones_own()
            }
            // It is here already.
            ("POST", "/ims/ob/v3p0/credentials") => {
                let sample = new("/ims/ob/v3p0/credentials", things.held.clone());
                sample.refused(200).of_ones_own()
            }
            ("GET", "/ims/ob/v3p0/profile") => {
                read("/ims/ob/v3p0/profile").for_each().of_ones_own()
            }
            ("PUT", "/ims/ob/v3p0/profile") => {
                let body = json!({ "id": things.id, "type": ["Profile"], "name": "School" });
                let sample = new("/ims/ob/v3p0/profile", body);
                sample.answers_others(400).of_ones_own()
            }
            _ => return None,
        })
    }
}

/// Asks, as whoever has this token.
fn ask(house: &House, route: &Route, sample: &Sample, token: Option<&str>) -> Answer {
    let call = house.call(route.method, &sample.target);
    let call = match &sample.body {
        Some(body) => call.json(body),
        None => call,
    };
    match token {
        Some(token) => call.token(token).send(),
        None => call.send(),
    }
}

fn needs(route: &Route) -> Option<Action> {
    route.access.is_private().then(|| route.access.action())
}

/// The samples of all private routes.
fn samples(world: &World) -> Vec<(&'static Route, Action, Sample)> {
    let private = ROUTES
        .iter()
        .filter_map(|route| Some((route, needs(route)?)));
    private
        .map(|(route, action)| {
            let sample = world.sample(route).unwrap_or_else(|| {
                panic!(
                    "{} {} is a route that the matrix does not know: say in World::sample how it \
                     is asked, and what others hear",
                    route.method, route.path
                )
            });
            (route, action, sample)
        })
        .collect()
}

#[test]
fn nobody_does_what_their_role_or_scope_does_not_allow() {
    let world = World::build();
    let house = world.opens();
    let before = house.store();
    for (route, action, sample) in samples(&world) {
        let case = |who: &str| format!("{} {} by {who}", route.method, route.path);
        let status = |token: Option<&str>| ask(&house, route, &sample, token).status;
        assert_eq!(status(None), 401, "{}", case("nobody"));
        assert_eq!(status(Some("gst_x")), 401, "{}", case("a stranger's guess"));
        let tenants = [("school", &world.school), ("stranger", &world.stranger)];
        for (slug, tokens) in tenants {
            for (role, token) in tokens {
                let can = role.actions().contains(action);
                let who = case(&format!("the {slug}'s {role}"));
                match (can, slug) {
                    (true, "school") => {}
                    (true, _) => assert_eq!(status(Some(token)), sample.to_others, "{who}"),
                    (false, _) => assert_eq!(status(Some(token)), 403, "{who}"),
                }
            }
        }
        let without = world.only.iter().find(|(named, ..)| *named == action);
        let (_, _, without) = without.unwrap();
        assert_eq!(status(Some(without)), 403, "{}", case("all other scopes"));
    }
    assert_eq!(house.store(), before, "nothing was changed by any of them");
}

#[test]
fn everybody_does_what_their_role_and_scope_allow() {
    let world = World::build();
    for (route, action, sample) in samples(&world) {
        let expected = sample.done.unwrap_or(route.success);
        let to_operator = sample.to_operator.unwrap_or(expected);
        let operator = world.operator.clone();
        let mut askers = vec![("the operator".to_owned(), operator, to_operator)];
        let able = world
            .school
            .iter()
            .filter(|(role, _)| role.actions().contains(action));
        askers.extend(able.map(|(role, token)| (format!("its {role}"), token.clone(), expected)));
        if action != Action::Operate {
            let (_, only, _) = world
                .only
                .iter()
                .find(|(named, ..)| *named == action)
                .unwrap();
            let expected = sample.alone.unwrap_or(expected);
            let who = format!("who has {} alone", action.scope());
            askers.push((who, only.clone(), expected));
        }
        for (who, token, expected) in askers {
            let answer = ask(&world.opens(), route, &sample, Some(&token));
            let said = String::from_utf8_lossy(&answer.body);
            let case = format!("{} {} by {who}: {said}", route.method, route.path);
            assert_eq!(answer.status, expected, "{case}");
        }
    }
}

/// A page for everybody asks nobody who they are; a token that is no good is refused all the same.
#[test]
fn what_is_for_everybody_needs_no_token() {
    let world = World::build();
    let house = world.opens();
    for route in ROUTES.iter().filter(|route| route.access == Access::Public) {
        let target = route.path.replace("{profile}", "school");
        let target = target.split('/').map(|part| match part.starts_with('{') {
            true => "000000drs702q4maqksg",
            false => part,
        });
        let target = target.collect::<Vec<_>>().join("/");
        let answer = house.call(route.method, &target).send();
        let private = matches!(answer.status, 401 | 403);
        assert!(!private, "{} {target}: {}", route.method, answer.status);
        let answer = house.call(route.method, &target).token("gst_x").send();
        assert_eq!(answer.status, 401, "{} {target}", route.method);
    }
}
