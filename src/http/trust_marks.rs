//! Trust marks (OpenID Federation 1.0, sections 7 and 8.4 to 8.6): an accreditor's endorsement of an
//! issuer, stated by the registry. Their type is the URL of the accreditor's profile; `ref` leads to
//! the endorsement, whose standing is theirs. Of an endorsement within limits there is none: who
//! reads a mark knows no word for limits, and would take it for all that the issuer does.

use serde_json::Map;
use utoipa::ToSchema;

use super::edge::Edge;
use super::federation::{
    accreditor, ids_reply, needed, not_found, optional, signed, subject, told, with_port,
};
use super::problem::Problem;
use super::reply::Reply;
use super::request::{Request, parse_query};
use crate::ids::EndorsementId;
use crate::json;
use crate::registry::{EndorsementView, Outcome, ProfileView, StatementCheck};
use crate::vc::jws::Jws;

/// The form in which a trust mark is sent.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form, which is read member by member"
)]
pub(super) struct TrustMarkStatusForm {
    /// The trust mark, as this registry signed it. Other members are ignored.
    trust_mark: String,
}

/// How a trust mark stands (section 8.4).
pub(super) fn status(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    told(judged(edge, request))
}

/// Those who have a trust mark (section 8.5).
pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    told(marked(edge, request))
}

/// A trust mark (section 8.6).
pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    told(mark(edge, request))
}

fn marked(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let accreditor = accreditor(edge, needed(request, "trust_mark_type")?)?;
    let Some(sub) = optional(request, "sub")? else {
        let issuers = edge.registry.issuers()?;
        return Ok(ids_reply(edge, issuers.marked_by(accreditor.id)));
    };
    let sub = subject(edge, sub)?;
    let endorsement = endorsement(edge, &accreditor, &sub)?;
    let live = endorsement.filter(|view| view.outcome == Outcome::Active);
    let ids = live.iter().map(|view| view.subject.as_str());
    Ok(ids_reply(edge, ids))
}

fn mark(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let accreditor = accreditor(edge, needed(request, "trust_mark_type")?)?;
    let sub = subject(edge, needed(request, "sub")?)?;
    let found = endorsement(edge, &accreditor, &sub)?;
    let outcome = found
        .as_ref()
        .map_or(Outcome::NotEndorsed, |view| view.outcome);
    let Some(view) = found.filter(|view| view.outcome == Outcome::Active) else {
        let detail = format!(
            "{} does not endorse {sub} as an issuer, or only within limits, which a trust mark \
             cannot say",
            accreditor.issuer_id
        );
        return Err(not_found(detail, outcome));
    };
    let urls = edge.registry.urls();
    let mut claims = Map::new();
    claims.insert("iss".into(), urls.origin().into());
    claims.insert("sub".into(), view.subject.into());
    claims.insert(
        "trust_mark_type".into(),
        urls.profile(&accreditor.slug).into(),
    );
    claims.insert("iat".into(), edge.registry.now().seconds().into());
    if let Some(until) = view.valid_until {
        claims.insert("exp".into(), until.seconds().into());
    }
    claims.insert("ref".into(), urls.endorsement(view.id).into());
    Ok(signed(edge, TRUST_MARK, &claims)?.fresh_for(edge.cache.look_up))
}

fn judged(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let mark = mark_in(request)?;
    let unknown = |outcome| not_found("this registry issued no such trust mark".into(), outcome);
    if mark.len() > MOST_MARK_CHARACTERS {
        return Err(unknown(Outcome::Unknown));
    }
    let parsed = Jws::parse(&mark);
    let jws = parsed.map_err(|error| Problem::invalid("/trust_mark", error.to_string()))?;
    if !jws.header().is_typ(TRUST_MARK) {
        return Err(unknown(Outcome::Unknown));
    }
    let status = match edge.registry.check_statement(&jws)? {
        StatementCheck::NotOurs => return Err(unknown(Outcome::Unknown)),
        StatementCheck::Forged | StatementCheck::KeyRevoked => "invalid",
        StatementCheck::Good => status_of(edge, jws.payload())?,
    };
    let mut claims = Map::new();
    claims.insert("iss".into(), edge.registry.urls().origin().into());
    claims.insert("iat".into(), edge.registry.now().seconds().into());
    claims.insert("trust_mark".into(), mark.into());
    claims.insert("status".into(), status.into());
    signed(edge, TRUST_MARK_STATUS, &claims)
}

const TRUST_MARK: &str = "trust-mark+jwt";
const TRUST_MARK_STATUS: &str = "trust-mark-status-response+jwt";
const FORM: &str = "application/x-www-form-urlencoded";

/// No trust mark of ours is longer.
const MOST_MARK_CHARACTERS: usize = 16 << 10;

/// An accreditor's endorsement of somebody as an issuer.
fn endorsement(
    edge: &Edge,
    accreditor: &ProfileView,
    sub: &str,
) -> Result<Option<EndorsementView>, Problem> {
    let by = accreditor.id;
    let found = edge.registry.endorsement_as_issuer(by, sub)?;
    match (found, with_port(sub)) {
        (None, Some(other)) => Ok(edge.registry.endorsement_as_issuer(by, &other)?),
        (found, _) => Ok(found),
    }
}

/// The trust mark in the form that was sent.
fn mark_in(request: &Request) -> Result<String, Problem> {
    if !request.is(FORM) {
        let detail = format!("the body has to be {FORM}");
        let title = "Unsupported media type";
        return Err(Problem::new(415, "unsupported-media-type", title, detail));
    }
    let wrong = |detail: &str| Problem::invalid("/trust_mark", detail);
    let form = std::str::from_utf8(&request.body).map_err(|_| wrong("the form is not UTF-8"))?;
    let mut marks = parse_query(form)
        .into_iter()
        .filter(|(name, _)| name == "trust_mark");
    match (marks.next(), marks.next()) {
        (Some((_, mark)), None) => Ok(mark),
        _ => Err(wrong("the form has one member trust_mark")),
    }
}

/// The status of a trust mark that the registry signed: that of the endorsement behind it.
fn status_of(edge: &Edge, payload: &[u8]) -> Result<&'static str, Problem> {
    let claims = json::parse(payload).unwrap_or_default();
    let page = claims["ref"].as_str().unwrap_or_default();
    let id = edge.registry.urls().within("endorsements", page);
    let Some(Ok(id)) = id.map(str::parse::<EndorsementId>) else {
        return Ok("invalid");
    };
    let is_over = claims["exp"]
        .as_i64()
        .is_some_and(|exp| exp <= edge.registry.now().seconds());
    Ok(match edge.registry.standing_as_issuer(id)? {
        Outcome::Active if is_over => Outcome::Expired.as_str(),
        // `active`, `expired` and `revoked` are the standard's own words; the others say more.
        outcome => outcome.as_str(),
    })
}
