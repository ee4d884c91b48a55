//! Whether credentials are in good standing, and who stands behind their issuers.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::moment::{moment, moment_asked};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::statuses::may_see;
use super::verification::options;
use crate::badges::{DigestMultibase, Jurisdiction, JurisdictionError};
use crate::registry::{
    Asked, Backing, Endorsed, Half, MaySee, Party, Question, StandingAnswer, StatusPart, Urls,
    text_tag,
};
use crate::time::Timestamp;
use crate::trust::PathLink;
use crate::verify::Expected;

/// Up to 1,000 credentials: `credentials` or `ids`, one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StandingQuery {
    /// The credentials themselves, each as an object or as a compact JWS. They are verified.
    #[schema(value_type = Option<Vec<Value>>)]
    credentials: Option<Vec<Value>>,
    /// Ids of credentials that were issued, or given an entry, here. It takes a token to ask for
    /// them, since it tells that they exist, unless the registry tells everybody.
    ids: Option<Vec<String>>,
    /// Whom the asker trusts, by slug or id, in place of the registry's own trust anchors: what counts
    /// is what a path of endorsements leads from to one of them.
    trust_anchors: Option<Vec<String>>,
    /// Where the endorsements have to count: an ISO 3166 code such as `CH` or `CH-ZH`.
    jurisdiction: Option<String>,
    /// As of this moment (RFC 3339) rather than now.
    at: Option<String>,
    /// Whether the answer is wanted as a JWT (`application/standing+jwt`) signed by the registry. Its
    /// claims are the members of the answer, and `iss`, `iat`, `exp`, and `questionDigest`: SHA-256
    /// of this body in canonical form (RFC 8785), as a multibase multihash.
    #[serde(default)]
    signed: bool,
}

const MOST_CREDENTIALS: usize = 1_000;

pub(super) fn query(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: StandingQuery = request.json()?;
    let asked: Vec<Asked> = match (body.credentials, body.ids) {
        (Some(credentials), None) => credentials.into_iter().map(Asked::Document).collect(),
        (None, Some(ids)) => ids.into_iter().map(Asked::Id).collect(),
        _ => {
            let detail = "either credentials (objects or compact JWSs) or ids are needed";
            return Err(Problem::invalid("", detail));
        }
    };
    if asked.is_empty() || asked.len() > MOST_CREDENTIALS {
        let detail = format!("1 to {MOST_CREDENTIALS} credentials are needed");
        return Err(Problem::invalid("", detail));
    }
    let at = moment(body.at.as_deref(), "/at")?;
    let question = Question {
        at,
        anchors: edge.registry.anchors(body.trust_anchors.as_deref())?,
        jurisdiction: jurisdiction(body.jurisdiction.as_deref(), "/jurisdiction")?,
    };
    let told = told(edge, request, &asked, &question, "/at")?;
    if body.signed {
        return signed(edge, &request.body, told);
    }
    Ok(Reply::bytes(200, "application/json", told.json()))
}

/// The answer as a JWT.
const STANDING_JWT: &str = "application/standing+jwt";

pub(super) fn look_up(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let Some(id) = request.query("credential") else {
        let detail = "the parameter credential is needed: the id of a credential";
        return Err(Problem::invalid("?credential", detail));
    };
    let named: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| name == "trustAnchors")
        .flat_map(|(_, value)| value.split(',').map(str::to_owned))
        .collect();
    let question = Question {
        at: request.query_as("at", "an RFC 3339 time")?,
        anchors: edge
            .registry
            .anchors((!named.is_empty()).then_some(&named))?,
        jurisdiction: jurisdiction(request.query("jurisdiction"), "?jurisdiction")?,
    };
    let asked = [Asked::Id(id.to_owned())];
    let told = told(edge, request, &asked, &question, "?at")?;
    let mut result = told.results.into_iter().next().unwrap_or_default();
    let tag = text_tag(&result.to_string());
    result["asOf"] = told.as_of.to_string().into();
    result["freshUntil"] = told.fresh_until.to_string().into();
    let reply = Reply::json(200, &result).weak_version(&tag);
    Ok(match edge.tells_everybody() {
        true => reply.fresh_for(edge.cache.look_up),
        // That the credential exists is for this caller alone.
        false => reply.not_kept(),
    })
}

/// An answer before it is written.
struct Told {
    results: Vec<Value>,
    as_of: Timestamp,
    fresh_until: Timestamp,
}

impl Told {
    fn members(self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("results".into(), self.results.into());
        members.insert("asOf".into(), self.as_of.to_string().into());
        members.insert("freshUntil".into(), self.fresh_until.to_string().into());
        members
    }

    fn json(self) -> String {
        Value::Object(self.members()).to_string()
    }
}

fn told(
    edge: &Edge,
    request: &Request,
    asked: &[Asked],
    question: &Question,
    at: &str,
) -> Result<Told, Problem> {
    let as_of = moment_asked(edge, question.at, at)?;
    let by_id = asked.iter().any(|asked| matches!(asked, Asked::Id(_)));
    let may_see = match by_id {
        true => may_see(edge, request)?,
        false => MaySee::Nothing,
    };
    let options = options(edge, Expected::default(), &[]);
    let outside = &*edge.outside;
    let answers = edge
        .registry
        .standing(asked, question, may_see, options, outside)?;
    let (urls, now) = (edge.registry.urls(), edge.registry.now());
    Ok(Told {
        results: answers
            .iter()
            .map(|answer| members(&urls, answer))
            .collect(),
        as_of,
        // Never beyond what is known to end sooner.
        fresh_until: answers
            .iter()
            .filter_map(|answer| answer.until)
            .filter(|until| *until > now)
            .fold(now.plus(edge.cache.standing), Timestamp::min),
    })
}

