//! `goodstanding list`: status lists.

use std::num::NonZeroU64;

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::bulk::{Export, Import};
use super::context::Context;
use super::error::CliError;
use super::place::{Party, Place};
use super::profile::word;
use super::report::{Report, text};
use super::transport::Call;
use crate::ids::ListId;

/// Status lists: where revocations and suspensions are published.
#[derive(Debug, Subcommand)]
pub(super) enum List {
    /// Open a status list
    #[command(after_help = "Examples:
  goodstanding list create --issuer acme-college --purpose revocation --also token
  goodstanding list create --issuer acme-college --purpose message --message ready --message sent")]
    Create(Create),
    /// Show what a status list says of itself
    Show {
        /// Its URL or id
        #[arg(value_name = "LIST")]
        list: Place<ListId>,
    },
    /// Take in a list that another system kept; its indexes stay what they are
    #[command(after_help = "Examples:
  goodstanding list import list.json --issuer acme-college
  goodstanding list import bits.txt --issuer acme-college --purpose revocation --used used.json
  goodstanding list import credentials.csv --issuer acme-college --purpose revocation --all-used")]
    Import(Import),
    /// Write the entries of a list as a table, or the list as `import` takes it
    #[command(after_help = "Examples:
  goodstanding list export ID --out revoked.csv
  goodstanding list export ID --all --out entries.ndjson --resume
  goodstanding list export ID --out list.json")]
    Export(Export),
}

/// What a new list is.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The profile that publishes it: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    issuer: Party,
    /// What a set bit means; a revocation is for ever, a suspension can be taken back
    #[arg(long, value_name = "PURPOSE")]
    purpose: Purpose,
    /// How many credentials it has room for [default: 131072]
    #[arg(long, value_name = "NUMBER")]
    length: Option<NonZeroU64>,
    /// Another list whose indexes it shares, so that one index can be revoked and suspended
    #[arg(long, value_name = "LIST")]
    paired_with: Option<Place<ListId>>,
    /// What each status means, in order from 0 on: 2, 4, 16 or 256 times, which gives its size
    #[arg(long = "message", value_name = "TEXT")]
    messages: Vec<String>,
    /// Where more is told about the statuses, as often as needed
    #[arg(long = "reference", value_name = "URL")]
    references: Vec<String>,
    /// What it is published as beside a BitstringStatusListCredential
    #[arg(long, value_name = "FORMAT")]
    also: Vec<Also>,
    /// Put a second proof on it, by eddsa-jcs-2022
    #[arg(long)]
    second_proof: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Purpose {
    Revocation,
    Suspension,
    Refresh,
    /// A status is one of several messages
    Message,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Also {
    /// A Token Status List of all lists over the same indexes
    Token,
    /// A StatusList2021
    #[value(name = "2021")]
    Status2021,
}

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::Create(create) => create.run(context),
            Self::Import(import) => import.run(context),
            Self::Export(export) => export.run(context),
            Self::Show { list } => {
                let answer = context.ask(&Call::get(context.path(&list)?))?;
                Ok(shown("", answer))
            }
        }
    }
}

impl Create {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut body = Map::new();
        body.insert("issuer".into(), context.party(&self.issuer)?.into());
        body.insert("statusPurpose".into(), word(self.purpose));
        if let Some(length) = self.length {
            body.insert("length".into(), json!(length));
        }
        if let Some(list) = &self.paired_with {
            body.insert("pairedWith".into(), context.url_of(list)?.into());
        }
        if !self.messages.is_empty() {
            let size = self.messages.len().ilog2();
            let messages = self.messages.iter().enumerate().map(
                |(status, message)| json!({ "status": format!("{status:#x}"), "message": message }),
            );
            body.insert("statusSize".into(), json!(size));
            body.insert("statusMessage".into(), messages.collect());
        }
        if !self.references.is_empty() {
            body.insert("statusReference".into(), json!(self.references));
        }
        if !self.also.is_empty() {
            let also = self.also.iter().map(|also| word(*also));
            let formats = [json!("bitstring")].into_iter().chain(also);
            body.insert("formats".into(), formats.collect());
        }
        if self.second_proof {
            let suites = json!(["eddsa-rdfc-2022", "eddsa-jcs-2022"]);
            body.insert("cryptosuites".into(), suites);
        }
        let answer = context.change(Call::post("/status-lists", body.into()))?;
        Ok(shown("opened", answer))
    }
}

/// The list credential of an answer: alone, or as VCALM wraps it.
pub(super) fn credential(answer: &Value) -> &Value {
    answer.get("verifiableCredential").unwrap_or(answer)
}

