//! The pages of profiles, achievements and endorsements: how they stand, and why.

use serde_json::Value;

use super::edge::Edge;
use super::problem::Problem;
use super::profiles::role_names;
use super::request::Request;
use crate::badges::{Scope, SubjectKind};
use crate::registry::{
    AchievementView, Backing, EndorsementFilter, EndorsementView, KeyView, Outcome, ProfileView,
    SubjectAnswer,
};
use crate::trust::PathLink;
use crate::web::Language;
use crate::web::{
    AchievementPage, EndorsementLine, EndorsementPage, EndorserLine, Frame, ImportedLine, KeyLine,
    KeyState, Link, Moment, PathLine, ProfilePage, Reason, Standing,
};

/// At most this many lines in a list on a page.
pub(super) const MOST_LINES: usize = 100;

pub(super) fn profile_page(
    edge: &Edge,
    request: &Request,
    profile: &ProfileView,
) -> Result<String, Problem> {
    let frame = request.frame();
    let registry = &edge.registry;
    let id = profile.issuer_id.clone();
    let answer = answer_about(edge, &id)?;
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
        name: name_of(frame.language, &profile.document).to_owned(),
        description: text("description"),
        image: image_of(&profile.document),
        site: text("url").map(|url| Link::outside(&url, &url)),
        roles: roles_in_words(&frame, profile, &answer.endorsements),
        standing: Standing(answer.backing.outcome),
        reason: reason(edge, &frame, &answer.backing)?,
        accreditor: accreditor(edge, profile)?,
        endorsed_by: endorsed_by(edge, &frame, &answer)?,
        endorses: endorses
            .iter()
            .map(|view| line(edge, &frame, view, &view.subject))
            .collect::<Result<_, _>>()?,
        achievements: achievements
            .iter()
            .map(|view| {
                Link::here(
                    &format!("/achievements/{}", view.id),
                    name_of(frame.language, &view.document),
                )
            })
            .collect(),
        keys: registry
            .keys(&profile.slug)?
            .into_iter()
            .map(key_line)
            .collect(),
        documents: vec![
            Link::here(
                &format!("{path}/did.json"),
                frame.say("profile.document.did"),
            ),
            Link::here(
                &format!("{path}/jwks.json"),
                frame.say("profile.document.jwks"),
            ),
        ],
        id,
        frame,
    };
    Ok(page.html())
}

