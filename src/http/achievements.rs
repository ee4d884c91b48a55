//! Achievements.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::accept::negotiate;
use super::edge::Edge;
use super::endorsements::next_page;
use super::pages;
use super::problem::Problem;
use super::profiles::embeds;
use super::reply::Reply;
use super::request::Request;
use crate::ids::{AchievementId, Slug};
use crate::registry::{AchievementView, Embed, document_tag};

/// The members of an Open Badges 3.0 Achievement other than `id`, `type` and `creator`, which the
/// registry gives. The ones that have to be there are named here.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body, which the badges room checks member by member"
)]
pub(super) struct AchievementBody {
    /// Name of the achievement.
    name: String,
    /// What it is.
    description: String,
    /// What has to be done for it: `narrative` (Markdown), `id` (URL), or both.
    #[schema(value_type = Object)]
    criteria: Value,
}

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner: Slug = request.param("profile")?;
    let members: Map<String, Value> = request.json()?;
    let view = edge
        .registry
        .create_achievement(&request.change()?, &owner, &members)?;
    let url = edge.registry.urls().achievement(view.id);
    Ok(document(201, "application/json", &view).header("Location", url))
}

pub(super) fn replace(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: AchievementId = request.param("achievement")?;
    let members: Map<String, Value> = request.json()?;
    let (change, expected) = (request.change()?, request.if_match()?);
    let view = edge
        .registry
        .change_achievement(&change, id, &members, expected.as_ref())?;
    Ok(document(200, "application/json", &view))
}

pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let owner: Slug = request.param("profile")?;
    let limit = request.limit()?;
    let after = request.query_as("cursor", "a cursor from a Link header")?;
    let views = edge.registry.achievements_of(&owner, after, limit)?;
    let items: Vec<&Value> = views.iter().map(|view| &view.document).collect();
    let reply =
        Reply::json(200, &json!({ "achievements": items })).fresh_for(edge.cache.achievement);
    Ok(match views.last() {
        Some(last) if views.len() == limit => {
            let urls = edge.registry.urls();
            reply.header("Link", next_page(&urls, request, &last.id.to_string()))
        }
        _ => reply,
    })
}

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: AchievementId = request.param("achievement")?;
    let accept = request.accept();
    let offers = ["application/ld+json", "application/json", "text/html"];
    let media_type = negotiate(accept.as_deref(), &offers)?;
    let mut view = edge.registry.achievement(id)?;
    let embeds = embeds(request)?;
    if embeds && let Some(members) = view.document.as_object_mut() {
        let url = edge.registry.urls().achievement(id);
        let embedded = edge.registry.in_force(&url, Embed::AsSigned)?;
        embedded.put_into(members);
        view.etag = document_tag(&view.document);
    }
    let reply = match media_type {
        "text/html" => Reply::html(pages::achievement_page(edge, request, &view)?),
        _ => document(200, media_type, &view),
    };
    // A page shows how it stands, and so do embedded endorsements.
    let fresh = match media_type == "text/html" || embeds {
        true => edge.cache.look_up,
        false => edge.cache.achievement,
    };
    Ok(reply.varies_by_accept().fresh_for(fresh))
}

fn document(status: u16, media_type: &str, view: &AchievementView) -> Reply {
    Reply::bytes(status, media_type, view.document.to_string()).version(&view.etag, view.changed_at)
}
