//! What a handler answers.

use bytes::Bytes;
use serde_json::Value;

use super::feed::Follow;
use crate::time::{Timestamp, Ttl};
use crate::web::CONTENT_SECURITY_POLICY;

/// The headers of an answer that a page of any origin may read.
pub(super) const EXPOSED: &str = "ETag, Goodstanding-Revision, Last-Modified, Link, Location, RateLimit, RateLimit-Policy, Retry-After";

/// An answer: status, headers, body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers, in the order in which they were set.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// What the body goes on with, for as long as there is somebody who reads it.
    pub(super) follow: Option<Follow>,
    /// What went wrong, for the log.
    pub(super) wrong: Option<Box<Wrong>>,
}

/// What went wrong where an answer is a problem, in words that repeat nothing that was sent.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    /// The problem's type.
    pub(super) problem: Box<str>,
    /// The kind of the error behind it, where it is a fault of this side.
    pub(super) cause: Option<String>,
}

impl Reply {
    /// An answer with a body of this media type.
    pub fn bytes(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type", media_type.to_owned())];
        Self {
            status,
            headers,
            body: body.into(),
            follow: None,
            wrong: None,
        }
    }

    /// JSON.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, "application/json", value.to_string())
    }

    /// A page.
    pub fn html(page: String) -> Self {
        Self::page(page, CONTENT_SECURITY_POLICY)
    }

    /// A page whose form may lead on to another place, which is an origin or a scheme: browsers hold
    /// where a form leads against the policy also where it is redirected. A client may have opened it in
    /// a window of its own, and waits for what that window tells it in the end.
    pub(super) fn html_that_leads_to(page: String, place: &str) -> Self {
        let policy = CONTENT_SECURITY_POLICY;
        let policy = policy.replace("form-action 'self'", &format!("form-action 'self' {place}"));
        Self::page(page, &policy).header("Cross-Origin-Opener-Policy", "unsafe-none")
    }

    /// A page under this policy, with what all pages say of themselves. What they say depends on the
    /// language, too.
    fn page(page: String, policy: &str) -> Self {
        Self::bytes(200, "text/html; charset=utf-8", page)
            .header("Content-Security-Policy", policy)
            .header("Referrer-Policy", "same-origin")
            .header("Vary", "Accept, Accept-Language, Cookie")
    }

    /// The same page, which tells nobody from where a link on it was followed, this site included. A form on it
    /// would be sent as by nobody's page.
    pub(super) fn without_referrer(mut self) -> Self {
        self.headers.retain(|(name, _)| *name != "Referrer-Policy");
        self.header("Referrer-Policy", "no-referrer")
    }

    /// Whether it is a page.
    pub(super) fn is_page(&self) -> bool {
        let media_type = self.get("content-type");
        media_type.is_some_and(|media_type| media_type.starts_with("text/html"))
    }

    /// No body.
    pub const fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            follow: None,
            wrong: None,
        }
    }

    /// For caches: other forms of it are served here; a page says more than that itself.
    pub(super) fn varies_by_accept(self) -> Self {
        match self.is_page() {
            true => self,
            false => self.header("Vary", "Accept"),
        }
    }

    /// With one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// For caches: fresh for so long.
    pub fn fresh_for(self, ttl: Ttl) -> Self {
        self.header(
            "Cache-Control",
            format!("public, max-age={}", ttl.seconds()),
        )
    }

    /// For caches: not to be kept.
    pub fn not_kept(self) -> Self {
        self.header("Cache-Control", "no-store")
    }

    /// With a strong entity tag, and the moment of the last change.
    pub fn version(self, etag: &str, changed_at: Timestamp) -> Self {
        self.header("ETag", etag)
            .header("Last-Modified", changed_at.http_date())
    }

    /// With a weak entity tag (RFC 9110 section 8.8.1), made of a strong one: for answers that say
    /// the same at another moment in other bytes.
    pub fn weak_version(self, etag: &str) -> Self {
        self.header("ETag", format!("W/{etag}"))
    }

    /// The type of the problem that it is.
    pub(super) fn problem(&self) -> Option<&str> {
        Some(&self.wrong.as_deref()?.problem)
    }

    /// The kind of the error behind the problem.
    pub(super) fn cause(&self) -> Option<&str> {
        self.wrong.as_deref()?.cause.as_deref()
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
