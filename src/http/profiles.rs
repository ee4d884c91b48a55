//! Profiles, and where verifiers find their keys.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::accept::negotiate;
use super::edge::Edge;
use super::endorsements::{ReasonBody, affected_reply, next_page};
use super::home;
use super::keys::FirstKeyBody;
use super::pages;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::ids::{ProfileId, Slug};
use crate::registry::{
    AccreditorAction, Embed, HistoryAccess, KeyOwner, NewProfile, ProfileSettings, ProfileView,
    Roles, document_tag,
};
use crate::store::tables::IdForm;

/// A profile to be registered. Beside the members named here the body takes those of an Open
/// Badges 3.0 Profile, other than `id` and `type`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body, which the badges room reads member by member"
)]
pub(super) struct NewProfileBody {
    /// Name in URLs: 1 to 64 of a-z, 0-9 and '-'. Never given out again.
    slug: String,
    /// `issuer`, `accreditor` or both.
    roles: Vec<String>,
    /// Form of the profile's id: `did:web` (the default), `https` or `did:key`.
    issuer_id: Option<String>,
    /// Who may see its status lists as they were: `public`, `authorised` (itself and the operator)
    /// or `none`. As the registry has it, where that is not said.
    status_history: Option<String>,
    /// The first key, where it is brought along; otherwise one is made here.
    key: Option<FirstKeyBody>,
    /// Name of the organisation or person.
    name: String,
}

/// The members of an Open Badges 3.0 Profile other than `id` and `type`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body, which the badges room reads member by member"
)]
pub(super) struct ProfileBody {
    /// The roles, where they are to change; the operator's to give.
    roles: Option<Vec<String>>,
    /// Who may see its status lists as they were, where that is to change: `public`, `authorised`
    /// or `none`.
    status_history: Option<String>,
    /// Name of the organisation or person.
    name: String,
}

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let mut members: Map<String, Value> = request.json()?;
    let slug: String = take(&mut members, "slug")?.ok_or_else(|| missing("/slug"))?;
    let slug = slug
        .parse::<Slug>()
        .map_err(|e| Problem::invalid("/slug", e.to_string()))?;
    let roles: Vec<String> = take(&mut members, "roles")?.ok_or_else(|| missing("/roles"))?;
    let id_form = match take::<String>(&mut members, "issuerId")?.as_deref() {
        None | Some("did:web") => IdForm::DidWeb,
        Some("https") => IdForm::Https,
        Some("did:key") => IdForm::DidKey,
        Some(_) => {
            return Err(Problem::invalid(
                "/issuerId",
                "did:web, https or did:key is needed",
            ));
        }
    };
    let key: Option<FirstKeyBody> = take(&mut members, "key")?;
    let key = key.map(FirstKeyBody::brought).transpose()?;
    let new = NewProfile {
        slug,
        id_form,
        roles: parse_roles(&roles)?,
        history: take_history(&mut members)?,
        members,
    };
    let change = request.change()?;
    let view = edge
        .registry
        .create_profile_with(&change, &new, key.as_ref())?;
    let url = edge.registry.urls().profile(&view.slug);
    Ok(document(201, "application/json", &view).header("Location", url))
}

pub(super) fn replace(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let mut members: Map<String, Value> = request.json()?;
    let roles: Option<Vec<String>> = take(&mut members, "roles")?;
    let settings = ProfileSettings {
        roles: roles.map(|roles| parse_roles(&roles)).transpose()?,
        history: take_history(&mut members)?,
    };
    let (change, expected) = (request.change()?, request.if_match()?);
    let view =
        edge.registry
            .change_profile(&change, &slug, &members, settings, expected.as_ref())?;
    Ok(document(200, "application/json", &view))
}

pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let limit = request.limit()?;
    let after = request
        .query_as("cursor", "a cursor from a Link header")?
        .map(ProfileId);
    let views = edge.registry.profiles(after, limit)?;
    let accept = request.accept();
    let media_type = negotiate(accept.as_deref(), &["application/json", "text/html"])?;
    if media_type == "text/html" {
        let page = home::profiles_page(edge, request, &views)?;
        return Ok(Reply::html(page).fresh_for(edge.cache.look_up));
    }
    let items: Vec<Value> = views
        .iter()
        .map(|view| {
            json!({
                "id": view.issuer_id,
                "slug": view.slug,
                "url": edge.registry.urls().profile(&view.slug),
                "name": view.document.get("name"),
                "roles": role_names(view.roles),
                "statusHistory": view.history,
            })
        })
        .collect();
    let reply = Reply::json(200, &json!({ "profiles": items }))
        .header("Vary", "Accept")
        .fresh_for(edge.cache.profile);
    Ok(match views.last() {
        Some(last) if views.len() == limit => {
            let urls = edge.registry.urls();
            reply.header("Link", next_page(&urls, request, &last.id.0.to_string()))
        }
        _ => reply,
    })
}

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let accept = request.accept();
    let offers = ["application/ld+json", "application/json", "text/html"];
    let media_type = negotiate(accept.as_deref(), &offers)?;
    let mut view = edge.registry.profile(&slug)?;
    let embeds = embeds(request)?;
    if embeds && let Some(members) = view.document.as_object_mut() {
        let embedded = edge.registry.in_force(&view.issuer_id, Embed::AsSigned)?;
        embedded.put_into(members);
        view.etag = document_tag(&view.document);
    }
    let reply = match media_type {
        "text/html" => Reply::html(pages::profile_page(edge, request, &view)?),
        _ => document(200, media_type, &view),
    };
    // A page shows how the profile stands, and embedded endorsements say so as well.
    let fresh = match media_type == "text/html" || embeds {
        true => edge.cache.look_up,
        false => edge.cache.profile,
    };
    Ok(reply.varies_by_accept().fresh_for(fresh))
}

