//! Problem documents (RFC 9457): the one place where a refusal becomes an HTTP status.

pub(super) mod page;
mod unknown;

use serde_json::{Map, Value, json};

use super::reply::{Reply, Wrong};
use crate::access::Scope;
use crate::badges::ShapeError;
use crate::json::JsonError;
use crate::registry::{RegistryError, State, StepRefused};
use crate::store::engine::CommitError;

/// A refusal as the caller sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What kind of problem, as a stable URI.
    pub kind: Box<str>,
    /// The kind in words, the same each time.
    pub title: &'static str,
    /// What is wrong this time, where, and what to do.
    pub detail: String,
    /// Members beside those of the standard.
    pub more: Vec<(&'static str, Value)>,
    /// Headers that the status demands.
    pub headers: Vec<(&'static str, String)>,
    /// The kind of the error behind it, for the log, where it is a fault of this side.
    pub(super) cause: Option<Box<Cause>>,
}

/// The kind of an error, in a box so that what is answered instead of a problem stays small.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cause(String);

const OURS: &str = "urn:goodstanding:problem:";
const STATUS_LIST: &str = "https://www.w3.org/ns/credentials/status-list#";
const DATA_MODEL: &str = "https://www.w3.org/TR/vc-data-model#";

impl Problem {
    /// A problem of this registry's own kind.
    pub fn new(status: u16, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            kind: format!("{OURS}{kind}").into(),
            title,
            detail: detail.into(),
            more: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }
    }

    /// The same problem under the URI that a standard gives it.
    pub fn of_standard(mut self, uri: impl Into<Box<str>>) -> Self {
        self.kind = uri.into();
        self
    }

    /// The same problem with one more member.
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.more.push((member, value.into()));
        self
    }

    /// The same problem with a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A fault of this program, whose words are nobody else's.
    pub(super) fn internal() -> Self {
        let detail = "the request could not be answered";
        Self::new(500, "internal", "Internal error", detail)
    }

    /// Nothing is at this address.
    pub fn no_route(path: &str) -> Self {
        let detail = format!("there is nothing at {path}; see /docs for what there is");
        Self::new(404, "not-found", "Not found", detail)
    }

    /// The address takes other methods.
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this address takes {allow}");
        Self::new(405, "method-not-allowed", "Method not allowed", detail).header("Allow", allow)
    }

    /// No representation that the caller takes.
    pub fn not_acceptable(offers: &[&str]) -> Self {
        let detail = format!("this can be had as {}", offers.join(", "));
        Self::new(406, "not-acceptable", "Not acceptable", detail)
    }

    /// No coding that the caller takes.
    pub fn no_acceptable_coding() -> Self {
        let detail =
            "Accept-Encoding refuses this as it is, and allows no coding that it is kept in";
        Self::new(406, "not-acceptable", "Not acceptable", detail)
    }

    /// A change without a token.
    pub fn unauthenticated(detail: &str) -> Self {
        let challenge = "Bearer realm=\"goodstanding\"";
        Self::new(401, "unauthenticated", "A token is needed", detail)
            .header("WWW-Authenticate", challenge)
    }

    /// A bearer token that is good for nothing here (RFC 6750 section 3.1).
    pub fn invalid_token(detail: &str) -> Self {
        let description = crate::oauth::error::plain(detail);
        let challenge = format!(
            "Bearer realm=\"goodstanding\", error=\"invalid_token\", error_description=\"{description}\""
        );
        Self::new(401, "unauthenticated", "A token is needed", detail)
            .header("WWW-Authenticate", challenge)
    }

    /// A token of a provider whose keys are not known now: it may be good.
    pub fn provider_unreachable(detail: &str) -> Self {
        busy(
            "provider-unreachable",
            "Provider unreachable",
            detail.to_owned(),
        )
    }

    /// Whoever asks is known, and may not do this by what they are known by (RFC 6750 section 3.1).
    pub fn insufficient_scope(scope: &Scope) -> Self {
        let challenge = format!(
            "Bearer realm=\"goodstanding\", error=\"insufficient_scope\", scope=\"{scope}\""
        );
        let detail = format!("this needs the scope {scope}, which this token does not have");
        Self::new(
            403,
            "insufficient-scope",
            "The token is not good for this",
            detail,
        )
        .header("WWW-Authenticate", challenge)
    }

    /// A member of the request, or a parameter, is not what it has to be.
    pub fn invalid(pointer: &str, detail: impl Into<String>) -> Self {
        Self::new(400, "invalid-request", "Invalid request", detail).with("pointer", pointer)
    }

    /// The body is larger than is taken in.
    pub fn too_large(limit: usize) -> Self {
        let detail =
            format!("a body of at most {limit} bytes is taken; send it in several requests");
        Self::new(413, "body-too-large", "Body too large", detail)
    }

    /// The answer as JSON members.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        members.insert("type".into(), (*self.kind).into());
        members.insert("title".into(), self.title.into());
        members.insert("status".into(), self.status.into());
        members.insert("detail".into(), self.detail.clone().into());
        members.extend(
            self.more
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Value::Object(members)
    }

    /// The answer.
    pub fn to_reply(&self) -> Reply {
        let mut reply = Reply::bytes(
            self.status,
            "application/problem+json",
            self.to_value().to_string(),
        );
        reply.wrong = Some(Box::new(Wrong {
            problem: self.kind.clone(),
            cause: self.cause.as_ref().map(|cause| cause.0.clone()),
        }));
        self.headers
            .iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        let detail = error.to_string();
        let pointer = error.pointer().to_owned();
        match error {
            JsonError::UnknownMember { member, .. } => {
                Self::new(400, "unknown-member", "Unknown member", detail)
                    .with("pointer", pointer)
                    .with("member", member)
            }
            JsonError::Duplicate { .. } => {
                Self::new(400, "duplicate-member", "Duplicate member", detail)
                    .with("pointer", pointer)
            }
            _ => Self::invalid(&pointer, detail),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let kind = error.kind();
        let mut problem = Self::refused_by(error);
        problem.cause = (problem.status >= 500).then(|| Box::new(Cause(kind)));
        problem
    }
}

