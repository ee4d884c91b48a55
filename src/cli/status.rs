//! `goodstanding status`: what a status list, or the registry, says of a credential.

use std::str::FromStr;

use clap::Args;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::context::Context;
use super::error::CliError;
use super::place::{Entry, Place, PlaceError, is_uri};
use super::report::{Exit, Report, entry_place, text};
use super::transport::Call;
use crate::ids::ListId;
use crate::time::Timestamp;

/// Look up the status of credentials, by entry or by id.
///
/// Exit status: 0 where all are active, 1 where one is revoked or suspended, 2 where one is not
/// known.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding status https://registry.example/status-lists/ID#42
  goodstanding status --list https://registry.example/status-lists/ID --index 42
  goodstanding status urn:uuid:7b0c… --at 2026-01-31T12:00:00Z")]
pub(super) struct Status {
    /// An entry (LIST#INDEX) or a credential's id
    #[arg(value_name = "TARGET", required_unless_present = "list")]
    targets: Vec<Target>,
    /// A status list, with --index
    #[arg(long, value_name = "LIST", requires = "indexes")]
    list: Option<List>,
    /// An index of --list; can be given many times
    #[arg(long = "index", value_name = "INDEX", requires = "list", num_args = 1..)]
    indexes: Vec<u64>,
    /// As it was at this time
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
enum Target {
    Entry(Entry),
    Credential(String),
}

impl FromStr for Target {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        match text.parse() {
            Ok(entry) => Ok(Self::Entry(entry)),
            Err(_) if is_uri(text) && text.parse::<Place<ListId>>().is_err() => {
                Ok(Self::Credential(text.to_owned()))
            }
            Err(_) => Err(PlaceError {
                given: text.to_owned(),
                wanted: "something with a status: give LIST#INDEX, or a credential's id, such as \
                         urn:uuid:…",
            }),
        }
    }
}

/// A list here, or any other by its URL: the registry answers for those that it knows.
#[derive(Debug, Clone)]
enum List {
    Hosted(Place<ListId>),
    Url(String),
}

impl FromStr for List {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        match text.parse() {
            Ok(place) => Ok(Self::Hosted(place)),
            Err(_) if is_uri(text) => Ok(Self::Url(text.to_owned())),
            Err(refused) => Err(refused),
        }
    }
}

impl Status {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut report = Report::new();
        let total = (self.indexes.len() + self.targets.len()) as u64;
        let mut progress = context.shows.begin("asking");
        let mut done = 0..;
        let mut next = || progress.at(done.next().unwrap_or(total), Some(total), "looked up");
        if let Some(list) = &self.list {
            let url = match list {
                List::Hosted(place) => context.url_of(place)?,
                List::Url(url) => url.clone(),
            };
            for index in &self.indexes {
                next();
                self.entry(context, &url, *index, &mut report);
            }
        }
        for target in &self.targets {
            next();
            match target {
                Target::Credential(id) => {
                    self.look_up(context, id, &[("credential", id)], &mut report);
                }
                Target::Entry(Entry { list, index }) => match context.url_of(list) {
                    Ok(url) => self.entry(context, &url, *index, &mut report),
                    Err(failed) => report.fail(failed),
                },
            }
        }
        Ok(report)
    }

    fn entry(&self, context: &Context<'_>, list: &str, index: u64, report: &mut Report) {
        let query = [("list", list), ("index", &index.to_string())];
        self.look_up(context, &format!("{list}#{index}"), &query, report);
    }

    fn look_up(
        &self,
        context: &Context<'_>,
        of: &str,
        query: &[(&str, &str)],
        report: &mut Report,
    ) {
        let at = self.at.map(|at| ("at", at.to_string()));
        let query = Serializer::new(String::new())
            .extend_pairs(query)
            .extend_pairs(at)
            .finish();
        match context.ask(&Call::get(format!("/status?{query}"))) {
            Ok(answer) => said(of, answer, report),
            Err(failed) => report.fail(failed),
        }
    }
}

