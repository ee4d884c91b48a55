//! The service API of Open Badges 3.0 (section 6), for the endorsements that the caller's own profile
//! holds and for that profile itself.

mod discovery;
mod status_info;

use serde_json::{Map, Value, json};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::profiles;
use super::reply::Reply;
use super::request::Request;
use super::verification::options;
use crate::badges::{CONTEXTS, is_ob_context};
use crate::ids::ProfileId;
use crate::registry::{
    Actor, EndorsementView, HeldQuestion, ProfileSettings, ProfileView, RegistryError, Taken, Urls,
};
use crate::time::Timestamp;
use crate::vc::securing::Secured;
use crate::verify::Expected;

pub(super) use discovery::show as discovery;
pub(super) use status_info::{is_below, schema as status_info_schema, status_info};

/// An endorsement of the caller's profile or of one of its achievements, with its proof.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body, which the badges room reads member by member"
)]
pub(super) struct EndorsementCredential {
    /// Its id.
    id: String,
    /// `VerifiableCredential` and `EndorsementCredential` among them.
    #[schema(rename = "type")]
    types: Vec<String>,
    /// Who endorses, by id or as a Profile.
    #[schema(value_type = Object)]
    issuer: Value,
    /// From when on it holds (RFC 3339).
    valid_from: String,
    /// What is endorsed.
    #[schema(value_type = Object)]
    credential_subject: Value,
}

/// The caller's profile as a whole. What the registry itself gives, `@context`, `id` and `type`, may
/// be there as it gives it.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body, which the badges room reads member by member"
)]
pub(super) struct OpenBadgesProfile {
    /// Name of the organisation or person.
    name: String,
}

/// A page holds at most so many credentials, of which each may have tens of kilobytes.
const MOST_ON_A_PAGE: usize = 100;

pub(super) fn credentials(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (actor, profile) = caller(request)?;
    let question = HeldQuestion {
        since: request.query("since").map(since).transpose()?,
        offset: request
            .query_as::<u32>("offset", "a number from 0")?
            .unwrap_or(0) as usize,
        limit: page_size(request)?,
    };
    let page = edge.registry.endorsements_held(actor, profile, question)?;
    let mut with_proof = Vec::new();
    let mut jwts: Vec<Value> = Vec::new();
    for endorsement in &page.endorsements {
        match endorsement.secured() {
            Secured::Embedded(credential) => with_proof.push(credential),
            Secured::Jwt(jwt) => jwts.push(jwt.as_str().into()),
        }
    }
    let body = json!({ "credential": with_proof, "compactJwsString": jwts });
    let links = links(&edge.registry.urls(), request, question, page.total);
    Ok(Reply::json(200, &body)
        .header("X-Total-Count", page.total.to_string())
        .header("Link", links))
}

pub(super) fn hand_in(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (_, profile) = caller(request)?;
    let credential = match request.is("text/plain") {
        true => compact_jws(request)?,
        false => request.json()?,
    };
    let as_jwt = credential.is_string();
    let options = options(edge, Expected::default(), &[]);
    let change = request.change()?;
    let (view, taken) = edge
        .registry
        .take_in_held(&change, profile, credential, options, &*edge.outside)
        .map_err(of_whole_body)?;
    let status = match taken {
        Taken::New => 201,
        Taken::Newer | Taken::Known => 200,
    };
    let url = edge.registry.urls().endorsement(view.id);
    Ok(shown(edge, status, &view, as_jwt)?.header("Location", url))
}

pub(super) fn profile(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (_, profile) = caller(request)?;
    let view = edge.registry.profile_numbered(profile)?;
    Ok(profiles::document(200, "application/json", &view))
}

pub(super) fn replace_profile(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (_, profile) = caller(request)?;
    let view = edge.registry.profile_numbered(profile)?;
    let members = own_members(&edge.registry.urls(), &view, request.json()?)?;
    let (change, expected) = (request.change()?, request.if_match()?);
    let settings = ProfileSettings::default();
    let view =
        edge.registry
            .change_profile(&change, &view.slug, &members, settings, expected.as_ref())?;
    Ok(profiles::document(200, "application/json", &view))
}

/// Who asks, and for which profile.
fn caller(request: &Request) -> Result<(Actor, ProfileId), Problem> {
    let actor = request.actor.filter(|actor| actor.speaks_as().is_some());
    let of_profile = actor.and_then(|actor| Some((actor, actor.speaks_as()?)));
    of_profile.ok_or_else(|| {
        let detail = "this is about the caller's own profile, and the caller speaks for the \
                      registry; send a token of a profile";
        Problem::new(403, "no-profile", "For profiles", detail)
    })
}

/// The standard writes this time with its zone or without, which then is UTC.
fn since(text: &str) -> Result<Timestamp, Problem> {
    let parsed = text.parse().or_else(|_| format!("{text}Z").parse());
    parsed.map_err(|_| {
        let detail = "the parameter since has to be a time such as 2026-03-01T09:00:00Z";
        Problem::invalid("?since", detail)
    })
}

