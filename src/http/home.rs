//! Pages for people, and the links for programs, at the root.

use serde_json::{Value, json};

use super::accept::negotiate;
use super::edge::Edge;
use super::problem::Problem;
use super::profiles::role_names;
use super::reply::Reply;
use super::request::Request;
use super::routes::ROUTES;
use crate::badges::SubjectKind;
use crate::ids::ProfileId;
use crate::registry::{
    AchievementView, EndorsementFilter, EndorsementView, MaySee, Outcome, ProfileView,
};
use crate::web::{
    AchievementPage, Answer, EndorsementLine, EndorsementPage, Finding, HomePage, KeyLine,
    KeyState, Link, Moment, ProfileLine, ProfilePage, STYLE, Standing,
};

/// At most this many lines in a list on a page.
const MOST_LINES: usize = 100;

pub(super) fn style(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    Ok(Reply::bytes(200, "text/css; charset=utf-8", STYLE).fresh_for(edge.cache.description))
}

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let accept = request.accept();
    let media_type = negotiate(accept.as_deref(), &["application/json", "text/html"])?;
    if media_type == "text/html" {
        let after = request
            .query_as("cursor", "a cursor from a page")?
            .map(ProfileId);
        let profiles = edge.registry.profiles(after, MOST_LINES)?;
        let page = home_page(edge, request, &profiles)?;
        return Ok(Reply::html(page).header("Vary", "Accept"));
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
    let page = HomePage {
        public_url: edge.registry.urls().origin().to_owned(),
        answer: search(edge, request, &query, &list, &index)?,
        query,
        list,
        index,
        profiles: profile_lines(edge, profiles)?,
        next: next.map(|last| Link::here(&format!("/?cursor={}", last.id.0), "More")),
    };
    Ok(page.html())
}

/// The profiles as a page of their own, which is the home page without a search.
pub(super) fn profiles_page(edge: &Edge, profiles: &[ProfileView]) -> Result<String, Problem> {
    let page = HomePage {
        public_url: edge.registry.urls().origin().to_owned(),
        query: String::new(),
        list: String::new(),
        index: String::new(),
        answer: None,
        profiles: profile_lines(edge, profiles)?,
        next: None,
    };
    Ok(page.html())
}

fn profile_lines(edge: &Edge, profiles: &[ProfileView]) -> Result<Vec<ProfileLine>, Problem> {
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
                name_of(&profile.document),
            ),
            id: profile.issuer_id.clone(),
            roles: roles_in_words(profile, &answer.endorsements),
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
    if !list.is_empty() {
        let Ok(index) = index.parse::<u64>() else {
            let words = "The place in the list has to be a whole number from 0.";
            return Ok(Some(Answer::Refused(words.into())));
        };
        return Ok(Some(match edge.registry.status_at(list, index, None)? {
            Ok(answer) => Answer::Found(vec![Finding {
                kind: format!("Entry {index} of a status list"),
                thing: Link::outside(list, list),
                standing: Standing(answer.outcome),
                as_of,
            }]),
            Err(unknown) => Answer::Refused(Problem::from(unknown).detail),
        }));
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
            kind: "Endorsement".into(),
            thing: Link::here(
                &format!("/endorsements/{id}"),
                name_of(view.credential.secured().claims()),
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
                kind: "Who endorses it".into(),
                thing: subject_link(edge, &answer.subject)?,
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
                kind: "Credential".into(),
                thing: Link::outside(query, query),
                standing: Standing(answer.outcome),
                as_of,
            });
        }
    }
    Ok(Some(Answer::Found(found)))
}

pub(super) fn profile_page(edge: &Edge, profile: &ProfileView) -> Result<String, Problem> {
    let registry = &edge.registry;
    let id = profile.issuer_id.clone();
    let answers = registry.endorsements_of(std::slice::from_ref(&id), &registry.question()?)?;
    let standing = answers
        .first()
        .map_or(Outcome::Unknown, |answer| answer.backing.outcome);
    let filter = EndorsementFilter {
        endorser: Some(id.clone()),
        ..EndorsementFilter::default()
    };
    let endorses = registry.endorsements(&filter, MOST_LINES)?.endorsements;
    let achievements = registry.achievements_of(&profile.slug, None, MOST_LINES)?;
    let text = |member: &str| profile.document[member].as_str().map(str::to_owned);
    let path = format!("/profiles/{}", profile.slug);
    let page = ProfilePage {
        url: registry.urls().profile(&profile.slug),
        name: name_of(&profile.document).to_owned(),
        description: text("description"),
        image: image_of(&profile.document),
        site: text("url").map(|url| Link::outside(&url, &url)),
        roles: answers
            .first()
            .map(|answer| roles_in_words(profile, &answer.endorsements))
            .unwrap_or_default(),
        standing: Standing(standing),
        endorsed_by: answers
            .iter()
            .flat_map(|answer| &answer.endorsements)
            .map(|view| line(edge, view, &view.endorser))
            .collect::<Result<_, _>>()?,
        endorses: endorses
            .iter()
            .map(|view| line(edge, view, &view.subject))
            .collect::<Result<_, _>>()?,
        achievements: achievements
            .iter()
            .map(|view| {
                Link::here(
                    &format!("/achievements/{}", view.id),
                    name_of(&view.document),
                )
            })
            .collect(),
        keys: registry
            .keys(&profile.slug)?
            .into_iter()
            .map(key_line)
            .collect(),
        documents: vec![
            Link::here(&format!("{path}/did.json"), "DID document"),
            Link::here(&format!("{path}/jwks.json"), "Keys as JSON Web Keys"),
        ],
        id,
    };
    Ok(page.html())
}