fn said(of: &str, answer: Value, report: &mut Report) {
    let outcome = text(&answer, "outcome");
    report.worse(Exit::of(outcome));
    report.outcome("", outcome.unwrap_or("unknown"), format_args!(": {of}"));
    let number = |member: &str| answer.get(member).and_then(Value::as_u64);
    report.rows(&[
        ("  purpose", text(&answer, "purpose").map(str::to_owned)),
        (
            "  status",
            number("status").map(|status| status.to_string()),
        ),
        ("  message", text(&answer, "message").map(str::to_owned)),
        ("  revision", number("revision").map(|at| at.to_string())),
        ("  as of", text(&answer, "asOf").map(str::to_owned)),
    ]);
    let entries = answer.get("entries").and_then(Value::as_array);
    let row = |entry: &Value| {
        let word = text(entry, "outcome").unwrap_or("unknown");
        let purpose = text(entry, "purpose").unwrap_or_default();
        vec![
            word.to_owned(),
            purpose.to_owned(),
            entry_place(entry).unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = entries.into_iter().flatten().map(row).collect();
    report.outcomes("  ", 0, &rows);
    report.json(answer);
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    #[test]
    fn an_entry_is_looked_up_under_the_url_of_its_list() {
        let url = format!("https://h/status-lists/{LIST}");
        let answer = json!({"status": 0, "purpose": "revocation", "valid": true,
                            "outcome": "active", "asOf": "2026-01-31T12:00:00Z", "revision": 7});
        for args in [
            vec!["status".to_owned(), format!("{url}#42")],
            vec![
                "status".into(),
                "--list".into(),
                url.clone(),
                "--index".into(),
                "42".into(),
            ],
        ] {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let done = Fake::new().answer(200, answer.clone()).run(&args);
            assert_eq!(
                done.calls(),
                [format!(
                    "GET /status?list=https%3A%2F%2Fh%2Fstatus-lists%2F{LIST}&index=42"
                )]
            );
            assert_eq!(
                (done.exit, done.out),
                (
                    0,
                    format!(
                        "active: {url}#42\n  purpose   revocation\n  status    0\n  \
                     revision  7\n  as of     2026-01-31T12:00:00Z\n"
                    )
                )
            );
        }
    }

    #[test]
    fn an_id_alone_is_asked_for_its_url_first() {
        let done = Fake::new()
            .answer(200, json!({"id": "https://h/status-lists/x"}))
            .answer(200, json!({"outcome": "suspended", "status": 1}))
            .run(&["status", &format!("{LIST}#1")]);
        assert_eq!(done.exit, 1);
        assert_eq!(
            done.calls()[1],
            "GET /status?list=https%3A%2F%2Fh%2Fstatus-lists%2Fx&index=1"
        );
    }

    #[test]
    fn a_credential_shows_all_its_entries() {
        let done = Fake::new()
            .answer(200, json!({"credential": "urn:uuid:a", "outcome": "revoked", "entries": [
                {"list": "https://h/status-lists/x", "index": 4, "purpose": "revocation", "outcome": "revoked"},
                {"list": "https://h/status-lists/y", "index": 4, "purpose": "suspension", "outcome": "active"},
            ]}))
            .run(&["status", "urn:uuid:a"]);
        assert_eq!(done.calls(), ["GET /status?credential=urn%3Auuid%3Aa"]);
        assert_eq!(done.exit, 1);
        assert_eq!(
            done.out,
            "revoked: urn:uuid:a\n  \
             revoked  revocation  https://h/status-lists/x#4\n  \
             active   suspension  https://h/status-lists/y#4\n"
        );
    }

    #[test]
    fn the_past_is_asked_for_by_its_moment() {
        let done = Fake::new().answer(200, json!({"outcome": "active"})).run(&[
            "status",
            "urn:a",
            "--at",
            "2026-01-31T13:00:00+01:00",
        ]);
        let call = "GET /status?credential=urn%3Aa&at=2026-01-31T12%3A00%3A00Z";
        assert_eq!((done.calls(), done.exit), (vec![call.to_owned()], 0));
    }

    #[test]
    fn the_worst_of_several_counts_and_errors_do_not_hide_the_rest() {
        let done = Fake::new()
            .answer(200, json!({"outcome": "active"}))
            .answer(404, json!({"title": "Not found"}))
            .answer(200, json!({"outcome": "revoked"}))
            .run(&["status", "urn:a", "urn:b", "urn:c"]);
        assert_eq!(
            (done.exit, done.out.as_str()),
            (2, "active: urn:a\nrevoked: urn:c\n")
        );
    }

    #[test]
    fn an_answer_without_an_outcome_is_not_known() {
        let done = Fake::new()
            .answer(200, json!({"valid": true}))
            .run(&["status", "urn:a"]);
        assert_eq!((done.exit, done.out.as_str()), (2, "unknown: urn:a\n"));
        let list = format!("https://h/status-lists/{LIST}");
        for args in [
            &["status"][..],
            &["status", &list],
            &["status", "--index", "1"],
            &["status", "x y"],
        ] {
            assert_eq!(Fake::new().run(args).exit, 2, "{args:?}");
        }
    }
}
