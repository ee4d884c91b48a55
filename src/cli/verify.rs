//! `goodstanding verify`: is this credential good, and who stands behind it?

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Map, Value, json};
use url::Url;

use super::context::{Context, json_of, not_the_contract, parse_json};
use super::error::{CliError, Problem, headline};
use super::fetch::fetch;
use super::report::{Exit, Report, text};
use super::transport::Call;
use crate::badges::baked::Image;

/// Verify a credential or presentation: its proof, its dates, its status, and the endorsements in
/// it.
///
/// Exit status: 0 in good standing, 1 not, 2 not known or an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding verify credential.json
  goodstanding verify https://issuer.example/credentials/42
  goodstanding verify badge.png
  curl -s https://issuer.example/credentials/42 | goodstanding verify -")]
pub(super) struct Verify {
    /// A file, an https URL (http on this machine), or '-' for standard input: JSON, a JWT, or a
    /// baked PNG or SVG image
    #[arg(value_name = "FILE|URL|-")]
    source: String,
}

impl Verify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let web = Url::parse(&self.source)
            .ok()
            .filter(|_| self.source.contains("://"));
        let (bytes, place) = match &web {
            Some(url) => (fetch(url, context.timeout)?, self.source.as_str()),
            None if self.source == "-" => (context.read("-")?, "standard input"),
            None => (context.read(&self.source)?, self.source.as_str()),
        };
        let (call, asked) = question(&bytes, place)?;
        let answer = context.transport.call(&call)?;
        // A document that cannot be verified may be answered with 400 and the whole report.
        let report = json_of(&call, &answer)
            .ok()
            .filter(|body| body.get("outcome").is_some() || body.get("verified").is_some());
        match report {
            Some(report) => Ok(said(&asked, report)),
            None if answer.status >= 400 => {
                Err(CliError::Problem(Box::new(Problem::of(&call, &answer))))
            }
            None => {
                let reason = format!("the answer ({}) holds no outcome", answer.status);
                Err(not_the_contract(&call, reason))
            }
        }
    }
}

/// The call that verifies a document, and the document itself as far as it can be read here.
fn question(bytes: &[u8], place: &str) -> Result<(Call, Value), CliError> {
    let (path, member, document) = read(bytes, place)?;
    let mut body = Map::new();
    body.insert(member.into(), document.clone());
    let options = json!({ "returnResults": true, "returnProblemDetails": true });
    body.insert("options".into(), options);
    Ok((Call::post(path, body.into()), document))
}

fn read(bytes: &[u8], place: &str) -> Result<(&'static str, &'static str, Value), CliError> {
    const CREDENTIAL: &str = "/credentials/verify";
    if Image::of(bytes).is_some() {
        return Ok((CREDENTIAL, "media", STANDARD.encode(bytes).into()));
    }
    if let Some(jwt) = jwt(bytes) {
        // VC Data Model 2.0 section 4.13: how a credential secured by an envelope is carried.
        let enveloped = json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "id": format!("data:application/vc+jwt,{jwt}"),
            "type": "EnvelopedVerifiableCredential",
        });
        return Ok((CREDENTIAL, "verifiableCredential", enveloped));
    }
    let document = parse_json(bytes, place)?;
    let Value::Object(mut members) = document else {
        return Err(CliError::NotJson {
            place: place.to_owned(),
            reason: "a credential is a JSON object".into(),
        });
    };
    // What `issue --json` prints, and what other services answer with, wraps the credential.
    if !members.contains_key("@context") {
        for wrapper in ["verifiableCredential", "verifiablePresentation"] {
            if let Some(Value::Object(inner)) = members.get(wrapper).cloned() {
                members = inner;
                break;
            }
        }
    }
    let presentation = match members.get("type") {
        Some(Value::String(one)) => one == "VerifiablePresentation",
        Some(Value::Array(several)) => several.iter().any(|one| one == "VerifiablePresentation"),
        _ => false,
    };
    Ok(match presentation {
        true => (
            "/presentations/verify",
            "verifiablePresentation",
            members.into(),
        ),
        false => (CREDENTIAL, "verifiableCredential", members.into()),
    })
}

/// A compact JWS: three parts of base64url, the first of which begins with `{"`.
fn jwt(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let parts = text.split('.').filter(|part| !part.is_empty()).count();
    (text.starts_with("eyJ") && parts == 3 && text.bytes().all(allowed)).then_some(text)
}

