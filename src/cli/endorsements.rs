//! `goodstanding endorsements`: who stands behind whom.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::context::Context;
use super::endorse::{Kind, subject_id};
use super::error::CliError;
use super::import::Elsewhere;
use super::place::Party;
use super::report::{Exit, Report, text};
use super::standing::links;
use super::transport::Call;
use crate::time::Timestamp;

/// Look up endorsements, or take in one that was issued elsewhere.
///
/// Exit status with --subject: 0 where it is endorsed, 1 where it is not, 2 where that is not known.
/// Without it, 0.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  goodstanding endorsements --subject acme-college
  goodstanding endorsements --subject acme-college --trust-anchor ministry
  goodstanding endorsements --endorser quality-board --kind achievement
  goodstanding endorsements --subject did:web:acme.example --at 2026-01-31T12:00:00Z")]
pub(super) struct Endorsements {
    #[command(subcommand)]
    elsewhere: Option<Elsewhere>,
    /// Of this subject: its id, or the slug of a profile here
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Whom you trust, in place of whom the registry does: a slug or an id, here or elsewhere; can
    /// be given many times
    #[arg(long = "trust-anchor", value_name = "PROFILE", requires = "subject")]
    #[arg(conflicts_with_all = ["endorser", "standing"])]
    trust_anchors: Vec<Party>,
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
    pub(super) fn run(mut self, context: &Context<'_>) -> Result<Report, CliError> {
        if let Some(elsewhere) = self.elsewhere.take() {
            return elsewhere.run(context);
        }
        let subject = self.subject.as_ref();
        let subject = subject
            .map(|of| subject_id(context, of, self.kind))
            .transpose()?;
        let narrowed = self.endorser.is_some() || self.standing.is_some();
        let by_kind = self.kind.is_some() && self.trust_anchors.is_empty();
        match subject {
            Some(subject) if !narrowed && !by_kind => self.ask(context, &subject),
            subject => self.list(context, subject.as_deref()),
        }
    }

    /// Who stands behind a subject as a whole, in the registry's own words.
    fn ask(&self, context: &Context<'_>, subject: &str) -> Result<Report, CliError> {
        let mut question = json!({ "subjects": [subject] });
        if let Some(at) = self.at {
            question["at"] = at.to_string().into();
        }
        if !self.trust_anchors.is_empty() {
            let anchors = self.trust_anchors.iter();
            question["trustAnchors"] = anchors.map(|one| context.anybody(one)).collect();
        }
        let answer = context.ask(&Call::post("/endorsements/query", question))?;
        let result = answer.pointer("/results/0").unwrap_or(&Value::Null);
        let outcome = text(result, "outcome");
        let mut report = Report::new();
        report.worse(Exit::of(outcome));
        let outcome = outcome.unwrap_or("unknown");
        report.outcome("", outcome, format_args!(": {subject}"));
        if let Some(detail) = text(result, "detail") {
            report.table("  ", &[vec![detail.to_owned()]]);
        }
        // A path of one link is the endorsement that is listed below.
        let path = links(result, "path", "endorsement");
        if path.len() > 1 {
            report.outcomes("    ", 0, &path);
        }
        let listed = result.get("endorsements").and_then(Value::as_array);
        let rows: Vec<Vec<String>> = listed.into_iter().flatten().map(row).collect();
        report.outcomes("  ", 0, &rows);
        if result.get("more").is_some() {
            report.line("  and more: --endorser, --kind or --standing narrows the list");
        }
        report.json(answer);
        Ok(report)
    }

