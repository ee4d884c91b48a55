//! The registry as a federation: OpenID Federation 1.0, of which it is the trust anchor, and the
//! document that the clients of the Digital Credentials Consortium (DCC) read.
//!
//! Its subordinates are the issuers that are endorsed here. Entity identifiers are the public URL
//! and the ids of issuers, which are DIDs more often than URLs. Such issuers publish no entity
//! configuration of their own, so there are no trust chains to resolve. Trust marks are in
//! `trust_marks.rs`.

use serde_json::{Map, Value, json};
use url::Url;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::wellknown::identity;
use crate::badges::Scope;
use crate::registry::{IssuerStanding, IssuerView, KeyOwner, KeyView, Outcome, ProfileView};
use crate::time::{Timestamp, Ttl};

/// Everybody who is endorsed as an issuer, in one document.
pub(super) fn registry_document(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    let issuers = edge.registry.issuers()?;
    let reply = Reply::bytes(200, "application/json", issuers.document.clone());
    Ok(reply
        .version(&issuers.etag, issuers.changed_at)
        .fresh_for(edge.cache.look_up))
}

/// The entity configuration of the registry (section 9).
pub(super) fn configuration(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    told(configured(edge))
}

/// A subordinate statement (section 8.1).
pub(super) fn fetch(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    told(fetched(edge, request))
}

/// The subordinates (section 8.2).
pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    told(listed(edge, request))
}

/// The registry's keys that are out of use (section 8.7).
pub(super) fn historical_keys(edge: &Edge, _: &Request) -> Result<Reply, Problem> {
    told(outlived_keys(edge))
}

fn configured(edge: &Edge) -> Result<Reply, Problem> {
    identity(edge)?;
    let urls = edge.registry.urls();
    let origin = urls.origin();
    let endpoint = |name: &str| format!("{origin}/federation/{name}");
    let about = json!({
        "organization_name": urls.host(),
        "organization_uri": origin,
        "homepage_uri": origin,
        "federation_fetch_endpoint": endpoint("fetch"),
        "federation_list_endpoint": endpoint("list"),
        "federation_trust_mark_status_endpoint": endpoint("trust_mark_status"),
        "federation_trust_mark_list_endpoint": endpoint("trust_mark_list"),
        "federation_trust_mark_endpoint": endpoint("trust_mark"),
        "federation_historical_keys_endpoint": endpoint("historical_keys"),
    });
    // As long as a new key stands in it before it signs: nobody holds one that misses the key.
    let fresh = edge.registry.settings().key_notice;
    let mut claims = claims_about(edge, origin, fresh, None);
    claims.insert(
        "jwks".into(),
        key_set(edge.registry.json_web_keys(KeyOwner::Registry)?),
    );
    claims.insert("metadata".into(), json!({ "federation_entity": about }));
    let reply = signed(edge, STATEMENT, &claims)?;
    Ok(reply.fresh_for(edge.cache.did_document))
}

fn fetched(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sub = subject(edge, needed(request, "sub")?)?;
    let standing = issuer(edge, &sub)?;
    let IssuerStanding {
        issuer,
        outcome,
        until,
        scopes,
    } = standing;
    if outcome != Outcome::Active {
        return Err(not_found(
            format!("{} is no endorsed issuer here", issuer.id),
            outcome,
        ));
    }
    let mut claims = claims_about(edge, &issuer.id, edge.registry.settings().list_ttl, until);
    let source = format!("{}/federation/fetch", edge.registry.urls().origin());
    claims.insert("source_endpoint".into(), source.into());
    let mut about = metadata(&issuer);
    if !scopes.is_empty() {
        let scopes: Vec<Value> = scopes.iter().map(Scope::to_value).collect();
        about.insert("endorsement_scopes".into(), scopes.into());
    }
    claims.insert("metadata".into(), json!({ "federation_entity": about }));
    // Of keys that stand elsewhere nothing is stated.
    if !issuer.keys.is_empty() {
        claims.insert("jwks".into(), key_set(issuer.keys));
    }
    let reply = signed(edge, STATEMENT, &claims)?;
    Ok(reply.fresh_for(edge.cache.look_up))
}

