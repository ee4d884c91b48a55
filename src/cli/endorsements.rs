//! `goodstanding endorsements`: who stands behind whom.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::context::Context;
use super::endorse::{Kind, subject_id};
use super::error::CliError;
use super::place::Party;
use super::report::{Exit, Report, text};
use super::transport::Call;
use crate::time::Timestamp;

/// Look up endorsements.
///
/// Exit status with --subject: 0 where at least one endorsement is active, 1 where none is, 2
/// where it is not known. Without it, 0.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding endorsements --subject acme-college
  goodstanding endorsements --endorser quality-board --kind achievement
  goodstanding endorsements --subject did:web:acme.example --at 2026-01-31T12:00:00Z")]
pub(super) struct Endorsements {
    /// Of this subject: its id, or the slug of a profile here
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// By this accreditor: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    endorser: Option<Party>,
    /// Of this kind of subject
    #[arg(long)]
    kind: Option<Kind>,
    /// As they stood at this time
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// In this standing only, such as active or revoked
    #[arg(long, value_name = "WORD")]
    standing: Option<String>,
}

impl Endorsements {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let endorser = self
            .endorser
            .as_ref()
            .map(|by| context.party(by))
            .transpose()?;
        let subject = self.subject.as_ref();
        let subject = subject
            .map(|of| subject_id(context, of, self.kind))
            .transpose()?;
        let kind = self.kind.and_then(|kind| kind.to_possible_value());
        let narrowed = endorser.is_some() || kind.is_some() || self.standing.is_some();
        let filters = [
            ("subject", subject.clone()),
            ("endorser", endorser),
            ("kind", kind.map(|kind| kind.get_name().to_owned())),
            ("at", self.at.map(|at| at.to_string())),
            ("standing", self.standing),
        ];
        let given = filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        let path = match query.as_str() {
            "" => "/endorsements".to_owned(),
            query => format!("/endorsements?{query}"),
        };
        let pages = context.pages(path)?;
        let none = pages
            .iter()
            .all(|page| page.pointer("/endorsements/0").is_none());
        let bare = match &subject {
            Some(subject) if none && !narrowed => Some(outcome_of(context, subject, self.at)?),
            _ => None,
        };
        Ok(said(&pages, subject.as_deref(), bare))
    }
}

/// What was found, and the worst that it says.
fn said(pages: &[Value], subject: Option<&str>, bare: Option<Outcome>) -> Report {
    let mut report = Report::new();
    let found: Vec<&Value> = pages
        .iter()
        .filter_map(|page| page.get("endorsements")?.as_array())
        .flatten()
        .collect();
    if let Some(subject) = subject {
        let exits = found.iter().map(|found| Exit::of(text(found, "outcome")));
        let (best, word) = match bare {
            Some(Outcome { exit, word }) => (exit, word),
            None => {
                let best = standing(exits);
                (best, word_for(best).to_owned())
            }
        };
        report.worse(best);
        report.line(format_args!("{word}: {subject}"));
    }
    if found.is_empty() && subject.is_none() {
        report.line("There are no endorsements that fit.");
    }
    let rows: Vec<Vec<String>> = found.into_iter().map(row).collect();
    report.table(if subject.is_some() { "  " } else { "" }, &rows);
    for page in pages {
        report.json(page.clone());
    }
    report
}

/// How a subject stands of which no endorsement is listed, in the registry's own word: one that is
/// known and not endorsed differs from one that nobody has heard of.
struct Outcome {
    exit: Exit,
    word: String,
}

fn outcome_of(
    context: &Context<'_>,
    subject: &str,
    at: Option<Timestamp>,
) -> Result<Outcome, CliError> {
    let mut question = json!({ "subjects": [subject] });
    if let Some(at) = at {
        question["at"] = json!(at.to_string());
    }
    let answer = context.ask(&Call::post("/endorsements/query", question))?;
    let word = answer.pointer("/results/0/outcome").and_then(Value::as_str);
    Ok(Outcome {
        exit: Exit::of(word),
        word: word.unwrap_or("unknown").to_owned(),
    })
}

const fn word_for(exit: Exit) -> &'static str {
    match exit {
        Exit::Good => "active",
        Exit::Not => "not-endorsed",
        Exit::Unknown => "unknown",
    }
}

/// One active endorsement is enough; without one, one that is not known leaves the whole unknown.
fn standing(exits: impl Iterator<Item = Exit>) -> Exit {
    let exits: Vec<Exit> = exits.collect();
    match exits.iter().min() {
        Some(Exit::Good) => Exit::Good,
        _ => exits.into_iter().max().unwrap_or(Exit::Not),
    }
}

