//! Status lists in bulk: import, export, and updates by the lines of a table.

mod export;
mod import;
mod records;
mod updates;

pub(super) use export::Export;
pub(super) use import::Import;
pub(super) use updates::Updates;

use std::path::Path;

use clap::ValueEnum;

use super::error::CliError;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    /// An object a line
    Ndjson,
    /// Fields with commas between them; the first line names the columns
    Csv,
}

impl Table {
    const fn media(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// As the name of a file says.
    fn of(file: &str) -> Option<Self> {
        let extension = Path::new(file).extension()?.to_str()?;
        match extension.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

fn unreadable(name: &str, reason: impl ToString) -> CliError {
    let place = if name == "-" { "standard input" } else { name };
    CliError::Unreadable {
        place: place.to_owned(),
        reason: reason.to_string(),
    }
}
