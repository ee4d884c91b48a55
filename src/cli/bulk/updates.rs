//! `goodstanding updates`: statuses changed by the lines of a table.

use std::fs::File;
use std::io::{BufRead, BufReader};

use clap::Args;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::progress::Progress;
use super::records::{Chunk, Records};
use super::{Table, unreadable};
use crate::cli::context::Context;
use crate::cli::error::{CliError, headline};
use crate::cli::place::Place;
use crate::cli::report::{Exit, Report, text};
use crate::cli::transport::Call;
use crate::ids::ListId;

/// Change the statuses of many entries by the lines of a table.
///
/// Each line names an entry, by `index` or `credentialId`, and its new `status`. Lines are sent in
/// chunks, of which each is made whole or not at all. What was refused is listed by its line; where
/// the command breaks off it says from which line to go on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding updates https://registry.example/status-lists/ID withdrawn.csv --reason 'recall'
  goodstanding updates ID withdrawn.ndjson --from-line 150001")]
pub(in crate::cli) struct Updates {
    /// The list: its URL or id
    #[arg(value_name = "LIST")]
    list: Place<ListId>,
    /// A file, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// How it is written; seen from the end of its name
    #[arg(long)]
    format: Option<Table>,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Pass over the lines before this one
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    from_line: u64,
}

/// How many refused lines are told to a person; `--json` tells all that the server lists.
const SHOWN: usize = 20;

/// What came of the chunks so far.
#[derive(Default)]
struct Told {
    lines: u64,
    applied: u64,
    refused: Vec<Value>,
    count: u64,
    revision: Option<u64>,
}

impl Updates {
    pub(in crate::cli) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let Some(table) = self.format.or_else(|| Table::of(&self.file)) else {
            let words = "cannot see how the table is written: give --format ndjson or csv";
            return Err(CliError::Usage(words.to_owned()));
        };
        let path = self.path(context)?;
        let mut stdin = context.stdin.borrow_mut();
        let (input, total): (Box<dyn BufRead + '_>, _) = match self.file.as_str() {
            "-" => (Box::new(BufReader::new(&mut **stdin)), None),
            name => {
                let file = File::open(name).map_err(|failed| unreadable(name, failed))?;
                let total = file.metadata().ok().map(|known| known.len());
                (Box::new(BufReader::new(file)), total)
            }
        };
        let failed = |failed| unreadable(&self.file, failed);
        let mut records = Records::new(input, table, self.from_line).map_err(failed)?;
        let (mut told, mut broken) = (Told::default(), None);
        let mut progress = Progress::on_terminal();
        while let Some(chunk) = records.chunk().map_err(failed)? {
            if let Err(failed) = told.send(context, &path, table, &chunk) {
                broken = Some((failed, chunk.first));
                break;
            }
            let words = format!("{} lines, {} refused", told.lines, told.count);
            progress.at(records.read, total, &words);
        }
        drop(progress);
        if told.lines == 0 && broken.is_none() {
            return Err(unreadable(&self.file, "it holds no update"));
        }
        Ok(told.report(&self.list.given, broken))
    }

    fn path(&self, context: &Context<'_>) -> Result<String, CliError> {
        let mut query = Serializer::new(String::new());
        if let Some(reason) = &self.reason {
            query.append_pair("reason", reason);
        }
        let query = query.finish();
        let path = context.path(&self.list)?;
        let and = if query.is_empty() { "" } else { "&" };
        Ok(format!("{path}/updates?{query}{and}firstLine="))
    }
}

impl Told {
    fn send(
        &mut self,
        context: &Context<'_>,
        path: &str,
        table: Table,
        chunk: &Chunk,
    ) -> Result<(), CliError> {
        let call = Call::post_text(
            format!("{path}{}", chunk.first),
            table.media(),
            chunk.body.clone(),
        );
        let answer = match context.change(call) {
            Ok(answer) => answer,
            // That nothing of a chunk could be done says nothing of the next one.
            Err(CliError::Problem(problem)) if is_all_refused(&problem.document) => {
                problem.document
            }
            Err(failed) => return Err(failed),
        };
        let number = |member: &str| answer.get(member).and_then(Value::as_u64);
        let listed = answer.get("refused").and_then(Value::as_array);
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        self.lines += chunk.records;
        self.applied += number("applied").unwrap_or(0);
        self.count += number("refusedCount").unwrap_or(listed.len() as u64);
        self.revision = self.revision.max(number("revision"));
        self.refused.extend_from_slice(listed);
        Ok(())
    }

    fn report(self, list: &str, broken: Option<(CliError, u64)>) -> Report {
        let mut report = Report::new();
        let at = self
            .revision
            .map_or(String::new(), |at| format!(", revision {at}"));
        report.line(format_args!(
            "changed {} of {} lines in {list}{at}",
            self.applied, self.lines
        ));
        for refused in self.refused.iter().take(SHOWN) {
            let line = refused
                .get("line")
                .map(Value::to_string)
                .unwrap_or_default();
            let reason = refused.get("reason");
            let reason = reason.map_or("no reason given".into(), headline);
            report.line(format_args!("  refused line {line}: {reason}"));
        }
        let more = self
            .count
            .saturating_sub(self.refused.len().min(SHOWN) as u64);
        if more > 0 {
            report.line(format_args!("  and {more} more"));
        }
        if self.count > 0 {
            report.worse(Exit::Unknown);
        }
        let mut answer = json!({
            "lines": self.lines,
            "applied": self.applied,
            "refused": self.refused,
            "refusedCount": self.count,
            "revision": self.revision,
        });
        if let Some((_, line)) = &broken {
            answer["resumeFromLine"] = json!(line);
            report.line(format_args!(
                "broken off: the lines before {line} are done; go on with --from-line {line}"
            ));
        }
        report.json(answer);
        if let Some((failed, _)) = broken {
            report.fail(failed);
        }
        report
    }
}

fn is_all_refused(problem: &Value) -> bool {
    text(problem, "type") == Some("urn:goodstanding:problem:all-refused")
}
