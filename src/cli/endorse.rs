//! `goodstanding endorse`: stand behind a profile, an achievement or a credential.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, not_the_contract};
use super::error::CliError;
use super::list::credential;
use super::place::{Party, Place, is_uri};
use super::profile::word;
use super::report::{Report, text};
use super::scope::{ScopeArgs, covers};
use super::transport::Call;
use crate::ids::{AchievementId, Slug};
use crate::time::Timestamp;
use crate::vc::securing::{Secured, Securing};

/// Issue an endorsement: a signed credential by which an accreditor stands behind a profile, an
/// achievement or a credential.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding endorse acme-college --kind profile --endorser quality-board \\
    --name 'Accredited provider' --valid-until 2029-01-01T00:00:00Z
  goodstanding endorse acme-college --endorser quality-board --name 'Accredited for degrees' \\
    --scope achievementType=Degree --scope jurisdiction=CH
  goodstanding endorse https://registry.example/achievements/ID --endorser quality-board \\
    --name 'Aligned with the framework' --comment 'Level **4**'")]
pub(super) struct Endorse {
    /// Who or what is endorsed: its id, or the slug of a profile here
    subject: String,
    /// What it is; seen from the id where it is hosted here
    #[arg(long)]
    kind: Option<Kind>,
    /// The accreditor: its slug, URL or id
    #[arg(long, value_name = "PROFILE")]
    endorser: Party,
    /// The endorsement's name for people
    #[arg(long)]
    name: String,
    /// What the accreditor has to say, in Markdown
    #[arg(long, value_name = "MARKDOWN")]
    comment: Option<String>,
    /// The digest (multibase) of the version that is endorsed, where it may change
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// From when it is good [default: now]
    #[arg(long, value_name = "TIME")]
    valid_from: Option<Timestamp>,
    /// Until when it is good, such as 2029-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    valid_until: Option<Timestamp>,
    /// Let it be suspended and reinstated, not only revoked
    #[arg(long)]
    suspendable: bool,
    /// How it is secured: eddsa-rdfc-2022, eddsa-jcs-2022 or vc+jwt [default: eddsa-rdfc-2022]
    #[arg(long, value_name = "FORM")]
    securing: Option<Securing>,
}

/// What can be endorsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Who issues
    Profile,
    /// What is given
    Achievement,
    /// One that was issued
    Credential,
}

impl Endorse {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let kind = kind_or_usage(self.kind, &self.subject)?;
        let mut subject = json!({
            "id": subject_id(context, &self.subject, Some(kind))?,
            "kind": word(kind),
        });
        if let Some(digest) = self.digest {
            subject["digestMultibase"] = digest.into();
        }
        let mut body = json!({
            "endorser": context.party(&self.endorser)?,
            "subject": subject,
            "name": self.name,
        });
        if let Some(scope) = self.scope.read(context)? {
            body["scope"] = scope;
        }
        let optional = [
            ("endorsementComment", self.comment),
            ("validFrom", self.valid_from.map(|at| at.to_string())),
            ("validUntil", self.valid_until.map(|at| at.to_string())),
            ("securing", self.securing.map(|form| form.to_string())),
        ];
        for (member, value) in optional {
            if let Some(value) = value {
                body[member] = value.into();
            }
        }
        if self.suspendable {
            body["suspendable"] = true.into();
        }
        let call = Call::post("/endorsements", body);
        let answer = context.change(call.clone())?;
        let secured = Secured::read(credential(&answer).clone())
            .map_err(|error| not_the_contract(&call, error.to_string()))?;
        Ok(said(secured.claims(), answer))
    }
}

fn said(endorsement: &Value, answer: Value) -> Report {
    let mut report = Report::new();
    let value = |of: &Value, member: &str| text(of, member).map(str::to_owned);
    let party = |member: &str| {
        let party = endorsement.get(member)?;
        party
            .as_str()
            .map(str::to_owned)
            .or_else(|| value(party, "id"))
    };
    let subject = party("credentialSubject");
    report.line(format_args!(
        "endorsed {}",
        subject.as_deref().unwrap_or_default()
    ));
    let scope = endorsement.pointer("/credentialSubject/endorsementScope");
    report.rows(&[
        ("id", value(endorsement, "id")),
        ("endorser", party("issuer")),
        ("covers", covers(scope)),
        ("valid from", value(endorsement, "validFrom")),
        ("valid until", value(endorsement, "validUntil")),
    ]);
    report.json(answer);
    report
}

/// What a subject is: as was said, or as its id shows.
pub(super) fn kind_or_usage(said: Option<Kind>, subject: &str) -> Result<Kind, CliError> {
    said.or_else(|| kind_of(subject)).ok_or_else(|| {
        CliError::Usage(format!(
            "what {subject:?} is cannot be seen: say --kind profile, achievement or credential"
        ))
    })
}

/// What an id that is hosted here, or a slug, stands for.
fn kind_of(subject: &str) -> Option<Kind> {
    if subject.parse::<Place<AchievementId>>().is_ok() {
        // Twenty letters and digits alone may be an achievement's id or a slug.
        return is_uri(subject).then_some(Kind::Achievement);
    }
    let profile = subject.parse::<Place<Slug>>().is_ok();
    (profile || subject.starts_with("did:")).then_some(Kind::Profile)
}

