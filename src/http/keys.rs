//! Keys of a profile, and of the registry itself: the paths below `/profiles/{profile}/keys` and
//! those below `/keys`, which are the operator's.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::ids::{KeyId, Slug};
use crate::registry::{KeyOwner, KeyView, RegistryError, RotationView};
use crate::time::Timestamp;

/// A key that may be in wrong hands.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RevokeKeyBody {
    /// Since when it may have been (RFC 3339).
    since: String,
    /// Whether only what would be affected is to be told, and nothing done. The answer is then
    /// `{"dryRun": true, "affected": {"lists", "endorsements": {"count", "signedAgain", "shown"},
    /// "credentials", "more"?}}`: how many lists would be signed again, which endorsements and how
    /// many credentials the key has signed since.
    #[serde(default)]
    dry_run: bool,
}

/// Whose keys a path is about.
enum Owner {
    Profile(Slug),
    Registry,
}

impl Owner {
    fn of(request: &Request) -> Result<Self, Problem> {
        Ok(match request.has_param("profile") {
            true => Self::Profile(request.param("profile")?),
            false => Self::Registry,
        })
    }

    const fn named(&self) -> KeyOwner<'_> {
        match self {
            Self::Profile(slug) => KeyOwner::Profile(slug),
            Self::Registry => KeyOwner::Registry,
        }
    }
}

/// The keys as their owner sees them, with the last rotation.
pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner = Owner::of(request)?;
    match &owner {
        Owner::Profile(slug) => {
            let profile = edge.registry.profile(slug)?.id;
            if !request.actor.is_some_and(|actor| actor.speaks_for(profile)) {
                return Err(Problem::no_route(&request.path));
            }
        }
        Owner::Registry if !request.actor.is_some_and(|actor| actor.operates()) => {
            return Err(RegistryError::OperatorOnly.into());
        }
        Owner::Registry => {}
    }
    let keys = edge.registry.keys(owner.named())?;
    let keys: Vec<Value> = keys.iter().map(key_members).collect();
    let mut answer = json!({ "keys": keys });
    if let Some(rotation) = edge.registry.rotation(owner.named())? {
        answer["rotation"] = rotation_members(&rotation);
    }
    Ok(Reply::json(200, &answer))
}

pub(super) fn make(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner = Owner::of(request)?;
    request.nothing()?;
    let key = edge.registry.make_key(&request.change()?, owner.named())?;
    Ok(Reply::json(201, &key_members(&key)))
}

pub(super) fn rotate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner = Owner::of(request)?;
    request.nothing()?;
    let change = request.change()?;
    let (key, rotation) = edge.registry.rotate_keys(&change, owner.named())?;
    let mut answer = key_members(&key);
    if let Some(rotation) = rotation {
        answer["rotation"] = rotation_members(&rotation);
    }
    Ok(Reply::json(201, &answer))
}

pub(super) fn retire(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (owner, key): (Owner, KeyId) = (Owner::of(request)?, request.param("key")?);
    request.nothing()?;
    let change = request.change()?;
    let key = edge.registry.retire_key(&change, owner.named(), key)?;
    Ok(Reply::json(200, &key_members(&key)))
}

pub(super) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (owner, key): (Owner, KeyId) = (Owner::of(request)?, request.param("key")?);
    let body: RevokeKeyBody = request.json()?;
    let since = body.since.parse::<Timestamp>();
    let since = since.map_err(|error| Problem::invalid("/since", error.to_string()))?;
    let (change, registry) = (request.change()?, &edge.registry);
    if body.dry_run {
        let affected = registry.revoke_key_dry_run(change.actor, owner.named(), key, since)?;
        let told = json!({ "dryRun": true, "affected": affected });
        return Ok(Reply::json(200, &told));
    }
    let (key, affected) = registry.revoke_key(&change, owner.named(), key, since)?;
    let mut answer = key_members(&key);
    answer["affected"] = json!(affected);
    Ok(Reply::json(200, &answer))
}

fn key_members(key: &KeyView) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), key.id.to_string().into());
    members.insert(
        "verificationMethod".into(),
        key.verification_method.clone().into(),
    );
    members.insert(
        "publicKeyMultibase".into(),
        key.public_key_multibase.clone().into(),
    );
    members.insert("madeAt".into(), key.made_at.to_string().into());
    members.insert("signsFrom".into(), key.signs_from.to_string().into());
    if let Some(at) = key.retired_at {
        members.insert("retiredAt".into(), at.to_string().into());
    }
    if let Some(since) = key.revoked_since {
        members.insert("revokedSince".into(), since.to_string().into());
    }
    Value::Object(members)
}

fn rotation_members(rotation: &RotationView) -> Value {
    let from = rotation.from.iter().map(ToString::to_string);
    json!({
        "from": from.collect::<Vec<String>>(),
        "to": rotation.to.to_string(),
        "signsFrom": rotation.signs_from.to_string(),
        "lists": { "done": rotation.done, "total": rotation.total },
        "state": rotation.state,
    })
}
