//! `goodstanding issue`: has a credential signed.

use clap::Args;
use serde_json::{Value, json};

use super::context::{Context, not_the_contract};
use super::error::CliError;
use super::report::Report;
use super::transport::Call;

/// Have a credential signed by its issuer's profile, with a status entry if it has none.
///
/// Prints the signed credential, which the registry does not keep.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  goodstanding issue unsigned.json > credential.json")]
pub(super) struct Issue {
    /// The credential as JSON, or '-' for standard input
    #[arg(value_name = "FILE")]
    file: String,
}

impl Issue {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let read = context.read_json(&self.file)?;
        // A request as VCALM writes it, with options, is handed over as it is.
        let wrapped =
            read.get("credential").is_some_and(Value::is_object) && read.get("@context").is_none();
        let body = match wrapped {
            true => read,
            false => json!({ "credential": read }),
        };
        let call = Call::post("/credentials/issue", body);
        let answer = context.change(call.clone())?;
        let mut report = Report::new();
        match answer.get("verifiableCredential") {
            Some(credential) => report.document(credential),
            None => {
                let reason = "the answer holds no verifiableCredential".to_owned();
                return Err(not_the_contract(&call, reason));
            }
        }
        report.json(answer);
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

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
