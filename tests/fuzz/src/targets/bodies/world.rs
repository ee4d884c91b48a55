//! A small registry: a ministry endorses a school for degrees, and a guild as an accreditor.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::entropy::SeededEntropy;
use goodstanding::http::{CachePolicy, Edge, Limits, Mode, Reply, answer_locally};
use goodstanding::registry::{Registry, Settings};
use goodstanding::store::engine::{Engine, Head};
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{ManualClock, Timestamp, Ttl};
use goodstanding::vc::did::Localhost;
use goodstanding::vc::keys::MasterKey;
use goodstanding::verify::Given;
use serde_json::{Value, json};

const ORIGIN: &str = "https://registry.example";

pub(super) const MINISTRY: &str = "ministry";
pub(super) const SCHOOL: &str = "school";
pub(super) const GUILD: &str = "guild";

/// A registry, and what it is asked.
pub(super) struct World {
    edge: Edge,
    engine: Arc<MemoryEngine>,
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

/// Whether this names the profile, by its slug, its id or its URL.
pub(super) fn is_one_of(name: &Value, slug: &str) -> bool {
    let id = format!("did:web:registry.example:profiles:{slug}");
    *name == *slug || *name == *id || *name == *format!("{ORIGIN}/profiles/{slug}")
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
        let world = Self {
            edge: edge(registry),
            engine,
        };
        for (slug, role) in [
            (MINISTRY, "accreditor"),
            (SCHOOL, "issuer"),
            (GUILD, "accreditor"),
            ("college", "issuer"),
        ] {
            world.makes(
                "/profiles",
                &json!({ "slug": slug, "name": slug, "roles": [role] }),
            );
        }
        let degrees = json!({ "achievementType": ["Degree"] });
        for (slug, scope) in [(SCHOOL, Some(degrees)), (GUILD, None)] {
            let id = format!("did:web:registry.example:profiles:{slug}");
            let mut body = json!({
                "endorser": MINISTRY, "subject": { "id": id, "kind": "profile" }, "name": "Quality",
            });
            if let Some(scope) = scope {
                body["scope"] = scope;
            }
            world.makes("/endorsements", &body);
        }
        clock.advance(Ttl::from_seconds(86_400));
        world
    }

    fn makes(&self, to: &str, body: &Value) {
        let answer = self.post(to, &body.to_string());
        assert_eq!(answer.status, 201, "{answer:?}");
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

fn edge(registry: Arc<Registry>) -> Edge {
    let no_time = Ttl::from_seconds(0);
    Edge {
        registry,
        outside: Arc::new(Given::refused()),
        localhost: Localhost::Refused,
        mode: Mode::Production,
        status_by_credential_is_public: false,
        cache: CachePolicy {
            did_document: no_time,
            profile: no_time,
            achievement: no_time,
            status_list: no_time,
            endorsement: no_time,
            look_up: no_time,
            standing: no_time,
            description: no_time,
        },
        limits: Limits {
            body_bytes: 1 << 20,
            bulk_body_bytes: 1 << 22,
            connections: 1,
            head: no_time,
            body: no_time,
        },
    }
}
