//! Whether credentials are in good standing, and who stands behind their issuers.

use serde::{Deserialize, Serialize};
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
    Asked, Backing, Half, MaySee, Outcome, Party, Question, StandingAnswer, StatusPart, Urls,
    Written, on_every_core, text_tag,
};
use crate::time::Timestamp;
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
    let (body, documents): (StandingQuery, _) = request.json_and_items("credentials")?;
    let asked: Vec<Asked> = match (body.credentials, body.ids) {
        (Some(_), None) => documents.into_iter().map(Asked::Document).collect(),
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
    let told = told(edge, request, asked, &question, "/at")?;
    if body.signed {
        return signed(edge, &request.body, &told);
    }
    let text = told.text(&edge.registry.urls());
    Ok(Reply::bytes(200, "application/json", text))
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
    let asked = vec![Asked::Id(id.to_owned())];
    let told = told(edge, request, asked, &question, "?at")?;
    let urls = edge.registry.urls();
    let mut text = Vec::with_capacity(ABOUT_A_RESULT);
    for answer in &told.answers {
        write(&mut text, &urls, answer, None);
    }
    let tag = text_tag(&text);
    text.pop();
    text.extend_from_slice(told.ending().as_bytes());
    let reply = Reply::bytes(200, "application/json", text).weak_version(&tag);
    Ok(match edge.tells_everybody() {
        true => reply.fresh_for(edge.cache.look_up),
        // That the credential exists is for this caller alone.
        false => reply.not_kept(),
    })
}

/// An answer before it is written.
struct Told {
    answers: Vec<StandingAnswer>,
    as_of: Timestamp,
    fresh_until: Timestamp,
}

impl Told {
    /// The answer as it is written, in JSON.
    fn text(&self, urls: &Urls<'_>) -> Vec<u8> {
        // Those who stand behind many are mostly written before.
        let parts: Vec<&[StandingAnswer]> = self.answers.chunks(WRITTEN_TOGETHER).collect();
        let bytes = on_every_core(parts, |part| {
            let bytes = part.iter().map(|answer| bytes_of(urls, answer));
            bytes.sum::<usize>()
        });
        let mut text = Vec::with_capacity(bytes.into_iter().sum::<usize>() + ABOUT_ITS_OWN);
        text.extend_from_slice(b"{\"results\":[");
        for answer in &self.answers {
            write(&mut text, urls, answer, None);
            text.push(b',');
        }
        // The comma behind the last one: every question is about one credential at least.
        text.pop();
        text.push(b']');
        text.extend_from_slice(self.ending().as_bytes());
        text
    }

    /// The last members, with the end of the object.
    fn ending(&self) -> String {
        let (as_of, fresh_until) = (self.as_of, self.fresh_until);
        format!(",\"asOf\":\"{as_of}\",\"freshUntil\":\"{fresh_until}\"}}")
    }
}

/// What stands behind so many results is written by one thread in one go, each of about so many bytes.
const WRITTEN_TOGETHER: usize = 32;
const ABOUT_A_RESULT: usize = 4_096;

/// About so many bytes of a result are its own, and not those of who stands behind it.
const ABOUT_ITS_OWN: usize = 512;

fn told(
    edge: &Edge,
    request: &Request,
    asked: Vec<Asked>,
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
    Ok(Told {
        as_of,
        fresh_until: fresh_until(edge, answers.iter()),
        answers,
    })
}

/// Until when answers may be relied on by those who keep them: never beyond what is known to end sooner.
fn fresh_until<'a>(edge: &Edge, answers: impl Iterator<Item = &'a StandingAnswer>) -> Timestamp {
    let now = edge.registry.now();
    answers
        .filter_map(|answer| answer.until)
        .filter(|until| *until > now)
        .fold(now.plus(edge.cache.standing), Timestamp::min)
}

