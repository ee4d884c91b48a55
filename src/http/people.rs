//! People who sign in on the pages.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::access::UnknownRole;
use crate::ids::{PersonId, Slug};
use crate::registry::{NewPerson, PersonView};

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteBody {
    /// Their name.
    name: String,
    /// Their e-mail address, by which they sign in; without one, by their id.
    email: Option<String>,
    /// As what they act: owner, list-manager, endorser or auditor of the profile, operator or auditor
    /// of the registry.
    role: String,
}

pub(super) fn invite(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    invited(edge, request, Some(slug))
}

pub(super) fn invite_for_registry(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    invited(edge, request, None)
}

fn invited(edge: &Edge, request: &Request, profile: Option<Slug>) -> Result<Reply, Problem> {
    let body: InviteBody = request.json()?;
    let role = body.role.parse();
    let role = role.map_err(|error: UnknownRole| Problem::invalid("/role", error.to_string()))?;
    let new = NewPerson {
        profile,
        name: body.name,
        email: body.email,
        role,
    };
    let (person, code) = edge.registry.invite_person(&request.change()?, &new)?;
    let mut answer = told(&person);
    answer["invitation"] = code.as_str().into();
    answer["accept"] = format!("{}/oauth/accept", edge.registry.urls().origin()).into();
    Ok(Reply::json(201, &answer).not_kept())
}

pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let actor = request.change()?.actor;
    let profile = request.query_as::<Slug>("profile", "the slug of a profile")?;
    let people = edge.registry.people(actor, profile.as_ref())?;
    let people: Vec<Value> = people.iter().map(told).collect();
    Ok(Reply::json(200, &json!({ "people": people })))
}

pub(super) fn remove(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: PersonId = request.param("person")?;
    edge.registry
        .remove_person(&request.change_with_reason()?, id)?;
    Ok(Reply::empty(204))
}

fn told(person: &PersonView) -> Value {
    json!({
        "id": person.id.to_string(),
        "profile": person.profile,
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "accepted": person.accepted,
        "invited": person.created_at.to_string(),
    })
}