fn said(asked: &Value, answer: Value) -> Report {
    let mut report = Report::new();
    let verified = answer.get("verified").and_then(Value::as_bool);
    let outcome = text(&answer, "outcome");
    report.worse(exit(verified, outcome));
    let value = |of: &Value, member: &str| text(of, member).map(str::to_owned);
    let seen = answer.get("report").unwrap_or(&Value::Null);
    let named = asked.get("issuer").or_else(|| asked.get("holder"));
    let issuer = named.and_then(|by| {
        let id = by.as_str().or_else(|| text(by, "id"))?;
        Some(text(by, "name").map_or(id.to_owned(), |name| format!("{id} ({name})")))
    });
    let issuer = issuer.or_else(|| value(seen, "issuer"));
    let id = value(asked, "id").filter(|id| !id.starts_with("data:"));
    let id = id.or_else(|| value(seen, "id"));
    report.line(outcome.unwrap_or("unknown"));
    report.rows(&[
        ("  id", id),
        ("  issuer", issuer),
        (
            "  proof",
            verified.map(|yes| if yes { "verified" } else { "not verified" }.to_owned()),
        ),
    ]);
    let checks = checks(&answer);
    if !checks.is_empty() {
        report.line("checks");
        report.table("  ", &checks);
    }
    let problems = answer.get("problemDetails").and_then(Value::as_array);
    let problems: Vec<&Value> = problems.into_iter().flatten().collect();
    if !problems.is_empty() {
        report.line("problems");
    }
    for problem in problems {
        let at = text(problem, "pointer").filter(|at| !at.is_empty());
        let at = at.map_or(String::new(), |at| format!(" (at {at})"));
        report.line(format_args!("  {}{at}", headline(problem)));
    }
    report.json(answer);
    report
}

/// The outcome decides; but a proof that is not said to be good is never good standing.
fn exit(verified: Option<bool>, outcome: Option<&str>) -> Exit {
    let standing = Exit::of(outcome);
    match verified {
        Some(true) => standing,
        Some(false) => standing.max(Exit::Not),
        None => standing.max(Exit::Unknown),
    }
}