fn page_size(request: &Request) -> Result<usize, Problem> {
    let need = "a number from 1";
    match request.query_as::<u32>("limit", need)? {
        None => Ok(MOST_ON_A_PAGE),
        Some(0) => Err(Problem::invalid(
            "?limit",
            format!("the parameter limit has to be {need}"),
        )),
        Some(limit) => Ok((limit as usize).min(MOST_ON_A_PAGE)),
    }
}

/// The pages beside this one (section 6.4): the first and the last always, the others where they
/// are.
fn links(urls: &Urls<'_>, request: &Request, asked: HeldQuestion, total: usize) -> String {
    let HeldQuestion { offset, limit, .. } = asked;
    let last = total.saturating_sub(1) / limit * limit;
    let next = offset + limit;
    let before = offset.saturating_sub(limit).min(last);
    let pages = [
        ("next", (next < total).then_some(next)),
        ("last", Some(last)),
        ("first", Some(0)),
        ("prev", (offset > 0).then_some(before)),
    ];
    let link = |(relation, offset): (&str, Option<usize>)| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &limit.to_string());
        query.append_pair("offset", &offset?.to_string());
        if let Some(since) = request.query("since") {
            query.append_pair("since", since);
        }
        let (origin, path, query) = (urls.origin(), &request.path, query.finish());
        Some(format!("<{origin}{path}?{query}>; rel=\"{relation}\""))
    };
    let links: Vec<String> = pages.into_iter().filter_map(link).collect();
    links.join(", ")
}

/// A body of `text/plain` is a compact JWS and nothing else.
fn compact_jws(request: &Request) -> Result<Value, Problem> {
    request.check_coding()?;
    match std::str::from_utf8(&request.body) {
        Ok(text) => Ok(text.trim_ascii().into()),
        Err(_) => Err(Problem::invalid("", "a text of a compact JWS is needed")),
    }
}

/// What a service says of the member in which other routes take a credential is about the whole
/// body here.
fn of_whole_body(error: RegistryError) -> Problem {
    let RegistryError::Invalid { pointer, detail } = &error else {
        return error.into();
    };
    match pointer.strip_prefix("/verifiableCredential") {
        None => error.into(),
        Some("") => Problem::invalid("", detail),
        Some(inside) => Problem::invalid(inside, format!("{inside}: {detail}")),
    }
}

/// An endorsement as it is kept. Whoever sent a compact JWS is given one, where there is one.
fn shown(edge: &Edge, status: u16, view: &EndorsementView, as_jwt: bool) -> Result<Reply, Problem> {
    let jwt = match (view.credential.secured(), as_jwt) {
        (Secured::Jwt(jwt), _) => Some(jwt.as_str().to_owned()),
        (Secured::Embedded(_), true) => edge.registry.endorsement_jwt(view)?,
        (Secured::Embedded(_), false) => None,
    };
    Ok(match jwt {
        Some(jwt) => Reply::bytes(status, "text/plain", jwt),
        None => Reply::bytes(
            status,
            "application/json",
            view.credential.json().to_owned(),
        ),
    })
}

/// The members that are a profile's own to set. What the registry gives may stand beside them, as
/// whoever reads the profile and sends it back sends it.
fn own_members(
    urls: &Urls<'_>,
    view: &ProfileView,
    mut members: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let refused =
        |pointer: &str, need: &str| Problem::invalid(pointer, format!("{pointer}: {need}"));
    if let Some(id) = members.shift_remove("id") {
        let id = id.as_str().map(|id| urls.spelled(id));
        let own = [&view.issuer_id, &urls.profile(&view.slug)];
        if !id.is_some_and(|id| own.iter().any(|own| **own == *id)) {
            let need = format!("the id of this profile is {}", view.issuer_id);
            return Err(refused("/id", &need));
        }
    }
    let one_or_many = |value: Value| match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    if let Some(types) = members.shift_remove("type")
        && one_or_many(types) != ["Profile"]
    {
        return Err(refused("/type", "Profile is needed"));
    }
    if let Some(contexts) = members.shift_remove("@context") {
        let shown = view.document["@context"].as_array();
        let is_shown = |one: &Value| shown.is_some_and(|shown| shown.contains(one));
        let of_open_badges = |one: &Value| one.as_str().is_some_and(is_ob_context);
        let known = |one: &Value| is_shown(one) || of_open_badges(one);
        if !one_or_many(contexts).iter().all(known) {
            let need = format!(
                "{} and those of Open Badges 3.0 are known here",
                CONTEXTS[0]
            );
            return Err(refused("/@context", &need));
        }
    }
    for key_member in ["verificationMethod", "assertionMethod", "authentication"] {
        if view.document.get(key_member) == members.get(key_member) {
            members.shift_remove(key_member);
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let nine: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        for text in [
            "2026-03-01T09:00:00Z",
            "2026-03-01T09:00:00",
            "2026-03-01T10:00:00+01:00",
        ] {
            assert_eq!(since(text).unwrap(), nine, "{text}");
        }
        for text in ["", "yesterday", "2026-03-01", "2026-03-01T10:00:00 01:00"] {
            assert_eq!(since(text).unwrap_err().status, 400, "{text}");
        }
    }
}
