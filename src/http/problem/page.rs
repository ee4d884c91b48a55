//! A problem as a page.

use http::HeaderMap;
use serde_json::Value;

use crate::http::accept;
use crate::http::reply::Reply;
use crate::web::{Frame, Language, ProblemPage};

pub(in crate::http) const PROBLEM: &str = "application/problem+json";

/// Whether whoever asks would rather read a page.
pub(in crate::http) fn is_preferred(headers: &HeaderMap) -> bool {
    let accept = headers
        .get("accept")
        .and_then(|accept| accept.to_str().ok());
    accept::choose(accept, &[PROBLEM, "text/html"]) == Some("text/html")
}

/// A problem as a person reads it in a browser.
pub(in crate::http) fn of(problem: &Reply, language: Language) -> Reply {
    let members: Value = serde_json::from_slice(&problem.body).unwrap_or_default();
    let said = |member: &str| members[member].as_str().unwrap_or_default().to_owned();
    let title = match language {
        Language::English => said("title"),
        other => {
            let by_status = other.known(&format!("problem.title.{}", problem.status));
            by_status.map_or_else(|| said("title"), str::to_owned)
        }
    };
    let page = ProblemPage {
        frame: Frame::of_answer(language),
        status: problem.status,
        title,
        detail: said("detail"),
        detail_language: Language::English,
    };
    let mut reply = Reply::html(page.html());
    reply.status = problem.status;
    reply.wrong = problem.wrong.clone();
    // What the page says of itself stays.
    let others: Vec<_> = problem
        .headers
        .iter()
        .filter(|(name, _)| reply.get(name).is_none())
        .cloned()
        .collect();
    reply.headers.extend(others);
    reply
}
