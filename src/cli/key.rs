//! `goodstanding key`: the signing keys of a profile, or of the registry itself.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::place::{KeyName, KeyOwner};
use super::progress::Progress;
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
    /// Make a new key that takes over by itself: once verifiers have had time to see it, every
    /// status list is signed again by it, and the keys before it are retired
    #[command(after_help = "Example:
  goodstanding key rotate acme-college --wait")]
    Rotate {
        /// The profile's slug, URL or did:web; or the registry's own URL or did:web
        #[arg(value_name = "PROFILE")]
        owner: KeyOwner,
        /// Wait until it has taken over, which takes at least as long as verifiers may keep a
        /// DID document
        #[arg(long)]
        wait: bool,
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
        /// Only tell what is affected; nothing is done
        #[arg(long)]
        dry_run: bool,
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
            Self::Rotate { owner, wait } => rotate(context, &owner, wait),
            Self::Revoke {
                owner,
                key,
                since,
                dry_run,
            } => {
                let path = format!("{}/{}/revoke", context.keys_of(&owner)?, key.0);
                let mut body = json!({ "since": since.to_string() });
                let what = format!("{} since {since}", key.0);
                if dry_run {
                    body["dryRun"] = true.into();
                    let answer = context.ask(&Call::post(path, body))?;
                    let mut report = Report::new();
                    let would = format_args!("nothing was done; to revoke {what} would mean:");
                    report.line(would);
                    affected(&answer, &mut report);
                    report.json(answer);
                    return Ok(report);
                }
                let answer = context.change(Call::post(path, body))?;
                let mut told = Report::new();
                told.line(format_args!("revoked {what}"));
                affected(&answer, &mut told);
                told.json(answer);
                Ok(told)
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

/// So many endorsements are shown to a person; `--json` shows all that the registry names.
const SHOWN: usize = 20;

/// What giving up a key affects.
fn affected(answer: &Value, report: &mut Report) {
    let Some(affected) = answer.get("affected") else {
        return;
    };
    let number = |place: &str| affected.pointer(place).and_then(Value::as_u64).unwrap_or(0);
    let least = match affected.get("more") {
        Some(_) => "at least ",
        None => "",
    };
    let (endorsements, again) = (
        number("/endorsements/count"),
        number("/endorsements/signedAgain"),
    );
    report.line(format_args!(
        "  lists signed again by another key: {}",
        number("/lists")
    ));
    report.line(format_args!(
        "  credentials that are not good any more: {least}{}",
        number("/credentials")
    ));
    report.line(format_args!(
        "  endorsements of which only a fresh copy is good: {least}{endorsements}, {again} of them \
         signed again"
    ));
    let shown = affected.pointer("/endorsements/shown");
    let shown = shown.and_then(Value::as_array).into_iter().flatten();
    let shown: Vec<Vec<String>> = shown
        .filter_map(Value::as_str)
        .take(SHOWN)
        .map(|url| vec![url.to_owned()])
        .collect();
    report.table("    ", &shown);
    let rest = endorsements.saturating_sub(shown.len() as u64);
    if rest > 0 {
        report.line(format_args!("    and {rest} more"));
    }
}

/// Begins a rotation, and stays with it to its end where that is wanted.
fn rotate(context: &Context<'_>, owner: &KeyOwner, wait: bool) -> Result<Report, CliError> {
    let keys = context.keys_of(owner)?;
    if wait && context.server.is_none() {
        let words = "only a running server goes on with a rotation: leave out --wait, or name the \
                     server with --server URL";
        return Err(CliError::Usage(words.to_owned()));
    }
    let mut answer = context.change(Call::post(format!("{keys}/rotate"), json!({})))?;
    let (key, from) = (text(&answer, "id"), text(&answer, "signsFrom"));
    let (key, from) = (
        key.unwrap_or("a new key").to_owned(),
        from.unwrap_or("soon"),
    );
    let mut report = Report::new();
    report.line(format_args!("{key} takes over from {from} on"));
    if wait {
        let mut progress = context.shows.begin("rotating");
        let call = Call::get(keys);
        loop {
            answer = context.ask(&call)?;
            match Rotation::of(&answer) {
                Some(rotation) if rotation.to == key && rotation.state != "done" => {
                    rotation.show(&mut progress);
                    std::thread::sleep(PACE);
                }
                Some(rotation) if rotation.to == key => break,
                _ => {
                    let words = format!("the rotation to {key} was ended: the key was given up");
                    return Err(CliError::Usage(words));
                }
            }
        }
        drop(progress);
        report.line(format_args!("{key} has taken over"));
    }
    report.json(answer);
    Ok(report)
}

/// So often it is asked how far a rotation is.
const PACE: Duration = Duration::from_secs(1);

/// A rotation as the registry tells it.
struct Rotation<'a> {
    to: &'a str,
    state: &'a str,
    from: &'a str,
    done: u64,
    total: u64,
}

impl<'a> Rotation<'a> {
    fn of(answer: &'a Value) -> Option<Self> {
        let told = answer.get("rotation")?;
        let number = |place| told.pointer(place).and_then(Value::as_u64).unwrap_or(0);
        Some(Self {
            to: text(told, "to")?,
            state: text(told, "state")?,
            from: text(told, "signsFrom").unwrap_or_default(),
            done: number("/lists/done"),
            total: number("/lists/total"),
        })
    }

    fn show(&self, progress: &mut Progress) {
        match self.state {
            "announced" => progress.at(0, None, &format!("it is announced until {}", self.from)),
            _ => {
                let words = format!("{} of {} lists", self.done, self.total);
                progress.at(self.done, Some(self.total), &words);
            }
        }
    }
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
            if let Some(rotation) = Rotation::of(&answer) {
                let Rotation {
                    to, done, total, ..
                } = rotation;
                match rotation.state {
                    "announced" => report.line(format_args!("{to} is announced")),
                    "signing" => {
                        report.line(format_args!("{to} takes over: {done} of {total} lists"));
                    }
                    _ => {}
                }
            }
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
    fn a_rotation_is_begun_and_waited_for() {
        let made = json!({"id": "key-2", "signsFrom": "2026-01-31T12:00:00Z"});
        let done = Fake::new()
            .answer(201, made.clone())
            .run(&["key", "rotate", "a"]);
        assert_eq!(done.calls(), ["POST /profiles/a/keys/rotate {}"]);
        assert_eq!(done.out, "key-2 takes over from 2026-01-31T12:00:00Z on\n");
        assert!(done.calls[0].idempotency_key.is_some());

        // No server, nobody who would go on with it.
        let done = Fake::new().run(&["key", "rotate", "a", "--wait"]);
        assert_eq!((done.exit, done.calls.len()), (2, 0), "{}", done.err);

        let rotation = json!({ "from": ["key-1"], "to": "key-2", "state": "signing",
            "signsFrom": "2026-01-31T12:00:00Z", "lists": { "done": 3, "total": 7 } });
        let done = Fake::new()
            .answer(200, json!({ "keys": [], "rotation": rotation }))
            .run(&["key", "list", "a"]);
        assert_eq!(done.out, "key-2 takes over: 3 of 7 lists\n");
    }

    #[test]
    fn what_a_lost_key_leaves_is_told_before_and_after() {
        let affected = json!({ "lists": 2, "credentials": 57, "endorsements": {
            "count": 22, "signedAgain": 22, "shown": (0..22).map(|n| format!("urn:{n}")).collect::<Vec<_>>() } });
        let args = ["key", "revoke", "a", "1", "--since", "2026-01-31T12:00:00Z"];
        let tried = Fake::new()
            .answer(200, json!({ "dryRun": true, "affected": affected }))
            .run(&[&args[..], &["--dry-run"]].concat());
        assert_eq!(
            tried.calls(),
            [
                r#"POST /profiles/a/keys/key-1/revoke {"since":"2026-01-31T12:00:00Z","dryRun":true}"#
            ]
        );
        assert!(tried.calls[0].idempotency_key.is_none(), "nothing changes");
        let told = "  lists signed again by another key: 2\n  \
                    credentials that are not good any more: 57\n  \
                    endorsements of which only a fresh copy is good: 22, 22 of them signed again\n    \
                    urn:0\n";
        assert!(tried.out.contains(told), "{}", tried.out);
        assert!(
            tried.out.ends_with("    urn:19\n    and 2 more\n"),
            "{}",
            tried.out
        );
        let done = Fake::new()
            .answer(200, json!({ "id": "key-1", "affected": affected }))
            .run(&args);
        assert!(
            done.out
                .starts_with("revoked key-1 since 2026-01-31T12:00:00Z\n")
        );
        assert!(done.out.contains(told), "{}", done.out);
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
