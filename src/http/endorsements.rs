//! Endorsements: issuing, standing, and who endorses whom.

mod shown;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::accept::negotiate;
use super::credentials::securing;
use super::edge::Edge;
use super::lists::{check_reason, with_credential};
use super::moment::{moment, moment_asked};
use super::pages;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::signatures::credential_members;
use super::standing;
use super::verification::options;
use crate::badges::{DigestError, DigestMultibase, Scope, SubjectKind, SubjectKindError};
use crate::ids::EndorsementId;
use crate::registry::{
    Affected, EndorsementAction, EndorsementFilter, EndorsementView, NewEndorsement, NewImport,
    Outcome, Question, RegistryError, Urls, text_tag,
};
use crate::time::Timestamp;
use crate::vc::securing::Secured;
use crate::verify::Expected;
pub(super) use shown::shown;
use shown::{write_all, write_all_tagged};

/// An endorsement to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewEndorsementBody {
    /// The accreditor: slug or id of a profile here.
    endorser: String,
    /// What is endorsed.
    subject: SubjectBody,
    /// What it covers of the subject; all of it where nothing is said.
    #[schema(value_type = Option<ScopeBody>)]
    scope: Option<Value>,
    /// Name of the endorsement.
    name: String,
    /// Why, in Markdown.
    endorsement_comment: Option<String>,
    /// From when on it holds (RFC 3339); from now where nothing is said.
    valid_from: Option<String>,
    /// Until when it holds (RFC 3339).
    valid_until: Option<String>,
    /// When it was awarded (RFC 3339).
    awarded_date: Option<String>,
    /// Whether it can be suspended: it then carries a suspension entry as well.
    #[serde(default)]
    suspendable: bool,
    /// How it is secured: `eddsa-rdfc-2022` (the default), `eddsa-jcs-2022`, or `vc+jwt`, which
    /// gives an EnvelopedVerifiableCredential.
    securing: Option<String>,
    /// For an accreditor who signs elsewhere: whether it is given out to be signed, with its id and
    /// its entry. It is in force once it is handed in, by a request of `verifiableCredential` alone:
    /// the same with its proof, its envelope, or a string, which is a compact JWS.
    #[serde(default)]
    unsigned: bool,
}

/// An endorsement that was given out and signed elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignedEndorsementBody {
    verifiable_credential: Value,
}

/// What an endorsement covers of its subject: what keeps to every member that is there, and of the
/// values of one member to any. At least one member is needed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the member, which the badges room reads"
)]
pub(super) struct ScopeBody {
    /// Of a profile: as what it is endorsed, `issuer` or `accreditor`.
    role: Option<Vec<String>>,
    /// Achievements of these types, in the words of Open Badges 3.0 such as `Degree`.
    achievement_type: Option<Vec<String>>,
    /// Achievements with one of these tags.
    tag: Option<Vec<String>>,
    /// Achievements that are aligned to one of these, by `targetUrl`.
    alignment: Option<Vec<String>>,
    /// What was awarded then or later (RFC 3339).
    awarded_from: Option<String>,
    /// What was awarded before (RFC 3339).
    awarded_until: Option<String>,
    /// In these places: ISO 3166 codes such as `CH` or `CH-ZH`.
    jurisdiction: Option<Vec<String>>,
}

/// What is endorsed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SubjectBody {
    /// Its id, here or elsewhere.
    pub(super) id: String,
    /// `profile`, `achievement` or `credential`.
    pub(super) kind: String,
    /// Digest (multibase) of the version that is endorsed. Once the subject is another version, the
    /// outcome is `stale-digest`.
    pub(super) digest_multibase: Option<String>,
}

/// Why something is decided, or that it is only tried out.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ReasonBody {
    /// The reason; kept with the change in the audit trail.
    pub(super) reason: Option<String>,
    /// Whether only what would be affected is to be told, and nothing done. The answer is then
    /// `{"dryRun": true, "affected": {"endorsements", "subjects", "shown", "more"?}}`: how many
    /// endorsements and subjects would stand otherwise, and the first of the subjects.
    #[serde(default)]
    pub(super) dry_run: bool,
}

