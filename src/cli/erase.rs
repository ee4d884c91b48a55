//! `goodstanding erase`: words and contacts are erased.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::place::Place;
use super::report::Report;
use super::transport::Call;
use crate::ids::Slug;

/// Erase words and contacts of a profile. Statuses and the audit trail stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding erase acme-college --reasons 1207,1211
  goodstanding erase acme-college --member email --endorsement URL")]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(super) struct Erase {
    /// The profile's slug, URL or did:web
    #[arg(value_name = "PROFILE")]
    profile: Place<Slug>,
    /// The reasons that were given with these events of the audit trail, by their numbers with commas
    /// between them, or all
    #[arg(long, value_name = "NUMBERS|all", group = "what", value_parser = parse_reasons)]
    reasons: Option<Value>,
    /// A member of the profile, such as email; of name the slug remains
    #[arg(long = "member", value_name = "NAME", group = "what")]
    members: Vec<String>,
    /// A closed request for an endorsement, by its URL: what the profile said there
    #[arg(long = "request", value_name = "URL", group = "what")]
    requests: Vec<String>,
    /// An endorsement by the profile, by its URL: comment and name; it is signed again
    #[arg(long = "endorsement", value_name = "URL", group = "what")]
    endorsements: Vec<String>,
}

impl Erase {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let path = context.path(&self.profile)? + "/erase";
        let mut body = json!({});
        if let Some(reasons) = self.reasons {
            body["reasons"] = reasons;
        }
        for (member, given) in [
            ("members", self.members),
            ("requests", self.requests),
            ("endorsements", self.endorsements),
        ] {
            if !given.is_empty() {
                body[member] = given.into();
            }
        }
        let answer = context.change(Call::post(path, body))?;
        let count = |member: &str| answer["erased"][member].as_u64().unwrap_or(0);
        let mut report = Report::new();
        let [reasons, members, requests, endorsements] =
            ["reasons", "members", "requests", "endorsements"].map(count);
        report.line(format_args!(
            "erased: {reasons} reasons, {members} members of the profile, words in {requests} \
             requests and {endorsements} endorsements"
        ));
        if answer["erased"]["more"] == true {
            report.line("there are more reasons; ask again");
        }
        report.json(answer);
        Ok(report)
    }
}

fn parse_reasons(text: &str) -> Result<Value, String> {
    if text == "all" {
        return Ok("all".into());
    }
    let numbers = text.split(',').map(|part| part.trim().parse::<u64>());
    let numbers: Result<Vec<u64>, _> = numbers.collect();
    let numbers = numbers.map_err(|_| "give numbers of events with commas between them, or all");
    Ok(numbers?.into())
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    #[test]
    fn what_is_named_is_erased() {
        let erased =
            json!({ "reasons": 2, "members": 1, "requests": 0, "endorsements": 1, "more": false });
        let done = Fake::new().answer(200, json!({ "erased": erased })).run(&[
            "erase",
            "acme",
            "--reasons",
            "7,9",
            "--member",
            "email",
            "--endorsement",
            "https://h/endorsements/x",
        ]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /profiles/acme/erase {"reasons":[7,9],"members":["email"],"endorsements":["https://h/endorsements/x"]}"#
            ]
        );
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "erased: 2 reasons, 1 members of the profile, words in 0 requests and 1 endorsements\n"
            )
        );
    }

    #[test]
    fn something_has_to_be_named() {
        for words in [&["erase", "acme"][..], &["erase", "acme", "--reasons", "x"]] {
            let done = Fake::new().run(words);
            assert_eq!((done.exit, done.calls.len()), (2, 0));
        }
    }
}
