//! `goodstanding standing`: is this credential in good standing, and who stands behind its issuer?

use clap::Args;
use serde_json::{Value, json};

use super::context::{Context, not_the_contract};
use super::document::{place, read};
use super::error::CliError;
use super::place::{Party, is_uri};
use super::report::{Exit, Report, entry_place, text};
use super::transport::{Answer, Call};
use crate::badges::Jurisdiction;
use crate::json;
use crate::time::Timestamp;
use crate::vc::jws::Jws;
use crate::verify::Input;

/// Ask whether credentials are in good standing: their own status, who stands behind their issuers
/// and achievements, and by which path of endorsements from a trust anchor.
///
/// Exit status: 0 where all are, 1 where one is not, 2 where one is not known, or an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding standing badge.png --trust-anchor ministry
  goodstanding standing urn:uuid:7b0c… --at 2026-01-31T12:00:00Z
  goodstanding standing *.json --trust-anchor ministry --signed > answer.jwt")]
pub(super) struct Standing {
    /// A credential's id; or a file that holds it as JSON, as a JWT, or baked into a PNG or SVG
    /// image; or - for standard input
    #[arg(value_name = "ID|FILE|-", required = true)]
    credentials: Vec<String>,
    /// Whom you trust, in place of whom the registry does: a slug or an id, here or elsewhere; can
    /// be given many times
    #[arg(long = "trust-anchor", value_name = "PROFILE")]
    trust_anchors: Vec<Party>,
    /// Where the endorsements have to count, such as CH or CH-ZH
    #[arg(long, value_name = "CODE")]
    jurisdiction: Option<Jurisdiction>,
    /// As it was at this time
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Print the answer as a JWT that the registry signed, to keep or to pass on
    #[arg(long)]
    signed: bool,
}

/// So many credentials are asked about in one question.
const MOST_ASKED: usize = 1_000;

/// A credential that is asked about.
struct Asked<'a> {
    /// As it was named.
    given: &'a str,
    /// The member of the question that it belongs to: `ids` or `credentials`.
    member: &'static str,
    /// Its id, or itself.
    value: Value,
}

impl Standing {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut report = Report::new();
        let mut asked = Vec::new();
        for given in &self.credentials {
            match Asked::read(context, given) {
                Ok(one) => asked.push(one),
                // A signed answer is about all that was asked, or there is none.
                Err(error) if self.signed => return Err(error),
                Err(error) => report.fail(error),
            }
        }
        if self.signed {
            return self.run_signed(context, &asked);
        }
        let mut answers: Vec<Option<(Value, String)>> = asked.iter().map(|_| None).collect();
        for member in ["ids", "credentials"] {
            let places = asked.iter().enumerate();
            let places = places.filter(|(_, one)| one.member == member);
            let places: Vec<usize> = places.map(|(at, _)| at).collect();
            for some in places.chunks(MOST_ASKED) {
                let values = some.iter().map(|at| asked[*at].value.clone());
                let call = self.question(context, member, values.collect());
                let answer = context.ask(&call)?;
                let as_of = text(&answer, "asOf").unwrap_or_default();
                for (at, result) in some.iter().zip(results(&call, &answer, some.len())?) {
                    answers[*at] = Some((result.clone(), as_of.to_owned()));
                }
                report.json(answer);
            }
        }
        for (one, answer) in asked.iter().zip(answers) {
            let (answer, as_of) = answer.unwrap_or_default();
            report.worse(exit(&answer));
            told(&mut report, "", one.given, &answer, Some(as_of));
        }
        Ok(report)
    }

    /// One question, and its answer as it was signed.
    fn run_signed(&self, context: &Context<'_>, asked: &[Asked<'_>]) -> Result<Report, CliError> {
        let member = asked.first().map_or("ids", |one| one.member);
        if asked.len() > MOST_ASKED || asked.iter().any(|one| one.member != member) {
            return Err(CliError::Usage(format!(
                "--signed gives one answer to one question: give ids alone or files alone, and at \
                 most {MOST_ASKED} of them"
            )));
        }
        let values = asked.iter().map(|one| one.value.clone()).collect();
        let mut call = self.question(context, member, values);
        call.accept = Some("application/standing+jwt, application/problem+json");
        let answer = context.answer(&call)?;
        let (jwt, claims) = statement(&call, &answer)?;
        let mut report = Report::new();
        for result in results(&call, &claims, asked.len())? {
            report.worse(exit(result));
        }
        report.line(&jwt);
        report.json(jwt.into());
        Ok(report)
    }

    fn question(&self, context: &Context<'_>, member: &str, values: Vec<Value>) -> Call {
        let mut body = json!({ member: values });
        if !self.trust_anchors.is_empty() {
            let anchors = self.trust_anchors.iter();
            body["trustAnchors"] = anchors.map(|one| context.anybody(one)).collect();
        }
        if let Some(place) = &self.jurisdiction {
            body["jurisdiction"] = place.to_string().into();
        }
        if let Some(at) = self.at {
            body["at"] = at.to_string().into();
        }
        if self.signed {
            body["signed"] = true.into();
        }
        Call::post("/standing/query", body)
    }
}

