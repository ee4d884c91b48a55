//! `goodstanding request`: ask an accreditor for an endorsement, and decide what is asked for.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use super::context::Context;
use super::endorse::{Kind, kind_or_usage, subject_id};
use super::error::CliError;
use super::place::{Party, Place};
use super::profile::word;
use super::report::{Report, text};
use super::scope::{ScopeArgs, covers};
use super::transport::Call;
use crate::ids::{EndorsementId, RequestId};
use crate::time::Timestamp;
use crate::vc::securing::Securing;

/// Requests for endorsements: an issuer asks, an accreditor approves, declines or asks back.
#[derive(Debug, Subcommand)]
pub(super) enum Request {
    /// Ask an accreditor to endorse a profile, its achievement or a credential that it issued
    #[command(after_help = "Examples:
  goodstanding request create acme-college --accreditor quality-board \\
    --name 'Accredited provider' --evidence https://acme.example/report.pdf
  goodstanding request create acme-college --accreditor quality-board \\
    --renews https://registry.example/endorsements/ID --valid-until 2031-01-01T00:00:00Z")]
    Create(Create),
    /// List the requests that you are a side of
    List(List),
    /// Show a request and what was said about it
    Show {
        /// Its URL or id
        #[arg(value_name = "REQUEST")]
        request: Place<RequestId>,
    },
    /// Approve a request, which issues the endorsement
    #[command(
        after_help = "Where nothing is said, the endorsement is as was asked for. Example:
  goodstanding request approve ID --comment 'Seen on site' --suspendable"
    )]
    Approve(Approve),
    /// Decline a request
    Decline {
        /// Its URL or id
        #[arg(value_name = "REQUEST")]
        request: Place<RequestId>,
        /// Why; the requester reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Ask the requester something before deciding
    Ask {
        /// The request's URL or id
        #[arg(value_name = "REQUEST")]
        request: Place<RequestId>,
        /// What has to be known
        #[arg(long, value_name = "TEXT")]
        question: String,
    },
    /// Answer what the accreditor asked
    Answer {
        /// The request's URL or id
        #[arg(value_name = "REQUEST")]
        request: Place<RequestId>,
        /// The answer
        #[arg(long, value_name = "TEXT")]
        answer: String,
        /// A link (https) to what speaks for it; can be given many times
        #[arg(long, value_name = "URL")]
        evidence: Vec<String>,
    },
    /// Withdraw a request of your own
    Withdraw {
        /// Its URL or id
        #[arg(value_name = "REQUEST")]
        request: Place<RequestId>,
        /// Why; the accreditor reads it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// What is asked for.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// Who or what is to be endorsed: its id, or the slug of a profile here
    subject: String,
    /// What it is; seen from the id where it is hosted here
    #[arg(long)]
    kind: Option<Kind>,
    /// Who is asked: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    accreditor: Party,
    /// Who asks: its slug, URL or id [default: the profile that the token is for]
    #[arg(long, value_name = "PROFILE")]
    requester: Option<Party>,
    /// The name that the endorsement is to have
    #[arg(long)]
    name: Option<String>,
    /// What there is to say for it, in Markdown
    #[arg(long, value_name = "MARKDOWN")]
    comment: Option<String>,
    /// A link (https) to what speaks for it; can be given many times
    #[arg(long, value_name = "URL")]
    evidence: Vec<String>,
    /// The digest (multibase) of the version that is to be endorsed, where it may change
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// From when it is to be good
    #[arg(long, value_name = "TIME")]
    valid_from: Option<Timestamp>,
    /// Until when it is to be good, such as 2029-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    valid_until: Option<Timestamp>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// The endorsement that it is to go on from: its URL or id
    #[arg(long, value_name = "ENDORSEMENT")]
    renews: Option<Place<EndorsementId>>,
}

/// Which requests.
#[derive(Debug, Args)]
pub(super) struct List {
    /// To this accreditor: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    accreditor: Option<Party>,
    /// By this profile: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    requester: Option<Party>,
    /// In this state only: requested, asked, approved, declined or withdrawn
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
}

/// What the accreditor says of the endorsement.
#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The request's URL or id
    #[arg(value_name = "REQUEST")]
    request: Place<RequestId>,
    /// The endorsement's name for people
    #[arg(long)]
    name: Option<String>,
    /// What you have to say, in Markdown; it is published
    #[arg(long, value_name = "MARKDOWN")]
    comment: Option<String>,
    /// From when it is good
    #[arg(long, value_name = "TIME")]
    valid_from: Option<Timestamp>,
    /// Until when it is good
    #[arg(long, value_name = "TIME")]
    valid_until: Option<Timestamp>,
    /// When it was awarded
    #[arg(long, value_name = "TIME")]
    awarded: Option<Timestamp>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Let it be suspended and reinstated, not only revoked
    #[arg(long)]
    suspendable: bool,
    /// How it is secured: eddsa-rdfc-2022, eddsa-jcs-2022 or vc+jwt [default: eddsa-rdfc-2022]
    #[arg(long, value_name = "FORM")]
    securing: Option<Securing>,
}