/// The id of a subject: as it was given, or for a name alone as the registry says.
pub(super) fn subject_id(
    context: &Context<'_>,
    subject: &str,
    kind: Option<Kind>,
) -> Result<String, CliError> {
    if is_uri(subject) {
        return Ok(subject.to_owned());
    }
    match kind.or_else(|| kind_of(subject)) {
        Some(Kind::Profile) => context.url_of::<Slug>(&subject.parse()?),
        Some(Kind::Achievement) => context.url_of::<AchievementId>(&subject.parse()?),
        Some(Kind::Credential) | None => Err(CliError::Usage(format!(
            "{subject:?} is not an id: give a URI such as urn:uuid:…, or say with --kind what it is"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use crate::vc::jwt::{Envelope, sign_credential};
    use crate::vc::keys::SigningKey;
    use serde_json::{Value, json};

    fn signed() -> Value {
        json!({"verifiableCredential": {
            "id": "https://h/endorsements/x", "issuer": {"id": "did:web:h:profiles:board"},
            "credentialSubject": {"id": "did:web:h:profiles:acme"},
            "validFrom": "2026-01-31T12:00:00Z", "proof": {},
        }})
    }

    #[test]
    fn a_slug_becomes_the_id_that_the_profile_has() {
        let done = Fake::new()
            .answer(200, json!({"id": "did:web:h:profiles:acme"}))
            .answer(201, signed())
            .run(&[
                "endorse",
                "acme",
                "--endorser",
                "board",
                "--name",
                "N",
                "--comment",
                "**C**",
                "--valid-until",
                "2029-01-01T00:00:00+01:00",
                "--suspendable",
            ]);
        assert_eq!(
            done.calls(),
            [
                "GET /profiles/acme".to_owned(),
                r#"POST /endorsements {"endorser":"board","subject":{"id":"did:web:h:profiles:acme","kind":"profile"},"name":"N","endorsementComment":"**C**","validUntil":"2028-12-31T23:00:00Z","suspendable":true}"#.to_owned(),
            ]
        );
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "endorsed did:web:h:profiles:acme\n\
                 id          https://h/endorsements/x\n\
                 endorser    did:web:h:profiles:board\n\
                 valid from  2026-01-31T12:00:00Z\n"
            )
        );
    }

    #[test]
    fn an_endorsement_in_a_jwt_is_told_like_any_other() {
        let mut credential = signed()["verifiableCredential"].take();
        credential["@context"] = json!(["https://www.w3.org/ns/credentials/v2"]);
        credential["type"] = json!(["VerifiableCredential", "EndorsementCredential"]);
        credential.as_object_mut().unwrap().shift_remove("proof");
        let key = SigningKey::from_seed(&[7; 32]);
        let jwt = sign_credential(&credential, "did:web:h:profiles:board#key-1-jwk", &key);
        let envelope = Envelope::Credential.wrap(&jwt.unwrap());
        let run = |answer: Value| {
            let answer = json!({ "verifiableCredential": answer });
            let fake = Fake::new().answer(201, answer);
            let who = ["endorse", "did:key:z6Mk", "--endorser", "board"];
            fake.run(&[&who[..], &["--name", "N", "--securing", "vc+jwt"]].concat())
        };
        let (told, like) = (run(envelope.clone()), run(credential));
        assert!(told.calls()[0].ends_with(r#""securing":"vc+jwt"}"#));
        assert_eq!((told.exit, &told.out), (0, &like.out));
        assert!(
            told.out.contains("https://h/endorsements/x"),
            "{}",
            told.out
        );
        let mut broken = envelope;
        broken["id"] = json!("data:application/vc+jwt,e30");
        assert_eq!(run(broken).exit, 2);
    }

    #[test]
    fn the_kind_is_seen_from_ids_that_are_hosted_here() {
        let achievement = format!("https://h/achievements/{LIST}");
        for (subject, kind) in [
            (achievement.as_str(), "achievement"),
            ("https://h/profiles/acme", "profile"),
            ("did:key:z6Mk", "profile"),
        ] {
            let done = Fake::new().answer(201, signed()).run(&[
                "endorse",
                subject,
                "--endorser",
                "board",
                "--name",
                "N",
            ]);
            let subject = format!(r#""subject":{{"id":"{subject}","kind":"{kind}"}}"#);
            assert!(done.calls()[0].contains(&subject), "{:?}", done.calls());
        }
    }

    #[test]
    fn a_credential_is_endorsed_in_one_version() {
        let done = Fake::new().answer(201, signed()).run(&[
            "endorse",
            "urn:uuid:a",
            "--kind",
            "credential",
            "--digest",
            "uEiAx",
            "--endorser",
            "did:key:z6Mk",
            "--name",
            "N",
        ]);
        assert!(done.calls()[0].contains(
            r#""subject":{"id":"urn:uuid:a","kind":"credential","digestMultibase":"uEiAx"}"#
        ));
    }

    #[test]
    fn what_cannot_be_seen_has_to_be_said() {
        for subject in [LIST, "urn:uuid:a", "https://elsewhere.example/badge"] {
            let done = Fake::new().run(&["endorse", subject, "--endorser", "b", "--name", "N"]);
            assert_eq!((done.exit, done.calls.len()), (2, 0));
            assert!(done.err.contains("say --kind"), "{}", done.err);
        }
        let done = Fake::new().run(&[
            "endorse",
            "x",
            "--kind",
            "credential",
            "--endorser",
            "b",
            "--name",
            "N",
        ]);
        assert!(done.err.contains("is not an id"), "{}", done.err);
    }
}
