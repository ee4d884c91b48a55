//! A visit by people who put the word into everything.

mod broken;
mod clients;
mod people;
mod tenant;

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::ORIGIN;
use super::secrets::Secrets;
use crate::support::client::{Answer, Call};

/// Headers that name whoever asks, and those that hold whatever a caller likes.
const TALKATIVE: &[&str] = &[
    "User-Agent",
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "Referer",
    "Cookie",
    "From",
    "Via",
    "Origin",
    "X-Request-Id",
    "Traceparent",
    "X-Canary",
];

pub(super) struct Visit<'v> {
    address: SocketAddr,
    operator: &'v str,
    /// Tells this visit's things from those of others.
    name: &'v str,
}

/// What the visitors made.
struct Made {
    school: String,
    school_id: String,
    token: String,
    board: String,
    board_token: String,
    achievement: String,
    list: String,
    credential: Value,
    endorsement: String,
    request: String,
}

impl<'v> Visit<'v> {
    pub(super) const fn new(address: SocketAddr, operator: &'v str, name: &'v str) -> Self {
        Self {
            address,
            operator,
            name,
        }
    }

    /// All that can be done and asked, well and badly.
    pub(super) fn everything(&self, secrets: &mut Secrets) {
        let made = self.makes(secrets);
        self.decides(&made);
        self.asks(&made);
        self.is_nobody(&made);
        self.is_refused(&made);
        self.has_clients(&made, secrets);
        self.signs_in(&made, secrets);
        self.keeps_house(&made, secrets);
        self.breaks_off();
    }

    /// Asks about what is not in memory until something cannot be read, and gives the status of that; none
    /// where everything could be.
    pub(super) fn until_it_fails(&self) -> Option<u16> {
        for number in 0..200 {
            for target in [
                format!("/profiles/canary-school-json?endorsements=canary{number}"),
                "/profiles/canary-school-json/keys".to_owned(),
                "/endorsement-requests?accreditor=canary-board-json".to_owned(),
                format!(
                    "/status?credential=https://canary.example/badges/{}",
                    self.name
                ),
                "/endorsements?subject=https://canary.example/badges/json".to_owned(),
                "/profiles/canary-board-json/tasks".to_owned(),
            ] {
                let answer = self.get(self.operator, &target);
                if answer.status >= 500 {
                    return Some(answer.status);
                }
            }
        }
        None
    }

    fn call(&self, token: Option<&str>, method: &str, target: &str) -> Call {
        let call = Call::new(self.address, method, target);
        let call = TALKATIVE.iter().fold(call, |call, name| {
            call.header(name, format!("canary-{}", name.to_lowercase()))
        });
        match token {
            Some(token) => call.token(token),
            None => call,
        }
    }

    fn get(&self, token: &str, target: &str) -> Answer {
        let token = Some(token).filter(|token| !token.is_empty());
        self.call(token, "GET", target).send()
    }

    fn post(&self, token: &str, target: &str, body: &Value) -> Answer {
        let token = Some(token).filter(|token| !token.is_empty());
        let key = format!("canary-key-{}", digest(target, body));
        self.call(token, "POST", target).json(body).key(&key).send()
    }

