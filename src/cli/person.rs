//! `goodstanding person`: people who sign in.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use super::transport::Call;
use crate::access::Role;
use crate::ids::{PersonId, Slug};

/// Invite people who sign in on the registry's pages, list them, and remove them with all that they
/// were given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding person invite --profile acme-college --role endorser \"Ada Roe\"
  goodstanding person list --profile acme-college")]
pub(super) struct Person {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Invite somebody. The invitation is shown once: hand it on by a way that others do not read
    Invite {
        /// For this profile: its slug, URL or did:web [default: for the registry]
        #[arg(long, value_name = "PROFILE")]
        profile: Option<Place<Slug>>,
        /// As what: owner, list-manager, endorser or auditor, or operator or auditor of the registry
        #[arg(long)]
        role: Role,
        /// Where to write to
        #[arg(long)]
        email: Option<String>,
        /// The name
        name: String,
    },
    /// List who signs in
    List {
        /// For this profile: its slug, URL or did:web [default: whom the token speaks for]
        #[arg(long, value_name = "PROFILE")]
        profile: Option<Place<Slug>>,
    },
    /// Remove somebody, and what they were given
    Remove {
        /// Their id
        person: PersonId,
    },
}

impl Person {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut report = Report::new();
        match self.action {
            Action::Invite {
                profile,
                role,
                email,
                name,
            } => {
                let path = match &profile {
                    Some(place) => context.path(place)? + "/people",
                    None => "/people".to_owned(),
                };
                let mut body = json!({ "name": name, "role": role });
                if let Some(email) = email {
                    body["email"] = email.into();
                }
                let answer = context.change(Call::post(path, body))?;
                let value = |member: &str| text(&answer, member).map(str::to_owned);
                let once = value("invitation").map(|code| format!("{code} (shown this once)"));
                report.rows(&[
                    ("invitation", once),
                    ("accept at", value("accept")),
                    ("id", value("id")),
                ]);
                report.json(answer);
            }
            Action::List { profile } => {
                let path = match &profile {
                    Some(place) => {
                        context.path(place)?;
                        format!("/people?profile={}", place.id)
                    }
                    None => "/people".to_owned(),
                };
                let answer = context.ask(&Call::get(path))?;
                let people = answer["people"].as_array().into_iter().flatten();
                let rows: Vec<Vec<String>> = people.map(row).collect();
                if rows.is_empty() {
                    report.line("Nobody signs in for it.");
                }
                report.table("", &rows);
                report.json(answer);
            }
            Action::Remove { person } => {
                let call = Call::post(format!("/people/{person}/remove"), json!({}));
                report.json(context.change(call)?);
                report.line(format_args!("removed {person}"));
            }
        }
        Ok(report)
    }
}

fn row(person: &Value) -> Vec<String> {
    let word = |member| text(person, member).unwrap_or_default().to_owned();
    let state = match person["accepted"] == true {
        true => "signs in",
        false => "is invited",
    };
    vec![word("id"), word("name"), word("role"), state.to_owned()]
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    #[test]
    fn somebody_is_invited_listed_and_removed() {
        let answer =
            json!({ "id": "00000001aa", "invitation": "code", "accept": "https://h/oauth/accept" });
        let done = Fake::new().answer(201, answer).run(&[
            "person",
            "invite",
            "--profile",
            "acme",
            "--role",
            "endorser",
            "Ada Roe",
        ]);
        assert_eq!(
            done.calls(),
            [r#"POST /profiles/acme/people {"name":"Ada Roe","role":"endorser"}"#]
        );
        assert!(done.out.contains("code (shown this once)"), "{}", done.out);
        let people = json!({ "people": [
            { "id": "00000001aa", "name": "Ada Roe", "role": "endorser", "accepted": false },
        ] });
        let done = Fake::new().answer(200, people).run(&["person", "list"]);
        assert_eq!(done.out, "00000001aa  Ada Roe  endorser  is invited\n");
    }
}
