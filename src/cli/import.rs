//! `goodstanding endorsements import` and `follow`: endorsements that were issued elsewhere.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::document::{place, read_from_anywhere};
use super::endorse::Kind;
use super::error::CliError;
use super::place::Place;
use super::profile::word;
use super::report::{Exit, Report, text};
use super::scope::covers;
use super::transport::Call;
use crate::ids::EndorsementId;
use crate::verify::Input;

/// What is done about endorsements that were issued elsewhere.
#[derive(Debug, Subcommand)]
pub(super) enum Elsewhere {
    /// Take in an endorsement that was issued elsewhere
    ///
    /// It is verified, kept as it was signed, and its issuer is asked from time to time how it
    /// stands. It takes the token of whom it is about, or the operator's.
    #[command(after_help = "Examples:
  goodstanding endorsements import endorsement.json
  goodstanding endorsements import https://board.example/endorsements/1 --kind credential")]
    Import(Import),
    /// Ask the issuer of an imported endorsement how it stands, without waiting for the next time
    ///
    /// Exit status: 0 where it is active, 1 where it is not, 2 where that is not known.
    Follow {
        /// Its URL or id here
        #[arg(value_name = "ENDORSEMENT")]
        endorsement: Place<EndorsementId>,
    },
}

/// An endorsement that was issued elsewhere.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// A file, an https URL, or - for standard input: JSON or a JWT
    #[arg(value_name = "FILE|URL|-")]
    source: String,
    /// What it is about; seen from its id where that is registered here
    #[arg(long)]
    kind: Option<Kind>,
}

impl Elsewhere {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::Import(import) => import.run(context),
            Self::Follow { endorsement } => follow(context, &endorsement),
        }
    }
}

impl Import {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let Input::Credential(credential) = read_from_anywhere(context, &self.source)? else {
            let place = place(&self.source);
            return Err(CliError::Usage(format!(
                "{place} holds a presentation: give the endorsement that is in it"
            )));
        };
        let mut body = json!({ "verifiableCredential": credential });
        if let Some(kind) = self.kind {
            body["kind"] = word(kind);
        }
        let answer = context.change(Call::post("/endorsements/import", body))?;
        let mut report = Report::new();
        let of = answer.get("imported").unwrap_or(&Value::Null);
        let value = |of: &Value, member: &str| text(of, member).map(str::to_owned);
        report.line(format_args!(
            "imported {}",
            text(of, "id").unwrap_or_default()
        ));
        report.rows(&[
            ("id", value(&answer, "id")),
            ("outcome", value(&answer, "outcome")),
            ("endorser", value(&answer, "endorser")),
            ("subject", value(&answer, "subject")),
            ("covers", covers(answer.get("scope"))),
            ("valid from", value(&answer, "validFrom")),
            ("valid until", value(&answer, "validUntil")),
            ("checked", value(of, "checkedAt")),
        ]);
        report.json(answer);
        Ok(report)
    }
}

fn follow(context: &Context<'_>, endorsement: &Place<EndorsementId>) -> Result<Report, CliError> {
    let path = context.path(endorsement)? + "/follow";
    let answer = context.change(Call::post(path, json!({})))?;
    let mut report = Report::new();
    let outcome = text(&answer, "outcome");
    report.worse(Exit::of(outcome));
    let outcome = outcome.unwrap_or("unknown");
    report.outcome("", outcome, format_args!(": {}", endorsement.given));
    let checked = answer.pointer("/imported/checkedAt");
    let checked = checked.and_then(Value::as_str);
    report.rows(&[("  last answered", checked.map(str::to_owned))]);
    report.json(answer);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::{Value, json};

    fn imported() -> Value {
        json!({
            "id": format!("https://h/endorsements/{LIST}"), "endorser": "did:web:board.example",
            "subject": "did:web:h:profiles:acme", "kind": "profile", "outcome": "active",
            "scope": {"type": ["EndorsementScope"], "achievementType": ["Degree"]},
            "validFrom": "2026-01-01T00:00:00Z",
            "imported": {"id": "https://board.example/1", "checkedAt": "2026-03-01T09:00:00Z"},
            "credential": {},
        })
    }

    #[test]
    fn an_endorsement_is_taken_in_as_it_was_signed() {
        for (given, sent) in [
            (r#"{"@context":["x"]}"#, r#"{"@context":["x"]}"#),
            (r#"{"verifiableCredential":{"id":"a"}}"#, r#"{"id":"a"}"#),
            ("eyJhIjoxfQ.e30.AA\n", r#""eyJhIjoxfQ.e30.AA""#),
        ] {
            let done = Fake::new().stdin(given).answer(201, imported()).run(&[
                "endorsements",
                "import",
                "-",
                "--kind",
                "profile",
            ]);
            let body = format!(r#"{{"verifiableCredential":{sent},"kind":"profile"}}"#);
            assert_eq!(done.calls(), [format!("POST /endorsements/import {body}")]);
            assert!(done.calls[0].idempotency_key.is_some());
            let told = "imported https://board.example/1\n\
                        id          https://h/endorsements/000000g123456789abc0\n\
                        outcome     active\n\
                        endorser    did:web:board.example\n\
                        subject     did:web:h:profiles:acme\n\
                        covers      achievements of the type Degree\n\
                        valid from  2026-01-01T00:00:00Z\n\
                        checked     2026-03-01T09:00:00Z\n";
            assert_eq!((done.exit, done.out.as_str()), (0, told));
        }
    }

    #[test]
    fn an_import_is_followed_and_its_outcome_is_the_exit_status() {
        for (outcome, exit) in [("active", 0), ("revoked", 1), ("unreachable", 2)] {
            let mut answer = imported();
            answer["outcome"] = json!(outcome);
            let done = Fake::new()
                .answer(200, answer)
                .run(&["endorsements", "follow", LIST]);
            assert_eq!(
                done.calls(),
                [format!("POST /endorsements/{LIST}/follow {{}}")]
            );
            let said = format!("{outcome}: {LIST}\n  last answered  2026-03-01T09:00:00Z\n");
            assert_eq!((done.exit, done.out), (exit, said));
        }
    }

    #[test]
    fn what_is_no_endorsement_is_not_sent() {
        let presentation = r#"{"@context":["x"],"type":["VerifiablePresentation"]}"#;
        for (stdin, args, why) in [
            (
                presentation,
                &["import", "-"][..],
                "give the endorsement that is in it",
            ),
            ("[]", &["import", "-"], "standard input is not usable JSON"),
            (
                "",
                &["import", "/no/such/file"],
                "cannot read /no/such/file",
            ),
            ("", &["follow", "x"], "is not an endorsement"),
            ("", &["--subject", "acme", "follow", LIST], "cannot be used"),
        ] {
            let done = Fake::new()
                .stdin(stdin)
                .run(&[&["endorsements"], args].concat());
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
            assert!(done.err.contains(why), "{args:?}: {}", done.err);
        }
    }
}
