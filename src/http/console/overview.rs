//! The first page: what waits for whoever is signed in.

use super::Visit;
use crate::access::Action;
use crate::http::edge::Edge;
use crate::http::pages::{name_of, subject_link};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::Slug;
use crate::registry::{ProfileView, Task, TaskCursor};
use crate::web::Language;
use crate::web::console::{OverviewPage, ProfileChoice, Room, TaskLine};
use crate::web::{Link, Moment};

/// So many tasks stand on a page.
const MOST_TASKS: usize = 25;

/// So many profiles can be chosen from; more are found by their address.
const MOST_PROFILES: usize = 200;

pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let profiles = visit.profiles()?;
    let profile = visit.profile(&profiles)?;
    let (tasks, next) = match &profile {
        Some(profile) if visit.can(Action::Read) => {
            let (tasks, next) = tasks(&visit, &profile.slug)?;
            (Some(tasks), next)
        }
        _ => (None, None),
    };
    let page = OverviewPage {
        frame: visit.frame(Room::Overview),
        attention: attention(&visit),
        profiles: choices(visit.language, &profiles, profile.as_ref()),
        profile: profile.map(|profile| {
            let path = format!("/profiles/{}", profile.slug);
            Link::here(&path, name_of(visit.language, &profile.document))
        }),
        tasks,
        next,
    };
    Ok(visit.page(200, page.html()))
}

impl Visit<'_> {
    /// The profiles among which whoever acts for the registry can choose; none for whoever acts for one.
    pub(super) fn profiles(&self) -> Result<Vec<ProfileView>, Problem> {
        match self.actor().speaks_as() {
            Some(_) => Ok(Vec::new()),
            None => Ok(self.edge.registry.profiles(None, MOST_PROFILES)?),
        }
    }

    /// The profile that a page is about: the one for which the visitor acts, or else the one that was chosen,
    /// or the only one.
    pub(super) fn profile(&self, among: &[ProfileView]) -> Result<Option<ProfileView>, Problem> {
        let registry = &self.edge.registry;
        if let Some(own) = self.actor().speaks_as() {
            return Ok(Some(registry.profile_numbered(own)?));
        }
        let named = self
            .request
            .query("profile")
            .filter(|slug| !slug.is_empty());
        match (named, among) {
            (Some(slug), _) => {
                let slug: Slug = slug
                    .parse()
                    .map_err(|_| Problem::no_route(&self.request.path))?;
                Ok(Some(registry.profile(&slug)?))
            }
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Ok(None),
        }
    }
}

/// The profiles as they are chosen from.
pub(super) fn choices(
    language: Language,
    profiles: &[ProfileView],
    chosen: Option<&ProfileView>,
) -> Vec<ProfileChoice> {
    let choice = |profile: &ProfileView| ProfileChoice {
        slug: profile.slug.to_string(),
        name: name_of(language, &profile.document).to_owned(),
        chosen: chosen.is_some_and(|chosen| chosen.id == profile.id),
    };
    profiles.iter().map(choice).collect()
}

/// What keeps the registry from something, for whoever runs it.
fn attention(visit: &Visit<'_>) -> Vec<(String, String)> {
    if !visit.actor().operates() {
        return Vec::new();
    }
    let states = visit.edge.registry.states().into_iter();
    states
        .map(|state| (state.happened(), state.to_do().to_owned()))
        .collect()
}

fn tasks(visit: &Visit<'_>, slug: &Slug) -> Result<(Vec<TaskLine>, Option<String>), Problem> {
    let after = visit
        .request
        .query_as::<TaskCursor>("cursor", "a cursor from a page")?;
    let page = visit
        .edge
        .registry
        .tasks(visit.actor(), slug, after, MOST_TASKS)?;
    let lines = page.tasks.iter().map(|task| line(visit, task));
    let next = page
        .next
        .map(|next| format!("/console?profile={slug}&cursor={next}"));
    Ok((lines.collect::<Result<_, _>>()?, next))
}

fn line(visit: &Visit<'_>, task: &Task) -> Result<TaskLine, Problem> {
    let (key, page, about, at) = match task {
        Task::Request(waiting) => (
            "task.request",
            format!("/console/requests/{}", waiting.request),
            &waiting.other,
            waiting.since,
        ),
        Task::Answered(waiting) => (
            "task.answered",
            format!("/console/requests/{}", waiting.request),
            &waiting.other,
            waiting.since,
        ),
        Task::Asked(waiting) => (
            "task.asked",
            format!("/console/requests/{}", waiting.request),
            &waiting.other,
            waiting.since,
        ),
        Task::StaleDigest {
            endorsement,
            subject,
            since,
            ..
        } => (
            "task.stale-digest",
            format!("/console/endorsements/{endorsement}"),
            subject,
            *since,
        ),
        Task::ExpiresSoon {
            endorsement,
            subject,
            until,
        } => (
            "task.expires-soon",
            format!("/console/endorsements/{endorsement}"),
            subject,
            *until,
        ),
    };
    Ok(TaskLine {
        key,
        page: Link::here(&page, visit.language.console(key)),
        about: subject_link(visit.edge, visit.language, about)?,
        at: Moment(at),
    })
}
