//! What a decision would bring down or back, before it is made.

use clap::Args;
use serde_json::{Map, Value};

use super::context::Context;
use super::error::CliError;
use super::report::{Exit, Report, text};
use super::transport::Call;

/// Why something is decided, and whether it is tried out first.
#[derive(Debug, Args)]
pub(super) struct Decision {
    /// Why; kept in the audit trail, not published
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Only tell how what rests on the endorsement or accreditor would stand; nothing is done
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// So many subjects are shown to a person; `--json` shows all that the registry names.
const SHOWN: usize = 20;

impl Decision {
    /// Takes the decision, in the words of its verb, about what is at `path`; or tells what it
    /// would change.
    pub(super) fn take(
        &self,
        context: &Context<'_>,
        (path, given): (&str, &str),
        (verb, done): (&str, &str),
        report: &mut Report,
    ) -> Result<(), CliError> {
        let call = Call::post(format!("{path}/{verb}"), self.body().into());
        if self.dry_run {
            let answer = context.ask(&call)?;
            affected(verb, given, &answer, report);
            report.json(answer);
            return Ok(());
        }
        let answer = context.change(call)?;
        match text(&answer, "outcome") {
            Some(now) => {
                let before = format!("{done} {given}: now ");
                report.marked(&before, now, Exit::of(Some(now)), "");
            }
            None => report.line(format_args!("{done} {given}")),
        }
        report.json(answer);
        Ok(())
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        if let Some(reason) = &self.reason {
            body.insert("reason".into(), reason.as_str().into());
        }
        if self.dry_run {
            body.insert("dryRun".into(), true.into());
        }
        body
    }
}

fn affected(verb: &str, given: &str, answer: &Value, report: &mut Report) {
    let affected = answer.get("affected").unwrap_or(&Value::Null);
    let number = |member: &str| affected.get(member).and_then(Value::as_u64).unwrap_or(0);
    let (endorsements, subjects) = (number("endorsements"), number("subjects"));
    let least = match affected.get("more") {
        Some(_) => "at least ",
        None => "",
    };
    report.line(format_args!(
        "nothing was done; to {verb} {given} would change how {least}{} and {} stand",
        counted(endorsements, "endorsement"),
        counted(subjects, "subject"),
    ));
    let shown = affected.get("shown").and_then(Value::as_array);
    let shown: Vec<Vec<String>> = shown
        .into_iter()
        .flatten()
        .take(SHOWN)
        .map(|one| {
            let word = |member: &str| text(one, member).unwrap_or("unknown").to_owned();
            let change = format!("{}, then {}", word("before"), word("after"));
            vec![word("subject"), change]
        })
        .collect();
    report.table("  ", &shown);
    let rest = subjects.saturating_sub(shown.len() as u64);
    if rest > 0 {
        report.line(format_args!("  and {rest} more"));
    }
}

fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        several => format!("{several} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Done, Fake, LIST};
    use serde_json::{Value, json};

    fn tried(affected: &Value, args: &[&str]) -> Done {
        let answer = json!({ "dryRun": true, "affected": affected });
        Fake::new().answer(200, answer).run(args)
    }

    #[test]
    fn what_would_change_is_told_and_nothing_is_done() {
        let one = |n: u32| json!({ "subject": format!("urn:{n}"), "before": "active", "after": "suspended" });
        let shown: Vec<Value> = (0..30).map(one).collect();
        let many = json!({ "endorsements": 41, "subjects": 40, "shown": shown });
        let done = tried(&many, &["profile", "suspend", "board", "--dry-run"]);
        assert_eq!(
            done.calls(),
            [r#"POST /profiles/board/suspend {"dryRun":true}"#]
        );
        assert!(done.calls[0].idempotency_key.is_none(), "nothing changes");
        let mut lines = done.out.lines();
        assert_eq!(
            lines.next(),
            Some(
                "nothing was done; to suspend board would change how 41 endorsements and 40 \
                 subjects stand"
            )
        );
        assert_eq!(lines.next(), Some("  urn:0   active, then suspended"));
        assert_eq!(
            (lines.count(), done.out.ends_with("\n  and 20 more\n")),
            (20, true)
        );
        assert_eq!(done.exit, 0);

        let few = json!({ "endorsements": 1, "subjects": 1, "shown": [one(0)], "more": true });
        let args = ["revoke", LIST, "--dry-run", "--reason", "r"];
        let done = tried(&few, &args);
        assert_eq!(
            done.calls(),
            [format!(
                r#"POST /endorsements/{LIST}/revoke {{"reason":"r","dryRun":true}}"#
            )]
        );
        assert_eq!(
            done.out,
            format!(
                "nothing was done; to revoke {LIST} would change how at least 1 endorsement and \
                 1 subject stand\n  urn:0  active, then suspended\n"
            )
        );
    }

    #[test]
    fn an_accreditor_is_suspended_reinstated_and_removed() {
        for (verb, done, now) in [
            ("suspend", "suspended", "suspended"),
            ("reinstate", "reinstated", "active"),
            ("revoke", "revoked", "revoked"),
        ] {
            let told = Fake::new()
                .answer(200, json!({ "slug": "board", "outcome": now }))
                .run(&["profile", verb, "board", "--reason", "under review"]);
            assert_eq!(
                told.calls(),
                [format!(
                    r#"POST /profiles/board/{verb} {{"reason":"under review"}}"#
                )]
            );
            assert!(told.calls[0].idempotency_key.is_some());
            assert_eq!(
                (told.exit, told.out),
                (0, format!("{done} board: now {now}\n"))
            );
        }
    }

    #[test]
    fn only_an_endorsement_is_tried_out() {
        for target in ["urn:uuid:a", &format!("{LIST}#4")] {
            let done = Fake::new().run(&["revoke", target, "--dry-run"]);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{target}");
            assert!(
                done.err.contains("--dry-run is for endorsements"),
                "{}",
                done.err
            );
        }
    }
}
