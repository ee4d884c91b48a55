//! How long an answer may be used again: RFC 9111, as a cache that answers many, and more
//! careful than it where it leaves a choice. Nothing is guessed, and the shortest of several
//! lifetimes counts.

use ::time::PrimitiveDateTime;
use ::time::format_description::FormatItem;
use ::time::macros::format_description;
use http::header::{
    AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, LAST_MODIFIED, VARY,
};

use super::policy::Policy;
use crate::time::{Timestamp, Ttl};

/// The fields that say how an answer may be kept.
const KEPT: [HeaderName; 7] = [AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, LAST_MODIFIED, VARY];

/// The one form of dates that is read; RFC 9110 section 5.6.7 has two more, which nobody has
/// sent for decades, and an `Expires` in one of them counts as passed.
const DATE_FORMAT: &[FormatItem<'_>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// What may be done with an answer after it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Keeping {
    /// Nothing: it is for the one who asked.
    Not,
    /// It is fresh until this moment, and then has to be asked for again.
    Until(Timestamp),
}

/// How long the answer with these headers may be used, that was asked for at `asked`: its age
/// counts from there, since nobody knows when the other side began to write it.
pub(super) fn keeping(headers: &HeaderMap, asked: Timestamp, policy: &Policy) -> Keeping {
    let control = CacheControl::read(headers);
    let varies = texts(headers, &VARY).any(|value| value.trim() == "*");
    if control.not_kept || varies {
        return Keeping::Not;
    }
    if control.ask_each_time {
        return Keeping::Until(asked);
    }
    let lifetime = control
        .lifetime
        .or_else(|| until_expiry(headers, asked))
        .unwrap_or(policy.fresh_default)
        .min(policy.fresh_longest);
    let left = lifetime.millis().saturating_sub(age(headers).millis());
    Keeping::Until(asked.plus(Ttl::from_millis(left)))
}

/// Only what [`keeping`] reads, and what a later question is made conditional with.
pub(super) fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut few = HeaderMap::new();
    for name in &KEPT {
        for value in headers.get_all(name) {
            few.append(name, value.clone());
        }
    }
    few
}

/// Whether there is something to make a question conditional with.
pub(super) fn can_be_renewed(headers: &HeaderMap) -> bool {
    headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED)
}

/// The kept headers after a 304: what it says replaces what was said before, and its age is its
/// own (RFC 9111 sections 3.2 and 4.3.4).
pub(super) fn renewed(mut before: HeaderMap, not_modified: &HeaderMap) -> HeaderMap {
    let now = kept(not_modified);
    before.remove(AGE);
    before.remove(DATE);
    for name in now.keys() {
        before.remove(name);
        for value in now.get_all(name) {
            before.append(name, value.clone());
        }
    }
    before
}

#[derive(Default)]
struct CacheControl {
    not_kept: bool,
    ask_each_time: bool,
    lifetime: Option<Ttl>,
}

impl CacheControl {
    fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        for directive in texts(headers, &CACHE_CONTROL).flat_map(|value| value.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "private" => read.not_kept = true,
                "no-cache" => read.ask_each_time = true,
                "max-age" | "s-maxage" => {
                    let seconds = seconds(value.trim().trim_matches('"'));
                    let shorter = read.lifetime.map_or(seconds, |other| other.min(seconds));
                    read.lifetime = Some(shorter);
                }
                _ => {}
            }
        }
        read
    }
}

/// A number of seconds; what cannot be read is none at all, what is too large is very long.
fn seconds(text: &str) -> Ttl {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match digits {
        true => Ttl::from_seconds(text.parse().unwrap_or(u64::from(u32::MAX))),
        false => Ttl::from_seconds(0),
    }
}

/// What `Expires` leaves, by the other side's own clock where it tells its time.
fn until_expiry(headers: &HeaderMap, asked: Timestamp) -> Option<Ttl> {
    let expires = texts(headers, &EXPIRES).next()?;
    let date = texts(headers, &DATE).next().and_then(http_date);
    let left = http_date(expires).map_or(0, |at| at.millis() - date.unwrap_or(asked).millis());
    Some(Ttl::from_millis(u64::try_from(left).unwrap_or(0)))
}

/// How old the answer was in other caches; one that cannot be read is too old.
fn age(headers: &HeaderMap) -> Ttl {
    let Some(age) = texts(headers, &AGE).next() else {
        return Ttl::from_seconds(0);
    };
    match age.trim().parse() {
        Ok(age) => Ttl::from_seconds(age),
        Err(_) => Ttl::from_millis(u64::MAX),
    }
}

