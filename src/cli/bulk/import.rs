//! `goodstanding list import`: a list that another system kept.

use std::fs::File;
use std::io::Read as _;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::{Table, unreadable};
use crate::cli::context::{Context, parse_json};
use crate::cli::error::CliError;
use crate::cli::place::{Party, Place};
use crate::cli::profile::word;
use crate::cli::report::{Report, text};
use crate::cli::transport::Call;
use crate::ids::ListId;

/// A list that another system kept.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// A file, or - for standard input: a list credential, what `list export` wrote, the text of
    /// an encodedList, or a table (.ndjson, .csv) with index, status and credentialId
    #[arg(value_name = "FILE")]
    file: String,
    /// The profile whose list it is: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    issuer: Party,
    /// What a set bit means; a credential or an export says so itself
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// How the text of an encodedList is written [default: bitstring]
    #[arg(long)]
    format: Option<Format>,
    /// Bits an entry: 1, 2, 4 or 8 [default: 1]
    #[arg(long, value_name = "BITS")]
    status_size: Option<u64>,
    /// How many entries it is to have; a shorter one is extended
    #[arg(long, value_name = "NUMBER")]
    length: Option<u64>,
    /// The indexes that are in use: a file with a JSON array of them, or an encodedList in which
    /// their bits are set; without it none is given out here
    #[arg(long, value_name = "FILE", conflicts_with = "all_used")]
    used: Option<String>,
    /// The table names every index that is in use
    #[arg(long)]
    all_used: bool,
    /// Another list, over whose indexes this one is to lie
    #[arg(long, value_name = "LIST")]
    paired_with: Option<Place<ListId>>,
    /// URL of the list where it comes from; kept in the audit trail
    #[arg(long, value_name = "URL")]
    source: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Bitstring Status List: u, then GZIP in base64url
    Bitstring,
    /// StatusList2021: GZIP in base64url
    #[value(name = "2021")]
    StatusList2021,
    /// The lst of a Token Status List: ZLIB in base64url
    Token,
}

/// The largest file: as much as a server takes in one body.
const MOST: u64 = 64 << 20;

impl Import {
    pub(in crate::cli) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let call = match Table::of(&self.file) {
            Some(table) => self.table(context, table)?,
            None if self.all_used => {
                let words = "--all-used is for a table, whose rows name the indexes: give --used";
                return Err(CliError::Usage(words.to_owned()));
            }
            None => Call::post("/status-lists/import", self.body(context)?.into()),
        };
        Ok(imported(context.change(call)?))
    }

    /// Everything beside the rows stands in the query.
    fn table(&self, context: &Context<'_>, table: Table) -> Result<Call, CliError> {
        if self.used.is_some() || self.format.is_some() {
            let words =
                "--used and --format are for an encodedList; for a table there is --all-used";
            return Err(CliError::Usage(words.to_owned()));
        }
        let paired = self.paired_with.as_ref();
        let paired = paired.map(|list| context.url_of(list)).transpose()?;
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let query = Serializer::new(String::new())
            .append_pair("issuer", &context.party(&self.issuer)?)
            .extend_pairs(
                self.purpose
                    .as_ref()
                    .map(|purpose| ("statusPurpose", purpose)),
            )
            .extend_pairs(number(self.status_size).map(|size| ("statusSize", size)))
            .extend_pairs(number(self.length).map(|length| ("length", length)))
            .extend_pairs(self.all_used.then_some(("usedIndexes", "rows")))
            .extend_pairs(paired.map(|list| ("pairedWith", list)))
            .extend_pairs(self.source.as_ref().map(|source| ("source", source)))
            .finish();
        let bytes = read(context, &self.file)?;
        let path = format!("/status-lists/import?{query}");
        Ok(Call::post_text(path, table.media(), bytes))
    }

    fn body(&self, context: &Context<'_>) -> Result<Map<String, Value>, CliError> {
        let mut body = self.list(context)?;
        body.insert("issuer".into(), context.party(&self.issuer)?.into());
        if let Some(purpose) = &self.purpose {
            body.insert("statusPurpose".into(), purpose.as_str().into());
        }
        if let Some(format) = self.format {
            body.insert("format".into(), word(format));
        }
        for (name, number) in [("statusSize", self.status_size), ("length", self.length)] {
            if let Some(number) = number {
                body.insert(name.into(), json!(number));
            }
        }
        if let Some(file) = &self.used {
            body.insert("usedIndexes".into(), used(context, file)?);
        }
        if let Some(list) = &self.paired_with {
            // The paired list says what is in use, whatever an export said.
            body.shift_remove("usedIndexes");
            body.insert("pairedWith".into(), context.url_of(list)?.into());
        }
        if let Some(source) = &self.source {
            body.insert("source".into(), source.as_str().into());
        }
        Ok(body)
    }

    /// The list as the file has it.
    fn list(&self, context: &Context<'_>) -> Result<Map<String, Value>, CliError> {
        let bytes = read(context, &self.file)?;
        let mut body = Map::new();
        match encoded(&bytes) {
            Some(encoded) => body.insert("encodedList".into(), encoded.into()),
            None => match parse_json(&bytes, &self.file)? {
                Value::Object(list) if list.contains_key("encodedList") => return Ok(list),
                Value::Object(list) if list.contains_key("credentialSubject") => {
                    body.insert("credential".into(), list.into())
                }
                _ => {
                    let reason = "it is neither a list credential nor an exported list";
                    return Err(unreadable(&self.file, reason));
                }
            },
        };
        Ok(body)
    }
}

