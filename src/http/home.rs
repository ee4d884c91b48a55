//! Pages for people, and the links for programs, at the root.

use serde_json::{Value, json};

use super::accept::negotiate;
use super::edge::Edge;
use super::pages::{MOST_LINES, name_of, roles_in_words};
use super::problem::Problem;
use super::profiles::role_names;
use super::reply::Reply;
use super::request::Request;
use super::routes::ROUTES;
use crate::ids::ProfileId;
use crate::registry::{Gravity, ProfileView};
use crate::web::{CheckForm, Frame, HomePage, Link, ProfileLine, Standing};

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let accept = request.accept();
    let media_type = negotiate(accept.as_deref(), &["application/json", "text/html"])?;
    if media_type == "text/html" {
        let after = request
            .query_as("cursor", "a cursor from a page")?
            .map(ProfileId);
        let profiles = edge.registry.profiles(after, MOST_LINES)?;
        let page = home_page(edge, request, &profiles)?;
        return Ok(Reply::html(page));
    }
    let origin = edge.registry.urls().origin().to_owned();
    let links: Vec<Value> = ROUTES
        .iter()
        .map(|route| {
            let url = format!("{origin}{}", route.path);
            json!({ "method": route.method, "url": url, "summary": route.summary })
        })
        .collect();
    let answer = json!({ "name": "Goodstanding", "url": origin, "links": links });
    Ok(Reply::json(200, &answer)
        .header("Vary", "Accept")
        .fresh_for(edge.cache.description))
}

fn home_page(edge: &Edge, request: &Request, profiles: &[ProfileView]) -> Result<String, Problem> {
    let next = profiles.last().filter(|_| profiles.len() == MOST_LINES);
    let frame = request.frame();
    let more = frame.say("home.more");
    let page = HomePage {
        public_url: edge.registry.urls().origin().to_owned(),
        read_only: read_only(edge),
        form: CheckForm::default(),
        profiles: profile_lines(edge, &frame, profiles)?,
        next: next.map(|last| Link::here(&format!("/?cursor={}", last.id.0), more)),
        frame,
    };
    Ok(page.html())
}

/// The profiles as a page of their own, which is the home page without a search.
pub(super) fn profiles_page(
    edge: &Edge,
    request: &Request,
    profiles: &[ProfileView],
) -> Result<String, Problem> {
    let frame = request.frame();
    let page = HomePage {
        public_url: edge.registry.urls().origin().to_owned(),
        read_only: read_only(edge),
        form: CheckForm::default(),
        profiles: profile_lines(edge, &frame, profiles)?,
        next: None,
        frame,
    };
    Ok(page.html())
}

/// Why no changes are taken now.
fn read_only(edge: &Edge) -> Option<String> {
    if edge.registry.takes_changes() {
        return None;
    }
    let states = edge.registry.states().into_iter();
    let mut refusing = states.filter(|state| state.gravity() == Gravity::ReadOnly);
    refusing.next().map(|state| state.happened())
}

fn profile_lines(
    edge: &Edge,
    frame: &Frame,
    profiles: &[ProfileView],
) -> Result<Vec<ProfileLine>, Problem> {
    let ids: Vec<String> = profiles
        .iter()
        .map(|profile| profile.issuer_id.clone())
        .collect();
    let question = edge.registry.question()?;
    let answers = edge.registry.endorsements_of(&ids, &question)?;
    let lines = profiles.iter().zip(answers).map(|(profile, answer)| {
        let id = &profile.issuer_id;
        let is_anchor = edge.registry.is_trusted(&question.anchors, id)?;
        let role = |role| frame.one_of("profile.role", role);
        Ok(ProfileLine {
            page: Link::here(
                &format!("/profiles/{}", profile.slug),
                name_of(frame.language, &profile.document),
            ),
            id: id.clone(),
            roles: match is_anchor {
                true => role_names(profile.roles).into_iter().map(role).collect(),
                false => roles_in_words(frame, profile, &answer.endorsements),
            },
            standing: Standing(answer.backing.outcome),
            is_anchor,
        })
    });
    lines.collect()
}
