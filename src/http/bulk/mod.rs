//! Status lists in bulk: brought from elsewhere and handed on, and updates by the million.
//!
//! Tables come as lines, NDJSON (an object a line) or CSV (RFC 4180, with a line that names the
//! columns). [`lines`] reads both; what is wrong in one is told by the number of its line.

mod export;
mod import;
mod lines;
mod updates;

pub(super) use export::export;
pub(super) use import::{ListImportBody, import};
pub(super) use updates::update;

use super::request::Request;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Whether the body of a request is a table.
pub(super) fn is_table(request: &Request) -> bool {
    request.is(NDJSON) || request.is(CSV)
}

/// How many refused lines are listed; of more only the number is told.
const MOST_LISTED: usize = 1_000;
