//! A small registry: a ministry endorses a school for degrees, and a guild as an accreditor. A board
//! endorses a college, and is suspended a day later. The school issues two degrees, and revokes one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::entropy::SeededEntropy;
use goodstanding::http::{Edge, Limits, Reply, answer_locally};
use goodstanding::registry::{Registry, Settings};
use goodstanding::store::engine::{Engine, Head};
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{ManualClock, Timestamp, Ttl};
use goodstanding::vc::keys::MasterKey;
use serde_json::{Value, json};

const ORIGIN: &str = "https://registry.example";

pub(super) const MINISTRY: &str = "ministry";
pub(super) const SCHOOL: &str = "school";
pub(super) const GUILD: &str = "guild";
pub(super) const BOARD: &str = "board";
pub(super) const COLLEGE: &str = "college";

/// The ids of the degrees.
pub(super) const DEGREE: &str = "urn:example:degree";
pub(super) const REVOKED: &str = "urn:example:revoked";

/// A registry, and what it is asked.
pub(super) struct World {
    edge: Edge,
    engine: Arc<MemoryEngine>,
    /// The id of what the school awards.
    pub(super) achievement: String,
    /// The degrees without their proofs, the revoked one first.
    pub(super) degrees: Vec<Value>,
}

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    body: String,
}

/// When everything in the world was made.
pub(super) fn begin() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().expect("a time")
}

/// When the board was suspended, and the degree revoked.
pub(super) fn decided() -> Timestamp {
    begin().plus(DAY)
}

const DAY: Ttl = Ttl::from_seconds(86_400);

/// Whether this names the profile, by its slug, its id or its URL.
pub(super) fn is_one_of(name: &Value, slug: &str) -> bool {
    *name == *slug || *name == *id_of(slug) || *name == *format!("{ORIGIN}/profiles/{slug}")
}

fn id_of(slug: &str) -> String {
    format!("did:web:registry.example:profiles:{slug}")
}

/// A document without its proof, as all that a JCS proof is over beside the proof itself.
pub(super) fn unproved(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("proof");
    }
    document
}

/// The credential in what was handed out, be it a JWT or not.
pub(super) fn claims_of(made: &Value) -> Value {
    match made["id"].as_str().and_then(|id| id.split_once("vc+jwt,")) {
        Some((_, jwt)) => payload(jwt),
        None => made.clone(),
    }
}

impl World {
    pub(super) fn new() -> Self {
        let clock = Arc::new(ManualClock::new(begin()));
        let engine = Arc::new(MemoryEngine::new(clock.clone()));
        let settings = Settings {
            publish_before_acknowledging: true,
            ..Settings::usual(ORIGIN)
        };
        let entropy = Arc::new(SeededEntropy::new(1));
        let master = MasterKey::generate(&SeededEntropy::new(0));
        let registry = Registry::open(engine.clone(), clock.clone(), entropy, master, settings);
        let registry = Arc::new(registry.expect("the store is empty"));
        let mut world = Self {
            edge: edge(registry),
            engine,
            achievement: String::new(),
            degrees: Vec::new(),
        };
        for (slug, role) in [
            (MINISTRY, "accreditor"),
            (BOARD, "accreditor"),
            (SCHOOL, "issuer"),
            (COLLEGE, "issuer"),
            (GUILD, "accreditor"),
        ] {
            let body = json!({ "slug": slug, "name": slug, "roles": [role] });
            world.makes(201, "/profiles", &body);
        }
        world.endorse(
            MINISTRY,
            SCHOOL,
            Some(json!({ "achievementType": ["Degree"] })),
        );
        world.endorse(MINISTRY, GUILD, None);
        world.endorse(BOARD, COLLEGE, None);
        world.award();
        clock.advance(DAY);
        world.decide();
        clock.advance(DAY);
        world
    }

