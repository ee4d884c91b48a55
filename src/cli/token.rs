//! `goodstanding token`: bearer tokens for changes.

use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::{Context, not_the_contract};
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use super::transport::Call;
use crate::access::Role;
use crate::ids::Slug;

/// Make or revoke bearer tokens. A token is shown once, when it is made.
///
/// `goodstanding token` alone is the same as `goodstanding token new`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:
  goodstanding token --profile acme-college --expires-in 90d --data /var/lib/goodstanding
  goodstanding token revoke ID")]
pub(super) struct Token {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    new: New,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token
    New(New),
    /// List the tokens of a profile or of the registry, without their secrets
    List {
        /// The profile: its slug, URL or did:web [default: whom the token speaks for]
        #[arg(long, value_name = "PROFILE")]
        profile: Option<Place<Slug>>,
    },
    /// Make a token useless
    Revoke {
        /// The token's id, which was shown when it was made
        #[arg(allow_hyphen_values = true)]
        id: TokenId,
    },
}

#[derive(Debug, Args)]
struct New {
    /// The profile it may change: its slug, URL or did:web [default: all; the operator's]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Place<Slug>>,
    /// As what: owner, list-manager, endorser or auditor of the profile, or operator or auditor of the
    /// registry [default: owner, or operator]
    #[arg(long)]
    role: Option<Role>,
    /// What it is narrowed to, such as "read status:write" [default: all of the role]
    #[arg(long)]
    scope: Option<String>,
    /// How long it is good: a number and s, m, h, d or w, such as 12h or 90d
    #[arg(long, value_name = "TIME", value_parser = parse_seconds)]
    expires_in: Option<u64>,
}

/// A token's id as a segment of a path.
#[derive(Debug, Clone)]
struct TokenId(String);

impl FromStr for TokenId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        match (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err("a token's id has letters, digits, '-' and '_' only".into()),
        }
    }
}

impl Token {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self.action {
            None => self.new.run(context),
            Some(Action::New(new)) => new.run(context),
            Some(Action::List { profile }) => list(context, profile),
            Some(Action::Revoke { id }) => {
                let call = Call::post(format!("/tokens/{}/revoke", id.0), json!({}));
                let mut report = Report::new();
                report.json(context.change(call)?);
                report.line(format_args!("revoked the token {}", id.0));
                Ok(report)
            }
        }
    }
}

impl New {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let profile = match &self.profile {
            Some(place) => {
                context.path(place)?;
                Some(place.id.as_str())
            }
            None => None,
        };
        let mut body = json!({ "profile": profile });
        if let Some(seconds) = self.expires_in {
            body["expiresIn"] = seconds.into();
        }
        if let Some(role) = self.role {
            body["role"] = json!(role);
        }
        if let Some(scope) = &self.scope {
            body["scope"] = scope.as_str().into();
        }
        let call = Call::post("/tokens", body);
        let answer = context.change(call.clone())?;
        let Some(token) = text(&answer, "token") else {
            return Err(not_the_contract(&call, "the answer holds no token".into()));
        };
        let value = |member: &str| text(&answer, member).map(str::to_owned);
        let mut report = Report::new();
        report.rows(&[
            ("token", Some(format!("{token} (shown this once)"))),
            ("id", value("id")),
            ("for", Some(holder(profile, self.role))),
            ("scope", value("scope")),
            ("expires", value("expires")),
        ]);
        report.json(answer);
        Ok(report)
    }
}

fn holder(profile: Option<&str>, role: Option<Role>) -> String {
    match (profile, role) {
        (Some(profile), None | Some(Role::Owner)) => profile.to_owned(),
        (Some(profile), Some(role)) => format!("{profile}, as {role}"),
        (None, None | Some(Role::Operator)) => "everything: the operator".to_owned(),
        (None, Some(role)) => format!("the registry, as {role}"),
    }
}

/// The tokens that are good, without their secrets.
fn list(context: &Context<'_>, profile: Option<Place<Slug>>) -> Result<Report, CliError> {
    let path = match &profile {
        Some(place) => {
            context.path(place)?;
            format!("/tokens?profile={}", place.id)
        }
        None => "/tokens".to_owned(),
    };
    let answer = context.ask(&Call::get(path))?;
    let tokens = answer["tokens"].as_array().into_iter().flatten();
    let row = |token: &Value| {
        let word = |member| text(token, member).unwrap_or_default().to_owned();
        let until = format!("until {}", word("expires"));
        vec![word("id"), word("role"), until, word("scope")]
    };
    let rows: Vec<Vec<String>> = tokens.map(row).collect();
    let mut report = Report::new();
    if rows.is_empty() {
        report.line("No token is good for it.");
    }
    report.table("", &rows);
    report.json(answer);
    Ok(report)
}

