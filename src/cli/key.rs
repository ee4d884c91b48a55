//! `goodstanding key`: the signing keys of a profile, or of the registry itself.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::place::{KeyName, KeyOwner};
use super::report::{Report, text};
use super::transport::Call;
use crate::time::Timestamp;

/// Signing keys of a profile, or of the registry itself.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// List the keys of a profile, or those of the registry itself
    List {
        /// The profile's slug, URL or did:web; or the registry's own URL or did:web
        #[arg(value_name = "PROFILE")]
        owner: KeyOwner,
    },
    /// Make a new key, which signs once verifiers have had time to see it in the DID document
    New {
        /// The profile's slug, URL or did:web; or the registry's own URL or did:web
        #[arg(value_name = "PROFILE")]
        owner: KeyOwner,
    },
    /// Stop signing with a key; what it has signed stays good
    Retire {
        /// The profile's slug, URL or did:web; or the registry's own URL or did:web
        #[arg(value_name = "PROFILE")]
        owner: KeyOwner,
        /// The key, such as key-1
        #[arg(value_name = "KEY")]
        key: KeyName,
    },
    /// Declare that a key is in wrong hands; what it has signed is no longer good
    #[command(after_help = "Example:
  goodstanding key revoke acme-college key-1 --since 2026-01-31T12:00:00Z")]
    Revoke {
        /// The profile's slug, URL or did:web; or the registry's own URL or did:web
        #[arg(value_name = "PROFILE")]
        owner: KeyOwner,
        /// The key, such as key-1
        #[arg(value_name = "KEY")]
        key: KeyName,
        /// Since when it may have been in wrong hands, such as 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Timestamp,
    },
    /// Put another master key in the place of the one under which all keys are sealed
    ///
    /// The next one stands in a file beside the present one, with .next behind its name; with
    /// --data it is made where it is missing. The registry goes on signing meanwhile, and
    /// afterwards the earlier one opens nothing.
    RotateMaster,
}

impl Key {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::List { owner } => list(context, &owner),
            Self::New { owner } => {
                let path = context.keys_of(&owner)?;
                let answer = context.change(Call::post(path, json!({})))?;
                Ok(said("made", answer, "a new key"))
            }
            Self::Retire { owner, key } => {
                let path = format!("{}/{}/retire", context.keys_of(&owner)?, key.0);
                let answer = context.change(Call::post(path, json!({})))?;
                Ok(said("retired", answer, &key.0.to_string()))
            }
            Self::Revoke { owner, key, since } => {
                let path = format!("{}/{}/revoke", context.keys_of(&owner)?, key.0);
                let body = json!({ "since": since.to_string() });
                let answer = context.change(Call::post(path, body))?;
                Ok(said("revoked", answer, &format!("{} since {since}", key.0)))
            }
            Self::RotateMaster => {
                let answer = context.change(Call::post("/master-key/rotate", json!({})))?;
                Ok(rotated(answer))
            }
        }
    }
}

fn said(done: &str, answer: Value, otherwise: &str) -> Report {
    let mut report = Report::new();
    match (text(&answer, "id"), done) {
        (Some(id), "made") => match text(&answer, "signsFrom") {
            Some(from) => report.line(format_args!("{done} {id}, which signs from {from}")),
            None => report.line(format_args!("{done} {id}")),
        },
        _ => report.line(format_args!("{done} {otherwise}")),
    }
    report.json(answer);
    report
}

fn rotated(answer: Value) -> Report {
    let mut report = Report::new();
    let id = |member| text(&answer, member).unwrap_or("unknown");
    let (next, earlier) = (id("masterKey"), id("replaced"));
    match text(&answer, "inUse") {
        Some("now") => report.line(format_args!(
            "master key {next} is in use; {earlier} opens nothing any more, but for copies of the \
             store from before"
        )),
        _ => report.line(format_args!(
            "master keys {next} and {earlier} both open the store; start it with {next}, and \
             {earlier} opens nothing any more"
        )),
    }
    report.json(answer);
    report
}

