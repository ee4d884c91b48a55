//! Keys of a profile, and of the registry itself: the paths below `/profiles/{profile}/keys` and
//! those below `/keys`, which are the operator's.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::access::Action;
use crate::ids::{KeyId, Slug};
use crate::registry::{BroughtKey, KeyOwner, KeyView, RegistryError, RotationView};
use crate::time::Timestamp;
use crate::vc::keys::PublicKey;

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
    /// Why; kept with the change in the audit trail.
    reason: Option<String>,
}

/// A key that is brought along, its secret staying with its owner; nothing for one that is made
/// here.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewKeyBody {
    /// The Ed25519 public key as a Multikey.
    public_key_multibase: Option<String>,
    /// The same as a JSON Web Key, instead.
    #[schema(value_type = Option<Object>)]
    public_key_jwk: Option<Value>,
    /// A compact JWS by the key, of `typ` `goodstanding-key-possession+jwt`, with the claims `aud`
    /// (this registry's URL), `sub` (the profile's URL) and `iat` (of the last five minutes).
    proof_of_possession: Option<String>,
}

impl NewKeyBody {
    fn brought(self) -> Result<Option<BroughtKey>, Problem> {
        let (multikey, jwk) = (self.public_key_multibase, self.public_key_jwk);
        if multikey.is_none() && jwk.is_none() && self.proof_of_possession.is_none() {
            return Ok(None);
        }
        let at = "/proofOfPossession";
        let proof = self.proof_of_possession;
        let proof = proof.ok_or_else(|| Problem::invalid(at, format!("{at} is missing")))?;
        let public = public_key("", multikey.as_deref(), jwk.as_ref())?;
        Ok(Some(BroughtKey { public, proof, at }))
    }
}

/// The first key of a profile, where it is brought along.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct FirstKeyBody {
    /// The Ed25519 public key as a Multikey.
    public_key_multibase: Option<String>,
    /// The same as a JSON Web Key, instead.
    #[schema(value_type = Option<Object>)]
    public_key_jwk: Option<Value>,
    /// A compact JWS by the key, of `typ` `goodstanding-key-possession+jwt`, with the claims `aud`
    /// (this registry's URL), `sub` (the URL that the profile will have) and `iat`.
    proof: String,
}

impl FirstKeyBody {
    pub(super) fn brought(self) -> Result<BroughtKey, Problem> {
        let (multikey, jwk) = (self.public_key_multibase, self.public_key_jwk);
        Ok(BroughtKey {
            public: public_key("/key", multikey.as_deref(), jwk.as_ref())?,
            proof: self.proof,
            at: "/key/proof",
        })
    }
}

fn public_key(
    within: &str,
    multikey: Option<&str>,
    jwk: Option<&Value>,
) -> Result<PublicKey, Problem> {
    let (member, read) = match (multikey, jwk) {
        (Some(text), None) => ("publicKeyMultibase", PublicKey::from_multikey(text)),
        (None, Some(jwk)) => ("publicKeyJwk", PublicKey::from_jwk(jwk)),
        _ => {
            let detail = "one of publicKeyMultibase and publicKeyJwk is needed";
            return Err(Problem::invalid(
                &format!("{within}/publicKeyMultibase"),
                detail,
            ));
        }
    };
    read.map_err(|error| Problem::invalid(&format!("{within}/{member}"), error.to_string()))
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
    let waiting = match &owner {
        Owner::Profile(slug) => {
            let profile = edge.registry.profile(slug)?.id;
            if !request
                .actor
                .is_some_and(|actor| actor.may(Action::Read, profile))
            {
                return Err(Problem::no_route(&request.path));
            }
            edge.registry.waiting_for_signature(profile)?
        }
        Owner::Registry if !request.actor.is_some_and(|actor| actor.operates()) => {
            return Err(RegistryError::OperatorOnly.into());
        }
        Owner::Registry => None,
    };
    let keys = edge.registry.keys(owner.named())?;
    let keys: Vec<Value> = keys.iter().map(key_members).collect();
    let mut answer = json!({ "keys": keys });
    if let Some(rotation) = edge.registry.rotation(owner.named())? {
        answer["rotation"] = rotation_members(&rotation);
    }
    if let Some(waiting) = waiting {
        answer["toSign"] = json!({
            "lists": waiting.lists,
            "endorsements": waiting.endorsements,
        });
    }
    Ok(Reply::json(200, &answer))
}

pub(super) fn make(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner = Owner::of(request)?;
    let body: NewKeyBody = match request.body.is_empty() {
        true => NewKeyBody::default(),
        false => request.json()?,
    };
    let change = request.change()?;
    let key = match (body.brought()?, &owner) {
        (None, _) => edge.registry.make_key(&change, owner.named())?,
        (Some(key), Owner::Profile(slug)) => edge.registry.bring_key(&change, slug, &key)?,
        (Some(_), Owner::Registry) => {
            let detail = "the registry signs with keys that are made here";
            return Err(Problem::invalid("/proofOfPossession", detail));
        }
    };
    Ok(Reply::json(201, &key_members(&key)))
}

pub(super) fn rotate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner = Owner::of(request)?;
    let change = request.change_with_reason()?;
    let (key, rotation) = edge.registry.rotate_keys(&change, owner.named())?;
    let mut answer = key_members(&key);
    if let Some(rotation) = rotation {
        answer["rotation"] = rotation_members(&rotation);
    }
    Ok(Reply::json(201, &answer))
}

pub(super) fn retire(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (owner, key): (Owner, KeyId) = (Owner::of(request)?, request.param("key")?);
    let change = request.change_with_reason()?;
    let key = edge.registry.retire_key(&change, owner.named(), key)?;
    Ok(Reply::json(200, &key_members(&key)))
}

pub(super) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (owner, key): (Owner, KeyId) = (Owner::of(request)?, request.param("key")?);
    let body: RevokeKeyBody = request.json()?;
    let since = body.since.parse::<Timestamp>();
    let since = since.map_err(|error| Problem::invalid("/since", error.to_string()))?;
    let (change, registry) = (request.change_because(body.reason)?, &edge.registry);
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
    members.insert("managed".into(), key.managed.into());
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
