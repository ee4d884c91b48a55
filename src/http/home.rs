//! Pages for people, and the links for programs, at the root.

use serde_json::{Value, json};

use super::accept::negotiate;
use super::edge::Edge;
use super::pages::{MOST_LINES, name_of, roles_in_words, subject_link};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::routes::ROUTES;
use crate::ids::ProfileId;
use crate::registry::{Gravity, MaySee, Outcome, ProfileView};
use crate::web::{Answer, Finding, Frame, HomePage, Link, Moment, ProfileLine, Standing};

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
    let asked = |name: &str| request.query(name).unwrap_or_default().trim().to_owned();
    let (query, list, index) = (asked("q"), asked("list"), asked("index"));
    let next = profiles.last().filter(|_| profiles.len() == MOST_LINES);
    let frame = request.frame();
    let more = frame.say("home.more");
    let page = HomePage {
        public_url: edge.registry.urls().origin().to_owned(),
        read_only: read_only(edge),
        answer: search(edge, request, &query, &list, &index)?,
        query,
        list,
        index,
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
        query: String::new(),
        list: String::new(),
        index: String::new(),
        answer: None,
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
    let answers = edge
        .registry
        .endorsements_of(&ids, &edge.registry.question()?)?;
    let lines = profiles
        .iter()
        .zip(answers)
        .map(|(profile, answer)| ProfileLine {
            page: Link::here(
                &format!("/profiles/{}", profile.slug),
                name_of(frame.language, &profile.document),
            ),
            id: profile.issuer_id.clone(),
            roles: roles_in_words(frame, profile, &answer.endorsements),
            standing: Standing(answer.backing.outcome),
        });
    Ok(lines.collect())
}

/// What a person asked for on the home page: an entry by its place, or anything by its id.
fn search(
    edge: &Edge,
    request: &Request,
    query: &str,
    list: &str,
    index: &str,
) -> Result<Option<Answer>, Problem> {
    let as_of = Moment(edge.registry.now());
    let frame = &request.frame();
    if !list.is_empty() {
        let Ok(index) = index.parse::<u64>() else {
            let words = frame.say("home.entry.index.wrong");
            return Ok(Some(Answer::Refused(words.into())));
        };
        return Ok(Some(
            match edge.registry.status_at(list, index, None, None)? {
                Ok(answer) => Answer::Found(vec![Finding {
                    kind: frame.with("home.kind.entry", "index", index),
                    thing: Link::outside(list, list),
                    standing: Standing(answer.outcome),
                    as_of,
                }]),
                Err(unknown) => Answer::Refused(Problem::from(unknown).detail),
            },
        ));
    }
    if query.is_empty() {
        return Ok(None);
    }
    let mut found = Vec::new();
    let urls = edge.registry.urls();
    if let Some(Ok(id)) = urls.within("endorsements", query).map(str::parse)
        && let Ok(view) = edge.registry.endorsement(id, None)
    {
        found.push(Finding {
            kind: frame.say("home.kind.endorsement").into(),
            thing: Link::here(
                &format!("/endorsements/{id}"),
                name_of(frame.language, view.credential.secured().claims()),
            ),
            standing: Standing(view.outcome),
            as_of,
        });
    }
    let mut subject = query.to_owned();
    if let Ok(profile) = edge.registry.profile_named(query, "?q") {
        subject = profile.issuer_id;
    }
    for answer in edge
        .registry
        .endorsements_of(&[subject], &edge.registry.question()?)?
    {
        if answer.backing.outcome != Outcome::Unknown {
            found.push(Finding {
                kind: frame.say("home.kind.endorsed").into(),
                thing: subject_link(edge, frame.language, &answer.subject)?,
                standing: Standing(answer.backing.outcome),
                as_of,
            });
        }
    }
    if edge.status_by_credential_is_public || request.actor.is_some() {
        let may_see = match (edge.status_by_credential_is_public, request.actor) {
            (false, Some(actor)) => MaySee::OwnOf(actor),
            _ => MaySee::Everything,
        };
        if let Ok(answer) = edge.registry.status_of(query, None, None, may_see)? {
            found.push(Finding {
                kind: frame.say("home.kind.credential").into(),
                thing: Link::outside(query, query),
                standing: Standing(answer.outcome),
                as_of,
            });
        }
    }
    Ok(Some(Answer::Found(found)))
}
