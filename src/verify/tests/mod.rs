//! Verification as stories: issuers with real keys, a resolver that is a map, and forgers.

mod embedded;
mod forgeries;
mod keys;
mod presentations;
mod records;
mod scopes;
mod statuses;
mod table_documents;
mod table_others;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bitstring::{Bitstring, ListLength, MINIMUM_ENTRIES, StatusSize};
use crate::status::{
    ListToPublish, StatusEntry, StatusError, StatusPurpose, StatusResult, build_list,
};
use crate::vc::contexts::{CREDENTIALS_V2, OPEN_BADGES};
use crate::vc::did::{DidKey, Method, controller_document, did_document};
use crate::vc::jwt::sign_credential;
use crate::vc::keys::SigningKey;
use crate::vc::proof::{self, ProofOptions};

use super::outcome::Outcome;

/// Somebody with a key.
struct Actor {
    id: String,
    key: SigningKey,
    method: String,
}

impl Actor {
    /// Known by the key alone.
    fn did_key(seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        let did = DidKey::from(key.public());
        Self {
            id: did.to_string(),
            method: did.method_url(),
            key,
        }
    }

    /// Known by a name, under which others find the key `key-1`.
    fn named(id: &str, seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        Self {
            id: id.to_owned(),
            method: format!("{id}#key-1"),
            key,
        }
    }

    /// What stands at the name.
    fn document(&self) -> Value {
        let key = self.key.public();
        let methods = [Method {
            fragment: "key-1".to_owned(),
            key,
            revoked: None,
        }];
        match self.id.starts_with("did:") {
            true => did_document(&self.id, &methods, &[]),
            false => controller_document(&self.id, &methods, &[]),
        }
    }

    fn sign(&self, credential: &Value) -> Value {
        self.sign_as(&self.method, credential)
    }

    /// Signs, and says that the key is another's.
    fn sign_as(&self, method: &str, credential: &Value) -> Value {
        let options = ProofOptions {
            created: Some(at("2026-01-01T00:00:00Z")),
            ..ProofOptions::new(method)
        };
        proof::sign(credential, &options, &self.key).expect("tests sign what can be signed")
    }

    /// A badge, not yet signed.
    fn badge(&self) -> Value {
        json!({
            "@context": [CREDENTIALS_V2, OPEN_BADGES],
            "id": "https://college.example/badges/1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Welding",
            "issuer": {"id": self.id, "type": ["Profile"], "name": "College"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "id": "did:example:learner",
                "type": ["AchievementSubject"],
                "achievement": {
                    "id": "https://college.example/achievements/welding",
                    "type": ["Achievement"],
                    "name": "Welding",
                    "description": "Joins steel",
                    "criteria": {"narrative": "Ten good seams"},
                },
            },
        })
    }

    /// An endorsement of `subject`, not yet signed.
    fn endorsement(&self, subject: &str) -> Value {
        json!({
            "@context": [CREDENTIALS_V2, OPEN_BADGES],
            "id": format!("urn:endorsement:{}:{subject}", self.id),
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": "Accredited",
            "issuer": {"id": self.id, "type": ["Profile"], "name": "Board"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": subject, "type": ["EndorsementSubject"]},
        })
    }

    fn endorse_as_jwt(&self, subject: &str) -> String {
        let endorsement = self.endorsement(subject);
        sign_credential(&endorsement, &self.method, &self.key).expect("it can be signed")
    }

    fn endorse(&self, subject: &str) -> Value {
        self.sign(&self.endorsement(subject))
    }
}

/// All that can be asked, and a memory of what was.
#[derive(Default)]
struct World {
    documents: HashMap<String, Result<Value, Unresolved>>,
    lists: HashMap<String, Value>,
    signed_here: Option<(Value, SignedHere)>,
    known: HashMap<String, Known>,
    asked: Mutex<Vec<String>>,
}

impl World {
    fn with(mut self, actor: &Actor) -> Self {
        self.documents
            .insert(actor.id.clone(), Ok(actor.document()));
        self
    }

    /// A list signed by `issuer` in which the places of `set` are 1.
    fn with_list(mut self, url: &str, issuer: &Actor, purpose: &str, set: &[u64]) -> Self {
        let length = ListLength::new(MINIMUM_ENTRIES).unwrap();
        let mut bits = Bitstring::zeroed(length, StatusSize::One);
        for place in set {
            bits.set(length.index(*place).unwrap(), 1).unwrap();
        }
        let list = build_list(&ListToPublish {
            url,
            issuer: &issuer.id,
            purpose: &purpose.parse::<StatusPurpose>().unwrap(),
            valid_from: at("2026-01-01T00:00:00Z"),
            valid_until: None,
            ttl: None,
            bits: &bits,
        });
        self.lists.insert(url.to_owned(), issuer.sign(&list));
        self
    }