/// One answer as [`query`] gives it, written by `write`.
pub(super) fn one_result(
    edge: &Edge,
    answer: &StandingAnswer,
    write: impl FnOnce(&mut Vec<u8>, &Urls<'_>),
) -> Vec<u8> {
    let mut text = Vec::with_capacity(ABOUT_A_RESULT);
    text.extend_from_slice(b"{\"results\":[");
    write(&mut text, &edge.registry.urls());
    text.push(b']');
    let told = Told {
        answers: Vec::new(),
        as_of: edge.registry.now(),
        fresh_until: fresh_until(edge, std::iter::once(answer)),
    };
    text.extend_from_slice(told.ending().as_bytes());
    text
}

/// The answer as a JWT by the registry: what was asked is in it by its digest.
fn signed(edge: &Edge, question: &[u8], told: &Told) -> Result<Reply, Problem> {
    let issued = edge.registry.now();
    let expires = told.fresh_until;
    let text = told.text(&edge.registry.urls());
    let claims = serde_json::from_slice(&text);
    let mut claims: Map<String, Value> = claims.expect("what was just written is an object");
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

/// Writes an answer about a credential; of one within another, where in it.
pub(super) fn write(
    text: &mut Vec<u8>,
    urls: &Urls<'_>,
    answer: &StandingAnswer,
    pointer: Option<&str>,
) {
    let own = Shown {
        credential: answer.credential.as_deref(),
        outcome: answer.outcome,
        decided_by: answer.decided_by.as_str(),
        detail: &answer.detail,
        verified: answer.verified,
        status: answer.status.iter().map(StatusShown::of).collect(),
    };
    put(text, &own);
    // Other members follow.
    text.pop();
    write_parties(text, urls, answer);
    if !answer.nested.is_empty() {
        member(text, "nested");
        text.push(b'[');
        for (pointer, inner) in &answer.nested {
            write(text, urls, inner, Some(pointer));
            text.push(b',');
        }
        text.pop();
        text.push(b']');
    }
    if let Some(pointer) = pointer {
        member(text, "pointer");
        put(text, pointer);
    }
    text.push(b'}');
}

/// Writes who issued a credential, what was achieved, and who stands behind that, as members that follow
/// others.
pub(super) fn write_parties(text: &mut Vec<u8>, urls: &Urls<'_>, answer: &StandingAnswer) {
    for (name, party) in [
        ("issuer", &answer.issuer),
        ("achievement", &answer.achievement),
    ] {
        if let Some(party) = party {
            member(text, name);
            text.extend_from_slice(&written(urls, party).whole);
        }
    }
    let behind = match answer.decided_by {
        Half::Achievement => &answer.achievement,
        Half::Issuer | Half::Credential => &answer.issuer,
    };
    if let Some(party) = behind
        && !party.backing.path.is_empty()
    {
        member(text, "path");
        text.extend_from_slice(&written(urls, party).path);
    }
}

fn member(text: &mut Vec<u8>, name: &str) {
    text.extend_from_slice(b",\"");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"\":");
}

fn put(text: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let written = serde_json::to_writer(text, value);
    written.expect("answers are texts, numbers and words, under names");
}

/// About how many bytes are written of an answer.
fn bytes_of(urls: &Urls<'_>, answer: &StandingAnswer) -> usize {
    let parties = [&answer.issuer, &answer.achievement].into_iter().flatten();
    let parties = parties.map(|party| {
        let written = written(urls, party);
        written.whole.len() + written.path.len()
    });
    let nested = answer.nested.iter().map(|(_, inner)| bytes_of(urls, inner));
    ABOUT_ITS_OWN + parties.chain(nested).sum::<usize>()
}

/// The text of an issuer or an achievement, which is the same in all answers that tell of it.
fn written<'p>(urls: &Urls<'_>, party: &'p Party) -> &'p Written {
    party.written.get_or_init(|| {
        let (mut whole, mut behind) = (Vec::with_capacity(ABOUT_A_RESULT), Vec::new());
        put(&mut whole, &PartyShown::of(urls, party));
        if !party.backing.path.is_empty() {
            put(&mut behind, &path(&party.backing));
        }
        Written {
            whole: whole.into(),
            path: behind.into(),
        }
    })
}

/// What an answer says of the credential itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'a str>,
    outcome: Outcome,
    decided_by: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    status: Vec<StatusShown<'a>>,
}

#[derive(Serialize)]
struct StatusShown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u8>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
}

#[derive(Serialize)]
struct PartyShown<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    outcome: Outcome,
    reason: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<LinkShown<'a>>,
    endorsements: Vec<EndorsedShown<'a>>,
    /// Whether there are more, which GET /endorsements?subject= lists page by page.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
}

#[derive(Serialize)]
struct EndorsedShown<'a> {
    id: String,
    endorser: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    outcome: Outcome,
}

/// A link of a path, as every answer says it.
#[derive(Serialize)]
pub(super) struct LinkShown<'a> {
    endorser: &'a str,
    subject: &'a str,
    outcome: Outcome,
    endorsement: &'a str,
}

impl<'a> StatusShown<'a> {
    fn of(part: &'a StatusPart) -> Self {
        Self {
            purpose: part.purpose.as_deref(),
            status: part.status,
            outcome: part.outcome,
            list: part.list.as_deref(),
            index: part.index,
        }
    }
}

impl<'a> PartyShown<'a> {
    fn of(urls: &Urls<'_>, party: &'a Party) -> Self {
        let endorsed = party.endorsements.iter().map(|one| EndorsedShown {
            id: urls.endorsement(one.id),
            endorser: &one.endorser,
            name: one.name.as_deref(),
            outcome: one.outcome,
        });
        Self {
            id: &party.id,
            name: party.name.as_deref(),
            outcome: party.backing.outcome,
            reason: party.backing.reason,
            detail: &party.backing.detail,
            path: path(&party.backing),
            endorsements: endorsed.collect(),
            more: party.more.then_some(true),
        }
    }
}

pub(super) fn path(backing: &Backing) -> Vec<LinkShown<'_>> {
    let links = backing.path.iter().map(|link| LinkShown {
        endorser: &link.endorser,
        subject: &link.subject,
        outcome: link.outcome,
        endorsement: &link.endorsement,
    });
    links.collect()
}