fn key_line(key: crate::registry::KeyView) -> KeyLine {
    let state = match (key.revoked_since, key.retired_at) {
        (Some(since), _) => KeyState::Revoked(Moment(since)),
        (None, Some(at)) => KeyState::Retired(Moment(at)),
        (None, None) => KeyState::InUse,
    };
    KeyLine {
        verification_method: key.verification_method,
        multikey: key.public_key_multibase,
        made_at: Moment(key.made_at),
        state,
    }
}

pub(super) fn achievement_page(edge: &Edge, view: &AchievementView) -> Result<String, Problem> {
    let registry = &edge.registry;
    let url = registry.urls().achievement(view.id);
    let answers = registry.endorsements_of(std::slice::from_ref(&url), &registry.question()?)?;
    let creator = registry.profile(&view.creator)?;
    let text = |pointer: &str| view.document.pointer(pointer)?.as_str().map(str::to_owned);
    let page = AchievementPage {
        name: name_of(&view.document).to_owned(),
        description: text("/description"),
        criteria: text("/criteria/narrative"),
        criteria_page: text("/criteria/id").map(|page| Link::outside(&page, &page)),
        image: image_of(&view.document),
        creator: Link::here(
            &format!("/profiles/{}", creator.slug),
            name_of(&creator.document),
        ),
        standing: Standing(
            answers
                .first()
                .map_or(Outcome::Unknown, |answer| answer.backing.outcome),
        ),
        endorsed_by: answers
            .iter()
            .flat_map(|answer| &answer.endorsements)
            .map(|view| line(edge, view, &view.endorser))
            .collect::<Result<_, _>>()?,
        url,
    };
    Ok(page.html())
}

pub(super) fn endorsement_page(edge: &Edge, view: &EndorsementView) -> Result<String, Problem> {
    let kind = match view.kind {
        SubjectKind::Profile => "Profile",
        SubjectKind::Achievement => "Achievement",
        SubjectKind::Credential => "Credential",
    };
    let secured = view.credential.secured();
    let claims = secured.claims();
    let comment = claims.pointer("/credentialSubject/endorsementComment");
    let digest = claims.pointer("/relatedResource/0/digestMultibase");
    let page = EndorsementPage {
        url: edge.registry.urls().endorsement(view.id),
        name: name_of(claims).to_owned(),
        endorser: subject_link(edge, &view.endorser)?,
        subject: subject_link(edge, &view.subject)?,
        subject_id: view.subject.clone(),
        kind: kind.into(),
        standing: Standing(view.outcome),
        valid_from: Moment(view.valid_from),
        valid_until: view.valid_until.map(Moment),
        comment: comment.and_then(Value::as_str).map(str::to_owned),
        reason: None,
        digest: digest.and_then(Value::as_str).map(str::to_owned),
        as_of: Moment(edge.registry.now()),
    };
    Ok(page.html())
}

fn line(edge: &Edge, view: &EndorsementView, other: &str) -> Result<EndorsementLine, Problem> {
    Ok(EndorsementLine {
        page: Link::here(
            &format!("/endorsements/{}", view.id),
            name_of(view.credential.secured().claims()),
        ),
        other: subject_link(edge, other)?,
        standing: Standing(view.outcome),
        valid_from: Moment(view.valid_from),
        valid_until: view.valid_until.map(Moment),
    })
}

/// A thing by its name and its page where it lives here, else by its id.
fn subject_link(edge: &Edge, id: &str) -> Result<Link, Problem> {
    if let Some(profile) = edge.registry.profile_by_id(id)? {
        let path = format!("/profiles/{}", profile.slug);
        return Ok(Link::here(&path, name_of(&profile.document)));
    }
    let achievement = edge
        .registry
        .urls()
        .within("achievements", id)
        .map(str::parse);
    if let Some(Ok(achievement)) = achievement
        && let Ok(view) = edge.registry.achievement(achievement)
    {
        return Ok(Link::here(
            &format!("/achievements/{achievement}"),
            name_of(&view.document),
        ));
    }
    Ok(Link::outside(id, id))
}

/// Each role, and whether an endorsement in good standing covers it: one that was given to an
/// issuer says nothing of the accreditor that it became later.
fn roles_in_words(profile: &ProfileView, endorsements: &[EndorsementView]) -> Vec<String> {
    let covers = |role: &&str| {
        endorsements
            .iter()
            .any(|view| view.outcome == Outcome::Active && view.roles.contains(role))
    };
    let words = role_names(profile.roles).into_iter().map(|role| {
        let name = if role == "accreditor" {
            "Accreditor"
        } else {
            "Issuer"
        };
        let standing = if covers(&role) {
            "endorsed"
        } else {
            "not endorsed"
        };
        format!("{name} ({standing})")
    });
    words.collect()
}

fn name_of(document: &Value) -> &str {
    document["name"].as_str().unwrap_or("(without a name)")
}

/// Images are given as a URL or as an object with one.
fn image_of(document: &Value) -> Option<String> {
    let image = &document["image"];
    image
        .as_str()
        .or_else(|| image["id"].as_str())
        .map(str::to_owned)
}