fn row(endorsement: &Value) -> Vec<String> {
    let party = |member: &str| {
        let party = endorsement.get(member);
        let id = party.and_then(|party| party.as_str().or_else(|| text(party, "id")));
        id.unwrap_or_default().to_owned()
    };
    let kind = text(endorsement, "kind")
        .or_else(|| endorsement.pointer("/subject/kind")?.as_str())
        .unwrap_or_default();
    let until = text(endorsement, "validUntil").map(|until| format!(", until {until}"));
    vec![
        text(endorsement, "outcome").unwrap_or("unknown").to_owned(),
        format!("{kind} {}", party("subject")),
        format!("by {}{}", party("endorser"), until.unwrap_or_default()),
        party("id"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{Done, Fake};

    fn looked_up(outcomes: &[&str]) -> Done {
        let found: Vec<Value> = outcomes
            .iter()
            .map(|outcome| {
                json!({
                    "id": "https://h/endorsements/x", "endorser": "did:web:h:profiles:board",
                    "subject": "did:web:h:profiles:acme", "kind": "profile", "outcome": outcome,
                    "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2029-01-01T00:00:00Z",
                })
            })
            .collect();
        Fake::new()
            .answer(
                200,
                json!({"endorsements": found, "asOf": "2026-01-31T12:00:00Z"}),
            )
            .run(&["endorsements", "--subject", "did:web:h:profiles:acme"])
    }

    #[test]
    fn one_active_endorsement_is_enough() {
        let done = looked_up(&["revoked", "active"]);
        assert_eq!(
            done.calls(),
            ["GET /endorsements?subject=did%3Aweb%3Ah%3Aprofiles%3Aacme"]
        );
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "active: did:web:h:profiles:acme\n  \
                 revoked  profile did:web:h:profiles:acme  by did:web:h:profiles:board, until 2029-01-01T00:00:00Z  https://h/endorsements/x\n  \
                 active   profile did:web:h:profiles:acme  by did:web:h:profiles:board, until 2029-01-01T00:00:00Z  https://h/endorsements/x\n"
            )
        );
    }

    #[test]
    fn without_one_the_answer_is_not_or_unknown() {
        for (outcomes, exit, word) in [
            (&["revoked", "expired"][..], 1, "not-endorsed"),
            (&["revoked", "unreachable"][..], 2, "unknown"),
            (&["something-new"][..], 2, "unknown"),
        ] {
            let done = looked_up(outcomes);
            assert_eq!(done.exit, exit, "{outcomes:?}");
            assert!(done.out.starts_with(word), "{}", done.out);
        }
    }

    #[test]
    fn a_subject_without_endorsements_is_asked_for_by_name() {
        for (outcome, exit) in [("not-endorsed", 1), ("unknown", 2)] {
            let done = Fake::new()
                .answer(200, json!({"endorsements": []}))
                .answer(
                    200,
                    json!({"results": [{"outcome": outcome, "endorsements": []}]}),
                )
                .run(&["endorsements", "--subject", "did:web:h:profiles:acme"]);
            assert_eq!(done.exit, exit, "{outcome}");
            assert_eq!(done.out, format!("{outcome}: did:web:h:profiles:acme\n"));
            let question = r#"{"subjects":["did:web:h:profiles:acme"]}"#;
            assert_eq!(
                done.calls()[1],
                format!("POST /endorsements/query {question}")
            );
        }
    }

    #[test]
    fn every_filter_is_handed_over() {
        let done = Fake::new()
            .answer(200, json!({"id": "did:web:h:profiles:acme"}))
            .answer(200, json!({"endorsements": []}))
            .run(&[
                "endorsements",
                "--subject",
                "acme",
                "--endorser",
                "board",
                "--kind",
                "profile",
                "--at",
                "2026-01-31T12:00:00Z",
                "--standing",
                "active",
            ]);
        assert_eq!(
            done.calls(),
            [
                "GET /profiles/acme",
                "GET /endorsements?subject=did%3Aweb%3Ah%3Aprofiles%3Aacme&endorser=board\
                 &kind=profile&at=2026-01-31T12%3A00%3A00Z&standing=active",
            ]
        );
        assert_eq!(done.exit, 1);
    }

    #[test]
    fn a_list_of_all_is_no_judgement() {
        let done = Fake::new()
            .answer(200, json!({"endorsements": []}))
            .run(&["endorsements"]);
        assert_eq!(done.calls(), ["GET /endorsements"]);
        assert_eq!(
            (done.exit, done.out.as_str()),
            (0, "There are no endorsements that fit.\n")
        );
    }
}
