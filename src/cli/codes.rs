//! `goodstanding codes`: verification codes of credentials, for print.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::entries::lines;
use super::error::{CliError, headline};
use super::place::Party;
use super::report::{Exit, Report, text};
use super::standing::told;
use super::transport::Call;
use crate::codes::VerificationCode;
use crate::csv;

/// Hand out verification codes for print, withdraw them, and look credentials up by them.
#[derive(Debug, Subcommand)]
pub(super) enum Codes {
    HandOut(HandOut),
    Withdraw(Withdraw),
    LookUp(LookUp),
}

/// Hand out the codes of credentials, to be printed on them: each has one, which stays the same until
/// it is replaced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding codes hand-out urn:uuid:7b0c…
  goodstanding codes hand-out --from ids.txt --csv > codes.csv
  goodstanding codes hand-out urn:uuid:7b0c… --replace")]
pub(super) struct HandOut {
    #[command(flatten)]
    which: Which,
    /// New codes, so that those handed out before find nothing any more
    #[arg(long)]
    replace: bool,
    /// Print a table with the columns credential, code and url, for a mail merge
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Withdraw the codes of credentials: nobody finds them by these any more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding codes withdraw urn:uuid:7b0c… --reason 'the diploma was lost'
  goodstanding codes withdraw --from ids.txt")]
pub(super) struct Withdraw {
    #[command(flatten)]
    which: Which,
    /// Why; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Ask whether the credential with a code is in good standing, and who stands behind its issuer.
///
/// Exit status: 0 where all are, 1 where one is not, 2 where one is not known, or an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding codes look-up 0123-4567-89AB-CDE4
  goodstanding codes look-up '0123 4567 89ab cde4' --json")]
pub(super) struct LookUp {
    /// A code as it is printed, in any case; in quotes where there are spaces in it
    #[arg(value_name = "CODE", required = true)]
    codes: Vec<VerificationCode>,
}

/// The credentials that are meant.
#[derive(Debug, Args)]
struct Which {
    /// The credentials by id
    #[arg(value_name = "ID", required_unless_present = "from")]
    ids: Vec<String>,
    /// A file ('-': standard input) with one credential id per line
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    from: Option<String>,
    /// Their issuer, where you speak for several: a slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    issuer: Option<Party>,
}

/// So many credentials are named in one request.
const AT_ONCE: usize = 5_000;

impl Codes {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::HandOut(command) => command.run(context),
            Self::Withdraw(command) => command.run(context),
            Self::LookUp(command) => command.run(context),
        }
    }
}

impl HandOut {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut report = Report::new();
        if self.csv {
            report.line("credential,code,url");
        }
        let also = json!({ "replace": self.replace });
        let told = |report: &mut Report, answer: &Value| {
            for one in each(answer, "codes") {
                let member = |name| text(one, name).unwrap_or("-");
                let [credential, code, url] = ["credential", "code", "url"].map(member);
                match self.csv {
                    true => report.line([credential, code, url].map(csv::field).join(",")),
                    false => report.line(format_args!("{code}  {credential}")),
                }
            }
        };
        self.which
            .change(context, ("/credentials/codes", also), told, &mut report)?;
        Ok(report)
    }
}

impl Withdraw {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut report = Report::new();
        let also = match self.reason {
            Some(reason) => json!({ "reason": reason }),
            None => json!({}),
        };
        let told = |report: &mut Report, answer: &Value| {
            for credential in each(answer, "withdrawn") {
                let credential = credential.as_str().unwrap_or("-");
                report.line(format_args!("withdrawn: the code of {credential}"));
            }
        };
        let path = "/credentials/codes/withdraw";
        self.which
            .change(context, (path, also), told, &mut report)?;
        Ok(report)
    }
}

impl Which {
    /// Asks for the change of all of them, in as many requests as it takes, and tells each answer. What is
    /// refused is told as a failure, and so is a request that is refused as a whole: what was done before it
    /// stays done, and said.
    fn change(
        &self,
        context: &Context<'_>,
        (path, also): (&str, Value),
        told: impl Fn(&mut Report, &Value),
        report: &mut Report,
    ) -> Result<(), CliError> {
        let ids = match &self.from {
            Some(name) => lines(context, name)?,
            None => self.ids.clone(),
        };
        let issuer = self.issuer.as_ref();
        let issuer = issuer.map(|issuer| context.party(issuer)).transpose()?;
        let (mut progress, total) = (context.shows.begin("asking"), ids.len() as u64);
        for (chunk, ids) in (0..).zip(ids.chunks(AT_ONCE)) {
            progress.at(chunk * AT_ONCE as u64, Some(total), "credentials");
            let mut body = also.clone();
            body["credentialIds"] = ids.into();
            if let Some(issuer) = &issuer {
                body["issuer"] = issuer.as_str().into();
            }
            let answer = match context.change(Call::post(path, body)) {
                Ok(answer) => answer,
                Err(failed) => {
                    report.fail(failed);
                    continue;
                }
            };
            told(report, &answer);
            for refusal in each(&answer, "refused") {
                let item = refusal.get("item").and_then(Value::as_u64);
                let id = item.and_then(|item| ids.get(usize::try_from(item).ok()?));
                let reason = refusal
                    .get("reason")
                    .map_or("no reason given".into(), headline);
                let id = id.map_or("one of them", String::as_str);
                report.fail(CliError::Failed(format!("{id}: {reason}")));
            }
            report.json(answer);
        }
        Ok(())
    }
}