/// The text of an encodedList, where the bytes are nothing else.
fn encoded(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?.trim();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (!text.is_empty() && text.bytes().all(fits)).then_some(text)
}

fn used(context: &Context<'_>, file: &str) -> Result<Value, CliError> {
    let bytes = read(context, file)?;
    match encoded(&bytes) {
        Some(encoded) => Ok(json!({ "encodedList": encoded })),
        None => parse_json(&bytes, file),
    }
}

fn read(context: &Context<'_>, name: &str) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let done = match name {
        "-" => context
            .stdin
            .borrow_mut()
            .take(MOST + 1)
            .read_to_end(&mut bytes),
        _ => File::open(name).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)),
    };
    done.map_err(|failed| unreadable(name, failed))?;
    match bytes.len() as u64 > MOST {
        true => Err(unreadable(name, "it is larger than 64 MiB")),
        false => Ok(bytes),
    }
}

fn imported(answer: Value) -> Report {
    let mut report = Report::new();
    let counts = answer.get("imported").unwrap_or(&Value::Null);
    let number = |member: &str| {
        let number = counts.get(member).and_then(Value::as_u64);
        number.map(|number| number.to_string())
    };
    let id = text(&answer, "id").unwrap_or_default();
    report.line(format_args!("imported {id}"));
    let sealed = counts.get("sealed").and_then(Value::as_bool);
    let room = match sealed {
        Some(true) => "none is given out here: it is not known which indexes are in use",
        Some(false) => "those that are free are given out here",
        None => "not known",
    };
    report.rows(&[
        ("entries", number("entries")),
        ("given", number("given")),
        ("set", number("set")),
        ("in use", number("used")),
        ("indexes", Some(room.to_owned())),
    ]);
    report.json(answer);
    report
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::cli::testing::{Fake, LIST};
    use serde_json::{Value, json};

    fn answer() -> Value {
        json!({"id": "https://h/status-lists/x", "verifiableCredential": {}, "imported": {
            "entries": 131_072, "given": 8, "set": 1, "used": null, "sealed": true,
        }})
    }

    #[test]
    fn what_the_file_holds_says_how_it_is_sent() {
        let credential = r#"{"type":["x"],"credentialSubject":{"encodedList":"uA"}}"#;
        for (stdin, more, sent) in [
            (
                "uH4sI\n",
                &["--purpose", "revocation"][..],
                r#"{"encodedList":"uH4sI","issuer":"a","statusPurpose":"revocation"}"#,
            ),
            (
                "eNp",
                &[
                    "--purpose",
                    "recall",
                    "--format",
                    "token",
                    "--status-size",
                    "2",
                    "--length",
                    "9",
                ],
                r#"{"encodedList":"eNp","issuer":"a","statusPurpose":"recall","format":"token","statusSize":2,"length":9}"#,
            ),
            (
                credential,
                &["--source", "https://old/1"],
                r#"{"credential":{"type":["x"],"credentialSubject":{"encodedList":"uA"}},"issuer":"a","source":"https://old/1"}"#,
            ),
            (
                r#"{"issuer":"did:web:b","encodedList":"uA","usedIndexes":[1]}"#,
                &[],
                r#"{"issuer":"a","encodedList":"uA","usedIndexes":[1]}"#,
            ),
        ] {
            let args = [&["list", "import", "-", "--issuer", "a"], more].concat();
            let done = Fake::new().stdin(stdin).answer(201, answer()).run(&args);
            assert_eq!(done.calls(), [format!("POST /status-lists/import {sent}")]);
            assert!(done.calls[0].idempotency_key.is_some());
            let told = "imported https://h/status-lists/x\n\
                        entries  131072\n\
                        given    8\n\
                        set      1\n\
                        indexes  none is given out here: it is not known which indexes are in use\n";
            assert_eq!((done.exit, done.out.as_str()), (0, told));
        }
    }

    #[test]
    fn a_table_is_sent_as_it_is_with_the_rest_in_the_query() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old.csv");
        fs::write(&file, "index,status\n1,1\n").unwrap();
        let list = format!("https://h/status-lists/{LIST}");
        let done = Fake::new().answer(201, answer()).run(&[
            "list",
            "import",
            file.to_str().unwrap(),
            "--issuer",
            "a",
            "--purpose",
            "revocation",
            "--all-used",
            "--length",
            "262144",
            "--paired-with",
            &list,
        ]);
        assert_eq!(
            done.calls(),
            [format!(
                "POST /status-lists/import?issuer=a&statusPurpose=revocation&length=262144&\
                 usedIndexes=rows&pairedWith=https%3A%2F%2Fh%2Fstatus-lists%2F{LIST} \
                 index,status\n1,1\n"
            )]
        );
        assert_eq!(done.calls[0].payload().unwrap().0, "text/csv");
    }

    #[test]
    fn used_indexes_are_numbers_or_bits() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("used");
        for (text, sent) in [("[1,2]", "[1,2]"), ("uH4s\n", r#"{"encodedList":"uH4s"}"#)] {
            fs::write(&file, text).unwrap();
            let args = [
                "list",
                "import",
                "-",
                "--issuer",
                "a",
                "--used",
                file.to_str().unwrap(),
            ];
            let done = Fake::new().stdin("uA").answer(201, answer()).run(&args);
            let body = format!(r#"{{"encodedList":"uA","issuer":"a","usedIndexes":{sent}}}"#);
            assert_eq!(done.calls(), [format!("POST /status-lists/import {body}")]);
        }
    }

    #[test]
    fn what_is_no_list_is_not_sent() {
        for (stdin, args, why) in [
            (
                "[]",
                &["-"][..],
                "neither a list credential nor an exported list",
            ),
            ("{}", &["-"], "neither a list credential"),
            ("u A", &["-"], "is not usable JSON"),
            ("uA", &["-", "--all-used"], "--all-used is for a table"),
            ("", &["x.csv", "--used", "y"], "--used and --format"),
            ("", &["x.csv"], "cannot read x.csv"),
        ] {
            let args = [&["list", "import", "--issuer", "a"], args].concat();
            let done = Fake::new().stdin(stdin).run(&args);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
            assert!(done.err.contains(why), "{args:?}: {}", done.err);
        }
    }
}