    fn verify(&self, credential: &Value) -> Report {
        verify_credential(credential, self, Options::default(), now())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl World {
    fn ask(&self, url: &str) {
        self.asked.lock().unwrap().push(url.to_owned());
    }

    fn fetched(&self, url: &str) -> Option<Fetched> {
        let body = self.lists.get(url)?.to_string().into_bytes();
        Some(Fetched {
            url: url.to_owned(),
            body,
        })
    }
}

impl Resolver for World {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.ask(url);
        let found = self.documents.get(url).cloned();
        found.unwrap_or(Err(Unresolved::NotFound)).map(Arc::new)
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.controller_document(url)
    }

    fn hosted_status(&self, _: &str, _: &StatusEntry) -> Option<Result<StatusResult, StatusError>> {
        None
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        let url = wanted.reference.list();
        self.ask(url);
        match self.fetched(url) {
            Some(fetched) => check(&fetched).map(Arc::new),
            None => Err(StatusError::Retrieval {
                list: url.to_owned(),
                reason: "nobody answers".to_owned(),
            }),
        }
    }

    fn newer(&self, url: &str) -> Result<Fetched, Unresolved> {
        self.ask(url);
        self.fetched(url).ok_or(Unresolved::NotFound)
    }

    fn signed_here(&self, _: &str, signature: &Value) -> Option<SignedHere> {
        let (known, here) = self.signed_here.as_ref()?;
        (known == signature).then(|| here.clone())
    }

    fn known(&self, id: &str, _: Option<WantedOf<'_>>) -> Option<Known> {
        self.known.get(id).cloned()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-06-01T00:00:00Z")
}

/// The code and the pointer of each problem.
fn problems(report: &Report) -> Vec<(&str, &str)> {
    report
        .problems
        .iter()
        .map(|p| (p.code.as_str(), &*p.pointer))
        .collect()
}

/// The path, the outcome and the code of each embedded thing as a whole.
fn wholes(report: &Report) -> Vec<(String, &str, &str)> {
    let kinds = [CheckKind::Endorsement, CheckKind::Credential];
    let checks = report
        .checks
        .iter()
        .filter(|check| kinds.contains(&check.kind));
    checks
        .map(|c| (c.path(), c.outcome.as_str(), c.code.as_str()))
        .collect()
}

#[test]
fn a_good_badge_is_active() {
    let college = Actor::did_key(1);
    let report = World::default().verify(&college.sign(&college.badge()));
    assert!(report.verified);
    assert_eq!(report.outcome, Outcome::Active);
    assert_eq!(report.issuer.as_deref(), Some(&*college.id));
    assert_eq!(problems(&report), []);
    let checks: Vec<String> = report
        .checks
        .iter()
        .map(|check| {
            format!(
                "{}|{}|{}",
                check.path(),
                check.kind.as_str(),
                check.code.as_str()
            )
        })
        .collect();
    assert_eq!(
        checks,
        [
            "|data-model|well-formed",
            "proof.verificationMethod|key|key-good",
            "proof|proof|proof-good",
            "credentialStatus|status|no-status",
            "validFrom|validity|current",
        ]
    );
}

#[test]
fn issuers_with_a_name_are_asked_for_their_keys() {
    for id in [
        "did:web:college.example",
        "https://college.example/profile?v=3_0",
    ] {
        let college = Actor::named(id, 2);
        let world = World::default().with(&college);
        let report = world.verify(&college.sign(&college.badge()));
        assert_eq!(
            (report.verified, report.outcome),
            (true, Outcome::Active),
            "{id}"
        );
        assert_eq!(world.asked(), [id]);
    }
}

#[test]
fn the_older_data_model_is_read() {
    let college = Actor::did_key(1);
    let mut credential = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1",
                     "https://w3id.org/security/data-integrity/v2"],
        "type": "VerifiableCredential",
        "issuer": college.id,
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:learner"},
    });
    let report = World::default().verify(&college.sign(&credential));
    assert_eq!(
        (report.verified, report.outcome),
        (true, Outcome::Active),
        "{report:?}"
    );
    credential["expirationDate"] = json!("2026-02-01T00:00:00Z");
    let report = World::default().verify(&college.sign(&credential));
    assert_eq!((report.verified, report.outcome), (true, Outcome::Expired));
    assert_eq!(problems(&report), [("expired", "/expirationDate")]);
}