/// Reads a span of time such as `90d` as seconds.
fn parse_seconds(text: &str) -> Result<u64, String> {
    let refused = || "give a number and s, m, h, d or w, such as 90d".to_owned();
    let unit = text.chars().last().ok_or_else(refused)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(refused()),
    };
    let digits = &text[..text.len() - unit.len_utf8()];
    let number = match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse::<u64>().map_err(|_| refused())?,
        false => return Err(refused()),
    };
    match number.checked_mul(seconds) {
        Some(0) | None => Err(refused()),
        Some(span) => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Fake;
    use proptest::prelude::*;

    #[test]
    fn a_token_is_made_with_and_without_the_word_new() {
        for words in [&["token"][..], &["token", "new"]] {
            let done = Fake::new()
                .answer(201, json!({"token": "secret", "id": "t1", "profile": "acme", "expires": "2026-05-01T12:00:00Z"}))
                .run(&[words, &["--profile", "acme", "--expires-in", "90d"]].concat());
            assert_eq!(
                done.calls(),
                [r#"POST /tokens {"profile":"acme","expiresIn":7776000}"#]
            );
            assert_eq!(
                (done.exit, done.out.as_str()),
                (
                    0,
                    "token    secret (shown this once)\nid       t1\nfor      acme\n\
                     expires  2026-05-01T12:00:00Z\n"
                )
            );
        }
    }

    #[test]
    fn where_it_goes_may_be_said_before_the_command() {
        let answer = json!({"token": "secret"});
        let done = Fake::new()
            .answer(201, answer)
            .run(&["--data", "d", "--json", "token", "new"]);
        assert_eq!(
            (done.exit, done.out.as_str()),
            (0, "{\"token\":\"secret\"}\n")
        );
    }

    #[test]
    fn a_token_is_narrowed_by_role_and_scope() {
        let words = [
            "token",
            "--profile",
            "acme",
            "--role",
            "list-manager",
            "--scope",
            "status:write",
        ];
        let answer = json!({"token": "secret", "id": "t1", "scope": "status:write"});
        let done = Fake::new().answer(201, answer).run(&words);
        assert_eq!(
            done.calls(),
            [r#"POST /tokens {"profile":"acme","role":"list-manager","scope":"status:write"}"#]
        );
        assert!(done.out.contains("acme, as list-manager"), "{}", done.out);
        assert_eq!(Fake::new().run(&["token", "--role", "king"]).exit, 2);
    }

    #[test]
    fn tokens_are_listed_without_their_secrets() {
        let answer = json!({ "tokens": [
            { "id": "t1", "role": "owner", "expires": "2026-05-01T12:00:00Z", "scope": null },
        ] });
        let done = Fake::new()
            .answer(200, answer)
            .run(&["token", "list", "--profile", "acme"]);
        assert_eq!(done.calls(), ["GET /tokens?profile=acme"]);
        assert_eq!(done.out, "t1  owner  until 2026-05-01T12:00:00Z\n");
    }

    #[test]
    fn without_a_profile_it_is_the_operators() {
        let done = Fake::new()
            .answer(201, json!({"token": "secret"}))
            .run(&["token"]);
        assert_eq!(done.calls(), [r#"POST /tokens {"profile":null}"#]);
        assert!(done.out.contains("everything: the operator"));
    }

    #[test]
    fn a_token_is_revoked() {
        let done = Fake::new()
            .answer_bytes(204, b"")
            .run(&["token", "revoke", "t1"]);
        assert_eq!(done.calls(), ["POST /tokens/t1/revoke {}"]);
        assert_eq!(
            (done.exit, done.out.as_str()),
            (0, "revoked the token t1\n")
        );
        let done = Fake::new().run(&["token", "revoke", "../profiles"]);
        assert_eq!((done.exit, done.calls.len()), (2, 0));
    }

    #[test]
    fn an_answer_without_a_token_is_an_error() {
        let done = Fake::new().answer(201, json!({})).run(&["token"]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("holds no token"), "{}", done.err);
        let done = Fake::new()
            .answer(
                401,
                json!({"title": "No token", "detail": "changes need one"}),
            )
            .run(&["token"]);
        assert!(
            done.err
                .contains("`goodstanding init` and `goodstanding token` make one")
        );
    }

    proptest! {
        #[test]
        fn spans_of_time_are_exact_or_refused(number in 0u64.., unit in "[smhdw]") {
            let factor = match unit.as_str() {
                "s" => 1, "m" => 60, "h" => 3_600, "d" => 86_400, _ => 604_800,
            };
            let expected = number.checked_mul(factor).filter(|&span| span > 0);
            prop_assert_eq!(parse_seconds(&format!("{number}{unit}")).ok(), expected);
        }

        #[test]
        fn no_text_breaks_the_reading_of_spans(text in "\\PC{0,8}") {
            let _ = parse_seconds(&text);
        }
    }
}
