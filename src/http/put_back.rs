//! Lists that were published and say more than the store: after it was restored from an older copy.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::registry::{Artefact, Doing, FoundIn, FoundStatuses, Published, Suspensions};
use crate::vc::keys::PublicKey;

/// Status lists of this registry as they were fetched, from which statuses are put back that the store
/// lacks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PutBackBody {
    /// The lists: a credential with its proof as an object, a JWT as its text, a CWT as its bytes in
    /// base64url.
    #[schema(value_type = Vec<Object>)]
    lists: Vec<Value>,
    /// Multikeys of keys that were this registry's and that its store does not know, since they were made
    /// after the copy that it was restored from. What they signed is believed: be sure of them.
    #[serde(default)]
    lost_keys: Vec<String>,
    /// `tell` (the default): suspensions are told, since nobody knows whether they were ended meanwhile.
    /// `set`: those of the newest list are set.
    suspensions: Option<String>,
    /// Whether it is only to be told what would be set.
    #[serde(default)]
    dry_run: bool,
    /// Why; kept with each change in the audit trail.
    reason: Option<String>,
}

pub(super) fn put_back(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: PutBackBody = request.json()?;
    if body.lists.is_empty() {
        return Err(Problem::invalid("/lists", "at least one list is needed"));
    }
    let lists = body.lists.into_iter().enumerate();
    let lists = lists.map(|(n, list)| artefact(list).map_err(|detail| at("lists", n, detail)));
    let keys = body.lost_keys.iter().enumerate().map(|(n, key)| {
        PublicKey::from_multikey(key).map_err(|error| at("lostKeys", n, error.to_string()))
    });
    let suspensions = match body.suspensions.as_deref() {
        None | Some("tell") => Suspensions::Told,
        Some("set") => Suspensions::Set,
        Some(_) => {
            return Err(Problem::invalid(
                "/suspensions",
                "either tell or set is needed",
            ));
        }
    };
    let published = Published {
        lists: lists.collect::<Result<_, _>>()?,
        lost_keys: keys.collect::<Result<_, _>>()?,
        suspensions,
    };
    let doing = match body.dry_run {
        true => Doing::Telling,
        false => Doing::Setting,
    };
    let told = edge
        .registry
        .put_back(&request.change_because(body.reason)?, &published, doing)?;
    let told: Vec<Value> = told.iter().map(|found| item(edge, found)).collect();
    Ok(Reply::json(
        200,
        &json!({ "dryRun": body.dry_run, "lists": told }),
    ))
}

fn at(member: &str, place: usize, detail: String) -> Problem {
    Problem::invalid(&format!("/{member}/{place}"), detail)
}

fn artefact(given: Value) -> Result<Artefact, String> {
    match given {
        Value::Object(_) => Ok(Artefact::Document(given)),
        Value::String(text) if text.contains('.') => Ok(Artefact::Text(text)),
        Value::String(text) => URL_SAFE_NO_PAD
            .decode(&text)
            .map(Artefact::Bytes)
            .map_err(|error| format!("neither a JWT nor base64url: {error}")),
        _ => Err("a credential is an object; a JWT and the base64url of a CWT are text".to_owned()),
    }
}

fn item(edge: &Edge, found: &FoundIn) -> Value {
    match &found.found {
        Ok(lists) => {
            let lists: Vec<Value> = lists.iter().map(|found| statuses(edge, found)).collect();
            json!({ "item": found.item, "taken": true, "found": lists })
        }
        Err(reason) => json!({ "item": found.item, "taken": false, "reason": reason }),
    }
}

fn statuses(edge: &Edge, found: &FoundStatuses) -> Value {
    json!({
        "list": edge.registry.urls().list(found.list),
        "statusPurpose": found.purpose,
        "signedAt": found.signed_at.map(|at| at.to_string()),
        "missing": found.missing,
        "suspended": found.suspended,
        "reinstated": found.reinstated,
        "set": found.set,
        "refused": found.refused,
    })
}