/// Whoever may change the keys sees which one signs; everybody sees what the controller document
/// shows: whether what a key has signed is good.
fn list(context: &Context<'_>, owner: &KeyOwner) -> Result<Report, CliError> {
    let mut report = Report::new();
    match context.ask(&Call::get(context.keys_of(owner)?)) {
        Ok(answer) => {
            let keys = answer.get("keys").unwrap_or(&answer).as_array();
            let rows: Vec<Vec<String>> = keys.into_iter().flatten().map(own_row).collect();
            report.table("", &rows);
            report.json(answer);
        }
        Err(CliError::Problem(problem)) if matches!(problem.status, 401 | 403) => {
            let document = context.ask(&Call::get(owner.document()))?;
            report.table("", &public_rows(&document));
            report.json(document);
        }
        Err(failed) => return Err(failed),
    }
    Ok(report)
}

fn own_row(key: &Value) -> Vec<String> {
    let moment = |word: &str, member: &str| Some(format!("{word} {}", text(key, member)?));
    let standing = moment("revoked since", "revokedSince")
        .or_else(|| moment("retired", "retiredAt"))
        .or_else(|| moment("signs from", "signsFrom"));
    row(text(key, "id"), standing.as_deref().unwrap_or("signs"), key)
}

fn public_rows(document: &Value) -> Vec<Vec<String>> {
    let array = |member: &str| document.get(member).and_then(Value::as_array);
    let asserts = array("assertionMethod").into_iter().flatten();
    let asserts: Vec<&str> = asserts.filter_map(Value::as_str).collect();
    let methods = array("verificationMethod").into_iter().flatten();
    // A key may stand there once more as a JSON Web Key; the Multikey is enough to tell it by.
    let multikeys = methods.filter(|method| method.get("publicKeyMultibase").is_some());
    multikeys
        .map(|method| {
            let id = text(method, "id").unwrap_or_default();
            match text(method, "revoked") {
                Some(since) => row(Some(id), &format!("revoked since {since}"), method),
                None if asserts.contains(&id) => row(Some(id), "good", method),
                None => row(Some(id), "not for assertions", method),
            }
        })
        .collect()
}