/// The answer as a JWT by the registry: what was asked is in it by its digest.
fn signed(edge: &Edge, question: &[u8], told: Told) -> Result<Reply, Problem> {
    let issued = edge.registry.now();
    let expires = told.fresh_until;
    let mut claims = told.members();
    claims.insert("iss".into(), edge.registry.did().into());
    claims.insert("iat".into(), issued.seconds().into());
    claims.insert("exp".into(), expires.seconds().into());
    claims.insert(
        "questionDigest".into(),
        json!(digest_of_question(question)?),
    );
    let jwt = edge.registry.sign_statement("standing+jwt", &claims)?;
    Ok(Reply::bytes(200, STANDING_JWT, jwt))
}

/// SHA-256 of the question's JSON in canonical form (RFC 8785), so that white space and the order
/// of members do not matter.
fn digest_of_question(question: &[u8]) -> Result<DigestMultibase, Problem> {
    let value: Value = serde_json::from_slice(question)
        .map_err(|error| Problem::invalid("", error.to_string()))?;
    let canonical = serde_json_canonicalizer::to_vec(&value)
        .map_err(|error| Problem::invalid("", error.to_string()))?;
    Ok(DigestMultibase::of(&canonical))
}

fn jurisdiction(text: Option<&str>, place: &str) -> Result<Option<Jurisdiction>, Problem> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|error: JurisdictionError| Problem::invalid(place, error.to_string()))
    };
    text.map(parse).transpose()
}

fn members(urls: &Urls<'_>, answer: &StandingAnswer) -> Value {
    let mut members = Map::new();
    if let Some(id) = &answer.credential {
        members.insert("credential".into(), id.clone().into());
    }
    members.insert("outcome".into(), json!(answer.outcome));
    members.insert("decidedBy".into(), answer.decided_by.as_str().into());
    members.insert("detail".into(), answer.detail.clone().into());
    if let Some(verified) = answer.verified {
        members.insert("verified".into(), verified.into());
    }
    let status = answer.status.iter().map(status_members);
    members.insert("status".into(), status.collect());
    let parties = [
        ("issuer", &answer.issuer),
        ("achievement", &answer.achievement),
    ];
    for (name, party) in parties {
        if let Some(party) = party {
            members.insert(name.into(), party_members(urls, party));
        }
    }
    let behind = match answer.decided_by {
        Half::Achievement => &answer.achievement,
        Half::Issuer | Half::Credential => &answer.issuer,
    };
    if let Some(party) = behind
        && !party.backing.path.is_empty()
    {
        members.insert("path".into(), path_members(&party.backing));
    }
    if !answer.nested.is_empty() {
        let nested = answer.nested.iter().map(|(pointer, inner)| {
            let mut told = self::members(urls, inner);
            told["pointer"] = pointer.clone().into();
            told
        });
        members.insert("nested".into(), nested.collect());
    }
    Value::Object(members)
}

fn status_members(part: &StatusPart) -> Value {
    let mut members = Map::new();
    if let Some(purpose) = &part.purpose {
        members.insert("purpose".into(), purpose.clone().into());
    }
    if let Some(status) = part.status {
        members.insert("status".into(), status.into());
    }
    members.insert("outcome".into(), json!(part.outcome));
    if let Some(list) = &part.list {
        members.insert("list".into(), list.clone().into());
    }
    if let Some(index) = part.index {
        members.insert("index".into(), index.into());
    }
    Value::Object(members)
}

fn party_members(urls: &Urls<'_>, party: &Party) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), party.id.clone().into());
    if let Some(name) = &party.name {
        members.insert("name".into(), name.clone().into());
    }
    members.extend(backing_members(&party.backing));
    let endorsed = party.endorsements.iter().map(|one| endorsed(urls, one));
    members.insert("endorsements".into(), endorsed.collect());
    if party.more {
        // The rest is listed by GET /endorsements?subject=, page by page.
        members.insert("more".into(), true.into());
    }
    Value::Object(members)
}

fn endorsed(urls: &Urls<'_>, one: &Endorsed) -> Value {
    let mut members = Map::new();
    members.insert("id".into(), urls.endorsement(one.id).into());
    members.insert("endorser".into(), one.endorser.clone().into());
    if let Some(name) = &one.name {
        members.insert("name".into(), name.clone().into());
    }
    members.insert("outcome".into(), json!(one.outcome));
    Value::Object(members)
}

/// Who stands behind a subject, as every answer says it.
pub(super) fn backing_members(backing: &Backing) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("outcome".into(), json!(backing.outcome));
    members.insert("reason".into(), backing.reason.into());
    members.insert("detail".into(), backing.detail.clone().into());
    if !backing.path.is_empty() {
        members.insert("path".into(), path_members(backing));
    }
    members
}

fn path_members(backing: &Backing) -> Value {
    let link = |link: &PathLink| {
        json!({
            "endorser": &*link.endorser,
            "subject": &*link.subject,
            "outcome": link.outcome,
            "endorsement": &*link.endorsement,
        })
    };
    backing.path.iter().map(link).collect()
}
