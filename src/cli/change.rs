//! `goodstanding revoke`, `suspend` and `reinstate`: change the standing of endorsements and
//! credentials.

use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value, json};

use super::affected::Decision;
use super::context::Context;
use super::error::{CliError, headline};
use super::list::credential;
use super::place::{Entry, Place, PlaceError, is_uri};
use super::report::{Exit, Report};
use super::transport::Call;
use crate::ids::{EndorsementId, ListId};

/// Revoke endorsements or credentials, for ever.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding revoke https://registry.example/endorsements/ID --reason 'licence withdrawn'
  goodstanding revoke https://registry.example/endorsements/ID --dry-run
  goodstanding revoke https://registry.example/status-lists/ID#42
  goodstanding revoke --list ID --index 42 --index 43
  goodstanding revoke --credential urn:uuid:7b0c…")]
pub(super) struct Revoke {
    #[command(flatten)]
    what: What,
}

/// Suspend endorsements or credentials until they are reinstated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding suspend https://registry.example/endorsements/ID --reason 'under review'
  goodstanding suspend --list ID --index 42")]
pub(super) struct Suspend {
    #[command(flatten)]
    what: What,
}

/// Take back a suspension.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding reinstate https://registry.example/endorsements/ID --reason 'review passed'
  goodstanding reinstate --list ID --index 42")]
pub(super) struct Reinstate {
    #[command(flatten)]
    what: What,
}

/// What is to be changed.
#[derive(Debug, Args)]
struct What {
    /// An endorsement (URL or id), an entry of a list (LIST#INDEX), or a credential's id
    #[arg(value_name = "TARGET", required_unless_present_any = ["list", "credentials"])]
    targets: Vec<Target>,
    /// A status list, with --index
    #[arg(long, value_name = "LIST", requires = "indexes")]
    list: Option<Place<ListId>>,
    /// An index of --list; can be given many times
    #[arg(long = "index", value_name = "INDEX", requires = "list", num_args = 1..)]
    indexes: Vec<u64>,
    /// A credential's id; can be given many times
    #[arg(long = "credential", value_name = "ID")]
    credentials: Vec<String>,
    #[command(flatten)]
    decision: Decision,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Endorsement(Place<EndorsementId>),
    Entry(Entry),
    Credential(String),
}

impl FromStr for Target {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        if let Ok(entry) = text.parse() {
            return Ok(Self::Entry(entry));
        }
        if let Ok(endorsement) = text.parse() {
            return Ok(Self::Endorsement(endorsement));
        }
        // A list without an index is a slip, and must not pass for a credential's id.
        let list = text.split('#').next().unwrap_or(text);
        if is_uri(text) && list.parse::<Place<ListId>>().is_err() {
            return Ok(Self::Credential(text.to_owned()));
        }
        Err(PlaceError {
            given: text.to_owned(),
            wanted: "something that can be changed: give an endorsement's URL or id, LIST#INDEX, \
                     or a credential's id, such as urn:uuid:…",
        })
    }
}

impl What {
    /// What rests on an endorsement can be told beforehand; nothing rests on a credential.
    fn check(&self) -> Result<(), CliError> {
        let is_endorsement = |target: &Target| matches!(target, Target::Endorsement(_));
        let others = self.list.is_some() || !self.credentials.is_empty();
        if self.decision.dry_run && (others || !self.targets.iter().all(is_endorsement)) {
            let what = "--dry-run is for endorsements, on which others rest";
            return Err(CliError::Usage(format!("{what}: leave it out")));
        }
        Ok(())
    }
}

/// The three verbs, each over the one purpose that it works on.
struct Verb {
    name: &'static str,
    done: &'static str,
    purpose: &'static str,
    set: bool,
}

impl Revoke {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        const REVOKE: Verb = Verb {
            name: "revoke",
            done: "revoked",
            purpose: "revocation",
            set: true,
        };
        REVOKE.change(self.what, context)
    }
}