/// Reads what [`Timestamp::http_date`] writes.
fn http_date(text: &str) -> Option<Timestamp> {
    let at = PrimitiveDateTime::parse(text.trim(), DATE_FORMAT).ok()?;
    let seconds = at.assume_utc().unix_timestamp();
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

/// The values of a field that are text; others are as if they were not there, which in all
/// fields above means a shorter life, or the default.
fn texts<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter();
    values.filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ASKED: &str = "1994-11-06T08:49:37Z";

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    /// Seconds of freshness; none where nothing is kept.
    fn fresh(fields: &[(&'static str, &str)]) -> Option<i64> {
        let asked = ASKED.parse().unwrap();
        match keeping(&headers(fields), asked, &Policy::default()) {
            Keeping::Not => None,
            Keeping::Until(until) => Some((until.millis() - asked.millis()) / 1000),
        }
    }

    #[test]
    fn an_answer_is_fresh_as_long_as_it_says() {
        for (fields, seconds) in [
            (&[][..], Some(60)),
            (&[("cache-control", "max-age=300")], Some(300)),
            (&[("cache-control", "public, MAX-AGE=\"300\"")], Some(300)),
            (&[("cache-control", "max-age=300, s-maxage=20")], Some(20)),
            (&[("cache-control", "max-age=20, s-maxage=300")], Some(20)),
            (
                &[
                    ("cache-control", "max-age=9"),
                    ("cache-control", "max-age=5"),
                ],
                Some(5),
            ),
            (
                &[("cache-control", "max-age=99999999999999999999999")],
                Some(86_400),
            ),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=soon")], Some(0)),
            (&[("cache-control", "max-age")], Some(0)),
            (
                &[("cache-control", "max-age=300"), ("age", "100")],
                Some(200),
            ),
            (&[("cache-control", "max-age=300"), ("age", "301")], Some(0)),
            (&[("cache-control", "max-age=300"), ("age", "-5")], Some(0)),
            (&[("cache-control", "max-age=300, no-cache")], Some(0)),
            (&[("cache-control", "max-age=300, no-store")], None),
            (&[("cache-control", "private, max-age=300")], None),
            (&[("cache-control", "max-age=300"), ("vary", "*")], None),
            (
                &[("cache-control", "max-age=300"), ("vary", "accept")],
                Some(300),
            ),
            (&[("expires", "Sun, 06 Nov 1994 08:51:37 GMT")], Some(120)),
            (
                &[
                    ("expires", "Sun, 06 Nov 1994 08:51:37 GMT"),
                    ("date", "Sun, 06 Nov 1994 08:51:07 GMT"),
                ],
                Some(30),
            ),
            (&[("expires", "Sun, 06 Nov 1994 08:48:37 GMT")], Some(0)),
            (&[("expires", "0")], Some(0)),
            (&[("expires", "Sunday, 06-Nov-94 08:51:37 GMT")], Some(0)),
            (
                &[
                    ("expires", "Sun, 06 Nov 1994 08:51:37 GMT"),
                    ("cache-control", "max-age=5"),
                ],
                Some(5),
            ),
            (
                &[("last-modified", "Sun, 06 Nov 1894 08:51:37 GMT")],
                Some(60),
            ),
        ] {
            assert_eq!(fresh(fields), seconds, "{fields:?}");
        }
    }

    #[test]
    fn a_304_replaces_what_it_says_again() {
        let before = headers(&[
            ("cache-control", "max-age=300"),
            ("etag", "\"1\""),
            ("age", "200"),
        ]);
        let silent = renewed(before.clone(), &headers(&[]));
        assert_eq!(
            silent,
            headers(&[("cache-control", "max-age=300"), ("etag", "\"1\"")])
        );
        let spoken = renewed(
            before,
            &headers(&[
                ("cache-control", "no-cache"),
                ("etag", "\"2\""),
                ("content-type", "text/html"),
            ]),
        );
        assert_eq!(
            spoken,
            headers(&[("cache-control", "no-cache"), ("etag", "\"2\"")])
        );
    }

    proptest! {
        #[test]
        fn dates_are_read_as_they_are_written(seconds in -2_000_000_000_i64..=32_503_679_999) {
            let at = Timestamp::from_millis(seconds * 1000);
            prop_assert_eq!(http_date(&at.http_date()), Some(at));
        }

        #[test]
        fn no_header_makes_an_answer_fresh_for_longer_than_allowed(
            control in "[ -~]{0,60}", expires in "[ -~]{0,40}", age in "[ -~]{0,20}",
        ) {
            let fields = [
                ("cache-control", control.as_str()),
                ("expires", expires.as_str()),
                ("age", age.as_str()),
            ];
            prop_assert!(fresh(&fields).is_none_or(|seconds| (0..=86_400).contains(&seconds)));
        }
    }
}