    fn makes(&self, secrets: &mut Secrets) -> Made {
        let name = self.name;
        let registers = |slug: &str, roles: &[&str]| {
            let profile = json!({
                "slug": slug, "roles": roles, "name": "Canary House", "email": "canary@example.org",
                "url": "https://canary.example/", "description": "A canary sings here.",
                "phone": "+41 canary",
            });
            let made = self
                .post(self.operator, "/profiles", &profile)
                .is(201)
                .json();
            let token = self.post(self.operator, "/tokens", &json!({ "profile": slug }));
            (text(&made["id"]), text(&token.is(201).json()["token"]))
        };
        let (school, board) = (
            format!("canary-school-{name}"),
            format!("canary-board-{name}"),
        );
        let (school_id, token) = registers(&school, &["issuer"]);
        let (_, board_token) = registers(&board, &["accreditor"]);
        secrets.token(&token);
        secrets.token(&board_token);
        for document in [
            format!("/profiles/{school}/did.json"),
            format!("/profiles/{board}/did.json"),
            "/.well-known/did.json".to_owned(),
        ] {
            secrets.keys_of(&self.get("", &document).is(200).json());
        }
        let achievement = json!({
            "name": "Canary keeping", "description": "Keeps a canary.",
            "criteria": { "narrative": "The canary sings." }, "tag": ["canary"],
        });
        let achievements = format!("/profiles/{school}/achievements");
        let achievement = self
            .post(&token, &achievements, &achievement)
            .is(201)
            .json();
        let list = json!({ "issuer": school, "statusPurpose": "revocation" });
        let list = path(&self.post(&token, "/status-lists", &list).is(201).json()["id"]);
        let credential = json!({
            "@context": [
                "https://www.w3.org/ns/credentials/v2",
                "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
            ],
            "id": format!("https://canary.example/badges/{name}"),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Canary keeper",
            "issuer": { "id": school_id, "type": ["Profile"], "name": "Canary House" },
            "credentialSubject": {
                "id": "did:example:canary", "type": ["AchievementSubject"],
                "achievement": {
                    "id": achievement["id"], "type": ["Achievement"], "name": "Canary keeping",
                    "description": "Keeps a canary.", "criteria": { "narrative": "It sings." },
                },
            },
        });
        let issued = self.post(
            &token,
            "/credentials/issue",
            &json!({ "credential": credential }),
        );
        let credential = issued.is(201).json()["verifiableCredential"].take();
        let endorsement = json!({
            "endorser": board, "subject": { "id": school_id, "kind": "profile" },
            "name": "Canary label", "endorsementComment": "We heard the canary.",
            "suspendable": true,
        });
        let endorsement = self
            .post(&board_token, "/endorsements", &endorsement)
            .is(201);
        let endorsement = path(&endorsement.json()["verifiableCredential"]["id"]);
        let request = json!({
            "accreditor": board, "requester": school, "name": "Canary label",
            "subject": { "id": school_id, "kind": "profile" }, "comment": "Hear our canary.",
            "evidence": ["https://canary.example/song"],
        });
        let request = self.post(&token, "/endorsement-requests", &request).is(201);
        Made {
            achievement: path(&achievement["id"]),
            request: path(&request.json()["id"]),
            school,
            school_id,
            token,
            board,
            board_token,
            list,
            credential,
            endorsement,
        }
    }

    /// Changes of what was made, with words for each.
    fn decides(&self, made: &Made) {
        let (token, board) = (&made.token, &made.board_token);
        let (list, request) = (&made.list, &made.request);
        let ids = json!({ "credentialIds": ["urn:canary:1", "urn:canary:2"] });
        self.post(token, &format!("{list}/entries"), &ids).is(200);
        let updates = json!({
            "updates": [{ "credentialId": "urn:canary:1", "status": 1 }],
            "reason": "The canary left.",
        });
        self.post(token, &format!("{list}/updates"), &updates)
            .is(200);
        let unknown = json!({ "updates": [{ "credentialId": "urn:canary:none", "status": 1 }] });
        self.post(token, &format!("{list}/updates"), &unknown)
            .is(422);
        let table = "credentialId,status\nurn:canary:2,1\nurn:canary:none,canary\n";
        let target = format!("{list}/updates?reason=canary&firstLine=1");
        let call = self.call(Some(token), "POST", &target);
        call.body("text/csv", table).send();
        let import = format!(
            "/status-lists/import?issuer={}&statusPurpose=canary",
            made.school
        );
        let call = self.call(Some(token), "POST", &import);
        call.body("text/csv", "index,credentialId\n1,urn:canary:3\n")
            .send();
        let changed = json!({
            "credentialId": made.credential["id"],
            "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
            "status": true, "reason": "canary",
        });
        self.post(token, "/credentials/status", &changed);
        for (who, step, body, status) in [
            (
                board,
                "ask",
                json!({ "question": "Does the canary sing?" }),
                200,
            ),
            (
                token,
                "answer",
                json!({ "answer": "The canary sings." }),
                200,
            ),
            (token, "approve", json!({ "name": "Canary" }), 403),
            (
                board,
                "decline",
                json!({ "reason": "No canary was heard." }),
                200,
            ),
            (token, "withdraw", json!({ "reason": "canary" }), 409),
        ] {
            self.post(who, &format!("{request}/{step}"), &body)
                .is(status);
        }
        let reason = json!({ "reason": "The canary is silent." });
        for (action, status) in [
            ("suspend", 200),
            ("reinstate", 200),
            ("revoke", 200),
            ("suspend", 409),
        ] {
            let body = json!({ "reason": format!("{} {action}{status}", text(&reason["reason"])) });
            self.post(board, &format!("{}/{action}", made.endorsement), &body)
                .is(status);
        }
        let suspend = format!("/profiles/{}/suspend", made.board);
        self.post(self.operator, &suspend, &reason).is(200);
        let foreign = self.post(token, &format!("/profiles/{}/keys", made.board), &json!({}));
        foreign.is(403);
        let replace =
            json!({ "name": "Canary", "description": "canary", "criteria": { "narrative": "c" } });
        let call = self
            .call(Some(token), "PUT", &made.achievement)
            .json(&replace);
        call.header("If-Match", "\"canary\"").send().is(412);
    }

