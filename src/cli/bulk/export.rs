//! `goodstanding list export`: a list as a table, or as an import takes it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::unreadable;
use crate::cli::context::{Context, json_of, not_the_contract};
use crate::cli::error::CliError;
use crate::cli::place::Place;
use crate::cli::report::Report;
use crate::cli::transport::{Answer, Call};
use crate::ids::ListId;

/// A list as a table, or as an import takes it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// Its URL or id
    #[arg(value_name = "LIST")]
    list: Place<ListId>,
    /// How it is written; seen from the end of FILE's name, else ndjson
    #[arg(long)]
    format: Option<Format>,
    /// The clear entries that were given out as well
    #[arg(long)]
    all: bool,
    /// Where to; standard output where none is named
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// Go on behind the last line of FILE
    #[arg(long, requires = "out")]
    resume: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An object a line
    Ndjson,
    /// Fields with commas between them
    Csv,
    /// The whole list, as `list import` takes it
    Json,
}

/// Where the export goes.
enum Out {
    File(String, File),
    Text(String),
}

impl Export {
    pub(in crate::cli) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let format = self.format();
        let path = context.path(&self.list)? + "/export?format=";
        if format == Format::Json {
            return self.whole(context, path + "json");
        }
        let name = if format == Format::Csv {
            "csv"
        } else {
            "ndjson"
        };
        let all = if self.all { "&all=given-out" } else { "" };
        let (mut out, from) = self.out(format)?;
        let from = from.map_or(String::new(), |from| format!("&from={from}"));
        let mut next = Some(format!("{path}{name}&limit=100000{all}{from}"));
        let (mut entries, mut revisions) = (0, Vec::new());
        let mut progress = context.shows.begin("exporting");
        while let Some(path) = next.take() {
            let call = Call {
                accept: None,
                ..Call::get(path)
            };
            let answer = match context.answer(&call) {
                Ok(answer) => answer,
                Err(failed) => return Ok(self.broken_off(failed, entries)),
            };
            next = answer.next_page();
            note_revision(&answer, &mut revisions);
            let taken = out.take(format, &answer.body)?;
            if taken == 0 && next.is_some() {
                let reason = "a page without entries leads to another one".to_owned();
                return Err(not_the_contract(&call, reason));
            }
            entries += taken;
            progress.at(0, None, &format!("{entries} entries"));
        }
        drop(progress);
        Ok(self.report(out, entries, &revisions))
    }

    fn format(&self) -> Format {
        let named = self.out.as_ref().map(Path::new);
        let extension = named.and_then(|name| name.extension()?.to_str());
        self.format.unwrap_or(match extension {
            Some("csv") => Format::Csv,
            Some("json") => Format::Json,
            _ => Format::Ndjson,
        })
    }

    fn whole(&self, context: &Context<'_>, path: String) -> Result<Report, CliError> {
        if self.resume || self.all {
            let words = "--resume and --all are for tables: JSON holds the list as a whole";
            return Err(CliError::Usage(words.to_owned()));
        }
        let call = Call::get(path);
        let answer = context.answer(&call)?;
        let list = json_of(&call, &answer)?;
        let mut report = Report::new();
        match &self.out {
            None => report.document(&list),
            Some(name) => {
                std::fs::write(name, &answer.body).map_err(|failed| unwritable(name, failed))?;
                let entries = list.get("length").and_then(Value::as_u64).unwrap_or(0);
                report.line(format_args!("wrote a list of {entries} entries to {name}"));
            }
        }
        report.json(list);
        Ok(report)
    }

    /// Where to, and from which index on.
    fn out(&self, format: Format) -> Result<(Out, Option<u64>), CliError> {
        let Some(name) = &self.out else {
            return Ok((Out::Text(String::new()), None));
        };
        let failed = |failed| unwritable(name, failed);
        if !self.resume {
            let file = File::create(name).map_err(failed)?;
            return Ok((Out::File(name.clone(), file), None));
        }
        let file = OpenOptions::new().read(true).write(true).open(name);
        let mut file = file.map_err(failed)?;
        let last = last_line(&mut file).map_err(failed)?;
        let from = match last {
            None => None,
            Some(line) => Some(behind(format, &line).ok_or_else(|| {
                let words = "its last line names no index: is it an export of this list?";
                unreadable(name, words)
            })?),
        };
        Ok((Out::File(name.clone(), file), from))
    }

    fn broken_off(&self, failed: CliError, entries: u64) -> Report {
        let mut report = Report::new();
        if let Some(name) = self.out.as_ref().filter(|_| entries > 0) {
            report.line(format_args!(
                "broken off after {entries} entries: go on with --out {name} --resume"
            ));
        }
        report.fail(failed);
        report
    }

    fn report(&self, out: Out, entries: u64, revisions: &[String]) -> Report {
        let mut report = Report::new();
        match out {
            Out::Text(text) => report.text.push_str(&text),
            Out::File(name, _) => {
                report.line(format_args!("wrote {entries} entries to {name}"));
                if let [first, .., last] = revisions {
                    report.line(format_args!(
                        "the list changed meanwhile, from revision {first} to {last}; export it \
                         again for one state of it"
                    ));
                }
            }
        }
        report.json(json!({ "entries": entries, "revisions": revisions }));
        report
    }
}

