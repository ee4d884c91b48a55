//! What a profile has endorsed, and decisions about that: what one would do to everything that rests on it is
//! shown before it is made.

use super::overview::choices;
use super::requests::kind_key;
use super::wanted::trouble;
use super::{Sent, Visit};
use crate::access::Action;
use crate::badges::Scope;
use crate::http::edge::Edge;
use crate::http::pages::{name_of, subject_link};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::{EndorsementAction, EndorsementFilter, EndorsementView, Outcome};
use crate::web::console::{
    AffectedLine, DecisionPage, Done, EndorsementLine, EndorsementPage, EndorsementsPage, Room,
    Trouble,
};
use crate::web::{Link, Moment, Standing};

/// So many stand on a page.
const MOST_LINES: usize = 25;

/// What the profile has endorsed that whoever is signed in acts for, or has chosen.
pub(in crate::http) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let profiles = visit.profiles()?;
    let profile = visit.profile(&profiles)?;
    let standing = request.query("standing").filter(|word| !word.is_empty());
    let standing = standing.and_then(|word| {
        let mut all = Outcome::ALL.into_iter();
        all.find(|outcome| outcome.as_str() == word)
    });
    let found = match &profile {
        None => None,
        Some(profile) => Some(edge.registry.endorsements(
            &EndorsementFilter {
                endorser: Some(profile.slug.to_string()),
                standing,
                after: request.query_as("cursor", "a cursor from a page")?,
                ..EndorsementFilter::default()
            },
            MOST_LINES,
        )?),
    };
    let next = found.as_ref().and_then(|found| found.next);
    let next = next.map(|cursor| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &request.query {
            if !matches!(name.as_str(), "cursor" | "done") {
                query.append_pair(name, value);
            }
        }
        query.append_pair("cursor", &cursor.to_string());
        format!("/console/endorsements?{}", query.finish())
    });
    let lines = found.iter().flat_map(|found| &found.endorsements);
    let lines = lines.map(|view| line(&visit, view));
    let page = EndorsementsPage {
        frame: visit.frame(Room::Endorsements),
        profiles: choices(visit.language, &profiles, profile.as_ref()),
        standing: standing.map(Outcome::as_str),
        standings: Outcome::ALL.map(Standing).to_vec(),
        chosen: profile.is_some(),
        lines: lines.collect::<Result<_, Problem>>()?,
        next,
    };
    Ok(visit.page(200, page.html()))
}

fn line(visit: &Visit<'_>, view: &EndorsementView) -> Result<EndorsementLine, Problem> {
    let path = format!("/console/endorsements/{}", view.id);
    Ok(EndorsementLine {
        page: Link::here(
            &path,
            name_of(visit.language, view.credential.secured().claims()),
        ),
        subject: subject_link(visit.edge, visit.language, &view.subject)?,
        standing: Standing(view.outcome),
        valid_until: view.valid_until.map(Moment),
    })
}

/// One of them, with what can be done about it.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let view = visit.own_endorsement(request.param("endorsement")?)?;
    let secured = view.credential.secured();
    let claims = secured.claims();
    let text = |pointer: &str| {
        let text = claims.pointer(pointer).and_then(|text| text.as_str());
        text.map(str::to_owned)
    };
    let issued_here = view.id.owner() != ProfileId::REGISTRY;
    let may = visit.can(Action::WriteEndorsements) && issued_here;
    let page = EndorsementPage {
        frame: visit.frame(Room::Endorsements),
        name: name_of(visit.language, claims).to_owned(),
        public: format!("/endorsements/{}", view.id),
        endorser: subject_link(edge, visit.language, &view.endorser)?,
        subject: subject_link(edge, visit.language, &view.subject)?,
        kind: kind_key(view.kind.as_str()),
        standing: Standing(view.outcome),
        covers: view.scope.as_ref().map(Scope::words).unwrap_or_default(),
        comment: text("/credentialSubject/endorsementComment"),
        digest: text("/relatedResource/0/digestMultibase"),
        valid_from: Moment(view.valid_from),
        valid_until: view.valid_until.map(Moment),
        changed_at: Moment(view.changed_at),
        renew: (may && view.outcome != Outcome::Revoked)
            .then(|| format!("/console/endorse?renews={}", view.id)),
        decisions: match may {
            true => decisions(&visit, &view),
            false => Vec::new(),
        },
    };
    Ok(visit.page(200, page.html()))
}