fn row(id: Option<&str>, standing: &str, key: &Value) -> Vec<String> {
    let id = id.unwrap_or_default();
    let name = id.rsplit_once('#').map_or(id, |(_, name)| name);
    let public = text(key, "publicKeyMultibase").unwrap_or_default();
    [name, standing, public].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    #[test]
    fn the_owner_sees_which_key_signs() {
        let done = Fake::new()
            .answer(200, json!({"keys": [
                {"id": "key-1", "publicKeyMultibase": "z6Mk1", "signsFrom": "2026-01-01T00:00:00Z",
                 "retiredAt": "2026-01-30T00:00:00Z", "revokedSince": "2026-01-31T12:00:00Z"},
                {"id": "key-2", "publicKeyMultibase": "z6Mk2", "signsFrom": "2026-01-01T00:00:00Z",
                 "retiredAt": "2026-01-30T00:00:00Z"},
                {"id": "key-3", "publicKeyMultibase": "z6Mk3", "signsFrom": "2026-01-01T00:00:00Z",
                 "retiredAt": null, "revokedSince": null},
            ]}))
            .run(&["key", "list", "a"]);
        assert_eq!(done.calls(), ["GET /profiles/a/keys"]);
        assert_eq!(
            done.out,
            "key-1  revoked since 2026-01-31T12:00:00Z  z6Mk1\n\
             key-2  retired 2026-01-30T00:00:00Z        z6Mk2\n\
             key-3  signs from 2026-01-01T00:00:00Z     z6Mk3\n"
        );
    }

    #[test]
    fn others_see_the_controller_document() {
        let method = |name: &str| {
            json!({
                "id": format!("did:web:h:profiles:a#{name}"), "publicKeyMultibase": "z6Mk",
            })
        };
        let mut revoked = method("key-1");
        revoked["revoked"] = json!("2026-01-31T12:00:00Z");
        let jwk = json!({"id": "did:web:h:profiles:a#key-2-jwk", "publicKeyJwk": {}});
        let done = Fake::new()
            .answer(401, json!({"title": "A token is needed"}))
            .answer(
                200,
                json!({
                    "verificationMethod": [revoked, method("key-2"), jwk],
                    "assertionMethod": ["did:web:h:profiles:a#key-2"],
                }),
            )
            .run(&["key", "list", "a"]);
        assert_eq!(
            done.calls(),
            ["GET /profiles/a/keys", "GET /profiles/a/did.json"]
        );
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "key-1  revoked since 2026-01-31T12:00:00Z  z6Mk\n\
                 key-2  good                                z6Mk\n"
            )
        );
    }

    #[test]
    fn keys_are_made_retired_and_revoked() {
        let done = Fake::new()
            .answer(
                201,
                json!({"id": "key-2", "signsFrom": "2026-01-31T12:00:00Z"}),
            )
            .run(&["key", "new", "a"]);
        assert_eq!(done.calls(), ["POST /profiles/a/keys {}"]);
        assert_eq!(
            done.out,
            "made key-2, which signs from 2026-01-31T12:00:00Z\n"
        );
        let done = Fake::new()
            .answer_bytes(204, b"")
            .run(&["key", "retire", "a", "1"]);
        assert_eq!(done.calls(), ["POST /profiles/a/keys/key-1/retire {}"]);
        assert_eq!((done.exit, done.out.as_str()), (0, "retired key-1\n"));
        let since = "2026-01-31T13:00:00+01:00";
        let done = Fake::new()
            .answer(200, json!({}))
            .run(&["key", "revoke", "a", "key-1", "--since", since]);
        assert_eq!(
            done.calls(),
            [r#"POST /profiles/a/keys/key-1/revoke {"since":"2026-01-31T12:00:00Z"}"#]
        );
        assert_eq!(done.out, "revoked key-1 since 2026-01-31T12:00:00Z\n");
    }

    #[test]
    fn the_registry_has_keys_too() {
        let since = "2026-01-31T12:00:00Z";
        let own = "did:web:registry.example";
        for (words, call) in [
            (vec!["key", "list", own], "GET /keys"),
            (
                vec!["key", "new", "https://registry.example"],
                "POST /keys {}",
            ),
            (
                vec!["key", "retire", own, "1"],
                "POST /keys/key-1/retire {}",
            ),
            (
                vec!["key", "revoke", own, "key-1", "--since", since],
                r#"POST /keys/key-1/revoke {"since":"2026-01-31T12:00:00Z"}"#,
            ),
        ] {
            let done = Fake::new().answer(200, json!({"keys": []})).run(&words);
            assert_eq!(
                (done.exit, done.calls()),
                (0, vec![call.to_owned()]),
                "{words:?}"
            );
        }
        let done = Fake::new()
            .answer(403, json!({"title": "For the operator only"}))
            .answer(200, json!({"verificationMethod": []}))
            .run(&["key", "list", own]);
        assert_eq!(done.calls(), ["GET /keys", "GET /.well-known/did.json"]);
    }

    #[test]
    fn another_master_key_is_put_in_place() {
        let answer = |when: &str| {
            let answer = json!({
                "masterKey": "00000000000000b2", "replaced": "00000000000000a1", "inUse": when,
            });
            Fake::new()
                .answer(200, answer)
                .run(&["key", "rotate-master"])
        };
        let done = answer("now");
        assert_eq!(done.calls(), ["POST /master-key/rotate {}"]);
        assert_eq!(done.exit, 0);
        let opens_nothing = "00000000000000a1 opens nothing any more";
        assert!(
            done.out.contains("00000000000000b2 is in use"),
            "{}",
            done.out
        );
        assert!(done.out.contains(opens_nothing), "{}", done.out);
        let later = answer("at-next-start");
        assert!(
            later.out.contains("start it with 00000000000000b2"),
            "{}",
            later.out
        );
        let done = Fake::new()
            .answer(
                409,
                json!({"title": "No other master key", "detail": "put it into x.next"}),
            )
            .run(&["key", "rotate-master"]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("put it into x.next"), "{}", done.err);
    }

    #[test]
    fn a_key_of_another_is_an_error_with_the_next_step() {
        let done = Fake::new()
            .answer(
                403,
                json!({"title": "Not yours", "detail": "it belongs to another profile"}),
            )
            .run(&["key", "new", "b"]);
        assert_eq!(done.exit, 2);
        assert_eq!(
            done.err,
            "goodstanding: Not yours: it belongs to another profile\n  \
             at    POST /profiles/b/keys (403)\n  \
             next  use the token of the profile that owns it, or the operator's\n"
        );
        let done = Fake::new().run(&["key", "revoke", "a", "1", "--since", "yesterday"]);
        assert!(done.err.contains("RFC 3339"), "{}", done.err);
    }
}
