//! `goodstanding entries`: reserves places in a status list.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::place::Place;
use super::report::{Report, entry_place};
use super::transport::Call;
use crate::ids::ListId;

/// Reserve entries of a status list, to be put into credentials that are signed elsewhere.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding entries https://registry.example/status-lists/ID --count 3 --json
  goodstanding entries ID --credential-id urn:uuid:7b0c… --credential-id urn:uuid:90aa…
  goodstanding entries ID --from ids.txt")]
pub(super) struct Entries {
    /// The list's URL or id
    #[arg(value_name = "LIST")]
    list: Place<ListId>,
    #[command(flatten)]
    what: What,
}

/// For what entries are wanted.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// How many, up to 100,000
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: Option<u32>,
    /// The credentials by id, so that their status can be changed by id later
    #[arg(long = "credential-id", value_name = "ID", num_args = 1..)]
    credential_ids: Vec<String>,
    /// A file ('-': standard input) with one credential id per line
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
}

impl Entries {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let body = match (self.what.count, &self.what.from) {
            (Some(count), _) => json!({ "count": count }),
            (None, Some(name)) => json!({ "credentialIds": lines(context, name)? }),
            (None, None) => json!({ "credentialIds": self.what.credential_ids }),
        };
        let path = context.path(&self.list)? + "/entries";
        let answer = context.change(Call::post(path, body))?;
        let mut report = Report::new();
        let entries = answer.get("entries").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            // An entry's id is a choice of its issuer; its list and index are always there.
            report.line(entry_place(entry).unwrap_or_else(|| entry.to_string()));
        }
        report.json(answer);
        Ok(report)
    }
}

/// The credential ids of a file, one a line.
pub(super) fn lines(context: &Context<'_>, name: &str) -> Result<Vec<String>, CliError> {
    let unreadable = |reason: &str| CliError::Unreadable {
        place: name.to_owned(),
        reason: reason.to_owned(),
    };
    let text = String::from_utf8(context.read(name)?)
        .map_err(|_| unreadable("it is not text in UTF-8"))?;
    let ids = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(unreadable("it holds no credential id"));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    #[test]
    fn entries_are_reserved_by_number_or_id() {
        let entry = |index: &str| {
            json!({
                "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
                "statusListIndex": index, "statusListCredential": "https://h/status-lists/x",
            })
        };
        let done = Fake::new()
            .answer(200, json!({"entries": [entry("7"), entry("90001")]}))
            .run(&["entries", LIST, "--count", "2"]);
        assert_eq!(
            done.calls(),
            [format!(
                r#"POST /status-lists/{LIST}/entries {{"count":2}}"#
            )]
        );
        assert_eq!(
            done.out,
            "https://h/status-lists/x#7\nhttps://h/status-lists/x#90001\n"
        );
        for (args, stdin) in [
            (
                vec!["--credential-id", "urn:a", "--credential-id", "urn:b"],
                "",
            ),
            (vec!["--credential-id", "urn:a", "urn:b"], ""),
            (vec!["--from", "-"], "urn:a\n\n urn:b \n"),
        ] {
            let args = [vec!["entries", LIST], args].concat();
            let done = Fake::new()
                .stdin(stdin)
                .answer(200, json!({"entries": []}))
                .run(&args);
            assert_eq!(
                done.calls(),
                [format!(
                    r#"POST /status-lists/{LIST}/entries {{"credentialIds":["urn:a","urn:b"]}}"#
                )]
            );
        }
    }

    #[test]
    fn a_full_list_and_an_empty_wish_are_errors() {
        let done = Fake::new()
            .answer(
                409,
                json!({"title": "The list is full", "detail": "1 entry remains"}),
            )
            .run(&["entries", LIST, "--count", "2"]);
        assert_eq!(done.exit, 2);
        assert!(
            done.err
                .starts_with("goodstanding: The list is full: 1 entry remains\n")
        );
        for args in [
            &["entries", LIST][..],
            &["entries", LIST, "--count", "0"],
            &["entries", LIST, "--count", "1", "--from", "-"],
            &["entries", LIST, "--from", "-"],
        ] {
            let done = Fake::new().run(args);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
        }
    }
}
