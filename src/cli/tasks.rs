//! `goodstanding tasks`: what a profile should look at again.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use crate::ids::Slug;

/// List what a profile should look at again: requests that wait for it, and endorsements whose
/// subject has changed or that end soon.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  goodstanding tasks quality-board")]
pub(super) struct Tasks {
    /// The profile's slug, URL or did:web
    #[arg(value_name = "PROFILE")]
    profile: Place<Slug>,
}

impl Tasks {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let pages = context.pages(context.path(&self.profile)? + "/tasks")?;
        let tasks = pages
            .iter()
            .filter_map(|page| page.get("tasks")?.as_array())
            .flatten();
        let rows: Vec<Vec<String>> = tasks.map(row).collect();
        let mut report = Report::new();
        if rows.is_empty() {
            report.line("There is nothing to look at.");
        }
        report.table("", &rows);
        for page in pages {
            report.json(page);
        }
        Ok(report)
    }
}

fn row(task: &Value) -> Vec<String> {
    let value = |member: &str| text(task, member).map(str::to_owned);
    let since = value("since").map(|at| format!("since {at}"));
    let until = value("until").map(|at| format!("until {at}"));
    vec![
        value("kind").unwrap_or_default(),
        since.or(until).unwrap_or_default(),
        value("subject").unwrap_or_default(),
        value("request")
            .or_else(|| value("endorsement"))
            .unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    #[test]
    fn tasks_are_listed_with_what_they_are_about() {
        let done = Fake::new()
            .answer(
                200,
                json!({ "tasks": [
                    { "kind": "request", "request": "https://h/endorsement-requests/x",
                      "subject": "did:web:h:profiles:acme", "since": "2026-03-01T09:00:00Z" },
                    { "kind": "expires-soon", "endorsement": "https://h/endorsements/y",
                      "subject": "urn:z", "until": "2026-03-20T00:00:00Z" },
                ] }),
            )
            .run(&["tasks", "board"]);
        assert_eq!(done.calls(), ["GET /profiles/board/tasks"]);
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "request       since 2026-03-01T09:00:00Z  did:web:h:profiles:acme  https://h/endorsement-requests/x\n\
                 expires-soon  until 2026-03-20T00:00:00Z  urn:z                    https://h/endorsements/y\n"
            )
        );
        let done = Fake::new()
            .answer(200, json!({ "tasks": [] }))
            .run(&["tasks", "board"]);
        assert_eq!(done.out, "There is nothing to look at.\n");
    }
}