impl LookUp {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut report = Report::new();
        let (mut progress, total) = (context.shows.begin("asking"), self.codes.len() as u64);
        for (done, code) in (0..).zip(&self.codes) {
            progress.at(done, Some(total), "codes looked up");
            let call = Call::get(format!("/codes/{code}"));
            match context.ask(&call) {
                Ok(answer) => {
                    report.worse(Exit::of(text(&answer, "outcome")));
                    let as_of = text(&answer, "asOf").map(str::to_owned);
                    told(&mut report, "", &code.to_string(), &answer, as_of);
                    report.json(answer);
                }
                Err(failed) => report.fail(failed),
            }
        }
        Ok(report)
    }
}

fn each<'v>(answer: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    let items = answer.get(member).and_then(Value::as_array);
    items.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::cli::testing::Fake;

    const CODE: &str = "0123-4567-89AB-CDE4";

    fn handed(ids: &[&str]) -> Value {
        let code = |id: &&str| json!({ "credential": id, "code": CODE, "url": format!("https://h/codes/{CODE}") });
        json!({ "codes": ids.iter().map(code).collect::<Vec<_>>(), "refused": [] })
    }

    #[test]
    fn codes_are_handed_out_for_print() {
        let done = Fake::new()
            .answer(200, handed(&["urn:a", "urn:b"]))
            .run(&["codes", "hand-out", "urn:a", "urn:b"]);
        assert_eq!(
            done.calls(),
            [r#"POST /credentials/codes {"replace":false,"credentialIds":["urn:a","urn:b"]}"#]
        );
        assert_eq!(done.out, format!("{CODE}  urn:a\n{CODE}  urn:b\n"));
        assert_eq!(done.exit, 0);
        let done = Fake::new()
            .stdin("urn:a\n\nurn:b,c\n")
            .answer(200, handed(&["urn:a", "urn:b,c"]))
            .run(&[
                "codes",
                "hand-out",
                "--from",
                "-",
                "--csv",
                "--replace",
                "--issuer",
                "school",
            ]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /credentials/codes {"replace":true,"credentialIds":["urn:a","urn:b,c"],"issuer":"school"}"#
            ]
        );
        assert_eq!(
            done.out,
            format!(
                "credential,code,url\nurn:a,{CODE},https://h/codes/{CODE}\n\
                 \"urn:b,c\",{CODE},https://h/codes/{CODE}\n"
            )
        );
    }

    #[test]
    fn a_long_list_goes_in_several_requests_and_what_is_refused_is_named() {
        let ids: Vec<String> = (0..5_001).map(|number| format!("urn:x:{number}")).collect();
        let mut first = handed(&["urn:x:0"]);
        first["refused"] = json!([{ "item": 4_999, "reason": "no credential with this id" }]);
        let done = Fake::new()
            .stdin(&ids.join("\n"))
            .answer(200, first)
            .answer(
                422,
                json!({ "title": "Nothing could be changed", "detail": "it is not known" }),
            )
            .run(&["codes", "hand-out", "--from", "-"]);
        assert_eq!(done.calls.len(), 2);
        assert!(done.calls()[1].contains(r#"["urn:x:5000"]"#));
        let keys = done
            .calls
            .iter()
            .map(|call| call.idempotency_key.clone().unwrap());
        let keys: Vec<String> = keys.collect();
        assert_ne!(keys[0], keys[1]);
        assert_eq!(done.out, format!("{CODE}  urn:x:0\n"));
        assert!(
            done.err
                .starts_with("goodstanding: urn:x:4999: no credential with this id\n")
        );
        assert!(
            done.err
                .contains("Nothing could be changed: it is not known"),
            "{}",
            done.err
        );
        assert_eq!(done.exit, 2);
    }

    #[test]
    fn codes_are_withdrawn_with_the_reason() {
        let done = Fake::new()
            .answer(200, json!({ "withdrawn": ["urn:a"], "refused": [] }))
            .run(&["codes", "withdraw", "urn:a", "--reason", "lost"]);
        assert_eq!(
            done.calls(),
            [r#"POST /credentials/codes/withdraw {"reason":"lost","credentialIds":["urn:a"]}"#]
        );
        assert_eq!(done.out, "withdrawn: the code of urn:a\n");
    }

    #[test]
    fn a_code_is_looked_up_and_a_slip_is_told_before_anybody_is_asked() {
        let answer = json!({
            "outcome": "revoked", "decidedBy": "credential", "detail": "the credential itself is revoked",
            "status": [{ "purpose": "revocation", "outcome": "revoked" }],
            "issuer": { "id": "did:web:h:profiles:acme", "name": "Acme", "outcome": "active",
                        "detail": "endorsed", "endorsements": [] },
            "asOf": "2026-03-01T09:00:00Z",
        });
        let done =
            Fake::new()
                .answer(200, answer)
                .run(&["codes", "look-up", "ol23 4567 89ab cde4"]);
        assert_eq!(done.calls(), [format!("GET /codes/{CODE}")]);
        insta::assert_snapshot!(done.out, @r"
        revoked: 0123-4567-89AB-CDE4
          decided by   credential: the credential itself is revoked
          status       revoked  revocation
          as of        2026-03-01T09:00:00Z
          issuer       active  did:web:h:profiles:acme (Acme)
                         endorsed
        ");
        assert_eq!(done.exit, 1);
        let done = Fake::new().run(&["codes", "look-up", "0123-4567-89AB-CDE5"]);
        assert_eq!((done.calls.len(), done.exit), (0, 2));
        assert!(done.err.contains("a symbol is mistyped"), "{}", done.err);
        let done = Fake::new()
            .answer(
                404,
                json!({ "title": "No such verification code", "detail": "compare it" }),
            )
            .run(&["codes", "look-up", CODE]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("No such verification code: compare it"));
    }
}
