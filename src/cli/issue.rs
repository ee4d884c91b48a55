//! `goodstanding issue`: has a credential signed.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, not_the_contract};
use super::error::CliError;
use super::profile::word;
use super::report::Report;
use super::transport::Call;
use crate::vc::securing::{Secured, Securing};

/// Have a credential signed by its issuer's profile, with a status entry if it has none.
///
/// Prints the signed credential, which the registry does not keep: JSON with a proof, or with
/// --securing vc+jwt the JWT.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding issue unsigned.json > credential.json
  goodstanding issue unsigned.json --securing vc+jwt > credential.jwt
  goodstanding issue unsigned.json --embed-endorsements as-signed > credential.json")]
pub(super) struct Issue {
    /// The credential as JSON, or '-' for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// How it is secured: eddsa-rdfc-2022, eddsa-jcs-2022 or vc+jwt [default: eddsa-rdfc-2022]
    #[arg(long, value_name = "FORM")]
    securing: Option<Securing>,
    /// Put the endorsements that are in force into it: those of the issuer, and those of
    /// achievements that are registered here
    #[arg(long, value_name = "FORM")]
    embed_endorsements: Option<Embed>,
}

/// How endorsements are put into a credential.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Embed {
    /// Each as it was signed
    AsSigned,
    /// All as JWTs
    Jwt,
}

impl Issue {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let read = context.read_json(&self.file)?;
        // A request as VCALM writes it, with options, is handed over as it is.
        let wrapped =
            read.get("credential").is_some_and(Value::is_object) && read.get("@context").is_none();
        let mut body = match wrapped {
            true => read,
            false => json!({ "credential": read }),
        };
        if let Some(form) = self.securing {
            ask_for(&mut body, ("--securing", "securing"), form.as_str().into())?;
        }
        if let Some(form) = self.embed_endorsements {
            let names = ("--embed-endorsements", "embedEndorsements");
            ask_for(&mut body, names, word(form))?;
        }
        let call = Call::post("/credentials/issue", body);
        let answer = context.change(call.clone())?;
        let mut report = Report::new();
        match answer.get("verifiableCredential") {
            Some(credential) => match Secured::read(credential.clone()) {
                Ok(Secured::Jwt(jwt)) => report.line(jwt.as_str()),
                Ok(Secured::Embedded(credential)) => report.document(&credential),
                Err(error) => return Err(not_the_contract(&call, error.to_string())),
            },
            None => {
                let reason = "the answer holds no verifiableCredential".to_owned();
                return Err(not_the_contract(&call, reason));
            }
        }
        report.json(answer);
        Ok(report)
    }
}