impl Request {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::Create(create) => create.run(context),
            Self::List(list) => list.run(context),
            Self::Show { request } => {
                let answer = context.ask(&Call::get(context.path(&request)?))?;
                Ok(shown(answer))
            }
            Self::Approve(approve) => approve.run(context),
            Self::Decline { request, reason } => {
                step(context, &request, "decline", json!({ "reason": reason }))
            }
            Self::Ask { request, question } => {
                step(context, &request, "ask", json!({ "question": question }))
            }
            Self::Answer {
                request,
                answer,
                evidence,
            } => {
                let mut body = json!({ "answer": answer });
                with(&mut body, "evidence", links(evidence));
                step(context, &request, "answer", body)
            }
            Self::Withdraw { request, reason } => {
                let mut body = json!({});
                with(&mut body, "reason", reason.map(Value::from));
                step(context, &request, "withdraw", body)
            }
        }
    }
}

impl Create {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let kind = kind_or_usage(self.kind, &self.subject)?;
        let id = subject_id(context, &self.subject, Some(kind))?;
        let mut subject = json!({ "id": id, "kind": word(kind) });
        with(
            &mut subject,
            "digestMultibase",
            self.digest.map(Value::from),
        );
        let mut body = json!({});
        if let Some(requester) = &self.requester {
            body["requester"] = context.party(requester)?.into();
        }
        body["accreditor"] = context.party(&self.accreditor)?.into();
        body["subject"] = subject;
        let renews = self
            .renews
            .map(|place| context.url_of(&place))
            .transpose()?;
        for (member, value) in [
            ("name", self.name.map(Value::from)),
            ("comment", self.comment.map(Value::from)),
            ("evidence", links(self.evidence)),
            ("scope", self.scope.read(context)?),
            ("validFrom", moment(self.valid_from)),
            ("validUntil", moment(self.valid_until)),
            ("renews", renews.map(Value::from)),
        ] {
            with(&mut body, member, value);
        }
        let answer = context.change(Call::post("/endorsement-requests", body))?;
        let mut report = Report::new();
        let [accreditor, id] = ["accreditor", "id"].map(|member| text(&answer, member));
        let subject = answer
            .get("subject")
            .and_then(|subject| text(subject, "id"));
        report.line(format_args!(
            "asked {} to endorse {}",
            accreditor.unwrap_or_default(),
            subject.unwrap_or_default()
        ));
        report.rows(&[
            ("id", id.map(str::to_owned)),
            ("state", text(&answer, "state").map(str::to_owned)),
        ]);
        report.json(answer);
        Ok(report)
    }
}