fn listed(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    if request.query("intermediate").is_some() {
        let detail = "whether subordinates are intermediates is not told; leave intermediate out";
        return Err(Problem::new(
            400,
            UNSUPPORTED,
            "Unsupported parameter",
            detail,
        ));
    }
    let types = request
        .query
        .iter()
        .filter(|(name, _)| name == "entity_type");
    if types
        .into_iter()
        .any(|(_, kind)| kind != "federation_entity")
    {
        return Ok(ids_reply(edge, std::iter::empty()));
    }
    let trust_marked = match optional(request, "trust_marked")?.map(str::parse::<bool>) {
        None => false,
        Some(Ok(trust_marked)) => trust_marked,
        Some(Err(_)) => {
            let detail = "the parameter trust_marked is true or false";
            return Err(Problem::invalid("?trust_marked", detail));
        }
    };
    let issuers = edge.registry.issuers()?;
    match optional(request, "trust_mark_type")? {
        None if trust_marked => Ok(ids_reply(edge, issuers.marked())),
        None => Ok(ids_reply(edge, issuers.ids())),
        Some(kind) => {
            let accreditor = accreditor(edge, kind)?;
            Ok(ids_reply(edge, issuers.marked_by(accreditor.id)))
        }
    }
}

fn outlived_keys(edge: &Edge) -> Result<Reply, Problem> {
    let keys: Vec<Value> = identity(edge)?.into_iter().filter_map(outlived).collect();
    let mut claims = Map::new();
    claims.insert("iss".into(), edge.registry.urls().origin().into());
    claims.insert("iat".into(), edge.registry.now().seconds().into());
    claims.insert("keys".into(), keys.into());
    let reply = signed(edge, KEY_SET, &claims)?;
    Ok(reply.fresh_for(edge.cache.did_document))
}

const STATEMENT: &str = "entity-statement+jwt";
const KEY_SET: &str = "jwk-set+jwt";
const UNSUPPORTED: &str = "unsupported-parameter";

/// The longest id of an entity that is looked up, in bytes: that of an endorsement's subject.
const MOST_ID_BYTES: usize = 2_048;

/// A statement is fresh at least so long, whatever is configured.
const SHORTEST: Ttl = Ttl::from_seconds(60);

/// A JWT of the registry, with the media type that its `typ` stands for.
pub(super) fn signed(
    edge: &Edge,
    typ: &str,
    claims: &Map<String, Value>,
) -> Result<Reply, Problem> {
    let text = edge.registry.sign_statement(typ, claims)?;
    Ok(Reply::bytes(200, &format!("application/{typ}"), text))
}

/// `iss`, `sub`, `iat` and `exp` of a statement that holds so long, and never beyond `until`.
fn claims_about(
    edge: &Edge,
    sub: &str,
    fresh: Ttl,
    until: Option<Timestamp>,
) -> Map<String, Value> {
    let now = edge.registry.now();
    let ends = now.plus(fresh.max(SHORTEST));
    let ends = until.map_or(ends, |until| ends.min(until));
    let mut claims = Map::new();
    claims.insert("iss".into(), edge.registry.urls().origin().into());
    claims.insert("sub".into(), sub.into());
    claims.insert("iat".into(), now.seconds().into());
    claims.insert("exp".into(), ends.seconds().into());
    claims
}

fn key_set(keys: Vec<Value>) -> Value {
    json!({ "keys": keys })
}

/// What is registered of an issuer, under the names of section 5.2 and those that the DCC's clients
/// show.
fn metadata(issuer: &IssuerView) -> Map<String, Value> {
    let logo = issuer.logo.as_ref().filter(|url| url.starts_with("https:"));
    let members = [
        ("organization_name", issuer.name.as_ref()),
        ("organization_uri", issuer.url.as_ref()),
        ("homepage_uri", issuer.url.as_ref()),
        ("logo_uri", logo),
        ("location", issuer.location.as_ref()),
    ];
    let known = members.into_iter().filter_map(|(name, value)| {
        value.map(|value| (name.to_owned(), Value::from(value.as_str())))
    });
    known.collect()
}

/// The one value of a parameter that has to be there.
pub(super) fn needed<'r>(request: &'r Request, name: &str) -> Result<&'r str, Problem> {
    optional(request, name)?.ok_or_else(|| {
        let detail = format!("the parameter {name} is needed");
        Problem::invalid(&format!("?{name}"), detail)
    })
}

/// The one value of a parameter; none where it is empty.
pub(super) fn optional<'r>(request: &'r Request, name: &str) -> Result<Option<&'r str>, Problem> {
    let mut values = request.query.iter().filter(|(given, _)| given == name);
    let first = values.next().map(|(_, value)| value.as_str());
    if values.next().is_some() {
        let detail = format!("the parameter {name} stands twice");
        return Err(Problem::invalid(&format!("?{name}"), detail));
    }
    Ok(first.filter(|value| !value.is_empty()))
}

/// The id of an entity other than the registry.
pub(super) fn subject(edge: &Edge, sub: &str) -> Result<String, Problem> {
    let wrong = |detail: &str| Err(Problem::invalid("?sub", format!("sub: {detail}")));
    if sub.len() > MOST_ID_BYTES || Url::parse(sub).is_err() {
        return wrong("a DID or another absolute URL of at most 2,048 bytes is needed");
    }
    if sub.contains('#') {
        return wrong("a fragment names a key or a part of something; leave it out");
    }
    let registry = &edge.registry;
    if sub == registry.urls().origin() || sub == registry.did() {
        return wrong("this is the registry itself; see /.well-known/openid-federation");
    }
    Ok(sub.to_owned())
}