/// What can be decided about an endorsement as it stands: its own status, whatever else it rests on.
fn decisions(visit: &Visit<'_>, view: &EndorsementView) -> Vec<(String, &'static str)> {
    let registry = &visit.edge.registry;
    let all = [
        EndorsementAction::Suspend,
        EndorsementAction::Reinstate,
        EndorsementAction::Revoke,
    ];
    let changes = |action: &EndorsementAction| {
        registry.would_change(visit.actor(), view.id, *action) == Ok(true)
    };
    let possible = all.into_iter().filter(changes);
    possible
        .map(|action| (path(view.id, action), key(action)))
        .collect()
}

/// Shows what a decision would do, and asks why it is made.
pub(in crate::http) fn consider(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    page(&Visit::of(edge, request)?, 200, "", None)
}

/// Makes it.
pub(in crate::http) fn decide(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let (id, action) = asked(&sent.visit)?;
    let reason = sent.reason();
    if let Ok(None) = reason {
        let words = sent.visit.language.console("decision.why");
        let trouble = Trouble::said(words, "reason");
        return page(&sent.visit, 422, "", Some(trouble));
    }
    let made = reason.and_then(|reason| {
        let change = sent.change()?;
        let view = edge
            .registry
            .change_endorsement(&change, id, action, reason);
        Ok(view?)
    });
    match made {
        Ok(view) => {
            let done = match action {
                EndorsementAction::Revoke => Done::Revoked,
                EndorsementAction::Suspend => Done::Suspended,
                EndorsementAction::Reinstate => Done::Reinstated,
            };
            Ok(sent.done(&format!("/console/endorsements/{}", view.id), done))
        }
        Err(problem) => {
            let (status, trouble) = trouble(sent.visit.language, problem)?;
            page(&sent.visit, status, sent.field("reason"), Some(trouble))
        }
    }
}

fn page(
    visit: &Visit<'_>,
    status: u16,
    reason: &str,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let (id, action) = asked(visit)?;
    let view = visit.own_endorsement(id)?;
    let affected = visit
        .edge
        .registry
        .endorsement_dry_run(visit.actor(), id, action)?;
    let shown = affected.shown.iter().map(|one| {
        Ok(AffectedLine {
            subject: subject_link(visit.edge, visit.language, &one.subject)?,
            before: Standing(one.before),
            after: Standing(one.after),
        })
    });
    let page = DecisionPage {
        frame: visit.frame(Room::Endorsements),
        path: path(id, action),
        key: key(action),
        for_ever: action == EndorsementAction::Revoke,
        endorsement: Link::here(
            &format!("/console/endorsements/{id}"),
            name_of(visit.language, view.credential.secured().claims()),
        ),
        subject: subject_link(visit.edge, visit.language, &view.subject)?,
        endorsements: affected.endorsements,
        subjects: affected.subjects,
        more: affected.more || affected.subjects > affected.shown.len(),
        affected: shown.collect::<Result<_, Problem>>()?,
        reason: reason.to_owned(),
        keys: visit.keys(),
        trouble,
    };
    Ok(visit.page(status, page.html()))
}

fn asked(visit: &Visit<'_>) -> Result<(EndorsementId, EndorsementAction), Problem> {
    let id: EndorsementId = visit.request.param("endorsement")?;
    let word: String = visit.request.param("decision")?;
    let action = match word.as_str() {
        "revoke" => EndorsementAction::Revoke,
        "suspend" => EndorsementAction::Suspend,
        "reinstate" => EndorsementAction::Reinstate,
        _ => return Err(Problem::no_route(&visit.request.path)),
    };
    // Others' endorsements are not decided about, and nothing is told of them here.
    visit.own_endorsement(id)?;
    Ok((id, action))
}

fn path(id: EndorsementId, action: EndorsementAction) -> String {
    let word = match action {
        EndorsementAction::Revoke => "revoke",
        EndorsementAction::Suspend => "suspend",
        EndorsementAction::Reinstate => "reinstate",
    };
    format!("/console/endorsements/{id}/{word}")
}

const fn key(action: EndorsementAction) -> &'static str {
    match action {
        EndorsementAction::Revoke => "decision.revoke",
        EndorsementAction::Suspend => "decision.suspend",
        EndorsementAction::Reinstate => "decision.reinstate",
    }
}