    /// Questions, by anybody and by those who may know more.
    fn asks(&self, made: &Made) {
        let id = text(&made.credential["id"]);
        for target in [
            format!("{}?timestamp=canary", made.list),
            made.list.clone(),
            format!("/status?list={ORIGIN}{}&index=77", made.list),
            "/status?list=https://canary.example/lists/1&index=77".to_owned(),
            format!("/status?credential={id}"),
            format!("/standing?credential={id}"),
            format!("/endorsements?subject={}", made.school_id),
            "/endorsements?subject=did:example:canary&at=canary".to_owned(),
            format!("/profiles/{}", made.school),
            format!("/profiles/{}/usage", made.school),
            "/profiles?cursor=canary".to_owned(),
            "/check?credential=urn:canary".to_owned(),
            "/events?profile=canary".to_owned(),
            format!("/events?profile={}", made.school),
            "/events/published?since=canary".to_owned(),
            "/token-status-lists?issuer=did:example:canary".to_owned(),
            "/federation/fetch?sub=https://canary.example/".to_owned(),
            made.request.clone(),
            made.endorsement.clone(),
        ] {
            self.get("", &target);
            self.get(&made.token, &target);
            let page = self
                .call(None, "GET", &target)
                .header("Accept", "text/html")
                .send();
            assert!(page.status < 500, "{target}: {}", page.text());
            self.call(None, "HEAD", &target).send();
        }
        // Whatever somebody pastes into the page.
        for typed in [
            made.credential.to_string(),
            id.clone(),
            "{\"canary\":".to_owned(),
        ] {
            let typed: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
            let call = self
                .call(None, "POST", "/check")
                .header("Accept", "text/html");
            let form = "application/x-www-form-urlencoded";
            let page = call.body(form, format!("credential={typed}")).send();
            assert!(page.status < 500, "{}", page.text());
        }
        // What stands elsewhere is asked for on this machine, where nobody answers.
        let mut foreign = made.credential.clone();
        foreign["issuer"]["id"] = "http://localhost:1/canary".into();
        foreign["proof"]["verificationMethod"] = "http://localhost:1/canary#key".into();
        foreign["credentialStatus"]["statusListCredential"] = "http://localhost:1/canary/1".into();
        let claims = json!({ "id": "urn:canary", "issuer": "did:web:localhost%3A1:canary" });
        for (target, body) in [
            (
                "/credentials/verify",
                json!({ "verifiableCredential": made.credential }),
            ),
            (
                "/credentials/verify",
                json!({ "verifiableCredential": foreign }),
            ),
            (
                "/credentials/verify",
                json!({ "verifiableCredential": "e30.canary.canary" }),
            ),
            ("/credentials/verify", json!({ "media": "canary" })),
            (
                "/presentations/verify",
                json!({ "verifiablePresentation": { "holder": "canary" } }),
            ),
            (
                "/status/query",
                json!({ "queries": [{ "credentialId": id }, { "list": "canary", "index": 1 }] }),
            ),
            (
                "/standing/query",
                json!({ "credentials": [foreign, claims] }),
            ),
            (
                "/endorsements/query",
                json!({ "subjects": ["did:example:canary"] }),
            ),
            (
                "/trqp/authorization",
                json!({ "entity_id": "canary", "authority_id": "canary", "action": "canary", "resource": "canary" }),
            ),
            ("/federation/trust_mark_status", json!("trust_mark=canary")),
        ] {
            let answer = self.post("", target, &body);
            assert!(answer.status < 500, "{target}: {}", answer.text());
        }
        let brought = json!({ "verifiableCredential": foreign, "kind": "profile" });
        self.post(&made.token, "/endorsements/import", &brought);
    }