impl ReasonBody {
    /// The body of a request; none at all gives no reason.
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let body: Self = match request.body.is_empty() {
            true => Self::default(),
            false => request.json()?,
        };
        check_reason(body.reason.as_deref())?;
        Ok(body)
    }
}

/// What a decision would affect, which was not made.
pub(super) fn affected_reply(affected: &Affected) -> Reply {
    let shown = affected
        .shown
        .iter()
        .map(|one| json!({ "subject": one.subject, "before": one.before, "after": one.after }));
    let mut told = json!({
        "dryRun": true,
        "affected": {
            "endorsements": affected.endorsements,
            "subjects": affected.subjects,
            "shown": shown.collect::<Vec<Value>>(),
        },
    });
    if affected.more {
        // More rests on it than was looked at; the numbers are the least.
        told["affected"]["more"] = true.into();
    }
    Reply::json(200, &told)
}

/// Up to 1,000 subjects.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EndorsementsQuery {
    /// Ids of profiles, achievements or credentials; answers come in their order.
    subjects: Vec<String>,
    /// As of this moment (RFC 3339) rather than now.
    at: Option<String>,
    /// Whom the asker trusts, by slug or id, in place of the registry's own trust anchors: what
    /// counts is what a path leads from to one of them.
    trust_anchors: Option<Vec<String>>,
}

const MOST_SUBJECTS: usize = 1_000;

pub(super) fn create(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: Value = request.json()?;
    if body.get("verifiableCredential").is_some() {
        return hand_in(edge, request);
    }
    let body: NewEndorsementBody = request.json()?;
    let new = NewEndorsement {
        endorser: edge.registry.profile_named(&body.endorser, "/endorser")?.id,
        subject: body.subject.id,
        kind: parse_kind(&body.subject.kind, "/subject/kind")?,
        digest: digest(body.subject.digest_multibase.as_deref())?,
        scope: parse_scope(body.scope.as_ref())?,
        name: body.name,
        comment: body.endorsement_comment,
        valid_from: moment(body.valid_from.as_deref(), "/validFrom")?,
        valid_until: moment(body.valid_until.as_deref(), "/validUntil")?,
        awarded_date: moment(body.awarded_date.as_deref(), "/awardedDate")?,
        suspendable: body.suspendable,
        securing: securing(body.securing.as_deref(), "/securing")?,
    };
    let change = request.change()?;
    if body.unsigned {
        let (id, unsigned) = edge.registry.endorse_unsigned(&change, &new)?;
        let url = edge.registry.urls().endorsement(id);
        return Ok(Reply::json(201, &credential_members(&unsigned)).header("Location", url));
    }
    let view = edge.registry.endorse(&change, &new)?;
    Ok(issued(edge, &view))
}

fn hand_in(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: SignedEndorsementBody = request.json()?;
    let change = request.change()?;
    let credential = &body.verifiable_credential;
    let view = edge.registry.hand_in_endorsement(&change, credential)?;
    Ok(issued(edge, &view))
}

fn issued(edge: &Edge, view: &EndorsementView) -> Reply {
    let url = edge.registry.urls().endorsement(view.id);
    let credential = view.credential.secured().into_value();
    Reply::json(201, &with_credential(credential)).header("Location", url)
}

/// An endorsement that was issued elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EndorsementImportBody {
    /// The EndorsementCredential with its proof, its envelope, or a string, which is a compact JWS.
    verifiable_credential: Value,
    /// `profile`, `achievement` or `credential`: what it is about, where that does not live here.
    kind: Option<String>,
}

pub(super) fn import(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: EndorsementImportBody = request.json()?;
    let new = NewImport {
        credential: body.verifiable_credential,
        kind: match body.kind.as_deref() {
            Some(kind) => Some(parse_kind(kind, "/kind")?),
            None => None,
        },
    };
    let options = options(edge, Expected::default(), &[]);
    let change = request.change()?;
    let (view, _) = edge
        .registry
        .import_endorsement(&change, &new, options, &*edge.outside)?;
    let urls = edge.registry.urls();
    let shown = shown(&urls, &view);
    let reply = Reply::bytes(201, "application/json", shown);
    Ok(reply.header("Location", urls.endorsement(view.id)))
}