    fn endorse(&self, endorser: &str, slug: &str, scope: Option<Value>) {
        let mut body = json!({
            "endorser": endorser, "name": "Quality",
            "subject": { "id": id_of(slug), "kind": "profile" },
        });
        if let Some(scope) = scope {
            body["scope"] = scope;
        }
        self.makes(201, "/endorsements", &body);
    }

    fn award(&mut self) {
        let achievement = json!({
            "name": "Welding", "description": "Welds overhead.", "achievementType": "Degree",
            "criteria": { "narrative": "Three seams, tested." },
        });
        let to = format!("/profiles/{SCHOOL}/achievements");
        let made = self.makes(201, &to, &achievement);
        self.achievement = made["id"].as_str().expect("it has an id").to_owned();
        for id in [REVOKED, DEGREE] {
            let credential = badge(id, &made);
            let options = json!({ "securing": "eddsa-jcs-2022" });
            let body = json!({ "credential": credential, "options": options });
            let issued = self.makes(201, "/credentials/issue", &body);
            self.degrees.push(unproved(&issued["verifiableCredential"]));
        }
    }

    fn decide(&self) {
        self.makes(200, &format!("/profiles/{BOARD}/suspend"), &json!({}));
        let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation" });
        let revoked = json!({ "credentialId": REVOKED, "status": true, "credentialStatus": entry });
        self.makes(200, "/credentials/status", &revoked);
    }

    fn makes(&self, status: u16, to: &str, body: &Value) -> Value {
        let answer = self.post(to, &body.to_string());
        assert_eq!(answer.status, status, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// The newest place in the log.
    pub(super) fn head(&self) -> Head {
        self.engine.head()
    }

    pub(super) fn post(&self, to: &str, body: &str) -> Answer {
        let answer = answer_locally(
            &self.edge,
            "POST",
            to,
            Default::default(),
            body.to_owned().into(),
        );
        Answer::of(answer, body)
    }

    pub(super) fn get(&self, url: &str) -> Answer {
        let path = url.strip_prefix(ORIGIN).unwrap_or(url);
        let none = Vec::new();
        Answer::of(
            answer_locally(&self.edge, "GET", path, Default::default(), none.into()),
            url,
        )
    }
}

impl Answer {
    /// That, unless the registry itself is at fault.
    fn of(reply: Reply, asked: &str) -> Self {
        let body = String::from_utf8(reply.body.to_vec()).expect("answers are text");
        assert!(reply.status < 500, "{asked}: {} {body}", reply.status);
        let location = reply.headers.iter().find(|(name, _)| *name == "Location");
        Self {
            status: reply.status,
            location: location.map(|(_, url)| url.clone()),
            body,
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The claims of an answer that is a JWT.
    pub(super) fn claims(&self) -> Value {
        payload(&self.body)
    }

    /// Whether it is a problem document that says what is wrong.
    pub(super) fn is_problem(&self) -> bool {
        let problem = self.json();
        let says = |member: &str| {
            problem[member]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        };
        problem["status"] == self.status && says("type") && says("title") && says("detail")
    }
}

fn payload(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).expect("a JWT has three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("it is base64url");
    serde_json::from_slice(&bytes).expect("claims are JSON")
}

fn badge(id: &str, achievement: &Value) -> Value {
    let mut achievement = achievement.clone();
    if let Some(members) = achievement.as_object_mut() {
        members.shift_remove("@context");
    }
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Welding",
        "issuer": { "id": id_of(SCHOOL), "type": ["Profile"], "name": SCHOOL },
        "credentialSubject": {
            "id": "did:example:holder",
            "type": ["AchievementSubject"],
            "achievement": achievement,
        },
    })
}

fn edge(registry: Arc<Registry>) -> Edge {
    Edge {
        limits: Limits {
            body_bytes: 1 << 20,
            bulk_body_bytes: 1 << 22,
            bulk_lines: 1_000_000,
            ..Limits::usual()
        },
        ..Edge::usual(registry)
    }
}