impl Problem {
    /// A refusal of the services as callers see it.
    fn refused_by(error: RegistryError) -> Self {
        let detail = error.to_string();
        match error {
            RegistryError::NotFound(..) => Self::new(404, "not-found", "Not found", detail),
            RegistryError::NotYours => Self::new(403, "not-yours", "Not yours to change", detail),
            RegistryError::NotAllowed(action) => Self::insufficient_scope(&Scope::Action(action)),
            RegistryError::OperatorOnly => {
                Self::new(403, "operator-only", "For the operator only", detail)
            }
            RegistryError::Invalid { pointer, detail } => Self::invalid(&pointer, detail),
            RegistryError::Shape(ShapeError::Unknown { at, .. }) => {
                Self::new(400, "unknown-member", "Unknown member", detail).with("pointer", at)
            }
            RegistryError::Shape(error) => Self::invalid(error.at(), detail),
            RegistryError::ChangedMeanwhile { .. } => {
                Self::new(412, "changed-meanwhile", "Changed meanwhile", detail)
            }
            RegistryError::SlugTaken(_) => Self::new(409, "slug-taken", "Slug taken", detail),
            RegistryError::RoleMissing(..) => {
                Self::new(403, "role-missing", "Role missing", detail)
            }
            RegistryError::AccreditorSuspended(_) => {
                Self::new(403, "accreditor-suspended", "Accreditor suspended", detail)
            }
            RegistryError::ScopeTooWide { member, .. } => {
                Self::new(422, "scope-too-wide", "Scope too wide", detail)
                    .with("pointer", format!("/scope/{member}"))
            }
            RegistryError::NotVerified(_) => Self::new(422, "not-verified", "Not verified", detail),
            RegistryError::ImportsFull => {
                Self::new(409, "imports-full", "Enough from elsewhere", detail)
            }
            RegistryError::IssuedElsewhere => {
                Self::new(409, "issued-elsewhere", "Issued elsewhere", detail)
            }
            RegistryError::PublicUrl { .. } => {
                Self::new(500, "public-url", "Wrong public URL", detail)
            }
            RegistryError::MasterKey => Self::new(500, "master-key", "Wrong master key", detail),
            RegistryError::MasterKeyPlace(_) => {
                Self::new(409, "master-key-place", "No other master key", detail)
            }
            RegistryError::ListFull { remaining, .. } => {
                Self::new(409, "list-full", "List full", detail).with("remaining", remaining)
            }
            RegistryError::ListHasRoom { list, .. } => {
                Self::new(409, "list-has-room", "Another list has room", detail).with("list", list)
            }
            RegistryError::ListSealed => Self::new(409, "list-sealed", "List sealed", detail),
            RegistryError::ListSealedByRestore => Self::new(
                409,
                "list-sealed-by-restore",
                "List sealed by a restore",
                detail,
            ),
            RegistryError::EntryTaken { .. } => {
                Self::new(409, "entry-taken", "Entry taken", detail)
            }
            RegistryError::Ambiguous(_) => Self::new(409, "ambiguous", "Ambiguous", detail),
            RegistryError::TokenShown { .. } => {
                Self::new(409, "token-shown", "Token made already", detail)
            }
            RegistryError::SecretShown { .. } => {
                Self::new(409, "secret-shown", "Secret made already", detail)
            }
            RegistryError::RegistrationClosed => {
                Self::new(403, "registration-closed", "No registration", detail)
            }
            RegistryError::ClientsFull => Self::new(409, "clients-full", "Enough clients", detail),
            RegistryError::PurposeTaken { list, .. } => {
                Self::new(409, "purpose-taken", "Purpose taken", detail).with("list", list)
            }
            RegistryError::AllRefused(refused) => Self::new(
                422,
                "all-refused",
                "Nothing could be changed",
                all_refused(detail, &refused),
            )
            .with("refused", json!(refused)),
            RegistryError::Subject(_) => Self::new(422, "wrong-subject", "Wrong subject", detail),
            RegistryError::SelfEndorsement => {
                Self::new(422, "self-endorsement", "Self-endorsement", detail)
            }
            RegistryError::RequestOpen { request } => {
                Self::new(409, "request-open", "Asked for already", detail).with("request", request)
            }
            RegistryError::OtherSide(_) => {
                Self::new(403, "not-yours", "Not yours to change", detail)
            }
            RegistryError::Step(refused) => step_refused(refused, detail),
            RegistryError::NotSuspendable => {
                Self::new(409, "not-suspendable", "Not suspendable", detail)
            }
            RegistryError::TooMany(_) => {
                Self::new(503, "too-many", "Too many for one answer", detail)
            }
            RegistryError::Irreversible(_) => {
                Self::new(409, "irreversible", "Irreversible", detail)
            }
            RegistryError::Key(_) => Self::new(409, "key", "Key cannot be used so", detail),
            RegistryError::SignedElsewhere { .. } => {
                Self::new(409, "signed-elsewhere", "Signed elsewhere", detail)
            }
            RegistryError::WaitsForSignature(_) => {
                Self::new(503, "waits-for-signature", "Not signed yet", detail)
            }
            RegistryError::NotSigned { pointer, .. } => {
                Self::new(422, "not-signed", "Not what is to be signed", detail)
                    .with("pointer", pointer)
            }
            RegistryError::NotPossessed { pointer, .. } => {
                Self::new(422, "not-possessed", "Key not possessed", detail)
                    .with("pointer", pointer)
            }
            RegistryError::KeyTaken => Self::new(409, "key-taken", "Key used before", detail),
            RegistryError::RotationUnderWay { .. } => Self::new(
                409,
                "rotation-under-way",
                "Keys are changing already",
                detail,
            ),
            RegistryError::Unsignable(_) => {
                Self::new(422, "unsignable", "Cannot be signed", detail)
            }
            RegistryError::IdempotencyKeyReused => Self::new(
                422,
                "idempotency-key-reused",
                "Idempotency key reused",
                detail,
            ),
            RegistryError::QuotaSpent {
                quota,
                limit,
                used,
                anew,
                ..
            } => {
                let problem = match anew {
                    None => Self::new(409, "quota-reached", "Quota reached", detail),
                    Some((anew, seconds)) => {
                        Self::new(429, "quota-spent", "Quota spent for today", detail)
                            .with("resets", anew.to_string())
                            .header("Retry-After", seconds.to_string())
                    }
                };
                let problem = problem.with("quota", quota.name());
                let problem = problem.with("of", quota.of());
                problem.with("limit", limit).with("used", used)
            }
            RegistryError::Contended => busy("contended", "Too much at once", detail),
            RegistryError::Commit(CommitError::Conflict) => {
                busy("contended", "Too much at once", detail)
            }
            RegistryError::Commit(CommitError::Indeterminate(_)) => {
                busy("outcome-unknown", "Outcome unknown", detail)
            }
            RegistryError::Commit(CommitError::Unavailable(_)) => {
                busy(READ_ONLY, "No changes are taken now", detail)
            }
            RegistryError::ReadOnly(state) => read_only(&state),
            RegistryError::Store(_) => Self::new(500, "store", "Store cannot be read", detail),
        }
    }
}

