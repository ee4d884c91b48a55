//! What can go wrong between a person's command and the registry's answer, said with the place
//! and with what to do next.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use thiserror::Error;

use super::place::PlaceError;
use super::transport::{Answer, Call};
use crate::web::Language;

/// Why a command did not get its answer. The text names the place and the next step.
#[derive(Debug, Error)]
pub enum CliError {
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// A name given on the command line is not one of the kind that is wanted.
    #[error("{0}")]
    Place(#[from] PlaceError),
    /// A URL belongs to another server than the one the command goes to.
    #[error("{given} is on another server than {server}")]
    OtherServer {
        /// The URL or DID as it was given.
        given: String,
        /// The server that the command goes to.
        server: String,
    },
    /// Nothing listens at the server's address.
    #[error("nothing answers at {server} ({reason})")]
    NoServer {
        /// The server's URL.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// The connection broke, or the time was up, before the answer was there.
    #[error("{method} {path}: no answer from {server}: {reason}")]
    Lost {
        /// The method of the call.
        method: &'static str,
        /// The path of the call.
        path: String,
        /// The server's URL.
        server: String,
        /// What happened to the connection.
        reason: String,
        /// For a change: the key under which it can be asked for again.
        idempotency_key: Option<String>,
    },
    /// The server, or the folder's registry, refused.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// An answer is not what the contract says.
    #[error("{method} {path}: {reason}")]
    NotTheContract {
        /// The method of the call.
        method: &'static str,
        /// The path of the call.
        path: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A file or standard input cannot be read.
    #[error("cannot read {place}: {reason}")]
    Unreadable {
        /// The file's path, or `standard input`.
        place: String,
        /// What the system said, or why it is refused.
        reason: String,
    },
    /// The text that was read is not JSON, or not JSON that can be relied on.
    #[error("{place} is not usable JSON: {reason}")]
    NotJson {
        /// The file's path, the URL, or `standard input`.
        place: String,
        /// Where and what.
        reason: String,
    },
    /// A document cannot be fetched.
    #[error("cannot fetch {url}: {reason}")]
    Fetch {
        /// The URL.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The registry in a folder cannot be opened.
    #[error("cannot work on {}: {reason}", data.display())]
    Folder {
        /// The folder given with `--data`.
        data: PathBuf,
        /// What the registry said.
        reason: String,
    },
    /// `init` or `serve` failed; the text is theirs.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// The same as a problem document (RFC 9457), for `--json`: with the call that led to it in `at`, and
    /// what to do in `next`, where these are known.
    pub(super) fn to_json(&self) -> Value {
        let mut document = match self {
            Self::Problem(problem) => problem.document.clone(),
            other => json!({
                "type": "about:blank",
                "title": "The command could not be carried out",
                "detail": other.to_string(),
            }),
        };
        let at = match self {
            Self::Problem(problem) => Some((problem.method, &problem.path)),
            Self::Lost { method, path, .. } | Self::NotTheContract { method, path, .. } => {
                Some((*method, path))
            }
            _ => None,
        };
        if let Some((method, path)) = at {
            document["at"] = format!("{method} {path}").into();
        }
        if let Some(next) = self.next_step() {
            document["next"] = next.into();
        }
        document
    }

    /// What to do now, where the text does not say so itself.
    pub(super) fn next_step(&self) -> Option<String> {
        let next = match self {
            Self::Usage(_) | Self::Place(_) => {
                "--help behind the command shows its arguments, with examples"
            }
            Self::OtherServer { .. } => {
                "give --server for it, or the name alone if both are the same registry"
            }
            Self::NoServer { .. } => {
                "start a server with `goodstanding serve --dev` or `make run`, name another with \
                 --server URL, or work on a folder with --data DIR"
            }
            Self::Lost {
                idempotency_key, ..
            } => {
                return Some(match idempotency_key {
                    Some(key) => uncertain(key),
                    None => "repeat it; --timeout SECONDS waits longer".into(),
                });
            }
            Self::Problem(problem) => return problem.next_step(),
            Self::NotTheContract { .. } => {
                "see whether --server names the address of a goodstanding server"
            }
            Self::Unreadable { .. } => {
                "see whether the name is right and the file may be read; - names standard input"
            }
            Self::NotJson { .. } => "mend the document at that place, or name another",
            Self::Fetch { .. } => "see whether the URL is right, or fetch it and name the file",
            Self::Folder { .. } => "`goodstanding doctor --data DIR` examines a folder",
            Self::Failed(_) => return None,
        };
        Some(next.into())
    }

    /// The text for a person, each step on a line of its own.
    pub(super) fn told(&self) -> String {
        match self.next_step() {
            Some(next) => format!("{self}\n  next  {next}"),
            None => self.to_string(),
        }
    }
}

/// So many refusals of one request are shown to a person; `--json` shows all.
const SHOWN_REFUSALS: usize = 20;

/// A problem document (RFC 9457) that the registry answered with, and the call that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The method of the call.
    pub method: &'static str,
    /// The path of the call.
    pub path: String,
    /// The HTTP status code.
    pub status: u16,
    /// The key under which a change that may have been made can be asked for again.
    pub idempotency_key: Option<String>,
    /// The document as it came.
    pub document: Value,
}

impl Problem {
    /// Reads the problem out of an answer with a status of 400 or more. A body that is not a
    /// problem document (a proxy's page, say) becomes one that says so.
    pub fn of(call: &Call, answer: &Answer) -> Self {
        let document = serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .filter(|body| {
                ["title", "detail", "error"]
                    .iter()
                    .any(|name| body.get(name).is_some())
            })
            .unwrap_or_else(|| {
                json!({
                    "type": "about:blank",
                    "title": format!("The server answered {}", answer.status),
                    "status": answer.status,
                })
            });
        Self {
            method: call.method,
            path: call.path.clone(),
            status: answer.status,
            idempotency_key: call.idempotency_key.clone(),
            document,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some(match self.status {
            401 => "give a token with --token-file FILE or GOODSTANDING_TOKEN; \
                    `goodstanding init` and `goodstanding token` make one"
                .into(),
            403 => "use the token of the profile that owns it, or the operator's".into(),
            404 => "check the name; `goodstanding profile list` and \
                    `goodstanding endorsements` show what is there"
                .into(),
            412 => "it was changed meanwhile: look at it again, then repeat".into(),
            429 => "wait a little, then repeat".into(),
            500.. => match &self.idempotency_key {
                Some(key) => uncertain(key),
                None => "repeat it later".into(),
            },
            _ => {
                let kind = self.document.get("type").and_then(Value::as_str)?;
                let kind = kind.rsplit([':', '#']).next()?;
                Language::English.problem(kind)?.1.into()
            }
        })
    }
}

/// How to find out about a change whose outcome is not known.
fn uncertain(key: &str) -> String {
    format!(
        "the change may have been made: repeat the command with --idempotency-key {key}, \
         which makes it once and shows its outcome"
    )
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = headline(&self.document);
        let errors = self.document.get("errors").and_then(Value::as_array);
        for error in errors.into_iter().flatten() {
            let _ = write!(text, "\n  {}", headline(error));
        }
        let refused = self.document.get("refused").and_then(Value::as_array);
        for refusal in refused.into_iter().flatten().take(SHOWN_REFUSALS) {
            let item = refusal.get("item").unwrap_or(&Value::Null);
            let reason = refusal.get("reason").map_or(String::new(), headline);
            let _ = write!(text, "\n  item {item}: {reason}");
        }
        let _ = write!(
            text,
            "\n  at    {} {} ({})",
            self.method, self.path, self.status
        );
        if let Some(pointer) = self.document.get("pointer").and_then(Value::as_str) {
            let _ = write!(text, "\n  place {pointer}");
        }
        f.write_str(&text)
    }
}

/// `title: detail` of a problem document or of one of its parts, with its pointer in front where
/// it is a part; or what a refusal of OAuth says (RFC 6749 section 5.2).
pub(super) fn headline(problem: &Value) -> String {
    if let Some(text) = problem.as_str() {
        return text.to_owned();
    }
    let member = |name: &str| problem.get(name).and_then(Value::as_str);
    let [title, detail] = match member("error") {
        Some(code) if member("title").is_none() => [Some(code), member("error_description")],
        _ => [member("title"), member("detail")],
    };
    let words = match (title, detail) {
        (Some(title), Some(detail)) if !title.is_empty() => format!("{title}: {detail}"),
        (Some(words), None) | (None | Some(_), Some(words)) => words.to_owned(),
        (None, None) => problem.to_string(),
    };
    match member("pointer") {
        Some(pointer) if member("title").is_none() => format!("{pointer}: {words}"),
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, body: &str) -> Problem {
        let mut call = Call::post("/status-lists/x/updates", json!({}));
        call.idempotency_key = Some("k1".into());
        let answer = Answer {
            status,
            body: body.into(),
            ..Answer::default()
        };
        Problem::of(&call, &answer)
    }

    #[test]
    fn a_refusal_of_oauth_is_told_in_its_words() {
        let body = r#"{"error":"invalid_client_metadata","error_description":"role is missing"}"#;
        let told = problem(400, body).to_string();
        assert!(
            told.starts_with("invalid_client_metadata: role is missing\n"),
            "{told}"
        );
    }

    #[test]
    fn a_problem_shows_its_place_and_the_next_step() {
        let body = r#"{"title":"Unprocessable","detail":"nothing was applied",
                       "errors":[{"pointer":"/updates/3/index","detail":"not in the list"}]}"#;
        assert_eq!(
            problem(422, body).to_string(),
            "Unprocessable: nothing was applied\n  \
             /updates/3/index: not in the list\n  \
             at    POST /status-lists/x/updates (422)"
        );
        assert_eq!(
            CliError::Problem(Box::new(problem(401, r#"{"title":"No token"}"#))).told(),
            "No token\n  at    POST /status-lists/x/updates (401)\n  \
             next  give a token with --token-file FILE or GOODSTANDING_TOKEN; \
             `goodstanding init` and `goodstanding token` make one"
        );
    }

    #[test]
    fn where_all_is_refused_each_reason_is_shown() {
        let body = r#"{"title":"Nothing could be changed","detail":"2 of 2 were refused",
                       "refused":[{"item":0,"reason":"out of range"},{"item":1,"reason":"sealed"}]}"#;
        let text = problem(422, body).to_string();
        assert!(
            text.contains("\n  item 0: out of range\n  item 1: sealed\n"),
            "{text}"
        );
    }

    #[test]
    fn a_page_instead_of_a_problem_is_still_an_error_with_a_key_to_ask_again() {
        let problem = problem(502, "<html>Bad gateway</html>");
        let text = CliError::Problem(Box::new(problem)).told();
        assert!(text.starts_with("The server answered 502\n"), "{text}");
        assert!(text.contains("--idempotency-key k1"), "{text}");
    }
}