#[test]
fn a_credential_is_good_in_its_period_only() {
    let college = Actor::did_key(1);
    let mut badge = college.badge();
    badge["validUntil"] = json!("2026-06-01T00:00:00Z");
    let badge = college.sign(&badge);
    for (moment, outcome, expected) in [
        (
            "2025-12-31T23:59:59.999Z",
            Outcome::NotYetValid,
            vec![("not-yet-valid", "/validFrom")],
        ),
        ("2026-01-01T00:00:00Z", Outcome::Active, vec![]),
        ("2026-05-31T23:59:59.999Z", Outcome::Active, vec![]),
        (
            "2026-06-01T00:00:00Z",
            Outcome::Expired,
            vec![("expired", "/validUntil")],
        ),
    ] {
        let report = verify_credential(&badge, &World::default(), Options::default(), at(moment));
        assert!(report.verified, "{moment}");
        let good = |date: &Option<DateReport>| date.as_ref().unwrap().verified;
        let dates = (good(&report.valid_from), good(&report.valid_until));
        let expected_dates = (outcome != Outcome::NotYetValid, outcome != Outcome::Expired);
        assert_eq!(dates, expected_dates, "{moment}");
        assert_eq!(
            (report.outcome, problems(&report)),
            (outcome, expected),
            "{moment}"
        );
    }
}

#[test]
fn a_status_list_is_verified_as_the_credential_that_it_is() {
    let college = Actor::did_key(1);
    let url = "https://college.example/lists/1";
    let world = World::default().with_list(url, &college, "revocation", &[3]);
    let list = world.lists[url].clone();
    assert_eq!(world.verify(&list).outcome, Outcome::Active);
    let mut other = world.lists[url].clone();
    other.as_object_mut().unwrap().shift_remove("proof");
    other["credentialSubject"]
        .as_object_mut()
        .unwrap()
        .shift_remove("encodedList");
    let report = world.verify(&college.sign(&other));
    assert_eq!((report.verified, report.outcome), (false, Outcome::Unknown));
    assert_eq!(problems(&report), [("malformed", "/credentialSubject")]);
}

#[test]
fn the_answer_has_the_shape_of_vcalm() {
    let college = Actor::did_key(1);
    let url = "https://college.example/lists/1";
    let world = World::default().with_list(url, &college, "revocation", &[3]);
    let mut badge = college.badge();
    badge["credentialStatus"] = statuses::entry(url, "revocation", 3);
    let badge = college.sign(&badge);
    let answer = Value::Object(world.verify(&badge).to_json());
    assert_eq!(answer["verified"], true);
    assert_eq!(answer["outcome"], "revoked");
    assert_eq!(
        answer["problemDetails"],
        json!([{
            "type": "urn:goodstanding:problem:revoked",
            "title": "It was revoked",
            "detail": "its issuer has revoked it",
            "code": "revoked",
            "pointer": "/credentialStatus",
        }])
    );
    assert_eq!(answer["report"]["issuer"], json!(college.id));
    let status = &answer["results"]["credentialStatus"][0];
    assert_eq!(
        (&status["value"], &status["verified"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(status["input"], badge["credentialStatus"]);
    let proof = json!([{"verified": true, "input": badge["proof"], "problemDetails": []}]);
    assert_eq!(answer["results"]["proof"], proof);
    let from = json!({"verified": true, "input": "2026-01-01T00:00:00Z"});
    assert_eq!(answer["results"]["validFrom"], from);
}

/// Changes the `place`-th leaf of the document in one of three ways.
fn change(value: &mut Value, place: &mut usize, how: u8) -> bool {
    match value {
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            names.iter().any(|name| {
                if *place == 0 && how == 0 {
                    members.shift_remove(name);
                    return true;
                }
                change(&mut members[name], place, how)
            })
        }
        Value::Array(items) => items.iter_mut().any(|item| change(item, place, how)),
        leaf if *place == 0 => {
            let text = leaf.as_str().unwrap_or_default();
            *leaf = match how {
                1 => json!(format!("{text}x")),
                _ => json!({"id": text}),
            };
            true
        }
        _ => {
            *place -= 1;
            false
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_a_signed_badge_goes_unseen(mut place in 0_usize..30, how in 0_u8..3) {
        let college = Actor::did_key(1);
        let signed = college.sign(&college.badge());
        let mut forged = signed.clone();
        if change(&mut forged, &mut place, how) {
            let report = World::default().verify(&forged);
            prop_assert!(!report.verified, "{forged:#}");
            prop_assert!(report.outcome != Outcome::Active);
            prop_assert!(!report.problems.is_empty());
        }
    }

    #[test]
    fn whatever_comes_is_answered(text in "\\PC{0,20}", member in 0_usize..8, nested in any::<bool>()) {
        let college = Actor::did_key(1);
        let mut badge = college.sign(&college.badge());
        let name = badge.as_object().unwrap().keys().nth(member).unwrap().clone();
        badge[&name] = if nested { json!([{ &*text: [text] }]) } else { json!(text) };
        let report = World::default().verify(&badge);
        prop_assert!(!report.verified);
        prop_assert_eq!(report.to_json()["verified"].clone(), json!(false));
    }
}
