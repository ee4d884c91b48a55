//! Credentials, as whoever verifies them is handed them.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use goodstanding::json;
use goodstanding::status::{StatusEntry, StatusError, StatusResult};
use goodstanding::time::Timestamp;
use goodstanding::vc::credential::Credential;
use goodstanding::vc::{members, proof};
use goodstanding::verify::outcome::Outcome;
use goodstanding::verify::{
    CheckedList, Fetched, Known, Options, Report, Resolver, SignedHere, Unresolved, WantedList,
    WantedOf, verify_credential, verify_presentation,
};
use serde_json::{Value, json};

use super::Reached;

/// All that was ever signed by the keys of this world. Changing a document gives no other.
const SIGNED: [&str; 7] = [
    include_str!("../../seeds/credential/badge.json"),
    include_str!("../../seeds/credential/badge-with-endorsement.json"),
    include_str!("../../seeds/credential/badge-with-status.json"),
    include_str!("../../seeds/credential/clr.json"),
    include_str!("../../seeds/credential/data-model-1.json"),
    include_str!("../../seeds/credential/endorsement.json"),
    include_str!("../../seeds/credential/inline-context.json"),
];

/// What they show, and what is in them.
static SHOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| each_signed(shown));

/// The issuer and the id of each.
static NAMED: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| each_signed(|signed| json!([issuer(signed), signed["id"]]).to_string()));

/// Nothing is good but what was signed: where a document counts as verified, its issuer, id,
/// types, subjects, dates and statuses are, to a reader who only looks at the JSON, those of a
/// document that was signed. Nobody answers in this world, so that what needs an answer is never
/// active, and nobody is asked for what only a stranger names.
pub fn run(data: &[u8]) -> Reached {
    let Ok(document) = json::parse(data) else {
        return Reached::Refused;
    };
    let world = Nobody::default();
    let report = verify_credential(&document, &world, Options::default(), now());
    check_report(&document, &report, &world);
    let presentation = verify_presentation(&document, &world, Options::default(), now());
    assert!(!presentation.verified || presentation.presented);
    for report in presentation.credentials.iter().filter(|it| it.verified) {
        let text = json!([report.issuer, report.id]).to_string();
        assert!(NAMED.contains(&text), "verified, and never signed: {text}");
    }
    let named = |document: &Value| members::check_names(&without_proof(document)).is_ok();
    let readable = Credential::read(&document).is_ok() && named(&document);
    let proved = proof::proofs(&document).any(|proof| proof.is_ok());
    assert!(readable && proved || !report.verified);
    match readable && proved {
        true => Reached::Read,
        false => Reached::Refused,
    }
}

/// One of several proofs may be anything.
fn without_proof(document: &Value) -> Value {
    let mut rest = document.clone();
    if let Some(members) = rest.as_object_mut() {
        members.shift_remove("proof");
    }
    rest
}

fn check_report(document: &Value, report: &Report, world: &Nobody) {
    assert_eq!(report.to_json()["verified"], json!(report.verified));
    let asked = world.asked.lock().expect("nothing panics while it is held");
    if !report.verified {
        assert_ne!(report.outcome, Outcome::Active);
        assert!(!report.problems.is_empty());
        let issuer = issuer(document);
        assert!(
            asked.iter().all(|url| Some(url.as_str()) == issuer),
            "{asked:?}"
        );
        return;
    }
    assert!(
        SHOWN.contains(&shown(document)),
        "verified, and never signed: {document}"
    );
    let wholes = report.checks.iter().filter_map(|check| check.of.as_ref());
    for whole in wholes.filter(|whole| whole.verified) {
        let text = json!([whole.issuer, whole.id]).to_string();
        assert!(NAMED.contains(&text), "verified, and never signed: {text}");
    }
    if report.outcome == Outcome::Active {
        assert!(report.problems.is_empty());
        assert!(
            document.get("credentialStatus").is_none(),
            "nobody answered: {document}"
        );
        assert!(
            document["validUntil"].is_null(),
            "seeds with an end are over: {document}"
        );
    }
}

fn each_signed(what: impl Fn(&Value) -> String) -> BTreeSet<String> {
    fn add(document: &Value, what: &impl Fn(&Value) -> String, all: &mut BTreeSet<String>) {
        if document.get("proof").is_some() {
            all.insert(what(document));
        }
        match document {
            Value::Array(items) => items.iter().for_each(|item| add(item, what, all)),
            Value::Object(members) => members.values().for_each(|value| add(value, what, all)),
            _ => {}
        }
    }
    let mut all = BTreeSet::new();
    for text in SIGNED {
        let signed = json::parse(text.as_bytes()).expect("seeds are JSON");
        let report = verify_credential(&signed, &Nobody::default(), Options::default(), now());
        assert!(report.verified, "a seed is not what it was: {report:?}");
        add(&signed, &what, &mut all);
    }
    all
}

/// What a reader of the JSON sees of what decides.
fn shown(document: &Value) -> String {
    let members = [
        "id",
        "type",
        "validFrom",
        "validUntil",
        "issuanceDate",
        "expirationDate",
        "awardedDate",
    ];
    let status = [
        "type",
        "statusPurpose",
        "statusListIndex",
        "statusListCredential",
    ];
    let subjects = each(&document["credentialSubject"]).map(|subject| set(&subject["id"]));
    let statuses =
        each(&document["credentialStatus"]).map(|entry| status.map(|member| set(&entry[member])));
    json!([
        issuer(document),
        members.map(|member| set(&document[member])),
        subjects.collect::<BTreeSet<_>>(),
        statuses.collect::<BTreeSet<_>>(),
    ])
    .to_string()
}

/// The values of a member without order and repetition, which mean nothing.
fn set(value: &Value) -> BTreeSet<String> {
    each(value).map(Value::to_string).collect()
}

fn issuer(document: &Value) -> Option<&str> {
    let issuer = &document["issuer"];
    issuer.as_str().or_else(|| issuer["id"].as_str())
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (items, one) = match value {
        Value::Array(items) => (items.as_slice(), None),
        Value::Null => (&[] as &[Value], None),
        one => (&[] as &[Value], Some(one)),
    };
    items.iter().chain(one)
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("it is a time")
}

/// A world in which nobody answers. It remembers whose documents were asked for.
#[derive(Default)]
struct Nobody {
    asked: Mutex<Vec<String>>,
}

impl Resolver for Nobody {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        let mut asked = self.asked.lock().expect("nothing panics while it is held");
        asked.push(url.to_owned());
        Err(Unresolved::NotFound)
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.controller_document(url)
    }

    fn hosted_status(
        &self,
        issuer: &str,
        _: &StatusEntry,
    ) -> Option<Result<StatusResult, StatusError>> {
        assert!(
            issuer.starts_with("did:key:"),
            "no other issuer has a key: {issuer}"
        );
        None
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        _: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        Err(StatusError::Retrieval {
            list: wanted.reference.list().to_owned(),
            reason: "nobody answers".to_owned(),
        })
    }

    fn newer(&self, _: &str) -> Result<Fetched, Unresolved> {
        Err(Unresolved::NotFound)
    }

    fn signed_here(&self, _: &str, _: &Value) -> Option<SignedHere> {
        None
    }

    fn known(&self, _: &str, _: Option<WantedOf<'_>>) -> Option<Known> {
        None
    }
}
