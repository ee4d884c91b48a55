//! One call of the HTTP contract and its answer, and the trait that carries them: over the
//! network to a running server, or straight into a data folder. The commands know only this.

use std::borrow::Cow;

use http::HeaderMap;
use serde_json::Value;

use super::error::CliError;

/// What a command asks for when it wants JSON; the service also answers some paths with pages.
pub(super) const JSON: &str =
    "application/json, application/ld+json;q=0.9, application/vc;q=0.8, application/problem+json";

/// One request of the HTTP contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method in capitals, such as `GET`.
    pub method: &'static str,
    /// The path with its query, beginning with `/`; percent-encoded where needed.
    pub path: String,
    /// The JSON body; a call without one sends no `Content-Type`.
    pub body: Option<Value>,
    /// A body that is not JSON: its media type and its bytes.
    pub text: Option<(&'static str, Vec<u8>)>,
    /// The `Accept` header; none leaves the choice to the server.
    pub accept: Option<&'static str>,
    /// The `Accept-Encoding` header; none takes the answer as it is.
    pub coding: Option<&'static str>,
    /// The `Idempotency-Key` header of a call that creates or changes something.
    pub idempotency_key: Option<String>,
    /// The `If-Match` header of a replacement: the entity tag that was read before.
    pub if_match: Option<String>,
}

impl Call {
    /// Reads JSON at `path`.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: None,
            text: None,
            accept: Some(JSON),
            coding: None,
            idempotency_key: None,
            if_match: None,
        }
    }

    /// Asks with a body; nothing is changed unless the path is one of those that change.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: "POST",
            body: Some(body),
            ..Self::get(path)
        }
    }

    /// As [`Call::post`], with a body of another media type than JSON.
    pub fn post_text(path: impl Into<String>, media: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            method: "POST",
            text: Some((media, bytes)),
            ..Self::get(path)
        }
    }

    /// The media type and the bytes of the body, where there is one.
    pub fn payload(&self) -> Option<(&'static str, Cow<'_, [u8]>)> {
        match (&self.body, &self.text) {
            (Some(body), _) => Some(("application/json", body.to_string().into_bytes().into())),
            (None, Some((media, bytes))) => Some((media, bytes.as_slice().into())),
            (None, None) => None,
        }
    }

    /// Replaces what stands at `path`.
    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: "PUT",
            ..Self::post(path, body)
        }
    }

    /// Whether the call may be sent a second time without doing its work twice.
    pub fn repeatable(&self) -> bool {
        self.method == "GET" || self.idempotency_key.is_some()
    }
}

/// What came back for a [`Call`].
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The headers; `Link` and `ETag` are read from them.
    pub headers: HeaderMap,
    /// The body, already without any content coding.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path and query of the next page, from `Link: <…>; rel="next"` (RFC 8288). Only the
    /// path is taken, so that a page can never send a command to another server.
    pub fn next_page(&self) -> Option<String> {
        let links = self.headers.get_all("link").iter();
        links
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .find_map(next_target)
    }
}

fn next_target(link: &str) -> Option<String> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let next = parameters.split(';').any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let rels = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && rels.split(' ').any(|rel| rel.eq_ignore_ascii_case("next"))
    });
    if !next {
        return None;
    }
    if target.starts_with('/') && !target.starts_with("//") {
        return Some(target.to_owned());
    }
    let url = url::Url::parse(target).ok()?;
    Some(url[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

/// Carries calls of the HTTP contract.
pub trait Transport {
    /// Makes one call and waits for its answer. An answer with any status is `Ok`; an error means
    /// that no answer came, so that a change may or may not have been made.
    fn call(&self, call: &Call) -> Result<Answer, CliError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(link: &str) -> Option<String> {
        let mut answer = Answer::default();
        answer.headers.insert("link", link.parse().unwrap());
        answer.next_page()
    }

    #[test]
    fn the_next_page_is_found_and_stays_on_the_same_server() {
        assert_eq!(
            linked(r#"</profiles>; rel="first", </profiles?cursor=a%2Cb>; rel="next""#).as_deref(),
            Some("/profiles?cursor=a%2Cb")
        );
        assert_eq!(
            linked("<https://other.example/endorsements?cursor=x#y>; rel=next").as_deref(),
            Some("/endorsements?cursor=x")
        );
        for none in [
            r#"</profiles>; rel="prev""#,
            "nonsense",
            "<//other.example/x>; rel=next",
        ] {
            assert_eq!(linked(none), None, "{none}");
        }
    }

    #[test]
    fn only_reads_and_keyed_changes_are_repeatable() {
        assert!(Call::get("/profiles").repeatable());
        let mut change = Call::post("/profiles", Value::Null);
        assert!(!change.repeatable());
        change.idempotency_key = Some("k".into());
        assert!(change.repeatable());
    }
}
