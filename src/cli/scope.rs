//! `--scope`: what an endorsement covers of its subject.

use clap::Args;
use serde_json::{Map, Value};

use super::context::Context;
use super::error::CliError;
use crate::badges::Scope;

/// What an endorsement covers, where that is not all of its subject.
#[derive(Debug, Args)]
pub(super) struct ScopeArgs {
    /// What it covers, where that is not all of the subject: MEMBER=VALUE, as often as needed, of
    /// role, achievementType, tag, alignment, awardedFrom, awardedUntil and jurisdiction; or a file
    /// with all of it as JSON, - for standard input
    #[arg(long, value_name = "MEMBER=VALUE|FILE")]
    scope: Vec<String>,
}

/// Members that have several values, of which any will do.
const LISTS: [&str; 5] = [
    "role",
    "achievementType",
    "tag",
    "alignment",
    "jurisdiction",
];

/// Members that have one value.
const SINGLE: [&str; 2] = ["awardedFrom", "awardedUntil"];

impl ScopeArgs {
    /// The scope as a request writes it, once it is clear that it is one; none where none was given.
    pub(super) fn read(&self, context: &Context<'_>) -> Result<Option<Value>, CliError> {
        let scope = match self.scope.as_slice() {
            [] => return Ok(None),
            [file] if !file.contains('=') => context.read_json(file)?,
            several => members(several)?.into(),
        };
        match Scope::parse(&scope) {
            Ok(_) => Ok(Some(scope)),
            Err(error) => Err(CliError::Usage(format!("--scope: {error}"))),
        }
    }
}

fn members(given: &[String]) -> Result<Map<String, Value>, CliError> {
    let refused = |what: String| CliError::Usage(format!("--scope {what}"));
    let mut members = Map::new();
    for text in given {
        let Some((name, value)) = text.split_once('=') else {
            let next = "give one file alone, or MEMBER=VALUE each time";
            return Err(refused(format!("{text}: {next}")));
        };
        if SINGLE.contains(&name) {
            if members.insert(name.to_owned(), value.into()).is_some() {
                return Err(refused(format!("{text}: {name} has one value")));
            }
        } else if LISTS.contains(&name) {
            let list = members
                .entry(name)
                .or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut()
                .expect("this member was made as an array")
                .push(value.into());
        } else {
            let known = [&LISTS[..], &SINGLE].concat().join(", ");
            return Err(refused(format!("{text}: the members are {known}")));
        }
    }
    Ok(members)
}

/// What an endorsement covers, as its report tells it; none where it covers all of its subject.
pub(super) fn covers(scope: Option<&Value>) -> Option<String> {
    let scope = scope?;
    Some(match Scope::parse(scope) {
        Ok(scope) => scope.words().join("; "),
        Err(_) => scope.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    const ENDORSE: [&str; 7] = [
        "endorse",
        "did:web:h:profiles:acme",
        "--endorser",
        "board",
        "--name",
        "N",
        "--scope",
    ];

    fn sent(stdin: &str, scope: &[&str]) -> String {
        let made = json!({"verifiableCredential": {"proof": {}}});
        let done = Fake::new()
            .stdin(stdin)
            .answer(201, made)
            .run(&[&ENDORSE[..], scope].concat());
        assert_eq!(done.exit, 0, "{}", done.err);
        let body = done.calls[0].body.clone().unwrap();
        body["scope"].to_string()
    }

    #[test]
    fn a_scope_is_given_member_by_member_or_in_a_file() {
        let members = [
            "achievementType=Degree",
            "--scope",
            "achievementType=Certificate",
            "--scope",
            "alignment=https://framework.example/?a=b",
            "--scope",
            "awardedFrom=2026-01-01T00:00:00Z",
        ];
        let expected = r#"{"achievementType":["Degree","Certificate"],"alignment":["https://framework.example/?a=b"],"awardedFrom":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(sent("", &members), expected);
        assert_eq!(sent(expected, &["-"]), expected);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scope.json");
        std::fs::write(&file, expected).unwrap();
        assert_eq!(sent("", &[file.to_str().unwrap()]), expected);
    }

    #[test]
    fn what_is_no_scope_is_not_sent() {
        for (scope, why) in [
            (&["achievementType=Diplomas"][..], "/achievementType/0: "),
            (&["type=Degree"], "the members are role, achievementType"),
            (&["jurisdiction=ch"], "/jurisdiction/0: "),
            (
                &[
                    "awardedFrom=2026-01-01T00:00:00Z",
                    "--scope",
                    "awardedFrom=x",
                ],
                "awardedFrom has one value",
            ),
            (&["scope.json", "--scope", "tag=a"], "one file alone"),
            (&["/no/such/file"], "cannot read /no/such/file"),
            (&["-"], "standard input is not usable JSON"),
        ] {
            let done = Fake::new().run(&[&ENDORSE[..], scope].concat());
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{scope:?}");
            assert!(done.err.contains(why), "{scope:?}: {}", done.err);
        }
        let done = Fake::new()
            .stdin("{}")
            .run(&[&ENDORSE[..], &["-"]].concat());
        assert!(done.err.contains("leave the scope out"), "{}", done.err);
    }
}