    /// Ways of being nobody.
    fn is_nobody(&self, made: &Made) {
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.";
        for header in [
            "Bearer canary",
            "Bearer gst_canary0canary0canary0canary0canary0canary",
            "Basic Y2FuYXJ5OmNhbmFyeQ==",
            "Canary canary=\"canary\"",
            &format!("Bearer {unsigned}"),
            &format!("Bearer {}x", made.token),
        ] {
            for (method, target) in [
                ("GET", format!("/profiles/{}/keys", made.school)),
                ("POST", format!("{}/updates", made.list)),
                ("GET", made.request.clone()),
            ] {
                let call = Call::new(self.address, method, &target);
                let call = call
                    .header("Authorization", header)
                    .json(&json!({ "canary": 1 }));
                call.send().is(401);
            }
        }
        self.post("", "/profiles", &json!({ "slug": "canary" }))
            .is(401);
    }

    /// Requests that are not as they have to be.
    fn is_refused(&self, made: &Made) {
        let token = &made.token;
        for target in [
            "/canary",
            "/canary?canary=canary",
            "/profiles/canary-nobody",
            "/profiles/Canary%20Nobody",
            "/status-lists/canary",
            "/status-lists/canary/updates",
            "/endorsements/canary",
            "/credentials/%63anary",
            "/status?canary=1",
            "/status?list=canary&index=canary",
        ] {
            for method in ["GET", "POST", "PUT", "DELETE", "CANARY", "OPTIONS"] {
                let answer = self
                    .call(Some(token), method, target)
                    .json(&json!({}))
                    .send();
                assert!(answer.status < 500, "{method} {target}: {}", answer.text());
            }
        }
        self.get("", "/canary").is(404);
        let lists = |kind: &str, body: &str| {
            let call = self.call(Some(token), "POST", "/status-lists");
            call.body(kind, body)
        };
        lists("application/json", "}{ canary").send().is(400);
        lists("application/json", r#"{"canary":1}"#).send().is(400);
        lists(
            "application/json",
            r#"{"issuer":"canary","statusPurpose":"canary"}"#,
        )
        .send()
        .is(400);
        lists("application/json", "\u{0}canary").send().is(400);
        lists("canary/canary", "canary").send().is(415);
        lists("application/json", "canary")
            .header("Content-Encoding", "canary")
            .send()
            .is(415);
        lists("application/json", "canary")
            .header("Host", "canary")
            .send()
            .is(400);
        let again = |count: u64| {
            let call = self.call(Some(token), "POST", &format!("{}/entries", made.list));
            call.json(&json!({ "count": count }))
                .key("canary-again")
                .send()
        };
        again(1).is(200);
        again(2).is(422);
        let long = "canary".repeat(50);
        let call = self
            .call(Some(token), "POST", "/status-lists")
            .json(&json!({}));
        call.key(&long).send();
        let taken = json!({ "slug": made.school, "name": "Canary", "roles": ["issuer"] });
        let call = self
            .call(Some(self.operator), "POST", "/profiles")
            .json(&taken);
        call.send().is(409);
    }
}

/// Names a request by what it says, so that no key is used for two.
fn digest(target: &str, body: &Value) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (target, body.to_string()).hash(&mut hasher);
    hasher.finish()
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}

/// The path of a URL of this registry.
fn path(url: &Value) -> String {
    let url = text(url);
    url.strip_prefix(ORIGIN)
        .expect("it is hosted here")
        .to_owned()
}