impl<'a> Asked<'a> {
    /// A URI is an id; anything else is a file.
    fn read(context: &Context<'_>, given: &'a str) -> Result<Self, CliError> {
        if is_uri(given) {
            return Ok(Self {
                given,
                member: "ids",
                value: given.into(),
            });
        }
        match read(&context.read(given)?, given)? {
            Input::Credential(value) => Ok(Self {
                given: place(given),
                member: "credentials",
                value,
            }),
            Input::Presentation(_) => Err(CliError::Usage(format!(
                "{} holds a presentation: `goodstanding verify` reads it, and standing is asked \
                 about the credentials in it",
                place(given)
            ))),
        }
    }
}

/// What is said of each credential, as many as were asked about.
fn results<'v>(call: &Call, answer: &'v Value, asked: usize) -> Result<&'v [Value], CliError> {
    let results = answer.get("results").and_then(Value::as_array);
    let results = results.map(Vec::as_slice).unwrap_or_default();
    match results.len() == asked {
        true => Ok(results),
        false => {
            let reason = format!("{} results came for {asked} questions", results.len());
            Err(not_the_contract(call, reason))
        }
    }
}

/// The signed answer, and what it says. Who signed is left to whoever will rely on it: it comes from
/// the server that was asked.
fn statement(call: &Call, answer: &Answer) -> Result<(String, Value), CliError> {
    let wrong = |reason: String| not_the_contract(call, format!("the signed answer: {reason}"));
    let jwt = str::from_utf8(&answer.body).map_err(|error| wrong(error.to_string()))?;
    let jws = Jws::parse(jwt).map_err(|error| wrong(error.to_string()))?;
    let claims = json::parse(jws.payload()).map_err(|error| wrong(error.to_string()))?;
    Ok((jwt.to_owned(), claims))
}

/// The outcome decides; but a proof that is not good is never good standing.
fn exit(answer: &Value) -> Exit {
    let standing = Exit::of(text(answer, "outcome"));
    match answer.get("verified").and_then(Value::as_bool) {
        Some(false) => standing.max(Exit::Not),
        _ => standing,
    }
}

/// Both halves of the answer about one credential, and about those within it.
pub(super) fn told(
    report: &mut Report,
    indent: &str,
    given: &str,
    answer: &Value,
    as_of: Option<String>,
) {
    let outcome = text(answer, "outcome").unwrap_or("unknown");
    let name = text(answer, "credential").unwrap_or(given);
    report.outcome(indent, outcome, format_args!(": {name}"));
    let inner = format!("{indent}  ");
    let row = |report: &mut Report, label: &str, value: &str| {
        let label = format!("{label:WIDTH$}");
        report.table(&inner, &[vec![label, value.to_owned()]]);
    };
    if let Some(by) = text(answer, "decidedBy") {
        let detail = text(answer, "detail").unwrap_or_default();
        let of_party = answer.get(by).and_then(|party| text(party, "detail"));
        // What decided is not told twice.
        match of_party {
            Some(told) if detail.ends_with(told) => row(report, "decided by", by),
            _ => row(
                report,
                "decided by",
                format!("{by}: {detail}").trim_end_matches(": "),
            ),
        }
    }
    match answer.get("verified").and_then(Value::as_bool) {
        Some(true) => row(report, "proof", "verified"),
        Some(false) => row(report, "proof", "not verified"),
        None => {}
    }
    let entries = answer.get("status").and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let word = text(entry, "outcome").unwrap_or("unknown");
        let purpose = text(entry, "purpose").unwrap_or_default();
        let place = entry_place(entry).unwrap_or_default();
        let after = format!("  {purpose}  {place}");
        let label = format!("{inner}{:WIDTH$}  ", "status");
        report.marked(&label, word, Exit::of(Some(word)), after.trim_end());
    }
    if let Some(as_of) = as_of {
        row(report, "as of", &as_of);
    }
    for label in ["issuer", "achievement"] {
        if let Some(party) = answer.get(label) {
            backing(report, indent, label, party);
        }
    }
    let nested = answer.get("nested").and_then(Value::as_array);
    for bundled in nested.into_iter().flatten() {
        let at = text(bundled, "pointer").unwrap_or_default();
        report.table(&inner, &[vec![format!("within it, at {at}")]]);
        told(report, &format!("{inner}  "), at, bundled, None);
    }
}