fn key_line(key: KeyView) -> KeyLine {
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

pub(super) fn achievement_page(
    edge: &Edge,
    request: &Request,
    view: &AchievementView,
) -> Result<String, Problem> {
    let frame = request.frame();
    let registry = &edge.registry;
    let url = registry.urls().achievement(view.id);
    let answer = answer_about(edge, &url)?;
    let creator = registry.profile(&view.creator)?;
    let text = |pointer: &str| view.document.pointer(pointer)?.as_str().map(str::to_owned);
    let page = AchievementPage {
        name: name_of(frame.language, &view.document).to_owned(),
        description: text("/description"),
        criteria: text("/criteria/narrative"),
        criteria_page: text("/criteria/id").map(|page| Link::outside(&page, &page)),
        image: image_of(&view.document),
        creator: Link::here(
            &format!("/profiles/{}", creator.slug),
            name_of(frame.language, &creator.document),
        ),
        standing: Standing(answer.backing.outcome),
        reason: reason(edge, &frame, &answer.backing)?,
        endorsed_by: endorsed_by(edge, &frame, &answer)?,
        url,
        frame,
    };
    Ok(page.html())
}

pub(super) fn endorsement_page(
    edge: &Edge,
    request: &Request,
    view: &EndorsementView,
) -> Result<String, Problem> {
    let frame = request.frame();
    let kind = match view.kind {
        SubjectKind::Profile => "profile",
        SubjectKind::Achievement => "achievement",
        SubjectKind::Credential => "credential",
    };
    let secured = view.credential.secured();
    let claims = secured.claims();
    let comment = claims.pointer("/credentialSubject/endorsementComment");
    let digest = claims.pointer("/relatedResource/0/digestMultibase");
    let page = EndorsementPage {
        url: edge.registry.urls().endorsement(view.id),
        name: name_of(frame.language, claims).to_owned(),
        endorser: endorser_line(edge, &frame, view)?,
        covers: view.scope.as_ref().map(Scope::words).unwrap_or_default(),
        imported: imported_line(view),
        subject: subject_link(edge, frame.language, &view.subject)?,
        subject_id: view.subject.clone(),
        kind: kind.into(),
        standing: Standing(view.outcome),
        valid_from: Moment(view.valid_from),
        valid_until: view.valid_until.map(Moment),
        comment: comment.and_then(Value::as_str).map(str::to_owned),
        reason: None,
        digest: digest.and_then(Value::as_str).map(str::to_owned),
        as_of: Moment(edge.registry.now()),
        frame,
    };
    Ok(page.html())
}

/// What is known of one thing, by the registry's own trust anchors.
fn answer_about(edge: &Edge, id: &str) -> Result<SubjectAnswer, Problem> {
    let registry = &edge.registry;
    let asked = [id.to_owned()];
    let mut answers = registry.endorsements_of(&asked, &registry.question()?)?;
    Ok(answers.remove(0))
}

/// Why something stands as it does, with the names of those on the way.
fn reason(edge: &Edge, frame: &Frame, backing: &Backing) -> Result<Reason, Problem> {
    let line = |link: &PathLink| {
        Ok(PathLine {
            endorser: subject_link(edge, frame.language, &link.endorser)?,
            endorsement: Link::outside(&link.endorsement, frame.say("profile.why.endorsement")),
            standing: Standing(link.outcome),
        })
    };
    Ok(Reason {
        words: backing.detail.clone(),
        path: backing
            .path
            .iter()
            .map(line)
            .collect::<Result<_, Problem>>()?,
    })
}

/// How a profile stands as an accreditor; none where it never was one.
fn accreditor(edge: &Edge, profile: &ProfileView) -> Result<Option<Standing>, Problem> {
    let outcome = edge.registry.accreditor_standing(&profile.slug, None)?;
    Ok((outcome != Outcome::NotEndorsed).then_some(Standing(outcome)))
}

/// Who endorses, and how it stands as an accreditor. Of who is not registered here this registry
/// can say nothing.
fn endorser_line(
    edge: &Edge,
    frame: &Frame,
    view: &EndorsementView,
) -> Result<EndorserLine, Problem> {
    let is_here = edge.registry.profile_by_id(&view.endorser)?.is_some();
    Ok(EndorserLine {
        page: subject_link(edge, frame.language, &view.endorser)?,
        standing: is_here.then_some(Standing(view.endorser_outcome)),
    })
}

fn imported_line(view: &EndorsementView) -> Option<ImportedLine> {
    let (id, checked_at) = view.imported.as_ref()?;
    Some(ImportedLine {
        original: Link::outside(id, id),
        checked_at: Moment(*checked_at),
    })
}

fn endorsed_by(
    edge: &Edge,
    frame: &Frame,
    answer: &SubjectAnswer,
) -> Result<Vec<EndorsementLine>, Problem> {
    let views = answer.endorsements.iter();
    views
        .map(|view| line(edge, frame, view, &view.endorser))
        .collect()
}

fn line(
    edge: &Edge,
    frame: &Frame,
    view: &EndorsementView,
    other: &str,
) -> Result<EndorsementLine, Problem> {
    Ok(EndorsementLine {
        page: Link::here(
            &format!("/endorsements/{}", view.id),
            name_of(frame.language, view.credential.secured().claims()),
        ),
        other: subject_link(edge, frame.language, other)?,
        standing: Standing(view.outcome),
        valid_from: Moment(view.valid_from),
        valid_until: view.valid_until.map(Moment),
    })
}

/// A thing by its name and its page where it lives here, else by its id.
pub(super) fn subject_link(edge: &Edge, language: Language, id: &str) -> Result<Link, Problem> {
    if let Some(profile) = edge.registry.profile_by_id(id)? {
        let path = format!("/profiles/{}", profile.slug);
        return Ok(Link::here(&path, name_of(language, &profile.document)));
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
            name_of(language, &view.document),
        ));
    }
    Ok(Link::outside(id, id))
}

/// Each role, and whether an endorsement in good standing covers it: one that was given to an
/// issuer says nothing of the accreditor that it became later.
pub(super) fn roles_in_words(
    frame: &Frame,
    profile: &ProfileView,
    endorsements: &[EndorsementView],
) -> Vec<String> {
    let covers = |role: &&str| {
        endorsements
            .iter()
            .any(|view| view.outcome == Outcome::Active && view.roles.contains(role))
    };
    let words = role_names(profile.roles).into_iter().map(|role| {
        let name = frame.one_of("profile.role", role);
        match covers(&role) {
            true => frame.with("profile.role.endorsed", "role", name),
            false => frame.with("profile.role.not-endorsed", "role", name),
        }
    });
    words.collect()
}

pub(super) fn name_of(language: Language, document: &Value) -> &str {
    let none = language.known("base.no-name");
    document["name"].as_str().or(none).unwrap_or_default()
}

/// Images are given as a URL or as an object with one.
fn image_of(document: &Value) -> Option<String> {
    let image = &document["image"];
    image
        .as_str()
        .or_else(|| image["id"].as_str())
        .map(str::to_owned)
}
