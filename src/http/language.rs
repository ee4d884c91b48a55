//! In which language a page is: the one asked for by `?lang=`, which a cookie remembers, else the
//! one that the browser says its reader likes best.

use http::HeaderMap;

use super::reply::Reply;
use super::request::parse_query;
use crate::web::Language;

const COOKIE: &str = "language";
const PARAMETER: &str = "lang";

/// The language for whoever asks with these headers and this query.
pub(super) fn of(query: &[(String, String)], headers: &HeaderMap) -> Language {
    let accepted = || {
        let lines = headers.get_all("accept-language").iter();
        let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
        Language::accepted(&lines.join(","))
    };
    let found = asked(query).or_else(|| remembered(headers));
    found.or_else(accepted).unwrap_or_default()
}

/// What the answer to a page says that was asked for in a language: that it stays so.
pub(super) fn remember(reply: Reply, query: &str, secure: bool) -> Reply {
    let Some(language) = asked(&parse_query(query)) else {
        return reply;
    };
    let code = language.code();
    let secure = if secure { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={code}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}");
    reply.header("Set-Cookie", cookie)
}

fn asked(query: &[(String, String)]) -> Option<Language> {
    let found = query.iter().find(|(name, _)| name == PARAMETER);
    found.and_then(|(_, tag)| Language::of_tag(tag))
}

fn remembered(headers: &HeaderMap) -> Option<Language> {
    let lines = headers.get_all("cookie").iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, tag) = pairs.find(|(name, _)| *name == COOKIE)?;
    Language::of_tag(tag)
}

/// Whether this parameter of a query is the one that asks for a language.
pub(super) fn is_asked_by(parameter: &str) -> bool {
    parameter == PARAMETER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_comes_before_what_is_remembered_and_what_is_liked() {
        let headers = |cookie: &'static str, accepted: &'static str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("cookie", cookie), ("accept-language", accepted)] {
                headers.append(name, value.parse().unwrap());
            }
            headers
        };
        for (query, cookie, accepted, expected) in [
            ("lang=de", "language=en", "en", "de"),
            ("q=1", "a=b; language=de", "en", "de"),
            ("", "slanguage=de", "de-AT;q=0.9, fr", "de"),
            ("lang=xx", "language=xx", "fr", "en"),
            ("", "", "", "en"),
        ] {
            let found = of(&parse_query(query), &headers(cookie, accepted));
            assert_eq!(found.code(), expected, "{query} {cookie} {accepted}");
        }
    }
}