/// The longest label.
const WIDTH: usize = "achievement".len();

/// An issuer or an achievement, and the endorsements that it rests on, link by link up to the
/// anchor; where no path was found, those that there are.
fn backing(report: &mut Report, indent: &str, label: &str, party: &Value) {
    let word = text(party, "outcome").unwrap_or("unknown");
    let id = text(party, "id").unwrap_or_default();
    let name = text(party, "name").map_or(String::new(), |name| format!(" ({name})"));
    let first = [
        format!("{label:WIDTH$}"),
        word.to_owned(),
        format!("{id}{name}"),
    ];
    report.outcomes(&format!("{indent}  "), 1, &[first.to_vec()]);
    let below = format!("{indent}  {:WIDTH$}    ", "");
    if let Some(detail) = text(party, "detail") {
        report.table(&below, &[vec![detail.to_owned()]]);
    }
    let path = links(party, "path", "endorsement");
    match path.is_empty() {
        false => report.outcomes(&below, 0, &path),
        true => report.outcomes(&below, 0, &links(party, "endorsements", "id")),
    }
    if path.is_empty() && party.get("more").is_some() {
        let next = format!("`goodstanding endorsements --subject {id}` lists them");
        report.table(&below, &[vec![format!("and more: {next}")]]);
    }
}

