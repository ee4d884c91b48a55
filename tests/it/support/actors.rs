//! Those who act in the stories, each with a token of its own, and what they do.

use serde_json::{Value, json};

use super::client::{Answer, Call};
use super::house::House;
use super::reader::{bits, place};

/// Somebody at the registry's door.
pub(crate) struct Actor<'h> {
    pub(crate) house: &'h House,
    /// What is sent as bearer token; nobody's where there is none.
    pub(crate) token: Option<String>,
    /// The profile's name in URLs.
    pub(crate) slug: String,
    /// The profile's `issuer.id`.
    pub(crate) id: String,
}

impl House {
    /// Who runs the registry.
    pub(crate) fn operator(&self) -> Actor<'_> {
        self.actor(Some(self.operator_token.clone()), "", "")
    }

    /// A stranger who verifies: no token, no profile.
    pub(crate) fn verifier(&self) -> Actor<'_> {
        self.actor(None, "", "")
    }

    /// A school that issues and revokes, under the slug it is given.
    pub(crate) fn registrar(&self, slug: &str) -> Actor<'_> {
        self.operator().registers(slug, &["issuer"], "did:web")
    }

    /// An accreditor that endorses.
    pub(crate) fn accreditor(&self, slug: &str) -> Actor<'_> {
        self.operator().registers(slug, &["accreditor"], "did:web")
    }

    fn actor(&self, token: Option<String>, slug: &str, id: &str) -> Actor<'_> {
        let (slug, id) = (slug.to_owned(), id.to_owned());
        Actor {
            house: self,
            token,
            slug,
            id,
        }
    }
}

impl<'h> Actor<'h> {
    pub(crate) fn call(&self, method: &str, target: &str) -> Call {
        let call = self.house.call(method, target);
        match &self.token {
            Some(token) => call.token(token),
            None => call,
        }
    }

    pub(crate) fn get(&self, target: &str) -> Answer {
        self.call("GET", target).send()
    }

    pub(crate) fn post(&self, target: &str, body: &Value) -> Answer {
        self.call("POST", target).json(body).send()
    }

    pub(crate) fn put(&self, target: &str, body: &Value) -> Answer {
        self.call("PUT", target).json(body).send()
    }

    /// As the operator: registers a profile and makes a token for it.
    pub(crate) fn registers(&self, slug: &str, roles: &[&str], id_form: &str) -> Self {
        let body = json!({
            "slug": slug,
            "name": format!("The {slug}"),
            "roles": roles,
            "issuerId": id_form,
            "url": format!("https://{slug}.example/"),
        });
        let profile = self.post("/profiles", &body).is(201).json();
        let token = self.post("/tokens", &json!({ "profile": slug })).is(201);
        let token = token.json()["token"].as_str().map(str::to_owned);
        let id = profile["id"].as_str().unwrap();
        self.house.actor(token, slug, id)
    }

    /// Opens a list, and gives its URL.
    pub(crate) fn opens_list(&self, purpose: &str) -> String {
        let body = json!({ "issuer": self.slug, "statusPurpose": purpose });
        let opened = self.post("/status-lists", &body).is(201);
        text(&opened.json()["id"])
    }

    /// Takes entries of a list, and gives their indexes.
    pub(crate) fn allocates(&self, list: &str, count: u64) -> Vec<u64> {
        let answer = self.post(&format!("{list}/entries"), &json!({ "count": count }));
        let answer = answer.is(200).json();
        let entries = answer["entries"].as_array().unwrap();
        let places = entries.iter().map(place);
        places
            .map(|(named, index)| {
                assert_eq!(named, list);
                index
            })
            .collect()
    }

    /// Sets or clears one entry.
    pub(crate) fn sets(&self, list: &str, index: u64, status: u64) -> Answer {
        let updates = json!({ "updates": [{ "index": index, "status": status }] });
        self.post(&format!("{list}/updates"), &updates)
    }

    /// The bytes of a list, as it is published at this moment.
    pub(crate) fn reads(&self, list: &str) -> Vec<u8> {
        bits(&self.get(list).is(200).json())
    }

    /// What the look-up says of an entry.
    pub(crate) fn looks_up(&self, list: &str, index: u64) -> Value {
        let target = format!("/status?list={list}&index={index}");
        self.get(&target).is(200).json()
    }

    /// Endorses something, and gives the signed endorsement.
    pub(crate) fn endorses(&self, subject: &str, kind: &str, suspendable: bool) -> Value {
        let answer = self.asks_to_endorse(subject, kind, suspendable).is(201);
        answer.json()["verifiableCredential"].clone()
    }

    pub(crate) fn asks_to_endorse(&self, subject: &str, kind: &str, suspendable: bool) -> Answer {
        let body = json!({
            "endorser": self.slug,
            "subject": { "id": subject, "kind": kind },
            "name": "Quality label",
            "endorsementComment": "Seen on site.",
            "suspendable": suspendable,
        });
        self.post("/endorsements", &body)
    }

    /// Revokes, suspends or reinstates an endorsement.
    pub(crate) fn does(&self, action: &str, endorsement: &Value) -> Answer {
        let target = format!("{}/{action}", text(&endorsement["id"]));
        self.post(&target, &json!({ "reason": "as the committee decided" }))
    }

    /// Registers an achievement, and gives its id.
    pub(crate) fn defines(&self, name: &str) -> String {
        let body = json!({
            "name": name,
            "description": "What can be done with it.",
            "criteria": { "narrative": "A panel has seen it." },
        });
        let target = format!("/profiles/{}/achievements", self.slug);
        text(&self.post(&target, &body).is(201).json()["id"])
    }

    /// Has a credential issued.
    pub(crate) fn issues(&self, unsigned: &Value) -> Value {
        let answer = self.asks_to_issue(unsigned).is(201).json();
        answer["verifiableCredential"].clone()
    }

    pub(crate) fn asks_to_issue(&self, unsigned: &Value) -> Answer {
        self.post("/credentials/issue", &json!({ "credential": unsigned }))
    }

    /// The report on a credential.
    pub(crate) fn verifies(&self, credential: &Value) -> Value {
        let body = json!({
            "verifiableCredential": credential,
            "options": { "returnResults": true },
        });
        self.post("/credentials/verify", &body).is(200).json()
    }

    /// What is known of each subject.
    pub(crate) fn asks_about(&self, subjects: &[&str]) -> Vec<Value> {
        let answer = self.post("/endorsements/query", &json!({ "subjects": subjects }));
        let answer = answer.is(200).json();
        answer["results"].as_array().unwrap().clone()
    }
}

/// An Open Badge of `issuer` for `achievement`, without what issuing fills in.
pub(crate) fn badge(issuer: &str, achievement: &str) -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Welding, level 2",
        "issuer": { "id": issuer, "type": ["Profile"], "name": "A school" },
        "credentialSubject": {
            "id": "did:example:holder",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": achievement,
                "type": ["Achievement"],
                "name": "Welding, level 2",
                "description": "Welds overhead.",
                "criteria": { "narrative": "Three seams, tested." },
            },
        },
    })
}

/// A JSON string as text.
pub(crate) fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("text was wanted: {value}"))
        .to_owned()
}