impl Out {
    /// Takes a page, and says how many entries it has. Only the first one of a table begins with
    /// the names of the columns.
    fn take(&mut self, format: Format, page: &[u8]) -> Result<u64, CliError> {
        let header = match format {
            Format::Csv => page
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1),
            _ => 0,
        };
        let rows = &page[header..];
        let begun = match self {
            Self::Text(text) => !text.is_empty(),
            Self::File(name, file) => {
                let at = file.stream_position();
                at.map_err(|failed| unwritable(name, failed))? > 0
            }
        };
        let taken = if begun { rows } else { page };
        match self {
            Self::Text(text) => text.push_str(&String::from_utf8_lossy(taken)),
            Self::File(name, file) => {
                let written = file.write_all(taken);
                written.map_err(|failed| unwritable(name, failed))?;
            }
        }
        Ok(rows.iter().filter(|byte| **byte == b'\n').count() as u64)
    }
}

/// Bytes from the end of a file within which its last line is looked for.
const TAIL: u64 = 16 << 10;

/// The last whole line of a file. What stands behind it is cut off, and the file is at its end.
fn last_line(file: &mut File) -> std::io::Result<Option<String>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let kept = if end == 0 { 0 } else { start + end as u64 };
    file.set_len(kept)?;
    file.seek(SeekFrom::End(0))?;
    let text = String::from_utf8_lossy(&tail[..end]).into_owned();
    Ok(text.lines().last().map(str::to_owned))
}

/// The index behind that of a line; 0 behind the names of the columns.
fn behind(format: Format, line: &str) -> Option<u64> {
    let index = match format {
        Format::Csv => match line.split(',').next()? {
            "index" => return Some(0),
            digits => digits.parse::<u64>().ok()?,
        },
        _ => serde_json::from_str::<Value>(line)
            .ok()?
            .get("index")?
            .as_u64()?,
    };
    index.checked_add(1)
}

fn note_revision(answer: &Answer, revisions: &mut Vec<String>) {
    if let Some(revision) = answer.header("list-revision")
        && revisions.last().map(String::as_str) != Some(revision)
    {
        revisions.push(revision.to_owned());
    }
}

fn unwritable(name: &str, failed: std::io::Error) -> CliError {
    CliError::Failed(format!("cannot write {name}: {failed}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    const NEXT: &str = "<https://h/status-lists/x/export?format=csv&from=8>; rel=\"next\"";
    const FIRST: &[u8] = b"index,status,credentialId\r\n5,1,\r\n7,1,urn:a\r\n";

    #[test]
    fn pages_become_one_table() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.csv");
        let out = out.to_str().unwrap();
        let done = Fake::new()
            .answer_with("link", NEXT, 200, json!(0))
            .run(&["list", "export", LIST, "--out", out]);
        assert_eq!(
            done.exit, 2,
            "a page without entries leads nowhere: {}",
            done.out
        );
        let done = Fake::new()
            .answer_bytes(200, FIRST)
            .run(&["list", "export", LIST, "--out", out]);
        assert_eq!(
            done.calls(),
            [format!(
                "GET /status-lists/{LIST}/export?format=csv&limit=100000"
            )]
        );
        assert_eq!((done.exit, fs::read(out).unwrap().as_slice()), (0, FIRST));
        // Half a line is cut off, and the next page goes on behind the last whole one.
        fs::write(out, [FIRST, b"12"].concat()).unwrap();
        let done = Fake::new()
            .answer_bytes(200, b"index,status,credentialId\r\n12,1,\r\n")
            .run(&["list", "export", LIST, "--all", "--out", out, "--resume"]);
        assert!(
            done.calls()[0].ends_with("&all=given-out&from=8"),
            "{}",
            done.calls()[0]
        );
        assert_eq!(fs::read(out).unwrap(), [FIRST, b"12,1,\r\n"].concat());
    }

    #[test]
    fn what_is_no_export_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.ndjson");
        fs::write(&out, "something\n").unwrap();
        let out = out.to_str().unwrap();
        for (args, why) in [
            (
                &["--out", out, "--resume"][..],
                "its last line names no index",
            ),
            (
                &["--out", "/no/such/file", "--resume"],
                "cannot write /no/such/file",
            ),
            (&["--resume"], "--out"),
            (
                &["--format", "json", "--all"],
                "JSON holds the list as a whole",
            ),
        ] {
            let done = Fake::new().run(&[&["list", "export", LIST], args].concat());
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
            assert!(done.err.contains(why), "{args:?}: {}", done.err);
        }
    }

    #[test]
    fn rows_go_to_standard_output_and_failures_are_told() {
        let row = b"{\"index\":5,\"status\":1}\n";
        let done = Fake::new()
            .answer_bytes(200, row)
            .run(&["list", "export", LIST]);
        assert_eq!((done.exit, done.out.as_bytes()), (0, &row[..]));
        let done = Fake::new()
            .answer(503, json!({"title": "Store cannot be read"}))
            .run(&["list", "export", LIST]);
        assert_eq!(done.exit, 2);
    }
}