/// The links of a path, from the subject up, or endorsements of one subject: how each stands, who
/// endorses, and which endorsement it is.
pub(super) fn links(of: &Value, member: &str, id: &str) -> Vec<Vec<String>> {
    let links = of.get(member).and_then(Value::as_array);
    let links = links.into_iter().flatten().enumerate();
    let row = |(at, link): (usize, &Value)| {
        let lead = match member == "path" && at > 0 {
            true => "itself endorsed by",
            false => "endorsed by",
        };
        vec![
            text(link, "outcome").unwrap_or("unknown").to_owned(),
            format!("{lead} {}", text(link, "endorser").unwrap_or_default()),
            text(link, id).unwrap_or_default().to_owned(),
        ]
    };
    links.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{Done, Fake};
    use crate::vc::jws::{NewHeader, sign};
    use crate::vc::keys::SigningKey;

    const BADGE: &str = r#"{"@context":["x"],"issuer":"did:web:h:profiles:acme"}"#;

    fn active(id: &str) -> Value {
        json!({
            "credential": id, "outcome": "active", "decidedBy": "issuer",
            "detail": "in force, and its issuer is endorsed", "verified": true,
            "status": [{"purpose": "revocation", "status": 0, "outcome": "active",
                        "list": "https://h/status-lists/x", "index": 7}],
            "issuer": {
                "id": "did:web:h:profiles:acme", "name": "Acme", "outcome": "active",
                "reason": "path-found",
                "detail": "endorsed over 2 links up to the trust anchor did:web:h:profiles:ministry",
                "path": [
                    {"endorser": "did:web:h:profiles:board", "subject": "did:web:h:profiles:acme",
                     "outcome": "active", "endorsement": "https://h/endorsements/1"},
                    {"endorser": "did:web:h:profiles:ministry", "outcome": "active",
                     "subject": "did:web:h:profiles:board",
                     "endorsement": "https://h/endorsements/2"},
                ],
                "endorsements": [],
            },
            "achievement": {
                "id": "https://a.example/b", "outcome": "not-endorsed", "reason": "no-path",
                "detail": "it is endorsed, and none of its endorsements leads to a trust anchor",
                "endorsements": [{"id": "https://h/endorsements/3", "outcome": "active",
                                  "endorser": "did:web:h:profiles:other"}],
                "more": true,
            },
        })
    }

    fn answered(results: &[Value]) -> Value {
        json!({"results": results, "asOf": "2026-01-31T12:00:00Z",
               "freshUntil": "2026-01-31T12:05:00Z"})
    }

    fn asked(stdin: &str, results: &[Value], args: &[&str]) -> Done {
        let fake = Fake::new().stdin(stdin).answer(200, answered(results));
        fake.run(&[&["standing"], args].concat())
    }

    #[test]
    fn both_halves_are_told_with_the_path_to_the_anchor() {
        let done = asked(
            BADGE,
            &[active("urn:uuid:a")],
            &[
                "-",
                "--trust-anchor",
                "ministry",
                "--trust-anchor",
                "did:web:e.example:board",
                "--jurisdiction",
                "CH-ZH",
                "--at",
                "2026-01-31T13:00:00+01:00",
            ],
        );
        assert_eq!(
            done.calls(),
            [format!(
                r#"POST /standing/query {{"credentials":[{BADGE}],"trustAnchors":["ministry","did:web:e.example:board"],"jurisdiction":"CH-ZH","at":"2026-01-31T12:00:00Z"}}"#
            )]
        );
        assert_eq!(done.exit, 0);
        assert!(done.calls[0].idempotency_key.is_none(), "nothing changes");
        insta::assert_snapshot!(done.out, @r#"
        active: urn:uuid:a
          decided by   issuer: in force, and its issuer is endorsed
          proof        verified
          status       active  revocation  https://h/status-lists/x#7
          as of        2026-01-31T12:00:00Z
          issuer       active  did:web:h:profiles:acme (Acme)
                         endorsed over 2 links up to the trust anchor did:web:h:profiles:ministry
                         active  endorsed by did:web:h:profiles:board            https://h/endorsements/1
                         active  itself endorsed by did:web:h:profiles:ministry  https://h/endorsements/2
          achievement  not-endorsed  https://a.example/b
                         it is endorsed, and none of its endorsements leads to a trust anchor
                         active  endorsed by did:web:h:profiles:other  https://h/endorsements/3
                         and more: `goodstanding endorsements --subject https://a.example/b` lists them
        "#);
    }

    #[test]
    fn what_decided_is_told_once() {
        let mut answer = active("urn:a");
        let detail = "nobody endorses it";
        answer["outcome"] = json!("not-endorsed");
        answer["detail"] = json!(format!("of its issuer: {detail}"));
        answer["issuer"]["detail"] = json!(detail);
        let done = asked("", &[answer], &["urn:a"]);
        assert!(
            done.out.contains("\n  decided by   issuer\n"),
            "{}",
            done.out
        );
        assert_eq!(done.out.matches(detail).count(), 1, "{}", done.out);
    }

    #[test]
    fn several_are_told_in_the_order_given_and_the_worst_counts() {
        let revoked = json!({"credential": "urn:b", "outcome": "revoked", "status": []});
        let forged = json!({"outcome": "active", "verified": false, "status": []});
        let done = Fake::new()
            .stdin(BADGE)
            .answer(200, answered(&[active("urn:a"), revoked]))
            .answer(200, answered(&[forged]))
            .run(&["standing", "urn:a", "-", "urn:b"]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /standing/query {"ids":["urn:a","urn:b"]}"#.to_owned(),
                format!(r#"POST /standing/query {{"credentials":[{BADGE}]}}"#),
            ]
        );
        let firsts = done.out.lines().filter(|line| !line.starts_with(' '));
        let firsts: Vec<&str> = firsts.collect();
        assert_eq!(
            firsts,
            ["active: urn:a", "active: standard input", "revoked: urn:b"]
        );
        assert_eq!(done.exit, 1);
    }

    #[test]
    fn good_standing_takes_an_active_outcome_and_no_bad_proof() {
        for (answer, expected) in [
            (json!({"outcome": "active"}), 0),
            (json!({"outcome": "active", "verified": true}), 0),
            (json!({"outcome": "active", "verified": false}), 1),
            (json!({"outcome": "not-endorsed", "verified": true}), 1),
            (json!({"outcome": "suspended"}), 1),
            (json!({"outcome": "unknown", "verified": false}), 2),
            (json!({"outcome": "unreachable"}), 2),
            (json!({"outcome": "splendid"}), 2),
            (json!({}), 2),
        ] {
            let done = asked("", std::slice::from_ref(&answer), &["urn:a"]);
            assert_eq!(done.exit, expected, "{answer}");
        }
    }

    #[test]
    fn what_a_record_bundles_is_told_within_it() {
        let mut record = active("urn:record");
        record["issuer"] = Value::Null;
        record.as_object_mut().unwrap().retain(|name, _| {
            ["credential", "outcome", "decidedBy", "detail", "status"].contains(&name.as_str())
        });
        let inner = json!({"pointer": "/credentialSubject/verifiableCredential/0",
                           "credential": "urn:x\nactive: urn:y", "outcome": "revoked",
                           "decidedBy": "credential", "detail": "the credential itself is revoked",
                           "verified": true, "status": []});
        record["nested"] = json!([inner]);
        let done = asked("", &[record], &["urn:record"]);
        assert_eq!(done.exit, 0, "as `verify` has it");
        insta::assert_snapshot!(done.out, @r#"
        active: urn:record
          decided by   issuer: in force, and its issuer is endorsed
          status       active  revocation  https://h/status-lists/x#7
          as of        2026-01-31T12:00:00Z
          within it, at /credentialSubject/verifiableCredential/0
            revoked: urn:x active: urn:y
              decided by   credential: the credential itself is revoked
              proof        verified
        "#);
    }

    fn signed(results: &[Value]) -> String {
        let header = NewHeader {
            typ: "standing+jwt",
            kid: "did:web:h#key-1-jwk",
        };
        let claims = answered(results).to_string();
        sign(header, claims.as_bytes(), &SigningKey::from_seed(&[7; 32]))
    }

    #[test]
    fn a_signed_answer_is_printed_as_it_is_and_still_decides() {
        for (outcome, exit) in [("active", 0), ("revoked", 1), ("unknown", 2)] {
            let jwt = signed(&[json!({ "outcome": outcome })]);
            let done = Fake::new()
                .answer_bytes(200, jwt.as_bytes())
                .run(&["standing", "urn:a", "--signed"]);
            assert_eq!(
                done.calls(),
                [r#"POST /standing/query {"ids":["urn:a"],"signed":true}"#]
            );
            assert_eq!((done.exit, done.out), (exit, format!("{jwt}\n")));
        }
        let jwt = signed(&[json!({ "outcome": "active" })]);
        let done = Fake::new()
            .answer_bytes(200, jwt.as_bytes())
            .run(&["standing", "urn:a", "--signed", "--json"]);
        assert_eq!(done.out, format!("\"{jwt}\"\n"));
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_is_an_error() {
        let done = asked("", &[active("urn:a"), active("urn:b")], &["urn:a"]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("2 results came for 1"), "{}", done.err);
        for body in [signed(&[]), "nonsense".to_owned()] {
            let done = Fake::new()
                .answer_bytes(200, body.as_bytes())
                .run(&["standing", "urn:a", "--signed"]);
            assert_eq!((done.exit, done.out.as_str()), (2, ""), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_said_and_does_not_hide_the_rest() {
        let done = asked("", &[active("urn:a")], &["/no/such/file", "urn:a"]);
        assert_eq!((done.exit, done.calls.len()), (2, 1));
        assert!(done.out.starts_with("active: urn:a\n"), "{}", done.out);
        assert!(
            done.err.contains("cannot read /no/such/file"),
            "{}",
            done.err
        );
        let presentation = r#"{"@context":["x"],"type":["VerifiablePresentation"]}"#;
        for (stdin, args, why) in [
            (presentation, &["-"][..], "holds a presentation"),
            (
                BADGE,
                &["-", "urn:a", "--signed"],
                "give ids alone or files alone",
            ),
            ("[]", &["-"], "standard input is not usable JSON"),
            (
                "",
                &["/no/such/file", "urn:a", "--signed"],
                "cannot read /no/such/file",
            ),
            ("", &["urn:a", "--jurisdiction", "Helvetia"], "CH-ZH"),
            ("", &[], "required"),
        ] {
            let done = Fake::new()
                .stdin(stdin)
                .run(&[&["standing"], args].concat());
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
            assert!(done.err.contains(why), "{args:?}: {}", done.err);
        }
    }

    #[test]
    fn a_thousand_are_asked_about_at_once() {
        let ids: Vec<String> = (0..1_001).map(|n| format!("urn:{n}")).collect();
        let args: Vec<&str> = std::iter::once("standing")
            .chain(ids.iter().map(String::as_str))
            .collect();
        let all: Vec<Value> = ids.iter().map(|id| active(id)).collect();
        let done = Fake::new()
            .answer(200, answered(&all[..1_000]))
            .answer(200, answered(&all[1_000..]))
            .run(&args);
        assert_eq!((done.exit, done.calls.len()), (0, 2));
        assert!(done.out.contains("active: urn:1000\n"));
        let done = Fake::new().run(&[&args[..], &["--signed"]].concat());
        assert_eq!((done.exit, done.calls.len()), (2, 0));
    }
}
