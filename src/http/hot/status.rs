//! The status of one entry, from memory.

use super::{Head, Response};
use crate::http::edge::Edge;

/// `GET /status?list=…&index=…`, where the list is in memory.
pub(super) const fn answer(_: &Edge, _: &Head<'_>) -> Option<Response> {
    None
}
