//! `goodstanding events`: the audit trail.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use crate::ids::Slug;

/// Read the audit trail: who changed what, when and why. With `--json` each line is a page of events.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  goodstanding events --profile acme-college --since 1200")]
pub(super) struct Events {
    /// The profile whose affair they are: its slug, URL or did:web [default: all that the token may
    /// read]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Place<Slug>>,
    /// Those behind this one, by its number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    since: u64,
}

impl Events {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut path = format!("/events?limit=1000&since={}", self.since);
        if let Some(place) = &self.profile {
            context.path(place)?;
            path.push_str(&format!("&profile={}", place.id));
        }
        let pages = context.pages(path)?;
        let events = pages
            .iter()
            .filter_map(|page| page.get("events")?.as_array())
            .flatten();
        let rows: Vec<Vec<String>> = events.map(row).collect();
        let mut report = Report::new();
        if rows.is_empty() {
            report.line("Nothing has happened since.");
        }
        report.table("", &rows);
        for page in pages {
            report.json(page);
        }
        Ok(report)
    }
}

fn row(event: &Value) -> Vec<String> {
    let word = |value: &Value, member: &str| text(value, member).unwrap_or_default().to_owned();
    let actor = &event["actor"];
    let by = match text(actor, "profile") {
        Some(profile) => profile.to_owned(),
        None => word(actor, "type"),
    };
    let reason = match event.get("reason") {
        None => String::new(),
        Some(Value::String(reason)) => format!("\"{reason}\""),
        Some(_) => "(reason not kept here)".to_owned(),
    };
    let about = event["about"].as_object().into_iter().flatten();
    let about = about.filter_map(|(name, value)| match value {
        Value::Array(items) if name == "indexes" => Some(format!("{} entries", items.len())),
        Value::String(text) => Some(text.clone()),
        _ => None,
    });
    vec![
        event["id"].to_string(),
        word(event, "at"),
        word(event, "type"),
        format!("by {by}"),
        about.collect::<Vec<_>>().join(" "),
        reason,
    ]
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    #[test]
    fn events_are_told_with_who_and_why() {
        let done = Fake::new()
            .answer(
                200,
                json!({ "events": [
                    { "id": 7, "at": "2026-03-01T09:00:00Z", "type": "status.changed",
                      "actor": { "type": "profile", "profile": "acme" }, "reason": "withdrew",
                      "about": { "list": "https://h/status-lists/x", "revision": 2, "status": 1,
                                 "indexes": [3, 9] } },
                    { "id": 8, "at": "2026-03-01T09:00:01Z", "type": "key.made",
                      "actor": { "type": "registry" }, "reason": null,
                      "about": { "key": "key-2" } },
                ] }),
            )
            .run(&["events", "--profile", "acme", "--since", "6"]);
        assert_eq!(
            done.calls(),
            ["GET /events?limit=1000&since=6&profile=acme"]
        );
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "7  2026-03-01T09:00:00Z  status.changed  by acme      https://h/status-lists/x 2 entries  \"withdrew\"\n\
                 8  2026-03-01T09:00:01Z  key.made        by registry  key-2                               (reason not kept here)\n"
            )
        );
        let none = Fake::new().answer(200, json!({ "events": [] }));
        assert_eq!(none.run(&["events"]).out, "Nothing has happened since.\n");
    }
}
