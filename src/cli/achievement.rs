//! `goodstanding achievement`: what credentials are given for.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use super::transport::Call;
use crate::ids::{AchievementId, Slug};

/// Achievements: what credentials are given for.
#[derive(Debug, Subcommand)]
pub(super) enum Achievement {
    /// Describe an achievement that a profile gives credentials for
    #[command(after_help = "Example:
  goodstanding achievement create acme-college --name 'First aid' \\
    --description 'Can give first aid' --criteria 'Passed the course of 16 hours'")]
    Create(Create),
    /// Show an achievement
    Show {
        /// Its URL or id
        #[arg(value_name = "ACHIEVEMENT")]
        achievement: Place<AchievementId>,
    },
}

/// What a new achievement is (Open Badges 3.0, class Achievement).
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// The profile that gives it: its slug, URL or did:web
    #[arg(value_name = "PROFILE")]
    profile: Place<Slug>,
    /// Its name
    #[arg(long)]
    name: String,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// What has to be done for it: Markdown, or the URL of a page that says it
    #[arg(long, value_name = "TEXT")]
    criteria: String,
    /// What kind it is, such as Badge, Certificate or Degree
    #[arg(long = "type", value_name = "TYPE")]
    achievement_type: Option<String>,
}

impl Achievement {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::Create(create) => create.run(context),
            Self::Show { achievement } => {
                let achievement = context.ask(&Call::get(context.path(&achievement)?))?;
                Ok(shown("", achievement))
            }
        }
    }
}

impl Create {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let page = self.criteria.starts_with("https://") && url::Url::parse(&self.criteria).is_ok();
        let member = if page { "id" } else { "narrative" };
        let mut body = json!({
            "name": self.name,
            "description": self.description,
            "criteria": { member: self.criteria },
        });
        if let Some(kind) = self.achievement_type {
            body["achievementType"] = kind.into();
        }
        let path = context.path(&self.profile)? + "/achievements";
        Ok(shown("made", context.change(Call::post(path, body))?))
    }
}

fn shown(done: &str, achievement: Value) -> Report {
    let mut report = Report::new();
    let value = |member: &str| text(&achievement, member).map(str::to_owned);
    let creator = achievement.get("creator");
    let creator = creator.and_then(|by| by.as_str().or_else(|| text(by, "id")));
    let criteria = achievement.get("criteria");
    let criteria = criteria.and_then(|of| text(of, "narrative").or_else(|| text(of, "id")));
    if !done.is_empty() {
        report.line(format_args!("{done} {}", value("id").unwrap_or_default()));
    }
    report.rows(&[
        ("id", value("id")),
        ("name", value("name")),
        ("type", value("achievementType")),
        ("creator", creator.map(str::to_owned)),
        ("description", value("description")),
        ("criteria", criteria.map(str::to_owned)),
    ]);
    report.json(achievement);
    report
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    #[test]
    fn criteria_are_words_or_a_page() {
        let create = |criteria: &str| {
            let answer = json!({"id": "https://h/achievements/x", "name": "N"});
            let done = Fake::new().answer(201, answer).run(&[
                "achievement",
                "create",
                "a",
                "--name",
                "N",
                "--description",
                "D",
                "--criteria",
                criteria,
            ]);
            assert_eq!(
                done.out,
                "made https://h/achievements/x\nid    https://h/achievements/x\nname  N\n"
            );
            done.calls().remove(0)
        };
        assert_eq!(
            create("Passed **all**"),
            r#"POST /profiles/a/achievements {"name":"N","description":"D","criteria":{"narrative":"Passed **all**"}}"#
        );
        assert!(
            create("https://a.example/c").contains(r#""criteria":{"id":"https://a.example/c"}"#)
        );
    }

    #[test]
    fn an_achievement_is_shown() {
        let done = Fake::new()
            .answer(200, json!({
                "id": "https://h/achievements/x", "name": "N", "achievementType": "Badge",
                "creator": {"id": "did:web:h:profiles:a"}, "criteria": {"narrative": "one\ntwo"},
            }))
            .run(&["achievement", "show", LIST]);
        assert_eq!(done.calls(), [format!("GET /achievements/{LIST}")]);
        assert_eq!(
            done.out,
            "id        https://h/achievements/x\n\
             name      N\n\
             type      Badge\n\
             creator   did:web:h:profiles:a\n\
             criteria  one two\n"
        );
    }

    #[test]
    fn one_that_is_not_there_is_an_error() {
        let done = Fake::new()
            .answer(404, json!({"title": "Not found"}))
            .run(&["achievement", "show", LIST]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("check the name"), "{}", done.err);
    }
}