impl Suspend {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        const SUSPEND: Verb = Verb {
            name: "suspend",
            done: "suspended",
            purpose: "suspension",
            set: true,
        };
        SUSPEND.change(self.what, context)
    }
}

impl Reinstate {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        const REINSTATE: Verb = Verb {
            name: "reinstate",
            done: "reinstated",
            purpose: "suspension",
            set: false,
        };
        REINSTATE.change(self.what, context)
    }
}

impl Verb {
    /// Goes through all that is asked: one that fails does not keep the others from being changed,
    /// and each is reported. Entries of one list go in one call.
    fn change(&self, what: What, context: &Context<'_>) -> Result<Report, CliError> {
        what.check()?;
        let mut report = Report::new();
        let reason = what.decision.reason.as_deref();
        let mut lists: Vec<(Place<ListId>, Vec<u64>)> = Vec::new();
        if let Some(list) = what.list {
            lists.push((list, what.indexes));
        }
        let credentials = what.credentials.into_iter().map(Target::Credential);
        let targets: Vec<Target> = what.targets.into_iter().chain(credentials).collect();
        let (mut progress, total) = (context.shows.begin(self.name), targets.len() as u64);
        for (done, target) in (0..).zip(targets) {
            progress.at(done, Some(total), self.done);
            let done = match target {
                Target::Endorsement(place) => {
                    self.endorsement(context, &place, &what.decision, &mut report)
                }
                Target::Credential(id) => self.credential(context, &id, reason, &mut report),
                Target::Entry(Entry { list, index }) => {
                    match lists.iter_mut().find(|(known, _)| known.id == list.id) {
                        Some((_, indexes)) => indexes.push(index),
                        None => lists.push((list, vec![index])),
                    }
                    Ok(())
                }
            };
            if let Err(failed) = done {
                report.fail(failed);
            }
        }
        for (list, indexes) in lists {
            if let Err(failed) = self.entries(context, &list, &indexes, reason, &mut report) {
                report.fail(failed);
            }
        }
        Ok(report)
    }

    fn endorsement(
        &self,
        context: &Context<'_>,
        place: &Place<EndorsementId>,
        decision: &Decision,
        report: &mut Report,
    ) -> Result<(), CliError> {
        let path = context.path(place)?;
        decision.take(
            context,
            (&path, &place.given),
            (self.name, self.done),
            report,
        )
    }

    fn credential(
        &self,
        context: &Context<'_>,
        id: &str,
        reason: Option<&str>,
        report: &mut Report,
    ) -> Result<(), CliError> {
        let entry = json!({
            "type": "BitstringStatusListEntry",
            "statusPurpose": self.purpose,
        });
        let mut body = Map::new();
        body.insert("credentialId".into(), id.into());
        body.insert("credentialStatus".into(), entry);
        body.insert("status".into(), self.set.into());
        let body = with_reason(body, reason);
        let answer = context.change(Call::post("/credentials/status", body))?;
        report.line(format_args!("{} {id}", self.done));
        report.json(answer);
        Ok(())
    }

    fn entries(
        &self,
        context: &Context<'_>,
        list: &Place<ListId>,
        indexes: &[u64],
        reason: Option<&str>,
        report: &mut Report,
    ) -> Result<(), CliError> {
        let path = context.path(list)?;
        self.check_purpose(context, &path, list)?;
        let status = u8::from(self.set);
        let update = |index: &u64| json!({ "index": index, "status": status });
        let updates: Vec<Value> = indexes.iter().map(update).collect();
        let mut body = Map::new();
        body.insert("updates".into(), updates.into());
        let call = Call::post(format!("{path}/updates"), with_reason(body, reason));
        let answer = context.change(call)?;
        let number = |member: &str| answer.get(member).and_then(Value::as_u64);
        let refused = answer.get("refused").and_then(Value::as_array);
        let refused = refused.map(Vec::as_slice).unwrap_or_default();
        let applied =
            number("applied").unwrap_or_else(|| indexes.len().abs_diff(refused.len()) as u64);
        let revision = number("revision").map_or(String::new(), |at| format!(", revision {at}"));
        let total = indexes.len();
        report.line(format_args!(
            "{} {applied} of {total} in {}{revision}",
            self.done, list.given
        ));
        for refusal in refused {
            // A refusal names its update by the place in the request.
            let item = refusal.get("item").and_then(Value::as_u64);
            let index = item.and_then(|item| indexes.get(usize::try_from(item).ok()?));
            let index = index.map_or("one of them".into(), |index| format!("index {index}"));
            let reason = refusal
                .get("reason")
                .map_or("no reason given".into(), headline);
            report.line(format_args!("  refused {index}: {reason}"));
            report.worse(Exit::Unknown);
        }
        report.json(answer);
        Ok(())
    }

