//! Status lists in bulk: brought from elsewhere and handed on, and updates by the million.
//!
//! Tables come as lines, NDJSON (an object a line) or CSV (RFC 4180, with a line that names the
//! columns). [`lines`] reads both; what is wrong in one is told by the number of its line.

mod apart;
mod export;
mod import;
mod lines;
mod long;
mod updates;

pub(super) use apart::{LONG, apart};
pub(super) use export::export;
pub(super) use import::{ListImportBody, import};
pub(super) use lines::{Kind, Pieces};
pub(super) use long::update_as_they_come;
pub(super) use updates::{Make, PIECE, Told, Upload, update};

use http::HeaderMap;

use super::request::{Request, is_of};

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Whether the body of a request is a table.
pub(super) fn is_table(request: &Request) -> bool {
    has_table(&request.headers)
}

/// Whether the body is one of a request with these headers.
pub(super) fn has_table(headers: &HeaderMap) -> bool {
    is_of(headers, NDJSON) || is_of(headers, CSV)
}

/// How many refused lines are listed; of more only the number is told.
const MOST_LISTED: usize = 1_000;
