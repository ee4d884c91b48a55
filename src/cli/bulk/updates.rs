//! `goodstanding updates`: statuses changed by the lines of a table.

use std::fs::File;
use std::io::{BufRead, BufReader};

use clap::Args;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

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
        let mut progress = context.shows.begin("sending");
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

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    #[test]
    fn lines_are_sent_as_they_are_and_refusals_are_told_by_line() {
        let done = Fake::new()
            .stdin("index,status\n5,1\n6,1\n")
            .answer(
                200,
                json!({"revision": 3, "applied": 1, "refusedCount": 1, "chunks": [], "refused": [
                    {"item": 1, "line": 3, "reason": "the index 6 was never given out"},
                ]}),
            )
            .run(&["updates", LIST, "-", "--format", "csv", "--reason", "a b"]);
        assert_eq!(
            done.calls(),
            [format!(
                "POST /status-lists/{LIST}/updates?reason=a+b&firstLine=2 index,status\n5,1\n6,1\n"
            )]
        );
        assert_eq!(done.calls[0].payload().unwrap().0, "text/csv");
        assert_eq!(
            (done.exit, done.out),
            (
                2,
                format!(
                    "changed 1 of 2 lines in {LIST}, revision 3\n  \
                     refused line 3: the index 6 was never given out\n"
                )
            )
        );
    }

    #[test]
    fn a_chunk_that_is_refused_as_a_whole_does_not_stop_the_next() {
        let line = "{\"index\":1,\"status\":1}\n";
        let refused = json!({
            "type": "urn:goodstanding:problem:all-refused", "title": "Nothing could be changed",
            "refused": [{"item": 0, "line": 1, "reason": "no"}], "refusedCount": 50_000,
        });
        let done = Fake::new()
            .stdin(&line.repeat(50_002))
            .answer(422, refused)
            .answer(200, json!({"revision": 2, "applied": 2, "refused": []}))
            .run(&["updates", LIST, "-", "--format", "ndjson"]);
        assert!(
            done.calls()[1].contains("firstLine=50001 "),
            "{}",
            done.calls()[1]
        );
        assert_eq!(
            (done.exit, done.out),
            (
                2,
                format!(
                    "changed 2 of 50002 lines in {LIST}, revision 2\n  refused line 1: no\n  \
                     and 49999 more\n"
                )
            )
        );
    }

    #[test]
    fn where_it_breaks_off_it_says_where_to_go_on() {
        let line = "{\"index\":1,\"status\":1}\n";
        let done = Fake::new()
            .stdin(&line.repeat(50_001))
            .answer(
                200,
                json!({"revision": 2, "applied": 50_000, "refused": []}),
            )
            .answer(503, json!({"type": "x", "title": "Too much at once"}))
            .run(&["updates", LIST, "-", "--format", "ndjson"]);
        assert_eq!(done.exit, 2);
        assert!(
            done.out.ends_with("go on with --from-line 50001\n"),
            "{}",
            done.out
        );
        assert!(done.err.contains("Too much at once"), "{}", done.err);
        let done = Fake::new()
            .stdin(&line.repeat(50_001))
            .answer(200, json!({"revision": 3, "applied": 1, "refused": []}))
            .run(&[
                "updates",
                LIST,
                "-",
                "--format",
                "ndjson",
                "--from-line",
                "50001",
            ]);
        assert_eq!((done.exit, done.calls.len()), (0, 1));
        assert!(
            done.calls()[0].contains("?firstLine=50001 {"),
            "{}",
            done.calls()[0]
        );
    }

    #[test]
    fn without_a_format_or_without_lines_nothing_is_sent() {
        for (args, why) in [
            (&["updates", LIST, "-"][..], "give --format"),
            (
                &["updates", LIST, "/no/such.csv"],
                "cannot read /no/such.csv",
            ),
            (
                &["updates", LIST, "-", "--format", "csv"],
                "it holds no update",
            ),
            (
                &["updates", LIST, "-", "--format", "csv", "--from-line", "0"],
                "--from-line",
            ),
        ] {
            let done = Fake::new().run(args);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
            assert!(done.err.contains(why), "{args:?}: {}", done.err);
        }
    }
}