/// Asks the issuer of an imported endorsement how it stands, without waiting for the next time.
pub(super) fn follow(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: EndorsementId = request.param("endorsement")?;
    request.nothing()?;
    let actor = request.change()?.actor;
    let options = options(edge, Expected::default(), &[]);
    edge.registry
        .follow_import(actor, id, options, &*edge.outside)?;
    let view = edge.registry.endorsement(id, None)?;
    let shown = shown(&edge.registry.urls(), &view);
    Ok(Reply::bytes(200, "application/json", shown))
}

pub(super) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    change(edge, request, EndorsementAction::Revoke)
}

pub(super) fn suspend(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    change(edge, request, EndorsementAction::Suspend)
}

pub(super) fn reinstate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    change(edge, request, EndorsementAction::Reinstate)
}

fn change(edge: &Edge, request: &Request, action: EndorsementAction) -> Result<Reply, Problem> {
    let id: EndorsementId = request.param("endorsement")?;
    let body = ReasonBody::of(request)?;
    if body.dry_run {
        let actor = request.change()?.actor;
        let affected = edge.registry.endorsement_dry_run(actor, id, action)?;
        return Ok(affected_reply(&affected));
    }
    let view = edge
        .registry
        .change_endorsement(&request.change()?, id, action, body.reason)?;
    let shown = shown(&edge.registry.urls(), &view);
    Ok(Reply::bytes(200, "application/json", shown))
}

/// A compact JWS of a credential (VC-JOSE-COSE 1.0, section 6.1.1).
const VC_JWT: &str = "application/vc+jwt";

/// What a signed endorsement can be had as. Whoever takes anything gets the JSON.
const OFFERS: &[&str] = &[
    "application/vc",
    "application/ld+json",
    "application/json",
    VC_JWT,
    "text/html",
];

pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: EndorsementId = request.param("endorsement")?;
    let view = edge.registry.endorsement(id, None)?;
    // An envelope is no credential itself (VCDM 2.0 section 4.13).
    let offers = match view.credential.secured() {
        Secured::Embedded(_) => OFFERS,
        Secured::Jwt(_) => &OFFERS[1..],
    };
    let accept = request.accept();
    let media_type = negotiate(accept.as_deref(), offers)?;
    let reply = match media_type {
        "text/html" => Reply::html(pages::endorsement_page(edge, request, &view)?),
        VC_JWT => {
            let jwt = edge.registry.endorsement_jwt(&view)?;
            // One that was issued elsewhere is had as it was issued.
            let jwt = jwt.ok_or_else(|| Problem::not_acceptable(&OFFERS[..3]))?;
            let tag = text_tag(&jwt);
            Reply::bytes(200, VC_JWT, jwt).version(&tag, view.changed_at)
        }
        json => {
            let body = view.credential.json().to_owned();
            let tag = text_tag(&body);
            Reply::bytes(200, json, body).version(&tag, view.changed_at)
        }
    };
    // A page shows how it stands.
    let fresh = match media_type {
        "text/html" => edge.cache.look_up,
        _ => edge.cache.endorsement,
    };
    Ok(reply.varies_by_accept().fresh_for(fresh))
}

pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let limit = request.limit()?;
    let at: Option<Timestamp> = request.query_as("at", "an RFC 3339 time")?;
    let filter = EndorsementFilter {
        subject: request.query("subject").map(str::to_owned),
        endorser: request.query("endorser").map(str::to_owned),
        kind: request
            .query("kind")
            .map(|kind| parse_kind(kind, "?kind"))
            .transpose()?,
        standing: request.query("standing").map(parse_standing).transpose()?,
        at,
        after: request.query_as("cursor", "a cursor from a Link header")?,
    };
    let as_of = moment_asked(edge, at, "?at")?;
    let page = edge.registry.endorsements(&filter, limit)?;
    let urls = edge.registry.urls();
    let mut body = String::from("{\"endorsements\":");
    let tag = write_all_tagged(&mut body, &urls, &page.endorsements);
    body.push_str(&format!(",\"asOf\":\"{as_of}\"}}"));
    let reply = Reply::bytes(200, "application/json", body)
        .weak_version(&tag)
        .fresh_for(edge.cache.look_up);
    Ok(match page.next {
        Some(next) => reply.header("Link", next_page(&urls, request, &next.to_string())),
        None => reply,
    })
}