/// Sets an option of the request, unless that asks for something else already.
fn ask_for(body: &mut Value, (flag, member): (&str, &str), wanted: Value) -> Result<(), CliError> {
    let options = body.as_object_mut().map(|members| {
        let options = members.entry("options").or_insert_with(|| json!({}));
        options.as_object_mut()
    });
    // What is no object is left for the server to refuse.
    let Some(Some(options)) = options else {
        return Ok(());
    };
    let asked = options.entry(member).or_insert_with(|| wanted.clone());
    if *asked == wanted {
        return Ok(());
    }
    let wanted = wanted.as_str().unwrap_or_default();
    Err(CliError::Usage(format!(
        "{flag} {wanted} was given, and the request's options say {asked}"
    )))
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use crate::vc::jwt::{Envelope, sign_credential};
    use crate::vc::keys::SigningKey;
    use serde_json::{Value, json};

    #[test]
    fn a_credential_goes_in_and_a_signed_one_comes_out() {
        let done = Fake::new()
            .stdin(r#"{"@context":["x"],"issuer":"a"}"#)
            .answer(201, json!({"verifiableCredential": {"proof": {}}}))
            .run(&["issue", "-"]);
        assert_eq!(
            done.calls(),
            [r#"POST /credentials/issue {"credential":{"@context":["x"],"issuer":"a"}}"#]
        );
        assert!(done.calls[0].idempotency_key.is_some());
        assert_eq!(
            (done.exit, done.out.as_str()),
            (0, "{\n  \"proof\": {}\n}\n")
        );
    }

    #[test]
    fn a_whole_request_is_handed_over() {
        let request = r#"{"credential":{"issuer":"a"},"options":{"credentialId":"urn:a"}}"#;
        let done = Fake::new()
            .stdin(request)
            .answer(201, json!({"verifiableCredential": {}}))
            .run(&["issue", "-", "--json"]);
        assert_eq!(done.calls(), [format!("POST /credentials/issue {request}")]);
        assert_eq!(done.out, "{\"verifiableCredential\":{}}\n");
    }

    /// An envelope as a registry answers it, and the JWT in it.
    fn enveloped() -> (Value, String) {
        let credential = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": "https://a.example/",
            "credentialSubject": { "id": "did:example:holder" },
        });
        let key = SigningKey::from_seed(&[7; 32]);
        let jwt = sign_credential(&credential, "https://a.example/#key-1", &key).unwrap();
        (Envelope::Credential.wrap(&jwt), jwt)
    }

    #[test]
    fn a_jwt_is_printed_as_it_is() {
        let (envelope, jwt) = enveloped();
        let answer = json!({ "verifiableCredential": envelope });
        let run = |arguments: &[&str]| {
            let fake = Fake::new().stdin(r#"{"issuer":"a"}"#);
            fake.answer(201, answer.clone()).run(arguments)
        };
        let done = run(&["issue", "-", "--securing", "vc+jwt"]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /credentials/issue {"credential":{"issuer":"a"},"options":{"securing":"vc+jwt"}}"#
            ]
        );
        assert_eq!((done.exit, done.out), (0, format!("{jwt}\n")));
        let done = run(&["issue", "-", "--securing", "vc+jwt", "--json"]);
        assert_eq!(done.out, format!("{answer}\n"));
    }

    #[test]
    fn an_envelope_without_a_credential_is_not_passed_on() {
        let (mut envelope, _) = enveloped();
        envelope["id"] = json!("data:application/vc+jwt,e30.e30.AA");
        let done = Fake::new()
            .stdin("{}")
            .answer(201, json!({ "verifiableCredential": envelope }))
            .run(&["issue", "-", "--securing", "vc+jwt"]);
        assert_eq!((done.exit, done.out.as_str()), (2, ""));
        assert!(done.err.contains("POST /credentials/issue"), "{}", done.err);
    }

    #[test]
    fn a_form_joins_the_options_of_a_whole_request() {
        let asking = |options: &str| {
            let request = format!(r#"{{"credential":{{"issuer":"a"}},"options":{options}}}"#);
            Fake::new().stdin(&request)
        };
        let run = |fake: Fake, form: &str| fake.run(&["issue", "-", "--securing", form]);
        let run_well = |options: &str, form: &str| {
            let answer = json!({ "verifiableCredential": {} });
            run(asking(options).answer(201, answer), form)
        };
        let done = run_well(r#"{"credentialId":"urn:a"}"#, "eddsa-jcs-2022");
        let options = r#""options":{"credentialId":"urn:a","securing":"eddsa-jcs-2022"}}"#;
        assert!(done.calls()[0].ends_with(options), "{:?}", done.calls());
        let same = run_well(r#"{"securing":"vc+jwt"}"#, "vc+jwt");
        assert_eq!((same.exit, same.calls.len()), (0, 1));
        let other = run(asking(r#"{"securing":"vc+jwt"}"#), "eddsa-rdfc-2022");
        assert_eq!((other.exit, other.calls.len()), (2, 0));
        assert!(
            other.err.contains("--securing eddsa-rdfc-2022"),
            "{}",
            other.err
        );
        let unknown = run(asking("{}"), "jwt");
        assert_eq!((unknown.exit, unknown.calls.len()), (2, 0));
        assert!(unknown.err.contains("vc+jwt is needed"), "{}", unknown.err);
    }

    #[test]
    fn endorsements_are_put_in_where_that_is_asked_for() {
        let run = |form: &str| {
            let args = [
                "issue",
                "-",
                "--securing",
                "vc+jwt",
                "--embed-endorsements",
                form,
            ];
            let (envelope, _) = enveloped();
            Fake::new()
                .stdin(r#"{"issuer":"a"}"#)
                .answer(201, json!({ "verifiableCredential": envelope }))
                .run(&args)
        };
        for form in ["as-signed", "jwt"] {
            let done = run(form);
            let options =
                format!(r#""options":{{"securing":"vc+jwt","embedEndorsements":"{form}"}}}}"#);
            assert!(done.calls()[0].ends_with(&options), "{:?}", done.calls());
        }
        let request = r#"{"credential":{"issuer":"a"},"options":{"embedEndorsements":"jwt"}}"#;
        let other =
            Fake::new()
                .stdin(request)
                .run(&["issue", "-", "--embed-endorsements", "as-signed"]);
        assert_eq!((other.exit, other.calls.len()), (2, 0));
        assert!(
            other
                .err
                .contains("--embed-endorsements as-signed was given"),
            "{}",
            other.err
        );
    }

    #[test]
    fn what_is_not_reliable_json_is_not_sent() {
        for text in ["{", r#"{"a":1,"a":2}"#] {
            let done = Fake::new().stdin(text).run(&["issue", "-"]);
            assert_eq!((done.exit, done.calls.len()), (2, 0));
            assert!(
                done.err.contains("standard input is not usable JSON"),
                "{}",
                done.err
            );
        }
        let done = Fake::new()
            .stdin("{}")
            .answer(
                400,
                json!({"title": "Malformed", "detail": "no issuer", "pointer": "/credential"}),
            )
            .run(&["issue", "-"]);
        assert!(done.err.contains("\n  place /credential"), "{}", done.err);
    }
}
