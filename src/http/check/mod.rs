//! The page on which a person checks a credential: whatever they have of it, in one field or as a file. Nothing of
//! it is stored or logged.

mod asked;
mod found;
mod given;
mod shown;
mod trouble;

use serde_json::Value;
use utoipa::ToSchema;

use super::accept::negotiate;
use super::codes;
use super::edge::Edge;
use super::multipart;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::standing;
use crate::registry::StandingAnswer;
use crate::web::CheckForm;
use asked::{Answered, Sent};
use found::{Found, How};
use trouble::Trouble;

pub(super) use trouble::again;

/// Where credentials are checked.
pub(super) const PATH: &str = "/check";

/// What the form of the page sends: one of the two.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form, which is read field by field")]
pub(super) struct CheckFields {
    /// A credential as text (JSON, JWT, SVG), its URL or id, or the verification code that stands on a paper.
    credential: Option<String>,
    /// A file with a credential: JSON, a JWT, or a PNG or SVG image into which it was baked. At most 4 MiB.
    #[schema(format = Binary)]
    file: Option<String>,
}

/// A credential has at most so many bytes.
pub(super) const MOST_BYTES: usize = 4 << 20;

/// Why there is no answer.
enum Refused {
    /// What was given is nothing that can be checked.
    Trouble(Trouble, Option<String>),
    /// Anything else.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble, None)
    }
}

/// By the address of an answer: a credential by its id, its URL or a code, or an entry of a list.
pub(super) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let form = CheckForm {
        typed: ["credential", "url"]
            .into_iter()
            .find_map(|name| request.query(name))
            .map(trouble::short)
            .unwrap_or_default(),
        list: request.query("list").unwrap_or_default().to_owned(),
        index: request.query("index").unwrap_or_default().to_owned(),
    };
    let answered = asked::by_address(edge, request);
    reply(edge, request, answered, form)
}

/// By the form of the page.
pub(super) fn check(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let mut form = CheckForm::default();
    let answered = sent(request).and_then(|sent| {
        if let Sent::Text(text) = &sent {
            form.typed = trouble::short(text);
        }
        asked::by_form(edge, request, &sent)
    });
    reply(edge, request, answered, form)
}

/// What was sent by the form: its text, or its file.
fn sent(request: &Request) -> Result<Sent, Refused> {
    request
        .check_coding()
        .map_err(|problem| Refused::Trouble(Trouble::Kind, Some(problem.detail)))?;
    let has_type = request.header("content-type").is_some();
    let (mut text, mut file) = (None, None);
    if has_type && request.is("application/x-www-form-urlencoded") {
        for (name, value) in url::form_urlencoded::parse(&request.body) {
            if name == "credential" && !value.trim().is_empty() {
                let twice = text.replace(value.into_owned()).is_some();
                if twice {
                    return Err(Trouble::Both.into());
                }
            }
        }
    } else {
        let parts = multipart::parts(request).map_err(|problem| {
            let trouble = match problem.status {
                415 => Trouble::Kind,
                _ => Trouble::Form,
            };
            Refused::Trouble(trouble, Some(problem.detail))
        })?;
        for part in parts {
            let is_empty = part.body.trim_ascii().is_empty();
            let twice = match part.name.as_str() {
                _ if is_empty => false,
                "credential" => {
                    let typed = std::str::from_utf8(&part.body);
                    let typed = typed.map_err(|_| Refused::from(Trouble::Encoding))?;
                    text.replace(typed.to_owned()).is_some()
                }
                "file" => file.replace(part.body).is_some(),
                _ => false,
            };
            if twice {
                return Err(Trouble::Both.into());
            }
        }
    }
    match (text, file) {
        (Some(_), Some(_)) => Err(Trouble::Both.into()),
        (Some(text), None) if text.len() > MOST_BYTES => Err(Trouble::Large.into()),
        (None, Some(file)) if file.len() > MOST_BYTES => Err(Trouble::Large.into()),
        (Some(text), None) => Ok(Sent::Text(text)),
        (None, Some(file)) => Ok(Sent::File(file)),
        (None, None) => Err(Trouble::Empty.into()),
    }
}

fn reply(
    edge: &Edge,
    request: &Request,
    answered: Result<Answered, Refused>,
    form: CheckForm,
) -> Result<Reply, Problem> {
    let media_type = negotiate(
        request.accept().as_deref(),
        &["text/html", "application/json"],
    )?;
    let is_page = media_type == "text/html";
    match answered {
        Ok(Answered::Elsewhere(place)) => {
            let reply = Reply::empty(303).header("Location", place).not_kept();
            Ok(reply.header("Referrer-Policy", "no-referrer"))
        }
        Ok(Answered::Found(found)) if is_page => {
            let page = shown::page(edge, &request.frame(), &found)?;
            Ok(private(Reply::html(page).without_referrer()))
        }
        Ok(Answered::Found(found)) => {
            let text = results(edge, &found);
            Ok(private(Reply::bytes(200, "application/json", text)).header("Vary", "Accept"))
        }
        Err(Refused::Trouble(trouble, detail)) if is_page => {
            Ok(private(trouble.page(request.frame(), form, detail)))
        }
        Err(Refused::Trouble(trouble, detail)) => Err(trouble.problem(detail)),
        Err(Refused::Problem(problem)) => Err(problem),
    }
}

/// For whoever asked, and for no search engine.
fn private(reply: Reply) -> Reply {
    reply.header("X-Robots-Tag", "noindex").not_kept()
}

/// The answer as `POST /standing/query` gives it; of a code without what tells of the credential's holder.
fn results(edge: &Edge, found: &Found) -> Vec<u8> {
    match found.how {
        How::Code => standing::one_result(edge, &found.answer, |text, urls| {
            codes::write(text, urls, &found.answer, found.since);
            text.push(b'}');
        }),
        How::Document | How::Id | How::Entry | How::Party => {
            standing::one_result(edge, &found.answer, |text, urls| {
                standing::write(text, urls, &found.answer, None);
            })
        }
    }
}

/// The same, laid out for people.
fn results_laid_out(edge: &Edge, found: &Found) -> String {
    let text = results(edge, found);
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

/// Whether nothing at all is known of a credential by its id.
fn is_nothing(answer: &StandingAnswer) -> bool {
    answer.issuer.is_none() && answer.status.is_empty()
}
