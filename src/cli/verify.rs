//! `goodstanding verify`: is this credential good, and who stands behind it?

use std::io::Read;

use clap::Args;
use serde_json::{Map, json};

use super::context::{Context, json_of, not_the_contract, read_from};
use super::document::{place, read, read_from_anywhere, web};
use super::error::{CliError, Problem};
use super::given::{given_documents, pinned_keys};
use super::report::Report;
use super::transport::Call;
use super::verdict::said;
use crate::time::{Clock, Timestamp};
use crate::verify::{Expected, Input, Options, PinnedKey};
use crate::verify::{verify_credential, verify_presentation};

/// Verify a credential or presentation: its proof, its dates, its status, and the endorsements in
/// it.
///
/// Exit status: 0 in good standing, 1 not, 2 not known or an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding verify credential.json
  goodstanding verify https://issuer.example/credentials/42
  goodstanding verify badge.png
  curl -s https://issuer.example/credentials/42 | goodstanding verify -
  goodstanding verify old.jwt --pin did:web:gone.example=z6Mk...
  goodstanding verify badge.json --offline --document did.json --document list.json")]
pub(super) struct Verify {
    /// A file, an https URL (http on this machine), or '-' for standard input: JSON, a JWT, or a
    /// baked PNG or SVG image
    #[arg(value_name = "FILE|URL|-")]
    source: String,
    /// Trust this key for this issuer (or holder), and no other key of theirs: a Multikey, or a
    /// file that holds one or a JWK
    #[arg(long = "pin", value_name = "CONTROLLER=KEY")]
    pins: Vec<String>,
    /// The challenge that a presentation has to answer
    #[arg(long, value_name = "TEXT")]
    challenge: Option<String>,
    /// The domain that a presentation has to be meant for
    #[arg(long, value_name = "TEXT")]
    domain: Option<String>,
    /// Ask nobody: verify here, from what is given with --document alone
    #[arg(long, conflicts_with_all = ["server", "data"])]
    pub(super) offline: bool,
    /// A controller document, key set or status list, for --offline; a JSON document without an id
    /// needs its URL. Of a folder, each file in it
    #[arg(long = "document", value_name = "[URL=]FILE")]
    documents: Vec<String>,
    /// Verify as of this moment, with --offline; such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl Verify {
    /// Has a server, or the registry in a folder, verify it.
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        if !self.documents.is_empty() || self.at.is_some() {
            let next = "add --offline, or leave them out";
            let what = "--document and --at count only where nobody is asked";
            return Err(CliError::Usage(format!("{what}: {next}")));
        }
        let input = self.checked(read_from_anywhere(context, &self.source)?)?;
        let call = self.question(&input)?;
        let answer = context.transport.call(&call)?;
        // A document that cannot be verified may be answered with 400 and the whole report.
        let report = json_of(&call, &answer)
            .ok()
            .filter(|body| body.get("outcome").is_some() || body.get("verified").is_some());
        match report {
            Some(report) => Ok(said(&input, report)),
            None if answer.status >= 400 => {
                Err(CliError::Problem(Box::new(Problem::of(&call, &answer))))
            }
            None => {
                let reason = format!("the answer ({}) holds no outcome", answer.status);
                Err(not_the_contract(&call, reason))
            }
        }
    }

    /// Verifies it here, and asks nobody.
    pub(super) fn run_offline(
        self,
        stdin: &mut dyn Read,
        clock: &dyn Clock,
    ) -> Result<Report, CliError> {
        if let Some(url) = web(&self.source) {
            let next = "--offline asks nobody: save the document, and give the file";
            return Err(CliError::Usage(format!(
                "{url} is not fetched, since {next}"
            )));
        }
        let bytes = read_from(stdin, &self.source)?;
        let input = self.checked(read(&bytes, &self.source)?)?;
        let given = given_documents(&self.documents)?;
        let pinned = pinned_keys(&self.pins)?;
        let expected = self.expected();
        let options = Options {
            expected,
            pinned: &pinned,
            ..Options::default()
        };
        let now = self.at.unwrap_or_else(|| clock.now());
        let answer = match &input {
            Input::Credential(document) => {
                verify_credential(document, &given, options, now).to_json()
            }
            Input::Presentation(document) => {
                verify_presentation(document, &given, options, now).to_json(expected)
            }
        };
        Ok(said(&input, answer.into()))
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            challenge: self.challenge.as_deref(),
            domain: self.domain.as_deref(),
        }
    }

    /// Challenge and domain that would be asked of nobody are refused.
    fn checked(&self, input: Input) -> Result<Input, CliError> {
        if matches!(input, Input::Credential(_)) && self.expected() != Expected::default() {
            let what = "--challenge and --domain are for presentations";
            let place = place(&self.source);
            return Err(CliError::Usage(format!("{what}, and {place} holds none")));
        }
        Ok(input)
    }

    fn question(&self, input: &Input) -> Result<Call, CliError> {
        let (path, member, document) = match input {
            Input::Credential(document) => {
                ("/credentials/verify", "verifiableCredential", document)
            }
            Input::Presentation(document) => {
                ("/presentations/verify", "verifiablePresentation", document)
            }
        };
        let mut options = Map::new();
        options.insert("returnResults".into(), true.into());
        options.insert("returnProblemDetails".into(), true.into());
        let Expected { challenge, domain } = self.expected();
        for (name, value) in [("challenge", challenge), ("domain", domain)] {
            if let Some(value) = value {
                options.insert(name.into(), value.into());
            }
        }
        let pinned = pinned_keys(&self.pins)?;
        if !pinned.is_empty() {
            let body = |pin: &PinnedKey| json!({ "controller": pin.controller, "publicKeyJwk": pin.key.to_jwk() });
            options.insert("pinnedKeys".into(), pinned.iter().map(body).collect());
        }
        let body = json!({ member: document, "options": options });
        Ok(Call::post(path, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{Done, Fake, OneByOne};
    use serde_json::Value;

    const CREDENTIAL: &str = r#"{"@context":["x"],"id":"urn:uuid:a","issuer":{"id":"did:web:h:profiles:a","name":"Acme"}}"#;

    const KEY: &str = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";

    fn verified(status: u16, answer: Value) -> Done {
        Fake::new()
            .stdin(CREDENTIAL)
            .answer(status, answer)
            .run(&["verify", "-"])
    }

    fn refused(stdin: &str, args: &[&str]) -> String {
        let done = Fake::new()
            .stdin(stdin)
            .run(&[&["verify", "-"], args].concat());
        assert_eq!((done.exit, done.calls.len()), (2, 0), "{args:?}");
        done.err
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

        // The picture of another program's making, with a JWT in it.
        let baked = include_bytes!("../../tests/fuzz/seeds/png/jws.png");
        std::fs::write(&file, baked).unwrap();
        let done = Fake::new()
            .answer(200, answer)
            .run(&["verify", file.to_str().unwrap()]);
        assert!(
            done.calls()[0].starts_with(r#"POST /credentials/verify {"verifiableCredential":"ey"#),
            "{:?}",
            done.calls()
        );

        std::fs::write(&file, b"\x89PNG\r\n\x1a\nrest").unwrap();
        let done = Fake::new().run(&["verify", file.to_str().unwrap()]);
        assert_eq!((done.exit, done.calls.len()), (2, 0));
        assert!(
            done.err.contains("credential.json: the image: "),
            "{}",
            done.err
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
                r#"{"verifiableCredential":"ey.ey.ey"}"#.into(),
                r#"POST /credentials/verify {"verifiableCredential":"ey.ey.ey""#.into(),
            ),
            (
                r#"{"@context":"x","type":["VerifiablePresentation"]}"#.into(),
                r#"POST /presentations/verify {"verifiablePresentation":{"@context""#.into(),
            ),
            (
                "eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln\n".into(),
                r#"POST /credentials/verify {"verifiableCredential":"eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln","#.into(),
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

    #[test]
    fn keys_challenge_and_domain_go_along() {
        let answer = json!({"verified": true, "outcome": "active"});
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.json");
        let jwk = json!({"kty": "OKP", "crv": "Ed25519",
                         "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        std::fs::write(&file, jwk.to_string()).unwrap();
        let pin = format!("https://a.example/?v=3={}", file.display());
        let multikey = format!("did:web:a.example={KEY}");
        let done = Fake::new()
            .stdin(r#"{"@context":"x","type":"VerifiablePresentation"}"#)
            .answer(200, answer)
            .run(&[
                "verify",
                "-",
                "--pin",
                &pin,
                "--pin",
                &multikey,
                "--challenge",
                "c",
                "--domain",
                "d",
            ]);
        let body = done.calls[0].body.clone().unwrap();
        let options = &body["options"];
        assert_eq!(
            (&options["challenge"], &options["domain"]),
            (&json!("c"), &json!("d"))
        );
        let pinned = &options["pinnedKeys"];
        assert_eq!(pinned[0]["controller"], "https://a.example/?v=3");
        assert_eq!(pinned[0]["publicKeyJwk"], jwk);
        assert_eq!(pinned[1]["controller"], "did:web:a.example");
        assert_eq!(pinned[1]["publicKeyJwk"]["kty"], "OKP");
    }

    #[test]
    fn what_would_be_asked_of_nobody_is_refused() {
        let said = refused(CREDENTIAL, &["--challenge", "c"]);
        assert!(said.contains("standard input holds none"), "{said}");
        let said = refused(CREDENTIAL, &["--document", "x.json"]);
        assert!(said.contains("--offline"), "{said}");
        let said = refused(CREDENTIAL, &["--at", "2026-01-01T00:00:00Z"]);
        assert!(said.contains("--offline"), "{said}");
        for (pin, why) in [
            (KEY, "the issuer's id, '=' and a key are needed"),
            ("did:web:a.example=z6Mkx", "no usable key"),
            ("did:web:a.example=/no/such/file", "no usable key"),
        ] {
            let said = refused(CREDENTIAL, &["--pin", pin]);
            assert!(said.contains(why), "{pin}: {said}");
        }
    }

    fn offline(stdin: &str, args: &[&str]) -> Done {
        let args = [&["verify", "-", "--offline"], args].concat();
        Fake::new().stdin(stdin).run_remote(&args)
    }

    #[test]
    fn offline_nobody_is_asked_and_what_was_not_given_is_unreachable() {
        let done = offline(CREDENTIAL, &[]);
        assert_eq!(
            (done.exit, done.calls.len()),
            (2, 0),
            "{}{}",
            done.out,
            done.err
        );
        let url = "https://issuer.example/credentials/42";
        let done = Fake::new().run_remote(&["verify", url, "--offline"]);
        assert_eq!(done.exit, 2);
        assert!(done.err.contains("save the document"), "{}", done.err);
        let done = offline(CREDENTIAL, &["--server", "https://r.example"]);
        assert!(done.err.contains("cannot be used with"), "{}", done.err);
    }

    #[test]
    fn documents_are_taken_by_the_folder_and_named_where_they_are_of_no_use() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        write("a.json", r#"{"id": "did:web:a.example"}"#);
        let nameless = write("keys.json", r#"{"keys": []}"#);
        write(".hidden", "nonsense");
        let whole = folder.path().to_str().unwrap();
        let done = offline(CREDENTIAL, &["--document", whole]);
        assert!(
            done.err
                .contains("keys.json: it does not say where it stands"),
            "{}",
            done.err
        );
        let named = format!("https://a.example/keys?a=b={nameless}");
        let done = offline(CREDENTIAL, &["--document", &named]);
        assert!(done.err.is_empty(), "{}", done.err);
        let done = offline(CREDENTIAL, &["--document", &named, "--document", &named]);
        assert!(
            done.err
                .contains("two documents for https://a.example/keys?a=b"),
            "{}",
            done.err
        );
        let done = offline(CREDENTIAL, &["--document", "/no/such/file"]);
        assert!(
            done.err.contains("cannot read /no/such/file"),
            "{}",
            done.err
        );
    }
}