    /// The endorsements that fit; of one subject also the best that they say of it.
    fn list(&self, context: &Context<'_>, subject: Option<&str>) -> Result<Report, CliError> {
        let kind = self.kind.and_then(|kind| kind.to_possible_value());
        let endorser = self.endorser.as_ref();
        let filters = [
            ("subject", subject.map(str::to_owned)),
            ("endorser", endorser.map(|by| context.anybody(by))),
            ("kind", kind.map(|kind| kind.get_name().to_owned())),
            ("at", self.at.map(|at| at.to_string())),
            ("standing", self.standing.clone()),
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
        let found: Vec<&Value> = pages
            .iter()
            .filter_map(|page| page.get("endorsements")?.as_array())
            .flatten()
            .collect();
        let mut report = Report::new();
        if let Some(subject) = subject {
            let exits = found.iter().map(|found| Exit::of(text(found, "outcome")));
            let best = standing(exits);
            report.worse(best);
            report.outcome("", word_for(best), format_args!(": {subject}"));
        } else if found.is_empty() {
            report.line("There are no endorsements that fit.");
        }
        let indent = if subject.is_some() { "  " } else { "" };
        let rows: Vec<Vec<String>> = found.into_iter().map(row).collect();
        report.outcomes(indent, 0, &rows);
        for page in pages {
            report.json(page);
        }
        Ok(report)
    }
}

const fn word_for(exit: Exit) -> &'static str {
    match exit {
        Exit::Good => "active",
        Exit::Not => "not-endorsed",
        Exit::Unknown | Exit::CutOff => "unknown",
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

    const ACME: &str = "did:web:h:profiles:acme";

    fn endorsement(outcome: &str) -> Value {
        json!({
            "id": "https://h/endorsements/x", "endorser": "did:web:h:profiles:board",
            "subject": ACME, "kind": "profile", "outcome": outcome,
            "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2029-01-01T00:00:00Z",
        })
    }

    fn asked(result: Value, args: &[&str]) -> Done {
        let answer = json!({ "results": [result], "asOf": "2026-01-31T12:00:00Z" });
        let args = [&["endorsements", "--subject", ACME], args].concat();
        Fake::new().answer(200, answer).run(&args)
    }

    #[test]
    fn who_stands_behind_a_subject_is_the_registrys_to_say() {
        let done = asked(
            json!({
                "outcome": "active", "reason": "path-found",
                "detail": "endorsed over 2 links up to the trust anchor did:web:gov.example",
                "path": [
                    {"endorser": "did:web:h:profiles:board", "outcome": "active",
                     "endorsement": "https://h/endorsements/x"},
                    {"endorser": "did:web:gov.example", "outcome": "active",
                     "endorsement": "https://h/endorsements/y"},
                ],
                "endorsements": [endorsement("revoked"), endorsement("active")],
                "more": true,
            }),
            &[
                "--trust-anchor",
                "did:web:gov.example",
                "--at",
                "2026-01-31T12:00:00Z",
            ],
        );
        assert_eq!(
            done.calls(),
            [
                r#"POST /endorsements/query {"subjects":["did:web:h:profiles:acme"],"at":"2026-01-31T12:00:00Z","trustAnchors":["did:web:gov.example"]}"#
            ]
        );
        assert_eq!(done.exit, 0);
        insta::assert_snapshot!(done.out, @r#"
        active: did:web:h:profiles:acme
          endorsed over 2 links up to the trust anchor did:web:gov.example
            active  endorsed by did:web:h:profiles:board    https://h/endorsements/x
            active  itself endorsed by did:web:gov.example  https://h/endorsements/y
          revoked  profile did:web:h:profiles:acme  by did:web:h:profiles:board, until 2029-01-01T00:00:00Z  https://h/endorsements/x
          active   profile did:web:h:profiles:acme  by did:web:h:profiles:board, until 2029-01-01T00:00:00Z  https://h/endorsements/x
          and more: --endorser, --kind or --standing narrows the list
        "#);
    }

    #[test]
    fn an_endorsement_in_force_that_leads_nowhere_is_no_good_standing() {
        for (outcome, exit) in [
            ("not-endorsed", 1),
            ("suspended", 1),
            ("unknown", 2),
            ("something-new", 2),
        ] {
            let result = json!({ "outcome": outcome, "endorsements": [endorsement("active")] });
            let done = asked(result, &[]);
            assert_eq!(done.exit, exit, "{outcome}");
            let first = format!("{outcome}: {ACME}\n  active  profile");
            assert!(done.out.starts_with(&first), "{}", done.out);
        }
        assert_eq!(asked(Value::Null, &[]).exit, 2);
    }

    #[test]
    fn of_those_that_fit_one_in_force_is_enough() {
        for (outcomes, exit, word) in [
            (&["revoked", "active"][..], 0, "active"),
            (&["revoked", "expired"], 1, "not-endorsed"),
            (&["revoked", "unreachable"], 2, "unknown"),
            (&["something-new"], 2, "unknown"),
            (&[], 1, "not-endorsed"),
        ] {
            let found: Vec<Value> = outcomes.iter().map(|word| endorsement(word)).collect();
            let done = Fake::new()
                .answer(200, json!({ "endorsements": found }))
                .run(&["endorsements", "--subject", ACME, "--endorser", "board"]);
            assert_eq!(done.exit, exit, "{outcomes:?}");
            assert!(
                done.out.starts_with(&format!("{word}: {ACME}\n")),
                "{}",
                done.out
            );
        }
    }

    #[test]
    fn anchors_are_for_the_question_about_one_subject() {
        for args in [
            &["--trust-anchor", "ministry"][..],
            &[
                "--trust-anchor",
                "ministry",
                "--subject",
                "a",
                "--endorser",
                "b",
            ],
            &[
                "--trust-anchor",
                "ministry",
                "--subject",
                "a",
                "--standing",
                "active",
            ],
        ] {
            let done = Fake::new().run(&[&["endorsements"], args].concat());
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
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