    /// A bit means what its list says: `suspend` on a list of revocations would revoke for ever.
    fn check_purpose(
        &self,
        context: &Context<'_>,
        path: &str,
        list: &Place<ListId>,
    ) -> Result<(), CliError> {
        let answer = context.ask(&Call::get(path))?;
        let purpose = credential(&answer).pointer("/credentialSubject/statusPurpose");
        let fits = match purpose {
            Some(Value::String(one)) => one == self.purpose,
            Some(Value::Array(several)) => several.iter().all(|one| one == self.purpose),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let found = purpose.map_or("nothing that can be read".into(), Value::to_string);
        Err(CliError::Usage(format!(
            "cannot {} in {}: its purpose is {found}, and this takes a list of {:?}; nothing was \
             changed there",
            self.name, list.given, self.purpose
        )))
    }
}

fn with_reason(mut body: Map<String, Value>, reason: Option<&str>) -> Value {
    if let Some(reason) = reason {
        body.insert("reason".into(), reason.into());
    }
    body.into()
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::{Value, json};

    fn list_of(purpose: &str) -> Value {
        json!({"id": "https://h/status-lists/x", "credentialSubject": {"statusPurpose": purpose}})
    }

    #[test]
    fn an_endorsement_is_revoked_with_its_reason() {
        let url = format!("https://h/endorsements/{LIST}");
        let done = Fake::new()
            .answer(200, json!({"id": url, "outcome": "revoked"}))
            .run(&["revoke", &url, "--reason", "licence withdrawn"]);
        assert_eq!(
            done.calls(),
            [format!(
                r#"POST /endorsements/{LIST}/revoke {{"reason":"licence withdrawn"}}"#
            )]
        );
        assert!(done.calls[0].idempotency_key.is_some());
        assert_eq!(
            (done.exit, done.out),
            (0, format!("revoked {url}: now revoked\n"))
        );
    }

    #[test]
    fn suspension_and_reinstatement_use_their_own_words() {
        for (verb, now) in [("suspend", "suspended"), ("reinstate", "active")] {
            let done = Fake::new()
                .answer(200, json!({"outcome": now}))
                .run(&[verb, LIST]);
            assert_eq!(
                done.calls(),
                [format!("POST /endorsements/{LIST}/{verb} {{}}")]
            );
            assert!(done.out.ends_with(&format!("{LIST}: now {now}\n")));
        }
    }

    #[test]
    fn entries_of_one_list_go_in_one_call() {
        let (first, second) = (
            format!("{LIST}#5"),
            format!("https://h/status-lists/{LIST}#6"),
        );
        let done = Fake::new()
            .answer(200, list_of("revocation"))
            .answer(200, json!({"revision": 8, "applied": 2, "refused": []}))
            .run(&["revoke", &first, &second, "--reason", "r"]);
        assert_eq!(
            done.calls(),
            [
                format!("GET /status-lists/{LIST}"),
                format!(
                    r#"POST /status-lists/{LIST}/updates {{"updates":[{{"index":5,"status":1}},{{"index":6,"status":1}}],"reason":"r"}}"#
                ),
            ]
        );
        assert_eq!(
            (done.exit, done.out),
            (0, format!("revoked 2 of 2 in {LIST}, revision 8\n"))
        );
    }

    #[test]
    fn a_list_and_indexes_reinstate_with_0() {
        let done = Fake::new()
            .answer(200, json!({"verifiableCredential": list_of("suspension")}))
            .answer(
                200,
                json!({"revision": 9, "applied": 1, "refused": [
                    {"item": 1, "reason": "the index was never given out"},
                ]}),
            )
            .run(&["reinstate", "--list", LIST, "--index", "6", "7"]);
        assert!(
            done.calls()[1]
                .ends_with(r#"{"updates":[{"index":6,"status":0},{"index":7,"status":0}]}"#)
        );
        assert_eq!(done.exit, 2, "a refusal is no success");
        assert_eq!(
            done.out,
            format!(
                "reinstated 1 of 2 in {LIST}, revision 9\n  \
                 refused index 7: the index was never given out\n"
            )
        );
    }

    #[test]
    fn suspending_in_a_list_of_revocations_changes_nothing() {
        for purpose in ["revocation", "message"] {
            let done = Fake::new()
                .answer(200, list_of(purpose))
                .run(&["suspend", &format!("{LIST}#5")]);
            assert_eq!((done.exit, done.calls.len()), (2, 1));
            assert!(
                done.err.contains(&format!("its purpose is {purpose:?}")),
                "{}",
                done.err
            );
        }
    }

    #[test]
    fn a_credential_is_changed_by_its_id() {
        for args in [
            ["revoke", "urn:uuid:a"].as_slice(),
            &["revoke", "--credential", "urn:uuid:a"],
        ] {
            let done = Fake::new().answer_bytes(200, b"").run(args);
            assert_eq!(
                done.calls(),
                [
                    r#"POST /credentials/status {"credentialId":"urn:uuid:a","credentialStatus":{"type":"BitstringStatusListEntry","statusPurpose":"revocation"},"status":true}"#
                ]
            );
            assert_eq!((done.exit, done.out.as_str()), (0, "revoked urn:uuid:a\n"));
        }
        let done = Fake::new()
            .answer(200, json!({}))
            .run(&["reinstate", "urn:uuid:a"]);
        assert!(done.calls()[0].contains(r#""suspension"},"status":false"#));
    }

    #[test]
    fn a_reason_goes_with_a_change_by_id_too() {
        let done = Fake::new()
            .answer(200, json!({"revision": 2, "applied": 1, "refused": []}))
            .run(&["suspend", "urn:a", "--reason", "under review"]);
        let end = r#""statusPurpose":"suspension"},"status":true,"reason":"under review"}"#;
        assert!(done.calls()[0].ends_with(end), "{:?}", done.calls());
        assert_eq!((done.exit, done.out.as_str()), (0, "suspended urn:a\n"));
    }

    #[test]
    fn one_failure_neither_hides_nor_stops_the_others() {
        let done = Fake::new()
            .answer(404, json!({"title": "Not found"}))
            .answer(200, json!({"outcome": "revoked"}))
            .run(&["revoke", "urn:uuid:a", LIST, "--json"]);
        assert_eq!(done.exit, 2);
        assert_eq!(done.out, "{\"outcome\":\"revoked\"}\n");
        assert!(
            done.err
                .starts_with(r#"{"title":"Not found","at":"POST /credentials/status","#),
            "{}",
            done.err
        );
    }

    #[test]
    fn slips_are_refused_before_any_call() {
        let list = format!("https://h/status-lists/{LIST}");
        for args in [
            vec!["revoke", &list],
            vec!["revoke", "nonsense"],
            vec!["revoke", "--list", LIST],
            vec!["revoke", "--index", "5"],
        ] {
            let done = Fake::new().run(&args);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
            assert!(!done.err.is_empty());
        }
    }
}
