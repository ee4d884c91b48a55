//! Bodies that are tables: one row a line.

use super::NDJSON;
use crate::csv::{CsvError, Row, Rows};
use crate::http::lists::UpdateItem;
use crate::http::problem::Problem;
use crate::http::request::Request;
use crate::json;

/// A row: an entry with its status, or one that is to get it.
pub(super) struct Line {
    /// The number of its line.
    pub(super) number: u64,
    /// What stands there.
    pub(super) item: UpdateItem,
}

/// The rows of a body, read one by one, so that a long one takes no more memory than it has.
pub(super) enum Lines<'a> {
    /// An object a line; empty lines say nothing, and count in the number of a line.
    Ndjson { rest: Option<&'a [u8]>, number: u64 },
    /// A table. The number of its first row is that of its line and this.
    Csv { rows: Rows<'a>, ahead: u64 },
}

const COLUMNS: [&str; 3] = ["index", "credentialId", "status"];

impl<'a> Lines<'a> {
    /// Begins to read a body of NDJSON or CSV. `?firstLine=` is the number that its first row has
    /// in the table that it is part of.
    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        request.check_coding()?;
        let need = "the number of a line, from 1";
        let first: Option<u64> = request.query_as("firstLine", need)?;
        if first.is_some_and(|first| first == 0 || first > u64::from(u32::MAX)) {
            let detail = format!("the parameter firstLine has to be {need}");
            return Err(Problem::invalid("?firstLine", detail));
        }
        if request.is(NDJSON) {
            return Ok(Self::Ndjson {
                rest: Some(&request.body),
                number: first.unwrap_or(1),
            });
        }
        let rows = Rows::read(&request.body, &COLUMNS).map_err(refused)?;
        if !rows.has(2) || !(rows.has(0) || rows.has(1)) {
            let detail = "line 1: the columns status, and index or credentialId, are needed";
            return Err(Problem::invalid("", detail).with("line", 1));
        }
        // The line that names the columns stands before the first row wherever the table is cut.
        let ahead = first.unwrap_or(2).saturating_sub(2);
        Ok(Self::Csv { rows, ahead })
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Line, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Ndjson { rest, number } => loop {
                let body = (*rest)?;
                let end = body.iter().position(|byte| *byte == b'\n');
                let (line, after) = match end {
                    Some(end) => (&body[..end], Some(&body[end + 1..])),
                    None => (body, None),
                };
                let at = *number;
                (*rest, *number) = (after, at + 1);
                if !line.trim_ascii().is_empty() {
                    return Some(object(line, at));
                }
            },
            Self::Csv { rows, ahead } => {
                let row = rows.next()?.map_err(refused);
                Some(row.and_then(|row| record(&row, *ahead)))
            }
        }
    }
}

/// A line of NDJSON.
fn object(line: &[u8], number: u64) -> Result<Line, Problem> {
    match json::read(line) {
        Ok(item) => Ok(Line { number, item }),
        Err(error) => {
            let mut problem = Problem::from(error);
            problem.detail = format!("line {number}: {}", problem.detail);
            Err(problem.with("line", number))
        }
    }
}

/// A row of a table.
fn record(row: &Row<'_>, ahead: u64) -> Result<Line, Problem> {
    let line = row.line + ahead;
    let number = |place: usize| match &row.fields[place] {
        None => Ok(None),
        Some(digits) => whole(digits).map(Some).ok_or_else(|| {
            let name = COLUMNS[place];
            let detail =
                format!("line {line}: {name} has to be a whole number from 0, not {digits:?}");
            Problem::invalid(&format!("/{name}"), detail).with("line", line)
        }),
    };
    let Some(status) = number(2)? else {
        let detail = format!("line {line}: a status is needed");
        return Err(Problem::invalid("/status", detail).with("line", line));
    };
    let item = UpdateItem {
        index: number(0)?,
        credential_id: row.fields[1].as_ref().map(|id| id.clone().into_owned()),
        status,
    };
    Ok(Line { number: line, item })
}

/// A number in digits alone.
fn whole(digits: &str) -> Option<u64> {
    let only = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| only)
}

fn refused(error: CsvError) -> Problem {
    Problem::invalid("", error.to_string()).with("line", error.line)
}