fn shown(done: &str, answer: Value) -> Report {
    let mut report = Report::new();
    let list = credential(&answer);
    let value = |of: &Value, member: &str| text(of, member).map(str::to_owned);
    let id = value(list, "id").or_else(|| value(&answer, "id"));
    let issuer = list.get("issuer");
    let issuer = issuer.and_then(|by| by.as_str().or_else(|| text(by, "id")));
    let subject = list.get("credentialSubject").unwrap_or(&Value::Null);
    let ttl = subject.get("ttl").and_then(Value::as_u64);
    if !done.is_empty() {
        report.line(format_args!("{done} {}", id.as_deref().unwrap_or_default()));
    }
    report.rows(&[
        ("id", id),
        ("issuer", issuer.map(str::to_owned)),
        ("purpose", value(subject, "statusPurpose")),
        ("valid from", value(list, "validFrom")),
        ("valid until", value(list, "validUntil")),
        (
            "fresh for",
            ttl.map(|millis| format!("{} s", millis / 1000)),
        ),
    ]);
    report.json(answer);
    report
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    #[test]
    fn a_list_is_opened_and_paired() {
        let paired = format!("https://h/status-lists/{LIST}");
        let done = Fake::new()
            .answer(
                201,
                json!({"id": "https://h/status-lists/y", "verifiableCredential": {
                    "id": "https://h/status-lists/y", "issuer": "did:web:h:profiles:a",
                    "credentialSubject": {"statusPurpose": "suspension", "ttl": 300000},
                }}),
            )
            .run(&[
                "list",
                "create",
                "--issuer",
                "a",
                "--purpose",
                "suspension",
                "--length",
                "262144",
                "--paired-with",
                &paired,
            ]);
        assert_eq!(
            done.calls(),
            [format!(
                r#"POST /status-lists {{"issuer":"a","statusPurpose":"suspension","length":262144,"pairedWith":"{paired}"}}"#
            )]
        );
        assert_eq!(
            done.out,
            "opened https://h/status-lists/y\n\
             id         https://h/status-lists/y\n\
             issuer     did:web:h:profiles:a\n\
             purpose    suspension\n\
             fresh for  300 s\n"
        );
    }

    #[test]
    fn a_list_has_messages_and_more_forms() {
        let done = Fake::new()
            .answer(201, json!({"id": "https://h/status-lists/y"}))
            .run(&[
                "list",
                "create",
                "--issuer",
                "a",
                "--purpose",
                "message",
                "--message",
                "new",
                "--message",
                "seen",
                "--reference",
                "https://a.example/",
                "--also",
                "token",
                "--also",
                "2021",
                "--second-proof",
            ]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /status-lists {"issuer":"a","statusPurpose":"message","statusSize":1,"statusMessage":[{"status":"0x0","message":"new"},{"status":"0x1","message":"seen"}],"statusReference":["https://a.example/"],"formats":["bitstring","token","2021"],"cryptosuites":["eddsa-rdfc-2022","eddsa-jcs-2022"]}"#
            ]
        );
    }

    #[test]
    fn an_id_alone_becomes_the_url_that_the_registry_gives_it() {
        let done = Fake::new()
            .answer(200, json!({"id": "https://h/status-lists/x"}))
            .answer(201, json!({"id": "https://h/status-lists/y"}))
            .run(&[
                "list",
                "create",
                "--issuer",
                "did:key:z6Mk",
                "--purpose",
                "revocation",
                "--paired-with",
                LIST,
            ]);
        assert_eq!(
            done.calls(),
            [
                format!("GET /status-lists/{LIST}"),
                r#"POST /status-lists {"issuer":"did:key:z6Mk","statusPurpose":"revocation","pairedWith":"https://h/status-lists/x"}"#.to_owned(),
            ]
        );
    }

    #[test]
    fn a_list_is_shown_and_nonsense_refused() {
        let done = Fake::new()
            .answer(
                200,
                json!({"id": "https://h/status-lists/x", "validUntil": "2026-01-31T12:00:00Z"}),
            )
            .run(&["list", "show", LIST]);
        assert_eq!(
            done.out,
            "id           https://h/status-lists/x\nvalid until  2026-01-31T12:00:00Z\n"
        );
        let done = Fake::new().run(&["list", "create", "--issuer", "a", "--purpose", "fun"]);
        assert!(
            done.err
                .contains("[possible values: revocation, suspension, refresh, message]"),
            "{}",
            done.err
        );
        let done = Fake::new().run(&[
            "list",
            "create",
            "--issuer",
            "a",
            "--purpose",
            "revocation",
            "--length",
            "0",
        ]);
        assert_eq!(done.exit, 2);
    }
}
