//! The status of one entry, from memory.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

use super::{Answered, Head, Hot};
use crate::http::edge::Edge;
use crate::http::statuses::Text;

/// The longest URL of a list that is looked at, in bytes.
const LONGEST: usize = 512;

/// `GET /status?list=…&index=…`, where the list is in memory and has the entry.
pub(super) fn answer(hot: &Hot, edge: &Edge, head: &Head<'_>) -> Option<Answered> {
    if head.path != ROUTE {
        return None;
    }
    let (list, index) = asked(head.query()?)?;
    let mut decoded = [0; LONGEST];
    let list = decode(list, &mut decoded)?;
    // What is shown is at least as new.
    let as_of = edge.registry.now();
    let body = edge.registry.entry_in_memory(list, index, |entry| {
        let mut text = Text::with_room_for(1);
        text.entry(entry);
        text.as_of(as_of);
        text.push("}");
        text.into_bytes()
    })?;
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(CONTENT_TYPE, JSON.clone());
    headers.insert(CACHE_CONTROL, hot.fresh_for(edge.cache.look_up));
    Some((ROUTE, head.respond(headers, Some(body.into()))))
}

pub(super) const ROUTE: &str = "/status";

static JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A list, still encoded, and an index, where a query names both and nothing else.
fn asked(query: &str) -> Option<(&str, u64)> {
    let (first, second) = query.split_once('&')?;
    let (list, index) = match first.strip_prefix("list=") {
        Some(list) => (list, second.strip_prefix("index=")?),
        None => (second.strip_prefix("list=")?, first.strip_prefix("index=")?),
    };
    let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    // Of several more there is an `&` in what is left.
    (digits && !list.contains('&')).then(|| Some((list, index.parse().ok()?)))?
}

/// What a value of a form says (`application/x-www-form-urlencoded`), where that is plain.
fn decode<'b>(value: &'b str, into: &'b mut [u8; LONGEST]) -> Option<&'b str> {
    if !value.contains(['%', '+']) {
        return Some(value);
    }
    let mut bytes = value.bytes();
    let mut length = 0;
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            // A space, which no URL of ours has.
            b'+' => return None,
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? << 4 | digit()?).ok()?
            }
            byte => byte,
        };
        *into.get_mut(length)? = byte;
        length += 1;
    }
    std::str::from_utf8(&into[..length]).ok()
}