impl List {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let party = |party: &Option<Party>| {
            let party = party.as_ref().map(|party| context.party(party));
            party.transpose()
        };
        let filters = [
            ("accreditor", party(&self.accreditor)?),
            ("requester", party(&self.requester)?),
            ("state", self.state),
        ];
        let given = filters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        let path = match query.as_str() {
            "" => "/endorsement-requests".to_owned(),
            query => format!("/endorsement-requests?{query}"),
        };
        let pages = context.pages(path)?;
        let found = pages
            .iter()
            .filter_map(|page| page.get("requests")?.as_array())
            .flatten();
        let rows: Vec<Vec<String>> = found.map(row).collect();
        let mut report = Report::new();
        if rows.is_empty() {
            report.line("There are no requests that fit.");
        }
        report.table("", &rows);
        for page in pages {
            report.json(page);
        }
        Ok(report)
    }
}

impl Approve {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut body = json!({});
        for (member, value) in [
            ("name", self.name.map(Value::from)),
            ("endorsementComment", self.comment.map(Value::from)),
            ("validFrom", moment(self.valid_from)),
            ("validUntil", moment(self.valid_until)),
            ("awardedDate", moment(self.awarded)),
            ("scope", self.scope.read(context)?),
            ("suspendable", self.suspendable.then_some(Value::Bool(true))),
            (
                "securing",
                self.securing.map(|form| form.to_string().into()),
            ),
        ] {
            with(&mut body, member, value);
        }
        step(context, &self.request, "approve", body)
    }
}

/// Takes a step, and says to which state it led.
fn step(
    context: &Context<'_>,
    request: &Place<RequestId>,
    step: &str,
    body: Value,
) -> Result<Report, CliError> {
    let path = format!("{}/{step}", context.path(request)?);
    let answer = context.change(Call::post(path, body))?;
    let mut report = Report::new();
    let state = text(&answer, "state").unwrap_or("unknown");
    report.line(format_args!("{}: now {state}", request.given));
    let endorsement = text(&answer, "endorsement").map(str::to_owned);
    report.rows(&[("endorsement", endorsement)]);
    report.json(answer);
    Ok(report)
}

fn shown(request: Value) -> Report {
    let mut report = Report::new();
    let value = |member: &str| text(&request, member).map(str::to_owned);
    let of_subject = |member: &str| request.get("subject").and_then(|of| text(of, member));
    report.line(format_args!(
        "{}: {} {}",
        text(&request, "state").unwrap_or("unknown"),
        of_subject("kind").unwrap_or_default(),
        of_subject("id").unwrap_or_default()
    ));
    let mut rows = vec![
        ("id", value("id")),
        ("requester", value("requester")),
        ("accreditor", value("accreditor")),
        ("name", value("name")),
        ("comment", value("comment")),
    ];
    rows.extend(strings(&request, "evidence").map(|link| ("evidence", Some(link.to_owned()))));
    rows.extend([
        ("scope", covers(request.get("scope"))),
        ("digest", of_subject("digestMultibase").map(str::to_owned)),
        ("valid from", value("validFrom")),
        ("valid until", value("validUntil")),
        ("renews", value("renews")),
        ("endorsement", value("endorsement")),
        ("made", value("createdAt")),
    ]);
    report.rows(&rows);
    let steps = request.get("steps").and_then(Value::as_array);
    let steps: Vec<Vec<String>> = steps.into_iter().flatten().map(step_row).collect();
    report.table("  ", &steps);
    report.json(request);
    report
}

fn step_row(step: &Value) -> Vec<String> {
    let words = ["question", "answer", "reason"];
    let words = words.iter().find_map(|member| text(step, member));
    let said: Vec<&str> = words.into_iter().chain(strings(step, "evidence")).collect();
    let [at, name] = ["at", "step"].map(|member| text(step, member).unwrap_or_default().to_owned());
    vec![at, name, said.join(" ")]
}

