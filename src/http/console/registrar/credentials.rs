//! Credentials: found, and shown with what was done to them.

use super::statuses::{self, block};
use super::{issuer, path_with};
use crate::http::console::visit::Visit;
use crate::http::edge::Edge;
use crate::http::pages::subject_link;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{ListId, SpaceId};
use crate::registry::FoundCredential;
use crate::web::console::{CredentialLine, CredentialPage, CredentialsPage, Room, Trouble};
use crate::web::{Link, Moment, Standing};

/// So many credentials stand on a page.
const MOST: usize = 50;

/// Finds credentials, by their ids or by list and index.
pub(in crate::http) fn search(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (profile, profiles) = issuer(&visit)?;
    let text = request.query("text").unwrap_or_default().trim().to_owned();
    let place = |name| request.query(name).unwrap_or_default().trim().to_owned();
    let mut page = CredentialsPage {
        frame: visit.frame(Room::Credentials),
        profile: profile.as_ref().map(|profile| profile.slug.to_string()),
        profiles,
        text,
        place: (place("list"), place("index")),
        found: None,
        next: None,
        trouble: None,
    };
    let Some(profile) = profile else {
        return Ok(visit.page(200, page.html()));
    };
    if !page.place.0.is_empty() {
        let list = list_named(edge, &page.place.0);
        let Some((list, index)) = list.zip(page.place.1.parse::<u64>().ok()) else {
            let words = visit.language.console("credentials.list");
            page.trouble = Some(Trouble::said(words, "list"));
            return Ok(visit.page(400, page.html()));
        };
        return Ok(super::super::door::leads_to(&statuses::entry_path(
            list, index,
        )));
    }
    if request.query("text").is_some() {
        let after = request.query("cursor").map(place_of).transpose()?;
        let registry = &edge.registry;
        let found =
            registry.find_credentials(visit.actor(), profile.id, &page.text, after, MOST)?;
        let slug = profile.slug.as_str();
        let lines = found.found.iter().map(|found| line(slug, found));
        page.found = Some(lines.collect());
        page.next = found.next.map(|place| {
            let cursor = cursor(place);
            let parameters = [("profile", slug), ("cursor", &cursor)];
            // An empty text is one as well.
            let text = url::form_urlencoded::byte_serialize(page.text.as_bytes());
            let text: String = text.collect();
            format!(
                "{}&text={text}",
                path_with("/console/credentials", &parameters)
            )
        });
    }
    Ok(visit.page(200, page.html()))
}

/// Shows one credential.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (profile, _) = issuer(&visit)?;
    let profile = profile.ok_or_else(|| Problem::no_route(&request.path))?;
    let id = request.query("id").unwrap_or_default();
    let found = edge.registry.credential_of(visit.actor(), profile.id, id)?;
    let is_over = found.outcome == crate::registry::Outcome::Revoked;
    let entries = found.entries.iter().map(|entry| {
        let list = edge.registry.urls().parse_list(&entry.list);
        let list = list.ok_or_else(Problem::internal)?;
        block(&visit, (list, entry.index), &entry.answer, is_over)
    });
    let dates = found.dates.as_ref();
    let page = CredentialPage {
        entries: entries.collect::<Result<_, _>>()?,
        frame: visit.frame(Room::Credentials),
        standing: Standing(found.outcome),
        seen_at: Moment(found.created_at),
        dates: [
            dates.and_then(|dates| dates.valid_from),
            dates.and_then(|dates| dates.valid_until),
            dates.and_then(|dates| dates.awarded),
        ]
        .map(|date| date.map(Moment)),
        achievement: match &found.achievement {
            Some(id) => Some(subject_link(edge, visit.language, id)?),
            None => None,
        },
        elsewhere: found.elsewhere,
        id: found.id,
    };
    Ok(visit.page(200, page.html()))
}

/// The page of a credential.
pub(super) fn page_of(slug: &str, id: &str) -> String {
    path_with("/console/credential", &[("profile", slug), ("id", id)])
}

fn line(slug: &str, found: &FoundCredential) -> CredentialLine {
    CredentialLine {
        page: Link::here(&page_of(slug, &found.id), &found.id),
        standing: Standing(found.outcome),
        seen_at: Moment(found.created_at),
    }
}

/// A list by its URL or its id.
fn list_named(edge: &Edge, text: &str) -> Option<ListId> {
    edge.registry
        .urls()
        .parse_list(text)
        .or_else(|| text.parse().ok())
}

/// Where a search goes on, as text.
fn cursor((space, index): (SpaceId, u32)) -> String {
    format!("{space}.{index}")
}

fn place_of(cursor: &str) -> Result<(SpaceId, u32), Problem> {
    let parsed = cursor
        .split_once('.')
        .and_then(|(space, index)| Some((space.parse().ok()?, index.parse().ok()?)));
    let detail = "the parameter cursor has to be one from a page before";
    parsed.ok_or_else(|| Problem::invalid("?cursor", detail))
}