/// How somebody stands as an issuer, also where a port was not encoded as a query demands.
fn issuer(edge: &Edge, sub: &str) -> Result<IssuerStanding, Problem> {
    let standing = edge.registry.issuer(sub)?;
    match (standing.outcome, with_port(sub)) {
        (Outcome::Unknown, Some(other)) => Ok(edge.registry.issuer(&other)?),
        _ => Ok(standing),
    }
}

/// `did:web:HOST%3APORT:…` for what came as `did:web:HOST:PORT:…`. The DCC's client puts DIDs into
/// the query as they are, and a query is decoded once. What is found under it is named as it is
/// registered, so that nobody can take it for somebody else.
pub(super) fn with_port(sub: &str) -> Option<String> {
    let (host, rest) = sub.strip_prefix("did:web:")?.split_once(':')?;
    let port = rest.split(':').next()?;
    let is_port = port.parse::<u16>().is_ok_and(|n| n.to_string() == port);
    is_port.then(|| format!("did:web:{host}%3A{rest}"))
}

/// The accreditor whose endorsements are the trust marks of this type.
pub(super) fn accreditor(edge: &Edge, kind: &str) -> Result<ProfileView, Problem> {
    let unknown = || {
        not_found(
            "no trust marks of this type are issued here".into(),
            Outcome::Unknown,
        )
    };
    let profile = edge.registry.profile_by_id(kind)?;
    profile
        .filter(|profile| profile.roles.accreditor)
        .ok_or_else(unknown)
}

/// A key that is out of use, as section 8.7.2 shows it.
fn outlived(key: KeyView) -> Option<Value> {
    let mut jwk = key.jwk;
    jwk["iat"] = key.made_at.seconds().into();
    jwk["exp"] = key.retired_at.or(key.revoked_since)?.seconds().into();
    if let Some(since) = key.revoked_since {
        jwk["revoked"] = json!({ "revoked_at": since.seconds(), "reason": "compromised" });
    }
    Some(jwk)
}

pub(super) fn ids_reply<'i>(edge: &Edge, ids: impl Iterator<Item = &'i str>) -> Reply {
    let mut body = String::from("[");
    for id in ids {
        if body.len() > 1 {
            body.push(',');
        }
        body += &Value::from(id).to_string();
    }
    body.push(']');
    Reply::bytes(200, "application/json", body).fresh_for(edge.cache.look_up)
}

/// What is not there, and how it stands instead.
pub(super) fn not_found(detail: String, outcome: Outcome) -> Problem {
    Problem::new(404, "not-found", "Not found", detail).with("outcome", outcome.as_str())
}

/// An error as section 8.9 wants it: JSON with `error` and `error_description`. The members of the
/// problem document that it is everywhere else stand beside them.
pub(super) fn told(answered: Result<Reply, Problem>) -> Result<Reply, Problem> {
    let problem = match answered {
        Ok(reply) => return Ok(reply),
        Err(problem) => problem,
    };
    let error = match problem.status {
        400 if problem.kind.ends_with(UNSUPPORTED) => "unsupported_parameter",
        404 => "not_found",
        503 => "temporarily_unavailable",
        500.. => "server_error",
        _ => "invalid_request",
    };
    let description = plain(&problem.detail);
    let problem = problem
        .with("error", error)
        .with("error_description", description);
    let mut reply = problem.to_reply();
    for (name, value) in &mut reply.headers {
        if *name == "Content-Type" {
            *value = "application/json".to_owned();
        }
    }
    Ok(reply)
}

/// The characters that RFC 6749 section 5.2 allows in `error_description`.
fn plain(detail: &str) -> String {
    let allowed = |c: char| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    detail.chars().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_lost_its_encoding_is_found_again() {
        for (given, expected) in [
            (
                "did:web:localhost:8080:profiles:a",
                Some("did:web:localhost%3A8080:profiles:a"),
            ),
            ("did:web:localhost:8080", Some("did:web:localhost%3A8080")),
            ("did:web:example.org:profiles:a", None),
            ("did:web:example.org:08080:a", None),
            ("did:web:example.org:65536:a", None),
            ("did:web:example.org", None),
            ("did:key:z6Mk:1", None),
            ("https://example.org:8080/a", None),
        ] {
            assert_eq!(with_port(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn a_description_has_no_character_that_oauth_forbids() {
        assert_eq!(plain("no \"x\\y\" – here\n"), "no 'x?y' ? here?");
    }
}
