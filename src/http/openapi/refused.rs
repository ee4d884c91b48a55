//! How requests are refused: with which statuses, of which types, and in whose words.

use serde_json::{Map, Value, json};

use super::problem_schema;
use crate::http::open_badges;
use crate::http::routes::{Access, Guessed, Route};

/// The URN that types of problems begin with, where no standard names one.
const OURS: &str = "urn:goodstanding:problem:";

/// A status by which requests are refused.
struct Refusal {
    status: u16,
    means: &'static str,
    /// The types of its problems: the last part of their URN.
    kinds: &'static [&'static str],
    /// The header that tells when to come back, or what is missing.
    header: Option<&'static str>,
}

const fn refusal(status: u16, means: &'static str, kinds: &'static [&'static str]) -> Refusal {
    let header = match status {
        401 => Some("WWW-Authenticate"),
        429 | 503 => Some("Retry-After"),
        _ => None,
    };
    Refusal {
        status,
        means,
        kinds,
        header,
    }
}

#[rustfmt::skip]
const REFUSALS: [Refusal; 14] = [
    refusal(400, "Not what it has to be: `detail` says what, `pointer` where", &[
        "invalid-request", "unknown-member", "duplicate-member", "unknown-parameter", "body-broken-off",
        "several-tokens", "several-hosts", "mistyped-code",
    ]),
    refusal(401, "A token, or a client's secret or signature, that is missing or good for nothing here", &["unauthenticated"]),
    refusal(403, "Known, and not allowed; in development mode also a page of another origin", &[
        "insufficient-scope", "not-yours", "operator-only", "role-missing", "accreditor-suspended",
        "registration-closed", "no-profile", "history-withheld", "foreign-origin", "form-refused",
    ]),
    refusal(404, "Nothing of that name is here, or it is somebody else's private affair; of a list also a moment that is not held (the URL of the Bitstring Status List's STATUS_RETRIEVAL_ERROR)", &[
        "not-found", "unknown-entity", "unknown-authority", "unknown-code",
    ]),
    refusal(406, "Accept or Accept-Encoding takes nothing that this is kept in; `detail` names what there is", &["not-acceptable"]),
    refusal(408, "The body came too slowly", &["body-too-slow"]),
    refusal(409, "It does not go with how things stand; `detail` says why, and what to do", &[
        "slug-taken", "imports-full", "issued-elsewhere", "master-key-place", "list-full", "list-has-room",
        "list-sealed", "list-sealed-by-restore", "entry-taken", "ambiguous", "token-shown", "secret-shown",
        "clients-full", "purpose-taken", "request-open", "request-closed", "nothing-asked", "question-open",
        "request-full", "not-suspendable", "irreversible", "key", "key-taken", "signed-elsewhere",
        "rotation-under-way", "quota-reached", "backup-under-way", "no-backup-folder",
    ]),
    refusal(412, "Changed since the version that If-Match names: fetch it again", &["changed-meanwhile"]),
    refusal(413, "The body is larger than is taken in: send it in several requests", &["body-too-large"]),
    refusal(415, "A body of another media type, or in a coding that is not taken", &[
        "unsupported-media-type", "unsupported-content-coding",
    ]),
    refusal(422, "Well formed, and not to be done; `detail` says why", &[
        "scope-too-wide", "not-verified", "all-refused", "rows-refused", "wrong-subject", "self-endorsement",
        "not-signed", "not-possessed", "unsignable", "idempotency-key-reused",
    ]),
    refusal(429, "Too many requests, or a quota is spent for today", &["too-many-requests", "quota-spent", "uploads-full"]),
    refusal(500, "A fault of this registry; it is in its log", &["internal", "store", "public-url", "master-key", "backup-damaged"]),
    refusal(503, "Not now: come back, with the same Idempotency-Key where it was a change", &[
        "behind", "read-only", "not-ready", "contended", "outcome-unknown", "provider-unreachable",
        "waits-for-signature", "too-many", "no-feed", "no-backup", "unreachable",
    ]),
];

/// An answer to a question about the past, which none has who keeps no history.
const NO_HISTORY: Refusal = refusal(
    501,
    "The issuer of the list tells nobody how it was",
    &["no-history"],
);

/// In whose words a route refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    /// Problem documents (RFC 9457).
    Ours,
    /// OAuth 2.0 (RFC 6749 section 5.2); what is not about it as a problem document.
    OAuth,
    /// OpenID Federation 1.0 section 8.9, beside the members of a problem document.
    Federation,
    /// 1EdTech.
    OpenBadges,
}

impl Words {
    fn of(route: &Route) -> Self {
        let federation = ["/federation/", "/.well-known/openid-federation"];
        match () {
            () if open_badges::is_below(route.path) => Self::OpenBadges,
            () if route.access == Access::Client => Self::OAuth,
            () if federation.iter().any(|start| route.path.starts_with(start)) => Self::Federation,
            () => Self::Ours,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "Problem",
            Self::OAuth => "OAuth",
            Self::Federation => "Federation",
            Self::OpenBadges => "OpenBadges",
        }
    }

    /// The media types of a refusal, each with the name of its schema.
    const fn content(self) -> &'static [(&'static str, &'static str)] {
        const PROBLEM: (&str, &str) = ("application/problem+json", "Problem");
        match self {
            Self::Ours => &[PROBLEM],
            Self::OAuth => &[("application/json", "OAuthError"), PROBLEM],
            Self::Federation => &[("application/json", "FederationError"), PROBLEM],
            Self::OpenBadges => &[("application/json", "Imsx_StatusInfo")],
        }
    }
}

