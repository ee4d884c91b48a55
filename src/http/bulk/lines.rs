//! Bodies that are tables: one row a line.

use super::NDJSON;
use crate::csv::{Columns, CsvError, Row, Rows};

use crate::http::problem::Problem;
use crate::http::request::Request;
use crate::http::updates::UpdateItem;
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

/// A line may have so many bytes: a credential's id, with all of it escaped.
const LONGEST_LINE: usize = 64 << 10;

/// A table that comes in pieces, cut anywhere. No more of it is kept than the line that is not
/// there as a whole yet.
pub(in crate::http) struct Pieces {
    table: Table,
    /// Bytes behind the last line that was read.
    rest: Vec<u8>,
    /// How many of them were searched for their end, and whether that was within quotes.
    searched: usize,
    quoted: bool,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    /// An object a line.
    Ndjson,
    /// RFC 4180.
    Csv,
}

enum Table {
    Ndjson {
        number: u64,
    },
    Csv {
        /// Once the line was read that names them.
        columns: Option<Columns>,
        ahead: u64,
    },
}

impl Pieces {
    /// Begins to read a body of NDJSON or CSV, as [`Lines::of`].
    pub(super) fn of(request: &Request) -> Result<Self, Problem> {
        let first = first_line(request)?;
        let table = match request.is(NDJSON) {
            true => Table::Ndjson {
                number: first.unwrap_or(1),
            },
            false => Table::Csv {
                columns: None,
                ahead: ahead(first),
            },
        };
        Ok(Self::from_the_start(table))
    }

    /// Begins to read a table whose first line is its first.
    pub(in crate::http) const fn of_kind(kind: Kind) -> Self {
        Self::from_the_start(match kind {
            Kind::Ndjson => Table::Ndjson { number: 1 },
            Kind::Csv => Table::Csv {
                columns: None,
                ahead: 0,
            },
        })
    }

    const fn from_the_start(table: Table) -> Self {
        Self {
            table,
            rest: Vec::new(),
            searched: 0,
            quoted: false,
        }
    }

    /// Reads the lines that are whole with these bytes.
    pub(super) fn read(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(Line) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.rest.extend_from_slice(piece);
        if let Some(end) = self.last_end()
            && !self.has_only_begun(end)
        {
            self.searched -= end;
            let behind = self.rest.split_off(end);
            let whole = std::mem::replace(&mut self.rest, behind);
            self.read_whole(&whole, each)?;
        }
        match self.rest.len() > LONGEST_LINE {
            true => Err(self.too_long()),
            false => Ok(()),
        }
    }

    /// Reads what is left, of a table that ends here.
    pub(super) fn end(
        mut self,
        each: &mut impl FnMut(Line) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let rest = std::mem::take(&mut self.rest);
        self.read_whole(&rest, each)
    }

    /// Where the last line ends that does. A quote that is doubled leaves its field and enters it.
    fn last_end(&mut self) -> Option<usize> {
        let mut end = None;
        let table = matches!(self.table, Table::Csv { .. });
        for (place, byte) in self.rest.iter().enumerate().skip(self.searched) {
            match byte {
                b'"' if table => self.quoted = !self.quoted,
                b'\n' if !self.quoted => end = Some(place + 1),
                _ => {}
            }
        }
        self.searched = self.rest.len();
        end
    }

    /// Whether nothing but empty lines stands before the line that names the columns.
    fn has_only_begun(&self, end: usize) -> bool {
        let unnamed = matches!(self.table, Table::Csv { columns: None, .. });
        let mark = |byte: &u8| b"\xef\xbb\xbf\r\n".contains(byte);
        unnamed && self.rest[..end].iter().all(mark)
    }

    fn read_whole(
        &mut self,
        whole: &[u8],
        each: &mut impl FnMut(Line) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        match &mut self.table {
            Table::Ndjson { number } => {
                // Behind the last end of a line there is no other line.
                let lines = whole.strip_suffix(b"\n").unwrap_or(whole);
                let mut lines = Lines::Ndjson {
                    rest: Some(lines),
                    number: *number,
                };
                lines.by_ref().try_for_each(|line| each(line?))?;
                if let Lines::Ndjson { number: next, .. } = lines {
                    *number = next;
                }
            }
            Table::Csv { columns, ahead } => {
                let rows = match columns {
                    Some(columns) => columns.rows(whole),
                    None => named_rows(whole)?,
                };
                let ahead = *ahead;
                let mut lines = Lines::Csv { rows, ahead };
                lines.by_ref().try_for_each(|line| each(line?))?;
                if let Lines::Csv { rows, .. } = lines {
                    *columns = Some(rows.go_on());
                }
            }
        }
        Ok(())
    }

    fn too_long(&self) -> Problem {
        let detail = format!("a line has more than {LONGEST_LINE} bytes, or a quote does not end");
        let problem = Problem::invalid("", detail);
        match &self.table {
            Table::Ndjson { number } => problem.with("line", *number),
            Table::Csv { .. } => problem,
        }
    }
}

const COLUMNS: [&str; 3] = ["index", "credentialId", "status"];

impl<'a> Lines<'a> {
    /// Begins to read a body of NDJSON or CSV. `?firstLine=` is the number that its first row has
    /// in the table that it is part of.
    pub(super) fn of(request: &'a Request) -> Result<Self, Problem> {
        let first = first_line(request)?;
        if request.is(NDJSON) {
            return Ok(Self::Ndjson {
                rest: Some(&request.body),
                number: first.unwrap_or(1),
            });
        }
        let rows = named_rows(&request.body)?;
        let ahead = ahead(first);
        Ok(Self::Csv { rows, ahead })
    }
}

/// The number that the first row has in the table that it is part of, where the request says so.
fn first_line(request: &Request) -> Result<Option<u64>, Problem> {
    request.check_coding()?;
    let need = "the number of a line, from 1";
    let first: Option<u64> = request.query_as("firstLine", need)?;
    if first.is_some_and(|first| first == 0 || first > u64::from(u32::MAX)) {
        let detail = format!("the parameter firstLine has to be {need}");
        return Err(Problem::invalid("?firstLine", detail));
    }
    Ok(first)
}

/// The line that names the columns stands before the first row wherever the table is cut.
fn ahead(first: Option<u64>) -> u64 {
    first.unwrap_or(2).saturating_sub(2)
}

/// The rows below the line that names their columns.
fn named_rows(table: &[u8]) -> Result<Rows<'_>, Problem> {
    let rows = Rows::read(table, &COLUMNS).map_err(refused)?;
    if !rows.has(2) || !(rows.has(0) || rows.has(1)) {
        let detail = "line 1: the columns status, and index or credentialId, are needed";
        return Err(Problem::invalid("", detail).with("line", 1));
    }
    Ok(rows)
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
