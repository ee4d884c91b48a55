//! What stories set up through the public surface, and the questions that they ask of it.

use serde_json::{Value, json};

use super::client::Client;
use super::folder::ORIGIN;

pub(crate) const ISSUER: &str = "acme-college";
pub(crate) const ACCREDITOR: &str = "quality-board";

/// The path of a URL of the registry, for the client of a server that stands elsewhere.
#[track_caller]
pub(crate) fn path(url: &Value) -> String {
    let url = url.as_str().unwrap_or_else(|| panic!("{url} is no URL"));
    let path = url.split('#').next().unwrap_or_default();
    path.strip_prefix(ORIGIN).expect("it is hosted here").into()
}

/// Registers a profile and returns its id.
pub(crate) fn profile(registry: &Client, slug: &str, role: &str) -> String {
    let body = json!({ "slug": slug, "name": slug, "roles": [role] });
    let made = registry.post("/profiles", &body).json(201);
    made["id"].as_str().unwrap().to_owned()
}

/// Opens a list for revocations and returns its path.
pub(crate) fn list(registry: &Client, issuer: &str) -> String {
    let body = json!({ "issuer": issuer, "statusPurpose": "revocation" });
    path(&registry.post("/status-lists", &body).json(201)["id"])
}

/// Allocates entries of a list and returns their indexes.
pub(crate) fn entries(registry: &Client, list: &str, count: usize) -> Vec<u64> {
    let body = json!({ "count": count });
    let answer = registry.post(&format!("{list}/entries"), &body).json(200);
    let entries = answer["entries"].as_array().unwrap();
    let index = |entry: &Value| entry["statusListIndex"].as_str()?.parse().ok();
    let indexes: Vec<u64> = entries.iter().filter_map(index).collect();
    assert_eq!(indexes.len(), count);
    indexes
}

/// The body that revokes one entry.
pub(crate) fn revocation(index: u64) -> Value {
    json!({ "updates": [{ "index": index, "status": 1 }], "reason": "story" })
}

/// What the look-up says of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) revoked: bool,
    pub(crate) revision: u64,
}

/// Looks many entries up in one question, without a token.
pub(crate) fn look_up(registry: &Client, list: &str, indexes: &[u64]) -> Vec<Standing> {
    asked(registry, list, indexes, None)
}

/// As [`look_up`], as of a moment in the past.
pub(crate) fn look_up_at(
    registry: &Client,
    list: &str,
    indexes: &[u64],
    at: &str,
) -> Vec<Standing> {
    asked(registry, list, indexes, Some(at))
}

/// A moment that is over when this returns: whatever is changed from then on is changed later.
pub(crate) fn moment(registry: &Client, list: &str) -> String {
    let target = format!("/status?list={ORIGIN}{list}&index=0");
    let as_of = || registry.get(&target).json(200)["asOf"].take();
    let first = as_of();
    while as_of() == first {}
    first.as_str().expect("a time").to_owned()
}

fn asked(registry: &Client, list: &str, indexes: &[u64], at: Option<&str>) -> Vec<Standing> {
    let list = format!("{ORIGIN}{list}");
    let question = |index| json!({ "list": list, "index": index });
    let queries: Vec<Value> = indexes.iter().map(question).collect();
    let mut body = json!({ "queries": queries });
    if let Some(at) = at {
        body["at"] = at.into();
    }
    let answer = registry.post("/status/query", &body).json(200);
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), indexes.len());
    results.iter().map(standing).collect()
}

fn standing(result: &Value) -> Standing {
    let revoked = match (result["status"].as_u64(), result["outcome"].as_str()) {
        (Some(0), Some("active")) => false,
        (Some(1), Some("revoked")) => true,
        _ => panic!("{result}"),
    };
    assert_eq!(result["valid"], json!(!revoked), "{result}");
    Standing {
        revoked,
        revision: result["revision"].as_u64().expect("a revision"),
    }
}

/// A badge for `holder` that its issuer has not signed yet.
pub(crate) fn unsigned_badge(id: &str, issuer: &str, achievement: &Value) -> Value {
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "First aid",
        "issuer": { "id": issuer, "type": ["Profile"], "name": ISSUER },
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [{
                "type": "IdentityObject",
                "hashed": false,
                "identityHash": "Ada Okafor",
                "identityType": "name",
            }],
            "achievement": {
                "id": achievement,
                "type": ["Achievement"],
                "name": "First aid",
                "description": "Can give first aid.",
                "criteria": { "narrative": "Passed the course." },
            },
        },
    })
}

/// Registers an achievement and returns its id.
pub(crate) fn achievement(registry: &Client, issuer: &str) -> Value {
    let body = json!({
        "name": "First aid",
        "description": "Can give first aid.",
        "criteria": { "narrative": "Passed the course." },
    });
    let path = format!("/profiles/{issuer}/achievements");
    registry.post(&path, &body).json(201)["id"].clone()
}

/// Has the accreditor endorse something, and returns the signed endorsement.
pub(crate) fn endorse(registry: &Client, subject: &Value, kind: &str) -> Value {
    let body = json!({
        "endorser": ACCREDITOR,
        "subject": { "id": subject, "kind": kind },
        "name": "Accredited",
        "suspendable": true,
    });
    let mut made = registry.post("/endorsements", &body).json(201);
    made["verifiableCredential"].take()
}