/// Each thing that was checked: the verdict, what the check is about, where in the document, and
/// what it says. What is embedded comes with its own path, such as `issuer.endorsement[0]`.
fn checks(answer: &Value) -> Vec<Vec<String>> {
    let checks = answer.pointer("/report/checks").and_then(Value::as_array);
    let row = |check: &Value| {
        let path = text(check, "path").filter(|path| !path.is_empty());
        let by = text(check, "issuer").map(|issuer| format!("by {issuer}"));
        let said = [by.as_deref(), text(check, "detail")];
        let said: Vec<&str> = said.into_iter().flatten().collect();
        vec![
            text(check, "outcome").unwrap_or("unknown").to_owned(),
            text(check, "kind").unwrap_or_default().to_owned(),
            path.unwrap_or("(document)").to_owned(),
            said.join(": "),
        ]
    };
    checks.into_iter().flatten().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{Done, Fake, OneByOne};
    use proptest::prelude::*;

    const CREDENTIAL: &str = r#"{"@context":["x"],"id":"urn:uuid:a","issuer":{"id":"did:web:h:profiles:a","name":"Acme"}}"#;

    fn verified(status: u16, answer: Value) -> Done {
        Fake::new()
            .stdin(CREDENTIAL)
            .answer(status, answer)
            .run(&["verify", "-"])
    }

    #[test]
    fn each_check_is_shown_with_where_it_stands() {
        let done = verified(
            200,
            json!({
                "verified": true, "outcome": "revoked",
                "problemDetails": [{"type": "t", "title": "Revoked", "detail": "bit 4 is set",
                                    "pointer": "/credentialStatus"}],
                "report": {"id": "urn:uuid:a", "issuer": "did:web:h:profiles:a", "checks": [
                    {"path": "", "kind": "data-model", "outcome": "active", "detail": "well formed"},
                    {"path": "proof", "kind": "proof", "outcome": "active", "detail": "it is good"},
                    {"path": "credentialStatus", "kind": "status", "outcome": "revoked",
                     "detail": "bit 4 is set"},
                    {"path": "issuer.endorsement[0]", "kind": "endorsement", "outcome": "active",
                     "issuer": "did:web:h:profiles:board", "detail": "in force"},
                ]},
            }),
        );
        assert_eq!(
            done.calls(),
            [format!(
                r#"POST /credentials/verify {{"verifiableCredential":{CREDENTIAL},"options":{{"returnResults":true,"returnProblemDetails":true}}}}"#
            )]
        );
        assert_eq!(done.exit, 1);
        assert_eq!(
            done.out,
            "revoked\n  \
             id      urn:uuid:a\n  \
             issuer  did:web:h:profiles:a (Acme)\n  \
             proof   verified\n\
             checks\n  \
             active   data-model   (document)             well formed\n  \
             active   proof        proof                  it is good\n  \
             revoked  status       credentialStatus       bit 4 is set\n  \
             active   endorsement  issuer.endorsement[0]  by did:web:h:profiles:board: in force\n\
             problems\n  \
             Revoked: bit 4 is set (at /credentialStatus)\n"
        );
    }

    #[test]
    fn what_cannot_be_read_here_is_named_by_the_report() {
        let done = Fake::new()
            .stdin("eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln")
            .answer(
                200,
                json!({
                    "verified": true, "outcome": "active",
                    "report": {"id": "urn:uuid:j", "issuer": "did:web:h:profiles:a", "checks": []},
                }),
            )
            .run(&["verify", "-"]);
        assert_eq!(
            done.out,
            "active\n  id      urn:uuid:j\n  issuer  did:web:h:profiles:a\n  proof   verified\n"
        );
    }

    #[test]
    fn the_exit_status_follows_the_outcome_but_never_trusts_a_bad_proof() {
        for (answer, exit) in [
            (json!({"verified": true, "outcome": "active"}), 0),
            (json!({"verified": true, "outcome": "suspended"}), 1),
            (json!({"verified": true, "outcome": "unreachable"}), 2),
            (json!({"verified": true}), 2),
            (json!({"verified": false, "outcome": "active"}), 1),
            (json!({"verified": false, "outcome": "unknown"}), 2),
            (json!({"outcome": "active"}), 2),
        ] {
            assert_eq!(verified(200, answer.clone()).exit, exit, "{answer}");
        }
        assert_eq!(
            verified(400, json!({"verified": false, "outcome": "unknown"})).exit,
            2
        );
    }

    #[test]
    fn a_refusal_and_an_answer_of_another_kind_are_errors() {
        let done = verified(400, json!({"title": "Malformed", "detail": "no issuer"}));
        assert_eq!(done.exit, 2);
        assert!(done.err.starts_with("goodstanding: Malformed: no issuer\n"));
        let done = verified(200, json!({"hello": "world"}));
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("holds no outcome"), "{}", done.err);
    }

    #[test]
    fn files_urls_and_images_are_read() {
        let answer = json!({"verified": true, "outcome": "active"});
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credential.json");
        std::fs::write(&file, CREDENTIAL).unwrap();
        let done = Fake::new()
            .answer(200, answer.clone())
            .run(&["verify", file.to_str().unwrap()]);
        assert_eq!(done.exit, 0);

        let server = OneByOne::serve(vec![
            "HTTP/1.1 200 OK\r\nContent-Length: 22\r\nConnection: close\r\n\r\n{\"id\":\"urn:uuid:web\"}\r\n",
        ]);
        let url = format!("{}/credential", server.url);
        let done = Fake::new()
            .answer(200, answer.clone())
            .run(&["verify", &url]);
        assert!(done.calls()[0].contains(r#""verifiableCredential":{"id":"urn:uuid:web"}"#));
        assert!(
            !server.requests()[0]
                .to_ascii_lowercase()
                .contains("authorization")
        );

        std::fs::write(&file, b"\x89PNG\r\n\x1a\nrest").unwrap();
        let done = Fake::new()
            .answer(200, answer)
            .run(&["verify", file.to_str().unwrap()]);
        assert!(
            done.calls()[0].contains(r#"{"media":"iVBORw0KGgpyZXN0","#),
            "{:?}",
            done.calls()
        );
    }

    #[test]
    fn wrapped_enveloped_and_presented_credentials_find_their_way() {
        for (text, call) in [
            (
                format!(r#"{{"verifiableCredential":{CREDENTIAL}}}"#),
                format!(r#"POST /credentials/verify {{"verifiableCredential":{CREDENTIAL}"#),
            ),
            (
                r#"{"@context":"x","type":["VerifiablePresentation"]}"#.into(),
                r#"POST /presentations/verify {"verifiablePresentation":{"@context""#.into(),
            ),
            (
                "eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln\n".into(),
                r#"POST /credentials/verify {"verifiableCredential":{"@context":"https://www.w3.org/ns/credentials/v2","id":"data:application/vc+jwt,eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln","type":"EnvelopedVerifiableCredential"}"#.into(),
            ),
        ] {
            let done = Fake::new()
                .stdin(&text)
                .answer(200, json!({"verified": true, "outcome": "active"}))
                .run(&["verify", "-"]);
            assert!(done.calls()[0].starts_with(&call), "{:?}", done.calls());
        }
    }

    #[test]
    fn what_is_no_credential_is_not_sent() {
        for text in ["", "[]", "nonsense", r#"{"id":"a","id":"b"}"#] {
            let done = Fake::new().stdin(text).run(&["verify", "-"]);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{text:?}");
            assert!(
                done.err.contains("standard input is not usable JSON"),
                "{}",
                done.err
            );
        }
    }

    proptest! {
        #[test]
        fn good_standing_takes_both_a_good_proof_and_an_active_outcome(
            verified: Option<bool>, outcome in proptest::option::of("active|revoked|unknown|[a-z]{0,9}"),
        ) {
            let good = verified == Some(true) && outcome.as_deref() == Some("active");
            prop_assert_eq!(exit(verified, outcome.as_deref()) == Exit::Good, good);
        }
    }
}
