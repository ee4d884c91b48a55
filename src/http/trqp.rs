//! The Trust Registry Query Protocol 2.0 of Trust over IP: has this authority granted that to this
//! entity, now or at a moment in the past?
//!
//! The authority is an accreditor here or the registry itself. Authorization is about issuing,
//! recognition about endorsing. The protocol answers yes or no; what is not known here is neither,
//! but a problem, and every no carries the word for how it stands.

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::badges::Achievement;
use crate::registry::{AuthorityQuestion, Grant, Outcome, Resource};
use crate::time::Timestamp;

/// A question of TRQP.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrqpQuery {
    /// Who may have been granted something: `issuer.id`, here or elsewhere.
    entity_id: String,
    /// Who may have granted it, itself or through those whom it stands behind: the id of an
    /// accreditor here, or the DID of this registry, for which its trust anchors speak.
    authority_id: String,
    /// `issue` for authorization; `endorse` or `recognize` for recognition.
    action: String,
    /// `*`, an `achievementType` of Open Badges 3.0, or the id of an achievement.
    resource: String,
    /// As of when.
    context: Option<TrqpContext>,
}

/// Circumstances of the question.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrqpContext {
    /// As of this moment (RFC 3339, in UTC with Z) rather than now.
    time: Option<String>,
    /// Where to look; not needed here.
    locator: Option<String>,
}

pub(super) fn authorization(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let query: TrqpQuery = request.json()?;
    answer(edge, &query, &AUTHORIZATION)
}

pub(super) fn recognition(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let query: TrqpQuery = request.json()?;
    answer(edge, &query, &RECOGNITION)
}

/// A kind of question.
struct Asked {
    /// The member of the answer.
    member: &'static str,
    actions: &'static [&'static str],
    grant: Grant,
    /// As what the entity is endorsed.
    role: &'static str,
}

const AUTHORIZATION: Asked = Asked {
    member: "authorized",
    actions: &["issue"],
    grant: Grant::Issuing,
    role: "an issuer",
};

const RECOGNITION: Asked = Asked {
    member: "recognized",
    actions: &["endorse", "recognize"],
    grant: Grant::Accrediting,
    role: "an accreditor",
};

/// The longest id that is looked up, in bytes: that of an endorsement's subject.
const MOST_ID_BYTES: usize = 2_048;

fn answer(edge: &Edge, query: &TrqpQuery, asked: &Asked) -> Result<Reply, Problem> {
    for (pointer, id) in [
        ("/entity_id", &query.entity_id),
        ("/authority_id", &query.authority_id),
    ] {
        if id.len() > MOST_ID_BYTES || Url::parse(id).is_err() {
            let detail = "a DID or another absolute URL of at most 2,048 bytes is needed";
            return Err(Problem::invalid(pointer, detail));
        }
    }
    let evaluated = edge.registry.now();
    let context = query.context.as_ref();
    let requested = context.and_then(|context| context.time.as_deref());
    let at = requested.map(|text| moment(text, evaluated)).transpose()?;
    let outcome = outcome(edge, query, asked, at)?;
    let is_granted = match outcome {
        Outcome::Active => true,
        Outcome::NotEndorsed
        | Outcome::Revoked
        | Outcome::Suspended
        | Outcome::Expired
        | Outcome::NotYetValid
        | Outcome::StaleDigest => false,
        Outcome::Unknown => {
            let detail = format!(
                "whether {} is {} endorsed by {} is not known here",
                query.entity_id, asked.role, query.authority_id
            );
            return Err(not_known("entity", detail));
        }
        Outcome::Unreachable => {
            let detail = "what has to be asked for the answer cannot be reached";
            let title = "Not to be found out now";
            let problem = Problem::new(503, "unreachable", title, detail);
            return Err(problem.with("outcome", outcome.as_str()));
        }
    };
    let mut members = Map::new();
    for (member, value) in [
        ("entity_id", &query.entity_id),
        ("authority_id", &query.authority_id),
        ("action", &query.action),
        ("resource", &query.resource),
    ] {
        members.insert(member.into(), value.as_str().into());
    }
    members.insert(asked.member.into(), is_granted.into());
    members.insert("time_evaluated".into(), evaluated.to_string().into());
    if let Some(text) = requested {
        members.insert("time_requested".into(), text.into());
    }
    let message = format!(
        "the endorsement as {} by this authority: {}",
        asked.role,
        outcome.as_str()
    );
    members.insert("message".into(), message.into());
    members.insert("context".into(), context_with(context, outcome));
    Ok(Reply::json(200, &Value::Object(members)))
}

/// How what was asked about stands, once it is clear that all of it is known here.
fn outcome(
    edge: &Edge,
    query: &TrqpQuery,
    asked: &Asked,
    at: Option<Timestamp>,
) -> Result<Outcome, Problem> {
    if !asked.actions.contains(&query.action.as_str()) {
        let known = asked.actions.join(" and ");
        let detail = format!(
            "the action {:?} is not known here; {known} is",
            query.action
        );
        return Err(not_known("action", detail));
    }
    let resource = query.resource.as_str();
    let is_known = resource == "*"
        || Achievement::is_type(resource)
        || (Url::parse(resource).is_ok() && edge.registry.could_be_achievement(resource)?);
    if !is_known {
        let detail = format!(
            "the resource {resource:?} is not known here; *, an achievementType or the id of an \
             achievement is"
        );
        return Err(not_known("resource", detail));
    }
    let Some(authority) = edge.registry.authority(&query.authority_id)? else {
        let detail = format!(
            "{} is neither an accreditor here nor this registry, which is {}",
            query.authority_id,
            edge.registry.did()
        );
        return Err(not_known("authority", detail));
    };
    let answer = edge.registry.granted(AuthorityQuestion {
        authority,
        entity: &query.entity_id,
        grant: asked.grant,
        resource: match resource {
            "*" => Resource::Everything,
            name if Achievement::is_type(name) => Resource::Type(name),
            id => Resource::Achievement(id),
        },
        at,
    })?;
    Ok(answer.outcome)
}

fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let wrong = |detail: String| Problem::invalid("/context/time", detail);
    let at = text.parse::<Timestamp>();
    let at = at.map_err(|error| wrong(error.to_string()))?;
    if !text.ends_with('Z') {
        return Err(wrong(format!(
            "{text:?} is not in UTC with Z, as TRQP demands"
        )));
    }
    match at > now {
        true => Err(wrong(format!("{at} is in the future; now is {now}"))),
        false => Ok(at),
    }
}

/// The context as it was sent, with our word for how it stands.
fn context_with(context: Option<&TrqpContext>, outcome: Outcome) -> Value {
    let mut members = Map::new();
    let sent = |context: &TrqpContext| {
        [
            ("time", context.time.clone()),
            ("locator", context.locator.clone()),
        ]
    };
    for (name, value) in context.map(sent).into_iter().flatten() {
        members.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    members.insert("outcome".into(), outcome.as_str().into());
    members.into()
}

/// An entity, authority, action or resource that is not known here: never a no.
fn not_known(what: &str, detail: String) -> Problem {
    let kind = format!("unknown-{what}");
    Problem::new(404, &kind, "Not known here", detail).with("outcome", Outcome::Unknown.as_str())
}