pub(super) fn query(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: EndorsementsQuery = request.json()?;
    if body.subjects.is_empty() || body.subjects.len() > MOST_SUBJECTS {
        let detail = format!("1 to {MOST_SUBJECTS} subjects are needed");
        return Err(Problem::invalid("/subjects", detail));
    }
    let at = moment(body.at.as_deref(), "/at")?;
    let as_of = moment_asked(edge, at, "/at")?;
    let anchors = edge.registry.anchors(body.trust_anchors.as_deref())?;
    let question = Question {
        at,
        anchors,
        ..Question::default()
    };
    let urls = edge.registry.urls();
    let mut text = String::from("{\"results\":[");
    for answer in edge.registry.endorsements_of(&body.subjects, &question)? {
        let beside = serde_json::to_string(&SubjectShown {
            subject: &answer.subject,
            outcome: answer.backing.outcome,
            reason: answer.backing.reason,
            detail: &answer.backing.detail,
            path: standing::path(&answer.backing),
            accreditor_outcome: answer
                .accreditor
                .filter(|outcome| *outcome != Outcome::Active),
            more: answer.more.then_some(true),
        });
        text.push_str(if text.ends_with('[') { "" } else { "," });
        text.push_str(&beside.expect("texts and words are JSON"));
        text.pop();
        text.push_str(",\"endorsements\":");
        write_all(&mut text, &urls, &answer.endorsements);
        text.push('}');
    }
    text.push_str(&format!("],\"asOf\":\"{as_of}\"}}"));
    Ok(Reply::bytes(200, "application/json", text))
}

/// What is told of a subject beside its endorsements.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SubjectShown<'a> {
    subject: &'a str,
    outcome: Outcome,
    reason: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<standing::LinkShown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accreditor_outcome: Option<Outcome>,
    /// Whether there are more, which GET /endorsements?subject= lists page by page.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
}

/// The next page of a list, as a `Link` header: the same question after the last item.
pub(super) fn next_page(urls: &Urls<'_>, request: &Request, cursor: &str) -> String {
    next_page_by("cursor", urls, request, cursor)
}

/// The same where another parameter says where a page begins.
pub(super) fn next_page_by(
    parameter: &str,
    urls: &Urls<'_>,
    request: &Request,
    begins: &str,
) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in request.query.iter().filter(|(name, _)| name != parameter) {
        query.append_pair(name, value);
    }
    query.append_pair(parameter, begins);
    format!(
        "<{}{}?{}>; rel=\"next\"",
        urls.origin(),
        request.path,
        query.finish()
    )
}

pub(super) fn parse_kind(text: &str, pointer: &str) -> Result<SubjectKind, Problem> {
    text.parse()
        .map_err(|error: SubjectKindError| Problem::invalid(pointer, error.to_string()))
}

/// The scope in the member `scope` of a request.
pub(super) fn parse_scope(given: Option<&Value>) -> Result<Option<Scope>, Problem> {
    let scope = given.map(Scope::parse).transpose();
    Ok(scope.map_err(|error| RegistryError::from(error.inside("/scope")))?)
}

pub(super) fn digest(text: Option<&str>) -> Result<Option<DigestMultibase>, Problem> {
    let parse = |text: &str| {
        text.parse().map_err(|error: DigestError| {
            Problem::invalid("/subject/digestMultibase", error.to_string())
        })
    };
    text.map(parse).transpose()
}

fn parse_standing(text: &str) -> Result<Outcome, Problem> {
    let found = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == text);
    found.ok_or_else(|| {
        let words: Vec<&str> = Outcome::ALL
            .iter()
            .map(|outcome| outcome.as_str())
            .collect();
        Problem::invalid(
            "?standing",
            format!("one of {} is needed", words.join(", ")),
        )
    })
}