pub(super) fn suspend(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    decide(edge, request, AccreditorAction::Suspend)
}

pub(super) fn reinstate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    decide(edge, request, AccreditorAction::Reinstate)
}

pub(super) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    decide(edge, request, AccreditorAction::Remove)
}

fn decide(edge: &Edge, request: &Request, action: AccreditorAction) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let body = ReasonBody::of(request)?;
    let change = request.change()?;
    if body.dry_run {
        let affected = edge
            .registry
            .accreditor_dry_run(change.actor, &slug, action)?;
        return Ok(affected_reply(&affected));
    }
    let reason = body.reason.as_deref();
    let outcome = edge
        .registry
        .change_accreditor(&change, &slug, action, reason)?;
    let view = edge.registry.profile(&slug)?;
    let answer = json!({
        "id": view.issuer_id,
        "slug": view.slug,
        "roles": role_names(view.roles),
        "outcome": outcome,
    });
    Ok(Reply::json(200, &answer))
}

/// Whether endorsements in force are to be put into the document.
pub(super) fn embeds(request: &Request) -> Result<bool, Problem> {
    match request.query("endorsements") {
        None => Ok(false),
        Some("embed") => Ok(true),
        Some(_) => {
            let detail = "the one value known is embed";
            Err(Problem::invalid("?endorsements", detail))
        }
    }
}

pub(super) fn did_document(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let view = edge.registry.profile(&slug)?;
    if view.id_form != IdForm::DidWeb {
        let detail = format!(
            "the id of this profile is {}, not a did:web",
            view.issuer_id
        );
        return Err(Problem::new(404, "not-found", "Not found", detail));
    }
    did_reply(edge, request, KeyOwner::Profile(&slug))
}

/// The DID document of a profile or of the registry.
pub(super) fn did_reply(
    edge: &Edge,
    request: &Request,
    owner: KeyOwner<'_>,
) -> Result<Reply, Problem> {
    let accept = request.accept();
    let offers = [
        "application/did+ld+json",
        "application/did+json",
        "application/did",
        "application/ld+json",
        "application/json",
    ];
    let media_type = negotiate(accept.as_deref(), &offers)?;
    let (document, etag) = edge.registry.controller_document(owner)?;
    Ok(Reply::bytes(200, media_type, document.to_string())
        .header("ETag", etag)
        .header("Vary", "Accept")
        .fresh_for(edge.cache.did_document))
}

pub(super) fn jwks(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let keys = edge.registry.json_web_keys(&slug)?;
    Ok(Reply::bytes(
        200,
        "application/jwk-set+json",
        json!({ "keys": keys }).to_string(),
    )
    .fresh_for(edge.cache.did_document))
}

pub(super) fn document(status: u16, media_type: &str, view: &ProfileView) -> Reply {
    Reply::bytes(status, media_type, view.document.to_string()).version(&view.etag, view.changed_at)
}

pub(super) fn role_names(roles: Roles) -> Vec<&'static str> {
    let mut names = Vec::new();
    names.extend(roles.issuer.then_some("issuer"));
    names.extend(roles.accreditor.then_some("accreditor"));
    names
}

fn parse_roles(names: &[String]) -> Result<Roles, Problem> {
    let mut roles = Roles {
        issuer: false,
        accreditor: false,
    };
    for (place, name) in names.iter().enumerate() {
        match name.as_str() {
            "issuer" => roles.issuer = true,
            "accreditor" => roles.accreditor = true,
            _ => {
                let detail = "issuer or accreditor is needed";
                return Err(Problem::invalid(&format!("/roles/{place}"), detail));
            }
        }
    }
    if names.is_empty() {
        return Err(Problem::invalid("/roles", "at least one role is needed"));
    }
    Ok(roles)
}

fn take_history(members: &mut Map<String, Value>) -> Result<Option<HistoryAccess>, Problem> {
    let named: Option<String> = take(members, "statusHistory")?;
    let parse = |name: String| match name.as_str() {
        "public" => Ok(HistoryAccess::Public),
        "authorised" => Ok(HistoryAccess::Authorised),
        "none" => Ok(HistoryAccess::None),
        _ => Err(Problem::invalid(
            "/statusHistory",
            "public, authorised or none is needed",
        )),
    };
    named.map(parse).transpose()
}

/// Takes a member that the registry itself reads out of those of the Open Badges class.
fn take<T: serde::de::DeserializeOwned>(
    members: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>, Problem> {
    let Some(value) = members.shift_remove(name) else {
        return Ok(None);
    };
    match crate::json::from_value(&value) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let pointer = format!("/{name}{}", error.pointer());
            Err(Problem::invalid(&pointer, format!("{pointer}: {error}")))
        }
    }
}

fn missing(pointer: &str) -> Problem {
    Problem::invalid(pointer, format!("{pointer} is missing"))
}
