//! Lists that come as a table: a row an entry.

use serde_json::{Value, json};

use super::{paired_with, parse_purpose, source};
use crate::bitstring::{Bitstring, ListLength, StatusIndex, StatusSize};
use crate::http::bulk::MOST_LISTED;
use crate::http::bulk::lines::{Line, Lines};
use crate::http::edge::Edge;
use crate::http::lists::{status_size, ttl};
use crate::http::problem::Problem;
use crate::http::request::Request;
use crate::registry::{BroughtList, NewList, UsedIndexes};

/// A table while it is read.
struct Table {
    length: ListLength,
    statuses: Bitstring,
    /// The indexes that have a row.
    named: Bitstring,
    credentials: Vec<(StatusIndex, String)>,
    rows: u64,
    refused: Vec<Value>,
    count: u64,
}

/// A list out of a table, whose parameters say the rest, and how many rows it has.
pub(super) fn read(edge: &Edge, request: &Request) -> Result<(BroughtList, u64), Problem> {
    let needed = |name: &str| {
        request.query(name).ok_or_else(|| {
            let detail = format!("the parameter {name} is needed with a table");
            Problem::invalid(&format!("?{name}"), detail)
        })
    };
    let issuer = edge
        .registry
        .profile_named(needed("issuer")?, "?issuer")?
        .id;
    let purpose = parse_purpose(needed("statusPurpose")?)?;
    let size = status_size(request.query_as("statusSize", "a number")?)?;
    if size != StatusSize::One {
        let detail = "a table holds statuses of one bit; send others as an encodedList, with what \
                      each of them means";
        return Err(Problem::invalid("?statusSize", detail));
    }
    let length = match request.query_as("length", "a number of entries")? {
        None => ListLength::MINIMUM,
        Some(length) => ListLength::of_size(length, size)
            .map_err(|error| Problem::invalid("?length", error.to_string()))?,
    };
    let paired_with = paired_with(edge, request.query("pairedWith"))?;
    let ttl = ttl(request.query_as("ttl", "a number of milliseconds")?)?;
    let source = source(request.query("source").map(str::to_owned))?;
    let all_used = all_used(request, paired_with.is_some())?;
    let table = Table::read(request, length, size)?;
    let used = match (all_used, paired_with) {
        (true, _) => UsedIndexes::Known(table.named),
        (false, Some(_)) => UsedIndexes::AsPaired,
        (false, None) => UsedIndexes::Unknown,
    };
    let list = NewList {
        length,
        ttl,
        paired_with,
        ..NewList::usual(issuer, purpose)
    };
    let brought = BroughtList {
        list,
        statuses: table.statuses,
        used,
        credentials: table.credentials,
        source,
    };
    Ok((brought, table.rows))
}

/// Whether the rows name every index that is in use.
fn all_used(request: &Request, paired: bool) -> Result<bool, Problem> {
    let at = "?usedIndexes";
    match request.query("usedIndexes") {
        None => Ok(false),
        Some("rows") if paired => {
            let detail = "the list that it is paired with says which indexes are in use";
            Err(Problem::invalid(at, detail))
        }
        Some("rows") => Ok(true),
        Some(_) => {
            let detail = "rows is needed: the table names every index that is in use";
            Err(Problem::invalid(at, detail))
        }
    }
}

impl Table {
    /// Reads all rows. One that cannot be taken refuses the table; up to so many of them are told.
    fn read(request: &Request, length: ListLength, size: StatusSize) -> Result<Self, Problem> {
        let mut table = Self {
            length,
            statuses: Bitstring::zeroed(length, size),
            named: Bitstring::zeroed(length, StatusSize::One),
            credentials: Vec::new(),
            rows: 0,
            refused: Vec::new(),
            count: 0,
        };
        for line in Lines::of(request)? {
            let line = line?;
            let number = line.number;
            table.rows += 1;
            if let Err(reason) = table.take(line) {
                table.count += 1;
                if table.refused.len() < MOST_LISTED {
                    table
                        .refused
                        .push(json!({ "line": number, "reason": reason }));
                }
            }
        }
        if table.count == 0 {
            return Ok(table);
        }
        let detail = format!(
            "{} of {} rows cannot be taken, and nothing was imported",
            table.count, table.rows
        );
        let problem = Problem::new(422, "rows-refused", "Rows refused", detail);
        Err(problem
            .with("refused", table.refused)
            .with("refusedCount", table.count))
    }

    fn take(&mut self, line: Line) -> Result<(), String> {
        let Some(index) = line.item.index else {
            return Err("an index is needed; a credentialId may stand beside it".into());
        };
        let index = self
            .length
            .index(index)
            .map_err(|error| error.to_string())?;
        let max = self.statuses.size().maximum();
        let status = u8::try_from(line.item.status).ok();
        let status = status.filter(|status| *status <= max);
        let status = status.ok_or_else(|| format!("the status has to be 0 to {max}"))?;
        let fits = "the index is one of the list's, and the status fits";
        if self.named.set(index, 1).expect(fits) == 1 {
            return Err(format!("the index {index} stands twice"));
        }
        self.statuses.set(index, status).expect(fits);
        if let Some(id) = line.item.credential_id {
            if id.len() > 2048 || url::Url::parse(&id).is_err() {
                return Err("a credentialId is an absolute URL of at most 2,048 characters".into());
            }
            self.credentials.push((index, id));
        }
        Ok(())
    }
}