fn row(request: &Value) -> Vec<String> {
    let value = |of: &Value, member: &str| text(of, member).unwrap_or_default().to_owned();
    let subject = request.get("subject").unwrap_or(&Value::Null);
    vec![
        value(request, "state"),
        format!("{} {}", value(subject, "kind"), value(subject, "id")),
        format!("by {}", value(request, "requester")),
        format!("to {}", value(request, "accreditor")),
        value(request, "id"),
    ]
}

fn strings<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v str> + use<'v> {
    let items = value.get(member).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str)
}

/// A member, where there is a value for it.
fn with(body: &mut Value, member: &str, value: Option<Value>) {
    if let Some(value) = value {
        body[member] = value;
    }
}

fn links(links: Vec<String>) -> Option<Value> {
    (!links.is_empty()).then(|| json!(links))
}

fn moment(at: Option<Timestamp>) -> Option<Value> {
    at.map(|at| at.to_string().into())
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::{Value, json};

    fn request(state: &str) -> Value {
        json!({
            "id": format!("https://h/endorsement-requests/{LIST}"),
            "state": state,
            "requester": "did:web:h:profiles:acme",
            "accreditor": "did:web:h:profiles:board",
            "subject": { "id": "did:web:h:profiles:acme", "kind": "profile" },
            "evidence": ["https://a.example/1", "https://a.example/2"],
            "steps": [
                { "step": "asked", "at": "2026-03-01T09:00:00Z", "question": "Who?" },
                { "step": "answered", "at": "2026-03-01T09:01:00Z", "answer": "A panel.",
                  "evidence": ["https://a.example/3"] },
            ],
            "createdAt": "2026-03-01T08:00:00Z",
            "changedAt": "2026-03-01T09:01:00Z",
        })
    }

    #[test]
    fn what_is_asked_for_is_sent_and_nothing_else() {
        let done = Fake::new()
            .stdin(r#"{"jurisdiction": ["CH"]}"#)
            .answer(200, json!({"id": "https://h/endorsements/x"}))
            .answer(201, request("requested"))
            .run(&[
                "request",
                "create",
                "did:web:h:profiles:acme",
                "--accreditor",
                "board",
                "--requester",
                "acme",
                "--name",
                "N",
                "--evidence",
                "https://a.example/1",
                "--evidence",
                "https://a.example/2",
                "--scope",
                "-",
                "--valid-until",
                "2029-01-01T00:00:00+01:00",
                "--renews",
                LIST,
            ]);
        assert_eq!(
            done.calls(),
            [
                format!("GET /endorsements/{LIST}"),
                r#"POST /endorsement-requests {"requester":"acme","accreditor":"board","subject":{"id":"did:web:h:profiles:acme","kind":"profile"},"name":"N","evidence":["https://a.example/1","https://a.example/2"],"scope":{"jurisdiction":["CH"]},"validUntil":"2028-12-31T23:00:00Z","renews":"https://h/endorsements/x"}"#.to_owned(),
            ]
        );
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "asked did:web:h:profiles:board to endorse did:web:h:profiles:acme\n\
                 id     https://h/endorsement-requests/000000g123456789abc0\n\
                 state  requested\n"
            )
        );
        let done = Fake::new().answer(201, request("requested")).run(&[
            "request",
            "create",
            "did:key:z6Mk",
            "--accreditor",
            "board",
        ]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /endorsement-requests {"accreditor":"board","subject":{"id":"did:key:z6Mk","kind":"profile"}}"#
            ]
        );
        let done = Fake::new().run(&["request", "create", "urn:x", "--accreditor", "board"]);
        assert!(done.err.contains("say --kind"), "{}", done.err);
    }

    #[test]
    fn a_request_is_shown_with_what_was_said() {
        let done = Fake::new()
            .answer(200, request("requested"))
            .run(&["request", "show", LIST]);
        assert_eq!(done.calls(), [format!("GET /endorsement-requests/{LIST}")]);
        insta::assert_snapshot!(done.out, @r#"
        requested: profile did:web:h:profiles:acme
        id          https://h/endorsement-requests/000000g123456789abc0
        requester   did:web:h:profiles:acme
        accreditor  did:web:h:profiles:board
        evidence    https://a.example/1
        evidence    https://a.example/2
        made        2026-03-01T08:00:00Z
          2026-03-01T09:00:00Z  asked     Who?
          2026-03-01T09:01:00Z  answered  A panel. https://a.example/3
        "#);
    }

    #[test]
    fn requests_are_listed_page_by_page() {
        let done = Fake::new()
            .answer_with(
                "link",
                r#"</endorsement-requests?cursor=x>; rel="next""#,
                200,
                json!({ "requests": [request("asked")] }),
            )
            .answer(200, json!({ "requests": [request("approved")] }))
            .run(&[
                "request",
                "list",
                "--accreditor",
                "board",
                "--state",
                "asked",
            ]);
        assert_eq!(
            done.calls(),
            [
                "GET /endorsement-requests?accreditor=board&state=asked",
                "GET /endorsement-requests?cursor=x"
            ]
        );
        insta::assert_snapshot!(done.out, @r#"
        asked     profile did:web:h:profiles:acme  by did:web:h:profiles:acme  to did:web:h:profiles:board  https://h/endorsement-requests/000000g123456789abc0
        approved  profile did:web:h:profiles:acme  by did:web:h:profiles:acme  to did:web:h:profiles:board  https://h/endorsement-requests/000000g123456789abc0
        "#);
        let done = Fake::new()
            .answer(200, json!({ "requests": [] }))
            .run(&["request", "list"]);
        assert_eq!(done.out, "There are no requests that fit.\n");
    }

    #[test]
    fn each_step_goes_where_it_belongs_and_says_what_it_led_to() {
        let step = |args: &[&str], state: &str| {
            let url = format!("https://h/endorsement-requests/{LIST}");
            let mut answer = request(state);
            if state == "approved" {
                answer["endorsement"] = json!("https://h/endorsements/x");
            }
            let [name, rest @ ..] = args else {
                panic!("a step")
            };
            let done = Fake::new()
                .answer(200, answer)
                .run(&[&["request", *name, &url][..], rest].concat());
            assert_eq!(done.exit, 0, "{}", done.err);
            let to = format!("POST /endorsement-requests/{LIST}/");
            let call = done.calls()[0].strip_prefix(&to).unwrap().to_owned();
            let said = done
                .out
                .strip_prefix(&format!("{url}: "))
                .unwrap()
                .to_owned();
            (call, said)
        };
        for (args, state, call) in [
            (
                &["ask", "--question", "Who?"][..],
                "asked",
                r#"ask {"question":"Who?"}"#,
            ),
            (
                &[
                    "answer",
                    "--answer",
                    "A",
                    "--evidence",
                    "https://a.example/",
                ],
                "requested",
                r#"answer {"answer":"A","evidence":["https://a.example/"]}"#,
            ),
            (
                &["decline", "--reason", "R"],
                "declined",
                r#"decline {"reason":"R"}"#,
            ),
            (&["withdraw"], "withdrawn", "withdraw {}"),
            (
                &["withdraw", "--reason", "R"],
                "withdrawn",
                r#"withdraw {"reason":"R"}"#,
            ),
        ] {
            assert_eq!(step(args, state), (call.into(), format!("now {state}\n")));
        }
        let args = [
            "approve",
            "--comment",
            "C",
            "--suspendable",
            "--securing",
            "vc+jwt",
        ];
        let (call, said) = step(&args, "approved");
        assert_eq!(
            call,
            r#"approve {"endorsementComment":"C","suspendable":true,"securing":"vc+jwt"}"#
        );
        assert_eq!(
            said,
            "now approved\nendorsement  https://h/endorsements/x\n"
        );
        assert_eq!(step(&["approve"], "approved").0, "approve {}");
    }
}
