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

/// The last word of a problem's type, which names its kind.
pub(in crate::http) fn kind_of(uri: &str) -> &str {
    uri.rsplit([':', '#']).next().unwrap_or_default()
}

/// A problem as a person reads it in a browser.
pub(in crate::http) fn of(problem: &Reply, language: Language) -> Reply {
    let members: Value = serde_json::from_slice(&problem.body).unwrap_or_default();
    let said = |member: &str| members[member].as_str().unwrap_or_default().to_owned();
    let (title, to_do) = match language {
        Language::English => (said("title"), None),
        other => {
            let by_kind = other.problem(kind_of(members["type"].as_str().unwrap_or_default()));
            let by_status = || other.known(&format!("problem.title.{}", problem.status));
            let title = by_kind.map(|(title, _)| title).or_else(by_status);
            let title = title.map_or_else(|| said("title"), str::to_owned);
            (title, by_kind.map(|(_, to_do)| to_do))
        }
    };
    let page = ProblemPage {
        frame: Frame::of_answer(language),
        status: problem.status,
        title,
        detail: said("detail"),
        detail_language: Language::English,
        to_do,
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