/// Says of the operation of a route how it refuses; what it says already stays.
pub(super) fn tell(route: &Route, operation: &mut Value) {
    let words = Words::of(route).name();
    for status in statuses(route) {
        let reference = json!({ "$ref": format!("#/components/responses/{words}{status}") });
        operation["responses"][status.to_string()] = reference;
    }
}

/// The statuses by which a route refuses.
fn statuses(route: &Route) -> Vec<u16> {
    let changes = route.method != "GET";
    let names = route.path.contains('{') || !route.query.is_empty() || route.body.is_some();
    let negotiates = route.media.len() > 1 || route.path.starts_with("/docs/viewer");
    let ambiguous = route.query.contains(&"credential");
    // What is signed here is not given out to be signed elsewhere.
    let unsigned = route.path.ends_with("/unsigned");
    let statuses = [
        (400, true),
        (401, true),
        (403, true),
        (404, names),
        (406, negotiates),
        (408, changes),
        (
            409,
            changes && route.access != Access::Public || ambiguous || unsigned,
        ),
        (412, route.method == "PUT"),
        (413, changes),
        (415, changes),
        (422, changes && route.access != Access::Public),
        (
            429,
            route.access != Access::Public || route.guessed_at != Guessed::Never,
        ),
        (500, true),
        (501, route.past.is_some()),
        (503, true),
    ];
    let those = statuses.into_iter().filter(|(_, holds)| *holds);
    those.map(|(status, _)| status).collect()
}

/// The refusals, once for all routes; their schemas are added to `schemas`.
pub(super) fn responses(schemas: &mut Map<String, Value>) -> Map<String, Value> {
    for (name, schema) in [
        ("Problem", problem_schema()),
        ("OAuthError", oauth_schema()),
        ("FederationError", federation_schema()),
        ("Imsx_StatusInfo", open_badges::status_info_schema()),
    ] {
        schemas.insert(name.into(), schema);
    }
    let mut responses = Map::new();
    for words in [
        Words::Ours,
        Words::OAuth,
        Words::Federation,
        Words::OpenBadges,
    ] {
        for refusal in REFUSALS.iter().chain([&NO_HISTORY]) {
            let name = format!("{}{}", words.name(), refusal.status);
            responses.insert(name, response(words, refusal));
        }
    }
    responses
}

fn response(words: Words, refusal: &Refusal) -> Value {
    let mut response = json!({ "description": refusal.means, "content": content(words) });
    if words != Words::OpenBadges {
        let kinds = refusal.kinds.iter().map(|kind| format!("{OURS}{kind}"));
        response["x-problem-types"] = kinds.collect();
    }
    if let Some(header) = refusal.header {
        let reference = json!({ "$ref": format!("#/components/headers/{header}") });
        response["headers"] = json!({ (header): reference });
    }
    response
}

/// The body of a refusal: also a page, for who prefers that.
fn content(words: Words) -> Value {
    let each = words.content().iter().map(|(media, schema)| {
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        ((*media).to_owned(), json!({ "schema": schema }))
    });
    let mut content: Map<String, Value> = each.collect();
    if words != Words::OpenBadges {
        let page = json!({ "schema": { "type": "string" } });
        content.insert("text/html".into(), page);
    }
    content.into()
}

/// The body of a refusal in our words, or in those of 1EdTech.
pub(super) fn content_of(of_open_badges: bool) -> Value {
    content(match of_open_badges {
        true => Words::OpenBadges,
        false => Words::Ours,
    })
}

fn oauth_schema() -> Value {
    json!({
        "type": "object",
        "description": "A refusal in the words of OAuth 2.0 (RFC 6749 section 5.2)",
        "required": ["error", "error_description"],
        "properties": {
            "error": { "type": "string", "description": "Which, for programs: such as invalid_client or invalid_scope" },
            "error_description": { "type": "string", "description": "What is wrong, for people", "maxLength": 400 },
        },
        "examples": [{
            "error": "invalid_scope",
            "error_description": "the client may not have status:write",
        }],
    })
}

fn federation_schema() -> Value {
    json!({
        "type": "object",
        "description": "A refusal as OpenID Federation 1.0 section 8.9 has it; the members of the problem \
            document that it is stand beside",
        "required": ["error", "error_description", "type", "title", "status", "detail"],
        "properties": {
            "error": {
                "enum": ["invalid_request", "unsupported_parameter", "not_found", "temporarily_unavailable", "server_error"],
                "description": "Which, for programs",
            },
            "error_description": { "type": "string", "description": "What is wrong, for people" },
            "type": { "type": "string", "format": "uri", "description": "The type of the problem" },
            "title": { "type": "string", "description": "The same for each problem of its type" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status" },
            "detail": { "type": "string", "description": "What is wrong, where, what to do" },
            "outcome": { "type": "string", "description": "How what was asked for stands instead" },
        },
        "examples": [{
            "error": "not_found",
            "error_description": "no issuer of that name is endorsed here",
            "type": "urn:goodstanding:problem:not-found",
            "title": "Not found",
            "status": 404,
            "detail": "no issuer of that name is endorsed here",
        }],
    })
}