fn step_refused(refused: StepRefused, detail: String) -> Problem {
    let (kind, title) = match refused {
        StepRefused::Closed(_) => ("request-closed", "Request closed"),
        StepRefused::NothingAsked => ("nothing-asked", "Nothing asked"),
        StepRefused::QuestionOpen => ("question-open", "Question open"),
        StepRefused::Full => ("request-full", "Request full"),
    };
    Problem::new(409, kind, title, detail)
}

/// With a single update the reason is the problem; with many, the list tells.
fn all_refused(detail: String, refused: &[crate::registry::Refused]) -> String {
    match refused {
        [only] => only.reason.clone(),
        _ => detail,
    }
}

/// The kinds of problems that say in which state the registry is. The log tells of a state when it begins
/// and when it is over, and not with each request.
const READ_ONLY: &str = "read-only";
const NOT_READY: &str = "not-ready";

/// No changes are taken, or nothing can be signed.
fn read_only(state: &State) -> Problem {
    let detail = format!(
        "{}; no changes are taken until that is over. What was signed before is served as long as it \
         holds",
        state.happened()
    );
    Problem::new(503, READ_ONLY, "No changes are taken now", detail)
        .with("state", state.name())
        .header("Retry-After", state.ask_again_in().to_string())
}

impl Problem {
    /// What readiness says where no changes are taken: `states`, those that keep the registry from it
    /// before others, of which there is at least one.
    pub(super) fn not_ready(states: &[State]) -> Self {
        let first = states.first();
        let words = |state: &State| format!("{}; {}", state.happened(), state.to_do());
        let problem = Self::new(
            503,
            NOT_READY,
            "Not ready",
            first.map(words).unwrap_or_default(),
        );
        problem
            .with("state", first.map(State::name).unwrap_or_default())
            .with("states", states.iter().map(shown).collect::<Vec<_>>())
    }
}

/// A state as readiness shows it.
pub(super) fn shown(state: &State) -> Value {
    json!({ "state": state.name(), "detail": state.happened(), "whatToDo": state.to_do() })
}

/// Whether a problem of this kind tells of a state that the log has told of already.
pub(super) fn tells_of_state(kind: &str) -> bool {
    matches!(kind.strip_prefix(OURS), Some(READ_ONLY | NOT_READY))
}

fn busy(kind: &str, title: &'static str, detail: String) -> Problem {
    Problem::new(503, kind, title, detail).header("Retry-After", "1")
}
